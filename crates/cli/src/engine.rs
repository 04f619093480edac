//! Conversion: what becomes of each document for every job of a run, whichever command asks.
//!
//! Invariant: a rule goes through each chain of pipelines once, however many jobs share it; a fault in one rule costs no
//! other; nothing is read or written here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sigcast_backends::Status as Conversion;
use sigcast_diagnostics::{Class, Code, Diagnostic, Severity, SourceId, SourceMap, Span};
use sigcast_formats::{Naming, Place, Templates};
use sigcast_frontend::{Document, Kind};
use sigcast_ir::{Correlation, Rule};
use sigcast_pipeline::{Applied, Chain};

use crate::pipelines::Chains;
use crate::plan::Job;

/// How a document ended for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Converted.
    Exact,
    /// Converted, with a difference that a warning names.
    Approximate,
    /// The target cannot say it.
    Refused,
    /// The rule is wrong.
    Invalid,
    /// No rule.
    Skipped,
    /// A rule that the job is not about.
    Unselected,
}

impl Status {
    /// The word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Skipped => "skipped",
            Self::Unselected => "unselected",
        }
    }
}

/// A document with the text it stands in.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// The text.
    pub(crate) source: SourceId,
    /// The document.
    pub(crate) document: Document<'a>,
}

/// What became of a document for one target.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How it ended.
    pub(crate) status: Status,
    /// One text a condition; empty if there is no query.
    pub(crate) queries: Vec<String>,
    /// The queries after the post-processing of pipelines; empty if there is none.
    pub(crate) shown: Vec<String>,
    /// The output format: one text, or one a query if the format is of queries; empty if there is no query.
    pub(crate) output: Vec<String>,
    /// What the data must fulfil.
    pub(crate) assumptions: Vec<Code>,
    /// What there is to say besides the document's own diagnostics.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Ended {
    /// What ended without a query.
    pub(crate) fn without(status: Status) -> Self {
        Self {
            status,
            queries: Vec::new(),
            shown: Vec::new(),
            output: Vec::new(),
            assumptions: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// A query that is exact for what the target was given is not for the rule, if something of it was lost before.
    fn lose(&mut self, before: &[Diagnostic]) {
        let lossy = before.iter().any(|found| found.code.class() == Class::Approximation);
        if lossy && self.status == Status::Exact {
            self.status = Status::Approximate;
        }
    }
}

/// Whether a diagnostic stands for a missing result. An assumption is among the diagnostics only if the run denies it.
pub(crate) fn is_error(found: &Diagnostic) -> bool {
    found.severity() == Severity::Error || found.code.class() == Class::Assumption
}

/// Converts documents for the jobs of a run.
#[derive(Debug)]
pub(crate) struct Engine<'p> {
    works: Vec<Work<'p>>,
    chains: &'p Chains<'p>,
    denied: &'p [Code],
}

/// One job.
#[derive(Debug)]
struct Work<'p> {
    job: &'p Job,
    /// The number of its chain.
    chain: usize,
    /// Which entries it is about.
    takes: Vec<bool>,
    /// The templates, and the names of each entry in the run; `None` for plain queries.
    templates: Option<(&'p Templates, Vec<Place>)>,
}

/// What is converted.
#[derive(Debug, Clone, Copy)]
enum Whole<'d, 'a> {
    /// A rule.
    Rule(&'d Rule<'a>),
    /// A correlation, with what describes it in the form of a rule.
    Correlation(&'d Correlation<'a>, &'d Rule<'a>),
}

impl<'d, 'a> Whole<'d, 'a> {
    /// What describes it.
    fn described(self) -> &'d Rule<'a> {
        match self {
            Self::Rule(rule) | Self::Correlation(_, rule) => rule,
        }
    }

    /// What a chain makes of it.
    fn apply(self, chain: &'a Chain<'_>) -> Made<'a> {
        match self {
            Self::Rule(rule) => Made { correlation: None, applied: chain.apply(rule.clone()) },
            Self::Correlation(correlation, _) => {
                let (correlation, applied) = chain.correlate(correlation.clone());
                Made { correlation: Some(correlation), applied }
            }
        }
    }
}

/// What a chain made of a rule or of a correlation.
#[derive(Debug)]
struct Made<'r> {
    correlation: Option<Correlation<'r>>,
    applied: Applied<'r>,
}

impl<'r> Made<'r> {
    fn whole(&self) -> Whole<'_, 'r> {
        match &self.correlation {
            Some(correlation) => Whole::Correlation(correlation, &self.applied.rule),
            None => Whole::Rule(&self.applied.rule),
        }
    }
}

/// What a chain made: `None` if it has no pipeline, an error if the program failed at it.
type Transformed<'r> = Result<Option<Made<'r>>, Diagnostic>;

