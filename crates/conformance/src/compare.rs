//! What the engine finds against what the evaluator matches.
//!
//! Invariant: every rule of the corpus is in exactly one count of each tally: compared, refused by the target, not run
//! for a reason, or left out because no index can hold it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;
use sigcast_backends::{Status, find};
use sigcast_diagnostics::Code;
use sigcast_eval::project;
use sigcast_formats::Templates;

use crate::corpus::{Case, Corpus};
use crate::engines::{Answer, Engine, Fault, LACKS};
use crate::layout::{self, Batch, Setting};
use crate::mapped;
use crate::runs::{Converted, Converter, Run};

/// A query that finds other events than it should.
#[derive(Debug, Clone)]
pub struct Disagreement {
    /// The rule.
    pub path: String,
    /// The query.
    pub text: String,
    /// How many events are found too much or too little.
    pub events: usize,
    /// One of them.
    pub event: Value,
    /// Whether the rule matches it.
    pub meant: bool,
}

/// The counts of one target under one way on one kind of data.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Rules that are exact here, compared.
    pub exact: usize,
    /// Rules that are approximate here, compared.
    pub approximate: usize,
    /// Rules that the target refuses, by code.
    pub refused: BTreeMap<&'static str, usize>,
    /// Rules whose assumption the data does not fulfil, by code.
    pub not_run: BTreeMap<&'static str, usize>,
    /// Rules that no index can hold, by reason.
    pub left: BTreeMap<&'static str, usize>,
    /// Queries that were run.
    pub queries: usize,
    /// Answers that were compared: of one query on one event each.
    pub answers: usize,
    /// Those among them that say that the event matches.
    pub hits: usize,
    /// Disagreements of rules that are exact: each is a fault.
    pub faults: Vec<Disagreement>,
    /// Disagreements of rules that are approximate: queries and events, by the codes that were given.
    pub differing: BTreeMap<String, (usize, usize)>,
    /// Queries that the engine refuses for their size, as their conversion says, by the reason.
    pub large: BTreeMap<String, usize>,
    /// Rules whose queries are outside the part of the language that the engine speaks, by the cause.
    pub lacking: BTreeMap<String, usize>,
    /// Other queries that the engine refuses, by the reason; the rule and the query of each.
    pub rejected: BTreeMap<String, Vec<(String, String)>>,
}

