//! What the text of a leaf stands for, read by the rules of its language's manual.
//!
//! Only leaves of a known form are read: a value that stands directly behind a field's name. Others (regular expressions
//! that a pattern became) are left to the pass oracle.

use sigcast_ir::{Match, Part, Test};

/// A value as it was read: characters, and the wildcards among them.
#[derive(Debug, PartialEq)]
enum Piece {
    Char(char),
    Run,
    One,
}

/// Reads a whole value; none if it is not one.
type Reader = fn(&str) -> Option<Vec<Piece>>;

/// How a language writes a leaf.
struct Form {
    /// What may stand between name and value, each with the reader of the value.
    operators: &'static [(&'static str, Reader)],
    /// Whether small letters are written for any case.
    lowered: bool,
    /// Calls that may stand around the name.
    calls: &'static [&'static str],
}

fn form(language: &str) -> Option<Form> {
    let plain = |operators| Some(Form { operators, lowered: false, calls: &[] });
    match language {
        "Elasticsearch query_string" | "OpenSearch query_string" => plain(&[(":", lucene)]),
        "Graylog search" => plain(&[(":", graylog)]),
        "Kibana Query Language" => plain(&[(": ", kibana)]),
        "Splunk search" => plain(&[("=", splunk_search)]),
        "Splunk where" => Some(Form { operators: &[("=", eval)], lowered: true, calls: &["lower("] }),
        "Kusto" => plain(&[(" =~ ", kusto), (" == ", kusto)]),
        "EQL" => plain(&[(" : ", eql_pattern), (" == ", eql_text), (" like ", eql_pattern), (" in~ (", eql_listed)]),
        "ES|QL" => Some(Form {
            operators: &[(" LIKE ", esql_like), (" == ", esql_text)],
            lowered: true,
            calls: &["TO_LOWER("],
        }),
        "SQLite" => {
            Some(Form { operators: &[(" LIKE ", sql_like_plain), (" = ", sql)], lowered: true, calls: &["lower("] })
        }
        "PostgreSQL" | "DuckDB" => Some(Form {
            operators: &[(" ILIKE ", sql_like), (" LIKE ", sql_like), (" = ", sql)],
            lowered: true,
            calls: &["lower("],
        }),
        _ => None,
    }
}

/// Calls of other forms: regular expressions, and tests of presence.
const FUNCTIONS: &[&str] = &["match(", "regexp_matches(", "isnotnull(", "isempty(", "isnotempty("];

/// Whether the text of a leaf stands for its test.
///
/// # Errors
/// What it stands for instead.
pub fn check(language: &str, found: &Match<'_>, text: &str) -> Result<(), String> {
    let (Test::Text { pattern, .. }, Some(form), Some(field)) = (&found.test, form(language), found.field()) else {
        return Ok(());
    };
    if FUNCTIONS.iter().any(|function| text.starts_with(function)) {
        return Ok(());
    }
    let call = form.calls.iter().find(|call| text.starts_with(**call));
    let rest = &text[call.map_or(0, |call| call.len())..];
    let Some((name, rest)) = name(language, rest) else { return Err("no name".to_owned()) };
    if name != field.as_str() {
        return Err(format!("the name is read as {name:?}"));
    }
    let rest = if call.is_some() { rest.strip_prefix(')').ok_or("the call does not end")? } else { rest };
    let Some((operator, read)) = form.operators.iter().find(|(operator, _)| rest.starts_with(operator)) else {
        return Ok(());
    };
    let value = &rest[operator.len()..];
    if value.starts_with('/') && form.operators[0].0 == ":" {
        return Ok(());
    }
    let found = read(value).ok_or_else(|| format!("the value {value:?} is none"))?;
    let lower = |c: char| if form.lowered { c.to_ascii_lowercase() } else { c };
    let mut wanted = Vec::new();
    for part in pattern.parts() {
        match part {
            Part::Text(text) => wanted.extend(text.chars().map(|c| Piece::Char(lower(c)))),
            Part::AnyRun => wanted.push(Piece::Run),
            Part::AnyOne => wanted.push(Piece::One),
            Part::Placeholder(_) => return Err("a placeholder".to_owned()),
        }
    }
    let found: Vec<Piece> = found
        .into_iter()
        .map(|piece| match piece {
            Piece::Char(c) => Piece::Char(lower(c)),
            other => other,
        })
        .collect();
    if found == wanted { Ok(()) } else { Err(format!("the value is read as {found:?}")) }
}

