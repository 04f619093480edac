//! Every format of every target: a rule cannot leave its place in it, and what products require is there.
//!
//! What is required of each product stands beside its test, with the source. Formats of Watcher have tests of their own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sigcast_backends::options::{Settings, option};
use sigcast_backends::{Backend, Format, TARGETS, Target, find};
use sigcast_diagnostics::{Code, Diagnostic, SourceMap};
use sigcast_formats::{Naming, Templates};
use sigcast_frontend::{Kind, parse};

/// What came out of the rules of a text.
struct Made {
    /// The texts, one a query or rule.
    texts: Vec<String>,
    /// The queries that they are of.
    queries: Vec<String>,
    /// What there was to say.
    notes: Vec<Diagnostic>,
    /// Why a rule has no text.
    faults: Vec<String>,
}

/// What a format makes of each rule of a text that the target can say.
fn made(target: &'static Target, format: &Format, text: &str, options: &[(&str, &str)]) -> Made {
    let mut settings = Settings::default();
    for (key, value) in options.iter().filter(|(key, _)| target.options.contains(key)) {
        // Rules of Microsoft's products name the columns of a table, which must be one that is known.
        let value = if (target.name, *key) == ("kusto", "table") { "DeviceProcessEvents" } else { value };
        option(key).expect("an option").set(&mut settings, value).expect("a value");
    }
    let backend = Backend::new(target, settings).for_format(format);
    let templates = Templates::builtin();
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", text);
    let mut naming = Naming::default();
    let mut made = Made { texts: Vec::new(), queries: Vec::new(), notes: Vec::new(), faults: Vec::new() };
    let documents = parse(&sources, id);
    for document in &documents {
        let Kind::Rule(rule) = &document.kind else { continue };
        let conversion = backend.convert(rule);
        let place = naming.assign(&backend.settings, rule);
        if conversion.queries.is_empty() {
            made.faults.extend(conversion.diagnostics.iter().map(|found| found.message.clone()));
            continue;
        }
        let settings = backend.settings_for(rule, &mut Vec::new()).into_owned();
        made.notes.extend(templates.notes(target, format, rule, &settings));
        match templates.render_parts(target, format, rule, &conversion.queries, &settings, &place) {
            Ok(texts) => {
                made.texts.extend(texts);
                made.queries.extend(conversion.queries);
            }
            Err(fault) => made.faults.push(fault.message),
        }
    }
    made
}

/// What every format that needs an option is given.
const OPTIONS: [(&str, &str); 6] = [
    ("index", "logs-*"),
    ("table", "logs"),
    ("recipient", "soc@example.org"),
    ("webhook", "https://h.example/x"),
    ("keyword_columns", "message"),
    ("data_view", "view-1"),
];

fn named(target: &str, format: &str) -> (&'static Target, &'static Format) {
    let target = find(target).expect("a target");
    (target, target.format(format).expect("a format"))
}

/// The one text that a format makes of a rule, read as JSON.
fn json(target: &str, format: &str, text: &str, options: &[(&str, &str)]) -> Value {
    let (target, format) = named(target, format);
    let made = made(target, format, text, options);
    assert_eq!((made.texts.len(), made.faults.as_slice()), (1, [].as_slice()));
    serde_json::from_str(&made.texts[0]).expect("JSON")
}

/// A rule whose texts try to leave their place.
const HOSTILE: &str = r#"
title: "a \"quoted\" 'title' $(id) `id` ${HOME} $HOME {{ctx.x}} {% raw %} ]]> ../x\\y/z [stanza] -- // # ``` | delete\nnext = line\n[other]\n---\nx: y\r\n{\"a\": 1}\u2028z"
id: "not a uuid \" [x]\ny = 1"
description: "first \\\n[other]\nenabled = 1\n\"\"\"\n```\n- x: y\n\u0085end"
author: "{{ rule.title }} \"x\"\n]"
level: high
status: test
date: "2024-01-01\nx"
references: ["https://x.example/\"\n[y]", "]]>", "$(id)"]
falsepositives: ["{{x}}\nz = 1", "'"]
tags: [attack.t1059.001, attack.execution, "attack.\"x\n[y]"]
fields: [Image, "a\"b"]
custom: {all: {x: "\"\n[z]"}}
logsource: {product: windows}
detection:
    selection:
        CommandLine|contains: '$(id) ${HOME} {{x}} "q" ]]> [z]'
    condition: [selection, not selection]
