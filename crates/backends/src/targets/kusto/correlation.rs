//! Correlations in Kusto: one pipeline, in which a correlation fires at the times of a group's events.
//!
//! The events of the rules become one row for each group and time, since events of one time see each other. A window that
//! ends with each row is made of rows that enter at their time and leave when the window has passed them (`mv-expand`), in
//! running sums (`row_cumsum`) that start anew with each group; so it has the ends that the rule means, at the cost of a
//! sort. An order of rules is a chain of the latest starts, which `scan` carries from row to row.
//!
//! The rules share a pipeline where they ask the same table for the same keys; else there is a `union` of one for each
//! member, and a correlation as a member is a pipeline in it.
//!
//! Fixed windows (`window=tumbling`, and always for percentiles) are `summarize … by bin(…)`.
//!
//! Source: Microsoft Learn, "summarize operator", "mv-expand operator", "row_cumsum()", "prev()", "next()", "scan
//! operator", "union operator", "count_distinctif()", "percentile()", "make_set()".

mod rows;
#[cfg(test)]
mod tests;
mod windows;

use sigcast_diagnostics::Code;
use sigcast_ir::{Bound, Correlation, Criterion, Measure, NumberValue, Source, Wanted};

use super::literal;
use crate::correlate::Composer;
use crate::options::WindowMode;
use crate::targets::groups;
use crate::ways::{Words, condition_text, ways_in_order};
use rows::Rows;

/// How conditions over members are written.
const WORDS: Words = Words { and: " and ", or: " or ", not: "not", always_grouped: true };

/// How many values of a field are shown.
const SHOWN: usize = 100;

/// Writes the query of a correlation.
pub(super) fn compose(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    let mut query = Query { composer };
    let rows = query.correlation(correlation, true)?;
    Some(rows.pieces.join("\n| "))
}

/// A query as it is written.
struct Query<'q, 'c> {
    composer: &'q mut Composer<'c>,
}

impl Query<'_, '_> {
    /// The pipeline of a correlation: a row for each group and time at which it fires.
    fn correlation(&mut self, correlation: &Correlation<'_>, outermost: bool) -> Option<Rows> {
        let fixed = self.composer.settings().window == WindowMode::Tumbling;
        if fixed && !(outermost && correlation.members.iter().all(|member| matches!(member.source, Source::Rule(_)))) {
            self.composer.refuse(correlation.kind_span, groups::TUMBLING_INSIDE);
            return None;
        }
        let mut rows = self.rows(correlation)?;
        if fixed {
            self.fixed(&mut rows, correlation);
            return Some(rows);
        }
        match &correlation.criterion {
            Criterion::Measure { measure: Measure::Median | Measure::Percentile(_), .. } => {
                if !outermost {
                    let reason = "percentiles are taken of fixed windows, which are no events of another correlation";
                    self.composer.refuse(correlation.kind_span, reason);
                    return None;
                }
                self.fixed(&mut rows, correlation);
            }
            Criterion::Measure { measure, bounds } => self.measure(&mut rows, correlation, *measure, bounds),
            Criterion::Temporal { ordered: false, wanted } => self.temporal(&mut rows, correlation, wanted),
            Criterion::Temporal { ordered: true, wanted } => self.ordered(&mut rows, correlation, wanted)?,
        }
        Some(rows)
    }

