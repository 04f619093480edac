//! Tests of correlations: a file is a stream of events, at which the correlation must fire, or must not.
//!
//! Invariant: a stream of which an event is broken or has no time is not decided.

use serde_json::Value;
use sigcast_eval::{CorrelationMatcher, Firing, TimedEvent, Window, flatten_windows, milliseconds, values};
use sigcast_ir::{Bound, Correlation, Criterion, Wanted};
use sigcast_pipeline::Chain;

use super::events::Event;
use super::judge::{self, Case, Judge, Outcome};
use super::layout::{Problem, Spec, Wanted as Expected};
use crate::args::Engine;
use crate::engine::{self, Entry, is_error};

/// Where the time of an event is looked for, the first that it has.
const TIME_FIELDS: [&str; 8] = [
    "@timestamp",
    "UtcTime",
    "TimeCreated_SystemTime",
    "TimeCreated",
    "timestamp",
    "_time",
    "TimeGenerated",
    "EventTime",
];

/// How many places at which a correlation fires are named.
const NAMED: usize = 3;

impl Judge<'_> {
    /// The cases of a correlation's tests.
    pub(super) fn correlation<'c, 'a: 'c>(
        &self,
        entry: &Entry<'_>,
        correlation: &Correlation<'_>,
        specs: &[Spec],
        chain: &dyn Fn(&Spec) -> Result<&'c Chain<'a>, String>,
    ) -> Vec<Case> {
        let each = specs.iter().map(|spec| {
            let problem = |message: String| vec![Case::of_problem(spec, &Problem::Error(message))];
            if let Some(found) = &spec.problem {
                return vec![Case::of_problem(spec, found)];
            }
            let chain = match chain(spec) {
                Ok(chain) => chain,
                Err(message) => return problem(format!("its pipelines are wrong: {message}")),
            };
            engine::guarded(entry.source, correlation.span.start as usize, || {
                let (correlation, applied) = chain.correlate(correlation.clone());
                match applied.diagnostics.iter().find(|found| is_error(found)) {
                    Some(found) => {
                        let code = found.code.as_str();
                        problem(format!("a pipeline refuses the correlation: {} [{code}]", found.message))
                    }
                    None => self.stream(&correlation, spec),
                }
            })
            .unwrap_or_else(|fault| problem(fault.message))
        });
        each.flatten().collect()
    }

    /// The case of a stream, or those of what is broken in it.
    fn stream(&self, correlation: &Correlation<'_>, spec: &Spec) -> Vec<Case> {
        let problem = |message: String| vec![Case::of_problem(spec, &Problem::Error(message))];
        let matcher = match CorrelationMatcher::new(correlation) {
            Ok(matcher) => matcher,
            Err(fault) => return problem(format!("the correlation cannot be run: {fault}")),
        };
        let read = match judge::read(spec) {
            Ok(read) => read,
            Err(case) => return vec![*case],
        };
        let mut broken = Vec::new();
        let mut events: Vec<Event> = Vec::new();
        let mut stream = Vec::new();
        for one in read {
            match one {
                Err(found) => broken.push(judge::broken(spec, &found)),
                Ok(event) => {
                    let own = spec.pipelines.is_empty();
                    let flat = if own { flatten_windows(&event.value) } else { event.value.clone() };
                    match self.time(&flat) {
                        Ok(time) => stream.push(TimedEvent { time, event: flat }),
                        Err(why) => broken.push(Case::new(spec, Some(event.line)).ended(Outcome::Error, why)),
                    }
                    events.push(event);
                }
            }
        }
        if !broken.is_empty() {
            return broken;
        }
        let fired = match matcher.fires(&stream) {
            Ok(fired) => fired,
            Err(fault) => return problem(format!("the answer is not known: {fault}")),
        };
        vec![self.decided(correlation, spec, &matcher, &stream, &events, &fired)]
    }

    fn decided(
        &self,
        correlation: &Correlation<'_>,
        spec: &Spec,
        matcher: &CorrelationMatcher,
        stream: &[TimedEvent],
        events: &[Event],
        fired: &[Firing],
    ) -> Case {
        let mut case = Case::new(spec, None);
        let (least, expected) = match spec.wanted {
            Expected::NoMatch | Expected::None => (0, "the correlation does not fire".to_owned()),
            Expected::Match | Expected::Some | Expected::AtLeast(1) => (1, "the correlation fires".to_owned()),
            Expected::AtLeast(0) => (0, "the correlation does not fire".to_owned()),
            Expected::AtLeast(least) => (least, format!("the correlation fires {least} times")),
        };
        case.expected.clone_from(&expected);
        let count = fired.len() as u64;
        let line = |event: usize| events.get(event).map_or(0, |event| event.line);
        if least == 0 && count > 0 {
            case.line = fired.first().map(|one| line(one.event));
            let places: Vec<String> =
                fired.iter().take(NAMED).map(|one| at(correlation, line(one.event), &one.keys)).collect();
            let more = if fired.len() > NAMED { format!(", and {} more", fired.len() - NAMED) } else { String::new() };
            let message = format!("expected: {expected}; found: it fires at {}{more}", places.join(", "));
            return case.ended(Outcome::Failed, message);
        }
        if count < least {
            let found = if count == 0 { "it does not".to_owned() } else { format!("{count} times") };
            let why = nearest(correlation, matcher, stream, &line);
            return case.ended(Outcome::Failed, format!("expected: {expected}; found: {found}; {why}"));
        }
        if self.engine == Engine::Sqlite {
            return case.ended(Outcome::Skipped, "not decided by SQLite: correlations are not run there as yet");
        }
        case
    }

    /// The time of an event, or what is wrong with it.
    fn time(&self, event: &Value) -> Result<i64, String> {
        let own = self.time_fields.iter().map(String::as_str);
        let fields: Vec<&str> = if self.time_fields.is_empty() { TIME_FIELDS.to_vec() } else { own.collect() };
        for field in &fields {
            let Some(found) = values(event, field) else { continue };
            let [value] = found.as_slice() else {
                return Err(format!("{field} has {} values: the time of an event is one", found.len()));
            };
            return milliseconds(value).ok_or_else(|| {
                format!("{field} is no time: {value}; ISO 8601 text, or a count of seconds since 1970, is expected")
            });
        }
        Err(format!("the event has no time: one of the fields {} is expected (--time-field)", fields.join(", ")))
    }
}

