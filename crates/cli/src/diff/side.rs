//! One side of a comparison: what each rule has become for each output, and which rules of two sides are the same one.
//!
//! Invariant: each rule of one side is paired at most once.

use std::collections::HashMap;

use sigcast_diagnostics::Diagnostic;
use sigcast_frontend::Kind;
use sigcast_ir::Rule;

use crate::build::manifest::{Manifest, sha256};
use crate::build::project::Project;
use crate::build::rows::document_sha256;
use crate::engine::{self, Ended, Status, is_error};

/// A rule for an output.
#[derive(Debug)]
pub(super) struct Item<'s> {
    /// The name of the output.
    pub(super) output: &'s str,
    /// The id of the rule.
    pub(super) id: Option<&'s str>,
    /// The title.
    pub(super) title: Option<&'s str>,
    /// The file, relative to the configuration's folder.
    pub(super) path: String,
    /// The number of the document in it.
    pub(super) document: usize,
    /// How it ended.
    pub(super) status: &'s str,
    /// The codes of errors.
    pub(super) errors: Vec<&'s str>,
    /// The queries; `None` if a manifest does not hold them.
    pub(super) queries: Option<&'s [String]>,
    /// The hash of the queries; `None` without a query.
    pub(super) hash: Option<String>,
    /// The hash of the document that the format makes of them; `None` without a query.
    pub(super) document_sha256: Option<String>,
    /// What is known of it beside, unless it comes from a manifest.
    pub(super) deep: Option<Deep<'s>>,
}

/// What a conversion knows of a rule.
#[derive(Clone, Copy)]
pub(super) struct Deep<'s> {
    /// The conversion.
    pub(super) project: &'s Project<'s, 's>,
    /// The number of the output in it.
    pub(super) job: usize,
    /// The rule, with its filters, before pipelines; none if it is no readable rule.
    pub(super) rule: Option<&'s Rule<'s>>,
    /// What became of it.
    pub(super) ended: &'s Ended,
}

impl std::fmt::Debug for Deep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deep").field("job", &self.job).field("ended", self.ended).finish_non_exhaustive()
    }
}

/// Every rule of a conversion for every output.
pub(super) fn of_project<'s>(project: &'s Project<'s, 's>) -> Vec<Item<'s>> {
    let config = project.config;
    let mut items = Vec::new();
    for (entry, one) in project.entries.iter().zip(&project.converted) {
        let path = config.relative(engine::path(&project.inputs.sources, entry));
        let document = &entry.document;
        for (job, (ended, output)) in one.ended.iter().zip(&config.outputs).enumerate() {
            if matches!(ended.status, Status::Skipped | Status::Unselected) {
                continue;
            }
            let found = document.diagnostics.iter().chain(&ended.diagnostics);
            let mut errors: Vec<&str> =
                found.filter(|found| is_error(found)).map(|found: &Diagnostic| found.code.as_str()).collect();
            errors.sort_unstable();
            errors.dedup();
            let rule = match &document.kind {
                Kind::Rule(rule) => Some(&**rule),
                _ => None,
            };
            items.push(Item {
                output: &output.name,
                id: document.id.as_deref().filter(|id| !id.trim().is_empty()),
                title: document.title.as_deref(),
                path: path.clone(),
                document: document.number,
                status: ended.status.as_str(),
                errors,
                queries: Some(&ended.queries),
                hash: (!ended.queries.is_empty()).then(|| sha256(ended.queries.join("\n\n").as_bytes())),
                document_sha256: document_sha256(project, job, ended),
                deep: Some(Deep { project, job, rule, ended }),
            });
        }
    }
    items
}

/// Every rule of a manifest for every output.
pub(super) fn of_manifest(manifest: &Manifest) -> Vec<Item<'_>> {
    let rows = manifest.rules.iter().map(|row| Item {
        output: &row.output,
        id: row.id.as_deref().filter(|id| !id.trim().is_empty()),
        title: row.title.as_deref(),
        path: row.path.clone(),
        document: row.document,
        status: &row.status,
        errors: row.errors.iter().map(|said| said.code.as_str()).collect(),
        queries: row.queries.as_deref(),
        hash: row.query_sha256.clone(),
        document_sha256: row.document_sha256.clone(),
        deep: None,
    });
    rows.collect()
}

