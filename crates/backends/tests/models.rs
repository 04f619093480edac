//! The data-model oracle: a rule that a target calls exact has the same answer on an event and on what the target's
//! store holds of it. If it has not, its meaning needs a distinction that is lost, and the rule is approximate.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value};
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Conversion, Status, TARGETS};
use sigcast_diagnostics::{Code, SourceMap};
use sigcast_eval::{Limits, RuleMatcher, project, samples};
use sigcast_frontend::Kind;
use sigcast_ir::Rule;
use sigcast_testing::{corpus, sample_rules, sources};

/// Compares the answers on the events of a rule; how many were compared and how many are not held at all.
fn compare(rule: &Rule<'_>, backend: &Backend, events: &[Value]) -> Result<Option<(usize, usize)>, String> {
    let conversion = backend.convert(rule);
    if conversion.status != Status::Exact {
        return Ok(None);
    }
    let matcher = RuleMatcher::new(rule).map_err(|fault| fault.to_string())?;
    let (mut compared, mut left) = (0, 0);
    for event in events {
        let Some(held) = project(&backend.target.model, event) else {
            excluded(&conversion, event)?;
            left += 1;
            continue;
        };
        for condition in matcher.conditions() {
            let meant = condition.matches(event).map_err(|fault| fault.to_string())?;
            let found = condition.matches(&held).map_err(|fault| fault.to_string())?;
            if meant != found {
                return Err(format!("{meant} of {event}, {found} of what is held of it: {held}"));
            }
        }
        compared += 1;
    }
    Ok(Some((compared, left)))
}

/// An event that the store does not hold as it is must be excluded by an assumption.
fn excluded(conversion: &Conversion, event: &Value) -> Result<(), String> {
    let told = [Code::AssumeSingleValues, Code::AssumeTrimmedValues];
    if told.iter().any(|code| conversion.assumptions.contains(code)) {
        Ok(())
    } else {
        Err(format!("no assumption excludes {event}"))
    }
}

fn backends() -> Vec<Backend> {
    TARGETS.iter().map(|target| Backend::new(target, Settings::default())).collect()
}

fn check_folder(folder: &Path, limits: Limits) -> BTreeMap<&'static str, (usize, usize, usize)> {
    let sources = sources(folder);
    let (mut counts, mut faults) = (BTreeMap::new(), Vec::new());
    for (id, source) in sources.iter() {
        for document in sigcast_frontend::parse(&sources, id) {
            let Kind::Rule(rule) = document.kind else { continue };
            let Ok(found) = samples(&rule, limits) else { continue };
            let events: Vec<Value> = found.into_iter().map(|sample| sample.event).collect();
            for backend in backends() {
                match compare(&rule, &backend, &events) {
                    Ok(Some((compared, left))) => {
                        let count: &mut (usize, usize, usize) = counts.entry(backend.target.name).or_default();
                        *count = (count.0 + 1, count.1 + compared, count.2 + left);
                    }
                    Ok(None) => {}
                    Err(fault) => faults.push(format!("{} [{}]: {fault}", source.name(), backend.target.name)),
                }
            }
        }
    }
    let first = faults[..faults.len().min(8)].join("\n");
    assert!(faults.is_empty(), "{} faults, the first:\n{first}", faults.len());
    counts
}

#[test]
fn sample_rules_ask_for_nothing_that_is_lost() {
    let counts = check_folder(&sample_rules(), Limits::default());
    println!("target: exact rules, events compared, events not held\n{counts:#?}");
    assert!(TARGETS.iter().all(|target| counts.get(target.name).is_some_and(|count| count.1 > 500)), "{counts:?}");
}

#[test]
fn corpus_asks_for_nothing_that_is_lost() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    let counts = check_folder(&rules, Limits { hits: 4, variations: 16 });
    println!("target: exact rules, events compared, events not held\n{counts:#?}");
    assert!(TARGETS.iter().all(|target| counts.get(target.name).is_some_and(|count| count.1 > 20_000)), "{counts:?}");
}

/// Whether each target calls a rule with these detections exact, and if not, the code.
fn check(detections: &str, expected: &[(&str, Option<Code>)]) {
    let mut sources = SourceMap::new();
    let yaml = format!("title: t\nlogsource: {{product: windows}}\ndetection:\n  s: {detections}\n  condition: s\n");
    let id = sources.add("rule".to_owned(), yaml);
    let document = sigcast_frontend::parse(&sources, id).into_iter().next().expect("a document");
    let Kind::Rule(rule) = document.kind else { panic!("a rule: {:?}", document.diagnostics) };
    for backend in backends() {
        let name = backend.target.name;
        let Some((_, code)) = expected.iter().find(|(family, _)| family.split(' ').any(|one| one == name)) else {
            panic!("no answer for {name}")
        };
        let conversion = backend.convert(&rule);
        let codes: Vec<Code> = conversion.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, code.iter().copied().collect::<Vec<_>>(), "{name}: {detections}");
        let status = if code.is_some() { Status::Approximate } else { Status::Exact };
        assert_eq!(conversion.status, status, "{name}: {detections}");
    }
}

/// Stores that have no null, but have empty text.
const NULLS: &str = "lucene opensearch watcher kibana splunk sqlite postgres duckdb eql esql es-dsl";
/// Stores that have neither.
const BLANKS: &str = "kusto graylog";

#[test]
fn presence_needs_null() {
    let expected = [(NULLS, Some(Code::NullIsAbsent)), (BLANKS, Some(Code::EmptyIsAbsent))];
    check("{f|exists: true}", &expected);
    check("{f|exists: false}", &expected);
}

#[test]
fn null_needs_it_not() {
    check("{f: null}", &[(NULLS, None), (BLANKS, Some(Code::EmptyIsAbsent))]);
    check("{f: '*'}", &[(NULLS, None), (BLANKS, Some(Code::EmptyIsAbsent))]);
    check("{f: ''}", &[(NULLS, None), (BLANKS, Some(Code::EmptyIsAbsent))]);
    check("{f: [null, '']}", &[(NULLS, None), (BLANKS, None)]);
    check("{f: x}", &[(NULLS, None), (BLANKS, None)]);
}

/// Any JSON value, with the blanks that models lose.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::from("")),
        "[ aA.]{0,3}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("[aA.]{0,2}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn projecting_twice_is_projecting_once(event in value()) {
        for target in TARGETS {
            if let Some(held) = project(&target.model, &event) {
                prop_assert_eq!(project(&target.model, &held), Some(held), "{} {}", target.name, event);
            }
        }
    }
}
