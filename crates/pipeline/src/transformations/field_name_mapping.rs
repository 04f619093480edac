//! `field_name_mapping`: field names by a table.
//!
//! A name that maps to several stands in any of them. The key `null` is for keywords, which are then looked for in these
//! fields, anywhere in them, and no longer in the whole event.

use std::borrow::Cow;

use super::Entry;
use super::mapping::{self, Table};
use crate::item::{FieldWork, Work};

pub(super) const ENTRY: Entry = Entry {
    name: "field_name_mapping",
    summary: "field names become others, by a table; several stand for any of them",
    read: |found, _| Ok(Work::Fields(Box::new(Mapping(mapping::read(found, "field_name_mapping")?)))),
};

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
