//! Commands that order, multiply or drop rows: `sort`, `reverse`, `mvexpand`, `dedup`.
//!
//! From the Search Reference: `sort 0` has no limit; it compares numbers if both values are, else texts; a row that lacks
//! the field comes last where the order ascends, and as the least where it descends. What becomes of rows that compare
//! equal is not told: [`Ties`] says how they are taken. `mvexpand` gives a row for each value of a field, with all other
//! fields. `dedup` keeps the first row for each combination of values, and with `keepempty` those that lack one of them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::event::Event;
use super::scan::Scanner;
use super::stats::flag;
use super::value::Item;

/// How rows are taken of which the order is not told: those that compare equal in a `sort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// As they come.
    Kept,
    /// The other way round.
    Reversed,
}

/// A command of this kind.
#[derive(Debug)]
pub(super) enum Rows {
    /// Fields, and whether they descend.
    Sort(Vec<(String, bool)>),
    Reverse,
    Expand(String),
    /// Fields, and whether rows without one of them stay.
    First(Vec<String>, bool),
}

impl Rows {
    pub(super) fn sort(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        scanner.skip_blanks();
        if scanner.take_while(|c| c.is_ascii_digit()) != "0" {
            return Err("a sort that drops rows beyond a number".to_owned());
        }
        let mut fields = Vec::new();
        loop {
            scanner.skip_blanks();
            scanner.take(",");
            scanner.skip_blanks();
            if scanner.rest().is_empty() {
                break;
            }
            let descends = scanner.take("-");
            let _ = descends || scanner.take("+");
            fields.push((scanner.name()?, descends));
        }
        if fields.is_empty() { Err("a sort by nothing".to_owned()) } else { Ok(Self::Sort(fields)) }
    }

    pub(super) fn dedup(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        let mut ahead = scanner.clone();
        let mut keeps = false;
        if ahead.word("keepempty") && ahead.take("=") {
            keeps = flag(ahead.take_while(|c| c.is_ascii_alphanumeric()))?;
            *scanner = ahead;
        }
        Ok(Self::First(scanner.names()?, keeps))
    }

    pub(super) fn run(&self, mut rows: Vec<Event>, ties: Ties) -> Result<Vec<Event>, String> {
        match self {
            Self::Sort(fields) => sort(rows, fields, ties),
            Self::Reverse => {
                rows.reverse();
                Ok(rows)
            }
            Self::Expand(field) => expand(&rows, field),
            Self::First(fields, keeps) => first(rows, fields, *keeps),
        }
    }
}

fn sort(mut rows: Vec<Event>, fields: &[(String, bool)], ties: Ties) -> Result<Vec<Event>, String> {
    if ties == Ties::Reversed {
        rows.reverse();
    }
    let mut keyed = Vec::with_capacity(rows.len());
    for row in rows {
        let key = fields.iter().map(|(name, _)| Ok(row.one(name)?.map(|value| Item::Field(value.to_owned()))));
        keyed.push((key.collect::<Result<Vec<Option<Item>>, String>>()?, row));
    }
    let compare = |one: &Option<Item>, other: &Option<Item>, descends: bool| {
        let found = match (one, other) {
            (Some(one), Some(other)) => one.compare(other).unwrap_or(Ordering::Equal),
            // The greatest where it ascends; the least, which comes last too, where it descends.
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Greater,
            (Some(_), None) => return Ordering::Less,
        };
        if descends { found.reverse() } else { found }
    };
    keyed.sort_by(|(one, _), (other, _)| {
        let pairs = one.iter().zip(other).zip(fields);
        pairs.map(|((one, other), (_, descends))| compare(one, other, *descends)).fold(Ordering::Equal, Ordering::then)
    });
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}

fn expand(rows: &[Event], field: &str) -> Result<Vec<Event>, String> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let values: Vec<String> = row.values(field).iter().map(|value| value.plain.clone()).collect();
        if values.is_empty() {
            return Err(format!("mvexpand of a row without {field}, of which the documentation does not tell"));
        }
        for value in values {
            let mut row = row.clone();
            row.set(field, vec![value]);
            all.push(row);
        }
    }
    Ok(all)
}

fn first(rows: Vec<Event>, fields: &[String], keeps: bool) -> Result<Vec<Event>, String> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for row in rows {
        let key: Result<Option<Vec<String>>, String> =
            fields.iter().map(|name| Ok(row.one(name)?.map(str::to_owned))).collect();
        let keep = match key? {
            Some(key) => seen.insert(key),
            None => keeps,
        };
        if keep {
            kept.push(row);
        }
    }
    Ok(kept)
}
