//! Correlations in Elasticsearch's and OpenSearch's aggregations: groups of events, and a script that keeps some.
//!
//! Source: Elasticsearch reference, "Aggregations" (composite, terms, multi terms, filters, cardinality, percentiles, top
//! hits, bucket selector, "`buckets_path` syntax"); OpenSearch documentation, "Aggregations":
//! - a group is a bucket of its keys: of a composite aggregation in a search, which is read page by page (`after_key`) and
//!   has windows of one timespan that follow each other among its sources; of a terms aggregation in a watch, which has
//!   one window, that of its run. Either leaves out events that lack a key, and puts one with several values of it into
//!   the group of each;
//! - the rules are the buckets of a `filters` aggregation inside. The first and last time of each says whether an event of
//!   one is before one of another; of three rules or more each two are asked, which is less than a chain: `order-lost`;
//! - `cardinality` estimates beyond its threshold of precision, and `percentiles` always. How many combinations of several
//!   fields there are is the number of buckets of a `multi_terms`, of which no more are asked for than the bounds need;
//! - a group of no events is in no answer. A sum of no values is 0 to the engine, and none to a correlation: the number of
//!   values is asked too;
//! - a key is aggregated by its whole text: the field itself, or its subfield of type keyword.
//!
//! Invariant: rules' texts get into JSON by [`json`] and the dialects' own writers only, and into no script.

use std::fmt::Write as _;

use sigcast_diagnostics::{Code, Span};
use sigcast_ir::schema::FieldKind;
use sigcast_ir::{Bound, Correlation, Criterion, Field, Measure, NumberValue, Rule, Wanted};

use super::DSL;
use crate::correlate::Composer;
use crate::options::{FieldMode, Settings};
use crate::targets::groups;
use crate::typed;
use crate::ways::{Words, condition_text, ways_in_order};

/// How conditions over members are written: in a script.
const WORDS: Words = Words { and: " && ", or: " || ", not: "!", always_grouped: false };

/// How many groups a page of a composite aggregation has, and how many a terms aggregation has.
const GROUPS: u32 = 1_000;
/// How many events of a group are shown.
const EVENTS: u32 = 3;
/// The threshold that `cardinality` has if none is given, and the largest that it takes.
const PRECISION: (u64, u64) = (3_000, 40_000);
/// How many combinations of values a group may be asked for.
const MOST_COMBINATIONS: u64 = 1_000;

/// Writes the query of a correlation: the body of a search.
pub(super) fn compose(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    // One answer has 1,000 groups; the next ones come with `after`.
    composer.assume(Code::AssumeWithinLimit);
    let members = groups::members(composer, correlation)?;
    let mut queries = Vec::with_capacity(members.len());
    for (_, rule) in &members {
        queries.push(query_of(composer, rule)?);
    }
    let keys = keys(composer, correlation)?;
    let kept = kept(composer, correlation, &queries)?;
    composer.approximate(Code::FixedWindows, correlation.timespan.span, groups::FIXED_WINDOWS);
    let span = groups::span(correlation.timespan.seconds);
    let time = time_field(composer.settings());
    let window = format!("{{\"window\":{{\"date_histogram\":{{\"field\":{time},\"fixed_interval\":\"{span}\"}}}}}}");
    let mut sources = vec![window];
    for (name, field) in keys {
        sources.push(format!("{{{}:{{\"terms\":{{\"field\":{}}}}}}}", json(&name), json(&field)));
    }
    Some(format!(
        "{{\"size\":0,\"query\":{},\"aggs\":{{\"groups\":{{\"composite\":{{\"size\":{GROUPS},\"sources\":[{}]}},\
         \"aggs\":{{{}}}}}}}}}",
        any(&queries),
        sources.join(","),
        kept.with_script()
    ))
}

