//! `sigcast pipeline`: check, show, explain, coverage.
//!
//! Invariant: what was asked for goes to standard output; a rule that is wrong stops no other.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use sigcast_diagnostics::{Diagnostic, SourceMap, render};
use sigcast_frontend::Kind;
use sigcast_ir::Rule;
use sigcast_pipeline::{Chain, Coverage, Event, Gap, Outcome, builtin, builtins};

use crate::args::{PipelineOf, PipelineWhat};
use crate::engine::{self, Entry};
use crate::exit::{Exit, Fault};
use crate::input::{self, Inputs};
use crate::link;
use crate::output::to_stdout;
use crate::pipelines;
use crate::run;
use crate::terminal::Terminal;

/// Runs `sigcast pipeline`.
pub(crate) fn pipeline(what: &PipelineWhat, terminal: &Terminal) -> Result<Exit, Fault> {
    match what {
        PipelineWhat::Check { names, allow_external } => check(names, *allow_external, terminal),
        PipelineWhat::Show { name, schema } => show(name, *schema),
        PipelineWhat::Explain { which, all, json, paths } => explain(which, *all, *json, paths, terminal),
        PipelineWhat::Coverage { which, json, paths } => coverage(which, *json, paths, terminal),
    }
}

fn check(names: &[String], external: bool, terminal: &Terminal) -> Result<Exit, Fault> {
    let mut sources = SourceMap::new();
    let texts = pipelines::read(names, &mut sources)?;
    for pipeline in pipelines::compile(&texts, &sources, external, terminal)? {
        let backends = pipeline.allowed_backends();
        let of = if backends.is_empty() { String::new() } else { format!(", for {}", backends.join(", ")) };
        let items = match pipeline.len() {
            1 => "1 item".to_owned(),
            several => format!("{several} items"),
        };
        terminal.note(&format!("`{}` is right: {items}, priority {}{of}", pipeline.name(), pipeline.priority()));
    }
    Ok(Exit::Done)
}

fn show(name: &str, schema: bool) -> Result<Exit, Fault> {
    let Some(found) = builtin(name) else {
        let fault = Fault::usage(format!("there is no built-in pipeline `{name}`"));
        return Err(fault
            .near(name, builtins().map(|found| found.name))
            .help("`sigcast list pipelines` shows all of them"));
    };
    if !schema {
        return to_stdout(found.text.as_bytes());
    }
    let mut sources = SourceMap::new();
    let id = sources.add(found.name, found.text);
    let pipeline = sigcast_pipeline::Pipeline::compile(&sources, id, &sigcast_pipeline::Nowhere).ok();
    let text = pipeline.as_ref().and_then(|pipeline| pipeline.schema()).and_then(sigcast_pipeline::schema);
    match text {
        Some(text) => to_stdout(text.as_bytes()),
        None => Err(Fault::usage(format!("the pipeline `{name}` has no schema"))),
    }
}

/// The rules of the input with the chain that is asked for, given to `work`; what is wrong with documents is said.
fn with_rules(
    which: &PipelineOf,
    paths: &[PathBuf],
    terminal: &Terminal,
    work: impl FnOnce(&Chain<'_>, &[(&Entry<'_>, &Rule<'_>)], &Inputs) -> Result<String, Fault>,
) -> Result<Exit, Fault> {
    let mut inputs = input::read(paths);
    let texts = pipelines::read(&which.pipeline, &mut inputs.sources)?;
    let inputs = inputs;
    let chain = Chain::new(pipelines::compile(&texts, &inputs.sources, which.allow_external, terminal)?);
    let entries = link::linked(&inputs, run::parsed(&inputs, terminal));
    let mut exit = Exit::Done;
    for found in &inputs.unreadable {
        terminal.say(&render::text(found, &inputs.sources, terminal.colour));
        exit = Exit::Io;
    }
    let mut rules = Vec::new();
    for entry in &entries {
        match &entry.document.kind {
            Kind::Rule(rule) => rules.push((entry, rule.as_ref())),
            // What pipelines do to its rules shows where these stand alone, as `generate: true` lets them.
            Kind::Correlation(_) | Kind::Skipped | Kind::Filter(_) | Kind::Unlinked(_) => {}
            Kind::Invalid | Kind::Refused => {
                for found in entry.document.diagnostics.iter().filter(|found| engine::is_error(found)) {
                    terminal.say(&render::text(found, &inputs.sources, terminal.colour));
                }
                exit = exit.max(Exit::Rules);
            }
        }
    }
    if rules.is_empty() {
        terminal.fault(&run::nothing(0, inputs.texts.len(), entries.len()));
        return Ok(exit.max(Exit::Rules));
    }
    let text = work(&chain, &rules, &inputs)?;
    to_stdout(text.as_bytes())?;
    Ok(exit)
}

/// A row of `explain --json`.
#[derive(Serialize)]
struct Row<'e> {
    path: &'e str,
    rule_id: Option<&'e str>,
    title: &'e str,
    pipeline: &'e str,
    item: &'e str,
    r#type: &'static str,
    detection: Option<&'e str>,
    before: Option<&'e str>,
    effect: &'static str,
    after: Option<&'e str>,
}

