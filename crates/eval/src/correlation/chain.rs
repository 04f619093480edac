//! Conditions over members, and chains of events in the order of the members.
//!
//! Invariant: a chain is found if there is one: to take the earliest event that is not before the last one leaves the most
//! to those that follow.

use sigcast_ir::MemberCondition;

use crate::error::EvalFault;

/// How many members a condition may name where order counts.
const MOST: usize = 16;

/// A condition over members.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    root: MemberCondition,
    /// The members that are not under `Not`, in order.
    named: Vec<usize>,
    /// Whether all of those must be there, and nothing else.
    plain: bool,
}

/// The events of a window by members: the time of the first event of a member that is not before a time.
pub(super) type Next<'n> = dyn Fn(usize, i64) -> Option<i64> + 'n;

impl Condition {
    pub(super) fn new(root: &MemberCondition, ordered: bool, depth: usize) -> Result<Self, EvalFault> {
        let mut named = Vec::new();
        gather(root, depth, true, &mut named)?;
        named.sort_unstable();
        named.dedup();
        let member = |term: &MemberCondition| matches!(term, MemberCondition::Member(_));
        let plain = match root {
            MemberCondition::And(terms) => terms.iter().all(member),
            one => member(one),
        };
        if ordered && !plain && named.len() > MOST {
            return Err(EvalFault::TooLarge(
                "at most 16 rules in a condition where order counts, unless all must match",
            ));
        }
        Ok(Self { root: root.clone(), named, plain })
    }

    /// Whether the members with events in a window that starts at `start` fulfil it.
    pub(super) fn holds(&self, start: i64, next: &Next<'_>) -> bool {
        let present = |member: usize| next(member, start).is_some();
        eval(&self.root, &present, &present)
    }

    /// Whether some chain of events in a window that starts at `start` fulfils it.
    pub(super) fn holds_in_order(&self, start: i64, next: &Next<'_>) -> bool {
        if self.plain {
            return self.named.iter().try_fold(start, |time, member| next(*member, time)).is_some();
        }
        // For each set of members, as bits, when the earliest chain of them ends.
        let mut ends: Vec<Option<i64>> = vec![Some(start)];
        let present = |member: usize| next(member, start).is_some();
        for set in 0..1_usize << self.named.len() {
            if let Some(last) = set.checked_ilog2().map(|bit| bit as usize) {
                let before = ends.get(set & !(1 << last)).copied().flatten();
                ends.push(before.and_then(|time| next(*self.named.get(last)?, time)));
            }
            let chained = |member: usize| self.named.binary_search(&member).is_ok_and(|bit| set & (1 << bit) != 0);
            if ends.get(set).is_some_and(Option::is_some) && eval(&self.root, &chained, &present) {
                return true;
            }
        }
        false
    }
}

/// Finds the members that are not under `Not`.
fn gather(condition: &MemberCondition, depth: usize, positive: bool, out: &mut Vec<usize>) -> Result<(), EvalFault> {
    let depth = depth.checked_sub(1).ok_or(EvalFault::TooDeep)?;
    match condition {
        MemberCondition::And(terms) | MemberCondition::Or(terms) => {
            terms.iter().try_for_each(|term| gather(term, depth, positive, out))
        }
        MemberCondition::Not(inner) => gather(inner, depth, false, out),
        MemberCondition::Member(at) => {
            out.extend(positive.then_some(*at));
            Ok(())
        }
    }
}

/// `chained` answers for members that are not under `Not`, `present` for those that are.
fn eval(condition: &MemberCondition, chained: &dyn Fn(usize) -> bool, present: &dyn Fn(usize) -> bool) -> bool {
    match condition {
        MemberCondition::And(terms) => terms.iter().all(|term| eval(term, chained, present)),
        MemberCondition::Or(terms) => terms.iter().any(|term| eval(term, chained, present)),
        MemberCondition::Not(inner) => !eval(inner, present, present),
        MemberCondition::Member(at) => chained(*at),
    }
}

/// The most members of which events follow each other in order, in a window that starts at `start`.
pub(super) fn longest(members: usize, start: i64, next: &Next<'_>) -> usize {
    // When the earliest chain of so many members ends.
    let mut ends = vec![start];
    for member in 0..members {
        for length in (0..ends.len()).rev() {
            let Some(end) = next(member, ends[length]) else { continue };
            match ends.get_mut(length + 1) {
                Some(known) => *known = end.min(*known),
                None => ends.push(end),
            }
        }
    }
    ends.len() - 1
}
