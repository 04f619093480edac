//! Correlation: what is no search for single events is never emitted as one, with its time span or order lost.
//!
//! Correlations are refused as yet, with a code and the place. The tests here hold for whatever becomes of them: the rules
//! that a correlation refers to are converted as they are alone, wherever they stand in the file.

use super::*;

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
        Kind::Filter(_) | Kind::Invalid | Kind::Skipped => panic!("{document:?}"),
    };
    parse(&sources, id).iter().map(outcome).collect()
}

/// Every kind of correlation, before and behind its rule, for every target.
fn check_refused(document: &str, code: Code) {
    for target in TARGETS {
        let alone = outcomes(&[RULE], target.name);
        assert!(alone[0].is_ok(), "{}: {alone:?}", target.name);
        let refused = Err(vec![code]);
        assert_eq!(outcomes(&[RULE, document], target.name), [alone[0].clone(), refused.clone()], "{}", target.name);
        assert_eq!(outcomes(&[document, RULE], target.name), [refused, alone[0].clone()], "{}", target.name);
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
