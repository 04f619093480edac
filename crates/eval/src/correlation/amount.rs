//! The numbers of windows, and bounds.
//!
//! Invariant: nothing is rounded as long as the numbers fit 29 digits, 18 of them behind the point: numbers are whole
//! multiples of a power of ten, and means and percentiles fractions of them.

use std::cmp::Ordering;

use sigcast_ir::{Bound, Order};

use crate::decimal::Decimal;
use crate::matcher::decimal;

/// The most digits behind the point.
const MOST_PLACES: i64 = 18;

/// Bounds, all of which must hold.
#[derive(Debug, Clone)]
pub(super) struct Bounds(Vec<(Order, bool, Option<Decimal>)>);

impl Bounds {
    pub(super) fn new(bounds: &[Bound<'_>]) -> Self {
        Self(bounds.iter().map(|bound| (bound.order, bound.negated, decimal(&bound.value))).collect())
    }

    /// Whether a number lies within all of them, by how it compares with each. None compares with nothing.
    fn hold(&self, compare: impl Fn(&Decimal) -> Option<Ordering>) -> bool {
        self.0.iter().all(|(order, negated, value)| {
            let found = value.as_ref().and_then(&compare);
            found.is_some_and(|found| order.holds(found) != *negated)
        })
    }

    /// Whether a count lies within them.
    pub(super) fn hold_count(&self, count: usize) -> bool {
        let count = Decimal::parse(&count.to_string());
        self.hold(|bound| Some(count.as_ref()?.cmp(bound)))
    }

    /// Whether an amount lies within them.
    pub(super) fn hold_amount(&self, amount: Amount) -> bool {
        self.hold(|bound| match amount {
            Amount::Exact { top, bottom, places } => match bound.scaled(places).and_then(|at| at.checked_mul(bottom)) {
                Some(bound) => Some(top.cmp(&bound)),
                None => amount.nearest().partial_cmp(&bound.nearest()),
            },
            Amount::Float(amount) => amount.partial_cmp(&bound.nearest()),
        })
    }

    /// How far a number lies outside of them; 0 if inside.
    pub(super) fn distance(&self, amount: f64) -> f64 {
        let outside = |(order, negated, value): &(Order, bool, Option<Decimal>)| {
            let Some(bound) = value.as_ref().map(Decimal::nearest) else { return f64::INFINITY };
            let holds = amount.partial_cmp(&bound).is_some_and(|found| order.holds(found));
            if holds == *negated { (amount - bound).abs().max(f64::MIN_POSITIVE) } else { 0.0 }
        };
        self.0.iter().map(outside).sum()
    }

    fn places(&self) -> i64 {
        self.0.iter().filter_map(|(_, _, value)| Some(value.as_ref()?.places())).max().unwrap_or(0)
    }
}

/// A number of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Amount {
    /// `top / bottom`, in units of ten to the power of minus `places`.
    Exact {
        top: i128,
        bottom: i128,
        places: u32,
    },
    Float(f64),
}

impl Amount {
    /// The nearest float.
    pub(super) fn nearest(self) -> f64 {
        match self {
            Self::Exact { top, bottom, places } => top as f64 / bottom as f64 / 10_f64.powi(places as i32),
            Self::Float(amount) => amount,
        }
    }
}

/// The different numbers of a group.
#[derive(Debug)]
pub(super) enum Column {
    /// In units of ten to the power of minus `places`.
    Exact {
        numbers: Vec<i128>,
        places: u32,
    },
    Float(Vec<f64>),
}

impl Column {
    /// The numbers, exact if they can be, on a scale that holds the bounds too.
    pub(super) fn new(numbers: &[Decimal], bounds: &Bounds) -> Self {
        let scaled = |places: i64| {
            let places = u32::try_from(places).ok()?;
            let numbers = numbers.iter().map(|number| number.scaled(places)).collect::<Option<Vec<_>>>()?;
            Some(Self::Exact { numbers, places })
        };
        let own = numbers.iter().map(Decimal::places).max().unwrap_or(0);
        let both = own.max(bounds.places().min(MOST_PLACES));
        let exact = if own <= MOST_PLACES { scaled(both).or_else(|| scaled(own)) } else { None };
        exact.unwrap_or_else(|| Self::Float(numbers.iter().map(Decimal::nearest).collect()))
    }

    /// A number by its place, in the column's units; none if they are floats.
    pub(super) fn exact(&self, at: usize) -> Option<i128> {
        match self {
            Self::Exact { numbers, .. } => numbers.get(at).copied(),
            Self::Float(_) => None,
        }
    }
}

/// A percentile from 0 to 100, as an exact fraction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Percentile {
    top: i128,
    bottom: i128,
}

impl Percentile {
    /// None if it is not from 0 to 100.
    pub(super) fn new(percent: f64) -> Option<Self> {
        if !(0.0..=100.0).contains(&percent) {
            return None;
        }
        // The shortest decimal that is this float: what the author wrote.
        let exact = Decimal::parse(&percent.to_string())?;
        let places = exact.places().min(6);
        let scale = 10_i128.pow(u32::try_from(places).ok()?);
        let top = exact.scaled(u32::try_from(places).ok()?).unwrap_or((percent * scale as f64).round() as i128);
        Some(Self { top, bottom: 100 * scale })
    }

    /// Between which of `count` sorted values it lies, the first being number 0, and how far from the lower one: as
    /// `(lower, top, bottom)`. None if there are no values.
    pub(super) fn rank(self, count: usize) -> Option<(usize, i128, i128)> {
        let steps = self.top * i128::try_from(count.checked_sub(1)?).ok()?;
        Some((usize::try_from(steps / self.bottom).ok()?, steps % self.bottom, self.bottom))
    }

    /// The number so far between two.
    pub(super) fn between(column: &Column, low: usize, high: usize, top: i128, bottom: i128) -> Option<Amount> {
        match column {
            Column::Exact { numbers, places } => {
                let (low, high) = (*numbers.get(low)?, *numbers.get(high)?);
                let exact =
                    low.checked_mul(bottom).zip((high - low).checked_mul(top)).and_then(|(a, b)| a.checked_add(b));
                Some(match exact {
                    Some(top) => Amount::Exact { top, bottom, places: *places },
                    None => {
                        let part = (high - low) as f64 * (top as f64 / bottom as f64);
                        Amount::Float((low as f64 + part) / 10_f64.powi(*places as i32))
                    }
                })
            }
            Column::Float(numbers) => {
                let (low, high) = (*numbers.get(low)?, *numbers.get(high)?);
                Some(Amount::Float(low + (high - low) * (top as f64 / bottom as f64)))
            }
        }
    }
}