impl<'p> Engine<'p> {
    /// The engine for these jobs, of which each has its chain in `chains`. `takes` says which entries a job is about.
    pub(crate) fn new(
        jobs: &'p [Job],
        chains: &'p Chains<'p>,
        denied: &'p [Code],
        templates: Option<&'p Templates>,
        entries: &[Entry<'_>],
        takes: impl Fn(usize, &Entry<'_>) -> bool,
    ) -> Self {
        let works = jobs.iter().enumerate().map(|(number, job)| {
            let takes: Vec<bool> = entries.iter().map(|entry| takes(number, entry)).collect();
            let templates = templates.filter(|_| !job.format.plain);
            let templates = templates.map(|all| (all, places(job, entries, &takes)));
            Work { job, chain: chains.number(number), takes, templates }
        });
        Self { works: works.collect(), chains, denied }
    }

    /// Converts a document, the entry with this number, for every job.
    pub(crate) fn document(&self, entry: &Entry<'_>, at: usize) -> Vec<Ended> {
        let status = match &entry.document.kind {
            Kind::Rule(rule) => return self.whole(entry, Whole::Rule(rule), at),
            Kind::Correlation(correlation) => {
                let described = correlation.described();
                return self.whole(entry, Whole::Correlation(correlation, &described), at);
            }
            Kind::Invalid => Status::Invalid,
            Kind::Refused => Status::Refused,
            Kind::Skipped | Kind::Filter(_) | Kind::Unlinked(_) => Status::Skipped,
        };
        // What is no rule is so for every job, which a selection does not change.
        let left = |work: &Work<'_>| {
            if status == Status::Skipped || work.takes(at) { status } else { Status::Unselected }
        };
        self.works.iter().map(|work| Ended::without(left(work))).collect()
    }

    fn whole<'r>(&'r self, entry: &Entry<'_>, whole: Whole<'_, 'r>, at: usize) -> Vec<Ended> {
        let place = whole.described().span.start as usize;
        let mut transformed: Vec<Option<Transformed<'_>>> = self.chains.all().iter().map(|_| None).collect();
        let works = self.works.iter().map(|work| {
            let (true, Some(slot)) = (work.takes(at), transformed.get_mut(work.chain)) else {
                return Ended::without(Status::Unselected);
            };
            let transformed = slot.get_or_insert_with(|| {
                let chain = self.chains.all().get(work.chain).filter(|chain| !chain.is_empty());
                guarded(entry.source, place, || chain.map(|chain| whole.apply(chain)))
            });
            let mut ended = transformed
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|applied| {
                    guarded(entry.source, place, || match applied {
                        Some(made) => self.applied(work, made, at),
                        None => self.converted(work, whole, None, at),
                    })
                })
                .unwrap_or_else(|fault| refuse(Ended::without(Status::Refused), vec![fault]));
            ended.lose(&entry.document.diagnostics);
            ended
        });
        works.collect()
    }

    /// Converts what pipelines made.
    fn applied(&self, work: &Work<'_>, made: &Made<'_>, at: usize) -> Ended {
        let said = made.applied.diagnostics.clone();
        if said.iter().any(is_error) {
            return refuse(Ended::without(Status::Refused), said);
        }
        let mut ended = self.converted(work, made.whole(), Some(&made.applied), at);
        ended.lose(&said);
        ended.diagnostics.splice(0..0, said);
        ended
    }

    /// Converts what there is after the pipelines.
    fn converted(&self, work: &Work<'_>, whole: Whole<'_, '_>, applied: Option<&Applied<'_>>, at: usize) -> Ended {
        let rule = whole.described();
        let conversion = match whole {
            Whole::Rule(rule) => work.job.backend.convert(rule),
            Whole::Correlation(correlation, _) => work.job.backend.correlate(correlation),
        };
        let mut ended = Ended {
            queries: conversion.queries,
            assumptions: conversion.assumptions,
            diagnostics: conversion.diagnostics,
            ..Ended::without(match conversion.status {
                Conversion::Exact => Status::Exact,
                Conversion::Approximate => Status::Approximate,
                Conversion::Refused => Status::Refused,
            })
        };
        if ended.status == Status::Refused {
            return ended;
        }
        let denied = ended.assumptions.iter().filter(|code| self.denied.contains(code));
        let refusals: Vec<Diagnostic> = denied.map(|code| denial(*code, rule, work.job)).collect();
        if !refusals.is_empty() {
            return refuse(ended, refusals);
        }
        let chain = self.chains.all().get(work.chain);
        let shown = match applied.zip(chain).filter(|(_, chain)| chain.has_postprocessing()) {
            Some((applied, chain)) => {
                let queries = ended.queries.iter().map(|query| chain.postprocess(applied, query.clone()));
                queries.collect::<Result<Vec<String>, Diagnostic>>().map(Some)
            }
            None => Ok(None),
        };
        let mut said = Vec::new();
        let output = shown.and_then(|shown| {
            let queries = shown.as_deref().unwrap_or(&ended.queries);
            let output = work.output(chain, rule, queries, at, &mut said)?;
            Ok((shown.unwrap_or_default(), output))
        });
        ended.diagnostics.append(&mut said);
        match output {
            Ok((shown, output)) => Ended { shown, output, ..ended },
            Err(fault) => refuse(ended, vec![fault]),
        }
    }
}

