//! Sample streams of a correlation: some at which it fires and some at which it just does not, each with the firings that
//! are expected.
//!
//! | step | module | what it does |
//! |---|---|---|
//! | choose | `recipe` | which events of which members fulfil the criterion |
//! | build | `make` | events of the rules with the keys and values that are wanted |
//! | vary | `vary` | other times, groups, values, members |
//! | label | `plain` | where the correlation fires, or nothing if that cannot be told |
//!
//! Invariant: as of the sample events, nothing here asks the evaluator.

mod make;
mod plain;
mod recipe;
mod vary;

use serde_json::Value;
use sigcast_ir::{Correlation, Query, lower};

use super::judge::Judge;
use super::{Event, Limits, runnable, samples};
use crate::correlation::{Firing, TimedEvent};
use crate::error::{EvalError, EvalFault};
use make::Maker;
use plain::{Leaf, Plain};

/// When the first event of a stream is: 2026-01-01T00:00:00Z, in milliseconds since 1970.
const EPOCH: i64 = 1_767_225_600_000;

/// A stream of events with the firings that are expected of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamSample {
    /// The events, in order of time unless `what` says otherwise. The first is at 2026-01-01T00:00:00Z, where `what` does
    /// not say otherwise; times are whole seconds, where it is not milliseconds that matter.
    pub stream: Vec<TimedEvent>,
    /// Where the correlation fires, in the order of [`crate::CorrelationMatcher::fires`].
    pub fires: Vec<Firing>,
    /// What the stream is there for.
    pub what: String,
}

/// Sample streams of a correlation: at most `limits.hits` in which it fires, and `limits.variations` in which it does not.
/// The same correlation and limits give the same streams.
///
/// There may be none in which it fires: its rules have no hits, it asks for more than 500 events, or for fields that the
/// rules do not leave free.
///
/// # Errors
/// As [`samples`] of its rules; correlations that nest deeper than 16.
pub fn correlation_samples(correlation: &Correlation<'_>, limits: Limits) -> Result<Vec<StreamSample>, EvalError> {
    let mut leaves = Vec::new();
    for rule in correlation.rules() {
        let found = samples(rule, Limits { hits: 8, variations: 8 })?;
        let mut queries: Vec<Query<'_>> = Vec::new();
        for (query, _) in lower::queries(rule) {
            runnable(&query, 512)?;
            queries.push(query.simplify());
        }
        let (mut hits, mut misses) = (Vec::new(), Vec::new());
        for sample in found.into_iter().filter(|sample| !sample.what.starts_with("nested")) {
            let Value::Object(event) = sample.event else { continue };
            if sample.what.contains("hit: ") && sample.matches.contains(&true) {
                hits.push(event);
            } else if !sample.matches.contains(&true) {
                misses.push(event);
            }
        }
        leaves.push(Leaf { judge: Judge::new(&queries), queries, hits, misses });
    }
    let too_deep = EvalError::at(EvalFault::TooDeep, correlation.kind_span);
    let plain = Plain::new(correlation, &mut 0, 0).ok_or(too_deep)?;
    let mut writer = Writer { maker: Maker { leaves }, plain, samples: Vec::new(), limits };
    writer.vary();
    Ok(writer.samples)
}

/// Collects streams.
struct Writer<'c> {
    maker: Maker<'c>,
    plain: Plain<'c>,
    samples: Vec<StreamSample>,
    limits: Limits,
}

impl Writer<'_> {
    /// Adds a stream, unless it is there already, there are enough, or it cannot be told where the correlation fires.
    /// Events keep their order; the earliest is at `start` after the epoch.
    fn add(&mut self, events: &[(i64, Event)], start: i64, what: impl Into<String>) {
        if events.len() > 2 * recipe::MOST_EVENTS {
            return;
        }
        let least = events.iter().map(|(time, _)| *time).min().unwrap_or(0);
        let events: Vec<(i64, Event)> =
            events.iter().map(|(time, event)| (time - least + EPOCH + start, event.clone())).collect();
        let Some(fired) = self.plain.fires(&self.maker.leaves, &events) else { return };
        let alike = self.samples.iter().filter(|sample| sample.fires.is_empty() == fired.is_empty()).count();
        if alike >= if fired.is_empty() { self.limits.variations } else { self.limits.hits } {
            return;
        }
        let fires = fired.into_iter().map(|(event, keys)| Firing { event, keys }).collect();
        let timed = |(time, event)| TimedEvent { time, event: Value::Object(event) };
        let stream: Vec<TimedEvent> = events.into_iter().map(timed).collect();
        if !self.samples.iter().any(|sample| sample.stream == stream) {
            self.samples.push(StreamSample { stream, fires, what: what.into() });
        }
    }
}
