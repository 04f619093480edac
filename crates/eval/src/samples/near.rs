//! Events that differ from a hit in one field.
//!
//! Invariant: kinds of change come in turn over all fields, so that a limit cuts no kind off.

use serde_json::{Value, json};
use sigcast_ir::{Match, Part, Test, TimePart};

use super::Event;
use super::value::{self, Clock};
use super::ways::Literal;

/// A test in a few words.
pub(super) fn describe(leaf: &Match<'_>) -> String {
    let field = leaf.field().map_or("any value", |field| field.as_str());
    let shown = match &leaf.test {
        Test::Text { pattern, .. } => {
            let text: String = pattern
                .parts()
                .iter()
                .map(|part| match part {
                    Part::Text(text) => text.as_ref(),
                    Part::AnyRun => "*",
                    Part::AnyOne => "?",
                    Part::Placeholder(name) => name.as_ref(),
                })
                .collect();
            format!("`{text}`")
        }
        Test::Regex(regex) => format!("/{}/", regex.source),
        Test::Network(network) => format!("in {network}"),
        Test::Number { order, value } => format!("{} {}", order.sign(), value.text),
        Test::Bool(value) => value.to_string(),
        Test::Null => "null".to_owned(),
        Test::Exists(true) => "present".to_owned(),
        Test::Exists(false) => "absent".to_owned(),
        Test::SameAs { other, affix, .. } => format!("{affix:?} {}", other.as_str()).to_lowercase(),
        Test::TimePart { part, order, value } => {
            format!("{} {} {}", format!("{part:?}").to_lowercase(), order.sign(), value.text)
        }
        Test::Raw(_) | Test::OneOf(_) => String::new(),
    };
    format!("{field} {shown}")
}

/// The hit with one field changed, and what was changed.
pub(super) fn variations(literals: &[Literal<'_, '_>], hit: &Event) -> Vec<(String, Event)> {
    let mut by_field: Vec<std::vec::IntoIter<(String, Event)>> = Vec::new();
    let other = json!("other");
    let absent = Value::Null;
    // Fields that the hit must not have are changed too: they are given a value.
    let without = literals.iter().filter(|literal| literal.wanted).filter_map(|literal| literal.leaf.field());
    let mut fields: Vec<(&str, &Value)> = hit.iter().map(|(field, value)| (field.as_str(), value)).collect();
    for field in without {
        if !hit.contains_key(field.as_str()) && !fields.iter().any(|(known, _)| *known == field.as_str()) {
            fields.push((field.as_str(), &absent));
        }
    }
    for (field, value) in fields {
        let mut changed = Vec::new();
        let mut put = |what: &str, value: Option<Value>| {
            let mut event = hit.clone();
            match value {
                Some(value) => event.insert(field.to_owned(), value),
                None => event.shift_remove(field),
            };
            changed.push((format!("{field}: {what}"), event));
        };
        let wanted = literals
            .iter()
            .filter(|literal| literal.wanted && literal.leaf.field().is_some_and(|own| own.as_str() == field));
        put("absent", None);
        wanted.for_each(|literal| borders(&literal.leaf.test, &mut put));
        texts(value, &mut put);
        let others = std::iter::once(&other).chain(value::members(value)).cloned().collect();
        put("among other values", Some(Value::Array(others)));
        put("empty text", Some(json!("")));
        put("null", Some(Value::Null));
        put("another value", Some(json!("other")));
        put("no value (an empty list)", Some(json!([])));
        by_field.push(changed.into_iter());
    }
    let mut found = Vec::new();
    loop {
        let before = found.len();
        found.extend(by_field.iter_mut().filter_map(Iterator::next));
        if found.len() == before {
            return found;
        }
    }
}

type Put<'p> = dyn FnMut(&str, Option<Value>) + 'p;

/// Changes of a text.
fn texts(value: &Value, put: &mut Put<'_>) {
    if let Value::Number(number) = value {
        put("the number as text", Some(json!(number.to_string())));
        return;
    }
    if let Value::Bool(value) = value {
        put("the boolean as text", Some(json!(value.to_string().to_uppercase())));
        return;
    }
    let Value::String(text) = value else { return };
    put("upper case", Some(json!(text.to_ascii_uppercase())));
    let mut chars = text.chars();
    chars.next_back();
    put("the last character cut", Some(json!(chars.as_str())));
    let mut chars = text.chars();
    chars.next();
    put("the first character cut", Some(json!(chars.as_str())));
    put("a character more at the end", Some(json!(format!("{text}x"))));
    put("a character more at the start", Some(json!(format!("x{text}"))));
    put("lower case", Some(json!(text.to_ascii_lowercase())));
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == *text
    {
        put("the text as number", Some(json!(number)));
    }
}

/// Values at both sides of a test's border.
fn borders(test: &Test<'_>, put: &mut Put<'_>) {
    match test {
        Test::Number { order, value } => {
            for number in value::around(*order, value.value) {
                put("a number at the border", Some(value::number(number)));
            }
        }
        Test::Network(network) => {
            for address in value::outside(network) {
                put("an address just outside", Some(json!(address.to_string())));
            }
            for address in value::addresses(network) {
                put("an address at the border", Some(json!(address.to_string())));
                for spelling in value::spellings(address) {
                    put("another spelling", Some(json!(spelling)));
                }
            }
        }
        Test::Bool(value) => put("the other boolean", Some(json!(!value))),
        Test::TimePart { part, value, .. } => times(*part, &value.text, put),
        _ => {}
    }
}

fn times(part: TimePart, text: &str, put: &mut Put<'_>) {
    let Ok(value) = text.parse::<i64>() else { return };
    for near in [value - 1, value, value + 1] {
        if let Some(clock) = Clock::USUAL.with(part, near) {
            put("a time at the border", Some(json!(clock.to_string())));
        }
    }
}
