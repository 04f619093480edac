//! `postprocessing`: what becomes of the query of one rule.

use std::collections::BTreeMap;

use fancy_regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_yaml::Value;
use sigcast_ir::Rule;

use super::template::{self, Template};
use super::{PipelineContext, RuleContext};
use crate::conditions::{RULE, RuleCondition, read_rule};
use crate::gate::Gate;
use crate::read::{Faults, Located, fault, unknown};
use crate::run::Run;
use crate::text::{self, Replacement};
use crate::transformations::Resources;

/// An item of post-processing.
#[derive(Debug)]
pub(crate) struct PostItem<'a> {
    /// Its `id`, or its type.
    pub(crate) title: String,
    gate: Gate<'a, RuleCondition>,
    work: Work<'a>,
}

#[derive(Debug)]
enum Work<'a> {
    Embed { prefix: String, suffix: String },
    Simple(String),
    Template(Box<Template>),
    Json(Json),
    Replace { pattern: Box<Regex>, replacement: Replacement },
    Nest(Vec<PostItem<'a>>),
}

#[derive(Debug, Deserialize)]
struct Embed {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    suffix: String,
}

#[derive(Debug, Deserialize)]
struct Simple {
    template: String,
}

#[derive(Debug, Deserialize)]
struct InJson {
    json_template: String,
}

#[derive(Debug, Deserialize)]
struct Replace {
    pattern: String,
    replacement: String,
}

/// Every type.
pub(crate) const TYPES: &[(&str, &str)] = &[
    ("embed", "a text before and after the query"),
    ("json", "the query in the place of %QUERY% in the texts of a JSON value"),
    ("nest", "items in an item, applied in order if its conditions hold"),
    ("replace", "matches of a regular expression in the query are replaced"),
    ("simple_template", "a text with {query}, {rule.title}, {pipeline.vars.name}"),
    ("template", "a template in the language of Jinja2, with query, rule and pipeline"),
];

/// The most bytes of a query between two items.
const MAX_QUERY: usize = 8 << 20;

/// The place of the query in a JSON template.
const QUERY: &str = "%QUERY%";

#[derive(Debug, Serialize)]
struct Context<'c> {
    query: &'c str,
    rule: &'c RuleContext,
    pipeline: PipelineContext<'c>,
}

impl<'a> PostItem<'a> {
    /// Reads an item.
    pub(crate) fn read(found: &Located<'_, 'a>, resources: &mut Resources<'_>) -> Result<Self, Faults> {
        let Some(word) = found.get("type") else {
            return Err(vec![fault(found.part.head(), "the item has no `type`")]);
        };
        let name = word.word("`type`")?;
        let id = found.get("id").map(|id| id.word("`id`").map(str::to_owned)).transpose()?;
        let gate = Gate::read(found, &RULE, read_rule)?;
        let common = ["type", "id", RULE.conditions, RULE.link, RULE.negated, RULE.expression];
        let own = found.without(&common);
        let what = format!("the post-processing `{name}`");
        let work = match name {
            "embed" => own.typed(&what).map(|Embed { prefix, suffix }| Work::Embed { prefix, suffix })?,
            "simple_template" => own.typed(&what).map(|Simple { template }| Work::Simple(template))?,
            "template" => Work::Template(Box::new(template::read(own, &what, resources)?)),
            "json" => {
                let place = own.part.get("json_template").unwrap_or(own.part).span();
                let InJson { json_template } = own.typed(&what)?;
                let value = serde_json::from_str(&json_template)
                    .map_err(|why| vec![fault(place, format!("the template is no JSON: {why}"))])?;
                Work::Json(value)
            }
            "replace" => {
                let place = own.part.get("pattern").unwrap_or(own.part).span();
                let with = own.part.get("replacement").unwrap_or(own.part).span();
                let Replace { pattern, replacement } = own.typed(&what)?;
                let pattern = Box::new(text::regex(&pattern, &pattern, place)?);
                let replacement = text::replacement(&pattern, &replacement, with)?;
                Work::Replace { pattern, replacement }
            }
            "nest" => Work::Nest(nested(&own, resources)?),
            other => {
                let known = TYPES.iter().map(|(name, _)| *name);
                return Err(vec![unknown(word.part.span(), "post-processing", other, known)]);
            }
        };
        Ok(Self { title: id.unwrap_or_else(|| name.to_owned()), gate, work })
    }

