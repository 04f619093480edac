//! Queries as Splunk gets them.

use proptest::prelude::*;
use sigcast_diagnostics::{Class, Code, SourceMap};
use sigcast_diagnostics::{SourceId, Span};
use sigcast_frontend::Kind;
use sigcast_ir::{Case, Field, Part, Pattern};
use sigcast_ir::{Match, Subject, Test};

use super::*;
use crate::convert::{Backend, Conversion, Status};
use crate::options::option;

/// Converts a rule with these detections; `options` are `key=value`.
fn convert(detection: &str, options: &[&str]) -> Conversion {
    let mut settings = Settings::default();
    for given in options {
        let (key, value) = given.split_once('=').expect("key=value");
        option(key).expect("known option").set(&mut settings, value).expect("right value");
    }
    let indented: String = detection.trim_matches('\n').lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("title: t\nlogsource: {{category: test}}\ndetection:\n{indented}");
    let mut sources = SourceMap::default();
    let id = sources.add("rule.yml".to_owned(), text.clone());
    let documents = sigcast_frontend::parse(&sources, id);
    let [document] = documents.as_slice() else { panic!("one document") };
    let Kind::Rule(rule) = &document.kind else { panic!("{text}{:?}", document.diagnostics) };
    Backend::new(&TARGET, settings).convert(rule)
}

/// Values of one detection; the query must be exact.
#[track_caller]
fn check(items: &str, wanted: &str) {
    let body: String = items.trim_matches('\n').lines().map(|line| format!("  {line}\n")).collect();
    rule(&format!("sel:\n{body}condition: sel"), wanted);
}

/// Macros stand in backquotes, and are not expanded in quotes (Splunk Enterprise, Knowledge Manager Manual, "Use search
/// macros in searches"); names between two `$` are given values by `savedsearch` and `map` only. So values that hold them
/// stand in quotes, in every stage.
#[test]
fn signs_of_macros_stand_in_quotes() {
    let items = [
        "f: '`audit`'",
        "f: 'a$name$b'",
        "f|contains: '$name$ `x`'",
        "f|re: '`a`$'",
        "f|cased: '`x`'",
        "f|gte: 1",
        "'f|contains': ['`', '```']",
        "'|all': ['`k`', '$k$']",
    ];
    for item in items {
        let found = convert(&format!("sel:\n  {item}\ncondition: sel"), &[]);
        let [query] = found.queries.as_slice() else { panic!("{item}: {:?}", found.diagnostics) };
        let (mut quoted, mut escaped) = (false, false);
        for c in query.chars() {
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            assert!(quoted || !matches!(c, '`' | '$'), "{item}: {query}");
        }
        assert!(!quoted, "{item}: {query}");
    }
}

/// The same, negated.
#[track_caller]
fn negated(items: &str, wanted: &str) {
    let body: String = items.trim_matches('\n').lines().map(|line| format!("  {line}\n")).collect();
    rule(&format!("sel:\n{body}condition: not sel"), wanted);
}

#[track_caller]
fn rule(detection: &str, wanted: &str) {
    let found = convert(detection, &[]);
    assert_eq!(found.queries, [wanted], "{:?}", found.diagnostics);
    // Whether a field is there but without a value, Splunk cannot tell.
    let status = if detection.contains("exists") { Status::Approximate } else { Status::Exact };
    assert_eq!(found.status, status, "{:?}", found.diagnostics);
}

#[track_caller]
fn refused(items: &str, wanted: &[Code]) {
    let body: String = items.trim_matches('\n').lines().map(|line| format!("  {line}\n")).collect();
    let found = convert(&format!("sel:\n{body}condition: sel"), &[]);
    assert_eq!(found.status, Status::Refused, "{:?}", found.queries);
    let codes: Vec<Code> =
        found.diagnostics.iter().map(|found| found.code).filter(|code| code.class() == Class::Refusal).collect();
    assert_eq!(codes, wanted);
}

