//! Tables of field names, which `field_name_mapping` and `field_name_prefix_mapping` share.

use std::collections::HashMap;

use serde::Deserialize;

use super::{OneOrMore, parameters};
use crate::read::{Faults, Located, fault};

#[derive(Debug, Deserialize)]
struct Parameters {
    mapping: HashMap<Option<String>, OneOrMore<String>>,
}

/// Names by the name that they stand for, and those for keywords.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By name or start of a name.
    pub(super) names: HashMap<String, Vec<String>>,
    /// Of the key `null`.
    pub(super) keywords: Option<Vec<String>>,
}

/// Reads a table. A name that maps to nothing is a fault.
pub(super) fn read(found: Located<'_, '_>, name: &str) -> Result<Table, Faults> {
    let part = found.part;
    let parameters: Parameters = parameters(found, name)?;
    let mut table = Table::default();
    let mut faults: Faults = Vec::new();
    for (key, names) in parameters.mapping {
        let names = names.into_vec();
        if names.is_empty() || names.iter().any(String::is_empty) {
            let key = key.as_deref().unwrap_or("null");
            let place = part.get("mapping").and_then(|mapping| mapping.get(key)).unwrap_or(part).head();
            let wrong = fault(place, format!("`{key}` maps to no field"));
            faults.push(wrong.help("`drop_detection_item` drops what asks for a field"));
        }
        match key {
            Some(key) => drop(table.names.insert(key, names)),
            None => table.keywords = Some(names),
        }
    }
    faults.sort_by_key(|found| found.span().map(|span| span.start));
    if faults.is_empty() { Ok(table) } else { Err(faults) }
}
