//! Graylog: event definitions, alone and in content packs.
//!
//! Source: Graylog2/graylog2-server, EventDefinitionDto and AggregationEventProcessorConfig with what they validate;
//! ContentPackV1, EventDefinitionEntity, AggregationEventProcessorConfigEntity, ValueReference.

use serde_json::{Value, json};

use crate::{BARE, Maker, RULE, with};

fn made(format: &str, options: &[(&str, &str)], file: &str) -> Value {
    let text = Maker::new("graylog", format, options, &[]).text(file);
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

/// What the server refuses.
fn validate(definition: &Value) {
    let config = &definition["config"];
    assert!(definition["title"].as_str().is_some_and(|title| !title.is_empty()));
    assert!((1..=3).contains(&definition["priority"].as_i64().expect("a priority")));
    for key in ["search_within_ms", "execute_every_ms", "event_limit"] {
        assert!(config[key].as_i64().is_some_and(|number| number > 0), "{key}");
    }
    assert!(config["event_limit"].as_i64().is_some_and(|limit| limit <= 1000));
    // Without groups there must be neither series nor a condition.
    assert_eq!((&config["group_by"], &config["series"]), (&json!([]), &json!([])));
    assert!(config["conditions"].is_null() || config["conditions"]["expression"].is_null());
    assert_eq!(config["type"], "aggregation-v1");
    assert_eq!((&definition["field_spec"], &definition["key_spec"]), (&json!({}), &json!([])));
    for key in ["grace_period_ms", "backlog_size"] {
        assert!(definition["notification_settings"][key].is_i64(), "{key}");
    }
}

/// An entity of a content pack with its values in place of what names their types.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(entries) if entries.contains_key("@type") => {
            let found = &value["@value"];
            let right = match value["@type"].as_str() {
                Some("string") => found.is_string(),
                Some("integer") => found.is_i64(),
                Some("boolean") => found.is_boolean(),
                _ => false,
            };
            assert!(right && entries.len() == 2, "{value}");
            found.clone()
        }
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        Value::Array(values) => values.iter().map(plain).collect(),
        value => value.clone(),
    }
}

#[test]
fn an_event_definition_is_one_that_the_server_takes() {
    let found = made("event-definition", &[], RULE);
    validate(&found);
    assert_eq!(found["title"], "Download by Certutil");
    assert_eq!((&found["priority"], &found["state"]), (&json!(3), &json!("ENABLED")));
    assert_eq!(found["config"]["search_within_ms"], 300_000);
    let description = found["description"].as_str().expect("a text");
    for part in ["T1105", "9c2d6f0e", "https://example.org/lolbas", "False positive: Scripts", "Status: test"] {
        assert!(description.contains(part), "{part}");
    }
    let options = [("interval", "10m"), ("time_range", "1h"), ("suppress", "2h")];
    let own = with(BARE, "status: unsupported\ncustom: {graylog: {priority: 1, streams: [abc], event_limit: 7}}");
    let found = made("event_definition", &options, &own);
    validate(&found);
    assert_eq!(found["state"], "DISABLED");
    assert_eq!((&found["priority"], &found["config"]["event_limit"]), (&json!(1), &json!(7)));
    assert_eq!(found["config"]["streams"], json!(["abc"]));
    assert_eq!(found["config"]["execute_every_ms"], 600_000);
    assert_eq!(found["config"]["search_within_ms"], 3_600_000);
    assert_eq!(found["notification_settings"]["grace_period_ms"], 7_200_000);
}

#[test]
fn a_content_pack_holds_the_same() {
    let pack = made("content-pack", &[("interval", "10m")], RULE);
    assert_eq!((&pack["v"], &pack["rev"]), (&json!("1"), &json!(1)));
    assert_eq!(pack["id"], "9c2d6f0e-3b1a-4a54-9b1f-7d2f3c5e8a10");
    for key in ["name", "summary", "description", "vendor", "url"] {
        assert!(pack[key].is_string(), "{key}");
    }
    // The server does not find a stream that is not in the pack, and installs nothing then.
    let streams = |id: &str| with(BARE, &format!("custom: {{graylog: {{streams: ['{id}']}}}}"));
    let own = streams("000000000000000000000001");
    assert!(made("content-pack", &[], &own)["entities"][0]["data"]["config"]["streams"][0].is_string());
    let refused = Maker::new("graylog", "content-pack", &[], &[]).refusal(&streams("abc"));
    assert!(refused.contains("no place for the stream `abc`"), "{refused}");
    let entity = &pack["entities"][0];
    assert_eq!(entity["type"], json!({"name": "event_definition", "version": "1"}));
    // Values with their types stand where the server reads references, and only there.
    for key in ["title", "description", "priority", "alert", "is_scheduled"] {
        assert!(entity["data"][key]["@type"].is_string(), "{key}");
    }
    assert!(entity["data"]["config"]["query"]["@type"].is_string());
    let mut inner = plain(&entity["data"]);
    assert_eq!(inner["is_scheduled"], true);
    validate(&inner);
    // Beside what packs have of their own it is the event definition.
    let mut alone = made("event-definition", &[("interval", "10m")], RULE);
    for (value, own) in [(&mut inner, ["is_scheduled", "filters"]), (&mut alone, ["state", "query_parameters"])] {
        value.as_object_mut().expect("a map").remove(own[0]);
        let config = value["config"].as_object_mut().expect("a map");
        config.remove(own[1]);
        config.remove("conditions");
    }
    assert_eq!(inner, alone);
}
