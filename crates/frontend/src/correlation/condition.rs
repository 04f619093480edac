//! Conditions of correlations: bounds of a number, or which rules must have events.
//!
//! Invariant: bounds that are returned do not contradict each other, and those of counts are whole numbers from 0.

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_ir::{Bound, Key, Measure, Number, NumberValue, Order, Reference};

use super::{Asked, Body, Type, Wanted, listed, place};
use crate::condition::{self, members};
use crate::yaml::{self, Data, Entry, Node, Plain};

/// The comparisons: name, order, whether it is negated, and its sign in messages.
const ORDERS: [(&str, Order, bool, &str); 6] = [
    ("gt", Order::Greater, false, ">"),
    ("gte", Order::GreaterOrEqual, false, ">="),
    ("lt", Order::Less, false, "<"),
    ("lte", Order::LessOrEqual, false, "<="),
    ("eq", Order::Equal, false, "="),
    ("neq", Order::Equal, true, "≠"),
];

/// Reads what a correlation of a type asks; `rules` are those that it lists.
pub(super) fn read<'a>(
    body: &mut Body<'_, 'a>,
    kind: Type,
    kind_span: Span,
    rules: &[Reference<'a>],
) -> Option<Asked<'a>> {
    let entry = body.entry("condition").filter(|entry| !entry.value.is_null());
    if let Type::Temporal { ordered } = kind {
        let Some(entry) = entry else { return Some(Asked::Temporal { ordered, wanted: Wanted::All }) };
        return temporal(body, kind, entry, rules).map(|wanted| Asked::Temporal { ordered, wanted });
    }
    let Some(entry) = entry else {
        let message = format!("the correlation has no `condition`, and its type `{}` needs one", kind.name());
        body.diagnostics.push(
            Diagnostic::at(Code::MissingAttribute, body.head, message)
                .here("`condition` is missing from this map")
                .label(kind_span, "the type")
                .help("such as `gte: 10` in a map"),
        );
        return None;
    };
    let Some(entries) = entry.value.as_map() else {
        let message = format!("the condition is {}, and a map of bounds is expected", entry.value.kind());
        let place = place(&entry.value, entry.key_span);
        body.diagnostics.push(
            Diagnostic::at(Code::WrongType, place, message)
                .here("a map is expected here")
                .help("such as `gte: 10` in a map; only temporal correlations have a text over rules"),
        );
        return None;
    };
    let fields = fields(body, kind, entry, entries);
    let measure = measure(body, kind, entry, entries);
    let bounds = bounds(body, kind, entry, entries, None);
    Some(Asked::Measure { measure: measure?, fields: fields?, bounds: bounds? })
}

