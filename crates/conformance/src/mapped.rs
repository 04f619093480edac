//! Rules after a built-in pipeline, with events as the product holds them.
//!
//! Sample events are made from the rule as the pipeline maps it. Recorded events go through the shippers by
//! which the pipelines' own tests judge: written from the vendors' documentation, and apart from the pipelines. That mapped rules answer as
//! the rules themselves do is what those tests show; here the question is whether the engine answers as the mapped rule.
//!
//! Invariant: a field has the type that the pipeline's schema gives it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use sigcast_diagnostics::{Class, SourceMap};
use sigcast_ir::schema::{FieldKind, Found, Normalised, Schema};
use sigcast_pipeline::{Chain, Nowhere, Pipeline, builtin};
use sigcast_testing::shippers::{elastic, splunk};

use crate::corpus::{Case, Corpus, case};
use crate::engines::Fault;
use crate::layout::Asked;

/// Pipelines whose tables the checker of Kusto knows.
const TABLES: &[&str] = &["azure_monitor", "microsoft_xdr", "sentinel_asim"];

/// The schema that a built-in pipeline maps to.
///
/// # Errors
/// There is no such pipeline, or it has no schema.
pub fn schema(pipeline: &str) -> Result<Arc<Schema>, Fault> {
    let chain = chain(pipeline)?;
    let name = chain.schema().ok_or_else(|| Fault::new("looking for a schema", pipeline))?;
    let text = sigcast_pipeline::schema(name).ok_or_else(|| Fault::new("looking for a schema", name))?;
    let mut sources = SourceMap::new();
    let id = sources.add(name, text);
    let found = sigcast_frontend::schema::parse(&sources, id);
    found.map(Arc::new).map_err(|_| Fault::new("reading a schema", name))
}

/// The pipeline. Its text lives as long as the program, as it is part of it.
fn chain(name: &str) -> Result<Chain<'static>, Fault> {
    let found = builtin(name).ok_or_else(|| Fault::new("looking for a pipeline", name))?;
    let mut sources = SourceMap::new();
    let id = sources.add(found.name, found.text);
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let pipeline = Pipeline::compile(sources, id, &Nowhere).map_err(|_| Fault::new("reading a pipeline", name))?;
    Ok(Chain::new(vec![Arc::new(pipeline)]))
}

/// The columns of every table of the schemas for Kusto, with their types there; without computed ones.
///
/// # Errors
/// A schema that cannot be read.
pub fn tables() -> Result<Value, Fault> {
    let mut products = Map::new();
    for name in TABLES {
        let schema = schema(name)?;
        let mut tables = Map::new();
        for (table, columns) in &schema.tables {
            let held = columns.iter().filter(|(_, column)| column.expression.is_none());
            let held = held.map(|(name, column)| (name.clone(), Value::from(kusto(column.kind))));
            tables.insert(table.clone(), Value::Object(held.collect()));
        }
        products.insert((*name).to_owned(), Value::Object(tables));
    }
    Ok(Value::Object(products))
}

/// The type of a column.
const fn kusto(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Number => "long",
        FieldKind::Boolean => "bool",
        FieldKind::Date => "datetime",
        FieldKind::Dynamic => "dynamic",
        FieldKind::Guid => "guid",
        _ => "string",
    }
}

/// The corpus as the pipeline maps it: the rules of the log sources that it knows.
///
/// # Errors
/// There is no such pipeline.
pub fn corpus<'a>(corpus: &Corpus<'a>, pipeline: &str) -> Result<Corpus<'a>, Fault> {
    let (chain, schema): (&'static Chain<'static>, _) = (Box::leak(Box::new(chain(pipeline)?)), schema(pipeline)?);
    let mut mapped = Corpus {
        recorded: corpus.recorded.iter().filter_map(|event| shipped(event, pipeline)).collect(),
        ..Corpus::default()
    };
    for (name, own) in &schema.fields {
        mapped.types.insert(name.clone(), asked(own.kind));
    }
    for known in &corpus.cases {
        let applied = chain.apply(known.rule.clone());
        if let Some(refusal) = applied.diagnostics.iter().find(|found| found.code.class() == Class::Refusal) {
            *mapped.refused.entry(refusal.code.as_str()).or_default() += 1;
            continue;
        }
        if !applied.rule.prepared.scoped {
            *mapped.unmapped.entry("the pipeline does not know the log source").or_default() += 1;
            continue;
        }
        let table =
            applied.rule.prepared.options.iter().find(|(key, _)| key == "table").map(|(_, name)| name.to_string());
        match case(&known.path, applied.rule, Vec::new()) {
            Ok(found) => mapped.cases.push(typed(found, &schema, table.as_deref())),
            Err(_) => *mapped.unmapped.entry("no sample events can be made").or_default() += 1,
        }
    }
    Ok(mapped)
}

