//! The pass oracle: what a language is given to say has the answers of the query that it was made from.
//!
//! After legalisation a leaf still holds a test, and regular expressions, which are in the engine's syntax by then, are
//! read back into PCRE's here. So the evaluator can be asked of both: simplification, guards, split stages, networks as
//! patterns, expressions as patterns or in another syntax, one type a field, all at once and in the order in which the
//! converter runs them.
//!
//! Events are compared as the target's store holds them.

#[path = "support/address.rs"]
mod address;
#[path = "passes/engine.rs"]
mod engine;
#[path = "passes/pool.rs"]
mod pool;
#[path = "support/backends.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value};
use sigcast_backends::dialect::Dialect;
use sigcast_backends::options::Settings;
use sigcast_backends::passes::{cidr, factor, guard, regex, simplify, split};
use sigcast_backends::say::{Legaliser, Said};
use sigcast_backends::{Backend, Language, TARGETS};
use sigcast_diagnostics::{Class, Code};
use sigcast_eval::{Limits, Matcher, project, samples};
use sigcast_frontend::Kind;
use sigcast_ir::{Expr, Query, Test, lower};
use sigcast_testing::{corpus, sample_rules, sources};

/// A query as its language is given it.
struct Given<'a> {
    /// Each stage with its dialect: all must hold.
    stages: Vec<(&'static Dialect, Said<'a>)>,
    /// Whether fields are assumed to hold one value each.
    single_values: bool,
    /// Whether values are assumed to hold no line break.
    single_lines: bool,
    /// Whether the fields of networks are assumed to hold addresses, in their usual spellings.
    addresses: bool,
}

/// The query after every pass, in the converter's order. None if it is refused or approximate.
fn given<'a>(query: &Query<'a>, backend: &Backend) -> Option<Given<'a>> {
    let settings = &backend.settings;
    let passed = |dialect: &Dialect| dialect.passes.iter().fold(query.clone(), |query, pass| pass(query, dialect));
    let stages: Vec<(&'static Dialect, Query<'a>)> = match backend.target.language(settings) {
        Language::Single(dialect) => vec![(dialect, guard::guard(passed(dialect), dialect))],
        Language::Staged { search, filter, .. } => {
            let staged = split::stages(passed(search), search, filter, settings);
            let rest = staged.filter.map(|rest| (filter, guard::guard(rest, filter)));
            std::iter::once((search, staged.search)).chain(rest).collect()
        }
    };
    let (mut single_values, mut single_lines, mut addresses) = (false, false, false);
    let mut said = Vec::new();
    for (dialect, query) in stages {
        let mut legaliser = Legaliser::new(dialect, settings);
        let legal = legaliser.query(&query)?;
        if legaliser.diagnostics.iter().any(|found| found.code.class() == Class::Approximation) {
            return None;
        }
        single_values |= legaliser.assumptions.contains(&Code::AssumeSingleValues);
        single_lines |= legaliser.assumptions.contains(&Code::AssumeSingleLines);
        addresses |= legaliser.assumptions.contains(&Code::AssumeAddressText);
        said.push((dialect, legal.simplify()));
    }
    Some(Given { stages: said, single_values, single_lines, addresses })
}

fn has_list(event: &Value) -> bool {
    event.as_object().is_some_and(|fields| fields.values().any(Value::is_array))
}

/// Compares the answers on events; how many were compared, none if the language does not say the query exactly.
fn compare(query: &Query<'_>, backend: &Backend, events: &[Value]) -> Result<Option<usize>, String> {
    let Some(given) = given(query, backend) else { return Ok(None) };
    let mut matchers = Vec::new();
    for (dialect, said) in &given.stages {
        let read = engine::query(said, dialect)?;
        matchers.push(Matcher::new(&read).map_err(|fault| format!("{fault}: {read:?}"))?);
    }
    let original = Matcher::new(query).map_err(|fault| fault.to_string())?;
    let mut keywords = false;
    query.each_match(&mut |found| keywords |= found.field().is_none());
    let mut compared = 0;
    for event in events {
        let Some(event) = project(&backend.target.model, event) else { continue };
        // Every event has some value: what languages make of the keyword `*`.
        if keywords && event.as_object().is_some_and(Map::is_empty) {
            continue;
        }
        let several = given.single_values && has_list(&event);
        let broken = given.single_lines && event.to_string().contains("\\n");
        if several || broken || (given.addresses && !address::usual(query, &event)) {
            continue;
        }
        let wanted = original.matches(&event).map_err(|fault| fault.to_string())?;
        let mut found = true;
        for matcher in &matchers {
            found = found && matcher.matches(&event).map_err(|fault| fault.to_string())?;
        }
        if wanted != found {
            let said: Vec<_> = given.stages.iter().map(|(_, said)| shown(said)).collect();
            return Err(format!("{wanted} by the rule, {found} by what is said: {event}\n  {}", said.join("\n  | ")));
        }
        compared += 1;
    }
    Ok(Some(compared))
}

/// The tests of a legal query, cut to a length that can be read.
fn shown(said: &Said<'_>) -> String {
    let mut tests = Vec::new();
    said.each_match(&mut |leaf| {
        let found = &leaf.matches[0];
        tests.push(format!("{:?} {:?}", found.field().map(|field| field.as_str()), found.test));
    });
    tests.join(", ").chars().take(900).collect()
}

