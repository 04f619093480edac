//! A filter: a condition that rules are joined with, so that what is known to be harmless is left out.
//!
//! Follows the Sigma specification 2.1, "Sigma Filters Specification".
//!
//! Invariant: joining changes no detection of a rule and nothing that its conditions name; the filter's detections stand
//! behind the rule's own, under names that the rule does not have.

use std::borrow::Cow;

use sigcast_diagnostics::Span;

use crate::{Condition, Detection, LogSource, Meta, Rule, Tree};

/// A filter.
#[derive(Debug, Clone)]
pub struct Filter<'a> {
    /// What describes the filter.
    pub meta: Meta<'a>,
    /// The log source of the rules that it is for.
    pub logsource: LogSource<'a>,
    /// The rules that it is for.
    pub rules: FilterRules<'a>,
    /// Named detections, in document order.
    pub detections: Vec<Detection<'a>>,
    /// What every condition of the rules is joined with by `and`, and its place. Indices in it are those of
    /// `detections`. None if the filter is wrong: what it would leave out is not known.
    pub condition: Option<(Condition<'a>, Span)>,
    /// The place to point at for the filter as a whole: its key `filter`.
    pub span: Span,
}

/// The rules that a filter is for, within its log source.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterRules<'a> {
    /// Every rule.
    Any,
    /// Those with one of these ids or names.
    Named(Vec<Reference<'a>>),
}

/// A rule by its id or by its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference<'a> {
    /// The id or the name, as written.
    pub text: Cow<'a, str>,
    /// Where it stands.
    pub span: Span,
}

impl Reference<'_> {
    /// Whether the rule with this description is meant. Ids are UUIDs, in which case says nothing; names mind it.
    #[must_use]
    pub fn names(&self, meta: &Meta<'_>) -> bool {
        meta.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&self.text))
            || meta.name.as_deref() == Some(self.text.as_ref())
    }
}

impl LogSource<'_> {
    /// Whether the other log source is this one or a part of it: every part that is named here, it has too. Case says
    /// nothing, and neither does `definition`, which is for people.
    #[must_use]
    pub fn contains(&self, other: &LogSource<'_>) -> bool {
        let part = |own: &Option<Cow<'_, str>>, other: &Option<Cow<'_, str>>| match (own, other) {
            (None, _) => true,
            (Some(own), Some(other)) => own.eq_ignore_ascii_case(other),
            (Some(_), None) => false,
        };
        part(&self.category, &other.category)
            && part(&self.product, &other.product)
            && part(&self.service, &other.service)
            && self.custom.iter().all(|own| other.custom.contains(own))
    }
}

impl<'a> Filter<'a> {
    /// Whether the filter leaves out every event that has nothing of what its detections ask for, and so keeps only
    /// what it describes. `condition: selection` does; `not selection` is what a filter is for. False for a wrong one.
    #[must_use]
    pub fn keeps_only(&self) -> bool {
        self.condition.as_ref().is_some_and(|(condition, _)| !self.passes(condition))
    }

    /// What the condition says of an event in which no test of the filter holds.
    fn passes(&self, condition: &Condition<'a>) -> bool {
        let detection = |index: &usize| self.detections.get(*index).is_some_and(|found| passes(&found.tree));
        match condition {
            Condition::And(terms) => terms.iter().all(|term| self.passes(term)),
            Condition::Or(terms) => terms.iter().any(|term| self.passes(term)),
            Condition::Not(inner) => !self.passes(inner),
            Condition::Detection { index, .. } => detection(index),
            Condition::Of { quantifier: crate::Quantifier::Any, matched, .. } => matched.iter().any(detection),
            Condition::Of { quantifier: crate::Quantifier::All, matched, .. } => matched.iter().all(detection),
        }
    }
}

/// The same of a detection: only a negated item holds.
fn passes(tree: &Tree<'_>) -> bool {
    match tree {
        Tree::All(nodes) => nodes.iter().all(passes),
        Tree::Any(nodes) => nodes.iter().any(passes),
        Tree::Item(item) => item.negated,
    }
}

