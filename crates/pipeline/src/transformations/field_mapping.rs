//! `field_name_mapping` and `field_name_prefix_mapping`: field names by a table.
//!
//! A name that maps to several stands in any of them. The key `null` is for keywords, which are then looked for in these
//! fields, anywhere in them, and no longer in the whole event.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use super::{Entry, OneOrMore, parameters};
use crate::item::{FieldWork, Work};
use crate::read::{Faults, Located, fault};

pub(super) const ENTRY: Entry = Entry {
    name: "field_name_mapping",
    summary: "field names become others, by a table; several stand for any of them",
    read: |found, _| Ok(Work::Fields(Box::new(Mapping(read(found, "field_name_mapping")?)))),
};

pub(super) const PREFIXES: Entry = Entry {
    name: "field_name_prefix_mapping",
    summary: "the start of field names becomes another, by a table",
    read: |found, _| {
        let mut all: Vec<(String, Vec<String>)> = read(found, "field_name_prefix_mapping")?.names.into_iter().collect();
        // The longest start says most.
        all.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        Ok(Work::Fields(Box::new(Prefixes(all))))
    },
};

#[derive(Debug, Deserialize)]
struct Parameters {
    mapping: HashMap<Option<String>, OneOrMore<String>>,
}

/// Names by the name that they stand for, and those for keywords.
#[derive(Debug, Default)]
struct Table {
    names: HashMap<String, Vec<String>>,
    keywords: Option<Vec<String>>,
}

fn read(found: Located<'_, '_>, name: &str) -> Result<Table, Faults> {
    let part = found.part;
    let parameters: Parameters = parameters(found, name)?;
    let mut table = Table::default();
    let mut faults: Faults = Vec::new();
    for (key, names) in parameters.mapping {
        let names = names.into_vec();
        if names.is_empty() || names.iter().any(String::is_empty) {
            let key = key.as_deref().unwrap_or("null");
            let place = part.get("mapping").and_then(|mapping| mapping.get(key)).unwrap_or(part).head();
            let wrong = fault(place, format!("`{key}` maps to no field"));
            faults.push(wrong.help("`drop_detection_item` drops what asks for a field"));
        }
        match key {
            Some(key) => drop(table.names.insert(key, names)),
            None => table.keywords = Some(names),
        }
    }
    faults.sort_by_key(|found| found.span().map(|span| span.start));
    if faults.is_empty() { Ok(table) } else { Err(faults) }
}

#[derive(Debug)]
struct Mapping(Table);

impl FieldWork for Mapping {
    fn names(&self, field: &str) -> Option<Vec<Cow<'_, str>>> {
        let names = self.0.names.get(field)?;
        Some(names.iter().map(|name| Cow::Borrowed(name.as_str())).collect())
    }

    fn keyword_fields(&self) -> Option<&[String]> {
        self.0.keywords.as_deref()
    }

    fn is_mapping(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Prefixes(Vec<(String, Vec<String>)>);

impl FieldWork for Prefixes {
    fn names(&self, field: &str) -> Option<Vec<Cow<'_, str>>> {
        let (prefix, names) = self.0.iter().find(|(prefix, _)| field.starts_with(prefix.as_str()))?;
        let rest = &field[prefix.len()..];
        Some(names.iter().map(|name| Cow::Owned(format!("{name}{rest}"))).collect())
    }

    fn is_mapping(&self) -> bool {
        true
    }
}
