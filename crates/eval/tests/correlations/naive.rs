//! The definition, read word by word: every window anew, every chain tried. It shares nothing with the evaluator; its
//! numbers are in thousandths, and rules are asked by the field `kind`.

use std::collections::BTreeSet;

use serde_json::Value;
use sigcast_eval::{BucketFiring, Firing, TimedEvent};
use sigcast_ir::MemberCondition;

use crate::build::{Asked, Inner, Plan};

/// An event of a member in a group: the member, which event, its time, the group, and the event itself.
#[derive(Debug, Clone)]
struct One<'s> {
    member: usize,
    row: usize,
    time: i64,
    group: Vec<String>,
    event: Option<&'s Value>,
}

/// Where a plan fires, straight from the definition.
pub fn fires(plan: &Plan, stream: &[TimedEvent]) -> BTreeSet<Firing> {
    let mut ones: Vec<One<'_>> = Vec::new();
    for (member, (inner, keys, _)) in plan.members.iter().enumerate() {
        for (row, TimedEvent { time, event }) in stream.iter().enumerate() {
            let inners: Vec<Vec<String>> = match inner {
                Inner::Rule(kind) if texts(event, "kind").contains(*kind) => vec![Vec::new()],
                Inner::Rule(_) => Vec::new(),
                Inner::Correlation(inner) => {
                    fires(inner, stream).into_iter().filter(|one| one.event == row).map(|one| one.keys).collect()
                }
            };
            for inner in inners {
                let groups = groups(keys, event, &inner);
                ones.extend(groups.into_iter().map(|group| One {
                    member,
                    row,
                    time: *time,
                    group,
                    event: Some(event),
                }));
            }
        }
    }
    let span = plan.seconds as i64 * 1000;
    let fired = ones.iter().filter(|at| {
        let window =
            ones.iter().filter(|one| one.group == at.group && one.time <= at.time && one.time >= at.time - span);
        fulfils(plan, &window.collect::<Vec<_>>())
    });
    fired.map(|one| Firing { event: one.row, keys: one.group.clone() }).collect()
}

/// Where it fires in windows of fixed places.
pub fn fires_in_fixed_windows(plan: &Plan, stream: &[TimedEvent]) -> BTreeSet<BucketFiring> {
    let span = plan.seconds as i64 * 1000;
    let mut ones: Vec<One<'_>> = Vec::new();
    for (member, (inner, keys, _)) in plan.members.iter().enumerate() {
        match inner {
            Inner::Rule(kind) => {
                for (row, TimedEvent { time, event }) in stream.iter().enumerate() {
                    if texts(event, "kind").contains(*kind) {
                        for group in groups(keys, event, &[]) {
                            ones.push(One { member, row, time: *time, group, event: Some(event) });
                        }
                    }
                }
            }
            Inner::Correlation(inner) => {
                for (at, fired) in fires_in_fixed_windows(inner, stream).into_iter().enumerate() {
                    for group in groups(keys, &Value::Null, &fired.keys) {
                        ones.push(One { member, row: 1000 * (member + 1) + at, time: fired.start, group, event: None });
                    }
                }
            }
        }
    }
    let bucket = |one: &One<'_>| one.time.div_euclid(span);
    let fired = ones.iter().filter(|at| {
        let window = ones.iter().filter(|one| one.group == at.group && bucket(one) == bucket(at));
        fulfils(plan, &window.collect::<Vec<_>>())
    });
    fired.map(|one| BucketFiring { start: bucket(one) * span, keys: one.group.clone() }).collect()
}

fn values(event: &Value, field: &str) -> Vec<Value> {
    match event.get(field) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values.clone(),
        Some(one) => vec![one.clone()],
    }
}

fn texts(event: &Value, field: &str) -> BTreeSet<String> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    values(event, field).into_iter().map(text).collect()
}

fn product(columns: &[BTreeSet<String>]) -> BTreeSet<Vec<String>> {
    let Some((first, rest)) = columns.split_first() else { return BTreeSet::from([Vec::new()]) };
    let rest = product(rest);
    first
        .iter()
        .flat_map(|text| rest.iter().map(move |tail| std::iter::once(text).chain(tail).cloned().collect()))
        .collect()
}

fn groups(keys: &[String], event: &Value, inner: &[String]) -> BTreeSet<Vec<String>> {
    let column = |key: &String| match key.parse::<usize>() {
        Ok(at) => BTreeSet::from([inner[at].clone()]),
        Err(_) => texts(event, key),
    };
    product(&keys.iter().map(column).collect::<Vec<_>>())
}

/// Thousandths of a value that is or spells a number. Those of the tests are few.
fn number(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(match text.as_str() {
        "1e1" => 10_000,
        "0.5" => 500,
        "2.0" => 2000,
        "1" | "2" | "3" | "-1" => text.parse::<i128>().expect("a number") * 1000,
        "007" | "a" | "true" => return None,
        other => panic!("the naive reading does not know {other}"),
    })
}

