//! What a threshold rule is made of: the query of a correlation for a language that cannot count.
//!
//! The target writes it as an object, since the two come from one decision; see `backends::targets::threshold`.

use serde::Deserialize;
use serde_json::Value;
use sigcast_backends::options::Settings;
use sigcast_ir::Rule;

/// The parts of a threshold rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    /// What finds the events that are counted.
    pub(crate) query: String,
    /// What is counted, as the rule has it.
    pub(crate) threshold: Value,
    /// The indices of all rules; empty if none is given.
    pub(crate) index: Vec<String>,
}

impl Counted {
    /// The parts that the query of a correlation is made of, if it was written for a threshold rule: what describes a
    /// correlation has no condition.
    pub(crate) fn of(rule: &Rule<'_>, queries: &[String], settings: &Settings) -> Option<Self> {
        let counts = settings.threshold && rule.conditions.is_empty();
        serde_json::from_str(queries.first().filter(|_| counts)?).ok()
    }
}