/// The name that a text starts with, and what follows.
fn name<'t>(language: &str, text: &'t str) -> Option<(String, &'t str)> {
    match language {
        "Elasticsearch query_string" | "OpenSearch query_string" | "Graylog search" | "Kibana Query Language" => {
            let mut out = String::new();
            let mut chars = text.char_indices();
            while let Some((at, c)) = chars.next() {
                match c {
                    '\\' => {
                        let (next, c) = chars.next()?;
                        match c {
                            't' if language.starts_with('K') => out.push('\t'),
                            'r' if language.starts_with('K') => out.push('\r'),
                            'n' if language.starts_with('K') => out.push('\n'),
                            'u' if language.starts_with('K') => {
                                out.push(hex(text.get(next + 1..next + 5)?)?);
                                chars.nth(3)?;
                            }
                            c => out.push(c),
                        }
                    }
                    ':' => return Some((out.strip_suffix(".keyword").map_or(out.clone(), str::to_owned), &text[at..])),
                    c => out.push(c),
                }
            }
            None
        }
        "Splunk search" if text.starts_with('"') => {
            let (found, rest) = backslashed(text)?;
            Some((found, rest))
        }
        "Splunk where" if text.starts_with('\'') => {
            let end = text[1..].find('\'')? + 1;
            Some((text[1..end].to_owned(), &text[end + 1..]))
        }
        "SQLite" | "PostgreSQL" | "DuckDB" | "EQL" | "ES|QL" if text.starts_with(['"', '`']) => {
            doubled(text, text.chars().next()?)
        }
        "Kusto" => kusto_name(text),
        _ => {
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@')))?;
            Some((text[..end].to_owned(), &text[end..]))
        }
    }
}

/// `a.b`, `['a b']`, `a['b c']`.
fn kusto_name(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        if let Some(quoted) = rest.strip_prefix('[') {
            let (part, behind) = kusto_string(quoted)?;
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(&part);
            rest = behind.strip_prefix(']')?;
        } else {
            let dot = usize::from(!out.is_empty() && rest.starts_with('.'));
            let word = rest[dot..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len() - dot);
            if word == 0 || (dot == 0 && !out.is_empty()) {
                return Some((out, rest));
            }
            out.push_str(&rest[..dot + word]);
            rest = &rest[dot + word..];
        }
    }
}

fn hex(digits: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

/// A text in quotes in which the quote is doubled, and what follows.
fn doubled(text: &str, quote: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.strip_prefix(quote)?.chars();
    while let Some(c) = chars.next() {
        if c == quote {
            let behind = chars.as_str();
            if !behind.starts_with(quote) {
                return Some((out, behind));
            }
            chars.next();
        }
        out.push(c);
    }
    None
}

/// A text in double quotes in which a backslash takes away the meaning of what follows, and what follows the text.
fn backslashed(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some((out, chars.as_str())),
            '\\' => match chars.next()? {
                c @ ('"' | '\\') => out.push(c),
                _ => return None,
            },
            c => out.push(c),
        }
    }
    None
}

fn literal(text: &str) -> Vec<Piece> {
    text.chars().map(Piece::Char).collect()
}

/// All of a text, or nothing.
fn whole((text, rest): (String, &str)) -> Option<String> {
    rest.is_empty().then_some(text)
}

/// Lucene's classic parser: a phrase, in which wildcards are literal, or a term.
fn lucene(text: &str) -> Option<Vec<Piece>> {
    if text.starts_with('"') {
        return backslashed(text).and_then(whole).map(|text| literal(&text));
    }
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => Piece::Char(chars.next()?),
            '*' => Piece::Run,
            '?' => Piece::One,
            // The parser's own `_TERM_CHAR` leaves these out.
            ' ' | '\t' | '\n' | '\r' | '\u{3000}' | '!' | '(' | ')' | ':' | '^' | '[' | ']' | '"' | '{' | '}' | '~'
            | '/' => {
                return None;
            }
            c => Piece::Char(c),
        });
    }
    (!matches!(text, "AND" | "OR" | "NOT" | "&&" | "||")).then_some(out)
}

/// Graylog: Lucene's parser, before which a name between two `$` becomes a parameter. In a phrase, too, a backslash may
/// stand before any sign.
fn graylog(text: &str) -> Option<Vec<Piece>> {
    let sign = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let pieces: Vec<&str> = text.split('$').collect();
    let between = pieces.get(1..pieces.len().saturating_sub(1)).unwrap_or_default();
    if between.iter().any(|piece| !piece.is_empty() && piece.chars().all(sign)) {
        return None;
    }
    let Some(phrase) = text.strip_prefix('"') else { return lucene(text) };
    let mut out = String::new();
    let mut chars = phrase.chars();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().is_empty().then(|| literal(&out)),
            '\\' => out.push(chars.next()?),
            c => out.push(c),
        }
    }
}

/// KQL: a text in quotes, or a bare value whose blanks at the ends do not count.
fn kibana(text: &str) -> Option<Vec<Piece>> {
    let quoted = text.strip_prefix('"');
    let mut out = Vec::new();
    let mut chars = quoted.unwrap_or(text).chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => {
                let rest = chars.as_str();
                let word = ["and", "or", "not"]
                    .iter()
                    .find(|word| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
                match (chars.next()?, word) {
                    // Outside quotes a backslash before an operator's word makes it literal, but whitespace is looked for
                    // first: `\not` is a line break and `ot`.
                    ('t', _) => Piece::Char('\t'),
                    ('r', _) => Piece::Char('\r'),
                    ('n', _) => Piece::Char('\n'),
                    ('u', _) => {
                        let found = hex(rest.get(1..5)?)?;
                        chars.nth(3)?;
                        Piece::Char(found)
                    }
                    (c, Some(_)) if quoted.is_none() => Piece::Char(c),
                    (c @ ('\\' | '(' | ')' | ':' | '<' | '>' | '"' | '*' | '{' | '}'), _) => Piece::Char(c),
                    _ => return None,
                }
            }
            '"' if quoted.is_some() => return chars.as_str().is_empty().then_some(out),
            '*' if quoted.is_none() => Piece::Run,
            '(' | ')' | ':' | '<' | '>' | '"' | '{' | '}' if quoted.is_none() => return None,
            c => Piece::Char(c),
        });
    }
    quoted.is_none().then_some(out)
}