/// The query of a rule, as an object.
fn query_of(composer: &mut Composer<'_>, rule: &Rule<'_>) -> Option<String> {
    let whole = composer.expression(rule, &DSL)?;
    let inner = whole.strip_prefix(super::CALLS.whole.0)?.strip_suffix(super::CALLS.whole.1)?;
    Some(inner.to_owned())
}

/// One of these queries.
pub(in crate::targets) fn any(queries: &[String]) -> String {
    match queries {
        [only] => only.clone(),
        several => format!("{{\"bool\":{{\"should\":[{}],\"minimum_should_match\":1}}}}", several.join(",")),
    }
}

/// The time field, in quotes.
pub(in crate::targets) fn time_field(settings: &Settings) -> String {
    json(settings.time_field.as_deref().unwrap_or("@timestamp"))
}

/// A text as a string of JSON.
pub(in crate::targets) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The keys: the name of each, and the field that it is aggregated by.
pub(in crate::targets) fn keys(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
) -> Option<Vec<(String, String)>> {
    let Some(common) = groups::common_keys(correlation) else {
        let reason = "the key of its groups is another field for each rule, and a bucket has one";
        composer.refuse(correlation.kind_span, reason);
        return None;
    };
    let mut keys = Vec::with_capacity(common.len());
    for (field, key) in common.into_iter().zip(&correlation.keys) {
        keys.push((key.name.clone().into_owned(), aggregated(composer, field, key.span)?));
    }
    Some(keys)
}

/// The field by which the values of a field are aggregated. None if it cannot be, which is said.
pub(in crate::targets) fn aggregated(composer: &mut Composer<'_>, field: &Field<'_>, place: Span) -> Option<String> {
    composer.field(field, place, &DSL)?;
    let name = field.as_str();
    let settings = composer.settings();
    if let Some(known) = typed::field_type(settings, name) {
        let is_whole = |kind: FieldKind| !matches!(kind, FieldKind::Text | FieldKind::Nested | FieldKind::Other);
        if is_whole(known.kind) {
            return Some(name.to_owned());
        }
        let sub = known.subfields.iter().find(|(_, sub)| sub.kind.is_whole_text());
        let found = sub.filter(|_| known.kind == FieldKind::Text).map(|(suffix, _)| format!("{name}.{suffix}"));
        if found.is_none() {
            let kind = known.kind.as_str();
            let reason = format!("by the schema, `{name}` is of type {kind}, without a keyword subfield to group by");
            composer.refuse(place, &reason);
        }
        return found;
    }
    if settings.fields == FieldMode::Dynamic && settings.schema.is_none() {
        composer.assume(Code::AssumeTextFields);
        return Some(format!("{name}.keyword"));
    }
    composer.assume(Code::AssumeKeywordFields);
    Some(name.to_owned())
}

/// What is aggregated inside each group, and which groups are kept.
#[derive(Debug)]
pub(in crate::targets) struct Kept {
    /// Aggregations, each with its name.
    aggregations: Vec<String>,
    /// Variables of the script, each with its path.
    paths: Vec<String>,
    /// What is true of a group that is kept.
    script: String,
    /// The number of events that is all that is asked for.
    pub(in crate::targets) least: Option<u64>,
}

impl Kept {
    /// The aggregations, with the script among them.
    pub(in crate::targets) fn with_script(&self) -> String {
        let selector = format!(
            "\"kept\":{{\"bucket_selector\":{{\"buckets_path\":{{{}}},\"script\":{}}}}}",
            self.paths.join(","),
            json(&self.script)
        );
        let mut all = self.aggregations.clone();
        all.push(selector);
        all.join(",")
    }

    /// The aggregations alone, where the group's own number of events decides.
    pub(in crate::targets) fn plain(&self) -> String {
        self.aggregations.join(",")
    }

    fn path(&mut self, name: &str, path: &str) {
        self.paths.push(format!("{}:{}", json(name), json(path)));
    }
}

