//! What every target makes of every sample rule: `snapshots/<target>/<rule>.snap`.
//!
//! Invariant: a snapshot shows the rule above its queries (or the refusal), so that a review needs one file.
//! `SIGCAST_SNAPSHOT_TARGETS=lucene,kusto` restricts a run to some targets; `INSTA_UPDATE=always` writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Conversion, TARGETS, Target};
use sigcast_diagnostics::{Diagnostic, Severity, SourceMap, render};
use sigcast_formats::Templates;
use sigcast_frontend::{Document, Kind};
use sigcast_ir::Rule;

#[test]
fn sample_rules() {
    let only = std::env::var("SIGCAST_SNAPSHOT_TARGETS").unwrap_or_default();
    let targets: Vec<&'static Target> = TARGETS
        .iter()
        .copied()
        .filter(|target| only.is_empty() || only.split(',').any(|name| name == target.name))
        .collect();
    assert!(!targets.is_empty(), "no target is named `{only}`");
    let templates = Templates::builtin();
    insta::glob!("../../../rules", "**/*.{yml,yaml}", |path| {
        if path.starts_with(rules().join("bad")) {
            return;
        }
        let sample = Sample::read(path);
        for target in &targets {
            let shown = sample.shown(target, &templates);
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path(format!("../../../snapshots/{}", target.name));
            settings.remove_snapshot_suffix();
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.bind(|| insta::assert_snapshot!(stem(path), shown));
        }
    });
}

/// Sample rules whose formats are shown: one with everything that describes a rule, one with two queries, one with awkward
/// signs, a count of events and one of values.
const SHOWN: [&str; 5] = [
    "renamed_remote_execution_tool",
    "two_questions_one_rule",
    "shell_signs_in_arguments",
    "brute_force_of_one_account",
    "password_spray_from_one_address",
];

/// What formats beside a target's first one make of a few sample rules: `snapshots/<target>/<format>/<rule>.snap`.
#[test]
fn formats_of_sample_rules() {
    let templates = Templates::builtin();
    insta::glob!("../../../rules", "**/*.{yml,yaml}", |path| {
        if !SHOWN.contains(&stem(path).as_str()) {
            return;
        }
        let sample = Sample::read(path);
        for target in TARGETS.iter().copied().filter(|target| target.name != "watcher") {
            for format in target.formats.iter().filter(|format| !format.plain) {
                let mut settings = insta::Settings::clone_current();
                settings.set_snapshot_path(format!("../../../snapshots/{}/{}", target.name, format.name));
                settings.remove_snapshot_suffix();
                settings.set_prepend_module_to_snapshot(false);
                settings.set_omit_expression(true);
                settings.bind(|| insta::assert_snapshot!(stem(path), sample.formatted(target, format, &templates)));
            }
        }
    });
}

#[test]
fn names_of_rules_are_distinct() {
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in files(&rules()).into_iter().filter(|path| is_rule(path) && !path.starts_with(rules().join("bad"))) {
        if let Some(other) = seen.insert(stem(&path), path.clone()) {
            panic!("one snapshot for two rules: {} and {}", path.display(), other.display());
        }
    }
    assert!(seen.len() >= 40, "only {} sample rules were found", seen.len());
}

#[test]
fn no_snapshot_outlives_its_rule() {
    let known: BTreeSet<String> = files(&rules()).iter().filter(|path| is_rule(path)).map(|path| stem(path)).collect();
    let snapshots = root().join("snapshots");
    for target in TARGETS {
        for path in files(&snapshots.join(target.name)) {
            assert!(known.contains(&stem(&path)), "{} has no rule any more", path.display());
        }
    }
}

/// A rule file with its documents as text, ready to be shown for any target.
struct Sample {
    sources: SourceMap,
    id: sigcast_diagnostics::SourceId,
    /// The bytes that the text does not show.
    marks: Vec<&'static str>,
}

