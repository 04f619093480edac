//! The transformations. Each has a file of its own; [`TABLE`] has its `type`.
//!
//! Names and parameters are those of pySigma 1.5 (<https://sigmahq-pysigma.readthedocs.io/en/latest/Processing_Pipelines.html>).

mod add_condition;
mod add_field;
mod case;
mod change_logsource;
mod command_placeholders;
mod convert_type;
mod detection_item_failure;
mod drop_detection_item;
mod external;
mod extract_fields;
mod field_name_mapping;
mod field_name_prefix;
mod field_name_prefix_mapping;
mod field_name_suffix;
mod field_name_transform;
mod file_placeholders;
mod hashes_fields;
mod http_placeholders;
mod map_string;
mod mapping;
mod nest;
mod placeholders;
pub(crate) mod query_expression_placeholders;
mod regex;
mod remove_field;
mod replace_string;
mod rule_failure;
mod set_custom_attribute;
mod set_field;
mod set_state;
mod set_value;
mod strict_field_mapping_failure;
mod value_placeholders;
mod wildcard_placeholders;

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
    add_field::ENTRY,
    case::ENTRY,
    change_logsource::ENTRY,
    command_placeholders::ENTRY,
    convert_type::ENTRY,
    detection_item_failure::ENTRY,
    drop_detection_item::ENTRY,
    extract_fields::ENTRY,
    field_name_mapping::ENTRY,
    field_name_prefix::ENTRY,
    field_name_prefix_mapping::ENTRY,
    field_name_suffix::ENTRY,
    field_name_transform::ENTRY,
    file_placeholders::ENTRY,
    hashes_fields::ENTRY,
    http_placeholders::ENTRY,
    map_string::ENTRY,
    nest::ENTRY,
    query_expression_placeholders::ENTRY,
    regex::ENTRY,
    remove_field::ENTRY,
    replace_string::ENTRY,
    rule_failure::ENTRY,
    set_custom_attribute::ENTRY,
    set_field::ENTRY,
    set_state::ENTRY,
    set_value::ENTRY,
    strict_field_mapping_failure::ENTRY,
    value_placeholders::ENTRY,
    wildcard_placeholders::ENTRY,
];

/// The parameters of a transformation.
fn parameters<T: DeserializeOwned>(found: Located<'_, '_>, name: &str) -> Result<T, Faults> {
    found.typed(&format!("the transformation `{name}`"))
}

/// One value or a list of them.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts is expected")]
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