fn explain(which: &PipelineOf, all: bool, json: bool, paths: &[PathBuf], terminal: &Terminal) -> Result<Exit, Fault> {
    with_rules(which, paths, terminal, |chain, rules, inputs| {
        let mut text = String::new();
        for (entry, rule) in rules {
            let (applied, events) = chain.explain((*rule).clone());
            let shown: Vec<&Event> = events.iter().filter(|event| all || does(event)).collect();
            let path = engine::path(&inputs.sources, entry);
            if json {
                for event in shown {
                    let row = row(path, rule, event);
                    // Texts only: there is nothing in it that JSON could not hold.
                    text.push_str(&serde_json::to_string(&row).unwrap_or_default());
                    text.push('\n');
                }
            } else {
                if !text.is_empty() {
                    text.push('\n');
                }
                let _ = writeln!(text, "{} ({path})", rule.meta.title);
                shown.iter().for_each(|event| line(&mut text, event));
                outcome(&mut text, &applied.rule, &applied.diagnostics);
            }
        }
        Ok(text)
    })
}

/// Whether an item did something.
fn does(event: &Event) -> bool {
    match &event.effect {
        Outcome::Changed(_) | Outcome::Dropped => true,
        Outcome::Rule(held) => *held && event.detection.is_none(),
        Outcome::Passed | Outcome::Unchanged => false,
    }
}

fn row<'e>(path: &'e str, rule: &'e Rule<'_>, event: &'e Event) -> Row<'e> {
    let (effect, after) = match &event.effect {
        Outcome::Rule(true) => ("applies", None),
        Outcome::Rule(false) => ("rule conditions do not hold", None),
        Outcome::Passed => ("item or field conditions do not hold", None),
        Outcome::Unchanged => ("nothing to change", None),
        Outcome::Changed(after) => ("changed", Some(after.as_str())),
        Outcome::Dropped => ("dropped", None),
    };
    Row {
        path,
        rule_id: rule.meta.id.as_deref(),
        title: &rule.meta.title,
        pipeline: &event.pipeline,
        item: &event.item,
        r#type: event.kind,
        detection: event.detection.as_deref(),
        before: event.before.as_deref(),
        effect,
        after,
    }
}

fn line(text: &mut String, event: &Event) {
    let _ = match (&event.effect, &event.detection, &event.before) {
        (Outcome::Rule(true), ..) => writeln!(text, "  {} / {} ({})", event.pipeline, event.item, event.kind),
        (Outcome::Rule(false), ..) => {
            writeln!(
                text,
                "  {} / {} ({}): its conditions on the rule do not hold",
                event.pipeline, event.item, event.kind
            )
        }
        (effect, Some(detection), Some(before)) => match effect {
            Outcome::Changed(after) => writeln!(text, "    {detection}: {before}\n      -> {after}"),
            Outcome::Dropped => writeln!(text, "    {detection}: {before}\n      -> dropped"),
            Outcome::Passed => {
                writeln!(text, "    {detection}: {before}: its conditions on the item or field do not hold")
            }
            _ => writeln!(text, "    {detection}: {before}: nothing to change"),
        },
        _ => Ok(()),
    };
}

fn outcome(text: &mut String, rule: &Rule<'_>, diagnostics: &[Diagnostic]) {
    for (key, value) in &rule.prepared.options {
        let _ = writeln!(text, "  sets {key}={value}");
    }
    for found in diagnostics {
        let _ = writeln!(text, "  {}[{}]: {}", found.code.class().as_str(), found.code.as_str(), found.message);
    }
}

/// A row of `coverage --json`.
#[derive(Serialize)]
struct Source<'g> {
    logsource: &'g str,
    rules: usize,
    refused: usize,
    unmapped: Vec<Unmapped<'g>>,
}

#[derive(Serialize)]
struct Unmapped<'g> {
    field: &'g str,
    rules: usize,
}

fn coverage(which: &PipelineOf, json: bool, paths: &[PathBuf], terminal: &Terminal) -> Result<Exit, Fault> {
    with_rules(which, paths, terminal, |chain, rules, _| {
        let mut coverage = Coverage::new();
        for (_, rule) in rules {
            coverage.add(chain, rule, &chain.apply((*rule).clone()));
        }
        let gaps = coverage.gaps();
        Ok(if json { rows(&gaps) } else { table(&gaps) })
    })
}

fn rows(gaps: &[Gap]) -> String {
    let mut text = String::new();
    for gap in gaps {
        let unmapped = gap.unmapped.iter().map(|(field, rules)| Unmapped { field, rules: *rules }).collect();
        let row = Source { logsource: &gap.logsource, rules: gap.rules, refused: gap.refused, unmapped };
        text.push_str(&serde_json::to_string(&row).unwrap_or_default());
        text.push('\n');
    }
    text
}

fn table(gaps: &[Gap]) -> String {
    let mut text = String::new();
    for gap in gaps {
        let rules = if gap.rules == 1 { "rule" } else { "rules" };
        let refused = if gap.refused == 0 { String::new() } else { format!(", {} refused by a pipeline", gap.refused) };
        let _ = writeln!(text, "{}: {} {rules}{refused}", gap.logsource, gap.rules);
        for (field, count) in &gap.unmapped {
            let _ = writeln!(text, "{count:>7}  {field}");
        }
    }
    text
}
