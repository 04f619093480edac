//! Correlations in Watcher: the trigger, the input and the condition of a watch that aggregates.
//!
//! Source: Elasticsearch reference, "Watcher" (schedule interval trigger, search input, script condition, "Execution
//! context"), "Terms aggregation", "Multi terms aggregation"; what is inside a group is that of `es_dsl::correlation`:
//! - a watch looks back one timespan from the time for which it was triggered. Windows end when it runs, and not with each
//!   event: `fixed-windows`. It runs once a timespan, or by the option `interval` if that is shorter: no time is left out;
//! - groups are the largest ones first, so that those of a count are not cut off;
//! - the body of the search is a Mustache template: no text of a rule has a tag in it.
//!
//! The query's text is these three parts as an object; its format puts what describes the rule and the actions around it.

use sigcast_diagnostics::Code;
use sigcast_ir::{Bound, Correlation, Criterion, Measure, NumberValue, Order};

use super::WATCHER;
use crate::correlate::Composer;
use crate::mustache::without_tags;
use crate::options;
use crate::targets::es_dsl::correlation::{any, json, kept, keys, time_field};
use crate::targets::groups;

/// How many groups come out at most.
const GROUPS: u32 = 1_000;

/// Writes the deciding parts of a watch.
pub(super) fn compose(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    if composer.settings().style.is_some() {
        return styled(composer, correlation);
    }
    let members = groups::members(composer, correlation)?;
    let mut queries = Vec::with_capacity(members.len());
    let mut rules = Vec::with_capacity(members.len());
    for (_, rule) in &members {
        let text = without_tags(&composer.expression(rule, &WATCHER)?);
        queries.push(format!("{{\"query_string\":{{\"query\":{},\"lenient\":true}}}}", json(&text)));
        rules.push(*rule);
    }
    let groups = aggregation(composer, correlation, &queries)?;
    if groups.contains("{{") {
        composer.refuse(correlation.kind_span, "a field's name holds `{{`, which begins a tag of Mustache");
        return None;
    }
    let message = "the watch looks back one timespan when it runs: events that lie on both sides of the start of each run's \
                   window are not counted together";
    composer.approximate(Code::FixedWindows, correlation.timespan.span, message);
    composer.assume(Code::AssumeWithinLimit);
    let indices: Vec<String> = groups::indices(composer, &rules)?.iter().map(|name| json(name)).collect();
    let span = correlation.timespan.seconds;
    let interval = composer.settings().interval.as_deref().and_then(options::seconds).map_or(span, |own| span.min(own));
    let interval = groups::span(interval);
    let range = format!(
        "{{\"range\":{{{}:{{\"gte\":\"{{{{ctx.trigger.scheduled_time}}}}||-{span}s\",\
         \"lt\":\"{{{{ctx.trigger.scheduled_time}}}}\"}}}}}}",
        time_field(composer.settings())
    );
    Some(format!(
        "{{\"trigger\":{{\"schedule\":{{\"interval\":\"{interval}\"}}}},\
         \"input\":{{\"search\":{{\"request\":{{\"indices\":[{}],\"body\":{{\"size\":0,\
         \"query\":{{\"bool\":{{\"filter\":[{},{range}]}}}},\"aggs\":{{\"groups\":{groups}}}}}}}}}}},\
         \"condition\":{{\"script\":{{\"lang\":\"painless\",\
         \"source\":\"return ctx.payload.aggregations.groups.buckets.size() > 0\"}}}}}}",
        indices.join(","),
        any(&queries)
    ))
}

/// The query, aggregation and condition of a watch as the styles of old had them: for a count of one rule's events with one
/// key and one bound. The rest of the script is the style's template.
fn styled(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    let place = correlation.kind_span;
    let members = groups::members(composer, correlation)?;
    let keys = groups::common_keys(correlation);
    let (Criterion::Measure { measure: Measure::Events, bounds }, [(_, rule)], Some([key])) =
        (&correlation.criterion, members.as_slice(), keys.as_deref())
    else {
        composer.refuse(place, "the style knows counts of the events of one rule by one field only");
        return None;
    };
    let [Bound { order, value, negated: false, .. }] = bounds.as_slice() else {
        composer.refuse(place, "the style knows one bound, and no inequality");
        return None;
    };
    let NumberValue::Integer(value) = value.value else {
        composer.refuse(place, "the style counts whole numbers");
        return None;
    };
    let (compare, least) = match order {
        Order::Less => ("lt", None),
        Order::LessOrEqual => ("lte", None),
        Order::Equal => ("eq", None),
        Order::Greater => ("gt", Some(value + 1)),
        Order::GreaterOrEqual => ("gte", Some(value)),
    };
    let text = composer.styled(rule)?;
    let message =
        "the style's watch looks back a time of its own, at the first ten groups, and its message shows none of them";
    composer.approximate(Code::LegacyStyle, place, message);
    // The oldest one asked subfields of every field.
    let suffix = if composer.settings().style == Some("atc2019") { ".keyword" } else { "" };
    let field = json(&format!("{}{suffix}", key.as_str()));
    let (direction, least) = match least {
        Some(least) => ("desc", format!(",\"min_doc_count\":{least}")),
        None => ("asc", String::new()),
    };
    Some(format!(
        "{{\"query\":{},\"aggs\":{{\"by\":{{\"terms\":{{\"field\":{field},\"size\":10,\
         \"order\":{{\"_count\":\"{direction}\"}}{least}}}}}}},\
         \"condition\":{{\"compare\":{{\"ctx.payload.aggregations.by.buckets.0.doc_count\":{{\"{compare}\":{value}}}}}}}}}",
        json(&text)
    ))
}

/// The aggregation whose buckets are the groups that are kept.
fn aggregation(composer: &mut Composer<'_>, correlation: &Correlation<'_>, queries: &[String]) -> Option<String> {
    let keys = keys(composer, correlation)?;
    let kept = kept(composer, correlation, queries)?;
    let (least, inside) = match kept.least.filter(|_| !keys.is_empty()) {
        Some(least) => (format!(",\"min_doc_count\":{}", least.max(1)), kept.plain()),
        None => (String::new(), kept.with_script()),
    };
    let fields: Vec<String> = keys.iter().map(|(_, field)| format!("\"field\":{}", json(field))).collect();
    let by = match fields.as_slice() {
        [] => "\"filters\":{\"filters\":[{\"match_all\":{}}]}".to_owned(),
        [only] => format!("\"terms\":{{{only},\"size\":{GROUPS}{least}}}"),
        several => {
            let terms: Vec<String> = several.iter().map(|field| format!("{{{field}}}")).collect();
            format!("\"multi_terms\":{{\"terms\":[{}],\"size\":{GROUPS}{least}}}", terms.join(","))
        }
    };
    Some(format!("{{{by},\"aggs\":{{{inside}}}}}"))
}
