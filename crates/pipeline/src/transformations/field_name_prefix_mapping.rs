//! `field_name_prefix_mapping`: the start of field names by a table; the longest that fits counts.

use std::borrow::Cow;

use super::{Entry, mapping};
use crate::item::{FieldWork, Work};

pub(super) const ENTRY: Entry = Entry {
    name: "field_name_prefix_mapping",
    summary: "the start of field names becomes another, by a table",
    read: |found, _| {
        let mut all: Vec<(String, Vec<String>)> =
            mapping::read(found, "field_name_prefix_mapping")?.names.into_iter().collect();
        // The longest start says most.
        all.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        Ok(Work::Fields(Box::new(Prefixes(all))))
    },
};

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