"#;

/// Every text in a value.
fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, out)),
        Value::Object(entries) => entries.values().for_each(|value| strings(value, out)),
        _ => {}
    }
}

/// The keys of a value at any depth, with their paths.
fn keys(value: &Value, path: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| keys(value, path, out)),
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            let path = format!("{path}/{key}");
            keys(value, &path, out);
            out.insert(path);
        }),
        _ => {}
    }
}

/// A text as what it holds, by its extension; `None` for one that is no data.
fn read(extension: &str, text: &str) -> Option<Vec<Value>> {
    match extension {
        "json" => Some(vec![serde_json::from_str(text).expect("JSON")]),
        "ndjson" => {
            assert_eq!(text.lines().count(), text.matches('\n').count());
            Some(text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect())
        }
        "yaml" | "yml" => {
            use serde::Deserialize as _;
            let documents = serde_yaml::Deserializer::from_str(text);
            Some(documents.map(|one| Value::deserialize(one).expect("YAML")).collect())
        }
        _ => None,
    }
}

const TAME: &str = r#"
title: Tame
id: 0f3c2a9e-5b1d-4c7e-9a60-2d8e4b7f1c35
description: x
author: x
level: high
status: test
date: 2024-01-01
references: [x, y, z]
falsepositives: [x, y]
tags: [attack.t1059.001, attack.execution, attack.x]
fields: [Image, y]
logsource: {product: windows}
detection:
    selection:
        CommandLine|contains: x
    condition: [selection, not selection]
"#;

/// The first promise of formats: with hostile texts a format has the keys, lines and documents that it has with tame ones.
#[test]
fn no_text_of_a_rule_leaves_its_place() {
    let mut tried = 0;
    for target in TARGETS.iter().copied().filter(|target| target.name != "watcher") {
        // A search of a data model shows nothing of a rule but its query, and needs a pipeline.
        for format in target.formats.iter().filter(|format| !format.plain && format.name != "data-model") {
            let label = format!("{} {}", target.name, format.name);
            let (hostile, tame) = (made(target, format, HOSTILE, &OPTIONS), made(target, format, TAME, &OPTIONS));
            assert_eq!(hostile.faults, [""; 0], "{label}");
            assert_eq!(hostile.texts.len(), tame.texts.len(), "{label}");
            for (hostile, tame) in hostile.texts.iter().zip(&tame.texts) {
                tried += 1;
                let (Some(hostile), Some(tame)) = (read(format.extension, hostile), read(format.extension, tame))
                else {
                    lines(format, hostile, tame, &label);
                    continue;
                };
                assert_eq!(hostile.len(), tame.len(), "{label}");
                let paths = |values: &[Value]| {
                    let mut out = BTreeSet::new();
                    values.iter().for_each(|value| keys(value, "", &mut out));
                    // Some servers refuse a rule whose date is another text: it is left out then.
                    out.remove("/date");
                    out
                };
                assert_eq!(paths(&hostile), paths(&tame), "{label}");
                // A request has the query and nothing else of the rule.
                if format.name.ends_with("-request") {
                    continue;
                }
                let mut texts = Vec::new();
                hostile.iter().for_each(|value| strings(value, &mut texts));
                // OpenSearch Security Analytics takes no title with `..`, `|` and some other signs.
                let strict = format.name == "security-analytics";
                let title = if strict { "]]) ./x\\y/z [stanza]" } else { "]]> ../x\\y/z [stanza]" };
                assert!(texts.iter().any(|text| text.contains(title)), "{label}: {texts:?}");
            }
        }
    }
    assert!(tried >= 30, "only {tried} texts");
}

