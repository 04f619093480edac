//! The escape oracle: whatever a text or a field's name holds, it is read back as one term that stands for it.
//!
//! Two readers look at what is written. The dialect's own takes the query apart: the term must stand between its
//! neighbours, with nothing of it outside. And an unescaper of each language, written from its manual and not from what
//! the writers do, must give back the name and the pattern. A refusal is fine; a text that gets out of its quotes is not.

#[path = "escapes/unescape.rs"]
mod unescape;

use proptest::prelude::*;
use sigcast_backends::dialect::Dialect;
use sigcast_backends::options::{Settings, option};
use sigcast_backends::readback::{self, Read};
use sigcast_backends::say::{Legaliser, Said};
use sigcast_backends::write::Writer;
use sigcast_backends::{Backend, TARGETS};
use sigcast_diagnostics::{SourceId, Span};
use sigcast_ir::{Case, Expr, Field, Match, Part, Pattern, Query, Subject, Test};

fn leaf(field: Option<&str>, test: Test<'static>) -> Query<'static> {
    let subject = field.map_or(Subject::Event, |name| Subject::Field(Field::new(name.to_owned())));
    Expr::Match(Match { subject, test, span: Span::new(SourceId(0), 0, 0) })
}

fn plain(field: &str) -> Query<'static> {
    let test = Test::Text { pattern: Pattern::exact("1x"), case: Case::Insensitive };
    leaf(Some(field), test)
}

/// Each stage of each target, with options that change how values are written.
fn stages() -> Vec<(String, &'static Dialect, Settings)> {
    let mut all = Vec::new();
    for target in TARGETS {
        for (key, value) in
            [("", ""), ("case", "expand"), ("fields", "dynamic"), ("keyword_columns", "a b"), ("regexp", "function")]
        {
            let mut settings = Settings::default();
            if !key.is_empty() {
                if !target.options.contains(&key) {
                    continue;
                }
                option(key).expect("a known option").set(&mut settings, value).expect("a good value");
            }
            let backend = Backend::new(target, settings);
            for dialect in backend.dialects() {
                all.push((format!("{} {key}", target.name), dialect, backend.settings.clone()));
            }
        }
    }
    all
}

