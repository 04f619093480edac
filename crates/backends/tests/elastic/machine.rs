//! EQL's sequences by a machine as Elasticsearch documents it ("How sequence queries handle matches"), over made streams,
//! against where the correlation fires.
//!
//! The machine reads the emitted text: the keys, the span, and of each item the kinds of events, the keys and the runs.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::json;
use sigcast_eval::{CorrelationMatcher, Firing, TimedEvent};

use super::{MemberPlan, Plan, build, convert, measure, member, temporal};

/// An item of a sequence: the kinds of events that it takes, and their keys.
#[derive(Debug, Clone)]
struct Item {
    kinds: Vec<String>,
    keys: Vec<String>,
}

/// A sequence that is found: the numbers of its events.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    events: Vec<usize>,
    keys: Vec<String>,
}

/// What stands between two texts.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after).map_or(rest, |(inner, _)| inner))
}

fn names(list: &str) -> Vec<String> {
    list.split(", ").map(str::to_owned).collect()
}

/// The span in milliseconds, and the items with each run as one.
fn read(query: &str) -> (i64, Vec<Item>) {
    let (head, rest) = query.split_once('\n').expect("a head");
    let span = between(head, "maxspan=", " ").expect("a span");
    let unit = match &span[span.len() - 1..] {
        "s" => 1,
        "m" => 60,
        other => panic!("{other}"),
    };
    let span = span[..span.len() - 1].parse::<i64>().expect("a number") * unit * 1000;
    let shared = between(head, " by ", " with").map(names);
    let mut items = Vec::new();
    for line in rest.lines() {
        let inner = between(line, "[", "]").expect("an item");
        let (_, behind) = line.split_once(']').expect("an item");
        let own = between(behind, " by ", " with").map(names);
        let kinds = inner.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        let item = Item { kinds, keys: own.or_else(|| shared.clone()).unwrap_or_default() };
        let runs = between(behind, "runs=", " ").map_or(1, |runs| runs.parse().expect("a number"));
        items.extend(std::iter::repeat_n(item, runs));
    }
    (span, items)
}

/// Runs the sequence: item by item, each event takes the latest unfinished sequence before it, and that and all before it
/// are used up.
fn run(query: &str, stream: &[TimedEvent]) -> Vec<Found> {
    let (span, items) = read(query);
    let mut unfinished: HashMap<Vec<String>, Vec<Vec<usize>>> = HashMap::new();
    for (stage, item) in items.iter().enumerate() {
        let mut moved: HashMap<Vec<String>, Vec<Vec<usize>>> = HashMap::new();
        for (at, event) in stream.iter().enumerate() {
            let text = |name: &String| event.event.get(name).and_then(|value| value.as_str()).map(str::to_owned);
            let kind = text(&"kind".to_owned()).unwrap_or_default();
            let keys: Option<Vec<String>> = item.keys.iter().map(text).collect();
            let Some(keys) = keys.filter(|_| item.kinds.contains(&kind)) else { continue };
            if stage == 0 {
                moved.entry(keys).or_default().push(vec![at]);
                continue;
            }
            let Some(group) = unfinished.get_mut(&keys) else { continue };
            let before = group.iter().filter(|events| events.last().is_some_and(|last| *last < at)).count();
            let Some(mut events) = group.drain(..before).next_back() else { continue };
            if event.time - stream[events[0]].time <= span {
                events.push(at);
                moved.entry(keys).or_default().push(events);
            }
        }
        unfinished = moved;
    }
    unfinished
        .into_iter()
        .flat_map(|(keys, all)| all.into_iter().map(move |events| Found { events, keys: keys.clone() }))
        .collect()
}

