//! Events of members, with the keys and values that are wanted of them.
//!
//! Invariant: an event is given out only if it is known of every rule whether it matches, and its own does. Fields that the
//! rule will not have changed keep their value.

use serde_json::{Value, json};
use sigcast_ir::KeyField;

use super::super::{Event, value};
use super::plain::{Leaf, Node, Part, Plain};
use super::recipe::Step;

/// A field with the value that it gets; none takes it away.
pub(super) type Set = (String, Option<Value>);

/// Events that make one member have an event at time 0; those of an inner correlation are before it.
pub(super) type Block = Vec<(i64, Event)>;

/// Makes events.
pub(super) struct Maker<'c> {
    pub(super) leaves: Vec<Leaf<'c>>,
}

impl Maker<'_> {
    /// An event of a rule with these fields set, and of as few other rules as can be.
    fn event(&self, leaf: usize, sets: &[Set]) -> Option<Event> {
        self.fitted(leaf, sets, true).or_else(|| self.fitted(leaf, sets, false))
    }

    fn fitted(&self, leaf: usize, sets: &[Set], all: bool) -> Option<Event> {
        let rule = self.leaves.get(leaf)?;
        let mut best: Option<(usize, Event)> = None;
        for hit in &rule.hits {
            let mut event = hit.clone();
            for (field, value) in sets.iter().filter(|(field, _)| all || !hit.contains_key(field)) {
                match value {
                    Some(value) => event.insert(field.clone(), value.clone()),
                    None => event.shift_remove(field),
                };
            }
            if rule.matches(&event) != Some(true) {
                continue;
            }
            let others = self.leaves.iter().enumerate().filter(|(at, _)| *at != leaf);
            let others: Option<Vec<bool>> = others.map(|(_, other)| other.matches(&event)).collect();
            let Some(others) = others else { continue };
            let others = others.into_iter().filter(|matches| *matches).count();
            if best.as_ref().is_none_or(|(least, _)| others < *least) {
                best = Some((others, event));
            }
            if others == 0 {
                break;
            }
        }
        best.map(|(_, event)| event)
    }

    /// Whether the rule can have this value in this field.
    fn accepts(&self, leaf: usize, field: &str, value: &Value) -> bool {
        self.leaves.get(leaf).is_some_and(|rule| {
            rule.hits.iter().any(|hit| {
                let mut event = hit.clone();
                event.insert(field.to_owned(), value.clone());
                rule.matches(&event) == Some(true)
            })
        })
    }

    /// The rules' fields that a key is read from.
    fn sites(&self, plain: &Plain<'_>, key: usize) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for part in &plain.parts {
            match (part.member.keys.get(key), &part.node) {
                (Some(KeyField::Field(field)), _) => {
                    found.extend(leaves(part).into_iter().map(|leaf| (leaf, field.as_str().to_owned())));
                }
                (Some(KeyField::Inner(at)), Node::Correlation(inner)) => found.extend(self.sites(inner, *at)),
                _ => {}
            }
        }
        found
    }

    /// Values for the keys of a correlation that all its rules can have; those of another group if there is one already.
    pub(super) fn keys(&self, plain: &Plain<'_>, other: Option<&[Value]>) -> Vec<Value> {
        let keys = plain.asked.keys.iter().enumerate();
        keys.map(|(key, named)| {
            let taken: Vec<Value> = other.and_then(|other| other.get(key)).cloned().into_iter().collect();
            let sites = self.sites(plain, key);
            // Another value for each key, so that two that are taken for each other are noticed.
            let group = usize::from(other.is_some());
            let (word, number) = (["alpha", "beta"][group], group + 2 * key);
            let word = if key == 0 { word.to_owned() } else { format!("{word}{}", key + 1) };
            let found = self.value(&sites, &named.name, &word, number, &taken);
            found.or_else(|| taken.first().cloned()).unwrap_or_else(|| json!(word))
        })
        .collect()
    }

    /// A value that the rules can have in these fields, and that is none of those that are taken.
    fn value(
        &self,
        sites: &[(usize, String)],
        name: &str,
        word: &str,
        number: usize,
        taken: &[Value],
    ) -> Option<Value> {
        let mut own: Vec<&Value> = sites
            .iter()
            .filter_map(|(leaf, field)| Some((self.leaves.get(*leaf)?, field)))
            .flat_map(|(leaf, field)| leaf.hits.iter().filter_map(move |hit| hit.get(field)))
            .filter(|value| value::text(value).is_some())
            .collect();
        // Another one for each number, where the rule leaves nothing but its own.
        let turn = number % own.len().max(1);
        own.rotate_left(turn);
        let address = json!(format!("10.0.{}.{}", number / 250, number % 250 + 1));
        let lower = name.to_ascii_lowercase();
        let addressed = ["ip", "addr"].iter().any(|part| lower.split(['.', '_']).any(|word| word.ends_with(part)))
            || lower.contains("ipaddress");
        let mut candidates = vec![json!(word), address, json!(100 + number)];
        if addressed {
            candidates.swap(0, 1);
        }
        for text in own.iter().filter_map(|value| value.as_str()).take(4) {
            candidates.extend([json!(format!("{word}{text}")), json!(format!("{text}{word}"))]);
        }
        candidates.extend(own.into_iter().cloned());
        let same = |a: &Value, b: &Value| value::text(a) == value::text(b);
        candidates.into_iter().find(|candidate| {
            !taken.iter().any(|taken| same(taken, candidate))
                && sites.iter().all(|(leaf, field)| self.accepts(*leaf, field, candidate))
        })
    }

    /// Different values for the value fields of a member, by their number.
    pub(super) fn values(&self, part: &Part<'_>, number: usize) -> Vec<Set> {
        let leaves = leaves(part);
        let fields = part.member.values.iter().map(|field| {
            let sites: Vec<_> = leaves.iter().map(|leaf| (*leaf, field.as_str().to_owned())).collect();
            let found = self.value(&sites, field.as_str(), &format!("value-{number}"), number, &[]);
            (field.as_str().to_owned(), found.or_else(|| Some(json!(format!("value-{number}")))))
        });
        fields.collect()
    }

    /// What makes a member have an event, with these keys and further fields.
    pub(super) fn block(&self, part: &Part<'_>, keys: &[Option<Value>], sets: &[Set]) -> Option<Block> {
        let mut sets = sets.to_vec();
        let mut inner_keys: Vec<(usize, Option<Value>)> = Vec::new();
        for (key, value) in part.member.keys.iter().zip(keys) {
            match key {
                KeyField::Field(field) => sets.push((field.as_str().to_owned(), value.clone())),
                KeyField::Inner(at) => inner_keys.push((*at, value.clone())),
            }
        }
        match &part.node {
            Node::Rule(leaf) => Some(vec![(0, self.event(*leaf, &sets)?)]),
            Node::Correlation(inner) => {
                let mut keys: Vec<Option<Value>> = self.keys(inner, None).into_iter().map(Some).collect();
                for (at, value) in inner_keys {
                    *keys.get_mut(at)? = value;
                }
                let mut steps = self.base(inner)?;
                steps.last_mut()?.sets.extend(sets);
                let times = self.times(inner, steps.len());
                let end = *times.last()?;
                let events = self.placed(inner, &steps, &times, &keys)?;
                Some(events.into_iter().map(|(time, event)| (time - end, event)).collect())
            }
        }
    }

    /// The events of steps at times, all of one group.
    pub(super) fn placed(
        &self,
        plain: &Plain<'_>,
        steps: &[Step],
        times: &[i64],
        keys: &[Option<Value>],
    ) -> Option<Vec<(i64, Event)>> {
        let mut events = Vec::new();
        for (step, time) in steps.iter().zip(times) {
            let block = self.block(plain.parts.get(step.part)?, keys, &step.sets)?;
            events.extend(block.into_iter().map(|(before, event)| (time + before, event)));
        }
        events.sort_by_key(|(time, _)| *time);
        Some(events)
    }

    /// Times for so many steps that all lie within a window: a second apart, or as far as inner windows need.
    pub(super) fn times(&self, plain: &Plain<'_>, steps: usize) -> Vec<i64> {
        let inner = plain.parts.iter().filter_map(|part| match &part.node {
            Node::Correlation(inner) => Some(inner.span + 1000),
            Node::Rule(_) => None,
        });
        let count = i64::try_from(steps).unwrap_or(i64::MAX).max(1);
        let most = plain.span / count;
        let wanted = inner.max().unwrap_or(1000);
        let gap = [wanted, 1000, 1].into_iter().find(|gap| *gap <= most).unwrap_or(0);
        (0..count).map(|at| at * gap).collect()
    }
}

/// The rules under a member.
fn leaves(part: &Part<'_>) -> Vec<usize> {
    match &part.node {
        Node::Rule(leaf) => vec![*leaf],
        Node::Correlation(inner) => inner.parts.iter().flat_map(leaves).collect(),
    }
}
