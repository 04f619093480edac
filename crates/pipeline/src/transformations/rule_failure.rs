//! `rule_failure`: rules that are refused with a message.

use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_ir::Rule;

use super::{Entry, parameters};
use crate::item::{RuleWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "rule_failure",
    summary: "rules are refused with a message",
    read: |found, _| Ok(Work::Rule(Box::new(parameters::<Failure>(found, "rule_failure")?))),
};

#[derive(Debug, Deserialize)]
struct Failure {
    message: String,
}

impl RuleWork for Failure {
    fn apply<'r>(&'r self, _: &mut Rule<'r>, _: &mut Run<'_>, _: bool) -> Result<(), Refusal> {
        Err(Refusal::new(Code::PipelineFailure, self.message.clone()))
    }
}
