//! `sigcast.yml`: what it may say, read into types.
//!
//! Invariant: a configuration that was read is right as far as it can be without reading rules: every word is known, every
//! pipeline, schema and template it names is there, and no two outputs have one name.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use sigcast_diagnostics::{Code, SourceMap, Span, render};
use sigcast_frontend::part::{Part, Yaml};
use sigcast_pipeline::{builtin, builtins};

use super::output::Outputs;
use super::pattern::{Pattern, check_path};
use super::reader::{Reader, Word};
use crate::exit::Fault;
use crate::input;
use crate::plan::{self, Job};
use crate::select::Selection;
use crate::terminal::Terminal;

/// The keys of the file.
pub(crate) const KEYS: &[&str] = &[
    "rules",
    "filters",
    "pipelines",
    "options",
    "schema",
    "select",
    "templates",
    "manifest",
    "queries_in_manifest",
    "baseline",
    "strict",
    "deny_assumption",
    "outputs",
];

/// The keys of a selection.
const SELECT: &[&str] = &["level", "status", "tag", "logsource", "path"];

/// What the file says.
#[derive(Debug)]
pub(crate) struct Config {
    /// The folder of the file; empty for the current one.
    pub(crate) base: PathBuf,
    /// Where rules lie, each behind `base`.
    pub(crate) rules: Vec<PathBuf>,
    /// Where filters lie, likewise.
    pub(crate) filters: Vec<PathBuf>,
    /// Every pipeline that an output names, once: a built-in name, or a path behind `base`.
    pub(crate) pipelines: Vec<String>,
    /// A folder with templates.
    pub(crate) templates: Option<PathBuf>,
    /// Where the manifest lies, relative to the folder that is written to.
    pub(crate) manifest: String,
    /// Whether the manifest holds the queries, not only their hashes.
    pub(crate) queries: bool,
    /// The refusals that are known.
    pub(crate) baseline: Option<PathBuf>,
    /// Whether approximate queries fail the run.
    pub(crate) strict: bool,
    /// Assumptions that refuse a rule.
    pub(crate) denied: Vec<Code>,
    /// The targets with their options, one for each of `outputs`.
    pub(crate) jobs: Vec<Job>,
    /// What is written.
    pub(crate) outputs: Vec<Output>,
}

/// One output: a target in a format, for some of the rules, written to some place.
#[derive(Debug)]
pub(crate) struct Output {
    /// Its name, which no other has.
    pub(crate) name: String,
    /// The numbers of its pipelines in [`Config::pipelines`].
    pub(crate) pipelines: Vec<usize>,
    /// The file of its schema.
    pub(crate) schema: Option<PathBuf>,
    /// Which rules.
    pub(crate) selection: Selection,
    /// Which files of rules.
    pub(crate) paths: PathFilter,
    /// Where it is written.
    pub(crate) place: Place,
    /// Whether a comment stands before each query.
    pub(crate) header: bool,
}

/// Where an output is written.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// One file a rule.
    Each(Pattern),
    /// One file for all.
    One(Pattern),
}

/// Which files of rules an output takes.
#[derive(Debug, Clone)]
pub(crate) struct PathFilter {
    /// One of these, if there is any.
    with: Option<GlobSet>,
    /// None of these.
    without: GlobSet,
}

impl PathFilter {
    /// The filter that words spell: patterns, those behind `!` for files that are left out.
    fn new(words: &[Word], reader: &mut Reader) -> Self {
        let (mut with, mut without) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let mut any = false;
        for word in words {
            let (builder, text) = match word.text.strip_prefix('!') {
                Some(text) => (&mut without, text),
                None => {
                    any = true;
                    (&mut with, word.text.as_str())
                }
            };
            let text = text.trim_start_matches("./").trim_end_matches('/');
            // A folder stands for everything in it.
            for text in [text.to_owned(), format!("{text}/**")] {
                match GlobBuilder::new(&text).literal_separator(true).backslash_escape(false).build() {
                    Ok(glob) => {
                        builder.add(glob);
                    }
                    Err(why) => reader.fault(word.span, format!("`path` has no right pattern: {}", why.kind())),
                }
            }
        }
        let built = |builder: &GlobSetBuilder| builder.build().unwrap_or_else(|_| GlobSet::empty());
        Self { with: any.then(|| built(&with)), without: built(&without) }
    }

