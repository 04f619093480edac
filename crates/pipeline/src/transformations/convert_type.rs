//! `convert_type`: values become text or numbers.

use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_ir::{Case, DetectionItem, Order, Pattern, Shape, Test};

use super::set_value::Forced;
use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const ENTRY: Entry = Entry {
    name: "convert_type",
    summary: "values become text (`str`) or numbers (`num`)",
    read: |found, _| Ok(Work::Values(Box::new(parameters::<Convert>(found, "convert_type")?))),
};

#[derive(Debug, Deserialize)]
struct Convert {
    target_type: Forced,
}

impl ValueWork for Convert {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        match (self.target_type, test) {
            (Forced::Str, Test::Number { order: Order::Equal, value }) => {
                let pattern = Pattern::exact(value.text.clone());
                Ok(Some(Test::Text { pattern, case: Case::Insensitive }))
            }
            (Forced::Str, Test::Bool(value)) => {
                let pattern = Pattern::exact(value.to_string());
                Ok(Some(Test::Text { pattern, case: Case::Insensitive }))
            }
            (Forced::Num, Test::Text { pattern, .. }) => {
                let number = match pattern.shape() {
                    Shape::Exact(found) => text::number(found),
                    _ => None,
                };
                match number {
                    Some(value) => Ok(Some(Test::Number { order: Order::Equal, value })),
                    None => Err(Refusal::new(
                        Code::PipelineFailure,
                        format!("`{}` is no number, and the field takes numbers", text::spelled(pattern)),
                    )),
                }
            }
            _ => Ok(None),
        }
    }
}
