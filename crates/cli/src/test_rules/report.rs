//! Results as text, JSON and JUnit XML.
//!
//! Invariant: other programs rely on the keys of the JSON objects and their order; every format has every case, but that
//! the text leaves out what passed unless it is asked for.

use std::fmt::Write;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;
use sigcast_frontend::Kind;

use super::Tested;
use super::explain::{Explained, Item, listed};
use super::judge::{Case, Outcome, Shown};
use crate::args::TestFormat;
use crate::engine::Entry;
use crate::terminal::Terminal;

/// How many items of a detection are shown in text.
const ITEMS: usize = 12;

/// How many cases that were not decided are shown in text, unless all are asked for.
const UNDECIDED: usize = 3;

/// The counts of a run.
#[derive(Debug)]
pub(super) struct Counts {
    /// Rules, right or wrong.
    pub(super) rules: usize,
    untested: usize,
    passed: usize,
    failed: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    pub(super) fn new(entries: &[Entry<'_>], tested: &[Tested<'_>]) -> Self {
        let rules = entries.iter().zip(tested).filter(|(entry, _)| !matches!(entry.document.kind, Kind::Skipped));
        let of =
            |outcome: Outcome| tested.iter().flat_map(|one| &one.cases).filter(|case| case.outcome == outcome).count();
        Self {
            rules: rules.clone().count(),
            untested: rules.filter(|(_, one)| one.cases.is_empty()).count(),
            passed: of(Outcome::Passed),
            failed: of(Outcome::Failed),
            errors: of(Outcome::Error),
            skipped: of(Outcome::Skipped),
        }
    }

    /// How many cases there are.
    pub(super) fn cases(&self) -> usize {
        self.passed + self.failed + self.errors + self.skipped
    }

    /// Whether the run failed. Cases that were not decided alone are no success.
    pub(super) fn failed(&self, strict: bool) -> bool {
        self.failed + self.errors > 0 || self.passed == 0 || (strict && self.skipped + self.untested > 0)
    }

    /// The counts in words.
    pub(super) fn line(&self, terminal: &Terminal) -> String {
        let mut line = format!("{}: {} passed", terminal.bold("test"), self.passed);
        let words = [(self.failed, "failed"), (self.skipped, "not decided")];
        for (times, word) in words.iter().filter(|(times, _)| *times > 0) {
            let _ = write!(line, ", {times} {word}");
        }
        if self.errors > 0 {
            let _ = write!(line, ", {}", count(self.errors, "error"));
        }
        let _ = write!(line, "\n  rules: {} with tests", self.rules - self.untested);
        if self.untested > 0 {
            let _ = write!(line, ", {} without", self.untested);
        }
        line
    }
}

/// A number of things.
pub(super) fn count(times: usize, word: &str) -> String {
    if times == 1 { format!("1 {word}") } else { format!("{times} {word}s") }
}

