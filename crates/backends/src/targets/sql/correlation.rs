//! Correlations in SQL: window functions over the rows of all rules, by which a correlation fires at a row.
//!
//! The rows that a rule of the correlation matches get columns beside their own, whose names start with `sigma_`: the time in
//! milliseconds, a flag for each rule, and for each correlation the group's keys, what is measured, and a flag where it
//! fires. A correlation of correlations reads the flags of the inner ones, so rows stay rows, and all of their columns
//! come out at the end.
//!
//! - A window is `RANGE BETWEEN n PRECEDING AND CURRENT ROW` over the time, in which rows of one time see each other.
//! - Window functions count no distinct values and no percentiles in every engine: these are asked of a subquery for
//!   each row.
//! - An order of rules is a chain of running maxima: the latest start of a chain that has come so far. It fires if that
//!   start is in the window.
//! - Keys are compared as text, and as they are: letters of another case are other keys.
//!
//! Source: ISO/IEC 9075-2, "Window functions", "Filter clause"; SQLite "Window Functions", PostgreSQL "Window Function
//! Calls", DuckDB "Window Functions".

use std::fmt::Write as _;

use sigcast_diagnostics::Code;
use sigcast_ir::{Bound, Correlation, Criterion, Field, KeyField, Measure, Member, Rule, Source, Wanted};

use super::{TABLE, TIME};
use crate::correlate::Composer;
use crate::dialect::Dialect;
use crate::targets::groups;
use crate::ways::{Words, condition_text, ways_in_order};
use crate::write::Writer;

/// What an engine says in its own way.
#[derive(Debug)]
pub(in crate::targets) struct Engine {
    /// Its dialect.
    pub(in crate::targets) dialect: &'static Dialect,
    /// The time of a column in milliseconds since 1970, as an integer.
    pub(in crate::targets) millis: fn(&str) -> String,
}

/// How conditions over members are written.
const WORDS: Words = Words { and: " AND ", or: " OR ", not: "NOT ", always_grouped: true };

/// Writes the query of a correlation.
pub(in crate::targets) fn compose(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    engine: &Engine,
) -> Option<String> {
    composer.assume(Code::AssumeTimeField);
    let table = table(composer, correlation, engine)?;
    composer.has_one_time(correlation)?;
    let time = composer.settings().time_field.clone().unwrap_or_else(|| TIME.to_owned());
    let time = composer.field(&Field::new(time), correlation.kind_span, engine.dialect)?;
    let rules: Vec<&Rule<'_>> = correlation.rules().collect();
    let conditions: Option<Vec<String>> = rules.iter().map(|rule| composer.expression(rule, engine.dialect)).collect();
    let mut query =
        Query { composer, engine, out: String::new(), steps: 0, rules: 0, correlations: 0, keys: Vec::new() };
    query.events(&table, &(engine.millis)(&time), &conditions?);
    let fires = query.correlation(correlation, true)?;
    let last = query.last();
    let _ = write!(query.out, "\nSELECT * FROM {last} WHERE {fires} ORDER BY \"sigma_time\"");
    Some(query.out)
}

/// The one table of all rules.
fn table(composer: &mut Composer<'_>, correlation: &Correlation<'_>, engine: &Engine) -> Option<String> {
    let mut name: Option<String> = None;
    for rule in correlation.rules() {
        let settings = composer.settings_for(rule)?;
        let own = settings.table.clone().unwrap_or_else(|| TABLE.to_owned());
        if name.as_ref().is_some_and(|name| *name != own) {
            let place = correlation.kind_span;
            composer.refuse(place, "its rules are about different tables, whose columns differ");
            return None;
        }
        name = Some(own);
    }
    let mut writer = Writer::new(engine.dialect, composer.settings());
    super::table(&mut writer, name.as_deref().unwrap_or(TABLE));
    Some(writer.out)
}

