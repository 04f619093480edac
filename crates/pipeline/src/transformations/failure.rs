//! `rule_failure`, `detection_item_failure` and `strict_field_mapping_failure`: rules that are refused.

use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_ir::{DetectionItem, Rule};

use super::{Entry, parameters};
use crate::item::{Change, ItemWork, RuleWork, Work};
use crate::run::{Refusal, Run, items};

pub(super) const RULE: Entry = Entry {
    name: "rule_failure",
    summary: "rules are refused with a message",
    read: |found, _| Ok(Work::Rule(Box::new(parameters::<Failure>(found, "rule_failure")?))),
};

pub(super) const ITEM: Entry = Entry {
    name: "detection_item_failure",
    summary: "rules with such a detection item are refused with a message",
    read: |found, _| Ok(Work::Items(Box::new(parameters::<Failure>(found, "detection_item_failure")?))),
};

pub(super) const UNMAPPED: Entry = Entry {
    name: "strict_field_mapping_failure",
    summary: "rules with a field that no mapping has are refused",
    read: |found, _| {
        let Nothing {} = parameters(found, "strict_field_mapping_failure")?;
        Ok(Work::Rule(Box::new(Unmapped)))
    },
};

#[derive(Debug, Deserialize)]
struct Failure {
    message: String,
}

#[derive(Debug, Deserialize)]
struct Nothing {}

#[derive(Debug)]
struct Unmapped;

impl RuleWork for Failure {
    fn apply<'r>(&'r self, _: &mut Rule<'r>, _: &mut Run<'_>, _: bool) -> Result<(), Refusal> {
        Err(Refusal::new(Code::PipelineFailure, self.message.clone()))
    }
}

impl ItemWork for Failure {
    fn apply<'r>(&'r self, item: &DetectionItem<'r>, _: &mut Run<'_>) -> Result<Change<'r>, Refusal> {
        let named = item.field.as_ref().map_or_else(|| "a keyword".to_owned(), |field| format!("`{}`", field.as_str()));
        Err(Refusal::new(Code::PipelineFailure, format!("{named}: {}", self.message)))
    }
}

impl RuleWork for Unmapped {
    fn apply<'r>(&'r self, rule: &mut Rule<'r>, run: &mut Run<'_>, _: bool) -> Result<(), Refusal> {
        let mapped = |item: &DetectionItem<'_>| item.applied.iter().any(|number| run.mappings.contains(number));
        let all = items(rule).into_iter().filter(|item| !mapped(item));
        let mut names: Vec<&str> = all.filter_map(|item| item.field.as_ref()).map(|field| field.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Ok(());
        }
        let shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        Err(Refusal::new(Code::UnmappedField, format!("no mapping has {}", shown.join(", "))))
    }
}
