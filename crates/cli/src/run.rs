//! `sigcast convert`: read, parse, select, convert, write, report.
//!
//! Invariant: files are parsed and documents converted in parallel, and everything is written in input order; one bad
//! rule stops no other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use sigcast_backends::Status as Conversion;
use sigcast_diagnostics::{Class, Code, Diagnostic, Severity, SourceId, SourceMap, Span};
use sigcast_formats::Templates;
use sigcast_frontend::{Document, Kind, parse};
use sigcast_ir::Rule;
use sigcast_pipeline::{Applied, Chain};

use crate::args::ConvertArgs;
use crate::exit::{Exit, Fault};
use crate::input::{self, Inputs};
use crate::link;
use crate::output::{self, Sink};
use crate::pipelines;
use crate::plan::{Job, Plan};
use crate::summary;
use crate::terminal::Terminal;

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
    /// The output format: one text, or one a query if the format is of queries; empty if there is no query.
    pub(crate) output: Vec<String>,
    /// What the data must fulfil.
    pub(crate) assumptions: Vec<Code>,
    /// What there is to say besides the document's own diagnostics.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Ended {
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

/// Runs `sigcast convert`.
pub(crate) fn convert(args: &ConvertArgs, terminal: &Terminal) -> Result<Exit, Fault> {
    let mut plan = Plan::new(args)?;
    let sink = Sink::new(args.output.as_deref(), plan.jsonl)?;
    let templates = templates(args, &plan)?;
    if let Some(templates) = &templates {
        for job in &mut plan.jobs {
            job.extension = templates.extension(job.backend.target, job.format, &job.backend.settings);
        }
    }
    let mut inputs = input::read_with(&args.paths, &args.filter);
    let texts = pipelines::read(&args.pipeline, &mut inputs.sources)?;
    let inputs = inputs;
    let pipelines = pipelines::compile(&texts, &inputs.sources, args.allow_external, terminal)?;
    let targets: Vec<_> = plan.jobs.iter().map(|job| job.backend.target).collect();
    let chains = pipelines::chains(&pipelines, &targets, terminal)?;
    schemas(args, &mut plan, &chains, terminal)?;
    let plan = plan;
    let (entries, unselected) = documents(&inputs, &plan, terminal);
    let makers: Vec<Maker<'_>> = plan
        .jobs
        .iter()
        .zip(&chains)
        .map(|(job, chain)| Maker::new(job, &plan, chain, templates.as_ref(), &entries))
        .collect();
    let progress = terminal.progress(entries.len());
    let mut converted: Vec<Converted> = entries
        .par_iter()
        .enumerate()
        .map(|(at, entry)| {
            let mut ended: Vec<Ended> = makers.iter().map(|maker| maker.end(entry, at)).collect();
            let texts = output::texts(&plan, &inputs.sources, entry, &mut ended);
            progress.step();
            Converted { ended, texts }
        })
        .collect();
    progress.finish();
    finalize(&plan, &chains, &sink, &mut converted)?;
    let written = output::write(&sink, &plan, &entries, &converted);
    if written.as_ref().is_err_and(|(_, cause)| cause.kind() == io::ErrorKind::BrokenPipe) {
        return Ok(Exit::Done);
    }
    let tally = summary::Tally::new(&plan, &entries, &converted, unselected);
    summary::report(terminal, &inputs, &tally, &entries, &converted);
    written.map_err(|(path, cause)| Fault::io(format!("cannot write {path}: {}", input::reason(&cause))))?;
    let exit = exit(&plan, &inputs, &tally, terminal);
    drop(tally);
    // The process ends here: giving back the memory of every rule one by one would only take time.
    std::mem::forget((entries, converted));
    Ok(exit)
}

/// A document for every target of the run.
#[derive(Debug)]
pub(crate) struct Converted {
    /// What became of it, one for each job.
    pub(crate) ended: Vec<Ended>,
    /// What is written of it, likewise: texts that each could be a file of its own.
    pub(crate) texts: Vec<Vec<String>>,
}

