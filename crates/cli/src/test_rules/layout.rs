//! Where the tests of a rule lie.
//!
//! Formats: `RULE.match.jsonl` and `RULE.nomatch.jsonl` are sigcast's own; `info.yml` with `regression_tests_info` is that
//! of the public rule repository (SigmaHQ/sigma, `regression_data/README.md`).
//!
//! Invariant: everything found is in the order of the paths. What is named and is not there is a problem of that test.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use sigcast_ir::{Attribute, Meta};
use walkdir::WalkDir;

use super::info;

/// How deep directories of tests are looked into.
const MAX_DEPTH: usize = 32;

/// The endings of files with events.
const ENDINGS: [&str; 3] = ["jsonl", "ndjson", "json"];

/// What a test expects of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Each matches; each is a case of its own.
    Match,
    /// None matches; each is a case of its own.
    NoMatch,
    /// One of them matches, or more: one case.
    Some,
    /// So many of them match, or more: one case.
    AtLeast(u64),
    /// None of them matches: one case.
    None,
}

/// Why a test cannot be run.
#[derive(Debug, Clone)]
pub(super) enum Problem {
    /// Something is wrong with it.
    Error(String),
    /// It needs what sigcast does not have.
    Skipped(String),
}

/// A test of a rule.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    /// Its name; empty if its events have no name but their number.
    pub(super) name: String,
    /// The file with the events, or the one in which the problem is.
    pub(super) path: PathBuf,
    pub(super) wanted: Wanted,
    /// Pipelines of this test only, by path.
    pub(super) pipelines: Vec<PathBuf>,
    pub(super) problem: Option<Problem>,
}

impl Spec {
    /// A test without pipelines of its own.
    pub(super) fn new(name: &str, path: impl Into<PathBuf>, wanted: Wanted) -> Self {
        Self { name: name.to_owned(), path: path.into(), wanted, pipelines: Vec::new(), problem: None }
    }

    /// The same with a problem.
    pub(super) fn with(self, problem: Problem) -> Self {
        Self { problem: Some(problem), ..self }
    }
}

/// A rule as tests know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// The file.
    pub(super) path: &'a Path,
    /// The directory of the command line that it was found in.
    pub(super) root: &'a Path,
    /// Whether it is the only rule in its file.
    pub(super) alone: bool,
    pub(super) id: Option<&'a str>,
    /// What describes it, if it is no wrong one.
    pub(super) meta: Option<&'a Meta<'a>>,
    /// Whether a correlation has used it up. Then its file's name is not one for it, unless it is alone there.
    pub(super) used: bool,
    /// Whether it is a rule, right or wrong.
    pub(super) asked: bool,
}

