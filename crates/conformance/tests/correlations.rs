//! Correlations on every engine that can be had here: what is exact agrees, and no query is refused.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use sigcast_conformance::corpus;
use sigcast_conformance::correlations::compare::{Tally, compare, compare_as};
use sigcast_conformance::correlations::{Sampled, read, report, runs};
use sigcast_conformance::engines::postgres::Postgres;
use sigcast_conformance::engines::script::Script;
use sigcast_conformance::engines::search::{Node, Product};
use sigcast_conformance::engines::spl::Spl;
use sigcast_conformance::engines::sqlite::Sqlite;
use sigcast_conformance::engines::{Engine, Fault};
use sigcast_diagnostics::SourceMap;
use sigcast_eval::TimedEvent;
use sigcast_frontend::{Kind, link, parse};
use sigcast_testing::streams::{RULES, Streams};

/// Engines run one after the other: some need much memory.
static TURN: Mutex<()> = Mutex::new(());

/// Runs correlations on an engine under all of its ways.
fn check<E: Engine>(name: &str, start: impl FnOnce() -> Result<E, Fault>, sampled: &[Sampled<'_>]) -> Vec<Tally> {
    // A test that failed before has nothing to do with this one.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut engine = match start() {
        Ok(engine) => engine,
        Err(fault) => {
            println!("skipped: {fault}");
            return Vec::new();
        }
    };
    let mut all = Vec::new();
    for run in runs::of(name) {
        let tally = compare(&mut engine, sampled, run).expect("an engine that runs");
        println!("{}{:?} {:?}", report::line(name, &engine.name(), run, &tally), tally.refused, tally.not_run);
        let details = report::details(run, &tally, 3);
        assert!(details.is_empty(), "{details}");
        all.push(tally);
    }
    all
}

/// The sample correlations with every `step`th of their streams.
fn samples<E: Engine>(name: &str, start: impl FnOnce() -> Result<E, Fault>, step: usize) {
    let rules = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/correlation"));
    let sources = corpus::read(rules).expect("rules");
    let mut sampled = read(&sources);
    for one in &mut sampled {
        one.streams = std::mem::take(&mut one.streams).into_iter().step_by(step).collect();
    }
    assert!(sampled.len() > 8, "{} correlations", sampled.len());
    for tally in check(name, start, &sampled) {
        assert!(tally.exact > 0 && tally.firing > 10 && tally.streams > tally.firing, "{tally:?}");
    }
}

#[test]
fn sample_correlations_in_splunks_language() {
    samples("spl", Spl::start, 1);
}

#[test]
fn sample_correlations_on_sqlite() {
    samples("sqlite", Sqlite::start, 1);
}

#[test]
fn sample_correlations_on_postgres() {
    samples("postgres", Postgres::start, 1);
}

#[test]
fn sample_correlations_on_duckdb() {
    samples("duckdb", || Script::python("duckdb"), 1);
}

#[test]
fn sample_correlations_on_opensearch() {
    samples("opensearch", || Node::start(Product::OpenSearch), 5);
}

#[test]
fn sample_correlations_on_elasticsearch() {
    samples("elasticsearch", || Node::start(Product::Elasticsearch), 5);
}

#[test]
fn sample_correlations_on_the_package_eql() {
    samples("eql", || Script::python("eql"), 1);
}

