//! What becomes of queries after the target: `postprocessing` of each, `finalizers` of all.
//!
//! Invariant: a template runs no code but its own, within bounds; a value of a rule in JSON stays in its quotes.

mod finalizer;
mod post;
mod template;

pub(crate) use finalizer::Finalizer;
pub(crate) use post::PostItem;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_yaml::Value;
use sigcast_ir::Rule;

use crate::conditions::attribute;

/// What templates see of a rule.
#[derive(Debug, Serialize)]
pub(crate) struct RuleContext {
    #[serde(flatten)]
    attributes: BTreeMap<String, Value>,
    logsource: BTreeMap<&'static str, Value>,
    custom_attributes: BTreeMap<String, Value>,
}

/// The attributes of the specification, as templates name them.
const ATTRIBUTES: &[&str] = &[
    "title",
    "id",
    "name",
    "taxonomy",
    "status",
    "level",
    "description",
    "license",
    "author",
    "date",
    "modified",
    "references",
    "tags",
    "fields",
    "falsepositives",
    "scope",
];

impl RuleContext {
    /// Of a rule.
    pub(crate) fn new(rule: &Rule<'_>) -> Self {
        let value = |name: &str| attribute::of_rule(rule, name).unwrap_or(Value::Null);
        Self {
            attributes: ATTRIBUTES.iter().map(|name| ((*name).to_owned(), value(name))).collect(),
            logsource: ["category", "product", "service"].into_iter().map(|name| (name, value(name))).collect(),
            custom_attributes: rule
                .meta
                .custom
                .iter()
                .map(|(name, value)| (name.clone().into_owned(), attribute::value_of(value)))
                .collect(),
        }
    }

    /// An attribute by its name, `logsource.category` included.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        match name.split_once('.') {
            Some(("logsource", part)) => self.logsource.get(part),
            Some(("custom_attributes", name)) => self.custom_attributes.get(name),
            Some(_) => None,
            None => self.attributes.get(name),
        }
    }
}

/// What templates see of the pipelines.
#[derive(Debug, Serialize)]
pub(crate) struct PipelineContext<'c> {
    /// The variables.
    pub(crate) vars: &'c BTreeMap<String, Value>,
    /// What `set_state` keeps for the rule.
    pub(crate) state: &'c BTreeMap<String, Value>,
}

/// The types of post-processing with what they do.
pub(crate) fn postprocessing() -> &'static [(&'static str, &'static str)] {
    post::TYPES
}

/// The types of finalizers with what they do.
pub(crate) fn finalizers() -> &'static [(&'static str, &'static str)] {
    finalizer::TYPES
}
