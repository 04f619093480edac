//! Rules of Kibana's detection engine that count: held against what its API asks of `threshold`, and against the schedule
//! that makes a run's window the correlation's timespan.

use serde_json::{Value, json};

use super::*;

const LOGON: &str = "
title: Failed logon
name: failed
logsource: {product: windows, service: security}
detection:
    selection: {EventID: 4625}
    condition: selection
---
title: Locked account
name: locked
logsource: {product: windows, service: security}
detection:
    selection: {EventID: 4740}
    other: {EventID: 4767}
    condition: selection or not other
---
";

/// The rule that becomes of a correlation of `failed` and `locked`, with these attributes.
fn threshold(maker: &Maker, attributes: &str) -> Value {
    // Rules that it is not about stand before it.
    let texts = maker.texts(&of(attributes)).unwrap_or_else(|why| panic!("{why}"));
    serde_json::from_str(texts.last().expect("a rule")).expect("JSON")
}

fn of(attributes: &str) -> String {
    format!("{LOGON}title: Many\ncorrelation:\n    {}", attributes.replace('\n', "\n    "))
}

fn maker(target: &str, options: &[(&str, &str)]) -> Maker {
    Maker::new(target, "siem-rule", options, &[])
}

#[test]
fn a_count_is_a_threshold_rule() {
    let count = "type: event_count\nrules: [failed]\ngroup-by: [User, Host]\ntimespan: 1h\ncondition: {gt: 9}";
    let check = |target: &str, language: &str, query: &str| {
        let rule = threshold(&maker(target, &[]), count);
        assert_eq!(rule["type"], "threshold");
        assert_eq!(rule["language"], language);
        assert_eq!(rule["query"], query);
        assert_eq!(rule["threshold"], json!({"field": ["User", "Host"], "value": 10}));
        assert_eq!((&rule["interval"], &rule["from"]), (&json!("5m"), &json!("now-1h")));
        assert_eq!(rule.get("index"), None);
    };
    check("lucene", "lucene", "EventID:4625");
    check("kibana", "kuery", "EventID: 4625");
}

#[test]
fn a_count_of_values_is_a_cardinality() {
    let count =
        "type: value_count\nrules: [failed]\ngroup-by: [Host]\ntimespan: 90s\ncondition: {gte: 20, field: User}";
    let rule = threshold(&maker("lucene", &[("fields", "dynamic"), ("index", "logs-a,logs-b")]), count);
    let cardinality = json!([{"field": "User.keyword", "value": 20}]);
    assert_eq!(rule["threshold"], json!({"field": ["Host.keyword"], "value": 1, "cardinality": cardinality}));
    // It runs as often as its window is long, where that is less than usual.
    assert_eq!((&rule["interval"], &rule["from"]), (&json!("90s"), &json!("now-90s")));
    assert_eq!(rule["index"], json!(["logs-a", "logs-b"]));
}

#[test]
fn events_of_several_rules_count_together() {
    let count = "type: event_count\nrules: [failed, locked]\ntimespan: 1w\ncondition: {gte: 0}";
    let rule = threshold(&maker("lucene", &[]), count);
    assert_eq!(rule["query"], "(EventID:4625) OR (EventID:4740 OR (NOT EventID:4767))");
    // It fires at an event, so there is one.
    assert_eq!(rule["threshold"], json!({"field": [], "value": 1}));
    assert_eq!(rule["from"], "now-7d");
    let rule = threshold(&maker("kibana", &[]), count);
    assert_eq!(rule["query"], "(EventID: 4625) or (EventID: 4740 or not EventID: 4767)");
}

#[test]
fn what_a_threshold_rule_cannot_count_is_refused() {
    let check = |target: &str, format: &str, options: &[(&str, &str)], attributes: &str, expected: &str| {
        let found = Maker::new(target, format, options, &[]).refusal(&of(attributes));
        assert!(found.contains(expected), "{found}");
    };
    let count = "type: event_count\nrules: [failed]\ntimespan: 1h\n";
    let gte = format!("{count}condition: {{gte: 5}}");
    check("lucene", "elastalert", &[("index", "logs-*")], &gte, "the format `siem-rule` makes a threshold rule");
    check("kibana", "saved-search", &[("data_view", "v")], &gte, "the format `siem-rule` makes a threshold rule");
    check("lucene", "siem-rule", &[("time_range", "2h")], &gte, "the option `time_range` cannot make it 2h");
    check("lucene", "siem-rule", &[], &format!("{count}condition: {{lt: 5}}"), "has a lower bound, and no other");
    check(
        "lucene",
        "siem-rule",
        &[],
        &format!("{count}condition: {{gt: 5, lt: 9}}"),
        "has a lower bound, and no other",
    );
    check(
        "lucene",
        "siem-rule",
        &[],
        &format!("{count}group-by: [a, b, c, d, e, f]\ncondition: {{gt: 5}}"),
        "groups by 5 fields at most",
    );
    let values = "type: value_count\nrules: [failed]\ntimespan: 1h\ngroup-by: [User]\n";
    check("lucene", "siem-rule", &[], &format!("{values}condition: {{gt: 5, field: User}}"), "that it groups by");
    check(
        "lucene",
        "siem-rule",
        &[],
        &format!("{values}condition: {{gt: 5, field: [a, b]}}"),
        "the values of one field",
    );
    let sum = "type: value_sum\nrules: [failed]\ntimespan: 1h\ncondition: {gt: 5, field: Size}";
    check("kibana", "siem-rule", &[], sum, "measures nothing else");
    let temporal = "type: temporal\nrules: [failed, locked]\ntimespan: 1h";
    check("kibana", "siem-rule", &[], temporal, "does not ask which rules");
}
