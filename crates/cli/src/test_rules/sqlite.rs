//! The answers of SQLite: the query that the target `sqlite` emits, run over a table of the events.
//!
//! The table has the columns that the query asks for (those of all events, if it asks for keywords), each without a type,
//! and a row an event as the target's data model holds it. Regular expressions are those of the `regex` crate, as the
//! function `regexp` of the option `regexp=function`. For correlations it has the events' times too, as text.
//!
//! Invariant: an event that no row holds, or a rule that the target refuses, is not decided; it is never a "no". Of a
//! stream with such an event nothing is decided.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Error};
use serde_json::Value;
use sigcast_backends::options::{RegexpMode, Settings};
use sigcast_backends::{Backend, Conversion, Status, Target, find};
use sigcast_diagnostics::Code;
use sigcast_eval::{TimedEvent, iso8601, milliseconds, project};
use sigcast_ir::{Correlation, KeyField, Query, Rule, Source, Test, lower};

use crate::engine::is_error;

/// The column with the number of the event.
const NUMBER: &str = "sigcast event";

/// The column with the time of the event, where there are times.
const TIME: &str = "sigcast time";

/// What SQLite says of events.
#[derive(Debug)]
pub(super) struct Answers {
    /// For each event its answer, or why there is none.
    pub(super) events: Vec<Result<bool, String>>,
    /// The query, one a condition.
    pub(super) queries: Vec<String>,
    /// What the answers rest on.
    pub(super) assumptions: Vec<Code>,
    /// In what the query is only approximate.
    pub(super) approximate: Vec<Code>,
}

impl Answers {
    fn undecided(events: usize, why: &str) -> Self {
        Self {
            events: vec![Err(why.to_owned()); events],
            queries: Vec::new(),
            assumptions: Vec::new(),
            approximate: Vec::new(),
        }
    }
}

/// Runs the query of a rule over events.
pub(super) fn answers(rule: &Rule<'_>, events: &[&Value]) -> Answers {
    let Some(target) = find("sqlite") else { return Answers::undecided(events.len(), "there is no target sqlite") };
    let rows: Vec<Result<Value, String>> = events.iter().map(|event| row(target, event)).collect();
    let queries: Vec<Query<'_>> = lower::queries(rule).into_iter().map(|(query, _)| query).collect();
    let columns = match columns(&queries, BTreeSet::new(), &rows) {
        Ok(columns) => columns,
        Err(why) => return Answers::undecided(events.len(), &why),
    };
    let settings = Settings { regexp: RegexpMode::Function, keyword_columns: columns.clone(), ..Settings::default() };
    let mut rule = rule.clone();
    // The table is made here, whatever pipelines call it.
    rule.prepared.options.clear();
    answered(Backend::new(target, settings).convert(&rule), &Table { columns, rows, times: Vec::new() })
}

/// Runs the query of a correlation over a stream: for each event, whether it fires there.
pub(super) fn firings(correlation: &Correlation<'_>, stream: &[TimedEvent]) -> Answers {
    let undecided = |why: &str| Answers::undecided(stream.len(), why);
    let Some(target) = find("sqlite") else { return undecided("there is no target sqlite") };
    let rows: Vec<Result<Value, String>> = stream.iter().map(|one| row(target, &one.event)).collect();
    // Each event may be in the windows of the others.
    if let Some((at, why)) = rows.iter().enumerate().find_map(|(at, row)| Some((at, row.as_ref().err()?))) {
        return undecided(&format!("event {}: {why}", at + 1));
    }
    let times: Vec<String> = stream.iter().map(|one| iso8601(one.time)).collect();
    // Its functions of dates know the years from 0 to 9999.
    let held = |(one, text): (&TimedEvent, &String)| {
        text.starts_with(|c: char| c.is_ascii_digit()) && milliseconds(&Value::from(text.as_str())) == Some(one.time)
    };
    if let Some(at) = stream.iter().zip(&times).position(|one| !held(one)) {
        return undecided(&format!("event {}: its time is beyond those that SQLite knows", at + 1));
    }
    let queries: Vec<Query<'_>> = correlation.rules().flat_map(lower::queries).map(|(query, _)| query).collect();
    let mut names = BTreeSet::new();
    fields(correlation, &mut names);
    let columns = match columns(&queries, names, &rows) {
        Ok(columns) => columns,
        Err(why) => return undecided(&why),
    };
    let settings = Settings {
        regexp: RegexpMode::Function,
        keyword_columns: columns.clone(),
        time_field: Some(TIME.to_owned()),
        ..Settings::default()
    };
    let mut correlation = correlation.clone();
    unprepared(&mut correlation);
    answered(Backend::new(target, settings).correlate(&correlation), &Table { columns, rows, times })
}

/// The fields that a correlation asks of events beside its rules.
fn fields(correlation: &Correlation<'_>, names: &mut BTreeSet<String>) {
    for member in &correlation.members {
        names.extend(member.keys.iter().filter_map(|key| match key {
            KeyField::Field(field) => Some(field.as_str().to_owned()),
            KeyField::Inner(_) => None,
        }));
        names.extend(member.values.iter().map(|field| field.as_str().to_owned()));
        if let Source::Correlation(inner) = &member.source {
            fields(inner, names);
        }
    }
}

/// The table is made here, whatever pipelines call it for the rules of a correlation.
fn unprepared(correlation: &mut Correlation<'_>) {
    for member in &mut correlation.members {
        match &mut member.source {
            Source::Rule(rule) => rule.prepared.options.clear(),
            Source::Correlation(inner) => unprepared(inner),
        }
    }
}

/// What SQLite holds.
struct Table {
    columns: Vec<String>,
    /// For each event its row, or why it has none.
    rows: Vec<Result<Value, String>>,
    /// The times of the rows, if there are any.
    times: Vec<String>,
}

