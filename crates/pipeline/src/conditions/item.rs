//! Conditions on detection items, mostly on their values.

use fancy_regex::Regex;
use serde::Deserialize;
use serde_yaml::Value;
use sigcast_ir::{DetectionItem, Part, Pattern, Test};

use super::state::{Applied, State};
use super::{Kind, by_type, parameters};
use crate::read::{Faults, Located};
use crate::run::Run;
use crate::text;

/// A condition on a detection item.
#[derive(Debug)]
pub(crate) enum ItemCondition {
    /// `match_string`: a regular expression matches values from their start.
    Matches { which: Which, pattern: Regex, negated: bool },
    /// `match_value`: values are this one.
    Is { which: Which, value: Value },
    /// `contains_wildcard`
    Wildcard(Which),
    /// `is_null`
    Null(Which),
    /// `processing_item_applied`
    Applied(Applied),
    /// `processing_state`
    State(State),
}

/// How many values must pass.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Which {
    Any,
    All,
}

#[derive(Debug, Deserialize)]
struct MatchString {
    cond: Which,
    pattern: String,
    #[serde(default)]
    negate: bool,
}

#[derive(Debug, Deserialize)]
struct MatchValue {
    cond: Which,
    value: Value,
}

#[derive(Debug, Deserialize)]
struct Cond {
    cond: Which,
}

/// The table.
pub(super) const TABLE: &[Kind<ItemCondition>] = &[
    Kind { name: "match_string", read: matches },
    Kind {
        name: "match_value",
        read: |found| {
            let MatchValue { cond: which, value } = parameters(found, "match_value")?;
            Ok(ItemCondition::Is { which, value })
        },
    },
    Kind {
        name: "contains_wildcard",
        read: |found| parameters(found, "contains_wildcard").map(|Cond { cond }| ItemCondition::Wildcard(cond)),
    },
    Kind { name: "is_null", read: |found| parameters(found, "is_null").map(|Cond { cond }| ItemCondition::Null(cond)) },
    Kind {
        name: "processing_item_applied",
        read: |found| parameters(found, "processing_item_applied").map(ItemCondition::Applied),
    },
    Kind { name: "processing_state", read: |found| parameters(found, "processing_state").map(ItemCondition::State) },
];

/// Reads a condition.
pub(super) fn read(found: &Located<'_, '_>) -> Result<ItemCondition, Faults> {
    by_type(found, "condition on detection items", TABLE)
}

fn matches(found: Located<'_, '_>) -> Result<ItemCondition, Faults> {
    let place = found.part.get("pattern").unwrap_or(found.part).span();
    let MatchString { cond: which, pattern, negate: negated } = parameters(found, "match_string")?;
    let pattern = text::regex(&text::from_start(&pattern), &pattern, place)?;
    Ok(ItemCondition::Matches { which, pattern, negated })
}

impl Which {
    fn of(self, item: &DetectionItem<'_>, mut passes: impl FnMut(&Test<'_>) -> bool) -> bool {
        let mut values = item.values.iter().map(|value| &value.test);
        match self {
            Self::Any => values.any(|test| one_of(test, &mut passes)),
            Self::All => values.all(|test| one_of(test, &mut passes)),
        }
    }
}

/// Whether a value passes, or one of the variants that a modifier made of it.
fn one_of(test: &Test<'_>, passes: &mut impl FnMut(&Test<'_>) -> bool) -> bool {
    match test {
        Test::OneOf(variants) => variants.iter().any(|variant| one_of(variant, passes)),
        test => passes(test),
    }
}

impl ItemCondition {
    /// Whether it holds.
    pub(crate) fn holds(&self, item: &DetectionItem<'_>, run: &Run<'_>) -> bool {
        match self {
            Self::Matches { which, pattern, negated } => {
                // What is no text matches nothing, so that it passes where a match must not be.
                let found = |test: &Test<'_>| text::of_test(test).is_some_and(|value| run.found(pattern, &value));
                which.of(item, |test| found(test) != *negated)
            }
            Self::Is { which, value } => which.of(item, |test| text::equals(test, value)),
            Self::Wildcard(which) => which.of(item, has_wildcard),
            Self::Null(which) => which.of(item, |test| matches!(test, Test::Null)),
            Self::Applied(found) => found.holds(&item.applied, run),
            Self::State(state) => state.holds(run),
        }
    }
}

fn has_wildcard(test: &Test<'_>) -> bool {
    let wild = |pattern: &Pattern<'_>| pattern.parts().iter().any(|part| matches!(part, Part::AnyRun | Part::AnyOne));
    matches!(test, Test::Text { pattern, .. } if wild(pattern))
}
