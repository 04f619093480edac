//! The transformations. Each has a file of its own; [`TABLE`] has its `type`.
//!
//! Names and parameters are those of pySigma 1.5 (<https://sigmahq-pysigma.readthedocs.io/en/latest/Processing_Pipelines.html>).

mod add_condition;
mod case;
mod convert_type;
mod drop;
mod external;
mod extract_fields;
mod failure;
mod field_affix;
mod field_function;
mod field_mapping;
mod fields_list;
mod hashes;
mod logsource;
mod map_string;
mod nest;
mod placeholders;
mod regex;
mod replace_string;
mod set_attribute;
mod set_state;
mod set_value;

use serde::de::DeserializeOwned;

use crate::item::Work;
use crate::read::{Faults, Located};
use crate::world::World;

/// What reading an item may ask for.
pub(crate) struct Resources<'w> {
    /// Files and other sources.
    pub(crate) world: &'w dyn World,
    /// How deep `nest` goes here.
    pub(crate) depth: usize,
}

/// An entry of the table.
pub(crate) struct Entry {
    /// Its `type`.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) summary: &'static str,
    /// Compiles it of its parameters.
    pub(crate) read: for<'a> fn(Located<'_, 'a>, &mut Resources<'_>) -> Result<Work<'a>, Faults>,
}

/// Every transformation, in alphabetical order.
pub(crate) const TABLE: &[Entry] = &[
    add_condition::ENTRY,
    fields_list::ADD,
    case::ENTRY,
    logsource::ENTRY,
    external::COMMAND,
    convert_type::ENTRY,
    failure::ITEM,
    drop::ENTRY,
    extract_fields::ENTRY,
    field_mapping::ENTRY,
    field_affix::PREFIX,
    field_mapping::PREFIXES,
    field_affix::SUFFIX,
    field_function::ENTRY,
    external::FILE,
    hashes::ENTRY,
    external::HTTP,
    map_string::ENTRY,
    nest::ENTRY,
    placeholders::EXPRESSION,
    regex::ENTRY,
    fields_list::REMOVE,
    replace_string::ENTRY,
    failure::RULE,
    set_attribute::ENTRY,
    fields_list::SET,
    set_state::ENTRY,
    set_value::ENTRY,
    failure::UNMAPPED,
    placeholders::VALUES,
    placeholders::WILDCARD,
];

/// The parameters of a transformation.
fn parameters<T: DeserializeOwned>(found: Located<'_, '_>, name: &str) -> Result<T, Faults> {
    found.typed(&format!("the transformation `{name}`"))
}

/// One value or a list of them.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    pub(crate) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::More(all) => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn the_table_is_in_order_and_says_what_each_does() {
        let names: Vec<&str> = TABLE.iter().map(|entry| entry.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
        assert!(TABLE.iter().all(|entry| !entry.summary.is_empty()));
    }
}
