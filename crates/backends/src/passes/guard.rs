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
        Expr::Or(terms) if negated => disjunction(terms, needs),
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

/// A negated disjunction: neighbours that need the same guards stand behind one.
fn disjunction<'a>(terms: Vec<Query<'a>>, needs: fn(&Match<'_>) -> bool) -> Query<'a> {
    let mut runs: Vec<(Vec<Query<'a>>, Vec<Query<'a>>)> = Vec::new();
    for term in terms {
        let own = match &term {
            Expr::Match(found) if found.field().is_some() && needs(found) => guards(found),
            _ => Vec::new(),
        };
        let term = if own.is_empty() { descend(term, true, needs) } else { term };
        match runs.last_mut() {
            Some((shared, run)) if *shared == own => run.push(term),
            _ => runs.push((own, vec![term])),
        }
    }
    let mut out = Vec::with_capacity(runs.len());
    for (mut guards, mut run) in runs {
        if guards.is_empty() {
            out.append(&mut run);
        } else {
            guards.push(if run.len() == 1 { run.swap_remove(0) } else { Expr::Or(run) });
            out.push(Expr::And(guards));
        }
    }
    if out.len() == 1 { out.swap_remove(0) } else { Expr::Or(out) }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sigcast_diagnostics::{SourceId, Span};
    use sigcast_ir::{Affix, Case, Field, Order};

    use super::*;
    use crate::passes::split::tests::{Event, dialects, events, holds, leaf_holds, query, value};

    /// What an engine answers whose comparisons with an absent field are unknown: 0 false, 1 unknown, 2 true.
    fn answer(query: &Query<'_>, event: Event) -> u8 {
        match query {
            Expr::And(terms) => terms.iter().map(|term| answer(term, event)).min().unwrap_or(2),
            Expr::Or(terms) => terms.iter().map(|term| answer(term, event)).max().unwrap_or(0),
            Expr::Not(inner) => 2 - answer(inner, event),
            Expr::Match(found) if (dialects().1.needs_guard)(found) && value(found, event).is_none() => 1,
            Expr::Match(found) => 2 * u8::from(leaf_holds(found, event)),
            Expr::Const(value) => 2 * u8::from(*value),
        }
    }

    proptest! {
        #[test]
        fn an_engine_with_unknowns_finds_the_same_events(query in query()) {
            let guarded = guard(query.clone(), dialects().1);
            for event in events() {
                prop_assert_eq!(answer(&guarded, event) == 2, holds(&query, event), "{:?}: {:?}", event, &guarded);
                prop_assert_eq!(holds(&guarded, event), holds(&query, event));
            }
        }
    }

    fn leaf(field: &'static str, test: Test<'static>) -> Query<'static> {
        let subject = Subject::Field(Field::new(field));
        Expr::Match(Match { subject, test, span: Span::new(SourceId(0), 0, 0) })
    }

    #[track_caller]
    fn check(query: Query<'static>, wanted: &Query<'static>) {
        assert_eq!(&guard(query, dialects().1).simplify(), wanted);
    }

    #[test]
    fn guards_stand_where_they_are_needed() {
        let is = |field| leaf(field, Test::Bool(true));
        let present = |field| leaf(field, Test::Exists(true));
        let not = Expr::negate;
        check(is("f"), &is("f"));
        check(not(is("f")), &not(Expr::And(vec![present("f"), is("f")])));
        check(not(not(is("f"))), &is("f"));
        check(not(leaf("f", Test::Null)), &not(leaf("f", Test::Null)));
        let number = sigcast_ir::Number { text: "5".into(), value: sigcast_ir::NumberValue::Integer(5) };
        let five = leaf("f", Test::Number { order: Order::Equal, value: number });
        check(
            not(Expr::Or(vec![is("f"), five.clone()])),
            &not(Expr::And(vec![present("f"), Expr::Or(vec![is("f"), five])])),
        );
        let same = leaf("f", Test::SameAs { other: Field::new("g"), affix: Affix::Equals, case: Case::Sensitive });
        check(not(same.clone()), &not(Expr::And(vec![present("f"), present("g"), same])));
    }
}
