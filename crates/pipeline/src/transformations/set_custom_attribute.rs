//! `set_custom_attribute`: an attribute of the rule, for conditions and templates.

use std::borrow::Cow;

use serde::Deserialize;
use serde_yaml::Value;
use sigcast_ir::{Attribute, Rule};

use super::{Entry, parameters};
use crate::item::{RuleWork, Work};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const ENTRY: Entry = Entry {
    name: "set_custom_attribute",
    summary: "an attribute of the rule gets a value",
    read: |found, _| Ok(Work::Rule(Box::new(parameters::<Custom>(found, "set_custom_attribute")?))),
};

#[derive(Debug, Deserialize)]
struct Custom {
    attribute: String,
    value: Value,
}

impl RuleWork for Custom {
    fn apply<'r>(&'r self, rule: &mut Rule<'r>, _: &mut Run<'_>, _: bool) -> Result<(), Refusal> {
        let value = attribute(&self.value);
        let custom = &mut rule.meta.custom;
        match custom.iter_mut().find(|(name, _)| *name == self.attribute) {
            Some((_, old)) => *old = value,
            None => custom.push((Cow::Owned(self.attribute.clone()), value)),
        }
        Ok(())
    }
}

/// A value as an attribute of a rule.
fn attribute(value: &Value) -> Attribute<'static> {
    match value {
        Value::Null => Attribute::Null,
        Value::Bool(value) => Attribute::Bool(*value),
        Value::Number(number) => {
            let text = number.to_string();
            text::number(&text).map_or(Attribute::Text(text.into()), Attribute::Number)
        }
        Value::String(text) => Attribute::Text(text.clone().into()),
        Value::Sequence(items) => Attribute::List(items.iter().map(attribute).collect()),
        Value::Mapping(entries) => {
            let named = |(key, value)| Some((Cow::Owned(text::scalar(key)?), attribute(value)));
            Attribute::Map(entries.iter().filter_map(named).collect())
        }
        Value::Tagged(tagged) => attribute(&tagged.value),
    }
}
