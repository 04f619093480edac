//! The styles `atc2019` and `atc2020` against the texts of the Atomic Threat Coverage library's pages, byte for byte.
//!
//! `SIGCAST_CORPUS` names a folder with `atc/2019.json` and `atc/2020.json`: lists of pages, each a map with `doc`
//! (its name), `rule` (the rule file), and a text for each target. Unset, those tests say that they skip.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sigcast_backends::options::{Settings, option};
use sigcast_backends::{Backend, Status, find};
use sigcast_diagnostics::{Class, Code, SourceMap};
use sigcast_formats::Templates;
use sigcast_frontend::{Kind, parse};
use sigcast_ir::{
    Condition, Detection, DetectionItem, Field, KeyField, Member, Rule, Source, Test, Tree, ValueLinking,
};
use sigcast_pipeline::{Chain, Nowhere, Pipeline, builtin};
use sigcast_testing::corpus;

/// What a style makes of a rule file: the text of a page, or why there is none.
fn text(target: &str, style: &str, file: &str, adapt: &dyn Fn(&mut Rule<'_>)) -> Result<String, String> {
    let target = find(target).expect("a target");
    let mut settings = Settings::default();
    option("style").expect("an option").set(&mut settings, style).expect("a style");
    let backend = Backend::new(target, settings.clone());
    let templates = Templates::builtin();
    let mut sources = SourceMap::new();
    let id = sources.add("page", file);
    let mut out = String::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for document in parse(&sources, id) {
        let (rule, conversion) = match document.kind {
            Kind::Rule(mut rule) => {
                adapt(&mut rule);
                let conversion = backend.convert(&rule);
                (*rule, conversion)
            }
            Kind::Correlation(mut correlation) => {
                correlation.members.iter_mut().for_each(|member| adapt_member(member, adapt));
                (correlation.described(), backend.correlate(&correlation))
            }
            Kind::Skipped => continue,
            _ => return Err(codes(&document.diagnostics)),
        };
        if conversion.status == Status::Refused {
            return Err(codes(&conversion.diagnostics));
        }
        if target.name == "watcher" {
            let earlier = names.entry(Templates::named_by(&settings, &rule).to_owned()).or_default();
            let format = &target.formats[0];
            let rendered = templates.render_after(target, format, &rule, &conversion.queries, &settings, *earlier);
            out.push_str(&rendered.map_err(|fault| fault.message)?);
            *earlier += conversion.queries.len();
        } else {
            out.push_str(if out.is_empty() { "" } else { "\n" });
            out.push_str(&conversion.queries.join("\n"));
        }
    }
    Ok(out)
}

/// Adapts a rule of a correlation, and the keys that are taken of its events.
fn adapt_member<'a>(member: &mut Member<'a>, adapt: &dyn Fn(&mut Rule<'_>)) {
    let Source::Rule(rule) = &mut member.source else { panic!("an aggregation of old is about rules") };
    let fields = member.keys.iter_mut().filter_map(|key| match key {
        KeyField::Field(field) => Some(field),
        KeyField::Inner(_) => None,
    });
    let mut fields: Vec<&mut Field<'a>> = fields.collect();
    rule.prepared.named = fields.iter().map(|field| vec![(**field).clone()]).collect();
    adapt(rule);
    for (field, names) in fields.iter_mut().zip(std::mem::take(&mut rule.prepared.named)) {
        let [name] = names.as_slice() else { panic!("{names:?}") };
        **field = Field::new(name.as_str().to_owned());
    }
}

fn codes(diagnostics: &[sigcast_diagnostics::Diagnostic]) -> String {
    let faults = diagnostics.iter().filter(|found| matches!(found.code.class(), Class::Refusal | Class::Invalid));
    let codes: Vec<&str> = faults.map(|found| found.code.as_str()).collect();
    codes.join(" ")
}

/// The texts of 2019 are escaped on their page: `\\`, `\n` and `\'`, read once from left to right.
fn unescaped(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut chars = page.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\\' | '\'')) => out.extend(chars.next()),
            ('\\', Some('n')) => {
                chars.next();
                out.push('\n');
            }
            _ => out.push(c),
        }
    }
    out
}

/// The page "Rundll32 Internet Connection" of 2019, as the page has it.
const KIBANA: &str =
    r#"((EventID:"3" AND Image.keyword:*\\\\rundll32.exe) AND NOT (DestinationIp.keyword:(10.* 192.168.* 172.*)))"#;
const GRAYLOG: &str =
    r#"((EventID:"3" AND Image:"*\\\\rundll32.exe") AND NOT (DestinationIp:("10.*" "192.168.*" "172.*")))"#;
