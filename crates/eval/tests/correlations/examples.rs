//! Examples with their answers written out.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sigcast_eval::{CorrelationMatcher, EvalFault, TimedEvent};
use sigcast_ir::MemberCondition::{And, Member, Not, Or};

use crate::build::{Asked, Inner, Plan, build};

fn stream(events: &[(i64, Value)]) -> Vec<TimedEvent> {
    events.iter().map(|(time, event)| TimedEvent { time: *time, event: event.clone() }).collect()
}

/// `expected`: the events at which it fires, each with its keys: `2 x,y`.
fn check(plan: &Plan, events: &[(i64, Value)], expected: &[&str]) {
    let matcher = CorrelationMatcher::new(&build(plan)).expect("compiles");
    let found = matcher.fires(&stream(events)).expect("an answer");
    let found: Vec<String> =
        found.iter().map(|one| format!("{} {}", one.event, one.keys.join(",")).trim().to_owned()).collect();
    assert_eq!(found, expected, "{plan:?}");
}

fn rules(kinds: &[&'static str], keys: &[&str], values: &[&'static str], asked: Asked) -> Plan {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let members = kinds.iter().map(|kind| (Inner::Rule(kind), keys.clone(), values.to_vec()));
    Plan { members: members.collect(), asked, seconds: 10 }
}

fn measure(measure: &'static str, bounds: &[(&'static str, &'static str)]) -> Asked {
    Asked::Measure { measure, bounds: bounds.to_vec() }
}

#[test]
fn events_within_a_window() {
    let plan = rules(&["a"], &["k"], &[], measure("events", &[(">=", "3")]));
    let at = |time: i64, key: &str| (time, json!({"kind": "a", "k": key}));
    check(&plan, &[at(0, "x"), at(5000, "x"), at(10_000, "x")], &["2 x"]);
    check(&plan, &[at(0, "x"), at(5000, "x"), at(10_001, "x")], &[]);
    check(&plan, &[at(0, "x"), at(5000, "y"), at(10_000, "x")], &[]);
    check(&plan, &[at(0, "x"), at(5000, "X"), at(10_000, "x")], &[]);
    // In any order; events of one time fire together.
    check(&plan, &[at(10_000, "x"), at(0, "x"), at(10_000, "x")], &["0 x", "2 x"]);
}

#[test]
fn groups_of_values() {
    let plan = rules(&["a"], &["k", "l"], &[], measure("events", &[(">=", "2")]));
    let event = |k: Value, l: Value| (0, json!({"kind": "a", "k": k, "l": l}));
    check(&plan, &[event(json!(["x", "y"]), json!(1)), event(json!(["y", "z"]), json!("1"))], &["0 y,1", "1 y,1"]);
    check(&plan, &[event(json!(true), json!(1)), event(json!("true"), json!(1))], &["0 true,1", "1 true,1"]);
    check(&plan, &[event(json!(null), json!(1)), event(json!(null), json!(1))], &[]);
    check(&plan, &[event(json!([]), json!(1)), event(json!([]), json!(1))], &[]);
    check(&plan, &[event(json!(""), json!(1)), event(json!(""), json!(1))], &["0 ,1", "1 ,1"]);
}

#[test]
fn an_event_of_two_members_counts_once() {
    let two = |asked| rules(&["a", "b"], &[], &["v"], asked);
    let events = [(0, json!({"kind": ["a", "b"], "v": 2}))];
    check(&two(measure("events", &[(">=", "2")])), &events, &[]);
    check(&two(measure("sum", &[("=", "2")])), &events, &["0"]);
    check(&two(Asked::Members { ordered: false, bounds: vec![(">=", "2")] }), &events, &["0"]);
    check(&two(Asked::Members { ordered: true, bounds: vec![(">=", "2")] }), &events, &["0"]);
}

#[test]
fn distinct_values_mind_case() {
    let plan = rules(&["a"], &[], &["v"], measure("distinct", &[(">=", "2")]));
    let event = |value: Value| (0, json!({"kind": "a", "v": value}));
    check(&plan, &[event(json!("x")), event(json!("X"))], &["0", "1"]);
    check(&plan, &[event(json!("x")), event(json!("x"))], &[]);
    check(&plan, &[event(json!(1)), event(json!("1"))], &[]);
    check(&plan, &[event(json!(["x", "y"]))], &["0"]);
    let plan = rules(&["a"], &[], &["v", "w"], measure("distinct", &[(">=", "2")]));
    check(&plan, &[(0, json!({"kind": "a", "v": 1, "w": 1})), (0, json!({"kind": "a", "v": 2}))], &[]);
    check(&plan, &[(0, json!({"kind": "a", "v": 1, "w": 1})), (0, json!({"kind": "a", "v": 1, "w": 2}))], &["0", "1"]);
}