/// Formats that are no data: a comment stays a comment, and in a file of stanzas no line is a stanza or key of the rule's.
fn lines(format: &Format, hostile: &str, tame: &str, label: &str) {
    let starts = |text: &str| -> BTreeSet<String> {
        text.lines().map(|line| line.split(['=', ' ']).next().unwrap_or_default().to_owned()).collect()
    };
    match (format.name, format.extension) {
        ("commented", _) => {
            let commented = |text: &str| text.lines().take_while(|line| starts_comment(line)).count();
            assert!(commented(hostile) > 8, "{label}: {hostile}");
            assert!(hostile.lines().skip(commented(hostile)).all(|line| !line.contains("next = line")), "{label}");
        }
        (_, "conf") => {
            let stanzas = |text: &str| text.lines().filter(|line| line.starts_with('[')).count();
            assert_eq!(stanzas(hostile), stanzas(tame), "{label}: {hostile}");
            for start in ["next", "enabled", "y", "z", "---"] {
                assert!(starts(tame).contains(start) || !starts(hostile).contains(start), "{label}: {hostile}");
            }
        }
        _ => {}
    }
}

fn starts_comment(line: &str) -> bool {
    ["//", "--"].iter().any(|sign| line.starts_with(sign)) || (line.starts_with("```") && line.ends_with(" ```"))
}

/// A rule of one condition with this level, and these lines.
fn rule(lines: &str) -> String {
    format!("title: One\n{lines}\nlogsource: {{product: windows}}\ndetection:\n    s: {{User: x}}\n    condition: s\n")
}

/// Fields of the API, and which of them it requires: Elastic Security documentation, "Create a detection rule", tables of
/// all types, and of the types query, eql and esql.
#[test]
fn rules_of_the_detection_engine_have_what_the_api_requires() {
    let check = |target: &str, kind: &str, language: &str, indices: bool| {
        for format in ["siem-rule", "siem_rule_ndjson"] {
            let text = rule(
                "tags: [attack.t1059.001, attack.execution]\nstatus: stable\nreferences: [r]\nfalsepositives: [f]",
            );
            let found = json(target, format, &text, &[("index", "a-*,b"), ("interval", "10m")]);
            for (key, value) in [
                ("name", "One".into()),
                ("description", "One".into()),
                ("type", kind.into()),
                ("language", language.into()),
                ("severity", "medium".into()),
                ("risk_score", 47.into()),
                ("interval", "10m".into()),
                ("from", "now-11m".into()),
                ("to", "now".into()),
                ("enabled", true.into()),
                ("references", Value::from(vec!["r"])),
                ("false_positives", Value::from(vec!["f"])),
                ("version", 1.into()),
            ] {
                assert_eq!(found[key], value, "{target} {key}");
            }
            assert_eq!(found.get("index").is_some(), indices, "{target}");
            let query = found["query"].as_str().expect("a query");
            assert!(query.contains("User") && !query.contains("_index:") && !query.contains("@timestamp"), "{query}");
            let threat = &found["threat"][0];
            assert_eq!(threat["framework"], "MITRE ATT&CK");
            assert_eq!(threat["tactic"]["id"], "TA0002");
            assert_eq!(threat["technique"][0]["id"], "T1059");
            assert_eq!(threat["technique"][0]["subtechnique"][0]["name"], "PowerShell");
            let address = threat["technique"][0]["subtechnique"][0]["reference"].as_str();
            assert_eq!(address, Some("https://attack.mitre.org/techniques/T1059/001/"));
        }
    };
    check("lucene", "query", "lucene", true);
    check("kibana", "query", "kuery", true);
    check("eql", "eql", "eql", true);
    check("esql", "esql", "esql", false);
    let found = json("esql", "siem-rule", &rule(""), &[]);
    assert!(found["query"].as_str().is_some_and(|query| query.contains(" METADATA _id, _index, _version\n")));
}

