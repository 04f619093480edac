//! `set_value`: every value of an item becomes this one.

use serde::Deserialize;
use serde_yaml::Value;
use sigcast_frontend::part;
use sigcast_ir::{Case, DetectionItem, Order, Test};

use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::read::{Faults, fault};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const ENTRY: Entry = Entry {
    name: "set_value",
    summary: "values become this one",
    read: |found, _| {
        let place = found.part.get("value").unwrap_or(found.part).span();
        let Parameters { value, force_type } = parameters(found, "set_value")?;
        let test = test(&value, force_type).ok_or_else(|| -> Faults {
            vec![fault(place, "the value is neither text, a number, a boolean nor null, or not of the forced type")]
        })?;
        Ok(Work::Values(Box::new(SetValue(test))))
    },
};

#[derive(Debug, Deserialize)]
struct Parameters {
    value: Value,
    force_type: Option<Forced>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Forced {
    Str,
    Num,
}

/// The test for a value of a pipeline.
pub(super) fn test(value: &Value, forced: Option<Forced>) -> Option<Test<'static>> {
    let text = |text: &str| Test::Text { pattern: part::pattern(text), case: Case::Insensitive };
    let number = |text: &str| Some(Test::Number { order: Order::Equal, value: text::number(text)? });
    match (value, forced) {
        (Value::Null, _) => Some(Test::Null),
        (_, Some(Forced::Str)) => text::scalar(value).map(|found| text(&found)),
        (_, Some(Forced::Num)) => number(&text::scalar(value)?),
        (Value::Bool(value), None) => Some(Test::Bool(*value)),
        (Value::Number(found), None) => number(&found.to_string()),
        (Value::String(found), None) => Some(text(found)),
        _ => None,
    }
}

#[derive(Debug)]
struct SetValue(Test<'static>);

impl ValueWork for SetValue {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, _: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        Ok(Some(self.0.clone()))
    }
}
