//! What a run is told of on standard error: diagnostics, then counts with their reasons, then assumptions.
//!
//! Invariant: every error is shown in full. Warnings are shown in full as far as people read them, and counted always.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use rayon::prelude::*;
use sigcast_diagnostics::{Class, Code, Diagnostic, Severity, SourceMap, render};

use crate::engine::{Converted, Entry, Status, is_error};
use crate::input::Inputs;
use crate::terminal::{Terminal, Verbosity};

/// How many warnings of one code are shown before the rest is only counted.
const EXAMPLES: usize = 3;

/// How many documents a code was said of.
type Counts = BTreeMap<Code, usize>;

/// The counts of a run.
#[derive(Debug)]
pub(crate) struct Tally<'p> {
    /// How many documents the run was about.
    pub(crate) documents: usize,
    /// How many rules were not selected.
    pub(crate) unselected: usize,
    /// The counts of each target.
    jobs: Vec<JobTally<'p>>,
    /// Why documents are invalid, and why they were skipped: the same for every target.
    invalid: Counts,
    skipped: Counts,
    /// Warnings that make no query approximate.
    warnings: Counts,
}

/// The counts of a target.
#[derive(Debug, Default)]
struct JobTally<'p> {
    /// The target, or the name of the output.
    label: &'p str,
    exact: usize,
    approximate: usize,
    refused: usize,
    invalid: usize,
    skipped: usize,
    refused_why: Counts,
    approximate_why: Counts,
    assumptions: Counts,
}

impl<'p> Tally<'p> {
    /// Counts a run whose jobs have these names.
    pub(crate) fn new(labels: Vec<&'p str>, entries: &[Entry<'_>], converted: &[Converted], unselected: usize) -> Self {
        let mut tally = Self {
            documents: entries.len(),
            unselected,
            jobs: Vec::new(),
            invalid: Counts::new(),
            skipped: Counts::new(),
            warnings: Counts::new(),
        };
        tally.jobs.extend(labels.into_iter().map(|label| JobTally { label, ..JobTally::default() }));
        for (entry, one) in entries.iter().zip(converted) {
            tally.add(entry, one);
        }
        tally
    }

    fn add(&mut self, entry: &Entry<'_>, one: &Converted) {
        let own = &entry.document.diagnostics;
        let mut warnings: BTreeSet<Code> = BTreeSet::new();
        for (job, ended) in self.jobs.iter_mut().zip(&one.ended) {
            let all = || own.iter().chain(&ended.diagnostics);
            warnings.extend(all().map(|found| found.code).filter(|code| code.class() == Class::Warning));
            count(&mut job.assumptions, ended.assumptions.iter().copied());
            match ended.status {
                Status::Exact => job.exact += 1,
                Status::Approximate => {
                    job.approximate += 1;
                    let why = all().map(|found| found.code).filter(|code| code.class() == Class::Approximation);
                    count(&mut job.approximate_why, why);
                }
                Status::Refused => {
                    job.refused += 1;
                    count(&mut job.refused_why, all().filter(|found| is_error(found)).map(|found| found.code));
                }
                Status::Invalid => job.invalid += 1,
                Status::Skipped => job.skipped += 1,
                Status::Unselected => {}
            }
        }
        count(&mut self.warnings, warnings.into_iter());
        match one.ended.first().map(|ended| ended.status) {
            Some(Status::Invalid) => {
                count(&mut self.invalid, own.iter().filter(|found| is_error(found)).map(|found| found.code));
            }
            // A note says why; where there is none, a warning does.
            Some(Status::Skipped) => {
                let note = |found: &&Diagnostic| found.code.class() == Class::Note;
                let noted = own.iter().any(|found| note(&found));
                count(&mut self.skipped, own.iter().filter(|found| !noted || note(found)).map(|found| found.code));
            }
            _ => {}
        }
    }

    /// How many documents are rules, right or wrong.
    pub(crate) fn rules(&self) -> usize {
        self.documents - self.jobs.first().map_or(0, |job| job.skipped)
    }

    /// Whether some rule has no query.
    pub(crate) fn failed(&self) -> bool {
        self.jobs.iter().any(|job| job.refused + job.invalid > 0)
    }

    /// Whether some query is approximate.
    pub(crate) fn approximate(&self) -> bool {
        self.jobs.iter().any(|job| job.approximate > 0)
    }

    /// The counts as text, a line break after each line but the last.
    fn text(&self, terminal: &Terminal) -> String {
        let mut out = String::new();
        for job in &self.jobs {
            let _ = writeln!(out, "{}: {}", terminal.bold(job.label), job.line());
            reasons(&mut out, "refused", &job.refused_why);
            reasons(&mut out, "approximate", &job.approximate_why);
        }
        reasons(&mut out, "invalid", &self.invalid);
        reasons(&mut out, "skipped", &self.skipped);
        reasons(&mut out, "warnings", &self.warnings);
        if self.unselected > 0 {
            let _ = writeln!(out, "  not selected: {}", self.unselected);
        }
        let mut assumptions = Counts::new();
        for (code, times) in self.jobs.iter().flat_map(|job| &job.assumptions) {
            *assumptions.entry(*code).or_default() += times;
        }
        reasons(&mut out, "assumptions (the queries are right where they hold)", &assumptions);
        out.truncate(out.trim_end().len());
        out
    }
}

