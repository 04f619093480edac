//! Rules for OpenSearch Security Analytics: each means what the rule that it was made of means, to two readers.
//!
//! The one is sigcast's own frontend. The other is written from the server's source (opensearch-project/security-analytics,
//! `rules/objects`, `rules/types/SigmaString.java`, `rules/backend/{QueryBackend,OSQueryBackend}.java`): which keys it asks
//! for, how it takes values apart, and that `not` is pushed down to the values, where it asks for the field too. Truth is
//! compared on many assignments at once: a test is a word of 64 bits, one bit an assignment.

use std::collections::HashMap;
use std::path::Path;

use serde_yaml::Value;
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Status, find};
use sigcast_diagnostics::SourceMap;
use sigcast_formats::{Naming, Templates};
use sigcast_frontend::{Kind, parse};
use sigcast_ir::{Expr, Match, Part, Pattern, Query, Rule, Test, lower};
use sigcast_testing::{corpus, sample_rules, sources};

type Truth = [u64; 8];

/// Truth by field and test.
#[derive(Default)]
struct World {
    known: HashMap<(String, String), Truth>,
    state: u64,
}

impl World {
    fn bits(&mut self) -> u64 {
        // xorshift64, of a seed that is not zero.
        self.state = if self.state == 0 { 0x9E37_79B9_7F4A_7C15 } else { self.state };
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn named(&mut self, field: &str, test: &str) -> Truth {
        let key = (field.to_owned(), test.to_owned());
        if let Some(truth) = self.known.get(&key) {
            return *truth;
        }
        // From rarely true to often true, so that long disjunctions are false now and then.
        let truth = std::array::from_fn(|at| match at % 4 {
            0 => self.bits(),
            1 => self.bits() & self.bits() & self.bits(),
            2 => self.bits() | self.bits(),
            _ => (0..5).fold(u64::MAX, |word, _| word & self.bits()),
        });
        self.known.insert(key, truth);
        truth
    }

    fn present(&mut self, field: &str) -> Truth {
        self.named(field, "present")
    }

    /// A test that an absent field does not pass.
    fn passes(&mut self, field: &str, test: &str) -> Truth {
        let (present, truth) = (self.present(field), self.named(field, test));
        if test == "*" { present } else { and(&present, &truth) }
    }

    /// What a rule asks.
    fn query(&mut self, query: &Query<'_>) -> Truth {
        match query {
            Expr::And(terms) => terms.iter().fold([u64::MAX; 8], |all, term| and(&all, &self.query(term))),
            Expr::Or(terms) => terms.iter().fold([0; 8], |all, term| or(&all, &self.query(term))),
            Expr::Not(inner) => not(&self.query(inner)),
            Expr::Const(value) => [if *value { u64::MAX } else { 0 }; 8],
            Expr::Match(found) => self.leaf(found),
        }
    }

    fn leaf(&mut self, found: &Match<'_>) -> Truth {
        let field = found.field().expect("keywords are refused").as_str();
        match &found.test {
            Test::Exists(true) => self.present(field),
            Test::Exists(false) | Test::Null => not(&self.present(field)),
            Test::Text { pattern, .. } => self.passes(field, &form(pattern)),
            Test::Number { value, .. } => self.passes(field, &value.text),
            Test::Bool(value) => self.passes(field, &value.to_string()),
            Test::Network(network) => self.passes(field, &format!("cidr {network}")),
            other => panic!("not refused: {other:?}"),
        }
    }
}

fn and(a: &Truth, b: &Truth) -> Truth {
    std::array::from_fn(|at| a[at] & b[at])
}

fn or(a: &Truth, b: &Truth) -> Truth {
    std::array::from_fn(|at| a[at] | b[at])
}

fn not(a: &Truth) -> Truth {
    a.map(|word| !word)
}

/// A pattern as both readers say it: any one character for each blank, case aside, its own signs escaped.
fn form(pattern: &Pattern<'_>) -> String {
    let mut out = String::new();
    for part in pattern.parts() {
        match part {
            Part::AnyRun => out.push('*'),
            Part::AnyOne => out.push('?'),
            Part::Text(text) => text.chars().for_each(|c| sign(c, &mut out)),
            Part::Placeholder(name) => panic!("an unresolved placeholder: {name}"),
        }
    }
    out
}

/// A sign of a text; a wildcard of it is told from one of the pattern.
fn sign(c: char, out: &mut String) {
    match c {
        '*' | '?' | '\\' => out.extend(['\\', c]),
        c if c.is_whitespace() || c.is_control() => out.push('?'),
        c => out.extend(c.to_lowercase()),
    }
}

/// The server's compiler.
struct Server<'y> {
    detection: &'y serde_yaml::Mapping,
}