#[test]
fn what_the_search_says_stays_in_the_search() {
    check("f: value", r#"f="value""#);
    check("f: ''", r#"f="""#);
    check("f: 4688", "f=4688");
    check("f: true", r#"f="true""#);
    check("f: null", "NOT f=*");
    check("f|exists: true", "f=*");
    check("f|exists: false", "NOT f=*");
    check("f: '*'", "f=*");
    check("f|startswith: a b", r#"f="a b*""#);
    check("f|endswith: 'x.exe'", r#"f="*x.exe""#);
    check("f|contains: mid", r#"f="*mid*""#);
    check("f|gte: 5", "f>=5");
    check("f|lt: -1.5", "f<-1.5");
    check("f|cidr: 10.0.0.0/8", r#"f="10.0.0.0/8""#);
    check("f|cidr: 'fe80::/10'", r#"f="fe80::/10""#);
    check("f: 'what?'", "f=\"what*\"\n| where match(f, \"(?is)^what.\\\\z\")");
    check(r"f: 'what\?'", r#"f="what?""#);
    check("f:\n  - a\n  - b*\n  - 5", r#"f IN ("a", "b*", 5)"#);
    check("f|contains|all:\n  - a\n  - b", r#"f="*a*" f="*b*""#);
    check("f|cased: '42'", r#"f="42""#);
}

#[test]
fn names_are_quoted_where_they_are_no_plain_words() {
    check("a b: x", r#""a b"="x""#);
    check("c-uri: x", r#""c-uri"="x""#);
    check("a.b: x", r#"a.b="x""#);
    check("OR: x", r#""OR"="x""#);
    check("c-uri|re: x+y", "\"c-uri\"=\"*x*\" \"c-uri\"=\"*y*\"\n| where match('c-uri', \"x+y\")");
    check("a.b|cased: X", "a.b=\"X\"\n| where 'a.b'=\"X\"");
    // A search would read this as a time range.
    check("latest: x", "*\n| where match(latest, \"(?i)^x\\\\z\")");
    check("'a*': x", "*\n| where match('a*', \"(?i)^x\\\\z\")");
    refused("'a\"b': x", &[Code::FieldNameUnsupported]);
}

#[test]
fn no_value_leaves_its_quotes() {
    check(r"f: 'C:\Windows\'", r#"f="C:\\Windows\\""#);
    check(r"f|startswith: 'C:\Windows\'", r#"f="C:\\Windows\\*""#);
    check(r#"f: 'a" OR "b'"#, r#"f="a\" OR \"b""#);
    check(r#"f: 'a\"b'"#, r#"f="a\\\"b""#);
    check("f: AND", r#"f="AND""#);
    check("f: '<5'", r#"f="<5""#);
    check("f: 'x | delete'", r#"f="x | delete""#);
    check("f: '[search x]'", r#"f="[search x]""#);
    check(r#"f|re: 'a"b\\c'"#, "f=\"*a\\\"b\\\\c*\"\n| where match(f, \"a\\\"b\\\\\\\\c\")");
    check("f: \"a\\nb\"", "f=\"a*\" f=\"*b\"\n| where match(f, \"(?i)^a\\\\nb\\\\z\")");
}

#[test]
fn what_the_search_cannot_say_is_filtered() {
    check(r"f: 'a\*b'", "f=\"a*\" f=\"*b\"\n| where match(f, \"(?i)^a\\\\*b\\\\z\")");
    check(r"f|contains: '/tn \*'", "f=\"*/tn *\"\n| where match(f, \"(?i)/tn \\\\*\")");
    check("f: 'a*b'", "f=\"a*\" f=\"*b\"\n| where match(f, \"(?is)^a.*b\\\\z\")");
    check("f|contains: 'a*b'", "f=\"*a*\" f=\"*b*\"\n| where match(f, \"(?is)a.*b\")");
    check("f: '?'", "f=*\n| where match(f, \"(?s)^.\\\\z\")");
    check("f|cased: Ab", "f=\"Ab\"\n| where f=\"Ab\"");
    check("f|contains|cased: Ab", "f=\"*Ab*\"\n| where match(f, \"Ab\")");
    check("f|fieldref: g", "f=*\n| where lower(f)=lower(g)");
    check("f|fieldref|startswith: g", "f=*\n| where if(lower(substr(f, 1, len(g)))=lower(g), 1, 0)=1");
    check("f|fieldref|endswith: g", "f=*\n| where if(lower(substr(f, len(f)-len(g)+1))=lower(g), 1, 0)=1");
    refused("f|fieldref|contains: g", &[Code::FieldReferenceUnsupported]);
}

#[test]
fn times_are_taken_apart_in_the_time_zone_of_the_user() {
    let found = convert("sel:\n  _time|hour: 13\ncondition: sel", &[]);
    assert_eq!(found.queries, ["_time=*\n| where tonumber(strftime(_time, \"%H\"))=13"]);
    assert!(found.assumptions.contains(&Code::AssumeTimeZone));
    refused("created|hour: 13", &[Code::TimePartUnsupported]);
}

#[test]
fn numbers_beyond_53_bits_are_not_rounded() {
    check("f: 9007199254740993", "f=9007199254740993");
    rule(
        "a:\n  f: 9007199254740993\nb:\n  g|re: x\ncondition: a or b",
        "f=9007199254740993 OR g=\"*x*\"\n| where match(f, \"^9007199254740993\\\\z\") OR match(g, \"x\")",
    );
    refused("f|gt: 9007199254740993", &[Code::ValueUnsupported]);
}

#[test]
fn kinds_are_grouped_where_they_mix() {
    let body = "a: {f: 1}\nb: {f: 2, g: 3}\nc: {h: 4}\ncondition: ";
    let with = |condition: &str, wanted: &str| rule(&format!("{body}{condition}"), wanted);
    with("a or b and c", "f=1 OR (f=2 g=3 h=4)");
    with("(a or b) and c", "(f=1 OR (f=2 g=3)) h=4");
    with("not a or c", "NOT f=1 OR h=4");
    with("a and not (b or c)", "f=1 NOT ((f=2 g=3) OR h=4)");
    with("not b", "NOT (f=2 g=3)");
    // The filter reads the operators the other way round.
    rule(
        "a: {f|re: x}\nb: {g|re: y}\nc: {h|re: z}\ncondition: (a or b) and (c or not a)",
        "f=\"*x*\" OR g=\"*y*\"\n| where (match(f, \"x\") OR match(g, \"y\")) AND (match(h, \"z\") OR NOT (isnotnull(f) AND match(f, \"x\")))",
    );
}

#[test]
fn negated_filters_keep_events_without_the_field() {
    negated("f|re: x", "*\n| where NOT (isnotnull(f) AND match(f, \"x\"))");
    negated("f|re:\n  - x\n  - y", "*\n| where NOT (isnotnull(f) AND (match(f, \"x\") OR match(f, \"y\")))");
    negated("f|fieldref: g", "*\n| where NOT (isnotnull(f) AND isnotnull(g) AND lower(f)=lower(g))");
    rule(
        "sel: {a: 1, b|re: x}\nno: {c|re: y, d: 2}\ncondition: sel and not no",
        "a=1 b=\"*x*\"\n| where match(b, \"x\") AND NOT (isnotnull(c) AND match(c, \"y\") AND isnotnull(d) AND d=2)",
    );
    // `if` decides what is no number.
    rule(
        "a: {f|gt: 5}\nb: {g|re: x}\ncondition: not (a or b)",
        "NOT f>5\n| where NOT (isnotnull(g) AND match(g, \"x\"))",
    );
    rule(
        "a: {f|gt: 5, h: 1}\nb: {f|re: x}\ncondition: not (a and not b)",
        "NOT (f>5 h=1 NOT f=\"*x*\")\n| where NOT (if(tonumber(f)>5, 1, 0)=1 AND isnotnull(h) AND h=1 AND NOT match(f, \"x\"))",
    );
    negated("f: x", r#"NOT f="x""#);
    negated("f: null", "f=*");
    negated("f|exists: true", "NOT f=*");
}

#[test]
fn several_regexes_are_all_kept() {
    check("f|re|all:\n  - a+\n  - b+\ng: 1", "f=\"*a*\" f=\"*b*\" g=1\n| where match(f, \"a+\") AND match(f, \"b+\")");
}

#[test]
fn keywords_are_searched_in_the_raw_text() {
    let keyword = |value: &str, wanted: &str, exact: bool| {
        let found = convert(&format!("words:\n  - {value}\ncondition: words"), &[]);
        assert_eq!(found.queries, [wanted], "{:?}", found.diagnostics);
        assert_eq!(found.status, if exact { Status::Exact } else { Status::Approximate });
        assert!(found.diagnostics.len() < 2, "{:?}", found.diagnostics);
    };
    keyword("mimikatz", r#""*mimikatz*""#, true);
    keyword("'two words'", r#""*two words*""#, true);
    keyword("4711", r#""*4711*""#, true);
    keyword(r"'a\b'", r#""*a\\b*""#, false);
    keyword("'a*b'", "\"*a*\" \"*b*\"\n| where match(_raw, \"(?is)a.*b\")", false);
    let all = convert("words:\n  '|all':\n    - a1\n    - b1\ncondition: words", &[]);
    assert_eq!(all.queries, [r#""*a1*" "*b1*""#]);
}

#[test]
fn what_neither_stage_says_is_refused_alone() {
    refused("f|cased: Ab\ng|fieldref|contains: h\ni: 1", &[Code::FieldReferenceUnsupported]);
}

#[test]
fn options_restrict_the_search() {
    let body = "a: {f: 1}\nb: {g: 2}\ncondition: a or b";
    let scoped = |options: &[&str], wanted: &str, scope: bool| {
        let found = convert(body, options);
        assert_eq!(found.queries, [wanted]);
        assert_eq!(found.assumptions.contains(&Code::AssumeScope), !scope);
    };
    scoped(&[], "f=1 OR g=2", false);
    scoped(&["index=main"], r#"index="main" (f=1 OR g=2)"#, true);
    scoped(&["index=a,win*"], r#"(index="a" OR index="win*") (f=1 OR g=2)"#, true);
    scoped(&["time_range=24h"], "earliest=-24h (f=1 OR g=2)", false);
    let all = ["index=main", "source=WinEventLog:Security", "sourcetype=x\"y", "time_range=30m"];
    let wanted = r#"index="main" source="WinEventLog:Security" sourcetype="x\"y" earliest=-30m (f=1 OR g=2)"#;
    scoped(&all, wanted, true);
    let filtered = convert("sel:\n  f|re: x\ncondition: not sel", &["index=main"]);
    assert_eq!(filtered.queries, ["index=\"main\"\n| where NOT (isnotnull(f) AND match(f, \"x\"))"]);
}

#[test]
fn comments_end_where_they_end() {
    assert_eq!(TARGET.comment.line("a ``` | delete"), "``` a  | delete ```");
}

/// What a query's string stands for.
fn unescaped(quoted: &str) -> String {
    let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).expect("a string in quotes");
    let mut chars = inner.chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().expect("an escaped character") } else { c });
    }
    out
}

/// A test of text as a dialect writes it alone, if it can.
fn said(pattern: &Pattern<'static>, case: Case, dialect: &'static crate::dialect::Dialect) -> Option<String> {
    let test = Test::Text { pattern: pattern.clone(), case };
    let found = Match { subject: Subject::Field(Field::new("f")), test, span: Span::new(SourceId(0), 0, 0) };
    let settings = Settings::default();
    let said = crate::say::Legaliser::new(dialect, &settings).query(&Expr::Match(found))?;
    let mut writer = crate::write::Writer::new(dialect, &settings);
    writer.query(&said);
    Some(writer.out)
}

/// Texts with one character between each two, open at `ends`: the filter matches what the pattern matches.
#[track_caller]
fn matches_itself(texts: &[String], ends: (bool, bool)) {
    let mut parts: Vec<Part<'static>> = Vec::new();
    for text in texts {
        if !parts.is_empty() {
            parts.push(Part::AnyOne);
        }
        parts.push(Part::Text(text.clone().into()));
    }
    let pattern = Pattern::from_parts(parts).open(ends.0, ends.1);
    let query = said(&pattern, Case::Sensitive, &filter::FILTER).expect("the filter says every text");
    assert_eq!((filter::FILTER.reading.leaf)(&query), query.len());
    let whole = texts.join("\u{e9}");
    if let Some(value) = query.strip_prefix("f=") {
        assert_eq!(unescaped(value), whole);
        return;
    }
    let value = query.strip_prefix("match(f, ").and_then(|rest| rest.strip_suffix(')')).expect("a call");
    let regex = regex::Regex::new(&unescaped(value)).expect("a regular expression");
    let check = |value: &str, expected: bool| assert_eq!(regex.is_match(value), expected, "{query} on {value:?}");
    check(&whole, true);
    check(&format!("x{whole}"), ends.0);
    check(&format!("{whole}x"), ends.1);
    // A line break behind the value counts, which `$` would not see; a value that ends in line breaks may end in it.
    let broken = format!("{whole}\n");
    check(&broken, ends.1 || (ends.0 && ends_in(&broken, texts)));
}

/// Whether a value ends in the texts with one character between each two.
fn ends_in(value: &str, texts: &[String]) -> bool {
    let mut rest = value;
    texts.iter().rev().enumerate().all(|(at, text)| {
        let mut chars = rest.chars();
        if at > 0 && chars.next_back().is_none() {
            return false;
        }
        chars.as_str().strip_suffix(text.as_str()).is_some_and(|left| {
            rest = left;
            true
        })
    })
}

#[test]
fn line_breaks_match_themselves_in_the_filter() {
    for texts in [&["\n"][..], &["\n\n"], &["a\n"], &["\n", "\n"], &["a", "\n"], &["\na", "\n"]] {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        for ends in [(false, false), (false, true), (true, false), (true, true)] {
            matches_itself(&texts, ends);
        }
    }
}

proptest! {
    #[test]
    fn a_value_reads_back_as_itself(text in r#"[\\"'`* )(,|=<a?$\n]{1,8}"#) {
        let query = said(&Pattern::exact(text.clone()), Case::Insensitive, &search::SEARCH);
        prop_assert_eq!(query.is_none(), text.contains(['*', '\n']));
        if let Some(query) = query {
            prop_assert_eq!((search::SEARCH.reading.leaf)(&query), query.len());
            prop_assert_eq!(unescaped(query.strip_prefix("f=").expect("a field")), text);
        }
    }

    #[test]
    fn a_pattern_matches_itself_in_the_filter(
        texts in proptest::collection::vec(r#"[\\"'`* )(,|=<a?$.^+{}\[\]\n\t\x01]{1,6}"#, 1..3),
        ends in (any::<bool>(), any::<bool>()),
    ) {
        matches_itself(&texts, ends);
    }
}
