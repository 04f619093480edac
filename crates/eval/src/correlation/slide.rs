//! A window that is moved over a group.
//!
//! Invariant: windows are asked in order, so that each entry comes in once and leaves once.

use super::Asked;
use super::amount::{Amount, Bounds, Column, Percentile};
use super::chain::{self, Next};
use super::gather::Group;

/// A window over the entries `first..last` of a group.
pub(super) struct Slide<'g> {
    asked: &'g Asked,
    group: &'g Group,
    first: usize,
    last: usize,
    /// What is known of the entries in the window.
    held: Held,
}

enum Held {
    /// How many entries there are is all that counts.
    Nothing,
    /// How often each combination of texts is there, and how many are.
    Texts {
        counts: Vec<usize>,
        present: usize,
    },
    Numbers {
        column: Column,
        held: Numbers,
    },
    /// For each member the times of its entries in the whole group, in order.
    Times(Vec<Vec<i64>>),
}

enum Numbers {
    /// The sum so far, if it is exact, and how many numbers it is of.
    Sum {
        sum: i128,
        count: usize,
    },
    Sorted(Ranks),
}

impl<'g> Slide<'g> {
    pub(super) fn new(asked: &'g Asked, group: &'g Group, members: usize) -> Self {
        let held = match asked {
            Asked::Events(_) => Held::Nothing,
            Asked::Distinct(_) => Held::Texts { counts: vec![0; group.texts], present: 0 },
            Asked::Sum(bounds) | Asked::Average(bounds) => {
                let held = Numbers::Sum { sum: 0, count: 0 };
                Held::Numbers { column: Column::new(&group.numbers, bounds), held }
            }
            Asked::Percentile(_, bounds) => {
                let held = Numbers::Sorted(Ranks::new(group.numbers.len()));
                Held::Numbers { column: Column::new(&group.numbers, bounds), held }
            }
            Asked::Members { .. } | Asked::Condition { .. } => {
                let mut times = vec![Vec::new(); members];
                for entry in &group.entries {
                    for member in &entry.members {
                        times[*member].push(entry.time);
                    }
                }
                Held::Times(times)
            }
        };
        Self { asked, group, first: 0, last: 0, held }
    }

    /// Whether the window `first..last` fulfils the criterion. Neither may be less than the time before.
    pub(super) fn fulfils(&mut self, first: usize, last: usize) -> bool {
        while self.last < last {
            self.turn(self.last, true);
            self.last += 1;
        }
        while self.first < first {
            self.turn(self.first, false);
            self.first += 1;
        }
        self.holds()
    }

    /// Takes an entry in, or out.
    fn turn(&mut self, at: usize, enters: bool) {
        for taken in self.group.entries.get(at).into_iter().flat_map(|entry| &entry.taken) {
            match &mut self.held {
                Held::Nothing | Held::Times(_) => {}
                Held::Texts { counts, present } => {
                    let Some(count) = counts.get_mut(*taken) else { continue };
                    if enters {
                        *present += usize::from(*count == 0);
                        *count += 1;
                    } else {
                        *count -= 1;
                        *present -= usize::from(*count == 0);
                    }
                }
                Held::Numbers { column, held: Numbers::Sum { sum, count } } => {
                    let number = column.exact(*taken).unwrap_or(0);
                    if enters {
                        (*sum, *count) = (*sum + number, *count + 1);
                    } else {
                        (*sum, *count) = (*sum - number, *count - 1);
                    }
                }
                Held::Numbers { held: Numbers::Sorted(ranks), .. } => ranks.turn(*taken, enters),
            }
        }
    }

    fn holds(&self) -> bool {
        let Some((start, end)) = self.ends() else { return false };
        match (self.asked, &self.held) {
            (Asked::Events(bounds), _) => bounds.hold_count(self.last - self.first),
            (Asked::Distinct(bounds), Held::Texts { present, .. }) => bounds.hold_count(*present),
            (Asked::Sum(bounds) | Asked::Average(bounds) | Asked::Percentile(_, bounds), _) => {
                self.amount().is_some_and(|amount| bounds.hold_amount(amount))
            }
            (Asked::Members { ordered: false, bounds }, _) => bounds.hold_count(self.present().count()),
            (Asked::Members { ordered: true, bounds }, _) => (1..=self.longest()).any(|count| bounds.hold_count(count)),
            (Asked::Condition { ordered, condition }, Held::Times(times)) => {
                let next: &Next<'_> = &|member, from| next(times, member, from, end);
                if *ordered { condition.holds_in_order(start, next) } else { condition.holds(start, next) }
            }
            // `new` holds what is asked for.
            _ => false,
        }
    }

    /// The times of the window's first entry and of its last; none if it is empty.
    fn ends(&self) -> Option<(i64, i64)> {
        let entries = self.group.entries.get(self.first..self.last)?;
        Some((entries.first()?.time, entries.last()?.time))
    }

