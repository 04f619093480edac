//! Each construct of the language, from its YAML to its answer on an event.

use serde_json::Value;
use sigcast_diagnostics::SourceMap;
use sigcast_eval::{EvalFault, Matcher, RuleMatcher};
use sigcast_frontend::{Kind, parse};
use sigcast_ir::{Expr, Field, Match, Subject, Test, lower};

/// A rule around a detection: the lines of `detection:`, without their indent.
fn with_rule<T>(detection: &str, ask: impl FnOnce(Result<RuleMatcher, EvalFault>) -> T) -> T {
    let indented: String = detection.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("title: t\nlogsource: {{category: test}}\ndetection:\n{indented}");
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", text);
    let documents = parse(&sources, id);
    let Some(Kind::Rule(rule)) = documents.first().map(|document| &document.kind) else {
        panic!("no rule: {:?}", documents.first().map(|document| &document.diagnostics))
    };
    ask(RuleMatcher::new(rule).map_err(|error| error.fault))
}

/// `detection`: one item, or the whole detection with its condition.
fn check(detection: &str, event: &str, expected: bool) {
    let whole = if detection.contains("condition:") {
        detection.to_owned()
    } else {
        let indented: String = detection.lines().map(|line| format!("    {line}\n")).collect();
        format!("sel:\n{indented}condition: sel")
    };
    let event: Value = serde_json::from_str(event).expect("JSON");
    let found = with_rule(&whole, |matcher| matcher.expect("runs").matches(&event));
    assert_eq!(found, Ok(expected), "{detection}\non {event}");
}

/// One detection on a table of events.
fn table(detection: &str, rows: &[(&str, bool)]) {
    for (event, expected) in rows {
        check(detection, event, *expected);
    }
}

