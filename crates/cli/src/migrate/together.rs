//! What is migrated in several files of a run at once: filters and correlations of one file name rules of another.
//!
//! Invariant: with the texts that come out of this, every document of the run means what it did before.

use sigcast_diagnostics::{SourceId, SourceMap};

use super::Migrated;
use super::meaning::Linked;

/// Takes back what would change the meaning of the run: of such a file, only the attributes change.
pub(super) fn settle(sources: &SourceMap, mut files: Vec<(SourceId, &mut Migrated)>) {
    // Attributes are not what documents are named by.
    let rebuilt = |made: &Migrated| made.new != made.plain;
    let candidates: Vec<usize> = (0..files.len()).filter(|at| rebuilt(files[*at].1)).collect();
    if candidates.is_empty() {
        return;
    }
    let ids: Vec<SourceId> = files.iter().map(|(id, _)| *id).collect();
    let before = Linked::new(sources, &ids);
    if !before.refers() {
        return;
    }
    let refused = {
        let mut search = Search { before: &before, sources, files: &files, taken: Vec::new(), refused: Vec::new() };
        search.take(&candidates);
        search.refused
    };
    for (at, why) in refused {
        let Some((_, made)) = files.get_mut(at) else { continue };
        made.new = made.plain.clone();
        made.stays.push(why);
    }
}

/// Finds the files that can be taken together.
struct Search<'s, 'm> {
    before: &'s Linked<'s>,
    sources: &'s SourceMap,
    files: &'s [(SourceId, &'m mut Migrated)],
    taken: Vec<usize>,
    /// The others, each with the reason.
    refused: Vec<(usize, String)>,
}

impl Search<'_, '_> {
    /// Takes as many of these files as keep the meaning, half by half where they do not together.
    fn take(&mut self, group: &[usize]) {
        let all: Vec<usize> = self.taken.iter().chain(group).copied().collect();
        match (self.difference(&all), group) {
            (None, _) => self.taken = all,
            (Some(why), [one]) => self.refused.push((*one, why)),
            (Some(_), group) => {
                let (first, second) = group.split_at(group.len() / 2);
                self.take(first);
                self.take(second);
            }
        }
    }

    /// What would mean something else if these files were rebuilt, and the others were not.
    fn difference(&self, rebuilt: &[usize]) -> Option<String> {
        let mut sources = SourceMap::new();
        let texts = self.files.iter().enumerate().map(|(at, (id, made))| {
            let version = if rebuilt.contains(&at) { &made.new } else { &made.plain };
            sources.add(self.sources.get(*id).name(), version.text.as_str())
        });
        let ids: Vec<SourceId> = texts.collect();
        self.before.difference(&Linked::new(&sources, &ids))
    }
}
