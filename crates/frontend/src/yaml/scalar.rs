//! Plain scalars by the core schema of YAML 1.2, and where YAML 1.1 differs.
//!
//! One deviation, on purpose: decimals with leading zeros (`00000429`) stay text, since rules mean them so.

use std::borrow::Cow;

use sigcast_ir::{Number, NumberValue};

use super::{Reading, Scalar, Tag};

/// A scalar as the schema reads it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plain<'a> {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number<'a>),
    /// Text: the scalar's own.
    Text,
}

impl Plain<'_> {
    /// What it is, in a word for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text => "text",
        }
    }
}

impl<'a> Scalar<'a> {
    /// What the scalar is.
    pub(crate) fn resolve(&self) -> Plain<'a> {
        match self.reading {
            Reading::Text => Plain::Text,
            Reading::Plain => plain(&self.text),
            // The builder has made sure that the text is of the tag's type.
            Reading::Tagged(Tag::Null) => Plain::Null,
            Reading::Tagged(Tag::Bool | Tag::Int | Tag::Float) => plain(&self.text),
        }
    }
}

/// What a plain scalar is.
pub(super) fn plain<'a>(text: &Cow<'a, str>) -> Plain<'a> {
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        _ => number(text).map_or(Plain::Text, Plain::Number),
    }
}

/// The number that a text spells by the core schema. Numbers that 64 bits do not hold stay text: text is exact.
pub(crate) fn number<'a>(text: &Cow<'a, str>) -> Option<Number<'a>> {
    if !matches!(text.bytes().next()?, b'0'..=b'9' | b'+' | b'-' | b'.') {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let valid = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
            let value = valid.then(|| u64::from_str_radix(digits, radix).ok()).flatten()?;
            return Some(Number { text: value.to_string().into(), value: NumberValue::Integer(value.into()) });
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let bytes = unsigned.as_bytes();
    if !bytes.iter().any(u8::is_ascii_digit) || (bytes.len() > 1 && bytes[0] == b'0' && bytes[1].is_ascii_digit()) {
        return None;
    }
    let value = if bytes.iter().all(u8::is_ascii_digit) {
        let value = text.parse::<i128>().ok()?;
        let held = i128::from(i64::MIN)..=i128::from(u64::MAX);
        NumberValue::Integer(held.contains(&value).then_some(value)?)
    } else {
        NumberValue::Float(float(text, unsigned)?)
    };
    Some(Number { text: without_plus(text), value })
}

/// The value of `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, if it is finite.
fn float(text: &str, unsigned: &str) -> Option<f64> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_holds = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_holds = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    if !(mantissa_holds && exponent_holds) {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

fn without_plus<'a>(text: &Cow<'a, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_prefix('+').unwrap_or(text)),
        Cow::Owned(text) => Cow::Owned(text.strip_prefix('+').unwrap_or(text).to_owned()),
    }
}

/// What readers of YAML 1.1 take an unquoted scalar for, where that differs from YAML 1.2. None where both agree.
pub(crate) fn trap(scalar: &Scalar<'_>) -> Option<&'static str> {
    if scalar.reading != Reading::Plain {
        return None;
    }
    let text = scalar.text.as_ref();
    if matches!(text, "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "on" | "On" | "ON" | "off" | "Off" | "OFF") {
        return Some("a boolean");
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.as_bytes();
    if !digits.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return None;
    }
    let number_like = |accept: fn(&u8) -> bool| digits.iter().all(accept);
    if digits.len() > 1 && digits[0] == b'0' && number_like(|byte| matches!(byte, b'0'..=b'7' | b'_')) {
        return Some("an octal number");
    }
    if unsigned.starts_with("0o") {
        return matches!(plain(&scalar.text), Plain::Number(_)).then_some("text");
    }
    if unsigned.contains(':') {
        return sexagesimal(unsigned).then_some("a number to the base 60");
    }
    if timestamp(text) {
        return Some("a date");
    }
    if digits.contains(&b'_') && number_like(|byte| matches!(byte, b'0'..=b'9' | b'_' | b'.')) {
        return Some("a number");
    }
    if let Some(bits) = unsigned.strip_prefix("0b") {
        return (!bits.is_empty() && bits.bytes().all(|bit| matches!(bit, b'0' | b'1' | b'_'))).then_some("a number");
    }
    None
}

/// `[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?`, such as `12:30`. A leading zero makes it text for some readers only.
fn sexagesimal(text: &str) -> bool {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let fraction_holds = text.split_once('.').is_none_or(|(_, rest)| rest.bytes().all(|b| b.is_ascii_digit()));
    let mut groups = whole.split(':');
    let first = groups.next().unwrap_or("");
    fraction_holds
        && !first.is_empty()
        && first.bytes().all(|byte| byte.is_ascii_digit())
        && groups.all(|group| matches!(group.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// `2017-11-04`, the short form of a timestamp.
fn timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
}
