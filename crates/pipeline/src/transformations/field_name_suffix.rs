//! `field_name_suffix`: the same text after every field name.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Entry, parameters};
use crate::item::{FieldWork, Work};

pub(super) const ENTRY: Entry = Entry {
    name: "field_name_suffix",
    summary: "a text after field names",
    read: |found, _| Ok(Work::Fields(Box::new(parameters::<Suffix>(found, "field_name_suffix")?))),
};

#[derive(Debug, Deserialize)]
struct Suffix {
    suffix: String,
}

impl FieldWork for Suffix {
    fn names(&self, field: &str) -> Option<Vec<Cow<'_, str>>> {
        Some(vec![Cow::Owned(format!("{field}{}", self.suffix))])
    }
}