/// `search`: a text in quotes, in which `*` stays a wildcard.
fn splunk_search(text: &str) -> Option<Vec<Piece>> {
    let text = backslashed(text).and_then(whole)?;
    Some(text.chars().map(|c| if c == '*' { Piece::Run } else { Piece::Char(c) }).collect())
}

/// A string of an eval expression.
fn eval(text: &str) -> Option<Vec<Piece>> {
    backslashed(text).and_then(whole).map(|text| literal(&text))
}

/// A string of Kusto: with escapes, or verbatim behind `@`.
fn kusto_string(text: &str) -> Option<(String, &str)> {
    if let Some(verbatim) = text.strip_prefix('@') {
        return doubled(verbatim, verbatim.chars().next()?);
    }
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut out = String::new();
    let mut chars = text[1..].chars();
    while let Some(c) = chars.next() {
        match c {
            _ if c == quote => return Some((out, chars.as_str())),
            '\n' | '\r' => return None,
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                'u' => {
                    out.push(hex(chars.as_str().get(..4)?)?);
                    chars.nth(3)?;
                }
                c @ ('"' | '\'' | '\\') => out.push(c),
                _ => return None,
            },
            c => out.push(c),
        }
    }
    None
}

fn kusto(text: &str) -> Option<Vec<Piece>> {
    kusto_string(text).and_then(whole).map(|text| literal(&text))
}

/// A string of EQL or ES|QL: raw between three quotes, or with escapes; those with `unicode` are EQL's.
fn elastic_string(text: &str, unicode: bool) -> Option<String> {
    if let Some(raw) = text.strip_prefix("\"\"\"") {
        let raw = raw.strip_suffix("\"\"\"")?;
        return (!raw.contains("\"\"\"") && !raw.contains(['\n', '\r'])).then(|| raw.to_owned());
    }
    let mut out = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return chars.as_str().is_empty().then_some(out),
            '\n' | '\r' => return None,
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                'b' if unicode => out.push('\u{8}'),
                'f' if unicode => out.push('\u{c}'),
                'u' if unicode => {
                    let (digits, rest) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                    out.push(hex(digits)?);
                    chars = rest.chars();
                }
                c @ ('"' | '\\') => out.push(c),
                _ => return None,
            },
            c => out.push(c),
        }
    }
    None
}

fn eql_text(text: &str) -> Option<Vec<Piece>> {
    elastic_string(text, true).map(|text| literal(&text))
}

/// The one text of a list, in which wildcards are literal.
fn eql_listed(text: &str) -> Option<Vec<Piece>> {
    eql_text(text.strip_suffix(')')?)
}

/// EQL's wildcards have no escape.
fn eql_pattern(text: &str) -> Option<Vec<Piece>> {
    let wild = |c| match c {
        '*' => Piece::Run,
        '?' => Piece::One,
        c => Piece::Char(c),
    };
    elastic_string(text, true).map(|text| text.chars().map(wild).collect())
}

fn esql_text(text: &str) -> Option<Vec<Piece>> {
    elastic_string(text, false).map(|text| literal(&text))
}

fn esql_like(text: &str) -> Option<Vec<Piece>> {
    wildcards(&elastic_string(text, false)?, '*', '?', Some('\\'))
}

/// A pattern with its wildcards and its escape.
fn wildcards(text: &str, run: char, one: char, escape: Option<char>) -> Option<Vec<Piece>> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if Some(c) == escape {
            Piece::Char(chars.next().filter(|c| *c == run || *c == one || Some(*c) == escape)?)
        } else if c == run {
            Piece::Run
        } else if c == one {
            Piece::One
        } else {
            Piece::Char(c)
        });
    }
    Some(out)
}

fn sql(text: &str) -> Option<Vec<Piece>> {
    doubled(text, '\'').and_then(whole).map(|text| literal(&text))
}

/// `LIKE` where a backslash is the escape, named or not (PostgreSQL); DuckDB has none unless it is named.
fn sql_like(text: &str) -> Option<Vec<Piece>> {
    let (text, rest) = doubled(text, '\'')?;
    match rest {
        "" if text.contains('\\') => None,
        "" | " ESCAPE '\\'" => wildcards(&text, '%', '_', Some('\\')),
        _ => None,
    }
}

/// `LIKE` where there is no escape unless it is named.
fn sql_like_plain(text: &str) -> Option<Vec<Piece>> {
    let (text, rest) = doubled(text, '\'')?;
    match rest {
        "" => wildcards(&text, '%', '_', None),
        " ESCAPE '\\'" => wildcards(&text, '%', '_', Some('\\')),
        _ => None,
    }
}
