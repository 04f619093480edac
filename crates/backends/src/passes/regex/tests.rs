//! Tests of all translations against the `regex` crate, and tables of what comes out.

use std::borrow::Cow;

use proptest::prelude::*;
use sigcast_ir::{Case, Part, Pattern, Regex, RegexFlags, Test};

use super::{PatternLimits, assumes_single_lines, lucene, patterns, pcre, re2, required};

fn expression(source: &str, flags: &str) -> Regex<'static> {
    let flags =
        RegexFlags { ignore_case: flags.contains('i'), multiline: flags.contains('m'), dot_all: flags.contains('s') };
    Regex { source: Cow::Owned(source.to_owned()), flags, opaque: None }
}

/// The expression as the `regex` crate searches for it with PCRE's meaning: classes ASCII, `$` before a last line break.
fn oracle(regex: &Regex<'_>) -> regex::Regex {
    let mut source = String::new();
    let mut in_class = false;
    let mut chars = regex.source.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(named @ ('d' | 's' | 'w' | 'D' | 'W' | 'S')) => {
                    let sign = if named.is_ascii_uppercase() { "^" } else { "" };
                    let name = match named.to_ascii_lowercase() {
                        'd' => "digit",
                        's' => "space",
                        _ => "word",
                    };
                    let class = format!("[:{sign}{name}:]");
                    source.push_str(&if in_class { class } else { format!("[{class}]") });
                }
                Some('b') => source.push_str(r"(?-u:\b)"),
                Some('B') => source.push_str(r"(?-u:\B)"),
                Some(other) => source.extend(['\\', other]),
                None => source.push('\\'),
            },
            '$' if !in_class && !regex.flags.multiline => source.push_str(r"(?:\z|\n\z)"),
            c => {
                in_class = (in_class || c == '[') && c != ']';
                source.push(c);
            }
        }
    }
    regex::RegexBuilder::new(&source)
        .case_insensitive(regex.flags.ignore_case)
        .multi_line(regex.flags.multiline)
        .dot_matches_new_line(regex.flags.dot_all)
        .build()
        .expect("the oracle reads the expression")
}

/// Reads Lucene's syntax, by its own grammar and not by the writer's: gives the expression for the `regex` crate.
struct Lucene<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    out: String,
}

impl Lucene<'_> {
    fn read(text: &str) -> regex::Regex {
        let mut reader = Lucene { rest: text.chars().peekable(), out: String::new() };
        reader.union();
        assert_eq!(reader.rest.peek(), None, "the whole of {text:?} is read");
        regex::Regex::new(&format!("^(?:{})$", reader.out)).expect("what was read is an expression")
    }

    fn union(&mut self) {
        loop {
            self.sequence();
            if self.rest.next_if_eq(&'|').is_none() {
                return;
            }
            self.out.push('|');
        }
    }

    fn sequence(&mut self) {
        assert!(!matches!(self.rest.peek(), None | Some('|' | ')')), "Lucene has no empty alternative");
        while !matches!(self.rest.peek(), None | Some('|' | ')')) {
            self.simple();
            while let Some(c) = self.rest.next_if(|c| matches!(c, '?' | '*' | '+' | '{')) {
                self.out.push(c);
                while c == '{' && !self.out.ends_with('}') {
                    self.out.push(self.rest.next().expect("a repetition is closed"));
                }
                // Lucene applies the next sign to all before it; here it would mean laziness.
                assert!(!matches!(self.rest.peek(), Some('?' | '*' | '+' | '{')), "repetitions are grouped");
            }
        }
    }

    fn simple(&mut self) {
        match self.rest.next().expect("something is left") {
            '.' => self.out.push_str("(?s:.)"),
            '(' => {
                self.out.push_str("(?:");
                if self.rest.peek() != Some(&')') {
                    self.union();
                }
                assert_eq!(self.rest.next(), Some(')'));
                self.out.push(')');
            }
            '[' => self.class(),
            '\\' => {
                let c = self.rest.next().expect("a backslash escapes something");
                assert!(!c.is_ascii_alphanumeric(), "\\{c}");
                self.out.push_str(&regex::escape(&c.to_string()));
            }
            operator @ ('"' | '#' | '@' | '&' | '<' | '~' | '/') => panic!("{operator} is an operator"),
            c => self.out.push_str(&regex::escape(&c.to_string())),
        }
    }

    fn class(&mut self) {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        loop {
            let (start, escaped) = self.member();
            self.out.push_str(&escape_in_class(start));
            // An escaped backslash starts no range.
            if !(escaped && start == '\\') && self.rest.next_if_eq(&'-').is_some() {
                let (end, _) = self.member();
                self.out.push('-');
                self.out.push_str(&escape_in_class(end));
            }
            if self.rest.next_if_eq(&']').is_some() {
                self.out.push(']');
                return;
            }
        }
    }

    fn member(&mut self) -> (char, bool) {
        match self.rest.next().expect("a class is closed") {
            '\\' => (self.rest.next().expect("a backslash escapes something"), true),
            c => (c, false),
        }
    }
}

