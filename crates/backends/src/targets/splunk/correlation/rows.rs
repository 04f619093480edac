//! The events of all rules: one search, or several side by side.
//!
//! Invariant: each row is an event of one rule; an event that several rules match comes once for each, unless no rule need
//! be told from another.

use sigcast_diagnostics::Code;
use sigcast_ir::{Correlation, Criterion, Rule, Source};

use super::{Flag, Query};
use crate::correlate::Stages;
use crate::targets::splunk::search;

impl Query<'_, '_> {
    /// Writes the search.
    pub(super) fn rows(&mut self, correlation: &Correlation<'_>) -> Option<()> {
        let mut rules: Vec<&Rule<'_>> = Vec::new();
        // For each rule as it comes, which of the distinct ones it is.
        let mut places = Vec::new();
        for rule in correlation.rules() {
            places.push(rules.iter().position(|known| known.is_same(rule)).unwrap_or_else(|| {
                rules.push(rule);
                rules.len() - 1
            }));
        }
        let mut scopes = Vec::with_capacity(rules.len());
        for rule in &rules {
            let settings = self.composer.settings_for(rule)?;
            scopes.push(format!("{:?}", (self.composer.target().scope)(&settings)));
        }
        scopes.dedup();
        if rules.len() == 1 || (scopes.len() == 1 && self.one_search_does(correlation)) {
            let Stages { search, filter } = self.composer.stages_of_any(&rules)?;
            self.out = search;
            if let Some(filter) = filter {
                self.pipe(&format!("where {filter}"));
            }
            self.flags = vec![None; places.len()];
            return Some(());
        }
        let labels = labels(&rules);
        let mut branches = String::from("| multisearch");
        for (rule, label) in rules.iter().zip(&labels) {
            let Stages { search, filter } = self.composer.stages(rule)?;
            branches.push_str(&format!("\n    [ search {search}"));
            if let Some(filter) = filter {
                branches.push_str(&format!("\n      | where {filter}"));
            }
            branches.push_str(&format!("\n      | eval sigma_rule={} ]", search::quoted(label)));
        }
        self.out = branches;
        let flag = |at: &usize| labels.get(*at).map(|label| format!("sigma_rule={}", search::quoted(label)));
        self.flags = places.iter().map(flag).collect();
        if correlation.criterion.minds_repeats() {
            self.once_each(correlation);
        }
        Some(())
    }

    /// Whether nothing depends on which rule an event is of.
    fn one_search_does(&self, correlation: &Correlation<'_>) -> bool {
        let [first, rest @ ..] = correlation.members.as_slice() else { return false };
        self.alone
            && matches!(correlation.criterion, Criterion::Measure { .. })
            && rest.iter().all(|member| member.keys == first.keys && member.values == first.values)
    }

    /// Has an event that several rules match count once, where that can be said.
    fn once_each(&mut self, correlation: &Correlation<'_>) {
        let members = &correlation.members;
        let same = |other: &sigcast_ir::Member<'_>| other.keys == members[0].keys && other.values == members[0].values;
        if self.alone && members.iter().all(same) {
            // The address of an event: a bucket of an index, and a place in it.
            self.pipe("dedup keepempty=true _bkt, _cd");
            return;
        }
        let message = "the keys or values of the rules differ, so an event that several of them match counts for each";
        self.composer.approximate(Code::CountedPerRule, correlation.kind_span, message);
    }

    /// What tells the events of the next rule: each is asked for as it comes in the correlation.
    pub(super) fn flag(&mut self) -> Flag {
        self.met += 1;
        self.flags.get(self.met - 1).cloned().flatten()
    }
}

/// A name for each rule, all different: the one by which correlations refer to it, or its title.
fn labels(rules: &[&Rule<'_>]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::with_capacity(rules.len());
    for (rule, number) in rules.iter().zip(1..) {
        let name = rule.meta.name.as_deref().unwrap_or(&rule.meta.title);
        let clean: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // Fields that look alike but for case are compared minding it, but people do not.
        let taken = labels.iter().any(|known| known.to_lowercase() == clean.to_lowercase());
        labels.push(if clean.trim().is_empty() || taken { format!("{clean} ({number})") } else { clean });
    }
    labels
}

/// Whether a member is a rule.
pub(super) fn is_rule(member: &sigcast_ir::Member<'_>) -> bool {
    matches!(member.source, Source::Rule(_))
}
