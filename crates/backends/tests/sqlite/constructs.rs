//! Rules of one construct over events that tell it apart: SQLite, the evaluator and the test's author agree.

use serde_json::Value;
use sigcast_backends::{Backend, Conversion, Status};
use sigcast_diagnostics::{Code, SourceMap};
use sigcast_eval::Matcher;
use sigcast_frontend::Kind;
use sigcast_ir::{Query, lower};

use crate::backend;
use crate::table::{Declared, columns_of, database, found, table};

/// The conversion of the one rule in a text, and what it means.
fn with_rule<T>(text: &str, backend: &Backend, use_it: impl FnOnce(Conversion, Vec<Query<'_>>) -> T) -> T {
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", text);
    let document = sigcast_frontend::parse(&sources, id).into_iter().next().expect("a document");
    let Kind::Rule(rule) = document.kind else { panic!("no rule: {:?}", document.diagnostics) };
    let queries = lower::queries(&rule).into_iter().map(|(query, _)| query).collect();
    use_it(backend.convert(&rule), queries)
}

/// A rule of one detection `s` with these items, and this condition.
fn rule(items: &str, condition: &str) -> String {
    let items: String = items.lines().map(|line| format!("    {line}\n")).collect();
    format!("title: t\nlogsource:\n  category: test\ndetection:\n  s:\n{items}  condition: {condition}\n")
}

/// Runs a rule over events, one JSON object a line: what SQLite finds must be what the evaluator finds, and that must be
/// the events whose line ends with `<-`. Texts that spell numbers are the same to columns of integers, so rules that
/// mind the spelling are not run on those.
#[track_caller]
fn check_with(options: &[(&str, &str)], declared: &[Declared], rule: &str, events: &str) {
    let lines: Vec<&str> = events.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let wanted: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].ends_with("<-")).collect();
    let events: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line.trim_end_matches("<-").trim()).expect("a JSON object"))
        .collect();
    with_rule(rule, &backend(options), |conversion, queries| {
        let [query] = conversion.queries.as_slice() else { panic!("{:?}", conversion.diagnostics) };
        let matcher = Matcher::new(&queries[0]).expect("a matcher");
        let meant: Vec<usize> =
            (0..events.len()).filter(|at| matcher.matches(&events[*at]).expect("an answer")).collect();
        assert_eq!(meant, wanted, "the evaluator: {query}");
        let connection = database();
        let mut columns = columns_of(&events);
        columns.extend(["f", "g"].map(str::to_owned));
        columns.sort();
        columns.dedup();
        for declared in declared {
            table(&connection, &columns, &events, *declared);
            assert_eq!(found(&connection, query).expect("a query"), wanted, "{query}");
        }
    });
}

#[track_caller]
fn check(items: &str, events: &str) {
    check_with(&[], &[Declared::Bare, Declared::Text], &rule(items, "s"), events);
}

/// The same rule negated finds the other events, those without the field too.
#[track_caller]
fn check_not(items: &str, events: &str) {
    let turned: Vec<String> = events
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.strip_suffix("<-").map_or_else(|| format!("{line}<-"), |line| line.trim().to_owned()))
        .collect();
    check_with(&[], &[Declared::Bare, Declared::Text], &rule(items, "not s"), &turned.join("\n"));
}

#[track_caller]
fn check_both(items: &str, events: &str) {
    check(items, events);
    check_not(items, events);
}

const BARE: &[Declared] = &[Declared::Bare];
const EVERY: &[Declared] = &[Declared::Bare, Declared::Text, Declared::Integer];