/// A place in a stream: its line, and the group.
fn at(correlation: &Correlation<'_>, line: usize, keys: &[String]) -> String {
    let keys: Vec<String> =
        correlation.keys.iter().zip(keys).map(|(key, value)| format!("{} = {value}", key.name)).collect();
    if keys.is_empty() { format!("line {line}") } else { format!("line {line} ({})", keys.join(", ")) }
}

/// Why it does not fire: what the stream lacks, or how near it came.
fn nearest(
    correlation: &Correlation<'_>,
    matcher: &CorrelationMatcher,
    stream: &[TimedEvent],
    line: &dyn Fn(usize) -> usize,
) -> String {
    let closest = match matcher.closest(stream) {
        Ok(closest) => closest,
        Err(fault) => return format!("what comes nearest is not known: {fault}"),
    };
    let name = |member: usize| correlation.members.get(member).map_or("", |member| member.name.as_ref());
    let never: Vec<&str> = (0..closest.events.len()).filter(|at| closest.events[*at] == 0).map(name).collect();
    let mut why = Vec::new();
    if !never.is_empty() {
        why.push(format!("no event is one of {}", never.join(", ")));
    }
    match &closest.window {
        None if never.len() < closest.events.len() => {
            let keys: Vec<&str> = correlation.keys.iter().map(|key| key.name.as_ref()).collect();
            why.push(format!("no event of its rules has {}", keys.join(" and ")));
        }
        None => {}
        Some(window) => {
            let place = at(correlation, line(window.event), &window.keys);
            why.push(format!("nearest: {}, in the window that ends at {place}", reached(correlation, window, &name)));
        }
    }
    why.join("; ")
}

/// What a window has of what is asked.
fn reached<'n>(correlation: &Correlation<'_>, window: &Window, name: &dyn Fn(usize) -> &'n str) -> String {
    let asked = |bounds: &[Bound<'_>]| {
        let each = bounds.iter().map(|bound| {
            let sign = if bound.negated { "!=" } else { bound.order.sign() };
            format!("{sign} {}", bound.value.text)
        });
        each.collect::<Vec<_>>().join(" and ")
    };
    match &correlation.criterion {
        Criterion::Measure { bounds, .. } => match window.amount {
            Some(amount) => format!("{} is {amount}, and {} is asked", correlation_kind(correlation), asked(bounds)),
            None => format!("no number in the field, and {} is asked", asked(bounds)),
        },
        Criterion::Temporal { ordered, wanted } => {
            let present: Vec<&str> = window.present.iter().map(|at| name(*at)).collect();
            let lacking: Vec<&str> =
                (0..correlation.members.len()).filter(|at| !window.present.contains(at)).map(name).collect();
            let mut text = format!("events of {}", present.join(", "));
            if !lacking.is_empty() {
                text += &format!(" and none of {}", lacking.join(", "));
            }
            if *ordered {
                text += &format!(", {} of them in order", window.chained);
            }
            if let Wanted::Count(bounds) = wanted {
                text += &format!(" ({} is asked)", asked(bounds));
            }
            text
        }
    }
}

/// What is measured, in words.
fn correlation_kind(correlation: &Correlation<'_>) -> &'static str {
    use sigcast_ir::Measure;
    let Criterion::Measure { measure, .. } = &correlation.criterion else { return "" };
    match measure {
        Measure::Events => "the count of events",
        Measure::Distinct => "the count of different values",
        Measure::Sum => "the sum",
        Measure::Average => "the mean",
        Measure::Minimum => "the minimum",
        Measure::Maximum => "the maximum",
        Measure::Median => "the median",
        Measure::Percentile(_) => "the percentile",
    }
}