impl Sample {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("sample rules are UTF-8");
        let mut marks = Vec::new();
        if text.starts_with('\u{feff}') {
            marks.push("begins with a byte order mark");
        }
        if text.contains("\r\n") {
            marks.push("line ends: CR LF");
        }
        let name = path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let mut sources = SourceMap::new();
        let id = sources.add(name, text);
        Self { sources, id, marks }
    }

    fn shown(&self, target: &'static Target, templates: &Templates) -> String {
        let backend = Backend::new(target, Settings::default());
        let mut out = self.sources.get(self.id).text().replace("\r\n", "\n");
        for mark in &self.marks {
            let _ = writeln!(out, "# ({mark})");
        }
        let mut documents = sigcast_frontend::parse(&self.sources, self.id);
        sigcast_frontend::link(&mut documents.iter_mut().collect::<Vec<_>>());
        for document in documents {
            let title = document.title.as_deref().unwrap_or("without a title");
            let _ = writeln!(out, "\n======== {}, document {}: {}", target.name, document.number, visible(title));
            self.document(&mut out, &document, &backend, templates);
        }
        out
    }

    /// What a format makes of the rules, with the options that it needs.
    fn formatted(&self, target: &'static Target, format: &sigcast_backends::Format, templates: &Templates) -> String {
        let mut settings = Settings::default();
        for (key, value) in [("index", "logs-*"), ("data_view", "view-1"), ("recipient", "soc@example.org")] {
            if target.options.contains(&key) {
                sigcast_backends::options::option(key).expect("known").set(&mut settings, value).expect("a value");
            }
        }
        // One of Defender's, which both of Microsoft's products take.
        settings.table = (target.name == "kusto").then(|| "DeviceEvents".to_owned());
        let backend = Backend::new(target, settings).for_format(format);
        let mut naming = sigcast_formats::Naming::default();
        let mut documents = sigcast_frontend::parse(&self.sources, self.id);
        sigcast_frontend::link(&mut documents.iter_mut().collect::<Vec<_>>());
        let described: Vec<_> = documents
            .iter()
            .filter_map(|document| match &document.kind {
                Kind::Rule(rule) => Some((rule.as_ref().clone(), backend.convert(rule))),
                Kind::Correlation(correlation) => Some((correlation.described(), backend.correlate(correlation))),
                _ => None,
            })
            .collect();
        let mut out = String::new();
        for (rule, conversion) in &described {
            let place = naming.assign(&backend.settings, rule);
            let settings = backend.settings_for(rule, &mut Vec::new()).into_owned();
            if conversion.queries.is_empty() {
                out.push_str("no output: refused\n");
                continue;
            }
            match templates.render_parts(target, format, rule, &conversion.queries, &settings, &place) {
                Ok(texts) => out.push_str(&texts.concat()),
                Err(fault) => out.push_str(&format!("no output: {fault}\n")),
            }
        }
        out.lines().map(|line| visible(line) + "\n").collect()
    }

    fn document(&self, out: &mut String, document: &Document<'_>, backend: &Backend, templates: &Templates) {
        match &document.kind {
            Kind::Rule(rule) => {
                self.converted(out, document, &backend.convert(rule), rule, backend, templates);
            }
            Kind::Correlation(correlation) => {
                let described = correlation.described();
                self.converted(out, document, &backend.correlate(correlation), &described, backend, templates);
            }
            Kind::Invalid => panic!("{} is invalid: {:?}", self.sources.get(self.id).name(), document.diagnostics),
            Kind::Refused => {
                out.push_str("status: refused\n");
                self.diagnostics(out, &document.diagnostics);
            }
            Kind::Skipped | Kind::Filter(_) | Kind::Unlinked(_) => {
                out.push_str("status: skipped\n");
                self.diagnostics(out, &document.diagnostics);
            }
        }
    }

    fn converted(
        &self,
        out: &mut String,
        document: &Document<'_>,
        conversion: &Conversion,
        rule: &Rule<'_>,
        backend: &Backend,
        templates: &Templates,
    ) {
        let _ = writeln!(out, "status: {}", conversion.status.as_str());
        queries(out, conversion, rule, backend, templates);
        if !conversion.assumptions.is_empty() {
            let codes: Vec<&str> = conversion.assumptions.iter().map(|code| code.as_str()).collect();
            let _ = writeln!(out, "\nassumptions: {}", codes.join(", "));
        }
        self.diagnostics(out, document.diagnostics.iter().chain(&conversion.diagnostics));
    }

    fn diagnostics<'d>(&self, out: &mut String, found: impl IntoIterator<Item = &'d Diagnostic>) {
        for (at, diagnostic) in found.into_iter().enumerate() {
            let row = render::row(diagnostic, &self.sources);
            let kind = match diagnostic.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let place = match (row.line, row.column) {
                (Some(line), Some(column)) => format!(" at {line}:{column}"),
                _ => String::new(),
            };
            let gap = if at == 0 { "\n" } else { "" };
            let _ = writeln!(out, "{gap}{kind}[{}]{place}: {}", row.code, visible(&row.message));
        }
    }
}

/// The queries as they are, and what the target's default format makes of them, unless it is the plain query.
fn queries(out: &mut String, conversion: &Conversion, rule: &Rule<'_>, backend: &Backend, templates: &Templates) {
    for query in &conversion.queries {
        // The query of a correlation has lines, which are its own: no value has a line break as it is.
        let lines: Vec<String> = match rule.conditions.is_empty() {
            true => query.lines().map(visible).collect(),
            false => vec![visible(query)],
        };
        let _ = writeln!(out, "\n{}", lines.join("\n"));
    }
    let Some(format) = backend.target.formats.first().filter(|format| !format.plain) else { return };
    if conversion.queries.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n-------- format {}", format.name);
    match templates.render(backend.target, format, rule, &conversion.queries, &backend.settings) {
        Ok(text) => out.push_str(&text.lines().map(|line| visible(line) + "\n").collect::<String>()),
        Err(error) => {
            let _ = writeln!(out, "no output: {error}");
        }
    }
}

/// The text with every character that a reader would not see, or not at its place, spelled out.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden =
            c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if hidden {
            let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there")
}

fn rules() -> PathBuf {
    root().join("rules")
}

fn is_rule(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Every file below a folder, in no order; none if the folder is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() { files(&path) } else { vec![path] }
        })
        .collect()
}
