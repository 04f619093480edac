//! Each construct of a rule, and the text that says it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sigcast_diagnostics::{Code, SourceMap};
use sigcast_frontend::Kind;

use super::{TARGET, literal};
use crate::convert::{Backend, Conversion, Status};
use crate::options::Settings;
use crate::readback;

/// Converts a rule with this detection `s` and condition.
fn convert(detection: &str, condition: &str, options: &[(&str, &str)]) -> Conversion {
    let settings = Settings::of(options).expect("options");
    let text = format!(
        "title: t\nlogsource: {{category: test}}\ndetection:\n  s: {detection}\n  o: {{o: '1'}}\n  condition: {condition}\n"
    );
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml".to_owned(), text.clone());
    let documents = sigcast_frontend::parse(&sources, id);
    let [document] = &documents[..] else { panic!("one document: {text}") };
    let Kind::Rule(rule) = &document.kind else { panic!("a rule: {text}\n{:?}", document.diagnostics) };
    Backend::new(&TARGET, settings).convert(rule)
}

/// The query is exact, and this is its condition. It reads back.
#[track_caller]
fn check(detection: &str, expected: &str) {
    check_condition(detection, "s", expected);
}

#[track_caller]
fn check_condition(detection: &str, condition: &str, expected: &str) {
    let found = convert(detection, condition, &[]);
    assert_eq!(found.queries, [format!("any where {expected}")], "{:?}", found.diagnostics);
    // Whether a field is there but null, no index can tell.
    let status = if detection.contains("exists") { Status::Approximate } else { Status::Exact };
    assert_eq!(found.status, status, "{:?}", found.diagnostics);
    readback::read(&super::EQL, expected).expect("it reads back");
}

#[track_caller]
fn check_refused(detection: &str, expected: Code) {
    let found = convert(detection, "s", &[]);
    assert_eq!((found.status, found.queries.len()), (Status::Refused, 0), "{:?}", found.queries);
    let codes: Vec<Code> = found.diagnostics.iter().map(|found| found.code).collect();
    assert!(codes.contains(&expected), "{codes:?}");
}

