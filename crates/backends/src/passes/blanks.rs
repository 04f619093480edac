//! Null or empty as one test, for stores that cannot tell them apart.
//!
//! The meaning stays: an event that passes the query before passes it after, and no other.

use sigcast_ir::{Case, Expr, Match, Part, Pattern, Query, Shape, Test};

use crate::dialect::Dialect;

/// The test of a text that is not empty, `?*`. Numbers, taken by their text, pass it.
#[must_use]
pub fn not_empty<'a>() -> Test<'a> {
    Test::Text { pattern: Pattern::from_parts([Part::AnyOne, Part::AnyRun]), case: Case::Insensitive }
}

/// Null or empty as one test, which needs no distinction between them.
///
/// Before: `f is null or f is ''`. After: `not (f is ?*)`. Likewise `not (f is null) and not (f is '')` is `f is ?*`.
#[must_use]
pub fn merge_blanks<'a>(query: Query<'a>, _: &Dialect) -> Query<'a> {
    merge_each(query)
}

fn merge_each(query: Query<'_>) -> Query<'_> {
    match query {
        Expr::And(terms) => Expr::And(merge(terms.into_iter().map(merge_each).collect(), true)),
        Expr::Or(terms) => Expr::Or(merge(terms.into_iter().map(merge_each).collect(), false)),
        Expr::Not(inner) => Expr::negate(merge_each(*inner)),
        other => other,
    }
}

/// What a term says of emptiness.
#[derive(Clone, Copy, PartialEq)]
enum Blank {
    Absent,
    Empty,
}

fn merge(mut terms: Vec<Query<'_>>, and: bool) -> Vec<Query<'_>> {
    let mut at = 0;
    while at < terms.len() {
        let partner = blank(&terms[at], and).and_then(|(kind, found)| {
            let wanted = if kind == Blank::Empty { Blank::Absent } else { Blank::Empty };
            let partner = terms.iter().skip(at + 1).position(|term| {
                blank(term, and).is_some_and(|(kind, other)| kind == wanted && other.subject == found.subject)
            })?;
            Some((at + 1 + partner, Expr::Match(found.with(not_empty()))))
        });
        if let Some((partner, merged)) = partner {
            terms.remove(partner);
            terms[at] = if and { merged } else { Expr::negate(merged) };
        }
        at += 1;
    }
    terms
}

/// In a disjunction: `f is null`, `f is ''`. In a conjunction: `not` these, and `f is *`, which null does not pass.
fn blank<'t, 'a>(term: &'t Query<'a>, and: bool) -> Option<(Blank, &'t Match<'a>)> {
    let (found, negated) = match term {
        Expr::Match(found) => (found, false),
        Expr::Not(inner) => match &**inner {
            Expr::Match(found) => (found, true),
            _ => return None,
        },
        _ => return None,
    };
    found.field()?;
    let kind = match (&found.test, negated) {
        (Test::Null, _) if negated == and => Blank::Absent,
        (Test::Text { pattern, .. }, _) if negated == and && pattern.shape() == Shape::Empty => Blank::Empty,
        (Test::Text { pattern, .. }, false) if and && pattern.shape() == Shape::Anything => Blank::Absent,
        _ => return None,
    };
    Some((kind, found))
}
