//! Names, texts and numbers of Kusto: written and read.
//!
//! Invariant: whatever the value, what is written reads back as one token that stands for it. Text stands in `"…"` with
//! backslash escapes, which say every character; regular expressions in `@"…"`, where a backslash is itself and a quote
//! is doubled, unless they hold a character that must be escaped. Source: Microsoft Learn, "The string data type" and
//! "Entity names".

use std::fmt::Write as _;

use sigcast_ir::schema::FieldKind;
use sigcast_ir::{NumberValue, Order, Test};

use crate::options::Settings;
use crate::readback;
use crate::typed;
use crate::write::{Writer, number_of, pattern_of};

/// Writes the one text of a pattern.
pub(super) fn text(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(pattern) = pattern_of(test) {
        quote(&mut writer.out, '"', pattern.texts().next().unwrap_or_default());
    }
}

/// Writes a regular expression of the engine's own syntax.
pub(super) fn regex(writer: &mut Writer<'_>, test: &Test<'_>) {
    let Test::Regex(regex) = test else { return };
    if regex.source.contains(must_escape) {
        quote(&mut writer.out, '"', &regex.source);
    } else {
        writer.put("@\"");
        writer.put(&regex.source.replace('"', "\"\""));
        writer.put("\"");
    }
}

/// Writes a network by its first address.
pub(super) fn network(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Network(network) = test {
        writer.format(format_args!("\"{}\"", network.trunc()));
    }
}

/// Writes a number: of type `long`, or `real`.
pub(super) fn number(writer: &mut Writer<'_>, test: &Test<'_>) {
    match number_of(test).map(|number| number.value) {
        // A sign is an operator there, and the number behind it alone would be too large.
        Some(NumberValue::Integer(value)) if value == i128::from(i64::MIN) => {
            writer.format(format_args!("long({value})"));
        }
        Some(NumberValue::Integer(value)) => writer.format(format_args!("{value}")),
        // The shortest text that reads back as the same number.
        Some(NumberValue::Float(value)) => writer.format(format_args!("{value:?}")),
        None => {}
    }
}

/// The sign of a comparison.
pub(super) const fn sign(order: Order) -> &'static str {
    match order {
        Order::Equal => "==",
        other => other.sign(),
    }
}

/// Appends text in quotes.
fn quote(out: &mut String, quote: char, text: &str) {
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if must_escape(c) => {
                // Writing to a string cannot fail. All these characters have four hexadecimal digits.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            _ => {
                if c == quote || c == '\\' {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out.push(quote);
}

/// Text in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(&mut out, '"', text);
    out
}

/// Characters that break a line, do not show, or turn the direction of what follows.
fn must_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Appends text as a regular expression that matches it: only signs that both RE2 and Rust's engine let be escaped are.
pub(super) fn escape_regex(out: &mut String, text: &str) {
    for c in text.chars() {
        if matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
}

/// Writes a field's name, or what the schema says stands for it: the expression of a computed column, or the text of
/// what is in a column of objects.
pub(super) fn name(writer: &mut Writer<'_>, name: &str) {
    let Some(known) = typed::field_type(writer.settings, name) else { return path(writer, name) };
    match (&known.expression, known.kind, name.split_once('.')) {
        (Some(expression), ..) => writer.put(expression),
        (None, FieldKind::Dynamic | FieldKind::Guid, _) => {
            writer.put("tostring(");
            path(writer, name);
            writer.put(")");
        }
        (None, FieldKind::Json, Some((column, inner))) => {
            writer.put("tostring(parse_json(");
            part(&mut writer.out, column);
            writer.put(")");
            pieces(writer, inner, true);
            writer.put(")");
        }
        _ => path(writer, name),
    }
}

/// Whether the schema says that a field is compared by the text of its value.
pub(super) fn is_spelled(settings: &Settings, name: &str) -> bool {
    typed::field_type(settings, name).is_some_and(|known| typed::is_spelled(known.kind))
}

/// Writes a name as it is. Dots in it lead into dynamic columns: `a.b` and, where a part is not plain, `a['b-c']`. A name
/// with an empty part is one name.
fn path(writer: &mut Writer<'_>, name: &str) {
    if is_path(name) {
        pieces(writer, name, false);
    } else {
        part(&mut writer.out, name);
    }
}

/// The parts of a path, each after the first behind its dot; with `behind`, the first too.
fn pieces(writer: &mut Writer<'_>, path: &str, behind: bool) {
    for (at, piece) in path.split('.').enumerate() {
        if (behind || at > 0) && is_plain(piece) {
            writer.put(".");
        }
        part(&mut writer.out, piece);
    }
}

/// Whether a field's name is a path into a dynamic column.
pub(super) fn is_path(name: &str) -> bool {
    name.contains('.') && name.split('.').all(|piece| !piece.is_empty())
}

/// Why a field's name cannot be written.
pub(super) fn bad_name(name: &str) -> Option<&'static str> {
    name.is_empty().then_some("a name has one character at least")
}

/// Writes the name of a table, or of a function without parameters that gives one: `_Im_ProcessCreate()`.
pub(super) fn table(writer: &mut Writer<'_>, name: &str) {
    match name.strip_suffix("()") {
        Some(function) if is_plain(function) => writer.put(name),
        _ => part(&mut writer.out, name),
    }
}

/// One name, quoted if need be.
fn part(out: &mut String, name: &str) {
    if is_plain(name) {
        out.push_str(name);
    } else {
        out.push('[');
        quote(out, '\'', name);
        out.push(']');
    }
}

/// Whether a name needs no quotes.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !name.starts_with("__")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && WORDS.binary_search(&name).is_err()
}

