//! `map_string`: whole values become others, by a table. A value that maps to several becomes any of them.
//!
//! Keys are compared with the value as the rule writes it, minding case, wildcards included.

use std::collections::HashMap;

use serde::Deserialize;
use sigcast_frontend::part;
use sigcast_ir::{Case, DetectionItem, Test};

use super::{Entry, OneOrMore, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const ENTRY: Entry = Entry {
    name: "map_string",
    summary: "whole values become others, by a table; several stand for any of them",
    read: |found, _| {
        let Parameters { mapping } = parameters(found, "map_string")?;
        let table = mapping.into_iter().map(|(key, to)| (key, to.into_vec())).collect();
        Ok(Work::Values(Box::new(MapString(table))))
    },
};

#[derive(Debug, Deserialize)]
struct Parameters {
    mapping: HashMap<String, OneOrMore<String>>,
}

#[derive(Debug)]
struct MapString(HashMap<String, Vec<String>>);

impl ValueWork for MapString {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        let (key, case) = match test {
            Test::Text { pattern, case } => (text::plain(pattern), *case),
            other => match text::of_test(other) {
                Some(text) => (text.into_owned(), Case::Insensitive),
                None => return Ok(None),
            },
        };
        let Some(names) = self.0.get(&key) else { return Ok(None) };
        let mut all: Vec<Test<'r>> =
            names.iter().map(|name| Test::Text { pattern: part::pattern(name), case }).collect();
        Ok(Some(if all.len() == 1 { all.swap_remove(0) } else { Test::OneOf(all) }))
    }
}
