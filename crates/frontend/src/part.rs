//! Pieces of rules in other files: a YAML text with places, of which pipelines and filters read detections,
//! expressions over names, and where a fault is.
//!
//! Invariant: a [`Yaml`] is a tree without a fault of YAML; every part of it has a place.

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic, Severity, SourceId, SourceMap, Span};
use sigcast_ir::{Condition, Pattern, Tree};

use crate::yaml::{self, Data, Entry, Node, Place};
use crate::{condition, detection, value};

/// A YAML text of one document.
#[derive(Debug)]
pub struct Yaml<'a> {
    place: Place<'a>,
    root: Node<'a>,
}

/// A step from a part into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an element of a list, from 0.
    Index(usize),
}

/// A part of a text: a map, a list or a scalar.
#[derive(Debug, Clone, Copy)]
pub struct Part<'y, 'a> {
    place: Place<'a>,
    node: &'y Node<'a>,
    key: Option<&'y Entry<'a>>,
}

/// The documents of a text, in order, as they stand there: nothing is lent from one to another. What cannot be read as YAML
/// is left out; [`crate::parse`] says what is wrong with it.
#[must_use]
pub fn documents(sources: &SourceMap, id: SourceId) -> Vec<Yaml<'_>> {
    let place = Place { id, text: sources.get(id).text() };
    yaml::load(place).into_iter().filter_map(|document| document.root.map(|root| Yaml { place, root })).collect()
}

/// Every fault of a text as YAML, at its place, in order; empty if there is none. A text with one may lack documents, and
/// parts of those that it has.
#[must_use]
pub fn faults(sources: &SourceMap, id: SourceId) -> Vec<Diagnostic> {
    let place = Place { id, text: sources.get(id).text() };
    let found = yaml::load(place).into_iter().flat_map(|document| document.diagnostics);
    found.filter(|found| found.severity() == Severity::Error).collect()
}

impl<'a> Yaml<'a> {
    /// Reads a text.
    ///
    /// # Errors
    /// Every fault of the text as YAML, at its place; a text without content, or with several documents.
    pub fn load(sources: &'a SourceMap, id: SourceId) -> Result<Self, Vec<Diagnostic>> {
        let place = Place { id, text: sources.get(id).text() };
        let mut documents = yaml::load(place);
        let mut faults: Vec<Diagnostic> =
            documents.iter_mut().flat_map(|document| std::mem::take(&mut document.diagnostics)).collect();
        faults.retain(|found| found.severity() == Severity::Error);
        if !faults.is_empty() {
            return Err(faults);
        }
        let several = documents.len() > 1;
        let root = documents.into_iter().find_map(|document| document.root);
        let start = Span::new(id, 0, 0);
        match root {
            Some(_) if several => {
                Err(vec![Diagnostic::at(Code::WrongType, start, "there are several documents: one is expected")])
            }
            Some(root) => Ok(Self { place, root }),
            None => Err(vec![Diagnostic::at(Code::WrongType, start, "the file is empty")]),
        }
    }

    /// The whole.
    #[must_use]
    pub fn root(&self) -> Part<'_, 'a> {
        Part { place: self.place, node: &self.root, key: None }
    }
}

