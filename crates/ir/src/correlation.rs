//! A correlation: what is asked of the events of several rules, or of many events of one, within a span of time.
//!
//! Follows the Sigma specification 2.1, "Sigma Correlation Rules Specification", and what pySigma reads beyond it
//! (`value_sum`, `value_avg`, `value_median`, `value_percentile`, boolean conditions over rules).
//!
//! The meaning, by which the evaluator decides and every target is judged: a correlation fires *at an event* of one of its
//! members, if the window that ends with that event fulfils its criterion. The window holds the members' events of the
//! same group whose times lie between the event's time less the timespan and the event's time, both included; events of
//! one time are in each other's windows. A group is made of the values of the key fields; an event that lacks one of them
//! is in no group, and one with several values of a field is in a group for each.
//!
//! Invariant: members are whole: linking has put the rules and correlations in place that the author named.

use std::borrow::Cow;

use sigcast_diagnostics::Span;

use crate::{Field, LogSource, Meta, Number, Order, Prepared, Rule};

/// A correlation with the rules that it is about.
#[derive(Debug, Clone)]
pub struct Correlation<'a> {
    /// What describes it.
    pub meta: Meta<'a>,
    /// What it is about: rules, or correlations, in the order in which they were named. Never empty.
    pub members: Vec<Member<'a>>,
    /// What tells groups of events apart; all events are one group if there are none.
    pub keys: Vec<Key<'a>>,
    /// How long a window is.
    pub timespan: Timespan<'a>,
    /// What is asked of the window.
    pub criterion: Criterion<'a>,
    /// Whether the members give queries of their own too.
    pub generate: bool,
    /// The place to point at for the correlation as a whole.
    pub span: Span,
    /// The attribute that says its type, such as `event_count`, or the aggregation of old.
    pub kind_span: Span,
}

/// A field of `group-by`, or an alias of fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Key<'a> {
    /// As it is written: the name of a field or of an alias.
    pub name: Cow<'a, str>,
    /// Where it stands.
    pub span: Span,
}

/// One of the things that a correlation is about.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// The name or id by which it was referred to.
    pub name: Cow<'a, str>,
    /// Where it was referred to.
    pub span: Span,
    /// What it is.
    pub source: Source<'a>,
    /// For each key of the correlation, what of the member's events is its value.
    pub keys: Vec<KeyField<'a>>,
    /// The fields of the member's events that values are taken of, for the measures that have any.
    pub values: Vec<Field<'a>>,
}

/// What a member is.
#[derive(Debug, Clone)]
pub enum Source<'a> {
    /// The events that one of the rule's conditions matches.
    Rule(Box<Rule<'a>>),
    /// The events at which the correlation fires.
    Correlation(Box<Correlation<'a>>),
}

/// What is the value of a key in the events of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyField<'a> {
    /// The value of a field.
    Field(Field<'a>),
    /// Of a member that is a correlation: the value of the key with this number, which it groups by itself.
    Inner(usize),
}

/// A span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timespan<'a> {
    /// As it is written, such as `5m`.
    pub text: Cow<'a, str>,
    /// In seconds; at least 1. A month has 2,629,746 and a year 31,556,952, which are the means of the calendar.
    pub seconds: u64,
    /// Where it stands.
    pub span: Span,
}

impl<'a> Timespan<'a> {
    /// As it is written if it is in seconds, minutes, hours or days, which every product knows; weeks in days, and months and
    /// years in seconds.
    #[must_use]
    pub fn in_common_units(&self) -> Cow<'a, str> {
        const DAY: u64 = 86_400;
        if self.text.ends_with(['s', 'm', 'h', 'd']) {
            return self.text.clone();
        }
        let (count, unit) =
            if self.seconds.is_multiple_of(DAY) { (self.seconds / DAY, 'd') } else { (self.seconds, 's') };
        format!("{count}{unit}").into()
    }
}

/// What is asked of a window.
#[derive(Debug, Clone, PartialEq)]
pub enum Criterion<'a> {
    /// A number that is made of the window's events lies within the bounds. A measure of no values (other than a count)
    /// lies in none.
    Measure {
        /// The number.
        measure: Measure,
        /// The bounds, all of which hold. Never empty.
        bounds: Vec<Bound<'a>>,
    },
    /// The members have events in the window.
    Temporal {
        /// Whether the events are in the order of the members: none is before the one of the member before it. Events of
        /// the same time are in any order.
        ordered: bool,
        /// Which members must have events.
        wanted: Wanted<'a>,
    },
}

/// A number that is made of the events of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// How many events there are; one that several members match counts once (`event_count`).
    Events,
    /// How many values the field has; of several fields, how many combinations of values (`value_count`). An event that
    /// lacks one of the fields has none.
    Distinct,
    /// Sum of the field's numbers (`value_sum`). As with those below, values that are no numbers and spell none are left
    /// out.
    Sum,
    /// Mean (`value_avg`).
    Average,
    /// Least (`value_min`).
    Minimum,
    /// Greatest (`value_max`).
    Maximum,
    /// Median: the mean of the two in the middle, if there is no middle one (`value_median`).
    Median,
    /// Percentile, from 0 to 100, by linear interpolation between the two nearest values (`value_percentile`).
    Percentile(f64),
}

/// A bound of a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound<'a> {
    /// How the number (left) compares with `value` (right).
    pub order: Order,
    /// Whether it must not compare so (`neq`).
    pub negated: bool,
    /// The other number.
    pub value: Number<'a>,
    /// Where the bound stands.
    pub span: Span,
}