#[test]
fn text_ignores_case() {
    check_both(
        "f: 'Cmd_100%.exe'",
        r#"{"f": "cMD_100%.EXE"} <-
           {"f": "cmdx100%.exe"}
           {"f": "cmd_100%.exe "}
           {"f": null}
           {"g": "x"}
           {"f": ""}"#,
    );
    check_both(
        "f:\n  - 'ÄÖ*ß'\n  - 'σ'\n  - '–İ–'",
        r#"{"f": "äö and ß"} <-
           {"f": "ÄÖẞ"} <-
           {"f": "aoß"}
           {"f": "Σ"} <-
           {"f": "ς"} <-
           {"f": "–i–"}
           {"f": "–İ–"} <-
           {"g": "σ"}"#,
    );
}

#[test]
fn wildcards_and_escapes() {
    check_both(
        r"f|contains: '\_%\'",
        r#"{"f": "a\\_%\\b"} <-
           {"f": "\\_%\\"} <-
           {"f": "\\x%\\"}
           {"f": "\\_y\\"}
           {"f": "_%"}
           {}"#,
    );
    // A value that ends in a backslash before the wildcard that a modifier adds.
    check_both(
        r"f|endswith: '\x\'",
        r#"{"f": "C:\\X\\"} <-
           {"f": "C:\\x"}
           {"f": "C:\\x\\y"}"#,
    );
    check_both(
        r"f: 'a?c*\*[d]'",
        r#"{"f": "abc*[D]"} <-
           {"f": "aéc and *[d]"} <-
           {"f": "ac*[d]"}
           {"f": "abcx[d]"}
           {"f": "abc*d"}"#,
    );
    check_both(
        r"f|cased: 'a?C*\*[d]^é\?'",
        r#"{"f": "a\nC*[d]^é?"} <-
           {"f": "abCx*[d]^é?"} <-
           {"f": "abc*[d]^é?"}
           {"f": "abC*[d]^É?"}
           {"f": "abC*d^é?"}
           {"f": "abC*[d]^éx"}"#,
    );
    check_both("f: '*'", "{\"f\": \"\"} <-\n{\"f\": 0} <-\n{\"f\": null}\n{\"g\": 1}");
}

#[test]
fn quotes_cannot_be_left() {
    check_both(
        r#"f: "' OR 1=1 --""#,
        r#"{"f": "' or 1=1 --"} <-
           {"f": "x"}
           {}"#,
    );
    check_both(
        "f|contains: \"a'b\\nc\\td\"",
        r#"{"f": "A'B\nC\tD"} <-
           {"f": "ab\nc\td"}"#,
    );
    let events = "{\"a`b\\\"c.d e\": \"x\"} <-\n{\"a`b\\\"c.d e\": \"y\"}";
    check("'a`b\"c.d e': x", events);
    check("'AND': x", "{\"AND\": \"x\"} <-\n{\"AND\": \"AND\"}");
    check("f: 'AND'", "{\"f\": \"and\"} <-\n{\"f\": \"x\"}");
}

#[test]
fn a_field_that_no_column_has_is_an_error() {
    with_rule(&rule("missing: missing", "s"), &backend(&[]), |conversion, _| {
        let connection = database();
        table(&connection, &["f".to_owned()], &[], Declared::Bare);
        let fault = found(&connection, &conversion.queries[0]).expect_err("no such column");
        assert!(fault.to_string().contains("no such column"), "{fault}");
    });
}

#[test]
fn nul_is_refused() {
    for key in ["f", "f|cased", "f|contains"] {
        with_rule(&rule(&format!("{key}: \"a\\0b\""), "s"), &backend(&[]), |conversion, _| {
            assert_eq!(conversion.status, Status::Refused);
        });
    }
}

#[test]
fn text_that_spells_a_number() {
    // Numbers are taken by their text, and that text only.
    let events = r#"{"f": 4688} <-
           {"f": "4688"} <-
           {"f": "04688"}
           {"f": 46880}
           {}"#;
    check_both("f: '4688'", events);
    check_both("f|cased: '4688'", events);
    check_with(&[], EVERY, &rule("f|startswith: '46'", "s"), "{\"f\": 4688} <-\n{\"f\": 14688}");
    check_with(&[], EVERY, &rule("f|cased: '04688'", "s"), "{\"f\": 4688}\n{\"f\": 46880}");
    check_with(&[], EVERY, &rule("f: '04688'", "s"), "{\"f\": 4688}\n{\"f\": 46880}");
}

