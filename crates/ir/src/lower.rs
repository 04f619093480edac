//! From a rule to what must match: one expression a condition.
//!
//! Nothing is simplified here: the nesting of the result is the nesting of the rule, which old styles of output print.

use sigcast_diagnostics::Span;

use crate::{Condition, DetectionItem, Expr, Match, Quantifier, Query, Rule, Subject, Test, Tree, ValueLinking};

/// The expression of each condition with the place of that condition, in order. Not simplified: see [`Expr::simplify`].
pub fn queries<'a>(rule: &Rule<'a>) -> Vec<(Query<'a>, Span)> {
    rule.conditions.iter().map(|(condition, span)| (lower(rule, condition), *span)).collect()
}

fn lower<'a>(rule: &Rule<'a>, condition: &Condition<'a>) -> Query<'a> {
    let all = |terms: &[Condition<'a>]| terms.iter().map(|term| lower(rule, term)).collect();
    match condition {
        Condition::And(terms) => Expr::And(all(terms)),
        Condition::Or(terms) => Expr::Or(all(terms)),
        Condition::Not(inner) => Expr::negate(lower(rule, inner)),
        Condition::Detection { index, .. } => detection(rule, *index),
        Condition::Of { quantifier, matched, .. } => {
            let terms = matched.iter().map(|index| detection(rule, *index)).collect();
            match quantifier {
                Quantifier::Any => Expr::Or(terms),
                Quantifier::All => Expr::And(terms),
            }
        }
    }
}

fn detection<'a>(rule: &Rule<'a>, index: usize) -> Query<'a> {
    // The frontend resolves names to indices that exist; a detection that is not there matches nothing.
    rule.detections.get(index).map_or(Expr::Const(false), |detection| tree(&detection.tree))
}

fn tree<'a>(node: &Tree<'a>) -> Query<'a> {
    match node {
        Tree::All(nodes) => Expr::And(nodes.iter().map(tree).collect()),
        Tree::Any(nodes) => Expr::Or(nodes.iter().map(tree).collect()),
        Tree::Item(item) => detection_item(item),
    }
}

/// What one detection item asks, wherever it stands.
pub fn detection_item<'a>(item: &DetectionItem<'a>) -> Query<'a> {
    let terms: Vec<Query<'a>> = item.values.iter().map(|value| test(item, &value.test, value.span)).collect();
    let joined = match item.linking {
        _ if terms.len() == 1 && !item.list => terms.into_iter().next().unwrap_or(Expr::Const(false)),
        ValueLinking::Any => Expr::Or(terms),
        ValueLinking::All => Expr::And(terms),
    };
    if item.negated { Expr::negate(joined) } else { joined }
}

fn test<'a>(item: &DetectionItem<'a>, wanted: &Test<'a>, span: Span) -> Query<'a> {
    if let Test::OneOf(variants) = wanted {
        return Expr::Or(variants.iter().map(|variant| test(item, variant, span)).collect());
    }
    let subject = item.field.clone().map_or(Subject::Event, Subject::Field);
    Expr::Match(Match { subject, test: wanted.clone(), span })
}