    /// Whether a path, relative to the configuration's folder and with `/` between its parts, is taken.
    pub(crate) fn takes(&self, path: &str) -> bool {
        self.with.as_ref().is_none_or(|with| with.is_match(path)) && !self.without.is_match(path)
    }
}

impl Config {
    /// Reads a configuration. Every fault is shown at its place.
    ///
    /// # Errors
    /// A file that cannot be read; one that says what is not known.
    pub(crate) fn load(path: &Path, terminal: &Terminal) -> Result<Self, Fault> {
        let text = input::whole_text(path).map_err(|fault| {
            if path.exists() { fault } else { fault.help("`sigcast init` writes a file to start from") }
        })?;
        let mut sources = SourceMap::new();
        let id = sources.add(path.display().to_string(), text);
        let mut reader = Reader::default();
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        let found = match Yaml::load(&sources, id) {
            Ok(yaml) => read(&yaml.root(), base, &mut reader),
            Err(mut faults) => {
                reader.faults.append(&mut faults);
                None
            }
        };
        match found {
            Some(config) if reader.faults.is_empty() => Ok(config),
            _ => {
                let mut shown = Vec::new();
                for fault in reader.faults {
                    // What all outputs share is read for each of them.
                    if !shown.contains(&fault) {
                        terminal.say(&render::text(&fault, &sources, terminal.colour));
                        shown.push(fault);
                    }
                }
                let errors = if shown.len() == 1 { "1 error".to_owned() } else { format!("{} errors", shown.len()) };
                Err(Fault::usage(format!("{} is wrong: {errors} above", path.display())))
            }
        }
    }

    /// The path of a rule's file as the manifest has it: relative to the configuration's folder, `/` between its parts.
    pub(crate) fn relative(&self, path: &str) -> String {
        let path = Path::new(path);
        slashed(path.strip_prefix(&self.base).unwrap_or(path))
    }

    /// The parts of the path of a rule's file below the entry of `rules` that it was found by, without the extension.
    pub(crate) fn below(&self, path: &str) -> Vec<String> {
        let path = Path::new(path);
        let roots = self.rules.iter().filter_map(|root| path.strip_prefix(root).ok());
        let below = roots.min_by_key(|below| below.components().count()).unwrap_or(path);
        // An entry that is a file itself.
        let below = if below.as_os_str().is_empty() { path.file_name().map_or(path, Path::new) } else { below };
        let parts = below.with_extension("");
        parts.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    }
}

/// A path with `/` between its parts, and no `.` among them.
pub(crate) fn slashed(path: &Path) -> String {
    let parts = path.components().filter(|part| !matches!(part, std::path::Component::CurDir));
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/").replace("//", "/")
}

fn read(root: &Part<'_, '_>, base: PathBuf, reader: &mut Reader) -> Option<Config> {
    if !reader.map(root, "the file", KEYS) {
        return None;
    }
    let rules = folders(root, "rules", &base, reader);
    if root.get("rules").is_none() {
        let help = "`rules: [rules/]` reads every rule in a folder";
        reader.fault_with(root.head(), "`rules` is missing: where the rules lie is expected", help);
    }
    let filters = folders(root, "filters", &base, reader);
    let manifest = match reader.word(root, "manifest") {
        Some(word) => {
            if let Err(why) = check_path(&word.text) {
                reader.fault(word.span, format!("`manifest`: {why}"));
            }
            word.text
        }
        None => "sigcast-manifest.json".to_owned(),
    };
    let denied = reader.words(root, "deny_assumption").unwrap_or_default();
    let denied = denied.iter().filter_map(|word| reader.take(word.span, plan::assumption(&word.text))).collect();
    let mut config = Config {
        rules,
        filters,
        pipelines: Vec::new(),
        templates: reader.word(root, "templates").and_then(|word| existing(&word, "templates", &base, reader)),
        manifest,
        queries: reader.flag(root, "queries_in_manifest"),
        // It need not be there: `--write-baseline` writes it.
        baseline: reader.word(root, "baseline").map(|word| base.join(word.text)),
        strict: reader.flag(root, "strict"),
        denied,
        jobs: Vec::new(),
        outputs: Vec::new(),
        base,
    };
    Outputs::new(root, &mut config, reader).read();
    Some(config)
}