/// The rules of both sides, each old one beside the new one that it is now: first those of the new side in their order,
/// then those that only the old side has. Rules are the same by their id, else by path and title.
pub(super) fn pair<'s>(old: Vec<Item<'s>>, new: Vec<Item<'s>>) -> Vec<(Option<Item<'s>>, Option<Item<'s>>)> {
    let mut partners: Vec<Option<usize>> = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    let by_id = |item: &Item<'_>| item.id.map(|id| format!("{}\n{}", item.output, id.to_lowercase()));
    let by_place = |item: &Item<'_>| {
        let title = item.title.unwrap_or_default();
        Some(format!("{}\n{}\n{title}", item.output, item.path))
    };
    match_by(&old, &new, &by_id, &|_, _| true, &mut partners, &mut taken);
    // Two ids are two rules, whatever their titles.
    let unnamed = |old: &Item<'_>, new: &Item<'_>| old.id.is_none() || new.id.is_none();
    match_by(&old, &new, &by_place, &unnamed, &mut partners, &mut taken);
    let mut old: Vec<Option<Item<'s>>> = old.into_iter().map(Some).collect();
    let mut pairs: Vec<_> = new
        .into_iter()
        .zip(partners)
        .map(|(item, partner)| (partner.and_then(|at| old.get_mut(at).and_then(Option::take)), Some(item)))
        .collect();
    pairs.extend(old.into_iter().flatten().map(|item| (Some(item), None)));
    pairs
}

/// Pairs what has one key; of several with the same, in their order.
fn match_by(
    old: &[Item<'_>],
    new: &[Item<'_>],
    key: &dyn Fn(&Item<'_>) -> Option<String>,
    may: &dyn Fn(&Item<'_>, &Item<'_>) -> bool,
    partners: &mut [Option<usize>],
    taken: &mut [bool],
) {
    let mut known: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, item) in old.iter().enumerate().filter(|(at, _)| !taken[*at]).rev() {
        if let Some(key) = key(item) {
            known.entry(key).or_default().push(at);
        }
    }
    for (item, partner) in new.iter().zip(partners).filter(|(_, partner)| partner.is_none()) {
        let Some(candidates) = key(item).and_then(|key| known.get_mut(&key)) else { continue };
        if let Some(last) = candidates.iter().rposition(|at| may(&old[*at], item)) {
            let at = candidates.remove(last);
            taken[at] = true;
            *partner = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item<'s>(output: &'s str, id: Option<&'s str>, path: &str, title: &'s str) -> Item<'s> {
        Item {
            output,
            id,
            title: Some(title),
            path: path.to_owned(),
            document: 1,
            status: "exact",
            errors: Vec::new(),
            queries: None,
            hash: None,
            document_sha256: None,
            deep: None,
        }
    }

    fn check(old: Vec<Item<'_>>, new: Vec<Item<'_>>, expected: &[(Option<&str>, Option<&str>)]) {
        let pairs = pair(old, new);
        let found: Vec<_> = pairs
            .iter()
            .map(|(old, new)| {
                let path = |item: &Option<Item<'_>>| item.as_ref().map(|item| item.path.clone());
                (path(old), path(new))
            })
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(old, new)| (old.map(str::to_owned), new.map(str::to_owned))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn rules_are_the_same_by_id_else_by_path_and_title() {
        // Moved and renamed, but the id is the same.
        check(vec![item("o", Some("A"), "a", "T")], vec![item("o", Some("a"), "b", "U")], &[(Some("a"), Some("b"))]);
        // Another id is another rule, even in the same file.
        check(
            vec![item("o", Some("1"), "a", "T")],
            vec![item("o", Some("2"), "a", "T")],
            &[(None, Some("a")), (Some("a"), None)],
        );
        // A rule that was given an id.
        check(vec![item("o", None, "a", "T")], vec![item("o", Some("2"), "a", "T")], &[(Some("a"), Some("a"))]);
        // Another output is another query.
        check(
            vec![item("o", Some("1"), "a", "T")],
            vec![item("p", Some("1"), "a", "T")],
            &[(None, Some("a")), (Some("a"), None)],
        );
        // Several with one id: in their order, each once.
        check(
            vec![item("o", Some("1"), "a", "T"), item("o", Some("1"), "b", "T")],
            vec![item("o", Some("1"), "c", "T"), item("o", Some("1"), "d", "T"), item("o", Some("1"), "e", "T")],
            &[(Some("a"), Some("c")), (Some("b"), Some("d")), (None, Some("e"))],
        );
    }
}
