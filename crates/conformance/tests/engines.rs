//! The sample rules on every engine that can be had here: exact rules agree, and no query is refused.

use std::collections::BTreeMap;
use std::path::Path;

use sigcast_conformance::compare::compare;
use sigcast_conformance::corpus::{self, Corpus};
use sigcast_conformance::engines::postgres::Postgres;
use sigcast_conformance::engines::script::Script;
use sigcast_conformance::engines::search::{Node, Product};
use sigcast_conformance::engines::spl::Spl;
use sigcast_conformance::engines::sqlite::Sqlite;
use sigcast_conformance::engines::{Engine, Fault};
use sigcast_conformance::layout::{EVENTS, FIELDS, INDICES, NUMBERED, Setting, TABLES};
use sigcast_conformance::report::{self, Outcome};
use sigcast_conformance::runs::{self, Run};

fn check(engine: Result<impl Engine, Fault>, runs: &'static [Run], settings: &[Setting]) {
    let mut engine = match engine {
        Ok(engine) => engine,
        Err(fault) => {
            println!("skipped: {fault}");
            return;
        }
    };
    let rules = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules"));
    let sources = corpus::read(rules).expect("rules");
    let corpus = Corpus::new(&sources, &BTreeMap::new(), 1);
    let tallies = compare(&mut engine, &corpus, runs, settings, &|_| {}).expect("an engine that runs");
    let outcome = Outcome { engine: engine.name(), runs, tallies };
    println!("{}{}", report::section(&outcome), report::causes(&outcome));
    for ((run, setting), tally) in &outcome.tallies {
        let at = format!("{} {} {setting}", runs[*run].target, runs[*run].way.name);
        assert!(tally.queries == 0 || tally.hits > 0 || !engine.executes(), "{at}: no event was found");
        assert!(tally.answers >= tally.hits, "{at}");
    }
    if !engine.executes() {
        return;
    }
    let exact: usize = outcome.tallies.values().map(|tally| tally.exact).sum();
    assert!(exact > 20 * runs.len(), "{exact} rules compared");
    let details = report::details(&outcome, 3);
    assert!(details.is_empty(), "{details}");
}

#[test]
fn sample_rules_on_opensearch() {
    check(Node::start(Product::OpenSearch), runs::SEARCH, INDICES);
}

#[test]
fn sample_rules_on_elasticsearch() {
    check(Node::start(Product::Elasticsearch), runs::ELASTIC, NUMBERED);
}

#[test]
fn sample_rules_on_sqlite() {
    check(Sqlite::start(), runs::SQLITE, TABLES);
}

#[test]
fn sample_rules_on_postgres() {
    check(Postgres::start(), runs::POSTGRES, TABLES);
}

#[test]
fn sample_rules_on_duckdb() {
    check(Script::python("duckdb"), runs::DUCKDB, TABLES);
}

#[test]
fn sample_rules_in_splunks_language() {
    check(Spl::start(), runs::SPLUNK, FIELDS);
}

#[test]
fn sample_rules_on_the_package_eql() {
    check(Script::python("eql"), runs::EQL, EVENTS);
}

#[test]
fn sample_rules_on_clickhouse() {
    check(Script::python("chdb"), runs::KUSTO, TABLES);
}

#[test]
fn sample_rules_by_microsofts_parser() {
    check(Script::kusto(), runs::CHECKED, TABLES);
}
