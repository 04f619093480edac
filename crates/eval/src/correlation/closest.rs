//! What a stream has of a correlation that does not fire.
//!
//! Invariant: it only tells; whether a correlation fires is never decided here.

use super::gather;
use super::slide::Slide;
use super::{Asked, CorrelationMatcher, TimedEvent};
use crate::error::EvalError;

/// What a stream has of a correlation.
#[derive(Debug, Clone, PartialEq)]
pub struct Closest {
    /// For each member of the correlation, of how many events it is.
    pub events: Vec<usize>,
    /// The window that comes nearest to fulfil the criterion, the first if there are several; none if no event of a member
    /// has all keys.
    pub window: Option<Window>,
}

/// A window of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The event that it ends with, by its place in the stream.
    pub event: usize,
    /// The group: a text for each key.
    pub keys: Vec<String>,
    /// The number that is asked for, rounded to a float; none if its events have none, or a condition over members is asked.
    pub amount: Option<f64>,
    /// The members that have events in it, in order; empty unless a temporal criterion is asked.
    pub present: Vec<usize>,
    /// The most members of which events follow each other in the order of the members; 0 unless a temporal criterion is asked.
    pub chained: usize,
}

impl CorrelationMatcher {
    /// What the stream has of the correlation, for a word on why it does not fire.
    ///
    /// # Errors
    /// As [`fires`](Self::fires).
    pub fn closest(&self, stream: &[TimedEvent]) -> Result<Closest, EvalError> {
        let mut events = Vec::new();
        let mut rows = Vec::new();
        for member in &self.members {
            events.push(self.count(member, stream)?);
            rows.push(self.rows(member, stream)?);
        }
        let mut best: Option<((usize, f64, usize), Window)> = None;
        for group in gather::groups(&rows, self.taking()) {
            let mut slide = Slide::new(&self.criterion, &group, self.members.len());
            let (mut first, mut at) = (0, 0);
            while let Some(entry) = group.entries.get(at) {
                let last = at + group.entries[at..].partition_point(|other| other.time == entry.time);
                let from = entry.time.saturating_sub(self.span);
                first += group.entries[first..].partition_point(|entry| entry.time < from);
                slide.fulfils(first, last);
                let measured = slide.measured();
                let present: Vec<usize> = slide.present().collect();
                let chained = slide.longest();
                let many = if self.ordered() { chained } else { present.len() };
                // Fewer missing members first, then the nearer number, then the earlier event.
                let rank = (usize::MAX - many, measured.map_or(f64::INFINITY, |(_, distance)| distance), entry.row);
                if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                    let amount = measured.map(|(amount, _)| amount);
                    let keys = group.keys.clone();
                    best = Some((rank, Window { event: group.entries[last - 1].row, keys, amount, present, chained }));
                }
                at = last;
            }
        }
        Ok(Closest { events, window: best.map(|(_, window)| window) })
    }

    fn ordered(&self) -> bool {
        matches!(&self.criterion, Asked::Members { ordered: true, .. } | Asked::Condition { ordered: true, .. })
    }
}
