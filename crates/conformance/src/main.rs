//! The command of the harness: runs rules on the engines, prints the figures, and writes them to a page.
//!
//! Ends with 0 if every exact rule agrees and no query is refused unless its conversion warns of it, with 1 if not, with 3 if something cannot be read.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
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

/// Runs emitted queries on the real engines and compares their answers with the evaluator's.
#[derive(Debug, Parser)]
struct Arguments {
    /// A folder with `sigmahq/rules` and `regression`; without it, the sample rules of the repository are run.
    #[arg(long, env = "SIGCAST_CORPUS")]
    corpus: Option<PathBuf>,
    /// Takes every Nth rule only.
    #[arg(long, default_value_t = 1)]
    step: usize,
    /// The engines, by name; all without it.
    #[arg(long, value_delimiter = ',')]
    engine: Vec<String>,
    /// Writes the page with the figures here; with `--engine`, what the page has of the other engines is kept.
    #[arg(long)]
    write: Option<PathBuf>,
    /// Writes every disagreement and refused query here.
    #[arg(long)]
    details: Option<PathBuf>,
}

/// An engine.
struct Known {
    name: &'static str,
    start: fn() -> Result<Box<dyn Engine>, Fault>,
    runs: &'static [Run],
    settings: &'static [Setting],
}

const ENGINES: &[Known] = &[
    Known {
        name: "opensearch",
        start: || Ok(Box::new(Node::start(Product::OpenSearch)?)),
        runs: runs::SEARCH,
        settings: INDICES,
    },
    Known {
        name: "elasticsearch",
        start: || Ok(Box::new(Node::start(Product::Elasticsearch)?)),
        runs: runs::ELASTIC,
        settings: NUMBERED,
    },
    Known { name: "sqlite", start: || Ok(Box::new(Sqlite::start()?)), runs: runs::SQLITE, settings: TABLES },
    Known { name: "postgres", start: || Ok(Box::new(Postgres::start()?)), runs: runs::POSTGRES, settings: TABLES },
    Known { name: "duckdb", start: || Ok(Box::new(Script::python("duckdb")?)), runs: runs::DUCKDB, settings: TABLES },
    Known { name: "spl", start: || Ok(Box::new(Spl::start()?)), runs: runs::SPLUNK, settings: FIELDS },
    Known { name: "eql", start: || Ok(Box::new(Script::python("eql")?)), runs: runs::EQL, settings: EVENTS },
    Known { name: "chdb", start: || Ok(Box::new(Script::python("chdb")?)), runs: runs::KUSTO, settings: TABLES },
    Known { name: "kusto", start: || Ok(Box::new(Script::kusto()?)), runs: runs::CHECKED, settings: TABLES },
];

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::from(3)
        }
    }
}

/// Whether all agree.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let own = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules"));
    let rules = arguments.corpus.as_ref().map_or(own.to_owned(), |corpus| corpus.join("sigmahq/rules"));
    let sources = corpus::read(&rules)?;
    let recorded = match &arguments.corpus {
        Some(corpus) => corpus::recorded(&corpus.join("regression"))?,
        None => Default::default(),
    };
    let corpus = Corpus::new(&sources, &recorded, arguments.step);
    let events: usize = corpus.cases.iter().map(|case| case.events.len()).sum();
    let mut page = report::opening(&corpus, events, arguments.step);
    eprintln!("{} rules with {events} events, {} of them recorded", corpus.cases.len(), corpus.recorded.len());
    let (mut agree, mut details) = (true, String::new());
    let old = arguments.write.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    for Known { name, start, runs, settings } in ENGINES {
        if !arguments.engine.is_empty() && !arguments.engine.iter().any(|wanted| wanted == name) {
            page.push_str(report::kept(&old, name));
            continue;
        }
        let started = Instant::now();
        let mut engine = match start() {
            Ok(engine) => engine,
            Err(fault) => {
                eprintln!("skipped: {name}: {fault}");
                page.push_str(&format!("{}## {name}\n\nSkipped: {fault}\n", report::mark(name)));
                continue;
            }
        };
        let tallies = compare(engine.as_mut(), &corpus, runs, settings, &|text| {
            eprintln!("[{:>4} s] {name}: {text}", started.elapsed().as_secs());
        })?;
        let outcome = Outcome { engine: engine.name(), rules: report::rules(&corpus, arguments.step), runs, tallies };
        agree &= outcome.tallies.values().all(|tally| tally.faults.is_empty() && tally.rejected.is_empty());
        page.push_str(&report::mark(name));
        page.push_str(&report::section(&outcome));
        page.push_str(&report::causes(&outcome));
        details.push_str(&report::details(&outcome, 2_000));
    }
    println!("{page}");
    if let Some(path) = &arguments.write {
        std::fs::write(path, &page)?;
    }
    if let Some(path) = &arguments.details {
        std::fs::write(path, &details)?;
    }
    Ok(agree)
}
