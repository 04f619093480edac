//! Windows events as their export nests them, and as rules name their fields.

use serde_json::{Map, Value};

/// The key under which an export keeps the attributes of an XML element.
const ATTRIBUTES: &str = "#attributes";
/// The key under which it keeps the text of an element that has attributes too.
const TEXT: &str = "#text";

/// The fields of a Windows event, side by side and named as rules name them.
///
/// Takes what converters of `.evtx` files give: `{"Event": {"System": …, "EventData": …}}`, attributes under
/// `#attributes`, a text beside them under `#text`. Children of `System`, `EventData` and `UserData` (and of the one
/// element in `UserData`) become fields; an attribute is named `Provider_Name` after its element, as the Sigma taxonomy
/// has it. Where `System` and the data of the event use one name, the data wins, as it is what rules are about. The XML
/// name space is dropped. Anything that is no such event is returned as it is.
#[must_use]
pub fn flatten_windows(event: &Value) -> Value {
    let Some(Value::Object(root)) = event.get("Event") else { return event.clone() };
    let mut fields = Map::new();
    if let Some(Value::Object(system)) = root.get("System") {
        system.iter().for_each(|(name, value)| element(name, value, &mut fields));
    }
    for part in ["EventData", "UserData"] {
        let Some(Value::Object(data)) = root.get(part) else { continue };
        for (name, value) in data {
            match value {
                _ if name == ATTRIBUTES => attributes(part, value, &mut fields),
                Value::Object(inner) if part == "UserData" => {
                    inner
                        .iter()
                        .filter(|(name, _)| *name != ATTRIBUTES)
                        .for_each(|(name, value)| element(name, value, &mut fields));
                }
                _ => element(name, value, &mut fields),
            }
        }
    }
    Value::Object(fields)
}

/// Adds an element: its value, and its attributes.
fn element(name: &str, value: &Value, fields: &mut Map<String, Value>) {
    let Value::Object(inner) = value else {
        fields.insert(name.to_owned(), value.clone());
        return;
    };
    let mut rest = Map::new();
    for (key, value) in inner {
        match key.as_str() {
            ATTRIBUTES => attributes(name, value, fields),
            TEXT => {
                fields.insert(name.to_owned(), value.clone());
            }
            _ => {
                rest.insert(key.clone(), value.clone());
            }
        }
    }
    if !rest.is_empty() {
        fields.insert(name.to_owned(), Value::Object(rest));
    }
}

fn attributes(name: &str, value: &Value, fields: &mut Map<String, Value>) {
    let Value::Object(found) = value else { return };
    for (key, value) in found.iter().filter(|(key, _)| *key != "xmlns") {
        fields.insert(format!("{name}_{key}"), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(event: &Value, expected: &Value) {
        assert_eq!(flatten_windows(event), *expected, "{event}");
    }

    #[test]
    fn elements_and_attributes() {
        check(
            &json!({"Event": {
                "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
                "System": {
                    "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon"}},
                    "EventID": {"#attributes": {"Qualifiers": 16384}, "#text": 7045},
                    "Execution": {"#attributes": {"ProcessID": 4}},
                    "Correlation": null,
                    "Version": 5,
                },
                "EventData": {"#attributes": {"Name": "x"}, "Image": "a.exe", "Version": "1.0"},
            }}),
            &json!({
                "Provider_Name": "Microsoft-Windows-Sysmon", "EventID_Qualifiers": 16384, "EventID": 7045,
                "Execution_ProcessID": 4, "Correlation": null, "Version": "1.0", "EventData_Name": "x",
                "Image": "a.exe",
            }),
        );
        check(
            &json!({"Event": {"UserData": {"LogFileCleared": {"#attributes": {"xmlns": "x"}, "SubjectUserName": "a"}}}}),
            &json!({"SubjectUserName": "a"}),
        );
        check(&json!({"Image": "a.exe"}), &json!({"Image": "a.exe"}));
    }
}
