//! Correlations over streams of events with times.
//!
//! | module | what it does |
//! |---|---|
//! | `gather` | the members' events in their groups, with what is measured in them |
//! | `slide` | a window that is moved over a group, and whether it fulfils the criterion |
//! | `amount` | exact numbers of windows: sums, means, percentiles and their bounds |
//! | `chain` | conditions over members, and chains of events in order |
//! | `closest` | which window comes nearest to fulfil the criterion |
//!
//! Invariant: the meaning is that of the documentation of [`sigcast_ir::Correlation`]; what is settled beyond it stands
//! at [`CorrelationMatcher`].

mod amount;
mod chain;
mod closest;
mod gather;
mod slide;

use std::collections::BTreeMap;

use serde_json::Value;
use sigcast_ir::{Correlation, Criterion, KeyField, Measure, Source, Wanted};

use crate::error::{EvalError, EvalFault};
use crate::matcher::RuleMatcher;
use amount::Bounds;
use chain::Condition;
pub use closest::{Closest, Window};
use gather::{Rows, Taking};
use slide::Slide;

/// How deep correlations of correlations, and conditions over members, may nest.
const MAX_DEPTH: usize = 128;

/// An event with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedEvent {
    /// Milliseconds since 1970, UTC.
    pub time: i64,
    /// A JSON object; other values have no fields.
    pub event: Value,
}

/// An event at which a correlation fires.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Firing {
    /// The event, by its place in the stream, from 0.
    pub event: usize,
    /// Its group: a text for each key of the correlation.
    pub keys: Vec<String>,
}

/// A span of time in which a correlation fires where spans are fixed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketFiring {
    /// Where the span starts, in milliseconds since 1970, UTC.
    pub start: i64,
    /// The group: a text for each key of the correlation.
    pub keys: Vec<String>,
}

/// A correlation, ready to be asked of streams.
///
/// # What fires
/// [`sigcast_ir::Correlation`] says it: the correlation fires at an event of a member, in a group, if the window that ends
/// with the event fulfils the criterion. Beyond that:
/// - A **stream** need not be in order of time.
/// - A **key**'s values are compared as texts, exactly: a number by its JSON text, a boolean as `true` or `false`; case
///   matters, and `''` is a value. An absent field, null, an empty list and a map are none. An event with several values of
///   several keys is in a group for each combination; one with the same value twice is there once.
/// - **Distinct values** are told apart by the same texts: `A` and `a` are two, though Sigma's tests ignore case, since the
///   engines' counts of distinct values mind it. Each of several values in a field counts; of several fields, each
///   combination.
/// - **Numbers** are JSON numbers and texts that spell one; each of several values in a field is one. An event that
///   several members match is measured once for each different list of value fields among them.
/// - Sums, means, percentiles and bounds are **exact** where the group's numbers have at most 29 digits, and at most 18 of
///   them behind the point; else they are of 64-bit floating point.
/// - **Temporal** criteria with a count ask for the number of different members that have events in the window; where order
///   counts, for a set of so many members whose events follow each other in the order of the members.
/// - Of a **condition where order counts**, there must be a set of members, each with an event, none of which is before that
///   of the member before it, such that the condition is true of that set. Under `not` a member counts as soon as it has an
///   event in the window at all, wherever it stands. One event may stand for two members.
/// - The events of a **member that is a correlation** are those at which it fires, once for each of its groups; its value
///   fields, and key fields that are no key of it, are read from the event at which it fires.
#[derive(Debug, Clone)]
pub struct CorrelationMatcher {
    members: Vec<MemberMatcher>,
    /// The window, in milliseconds.
    span: i64,
    criterion: Asked,
}

#[derive(Debug, Clone)]
struct MemberMatcher {
    source: SourceMatcher,
    keys: Vec<KeyField<'static>>,
    values: Vec<String>,
}

#[derive(Debug, Clone)]
enum SourceMatcher {
    Rule(RuleMatcher),
    Correlation(Box<CorrelationMatcher>),
}

/// What is asked of a window, compiled.
#[derive(Debug, Clone)]
enum Asked {
    Events(Bounds),
    Distinct(Bounds),
    Sum(Bounds),
    Average(Bounds),
    /// The value at this percentile; minimum, median and maximum are some of them.
    Percentile(amount::Percentile, Bounds),
    Members {
        ordered: bool,
        bounds: Bounds,
    },
    Condition {
        ordered: bool,
        condition: Condition,
    },
}