fn temporal<'a>(body: &mut Body<'_, 'a>, kind: Type, entry: &Entry<'a>, rules: &[Reference<'a>]) -> Option<Wanted<'a>> {
    match &entry.value.data {
        Data::Map(entries) => {
            let most = (!rules.is_empty()).then_some(rules.len());
            bounds(body, kind, entry, entries, most).map(Wanted::Count)
        }
        Data::Scalar(scalar) => {
            let text = condition::Text::new(scalar, entry.value.span, body.text);
            members::parse(&text, rules, body.diagnostics).map(|words| Wanted::Rules(words, entry.value.span))
        }
        Data::List(_) => {
            let message = "the condition is a list, and a text over rules or a map of bounds is expected";
            body.fault(Code::WrongType, entry.key_span, message, "such as `first_rule and not second_rule`");
            None
        }
    }
}

/// The fields whose values are looked at.
fn fields<'a>(body: &mut Body<'_, 'a>, kind: Type, entry: &Entry<'a>, entries: &[Entry<'a>]) -> Option<Vec<Key<'a>>> {
    if kind == Type::Events {
        return Some(Vec::new());
    }
    let Some(field) = entries.iter().find(|entry| entry.key.text == "field") else {
        let message =
            format!("the condition has no `field`, and the type `{}` looks at the values of one", kind.name());
        body.fault(Code::MissingAttribute, entry.key_span, message, "`field` is missing from this map");
        return None;
    };
    let before = body.diagnostics.len();
    let found = body.words(field, "the name of a field");
    if body.diagnostics.len() > before {
        return None;
    }
    if found.is_empty() {
        body.fault(Code::BadValue, field.key_span, "the list of fields is empty", "the name of a field is expected");
        return None;
    }
    if let Some(second) = found.get(1).filter(|_| kind != Type::Distinct) {
        let message = format!("the type `{}` looks at the values of one field, and there are several", kind.name());
        body.fault(Code::BadValue, second.span, message, "one field too many");
        return None;
    }
    Some(found)
}

fn measure(body: &mut Body<'_, '_>, kind: Type, entry: &Entry<'_>, entries: &[Entry<'_>]) -> Option<Measure> {
    Some(match kind {
        Type::Events | Type::Temporal { .. } => Measure::Events,
        Type::Distinct => Measure::Distinct,
        Type::Sum => Measure::Sum,
        Type::Average => Measure::Average,
        Type::Minimum => Measure::Minimum,
        Type::Maximum => Measure::Maximum,
        Type::Median => Measure::Median,
        Type::Percentile => {
            let Some(percentile) = entries.iter().find(|entry| entry.key.text == "percentile") else {
                body.diagnostics.push(
                    Diagnostic::at(
                        Code::MissingAttribute,
                        entry.key_span,
                        "the condition does not say which percentile",
                    )
                    .here("`percentile` is missing from this map")
                    .help("`percentile: 95` is the value that 95 in 100 values do not exceed"),
                );
                return None;
            };
            let value = number(&percentile.value).map(|number| float(&number.value));
            let Some(value) = value.filter(|value| (0.0..=100.0).contains(value)) else {
                let place = place(&percentile.value, percentile.key_span);
                let message = "the percentile is no number from 0 to 100";
                body.fault(Code::BadNumber, place, message, "a number from 0 to 100 is expected here");
                return None;
            };
            Measure::Percentile(value)
        }
    })
}

/// The bounds of a number; at most `most` if so many things are counted.
fn bounds<'a>(
    body: &mut Body<'_, 'a>,
    kind: Type,
    entry: &Entry<'a>,
    entries: &[Entry<'a>],
    most: Option<usize>,
) -> Option<Vec<Bound<'a>>> {
    let mut known: Vec<&str> = ORDERS.iter().map(|(name, ..)| *name).collect();
    if !matches!(kind, Type::Events | Type::Temporal { .. }) {
        known.push("field");
    }
    if kind == Type::Percentile {
        known.push("percentile");
    }
    let before = body.diagnostics.len();
    if let Some(field) = entries.iter().find(|entry| entry.key.text == "field" && !known.contains(&"field")) {
        let message = format!("the type `{}` counts, and looks at the values of no field", kind.name());
        body.diagnostics.push(
            Diagnostic::at(Code::UnknownAttribute, field.key_span, message)
                .here(format!("one of {} is expected here", listed(&known)))
                .help("the type `value_count` counts the values of a field"),
        );
        known.push("field");
    }
    body.unknown(entries, &known, &format!("the condition of a correlation of the type `{}`", kind.name()));
    let mut found = Vec::new();
    for bound in entries {
        let Some((_, order, negated, _)) = ORDERS.iter().find(|(name, ..)| *name == bound.key.text) else { continue };
        if let Some(value) = value(body, kind, bound) {
            let span = bound.key_span.to(bound.value.span);
            found.push(Bound { order: *order, negated: *negated, value, span });
        }
    }
    if body.diagnostics.len() > before {
        return None;
    }
    if found.is_empty() {
        let message = "the condition has no bound";
        body.fault(Code::MissingAttribute, entry.key_span, message, "such as `gte: 10` is expected in this map");
        return None;
    }
    let fault = contradiction(&found, kind, most).or_else(|| unordered(&found, kind, most));
    if let Some(fault) = fault {
        body.diagnostics.push(fault);
        return None;
    }
    Some(found)
}