/// The bands of the documentation: 0-21 low, 22-47 medium, 48-73 high, 74-100 critical.
#[test]
fn severity_and_risk_agree() {
    for level in ["informational", "low", "medium", "high", "critical"] {
        let found = json("lucene", "siem-rule", &rule(&format!("level: {level}")), &[]);
        let risk = found["risk_score"].as_u64().expect("a number");
        let band = match risk {
            0..=21 => "low",
            22..=47 => "medium",
            48..=73 => "high",
            _ => "critical",
        };
        assert_eq!(found["severity"], band, "{level}");
        assert!(band == level || level == "informational", "{level}");
    }
    let found = json("lucene", "siem-rule", &rule(""), &[("level", "critical")]);
    assert_eq!(found["severity"], "critical");
}

/// Kibana, "Saved objects API: import": an object a line; `searchSourceJSON` is JSON in a text, and names its data view by
/// a reference.
#[test]
fn saved_searches_have_their_query_and_data_view() {
    let check = |target: &str, language: &str, options: &[(&str, &str)], view: &str, range: Option<&str>| {
        let found = json(target, "saved-search", &rule("level: low\nstatus: test"), options);
        assert_eq!((&found["type"], &found["attributes"]["title"]), (&"search".into(), &"One".into()));
        let source = found["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"].as_str().expect("a text");
        let source: Value = serde_json::from_str(source).expect("JSON in a text");
        assert_eq!(source["query"]["language"], language);
        assert!(source["query"]["query"].as_str().is_some_and(|query| query.contains("User")));
        let reference = &found["references"][0];
        assert_eq!((&reference["name"], &reference["type"]), (&source["indexRefName"], &"index-pattern".into()));
        assert_eq!(reference["id"], view);
        assert_eq!(found["attributes"]["timeRange"]["from"].as_str(), range);
        let about = found["attributes"]["description"].as_str().expect("a text");
        assert!(about.contains("Level: low") && about.contains("Status: test"), "{about}");
    };
    check("lucene", "lucene", &[("index", "logs-*")], "logs-*", None);
    check("lucene", "lucene", &[("data_view", "v"), ("index", "x"), ("time_range", "7d")], "v", Some("now-7d"));
    check("kibana", "kuery", &[("data_view", "v")], "v", None);
    check("opensearch", "lucene", &[("data_view", "v"), ("time_range", "7d")], "v", None);
    let (target, format) = named("kibana", "saved-search");
    let faults = made(target, format, &rule(""), &[]).faults;
    assert!(faults.len() == 1 && faults[0].contains("needs the option `data_view`"), "{faults:?}");
}

/// ElastAlert 2, schema of rules (`elastalert/schema.yaml`): required type, index, alert; name by the loader. The loader
/// puts environment variables in the place of `$name` before it reads the YAML.
#[test]
fn rules_of_elastalert_have_what_its_schema_requires() {
    for target in ["lucene", "opensearch"] {
        let (target, format) = named(target, "elastalert");
        let made = made(target, format, HOSTILE, &[("index", "logs-*,x"), ("time_range", "1h")]);
        assert_eq!(made.texts.len(), 2);
        for (text, query) in made.texts.iter().zip(&made.queries) {
            assert!(!text.contains('$'), "{text}");
            let found = read("yaml", text).expect("data").remove(0);
            assert_eq!(found["type"], "any");
            assert_eq!(found["index"], "logs-*,x");
            assert_eq!(found["alert"], Value::from(vec!["debug"]));
            assert_eq!(found["filter"][0]["query"]["query_string"]["query"].as_str(), Some(query.as_str()));
            assert_eq!((&found["run_every"]["seconds"], &found["buffer_time"]["seconds"]), (&300.into(), &3600.into()));
            assert_eq!((&found["priority"], &found["is_enabled"]), (&3.into(), &true.into()));
        }
    }
}

