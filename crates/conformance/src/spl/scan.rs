//! Pipes, quotes and escapes.
//!
//! From the Search Reference, `search`, Quotes and escaping characters: quotation marks have to be balanced; a backslash
//! escapes quotes, pipes and itself, inside quotes too; a sequence that is not known is not altered; an asterisk cannot
//! be escaped.

use std::str::CharIndices;

/// The characters of a query that are neither quoted nor escaped, with their places.
struct Plain<'t> {
    chars: CharIndices<'t>,
    /// Whether quotation marks are open where it stands.
    quoted: bool,
}

impl<'t> Plain<'t> {
    fn of(text: &'t str) -> Self {
        Self { chars: text.char_indices(), quoted: false }
    }
}

impl Iterator for Plain<'_> {
    type Item = (usize, char);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.chars.next()? {
                (_, '\\') => {
                    self.chars.next();
                }
                (_, '"') => self.quoted = !self.quoted,
                found if !self.quoted => return Some(found),
                _ => {}
            }
        }
    }
}

/// The parts of a query between the pipes that are neither quoted nor escaped, nor in the brackets of a search inside.
pub(super) fn stages(text: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    let mut plain = Plain::of(text);
    for (at, c) in plain.by_ref() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1).ok_or("a ] without its [")?,
            '|' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if plain.quoted {
        return Err("quotation marks are not balanced".to_owned());
    }
    if depth > 0 {
        return Err("a [ without its ]".to_owned());
    }
    parts.push(&text[start..]);
    Ok(parts)
}

/// The place of the bracket that closes one that was opened before the text.
pub(super) fn closing(text: &str) -> Result<usize, String> {
    let mut depth = 0_usize;
    for (at, c) in Plain::of(text) {
        match c {
            '[' => depth += 1,
            ']' if depth == 0 => return Ok(at),
            ']' => depth -= 1,
            _ => {}
        }
    }
    Err("a [ without its ]".to_owned())
}

/// Whether a name of a field has this character without being quoted.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Characters, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(super) fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.advance(rest.len() - rest.trim_start().len());
    }

    /// Takes the text, if it is next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.advance(text.len());
        }
        found
    }

    /// Takes the longest text of such characters; it may be empty.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.advance(end);
        &rest[..end]
    }

    /// The text inside quotes of this kind, which are next, without its escapes.
    pub(super) fn quoted(&mut self, quote: char) -> Result<String, String> {
        let rest = self.rest();
        let mut end = None;
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == quote => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let end = end.ok_or_else(|| format!("no end of what begins with {quote}"))?;
        self.advance(end + quote.len_utf8());
        Ok(unescaped(&rest[quote.len_utf8()..end], quote))
    }

    /// The name of a field, which is next after blanks: a word, or anything in double quotes. A pattern of names is none.
    pub(super) fn name(&mut self) -> Result<String, String> {
        self.skip_blanks();
        let name = match self.peek() {
            Some('"') => self.quoted('"')?,
            _ => self.take_while(is_word).to_owned(),
        };
        if name.is_empty() || name.contains('*') {
            return Err(format!("the name of a field was expected: {}", self.here()));
        }
        Ok(name)
    }

    /// The names of fields up to the end, with commas or blanks between them.
    pub(super) fn names(&mut self) -> Result<Vec<String>, String> {
        let mut names = vec![self.name()?];
        loop {
            self.skip_blanks();
            self.take(",");
            self.skip_blanks();
            if self.rest().is_empty() {
                return Ok(names);
            }
            names.push(self.name()?);
        }
    }

    /// Takes this word, whatever its case, if it is next after blanks.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let mut ahead = self.clone();
        ahead.skip_blanks();
        let found = ahead.take_while(is_word).eq_ignore_ascii_case(word);
        if found {
            *self = ahead;
        }
        found
    }

    /// What goes on here, for messages.
    pub(super) fn here(&self) -> String {
        self.rest().chars().take(20).collect()
    }
}

/// The text without its escapes.
pub(super) fn unescaped(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(&next) if c == '\\' && (next == quote || matches!(next, '"' | '\\' | '|')) => {
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}
