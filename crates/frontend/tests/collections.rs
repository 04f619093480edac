//! Documents of a file: what each is, and what `action` makes of them.

use sigcast_diagnostics::{Code, SourceMap};
use sigcast_frontend::{Kind, parse};

/// Shows each document: its kind, title, log source, detections and conditions; or its codes.
fn check(text: &str, expected: &[&str]) {
    let mut sources = SourceMap::new();
    let id = sources.add("test.yml", text);
    let shown: Vec<String> = parse(&sources, id)
        .iter()
        .map(|document| {
            let codes: Vec<_> = document.diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
            let codes = codes.join(" ");
            match &document.kind {
                Kind::Rule(rule) => {
                    let names: Vec<_> = rule.detections.iter().map(|detection| detection.name.as_ref()).collect();
                    let conditions: Vec<_> = rule.conditions.iter().map(|(_, span)| sources.snippet(*span)).collect();
                    let product = rule.logsource.product.as_deref().unwrap_or("");
                    let category = rule.logsource.category.as_deref().unwrap_or("");
                    format!("{} {product}/{category} {names:?} {conditions:?} {codes}", rule.meta.title)
                }
                Kind::Filter(filter) => format!("filter {} {codes}", filter.meta.title),
                Kind::Unlinked(_) => format!("unlinked {codes}"),
                Kind::Correlation(found) => format!("correlation {} {codes}", found.meta.title),
                Kind::Invalid => format!("invalid {codes}"),
                Kind::Refused => format!("refused {codes}"),
                Kind::Skipped => format!("skipped {codes}"),
            }
        })
        .collect();
    let shown: Vec<&str> = shown.iter().map(|line| line.trim_end()).collect();
    assert_eq!(shown, expected, "{text}");
}

const RULE: &str = "title: r\nlogsource: {product: p}\ndetection:\n  s: [k]\n  condition: s\n";

