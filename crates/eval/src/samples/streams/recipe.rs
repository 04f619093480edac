//! Which events of which members fulfil a criterion.
//!
//! Invariant: steps are in the order of time, and the group is the same for all.

use std::collections::BTreeSet;

use serde_json::{Number, Value, json};
use sigcast_ir::{Bound, Criterion, Measure, Wanted};

use super::make::{Maker, Set};
use super::plain::{Plain, count_within, thousandths};

/// The most events of a stream.
pub(super) const MOST_EVENTS: usize = 500;
/// The most members of which all sets are tried.
const MOST_MEMBERS: usize = 8;

/// An event of a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// The member's number.
    pub(super) part: usize,
    /// Its fields beside those of the group.
    pub(super) sets: Vec<Set>,
}

impl Maker<'_> {
    /// The fewest steps that make the correlation fire, and only at the last of them if that can be.
    pub(super) fn base(&self, plain: &Plain<'_>) -> Option<Vec<Step>> {
        let keys: Vec<Option<Value>> = self.keys(plain, None).into_iter().map(Some).collect();
        let mut second = None;
        for steps in self.recipes(plain) {
            let Some(stream) = self.placed(plain, &steps, &self.times(plain, steps.len()), &keys) else { continue };
            let Some(fired) = plain.fires(&self.leaves, &stream) else { continue };
            let fired: BTreeSet<usize> = fired.into_iter().map(|(row, _)| row).collect();
            if fired.len() == 1 && fired.contains(&(stream.len() - 1)) {
                return Some(steps);
            }
            if !fired.is_empty() && second.is_none() {
                second = Some(steps);
            }
        }
        second
    }

    /// Steps that may make it fire, the likeliest first.
    fn recipes(&self, plain: &Plain<'_>) -> Vec<Vec<Step>> {
        let members = plain.parts.len();
        match &plain.asked.criterion {
            Criterion::Measure { measure: Measure::Events, bounds } => {
                counts(bounds, 1, true).map(|count| self.round(plain, count)).into_iter().collect()
            }
            Criterion::Measure { measure: Measure::Distinct, bounds } => {
                let found = counts(bounds, 1, true).map(|count| self.distinct(plain, count));
                found.into_iter().chain([vec![self.lacking(plain, 0)]]).collect()
            }
            Criterion::Measure { measure, bounds } => {
                lists(*measure, bounds).iter().map(|list| self.numbered(plain, list)).collect()
            }
            Criterion::Temporal { wanted: Wanted::Rules(_) | Wanted::Count(_), .. } => {
                sets(members).into_iter().map(|set| set.into_iter().map(bare).collect()).collect()
            }
        }
    }

    /// So many events, of the members in turn.
    pub(super) fn round(&self, plain: &Plain<'_>, count: usize) -> Vec<Step> {
        (0..count).map(|at| bare(at % plain.parts.len().max(1))).collect()
    }

    /// So many events with different values.
    pub(super) fn distinct(&self, plain: &Plain<'_>, count: usize) -> Vec<Step> {
        let steps = (0..count).map(|at| {
            let part = at % plain.parts.len().max(1);
            Step { part, sets: plain.parts.get(part).map_or_else(Vec::new, |part| self.values(part, at)) }
        });
        steps.collect()
    }

    /// An event of a member without its value fields.
    pub(super) fn lacking(&self, plain: &Plain<'_>, part: usize) -> Step {
        let fields = plain.parts.get(part).into_iter().flat_map(|part| &part.member.values);
        Step { part, sets: fields.map(|field| (field.as_str().to_owned(), None)).collect() }
    }

    /// Events with these numbers, in thousandths.
    pub(super) fn numbered(&self, plain: &Plain<'_>, list: &[i128]) -> Vec<Step> {
        let steps = list.iter().enumerate().map(|(at, number)| {
            let mut step = self.lacking(plain, at % plain.parts.len().max(1));
            if let Some((_, value)) = step.sets.first_mut() {
                *value = Some(shown(*number));
            }
            step
        });
        steps.collect()
    }
}

/// An event of a member, with no wish but its group.
pub(super) fn bare(part: usize) -> Step {
    Step { part, sets: Vec::new() }
}

/// The first count from `from` that lies within the bounds, or does not.
pub(super) fn counts(bounds: &[Bound<'_>], from: usize, within: bool) -> Option<usize> {
    (from..=MOST_EVENTS).find(|count| count_within(bounds, *count) == Some(within))
}

/// A number of thousandths as JSON.
pub(super) fn shown(thousandths: i128) -> Value {
    match (thousandths % 1000, i64::try_from(thousandths / 1000)) {
        (0, Ok(whole)) => json!(whole),
        (0, Err(_)) => json!((thousandths / 1000).to_string()),
        _ => Number::from_f64(thousandths as f64 / 1000.0).map_or(Value::Null, Value::Number),
    }
}

/// Lists of numbers at both sides of the bounds.
pub(super) fn lists(measure: Measure, bounds: &[Bound<'_>]) -> Vec<Vec<i128>> {
    let mut found: Vec<Vec<i128>> = Vec::new();
    // Bounds of both sides first at the border itself, then beside it.
    for step in [0, 1000, -1000] {
        for value in bounds.iter().filter_map(thousandths) {
            let at = value + step;
            found.extend(match measure {
                Measure::Sum => {
                    let half = at / 2000 * 1000;
                    vec![vec![half, at - half], vec![at], vec![at - 2000, 1000, 1000]]
                }
                _ => vec![
                    vec![at - 10_000, at + 10_000],
                    vec![at - 10_000, at],
                    vec![at + 10_000, at],
                    vec![at],
                    vec![at + 10_000, at - 10_000],
                    vec![at - 10_000, at, at + 10_000],
                ],
            });
        }
    }
    found
}

/// Sets of members in order, the small ones first; all of them only if there are many.
pub(super) fn sets(members: usize) -> Vec<Vec<usize>> {
    if members > MOST_MEMBERS {
        return vec![(0..members).collect()];
    }
    let set = |bits: usize| -> Vec<usize> { (0..members).filter(|member| bits & (1 << member) != 0).collect() };
    let mut all: Vec<Vec<usize>> = (1..1_usize << members).map(set).collect();
    all.sort_by_key(Vec::len);
    all
}
