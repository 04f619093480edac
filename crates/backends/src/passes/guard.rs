//! Guards under negation, for languages in which a comparison with an absent field is neither true nor false.
//!
//! Before: `not (f < 5)`. After: `not (f is present and f < 5)`, which is true for an absent field, as Sigma wants it.
//! Outside a negation, and under an even number of them, an unknown answer drops the event, as `false` does (the
//! operators take the least and the greatest of false, unknown, true): no guard is needed there. A comparison of two
//! fields is guarded by both. Tests of one field side by side share a guard.

use sigcast_ir::{Expr, Match, Query, Subject, Test};

use crate::dialect::Dialect;

/// The query with a guard before each leaf under an odd number of negations that needs one.
#[must_use]
pub fn guard<'a>(query: Query<'a>, dialect: &Dialect) -> Query<'a> {
    descend(query, false, dialect.needs_guard)
}

fn descend<'a>(query: Query<'a>, negated: bool, needs: fn(&Match<'_>) -> bool) -> Query<'a> {
    match query {
        Expr::Or(terms) if negated => match shared(&terms, needs) {
            Some(mut guards) => {
                guards.push(Expr::Or(terms));
                Expr::And(guards)
            }
            None => Expr::Or(terms.into_iter().map(|term| descend(term, negated, needs)).collect()),
        },
        Expr::And(terms) => {
            let mut guarded = Vec::with_capacity(terms.len());
            for term in terms {
                match descend(term, negated, needs) {
                    // A guard that stands already is not repeated.
                    Expr::And(inner) => inner.into_iter().for_each(|term| {
                        if !guarded.contains(&term) {
                            guarded.push(term);
                        }
                    }),
                    other => guarded.push(other),
                }
            }
            Expr::And(guarded)
        }
        Expr::Or(terms) => Expr::Or(terms.into_iter().map(|term| descend(term, negated, needs)).collect()),
        Expr::Not(inner) => Expr::negate(descend(*inner, !negated, needs)),
        Expr::Match(found) if negated && found.field().is_some() && needs(&found) => {
            let mut terms = guards(&found);
            terms.push(Expr::Match(found));
            Expr::And(terms)
        }
        other => other,
    }
}

/// The guards that all terms of a disjunction need alike, if they are leaves that do.
fn shared<'a>(terms: &[Query<'a>], needs: fn(&Match<'_>) -> bool) -> Option<Vec<Query<'a>>> {
    let mut common = None;
    for term in terms {
        let Expr::Match(found) = term else { return None };
        if found.field().is_none() || !needs(found) {
            return None;
        }
        let own = guards(found);
        if common.get_or_insert_with(|| own.clone()) != &own {
            return None;
        }
    }
    common
}

/// Presence of the fields of a leaf.
fn guards<'a>(found: &Match<'a>) -> Vec<Query<'a>> {
    let mut guards = vec![Expr::Match(found.with(Test::Exists(true)))];
    if let Test::SameAs { other, .. } = &found.test {
        let test = Test::Exists(true);
        guards.push(Expr::Match(Match { subject: Subject::Field(other.clone()), test, span: found.span }));
    }
    guards
}
