//! Stages: what a search cannot say moves to the filter behind it.
//!
//! Before: `a and (b or f matches regex)`. After: search `a and (b or f is present)`, filter `b or f matches regex`.
//! The search keeps every conjunct that it can say, and a weaker form of every one that it cannot, so that the filter
//! sees few events: each event that the query selects passes the search.

use std::borrow::Cow;

use sigcast_ir::{Case, Expr, Match, Part, Pattern, Query, Test};

use crate::dialect::{Dialect, Say};
use crate::options::Settings;
use crate::say::Legaliser;

/// A query in two stages.
#[derive(Debug, PartialEq)]
pub struct Staged<'a> {
    /// What the search asks; `Const(true)` if it can ask nothing.
    pub search: Query<'a>,
    /// What the filter asks of what the search found.
    pub filter: Option<Query<'a>>,
}

/// Splits a simplified query.
#[must_use]
pub fn stages<'a>(
    query: Query<'a>,
    search: &'static Dialect,
    filter: &'static Dialect,
    settings: &Settings,
) -> Staged<'a> {
    let split = Split { search, filter, settings };
    if split.sayable(&query) || split.refused_by_both(&query) {
        return Staged { search: query, filter: None };
    }
    let conjuncts = match query {
        Expr::And(terms) => terms,
        other => vec![other],
    };
    let mut kept = Vec::new();
    let mut moved = Vec::new();
    for conjunct in conjuncts {
        if split.sayable(&conjunct) {
            kept.push(conjunct);
        } else {
            kept.push(split.weaken(&conjunct, true));
            moved.push(conjunct);
        }
    }
    Staged { search: Expr::And(kept).simplify(), filter: Some(Expr::And(moved).simplify()) }
}

struct Split<'s> {
    search: &'static Dialect,
    filter: &'static Dialect,
    settings: &'s Settings,
}

impl Split<'_> {
    /// Whether the search can say all of it.
    fn sayable(&self, query: &Query<'_>) -> bool {
        let mut all = true;
        query.each_match(&mut |found| all = all && self.says(self.search, found));
        all
    }

    /// Whether some leaf can be said in neither stage: then the search's own refusal is the clearer one.
    fn refused_by_both(&self, query: &Query<'_>) -> bool {
        let mut some = false;
        query.each_match(&mut |found| some = some || !(self.says(self.search, found) || self.says(self.filter, found)));
        some
    }

    fn says(&self, dialect: &'static Dialect, found: &Match<'_>) -> bool {
        match dialect.entry(found) {
            Say::Native(_) => found.field().is_none_or(|field| (dialect.bad_field)(field.as_str()).is_none()),
            Say::Refused(..) => false,
            Say::Lowered(_) => {
                let mut legaliser = Legaliser::new(dialect, self.settings);
                legaliser.say(&Expr::Match(found.clone())).is_ok()
            }
        }
    }

    /// A query that the search can say and that is true wherever the given one is (`positive`), or false wherever it
    /// is false (not `positive`: the place of the query under a negation).
    fn weaken<'a>(&self, query: &Query<'a>, positive: bool) -> Query<'a> {
        match query {
            Expr::And(terms) => Expr::And(terms.iter().map(|term| self.weaken(term, positive)).collect()).simplify(),
            Expr::Or(terms) => Expr::Or(terms.iter().map(|term| self.weaken(term, positive)).collect()).simplify(),
            Expr::Not(inner) => Expr::negate(self.weaken(inner, !positive)).simplify(),
            Expr::Const(value) => Expr::Const(*value),
            Expr::Match(found) if self.says(self.search, found) => query.clone(),
            Expr::Match(_) if !positive => Expr::Const(false),
            Expr::Match(found) => self.weaker(found),
        }
    }

    /// A weaker test that the search can say.
    fn weaker<'a>(&self, found: &Match<'a>) -> Query<'a> {
        let candidates = [weaker_pattern(&found.test), found.field().and_then(|_| presence(&found.test))];
        candidates
            .into_iter()
            .flatten()
            .map(|test| Match { subject: found.subject.clone(), test, span: found.span })
            .find(|weaker| self.says(self.search, weaker))
            .map_or(Expr::Const(true), Expr::Match)
    }
}

/// A pattern of runs only, ignoring case, that matches whatever the test matches.
fn weaker_pattern<'a>(test: &Test<'a>) -> Option<Test<'a>> {
    let pattern = match test {
        Test::Text { pattern, .. } => loosened(pattern),
        Test::Regex(regex) => super::regex::required(regex)?,
        _ => return None,
    };
    let says_something = pattern.texts().next().is_some();
    says_something.then_some(Test::Text { pattern, case: Case::Insensitive })
}

/// The pattern with a run for each single wildcard and each literal wildcard sign.
fn loosened<'a>(pattern: &Pattern<'a>) -> Pattern<'a> {
    let mut loose = Pattern::new();
    for part in pattern.parts() {
        match part {
            Part::Text(text) => {
                for (at, piece) in text.split(['*', '?']).enumerate() {
                    if at > 0 {
                        loose.push(Part::AnyRun);
                    }
                    loose.push(Part::Text(Cow::Owned(piece.to_owned())));
                }
            }
            _ => loose.push(Part::AnyRun),
        }
    }
    loose
}

/// Presence of the field, for tests that an absent field does not pass.
fn presence<'a>(test: &Test<'a>) -> Option<Test<'a>> {
    let passes_absent = matches!(test, Test::Null | Test::Exists(_) | Test::Raw(_) | Test::OneOf(_));
    (!passes_absent).then_some(Test::Exists(true))
}