/// OpenSearch documentation, "Alerting API: create a query-level monitor": keys, units of the schedule, severity in a text
/// from 1 (highest) to 5; the query is a Mustache template.
#[test]
fn monitors_have_what_the_api_requires() {
    let found = json("opensearch", "monitor", &rule("level: critical"), &[("index", "l-*"), ("interval", "2h")]);
    assert_eq!((&found["type"], &found["monitor_type"]), (&"monitor".into(), &"query_level_monitor".into()));
    let period = &found["schedule"]["period"];
    assert_eq!((&period["interval"], &period["unit"]), (&2.into(), &"HOURS".into()));
    assert_eq!(found["inputs"][0]["search"]["indices"], Value::from(vec!["l-*"]));
    assert_eq!(found["triggers"][0]["query_level_trigger"]["severity"], "1");
    let filter = &found["inputs"][0]["search"]["query"]["query"]["bool"]["filter"];
    assert_eq!(filter[1]["range"]["@timestamp"]["gte"], "{{period_end}}||-121m");

    let (target, format) = named("opensearch", "monitor");
    for text in made(target, format, HOSTILE, &OPTIONS).texts {
        let mut found: Value = serde_json::from_str(&text).expect("JSON");
        let inputs = found["inputs"].take().to_string();
        let tags: Vec<&str> = inputs.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()).collect();
        assert_eq!(tags, ["period_end", "period_end"], "{inputs}");
    }
    let cron = [("index", "x"), ("cron", "*/7 * * * *"), ("time_range", "10m")];
    let found = json("opensearch", "monitor", &rule(""), &cron);
    assert_eq!(found["schedule"]["cron"]["expression"], "*/7 * * * *");
    let check = |options: &[(&str, &str)], expected: &str| {
        let faults = made(target, format, &rule(""), options).faults;
        assert!(faults.len() == 1 && faults[0].contains(expected), "{faults:?}");
    };
    check(&[("index", "x"), ("interval", "90s")], "every so many minutes, hours or days");
    check(&[("index", "x"), ("cron", "*/7 * * * *")], "`cron` needs the option `time_range`");
    check(&[("index", "x"), ("interval", "1h"), ("time_range", "5m")], "events between would be missed");
    check(&[], "needs the option `index`");
}

/// A request is the whole query of the plain format, index and time range included: nothing that is asked for is lost.
#[test]
fn requests_have_the_plain_query() {
    let options = [("index", "logs-*"), ("time_range", "24h"), ("time_field", "ts")];
    let plain = |target: &str| -> String {
        let target = find(target).expect("a target");
        let mut settings = Settings::default();
        for (key, value) in options.iter().filter(|(key, _)| target.options.contains(key)) {
            option(key).expect("an option").set(&mut settings, value).expect("a value");
        }
        let mut sources = SourceMap::new();
        let id = sources.add("rule.yml", rule(""));
        let documents = parse(&sources, id);
        let Kind::Rule(rule) = &documents[0].kind else { panic!("a rule") };
        Backend::new(target, settings).convert(rule).queries.remove(0)
    };
    for target in ["lucene", "opensearch"] {
        let found = json(target, "dsl-request", &rule(""), &options);
        let query = found["query"]["bool"]["filter"][0]["query_string"]["query"].as_str();
        assert_eq!(query, Some(plain(target).as_str()));
        assert!(query.is_some_and(|query| query.contains("_index:") && query.contains("now-24h")));
    }
    let found = json("eql", "eqlapi", &rule(""), &options);
    assert_eq!(found["query"].as_str(), Some(plain("eql").as_str()));
    assert_eq!(found["timestamp_field"], "ts");
    let found = json("es-dsl", "dsl-request", &rule(""), &options);
    let whole: Value = serde_json::from_str(&plain("es-dsl")).expect("JSON");
    assert_eq!(found["query"], whole["query"]);
}