impl CorrelationMatcher {
    /// Compiles a correlation with its members.
    ///
    /// # Errors
    /// As [`Matcher::new`](crate::Matcher::new) of its rules; correlations or conditions that nest deeper than 128; a
    /// condition where order counts over more than 16 members, unless it wants all of them.
    pub fn new(correlation: &Correlation<'_>) -> Result<Self, EvalError> {
        Self::at(correlation, MAX_DEPTH)
    }

    fn at(correlation: &Correlation<'_>, depth: usize) -> Result<Self, EvalError> {
        let depth = depth.checked_sub(1).ok_or(EvalError::at(EvalFault::TooDeep, correlation.kind_span))?;
        let members = correlation.members.iter().map(|member| {
            let source = match &member.source {
                Source::Rule(rule) => SourceMatcher::Rule(RuleMatcher::new(rule)?),
                Source::Correlation(inner) => SourceMatcher::Correlation(Box::new(Self::at(inner, depth)?)),
            };
            let keys = member.keys.iter().map(|key| match key {
                KeyField::Field(field) => KeyField::Field(sigcast_ir::Field::new(field.as_str().to_owned())),
                KeyField::Inner(at) => KeyField::Inner(*at),
            });
            let values = member.values.iter().map(|field| field.as_str().to_owned());
            Ok(MemberMatcher { source, keys: keys.collect(), values: values.collect() })
        });
        let members = members.collect::<Result<Vec<_>, EvalError>>()?;
        let span = i64::try_from(correlation.timespan.seconds).ok().and_then(|seconds| seconds.checked_mul(1000));
        let asked = asked(&correlation.criterion).map_err(|fault| EvalError::at(fault, correlation.kind_span))?;
        // A window of no length would hold events of one time only, and could not be counted off: the frontend makes none.
        Ok(Self { members, span: span.unwrap_or(i64::MAX).max(1), criterion: asked })
    }

    /// Where in the stream it fires, in the order of the events, then of the groups.
    ///
    /// # Errors
    /// As [`Matcher::matches`](crate::Matcher::matches) of its rules; an event whose fields with several values give more
    /// than 10,000 combinations.
    pub fn fires(&self, stream: &[TimedEvent]) -> Result<Vec<Firing>, EvalError> {
        let rows = self.members.iter().map(|member| self.rows(member, stream)).collect::<Result<Vec<_>, _>>()?;
        let mut firings = Vec::new();
        for group in gather::groups(&rows, self.taking()) {
            let mut slide = Slide::new(&self.criterion, &group, self.members.len());
            let (mut first, mut at) = (0, 0);
            while let Some(time) = group.entries.get(at).map(|entry| entry.time) {
                let from = time.saturating_sub(self.span);
                let last = at + group.entries[at..].partition_point(|entry| entry.time == time);
                first += group.entries[first..].partition_point(|entry| entry.time < from);
                if slide.fulfils(first, last) {
                    let fired = group.entries[at..last].iter();
                    firings.extend(fired.map(|entry| Firing { event: entry.row, keys: group.keys.clone() }));
                }
                at = last;
            }
        }
        firings.sort();
        Ok(firings)
    }

    /// Where it fires if windows are fixed: as long as the timespan, one after the other, the first at the start of 1970.
    /// So do targets answer that count by buckets of time. In order of time, then of the groups.
    ///
    /// The events of a member that is a correlation are then its fixed windows: each has the time at which it starts, and no
    /// field but its keys.
    ///
    /// # Errors
    /// As [`fires`](Self::fires).
    pub fn fires_in_fixed_windows(&self, stream: &[TimedEvent]) -> Result<Vec<BucketFiring>, EvalError> {
        // Windows of members are rows of their own, told apart from the stream's events and from each other.
        let mut windows = stream.len();
        let rows = self.members.iter().map(|member| match &member.source {
            SourceMatcher::Rule(_) => self.rows(member, stream),
            SourceMatcher::Correlation(inner) => {
                let fired = inner.fires_in_fixed_windows(stream)?;
                let first = windows;
                windows += fired.len();
                let mut rows = Rows::new(&member.keys, &member.values, self.taking());
                for (at, one) in fired.iter().enumerate() {
                    rows.add(first + at, one.start, &Value::Null, std::slice::from_ref(&one.keys))?;
                }
                Ok(rows)
            }
        });
        let rows = rows.collect::<Result<Vec<_>, EvalError>>()?;
        let mut firings = Vec::new();
        for group in gather::groups(&rows, self.taking()) {
            let mut slide = Slide::new(&self.criterion, &group, self.members.len());
            let mut first = 0;
            while let Some(time) = group.entries.get(first).map(|entry| entry.time) {
                let bucket = time.div_euclid(self.span);
                let same = |entry: &gather::Entry| entry.time.div_euclid(self.span) == bucket;
                let last = first + group.entries[first..].partition_point(same);
                if slide.fulfils(first, last) {
                    firings.push(BucketFiring { start: bucket.saturating_mul(self.span), keys: group.keys.clone() });
                }
                first = last;
            }
        }
        firings.sort();
        Ok(firings)
    }