const WATCHER: &str = r#"curl -s -XPUT -H \'Content-Type: application/json\' --data-binary @- localhost:9200/_xpack/watcher/watch/Rundll32-Internet-Connection <<EOF\n{\n  "trigger": {\n    "schedule": {\n      "interval": "30m"\n    }\n  },\n  "input": {\n    "search": {\n      "request": {\n        "body": {\n          "size": 0,\n          "query": {\n            "query_string": {\n              "query": "((EventID:\\"3\\" AND Image.keyword:*\\\\\\\\rundll32.exe) AND NOT (DestinationIp.keyword:(10.* 192.168.* 172.*)))",\n              "analyze_wildcard": true\n            }\n          }\n        },\n        "indices": []\n      }\n    }\n  },\n  "condition": {\n    "compare": {\n      "ctx.payload.hits.total": {\n        "not_eq": 0\n      }\n    }\n  },\n  "actions": {\n    "send_email": {\n      "email": {\n        "to": null,\n        "subject": "Sigma Rule \'Rundll32 Internet Connection\'",\n        "body": "Hits:\\n{{#ctx.payload.hits.hits}}{{_source}}\\n================================================================================\\n{{/ctx.payload.hits.hits}}",\n        "attachments": {\n          "data.json": {\n            "data": {\n              "format": "json"\n            }\n          }\n        }\n      }\n    }\n  }\n}\nEOF\n"#;

#[test]
fn the_seed_page_comes_out_byte_for_byte() {
    let path = root().join("rules/windows/rundll32_internet_connection_2017.yml");
    let rule = std::fs::read_to_string(path).expect("the sample rule");
    let check =
        |target: &str, page: &str| assert_eq!(text(target, "atc2019", &rule, &|_| {}), Ok(unescaped(page)), "{target}");
    check("lucene", KIBANA);
    check("graylog", GRAYLOG);
    check("watcher", WATCHER);
}

#[test]
fn pages_of_2019() {
    let Some(pages) = pages("2019") else { return };
    let none = |_: &mut Rule<'_>| {};
    let mut sum = Count::default();
    for (key, target) in [("kibana query", "lucene"), ("graylog", "graylog"), ("x-pack watcher", "watcher")] {
        let count = compare(&pages, key, target, "atc2019", true, &none);
        println!("2019 {key}: {count:?}");
        sum.equal += count.equal;
        sum.other.extend(count.other);
    }
    assert_eq!(sum.equal + sum.other.len(), 166);
    assert_known(&sum.other);
    assert_eq!(sum.equal, 165, "every text but one of `near`");
}

#[test]
fn pages_of_2020() {
    let Some(pages) = pages("2020") else { return };
    let winlogbeat = pipeline("winlogbeat");
    let elastic = |rule: &mut Rule<'_>| apply(winlogbeat, rule);
    let splunk = |rule: &mut Rule<'_>| adapt(rule, &splunk_field, "source", splunk_source);
    let none = |_: &mut Rule<'_>| {};
    type Adapt<'f> = &'f dyn Fn(&mut Rule<'_>);
    let of: [(&str, &str, Adapt<'_>); 4] = [
        ("graylog", "graylog", &none),
        ("splunk", "splunk", &splunk),
        ("es-qs", "lucene", &elastic),
        ("xpack-watcher", "watcher", &elastic),
    ];
    let mut sum = Count::default();
    for (key, target, adapt) in of {
        let count = compare(&pages, key, target, "atc2020", false, adapt);
        println!("2020 {key}: {count:?}");
        sum.equal += count.equal;
        sum.other.extend(count.other);
    }
    assert_known(&sum.other);
    assert_eq!(sum.equal, 608, "every text but those of `near`, and of aggregations in Splunk");
}

/// The pages of Graylog and Splunk are of other configurations: few come out with that of Elasticsearch.
#[test]
fn other_pages_of_2020_with_the_pipeline_of_elasticsearch() {
    let Some(pages) = pages("2020") else { return };
    let winlogbeat = pipeline("winlogbeat");
    let elastic = |rule: &mut Rule<'_>| apply(winlogbeat, rule);
    let equal = |target: &str| compare(&pages, target, target, "atc2020", false, &elastic).equal;
    assert_eq!((equal("graylog"), equal("splunk")), (1, 0), "as docs/atc.md has it");
}

/// Pages that do not come out, and why; `docs/atc.md` lists them.
fn assert_known(other: &[(String, String)]) {
    let unknown: Vec<_> = other.iter().filter(|(_, why)| why != "correlation-unsupported").collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[derive(Default)]
struct Count {
    equal: usize,
    /// Error messages in place of a text, on the page.
    errors: usize,
    /// Page, and what came out instead.
    other: Vec<(String, String)>,
}

impl std::fmt::Debug for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} equal, {} errors on the page, {} other", self.equal, self.errors, self.other.len())?;
        self.other.iter().try_for_each(|(doc, why)| write!(f, "\n  {doc}: {why}"))
    }
}