/// The schema of each target: that of the command line, or that of its pipelines.
fn schemas(args: &ConvertArgs, plan: &mut Plan, chains: &[Chain<'_>], terminal: &Terminal) -> Result<(), Fault> {
    if let Some(path) = &args.schema {
        let schema = std::sync::Arc::new(input::schema(path)?);
        plan.jobs.iter_mut().for_each(|job| job.backend.settings.schema = Some(schema.clone()));
        for job in plan.jobs.iter().filter(|job| !job.backend.takes_schema()) {
            let name = job.backend.target.name;
            terminal.note(&format!("{name} takes no schema: its queries are as without --schema"));
        }
        return Ok(());
    }
    for (job, chain) in plan.jobs.iter_mut().zip(chains) {
        job.backend.settings.schema = pipelines::schema(chain)?.map(std::sync::Arc::new);
    }
    Ok(())
}

/// Puts what finalizers make of all queries of a target in the place of its first one.
fn finalize(plan: &Plan, chains: &[Chain<'_>], sink: &Sink, converted: &mut [Converted]) -> Result<(), Fault> {
    for (at, chain) in chains.iter().enumerate().filter(|(_, chain)| chain.has_finalizers() && !plan.jsonl) {
        if plan.header {
            return Err(Fault::usage(
                "a pipeline has finalizers, which make one text of all queries: --header has no place in it",
            ));
        }
        if matches!(sink, Sink::Folder(_)) {
            return Err(Fault::usage(
                "a pipeline has finalizers, which make one text of all queries: -o names a directory",
            )
            .help("-o FILE writes it to a file"));
        }
        let all: Vec<String> = converted.iter_mut().flat_map(|one| std::mem::take(&mut one.texts[at])).collect();
        let text = chain.finalize(all).map_err(Fault::usage)?;
        if let Some(first) = converted.first_mut() {
            first.texts[at] = vec![text];
        }
    }
    Ok(())
}

/// The templates of the run, if it needs any.
fn templates(args: &ConvertArgs, plan: &Plan) -> Result<Option<Templates>, Fault> {
    let templates = match &args.templates {
        Some(folder) => {
            Templates::with_overrides(input::templates(folder)?).map_err(|fault| Fault::usage(fault.to_string()))?
        }
        None if plan.jobs.iter().all(|job| job.format.plain) => return Ok(None),
        None => Templates::builtin(),
    };
    for job in plan.jobs.iter().filter(|job| !job.format.plain) {
        let checked = templates.check(job.backend.target, job.format, &job.backend.settings);
        checked.map_err(|fault| Fault::usage(fault.to_string()))?;
    }
    Ok(Some(templates))
}

/// Every document of the input, in order.
pub(crate) fn parsed<'a>(inputs: &'a Inputs, terminal: &Terminal) -> Vec<Entry<'a>> {
    let progress = terminal.progress(inputs.texts.len());
    let parsed: Vec<Vec<Entry<'a>>> = inputs
        .texts
        .par_iter()
        .map(|(source, fault)| {
            let documents = match fault {
                None => guarded(*source, 0, || parse(&inputs.sources, *source))
                    .unwrap_or_else(|fault| vec![unread(Kind::Refused, fault)]),
                Some(fault) => vec![unread(Kind::Invalid, fault.clone())],
            };
            progress.step();
            documents.into_iter().map(|document| Entry { source: *source, document }).collect()
        })
        .collect();
    progress.finish();
    parsed.into_iter().flatten().collect()
}

/// Every document that the run is about, in input order, and the number of rules that were not selected.
fn documents<'a>(inputs: &'a Inputs, plan: &Plan, terminal: &Terminal) -> (Vec<Entry<'a>>, usize) {
    let mut entries = link::linked(inputs, parsed(inputs, terminal));
    let all = entries.len();
    if !plan.selection.is_empty() {
        entries.retain(|entry| match &entry.document.kind {
            Kind::Rule(rule) => plan.selection.takes(rule),
            _ => true,
        });
    }
    let unselected = all - entries.len();
    (entries, unselected)
}

