//! `sigcast list`: what the program knows, as tables for people and as JSON for programs.
//!
//! Invariant: nothing is told here that is not in the tables of the crates.

use std::io::IsTerminal;

use serde_json::{Map, Value};
use sigcast_backends::options::{OPTIONS, OptionSpec};
use sigcast_backends::{TARGETS, Target};
use sigcast_diagnostics::{Code, SourceMap};
use sigcast_pipeline::{Nowhere, Pipeline};

use crate::args::{ListShape, ListWhat};
use crate::exit::{Exit, Fault};
use crate::output::to_stdout;
use crate::plan;

/// A table: the names of its columns, and its rows.
struct Table {
    columns: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

enum Cell {
    Text(String),
    Words(Vec<&'static str>),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Cell {
    fn text(&self) -> String {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Words(words) => words.join(", "),
        };
        if text.is_empty() { "-".to_owned() } else { text }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Words(words) => words.as_slice().into(),
        }
    }
}

/// Runs `sigcast list`.
pub(crate) fn list(what: &ListWhat) -> Result<Exit, Fault> {
    let (table, shape) = match what {
        ListWhat::Targets { shape } => (targets(), shape),
        ListWhat::Formats { of, shape } => (formats(&asked(&of.target)?), shape),
        ListWhat::Options { of, shape } => (options(&of.target)?, shape),
        ListWhat::Codes { shape } => (codes(), shape),
        ListWhat::Pipelines { shape } => (pipelines()?, shape),
        ListWhat::Vocabulary { shape } => (vocabulary(), shape),
        ListWhat::Modifiers { shape } => (modifiers(), shape),
    };
    to_stdout(table.shown(*shape).as_bytes())
}

/// The targets that are asked for: all, if none is named.
fn asked(words: &[String]) -> Result<Vec<&'static Target>, Fault> {
    if words.is_empty() { Ok(TARGETS.to_vec()) } else { plan::targets(words) }
}

fn targets() -> Table {
    let row =
        |target: &&'static Target| vec![target.name.into(), Cell::Words(target.aliases.to_vec()), target.title.into()];
    Table { columns: &["name", "aliases", "title"], rows: TARGETS.iter().map(row).collect() }
}

fn pipelines() -> Result<Table, Fault> {
    let mut rows = Vec::new();
    for found in sigcast_pipeline::builtins() {
        let mut sources = SourceMap::new();
        let id = sources.add(found.name, found.text);
        let pipeline = Pipeline::compile(&sources, id, &Nowhere)
            .map_err(|_| Fault::usage(format!("the built-in pipeline {} is wrong", found.name)))?;
        rows.push(vec![
            found.name.into(),
            Cell::Text(pipeline.allowed_backends().join(", ")),
            Cell::Text(pipeline.priority().to_string()),
            Cell::Text(pipeline.name().to_owned()),
        ]);
    }
    Ok(Table { columns: &["name", "backends", "priority", "title"], rows })
}

fn vocabulary() -> Table {
    let row = |word: sigcast_pipeline::Word| vec![word.kind.into(), word.name.into(), word.summary.into()];
    Table { columns: &["kind", "name", "summary"], rows: sigcast_pipeline::vocabulary().into_iter().map(row).collect() }
}

fn formats(targets: &[&'static Target]) -> Table {
    let formats = targets.iter().flat_map(|target| target.formats.iter().map(move |format| (target, format)));
    let row = |(target, format): (&&'static Target, &sigcast_backends::Format)| {
        let aliases = Cell::Words(format.aliases.to_vec());
        vec![target.name.into(), format.name.into(), aliases, format.extension.into(), format.title.into()]
    };
    Table { columns: &["target", "format", "aliases", "extension", "title"], rows: formats.map(row).collect() }
}

/// The options of some targets, or of all with the targets that know them.
fn options(words: &[String]) -> Result<Table, Fault> {
    let targets = asked(words)?;
    let knowing = |option: &OptionSpec| -> Vec<&'static str> {
        let knows = |target: &Target| {
            target.options.contains(&option.key) && (option.key != "style" || !target.styles.is_empty())
        };
        targets.iter().filter(|target| knows(target)).map(|target| target.name).collect()
    };
    let mut rows = Vec::new();
    for option in OPTIONS {
        let names = knowing(option);
        if names.is_empty() {
            continue;
        }
        let values = if option.key == "style" { styles(&targets) } else { option.values.to_owned() };
        let mut row = vec![option.key.into(), Cell::Text(values), option.default.into(), option.help.into()];
        if targets.len() > 1 {
            row.push(Cell::Words(names));
        }
        rows.push(row);
    }
    let columns: &[&str] = &["key", "values", "default", "help", "targets"];
    Ok(Table { columns: if targets.len() > 1 { columns } else { &columns[..4] }, rows })
}

/// The styles that one of the targets has: each has its own.
fn styles(targets: &[&'static Target]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in targets.iter().filter(|target| target.options.contains(&"style")).flat_map(|target| target.styles)
    {
        if !names.contains(name) {
            names.push(name);
        }
    }
    names.join("|")
}

fn codes() -> Table {
    let row = |code: &Code| vec![code.as_str().into(), code.class().as_str().into(), code.meaning().into()];
    Table { columns: &["code", "class", "meaning"], rows: Code::ALL.iter().map(row).collect() }
}

fn modifiers() -> Table {
    let row = |modifier: &sigcast_frontend::Modifier| {
        vec![modifier.name.into(), Cell::Words(modifier.aliases.to_vec()), modifier.summary.into()]
    };
    Table { columns: &["name", "aliases", "meaning"], rows: sigcast_frontend::modifiers().iter().map(row).collect() }
}

impl Table {
    fn shown(&self, shape: ListShape) -> String {
        if shape.json { self.json() } else { self.text(std::io::stdout().is_terminal()) }
    }

    fn json(&self) -> String {
        let object = |row: &Vec<Cell>| -> Value {
            let pairs = self.columns.iter().zip(row);
            Value::Object(pairs.map(|(key, cell)| ((*key).to_owned(), cell.json())).collect::<Map<_, _>>())
        };
        let all = Value::Array(self.rows.iter().map(object).collect());
        format!("{all:#}\n")
    }

    /// Columns side by side; `titled`: with their names above.
    fn text(&self, titled: bool) -> String {
        let mut lines: Vec<Vec<String>> = Vec::with_capacity(self.rows.len() + 1);
        if titled {
            lines.push(self.columns.iter().map(|name| name.to_uppercase()).collect());
        }
        lines.extend(self.rows.iter().map(|row| row.iter().map(Cell::text).collect()));
        let width = |column: usize| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut out = String::new();
        for line in &lines {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}", width = *width));
            out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            out.push('\n');
        }
        out
    }
}
