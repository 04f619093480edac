//! Aggregations of old: each is read as the correlation that it means, or said why not.

use sigcast_diagnostics::{Code, SourceMap};
use sigcast_frontend::{Document, Kind, link, parse};
use sigcast_ir::{Correlation, Criterion, Source};

/// A rule with three detections, this condition and these other lines of `detection`.
fn rule(condition: &str, more: &str) -> String {
    format!(
        "title: Old Rule\nid: 0f4f3f0e-0000-4000-8000-00000000000a\nlevel: high\nlogsource: {{product: windows}}\n\
         detection:\n  s: {{f: 1}}\n  a: {{f: 2}}\n  b: {{f: 3}}\n{more}  condition: {condition}\n"
    )
}

fn documents<T>(texts: &[&str], show: impl Fn(&[Document<'_>]) -> T) -> T {
    let mut sources = SourceMap::new();
    let ids: Vec<_> = texts.iter().map(|text| sources.add("rule.yml", *text)).collect();
    let mut documents: Vec<Document<'_>> = ids.iter().flat_map(|id| parse(&sources, *id)).collect();
    link(&mut documents.iter_mut().collect::<Vec<_>>());
    show(&documents)
}

/// The members: what each is called, how many keys it has, and how many tests its only query.
fn members(found: &Correlation<'_>) -> Vec<String> {
    let each = found.members.iter().map(|member| {
        let Source::Rule(rule) = &member.source else { panic!("a rule: {member:?}") };
        let queries = sigcast_ir::lower::queries(rule);
        assert_eq!(queries.len(), 1);
        let mut asked = 0;
        queries[0].0.each_match(&mut |_| asked += 1);
        format!("{} {} {asked}", member.name, member.keys.len())
    });
    each.collect()
}

/// The YAML that the note shows, and the members.
#[track_caller]
fn check(condition: &str, yaml: &str, expected: &[&str]) {
    documents(&[&rule(condition, "  timeframe: 5m\n")], |documents| {
        let [Document { kind: Kind::Correlation(found), diagnostics, .. }] = documents else {
            panic!("{condition}: {documents:?}")
        };
        let note = diagnostics.iter().find(|found| found.code == Code::LegacyAggregation).expect("a note");
        assert_eq!(note.help, [format!("`correlation: {yaml}`")], "{condition}");
        assert_eq!(members(found), expected, "{condition}");
        assert_eq!((found.meta.title.as_ref(), found.timespan.seconds), ("Old Rule", 300));
        assert_eq!(found.meta.id.as_deref(), Some("0f4f3f0e-0000-4000-8000-00000000000a"));
    });
}

/// The codes of a rule that is no correlation.
#[track_caller]
fn check_wrong(condition: &str, more: &str, expected: &[&str]) {
    documents(&[&rule(condition, more)], |documents| {
        assert!(matches!(documents[0].kind, Kind::Invalid | Kind::Refused), "{condition}: {documents:?}");
        let codes = documents[0].diagnostics.iter().map(|found| found.code.as_str());
        let codes: Vec<&str> = codes.filter(|code| *code != "unused-detection").collect();
        assert_eq!(codes, expected, "{condition}: {:?}", documents[0].diagnostics);
    });
}

#[test]
fn measures() {
    let check = |condition: &str, yaml: &str| {
        let keys = if yaml.contains("group-by: [u, v]") { 2 } else { usize::from(yaml.contains("group-by")) };
        let tests = if condition.contains("them") {
            3
        } else if condition.contains("not a") {
            2
        } else {
            1
        };
        check(condition, yaml, &[&format!("Old Rule {keys} {tests}")]);
    };
    check("s | count() > 5", "{type: event_count, rules: [old_rule], timespan: 5m, condition: {gt: 5}}");
    check("s|count()>=5", "{type: event_count, rules: [old_rule], timespan: 5m, condition: {gte: 5}}");
    check(
        "s | count() by u < 5",
        "{type: event_count, rules: [old_rule], group-by: [u], timespan: 5m, condition: {lt: 5}}",
    );
    for by in ["u, v", "u,v", "u v"] {
        check(
            &format!("s and not a | COUNT(f.g) BY {by} == 5"),
            "{type: value_count, rules: [old_rule], group-by: [u, v], timespan: 5m, condition: {field: f.g, eq: 5}}",
        );
    }
    check(
        "s | count(f, g) by u <= 5",
        "{type: value_count, rules: [old_rule], group-by: [u], timespan: 5m, condition: {field: [f, g], lte: 5}}",
    );
    for (old, new) in [("sum", "sum"), ("avg", "avg"), ("min", "min"), ("max", "max")] {
        check(
            &format!("1 of them | {old}(f) by u > -1.5"),
            &format!(
                "{{type: value_{new}, rules: [old_rule], group-by: [u], timespan: 5m, condition: {{field: f, gt: -1.5}}}}"
            ),
        );
    }
}

#[test]
fn what_is_near() {
    check(
        "s | near a and b",
        "{type: temporal, rules: [old_rule, a, b], timespan: 5m}",
        &["Old Rule 0 1", "a 0 1", "b 0 1"],
    );
    check(
        "s and not a | near b and not a by u",
        "{type: temporal, rules: [old_rule, b, a], group-by: [u], timespan: 5m, condition: old_rule and b and not a}",
        &["Old Rule 1 2", "b 1 1", "a 1 1"],
    );
    check("s | near 1 of a*", "{type: temporal, rules: [old_rule, a], timespan: 5m}", &["Old Rule 0 1", "a 0 1"]);
    check(
        "s | near a or b",
        "{type: temporal, rules: [old_rule, a, b], timespan: 5m, condition: old_rule and (a or b)}",
        &["Old Rule 0 1", "a 0 1", "b 0 1"],
    );
}

/// What pipelines ask of a rule's detections is asked of each rule by itself.
#[test]
fn rules_that_are_near_have_their_own_detections_only() {
    let check = |condition: &str, expected: &[&str]| {
        documents(&[&rule(condition, "  timeframe: 5m\n")], |documents| {
            let Kind::Correlation(found) = &documents[0].kind else { panic!("{documents:?}") };
            let names = |rule: &sigcast_ir::Rule<'_>| {
                let names: Vec<&str> = rule.detections.iter().map(|detection| detection.name.as_ref()).collect();
                names.join(" ")
            };
            let found: Vec<String> = found.rules().map(names).collect();
            assert_eq!(found, expected, "{condition}");
        });
    };
    check("s | near a and b", &["s", "a", "b"]);
    check("b and not s | near a", &["s b", "a"]);
    check("1 of a* | near b", &["a", "b"]);
}

#[test]
fn what_is_wrong() {
    let time = "  timeframe: 5m\n";
    for condition in [
        "s |",
        "s | count",
        "s | count(",
        "s | count(f",
        "s | count(f g h > 3",
        "s | count() by > 5",
        "s | count() by u",
        "s | count() by u > ",
        "s | count() > 5 by u",
        "s | count() > 5 and a",
        "s | count() != 5",
        "s | counts() > 5",
        "s | sum() > 5",
        "s | sum(f, g) > 5",
        "s | near",
        "s | near a and",
        "s | near a b",
        "s | count() > 5 | count() > 6",
    ] {
        check_wrong(&format!("'{condition}'"), time, &["bad-condition"]);
    }
    check_wrong("s | count() > many", time, &["bad-number"]);
    check_wrong("s | count() > 1.5", time, &["bad-number"]);
    check_wrong("s | count() by u, u > 5", time, &["bad-value"]);
    check_wrong("s | count(f, g, f) by u > 5", time, &["bad-value"]);
    check_wrong("s | near a by u u", time, &["bad-value"]);
    check_wrong("s | near c", time, &["unknown-detection"]);
    check_wrong("s | count() > 5", "", &["missing-timeframe"]);
    check_wrong("s | count() > 5", "  timeframe: last 5 minutes\n", &["bad-timespan"]);
    check_wrong("s | count() < 1", time, &["legacy-unsupported"]);
    check_wrong("[s | count() > 5, a]", time, &["legacy-unsupported"]);
    check_wrong("[s | count() > 5, a | count() > 6]", time, &["legacy-unsupported"]);
}

#[test]
fn detections_that_are_near_are_used() {
    documents(&[&rule("s | near a", "  timeframe: 5m\n")], |documents| {
        let unused = documents[0].diagnostics.iter().filter(|found| found.code == Code::UnusedDetection);
        let unused: Vec<&str> = unused.map(|found| found.message.as_str()).collect();
        assert_eq!(unused, ["no condition names the detection `b`"]);
    });
}

#[test]
fn filters_are_joined_to_every_member() {
    let filter = "title: f\nlogsource: {product: windows}\nfilter: {rules: any, n: {g: 1}, condition: not n}\n";
    documents(&[&rule("s | near a", "  timeframe: 5m\n"), filter], |documents| {
        let Kind::Correlation(found) = &documents[0].kind else { panic!("{documents:?}") };
        let joined: Vec<usize> = found.rules().map(|rule| rule.detections.len()).collect();
        assert_eq!(joined, [2, 2], "each has its own detection and that of the filter");
        assert!(matches!(documents[1].kind, Kind::Skipped), "{documents:?}");
    });
    let wrong = filter.replace("g:", "g|no:");
    documents(&[&rule("s | near a", "  timeframe: 5m\n"), &wrong], |documents| {
        assert!(matches!(documents[0].kind, Kind::Refused), "{documents:?}");
    });
}

#[test]
fn correlations_are_about_them_as_about_others() {
    let outer = "title: o\ncorrelation: {type: event_count, rules: 0f4f3f0e-0000-4000-8000-00000000000a, timespan: 1h, \
                 group-by: [v, u], condition: {gte: 2}}\n";
    documents(&[&rule("s | count() by u > 5", "  timeframe: 5m\n"), outer], |documents| {
        assert!(matches!(documents[0].kind, Kind::Skipped), "{documents:?}");
        let Kind::Correlation(found) = &documents[1].kind else { panic!("{documents:?}") };
        let Source::Correlation(inner) = &found.members[0].source else { panic!("{found:?}") };
        assert!(matches!(inner.criterion, Criterion::Measure { .. }));
        assert_eq!(
            format!("{:?}", found.members[0].keys),
            r#"[Field(Field("v")), Inner(0)]"#,
            "the key that the inner one groups by is its own"
        );
    });
}
