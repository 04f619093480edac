//! `sigcast build`: every output that a configuration declares, in one run.
//!
//! | module | what it does |
//! |---|---|
//! | `reader`, `config`, `output` | `sigcast.yml` into types, each fault at its place |
//! | `pattern` | file names that are safe on every system and never collide |
//! | `project` | the rules of a configuration, converted for each output |
//! | `rows` | what is written of them: files, and rows of the manifest |
//! | `files` | what changes on the disk, and changing it |
//! | `manifest` | what was built |
//! | `init` | a configuration to start from |
//!
//! Invariant: nothing is written before everything is converted; what is written is the same on any number of threads.

pub(crate) mod config;
mod files;
mod init;
pub(crate) mod manifest;
mod output;
mod pattern;
pub(crate) mod project;
mod reader;
mod rows;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use init::init;

use self::config::Config;
use self::files::{Changes, Step};
use self::manifest::{Manifest, VERSION};
use self::project::Project;
use self::rows::Written;
use crate::args::BuildArgs;
use crate::baseline;
use crate::exit::{Exit, Fault};
use crate::input;
use crate::run;
use crate::summary;
use crate::terminal::{Terminal, Verbosity};

/// How many files are named before the rest is only counted.
const NAMED: usize = 20;

/// Runs `sigcast build`.
pub(crate) fn build(args: &BuildArgs, terminal: &Terminal) -> Result<Exit, Fault> {
    let config = Config::load(&args.config, terminal)?;
    let root = root(args, &config)?;
    project::convert(config, args.allow_external, terminal, |mut project| {
        let written = Written::new(&mut project)?;
        let built = Built { args, terminal, root: &root, written };
        built.finish(project)
    })
}

/// The folder that is written to.
fn root(args: &BuildArgs, config: &Config) -> Result<PathBuf, Fault> {
    let root = match &args.output {
        Some(folder) => {
            if !args.check && !args.dry_run {
                fs::create_dir_all(folder).map_err(|cause| {
                    Fault::io(format!("cannot write to {}: {}", folder.display(), input::reason(&cause)))
                })?;
            }
            folder.clone()
        }
        None => config.base.clone(),
    };
    Ok(if root.as_os_str().is_empty() { PathBuf::from(".") } else { root })
}

/// A build that is converted and not yet on the disk.
struct Built<'b> {
    args: &'b BuildArgs,
    terminal: &'b Terminal,
    root: &'b Path,
    written: Written,
}

impl Built<'_> {
    fn finish(&self, mut project: Project<'_, '_>) -> Result<Exit, Fault> {
        let (args, terminal) = (self.args, self.terminal);
        let labels = project.config.outputs.iter().map(|output| output.name.as_str()).collect();
        let tally = summary::Tally::new(labels, &project.entries, &project.converted, 0);
        let strict = args.strict || project.config.strict;
        let targets: Vec<&str> = project.config.jobs.iter().map(|job| job.backend.target.name).collect();
        let file = args.known.baseline.as_ref().or(project.config.baseline.as_ref());
        let judged = baseline::Run {
            file: file.map(PathBuf::as_path),
            // A build without the file is one without known failures: the configuration names where they will be.
            may_lack: args.known.baseline.is_none(),
            write: args.known.write_baseline && !args.check && !args.dry_run,
            targets: &targets,
            strict,
            partial: false,
        }
        .judge(
            &mut project.entries,
            &mut project.converted,
            &|path| project.config.relative(path),
            project.inputs,
        )?;
        summary::report(terminal, project.inputs, &tally, &project.entries, &project.converted);
        judged.say(terminal);
        let exit = run::exit(judged.fails(&tally, strict), project.inputs, &tally, terminal);
        if tally.rules() == 0 {
            // Nothing is removed for a path that leads nowhere today.
            return Ok(exit);
        }
        let stale = self.write(&project)?;
        Ok(if args.check && stale { exit.max(Exit::Rules) } else { exit })
    }

    /// Writes what differs; whether anything did.
    fn write(&self, project: &Project<'_, '_>) -> Result<bool, Fault> {
        let config = project.config;
        // What cannot be read today would be taken for what is no longer there.
        let whole = project.inputs.unreadable.is_empty();
        let changes = Changes::new(self.root, &config.manifest, &self.written.files, self.args.force, whole)?;
        let mut files: Vec<_> = self.written.files.iter().map(|file| file.row.clone()).collect();
        if !whole {
            files.extend(changes.kept());
        }
        files.sort();
        let manifest = Manifest {
            version: VERSION,
            outputs: self.written.outputs.clone(),
            rules: self.written.rules.clone(),
            files,
        };
        let text = manifest.text();
        let stale = !changes.is_empty() || changes.manifest_differs(&text);
        if !self.args.check && !self.args.dry_run {
            changes.carry_out(&text)?;
        }
        self.report(&changes, changes.manifest_differs(&text), whole);
        Ok(stale)
    }

    /// What changed, or would.
    fn report(&self, changes: &Changes<'_>, manifest: bool, whole: bool) {
        let terminal = self.terminal;
        let pretend = self.args.check || self.args.dry_run;
        let of = |wanted: Step| changes.steps.iter().filter(move |(_, step)| **step == wanted).map(|(path, _)| path);
        for path in of(Step::Leave) {
            terminal.say(&format!("warning: {path} is no longer written, but was changed since it was: it is kept"));
        }
        for path in of(Step::Overwrite) {
            let done = if pretend { "would be replaced" } else { "is replaced" };
            terminal.say(&format!("warning: {path} was changed by another hand: it {done}"));
        }
        if !whole {
            terminal.note("no file is removed, since not every rule could be read");
        }
        if changes.interrupted && !pretend {
            terminal.note("an earlier build was broken off: what it left is put in order");
        }
        if terminal.verbosity == Verbosity::Quiet && !self.args.check {
            return;
        }
        if pretend || terminal.verbosity == Verbosity::Verbose {
            let words = if pretend { ["would write", "would remove"] } else { ["wrote", "removed"] };
            let listed = changes.steps.iter().filter(|(_, step)| **step != Step::Leave);
            let lines: Vec<String> =
                listed.map(|(path, step)| format!("  {} {path}", words[usize::from(*step == Step::Remove)])).collect();
            let most = if terminal.verbosity == Verbosity::Verbose { usize::MAX } else { NAMED };
            lines.iter().take(most).for_each(|line| terminal.say(line));
            if lines.len() > most {
                terminal.say(&format!("  and {} more; --verbose names all", lines.len() - most));
            }
            if pretend && manifest {
                terminal.say(&format!("  would write {}", self.written.manifest));
            }
        }
        let written = of(Step::Create).count() + of(Step::Change).count() + of(Step::Overwrite).count();
        let removed = of(Step::Remove).count();
        let (write, remove) = if pretend { ("to write", "to remove") } else { ("written", "removed") };
        terminal.say(&format!(
            "{}: {written} {write}, {removed} {remove}, {} unchanged",
            terminal.bold("files"),
            changes.same
        ));
    }
}
