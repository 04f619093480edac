//! Microsoft: analytics rules of Sentinel, custom detections of Defender.
//!
//! Sources: Azure/Azure-Sentinel, .script/tests/detectionTemplateSchemaValidation (keys, lengths, times, identifiers of
//! entities); Microsoft Learn, "KnownAttackTactic", ScheduledAlertRuleProperties; Microsoft Graph, detectionRule,
//! alertTemplate, ruleSchedule, mitreTactic, entityMappingConfiguration.

use serde_json::{Value, json};

use crate::{BARE, Maker, RULE, with};

/// The tactics that Sentinel knows.
const TACTICS: [&str; 17] = [
    "Collection",
    "CommandAndControl",
    "CredentialAccess",
    "DefenseEvasion",
    "Discovery",
    "Execution",
    "Exfiltration",
    "Impact",
    "ImpairProcessControl",
    "InhibitResponseFunction",
    "InitialAccess",
    "LateralMovement",
    "Persistence",
    "PreAttack",
    "PrivilegeEscalation",
    "Reconnaissance",
    "ResourceDevelopment",
];

/// The identifiers of an entity, and those of which one must be there.
fn identifiers(kind: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        "Account" => (
            &["Name", "FullName", "NTDomain", "DnsDomain", "UPNSuffix", "Sid", "AadUserId"],
            &["FullName", "Sid", "Name", "AadUserId"],
        ),
        "Host" => (&["DnsDomain", "NTDomain", "HostName", "FullName", "NetBiosName"], &["FullName", "HostName"]),
        "IP" => (&["Address"], &["Address"]),
        "File" => (&["Directory", "Name"], &["Name"]),
        "Process" => (&["ProcessId", "CommandLine"], &["CommandLine", "ProcessId"]),
        "RegistryKey" => (&["Hive", "Key"], &["Key"]),
        "RegistryValue" => (&["Name", "Value", "ValueType"], &["Name"]),
        "URL" => (&["Url"], &["Url"]),
        "DNS" => (&["DomainName"], &["DomainName"]),
        other => panic!("no entity is called {other}"),
    }
}

fn entities(found: &Value) {
    let list = found.as_array().expect("a list");
    assert!((1..=5).contains(&list.len()));
    for entity in list {
        let (known, required) = identifiers(entity["entityType"].as_str().expect("a type"));
        let fields = entity["fieldMappings"].as_array().expect("a list");
        assert!((1..=3).contains(&fields.len()));
        let named: Vec<&str> = fields.iter().map(|field| field["identifier"].as_str().expect("a name")).collect();
        assert!(named.iter().all(|name| known.contains(name)), "{entity}");
        assert!(named.iter().any(|name| required.contains(name)), "{entity}");
        assert!(fields.iter().all(|field| field["columnName"].as_str().is_some_and(|name| !name.is_empty())));
    }
}

/// Seconds of `1h`.
fn seconds(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let size = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        other => panic!("no unit: {other}"),
    };
    number.parse::<u64>().expect("a number") * size
}

