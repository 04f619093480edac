//! Spellings of addresses that networks as text patterns cover.

use std::net::{IpAddr, Ipv6Addr};

use serde_json::Value;
use sigcast_ir::{Query, Test};

/// Whether every field that the query asks for a network holds addresses in their usual spellings, or nothing.
pub fn usual(query: &Query<'_>, event: &Value) -> bool {
    let mut all = true;
    query.each_match(&mut |found| {
        if let (Test::Network(_), Some(field)) = (&found.test, found.field()) {
            all = all && event.get(field.as_str()).is_none_or(|value| value.is_null() || is_usual(value));
        }
    });
    all
}

fn is_usual(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().all(is_usual),
        Value::String(text) => match text.parse() {
            Ok(IpAddr::V4(address)) => address.to_string() == *text,
            Ok(IpAddr::V6(address)) => spelled(address).contains(&text.to_ascii_lowercase()),
            Err(_) => false,
        },
        _ => false,
    }
}

/// That of RFC 5952, and the eight groups with and without leading zeros.
fn spelled(address: Ipv6Addr) -> [String; 3] {
    let groups = |one: fn(&u16) -> String| address.segments().iter().map(one).collect::<Vec<_>>().join(":");
    [address.to_string(), groups(|group| format!("{group:x}")), groups(|group| format!("{group:04x}"))]
}
