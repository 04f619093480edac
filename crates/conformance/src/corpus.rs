//! Rules with their sample events, and recorded events.
//!
//! Invariant: the order is that of the file names, so a run is the same every time.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sigcast_diagnostics::SourceMap;
use sigcast_eval::{Limits, Matcher, flatten_windows, samples};
use sigcast_frontend::Kind;
use sigcast_ir::{Order, Query, Rule, Subject, Test, lower};

use crate::layout::Asked;
use crate::mapped::Reasons;

/// How many sample events a rule gets: some twenty.
pub const LIMITS: Limits = Limits { hits: 6, variations: 18 };

/// A rule, ready to be asked of events.
#[derive(Debug)]
pub struct Case<'a> {
    /// The file, below the folder that was read.
    pub path: String,
    /// The rule.
    pub rule: Rule<'a>,
    /// The evaluator for each condition.
    pub matchers: Vec<Matcher>,
    /// What is asked of each field, in all.
    pub asked: BTreeMap<String, Asked>,
    /// What is asked of each field, one by one.
    pub tests: BTreeMap<String, BTreeSet<Asked>>,
    /// Whether a keyword is looked for in all fields.
    pub keywords: bool,
    /// Whether a field is a computed column, of which events tell nothing.
    pub computed: bool,
    /// Sample events, and those recorded for the rule.
    pub events: Vec<Value>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Corpus<'a> {
    /// Rules with events.
    pub cases: Vec<Case<'a>>,
    /// Rules without, by the reason.
    pub left: BTreeMap<String, usize>,
    /// Every recorded event.
    pub recorded: Vec<Value>,
    /// The types of fields that a schema knows, whether or not a rule asks for them.
    pub types: BTreeMap<String, Asked>,
    /// Rules that a pipeline refuses, by code.
    pub refused: Reasons,
    /// Rules that a pipeline leaves, by the reason.
    pub unmapped: Reasons,
}

/// The texts of the rules below a folder.
///
/// # Errors
/// A file or folder that cannot be read.
pub fn read(folder: &Path) -> io::Result<SourceMap> {
    let mut sources = SourceMap::new();
    for path in files(folder, "yml")? {
        let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        sources.add(name, String::from_utf8_lossy(&std::fs::read(&path)?).into_owned());
    }
    Ok(sources)
}

/// Every file below a folder with this extension, in order. Folders of rules that are wrong on purpose are left out.
fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entered = |entry: &walkdir::DirEntry| !entry.path().join(".sigcastignore").exists();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(entered) {
        let path = entry?.into_path();
        if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The events below a folder, flattened, by the name of their file: the id of the rule that they were recorded for.
///
/// # Errors
/// A file that cannot be read or is no JSON.
pub fn recorded(folder: &Path) -> io::Result<BTreeMap<String, Vec<Value>>> {
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for path in files(folder, "json")? {
        let text = std::fs::read_to_string(&path)?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        for event in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            events.entry(stem.clone()).or_default().push(flatten_windows(&event?));
        }
    }
    Ok(events)
}

impl<'a> Corpus<'a> {
    /// Takes every `step`th rule of the sources.
    #[must_use]
    pub fn new(sources: &'a SourceMap, recorded: &BTreeMap<String, Vec<Value>>, step: usize) -> Self {
        let mut corpus = Self { recorded: recorded.values().flatten().cloned().collect(), ..Self::default() };
        let mut number = 0;
        for (id, source) in sources.iter() {
            for document in sigcast_frontend::parse(sources, id) {
                let Kind::Rule(rule) = document.kind else {
                    *corpus.left.entry("not a rule, or a wrong one".to_owned()).or_default() += 1;
                    continue;
                };
                number += 1;
                if (number - 1) % step.max(1) != 0 {
                    continue;
                }
                let own = document.id.as_deref().and_then(|id| recorded.get(id)).cloned().unwrap_or_default();
                match case(source.name(), *rule, own) {
                    Ok(case) => corpus.cases.push(case),
                    Err(reason) => *corpus.left.entry(reason).or_default() += 1,
                }
            }
        }
        corpus
    }
}

/// The rule with its sample events, and these.
pub(crate) fn case<'a>(path: &str, rule: Rule<'a>, recorded: Vec<Value>) -> Result<Case<'a>, String> {
    let fault = |error: sigcast_eval::EvalError| format!("no sample events: {error}");
    let queries = lower::queries(&rule);
    let matchers = queries.iter().map(|(query, _)| Matcher::new(query)).collect::<Result<_, _>>().map_err(fault)?;
    let mut events: Vec<Value> =
        samples(&rule, LIMITS).map_err(fault)?.into_iter().map(|sample| sample.event).collect();
    events.extend(recorded);
    let (mut fields, mut keywords) = (Fields::default(), false);
    for (query, _) in &queries {
        keywords |= fields.read(query);
    }
    Ok(Case {
        path: path.to_owned(),
        matchers,
        asked: fields.asked(),
        tests: fields.by_name,
        keywords,
        computed: false,
        events,
        rule,
    })
}

/// The tests of each field.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    by_name: BTreeMap<String, BTreeSet<Asked>>,
}

impl Fields {
    /// Takes in the tests of a query; whether there is a keyword among them.
    pub(crate) fn read(&mut self, query: &Query<'_>) -> bool {
        let mut keywords = false;
        query.each_match(&mut |found| {
            let Subject::Field(field) = &found.subject else {
                keywords = true;
                return;
            };
            let kind = match &found.test {
                Test::Network(_) => Asked::Network,
                Test::Number { order: Order::Equal, .. } => Asked::Equal,
                Test::Number { .. } => Asked::Number,
                Test::Bool(_) => Asked::Boolean,
                Test::TimePart { .. } => Asked::Time,
                _ => Asked::Text,
            };
            let known = self.by_name.entry(field.as_str().to_owned()).or_default();
            // What takes a field of any type says nothing about it.
            if !matches!(found.test, Test::Null | Test::Exists(_)) {
                known.insert(kind);
            }
            if let Test::SameAs { other, .. } = &found.test {
                self.by_name.entry(other.as_str().to_owned()).or_default().insert(Asked::Text);
            }
        });
        keywords
    }

    /// What is asked of each field, in all.
    pub(crate) fn asked(&self) -> BTreeMap<String, Asked> {
        let one = |(name, all): (&String, &BTreeSet<Asked>)| {
            let kind = match all.iter().copied().collect::<Vec<_>>().as_slice() {
                [] => Asked::Text,
                [one] => *one,
                [Asked::Equal, Asked::Number] => Asked::Number,
                // Numbers and booleans can be held as text beside other text.
                [Asked::Text, Asked::Equal | Asked::Boolean] => Asked::Text,
                _ => Asked::Mixed,
            };
            (name.clone(), kind)
        };
        self.by_name.iter().map(one).collect()
    }
}
