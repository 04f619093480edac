//! What stays of an earlier build: the files of rules that have no query today, although they had one.
//!
//! Invariant: a rule that cannot be read, is wrong or is refused takes nothing away that was written of it, unless the
//! baseline accepts the failure; only a rule that is gone, or that no output selects any more, does.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::config::Place;
use super::manifest::{Manifest, RuleRow};
use super::project::Project;
use super::rows::Written;
use crate::engine::{self, Entry, Status, is_error};

/// An entry and an output, by their numbers.
type Failing = (usize, usize);

/// What an earlier build wrote of rules that fail today.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Rows of the earlier manifest whose rules have neither a query today nor are known to be gone: each with what fails
    /// today and may be the same rule. Rows without any are of rules that nothing of today can be.
    rows: Vec<(RuleRow, Vec<Failing>)>,
    /// What fails today and may be any rule: it has no id, and nothing was written of its file.
    unknown: Vec<Failing>,
    /// Whether a file or directory cannot be read.
    unreadable: bool,
}

/// What stays.
#[derive(Debug, Default)]
pub(crate) struct Stays {
    /// Files by path, each with the path of the rule that it is kept for.
    pub(crate) files: BTreeMap<String, String>,
    /// Whether something that fails may be any rule, so that nothing is known to be gone.
    pub(crate) any: bool,
}

impl Kept {
    /// Compares the rules of the earlier build with what became of those of today.
    pub(crate) fn new(old: Option<&Manifest>, project: &Project<'_, '_>) -> Self {
        let Some(old) = old else { return Self::default() };
        let mut kept = Self { unreadable: !project.inputs.unreadable.is_empty(), ..Self::default() };
        let path = |entry: &Entry<'_>| project.config.relative(engine::path(&project.inputs.sources, entry));
        let written: Vec<&RuleRow> = old.rules.iter().filter(|row| !row.files.is_empty()).collect();
        for (job, output) in project.config.outputs.iter().enumerate() {
            let mut decided: HashSet<String> = HashSet::new();
            let mut failing: Vec<(usize, Option<String>, String)> = Vec::new();
            for (at, (entry, one)) in project.entries.iter().zip(&project.converted).enumerate() {
                let id = id(entry.document.id.as_deref());
                match one.ended[job].status {
                    Status::Skipped => {}
                    Status::Refused | Status::Invalid => failing.push((at, id, path(entry))),
                    _ => {
                        decided.insert(key(id.as_deref(), &path(entry), entry.document.title.as_deref()));
                    }
                }
            }
            for row in written.iter().filter(|row| row.output == output.name) {
                let own = id(row.id.as_deref());
                if decided.contains(&key(own.as_deref(), &row.path, row.title.as_deref())) {
                    continue;
                }
                let same = failing.iter().filter(|(_, id, path)| *path == row.path || (id.is_some() && *id == own));
                kept.rows.push(((*row).clone(), same.map(|(at, ..)| (*at, job)).collect()));
            }
            let strange =
                failing.iter().filter(|(_, id, path)| id.is_none() && written.iter().all(|row| row.path != *path));
            kept.unknown.extend(strange.map(|(at, ..)| (*at, job)));
        }
        kept
    }

    /// The paths that no other rule may take today.
    pub(crate) fn paths(&self) -> BTreeSet<&str> {
        let any = self.unreadable || !self.unknown.is_empty();
        let rows = self.rows.iter().filter(|(_, failing)| any || !failing.is_empty());
        rows.flat_map(|(row, _)| &row.files).map(String::as_str).collect()
    }

    /// What stays once the baseline has taken out the failures that it accepts. The rows of rules whose files stay tell
    /// so; a file for all rules that stays is not written.
    pub(crate) fn settle(&self, old: Option<&Manifest>, project: &Project<'_, '_>, written: &mut Written) -> Stays {
        let fails = |(at, job): &Failing| {
            let own = project.entries[*at].document.diagnostics.iter();
            own.chain(&project.converted[*at].ended[*job].diagnostics).any(is_error)
        };
        let any = !project.inputs.unreadable.is_empty() || self.unknown.iter().any(fails);
        let mut stays = Stays { any, ..Stays::default() };
        let numbers: BTreeMap<Failing, usize> =
            written.rules.iter().enumerate().map(|(number, row)| (row.place, number)).collect();
        let mut gone = Vec::new();
        for (row, failing) in &self.rows {
            let still: Vec<&Failing> = failing.iter().filter(|one| fails(one)).collect();
            // What the baseline accepts has no query, and that is known.
            if still.is_empty() && (!any || !failing.is_empty()) {
                continue;
            }
            stays.files.extend(row.files.iter().map(|file| (file.clone(), row.path.clone())));
            match still.first().and_then(|one| numbers.get(*one)) {
                Some(number) => {
                    let files = &mut written.rules[*number].row.files;
                    files.extend(row.files.iter().filter(|file| !files.contains(file)).cloned().collect::<Vec<_>>());
                }
                None => gone.push(row.clone()),
            }
        }
        hold(&stays, old, project, written);
        written.earlier = gone;
        stays.files.retain(|path, _| written.files.iter().all(|file| file.row.path != *path));
        stays
    }
}

/// Takes the files for all rules that stay as they are out of what is written; the rows of their outputs are as before.
fn hold(stays: &Stays, old: Option<&Manifest>, project: &Project<'_, '_>, written: &mut Written) {
    let ones = project.config.outputs.iter().filter(|output| matches!(output.place, Place::One(_)));
    let ones: BTreeSet<&str> = ones.map(|output| output.name.as_str()).collect();
    let held = |file: &str, output: &str| ones.contains(output) && stays.files.contains_key(file);
    let outputs: BTreeSet<String> = written
        .files
        .iter()
        .filter(|file| held(&file.row.path, &file.row.output))
        .map(|file| file.row.output.clone())
        .collect();
    written.files.retain(|file| !outputs.contains(&file.row.output));
    for row in written.rules.iter_mut().map(|placed| &mut placed.row).filter(|row| outputs.contains(&row.output)) {
        if row.query_sha256.is_none() {
            continue;
        }
        let name = |row: &RuleRow| key(id(row.id.as_deref()).as_deref(), &row.path, row.title.as_deref());
        let before = old.iter().flat_map(|old| &old.rules);
        match before.filter(|before| before.output == row.output).find(|before| name(before) == name(row)) {
            Some(before) => *row = before.clone(),
            None => row.files.clear(),
        }
    }
}

fn id(id: Option<&str>) -> Option<String> {
    id.map(|id| id.trim().to_lowercase()).filter(|id| !id.is_empty())
}

/// What tells rules apart: the id, else path and title.
fn key(id: Option<&str>, path: &str, title: Option<&str>) -> String {
    id.map_or_else(|| format!("{path}\n{}", title.unwrap_or_default()), str::to_owned)
}
