//! Watches: JSON whatever a rule says, nothing of a rule read as a template, nothing expanded by a shell.

use std::process::{Command, Stdio};

use serde_json::Value;
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, find};
use sigcast_diagnostics::SourceMap;
use sigcast_formats::Templates;
use sigcast_frontend::{Kind, link, parse};
use sigcast_testing::{files, sample_rules};

/// What a format makes of each rule of a text that Watcher can say.
fn rendered(text: &str, format: &str, options: &[(&str, &str)]) -> Vec<String> {
    let target = find("watcher").expect("the target");
    let settings = Settings::of(options).expect("options");
    let templates = Templates::builtin();
    let format = target.format(format).expect("a format");
    templates.check(target, format, &settings).expect("settings that suffice");
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", text);
    let backend = Backend::new(target, settings.clone());
    let mut out = Vec::new();
    let mut documents = parse(&sources, id);
    link(&mut documents.iter_mut().collect::<Vec<_>>());
    for document in documents {
        let (rule, queries) = match document.kind {
            Kind::Rule(rule) => {
                let queries = backend.convert(&rule).queries;
                (*rule, queries)
            }
            Kind::Correlation(correlation) => (correlation.described(), backend.correlate(&correlation).queries),
            _ => continue,
        };
        if !queries.is_empty() {
            out.push(templates.render(target, format, &rule, &queries, &settings).expect("a watch"));
        }
    }
    out
}

/// The JSON values that stand one after the other in a text.
fn values(text: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(text).into_iter().map(|value| value.expect("JSON")).collect()
}

const HOSTILE: &str = r#"
title: '{{ctx.vars}} "quoted" $(id) `id` {{#toJson}}'
id: '../{{x}} $(id)'
description: |
    {{{ctx.payload}}}
    EOF
    SIGCAST_WATCH
author: "a\u2028b \\ \" {% raw %}{{ rule.title }}"
level: high
tags: [attack.t1059.001, attack.execution]
fields: [Image, 'a}}{{b', 'x y']
logsource: {product: windows}
detection:
    selection:
        CommandLine: '{{ctx.metadata}}'
        Image|contains: '$(id) {{{{x}}'
    condition: [selection, not selection]
"#;

#[test]
fn nothing_of_a_rule_is_a_template() {
    for action in ["email", "index", "webhook", "logging"] {
        let options = [("action", action), ("webhook", "https://h.example:8443/x"), ("index", "logs-*")];
        let texts = rendered(HOSTILE, "json", &options);
        let watches = values(&texts[0]);
        assert_eq!(watches.len(), 2, "a watch for each condition");
        for watch in watches {
            assert_eq!(watch["metadata"]["title"], "{{ctx.vars}} \"quoted\" $(id) `id` {{#toJson}}");
            assert_eq!(watch["metadata"]["author"], "a\u{2028}b \\ \" {% raw %}{{ rule.title }}");
            let query =
                watch["input"]["search"]["request"]["body"]["query"]["bool"]["filter"][0]["query_string"]["query"]
                    .as_str()
                    .expect("a query");
            assert!(query.contains(r"{\{ctx.metadata}}"), "{query}");
            assert!(!query.contains("{{"), "{query}");
            assert_known_tags(
                watch,
                &["ctx.payload.hits.total", "ctx.payload.hits.hits", "_index", "_id", "_source.Image"],
            );
        }
    }
}

/// Every tag that is left beside the metadata is one of those that the templates of this program write.
fn assert_known_tags(mut watch: Value, known: &[&str]) {
    watch["metadata"] = Value::Null;
    let text = watch.to_string();
    let tags: Vec<&str> = text.split("{{").skip(1).filter_map(|tail| tail.split("}}").next()).collect();
    assert!(!tags.is_empty());
    for tag in tags {
        let name = tag.trim_start_matches(['#', '/']);
        let everywhere = ["ctx.metadata.title", "toJson"];
        let is_known = everywhere.contains(&name) || known.contains(&name);
        assert!(is_known || name.starts_with("ctx.trigger.scheduled_time"), "{tag}");
    }
}

