//! `nest`: items within an item, which apply if its conditions on the rule hold.

use super::{Entry, Resources};
use crate::item::{Item, Work};
use crate::read::{Faults, Located, fault, unknown};

pub(super) const ENTRY: Entry = Entry {
    name: "nest",
    summary: "items in an item, applied in order if its conditions hold",
    read: |found, resources| read(&found, resources),
};

/// How deep items may nest.
const MAX_DEPTH: usize = 16;

fn read<'a>(found: &Located<'_, 'a>, resources: &mut Resources<'_>) -> Result<Work<'a>, Faults> {
    let mut faults: Faults = Vec::new();
    for (key, part) in found.entries().unwrap_or_default() {
        if key != "items" {
            faults.push(unknown(part.part.key_span(), "key of the transformation `nest`", key, ["items"]));
        }
    }
    let items = found.get("items");
    let Some(elements) = items.as_ref().and_then(Located::elements) else {
        faults
            .push(fault(items.map_or(found.part, |items| items.part).head(), "`nest` needs `items`, a list of items"));
        return Err(faults);
    };
    if resources.depth >= MAX_DEPTH {
        faults.push(fault(found.part.head(), format!("items nest more than {MAX_DEPTH} deep")));
        return Err(faults);
    }
    resources.depth += 1;
    let mut all = Vec::with_capacity(elements.len());
    for (at, element) in elements.iter().enumerate() {
        match Item::read(element, at + 1, resources) {
            Ok(item) => all.push(item),
            Err(mut wrong) => faults.append(&mut wrong),
        }
    }
    resources.depth -= 1;
    if faults.is_empty() { Ok(Work::Nest(all)) } else { Err(faults) }
}
