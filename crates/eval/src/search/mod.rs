//! Regular expressions, searched for anywhere in a text, with PCRE's meaning.
//!
//! Linear-time expressions run on the `regex` crate; those with PCRE's own constructs on `fancy-regex`, with a limit of
//! steps. `pcre` rewrites both so that they mean there what they mean to PCRE.
//!
//! Invariant: what would mean something else to the engine is rewritten or refused. One difference is known: with `i`,
//! a `\w` inside brackets takes the two characters beyond ASCII that fold to ASCII letters (`ſ` and the Kelvin sign).

mod pcre;

use sigcast_ir::Regex;

use crate::error::EvalFault;

/// Steps of backtracking on one text.
const STEPS: usize = 200_000;

/// The constructs of PCRE that `fancy-regex` runs with the same meaning.
const RUNNABLE: &[&str] = &[
    "look-ahead",
    "look-behind",
    "back-reference",
    "atomic group",
    "possessive quantifier",
    "conditional group",
    r"escape \K",
    r"escape \G",
    r"escape \Z",
    r"escape \R",
    r"escape \H",
    r"escape \V",
    r"escape \N",
];

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    /// Runs on every text that does not end in a line break, and on those too unless there is a `backtracking` one.
    linear: Option<regex::Regex>,
    /// Runs on the others: minds PCRE's special treatment of a line break at the end of the text.
    backtracking: Option<fancy_regex::Regex>,
}

impl Search {
    /// Compiles an expression.
    pub(crate) fn new(regex: &Regex<'_>) -> Result<Self, EvalFault> {
        if let Some(construct) = regex.opaque {
            if !RUNNABLE.contains(&construct) {
                return Err(EvalFault::Regex(format!("its construct ({construct}) has no engine here")));
            }
            let rewritten = pcre::rewrite(&regex.source, regex.flags, pcre::Engine::Backtracking)?;
            return Ok(Self { linear: None, backtracking: Some(backtracking(&rewritten.text)?) });
        }
        let rewritten = pcre::rewrite(&regex.source, regex.flags, pcre::Engine::Linear)?;
        let linear = regex::Regex::new(&rewritten.text).map_err(|error| EvalFault::Regex(last_line(&error)))?;
        let backtracking = if rewritten.minds_last_break {
            let rewritten = pcre::rewrite(&regex.source, regex.flags, pcre::Engine::Backtracking)?;
            Some(backtracking(&rewritten.text)?)
        } else {
            None
        };
        Ok(Self { linear: Some(linear), backtracking })
    }

    /// Whether the expression is found in the text.
    pub(crate) fn found(&self, text: &str) -> Result<bool, EvalFault> {
        match (&self.linear, &self.backtracking) {
            (Some(linear), None) => Ok(linear.is_match(text)),
            (Some(linear), Some(_)) if !text.ends_with('\n') => Ok(linear.is_match(text)),
            (_, Some(backtracking)) => backtracking.is_match(text).map_err(|_| EvalFault::RegexSteps),
            (None, None) => Ok(false),
        }
    }
}

fn backtracking(source: &str) -> Result<fancy_regex::Regex, EvalFault> {
    fancy_regex::RegexBuilder::new(source)
        .backtrack_limit(STEPS)
        .build()
        .map_err(|error| EvalFault::Regex(last_line(&error)))
}

