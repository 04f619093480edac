//! `extract_fields`: the named groups of a regular expression become fields of their own.
//!
//! `regex: '(?P<domain>[^\\]*)\\(?P<name>.*)'` makes `domain` and `name` of `User: 'CORP\admin'`. A value that does not
//! match is kept in its own field with `preserve_unmatched`; without it the rule is refused, as the value would be lost.

use fancy_regex::Regex;
use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_ir::{DetectionItem, Field, Test, Tree, Value, ValueLinking};

use super::{Entry, parameters};
use crate::item::{Change, ItemWork, Work};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const ENTRY: Entry = Entry {
    name: "extract_fields",
    summary: "the named groups of a regular expression become fields of their own",
    read: |found, _| {
        let place = found.part.get("regex").unwrap_or(found.part).span();
        let Parameters { regex, field_prefix, preserve_unmatched } = parameters(found, "extract_fields")?;
        let pattern = text::regex(&regex, &regex, place)?;
        let names: Vec<String> = pattern.capture_names().flatten().map(str::to_owned).collect();
        if names.is_empty() {
            return Err(vec![crate::read::fault(
                place,
                "the regular expression has no named group, such as `(?P<name>…)`",
            )]);
        }
        // A prefix is joined to the names by a dot.
        let prefix = field_prefix.filter(|prefix| !prefix.is_empty()).map_or_else(String::new, |prefix| prefix + ".");
        Ok(Work::Items(Box::new(Extract { pattern, names, prefix, preserve_unmatched })))
    },
};

#[derive(Debug, Deserialize)]
struct Parameters {
    regex: String,
    field_prefix: Option<String>,
    #[serde(default)]
    preserve_unmatched: bool,
}

#[derive(Debug)]
struct Extract {
    pattern: Regex,
    names: Vec<String>,
    prefix: String,
    preserve_unmatched: bool,
}

impl Extract {
    /// The fields that a value becomes; none if it does not match.
    fn value<'a>(&self, item: &DetectionItem<'a>, value: &Value<'a>) -> Option<Tree<'a>> {
        let Test::Text { pattern, case } = &value.test else { return None };
        let shown = text::plain(pattern);
        let found = self.pattern.captures(&shown).ok()??;
        let items: Vec<Tree<'a>> = self
            .names
            .iter()
            .filter_map(|name| {
                let group = found.name(name)?;
                let test = Test::Text { pattern: text::read_back(group.as_str(), pattern), case: *case };
                Some(Tree::Item(DetectionItem {
                    field: Some(Field::new(format!("{}{name}", self.prefix))),
                    values: vec![Value { test, span: value.span }],
                    list: false,
                    ..item.clone()
                }))
            })
            .collect();
        // Of a negated item, each part is negated, and what joins them is turned.
        let joined = if item.negated { Tree::Any(items) } else { Tree::All(items) };
        match &joined {
            Tree::Any(items) | Tree::All(items) if items.is_empty() => None,
            _ => Some(joined),
        }
    }
}

impl ItemWork for Extract {
    fn apply<'r>(&'r self, item: &DetectionItem<'r>, _: &mut Run<'_>) -> Result<Change<'r>, Refusal> {
        let mut terms = Vec::with_capacity(item.values.len());
        let mut matched = false;
        for value in &item.values {
            match self.value(item, value) {
                Some(tree) => {
                    matched = true;
                    terms.push(tree);
                }
                None if self.preserve_unmatched => {
                    terms.push(Tree::Item(DetectionItem { values: vec![value.clone()], list: false, ..item.clone() }));
                }
                None => {
                    let shown =
                        text::of_test(&value.test).map_or_else(|| "a value".to_owned(), |text| format!("`{text}`"));
                    let message = format!("{shown} does not match `{}`, and would be lost", self.pattern.as_str());
                    return Err(Refusal::new(Code::PipelineFailure, message));
                }
            }
        }
        if !matched {
            return Ok(Change::Nothing);
        }
        let any = (item.linking == ValueLinking::Any) != item.negated;
        Ok(Change::To(if terms.len() == 1 {
            terms.swap_remove(0)
        } else if any {
            Tree::Any(terms)
        } else {
            Tree::All(terms)
        }))
    }
}
