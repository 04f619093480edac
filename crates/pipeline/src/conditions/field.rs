//! Conditions on field names.

use fancy_regex::Regex;
use serde::Deserialize;

use super::state::{Applied, State};
use super::{Kind, by_type, parameters};
use crate::read::{Faults, Located};
use crate::run::Run;
use crate::text;

/// A condition on a field name. A keyword has none.
#[derive(Debug)]
pub(crate) enum FieldCondition {
    /// `include_fields`
    Include(Names),
    /// `exclude_fields`
    Exclude(Names),
    /// `processing_item_applied`
    Applied(Applied),
    /// `processing_state`
    State(State),
}

/// The table.
pub(super) const TABLE: &[Kind<FieldCondition>] = &[
    Kind { name: "include_fields", read: |found| names(found, "include_fields").map(FieldCondition::Include) },
    Kind { name: "exclude_fields", read: |found| names(found, "exclude_fields").map(FieldCondition::Exclude) },
    Kind {
        name: "processing_item_applied",
        read: |found| parameters(found, "processing_item_applied").map(FieldCondition::Applied),
    },
    Kind { name: "processing_state", read: |found| parameters(found, "processing_state").map(FieldCondition::State) },
];

/// Reads a condition.
pub(super) fn read(found: &Located<'_, '_>) -> Result<FieldCondition, Faults> {
    by_type(found, "condition on field names", TABLE)
}

/// Field names, plain or as regular expressions that match from the start of a name.
#[derive(Debug)]
pub(crate) enum Names {
    Plain(Vec<String>),
    Patterns(Vec<Regex>),
}

#[derive(Debug, Deserialize)]
struct Parameters {
    fields: Vec<String>,
    #[serde(default)]
    mode: Mode,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Plain,
    Re,
}

fn names(found: Located<'_, '_>, name: &str) -> Result<Names, Faults> {
    let place = found.part;
    let parameters: Parameters = parameters(found, name)?;
    match parameters.mode {
        Mode::Plain => Ok(Names::Plain(parameters.fields)),
        Mode::Re => {
            let patterns = parameters.fields.iter().enumerate().map(|(index, pattern)| {
                text::regex(&text::from_start(pattern), pattern, text::element(place, "fields", index))
            });
            patterns.collect::<Result<_, _>>().map(Names::Patterns)
        }
    }
}

impl Names {
    fn have(&self, name: &str, run: &Run<'_>) -> bool {
        match self {
            Self::Plain(names) => names.iter().any(|known| known == name),
            Self::Patterns(patterns) => patterns.iter().any(|pattern| run.found(pattern, name)),
        }
    }
}

impl FieldCondition {
    /// Whether it holds for a name to which these items were applied.
    pub(crate) fn holds(&self, name: Option<&str>, applied: &[u32], run: &Run<'_>) -> bool {
        match self {
            Self::Include(names) => name.is_some_and(|name| names.have(name, run)),
            Self::Exclude(names) => !name.is_some_and(|name| names.have(name, run)),
            Self::Applied(found) => found.holds(applied, run),
            Self::State(state) => state.holds(run),
        }
    }
}