#[test]
fn numbers_are_exact() {
    let sum = |bound| rules(&["a"], &[], &["v"], measure("sum", &[("=", bound)]));
    let event = |value: Value| (0, json!({"kind": "a", "v": value}));
    check(&sum("0.3"), &[event(json!(0.1)), event(json!("0.2"))], &["0", "1"]);
    check(
        &sum("18014398509481985"),
        &[event(json!(9_007_199_254_740_993_i64)), event(json!(9_007_199_254_740_992_i64))],
        &["0", "1"],
    );
    // Too large to be exact: floats.
    check(&sum("3e300"), &[event(json!(1e300)), event(json!(2e300))], &["0", "1"]);
    let percentile = |percent, bound| rules(&["a"], &[], &["v"], measure(percent, &[("=", bound)]));
    let three = [event(json!(1)), event(json!(2)), event(json!(4))];
    check(&percentile("75", "3"), &three, &["0", "1", "2"]);
    check(&percentile("99.9", "3.996"), &three, &["0", "1", "2"]);
    check(&percentile("average", "2"), &three, &[]);
    // No number at all lies in no bounds, not even in negated ones.
    check(&rules(&["a"], &[], &["v"], measure("sum", &[("!=", "7")])), &[event(json!("x"))], &[]);
}

#[test]
fn order_and_conditions() {
    let kind = |time: i64, kind: &str| (time, json!({"kind": kind}));
    let ordered = |condition| rules(&["a", "b", "c"], &[], &[], Asked::Rules { ordered: true, condition });
    let all = ordered(And(vec![Member(0), Member(1), Member(2)]));
    check(&all, &[kind(0, "a"), kind(1, "b"), kind(2, "c")], &["2"]);
    check(&all, &[kind(0, "a"), kind(2, "b"), kind(1, "c")], &[]);
    check(&all, &[kind(0, "c"), kind(0, "b"), kind(0, "a")], &["0", "1", "2"]);
    // A chain is looked for: an event out of order does not stand in its way.
    check(&all, &[kind(0, "c"), kind(1, "a"), kind(2, "b"), kind(3, "c"), kind(4, "a")], &["3", "4"]);
    let either = ordered(And(vec![Or(vec![Member(0), Member(1)]), Member(2)]));
    check(&either, &[kind(0, "a"), kind(1, "c"), kind(2, "b")], &["1", "2"]);
    check(&either, &[kind(0, "c"), kind(1, "b")], &[]);
    let without = ordered(And(vec![Member(0), Member(1), Not(Box::new(Member(2)))]));
    check(&without, &[kind(0, "a"), kind(1, "b")], &["1"]);
    check(&without, &[kind(0, "a"), kind(1, "b"), kind(2, "c")], &["1"]);
    // Under `not` it does not matter where the event stands.
    check(&without, &[kind(0, "c"), kind(1, "a"), kind(2, "b")], &[]);
}

#[test]
fn chains_of_correlations() {
    let inner = rules(&["a"], &["k"], &[], measure("events", &[(">=", "2")]));
    let outer = Plan {
        members: vec![
            (Inner::Correlation(Box::new(inner)), vec!["0".to_owned()], Vec::new()),
            (Inner::Rule("b"), vec!["l".to_owned()], Vec::new()),
        ],
        asked: Asked::Rules { ordered: true, condition: And(vec![Member(0), Member(1)]) },
        seconds: 10,
    };
    let a = |time: i64, key: &str| (time, json!({"kind": "a", "k": key}));
    let b = |time: i64, key: &str| (time, json!({"kind": "b", "l": key}));
    check(&outer, &[a(0, "x"), a(1, "x"), b(2, "x")], &["2 x"]);
    check(&outer, &[a(0, "x"), a(1, "y"), b(2, "x")], &[]);
    check(&outer, &[a(0, "x"), a(1, "x"), b(2, "y")], &[]);
    check(&outer, &[a(0, "x"), b(1, "x"), a(2, "x")], &[]);
    // The inner window is behind the outer one's start.
    check(&outer, &[a(0, "x"), a(10_000, "x"), b(20_000, "x")], &["2 x"]);
}

