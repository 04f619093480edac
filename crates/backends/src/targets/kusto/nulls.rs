//! Guards for what Kusto answers with null.
//!
//! The meaning stays: an event that passes the query before passes it after, and no other.

use sigcast_ir::{Expr, Match, Query, Test};

use crate::dialect::Dialect;
use crate::passes::blanks::not_empty;

/// Guards under negation for comparisons with null, which are neither true nor false.
///
/// Before: `not (n = 1 or n = 2)`. After: `not (n is ?* and (n = 1 or n = 2))`, which is true for an absent `n`, as
/// Sigma wants it. Outside a negation an unknown answer drops the event, as `false` does.
#[must_use]
pub(super) fn guard<'a>(query: Query<'a>, _: &Dialect) -> Query<'a> {
    descend(query, false)
}

fn descend(query: Query<'_>, negated: bool) -> Query<'_> {
    match query {
        Expr::And(terms) => Expr::And(terms.into_iter().map(|term| descend(term, negated)).collect()),
        Expr::Or(terms) if negated => Expr::Or(guard_together(terms)),
        Expr::Or(terms) => Expr::Or(terms.into_iter().map(|term| descend(term, negated)).collect()),
        Expr::Not(inner) => Expr::negate(descend(*inner, true)),
        Expr::Match(found) if negated && may_be_null(&found) => {
            Expr::And(vec![Expr::Match(found.with(not_empty())), Expr::Match(found)])
        }
        other => other,
    }
}

/// One guard for neighbours on one field, so that they can still stand in a list.
fn guard_together(terms: Vec<Query<'_>>) -> Vec<Query<'_>> {
    let mut out: Vec<Query<'_>> = Vec::with_capacity(terms.len());
    let mut run: Vec<Match<'_>> = Vec::new();
    for term in terms {
        match term {
            Expr::Match(found) if may_be_null(&found) => {
                if run.first().is_some_and(|first| first.subject != found.subject) {
                    out.extend(guarded(std::mem::take(&mut run)));
                }
                run.push(found);
            }
            other => {
                out.extend(guarded(std::mem::take(&mut run)));
                out.push(descend(other, true));
            }
        }
    }
    out.extend(guarded(run));
    out
}

fn guarded(run: Vec<Match<'_>>) -> Option<Query<'_>> {
    let guard = Expr::Match(run.first()?.with(not_empty()));
    Some(Expr::And(vec![guard, Expr::Or(run.into_iter().map(Expr::Match).collect())]))
}

/// Tests of columns that are not text. Networks are guarded where they are written; booleans are compared as text.
fn may_be_null(found: &Match<'_>) -> bool {
    found.field().is_some() && matches!(found.test, Test::Number { .. } | Test::TimePart { .. })
}
