//! Tests of correlations: a file is a stream of events, at which the correlation must fire, or must not.
//!
//! Invariant: a stream of which an event is broken or has no time is not decided.

use serde_json::Value;
use sigcast_eval::{CorrelationMatcher, Firing, TimedEvent, Window, flatten_windows, milliseconds, values};
use sigcast_ir::{Bound, Correlation, Criterion, Wanted};
use sigcast_pipeline::Chain;

use super::events::Event;
use super::judge::{self, Answer, Case, Emitted, Judge, Outcome};
use super::layout::{Problem, Spec, Wanted as Expected};
use crate::args::Engine;
use crate::engine::{Entry, is_error};

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
        self.each(entry, correlation.span, specs, chain, &|spec, chain| {
            let (correlation, applied) = chain.correlate(correlation.clone());
            match applied.diagnostics.iter().find(|found| is_error(found)) {
                Some(found) => {
                    let message =
                        format!("a pipeline refuses the correlation: {} [{}]", found.message, found.code.as_str());
                    vec![Case::of_problem(spec, &Problem::Error(message))]
                }
                None => self.stream(&correlation, spec),
            }
        })
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
        match self.engine {
            Engine::Reference => case,
            Engine::Sqlite => asked_of_sqlite(case, correlation, stream, fired, &line),
        }
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

/// The case as SQLite's answer to the stream makes it: its query must find the events at which the correlation fires, and
/// no others.
fn asked_of_sqlite(
    mut case: Case,
    correlation: &Correlation<'_>,
    stream: &[TimedEvent],
    fired: &[Firing],
    line: &dyn Fn(usize) -> usize,
) -> Case {
    let (answers, emitted) = judge::firings(correlation, stream);
    if let Some(why) = answers.iter().find_map(|answer| answer.as_ref().err()) {
        return case.ended(Outcome::Skipped, format!("not decided by SQLite: {why}"));
    }
    let other = |(event, answer): (usize, &Answer)| {
        let firing = fired.iter().find(|one| one.event == event);
        (*answer != Ok(firing.is_some())).then_some((event, firing))
    };
    let Some((event, firing)) = answers.iter().enumerate().find_map(other) else { return case };
    let place = at(correlation, line(event), firing.map_or(&[], |one| one.keys.as_slice()));
    let (reference, sqlite) =
        if firing.is_some() { ("fires", "does not find it") } else { ("does not fire", "finds it") };
    case.line = Some(line(event));
    let Emitted { queries, rests } = emitted;
    let message = format!(
        "the correlation {reference} at {place}, and the query for SQLite {sqlite} there{rests}: {}",
        queries.join("; ")
    );
    case.ended(Outcome::Failed, message)
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
