//! Events as an engine holds them.
//!
//! What a data model cannot tell apart is made equal before evaluator and engine are asked; then a value that its field's
//! type does not take is absent, as with `ignore_malformed`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use serde_json::{Map, Value};

use crate::layout::{Asked, Model, Setting, Type};

/// The values of each field of an event, by dotted names.
#[must_use]
pub fn flat(event: &Value) -> Vec<(String, Vec<Value>)> {
    let mut fields: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut open: Vec<(String, &Value)> = vec![(String::new(), event)];
    while let Some((name, value)) = open.pop() {
        match value {
            Value::Object(map) => {
                let inner = |key: &String| if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                open.extend(map.iter().rev().map(|(key, value)| (inner(key), value)));
            }
            Value::Array(items) => open.extend(items.iter().rev().map(|item| (name.clone(), item))),
            Value::Null => {}
            scalar => fields.entry(name).or_default().push(scalar.clone()),
        }
    }
    fields.into_iter().collect()
}

/// The event as an index or table of this setting holds it, if it does; names that are no fields of it are dropped.
#[must_use]
pub fn project(event: &Value, fields: &BTreeMap<String, Asked>, setting: Setting) -> Option<Value> {
    let Value::Object(kept) = sigcast_eval::project(setting.model.data()?, event)? else { return None };
    let mut projected = Map::new();
    for (name, value) in kept {
        let Some(asked) = fields.get(&name) else { continue };
        let values = if let Value::Array(values) = value { values } else { vec![value] };
        let kind = setting.type_of(*asked);
        // ES|QL makes of such text the IPv4 address that it is mapped from. It is no usual spelling of an address, which
        // `assume-address-text` asks for.
        let known = |value: &Value| {
            setting.numbers && setting.model == Model::Documents && kind == Type::AddressText && is_mapped(value)
        };
        let mut held: Vec<Value> =
            values.into_iter().filter(|value| !known(value)).filter_map(|value| held(value, kind)).collect();
        match held.len() {
            0 => continue,
            1 => projected.insert(name, held.remove(0)),
            _ => projected.insert(name, Value::Array(held)),
        };
    }
    Some(Value::Object(projected))
}

/// Whether the value is the text of an IPv4 address that is mapped into IPv6.
fn is_mapped(value: &Value) -> bool {
    let address = value.as_str().and_then(|text| text.parse::<Ipv6Addr>().ok());
    address.is_some_and(|address| address.to_ipv4_mapped().is_some())
}

/// The value, if its field can hold it.
fn held(value: Value, kind: Type) -> Option<Value> {
    match (kind, &value) {
        (Type::Keyword, _) => Some(value),
        (Type::AddressText, Value::String(text)) => is_usual(text).then_some(value),
        (Type::AddressText, _) => Some(value),
        (Type::Address, Value::String(text)) => {
            // The engine takes an IPv4 address that is mapped into IPv6 for the IPv4 address itself.
            let address = match text.parse().ok()? {
                IpAddr::V6(address) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
                address @ IpAddr::V4(_) => address,
            };
            let mapped = text.parse() != Ok(address);
            Some(if mapped { Value::from(address.to_string()) } else { value })
        }
        (Type::Integer, Value::Number(number)) => number.as_i64().map(Value::from),
        (Type::Integer, Value::String(text)) => text.parse::<i64>().ok().map(|_| value),
        (Type::Decimal, Value::Number(_)) => Some(value),
        (Type::Decimal, Value::String(text)) => is_decimal(text).then_some(value),
        (Type::Time, Value::String(text)) => is_utc(text).then_some(value),
        (Type::Boolean, Value::Bool(_)) => Some(value),
        (Type::Boolean, Value::String(text)) => matches!(text.as_str(), "true" | "false").then_some(value),
        _ => None,
    }
}

/// Whether the text spells a number in digits, as every engine reads it.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    text.split_once('.').map_or_else(|| digits(text), |(whole, part)| digits(whole) && digits(part))
}

/// Whether the text is a time of day in UTC, or without an offset.
fn is_utc(text: &str) -> bool {
    let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
    let day = text.get(..10).is_some_and(|day| digits(day) == 8);
    let time = text.get(10..).is_some_and(|time| digits(time) >= 4 && !time.contains(['+', '-']));
    day && time && text.is_ascii()
}

/// Whether a text in a field of addresses is one in a usual spelling, or does not look like one at all: what text
/// patterns for networks do with others is left open.
fn is_usual(text: &str) -> bool {
    match text.parse() {
        Ok(IpAddr::V4(address)) => address.to_string() == text,
        Ok(IpAddr::V6(address)) => spelled(address).contains(&text.to_ascii_lowercase()),
        Err(_) => !text.contains([':', '.']),
    }
}

/// The spelling of RFC 5952, and the eight groups with and without leading zeros.
fn spelled(address: Ipv6Addr) -> [String; 3] {
    let groups = |one: fn(&u16) -> String| address.segments().iter().map(one).collect::<Vec<_>>().join(":");
    [address.to_string(), groups(|group| format!("{group:x}")), groups(|group| format!("{group:04x}"))]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layout::{INDICES, TABLES};

    fn check(event: &Value, setting: usize, expected: &Value) {
        let asked = [("t", Asked::Text), ("n", Asked::Network), ("a.b", Asked::Text), ("i", Asked::Number)];
        let fields = asked.into_iter().map(|(name, asked)| (name.to_owned(), asked)).collect();
        assert_eq!(project(event, &fields, INDICES[setting]).as_ref(), Some(expected), "{event}");
        let single = expected.as_object().is_some_and(|map| map.values().all(|value| !value.is_array()));
        assert_eq!(project(event, &fields, TABLES[0]).is_some(), single, "{event}");
    }

    #[test]
    fn what_the_data_model_loses() {
        check(&json!({"t": null, "a": {"b": []}, "other": 1}), 0, &json!({}));
        check(
            &json!({"t": ["x", [null, "y"]], "a": [{"b": 1}, {"b": 2}]}),
            0,
            &json!({"t": ["x", "y"], "a.b": [1, 2]}),
        );
        check(&json!({"a": {"b": 1}, "a.b": [2]}), 0, &json!({"a.b": [1, 2]}));
        check(&json!({"i": ["7", "x", 1.5, -3]}), 0, &json!({"i": ["7", -3]}));
    }

    #[test]
    fn addresses() {
        check(
            &json!({"n": ["10.0.0.1", "::1", "0:0::1", "-", " 10.0.0.1"]}),
            0,
            &json!({"n": ["10.0.0.1", "::1", "-"]}),
        );
        check(&json!({"n": "-"}), 0, &json!({"n": "-"}));
        check(&json!({"n": ["::ffff:10.0.0.1", "0:0::1", "x"]}), 2, &json!({"n": ["10.0.0.1", "0:0::1"]}));
    }
}
