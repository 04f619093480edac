//! Conditions over the names of detections.

use std::borrow::Cow;

use sigcast_diagnostics::Span;

/// How many of the matched detections must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// `1 of` or `any of`.
    Any,
    /// `all of`.
    All,
}

/// A condition, as written: nothing is flattened, parentheses show as nesting.
///
/// Detections are indices into [`crate::Rule::detections`]; they exist.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition<'a> {
    /// All of them; two or more.
    And(Vec<Condition<'a>>),
    /// One of them; two or more.
    Or(Vec<Condition<'a>>),
    /// Not this.
    Not(Box<Condition<'a>>),
    /// A detection by name.
    Detection {
        /// Which one.
        index: usize,
        /// Where it is named.
        span: Span,
    },
    /// `1 of them`, `all of selection_*`.
    Of {
        /// How many.
        quantifier: Quantifier,
        /// The pattern as written, or `them`.
        pattern: Cow<'a, str>,
        /// The detections it matches, in the rule's order; never empty.
        matched: Vec<usize>,
        /// Where it stands.
        span: Span,
    },
}
