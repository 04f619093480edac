//! `add_field`, `remove_field` and `set_field`: the list of fields that a rule shows.

use serde::Deserialize;
use sigcast_ir::{Field, Rule};

use super::{Entry, OneOrMore, parameters};
use crate::item::{RuleWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ADD: Entry = Entry {
    name: "add_field",
    summary: "fields are added to those that a rule shows",
    read: |found, _| {
        let Named { field } = parameters(found, "add_field")?;
        Ok(Work::Rule(Box::new(Fields::Add(field.into_vec()))))
    },
};

pub(super) const REMOVE: Entry = Entry {
    name: "remove_field",
    summary: "fields are removed from those that a rule shows",
    read: |found, _| {
        let Named { field } = parameters(found, "remove_field")?;
        Ok(Work::Rule(Box::new(Fields::Remove(field.into_vec()))))
    },
};

pub(super) const SET: Entry = Entry {
    name: "set_field",
    summary: "a rule shows these fields",
    read: |found, _| {
        let Listed { fields } = parameters(found, "set_field")?;
        Ok(Work::Rule(Box::new(Fields::Set(fields))))
    },
};

#[derive(Debug, Deserialize)]
struct Named {
    field: OneOrMore<String>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    fields: Vec<String>,
}

#[derive(Debug)]
enum Fields {
    Add(Vec<String>),
    Remove(Vec<String>),
    Set(Vec<String>),
}

impl RuleWork for Fields {
    fn apply<'r>(&'r self, rule: &mut Rule<'r>, _: &mut Run<'_>, _: bool) -> Result<(), Refusal> {
        let shown = &mut rule.meta.fields;
        let new = |name: &String| Field::new(name.clone());
        match self {
            Self::Add(names) => {
                for name in names {
                    if !shown.iter().any(|field| field.as_str() == name) {
                        shown.push(new(name));
                    }
                }
            }
            Self::Remove(names) => shown.retain(|field| !names.iter().any(|name| name == field.as_str())),
            Self::Set(names) => *shown = names.iter().map(new).collect(),
        }
        Ok(())
    }
}
