//! The events of a correlation's members, as rows with their time, keys and values.
//!
//! Invariant: a row that lacks a key is not there.

use sigcast_diagnostics::Code;
use sigcast_ir::{Correlation, Criterion, Field, KeyField, Measure, Member, Rule, Source};

use super::{Query, SHOWN};
use crate::targets::groups;
use crate::targets::kusto::{KUSTO, literal};
use crate::write::Writer;

/// The time field, unless an option names another.
const TIME: &str = "TimeGenerated";

/// A pipeline with what its rows have.
#[derive(Debug)]
pub(super) struct Rows {
    /// Its operators, the table first unless there is none.
    pub(super) pieces: Vec<String>,
    /// The column of the time.
    pub(super) time: String,
    /// The columns of the keys.
    pub(super) keys: Vec<String>,
    /// What is true of the rows of each member.
    pub(super) flags: Vec<String>,
    /// How many events rows stand for.
    pub(super) events: &'static str,
    /// Columns of events to show, and what collects them.
    pub(super) context: Vec<(String, String)>,
}

/// Where a rule's events are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    table: Option<String>,
    time: String,
}

impl Rows {
    /// Adds an operator.
    pub(super) fn pipe(&mut self, operator: impl Into<String>) {
        self.pieces.push(operator.into());
    }

    /// For each member, a column and how many events it has.
    pub(super) fn counts(&self) -> Vec<(String, String)> {
        let count = |(flag, at): (&String, usize)| (format!("sigma_count_{at}"), format!("countif({flag})"));
        self.flags.iter().zip(1..).map(count).collect()
    }
}

impl Query<'_, '_> {
    /// The events of a correlation's members.
    pub(super) fn rows(&mut self, correlation: &Correlation<'_>) -> Option<Rows> {
        let members = &correlation.members;
        let mut places = Vec::new();
        for member in members {
            places.push(match &member.source {
                Source::Rule(rule) => Some(self.place(rule, correlation)?),
                Source::Correlation(_) => None,
            });
        }
        let [first, rest @ ..] = members.as_slice() else { return None };
        let alike = rest.iter().all(|member| member.keys == first.keys && member.values == first.values)
            && places.iter().all(|place| *place == places[0]);
        match (&first.source, places.first()) {
            (Source::Rule(_), Some(Some(place))) if alike => self.one_table(correlation, place),
            (Source::Correlation(inner), _) if rest.is_empty() => {
                let mut rows = self.correlation(inner, false)?;
                self.firings_as_events(&mut rows, first, 1)?;
                rows.finish_inner(first.keys.len());
                Some(rows)
            }
            _ => self.union(correlation, &places),
        }
    }

    /// Where a rule's events are. None if the column cannot be named, which is said.
    fn place(&mut self, rule: &Rule<'_>, correlation: &Correlation<'_>) -> Option<Place> {
        let settings = self.composer.settings_for(rule)?;
        let time = Field::new(settings.time_field.as_deref().unwrap_or(TIME).to_owned());
        let table = settings.table.clone();
        Some(Place { table, time: self.composer.field(&time, correlation.kind_span, &KUSTO)? })
    }

    fn table(&mut self, name: &str) -> String {
        let mut writer = Writer::new(&KUSTO, self.composer.settings());
        literal::table(&mut writer, name);
        writer.out
    }

