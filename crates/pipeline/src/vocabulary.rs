//! The words of pipelines, for lists and help.

use crate::output::{finalizers, postprocessing};
use crate::{conditions, transformations};

/// A word of the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// What kind of word: `transformation`, `rule condition`, …
    pub kind: &'static str,
    /// The `type`.
    pub name: &'static str,
    /// What it does, in a line; empty for conditions, whose names say it.
    pub summary: &'static str,
}

/// Every word.
#[must_use]
pub fn vocabulary() -> Vec<Word> {
    let items = transformations::TABLE.iter().map(|entry| Word {
        kind: "transformation",
        name: entry.name,
        summary: entry.summary,
    });
    let conditions = conditions::names()
        .into_iter()
        .flat_map(|(kind, names)| names.into_iter().map(move |name| Word { kind, name, summary: "" }));
    let post = postprocessing().iter().map(|(name, summary)| Word { kind: "post-processing", name, summary });
    let last = finalizers().iter().map(|(name, summary)| Word { kind: "finalizer", name, summary });
    items.chain(conditions).chain(post).chain(last).collect()
}