#[test]
fn documents_are_independent() {
    check(RULE, &[r#"r p/ ["s"] ["s"]"#]);
    check(&format!("{RULE}---\n{RULE}"), &[r#"r p/ ["s"] ["s"]"#; 2]);
    check(
        &format!("---\n---\n{RULE}---\nversion: 1\n---\njust text\n"),
        &["skipped", r#"r p/ ["s"] ["s"]"#, "skipped not-a-rule", "skipped not-a-rule"],
    );
    check(&format!("{RULE}---\na: 'b\n"), &[r#"r p/ ["s"] ["s"]"#, "invalid broken-yaml"]);
    check(&RULE.replace('\n', "\r\n"), &[r#"r p/ ["s"] ["s"]"#]);
    check("", &[]);
}

#[test]
fn what_is_meant_as_a_rule_is_not_skipped() {
    check("title: t\ndetection:\n  s: [k]\n  condition: s\n", &["invalid missing-attribute"]);
    check("title: t\nlogsource: {product: p}\n", &["invalid missing-attribute"]);
    check("title: t\ndetections:\n  s: [k]\n", &["invalid missing-attribute missing-attribute"]);
    check("title: A page\nlayout: post\n", &["skipped not-a-rule"]);
}

#[test]
fn global_attributes_are_lent_to_later_documents() {
    let text = "action: global\ntitle: g\nlogsource: {product: p}\ndetection:\n  condition: s\n---\n\
                detection:\n  s: [a]\n---\nlogsource: {category: c}\ndetection:\n  s: [b]\n  t: [c]\n";
    check(text, &["skipped", r#"g p/ ["s"] ["s"]"#, r#"g p/c ["s", "t"] ["s"] unused-detection"#]);
}

/// A document that lends a log source, a condition and this detection `s`; one that has the other.
fn lent(lent: &str, own: &str) -> String {
    format!(
        "action: global\ntitle: g\nlogsource: {{product: p}}\ndetection: {{s: {lent}, condition: s}}\n---\ndetection: {{{own}}}\n"
    )
}

#[test]
fn what_is_lent_to_a_detection_is_not_replaced() {
    let good = r#"g p/ ["s"] ["s"]"#;
    let both = |lending: &str, own: &str, expected: &str| check(&lent(lending, own), &["skipped", expected]);
    both("{a: 1}", "s: {b: 2}", good);
    both("{a: 1}", "s: {a: 1}", good);
    both("{a: [x, y]}", "s: {a: ['x', y], b: 1}", good);
    both("[a, b]", "s: [a, b]", good);
    both("[a, b]", "s: {c: 1}", &format!("{good} merge-dropped"));
    both("[a]", "condition: s", good);
    both("{a: 1}", "s: [b]", "invalid merge-conflict");
    both("{a: 1}", "s: {a: 2}", "invalid merge-conflict");
    both("{a: 1}", "s: {a: '1'}", "invalid merge-conflict");
    both("{a: [x, y]}", "s: {a: [x]}", "invalid merge-conflict");
    both("{a: [x]}", "s: {a: {b: 1}}", "invalid merge-conflict wrong-type");
    both("[a]", "s: [b]", "invalid merge-conflict");
    both("[a]", "t: [b], condition: s or t", "invalid merge-conflict");
    let condition = lent("[a]", "condition: {x: s}").replace("condition: s}", "condition: [s]}");
    check(&condition, &["skipped", "invalid merge-conflict bad-condition"]);
}

#[test]
fn a_dropped_detection_is_said_of_what_is_made_from_the_rule() {
    let text = lent("[a]", "s: {b: 1}") + "---\naction: repeat\ntitle: again\n";
    check(&text, &["skipped", r#"g p/ ["s"] ["s"] merge-dropped"#, r#"again p/ ["s"] ["s"] merge-dropped"#]);
}

#[test]
fn other_attributes_of_a_document_replace_the_lent_ones() {
    let text = lent("[a]", "t: [b]").replace("detection: {t", "title: own\nlogsource: {product: q}\ndetection: {t");
    check(&text, &["skipped", r#"own q/ ["s", "t"] ["s"] unused-detection"#]);
}

#[test]
fn repeat_changes_the_document_before_and_reset_forgets() {
    let text = format!(
        "{RULE}---\naction: repeat\ntitle: again\ndetection:\n  t: [x]\n  condition: s and t\n---\naction: reset\n---\ntitle: x\n"
    );
    check(&text, &[r#"r p/ ["s"] ["s"]"#, r#"again p/ ["s", "t"] ["s and t"]"#, "skipped", "skipped not-a-rule"]);
    let text =
        format!("action: global\nlevel: low\nlogsource: {{product: q}}\n---\naction: reset\n{RULE}---\ntitle: t\n");
    check(&text, &["skipped", r#"r p/ ["s"] ["s"]"#, "skipped not-a-rule"]);
}

#[test]
fn a_fault_in_what_is_lent_is_a_fault_of_the_borrower() {
    let text = format!("action: global\nlevel: low\nlevel: high\n---\n{RULE}");
    check(&text, &["invalid duplicate-key", "invalid duplicate-key"]);
    check(&format!("action: gobal\n{RULE}"), &["invalid bad-action"]);
}

#[test]
fn every_fault_of_a_rule_is_reported_in_the_order_of_the_text() {
    let text = "title: t\nstatus: x\nlogsource: {product: p}\ndetection:\n  s:\n    f|conains: a\n    g|re: '('\n  \
                t: []\n  condition: s and nope\nlevel: y\n";
    check(text, &["invalid bad-value unknown-modifier bad-regex empty-detection unknown-detection bad-value"]);
}

#[test]
fn conditions_in_a_list_are_queries_of_their_own() {
    let text = RULE.replace("condition: s", "t: [l]\n  condition: [s, s and t]");
    check(&text, &[r#"r p/ ["s", "t"] ["s", "s and t"]"#]);
    check(&RULE.replace("condition: s", "condition: []"), &["invalid bad-condition"]);
    check(&RULE.replace("condition: s", "condition: s | count() > 5"), &["refused missing-timeframe"]);
    check(&RULE.replace("condition: s", "condition: s or x | count() > 5"), &["invalid unknown-detection"]);
}

#[test]
fn attributes_are_read_leniently_where_nothing_is_lost() {
    let text = format!(
        "{RULE}references: one\ntags:\n  - a.b\nauthor: [x, y]\nfalsepositives:\ndate: 2017/11/04\nown: {{k: [1, ~]}}\nfields: f\n"
    );
    let mut sources = SourceMap::new();
    let id = sources.add("test.yml", text);
    let documents = parse(&sources, id);
    let codes: Vec<_> = documents[0].diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, [Code::UnusualAttribute]);
    let Kind::Rule(rule) = &documents[0].kind else { panic!("a rule") };
    assert_eq!(rule.meta.references, ["one"]);
    assert_eq!(rule.meta.tags, ["a.b"]);
    assert_eq!(rule.meta.author.as_deref(), Some("x, y"));
    assert_eq!(rule.meta.date.as_deref(), Some("2017/11/04"));
    assert!(rule.meta.falsepositives.is_empty());
    assert_eq!(rule.meta.fields[0].as_str(), "f");
    assert_eq!(rule.meta.custom.len(), 1);
    assert_eq!(rule.meta.custom[0].0, "own");
}
