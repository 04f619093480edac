//! Names and strings of ES|QL: written and read.
//!
//! Invariant: whatever the value, what is written reads back as one token that stands for it. Source: Elasticsearch
//! reference, "ES|QL syntax", and Elasticsearch's grammars `lexer/Expression.g4` and `lexer/From.g4`: a string `"…"`
//! knows the escapes `\t \n \r \" \\` and no others; in a raw string `"""…"""` nothing is special, but it has neither
//! line breaks nor three quotes.

use std::fmt::Write as _;

use sigcast_ir::{Part, Test};

use crate::readback;
use crate::write::{Writer, pattern_of};

/// Writes the one text of a pattern.
pub(super) fn text(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(pattern) = pattern_of(test) {
        string(writer, pattern.texts().next().unwrap_or_default());
    }
}

/// Writes the one text of a pattern in small letters. Letters beyond ASCII have none here.
pub(super) fn lowered_text(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(pattern) = pattern_of(test) {
        string(writer, &pattern.texts().next().unwrap_or_default().to_ascii_lowercase());
    }
}

/// Writes a pattern of `LIKE`.
pub(super) fn pattern(writer: &mut Writer<'_>, test: &Test<'_>) {
    string(writer, &wildcards(test));
}

/// Writes a pattern of `LIKE` in small letters. Letters beyond ASCII have none here.
pub(super) fn lowered_pattern(writer: &mut Writer<'_>, test: &Test<'_>) {
    string(writer, &wildcards(test).to_ascii_lowercase());
}

/// A pattern as `LIKE` reads it: the backslash makes what follows literal.
fn wildcards(test: &Test<'_>) -> String {
    let mut out = String::new();
    for part in pattern_of(test).into_iter().flat_map(|pattern| pattern.parts()) {
        match part {
            Part::Text(text) => text.chars().for_each(|c| {
                if matches!(c, '*' | '?' | '\\') {
                    out.push('\\');
                }
                out.push(c);
            }),
            Part::AnyRun => out.push('*'),
            Part::AnyOne => out.push('?'),
            // Refused before.
            Part::Placeholder(_) => {}
        }
    }
    out
}

/// Writes a regular expression of the engine's own syntax.
pub(super) fn regex(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Regex(regex) = test {
        string(writer, &regex.source);
    }
}

/// Writes a network by its first address.
pub(super) fn network(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Network(network) = test {
        writer.format(format_args!("\"{}\"", network.trunc()));
    }
}

/// Writes a string: raw, if that spares doubled backslashes.
fn string(writer: &mut Writer<'_>, text: &str) {
    if text.contains('\\') && !text.contains(['"', '\n', '\r']) {
        writer.format(format_args!("\"\"\"{text}\"\"\""));
        return;
    }
    writer.put("\"");
    for c in text.chars() {
        match c {
            '\n' => writer.put("\\n"),
            '\r' => writer.put("\\r"),
            '\t' => writer.put("\\t"),
            '"' | '\\' => {
                // Writing to a string cannot fail.
                let _ = write!(writer.out, "\\{c}");
            }
            _ => writer.out.push(c),
        }
    }
    writer.put("\"");
}

/// Writes a field's name, in backquotes unless each of its parts is a plain one.
pub(super) fn name(writer: &mut Writer<'_>, name: &str) {
    if name.split('.').all(is_plain) {
        writer.put(name);
    } else {
        writer.put("`");
        writer.put(&name.replace('`', "``"));
        writer.put("`");
    }
}

/// Why a field's name cannot be written.
pub(super) fn bad_name(name: &str) -> Option<&'static str> {
    name.is_empty().then_some("a name has one character at least")
}

/// Whether a part of a name needs no quotes.
fn is_plain(part: &str) -> bool {
    let rest = part.strip_prefix(['_', '@']);
    let body = rest.unwrap_or(part);
    let starts = rest.is_some() || part.starts_with(|c: char| c.is_ascii_alphabetic());
    starts
        && !body.is_empty()
        && body.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(part))
}

/// The words of expressions, and those of commands that may come to stand in them.
const WORDS: &[&str] = &[
    "and", "as", "asc", "by", "desc", "false", "first", "in", "is", "last", "like", "limit", "metadata", "not", "null",
    "nulls", "on", "or", "rlike", "true", "where", "with",
];

/// Writes the name of an index, or a pattern of names; in quotes unless it is a plain one.
pub(super) fn index(writer: &mut Writer<'_>, name: &str) {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '*'))
        && !name.eq_ignore_ascii_case("metadata");
    if plain {
        writer.put(name);
    } else {
        string(writer, name);
    }
}

/// Bytes of a name.
pub(super) fn scan_name(text: &str) -> usize {
    if text.starts_with('`') {
        return readback::doubled(text, '`');
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '@' | '.')).unwrap_or(text.len())
}

/// Bytes of a string, a number or a word.
pub(super) fn scan_value(text: &str) -> usize {
    if let Some(rest) = text.strip_prefix("\"\"\"") {
        return rest.find("\"\"\"").map_or(text.len(), |end| end + 6);
    }
    match text.chars().next() {
        Some('"') => readback::quoted(text, '"', '\\'),
        _ => text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.')).unwrap_or(text.len()),
    }
}

/// Bytes of a leaf: up to an operator or the end of a group, outside all strings, names and brackets.
pub(super) fn scan_leaf(text: &str) -> usize {
    readback::leaf_before(text, [" AND ", " OR "], |rest| match rest.as_bytes() {
        [b'"', ..] => scan_value(rest),
        [b'`', ..] => scan_name(rest),
        _ => 0,
    })
}
