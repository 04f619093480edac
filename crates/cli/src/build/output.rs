//! The list `outputs` of the configuration: each entry becomes one output for each of its targets and formats.
//!
//! Invariant: what an entry does not say, the top of the file says for it: pipelines, schema and each key of `select` as
//! a whole, options one by one.

use std::path::PathBuf;

use sigcast_backends::{Backend, Target};
use sigcast_frontend::part::Part;

use super::config::{Config, Output, Place, existing, pipeline, selection};
use super::pattern::{PLACEHOLDERS, Pattern};
use super::reader::{Reader, Word};
use crate::exit::Fault;
use crate::plan::{self, Job, Options};

/// The keys of an output.
const KEYS: &[&str] =
    &["name", "target", "format", "pipelines", "options", "schema", "select", "output", "file", "header"];

/// Reads the outputs into a configuration.
pub(super) struct Outputs<'o, 'y, 'a> {
    root: &'o Part<'y, 'a>,
    config: &'o mut Config,
    reader: &'o mut Reader,
    /// The options of the whole file.
    options: Vec<Word>,
}

/// What an entry says of every target in it.
struct Entry<'o, 'y, 'a> {
    part: &'o Part<'y, 'a>,
    name: Option<Word>,
    targets: Vec<&'static Target>,
    formats: Vec<Option<Word>>,
    pipelines: Vec<usize>,
    schema: Option<PathBuf>,
    place: Place,
    header: bool,
}

impl<'o, 'y, 'a> Outputs<'o, 'y, 'a> {
    pub(super) fn new(root: &'o Part<'y, 'a>, config: &'o mut Config, reader: &'o mut Reader) -> Self {
        let options = root.get("options").map_or_else(Vec::new, |part| options(&part, reader));
        Self { root, config, reader, options }
    }

    /// Reads every entry.
    pub(super) fn read(mut self) {
        let parts: Vec<Part<'_, '_>> = self.root.get("outputs").iter().flat_map(Part::elements).collect();
        if parts.is_empty() {
            let place = self.root.get("outputs").map_or(self.root.head(), |part| part.key_span());
            let help = "such as\n  outputs:\n    - target: splunk\n      output: dist/{slug}.{ext}";
            self.reader.fault_with(place, "`outputs` is missing or empty: a list of outputs is expected", help);
            return;
        }
        let mut every: Vec<&'static Target> = Vec::new();
        for part in &parts {
            if let Some(entry) = self.entry(part) {
                every.extend(&entry.targets);
                self.expand(&entry);
            }
        }
        if self.reader.faults.is_empty() {
            self.every_option_is_known(&every);
        }
    }

