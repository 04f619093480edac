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

/// An expression that is to match from the start. In an extended one a comment may stand at its end.
pub(crate) fn from_start(pattern: &str) -> String {
    format!("^(?:{pattern}\n)").replace("\n)", if pattern.contains("(?x") { "\n)" } else { ")" })
}

/// An expression that gave up on a text: it would take too many steps of backtracking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GaveUp;

/// Whether an expression is found in a text.
pub(crate) fn found(pattern: &Regex, text: &str) -> Result<bool, GaveUp> {
    pattern.is_match(text).map_err(|_| GaveUp)
}

/// The most bytes of a text that replacements make, and the most matches that they replace.
const MAX_TEXT: usize = 4 << 20;
const MAX_MATCHES: usize = 50_000;

/// The text with every match replaced.
///
/// # Errors
/// Why it cannot be: the expression gives up, or the text would be too long.
pub(crate) fn replaced(pattern: &Regex, replacement: &Replacement, text: &str) -> Result<String, String> {
    let mut done = String::with_capacity(text.len());
    let mut rest = 0;
    for (count, found) in pattern.captures_iter(text).enumerate() {
        let found = found.map_err(|_| "the regular expression takes too many steps on it".to_owned())?;
        let Some(whole) = found.get(0) else { continue };
        done.push_str(text.get(rest..whole.start()).unwrap_or(""));
        for piece in &replacement.0 {
            match piece {
                Piece::Text(text) => done.push_str(text),
                Piece::Number(number) => done.push_str(found.get(*number).map_or("", |group| group.as_str())),
                Piece::Name(name) => done.push_str(found.name(name).map_or("", |group| group.as_str())),
            }
        }
        rest = whole.end();
        if done.len() > MAX_TEXT || count >= MAX_MATCHES {
            return Err(format!(
                "replacing makes a text of more than {} MiB, or more than {MAX_MATCHES} matches",
                MAX_TEXT >> 20
            ));
        }
    }
    done.push_str(text.get(rest..).unwrap_or(""));
    Ok(done)
}

/// What stands for a match.
#[derive(Debug)]
pub(crate) struct Replacement(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number(usize),
    Name(String),
}

/// A replacement as pipelines write it, with Python's `\\1` and `\\g<name>` for groups of the expression.
///
/// # Errors
/// A group that the expression does not have.
pub(crate) fn replacement(pattern: &Regex, text: &str, place: Span) -> Result<Replacement, Faults> {
    let pieces = pieces(text);
    for piece in &pieces {
        let missing = match piece {
            Piece::Text(_) => None,
            Piece::Number(number) => (*number >= pattern.captures_len()).then(|| number.to_string()),
            Piece::Name(name) => (!pattern.capture_names().flatten().any(|known| known == name)).then(|| name.clone()),
        };
        if let Some(missing) = missing {
            return Err(vec![fault(
                place,
                format!("the replacement asks for the group `{missing}`, which the regular expression does not have"),
            )]);
        }
    }
    Ok(Replacement(pieces))
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let mut literal = String::new();
    let mut rest = text.chars().peekable();
    let mut group = |literal: &mut String, piece: Piece| {
        if !literal.is_empty() {
            found.push(Piece::Text(std::mem::take(literal)));
        }
        found.push(piece);
    };
    while let Some(c) = rest.next() {
        if c != '\\' {
            literal.push(c);
            continue;
        }
        match rest.peek().copied() {
            Some(digit) if digit.is_ascii_digit() => {
                let mut number = String::new();
                while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                    number.push(digit);
                }
                group(&mut literal, Piece::Number(number.parse().unwrap_or(usize::MAX)));
            }
            Some('g') => {
                rest.next();
                let name: String = match rest.next_if_eq(&'<') {
                    Some(_) => rest.by_ref().take_while(|c| *c != '>').collect(),
                    None => String::new(),
                };
                let piece = name.parse().map_or(Piece::Name(name), Piece::Number);
                group(&mut literal, piece);
            }
            Some(other @ ('n' | 't' | '\\')) => {
                rest.next();
                literal.push(match other {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                });
            }
            _ => literal.push('\\'),
        }
    }
    if !literal.is_empty() {
        found.push(Piece::Text(literal));
    }
    found
}

