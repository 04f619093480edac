//! Correlations: what is read of them, what they are linked with, and what is said where they are wrong.

use std::fmt::Write as _;

use sigcast_diagnostics::{Class, SourceMap, render};
use sigcast_frontend::{Document, Kind, link, parse};
use sigcast_ir::{
    Bound, Correlation, Criterion, KeyField, Measure, MemberCondition, NumberValue, Order, Source, Wanted,
};

/// A rule with this name.
fn rule(name: &str) -> String {
    let id = format!("0f4f3f0e-0000-4000-8000-{:012x}", name.bytes().map(u64::from).sum::<u64>());
    format!(
        "title: The {name}\nid: {id}\nname: {name}\nlogsource: {{product: windows}}\ndetection: {{s: {{f: {name}}}, \
         condition: s}}\n"
    )
}

/// A correlation with this name, of these lines.
fn correlation(name: &str, lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("  {line}\n")).collect();
    format!("title: The {name}\nname: {name}\ncorrelation:\n{lines}")
}

/// Links the documents of one run, each in a file of its own, and shows them.
fn linked<T>(texts: &[String], show: impl Fn(&Document<'_>) -> T) -> Vec<T> {
    let mut sources = SourceMap::new();
    let ids: Vec<_> = texts.iter().enumerate().map(|(at, text)| sources.add(format!("{at}.yml"), text)).collect();
    let mut documents: Vec<Document<'_>> = ids.iter().flat_map(|id| parse(&sources, *id)).collect();
    link(&mut documents.iter_mut().collect::<Vec<_>>());
    for found in documents.iter().flat_map(|document| &document.diagnostics) {
        assert!(!render::text(found, &sources, false).is_empty());
        assert!(found.span().is_some(), "{found:?} has a place");
    }
    documents.iter().map(show).collect()
}

/// What a document is, with the codes that are said of it.
fn ended(document: &Document<'_>) -> String {
    let kind = match &document.kind {
        Kind::Rule(_) => "rule",
        Kind::Correlation(_) => "correlation",
        Kind::Invalid => "invalid",
        Kind::Refused => "refused",
        Kind::Skipped => "skipped",
        Kind::Filter(_) | Kind::Unlinked(_) => panic!("linking leaves none: {document:?}"),
    };
    let codes = document.diagnostics.iter().map(|found| found.code.as_str());
    std::iter::once(kind).chain(codes).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check_ended(texts: &[String], expected: &[&str]) {
    assert_eq!(linked(texts, ended), expected);
    // The order of the documents says nothing.
    let backwards: Vec<String> = texts.iter().rev().cloned().collect();
    let mut found = linked(&backwards, ended);
    found.reverse();
    assert_eq!(found, expected, "in the other order");
}

fn bounds(bounds: &[Bound<'_>]) -> String {
    let each = bounds.iter().map(|bound| {
        let sign = match bound.order {
            Order::Equal => "=",
            Order::Less => "<",
            Order::LessOrEqual => "<=",
            Order::Greater => ">",
            Order::GreaterOrEqual => ">=",
        };
        format!("{}{sign}{}", if bound.negated { "not " } else { "" }, bound.value.text)
    });
    each.collect::<Vec<_>>().join(" & ")
}

fn condition(condition: &MemberCondition) -> String {
    let all = |terms: &[MemberCondition], sign: &str| {
        let terms: Vec<String> = terms.iter().map(self::condition).collect();
        format!("({})", terms.join(sign))
    };
    match condition {
        MemberCondition::And(terms) => all(terms, " & "),
        MemberCondition::Or(terms) => all(terms, " | "),
        MemberCondition::Not(inner) => format!("!{}", self::condition(inner)),
        MemberCondition::Member(at) => at.to_string(),
    }
}

/// A correlation in one line.
fn shown(found: &Correlation<'_>) -> String {
    let mut out = String::new();
    match &found.criterion {
        Criterion::Measure { measure, bounds: all } => {
            let _ = write!(out, "{measure:?} {}", bounds(all));
        }
        Criterion::Temporal { ordered, wanted } => {
            let wanted = match wanted {
                Wanted::Count(all) => format!("count {}", bounds(all)),
                Wanted::Rules(wanted) => condition(wanted),
            };
            let _ = write!(out, "{} {wanted}", if *ordered { "ordered" } else { "any order" });
        }
    }
    let _ = write!(out, " in {}s by", found.timespan.seconds);
    found.keys.iter().for_each(|key| out += &format!(" {}", key.name));
    for member in &found.members {
        let keys = member.keys.iter().map(|key| match key {
            KeyField::Field(field) => field.0.to_string(),
            KeyField::Inner(number) => format!("#{number}"),
        });
        let keys = keys.collect::<Vec<_>>().join(" ");
        let values: Vec<&str> = member.values.iter().map(|field| field.0.as_ref()).collect();
        let title = match &member.source {
            Source::Rule(rule) => rule.meta.title.to_string(),
            Source::Correlation(inner) => format!("{{{}}}", shown(inner)),
        };
        let _ = write!(out, "; {title} [{keys}]");
        if !values.is_empty() {
            let _ = write!(out, " of {}", values.join(" "));
        }
    }
    out
}

/// The correlation that is behind the rules `a`, `b` and `c`, and `inner`, which counts `a` by `u` and `v`.
#[track_caller]
fn check(lines: &str, expected: &str) {
    let inner = "type: event_count\nrules: a\ngroup-by: [u, v]\ntimespan: 1m\ncondition: {gte: 2}";
    let texts = [rule("a"), rule("b"), rule("c"), correlation("inner", inner), correlation("outer", lines)];
    let found = linked(&texts, |document| match &document.kind {
        Kind::Correlation(found) => shown(found),
        _ => {
            let errors = document.diagnostics.iter().filter(|found| found.code.class() == Class::Invalid);
            let each: Vec<String> = errors.map(|found| format!("{}: {}", found.code.as_str(), found.message)).collect();
            each.join("; ")
        }
    });
    assert_eq!(found.last().map(String::as_str), Some(expected), "{lines}");
}

const COUNT: &str = "type: event_count\nrules: [a, b]\ntimespan: 5m\n";
const TEMPORAL: &str = "type: temporal\nrules: [a, b, c]\ntimespan: 5m\n";

#[test]
fn what_is_measured() {
    check(&format!("{COUNT}condition: {{gte: 10}}"), "Events >=10 in 300s by; The a []; The b []");
    check(
        &format!("{COUNT}group-by: [x, y]\ncondition: {{gt: 1, lte: 9, neq: 5}}"),
        "Events >1 & <=9 & not =5 in 300s by x y; The a [x y]; The b [x y]",
    );
    check(
        "type: value_count\nrules: a\ngroup-by: x\ntimespan: 1M\ncondition: {field: [f, g], eq: '3'}",
        "Distinct =3 in 2629746s by x; The a [x] of f g",
    );
    for (name, measure) in
        [("sum", "Sum"), ("avg", "Average"), ("min", "Minimum"), ("max", "Maximum"), ("median", "Median")]
    {
        let lines = format!("type: value_{name}\nrules: a\ntimespan: 1y\ncondition: {{field: f, lt: -1.5}}");
        check(&lines, &format!("{measure} <-1.5 in 31556952s by; The a [] of f"));
    }
    check(
        "type: value_percentile\nrules: a\ntimespan: 1w\ncondition: {field: f, percentile: 99.5, gte: 1}",
        "Percentile(99.5) >=1 in 604800s by; The a [] of f",
    );
    let Measure::Percentile(_) = Measure::Percentile(1.0) else { panic!("a percentile has a number") };
    let _ = NumberValue::Integer(1);
}

#[test]
fn which_rules_are_wanted() {
    let members = " in 300s by; The a []; The b []; The c []";
    let check = |more: &str, expected: &str| check(&format!("{TEMPORAL}{more}"), &format!("{expected}{members}"));
    check("", "any order (0 & 1 & 2)");
    check("condition: {gte: 3}", "any order (0 & 1 & 2)");
    check("condition: {gt: 2}", "any order (0 & 1 & 2)");
    check("condition: {gte: 2}", "any order count >=2");
    check("condition: {lt: 3}", "any order count <3");
    check("condition: a and not (b OR c)", "any order (0 & !(1 | 2))");
    check("condition: 1 of them", "any order (0 | 1 | 2)");
    check("condition: c and all of *", "any order (2 & (0 & 1 & 2))");
}

#[test]
fn rules_may_be_left_to_the_condition() {
    check(
        "type: temporal\ntimespan: 1s\ncondition: c and not a and c",
        "any order (0 & !1 & 0) in 1s by; The c []; The a []",
    );
    check("type: temporal_ordered\ntimespan: 1s\nrules: b", "ordered 0 in 1s by; The b []");
    // In an order, a rule may come again.
    check(
        "type: temporal_ordered\ntimespan: 1s\nrules: [a, b, a]",
        "ordered (0 & 1 & 2) in 1s by; The a []; The b []; The a []",
    );
    let id = "0F4F3F0E-0000-4000-8000-000000000062";
    check(
        &format!("type: temporal\ntimespan: 1s\nrules: [a, {id}]\ncondition: b and a"),
        "any order (1 & 0) in 1s by; The a []; The b []",
    );
}

#[test]
fn keys_and_values_of_members() {
    let aliases = "aliases:\n  k: {a: ka, b: kb}\n  w: {b: wb, a: wa}\n";
    check(
        &format!(
            "type: value_count\nrules: [a, b]\ntimespan: 5m\ngroup-by: [k, x]\n{aliases}condition: {{field: [w, z], gt: 1}}"
        ),
        "Distinct >1 in 300s by k x; The a [ka x] of wa z; The b [kb x] of wb z",
    );
    let inner = "{Events >=2 in 60s by u v; The a [u v]}";
    check(
        "type: temporal_ordered\nrules: [inner, b]\ntimespan: 1h\ngroup-by: [v, o, k]\naliases: {k: {inner: u, b: x}}",
        &format!("ordered (0 & 1) in 3600s by v o k; {inner} [#1 o #0]; The b [v o x]"),
    );
}

#[test]
fn faults_of_the_document() {
    let check = |lines: &str, expected: &[&str]| {
        let codes = linked(&[rule("a"), rule("b"), rule("c"), correlation("x", lines)], |document| {
            let errors = document.diagnostics.iter().filter(|found| found.code.class() == Class::Invalid);
            errors.map(|found| found.code.as_str()).collect::<Vec<_>>().join(" ")
        });
        assert_eq!(codes[3], expected.join(" "), "{lines}");
    };
    check("type: event_counts\nrules: a\ntimespan: 1h\ncondition: {gte: 1}", &["bad-value"]);
    check("rules: a\ntimespan: 1h\ncondition: {gte: 1}", &["missing-attribute"]);
    check("type: event_count\ntimespan: 1h\ncondition: {gte: 1}", &["missing-attribute"]);
    check("type: event_count\nrules: a\ncondition: {gte: 1}", &["missing-attribute"]);
    check("type: event_count\nrules: a\ntimespan: 1h", &["missing-attribute"]);
    check("type: event_count\nrules: a\ntimespan: 1h\ncondition: {}", &["missing-attribute"]);
    check("type: event_count\nrules: a\ntimespan: 1h\ncondition: gte 5", &["wrong-type"]);
    check("type: event_count\nrules: [a, a]\ntimespan: 1h\ncondition: {gte: 1}", &["bad-value"]);
    check("type: event_count\nrules: []\ntimespan: 1h\ncondition: {gte: 1}", &["bad-value"]);
    check("type: event_count\nrules: [a, {b: c}]\ntimespan: 1h\ncondition: {gte: 1}", &["wrong-type"]);
    check("type: event_count\nrules: a\ntimespan: 60\ncondition: {gte: 1}", &["bad-timespan"]);
    check("type: event_count\nrules: a\ntimespan: 1h\ngroup-by: [x, x]\ncondition: {gte: 1}", &["bad-value"]);
    check(
        "type: event_count\nrules: a\ntimeframe: 1h\ncondition: {gte: 1}",
        &["missing-attribute", "unknown-attribute"],
    );
    check("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: x}", &["unknown-attribute"]);
    check("type: event_count\nrules: a\ntimespan: 1h\ncondition: {ge: 1}", &["unknown-attribute"]);
    check("type: value_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1}", &["missing-attribute"]);
    check("type: value_sum\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: [x, y]}", &["bad-value"]);
    check("type: value_percentile\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: x}", &["missing-attribute"]);
    check(
        "type: value_percentile\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: x, percentile: 101}",
        &["bad-number"],
    );
    check("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1}\ngenerate: maybe", &["wrong-type"]);
    check("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: a and (b", &["bad-condition"]);
    check("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: a and b | count() > 5", &["bad-condition"]);
    check("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: a and c", &["bad-condition", "bad-condition"]);
    check("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: 1 of x*", &["bad-condition"]);
    check("type: temporal\ntimespan: 1h\ncondition: 1 of them", &["bad-condition"]);
    check("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: not a and not b", &["bad-condition"]);
    check(
        "type: temporal\nrules: a\ntimespan: 1h\ngroup-by: k\naliases: {k: {b: x}}",
        &["bad-value", "missing-attribute"],
    );
    check("type: temporal\nrules: [a, b]\ntimespan: 1h\ngroup-by: k\naliases: {k: {b: x}}", &["missing-attribute"]);
}

#[test]
fn bounds_that_no_number_fulfils() {
    let check = |kind: &str, bounds: &str, expected: Option<&str>| {
        let field = if kind.starts_with("value") { ", field: f" } else { "" };
        let lines = format!("type: {kind}\nrules: [a, b]\ntimespan: 1h\ncondition: {{{bounds}{field}}}");
        let codes = linked(&[rule("a"), rule("b"), correlation("x", &lines)], |document| {
            let errors = document.diagnostics.iter().filter(|found| found.code.class() == Class::Invalid);
            errors.map(|found| found.code.as_str()).next()
        });
        assert_eq!(codes[2], expected, "{kind} {bounds}");
    };
    let (impossible, bad) = (Some("impossible-bounds"), Some("bad-number"));
    check("event_count", "gt: 10, lt: 5", impossible);
    check("event_count", "gt: 10, lt: 11", impossible);
    check("event_count", "gt: 10, lt: 12", None);
    check("event_count", "gte: 10, lte: 10, neq: 10", impossible);
    check("event_count", "gte: 10, lte: 11, neq: 10", None);
    check("event_count", "eq: 5, gt: 9", impossible);
    check("event_count", "lt: 1", impossible);
    check("event_count", "eq: 0", impossible);
    check("event_count", "gte: 0", None);
    check("event_count", "gte: -1", bad);
    check("event_count", "gte: 1.5", bad);
    check("event_count", "gte: ten", bad);
    check("event_count", "gt: 99999999999999999999", bad);
    check("value_count", "eq: 0", None);
    check("value_count", "lt: 0", impossible);
    check("value_sum", "gt: 1, lt: 2", None);
    check("value_sum", "gte: 1.5, lt: 1.5", impossible);
    check("value_avg", "gte: -3, lte: -3", None);
    check("temporal", "gte: 3", impossible);
    check("temporal", "gte: 2", None);
    // Where order counts, fewer rules than those that have events in order have them in order too.
    for bounds in ["eq: 1", "lt: 2", "lte: 1", "lte: 2", "neq: 2", "gte: 1, lt: 2"] {
        check("temporal_ordered", bounds, Some("bad-value"));
        check("temporal", bounds, None);
    }
    check("temporal_ordered", "eq: 2", None);
    check("temporal_ordered", "gt: 0", None);
    check("temporal_ordered", "gte: 2", None);
    check("temporal_ordered", "eq: 3", impossible);
}

#[test]
fn rules_are_used_up_unless_one_of_their_correlations_generates() {
    let count = |rules: &str, more: &str| {
        format!("type: event_count\nrules: {rules}\ntimespan: 1h\ncondition: {{gte: 2}}\n{more}")
    };
    let plain = correlation("x", &count("[a, b]", ""));
    check_ended(
        &[rule("a"), rule("b"), rule("c"), plain.clone()],
        &["skipped rule-used", "skipped rule-used", "rule", "correlation"],
    );
    let generating = correlation("y", &count("a", "generate: true"));
    check_ended(
        &[rule("a"), rule("b"), generating, plain.clone()],
        &["rule", "skipped rule-used", "correlation", "correlation"],
    );
    let above = format!("generate: true\n{}", correlation("y", &count("a", "")));
    check_ended(&[rule("a"), above], &["rule", "correlation"]);
    let outer = correlation("z", &count("x", ""));
    check_ended(
        &[rule("a"), rule("b"), plain, outer],
        &["skipped rule-used", "skipped rule-used", "skipped rule-used", "correlation"],
    );
}

#[test]
fn rules_of_a_wrong_correlation_stay() {
    let wrong = correlation("x", "type: event_count\nrules: [a, b]\ntimespan: 1h\ncondition: {gte: 2}");
    check_ended(&[rule("a"), wrong.clone()], &["rule", "invalid missing-rule"]);
    let bad = rule("b").replace("s: {f: b}", "s: {f|no: b}");
    check_ended(&[rule("a"), bad, wrong.clone()], &["rule", "invalid unknown-modifier", "invalid missing-rule"]);
    check_ended(&[rule("a"), rule("b"), rule("b"), wrong.clone()], &["rule", "rule", "rule", "invalid ambiguous-rule"]);
    let outer = correlation("y", "type: event_count\nrules: x\ntimespan: 1h\ncondition: {gte: 2}");
    check_ended(&[rule("a"), wrong, outer], &["rule", "invalid missing-rule", "invalid missing-rule"]);
}

#[test]
fn circles() {
    let of = |name: &str, rules: &str| correlation(name, &format!("type: temporal\nrules: [{rules}]\ntimespan: 1h"));
    let cycle = "invalid correlation-cycle";
    check_ended(&[of("x", "x")], &[cycle]);
    check_ended(&[rule("a"), of("x", "a, y"), of("y", "z"), of("z", "a, x")], &["rule", cycle, cycle, cycle]);
    check_ended(
        &[rule("a"), of("x", "a, y"), of("y", "y"), of("z", "a")],
        &["skipped rule-used", cycle, cycle, "correlation"],
    );
}

#[test]
fn filters_are_joined_before() {
    let filter =
        "title: f\nlogsource: {product: windows}\nfilter: {rules: any, n: {g: 1}, condition: not n}\n".to_owned();
    let lines = format!("{COUNT}condition: {{gte: 2}}");
    let found = linked(&[rule("a"), rule("b"), correlation("x", &lines), filter], |document| match &document.kind {
        Kind::Correlation(found) => found.rules().map(|rule| rule.detections.len()).collect(),
        _ => Vec::new(),
    });
    assert_eq!(found, [vec![], vec![], vec![2, 2], vec![]]);
}

#[test]
fn copies_are_bounded() {
    // Each names the one before it three times over: 3 to the power of 15 copies of the rule, if it were let.
    let mut texts = vec![rule("s0")];
    for step in 1..=15 {
        let before = step - 1;
        texts.push(correlation(
            &format!("s{step}"),
            &format!("type: temporal_ordered\nrules: [s{before}, s{before}, s{before}]\ntimespan: 1h"),
        ));
    }
    let ended = linked(&texts, ended);
    let large = ended.iter().filter(|one| one.contains("correlation-too-large")).count();
    assert!(large == 1 && ended.iter().any(|one| one == "correlation"), "{ended:?}");
    // A long chain neither exhausts the stack nor is let.
    let mut texts = vec![rule("s0")];
    for step in 1..=5000 {
        texts.push(correlation(&format!("s{step}"), &format!("type: temporal\nrules: s{}\ntimespan: 1h", step - 1)));
    }
    let ended = linked(&texts, self::ended);
    assert_eq!(ended.iter().filter(|one| one.as_str() == "correlation").count(), 1);
    assert_eq!(ended.iter().filter(|one| one.contains("correlation-too-large")).count(), 1);
}

#[test]
fn what_is_wrong_with_a_bound_is_said() {
    let check = |bound: &str, expected: &str| {
        let lines = format!("type: value_sum\nrules: a\ntimespan: 1h\ncondition: {{field: f, gt: {bound}}}");
        check(&lines, &format!("bad-number: the bound `gt` is {expected} is expected"));
    };
    check("ten", "text, and a number");
    check("inf", "text, and a number");
    check("99999999999999999999", "a number that 64 bits do not hold, and one that they hold");
    check("-99999999999999999999", "a number that 64 bits do not hold, and one that they hold");
    check("0xfffffffffffffffff", "a number that 64 bits do not hold, and one that they hold");
    check("1e999", "a number that 64 bits do not hold, and one that they hold");
    check(".inf", "infinite, and a finite number");
    check("-.INF", "infinite, and a finite number");
    check(".nan", "no number (`.nan`), and a number");
    check("true", "a boolean, and a number");
}
