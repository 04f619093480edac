//! `replace_string`: a regular expression over the text of values, and what stands for its matches.
//!
//! By default the expression sees the value with its wildcards as `*` and `?`, and the result is read as a value again.
//! With `skip_special` it sees each stretch of literal text between wildcards, which stay; `interpret_special` then reads
//! wildcards in the result.

use fancy_regex::Regex;
use serde::Deserialize;
use sigcast_frontend::part;
use sigcast_ir::{DetectionItem, Part, Pattern, Test};

use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const ENTRY: Entry = Entry {
    name: "replace_string",
    summary: "matches of a regular expression in values are replaced",
    read: |found, _| {
        let place = found.part.get("regex").unwrap_or(found.part).span();
        let Parameters { regex, replacement, skip_special, interpret_special } = parameters(found, "replace_string")?;
        let pattern = text::regex(&regex, &regex, place)?;
        let replacement = text::replacement(&replacement);
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
    replacement: String,
    skip_special: bool,
    interpret_special: bool,
}

impl Replace {
    fn of(&self, text: &str) -> String {
        self.pattern
            .try_replacen(text, 0, self.replacement.as_str())
            .map_or_else(|_| text.to_owned(), |done| done.into_owned())
    }

    fn pattern(&self, pattern: &Pattern<'_>) -> Pattern<'static> {
        if !self.skip_special {
            return part::pattern(&self.of(&text::spelled(pattern)));
        }
        let parts = pattern.parts().iter().flat_map(|part| match part {
            Part::Text(text) if self.interpret_special => part::pattern(&self.of(text)).into_parts(),
            Part::Text(text) => vec![Part::Text(self.of(text).into())],
            Part::AnyRun => vec![Part::AnyRun],
            Part::AnyOne => vec![Part::AnyOne],
            Part::Placeholder(name) => vec![Part::Placeholder(name.clone().into_owned().into())],
        });
        Pattern::from_parts(parts)
    }
}

impl ValueWork for Replace {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        let Test::Text { pattern, case } = test else { return Ok(None) };
        let changed = self.pattern(pattern);
        Ok((changed != *pattern).then_some(Test::Text { pattern: changed, case: *case }))
    }
}
