//! Escaping, against a reader of the language; and what the styles write where the pages show nothing.

use proptest::prelude::*;
use sigcast_diagnostics::{Class, SourceMap};
use sigcast_frontend::{Kind, parse};
use sigcast_ir::{Part, Pattern};

use super::*;
use crate::dialect::Dialect;
use crate::options::{Settings, option};
use crate::write::Writer;
use crate::{Backend, find};

/// The query of a detection in a style, or the codes of its refusal.
fn query(target: &str, style: &str, detection: &str) -> String {
    let target = find(target).expect("a target");
    let mut settings = Settings::default();
    option("style").expect("an option").set(&mut settings, style).expect("a style");
    let mut sources = SourceMap::new();
    let file = format!("title: t\nlogsource: {{product: windows}}\ndetection: {{s: {detection}, condition: s}}\n");
    let id = sources.add("rule", file);
    let documents = parse(&sources, id);
    let Some(Kind::Rule(rule)) = documents.first().map(|document| &document.kind) else { panic!("{documents:?}") };
    let conversion = Backend::new(target, settings).convert(rule);
    let refused = conversion.diagnostics.iter().filter(|found| found.code.class() == Class::Refusal);
    conversion.queries.first().cloned().unwrap_or_else(|| refused.map(|found| found.code.as_str()).collect())
}

#[track_caller]
fn check(target: &str, style: &str, detection: &str, expected: &str) {
    assert_eq!(query(target, style, detection), expected, "{target} {style}");
}

#[test]
fn values_are_written_as_the_pages_have_them() {
    let all = r"{a: ['\\x', '*y']}";
    check("lucene", "atc2019", all, r"a.keyword:(\\x *y)");
    check("graylog", "atc2019", all, r#"a:("\\x" "*y")"#);
    check("lucene", "atc2020", all, r"a.keyword:(\\x OR *y)");
    check("graylog", "atc2020", all, r"a.keyword:(\\x *y)");
    check("splunk", "atc2020", all, r#"(a="\\x" OR a="*y")"#);
    check("lucene", "atc2019", "{a: null}", "NOT _exists_:a");
    check("splunk", "atc2020", "{a: null}", r#"NOT a="*""#);
    check("lucene", "atc2019", "{a: 'x && y|'}", r#"a:"x\ \&&\ y|""#);
    check("graylog", "atc2020", "{a: 'x=y z'}", r#"a:"x=y z""#);
    check("lucene", "atc2019", "[k, 'l*']", "(k OR l*)");
    check("graylog", "atc2019", "[k, 'l*']", r#"("k" OR "l*")"#);
    check("lucene", "atc2020", "[k, l]", r"\*.keyword:(*k* OR *l*)");
    check("splunk", "atc2020", "[k, l]", r#"("k" OR "l")"#);
}

#[test]
fn what_the_styles_do_not_have_is_said_as_today_or_refused() {
    check("lucene", "atc2020", "{a: [x, null]}", "construct-unsupported");
    check("splunk", "atc2020", "{a|re: x}", "regex-unsupported");
    check("lucene", "atc2020", "{a|re: 'x/y'}", "regex-construct");
    check("lucene", "atc2020", r"{a|re: 'x\/y'}", r"a:/x\/y/");
    check("lucene", "atc2020", "{a|gte: 5}", "a:[5 TO *]");
    check("splunk", "atc2020", "{a|cased: x}", "construct-unsupported");
    check("lucene", "atc2020", "{'a b': 1, c-d: 1}", r#"(a\ b:"1" AND c-d:"1")"#);
}

type Special = fn(char, Option<char>) -> bool;

/// A text with the signs that mean something, and some that do not.
fn texts() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop::sample::select(r#"\*?"+-!(){}[]^~:/&| =aé<>"#.chars().collect::<Vec<_>>()), 0..8)
        .prop_map(String::from_iter)
}

fn patterns() -> impl Strategy<Value = Pattern<'static>> {
    let part = prop_oneof![
        3 => texts().prop_map(|text| Part::Text(text.into())),
        1 => Just(Part::AnyRun),
        1 => Just(Part::AnyOne),
    ];
    proptest::collection::vec(part, 0..4).prop_map(Pattern::from_parts)
}

/// What a reader takes from a term: a backslash makes the sign behind it literal; an open one of `special`, or an open
/// one of `pairs` with its like behind it, ends the term. Source of the latter: the grammar of Lucene's query parser, in
/// which `&&` and `||` are operators where a term would start, and signs of a term behind an escaped sign: `\&&` is text.
fn read(term: &str, special: &str, pairs: &str) -> Option<Pattern<'static>> {
    let mut pattern = Pattern::new();
    let mut chars = term.chars().peekable();
    while let Some(c) = chars.next() {
        pattern.push(match c {
            '\\' => Part::Text(chars.next()?.to_string().into()),
            '*' => Part::AnyRun,
            '?' => Part::AnyOne,
            c if special.contains(c) || (pairs.contains(c) && chars.peek() == Some(&c)) => return None,
            c => Part::Text(c.to_string().into()),
        });
    }
    Some(pattern)
}

/// Every style writes a pattern so that its language reads the same pattern.
fn reads_back(pattern: &Pattern<'_>) {
    let settings = Settings::default();
    let checks: [(&Dialect, Special, &str, &str); 3] = [
        (&lucene::QUERY_2020, lucene::special::<lucene::Query2020>, r#""+-!(){}[]^~:/ ="#, "&|"),
        (&lucene::GRAYLOG_2019, lucene::special::<lucene::Graylog2019>, r#""+-!(){}[]^~:/"#, "&|"),
        (&splunk::SPLUNK_2020, |c, _| c == '"', "\"", ""),
    ];
    for (dialect, special, signs, pairs) in checks {
        let mut writer = Writer::new(dialect, &settings);
        escaped(&mut writer, pattern, special);
        assert_eq!(read(&writer.out, signs, pairs).as_ref(), Some(pattern), "{}", &writer.out);
    }
}

#[test]
fn pairs_of_signs_are_no_operators() {
    for text in ["&&", "&&&", "&&&&", "|||", "a&&b", r"\&&", r"\\||", "&|&", "& &"] {
        reads_back(&Pattern::exact(text));
        reads_back(&Pattern::exact(text).open(true, true));
    }
    assert_eq!(read("a&&b", "", "&|"), None);
    assert_eq!(read(r"\\&&", "", "&|"), None);
    assert_eq!(read(r"\&&", "", "&|"), Some(Pattern::exact("&&")));
}

proptest! {
    #[test]
    fn escaped_patterns_read_back(pattern in patterns()) {
        reads_back(&pattern);
    }
}