/// The error of a bound that says nothing where order counts: where some rules have events in order, fewer of them have
/// events in order too. That all rules have them can be said in any way.
fn unordered(bounds: &[Bound<'_>], kind: Type, most: Option<usize>) -> Option<Diagnostic> {
    if kind != (Type::Temporal { ordered: true }) {
        return None;
    }
    let all = most.and_then(|most| i128::try_from(most).ok());
    let lower = |bound: &&Bound<'_>| match (bound.order, bound.negated) {
        (Order::Greater | Order::GreaterOrEqual, false) => true,
        (Order::Equal, false) => matches!(bound.value.value, NumberValue::Integer(value) if Some(value) == all),
        _ => false,
    };
    let bound = bounds.iter().find(|bound| !lower(bound))?;
    let message = "where order counts, no more than a least number of rules can be asked for: of rules that have events in \
                   order, fewer have them in order too";
    let fault = Diagnostic::at(Code::BadValue, bound.span, message).here("`gt` or `gte` is expected here");
    Some(fault.help("what must not be there is said by a text over rules, such as `first_rule and not second_rule`"))
}

fn value<'a>(body: &mut Body<'_, 'a>, kind: Type, bound: &Entry<'a>) -> Option<Number<'a>> {
    let place = place(&bound.value, bound.key_span);
    let Some(number) = number(&bound.value) else {
        let (found, wanted) = beyond(&bound.value).unwrap_or_else(|| (bound.value.kind(), "a number"));
        let message = format!("the bound `{}` is {found}, and {wanted} is expected", bound.key.text);
        body.fault(Code::BadNumber, place, message, &format!("{wanted} is expected here"));
        return None;
    };
    if !kind.counts() {
        return Some(number);
    }
    match number.value {
        NumberValue::Integer(value) if value >= 0 => return Some(number),
        NumberValue::Integer(_) => {
            body.fault(Code::BadNumber, place, "a count is never below zero", "a number from 0 is expected here");
        }
        NumberValue::Float(_) => {
            body.fault(Code::BadNumber, place, "a count is a whole number", "a whole number is expected here");
        }
    }
    None
}

/// What a scalar spells that is a number by YAML and none that is held, and what is expected instead.
// What is lost of the largest integer is far above every number that 64 bits hold.
#[allow(clippy::cast_precision_loss)]
fn beyond(node: &Node<'_>) -> Option<(&'static str, &'static str)> {
    let text = node.as_scalar()?.text.as_ref();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(("infinite", "a finite number")),
        ".nan" | ".NaN" | ".NAN" => return Some(("no number (`.nan`)", "a number")),
        _ => {}
    }
    let based = |prefix: &str, radix| {
        unsigned
            .strip_prefix(prefix)
            .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
    };
    // The words that stand for numbers in Rust (`inf`, `nan`) are text in YAML.
    let decimal = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.parse::<f64>().is_ok_and(|value| value > i64::MAX as f64);
    (decimal || based("0x", 16) || based("0o", 8))
        .then_some(("a number that 64 bits do not hold", "one that they hold"))
}

/// The number that a scalar is, or spells between quotes.
fn number<'a>(node: &Node<'a>) -> Option<Number<'a>> {
    let scalar = node.as_scalar()?;
    match scalar.resolve() {
        Plain::Number(number) => Some(number),
        Plain::Text => yaml::number(&scalar.text),
        Plain::Null | Plain::Bool(_) => None,
    }
}

// Numbers are compared to find contradictions only; what is lost beyond 53 bits makes none where there is none.
#[allow(clippy::cast_precision_loss)]
fn float(value: &NumberValue) -> f64 {
    match value {
        NumberValue::Integer(value) => *value as f64,
        NumberValue::Float(value) => *value,
    }
}

