//! Types: numbers, absent fields, networks, and lists of patterns.

use super::*;

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
                    "Image IN (\"*\\\\a.exe\", \"b*\", \"c\") OR (Image=\"d*\" Image=\"*e\")\n| where match(Image, \"(?i)\\\\\\\\a\\\\.exe\\\\z\") OR match(Image, \"(?i)^b\") OR match(Image, \"(?i)^c\\\\z\") OR match(Image, \"(?is)^d.*e\\\\z\")",
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

/// Sigma ignores case by Unicode's simple folding, which joins the Kelvin sign to `k` and the long s to `s`. No engine is
/// relied on for that: a query that ignores case says what letters the data must not hold, and no other query does.
#[test]
fn letters_beyond_ascii_that_fold_to_k_and_s_are_assumed_away() {
    for target in TARGETS {
        let check = |rule: &str, expected: bool| {
            let found = conversion(rule, "s", target.name);
            if found.status == Status::Refused {
                return;
            }
            // That text is compared as Sigma compares it has these letters in it.
            let said =
                [Code::AssumePlainLetters, Code::AssumeCaseless].iter().any(|code| found.assumptions.contains(code));
            assert_eq!(said, expected, "{} {rule}: {:?}", target.name, found.assumptions);
        };
        check("s: {A: task}", true);
        check("s: {A|contains: Kilo}", true);
        check("s: ['keyword']", true);
        check("s: {A|cased: task}", false);
        check("s: {A: 3}", false);
        check("s: {A: '123'}", false);
        check("s: {A|re: 'task'}", false);
        let other = conversion("s: {A: note}", "s", target.name).assumptions;
        assert!(!other.contains(&Code::AssumePlainLetters), "{}: {other:?}", target.name);
    }
    check_assumed("s: {A|re|i: 'task'}", "kusto", Code::AssumePlainLetters);
    check_assumed("s: {A|re|i: 'task'}", "splunk", Code::AssumePlainLetters);
    check_assumed("s: {A|re|i: 'task'}", "duckdb", Code::AssumePlainLetters);
    // Both cases are written out.
    let written = conversion("s: {A|re|i: 'task'}", "s", "lucene").assumptions;
    assert!(!written.contains(&Code::AssumePlainLetters), "{written:?}");
}
