//! `sigcast migrate`: old rules in the forms of today, as edits of their texts.
//!
//! Each step works on the text: a collection becomes whole documents, an aggregation a correlation with its rules, old dates
//! and tags their forms of today. Comments, order and layout stay as they are elsewhere.
//!
//! Invariant: a file changes only if what comes out means the same by the frontend (`meaning`), by itself and with all others
//! of the run (`together`), and is then written whole or not at all.

mod attributes;
mod blocks;
mod legacy;
mod meaning;
mod together;
mod whole;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use sigcast_diagnostics::{Diagnostic, SourceId, render};
use sigcast_frontend::part;
use similar::TextDiff;

use crate::args::MigrateArgs;
use crate::exit::{Exit, Fault};
use crate::input::{self, Inputs};
use crate::output;
use crate::terminal::Terminal;
use blocks::Unfit;

/// How many things change, by what they are.
type Counts = BTreeMap<&'static str, usize>;

/// A text, and how many things have changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    text: String,
    counts: Counts,
}

/// What would become of a file.
#[derive(Debug)]
struct Migrated {
    /// It with everything that can be said anew.
    new: Version,
    /// It with its attributes in the forms of today, and its documents as they are.
    plain: Version,
    /// Why something stays as it is.
    stays: Vec<String>,
}

/// What rules of the run have already: what is made gets something else.
#[derive(Debug, Default)]
struct Taken {
    names: HashSet<String>,
    /// In lower case.
    ids: HashSet<String>,
}

/// Runs `sigcast migrate`.
pub(crate) fn migrate(args: &MigrateArgs, terminal: &Terminal) -> Result<Exit, Fault> {
    if args.write && args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(
            Fault::usage("--write has no file to write for standard input").help("without it, the changes are shown")
        );
    }
    let inputs = input::read(&args.paths);
    let mut exit = Exit::Done;
    for found in &inputs.unreadable {
        terminal.say(&render::text(found, &inputs.sources, terminal.colour));
        exit = Exit::Io;
    }
    let mut tally = Tally { files: inputs.texts.len(), ..Tally::default() };
    let mut shown = String::new();
    for (id, made) in outcomes(&inputs) {
        let source = inputs.sources.get(id);
        let (name, text) = (source.name(), source.text());
        let made = match made {
            Ok(made) => made,
            Err(faults) => {
                faults.iter().for_each(|fault| terminal.say(&render::text(fault, &inputs.sources, terminal.colour)));
                tally.stay += 1;
                continue;
            }
        };
        let changes = made.new.text != text;
        for why in &made.stays {
            let stays = if changes { "keeps something as it is" } else { "stays as it is" };
            let message = format!("{name} {stays}: {why}");
            terminal.fault(&Fault { exit: Exit::Rules, message, help: Vec::new() });
        }
        tally.stay += usize::from(!made.stays.is_empty());
        if changes {
            tally.changed += 1;
            shown += &difference(name, text, &made.new.text);
            made.new.counts.iter().for_each(|(what, count)| *tally.counts.entry(what).or_default() += count);
            if args.write {
                write(Path::new(name), text, &made.new.text)?;
            }
        }
    }
    output::to_stdout(shown.as_bytes())?;
    terminal.note(&tally.summary(args.write));
    if tally.stay > 0 || args.check && tally.changed > 0 {
        exit = exit.max(Exit::Rules);
    }
    Ok(exit)
}

/// What would become of each text, or what is wrong with it as text or as YAML.
fn outcomes(inputs: &Inputs) -> Vec<(SourceId, Result<Migrated, Vec<Diagnostic>>)> {
    let mut taken = taken(inputs);
    let mut all: Vec<(SourceId, Result<Migrated, Vec<Diagnostic>>)> = Vec::with_capacity(inputs.texts.len());
    for (id, fault) in &inputs.texts {
        let faults = fault.clone().map_or_else(|| part::faults(&inputs.sources, *id), |fault| vec![fault]);
        let made = match faults.is_empty() {
            true => Ok(migrated(inputs.sources.get(*id).text(), &mut taken)),
            false => Err(faults),
        };
        all.push((*id, made));
    }
    let files = all.iter_mut().filter_map(|(id, made)| Some((*id, made.as_mut().ok()?)));
    together::settle(&inputs.sources, files.collect());
    all
}

