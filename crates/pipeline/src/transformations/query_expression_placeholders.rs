//! `query_expression_placeholders`: an expression in the target's own language stands for a placeholder.

use std::collections::HashMap;

use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_ir::{DetectionItem, Part, Shape, Test};

use super::placeholders::Selection;
use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "query_expression_placeholders",
    summary: "placeholders become an expression in the target's own language",
    read: |found, _| {
        let Parameters { include, exclude, expression, mapping } = parameters(found, "query_expression_placeholders")?;
        Ok(Work::Values(Box::new(Expressions { selection: Selection::new(include, exclude), expression, mapping })))
    },
};

#[derive(Debug, Deserialize)]
struct Parameters {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    #[serde(default)]
    expression: String,
    #[serde(default)]
    mapping: HashMap<String, String>,
}

/// Stands for the name of the field until the last pipeline has renamed it. No text of a rule or pipeline has it.
pub(crate) const FIELD: &str = "\u{0}field\u{0}";

#[derive(Debug)]
struct Expressions {
    selection: Selection,
    expression: String,
    mapping: HashMap<String, String>,
}

impl ValueWork for Expressions {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        let Test::Text { pattern, .. } = test else { return Ok(None) };
        if pattern.shape() != Shape::Unresolved {
            return Ok(None);
        }
        let [Part::Placeholder(name)] = pattern.parts() else {
            let meant = |part: &Part<'_>| matches!(part, Part::Placeholder(name) if self.selection.takes(name));
            return if pattern.parts().iter().any(meant) {
                let message = "only a placeholder that is the whole value can become an expression of the target";
                Err(Refusal::new(Code::PipelineFailure, message))
            } else {
                Ok(None)
            };
        };
        if !self.selection.takes(name) {
            return Ok(None);
        }
        let id = self.mapping.get(name.as_ref()).map_or(name.as_ref(), String::as_str);
        let text = self.expression.replace("{field}", FIELD).replace("{id}", id);
        Ok(Some(Test::Raw(text.into())))
    }
}