fn compare(
    pages: &[Value],
    key: &str,
    target: &str,
    style: &str,
    escaped: bool,
    adapt: &dyn Fn(&mut Rule<'_>),
) -> Count {
    let mut count = Count::default();
    for page in pages {
        let (Some(doc), Some(rule)) = (page["doc"].as_str(), page["rule"].as_str()) else { panic!("{page}") };
        let Some(wanted) = page[key].as_str() else { continue };
        if wanted.starts_with("An unsupported feature is required") {
            count.errors += 1;
            continue;
        }
        let wanted = if escaped { unescaped(wanted) } else { wanted.to_owned() };
        match text(target, style, rule, adapt) {
            Ok(found) if found == wanted => count.equal += 1,
            Ok(found) => count.other.push((doc.to_owned(), difference(&found, &wanted))),
            Err(why) => count.other.push((doc.to_owned(), why)),
        }
    }
    count
}

fn difference(found: &str, wanted: &str) -> String {
    let at = found.bytes().zip(wanted.bytes()).take_while(|(a, b)| a == b).count().saturating_sub(40);
    let from = |text: &str| -> String { text.get(at..).unwrap_or_default().chars().take(120).collect() };
    format!("\n    found:  {}\n    wanted: {}", from(found), from(wanted))
}

fn pages(year: &str) -> Option<Vec<Value>> {
    let path = corpus(&format!("atc/{year}.json"))?;
    let text = std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    Some(serde_json::from_str(&text).expect("a list of pages"))
}

/// Splunk's field names and the log source's restriction, as the library's configuration brought them into a rule.
fn adapt(
    rule: &mut Rule<'_>,
    field: &dyn Fn(&str) -> String,
    key: &'static str,
    channel: fn(&str) -> Option<&'static str>,
) {
    for detection in &mut rule.detections {
        rename(&mut detection.tree, field);
    }
    rule.meta.fields.iter_mut().for_each(|shown| *shown = Field::new(field(shown.as_str())));
    let Some(value) = rule.logsource.service.as_deref().and_then(channel) else { return };
    let span = rule.span;
    let test = Test::Text { pattern: sigcast_ir::Pattern::exact(value), case: sigcast_ir::Case::Insensitive };
    let item = DetectionItem {
        field: Some(Field::new(key)),
        modifiers: Vec::new(),
        values: vec![sigcast_ir::Value { test, span }],
        list: false,
        linking: ValueLinking::Any,
        negated: false,
        span,
        applied: Vec::new(),
    };
    let index = rule.detections.len();
    rule.detections.push(Detection { name: "channel".into(), span, tree: Tree::Item(item) });
    for (condition, _) in &mut rule.conditions {
        let own = std::mem::replace(condition, Condition::Detection { index, span });
        *condition = Condition::And(vec![Condition::Detection { index, span }, own]);
    }
}

fn rename(tree: &mut Tree<'_>, field: &dyn Fn(&str) -> String) {
    match tree {
        Tree::All(nodes) | Tree::Any(nodes) => nodes.iter_mut().for_each(|node| rename(node, field)),
        Tree::Item(item) => {
            if let Some(name) = &mut item.field {
                *name = Field::new(field(name.as_str()));
            }
        }
    }
}

fn splunk_field(name: &str) -> String {
    if name == "EventID" { "EventCode".to_owned() } else { name.to_owned() }
}

fn splunk_source(service: &str) -> Option<&'static str> {
    Some(match service {
        "sysmon" => "WinEventLog:Microsoft-Windows-Sysmon/Operational",
        "security" => "WinEventLog:Security",
        "application" => "WinEventLog:Application",
        "system" => "WinEventLog:System",
        "powershell" => "WinEventLog:Microsoft-Windows-PowerShell/Operational",
        "powershell-classic" => "Windows PowerShell",
        "wmi" => "WinEventLog:Microsoft-Windows-WMI-Activity/Operational",
        _ => return None,
    })
}

