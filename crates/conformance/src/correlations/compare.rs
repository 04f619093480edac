//! Each stream on its own in an engine, and what it finds beside what the evaluator says.
//!
//! Invariant: every correlation is in one count: refused, not run, or run; every stream of those that were run is in one:
//! the same, different, rejected, or not held.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Conversion, Status, find};
use sigcast_diagnostics::{Class, Code};
use sigcast_eval::{EvalError, TimedEvent, iso8601};

use super::Sampled;
use super::runs::{Run, Windows};
use crate::engines::{Engine, Fault, Found, Request};
use crate::layout::{Asked, Model, Setting, Type};
use crate::project;

/// A stream of which engine and evaluator say different things.
#[derive(Debug, Clone)]
pub struct Disagreement {
    /// The file of the correlation.
    pub path: String,
    /// The query.
    pub query: String,
    /// The stream as the engine has it: a line each event.
    pub stream: String,
    /// What was meant and what was found.
    pub answers: String,
}

/// The counts of one target on one engine.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Correlations that were run: those that are exact but for fixed windows, and others.
    pub exact: usize,
    /// Correlations that were run, and differ in more than their windows.
    pub approximate: usize,
    /// Correlations that the target refuses, by code.
    pub refused: BTreeMap<&'static str, usize>,
    /// Correlations whose assumption the data does not fulfil, by code.
    pub not_run: BTreeMap<&'static str, usize>,
    /// Streams that were compared.
    pub streams: usize,
    /// Those of them in which it fires.
    pub firing: usize,
    /// Streams that the engine's data model does not hold.
    pub not_held: usize,
    /// Streams on which exact correlations differ: each is a fault.
    pub faults: Vec<Disagreement>,
    /// Streams on which others differ, by the codes that say so.
    pub differing: BTreeMap<String, usize>,
    /// Queries that the engine refuses: the file, and why.
    pub rejected: Vec<(String, String)>,
}