#[test]
fn numbers_are_exact_in_any_column() {
    let both = |items: &str, events: &str| {
        check_both(items, events);
        check_with(&[], EVERY, &rule(items, "s"), events);
    };
    both(
        "f:\n  - 4688\n  - -1",
        r#"{"f": 4688} <-
           {"f": "4688"} <-
           {"f": -1} <-
           {"f": "-1"} <-
           {"f": 46880}
           {"f": "x4688"}
           {"f": null}
           {}"#,
    );
    both(
        "f: 9007199254740993",
        r#"{"f": 9007199254740993} <-
           {"f": 9007199254740992}
           {"f": "9007199254740993"} <-
           {"f": 9007199254740994}"#,
    );
    check_both(
        "f: 18446744073709551615",
        r#"{"f": "18446744073709551615"} <-
           {"f": "18446744073709551614"}
           {"f": "18446744073709551616"}
           {"f": 9223372036854775807}"#,
    );
    check_both("f: 1.5", "{\"f\": 1.5} <-\n{\"f\": \"1.5\"} <-\n{\"f\": 1}\n{\"f\": \"x\"}");
}

#[test]
fn order_is_that_of_numbers() {
    let events = r#"{"f": 9, "n": "below"}
           {"f": 10, "n": "equal"}
           {"f": "10", "n": "equal"}
           {"f": "9", "n": "below"}
           {"f": "100", "n": "above"}
           {"f": 1e3, "n": "above"}
           {"f": -5, "n": "below"}
           {"f": "abc", "n": "none"}
           {"f": "12abc", "n": "none"}
           {"f": "", "n": "none"}
           {"f": "9007199254740993", "n": "above"}
           {"f": null, "n": "none"}
           {"n": "none"}"#;
    for (modifier, classes) in [("lt", "below"), ("lte", "below equal"), ("gt", "above"), ("gte", "above equal")] {
        let marked: Vec<String> = events
            .lines()
            .map(|line| {
                let class = line.rsplit('"').nth(1).expect("a class");
                if classes.contains(class) { format!("{line} <-") } else { line.to_owned() }
            })
            .collect();
        check_both(&format!("f|{modifier}: 10"), &marked.join("\n"));
        check_with(&[], EVERY, &rule(&format!("f|{modifier}: 10"), "s"), &marked.join("\n"));
    }
    check_both(
        "f|gt: 9007199254740992",
        r#"{"f": 9007199254740993} <-
           {"f": "9007199254740993"} <-
           {"f": 9007199254740992}"#,
    );
}

#[test]
fn booleans() {
    let events = r#"{"f": true} <-
           {"f": "True"} <-
           {"f": "true"} <-
           {"f": false}
           {"f": "false"}
           {"f": null}
           {"f": "truex"}"#;
    check_both("f: true", events);
    check_both("f: 'true'", events);
    check_both(
        "f:\n  - false\n  - 'x'",
        "{\"f\": false} <-\n{\"f\": \"FALSE\"} <-\n{\"f\": \"X\"} <-\n{\"f\": true}\n{}",
    );
}

#[test]
fn absent_null_and_empty() {
    check_both("f: null", "{\"f\": null} <-\n{} <-\n{\"f\": \"\"}\n{\"f\": \"x\"}");
    check_both("f: ''", "{\"f\": \"\"} <-\n{\"f\": null}\n{}\n{\"f\": \"x\"}");
    check_both("f|exists: true", "{\"f\": \"\"} <-\n{\"f\": 0} <-\n{}");
    check_both("f|exists: false", "{\"f\": \"\"}\n{} <-");
    with_rule(&rule("f|exists: true", "s"), &backend(&[]), |conversion, _| {
        assert_eq!(conversion.status, Status::Approximate);
    });
    with_rule(&rule("f: x", "not s"), &backend(&[]), |conversion, _| {
        assert_eq!(conversion.status, Status::Exact);
        assert_eq!(conversion.queries, ["SELECT * FROM `logs` WHERE NOT (`f` IS NOT NULL AND lower(`f`) = 'x')"]);
    });
}