/// Every target as it is, and with options by which passes choose.
fn backends() -> Vec<Backend> {
    support::backends(&[("cidr", "expand"), ("case", "expand"), ("regexp", "function")])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_language_is_given_what_the_query_asks(query in pool::query(), seed in any::<u64>()) {
        let events = pool::events(&query, seed, 40);
        for backend in backends() {
            let compared = compare(&query, &backend, &events);
            prop_assert!(compared.is_ok(), "{} {:?}: {}", backend.target.name, query, compared.expect_err("a fault"));
        }
    }

    /// Also for leaves that no language says: these passes do not look into them. Nor does the shape
    /// of the old styles.
    #[test]
    fn simplification_and_guards_keep_the_answers(query in pool::query(), seed in any::<u64>()) {
        let original = Matcher::new(&query).expect("a matcher");
        let events = pool::events(&query, seed, 40);
        for backend in backends() {
            for dialect in backend.dialects() {
                let simple = simplify(query.clone(), dialect);
                let guarded = guard::guard(simple.clone(), dialect);
                for changed in [simple, guarded, factor::shape(query.clone(), dialect)] {
                    let matcher = Matcher::new(&changed).expect("a matcher");
                    for event in &events {
                        prop_assert_eq!(matcher.matches(event), original.matches(event), "{} {:?}", event, &changed);
                    }
                }
            }
        }
    }
}

#[test]
fn every_test_of_the_pool_alone_and_negated() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for (at, leaf) in pool::leaves().into_iter().enumerate() {
        for query in [Expr::Match(leaf.clone()), Expr::negate(Expr::Match(leaf.clone()))] {
            let events = pool::events(&query, at as u64, 160);
            for backend in backends() {
                match compare(&query, &backend, &events) {
                    Ok(Some(_)) => *counts.entry(backend.target.name).or_default() += 1,
                    Ok(None) => {}
                    Err(fault) => faults.push(format!("{} {:?}: {fault}", backend.target.name, leaf.test)),
                }
            }
        }
    }
    println!("{counts:?}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults[..faults.len().min(12)].join("\n"));
    assert!(TARGETS.iter().all(|target| counts.get(target.name).is_some_and(|count| *count > 20)), "{counts:?}");
}

/// The two passes that make patterns, asked directly: by every means that a language may have.
#[test]
fn patterns_keep_the_answers() {
    let mut compared = 0;
    // Patterns are of whole values: what keywords do with them is for each dialect to say.
    for leaf in pool::leaves().into_iter().filter(|leaf| leaf.field().is_some()) {
        let original = Expr::Match(leaf.clone());
        let mut made = Vec::new();
        let mut single_lines = false;
        match &leaf.test {
            Test::Network(network) => {
                for (regexes, singles) in [(false, false), (false, true), (true, false), (true, true)] {
                    let found = cidr::expansion(network, &leaf, cidr::Means { regexes, singles });
                    made.extend(found.inexact.is_none().then_some(found.query));
                }
            }
            Test::Regex(source) => {
                single_lines = regex::assumes_single_lines(source);
                for singles in [false, true] {
                    if let Ok(tests) = regex::patterns(source, regex::PatternLimits { singles, most: 64 }) {
                        made.push(Expr::Or(tests.into_iter().map(|test| Expr::Match(leaf.with(test))).collect()));
                    }
                }
            }
            _ => continue,
        }
        let events = pool::events(&original, 7, 200);
        let wanted = Matcher::new(&original).expect("a matcher");
        for query in made {
            let matcher = Matcher::new(&query).expect("a matcher");
            for event in &events {
                let broken = single_lines && event.to_string().contains("\\n");
                if !broken && address::usual(&original, event) {
                    assert_eq!(matcher.matches(event), wanted.matches(event), "{event} {leaf:?} as {query:?}");
                }
            }
            compared += 1;
        }
    }
    assert!(compared > 15, "{compared}");
}

/// Every rule under a folder on its own samples, in every language: conditions and events compared.
fn check_folder(folder: &Path, backends: &[Backend], limits: Limits) -> (usize, usize) {
    let sources = sources(folder);
    let (mut conditions, mut events, mut faults) = (0, 0, Vec::new());
    for (id, source) in sources.iter() {
        for document in sigcast_frontend::parse(&sources, id) {
            let Kind::Rule(rule) = document.kind else { continue };
            let Ok(found) = samples(&rule, limits) else { continue };
            for (query, _) in lower::queries(&rule) {
                let samples: Vec<Value> = found.iter().map(|sample| sample.event.clone()).collect();
                for backend in backends {
                    match compare(&query, backend, &samples) {
                        Ok(Some(compared)) => {
                            conditions += 1;
                            events += compared;
                        }
                        Ok(None) => {}
                        Err(fault) => faults.push(format!("{} [{}]: {fault}", source.name(), backend.target.name)),
                    }
                }
            }
        }
    }
    let first = faults[..faults.len().min(8)].join("\n");
    assert!(faults.is_empty(), "{} faults, the first:\n{first}", faults.len());
    (conditions, events)
}

#[test]
fn sample_rules_keep_their_answers() {
    let folder = &sample_rules();
    let (conditions, events) = check_folder(folder, &backends(), Limits::default());
    println!("{conditions} conditions, {events} events");
    assert!(conditions > 500 && events > 5_000, "{conditions} conditions, {events} events");
}

#[test]
fn corpus_keeps_its_answers() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    let plain: Vec<Backend> = TARGETS.iter().map(|target| Backend::new(target, Settings::default())).collect();
    let (conditions, events) = check_folder(&rules, &plain, Limits { hits: 3, variations: 6 });
    println!("{conditions} conditions, {events} events");
    assert!(conditions > 20_000, "{conditions} conditions, {events} events");
}
