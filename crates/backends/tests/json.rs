//! Targets whose queries are JSON: every text over the sample rules, and the public ones if they are there, is one object.

use std::path::Path;

use serde_json::Value;
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, find};
use sigcast_frontend::Kind;
use sigcast_testing::{corpus, sample_rules, sources};

/// How many clauses of a kind that the reference lists a query has; a clause of another kind is a fault.
fn clauses(query: &Value) -> Result<usize, String> {
    let fault = || format!("no clause: {query}");
    let (kind, body) =
        query.as_object().filter(|found| found.len() == 1).and_then(|found| found.iter().next()).ok_or_else(fault)?;
    let body = body.as_object().ok_or_else(fault)?;
    match kind.as_str() {
        "bool" => {
            let mut count = 0;
            for (occur, terms) in body {
                match (occur.as_str(), terms) {
                    ("filter" | "should" | "must_not", Value::Array(terms)) if !terms.is_empty() => {
                        for term in terms {
                            count += clauses(term)?;
                        }
                    }
                    ("minimum_should_match", Value::Number(_)) if body.contains_key("should") => {}
                    _ => return Err(fault()),
                }
            }
            // A disjunction beside other kinds of terms would be a matter of score.
            let disjunction = body.contains_key("should");
            if disjunction != body.contains_key("minimum_should_match") { Err(fault()) } else { Ok(count) }
        }
        "term" | "terms" | "prefix" | "wildcard" | "regexp" | "range" if body.len() == 1 => Ok(1),
        "exists" if body.keys().eq(["field"]) => Ok(1),
        "query_string" if body.get("query").is_some_and(Value::is_string) => Ok(1),
        _ => Err(fault()),
    }
}

/// Checks every query under a folder; how many clauses there were.
fn check(folder: &Path, pairs: &[(&str, &str)]) -> usize {
    let backend = Backend::new(find("es-dsl").expect("the target"), Settings::of(pairs).expect("options"));
    let sources = sources(folder);
    let mut count = 0;
    for (id, source) in sources.iter() {
        for document in sigcast_frontend::parse(&sources, id) {
            let Kind::Rule(rule) = document.kind else { continue };
            for query in backend.convert(&rule).queries {
                assert!(!query.contains('\n'), "{}: one line a query", source.name());
                let body: Value =
                    serde_json::from_str(&query).unwrap_or_else(|error| panic!("{}: {error}\n{query}", source.name()));
                assert!(body.as_object().is_some_and(|body| body.keys().eq(["query"])), "{}: {query}", source.name());
                count += clauses(&body["query"]).unwrap_or_else(|fault| panic!("{}: {fault}", source.name()));
            }
        }
    }
    count
}

#[test]
fn sample_queries_are_json() {
    let rules = &sample_rules();
    for pairs in
        [&[][..], &[("cidr", "expand")], &[("cidr", "native")], &[("fields", "dynamic"), ("time_range", "24h")]]
    {
        assert!(check(rules, pairs) > 100, "hardly a clause with {pairs:?}");
    }
}

#[test]
fn public_queries_are_json() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    assert!(check(&rules, &[]) > 10_000, "hardly a clause");
}