/// Faults that a target might have: the streams tell each of them, so that agreement says something.
#[test]
fn faults_in_queries_are_told() {
    let rules = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/correlation"));
    let sources = corpus::read(rules).expect("rules");
    let sampled = read(&sources);
    let tells = |name: &str, engine: &mut dyn Engine, at: usize, from: &str, to: &str| {
        let changed = std::cell::Cell::new(0);
        let change = |query: &str| {
            let query = query.to_owned();
            let other = query.replace(from, to);
            changed.set(changed.get() + usize::from(other != query));
            other
        };
        let tally = compare_as(engine, &sampled, &runs::of(name)[at], &change).expect("an engine that runs");
        assert!(changed.get() > 0, "{from} is in no query");
        let told = tally.faults.len() + tally.rejected.len() + tally.differing.values().sum::<usize>();
        assert!(told > 0, "{name}: {from} is as good as {to}");
    };
    let mut splunk = Spl::start().expect("an interpreter");
    for (from, to) in [
        ("-sigma_first<=", "-sigma_first<"),
        (", -sigma_edge", ", sigma_edge"),
        ("global=f ", ""),
        ("current=f ", ""),
        ("\n| reverse", ""),
        ("sigma_edge=1, _time, _time+", "sigma_edge=1, _time, _time-0*"),
        ("sigma_before>", "sigma_before>="),
        (">=_time-", ">_time-"),
        (" BY TargetUserName, IpAddress", ""),
        ("fillnull value=0", "fillnull value=9999999999"),
        ("max(eval(if(sigma_rule=", "min(eval(if(sigma_rule="),
        ("coalesce(sigma_key_1_1, \"-\")", "TargetUserName"),
    ] {
        tells("spl", &mut splunk, 0, from, to);
    }
    for (from, to) in
        [("bin _time span=", "bin _time span=1"), (">=10", ">10"), ("NOT (", "("), (" BY _time, ", " BY ")]
    {
        tells("spl", &mut splunk, 1, from, to);
    }
    let mut sqlite = Sqlite::start().expect("SQLite");
    for (from, to) in
        [("RANGE BETWEEN 300000", "RANGE BETWEEN 299999"), (" RANGE BETWEEN", " ROWS BETWEEN"), (">= 10", "> 10")]
    {
        tells("sqlite", &mut sqlite, 0, from, to);
    }
}

/// Correlations of those rules: the type, the rules, and the condition.
const KINDS: &[(&str, &str, &str)] = &[
    ("event_count", "[one]", "{gte: 2}"),
    ("event_count", "[one, two]", "{gt: 2, lte: 4}"),
    ("event_count", "[one, two, three]", "{eq: 3}"),
    ("event_count", "[three]", "{neq: 1}"),
    ("event_count", "[two, three]", "{gt: 3}"),
    ("value_count", "[one, two]", "{field: User, gte: 2}"),
    ("value_count", "[one, two]", "{field: [User, Target], gte: 3}"),
    ("value_count", "[one]", "{field: Port, lt: 2}"),
    ("value_sum", "[one, two]", "{field: Bytes, gte: 110}"),
    ("value_sum", "[one]", "{field: Bytes, lt: 20}"),
    ("value_avg", "[one, two]", "{field: Bytes, gt: 20.5}"),
    ("value_min", "[one, two]", "{field: Bytes, gte: 7}"),
    ("value_min", "[two, three]", "{field: Bytes, eq: 7}"),
    ("value_max", "[one]", "{field: Port, lte: 2}"),
    ("value_max", "[one, three]", "{field: Port, gt: 1, neq: 5}"),
    ("value_median", "[one, two]", "{field: Bytes, gt: 8}"),
    ("value_percentile", "[one, two, three]", "{field: Bytes, percentile: 75, gt: 30}"),
    ("temporal", "[one, two]", ""),
    ("temporal", "[one, two, three]", "{gte: 2}"),
    ("temporal", "[one, two, three]", "one and (two or three)"),
    ("temporal", "[one, two, three]", "one and two and not three"),
    ("temporal", "[one, two]", "not one and not (two and one)"),
    ("temporal_ordered", "[one, two]", ""),
    ("temporal_ordered", "[three, two, one]", ""),
    ("temporal_ordered", "[one, two, three]", "{gte: 2}"),
    ("temporal_ordered", "[one, two, three]", "(one or two) and three"),
    ("temporal_ordered", "[two, one, three]", "two and one and not three"),
];

