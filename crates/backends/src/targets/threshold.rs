//! Correlations as threshold rules of Kibana's detection engine, for the languages that such a rule takes.
//!
//! Source: Elastic Security documentation, "Threshold rules", and the checks of Kibana's API on `threshold`:
//! - each run counts the events of its whole window, in a composite aggregation of the group-by fields: an event that lacks
//!   one is in no group. A rule that reaches back one timespan has windows that end when it runs, and not with each event:
//!   `fixed-windows`. Events that an alert has counted are not counted again for the same group;
//! - `value` is a lower bound from 1, of the number of events. `cardinality` is one more, of how many values one other field
//!   has, which the engine estimates; without `value` a rule is refused, so that is 1 then;
//! - there are at most five group-by fields (three before 8.16), and the field of `cardinality` is none of them;
//! - an alert tells the group and its number of events, and of no more groups than `max_signals`.
//!
//! The query's text is an object: `query`, `threshold`, and `index` with the indices of all rules. The format puts the
//! rest of the rule around it.

use sigcast_diagnostics::Code;
use sigcast_ir::{Bound, Correlation, Criterion, Measure};

use crate::correlate::Composer;
use crate::target::Language;
use crate::targets::es_dsl::correlation::{aggregated, json, keys};
use crate::targets::groups;

/// The most fields that a rule groups by.
const MOST_KEYS: usize = 5;

/// Writes the query of a correlation and what is counted of it.
pub(super) fn compose(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    let place = correlation.kind_span;
    let (true, Language::Single(dialect)) =
        (composer.settings().threshold, composer.target().language(composer.settings()))
    else {
        let reason = "a query of this language finds single events, and counts none; the format `siem-rule` makes a \
                      threshold rule of a count, and the targets `es-dsl`, `watcher` and `esql` have aggregations";
        composer.refuse(place, reason);
        return None;
    };
    let members = groups::members(composer, correlation)?;
    let Criterion::Measure { measure, bounds } = &correlation.criterion else {
        composer.refuse(place, "a threshold rule counts events, and does not ask which rules they are of");
        return None;
    };
    let keys: Vec<String> = keys(composer, correlation)?.into_iter().map(|(_, field)| field).collect();
    if keys.len() > MOST_KEYS {
        composer.refuse(place, &format!("a threshold rule groups by {MOST_KEYS} fields at most"));
        return None;
    }
    let counted = counted(composer, correlation, *measure, bounds, &keys)?;
    let mut queries = Vec::with_capacity(members.len());
    let rules: Vec<_> = members.iter().map(|(_, rule)| *rule).collect();
    for rule in &rules {
        queries.push(composer.expression(rule, dialect)?);
    }
    let query = match queries.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(&format!("){}(", dialect.operators.or.text))),
    };
    let message = "the rule looks back one timespan when it runs: events that lie on both sides of the start of a run's \
                   window are not counted together, nor are those that an alert has counted before";
    composer.approximate(Code::FixedWindows, correlation.timespan.span, message);
    composer.assume(Code::AssumeWithinLimit);
    // Without one, the product's own default holds, as for rules of other types.
    let mut given = false;
    for rule in &rules {
        given |= !composer.settings_for(rule)?.index.is_empty();
    }
    let indices = if given { groups::indices(composer, &rules)? } else { Vec::new() };
    let indices: Vec<String> = indices.iter().map(|name| json(name)).collect();
    let keys: Vec<String> = keys.iter().map(|key| json(key)).collect();
    Some(format!(
        "{{\"query\":{},\"threshold\":{{\"field\":[{}],{counted}}},\"index\":[{}]}}",
        json(&query),
        keys.join(","),
        indices.join(",")
    ))
}

/// The bounds of a threshold rule, as members of an object.
fn counted(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    measure: Measure,
    bounds: &[Bound<'_>],
    keys: &[String],
) -> Option<String> {
    let place = correlation.kind_span;
    let Some(least) = groups::least_count(bounds) else {
        composer.refuse(place, "a threshold rule has a lower bound, and no other");
        return None;
    };
    match measure {
        // A window that ends with an event holds one.
        Measure::Events => Some(format!("\"value\":{}", least.max(1))),
        Measure::Distinct => {
            let Some([field]) = groups::common_values(correlation) else {
                composer.refuse(place, "a threshold rule counts the values of one field, the same for all rules");
                return None;
            };
            let field = aggregated(composer, field, place)?;
            if keys.contains(&field) {
                composer.refuse(place, "a threshold rule counts no values of a field that it groups by");
                return None;
            }
            composer.approximate(Code::EstimatedMeasure, place, groups::ESTIMATED_VALUES);
            Some(format!("\"value\":1,\"cardinality\":[{{\"field\":{},\"value\":{least}}}]", json(&field)))
        }
        _ => {
            composer.refuse(place, "a threshold rule counts events and values, and measures nothing else");
            None
        }
    }
}