/// A condition as its grammar reads it: `not` binds tightest, then `and`.
enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Name(String),
}

fn disjunction(words: &mut std::iter::Peekable<impl Iterator<Item = String>>) -> Condition {
    let mut ways = vec![conjunction(words)];
    while words.next_if(|word| word == "or").is_some() {
        ways.push(conjunction(words));
    }
    if ways.len() == 1 { ways.remove(0) } else { Condition::Or(ways) }
}

fn conjunction(words: &mut std::iter::Peekable<impl Iterator<Item = String>>) -> Condition {
    let mut all = vec![single(words)];
    while words.next_if(|word| word == "and").is_some() {
        all.push(single(words));
    }
    if all.len() == 1 { all.remove(0) } else { Condition::And(all) }
}

fn single(words: &mut std::iter::Peekable<impl Iterator<Item = String>>) -> Condition {
    match words.next().expect("a term").as_str() {
        "not" => Condition::Not(Box::new(single(words))),
        "(" => {
            let inner = disjunction(words);
            assert_eq!(words.next().as_deref(), Some(")"));
            inner
        }
        name => Condition::Name(name.to_owned()),
    }
}

impl Server<'_> {
    fn condition(&self, world: &mut World) -> Truth {
        let text = self.detection["condition"].as_str().expect("a condition");
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let mut words = spaced.split_whitespace().map(str::to_owned).peekable();
        let condition = disjunction(&mut words);
        assert_eq!(words.next(), None, "{text}");
        self.term(&condition, false, world)
    }

    /// `negated`: whether a `not` around it was pushed down to here.
    fn term(&self, condition: &Condition, negated: bool, world: &mut World) -> Truth {
        match condition {
            Condition::And(terms) => join(terms.iter().map(|term| self.term(term, negated, world)), !negated),
            Condition::Or(terms) => join(terms.iter().map(|term| self.term(term, negated, world)), negated),
            Condition::Not(inner) => {
                assert!(!negated, "`not` under `not` is not taken back");
                self.term(inner, true, world)
            }
            Condition::Name(name) => {
                let items = self.detection[name.as_str()].as_mapping().expect("a map");
                let items = items.iter().map(|(key, value)| item(key.as_str().expect("a key"), value, negated, world));
                join(items, !negated)
            }
        }
    }
}

fn join(truths: impl Iterator<Item = Truth>, all: bool) -> Truth {
    if all { truths.fold([u64::MAX; 8], |a, b| and(&a, &b)) } else { truths.fold([0; 8], |a, b| or(&a, &b)) }
}

fn item(key: &str, value: &Value, negated: bool, world: &mut World) -> Truth {
    let mut words = key.split('|');
    let field = words.next().expect("a field");
    let modifiers: Vec<&str> = words.collect();
    let single = std::slice::from_ref(value);
    let values = value.as_sequence().map_or(single, Vec::as_slice);
    let all = modifiers.contains(&"all");
    let truths: Vec<Truth> = values.iter().map(|value| one(field, &modifiers, value, negated, world)).collect();
    join(truths.into_iter(), all != negated)
}

/// One value; under `not`, the field is asked for too.
fn one(field: &str, modifiers: &[&str], value: &Value, negated: bool, world: &mut World) -> Truth {
    let truth = match value {
        Value::Null => not(&world.present(field)),
        Value::Bool(value) => world.passes(field, &value.to_string()),
        Value::Number(number) => {
            let number = number.as_i64().expect("an integer");
            assert!(i32::try_from(number).is_ok() && number >= 0, "read as null, or not at all: {number}");
            world.passes(field, &number.to_string())
        }
        Value::String(text) if modifiers.contains(&"cidr") => world.passes(field, &format!("cidr {text}")),
        Value::String(text) => {
            let mut pattern = string(text);
            for modifier in modifiers {
                match *modifier {
                    "contains" => pattern = format!("*{pattern}*"),
                    "startswith" => pattern.push('*'),
                    "endswith" => pattern.insert(0, '*'),
                    "all" => {}
                    other => panic!("the server has no {other}"),
                }
            }
            world.passes(field, &pattern)
        }
        other => panic!("the server passes over {other:?}"),
    };
    if negated { and(&not(&truth), &world.present(field)) } else { truth }
}

