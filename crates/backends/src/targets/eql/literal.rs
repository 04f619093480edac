//! Names and strings of EQL: written and read.
//!
//! Invariant: whatever the value, what is written reads back as one token that stands for it. Source: Elasticsearch
//! reference, "EQL syntax reference", its sections on escaping and raw strings, and Elasticsearch's grammar `EqlBase.g4`:
//! a string `"…"` knows the escapes `\b \t \n \f \r \" \' \\ \u{…}` and no others; in a raw string `"""…"""` nothing is
//! special, but it has neither line breaks nor three quotes.

use sigcast_ir::{Part, Pattern, Test};

use crate::readback;
use crate::write::{self, Writer, pattern_of};

/// Writes the pattern of a test as a string, with its wildcards as `*` and `?`.
pub(super) fn pattern(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(pattern) = pattern_of(test) {
        writer.put("\"");
        write::parts(writer, pattern, escaped, "*", "?");
        writer.put("\"");
    }
}

/// Writes a regular expression of the engine's own syntax as a string: raw, if that spares doubled backslashes.
pub(super) fn regex(writer: &mut Writer<'_>, test: &Test<'_>) {
    let Test::Regex(regex) = test else { return };
    let raw = regex.source.contains('\\') && !regex.source.contains(|c| c == '"' || must_escape(c));
    let quotes = if raw { "\"\"\"" } else { "\"" };
    writer.put(quotes);
    if raw {
        writer.put(&regex.source);
    } else {
        escaped(writer, &regex.source);
    }
    writer.put(quotes);
}

/// Writes a network by its first address.
pub(super) fn network(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Network(network) = test {
        writer.format(format_args!("\"{}\"", network.trunc()));
    }
}

/// Writes text as it stands in a string.
fn escaped(writer: &mut Writer<'_>, text: &str) {
    for c in text.chars() {
        match c {
            '\n' => writer.put("\\n"),
            '\r' => writer.put("\\r"),
            '\t' => writer.put("\\t"),
            '\u{8}' => writer.put("\\b"),
            '\u{c}' => writer.put("\\f"),
            '"' | '\\' => {
                writer.put("\\");
                writer.out.push(c);
            }
            // Two digits at least.
            _ if must_escape(c) => writer.format(format_args!("\\u{{{:04x}}}", u32::from(c))),
            _ => writer.out.push(c),
        }
    }
}

/// Characters that break a line, do not show, or turn the direction of what follows.
fn must_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Whether the text of a pattern has letters that have case, and are not of ASCII.
pub(in crate::targets) fn folds_beyond_ascii(pattern: &Pattern<'_>) -> bool {
    // The two letters of ASCII that fold to others (`k` to the Kelvin sign, `s` to the long s): `assume-plain-letters`.
    let varies = |c: char| !c.is_ascii() && (!c.to_lowercase().eq([c]) || !c.to_uppercase().eq([c]));
    pattern.parts().iter().any(|part| matches!(part, Part::Text(text) if text.contains(varies)))
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

/// Writes a category of events, as a string unless it is a plain name.
pub(super) fn category(writer: &mut Writer<'_>, name: &str) {
    if is_plain(name) {
        writer.put(name);
    } else {
        writer.put("\"");
        escaped(writer, name);
        writer.put("\"");
    }
}

/// Whether a name, or a part of one between dots, needs no quotes. Versions differ on `@`.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !WORDS.contains(&name)
}

/// The words of the grammar.
const WORDS: &[&str] = &[
    "and", "any", "by", "false", "fork", "in", "join", "like", "maxspan", "missing", "not", "null", "of", "or",
    "regex", "sample", "sequence", "true", "until", "where", "with",
];

/// Bytes of a name.
pub(super) fn scan_name(text: &str) -> usize {
    if text.starts_with('`') {
        return readback::doubled(text, '`');
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.')).unwrap_or(text.len())
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
    readback::leaf_before(text, [" and ", " or "], |rest| match rest.as_bytes() {
        [b'"', ..] => scan_value(rest),
        [b'`', ..] => scan_name(rest),
        _ => 0,
    })
}
