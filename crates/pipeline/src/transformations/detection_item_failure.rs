//! `detection_item_failure`: rules with such a detection item are refused with a message.

use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_ir::DetectionItem;

use super::{Entry, parameters};
use crate::item::{Change, ItemWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "detection_item_failure",
    summary: "rules with such a detection item are refused with a message",
    read: |found, _| Ok(Work::Items(Box::new(parameters::<Failure>(found, "detection_item_failure")?))),
};

#[derive(Debug, Deserialize)]
struct Failure {
    message: String,
}

impl ItemWork for Failure {
    fn apply<'r>(&'r self, item: &DetectionItem<'r>, _: &mut Run<'_>) -> Result<Change<'r>, Refusal> {
        let named = item.field.as_ref().map_or_else(|| "a keyword".to_owned(), |field| format!("`{}`", field.as_str()));
        Err(Refusal::new(Code::PipelineFailure, format!("{named}: {}", self.message)))
    }
}
