//! `sigcast diff`: which queries change against a revision or a manifest, and how.
//!
//! | module | what it does |
//! |---|---|
//! | `git` | the files of a revision |
//! | `side` | the rules of one side, and which of two sides are the same |
//! | `compare` | how a query changed |
//! | `differs` | which lines of two documents differ |
//! | `report` | text, JSON, Markdown |
//!
//! Invariant: both sides are converted by this program, so a difference is one of rules, pipelines and configurations,
//! never of versions; nothing is written but the report.

mod compare;
mod differs;
mod git;
mod report;
mod side;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::compare::{Change, compare};
use self::git::Revision;
use self::report::Report;
use self::side::{Item, of_manifest, of_project, pair};
use crate::args::{DiffArgs, FailOn};
use crate::build::config::Config;
use crate::build::manifest::Manifest;
use crate::build::project::{self, Project};
use crate::exit::{Exit, Fault};
use crate::output::to_stdout;
use crate::terminal::Terminal;

/// Runs `sigcast diff`.
pub(crate) fn diff(args: &DiffArgs, terminal: &Terminal) -> Result<Exit, Fault> {
    let config = Config::load(&args.config, terminal)?;
    let root = root_of(&config);
    let manifest = Path::new(&args.base);
    if manifest.is_file() {
        let manifest = Manifest::read(manifest)?.unwrap_or_default();
        return project::convert(config, &root, args.allow_external, terminal, |project| {
            finish(args, &args.base, of_manifest(&manifest), &project)
        });
    }
    let folder = config.base.clone();
    let revision = Revision::read(&folder, &args.base)?;
    let name = args.config.file_name().unwrap_or_default().to_string_lossy();
    let path = revision.path(&name);
    if revision.links > 0 {
        terminal.note(&format!("{}: {} symbolic links are passed over", args.base, revision.links));
    }
    let label = format!("{} ({})", args.base, revision.commit.get(..12).unwrap_or(&revision.commit));
    if !path.exists() {
        let message = format!("{} has no {name}", args.base);
        // What the base has cannot be lost where nobody knows what it has.
        if args.fail_on.iter().any(|kind| *kind != FailOn::Added) {
            let help = "a configuration that was moved or renamed: `--base` may be a manifest that was built with it";
            return Err(Fault::usage(format!("{message}: nothing can be compared, as --fail-on asks")).help(help));
        }
        terminal.note(&format!("{message}: every query is new"));
        return project::convert(config, &root, args.allow_external, terminal, |project| {
            finish(args, &label, Vec::new(), &project)
        });
    }
    let of_base = |fault: Fault| Fault { message: format!("{}: {}", args.base, fault.message), ..fault };
    // What is to be said of the base was said when it was new.
    let quiet = terminal.quiet();
    let base = Config::load(&path, &quiet).map_err(of_base)?;
    let base_root = root_of(&base);
    project::convert(base, &base_root, args.allow_external, &quiet, |before| {
        project::convert(config, &root, args.allow_external, terminal, |now| {
            // Items of both sides are compared, so they live as long as the shorter-lived one.
            finish(args, &label, of_project(&before), &now)
        })
    })
}

/// The folder that builds of a configuration write to.
fn root_of(config: &Config) -> PathBuf {
    if config.base.as_os_str().is_empty() { PathBuf::from(".") } else { config.base.clone() }
}

/// Compares, and writes the report.
fn finish<'s>(args: &DiffArgs, label: &'s str, old: Vec<Item<'s>>, now: &'s Project<'s, 's>) -> Result<Exit, Fault> {
    if let Some(unreadable) = now.inputs.unreadable.first() {
        return Err(Fault::io(unreadable.message.clone()));
    }
    let changes: Vec<Change<'_>> = pair(old, of_project(now)).into_par_iter().filter_map(compare).collect();
    let report = Report::new(label, &changes);
    to_stdout(report.text(args.format).as_bytes())?;
    let fails = changes.iter().any(|change| args.fail_on.iter().any(|kind| change.is(*kind)));
    Ok(if fails { Exit::Rules } else { Exit::Done })
}
