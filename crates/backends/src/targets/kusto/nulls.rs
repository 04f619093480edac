//! Passes for what Kusto cannot tell apart, or answers with null; and one type a field.
//!
//! Each keeps the meaning: an event that passes the query before passes it after, and no other.

use sigcast_ir::{Case, Expr, Match, NumberValue, Order, Part, Pattern, Query, Shape, Subject, Test};

use crate::dialect::Dialect;

/// Numbers as text, for fields that the query tests as text elsewhere: a column has one type, and operators of another
/// are errors. A text that spells the number in its usual form is equal to it.
///
/// Before: `f = 'u+s' or f = 777`. After: `f = 'u+s' or f = '777'`.
#[must_use]
pub(in crate::targets) fn one_type<'a>(query: Query<'a>, _: &Dialect) -> Query<'a> {
    let mut numbers = false;
    let mut texts: Vec<Subject<'a>> = Vec::new();
    query.each_match(&mut |found| {
        numbers = numbers || matches!(found.test, Test::Number { .. });
        if is_text(&found.test) && !texts.contains(&found.subject) {
            texts.push(found.subject.clone());
        }
    });
    if numbers { spell(query, &texts) } else { query }
}

/// Whether only text has this test. Presence and emptiness are tests of every type.
fn is_text(test: &Test<'_>) -> bool {
    match test {
        Test::Text { pattern, .. } => pattern.texts().next().is_some(),
        Test::Regex(_) | Test::Network(_) | Test::SameAs { .. } => true,
        _ => false,
    }
}

fn spell<'a>(query: Query<'a>, texts: &[Subject<'a>]) -> Query<'a> {
    match query {
        Expr::And(terms) => Expr::And(terms.into_iter().map(|term| spell(term, texts)).collect()),
        Expr::Or(terms) => Expr::Or(terms.into_iter().map(|term| spell(term, texts)).collect()),
        Expr::Not(inner) => Expr::negate(spell(*inner, texts)),
        Expr::Match(found) if found.field().is_some() && texts.contains(&found.subject) => {
            let Test::Number { order: Order::Equal, value } = &found.test else { return Expr::Match(found) };
            let text = match value.value {
                NumberValue::Integer(integer) => integer.to_string().into(),
                NumberValue::Float(_) => value.text.clone(),
            };
            Expr::Match(found.with(Test::Text { pattern: Pattern::exact(text), case: Case::Insensitive }))
        }
        other => other,
    }
}

/// The test of a text that is not empty, `?*`. Numbers, taken by their text, pass it.
fn not_empty<'a>() -> Test<'a> {
    Test::Text { pattern: Pattern::from_parts([Part::AnyOne, Part::AnyRun]), case: Case::Insensitive }
}

/// Null or empty as one test, which needs no distinction between them.
///
/// Before: `f is null or f is ''`. After: `not (f is ?*)`. Likewise `not (f is null) and not (f is '')` is `f is ?*`.
#[must_use]
pub(super) fn merge_blanks<'a>(query: Query<'a>, _: &Dialect) -> Query<'a> {
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