#[test]
fn negation_of_groups_keeps_rows_without_the_field() {
    check_both(
        "f|contains:\n  - a\n  - b\ng|startswith: c",
        r#"{"f": "a", "g": "c"} <-
           {"f": "a"}
           {"g": "c"}
           {"f": "x", "g": "c"}
           {"f": null, "g": null}"#,
    );
    let text = "title: t\nlogsource:\n  category: test\ndetection:\n  a:\n    f: 1\n  b:\n    g|re: 'x.*y'\n  c:\n    \
                f|contains: z\n  condition: not (a and not (b or c)) and not b\n";
    check_with(
        &[],
        &[Declared::Bare, Declared::Text],
        text,
        r#"{"f": 1}
           {"f": 2} <-
           {} <-
           {"g": "axby"}
           {"f": 1, "g": "axby"}
           {"f": "z1"} <-
           {"g": "ab"} <-"#,
    );
}

#[test]
fn networks_are_patterns() {
    check_both(
        "f|cidr:\n  - 172.16.0.0/12\n  - fe80::/10",
        r#"{"f": "172.16.0.1"} <-
           {"f": "172.31.255.255"} <-
           {"f": "172.32.0.1"}
           {"f": "172.3.0.1"}
           {"f": "FE80::1"} <-
           {"f": "febf:0:0:0:0:0:0:1"} <-
           {"f": "fec0::1"}
           {"f": null}
           {}"#,
    );
}

#[test]
fn regular_expressions() {
    let events = r#"{"f": "xaby"} <-
           {"f": "xacy"} <-
           {"f": "xABy"}
           {"f": "xady"}
           {"f": null}
           {}"#;
    check_both("f|re: 'a[bc]'", events);
    let function: &[(&str, &str)] = &[("regexp", "function")];
    check_with(function, BARE, &rule("f|re: 'a[bc]y$'", "s"), events);
    check_with(function, BARE, &rule("f|re: '^x\\w+\\s{2,}y'", "s"), "{\"f\": \"xab  y\"} <-\n{\"f\": \"xab y\"}\n{}");
    check_with(function, BARE, &rule("f|re|i: 'AB'", "not s"), "{\"f\": \"xab\"}\n{\"f\": \"xa\"} <-\n{} <-");
    with_rule(&rule("f|re: 'a[0-9]+b'", "s"), &backend(&[]), |conversion, _| {
        assert_eq!(conversion.status, Status::Refused);
    });
}

#[test]
fn fields_are_compared() {
    for modifier in ["fieldref", "fieldref|cased"] {
        check_both(
            &format!("f|{modifier}: g"),
            r#"{"f": "ab", "g": "ab"} <-
               {"f": 5, "g": "5"} <-
               {"f": "", "g": ""} <-
               {"f": "ab", "g": "abc"}
               {"f": "a%", "g": "ab"}
               {"f": null, "g": null}
               {"f": "ab"}
               {}"#,
        );
    }
    check_both("f|fieldref: g", "{\"f\": \"aB\", \"g\": \"Ab\"} <-\n{\"f\": \"a\", \"g\": \"b\"}");
    check_both("f|fieldref|cased: g", "{\"f\": \"aB\", \"g\": \"Ab\"}\n{\"f\": \"a\", \"g\": \"a\"} <-");
    for (modifier, good, bad) in
        [("startswith", "abc%x", "xabc%"), ("endswith", "xabc%", "abc%x"), ("contains", "xabc%x", "xabcdx")]
    {
        let events = format!(
            "{{\"f\": \"{good}\", \"g\": \"abc%\"}} <-\n{{\"f\": \"{bad}\", \"g\": \"abc%\"}}\n\
             {{\"f\": \"{good}\", \"g\": \"\"}} <-\n{{\"f\": \"c%\", \"g\": \"abc%\"}}\n{{\"f\": \"bc%\", \"g\": \"abc%\"}}\n\
             {{\"f\": \"{good}\"}}\n{{\"g\": \"\"}}"
        );
        check_both(&format!("f|fieldref|{modifier}: g"), &events);
    }
}

