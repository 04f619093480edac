//! What a query asks that the target's data model does not hold.
//!
//! Invariant: a query of which nothing is said here has the same answer on an event and on what the store holds of it
//! (`sigcast_eval::project`), save on the events that the model holds not at all, which are left to assumptions.

use std::collections::BTreeSet;

use sigcast_diagnostics::{Code, Diagnostic};
use sigcast_ir::model::{DataModel, Edges, Values};
use sigcast_ir::{Match, Part, Pattern, Query, Regex, Test};

use crate::target::Target;

/// The tests of a query in this language whose answers the store cannot give, each with how the query differs there.
///
/// The query is the one after the passes of its language, since these may bring two tests together that ask for no
/// distinction any more (null, or empty), and before the guards, which ask only for what the test behind them needs.
pub fn losses(query: &Query<'_>, target: &Target, language: &str, found: &mut Vec<Diagnostic>) {
    query.each_match(&mut |leaf| {
        if let Some((code, how)) = loss(leaf, &target.model) {
            let message = format!("{language} cannot tell {how}");
            if !found.iter().any(|other| other.code == code && other.span() == Some(leaf.span)) {
                found.push(Diagnostic::at(code, leaf.span, message));
            }
        }
    });
}

/// What the events must fulfil to be held as they are.
pub fn assumed(model: &DataModel, assumptions: &mut BTreeSet<Code>) {
    if model.values == Values::One {
        assumptions.insert(Code::AssumeSingleValues);
    }
    if model.edges == Edges::Trimmed {
        assumptions.insert(Code::AssumeTrimmedValues);
    }
}

/// The distinction that a test needs and the model does not make.
fn loss(leaf: &Match<'_>, model: &DataModel) -> Option<(Code, &'static str)> {
    leaf.field()?;
    if model.loses_empty_text() && asks_emptiness(&leaf.test) {
        return Some((Code::EmptyIsAbsent, "an absent field from an empty one: the query takes both for absent"));
    }
    if model.loses_null() && matches!(leaf.test, Test::Exists(_)) {
        let how = "an absent field from one that holds null or an empty list: the query takes both for absent";
        return Some((Code::NullIsAbsent, how));
    }
    None
}

/// Whether a field that holds the empty text has another answer than an absent one.
fn asks_emptiness(test: &Test<'_>) -> bool {
    match test {
        Test::Text { pattern, .. } => passes_empty(pattern),
        Test::Regex(regex) => finds_in_empty(regex),
        // Null is no text, and two empty texts are the same.
        Test::Null | Test::Exists(_) | Test::SameAs { .. } => true,
        Test::OneOf(tests) => tests.iter().any(asks_emptiness),
        Test::Network(_) | Test::Number { .. } | Test::Bool(_) | Test::TimePart { .. } | Test::Raw(_) => false,
    }
}

fn passes_empty(pattern: &Pattern<'_>) -> bool {
    pattern.parts().iter().all(|part| *part == Part::AnyRun)
}

/// Whether the expression may match the empty text; so does one that cannot be parsed here, for all that is known.
fn finds_in_empty(regex: &Regex<'_>) -> bool {
    let flags = regex.flags;
    let parsed = regex_syntax::ParserBuilder::new()
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multiline)
        .dot_matches_new_line(flags.dot_all)
        .build()
        .parse(&regex.source);
    parsed.map_or(true, |tree| tree.properties().minimum_len() == Some(0))
}