/// Whether `top / bottom` thousandths lie within the bounds.
fn within(bounds: &[(&str, &str)], top: i128, bottom: i128) -> bool {
    bounds.iter().all(|(sign, bound)| {
        let bound = (bound.parse::<f64>().expect("a number") * 1000.0) as i128 * bottom;
        match *sign {
            "=" => top == bound,
            "!=" => top != bound,
            "<" => top < bound,
            "<=" => top <= bound,
            ">" => top > bound,
            _ => top >= bound,
        }
    })
}

fn fulfils(plan: &Plan, window: &[&One<'_>]) -> bool {
    let members = plan.members.len();
    let has = |member: usize| window.iter().any(|one| one.member == member);
    match &plan.asked {
        Asked::Measure { measure: "events", bounds } => {
            let rows: BTreeSet<usize> = window.iter().map(|one| one.row).collect();
            within(bounds, rows.len() as i128 * 1000, 1)
        }
        Asked::Measure { measure: "distinct", bounds } => {
            let mut combinations = BTreeSet::new();
            for one in window {
                let Some(event) = one.event else { continue };
                let columns: Vec<_> = plan.members[one.member].2.iter().map(|field| texts(event, field)).collect();
                combinations.extend(product(&columns));
            }
            within(bounds, combinations.len() as i128 * 1000, 1)
        }
        Asked::Measure { measure, bounds } => {
            let measured: BTreeSet<(usize, &Vec<&str>)> =
                window.iter().map(|one| (one.row, &plan.members[one.member].2)).collect();
            let mut numbers: Vec<i128> = Vec::new();
            for (row, fields) in measured {
                let event = window.iter().find(|one| one.row == row).and_then(|one| one.event);
                for value in event.into_iter().flat_map(|event| fields.iter().flat_map(|field| values(event, field))) {
                    numbers.extend(number(&value));
                }
            }
            numbers.sort_unstable();
            number_within(measure, bounds, &numbers)
        }
        Asked::Members { ordered: false, bounds } => {
            within(bounds, (0..members).filter(|member| has(*member)).count() as i128 * 1000, 1)
        }
        Asked::Members { ordered: true, bounds } => {
            sets(members).any(|set| within(bounds, set.len() as i128 * 1000, 1) && chained(&set, i64::MIN, window))
        }
        Asked::Rules { ordered: false, condition } => holds(condition, &has, &has),
        Asked::Rules { ordered: true, condition } => {
            let mut all = sets(members).chain([Vec::new()]);
            all.any(|set| chained(&set, i64::MIN, window) && holds(condition, &|member| set.contains(&member), &has))
        }
    }
}

fn number_within(measure: &str, bounds: &[(&str, &str)], numbers: &[i128]) -> bool {
    let (Some(least), Some(greatest)) = (numbers.first(), numbers.last()) else { return false };
    let count = numbers.len();
    match measure {
        "sum" => within(bounds, numbers.iter().sum(), 1),
        "average" => within(bounds, numbers.iter().sum(), count as i128),
        "minimum" => within(bounds, *least, 1),
        "maximum" => within(bounds, *greatest, 1),
        "median" => within(bounds, numbers[(count - 1) / 2] + numbers[count / 2], 2),
        percent => {
            // Tenths of a percent: the value stands at `tenths * (count - 1) / 1000`.
            let tenths = (percent.parse::<f64>().expect("a percentile") * 10.0).round() as usize;
            let (at, part) = (tenths * (count - 1) / 1000, tenths * (count - 1) % 1000);
            let next = numbers[(at + 1).min(count - 1)];
            within(bounds, numbers[at] * (1000 - part as i128) + next * part as i128, 1000)
        }
    }
}

/// Every set of members but the empty one, each in order.
fn sets(members: usize) -> impl Iterator<Item = Vec<usize>> {
    (1..1_usize << members).map(move |bits| (0..members).filter(|member| bits & (1 << member) != 0).collect())
}

/// Whether each of the members can be given an event, none before the one given to the member before it.
fn chained(set: &[usize], from: i64, window: &[&One<'_>]) -> bool {
    let Some((member, rest)) = set.split_first() else { return true };
    window.iter().any(|one| one.member == *member && one.time >= from && chained(rest, one.time, window))
}

fn holds(condition: &MemberCondition, chosen: &dyn Fn(usize) -> bool, has: &dyn Fn(usize) -> bool) -> bool {
    match condition {
        MemberCondition::And(terms) => terms.iter().all(|term| holds(term, chosen, has)),
        MemberCondition::Or(terms) => terms.iter().any(|term| holds(term, chosen, has)),
        MemberCondition::Not(inner) => !holds(inner, has, has),
        MemberCondition::Member(member) => chosen(*member),
    }
}