/// The engines' messages draw the expression first; what is wrong stands last.
fn last_line(error: &impl std::fmt::Display) -> String {
    let shown = error.to_string();
    shown.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use sigcast_ir::RegexFlags;

    use super::*;

    /// `flags`: letters of `ims`; a construct behind a `:` makes it opaque.
    fn check(source: &'static str, flags: &str, text: &str, expected: bool) {
        let (flags, opaque) = match flags.split_once(':') {
            Some((flags, construct)) => (flags, RUNNABLE.iter().find(|known| **known == construct).copied()),
            None => (flags, None),
        };
        let regex = Regex {
            source: Cow::Borrowed(source),
            flags: RegexFlags {
                ignore_case: flags.contains('i'),
                multiline: flags.contains('m'),
                dot_all: flags.contains('s'),
            },
            opaque,
        };
        let search = Search::new(&regex).unwrap_or_else(|fault| panic!("{source}: {fault:?}"));
        assert_eq!(search.found(text), Ok(expected), "{source} ({flags}) in {text:?}");
    }

    #[test]
    fn searches_anywhere_and_minds_case() {
        check("b+", "", "abc", true);
        check("B", "", "abc", false);
        check("B", "i", "abc", true);
        check("(?i)B", "", "abc", true);
        check("é", "i", "É", true);
        check("^b", "", "abc", false);
    }

    #[test]
    fn sets_are_ascii() {
        check(r"\d", "", "٣", false);
        check(r"\d", "", "3", true);
        check(r"\w", "", "é", false);
        check(r"^\W$", "", "é", true);
        check(r"\w", "i", "ſ", false);
        check(r"\s", "", "\u{a0}", false);
        check(r"\s", "", "\u{b}", true);
        check(r"[\s]", "", "\u{a0}", false);
        check(r"^[^\d]$", "", "٣", true);
        check(r"^[\D]$", "", "3", false);
        check(r"^[^\D]$", "", "3", true);
        check(r"\bx", "", "éx", true);
        check(r"\Bx", "", "éx", false);
        check(r"\Bx", "", "ax", true);
        check(r"[\w.-]+@", "", "a.b-c@", true);
        check(r"[[:alpha:]_]", "", "1_", true);
    }

    #[test]
    fn a_line_break_at_the_end() {
        check("a$", "", "a\n", true);
        check("a$", "", "a\n\n", false);
        check("a$", "", "a\nb", false);
        check(r"a\z", "", "a\n", false);
        check("a$", "m", "a\nb", true);
        check("^b", "m", "a\nb", true);
        check("^$", "m", "a\n", false);
        check("^$", "m", "a\n\nb", true);
        check("(?m:^b)", "", "a\nb\n", true);
        check("(?m)^b(?-m)$", "", "a\nb\n", true);
        check("a$|b", "", "xb\n", true);
        check(r"a\$", "", "a$\n", true);
        check("[$]", "", "$\n", true);
        check("a.b", "", "a\nb", false);
        check("a.b", "s", "a\nb", true);
        check("a.", "", "a\r", true);
    }

    #[test]
    fn what_only_pcre_has() {
        check("a(?!b)", ":look-ahead", "ac", true);
        check("a(?!b)", ":look-ahead", "ab", false);
        check(r"(?<!\d)x$", ":look-behind", "٣x\n", true);
        check(r"(a|b)\1", ":back-reference", "xbb", true);
        check(r"(a|b)\1", ":back-reference", "aB", false);
        check(r"(a|b)\1", "i:back-reference", "aA", true);
        check(r"(?<q>['\x22])x\k<q>", ":back-reference", "'x'", true);
        check(r"(?'q'a)\k'q'", ":back-reference", "aa", true);
        check(r"(a)\g{1}0", ":back-reference", "aa0", true);
        check("a++a", ":possessive quantifier", "aaa", false);
        check("(?>a+)b", ":atomic group", "aab", true);
        check("(a)?(?(1)b|c)", ":conditional group", "ab", true);
        check(r"a\Kb", r":escape \K", "ab", true);
        check(r"a\Z", r":escape \Z", "a\n", true);
        check(r"a\Rb", r":escape \R", "a\r\nb", true);
        check(r"^\N+\z", r":escape \N", "a\nb", false);
        check(r"^\H+$", r":escape \H", "a b", false);
        check("(?=x)[a[x]", ":look-ahead", "x", true);
        check("(?=x)[a&&x]", ":look-ahead", "x", true);
        check(r"(?=\$)${x", ":look-ahead", "${x", false);
        check(r"(?=\$)\${x", ":look-ahead", "${x", true);
        check(r"(?=a)\Qa.\E", ":look-ahead", "ab", false);
        check(r"(?=a)a(?#b)c", ":look-ahead", "ac", true);
    }

    #[test]
    fn too_many_steps_are_no_answer() {
        let regex = Regex {
            source: Cow::Borrowed(r"^(a|aa)+(?!b)\1$"),
            flags: RegexFlags::default(),
            opaque: Some("look-ahead"),
        };
        let search = Search::new(&regex).expect("compiles");
        assert_eq!(search.found(&format!("{}c", "a".repeat(200))), Err(EvalFault::RegexSteps));
    }

    #[test]
    fn what_has_no_engine_is_refused() {
        let regex = Regex { source: Cow::Borrowed("(?R)"), flags: RegexFlags::default(), opaque: Some("recursion") };
        assert!(matches!(Search::new(&regex), Err(EvalFault::Regex(reason)) if reason.contains("recursion")));
    }
}
