//! Logic: groups, negations and conjunctions that were lost, and rules converted to nothing.

use super::*;

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
                    "A=\"x\"\n| where NOT (isnotnull(B) AND match(B, \"^p[0-9]$\") AND isnotnull(C) AND match(C, \"(?i)^y\\\\z\"))",
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

#[test]
fn a_pattern_that_names_no_detection_is_an_error() {
    check_invalid("s: {A: x}", "s or 1 of missing_*", Code::NoDetectionMatches);
    check_invalid("s: {A: x}", "s and not 1 of missing_*", Code::NoDetectionMatches);
    check_invalid("s: {A: x}", "all of missing_*", Code::NoDetectionMatches);
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
