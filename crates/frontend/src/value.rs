//! Values on their way through the modifiers of an item.
//!
//! Invariant: escapes and wildcards are read exactly once, here; what follows works on pieces.

use std::borrow::Cow;

use sigcast_ir::{Number, Part, Pattern};

/// A value as the YAML schema reads it, before any modifier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw<'a> {
    /// Nothing.
    Null,
    /// A boolean, with the text it was written as.
    Bool(bool, Cow<'a, str>),
    /// A number.
    Number(Number<'a>),
    /// Text, with escapes and wildcards still in it.
    Text(Cow<'a, str>),
}

impl<'a> Raw<'a> {
    /// The text of a value, as it is compared with text; null has none.
    pub(crate) fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => None,
            Self::Bool(value, _) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
            Self::Number(number) => Some(number.text.clone()),
            Self::Text(text) => Some(text.clone()),
        }
    }

    /// What it is, in a word for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(..) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
        }
    }
}

/// A piece of a value that modifiers work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text, all escapes resolved.
    Text(Cow<'a, str>),
    /// Bytes that an encoding made.
    Bytes(Vec<u8>),
    /// `*`
    AnyRun,
    /// `?`
    AnyOne,
    /// `%name%` under `expand`.
    Placeholder(Cow<'a, str>),
}

/// The pieces of a value. `*`, `?` are wildcards; `\*`, `\?` and `\\` are literal; any other backslash is itself.
pub(crate) fn pieces<'a>(text: &Cow<'a, str>) -> Vec<Piece<'a>> {
    if !text.bytes().any(|byte| matches!(byte, b'*' | b'?' | b'\\')) {
        return if text.is_empty() { Vec::new() } else { vec![Piece::Text(text.clone())] };
    }
    match text {
        Cow::Borrowed(text) => split(text, &|literal: &'a str| Cow::Borrowed(literal)),
        Cow::Owned(text) => split(text, &|literal: &str| Cow::Owned(literal.to_owned())),
    }
}

/// Splits at wildcards; a stretch without an escape is taken over by `keep`, so that it can stay borrowed.
fn split<'t, 'a>(text: &'t str, keep: &dyn Fn(&'t str) -> Cow<'a, str>) -> Vec<Piece<'a>> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    // The current stretch of literal text: what is resolved of it so far, and where its rest starts.
    let mut resolved: Option<String> = None;
    let (mut start, mut at) = (0, 0);
    let flush = |resolved: &mut Option<String>, rest: &'t str| match resolved.take() {
        Some(mut text) => {
            text.push_str(rest);
            Piece::Text(Cow::Owned(text))
        }
        None => Piece::Text(keep(rest)),
    };
    while at < bytes.len() {
        let rest = text.get(start..at).unwrap_or("");
        match bytes[at] {
            b'\\' if matches!(bytes.get(at + 1), Some(b'*' | b'?' | b'\\')) => {
                // A backslash before any of the three special characters is dropped, and the character is literal.
                resolved.get_or_insert_default().push_str(rest);
                start = at + 1;
                at += 2;
            }
            wildcard @ (b'*' | b'?') => {
                if at > start || resolved.is_some() {
                    found.push(flush(&mut resolved, rest));
                }
                found.push(if wildcard == b'*' { Piece::AnyRun } else { Piece::AnyOne });
                at += 1;
                start = at;
            }
            _ => at += 1,
        }
    }
    let rest = text.get(start..).unwrap_or("");
    if !rest.is_empty() || resolved.is_some() {
        found.push(flush(&mut resolved, rest));
    }
    found
}

/// The pattern of a value, if its bytes are text.
pub(crate) fn pattern<'a>(pieces: Vec<Piece<'a>>) -> Option<Pattern<'a>> {
    let mut pattern = Pattern::new();
    for piece in pieces {
        pattern.push(match piece {
            Piece::Text(text) => Part::Text(text),
            Piece::Bytes(bytes) => Part::Text(Cow::Owned(String::from_utf8(bytes).ok()?)),
            Piece::AnyRun => Part::AnyRun,
            Piece::AnyOne => Part::AnyOne,
            Piece::Placeholder(name) => Part::Placeholder(name),
        });
    }
    Some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows pieces: literal text in `<>`.
    fn check(input: &str, expected: &str) {
        for text in [Cow::Borrowed(input), Cow::Owned(input.to_owned())] {
            let shown: String = pieces(&text)
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => format!("<{text}>"),
                    Piece::AnyRun => "*".into(),
                    Piece::AnyOne => "?".into(),
                    other => format!("{other:?}"),
                })
                .collect();
            assert_eq!(shown, expected, "{input}");
        }
    }

    #[test]
    fn wildcards_and_escapes() {
        check("", "");
        check("plain", "<plain>");
        check(r"C:\Windows\cmd.exe", r"<C:\Windows\cmd.exe>");
        check("*a?b*", "*<a>?<b>*");
        check(r"\*", "<*>");
        check(r"a\*b\?", "<a*b?>");
        check(r"\\*", r"<\>*");
        check(r"\\\*", r"<\*>");
        check(r"\\\\*", r"<\\>*");
        check(r"\\server\share", r"<\server\share>");
        check(r"\\\\server", r"<\\server>");
        check(r"dir\", r"<dir\>");
        check(r"dir\\", r"<dir\>");
        check(r"\d\w", r"<\d\w>");
        check("é*ü", "<é>*<ü>");
    }
}