/// The paths of a key, behind the configuration's folder.
fn folders(root: &Part<'_, '_>, key: &str, base: &Path, reader: &mut Reader) -> Vec<PathBuf> {
    let words = reader.words(root, key).unwrap_or_default();
    if words.is_empty()
        && let Some(value) = root.get(key).filter(|_| key == "rules" && reader.faults.is_empty())
    {
        reader.fault(value.key_span(), "`rules` names nothing: files and directories are expected");
    }
    words.iter().filter_map(|word| existing(word, key, base, reader)).collect()
}

/// A path that has to be there.
pub(super) fn existing(word: &Word, key: &str, base: &Path, reader: &mut Reader) -> Option<PathBuf> {
    let path = base.join(&word.text);
    if path.exists() {
        return Some(path);
    }
    let help = "paths are relative to the folder of the configuration";
    reader.fault_with(word.span, format!("`{key}`: there is no {}", path.display()), help);
    None
}

/// A pipeline as it is read: a built-in name, or a path.
pub(super) fn pipeline(word: &Word, base: &Path, reader: &mut Reader) -> Option<String> {
    if builtin(&word.text).is_some() {
        return Some(word.text.clone());
    }
    let path = base.join(&word.text);
    if path.exists() {
        return Some(path.display().to_string());
    }
    let message = format!("`{}` is no built-in pipeline, file or directory", word.text);
    let fault = Fault::usage(message).near(&word.text, builtins().map(|found| found.name));
    reader.take::<()>(word.span, Err(fault.help("`sigcast list pipelines` shows those that are built in")));
    None
}

/// The selection of an output: its own keys, and those of the whole file that it does not have.
pub(super) fn selection(
    own: Option<&Part<'_, '_>>,
    common: Option<&Part<'_, '_>>,
    reader: &mut Reader,
) -> (Selection, PathFilter) {
    let given: Vec<&Part<'_, '_>> =
        own.into_iter().chain(common).filter(|part| reader.map(part, "`select`", SELECT)).collect();
    let mut selection = Selection::default();
    let holder = |key: &str| given.iter().find(|part| part.get(key).is_some()).copied();
    for key in ["level", "status", "tag"] {
        let Some(part) = holder(key) else { continue };
        for word in reader.words(part, key).unwrap_or_default() {
            let values: Vec<String> = word.text.split(',').map(str::to_owned).collect();
            let added = match key {
                "level" => selection.add_levels(&values),
                "status" => selection.add_statuses(&values),
                _ => {
                    selection.add_tags(&values);
                    Ok(())
                }
            };
            reader.take(word.span, added);
        }
    }
    if let Some(value) = holder("logsource").and_then(|part| part.get("logsource")) {
        for (text, place) in sources(&value, reader) {
            let added = selection.add_source(&text);
            reader.take(place, added);
        }
    }
    let paths = holder("path").and_then(|part| reader.words(part, "path")).unwrap_or_default();
    (selection, PathFilter::new(&paths, reader))
}

/// Log sources as `-logsource` takes them: from text, or from maps.
fn sources(value: &Part<'_, '_>, reader: &mut Reader) -> Vec<(String, Span)> {
    let parts: Vec<Part<'_, '_>> =
        if value.elements().next().is_some() { value.elements().collect() } else { vec![*value] };
    let mut found = Vec::new();
    for part in parts {
        if part.entries().next().is_some() {
            let pairs =
                part.entries().map(|(key, value)| format!("{key}={}", value.text().map_or("", |text| text.as_ref())));
            found.push((pairs.collect::<Vec<_>>().join(","), part.head()));
        } else {
            let words = reader.words_of(&part, "logsource");
            found.extend(words.into_iter().map(|word| (word.text, word.span)));
        }
    }
    found
}
