//! `drop_detection_item`: an item that is asked no more. What is left differs from the rule, which is said.

use serde::Deserialize;
use sigcast_ir::DetectionItem;

use super::{Entry, parameters};
use crate::item::{Change, ItemWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "drop_detection_item",
    summary: "detection items are dropped; the query is approximate",
    read: |found, _| {
        let Nothing {} = parameters(found, "drop_detection_item")?;
        Ok(Work::Items(Box::new(Drop)))
    },
};

#[derive(Debug, Deserialize)]
struct Nothing {}

#[derive(Debug)]
struct Drop;

impl ItemWork for Drop {
    fn apply<'r>(&'r self, _: &DetectionItem<'r>, _: &mut Run<'_>) -> Result<Change<'r>, Refusal> {
        Ok(Change::Dropped)
    }
}
