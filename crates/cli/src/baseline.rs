//! `--baseline`: failures that are known, so that a run fails only on new ones.
//!
//! Invariant: a failure is a rule, a target and a code. One that is known hides no other of the same rule; one that no
//! longer occurs is said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sigcast_diagnostics::Class;

use crate::engine::{self, Converted, Entry, Status, is_error};
use crate::exit::Fault;
use crate::input::{self, Inputs};
use crate::output;
use crate::summary::Tally;
use crate::terminal::{Terminal, Verbosity};

/// The version of the file's form.
const VERSION: u32 = 1;

/// The target of a rule that is wrong for every target.
const EVERY: &str = "*";

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    known: Vec<Failure>,
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    /// The id of the rule; without one its path, and `#` and the number of the document unless it is the first.
    pub(crate) rule: String,
    /// The target; [`EVERY`] for a rule that is wrong.
    pub(crate) target: String,
    /// The code.
    pub(crate) code: String,
}

/// What a run asks of its baseline.
#[derive(Debug)]
pub(crate) struct Run<'r> {
    /// The file, if there is to be one.
    pub(crate) file: Option<&'r Path>,
    /// Whether the file may be missing.
    pub(crate) may_lack: bool,
    /// Whether the file is written.
    pub(crate) write: bool,
    /// The target of each job.
    pub(crate) targets: &'r [&'r str],
    /// Whether approximate queries fail.
    pub(crate) strict: bool,
    /// Whether the run may be about a part of the rules only.
    pub(crate) partial: bool,
}

/// What a baseline says of a run.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// Nothing if the run has no baseline.
    result: Option<Verdict>,
}

#[derive(Debug, Default)]
struct Verdict {
    file: String,
    known: usize,
    new: Vec<Failure>,
    gone: Vec<Failure>,
    written: bool,
}

/// The failures of each document and job.
type Found = BTreeMap<(usize, usize), Vec<Failure>>;

