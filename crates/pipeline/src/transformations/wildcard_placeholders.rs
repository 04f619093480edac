//! `wildcard_placeholders`: a wildcard stands for each placeholder.

use sigcast_ir::{DetectionItem, Part, Pattern, Test};

use super::placeholders::Selection;
use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "wildcard_placeholders",
    summary: "placeholders become wildcards",
    read: |found, _| Ok(Work::Values(Box::new(Wildcards(parameters::<Selection>(found, "wildcard_placeholders")?)))),
};

#[derive(Debug)]
struct Wildcards(Selection);

impl ValueWork for Wildcards {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        let Test::Text { pattern, case } = test else { return Ok(None) };
        self.0.replaced(pattern, *case, &|_| Ok(vec![Pattern::from_parts([Part::AnyRun])]))
    }
}
