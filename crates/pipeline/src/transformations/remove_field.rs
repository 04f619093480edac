//! `remove_field`: fields that a rule shows no more.

use serde::Deserialize;
use sigcast_ir::Rule;

use super::{Entry, OneOrMore, parameters};
use crate::item::{RuleWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "remove_field",
    summary: "fields are removed from those that a rule shows",
    read: |found, _| {
        let Parameters { field } = parameters(found, "remove_field")?;
        Ok(Work::Rule(Box::new(Fields(field.into_vec()))))
    },
};

#[derive(Debug, Deserialize)]
struct Parameters {
    field: OneOrMore<String>,
}

#[derive(Debug)]
struct Fields(Vec<String>);

impl RuleWork for Fields {
    fn apply<'r>(&'r self, rule: &mut Rule<'r>, _: &mut Run<'_>, _: bool) -> Result<(), Refusal> {
        rule.meta.fields.retain(|field| !self.0.iter().any(|name| name == field.as_str()));
        Ok(())
    }
}
