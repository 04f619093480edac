//! What the tests of pipelines share: rules and pipelines from pieces of YAML.

use std::sync::Arc;

use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, find};
use sigcast_diagnostics::{Diagnostic, SourceMap, render};
use sigcast_frontend::Kind;
use sigcast_ir::Rule;
use sigcast_pipeline::{Applied, Chain, Nowhere, Pipeline, World};

/// A rule with this log source and detection section.
pub fn rule_text(logsource: &str, detection: &str) -> String {
    let indented: String = detection.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "title: A title\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {logsource}\nlevel: high\ntags: [attack.t1059]\nfields: [Image]\ndetection:\n{indented}"
    )
}

/// Applies pipelines, each from its text, to a rule, and gives the result to `then`.
pub fn with<T>(
    pipelines: &[&str],
    rule: &str,
    world: &dyn World,
    then: impl FnOnce(&Chain<'_>, &Rule<'_>, &Applied<'_>) -> T,
) -> T {
    let mut sources = SourceMap::new();
    let ids: Vec<_> = pipelines.iter().map(|text| sources.add("pipeline.yml", (*text).to_owned())).collect();
    let rule_id = sources.add("rule.yml", rule.to_owned());
    let compiled = ids.into_iter().map(|id| match Pipeline::compile(&sources, id, world) {
        Ok(pipeline) => Arc::new(pipeline),
        Err(faults) => panic!("{}", shown(&faults, &sources)),
    });
    let chain = Chain::new(compiled.collect());
    let documents = sigcast_frontend::parse(&sources, rule_id);
    let Some(Kind::Rule(rule)) = documents.first().map(|document| &document.kind) else {
        panic!("{rule}: {:?}", documents.iter().map(|document| &document.diagnostics).collect::<Vec<_>>());
    };
    let applied = chain.apply(rule.as_ref().clone());
    then(&chain, rule, &applied)
}

fn shown(faults: &[Diagnostic], sources: &SourceMap) -> String {
    faults.iter().map(|fault| render::text(fault, sources, false)).collect::<Vec<_>>().join("\n")
}

/// The Lucene query of a rule after a pipeline of these items, or `! code: message` of what refuses it.
pub fn lucene(items: &str, logsource: &str, detection: &str) -> String {
    let pipeline = pipeline(items);
    with(&[&pipeline], &rule_text(logsource, detection), &Nowhere, |_, _, applied| query(applied))
}

/// A pipeline with these items.
pub fn pipeline(items: &str) -> String {
    let indented: String = items.lines().map(|line| format!("  {line}\n")).collect();
    format!("name: test\nvars: {{admins: [alice, 'bob*'], port: 4444}}\ntransformations:\n{indented}")
}

/// The Lucene query of what pipelines made of a rule.
pub fn query(applied: &Applied<'_>) -> String {
    if applied.is_refused() {
        let all: Vec<String> =
            applied.diagnostics.iter().map(|found| format!("! {}: {}", found.code.as_str(), found.message)).collect();
        return all.join("\n");
    }
    let backend = Backend::new(find("lucene").expect("a target"), Settings::default());
    let conversion = backend.convert(&applied.rule);
    if conversion.queries.is_empty() {
        let codes: Vec<String> =
            conversion.diagnostics.iter().map(|found| format!("? {}", found.code.as_str())).collect();
        return codes.join("\n");
    }
    conversion.queries.join(" ;; ")
}

/// What is wrong with a pipeline: `line:column message`, with the help behind it.
pub fn faults(text: &str, world: &dyn World) -> Vec<String> {
    let mut sources = SourceMap::new();
    let id = sources.add("pipeline.yml", text.to_owned());
    let Err(faults) = Pipeline::compile(&sources, id, world) else { return Vec::new() };
    let line = |found: &Diagnostic| {
        let at = found.span().map(|span| sources.position(span)).expect("a place");
        let help: String = found.help.iter().map(|help| format!(" ({help})")).collect();
        format!("{}:{} {}{help}", at.line, at.column, found.message)
    };
    faults.iter().map(line).collect()
}
