//! Regular expressions: PCRE as rules write it, checked and normalised with `regex-syntax`.
//!
//! Invariant: an expression that is not opaque parses with `regex-syntax` and means there what it means to PCRE;
//! an opaque one is handed on verbatim and never called wrong. `$` keeps its PCRE meaning (it also matches before a
//! final line break): that is for those to mind who run the expression elsewhere.

use std::borrow::Cow;

use regex_syntax::ast::parse::Parser;

mod normalise;

/// A checked expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked<'a> {
    /// The expression; rewritten where `regex-syntax` would read it otherwise.
    pub(crate) source: Cow<'a, str>,
    /// The construct that only engines with PCRE's reach have.
    pub(crate) opaque: Option<&'static str>,
}

/// Why an expression does not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) reason: String,
    /// Bytes of the expression as written.
    pub(crate) start: usize,
    /// One past the last byte.
    pub(crate) end: usize,
}

/// How long an expression may be, in bytes; engines take less.
const MAX_BYTES: usize = 16 << 10;

/// Checks an expression.
pub(crate) fn check<'a>(source: &Cow<'a, str>) -> Result<Checked<'a>, Fault> {
    if source.len() > MAX_BYTES {
        return Err(Fault { reason: format!("it is longer than {MAX_BYTES} bytes"), start: 0, end: source.len() });
    }
    let normal = match normalise::normalise(source) {
        normalise::Outcome::Opaque(construct) => {
            return Ok(Checked { source: source.clone(), opaque: Some(construct) });
        }
        normalise::Outcome::Normal(normal) => normal,
    };
    let text = normal.text.as_deref().unwrap_or(source);
    match Parser::new().parse(text) {
        Ok(_) => Ok(Checked { source: normal.text.map_or_else(|| source.clone(), Cow::Owned), opaque: None }),
        Err(error) => {
            let span = error.span();
            let start = normal.original(span.start.offset).min(source.len());
            // A fault between two characters is shown at the one behind it.
            let next = source.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            let end = normal.original(span.end.offset).clamp(start + next, source.len());
            Err(Fault { reason: error.kind().to_string(), start, end })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_as(input: &str, expected: &str) {
        let shown = match check(&Cow::Borrowed(input)) {
            Ok(Checked { source, opaque: None }) => source.into_owned(),
            Ok(Checked { source, opaque: Some(construct) }) => {
                assert_eq!(source, input);
                format!("opaque: {construct}")
            }
            Err(fault) => format!("{}..{}: {}", fault.start, fault.end, fault.reason),
        };
        assert_eq!(shown, expected, "{input}");
    }

    #[test]
    fn usual_expressions_stay() {
        for source in
            [r"\d+\.exe$", r"(?i)foo", r"(?:a|b){2,3}?", r"[\w.-]+@[^\s]", r"a{2}", r"(?P<n>x)", r"\p{L}", "[]a]"]
        {
            check_as(source, source);
            assert!(matches!(check(&Cow::Borrowed(source)), Ok(Checked { source: Cow::Borrowed(_), .. })), "{source}");
        }
    }

    #[test]
    fn escapes_that_only_pcre_takes_are_normalised() {
        check_as(r"\<b\>", "<b>");
        check_as(r"\/\'\_\-", r"\/\'\_\-");
        check_as(r"[\<\/]", r"[<\/]");
        check_as(r"\é", "é");
        check_as(r"\e\h", r"\x1B[\t \xA0\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]");
        check_as(r"\Qa.b\E+", r"a\.b+");
        check_as(r"\cA", r"\x01");
        check_as(r"\012", r"\x0A");
    }

    #[test]
    fn braces_and_brackets_that_are_literal_stay_so() {
        check_as(r"${env:x}", r"$\{env:x}");
        check_as("a{", r"a\{");
        check_as("[a[b]", r"[a\[b]");
        check_as("[[:alpha:]x]", "[[:alpha:]x]");
        check_as("[a&&b]", r"[a\&\&b]");
        check_as("[a~~b]", r"[a\~\~b]");
        check_as("[!--]", r"[!--]");
        check_as(r"[\w-.]", r"[\w\-.]");
        check_as(r"[.-\w]", r"[.\-\w]");
        check_as(r"[\w-]", r"[\w-]");
        check_as(r"[[:alpha:]-z]", r"[[:alpha:]\-z]");
        check_as(r"[a-c-e]", r"[a-c-e]");
        check_as("(?'n'a)", "(?P<n>a)");
        check_as("a(?#note)b", "ab");
    }

    #[test]
    fn what_only_pcre_can_run_is_opaque() {
        for (source, construct) in [
            ("a(?=b)", "look-ahead"),
            ("a(?!b)", "look-ahead"),
            ("(?<=a)b", "look-behind"),
            ("(?<!a)b", "look-behind"),
            (r"(a)\1", "back-reference"),
            (r"(?<q>a)\k<q>", "back-reference"),
            ("(?>a)", "atomic group"),
            ("a++", "possessive quantifier"),
            ("a{2}+", "possessive quantifier"),
            ("(?(1)a|b)", "conditional group"),
            ("(?R)", "recursion"),
            (r"a\Kb", r"escape \K"),
            ("(?|a|b)", "branch reset"),
            ("(*UCP)a", "verb"),
        ] {
            check_as(source, &format!("opaque: {construct}"));
        }
    }

    #[test]
    fn faults_point_at_their_place() {
        check_as("ab(c", "2..3: unclosed group");
        check_as("ab)c", "2..3: unopened group");
        check_as("*a", "0..1: repetition operator missing expression");
        check_as("[z-a]", "1..4: invalid character class range, the start must be <= the end");
        check_as(r"\<\<(", "4..5: unclosed group");
        check_as(r"a\", "1..2: incomplete escape sequence, reached end of pattern prematurely");
    }
}
