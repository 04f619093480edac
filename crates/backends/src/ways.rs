//! Conditions over the members of a correlation, as targets write them: alternatives of chains, and text.
//!
//! Invariant: a condition is true exactly where one of its ways is.

use sigcast_diagnostics::Span;
use sigcast_ir::{Bound, MemberCondition, NumberValue, Wanted};

use crate::correlate::Composer;

/// How many ways to fulfil a condition in order are written out.
const MOST_WAYS: usize = 16;

/// How a language joins conditions.
#[derive(Debug)]
pub(crate) struct Words {
    /// Between terms that all hold, blanks included.
    pub(crate) and: &'static str,
    /// Between terms of which one holds, blanks included.
    pub(crate) or: &'static str,
    /// Before a group that does not hold.
    pub(crate) not: &'static str,
    /// Whether several terms are a group also where they are all there is: as the whole condition, or under a negation.
    pub(crate) always_grouped: bool,
}

/// A condition as a whole. `present`: what is true where each member has events.
pub(crate) fn condition_text(condition: &MemberCondition, present: &[String], words: &Words) -> String {
    if words.always_grouped { grouped(condition, present, words) } else { bare(condition, present, words) }
}

/// A condition among others: in a group if it has several terms.
fn grouped(condition: &MemberCondition, present: &[String], words: &Words) -> String {
    let text = bare(condition, present, words);
    match condition {
        MemberCondition::And(_) | MemberCondition::Or(_) => format!("({text})"),
        MemberCondition::Not(_) | MemberCondition::Member(_) => text,
    }
}

/// A condition with no group around it.
fn bare(condition: &MemberCondition, present: &[String], words: &Words) -> String {
    let join = |terms: &[MemberCondition], with: &str| {
        terms.iter().map(|term| grouped(term, present, words)).collect::<Vec<_>>().join(with)
    };
    match condition {
        MemberCondition::And(terms) => join(terms, words.and),
        MemberCondition::Or(terms) => join(terms, words.or),
        MemberCondition::Not(inner) => format!("{}({})", words.not, condition_text(inner, present, words)),
        MemberCondition::Member(member) => present.get(*member).cloned().unwrap_or_default(),
    }
}

/// One way to fulfil a condition over members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// Those that have events, in the order of the members.
    pub(crate) chain: Vec<usize>,
    /// Those that have none.
    pub(crate) absent: Vec<usize>,
}

/// Every way to fulfil in order what is wanted, each of which the composer writes out. None if they are too many, which is
/// said at `place`.
pub(crate) fn ways_in_order(
    composer: &mut Composer<'_>,
    place: Span,
    wanted: &Wanted<'_>,
    members: usize,
) -> Option<Vec<Way>> {
    let few = ways(wanted, members).filter(|ways| ways.len() <= MOST_WAYS);
    if few.is_none() {
        composer.refuse(place, &format!("its condition has more than {MOST_WAYS} ways to be fulfilled in order"));
    }
    few
}

/// Every way to fulfil what is wanted, unless they are too many.
fn ways(wanted: &Wanted<'_>, members: usize) -> Option<Vec<Way>> {
    match wanted {
        Wanted::Rules(condition) => alternatives(condition, false),
        Wanted::Count(bounds) => {
            // Every choice of members is looked at.
            let choices = 1_usize.checked_shl(u32::try_from(members).ok()?).filter(|choices| *choices <= 256)?;
            let all = (1..choices).map(|choice| (0..members).filter(|member| choice >> member & 1 == 1).collect());
            let fitting = |chain: &Vec<usize>| bounds.iter().all(|bound| holds(chain.len(), bound));
            Some(all.filter(fitting).map(|chain| Way { chain, absent: Vec::new() }).collect())
        }
    }
}

fn holds(count: usize, bound: &Bound<'_>) -> bool {
    let value = match bound.value.value {
        NumberValue::Integer(value) => value as f64,
        NumberValue::Float(value) => value,
    };
    let is = (count as f64).partial_cmp(&value).is_some_and(|found| bound.order.holds(found));
    is != bound.negated
}

