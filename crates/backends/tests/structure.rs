//! The structure oracle: every emitted query, read back by a parser of its language, has the truth table of the rule.
//!
//! Truth is compared on many assignments at once: an atom is a word of 64 bits, one bit an assignment.

#[path = "support/backends.rs"]
mod support;

use std::collections::HashMap;
use std::path::Path;

use sigcast_backends::dialect::Dialect;
use sigcast_backends::options::Settings;
use sigcast_backends::readback::{self, Read};
use sigcast_backends::say::{Leaf, Legaliser, Said};
use sigcast_backends::write::Writer;
use sigcast_backends::{Backend, Language, Status};
use sigcast_frontend::Kind;
use sigcast_ir::{Case, Expr, Match, Part, Pattern, Query, Rule, Subject, Test, lower};
use sigcast_testing::{corpus, sample_rules, sources};

/// Words of assignments: 64 assignments each.
const WORDS: usize = 12;
type Truth = [u64; WORDS];

const TRUE: Truth = [u64::MAX; WORDS];
const FALSE: Truth = [0; WORDS];

fn and(a: &Truth, b: &Truth) -> Truth {
    std::array::from_fn(|at| a[at] & b[at])
}

fn or(a: &Truth, b: &Truth) -> Truth {
    std::array::from_fn(|at| a[at] | b[at])
}

fn not(a: &Truth) -> Truth {
    std::array::from_fn(|at| !a[at])
}

fn constant(value: bool) -> Truth {
    if value { TRUE } else { FALSE }
}

/// A small generator of reproducible bits.
struct Bits(u64);

impl Bits {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn all_of(&mut self, times: usize) -> u64 {
        (0..times).fold(u64::MAX, |word, _| word & self.next())
    }

    /// Assignments from rarely true to often true, so that long disjunctions are false now and then.
    fn truth(&mut self) -> Truth {
        std::array::from_fn(|at| match at % 6 {
            3 => self.next() | self.next(),
            other => self.all_of([1, 3, 5, 0, 2, 7][other]),
        })
    }
}

/// Two tests of the rule that the target writes alike, such as `null` and `''` where absent and empty are the same.
const CONTRADICTION: &str = "a leaf says the same as another one that asks something else";

/// What is known of the tests of a query.
struct World<'s> {
    settings: &'s Settings,
    bits: Bits,
    /// Truth by the text of an atom.
    atoms: HashMap<String, Truth>,
    /// Truth by field and test: the same test has the same truth in every stage. `present` stands for presence.
    tests: Vec<(Option<String>, String, Truth)>,
}

impl<'s> World<'s> {
    fn new(settings: &'s Settings) -> Self {
        Self { settings, bits: Bits(0x9E37_79B9_7F4A_7C15), atoms: HashMap::new(), tests: Vec::new() }
    }

    /// Truth of a test. An absent field passes no test but those of absence.
    fn test(&mut self, found: &Match<'_>) -> Truth {
        let Some(field) = found.field().map(|field| field.as_str().to_owned()) else {
            return self.named(None, form(&found.test));
        };
        let present = self.named(Some(field.clone()), "present".to_owned());
        match &found.test {
            Test::Exists(true) => present,
            Test::Exists(false) | Test::Null => not(&present),
            // Any text at all, or any but the empty one: what is there is such a text in this world.
            Test::Text { pattern, .. } if is_anything(pattern) => present,
            Test::SameAs { other, .. } => {
                let both = and(&present, &self.named(Some(other.as_str().to_owned()), "present".to_owned()));
                and(&both, &self.named(Some(field), form(&found.test)))
            }
            test => and(&present, &self.named(Some(field), form(test))),
        }
    }

    fn named(&mut self, field: Option<String>, form: String) -> Truth {
        if let Some((_, _, truth)) = self.tests.iter().find(|(f, t, _)| *f == field && *t == form) {
            return *truth;
        }
        let truth = self.bits.truth();
        self.tests.push((field, form, truth));
        truth
    }

    /// Truth of a legal query; the atoms that it is written as are remembered.
    fn said(&mut self, said: &Said<'_>, dialect: &Dialect) -> Result<Truth, String> {
        Ok(match said {
            Expr::And(terms) => {
                terms.iter().try_fold(TRUE, |all, term| Ok::<_, String>(and(&all, &self.said(term, dialect)?)))?
            }
            Expr::Or(terms) => {
                terms.iter().try_fold(FALSE, |all, term| Ok::<_, String>(or(&all, &self.said(term, dialect)?)))?
            }
            Expr::Not(inner) => not(&self.said(inner, dialect)?),
            Expr::Const(value) => constant(*value),
            Expr::Match(leaf) => {
                let [found] = leaf.matches.as_slice() else { panic!("lists are joined later") };
                let truth = self.test(found);
                let [text] = &readback::atoms(leaf, dialect, self.settings)[..] else { panic!("one text a leaf") };
                let read = readback::read(dialect, text).map_err(|fault| format!("leaf {text:?}: {fault}"))?;
                self.note(&read, &truth);
                if self.read(&read, None)? != truth {
                    return Err(format!("{CONTRADICTION}: {text:?}"));
                }
                // A list of values that must all match may open in another way.
                for all in [false, true].into_iter().filter(|_| leaf.emit.list.is_some()) {
                    for text in readback::atoms(&Leaf { all, ..doubled(leaf) }, dialect, self.settings) {
                        self.atoms.insert(text, truth);
                    }
                }
                truth
            }
        })
    }