#[test]
fn parts_of_times() {
    let parts = [
        ("minute", 30, "2024-02-29T23:30:58Z", "2024-02-29 23:31:00"),
        ("hour", 0, "2024-02-29T23:30:00-01:00", "2024-02-29T23:30:00Z"),
        ("day", 29, "2024-02-29 10:00:00", "2024-03-01 10:00:00"),
        ("week", 53, "2021-01-03T00:00:00Z", "2021-01-04T00:00:00Z"),
        ("week", 1, "2024-12-30T00:00:00Z", "2024-12-29T23:59:59Z"),
        ("month", 2, "2024-02-29T23:30:58Z", "2024-03-01T00:00:00Z"),
        ("year", 2024, "2024-02-29T23:30:58Z", "2023-02-28T23:30:58Z"),
    ];
    for (part, value, good, bad) in parts {
        let events = format!("{{\"f\": \"{good}\"}} <-\n{{\"f\": \"{bad}\"}}\n{{}}");
        check_both(&format!("f|{part}: {value}"), &events);
    }
    check_both("f|hour|gte: 22", "{\"f\": \"2024-02-29T23:30:58Z\"} <-\n{\"f\": \"2024-02-29T21:59:59Z\"}\n{}");
}

#[test]
fn keywords_need_columns() {
    let text = "title: t\nlogsource:\n  category: test\ndetection:\n  s:\n    - 'a%'\n    - 'b'\n  condition: s\n";
    with_rule(text, &backend(&[]), |conversion, _| assert_eq!(conversion.status, Status::Refused));
    let options: &[(&str, &str)] = &[("keyword_columns", "f,g")];
    let events = "{\"f\": \"xA%x\"} <-\n{\"g\": \"b\"} <-\n{\"f\": \"xax\"}\n{}";
    check_with(options, BARE, text, events);
    let turned = "{\"f\": \"xA%x\"}\n{\"g\": \"b\"}\n{\"f\": \"xax\"} <-\n{} <-";
    check_with(options, BARE, &text.replace("condition: s", "condition: not s"), turned);
}

#[test]
fn long_lists_are_not_too_deep() {
    let values: Vec<String> = (0..3_000).map(|at| format!("  - 'value{at}x'")).collect();
    let items = format!("f|contains:\n{}", values.join("\n"));
    check(&items, "{\"f\": \"a value2999X b\"} <-\n{\"f\": \"value3000x\"}\n{}");
}

#[test]
fn table_and_time() {
    let options: &[(&str, &str)] = &[("table", "main.logs"), ("time_range", "24h"), ("time_field", "@time")];
    with_rule(&rule("f: x", "s"), &backend(options), |conversion, _| {
        let connection = database();
        connection
            .execute_batch(
                "CREATE TABLE logs (`#` INTEGER, f, `@time`);
                 INSERT INTO logs VALUES (0, 'x', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-23 hours')),
                     (1, 'x', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-25 hours')), (2, 'x', datetime('now')),
                     (3, 'y', datetime('now')), (4, 'x', NULL);",
            )
            .expect("a table");
        assert_eq!(found(&connection, &conversion.queries[0]).expect("a query"), [0, 2]);
        assert_eq!(conversion.assumptions, [Code::AssumeSingleValues]);
    });
}
