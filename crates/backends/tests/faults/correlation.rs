//! Correlation: what is no search for single events is never emitted as one, with its time span, its bound or its order
//! lost.
//!
//! A target either refuses a correlation, or whatever it asks shows in the query: another time span, another bound, other
//! groups give another query. Its rule, which it uses up, gives none of its own, wherever they stand in the file, unless
//! `generate` says so.

use super::*;
use sigcast_frontend::link;

const RULE: &str = "title: Failed Logon\nname: failed\nlogsource: {product: windows}\ndetection:\n  s: {Subject7: 4625}\n  \
                    condition: s\n";

/// A correlation of the rule, with a time span.
fn correlation(kind: &str, rest: &str) -> String {
    format!("title: Many\ncorrelation:\n  type: {kind}\n  rules: [failed]\n  group-by: [Host]\n  timespan: 5m\n{rest}")
}

/// What becomes of the documents of a file, in order: the queries, or the codes of the refusal.
fn outcomes(documents: &[&str], target: &str) -> Vec<Result<Vec<String>, Vec<Code>>> {
    let mut sources = SourceMap::new();
    let id = sources.add("rules.yml", documents.join("---\n"));
    let backend = Backend::new(find(target).expect("a target"), Settings::default());
    let refusals = |diagnostics: &[sigcast_diagnostics::Diagnostic]| {
        let refused = diagnostics.iter().filter(|one| one.code.class() == Class::Refusal && !one.labels.is_empty());
        refused.map(|one| one.code).collect()
    };
    let outcome = |document: &Document<'_>| match &document.kind {
        Kind::Rule(rule) => {
            let found = backend.convert(rule);
            if found.status == Status::Refused { Err(refusals(&found.diagnostics)) } else { Ok(found.queries) }
        }
        Kind::Refused => Err(refusals(&document.diagnostics)),
        Kind::Correlation(correlation) => {
            let found = backend.correlate(correlation);
            if found.status == Status::Refused { Err(refusals(&found.diagnostics)) } else { Ok(found.queries) }
        }
        Kind::Skipped => Err(document.diagnostics.iter().map(|one| one.code).collect()),
        Kind::Filter(_) | Kind::Invalid | Kind::Unlinked(_) => panic!("{document:?}"),
    };
    let mut parsed = parse(&sources, id);
    link(&mut parsed.iter_mut().collect::<Vec<_>>());
    parsed.iter().map(outcome).collect()
}

/// A document that has no query, before and behind the rule, for every target.
fn check_refused(document: &str, code: Code) {
    for target in TARGETS {
        let alone = outcomes(&[RULE], target.name);
        assert!(alone[0].is_ok(), "{}: {alone:?}", target.name);
        let refused = Err(vec![code]);
        assert_eq!(outcomes(&[RULE, document], target.name), [alone[0].clone(), refused.clone()], "{}", target.name);
        assert_eq!(outcomes(&[document, RULE], target.name), [refused, alone[0].clone()], "{}", target.name);
    }
}

/// A correlation in any place of the file, for every target; and that every change to it is one to its query.
fn check_said(document: &str, changes: &[(&str, &str)]) {
    let mut said = 0;
    for target in TARGETS {
        let name = target.name;
        let alone = outcomes(&[RULE], name).remove(0);
        let used = Err(vec![Code::RuleUsed]);
        let own = outcomes(&[RULE, document], name).remove(1);
        assert_eq!(outcomes(&[RULE, document], name), [used.clone(), own.clone()], "{name}");
        assert_eq!(outcomes(&[document, RULE], name), [own.clone(), used], "{name}");
        let generate = document.replace("correlation:\n", "generate: true\ncorrelation:\n");
        assert_eq!(outcomes(&[RULE, &generate], name), [alone.clone(), own.clone()], "{name}");
        let queries = match own {
            Err(codes) => {
                assert_eq!(codes, [Code::CorrelationUnsupported], "{name}");
                continue;
            }
            Ok(queries) => queries,
        };
        said += 1;
        assert_ne!(Ok(&queries), alone.as_ref(), "{name}");
        for (before, after) in changes {
            let changed = document.replace(before, after);
            assert_ne!(changed, document);
            let other = outcomes(&[RULE, &changed], name).remove(1);
            assert_ne!(Ok(&queries), other.as_ref(), "{name}: {before} and {after} give the same query");
        }
    }
    assert!(said > 0, "no target says {document}");
}

