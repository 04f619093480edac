//! The commands `stats`, `eventstats` and `streamstats`.
//!
//! From the Search Reference, "stats", "eventstats", "streamstats": `stats` gives a row for each group, with the fields of
//! the `BY` clause and the measures; `eventstats` adds the measures of its group to each row; `streamstats` those of the
//! rows so far, in the order in which they come: of all of them, of the last `window` ones, or of those of the last
//! `time_window`. `current=f` leaves out the row itself. With `global=f`, each group has a window of its own; else the
//! window is one over all rows, of which each group takes its own. A row that lacks a field of the clause is in no group.
//! A window of time holds rows that are younger than its span.

use std::collections::BTreeMap;

use super::event::Event;
use super::scan::{Scanner, is_word};
use super::statistics::{Given, Grouped};

/// The most rows that `streamstats` holds (`limits.conf`, `max_stream_window`).
const MOST_ROWS: usize = 10_000;

/// `stats`, or `eventstats`.
#[derive(Debug)]
pub(super) struct Stats {
    grouped: Grouped,
    /// Whether rows stay.
    keeps: bool,
}

/// `streamstats`.
#[derive(Debug)]
pub(super) struct Stream {
    grouped: Grouped,
    current: bool,
    global: bool,
    /// How many rows; 0 for all.
    window: usize,
    /// Seconds.
    time_window: Option<f64>,
}

impl Stats {
    pub(super) fn read(scanner: &mut Scanner<'_>, keeps: bool) -> Result<Self, String> {
        Ok(Self { grouped: Grouped::read(scanner)?, keeps })
    }

    pub(super) fn run(&self, mut rows: Vec<Event>) -> Result<Vec<Event>, String> {
        let mut groups: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            if let Some(key) = self.grouped.key(row)? {
                groups.entry(key).or_default().push(at);
            }
        }
        // Without a clause there is one row, also of nothing.
        if self.grouped.by.is_empty() {
            groups.entry(Vec::new()).or_default();
        }
        let mut made = Vec::new();
        for (key, members) in groups {
            let given =
                members.iter().map(|at| self.grouped.given(&rows[*at])).collect::<Result<Vec<Vec<Given>>, String>>()?;
            let mut row = Event::default();
            for (name, value) in self.grouped.by.iter().zip(key) {
                row.set(name, vec![value]);
            }
            for (number, measure) in self.grouped.measures.iter().enumerate() {
                let found = measure.of(given.iter().filter_map(|given| given.get(number)))?;
                if self.keeps {
                    members.iter().for_each(|at| rows[*at].set(&measure.name, found.clone()));
                } else {
                    row.set(&measure.name, found);
                }
            }
            made.push(row);
        }
        Ok(if self.keeps { rows } else { made })
    }
}

/// A row that has gone by.
struct Past {
    key: Vec<String>,
    time: Option<f64>,
    given: Vec<Given>,
}

impl Stream {
    pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        let (mut current, mut global, mut window, mut time_window) = (true, true, 0, None);
        loop {
            let mut ahead = scanner.clone();
            ahead.skip_blanks();
            let option = ahead.take_while(is_word);
            if !ahead.take("=") {
                break;
            }
            let value = ahead.take_while(is_word);
            match option {
                "current" => current = flag(value)?,
                "global" => global = flag(value)?,
                "window" => window = value.parse().map_err(|_| format!("no count: {value}"))?,
                "time_window" => time_window = Some(seconds(value)?),
                other => return Err(format!("the option {other} of streamstats is not known here")),
            }
            *scanner = ahead;
        }
        if time_window.is_some() && (window > 0 || !global) {
            return Err("window and time_window".to_owned());
        }
        Ok(Self { grouped: Grouped::read(scanner)?, current, global, window, time_window })
    }

    pub(super) fn run(&self, mut rows: Vec<Event>) -> Result<Vec<Event>, String> {
        if rows.len().max(self.window) > MOST_ROWS {
            return Err(format!("streamstats over more than {MOST_ROWS} rows"));
        }
        let mut past: Vec<Past> = Vec::with_capacity(rows.len());
        for row in &mut rows {
            let Some(key) = self.grouped.key(row)? else {
                return Err(
                    "streamstats BY a field that a row lacks, of which the documentation does not tell".to_owned()
                );
            };
            let time = row.one("_time")?.and_then(|time| time.parse().ok());
            let own = Past { key, time, given: self.grouped.given(row)? };
            if !self.current {
                let found = self.measured(&past, &own)?;
                self.grouped.measures.iter().zip(found).for_each(|(measure, found)| row.set(&measure.name, found));
                past.push(own);
                continue;
            }
            past.push(own);
            if let Some(own) = past.last() {
                let found = self.measured(&past, own)?;
                self.grouped.measures.iter().zip(found).for_each(|(measure, found)| row.set(&measure.name, found));
            }
        }
        Ok(rows)
    }

    /// The measures of the rows that a row sees.
    fn measured(&self, past: &[Past], own: &Past) -> Result<Vec<Vec<String>>, String> {
        let one_window = self.global && self.window > 0;
        let last = past.len().saturating_sub(if one_window { self.window } else { past.len() });
        let mut seen: Vec<&Past> = past[last..].iter().filter(|other| other.key == own.key).collect();
        if self.window > 0 && !one_window {
            seen.drain(..seen.len().saturating_sub(self.window));
        }
        if let Some(span) = self.time_window {
            let time = |row: &Past| row.time.ok_or("a window of time over a row without one".to_owned());
            let now = time(own)?;
            for pair in seen.windows(2) {
                if time(pair[0])? > time(pair[1])? {
                    return Err("a window of time over rows that are not in order of time".to_owned());
                }
            }
            seen.retain(|other| other.time.is_some_and(|time| now - time < span));
        }
        let measures = self.grouped.measures.iter().enumerate();
        measures.map(|(at, measure)| measure.of(seen.iter().filter_map(|row| row.given.get(at)))).collect()
    }
}

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text {
        "t" | "true" | "1" => Ok(true),
        "f" | "false" | "0" => Ok(false),
        _ => Err(format!("neither true nor false: {text}")),
    }
}

/// A span of time: a number and its unit.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" | "hr" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(format!("no span of time that is known here: {text}")),
    };
    digits.parse::<f64>().ok().filter(|count| *count > 0.0).map(|count| count * unit).ok_or(format!("no span: {text}"))
}