    /// Numbers other than percentiles.
    fn measure(&mut self, rows: &mut Rows, correlation: &Correlation<'_>, measure: Measure, bounds: &[Bound<'_>]) {
        let seconds = correlation.timespan.seconds;
        match measure {
            Measure::Distinct => rows.distinct(seconds, &within("sigma_count", bounds)),
            Measure::Sum | Measure::Average => {
                let sum = ("sigma_sum", "coalesce(sum(sigma_number), 0.0)");
                let many = ("sigma_numbers", "countif(isnotnull(sigma_number))");
                rows.instants(&[named(sum), named(many)]);
                rows.slide(seconds, &["sigma_sum".to_owned(), "sigma_numbers".to_owned()]);
                let measured = if measure == Measure::Average {
                    rows.pipe("extend sigma_average = sigma_sum / sigma_numbers");
                    "sigma_average"
                } else {
                    "sigma_sum"
                };
                rows.pipe(format!("where sigma_numbers > 0 and {}", within(measured, bounds)));
            }
            Measure::Minimum | Measure::Maximum => {
                let (counts, fulfilled) = extremes(measure, bounds);
                rows.instants(&counts);
                let names: Vec<String> = counts.into_iter().map(|(name, _)| name).collect();
                rows.slide(seconds, &names);
                rows.pipe(format!("where {fulfilled}"));
            }
            Measure::Events | Measure::Median | Measure::Percentile(_) => {
                rows.instants(&[]);
                rows.pipe("extend sigma_count = sigma_events");
                rows.slide(seconds, &["sigma_count".to_owned()]);
                rows.pipe(format!("where {}", within("sigma_count", bounds)));
            }
        }
    }

    /// Members that have events in the window.
    fn temporal(&mut self, rows: &mut Rows, correlation: &Correlation<'_>, wanted: &Wanted<'_>) {
        let counts = rows.counts();
        rows.instants(&counts);
        let names: Vec<String> = counts.into_iter().map(|(name, _)| name).collect();
        rows.slide(correlation.timespan.seconds, &names);
        rows.pipe(format!("where {}", wanted_text(wanted, &names)));
    }

    /// Members that have events in order.
    fn ordered(&mut self, rows: &mut Rows, correlation: &Correlation<'_>, wanted: &Wanted<'_>) -> Option<()> {
        let counts = rows.counts();
        let ways = ways_in_order(self.composer, correlation.kind_span, wanted, counts.len())?;
        rows.instants(&counts);
        let names: Vec<String> = counts.into_iter().map(|(name, _)| name).collect();
        let chain = |way: usize, link: usize| match ways.len() {
            1 => format!("sigma_chain_{}", link + 1),
            _ => format!("sigma_chain_{}_{}", way + 1, link + 1),
        };
        let (mut declared, mut assigned) = (Vec::new(), Vec::new());
        for (at, way) in ways.iter().enumerate() {
            let mut start = rows.time.clone();
            for (link, member) in way.chain.iter().enumerate() {
                let name = chain(at, link);
                start = format!("iff({} > 0, {start}, {})", names[*member], rows.carried(&name));
                declared.push(format!("{name}: datetime"));
                assigned.push(format!("{name} = {start}"));
            }
        }
        rows.sort();
        rows.pipe(format!(
            "scan declare ({}) with (\n    step s: true =>\n        {};\n)",
            declared.join(", "),
            assigned.join(",\n        ")
        ));
        if ways.iter().any(|way| !way.absent.is_empty()) {
            rows.slide(correlation.timespan.seconds, &names);
        }
        let span = groups::span(correlation.timespan.seconds);
        let each: Vec<String> = ways
            .iter()
            .enumerate()
            .map(|(at, way)| {
                let mut terms: Vec<String> = Vec::new();
                if let Some(last) = way.chain.len().checked_sub(1) {
                    terms.push(format!("{} >= {} - {span}", chain(at, last), rows.time));
                }
                terms.extend(way.absent.iter().map(|member| format!("{} == 0", names[*member])));
                if terms.is_empty() { "true".to_owned() } else { terms.join(" and ") }
            })
            .collect();
        rows.pipe(match each.as_slice() {
            [only] => format!("where {only}"),
            each => format!("where ({})", each.join(") or (")),
        });
        Some(())
    }

    /// Windows that follow each other.
    fn fixed(&mut self, rows: &mut Rows, correlation: &Correlation<'_>) {
        let place = correlation.kind_span;
        self.composer.approximate(Code::FixedWindows, place, groups::TUMBLING);
        let (columns, fulfilled) = match &correlation.criterion {
            Criterion::Measure { measure, bounds } => {
                if matches!(measure, Measure::Median | Measure::Percentile(_)) {
                    let message = "Kusto estimates percentiles";
                    self.composer.approximate(Code::EstimatedMeasure, place, message);
                }
                let (name, call) = function(*measure);
                (vec![(name.to_owned(), call)], within(name, bounds))
            }
            Criterion::Temporal { ordered, wanted } => {
                if *ordered {
                    self.composer.approximate(Code::OrderLost, place, groups::UNORDERED);
                }
                let counts = rows.counts();
                let names: Vec<String> = counts.iter().map(|(name, _)| name.clone()).collect();
                let fulfilled = wanted_text(wanted, &names);
                (counts, fulfilled)
            }
        };
        rows.fixed(&groups::span(correlation.timespan.seconds), &columns);
        rows.pipe(format!("where {fulfilled}"));
    }
}

