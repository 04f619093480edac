//! Reading a query back: a small parser driven by the same dialect.
//!
//! It is an oracle for tests: the text that was written must have the structure of the query it was written from.
//! It knows the operators, groups and lists of a language; a leaf it only tells apart, by the dialect's own scanners.

use crate::dialect::List;

/// How a reader of a language takes its text apart. Each scanner gets the text from some place on and tells how many
/// bytes the thing there has; 0 if it is not there.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The word or sign of conjunction.
    pub and: &'static str,
    /// Of disjunction.
    pub or: &'static str,
    /// Of negation.
    pub not: &'static str,
    /// How the engine orders them.
    pub precedence: Precedence,
    /// A field's name.
    pub name: fn(&str) -> usize,
    /// A value in a list.
    pub value: fn(&str) -> usize,
    /// A whole leaf other than a list.
    pub leaf: fn(&str) -> usize,
    /// The lists of the language.
    pub lists: &'static [&'static List],
}

/// How an engine orders conjunction and disjunction that stand side by side without groups. Negation binds tightest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// Conjunction binds tighter.
    AndFirst,
    /// Disjunction binds tighter.
    OrFirst,
    /// Neither can be relied on: a text that mixes them is wrong.
    Never,
}

/// Bytes until an unescaped character that ends a term.
#[must_use]
pub fn scan(text: &str, escape: char, ends: fn(char) -> bool) -> usize {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == escape {
            chars.next();
        } else if ends(c) {
            return at;
        }
    }
    text.len()
}

/// Bytes of a quoted text with its quotes; the whole text if it never ends.
#[must_use]
pub fn quoted(text: &str, quote: char, escape: char) -> usize {
    let mut chars = text.char_indices();
    chars.next();
    while let Some((at, c)) = chars.next() {
        if c == escape {
            chars.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}
