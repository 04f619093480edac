//! Events as a store holds them.
//!
//! Invariant: projecting a projected event changes nothing. Fields that the model loses nothing of stay as they are, in
//! their order.

use serde_json::{Map, Value};
use sigcast_ir::model::{Blank, DataModel, Edges, Names, Numbers, Objects, Values};

/// How deep objects are taken apart; `serde_json` reads no deeper. What lies deeper stays as it is.
const MAX_DEPTH: usize = 128;

/// What a store with this data model holds of an event.
///
/// None if it holds no such event: a field has several values and the model has one, or a text that the model trims has
/// blanks at its ends. Both are for assumptions to exclude. Events that are no objects have no fields and stay as they
/// are.
#[must_use]
pub fn project(model: &DataModel, event: &Value) -> Option<Value> {
    let Value::Object(fields) = event else { return Some(event.clone()) };
    let mut flat = Map::new();
    for (name, value) in fields {
        spread(model, name.clone(), value, MAX_DEPTH, &mut flat);
    }
    let mut held = Map::new();
    for (name, value) in flat {
        let Some(value) = held_value(model, value)? else { continue };
        let known = model.names == Names::Caseless
            && held.keys().any(|other: &String| other.eq_ignore_ascii_case(&name) && *other != name);
        if !known {
            held.insert(name, value);
        }
    }
    Some(Value::Object(held))
}

/// The fields of objects inside an event, by dotted names. Members of lists of objects are joined, and so are a field
/// and a path of one name.
fn spread(model: &DataModel, name: String, value: &Value, depth: usize, out: &mut Map<String, Value>) {
    let dotted = model.objects == Objects::Dotted && depth > 0;
    match value {
        Value::Object(inner) if dotted => {
            for (key, value) in inner {
                spread(model, format!("{name}.{key}"), value, depth - 1, out);
            }
        }
        Value::Array(items) if dotted && items.iter().any(|item| item.is_array() || item.is_object()) => {
            // A list of plain values may stand among objects; an empty one inside leaves the field present.
            for item in items {
                match item {
                    Value::Object(_) => spread(model, name.clone(), item, depth - 1, out),
                    Value::Array(inner) if inner.is_empty() => join(name.clone(), Value::Array(Vec::new()), out),
                    Value::Array(_) => spread(model, name.clone(), item, depth - 1, out),
                    plain => join(name.clone(), Value::Array(vec![plain.clone()]), out),
                }
            }
        }
        plain => join(name, plain.clone(), out),
    }
}

/// Adds a value to those that the field has already.
fn join(name: String, value: Value, out: &mut Map<String, Value>) {
    match out.remove(&name) {
        None => out.insert(name, value),
        Some(before) => {
            let mut all = members(before);
            all.extend(members(value));
            out.insert(name, Value::Array(all))
        }
    };
}

fn members(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => vec![other],
    }
}

/// The value as it is held: `Some(None)` if the field is absent then, none if the model cannot hold it.
fn held_value(model: &DataModel, value: Value) -> Option<Option<Value>> {
    let Value::Array(items) = value else { return scalar(model, value) };
    let empty = items.is_empty();
    // An empty text is a value of its own here, though it may be held as none.
    if model.values == Values::One && values(&items) > 1 {
        return None;
    }
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        match item {
            // Only a model that keeps objects still has lists inside lists here.
            Value::Array(_) => kept.extend(held_value(model, item)?.into_iter().flat_map(members)),
            other => kept.extend(scalar(model, other)?),
        }
    }
    Some(match kept.len() {
        // A list of one value is that value to every store.
        1 => kept.pop(),
        0 if !empty && model.null == Blank::Absent => None,
        0 if model.empty_list == Blank::Absent => None,
        _ => Some(Value::Array(kept)),
    })
}

fn values(items: &[Value]) -> usize {
    items
        .iter()
        .map(|item| if let Value::Array(inner) = item { values(inner) } else { usize::from(!item.is_null()) })
        .sum()
}

/// A blank or control character of ASCII, which stores that trim cut off.
fn is_blank(c: char) -> bool {
    c <= ' '
}

/// As [`held_value`], for what is no list.
fn scalar(model: &DataModel, value: Value) -> Option<Option<Value>> {
    Some(match value {
        Value::String(text) if model.edges == Edges::Trimmed && text.trim_matches(is_blank) != text => return None,
        Value::Null if model.null == Blank::Absent => None,
        Value::String(text) if text.is_empty() && model.empty_text == Blank::Absent => None,
        Value::Number(number) if model.numbers == Numbers::Text => Some(Value::String(number.to_string())),
        other => Some(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: DataModel = DataModel {
        null: Blank::Kept,
        empty_list: Blank::Kept,
        empty_text: Blank::Kept,
        edges: Edges::Kept,
        values: Values::Several,
        objects: Objects::Nested,
        numbers: Numbers::Typed,
        names: Names::Cased,
        source: "none",
    };
    /// A search index.
    const INDEX: DataModel =
        DataModel { null: Blank::Absent, empty_list: Blank::Absent, objects: Objects::Dotted, ..KEPT };
    /// A table whose texts are never null.
    const TABLE: DataModel = DataModel {
        empty_text: Blank::Absent,
        values: Values::One,
        numbers: Numbers::Text,
        names: Names::Caseless,
        ..INDEX
    };

    /// `expected`: the event as it is held; empty if it cannot be held.
    fn check(model: &DataModel, event: &str, expected: &str) {
        let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let held = project(model, &read(event));
        assert_eq!(held, (!expected.is_empty()).then(|| read(expected)), "{event}");
        if let Some(held) = held {
            assert_eq!(project(model, &held).as_ref(), Some(&held), "twice: {event}");
        }
    }

    #[test]
    fn what_is_lost_is_gone() {
        check(&KEPT, r#"{"a":null,"b":[],"c":"","d":{"e":1}}"#, r#"{"a":null,"b":[],"c":"","d":{"e":1}}"#);
        check(&KEPT, r#"{"a":[[1],[]],"b":["x"]}"#, r#"{"a":1,"b":"x"}"#);
        check(&INDEX, r#"{"a":null,"b":[],"c":"","d":[null],"e":[null,2]}"#, r#"{"c":"","e":2}"#);
        check(&INDEX, r#"{"a":{"b":{"c":1}},"d":[{"e":1},{"e":2,"f":{}}]}"#, r#"{"a.b.c":1,"d.e":[1,2]}"#);
        check(&INDEX, r#"{"a.b":1,"a":{"b":[2,[3]]}}"#, r#"{"a.b":[1,2,3]}"#);
        check(&TABLE, r#"{"a":["x","y"]}"#, "");
        check(&TABLE, r#"{"a":["x",""]}"#, "");
        check(&TABLE, r#"{"a":["x",null,[]],"b":"","n":1.5}"#, r#"{"a":"x","n":"1.5"}"#);
        let trimmed = DataModel { edges: Edges::Trimmed, ..INDEX };
        check(&trimmed, r#"{"a":"x ","b":1}"#, "");
        check(&trimmed, r#"{"a":["x y",""]}"#, r#"{"a":["x y",""]}"#);
        check(&TABLE, r#"{"a":1,"A":2}"#, r#"{"a":"1"}"#);
        check(&TABLE, "[1]", "[1]");
    }

    #[test]
    fn depth_is_bounded() {
        let mut event = Value::Bool(true);
        for _ in 0..1000 {
            event = serde_json::json!({ "a": [event] });
        }
        assert!(project(&TABLE, &event).is_some_and(|held| held.is_object()));
    }
}