/// What every correlation asks.
const COMMON: [(&str, &str); 3] = [("5m", "7m"), ("[Host]", "[Computer]"), ("[Host]", "[Host, User]")];

#[test]
fn a_correlation_is_not_emitted_without_its_time_span() {
    let check = |kind: &str, rest: &str, changes: &[(&str, &str)]| {
        check_said(&correlation(kind, rest), &[changes, &COMMON].concat());
    };
    check("event_count", "  condition: {gte: 10}\n", &[("10", "11"), ("gte", "eq")]);
    let count = "  condition: {field: User, gt: 3, lte: 9}\n";
    check("value_count", count, &[(" 3", " 4"), (" 9", " 8"), ("field: User", "field: Target")]);
    check("value_sum", "  condition: {field: Bytes, gte: 10}\n", &[("10", "10.5"), ("value_sum", "value_avg")]);
}

#[test]
fn an_order_in_time_is_not_emitted_as_any_order() {
    let other = RULE.replace("4625", "4624").replace("failed", "other");
    let rules = |kind: &str, names: &str| correlation(kind, "").replace("[failed]", names);
    let mut said = 0;
    for target in TARGETS {
        let of = |kind: &str, names: &str| outcomes(&[RULE, &other, &rules(kind, names)], target.name).remove(2);
        let Ok(ordered) = of("temporal_ordered", "[failed, other]") else { continue };
        said += 1;
        assert_ne!(Ok(&ordered), of("temporal_ordered", "[other, failed]").as_ref(), "{}", target.name);
        assert_ne!(Ok(&ordered), of("temporal", "[failed, other]").as_ref(), "{}", target.name);
    }
    assert!(said > 0, "no target knows an order");
}

/// The search alone would report each event, the count of which was asked for.
#[test]
fn an_aggregation_is_not_cut_off() {
    let legacy = |condition: &str| {
        format!(
            "title: Many\nlogsource: {{product: windows}}\ndetection:\n  s: {{Subject7: 4625}}\n  timeframe: 5m\n  \
             condition: {condition}\n"
        )
    };
    let check = |old: &str, kind: &str, rest: &str| {
        let mut said = 0;
        for target in TARGETS {
            let found = outcomes(&[&legacy(old)], target.name).remove(0);
            let expected = outcomes(&[RULE, &correlation(kind, rest)], target.name).remove(1);
            said += usize::from(found.is_ok());
            assert_eq!(found, expected, "{}: {old} is the correlation that it means", target.name);
        }
        assert!(said > 0, "no target says {old}");
    };
    check("s | count() by Host > 10", "event_count", "  condition: {gt: 10}\n");
    check("s | count(User) by Host <= 10", "value_count", "  condition: {field: User, lte: 10}\n");
    check("s | sum(Bytes) by Host >= 1.5", "value_sum", "  condition: {field: Bytes, gte: 1.5}\n");
    check_refused(&legacy("s | count() by Host > 10").replace("  timeframe: 5m\n", ""), Code::MissingTimeframe);
}

/// The last document of a file, which is a correlation, as a target converts it.
fn last(documents: &[&str], target: &str, options: &[(&str, &str)]) -> Conversion {
    let mut sources = SourceMap::new();
    let id = sources.add("rules.yml", documents.join("---\n"));
    let mut parsed = parse(&sources, id);
    link(&mut parsed.iter_mut().collect::<Vec<_>>());
    let last = parsed.last().expect("a document");
    let Kind::Correlation(found) = &last.kind else { panic!("{last:?}") };
    Backend::new(find(target).expect("a target"), Settings::of(options).expect("options")).correlate(found)
}

/// Both kinds of windows of the targets that have a choice, and what others have.
fn windows(target: &sigcast_backends::Target) -> Vec<Vec<(&'static str, &'static str)>> {
    if target.options.contains(&"window") {
        ["sliding", "tumbling"].map(|window| vec![("window", window), ("table", "T")]).into()
    } else {
        vec![Vec::new()]
    }
}

fn known(
    target: &sigcast_backends::Target,
    options: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    options.iter().copied().filter(|(name, _)| target.options.contains(name)).collect()
}

