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