/// The stream, with gaps of so many seconds between its events.
fn stream(gaps: std::ops::Range<i64>) -> impl Strategy<Value = Vec<TimedEvent>> {
    let key = || proptest::sample::select(&[Some("x"), Some("y"), None][..]);
    let kind = proptest::sample::select(&["a", "b", "c", "d"][..]);
    prop::collection::vec((gaps, kind, key(), key()), 1..40).prop_map(|events| {
        let mut time = 0;
        let made = events.into_iter().map(|(gap, kind, k, l)| {
            time += gap * 1000;
            let mut event = json!({ "kind": kind });
            for (name, value) in [("k", k), ("l", l)] {
                if let Some(value) = value {
                    event[name] = json!(value);
                }
            }
            TimedEvent { time, event }
        });
        made.collect()
    })
}

fn query_of(plan: &Plan) -> (String, CorrelationMatcher) {
    let found = convert("eql", &[], plan);
    let [query] = found.queries.as_slice() else { panic!("{:?}", found.diagnostics) };
    (query.clone(), CorrelationMatcher::new(&build(plan)).expect("a matcher"))
}

fn members(kinds: &[&'static str], keys: &[&'static str]) -> Vec<MemberPlan> {
    kinds.iter().zip(keys).map(|(kind, key)| member(kind, &[key], &[])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// So many runs end at the events at which a count fires: at those, and at no others.
    #[test]
    fn runs_are_counts(stream in stream(0..3), several in any::<bool>(), least in 2_u8..5, seconds in 1_u64..9) {
        let members = if several { members(&["a", "b"], &["k", "k"]) } else { members(&["a"], &["k"]) };
        let least = ["2", "3", "4"][usize::from(least) - 2];
        let plan = Plan { seconds, ..measure(&members, "events", &[(">=", least)]) };
        let (query, matcher) = query_of(&plan);
        let found = run(&query, &stream);
        let ends = |keys: &[String]| -> Vec<usize> {
            let mut ends: Vec<usize> = found.iter().filter(|one| one.keys == keys).filter_map(|one| one.events.last().copied()).collect();
            ends.sort_unstable();
            ends
        };
        let fires = matcher.fires(&stream).expect("an answer");
        for key in ["x", "y"] {
            let key = vec![key.to_owned()];
            let mut wanted: Vec<usize> = fires.iter().filter(|firing| firing.keys == key).map(|firing| firing.event).collect();
            wanted.sort_unstable();
            // Of events of one time the one that comes first has the others behind it only for the engine.
            let times = |events: &[usize]| -> std::collections::BTreeSet<i64> { events.iter().map(|at| stream[*at].time).collect() };
            prop_assert_eq!(times(&ends(&key)), times(&wanted), "{}", query);
        }
    }

    /// A sequence ends where the correlation fires, and wherever it fires its window holds a sequence that is found.
    #[test]
    fn sequences_miss_no_window(stream in stream(1..4), three in any::<bool>(), other in any::<bool>(), seconds in 1_u64..12) {
        let kinds = if three { &["a", "b", "c"][..] } else { &["a", "b"][..] };
        let keys = if other { &["k", "l", "k"][..] } else { &["k", "k", "k"][..] };
        let plan = Plan { seconds, ..temporal(true, &members(kinds, keys)) };
        let (query, matcher) = query_of(&plan);
        let found = run(&query, &stream);
        let fires = matcher.fires(&stream).expect("an answer");
        for one in &found {
            let last = *one.events.last().expect("events");
            let firing = |firing: &&Firing| firing.event == last && firing.keys == one.keys;
            prop_assert!(fires.iter().any(|one| firing(&one)), "{}: {:?} is no firing", query, one);
        }
        let span = i64::try_from(seconds).expect("small") * 1000;
        for firing in &fires {
            let end = stream[firing.event].time;
            let inside = |one: &super::machine::Found| {
                one.keys == firing.keys && one.events.iter().all(|at| (end - span..=end).contains(&stream[*at].time))
            };
            prop_assert!(found.iter().any(inside), "{}: {:?} has no sequence", query, firing);
        }
    }
}
