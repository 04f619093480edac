//! `sigcast migrate`: old rules in the forms of today, as edits of their texts.
//!
//! Each step works on the text: a collection becomes whole documents, an aggregation a correlation with its rules, old dates
//! and tags their forms of today. Comments, order and layout stay as they are elsewhere.
//!
//! Invariant: a file changes only if what comes out means the same by the frontend (`meaning`), and is then written whole
//! or not at all.

mod attributes;
mod blocks;
mod legacy;
mod meaning;
mod whole;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use sigcast_diagnostics::render;
use sigcast_frontend::part;
use similar::TextDiff;

use crate::args::MigrateArgs;
use crate::exit::{Exit, Fault};
use crate::input::{self, Inputs};
use crate::output;
use crate::terminal::Terminal;

/// What would become of a file.
#[derive(Debug)]
struct Migrated {
    text: String,
    /// How many things change, by what they are.
    counts: BTreeMap<&'static str, usize>,
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
    let mut names = names(&inputs);
    let mut total: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut changed, mut shown) = (0_usize, String::new());
    for (id, fault) in &inputs.texts {
        let source = inputs.sources.get(*id);
        let (name, text) = (source.name(), source.text());
        if let Some(fault) = fault {
            terminal.say(&render::text(fault, &inputs.sources, terminal.colour));
            exit = exit.max(Exit::Rules);
            continue;
        }
        match migrated(text, &mut names) {
            Ok(None) => {}
            Ok(Some(new)) => {
                changed += 1;
                shown += &difference(name, text, &new.text);
                new.counts.iter().for_each(|(what, count)| *total.entry(what).or_default() += count);
                if args.write {
                    write(Path::new(name), text, &new.text)?;
                }
            }
            Err(why) => {
                terminal.fault(&Fault {
                    exit: Exit::Rules,
                    message: format!("{name} stays as it is: {why}"),
                    help: Vec::new(),
                });
                exit = exit.max(Exit::Rules);
            }
        }
    }
    output::to_stdout(shown.as_bytes())?;
    terminal.note(&summary(changed, inputs.texts.len(), &total, args.write));
    if args.check && changed > 0 {
        exit = exit.max(Exit::Rules);
    }
    Ok(exit)
}

/// The names that rules of the run have already.
fn names(inputs: &Inputs) -> HashSet<String> {
    let texts = inputs.texts.iter().filter(|(_, fault)| fault.is_none());
    let documents = texts.flat_map(|(id, _)| part::documents(&inputs.sources, *id));
    let name = |document: &part::Yaml<'_>| Some(document.root().get("name")?.text()?.to_string());
    documents.filter_map(|document| name(&document)).collect()
}

/// What becomes of a text; `None` if it is as it should be.
fn migrated(text: &str, names: &mut HashSet<String>) -> Result<Option<Migrated>, String> {
    let mut counts = BTreeMap::new();
    let mut new = text.to_owned();
    // Names that are given to rules of a text that stays are given back.
    let mut given = names.clone();
    if let Some(whole) = whole::rewritten(&new)? {
        new = whole;
        counts.insert("collections", 1);
    }
    if let Some((legacy, count)) = legacy::rewritten(&new, &mut given)? {
        new = legacy;
        counts.insert("aggregations", count);
    }
    if let Some((attributes, found)) = attributes::rewritten(&new) {
        new = attributes;
        counts.extend(found);
    }
    if new == text {
        return Ok(None);
    }
    if !meaning::same(text, &new) {
        return Err("what it would become does not mean the same".to_owned());
    }
    *names = given;
    Ok(Some(Migrated { text: new, counts }))
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

fn summary(changed: usize, files: usize, counts: &BTreeMap<&'static str, usize>, written: bool) -> String {
    if changed == 0 {
        return format!("nothing to migrate in {files} {}", if files == 1 { "file" } else { "files" });
    }
    let what: Vec<String> = counts
        .iter()
        .map(|(what, count)| match count {
            1 => format!("1 {}", what.trim_end_matches('s')),
            count => format!("{count} {what}"),
        })
        .collect();
    let done = if written { "changed" } else { "would change" };
    format!("{changed} of {files} files {done}: {}", what.join(", "))
}

#[cfg(test)]
mod tests;
