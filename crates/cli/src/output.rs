//! What is written: plain text, rows of JSON, or one file a rule.
//!
//! Invariant: everything is written in input order through one buffer; a file is there whole or as it was before.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use sigcast_diagnostics::render::{Row, row};
use sigcast_diagnostics::{Diagnostic, SourceMap};
use sigcast_formats::file_name::Names;
use sigcast_frontend::Kind;

use crate::engine::{Converted, Ended, Entry, is_error, path};
use crate::exit::{Exit, Fault};
use crate::input::reason;
use crate::plan::{Job, Plan};

/// Where the output goes.
#[derive(Debug)]
pub(crate) enum Sink {
    /// Standard output.
    Stdout,
    /// One file.
    File(PathBuf),
    /// One file a rule.
    Folder(PathBuf),
}

/// What kept something from being written, and where.
pub(crate) type Failure = (String, io::Error);

impl Sink {
    /// The meaning of `-o`.
    pub(crate) fn new(output: Option<&Path>, jsonl: bool) -> Result<Self, Fault> {
        let Some(output) = output else { return Ok(Self::Stdout) };
        let text = output.as_os_str().as_encoded_bytes();
        if text.is_empty() {
            return Err(Fault::usage("-o has no file name"));
        }
        if text == b"-" {
            return Ok(Self::Stdout);
        }
        let folder =
            output.is_dir() || text.ends_with(b"/") || text.ends_with(std::path::MAIN_SEPARATOR_STR.as_bytes());
        match (folder, jsonl) {
            (true, true) => {
                let message = format!("--jsonl writes one file, and {} is a directory", output.display());
                Err(Fault::usage(message).help(format!("such as -o {}", output.join("rules.jsonl").display())))
            }
            (true, false) => Ok(Self::Folder(output.to_owned())),
            (false, _) => Ok(Self::File(output.to_owned())),
        }
    }
}

/// An object of `--jsonl`. Other programs rely on the keys and their order.
#[derive(Serialize)]
struct Object<'a> {
    path: &'a str,
    document: usize,
    rule_id: Option<&'a str>,
    title: Option<&'a str>,
    target: &'static str,
    format: &'static str,
    status: &'static str,
    assumptions: Vec<&'static str>,
    queries: &'a [String],
    output: Option<String>,
    warnings: Vec<Row>,
    errors: &'a [Row],
    error: Option<&'a Row>,
}

/// What is written of a document for each target. Plain texts have no line break at their end. The output of `ended`
/// moves here.
pub(crate) fn texts(plan: &Plan, sources: &SourceMap, entry: &Entry<'_>, ended: &mut [Ended]) -> Vec<Vec<String>> {
    let jobs = plan.jobs.iter().zip(ended);
    jobs.map(|(job, ended)| {
        if plan.jsonl {
            vec![object(job, sources, entry, ended)]
        } else if plan.header && !ended.output.is_empty() {
            vec![with_header(job, path(sources, entry), entry, ended)]
        } else {
            std::mem::take(&mut ended.output)
        }
    })
    .collect()
}

fn object(job: &Job, sources: &SourceMap, entry: &Entry<'_>, ended: &Ended) -> String {
    let document = &entry.document;
    let found = || document.diagnostics.iter().chain(&ended.diagnostics);
    let rows = |error: bool| -> Vec<Row> {
        found().filter(|found| is_error(found) == error).map(|found: &Diagnostic| row(found, sources)).collect()
    };
    let errors = rows(true);
    let object = Object {
        path: path(sources, entry),
        document: document.number,
        rule_id: document.id.as_deref(),
        title: document.title.as_deref(),
        target: job.backend.target.name,
        format: job.format.name,
        status: ended.status.as_str(),
        assumptions: ended.assumptions.iter().map(|code| code.as_str()).collect(),
        queries: &ended.queries,
        output: (!ended.output.is_empty()).then(|| ended.output.concat()),
        warnings: rows(false),
        errors: &errors,
        error: errors.first(),
    };
    // Texts, numbers and lists only: there is nothing in it that JSON could not hold.
    serde_json::to_string(&object).unwrap_or_default()
}

/// Queries, each with a comment before it that names the rule and its path.
pub(crate) fn with_header(job: &Job, path: &str, entry: &Entry<'_>, ended: &Ended) -> String {
    let document = &entry.document;
    let parts = [document.title.as_deref(), document.id.as_deref(), Some(path)];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    let header = job.backend.target.comment.line(&parts.join(" | "));
    let shown = if ended.shown.is_empty() { &ended.queries } else { &ended.shown };
    let queries: Vec<String> = shown.iter().map(|query| format!("{header}\n{query}")).collect();
    queries.join("\n\n")
}

