//! What is read of schemas in each form, and what is refused.

use sigcast_diagnostics::SourceMap;

use super::parse;

/// The fields that a schema has, one a line, as text.
fn shown(text: &str) -> Result<String, Vec<String>> {
    let mut sources = SourceMap::new();
    let id = sources.add("schema.yml", text);
    let schema = parse(&sources, id).map_err(|faults| {
        let line = |found: &sigcast_diagnostics::Diagnostic| {
            let at = found.span().map_or(0, |span| sources.position(span).line);
            format!("{at}: {} {}", found.message, found.help.join(" ")).trim_end().to_owned()
        };
        faults.iter().map(line).collect::<Vec<_>>()
    })?;
    let one = |field: &sigcast_ir::schema::FieldType| {
        let limit = field.ignore_above.map(|limit| format!("<{limit}")).unwrap_or_default();
        format!("{}{}{limit}", field.kind.as_str(), if field.is_caseless() { "~" } else { "" })
    };
    let mut lines = Vec::new();
    for (name, field) in &schema.fields {
        let subs: String = field.subfields.iter().map(|(name, sub)| format!(" .{name}={}", one(sub))).collect();
        lines.push(format!("{name}={}{subs}", one(field)));
    }
    lines.sort();
    Ok(lines.join("; "))
}

fn check(text: &str, expected: &str) {
    assert_eq!(shown(text), Ok(expected.to_owned()), "{text}");
}

fn check_fault(text: &str, expected: &[&str]) {
    let faults = shown(text).expect_err(text);
    assert_eq!(faults.len(), expected.len(), "{text}: {faults:?}");
    for (fault, part) in faults.iter().zip(expected) {
        assert!(fault.contains(part), "{text}: {fault}");
    }
}

#[test]
fn own_form() {
    check("fields: {Image: keyword, DestinationIp: ip}", "DestinationIp=ip; Image=keyword");
    check("fields:\n  C: {type: keyword, case: insensitive, ignore_above: 256}", "C=keyword~<256");
    check(
        "fields: {P: {type: text, subfields: {keyword: keyword, caseless: {type: keyword, case: insensitive}}}}",
        "P=text .keyword=keyword .caseless=keyword~",
    );
    check("{\n\t\"fields\": {\n\t\t\"EventID\": \"long\"\n\t}\n}", "EventID=number");
    check("tables: {T: {A: string}}", "");
}

#[test]
fn mappings_of_elasticsearch() {
    check(
        r#"{"mappings":{"properties":{"process":{"properties":{"name":{"type":"keyword","ignore_above":1024,
            "fields":{"text":{"type":"match_only_text"}}}}},"source":{"properties":{"ip":{"type":"ip"}}}}}}"#,
        "process.name=keyword<1024 .text=text; source.ip=ip",
    );
    check(
        r#"{"logs":{"mappings":{"properties":{"a":{"type":"long"},"b":{"type":"boolean"}}}},
            "more":{"mappings":{"properties":{"a":{"type":"keyword"}}}}}"#,
        "b=boolean",
    );
    check(
        r#"{"index_templates":[{"name":"x","index_template":{"index_patterns":["x-*"],
            "template":{"mappings":{"properties":{"a":{"type":"date"}}}}}}]}"#,
        "a=date",
    );
    check(
        r#"{"settings":{"analysis":{"normalizer":{"low":{"type":"custom","filter":["lowercase"]},
            "more":{"filter":["lowercase","asciifolding"]}}}},
            "mappings":{"properties":{"a":{"type":"keyword","normalizer":"low"},
            "b":{"type":"keyword","normalizer":"more"},"c":{"type":"keyword","normalizer":"my_lowercase"}}}}"#,
        "a=keyword~; c=keyword~",
    );
    check(
        r#"{"mappings":{"properties":{"n":{"type":"nested","properties":{"a":{"type":"keyword"}}},
            "o":{"type":"object"},"f":{"type":"flattened"},"g":{"type":"geo_point"},
            "x":{"type":"alias","path":"f"},"off":{"enabled":false,"properties":{"a":{"type":"keyword"}}}}}}"#,
        "f=flattened; g=other; n.a=nested; x=flattened",
    );
    check(r#"{"mappings":{"doc":{"properties":{"a":{"type":"text"}}}}}"#, "a=text");
}

#[test]
fn faults() {
    check_fault("", &["is empty"]);
    check_fault("- a", &["is a list"]);
    check_fault("feilds: {}", &["neither `fields` nor"]);
    check_fault("feilds: {}", &["did you mean `fields`?"]);
    check_fault(
        "fields:\n  A: keywrd\n  B: {type: keyword, cas: sensitive}\n  C: {type: ip, case: insensitive}\n  D: {case: x}\n",
        &[
            "2: `keywrd` is no type",
            "3: `cas` is no key of a field",
            "4: `case` is of keyword",
            "5: the field has no `type`",
        ],
    );
    check_fault(
        "fields: {A: {type: text, subfields: {k: {type: keyword, subfields: {}}}}}",
        &["`subfields` is no key"],
    );
    check_fault("fields: [a]", &["`fields` is a list"]);
    check_fault("fields: {A: {type: keyword, ignore_above: many}}", &["number of characters"]);
    check_fault("fields: {A: keyword", &["is not"]);
    check_fault("fields: {}\nother: {}", &["`other` is no key of a schema"]);
    check_fault(r#"{"mappings":{"properties":{"a":"keyword"}}}"#, &["the field `a` is text: a map is expected"]);
}