/// A built-in pipeline, for as long as the tests run.
fn pipeline(name: &str) -> &'static Chain<'static> {
    let mut sources = SourceMap::new();
    let id = sources.add(name, builtin(name).expect("a pipeline").text);
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let compiled = Pipeline::compile(sources, id, &Nowhere).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
    Box::leak(Box::new(Chain::new(vec![Arc::new(compiled)])))
}

/// What a pipeline makes of a rule.
fn apply(chain: &'static Chain<'static>, rule: &mut Rule<'_>) {
    let applied = chain.apply(rule.clone());
    assert!(!applied.is_refused(), "{:?}", applied.diagnostics);
    *rule = applied.rule;
}

#[test]
fn what_is_wrong_in_the_old_form_is_said() {
    let check = |target: &str, style: &str, detection: &str, expected: &[&str]| {
        let file = format!("title: t\nlogsource: {{product: windows}}\ndetection: {detection}\n");
        let target = find(target).expect("a target");
        let mut settings = Settings::default();
        option("style").expect("an option").set(&mut settings, style).expect("a style");
        let mut sources = SourceMap::new();
        let id = sources.add("rule", file);
        let documents = parse(&sources, id);
        let [document] = documents.as_slice() else { panic!("one document") };
        let Kind::Rule(rule) = &document.kind else { panic!("{:?}", document.diagnostics) };
        let conversion = Backend::new(target, settings).convert(rule);
        let said: Vec<&str> = conversion
            .diagnostics
            .iter()
            .filter(|found| found.code == Code::LegacyStyle)
            .map(|found| found.message.as_str())
            .collect();
        assert_eq!(said.len(), expected.len(), "{detection}: {said:?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.contains(expected), "{detection}: {said}");
        }
        let status = if expected.is_empty() { Status::Exact } else { Status::Approximate };
        assert_eq!(conversion.status, status, "{detection}: {:?}", conversion.diagnostics);
    };
    let exact = "{s: {EventID: 1, Image: '*\\a b.exe'}, condition: s}";
    check("lucene", "atc2019", exact, &[]);
    check("lucene", "atc2020", exact, &[]);
    check("splunk", "atc2020", exact, &[]);
    check("graylog", "atc2019", exact, &["wildcards inside quotes"]);
    check("graylog", "atc2020", exact, &["does not escape the blanks"]);
    check("watcher", "atc2019", exact, &["does not quote the heredoc"]);
    check("watcher", "atc2019", "{s: {EventID: 1}, condition: s}", &[]);
    let list = "{s: {EventID: [1, 2]}, condition: s}";
    check("lucene", "atc2019", list, &["blanks between the values"]);
    check("lucene", "atc2020", list, &[]);
    check("lucene", "atc2020", "{s: {a|contains: 'b\\'}, condition: s}", &["added wildcard as `\\*`"]);
    check("lucene", "atc2020", "{s: {a: '\\*'}, condition: s}", &[]);
    check("splunk", "atc2020", "{s: {a: '\\*'}, condition: s}", &["literal `*` or `?`"]);
    check("splunk", "atc2020", "{s: {a: 'b?'}, condition: s}", &["does not know as a wildcard"]);
    check("lucene", "atc2020", "{s: [{a: 1, b|re: x}], condition: s}", &["anchors it"]);
    check("lucene", "atc2019", "{s: {a: 1}, t: {b: 2}, condition: s or not t}", &["without a group"]);
    check("lucene", "atc2020", "{s: {a: 1}, t: {b: 2}, condition: s or not t}", &[]);
    check("lucene", "atc2020", "{s: {a: 1}, t: {b: null}, condition: s or t}", &["without a group"]);
    check("lucene", "atc2019", "{k: [x, y], condition: all of k}", &["whole words", "whole words", "every element"]);
    check("lucene", "atc2020", "{k: [x, y], condition: k}", &["subfields"]);
}

#[test]
fn a_style_has_no_script_that_would_run_a_rule() {
    let rule = |title: &str, value: &str| {
        format!("title: '{title}'\nlogsource: {{product: windows}}\ndetection: {{s: {{a: '{value}'}}, condition: s}}\n")
    };
    let check = |title: &str, value: &str, expected: &str| {
        for style in ["atc2019", "atc2020"] {
            let found = text("watcher", style, &rule(title, value), &|_| {}).expect_err("refused");
            assert!(found.contains(expected), "{found}");
        }
    };
    check("$(id)", "b", "a shell would run");
    check("t", "`id`", "a shell would run");
    check("a; id", "b", "signs that a shell gives a meaning to");
    assert!(text("watcher", "atc2019", &rule("a/b c", "b"), &|_| {}).is_ok());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