#[test]
fn text_ignores_case_by_the_colon() {
    check("{Image: 'a b'}", r#"Image : "a b""#);
    check("{Image|startswith: a}", r#"Image : "a*""#);
    check("{Image|endswith: '\\cmd.exe'}", r#"Image : "*\\cmd.exe""#);
    check("{Image|contains: a}", r#"Image : "*a*""#);
    check("{Image: 'a*b?c'}", r#"Image : "a*b?c""#);
    check("{Image: ''}", r#"Image == """#);
    check("{Image: '*'}", "Image != null");
    check("{Image: AND}", r#"Image : "AND""#);
    check("{Image: '<b'}", r#"Image : "<b""#);
}

#[test]
fn a_backslash_before_an_added_wildcard_stays_one() {
    check("{Image|contains: 'C:\\Temp\\'}", r#"Image : "*C:\\Temp\\*""#);
}

#[test]
fn literal_wildcards_stand_where_they_are_literal() {
    check("{f: 'a\\*'}", r#"f in~ ("a*")"#);
    check("{f: ['a\\*', 'b\\?']}", r#"f in~ ("a*", "b?")"#);
    check("{f|contains: 'a\\*'}", r#"f regex~ """.*a\*.*""""#);
    check("{f|startswith: ['a\\*', 'b\\?']}", r#"f regex~ ("""a\*.*""", """b\?.*""")"#);
    check("{f|cased: 'a\\*'}", r#"f == "a*""#);
    check("{f|contains|cased: 'a\\*'}", r#"f regex """.*a\*.*""""#);
}

#[test]
fn letters_beyond_ascii_have_all_their_cases() {
    check("{f: 'é'}", r#"f regex "[éÉ]""#);
    check("{f|contains: ['é', 'a']}", r#"f regex ".*[éÉ].*" or f : "*a*""#);
    check("{f: '中'}", r#"f : "中""#);
    check("{f|cased: 'é'}", r#"f == "é""#);
}

#[test]
fn cased_text_minds_case() {
    check("{f|cased: a}", r#"f == "a""#);
    check("{f|startswith|cased: a}", r#"f like "a*""#);
    check("{f|contains|cased: [a, b]}", r#"f like ("*a*", "*b*")"#);
    check("{f|cased: [a, b]}", r#"f in ("a", "b")"#);
}

#[test]
fn values_of_a_field_stand_in_lists() {
    check("{f|endswith: [a, b]}", r#"f : ("*a", "*b")"#);
    check("{f|contains|all: [a, b]}", r#"f : "*a*" and f : "*b*""#);
    check("{f: [a, 'b\\*', c]}", r#"f : "a" or f in~ ("b*") or f : "c""#);
    check("{f: [a, 1, true, null]}", r#"f : "a" or f == 1 or f == true or f == null"#);
}

#[test]
fn numbers_and_booleans_are_compared_as_such() {
    check("{f: 4688}", "f == 4688");
    check("{f: [1, -2]}", "f == 1 or f == -2");
    check("{f: 9007199254740993}", "f == 9007199254740993");
    check("{f: 9223372036854775807}", "f == 9223372036854775807");
    check_refused("{f: 9223372036854775808}", Code::ValueUnsupported);
    check_refused("{f: -9223372036854775808}", Code::ValueUnsupported);
    check("{f|gte: 1.5}", "f >= 1.5");
    check("{f|lt: -3}", "f < -3");
    check("{f: true}", "f == true");
}

#[test]
fn presence_is_a_comparison_with_null() {
    check("{f: null}", "f == null");
    check("{f|exists: true}", "f != null");
    check("{f|exists: false}", "f == null");
    check_condition("{f: [null, '']}", "not s", r#"not (f == null or f == "")"#);
}

#[test]
fn regular_expressions_match_the_whole_value() {
    check("{f|re: 'a\\.b'}", r#"f regex """.*a\.b.*""""#);
    check("{f|re: '^a$'}", r#"f regex "a""#);
    check("{f|re|i: '^ab'}", r#"f regex "[aA][bB].*""#);
    check("{f|re: 'a\"\\d'}", r#"f regex ".*a\\\"[0-9].*""#);
    check("{f|re: ['^a$', '^b$']}", r#"f regex ("a", "b")"#);
    check_condition("{f|re|all: ['a', 'b']}", "not s", r#"not (f regex ".*a.*" and f regex ".*b.*")"#);
    check_refused("{f|re: '(?=a)b'}", Code::RegexConstruct);
}

#[test]
fn networks_are_arguments_of_one_call() {
    check("{f|cidr: 10.0.0.0/8}", r#"cidrMatch(f, "10.0.0.0/8")"#);
    check("{f|cidr: [10.0.0.0/8, 'fc00::/7']}", r#"cidrMatch(f, "10.0.0.0/8", "fc00::/7")"#);
    check("{f|cidr: '::/0'}", r#"cidrMatch(f, "::/0") and not cidrMatch(f, "0.0.0.0/0")"#);
    let expanded = convert("{f|cidr: 10.0.0.0/8}", "s", &[("cidr", "expand")]);
    assert_eq!(expanded.queries, [r#"any where f : "10.*""#]);
    assert!(expanded.assumptions.contains(&Code::AssumeAddressText));
}

#[test]
fn odd_names_stand_in_backquotes() {
    check("{a.b_c: x}", r#"a.b_c : "x""#);
    check("{a-b: x}", r#"`a-b` : "x""#);
    check("{a.and.b: x}", r#"`a.and.b` : "x""#);
    check("{'a b': 1}", "`a b` == 1");
    check("{'@timestamp': 1}", "`@timestamp` == 1");
    check("{9a|cidr: [10.0.0.0/8, 11.0.0.0/8]}", r#"cidrMatch(`9a`, "10.0.0.0/8", "11.0.0.0/8")"#);
    check("{'a`or (b': x}", r#"`a``or (b` : "x""#);
}

#[test]
fn operators_are_grouped() {
    check_condition("[{a: 1, b: 2}, {c: 3}]", "s", "(a == 1 and b == 2) or c == 3");
    check_condition("{a: 1, b: 2}", "not s or o", r#"not (a == 1 and b == 2) or o : "1""#);
    check_condition("{a: 1, b: 2}", "(s or o) and not o", r#"((a == 1 and b == 2) or o : "1") and not o : "1""#);
    check_condition("{a|cidr: '::/0'}", "not s", r#"not (cidrMatch(a, "::/0") and not cidrMatch(a, "0.0.0.0/0"))"#);
}

#[test]
fn what_cannot_be_said_is_refused() {
    check_refused("['word']", Code::KeywordUnsupported);
    check_refused("{f|fieldref: g}", Code::FieldReferenceUnsupported);
    check_refused("{f|hour: 3}", Code::TimePartUnsupported);
    check_refused("{f|expand: '%x%'}", Code::UnresolvedPlaceholder);
}

#[test]
fn options_restrict_the_query() {
    let with = |options| convert("[{a: 1}, {b: 2}]", "s", options).queries.concat();
    assert_eq!(with(&[("event_category", "process")]), "process where a == 1 or b == 2");
    assert_eq!(with(&[("event_category", "my \"own\"")]), r#""my \"own\"" where a == 1 or b == 2"#);
    assert_eq!(with(&[("event_category", "where")]), r#""where" where a == 1 or b == 2"#);
    assert_eq!(with(&[("time_range", "24h")]), r#"any where `@timestamp` >= "now-24h" and (a == 1 or b == 2)"#);
    assert_eq!(
        with(&[("time_range", "5m"), ("time_field", "event.ingested")]),
        r#"any where event.ingested >= "now-5m" and (a == 1 or b == 2)"#
    );
}

#[test]
fn assumptions_are_those_of_the_tests() {
    let assumed = |detection| BTreeSet::from_iter(convert(detection, "s", &[]).assumptions);
    let with = |codes: &[Code]| codes.iter().copied().chain([Code::AssumeMappedFields, Code::AssumeScope]).collect();
    assert_eq!(assumed("{f: a}"), with(&[Code::AssumeKeywordFields]));
    assert_eq!(assumed("{f|cased: a}"), with(&[Code::AssumeKeywordFields, Code::AssumeCased]));
    assert_eq!(assumed("{f|contains|cased: 'a\\*'}"), with(&[Code::AssumeKeywordFields, Code::AssumeCased]));
    assert_eq!(assumed("{f: 1}"), with(&[]));
    assert_eq!(assumed("{f|gt: 1}"), with(&[Code::AssumeNumeric]));
    assert_eq!(assumed("{f: true}"), with(&[Code::AssumeBoolean]));
    assert_eq!(assumed("{f|cidr: 10.0.0.0/8}"), with(&[Code::AssumeAddress]));
    let searched = [Code::AssumeKeywordFields, Code::AssumeSingleLines];
    assert_eq!(assumed("{f|re|i: 'a.*b'}"), with(&searched));
    assert_eq!(assumed("{f|re: '1.*[a-zA-Z]'}"), with(&searched));
    assert_eq!(assumed("{f|re: 'a.*b'}"), with(&[&searched[..], &[Code::AssumeCased]].concat()));
}

/// What a string of EQL stands for, by the reference.
fn unescape(string: &str) -> Option<String> {
    if let Some(raw) = string.strip_prefix("\"\"\"") {
        return raw.strip_suffix("\"\"\"").filter(|raw| !raw.contains(['"', '\n', '\r'])).map(str::to_owned);
    }
    let mut chars = string.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        out.push(match c {
            '"' | '\n' | '\r' => return None,
            '\\' => match chars.next()? {
                'b' => '\u{8}',
                't' => '\t',
                'n' => '\n',
                'f' => '\u{c}',
                'r' => '\r',
                c @ ('"' | '\\') => c,
                'u' => {
                    let rest = chars.as_str().strip_prefix('{')?;
                    let (digits, behind) = rest.split_once('}')?;
                    chars = behind.chars();
                    (2..=8).contains(&digits.len()).then_some(())?;
                    char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
                }
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

proptest! {
    #[test]
    fn strings_read_back_as_one_token(value in r#"([a-z"'`\\*?/ \n\r\t\x00-\x1f\x7f\u{85}\u{200f}\u{feff}é中]|"""|\\u){0,12}"#) {
        use sigcast_ir::{Case, Pattern, Regex, RegexFlags, Test};
        let settings = Settings::default();
        let written = |write: crate::dialect::ValueWriter, test: &Test<'_>| {
            let mut writer = crate::write::Writer::new(&super::EQL, &settings);
            write(&mut writer, test);
            writer.out
        };
        let text = Test::Text { pattern: Pattern::exact(value.clone()), case: Case::Sensitive };
        let regex = Test::Regex(Regex { source: value.clone().into(), flags: RegexFlags::default(), opaque: None });
        for token in [written(literal::pattern, &text), written(literal::regex, &regex)] {
            prop_assert_eq!(literal::scan_value(&format!("{token}) and x")), token.len(), "{}", &token);
            prop_assert_eq!(unescape(&token), Some(value.clone()), "{}", &token);
        }
    }

    #[test]
    fn names_read_back_as_one_token(name in r#"[a-zA-Z0-9_@.`"' \-\\()]{1,12}"#) {
        let settings = Settings::default();
        let mut writer = crate::write::Writer::new(&super::EQL, &settings);
        literal::name(&mut writer, &name);
        prop_assert_eq!(literal::scan_name(&format!("{} : (", &writer.out)), writer.out.len());
        let inner = writer.out.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        let read = inner.map_or_else(|| writer.out.clone(), |inner| inner.replace("``", "`"));
        prop_assert_eq!(read, name);
    }
}
