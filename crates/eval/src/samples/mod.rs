//! Sample events of a rule: hits for each way to match it, and near misses, each with the answer that is expected.
//!
//! | step | module | what it does |
//! |---|---|---|
//! | choose | `ways` | the conjunctions of tests (wanted or unwanted) that make a query true, each alternative once |
//! | build | `solve`, `text`, `witness`, `value` | an event that passes the wanted tests and none of the unwanted |
//! | vary | `near` | events that differ from a hit in one field |
//! | label | `judge` | the answer of every condition, or none if it cannot be told |
//!
//! Invariant: nothing here asks the evaluator. What an event is expected to give is reasoned from how its values were
//! made, and an event of which that cannot be told is not given out. So samples judge the evaluator and engines alike.

mod judge;
mod near;
mod solve;
mod streams;
mod text;
mod value;
mod ways;
mod witness;

use serde_json::{Map, Value};
use sigcast_ir::{Expr, Match, Part, Query, Rule, Test, lower};

use crate::error::{EvalError, EvalFault};
use judge::Judge;
pub use streams::{StreamSample, correlation_samples};
use ways::Literal;

/// How many sample events are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Hits at most, for each condition.
    pub hits: usize,
    /// Other events at most, for each condition: near misses, and hits in another form.
    pub variations: usize,
}

impl Default for Limits {
    /// 32 hits and 64 variations.
    fn default() -> Self {
        Self { hits: 32, variations: 64 }
    }
}

/// An event with the answers that are expected of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The event, its fields side by side (nested only where `what` says so).
    pub event: Value,
    /// Whether each condition matches, in the rule's order.
    pub matches: Vec<bool>,
    /// What the event is there for: the way it hits, or what was changed in a hit.
    pub what: String,
}

/// An event as it is built: its fields by the names that the rule uses.
type Event = Map<String, Value>;

/// Sample events of a rule. The same rule and limits give the same events.
///
/// A condition may have no hit: it contradicts itself, or no value for its tests was found.
///
/// # Errors
/// A placeholder, a piece of a target's language, or a query that nests too deeply: as in [`crate::Matcher::new`].
pub fn samples(rule: &Rule<'_>, limits: Limits) -> Result<Vec<Sample>, EvalError> {
    let mut queries: Vec<Query<'_>> = Vec::new();
    for (query, _) in lower::queries(rule) {
        runnable(&query, 512)?;
        queries.push(query.simplify());
    }
    let mut writer = Writer { judge: Judge::new(&queries), queries: &queries, samples: Vec::new() };
    for (number, query) in queries.iter().enumerate() {
        writer.condition(number, query, limits);
    }
    Ok(writer.samples)
}

/// Whether the query has a meaning without a target or a pipeline.
fn runnable(query: &Query<'_>, depth: usize) -> Result<(), EvalError> {
    let depth = depth.checked_sub(1).ok_or(EvalError { fault: EvalFault::TooDeep, span: None })?;
    match query {
        Expr::And(terms) | Expr::Or(terms) => terms.iter().try_for_each(|term| runnable(term, depth)),
        Expr::Not(inner) => runnable(inner, depth),
        Expr::Const(_) => Ok(()),
        Expr::Match(Match { test: Test::Raw(_), span, .. }) => Err(EvalError::at(EvalFault::Raw, *span)),
        Expr::Match(Match { test: Test::Text { pattern, .. }, span, .. }) => {
            match pattern.parts().iter().find_map(|part| match part {
                Part::Placeholder(name) => Some(name.clone().into_owned()),
                _ => None,
            }) {
                Some(name) => Err(EvalError::at(EvalFault::Placeholder(name), *span)),
                None => Ok(()),
            }
        }
        Expr::Match(_) => Ok(()),
    }
}

struct Writer<'q, 'a> {
    queries: &'q [Query<'a>],
    judge: Judge,
    samples: Vec<Sample>,
}

impl<'q, 'a> Writer<'q, 'a> {
    fn condition(&mut self, number: usize, query: &'q Query<'a>, limits: Limits) {
        let hits = self.hits(number, query, limits.hits);
        let mut left = limits.variations;
        if !hits.is_empty() {
            self.filters(query, &mut left);
        }
        // The first hit in full, then others in turn: they show the leaves that the first one does not have.
        for (literals, event) in &hits {
            if left == 0 {
                return;
            }
            for (what, varied) in near::variations(literals, event) {
                if left == 0 {
                    break;
                }
                left -= usize::from(self.add(varied, what));
            }
            self.nested(event, &mut left);
        }
    }

