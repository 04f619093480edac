//! What is converted how, and the request that an engine gets for it.
//!
//! Invariant: a request adds nothing to a query but what its conversion says that it assumes of the search.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sigcast_backends::options::{Settings, option};
use sigcast_backends::{Backend, Status, find};
use sigcast_diagnostics::{Class, Code};
use sigcast_formats::{Naming, Templates};
use sigcast_ir::schema::{FieldKind, Schema};

use crate::corpus::Case;
use crate::engines::Fault;
use crate::engines::search::INDEX;
use crate::kibana;
use crate::layout::{Asked, Model, Setting, Type};
use crate::mapped;

/// Options and schema of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Its name.
    pub name: &'static str,
    /// Options, as on the command line.
    options: &'static [(&'static str, &'static str)],
    /// Whether the schema of the data is given.
    schema: bool,
    /// The built-in pipeline that maps the rules; none if it is empty. The schema is its own then.
    pub pipeline: &'static str,
}

/// A way through a pipeline, with its schema.
const fn through(pipeline: &'static str) -> Way {
    Way { name: pipeline, options: &[], schema: true, pipeline }
}

const ECS: Way = through("ecs_windows");
const DEFENDER: Way = through("microsoft_xdr");
const MONITOR: Way = through("azure_monitor");
const ASIM: Way = through("sentinel_asim");
const ADD_ONS: Way = through("splunk_windows");

/// No options, no schema.
const DEFAULT: Way = Way { name: "default", options: &[], schema: false, pipeline: "" };
/// No options, the schema of the index.
const SCHEMA: Way = Way { name: "schema", options: &[], schema: true, pipeline: "" };
/// Case spelled by expressions.
const EXPAND: Way = Way { name: "case=expand", options: &[("case", "expand")], schema: false, pipeline: "" };

/// A target under a way, and the settings of the data that it is run on.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The target.
    pub target: &'static str,
    /// The way.
    pub way: Way,
    /// Names of settings.
    pub settings: &'static [&'static str],
}

/// The function that the harness brings.
const REGEXP: Way = Way { name: "regexp=function", options: &[("regexp", "function")], schema: false, pipeline: "" };
/// The same with the schema of the table.
const REGEXP_SCHEMA: Way =
    Way { name: "regexp=function, schema", options: &[("regexp", "function")], schema: true, pipeline: "" };
/// Networks by the engine's own test.
const NATIVE: Way = Way { name: "cidr=native", options: &[("cidr", "native")], schema: false, pipeline: "" };

const EVERYWHERE: &[&str] = &["caseless", "cased", "addresses"];

const fn run(target: &'static str, way: Way) -> Run {
    Run { target, way, settings: EVERYWHERE }
}

const fn spelled(target: &'static str) -> Run {
    Run { target, way: EXPAND, settings: &["cased"] }
}

/// What runs on a node of OpenSearch.
pub const SEARCH: &[Run] = &[
    run("lucene", DEFAULT),
    run("lucene", SCHEMA),
    spelled("lucene"),
    run("opensearch", DEFAULT),
    run("opensearch", SCHEMA),
    spelled("opensearch"),
    run("graylog", DEFAULT),
    run("graylog", SCHEMA),
    spelled("graylog"),
    run("watcher", DEFAULT),
    run("watcher", SCHEMA),
    spelled("watcher"),
    run("es-dsl", DEFAULT),
    run("es-dsl", SCHEMA),
    run("kibana", DEFAULT),
    run("kibana", SCHEMA),
    Run { target: "lucene", way: ECS, settings: &["ECS"] },
    Run { target: "es-dsl", way: ECS, settings: &["ECS"] },
    Run { target: "kibana", way: ECS, settings: &["ECS"] },
];

/// The index of the harness.
const INDEXED: Way = Way { name: "default", options: &[("index", INDEX)], schema: false, pipeline: "" };
/// The same with its schema.
const INDEXED_SCHEMA: Way = Way { name: "schema", options: &[("index", INDEX)], schema: true, pipeline: "" };

/// What runs on a node of Elasticsearch.
pub const ELASTIC: &[Run] = &[
    run("esql", INDEXED),
    run("esql", INDEXED_SCHEMA),
    run("lucene", DEFAULT),
    run("lucene", SCHEMA),
    run("es-dsl", DEFAULT),
    run("es-dsl", SCHEMA),
    run("kibana", DEFAULT),
    run("kibana", SCHEMA),
];

const fn rows(target: &'static str, way: Way) -> Run {
    Run { target, way, settings: &["texts"] }
}

/// What runs on SQLite.
pub const SQLITE: &[Run] = &[rows("sqlite", DEFAULT), rows("sqlite", REGEXP), rows("sqlite", REGEXP_SCHEMA)];

/// What the package `eql` runs.
pub const EQL: &[Run] = &[
    Run { target: "eql", way: DEFAULT, settings: &["cased", "addresses"] },
    Run { target: "eql", way: SCHEMA, settings: &["cased", "addresses"] },
];

