//! Whatever a rule says, it stays in its place, in every format of every target.
//!
//! Each format is made of a rule whose texts are harmless, and of one whose texts try to leave their place; what comes out
//! is read by a reader of its form. The two must have the same shape, and each text must stand where the harmless one does.
//! A format without a reader fails the test.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Comment, Format, TARGETS, Target};
use sigcast_diagnostics::SourceMap;
use sigcast_formats::{Templates, file_name};
use sigcast_frontend::{Kind, parse};

use crate::conf;

/// Texts that try to leave their place. `M` is the mark by which a text is found again.
const HOSTILE: [&str; 16] = [
    "a \"M\" 'b' \\\" \\' \\",
    "M\nsearch = evil\n[evil]\nkey: v\n---\n- x\n",
    "$(M) `M` ${M} $M$ %(M)s {{ M }} {% M %} {# M #}",
    "{{#M}}{{{ctx}}}{{/M}} }} %}",
    "]]></M><!-- --> <script>",
    "../../..\\..\\M\\",
    "[concat('M')]",
    "M]\n[x]\nenabled = 1\n",
    "M\r\nEOF\rSIGCAST_WATCH\n'''\n\"\"\"\n",
    "M ``` ``` | delete ```",
    "# M",
    "- M: [x, {y: z",
    "|- M",
    "*/ M // -- \u{2028}--\u{2029}M\u{85}x",
    "&M *M !M @M ? : , M",
    "😀 é M \u{7f}\u{9b}\u{feff}",
];

/// The attributes that hold texts, with their marks.
const MARKS: [&str; 6] = ["Zztitle", "Zzdescription", "Zzauthor", "Zzreference", "Zztag", "Zzfalse"];

/// A rule with these texts in its attributes: title, description, author, reference, tag, case of a false positive.
fn rule(text: impl Fn(&str) -> String) -> String {
    let [title, description, author, reference, tag, case] = MARKS.map(text);
    serde_json::json!({
        "title": title, "description": description, "author": author, "references": [reference],
        "tags": ["attack.execution", "attack.t1059.001", tag], "falsepositives": [case],
        "id": "48788f84-fe66-4371-9887-41aa78bb148a", "status": "test", "level": "high",
        "logsource": {"product": "windows", "category": "process_creation"},
        "detection": {"selection": {"Processes.process|contains": "a\"b'c{{d}}$(e)[f]"}, "condition": "selection"},
    })
    .to_string()
}

/// The text that a format makes of a rule.
fn made(target: &'static Target, format: &'static Format, templates: &Templates, file: &str) -> Result<String, String> {
    let wanted =
        [("index", "logs"), ("table", "DeviceProcessEvents"), ("recipient", "a@example.org"), ("data_view", "v")];
    let options: Vec<(&str, &str)> = wanted.into_iter().filter(|(key, _)| target.options.contains(key)).collect();
    let settings = Settings::of(&options).expect("options");
    let backend = Backend::new(target, settings).for_format(format);
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", file);
    let mut documents = parse(&sources, id);
    let Some(Kind::Rule(rule)) = documents.first_mut().map(|document| &mut document.kind) else {
        panic!("no rule: {file}\n{:?}", documents.first().map(|document| &document.diagnostics));
    };
    if target.name == "splunk" {
        // As the pipeline `splunk_cim` sets it.
        let state = [("data_model_set", "Endpoint.Processes"), ("fields", "Processes.dest,Processes.user")];
        rule.prepared.options.extend(state.map(|(key, value)| (key.into(), value.into())));
    }
    let conversion = backend.convert(rule);
    assert!(!conversion.queries.is_empty(), "{}: {:?}", target.name, conversion.diagnostics);
    templates
        .render(target, format, rule, &conversion.queries, &backend.settings)
        .map_err(|fault| format!("{}/{}: {fault}", target.name, format.name))
}

/// What a reader finds in a text of this format, as one value.
fn read(target: &Target, format: &Format, text: &str) -> Value {
    let place = format!("{}/{}", target.name, format.name);
    let fault = |why: String| -> Value { panic!("{place}: {why}\n{text}") };
    match (format.name, format.extension) {
        ("commented", _) => commented(target, text).unwrap_or_else(fault),
        ("data-model", _) => Value::from(text),
        // A command with a body that stands between a quoted delimiter.
        ("curl", "sh") => {
            let (head, rest) = text.split_once("<<'").expect("a here-document");
            let (delimiter, rest) = rest.split_once("'\n").expect("a delimiter");
            let (body, after) = rest.split_once(&format!("\n{delimiter}\n")).expect("its end");
            assert!(after.is_empty(), "{place}: {after}");
            let (comment, command) = head.split_once('\n').expect("two lines");
            assert!(comment.starts_with("# ") && command.starts_with("curl ") && !command.contains('\n'), "{head}");
            json_stream(body).unwrap_or_else(fault)
        }
        // The line of a request, then its body.
        ("console", "txt") => {
            let (request, body) = text.split_once('\n').expect("a request");
            assert!(request.starts_with("PUT _"), "{request}");
            json_stream(body).unwrap_or_else(fault)
        }
        (_, "json") => json_stream(text).unwrap_or_else(fault),
        (_, "ndjson") => {
            let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
            lines.map(Value::Array).unwrap_or_else(|why| fault(why.to_string()))
        }
        (_, "yaml" | "yml") => {
            let documents = serde_yaml::Deserializer::from_str(text).map(<Value as serde::Deserialize>::deserialize);
            let documents: Result<Vec<Value>, _> = documents.collect();
            documents.map(Value::Array).unwrap_or_else(|why| fault(why.to_string()))
        }
        (_, "conf") => {
            let stanzas = conf::read(text).unwrap_or_else(|why| panic!("{place}: {why}\n{text}"));
            let stanza = |(name, keys): conf::Stanza| {
                let keys: Map<String, Value> = keys.into_iter().map(|(key, value)| (key, value.into())).collect();
                Value::Array(vec![name.into(), Value::Object(keys)])
            };
            stanzas.into_iter().map(stanza).collect()
        }
        _ => panic!("{place}: a format of a new kind (.{}) needs a reader here", format.extension),
    }
}