/// What rules of the run have already.
fn taken(inputs: &Inputs) -> Taken {
    let mut taken = Taken::default();
    for (id, _) in inputs.texts.iter().filter(|(_, fault)| fault.is_none()) {
        for document in part::documents(&inputs.sources, *id) {
            let text = |key| Some(document.root().get(key)?.text()?.to_string());
            taken.names.extend(text("name"));
            taken.ids.extend(text("id").map(|id| id.to_ascii_lowercase()));
        }
    }
    taken
}

/// What becomes of a text. Each step is taken if it keeps the meaning, and what it would change stays otherwise.
fn migrated(text: &str, taken: &mut Taken) -> Migrated {
    let mut stays = Vec::new();
    let mut new = Version { text: text.to_owned(), counts: Counts::new() };
    let whole = whole::rewritten(text).map(|whole| whole.map(|whole| (whole, Counts::from([("collections", 1)]))));
    // Documents that are no whole ones have aggregations only together.
    if new.take(whole, &mut stays) {
        let counted = |(text, count)| (text, Counts::from([("aggregations", count)]));
        let made = legacy::rewritten(&new.text, taken).map(|made| made.map(counted));
        new.take(made, &mut stays);
    }
    let plain = Version { text: text.to_owned(), counts: Counts::new() };
    let [plain, new] = [plain, new].map(|mut version| {
        let found = attributes::rewritten(&version.text);
        let mut why = found.wrong;
        version.take(Ok(found.changed), &mut why);
        (version, why)
    });
    stays.extend(new.1);
    Migrated { new: new.0, plain: plain.0, stays }
}

impl Version {
    /// Takes a step, unless it cannot be taken or means something else: then `stays` gets the reason. Whether nothing stays.
    fn take(&mut self, step: Result<Option<(String, Counts)>, Unfit>, stays: &mut Vec<String>) -> bool {
        let made = step.and_then(|made| match made {
            Some((text, counts)) => meaning::changed(&self.text, &text).map_or(Ok(Some((text, counts))), Err),
            None => Ok(None),
        });
        match made {
            Ok(Some((text, counts))) => {
                self.text = text;
                self.counts.extend(counts);
            }
            Ok(None) => {}
            Err(why) => {
                stays.push(why);
                return false;
            }
        }
        true
    }
}

/// The changes of a file as a unified difference.
fn difference(name: &str, old: &str, new: &str) -> String {
    let difference = TextDiff::from_lines(old, new);
    difference.unified_diff().context_radius(3).header(name, name).to_string()
}

/// Writes a file whose text is known, unless it has changed since it was read.
fn write(path: &Path, old: &str, new: &str) -> Result<(), Fault> {
    let fault =
        |cause: &std::io::Error| Fault::io(format!("cannot write {}: {}", path.display(), input::reason(cause)));
    let now = std::fs::read_to_string(path).map_err(|cause| fault(&cause))?;
    let mark = now.strip_prefix('\u{feff}').map_or("", |_| "\u{feff}");
    if now.strip_prefix('\u{feff}').unwrap_or(&now) != old {
        return Err(Fault::io(format!("{} has changed since it was read", path.display())));
    }
    output::replaced(path, |out| write!(out, "{mark}{new}")).map_err(|cause| fault(&cause))
}

/// What is said at the end.
#[derive(Debug, Default)]
struct Tally {
    files: usize,
    changed: usize,
    /// How many files keep something that would have to change, or are wrong.
    stay: usize,
    counts: Counts,
}

impl Tally {
    fn summary(&self, written: bool) -> String {
        let Self { files, changed, stay, counts } = self;
        let stay = match stay {
            0 => String::new(),
            1 => "; 1 cannot be migrated as a whole".to_owned(),
            stay => format!("; {stay} cannot be migrated as a whole"),
        };
        let noun = if *files == 1 { "file" } else { "files" };
        if *changed == 0 {
            let what = if stay.is_empty() { "nothing to migrate" } else { "nothing changes" };
            return format!("{what} in {files} {noun}{stay}");
        }
        let what: Vec<String> = counts
            .iter()
            .map(|(what, count)| match count {
                1 => format!("1 {}", what.trim_end_matches('s')),
                count => format!("{count} {what}"),
            })
            .collect();
        let done = if written { "changed" } else { "would change" };
        format!("{changed} of {files} {noun} {done}: {}{stay}", what.join(", "))
    }
}

#[cfg(test)]
mod tests;
