//! Values of an expression, and how they compare.
//!
//! From the Search Manual, Comparison operators, and the Search Reference, `where`: numbers compare as numbers and all
//! else as text, minding case; a field holds text, which is taken for a number where the other side is one.

use std::cmp::Ordering;

use super::search::Order;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// One value or more.
    Items(Vec<Item>),
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// Text that is written so, or that a function gives.
    Text(String),
    /// What a field holds.
    Field(String),
    Number(f64),
}

impl Value {
    /// Null without values.
    pub(super) fn of(items: Vec<Item>) -> Self {
        if items.is_empty() { Self::Null } else { Self::Items(items) }
    }

    /// Its items; none of null, and none of what is true or false.
    pub(super) fn items(&self) -> &[Item] {
        if let Self::Items(items) = self { items } else { &[] }
    }

    /// What it decides: true, false or null.
    pub(super) fn truth(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }
}

impl Item {
    /// Its text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Field(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }

    /// Its number, if it spells one.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) | Self::Field(text) => {
                let text = text.trim();
                // The reader of numbers here takes words for numbers too: "inf", "NaN".
                let spelled = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
                text.parse().ok().filter(|_| spelled)
            }
            Self::Number(number) => Some(*number),
        }
    }

    /// How it compares with another.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        let as_numbers = match (self, other) {
            (Self::Number(_), _) | (_, Self::Number(_)) | (Self::Field(_), Self::Field(_)) => {
                self.number().zip(other.number())
            }
            _ => None,
        };
        match as_numbers {
            Some((one, other)) => one.partial_cmp(&other),
            None => Some(self.text().cmp(&other.text())),
        }
    }
}

/// What the comparison gives: null if a side is null.
pub(super) fn compare(one: &Value, order: Order, other: &Value) -> Value {
    if let (Value::Bool(one), Value::Bool(other)) = (one, other) {
        return match order {
            Order::Equal => Value::Bool(one == other),
            Order::Unequal => Value::Bool(one != other),
            _ => Value::Null,
        };
    }
    if one.items().is_empty() || other.items().is_empty() {
        return Value::Null;
    }
    let holds = |found: Option<Ordering>| {
        found.is_some_and(|found| match order {
            Order::Equal => found.is_eq(),
            Order::Unequal => found.is_ne(),
            Order::Less => found.is_lt(),
            Order::LessOrEqual => found.is_le(),
            Order::Greater => found.is_gt(),
            Order::GreaterOrEqual => found.is_ge(),
        })
    };
    let any = |one: &Item| other.items().iter().any(|other| holds(one.compare(other)));
    Value::Bool(one.items().iter().any(any))
}

/// What a sign of arithmetic gives: null if a side is not one number. A division by zero is null.
pub(super) fn arithmetic(one: &Value, sign: char, other: &Value) -> Value {
    let number = |value: &Value| match value.items() {
        [only] => only.number(),
        _ => None,
    };
    let Some((one, other)) = number(one).zip(number(other)) else { return Value::Null };
    let found = match sign {
        '+' => one + other,
        '-' => one - other,
        '*' => one * other,
        _ => one / other,
    };
    if found.is_finite() { Value::Items(vec![Item::Number(found)]) } else { Value::Null }
}

/// The texts joined: null if one of them is no single value.
pub(super) fn joined(parts: impl Iterator<Item = Value>) -> Value {
    let mut all = String::new();
    for part in parts {
        let [only] = part.items() else { return Value::Null };
        all.push_str(&only.text());
    }
    Value::Items(vec![Item::Text(all)])
}
