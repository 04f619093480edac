//! Several pipelines in the order of their priorities, as one.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_yaml::Value;
use sigcast_diagnostics::{Class, Code, Diagnostic};
use sigcast_ir::{Rule, Test, Tree};

use crate::engine;
use crate::explain::Event;
use crate::item::Work;
use crate::output::RuleContext;
use crate::pipeline::Pipeline;
use crate::run::Run;
use crate::transformations::query_expression_placeholders::FIELD;

/// Pipelines that are applied one after another.
#[derive(Debug, Default)]
pub struct Chain<'a> {
    pipelines: Vec<Arc<Pipeline<'a>>>,
    vars: BTreeMap<String, Value>,
    ids: Vec<Option<String>>,
    mappings: BTreeSet<u32>,
}

/// What pipelines made of a rule.
#[derive(Debug)]
pub struct Applied<'a> {
    /// The rule.
    pub rule: Rule<'a>,
    /// Refusals and warnings, in the order of the items.
    pub diagnostics: Vec<Diagnostic>,
    /// What was kept for conditions and templates.
    pub(crate) state: BTreeMap<String, Value>,
    /// The numbers of the items that were applied.
    pub(crate) applied: Vec<u32>,
}

impl Applied<'_> {
    /// Whether the rule is refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.diagnostics.iter().any(|found| found.code.class() == Class::Refusal)
    }
}

impl<'a> Chain<'a> {
    /// These pipelines, in the order of their priorities, then as given.
    #[must_use]
    pub fn new(mut pipelines: Vec<Arc<Pipeline<'a>>>) -> Self {
        pipelines.sort_by_key(|pipeline| pipeline.priority);
        let mut chain = Self::default();
        for pipeline in &pipelines {
            chain.vars.extend(pipeline.vars.clone());
            for item in &pipeline.items {
                item.each(&mut |item| {
                    if matches!(&item.work, Work::Fields(work) if work.is_mapping()) {
                        chain.mappings.insert(u32::try_from(chain.ids.len()).unwrap_or(u32::MAX));
                    }
                    chain.ids.push(item.id.clone());
                });
            }
        }
        chain.pipelines = pipelines;
        chain
    }

    /// The pipelines, in order.
    pub fn pipelines(&self) -> impl Iterator<Item = &Pipeline<'a>> {
        self.pipelines.iter().map(AsRef::as_ref)
    }

    /// Whether there is no pipeline.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pipelines.is_empty()
    }

    /// The name of the built-in schema of what the last of the pipelines that has one maps to.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.pipelines.iter().rev().find_map(|pipeline| pipeline.schema())
    }

    /// Whether an item is a mapping of field names.
    pub(crate) fn is_mapping(&self, number: u32) -> bool {
        self.mappings.contains(&number)
    }

    /// Applies every item to a rule.
    #[must_use]
    pub fn apply<'r>(&'r self, rule: Rule<'r>) -> Applied<'r> {
        self.run(rule, false).0
    }

    /// Applies every item to a rule, and tells what each did.
    #[must_use]
    pub fn explain<'r>(&'r self, rule: Rule<'r>) -> (Applied<'r>, Vec<Event>) {
        self.run(rule, true)
    }

    fn run<'r>(&'r self, mut rule: Rule<'r>, traced: bool) -> (Applied<'r>, Vec<Event>) {
        let mut run = self.start(traced);
        rule.prepared.fields.clone_from(&rule.meta.fields);
        for pipeline in &self.pipelines {
            run.pipeline = &pipeline.name;
            pipeline.items.iter().for_each(|item| engine::apply(item, &mut rule, &mut run));
        }
        rule.detections.iter_mut().for_each(|detection| name_fields(&mut detection.tree));
        let Run { state, applied, diagnostics, trace, .. } = run;
        (Applied { rule, diagnostics, state, applied }, trace.unwrap_or_default())
    }

    fn start(&self, traced: bool) -> Run<'_> {
        Run {
            state: BTreeMap::new(),
            vars: &self.vars,
            ids: &self.ids,
            mappings: &self.mappings,
            gave_up: Cell::new(false),
            applied: Vec::new(),
            fields: HashMap::new(),
            diagnostics: Vec::new(),
            trace: traced.then(Vec::new),
            items: 0,
            number: 0,
            pipeline: "",
            detection: String::new(),
        }
    }

    /// Whether queries are changed after the target made them.
    #[must_use]
    pub fn has_postprocessing(&self) -> bool {
        self.pipelines.iter().any(|pipeline| !pipeline.post.is_empty())
    }

    /// A query after the post-processing of every pipeline.
    ///
    /// # Errors
    /// A template that asks for what is not known, or fails; a refusal of the rule.
    pub fn postprocess(&self, applied: &Applied<'_>, query: String) -> Result<String, Diagnostic> {
        let mut run = self.start(false);
        run.state.clone_from(&applied.state);
        run.applied.clone_from(&applied.applied);
        let rule = &applied.rule;
        let seen = RuleContext::new(rule);
        let mut query = query;
        for pipeline in &self.pipelines {
            for item in &pipeline.post {
                query = item.apply(query, rule, &seen, &run).map_err(|why| {
                    let place = rule.conditions.first().map_or(rule.span, |(_, span)| *span);
                    let message =
                        format!("{why} (post-processing `{}` of the pipeline `{}`)", item.title, pipeline.name);
                    Diagnostic::at(Code::PipelineFailure, place, message)
                })?;
            }
        }
        Ok(query)
    }

    /// Whether all queries of the run become one text.
    #[must_use]
    pub fn has_finalizers(&self) -> bool {
        self.pipelines.iter().any(|pipeline| !pipeline.finalizers.is_empty())
    }

    /// The text that the finalizers make of all queries of the run. The first works on the queries, each other one on
    /// what the one before made.
    ///
    /// # Errors
    /// What keeps a finalizer from making it, as a sentence for the user.
    pub fn finalize(&self, queries: Vec<String>) -> Result<String, String> {
        let mut queries = queries;
        for pipeline in &self.pipelines {
            for finalizer in &pipeline.finalizers {
                let made = finalizer.apply(queries, &self.vars);
                queries = vec![made.map_err(|why| format!("a finalizer of the pipeline `{}`: {why}", pipeline.name))?];
            }
        }
        Ok(queries.into_iter().next().unwrap_or_default())
    }
}

/// Puts the names that fields have in the end into expressions of the target's own language.
fn name_fields(tree: &mut Tree<'_>) {
    match tree {
        Tree::All(nodes) | Tree::Any(nodes) => nodes.iter_mut().for_each(name_fields),
        Tree::Item(item) => {
            let name = item.field.as_ref().map_or("", |field| field.as_str());
            for value in &mut item.values {
                if let Test::Raw(text) = &mut value.test
                    && text.contains(FIELD)
                {
                    *text = text.replace(FIELD, name).into();
                }
            }
        }
    }
}
