//! Regular expressions of one dialect in another, over the tree of `regex-syntax`.
//!
//! | step | before | after |
//! |---|---|---|
//! | `tree` | PCRE's text | a tree of classes, sequences, alternatives, repetitions and conditions |
//! | `anchor` | a search | a match of the whole text, for engines and languages that know no other |
//! | `lucene`, `re2`, `postgres`, `patterns`, `required` | the tree | the target's text, or text patterns |
//!
//! Invariant: what comes out matches the same texts, or the construct that stands in the way is named. The one exception
//! has its own question, [`assumes_single_lines`]: Lucene's and a pattern's wildcard take a line break, PCRE's `.` does
//! not, and to write that out would put raw line breaks into every query with a `.*`. An expression that itself speaks
//! of line breaks (`\n`, or the flag `m`) is always translated to the letter.

mod anchor;
mod effort;
mod lucene;
mod patterns;
mod pcre;
mod postgres;
mod print;
mod re2;
mod required;
mod tree;

#[cfg(test)]
mod tests;

use sigcast_diagnostics::Code;
use sigcast_ir::{Pattern, Regex, Test};

use crate::say::Refusal;

pub(in crate::passes) use lucene::any_case;

/// The expression in the syntax of Lucene's engine, without slashes: anchored to the whole value, so padded with `.*`
/// where the source is not.
///
/// # Errors
/// A construct that the engine does not have, or an expression beyond the limits of the servers that run it.
pub fn lucene(regex: &Regex<'_>) -> Result<String, Refusal> {
    let whole = anchor::whole(tree::parse(regex)?)?;
    if lucene::too_large(&whole.node) {
        return Err(tree::refused("Unicode class of that size"));
    }
    let text = lucene::write(&whole);
    lucene::within_limits(&text, &whole.node)?;
    Ok(text)
}

/// Whether [`lucene`] and [`patterns`] give the same matches only as long as values hold no line break.
#[must_use]
pub fn assumes_single_lines(regex: &Regex<'_>) -> bool {
    tree::parse(regex).and_then(anchor::whole).is_ok_and(|whole| whole.single_line)
}

/// The expression in the syntax that RE2 and Rust's `regex` share, unanchored, with its flags inline.
///
/// # Errors
/// A construct that those engines do not have.
pub fn re2(regex: &Regex<'_>) -> Result<String, Refusal> {
    re2::write(tree::parse(regex)?)
}

/// The expression in the syntax of PostgreSQL's operator `~`, unanchored, with its flags inline.
///
/// # Errors
/// A construct that the engine does not have, or reads by its locale.
pub fn postgres(regex: &Regex<'_>) -> Result<String, Refusal> {
    postgres::write(tree::parse(regex)?)
}

/// The expression in the syntax of PCRE, unanchored, with its flags inline.
///
/// # Errors
/// None as yet: PCRE has every construct.
pub fn pcre(regex: &Regex<'_>) -> Result<String, Refusal> {
    Ok(pcre::write(&regex.source, regex.flags))
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
    let whole = tree::parse(regex).and_then(anchor::whole).map_err(|refusal| {
        let reason = match refusal.reason.strip_prefix(tree::HAVE_NO) {
            Some(construct) => format!("text patterns have no {construct}"),
            None => refusal.reason,
        };
        Refusal::new(Code::RegexUnsupported, reason)
    })?;
    patterns::write(&whole, limits)
}

/// The text that every match of the expression contains, as a pattern of runs that ignores case; `None` if there is none.
#[must_use]
pub fn required(regex: &Regex<'_>) -> Option<Pattern<'static>> {
    required::pattern(&tree::parse(regex).ok()?)
}