/// The results in a format.
pub(super) fn write(format: TestFormat, tested: &[Tested<'_>], all: bool) -> Result<String, String> {
    match format {
        TestFormat::Text => Ok(text(tested, all)),
        TestFormat::Json => json(tested).map_err(|fault| fault.to_string()),
        TestFormat::Junit => junit(tested),
    }
}

/// Where a case stands.
fn place(case: &Case) -> String {
    let mut place = case.file.clone();
    for number in [case.line, case.column].into_iter().flatten() {
        let _ = write!(place, ":{number}");
    }
    place
}

fn text(tested: &[Tested<'_>], all: bool) -> String {
    let mut out = String::new();
    let mut undecided = 0;
    for one in tested {
        let mut cases: Vec<&Case> = Vec::new();
        for case in &one.cases {
            let quiet = match case.outcome {
                Outcome::Passed => case.message.is_empty(),
                Outcome::Skipped => {
                    undecided += 1;
                    undecided > UNDECIDED
                }
                Outcome::Failed | Outcome::Error => false,
            };
            if all || !quiet {
                cases.push(case);
            }
        }
        if cases.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        match one.title {
            Some(title) => {
                let _ = writeln!(out, "{title} ({})", one.path);
            }
            None => {
                let _ = writeln!(out, "{}", one.path);
            }
        }
        for case in cases {
            let _ = write!(out, "  {}  {}", case.outcome.as_str(), place(case));
            if !case.name.is_empty() {
                let _ = write!(out, " ({})", case.name);
            }
            out.push('\n');
            if !case.message.is_empty() {
                let _ = writeln!(out, "    {}", case.message);
            }
            details(&mut out, one.path, case);
        }
    }
    if !all && undecided > UNDECIDED {
        let _ = writeln!(out, "\n{} more not decided: --verbose shows them", undecided - UNDECIDED);
    }
    out
}

/// Why a case failed.
fn details(out: &mut String, path: &str, case: &Case) {
    for shown in &case.shown {
        if case.line.is_none() {
            let _ = writeln!(out, "    event {} (line {})", shown.number, shown.line);
        }
        event(out, path, shown);
    }
}

fn event(out: &mut String, path: &str, shown: &Shown) {
    for one in &shown.conditions {
        let _ = writeln!(
            out,
            "    condition {}: {}",
            if one.matches { "matches" } else { "does not match" },
            one.condition
        );
        for part in &one.detections {
            let _ = writeln!(out, "      {} {}", yes(part.matches), part.name);
            // What makes the detection's answer comes first.
            let (first, rest): (Vec<&Item>, Vec<&Item>) =
                part.items.iter().partition(|item| item.matches == part.matches);
            for found in first.iter().chain(&rest).take(ITEMS) {
                let _ = writeln!(out, "        {} {} [line {}]", yes(found.matches), found.item, found.line);
                if !found.matches || one.matches {
                    let _ = writeln!(out, "            {}", has(found));
                }
            }
            if part.items.len() > ITEMS {
                let _ = writeln!(out, "        and {} more", count(part.items.len() - ITEMS, "item"));
            }
        }
        nearest(out, path, one);
    }
}

fn nearest(out: &mut String, path: &str, one: &Explained) {
    if one.nearest.is_empty() {
        return;
    }
    let change = if one.matches { "nearest change that would make it not match" } else { "nearest miss" };
    let _ = writeln!(out, "    {change}: {}", count(one.nearest.len(), "item"));
    for item in &one.nearest {
        let _ = writeln!(out, "      {path}:{}: {}: {}", item.line, item.detection, item.item);
        let _ = writeln!(out, "        {}", has(item));
    }
}

fn yes(matches: bool) -> &'static str {
    if matches { "yes" } else { "no " }
}

/// What the event has where an item asks.
fn has(item: &Item) -> String {
    let mut text = match (&item.field, &item.found) {
        (None, _) if item.matches => "some value of the event has it".to_owned(),
        (None, _) => "no value of the event has it".to_owned(),
        (Some(field), None) => format!("the event has no {field}"),
        (Some(field), Some(found)) => format!("the event has {field}: {}", listed(found)),
    };
    if let Some(note) = &item.note {
        let _ = write!(text, " ({note})");
    }
    text
}

/// A line of JSON.
#[derive(Serialize)]
struct Object<'a> {
    path: &'a str,
    document: usize,
    rule_id: Option<&'a str>,
    title: Option<&'a str>,
    test: &'a str,
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    expected: &'a str,
    status: &'static str,
    message: &'a str,
    events: Vec<Event<'a>>,
}

#[derive(Serialize)]
struct Event<'a> {
    number: usize,
    line: usize,
    conditions: &'a [Explained],
}

fn json(tested: &[Tested<'_>]) -> Result<String, serde_json::Error> {
    let mut out = String::new();
    for one in tested {
        for case in &one.cases {
            let events = case.shown.iter();
            let object = Object {
                path: one.path,
                document: one.document,
                rule_id: one.rule_id,
                title: one.title,
                test: &case.name,
                file: &case.file,
                line: case.line,
                column: case.column,
                expected: &case.expected,
                status: case.outcome.as_str(),
                message: &case.message,
                events: events
                    .map(|shown| Event { number: shown.number, line: shown.line, conditions: &shown.conditions })
                    .collect(),
            };
            out += &serde_json::to_string(&object)?;
            out.push('\n');
        }
    }
    Ok(out)
}

/// A suite a rule, a case a test. No times: they would differ from run to run.
fn junit(tested: &[Tested<'_>]) -> Result<String, String> {
    let mut report = Report::new("sigcast test");
    for one in tested.iter().filter(|one| !one.cases.is_empty()) {
        let mut suite = TestSuite::new(one.path);
        for case in &one.cases {
            let mut status = match case.outcome {
                Outcome::Passed => TestCaseStatus::success(),
                Outcome::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
                Outcome::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
                Outcome::Skipped => TestCaseStatus::skipped(),
            };
            if !case.message.is_empty() {
                status.set_message(&case.message);
            }
            let mut why = String::new();
            details(&mut why, one.path, case);
            if !why.is_empty() {
                status.set_description(why);
            }
            let name = if case.name.is_empty() { place(case) } else { format!("{} ({})", case.name, place(case)) };
            let mut made = TestCase::new(format!("{name}: {}", case.expected), status);
            made.set_classname(one.title.unwrap_or(one.path));
            suite.add_test_case(made);
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|fault| fault.to_string())
}