    fn entry<'e>(&mut self, part: &'e Part<'y, 'a>) -> Option<Entry<'e, 'y, 'a>> {
        if !self.reader.map(part, "an output", KEYS) {
            return None;
        }
        let words = self.reader.words(part, "target").unwrap_or_default();
        if part.get("target").is_none() {
            let help = "`sigcast list targets` shows every target";
            self.reader.fault_with(part.head(), "`target` is missing in this output", help);
        }
        let mut targets: Vec<&'static Target> = Vec::new();
        for word in words {
            let found = plan::target(&word.text);
            if let Some(target) = self.reader.take(word.span, found)
                && !targets.iter().any(|known| known.name == target.name)
            {
                targets.push(target);
            }
        }
        let formats: Vec<Option<Word>> = match self.reader.words(part, "format") {
            Some(words) => words.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let place = self.place(part, &targets, formats.len())?;
        Some(Entry {
            part,
            name: self.reader.word(part, "name"),
            targets,
            formats,
            pipelines: self.pipelines(part),
            schema: self.schema(part),
            place,
            header: self.reader.flag(part, "header"),
        })
    }

    /// `output` or `file`.
    fn place(&mut self, part: &Part<'_, '_>, targets: &[&Target], formats: usize) -> Option<Place> {
        let (output, file) = (self.reader.word(part, "output"), self.reader.word(part, "file"));
        let (word, each) = match (output, file) {
            (Some(word), None) => (word, true),
            (None, Some(word)) => (word, false),
            (Some(_), Some(word)) => {
                self.reader.fault(word.span, "`output` and `file` stand side by side: one of them is expected");
                return None;
            }
            (None, None) if part.get("output").is_none() && part.get("file").is_none() => {
                let help = "`output: dist/{slug}.{ext}` writes one file a rule, `file: dist/all.{ext}` one for all";
                self.reader.fault_with(part.head(), "neither `output` nor `file` is in this output", help);
                return None;
            }
            (None, None) => return None,
        };
        let pattern = self.reader.take(word.span, Pattern::new(&word.text, each))?;
        let has = |names: &[&str]| names.iter().any(|name| pattern.has(name));
        if targets.len() > 1 && !has(&["target", "name"]) {
            let help = "{target} keeps them apart";
            self.reader.fault_with(word.span, format!("`{}`: several targets have one path", word.text), help);
        }
        if formats > 1 && !has(&["format", "ext", "name"]) {
            let help = "{format} keeps them apart";
            self.reader.fault_with(word.span, format!("`{}`: several formats have one path", word.text), help);
        }
        let of_rules: Vec<&str> = PLACEHOLDERS.iter().skip(4).map(|(name, _)| *name).collect();
        if each && !has(&of_rules) {
            let message = format!("`{}`: every rule has the same path", word.text);
            let help = "{slug} keeps rules apart; `file` writes one file for all";
            self.reader.fault_with(word.span, message, help);
        }
        Some(if each { Place::Each(pattern) } else { Place::One(pattern) })
    }

    fn pipelines(&mut self, part: &Part<'_, '_>) -> Vec<usize> {
        let own = self.reader.words(part, "pipelines");
        let words = match own {
            Some(words) => words,
            None => self.reader.words(self.root, "pipelines").unwrap_or_default(),
        };
        let mut numbers = Vec::new();
        for word in &words {
            let Some(name) = pipeline(word, &self.config.base, self.reader) else { continue };
            let known = &mut self.config.pipelines;
            let number = known.iter().position(|one| *one == name).unwrap_or_else(|| {
                known.push(name);
                known.len() - 1
            });
            numbers.push(number);
        }
        numbers
    }

    fn schema(&mut self, part: &Part<'_, '_>) -> Option<PathBuf> {
        let holder = if part.get("schema").is_some() { part } else { self.root };
        let word = self.reader.word(holder, "schema")?;
        existing(&word, "schema", &self.config.base, self.reader)
    }

    /// One output for each target and format.
    fn expand(&mut self, entry: &Entry<'_, '_, '_>) {
        let own = entry.part.get("options").map_or_else(Vec::new, |part| options(&part, self.reader));
        let Some(settings) = self.settings(&own, &entry.targets) else { return };
        let select = (entry.part.get("select"), self.root.get("select"));
        let (selection, paths) = selection(select.0.as_ref(), select.1.as_ref(), self.reader);
        for (target, (settings, given)) in entry.targets.iter().zip(settings) {
            for word in &entry.formats {
                let place = word.as_ref().map_or(entry.part.head(), |word| word.span);
                let found = plan::format(target, word.as_ref().map(|word| word.text.as_str()));
                let Some(format) = self.reader.take(place, found) else { continue };
                if entry.header && !format.plain {
                    let message = format!("`header` stands before plain queries, and `{}` is none", format.name);
                    self.reader.fault(entry.part.head(), message);
                }
                let name = self.name(entry, target, word.as_ref());
                let backend = Backend { target, settings: settings.clone(), given: given.clone() }.for_format(format);
                self.config.jobs.push(Job { backend, format, extension: format.extension.to_owned(), alone: false });
                self.config.outputs.push(Output {
                    name,
                    pipelines: entry.pipelines.clone(),
                    schema: entry.schema.clone(),
                    selection: selection.clone(),
                    paths: paths.clone(),
                    place: entry.place.clone(),
                    header: entry.header,
                });
            }
        }
    }

    /// The settings of each target: the options of the file, then those of the entry.
    fn settings(&mut self, own: &[Word], targets: &[&'static Target]) -> Option<Vec<Options>> {
        let mut all = vec![Options::default(); targets.len()];
        for option in &self.options {
            // What none of these targets knows may be for those of another output.
            let _ = plan::set_options(&mut all, std::slice::from_ref(&option.text), targets);
        }
        for option in own {
            let set = plan::set_options(&mut all, std::slice::from_ref(&option.text), targets);
            self.reader.take(option.span, set);
        }
        (!targets.is_empty()).then_some(all)
    }

    /// Options of the whole file that no target knows, or whose values are wrong.
    fn every_option_is_known(&mut self, targets: &[&'static Target]) {
        let mut each: Vec<&'static Target> = Vec::new();
        for target in targets {
            if !each.iter().any(|known| known.name == target.name) {
                each.push(target);
            }
        }
        for option in &self.options {
            let mut all = vec![Options::default(); each.len()];
            let set = plan::set_options(&mut all, std::slice::from_ref(&option.text), &each);
            self.reader.take(option.span, set);
        }
    }

    /// The name of an output, which no other has.
    fn name(&mut self, entry: &Entry<'_, '_, '_>, target: &Target, format: Option<&Word>) -> String {
        let mut parts = Vec::new();
        if let Some(name) = &entry.name {
            parts.push(name.text.as_str());
        }
        if entry.name.is_none() || entry.targets.len() > 1 {
            parts.push(target.name);
        }
        if let Some(format) = format.filter(|_| entry.name.is_none() || entry.formats.len() > 1) {
            parts.push(&format.text);
        }
        let name = parts.join("-");
        let taken = |name: &str, all: &[Output]| all.iter().any(|output| output.name.eq_ignore_ascii_case(name));
        if !taken(&name, &self.config.outputs) {
            return name;
        }
        if let Some(word) = &entry.name {
            let fault = Fault::usage(format!("another output has the name `{name}` already"));
            self.reader.take::<()>(word.span, Err(fault));
        }
        let free = (2..).map(|number| format!("{name}-{number}")).find(|name| !taken(name, &self.config.outputs));
        free.unwrap_or(name)
    }
}

/// The options of a map as `-O` takes them; the values of a list are joined with commas.
fn options(part: &Part<'_, '_>, reader: &mut Reader) -> Vec<Word> {
    let mut found = Vec::new();
    // `{}`: as if it were not there.
    if part.entries().next().is_none() && !part.source().starts_with('{') {
        let help = "such as `options: {index: main}`; `sigcast list options` shows every option";
        reader.fault_with(part.head(), "`options` is no map of keys and values", help);
    }
    for (key, value) in part.entries() {
        let words: Vec<String> = reader.words_of(&value, key).into_iter().map(|word| word.text).collect();
        if !words.is_empty() {
            found.push(Word { text: format!("{key}={}", words.join(",")), span: value.key_span() });
        }
    }
    found
}
