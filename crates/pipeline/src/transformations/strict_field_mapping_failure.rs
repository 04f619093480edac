//! `strict_field_mapping_failure`: rules with a field that no mapping has are refused.

use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_ir::{DetectionItem, Rule};

use super::{Entry, parameters};
use crate::item::{RuleWork, Work};
use crate::run::{Refusal, Run, items};

pub(super) const ENTRY: Entry = Entry {
    name: "strict_field_mapping_failure",
    summary: "rules with a field that no mapping has are refused",
    read: |found, _| {
        let Nothing {} = parameters(found, "strict_field_mapping_failure")?;
        Ok(Work::Rule(Box::new(Unmapped)))
    },
};

#[derive(Debug, Deserialize)]
struct Nothing {}

#[derive(Debug)]
struct Unmapped;

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