    /// Adds a hit for each way to match, as long as it shows a leaf that none before it shows.
    fn hits(&mut self, number: usize, query: &'q Query<'a>, most: usize) -> Vec<(Vec<Literal<'q, 'a>>, Event)> {
        let mut shown: Vec<*const Match<'a>> = Vec::new();
        let mut hits = Vec::new();
        for literals in ways::ways(query, true) {
            if hits.len() >= most {
                break;
            }
            let new: Vec<_> = literals
                .iter()
                .filter(|literal| literal.wanted && !shown.contains(&std::ptr::from_ref(literal.leaf)))
                .map(|literal| literal.leaf)
                .collect();
            if new.is_empty() && !hits.is_empty() {
                continue;
            }
            let Some(event) = solve::solve(&literals, &self.judge) else { continue };
            if self.judge.query(query, &event) != Some(true) {
                continue;
            }
            let what = match new.as_slice() {
                [] => "hit: every test that must fail does".to_owned(),
                leaves => {
                    format!("hit: {}", leaves.iter().map(|leaf| near::describe(leaf)).collect::<Vec<_>>().join(", "))
                }
            };
            let what = if self.queries.len() > 1 { format!("condition {}, {what}", number + 1) } else { what };
            self.add(event.clone(), what);
            shown.extend(new.into_iter().map(std::ptr::from_ref));
            hits.push((literals, event));
        }
        hits
    }

    /// Adds, for each way to pass a negated part of the query, an event that does and passes all the rest.
    fn filters(&mut self, query: &'q Query<'a>, left: &mut usize) {
        let Expr::And(terms) = query else { return };
        for (at, term) in terms.iter().enumerate() {
            let Expr::Not(filter) = term else { continue };
            let rest = terms.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, term)| term);
            let rests: Vec<_> = ways::all(rest.map(|term| (term, true))).into_iter().take(4).collect();
            for filtered in ways::ways(filter, true).into_iter().take(16) {
                if *left == 0 {
                    return;
                }
                let solved = rests.iter().find_map(|rest| {
                    let literals: Vec<_> = rest.iter().chain(&filtered).copied().collect();
                    solve::solve(&literals, &self.judge)
                });
                let shown: Vec<_> = filtered.iter().map(|literal| near::describe(literal.leaf)).collect();
                if let Some(event) = solved {
                    *left -= usize::from(self.add(event, format!("filtered: {}", shown.join(", "))));
                }
            }
        }
    }

    /// Adds the hit with its dotted fields as maps: a path means the same as a key.
    fn nested(&mut self, event: &Event, left: &mut usize) {
        if *left == 0 || self.samples.iter().any(|sample| sample.what.starts_with("nested")) {
            return;
        }
        // A map under the name of a field that must be absent would be that field.
        let hides = |leaf: &Match<'_>| {
            let field = leaf.field().map_or("", |field| field.as_str());
            !event.contains_key(field)
                && event.keys().any(|key| key.strip_prefix(field).is_some_and(|rest| rest.starts_with('.')))
        };
        let mut hidden = false;
        self.queries.iter().for_each(|query| query.each_match(&mut |leaf| hidden |= hides(leaf)));
        if hidden {
            return;
        }
        let (Some(nested), Some(matches)) = (value::nest(event), self.labels(event)) else { return };
        self.samples.push(Sample {
            event: Value::Object(nested),
            matches,
            what: "nested: dotted fields as maps".to_owned(),
        });
        *left -= 1;
    }

    /// The answer of every condition; none if one of them cannot be told.
    fn labels(&self, event: &Event) -> Option<Vec<bool>> {
        self.queries.iter().map(|query| self.judge.query(query, event)).collect()
    }

    /// Adds an event, unless it is there already or its answer cannot be told; whether it was added.
    fn add(&mut self, event: Event, what: String) -> bool {
        let Some(matches) = self.labels(&event) else { return false };
        let event = Value::Object(event);
        if self.samples.iter().any(|sample| sample.event == event) {
            return false;
        }
        self.samples.push(Sample { event, matches, what });
        true
    }
}
