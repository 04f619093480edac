//! `sigcast build`: every output that a configuration declares, in one run.
//!
//! | module | what it does |
//! |---|---|
//! | `reader`, `config`, `output` | `sigcast.yml` into types, each fault at its place |
//! | `pattern` | file names that are safe on every system and never collide |
//! | `project` | the rules of a configuration, converted for each output |
//! | `rows` | what is written of them: files, and rows of the manifest |
//! | `kept` | what stays of an earlier build for rules that have no query today |
//! | `files` | what changes on the disk, and changing it |
//! | `manifest` | what was built |
//! | `init` | a configuration to start from |
//!
//! Invariant: nothing is written before everything is converted; what is written is the same on any number of threads.

pub(crate) mod config;
mod files;
mod init;
mod kept;
pub(crate) mod manifest;
mod output;
mod pattern;
pub(crate) mod project;
mod reader;
pub(crate) mod rows;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use init::init;

use self::config::Config;
use self::files::{Changes, Step, Wanted, journal};
use self::kept::{Kept, Stays};
use self::manifest::{Manifest, VERSION, config_name};
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
    let old = Manifest::read(&root.join(&config.manifest))?;
    let left = Manifest::read(&root.join(journal(&config.manifest)))?;
    for manifest in old.iter().chain(&left) {
        manifest.of_config(&args.config, &config.manifest, args.output.is_some())?;
    }
    project::convert(config, &root, args.allow_external, terminal, |mut project| {
        let kept = Kept::new(old.as_ref(), &project);
        let written = Written::new(&mut project, &kept.paths())?;
        Built { args, terminal, root: &root, old: old.as_ref(), kept, written, stays: Stays::default() }.finish(project)
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
    /// The manifest of the build before.
    old: Option<&'b Manifest>,
    kept: Kept,
    written: Written,
    stays: Stays,
}

impl Built<'_> {
    fn finish(mut self, mut project: Project<'_, '_>) -> Result<Exit, Fault> {
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
        self.stays = self.kept.settle(self.old, &project, &mut self.written);
        let stale = self.write(&project)?;
        Ok(if args.check && stale { exit.max(Exit::Rules) } else { exit })
    }

    /// Writes what differs; whether anything did.
    fn write(&self, project: &Project<'_, '_>) -> Result<bool, Fault> {
        let config = project.config;
        // What cannot be read today would be taken for what is no longer there.
        let whole = !self.stays.any;
        let keep = self.stays.files.keys().cloned().collect();
        let inputs = self.inputs(project);
        let changes = Changes::new(&Wanted {
            root: self.root,
            manifest: &config.manifest,
            config: &self.args.config,
            files: &self.written.files,
            force: self.args.force,
            remove: whole,
            keep: &keep,
            inputs: &inputs,
        })?;
        let mut files: Vec<_> = self.written.files.iter().map(|file| file.row.clone()).collect();
        files.extend(changes.kept(&keep, !whole));
        files.sort();
        let manifest = Manifest {
            version: VERSION,
            config: Some(config_name(&self.args.config)),
            outputs: self.written.outputs.clone(),
            rules: self.written.rules.iter().map(|placed| &placed.row).chain(&self.written.earlier).cloned().collect(),
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

    /// The files that the build reads.
    fn inputs(&self, project: &Project<'_, '_>) -> Vec<PathBuf> {
        let config = project.config;
        let read = project.inputs.sources.iter().map(|(_, source)| PathBuf::from(source.name()));
        let schemas = config.outputs.iter().filter_map(|output| output.schema.clone());
        let known = self.args.known.baseline.clone().into_iter().chain(config.baseline.clone());
        read.chain(schemas).chain(known).chain([self.args.config.clone()]).collect()
    }

    /// What changed, or would.
    fn report(&self, changes: &Changes<'_>, manifest: bool, whole: bool) {
        let terminal = self.terminal;
        let pretend = self.args.check || self.args.dry_run;
        let of = |wanted: Step| changes.steps.iter().filter(move |(_, step)| **step == wanted).map(|(path, _)| path);
        for path in of(Step::Leave) {
            terminal.say(&format!("warning: {path} is no longer written, but was changed since it was: it is kept"));
        }
        let done = if pretend { "would be replaced" } else { "is replaced" };
        for path in of(Step::Overwrite) {
            terminal.say(&format!("warning: {path} was changed by another hand: it {done}"));
        }
        for path in of(Step::Force) {
            terminal.say(&format!("warning: {path} is a file that no build wrote: it {done}, as --force asks"));
        }
        for (path, rule) in &self.stays.files {
            terminal.say(&format!("warning: {path} is kept as an earlier build wrote it: {rule} has no query today"));
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
        let writes = [Step::Create, Step::Change, Step::Overwrite, Step::Force];
        let written: usize = writes.into_iter().map(|step| of(step).count()).sum();
        let removed = of(Step::Remove).count();
        let (write, remove) = if pretend { ("to write", "to remove") } else { ("written", "removed") };
        terminal.say(&format!(
            "{}: {written} {write}, {removed} {remove}, {} unchanged",
            terminal.bold("files"),
            changes.same
        ));
    }
}
