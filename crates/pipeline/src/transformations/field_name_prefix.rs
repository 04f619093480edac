//! `field_name_prefix`: the same text before every field name.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Entry, parameters};
use crate::item::{FieldWork, Work};

pub(super) const ENTRY: Entry = Entry {
    name: "field_name_prefix",
    summary: "a text before field names",
    read: |found, _| Ok(Work::Fields(Box::new(parameters::<Prefix>(found, "field_name_prefix")?))),
};

#[derive(Debug, Deserialize)]
struct Prefix {
    prefix: String,
}

impl FieldWork for Prefix {
    fn names(&self, field: &str) -> Option<Vec<Cow<'_, str>>> {
        Some(vec![Cow::Owned(format!("{}{field}", self.prefix))])
    }
}
