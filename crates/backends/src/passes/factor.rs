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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sigcast_diagnostics::{SourceId, Span};
    use sigcast_ir::{Field, Pattern};

    use super::*;

    const NAMES: [&str; 4] = ["a", "b", "c", "d"];

    fn leaf(subject: Subject<'static>, value: &'static str) -> Query<'static> {
        let test = Test::Text { pattern: Pattern::exact(value), case: Case::Insensitive };
        Expr::Match(Match { subject, test, span: Span::new(SourceId(0), 0, 0) })
    }

    fn field(name: &'static str) -> Query<'static> {
        leaf(Subject::Field(Field::new(name)), "v")
    }

    fn keyword(word: &'static str) -> Query<'static> {
        leaf(Subject::Event, word)
    }

    fn dialect() -> &'static Dialect {
        match crate::targets::find("lucene").map(|target| target.language) {
            Some(crate::target::Language::Single(dialect)) => dialect,
            _ => panic!("one dialect"),
        }
    }

    /// A query in brackets: `[a & b]`, `[a | b]`, `!a`, `f:{v,w}` for a list, words for keywords.
    fn shown(query: &Query<'_>) -> String {
        let joined =
            |terms: &[Query<'_>], sign: &str| format!("[{}]", terms.iter().map(shown).collect::<Vec<_>>().join(sign));
        let text = |test: &Test<'_>| match test {
            Test::Text { pattern, .. } => pattern.texts().collect::<String>(),
            _ => panic!("a text"),
        };
        match query {
            Expr::And(terms) => joined(terms, " & "),
            Expr::Or(terms) => joined(terms, " | "),
            Expr::Not(inner) => format!("!{}", shown(inner)),
            Expr::Const(value) => value.to_string(),
            Expr::Match(found) => match (found.field(), &found.test) {
                (Some(field), Test::OneOf(tests)) => {
                    format!("{}:{{{}}}", field.as_str(), tests.iter().map(text).collect::<Vec<_>>().join(","))
                }
                (Some(field), _) => field.as_str().to_owned(),
                (None, Test::OneOf(tests)) => format!("<{}>", tests.iter().map(text).collect::<Vec<_>>().join(",")),
                (None, test) => format!("<{}>", text(test)),
            },
        }
    }

    #[track_caller]
    fn check(query: Query<'static>, wanted: &str) {
        assert_eq!(shown(&shape(query, dialect())), wanted);
    }

    #[test]
    fn terms_of_the_same_kind_are_merged_unless_something_else_stands_beside_them() {
        let (a, b, c) = (field("a"), field("b"), field("c"));
        let and = |terms: &[&Query<'static>]| Expr::And(terms.iter().map(|term| (*term).clone()).collect());
        let or = |terms: &[&Query<'static>]| Expr::Or(terms.iter().map(|term| (*term).clone()).collect());
        let not = |term: &Query<'static>| Expr::negate(term.clone());
        check(and(&[&and(&[&a])]), "a");
        check(and(&[&and(&[&a, &b]), &and(&[&c])]), "[a & b & c]");
        check(and(&[&and(&[&a, &b]), &not(&c)]), "[[a & b] & !c]");
        check(and(&[&and(&[&a, &b]), &keyword("k")]), "[[a & b] & <k>]");
        check(and(&[&and(&[&a, &b]), &or(&[&and(&[&c]), &and(&[&a])])]), "[[a & b] & [c | a]]");
        check(or(&[&or(&[&and(&[&a]), &and(&[&b])]), &and(&[&c])]), "[a | b | c]");
    }

    #[test]
    fn the_values_of_an_item_are_one_term_and_detections_are_not() {
        let value = |text| leaf(Subject::Field(Field::new("f")), text);
        check(Expr::Or(vec![value("v"), value("w")]), "f:{v,w}");
        check(Expr::Or(vec![value("v")]), "f:{v}");
        // Variants of a value, as `base64offset` makes them, are values like the others.
        check(Expr::Or(vec![Expr::Or(vec![value("v"), value("w")]), value("x")]), "f:{v,w,x}");
        // Two maps with one item each.
        check(Expr::Or(vec![Expr::And(vec![value("v")]), Expr::And(vec![value("w")])]), "[f | f]");
        check(Expr::And(vec![Expr::And(vec![value("v"), value("w")]), field("a")]), "[f & f & a]");
        check(Expr::Or(vec![keyword("k"), keyword("l")]), "<k,l>");
        check(Expr::Or(vec![keyword("k")]), "<k>");
    }

    #[test]
    fn what_all_branches_share_goes_in_front() {
        let and = |names: &[&'static str]| Expr::And(names.iter().map(|name| field(name)).collect());
        check(Expr::Or(vec![and(&["x", "a"]), and(&["x", "b"])]), "[x & [a | b]]");
        check(Expr::Or(vec![and(&["x", "a", "b"]), and(&["c", "x"])]), "[x & [[a & b] | c]]");
        check(Expr::Or(vec![and(&["x", "a"]), and(&["y", "b"])]), "[[x & a] | [y & b]]");
        check(Expr::Or(vec![and(&["x", "a"]), and(&["x"])]), "[[x & a] | x]");
        check(Expr::Or(vec![and(&["x", "a"]), and(&["x", "y", "a"])]), "[[x & a] | [x & y & a]]");
    }

    fn query() -> impl Strategy<Value = Query<'static>> {
        let leaves =
            prop_oneof![(0..4usize).prop_map(|at| field(NAMES[at])), (0..4usize).prop_map(|at| keyword(NAMES[at])),];
        leaves.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Expr::And),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Expr::Or),
                inner.prop_map(Expr::negate),
            ]
        })
    }

    /// Whether an event matches that has the fields (low bits) and the keywords (high bits) of `event`.
    fn holds(query: &Query<'_>, event: u8) -> bool {
        match query {
            Expr::And(terms) => terms.iter().all(|term| holds(term, event)),
            Expr::Or(terms) => terms.iter().any(|term| holds(term, event)),
            Expr::Not(inner) => !holds(inner, event),
            Expr::Const(value) => *value,
            Expr::Match(found) => {
                let tests = match &found.test {
                    Test::OneOf(tests) => tests.as_slice(),
                    test => std::slice::from_ref(test),
                };
                tests.iter().any(|test| {
                    let Test::Text { pattern, .. } = test else { panic!("a text") };
                    let word = pattern.texts().next().unwrap_or_default();
                    let (name, shift) = found.field().map_or((word, 4), |field| (field.as_str(), 0));
                    let at = NAMES.iter().position(|known| *known == name).expect("a known name");
                    event >> (at + shift) & 1 == 1
                })
            }
        }
    }

    proptest! {
        #[test]
        fn the_meaning_stays(query in query()) {
            let shaped = shape(query.clone(), dialect());
            for event in 0..=u8::MAX {
                prop_assert_eq!(holds(&shaped, event), holds(&query, event), "{:08b}: {}", event, shown(&shaped));
            }
        }

        #[test]
        fn a_shaped_query_stays_as_it_is(query in query()) {
            let shaped = normal(value_lists(query));
            prop_assert_eq!(normal(shaped.clone()), shaped);
        }
    }
}