/// What is aggregated inside each group. `queries` are those of the members.
pub(in crate::targets) fn kept(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    queries: &[String],
) -> Option<Kept> {
    let mut kept = Kept { aggregations: Vec::new(), paths: Vec::new(), script: String::new(), least: None };
    kept.path("events", "_count");
    match &correlation.criterion {
        Criterion::Measure { measure, bounds } => measured(composer, correlation, &mut kept, *measure, bounds)?,
        Criterion::Temporal { ordered: false, wanted } => temporal(&mut kept, queries, wanted),
        Criterion::Temporal { ordered: true, wanted } => ordered(composer, correlation, &mut kept, queries, wanted)?,
    }
    let mut hits = format!("\"size\":{EVENTS},\"sort\":[{{{}:\"asc\"}}]", time_field(composer.settings()));
    let named: Vec<String> = groups::named(correlation).iter().map(|field| json(field.as_str())).collect();
    if !named.is_empty() {
        let _ = write!(hits, ",\"_source\":[{}]", named.join(","));
    }
    kept.aggregations.push(format!("\"events\":{{\"top_hits\":{{{hits}}}}}"));
    Some(kept)
}

/// Groups by what is measured of their events.
fn measured(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    kept: &mut Kept,
    measure: Measure,
    bounds: &[Bound<'_>],
) -> Option<()> {
    let place = correlation.kind_span;
    if measure == Measure::Events {
        kept.least = groups::least_count(bounds);
        kept.script = groups::within("params.events", bounds, " && ");
        return Some(());
    }
    kept.script = format!("params.events > 0 && {}", groups::within("params.value", bounds, " && "));
    let Some(values) = groups::common_values(correlation) else {
        composer.refuse(place, "the values are of another field for each rule, and a bucket has one");
        return None;
    };
    if measure == Measure::Distinct {
        return distinct(composer, correlation, kept, values, bounds);
    }
    composer.assume(Code::AssumeNumeric);
    let field = values.first()?;
    composer.field(field, place, &DSL)?;
    let field = json(field.as_str());
    let (call, path) = match measure {
        Measure::Average => (format!("\"avg\":{{\"field\":{field}}}"), "measured".to_owned()),
        Measure::Minimum => (format!("\"min\":{{\"field\":{field}}}"), "measured".to_owned()),
        Measure::Maximum => (format!("\"max\":{{\"field\":{field}}}"), "measured".to_owned()),
        Measure::Median | Measure::Percentile(_) => {
            let part = if let Measure::Percentile(part) = measure { part } else { 50.0 };
            composer.approximate(Code::EstimatedMeasure, place, groups::ESTIMATED_PERCENTILES);
            (format!("\"percentiles\":{{\"field\":{field},\"percents\":[{part:?}]}}"), format!("measured[{part:?}]"))
        }
        _ => (format!("\"sum\":{{\"field\":{field}}}"), "measured".to_owned()),
    };
    kept.aggregations.push(format!("\"measured\":{{{call}}}"));
    kept.aggregations.push(format!("\"values\":{{\"value_count\":{{\"field\":{field}}}}}"));
    kept.path("value", &path);
    kept.path("values", "values");
    kept.script = format!("params.values > 0 && {}", groups::within("params.value", bounds, " && "));
    Some(())
}

/// Groups by how many values a field has, or how many combinations of values several fields have.
fn distinct(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    kept: &mut Kept,
    values: &[Field<'_>],
    bounds: &[Bound<'_>],
) -> Option<()> {
    let place = correlation.kind_span;
    let mut fields = Vec::with_capacity(values.len());
    for field in values {
        fields.push(json(&aggregated(composer, field, place)?));
    }
    let most = bounds.iter().map(reach).max().unwrap_or(0);
    if let [field] = fields.as_slice() {
        let precision = most.saturating_mul(3).clamp(PRECISION.0, PRECISION.1);
        composer.approximate(Code::EstimatedMeasure, place, groups::ESTIMATED_VALUES);
        kept.aggregations.push(format!(
            "\"measured\":{{\"cardinality\":{{\"field\":{field},\"precision_threshold\":{precision}}}}}"
        ));
        kept.path("value", "measured");
        return Some(());
    }
    if most > MOST_COMBINATIONS {
        composer.refuse(place, "so many combinations of values are more buckets than a server makes");
        return None;
    }
    let terms: Vec<String> = fields.iter().map(|field| format!("{{\"field\":{field}}}")).collect();
    kept.aggregations.push(format!(
        "\"measured\":{{\"multi_terms\":{{\"terms\":[{}],\"size\":{}}}}}",
        terms.join(","),
        most.saturating_add(2)
    ));
    kept.path("value", "measured._bucket_count");
    Some(())
}

/// The largest count that is on this side of a bound.
fn reach(bound: &Bound<'_>) -> u64 {
    match bound.value.value {
        NumberValue::Integer(value) => u64::try_from(value.max(0)).unwrap_or(u64::MAX),
        NumberValue::Float(value) => value.max(0.0).ceil() as u64,
    }
}

/// Groups by which members have events.
fn temporal(kept: &mut Kept, queries: &[String], wanted: &Wanted<'_>) {
    members(kept, queries, "");
    let present: Vec<String> = (1..=queries.len()).map(|at| format!("params.rule_{at} > 0")).collect();
    let wanted = match wanted {
        Wanted::Rules(condition) => condition_text(condition, &present, &WORDS),
        Wanted::Count(bounds) => {
            let ones: Vec<String> = present.iter().map(|is| format!("({is} ? 1 : 0)")).collect();
            groups::within(&format!("({})", ones.join(" + ")), bounds, " && ")
        }
    };
    kept.script = format!("params.events > 0 && ({wanted})");
}

/// The buckets of the members, and variables for the number of events of each.
fn members(kept: &mut Kept, queries: &[String], inside: &str) {
    let buckets: Vec<String> = queries.iter().zip(1..).map(|(query, at)| format!("\"rule_{at}\":{query}")).collect();
    kept.aggregations.push(format!("\"rules\":{{\"filters\":{{\"filters\":{{{}}}}}{inside}}}", buckets.join(",")));
    for at in 1..=queries.len() {
        kept.path(&format!("rule_{at}"), &format!("rules['rule_{at}']>_count"));
    }
}

/// Groups by the first and last time of each member.
fn ordered(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    kept: &mut Kept,
    queries: &[String],
    wanted: &Wanted<'_>,
) -> Option<()> {
    let place = correlation.kind_span;
    let ways = ways_in_order(composer, place, wanted, queries.len())?;
    groups::approximate_chains(composer, place, &ways);
    let time = time_field(composer.settings());
    members(
        kept,
        queries,
        &format!(",\"aggs\":{{\"first\":{{\"min\":{{\"field\":{time}}}}},\"last\":{{\"max\":{{\"field\":{time}}}}}}}"),
    );
    for at in 1..=queries.len() {
        kept.path(&format!("first_{at}"), &format!("rules['rule_{at}']>first"));
        kept.path(&format!("last_{at}"), &format!("rules['rule_{at}']>last"));
    }
    let mut any = Vec::with_capacity(ways.len());
    for way in &ways {
        let mut terms: Vec<String> = way.chain.iter().map(|at| format!("params.rule_{} > 0", at + 1)).collect();
        for (at, first) in way.chain.iter().enumerate() {
            let later = way.chain.iter().skip(at + 1);
            terms.extend(later.map(|last| format!("params.first_{} <= params.last_{}", first + 1, last + 1)));
        }
        terms.extend(way.absent.iter().map(|at| format!("params.rule_{} == 0", at + 1)));
        any.push(terms.join(" && "));
    }
    let any = if any.len() == 1 { any.concat() } else { format!("({})", any.join(") || (")) };
    kept.script = format!("params.events > 0 && ({any})");
    Some(())
}
