//! `wildcard_placeholders`, `value_placeholders` and `query_expression_placeholders`: what stands for `%name%`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_yaml::Value;
use sigcast_diagnostics::Code;
use sigcast_frontend::part;
use sigcast_ir::{Case, DetectionItem, Order, Part, Pattern, Shape, Test};

use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const WILDCARD: Entry = Entry {
    name: "wildcard_placeholders",
    summary: "placeholders become wildcards",
    read: |found, _| Ok(Work::Values(Box::new(Wildcards(parameters::<Selection>(found, "wildcard_placeholders")?)))),
};

pub(super) const VALUES: Entry = Entry {
    name: "value_placeholders",
    summary: "placeholders become the values of a variable",
    read: |found, _| Ok(Work::Values(Box::new(Variables(parameters::<Selection>(found, "value_placeholders")?)))),
};

pub(super) const EXPRESSION: Entry = Entry {
    name: "query_expression_placeholders",
    summary: "placeholders become an expression in the target's own language",
    read: |found, _| {
        let Parameters { include, exclude, expression, mapping } = parameters(found, "query_expression_placeholders")?;
        Ok(Work::Values(Box::new(Expressions { selection: Selection { include, exclude }, expression, mapping })))
    },
};

/// Which placeholders are meant; all of them if nothing is said.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Selection {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Parameters {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    #[serde(default)]
    expression: String,
    #[serde(default)]
    mapping: HashMap<String, String>,
}

/// How many values the placeholders of one value may become.
const MAX_VALUES: usize = 10_000;

impl Selection {
    /// These names.
    pub(super) fn new(include: Option<Vec<String>>, exclude: Option<Vec<String>>) -> Self {
        Self { include, exclude }
    }

    fn takes(&self, name: &str) -> bool {
        let has = |names: &Option<Vec<String>>| names.as_ref().map(|names| names.iter().any(|known| known == name));
        has(&self.include).unwrap_or(true) && !has(&self.exclude).unwrap_or(false)
    }

    /// The pattern with every placeholder that is meant replaced by each of its values in turn; none if there is none.
    pub(super) fn replaced<'a>(
        &self,
        pattern: &Pattern<'a>,
        case: Case,
        values: &dyn Fn(&str) -> Result<Vec<Pattern<'a>>, Refusal>,
    ) -> Result<Option<Test<'a>>, Refusal> {
        let meant = |part: &Part<'_>| matches!(part, Part::Placeholder(name) if self.takes(name));
        if !pattern.parts().iter().any(meant) {
            return Ok(None);
        }
        let mut all: Vec<Vec<Part<'a>>> = vec![Vec::new()];
        for part in pattern.parts() {
            let Part::Placeholder(name) = part else {
                all.iter_mut().for_each(|parts| parts.push(part.clone()));
                continue;
            };
            if !self.takes(name) {
                all.iter_mut().for_each(|parts| parts.push(part.clone()));
                continue;
            }
            let found = values(name)?;
            if found.is_empty() {
                return Err(Refusal::new(
                    Code::UnresolvedPlaceholder,
                    format!("the placeholder `%{name}%` has no value"),
                ));
            }
            if all.len().saturating_mul(found.len()) > MAX_VALUES {
                let message = format!("the placeholders of one value stand for more than {MAX_VALUES} values");
                return Err(Refusal::new(Code::PipelineFailure, message));
            }
            let longer = all.iter().flat_map(|parts| {
                found.iter().map(move |value| parts.iter().chain(value.parts()).cloned().collect::<Vec<_>>())
            });
            all = longer.collect();
        }
        let mut tests: Vec<Test<'a>> =
            all.into_iter().map(|parts| Test::Text { pattern: Pattern::from_parts(parts), case }).collect();
        Ok(Some(if tests.len() == 1 { tests.swap_remove(0) } else { Test::OneOf(tests) }))
    }
}

#[derive(Debug)]
struct Wildcards(Selection);

impl ValueWork for Wildcards {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        let Test::Text { pattern, case } = test else { return Ok(None) };
        self.0.replaced(pattern, *case, &|_| Ok(vec![Pattern::from_parts([Part::AnyRun])]))
    }
}

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

#[derive(Debug)]
struct Expressions {
    selection: Selection,
    expression: String,
    mapping: HashMap<String, String>,
}

impl ValueWork for Expressions {
    fn value<'r>(
        &'r self,
        item: &DetectionItem<'r>,
        test: &Test<'r>,
        _: &Run<'_>,
    ) -> Result<Option<Test<'r>>, Refusal> {
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
        let field = item.field.as_ref().map_or("", |field| field.as_str());
        let id = self.mapping.get(name.as_ref()).map_or(name.as_ref(), String::as_str);
        let text = self.expression.replace("{field}", field).replace("{id}", id);
        Ok(Some(Test::Raw(text.into())))
    }
}
