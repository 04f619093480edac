//! `add_field`: fields that a rule shows besides its own.

use serde::Deserialize;
use sigcast_ir::{Field, Rule};

use super::{Entry, OneOrMore, parameters};
use crate::item::{RuleWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "add_field",
    summary: "fields are added to those that a rule shows",
    read: |found, _| {
        let Parameters { field } = parameters(found, "add_field")?;
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
        for name in &self.0 {
            if !rule.meta.fields.iter().any(|field| field.as_str() == name) {
                rule.meta.fields.push(Field::new(name.clone()));
            }
        }
        Ok(())
    }
}