    /// The events of rules that ask one table for the same keys and values.
    fn one_table(&mut self, correlation: &Correlation<'_>, place: &Place) -> Option<Rows> {
        let first = correlation.members.first()?;
        let rules: Vec<&Rule<'_>> = correlation.rules().collect();
        let mut pieces: Vec<String> = place.table.iter().map(|name| self.table(name)).collect();
        let mut flags = Vec::new();
        if let [rule] = rules.as_slice() {
            pieces.push(format!("where {}", self.composer.expression(rule, &KUSTO)?));
            flags.push("true".to_owned());
        } else if matches!(correlation.criterion, Criterion::Measure { .. }) {
            pieces.push(format!("where {}", self.composer.expression_of_any(&rules, &KUSTO)?));
            flags.push("true".to_owned());
        } else {
            let mut columns = Vec::new();
            for (rule, at) in rules.iter().zip(1..) {
                columns.push(format!("sigma_rule_{at} = {}", self.composer.expression(rule, &KUSTO)?));
                flags.push(format!("sigma_rule_{at}"));
            }
            pieces.push(format!("extend\n    {}", columns.join(",\n    ")));
            pieces.push(format!("where {}", flags.join(" or ")));
        }
        let mut keys = Vec::new();
        let mut present = Vec::new();
        let mut columns = Vec::new();
        for (key, at) in first.keys.iter().zip(1..) {
            let KeyField::Field(field) = key else { return None };
            let name = self.composer.field(field, first.span, &KUSTO)?;
            present.push(format!("isnotempty({name})"));
            // Only a plain column can be a key.
            if name.contains(['.', '(']) {
                columns.push(format!("sigma_key_{at} = tostring({name})"));
                keys.push(format!("sigma_key_{at}"));
            } else {
                keys.push(name);
            }
        }
        if !present.is_empty() {
            pieces.push(format!("where {}", present.join(" and ")));
        }
        columns.extend(self.value(correlation, first)?);
        if !columns.is_empty() {
            pieces.push(format!("extend {}", columns.join(", ")));
        }
        let mut context = Vec::new();
        for name in groups::all_shown_or_tested(correlation) {
            if (KUSTO.bad_field)(&name).is_none() && !name.contains('.') {
                let name = self.composer.field(&Field::new(name), correlation.span, &KUSTO)?;
                if !keys.contains(&name) && name != place.time && !name.contains('(') {
                    context.push((name.clone(), format!("make_set({name}, {SHOWN})")));
                }
            }
        }
        Some(Rows { pieces, time: place.time.clone(), keys, flags, events: "count()", context })
    }

    /// The events of members side by side.
    fn union(&mut self, correlation: &Correlation<'_>, places: &[Option<Place>]) -> Option<Rows> {
        if places.iter().flatten().any(|place| place.table.is_none()) || places.iter().all(Option::is_none) {
            let unnamed = correlation
                .rules()
                .any(|rule| self.composer.settings_for(rule).is_none_or(|settings| settings.table.is_none()));
            if unnamed {
                let reason = "its members are put together by a `union`, for which each rule needs a table (the option \
                              `table`, or a pipeline)";
                self.composer.refuse(correlation.kind_span, reason);
                return None;
            }
        }
        let mut branches = Vec::new();
        for ((member, place), at) in correlation.members.iter().zip(places).zip(1..) {
            let rows = match (&member.source, place) {
                (Source::Rule(rule), Some(place)) => self.branch(correlation, member, rule, place, at)?,
                (Source::Correlation(inner), _) => {
                    let mut rows = self.correlation(inner, false)?;
                    self.firings_as_events(&mut rows, member, at)?;
                    rows
                }
                _ => return None,
            };
            branches.push(format!("({})", rows.pieces.join("\n| ").replace('\n', "\n    ")));
        }
        let mut tables: Vec<&Option<String>> = places.iter().flatten().map(|place| &place.table).collect();
        let all = tables.len();
        tables.sort();
        tables.dedup();
        if correlation.criterion.minds_repeats() && (tables.len() < all || all < places.len()) {
            let message = "an event that several of the members have counts for each of them";
            self.composer.approximate(Code::CountedPerRule, correlation.kind_span, message);
        }
        let keys = (1..=correlation.keys.len()).map(|at| format!("sigma_key_{at}")).collect();
        let flags = (1..=branches.len()).map(|at| format!("sigma_member == {at}")).collect();
        Some(Rows {
            pieces: vec![format!("union\n    {}", branches.join(",\n    "))],
            time: "sigma_time".to_owned(),
            keys,
            flags,
            events: "sum(sigma_events)",
            context: vec![("sigma_context".to_owned(), format!("make_set(sigma_context, {SHOWN})"))],
        })
    }

