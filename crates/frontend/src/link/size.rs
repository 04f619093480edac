//! How large rules are, so that copies of them stay within bounds: a chain of correlations that doubles at every step
//! would exhaust any memory.

use sigcast_ir::{Attribute, Condition, Rule, Tree};

/// How many correlations may stand in each other.
pub(crate) const MAX_DEPTH: usize = 16;
/// How large one correlation may be, in parts as [`rule`] counts them.
pub(crate) const MAX_SIZE: usize = 200_000;
/// How large all correlations of a run may be together.
pub(crate) const MAX_RUN: usize = 10_000_000;

/// About how many parts a rule has: items, values, terms, and a line's worth of text each.
pub(crate) fn rule(rule: &Rule<'_>) -> usize {
    let text = (rule.span.end - rule.span.start) as usize / 64;
    let detections: usize = rule.detections.iter().map(|detection| 1 + tree(&detection.tree)).sum();
    let conditions: usize = rule.conditions.iter().map(|(found, _)| condition(found)).sum();
    let meta = &rule.meta;
    let lists = meta.tags.len() + meta.references.len() + meta.fields.len() + meta.related.len();
    let custom = meta.custom.iter().chain(&rule.logsource.custom);
    1 + text + detections + conditions + lists + custom.map(|(_, value)| attribute(value)).sum::<usize>()
}

fn tree(tree: &Tree<'_>) -> usize {
    match tree {
        Tree::All(nodes) | Tree::Any(nodes) => 1 + nodes.iter().map(self::tree).sum::<usize>(),
        Tree::Item(item) => 1 + item.values.len() + item.modifiers.len(),
    }
}

fn condition(condition: &Condition<'_>) -> usize {
    match condition {
        Condition::And(terms) | Condition::Or(terms) => 1 + terms.iter().map(self::condition).sum::<usize>(),
        Condition::Not(inner) => 1 + self::condition(inner),
        Condition::Detection { .. } => 1,
        Condition::Of { matched, .. } => 1 + matched.len(),
    }
}

fn attribute(value: &Attribute<'_>) -> usize {
    match value {
        Attribute::List(values) => 1 + values.iter().map(attribute).sum::<usize>(),
        Attribute::Map(entries) => 1 + entries.iter().map(|(_, value)| attribute(value)).sum::<usize>(),
        Attribute::Null | Attribute::Bool(_) | Attribute::Number(_) | Attribute::Text(_) => 1,
    }
}