/// The rule with the types of its fields by the schema.
fn typed<'a>(mut case: Case<'a>, schema: &Schema, table: Option<&str>) -> Case<'a> {
    for (name, known) in &mut case.asked {
        let Found::Known(own) = schema.find(table, name) else { continue };
        *known = match own.kind {
            FieldKind::Text | FieldKind::Flattened | FieldKind::Nested => Asked::Mixed,
            kind => asked(kind),
        };
        case.computed |= own.expression.is_some();
    }
    case.events.retain(|event| event.as_object().is_none_or(|event| exists(event, schema, table)));
    case
}

/// Whether there is such an event: no field has a value that the schema says it never holds.
fn exists(event: &Map<String, Value>, schema: &Schema, table: Option<&str>) -> bool {
    event.iter().all(|(name, value)| {
        let Found::Known(own) = schema.find(table, name) else { return true };
        let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        texts.iter().filter_map(Value::as_str).all(|text| {
            let small = own.normalised != Normalised::Lower || !text.contains(char::is_uppercase);
            small && (own.values.is_empty() || own.values.iter().any(|known| known == text))
        })
    })
}

/// What stands for the type.
const fn asked(kind: FieldKind) -> Asked {
    match kind {
        FieldKind::Number => Asked::Number,
        FieldKind::Boolean => Asked::Boolean,
        FieldKind::Date => Asked::Time,
        FieldKind::Ip => Asked::Network,
        _ => Asked::Text,
    }
}

/// A recorded event as the product holds it; none if nothing here tells.
fn shipped(event: &Value, pipeline: &str) -> Option<Value> {
    let flat = event.as_object()?;
    let channel = flat.get("Channel")?.as_str()?;
    match pipeline {
        "ecs_windows" => Some(elastic::winlogbeat(flat, channel, false)),
        "splunk_windows" => Some(splunk::splunk(flat, channel)),
        _ => None,
    }
}

/// Counts, by a reason each.
pub type Reasons = BTreeMap<&'static str, usize>;

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sigcast_ir::schema::FieldType;

    use super::*;

    fn check(event: &Value, expected: bool) {
        let mut schema = Schema::default();
        let listed = FieldType { values: vec!["egress".to_owned()], ..FieldType::new(FieldKind::Keyword) };
        let lower = FieldType { normalised: Normalised::Lower, ..FieldType::new(FieldKind::Keyword) };
        schema.fields.extend([("listed".to_owned(), listed), ("lower".to_owned(), lower)]);
        let found = event.as_object().is_some_and(|event| exists(event, &schema, None));
        assert_eq!(found, expected, "{event}");
    }

    #[test]
    fn events_hold_what_the_schema_allows() {
        check(&json!({"listed": "egress", "lower": "ab1", "other": "X"}), true);
        check(&json!({"listed": "EGRESS"}), false);
        check(&json!({"listed": ["egress", "other"]}), false);
        check(&json!({"lower": "aB1"}), false);
    }

    /// The checker is given what queries name, and nothing that a table computes.
    #[test]
    fn tables_have_their_columns() {
        let tables = tables().expect("schemas");
        let events = &tables["microsoft_xdr"]["DeviceRegistryEvents"];
        assert_eq!(events["RegistryKey"], "string");
        assert_eq!(events["InitiatingProcessId"], "long");
        assert!(events.get("TargetObject").is_none(), "{events}");
    }
}
