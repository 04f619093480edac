//! From YAML texts to typed Sigma rules.
//!
//! | stage | input | output |
//! |---|---|---|
//! | `yaml` | text | nodes with spans |
//! | `collection` | the nodes of a file | documents, `action: global` and the like applied |
//! | `rule`, `filter`, `correlation`, `detection`, `modifier`, `condition` | a document | [`sigcast_ir::Rule`] and diagnostics |
//! | `link` | the documents of a run | rules joined with their filters, correlations with their rules |
//!
//! Invariant: parsing returns all it understood and every diagnostic; it never stops at the first fault.

mod attributes;
mod collection;
mod condition;
mod correlation;
mod detection;
mod filter;
mod legacy;
mod link;
mod modifier;
pub mod part;
mod regex;
mod rule;
pub mod schema;
pub mod spell;
mod value;
mod yaml;

use std::borrow::Cow;

pub use correlation::Unlinked;
pub use link::{Joined, correlate, join, link};
pub use modifier::Modifier;
use sigcast_diagnostics::{Class, Diagnostic, SourceId, SourceMap, Span};
use sigcast_ir::{Correlation, Filter, Rule};

/// One YAML document of a file.
#[derive(Debug)]
pub struct Document<'a> {
    /// Its number in the file, from 1.
    pub number: usize,
    /// The title, as far as the document has a readable one.
    pub title: Option<Cow<'a, str>>,
    /// The id, likewise.
    pub id: Option<Cow<'a, str>>,
    /// The name, likewise.
    pub name: Option<Cow<'a, str>>,
    /// What it is.
    pub kind: Kind<'a>,
    /// Everything there is to say about it, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a document is.
#[derive(Debug)]
pub enum Kind<'a> {
    /// A detection rule without errors.
    Rule(Box<Rule<'a>>),
    /// A filter, before [`link`] has used it up. A wrong one, of which a diagnostic says why, has no condition: the rules
    /// that it is for are known as far as it names them.
    Filter(Box<Filter<'a>>),
    /// A correlation without errors, before [`link`] has put the rules in place that it names. [`link`] leaves none.
    Unlinked(Box<Unlinked<'a>>),
    /// A correlation with its rules.
    Correlation(Box<Correlation<'a>>),
    /// Something that is meant as a rule and is wrong; a diagnostic of class `Invalid` says why.
    Invalid,
    /// Right, but not supported as yet; a diagnostic of class `Refusal` says why.
    Refused,
    /// No Sigma rule, or one that only lends its attributes to others (`action: global`), or a filter or a rule that was used
    /// up.
    Skipped,
}

impl Document<'_> {
    /// The place to point at for the document as a whole; none if nothing is known of it.
    #[must_use]
    pub fn place(&self) -> Option<Span> {
        match &self.kind {
            Kind::Rule(rule) => Some(Span { end: rule.span.start, ..rule.span }),
            Kind::Unlinked(unlinked) => Some(unlinked.span),
            Kind::Correlation(correlation) => Some(correlation.span),
            Kind::Filter(filter) => Some(filter.span),
            Kind::Invalid | Kind::Refused | Kind::Skipped => {
                let error = |found: &&Diagnostic| matches!(found.code.class(), Class::Invalid | Class::Refusal);
                self.diagnostics.iter().find(error).and_then(Diagnostic::span)
            }
        }
    }
}

/// Parses one source text: its documents, in order.
pub fn parse<'a>(sources: &'a SourceMap, id: SourceId) -> Vec<Document<'a>> {
    let place = yaml::Place { id, text: sources.get(id).text() };
    let merged = collection::merge(yaml::load(place));
    merged.into_iter().enumerate().map(|(at, merged)| rule::document(at + 1, merged, place)).collect()
}

/// Every modifier of the language, in alphabetical order.
#[must_use]
pub fn modifiers() -> &'static [Modifier] {
    modifier::TABLE
}