    /// Gives the atoms of a leaf's text a truth by which the text has that of the leaf.
    fn note(&mut self, read: &Read, truth: &Truth) {
        match read {
            Read::And(terms) | Read::Or(terms) => terms.iter().for_each(|term| self.note(term, truth)),
            Read::Not(inner) => self.note(inner, &not(truth)),
            Read::Atom(text) => {
                self.atoms.entry(text.clone()).or_insert(*truth);
            }
        }
    }

    /// Truth of the rule's own query, each leaf by what the languages make of it alone.
    fn query(&mut self, query: &Query<'_>, dialects: &[&'static Dialect]) -> Result<Truth, String> {
        Ok(match query {
            Expr::And(terms) => {
                terms.iter().try_fold(TRUE, |all, term| Ok::<_, String>(and(&all, &self.query(term, dialects)?)))?
            }
            Expr::Or(terms) => {
                terms.iter().try_fold(FALSE, |all, term| Ok::<_, String>(or(&all, &self.query(term, dialects)?)))?
            }
            Expr::Not(inner) => not(&self.query(inner, dialects)?),
            Expr::Const(value) => constant(*value),
            Expr::Match(found) => {
                let mut result = None;
                for dialect in dialects {
                    if let Ok(said) = Legaliser::new(dialect, self.settings).say(&Expr::Match(found.clone())) {
                        let truth = self.said(&said, dialect)?;
                        result.get_or_insert(truth);
                    }
                }
                result.ok_or("a leaf that no stage can say")?
            }
        })
    }

    /// Presence of each field, which guards ask for.
    fn presence(&mut self, query: &Query<'_>, dialect: &'static Dialect) -> Result<(), String> {
        let mut fields = Vec::new();
        query.each_match(&mut |found| {
            let other = match &found.test {
                Test::SameAs { other, .. } => Some(other),
                _ => None,
            };
            for field in found.field().into_iter().chain(other) {
                let subject = Subject::Field(field.clone());
                fields.push(Match { subject, test: Test::Exists(true), span: found.span });
            }
        });
        for found in fields {
            if let Ok(said) = Legaliser::new(dialect, self.settings).say(&Expr::Match(found)) {
                self.said(&said, dialect)?;
            }
        }
        Ok(())
    }

    /// Truth of what was read; `unknown` for tests that the rule does not have.
    fn read(&self, read: &Read, unknown: Option<Truth>) -> Result<Truth, String> {
        match read {
            Read::And(terms) => terms.iter().try_fold(TRUE, |all, term| Ok(and(&all, &self.read(term, unknown)?))),
            Read::Or(terms) => terms.iter().try_fold(FALSE, |all, term| Ok(or(&all, &self.read(term, unknown)?))),
            Read::Not(inner) => Ok(not(&self.read(inner, unknown)?)),
            Read::Atom(text) => {
                let known = self.atoms.get(text).copied();
                known.or(unknown).ok_or_else(|| format!("a test that the rule does not have: {text:?}"))
            }
        }
    }
}

fn is_anything(pattern: &Pattern<'_>) -> bool {
    matches!(pattern.parts(), [Part::AnyRun] | [Part::AnyOne, Part::AnyRun] | [Part::AnyRun, Part::AnyOne])
}

/// What a test asks, as text. Two that differ only in case that does not count are the same.
fn form(test: &Test<'_>) -> String {
    match test {
        Test::Text { pattern, case } if *case == Case::Insensitive || !pattern.has_case() => {
            format!("{pattern:?}").to_lowercase()
        }
        _ => format!("{test:?}"),
    }
}

/// The leaf as it would stand in a list.
fn doubled<'a>(leaf: &Leaf<'a>) -> Leaf<'a> {
    let mut twice = leaf.clone();
    if leaf.emit.list.is_some() {
        twice.matches.push(leaf.matches[0].clone());
    }
    twice
}