/// A correlation is a watch of its own: what decides is its query, and its actions show groups.
#[test]
fn a_correlation_gives_a_watch_of_groups() {
    let correlation = "---\ntitle: Many {{ctx.vars}}\nfields: [Image]\ncorrelation:\n  type: event_count\n  rules: \
                       ['{{x}}']\n  group-by: User\n  timespan: 10m\n  condition: {gte: 5}\n";
    let rule = HOSTILE.replace("author:", "name: '{{x}}'\nauthor:").replace(", not selection]", "]");
    // The names of fields to show are no texts that could be broken up: such a rule is refused.
    assert_eq!(rendered(&format!("{rule}{correlation}"), "json", &[]), Vec::<String>::new());
    let rule = rule.replace("'a}}{{b', ", "");
    for action in ["email", "index", "webhook", "logging"] {
        let options = [("action", action), ("webhook", "https://h.example:8443/x"), ("index", "logs-*")];
        let texts = rendered(&format!("{rule}{correlation}"), "json", &options);
        let [text] = texts.as_slice() else { panic!("{texts:?}") };
        let watch = values(text).remove(0);
        assert_eq!(watch["trigger"]["schedule"]["interval"], "10m");
        let groups = &watch["input"]["search"]["request"]["body"]["aggs"]["groups"];
        assert_eq!(groups["terms"]["min_doc_count"], 5, "{watch}");
        assert!(!watch["actions"].to_string().contains("payload.hits"), "{watch}");
        let buckets = "ctx.payload.aggregations.groups.buckets";
        let size = format!("{buckets}.size");
        let shown = ["key", "doc_count", "events.hits.hits", "_index", "_id", "_source.Image"];
        assert_known_tags(watch, &[&shown[..], &[buckets, size.as_str()]].concat());
    }
}

#[test]
fn every_sample_rule_gives_json() {
    let mut count = 0;
    for path in files(&sample_rules(), &[]) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for text in rendered(&text, "json", &[]) {
            for watch in values(&text) {
                // What is found: events, or groups of them.
                let compared = &watch["condition"]["compare"]["ctx.payload.hits.total"]["gt"];
                let script = watch["condition"]["script"]["source"].as_str().unwrap_or_default();
                let found = *compared == 0 || script.contains("aggregations.groups.buckets.size() > 0");
                assert!(found, "{}: {}", path.display(), watch["condition"]);
                count += 1;
            }
        }
    }
    assert!(count > 30, "only {count} watches");
}

/// Watcher has no scale of its own: every level of the specification comes through, and a rule without one has none.
#[test]
fn a_level_is_kept_in_its_own_word() {
    for level in ["informational", "low", "medium", "high", "critical"] {
        let text = HOSTILE.replace("level: high", &format!("level: {level}"));
        let watches = values(&rendered(&text, "json", &[]).concat());
        let found: Vec<&Value> = watches.iter().map(|watch| &watch["metadata"]["level"]).collect();
        assert_eq!(found, [level, level]);
    }
    let watches = values(&rendered(&HOSTILE.replace("level: high\n", ""), "json", &[]).concat());
    assert!(watches.len() == 2 && watches.iter().all(|watch| watch["metadata"]["level"].is_null()));
}

#[test]
fn a_shell_prints_the_body_as_it_is() {
    let json = rendered(HOSTILE, "json", &[]).remove(0);
    let script = rendered(HOSTILE, "curl", &[("host", "es.example:9200")]).remove(0);
    // A shell in which `curl` prints its arguments and what it is given.
    let script = format!("curl() {{ for a in \"$@\"; do printf '%s\\n' \"$a\"; done; cat; }}\n{script}");
    let mut shell = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    std::io::Write::write_all(&mut shell.stdin.take().expect("a pipe"), script.as_bytes()).expect("written");
    let output = shell.wait_with_output().expect("a result");
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let address = printed.lines().find(|line| line.starts_with("es.example")).expect("an address");
    let id = address.strip_prefix("es.example:9200/_watcher/watch/").expect("the path");
    assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)), "{id}");
    let bodies: String = printed.split_inclusive('\n').filter(|line| line.starts_with(['{', '}', ' '])).collect();
    assert_eq!(bodies, json);
}

#[test]
fn console_requests_name_each_watch() {
    let text = rendered(HOSTILE, "console", &[("api", "old")]).remove(0);
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("PUT ")).collect();
    assert_eq!(heads.len(), 2);
    assert!(heads[0].starts_with("PUT _xpack/watcher/watch/..--"), "{heads:?}");
    assert_eq!(heads[1], format!("{}-2", heads[0]));
    assert!(!text.contains("rest_total_hits_as_int"), "versions before 7.0 do not know it");
}

#[test]
fn a_webhook_needs_its_address() {
    let target = find("watcher").expect("the target");
    let settings = Settings::of(&[("action", "webhook")]).expect("options");
    let fault = Templates::builtin().check(target, &target.formats[0], &settings).expect_err("a fault");
    assert!(fault.message.contains("needs the option `webhook`"), "{fault}");
}