impl<'y, 'a> Part<'y, 'a> {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.node.span
    }

    /// Where its key stands, if it is the value of one; else where it stands.
    #[must_use]
    pub fn key_span(&self) -> Span {
        self.key.map_or(self.node.span, |entry| entry.key_span)
    }

    /// The place to point at for a fault of the part as a whole: its key, or its first one.
    #[must_use]
    pub fn head(&self) -> Span {
        match (&self.node.data, self.key) {
            (_, Some(entry)) => entry.key_span,
            (Data::Map(entries), None) => entries.first().map_or(self.node.span, |entry| entry.key_span),
            _ => self.node.span,
        }
    }

    /// Its text as it stands in the file, quotes included.
    #[must_use]
    pub fn source(&self) -> &'a str {
        let span = self.node.span;
        self.place.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Where the text of a scalar stands as it is read, without quotes. None of what is no scalar, or is written otherwise
    /// (escapes, folded lines, blocks).
    #[must_use]
    pub fn verbatim(&self) -> Option<Span> {
        let scalar = self.node.as_scalar()?;
        let start = scalar.content? as usize;
        Some(Span::new(self.node.span.source, start, start + scalar.text.len()))
    }

    /// The text, if it is a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&'y Cow<'a, str>> {
        self.node.as_scalar().map(|scalar| &scalar.text)
    }

    /// The part one step further.
    #[must_use]
    pub fn step(&self, step: &Step) -> Option<Self> {
        match (step, &self.node.data) {
            (Step::Key(name), Data::Map(entries)) => {
                let entry = entries.iter().find(|entry| entry.key.text == name.as_str())?;
                Some(Self { node: &entry.value, key: Some(entry), ..*self })
            }
            (Step::Index(index), Data::List(nodes)) => nodes.get(*index).map(|node| Self { node, key: None, ..*self }),
            _ => None,
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Self> {
        self.step(&Step::Key(key.to_owned()))
    }

    /// The part at the end of these steps, or as far as they lead.
    #[must_use]
    pub fn follow(&self, steps: &[Step]) -> Self {
        let mut part = *self;
        for step in steps {
            match part.step(step) {
                Some(next) => part = next,
                None => break,
            }
        }
        part
    }

    /// The keys and values of a map, in order; nothing if it is none.
    pub fn entries(&self) -> impl Iterator<Item = (&'y str, Self)> {
        let (place, entries) = (self.place, self.node.as_map().unwrap_or_default());
        entries.iter().map(move |entry| (entry.key.text.as_ref(), Self { place, node: &entry.value, key: Some(entry) }))
    }

    /// The elements of a list, in order; nothing if it is none.
    pub fn elements(&self) -> impl Iterator<Item = Self> {
        let place = self.place;
        let nodes = match &self.node.data {
            Data::List(nodes) => nodes.as_slice(),
            _ => &[],
        };
        nodes.iter().map(move |node| Self { place, node, key: None })
    }

    /// What it asks, read as the content of a detection: fields with modifiers and values, or keywords.
    ///
    /// # Errors
    /// Every fault, as in a rule.
    pub fn detection(&self) -> Result<Tree<'a>, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let tree = detection::Reader::new(self.place.text, &mut found).tree(self.node, self.key_span());
        found.retain(|found| found.severity() == Severity::Error);
        tree.filter(|_| found.is_empty()).ok_or(found)
    }

    /// An expression over names, in the grammar of conditions. The indices in it are those of `names`.
    ///
    /// # Errors
    /// What keeps the text from being an expression over these names.
    pub fn expression(&self, names: &[String]) -> Result<Condition<'a>, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let wrong = |message: &str| Err(vec![Diagnostic::at(Code::BadCondition, self.node.span, message.to_owned())]);
        let Some(scalar) = self.node.as_scalar() else { return wrong("an expression is text") };
        let text = condition::Text::new(scalar, self.node.span, self.place.text);
        let mut known = condition::Names::new(names.iter().map(|name| Cow::Owned(name.clone())).collect(), "rule");
        match condition::parse(&text, &mut known, &mut found) {
            Some(parsed) if parsed.aggregation.is_none() => Ok(parsed.condition),
            Some(_) => wrong("an expression over names has no `|`"),
            None => Err(found),
        }
    }
}

/// The pattern that a value of a rule spells: `*` and `?` are wildcards; `\*`, `\?` and `\\` are literal.
#[must_use]
pub fn pattern(text: &str) -> Pattern<'static> {
    // Without an encoding there are no bytes, which alone may be no text.
    value::pattern(value::pieces(&Cow::Owned(text.to_owned()))).unwrap_or_default()
}