/// A query as it is written, one common table expression after another.
struct Query<'q, 'c> {
    composer: &'q mut Composer<'c>,
    engine: &'q Engine,
    out: String,
    /// How many steps are written.
    steps: usize,
    /// How many rules have been met.
    rules: usize,
    /// How many correlations have been met.
    correlations: usize,
    /// What the keys of each of these are, in order.
    keys: Vec<Vec<String>>,
}

/// A correlation among the others of the query.
struct Node<'n, 'a> {
    correlation: &'n Correlation<'a>,
    /// Its number, by which its columns are named.
    number: usize,
    /// What is true of a row that is an event of each member.
    flags: Vec<String>,
    /// `PARTITION BY … ORDER BY …`, with nothing about a frame.
    window: String,
}

impl Query<'_, '_> {
    /// The name of the last step.
    fn last(&self) -> String {
        format!("\"sigma_step_{}\"", self.steps)
    }

    /// Writes a step: what is selected of the last one, with `FROM` put behind by `from` if it is none.
    fn step(&mut self, select: &str) {
        self.out.push_str(if self.steps == 0 { "WITH " } else { ",\n" });
        self.steps += 1;
        let _ = write!(self.out, "\"sigma_step_{}\" AS (\n  {select}\n)", self.steps);
    }

    /// Adds columns to the rows of the last step.
    fn add(&mut self, columns: &[String]) {
        if !columns.is_empty() {
            self.step(&format!("SELECT *,\n    {}\n  FROM {}", columns.join(",\n    "), self.last()));
        }
    }

    /// The rows that some rule matches, with their time and a flag for each rule.
    fn events(&mut self, table: &str, millis: &str, conditions: &[String]) {
        let time = format!("{millis} AS \"sigma_time\"");
        if let [only] = conditions {
            self.step(&format!("SELECT *,\n    {time},\n    1 AS \"sigma_rule_1\"\n  FROM {table}\n  WHERE {only}"));
            return;
        }
        let mut columns = vec![time];
        let flags: Vec<String> = (1..=conditions.len()).map(|at| format!("\"sigma_rule_{at}\"")).collect();
        columns.extend(
            flags.iter().zip(conditions).map(|(flag, is)| format!("CASE WHEN {is} THEN 1 ELSE 0 END AS {flag}")),
        );
        self.step(&format!("SELECT *,\n    {}\n  FROM {table}", columns.join(",\n    ")));
        let any: Vec<String> = flags.iter().map(|flag| format!("{flag} = 1")).collect();
        self.step(&format!("SELECT * FROM {}\n  WHERE {}", self.last(), any.join(" OR ")));
    }

    /// Writes the steps of a correlation and of those inside it; what is true of a row at which it fires.
    fn correlation(&mut self, correlation: &Correlation<'_>, outermost: bool) -> Option<String> {
        let mut flags = Vec::with_capacity(correlation.members.len());
        let mut inner = Vec::with_capacity(correlation.members.len());
        for member in &correlation.members {
            match &member.source {
                Source::Rule(_) => {
                    self.rules += 1;
                    flags.push(format!("\"sigma_rule_{}\" = 1", self.rules));
                    inner.push(0);
                }
                Source::Correlation(other) => {
                    flags.push(self.correlation(other, false)?);
                    inner.push(self.correlations);
                }
            }
        }
        self.correlations += 1;
        let number = self.correlations;
        let flags = self.keyed(correlation, number, flags, &inner, outermost)?;
        let keys: Vec<String> =
            (1..=correlation.keys.len()).map(|key| format!("\"sigma_key_{number}_{key}\"")).collect();
        let partition = if keys.is_empty() { String::new() } else { format!("PARTITION BY {} ", keys.join(", ")) };
        let node = Node { correlation, number, flags, window: format!("{partition}ORDER BY \"sigma_time\"") };
        let fulfilled = match &correlation.criterion {
            Criterion::Measure { measure, bounds } => self.measure(&node, *measure, bounds)?,
            Criterion::Temporal { ordered: false, wanted } => self.temporal(&node, wanted),
            Criterion::Temporal { ordered: true, wanted } => self.ordered(&node, wanted)?,
        };
        let mut all = vec![any(&node.flags)];
        all.extend(keys.iter().map(|key| format!("{key} IS NOT NULL")));
        all.push(fulfilled);
        self.add(&[format!("CASE WHEN {} THEN 1 ELSE 0 END AS \"sigma_fires_{number}\"", all.join(" AND "))]);
        Some(format!("\"sigma_fires_{number}\" = 1"))
    }

