//! Conditions that rules, detection items and field names share: an item was applied; the state has a value.

use serde::Deserialize;
use serde_yaml::Value;

use super::attribute::Comparison;
use crate::run::Run;

/// `processing_item_applied`: an item with this id was applied.
#[derive(Debug, Deserialize)]
pub(crate) struct Applied {
    processing_item_id: String,
}

impl Applied {
    /// Whether one of these numbers is that item.
    pub(crate) fn holds(&self, applied: &[u32], run: &Run<'_>) -> bool {
        run.has_id(applied, &self.processing_item_id)
    }
}

/// `processing_state`: what `set_state` kept under a key compares so.
#[derive(Debug, Deserialize)]
pub(crate) struct State {
    key: String,
    val: Value,
    #[serde(default)]
    op: Comparison,
}

impl State {
    /// Whether it does. Of a key without a value nothing holds, as in pySigma.
    pub(crate) fn holds(&self, run: &Run<'_>) -> bool {
        run.state.get(&self.key).is_some_and(|value| self.op.holds(value, &self.val))
    }
}
