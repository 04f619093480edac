//! Correlations in ES|QL: `STATS … BY` the keys and windows that follow each other.
//!
//! Source: Elasticsearch reference, "ES|QL commands" (`STATS`, `EVAL`, `MV_EXPAND`), "ES|QL aggregation functions",
//! "`BUCKET`", "`CASE`", "`MV_APPEND`":
//! - the language has no windows that slide: events are counted in those of `BUCKET`: `fixed-windows`;
//! - an event with several values of a key is in the group of each; one that lacks a key is left out before;
//! - `COUNT_DISTINCT` estimates; groups by the values, which are counted then, are exact;
//! - `MEDIAN` and `PERCENTILE` estimate. Other functions are null for no values, and a comparison with null is not true;
//! - that an event of one rule comes before one of another is seen by their first and last times. Of three rules or more,
//!   it is asked of each two of them, which is less than a chain: `order-lost`.
//!
//! What comes out is one row a group and window: its keys, the window's start, the first and the last time, what was
//! measured, and the values of the fields that the rules show or test.

use std::fmt::Write as _;

use sigcast_diagnostics::{Code, Span};
use sigcast_ir::{Bound, Correlation, Criterion, Field, Measure, Rule, Wanted};

use super::{ESQL, literal};
use crate::correlate::Composer;
use crate::targets::groups;
use crate::ways::{Words, condition_text, ways_in_order};
use crate::write::Writer;

/// How conditions over members are written.
const WORDS: Words = Words { and: " AND ", or: " OR ", not: "NOT ", always_grouped: false };

/// Writes the query of a correlation.
pub(super) fn compose(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    let members = groups::members(composer, correlation)?;
    let rules: Vec<&Rule<'_>> = members.iter().map(|(_, rule)| *rule).collect();
    let conditions: Option<Vec<String>> = rules.iter().map(|rule| composer.expression(rule, &ESQL)).collect();
    let time = composer.settings().time_field.clone().unwrap_or_else(|| "@timestamp".to_owned());
    let time = composer.field(&Field::new(time), correlation.kind_span, &ESQL)?;
    composer.approximate(Code::FixedWindows, correlation.timespan.span, groups::FIXED_WINDOWS);
    composer.assume(Code::AssumeMappedFields);
    let out = sources(composer, &rules)?;
    let mut query = Query { composer, correlation, conditions: conditions?, time, out };
    query.filter();
    let keys = query.keys()?;
    match &correlation.criterion {
        Criterion::Measure { measure, bounds } => query.measure(&keys, *measure, bounds)?,
        Criterion::Temporal { ordered: false, wanted } => query.temporal(&keys, wanted)?,
        Criterion::Temporal { ordered: true, wanted } => query.ordered(&keys, wanted)?,
    }
    Some(query.closed())
}

/// The indices of all rules, and `FROM` before them.
fn sources(composer: &mut Composer<'_>, rules: &[&Rule<'_>]) -> Option<String> {
    let indices = groups::indices(composer, rules)?;
    let mut writer = Writer::new(&ESQL, composer.settings());
    writer.put("FROM ");
    for (at, name) in indices.iter().enumerate() {
        writer.put(if at > 0 { ", " } else { "" });
        literal::index(&mut writer, name);
    }
    Some(writer.out)
}

/// A query as it is written, one command after another.
struct Query<'q, 'c, 'a> {
    composer: &'q mut Composer<'c>,
    correlation: &'q Correlation<'a>,
    /// What is true of an event of each member.
    conditions: Vec<String>,
    /// The time field.
    time: String,
    out: String,
}

/// The keys: how each is written, and its name if that is another.
type Keys = Vec<(String, Option<String>)>;