/// Writes everything.
pub(crate) fn write(sink: &Sink, plan: &Plan, entries: &[Entry<'_>], converted: &[Converted]) -> Result<(), Failure> {
    match sink {
        Sink::Stdout => {
            let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
            stream(&mut out, plan, converted)
                .and_then(|()| out.flush())
                .map_err(|cause| ("to standard output".to_owned(), cause))
        }
        Sink::File(path) => replace(path, |out| stream(out, plan, converted)),
        Sink::Folder(path) => folder(path, plan, entries, converted),
    }
}

/// Everything one after the other.
fn stream(out: &mut dyn Write, plan: &Plan, converted: &[Converted]) -> io::Result<()> {
    let mut first = true;
    for one in converted {
        let texts = plan.jobs.iter().zip(&one.texts).flat_map(|(job, texts)| texts.iter().map(move |text| (job, text)));
        for (job, text) in texts {
            // Where each line is an object, an empty line is none.
            let lines = plan.jsonl || (!job.format.plain && job.extension == "ndjson");
            if !first && !lines {
                out.write_all(b"\n")?;
            }
            line(out, text)?;
            first = false;
        }
    }
    Ok(())
}

/// A text that ends its line.
fn line(out: &mut dyn Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") }
}

/// One file a rule, named by its title; with several targets, in a folder for each.
fn folder(root: &Path, plan: &Plan, entries: &[Entry<'_>], converted: &[Converted]) -> Result<(), Failure> {
    let mut names = Names::new();
    let mut files: Vec<(PathBuf, &str)> = Vec::new();
    for (entry, one) in entries.iter().zip(converted) {
        let document = &entry.document;
        if matches!(document.kind, Kind::Skipped) {
            continue;
        }
        // Rules without a query take a name too, so that a name does not depend on what a target can say.
        let name = names.assign(document.title.as_deref(), document.id.as_deref());
        let mut own = vec![name];
        for (job, texts) in plan.jobs.iter().zip(&one.texts) {
            let folder = if plan.jobs.len() > 1 { root.join(job.backend.target.name) } else { root.to_owned() };
            for (at, text) in texts.iter().enumerate() {
                if at == own.len() {
                    own.push(names.assign(Some(&format!("{} {}", own[0], at + 1)), None));
                }
                files.push((folder.join(format!("{}.{}", own[at], job.extension)), text));
            }
        }
    }
    let folders: BTreeSet<&Path> =
        std::iter::once(root).chain(files.iter().filter_map(|(file, _)| file.parent())).collect();
    for folder in folders {
        fs::create_dir_all(folder).map_err(|cause| (folder.display().to_string(), cause))?;
    }
    files.par_iter().try_for_each(|(file, text)| replace(file, |out| line(out, text)))
}

/// Writes a file beside its place and moves it there once it is whole. What is no regular file (a device, a named pipe)
/// is written to directly.
fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    replaced(path, write).map_err(|cause| (path.display().to_string(), cause))
}

pub(crate) fn replaced(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let filled = |file: fs::File| -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        write(&mut out)?;
        out.flush()
    };
    let before = fs::metadata(path).ok();
    if before.as_ref().is_some_and(|about| !about.is_file()) {
        return filled(fs::OpenOptions::new().write(true).open(path)?);
    }
    // A link stays a link: what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?;
    let beside = path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let done = fs::File::create(&beside).and_then(filled).and_then(|()| {
        if let Some(before) = before {
            fs::set_permissions(&beside, before.permissions())?;
        }
        fs::rename(&beside, &path)
    });
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}

/// Writes a file that a command was asked for.
pub(crate) fn file(path: &Path, text: &str) -> Result<(), Fault> {
    replace(path, |out| out.write_all(text.as_bytes()))
        .map_err(|(path, cause)| Fault::io(format!("cannot write {path}: {}", reason(&cause))))
}

/// Writes what a command other than `convert` was asked for. A reader that has gone away is no failure.
pub(crate) fn to_stdout(bytes: &[u8]) -> Result<Exit, Fault> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::io(format!("cannot write to standard output: {}", reason(&cause))))
        }
        _ => Ok(Exit::Done),
    }
}
