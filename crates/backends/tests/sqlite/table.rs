//! Events as rows of a flat table in SQLite: one value a column, null is absent.

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, functions::FunctionFlags};
use serde_json::Value;

/// How the columns of a table are declared.
#[derive(Clone, Copy, PartialEq)]
pub enum Declared {
    /// Without a type: values stay as they are.
    Bare,
    /// As text, ignoring case: values become text.
    Text,
    /// As integers: text that spells a number becomes one.
    Integer,
}

/// A value as SQLite stores it; none for values that a flat table cannot hold.
pub fn cell(value: &Value) -> Option<Cell> {
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
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// The name of a column, quoted.
pub fn name(column: &str) -> String {
    format!("`{}`", column.replace('`', "``"))
}

/// A table of these events with the columns that are named, and one for the number of the event.
pub fn table(connection: &Connection, columns: &[String], events: &[Value], declared: Declared) {
    let kind = match declared {
        Declared::Bare => "",
        Declared::Text => " TEXT COLLATE NOCASE",
        Declared::Integer => " INTEGER",
    };
    let list: Vec<String> = columns.iter().map(|column| format!("{}{kind}", name(column))).collect();
    let create = format!("DROP TABLE IF EXISTS logs; CREATE TABLE logs (`#` INTEGER, {})", list.join(", "));
    connection.execute_batch(&create).expect("a table");
    let marks = vec!["?"; columns.len() + 1].join(", ");
    let mut insert = connection.prepare(&format!("INSERT INTO logs VALUES ({marks})")).expect("an insert");
    for (at, event) in events.iter().enumerate() {
        let mut row = vec![Cell::Integer(i64::try_from(at).expect("small"))];
        row.extend(columns.iter().map(|column| event.get(column).and_then(cell).unwrap_or(Cell::Null)));
        insert.execute(rusqlite::params_from_iter(row)).expect("a row");
    }
}

/// The numbers of the events that a query finds.
pub fn found(connection: &Connection, query: &str) -> Result<Vec<usize>, rusqlite::Error> {
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([], |row| row.get::<_, usize>(0))?;
    let mut found = rows.collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    Ok(found)
}

/// A database with the function `regexp`.
pub fn database() -> Connection {
    let connection = Connection::open_in_memory().expect("a database");
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection
        .create_scalar_function("regexp", 2, flags, |context| {
            let pattern: String = context.get(0)?;
            let text = match context.get_raw(1) {
                rusqlite::types::ValueRef::Null => return Ok(None),
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            };
            Ok(Some(regex::Regex::new(&pattern).expect("a regular expression").is_match(&text)))
        })
        .expect("a function");
    connection
}

/// The fields of the events, sorted.
pub fn columns_of(events: &[Value]) -> Vec<String> {
    let mut columns: Vec<String> =
        events.iter().filter_map(Value::as_object).flat_map(|map| map.keys().cloned()).collect();
    columns.sort();
    columns.dedup();
    columns
}