impl Work<'_> {
    /// Whether the job is about the entry with this number.
    fn takes(&self, at: usize) -> bool {
        self.takes.get(at).copied().unwrap_or(false)
    }

    /// The output format of a rule's queries; what there is to say of it goes to `said`.
    fn output(
        &self,
        chain: Option<&Chain<'_>>,
        rule: &Rule<'_>,
        queries: &[String],
        at: usize,
        said: &mut Vec<Diagnostic>,
    ) -> Result<Vec<String>, Diagnostic> {
        let Some((templates, places)) = &self.templates else {
            // Finalizers are given each query by itself.
            let apart = chain.is_some_and(Chain::has_finalizers);
            return Ok(if apart { queries.to_vec() } else { vec![queries.join("\n\n")] });
        };
        let (target, format) = (self.job.backend.target, self.job.format);
        // What is wrong with them the conversion has said.
        let settings = &*self.job.backend.settings_for(rule, &mut Vec::new());
        let nowhere = Place::default();
        let names = places.get(at).unwrap_or(&nowhere);
        said.extend(templates.notes(target, format, rule, settings));
        templates.render_parts(target, format, rule, queries, settings, names).map_err(|fault| {
            let place = Span::new(rule.span.source, rule.span.start as usize, rule.span.start as usize);
            Diagnostic::at(Code::FormatFailed, place, format!("{} of {}: {fault}", format.name, target.name))
        })
    }
}

/// The names of each entry in the run. Rules that the target refuses take names too, so that a name does not depend on
/// what a target can say.
fn places(job: &Job, entries: &[Entry<'_>], takes: &[bool]) -> Vec<Place> {
    let described: Vec<Option<Rule<'_>>> = entries
        .iter()
        .map(|entry| match &entry.document.kind {
            Kind::Correlation(correlation) => Some(correlation.described()),
            _ => None,
        })
        .collect();
    let mut naming = Naming::default();
    let mut all = Vec::with_capacity(entries.len());
    for ((entry, described), taken) in entries.iter().zip(&described).zip(takes) {
        all.push(match (&entry.document.kind, described) {
            (Kind::Rule(rule), _) if *taken => naming.assign(&job.backend.settings, rule),
            (_, Some(described)) if *taken => naming.assign(&job.backend.settings, described),
            _ => Place::default(),
        });
    }
    all
}

/// The error for a rule whose query relies on an assumption that the run denies.
fn denial(code: Code, rule: &Rule<'_>, job: &Job) -> Diagnostic {
    let condition = rule.conditions.first().map_or(rule.span, |(_, span)| *span);
    let place = if code == Code::AssumeScope { rule.logsource.span.unwrap_or(condition) } else { condition };
    let message = format!("the query for {} relies on an assumption that this run denies", job.backend.target.name);
    Diagnostic::at(code, place, message).help(format!("it assumes: {}", code.meaning().trim_end_matches('.')))
}

fn refuse(mut ended: Ended, errors: Vec<Diagnostic>) -> Ended {
    ended.diagnostics.extend(errors);
    Ended { diagnostics: ended.diagnostics, ..Ended::without(Status::Refused) }
}

/// Does the work on one rule. A fault of the program itself must cost that rule only: it is an error at this place.
pub(crate) fn guarded<T>(source: SourceId, at: usize, work: impl FnOnce() -> T) -> Result<T, Diagnostic> {
    // What the work leaves behind when it breaks off is thrown away with it: nothing half-done is seen again.
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let message = "sigcast met a fault of its own at this rule, which therefore has no query";
        Diagnostic::at(Code::InternalError, Span::new(source, at, at), message)
            .help("this is worth a report, with the rule and what stands above")
    })
}

/// A document for every target of the run.
#[derive(Debug)]
pub(crate) struct Converted {
    /// What became of it, one for each job.
    pub(crate) ended: Vec<Ended>,
    /// What is written of it, likewise: texts that each could be a file of its own.
    pub(crate) texts: Vec<Vec<String>>,
}

/// The name of the text that an entry stands in.
pub(crate) fn path<'s>(sources: &'s SourceMap, entry: &Entry<'_>) -> &'s str {
    sources.get(entry.source).name()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_program_costs_one_rule() {
        let found = guarded(SourceId(3), 7, || -> u8 { panic!("on purpose") }).expect_err("it broke off");
        assert_eq!((found.code, found.span()), (Code::InternalError, Some(Span::new(SourceId(3), 7, 7))));
        assert!(is_error(&found));
        assert_eq!(guarded(SourceId(3), 7, || 1).ok(), Some(1));
    }
}
