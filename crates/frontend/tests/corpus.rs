//! Every rule of a corpus parses. The corpus is the folder that `SIGCAST_CORPUS` names, with `sigmahq/rules` in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sigcast_diagnostics::{Severity, SourceMap, render};
use sigcast_frontend::{Kind, parse};

fn rules() -> Option<Vec<PathBuf>> {
    let Some(corpus) = std::env::var_os("SIGCAST_CORPUS") else {
        println!("skipped: SIGCAST_CORPUS names no corpus");
        return None;
    };
    // Tests run in the folder of their crate; the variable is relative to the workspace.
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = workspace.join(corpus).join("sigmahq/rules");
    let is_rule = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
    let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(is_rule)
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "SIGCAST_CORPUS has no rules");
    Some(paths)
}

#[test]
fn every_rule_of_the_corpus_parses() {
    let Some(paths) = rules() else { return };
    let mut sources = SourceMap::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a readable rule");
        sources.add(path.display().to_string(), text);
    }
    let started = std::time::Instant::now();
    let parsed: Vec<_> = sources.iter().map(|(id, _)| parse(&sources, id)).collect();
    println!("{} files in {:?}", sources.len(), started.elapsed());
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut rules, mut others) = (0, 0);
    for document in parsed.iter().flatten() {
        let rule = matches!(document.kind, Kind::Rule(_));
        *if rule { &mut rules } else { &mut others } += 1;
        for diagnostic in &document.diagnostics {
            *codes.entry(diagnostic.code.as_str()).or_default() += 1;
            if !rule || diagnostic.severity() > Severity::Note {
                println!("{}\n", render::text(diagnostic, &sources, false));
            }
        }
    }
    println!("{rules} rules, {others} others, {codes:?}");
    assert_eq!(others, 0, "every document of the corpus is a rule");
}
