//! What is written of converted rules: the texts of files, and the rows of the manifest.
//!
//! Invariant: a rule keeps its file name whether or not the target can say it: names are given to refused rules too.

use std::collections::BTreeSet;

use sigcast_diagnostics::Diagnostic;
use sigcast_diagnostics::render::row;
use sigcast_frontend::Kind;
use sigcast_ir::Rule;

use super::config::{Place, slashed};
use super::files::Planned;
use super::manifest::{FileRow, OutputRow, RuleRow, Said, sha256};
use super::pattern::{Paths, Pattern, Values, with_suffix};
use super::project::Project;
use crate::engine::{self, Entry, Status, is_error};
use crate::exit::Fault;
use crate::output;

/// Everything that a build writes.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The files.
    pub(crate) files: Vec<Planned>,
    /// The rows of rules.
    pub(crate) rules: Vec<Placed>,
    /// Rows of an earlier build that are kept, since their rules may only be unreadable today.
    pub(crate) earlier: Vec<RuleRow>,
    /// The outputs.
    pub(crate) outputs: Vec<OutputRow>,
    /// Where the manifest lies.
    pub(crate) manifest: String,
}

/// The row of a rule.
#[derive(Debug)]
pub(crate) struct Placed {
    /// The numbers of the entry and of the output.
    pub(crate) place: (usize, usize),
    /// The row.
    pub(crate) row: RuleRow,
}

/// The SHA-256 of what a format makes of a rule's queries, without the comment that may stand before them; nothing
/// without a query. Where finalizers make one text of all, their pipelines are part of it.
pub(crate) fn document_sha256(project: &Project<'_, '_>, job: usize, ended: &engine::Ended) -> Option<String> {
    if ended.output.is_empty() {
        return None;
    }
    let mut text = ended.output.join("\n\n");
    if project.chains.of(job).is_some_and(sigcast_pipeline::Chain::has_finalizers) {
        let numbers = project.config.outputs[job].pipelines.iter();
        let pipelines = numbers.filter_map(|number| project.pipelines.get(*number)).flatten();
        pipelines.for_each(|pipeline| text.extend(["\n", &pipeline.sha256]));
    }
    Some(sha256(text.as_bytes()))
}

impl Written {
    /// What is written of a project, at other paths than these. The output of its rules moves here.
    ///
    /// # Errors
    /// What keeps a finalizer from making its text.
    pub(crate) fn new(project: &mut Project<'_, '_>, taken: &BTreeSet<&str>) -> Result<Self, Fault> {
        let config = project.config;
        let hashes: Vec<Vec<Option<String>>> = project
            .converted
            .iter()
            .map(|one| one.ended.iter().enumerate().map(|(job, ended)| document_sha256(project, job, ended)).collect())
            .collect();
        let mut written = Self { manifest: config.manifest.clone(), ..Self::default() };
        let mut files_of: Vec<Vec<Vec<String>>> = Vec::with_capacity(config.outputs.len());
        for job in 0..config.outputs.len() {
            files_of.push(written.output(project, job, taken)?);
            written.outputs.push(output_row(project, job));
        }
        for (at, (entry, one)) in project.entries.iter().zip(&project.converted).enumerate() {
            for (job, ended) in one.ended.iter().enumerate() {
                if matches!(ended.status, Status::Skipped | Status::Unselected) {
                    continue;
                }
                let files = std::mem::take(&mut files_of[job][at]);
                let mut row = rule_row(project, entry, job, ended, files, &written.outputs[job]);
                row.document_sha256.clone_from(&hashes[at][job]);
                written.rules.push(Placed { place: (at, job), row });
            }
        }
        Ok(written)
    }

    /// The files of one output; for each entry, which of them hold it.
    fn output(
        &mut self,
        project: &mut Project<'_, '_>,
        job: usize,
        taken: &BTreeSet<&str>,
    ) -> Result<Vec<Vec<String>>, Fault> {
        let texts = texts(project, job);
        match &project.config.outputs[job].place {
            Place::Each(pattern) => Ok(self.each(project, job, pattern, texts, taken)),
            Place::One(pattern) => self.one(project, job, pattern, texts),
        }
    }

    fn each(
        &mut self,
        project: &Project<'_, '_>,
        job: usize,
        pattern: &Pattern,
        texts: Vec<Vec<String>>,
        taken: &BTreeSet<&str>,
    ) -> Vec<Vec<String>> {
        let mut paths = Paths::without(taken.iter().copied());
        let mut all = Vec::with_capacity(texts.len());
        for ((entry, one), texts) in project.entries.iter().zip(&project.converted).zip(texts) {
            let mut files = Vec::new();
            if !matches!(one.ended[job].status, Status::Skipped | Status::Unselected) {
                let values = values(project, entry, job);
                let first = paths.assign(pattern.path(&values), values.id);
                for (at, text) in texts.into_iter().enumerate() {
                    let path = match at {
                        0 => first.clone(),
                        _ => paths.assign(with_suffix(&first, &(at + 1).to_string()), None),
                    };
                    files.push(path.clone());
                    self.plan(project, job, path, ended_line(text));
                }
            }
            all.push(files);
        }
        all
    }

