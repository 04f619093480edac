//! Values of rules as text, and regular expressions of pipelines.
//!
//! The text of a value is as a rule writes it: wildcards are `*` and `?`, literal ones have a backslash before them.

use std::borrow::Cow;

use fancy_regex::{Regex, RegexBuilder};
use serde_yaml::Value;
use sigcast_diagnostics::Span;
use sigcast_frontend::part::{Part as Place, Step};
use sigcast_ir::{Number, NumberValue, Order, Part, Pattern, Test};

use crate::read::{Faults, fault};

/// Steps of backtracking on one text, so that no expression runs without end.
const MAX_STEPS: usize = 100_000;

/// Compiles an expression of a pipeline; `shown` is what its author wrote, at `place`.
pub(crate) fn regex(pattern: &str, shown: &str, place: Span) -> Result<Regex, Faults> {
    RegexBuilder::new(pattern).backtrack_limit(MAX_STEPS).build().map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or(&reason).trim_start_matches("error: ").to_owned();
        vec![fault(place, format!("the regular expression `{shown}` does not parse: {reason}"))]
    })
}

/// Whether an expression is found in a text. One that gives up is not.
pub(crate) fn found(pattern: &Regex, text: &str) -> bool {
    pattern.is_match(text).unwrap_or(false)
}

/// A replacement as pipelines write it, with Python's `\\1` and `\\g<name>` for groups, in the form of the `regex` crate.
pub(crate) fn replacement(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '$' => done.push_str("$$"),
            '\\' => match rest.peek().copied() {
                Some(digit) if digit.is_ascii_digit() => {
                    let mut number = String::new();
                    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                        number.push(digit);
                    }
                    done.push_str(&format!("${{{number}}}"));
                }
                Some('g') => {
                    rest.next();
                    let name: String = if rest.next_if_eq(&'<').is_some() {
                        rest.by_ref().take_while(|c| *c != '>').collect()
                    } else {
                        String::new()
                    };
                    done.push_str(&format!("${{{name}}}"));
                }
                Some('n') => {
                    rest.next();
                    done.push('\n');
                }
                Some('t') => {
                    rest.next();
                    done.push('\t');
                }
                Some('\\') => {
                    rest.next();
                    done.push('\\');
                }
                _ => done.push('\\'),
            },
            c => done.push(c),
        }
    }
    done
}

/// The place of an element of a list under a key.
pub(crate) fn element(part: Place<'_, '_>, key: &str, index: usize) -> Span {
    part.follow(&[Step::Key(key.to_owned()), Step::Index(index)]).span()
}

/// A pattern as a rule writes it.
pub(crate) fn spelled(pattern: &Pattern<'_>) -> String {
    let mut text = String::new();
    for part in pattern.parts() {
        match part {
            Part::Text(literal) => escaped(literal, &mut text),
            Part::AnyRun => text.push('*'),
            Part::AnyOne => text.push('?'),
            Part::Placeholder(name) => {
                text.push('%');
                text.push_str(name);
                text.push('%');
            }
        }
    }
    // A backslash before a wildcard part would make that literal.
    text
}

/// Literal text with a backslash before what would be read otherwise.
fn escaped(literal: &str, text: &mut String) {
    let bytes = literal.as_bytes();
    for (at, c) in literal.char_indices() {
        let special = match c {
            '*' | '?' => true,
            // Only before another special character, or at the end, where a wildcard may follow.
            '\\' => matches!(bytes.get(at + 1), None | Some(b'*' | b'?' | b'\\')),
            _ => false,
        };
        if special {
            text.push('\\');
        }
        text.push(c);
    }
}

/// The text of a test of text, or of a number's or boolean's equality; none for others.
pub(crate) fn of_test<'t>(test: &'t Test<'_>) -> Option<Cow<'t, str>> {
    match test {
        Test::Text { pattern, .. } => Some(Cow::Owned(plain(pattern))),
        Test::Number { order: Order::Equal, value } => Some(Cow::Borrowed(&value.text)),
        Test::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        _ => None,
    }
}

/// A pattern with its literal text as it is: what conditions and replacements of pipelines see.
pub(crate) fn plain(pattern: &Pattern<'_>) -> String {
    let mut text = String::new();
    for part in pattern.parts() {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::AnyRun => text.push('*'),
            Part::AnyOne => text.push('?'),
            Part::Placeholder(name) => {
                text.push('%');
                text.push_str(name);
                text.push('%');
            }
        }
    }
    text
}

/// Whether a test is for this very value.
pub(crate) fn equals(test: &Test<'_>, value: &Value) -> bool {
    match (test, value) {
        (Test::OneOf(variants), _) => variants.iter().any(|variant| equals(variant, value)),
        (Test::Null, Value::Null) => true,
        (Test::Bool(one), Value::Bool(other)) => one == other,
        (Test::Number { order: Order::Equal, value: number }, Value::Number(_)) => {
            scalar(value).is_some_and(|text| text == number.text)
        }
        (Test::Text { pattern, .. }, Value::String(text)) => plain(pattern) == *text,
        // A number that a rule writes in quotes, or a pipeline does.
        (Test::Text { pattern, .. }, Value::Number(_)) => scalar(value).is_some_and(|text| plain(pattern) == text),
        (Test::Number { order: Order::Equal, value: number }, Value::String(text)) => number.text == *text,
        _ => false,
    }
}

/// A scalar of a pipeline as text; none for lists, maps and nothing.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The number that a text spells, if it is the usual spelling of one.
pub(crate) fn number(text: &str) -> Option<Number<'static>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let usual = digits.starts_with(|c: char| c.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0') || digits.starts_with("0."));
    if !usual {
        return None;
    }
    let value = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let value = text.parse::<i128>().ok()?;
        NumberValue::Integer((i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)?)
    } else {
        NumberValue::Float(text.parse::<f64>().ok().filter(|value| value.is_finite())?)
    };
    Some(Number { text: Cow::Owned(text.to_owned()), value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigcast_frontend::part;

    #[test]
    fn a_spelled_pattern_reads_back() {
        for text in ["a*b?c", r"\\\*", r"C:\Windows\*", r"a\\*", r"end\\", "%x%", r"\\\\server\\share", "é*"] {
            let pattern = part::pattern(text);
            assert_eq!(part::pattern(&spelled(&pattern)), pattern, "{text}: {}", spelled(&pattern));
        }
    }

    #[test]
    fn replacements_are_those_of_python() {
        let check = |text: &str, expected: &str| assert_eq!(replacement(text), expected, "{text}");
        check(r"a\1b", "a${1}b");
        check(r"\g<name>\\x", r"${name}\x");
        check("$1", "$$1");
        check(r"C:\\Windows", r"C:\Windows");
    }

    #[test]
    fn numbers_in_their_usual_spelling_only() {
        let check = |text: &str, expected: bool| assert_eq!(number(text).is_some(), expected, "{text}");
        check("0", true);
        check("-12", true);
        check("1.5", true);
        check("00429", false);
        check("1e999", false);
        check("", false);
        check("abc", false);
        check("99999999999999999999999", false);
    }
}