/// Which members must have events in a window.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted<'a> {
    /// So many different ones.
    Count(Vec<Bound<'a>>),
    /// Those of which this is true.
    Rules(MemberCondition),
}

/// A condition over members: whether they have an event in the window. Where order counts, members that are not under
/// `Not` have it in order, for one way to fulfil the condition.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberCondition {
    /// All of them; two or more.
    And(Vec<MemberCondition>),
    /// One of them; two or more.
    Or(Vec<MemberCondition>),
    /// Not this.
    Not(Box<MemberCondition>),
    /// The member with this number.
    Member(usize),
}

impl Measure {
    /// Whether an event that is taken twice may change the number. It never changes how many values there are, nor the least
    /// or greatest of them.
    #[must_use]
    pub const fn minds_repeats(self) -> bool {
        use Measure::{Average, Distinct, Events, Maximum, Median, Minimum, Percentile, Sum};
        match self {
            Events | Sum | Average | Median | Percentile(_) => true,
            Distinct | Minimum | Maximum => false,
        }
    }
}

impl<'a> Criterion<'a> {
    /// Whether an event that is taken twice may change what is measured of a window.
    #[must_use]
    pub const fn minds_repeats(&self) -> bool {
        match self {
            Self::Measure { measure, .. } => measure.minds_repeats(),
            Self::Temporal { .. } => false,
        }
    }

    /// Whether all members must have events, each at least one, and nothing else is asked of them.
    #[must_use]
    pub fn wants_all(&self, members: usize) -> bool {
        let Self::Temporal { wanted: Wanted::Rules(condition), .. } = self else { return false };
        let mut seen = vec![false; members];
        let mut see = |one: &MemberCondition| match one {
            MemberCondition::Member(at) => seen.get_mut(*at).map(|seen| *seen = true).is_some(),
            _ => false,
        };
        let plain = match condition {
            MemberCondition::And(terms) => terms.iter().all(see),
            one => see(one),
        };
        plain && seen.into_iter().all(|seen| seen)
    }
}

impl<'a> Correlation<'a> {
    /// The rules at the bottom, in order, those of inner correlations included. A rule that is named twice comes twice.
    pub fn rules(&self) -> impl Iterator<Item = &Rule<'a>> {
        let mut all = Vec::new();
        self.gather(&mut all);
        all.into_iter()
    }

    fn gather<'s>(&'s self, all: &mut Vec<&'s Rule<'a>>) {
        for member in &self.members {
            match &member.source {
                Source::Rule(rule) => all.push(rule),
                Source::Correlation(inner) => inner.gather(all),
            }
        }
    }

    /// What formats that describe rules are given for it: what describes the correlation, without detections. The log
    /// source is that of its rules, if they share one, and else empty; what pipelines decided is that which they decided
    /// for all of its rules alike. The time frame is how far back its events reach.
    #[must_use]
    pub fn described(&self) -> Rule<'a> {
        let mut rules = self.rules();
        let first = rules.next().map(|rule| rule.logsource.clone()).unwrap_or_default();
        let shared = rules.all(|rule| rule.logsource == first);
        Rule {
            meta: self.meta.clone(),
            logsource: if shared { first } else { LogSource::default() },
            detections: Vec::new(),
            conditions: Vec::new(),
            timeframe: Some(self.reach()),
            span: self.span,
            prepared: self.prepared(),
        }
    }

    /// How far before an event at which it fires the first event may be that is asked for: its own timespan, and that of the
    /// correlations that it is about.
    fn reach(&self) -> Cow<'a, str> {
        let seconds = self.seconds();
        if seconds == self.timespan.seconds { self.timespan.in_common_units() } else { format!("{seconds}s").into() }
    }

    fn seconds(&self) -> u64 {
        let inner = self.members.iter().map(|member| match &member.source {
            Source::Correlation(inner) => inner.seconds(),
            Source::Rule(_) => 0,
        });
        self.timespan.seconds.saturating_add(inner.max().unwrap_or(0))
    }

    fn prepared(&self) -> Prepared<'a> {
        let mut prepared = Prepared { keys: self.common_keys(), ..Prepared::default() };
        let mut rules = self.rules();
        let Some(first) = rules.next() else { return prepared };
        prepared.options.clone_from(&first.prepared.options);
        prepared.scoped = first.prepared.scoped;
        for rule in rules {
            prepared.options.retain(|option| rule.prepared.options.contains(option));
            prepared.scoped &= rule.prepared.scoped;
        }
        prepared
    }

    /// The fields that are keys, as far as each is the same one for all members.
    fn common_keys(&self) -> Vec<Field<'a>> {
        let Some((first, rest)) = self.members.split_first() else { return Vec::new() };
        let common = first.keys.iter().enumerate().filter_map(|(at, key)| match key {
            KeyField::Field(field) if rest.iter().all(|other| other.keys.get(at) == Some(key)) => Some(field.clone()),
            _ => None,
        });
        common.collect()
    }
}

#[cfg(test)]
mod tests {
    use sigcast_diagnostics::{SourceId, Span};

    use super::*;

    #[test]
    fn spans_in_units_that_every_product_knows() {
        let check = |text: &str, seconds: u64, expected: &str| {
            let span = Timespan { text: text.into(), seconds, span: Span::new(SourceId(0), 0, 0) };
            assert_eq!(span.in_common_units(), expected, "{text}");
        };
        check("5m", 300, "5m");
        check("90m", 5_400, "90m");
        check("2d", 172_800, "2d");
        check("1w", 604_800, "7d");
        check("1M", 2_629_746, "2629746s");
        check("1y", 31_556_952, "31556952s");
    }
}
