//! Rules that a correlation has used up: they have no query of their own, and may have tests of their own all the same.
//!
//! Invariant: a rule comes back as it stands in the correlation, joined with its filters.

use std::collections::BTreeSet;

use sigcast_diagnostics::{Code, Span};
use sigcast_frontend::Kind;
use sigcast_ir::{Correlation, Source};

use crate::engine::Entry;

/// Puts rules and correlations that were used up back in their documents; which of the entries they are.
pub(super) fn restore(entries: &mut [Entry<'_>]) -> BTreeSet<usize> {
    let used = |entry: &Entry<'_>| {
        let found = entry.document.diagnostics.iter().find(|found| found.code == Code::RuleUsed)?;
        matches!(entry.document.kind, Kind::Skipped).then(|| found.span()).flatten()
    };
    let places: Vec<_> = entries.iter().map(used).collect();
    if places.iter().all(Option::is_none) {
        return BTreeSet::new();
    }
    let mut found = Vec::new();
    for entry in entries.iter() {
        if let Kind::Correlation(correlation) = &entry.document.kind {
            gather(correlation, &mut found);
        }
    }
    let mut restored = BTreeSet::new();
    for (at, place) in places.into_iter().enumerate() {
        // A rule is pointed at by its start alone.
        let here = |span: &Span| place.is_some_and(|place| (place.source, place.start) == (span.source, span.start));
        let Some(position) = found.iter().position(|(span, _)| here(span)) else { continue };
        let (_, kind) = found.swap_remove(position);
        entries[at].document.kind = kind;
        restored.insert(at);
    }
    restored
}

/// The rules and correlations in a correlation, with their places.
fn gather<'a>(correlation: &Correlation<'a>, found: &mut Vec<(Span, Kind<'a>)>) {
    for member in &correlation.members {
        match &member.source {
            Source::Rule(rule) => found.push((rule.span, Kind::Rule(rule.clone()))),
            Source::Correlation(inner) => {
                found.push((inner.span, Kind::Correlation(inner.clone())));
                gather(inner, found);
            }
        }
    }
}