/// The place of an element of a list under a key.
pub(crate) fn element(part: Place<'_, '_>, key: &str, index: usize) -> Span {
    part.follow(&[Step::Key(key.to_owned()), Step::Index(index)]).span()
}

/// A pattern as text, with literal text as it is written for it.
fn written(pattern: &Pattern<'_>, literal: impl Fn(&str, &mut String)) -> String {
    let mut text = String::new();
    for part in pattern.parts() {
        match part {
            Part::Text(found) => literal(found, &mut text),
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

/// A pattern as a rule writes it.
pub(crate) fn spelled(pattern: &Pattern<'_>) -> String {
    written(pattern, escaped)
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

/// A pattern as conditions and replacements of pipelines see it: its text as it is, wildcards as `*` and `?`, and literal
/// ones with a backslash before them.
pub(crate) fn plain(pattern: &Pattern<'_>) -> String {
    written(pattern, |literal, text| {
        for c in literal.chars() {
            if matches!(c, '*' | '?') {
                text.push('\\');
            }
            text.push(c);
        }
    })
}

/// The pattern of a text that was made from what [`plain`] shows of `before`. Backslashes are literal; so is a wildcard behind
/// one, but only if there was such a one before.
pub(crate) fn read_back(text: &str, before: &Pattern<'_>) -> Pattern<'static> {
    let escapes = before.texts().any(|text| text.contains(['*', '?']));
    let mut pattern = Pattern::new();
    let mut literal = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' if escapes => match rest.next_if(|next| matches!(next, '*' | '?')) {
                Some(wildcard) => literal.push(wildcard),
                None => literal.push(c),
            },
            '*' | '?' => {
                pattern.push(Part::Text(std::mem::take(&mut literal).into()));
                pattern.push(if c == '*' { Part::AnyRun } else { Part::AnyOne });
            }
            c => literal.push(c),
        }
    }
    pattern.push(Part::Text(literal.into()));
    pattern
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
        let check = |pattern: &str, with: &str, text: &str, expected: &str| {
            let place = Span::new(sigcast_diagnostics::SourceId(0), 0, 0);
            let pattern = regex(pattern, pattern, place).expect("an expression");
            let with = replacement(&pattern, with, place).expect("a replacement");
            assert_eq!(replaced(&pattern, &with, text).as_deref(), Ok(expected), "{text}");
        };
        check("(a)(b)", r"\2\1", "xaby", "xbay");
        check("(?P<n>a)", r"\g<n>\\\g<1>", "a", r"a\a");
        check("a", "$1", "a", "$1");
        check("^C:", r"\\\\srv", r"C:\Temp", r"\\srv\Temp");
        check("", "-", "ab", "-a-b-");
        let place = Span::new(sigcast_diagnostics::SourceId(0), 0, 0);
        let pattern = regex("a", "a", place).expect("an expression");
        assert!(replacement(&pattern, r"\1", place).is_err() && replacement(&pattern, r"\g<x>", place).is_err());
        let long = replacement(&pattern, &"b".repeat(1 << 20), place).expect("a replacement");
        assert!(replaced(&pattern, &long, "aaaaaaaa").is_err());
    }

    #[test]
    fn what_is_seen_reads_back() {
        for text in ["a*b?c", r"a\*b", r"C:\Windows\*", r"a\\*", r"end\\", r"\\\\server\\share"] {
            let pattern = part::pattern(text);
            assert_eq!(read_back(&plain(&pattern), &pattern), pattern, "{text}: {}", plain(&pattern));
        }
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
