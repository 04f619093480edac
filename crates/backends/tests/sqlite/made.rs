//! Every rule whose query is exact, over events made for the query: SQLite finds what the evaluator does.

use std::path::Path;

use rusqlite::Connection;
use sigcast_backends::Status;
use sigcast_eval::Matcher;
use sigcast_frontend::Kind;
use sigcast_ir::{Query, lower};
use sigcast_testing::{corpus, sample_rules, sources};

use crate::backend;
use crate::sampler::{self, Random};
use crate::table::{Declared, columns_of, database, found, table};

/// How many queries were run, and how many of their events they found and did not find.
#[derive(Debug, Default)]
struct Count {
    queries: usize,
    found: usize,
    others: usize,
}

/// Runs every rule under a folder whose query is exact over events made for it: SQLite must find what the evaluator
/// does.
fn run_folder(folder: &Path, options: &[(&str, &str)]) -> Count {
    let sources = sources(folder);
    let backend = backend(options);
    let connection = database();
    let mut count = Count::default();
    let mut faults = Vec::new();
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for (id, source) in sources.iter() {
        for document in sigcast_frontend::parse(&sources, id) {
            let Kind::Rule(rule) = document.kind else { continue };
            let conversion = backend.convert(&rule);
            if conversion.status != Status::Exact {
                continue;
            }
            for ((query, _), text) in lower::queries(&rule).iter().zip(&conversion.queries) {
                if let Err(fault) = run(&connection, query, text, &mut random, &mut count) {
                    faults.push(format!("{}: {fault}\n  {text}", source.name()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults, the first:\n{}", faults.len(), faults[..faults.len().min(5)].join("\n"));
    count
}

fn run(
    connection: &Connection,
    query: &Query<'_>,
    text: &str,
    random: &mut Random,
    count: &mut Count,
) -> Result<(), String> {
    let matcher = Matcher::new(query).map_err(|fault| fault.to_string())?;
    let events = sampler::events(query, random);
    let mut columns = columns_of(&events);
    query.each_match(&mut |found| {
        columns.extend(found.field().map(|field| field.as_str().to_owned()));
    });
    columns.sort();
    columns.dedup();
    table(connection, &columns, &events, Declared::Bare);
    let found = found(connection, text).map_err(|fault| fault.to_string())?;
    count.queries += 1;
    for (at, event) in events.iter().enumerate() {
        let meant = matcher.matches(event).map_err(|fault| fault.to_string())?;
        if meant != found.contains(&at) {
            return Err(format!("the evaluator says {meant} of {event}"));
        }
        *(if meant { &mut count.found } else { &mut count.others }) += 1;
    }
    Ok(())
}

#[test]
fn sample_rules_find_what_they_mean() {
    let count = run_folder(&sample_rules(), &[]);
    assert!(count.queries > 0 && count.found > count.queries, "{count:?}");
}

#[test]
fn corpus_finds_what_it_means() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    for (options, least) in [(&[][..], 2_900), (&[("regexp", "function")][..], 2_950)] {
        let count = run_folder(&rules, options);
        println!("{count:?}");
        assert!(count.queries > least && count.found > 20_000 && count.others > 20_000, "{count:?}");
    }
}