/// Names and ids of a whole run: no two alike, and the same again in another run.
#[test]
fn names_and_ids_are_distinct_and_last() {
    let many = format!("{}---\n{}---\n{}---\n{}", rule(""), rule("id: x"), rule(""), TAME.replace("Tame", "ONE"));
    let (target, format) = named("lucene", "siem-rule");
    let run = || -> Vec<(String, String)> {
        let texts = made(target, format, &many, &[]).texts;
        let values = texts.iter().map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        values.map(|value| (text(&value["name"]), text(&value["rule_id"]))).collect()
    };
    let found = run();
    assert_eq!(found, run());
    assert_eq!(found.len(), 5);
    let names: BTreeSet<String> = found.iter().map(|(name, _)| name.to_lowercase()).collect();
    let ids: BTreeMap<&str, ()> = found.iter().map(|(_, id)| (id.as_str(), ())).collect();
    assert_eq!((names.len(), ids.len()), (5, 5), "{found:?}");
    assert!(ids.contains_key("0f3c2a9e-5b1d-4c7e-9a60-2d8e4b7f1c35"), "a rule's own UUID is kept");
    assert!(ids.keys().all(|id| id.len() == 36));
}

#[test]
fn a_rule_sets_options_itself() {
    let custom = "custom:\n    all: {interval: 15m, cron: '* * * * *'}\n    es-qs: {risk_score: 7, time_range: 1h}\n    kibana: {interval: 3m}";
    let found = json("lucene", "siem-rule", &rule(custom), &[("interval", "1m")]);
    assert_eq!(
        (&found["interval"], &found["from"], &found["risk_score"]),
        (&"15m".into(), &"now-1h".into(), &7.into())
    );
    let found = json("kibana", "siem-rule", &rule(custom), &[]);
    assert_eq!((&found["interval"], &found["risk_score"]), (&"3m".into(), &47.into()));
    let (target, format) = named("lucene", "siem-rule");
    let wrong = made(target, format, &rule("custom: {lucene: {interval: often}}"), &[]);
    assert!(wrong.texts.is_empty() && wrong.faults[0].contains("`often` is no duration"), "{:?}", wrong.faults);
}

#[test]
fn what_nothing_reads_or_knows_is_warned_of() {
    let check = |lines: &str, expected: &[(Code, &str)]| {
        let (target, format) = named("lucene", "siem-rule");
        let made = made(target, format, &rule(lines), &[]);
        assert_eq!(made.texts.len(), 1, "a warning costs nothing");
        let found: Vec<(Code, String)> = made.notes.iter().map(|note| (note.code, note.help.join(" "))).collect();
        let expected: Vec<(Code, String)> = expected.iter().map(|(code, help)| (*code, (*help).to_owned())).collect();
        assert_eq!(found, expected, "{lines}");
        assert!(made.notes.iter().all(|note| note.span().is_some()));
    };
    check("tags: [attack.t1059.001, attack.g0016, attack.s0002, attack.defense_evasion, cve.2024-1]", &[]);
    check("tags: [attack.exeuction]", &[(Code::UnknownAttackTag, "did you mean `attack.execution`?")]);
    check("tags: [attack.t1086]", &[(Code::UnknownAttackTag, "did you mean `attack.t1059.001`?")]);
    check("custom: {lucene: {risk_scor: 1}}", &[(Code::UnknownOverride, "did you mean `risk_score`?")]);
    check("custom: {lucene: {risk_score: 1}, splunk: {x: 1}, all: {cron: '* * * * *'}, other: 1}", &[]);
}

#[test]
fn rules_out_of_service_are_not_enabled() {
    for (status, enabled) in [("deprecated", false), ("unsupported", false), ("experimental", true), ("stable", true)] {
        let found = json("lucene", "siem-rule", &rule(&format!("status: {status}")), &[]);
        assert_eq!(found["enabled"], enabled, "{status}");
    }
    let found = json("lucene", "siem-rule", &rule("status: deprecated"), &[("enabled", "true")]);
    assert_eq!(found["enabled"], true);
}
