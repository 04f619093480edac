//! Correlations: what engines find for the emitted queries in streams of events, against what the evaluator says.
//!
//! | module | what it does |
//! |---|---|
//! | here | correlations with their sample streams, and what is asked of the fields |
//! | [`runs`] | which target runs where, under which options, and on which kind of windows |
//! | [`compare`] | each stream on its own in the engine, and the two answers side by side |
//! | [`report`] | the section of the page |
//!
//! Invariant: a stream is compared whole or not at all; what a data model cannot tell apart is made equal before evaluator
//! and engine are asked. A query for fixed windows is held to fixed windows, one that slides to what the rule means.

pub mod compare;
pub mod report;
pub mod runs;

use std::collections::BTreeMap;

use sigcast_diagnostics::SourceMap;
use sigcast_eval::{CorrelationMatcher, EvalError, Limits, TimedEvent, correlation_samples};
use sigcast_frontend::{Kind, link, parse};
use sigcast_ir::{Correlation, Criterion, KeyField, Measure, Source, lower};

use crate::corpus::Fields;
use crate::layout::Asked;
use crate::project;

/// A correlation with streams to ask about.
#[derive(Debug)]
pub struct Sampled<'a> {
    /// The file.
    pub path: String,
    /// The correlation, with its rules.
    pub correlation: Correlation<'a>,
    /// The evaluator.
    pub matcher: CorrelationMatcher,
    /// Streams of events.
    pub streams: Vec<Vec<TimedEvent>>,
    /// Every field of the events, the rules and the correlation, with what is asked of it.
    pub fields: BTreeMap<String, Asked>,
}

impl<'a> Sampled<'a> {
    /// A correlation with these streams.
    ///
    /// # Errors
    /// The evaluator cannot run it.
    pub fn new(path: &str, correlation: Correlation<'a>, streams: Vec<Vec<TimedEvent>>) -> Result<Self, EvalError> {
        let matcher = CorrelationMatcher::new(&correlation)?;
        let mut read = Fields::default();
        for rule in correlation.rules() {
            for (query, _) in lower::queries(rule) {
                // Keywords are looked for in the fields that there are.
                let _ = read.read(&query);
            }
        }
        let mut fields = read.asked();
        asked(&correlation, &mut fields);
        for (name, _) in streams.iter().flatten().flat_map(|one| project::flat(&one.event)) {
            fields.entry(name).or_insert(Asked::Text);
        }
        Ok(Self { path: path.to_owned(), correlation, matcher, streams, fields })
    }

    /// The names that the column of each key may have in an answer: one that a target makes, the key's own name, or that
    /// of the field that it is for all members.
    #[must_use]
    pub fn keys(&self) -> Vec<Vec<String>> {
        let field = |at: usize| {
            self.correlation.members.iter().filter_map(move |member| match member.keys.get(at) {
                Some(KeyField::Field(field)) => Some(field.as_str().to_owned()),
                _ => None,
            })
        };
        let keys = self.correlation.keys.iter().enumerate();
        keys.map(|(at, key)| {
            let mut names = vec![format!("sigma_key_{}", at + 1), key.name.to_string()];
            names.extend(field(at).take(1));
            names
        })
        .collect()
    }
}

/// Every correlation of some texts with the streams that are made for it. What is wrong is left out: other tests have it.
#[must_use]
pub fn read(sources: &SourceMap) -> Vec<Sampled<'_>> {
    let mut documents: Vec<_> = sources
        .iter()
        .flat_map(|(id, source)| parse(sources, id).into_iter().map(|one| (source.name(), one)))
        .collect();
    link(&mut documents.iter_mut().map(|(_, document)| document).collect::<Vec<_>>());
    let sampled = documents.into_iter().filter_map(|(path, document)| {
        let Kind::Correlation(correlation) = document.kind else { return None };
        let streams = correlation_samples(&correlation, Limits::default()).ok()?;
        Sampled::new(path, *correlation, streams.into_iter().map(|sample| sample.stream).collect()).ok()
    });
    sampled.collect()
}

/// What a correlation asks of fields beside its rules: keys are texts, and what is measured are numbers.
fn asked(correlation: &Correlation<'_>, fields: &mut BTreeMap<String, Asked>) {
    let numbers = match correlation.criterion {
        Criterion::Measure { measure, .. } => !matches!(measure, Measure::Events | Measure::Distinct),
        Criterion::Temporal { .. } => false,
    };
    for member in &correlation.members {
        for key in &member.keys {
            if let KeyField::Field(field) = key {
                fields.entry(field.as_str().to_owned()).or_insert(Asked::Text);
            }
        }
        for field in &member.values {
            let known = fields.entry(field.as_str().to_owned()).or_insert(Asked::Text);
            if numbers && matches!(known, Asked::Text | Asked::Equal | Asked::Number) {
                *known = Asked::Decimal;
            }
        }
        if let Source::Correlation(inner) = &member.source {
            asked(inner, fields);
        }
    }
}
