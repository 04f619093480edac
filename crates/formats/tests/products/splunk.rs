//! Splunk: stanzas of savedsearches.conf, correlation searches of Enterprise Security, searches of data models.

use serde_json::{Value, json};

use crate::conf::{self, Stanza, value};
use crate::{BARE, Maker, RULE, sample, with};

/// The keys that savedsearches.conf.spec has, as far as they stand here; those of actions are open.
const KEYS: &[&str] = &[
    "alert.digest_mode",
    "alert.expires",
    "alert.severity",
    "alert.suppress",
    "alert.suppress.fields",
    "alert.suppress.period",
    "alert.track",
    "counttype",
    "cron_schedule",
    "description",
    "disabled",
    "dispatch.earliest_time",
    "dispatch.latest_time",
    "enableSched",
    "quantity",
    "realtime_schedule",
    "relation",
    "schedule_window",
    "search",
];

/// The stanzas of a file with rules; every key is one that the specification has.
fn stanzas(maker: &Maker, file: &str) -> Vec<Stanza> {
    let text = maker.texts(file).unwrap_or_else(|why| panic!("{why}")).concat();
    let found = conf::read(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    for (name, keys) in &found {
        assert!(!name.is_empty());
        for (key, _) in keys {
            assert!(KEYS.contains(&key.as_str()) || key.starts_with("action."), "{key}");
        }
    }
    found
}

fn stanza(maker: &Maker, file: &str) -> Stanza {
    let mut found = stanzas(maker, file);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn a_saved_search_is_complete() {
    let found = stanza(&Maker::new("splunk", "savedsearches", &[("index", "win")], &["splunk_windows"]), RULE);
    assert_eq!(found.0, "Download by Certutil");
    let check = |key: &str, expected: &str| assert_eq!(value(&found, key), expected, "{key}");
    check("disabled", "0");
    check("enableSched", "1");
    check("cron_schedule", "*/5 * * * *");
    check("dispatch.earliest_time", "-5m@m");
    check("dispatch.latest_time", "@m");
    check("counttype", "number of events");
    check("relation", "greater than");
    check("quantity", "0");
    check("alert.severity", "5");
    check("alert.suppress", "0");
    check("alert.track", "1");
    assert!(value(&found, "search").contains("index=\"win\"") || value(&found, "search").contains("index=win"));
    assert!(!value(&found, "search").contains("earliest"), "the time range stands beside the search");
    let about = value(&found, "description");
    for part in [
        "Finds certutil that fetches a file.\n A second line.",
        "9c2d6f0e-3b1a-4a54-9b1f-7d2f3c5e8a10",
        "Status: test",
        "Author: A. Author",
        "Date: 2026-03-04",
        "ATT&CK: Stealth (TA0005): T1218.011 Rundll32",
        "ATT&CK: Command and Control (TA0011): T1105 Ingress Tool Transfer",
        "Reference: https://example.org/lolbas",
        "False positive: Scripts",
    ] {
        assert!(about.contains(part), "{part} in {about}");
    }
}

#[test]
fn options_and_the_rule_itself_set_the_schedule() {
    let check = |options: &[(&str, &str)], lines: &str, expected: &[(&str, &str)]| {
        let found = stanza(&Maker::new("splunk", "savedsearches", options, &[]), &with(BARE, lines));
        for (key, text) in expected {
            assert_eq!(value(&found, key), *text, "{key}");
        }
    };
    check(&[], "status: deprecated", &[("disabled", "1")]);
    check(&[("enabled", "true")], "status: deprecated", &[("disabled", "0")]);
    check(&[], "level: critical", &[("alert.severity", "6")]);
    check(&[("level", "low")], "", &[("alert.severity", "3")]);
    check(
        &[("interval", "1h"), ("time_range", "2h")],
        "",
        &[("cron_schedule", "0 * * * *"), ("dispatch.earliest_time", "-2h@m")],
    );
    check(
        &[("cron", "7 3 * * 1"), ("time_range", "7d")],
        "",
        &[("cron_schedule", "7 3 * * 1"), ("dispatch.earliest_time", "-7d@m")],
    );
    check(&[("suppress", "90m")], "", &[("alert.suppress", "1"), ("alert.suppress.period", "90m")]);
    check(
        &[],
        "custom: {spl: {alert.suppress.period: 1h, alert.suppress.fields: [host, user], alert.expires: 48h}}",
        &[("alert.suppress", "1"), ("alert.suppress.period", "1h"), ("alert.suppress.fields", "host,user")],
    );
    check(
        &[],
        "custom:\n    all: {interval: 15m}\n    splunk: {action: {email: {to: a@example.org}}, action.email: 1, alert.track: 0}",
        &[
            ("cron_schedule", "*/15 * * * *"),
            ("dispatch.earliest_time", "-15m@m"),
            ("action.email.to", "a@example.org"),
            ("action.email", "1"),
            ("alert.track", "0"),
        ],
    );
    let refused = |options: &[(&str, &str)], lines: &str, part: &str| {
        let why = Maker::new("splunk", "savedsearches", options, &[]).refusal(&with(BARE, lines));
        assert!(why.contains(part), "{why}");
    };
    refused(&[("interval", "7m")], "", "cannot be said in cron");
    refused(&[("cron", "0 0 * * MON"), ("time_range", "7d")], "", "no names of months and days");
    refused(&[("interval", "1h"), ("time_range", "5m")], "", "events between would be missed");
    refused(&[], r#"custom: {splunk: {"action.x\n[evil]": 1}}"#, "a key that has other signs");
}

#[test]
fn names_are_unique_and_queries_go_on_over_lines() {
    let file = format!("{BARE}---{BARE}---{}", BARE.replace("Bare", "bare]"));
    let found = stanzas(&Maker::new("splunk", "savedsearches", &[], &[]), &file);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Bare", "Bare (2)", "bare)"]);
    let staged = sample("windows/process_creation/regular_expressions.yml");
    let found = stanza(&Maker::new("splunk", "savedsearches", &[], &[]), &staged);
    assert!(value(&found, "search").contains("\n| where "), "{found:#?}");
}

#[test]
fn a_correlation_search_has_a_notable_and_a_risk() {
    let maker = Maker::new("splunk", "es-correlation", &[], &["splunk_windows"]);
    let found = stanza(&maker, RULE);
    let check = |key: &str, expected: &str| assert_eq!(value(&found, key), expected, "{key}");
    check("action.correlationsearch.enabled", "1");
    check("action.correlationsearch.label", "Download by Certutil");
    check("action.notable", "1");
    check("action.notable.param.rule_title", "Download by Certutil");
    check("action.notable.param.security_domain", "endpoint");
    check("action.notable.param.severity", "high");
    check("action.risk", "1");
    check("cron_schedule", "*/5 * * * *");
    let annotations: Value = serde_json::from_str(value(&found, "action.correlationsearch.annotations")).expect("JSON");
    assert_eq!(annotations, json!({"mitre_attack": ["T1105", "T1218.011"]}));
    let risk: Value = serde_json::from_str(value(&found, "action.risk.param._risk")).expect("JSON");
    assert_eq!(risk[0], json!({"risk_object_field": "dest", "risk_object_type": "system", "risk_score": 73}));
    let own =
        with(RULE, "custom: {splunk: {risk_score: 12, security_domain: threat, action.notable.param.severity: low}}");
    let found = stanza(&maker, &own);
    assert!(value(&found, "action.risk.param._risk").contains("\"risk_score\":12"));
    assert_eq!(value(&found, "action.notable.param.security_domain"), "threat");
    assert_eq!(value(&found, "action.notable.param.severity"), "low");
}

#[test]
fn titles_are_no_tokens() {
    let file = RULE.replace("Download by Certutil", "'Access to ADMIN$ and C$ \\'");
    let found = stanza(&Maker::new("splunk", "es-correlation", &[], &[]), &file);
    assert_eq!(found.0, "Access to ADMIN$ and C$ -");
    assert_eq!(value(&found, "action.notable.param.rule_title"), "Access to ADMIN＄ and C＄ \\.");
}

#[test]
fn a_data_model_is_searched_by_tstats() {
    let maker = Maker::new("splunk", "data-model", &[], &["splunk_cim"]);
    let found = maker.text(RULE);
    let lines: Vec<&str> = found.lines().collect();
    let (head, tail) = lines[0].split_once(" where ").expect("a condition");
    assert_eq!(
        head,
        "| tstats summariesonly=false fillnull_value=\"unknown\" count min(_time) as firstTime max(_time) as lastTime from \
         datamodel=Endpoint.Processes"
    );
    let (condition, by) = tail.split_once(" by ").expect("fields");
    assert!(condition.contains("Processes.process_path=\"*\\\\certutil.exe\""), "{condition}");
    assert!(by.split(' ').all(|field| field.starts_with("Processes.")) && by.contains("Processes.dest"), "{by}");
    assert_eq!(lines[1], "| rename Processes.* as *");
    // A dataset below the root is named by its path.
    let proxy =
        "title: P\nlogsource: {category: proxy}\ndetection: {a: {c-uri: x}, b: {c-uri: y}, condition: a or b}\n";
    let found = maker.text(proxy);
    assert!(found.contains("from datamodel=Web.Web where nodename=Web.Proxy (Web.url"), "{found}");
    let own = with(RULE, "custom: {splunk: {summariesonly: true}}");
    assert!(maker.text(&own).starts_with("| tstats summariesonly=true "));
    // What a filter behind the search would say cannot be said.
    let staged = RULE.replace("CommandLine|contains: [urlcache, verifyctl]", "CommandLine|re: 'a.c'");
    assert!(maker.refusal(&staged).contains("a search by tstats cannot say"));
    assert!(Maker::new("splunk", "data-model", &[], &[]).refusal(RULE).contains("-p splunk_cim"));
}

/// What fires may have begun before the last run ended: each run looks back by the correlation's time, too.
#[test]
fn a_correlation_is_looked_for_across_runs() {
    let maker = Maker::new("splunk", "savedsearches", &[], &[]);
    let mut sources = sigcast_diagnostics::SourceMap::new();
    let id = sources.add("rule.yml", sample("correlation/brute_force_of_one_account.yml"));
    let mut documents = sigcast_frontend::parse(&sources, id);
    sigcast_frontend::link(&mut documents.iter_mut().collect::<Vec<_>>());
    let found = documents.iter().find_map(|document| match &document.kind {
        sigcast_frontend::Kind::Correlation(correlation) => Some(correlation),
        _ => None,
    });
    let correlation = found.expect("a correlation");
    let (backend, described) = (&maker.backend, correlation.described());
    let queries = backend.correlate(correlation).queries;
    let text = maker.templates.render(backend.target, maker.format, &described, &queries, &backend.settings);
    let stanzas = conf::read(&text.expect("a stanza")).expect("a file");
    assert_eq!(value(&stanzas[0], "dispatch.earliest_time"), "-10m@m");
    assert_eq!(value(&stanzas[0], "cron_schedule"), "*/5 * * * *");
    assert!(value(&stanzas[0], "search").contains("\n| streamstats "));
}