impl Run<'_> {
    /// Compares the failures of a run with those that are known. What is known is taken out of what is shown.
    ///
    /// # Errors
    /// A file that cannot be read or written, or is no baseline; `--write-baseline` without a file.
    pub(crate) fn judge(
        &self,
        entries: &mut [Entry<'_>],
        converted: &mut [Converted],
        relative: &dyn Fn(&str) -> String,
        inputs: &Inputs,
    ) -> Result<Judged, Fault> {
        let Some(path) = self.file else {
            if self.write {
                return Err(Fault::usage("--write-baseline has no file: `--baseline FILE` names it"));
            }
            return Ok(Judged::default());
        };
        let found = self.found(entries, converted, relative, inputs);
        let now: BTreeSet<&Failure> = found.values().flatten().collect();
        let before = if self.write && !path.exists() { BTreeSet::new() } else { self.read(path)? };
        let seen: BTreeSet<String> = entries.iter().map(|entry| key(entry, relative, inputs)).collect();
        let asked = |failure: &Failure| {
            let target = failure.target == EVERY || self.targets.contains(&failure.target.as_str());
            target && (!self.partial || seen.contains(&failure.rule))
        };
        let gone: Vec<Failure> =
            before.iter().filter(|failure| !now.contains(failure) && asked(failure)).cloned().collect();
        let mut result = Verdict { file: path.display().to_string(), gone, written: self.write, ..Verdict::default() };
        let known = if self.write {
            let others = before.iter().filter(|failure| !asked(failure));
            let all: BTreeSet<Failure> = others.chain(now.iter().copied()).cloned().collect();
            write(path, all.iter().cloned().collect())?;
            all
        } else {
            before
        };
        result.known = now.iter().filter(|failure| known.contains(failure)).count();
        result.new = now.iter().filter(|failure| !known.contains(failure)).map(|failure| (*failure).clone()).collect();
        hide(&found, &known, entries, converted);
        Ok(Judged { result: Some(result) })
    }

    fn read(&self, path: &Path) -> Result<BTreeSet<Failure>, Fault> {
        if self.may_lack && !path.exists() {
            return Ok(BTreeSet::new());
        }
        let wrong = |why: String| Fault::usage(format!("{} is no baseline: {why}", path.display()));
        let text = input::whole_text(path)
            .map_err(|fault| fault.help("`--write-baseline` writes it from the failures of a run"))?;
        let file: File = serde_json::from_str(&text).map_err(|why| wrong(why.to_string()))?;
        if file.version != VERSION {
            return Err(wrong(format!("its version is {}, and {VERSION} is expected", file.version)));
        }
        Ok(file.known.into_iter().collect())
    }

    fn found(
        &self,
        entries: &[Entry<'_>],
        converted: &[Converted],
        relative: &dyn Fn(&str) -> String,
        inputs: &Inputs,
    ) -> Found {
        let mut found = Found::new();
        for (at, (entry, one)) in entries.iter().zip(converted).enumerate() {
            for (job, ended) in one.ended.iter().enumerate() {
                let own = || entry.document.diagnostics.iter();
                let all = || own().chain(&ended.diagnostics);
                let (target, codes): (&str, BTreeSet<&str>) = match ended.status {
                    Status::Invalid => {
                        (EVERY, own().filter(|one| is_error(one)).map(|one| one.code.as_str()).collect())
                    }
                    Status::Refused => {
                        (self.targets[job], all().filter(|one| is_error(one)).map(|one| one.code.as_str()).collect())
                    }
                    Status::Approximate if self.strict => {
                        let lossy = all().filter(|one| one.code.class() == Class::Approximation);
                        (self.targets[job], lossy.map(|one| one.code.as_str()).collect())
                    }
                    _ => continue,
                };
                let rule = key(entry, relative, inputs);
                let failures = codes.into_iter().map(|code| Failure {
                    rule: rule.clone(),
                    target: target.to_owned(),
                    code: code.to_owned(),
                });
                found.insert((at, job), failures.collect());
            }
        }
        found
    }
}

/// What names a rule in the file.
fn key(entry: &Entry<'_>, relative: &dyn Fn(&str) -> String, inputs: &Inputs) -> String {
    let document = &entry.document;
    if let Some(id) = document.id.as_deref().filter(|id| !id.trim().is_empty()) {
        return id.to_owned();
    }
    let path = relative(engine::path(&inputs.sources, entry));
    if document.number == 1 { path } else { format!("{path}#{}", document.number) }
}

/// Takes the errors of known failures out of what is shown.
fn hide(found: &Found, known: &BTreeSet<Failure>, entries: &mut [Entry<'_>], converted: &mut [Converted]) {
    for ((at, job), failures) in found {
        if !failures.iter().all(|failure| known.contains(failure)) {
            continue;
        }
        let shown = |one: &sigcast_diagnostics::Diagnostic| !is_error(one);
        converted[*at].ended[*job].diagnostics.retain(shown);
        entries[*at].document.diagnostics.retain(shown);
    }
}

fn write(path: &Path, known: Vec<Failure>) -> Result<(), Fault> {
    // Texts only: there is nothing in it that JSON could not hold.
    let text = serde_json::to_string_pretty(&File { version: VERSION, known }).unwrap_or_default();
    output::file(path, &(text + "\n"))
}

impl Judged {
    /// Whether the run fails.
    pub(crate) fn fails(&self, tally: &Tally<'_>, strict: bool) -> bool {
        match &self.result {
            Some(result) => !result.new.is_empty(),
            None => tally.failed() || (strict && tally.approximate()),
        }
    }

    /// Says what the baseline changed.
    pub(crate) fn say(&self, terminal: &Terminal) {
        let Some(result) = &self.result else { return };
        for failure in &result.new {
            terminal.say(&format!("new failure: {} for {}: {}", failure.code, failure.target, failure.rule));
        }
        if terminal.verbosity == Verbosity::Quiet {
            return;
        }
        if result.written {
            terminal.note(&format!("{} is written: it lists {} failures of this run", result.file, result.known));
            return;
        }
        for failure in &result.gone {
            terminal.note(&format!("no longer occurs: {} for {}: {}", failure.code, failure.target, failure.rule));
        }
        let (known, new, gone) = (result.known, result.new.len(), result.gone.len());
        let mut line = format!("{}: {known} known, {new} new, {gone} no longer occur", terminal.bold("baseline"));
        if new + gone > 0 {
            line += &format!("; `--write-baseline` brings {} up to date", result.file);
        }
        terminal.say(&line);
    }
}
