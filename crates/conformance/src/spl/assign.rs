//! Commands on the fields of each row: `eval`, `fillnull`, `fields -`, `bin`, `convert`.
//!
//! From the Search Reference: `eval` takes its assignments from left to right, each of which sees those before it; a field
//! that is given null is one that the row does not have; a condition cannot be assigned. `fillnull value=` fills fields
//! that a row lacks. `fields -` removes fields. `bin` puts a number down to the start of its span, counted from 1970 in UTC.
//! `convert ctime` shows times as text; here they stay numbers, as no emitted query asks for such a text.

use super::event::Event;
use super::expression::Expression;
use super::scan::{Scanner, is_word};
use super::stats::seconds;
use super::value::Value;

/// A command of this kind.
#[derive(Debug)]
pub(super) enum Assign {
    Eval(Vec<(String, Expression)>),
    Fill(String, Vec<String>),
    Remove(Vec<String>),
    Bin(String, f64),
    Show,
}

impl Assign {
    pub(super) fn eval(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        let mut all = Vec::new();
        loop {
            let name = scanner.name()?;
            scanner.skip_blanks();
            if !scanner.take("=") {
                return Err(format!("an = was expected: {}", scanner.here()));
            }
            all.push((name, Expression::read(scanner)?));
            scanner.skip_blanks();
            if !scanner.take(",") {
                return Ok(Self::Eval(all));
            }
        }
    }

    pub(super) fn fill(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        if !(scanner.word("value") && scanner.take("=")) {
            return Err("fillnull without a value".to_owned());
        }
        let value = scanner.take_while(is_word).to_owned();
        Ok(Self::Fill(value, scanner.names()?))
    }

    pub(super) fn remove(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        scanner.skip_blanks();
        if scanner.take("-") { Ok(Self::Remove(scanner.names()?)) } else { Err("fields without a -".to_owned()) }
    }

    pub(super) fn bin(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        let name = scanner.name()?;
        if !(scanner.word("span") && scanner.take("=")) {
            return Err("bin without a span".to_owned());
        }
        Ok(Self::Bin(name, seconds(scanner.take_while(is_word))?))
    }

    pub(super) fn convert(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        loop {
            if !(scanner.word("ctime") && scanner.take("(")) {
                return Err(format!("ctime was expected: {}", scanner.here()));
            }
            scanner.name()?;
            if !scanner.take(")") {
                return Err(format!("a ) was expected: {}", scanner.here()));
            }
            scanner.skip_blanks();
            if scanner.rest().is_empty() {
                return Ok(Self::Show);
            }
        }
    }

    pub(super) fn run(&self, row: &mut Event) -> Result<(), String> {
        match self {
            Self::Eval(all) => {
                for (name, made) in all {
                    let (value, strict) = made.of(row);
                    if value != strict {
                        return Err("a function of several values, of which the documentation does not tell".to_owned());
                    }
                    if matches!(value, Value::Bool(_)) {
                        return Err(format!("{name} is given a condition, which is no value"));
                    }
                    row.set(name, value.items().iter().map(super::value::Item::text).collect());
                }
            }
            Self::Fill(value, names) => {
                for name in names {
                    if row.values(name).is_empty() {
                        row.set(name, vec![value.clone()]);
                    }
                }
            }
            Self::Remove(names) => names.iter().for_each(|name| row.set(name, Vec::new())),
            Self::Bin(name, span) => {
                let number = row.one(name)?.and_then(|value| value.parse::<f64>().ok());
                if let Some(number) = number {
                    row.set(name, vec![((number / span).floor() * span).to_string()]);
                }
            }
            Self::Show => {}
        }
        Ok(())
    }
}
