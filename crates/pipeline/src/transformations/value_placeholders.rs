//! `value_placeholders`: the values of a variable of the pipeline stand for each placeholder.

use serde_yaml::Value;
use sigcast_diagnostics::Code;
use sigcast_frontend::part;
use sigcast_ir::{DetectionItem, Order, Part, Test};

use super::placeholders::Selection;
use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const ENTRY: Entry = Entry {
    name: "value_placeholders",
    summary: "placeholders become the values of a variable",
    read: |found, _| Ok(Work::Values(Box::new(Variables(parameters::<Selection>(found, "value_placeholders")?)))),
};

#[derive(Debug)]
struct Variables(Selection);

impl ValueWork for Variables {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, run: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        let Test::Text { pattern, case } = test else { return Ok(None) };
        // A placeholder alone may be a number.
        if let [Part::Placeholder(name)] = pattern.parts()
            && self.0.takes(name)
            && let Some(Value::Number(number)) = run.vars.get(name.as_ref())
            && let Some(value) = text::number(&number.to_string())
        {
            return Ok(Some(Test::Number { order: Order::Equal, value }));
        }
        self.0.replaced(pattern, *case, &|name| {
            let missing =
                |what: &str| Refusal::new(Code::UnresolvedPlaceholder, format!("the variable `{name}` {what}"));
            let found = run.vars.get(name).ok_or_else(|| missing("of the placeholder is in no `vars`"))?;
            let values = match found {
                Value::Sequence(items) => items.as_slice(),
                one => std::slice::from_ref(one),
            };
            let texts = values.iter().map(|value| text::scalar(value).map(|text| part::pattern(&text)));
            texts.collect::<Option<Vec<_>>>().ok_or_else(|| missing("is neither text nor a number nor a list of them"))
        })
    }
}