/// Runs correlations on an engine.
///
/// # Errors
/// The engine failed, or there is no such target or option.
pub fn compare(engine: &mut dyn Engine, sampled: &[Sampled<'_>], run: &Run) -> Result<Tally, Fault> {
    compare_as(engine, sampled, run, &str::to_owned)
}

/// The same with queries that are changed first, so that tests know what a fault does.
///
/// # Errors
/// As [`compare`].
pub fn compare_as(
    engine: &mut dyn Engine,
    sampled: &[Sampled<'_>],
    run: &Run,
    change: &dyn Fn(&str) -> String,
) -> Result<Tally, Fault> {
    let target = find(run.target).ok_or_else(|| Fault::new("looking for a target", run.target))?;
    let settings = Settings::of(run.options).map_err(|fault| Fault::new("setting options", fault))?;
    let backend = Backend::new(target, settings);
    let mut tally = Tally::default();
    for one in sampled {
        let mut converted = backend.correlate(&one.correlation);
        converted.queries.iter_mut().for_each(|query| *query = change(query));
        let codes: BTreeSet<&str> = told(&converted).map(Code::as_str).collect();
        if converted.status == Status::Refused {
            *tally.refused.entry(codes.first().copied().unwrap_or("refused")).or_default() += 1;
            continue;
        }
        if let Some(code) = converted.assumptions.iter().find(|code| !fulfilled(**code, run.setting, one)) {
            *tally.not_run.entry(code.as_str()).or_default() += 1;
            continue;
        }
        let place = Place { run, one, converted: &converted, backend: &backend };
        let exact = codes.iter().all(|code| *code == Code::FixedWindows.as_str() && run.windows == Windows::Fixed);
        *(if exact { &mut tally.exact } else { &mut tally.approximate }) += 1;
        let codes: Vec<&str> = codes.into_iter().filter(|code| *code != Code::FixedWindows.as_str()).collect();
        for stream in &one.streams {
            match place.ask(engine, stream)? {
                None => tally.not_held += 1,
                Some(Err(why)) => {
                    tally.rejected.push((one.path.clone(), why));
                    break;
                }
                Some(Ok(answers)) => {
                    tally.streams += 1;
                    tally.firing += usize::from(answers.fires);
                    match answers.differs {
                        Some(fault) if exact => tally.faults.push(fault),
                        Some(_) => *tally.differing.entry(codes.join(", ")).or_default() += 1,
                        None => {}
                    }
                }
            }
        }
    }
    Ok(tally)
}

/// The codes that say that a query is refused or differs.
fn told(converted: &Conversion) -> impl Iterator<Item = Code> {
    let told = |class: Class| matches!(class, Class::Refusal | Class::Approximation | Class::Invalid);
    converted.diagnostics.iter().map(|found| found.code).filter(move |code| told(code.class()))
}

/// Whether the data is as the assumption has it. What is not named here is true of all data of the harness, or asked of
/// each stream.
fn fulfilled(code: Code, setting: Setting, one: &Sampled<'_>) -> bool {
    let held = |wanted: &[Asked], kinds: &[Type]| {
        let mut asked = one.fields.values().filter(|asked| wanted.contains(asked));
        asked.all(|asked| kinds.contains(&setting.type_of(*asked)))
    };
    match code {
        Code::AssumeCaseless => setting.caseless,
        Code::AssumeCased => !setting.caseless,
        Code::AssumeAddress => setting.addresses,
        Code::AssumeNumeric if setting.numbers => held(&[Asked::Equal, Asked::Number], &[Type::Integer]),
        Code::AssumeNumeric => held(&[Asked::Number], &[Type::Integer]),
        Code::AssumeBooleanFields | Code::AssumeBoolean => held(&[Asked::Boolean], &[Type::Boolean]),
        _ => true,
    }
}

/// What both say of a stream.
struct Answers {
    fires: bool,
    differs: Option<Disagreement>,
}

/// A correlation on an engine.
struct Place<'p, 'a> {
    run: &'p Run,
    one: &'p Sampled<'a>,
    converted: &'p Conversion,
    backend: &'p Backend,
}

impl Place<'_, '_> {
    /// Asks both about a stream; none if the engine does not hold it, or why it refuses the query.
    fn ask(&self, engine: &mut dyn Engine, stream: &[TimedEvent]) -> Result<Option<Result<Answers, String>>, Fault> {
        let Some(stream) = self.held(stream) else { return Ok(None) };
        let (setting, mut fields) = (self.run.setting, self.one.fields.clone());
        fields.insert(self.run.time.to_owned(), Asked::Time);
        let events: Vec<Value> = stream.iter().map(|one| self.timed(one)).collect();
        engine.prepare(&fields, setting)?;
        engine.load(&events)?;
        let [query] = self.converted.queries.as_slice() else {
            return Ok(Some(Err(format!("{} queries", self.converted.queries.len()))));
        };
        let timespan = i64::try_from(self.one.correlation.timespan.seconds).unwrap_or(i64::MAX / 1000);
        let fixed = self.run.windows == Windows::Fixed;
        let request = Request { query, keys: self.one.keys(), span: timespan.saturating_mul(1000), fixed };
        let found = match engine.find(&request)? {
            Ok(found) => found,
            Err(why) => return Ok(Some(Err(why))),
        };
        let meant = self.meant(&stream).map_err(|fault| Fault::new("asking the evaluator", fault))?;
        let fires = match &meant {
            Found::Events(all) => !all.is_empty(),
            Found::Windows(all) => !all.is_empty(),
        };
        let differs = (found != meant).then(|| Disagreement {
            path: self.one.path.clone(),
            query: query.clone(),
            stream: events.iter().map(|event| format!("{event}\n")).collect(),
            answers: format!("meant: {}; found: {}", shown(&meant), shown(&found)),
        });
        Ok(Some(Ok(Answers { fires, differs })))
    }

    /// The event with its time.
    fn timed(&self, one: &TimedEvent) -> Value {
        let mut event = one.event.clone();
        if let Value::Object(fields) = &mut event {
            fields.insert(self.run.time.to_owned(), Value::from(iso8601(one.time)));
        }
        event
    }

    /// The stream as the engine holds it, if it does.
    fn held(&self, stream: &[TimedEvent]) -> Option<Vec<TimedEvent>> {
        let assumes = |code: Code| self.converted.assumptions.contains(&code);
        let single = assumes(Code::AssumeSingleValues) || self.run.setting.model == Model::Rows;
        let mut held = Vec::with_capacity(stream.len());
        for one in stream {
            let event = project::project(&one.event, &self.one.fields, self.run.setting)?;
            // An event that the target's own store would hold otherwise is none that its query meets.
            if sigcast_eval::project(&self.backend.target.model, &event).as_ref() != Some(&event) {
                return None;
            }
            if single && event.as_object()?.values().any(Value::is_array) {
                return None;
            }
            if assumes(Code::AssumeSingleLines) && event.to_string().contains("\\n") {
                return None;
            }
            held.push(TimedEvent { time: one.time, event });
        }
        let times: BTreeSet<i64> = held.iter().map(|one| one.time).collect();
        (!assumes(Code::AssumeDistinctTimes) || times.len() == held.len()).then_some(held)
    }

    /// What the evaluator says.
    fn meant(&self, stream: &[TimedEvent]) -> Result<Found, EvalError> {
        let matcher = &self.one.matcher;
        Ok(match self.run.windows {
            Windows::Sliding => Found::Events(matcher.fires(stream)?.into_iter().map(|one| one.event).collect()),
            Windows::Fixed => Found::Windows(matcher.fires_in_fixed_windows(stream)?.into_iter().collect()),
        })
    }
}

fn shown(found: &Found) -> String {
    match found {
        Found::Events(all) => format!("events {all:?}"),
        Found::Windows(all) => {
            let one = |window: &sigcast_eval::BucketFiring| format!("{} {:?}", iso8601(window.start), window.keys);
            format!("windows [{}]", all.iter().map(one).collect::<Vec<_>>().join(", "))
        }
    }
}
