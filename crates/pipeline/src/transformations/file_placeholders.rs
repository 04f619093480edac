//! `file_placeholders`: the values in a file beside the pipeline stand for placeholders.

use serde::Deserialize;

use super::Entry;
use super::external::split;
use crate::read::fault;
use crate::world::is_beside;

pub(super) const ENTRY: Entry = Entry {
    name: "file_placeholders",
    summary: "placeholders become the values in a file beside the pipeline",
    read: |found, resources| {
        let place = found.part.get("path").unwrap_or(found.part).span();
        let (extraction, File { path }) = split(&found, "file_placeholders")?;
        if !is_beside(&path) {
            return Err(vec![fault(place, format!("`{path}` is no path of a file beside the pipeline"))]);
        }
        let text = resources.world.file(&path).map_err(|why| vec![fault(place, why)])?;
        extraction.work(&text, place)
    },
};

#[derive(Debug, Deserialize)]
struct File {
    path: String,
}
