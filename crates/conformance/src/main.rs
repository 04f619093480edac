//! The command of the harness: runs rules on the engines, prints the figures, and writes them to a page.
//!
//! Ends with 0 if every exact rule agrees and no query is refused unless its conversion warns of it, with 1 if not, with 3 if something cannot be read.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sigcast_conformance::compare::compare;
use sigcast_conformance::corpus::{self, Corpus};
use sigcast_conformance::correlations::{self, Sampled};
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
    /// The engines, by name; all without it. `correlations` stands for all of them, with correlations alone.
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
    eprintln!("{} rules with {events} events, {} of them recorded", corpus.cases.len(), corpus.recorded.len());
    let correlations = corpus::read(&own.join("correlation"))?;
    let sampled = correlations::read(&correlations);
    let old = arguments.write.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let mut page = Page {
        old,
        text: report::opening(&corpus, events, arguments.step),
        lines: String::new(),
        details: String::new(),
        agree: true,
    };
    for known in ENGINES {
        page.engine(known, arguments, &corpus, &sampled)?;
    }
    page.text.push_str(&report::mark(correlations::report::NAME));
    page.text.push_str(&correlations::report::opening(&sampled));
    page.text.push_str(&page.lines);
    println!("{}", page.text);
    if let Some(path) = &arguments.write {
        std::fs::write(path, &page.text)?;
    }
    if let Some(path) = &arguments.details {
        std::fs::write(path, &page.details)?;
    }
    Ok(page.agree)
}

/// What is written.
struct Page {
    /// The page that was written before.
    old: String,
    text: String,
    /// The lines on correlations.
    lines: String,
    details: String,
    agree: bool,
}

impl Page {
    /// Runs an engine, or keeps what the page has of it.
    fn engine(
        &mut self,
        known: &Known,
        arguments: &Arguments,
        corpus: &Corpus<'_>,
        sampled: &[Sampled<'_>],
    ) -> Result<(), Fault> {
        let Known { name, start, runs, settings } = *known;
        let named = |name: &str| arguments.engine.iter().any(|wanted| wanted == name);
        let rules = arguments.engine.is_empty() || named(name);
        let streams = rules || (named(correlations::report::NAME) && !correlations::runs::of(name).is_empty());
        if !rules {
            self.text.push_str(report::kept(&self.old, name));
        }
        if !streams {
            self.lines.push_str(&correlations::report::kept(&self.old, name));
            return Ok(());
        }
        let started = Instant::now();
        let mut engine = match start() {
            Ok(engine) => engine,
            Err(fault) => {
                eprintln!("skipped: {name}: {fault}");
                if rules {
                    self.text.push_str(&format!("{}## {name}\n\nSkipped: {fault}\n", report::mark(name)));
                }
                return Ok(());
            }
        };
        for run in correlations::runs::of(name) {
            eprintln!("[{:>4} s] {name}: correlations by {}", started.elapsed().as_secs(), run.target);
            let tally = correlations::compare::compare(engine.as_mut(), sampled, run)?;
            self.agree &= tally.faults.is_empty() && tally.rejected.is_empty();
            self.lines.push_str(&correlations::report::line(name, &engine.name(), run, &tally));
            self.details.push_str(&correlations::report::details(run, &tally, 2_000));
        }
        if !rules {
            return Ok(());
        }
        let tallies = compare(engine.as_mut(), corpus, runs, settings, &|text| {
            eprintln!("[{:>4} s] {name}: {text}", started.elapsed().as_secs());
        })?;
        let outcome = Outcome { engine: engine.name(), rules: report::rules(corpus, arguments.step), runs, tallies };
        self.agree &= outcome.tallies.values().all(|tally| tally.faults.is_empty() && tally.rejected.is_empty());
        self.text.push_str(&report::mark(name));
        self.text.push_str(&report::section(&outcome));
        self.text.push_str(&report::causes(&outcome));
        self.details.push_str(&report::details(&outcome, 2_000));
        Ok(())
    }
}
