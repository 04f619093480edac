//! YAML 1.2 as nodes with spans, over the events of `saphyr-parser`.
//!
//! Invariant: what this module returns is a tree, within its budgets of depth and size: aliases are resolved, merge
//! keys merged, and every key stands once. Text that stands in the file as it is read is borrowed from it.

mod build;
mod offsets;
mod scalar;

use std::borrow::Cow;

use sigcast_diagnostics::{Diagnostic, SourceId, Span};

pub(crate) use build::{load, size};
pub(crate) use scalar::{Plain, number, trap};

/// How deep lists and maps may nest. Rules need about six levels.
pub(crate) const MAX_DEPTH: usize = 64;
/// How many nodes the aliases of one document may add.
pub(crate) const MAX_ALIASED: usize = 10_000;
/// How many bytes a file may have.
pub(crate) const MAX_BYTES: usize = 32 << 20;

/// One document of a stream, as YAML sees it.
#[derive(Debug)]
pub(crate) struct RawDocument<'a> {
    /// The content; none where the text broke off before there was any.
    pub(crate) root: Option<Node<'a>>,
    /// Faults of the text as YAML.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    /// Where it stands.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) data: Data<'a>,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) enum Data<'a> {
    /// A scalar.
    Scalar(Scalar<'a>),
    /// A list.
    List(Vec<Node<'a>>),
    /// A map, in document order; every key stands once.
    Map(Vec<Entry<'a>>),
}

/// A key of a map and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    /// The key.
    pub(crate) key: Scalar<'a>,
    /// Where the key stands.
    pub(crate) key_span: Span,
    /// The value.
    pub(crate) value: Node<'a>,
}

/// How a scalar is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Unquoted: by the core schema.
    Plain,
    /// Quoted, a block or tagged `!!str`: as text.
    Text,
    /// As the tag says, whatever the quotes.
    Tagged(Tag),
}

/// A tag of the core schema that forces a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!bool`
    Bool,
    /// `!!null`
    Null,
}

/// A scalar with its text.
#[derive(Debug, Clone)]
pub(crate) struct Scalar<'a> {
    /// The text, with quotes and escapes resolved.
    pub(crate) text: Cow<'a, str>,
    /// How it is to be read.
    pub(crate) reading: Reading,
    /// The byte of the file where the text starts, if it stands there verbatim.
    pub(crate) content: Option<u32>,
}

impl<'a> Node<'a> {
    /// The entries, if it is a map.
    pub(crate) fn as_map(&self) -> Option<&[Entry<'a>]> {
        match &self.data {
            Data::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The scalar, if it is one.
    pub(crate) fn as_scalar(&self) -> Option<&Scalar<'a>> {
        match &self.data {
            Data::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether it is null.
    pub(crate) fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(|scalar| matches!(scalar.resolve(), Plain::Null))
    }

    /// The value of a key, if it is a map that has the key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.as_map()?.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
    }

    /// What it is, in a word for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.data {
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
            Data::Scalar(scalar) => scalar.resolve().kind(),
        }
    }
}

impl Scalar<'_> {
    /// The place of a part of the text: `start..end` are bytes of the text; `whole` is the place of the scalar.
    ///
    /// Exact where the text stands verbatim in the file. Elsewhere (blocks, folded lines, escapes) the piece is looked
    /// for among the scalar's source, counting its occurrences; if that fails, the whole scalar is the place.
    pub(crate) fn part(&self, whole: Span, source: &str, start: usize, end: usize) -> Span {
        if let Some(content) = self.content {
            let base = content as usize;
            return Span::new(whole.source, base + start, base + end);
        }
        let raw = source.get(whole.start as usize..whole.end as usize).unwrap_or("");
        let Some(piece) = self.text.get(start..end).map(str::trim).filter(|piece| !piece.is_empty()) else {
            return whole;
        };
        let before = self.text.get(..start).map_or(0, |before| before.matches(piece).count());
        match raw.match_indices(piece).nth(before) {
            Some((at, _)) => whole.part(at, at + piece.len()),
            None => whole,
        }
    }
}

/// Where things stand in one source text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The source.
    pub(crate) id: SourceId,
    /// Its text.
    pub(crate) text: &'a str,
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod differential;