#[test]
fn fixed_windows_start_at_multiples() {
    let plan = rules(&["a"], &["k"], &[], measure("events", &[(">=", "2")]));
    let matcher = CorrelationMatcher::new(&build(&plan)).expect("compiles");
    let at = |time: i64| (time, json!({"kind": "a", "k": "x"}));
    let starts = |events: &[(i64, Value)]| -> Vec<i64> {
        let found = matcher.fires_in_fixed_windows(&stream(events)).expect("an answer");
        found.into_iter().map(|one| one.start).collect()
    };
    assert_eq!(starts(&[at(0), at(9999)]), [0]);
    assert_eq!(starts(&[at(9999), at(10_000)]), Vec::<i64>::new());
    assert_eq!(starts(&[at(-1), at(-10_000), at(25_000), at(29_000), at(20_000)]), [-10_000, 20_000]);
}

#[test]
fn what_cannot_be_counted_out() {
    let kinds = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"];
    let condition = |members: usize| Or((0..members).map(Member).collect());
    let fault = |condition, ordered| {
        CorrelationMatcher::new(&build(&rules(&kinds, &[], &[], Asked::Rules { ordered, condition })))
            .err()
            .map(|error| error.fault)
    };
    assert!(matches!(fault(condition(17), true), Some(EvalFault::TooLarge(_))));
    assert_eq!(fault(condition(16), true), None);
    assert_eq!(fault(condition(17), false), None);
    assert_eq!(fault(And((0..17).map(Member).collect()), true), None);
    let deep = (0..500).fold(Member(0), |inner, _| Not(Box::new(inner)));
    assert_eq!(fault(deep, false), Some(EvalFault::TooDeep));
    let many: Vec<u32> = (0..101).collect();
    let plan = rules(&["a"], &["k", "l"], &[], measure("events", &[(">=", "1")]));
    let events = stream(&[(0, json!({"kind": "a", "k": many, "l": many}))]);
    let answer = CorrelationMatcher::new(&build(&plan)).expect("compiles").fires(&events);
    assert!(matches!(answer.map_err(|error| error.fault), Err(EvalFault::TooLarge(_))));
}

#[test]
fn what_comes_nearest() {
    let nearest = |plan: &Plan, events: &[(i64, Value)]| {
        CorrelationMatcher::new(&build(plan)).expect("compiles").closest(&stream(events)).expect("an answer")
    };
    let a = |time: i64, key: &str| (time, json!({"kind": "a", "k": key}));
    let count = rules(&["a", "b"], &["k"], &[], measure("events", &[(">=", "3")]));
    let found = nearest(&count, &[a(0, "x"), a(1, "y"), a(2, "y"), a(90_000, "y"), (0, json!({"kind": "a"}))]);
    assert_eq!(found.events, [5, 0]);
    let window = found.window.expect("a window");
    assert_eq!((window.event, window.keys, window.amount), (2, vec!["y".to_owned()], Some(2.0)));
    assert_eq!(nearest(&count, &[(0, json!({"kind": "a"}))]).window, None);
    let condition = And(vec![Member(0), Member(1), Member(2)]);
    let ordered = rules(&["a", "b", "c"], &[], &[], Asked::Rules { ordered: true, condition });
    let kind = |time: i64, kind: &str| (time, json!({"kind": kind}));
    let window = nearest(&ordered, &[kind(0, "c"), kind(1, "b"), kind(2, "a"), kind(3, "c")]).window.expect("a window");
    assert_eq!((window.event, window.present, window.chained), (3, vec![0, 1, 2], 2));
}

/// A hundred thousand events of one group, half of them in each window: what is done for each must not grow with them.
#[test]
fn long_streams_take_no_long_time() {
    let events: Vec<TimedEvent> = (0..100_000)
        .map(|at| TimedEvent {
            time: at / 2,
            event: json!({"kind": if at % 2 == 0 { "a" } else { "b" }, "v": at % 977}),
        })
        .collect();
    let both = || And(vec![Member(0), Member(1), Member(2)]);
    for asked in [
        measure("events", &[(">", "50000")]),
        measure("distinct", &[(">", "976")]),
        measure("average", &[(">", "488")]),
        measure("median", &[(">", "488")]),
        Asked::Rules { ordered: false, condition: both() },
        Asked::Rules { ordered: true, condition: both() },
    ] {
        let mut plan = rules(&["a", "b", "c"], &[], &["v"], asked);
        plan.seconds = 25;
        let matcher = CorrelationMatcher::new(&build(&plan)).expect("compiles");
        let start = Instant::now();
        let fired = matcher.fires(&events).expect("an answer").len();
        // A quadratic one takes minutes; the machine may be busy.
        assert!(start.elapsed() < Duration::from_secs(20), "{plan:?}: {:?}, {fired} fired", start.elapsed());
        eprintln!("{:?} {:?}: {fired}", plan.asked, start.elapsed());
    }
}
