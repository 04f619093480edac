//! What a stream must give, as far as that can be told without the evaluator: the definition, read word by word.
//!
//! Invariant: `None` wherever there is doubt. Every window is looked at anew; numbers are whole thousandths, and one that
//! is not is a doubt; events are flat.

use std::collections::BTreeSet;

use serde_json::Value;
use sigcast_ir::{
    Bound, Correlation, Criterion, KeyField, Measure, Member, MemberCondition, NumberValue, Order, Query, Source,
    Wanted,
};

use super::super::judge::Judge;
use super::super::{Event, value};

/// The most members of which every set is looked at.
const MOST_MEMBERS: usize = 10;
/// How deep correlations of correlations are followed.
const DEEPEST: usize = 16;

/// A rule at the bottom, with events of it.
pub(super) struct Leaf<'c> {
    pub(super) queries: Vec<Query<'c>>,
    pub(super) judge: Judge,
    /// Events that match, and events that do not.
    pub(super) hits: Vec<Event>,
    pub(super) misses: Vec<Event>,
}

impl Leaf<'_> {
    /// Whether one of the rule's conditions matches.
    pub(super) fn matches(&self, event: &Event) -> Option<bool> {
        let mut known = true;
        for query in &self.queries {
            match self.judge.query(query, event) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => known = false,
            }
        }
        known.then_some(false)
    }
}

/// A correlation whose members at the bottom are numbers of leaves.
pub(super) struct Plain<'c> {
    pub(super) asked: &'c Correlation<'c>,
    pub(super) parts: Vec<Part<'c>>,
    /// The timespan in milliseconds.
    pub(super) span: i64,
}

/// A member.
pub(super) struct Part<'c> {
    pub(super) member: &'c Member<'c>,
    pub(super) node: Node<'c>,
}

/// What a member is.
pub(super) enum Node<'c> {
    Rule(usize),
    Correlation(Box<Plain<'c>>),
}

/// Where a correlation fires: events by their places, with their groups.
pub(super) type Fired = BTreeSet<(usize, Vec<String>)>;

/// An event of a member in a group.
struct One<'s> {
    member: usize,
    row: usize,
    time: i64,
    group: Vec<String>,
    event: &'s Event,
}

impl<'c> Plain<'c> {
    /// Numbers the rules in the order of [`Correlation::rules`]. None if correlations nest too deeply.
    pub(super) fn new(asked: &'c Correlation<'c>, next: &mut usize, depth: usize) -> Option<Self> {
        if depth > DEEPEST {
            return None;
        }
        let parts = asked.members.iter().map(|member| {
            let node = match &member.source {
                Source::Rule(_) => {
                    *next += 1;
                    Node::Rule(*next - 1)
                }
                Source::Correlation(inner) => Node::Correlation(Box::new(Self::new(inner, next, depth + 1)?)),
            };
            Some(Part { member, node })
        });
        let parts = parts.collect::<Option<Vec<_>>>()?;
        let span = i64::try_from(asked.timespan.seconds).ok()?.checked_mul(1000)?;
        Some(Self { asked, parts, span })
    }

    /// Where it fires.
    pub(super) fn fires(&self, leaves: &[Leaf<'_>], stream: &[(i64, Event)]) -> Option<Fired> {
        let mut ones: Vec<One<'_>> = Vec::new();
        for (member, part) in self.parts.iter().enumerate() {
            let inner = match &part.node {
                Node::Rule(_) => BTreeSet::new(),
                Node::Correlation(inner) => inner.fires(leaves, stream)?,
            };
            for (row, (time, event)) in stream.iter().enumerate() {
                let inners: Vec<&[String]> = match &part.node {
                    Node::Rule(leaf) if leaves.get(*leaf)?.matches(event)? => vec![&[]],
                    Node::Rule(_) => Vec::new(),
                    Node::Correlation(_) => {
                        inner.iter().filter(|(at, _)| *at == row).map(|(_, keys)| keys.as_slice()).collect()
                    }
                };
                let mut groups = BTreeSet::new();
                for inner in inners {
                    let column = |key: &KeyField<'_>| match key {
                        KeyField::Field(field) => texts(event, field.as_str()),
                        KeyField::Inner(at) => inner.get(*at).cloned().into_iter().collect(),
                    };
                    groups.extend(product(&part.member.keys.iter().map(column).collect::<Vec<_>>()));
                }
                ones.extend(groups.into_iter().map(|group| One { member, row, time: *time, group, event }));
            }
        }
        let mut fired = BTreeSet::new();
        for at in &ones {
            let from = at.time - self.span;
            let window: Vec<&One<'_>> =
                ones.iter().filter(|one| (from..=at.time).contains(&one.time) && one.group == at.group).collect();
            if self.fulfils(&window)? {
                fired.insert((at.row, at.group.clone()));
            }
        }
        Some(fired)
    }

