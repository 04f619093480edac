//! The rules of a configuration, converted for each of its outputs. `build` writes them, `diff` compares them.
//!
//! Invariant: nothing is written here; entries are in input order, and what became of each is in the order of outputs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use sigcast_formats::Templates;
use sigcast_frontend::Kind;
use sigcast_pipeline::Pipeline;

use super::config::{Config, Place};
use super::files::journal;
use super::manifest::{Manifest, PipelineRow, sha256};
use crate::engine::{self, Converted, Engine, Entry};
use crate::exit::Fault;
use crate::input::{self, Inputs};
use crate::link;
use crate::pipelines::{self, Chains};
use crate::run;
use crate::terminal::Terminal;

/// A configuration with its rules, converted.
pub(crate) struct Project<'p, 'a> {
    /// What was asked for.
    pub(crate) config: &'p Config,
    /// What was read.
    pub(crate) inputs: &'a Inputs,
    /// The documents.
    pub(crate) entries: Vec<Entry<'a>>,
    /// What became of each, for each output. The texts are not made yet.
    pub(crate) converted: Vec<Converted>,
    /// The chain of each output.
    pub(crate) chains: &'p Chains<'a>,
    /// Every pipeline that an output names, in the order of [`Config::pipelines`]; a folder has several.
    pub(crate) pipelines: Vec<Vec<PipelineRow>>,
    /// The SHA-256 of each output's schema file.
    pub(crate) schemas: Vec<Option<String>>,
}

/// Reads and converts, and gives what comes out to `work`.
///
/// # Errors
/// Faults of the configuration that only its files show; those of `work`.
pub(crate) fn convert<R>(
    mut config: Config,
    root: &Path,
    external: bool,
    terminal: &Terminal,
    work: impl FnOnce(Project<'_, '_>) -> Result<R, Fault>,
) -> Result<R, Fault> {
    let templates = templates(&mut config)?;
    let own = written_before(root, &config.manifest)?;
    let mut inputs = input::read_without(&config.rules, &config.filters, &own);
    if inputs.left_out > 0 {
        let files = if inputs.left_out == 1 { "1 file" } else { &format!("{} files", inputs.left_out) };
        terminal.note(&format!("{files} that an earlier build wrote among the rules: not read as such"));
    }
    let texts: Vec<Vec<pipelines::Text>> = config
        .pipelines
        .iter()
        .map(|name| pipelines::read(std::slice::from_ref(name), &mut inputs.sources))
        .collect::<Result<_, Fault>>()?;
    let inputs = inputs;
    let compiled: Vec<Vec<Arc<Pipeline<'_>>>> = texts
        .iter()
        .map(|texts| pipelines::compile(texts, &inputs.sources, external, terminal))
        .collect::<Result<_, Fault>>()?;
    let chains = chains(&config, &compiled, terminal)?;
    let schemas = schemas(&mut config, &chains, terminal)?;
    let hashes = texts.iter().map(|texts| texts.iter().map(|text| hashed(&config, text, &inputs)).collect()).collect();
    let config = config;
    let entries = link::linked(&inputs, run::parsed(&inputs, terminal));
    let takes = |job: usize, entry: &Entry<'_>| takes(&config, job, entry, &inputs);
    let engine = Engine::new(&config.jobs, &chains, &config.denied, templates.as_ref(), &entries, takes);
    let progress = terminal.progress(entries.len());
    let converted = entries
        .par_iter()
        .enumerate()
        .map(|(at, entry)| {
            let ended = engine.document(entry, at);
            progress.step();
            Converted { ended, texts: Vec::new() }
        })
        .collect();
    progress.finish();
    drop(engine);
    let project =
        Project { config: &config, inputs: &inputs, entries, converted, chains: &chains, pipelines: hashes, schemas };
    work(project)
}

/// What builds wrote into the folder, by its real path: it may lie among the rules and end as they do.
fn written_before(root: &Path, manifest: &str) -> Result<HashSet<PathBuf>, Fault> {
    let mut found = HashSet::new();
    for name in [manifest.to_owned(), journal(manifest)] {
        let files = Manifest::read(&root.join(name))?.map_or_else(Vec::new, |manifest| manifest.files);
        let paths = files.iter().map(|file| root.join(&file.path)).filter(|path| input::is_rule_file(path));
        found.extend(paths.filter_map(|path| std::fs::canonicalize(path).ok()));
    }
    Ok(found)
}