/// One end of what bounds leave: the value, whether it is left out itself, and the bound, if it is not by nature.
#[derive(Clone, Copy)]
struct End<'b, 'a> {
    value: f64,
    open: bool,
    bound: Option<&'b Bound<'a>>,
}

/// The end that a bound makes. Nearest whole numbers make the ends of a count closed.
fn end<'b, 'a>(bound: &'b Bound<'a>, counts: bool) -> End<'b, 'a> {
    let value = float(&bound.value.value);
    let (open, step) = match bound.order {
        Order::Greater => (true, 1.0),
        Order::Less => (true, -1.0),
        Order::Equal | Order::GreaterOrEqual | Order::LessOrEqual => (false, 0.0),
    };
    match counts {
        true => End { value: value + step, open: false, bound: Some(bound) },
        false => End { value, open, bound: Some(bound) },
    }
}

/// The error of bounds that no number fulfils.
pub(crate) fn contradiction(bounds: &[Bound<'_>], kind: Type, most: Option<usize>) -> Option<Diagnostic> {
    let counts = kind.counts();
    // The window of an event has that event in it.
    let least = match kind {
        Type::Events | Type::Temporal { .. } => 1.0,
        Type::Distinct => 0.0,
        _ => f64::NEG_INFINITY,
    };
    let most = most.and_then(|most| u32::try_from(most).ok()).map_or(f64::INFINITY, f64::from);
    let mut low = End { value: least, open: false, bound: None };
    let mut high = End { value: most, open: false, bound: None };
    for bound in bounds.iter().filter(|bound| !bound.negated) {
        let end = end(bound, counts);
        let is_low = matches!(bound.order, Order::Equal | Order::Greater | Order::GreaterOrEqual);
        let is_high = matches!(bound.order, Order::Equal | Order::Less | Order::LessOrEqual);
        if is_low && (end.value > low.value || (end.value >= low.value && end.open)) {
            low = end;
        }
        if is_high && (end.value < high.value || (end.value <= high.value && end.open)) {
            high = end;
        }
    }
    let empty = low.value > high.value || (low.value >= high.value && (low.open || high.open));
    if empty {
        return Some(contradicted(low, high, kind));
    }
    // Only one number is left, and it is left out.
    let left_out = bounds.iter().find(|bound| bound.negated).filter(|bound| {
        let value = float(&bound.value.value);
        low.value >= high.value && low.value <= value && value <= low.value && value.abs() < 9.0e15
    })?;
    let other = low.bound.or(high.bound);
    let fault = Diagnostic::at(Code::ImpossibleBounds, left_out.span, "no number fulfils the condition");
    let fault = fault.here("leaves out the only number that is left");
    Some(other.iter().fold(fault, |fault, bound| fault.label(bound.span, "against this bound")))
}

fn contradicted(low: End<'_, '_>, high: End<'_, '_>, kind: Type) -> Diagnostic {
    let nature: Cow<'_, str> = match (low.bound, high.bound) {
        (None, _) => "an event is looked at with those before it, so that there is always one".into(),
        (_, None) => format!("there are {} rules", high.value).into(),
        _ => "the bounds contradict each other".into(),
    };
    let place = high.bound.or(low.bound).map(|bound| bound.span);
    let message = format!("no number fulfils the condition: {nature}");
    let fault = match place {
        Some(place) => Diagnostic::at(Code::ImpossibleBounds, place, message).here("never holds"),
        None => Diagnostic::new(Code::ImpossibleBounds, message),
    };
    match (low.bound, high.bound) {
        (Some(low), Some(high)) if low.span != high.span => {
            fault.here("against the other bound").label(low.span, "the other bound")
        }
        (None, Some(_)) if kind == Type::Events => {
            fault.help("that something is missing cannot be asked: a correlation fires at an event")
        }
        _ => fault,
    }
}