#[test]
fn strings() {
    table(
        "f: aB",
        &[
            (r#"{"f": "ab"}"#, true),
            (r#"{"f": "AB"}"#, true),
            (r#"{"f": "abc"}"#, false),
            (r#"{"f": ["x", "ab"]}"#, true),
            (r#"{"f": ["x"]}"#, false),
            (r#"{"f": []}"#, false),
            (r#"{"f": {"f": "ab"}}"#, false),
            (r#"{"f": null}"#, false),
            (r#"{"F": "ab"}"#, false),
            ("{}", false),
            ("[]", false),
            (r#""ab""#, false),
        ],
    );
    table("f: 'a*b?'", &[(r#"{"f": "AxxBé"}"#, true), (r#"{"f": "ab"}"#, false), (r#"{"f": "a\nbc"}"#, true)]);
    table(r"f: 'a\*b\\\?c\d'", &[(r#"{"f": "a*b\\?c\\d"}"#, true), (r#"{"f": "axb\\?c\\d"}"#, false)]);
    table("f: '12'", &[(r#"{"f": 12}"#, true), (r#"{"f": 12.0}"#, false), (r#"{"f": "012"}"#, false)]);
    table("f: 'true'", &[(r#"{"f": true}"#, true), (r#"{"f": "True"}"#, true), (r#"{"f": 1}"#, false)]);
    table("f: straße", &[(r#"{"f": "STRAẞE"}"#, true), (r#"{"f": "strasse"}"#, false)]);
    table("f: '*'", &[(r#"{"f": ""}"#, true), (r#"{"f": 0}"#, true), (r#"{"f": null}"#, false), ("{}", false)]);
    table(r"f|endswith: '\'", &[(r#"{"f": "a\\"}"#, true), (r#"{"f": "a"}"#, false)]);
    table(r"f|startswith: 'dir\'", &[(r#"{"f": "DIR\\a"}"#, true), (r#"{"f": "dir*"}"#, false)]);
    table("f|contains: b", &[(r#"{"f": "aBc"}"#, true), (r#"{"f": "ac"}"#, false)]);
    table("f|cased: a*B", &[(r#"{"f": "axB"}"#, true), (r#"{"f": "axb"}"#, false)]);
    table("f|contains|cased: B", &[(r#"{"f": "aBc"}"#, true), (r#"{"f": "abc"}"#, false)]);
}

#[test]
fn numbers() {
    table(
        "f: 10",
        &[
            (r#"{"f": 10}"#, true),
            (r#"{"f": "10"}"#, true),
            (r#"{"f": 10.0}"#, true),
            (r#"{"f": "1e1"}"#, true),
            (r#"{"f": "010"}"#, false),
            (r#"{"f": " 10"}"#, false),
            (r#"{"f": "0xA"}"#, false),
            (r#"{"f": [9, 10]}"#, true),
            (r#"{"f": true}"#, false),
        ],
    );
    table("f: 9007199254740993", &[(r#"{"f": 9007199254740993}"#, true), (r#"{"f": 9007199254740992}"#, false)]);
    table("f: 18446744073709551615", &[(r#"{"f": 18446744073709551615}"#, true)]);
    table("f|gte: 9007199254740993", &[(r#"{"f": "9007199254740992"}"#, false), (r#"{"f": 9007199254740993}"#, true)]);
    table("f|lt: 10", &[(r#"{"f": 9.99}"#, true), (r#"{"f": "9"}"#, true), (r#"{"f": 10}"#, false), ("{}", false)]);
    table("f|lt: -1", &[(r#"{"f": -2}"#, true), (r#"{"f": 0}"#, false), (r#"{"f": "abc"}"#, false)]);
    table("f|gt: 1.5", &[(r#"{"f": 1.6}"#, true), (r#"{"f": 1.5}"#, false)]);
    table("f|lte: 3", &[(r#"{"f": [5, 3]}"#, true), (r#"{"f": [5, 4]}"#, false)]);
    table("f|contains: 23", &[(r#"{"f": 1234}"#, true)]);
    table("f: 00000429", &[(r#"{"f": "00000429"}"#, true), (r#"{"f": 429}"#, false)]);
}

#[test]
fn booleans_null_and_presence() {
    table("f: true", &[(r#"{"f": true}"#, true), (r#"{"f": "TRUE"}"#, true), (r#"{"f": 1}"#, false), ("{}", false)]);
    table("f: false", &[(r#"{"f": false}"#, true), (r#"{"f": ""}"#, false), ("{}", false)]);
    table(
        "f: null",
        &[
            ("{}", true),
            (r#"{"f": null}"#, true),
            (r#"{"f": ""}"#, false),
            (r#"{"f": [1, null]}"#, false),
            (r#"{"f": [null, [null]]}"#, true),
            (r#"{"f": []}"#, true),
        ],
    );
    table("f: ''", &[(r#"{"f": ""}"#, true), (r#"{"f": null}"#, false), ("{}", false), (r#"{"f": " "}"#, false)]);
    table("f|exists: true", &[(r#"{"f": null}"#, true), (r#"{"f": {"g": 1}}"#, true), ("{}", false)]);
    table("f|exists: false", &[(r#"{"f": null}"#, false), ("{}", true)]);
}

#[test]
fn fields() {
    table(
        "a.b: x",
        &[
            (r#"{"a.b": "x"}"#, true),
            (r#"{"a": {"b": "x"}}"#, true),
            (r#"{"a": [{"b": "y"}, {"b": "x"}]}"#, true),
            (r#"{"a.b": "y", "a": {"b": "x"}}"#, false),
            (r#"{"a": "x"}"#, false),
        ],
    );
}

#[test]
fn regular_expressions() {
    table(r"f|re: 'b\d+'", &[(r#"{"f": "ab12"}"#, true), (r#"{"f": "aB12"}"#, false), (r#"{"f": 12}"#, false)]);
    table(r"f|re|i: '^AB'", &[(r#"{"f": "abc"}"#, true), (r#"{"f": "xab"}"#, false)]);
    table(r"f|re: '^\d{4}$'", &[(r#"{"f": 4688}"#, true), (r#"{"f": "4688\n"}"#, true), (r#"{"f": "46880"}"#, false)]);
    table(r"f|re|m: '^b$'", &[(r#"{"f": "a\nb\nc"}"#, true)]);
    table(r"f|re: 'a(?!b)'", &[(r#"{"f": "ac"}"#, true), (r#"{"f": "ab"}"#, false)]);
    table(r"f|re: '\<b\>'", &[(r#"{"f": "<b>"}"#, true), (r#"{"f": "b"}"#, false)]);
    table(r"f|re: '[a&&b]x'", &[(r#"{"f": "&x"}"#, true)]);
    table(r"f|re: '[\w-.]@'", &[(r#"{"f": "-@"}"#, true), (r#"{"f": "é@"}"#, false)]);
    table(r"f|re: '^$'", &[(r#"{"f": ""}"#, true), (r#"{"f": null}"#, false), ("{}", false)]);
}

#[test]
fn networks() {
    table(
        "f|cidr: 10.0.0.0/8",
        &[
            (r#"{"f": "10.0.0.0"}"#, true),
            (r#"{"f": "10.255.255.255"}"#, true),
            (r#"{"f": "11.0.0.0"}"#, false),
            (r#"{"f": "9.255.255.255"}"#, false),
            (r#"{"f": "10.0.0.1/32"}"#, false),
            (r#"{"f": "::ffff:10.0.0.1"}"#, false),
            (r#"{"f": ["-", "10.1.1.1"]}"#, true),
            (r#"{"f": 10}"#, false),
            (r#"{"f": "10.1"}"#, false),
        ],
    );
    table(
        "f|cidr: '::1/128'",
        &[(r#"{"f": "0:0:0:0:0:0:0:1"}"#, true), (r#"{"f": "::1"}"#, true), (r#"{"f": "::2"}"#, false)],
    );
    table("f|cidr: '::ffff:0:0/96'", &[(r#"{"f": "::FFFF:10.0.0.1"}"#, true), (r#"{"f": "10.0.0.1"}"#, false)]);
    table("f|cidr: 'fe80::/10'", &[(r#"{"f": "FE80::1%eth0"}"#, true), (r#"{"f": "fec0::1"}"#, false)]);
}

#[test]
fn times() {
    table(
        "f|hour: 23",
        &[(r#"{"f": "2024-02-29T23:59:58Z"}"#, true), (r#"{"f": "2024-02-29T23:59:58-01:00"}"#, false)],
    );
    table("f|minute|gte: 30", &[(r#"{"f": "2024-02-29 10:30:00"}"#, true), (r#"{"f": "2024-02-29 10:29:59"}"#, false)]);
    table("f|week: 53", &[(r#"{"f": "2021-01-03"}"#, true), (r#"{"f": "not a time"}"#, false), ("{}", false)]);
    table("f|year|lt: 2024", &[(r#"{"f": 1672531199}"#, true), (r#"{"f": 1704067200}"#, false)]);
}

#[test]
fn field_references() {
    table(
        "f|fieldref: g",
        &[
            (r#"{"f": "a", "g": "A"}"#, true),
            (r#"{"f": 1, "g": "1"}"#, true),
            (r#"{"f": ["a", "b"], "g": ["c", "B"]}"#, true),
            (r#"{"f": "a", "g": "b"}"#, false),
            (r#"{"f": "a"}"#, false),
            ("{}", false),
            (r#"{"f": null, "g": null}"#, false),
            (r#"{"f": "", "g": ""}"#, true),
        ],
    );
    table("f|fieldref|startswith: g", &[(r#"{"f": "abc", "g": "AB"}"#, true), (r#"{"f": "abc", "g": "bc"}"#, false)]);
    table("f|fieldref|endswith: g", &[(r#"{"f": "abc", "g": "bc"}"#, true), (r#"{"f": "bc", "g": "abc"}"#, false)]);
    table("f|fieldref|contains: g", &[(r#"{"f": "abc", "g": "b"}"#, true), (r#"{"f": "abc", "g": ""}"#, true)]);
    table("f|fieldref|cased: g", &[(r#"{"f": "a", "g": "A"}"#, false)]);
}

#[test]
fn keywords() {
    table(
        "- evil",
        &[
            (r#"{"a": {"b": [1, {"c": "xEVILx"}]}}"#, true),
            (r#"{"evil": "x"}"#, false),
            (r#""evil""#, true),
            (r#"{"a": "ev", "b": "il"}"#, false),
        ],
    );
    table("- 'a*b'", &[(r#"{"m": "xx a--B yy"}"#, true)]);
    table("- 4688", &[(r#"{"id": 4688}"#, true), (r#"{"id": "14688"}"#, true)]);
    table("'|all': [a, b]", &[(r#"{"x": "A", "y": "b"}"#, true), (r#"{"x": "a"}"#, false)]);
    table(r"'|re': 'ev\d'", &[(r#"{"m": "xev1"}"#, true), (r#"{"m": "xEV1"}"#, false)]);
    table("'|cased': Evil", &[(r#"{"m": "xEvil"}"#, true), (r#"{"m": "xevil"}"#, false)]);
}

#[test]
fn encodings() {
    table("f|base64: foo", &[(r#"{"f": "Zm9v"}"#, true), (r#"{"f": "foo"}"#, false)]);
    for shifted in ["Zm9vYmFy", "eGZvb2Jhcg==", "eHhmb29iYXI=", "WFhYZm9vYmFy"] {
        check("f|base64offset|contains: foobar", &format!(r#"{{"f": "-{shifted}"}}"#), true);
    }
    table(
        "f|contains|windash: ' -x'",
        &[(r#"{"f": "a /x"}"#, true), (r#"{"f": "a –x"}"#, true), (r#"{"f": "a x"}"#, false)],
    );
}

#[test]
fn logic() {
    table("f|neq: a", &[(r#"{"f": "b"}"#, true), (r#"{"f": "a"}"#, false), ("{}", true)]);
    table(
        "f|contains|all: [a, b]",
        &[(r#"{"f": "b-a"}"#, true), (r#"{"f": "a"}"#, false), (r#"{"f": ["a", "b"]}"#, true)],
    );
    table("f: [a, 1, null]", &[(r#"{"f": "A"}"#, true), (r#"{"f": "1"}"#, true), ("{}", true), (r#"{"f": 2}"#, false)]);
    table(
        "- f: a\n  g: b\n- h: c",
        &[(r#"{"h": "c"}"#, true), (r#"{"f": "a"}"#, false), (r#"{"f": "a", "g": "b"}"#, true)],
    );
    let detection = "a: {f: 1}\nb: {g: 1}\nc: {h: 1}\ncondition: a or b and not c";
    table(
        detection,
        &[(r#"{"f": 1, "h": 1}"#, true), (r#"{"g": 1}"#, true), (r#"{"g": 1, "h": 1}"#, false), ("{}", false)],
    );
    let detection = "sel_a: {f: 1}\nsel_b: {g: 1}\n_skip: {h: 1}\ncondition: all of them";
    table(detection, &[(r#"{"f": 1, "g": 1}"#, true), (r#"{"f": 1}"#, false)]);
    let detection = "sel_a: {f: 1}\nsel_b: {g: 1}\ncondition: [sel_a, sel_b]";
    table(detection, &[(r#"{"f": 1}"#, true), (r#"{"g": 1}"#, true), ("{}", false)]);
}

#[test]
fn what_cannot_be_run() {
    let fault = |detection: &str| with_rule(detection, |matcher| matcher.expect_err("an error"));
    let placeholder = fault("sel:\n    f|expand: '%users%'\ncondition: sel");
    assert_eq!(placeholder, EvalFault::Placeholder("users".to_owned()));
    assert!(matches!(fault("sel:\n    f|re: '(?R)?a'\ncondition: sel"), EvalFault::Regex(_)));
}

#[test]
fn what_rules_cannot_say_is_an_error_too() {
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", "title: t\nlogsource: {category: test}\ndetection: {s: {f: 1}, condition: s}");
    let documents = parse(&sources, id);
    let Some(Kind::Rule(rule)) = documents.first().map(|document| &document.kind) else { panic!("no rule") };
    let (_, span) = lower::queries(rule).remove(0);
    let leaf = |subject, test| Expr::Match(Match { subject, test, span });
    let fault = |query| Matcher::new(&query).expect_err("an error").fault;
    assert_eq!(fault(leaf(Subject::Field(Field::new("f")), Test::Raw("index=a".into()))), EvalFault::Raw);
    assert_eq!(fault(leaf(Subject::Event, Test::Null)), EvalFault::NeedsField);
    let mut deep = Expr::Const(true);
    for _ in 0..2000 {
        deep = Expr::negate(deep);
    }
    assert_eq!(fault(deep), EvalFault::TooDeep);
}
