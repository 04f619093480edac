//! Conditions over the members of a correlation, as targets write them: alternatives of chains, and text.
//!
//! Invariant: a condition is true exactly where one of its ways is.

use sigcast_ir::{Bound, MemberCondition, NumberValue, Order, Wanted};

/// How many ways to fulfil a condition in order are written out.
pub(crate) const MOST_WAYS: usize = 16;

/// How a language joins conditions.
#[derive(Debug)]
pub(crate) struct Words {
    /// Between terms that all hold, blanks included.
    pub(crate) and: &'static str,
    /// Between terms of which one holds, blanks included.
    pub(crate) or: &'static str,
    /// Before a group that does not hold.
    pub(crate) not: &'static str,
}

/// A condition over what is true of each member, in a group if it has several terms.
pub(crate) fn condition_text(condition: &MemberCondition, present: &[String], words: &Words) -> String {
    let join = |terms: &[MemberCondition], with: &str| {
        let terms: Vec<String> = terms.iter().map(|term| condition_text(term, present, words)).collect();
        format!("({})", terms.join(with))
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

/// Every way to fulfil what is wanted, unless they are too many.
pub(crate) fn ways(wanted: &Wanted<'_>, members: usize) -> Option<Vec<Way>> {
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
    let count = count as f64;
    let is = match bound.order {
        Order::Equal => count == value,
        Order::Less => count < value,
        Order::LessOrEqual => count <= value,
        Order::Greater => count > value,
        Order::GreaterOrEqual => count >= value,
    };
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
