//! Guards under negation, for languages in which a comparison with an absent field is neither true nor false.
//!
//! Before: `not (f < 5)`. After: `not (f is present and f < 5)`, which is true for an absent field, as Sigma wants it.
//! Outside a negation an unknown answer drops the event, as `false` does: no guard is needed there.

use sigcast_ir::{Expr, Match, Query, Test};

use crate::dialect::Dialect;

/// The query with a guard before each leaf under a negation that needs one.
#[must_use]
pub fn guard<'a>(query: Query<'a>, dialect: &Dialect) -> Query<'a> {
    descend(query, false, dialect.needs_guard)
}

fn descend<'a>(query: Query<'a>, negated: bool, needs: fn(&Match<'_>) -> bool) -> Query<'a> {
    match query {
        Expr::And(terms) => Expr::And(terms.into_iter().map(|term| descend(term, negated, needs)).collect()),
        Expr::Or(terms) => Expr::Or(terms.into_iter().map(|term| descend(term, negated, needs)).collect()),
        Expr::Not(inner) => Expr::negate(descend(*inner, true, needs)),
        Expr::Match(found) if negated && found.field().is_some() && needs(&found) => {
            Expr::And(vec![Expr::Match(found.with(Test::Exists(true))), Expr::Match(found)])
        }
        other => other,
    }
}
