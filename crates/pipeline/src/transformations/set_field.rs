//! `set_field`: the fields that a rule shows.

use serde::Deserialize;
use sigcast_ir::{Field, Rule};

use super::{Entry, parameters};
use crate::item::{RuleWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "set_field",
    summary: "a rule shows these fields",
    read: |found, _| {
        let Parameters { fields } = parameters(found, "set_field")?;
        Ok(Work::Rule(Box::new(Fields(fields))))
    },
};

#[derive(Debug, Deserialize)]
struct Parameters {
    fields: Vec<String>,
}

#[derive(Debug)]
struct Fields(Vec<String>);

impl RuleWork for Fields {
    fn apply<'r>(&'r self, rule: &mut Rule<'r>, _: &mut Run<'_>, _: bool) -> Result<(), Refusal> {
        rule.meta.fields = self.0.iter().map(|name| Field::new(name.clone())).collect();
        Ok(())
    }
}
