//! Linking: the documents of a run that refer to each other. Filters are joined to the rules that they are for, and then
//! rules are put into the correlations that name them.
//!
//! Invariant: the order of the documents changes nothing but the order of joined conditions.

mod correlations;
mod filters;
pub(crate) mod size;

use std::cell::Cell;
use std::collections::HashMap;

use sigcast_diagnostics::{Diagnostic, Span, nearest};
use sigcast_ir::{LogSource, Reference};

use crate::{Document, Kind};

/// A rule that was joined with filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Which of the documents it is, from 0.
    pub document: usize,
    /// The places of the filters' conditions, in the order in which they were joined. Not empty.
    pub filters: Vec<Span>,
}

/// Joins the filters of a run to the rules that they are for ([`join`]), and puts rules into the correlations that name them
/// ([`correlate`]).
pub fn link(documents: &mut [&mut Document<'_>]) {
    join(documents);
    correlate(documents);
}

/// Joins the filters of a run to the rules that they are for. Comes before [`correlate`].
///
/// Filters are used up by it: their documents are then skipped, or invalid or refused if they are wrong. Tells which
/// rules were joined with filters, in order.
pub fn join(documents: &mut [&mut Document<'_>]) -> Vec<Joined> {
    filters::join(documents)
}

/// Puts rules into the correlations that name them.
///
/// The rules of a correlation are used up by it: their documents are then skipped, unless one of those that name them
/// has them generate queries of their own.
pub fn correlate(documents: &mut [&mut Document<'_>]) {
    correlations::link(documents);
}

/// What the documents of a run are called, for references to them.
struct Rules<'d, 'a> {
    known: Vec<Known<'d, 'a>>,
    /// Numbers in `known` by id in lower case and by name.
    by_id: HashMap<String, Vec<usize>>,
    by_name: HashMap<&'d str, Vec<usize>>,
    /// How many more words may be looked at for suggestions.
    budget: Cell<usize>,
}

/// A document that may be meant by a reference.
struct Known<'d, 'a> {
    /// Its number among the documents.
    at: usize,
    title: Option<&'d str>,
    id: Option<&'d str>,
    name: Option<&'d str>,
    /// Its log source, if it is a rule.
    logsource: Option<&'d LogSource<'a>>,
    /// What it names, if it is a correlation that is not linked as yet.
    members: Option<&'d [Reference<'a>]>,
}

/// How many words one run may look at for suggestions.
const MAX_COMPARISONS: usize = 10_000_000;

impl<'d, 'a> Rules<'d, 'a> {
    fn new(documents: &'d [&mut Document<'a>]) -> Self {
        let mut all = Self {
            known: Vec::new(),
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            budget: Cell::new(MAX_COMPARISONS),
        };
        let named = documents.iter().enumerate().filter(|(_, document)| !matches!(document.kind, Kind::Skipped));
        for (at, document) in named {
            let logsource = match &document.kind {
                Kind::Rule(rule) => Some(&rule.logsource),
                // The rules of an aggregation of old share theirs.
                Kind::Correlation(correlation) => correlation.rules().next().map(|rule| &rule.logsource),
                _ => None,
            };
            let members = match &document.kind {
                Kind::Unlinked(unlinked) => Some(unlinked.rules.as_slice()),
                _ => None,
            };
            let (number, id, name) = (all.known.len(), document.id.as_deref(), document.name.as_deref());
            all.known.push(Known { at, title: document.title.as_deref(), id, name, logsource, members });
            if let Some(id) = id {
                all.by_id.entry(id.to_ascii_lowercase()).or_default().push(number);
            }
            if let Some(name) = name {
                all.by_name.entry(name).or_default().push(number);
            }
        }
        all
    }

    /// The documents that are meant, each once.
    fn meant(&self, reference: &Reference<'_>) -> impl Iterator<Item = &Known<'d, 'a>> {
        let by_id = self.by_id.get(&reference.text.to_ascii_lowercase()).map_or(&[][..], Vec::as_slice);
        let by_name = self.by_name.get(reference.text.as_ref()).map_or(&[][..], Vec::as_slice);
        // One whose name is its id is in both.
        let others = by_name.iter().filter(|at| !by_id.contains(at));
        by_id.iter().chain(others).filter_map(|at| self.known.get(*at))
    }

    fn has(&self, reference: &Reference<'_>) -> bool {
        self.meant(reference).next().is_some()
    }

    /// Help for a reference that names no rule.
    fn help(&self, reference: &Reference<'_>) -> Option<String> {
        let left = self.budget.get().checked_sub(self.known.len())?;
        self.budget.set(left);
        let text = reference.text.as_ref();
        if let Some(titled) = self.known.iter().find(|known| known.title == Some(text)) {
            return Some(match titled.name.or(titled.id) {
                Some(word) => format!("a rule has this title; it is named by its id or name: `{word}`"),
                None => "a rule has this title; it is named by its id or name, and it has none".to_owned(),
            });
        }
        let near = nearest(text, self.known.iter().flat_map(|known| [known.id, known.name]).flatten());
        near.map(|near| format!("did you mean `{near}`?"))
    }
}

fn with_help(said: Diagnostic, help: Option<String>) -> Diagnostic {
    match help {
        Some(help) => said.help(help),
        None => said,
    }
}