impl JobTally<'_> {
    fn line(&self) -> String {
        let mut parts = vec![format!("{} converted", self.exact + self.approximate)];
        if self.approximate > 0 {
            parts[0] = format!("{} ({} approximate)", parts[0], self.approximate);
        }
        for (times, word) in [(self.refused, "refused"), (self.invalid, "invalid"), (self.skipped, "skipped")] {
            if times > 0 {
                parts.push(format!("{times} {word}"));
            }
        }
        parts.join(", ")
    }
}

/// Counts each code once.
fn count(counts: &mut Counts, codes: impl Iterator<Item = Code>) {
    for code in codes.collect::<BTreeSet<Code>>() {
        *counts.entry(code).or_default() += 1;
    }
}

/// The codes, the most frequent first, with their meanings.
fn reasons(out: &mut String, title: &str, counts: &Counts) {
    if counts.is_empty() {
        return;
    }
    let _ = writeln!(out, "  {title}:");
    let mut sorted: Vec<(Code, usize)> = counts.iter().map(|(code, times)| (*code, *times)).collect();
    sorted.sort_by_key(|(code, times)| (std::cmp::Reverse(*times), *code));
    let most = sorted.first().map_or(0, |(_, times)| times.to_string().len());
    let longest = sorted.iter().map(|(code, _)| code.as_str().len()).max().unwrap_or(0);
    for (code, times) in sorted {
        let _ = writeln!(out, "    {times:most$}  {:longest$}  {}", code.as_str(), code.meaning());
    }
}

/// Says everything there is to say of a run.
pub(crate) fn report(
    terminal: &Terminal,
    inputs: &Inputs,
    tally: &Tally<'_>,
    entries: &[Entry<'_>],
    converted: &[Converted],
) {
    let mut blocks = diagnostics(terminal, inputs, entries, converted);
    if terminal.verbosity != Verbosity::Quiet && tally.documents > 0 {
        blocks.push(tally.text(terminal) + &passed_over(inputs));
    }
    if !blocks.is_empty() {
        terminal.say(&blocks.join("\n\n"));
    }
}

/// The diagnostics of a run as they are shown, and how many are not.
pub(crate) fn diagnostics(
    terminal: &Terminal,
    inputs: &Inputs,
    entries: &[Entry<'_>],
    converted: &[Converted],
) -> Vec<String> {
    let (shown, hidden) = shown(terminal.verbosity, inputs, entries, converted);
    let mut blocks: Vec<String> =
        shown.par_iter().map(|found| rendered(found, &inputs.sources, terminal.colour)).collect();
    if terminal.verbosity != Verbosity::Quiet && hidden > 0 {
        let warnings = if hidden == 1 { "warning is" } else { "warnings are" };
        blocks.push(format!("{hidden} more {warnings} not shown here; --verbose shows all"));
    }
    blocks
}

/// A line for each directory that was passed over, each with a line break before it.
pub(crate) fn passed_over(inputs: &Inputs) -> String {
    let mut text = String::new();
    for folder in &inputs.passed_over {
        let _ = write!(text, "\n  passed over, as it holds a .sigcastignore: {}", folder.display());
    }
    text
}

fn rendered(found: &Diagnostic, sources: &SourceMap, colour: bool) -> String {
    let severity = if is_error(found) { Severity::Error } else { found.severity() };
    render::text_as(found, severity, sources, colour)
}

/// What is shown, in input order, and how many warnings are not.
fn shown<'d>(
    verbosity: Verbosity,
    inputs: &'d Inputs,
    entries: &'d [Entry<'_>],
    converted: &'d [Converted],
) -> (Vec<&'d Diagnostic>, usize) {
    let mut shown: Vec<&Diagnostic> = inputs.unreadable.iter().collect();
    let mut hidden = 0;
    let mut examples = Counts::new();
    for (entry, one) in entries.iter().zip(converted) {
        let start = shown.len();
        let own = &entry.document.diagnostics;
        for found in own.iter().chain(one.ended.iter().flat_map(|ended| &ended.diagnostics)) {
            // Targets of one family say the same of a rule.
            if shown[start..].contains(&found) {
                continue;
            }
            let error = is_error(found);
            let warning = !error && found.severity() == Severity::Warning;
            if error || verbosity == Verbosity::Verbose {
                shown.push(found);
            } else if warning && verbosity == Verbosity::Usual {
                let before = examples.entry(found.code).or_default();
                *before += 1;
                if *before <= EXAMPLES {
                    shown.push(found);
                } else {
                    hidden += 1;
                }
            }
        }
    }
    (shown, hidden)
}