    fn fulfils(&self, window: &[&One<'_>]) -> Option<bool> {
        let has = |member: usize| window.iter().any(|one| one.member == member);
        match &self.asked.criterion {
            Criterion::Measure { measure: Measure::Events, bounds } => {
                let rows: BTreeSet<usize> = window.iter().map(|one| one.row).collect();
                count_within(bounds, rows.len())
            }
            Criterion::Measure { measure: Measure::Distinct, bounds } => {
                let mut found = BTreeSet::new();
                for one in window {
                    let fields = &self.parts.get(one.member)?.member.values;
                    let columns: Vec<_> = fields.iter().map(|field| texts(one.event, field.as_str())).collect();
                    found.extend(product(&columns));
                }
                count_within(bounds, found.len())
            }
            Criterion::Measure { measure, bounds } => within_measure(*measure, bounds, &self.numbers(window)?),
            Criterion::Temporal { ordered, wanted } => {
                let members = self.parts.len();
                if !ordered {
                    return match wanted {
                        Wanted::Count(bounds) => count_within(bounds, (0..members).filter(|at| has(*at)).count()),
                        Wanted::Rules(condition) => Some(holds(condition, &has, &has)),
                    };
                }
                if self.asked.criterion.wants_all(members) {
                    return Some(chained(&(0..members).collect::<Vec<_>>(), i64::MIN, window));
                }
                if members > MOST_MEMBERS {
                    return None;
                }
                for bits in 0..1_usize << members {
                    let set: Vec<usize> = (0..members).filter(|member| bits & (1 << member) != 0).collect();
                    let enough = match wanted {
                        Wanted::Count(bounds) => !set.is_empty() && count_within(bounds, set.len())?,
                        Wanted::Rules(condition) => holds(condition, &|member| set.contains(&member), &has),
                    };
                    if enough && chained(&set, i64::MIN, window) {
                        return Some(true);
                    }
                }
                Some(false)
            }
        }
    }

    /// The numbers of a window, sorted, in thousandths.
    fn numbers(&self, window: &[&One<'_>]) -> Option<Vec<i128>> {
        let mut seen: Vec<(usize, &[sigcast_ir::Field<'_>])> = Vec::new();
        let mut numbers = Vec::new();
        for one in window {
            let fields = self.parts.get(one.member)?.member.values.as_slice();
            if seen.contains(&(one.row, fields)) {
                continue;
            }
            seen.push((one.row, fields));
            for found in fields.iter().filter_map(|field| one.event.get(field.as_str())) {
                for value in value::members(found) {
                    numbers.extend(number(value)?);
                }
            }
        }
        numbers.sort_unstable();
        Some(numbers)
    }
}

/// The different texts of a field.
fn texts(event: &Event, field: &str) -> BTreeSet<String> {
    let values = event.get(field).into_iter().flat_map(value::members);
    values.filter_map(value::text).map(std::borrow::Cow::into_owned).collect()
}

fn product(columns: &[BTreeSet<String>]) -> BTreeSet<Vec<String>> {
    let Some((first, rest)) = columns.split_first() else { return BTreeSet::from([Vec::new()]) };
    let rest = product(rest);
    let longer = |text: &String| -> Vec<Vec<String>> {
        rest.iter().map(|tail| std::iter::once(text).chain(tail).cloned().collect()).collect()
    };
    first.iter().flat_map(longer).collect()
}

/// The thousandths of a value; `Some(None)` if it is no number.
fn number(value: &Value) -> Option<Option<i128>> {
    if value.is_boolean() {
        return Some(None);
    }
    let Some(text) = value::text(value) else { return Some(None) };
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Some(None);
    }
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A letter that is no exponent makes it a text in any grammar.
    if text.chars().any(|c| c.is_ascii_alphabetic() && !"eExX".contains(c)) {
        return Some(None);
    }
    if !digits(unsigned) || !digits(part) || part.len() > 3 || whole.len() > 20 {
        return None;
    }
    if unsigned.len() > 1 && unsigned.starts_with('0') {
        return None;
    }
    let size = unsigned.parse::<i128>().ok()? * 1000 + format!("{part:0<3}").parse::<i128>().ok()?;
    Some(Some(if whole.starts_with('-') { -size } else { size }))
}

/// The thousandths of a bound.
pub(super) fn thousandths(bound: &Bound<'_>) -> Option<i128> {
    match bound.value.value {
        NumberValue::Integer(whole) => whole.checked_mul(1000),
        NumberValue::Float(float) => {
            let scaled = float * 1000.0;
            (scaled.abs() < 1e15 && scaled.fract() == 0.0).then_some(scaled as i128)
        }
    }
}

/// Whether `top / bottom` thousandths lie within the bounds.
fn within(bounds: &[Bound<'_>], top: i128, bottom: i128) -> Option<bool> {
    for bound in bounds {
        let value = thousandths(bound)?.checked_mul(bottom)?;
        let holds = match bound.order {
            Order::Equal => top == value,
            Order::Less => top < value,
            Order::LessOrEqual => top <= value,
            Order::Greater => top > value,
            Order::GreaterOrEqual => top >= value,
        };
        if holds == bound.negated {
            return Some(false);
        }
    }
    Some(true)
}

/// Whether a count lies within the bounds.
pub(super) fn count_within(bounds: &[Bound<'_>], count: usize) -> Option<bool> {
    within(bounds, i128::try_from(count).ok()? * 1000, 1)
}

/// Whether the measure of sorted numbers lies within the bounds.
fn within_measure(measure: Measure, bounds: &[Bound<'_>], numbers: &[i128]) -> Option<bool> {
    let (Some(least), Some(greatest)) = (numbers.first(), numbers.last()) else { return Some(false) };
    let count = numbers.len();
    let percentile = |percent: f64| {
        let thousandths = percent * 1000.0;
        if (thousandths - thousandths.round()).abs() > 1e-6 {
            return None;
        }
        let steps = thousandths.round() as usize * (count - 1);
        let (at, part) = (steps / 100_000, i128::try_from(steps % 100_000).ok()?);
        let next = numbers[(at + 1).min(count - 1)];
        within(bounds, numbers[at] * (100_000 - part) + next * part, 100_000)
    };
    match measure {
        Measure::Sum => within(bounds, numbers.iter().sum(), 1),
        Measure::Average => within(bounds, numbers.iter().sum(), i128::try_from(count).ok()?),
        Measure::Minimum => within(bounds, *least, 1),
        Measure::Maximum => within(bounds, *greatest, 1),
        Measure::Median => within(bounds, numbers[(count - 1) / 2] + numbers[count / 2], 2),
        Measure::Percentile(percent) => percentile(percent),
        Measure::Events | Measure::Distinct => None,
    }
}

/// Whether each of the members can be given an event, none before the one given to the member before it.
fn chained(set: &[usize], from: i64, window: &[&One<'_>]) -> bool {
    let Some((member, rest)) = set.split_first() else { return true };
    // Of the events that will do, the first leaves the most to the others.
    let first = window.iter().filter(|one| one.member == *member && one.time >= from).map(|one| one.time).min();
    first.is_some_and(|time| chained(rest, time, window))
}

fn holds(condition: &MemberCondition, chosen: &dyn Fn(usize) -> bool, has: &dyn Fn(usize) -> bool) -> bool {
    match condition {
        MemberCondition::And(terms) => terms.iter().all(|term| holds(term, chosen, has)),
        MemberCondition::Or(terms) => terms.iter().any(|term| holds(term, chosen, has)),
        MemberCondition::Not(inner) => !holds(inner, has, has),
        MemberCondition::Member(member) => chosen(*member),
    }
}
