//! Comparing a value that is known with one of a condition: `eq`, `ne`, `gte`, `gt`, `lte`, `lt`, `in`, `not_in`.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_yaml::Value;
use sigcast_ir::{Attribute, Level, NumberValue, Rule, Status};

/// How a value is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Comparison {
    /// Equal.
    #[default]
    Eq,
    /// Not equal.
    Ne,
    /// At least.
    Gte,
    /// More.
    Gt,
    /// At most.
    Lte,
    /// Less.
    Lt,
    /// One of a list, or a list that has it.
    In,
    /// Neither.
    NotIn,
}

impl Comparison {
    /// Whether `left` compares so with `right`. Values of two types are unequal and have no order.
    pub(crate) fn holds(self, left: &Value, right: &Value) -> bool {
        match self {
            Self::Eq => equal(left, right),
            Self::Ne => !equal(left, right),
            Self::In => among(left, right),
            Self::NotIn => !among(left, right),
            Self::Gte | Self::Gt | Self::Lte | Self::Lt => order(left, right).is_some_and(|order| match self {
                Self::Gte => order != Ordering::Less,
                Self::Gt => order == Ordering::Greater,
                Self::Lte => order != Ordering::Greater,
                _ => order == Ordering::Less,
            }),
        }
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Sequence(items), one) if !one.is_sequence() => items.iter().any(|item| equal(item, one)),
        (Value::Number(_), Value::Number(_)) => order(left, right) == Some(Ordering::Equal),
        _ => left == right,
    }
}

fn among(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (_, Value::Sequence(items)) => items.iter().any(|item| equal(left, item)),
        (Value::Sequence(items), one) => items.iter().any(|item| equal(item, one)),
        _ => equal(left, right),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
        },
        (Value::String(left), Value::String(right)) => Some(ranked(left, right).unwrap_or_else(|| left.cmp(right))),
        _ => None,
    }
}

/// Levels and maturities have an order of their own; dates have that of their text, once written alike.
fn ranked(left: &str, right: &str) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (Level::from_word(left), Level::from_word(right)) {
        return Some(left.cmp(&right));
    }
    if let (Some(left), Some(right)) = (Status::from_word(left), Status::from_word(right)) {
        return Some(left.cmp(&right));
    }
    let date = |text: &str| {
        let written = text.replace('/', "-");
        (written.len() == 10 && written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')).then_some(written)
    };
    Some(date(left)?.cmp(&date(right)?))
}

/// The value of an attribute of a rule by its name, custom ones included; none if the rule does not have it.
pub(crate) fn of_rule(rule: &Rule<'_>, name: &str) -> Option<Value> {
    let meta = &rule.meta;
    let text = |text: &str| Some(Value::String(text.to_owned()));
    let list = |all: Vec<&str>| {
        let all: Vec<Value> = all.into_iter().map(|text| Value::String(text.to_owned())).collect();
        (!all.is_empty()).then_some(Value::Sequence(all))
    };
    match name {
        "title" => text(&meta.title),
        "id" => meta.id.as_deref().and_then(text),
        "name" => meta.name.as_deref().and_then(text),
        "taxonomy" => text(meta.taxonomy.as_deref().unwrap_or("sigma")),
        "status" => meta.status.map(Status::as_str).and_then(text),
        "level" => meta.level.map(Level::as_str).and_then(text),
        "description" => meta.description.as_deref().and_then(text),
        "license" => meta.license.as_deref().and_then(text),
        "author" => meta.author.as_deref().and_then(text),
        "date" => meta.date.as_deref().and_then(text),
        "modified" => meta.modified.as_deref().and_then(text),
        "references" => list(meta.references.iter().map(AsRef::as_ref).collect()),
        "tags" => list(meta.tags.iter().map(AsRef::as_ref).collect()),
        "fields" => list(meta.fields.iter().map(|field| field.as_str()).collect()),
        "falsepositives" => list(meta.falsepositives.iter().map(AsRef::as_ref).collect()),
        "scope" => list(meta.scope.iter().map(AsRef::as_ref).collect()),
        "category" => rule.logsource.category.as_deref().and_then(text),
        "product" => rule.logsource.product.as_deref().and_then(text),
        "service" => rule.logsource.service.as_deref().and_then(text),
        _ => meta.custom.iter().find(|(known, _)| known == name).map(|(_, value)| value_of(value)),
    }
}

/// An attribute as a value.
pub(crate) fn value_of(attribute: &Attribute<'_>) -> Value {
    match attribute {
        Attribute::Null => Value::Null,
        Attribute::Bool(value) => Value::Bool(*value),
        Attribute::Number(number) => match number.value {
            NumberValue::Integer(integer) => i64::try_from(integer).map_or_else(
                |_| u64::try_from(integer).map_or(Value::Null, |integer| Value::Number(integer.into())),
                |integer| Value::Number(integer.into()),
            ),
            NumberValue::Float(float) => Value::Number(float.into()),
        },
        Attribute::Text(text) => Value::String(text.clone().into_owned()),
        Attribute::List(items) => Value::Sequence(items.iter().map(value_of).collect()),
        Attribute::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| (Value::String(key.clone().into_owned()), value_of(value)));
            Value::Mapping(entries.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_as_their_kind_does() {
        let check = |comparison: Comparison, left: &str, right: &str, expected: bool| {
            let read = |text: &str| serde_yaml::from_str::<Value>(text).expect("YAML");
            assert_eq!(comparison.holds(&read(left), &read(right)), expected, "{left} {comparison:?} {right}");
        };
        check(Comparison::Gte, "high", "medium", true);
        check(Comparison::Lt, "high", "medium", false);
        check(Comparison::Gt, "stable", "test", true);
        check(Comparison::Gt, "'2024/02/01'", "'2024-01-31'", true);
        check(Comparison::Eq, "1", "1.0", true);
        check(Comparison::Eq, "1", "'1'", false);
        check(Comparison::In, "b", "[a, b]", true);
        check(Comparison::In, "[a, b]", "b", true);
        check(Comparison::NotIn, "c", "[a, b]", true);
        check(Comparison::Lt, "1", "a", false);
    }
}
