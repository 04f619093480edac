//! SQLite, inside this program: a flat table in memory, with a function `regexp` as applications bring one.

use std::collections::BTreeMap;

use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use super::{Answer, Engine, Fault};
use crate::layout::{Asked, Setting, Type};

/// The column with the number of an event.
const NUMBER: &str = "#";

/// A database in memory.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    columns: Vec<String>,
}

impl Sqlite {
    /// Opens a database.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn start() -> Result<Self, Fault> {
        let connection = Connection::open_in_memory().map_err(|fault| Fault::new("opening a database", fault))?;
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        connection
            .create_scalar_function("regexp", 2, flags, |context| {
                let expression = context.get_or_create_aux(0, |pattern| -> Result<_, regex::Error> {
                    regex::Regex::new(pattern.as_str().unwrap_or_default())
                })?;
                Ok(match context.get_raw(1) {
                    ValueRef::Null => None,
                    ValueRef::Integer(number) => Some(expression.is_match(&number.to_string())),
                    ValueRef::Text(text) => Some(expression.is_match(&String::from_utf8_lossy(text))),
                    ValueRef::Real(_) | ValueRef::Blob(_) => Some(false),
                })
            })
            .map_err(|fault| Fault::new("making the function regexp", fault))?;
        Ok(Self { connection, columns: Vec::new() })
    }

    fn ask(&self, request: &str) -> Answer {
        let text = |fault: rusqlite::Error| fault.to_string();
        let mut statement = self.connection.prepare(request).map_err(text)?;
        let rows = statement.query_map([], |row| row.get::<_, usize>(NUMBER)).map_err(text)?;
        rows.collect::<Result<_, _>>().map_err(text)
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Null,
        Value::Bool(flag) => Cell::Integer(i64::from(*flag)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Cell::Integer(number),
            (None, Some(number)) if number.fract() != 0.0 => Cell::Real(number),
            _ => Cell::Text(number.to_string()),
        },
        Value::String(text) => Cell::Text(text.clone()),
    }
}

impl Engine for Sqlite {
    fn name(&self) -> String {
        format!("SQLite {}", rusqlite::version())
    }

    fn prepare(&mut self, fields: &BTreeMap<String, Asked>, setting: Setting) -> Result<(), Fault> {
        self.columns = fields.keys().filter(|name| !name.is_empty()).cloned().collect();
        let column = |name: &String| {
            let kind = match fields.get(name).map(|asked| setting.type_of(*asked)) {
                Some(Type::Integer | Type::Boolean) => "INTEGER",
                Some(Type::Decimal) => "NUMERIC",
                _ => "TEXT",
            };
            format!(", {} {kind}", quoted(name))
        };
        let columns: String = self.columns.iter().map(column).collect();
        let create = format!("DROP TABLE IF EXISTS logs; CREATE TABLE logs ({} INTEGER{columns})", quoted(NUMBER));
        self.connection.execute_batch(&create).map_err(|fault| Fault::new("making a table", fault))
    }

    fn load(&mut self, events: &[Value]) -> Result<(), Fault> {
        let marks = vec!["?"; self.columns.len() + 1].join(", ");
        let fault = |fault| Fault::new("loading events", fault);
        self.connection.execute_batch("BEGIN").map_err(fault)?;
        let mut insert = self.connection.prepare(&format!("INSERT INTO logs VALUES ({marks})")).map_err(fault)?;
        for (at, event) in events.iter().enumerate() {
            let number = std::iter::once(Cell::Integer(i64::try_from(at).unwrap_or(i64::MAX)));
            let cells = self.columns.iter().map(|name| event.get(name).map_or(Cell::Null, cell));
            insert.execute(params_from_iter(number.chain(cells))).map_err(fault)?;
        }
        self.connection.execute_batch("COMMIT").map_err(fault)
    }

    fn run(&mut self, requests: &[String]) -> Result<Vec<Answer>, Fault> {
        Ok(requests.iter().map(|request| self.ask(request)).collect())
    }
}
