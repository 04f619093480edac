//! One type a field: columns of engines have one, and operators of another are errors.
//!
//! The meaning stays: an event that passes the query before passes it after, and no other.

use sigcast_ir::{Case, Expr, NumberValue, Order, Pattern, Query, Subject, Test};

use crate::dialect::Dialect;

/// Numbers as text, for fields that the query tests as text elsewhere: a column has one type, and operators of another
/// are errors. A text that spells the number in its usual form is equal to it.
///
/// Before: `f = 'u+s' or f = 777`. After: `f = 'u+s' or f = '777'`.
#[must_use]
pub fn one_type<'a>(query: Query<'a>, _: &Dialect) -> Query<'a> {
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
