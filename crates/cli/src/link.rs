//! The documents of a run as they refer to each other: filters are joined to their rules.
//!
//! Invariant: a path of `--filter` brings filters and faults, never a rule of its own.

use rayon::prelude::*;
use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_eval::{Limits, samples};
use sigcast_frontend::{Joined, Kind, correlate, join};
use sigcast_ir::{Condition, Rule};

use crate::engine::{Entry, guarded};
use crate::input::Inputs;

/// The documents with filters joined to their rules, and rules put into their correlations.
pub(crate) fn linked<'a>(inputs: &Inputs, mut entries: Vec<Entry<'a>>) -> Vec<Entry<'a>> {
    only_filters(inputs, &mut entries);
    let mut documents: Vec<_> = entries.iter_mut().map(|entry| &mut entry.document).collect();
    let joined = join(&mut documents);
    // Those that a correlation uses up are asked too, so before it does.
    let impossible: Vec<(usize, Diagnostic)> = joined
        .par_iter()
        .filter_map(|one| Some((one.document, impossible(entries.get(one.document)?, one)?)))
        .collect();
    for (at, warning) in impossible {
        entries[at].document.diagnostics.push(warning);
    }
    correlate(&mut entries.iter_mut().map(|entry| &mut entry.document).collect::<Vec<_>>());
    entries
}

/// Passes over what is no filter in the files of `--filter`.
fn only_filters(inputs: &Inputs, entries: &mut [Entry<'_>]) {
    let first = inputs.texts.len() - inputs.filters;
    let Some((start, _)) = inputs.texts.get(first) else { return };
    // Sources are numbered in the order of the texts.
    for entry in entries.iter_mut().filter(|entry| entry.source >= *start) {
        let document = &mut entry.document;
        let Some(place) = document.place() else { continue };
        if !matches!(document.kind, Kind::Rule(_) | Kind::Unlinked(_) | Kind::Correlation(_)) {
            continue;
        }
        let message = "a path of --filter holds a rule, which is not converted";
        document.diagnostics = vec![
            Diagnostic::at(Code::NotAFilter, place, message)
                .here("no filter")
                .help("rules are given as PATH; filters may stand beside them"),
        ];
        document.kind = Kind::Skipped;
    }
}

/// The warning for a rule that matches nothing any more, as far as the search for samples can tell.
fn impossible(entry: &Entry<'_>, joined: &Joined) -> Option<Diagnostic> {
    // Where the search fails there is nothing to say here: the conversion says what it meets.
    let found = guarded(entry.source, 0, || match &entry.document.kind {
        Kind::Rule(rule) => without_hit(rule),
        // An aggregation of old has its rules from the start.
        Kind::Correlation(correlation) => correlation.rules().find_map(without_hit),
        _ => None,
    });
    found.ok().flatten().map(|span| {
        let message = "no event was found that the rule matches and its filters let through";
        let warning = Diagnostic::at(Code::FilterImpossible, span, message).here("matches some events alone");
        joined
            .filters
            .iter()
            .fold(warning, |warning, filter| warning.label(*filter, "joined with `and`"))
            .help("the filters leave out all that the rule finds, or ask for it in a way that contradicts it")
    })
}

/// The place of the first condition of a joined rule that has no sample event, while it had one before it was joined.
fn without_hit(rule: &Rule<'_>) -> Option<Span> {
    const FEW: Limits = Limits { hits: 1, variations: 0 };
    rule.conditions.iter().find_map(|(condition, span)| {
        let Condition::And(terms) = condition else { return None };
        let asked = |condition: &Condition<'_>| {
            let mut rule = rule.clone();
            rule.conditions = vec![(condition.clone(), *span)];
            samples(&rule, FEW).ok().map(|found| found.iter().any(|sample| sample.matches == [true]))
        };
        let hits = |found| found == Some(true);
        (asked(condition) == Some(false) && terms.first().is_some_and(|own| hits(asked(own)))).then_some(*span)
    })
}