    /// The number of the window that is asked for, and how far it lies outside its bounds; none if there is none.
    pub(super) fn measured(&self) -> Option<(f64, f64)> {
        let amount = |amount: f64, bounds: &Bounds| Some((amount, bounds.distance(amount)));
        match (self.asked, &self.held) {
            (Asked::Events(bounds), _) => amount((self.last - self.first) as f64, bounds),
            (Asked::Distinct(bounds), Held::Texts { present, .. }) => amount(*present as f64, bounds),
            (Asked::Sum(bounds) | Asked::Average(bounds) | Asked::Percentile(_, bounds), _) => {
                amount(self.amount()?.nearest(), bounds)
            }
            (Asked::Members { ordered: false, bounds }, _) => amount(self.present().count() as f64, bounds),
            (Asked::Members { ordered: true, bounds }, _) => amount(self.longest() as f64, bounds),
            _ => None,
        }
    }

    /// The members with events in the window, where the criterion asks for members.
    pub(super) fn present(&self) -> impl Iterator<Item = usize> {
        let times = match &self.held {
            Held::Times(times) => times.as_slice(),
            _ => &[],
        };
        let ends = self.ends();
        let has = move |member: &usize| ends.is_some_and(|(start, end)| next(times, *member, start, end).is_some());
        (0..times.len()).filter(has)
    }

    /// The most members of which events follow each other in order.
    pub(super) fn longest(&self) -> usize {
        let (Some((start, end)), Held::Times(times)) = (self.ends(), &self.held) else { return 0 };
        chain::longest(times.len(), start, &|member, from| next(times, member, from, end))
    }

    /// The number that the window's numbers make; none if there are none.
    fn amount(&self) -> Option<Amount> {
        match (self.asked, &self.held) {
            (Asked::Percentile(at, _), Held::Numbers { column, held: Numbers::Sorted(ranks) }) => {
                percentile(*at, column, ranks)
            }
            (_, Held::Numbers { column, .. }) => self.total(column),
            _ => None,
        }
    }

    /// The sum or the mean of the window's numbers; none if there are none.
    fn total(&self, column: &Column) -> Option<Amount> {
        let Held::Numbers { held: Numbers::Sum { sum, count }, .. } = &self.held else { return None };
        let bottom = match self.asked {
            Asked::Average(_) => *count,
            _ => 1,
        };
        if *count == 0 {
            return None;
        }
        Some(match column {
            Column::Exact { places, .. } => {
                Amount::Exact { top: *sum, bottom: i128::try_from(bottom).ok()?, places: *places }
            }
            // To take a float out of a sum does not give the sum without it: each window is summed anew.
            Column::Float(numbers) => {
                let taken = self.group.entries.get(self.first..self.last)?.iter().flat_map(|entry| &entry.taken);
                Amount::Float(taken.filter_map(|at| numbers.get(*at)).sum::<f64>() / bottom as f64)
            }
        })
    }
}

/// When a member has its first event from `from` to `end`.
fn next(times: &[Vec<i64>], member: usize, from: i64, end: i64) -> Option<i64> {
    let times = times.get(member)?;
    times.get(times.partition_point(|time| *time < from)).copied().filter(|time| *time <= end)
}

fn percentile(at: Percentile, column: &Column, ranks: &Ranks) -> Option<Amount> {
    let (lower, top, bottom) = at.rank(ranks.count)?;
    let low = ranks.find(lower);
    let high = if top == 0 { low } else { ranks.find(lower + 1) };
    Percentile::between(column, low, high, top, bottom)
}

/// How often each of a group's numbers is in the window: a binary indexed tree (Fenwick 1994) over the sorted numbers.
struct Ranks {
    tree: Vec<usize>,
    count: usize,
}

impl Ranks {
    fn new(numbers: usize) -> Self {
        Self { tree: vec![0; numbers + 1], count: 0 }
    }

    fn turn(&mut self, number: usize, enters: bool) {
        let mut at = number + 1;
        while let Some(sum) = self.tree.get_mut(at) {
            *sum = if enters { *sum + 1 } else { *sum - 1 };
            at += at & at.wrapping_neg();
        }
        self.count = if enters { self.count + 1 } else { self.count - 1 };
    }

    /// The number, by its place, that stands at a place (from 0) of the window's sorted numbers.
    fn find(&self, mut place: usize) -> usize {
        let mut at = 0;
        let mut step = self.tree.len().checked_ilog2().map_or(0, |bits| 1_usize << bits);
        while step > 0 {
            if let Some(sum) = self.tree.get(at + step)
                && *sum <= place
            {
                at += step;
                place -= sum;
            }
            step /= 2;
        }
        at
    }
}