    /// The events of one rule, with nothing but columns of the same names and types for each.
    fn branch(
        &mut self,
        correlation: &Correlation<'_>,
        member: &Member<'_>,
        rule: &Rule<'_>,
        place: &Place,
        at: usize,
    ) -> Option<Rows> {
        let mut pieces: Vec<String> = place.table.iter().map(|name| self.table(name)).collect();
        pieces.push(format!("where {}", self.composer.expression(rule, &KUSTO)?));
        let mut columns =
            vec![format!("sigma_time = {}", place.time), format!("sigma_member = {at}"), "sigma_events = 1".to_owned()];
        let mut present = Vec::new();
        for (key, at) in member.keys.iter().zip(1..) {
            let KeyField::Field(field) = key else { return None };
            let name = self.composer.field(field, member.span, &KUSTO)?;
            present.push(format!("isnotempty({name})"));
            columns.push(format!("sigma_key_{at} = tostring({name})"));
        }
        if !present.is_empty() {
            pieces.push(format!("where {}", present.join(" and ")));
        }
        columns.extend(self.value(correlation, member)?);
        let mut shown = Vec::new();
        let known = groups::shown_or_tested(rule);
        let own = correlation.meta.fields.iter().map(|field| field.as_str().to_owned());
        let more: Vec<String> = own.filter(|name| !known.contains(name)).collect();
        for (name, is_known) in known.iter().map(|name| (name, true)).chain(more.iter().map(|name| (name, false))) {
            if (KUSTO.bad_field)(name).is_none() {
                let column = self.composer.field(&Field::new(name.clone()), rule.span, &KUSTO)?;
                let name = literal::quoted(name);
                // A table need not have what the correlation shows of others.
                let column = if is_known || column.contains(['.', '(', '[']) {
                    column
                } else {
                    format!("column_ifexists({name}, \"\")")
                };
                shown.push(format!("{name}, {column}"));
            }
        }
        columns.push(format!("sigma_context = bag_pack({})", shown.join(", ")));
        pieces.push(format!("project {}", columns.join(", ")));
        Some(Rows {
            pieces,
            time: String::new(),
            keys: Vec::new(),
            flags: Vec::new(),
            events: "sum(sigma_events)",
            context: Vec::new(),
        })
    }

    /// Makes events of a correlation's firings.
    fn firings_as_events(&mut self, rows: &mut Rows, member: &Member<'_>, at: usize) -> Option<()> {
        let mut columns =
            vec![format!("sigma_time = {}", rows.time), format!("sigma_member = {at}"), "sigma_events".to_owned()];
        let lost = !member.values.is_empty();
        for (key, at) in member.keys.iter().zip(1..) {
            match key {
                KeyField::Inner(inner) if !lost => {
                    columns.push(format!("sigma_key_{at} = tostring({})", rows.keys.get(*inner)?));
                }
                _ => {
                    let reason =
                        "of a correlation only the keys are left, and other fields of its events are asked for";
                    self.composer.refuse(member.span, reason);
                    return None;
                }
            }
        }
        if lost {
            let reason = "of a correlation only the keys are left, and values of its events are asked for";
            self.composer.refuse(member.span, reason);
            return None;
        }
        let shown: Vec<String> =
            rows.context.iter().map(|(name, _)| format!("{}, {name}", literal::quoted(name))).collect();
        columns.push(format!("sigma_context = bag_pack({})", shown.join(", ")));
        rows.pipe(format!("project {}", columns.join(", ")));
        Some(())
    }

    /// The column of the value that is measured, if any.
    fn value(&mut self, correlation: &Correlation<'_>, member: &Member<'_>) -> Option<Option<String>> {
        let Criterion::Measure { measure, .. } = &correlation.criterion else { return Some(None) };
        let mut names = Vec::new();
        for field in &member.values {
            names.push(self.composer.field(field, member.span, &KUSTO)?);
        }
        Some(match (measure, names.as_slice()) {
            (Measure::Events, _) | (_, []) => None,
            (Measure::Distinct, [name]) => Some(format!("sigma_value = tostring({name})")),
            (Measure::Distinct, names) => {
                let all: Vec<String> = names.iter().map(|name| format!("isnotempty({name})")).collect();
                // With its length before it, each is told apart from the next.
                let texts: Vec<String> =
                    names.iter().map(|name| format!("strlen(tostring({name})), \":\", tostring({name})")).collect();
                Some(format!("sigma_value = iff({}, strcat({}), \"\")", all.join(" and "), texts.join(", ")))
            }
            (_, [name, ..]) => Some(format!("sigma_number = todouble({name})")),
        })
    }
}

impl Rows {
    /// What is left to say of rows that are the firings of the only member.
    fn finish_inner(&mut self, keys: usize) {
        self.time = "sigma_time".to_owned();
        self.keys = (1..=keys).map(|at| format!("sigma_key_{at}")).collect();
        self.flags = vec!["true".to_owned()];
        self.events = "sum(sigma_events)";
        self.context = vec![("sigma_context".to_owned(), format!("make_set(sigma_context, {SHOWN})"))];
    }
}