/// Words that do not stand for a column unless they are quoted, sorted: found by giving every keyword to Microsoft's own
/// parser (`@kusto/language-service-next` 12.4.1). No keyword starts with a capital letter or an underscore.
const WORDS: &[&str] = &[
    "accumulate",
    "and",
    "anomalychart",
    "areachart",
    "as",
    "asc",
    "bagexpansion",
    "barchart",
    "between",
    "bin_legacy",
    "boolean",
    "by",
    "byte",
    "cachingpolicy",
    "callout",
    "cancel",
    "card",
    "char",
    "columnchart",
    "contains",
    "contains_cs",
    "containscs",
    "cycles",
    "dataexport",
    "datascope",
    "datatable",
    "date",
    "datetime",
    "decimal",
    "decodeblocks",
    "desc",
    "double",
    "dynamic",
    "earliest",
    "encodingpolicy",
    "endswith",
    "endswith_cs",
    "expandoutput",
    "extent_tags_retention",
    "external_data",
    "externaldata",
    "false",
    "find",
    "first",
    "flags",
    "float",
    "force_remote",
    "harddelete",
    "hardretention",
    "has",
    "has_all",
    "has_any",
    "has_cs",
    "hasprefix",
    "hasprefix_cs",
    "hassuffix",
    "hassuffix_cs",
    "hotcache",
    "in",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "invoke",
    "isfuzzy",
    "journal",
    "ladderchart",
    "last",
    "latest",
    "like",
    "likecs",
    "linechart",
    "long",
    "materialize",
    "mdm",
    "missing",
    "nooptimization",
    "not",
    "notcontains",
    "notcontainscs",
    "notlike",
    "notlikecs",
    "null",
    "of",
    "on",
    "or",
    "others",
    "pathformat",
    "piechart",
    "pivotchart",
    "print",
    "project",
    "queries",
    "query_results",
    "real",
    "relaxed",
    "restricted_view_access",
    "row_level_security",
    "rowstore",
    "rowstore_references",
    "rowstore_sealinfo",
    "rowstorepolicy",
    "rowstores",
    "sample",
    "scatterchart",
    "seal",
    "seals",
    "search",
    "set",
    "shards",
    "simple",
    "softdelete",
    "softretention",
    "sql",
    "stackedareachart",
    "startswith",
    "startswith_cs",
    "statistics",
    "storedqueryresultcontainers",
    "string",
    "tablepurge",
    "time",
    "timechart",
    "timeline",
    "timepivot",
    "timespan",
    "title",
    "to",
    "toscalar",
    "totable",
    "treemap",
    "true",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "ulong",
    "union",
    "uniqueid",
    "unrestrictedviewers",
    "verbose",
    "viewers",
    "views",
    "where",
    "with",
    "with_itemindex",
    "with_match_id",
    "with_step_name",
    "writeaheadlog",
];

/// Bytes of a name, or of the call that stands for one.
pub(super) fn scan_name(text: &str) -> usize {
    let mut at = 0;
    let word = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if word > 0 && text[word..].starts_with('(') {
        at = word + arguments(&text[word..]);
    }
    loop {
        let rest = &text[at..];
        let length = match rest.strip_prefix("['") {
            Some(_) => 1 + readback::quoted(&rest[1..], '\'', '\\') + 1,
            None => {
                let dot = usize::from(at > 0 && rest.starts_with('.'));
                let word = rest[dot..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let word = word.unwrap_or(rest.len() - dot);
                // Behind another part only a dot leads on.
                if word == 0 || (at > 0 && dot == 0) { 0 } else { dot + word }
            }
        };
        if length == 0 {
            return at;
        }
        at = (at + length).min(text.len());
    }
}

/// Bytes of the arguments of a call, with their brackets.
fn arguments(text: &str) -> usize {
    let inner = readback::leaf_before(&text[1..], ["\0", "\0"], scan_quoted);
    (1 + inner + 1).min(text.len())
}

/// Bytes of a text or a quoted name; 0 for anything else.
fn scan_quoted(text: &str) -> usize {
    match text.as_bytes() {
        [b'"', ..] | [b'@', b'"', ..] => scan_value(text),
        [b'[', b'\'', ..] => 1 + readback::quoted(&text[1..], '\'', '\\') + 1,
        _ => 0,
    }
}

/// Bytes of a value: a text, or a number.
pub(super) fn scan_value(text: &str) -> usize {
    match text.as_bytes() {
        [b'"', ..] => readback::quoted(text, '"', '\\'),
        [b'@', b'"', ..] => 1 + verbatim(&text[1..]),
        _ if text.starts_with("long(") => text.find(')').map_or(0, |end| end + 1),
        _ => text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.')).unwrap_or(text.len()),
    }
}

/// Bytes of a text in which quotes are doubled.
fn verbatim(text: &str) -> usize {
    let mut at = 1;
    while let Some(quote) = text.get(at..).and_then(|rest| rest.find('"')) {
        at += quote + 1;
        if !text[at..].starts_with('"') {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Bytes of a leaf: up to an operator or the end of a group, outside all texts, names and brackets.
pub(super) fn scan_leaf(text: &str) -> usize {
    readback::leaf_before(text, [" and ", " or "], scan_quoted)
}
