//! `sigcast sample` of correlations: streams of events, with the firings that are expected.
//!
//! Invariant: an event is written with its time only where that changes nothing: the correlation fires where it is
//! expected to, with the field of the time and without it.

use serde::Serialize;
use serde_json::Value;
use sigcast_diagnostics::{Code, Diagnostic};
use sigcast_eval::{CorrelationMatcher, EvalError, Firing, Limits, StreamSample, correlation_samples, iso8601};
use sigcast_ir::Correlation;

/// A place in a stream at which a correlation fires. Other programs rely on the keys and their order.
#[derive(Debug, Serialize)]
pub(crate) struct Fires<'a> {
    /// The event, by its place in the stream, from 0.
    event: usize,
    /// The group: a text for each field of `group-by`.
    keys: &'a [String],
}

/// The firings as they are written.
pub(crate) fn fires(found: &[Firing]) -> Vec<Fires<'_>> {
    found.iter().map(|one| Fires { event: one.event, keys: &one.keys }).collect()
}

/// The streams of a correlation, each event with its time in this field, and what there is to say of them.
pub(crate) fn made(
    correlation: &Correlation<'_>,
    limits: Limits,
    field: &str,
) -> Result<(Vec<StreamSample>, Vec<Diagnostic>), EvalError> {
    let mut samples = correlation_samples(correlation, limits)?;
    let matcher = CorrelationMatcher::new(correlation)?;
    let before = samples.len();
    samples.retain(|sample| sample.stream.iter().all(|one| one.event.get(field).is_none()));
    samples.iter_mut().for_each(|sample| timed(sample, field));
    samples.retain(|sample| matcher.fires(&sample.stream).is_ok_and(|found| found == sample.fires));
    let mut said = Vec::new();
    if samples.iter().all(|sample| sample.fires.is_empty()) {
        let message = "no stream of events in which this correlation fires was found";
        let help = if samples.len() < before {
            "the rules ask for the field of the time: `--time-field` names another one"
        } else {
            "its rules may match no event, it may ask for more than 500 events, or for keys that the rules do not leave free"
        };
        said.push(Diagnostic::at(Code::NoHit, correlation.kind_span, message).help(help));
    }
    Ok((samples, said))
}

/// Writes the time of each event into a field, which comes first.
fn timed(sample: &mut StreamSample, field: &str) {
    for one in &mut sample.stream {
        let Value::Object(event) = &mut one.event else { continue };
        let mut timed = serde_json::Map::new();
        timed.insert(field.to_owned(), Value::String(iso8601(one.time)));
        timed.append(event);
        *event = timed;
    }
}
