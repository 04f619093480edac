//! What languages that look at groups of events ask of a correlation, whichever way they write it, and what they say of it.
//!
//! Invariant: what is asked for here is true of the whole correlation, or there is no answer: a caller that gets none
//! refuses.

use std::collections::BTreeSet;

use sigcast_diagnostics::{Code, Span};
use sigcast_ir::{Bound, Correlation, Field, KeyField, Member, NumberValue, Order, Rule, Source, lower};

use crate::correlate::Composer;
use crate::ways::Way;

/// What is searched if no index is given.
pub(super) const INDEX: &str = "logs-*";

/// What is said of windows that do not end with each event.
pub(super) const FIXED_WINDOWS: &str = "events are counted in windows of one timespan that follow each other: those that \
                                        lie on both sides of a border are not counted together";

/// The same where an option asks for such windows, or the language has no others for what is measured.
pub(super) const TUMBLING: &str =
    "events are counted in windows that follow each other, so those on both sides of a border are missed";

/// Why a correlation of correlations is refused under that option.
pub(super) const TUMBLING_INSIDE: &str =
    "one of correlations is not written for fixed windows, only with `window=sliding`";

/// What is said of an order that is not asked for in such a window.
pub(super) const UNORDERED: &str = "the order of the rules within a fixed window is not asked for";

/// What is said of a number of values that is not exact.
pub(super) const ESTIMATED_VALUES: &str = "the engine estimates how many values there are";

/// What is said of a percentile that is not exact.
pub(super) const ESTIMATED_PERCENTILES: &str = "the engine estimates percentiles";

/// What is said of an event that several rules match, where it can have the value of one of them only.
pub(super) const FIRST_VALUE: &str = "the values are of another field for each rule, and an event that several rules match \
                                      has that of the first";

/// Says where an order is lost that is asked of the first and last times of each two rules.
pub(super) fn approximate_chains(composer: &mut Composer<'_>, place: Span, ways: &[Way]) {
    if ways.iter().any(|way| way.chain.len() > 2) {
        let message = "of three rules or more, the order is asked of each two of them: the event between two others may be \
                       another one each time";
        composer.approximate(Code::OrderLost, place, message);
    }
}

/// The rules that are the members, in order; the correlation is refused if one of them is a correlation, or if they have
/// their times in different fields.
pub(super) fn members<'c, 'a>(
    composer: &mut Composer<'_>,
    correlation: &'c Correlation<'a>,
) -> Option<Vec<(&'c Member<'a>, &'c Rule<'a>)>> {
    let mut all = Vec::with_capacity(correlation.members.len());
    for member in &correlation.members {
        match &member.source {
            Source::Rule(rule) => all.push((member, rule.as_ref())),
            Source::Correlation(_) => {
                composer.refuse(member.span, "it counts events, and not where another correlation fires");
                return None;
            }
        }
    }
    composer.has_one_time(correlation)?;
    one_scope(composer, correlation)?;
    Some(all)
}

/// Says that events of one rule may be found where another one looks: the request names the indices of all of them. None if
/// a pipeline set an option wrongly, which is said.
fn one_scope(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<()> {
    let mut indices = Vec::new();
    for rule in correlation.rules() {
        indices.push(composer.settings_for(rule)?.index.clone());
    }
    if indices.iter().any(|other| *other != indices[0]) {
        let message = "its rules are about different indices, and each is asked of all of them: an event counts for a rule \
                       wherever it matches";
        composer.approximate(Code::ScopesJoined, correlation.kind_span, message);
    }
    Some(())
}

/// The indices of all rules. None if a pipeline set an option wrongly, which is said.
pub(super) fn indices(composer: &mut Composer<'_>, rules: &[&Rule<'_>]) -> Option<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for rule in rules {
        let own = composer.settings_for(rule)?.index.clone();
        let own = if own.is_empty() { vec![INDEX.to_owned()] } else { own };
        for name in own {
            if !all.contains(&name) {
                all.push(name);
            }
        }
    }
    Some(all)
}

/// The fields that are the keys of a member's events. None for one whose key is that of a correlation.
pub(super) fn keys<'m, 'a>(member: &'m Member<'a>) -> Option<Vec<&'m Field<'a>>> {
    let field = |key: &'m KeyField<'a>| match key {
        KeyField::Field(field) => Some(field),
        KeyField::Inner(_) => None,
    };
    member.keys.iter().map(field).collect()
}

/// The fields that are the keys, if they are the same ones for every member.
pub(super) fn common_keys<'c, 'a>(correlation: &'c Correlation<'a>) -> Option<Vec<&'c Field<'a>>> {
    let (first, rest) = correlation.members.split_first()?;
    rest.iter().all(|other| other.keys == first.keys).then(|| keys(first))?
}

