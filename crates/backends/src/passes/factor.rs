//! The shape of queries as converters of old printed them: nesting as written, merged and factored by three rules.
//!
//! Source: the pages of the Atomic Threat Coverage library of 2019 and 2020, from which the rules were deduced.
//! - lists: the values of one item are one term, whatever their number;
//! - one: a conjunction or disjunction of one term is that term;
//! - merge: a term of the same kind is taken into the one it stands in, but only if every other term there is a field's
//!   or of the same kind too: a keyword, a negation or the other kind beside it keeps the nesting;
//! - factor: in a disjunction of conjunctions, what all of them share goes in front.
//!
//! Before: `(x and (a)) or (x and b)`. After: `x and (a or b)`.

use sigcast_ir::{Case, Expr, Match, Order, Query, Subject, Test};

use crate::dialect::Dialect;

/// The query in that shape. The values of an item become one leaf with [`Test::OneOf`]; so does a disjunction of
/// keywords.
#[must_use]
pub fn shape<'a>(query: Query<'a>, _: &Dialect) -> Query<'a> {
    keyword_groups(normal(value_lists(query)))
}

/// Lists of values as one leaf each. Where tests of one field stand directly in a disjunction, they are the values of
/// one item: the items of a map stand in a conjunction of their own, be it of one.
fn value_lists(query: Query<'_>) -> Query<'_> {
    match query {
        Expr::And(terms) => Expr::And(terms.into_iter().map(value_lists).collect()),
        Expr::Not(inner) => Expr::negate(value_lists(*inner)),
        Expr::Or(terms) => {
            let mut values = Vec::new();
            let whole = terms.iter().all(|term| collect(term, &mut values));
            let subject = values.first().map(|first| first.subject.clone());
            let one_field =
                subject.as_ref().is_some_and(|subject| values.iter().all(|value| value.subject == *subject));
            match (values.first(), values.last(), subject) {
                (Some(first), Some(last), Some(subject)) if whole && one_field => {
                    let span = first.span.to(last.span);
                    let tests = values.iter().map(|value| value.test.clone()).collect();
                    Expr::Match(Match { subject, test: Test::OneOf(tests), span })
                }
                _ => Expr::Or(terms.into_iter().map(value_lists).collect()),
            }
        }
        other => other,
    }
}

/// Collects the values of a term of a list; whether it is one: a test of a field that old styles knew, or the variants
/// of one.
fn collect<'q, 'a>(term: &'q Query<'a>, values: &mut Vec<&'q Match<'a>>) -> bool {
    match term {
        Expr::Match(found) if found.field().is_some() && listable(&found.test) => {
            values.push(found);
            true
        }
        Expr::Or(terms) => terms.iter().all(|term| collect(term, values)),
        _ => false,
    }
}

fn listable(test: &Test<'_>) -> bool {
    match test {
        Test::Text { case, .. } => *case == Case::Insensitive,
        Test::Number { order, .. } => *order == Order::Equal,
        Test::Regex(_) | Test::Bool(_) | Test::Null => true,
        _ => false,
    }
}

fn normal(query: Query<'_>) -> Query<'_> {
    match query {
        Expr::And(terms) => junction(terms, true),
        Expr::Or(terms) => junction(terms, false),
        Expr::Not(inner) => Expr::negate(normal(*inner)),
        leaf => leaf,
    }
}

fn junction(terms: Vec<Query<'_>>, and: bool) -> Query<'_> {
    let mut terms: Vec<Query<'_>> = terms.into_iter().map(normal).collect();
    if terms.len() == 1 {
        return terms.swap_remove(0);
    }
    let same = |term: &Query<'_>| matches!((term, and), (Expr::And(_), true) | (Expr::Or(_), false));
    let field = |term: &Query<'_>| matches!(term, Expr::Match(found) if found.field().is_some());
    if terms.iter().any(same) && terms.iter().all(|term| same(term) || field(term)) {
        let merged = terms
            .into_iter()
            .flat_map(|term| match term {
                Expr::And(inner) | Expr::Or(inner) => inner,
                leaf => vec![leaf],
            })
            .collect();
        return junction(merged, and);
    }
    if and { Expr::And(terms) } else { factored(terms) }
}

/// A disjunction with what its conjunctions share in front of it. A conjunction that is nothing but the shared part
/// keeps everything as it is.
fn factored(terms: Vec<Query<'_>>) -> Query<'_> {
    let branches: Option<Vec<&Vec<Query<'_>>>> = terms
        .iter()
        .map(|term| match term {
            Expr::And(inner) => Some(inner),
            _ => None,
        })
        .collect();
    let Some([first, rest @ ..]) = branches.as_deref() else { return Expr::Or(terms) };
    let mut shared: Vec<Query<'_>> =
        first.iter().filter(|term| rest.iter().all(|branch| branch.contains(term))).cloned().collect();
    let remains = |branch: &Vec<Query<'_>>| branch.iter().any(|term| !shared.contains(term));
    if shared.is_empty() || !remains(first) || !rest.iter().all(|branch| remains(branch)) {
        return Expr::Or(terms);
    }
    let branches = terms
        .into_iter()
        .map(|term| match term {
            Expr::And(inner) => Expr::And(inner.into_iter().filter(|term| !shared.contains(term)).collect()),
            other => other,
        })
        .collect();
    shared.push(Expr::Or(branches));
    junction(shared, true)
}

/// Disjunctions of nothing but keywords as one leaf each.
fn keyword_groups(query: Query<'_>) -> Query<'_> {
    match query {
        Expr::And(terms) => Expr::And(terms.into_iter().map(keyword_groups).collect()),
        Expr::Not(inner) => Expr::negate(keyword_groups(*inner)),
        Expr::Or(terms) => {
            let words: Option<Vec<&Match<'_>>> = terms
                .iter()
                .map(|term| match term {
                    Expr::Match(found) if found.field().is_none() && matches!(found.test, Test::Text { .. }) => {
                        Some(found)
                    }
                    _ => None,
                })
                .collect();
            match words.as_deref() {
                Some([first, .., last]) => {
                    let span = first.span.to(last.span);
                    let tests = words.iter().flatten().map(|word| word.test.clone()).collect();
                    Expr::Match(Match { subject: Subject::Event, test: Test::OneOf(tests), span })
                }
                _ => Expr::Or(terms.into_iter().map(keyword_groups).collect()),
            }
        }
        other => other,
    }
}
