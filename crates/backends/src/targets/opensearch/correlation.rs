//! Correlations in OpenSearch's Piped Processing Language (PPL): `stats … by span(…)` over the events of a query string.
//!
//! Source: OpenSearch documentation, "PPL" (`stats`, "Relevance functions", "Aggregation functions", "Identifiers"), and
//! the grammar of the plugin `sql` (`OpenSearchPPLLexer`) with its `StringUtils`:
//! - rules are query strings, as they are alone: `query_string(['*'], '…')` is OpenSearch's own query. It is run by the
//!   index only, so no column can say which of several rules an event is of: what asks that is refused;
//! - a string ends at its quote; two quotes are one, and a backslash before a quote or a backslash is dropped;
//! - a name stands in backquotes, which it cannot hold;
//! - `span` makes windows that follow each other: `fixed-windows`;
//! - `distinct_count` and `percentile` estimate. A sum of no values is 0: the number of values is asked too;
//! - a result has no more rows than the server's `plugins.query.size_limit` and `plugins.query.buckets`:
//!   `assume-within-limit`.

use sigcast_diagnostics::{Code, Span};
use sigcast_ir::{Bound, Correlation, Criterion, Field, Measure, Rule};

use super::OPENSEARCH;
use crate::correlate::Composer;
use crate::targets::groups;

/// How many values of a field are shown of each group.
const VALUES: u32 = 10;

/// Writes the query of a correlation.
pub(super) fn compose(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    let place = correlation.kind_span;
    let members = groups::members(composer, correlation)?;
    let Criterion::Measure { measure, bounds } = &correlation.criterion else {
        let reason = "PPL cannot say which rule an event is of, since query strings are run by the index only; `es-dsl` \
                      has aggregations that do";
        composer.refuse(place, reason);
        return None;
    };
    let rules: Vec<&Rule<'_>> = members.iter().map(|(_, rule)| *rule).collect();
    let mut conditions = Vec::with_capacity(rules.len());
    for rule in &rules {
        conditions.push(composer.expression(rule, &OPENSEARCH)?);
    }
    let any = match conditions.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(") OR (")),
    };
    let Some(common) = groups::common_keys(correlation) else {
        composer
            .refuse(place, "the key of its groups is another field for each rule, and PPL cannot say which rule it is");
        return None;
    };
    let mut keys = Vec::with_capacity(common.len());
    for (field, key) in common.into_iter().zip(&correlation.keys) {
        composer.assume(Code::AssumeKeywordFields);
        keys.push(name(composer, field, key.span)?);
    }
    let (columns, wanted) = measured(composer, correlation, *measure, bounds)?;
    composer.approximate(Code::FixedWindows, correlation.timespan.span, groups::FIXED_WINDOWS);
    composer.assume(Code::AssumeWithinLimit);
    let by = groups_by(composer, correlation, &keys)?;
    let columns = [columns, shown(composer, correlation)?].concat();
    let sources: Option<Vec<String>> =
        groups::indices(composer, &rules)?.iter().map(|index| quoted(composer, index, place)).collect();
    let mut out = format!("source={}\n| where query_string(['*'], {})", sources?.join(", "), string(&any));
    if !keys.is_empty() {
        let present: Vec<String> = keys.iter().map(|key| format!("isnotnull({key})")).collect();
        out.push_str(&format!("\n| where {}", present.join(" and ")));
    }
    out.push_str(&format!("\n| stats {}\n    by {by}\n| where {wanted}", columns.join(",\n    ")));
    Some(out)
}

/// What is measured, as columns, and what is true of them.
fn measured(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    measure: Measure,
    bounds: &[Bound<'_>],
) -> Option<(Vec<String>, String)> {
    let place = correlation.kind_span;
    let wanted = groups::within_by("sigma_value", bounds, " and ", "=");
    if measure == Measure::Events {
        return Some((vec!["count() as sigma_value".to_owned()], wanted));
    }
    let Some(values) = groups::common_values(correlation) else {
        composer.refuse(place, "the values are of another field for each rule, and PPL cannot say which rule it is");
        return None;
    };
    let [field] = values else {
        composer.refuse(place, "it counts the values of one field, and no combinations of several");
        return None;
    };
    let field = name(composer, field, place)?;
    if measure == Measure::Distinct {
        composer.assume(Code::AssumeKeywordFields);
        composer.approximate(Code::EstimatedMeasure, place, groups::ESTIMATED_VALUES);
        return Some((vec![format!("distinct_count({field}) as sigma_value")], wanted));
    }
    composer.assume(Code::AssumeNumeric);
    let call = match measure {
        Measure::Average => format!("avg({field})"),
        Measure::Minimum => format!("min({field})"),
        Measure::Maximum => format!("max({field})"),
        Measure::Median => format!("percentile({field}, 50)"),
        Measure::Percentile(part) => format!("percentile({field}, {part})"),
        _ => format!("sum({field})"),
    };
    if matches!(measure, Measure::Median | Measure::Percentile(_)) {
        composer.approximate(Code::EstimatedMeasure, place, groups::ESTIMATED_PERCENTILES);
    }
    let columns = vec![format!("{call} as sigma_value"), format!("count({field}) as sigma_values")];
    Some((columns, format!("sigma_values > 0 and {wanted}")))
}

/// What groups are told apart by.
fn groups_by(composer: &mut Composer<'_>, correlation: &Correlation<'_>, keys: &[String]) -> Option<String> {
    let time = time(composer, correlation)?;
    let span = groups::span(correlation.timespan.seconds);
    let mut by = vec![format!("span({time}, {span}) as sigma_window")];
    by.extend_from_slice(keys);
    Some(by.join(", "))
}

/// The first and last time of a group, and some values of the fields that the rules show.
fn shown(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<Vec<String>> {
    let time = time(composer, correlation)?;
    let mut columns = vec![format!("min({time}) as sigma_first"), format!("max({time}) as sigma_last")];
    for field in groups::shown(correlation) {
        let name = name(composer, &field, correlation.kind_span)?;
        if name != time {
            columns.push(format!("take({name}, {VALUES}) as {name}"));
        }
    }
    Some(columns)
}

fn time(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    let time = composer.settings().time_field.clone().unwrap_or_else(|| "@timestamp".to_owned());
    quoted(composer, &time, correlation.kind_span)
}

fn name(composer: &mut Composer<'_>, field: &Field<'_>, place: Span) -> Option<String> {
    quoted(composer, field.as_str(), place)
}

/// A name in backquotes. None if it cannot be written, which is said.
fn quoted(composer: &mut Composer<'_>, name: &str, place: Span) -> Option<String> {
    if name.is_empty() || name.contains(['`', '\\']) {
        composer.refuse(place, &format!("the name `{name}` cannot be written between the backquotes of PPL"));
        return None;
    }
    Some(format!("`{name}`"))
}

/// A text as a string.
fn string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
