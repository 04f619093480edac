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
//! - Rows without a time that the engine can read are in no window, and left out.
//! - What a window looks at is said by `CASE`: SQLite 3.40 passes over the `FILTER` of `MIN` and `MAX` in a frame that
//!   moves.
//!
//! Source: ISO/IEC 9075-2, "Window functions"; SQLite "Window Functions", PostgreSQL "Window Function
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

/// How many rules are told apart, with two columns or three for each: PostgreSQL has 1,600 columns at most and SQLite 2,000,
/// the table's own among them, and their parsers no more than 1,000 terms in a row.
const MOST_RULES: usize = 400;

/// How many steps a query has at most. SQLite 3.40 merges steps into one another: it takes 100 of an order in half a second,
/// and 200 not at all.
const MOST_STEPS: usize = 100;

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
    if rules.len() > MOST_RULES {
        let reason = format!("it has {} rules, and {MOST_RULES} can be told apart by columns", rules.len());
        composer.refuse(correlation.kind_span, &reason);
        return None;
    }
    let conditions: Option<Vec<String>> = rules.iter().map(|rule| composer.expression(rule, engine.dialect)).collect();
    let mut query = Query {
        composer,
        engine,
        out: String::new(),
        steps: 0,
        rules: 0,
        correlations: 0,
        keys: Vec::new(),
        split: Vec::new(),
    };
    query.events(&table, &(engine.millis)(&time), &conditions?);
    let fires = query.correlation(correlation, &Outer { any: false, minds_repeats: false })?;
    if query.steps > MOST_STEPS {
        let reason =
            format!("its query has {} steps, one on top of another, and {MOST_STEPS} are the most", query.steps);
        query.composer.refuse(correlation.kind_span, &reason);
        return None;
    }
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
    /// The numbers of those that have taken rows once for each member, in order. Such a row stands for no event beyond its
    /// correlation: there, each event is the row of no member.
    split: Vec<usize>,
}

/// What stands around a correlation.
struct Outer {
    /// Whether there is any other one.
    any: bool,
    /// Whether one of them may count an event again that comes in two rows.
    minds_repeats: bool,
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
            self.step(&format!("SELECT * FROM {}\n  WHERE \"sigma_time\" IS NOT NULL", self.last()));
            return;
        }
        let mut columns = vec![time];
        let flags: Vec<String> = (1..=conditions.len()).map(|at| format!("\"sigma_rule_{at}\"")).collect();
        columns.extend(
            flags.iter().zip(conditions).map(|(flag, is)| format!("CASE WHEN {is} THEN 1 ELSE 0 END AS {flag}")),
        );
        self.step(&format!("SELECT *,\n    {}\n  FROM {table}", columns.join(",\n    ")));
        let any: Vec<String> = flags.iter().map(|flag| format!("{flag} = 1")).collect();
        let any = any.join(" OR ");
        self.step(&format!("SELECT * FROM {}\n  WHERE \"sigma_time\" IS NOT NULL AND ({any})", self.last()));
    }

    /// Writes the steps of a correlation and of those inside it; what is true of a row at which it fires.
    fn correlation(&mut self, correlation: &Correlation<'_>, outer: &Outer) -> Option<String> {
        let mut flags = Vec::with_capacity(correlation.members.len());
        let mut inner = Vec::with_capacity(correlation.members.len());
        // For each member, how many of the splits its rows know already.
        let mut known = Vec::with_capacity(correlation.members.len());
        let around = Outer { any: true, minds_repeats: outer.minds_repeats || correlation.criterion.minds_repeats() };
        for member in &correlation.members {
            match &member.source {
                Source::Rule(_) => {
                    self.rules += 1;
                    flags.push(format!("\"sigma_rule_{}\" = 1", self.rules));
                    inner.push(0);
                    known.push(0);
                }
                Source::Correlation(other) => {
                    flags.push(self.correlation(other, &around)?);
                    inner.push(self.correlations);
                    known.push(self.split.len());
                }
            }
        }
        self.correlations += 1;
        let number = self.correlations;
        let flags = self.once(number, flags, &known);
        let flags = self.keyed(correlation, number, flags, &inner, outer)?;
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

    /// Has each event of a member be one row, where other correlations have taken it once for each of theirs; what is true
    /// of a member's row then. `known` is how many of these correlations each member has in it or minds already.
    fn once(&mut self, number: usize, flags: Vec<String>, known: &[usize]) -> Vec<String> {
        let mut columns = Vec::new();
        let mut once = Vec::with_capacity(flags.len());
        for ((flag, known), at) in flags.into_iter().zip(known).zip(1..) {
            let other = self.split.get(*known..).unwrap_or_default();
            let rows: String = other.iter().map(|split| format!(" AND \"sigma_member_{split}\" = 0")).collect();
            if rows.is_empty() {
                once.push(flag);
                continue;
            }
            let name = format!("\"sigma_event_{number}_{at}\"");
            columns.push(format!("CASE WHEN {flag}{rows} THEN 1 ELSE 0 END AS {name}"));
            once.push(format!("{name} = 1"));
        }
        self.add(&columns);
        once
    }

    /// Adds the keys of a correlation. Where they are of other fields for each member, a row is taken once a member, so
    /// that it may be in several groups, and in a correlation within another, once more as the event of no member.
    fn keyed(
        &mut self,
        correlation: &Correlation<'_>,
        number: usize,
        flags: Vec<String>,
        inner: &[usize],
        outer: &Outer,
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
        if correlation.criterion.minds_repeats() || outer.minds_repeats {
            let message = "the key of its groups is another field for each rule, so an event that several rules match \
                           counts for each of them";
            self.composer.approximate(Code::CountedPerRule, correlation.kind_span, message);
        }
        let last = self.last();
        let mut rows: Vec<String> = keys
            .iter()
            .zip(&flags)
            .zip(1..)
            .map(|((keys, flag), at): (_, usize)| {
                let keys = named(keys).join(", ");
                format!("SELECT *, {keys}, {at} AS \"sigma_member_{number}\" FROM {last} WHERE {flag}")
            })
            .collect();
        if outer.any {
            let none: Vec<String> =
                (1..=first.len()).map(|at| format!("CAST(NULL AS TEXT) AS \"sigma_key_{number}_{at}\"")).collect();
            rows.push(format!("SELECT *, {}, 0 AS \"sigma_member_{number}\" FROM {last}", none.join(", ")));
            self.split.push(number);
        }
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
        let measured = format!("\"sigma_measured_{number}\"");
        let windowed =
            |call: &str, what: &str| format!("{call}(CASE WHEN {members} THEN {what} END) OVER ({frame}) AS {column}");
        if measure == Measure::Events {
            self.add(&[windowed("COUNT", "1")]);
            return Some(within(&column, bounds));
        }
        let value = self.value(node, measure == Measure::Distinct)?;
        self.add(&[format!("{value} AS {measured}")]);
        let added = match measure {
            Measure::Events | Measure::Sum => windowed("SUM", &measured),
            Measure::Average => windowed("AVG", &measured),
            Measure::Minimum => windowed("MIN", &measured),
            Measure::Maximum => windowed("MAX", &measured),
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
            |(flag, at): (&String, usize)| format!("COUNT(CASE WHEN {flag} THEN 1 END) OVER ({frame}) AS {}", name(at));
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
                    "MAX(CASE WHEN {flag} THEN {start} END) OVER ({} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS {}",
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
