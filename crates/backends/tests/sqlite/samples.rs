//! SQLite itself answers for the sample events of the rules, and for real events: as the evaluator does, every time.
//!
//! Samples are labelled without asking either of the two, so three opinions must agree. Events are given as the data model
//! of the target holds them; those that it does not hold (several values in a field) are passed over and counted.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde_json::Value;
use sigcast_backends::{Status, find};
use sigcast_eval::{Limits, Matcher, Sample, flatten_windows, project, samples};
use sigcast_frontend::Kind;
use sigcast_ir::{Query, Rule, Test, lower};
use sigcast_testing::{corpus, files, sample_rules, sources};

use crate::table::{self, Declared, columns_of, database, found};
use crate::{address, backend};

/// What was compared.
#[derive(Debug, Default)]
struct Count {
    queries: usize,
    hits: usize,
    misses: usize,
    /// Events that no row of the data model holds, or whose addresses are spelled in an unusual way.
    passed_over: usize,
    /// Rules that are not exact here, or have no samples.
    rules_left: usize,
}

/// Every rule under a folder, with the name of its file.
fn each_rule(folder: &Path, mut use_it: impl FnMut(&str, &Rule<'_>)) {
    let sources = sources(folder);
    for (id, source) in sources.iter() {
        for document in sigcast_frontend::parse(&sources, id) {
            if let Kind::Rule(rule) = document.kind {
                use_it(source.name(), &rule);
            }
        }
    }
}

/// The event as a row holds it, if networks can be asked for in it by text patterns.
fn row(event: &Value, query: &Query<'_>) -> Option<Value> {
    let model = &find("sqlite").expect("a target").model;
    let held = project(model, event).filter(|_| address::usual(query, event))?;
    let cells = held.as_object()?.values().all(|value| table::cell(value).is_some());
    cells.then_some(held)
}

fn fields_of(query: &Query<'_>) -> Vec<String> {
    let mut fields = Vec::new();
    query.each_match(&mut |found| {
        fields.extend(found.field().map(|field| field.as_str().to_owned()));
        if let Test::SameAs { other, .. } = &found.test {
            fields.push(other.as_str().to_owned());
        }
    });
    fields
}

/// Runs the rules under a folder over their own samples.
fn run_samples(folder: &Path, options: &[(&str, &str)], limits: Limits) -> Count {
    let backend = backend(options);
    let connection = database();
    let mut count = Count::default();
    let mut faults = Vec::new();
    each_rule(folder, |path, rule| {
        let conversion = backend.convert(rule);
        let (Status::Exact, Ok(found)) = (conversion.status, samples(rule, limits)) else {
            count.rules_left += 1;
            return;
        };
        for (number, ((query, _), text)) in lower::queries(rule).iter().zip(&conversion.queries).enumerate() {
            count.queries += 1;
            faults.extend(
                own_samples(&connection, query, text, number, &found, &mut count)
                    .into_iter()
                    .map(|fault| format!("{path}: {fault}\n  {}", text.chars().take(600).collect::<String>())),
            );
        }
    });
    let first = faults.iter().take(8).cloned().collect::<Vec<_>>().join("\n");
    assert!(faults.is_empty(), "{} faults, the first:\n{first}", faults.len());
    count
}

fn own_samples(
    connection: &rusqlite::Connection,
    query: &Query<'_>,
    text: &str,
    number: usize,
    given: &[Sample],
    count: &mut Count,
) -> Vec<String> {
    let (fitting, events): (Vec<&Sample>, Vec<Value>) =
        given.iter().filter_map(|sample| Some((sample, row(&sample.event, query)?))).unzip();
    count.passed_over += given.len() - fitting.len();
    let mut columns = columns_of(&events);
    columns.extend(fields_of(query));
    columns.sort();
    columns.dedup();
    table::table(connection, &columns, &events, Declared::Bare);
    let found = match found(connection, text) {
        Ok(found) => found,
        Err(fault) => return vec![fault.to_string()],
    };
    let matcher = Matcher::new(query).expect("samples were made, so it runs");
    let mut faults = Vec::new();
    for (at, sample) in fitting.iter().enumerate() {
        let (label, engine) = (sample.matches[number], found.contains(&at));
        let answer = matcher.matches(&sample.event).expect("an answer");
        if label != engine || answer != engine {
            faults.push(format!(
                "{}: the sample says {label}, the evaluator {answer}, SQLite {engine}: {}",
                sample.what, sample.event
            ));
        }
        *(if label { &mut count.hits } else { &mut count.misses }) += 1;
    }
    faults
}

/// The real events of the corpus.
fn real_events(corpus: &Path) -> Vec<Value> {
    let mut events = Vec::new();
    for path in files(&corpus.join("regression"), &["json"]) {
        let text = std::fs::read_to_string(&path).expect("events");
        for event in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            events.push(flatten_windows(&event.expect("JSON")));
        }
    }
    events
}