/// Correlations of other forms, whole.
const OTHERS: &[&str] = &[
    "title: C\ncorrelation: {type: event_count, rules: [two], timespan: 15s, condition: {gte: 2}}\n",
    "title: C\ncorrelation: {type: value_sum, rules: [two, three], timespan: 1m, condition: {field: Bytes, gt: 100}}\n",
    "title: C\ncorrelation: {type: temporal, rules: [one, two], group-by: [who], timespan: 1m, aliases: {who: {one: User, two: \
     Target}}}\n",
    "title: C\ncorrelation: {type: temporal_ordered, rules: [one, two], group-by: [who], timespan: 1m, aliases: {who: {one: \
     User, two: Target}}}\n",
    "title: Many\nname: many\ncorrelation: {type: event_count, rules: [one], group-by: [Host, User], timespan: 1m, condition: \
     {gte: 2}}\n---\ntitle: C\ncorrelation: {type: temporal_ordered, rules: [many, two], group-by: [Host], timespan: 1m}\n",
    "title: Many\nname: many\ncorrelation: {type: value_count, rules: [one, two], group-by: [Host], timespan: 1m, condition: \
     {field: User, gte: 2}}\n---\ntitle: C\ncorrelation: {type: temporal, rules: [many, three], timespan: 30s}\n",
    "title: Many\nname: many\ncorrelation: {type: value_sum, rules: [one], group-by: [Host], timespan: 1m, condition: {field: \
     Bytes, gt: 50}}\n---\ntitle: Middle\nname: middle\ncorrelation: {type: temporal, rules: [many, two], group-by: [Host], \
     timespan: 2m}\n---\ntitle: C\ncorrelation: {type: value_count, rules: [middle, three], group-by: [Host], timespan: 1m, \
     condition: {field: Port, gte: 2}}\n",
];

/// Correlations of every kind over random streams.
fn random<E: Engine>(name: &str, start: impl FnOnce() -> Result<E, Fault>, each: usize) {
    let plain = KINDS.iter().map(|(kind, rules, condition)| {
        let condition = if condition.is_empty() { String::new() } else { format!(", condition: {condition}") };
        format!("title: C\ncorrelation: {{type: {kind}, rules: {rules}, group-by: [Host], timespan: 1m{condition}}}\n")
    });
    let mut sources = SourceMap::new();
    let all: Vec<String> = plain.chain(OTHERS.iter().map(|text| (*text).to_owned())).collect();
    for (at, text) in all.iter().enumerate() {
        sources.add(format!("{at}: {text}"), format!("{RULES}{text}"));
    }
    let mut random = Streams::new(json!("none"));
    let mut sampled = Vec::new();
    for (id, source) in sources.iter() {
        // Every file has rules of the same names, so each is a run of its own.
        let mut documents = parse(&sources, id);
        link(&mut documents.iter_mut().collect::<Vec<_>>());
        let last = documents.pop().expect("a document");
        let Kind::Correlation(correlation) = last.kind else { panic!("{}: {last:?}", source.name()) };
        let timed = |(time, event)| TimedEvent { time, event };
        let streams = random.by_ref().take(each).map(|stream| stream.into_iter().map(timed).collect()).collect();
        sampled.push(Sampled::new(source.name(), *correlation, streams).expect("a correlation that has a meaning"));
    }
    for tally in check(name, start, &sampled) {
        assert!(tally.exact > 2 && tally.firing > each / 2 && tally.streams > tally.firing, "{tally:?}");
    }
}

#[test]
fn random_streams_in_splunks_language() {
    random("spl", Spl::start, 150);
}

#[test]
fn random_streams_on_sqlite() {
    random("sqlite", Sqlite::start, 40);
}

#[test]
fn random_streams_on_postgres() {
    random("postgres", Postgres::start, 20);
}

#[test]
fn random_streams_on_duckdb() {
    random("duckdb", || Script::python("duckdb"), 10);
}

#[test]
fn random_streams_on_opensearch() {
    random("opensearch", || Node::start(Product::OpenSearch), 3);
}

#[test]
fn random_streams_on_elasticsearch() {
    random("elasticsearch", || Node::start(Product::Elasticsearch), 3);
}

#[test]
fn random_streams_on_the_package_eql() {
    random("eql", || Script::python("eql"), 60);
}
