//! What an event must give, as far as that can be told without the evaluator.
//!
//! Invariant: `None` wherever there is doubt. The means are plain ones (lower-case ASCII, bit masks, witnesses of
//! regular expressions, small numbers), and none of them is the evaluator's.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;
use sigcast_ir::{Affix, Case, Expr, Match, NumberValue, Order, Part, Pattern, Query, Regex, Shape, Subject, Test};

use super::Event;
use super::value::{self, Clock};
use super::witness::{self, Witnesses};

/// Reasons about events.
pub(super) struct Judge {
    regexes: Vec<(Regex<'static>, Witnesses)>,
}

impl Judge {
    /// A judge that knows the regular expressions of these queries.
    pub(super) fn new(queries: &[Query<'_>]) -> Self {
        let mut regexes: Vec<(Regex<'static>, Witnesses)> = Vec::new();
        for query in queries {
            query.each_match(&mut |leaf| {
                if let Test::Regex(regex) = &leaf.test
                    && !regexes.iter().any(|(known, _)| same(known, regex))
                {
                    let owned = Regex { source: regex.source.clone().into_owned().into(), ..*regex };
                    regexes.push((owned, witness::witnesses(regex)));
                }
            });
        }
        Self { regexes }
    }

    /// What is known of a regular expression.
    pub(super) fn witnesses(&self, regex: &Regex<'_>) -> Option<&Witnesses> {
        self.regexes.iter().find(|(known, _)| same(known, regex)).map(|(_, found)| found)
    }

    /// Whether the query matches the event.
    pub(super) fn query(&self, query: &Query<'_>, event: &Event) -> Option<bool> {
        match query {
            Expr::And(terms) => all(terms.iter().map(|term| self.query(term, event))),
            Expr::Or(terms) => any(terms.iter().map(|term| self.query(term, event))),
            Expr::Not(inner) => self.query(inner, event).map(|found| !found),
            Expr::Const(value) => Some(*value),
            Expr::Match(leaf) => self.leaf(leaf, event),
        }
    }

    /// Whether the test passes.
    pub(super) fn leaf(&self, leaf: &Match<'_>, event: &Event) -> Option<bool> {
        let field = match &leaf.subject {
            Subject::Event => {
                return any(event.values().flat_map(value::members).map(|value| self.keyword(&leaf.test, value)));
            }
            Subject::Field(field) => field,
        };
        let found = event.get(field.as_str());
        match (&leaf.test, found) {
            (Test::Exists(wanted), found) => Some(found.is_some() == *wanted),
            (Test::Null, None) => Some(true),
            (_, None) => Some(false),
            (Test::Null, Some(found)) => Some(value::members(found).all(|value| value.is_null())),
            (Test::SameAs { other, affix, case }, Some(found)) => match event.get(other.as_str()) {
                None => Some(false),
                Some(other) => any(value::members(found)
                    .flat_map(|value| value::members(other).map(move |other| same_as(value, other, *affix, *case)))),
            },
            (test, Some(found)) => any(value::members(found).map(|value| self.value(test, value))),
        }
    }

    fn keyword(&self, test: &Test<'_>, found: &Value) -> Option<bool> {
        match test {
            Test::Text { pattern, case } => {
                self.value(&Test::Text { pattern: pattern.clone().open(true, true), case: *case }, found)
            }
            test => self.value(test, found),
        }
    }

    fn value(&self, test: &Test<'_>, found: &Value) -> Option<bool> {
        let Some(text) = value::text(found) else { return Some(false) };
        match test {
            Test::Text { pattern, case } => pattern_fits(pattern, *case, &text),
            Test::Regex(regex) => self.witnesses(regex)?.judge(&text),
            Test::Network(network) if found.is_string() => inside(network, &text),
            Test::Network(_) => Some(false),
            Test::Number { order, value: wanted } => {
                if found.is_boolean() {
                    return Some(false);
                }
                number(&text)?.map_or(Some(false), |number| compare(number, *order, wanted.value))
            }
            Test::Bool(wanted) => Some(text.to_ascii_lowercase() == if *wanted { "true" } else { "false" }),
            Test::TimePart { part, order, value } => {
                if !found.is_string() {
                    return None;
                }
                match Clock::read(&text) {
                    Some(clock) => compare(NumberValue::Integer(i128::from(clock.part(*part))), *order, value.value),
                    None if !text.bytes().any(|byte| byte.is_ascii_digit()) => Some(false),
                    None => None,
                }
            }
            Test::OneOf(tests) => any(tests.iter().map(|test| self.value(test, found))),
            Test::Null | Test::Exists(_) | Test::SameAs { .. } | Test::Raw(_) => None,
        }
    }
}

fn same(a: &Regex<'_>, b: &Regex<'_>) -> bool {
    a.source == b.source && a.flags == b.flags
}

fn any(mut found: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    loop {
        match found.next() {
            Some(Some(true)) => return Some(true),
            Some(Some(false)) => {}
            Some(None) => known = false,
            None => return known.then_some(false),
        }
    }
}

fn all(found: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any(found.map(|found| found.map(|found| !found))).map(|found| !found)
}

/// Whether a pattern fits a text: by the string functions where both are ASCII, else by a table over all prefixes, once
/// with characters equal that surely are, and once with those that might be.
fn pattern_fits(pattern: &Pattern<'_>, case: Case, text: &str) -> Option<bool> {
    let plain = text.is_ascii() && pattern.texts().all(str::is_ascii);
    if plain || case == Case::Sensitive {
        let lower = |text: &str| if case == Case::Sensitive { text.to_owned() } else { text.to_ascii_lowercase() };
        let found = match pattern.shape() {
            Shape::Empty => Some(text.is_empty()),
            Shape::Exact(wanted) => Some(lower(text) == lower(wanted)),
            Shape::Prefix(wanted) => Some(lower(text).starts_with(&lower(wanted))),
            Shape::Suffix(wanted) => Some(lower(text).ends_with(&lower(wanted))),
            Shape::Contains(wanted) => Some(lower(text).contains(&lower(wanted))),
            Shape::Anything => Some(true),
            Shape::Runs | Shape::Singles | Shape::Unresolved => None,
        };
        if found.is_some() {
            return found;
        }
    }
    // Characters with one lower-case letter fold alike. Those that fold alike share lower or upper case, but not the
    // other way round: the dotless `ı` has the upper case of `i`.
    let lower = |a: char, b: char| a.to_lowercase().count() == 1 && a.to_lowercase().eq(b.to_lowercase());
    let ignore = case == Case::Insensitive;
    let surely = |a: char, b: char| a == b || (ignore && lower(a, b));
    let maybe = |a: char, b: char| {
        a == b || (ignore && (a.to_lowercase().eq(b.to_lowercase()) || a.to_uppercase().eq(b.to_uppercase())))
    };
    match (table(pattern, text, surely), table(pattern, text, maybe)) {
        (true, _) => Some(true),
        (_, false) => Some(false),
        _ => None,
    }
}

fn table(pattern: &Pattern<'_>, text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let text: Vec<char> = text.chars().collect();
    // `fits[n]`: the pattern so far fits the first `n` characters.
    let mut fits: Vec<bool> = (0..=text.len()).map(|length| length == 0).collect();
    let step = |fits: &[bool], accepts: &dyn Fn(char) -> bool| -> Vec<bool> {
        (0..fits.len()).map(|length| length > 0 && fits[length - 1] && accepts(text[length - 1])).collect()
    };
    for part in pattern.parts() {
        match part {
            Part::Text(wanted) => {
                for c in wanted.chars() {
                    fits = step(&fits, &|found| same(c, found));
                }
            }
            Part::AnyOne => fits = step(&fits, &|_| true),
            Part::AnyRun => {
                let first = fits.iter().position(|fits| *fits).unwrap_or(fits.len());
                fits = (0..fits.len()).map(|length| length >= first).collect();
            }
            Part::Placeholder(_) => return false,
        }
    }
    fits.last() == Some(&true)
}

/// Whether the text is an address inside the network. A zone is left to others.
fn inside(network: &IpNet, text: &str) -> Option<bool> {
    if text.contains('%') {
        return None;
    }
    let shift = |bits: u32| bits - u32::from(network.prefix_len());
    Some(match (network.addr(), text.parse::<IpAddr>()) {
        (IpAddr::V4(network), Ok(IpAddr::V4(address))) => {
            u64::from(network.to_bits()) >> shift(32) == u64::from(address.to_bits()) >> shift(32)
        }
        (IpAddr::V6(network), Ok(IpAddr::V6(address))) => {
            let difference = network.to_bits() ^ address.to_bits();
            difference.checked_shr(shift(128)).unwrap_or(0) == 0
        }
        _ => false,
    })
}

/// The number that a text spells: `Some(None)` if surely none, and `None` if in doubt.
fn number(text: &str) -> Option<Option<NumberValue>> {
    if let Ok(number) = text.parse::<i128>()
        && number.to_string() == text
    {
        return Some(Some(NumberValue::Integer(number)));
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(None);
    }
    if digits.bytes().any(|byte| !byte.is_ascii_digit() && !matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+')) {
        return Some(None);
    }
    match digits.split_once('.') {
        Some((whole, fraction))
            if text.len() < 14
                && (whole == "0" || !whole.starts_with('0'))
                && !fraction.is_empty()
                && (whole.bytes().chain(fraction.bytes())).all(|byte| byte.is_ascii_digit()) =>
        {
            text.parse().ok().map(|number| Some(NumberValue::Float(number)))
        }
        _ => None,
    }
}

/// How two numbers compare, if both are small enough for a float to hold them.
fn compare(found: NumberValue, order: Order, wanted: NumberValue) -> Option<bool> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let found = match (found, wanted) {
        (NumberValue::Integer(found), NumberValue::Integer(wanted)) => found.cmp(&wanted),
        (found, wanted) => {
            let float = |number| match number {
                NumberValue::Integer(number) => number as f64,
                NumberValue::Float(number) => number,
            };
            let (found, wanted) = (float(found), float(wanted));
            if found.abs() >= EXACT || wanted.abs() >= EXACT {
                return None;
            }
            found.partial_cmp(&wanted)?
        }
    };
    Some(match order {
        Order::Equal => found.is_eq(),
        Order::Less => found.is_lt(),
        Order::LessOrEqual => found.is_le(),
        Order::Greater => found.is_gt(),
        Order::GreaterOrEqual => found.is_ge(),
    })
}

fn same_as(value: &Value, other: &Value, affix: Affix, case: Case) -> Option<bool> {
    let (Some(value), Some(other)) = (value::text(value), value::text(other)) else { return Some(false) };
    let test = |value: &str, other: &str| match affix {
        Affix::Equals => value == other,
        Affix::StartsWith => value.starts_with(other),
        Affix::EndsWith => value.ends_with(other),
        Affix::Contains => value.contains(other),
    };
    if case == Case::Sensitive || test(&value, &other) {
        return Some(test(&value, &other));
    }
    let plain = value.is_ascii() && other.is_ascii();
    plain.then(|| test(&value.to_ascii_lowercase(), &other.to_ascii_lowercase()))
}
