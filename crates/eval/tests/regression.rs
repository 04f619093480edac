//! Real Windows events match the rules that were written for them. The corpus is the folder that `SIGCAST_CORPUS` names,
//! with `sigmahq/rules` and `regression` in it.

use std::collections::HashMap;

use serde_json::Value;
use sigcast_eval::{RuleMatcher, flatten_windows};
use sigcast_frontend::{Kind, parse};
use sigcast_testing::{corpus, files, sources};

/// Events that lie in a rule's recording beside the one it is about, and that the rule must not match: the rule's id, the
/// event's number from 1, and why.
const BYSTANDERS: &[(&str, usize, &str)] = &[
    ("4fe074b4-b833-4081-8f24-7dcfeca72b42", 1, "the shell (cmd.exe) that starts findstr.exe"),
    ("4fe074b4-b833-4081-8f24-7dcfeca72b42", 2, "tasklist.exe, at the other end of the pipe"),
    ("8fbf3271-1ef6-4e94-8210-03c2317947f6", 2, "the stream `procdump64.exe:Zone.Identifier`, which no value ends in"),
    ("8fbf3271-1ef6-4e94-8210-03c2317947f6", 4, "the stream of procdump64a.exe"),
    ("8fbf3271-1ef6-4e94-8210-03c2317947f6", 6, "the stream of procdump.exe"),
];

#[test]
fn every_event_matches_its_rule_but_bystanders() {
    let Some(corpus) = corpus("") else { return };
    let sources = sources(&corpus.join("sigmahq/rules"));
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
    let paths = files(&corpus.join("regression"), &["json"]);
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
