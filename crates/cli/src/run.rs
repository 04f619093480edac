//! `sigcast convert`: read, parse, select, convert, write, report.
//!
//! Invariant: files are parsed and documents converted in parallel, and everything is written in input order; one bad
//! rule stops no other.

use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use sigcast_diagnostics::Diagnostic;
use sigcast_formats::Templates;
use sigcast_frontend::{Document, Kind, parse};
use sigcast_pipeline::Chain;

use crate::args::ConvertArgs;
use crate::baseline;
use crate::engine::{Converted, Engine, Entry, guarded};
use crate::exit::{Exit, Fault};
use crate::input::{self, Inputs};
use crate::link;
use crate::output::{self, Sink};
use crate::pipelines::{self, Chains};
use crate::plan::Plan;
use crate::summary;
use crate::terminal::Terminal;

/// Runs `sigcast convert`.
pub(crate) fn convert(args: &ConvertArgs, terminal: &Terminal) -> Result<Exit, Fault> {
    let mut plan = Plan::new(args)?;
    let sink = Sink::new(args.output.as_deref(), plan.jsonl)?;
    let templates = templates(args, &plan)?;
    if let Some(templates) = &templates {
        for job in &mut plan.jobs {
            job.alone = templates.stands_alone(job.backend.target, job.format, &job.backend.settings);
            job.extension = templates.extension(job.backend.target, job.format, &job.backend.settings);
        }
    }
    let mut inputs = input::read_with(&args.paths, &args.filter);
    let texts = pipelines::read(&args.pipeline, &mut inputs.sources)?;
    let inputs = inputs;
    let pipelines = pipelines::compile(&texts, &inputs.sources, args.allow_external, terminal)?;
    let targets: Vec<_> = plan.jobs.iter().map(|job| job.backend.target).collect();
    let chains = pipelines::chains(&pipelines, &targets, terminal)?;
    fits(&plan, &chains, &sink)?;
    schemas(args, &mut plan, &chains, terminal)?;
    let plan = plan;
    let (mut entries, unselected) = documents(&inputs, &plan, terminal);
    let engine = Engine::new(&plan.jobs, &chains, &plan.denied, templates.as_ref(), &entries, |_, _| true);
    let progress = terminal.progress(entries.len());
    let mut converted: Vec<Converted> = entries
        .par_iter()
        .enumerate()
        .map(|(at, entry)| {
            let mut ended = engine.document(entry, at);
            let texts = output::texts(&plan, &inputs.sources, entry, &mut ended);
            progress.step();
            Converted { ended, texts }
        })
        .collect();
    progress.finish();
    finalize(&plan, &chains, &mut converted)?;
    alone(&plan, &sink, &converted)?;
    let written = output::write(&sink, &plan, &entries, &converted);
    if written.as_ref().is_err_and(|(_, cause)| cause.kind() == io::ErrorKind::BrokenPipe) {
        return Ok(Exit::Done);
    }
    let targets: Vec<&str> = targets.iter().map(|target| target.name).collect();
    let tally = summary::Tally::new(targets.clone(), &entries, &converted, unselected);
    let known = &args.known;
    let judged = baseline::Run {
        file: known.baseline.as_deref(),
        may_lack: false,
        write: known.write_baseline,
        targets: &targets,
        strict: plan.strict,
        partial: !plan.selection.is_empty(),
    }
    .judge(&mut entries, &mut converted, &str::to_owned, &inputs)?;
    summary::report(terminal, &inputs, &tally, &entries, &converted);
    judged.say(terminal);
    written.map_err(|(path, cause)| Fault::io(format!("cannot write {path}: {}", input::reason(&cause))))?;
    let exit = exit(judged.fails(&tally, plan.strict), &inputs, &tally, terminal);
    drop(tally);
    // The process ends here: giving back the memory of every rule one by one would only take time.
    std::mem::forget((entries, converted));
    Ok(exit)
}

