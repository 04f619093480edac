//! Ignoring case by regular expressions with both cases of each letter: `[aA][bB]`.

use sigcast_ir::{Part, Pattern};

use super::regex;

/// The pattern as a regular expression in the syntax of Lucene's engine, without slashes, that matches in any case.
///
/// ASCII letters have their two cases; other letters all those of simple case folding. Placeholders are resolved before.
#[must_use]
pub fn lucene(pattern: &Pattern<'_>) -> String {
    let mut out = String::new();
    for part in pattern.parts() {
        match part {
            Part::Text(text) => text.chars().for_each(|c| regex::any_case(&mut out, c)),
            Part::AnyRun => out.push_str(".*"),
            Part::AnyOne => out.push('.'),
            Part::Placeholder(_) => {}
        }
    }
    if out.is_empty() {
        // An expression without text would be no expression to the query parser.
        out.push_str("()");
    }
    regex::ended(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &[Part<'static>], expected: &str) {
        assert_eq!(lucene(&Pattern::from_parts(parts.iter().cloned())), expected);
    }

    #[test]
    fn each_letter_has_its_cases() {
        let text = |text: &'static str| Part::Text(text.into());
        check(&[Part::AnyRun, text(r"\Cmd.exe")], r".*\\[cC][mM][dD]\.[eE][xX][eE]");
        check(&[text("a/b"), Part::AnyOne, Part::AnyRun], r"[aA]\/[bB]..*");
        check(&[text("Éσ1")], "[éÉ][Σςσ]1");
        check(&[text("<\"#@&~>")], r#"\<\"\#\@\&\~\>"#);
        check(&[text(r"c:\")], r"[cC]:[\\]");
        check(&[], "()");
    }
}
