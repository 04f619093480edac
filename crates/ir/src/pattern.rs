//! The one canonical text test.
//!
//! Invariant: `|contains: x` and `'*x*'` are the same [`Pattern`]. No two [`Part::Text`] and no two
//! [`Part::AnyRun`] stand side by side, and no text part is empty.

use std::borrow::Cow;

/// A piece of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part<'a> {
    /// Literal text, never empty. Backslashes in it are literal: all escapes are resolved.
    Text(Cow<'a, str>),
    /// Any run of characters, the empty one too (`*`).
    AnyRun,
    /// Exactly one character (`?`).
    AnyOne,
    /// A placeholder (`%name%`, without the signs) that a pipeline has yet to replace.
    Placeholder(Cow<'a, str>),
}

/// A text pattern, anchored at both ends. No part at all means the empty string.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Pattern<'a> {
    parts: Vec<Part<'a>>,
}

/// The form of a pattern, by which a target picks its operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape<'p> {
    /// The empty string.
    Empty,
    /// Exactly this text.
    Exact(&'p str),
    /// This text, then anything.
    Prefix(&'p str),
    /// Anything, then this text.
    Suffix(&'p str),
    /// This text anywhere.
    Contains(&'p str),
    /// Anything at all, the empty string too (`*`).
    Anything,
    /// Another arrangement of text and any runs; no single wildcard.
    Runs,
    /// An arrangement with at least one wildcard for exactly one character.
    Singles,
    /// A pattern with an unresolved placeholder.
    Unresolved,
}

impl<'a> Pattern<'a> {
    /// The empty string.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Exactly this text.
    #[must_use]
    pub fn exact(text: impl Into<Cow<'a, str>>) -> Self {
        let mut pattern = Self::new();
        pattern.push(Part::Text(text.into()));
        pattern
    }

    /// A pattern of these parts, normalised.
    #[must_use]
    pub fn from_parts(parts: impl IntoIterator<Item = Part<'a>>) -> Self {
        let mut pattern = Self::new();
        for part in parts {
            pattern.push(part);
        }
        pattern
    }

    /// Appends a part, keeping the invariant: texts are joined, empty ones and repeated any runs dropped.
    pub fn push(&mut self, part: Part<'a>) {
        match (self.parts.last_mut(), part) {
            (_, Part::Text(text)) if text.is_empty() => {}
            (Some(Part::Text(last)), Part::Text(text)) => last.to_mut().push_str(&text),
            (Some(Part::AnyRun), Part::AnyRun) => {}
            (_, part) => self.parts.push(part),
        }
    }

    /// The parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part<'a>] {
        &self.parts
    }

    /// The parts, by value.
    #[must_use]
    pub fn into_parts(self) -> Vec<Part<'a>> {
        self.parts
    }

    /// This pattern with the ends opened: anything may stand before (`start`) and after it (`end`).
    #[must_use]
    pub fn open(mut self, start: bool, end: bool) -> Self {
        if start && self.parts.first() != Some(&Part::AnyRun) {
            self.parts.insert(0, Part::AnyRun);
        }
        if end {
            self.push(Part::AnyRun);
        }
        self
    }

    /// The form of the pattern.
    #[must_use]
    pub fn shape(&self) -> Shape<'_> {
        use Part::{AnyOne, AnyRun, Placeholder, Text};
        match self.parts.as_slice() {
            [] => Shape::Empty,
            [Text(text)] => Shape::Exact(text),
            [Text(text), AnyRun] => Shape::Prefix(text),
            [AnyRun, Text(text)] => Shape::Suffix(text),
            [AnyRun, Text(text), AnyRun] => Shape::Contains(text),
            [AnyRun] => Shape::Anything,
            parts if parts.iter().any(|part| matches!(part, Placeholder(_))) => Shape::Unresolved,
            parts if parts.contains(&AnyOne) => Shape::Singles,
            _ => Shape::Runs,
        }
    }

    /// The literal texts of the pattern, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_ref()),
            _ => None,
        })
    }

    /// Whether upper and lower case make a difference: some literal character has both.
    #[must_use]
    pub fn has_case(&self) -> bool {
        self.texts().any(|text| {
            text.chars().any(
                |c| {
                    if c.is_ascii() { c.is_ascii_alphabetic() } else { c.is_lowercase() || c.is_uppercase() }
                },
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_normalised() {
        let text = |t: &'static str| Part::Text(Cow::Borrowed(t));
        let pattern = Pattern::from_parts([text(""), Part::AnyRun, Part::AnyRun, text("a"), text(""), text("b")]);
        assert_eq!(pattern.parts(), [Part::AnyRun, text("ab")]);
        assert_eq!(pattern.shape(), Shape::Suffix("ab"));
        assert_eq!(pattern.clone().open(true, true).shape(), Shape::Contains("ab"));
        assert_eq!(Pattern::exact("").shape(), Shape::Empty);
        assert_eq!(Pattern::new().open(true, true).shape(), Shape::Anything);
    }
}
