//! Where correlations fire: the evaluator against the definition, read naively, and examples.

mod build;
mod examples;
mod naive;
mod streams;

use std::collections::BTreeSet;

use build::{Asked, Inner, Plan, build};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use sigcast_eval::{BucketFiring, CorrelationMatcher, Firing, TimedEvent};
use sigcast_ir::MemberCondition;

/// One value, or several, or one of the kinds of none.
fn field(values: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    let one = || proptest::sample::select(values).prop_map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
    prop_oneof![
        1 => Just(None),
        8 => one().prop_map(Some),
        2 => prop::collection::vec(one(), 0..3).prop_map(|values| Some(Value::Array(values))),
        1 => Just(Some(json!(null))),
    ]
}

fn event() -> impl Strategy<Value = TimedEvent> {
    let keys = || field(&[r#""x""#, r#""X""#, "1", r#""1""#, "true", r#""""#]);
    let values = || field(&["1", "2", "3", "-1", "0.5", r#""2""#, r#""1e1""#, r#""007""#, "true", r#""a""#, "2.0"]);
    let kind = prop::collection::vec(proptest::sample::select(&["a", "b", "c", "d"][..]), 0..3);
    // Windows are of 2 or 5 seconds: many events are just so far apart, and many at one time.
    let time = prop_oneof![4 => (-3_i64..12).prop_map(|second| second * 1000), 1 => 0_i64..12_000, 1 => Just(1999), 1 => Just(5001)];
    (time, kind, keys(), keys(), values(), values()).prop_map(|(time, kind, k, l, v, w)| {
        let mut event = serde_json::Map::new();
        event.insert("kind".to_owned(), json!(kind));
        for (name, value) in [("k", k), ("l", l), ("v", v), ("w", w)] {
            value.map(|value| event.insert(name.to_owned(), value));
        }
        TimedEvent { time, event: Value::Object(event) }
    })
}

fn condition(members: usize) -> impl Strategy<Value = MemberCondition> {
    (0..members).prop_map(MemberCondition::Member).prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(MemberCondition::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(MemberCondition::Or),
            inner.prop_map(|inner| MemberCondition::Not(Box::new(inner))),
        ]
    })
}

fn asked(members: usize) -> impl Strategy<Value = Asked> {
    let bound = || {
        let order = proptest::sample::select(&["=", "!=", "<", "<=", ">", ">="][..]);
        (order, proptest::sample::select(&["0", "1", "2", "3", "4", "1.5", "-1", "2.25"][..]))
    };
    let bounds = || prop::collection::vec(bound(), 1..3);
    let measures =
        ["events", "distinct", "sum", "average", "minimum", "maximum", "median", "0", "10", "33.3", "90", "100"];
    let all = (0..members).map(MemberCondition::Member).collect::<Vec<_>>();
    prop_oneof![
        6 => (proptest::sample::select(Vec::from(measures)), bounds())
            .prop_map(|(measure, bounds)| Asked::Measure { measure, bounds }),
        1 => (any::<bool>(), bounds()).prop_map(|(ordered, bounds)| Asked::Members { ordered, bounds }),
        1 => any::<bool>().prop_map(move |ordered| Asked::Rules { ordered, condition: MemberCondition::And(all.clone()) }),
        2 => (any::<bool>(), condition(members)).prop_map(|(ordered, condition)| Asked::Rules { ordered, condition }),
    ]
}

fn plan(depth: u32) -> BoxedStrategy<Plan> {
    let members = (1..4_usize, 0..3_usize).prop_flat_map(move |(members, keys)| {
        let kind = proptest::sample::select(&["a", "b", "c"][..]);
        let rule = (kind, prop::collection::vec(proptest::sample::select(&["k", "l"][..]), keys))
            .prop_map(|(kind, keys)| (Inner::Rule(kind), keys.into_iter().map(str::to_owned).collect::<Vec<_>>()));
        let member = if depth == 0 {
            rule.boxed()
        } else {
            let inner =
                (plan(depth - 1), prop::collection::vec((0..3_usize, any::<bool>()), keys)).prop_map(|(plan, keys)| {
                    // A number names a key of the inner correlation, if it has so many.
                    let own = plan.members.first().map_or(0, |(_, keys, _)| keys.len());
                    let keys = keys.into_iter().map(|(at, field)| match own {
                        0 => "k".to_owned(),
                        own if !field => (at % own).to_string(),
                        _ => "l".to_owned(),
                    });
                    let keys = keys.collect();
                    (Inner::Correlation(Box::new(plan)), keys)
                });
            prop_oneof![2 => rule, 1 => inner].boxed()
        };
        let values = proptest::sample::select(vec![vec!["v"], vec!["w"], vec!["v", "w"]]);
        let members_of =
            prop::collection::vec((member, values).prop_map(|((inner, keys), values)| (inner, keys, values)), members);
        (members_of, asked(members), proptest::sample::select(&[1_u64, 2, 5][..]))
    });
    members.prop_map(|(members, asked, seconds)| Plan { members, asked, seconds }).boxed()
}

fn agrees(plan: &Plan, stream: &[TimedEvent]) -> Result<(), TestCaseError> {
    let correlation = build(plan);
    let matcher = CorrelationMatcher::new(&correlation).expect("compiles");
    let found = matcher.fires(stream).expect("an answer");
    let expected: Vec<Firing> = naive::fires(plan, stream).into_iter().collect();
    prop_assert_eq!(&found, &expected, "{:?}", plan);
    let fixed = matcher.fires_in_fixed_windows(stream).expect("an answer");
    let expected: Vec<BucketFiring> = naive::fires_in_fixed_windows(plan, stream).into_iter().collect();
    prop_assert_eq!(&fixed, &expected, "{:?} in fixed windows", plan);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn the_evaluator_reads_the_definition(plan in plan(0), stream in prop::collection::vec(event(), 0..12)) {
        agrees(&plan, &stream)?;
    }

    #[test]
    fn chains_too(plan in plan(1), stream in prop::collection::vec(event(), 0..12)) {
        agrees(&plan, &stream)?;
    }
}

/// The generators reach what they are there for: each measure fires and does not.
#[test]
fn random_plans_fire_and_do_not() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (plan(0), prop::collection::vec(event(), 0..12));
    let mut seen: BTreeSet<(String, bool)> = BTreeSet::new();
    for _ in 0..3000 {
        let (plan, stream) = strategy.new_tree(&mut runner).expect("a tree").current();
        let fires = !naive::fires(&plan, &stream).is_empty();
        let name = match &plan.asked {
            Asked::Measure { measure, .. } => (*measure).to_owned(),
            Asked::Members { ordered, .. } => format!("members {ordered}"),
            Asked::Rules { ordered, .. } => format!("rules {ordered}"),
        };
        seen.insert((name, fires));
    }
    assert_eq!(seen.len(), 2 * (12 + 4), "{seen:?}");
}
