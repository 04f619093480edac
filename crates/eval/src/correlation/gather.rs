//! The members' events in their groups.
//!
//! Invariant: a row (an event) is in a group once, with all members that have it there, and is measured there once for each
//! different list of value fields; the entries of a group are in order of time, then of rows.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use sigcast_ir::KeyField;

use crate::decimal::Decimal;
use crate::error::{EvalError, EvalFault};
use crate::field::{self, Found};
use crate::matcher::text;

/// How many groups, or combinations of values, one event may give.
const MOST: usize = 10_000;

/// What is taken of the value fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taking {
    Nothing,
    /// Each combination of the fields' texts.
    Texts,
    /// Each number.
    Numbers,
}

/// The rows of a member.
#[derive(Debug)]
pub(super) struct Rows<'m> {
    keys: &'m [KeyField<'static>],
    fields: &'m [String],
    taking: Taking,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    number: usize,
    time: i64,
    groups: BTreeSet<Vec<String>>,
    taken: Taken,
}

#[derive(Debug, Clone)]
enum Taken {
    Nothing,
    Texts(BTreeSet<Vec<String>>),
    Numbers(Vec<Decimal>),
}

impl<'m> Rows<'m> {
    pub(super) fn new(keys: &'m [KeyField<'static>], fields: &'m [String], taking: Taking) -> Self {
        Self { keys, fields, taking, rows: Vec::new() }
    }

    /// Adds an event. `inner`: the groups in which the inner correlation fires there; one without keys for rules.
    pub(super) fn add(
        &mut self,
        number: usize,
        time: i64,
        event: &Value,
        inner: &[Vec<String>],
    ) -> Result<(), EvalError> {
        let mut groups = BTreeSet::new();
        for inner in inner {
            let mut columns = Vec::with_capacity(self.keys.len());
            for key in self.keys {
                columns.push(match key {
                    KeyField::Field(field) => texts(event, field.as_str())?,
                    KeyField::Inner(at) => inner.get(*at).cloned().into_iter().collect(),
                });
            }
            groups.extend(combinations(&columns)?);
        }
        if groups.is_empty() {
            return Ok(());
        }
        let taken = match self.taking {
            Taking::Nothing => Taken::Nothing,
            Taking::Texts => {
                let columns = self.fields.iter().map(|field| texts(event, field)).collect::<Result<Vec<_>, _>>()?;
                Taken::Texts(combinations(&columns)?)
            }
            Taking::Numbers => {
                let mut numbers = Vec::new();
                for field in self.fields {
                    let Found::Present(values) = field::find(event, field)? else { continue };
                    let spelled = values.into_iter().filter(|value| !value.is_boolean()).filter_map(text);
                    numbers.extend(spelled.filter_map(|text| Decimal::spelled(&text)));
                }
                Taken::Numbers(numbers)
            }
        };
        self.rows.push(Row { number, time, groups, taken });
        Ok(())
    }
}

/// The texts of a field's values, each once, in order.
fn texts(event: &Value, field: &str) -> Result<BTreeSet<String>, EvalError> {
    Ok(match field::find(event, field)? {
        Found::Absent => BTreeSet::new(),
        Found::Present(values) => values.into_iter().filter_map(text).map(std::borrow::Cow::into_owned).collect(),
    })
}

/// Each way to take a text of each column: one without texts if there are no columns, none if a column is empty.
fn combinations(columns: &[BTreeSet<String>]) -> Result<BTreeSet<Vec<String>>, EvalError> {
    let count = columns.iter().try_fold(1_usize, |count, column| count.checked_mul(column.len()));
    if count.is_none_or(|count| count > MOST) {
        let fault = EvalFault::TooLarge("at most 10,000 combinations of values in an event");
        return Err(EvalError { fault, span: None });
    }
    let mut all = vec![Vec::new()];
    for column in columns {
        let longer = all.iter().flat_map(|start: &Vec<String>| {
            column.iter().map(move |text| start.iter().chain([text]).cloned().collect::<Vec<String>>())
        });
        all = longer.collect();
    }
    Ok(all.into_iter().collect())
}

/// The rows of one group.
#[derive(Debug)]
pub(super) struct Group {
    /// A text for each key.
    pub(super) keys: Vec<String>,
    /// Its rows, in order of time.
    pub(super) entries: Vec<Entry>,
    /// The different numbers among its values, the least first.
    pub(super) numbers: Vec<Decimal>,
    /// How many different combinations of texts there are.
    pub(super) texts: usize,
}

/// A row of a group.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) row: usize,
    pub(super) time: i64,
    /// The members that have it, in order.
    pub(super) members: Vec<usize>,
    /// What was taken: places in the group's numbers, or numbers of its combinations of texts.
    pub(super) taken: Vec<usize>,
}

/// The groups of all members' rows, in order of their keys.
pub(super) fn groups(members: &[Rows<'_>], taking: Taking) -> Vec<Group> {
    type Part<'r> = (usize, &'r Row, &'r [String]);
    let mut parts: HashMap<&[String], Vec<Part<'_>>> = HashMap::new();
    for (member, rows) in members.iter().enumerate() {
        for row in &rows.rows {
            for keys in &row.groups {
                parts.entry(keys.as_slice()).or_default().push((member, row, rows.fields));
            }
        }
    }
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_by_key(|(keys, _)| *keys);
    let group = |(keys, mut parts): (&[String], Vec<Part<'_>>)| {
        parts.sort_by_key(|(member, row, _)| (row.time, row.number, *member));
        let mut numbers: Vec<Decimal> = Vec::new();
        if taking == Taking::Numbers {
            numbers = parts.iter().flat_map(|(_, row, _)| row.numbers()).cloned().collect();
            numbers.sort();
            numbers.dedup();
        }
        let mut known: HashMap<&[String], usize> = HashMap::new();
        let mut entries: Vec<Entry> = Vec::new();
        for same in parts.chunk_by(|(_, a, _), (_, b, _)| (a.time, a.number) == (b.time, b.number)) {
            let mut measured: Vec<&[String]> = Vec::new();
            let mut taken = Vec::new();
            for (_, row, fields) in same {
                if measured.contains(fields) {
                    continue;
                }
                measured.push(fields);
                taken.extend(row.numbers().iter().filter_map(|number| numbers.binary_search(number).ok()));
                for texts in row.texts() {
                    let next = known.len();
                    taken.push(*known.entry(texts.as_slice()).or_insert(next));
                }
            }
            let Some((_, row, _)) = same.first() else { continue };
            let members = same.iter().map(|(member, ..)| *member).collect();
            entries.push(Entry { row: row.number, time: row.time, members, taken });
        }
        Group { keys: keys.to_vec(), entries, numbers, texts: known.len() }
    };
    parts.into_iter().map(group).collect()
}

impl Row {
    fn numbers(&self) -> &[Decimal] {
        match &self.taken {
            Taken::Numbers(numbers) => numbers,
            Taken::Nothing | Taken::Texts(_) => &[],
        }
    }

    fn texts(&self) -> impl Iterator<Item = &Vec<String>> {
        match &self.taken {
            Taken::Texts(texts) => Some(texts),
            Taken::Nothing | Taken::Numbers(_) => None,
        }
        .into_iter()
        .flatten()
    }
}
