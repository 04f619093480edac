//! Every rule of a corpus parses. The corpus is the folder that `SIGCAST_CORPUS` names, with `sigmahq/rules` in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sigcast_diagnostics::{Severity, SourceMap, render};
use sigcast_frontend::{Kind, parse};
use sigcast_testing::{corpus, files};

fn rules() -> Option<Vec<PathBuf>> {
    let paths = files(&corpus("sigmahq/rules")?, &["yml", "yaml"]);
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