/// The schema of each target: that of the command line, or that of its pipelines.
fn schemas(args: &ConvertArgs, plan: &mut Plan, chains: &Chains<'_>, terminal: &Terminal) -> Result<(), Fault> {
    if let Some(path) = &args.schema {
        let schema = Arc::new(input::schema(path)?);
        plan.jobs.iter_mut().for_each(|job| job.backend.settings.schema = Some(schema.clone()));
        for job in plan.jobs.iter().filter(|job| !job.backend.takes_schema()) {
            let name = job.backend.target.name;
            terminal.note(&format!("{name} takes no schema: its queries are as without --schema"));
        }
        return Ok(());
    }
    let schemas = chains.schemas()?;
    for (at, job) in plan.jobs.iter_mut().enumerate() {
        job.backend.settings.schema = schemas.get(chains.number(at)).cloned().flatten();
    }
    Ok(())
}

/// Whether finalizers, which make one text of all queries, fit what else the run is asked for.
fn fits(plan: &Plan, chains: &Chains<'_>, sink: &Sink) -> Result<(), Fault> {
    if plan.jsonl || !chains.all().iter().any(Chain::has_finalizers) {
        return Ok(());
    }
    let message = "a pipeline has finalizers, which make one text of all queries: ";
    if plan.header {
        return Err(Fault::usage(format!("{message}--header has no place in it")));
    }
    if matches!(sink, Sink::Folder(_)) {
        return Err(Fault::usage(format!("{message}-o names a directory")).help("-o FILE writes it to a file"));
    }
    Ok(())
}

/// Puts what finalizers make of all queries of a target in the place of its first one.
fn finalize(plan: &Plan, chains: &Chains<'_>, converted: &mut [Converted]) -> Result<(), Fault> {
    if plan.jsonl {
        return Ok(());
    }
    for at in 0..plan.jobs.len() {
        let Some(chain) = chains.of(at).filter(|chain| chain.has_finalizers()) else { continue };
        let all: Vec<String> = converted.iter_mut().flat_map(|one| std::mem::take(&mut one.texts[at])).collect();
        let text = chain.finalize(all).map_err(Fault::usage)?;
        if let Some(first) = converted.first_mut() {
            first.texts[at] = vec![text];
        }
    }
    Ok(())
}

/// Whether a file that holds all texts may hold them.
fn alone(plan: &Plan, sink: &Sink, converted: &[Converted]) -> Result<(), Fault> {
    let Sink::File(path) = sink else { return Ok(()) };
    // A device or a pipe: a stream, as standard output is.
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Ok(());
    }
    let texts = |at: usize| converted.iter().map(|one| one.texts[at].len()).sum::<usize>();
    let all = (0..plan.jobs.len()).map(texts).sum();
    let with_text = plan.jobs.iter().enumerate().filter(|(at, _)| !plan.jsonl && texts(*at) > 0);
    match with_text.filter_map(|(_, job)| job.crowded(&path.display().to_string(), all)).next() {
        Some(fault) => {
            Err(fault.help("-o DIR/ writes one file a rule; formats of lines, such as ndjson, take several"))
        }
        None => Ok(()),
    }
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
            Kind::Correlation(correlation) => plan.selection.takes(&correlation.described()),
            _ => true,
        });
    }
    let unselected = all - entries.len();
    (entries, unselected)
}

/// The document that stands for a text of which nothing is known but what is wrong with it.
fn unread(kind: Kind<'_>, fault: Diagnostic) -> Document<'_> {
    Document { number: 1, title: None, id: None, name: None, kind, diagnostics: vec![fault] }
}

/// The exit code of a run that went through.
pub(crate) fn exit(failed: bool, inputs: &Inputs, tally: &summary::Tally<'_>, terminal: &Terminal) -> Exit {
    if !inputs.unreadable.is_empty() {
        return Exit::Io;
    }
    if tally.rules() == 0 {
        terminal.fault(&nothing(tally.unselected, inputs.texts.len(), tally.documents));
        return Exit::Rules;
    }
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
