//! Regular expressions of one dialect in another, over the tree of `regex-syntax`.

use sigcast_diagnostics::Code;
use sigcast_ir::{Pattern, Regex, Test};

use crate::say::Refusal;

/// The expression in the syntax of Lucene's engine, without slashes: anchored to the whole value, so padded with `.*`
/// where the source is not.
///
/// # Errors
/// A construct that the engine does not have.
pub fn lucene(regex: &Regex<'_>) -> Result<String, Refusal> {
    let _ = regex;
    Err(Refusal::new(Code::RegexConstruct, "not yet"))
}

/// The expression in the syntax of RE2, unanchored, with its flags inline.
///
/// # Errors
/// A construct that the engine does not have.
pub fn re2(regex: &Regex<'_>) -> Result<String, Refusal> {
    let _ = regex;
    Err(Refusal::new(Code::RegexConstruct, "not yet"))
}

/// The expression in the syntax of PCRE, unanchored, with its flags inline.
///
/// # Errors
/// None as yet: PCRE has every construct.
pub fn pcre(regex: &Regex<'_>) -> Result<String, Refusal> {
    let _ = regex;
    Err(Refusal::new(Code::RegexConstruct, "not yet"))
}

/// What text patterns a language can say.
#[derive(Debug, Clone, Copy)]
pub struct PatternLimits {
    /// Whether there is a wildcard for exactly one character.
    pub singles: bool,
    /// How many patterns are worth it.
    pub most: usize,
}

/// The expression as text patterns, one of which must match, for languages without regular expressions.
///
/// # Errors
/// An expression that is no small set of patterns.
pub fn patterns(regex: &Regex<'_>, limits: PatternLimits) -> Result<Vec<Test<'static>>, Refusal> {
    let _ = (regex, limits);
    Err(Refusal::new(Code::RegexUnsupported, "not yet"))
}

/// The text that every match of the expression contains, as a pattern of runs; `None` if there is none.
#[must_use]
pub fn required(regex: &Regex<'_>) -> Option<Pattern<'static>> {
    let _ = regex;
    None
}
