//! Stages: what a search cannot say moves to the filter behind it.
//!
//! Before: `a and (b or f matches regex)`. After: search `a and (b or f is present)`, filter `b or f matches regex`.
//! The search keeps every conjunct that it can say (and of a negated disjunction the terms that it can), and a weaker form of every one that it cannot, so that the filter
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
    if split.sayable(&query) {
        return Staged { search: query, filter: None };
    }
    let refused = split.refused_by_both(&query);
    if !refused.is_empty() {
        // Only these, so that what the other stage can say is not reported; the filter, which says more, has the reason.
        return Staged { search: Expr::Const(true), filter: Some(Expr::And(refused)) };
    }
    let conjuncts = match query {
        Expr::And(terms) => terms,
        other => vec![other],
    };
    let mut kept = Vec::new();
    let mut moved = Vec::new();
    for conjunct in conjuncts.into_iter().flat_map(|conjunct| split.halves(conjunct)) {
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

    /// A negated disjunction as two conjuncts, if the search can say some of its terms: those, and the others.
    ///
    /// Before: `not (a or b or regex)`. After: `not (a or b)`, `not regex`.
    fn halves<'a>(&self, conjunct: Query<'a>) -> Vec<Query<'a>> {
        let terms = match conjunct {
            Expr::Not(inner) => match *inner {
                Expr::Or(terms) => terms,
                other => return vec![Expr::negate(other)],
            },
            other => return vec![other],
        };
        let (here, there): (Vec<_>, Vec<_>) = terms.into_iter().partition(|term| self.sayable(term));
        let not = |terms: Vec<Query<'a>>| (!terms.is_empty()).then(|| Expr::negate(Expr::Or(terms)).simplify());
        [not(here), not(there)].into_iter().flatten().collect()
    }

    /// The leaves that can be said in neither stage.
    fn refused_by_both<'a>(&self, query: &Query<'a>) -> Vec<Query<'a>> {
        let mut refused = Vec::new();
        query.each_match(&mut |found| {
            if !(self.says(self.search, found) || self.says(self.filter, found)) {
                refused.push(Expr::Match(found.clone()));
            }
        });
        refused
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

    /// A weaker test that the search can say: a looser pattern, else what stands between its wildcards, else presence.
    fn weaker<'a>(&self, found: &Match<'a>) -> Query<'a> {
        if let Some(pattern) = weaker_pattern(&found.test) {
            let say = |pattern: Pattern<'a>| {
                let test = found.with(Test::Text { pattern, case: Case::Insensitive });
                self.says(self.search, &test).then_some(Expr::Match(test))
            };
            let pieces = pieces(&pattern);
            if let Some(whole) = say(pattern) {
                return whole;
            }
            let pieces: Vec<Query<'a>> = pieces.into_iter().filter_map(say).collect();
            if !pieces.is_empty() {
                return Expr::And(pieces).simplify();
            }
        }
        found
            .field()
            .and_then(|_| presence(&found.test))
            .map(|test| found.with(test))
            .filter(|weaker| self.says(self.search, weaker))
            .map_or(Expr::Const(true), Expr::Match)
    }
}

/// A pattern of runs only that matches, ignoring case, whatever the test matches.
fn weaker_pattern<'a>(test: &Test<'a>) -> Option<Pattern<'a>> {
    let pattern = match test {
        Test::Text { pattern, .. } => loosened(pattern),
        Test::Regex(regex) => super::regex::required(regex)?,
        _ => return None,
    };
    let says_something = pattern.texts().next().is_some();
    says_something.then_some(pattern)
}

/// One pattern for each text of a pattern: each matches whatever the whole matches.
///
/// Before: `a*b*`. After: `a*`, `*b*`.
fn pieces<'a>(pattern: &Pattern<'a>) -> Vec<Pattern<'a>> {
    let parts = pattern.parts();
    let piece = |(at, part): (usize, &Part<'a>)| {
        let Part::Text(text) = part else { return None };
        Some(Pattern::exact(text.clone()).open(at > 0, at + 1 < parts.len()))
    };
    parts.iter().enumerate().filter_map(piece).collect()
}