impl Query<'_, '_, '_> {
    fn command(&mut self, text: &str) {
        let _ = write!(self.out, "\n| {text}");
    }

    /// Columns that are added, if there are any.
    fn eval(&mut self, columns: &[String]) {
        if !columns.is_empty() {
            self.command(&format!("EVAL {}", columns.join(",\n    ")));
        }
    }

    /// Adds what the target ends its queries with.
    fn closed(self) -> String {
        let mut writer = Writer::new(&ESQL, self.composer.settings());
        writer.put(&self.out);
        (self.composer.target().close)(&mut writer);
        writer.out
    }

    fn name(&mut self, field: &Field<'_>, place: Span) -> Option<String> {
        self.composer.field(field, place, &ESQL)
    }

    /// The events of all rules.
    fn filter(&mut self) {
        let any = match self.conditions.as_slice() {
            [only] => only.clone(),
            several => format!("({})", several.join(") OR (")),
        };
        self.command(&format!("WHERE {any}"));
    }

    /// The keys of groups. Where they are of other fields for each member, an event becomes a row for each member that it
    /// is one of.
    fn keys(&mut self) -> Option<Keys> {
        let correlation = self.correlation;
        let place = |at: usize| correlation.keys.get(at).map_or(correlation.kind_span, |key| key.span);
        let mut keys = Keys::new();
        if let Some(common) = groups::common_keys(correlation) {
            for (at, field) in common.into_iter().enumerate() {
                keys.push((self.name(field, place(at))?, None));
            }
        } else {
            keys = self.own_keys()?;
        }
        let present: Vec<String> = keys.iter().map(|(key, _)| format!("{key} IS NOT NULL")).collect();
        if !present.is_empty() {
            self.command(&format!("WHERE {}", present.join(" AND ")));
        }
        Some(keys)
    }

    fn own_keys(&mut self) -> Option<Keys> {
        let correlation = self.correlation;
        let counted = matches!(
            correlation.criterion,
            Criterion::Measure {
                measure: Measure::Events | Measure::Sum | Measure::Average | Measure::Median | Measure::Percentile(_),
                ..
            }
        );
        if counted {
            let message = "the key of its groups is another field for each rule, so an event that several rules match \
                           counts for each of them";
            self.composer.approximate(Code::CountedPerRule, correlation.kind_span, message);
        }
        // Null among the values would make the whole of them null.
        let mut numbers = String::new();
        for (condition, at) in self.conditions.iter().zip(1..) {
            let own = format!("CASE({condition}, {at}, 0)");
            numbers = if numbers.is_empty() { own } else { format!("MV_APPEND({numbers}, {own})") };
        }
        self.eval(&[format!("sigma_member = {numbers}")]);
        self.command("MV_EXPAND sigma_member");
        self.command("WHERE sigma_member > 0");
        self.conditions = (1..=self.conditions.len()).map(|at| format!("sigma_member == {at}")).collect();
        let mut keys = Keys::new();
        let mut columns = Vec::new();
        for (at, key) in correlation.keys.iter().enumerate() {
            let mut cases = Vec::new();
            for (number, member) in correlation.members.iter().enumerate() {
                let field = *groups::keys(member)?.get(at)?;
                let name = self.name(field, key.span)?;
                cases.push(format!("{}, TO_STRING({name})", self.conditions.get(number)?));
            }
            let column = format!("sigma_key_{}", at + 1);
            columns.push(format!("{column} = CASE({})", cases.join(", ")));
            keys.push((column, Some(self.name(&Field::new(key.name.clone().into_owned()), key.span)?)));
        }
        self.eval(&columns);
        Some(keys)
    }

    /// `STATS`, with what is shown of each group; `more` are columns that groups are told apart by beside the keys.
    fn stats(&mut self, columns: &[String], keys: &Keys, more: &[String]) -> Option<()> {
        let time = self.time.clone();
        let mut all = columns.to_vec();
        all.push(format!("sigma_first = MIN({time})"));
        all.push(format!("sigma_last = MAX({time})"));
        all.extend(self.shown()?);
        let (count, unit) = groups::span_parts(self.correlation.timespan.seconds, false);
        let unit = match unit {
            'h' => "hours",
            'm' => "minutes",
            _ => "seconds",
        };
        let mut by = vec![format!("sigma_window = BUCKET({time}, {count} {unit})")];
        by.extend(keys.iter().map(|(key, name)| match name {
            Some(name) => format!("{name} = {key}"),
            None => key.clone(),
        }));
        by.extend_from_slice(more);
        self.command(&format!("STATS {}\n    BY {}", all.join(",\n    "), by.join(", ")));
        Some(())
    }

    /// The fields whose values are shown of each group.
    fn shown(&mut self) -> Option<Vec<String>> {
        let mut columns = Vec::new();
        for field in groups::shown(self.correlation) {
            let name = self.name(&field, self.correlation.kind_span)?;
            if name != self.time {
                columns.push(format!("{name} = VALUES({name})"));
            }
        }
        Some(columns)
    }

    /// Groups by what is measured of their events.
    fn measure(&mut self, keys: &Keys, measure: Measure, bounds: &[Bound<'_>]) -> Option<()> {
        let wanted = groups::within("sigma_value", bounds, " AND ");
        if measure == Measure::Events {
            self.stats(&["sigma_value = COUNT(*)".to_owned()], keys, &[])?;
            self.command(&format!("WHERE {wanted}"));
            return Some(());
        }
        let values = self.values(measure)?;
        if measure == Measure::Distinct {
            self.distinct(keys, &values)?;
        } else {
            self.composer.assume(Code::AssumeNumeric);
            let value = values.first().cloned().unwrap_or_default();
            let call = match measure {
                Measure::Average => format!("AVG({value})"),
                Measure::Minimum => format!("MIN({value})"),
                Measure::Maximum => format!("MAX({value})"),
                Measure::Median => format!("MEDIAN({value})"),
                Measure::Percentile(part) => format!("PERCENTILE({value}, {part:?})"),
                _ => format!("SUM({value})"),
            };
            if matches!(measure, Measure::Median | Measure::Percentile(_)) {
                let place = self.correlation.kind_span;
                self.composer.approximate(Code::EstimatedMeasure, place, groups::ESTIMATED_PERCENTILES);
            }
            self.stats(&[format!("sigma_value = {call}")], keys, &[])?;
        }
        self.command(&format!("WHERE {wanted}"));
        Some(())
    }

    /// The names of the values that are measured.
    fn values(&mut self, measure: Measure) -> Option<Vec<String>> {
        let correlation = self.correlation;
        if let Some(common) = groups::common_values(correlation) {
            return common.iter().map(|field| self.name(field, correlation.kind_span)).collect();
        }
        self.composer.approximate(Code::CountedPerRule, correlation.kind_span, groups::FIRST_VALUE);
        let count = correlation.members.iter().map(|member| member.values.len()).max().unwrap_or(0);
        let mut columns = Vec::new();
        for at in 0..count {
            let mut cases = Vec::new();
            for (member, number) in correlation.members.iter().zip(0..) {
                let field = member.values.get(at)?;
                let name = self.name(field, member.span)?;
                let name = if measure == Measure::Distinct { format!("TO_STRING({name})") } else { name };
                let condition: &String = self.conditions.get::<usize>(number)?;
                cases.push(format!("{condition}, {name}"));
            }
            columns.push(format!("sigma_value_{} = CASE({})", at + 1, cases.join(", ")));
        }
        self.eval(&columns);
        Some((1..=count).map(|at| format!("sigma_value_{at}")).collect())
    }

    /// Groups by the values too, which then are counted.
    fn distinct(&mut self, keys: &Keys, values: &[String]) -> Option<()> {
        let measured: Vec<String> = (1..=values.len()).map(|at| format!("sigma_measured_{at}")).collect();
        let columns: Vec<String> = measured.iter().zip(values).map(|(to, from)| format!("{to} = {from}")).collect();
        self.eval(&columns);
        self.stats(&[], keys, &measured)?;
        let count = match measured.as_slice() {
            [only] => format!("COUNT({only})"),
            several => {
                let present: Vec<String> = several.iter().map(|name| format!("{name} IS NOT NULL")).collect();
                format!("SUM(CASE({}, 1, 0))", present.join(" AND "))
            }
        };
        let mut all = vec![
            format!("sigma_value = {count}"),
            "sigma_first = MIN(sigma_first)".to_owned(),
            "sigma_last = MAX(sigma_last)".to_owned(),
        ];
        all.extend(self.shown()?);
        let mut by = vec!["sigma_window".to_owned()];
        by.extend(keys.iter().map(|(key, name)| name.clone().unwrap_or_else(|| key.clone())));
        self.command(&format!("STATS {}\n    BY {}", all.join(",\n    "), by.join(", ")));
        Some(())
    }

    /// Groups by which members have events.
    fn temporal(&mut self, keys: &Keys, wanted: &Wanted<'_>) -> Option<()> {
        let flags: Vec<String> = (1..=self.conditions.len()).map(|at| format!("sigma_rule_{at}")).collect();
        let columns: Vec<String> =
            flags.iter().zip(&self.conditions).map(|(flag, is)| format!("{flag} = CASE({is}, 1, 0)")).collect();
        self.eval(&columns);
        let sums: Vec<String> = flags.iter().map(|flag| format!("{flag} = SUM({flag})")).collect();
        self.stats(&sums, keys, &[])?;
        let present: Vec<String> = flags.iter().map(|flag| format!("{flag} > 0")).collect();
        let wanted = match wanted {
            Wanted::Rules(condition) => condition_text(condition, &present, &WORDS),
            Wanted::Count(bounds) => {
                let ones: Vec<String> = present.iter().map(|is| format!("CASE({is}, 1, 0)")).collect();
                groups::within(&format!("({})", ones.join(" + ")), bounds, " AND ")
            }
        };
        self.command(&format!("WHERE {wanted}"));
        Some(())
    }

    /// Groups by the first and last times of each member.
    fn ordered(&mut self, keys: &Keys, wanted: &Wanted<'_>) -> Option<()> {
        let place = self.correlation.kind_span;
        let ways = ways_in_order(self.composer, place, wanted, self.conditions.len())?;
        groups::approximate_chains(self.composer, place, &ways);
        let time = self.time.clone();
        let columns: Vec<String> = self
            .conditions
            .iter()
            .zip(1..)
            .map(|(is, at): (&String, usize)| format!("sigma_time_{at} = CASE({is}, {time})"))
            .collect();
        self.eval(&columns);
        let times: Vec<String> = (1..=columns.len())
            .flat_map(|at| {
                [format!("sigma_first_{at} = MIN(sigma_time_{at})"), format!("sigma_last_{at} = MAX(sigma_time_{at})")]
            })
            .collect();
        self.stats(&times, keys, &[])?;
        let ways: Vec<String> = ways
            .iter()
            .map(|way| {
                let pairs = way.chain.iter().enumerate().flat_map(|(at, first)| {
                    let later = way.chain.iter().skip(at + 1);
                    later.map(move |last| format!("sigma_first_{} <= sigma_last_{}", first + 1, last + 1))
                });
                let mut terms: Vec<String> = pairs.collect();
                if let [only] = way.chain.as_slice() {
                    terms.push(format!("sigma_first_{} IS NOT NULL", only + 1));
                }
                terms.extend(way.absent.iter().map(|member| format!("sigma_first_{} IS NULL", member + 1)));
                terms.join(" AND ")
            })
            .collect();
        let any = if ways.len() == 1 { ways.concat() } else { format!("({})", ways.join(") OR (")) };
        self.command(&format!("WHERE {any}"));
        Some(())
    }
}