    /// How many of the stream's events are a member's, whatever their keys.
    fn count(&self, member: &MemberMatcher, stream: &[TimedEvent]) -> Result<usize, EvalError> {
        match &member.source {
            SourceMatcher::Rule(rule) => {
                stream.iter().try_fold(0, |count, event| Ok(count + usize::from(rule.matches(&event.event)?)))
            }
            SourceMatcher::Correlation(inner) => {
                let mut events: Vec<usize> = inner.fires(stream)?.into_iter().map(|one| one.event).collect();
                events.dedup();
                Ok(events.len())
            }
        }
    }

    fn taking(&self) -> Taking {
        match &self.criterion {
            Asked::Events(_) | Asked::Members { .. } | Asked::Condition { .. } => Taking::Nothing,
            Asked::Distinct(_) => Taking::Texts,
            Asked::Sum(_) | Asked::Average(_) | Asked::Percentile(..) => Taking::Numbers,
        }
    }

    /// The events of a member.
    fn rows<'m>(&self, member: &'m MemberMatcher, stream: &[TimedEvent]) -> Result<Rows<'m>, EvalError> {
        let mut rows = Rows::new(&member.keys, &member.values, self.taking());
        match &member.source {
            SourceMatcher::Rule(rule) => {
                for (at, event) in stream.iter().enumerate() {
                    if rule.matches(&event.event)? {
                        rows.add(at, event.time, &event.event, &[Vec::new()])?;
                    }
                }
            }
            SourceMatcher::Correlation(inner) => {
                let mut fired: BTreeMap<usize, Vec<Vec<String>>> = BTreeMap::new();
                inner.fires(stream)?.into_iter().for_each(|one| fired.entry(one.event).or_default().push(one.keys));
                for (at, groups) in fired {
                    if let Some(event) = stream.get(at) {
                        rows.add(at, event.time, &event.event, &groups)?;
                    }
                }
            }
        }
        Ok(rows)
    }
}

fn asked(criterion: &Criterion<'_>) -> Result<Asked, EvalFault> {
    let percentile = |at: f64, bounds: Bounds| {
        let percentile = amount::Percentile::new(at);
        percentile.map(|at| Asked::Percentile(at, bounds)).ok_or(EvalFault::TooLarge("a percentile from 0 to 100"))
    };
    match criterion {
        Criterion::Measure { measure, bounds } => {
            let bounds = Bounds::new(bounds);
            Ok(match measure {
                Measure::Events => Asked::Events(bounds),
                Measure::Distinct => Asked::Distinct(bounds),
                Measure::Sum => Asked::Sum(bounds),
                Measure::Average => Asked::Average(bounds),
                Measure::Minimum => return percentile(0.0, bounds),
                Measure::Median => return percentile(50.0, bounds),
                Measure::Maximum => return percentile(100.0, bounds),
                Measure::Percentile(at) => return percentile(*at, bounds),
            })
        }
        Criterion::Temporal { ordered, wanted: Wanted::Count(bounds) } => {
            Ok(Asked::Members { ordered: *ordered, bounds: Bounds::new(bounds) })
        }
        Criterion::Temporal { ordered, wanted: Wanted::Rules(condition) } => {
            let condition = Condition::new(condition, *ordered, MAX_DEPTH)?;
            Ok(Asked::Condition { ordered: *ordered, condition })
        }
    }
}
