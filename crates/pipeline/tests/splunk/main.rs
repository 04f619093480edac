//! The pipelines for Sysmon, Windows channels and auditing, Splunk and CrowdStrike, by what they do to events: a rule that
//! is mapped matches the event as the product has it exactly if the rule as it was written matches the event itself.
//!
//! `SIGCAST_CORPUS` names a folder with `sigmahq/rules` and `regression`; unset, the tests of the corpus say that they skip.

mod events;
mod queries;
mod repositories;

use std::path::Path;
use std::sync::Arc;

use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Status, find};
use sigcast_diagnostics::{Class, Code, SourceMap};
use sigcast_frontend::{Kind, parse};
use sigcast_ir::Rule;
use sigcast_pipeline::{Chain, Nowhere, Pipeline, builtin};
use sigcast_testing::files;

/// Built-in pipelines in a source map of their own, which lives as long as the tests.
fn chain(names: &[&str]) -> &'static Chain<'static> {
    let mut sources = SourceMap::new();
    let ids: Vec<_> = names
        .iter()
        .map(|name| sources.add(*name, builtin(name).unwrap_or_else(|| panic!("no pipeline {name}")).text))
        .collect();
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let compile =
        |id| Arc::new(Pipeline::compile(sources, id, &Nowhere).unwrap_or_else(|faults| panic!("{faults:#?}")));
    Box::leak(Box::new(Chain::new(ids.into_iter().map(compile).collect())))
}

fn backend(target: &str) -> Backend {
    Backend::new(find(target).expect("a target"), Settings::default())
}

fn rule(logsource: &str, detection: &str) -> Rule<'static> {
    let mut sources = SourceMap::new();
    let id = sources.add("rule", format!("title: t\nlogsource: {logsource}\ndetection: {detection}\n"));
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let Kind::Rule(rule) = parse(sources, id).remove(0).kind else { panic!("no rule: {detection}") };
    *rule
}

/// The query of a rule and whether it is restricted to its log source, or why there is none.
fn convert(chain: &Chain<'_>, target: &str, rule: Rule<'_>) -> Result<(String, bool), String> {
    let applied = chain.apply(rule);
    let refusals = |all: &[sigcast_diagnostics::Diagnostic]| {
        let refused = all.iter().filter(|found| found.code.class() == Class::Refusal);
        refused.map(|found| format!("{}: {}", found.code.as_str(), found.message)).collect::<Vec<_>>().join("; ")
    };
    if applied.is_refused() {
        return Err(refusals(&applied.diagnostics));
    }
    let conversion = backend(target).convert(&applied.rule);
    if conversion.status == Status::Refused {
        return Err(refusals(&conversion.diagnostics));
    }
    let scoped = !conversion.assumptions.contains(&Code::AssumeScope);
    Ok((conversion.queries.join("\n"), scoped))
}

/// The rules under a folder, with the names of their files.
fn rules(folder: &Path) -> Vec<(String, Rule<'static>)> {
    let mut sources = SourceMap::new();
    for path in files(folder, &["yml"]) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sources.add(name, std::fs::read_to_string(&path).expect("a rule"));
    }
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let mut all = Vec::new();
    for (id, source) in sources.iter() {
        for document in parse(sources, id) {
            if let Kind::Rule(rule) = document.kind {
                all.push((source.name().to_owned(), *rule));
            }
        }
    }
    all
}