/// The fields that values are taken of, if they are the same ones for every member.
pub(super) fn common_values<'c, 'a>(correlation: &'c Correlation<'a>) -> Option<&'c [Field<'a>]> {
    let (first, rest) = correlation.members.split_first()?;
    rest.iter().all(|other| other.values == first.values).then_some(first.values.as_slice())
}

/// The fields that the correlation and its rules name as those to show.
pub(super) fn named<'a>(correlation: &Correlation<'a>) -> Vec<Field<'a>> {
    let mut all: Vec<Field<'a>> = Vec::new();
    let own = correlation.meta.fields.iter();
    for field in own.chain(correlation.rules().flat_map(|rule| &rule.meta.fields)) {
        if !all.contains(field) {
            all.push(field.clone());
        }
    }
    all
}

/// The names of the fields that a rule names as those to show, and of those that it tests.
pub(super) fn shown_or_tested(rule: &Rule<'_>) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = rule.meta.fields.iter().map(|field| field.as_str().to_owned()).collect();
    for (query, _) in lower::queries(rule) {
        query.each_match(&mut |found| names.extend(found.field().map(|field| field.as_str().to_owned())));
    }
    names
}

/// The same of all rules of a correlation, with those that it names as those to show itself.
pub(super) fn all_shown_or_tested(correlation: &Correlation<'_>) -> BTreeSet<String> {
    let own = correlation.meta.fields.iter().map(|field| field.as_str().to_owned());
    own.chain(correlation.rules().flat_map(shown_or_tested)).collect()
}

/// What is shown of a group's events: the fields that are named for that, then those that the rules test; no keys.
pub(super) fn shown<'a>(correlation: &Correlation<'a>) -> Vec<Field<'a>> {
    let mut all = named(correlation);
    for rule in correlation.rules() {
        for (query, _) in lower::queries(rule) {
            query.each_match(&mut |found| all.extend(found.field().cloned()));
        }
    }
    let is_key = |field: &Field<'_>| {
        correlation.members.iter().flat_map(|member| &member.keys).any(|key| match key {
            KeyField::Field(key) => key == field,
            KeyField::Inner(_) => false,
        })
    };
    let mut shown: Vec<Field<'a>> = Vec::with_capacity(all.len());
    for field in all {
        if !shown.contains(&field) && !is_key(&field) {
            shown.push(field);
        }
    }
    shown
}

/// The least count that lies within the bounds, if all of them are lower bounds.
pub(super) fn least_count(bounds: &[Bound<'_>]) -> Option<u64> {
    let mut least = 0;
    for bound in bounds.iter() {
        let floor = match bound.value.value {
            NumberValue::Integer(value) => value,
            NumberValue::Float(value) if value.abs() < 1e15 => value.floor() as i128,
            NumberValue::Float(_) => return None,
        };
        let whole = match bound.value.value {
            NumberValue::Integer(_) => true,
            NumberValue::Float(value) => value.fract() == 0.0,
        };
        let lower = match (bound.order, bound.negated) {
            (Order::GreaterOrEqual, false) if whole => floor,
            (Order::GreaterOrEqual | Order::Greater, false) => floor.checked_add(1)?,
            _ => return None,
        };
        least = least.max(u64::try_from(lower.max(0)).ok()?);
    }
    Some(least)
}

/// The number of a bound, as languages with C's literals write it.
pub(super) fn number(bound: &Bound<'_>) -> String {
    match bound.value.value {
        NumberValue::Integer(value) => value.to_string(),
        NumberValue::Float(value) => format!("{value:?}"),
    }
}

/// What is true of a number within bounds, in languages with C's operators.
pub(super) fn within(number_of: &str, bounds: &[Bound<'_>], and: &str) -> String {
    within_by(number_of, bounds, and, "==")
}

/// The same with another sign of equality.
pub(super) fn within_by(number_of: &str, bounds: &[Bound<'_>], and: &str, equal: &str) -> String {
    let bound = |bound: &Bound<'_>| {
        let sign = match (bound.order, bound.negated) {
            (Order::Equal, false) => equal,
            (_, true) => "!=",
            (order, false) => order.sign(),
        };
        format!("{number_of} {sign} {}", number(bound))
    };
    bounds.iter().map(bound).collect::<Vec<_>>().join(and)
}

/// A span of time as a count and its unit, such as `5m`, `2h` or `1d`.
pub(super) fn span(seconds: u64) -> String {
    let (count, unit) = span_parts(seconds, true);
    format!("{count}{unit}")
}

/// A span of time as a count and the largest of these units that it has no rest of: seconds, minutes, hours and, if
/// asked for, days.
pub(super) fn span_parts(seconds: u64, days: bool) -> (u64, char) {
    match seconds {
        _ if days && seconds.is_multiple_of(86_400) => (seconds / 86_400, 'd'),
        _ if seconds.is_multiple_of(3_600) => (seconds / 3_600, 'h'),
        _ if seconds.is_multiple_of(60) => (seconds / 60, 'm'),
        _ => (seconds, 's'),
    }
}