impl<'a> Rule<'a> {
    /// Joins the rule with filters: each of its conditions becomes `(condition) and (filter) and …`, in the order of the
    /// filters. One without a condition is passed over.
    pub fn join(&mut self, filters: &[&Filter<'a>]) {
        let mut added = Vec::with_capacity(filters.len());
        for (number, filter) in filters.iter().enumerate() {
            let Some((condition, _)) = &filter.condition else { continue };
            let first = self.detections.len();
            // Patterns of conditions pass over such a name too, should they ever be read again.
            let mut prefix = format!("_filter_{}_", number + 1);
            while self.detections.iter().any(|found| found.name.starts_with(&prefix)) {
                prefix.push('_');
            }
            let named =
                |found: &Detection<'a>| Detection { name: format!("{prefix}{}", found.name).into(), ..found.clone() };
            self.detections.extend(filter.detections.iter().map(named));
            added.push(shifted(condition, first));
        }
        if added.is_empty() {
            return;
        }
        for (condition, _) in &mut self.conditions {
            let own = std::mem::replace(condition, Condition::And(Vec::new()));
            *condition = Condition::And(std::iter::once(own).chain(added.iter().cloned()).collect());
        }
    }
}

/// The condition with its detections this many places further.
fn shifted<'a>(condition: &Condition<'a>, by: usize) -> Condition<'a> {
    let all = |terms: &[Condition<'a>]| terms.iter().map(|term| shifted(term, by)).collect();
    match condition {
        Condition::And(terms) => Condition::And(all(terms)),
        Condition::Or(terms) => Condition::Or(all(terms)),
        Condition::Not(inner) => Condition::Not(Box::new(shifted(inner, by))),
        Condition::Detection { index, span } => Condition::Detection { index: index + by, span: *span },
        Condition::Of { quantifier, pattern, matched, span } => Condition::Of {
            quantifier: *quantifier,
            pattern: pattern.clone(),
            matched: matched.iter().map(|index| index + by).collect(),
            span: *span,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigcast_diagnostics::SourceId;

    fn source(text: &str) -> LogSource<'_> {
        let mut parts = text.split('/').map(|part| (!part.is_empty()).then_some(Cow::Borrowed(part)));
        let mut next = || parts.next().flatten();
        LogSource { category: next(), product: next(), service: next(), ..LogSource::default() }
    }

    #[test]
    fn a_log_source_contains_those_with_the_same_parts_and_more() {
        let check = |filter: &str, rule: &str, expected: bool| {
            assert_eq!(source(filter).contains(&source(rule)), expected, "{filter} {rule}");
        };
        check("process_creation/windows/", "process_creation/windows/", true);
        check("/windows/", "process_creation/windows/sysmon", true);
        check("/Windows/", "process_creation/windows/", true);
        check("process_creation/windows/", "/windows/", false);
        check("/windows/sysmon", "process_creation/windows/", false);
        check("/linux/", "process_creation/windows/", false);
        let custom =
            |value: bool| LogSource { custom: vec![("x".into(), crate::Attribute::Bool(value))], ..source("/a/") };
        assert!(custom(true).contains(&custom(true)) && source("/a/").contains(&custom(true)));
        assert!(!custom(true).contains(&custom(false)) && !custom(true).contains(&source("/a/")));
    }

    #[test]
    fn ids_are_caseless_and_names_are_not() {
        let meta = Meta { id: Some("aB-1".into()), name: Some("some_rule".into()), ..Meta::default() };
        let check = |text: &str, expected: bool| {
            let reference = Reference { text: text.into(), span: Span::new(SourceId(0), 0, 0) };
            assert_eq!(reference.names(&meta), expected, "{text}");
        };
        check("Ab-1", true);
        check("some_rule", true);
        check("Some_Rule", false);
        check("other", false);
    }
}
