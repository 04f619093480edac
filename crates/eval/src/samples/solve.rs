//! An event for a conjunction of tests.
//!
//! Invariant: an event that is given passes every wanted test and no unwanted one, by the judge's word.

use serde_json::{Value, json};
use sigcast_ir::{Affix, Match, Subject, Test};

use super::Event;
use super::judge::Judge;
use super::text;
use super::value::{self, Clock};
use super::ways::Literal;

/// Values for fields that may hold anything.
const FILLERS: &[&str] =
    &["sample", "other-1", "Example text", "x", "0.sample.invalid", "/opt/sample", r"C:\Temp\any.bin"];

/// An event that makes every literal true; none if none was found.
pub(super) fn solve(literals: &[Literal<'_, '_>], judge: &Judge) -> Option<Event> {
    let mut event = Event::new();
    let fields = fields(literals);
    // A field that refers to another one waits for its value.
    let refers = |field: &str| {
        literals.iter().any(|literal| {
            literal.wanted && is_about(literal.leaf, field) && matches!(literal.leaf.test, Test::SameAs { .. })
        })
    };
    let (later, first): (Vec<&str>, Vec<&str>) = fields.into_iter().partition(|field| refers(field));
    for field in first.into_iter().chain(later) {
        let own: Vec<Literal<'_, '_>> = literals
            .iter()
            .filter(|literal| is_about(literal.leaf, field) || (!literal.wanted && refers_to(literal.leaf, field)))
            .copied()
            .collect();
        assign(field, &own, &mut event, judge)?;
    }
    let keywords: Vec<&Match<'_>> = literals
        .iter()
        .filter(|literal| literal.wanted && literal.leaf.field().is_none())
        .map(|literal| literal.leaf)
        .collect();
    if !keywords.is_empty() {
        keyword_field(&keywords, literals, &mut event, judge)?;
    }
    literals.iter().all(|literal| judge.leaf(literal.leaf, &event) == Some(literal.wanted)).then_some(event)
}

/// The fields of the tests, each once, in order.
fn fields<'q>(literals: &[Literal<'q, '_>]) -> Vec<&'q str> {
    let mut found: Vec<&str> = Vec::new();
    for literal in literals {
        let other = match &literal.leaf.test {
            Test::SameAs { other, .. } if literal.wanted => Some(other.as_str()),
            _ => None,
        };
        // The field that is referred to comes first, so that it has a value by then.
        for field in other.into_iter().chain(literal.leaf.field().map(|field| field.as_str())) {
            if !found.contains(&field) {
                found.push(field);
            }
        }
    }
    found
}

fn is_about(leaf: &Match<'_>, field: &str) -> bool {
    leaf.field().is_some_and(|own| own.as_str() == field)
}

fn refers_to(leaf: &Match<'_>, field: &str) -> bool {
    matches!(&leaf.test, Test::SameAs { other, .. } if other.as_str() == field)
}

/// Gives a field the first value, or absence, that its tests agree with.
fn assign(field: &str, own: &[Literal<'_, '_>], event: &mut Event, judge: &Judge) -> Option<()> {
    for candidate in candidates(own, event, judge) {
        match candidate {
            Some(value) => event.insert(field.to_owned(), value),
            None => event.shift_remove(field),
        };
        // A reference to a field without a value yet gives it one.
        if let Some(followed) = follow(own, event) {
            event.extend(followed);
        }
        if own.iter().all(|literal| judge.leaf(literal.leaf, event) == Some(literal.wanted)) {
            return Some(());
        }
    }
    event.shift_remove(field);
    None
}

/// What fields that are referred to hold, if they hold nothing yet.
fn follow(own: &[Literal<'_, '_>], event: &Event) -> Option<Vec<(String, Value)>> {
    let mut found = Vec::new();
    for literal in own.iter().filter(|literal| literal.wanted) {
        let (Some(field), Test::SameAs { other, .. }) = (literal.leaf.field(), &literal.leaf.test) else { continue };
        if !event.contains_key(other.as_str()) {
            found.push((other.as_str().to_owned(), event.get(field.as_str())?.clone()));
        }
    }
    Some(found)
}

