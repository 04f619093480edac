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
use sigcast_conformance::layout::{Asked, EVENTS, FIELDS, INDICES, NUMBERED, Setting, TABLES};
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
    let outcome = Outcome { engine: engine.name(), rules: report::rules(&corpus, 1), runs, tallies };
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

/// What the parser must not let pass: else that it refuses no query would say nothing.
#[test]
fn microsofts_parser_knows_right_from_wrong() {
    let mut parser = match Script::kusto() {
        Ok(parser) => parser,
        Err(fault) => {
            println!("skipped: {fault}");
            return;
        }
    };
    let fields = [("Image", Asked::Text), ("Size", Asked::Number), ("a.b", Asked::Text)];
    let fields = fields.into_iter().map(|(name, asked)| (name.to_owned(), asked)).collect();
    parser.prepare(&fields, TABLES[0]).expect("a table");
    let cases = [
        ("\nlogs\n| where Image =~ \"x\" and Size > 3 and tostring(a.b) has \"y\"", None),
        ("\nlogs\n| where Imag =~ \"x\"", Some("KS142")),
        ("\nlogs\n| where Size contains 3", Some("KS106")),
        ("\nlogs\n| where Image =~ \"x", Some("Error")),
        ("microsoft_xdr\nDeviceProcessEvents\n| where FolderPath endswith \"x\"", None),
        ("microsoft_xdr\nDeviceProcessEvents\n| where Image endswith \"x\"", Some("KS142")),
        ("microsoft_xdr\nNoTable\n| where Image endswith \"x\"", Some("no table")),
        ("sentinel_asim\n_Im_ProcessCreate()\n| where TargetProcessName endswith \"x\"", None),
    ];
    let requests: Vec<String> = cases.iter().map(|(query, _)| (*query).to_owned()).collect();
    for ((query, expected), answer) in cases.iter().zip(parser.run(&requests).expect("answers")) {
        match (expected, answer) {
            (None, answer) => assert!(answer.is_ok(), "{query}: {answer:?}"),
            (Some(part), answer) => {
                assert!(answer.as_ref().is_err_and(|why| why.contains(part)), "{query}: {answer:?}");
            }
        }
    }
}

/// A machine without Java, Maven, Python, node and PostgreSQL: what cannot be had is named with the reason, and the rest
/// is compared.
#[test]
fn engines_are_skipped_and_named_without_their_tools() {
    let folder = std::env::temp_dir().join(format!("sigcast-without-tools-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sigcast-conformance"))
        .args(["--step", "20"])
        .env("PATH", "/nonexistent")
        .env("TMPDIR", &folder)
        .env_remove("SIGCAST_CORPUS")
        .output()
        .expect("the command");
    std::fs::remove_dir_all(&folder).expect("a folder");
    let (page, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    for name in ["opensearch", "elasticsearch", "postgres", "duckdb", "eql", "chdb", "kusto"] {
        assert!(said.contains(&format!("skipped: {name}: ")), "{name}: {said}");
        assert!(page.contains(&format!("## {name}\n\nSkipped: ")), "{name}: {page}");
    }
    assert!(page.contains("| `sqlite` | default |") && page.contains("| `splunk` | default |"), "{page}");
    assert_eq!(output.status.code(), Some(0), "{said}");
}