/// What ClickHouse runs in its Kusto dialect.
pub const KUSTO: &[Run] = &[
    rows("kusto", DEFAULT),
    rows("kusto", SCHEMA),
    Run { target: "kusto", way: DEFENDER, settings: &["Defender"] },
    Run { target: "kusto", way: MONITOR, settings: &["Azure Monitor"] },
];

/// What Microsoft's parser checks.
pub const CHECKED: &[Run] = &[
    rows("kusto", DEFAULT),
    rows("kusto", SCHEMA),
    Run { target: "kusto", way: DEFENDER, settings: &["Defender"] },
    Run { target: "kusto", way: MONITOR, settings: &["Azure Monitor"] },
    Run { target: "kusto", way: ASIM, settings: &["ASIM"] },
];

/// What runs on DuckDB.
pub const DUCKDB: &[Run] = &[rows("duckdb", DEFAULT), rows("duckdb", SCHEMA)];

/// What runs on PostgreSQL.
pub const POSTGRES: &[Run] = &[
    rows("postgres", DEFAULT),
    rows("postgres", SCHEMA),
    Run { target: "postgres", way: NATIVE, settings: &["addresses"] },
];

/// What the interpreter of Splunk's language runs.
pub const SPLUNK: &[Run] = &[
    Run { target: "splunk", way: DEFAULT, settings: &["fields"] },
    Run { target: "splunk", way: ADD_ONS, settings: &["add-on for Windows"] },
];

/// What became of a rule.
#[derive(Debug)]
pub struct Converted {
    /// How its conversion ended.
    pub status: Status,
    /// The codes of refusals or approximations, each once.
    pub codes: Vec<Code>,
    /// The assumption that the data does not fulfil, because of which it is not run.
    pub unfulfilled: Option<Code>,
    /// Whether it is said that a server may refuse the query for its size.
    pub large: bool,
    /// Whether values hold no line break.
    pub single_lines: bool,
    /// Whether the fields that the rule asks have one value each.
    pub single_values: bool,
    /// A text and a request for each condition; the request is an error if what stands for Kibana cannot read the text.
    pub queries: Vec<(String, Result<String, String>)>,
}

/// A run on one kind of data.
#[derive(Debug)]
pub struct Converter {
    backend: Backend,
    templates: Arc<Templates>,
    setting: Setting,
    /// The schema, if the way gives it.
    schema: Option<Arc<Schema>>,
    /// The pipeline, if the query is to be checked and not run.
    checked: Option<&'static str>,
}

impl Converter {
    /// A converter for fields of an index.
    ///
    /// # Errors
    /// A target or option that does not exist.
    pub fn new(
        run: &Run,
        fields: &BTreeMap<String, Asked>,
        (setting, executes): (Setting, bool),
        templates: &Arc<Templates>,
    ) -> Result<Self, Fault> {
        let mut settings = Settings::default();
        for (key, value) in run.way.options {
            let known = option(key).ok_or_else(|| Fault::new("setting an option", key))?;
            known.set(&mut settings, value).map_err(Fault)?;
        }
        let schema = match run.way {
            Way { pipeline: "", schema: true, .. } => Some(Arc::new(setting.schema(fields))),
            Way { pipeline: "", .. } => None,
            Way { pipeline, .. } => Some(mapped::schema(pipeline)?),
        };
        settings.schema.clone_from(&schema);
        let target = find(run.target).ok_or_else(|| Fault::new("looking for a target", run.target))?;
        Ok(Self {
            backend: Backend::new(target, settings),
            templates: Arc::clone(templates),
            setting,
            schema,
            checked: (!executes).then_some(run.way.pipeline),
        })
    }

    /// Converts a rule.
    #[must_use]
    pub fn convert(&self, case: &Case<'_>) -> Converted {
        let conversion = self.backend.convert(&case.rule);
        let told = |class: Class| matches!(class, Class::Refusal | Class::Approximation | Class::Invalid);
        let found = conversion.diagnostics.iter().map(|found| found.code);
        let mut codes: Vec<Code> = found.filter(|code| told(code.class())).collect();
        codes.sort();
        codes.dedup();
        let assumptions = &conversion.assumptions;
        let lenient = assumptions.contains(&Code::AssumeLenient);
        let requests = match self.backend.target.name {
            "watcher" => self.watches(case, &conversion.queries),
            _ => conversion.queries.iter().map(|text| self.request(text, lenient)).collect(),
        };
        Converted {
            status: conversion.status,
            codes,
            unfulfilled: assumptions.iter().copied().find(|code| !self.fulfils(*code, case)),
            large: conversion.diagnostics.iter().any(|found| matches!(found.code, Code::ManyClauses | Code::LongQuery)),
            single_lines: assumptions.contains(&Code::AssumeSingleLines),
            single_values: assumptions.contains(&Code::AssumeSingleValues),
            queries: conversion.queries.into_iter().zip(requests).collect(),
        }
    }