/// Values to try for a field, the likeliest first; `None` is absence.
fn candidates(own: &[Literal<'_, '_>], event: &Event, judge: &Judge) -> Vec<Option<Value>> {
    let wanted: Vec<&Match<'_>> = own.iter().filter(|literal| literal.wanted).map(|literal| literal.leaf).collect();
    let mut found: Vec<Option<Value>> = Vec::new();
    if wanted.iter().all(|leaf| matches!(leaf.test, Test::Null | Test::Exists(_))) {
        found.extend([None, Some(Value::Null)]);
        found.extend(FILLERS.iter().map(|filler| Some(json!(filler))));
        return found;
    }
    for leaf in &wanted {
        match &leaf.test {
            Test::Number { order, value } => {
                found.extend(value::around(*order, value.value).into_iter().map(value::number).map(Some));
                found.push(Some(json!(value.text)));
            }
            Test::Bool(value) => found.extend([Some(json!(value)), Some(json!(value.to_string()))]),
            Test::Network(network) => {
                found.extend(value::addresses(network).iter().map(|address| Some(json!(address.to_string()))));
                found.extend(around_unwanted(own));
            }
            Test::SameAs { other, affix, .. } => found.extend(affixed(event.get(other.as_str()), *affix)),
            _ => {}
        }
    }
    found.extend(times(&wanted));
    found.extend(text::proposals(&wanted, judge).into_iter().map(|text| Some(json!(text))));
    if found.is_empty() || wanted.iter().any(|leaf| matches!(leaf.test, Test::SameAs { .. })) {
        found.extend(FILLERS.iter().map(|filler| Some(json!(filler))));
    }
    // Several values, one for each test, if no single value will do.
    let singles: Vec<Value> = wanted
        .iter()
        .filter_map(|leaf| text::proposals(&[leaf], judge).into_iter().next())
        .map(Value::String)
        .collect();
    if wanted.len() > 1 && singles.len() == wanted.len() {
        found.push(Some(Value::Array(singles)));
    }
    found
}

/// The addresses just outside the networks that are not wanted.
fn around_unwanted(own: &[Literal<'_, '_>]) -> Vec<Option<Value>> {
    let unwanted = own.iter().filter(|literal| !literal.wanted).filter_map(|literal| match &literal.leaf.test {
        Test::Network(network) => Some(network),
        _ => None,
    });
    unwanted.flat_map(value::outside).map(|address| Some(json!(address.to_string()))).collect()
}

/// Values that stand so to another field's value.
fn affixed(other: Option<&Value>, affix: Affix) -> Vec<Option<Value>> {
    let Some(other) = other.and_then(|other| value::members(other).find_map(value::text)) else { return Vec::new() };
    let longer = match affix {
        Affix::Equals => None,
        Affix::StartsWith => Some(format!("{other}-sample")),
        Affix::EndsWith => Some(format!("sample-{other}")),
        Affix::Contains => Some(format!("sample-{other}-sample")),
    };
    longer.into_iter().chain([other.into_owned()]).map(|text| Some(json!(text))).collect()
}

/// Times with every wanted part, at its border.
fn times(wanted: &[&Match<'_>]) -> Vec<Option<Value>> {
    let mut clocks = vec![Clock::USUAL];
    let mut any = false;
    for leaf in wanted {
        let Test::TimePart { part, order, value } = &leaf.test else { continue };
        any = true;
        let values: Vec<i64> = value::around(*order, value.value)
            .into_iter()
            .filter_map(|number| match number {
                sigcast_ir::NumberValue::Integer(number) => i64::try_from(number).ok(),
                sigcast_ir::NumberValue::Float(_) => None,
            })
            .collect();
        clocks = clocks
            .iter()
            .flat_map(|clock| values.iter().filter_map(|value| clock.with(*part, *value)))
            .take(256)
            .collect();
    }
    if any { clocks.iter().map(|clock| Some(json!(clock.to_string()))).collect() } else { Vec::new() }
}

/// Puts all keywords into one field that no test is about.
fn keyword_field(
    keywords: &[&Match<'_>],
    literals: &[Literal<'_, '_>],
    event: &mut Event,
    judge: &Judge,
) -> Option<()> {
    let free = |name: &&&str| !literals.iter().any(|literal| is_about(literal.leaf, name));
    let field = ["message", "Message", "text", "raw_text"].iter().find(free)?;
    let about: Vec<&Literal<'_, '_>> =
        literals.iter().filter(|literal| matches!(literal.leaf.subject, Subject::Event)).collect();
    let mut numbers: Vec<Value> = Vec::new();
    for leaf in keywords {
        if let Test::Number { value, .. } = &leaf.test {
            numbers.push(value::number(value.value));
        }
    }
    let texts = text::proposals(keywords, judge).into_iter().map(Value::String);
    for candidate in texts.chain(numbers) {
        event.insert((*field).to_owned(), candidate);
        if about.iter().all(|literal| judge.leaf(literal.leaf, event) == Some(literal.wanted)) {
            return Some(());
        }
    }
    None
}