/// The answers of converted queries.
fn answered(conversion: Conversion, table: &Table) -> Answers {
    let undecided = |why: &str| Answers::undecided(table.rows.len(), why);
    if conversion.status == Status::Refused {
        let why = conversion.diagnostics.iter().find(|found| is_error(found));
        let why = why.map_or_else(String::new, |found| format!(": {} [{}]", found.message, found.code.as_str()));
        let what = if table.times.is_empty() { "rule" } else { "correlation" };
        return undecided(&format!("the target sqlite refuses the {what}{why}"));
    }
    let approximate = match conversion.status {
        Status::Approximate => conversion.diagnostics.iter().map(|found| found.code).collect(),
        _ => Vec::new(),
    };
    let events = |found: &BTreeSet<usize>| {
        let each = table.rows.iter().enumerate();
        each.map(|(at, row)| row.as_ref().map(|_| found.contains(&at)).map_err(Clone::clone)).collect()
    };
    match ask(table, &conversion.queries) {
        Ok(found) => Answers {
            events: events(&found),
            queries: conversion.queries,
            assumptions: conversion.assumptions,
            approximate,
        },
        Err(fault) => undecided(&format!("SQLite cannot run the query: {fault}")),
    }
}

/// The event as a row holds it.
fn row(target: &Target, event: &Value) -> Result<Value, String> {
    let held = project(&target.model, event).ok_or_else(|| {
        "a field of the event has several values, and a column has one (assume-single-values)".to_owned()
    })?;
    let unfit = held.as_object().into_iter().flatten().find(|(_, value)| cell(value).is_none());
    match unfit {
        Some((name, _)) => Err(format!("no column holds the value of {name}")),
        None => Ok(held),
    }
}

/// A value as SQLite stores it; none for what a column cannot hold.
fn cell(value: &Value) -> Option<Cell> {
    Some(match value {
        Value::Null => Cell::Null,
        Value::Bool(flag) => Cell::Integer(i64::from(*flag)),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cell::Integer(number),
            // More than 64 bits would be rounded on the way in: such a number is stored as text.
            None if number.is_u64() => Cell::Text(number.to_string()),
            None => Cell::Real(number.as_f64()?),
        },
        // Texts end at NUL there.
        Value::String(text) if text.contains('\0') => return None,
        Value::String(text) => Cell::Text(text.clone()),
        // An empty list is a field without a value.
        Value::Array(items) if items.is_empty() => Cell::Null,
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// The columns that the queries ask for, beside those that are named. Names ignore case there: two that differ in nothing
/// else cannot both be one.
fn columns(
    queries: &[Query<'_>],
    mut names: BTreeSet<String>,
    rows: &[Result<Value, String>],
) -> Result<Vec<String>, String> {
    let mut keywords = false;
    for query in queries {
        query.each_match(&mut |found| {
            match found.field() {
                Some(field) => drop(names.insert(field.as_str().to_owned())),
                None => keywords = true,
            }
            if let Test::SameAs { other, .. } = &found.test {
                names.insert(other.as_str().to_owned());
            }
        });
    }
    if keywords {
        names.extend(rows.iter().flatten().filter_map(Value::as_object).flat_map(|row| row.keys().cloned()));
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for name in &names {
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(format!("names of columns ignore case, and there are two of {name}"));
        }
    }
    Ok(names.into_iter().collect())
}

/// The numbers of the rows that some query finds.
fn ask(table: &Table, queries: &[String]) -> Result<BTreeSet<usize>, Error> {
    let connection = database()?;
    let first = if table.times.is_empty() { &[NUMBER][..] } else { &[NUMBER, TIME] };
    let names = first.iter().copied().chain(table.columns.iter().map(String::as_str));
    let names: Vec<String> = names.map(quoted).collect();
    connection.execute_batch(&format!("CREATE TABLE logs ({})", names.join(", ")))?;
    let marks = vec!["?"; names.len()].join(", ");
    let mut insert = connection.prepare(&format!("INSERT INTO logs VALUES ({marks})"))?;
    for (at, row) in table.rows.iter().enumerate() {
        let Ok(row) = row else { continue };
        let mut cells = vec![Cell::Integer(i64::try_from(at).unwrap_or(i64::MAX))];
        cells.extend(table.times.get(at).cloned().map(Cell::Text));
        cells.extend(table.columns.iter().map(|column| row.get(column).and_then(cell).unwrap_or(Cell::Null)));
        insert.execute(rusqlite::params_from_iter(cells))?;
    }
    let mut found = BTreeSet::new();
    for query in queries {
        let mut statement = connection.prepare(query)?;
        for number in statement.query_map([], |row| row.get::<_, i64>(NUMBER))? {
            found.extend(usize::try_from(number?));
        }
    }
    Ok(found)
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A database with the function `regexp`.
fn database() -> Result<Connection, Error> {
    let connection = Connection::open_in_memory()?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("regexp", 2, flags, |context| {
        let regex: Arc<regex::Regex> = context.get_or_create_aux(0, |pattern| {
            let pattern = pattern.as_str()?;
            regex::Regex::new(pattern).map_err(|fault| -> Box<dyn std::error::Error + Send + Sync> { Box::new(fault) })
        })?;
        Ok(match context.get_raw(1) {
            ValueRef::Null | ValueRef::Blob(_) => None,
            ValueRef::Text(text) => Some(regex.is_match(&String::from_utf8_lossy(text))),
            ValueRef::Integer(number) => Some(regex.is_match(&number.to_string())),
            ValueRef::Real(number) => Some(regex.is_match(&number.to_string())),
        })
    })?;
    Ok(connection)
}
