//! Streams around the one that just makes a correlation fire.
//!
//! Invariant: what is said of a stream is how it was made, not what becomes of it.

use serde_json::{Value, json};
use sigcast_ir::{Bound, Criterion, Measure};

use super::super::Event;
use super::Writer;
use super::make::Set;
use super::recipe::{self, Step, bare};

/// The values of a group's keys.
type Keys = Vec<Option<Value>>;

impl Writer<'_> {
    /// Writes all streams.
    pub(super) fn vary(&mut self) {
        let alpha = self.maker.keys(&self.plain, None);
        let beta = self.maker.keys(&self.plain, Some(&alpha));
        let (alpha, beta): (Keys, Keys) = (alpha.into_iter().map(Some).collect(), beta.into_iter().map(Some).collect());
        let base = self.maker.base(&self.plain);
        if let Some(steps) = &base {
            self.within(steps, &alpha);
            self.times(steps, &alpha);
        }
        self.criterion(&alpha, base.as_deref());
        if let Some(steps) = &base {
            self.groups(steps, &alpha, &beta);
            self.arrivals(steps, &alpha);
        }
        let misses: Vec<(i64, Event)> =
            self.misses().into_iter().zip(0..4).map(|(event, at)| (at * 1000, event)).collect();
        if !misses.is_empty() {
            self.add(&misses, 0, "only events that miss the rules");
        }
    }

    fn misses(&self) -> Vec<Event> {
        self.maker.leaves.iter().flat_map(|leaf| leaf.misses.iter().take(2)).cloned().collect()
    }

    /// The steps in words.
    fn told(&self, steps: &[Step]) -> String {
        let name =
            |step: &Step| self.plain.parts.get(step.part).map_or("", |part| part.member.name.as_ref()).to_owned();
        let mut names: Vec<String> = steps.iter().map(name).collect();
        if names.len() > 4 {
            names.dedup();
            if names.len() > 4 {
                return format!("{} events", steps.len());
            }
            return format!("{} events of {}", steps.len(), names.join(", "));
        }
        names.join(", ")
    }

    /// Adds steps in a window, as far apart as steps are.
    fn steps(&mut self, steps: &[Step], keys: &Keys, what: &str) {
        let times = self.maker.times(&self.plain, steps.len());
        self.at(steps, &times, keys, 0, what);
    }

    fn at(&mut self, steps: &[Step], times: &[i64], keys: &Keys, start: i64, what: &str) {
        if let Some(events) = self.maker.placed(&self.plain, steps, times, keys) {
            self.add(&events, start, what);
        }
    }

    fn within(&mut self, steps: &[Step], keys: &Keys) {
        let what = format!("just enough within the window: {}", self.told(steps));
        self.steps(steps, keys, &what);
        if let Some((_, rest)) = steps.split_last().filter(|(_, rest)| !rest.is_empty()) {
            self.steps(rest, keys, "the last event is missing");
            self.steps(&steps[1..], keys, "the first event is missing");
        }
    }

    /// The steps at other times.
    fn times(&mut self, steps: &[Step], keys: &Keys) {
        let span = self.plain.span;
        let usual = self.maker.times(&self.plain, steps.len());
        let Some(last) = usual.len().checked_sub(1).filter(|last| *last > 0) else { return };
        for (end, what) in [
            (span, "the last event exactly the timespan after the first"),
            (span + 1, "the last event a millisecond more than the timespan after the first"),
            (span + 1000, "the last event a second more than the timespan after the first"),
            (span - 1000, "the last event a second less than the timespan after the first"),
        ] {
            let mut times = usual.clone();
            // The first events keep together, the last one goes away from them.
            if let Some(time) = times.get_mut(last).filter(|time| **time <= end) {
                *time = end;
                self.at(steps, &times, keys, 0, what);
            }
        }
        self.at(steps, &vec![0; steps.len()], keys, 0, "all events at one time");
        // Windows that start at multiples of the timespan since 1970 hold one part of them each.
        let border = (super::EPOCH.div_euclid(span) + 1) * span - super::EPOCH;
        let before = usual.get(last).map_or(0, |end| (end + 1) / 2);
        self.at(
            steps,
            &usual,
            keys,
            border - before,
            "within the window, across a multiple of the timespan since 1970",
        );
        let mut twice: Vec<i64> = usual.clone();
        twice.extend(usual.iter().map(|time| time + 3 * span + usual[last]));
        let both: Vec<Step> = steps.iter().chain(steps).cloned().collect();
        self.at(&both, &twice, keys, 0, "just enough, and once more when the window is over");
        if steps.iter().any(|step| step.part != steps[0].part) {
            let turned: Vec<Step> = steps.iter().rev().cloned().collect();
            let what = format!("in the order turned: {}", self.told(&turned));
            self.steps(&turned, keys, &what);
        }
    }

    /// The steps in other groups.
    fn groups(&mut self, steps: &[Step], alpha: &Keys, beta: &Keys) {
        let times = self.maker.times(&self.plain, steps.len());
        let Some((last, rest)) = steps.split_last().filter(|_| !alpha.is_empty()) else { return };
        let Some((end, before)) = times.split_last() else { return };
        let split = |writer: &mut Self, keys: &Keys, what: &str| {
            let first = writer.maker.placed(&writer.plain, rest, before, alpha);
            let second = writer.maker.placed(&writer.plain, std::slice::from_ref(last), &[*end], keys);
            if let (Some(mut events), Some(second)) = (first, second) {
                events.extend(second);
                events.sort_by_key(|(time, _)| *time);
                writer.add(&events, 0, what);
            }
        };
        if alpha != beta {
            split(self, beta, "the last event in another group");
        }
        for (at, key) in alpha.iter().enumerate() {
            let name = self.plain.asked.keys.get(at).map_or("", |key| key.name.as_ref());
            let changed = |writer: &mut Self, value: Option<Value>, what: &str| {
                let mut keys = alpha.clone();
                keys[at] = value;
                split(writer, &keys, &format!("the last event {what} {name}"));
            };
            changed(self, None, "without");
            if let (Some(Value::String(own)), Some(Some(Value::String(other)))) = (key, beta.get(at)) {
                changed(self, Some(json!([own, other])), "with two values of");
                let upper = own.to_ascii_uppercase();
                if upper != *own {
                    changed(self, Some(json!(upper)), "with upper case in");
                }
            }
        }
        if alpha != beta {
            let first = self.maker.placed(&self.plain, steps, &times, alpha);
            let second = self.maker.placed(&self.plain, steps, &times, beta);
            if let (Some(mut events), Some(second)) = (first, second) {
                events.extend(second);
                events.sort_by_key(|(time, _)| *time);
                self.add(&events, 0, "just enough in each of two groups");
            }
        }
    }

    /// The steps among other events, and in another order of arrival.
    fn arrivals(&mut self, steps: &[Step], keys: &Keys) {
        let times = self.maker.times(&self.plain, steps.len());
        let Some(mut events) = self.maker.placed(&self.plain, steps, &times, keys) else { return };
        let mut among = events.clone();
        for (at, miss) in self.misses().into_iter().enumerate() {
            if let Some((time, _)) = events.get(at % events.len()) {
                among.push((*time, miss));
            }
        }
        among.sort_by_key(|(time, _)| *time);
        self.add(&among, 0, "just enough among events that miss the rules");
        events.reverse();
        self.add(&events, 0, "just enough, the last event standing first in the stream");
    }

    /// What depends on what is asked.
    fn criterion(&mut self, keys: &Keys, base: Option<&[Step]>) {
        let correlation = self.plain.asked;
        match &correlation.criterion {
            Criterion::Measure { measure: Measure::Events, bounds } => self.events(bounds, keys, base),
            Criterion::Measure { measure: Measure::Distinct, bounds } => self.distinct(bounds, keys, base),
            Criterion::Measure { measure, bounds } => self.numbers(*measure, bounds, keys),
            Criterion::Temporal { .. } => {
                let mut sets = recipe::sets(self.plain.parts.len());
                if sets.len() > 40 {
                    // Each alone, and all but one.
                    let all = self.plain.parts.len();
                    sets.retain(|set| [1, all - 1, all].contains(&set.len()));
                }
                for set in sets {
                    let steps: Vec<Step> = set.into_iter().map(bare).collect();
                    let what = format!("in this order: {}", self.told(&steps));
                    self.steps(&steps, keys, &what);
                    let turned: Vec<Step> = steps.into_iter().rev().collect();
                    let what = format!("in this order: {}", self.told(&turned));
                    self.steps(&turned, keys, &what);
                }
            }
        }
    }

    fn events(&mut self, bounds: &[Bound<'_>], keys: &Keys, base: Option<&[Step]>) {
        let least = base.map_or(1, <[Step]>::len);
        if let Some(more) = recipe::counts(bounds, least + 1, false) {
            let steps = self.maker.round(&self.plain, more);
            self.at(&steps, &vec![0; more], keys, 0, "more than the most, all at one time");
            self.steps(&steps, keys, "more than the most, one after the other");
        }
        let steps = self.maker.round(&self.plain, least + 1);
        self.steps(&steps, keys, "one event more");
        for part in 0..self.plain.parts.len().min(4) {
            let steps = vec![bare(part); least];
            let what = format!("as many, all alike: {}", self.told(&steps));
            self.steps(&steps, keys, &what);
        }
    }

    fn distinct(&mut self, bounds: &[Bound<'_>], keys: &Keys, base: Option<&[Step]>) {
        let least = base.map_or(1, <[Step]>::len);
        if let Some(more) = recipe::counts(bounds, least + 1, false) {
            let steps = self.maker.distinct(&self.plain, more);
            self.at(&steps, &vec![0; more], keys, 0, "more different values than the most, all at one time");
        }
        let different = self.maker.distinct(&self.plain, least);
        let value =
            |at: usize| different.get(at).and_then(|step| step.sets.first()).and_then(|(_, value)| value.clone());
        let change = |writer: &mut Self, at: usize, value: Option<Value>, what: &str| {
            let mut steps = different.clone();
            if let Some(set) = steps.get_mut(at).and_then(|step| step.sets.first_mut()) {
                set.1 = value;
                writer.steps(&steps, keys, what);
            }
        };
        let last = least - 1;
        change(self, last, None, "the last event without a value");
        change(self, last, Some(Value::Null), "the last event with null for a value");
        if let (Some(Value::String(first)), Some(other)) = (value(0), value(last)) {
            change(self, last, Some(json!(first.to_ascii_uppercase())), "the last value as the first but for its case");
            change(
                self,
                last,
                Some(json!([first, other])),
                "the last event with two values, of which the first is known",
            );
        }
        if let Some(Step { part: 0, sets }) = different.first() {
            let same: Vec<Set> = sets.clone();
            let parts = self.plain.parts.len().max(1);
            // Members whose fields have the same names.
            let alike = vec![Step { part: 0, sets: same }; least.max(parts)];
            self.steps(&alike, keys, "the same value each time");
        }
        if let Some(Step { part, sets }) = different.first()
            && let Some((field, _)) = sets.first()
        {
            let all: Vec<Value> = (0..least).filter_map(value).collect();
            let mut sets = sets.clone();
            sets[0] = (field.clone(), Some(Value::Array(all)));
            self.steps(&[Step { part: *part, sets }], keys, "all values in one event");
        }
    }

    fn numbers(&mut self, measure: Measure, bounds: &[Bound<'_>], keys: &Keys) {
        let lists = recipe::lists(measure, bounds);
        for list in &lists {
            let steps = self.maker.numbered(&self.plain, list);
            let shown: Vec<String> = list.iter().map(|number| recipe::shown(*number).to_string()).collect();
            self.steps(&steps, keys, &format!("numbers {}", shown.join(", ")));
        }
        let Some(list) = lists.first() else { return };
        let steps = self.maker.numbered(&self.plain, list);
        let mut changed = |value: &dyn Fn(&Value) -> Option<Value>, what: &str| {
            let mut steps = steps.clone();
            if let Some(set) = steps.last_mut().and_then(|step| step.sets.first_mut()) {
                set.1 = set.1.as_ref().and_then(value);
                self.steps(&steps, keys, what);
            }
        };
        changed(&|number| Some(json!(number.to_string())), "the last number as text");
        changed(&|_| Some(json!("none")), "text for the last number");
        changed(&|_| None, "the last event without a number");
    }
}