    /// Adds the keys of a correlation. Where they are of other fields for each member, a row is taken once a member, so
    /// that it may be in several groups.
    fn keyed(
        &mut self,
        correlation: &Correlation<'_>,
        number: usize,
        flags: Vec<String>,
        inner: &[usize],
        outermost: bool,
    ) -> Option<Vec<String>> {
        let mut keys: Vec<Vec<String>> = Vec::with_capacity(correlation.members.len());
        for (member, inner) in correlation.members.iter().zip(inner) {
            keys.push(self.keys_of(member, *inner)?);
        }
        let named = |keys: &[String]| -> Vec<String> {
            let name = |(key, at): (&String, usize)| format!("{key} AS \"sigma_key_{number}_{at}\"");
            keys.iter().zip(1..).map(name).collect()
        };
        let first = keys.first().cloned().unwrap_or_default();
        if keys.iter().all(|other| *other == first) {
            self.add(&named(&first));
            self.keys.push(first);
            return Some(flags);
        }
        self.keys.push((1..=first.len()).map(|at| format!("\"sigma_key_{number}_{at}\"")).collect());
        if correlation.criterion.minds_repeats() || !outermost {
            let message = "the key of its groups is another field for each rule, so an event that several rules match \
                           counts for each of them";
            self.composer.approximate(Code::CountedPerRule, correlation.kind_span, message);
        }
        let last = self.last();
        let rows: Vec<String> = keys
            .iter()
            .zip(&flags)
            .zip(1..)
            .map(|((keys, flag), at): (_, usize)| {
                let keys = named(keys).join(", ");
                format!("SELECT *, {keys}, {at} AS \"sigma_member_{number}\" FROM {last} WHERE {flag}")
            })
            .collect();
        self.step(&rows.join("\n  UNION ALL "));
        Some((1..=flags.len()).map(|at| format!("\"sigma_member_{number}\" = {at}")).collect())
    }

