//! Sample streams: the evaluator agrees with every label, and there are some of both kinds.

use proptest::prelude::*;
use sigcast_eval::{CorrelationMatcher, Limits, StreamSample, correlation_samples};
use sigcast_ir::Correlation;
use sigcast_ir::MemberCondition::{And, Member, Not, Or};

use crate::build::{Asked, Inner, Plan, build};

/// What the evaluator says otherwise than the labels.
pub fn disagreements(correlation: &Correlation<'_>, samples: &[StreamSample]) -> Vec<String> {
    let matcher = CorrelationMatcher::new(correlation).expect("compiles");
    let differs = samples.iter().filter_map(|sample| {
        let found = matcher.fires(&sample.stream).expect("an answer");
        (found != sample.fires)
            .then(|| format!("{}: {found:?}, not {:?}\n{:?}", sample.what, sample.fires, sample.stream))
    });
    differs.collect()
}

/// There are streams of both kinds, and each of `expected` is one of them: what it is, and how many firings it has.
fn check(plan: &Plan, expected: &[(&str, usize)]) {
    let correlation = build(plan);
    let samples = correlation_samples(&correlation, Limits::default()).expect("samples");
    assert_eq!(disagreements(&correlation, &samples), Vec::<String>::new(), "{plan:?}");
    let shown: Vec<String> = samples.iter().map(|one| format!("{} {}", one.fires.len(), one.what)).collect();
    assert!(samples.iter().any(|one| !one.fires.is_empty()), "none fires for {plan:?}:\n{}", shown.join("\n"));
    assert!(samples.iter().any(|one| one.fires.is_empty()), "all fire for {plan:?}:\n{}", shown.join("\n"));
    for (what, fires) in expected {
        let found = samples.iter().find(|one| one.what.starts_with(what));
        let found = found.unwrap_or_else(|| panic!("no stream {what} for {plan:?}:\n{}", shown.join("\n")));
        assert_eq!(found.fires.len(), *fires, "{what} for {plan:?}");
    }
}

fn plan(kinds: &[&'static str], keys: &[&str], values: &[&'static str], asked: Asked) -> Plan {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let members = kinds.iter().map(|kind| (Inner::Rule(kind), keys.clone(), values.to_vec()));
    Plan { members: members.collect(), asked, seconds: 60 }
}

fn measure(measure: &'static str, bounds: &[(&'static str, &'static str)]) -> Asked {
    Asked::Measure { measure, bounds: bounds.to_vec() }
}

#[test]
fn counts() {
    let expected = [
        ("just enough within", 1),
        ("the last event is missing", 0),
        ("the last event exactly the timespan", 1),
        ("the last event a millisecond more", 0),
        ("all events at one time", 3),
        ("within the window, across a multiple", 1),
        ("just enough, and once more", 2),
        ("the last event in another group", 0),
        ("the last event without key0", 0),
        ("the last event with two values of key0", 1),
        ("the last event with upper case in key0", 0),
        ("just enough in each of two groups", 2),
        ("just enough among events", 1),
        ("one event more", 2),
        ("only events that miss", 0),
    ];
    check(&plan(&["a"], &["k"], &[], measure("events", &[(">=", "3")])), &expected);
    check(&plan(&["a", "b"], &["k"], &[], measure("events", &[(">=", "3")])), &expected);
    let range = measure("events", &[(">", "1"), ("<=", "3")]);
    check(
        &plan(&["a"], &[], &[], range),
        &[("just enough", 1), ("more than the most, all", 0), ("more than the most, one", 2)],
    );
    check(&plan(&["a"], &[], &[], measure("events", &[("<", "3")])), &[("more than the most, all at one time", 0)]);
    check(&plan(&["a"], &[], &[], measure("events", &[("!=", "1")])), &[("just enough within", 1)]);
    check(&plan(&["a"], &["k", "l"], &[], measure("events", &[(">=", "100")])), &[("just enough within", 1)]);
}

#[test]
fn different_values() {
    check(
        &plan(&["a"], &["k"], &["v"], measure("distinct", &[(">=", "2")])),
        &[
            ("just enough within", 1),
            ("the same value each time", 0),
            ("the last event without a value", 0),
            ("the last value as the first but for its case", 1),
            ("all values in one event", 1),
        ],
    );
    check(&plan(&["a", "b"], &[], &["v", "w"], measure("distinct", &[("=", "3")])), &[("just enough within", 1)]);
    // The key and the value are one field.
    check(&plan(&["a"], &[], &["k"], measure("distinct", &[("<", "3")])), &[("more different values", 0)]);
}

#[test]
fn numbers() {
    check(
        &plan(&["a"], &["k"], &["v"], measure("sum", &[(">=", "1000")])),
        &[
            ("numbers 998, 1, 1", 1),
            ("numbers 499, 500", 0),
            ("text for the last number", 0),
            ("the last number as text", 1),
        ],
    );
    for measured in ["sum", "average", "minimum", "maximum", "median", "90", "33.3"] {
        for bounds in [&[(">", "10")][..], &[("<=", "2.5")], &[(">=", "5"), ("<", "9")], &[("!=", "7")], &[("=", "-3")]]
        {
            check(&plan(&["a", "b"], &["k"], &["v"], measure(measured, bounds)), &[]);
        }
    }
}

