//! What rules and options give to formats: schedules without gaps, values in their bounds, and nothing that takes the place of
//! the query.

use serde_json::{Value, json};

use super::*;

/// The rule with this in its attribute `custom` for a target.
fn custom(target: &str, entries: &str) -> String {
    with(BARE, &format!("custom:\n    {target}: {{{entries}}}"))
}

const CHAIN: &str = "
title: Failed logon
name: failed
logsource: {product: windows, service: security}
detection:
    selection: {EventID: 4625}
    condition: selection
---
title: Logon
name: logon
logsource: {product: windows, service: security}
detection:
    selection: {EventID: 4624}
    condition: selection
---
title: Many
name: many
correlation:
    type: event_count
    rules: [failed]
    group-by: [User]
    timespan: 10m
    condition: {gte: 5}
---
title: Many, then one
correlation:
    type: temporal_ordered
    rules: [many, logon]
    group-by: [User]
    timespan: 1h
";

#[test]
fn a_rule_sets_what_is_its_own_and_no_query() {
    let rule = custom(
        "splunk",
        "search: '| delete', disabled: 1, dispatch.earliest_time: -1y, cron_schedule: '1 1 1 1 *', \
                                 action.email: true, action.email.to: [a@example.org, b@example.org], alert.track: false",
    );
    for format in ["savedsearches", "es-correlation"] {
        let text = Maker::new("splunk", format, &[], &[]).text(&rule);
        for line in
            ["action.email = 1", "action.email.to = a@example.org,b@example.org", "alert.track = 0", "disabled = 0"]
        {
            assert!(text.lines().any(|own| own == line), "{line}: {text}");
        }
        for word in ["| delete", "-1y", "1 1 1 1"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn no_rule_has_the_stanza_of_all() {
    let rule = BARE.replacen("title: Bare", "title: Default", 1);
    let text = Maker::new("splunk", "savedsearches", &[], &[]).text(&rule);
    assert!(text.starts_with("[Default rule]\n"), "{text}");
}

#[test]
fn values_that_a_product_does_not_take_are_refused() {
    let check = |target: &str, format: &str, entries: &str, expected: &str| {
        let options: &[(&str, &str)] = match target {
            "kusto" => &[("table", "SecurityEvent")],
            "opensearch" => &[("index", "logs-*")],
            _ => &[],
        };
        let found = Maker::new(target, format, options, &[]).refusal(&custom(target, entries));
        assert!(found.contains(expected), "{found}");
    };
    check("eql", "siem-rule", "risk_score: -5", "`risk_score` to `-5`: a whole number from 0 to 100");
    check("esql", "siem-rule", "risk_score: 12.7", "a whole number");
    check("lucene", "siem-rule", "max_signals: abc", "`max_signals` to `abc`: a whole number");
    check("opensearch", "monitor", "severity: '77'", "from 1 to 5");
    check("opensearch", "monitor", "actions: none", "a list is expected");
    check("graylog", "event-definition", "event_limit: 0", "`event_limit` to `0`");
    check("graylog", "content-pack", "backlog_size: -1", "`backlog_size` to `-1`");
    check("graylog", "content-pack", "streams: one", "`streams` to `one`: a list");
    check("kusto", "sentinel-yaml", "version: 7", "three numbers such as 1.0.0");
    check("kusto", "sentinel-yaml", "connectors: x", "a list is expected");
    check("splunk", "es-correlation", "risk_score: 101", "from 0 to 100");
}

#[test]
fn a_schedule_leaves_no_time_out() {
    let splunk = |options: &[(&str, &str)]| Maker::new("splunk", "savedsearches", options, &[]);
    for (cron, range, expected) in [
        ("0 6 * * 1", "1h", "looks back 1h, and there are up to 7d from one to the next"),
        ("0 6 * * mon-fri", "1d", "up to 3d"),
        ("60 * * * *", "1d", "`60` is no minute"),
        ("0 0 31 2 *", "1d", "it never runs"),
    ] {
        let found = splunk(&[("cron", cron), ("time_range", range)]).refusal(BARE);
        assert!(found.contains(expected), "{found}");
    }
    let text = splunk(&[("cron", "*/10 * * * *"), ("time_range", "10m")]).text(BARE);
    assert!(text.contains("cron_schedule = */10 * * * *") && text.contains("earliest_time = -10m@m"), "{text}");
    // Of a correlation, the timespan comes on top.
    let found = splunk(&[("time_range", "1h")]).refusal(CHAIN);
    assert!(found.contains("up to 70m apart"), "{found}");
}

#[test]
fn a_search_reaches_back_to_the_first_event_of_inner_correlations() {
    let text = Maker::new("splunk", "savedsearches", &[], &[]).text(CHAIN);
    assert!(text.contains("dispatch.earliest_time = -75m@m"), "{text}");
    let table = [("table", "SecurityEvent")];
    let text = Maker::new("kusto", "sentinel-yaml", &table, &[]).text(CHAIN);
    assert!(text.contains("queryFrequency: \"1h\"\nqueryPeriod: \"130m\""), "{text}");
    // Times are whole minutes there, and never shorter than asked.
    let chain = CHAIN.replace("timespan: 10m", "timespan: 10s").replace("timespan: 1h", "timespan: 60s");
    let text = Maker::new("kusto", "sentinel-yaml", &table, &[]).text(&chain);
    assert!(text.contains("queryPeriod: \"62m\""), "{text}");
    let text = Maker::new("kusto", "sentinel-arm", &table, &[]).text(&chain);
    assert!(text.contains("\"queryPeriod\": \"PT62M\""), "{text}");
}

#[test]
fn every_type_of_rule_minds_the_time_field() {
    for target in ["lucene", "kibana", "eql", "esql"] {
        let text = Maker::new(target, "siem-rule", &[("time_field", "event.ingested")], &[]).text(BARE);
        let rule: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(rule["timestamp_override"], "event.ingested", "{target}");
    }
}

#[test]
fn a_content_pack_has_an_address_or_none() {
    let check = |references: &str, expected: &str| {
        let rule = with(BARE, &format!("references: {references}"));
        let text = Maker::new("graylog", "content-pack", &[], &[]).text(&rule);
        let pack: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(pack["url"], json!(expected), "{references}");
    };
    check("[Internal Research, https://example.org/a?b=c#d]", "https://example.org/a?b=c#d");
    check("['https://example.org/a b', 'https://example.org/50%', 'https://example.org/{x}']", "");
    check("['javascript:alert(1)']", "");
}
