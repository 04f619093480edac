//! `field_name_prefix` and `field_name_suffix`: the same text before or after every field name.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Entry, parameters};
use crate::item::{FieldWork, Work};

pub(super) const PREFIX: Entry = Entry {
    name: "field_name_prefix",
    summary: "a text before field names",
    read: |found, _| {
        let Prefix { prefix: before } = parameters(found, "field_name_prefix")?;
        Ok(Work::Fields(Box::new(Affix { before, after: String::new() })))
    },
};

pub(super) const SUFFIX: Entry = Entry {
    name: "field_name_suffix",
    summary: "a text after field names",
    read: |found, _| {
        let Suffix { suffix: after } = parameters(found, "field_name_suffix")?;
        Ok(Work::Fields(Box::new(Affix { before: String::new(), after })))
    },
};

#[derive(Debug, Deserialize)]
struct Prefix {
    prefix: String,
}

#[derive(Debug, Deserialize)]
struct Suffix {
    suffix: String,
}

#[derive(Debug)]
struct Affix {
    before: String,
    after: String,
}

impl FieldWork for Affix {
    fn names(&self, field: &str) -> Option<Vec<Cow<'_, str>>> {
        Some(vec![Cow::Owned(format!("{}{field}{}", self.before, self.after))])
    }
}