impl Known<'_> {
    fn stem(&self) -> Option<&str> {
        self.path.file_stem().and_then(|stem| stem.to_str())
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

/// A directory that `--tests` names.
#[derive(Debug)]
struct Tree {
    root: PathBuf,
    /// Each `info.yml` that names no rule, by its directory.
    nameless: BTreeSet<PathBuf>,
}

/// Finds tests.
#[derive(Debug, Default)]
pub(super) struct Finder {
    trees: Vec<Tree>,
    /// Files `RULE.match.jsonl` and the like by directory, with RULE and what it says of the events.
    named: HashMap<PathBuf, BTreeMap<String, Vec<(PathBuf, Wanted)>>>,
    /// Files of `--tests` by the id of their rule.
    by_id: BTreeMap<String, Vec<PathBuf>>,
}

/// RULE and what a file of this name says of the events.
fn parts(name: &str) -> Option<(&str, Wanted)> {
    let (stem, ending) = name.rsplit_once('.')?;
    let (rule, word) = stem.rsplit_once('.')?;
    let wanted = match word {
        "match" => Wanted::Match,
        "nomatch" => Wanted::NoMatch,
        _ => return None,
    };
    (ENDINGS.contains(&ending) && !rule.is_empty()).then_some((rule, wanted))
}

impl Finder {
    /// Looks through the directories that may hold tests: those beside rules (`folders`), and `trees`.
    pub(super) fn new(folders: &BTreeSet<PathBuf>, trees: &[PathBuf]) -> Self {
        let mut finder = Self::default();
        for folder in folders {
            finder.list(folder);
            finder.list(&folder.join("tests"));
        }
        for root in trees {
            finder.tree(root);
        }
        finder
    }

    /// The named files of one directory. One that is not there has none.
    fn list(&mut self, folder: &Path) {
        if self.named.contains_key(folder) {
            return;
        }
        let Ok(entries) = std::fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }) else {
            return;
        };
        let mut found: BTreeMap<String, Vec<(PathBuf, Wanted)>> = BTreeMap::new();
        for entry in entries.flatten() {
            let name = entry.file_name();
            if let Some((rule, wanted)) = name.to_str().and_then(parts) {
                found.entry(rule.to_owned()).or_default().push((folder.join(&name), wanted));
            }
        }
        found.values_mut().for_each(|files| files.sort_by(|a, b| a.0.cmp(&b.0)));
        self.named.insert(folder.to_owned(), found);
    }

    fn tree(&mut self, root: &Path) {
        let mut tree = Tree { root: root.to_owned(), nameless: BTreeSet::new() };
        let walk = WalkDir::new(root).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name();
        let mut jsons = Vec::new();
        let mut described: BTreeSet<PathBuf> = BTreeSet::new();
        for entry in walk.into_iter().flatten() {
            let path = entry.path();
            if entry.file_type().is_dir() {
                self.list(path);
                continue;
            }
            let folder = path.parent().unwrap_or(root);
            if entry.file_name() == "info.yml" {
                described.insert(folder.to_owned());
                let ids = info::rules(path);
                if ids.is_empty() {
                    tree.nameless.insert(folder.to_owned());
                }
                for id in ids {
                    self.by_id.entry(id).or_default().push(path.to_owned());
                }
            } else if ENDINGS.iter().any(|ending| path.extension().is_some_and(|found| found == *ending)) {
                jsons.push(path.to_owned());
            }
        }
        for path in jsons.into_iter().filter(|path| path.parent().is_none_or(|folder| !described.contains(folder))) {
            if let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| is_id(stem)) {
                self.by_id.entry(stem.to_owned()).or_default().push(path.clone());
            }
        }
        self.trees.push(tree);
    }

    /// The tests of a rule.
    pub(super) fn find(&self, known: &Known<'_>) -> Vec<Spec> {
        if !known.asked {
            return Vec::new();
        }
        let mut specs = self.files(known);
        let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
        let named = known.meta.and_then(named_path);
        let resolved = named.and_then(|named| info::resolve(named, &[known.folder()]));
        for path in resolved.iter().cloned().chain(self.descriptions(known)) {
            if !seen.insert(std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
                continue;
            }
            if path.file_name().is_some_and(|name| name == "info.yml") || is_yaml(&path) {
                specs.extend(info::specs(&path, known.folder(), known.id));
            } else {
                specs.push(Spec::new("", path, Wanted::Some));
            }
        }
        match named {
            // Tests that were found elsewhere stand for those that the rule names.
            Some(named) if resolved.is_none() && specs.is_empty() => specs.push(missing(named, known)),
            _ => {}
        }
        specs
    }

    /// Tests by the names of files.
    fn files(&self, known: &Known<'_>) -> Vec<Spec> {
        let mut specs: Vec<Spec> = Vec::new();
        let mut seen = BTreeSet::new();
        for folder in self.folders(known) {
            let Some(named) = self.named.get(&folder) else { continue };
            for name in names(known) {
                for (path, wanted) in named.get(name).into_iter().flatten() {
                    if !seen.insert(path.clone()) {
                        continue;
                    }
                    let ambiguous = !known.alone && known.stem() == Some(name);
                    let mut spec = Spec::new("", path, *wanted);
                    if ambiguous {
                        let file = known.path.display();
                        spec = spec.with(Problem::Error(format!(
                            "{file} has several rules: the file of events is named by the id or the name of one of them"
                        )));
                    }
                    specs.push(spec);
                }
            }
        }
        specs
    }

    /// Where files of events of a rule may lie.
    fn folders(&self, known: &Known<'_>) -> Vec<PathBuf> {
        let folder = known.folder();
        let mut all = vec![folder.to_owned(), folder.join("tests")];
        let inner = folder.strip_prefix(known.root).unwrap_or(Path::new(""));
        for tree in &self.trees {
            all.push(tree.root.join(inner));
            all.push(tree.root.clone());
        }
        // `strip_prefix` and `join` leave `a/` and `a` as they are; they name one directory.
        let mut seen = BTreeSet::new();
        all.into_iter()
            .map(|path| path.components().collect::<PathBuf>())
            .filter(|path| seen.insert(path.clone()))
            .collect()
    }

    /// The files `info.yml`, and those named by an id.
    fn descriptions(&self, known: &Known<'_>) -> Vec<PathBuf> {
        let mut found = Vec::new();
        if let Some(stem) = known.stem() {
            let folder = known.folder();
            for path in [folder.join(stem).join("info.yml"), folder.join("tests").join(stem).join("info.yml")] {
                if path.is_file() {
                    found.push(path);
                }
            }
            let inner = folder.strip_prefix(known.root).unwrap_or(Path::new(""));
            for tree in &self.trees {
                let own = tree.root.join(inner).join(stem);
                if tree.nameless.contains(&own) {
                    found.push(own.join("info.yml"));
                }
            }
        }
        found.extend(known.id.and_then(|id| self.by_id.get(id)).into_iter().flatten().cloned());
        found
    }

    /// Files of events under `roots` whose names no rule of the run has, in order.
    pub(super) fn strays(&self, roots: &[&Path], used: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
        let files = self.named.values().flat_map(BTreeMap::values).flatten().map(|(path, _)| path);
        let mut strays: Vec<PathBuf> = files
            .filter(|path| !used.contains(*path) && roots.iter().any(|root| path.starts_with(root)))
            .cloned()
            .collect();
        strays.sort();
        strays
    }
}

