//! Faults of other converters, each as a rule with its right output: what was lost, widened or misread there, is not here.
//!
//! Invariant: an output stands here because it was read as its engine reads it. If one changes, the new one is to be
//! read again before it is taken over.

mod correlation;
mod encoding;
mod escaping;
mod logic;
mod output;
mod types;

use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Conversion, Status, TARGETS, find};
use sigcast_diagnostics::{Class, Code, SourceMap};
use sigcast_frontend::{Document, Kind, parse};

/// What must come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// An exact query with this text inside what [`ENVELOPES`] has for the target.
    Text(&'static str),
    /// Likewise, but approximate, with this warning.
    Approximate(Code, &'static str),
    /// No query, for this reason.
    Refused(Code),
}

use Output::{Approximate, Refused, Text};

/// What stands before and behind the expression, the same in every query of a target.
const ENVELOPES: [(&str, &str, &str); 4] = [
    ("kusto", "where ", ""),
    ("eql", "any where ", ""),
    ("esql", "FROM logs-*\n| WHERE ", "\n| LIMIT 10000"),
    ("sqlite", "SELECT * FROM `logs` WHERE ", ""),
];

/// The documents of one rule.
fn with_rule<T>(detections: &str, condition: &str, use_it: impl FnOnce(&[Document<'_>]) -> T) -> T {
    let detections: String = detections.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("title: t\nlogsource: {{product: windows}}\ndetection:\n{detections}  condition: {condition}\n");
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", text);
    use_it(&parse(&sources, id))
}

/// What a target makes of a rule.
fn conversion(detections: &str, condition: &str, target: &str) -> Conversion {
    with_rule(detections, condition, |documents| {
        let [Document { kind: Kind::Rule(rule), .. }] = documents else { panic!("{documents:?}") };
        Backend::new(find(target).expect("a target"), Settings::default()).convert(rule)
    })
}

/// Checks the output of a rule of these detections (lines of YAML) for each target of the table.
#[track_caller]
fn check(detections: &str, condition: &str, expected: &[(&str, Output)]) {
    for (target, expected) in expected {
        let found = conversion(detections, condition, target);
        let class = if found.status == Status::Refused { Class::Refusal } else { Class::Approximation };
        let why: Vec<Code> =
            found.diagnostics.iter().map(|one| one.code).filter(|code| code.class() == class).collect();
        let (status, code, text) = match expected {
            Text(text) => (Status::Exact, None, Some(text)),
            Approximate(code, text) => (Status::Approximate, Some(*code), Some(text)),
            Refused(code) => (Status::Refused, Some(*code), None),
        };
        let (_, open, close) = ENVELOPES.iter().find(|(name, ..)| name == target).unwrap_or(&("", "", ""));
        let queries: Vec<String> = text.iter().map(|text| format!("{open}{text}{close}")).collect();
        assert_eq!((target, found.status, found.queries), (target, status, queries));
        assert_eq!(why.first().copied(), code, "{target}");
    }
}

/// Checks that a rule is invalid, so that no target sees it, for this reason.
#[track_caller]
fn check_invalid(detections: &str, condition: &str, expected: Code) {
    with_rule(detections, condition, |documents| {
        let [Document { kind: Kind::Invalid, diagnostics, .. }] = documents else { panic!("{documents:?}") };
        let codes: Vec<Code> = diagnostics.iter().map(|found| found.code).collect();
        assert!(codes.contains(&expected), "{codes:?}");
    });
}

/// Checks that a query relies on this assumption.
#[track_caller]
fn check_assumed(detections: &str, target: &str, expected: Code) {
    let assumed = conversion(detections, "s", target).assumptions;
    assert!(assumed.contains(&expected), "{target}: {assumed:?}");
}
