//! Evaluation functions, from the Search Reference: Comparison and Conditional, Conversion, Informational, Text.
//!
//! A function of null is null, but those that ask for it.

use pcre2::bytes::{Regex, RegexBuilder};

use super::expression::{Asked, Expression};
use super::network::Network;
use super::value::{Item, Value};

/// A function.
#[derive(Debug)]
pub(super) enum Function {
    /// `match(text, "expression")`: a PCRE expression is found anywhere in the text.
    Match(Regex),
    /// `like(text, "pattern")`: `%` is any text, `_` one character.
    Like(Regex),
    /// `cidrmatch("network", address)`.
    Network(Network),
    IsNull,
    IsNotNull,
    /// `if(condition, then, else)`.
    If,
    /// `case(condition, value, …)`: the value of the first condition that is true; null if none is.
    Case,
    /// `split(text, "delimiter")`: several values.
    Split(String),
    Coalesce,
    Lower,
    Upper,
    Length,
    /// `substr(text, start, length)`: the first character has the number 1; a negative number counts from the end.
    Part,
    /// `tonumber(text)`: null if it is no number.
    Number,
    True,
    False,
    Null,
}

impl Function {
    /// The function of this name, if it takes so many arguments.
    pub(super) fn new(name: &str, arguments: &[Expression]) -> Result<Self, String> {
        let text = |at: usize| match arguments.get(at) {
            Some(Expression::Text(text)) => Ok(text.as_str()),
            _ => Err(format!("{name} without a text that is written out")),
        };
        let (function, least, most) = match name {
            "match" => (Self::Match(expression(text(1)?)?), 2, 2),
            "like" => (Self::Like(expression(&like(text(1)?))?), 2, 2),
            "cidrmatch" => {
                let network = Network::parse(text(0)?).ok_or_else(|| format!("{name} without a network"))?;
                (Self::Network(network), 2, 2)
            }
            "isnull" => (Self::IsNull, 1, 1),
            "isnotnull" => (Self::IsNotNull, 1, 1),
            "if" => (Self::If, 3, 3),
            "case" if arguments.len().is_multiple_of(2) => (Self::Case, 2, usize::MAX),
            "split" => (Self::Split(text(1)?.to_owned()), 2, 2),
            "coalesce" => (Self::Coalesce, 1, usize::MAX),
            "lower" => (Self::Lower, 1, 1),
            "upper" => (Self::Upper, 1, 1),
            "len" => (Self::Length, 1, 1),
            "substr" => (Self::Part, 2, 3),
            "tonumber" => (Self::Number, 1, 1),
            "true" => (Self::True, 0, 0),
            "false" => (Self::False, 0, 0),
            "null" => (Self::Null, 0, 0),
            _ => return Err(format!("the function {name} is not known here")),
        };
        if (least..=most).contains(&arguments.len()) {
            Ok(function)
        } else {
            Err(format!("{name} with {} arguments", arguments.len()))
        }
    }

    /// What it gives.
    pub(super) fn call(&self, arguments: &[Expression], asked: &Asked<'_>) -> Value {
        // Whether a field has any value does not depend on how many.
        if let (Self::IsNull | Self::IsNotNull, [Expression::Field(name)]) = (self, arguments) {
            return Value::Bool(asked.event.values(name).is_empty() == matches!(self, Self::IsNull));
        }
        let value = |at: usize| arguments.get(at).map_or(Value::Null, |argument| argument.value(asked));
        // Functions of one value.
        let single =
            matches!(self, Self::Lower | Self::Upper | Self::Length | Self::Part | Self::Number | Self::Network(_));
        if single && asked.strict && (0..arguments.len()).any(|at| value(at).items().len() > 1) {
            return Value::Null;
        }
        match self {
            Self::Match(regex) | Self::Like(regex) => {
                test(&value(0), |item| regex.is_match(item.text().as_bytes()).unwrap_or(false))
            }
            Self::Network(network) => test(&value(1), |item| network.holds(&item.text())),
            Self::IsNull => Value::Bool(value(0) == Value::Null),
            Self::IsNotNull => Value::Bool(value(0) != Value::Null),
            Self::If => value(if value(0).truth() == Some(true) { 1 } else { 2 }),
            Self::Case => {
                let mut cases = (0..arguments.len()).step_by(2);
                cases.find(|at| value(*at).truth() == Some(true)).map_or(Value::Null, |at| value(at + 1))
            }
            Self::Split(delimiter) => {
                let parts = |item: &Item| -> Vec<Item> {
                    item.text().split(delimiter.as_str()).map(|part| Item::Text(part.to_owned())).collect()
                };
                Value::of(value(0).items().iter().flat_map(parts).collect())
            }
            Self::Coalesce => {
                let mut values = (0..arguments.len()).map(value);
                values.find(|value| *value != Value::Null).unwrap_or(Value::Null)
            }
            Self::Lower => each(&value(0), |item| Some(Item::Text(item.text().to_lowercase()))),
            Self::Upper => each(&value(0), |item| Some(Item::Text(item.text().to_uppercase()))),
            Self::Length => each(&value(0), |item| {
                u32::try_from(item.text().chars().count()).ok().map(|count| Item::Number(count.into()))
            }),
            Self::Part => {
                let (starts, lengths) = (value(1), if arguments.len() > 2 { Some(value(2)) } else { None });
                part(&value(0), &starts, lengths.as_ref())
            }
            Self::Number => each(&value(0), |item| item.number().map(Item::Number)),
            Self::True => Value::Bool(true),
            Self::False => Value::Bool(false),
            Self::Null => Value::Null,
        }
    }
}

/// A PCRE expression, on text of characters, not bytes.
fn expression(text: &str) -> Result<Regex, String> {
    RegexBuilder::new().utf(true).jit_if_available(true).build(text).map_err(|fault| fault.to_string())
}

/// The pattern of `like` as an expression of the whole text.
fn like(pattern: &str) -> String {
    let mut out = String::from(r"(?s)\A");
    for c in pattern.chars() {
        match c {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            c => out.push_str(&pcre2::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out + r"\z"
}

/// Whether it is so for any item; null if there is none.
fn test(value: &Value, holds: impl Fn(&Item) -> bool) -> Value {
    match value.items() {
        [] => Value::Null,
        items => Value::Bool(items.iter().any(holds)),
    }
}

fn each(value: &Value, made: impl Fn(&Item) -> Option<Item>) -> Value {
    Value::of(value.items().iter().filter_map(made).collect())
}

/// The parts of texts, for each start and length.
fn part(texts: &Value, starts: &Value, lengths: Option<&Value>) -> Value {
    let whole = |item: &Item| item.number().filter(|number| number.fract() == 0.0 && number.abs() < 1e9);
    let mut found = Vec::new();
    for text in texts.items() {
        let text: Vec<char> = text.text().chars().collect();
        for start in starts.items().iter().filter_map(whole) {
            // The casts are exact: whole numbers below 10⁹.
            let start = start as i64;
            let count = i64::try_from(text.len()).unwrap_or(i64::MAX);
            let first = if start < 0 { count + start } else { start - 1 };
            let lengths: Vec<i64> = match lengths {
                Some(lengths) => lengths.items().iter().filter_map(whole).map(|length| length as i64).collect(),
                None => vec![count],
            };
            for length in lengths {
                let piece =
                    text.iter().skip(usize::try_from(first).unwrap_or(0)).take(usize::try_from(length).unwrap_or(0));
                found.push(Item::Text(piece.collect()));
            }
        }
    }
    Value::of(found)
}