    /// The query after this item.
    pub(crate) fn apply(
        &self,
        query: String,
        rule: &Rule<'_>,
        seen: &RuleContext,
        run: &Run<'_>,
    ) -> Result<String, String> {
        if !self.gate.is_open(|condition| condition.holds(rule, run)) {
            return Ok(query);
        }
        if query.len() > MAX_QUERY {
            return Err(format!("the query has grown beyond {} MiB", MAX_QUERY >> 20));
        }
        let pipeline = PipelineContext { vars: run.vars, state: &run.state };
        match &self.work {
            Work::Embed { prefix, suffix } => Ok(format!("{prefix}{query}{suffix}")),
            Work::Simple(template) => simple(template, &query, seen, &pipeline),
            Work::Template(template) => template.render(&Context { query: &query, rule: seen, pipeline }),
            Work::Json(value) => serde_json::to_string(&embedded(value, &query)).map_err(|why| why.to_string()),
            Work::Replace { pattern, replacement } => text::replaced(pattern, replacement, &query),
            Work::Nest(items) => items.iter().try_fold(query, |query, item| item.apply(query, rule, seen, run)),
        }
    }
}

fn nested<'a>(found: &Located<'_, 'a>, resources: &mut Resources<'_>) -> Result<Vec<PostItem<'a>>, Faults> {
    const MAX_DEPTH: usize = 16;
    let items = found.get("items").and_then(|items| items.elements());
    let Some(items) = items.filter(|_| resources.depth < MAX_DEPTH) else {
        return Err(vec![fault(
            found.part.head(),
            format!("`nest` needs `items`, a list of items, at most {MAX_DEPTH} deep"),
        )]);
    };
    resources.depth += 1;
    let read: Vec<Result<PostItem<'a>, Faults>> = items.iter().map(|item| PostItem::read(item, resources)).collect();
    resources.depth -= 1;
    read.into_iter().collect()
}

/// The value with the query in the place of its name, in texts and in keys.
fn embedded(value: &Json, query: &str) -> Json {
    match value {
        Json::String(text) => Json::String(text.replace(QUERY, query)),
        Json::Array(items) => Json::Array(items.iter().map(|item| embedded(item, query)).collect()),
        Json::Object(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.clone(), embedded(value, query))).collect())
        }
        other => other.clone(),
    }
}

/// Fills in `{query}`, `{rule.title}`, `{pipeline.vars.name}`, `{pipeline.state.name}`; `{{` and `}}` are braces.
fn simple(template: &str, query: &str, rule: &RuleContext, pipeline: &PipelineContext<'_>) -> Result<String, String> {
    let mut done = String::with_capacity(template.len() + query.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        done.push_str(&rest[..at]);
        let tail = &rest[at..];
        if let Some(after) = tail.strip_prefix("{{") {
            done.push('{');
            rest = after;
        } else if let Some(after) = tail.strip_prefix("}}") {
            done.push('}');
            rest = after;
        } else if let Some((name, after)) = tail.strip_prefix('{').and_then(|tail| tail.split_once('}')) {
            if name == "query" {
                done.push_str(query);
            } else {
                done.push_str(
                    &named(name, rule, pipeline)
                        .ok_or_else(|| format!("the template asks for `{{{name}}}`, which is not known"))?,
                );
            }
            rest = after;
        } else {
            return Err("the template has a brace alone; `{{` and `}}` stand for braces".to_owned());
        }
    }
    done.push_str(rest);
    Ok(done)
}

fn named(name: &str, rule: &RuleContext, pipeline: &PipelineContext<'_>) -> Option<String> {
    // `[key]` and `.key` are the same.
    let name = name.replace('[', ".").replace(']', "");
    let value = |found: &Value| match found {
        Value::Null => Some(String::new()),
        Value::Sequence(items) => Some(items.iter().filter_map(text::scalar).collect::<Vec<_>>().join(", ")),
        other => text::scalar(other),
    };
    let of = |values: &BTreeMap<String, Value>, key: &str| values.get(key).and_then(value);
    if let Some(key) = name.strip_prefix("rule.") {
        return rule.get(key).and_then(value);
    }
    if let Some(key) = name.strip_prefix("pipeline.vars.") {
        return of(pipeline.vars, key);
    }
    name.strip_prefix("pipeline.state.").and_then(|key| of(pipeline.state, key))
}