fn yaml(options: &[(&str, &str)], pipelines: &[&str], file: &str) -> Value {
    let text = Maker::new("kusto", "sentinel-yaml", options, pipelines).text(file);
    let found: Value = serde_yaml::from_str(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    for key in ["id", "kind", "name", "description", "severity", "query", "version", "triggerOperator"] {
        assert!(found[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {text}");
    }
    assert!(found["requiredDataConnectors"].is_array() && found["triggerThreshold"].is_u64());
    assert!(["Informational", "Low", "Medium", "High"].contains(&found["severity"].as_str().unwrap_or_default()));
    let tactics = found["tactics"].as_array().expect("a list");
    assert!(tactics.iter().all(|tactic| TACTICS.contains(&tactic.as_str().unwrap_or_default())), "{tactics:?}");
    let (every, back) = (&found["queryFrequency"], &found["queryPeriod"]);
    let (every, back) = (seconds(every.as_str().expect("a time")), seconds(back.as_str().expect("a time")));
    assert!((300..=1_209_600).contains(&every) && (every..=1_209_600).contains(&back));
    if !found["entityMappings"].is_null() {
        entities(&found["entityMappings"]);
    }
    found
}

#[test]
fn an_analytics_rule_is_one_that_the_repository_takes() {
    let found = yaml(&[], &["microsoft_xdr"], RULE);
    let check = |key: &str, expected: Value| assert_eq!(found[key], expected, "{key}");
    check("id", json!("9c2d6f0e-3b1a-4a54-9b1f-7d2f3c5e8a10"));
    check("name", json!("Download by Certutil"));
    check("severity", json!("High"));
    check("queryFrequency", json!("1h"));
    check("queryPeriod", json!("1h"));
    check("tactics", json!(["DefenseEvasion", "CommandAndControl"]));
    check("relevantTechniques", json!(["T1218", "T1105", "T1218.011"]));
    check("kind", json!("Scheduled"));
    check(
        "requiredDataConnectors",
        json!([{"connectorId": "MicrosoftThreatProtection", "dataTypes": ["DeviceProcessEvents"]}]),
    );
    let query = found["query"].as_str().expect("a query");
    assert!(query.starts_with("DeviceProcessEvents\n| where ") && !query.contains("ago("), "{query}");
    let description = found["description"].as_str().expect("a text");
    assert!(
        description.contains("A second line.\n\nRule: 9c2d6f0e") && description.contains("False positive: Scripts")
    );
    // Over ASIM, with other columns; and without entities where the table is unknown.
    let found = yaml(&[], &["sentinel_asim"], RULE);
    assert_eq!(found["entityMappings"][1]["fieldMappings"][0]["columnName"], "TargetUsername");
    assert_eq!(yaml(&[("table", "Own")], &[], BARE)["entityMappings"], Value::Null);
    let found = yaml(&[("table", "Own"), ("suppress", "3h")], &[], &with(BARE, "status: deprecated"));
    assert_eq!((&found["enabled"], &found["suppressionDuration"]), (&json!(false), &json!("3h")));
}

#[test]
fn limits_of_sentinel_are_kept() {
    let long = "x".repeat(300);
    let check = |options: &[(&str, &str)], file: &str, part: &str| {
        for format in ["sentinel-yaml", "sentinel-arm"] {
            let why = Maker::new("kusto", format, options, &[]).refusal(file);
            assert!(why.contains(part), "{why}");
        }
    };
    check(&[], BARE, "needs the option `table`");
    let table = ("table", "T");
    check(&[table, ("interval", "1m")], BARE, "every five minutes at most");
    check(&[table, ("time_range", "15d")], BARE, "14 days at most");
    check(&[table, ("interval", "10m"), ("time_range", "2d")], BARE, "once an hour at most");
    check(&[table], &BARE.replace("Bare", &long), "no more than 256");
    check(&[table], &with(BARE, &format!("description: '{}'", long.repeat(20))), "no more than 5000");
    check(&[table], &BARE.replace("a.exe", &long.repeat(40)), "no more than 10000");
}

#[test]
fn a_template_deploys_the_same_rule() {
    let maker = Maker::new("kusto", "sentinel-arm", &[("interval", "2h")], &["microsoft_xdr"]);
    let found: Value = serde_json::from_str(&maker.text(RULE)).expect("JSON");
    let resource = &found["resources"][0];
    assert_eq!(resource["type"], "Microsoft.OperationalInsights/workspaces/providers/alertRules");
    assert_eq!(
        resource["name"],
        "[concat(parameters('workspace'), '/Microsoft.SecurityInsights/9c2d6f0e-3b1a-4a54-9b1f-7d2f3c5e8a10')]"
    );
    let own = &resource["properties"];
    let check = |key: &str, expected: Value| assert_eq!(own[key], expected, "{key}");
    check("displayName", json!("Download by Certutil"));
    check("enabled", json!(true));
    check("queryFrequency", json!("PT2H"));
    check("queryPeriod", json!("PT2H"));
    check("suppressionEnabled", json!(false));
    check("suppressionDuration", json!("PT5H"));
    check("triggerOperator", json!("GreaterThan"));
    check("tactics", json!(["DefenseEvasion", "CommandAndControl"]));
    check("techniques", json!(["T1218", "T1105"]));
    check("subTechniques", json!(["T1218.011"]));
    entities(&own["entityMappings"]);
    // Text in brackets is text.
    let title = RULE.replace("Download by Certutil", "\"[concat('a')]\"");
    let found: Value = serde_json::from_str(&maker.text(&title)).expect("JSON");
    assert_eq!(found["resources"][0]["properties"]["displayName"], "[[concat('a')]");
}

#[test]
fn a_detection_of_defender_is_one_that_graph_takes() {
    let maker = |options: &[(&str, &str)], pipelines: &[&str]| Maker::new("kusto", "defender", options, pipelines);
    let found: Value = serde_json::from_str(&maker(&[], &["microsoft_xdr"]).text(RULE)).expect("JSON");
    let keys: Vec<&str> = found.as_object().expect("a map").keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 6, "{keys:?}");
    assert_eq!((&found["displayName"], &found["status"]), (&json!("Download by Certutil"), &json!("enabled")));
    assert_eq!(found["schedule"], json!({"frequency": "PT1H"}));
    let alert = &found["detectionAction"]["alertTemplate"];
    assert_eq!((&alert["title"], &alert["severity"]), (&json!("Download by Certutil"), &json!("high")));
    // One tactic, with the techniques that are its own.
    assert_eq!(
        alert["tactics"],
        json!([{"tactic": "DefenseEvasion", "techniques": [{"technique": "T1218", "subTechniques": ["T1218.011"]}]}])
    );
    assert_eq!(alert["entityMappings"]["hosts"], json!([{"deviceIdColumn": "DeviceId", "nameColumn": "DeviceName"}]));
    assert_eq!(alert["entityMappings"]["accounts"][0]["sidColumn"], "AccountSid");
    let bare: Value = serde_json::from_str(&maker(&[], &["microsoft_xdr"]).text(BARE)).expect("JSON");
    assert_eq!(bare["detectionAction"]["alertTemplate"]["tactics"], json!([]));
    let day = maker(&[("interval", "24h")], &["microsoft_xdr"]).text(BARE);
    assert!(day.contains("\"frequency\": \"P1D\""), "{day}");
    assert!(maker(&[("interval", "2h")], &["microsoft_xdr"]).refusal(BARE).contains("every 1h, 3h, 12h or 24h"));
    assert!(maker(&[("time_range", "5h")], &["microsoft_xdr"]).refusal(BARE).contains("does not look back 5h"));
    assert!(maker(&[], &["sentinel_asim"]).refusal(BARE).contains("`microsoft_xdr`"));
}

/// A count of this rule's events by a key.
fn count(key: &str) -> String {
    format!(
        "title: Logon\nname: logon\nlogsource: {{product: windows, service: security}}\ndetection:\n    s: {{EventID: \
         4625}}\n    condition: s\n---\ntitle: Many Logons\nlevel: high\ncorrelation:\n    type: event_count\n    rules: \
         [logon]\n    group-by: [{key}]\n    timespan: 10m\n    condition: {{gte: 9}}\n"
    )
}

#[test]
fn a_correlation_is_an_analytics_rule_whose_entities_are_its_keys() {
    let table = [("table", "SecurityEvent")];
    let rule = yaml(&table, &[], &count("Computer, SubjectDomainName"));
    assert_eq!((&rule["queryFrequency"], &rule["queryPeriod"]), (&json!("1h"), &json!("70m")));
    let host = json!([{"entityType": "Host", "fieldMappings": [{"identifier": "FullName", "columnName": "Computer"}]}]);
    assert_eq!(rule["entityMappings"], host);
    assert!(rule["query"].as_str().expect("a text").contains("by Computer, SubjectDomainName"));
    let rule = yaml(&table, &[], &count("IpAddress"));
    assert_eq!(rule.get("entityMappings"), None, "no entity is known to stand in that column");
    let whole = Maker::new("kusto", "sentinel-arm", &table, &[]).text(&count("Computer"));
    let whole: Value = serde_json::from_str(&whole).expect("JSON");
    assert_eq!(whole["resources"][0]["properties"]["entityMappings"], host);
    // Each rule of Defender's answers with events, and this one with groups.
    let refused = Maker::new("kusto", "defender", &[("table", "DeviceEvents")], &[]).refusal(&count("DeviceName"));
    assert!(refused.contains("none for a correlation"), "{refused}");
}