fn escape_in_class(c: char) -> String {
    format!(r"\x{{{:X}}}", u32::from(c))
}

/// Whether the pattern matches, by trying every place for every run.
fn glob(parts: &[Part<'_>], text: &str, case: Case) -> bool {
    let same = |a: char, b: char| a == b || case == Case::Insensitive && a.to_lowercase().eq(b.to_lowercase());
    match parts.split_first() {
        None => text.is_empty(),
        Some((Part::AnyRun, rest)) => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| glob(rest, &text[at..], case))
        }
        Some((Part::AnyOne, rest)) => {
            let mut chars = text.chars();
            chars.next().is_some() && glob(rest, chars.as_str(), case)
        }
        Some((Part::Text(literal), rest)) => {
            let mut chars = text.chars();
            literal.chars().all(|c| chars.next().is_some_and(|d| same(c, d))) && glob(rest, chars.as_str(), case)
        }
        Some((Part::Placeholder(_), _)) => false,
    }
}

fn shown(pattern: &Pattern<'_>) -> String {
    let part = |part: &Part<'_>| match part {
        Part::Text(text) => text.to_string(),
        Part::AnyRun => "*".to_owned(),
        Part::AnyOne => "?".to_owned(),
        Part::Placeholder(name) => format!("%{name}%"),
    };
    pattern.parts().iter().map(part).collect()
}

const SINGLES: PatternLimits = PatternLimits { singles: true, most: 64 };
const RUNS: PatternLimits = PatternLimits { singles: false, most: 64 };

/// Each translation of the expression gives the oracle's answer on the text.
fn agrees(regex: &Regex<'_>, texts: &[String]) -> Result<(), TestCaseError> {
    let truth = oracle(regex);
    let single = assumes_single_lines(regex);
    let lucene = lucene(regex).ok().map(|text| (Lucene::read(&text), text));
    let re2 = re2(regex).ok().map(|text| (regex::Regex::new(&text).expect("RE2's syntax is read"), text));
    let sets: Vec<_> = [SINGLES, RUNS].into_iter().filter_map(|limits| patterns(regex, limits).ok()).collect();
    let needed = required(regex);
    for text in texts {
        let expected = truth.is_match(text);
        if let Some((read, written)) = &re2 {
            prop_assert_eq!(read.is_match(text), expected, "{:?} as RE2 {:?} on {:?}", regex, written, text);
        }
        if let Some(needed) = &needed {
            let found = glob(needed.parts(), text, Case::Insensitive);
            prop_assert!(found || !expected, "{:?} needs {} on {:?}", regex, shown(needed), text);
        }
        if single && text.contains('\n') {
            continue;
        }
        if let Some((read, written)) = &lucene {
            prop_assert_eq!(read.is_match(text), expected, "{:?} as Lucene {:?} on {:?}", regex, written, text);
        }
        for set in &sets {
            let found = set.iter().any(|test| match test {
                Test::Text { pattern, case } => glob(pattern.parts(), text, *case),
                _ => false,
            });
            prop_assert_eq!(found, expected, "{:?} as {:?} on {:?}", regex, set, text);
        }
    }
    Ok(())
}