/// Columns for the fields of all rules and events. Names ignore case in SQLite: of those that differ in case only, the
/// first is taken, and rules that name another one are left.
fn common_columns(folder: &Path, events: &[Value]) -> Vec<String> {
    let mut names: BTreeSet<String> = columns_of(events).into_iter().collect();
    each_rule(folder, |_, rule| {
        lower::queries(rule).iter().for_each(|(query, _)| names.extend(fields_of(query)));
    });
    let mut first: HashMap<String, String> = HashMap::new();
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        first.entry(name.to_ascii_lowercase()).or_insert(name);
    }
    let mut columns: Vec<String> = first.into_values().collect();
    columns.sort();
    columns
}

/// Runs the rules under a folder over real events, all in one table.
fn run_real(folder: &Path, events: &[Value], options: &[(&str, &str)]) -> Count {
    let backend = backend(options);
    let connection = database();
    let columns = common_columns(folder, events);
    let model = &find("sqlite").expect("a target").model;
    let rows: Vec<Value> = events.iter().map(|event| project(model, event).expect("one value a field")).collect();
    table::table(&connection, &columns, &rows, Declared::Bare);
    let mut count = Count::default();
    let mut faults = Vec::new();
    each_rule(folder, |path, rule| {
        let conversion = backend.convert(rule);
        for ((query, _), text) in lower::queries(rule).iter().zip(&conversion.queries) {
            let known = fields_of(query).iter().all(|field| columns.binary_search(field).is_ok());
            let (Status::Exact, true, Ok(matcher)) = (conversion.status, known, Matcher::new(query)) else {
                count.rules_left += 1;
                continue;
            };
            count.queries += 1;
            let found = found(&connection, text).expect("a query that runs");
            for (at, event) in events.iter().enumerate() {
                let meant = matcher.matches(event).expect("an answer");
                if meant != found.contains(&at) {
                    faults.push(format!("{path}: the evaluator says {meant} of event {at}: {event}\n  {text}"));
                }
                *(if meant { &mut count.hits } else { &mut count.misses }) += 1;
            }
        }
    });
    assert!(faults.is_empty(), "{} faults, the first:\n{}", faults.len(), faults[..faults.len().min(5)].join("\n"));
    count
}

const OPTIONS: [&[(&str, &str)]; 2] = [&[], &[("regexp", "function")]];

#[test]
fn samples_of_the_sample_rules() {
    let folder = &sample_rules();
    for options in OPTIONS {
        let count = run_samples(folder, options, Limits::default());
        println!("{options:?}: {count:?}");
        assert!(count.queries > 50 && count.hits > count.queries && count.misses > count.queries, "{count:?}");
    }
}

#[test]
fn samples_of_the_corpus() {
    let Some(corpus) = corpus("") else { return };
    let limits = Limits { hits: 6, variations: 18 };
    let count = run_samples(&corpus.join("sigmahq/rules"), OPTIONS[1], limits);
    println!("{count:?}");
    assert!(count.queries > 2_900 && count.hits > 20_000 && count.misses > 15_000, "{count:?}");
}

#[test]
fn real_events_of_the_corpus() {
    let Some(corpus) = corpus("") else { return };
    let events = real_events(&corpus);
    let count = run_real(&corpus.join("sigmahq/rules"), &events, OPTIONS[1]);
    println!("{} events: {count:?}", events.len());
    assert!(events.len() > 100 && count.queries > 2_800 && count.hits > 100, "{count:?}");
}