    /// Whether the data is as the assumption has it. What is not named here is true of all data of the harness, or of
    /// the request.
    fn fulfils(&self, code: Code, case: &Case<'_>) -> bool {
        // Whether each field of which one of these is asked has this type.
        let held = |wanted: &[Asked], kinds: &[Type]| {
            case.tests.iter().filter(|(_, tests)| wanted.iter().any(|wanted| tests.contains(wanted))).all(
                |(name, _)| case.asked.get(name).is_some_and(|asked| kinds.contains(&self.setting.type_of(*asked))),
            )
        };
        match code {
            Code::AssumeCaseless => self.setting.caseless,
            Code::AssumeCased => !self.setting.caseless,
            Code::AssumeAddress => self.setting.addresses,
            Code::AssumeAddressText if self.setting.model == Model::Rows => !self.setting.addresses,
            Code::AssumeNumeric if self.setting.numbers => held(&[Asked::Equal, Asked::Number], &[Type::Integer]),
            Code::AssumeNumeric if self.setting.model == Model::Fields => held(&[Asked::Number], &[Type::Integer]),
            Code::AssumeTextFields => held(&[Asked::Text], &[Type::Keyword]),
            Code::AssumeBooleanFields | Code::AssumeBoolean => held(&[Asked::Boolean], &[Type::Boolean]),
            _ => true,
        }
    }

    /// The body of a search.
    fn request(&self, text: &str, lenient: bool) -> Result<String, String> {
        let query_string = |more: &[(&str, bool)]| {
            let mut inner = json!({"query": text});
            for (key, value) in more.iter().filter(|(_, value)| *value) {
                inner[*key] = Value::from(*value);
            }
            json!({"query": {"query_string": inner}})
        };
        let body = match self.backend.target.name {
            "es-dsl" | "sqlite" | "postgres" | "duckdb" | "eql" | "splunk" => return Ok(text.to_owned()),
            "kusto" => return Ok(self.on_table(text)),
            "kibana" => {
                let mut query = kibana::translate(text, &|name| self.is_keyword(name))?;
                if lenient {
                    make_lenient(&mut query);
                }
                json!({"query": query})
            }
            "esql" => return numbered(text),
            // Graylog's server says so itself, if it is set to.
            "graylog" => query_string(&[("allow_leading_wildcard", true), ("lenient", lenient)]),
            _ => query_string(&[("lenient", lenient)]),
        };
        Ok(body.to_string())
    }

    /// A query of Kusto on the table `logs`; to be checked, on its own, with a line before it that says whose that is.
    fn on_table(&self, text: &str) -> String {
        // Without a table, the query is what follows it.
        let named = text.split_once("\n| ").filter(|_| self.setting.mapped);
        match (self.checked, named) {
            (Some(pipeline), Some(_)) => format!("{pipeline}\n{text}"),
            (Some(_), None) => format!("\nlogs\n| {text}"),
            (None, named) => format!("logs\n| {}", named.map_or(text, |(_, rest)| rest)),
        }
    }

    /// What a data view says: without a schema nothing is known of the field.
    fn is_keyword(&self, name: &str) -> bool {
        let known = self.schema.as_ref().and_then(|schema| schema.field(name));
        known.is_some_and(|known| known.kind == FieldKind::Keyword)
    }

    /// The query of each watch: the search in it without its range of time, as the events have no time.
    fn watches(&self, case: &Case<'_>, queries: &[String]) -> Vec<Result<String, String>> {
        let target = self.backend.target;
        let Some(format) = target.format("json") else { return vec![Err("no such format".to_owned()); queries.len()] };
        let place = Naming::default().assign(&self.backend.settings, &case.rule);
        let parts = self.templates.render_parts(target, format, &case.rule, queries, &self.backend.settings, &place);
        let query = |text: &String| -> Result<String, String> {
            let watch: Value = serde_json::from_str(text).map_err(|fault| fault.to_string())?;
            let filter = watch.pointer("/input/search/request/body/query/bool/filter/0");
            Ok(json!({"query": filter.ok_or("a watch without a query")?}).to_string())
        };
        match parts {
            Ok(parts) => parts.iter().map(query).collect(),
            Err(fault) => vec![Err(fault.to_string()); queries.len()],
        }
    }
}

/// A query of ES|QL that gives the numbers of events.
fn numbered(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("FROM events\n").ok_or("a query of another index")?;
    Ok(format!("FROM events METADATA _id\n{rest}\n| KEEP _id"))
}

/// Makes every query string lenient, as the setting `index.query_string.lenient` of an index does.
fn make_lenient(query: &mut Value) {
    match query {
        Value::Object(map) => {
            if let Some(Value::Object(inner)) = map.get_mut("query_string") {
                inner.insert("lenient".to_owned(), Value::from(true));
            }
            map.values_mut().for_each(make_lenient);
        }
        Value::Array(items) => items.iter_mut().for_each(make_lenient),
        _ => {}
    }
}
