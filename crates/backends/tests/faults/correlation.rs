//! Correlation: what is no search for single events is never emitted as one, with its time span or order lost.
//!
//! No target says correlations as yet: a document that is one gives no query, and its rule, which it uses up, gives none
//! either, wherever they stand in the file. With `generate`, the rule is converted as it is alone.

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
        Kind::Correlation(_) => Err(vec![Code::CorrelationRule]),
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
        let own = if document.contains("correlation:") { Err(vec![Code::RuleUsed]) } else { alone[0].clone() };
        assert_eq!(outcomes(&[RULE, document], target.name), [own.clone(), refused.clone()], "{}", target.name);
        assert_eq!(outcomes(&[document, RULE], target.name), [refused.clone(), own], "{}", target.name);
        let generate = document.replace("correlation:\n", "generate: true\ncorrelation:\n");
        if document != generate {
            assert_eq!(outcomes(&[RULE, &generate], target.name), [alone[0].clone(), refused], "{}", target.name);
        }
    }
}

#[test]
fn a_correlation_is_not_emitted_without_its_time_span() {
    check_refused(&correlation("event_count", "  condition: {gte: 10}\n"), Code::CorrelationRule);
    check_refused(&correlation("value_count", "  condition: {field: User, gt: 3, lte: 9}\n"), Code::CorrelationRule);
    check_refused(&correlation("value_sum", "  condition: {field: Bytes, gte: 10}\n"), Code::CorrelationRule);
}

#[test]
fn an_order_in_time_is_not_emitted_as_any_order() {
    check_refused(&correlation("temporal", ""), Code::CorrelationRule);
    check_refused(&correlation("temporal_ordered", ""), Code::CorrelationRule);
}

/// The search alone would report each event, the count of which was asked for.
#[test]
fn an_aggregation_is_not_cut_off() {
    let legacy = |condition: &str| {
        format!(
            "title: Old\nlogsource: {{product: windows}}\ndetection:\n  s: {{Subject7: 4625}}\n  timeframe: 5m\n  \
             condition: {condition}\n"
        )
    };
    check_refused(&legacy("s | count() by Host > 10"), Code::LegacyAggregation);
    check_refused(&legacy("s | near other"), Code::LegacyAggregation);
}