/// Whether an output is about a document. What is no readable rule is selected by its path alone: nobody can know what
/// it would have been.
fn takes(config: &Config, job: usize, entry: &Entry<'_>, inputs: &Inputs) -> bool {
    let Some(output) = config.outputs.get(job) else { return false };
    let selected = match &entry.document.kind {
        Kind::Rule(rule) => output.selection.takes(rule),
        Kind::Correlation(correlation) => output.selection.takes(&correlation.described()),
        _ => true,
    };
    selected && output.paths.takes(&config.relative(engine::path(&inputs.sources, entry)))
}

/// The templates of the run; extensions are theirs to say.
fn templates(config: &mut Config) -> Result<Option<Templates>, Fault> {
    let usage = |fault: sigcast_formats::FormatError| Fault::usage(fault.to_string());
    let templates = match &config.templates {
        Some(folder) => Templates::with_overrides(input::templates(folder)?).map_err(usage)?,
        None if config.jobs.iter().all(|job| job.format.plain) => return Ok(None),
        None => Templates::builtin(),
    };
    for (job, output) in config.jobs.iter_mut().zip(&config.outputs) {
        if !job.format.plain {
            templates
                .check(job.backend.target, job.format, &job.backend.settings)
                .map_err(|fault| Fault::usage(format!("the output `{}`: {fault}", output.name)))?;
            job.alone = templates.stands_alone(job.backend.target, job.format, &job.backend.settings);
            job.extension = templates.extension(job.backend.target, job.format, &job.backend.settings);
        }
    }
    Ok(Some(templates))
}

/// The chain of each output, of those of its pipelines that are for its target.
fn chains<'a>(config: &Config, compiled: &[Vec<Arc<Pipeline<'a>>>], terminal: &Terminal) -> Result<Chains<'a>, Fault> {
    let mut chains = Chains::default();
    for (job, output) in config.jobs.iter().zip(&config.outputs) {
        let target = job.backend.target;
        let named = output.pipelines.iter().filter_map(|number| compiled.get(*number)).flatten();
        let (of, not): (Vec<_>, Vec<_>) = named.cloned().partition(|one| pipelines::allows(one, target));
        for pipeline in not {
            let allowed = pipeline.allowed_backends().join(", ");
            terminal.note(&format!(
                "the pipeline `{}` is for {allowed} only: the output `{}` is made without it",
                pipeline.name(),
                output.name
            ));
        }
        chains.add(of);
    }
    for (at, output) in config.outputs.iter().enumerate() {
        let finalized = chains.of(at).is_some_and(sigcast_pipeline::Chain::has_finalizers);
        let message =
            format!("the output `{}`: a pipeline has finalizers, which make one text of all queries", output.name);
        if finalized && matches!(output.place, Place::Each(_)) {
            return Err(Fault::usage(message).help("`file` writes one file for all, in place of `output`"));
        }
        if finalized && output.header {
            return Err(Fault::usage(format!("{message}: `header` has no place in it")));
        }
    }
    Ok(chains)
}

/// Gives each output its schema: the one it names, else that of its pipelines. The hashes of those that are files.
fn schemas(config: &mut Config, chains: &Chains<'_>, terminal: &Terminal) -> Result<Vec<Option<String>>, Fault> {
    let of_chains = chains.schemas()?;
    let mut read: Vec<(PathBuf, Arc<sigcast_ir::schema::Schema>, String)> = Vec::new();
    let mut hashes = Vec::new();
    for (at, (job, output)) in config.jobs.iter_mut().zip(&config.outputs).enumerate() {
        let Some(path) = &output.schema else {
            job.backend.settings.schema = of_chains.get(chains.number(at)).cloned().flatten();
            hashes.push(None);
            continue;
        };
        if !read.iter().any(|(known, ..)| known == path) {
            let hash = sha256(input::whole_text(path)?.as_bytes());
            read.push((path.clone(), Arc::new(input::schema(path)?), hash));
        }
        let found = read.iter().find(|(known, ..)| known == path);
        job.backend.settings.schema = found.map(|(_, schema, _)| schema.clone());
        hashes.push(found.map(|(.., hash)| hash.clone()));
        if !job.backend.takes_schema() {
            let name = job.backend.target.name;
            terminal.note(&format!("{name} takes no schema: the output `{}` is made without it", output.name));
        }
    }
    Ok(hashes)
}

fn hashed(config: &Config, text: &pipelines::Text, inputs: &Inputs) -> PipelineRow {
    let source = inputs.sources.get(text.id);
    let name = source.name().strip_prefix('<').and_then(|name| name.strip_suffix('>'));
    let name = name.map_or_else(|| config.relative(source.name()), str::to_owned);
    PipelineRow { name, sha256: sha256(source.text().as_bytes()) }
}