/// The pattern with a run for each single wildcard, each literal wildcard sign and each control character: what a
/// search may have no escapes for.
fn loosened<'a>(pattern: &Pattern<'a>) -> Pattern<'a> {
    let mut loose = Pattern::new();
    for part in pattern.parts() {
        match part {
            Part::Text(text) => {
                for (at, piece) in text.split(|c: char| matches!(c, '*' | '?') || c.is_control()).enumerate() {
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

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use sigcast_diagnostics::{SourceId, Span};
    use sigcast_ir::{Field, Subject};

    use super::*;
    use crate::target::Language;

    /// The values that a field has in the events of the tests; none: the field is absent.
    pub const VALUES: [Option<&str>; 6] = [None, Some("Ab"), Some("ab"), Some("a-B"), Some("a*b"), Some("z")];
    /// The fields of the events.
    const FIELDS: [&str; 2] = ["f", "g"];

    /// An event: the index of each field's value.
    pub type Event = [usize; FIELDS.len()];

    /// Every event.
    pub fn events() -> impl Iterator<Item = Event> {
        (0..VALUES.len()).flat_map(|f| (0..VALUES.len()).map(move |g| [f, g]))
    }

    /// The stages of Splunk, which has every kind of leaf.
    pub fn dialects() -> (&'static Dialect, &'static Dialect) {
        match crate::targets::find("splunk").expect("a target").language {
            Language::Staged { search, filter, .. } => (search, filter),
            Language::Single(_) => panic!("Splunk has two stages"),
        }
    }

    /// The value of a leaf's field.
    pub fn value(found: &Match<'_>, event: Event) -> Option<&'static str> {
        let name = found.field().expect("a field").as_str();
        VALUES[event[FIELDS.iter().position(|field| *field == name).expect("a known field")]]
    }

    /// Whether a leaf holds, as the specification has it.
    pub fn leaf_holds(found: &Match<'_>, event: Event) -> bool {
        let value = value(found, event);
        match &found.test {
            Test::Null | Test::Exists(false) => value.is_none(),
            Test::Exists(true) => value.is_some(),
            Test::Text { pattern, case: Case::Sensitive } => {
                value.is_some_and(|text| glob(pattern.parts(), text, false))
            }
            Test::Text { pattern, .. } => value.is_some_and(|text| glob(pattern.parts(), text, true)),
            other => panic!("{other:?} is no leaf of these tests"),
        }
    }

    fn glob(parts: &[Part<'_>], text: &str, ignore_case: bool) -> bool {
        match parts {
            [] => text.is_empty(),
            [Part::Text(literal), rest @ ..] => text.split_at_checked(literal.len()).is_some_and(|(start, end)| {
                (if ignore_case { start.eq_ignore_ascii_case(literal) } else { start == literal })
                    && glob(rest, end, ignore_case)
            }),
            [Part::AnyRun, rest @ ..] => (0..=text.len()).any(|at| glob(rest, &text[at..], ignore_case)),
            [_, rest @ ..] => !text.is_empty() && glob(rest, &text[1..], ignore_case),
        }
    }

    /// Whether a query holds.
    pub fn holds(query: &Query<'_>, event: Event) -> bool {
        match query {
            Expr::And(terms) => terms.iter().all(|term| holds(term, event)),
            Expr::Or(terms) => terms.iter().any(|term| holds(term, event)),
            Expr::Not(inner) => !holds(inner, event),
            Expr::Match(found) => leaf_holds(found, event),
            Expr::Const(value) => *value,
        }
    }

    fn tests() -> Vec<Test<'static>> {
        let text = |parts: Vec<Part<'static>>, case| Test::Text { pattern: Pattern::from_parts(parts), case };
        let literal = |text: &'static str| Part::Text(Cow::Borrowed(text));
        vec![
            // What a search says.
            text(vec![literal("ab")], Case::Insensitive),
            text(vec![literal("a"), Part::AnyRun], Case::Insensitive),
            Test::Exists(true),
            Test::Null,
            // What it does not.
            text(vec![literal("Ab")], Case::Sensitive),
            text(vec![literal("a"), Part::AnyRun, literal("b")], Case::Insensitive),
            text(vec![literal("a"), Part::AnyOne, literal("B")], Case::Sensitive),
            text(vec![Part::AnyOne], Case::Insensitive),
            text(vec![literal("a*b")], Case::Insensitive),
        ]
    }

    /// Queries over those leaves.
    pub fn query() -> impl Strategy<Value = Query<'static>> {
        let leaf = (0..FIELDS.len(), 0..tests().len()).prop_map(|(field, test)| {
            Expr::Match(Match {
                subject: Subject::Field(Field::new(FIELDS[field])),
                test: tests().swap_remove(test),
                span: Span::new(SourceId(0), 0, 0),
            })
        });
        leaf.prop_recursive(5, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
                inner.prop_map(Expr::negate),
            ]
        })
    }

    /// What the stages say together.
    fn split(query: &Query<'static>) -> Staged<'static> {
        let (search, filter) = dialects();
        stages(query.clone().simplify(), search, filter, &Settings::default())
    }

    proptest! {
        #[test]
        fn both_stages_together_ask_what_the_query_asks(query in query()) {
            let staged = split(&query);
            for event in events() {
                let found = holds(&staged.search, event);
                let wanted = holds(&query, event);
                prop_assert!(found || !wanted, "the search loses {event:?}: {:?}", staged.search);
                let both = found && staged.filter.as_ref().is_none_or(|filter| holds(filter, event));
                prop_assert_eq!(both, wanted, "{:?}: {:?}", event, &staged);
            }
        }

        #[test]
        fn the_search_has_only_what_it_can_say(query in query()) {
            let (search, filter) = dialects();
            let settings = Settings::default();
            let staged = split(&query);
            prop_assert!(Legaliser::new(search, &settings).query(&staged.search).is_some());
            if let Some(rest) = &staged.filter {
                prop_assert!(Legaliser::new(filter, &settings).query(rest).is_some());
            } else {
                prop_assert_eq!(staged.search, query.simplify());
            }
        }
    }

    #[test]
    fn a_pattern_falls_into_its_texts() {
        let text = |text: &'static str| Part::Text(Cow::Borrowed(text));
        let pattern = Pattern::from_parts([text("a"), Part::AnyRun, text("b"), Part::AnyRun]);
        let wanted = [
            Pattern::from_parts([text("a"), Part::AnyRun]),
            Pattern::from_parts([Part::AnyRun, text("b"), Part::AnyRun]),
        ];
        assert_eq!(pieces(&pattern), wanted);
    }
}
