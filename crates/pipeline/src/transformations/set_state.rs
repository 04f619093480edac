//! `set_state`: a value under a key, for the conditions of later items.
//!
//! A key that is an option of the target (`index`, `table`, …) sets that option for the rule. `query_table` is
//! pySigma's name for `table`.

use serde::Deserialize;
use serde_yaml::Value;
use sigcast_diagnostics::Code;
use sigcast_ir::Rule;

use super::{Entry, parameters};
use crate::item::{RuleWork, Work};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const ENTRY: Entry = Entry {
    name: "set_state",
    summary: "a value is kept under a key; `index`, `table` and other options of targets take effect",
    read: |found, _| Ok(Work::Rule(Box::new(parameters::<State>(found, "set_state")?))),
};

#[derive(Debug, Deserialize)]
struct State {
    key: String,
    val: Value,
}

/// The options that say where the events of a log source are.
const PLACES: &[&str] = &["index", "table", "source", "sourcetype", "event_category"];

impl RuleWork for State {
    fn apply<'r>(&'r self, rule: &mut Rule<'r>, run: &mut Run<'_>, of_logsource: bool) -> Result<(), Refusal> {
        run.state.insert(self.key.clone(), self.val.clone());
        let key = if self.key == "query_table" { "table" } else { self.key.as_str() };
        let value = match &self.val {
            Value::Sequence(items) => {
                items.iter().map(text::scalar).collect::<Option<Vec<_>>>().map(|all| all.join(","))
            }
            one => text::scalar(one),
        };
        let Some(value) = value else {
            return if PLACES.contains(&key) {
                Err(Refusal::new(
                    Code::PipelineFailure,
                    format!("`{key}` is set to what is neither text nor a list of texts"),
                ))
            } else {
                Ok(())
            };
        };
        let options = &mut rule.prepared.options;
        options.retain(|(known, _)| known != key);
        options.push((key.to_owned().into(), value.into()));
        rule.prepared.scoped |= of_logsource && PLACES.contains(&key);
        Ok(())
    }
}
