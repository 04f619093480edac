//! `regex`: text becomes a regular expression that matches the same.
//!
//! The methods differ in how case is ignored: `ignore_case_flag` by the flag `i`, `ignore_case_brackets` by both cases of
//! each letter in brackets, `plain` not at all, so that the query minds case from then on.

use serde::Deserialize;
use sigcast_ir::{Case, DetectionItem, Part, Pattern, Regex, RegexFlags, Shape, Test};

use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "regex",
    summary: "text becomes a regular expression that matches the same",
    read: |found, _| {
        let Parameters { method } = parameters(found, "regex")?;
        Ok(Work::Values(Box::new(ToRegex(method))))
    },
};

#[derive(Debug, Deserialize)]
struct Parameters {
    #[serde(default)]
    method: Method,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    Plain,
    IgnoreCaseFlag,
    #[default]
    IgnoreCaseBrackets,
}

#[derive(Debug)]
struct ToRegex(Method);

impl ValueWork for ToRegex {
    fn value<'r>(
        &'r self,
        item: &DetectionItem<'r>,
        test: &Test<'r>,
        _: &Run<'_>,
    ) -> Result<Option<Test<'r>>, Refusal> {
        let Test::Text { pattern, case } = test else { return Ok(None) };
        if matches!(pattern.shape(), Shape::Unresolved) {
            return Ok(None);
        }
        let caseless = *case == Case::Insensitive;
        let brackets = caseless && self.0 == Method::IgnoreCaseBrackets;
        let flags = RegexFlags {
            ignore_case: caseless && self.0 == Method::IgnoreCaseFlag,
            // A wildcard takes line breaks too.
            dot_all: true,
            multiline: false,
        };
        Ok(Some(Test::Regex(Regex {
            source: source(pattern, brackets, item.field.is_some()).into(),
            flags,
            opaque: None,
        })))
    }
}

/// A keyword is looked for anywhere, so only the pattern of a field is anchored.
fn source(pattern: &Pattern<'_>, brackets: bool, anchored: bool) -> String {
    let parts = pattern.parts();
    let mut text = String::new();
    // The expression is searched for, so an open end needs nothing.
    let first = usize::from(parts.first() == Some(&Part::AnyRun));
    let open = parts.last() == Some(&Part::AnyRun);
    let last = (parts.len() - usize::from(open)).max(first);
    if anchored && first == 0 {
        text.push('^');
    }
    for part in &parts[first..last] {
        match part {
            Part::Text(literal) => literal.chars().for_each(|c| one(c, brackets, &mut text)),
            Part::AnyRun => text.push_str(".*"),
            Part::AnyOne => text.push('.'),
            Part::Placeholder(_) => {}
        }
    }
    if anchored && !open {
        text.push('$');
    }
    text
}

fn one(c: char, brackets: bool, text: &mut String) {
    if brackets && c.is_ascii_alphabetic() {
        text.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
        return;
    }
    if matches!(
        c,
        '\\' | '.'
            | '+'
            | '*'
            | '?'
            | '('
            | ')'
            | '|'
            | '['
            | ']'
            | '{'
            | '}'
            | '^'
            | '$'
            | '#'
            | '&'
            | '-'
            | '~'
            | '/'
    ) {
        text.push('\\');
    }
    text.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigcast_frontend::part;

    #[test]
    fn anchors_stand_where_the_pattern_is_closed() {
        let check =
            |text: &str, expected: &str| assert_eq!(source(&part::pattern(text), false, true), expected, "{text}");
        check("a.b", r"^a\.b$");
        check("*a", "a$");
        check("a*", "^a");
        check("*a?b*", "a.b");
        check("a*b", "^a.*b$");
        check("*", "");
        check("", "^$");
        assert_eq!(source(&part::pattern("aB"), true, true), "^[aA][bB]$");
        assert_eq!(source(&part::pattern("aB"), false, false), "aB");
    }
}
