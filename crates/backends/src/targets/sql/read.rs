//! How a reader of SQL takes a query apart.

use super::{TEXTS, VALUES};
use crate::readback::{Precedence, Reading};

/// SQL, as its engines read it.
pub(in crate::targets) const READING: Reading = Reading {
    and: "AND",
    or: "OR",
    not: "NOT",
    precedence: Precedence::AndFirst,
    name,
    value,
    leaf,
    lists: &[&TEXTS, &VALUES],
};

/// Bytes of a text or name in quotes, which are doubled inside.
fn quoted(text: &str, quote: char) -> usize {
    let mut at = quote.len_utf8();
    while let Some(end) = text.get(at..).and_then(|rest| rest.find(quote)) {
        at += end + quote.len_utf8();
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += quote.len_utf8();
    }
    text.len()
}

/// Bytes of what stands before the values of a list: a name, or a name in `lower(`.
fn name(text: &str) -> usize {
    let call = if text.starts_with("lower(") { "lower(".len() } else { 0 };
    match text[call..].chars().next() {
        Some(quote @ ('"' | '`')) => call + quoted(&text[call..], quote),
        _ => 0,
    }
}

/// Bytes of a value: a text, a number, or a number and the text that spells it.
fn value(text: &str) -> usize {
    if text.starts_with('\'') {
        return quoted(text, '\'');
    }
    let number = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '+' | '.')).unwrap_or(text.len());
    match text[number..].strip_prefix(", '") {
        Some(_) if number > 0 => number + 2 + quoted(&text[number + 2..], '\''),
        _ => number,
    }
}

/// Bytes of a leaf: up to an operator or the end of a group, outside all texts, names and brackets.
fn leaf(text: &str) -> usize {
    let mut at = 0;
    let mut depth = 0_usize;
    while at < text.len() {
        let rest = &text[at..];
        at += match rest.as_bytes()[0] {
            b'\'' => quoted(rest, '\''),
            b'"' => quoted(rest, '"'),
            b'`' => quoted(rest, '`'),
            b'(' => {
                depth += 1;
                1
            }
            b')' if depth == 0 => return at,
            b')' => {
                depth -= 1;
                1
            }
            _ if depth == 0 && (rest.starts_with(" AND ") || rest.starts_with(" OR ")) => return at,
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    text.len()
}