/// The conjuncts of a text, or the text's structure as the one of them.
fn conjuncts(read: Read) -> Vec<Read> {
    match read {
        Read::And(terms) => terms.into_iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// Writes the test between two others, reads it back, and compares. Whether it was said at all.
fn check(
    field: Option<&str>,
    test: &Test<'static>,
    stage: &(String, &'static Dialect, Settings),
) -> Result<bool, String> {
    let (name, dialect, settings) = stage;
    let mut legaliser = Legaliser::new(dialect, settings);
    let Ok(said) = legaliser.say(&leaf(field, test.clone())) else { return Ok(false) };
    let ends = ["before", "behind"].map(|field| legaliser.say(&plain(field)).expect("a plain test"));
    let [before, behind] = ends;
    for said in [said.clone(), Expr::negate(said.clone()), Expr::Or(vec![said.clone(), behind.clone()])] {
        let whole = Expr::And(vec![before.clone(), said, behind.clone()]).simplify();
        if !matches!(whole, Expr::And(_)) {
            continue;
        }
        let mut writer = Writer::new(dialect, settings);
        writer.query(&whole);
        let text = writer.out;
        let read = readback::read(dialect, &text).map_err(|fault| format!("{name}: {fault}\n  {text}"))?;
        let wanted = conjuncts(expected(&whole, dialect, settings)?);
        if conjuncts(read.clone()) != wanted {
            return Err(format!("{name}: {text}\n  read as {read:?}\n  wanted {wanted:?}"));
        }
    }
    values(&said, dialect, settings, name)?;
    Ok(true)
}

/// The structure that is wanted: a leaf that is a negation in itself is read as one.
fn expected(said: &Said<'_>, dialect: &Dialect, settings: &Settings) -> Result<Read, String> {
    let all =
        |terms: &[Said<'_>]| terms.iter().map(|term| expected(term, dialect, settings)).collect::<Result<Vec<_>, _>>();
    Ok(match said {
        Expr::And(terms) => Read::And(all(terms)?),
        Expr::Or(terms) => Read::Or(all(terms)?),
        Expr::Not(inner) => Read::Not(Box::new(expected(inner, dialect, settings)?)),
        Expr::Const(_) => readback::expected(said, dialect, settings),
        Expr::Match(leaf) => match readback::expected(said, dialect, settings) {
            // Only tests that hold no value may be more than one term: an absence as a negation, a boolean as a list.
            Read::Atom(text) if !matches!(leaf.matches[0].test, Test::Text { .. } | Test::Regex(_)) => {
                readback::read(dialect, &text)?
            }
            // A list of one value; the unescaper looks into it.
            Read::Atom(text) => match readback::read(dialect, &text) {
                Ok(Read::Or(terms)) if matches!(&terms[..], [Read::Atom(one)] if one.contains('\0')) => Read::Or(terms),
                _ => Read::Atom(text),
            },
            other => other,
        },
    })
}

/// Asks the language's unescaper for the name and the value of each leaf.
fn values(said: &Said<'_>, dialect: &'static Dialect, settings: &Settings, name: &str) -> Result<(), String> {
    let mut result = Ok(());
    said.each_match(&mut |leaf| {
        let [text] = &readback::atoms(leaf, dialect, settings)[..] else { return };
        let found = &leaf.matches[0];
        if let Err(fault) = unescape::check(dialect.name, found, text)
            && result.is_ok()
        {
            result = Err(format!("{name}: {fault}\n  {text}\n  {:?} {:?}", found.field(), found.test));
        }
    });
    result
}

/// Signs that some language gives a meaning to, and pieces of its words.
fn text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "\"", "'", "`", "\\", "*", "?", "%", "_", "/", ":", "(", ")", "[", "]", "{", "}", "<", ">", "~", "^", "&", "|",
        "!", "+", "-", "=", "@", "#", "$", ".", ",", ";", " ", "\n", "\r", "\t", "\u{1}", "\u{7f}", "\u{85}", "\u{a0}",
        "\u{2028}", "\u{200b}", "\u{3000}", "\u{feff}", "é", "É", "ß", "日", "𝒳", "a", "b", "Z", "0", "5", "x", "n",
        "u", "t", "AND", " AND ", " OR ", " NOT ", "NOT ", " and ", " or ", "not ", "and", "or ", "\\\\", "\\\"",
        "\"\"", "''", "``", "\"\"\"", "&&", "||", "--", "/*", "*/", "//", "@\"", "| where ", "\n| ", "TO", "null",
        "true", "ESCAPE", "'''", "\\u0022", "(?i)", "$(",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 1..7).prop_map(|pieces| pieces.concat())
}

/// A pattern of any shape.
fn pattern() -> impl Strategy<Value = Pattern<'static>> {
    let part = |text: &String| Part::Text(text.clone().into());
    (text(), text(), 0..9_u8).prop_map(move |(one, two, shape)| {
        let (one, two, run, single) = (part(&one), part(&two), Part::AnyRun, Part::AnyOne);
        Pattern::from_parts(match shape {
            0 | 1 => vec![one],
            2 => vec![one, run],
            3 => vec![run, one],
            4 | 5 => vec![run.clone(), one, run],
            6 => vec![one, run, two],
            7 => vec![run.clone(), one, run.clone(), two, run],
            _ => vec![one, single, two, run],
        })
    })
}

fn case() -> impl Strategy<Value = Case> {
    prop_oneof![Just(Case::Insensitive), Just(Case::Sensitive)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_stay_in_their_quotes(pattern in pattern(), case in case()) {
        let test = Test::Text { pattern, case };
        for stage in stages() {
            let said = check(Some("f"), &test, &stage);
            prop_assert!(said.is_ok(), "{}", said.expect_err("a fault"));
        }
    }

    #[test]
    fn keywords_stay_in_their_quotes(pattern in pattern(), case in case()) {
        let test = Test::Text { pattern, case };
        for stage in stages() {
            let said = check(None, &test, &stage);
            prop_assert!(said.is_ok(), "{}", said.expect_err("a fault"));
        }
    }

    #[test]
    fn names_stay_in_their_quotes(name in text(), case in case()) {
        let pattern = Pattern::exact("Abc");
        for test in [Test::Text { pattern, case }, Test::Null, Test::Exists(true), Test::Bool(true)] {
            for stage in stages() {
                let said = check(Some(&name), &test, &stage);
                prop_assert!(said.is_ok(), "{}", said.expect_err("a fault"));
            }
        }
    }
}

/// Names that would stand for another one, or for none.
#[test]
fn names_that_are_lost_are_refused() {
    let test = Test::Text { pattern: Pattern::exact("x"), case: Case::Insensitive };
    for stage in stages() {
        assert_eq!(check(Some(""), &test, &stage), Ok(false), "{}", stage.0);
        if stage.1.name.starts_with("Kibana") {
            assert_eq!(check(Some("a "), &test, &stage), Ok(false), "{}", stage.0);
        }
    }
}

/// Whatever else is refused, plain texts and most odd ones are said: the tests above have something to look at.
#[test]
fn most_texts_are_said() {
    for stage in stages() {
        let said = ["plain", "C:\\a \"b\" (c)", "it's 100% <x>", "a AND b", "`x` ~ ^y$ | z"].iter().filter(|text| {
            let test = Test::Text { pattern: Pattern::exact(**text), case: Case::Insensitive };
            check(Some("f"), &test, &stage).expect("reads back")
        });
        assert_eq!(said.count(), 5, "{}", stage.0);
    }
}
