//! `info.yml`: tests as the public rule repository describes them.
//!
//! Format: SigmaHQ/sigma, `regression_data/README.md`. A `match_count` is the least number of events that match; without
//! it, one is enough. Sigcast takes 0 for "no event matches". EVTX files are not read: the `.json` beside each is.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::layout::{Problem, Spec, Wanted};
use crate::input;

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    rule_metadata: Vec<About>,
    #[serde(default)]
    regression_tests_info: Vec<Entry>,
}

#[derive(Deserialize)]
struct About {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    path: String,
    match_count: Option<u64>,
    #[serde(default)]
    pipelines: Vec<String>,
    #[serde(default)]
    filters: Vec<String>,
}

/// The ids of the rules that a file is about; none if it does not say, or cannot be read.
pub(super) fn rules(path: &Path) -> Vec<String> {
    let info = load(path).ok();
    info.into_iter().flat_map(|info| info.rule_metadata).filter_map(|about| about.id).collect()
}

/// The tests of a file; for what is wrong with it, one with that problem.
pub(super) fn specs(path: &Path, folder: &Path, id: Option<&str>) -> Vec<Spec> {
    let broken = |message: String| Spec::new("info.yml", path, Wanted::Some).with(Problem::Error(message));
    let info = match load(path) {
        Ok(info) => info,
        Err(message) => return vec![broken(message)],
    };
    let ids: Vec<&str> = info.rule_metadata.iter().filter_map(|about| about.id.as_deref()).collect();
    if let Some(id) = id.filter(|id| !ids.is_empty() && !ids.contains(id)) {
        return vec![broken(format!("its rule_metadata names the rule {}, and this is {id}", ids.join(", ")))];
    }
    if info.regression_tests_info.is_empty() {
        return vec![broken("it has no test under regression_tests_info".to_owned())];
    }
    let own = path.parent().unwrap_or(Path::new(""));
    info.regression_tests_info.into_iter().map(|entry| spec(entry, path, &[folder, own])).collect()
}

fn load(path: &Path) -> Result<Info, String> {
    let text = input::whole_text(path).map_err(|fault| fault.message)?;
    serde_yaml::from_str(&text).map_err(|fault| {
        let at = fault.location().map_or_else(String::new, |at| format!("{}:{}: ", at.line(), at.column()));
        let message = fault.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        format!("{}:{at}{message}", path.display())
    })
}

fn spec(entry: Entry, info: &Path, bases: &[&Path]) -> Spec {
    let wanted = match entry.match_count {
        Some(0) => Wanted::None,
        Some(count) => Wanted::AtLeast(count),
        None => Wanted::Some,
    };
    let name = entry.name.unwrap_or_default();
    let made = |path: PathBuf, pipelines, problem| Spec { name, path, wanted, pipelines, problem };
    let without = |problem| (info.to_owned(), Vec::new(), Some(problem));
    let (path, pipelines, problem) = match found(&entry.kind, &entry.path, bases) {
        Err(problem) => without(problem),
        Ok(_) if !entry.filters.is_empty() => {
            without(Problem::Skipped("it applies filters, which are not supported".to_owned()))
        }
        Ok(path) => {
            let pipelines: Vec<Option<PathBuf>> =
                entry.pipelines.iter().map(|pipeline| resolve(pipeline, bases)).collect();
            let missing = pipelines.iter().position(Option::is_none).and_then(|at| entry.pipelines.get(at));
            match missing {
                Some(missing) => without(Problem::Error(format!("there is no pipeline {missing}"))),
                None => (path, pipelines.into_iter().flatten().collect(), None),
            }
        }
    };
    made(path, pipelines, problem)
}

/// The file with the events that an entry names.
fn found(kind: &str, named: &str, bases: &[&Path]) -> Result<PathBuf, Problem> {
    match kind {
        "json" | "ndjson" | "jsonl" => {
            resolve(named, bases).ok_or_else(|| Problem::Error(format!("there is no file {named}")))
        }
        "evtx" => {
            let beside = Path::new(named).with_extension("json");
            match beside.to_str().and_then(|beside| resolve(beside, bases)) {
                Some(path) => Ok(path),
                None if resolve(named, bases).is_some() => Err(Problem::Skipped(format!(
                    "EVTX files are not read, and no file with the events as JSON lies beside {named}"
                ))),
                None => Err(Problem::Error(format!("there is neither {named} nor {}", beside.display()))),
            }
        }
        other => Err(Problem::Skipped(format!("tests of the type `{other}` are not known: evtx, json, jsonl, ndjson"))),
    }
}

/// The file that a relative path names: it is looked for from each of these directories, and from those above it. Last, a
/// file of the same name in the directories themselves.
pub(super) fn resolve(named: &str, bases: &[&Path]) -> Option<PathBuf> {
    let named = named.replace('\\', "/");
    for base in bases {
        let plain = base.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let Ok(whole) = std::path::absolute(base) else { continue };
        for (up, above) in whole.ancestors().enumerate() {
            // As typed as far as that leads upwards, so that messages stay short.
            let typed = base.ancestors().nth(up).filter(|_| plain || up == 0);
            let candidate = typed.unwrap_or(above).join(&named);
            if candidate.is_file() {
                return Some(candidate);
            }
        }
    }
    let name = Path::new(&named).file_name()?;
    bases.iter().map(|base| base.join(name)).find(|path| path.is_file())
}
