//! `replace_string`: a regular expression over the text of values, and what stands for its matches.
//!
//! By default the expression sees the value with its wildcards as `*` and `?`, and the result is read as a value again.
//! With `skip_special` it sees each stretch of literal text between wildcards, which stay; `interpret_special` then reads
//! wildcards in the result.

use fancy_regex::Regex;
use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_frontend::part;
use sigcast_ir::{DetectionItem, Part, Pattern, Test};

use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};
use crate::text::{self, Replacement};

pub(super) const ENTRY: Entry = Entry {
    name: "replace_string",
    summary: "matches of a regular expression in values are replaced",
    read: |found, _| {
        let place = found.part.get("regex").unwrap_or(found.part).span();
        let with = found.part.get("replacement").unwrap_or(found.part).span();
        let Parameters { regex, replacement, skip_special, interpret_special } = parameters(found, "replace_string")?;
        let pattern = text::regex(&regex, &regex, place)?;
        let replacement = text::replacement(&pattern, &replacement, with)?;
        Ok(Work::Values(Box::new(Replace { pattern, replacement, skip_special, interpret_special })))
    },
};

#[derive(Debug, Deserialize)]
struct Parameters {
    regex: String,
    replacement: String,
    #[serde(default)]
    skip_special: bool,
    #[serde(default)]
    interpret_special: bool,
}

#[derive(Debug)]
struct Replace {
    pattern: Regex,
    replacement: Replacement,
    skip_special: bool,
    interpret_special: bool,
}

impl Replace {
    fn of(&self, text: &str) -> Result<String, Refusal> {
        text::replaced(&self.pattern, &self.replacement, text)
            .map_err(|why| Refusal::new(Code::PipelineFailure, format!("a value cannot be replaced: {why}")))
    }

    fn pattern(&self, pattern: &Pattern<'_>) -> Result<Pattern<'static>, Refusal> {
        if !self.skip_special {
            return Ok(text::read_back(&self.of(&text::plain(pattern))?, pattern));
        }
        let mut done = Pattern::new();
        for part in pattern.parts() {
            match part {
                Part::Text(text) if self.interpret_special => {
                    part::pattern(&self.of(text)?).into_parts().into_iter().for_each(|part| done.push(part));
                }
                Part::Text(text) => done.push(Part::Text(self.of(text)?.into())),
                Part::AnyRun => done.push(Part::AnyRun),
                Part::AnyOne => done.push(Part::AnyOne),
                Part::Placeholder(name) => done.push(Part::Placeholder(name.clone().into_owned().into())),
            }
        }
        Ok(done)
    }
}

impl ValueWork for Replace {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        let Test::Text { pattern, case } = test else { return Ok(None) };
        let changed = self.pattern(pattern)?;
        Ok((changed != *pattern).then_some(Test::Text { pattern: changed, case: *case }))
    }
}