/// The names by which files may call a rule.
fn names<'k>(known: &'k Known<'_>) -> Vec<&'k str> {
    let name = known.meta.and_then(|meta| meta.name.as_deref());
    let stem = known.stem().filter(|_| known.alone || !known.used);
    let mut all: Vec<&str> = [stem, known.id, name].into_iter().flatten().collect();
    all.dedup();
    all
}

/// The value of `regression_tests_path`.
fn named_path<'r>(meta: &'r Meta<'_>) -> Option<&'r str> {
    meta.custom.iter().find_map(|(key, value)| match value {
        Attribute::Text(path) if key == "regression_tests_path" => Some(path.as_ref()),
        _ => None,
    })
}

/// The tests that a rule names and that are not there. Where the whole tree of them is not, rules were copied without it.
fn missing(named: &str, known: &Known<'_>) -> Spec {
    let spec = Spec::new("regression_tests_path", known.path, Wanted::Some);
    let tree = Path::new(named).components().find_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    let whole = std::path::absolute(known.folder()).unwrap_or_default();
    if tree.is_some_and(|tree| whole.ancestors().any(|above| above.join(tree).is_dir())) {
        return spec.with(Problem::Error(format!("there is no file {named}")));
    }
    let tree = tree.map(|tree| tree.to_string_lossy()).unwrap_or_default();
    spec.with(Problem::Skipped(format!("{named} is not here: no directory above the rule has {tree}")))
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|found| found == "yml" || found == "yaml")
}

/// Whether a text looks like the id of a rule: a UUID.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