/// The document that stands for a text of which nothing is known but what is wrong with it.
fn unread(kind: Kind<'_>, fault: Diagnostic) -> Document<'_> {
    Document { number: 1, title: None, id: None, kind, diagnostics: vec![fault] }
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

/// Makes the output of one target.
struct Maker<'p> {
    job: &'p Job,
    chain: &'p Chain<'p>,
    denied: &'p [Code],
    /// The templates, and for each entry how many texts of the same name stand before it; `None` for plain queries.
    templates: Option<(&'p Templates, Vec<usize>)>,
}

impl<'p> Maker<'p> {
    fn new(
        job: &'p Job,
        plan: &'p Plan,
        chain: &'p Chain<'p>,
        templates: Option<&'p Templates>,
        entries: &[Entry<'_>],
    ) -> Self {
        let templates = templates.filter(|_| !job.format.plain);
        Self { job, chain, denied: &plan.denied, templates: templates.map(|all| (all, earlier(job, entries))) }
    }

    /// Converts a document: the entry with this number.
    fn end(&self, entry: &Entry<'_>, at: usize) -> Ended {
        let without = |status| Ended {
            status,
            queries: Vec::new(),
            output: Vec::new(),
            assumptions: Vec::new(),
            diagnostics: Vec::new(),
        };
        match &entry.document.kind {
            Kind::Rule(rule) => {
                let mut ended = guarded(entry.source, rule.span.start as usize, || self.rule(rule, at))
                    .unwrap_or_else(|fault| refuse(without(Status::Refused), vec![fault]));
                ended.lose(&entry.document.diagnostics);
                ended
            }
            Kind::Invalid => without(Status::Invalid),
            Kind::Refused => without(Status::Refused),
            Kind::Skipped | Kind::Filter(_) => without(Status::Skipped),
        }
    }

    fn rule(&self, rule: &Rule<'_>, at: usize) -> Ended {
        if self.chain.is_empty() {
            return self.converted(rule, None, at);
        }
        let mut applied = self.chain.apply(rule.clone());
        let said = std::mem::take(&mut applied.diagnostics);
        if said.iter().any(is_error) {
            let nothing = Ended {
                status: Status::Refused,
                queries: Vec::new(),
                output: Vec::new(),
                assumptions: Vec::new(),
                diagnostics: Vec::new(),
            };
            return refuse(nothing, said);
        }
        let mut ended = self.converted(&applied.rule, Some(&applied), at);
        ended.lose(&said);
        ended.diagnostics.splice(0..0, said);
        ended
    }

    /// Converts a rule as it is after the pipelines.
    fn converted(&self, rule: &Rule<'_>, applied: Option<&Applied<'_>>, at: usize) -> Ended {
        let conversion = self.job.backend.convert(rule);
        let mut ended = Ended {
            status: match conversion.status {
                Conversion::Exact => Status::Exact,
                Conversion::Approximate => Status::Approximate,
                Conversion::Refused => Status::Refused,
            },
            queries: conversion.queries,
            output: Vec::new(),
            assumptions: conversion.assumptions,
            diagnostics: conversion.diagnostics,
        };
        if ended.status == Status::Refused {
            return ended;
        }
        let denied = ended.assumptions.iter().filter(|code| self.denied.contains(code));
        let refusals: Vec<Diagnostic> = denied.map(|code| denial(*code, rule, self.job)).collect();
        if !refusals.is_empty() {
            return refuse(ended, refusals);
        }
        let shown = match applied.filter(|_| self.chain.has_postprocessing()) {
            Some(applied) => {
                let queries = ended.queries.iter().map(|query| self.chain.postprocess(applied, query.clone()));
                queries.collect::<Result<Vec<String>, Diagnostic>>().map(Cow::Owned)
            }
            None => Ok(Cow::Borrowed(&ended.queries)),
        };
        match shown.and_then(|queries| self.output(rule, &queries, at)) {
            Ok(output) => {
                ended.output = output;
                ended
            }
            Err(fault) => refuse(ended, vec![fault]),
        }
    }

    /// The output format of a rule's queries.
    fn output(&self, rule: &Rule<'_>, queries: &[String], at: usize) -> Result<Vec<String>, Diagnostic> {
        let Some((templates, earlier)) = &self.templates else {
            // Finalizers are given each query by itself.
            return Ok(if self.chain.has_finalizers() { queries.to_vec() } else { vec![queries.join("\n\n")] });
        };
        let (target, format) = (self.job.backend.target, self.job.format);
        // What is wrong with them the conversion has said.
        let settings = &*self.job.backend.settings_for(rule, &mut Vec::new());
        let before = earlier.get(at).copied().unwrap_or(0);
        templates.render_parts(target, format, rule, queries, settings, before).map_err(|fault| {
            let place = Span::new(rule.span.source, rule.span.start as usize, rule.span.start as usize);
            Diagnostic::at(Code::FormatFailed, place, format!("{} of {}: {fault}", format.name, target.name))
        })
    }
}

/// For each entry how many texts of the same name stand before it, as those of rules with one id do. Rules that the
/// target refuses count too, so that a name does not depend on what a target can say.
fn earlier(job: &Job, entries: &[Entry<'_>]) -> Vec<usize> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        let Kind::Rule(rule) = &entry.document.kind else {
            all.push(0);
            continue;
        };
        let count = counts.entry(Templates::named_by(&job.backend.settings, rule)).or_default();
        all.push(*count);
        *count += rule.conditions.len();
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
    Ended { status: Status::Refused, queries: Vec::new(), output: Vec::new(), assumptions: Vec::new(), ..ended }
}

/// The exit code of a run that went through.
fn exit(plan: &Plan, inputs: &Inputs, tally: &summary::Tally<'_>, terminal: &Terminal) -> Exit {
    if !inputs.unreadable.is_empty() {
        return Exit::Io;
    }
    if tally.rules() == 0 {
        terminal.fault(&nothing(tally.unselected, inputs.texts.len(), tally.documents));
        return Exit::Rules;
    }
    let failed = tally.failed() || (plan.strict && tally.approximate());
    if failed { Exit::Rules } else { Exit::Done }
}

/// What is said if there was no rule to work on, for so many rules left out, texts read and documents in them.
pub(crate) fn nothing(unselected: usize, texts: usize, documents: usize) -> Fault {
    let message = match (unselected, texts, documents) {
        (0, 0, _) => "no rule found: no file ends with .yml or .yaml".to_owned(),
        (0, _, 0) => "no rule found: there is no document in the input".to_owned(),
        (0, _, 1) => "no rule found: the only document is no Sigma rule".to_owned(),
        (0, _, documents) => format!("no rule found: none of {documents} documents is a Sigma rule"),
        (1, ..) => "no rule found: the selection leaves out the only rule".to_owned(),
        (rules, ..) => format!("no rule found: the selection leaves out all of {rules} rules"),
    };
    Fault { exit: Exit::Rules, message, help: Vec::new() }
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