/// Tallies by target, way and setting.
pub type Tallies = BTreeMap<(usize, &'static str), Tally>;

/// Runs the corpus on an engine; the tallies of each run have the run's number.
///
/// # Errors
/// The engine failed.
pub fn compare(
    engine: &mut dyn Engine,
    corpus: &Corpus<'_>,
    runs: &[Run],
    settings: &[Setting],
    progress: &dyn Fn(&str),
) -> Result<Tallies, Fault> {
    let templates = Arc::new(Templates::builtin());
    let mut tallies = Tallies::new();
    for setting in settings.iter().copied() {
        let own: Vec<(usize, &Run)> =
            runs.iter().enumerate().filter(|(_, run)| run.settings.contains(&setting.name)).collect();
        // Runs on one kind of data go through the same pipeline.
        let Some((_, first)) = own.first() else { continue };
        let through = match first.way.pipeline {
            "" => None,
            pipeline => Some(mapped::corpus(corpus, pipeline)?),
        };
        let corpus = through.as_ref().unwrap_or(corpus);
        let (batches, left) = layout::batches(corpus, setting, engine.executes());
        for (number, _) in &own {
            let tally = tallies.entry((*number, setting.name)).or_default();
            (tally.left, tally.refused) = (left.clone(), corpus.refused.clone());
        }
        for (at, batch) in batches.iter().enumerate() {
            progress(&format!("{}: batch {} of {}", setting.name, at + 1, batches.len()));
            let place = Place::new(corpus, batch, setting);
            engine.prepare(&batch.fields, setting)?;
            engine.load(&place.events)?;
            place.ask(engine, &own, &templates, &mut tallies)?;
        }
    }
    Ok(tallies)
}

/// A batch on one kind of data, with the answers that are meant.
struct Place<'c, 'a> {
    batch: &'c Batch,
    setting: Setting,
    cases: Vec<&'c Case<'a>>,
    events: Vec<Value>,
    /// Whether an event has a line break in a value.
    broken: Vec<bool>,
    /// For each case and condition, whether each event matches; none if the evaluator cannot tell, or the
    /// engine cannot hold the event.
    meant: Vec<Vec<Vec<Option<bool>>>>,
}

impl<'c, 'a> Place<'c, 'a> {
    fn new(corpus: &'c Corpus<'a>, batch: &'c Batch, setting: Setting) -> Self {
        let cases: Vec<&Case<'_>> = batch.cases.iter().map(|number| &corpus.cases[*number]).collect();
        let recorded: &[Value] = if batch.has_recorded() { &corpus.recorded } else { &[] };
        let all = cases.iter().flat_map(|case| &case.events).chain(recorded);
        let events: Vec<Option<Value>> =
            all.map(|event| crate::project::project(event, &batch.fields, setting)).collect();
        // An event that cannot be held leaves its number empty.
        let held: Vec<bool> = events.iter().map(Option::is_some).collect();
        let events: Vec<Value> =
            events.into_iter().map(|event| event.unwrap_or_else(|| Value::Object(Default::default()))).collect();
        let asked = |case: &&Case<'_>| -> Vec<Vec<Option<bool>>> {
            let one = |matcher: &sigcast_eval::Matcher| {
                let answer = |(event, held): (&Value, &bool)| held.then(|| matcher.matches(event).ok()).flatten();
                events.iter().zip(&held).map(answer).collect()
            };
            case.matchers.iter().map(one).collect()
        };
        let meant = cases.par_iter().map(asked).collect();
        let broken = events.iter().map(|event| event.to_string().contains("\\n")).collect();
        Self { batch, setting, cases, events, broken, meant }
    }

    fn ask(
        &self,
        engine: &mut dyn Engine,
        runs: &[(usize, &Run)],
        templates: &Arc<Templates>,
        tallies: &mut Tallies,
    ) -> Result<(), Fault> {
        // Targets often give the same request: it is run once.
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut converted: Vec<(usize, Vec<Converted>)> = Vec::new();
        for (number, run) in runs {
            let converter = Converter::new(run, &self.batch.fields, (self.setting, engine.executes()), templates)?;
            let all: Vec<Converted> = self.cases.par_iter().map(|case| converter.convert(case)).collect();
            for (_, request) in all.iter().filter(|one| one.unfulfilled.is_none()).flat_map(|one| &one.queries) {
                if let Ok(request) = request
                    && !numbers.contains_key(request)
                {
                    numbers.insert(request.clone(), numbers.len());
                }
            }
            converted.push((*number, all));
        }
        let mut requests: Vec<(&String, usize)> = numbers.iter().map(|(request, number)| (request, *number)).collect();
        requests.sort_by_key(|(_, number)| *number);
        let requests: Vec<String> = requests.into_iter().map(|(request, _)| request.clone()).collect();
        let answers = engine.run(&requests)?;
        for (number, all) in &converted {
            let tally = tallies.entry((*number, self.setting.name)).or_default();
            let target = runs.iter().find(|(own, _)| own == number).and_then(|(_, run)| find(run.target));
            // An event that the target's own store would hold otherwise is none that its query meets.
            let met = |event| target.is_some_and(|target| project(&target.model, event).as_ref() == Some(event));
            let met: Vec<bool> = self.events.iter().map(met).collect();
            for (at, one) in all.iter().enumerate() {
                let met = if engine.executes() { met.as_slice() } else { &[] };
                self.count(at, one, met, tally, |request| numbers.get(request).and_then(|number| answers.get(*number)));
            }
        }
        Ok(())
    }

    /// Counts one rule of one run.
    fn count<'r>(
        &self,
        at: usize,
        one: &Converted,
        // Events that the query can meet; nothing for what is not run.
        met: &[bool],
        tally: &mut Tally,
        answer: impl Fn(&str) -> Option<&'r Answer>,
    ) {
        let codes: Vec<&str> = one.codes.iter().map(|code: &Code| code.as_str()).collect();
        if one.status == Status::Refused {
            *tally.refused.entry(codes.first().copied().unwrap_or("refused")).or_default() += 1;
            return;
        }
        if let Some(code) = one.unfulfilled {
            *tally.not_run.entry(code.as_str()).or_default() += 1;
            return;
        }
        let reasons = one.queries.iter().filter_map(|(_, request)| answer(request.as_ref().ok()?)?.as_ref().err());
        if let Some(cause) = reasons.into_iter().find_map(|reason| reason.strip_prefix(LACKS)) {
            *tally.lacking.entry(cause.to_owned()).or_default() += 1;
            return;
        }
        *(if one.status == Status::Exact { &mut tally.exact } else { &mut tally.approximate }) += 1;
        for ((text, request), meant) in one.queries.iter().zip(&self.meant[at]) {
            tally.queries += 1;
            let found = match request.as_ref().map(|request| answer(request)) {
                Ok(Some(Ok(found))) => found,
                Ok(Some(Err(reason))) if one.large => {
                    *tally.large.entry(generalised(reason)).or_default() += 1;
                    continue;
                }
                Ok(Some(Err(reason))) | Err(reason) => {
                    let rejected = tally.rejected.entry(generalised(reason)).or_default();
                    rejected.push((self.cases[at].path.clone(), text.clone()));
                    continue;
                }
                Ok(None) => continue,
            };
            let wrong = self.wrong((meant, met), found, (one, self.cases[at]), tally);
            let Some(first) = wrong.first() else { continue };
            if one.status == Status::Exact {
                tally.faults.push(Disagreement {
                    path: self.cases[at].path.clone(),
                    text: text.clone(),
                    events: wrong.len(),
                    event: self.events[*first].clone(),
                    meant: !found.contains(first),
                });
            } else {
                let differing = tally.differing.entry(codes.join(", ")).or_default();
                differing.0 += 1;
                differing.1 += wrong.len();
            }
        }
    }

    /// The numbers of the events on which the two differ.
    fn wrong(
        &self,
        (meant, met): (&[Option<bool>], &[bool]),
        found: &BTreeSet<usize>,
        (one, case): (&Converted, &Case<'_>),
        tally: &mut Tally,
    ) -> Vec<usize> {
        let mut wrong = Vec::new();
        let several = |event: &Value| case.asked.keys().any(|name| event.get(name).is_some_and(Value::is_array));
        for (event, meant) in meant.iter().enumerate() {
            let Some(meant) = *meant else { continue };
            if !met.get(event).copied().unwrap_or_default() || (one.single_lines && self.broken[event]) {
                continue;
            }
            if one.single_values && several(&self.events[event]) {
                continue;
            }
            tally.answers += 1;
            tally.hits += usize::from(meant);
            if meant != found.contains(&event) {
                wrong.push(event);
            }
        }
        wrong
    }
}

/// A reason without what is particular to one query, so that alike ones are counted together.
fn generalised(reason: &str) -> String {
    let cut = reason.find(['[', '`']).unwrap_or(reason.len());
    let digits = |c: char| if c.is_ascii_digit() { '#' } else { c };
    let mut short: String = reason[..cut].trim_end().chars().take(120).map(digits).collect();
    while short.contains("##") {
        short = short.replace("##", "#");
    }
    short
}