/// One expression and what becomes of it.
fn check(translate: impl Fn(&Regex<'_>) -> String, source: &str, flags: &str, expected: &str) {
    assert_eq!(translate(&expression(source, flags)), expected, "{source}");
}

fn said(result: Result<String, crate::say::Refusal>) -> String {
    result.unwrap_or_else(|refusal| format!("refused: {}", refusal.reason))
}

#[test]
fn pcre_is_verbatim_with_its_flags() {
    let check = |source, flags, expected| check(|regex| said(pcre(regex)), source, flags, expected);
    check(r"a(?=b)\/", "", r"a(?=b)\/");
    check("a|b", "ims", "(?ims)a|b");
    check("(*UCP)a", "i", "(*UCP)(?i)a");
}

#[test]
fn searches_become_matches_of_the_whole_text() {
    let check = |source, flags, expected| check(|regex| said(lucene(regex)), source, flags, expected);
    check("foo", "", ".*foo.*");
    check("^foo$", "", "foo");
    check(r"(^|/)x", "", r"(.*\/)?x.*");
    check(r"^[a-z]{3}$|^x", "", "[a-z]{3}|x.*");
    check(r"\$env:(a|b$)", "", r".*\$env:(a.*|b)");
    check("", "", ".*");
    check("^$", "", "()");
    check("(?:a|)b?", "", ".*");
    // Open ends need the least of what stands there.
    check(r".*a\s+b+?", "", ".*a[\t-\r ]+b.*");
    check("(.){200,}", "", ".*.{200}.*");
    // The syntax.
    check(r##"a"#@&<>~/b"##, "", r##".*a\"\#\@\&\<\>\~\/b.*"##);
    check(r"C:\\[^\\/]+\\$", "i", r".*[cC]:\\[^\/\\]+[\\]");
    check(r"[\[-_]", "", r".*[\[-_].*");
    check(r"[\\-z]", "", r".*[\\\]-z].*");
    check(r"\D\S\W[^\d_]", "", ".*[^0-9][^\t-\r ][^0-9A-Z_a-z][^0-9_].*");
    check(r"(?i)k\d(?-i:s)é", "", ".*[kK][0-9]s[éÉ].*");
    check(r"[[:xdigit:]]\x41\x{e9}", "", ".*[0-9A-Fa-f]Aé.*");
    // Line breaks, as soon as the expression speaks of them.
    check(r"a.b\n\n", "", ".*a[^\n]b\n{2}.*");
    check("a.b", "s", ".*a.b.*");
    check("^a$", "m", "(.*\n)?a(\n.*)?");
    // Word boundaries, where both sides are known.
    check(r"\bcmd\b", "", "(.*[^0-9A-Z_a-z])?cmd([^0-9A-Z_a-z].*)?");
    check(r"(?:\d(?:\.|\b)){2}", "", r".*[0-9]\.[0-9](\..*|([^0-9A-Z_a-z].*)?)");
    check(r"a\B-", "", "refused: the regular expression never matches");
    check(r"cmd\b.*x", "", r"refused: its regular expressions have no word boundary `\b`");
    check("(a|^b*)^c", "", "refused: its regular expressions have no `^` within an expression");
    check(r"\p{L}", "", "refused: its regular expressions have no Unicode class of that size");
}

#[test]
fn re2_reads_what_comes_out_as_pcre_does() {
    let check = |source, flags, expected| check(|regex| said(re2(regex)), source, flags, expected);
    check(r"\d\s-(?:W|R)\s?$", "", r"[0-9][\t-\r ]-(W|R)[\t-\r ]?\n?$");
    check(r"C:\\(?P<n>[^\\]+)\/\_", "i", r"(?i)C:\\[^\\]+/_");
    check("a(?i)b", "", "a[bB]");
    check("^a.b", "ms", r"(?m:^)a(?s:.)b");
    check(r"\bcmd\b", "", r"(^|[^0-9A-Z_a-z])cmd($|[^0-9A-Z_a-z])");
    check(r"cmd\b.*x", "", r"cmd(?-u:\b).*x");
}

#[test]
fn small_sets_become_patterns() {
    let all = |limits| {
        move |regex: &Regex<'_>| match patterns(regex, limits) {
            Err(refusal) => format!("refused: {}", refusal.reason),
            Ok(tests) => {
                let mut all = Vec::new();
                for test in tests {
                    if let Test::Text { pattern, case } = test {
                        let sign = if case == Case::Sensitive { "" } else { "i:" };
                        all.push(format!("{sign}{}", shown(&pattern)));
                    }
                }
                all.join(" ")
            }
        }
    };
    let runs = |source, flags, expected| check(all(RUNS), source, flags, expected);
    runs("foo", "", "*foo*");
    runs("^foo$", "i", "i:foo");
    runs("fo+", "", "*fo*");
    runs("a.*b", "", "*a*b*");
    runs("(^|/)x?[yz]", "", "y* z* xy* xz* */y* */z* */xy* */xz*");
    runs("a(b|bc|.*bd)e?", "", "*ab* *a*bd*");
    // Eight patterns that mind case or one that does not: the former, as long as they fit.
    runs("[Rr][Uu]n", "", "*RUn* *Run* *rUn* *run*");
    runs("[Aa][Bb][Cc][Dd][Ee][Ff][Gg]", "", "i:*abcdefg*");
    runs("[a-c]x", "i", "i:*ax* i:*bx* i:*cx*");
    runs(r"a\s+b", "", r"refused: `\s+` is no small set of texts");
    runs(r":[^\\]", "", r"refused: `[^\\]` is no small set of characters");
    runs("[0-9]{3}", "", "refused: the expression stands for more than 64 patterns");
    runs("a.b", "", "refused: there is no wildcard for exactly one character (`.`)");
    runs(r"a.*b\n", "", "refused: `.*` is no small set of texts");
    runs(r"foo\b.*x", "", r"refused: text patterns have no word boundary `\b`");
    check(all(SINGLES), "a.{2,}b", "", "*a??*b*");
}

#[test]
fn every_match_has_what_is_required() {
    let check = |source, flags, expected| {
        check(|regex| required(regex).map_or_else(String::new, |found| shown(&found)), source, flags, expected);
    };
    check(r"net\s+user(a|b)x{2,}", "", "*net*user*x*");
    check("[Cc]md.?(ab){2}/c?", "i", "*cmd*abab/*");
    check(r"a\*b", "", "*a*b*");
    check("a|b", "", "");
    check(r"\d+", "", "");
}

fn source() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => "[ab1/ ]",
        2 => prop::sample::select(vec![
            r"\s", r"\w", r"\d", r"\S", r"\W", r"\\", r"\.", ".", "[^a]", "[ab]", r"[^\\b]", "[a-c1]", r"[\w/]", "[A-b]",
            r"\n", "#", "~", r"\*",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["^", "$", r"\b", r"\B", r"\A", r"\z", "()"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|items| items.concat()),
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(|items| format!("({})", items.join("|"))),
            2 => (inner.clone(), prop::sample::select(vec!["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{2,}", "*?", "+?"]))
                .prop_map(|(item, times)| format!("(?:{item}){times}")),
            1 => inner.prop_map(|item| format!("(?i:{item})")),
        ]
    })
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[abcAB1/ \\\\.*#~\n\u{b}é]{0,7}", 24)
}

#[test]
fn no_expression_takes_forever() {
    let nested = |inner: &str| format!("{}{inner}{}", "(".repeat(40), "){8}".repeat(40));
    let sources = [
        nested(r"a\b"),
        nested("a"),
        nested("[a-z]?"),
        "(a|b){100000}.{100000}".to_owned(),
        format!("^{}$", "a?".repeat(2_000)),
    ];
    for source in sources {
        let regex = expression(&source, "i");
        // What counts is that all of them come to an end; the tables say with what.
        let ended = [
            lucene(&regex).is_ok(),
            re2(&regex).is_ok(),
            patterns(&regex, SINGLES).is_ok(),
            required(&regex).is_some(),
        ];
        assert!(ended.iter().any(|is| !is), "{source}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn translations_keep_the_matches(source in source(), flags in "[ims]{0,2}", texts in texts()) {
        agrees(&expression(&source, &flags), &texts)?;
    }
}