#[test]
fn members() {
    let rules = |ordered, condition| plan(&["a", "b", "c"], &["k"], &[], Asked::Rules { ordered, condition });
    let all = || And(vec![Member(0), Member(1), Member(2)]);
    check(
        &rules(false, all()),
        &[("just enough within", 1), ("in the order turned", 1), ("the last event is missing", 0)],
    );
    check(&rules(true, all()), &[("just enough within", 1), ("in the order turned", 0), ("all events at one time", 3)]);
    check(&rules(false, Or(vec![Member(0), Member(1)])), &[]);
    check(&rules(false, And(vec![Member(0), Not(Box::new(Member(1)))])), &[]);
    check(&rules(true, And(vec![Or(vec![Member(0), Member(1)]), Member(2)])), &[("in the order turned", 0)]);
    let count = |ordered| plan(&["a", "b", "c"], &[], &[], Asked::Members { ordered, bounds: vec![(">=", "2")] });
    check(&count(false), &[("just enough within", 1)]);
    check(&count(true), &[("in the order turned", 0)]);
}

#[test]
fn chains() {
    for (inner, seconds) in [(measure("events", &[(">=", "3")]), 300), (measure("sum", &[(">", "10")]), 20)] {
        let inner = plan(&["a"], &["k"], &["v"], inner);
        let outer = |asked| Plan {
            members: vec![
                (Inner::Correlation(Box::new(inner.clone())), vec!["0".to_owned()], Vec::new()),
                (Inner::Rule("b"), vec!["l".to_owned()], Vec::new()),
            ],
            asked,
            seconds,
        };
        let all = || And(vec![Member(0), Member(1)]);
        check(&outer(Asked::Rules { ordered: false, condition: all() }), &[("just enough within", 1)]);
        check(
            &outer(Asked::Rules { ordered: true, condition: all() }),
            &[("just enough within", 1), ("in the order turned", 0)],
        );
        check(&outer(measure("events", &[(">=", "2")])), &[]);
    }
}

/// Fields that a rule itself asks for can be keys and values too.
#[test]
fn fields_that_rules_ask_for() {
    let three = || measure("events", &[(">=", "3")]);
    check(&plan(&["{id: 4625, u|endswith: $}"], &["u"], &[], three()), &[("just enough in each of two groups", 2)]);
    check(&plan(&["{id: 4625, u: bob}"], &["id", "u"], &[], three()), &[("just enough within", 1)]);
    check(
        &plan(&["{ip|cidr: 10.0.0.0/8}", "{ip: [10.0.0.1, 10.0.0.2]}"], &["ip"], &[], three()),
        &[("just enough in", 2)],
    );
    check(&plan(&["{u: [a, b, c]}"], &[], &["u"], measure("distinct", &[(">=", "3")])), &[("just enough within", 1)]);
    check(&plan(&["{n|gt: 1000}"], &[], &["n"], measure("sum", &[(">", "1000000")])), &[("just enough within", 1)]);
    // One rule's events are all the other's too, and one rule twice.
    let all = || Asked::Rules { ordered: true, condition: And(vec![Member(0), Member(1)]) };
    check(&plan(&["{id: 1}", "{id: 1, u: x}"], &["k"], &[], all()), &[("just enough within", 1)]);
    check(&plan(&["{id: 1}", "{id: 1}"], &["k"], &[], all()), &[("just enough within", 1)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn labels_of_any_correlation(plan in crate::plan(1)) {
        let correlation = build(&plan);
        let samples = correlation_samples(&correlation, Limits { hits: 12, variations: 24 }).expect("samples");
        prop_assert_eq!(disagreements(&correlation, &samples), Vec::<String>::new(), "{:?}", plan);
    }
}

/// Every correlation of a folder of rules: the labels hold, and how many have streams of both kinds, of how many.
fn of_folder(folder: &std::path::Path) -> (usize, usize) {
    let sources = sigcast_testing::sources(folder);
    let mut documents: Vec<_> = sources.iter().flat_map(|(id, _)| sigcast_frontend::parse(&sources, id)).collect();
    sigcast_frontend::link(&mut documents.iter_mut().collect::<Vec<_>>());
    let (mut both, mut all) = (0, 0);
    for document in &documents {
        let sigcast_frontend::Kind::Correlation(correlation) = &document.kind else { continue };
        let Ok(samples) = correlation_samples(correlation, Limits::default()) else { continue };
        all += 1;
        assert_eq!(disagreements(correlation, &samples), Vec::<String>::new(), "{}", correlation.meta.title);
        let fires = |wanted: bool| samples.iter().any(|one| one.fires.is_empty() != wanted);
        if fires(true) && fires(false) {
            both += 1;
        } else {
            println!("not both: {} ({} streams)", correlation.meta.title, samples.len());
        }
    }
    (both, all)
}

#[test]
fn labels_of_sample_rules() {
    let folder = sigcast_testing::sample_rules().join("correlation");
    if folder.is_dir() {
        let (both, all) = of_folder(&folder);
        assert!(both == all && all > 0, "{both} of {all}");
    }
}
