//! `field_name_transform`: a function in Python, which no pipeline file can hold.

use super::Entry;
use crate::read::fault;

pub(super) const ENTRY: Entry = Entry {
    name: "field_name_transform",
    summary: "refused: it takes a function in Python, which a file cannot hold",
    read: |found, _| {
        let wrong = fault(
            found.part.head(),
            "`field_name_transform` takes a function in Python, which a pipeline file cannot hold",
        );
        Err(vec![wrong.help("`field_name_mapping`, `field_name_prefix_mapping`, `field_name_prefix` and `field_name_suffix` rename fields")])
    },
};
