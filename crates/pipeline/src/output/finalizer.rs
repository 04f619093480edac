//! `finalizers`: what becomes of all queries of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_yaml::Value;

use super::PipelineContext;
use super::template::{self, Template};
use crate::read::{Faults, Located, fault, unknown};
use crate::transformations::Resources;

/// A finalizer.
#[derive(Debug)]
pub(crate) enum Finalizer {
    /// The queries, joined.
    Concat(Concat),
    /// A JSON list of the queries; those that are JSON themselves stand in it as they are.
    Json(Option<usize>),
    /// A YAML list, likewise.
    Yaml,
    /// A template with `queries` and `pipeline`.
    Template(Box<Template>),
    /// Several in turn: each works on what the one before made.
    Nested(Vec<Finalizer>),
}

/// How queries are joined.
#[derive(Debug, Deserialize)]
pub(crate) struct Concat {
    #[serde(default = "line")]
    separator: String,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    suffix: String,
}

fn line() -> String {
    "\n".to_owned()
}

#[derive(Debug, Deserialize)]
struct Indented {
    indent: Option<usize>,
}

/// Every type.
pub(crate) const TYPES: &[(&str, &str)] = &[
    ("concat", "the queries, joined, with a text before and after all"),
    ("json", "a JSON list of the queries"),
    ("nested", "several finalizers in turn"),
    ("template", "a template in the language of Jinja2, with queries and pipeline"),
    ("yaml", "a YAML list of the queries"),
];

#[derive(Debug, Serialize)]
struct Context<'c> {
    queries: &'c [String],
    pipeline: PipelineContext<'c>,
}

impl Finalizer {
    /// Reads a finalizer.
    pub(crate) fn read(found: &Located<'_, '_>, resources: &mut Resources<'_>) -> Result<Self, Faults> {
        const MAX_DEPTH: usize = 16;
        let Some(word) = found.get("type") else {
            return Err(vec![fault(found.part.head(), "the finalizer has no `type`")]);
        };
        let name = word.word("`type`")?;
        let own = found.without(&["type"]);
        let what = format!("the finalizer `{name}`");
        match name {
            "concat" => own.typed(&what).map(Self::Concat),
            "json" => own.typed(&what).map(|Indented { indent }| Self::Json(indent)),
            // How deep YAML is indented is a matter of the writer.
            "yaml" => own.typed(&what).map(|Indented { indent: _ }| Self::Yaml),
            "template" => template::read(own, &what, resources).map(|template| Self::Template(Box::new(template))),
            "nested" => {
                let inner = own.get("finalizers").and_then(|inner| inner.elements());
                let Some(inner) = inner.filter(|_| resources.depth < MAX_DEPTH) else {
                    let message =
                        format!("`nested` needs `finalizers`, a list of finalizers, at most {MAX_DEPTH} deep");
                    return Err(vec![fault(own.part.head(), message)]);
                };
                resources.depth += 1;
                let read: Vec<Result<Self, Faults>> = inner.iter().map(|one| Self::read(one, resources)).collect();
                resources.depth -= 1;
                read.into_iter().collect::<Result<_, _>>().map(Self::Nested)
            }
            other => {
                let known = TYPES.iter().map(|(name, _)| *name);
                Err(vec![unknown(word.part.span(), "finalizer", other, known)])
            }
        }
    }

    /// The text made of all queries.
    pub(crate) fn apply(&self, queries: Vec<String>, vars: &BTreeMap<String, Value>) -> Result<String, String> {
        match self {
            Self::Concat(concat) => {
                Ok(format!("{}{}{}", concat.prefix, queries.join(&concat.separator), concat.suffix))
            }
            Self::Json(indent) => {
                let list = serde_json::Value::Array(queries.iter().map(|query| value(query)).collect());
                let Some(indent) = indent else { return serde_json::to_string(&list).map_err(|why| why.to_string()) };
                let blanks = vec![b' '; (*indent).min(16)];
                let mut out = Vec::new();
                let format = serde_json::ser::PrettyFormatter::with_indent(&blanks);
                list.serialize(&mut serde_json::Serializer::with_formatter(&mut out, format))
                    .map_err(|why| why.to_string())?;
                String::from_utf8(out).map_err(|why| why.to_string())
            }
            Self::Yaml => {
                let list: Vec<serde_json::Value> = queries.iter().map(|query| value(query)).collect();
                serde_yaml::to_string(&list).map_err(|why| why.to_string())
            }
            Self::Template(template) => {
                let state = BTreeMap::new();
                template.render(&Context { queries: &queries, pipeline: PipelineContext { vars, state: &state } })
            }
            Self::Nested(inner) => {
                let mut queries = queries;
                for one in inner {
                    queries = vec![one.apply(queries, vars)?];
                }
                Ok(queries.into_iter().next().unwrap_or_default())
            }
        }
    }
}

/// A query as a value: what is a JSON object or list by itself, as it is.
fn value(query: &str) -> serde_json::Value {
    let json = query.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(query).ok()).flatten();
    json.unwrap_or_else(|| serde_json::Value::String(query.to_owned()))
}
