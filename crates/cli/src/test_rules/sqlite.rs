//! The answers of SQLite: the query that the target `sqlite` emits, run over a table of the events.
//!
//! The table has the columns that the query asks for (those of all events, if it asks for keywords), each without a type,
//! and a row an event as the target's data model holds it. Regular expressions are those of the `regex` crate, as the
//! function `regexp` of the option `regexp=function`.
//!
//! Invariant: an event that no row holds, or a rule that the target refuses, is not decided; it is never a "no".

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Error};
use serde_json::Value;
use sigcast_backends::options::{RegexpMode, Settings};
use sigcast_backends::{Backend, Status, Target, find};
use sigcast_diagnostics::Code;
use sigcast_eval::project;
use sigcast_ir::{Query, Rule, Test, lower};

use crate::engine::is_error;

/// The column with the number of the event.
const NUMBER: &str = "sigcast event";

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
    fn undecided(events: &[&Value], why: &str) -> Self {
        let events = events.iter().map(|_| Err(why.to_owned())).collect();
        Self { events, queries: Vec::new(), assumptions: Vec::new(), approximate: Vec::new() }
    }
}

/// Runs the query of a rule over events.
pub(super) fn answers(rule: &Rule<'_>, events: &[&Value]) -> Answers {
    let Some(target) = find("sqlite") else { return Answers::undecided(events, "there is no target sqlite") };
    let rows: Vec<Result<Value, String>> = events.iter().map(|event| row(target, event)).collect();
    let queries: Vec<Query<'_>> = lower::queries(rule).into_iter().map(|(query, _)| query).collect();
    let columns = match columns(&queries, &rows) {
        Ok(columns) => columns,
        Err(why) => return Answers::undecided(events, &why),
    };
    let settings = Settings { regexp: RegexpMode::Function, keyword_columns: columns.clone(), ..Settings::default() };
    let mut rule = rule.clone();
    // The table is made here, whatever pipelines call it.
    rule.prepared.options.clear();
    let conversion = Backend::new(target, settings).convert(&rule);
    if conversion.status == Status::Refused {
        let why = conversion.diagnostics.iter().find(|found| is_error(found));
        let why = why.map_or_else(String::new, |found| format!(": {} [{}]", found.message, found.code.as_str()));
        return Answers::undecided(events, &format!("the target sqlite refuses the rule{why}"));
    }
    let approximate = match conversion.status {
        Status::Approximate => conversion.diagnostics.iter().map(|found| found.code).collect(),
        _ => Vec::new(),
    };
    let found = ask(&columns, &rows, &conversion.queries);
    let answered = |found: &BTreeSet<usize>| {
        let each = rows.iter().enumerate();
        each.map(|(at, row)| row.as_ref().map(|_| found.contains(&at)).map_err(Clone::clone)).collect()
    };
    match found {
        Ok(found) => Answers {
            events: answered(&found),
            queries: conversion.queries,
            assumptions: conversion.assumptions,
            approximate,
        },
        Err(fault) => Answers::undecided(events, &format!("SQLite cannot run the query: {fault}")),
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

/// The columns that the queries ask for. Names ignore case there: two that differ in nothing else cannot both be one.
fn columns(queries: &[Query<'_>], rows: &[Result<Value, String>]) -> Result<Vec<String>, String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
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
fn ask(columns: &[String], rows: &[Result<Value, String>], queries: &[String]) -> Result<BTreeSet<usize>, Error> {
    let connection = database()?;
    let names: Vec<String> = std::iter::once(NUMBER).chain(columns.iter().map(String::as_str)).map(quoted).collect();
    connection.execute_batch(&format!("CREATE TABLE logs ({})", names.join(", ")))?;
    let marks = vec!["?"; names.len()].join(", ");
    let mut insert = connection.prepare(&format!("INSERT INTO logs VALUES ({marks})"))?;
    for (at, row) in rows.iter().enumerate() {
        let Ok(row) = row else { continue };
        let mut cells = vec![Cell::Integer(i64::try_from(at).unwrap_or(i64::MAX))];
        cells.extend(columns.iter().map(|column| row.get(column).and_then(cell).unwrap_or(Cell::Null)));
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