    fn one(
        &mut self,
        project: &Project<'_, '_>,
        job: usize,
        pattern: &Pattern,
        texts: Vec<Vec<String>>,
    ) -> Result<Vec<Vec<String>>, Fault> {
        let config = project.config;
        let path = pattern.path(&Values { output: fixed(project, job), ..Values::default() });
        let holds = |texts: &Vec<String>| if texts.is_empty() { Vec::new() } else { vec![path.clone()] };
        let files = texts.iter().map(holds).collect();
        let work = &config.jobs[job];
        let chain = project.chains.of(job).filter(|chain| chain.has_finalizers());
        if let Some(fault) = work.crowded(&path, texts.iter().flatten().count()).filter(|_| chain.is_none()) {
            let name = &config.outputs[job].name;
            return Err(Fault { message: format!("the output `{name}`: {}", fault.message), ..fault }
                .help("`output: dist/{slug}.{ext}` in place of `file` writes one file a rule"));
        }
        let text = match chain {
            Some(chain) => {
                let text = chain.finalize(texts.into_iter().flatten().collect());
                text.map_err(|why| Fault::usage(format!("the output `{}`: {why}", config.outputs[job].name)))?
            }
            None => {
                // Where each line is an object, an empty line is none.
                let lines = !work.format.plain && work.extension == "ndjson";
                let texts: Vec<String> = texts.into_iter().flatten().map(ended_line).collect();
                texts.join(if lines { "" } else { "\n" })
            }
        };
        self.plan(project, job, path.clone(), if text.is_empty() { text } else { ended_line(text) });
        Ok(files)
    }

    fn plan(&mut self, project: &Project<'_, '_>, job: usize, path: String, text: String) {
        let output = project.config.outputs[job].name.clone();
        self.files.push(Planned { row: FileRow { path, sha256: sha256(text.as_bytes()), output }, text });
    }
}

/// A text that ends its line.
fn ended_line(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The texts of each entry for one output, each of which could be a file of its own.
fn texts(project: &mut Project<'_, '_>, job: usize) -> Vec<Vec<String>> {
    let config = project.config;
    let header = config.outputs[job].header;
    let converted = project.entries.iter().zip(&mut project.converted);
    converted
        .map(|(entry, one)| {
            let ended = &mut one.ended[job];
            if header && !ended.output.is_empty() {
                let path = config.relative(engine::path(&project.inputs.sources, entry));
                vec![output::with_header(&config.jobs[job], &path, entry, ended)]
            } else {
                std::mem::take(&mut ended.output)
            }
        })
        .collect()
}

fn fixed<'p>(project: &Project<'p, '_>, job: usize) -> [&'p str; 4] {
    let (work, output) = (&project.config.jobs[job], &project.config.outputs[job]);
    [&output.name, work.backend.target.name, work.format.name, &work.extension]
}

/// What a pattern may ask of a document.
fn values<'p>(project: &Project<'p, '_>, entry: &'p Entry<'_>, job: usize) -> Values<'p> {
    let document = &entry.document;
    Values {
        output: fixed(project, job),
        title: document.title.as_deref(),
        id: document.id.as_deref(),
        attributes: match &document.kind {
            Kind::Rule(rule) => attributes(rule),
            Kind::Correlation(correlation) => attributes(&correlation.described()),
            _ => Default::default(),
        },
        path: project.config.below(engine::path(&project.inputs.sources, entry)),
    }
}

/// Level, status, product, category and service.
fn attributes(rule: &Rule<'_>) -> [Option<String>; 5] {
    let source = &rule.logsource;
    let text = |part: &Option<std::borrow::Cow<'_, str>>| part.as_deref().map(str::to_owned);
    let level = rule.meta.level.map(|level| level.as_str().to_owned());
    let status = rule.meta.status.map(|status| status.as_str().to_owned());
    [level, status, text(&source.product), text(&source.category), text(&source.service)]
}

fn output_row(project: &Project<'_, '_>, job: usize) -> OutputRow {
    let (work, output) = (&project.config.jobs[job], &project.config.outputs[job]);
    let pipelines = output.pipelines.iter().filter_map(|number| project.pipelines.get(*number)).flatten();
    OutputRow {
        name: output.name.clone(),
        target: work.backend.target.name.to_owned(),
        format: work.format.name.to_owned(),
        pipelines: pipelines.cloned().collect(),
        schema: project.schemas.get(job).cloned().flatten(),
    }
}

fn rule_row(
    project: &Project<'_, '_>,
    entry: &Entry<'_>,
    job: usize,
    ended: &engine::Ended,
    files: Vec<String>,
    output: &OutputRow,
) -> RuleRow {
    let document = &entry.document;
    let found = || document.diagnostics.iter().chain(&ended.diagnostics);
    let said = |error: bool| -> Vec<Said> {
        let found = found().filter(|found| is_error(found) == error);
        found.map(|found: &Diagnostic| said_of(found, project)).collect()
    };
    let config = project.config;
    RuleRow {
        id: document.id.as_deref().map(str::to_owned),
        path: slashed(std::path::Path::new(&config.relative(engine::path(&project.inputs.sources, entry)))),
        document: document.number,
        title: document.title.as_deref().map(str::to_owned),
        output: config.outputs[job].name.clone(),
        status: ended.status.as_str().to_owned(),
        assumptions: ended.assumptions.iter().map(|code| code.as_str().to_owned()).collect(),
        warnings: said(false),
        errors: said(true),
        pipelines: output.pipelines.iter().map(|pipeline| pipeline.sha256.clone()).collect(),
        document_sha256: None,
        query_sha256: (!ended.queries.is_empty()).then(|| sha256(ended.queries.join("\n\n").as_bytes())),
        queries: (config.queries && !ended.queries.is_empty()).then(|| ended.queries.clone()),
        files,
    }
}

fn said_of(found: &Diagnostic, project: &Project<'_, '_>) -> Said {
    let row = row(found, &project.inputs.sources);
    Said { code: row.code.to_owned(), message: row.message, line: row.line, column: row.column }
}