/// The condition as a disjunction of ways.
fn alternatives(condition: &MemberCondition, negated: bool) -> Option<Vec<Way>> {
    let found = match (condition, negated) {
        (MemberCondition::Member(member), false) => vec![Way { chain: vec![*member], absent: Vec::new() }],
        (MemberCondition::Member(member), true) => vec![Way { chain: Vec::new(), absent: vec![*member] }],
        (MemberCondition::Not(inner), _) => alternatives(inner, !negated)?,
        (MemberCondition::Or(terms), false) | (MemberCondition::And(terms), true) => {
            let each: Option<Vec<_>> = terms.iter().map(|term| alternatives(term, negated)).collect();
            each?.concat()
        }
        (MemberCondition::And(terms), false) | (MemberCondition::Or(terms), true) => {
            let mut all = vec![Way { chain: Vec::new(), absent: Vec::new() }];
            for term in terms {
                let own = alternatives(term, negated)?;
                if all.len() * own.len() > 256 {
                    return None;
                }
                all = all.iter().flat_map(|one| own.iter().map(|other| one.with(other))).collect();
            }
            all
        }
    };
    (found.len() <= 256).then_some(found)
}

impl Way {
    fn with(&self, other: &Self) -> Self {
        let union = |one: &[usize], other: &[usize]| {
            let mut all: Vec<usize> = one.iter().chain(other).copied().collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        Self { chain: union(&self.chain, &other.chain), absent: union(&self.absent, &other.absent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(a and b) or not (b or c)`, or a part of it.
    fn conditions() -> Vec<MemberCondition> {
        use MemberCondition::{And, Member, Not, Or};
        let and = And(vec![Member(0), Member(1)]);
        let none = Not(Box::new(Or(vec![Member(1), Member(2)])));
        let both = Or(vec![and.clone(), none.clone()]);
        vec![
            Member(2),
            and,
            none.clone(),
            both.clone(),
            Not(Box::new(both.clone())),
            And(vec![both, Not(Box::new(none))]),
        ]
    }

    fn is_true(condition: &MemberCondition, present: &[bool]) -> bool {
        match condition {
            MemberCondition::And(terms) => terms.iter().all(|term| is_true(term, present)),
            MemberCondition::Or(terms) => terms.iter().any(|term| is_true(term, present)),
            MemberCondition::Not(inner) => !is_true(inner, present),
            MemberCondition::Member(member) => present[*member],
        }
    }

    #[test]
    fn a_condition_is_true_exactly_where_one_of_its_ways_is() {
        for condition in conditions() {
            let ways = ways(&Wanted::Rules(condition.clone()), 3).expect("few");
            for choice in 0..8_u32 {
                let present: Vec<bool> = (0..3).map(|member| choice >> member & 1 == 1).collect();
                let holds = |way: &Way| {
                    way.chain.iter().all(|member| present[*member]) && !way.absent.iter().any(|member| present[*member])
                };
                assert_eq!(ways.iter().any(holds), is_true(&condition, &present), "{condition:?} {present:?}");
            }
        }
    }

    #[test]
    fn groups_stand_among_others_and_around_all_if_a_language_wants_them() {
        let check = |at: usize, always_grouped: bool, expected: &str| {
            let words = Words { and: " & ", or: " | ", not: "!", always_grouped };
            let present = ["a", "b", "c"].map(str::to_owned);
            assert_eq!(condition_text(&conditions()[at], &present, &words), expected);
        };
        check(0, false, "c");
        check(1, false, "a & b");
        check(2, false, "!(b | c)");
        check(3, false, "(a & b) | !(b | c)");
        check(4, false, "!((a & b) | !(b | c))");
        check(1, true, "(a & b)");
        check(3, true, "((a & b) | !((b | c)))");
    }
}
