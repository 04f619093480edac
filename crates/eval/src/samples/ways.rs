//! The ways to make a query true.
//!
//! Invariant: every leaf that can be wanted is wanted in one of the ways (up to [`MOST`] of them), and the number of ways
//! grows with the longest list of alternatives, not with their product.

use sigcast_ir::{Expr, Match, Query};

/// A test, and whether it is to pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Literal<'q, 'a> {
    pub(super) leaf: &'q Match<'a>,
    pub(super) wanted: bool,
}

/// A conjunction that makes a query true.
pub(super) type Way<'q, 'a> = Vec<Literal<'q, 'a>>;

/// How many ways are looked at.
const MOST: usize = 600;
/// How many tests all of them have together, at most: a rule may have tens of thousands.
const MOST_TESTS: usize = 1_000_000;

/// The ways to make the query `wanted`.
pub(super) fn ways<'q, 'a>(query: &'q Query<'a>, wanted: bool) -> Vec<Way<'q, 'a>> {
    match query {
        Expr::Match(leaf) => vec![vec![Literal { leaf, wanted }]],
        Expr::Const(value) if *value == wanted => vec![Vec::new()],
        Expr::Const(_) => Vec::new(),
        Expr::Not(inner) => ways(inner, !wanted),
        Expr::And(terms) if wanted => all(terms.iter().map(|term| (term, true))),
        Expr::Or(terms) if !wanted => all(terms.iter().map(|term| (term, false))),
        Expr::And(terms) | Expr::Or(terms) => {
            let mut lists: Vec<_> = terms.iter().map(|term| ways(term, wanted).into_iter()).collect();
            // One of each in turn, so that a limit cuts no term off.
            let mut found = Vec::new();
            while found.len() < MOST {
                let before = found.len();
                found.extend(lists.iter_mut().filter_map(Iterator::next));
                if found.len() == before {
                    break;
                }
            }
            found
        }
    }
}

/// The ways to make every term as wanted: the first of each, the second of each, and so on; then other combinations, for
/// those of which the first ones contradict themselves.
pub(super) fn all<'q, 'a: 'q>(terms: impl IntoIterator<Item = (&'q Query<'a>, bool)>) -> Vec<Way<'q, 'a>> {
    let mut flat = Vec::new();
    terms.into_iter().for_each(|(term, wanted)| flatten(term, wanted, &mut flat));
    let lists: Vec<_> = flat.into_iter().map(|(term, wanted)| ways(term, wanted)).collect();
    if lists.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let longest = lists.iter().map(Vec::len).max().unwrap_or(1);
    let shifts = if longest == 1 { 1 } else { longest.min(6) };
    let (mut found, mut tests) = (Vec::new(), 0);
    for shift in 0..shifts {
        for at in 0..longest {
            if found.len() >= MOST || tests >= MOST_TESTS {
                return found;
            }
            let way = combine(&lists, at, shift);
            tests += way.len();
            found.push(way);
        }
    }
    found
}

/// The terms of a conjunction, however it is written: `not (a or b)` has two. Only side by side are they chosen so that
/// they fit each other.
fn flatten<'q, 'a>(term: &'q Query<'a>, wanted: bool, out: &mut Vec<(&'q Query<'a>, bool)>) {
    match term {
        Expr::Not(inner) => flatten(inner, !wanted, out),
        Expr::And(terms) if wanted => terms.iter().for_each(|term| flatten(term, true, out)),
        Expr::Or(terms) if !wanted => terms.iter().for_each(|term| flatten(term, false, out)),
        _ => out.push((term, wanted)),
    }
}

/// One way from each list. Those with wanted tests are chosen by number; of the others, which are all unwanted tests, one
/// that does not contradict them, and for a start one about fields of which nothing is wanted: they can be absent.
fn combine<'q, 'a>(lists: &[Vec<Way<'q, 'a>>], at: usize, shift: usize) -> Way<'q, 'a> {
    let number = |list: usize| at + list * shift;
    let wants = |way: &Way<'_, '_>| way.iter().any(|literal| literal.wanted);
    let wanted: Vec<Literal<'_, '_>> = lists
        .iter()
        .enumerate()
        .filter(|(_, ways)| ways.len() == 1 || ways.iter().any(wants))
        .flat_map(|(list, ways)| ways[number(list) % ways.len()].iter().copied())
        .filter(|literal| literal.wanted)
        .collect();
    let cost = |way: &Way<'_, '_>| {
        let contradicts = |own: &Literal<'_, '_>| wanted.iter().any(|other| own.leaf == other.leaf);
        let meets = |own: &Literal<'_, '_>| wanted.iter().any(|other| own.leaf.subject == other.leaf.subject);
        match () {
            () if way.iter().any(contradicts) => 2,
            () if shift < 2 && way.iter().any(meets) => 1,
            () => 0,
        }
    };
    let mut way = Vec::new();
    for (list, ways) in lists.iter().enumerate() {
        let rotated = (0..ways.len()).map(|step| &ways[(number(list) + step) % ways.len()]);
        let chosen = if ways.len() == 1 || ways.iter().any(wants) {
            rotated.into_iter().next()
        } else {
            rotated.min_by_key(|way| cost(way))
        };
        way.extend(chosen.into_iter().flatten().copied());
    }
    way
}
