//! Ignoring case by regular expressions with both cases of each letter: `[aA][bB]`.

use sigcast_ir::Pattern;

use super::regex;
use crate::say::Refusal;

/// The pattern as a regular expression in the syntax of Lucene's engine, without slashes, that matches in any case.
///
/// ASCII letters have their two cases; other letters all those of simple case folding. Placeholders are resolved before.
///
/// # Errors
/// An expression beyond the limits of the servers that run it.
pub fn lucene(pattern: &Pattern<'_>) -> Result<String, Refusal> {
    regex::any_case(pattern)
}

#[cfg(test)]
mod tests {
    use sigcast_diagnostics::Code;
    use sigcast_ir::Part;

    use super::*;

    fn check(parts: &[Part<'static>], expected: &str) {
        assert_eq!(lucene(&Pattern::from_parts(parts.iter().cloned())).as_deref(), Ok(expected));
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

    #[test]
    fn servers_take_only_so_much() {
        let refused = |parts: Vec<Part<'static>>| lucene(&Pattern::from_parts(parts)).err().map(|refusal| refusal.code);
        assert_eq!(refused(vec![Part::Text("a".repeat(250).into())]), None);
        assert_eq!(refused(vec![Part::Text("a".repeat(251).into())]), Some(Code::RegexTooComplex));
        let gap = |length: usize| {
            let mut parts = vec![Part::AnyRun, Part::Text("a".into())];
            parts.extend(vec![Part::AnyOne; length]);
            parts.extend([Part::Text("b".into()), Part::AnyRun]);
            refused(parts)
        };
        assert_eq!(gap(8), None);
        assert_eq!(gap(40), Some(Code::RegexTooComplex));
    }
}