fn json_stream(text: &str) -> Result<Value, String> {
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    values.map(Value::Array).map_err(|why| why.to_string())
}

/// The comment, without its signs, and the query below it.
fn commented(target: &Target, text: &str) -> Result<Value, String> {
    let (open, close) = match target.comment {
        Comment::Line(sign) => (sign, ""),
        Comment::Block(open, close) => (open, close),
        Comment::None => return Err("the language has no comments".to_owned()),
    };
    // No reader of the language takes these for line breaks but for the last three, which some do.
    let lines: Vec<&str> = text.trim_end().split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).collect();
    let rest = lines.iter().position(|line| !line.starts_with(open)).unwrap_or(lines.len());
    let (comments, query) = lines.split_at(rest);
    let mut said = String::new();
    for line in comments {
        let inner = line.strip_prefix(open).and_then(|line| line.strip_suffix(close)).ok_or("no end of a comment")?;
        if !close.is_empty() && inner.contains(close) {
            return Err(format!("a comment ends early: {line}"));
        }
        said.push_str(inner);
    }
    Ok(Value::Array(vec![said.into(), query.join("\n").into()]))
}

/// Every text in a value, by its path. A template of Azure Resource Manager evaluates text in brackets.
fn texts(value: &Value, path: &str, out: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            out.insert(path.to_owned(), text.clone());
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| texts(value, &format!("{path}/{at}"), out));
        }
        Value::Object(entries) => entries.iter().for_each(|(key, value)| texts(value, &format!("{path}/{key}"), out)),
        other => {
            out.insert(path.to_owned(), other.to_string());
        }
    }
}

/// Letters and digits: what every form keeps, however it writes the rest.
fn kept(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Holds what a format makes of hostile rules against what it makes of a harmless one.
fn check(target: &'static Target, format: &'static Format, templates: &Templates) {
    let made = |file: &str| made(target, format, templates, file).unwrap_or_else(|why| panic!("{why}"));
    let mut harmless = BTreeMap::new();
    texts(&read(target, format, &made(&rule(str::to_owned))), "", &mut harmless);
    for hostile in HOSTILE {
        let text = |mark: &str| hostile.replace('M', mark);
        let mut found = BTreeMap::new();
        texts(&read(target, format, &made(&rule(text))), "", &mut found);
        let place = format!("{}/{} of {hostile:?}", target.name, format.name);
        assert_eq!(found.keys().collect::<Vec<_>>(), harmless.keys().collect::<Vec<_>>(), "{place}");
        for (path, before) in &harmless {
            let after = &found[path];
            if MARKS.iter().all(|mark| !before.contains(mark)) {
                assert_eq!(after, before, "{place} at {path}");
            }
            for mark in MARKS.iter().filter(|mark| before.contains(*mark)) {
                assert!(kept(after).contains(&kept(&text(mark))), "{place} at {path}: {after:?}");
            }
            if format.name == "sentinel-arm" && after.starts_with('[') && after.ends_with(']') {
                assert!(after.starts_with("[[") || path.ends_with("/name"), "{place}: {after}");
            }
        }
    }
}

#[test]
fn no_text_leaves_its_place() {
    let templates = Templates::builtin();
    let mut checked = 0;
    for target in TARGETS {
        for format in target.formats.iter().filter(|format| !format.plain) {
            check(target, format, &templates);
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked}");
}

/// The check finds a template that does not escape: what it is worth.
#[test]
fn a_template_that_does_not_escape_is_found() {
    let holes = [
        ("graylog", "event-definition", "{#-\nextension: json\nunit: query\n#}{\"title\": \"{{ name }}\"}"),
        ("kusto", "sentinel-arm", "{#-\nextension: json\nunit: query\nescape: json\n#}{\"title\": {{ name }}}"),
        ("kusto", "sentinel-yaml", "{#-\nextension: yaml\nunit: query\n#}name: {{ name }}"),
        ("splunk", "savedsearches", "{#-\nextension: conf\nunit: query\n#}[x]\ndescription = {{ rule.description }}"),
        ("splunk", "commented", "{#-\nextension: '*'\nunit: query\n#}``` {{ rule.description }} ```\n{{ query }}"),
    ];
    for (target, format, hole) in holes {
        let target = sigcast_backends::find(target).expect("a target");
        let format = target.format(format).expect("a format");
        let name = if format.name == "commented" { "any".to_owned() } else { target.name.to_owned() };
        let name = format!("{name}/{}.j2", format.name);
        let templates = Templates::with_overrides([(name, hole.to_owned())]).expect("a template");
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(target, format, &templates)));
        assert!(found.is_err(), "{hole}");
    }
}

#[test]
fn no_title_leaves_its_folder() {
    let mut names = file_name::Names::new();
    for hostile in HOSTILE {
        let name = names.assign(Some(hostile), None);
        assert!(!name.is_empty() && name.len() <= file_name::LONGEST + 20, "{name}");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
        assert!(!name.starts_with('-'), "{name}");
    }
}
