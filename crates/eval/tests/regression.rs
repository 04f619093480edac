//! Real Windows events match the rules that were written for them. The corpus is the folder that `SIGCAST_CORPUS` names,
//! with `sigmahq/rules` and `regression` in it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sigcast_diagnostics::SourceMap;
use sigcast_eval::{RuleMatcher, flatten_windows};
use sigcast_frontend::{Kind, parse};

/// Events that lie in a rule's recording beside the one it is about, and that the rule must not match: the rule's id, the
/// event's number from 1, and why.
const BYSTANDERS: &[(&str, usize, &str)] = &[
    ("4fe074b4-b833-4081-8f24-7dcfeca72b42", 1, "the shell (cmd.exe) that starts findstr.exe"),
    ("4fe074b4-b833-4081-8f24-7dcfeca72b42", 2, "tasklist.exe, at the other end of the pipe"),
    ("8fbf3271-1ef6-4e94-8210-03c2317947f6", 2, "the stream `procdump64.exe:Zone.Identifier`, which no value ends in"),
    ("8fbf3271-1ef6-4e94-8210-03c2317947f6", 4, "the stream of procdump64a.exe"),
    ("8fbf3271-1ef6-4e94-8210-03c2317947f6", 6, "the stream of procdump.exe"),
];

/// Every file under a folder with this extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_event_matches_its_rule_but_bystanders() {
    let Some(corpus) = std::env::var_os("SIGCAST_CORPUS") else {
        println!("skipped: SIGCAST_CORPUS names no corpus");
        return;
    };
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(corpus);
    let mut sources = SourceMap::new();
    for path in files(&corpus.join("sigmahq/rules"), "yml") {
        sources.add(path.display().to_string(), std::fs::read_to_string(&path).expect("a rule"));
    }
    let mut matchers: HashMap<String, RuleMatcher> = HashMap::new();
    for (id, source) in sources.iter() {
        for document in parse(&sources, id) {
            if let (Some(id), Kind::Rule(rule)) = (document.id, document.kind) {
                let matcher = RuleMatcher::new(&rule).unwrap_or_else(|error| panic!("{}: {error}", source.name()));
                matchers.insert(id.into_owned(), matcher);
            }
        }
    }
    let (mut events, mut faults) = (0, Vec::new());
    let paths = files(&corpus.join("regression"), "json");
    for path in &paths {
        let id = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let Some(matcher) = matchers.get(id) else {
            faults.push(format!("{id}: no such rule"));
            continue;
        };
        let text = std::fs::read_to_string(path).expect("events");
        for (number, event) in serde_json::Deserializer::from_str(&text).into_iter::<Value>().enumerate() {
            let event = event.expect("JSON");
            events += 1;
            let bystander = BYSTANDERS.iter().any(|(rule, at, _)| *rule == id && *at == number + 1);
            if matcher.matches(&flatten_windows(&event)) != Ok(!bystander) {
                faults.push(format!("{id}, event {}", number + 1));
            }
        }
    }
    println!("{} rules, {} files, {events} events", matchers.len(), paths.len());
    assert!(events > 0, "no event was asked");
    assert!(faults.is_empty(), "{} events are taken wrongly:\n{}", faults.len(), faults.join("\n"));
}
