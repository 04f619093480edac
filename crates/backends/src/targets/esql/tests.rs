//! Each construct of a rule, and the text that says it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sigcast_diagnostics::{Code, SourceMap};
use sigcast_frontend::Kind;

use super::{TARGET, literal};
use crate::convert::{Backend, Conversion, Status};
use crate::options::{Settings, option};
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
    assert_eq!(found.queries, [format!("FROM logs-*\n| WHERE {expected}\n| LIMIT 10000")], "{:?}", found.diagnostics);
    // Whether a field is there but null, no index can tell.
    let status = if detection.contains("exists") { Status::Approximate } else { Status::Exact };
    assert_eq!(found.status, status, "{:?}", found.diagnostics);
    readback::read(&super::ESQL, expected).expect("it reads back");
}

#[track_caller]
fn check_refused(detection: &str, expected: Code) {
    let found = convert(detection, "s", &[]);
    assert_eq!((found.status, found.queries.len()), (Status::Refused, 0), "{:?}", found.queries);
    let codes: Vec<Code> = found.diagnostics.iter().map(|found| found.code).collect();
    assert!(codes.contains(&expected), "{codes:?}");
}

#[test]
fn text_ignores_case_in_small_letters() {
    check("{Image: 'A b'}", r#"TO_LOWER(Image) == "a b""#);
    check("{Image|startswith: A}", r#"TO_LOWER(Image) LIKE "a*""#);
    check("{Image|endswith: '\\Cmd.exe'}", r#"TO_LOWER(Image) LIKE """*\\cmd.exe""""#);
    check("{Image|contains: a}", r#"TO_LOWER(Image) LIKE "*a*""#);
    check("{Image: 'a*b?c'}", r#"TO_LOWER(Image) LIKE "a*b?c""#);
    check("{Image: ['A', b]}", r#"TO_LOWER(Image) IN ("a", "b")"#);
    check("{Image|contains: [a, b]}", r#"TO_LOWER(Image) LIKE "*a*" OR TO_LOWER(Image) LIKE "*b*""#);
    check("{Image|contains|all: [a, b]}", r#"TO_LOWER(Image) LIKE "*a*" AND TO_LOWER(Image) LIKE "*b*""#);
    check("{Image: AND}", r#"TO_LOWER(Image) == "and""#);
}

#[test]
fn text_without_case_is_compared_as_it_is() {
    check("{f: '10.0.0.1'}", r#"f == "10.0.0.1""#);
    check("{f: ['1', '2']}", r#"f IN ("1", "2")"#);
    check("{f|startswith: '10.'}", r#"f LIKE "10.*""#);
    check("{f: '中'}", r#"f == "中""#);
    check("{f: ''}", r#"f == """#);
    check("{f: '*'}", "f IS NOT NULL");
}

#[test]
fn backslashes_are_escaped_for_the_pattern_and_for_the_string() {
    check("{f: 'C:\\a'}", r#"TO_LOWER(f) == """c:\a""""#);
    check("{f|contains: 'C:\\Temp\\'}", r#"TO_LOWER(f) LIKE """*c:\\temp\\*""""#);
    check("{f|contains: '\\\\\"x'}", r#"TO_LOWER(f) LIKE "*\\\\\"x*""#);
    check("{f|contains: 'a\\*'}", r#"TO_LOWER(f) LIKE """*a\**""""#);
    check("{f: 'a\\*'}", r#"TO_LOWER(f) == "a*""#);
}

#[test]
fn letters_beyond_ascii_and_operators_of_patterns_become_regular_expressions() {
    check("{f: 'é'}", r#"f RLIKE "[éÉ]""#);
    check("{f|contains: 'é.a'}", r#"f RLIKE """.*[éÉ]\.[aA].*""""#);
    check("{f|contains: 'a@b'}", r#"f RLIKE """.*[aA]\@[bB].*""""#);
    check("{f: 'a@b'}", r#"TO_LOWER(f) == "a@b""#);
    check("{f|contains: '~'}", r#"f LIKE "*~*""#);
    check("{f|cased: 'é'}", r#"f == "é""#);
}

#[test]
fn cased_text_minds_case() {
    check("{f|cased: A}", r#"f == "A""#);
    check("{f|startswith|cased: A}", r#"f LIKE "A*""#);
    check("{f|contains|cased: 'A@'}", r#"f LIKE "*A@*""#);
    check("{f|cased: [A, b]}", r#"f IN ("A", "b")"#);
}

#[test]
fn numbers_are_compared_with_columns_of_numbers() {
    check("{f: 4688}", "f == 4688");
    check("{f: [1, -2]}", "f IN (1, -2)");
    check("{f: 9007199254740993}", "f == 9007199254740993");
    check("{f|gte: 1.5}", "f >= 1.5");
    check("{f: true}", "f == true");
    check_refused("{f: 9223372036854775808}", Code::ValueUnsupported);
}

#[test]
fn a_column_has_one_type() {
    check("{f: ['u+s', 777]}", r#"TO_LOWER(f) == "u+s" OR f == "777""#);
}

#[test]
fn an_absent_field_passes_a_negation() {
    check_condition("{f: a}", "not s", r#"NOT (f IS NOT NULL AND TO_LOWER(f) == "a")"#);
    check_condition(
        "{f: [a, 'b*']}",
        "not s",
        r#"NOT (f IS NOT NULL AND (TO_LOWER(f) == "a" OR TO_LOWER(f) LIKE "b*"))"#,
    );
    check_condition("{f: 1, g: 2}", "not s", "NOT (f IS NOT NULL AND f == 1 AND g IS NOT NULL AND g == 2)");
    check_condition("{f: null}", "not s", "NOT f IS NULL");
    check_condition("{f|exists: true}", "not s", "NOT f IS NOT NULL");
    check_condition("{f|fieldref: g}", "not s", "NOT (f IS NOT NULL AND g IS NOT NULL AND TO_LOWER(f) == TO_LOWER(g))");
    check_condition("{f|hour: 3}", "not s", r#"NOT (f IS NOT NULL AND DATE_EXTRACT("hour_of_day", f) == 3)"#);
}

#[test]
fn presence_is_a_test_for_null() {
    check("{f: null}", "f IS NULL");
    check("{f|exists: true}", "f IS NOT NULL");
    check("{f|exists: false}", "f IS NULL");
    check("{f: [null, '']}", r#"f IS NULL OR f == """#);
}

#[test]
fn regular_expressions_match_the_whole_value() {
    check("{f|re: 'a\\.b'}", r#"f RLIKE """.*a\.b.*""""#);
    check("{f|re: '^a$'}", r#"f RLIKE "a""#);
    check("{f|re|i: '^ab'}", r#"f RLIKE "[aA][bB].*""#);
    check_refused("{f|re: '(?=a)b'}", Code::RegexConstruct);
}

#[test]
fn networks_are_arguments_of_one_call() {
    check("{f|cidr: 10.0.0.0/8}", r#"COALESCE(CIDR_MATCH(TO_IP(f), "10.0.0.0/8"), false)"#);
    check("{f|cidr: [10.0.0.0/8, 'fc00::/7']}", r#"COALESCE(CIDR_MATCH(TO_IP(f), "10.0.0.0/8", "fc00::/7"), false)"#);
    let with = |mode| convert("{f|cidr: [10.0.0.0/8, '::/0']}", "s", &[("cidr", mode)]).queries.concat();
    assert_eq!(
        with("native"),
        "FROM logs-*\n| WHERE CIDR_MATCH(f, \"10.0.0.0/8\") OR (CIDR_MATCH(f, \"::/0\") AND NOT CIDR_MATCH(f, \
         \"0.0.0.0/0\"))\n| LIMIT 10000"
    );
    let expanded = convert("{f|cidr: 10.0.0.0/8}", "s", &[("cidr", "expand")]);
    assert_eq!(expanded.queries, ["FROM logs-*\n| WHERE f LIKE \"10.*\"\n| LIMIT 10000"]);
}

#[test]
fn fields_are_compared_with_fields() {
    check("{f|fieldref: g}", "TO_LOWER(f) == TO_LOWER(g)");
    check("{f|fieldref|startswith: g}", "STARTS_WITH(TO_LOWER(f), TO_LOWER(g))");
    check("{f|fieldref|endswith: g}", "ENDS_WITH(TO_LOWER(f), TO_LOWER(g))");
    check("{f|fieldref|contains: g-h}", "LOCATE(TO_LOWER(f), TO_LOWER(`g-h`)) > 0");
}

#[test]
fn parts_of_times_are_extracted() {
    check("{f|minute: 5}", r#"DATE_EXTRACT("minute_of_hour", f) == 5"#);
    check("{f|day: 5}", r#"DATE_EXTRACT("day_of_month", f) == 5"#);
    check("{f|month: 5}", r#"DATE_EXTRACT("month_of_year", f) == 5"#);
    check("{f|year: 2024}", r#"DATE_EXTRACT("year", f) == 2024"#);
    check("{f|week: 5}", r#"1 + (DATE_EXTRACT("day_of_year", DATE_TRUNC(1 week, f) + 3 days) - 1) / 7 == 5"#);
    check("{f|hour|gte: 22}", r#"DATE_EXTRACT("hour_of_day", f) >= 22"#);
}

#[test]
fn odd_names_stand_in_backquotes() {
    check("{a.b_c: 1}", "a.b_c == 1");
    check("{'@timestamp': 1}", "@timestamp == 1");
    check("{_id: 1, '@': 2, _: 3}", "_id == 1 AND `@` == 2 AND `_` == 3");
    check("{a-b: x}", r#"TO_LOWER(`a-b`) == "x""#);
    check("{a.And.b: 1}", "`a.And.b` == 1");
    check("{'a b': [x, y]}", r#"TO_LOWER(`a b`) IN ("x", "y")"#);
    check(
        "{9a|cidr: [10.0.0.0/8, 11.0.0.0/8]}",
        r#"COALESCE(CIDR_MATCH(TO_IP(`9a`), "10.0.0.0/8", "11.0.0.0/8"), false)"#,
    );
    check("{'a`or (b': 1}", "`a``or (b` == 1");
}

#[test]
fn operators_are_grouped() {
    check_condition("[{a: 1, b: 2}, {c: 3}]", "s", "(a == 1 AND b == 2) OR c == 3");
    check_condition("{a: 1, b: 2}", "s or o", r#"(a == 1 AND b == 2) OR o == "1""#);
    check_condition("{a: 1, b: 2}", "(s or o) and o", r#"((a == 1 AND b == 2) OR o == "1") AND o == "1""#);
}

#[test]
fn what_cannot_be_said_is_refused() {
    check_refused("['word']", Code::KeywordUnsupported);
    check_refused("{f|expand: '%x%'}", Code::UnresolvedPlaceholder);
}

#[test]
fn options_restrict_the_query() {
    let with = |options| convert("[{a: 1}, {b: 2}]", "s", options).queries.concat();
    assert_eq!(
        with(&[("index", "logs-x,\"a\",<b-{now/d}>,metadata"), ("limit", "500")]),
        "FROM logs-x, \"\\\"a\\\"\", \"<b-{now/d}>\", \"metadata\"\n| WHERE a == 1 OR b == 2\n| LIMIT 500"
    );
    assert_eq!(
        with(&[("time_range", "24h")]),
        "FROM logs-*\n| WHERE @timestamp >= NOW() - 24 hours AND (a == 1 OR b == 2)\n| LIMIT 10000"
    );
    assert_eq!(
        with(&[("time_range", "5m"), ("time_field", "event.ingested")]),
        "FROM logs-*\n| WHERE event.ingested >= NOW() - 5 minutes AND (a == 1 OR b == 2)\n| LIMIT 10000"
    );
    assert!(option("limit").expect("an option").set(&mut Settings::default(), "0").is_err());
}

#[test]
fn assumptions_are_those_of_the_tests() {
    let assumed = |detection| BTreeSet::from_iter(convert(detection, "s", &[("index", "x")]).assumptions);
    let always = [Code::AssumeMappedFields, Code::AssumeWithinLimit];
    let with = |codes: &[Code]| codes.iter().copied().chain(always).chain([Code::AssumeSingleValues]).collect();
    assert_eq!(assumed("{f: a}"), with(&[Code::AssumeKeywordFields]));
    assert_eq!(assumed("{f|cased: a}"), with(&[Code::AssumeKeywordFields, Code::AssumeCased]));
    assert_eq!(assumed("{f: 1}"), with(&[Code::AssumeNumeric]));
    assert_eq!(assumed("{f: true}"), with(&[Code::AssumeBoolean]));
    assert_eq!(assumed("{f|cidr: 10.0.0.0/8}"), with(&[Code::AssumeAddressText]));
    assert_eq!(assumed("{f|hour: 3}"), with(&[Code::AssumeTimeField]));
    let searched = [Code::AssumeKeywordFields, Code::AssumeSingleLines];
    assert_eq!(assumed("{f|re|i: 'a.*b'}"), with(&searched));
    assert_eq!(assumed("{f|re: 'a.*b'}"), with(&[&searched[..], &[Code::AssumeCased]].concat()));
    assert_eq!(assumed("{f: null}"), always.into_iter().collect());
    assert!(convert("{f: a}", "s", &[]).assumptions.contains(&Code::AssumeScope));
}

/// What a string of ES|QL stands for, by the reference.
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
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                c @ ('"' | '\\') => c,
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

/// What a pattern of `LIKE` without wildcards stands for.
fn unescape_pattern(pattern: &str) -> Option<String> {
    let mut chars = pattern.chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' | '?' => return None,
            '\\' => chars.next().filter(|c| matches!(c, '*' | '?' | '\\'))?,
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
            let mut writer = crate::write::Writer::new(&super::ESQL, &settings);
            write(&mut writer, test);
            writer.out
        };
        let text = Test::Text { pattern: Pattern::exact(value.clone()), case: Case::Sensitive };
        let regex = Test::Regex(Regex { source: value.clone().into(), flags: RegexFlags::default(), opaque: None });
        for token in [written(literal::text, &text), written(literal::regex, &regex)] {
            prop_assert_eq!(literal::scan_value(&format!("{token}) AND x")), token.len(), "{}", &token);
            prop_assert_eq!(unescape(&token), Some(value.clone()), "{}", &token);
        }
        let token = written(literal::pattern, &text);
        prop_assert_eq!(literal::scan_value(&format!("{token}) AND x")), token.len(), "{}", &token);
        prop_assert_eq!(unescape(&token).as_deref().and_then(unescape_pattern), Some(value), "{}", &token);
    }

    #[test]
    fn names_read_back_as_one_token(name in r#"[a-zA-Z0-9_@.`"' \-\\()]{1,12}"#) {
        let settings = Settings::default();
        let mut writer = crate::write::Writer::new(&super::ESQL, &settings);
        literal::name(&mut writer, &name);
        prop_assert_eq!(literal::scan_name(&format!("{} IN (", &writer.out)), writer.out.len());
        let inner = writer.out.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        let read = inner.map_or_else(|| writer.out.clone(), |inner| inner.replace("``", "`"));
        prop_assert_eq!(read, name);
    }
}
