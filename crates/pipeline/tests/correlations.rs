//! Pipelines on correlations: the fields that a correlation takes of its rules' events are renamed as the rules' own are.

use std::sync::Arc;

use sigcast_diagnostics::{Code, SourceMap};
use sigcast_frontend::{Kind, link, parse};
use sigcast_ir::{Correlation, KeyField, Source};
use sigcast_pipeline::{Chain, Nowhere, Pipeline};

const RULES: &str = "\
title: Logon\nname: logon\nlogsource: {product: windows, service: security}\n\
detection: {s: {EventID: 4625}, condition: s}\n---
title: Proxy\nname: proxy\nlogsource: {category: proxy}\ndetection: {s: {c-uri: /x}, condition: s}\n---
title: Many\nname: many\ncorrelation: {type: event_count, rules: [logon, proxy], group-by: [User], timespan: 1m, \
condition: {gte: 2}}\n---
";

const PIPELINE: &str = "\
name: P\ntransformations:
- {type: field_name_mapping, mapping: {User: user.name}, rule_conditions: [{type: logsource, product: windows}]}
- {type: field_name_mapping, mapping: {User: cs-username}, rule_conditions: [{type: logsource, category: proxy}]}
- {type: field_name_mapping, mapping: {Host: [host.name, host.ip], Bytes: network.bytes}}
- {type: set_state, key: seen, val: proxy, rule_conditions: [{type: logsource, category: proxy}]}
";

/// What the last document becomes: its members with their keys and values, or the codes of what there is to say.
fn made(document: &str) -> Result<String, Vec<Code>> {
    said(document).map_err(|found| found.into_iter().map(|(code, _)| code).collect())
}

/// The same, with the text that each of what there is to say points at.
fn said(document: &str) -> Result<String, Vec<(Code, String)>> {
    let mut sources = SourceMap::new();
    let id = sources.add("rules.yml", format!("{RULES}{document}"));
    let pipeline = sources.add("pipeline.yml", PIPELINE);
    let compiled = Pipeline::compile(&sources, pipeline, &Nowhere).expect("a pipeline");
    let chain = Chain::new(vec![Arc::new(compiled)]);
    let mut documents = parse(&sources, id);
    link(&mut documents.iter_mut().collect::<Vec<_>>());
    let last = documents.pop().expect("a document");
    let Kind::Correlation(correlation) = last.kind else { panic!("{last:?}") };
    let (correlation, applied) = chain.correlate(*correlation);
    let place =
        |found: &sigcast_diagnostics::Diagnostic| found.span().map_or("", |span| sources.snippet(span)).to_owned();
    let found: Vec<(Code, String)> = applied.diagnostics.iter().map(|found| (found.code, place(found))).collect();
    if found.is_empty() { Ok(shown(&correlation)) } else { Err(found) }
}

#[test]
fn a_key_that_becomes_several_fields_is_said_once_where_it_stands() {
    let of = |rest: &str| said(&format!("title: C\ncorrelation: {{timespan: 1m, {rest}}}\n"));
    let key = |name: &str| Err(vec![(Code::PipelineFailure, name.to_owned())]);
    assert_eq!(of("type: temporal, rules: [logon, proxy], group-by: [User, Host]"), key("Host"));
    let aliased = "type: temporal, rules: [logon, proxy], group-by: [h], aliases: {h: {logon: Host, proxy: c-ip}}";
    assert_eq!(of(aliased), key("h"));
}

fn shown(correlation: &Correlation<'_>) -> String {
    let member = |member: &sigcast_ir::Member<'_>| {
        let keys = member.keys.iter().map(|key| match key {
            KeyField::Field(field) => field.as_str().to_owned(),
            KeyField::Inner(at) => format!("#{at}"),
        });
        let names: Vec<String> = keys.chain(member.values.iter().map(|field| field.as_str().to_owned())).collect();
        let inner = match &member.source {
            Source::Rule(_) => String::new(),
            Source::Correlation(inner) => format!(" of [{}]", shown(inner)),
        };
        format!("{}({}){inner}", member.name, names.join(", "))
    };
    correlation.members.iter().map(member).collect::<Vec<_>>().join(" ")
}

/// What a correlation shows is named as in the events of each of its rules; there it may be several fields.
#[test]
fn fields_to_show_are_named_as_in_the_events_of_each_rule() {
    let check = |rest: &str, expected: &[&str]| {
        let mut sources = SourceMap::new();
        let id =
            sources.add("rules.yml", format!("{RULES}title: C\nfields: [User, Host, c-ip]\ncorrelation: {{{rest}}}\n"));
        let pipeline = sources.add("pipeline.yml", PIPELINE);
        let compiled = Pipeline::compile(&sources, pipeline, &Nowhere).expect("a pipeline");
        let chain = Chain::new(vec![Arc::new(compiled)]);
        let mut documents = parse(&sources, id);
        link(&mut documents.iter_mut().collect::<Vec<_>>());
        let Some(Kind::Correlation(found)) = documents.pop().map(|last| last.kind) else { panic!("a correlation") };
        let (found, applied) = chain.correlate(*found);
        assert!(applied.diagnostics.is_empty(), "{:?}", applied.diagnostics);
        let fields: Vec<&str> = found.meta.fields.iter().map(|field| field.as_str()).collect();
        assert_eq!(fields, expected, "{rest}");
    };
    let both = ["user.name", "cs-username", "host.name", "host.ip", "c-ip"];
    check("type: temporal, rules: [logon, proxy], timespan: 1m", &both);
    check("type: temporal, rules: [logon], timespan: 1m", &["user.name", "host.name", "host.ip", "c-ip"]);
    check("type: temporal, rules: [many, logon], timespan: 1m", &both);
}

#[test]
fn keys_are_named_as_in_the_events_of_each_rule() {
    let check = |rest: &str, expected: Result<&str, Vec<Code>>| {
        let document = format!("title: C\ncorrelation: {{timespan: 1m, {rest}}}\n");
        assert_eq!(made(&document), expected.map(str::to_owned), "{rest}");
    };
    check("type: temporal, rules: [logon, proxy], group-by: [User]", Ok("logon(user.name) proxy(cs-username)"));
    check(
        "type: value_sum, rules: [proxy], group-by: [User, c-ip], condition: {field: Bytes, gt: 5}",
        Ok("proxy(cs-username, c-ip, network.bytes)"),
    );
    check(
        "type: temporal, rules: [many, logon], group-by: [User]",
        Ok("many(#0) of [logon(user.name) proxy(cs-username)] logon(user.name)"),
    );
    // One key cannot be several fields.
    check("type: temporal, rules: [logon, proxy], group-by: [Host]", Err(vec![Code::PipelineFailure]));
    // What is no key of the inner correlation must be one field of its events.
    check(
        "type: value_count, rules: [many], group-by: [Computer], condition: {field: User, gte: 2}",
        Err(vec![Code::PipelineFailure]),
    );
    check(
        "type: value_sum, rules: [many], group-by: [Computer], condition: {field: Bytes, gte: 2}",
        Ok("many(Computer, network.bytes) of [logon(user.name) proxy(cs-username)]"),
    );
}
