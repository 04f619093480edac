//! `change_logsource`: the log source becomes another; what is not given is gone.

use serde::Deserialize;
use sigcast_ir::{LogSource, Rule};

use super::{Entry, parameters};
use crate::item::{RuleWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "change_logsource",
    summary: "the log source becomes another, for the conditions of later items",
    read: |found, _| Ok(Work::Rule(Box::new(parameters::<Source>(found, "change_logsource")?))),
};

#[derive(Debug, Deserialize)]
struct Source {
    category: Option<String>,
    product: Option<String>,
    service: Option<String>,
}

impl RuleWork for Source {
    fn apply<'r>(&'r self, rule: &mut Rule<'r>, _: &mut Run<'_>, _: bool) -> Result<(), Refusal> {
        let owned = |text: &Option<String>| text.clone().map(Into::into);
        rule.logsource = LogSource {
            category: owned(&self.category),
            product: owned(&self.product),
            service: owned(&self.service),
            ..std::mem::take(&mut rule.logsource)
        };
        Ok(())
    }
}