/// A value as the server takes it apart: a backslash is itself, unless a wildcard or another backslash follows.
fn string(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        assert!(!c.is_whitespace(), "a blank, which becomes `_ws_`: {text:?}");
        match c {
            '\\' => {
                let next = chars.next_if(|next| matches!(next, '*' | '?' | '\\'));
                sign(next.unwrap_or('\\'), &mut out);
            }
            '*' | '?' => out.push(c),
            c => sign(c, &mut out),
        }
    }
    out
}

/// What the server asks of the document itself.
fn check_document(document: &Value) {
    for key in ["title", "id", "description", "status", "level", "author"] {
        assert!(document[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {document:?}");
    }
    let title = document["title"].as_str().expect("a title");
    assert!(!title.starts_with(['_', '-', '+']) && !title.contains("..") && !title.contains(|c| "^*?<>|#".contains(c)));
    let id = document["id"].as_str().expect("an id");
    assert!(id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'), "{id}");
    assert!(
        ["stable", "test", "experimental", "deprecated", "unsupported"]
            .contains(&document["status"].as_str().expect("a word"))
    );
    assert!(
        ["informational", "low", "medium", "high", "critical"].contains(&document["level"].as_str().expect("a word"))
    );
    let source = document["logsource"].as_mapping().expect("a log source");
    assert!(!source.is_empty());
    for key in ["references", "falsepositives", "tags"] {
        assert!(
            document[key].is_null()
                || document[key].as_sequence().is_some_and(|list| list.iter().all(Value::is_string))
        );
    }
    for (name, _) in document["detection"].as_mapping().expect("detections") {
        let name = name.as_str().expect("a name");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.starts_with(char::is_numeric));
    }
}

fn backend() -> Backend {
    let target = find("opensearch").expect("a target");
    Backend::new(target, Settings::default()).for_format(target.format("security-analytics").expect("a format"))
}

/// The texts that are made of a rule; none if it is refused.
fn made(backend: &Backend, templates: &Templates, rule: &Rule<'_>) -> Vec<String> {
    let conversion = backend.convert(rule);
    if conversion.status == Status::Refused {
        return Vec::new();
    }
    let format = backend.target.format("security-analytics").expect("a format");
    let place = Naming::default().assign(&backend.settings, rule);
    let texts = templates.render_parts(backend.target, format, rule, &conversion.queries, &backend.settings, &place);
    // A rule without a log source is refused by the template.
    texts.unwrap_or_default()
}

/// Compares each rule under a folder with what is made of it; how many texts were compared.
fn check_folder(folder: &Path) -> usize {
    let (backend, templates) = (backend(), Templates::builtin());
    let sources = sources(folder);
    let mut compared = 0;
    for (id, source) in sources.iter() {
        for document in parse(&sources, id) {
            let Kind::Rule(rule) = &document.kind else { continue };
            let texts = made(&backend, &templates, rule);
            for ((query, _), text) in lower::queries(rule).iter().zip(&texts) {
                compared += 1;
                check(query, text, source.name());
            }
        }
    }
    compared
}

fn check(query: &Query<'_>, text: &str, name: &str) {
    let mut world = World::default();
    let wanted = world.query(query);

    let mut sources = SourceMap::new();
    let id = sources.add("made.yml", text);
    let documents = parse(&sources, id);
    let [document] = documents.as_slice() else { panic!("{name}: one document\n{text}") };
    let Kind::Rule(read) = &document.kind else { panic!("{name}: {:?}\n{text}", document.diagnostics) };
    let [(found, _)] = &lower::queries(read)[..] else { panic!("{name}: one condition\n{text}") };
    assert!(world.query(found) == wanted, "{name}: another meaning to sigcast\n{text}");

    let document: Value = serde_yaml::from_str(text).expect("YAML");
    check_document(&document);
    let server = Server { detection: document["detection"].as_mapping().expect("detections") };
    assert!(server.condition(&mut world) == wanted, "{name}: another meaning to the server\n{text}");
}

#[test]
fn sample_rules_keep_their_meaning() {
    let compared = check_folder(&sample_rules());
    assert!(compared >= 40, "only {compared} texts were compared");
}

#[test]
fn public_rules_keep_their_meaning() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    let compared = check_folder(&rules);
    println!("{compared} texts were compared");
    assert!(compared > 2_700, "only {compared} texts were compared");
}

/// The text that is made of a rule with this detection.
fn of(detection: &str) -> String {
    let text = format!("title: One\nlogsource: {{product: windows}}\ndetection:\n{detection}\n");
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", text);
    let documents = parse(&sources, id);
    let Kind::Rule(rule) = &documents[0].kind else { panic!("{:?}", documents[0].diagnostics) };
    made(&backend(), &Templates::builtin(), rule).concat()
}

#[test]
fn negations_stand_before_names_and_let_events_without_the_field_pass() {
    let check = |detection: &str, expected: &str| {
        let text = of(detection);
        let (_, found) = text.split_once("detection:\n").expect("detections");
        assert_eq!(found.trim_end(), expected.trim_matches('\n'), "{detection}");
    };
    check(
        "  a: {f: x}\n  condition: not a",
        "
    filter:
        f: 'x'
    absent:
        f: null
    condition: not filter or absent",
    );
    check(
        "  a: {f: x, g|contains: ['y', 'z']}\n  b: {h: null}\n  condition: not (a and not b)",
        "
    selection:
        h: null
    filter:
        f: 'x'
        g|contains:
            - 'y'
            - 'z'
    absent_1:
        f: null
    absent_2:
        g: null
    condition: not filter or absent_1 or absent_2 or selection",
    );
    check(
        "  a: [{f: x}, {g: y}]\n  b: {i|exists: true}\n  condition: b and not a",
        "
    filter_1:
        i: null
    filter_2:
        f: 'x'
    filter_3:
        g: 'y'
    absent_1:
        f: null
    absent_2:
        g: null
    condition: not filter_1 and (not filter_2 or absent_1) and (not filter_3 or absent_2)",
    );
}

#[test]
fn what_the_server_reads_otherwise_is_refused_or_written_in_another_way() {
    let backend = backend();
    let check = |item: &str, code: &str| {
        let text =
            format!("title: One\nlogsource: {{product: windows}}\ndetection:\n  a: {{{item}}}\n  condition: a\n");
        let mut sources = SourceMap::new();
        let id = sources.add("rule.yml", text);
        let documents = parse(&sources, id);
        let Kind::Rule(rule) = &documents[0].kind else { panic!("{:?}", documents[0].diagnostics) };
        let conversion = backend.convert(rule);
        let mut codes: Vec<&str> = conversion.diagnostics.iter().map(|found| found.code.as_str()).collect();
        codes.dedup();
        assert_eq!(codes, [code], "{item}");
    };
    check("f|re: 'a.*b'", "regex-unsupported");
    check("f|gt: 5", "construct-unsupported");
    check("f|cased: x", "construct-unsupported");
    check("f|fieldref: g", "field-reference-unsupported");
    check("f|hour: 5", "time-part-unsupported");
    check("'|all': [x, y]", "keyword-unsupported");
    check("'a b': x", "field-name-unsupported");
    check("f: 'a b'", "blank-widened");
    for (item, expected) in [
        ("f: 3000000000", "f: '3000000000'\n"),
        ("f: 1.5", "f: '1.5'\n"),
        ("f: -1", "f: '-1'\n"),
        ("f: 5", "f: 5\n"),
        ("f: '5'", "f: '5'\n"),
        ("'@timestamp': x", "'@timestamp': 'x'\n"),
        ("yes: x", "'yes': 'x'\n"),
        ("f|cidr: 10.0.0.0/8", "f|cidr: '10.0.0.0/8'\n"),
        ("f|contains: 'a b'", "f|contains: 'a?b'\n"),
        ("f|windash|contains: ' -x'", "f|contains:\n            - '?-x'\n            - '?/x'\n"),
        ("f|endswith: 'a\\*b\\'", "f|endswith: 'a\\*b\\\\'\n"),
        ("f: ' a*b '", "f: '?a*b?'\n"),
        ("f|contains: ['it''s', \"\\u2028\\u00e9\"]", "f|contains:\n            - 'it''s'\n            - \"?é\"\n"),
    ] {
        let text = of(&format!("  a: {{{item}}}\n  condition: a"));
        assert!(text.contains(&format!("        {expected}")), "{item}: {text}");
    }
}
