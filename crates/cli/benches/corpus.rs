//! How long the public corpus takes: parsing it, and parsing and converting it to each target, on all threads.
//!
//! Needs the environment variable `SIGCAST_CORPUS`: the folder with `sigmahq/rules`.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput};
use rayon::prelude::*;
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, TARGETS};
use sigcast_diagnostics::SourceMap;
use sigcast_frontend::{Kind, parse};
use walkdir::WalkDir;

/// Every rule of the corpus, read before anything is measured.
fn corpus(root: &Path) -> SourceMap {
    let mut sources = SourceMap::new();
    for entry in WalkDir::new(root.join("sigmahq/rules")).sort_by_file_name() {
        let entry = entry.expect("the corpus can be read");
        if entry.path().extension().is_some_and(|found| found == "yml") {
            let text = std::fs::read_to_string(entry.path()).expect("rules are text");
            sources.add(entry.path().display().to_string(), text);
        }
    }
    sources
}

/// Parses every rule, and converts it if there is a backend; returns the bytes of the queries, or the documents.
fn convert(sources: &SourceMap, backend: Option<&Backend>) -> usize {
    let ids: Vec<_> = sources.iter().map(|(id, _)| id).collect();
    let one = |document: &sigcast_frontend::Document<'_>| match (&document.kind, backend) {
        (Kind::Rule(rule), Some(backend)) => backend.convert(rule).queries.iter().map(String::len).sum(),
        _ => 1,
    };
    ids.par_iter().map(|id| parse(sources, *id).iter().map(one).sum::<usize>()).sum()
}

fn main() {
    let Some(root) = std::env::var_os("SIGCAST_CORPUS").map(PathBuf::from) else {
        println!(
            "skipped: SIGCAST_CORPUS does not name the folder with `sigmahq/rules`, so there is nothing to measure"
        );
        return;
    };
    let sources = corpus(&root);
    assert!(!sources.is_empty(), "no rule in {}/sigmahq/rules", root.display());
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut group = criterion.benchmark_group("corpus");
    group.throughput(Throughput::Elements(sources.len() as u64));
    group.bench_function("parse", |bencher| bencher.iter(|| black_box(convert(&sources, None))));
    for target in TARGETS {
        let backend = Backend::new(target, Settings::default());
        group.bench_function(target.name, |bencher| bencher.iter(|| black_box(convert(&sources, Some(&backend)))));
    }
    group.finish();
    criterion.final_summary();
}
