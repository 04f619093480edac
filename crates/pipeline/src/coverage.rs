//! Which fields rules use that no pipeline maps.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sigcast_diagnostics::Span;
use sigcast_ir::Rule;

use crate::chain::{Applied, Chain};
use crate::run::items;
use crate::show;

/// What a chain maps of the rules that were added.
#[derive(Debug, Default)]
pub struct Coverage {
    sources: BTreeMap<String, Source>,
}

/// Of one log source.
#[derive(Debug, Default)]
struct Source {
    rules: usize,
    refused: usize,
    unmapped: BTreeMap<String, usize>,
}

/// What is missing of a log source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The log source, as `product/category/service` with `-` for what it does not have.
    pub logsource: String,
    /// How many rules it has.
    pub rules: usize,
    /// How many of them a pipeline refuses.
    pub refused: usize,
    /// Fields that no item maps, with the number of rules that use them; the most used first.
    pub unmapped: Vec<(String, usize)>,
}

impl Coverage {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule: as it was, and what the chain made of it.
    pub fn add(&mut self, chain: &Chain<'_>, rule: &Rule<'_>, applied: &Applied<'_>) {
        let source = self.sources.entry(show::logsource(&rule.logsource)).or_default();
        source.rules += 1;
        source.refused += usize::from(applied.is_refused());
        let own = items(rule).into_iter().filter_map(|item| Some((item.span, item.field.as_ref()?.as_str())));
        let named: HashMap<Span, &str> = own.collect();
        let unmapped: BTreeSet<&str> = items(&applied.rule)
            .into_iter()
            // What a pipeline adds stands in the pipeline's text.
            .filter(|item| item.span.source == rule.span.source)
            .filter(|item| !item.applied.iter().any(|number| chain.is_mapping(*number)))
            // What became of a field has the place of its own name in the rule.
            .filter_map(|item| named.get(&item.span).copied())
            .collect();
        for field in unmapped {
            *source.unmapped.entry(field.to_owned()).or_default() += 1;
        }
    }

    /// Log sources, those with the most rules first.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = self
            .sources
            .iter()
            .map(|(logsource, source)| {
                let mut unmapped: Vec<(String, usize)> = source.unmapped.clone().into_iter().collect();
                unmapped.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
                Gap { logsource: logsource.clone(), rules: source.rules, refused: source.refused, unmapped }
            })
            .collect();
        gaps.sort_by_key(|gap| std::cmp::Reverse(gap.rules));
        gaps
    }
}
