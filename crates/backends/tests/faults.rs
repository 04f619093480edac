//! Faults of other converters, each as a rule with its right output: what was lost, widened or misread there, is not here.
//!
//! Invariant: an output stands here because it was read as its engine reads it. If one changes, the new one is to be
//! read again before it is taken over.

use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Conversion, Status, TARGETS, find};
use sigcast_diagnostics::{Class, Code, SourceMap};
use sigcast_frontend::{Document, Kind, parse};

/// What must come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// An exact query with this text inside what [`ENVELOPES`] has for the target.
    Text(&'static str),
    /// Likewise, but approximate, with this warning.
    Approximate(Code, &'static str),
    /// No query, for this reason.
    Refused(Code),
}

use Output::{Approximate, Refused, Text};

/// What stands before and behind the expression, the same in every query of a target.
const ENVELOPES: [(&str, &str, &str); 4] = [
    ("kusto", "where ", ""),
    ("eql", "any where ", ""),
    ("esql", "FROM logs-*\n| WHERE ", "\n| LIMIT 10000"),
    ("sqlite", "SELECT * FROM `logs` WHERE ", ""),
];

/// The documents of one rule.
fn with_rule<T>(detections: &str, condition: &str, use_it: impl FnOnce(&[Document<'_>]) -> T) -> T {
    let detections: String = detections.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("title: t\nlogsource: {{product: windows}}\ndetection:\n{detections}  condition: {condition}\n");
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", text);
    use_it(&parse(&sources, id))
}

/// What a target makes of a rule.
fn conversion(detections: &str, condition: &str, target: &str) -> Conversion {
    with_rule(detections, condition, |documents| {
        let [Document { kind: Kind::Rule(rule), .. }] = documents else { panic!("{documents:?}") };
        Backend::new(find(target).expect("a target"), Settings::default()).convert(rule)
    })
}

/// Checks the output of a rule of these detections (lines of YAML) for each target of the table.
#[track_caller]
fn check(detections: &str, condition: &str, expected: &[(&str, Output)]) {
    for (target, expected) in expected {
        let found = conversion(detections, condition, target);
        let class = if found.status == Status::Refused { Class::Refusal } else { Class::Approximation };
        let why: Vec<Code> =
            found.diagnostics.iter().map(|one| one.code).filter(|code| code.class() == class).collect();
        let (status, code, text) = match expected {
            Text(text) => (Status::Exact, None, Some(text)),
            Approximate(code, text) => (Status::Approximate, Some(*code), Some(text)),
            Refused(code) => (Status::Refused, Some(*code), None),
        };
        let (_, open, close) = ENVELOPES.iter().find(|(name, ..)| name == target).unwrap_or(&("", "", ""));
        let queries: Vec<String> = text.iter().map(|text| format!("{open}{text}{close}")).collect();
        assert_eq!((target, found.status, found.queries), (target, status, queries));
        assert_eq!(why.first().copied(), code, "{target}");
    }
}

/// Checks that a rule is invalid, so that no target sees it, for this reason.
#[track_caller]
fn check_invalid(detections: &str, condition: &str, expected: Code) {
    with_rule(detections, condition, |documents| {
        let [Document { kind: Kind::Invalid, diagnostics, .. }] = documents else { panic!("{documents:?}") };
        let codes: Vec<Code> = diagnostics.iter().map(|found| found.code).collect();
        assert!(codes.contains(&expected), "{codes:?}");
    });
}

/// Checks that a query relies on this assumption.
#[track_caller]
fn check_assumed(detections: &str, target: &str, expected: Code) {
    let assumed = conversion(detections, "s", target).assumptions;
    assert!(assumed.contains(&expected), "{target}: {assumed:?}");
}

// Escaping.

/// `\*` at the end of a pattern would be a literal asterisk: the backslash is doubled where the language escapes with it,
/// and stands alone in SQL, where it is a character like others.
#[test]
fn a_trailing_backslash_stays_before_an_added_wildcard() {
    check(
        r"s: {Path|contains: '\Temp\'}",
        "s",
        &[
            ("lucene", Text(r"Path:*\\Temp\\*")),
            ("kibana", Text(r"Path: *\\Temp\\*")),
            ("graylog", Text(r"Path:*\\Temp\\*")),
            ("splunk", Text(r#"Path="*\\Temp\\*""#)),
            ("kusto", Text(r#"Path contains "\\Temp\\""#)),
            ("eql", Text(r#"Path : "*\\Temp\\*""#)),
            ("esql", Text(r#"TO_LOWER(Path) LIKE """*\\temp\\*""""#)),
            ("sqlite", Text(r"`Path` LIKE '%\Temp\%'")),
        ],
    );
    check(
        r"s: {Path|startswith: 'C:\Temp\'}",
        "s",
        &[
            ("lucene", Text(r"Path:C\:\\Temp\\*")),
            ("kibana", Text(r"Path: C\:\\Temp\\*")),
            ("graylog", Text(r"Path:C\:\\Temp\\*")),
            ("splunk", Text(r#"Path="C:\\Temp\\*""#)),
            ("kusto", Text(r#"Path startswith "C:\\Temp\\""#)),
            ("eql", Text(r#"Path : "C:\\Temp\\*""#)),
            ("esql", Text(r#"TO_LOWER(Path) LIKE """c:\\temp\\*""""#)),
            ("sqlite", Text(r"`Path` LIKE 'C:\Temp\%'")),
        ],
    );
}

/// A quote is escaped once for the string that holds the regex and, where it is an operator of the regex language
/// (Lucene, EQL, ES|QL), once for that.
#[test]
fn quotes_inside_a_regex_end_no_string() {
    check(
        r#"s: {CommandLine|re: 'say "a" ''b'' [0-9]+'}"#,
        "s",
        &[
            ("lucene", Text(r#"CommandLine:/.*say \"a\" 'b' [0-9].*/"#)),
            (
                "kibana",
                Approximate(
                    Code::ValueReinterpreted,
                    r#"CommandLine: (*say \"a\" 'b' 0* or *say \"a\" 'b' 1* or *say \"a\" 'b' 2* or *say \"a\" 'b' 3* or *say \"a\" 'b' 4* or *say \"a\" 'b' 5* or *say \"a\" 'b' 6* or *say \"a\" 'b' 7* or *say \"a\" 'b' 8* or *say \"a\" 'b' 9*)"#,
                ),
            ),
            ("graylog", Text(r#"CommandLine:/.*say \"a\" 'b' [0-9].*/"#)),
            (
                "splunk",
                Text("CommandLine=\"*say \\\"a\\\" 'b' *\"\n| where match(CommandLine, \"say \\\"a\\\" 'b' [0-9]+\")"),
            ),
            ("kusto", Text(r#"CommandLine matches regex @"say ""a"" 'b' [0-9]+""#)),
            ("eql", Text(r#"CommandLine regex ".*say \\\"a\\\" 'b' [0-9].*""#)),
            ("esql", Text(r#"CommandLine RLIKE ".*say \\\"a\\\" 'b' [0-9].*""#)),
            (
                "sqlite",
                Text(
                    r#"`CommandLine` GLOB '*say "a" ''b'' 0*' OR `CommandLine` GLOB '*say "a" ''b'' 1*' OR `CommandLine` GLOB '*say "a" ''b'' 2*' OR `CommandLine` GLOB '*say "a" ''b'' 3*' OR `CommandLine` GLOB '*say "a" ''b'' 4*' OR `CommandLine` GLOB '*say "a" ''b'' 5*' OR `CommandLine` GLOB '*say "a" ''b'' 6*' OR `CommandLine` GLOB '*say "a" ''b'' 7*' OR `CommandLine` GLOB '*say "a" ''b'' 8*' OR `CommandLine` GLOB '*say "a" ''b'' 9*'"#,
                ),
            ),
        ],
    );
}

/// A query may span lines only inside quotes; languages with escapes use them.
#[test]
fn newline_and_tab_are_escaped_or_stand_as_they_are() {
    check(
        r#"s: {CommandLine: "a\nb\tc"}"#,
        "s",
        &[
            ("lucene", Text("CommandLine:\"a\nb\tc\"")),
            ("kibana", Text(r#"CommandLine: "a\nb\tc""#)),
            ("graylog", Text("CommandLine:\"a\nb\tc\"")),
            (
                "splunk",
                Text(
                    "CommandLine=\"a*\" CommandLine=\"*b*\" CommandLine=\"*c\"\n| where match(CommandLine, \"(?i)^a\\\\nb\\\\tc\\\\z\")",
                ),
            ),
            ("kusto", Text(r#"CommandLine =~ "a\nb\tc""#)),
            ("eql", Text(r#"CommandLine : "a\nb\tc""#)),
            ("esql", Text(r#"TO_LOWER(CommandLine) == "a\nb\tc""#)),
            ("sqlite", Text("lower(`CommandLine`) = 'a\nb\tc'")),
        ],
    );
    check(
        r#"s: {CommandLine|contains: "a\nb\tc"}"#,
        "s",
        &[
            ("lucene", Text("CommandLine:*a\\\nb\\\tc*")),
            ("kibana", Approximate(Code::ValueReinterpreted, r"CommandLine: *a\nb\tc*")),
            ("graylog", Text("CommandLine:*a\\\nb\\\tc*")),
            (
                "splunk",
                Text(
                    "CommandLine=\"*a*\" CommandLine=\"*b*\" CommandLine=\"*c*\"\n| where match(CommandLine, \"(?i)a\\\\nb\\\\tc\")",
                ),
            ),
            ("kusto", Text(r#"CommandLine contains "a\nb\tc""#)),
            ("eql", Text(r#"CommandLine : "*a\nb\tc*""#)),
            ("esql", Text(r#"TO_LOWER(CommandLine) LIKE "*a\nb\tc*""#)),
            ("sqlite", Text("`CommandLine` LIKE '%a\nb\tc%'")),
        ],
    );
}

/// `AND` bare would be the operator.
#[test]
fn an_operator_as_a_value_is_a_value() {
    check(
        "s: {Verb: AND}",
        "s",
        &[
            ("lucene", Text(r#"Verb:"AND""#)),
            ("kibana", Text(r#"Verb: "AND""#)),
            ("graylog", Text(r#"Verb:"AND""#)),
            ("splunk", Text(r#"Verb="AND""#)),
            ("kusto", Text(r#"Verb =~ "AND""#)),
            ("eql", Text(r#"Verb : "AND""#)),
            ("esql", Text(r#"TO_LOWER(Verb) == "and""#)),
            ("sqlite", Text("lower(`Verb`) = 'and'")),
        ],
    );
    check(
        "s: {Verb: [OR, NOT x]}",
        "s",
        &[
            ("lucene", Text(r#"Verb:("OR" OR "NOT x")"#)),
            ("kibana", Text(r#"Verb: ("OR" or "NOT x")"#)),
            ("graylog", Text(r#"Verb:("OR" OR "NOT x")"#)),
            ("splunk", Text(r#"Verb IN ("OR", "NOT x")"#)),
            ("kusto", Text(r#"Verb in~ ("OR", "NOT x")"#)),
            ("eql", Text(r#"Verb : ("OR", "NOT x")"#)),
            ("esql", Text(r#"TO_LOWER(Verb) IN ("or", "not x")"#)),
            ("sqlite", Text("lower(`Verb`) IN ('or', 'not x')")),
        ],
    );
}

/// `Title:<script>` and `Size:>=5` bare are ranges to Lucene, and no escape changes that: whole values are quoted. In a
/// wildcard term the escape works.
#[test]
fn a_value_that_starts_with_a_comparison_sign_is_a_text() {
    check(
        "s: {Title: '<script>'}",
        "s",
        &[
            ("lucene", Text(r#"Title:"<script>""#)),
            ("kibana", Text(r#"Title: "<script>""#)),
            ("graylog", Text(r#"Title:"<script>""#)),
            ("splunk", Text(r#"Title="<script>""#)),
            ("kusto", Text(r#"Title =~ "<script>""#)),
            ("eql", Text(r#"Title : "<script>""#)),
            ("esql", Text(r#"TO_LOWER(Title) == "<script>""#)),
            ("sqlite", Text("lower(`Title`) = '<script>'")),
        ],
    );
    check(
        "s: {Title|startswith: '<scr'}",
        "s",
        &[
            ("lucene", Text(r"Title:\<scr*")),
            ("kibana", Text(r"Title: \<scr*")),
            ("graylog", Text(r"Title:\<scr*")),
            ("splunk", Text(r#"Title="<scr*""#)),
            ("kusto", Text(r#"Title startswith "<scr""#)),
            ("eql", Text(r#"Title : "<scr*""#)),
            ("esql", Text(r#"TO_LOWER(Title) LIKE "<scr*""#)),
            ("sqlite", Text("`Title` LIKE '<scr%'")),
        ],
    );
    check(
        "s: {Size: '>=5'}",
        "s",
        &[
            ("lucene", Text(r#"Size:">=5""#)),
            ("kibana", Text(r#"Size: ">=5""#)),
            ("graylog", Text(r#"Size:">=5""#)),
            ("splunk", Text(r#"Size=">=5""#)),
            ("kusto", Text(r#"Size =~ ">=5""#)),
        ],
    );
}

// Logic.

/// Most languages bind `and` closer than `or`, Splunk's search binds `OR` closer, and Lucene has no precedence to rely on:
/// the first rule needs its group everywhere, and the second gets one that is right under each reading.
#[test]
fn parentheses_between_and_and_or_are_kept() {
    check(
        "a: {A: x}\nb: {B: y}\nc: {C: z}",
        "(a or b) and c",
        &[
            ("lucene", Text("(A:x OR B:y) AND C:z")),
            ("kibana", Text(r#"(A: "x" or B: "y") and C: "z""#)),
            ("graylog", Text("(A:x OR B:y) AND C:z")),
            ("splunk", Text(r#"(A="x" OR B="y") C="z""#)),
            ("kusto", Text(r#"(A =~ "x" or B =~ "y") and C =~ "z""#)),
            ("eql", Text(r#"(A : "x" or B : "y") and C : "z""#)),
            ("esql", Text(r#"(TO_LOWER(A) == "x" OR TO_LOWER(B) == "y") AND TO_LOWER(C) == "z""#)),
            ("sqlite", Text("(lower(`A`) = 'x' OR lower(`B`) = 'y') AND lower(`C`) = 'z'")),
        ],
    );
    check(
        "a: {A: x}\nb: {B: y}\nc: {C: z}",
        "a or b and not c",
        &[
            ("lucene", Text("A:x OR (B:y AND NOT C:z)")),
            ("kibana", Text(r#"A: "x" or (B: "y" and not C: "z")"#)),
            ("graylog", Text("A:x OR (B:y AND NOT C:z)")),
            ("splunk", Text(r#"A="x" OR (B="y" NOT C="z")"#)),
            ("kusto", Text(r#"A =~ "x" or (B =~ "y" and not(C =~ "z"))"#)),
            ("eql", Text(r#"A : "x" or (B : "y" and not C : "z")"#)),
            (
                "esql",
                Text(r#"TO_LOWER(A) == "x" OR (TO_LOWER(B) == "y" AND NOT (C IS NOT NULL AND TO_LOWER(C) == "z"))"#),
            ),
            ("sqlite", Text("lower(`A`) = 'x' OR (lower(`B`) = 'y' AND NOT (`C` IS NOT NULL AND lower(`C`) = 'z'))")),
        ],
    );
}

/// The regex must stay inside the negated group: an event without the field passes.
#[test]
fn the_negation_of_a_group_with_a_regex_holds_the_whole_group() {
    check(
        "s: {A: x}\nf: {B|re: '^p[0-9]$', C: y}",
        "s and not f",
        &[
            ("lucene", Text("A:x AND NOT (B:/p[0-9]/ AND C:y)")),
            (
                "kibana",
                Text(
                    r#"A: "x" and not (B: ("p0" or "p1" or "p2" or "p3" or "p4" or "p5" or "p6" or "p7" or "p8" or "p9") and C: "y")"#,
                ),
            ),
            ("graylog", Text("A:x AND NOT (B:/p[0-9]/ AND C:y)")),
            (
                "splunk",
                Text(
                    "A=\"x\"\n| where NOT (isnotnull(B) AND match(B, \"^p[0-9]$\") AND isnotnull(C) AND lower(C)=\"y\")",
                ),
            ),
            ("kusto", Text(r#"A =~ "x" and not(B matches regex @"^p[0-9]\n?$" and C =~ "y")"#)),
            ("eql", Text(r#"A : "x" and not (B regex "p[0-9]" and C : "y")"#)),
            (
                "esql",
                Text(
                    r#"TO_LOWER(A) == "x" AND NOT (B IS NOT NULL AND B RLIKE "p[0-9]" AND C IS NOT NULL AND TO_LOWER(C) == "y")"#,
                ),
            ),
            (
                "sqlite",
                Text(
                    "lower(`A`) = 'x' AND NOT (`B` IS NOT NULL AND (`B` GLOB 'p0' OR `B` GLOB 'p1' OR `B` GLOB 'p2' OR `B` GLOB 'p3' OR `B` GLOB 'p4' OR `B` GLOB 'p5' OR `B` GLOB 'p6' OR `B` GLOB 'p7' OR `B` GLOB 'p8' OR `B` GLOB 'p9') AND `C` IS NOT NULL AND lower(`C`) = 'y')",
                ),
            ),
        ],
    );
}

#[test]
fn regexes_joined_with_and_give_a_query_with_both() {
    check(
        "s: {A|re|all: ['^p[0-9]', 'q[0-9]$']}",
        "s",
        &[
            ("lucene", Text("A:(/p[0-9].*/ AND /.*q[0-9]/)")),
            (
                "kibana",
                Text(
                    "A: (p0* or p1* or p2* or p3* or p4* or p5* or p6* or p7* or p8* or p9*) and A: (*q0 or *q1 or *q2 or *q3 or *q4 or *q5 or *q6 or *q7 or *q8 or *q9)",
                ),
            ),
            ("graylog", Text("A:(/p[0-9].*/ AND /.*q[0-9]/)")),
            ("splunk", Text("A=\"*p*\" A=\"*q*\"\n| where match(A, \"^p[0-9]\") AND match(A, \"q[0-9]$\")")),
            ("kusto", Text(r#"A matches regex @"^p[0-9]" and A matches regex @"q[0-9]\n?$""#)),
            ("eql", Text(r#"A regex "p[0-9].*" and A regex ".*q[0-9]""#)),
            ("esql", Text(r#"A RLIKE "p[0-9].*" AND A RLIKE ".*q[0-9]""#)),
            (
                "sqlite",
                Text(
                    "(`A` GLOB 'p0*' OR `A` GLOB 'p1*' OR `A` GLOB 'p2*' OR `A` GLOB 'p3*' OR `A` GLOB 'p4*' OR `A` GLOB 'p5*' OR `A` GLOB 'p6*' OR `A` GLOB 'p7*' OR `A` GLOB 'p8*' OR `A` GLOB 'p9*') AND (`A` GLOB '*q0' OR `A` GLOB '*q1' OR `A` GLOB '*q2' OR `A` GLOB '*q3' OR `A` GLOB '*q4' OR `A` GLOB '*q5' OR `A` GLOB '*q6' OR `A` GLOB '*q7' OR `A` GLOB '*q8' OR `A` GLOB '*q9')",
                ),
            ),
        ],
    );
}

// Types.

/// 9007199254740993 is the first integer that a floating-point number cannot hold. Kibana reads bare numbers as such, so
/// it is quoted; Splunk's `=` compares text, but its `>` would compare floating-point numbers.
#[test]
fn an_integer_beyond_a_double_keeps_its_last_digit() {
    check(
        "s: {Serial: 9007199254740993}",
        "s",
        &[
            ("lucene", Text("Serial:9007199254740993")),
            ("kibana", Text(r#"Serial: "9007199254740993""#)),
            ("graylog", Text("Serial:9007199254740993")),
            ("splunk", Text("Serial=9007199254740993")),
            ("kusto", Text("Serial == 9007199254740993")),
            ("eql", Text("Serial == 9007199254740993")),
            ("esql", Text("Serial == 9007199254740993")),
            ("sqlite", Text("`Serial` IN (9007199254740993, '9007199254740993')")),
        ],
    );
    check(
        "s: {Serial|gt: 9007199254740993}",
        "s",
        &[
            ("lucene", Text("Serial:{9007199254740993 TO *]")),
            ("kibana", Text(r#"Serial > "9007199254740993""#)),
            ("graylog", Text("Serial:{9007199254740993 TO *]")),
            ("splunk", Refused(Code::ValueUnsupported)),
            ("kusto", Text("Serial > 9007199254740993")),
            ("eql", Text("Serial > 9007199254740993")),
            ("esql", Text("Serial > 9007199254740993")),
            (
                "sqlite",
                Text(
                    "CASE WHEN `Serial` < CAST(9e999 AS REAL) THEN `Serial` > CAST(9007199254740993 AS NUMERIC) ELSE FALSE END",
                ),
            ),
        ],
    );
}

/// A typed language compares the number with a number and the text with a text; which the column is, is an assumption.
#[test]
fn numbers_and_strings_are_told_apart() {
    check(
        "s: {Code: 42}",
        "s",
        &[
            ("lucene", Text("Code:42")),
            ("kibana", Text("Code: 42")),
            ("graylog", Text("Code:42")),
            ("splunk", Text("Code=42")),
            ("kusto", Text("Code == 42")),
            ("eql", Text("Code == 42")),
            ("esql", Text("Code == 42")),
            ("sqlite", Text("`Code` IN (42, '42')")),
        ],
    );
    check(
        "s: {Code: '42'}",
        "s",
        &[
            ("lucene", Text("Code:42")),
            ("kibana", Text(r#"Code: "42""#)),
            ("graylog", Text("Code:42")),
            ("splunk", Text(r#"Code="42""#)),
            ("kusto", Text(r#"Code =~ "42""#)),
            ("eql", Text(r#"Code : "42""#)),
            ("esql", Text(r#"Code == "42""#)),
            ("sqlite", Text("lower(`Code`) = '42'")),
        ],
    );
}

/// Kusto's strings are never null: `isnull` there is always false. It asks for empty ones, and says that it does. Graylog
/// stores no empty ones, so that it takes these for absent.
#[test]
fn null_on_a_string_column_is_no_test_for_null() {
    check(
        "s: {User: null}",
        "s",
        &[
            ("lucene", Text("NOT _exists_:User")),
            ("kibana", Text("not User: *")),
            ("graylog", Approximate(Code::EmptyIsAbsent, "NOT _exists_:User")),
            ("splunk", Text("NOT User=*")),
            ("kusto", Approximate(Code::EmptyIsAbsent, "isempty(User)")),
            ("eql", Text("User == null")),
            ("esql", Text("User IS NULL")),
            ("sqlite", Text("`User` IS NULL")),
        ],
    );
    check(
        "a: {A: x}\nn: {User: null}",
        "a and not n",
        &[
            ("lucene", Text("A:x AND NOT (NOT _exists_:User)")),
            ("kibana", Text(r#"A: "x" and not (not User: *)"#)),
            ("graylog", Approximate(Code::EmptyIsAbsent, "A:x AND NOT (NOT _exists_:User)")),
            ("splunk", Text(r#"A="x" User=*"#)),
            ("kusto", Approximate(Code::EmptyIsAbsent, r#"A =~ "x" and not(isempty(User))"#)),
            ("eql", Text(r#"A : "x" and not User == null"#)),
            ("esql", Text(r#"TO_LOWER(A) == "x" AND NOT User IS NULL"#)),
            ("sqlite", Text("lower(`A`) = 'x' AND NOT `User` IS NULL")),
        ],
    );
}

#[test]
fn no_ipv6_network_in_a_function_for_ipv4() {
    check(
        "s: {Ip|cidr: [10.0.0.0/8, '2001:db8::/32']}",
        "s",
        &[
            ("lucene", Text(r#"Ip:("10.0.0.0/8" OR 10.* OR "2001:db8::/32" OR 2001\:db8\:* OR 2001\:0db8\:*)"#)),
            ("kibana", Text(r#"Ip: ("10.0.0.0/8" or 10.* or "2001:db8::/32" or 2001\:db8\:* or 2001\:0db8\:*)"#)),
            ("graylog", Text(r#"Ip:("10.0.0.0/8" OR 10.* OR "2001:db8::/32" OR 2001\:db8\:* OR 2001\:0db8\:*)"#)),
            ("splunk", Text(r#"Ip="10.0.0.0/8" OR Ip="2001:db8::/32""#)),
            (
                "kusto",
                Text(
                    r#"coalesce(ipv4_is_in_any_range(Ip, "10.0.0.0/8"), false) or coalesce(ipv6_is_in_any_range(Ip, "2001:db8::/32"), false)"#,
                ),
            ),
            ("eql", Text(r#"cidrMatch(Ip, "10.0.0.0/8", "2001:db8::/32")"#)),
            ("esql", Text(r#"COALESCE(CIDR_MATCH(TO_IP(Ip), "10.0.0.0/8", "2001:db8::/32"), false)"#)),
            ("sqlite", Text("`Ip` LIKE '10.%' OR `Ip` LIKE '2001:db8:%' OR `Ip` LIKE '2001:0db8:%'")),
        ],
    );
}

/// The text patterns hold all of the three groups that a /48 fixes.
#[test]
fn an_ipv6_network_is_not_widened() {
    check(
        "s: {Ip|cidr: '2001:db8:1::/48'}",
        "s",
        &[
            ("lucene", Text(r#"Ip:("2001:db8:1::/48" OR 2001\:db8\:1\:* OR 2001\:0db8\:0001\:*)"#)),
            ("kibana", Text(r#"Ip: ("2001:db8:1::/48" or 2001\:db8\:1\:* or 2001\:0db8\:0001\:*)"#)),
            ("graylog", Text(r#"Ip:("2001:db8:1::/48" OR 2001\:db8\:1\:* OR 2001\:0db8\:0001\:*)"#)),
            ("splunk", Text(r#"Ip="2001:db8:1::/48""#)),
            ("kusto", Text(r#"coalesce(ipv6_is_in_any_range(Ip, "2001:db8:1::/48"), false)"#)),
            ("eql", Text(r#"cidrMatch(Ip, "2001:db8:1::/48")"#)),
            ("esql", Text(r#"COALESCE(CIDR_MATCH(TO_IP(Ip), "2001:db8:1::/48"), false)"#)),
            ("sqlite", Text("`Ip` LIKE '2001:db8:1:%' OR `Ip` LIKE '2001:0db8:0001:%'")),
        ],
    );
}

/// Each value as it is, anchored where it is anchored, and any of them: not all of them, and not as parts of a text.
#[test]
fn a_list_of_wildcards_is_a_choice() {
    check(
        r"s: {Image: ['*\a.exe', 'b*', c, 'd*e']}",
        "s",
        &[
            ("lucene", Text(r"Image:(*\\a.exe OR b* OR c OR d*e)")),
            ("kibana", Text(r#"Image: (*\\a.exe or b* or "c" or d*e)"#)),
            ("graylog", Text(r"Image:(*\\a.exe OR b* OR c OR d*e)")),
            (
                "splunk",
                Text(
                    "Image IN (\"*\\\\a.exe\", \"b*\", \"c\") OR (Image=\"d*\" Image=\"*e\")\n| where match(Image, \"(?i)\\\\\\\\a\\\\.exe\\\\z\") OR match(Image, \"(?i)^b\") OR lower(Image)=\"c\" OR match(Image, \"(?is)^d.*e\\\\z\")",
                ),
            ),
            (
                "kusto",
                Text(
                    r#"Image endswith "\\a.exe" or Image startswith "b" or Image =~ "c" or Image matches regex @"(?is)^d.*e$""#,
                ),
            ),
            ("eql", Text(r#"Image : ("*\\a.exe", "b*", "c", "d*e")"#)),
            (
                "esql",
                Text(
                    r#"TO_LOWER(Image) LIKE """*\\a.exe""" OR TO_LOWER(Image) LIKE "b*" OR TO_LOWER(Image) == "c" OR TO_LOWER(Image) LIKE "d*e""#,
                ),
            ),
            (
                "sqlite",
                Text(r"`Image` LIKE '%\a.exe' OR `Image` LIKE 'b%' OR lower(`Image`) = 'c' OR `Image` LIKE 'd%e'"),
            ),
        ],
    );
}

// Encoding.

/// `a\?b` is the text `a?b`, whose base64 is `YT9i`.
#[test]
fn base64_encodes_what_an_escape_stands_for() {
    check(
        r"s: {Data|base64|contains: 'a\?b'}",
        "s",
        &[
            ("lucene", Text("Data:*YT9i*")),
            ("kibana", Text("Data: *YT9i*")),
            ("graylog", Text("Data:*YT9i*")),
            ("splunk", Text(r#"Data="*YT9i*""#)),
            ("kusto", Text(r#"Data contains "YT9i""#)),
            ("eql", Text(r#"Data : "*YT9i*""#)),
            ("esql", Text(r#"TO_LOWER(Data) LIKE "*yt9i*""#)),
            ("sqlite", Text("`Data` LIKE '%YT9i%'")),
        ],
    );
}

/// `é!` has three bytes, c3 a9 21: at the offsets 0, 1 and 2, without the characters that neighbours share in.
#[test]
fn base64offset_counts_bytes() {
    check(
        "s: {Data|base64offset|contains: 'é!'}",
        "s",
        &[
            ("lucene", Text("Data:(*w6kh* OR *OpI* OR *DqS*)")),
            ("kibana", Text("Data: (*w6kh* or *OpI* or *DqS*)")),
            ("graylog", Text("Data:(*w6kh* OR *OpI* OR *DqS*)")),
            ("splunk", Text(r#"Data IN ("*w6kh*", "*OpI*", "*DqS*")"#)),
            ("kusto", Text(r#"Data contains "w6kh" or Data contains "OpI" or Data contains "DqS""#)),
            ("eql", Text(r#"Data : ("*w6kh*", "*OpI*", "*DqS*")"#)),
            (
                "esql",
                Text(r#"TO_LOWER(Data) LIKE "*w6kh*" OR TO_LOWER(Data) LIKE "*opi*" OR TO_LOWER(Data) LIKE "*dqs*""#),
            ),
            ("sqlite", Text("`Data` LIKE '%w6kh%' OR `Data` LIKE '%OpI%' OR `Data` LIKE '%DqS%'")),
        ],
    );
}

/// ff fe 61 00 62 00: the mark of UTF-16 in its own bytes, not that of UTF-8 (ef bb bf).
#[test]
fn utf16_has_the_mark_of_utf16() {
    check(
        "s: {Data|utf16|base64offset|contains: 'ab'}",
        "s",
        &[
            ("lucene", Text(r"Data:(*\/\/5hAGIA* OR *\/\+YQBiA* OR *\/\/mEAYg*)")),
            ("kibana", Text("Data: (*//5hAGIA* or */+YQBiA* or *//mEAYg*)")),
            ("graylog", Text(r"Data:(*\/\/5hAGIA* OR *\/\+YQBiA* OR *\/\/mEAYg*)")),
            ("splunk", Text(r#"Data IN ("*//5hAGIA*", "*/+YQBiA*", "*//mEAYg*")"#)),
            ("kusto", Text(r#"Data contains "//5hAGIA" or Data contains "/+YQBiA" or Data contains "//mEAYg""#)),
            ("eql", Text(r#"Data : ("*//5hAGIA*", "*/+YQBiA*", "*//mEAYg*")"#)),
            (
                "esql",
                Text(
                    r#"TO_LOWER(Data) LIKE "*//5hagia*" OR TO_LOWER(Data) LIKE "*/+yqbia*" OR TO_LOWER(Data) LIKE "*//meayg*""#,
                ),
            ),
            ("sqlite", Text("`Data` LIKE '%//5hAGIA%' OR `Data` LIKE '%/+YQBiA%' OR `Data` LIKE '%//mEAYg%'")),
        ],
    );
}

/// Only the dash that begins the flag changes: not those in `a-b`, and not the slashes of the address.
#[test]
fn windash_leaves_addresses_alone() {
    check(
        "s: {CommandLine|windash|contains: ' -u http://a-b/c'}",
        "s",
        &[
            (
                "lucene",
                Text(
                    r"CommandLine:(*\ \-u\ http\:\/\/a\-b\/c* OR *\ \/u\ http\:\/\/a\-b\/c* OR *\ –u\ http\:\/\/a\-b\/c* OR *\ —u\ http\:\/\/a\-b\/c* OR *\ ―u\ http\:\/\/a\-b\/c*)",
                ),
            ),
            (
                "kibana",
                Approximate(
                    Code::ValueReinterpreted,
                    r"CommandLine: (* -u http\://a-b/c* or * /u http\://a-b/c* or * –u http\://a-b/c* or * —u http\://a-b/c* or * ―u http\://a-b/c*)",
                ),
            ),
            (
                "graylog",
                Text(
                    r"CommandLine:(*\ \-u\ http\:\/\/a\-b\/c* OR *\ \/u\ http\:\/\/a\-b\/c* OR *\ –u\ http\:\/\/a\-b\/c* OR *\ —u\ http\:\/\/a\-b\/c* OR *\ ―u\ http\:\/\/a\-b\/c*)",
                ),
            ),
            (
                "splunk",
                Text(
                    r#"CommandLine IN ("* -u http://a-b/c*", "* /u http://a-b/c*", "* –u http://a-b/c*", "* —u http://a-b/c*", "* ―u http://a-b/c*")"#,
                ),
            ),
            (
                "kusto",
                Text(
                    r#"CommandLine contains " -u http://a-b/c" or CommandLine contains " /u http://a-b/c" or CommandLine matches regex @"(?i) –u http://a-b/c" or CommandLine matches regex @"(?i) —u http://a-b/c" or CommandLine matches regex @"(?i) ―u http://a-b/c""#,
                ),
            ),
            (
                "eql",
                Text(
                    r#"CommandLine : ("* -u http://a-b/c*", "* /u http://a-b/c*", "* –u http://a-b/c*", "* —u http://a-b/c*", "* ―u http://a-b/c*")"#,
                ),
            ),
            (
                "esql",
                Text(
                    r#"TO_LOWER(CommandLine) LIKE "* -u http://a-b/c*" OR TO_LOWER(CommandLine) LIKE "* /u http://a-b/c*" OR TO_LOWER(CommandLine) LIKE "* –u http://a-b/c*" OR TO_LOWER(CommandLine) LIKE "* —u http://a-b/c*" OR TO_LOWER(CommandLine) LIKE "* ―u http://a-b/c*""#,
                ),
            ),
            (
                "sqlite",
                Text(
                    "`CommandLine` LIKE '% -u http://a-b/c%' OR `CommandLine` LIKE '% /u http://a-b/c%' OR `CommandLine` LIKE '% –u http://a-b/c%' OR `CommandLine` LIKE '% —u http://a-b/c%' OR `CommandLine` LIKE '% ―u http://a-b/c%'",
                ),
            ),
        ],
    );
}

/// Five ways to write each of nine flags would be 1,953,125 patterns.
#[test]
fn variants_are_capped() {
    check_invalid("s: {A|windash: ' -a -b -c -d -e -f -g -h -i'}", "s", Code::TooManyVariants);
}

// Nothing in silence.

#[test]
fn a_pattern_that_names_no_detection_is_an_error() {
    check_invalid("s: {A: x}", "s or 1 of missing_*", Code::NoDetectionMatches);
    check_invalid("s: {A: x}", "s and not 1 of missing_*", Code::NoDetectionMatches);
    check_invalid("s: {A: x}", "all of missing_*", Code::NoDetectionMatches);
}

/// What column a typed language expects is said with the query.
#[test]
fn the_types_that_a_query_relies_on_are_said() {
    for target in ["kusto", "esql", "sqlite"] {
        check_assumed("s: {Code: 42}", target, Code::AssumeNumeric);
    }
    for target in ["lucene", "kibana", "graylog", "eql", "esql"] {
        check_assumed("s: {Code: '42'}", target, Code::AssumeKeywordFields);
    }
    check_assumed("s: {Code: '42'}", "kusto", Code::AssumeTextFields);
}

/// Whatever a rule asks for, a target gives a query that asks for something, one for each condition, or says why not.
#[test]
fn a_rule_is_never_converted_to_nothing() {
    check_invalid("s: {}", "s", Code::EmptyDetection);
    check_invalid("s: {A: []}", "s", Code::EmptyDetection);
    let rules = [
        "s: {Subject7: x}",
        "s: [keyword]",
        "s: {Subject7|re: 'a(?=b)'}",
        "s: {Subject7|fieldref: Other}",
        "s: {Subject7|hour: 3}",
        "s: {Subject7|expand: '%name%'}",
        "s: {Subject7|cased: 'x*y'}",
        "s: {Subject7|cidr: '2001:db8::/33'}",
        "s: {Subject7|exists: true}",
        "s: {Subject7: true}",
    ];
    for target in TARGETS {
        for rule in rules {
            for (condition, count) in [("[s, not s]", 2), ("s and not s", 1)] {
                let found = conversion(rule, condition, target.name);
                let shown = format!("{} {rule} {condition}: {found:?}", target.name);
                let refusal = found.diagnostics.iter().find(|one| one.code.class() == Class::Refusal);
                if found.status == Status::Refused {
                    assert!(refusal.is_some_and(|one| !one.labels.is_empty()) && found.queries.is_empty(), "{shown}");
                } else {
                    // The last is the keyword where a language ignores case by both cases of each letter.
                    let words = ["Subject7", "keyword", "[kK][eE][yY][wW][oO][rR][dD]"];
                    let asks = |query: &String| words.iter().any(|word| query.contains(word));
                    assert!(found.queries.len() == count && found.queries.iter().all(asks), "{shown}");
                }
            }
        }
    }
}

#[test]
fn many_clauses_are_warned_of() {
    use std::fmt::Write;
    let mut values = String::new();
    for number in 0..1_100 {
        let _ = write!(values, "\n            - 'value {number}'");
    }
    let rule = format!(
        "title: Many\nlogsource:\n    category: test\ndetection:\n    selection:\n        f:{values}\n    condition: selection\n"
    );
    let mut sources = sigcast_diagnostics::SourceMap::new();
    let id = sources.add("many.yml", rule);
    let documents = sigcast_frontend::parse(&sources, id);
    let sigcast_frontend::Kind::Rule(rule) = &documents[0].kind else { panic!("{:?}", documents[0].diagnostics) };
    for (target, warned) in [("lucene", true), ("kibana", true), ("splunk", false)] {
        let target = sigcast_backends::find(target).expect("a target");
        let backend = sigcast_backends::Backend::new(target, sigcast_backends::options::Settings::default());
        let conversion = backend.convert(rule);
        let found = conversion.diagnostics.iter().any(|found| found.code == sigcast_diagnostics::Code::ManyClauses);
        assert_eq!(found, warned, "{}", target.name);
        assert_eq!(conversion.queries.len(), 1);
    }
}
