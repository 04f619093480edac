//! Text patterns.
//!
//! Invariant: a match takes one pass over the text for each piece between two `*`, and never goes back to an earlier
//! piece: the leftmost place of a piece is always as good as any later one.

use sigcast_ir::{Case, Part, Pattern};

use crate::fold;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    /// The pieces between any runs: the first is anchored at the start, the last at the end. Never empty; one piece
    /// alone is the whole text. `None` is `?`.
    pieces: Vec<Vec<Option<char>>>,
    ignore_case: bool,
}

impl Glob {
    /// Compiles a pattern, or gives the name of its placeholder.
    pub(crate) fn new(pattern: &Pattern<'_>, case: Case) -> Result<Self, String> {
        let ignore_case = case == Case::Insensitive;
        let mut pieces = vec![Vec::new()];
        let mut last = Vec::new();
        for part in pattern.parts() {
            match part {
                Part::Text(text) => last.extend(fold::chars(text, ignore_case).into_iter().map(Some)),
                Part::AnyOne => last.push(None),
                Part::AnyRun => {
                    if let Some(piece) = pieces.last_mut() {
                        *piece = std::mem::take(&mut last);
                    }
                    pieces.push(Vec::new());
                }
                Part::Placeholder(name) => return Err(name.clone().into_owned()),
            }
        }
        if let Some(piece) = pieces.last_mut() {
            *piece = last;
        }
        Ok(Self { pieces, ignore_case })
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text = fold::chars(text, self.ignore_case);
        let (first, rest) = match self.pieces.split_first() {
            Some((first, rest)) => (first.as_slice(), rest),
            None => (&[][..], &[][..]),
        };
        let Some((last, middle)) = rest.split_last() else { return fits(first, &text) };
        if text.len() < first.len() + last.len() {
            return false;
        }
        let (start, inner) = text.split_at(first.len());
        let (mut inner, end) = inner.split_at(inner.len() - last.len());
        if !fits(first, start) || !fits(last, end) {
            return false;
        }
        for piece in middle.iter().filter(|piece| !piece.is_empty()) {
            let Some(at) = inner.windows(piece.len()).position(|window| fits(piece, window)) else { return false };
            inner = &inner[at + piece.len()..];
        }
        true
    }
}

/// Whether a piece is exactly this text.
fn fits(piece: &[Option<char>], text: &[char]) -> bool {
    piece.len() == text.len() && piece.iter().zip(text).all(|(wanted, c)| wanted.is_none_or(|wanted| wanted == *c))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// `*` and `?` in `pattern` are wildcards, without escapes.
    fn check(pattern: &'static str, text: &str, expected: bool) {
        let parts = pattern.split_inclusive(['*', '?']).flat_map(|part| {
            let literal = part.trim_end_matches(['*', '?']);
            let wildcard = match &part[literal.len()..] {
                "*" => Some(Part::AnyRun),
                "?" => Some(Part::AnyOne),
                _ => None,
            };
            std::iter::once(Part::Text(Cow::Borrowed(literal))).chain(wildcard)
        });
        let glob = Glob::new(&Pattern::from_parts(parts), Case::Insensitive).expect("no placeholder");
        assert_eq!(glob.matches(text), expected, "{pattern} on {text}");
    }

    #[test]
    fn wildcards() {
        check("", "", true);
        check("", "a", false);
        check("*", "", true);
        check("abc", "ABC", true);
        check("a*c", "ac", true);
        check("a*c", "a", false);
        check("a*a", "a", false);
        check("ab*ba", "aba", false);
        check("*ab*ab*", "abab", true);
        check("*ab*ab*", "aba", false);
        check("*aab*", "aaab", true);
        check("a?c", "aéc", true);
        check("a?c", "ac", false);
        check("?", "", false);
        check("??", "😀b", true);
        check("??", "😀", false);
        check("*?", "", false);
        check("?*?", "ab", true);
        check("?*?", "a", false);
        check("*a?*b", "aab", true);
        check("*a?*b", "ab", false);
        check("a*b*c", "a\nb\nc", true);
    }

    #[test]
    fn many_runs_are_no_trouble() {
        let text = "a".repeat(20_000);
        let parts = (0..200).flat_map(|_| [Part::AnyRun, Part::Text(Cow::Borrowed("aaaaaaaaab"))]);
        let glob = Glob::new(&Pattern::from_parts(parts), Case::Sensitive).expect("no placeholder");
        assert!(!glob.matches(&text));
    }
}
