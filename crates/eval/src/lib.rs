//! What a rule means, by running it: does this event match? And events made from a rule, with the answer known.
//!
//! | module | what it does |
//! |---|---|
//! | `matcher` | [`Matcher`] and [`RuleMatcher`]: the reference semantics of Sigma over JSON events |
//! | `field`, `fold`, `glob`, `decimal`, `search`, `time` | what the tests are made of: paths, case, wildcards, exact numbers, regexes, times |
//! | `project` | [`project()`]: what a target's data model holds of an event |
//! | `correlation` | [`CorrelationMatcher`]: where in a stream of events with times a correlation fires |
//! | `windows` | [`flatten_windows`]: exported Windows events as rules name their fields |
//! | `samples` | [`samples()`] of a rule and [`correlation_samples()`]: hits and near misses, labelled without asking the evaluator |
//!
//! Invariant: this crate knows neither YAML nor any target. Whatever the query and the event, it gives an answer or an
//! [`EvalError`], never a panic.

mod correlation;
mod decimal;
mod error;
mod field;
mod fold;
mod glob;
mod matcher;
mod project;
mod samples;
mod search;
mod time;
mod windows;

pub use correlation::{BucketFiring, Closest, CorrelationMatcher, Firing, TimedEvent, Window};
pub use error::{EvalError, EvalFault};
pub use field::values;
pub use matcher::{Matcher, RuleMatcher};
pub use project::project;
pub use samples::{Limits, Sample, StreamSample, correlation_samples, samples};
pub use time::{iso8601, milliseconds};
pub use windows::flatten_windows;