/// Compares one query with its text.
fn check(query: &Query<'_>, text: &str, backend: &Backend) -> Result<(), String> {
    let settings = &backend.settings;
    let mut world = World::new(settings);
    let mut writer = Writer::new(backend.dialects()[0], settings);
    (backend.target.open)(&mut writer);
    let body = text.strip_prefix(writer.out.as_str()).ok_or("the opening is missing")?;
    let body = body.strip_suffix(backend.tail().as_str()).ok_or("the tail is missing")?;
    match backend.target.language(settings) {
        Language::Single(dialect) => {
            // A pass that gives each field one type changes leaves: it has tests of its own.
            let typed = dialect.passes.iter().fold(query.clone(), |query, pass| pass(query, dialect));
            let query = if dialect.passes.len() > 1 { &typed } else { query };
            let wanted = world.query(query, &[dialect])?;
            world.presence(query, dialect)?;
            let read = readback::read(dialect, body)?;
            same(&wanted, &world.read(&read, None)?, &read)
        }
        Language::Staged { search, filter, pipe, everything } => {
            let wanted = world.query(query, &[search, filter])?;
            world.presence(query, filter)?;
            let (first, second) = match body.split_once(pipe) {
                Some((first, second)) => (first, Some(second)),
                None => (body, None),
            };
            // What the search asks in a weaker form stands for nothing that the rule asks itself.
            let weaker = second.map(|_| TRUE);
            let searched =
                if first == everything { TRUE } else { world.read(&readback::read(search, first)?, weaker)? };
            let Some(second) = second else { return same(&wanted, &searched, &Read::Atom(first.to_owned())) };
            let read = readback::read(filter, second)?;
            same(&wanted, &and(&searched, &world.read(&read, None)?), &read)
        }
    }
}

fn same(wanted: &Truth, found: &Truth, read: &Read) -> Result<(), String> {
    if wanted == found { Ok(()) } else { Err(format!("another truth table: {read:?}")) }
}

/// Every backend that is checked: each target as it is, and with options that change the form of queries.
fn backends() -> Vec<Backend> {
    let mut all =
        support::backends(&[("cidr", "expand"), ("cidr", "native"), ("case", "expand"), ("fields", "dynamic")]);
    // Formats for which the query has a form of its own.
    for target in sigcast_backends::TARGETS {
        let made = target.formats.iter().map(|format| Backend::new(target, Settings::default()).for_format(format));
        all.extend(made.filter(|backend| backend.settings.style.is_some()));
    }
    all
}

/// Checks every rule under a folder; how many queries were compared.
fn check_folder(folder: &Path) -> usize {
    let sources = sources(folder);
    let backends = backends();
    let mut compared = 0;
    let mut faults = Vec::new();
    for (id, source) in sources.iter() {
        for document in sigcast_frontend::parse(&sources, id) {
            let Kind::Rule(rule) = document.kind else { continue };
            for backend in &backends {
                compared += check_rule(&rule, backend, source.name(), &mut faults);
            }
        }
    }
    assert!(faults.is_empty(), "{} faults, the first:\n{}", faults.len(), faults[..faults.len().min(8)].join("\n"));
    compared
}

fn check_rule(rule: &Rule<'_>, backend: &Backend, path: &str, faults: &mut Vec<String>) -> usize {
    let conversion = backend.convert(rule);
    if conversion.status == Status::Refused {
        return 0;
    }
    let queries = lower::queries(rule);
    assert_eq!(queries.len(), conversion.queries.len(), "{path}: one text a condition");
    for ((query, _), text) in queries.iter().zip(&conversion.queries) {
        if let Err(fault) = check(query, text, backend) {
            if conversion.status == Status::Approximate && fault.starts_with(CONTRADICTION) {
                continue;
            }
            let limit = |text: &str| text.chars().take(1500).collect::<String>();
            faults.push(format!("{path} [{}]: {}\n  {}", backend.target.name, limit(&fault), limit(text)));
        }
    }
    queries.len()
}

#[test]
fn sample_rules_read_back() {
    let compared = check_folder(&sample_rules());
    assert!(compared > 0, "no query was compared");
}

#[test]
fn corpus_reads_back() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    let compared = check_folder(&rules);
    println!("{compared} queries read back");
    assert!(compared > 3_000, "only {compared} queries were compared");
}

#[test]
fn the_reader_knows_wrong_from_right() {
    let lucene = sigcast_backends::find("lucene").expect("lucene");
    let Language::Single(dialect) = lucene.language else { panic!("lucene has one stage") };
    assert!(readback::read(dialect, "a:1 AND b:2 OR c:3").is_err(), "mixed operators need a group");
    let read = readback::read(dialect, "a:(1 OR \"x ) AND y\") AND NOT b:/c d\\/(e)/").expect("reads");
    let Read::And(terms) = read else { panic!("a conjunction") };
    assert_eq!(terms.len(), 2);
    assert_eq!(terms[1], Read::Not(Box::new(Read::Atom("b:/c d\\/(e)/".to_owned()))));
}