/// Detections that are near each other are of one document: each is searched, and told from the others.
#[test]
fn each_detection_that_is_near_is_searched() {
    let near = "title: Near\nlogsource: {product: windows}\ndetection:\n  s: {Subject7: 4625}\n  t: {Other9: 4624}\n  \
                timeframe: 5m\n  condition: s | near t by Host\n";
    let mut said = 0;
    for target in TARGETS {
        for options in windows(target) {
            let options = known(target, &options);
            let query = last(&[near], target.name, &options).queries.concat();
            if query.is_empty() {
                continue;
            }
            said += 1;
            let name = target.name;
            assert!(query.contains("Subject7") && query.contains("Other9"), "{name} {options:?}: {query}");
            let absent = near.replace("near t", "near not t");
            assert_ne!(query, last(&[&absent], name, &options).queries.concat(), "{name} {options:?}");
            if name == "splunk" {
                for label in ["sigma_rule=\"Near\"", "sigma_rule=\"Near (2)\""] {
                    let count = query.matches(label).count();
                    assert!(count >= 2, "{label} is set and asked: {query}");
                }
            }
        }
    }
    assert!(said > 8, "{said} queries of what is near");
}

/// A request that names the indices of all rules keeps none of them to its own.
#[test]
fn rules_of_other_indices_are_told() {
    let other = RULE.replace("4625", "4624").replace("failed", "other");
    let of = |rule: &str, index: &str| format!("{rule}custom: {{all: {{index: {index}}}}}\n");
    let check = |kind: &str, rest: &str| {
        let mut said = 0;
        let correlation = correlation(kind, rest).replace("[failed]", "[failed, other]");
        for target in TARGETS.iter().filter(|target| target.options.contains(&"index") && target.name != "splunk") {
            for (index, joined) in [("a", false), ("b", true)] {
                let found = last(&[&of(RULE, "a"), &of(&other, index), &correlation], target.name, &[]);
                if !found.queries.is_empty() {
                    said += 1;
                    let told = found.diagnostics.iter().any(|one| one.code == Code::ScopesJoined);
                    assert_eq!(told, joined, "{} {kind} {index}: {:?}", target.name, found.diagnostics);
                }
            }
        }
        said
    };
    let said = check("event_count", "  condition: {gte: 3}\n") + check("temporal", "") + check("temporal_ordered", "");
    assert!(said >= 16, "{said} queries over indices");
}

/// What a correlation shows of its events comes out wherever events do not come out whole.
#[test]
fn fields_that_a_correlation_shows_are_not_lost() {
    let other = RULE.replace("4625", "4624").replace("failed", "other");
    let mut said = 0;
    for (kind, rest) in [("event_count", "  condition: {gte: 3}\n"), ("temporal", "")] {
        for keys in ["  group-by: [Host]\n", "  group-by: [h]\n  aliases: {h: {failed: Host, other: Computer}}\n"] {
            let plain =
                correlation(kind, rest).replace("[failed]", "[failed, other]").replace("  group-by: [Host]\n", keys);
            let shown = plain.replace("correlation:\n", "fields: [Extra5]\ncorrelation:\n");
            for target in TARGETS.iter().filter(|target| target.name != "eql") {
                for options in windows(target) {
                    let whole = options.contains(&("window", "sliding")) && target.name == "splunk";
                    let options = known(target, &options);
                    let query = last(&[RULE, &other, &shown], target.name, &options).queries.concat();
                    if query.is_empty() || whole || query.contains("SELECT * FROM") {
                        continue;
                    }
                    said += 1;
                    assert!(query.contains("Extra5"), "{} {options:?}: {query}", target.name);
                }
            }
        }
    }
    assert!(said >= 12, "{said} queries with fields");
}

/// Correlations that name two others each double at every level.
#[test]
fn a_query_is_not_blown_up_by_correlations_of_correlations() {
    let other = RULE.replace("4625", "4624").replace("failed", "other");
    let mut documents = vec![RULE.to_owned(), other];
    let mut below = "failed, other".to_owned();
    for level in 0..13 {
        for side in ["a", "b"] {
            documents.push(format!(
                "title: C\nname: c{level}{side}\ncorrelation: {{type: temporal, rules: [{below}], group-by: [Host], \
                 timespan: 5m}}\n"
            ));
        }
        below = format!("c{level}a, c{level}b");
    }
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    for target in TARGETS {
        let found = last(&documents, target.name, &known(target, &[("table", "T")]));
        assert_eq!(found.status, Status::Refused, "{}", target.name);
        let codes: Vec<Code> = found.diagnostics.iter().map(|one| one.code).collect();
        if target.name == "kusto" {
            assert!(codes.contains(&Code::QueryTooLarge), "{codes:?}");
        }
    }
}