    /// The keys of a member's events, as text. `inner` is the number of the correlation that the member is.
    fn keys_of(&mut self, member: &Member<'_>, inner: usize) -> Option<Vec<String>> {
        let key = |key: &KeyField<'_>| match key {
            KeyField::Field(field) => {
                let name = self.composer.field(field, member.span, self.engine.dialect)?;
                Some(format!("CAST({name} AS TEXT)"))
            }
            KeyField::Inner(at) => self.keys.get(inner.checked_sub(1)?)?.get(*at).cloned(),
        };
        member.keys.iter().map(key).collect()
    }

    /// Adds what is measured; what is true of a row whose window lies in the bounds.
    fn measure(&mut self, node: &Node<'_, '_>, measure: Measure, bounds: &[Bound<'_>]) -> Option<String> {
        let (number, members) = (node.number, any(&node.flags));
        let column = format!("\"sigma_value_{number}\"");
        let frame = format!("{} {}", node.window, frame(node.correlation));
        let windowed = |call: &str| format!("{call} FILTER (WHERE {members}) OVER ({frame}) AS {column}");
        let measured = format!("\"sigma_measured_{number}\"");
        if measure == Measure::Events {
            self.add(&[windowed("COUNT(*)")]);
            return Some(within(&column, bounds));
        }
        let value = self.value(node, measure == Measure::Distinct)?;
        self.add(&[format!("{value} AS {measured}")]);
        let added = match measure {
            Measure::Events | Measure::Sum => windowed(&format!("SUM({measured})")),
            Measure::Average => windowed(&format!("AVG({measured})")),
            Measure::Minimum => windowed(&format!("MIN({measured})")),
            Measure::Maximum => windowed(&format!("MAX({measured})")),
            Measure::Distinct => {
                let from = self.others(node, &format!("COUNT(DISTINCT \"others\".{measured})"));
                format!("({from}) AS {column}")
            }
            Measure::Median => format!("({}) AS {column}", self.percentile(node, &measured, 50.0)),
            Measure::Percentile(part) => format!("({}) AS {column}", self.percentile(node, &measured, part)),
        };
        let last = self.last();
        self.step(&format!("SELECT *,\n    {added}\n  FROM {last} AS \"each\""));
        Some(within(&column, bounds))
    }

    /// The value that a row has: that of the first member which it is an event of.
    fn value(&mut self, node: &Node<'_, '_>, distinct: bool) -> Option<String> {
        let mut values = Vec::with_capacity(node.correlation.members.len());
        for member in &node.correlation.members {
            let names: Option<Vec<String>> = member
                .values
                .iter()
                .map(|field| self.composer.field(field, member.span, self.engine.dialect))
                .collect();
            values.push(match names?.as_slice() {
                [name] if distinct => format!("CAST({name} AS TEXT)"),
                [name] => name.clone(),
                // With its length before it, each is told apart from the next.
                names => names
                    .iter()
                    .map(|name| format!("LENGTH(CAST({name} AS TEXT)) || ':' || CAST({name} AS TEXT)"))
                    .collect::<Vec<_>>()
                    .join(" || "),
            });
        }
        if !distinct {
            self.composer.assume(Code::AssumeNumeric);
        }
        let first = values.first().cloned().unwrap_or_default();
        if values.iter().all(|other| *other == first) {
            return Some(first);
        }
        let cases: Vec<String> =
            node.flags.iter().zip(&values).map(|(flag, value)| format!("WHEN {flag} THEN {value}")).collect();
        self.composer.approximate(Code::CountedPerRule, node.correlation.kind_span, groups::FIRST_VALUE);
        Some(format!("CASE {} END", cases.join(" ")))
    }

    /// `SELECT … FROM` the rows of the window that ends with each row.
    fn others(&self, node: &Node<'_, '_>, select: &str) -> String {
        let last = self.last();
        let mut terms: Vec<String> = Vec::new();
        let qualified: Vec<String> = node.flags.iter().map(|flag| format!("\"others\".{flag}")).collect();
        terms.push(any(&qualified));
        for key in 1..=node.correlation.keys.len() {
            let name = format!("\"sigma_key_{}_{key}\"", node.number);
            terms.push(format!("\"others\".{name} = \"each\".{name}"));
        }
        let millis = millis(node.correlation);
        terms.push(format!(
            "\"others\".\"sigma_time\" BETWEEN \"each\".\"sigma_time\" - {millis} AND \"each\".\"sigma_time\""
        ));
        format!("SELECT {select} FROM {last} AS \"others\" WHERE {}", terms.join(" AND "))
    }

    /// The percentile of each row's window: a mean of the two values about its place, weighted by their distance from it.
    fn percentile(&self, node: &Node<'_, '_>, measured: &str, part: f64) -> String {
        let ranks = self.others(
            node,
            &format!(
                "\"others\".{measured} AS \"sigma_one\", ROW_NUMBER() OVER (ORDER BY \"others\".{measured}) - 1 - \
                 (COUNT(*) OVER () - 1) * {part:?} / 100 AS \"sigma_off\""
            ),
        );
        format!(
            "SELECT SUM(\"sigma_one\" * (1 - ABS(\"sigma_off\"))) FROM ({ranks} AND \"others\".{measured} IS NOT NULL) \
             AS \"sigma_ranks\" WHERE ABS(\"sigma_off\") < 1"
        )
    }

    /// Adds how many events of each member are in the window; what is true if those are the wanted ones.
    fn temporal(&mut self, node: &Node<'_, '_>, wanted: &Wanted<'_>) -> String {
        let present = self.present(node);
        match wanted {
            Wanted::Rules(condition) => condition_text(condition, &present, &WORDS),
            Wanted::Count(bounds) => {
                let ones: Vec<String> = present.iter().map(|is| format!("CASE WHEN {is} THEN 1 ELSE 0 END")).collect();
                within(&format!("({})", ones.join(" + ")), bounds)
            }
        }
    }

    fn present(&mut self, node: &Node<'_, '_>) -> Vec<String> {
        let frame = format!("{} {}", node.window, frame(node.correlation));
        let name = |at: usize| format!("\"sigma_count_{}_{at}\"", node.number);
        let count =
            |(flag, at): (&String, usize)| format!("COUNT(*) FILTER (WHERE {flag}) OVER ({frame}) AS {}", name(at));
        let columns: Vec<String> = node.flags.iter().zip(1..).map(count).collect();
        self.add(&columns);
        (1..=node.flags.len()).map(|at| format!("{} > 0", name(at))).collect()
    }

    /// Adds the latest start of each chain of members in order; what is true if one of them started in the window.
    fn ordered(&mut self, node: &Node<'_, '_>, wanted: &Wanted<'_>) -> Option<String> {
        let ways = ways_in_order(self.composer, node.correlation.kind_span, wanted, node.flags.len())?;
        let absent = if ways.iter().any(|way| !way.absent.is_empty()) { self.present(node) } else { Vec::new() };
        let number = node.number;
        let name = |way: usize, link: usize| format!("\"sigma_chain_{number}_{}_{}\"", way + 1, link + 1);
        let longest = ways.iter().map(|way| way.chain.len()).max().unwrap_or(0);
        let mut terms: Vec<Vec<String>> = vec![Vec::new(); ways.len()];
        for link in 0..longest {
            let mut columns = Vec::new();
            for (at, way) in ways.iter().enumerate() {
                let Some(flag) = way.chain.get(link).and_then(|member| node.flags.get(*member)) else { continue };
                let start = if link == 0 { "\"sigma_time\"".to_owned() } else { name(at, link - 1) };
                columns.push(format!(
                    "MAX({start}) FILTER (WHERE {flag}) OVER ({} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS {}",
                    node.window,
                    name(at, link)
                ));
                if link + 1 == way.chain.len() {
                    terms[at].push(format!("{} >= \"sigma_time\" - {}", name(at, link), millis(node.correlation)));
                }
            }
            self.add(&columns);
        }
        for (way, terms) in ways.iter().zip(&mut terms) {
            terms.extend(way.absent.iter().filter_map(|member| absent.get(*member)).map(|is| format!("NOT {is}")));
            if terms.is_empty() {
                terms.push("1 = 1".to_owned());
            }
        }
        let ways: Vec<String> = terms.iter().map(|terms| terms.join(" AND ")).collect();
        Some(format!("({})", ways.join(" OR ")))
    }
}

/// Any of these, in a group if there are several.
fn any(terms: &[String]) -> String {
    if terms.len() == 1 { terms.concat() } else { format!("({})", terms.join(" OR ")) }
}

/// What is true of a number within bounds.
fn within(number: &str, bounds: &[Bound<'_>]) -> String {
    let bound = |bound: &Bound<'_>| {
        let sign = if bound.negated { "<>" } else { bound.order.sign() };
        format!("{number} {sign} {}", bound.value.text)
    };
    bounds.iter().map(bound).collect::<Vec<_>>().join(" AND ")
}

fn frame(correlation: &Correlation<'_>) -> String {
    format!("RANGE BETWEEN {} PRECEDING AND CURRENT ROW", millis(correlation))
}

fn millis(correlation: &Correlation<'_>) -> u64 {
    correlation.timespan.seconds.saturating_mul(1000)
}
