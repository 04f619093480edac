//! PostgreSQL: Debian's server, with a cluster of its own in a temporary folder, reached by a socket in that folder.
//!
//! A function in the database runs each query and catches its fault, so that one line of `psql`'s output answers it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Answer, Engine, Fault};
use crate::layout::{Asked, Setting, Type};

/// The script that makes a cluster and runs the server.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/engines/postgres/serve");
/// The longest name of a column, in bytes; longer ones are cut, and no emitted query has one.
const LONGEST_NAME: usize = 63;

/// Runs a query and gives the numbers of its events, or what was wrong.
const ASK: &str = r##"CREATE FUNCTION ask(query text) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE found text;
BEGIN
  EXECUTE 'SELECT coalesce(string_agg("#"::text, '' ''), '''') FROM (' || query || E'\n) AS found' INTO found;
  RETURN 'found ' || found;
EXCEPTION WHEN OTHERS THEN
  RETURN 'fault ' || replace(SQLERRM, E'\n', ' ');
END $body$;
"##;

/// A server under way. It ends with this value.
#[derive(Debug)]
pub struct Postgres {
    server: Child,
    client: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    folder: PathBuf,
    version: String,
    columns: Vec<String>,
}

impl Postgres {
    /// Starts a server.
    ///
    /// # Errors
    /// There is none on this machine, or it does not start.
    pub fn start() -> Result<Self, Fault> {
        let folder = std::env::temp_dir().join(super::own_name("sigcast-postgres"));
        std::fs::create_dir_all(&folder).map_err(|fault| Fault::new("making a folder", fault))?;
        let log = std::fs::File::create(folder.join("log")).map_err(|fault| Fault::new("making a log", fault))?;
        let output = log.try_clone().map_err(|fault| Fault::new("making a log", fault))?;
        let mut server = Command::new(SCRIPT)
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(log)
            .spawn()
            .map_err(|fault| Fault::new("starting the server", fault))?;
        if let Err(fault) = wait_for(&mut server, &folder) {
            let _ = server.kill();
            let _ = server.wait();
            let _ = std::fs::remove_dir_all(&folder);
            return Err(fault);
        }
        let mut client = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-U", "postgres", "-d", "postgres", "-h"])
            .arg(folder.join("socket"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|fault| Fault::new("starting psql", fault))?;
        let (Some(input), Some(output)) = (client.stdin.take(), client.stdout.take()) else {
            return Err(Fault("psql has no pipes".to_owned()));
        };
        let output = BufReader::new(output);
        let mut engine =
            Self { server, client, input: Some(input), output, folder, version: String::new(), columns: Vec::new() };
        engine.send(ASK)?;
        engine.send("SHOW server_version;\n")?;
        engine.version = engine.line()?;
        Ok(engine)
    }

    fn send(&mut self, text: &str) -> Result<(), Fault> {
        let input = self.input.as_mut().ok_or_else(|| Fault("psql has ended".to_owned()))?;
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).map_err(|fault| Fault::new("asking psql", fault))
    }

    fn line(&mut self) -> Result<String, Fault> {
        let mut line = String::new();
        match self.output.read_line(&mut line) {
            Ok(0) => Err(Fault("psql has ended".to_owned())),
            Ok(_) => Ok(line.trim_end_matches('\n').to_owned()),
            Err(fault) => Err(Fault::new("reading from psql", fault)),
        }
    }
}

/// Waits until the server takes connections.
fn wait_for(server: &mut Child, folder: &std::path::Path) -> Result<(), Fault> {
    let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        if matches!(server.try_wait(), Ok(Some(_)) | Err(_)) {
            return Err(Fault(format!("no PostgreSQL server: {}", log().chars().take(400).collect::<String>())));
        }
        let ready = Command::new("pg_isready").arg("-q").arg("-h").arg(folder.join("socket")).status();
        if ready.is_ok_and(|status| status.success()) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(Fault("the server does not start".to_owned()))
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.client.wait();
        // The script ends the server when nothing can come in any more.
        drop(self.server.stdin.take());
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

impl Engine for Postgres {
    fn name(&self) -> String {
        format!("PostgreSQL {}", self.version)
    }

    fn prepare(&mut self, fields: &BTreeMap<String, Asked>, setting: Setting) -> Result<(), Fault> {
        self.columns = fields.keys().filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME).cloned().collect();
        let column = |name: &String| {
            let kind = match fields.get(name).map(|asked| setting.type_of(*asked)) {
                Some(Type::Integer) => "bigint",
                Some(Type::Decimal) => "numeric",
                Some(Type::Boolean) => "boolean",
                Some(Type::Time) => "timestamp",
                Some(Type::Address) => "inet",
                Some(Type::Keyword | Type::AddressText) | None => "text",
            };
            format!(", \"{}\" {kind}", name.replace('"', "\"\""))
        };
        let columns: String = self.columns.iter().map(column).collect();
        self.send(&format!("DROP TABLE IF EXISTS logs;\nCREATE TABLE logs (\"#\" bigint{columns});\n"))
    }

    fn load(&mut self, events: &[Value]) -> Result<(), Fault> {
        let row = |(at, event): (usize, &Value)| {
            let mut row = event.clone();
            if let Value::Object(fields) = &mut row {
                fields.retain(|name, _| name.len() <= LONGEST_NAME);
                fields.insert("#".to_owned(), Value::from(at));
            }
            row
        };
        for (part, events) in events.chunks(500).enumerate() {
            let rows: Value = events.iter().enumerate().map(|(at, event)| row((part * 500 + at, event))).collect();
            let rows = text(&rows.to_string());
            self.send(&format!("INSERT INTO logs SELECT * FROM json_populate_recordset(NULL::logs, {rows});\n"))?;
        }
        self.send("SELECT count(*) FROM logs;\n")?;
        let count = self.line()?;
        if count == events.len().to_string() {
            Ok(())
        } else {
            Err(Fault(format!("{} events gave {count} rows", events.len())))
        }
    }

    fn run(&mut self, requests: &[String]) -> Result<Vec<Answer>, Fault> {
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            self.send(&format!("SELECT ask({});\n", text(request)))?;
            let line = self.line()?;
            answers.push(match line.split_once(' ') {
                Some(("found", numbers)) => {
                    numbers.split_whitespace().map(|number| number.parse().map_err(|_| line.clone())).collect()
                }
                _ => Err(line.strip_prefix("fault ").unwrap_or(&line).to_owned()),
            });
        }
        Ok(answers)
    }
}