fn named((name, call): (&str, &str)) -> (String, String) {
    (name.to_owned(), call.to_owned())
}

/// What measures a fixed window, and the name of the column.
fn function(measure: Measure) -> (&'static str, String) {
    match measure {
        Measure::Events => ("sigma_count", "count()".to_owned()),
        Measure::Distinct => ("sigma_count", "count_distinctif(sigma_value, isnotempty(sigma_value))".to_owned()),
        // Without numbers the sum would be 0.
        Measure::Sum => {
            ("sigma_sum", "iff(countif(isnotnull(sigma_number)) > 0, sum(sigma_number), real(null))".to_owned())
        }
        Measure::Average => ("sigma_average", "avg(sigma_number)".to_owned()),
        Measure::Minimum => ("sigma_minimum", "min(sigma_number)".to_owned()),
        Measure::Maximum => ("sigma_maximum", "max(sigma_number)".to_owned()),
        Measure::Median => ("sigma_median", "percentile(sigma_number, 50)".to_owned()),
        Measure::Percentile(part) => ("sigma_percentile", format!("percentile(sigma_number, {part})")),
    }
}

/// What is true if the members that have events, by the columns of their numbers, are the wanted ones.
fn wanted_text(wanted: &Wanted<'_>, counts: &[String]) -> String {
    let present: Vec<String> = counts.iter().map(|name| format!("{name} > 0")).collect();
    match wanted {
        Wanted::Rules(condition) => {
            let text = condition_text(condition, &present, &WORDS);
            // A group around all of it says nothing.
            match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
                Some(inner) if !inner.contains(['(', ')']) => inner.to_owned(),
                _ => text,
            }
        }
        Wanted::Count(bounds) => {
            let ones: Vec<String> = present.iter().map(|is| format!("iff({is}, 1, 0)")).collect();
            within(&format!("({})", ones.join(" + ")), bounds)
        }
    }
}

/// How many numbers there are beyond each bound of a least or greatest one, and what is true of those numbers.
fn extremes(measure: Measure, bounds: &[Bound<'_>]) -> (Vec<(String, String)>, String) {
    use sigcast_ir::Order;
    let greatest = measure == Measure::Maximum;
    let mut counts = vec![named(("sigma_numbers", "countif(isnotnull(sigma_number))"))];
    let mut reached = |or_at: bool, bound: &Bound<'_>| {
        let sign = match (greatest, or_at) {
            (true, true) => ">=",
            (true, false) => ">",
            (false, true) => "<=",
            (false, false) => "<",
        };
        let name = format!("sigma_beyond_{}", counts.len());
        counts.push((name.clone(), format!("countif(sigma_number {sign} {})", number(bound))));
        name
    };
    let mut terms = vec!["sigma_numbers > 0".to_owned()];
    for bound in bounds {
        let said = match (bound.order, greatest) {
            (Order::Greater, true) | (Order::Less, false) => format!("{} > 0", reached(false, bound)),
            (Order::GreaterOrEqual, true) | (Order::LessOrEqual, false) => format!("{} > 0", reached(true, bound)),
            (Order::Less, true) | (Order::Greater, false) => format!("{} == 0", reached(true, bound)),
            (Order::LessOrEqual, true) | (Order::GreaterOrEqual, false) => format!("{} == 0", reached(false, bound)),
            (Order::Equal, _) => format!("{} > 0 and {} == 0", reached(true, bound), reached(false, bound)),
        };
        terms.push(if bound.negated { format!("not({said})") } else { said });
    }
    (counts, terms.join(" and "))
}

/// What is true of a number within bounds.
fn within(name: &str, bounds: &[Bound<'_>]) -> String {
    let bound = |bound: &Bound<'_>| {
        let sign = if bound.negated { "!=" } else { literal::sign(bound.order) };
        format!("{name} {sign} {}", number(bound))
    };
    bounds.iter().map(bound).collect::<Vec<_>>().join(" and ")
}

/// The number of a bound: a `long`, or a `real`.
fn number(bound: &Bound<'_>) -> String {
    match bound.value.value {
        NumberValue::Integer(value) if i64::try_from(value).is_ok_and(|value| value != i64::MIN) => value.to_string(),
        NumberValue::Integer(value) => format!("{:?}", value as f64),
        NumberValue::Float(value) => format!("{value:?}"),
    }
}
