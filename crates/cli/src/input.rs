//! What is read: files, directories, standard input.
//!
//! Invariant: the order of the texts is that of the command line, and within a directory that of the paths, on any
//! number of threads. One file that cannot be read stops no other.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sigcast_diagnostics::{Code, Diagnostic, SourceId, SourceMap, Span};
use sigcast_ir::schema::Schema;
use walkdir::{DirEntry, WalkDir};

use crate::exit::Fault;

/// The most bytes of a file. The largest public rule has some 100 KiB; what is larger by far is no rule file.
pub(crate) const LARGEST: u64 = 16 << 20;

/// A file of this name in a directory keeps `convert` from descending into it, unless the directory is named itself.
const MARKER: &str = ".sigcastignore";

/// The name under which standard input is shown.
const STDIN: &str = "<stdin>";

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// The texts.
    pub(crate) sources: SourceMap,
    /// Each text in order, with what keeps it from being parsed.
    pub(crate) texts: Vec<(SourceId, Option<Diagnostic>)>,
    /// Files and directories that cannot be read, in order.
    pub(crate) unreadable: Vec<Diagnostic>,
    /// Directories that were passed over because they hold a [`MARKER`], in order.
    pub(crate) passed_over: Vec<PathBuf>,
    /// How many of the texts, at their end, come from the paths of filters.
    pub(crate) filters: usize,
    /// How many files were left out, as was asked for.
    pub(crate) left_out: usize,
}

/// One thing to read.
#[derive(Debug)]
enum Place {
    File(PathBuf),
    Stdin,
    Unreadable(Diagnostic),
}

/// What became of it.
enum Content {
    Text(String),
    Broken(String, Diagnostic),
    TooLarge,
    Unreadable(Diagnostic),
}

/// Reads everything that the paths name.
pub(crate) fn read(paths: &[PathBuf]) -> Inputs {
    read_with(paths, &[])
}

/// Reads everything that the paths name, and then what the paths of filters name besides: a file is read once.
pub(crate) fn read_with(paths: &[PathBuf], filters: &[PathBuf]) -> Inputs {
    read_without(paths, filters, &HashSet::new())
}

/// The same without some files, which are given by their real paths.
pub(crate) fn read_without(paths: &[PathBuf], filters: &[PathBuf], without: &HashSet<PathBuf>) -> Inputs {
    let mut inputs = Inputs::default();
    let mut places = places(paths, &mut inputs.passed_over);
    let mut rules = places.len();
    add_filters(&mut places, filters, &mut inputs.passed_over);
    if !without.is_empty() {
        let out = |place: &Place| match place {
            Place::File(path) => std::fs::canonicalize(path).is_ok_and(|path| without.contains(&path)),
            _ => false,
        };
        let left: Vec<bool> = places.iter().map(out).collect();
        inputs.left_out = left.iter().filter(|out| **out).count();
        rules -= left.iter().take(rules).filter(|out| **out).count();
        let mut left = left.into_iter();
        places.retain(|_| !left.next().unwrap_or(false));
    }
    let contents: Vec<(String, Content)> = places.into_par_iter().map(content).collect();
    for (at, (name, content)) in contents.into_iter().enumerate() {
        let (text, fault) = match content {
            Content::Text(text) => (text, None),
            Content::Broken(text, fault) => (text, Some(fault)),
            Content::TooLarge => {
                let limit = LARGEST >> 20;
                let message = format!("{name} has more than {limit} MiB, which is more than any rule file needs");
                (String::new(), Some(Diagnostic::new(Code::TooLarge, message)))
            }
            Content::Unreadable(fault) => {
                inputs.unreadable.push(fault);
                continue;
            }
        };
        // A byte order mark is cut off, and places behind it move.
        let moved = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let id = inputs.sources.add(name, text);
        let fault = fault.map(|fault| in_source(fault, id, moved));
        inputs.texts.push((id, fault));
        inputs.filters += usize::from(at >= rules);
    }
    inputs
}

/// Adds the files of filters that are not there as yet.
fn add_filters(found: &mut Vec<Place>, filters: &[PathBuf], passed_over: &mut Vec<PathBuf>) {
    if filters.is_empty() {
        return;
    }
    let real = |place: &Place| match place {
        Place::File(path) => std::fs::canonicalize(path).ok(),
        _ => None,
    };
    let mut known: HashSet<PathBuf> = found.iter().filter_map(real).collect();
    let stdin = found.iter().any(|place| matches!(place, Place::Stdin));
    found.extend(places(filters, passed_over).into_iter().filter(|place| match place {
        Place::Stdin => !stdin,
        place => real(place).is_none_or(|path| known.insert(path)),
    }));
}

/// The diagnostic with its places in the source that it now has, `moved` bytes nearer to the start.
fn in_source(mut fault: Diagnostic, id: SourceId, moved: usize) -> Diagnostic {
    for label in &mut fault.labels {
        let at = |byte: u32| (byte as usize).saturating_sub(moved);
        label.span = Span::new(id, at(label.span.start), at(label.span.end));
    }
    fault
}

/// Everything to read, in order.
fn places(paths: &[PathBuf], passed_over: &mut Vec<PathBuf>) -> Vec<Place> {
    let mut found = Vec::new();
    let mut stdin = false;
    for path in paths {
        if path.as_os_str() == "-" {
            // A second `-` has nothing left to read.
            if !std::mem::replace(&mut stdin, true) {
                found.push(Place::Stdin);
            }
        } else if path.is_dir() {
            walk(path, &mut found, passed_over);
        } else {
            found.push(Place::File(path.clone()));
        }
    }
    found
}

/// The rule files in a directory, by path.
fn walk(root: &Path, found: &mut Vec<Place>, passed_over: &mut Vec<PathBuf>) {
    let entries = WalkDir::new(root).follow_links(true).sort_by_file_name();
    let mut shown = |entry: &DirEntry| {
        if entry.depth() == 0 || !entry.file_type().is_dir() {
            return true;
        }
        let marked = entry.path().join(MARKER).exists();
        if marked {
            passed_over.push(entry.path().to_owned());
        }
        !marked && !is_hidden(entry.file_name())
    };
    for entry in entries.into_iter().filter_entry(&mut shown) {
        match entry {
            Ok(entry) if !entry.file_type().is_dir() && is_rule_file(entry.path()) => {
                found.push(Place::File(entry.into_path()));
            }
            Ok(_) => {}
            // A link back to a directory that is being read: its files are found there.
            Err(fault) if fault.loop_ancestor().is_some() => {}
            Err(fault) => {
                let path = fault.path().unwrap_or(root).to_owned();
                let cause = fault.into_io_error().unwrap_or_else(|| io::Error::other("unknown cause"));
                found.push(Place::Unreadable(unreadable(&path.display().to_string(), &cause)));
            }
        }
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Whether a file is taken for one of rules by its name.
pub(crate) fn is_rule_file(path: &Path) -> bool {
    path.extension().is_some_and(|found| ["yml", "yaml"].iter().any(|known| found.eq_ignore_ascii_case(known)))
}

fn content(place: Place) -> (String, Content) {
    let (name, bytes) = match place {
        Place::Unreadable(fault) => return (String::new(), Content::Unreadable(fault)),
        Place::Stdin => (STDIN.to_owned(), limited(&mut io::stdin().lock(), 0)),
        Place::File(path) => (path.display().to_string(), file(&path)),
    };
    let content = match bytes {
        Err(cause) => Content::Unreadable(unreadable(&name, &cause)),
        Ok(None) => Content::TooLarge,
        Ok(Some(bytes)) => text(bytes, &name),
    };
    (name, content)
}

fn file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let size = file.metadata().map_or(0, |about| about.len());
    if size > LARGEST { Ok(None) } else { limited(&mut file, size) }
}

/// Everything there is to read, or `None` if it is too much.
fn limited(reader: &mut impl Read, expected: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0) + 1);
    reader.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 > LARGEST { None } else { Some(bytes) })
}

/// Bytes as text.
fn text(bytes: Vec<u8>, name: &str) -> Content {
    let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    String::from_utf8(bytes).map_or_else(
        |fault| {
            let at = fault.utf8_error().valid_up_to();
            let mut bytes = fault.into_bytes();
            bytes.truncate(at);
            // What is right as far as the fault, so that the place can be shown.
            let mut text = String::from_utf8(bytes).unwrap_or_default();
            text.push(char::REPLACEMENT_CHARACTER);
            let span = Span::new(SourceId(0), at, text.len());
            let fault = Diagnostic::at(Code::NotUtf8, span, format!("{name} is not UTF-8 text"));
            let fault = fault.here(format!("byte {at} of the file is part of no character"));
            let help = if wide { "the file looks like UTF-16: save it as UTF-8" } else { "save the file as UTF-8" };
            Content::Broken(text, fault.help(help))
        },
        Content::Text,
    )
}

fn unreadable(name: &str, cause: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::Io, format!("cannot read {name}: {}", reason(cause)))
}

/// The cause of a failure in words, without the number of the operating system.
pub(crate) fn reason(cause: &io::Error) -> String {
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// The templates in a folder, by their path in it with `/` between the parts.
pub(crate) fn templates(folder: &Path) -> Result<Vec<(String, String)>, Fault> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|fault| {
            let path = fault.path().unwrap_or(folder).display().to_string();
            let cause = fault.into_io_error().unwrap_or_else(|| io::Error::other("links lead in a circle"));
            Fault::io(format!("cannot read {path}: {}", reason(&cause)))
        })?;
        let path = entry.path();
        if entry.file_type().is_dir() || path.extension().is_none_or(|found| found != "j2") {
            continue;
        }
        let text = std::fs::read_to_string(path)
            .map_err(|cause| Fault::io(format!("cannot read {}: {}", path.display(), reason(&cause))))?;
        let inner = path.strip_prefix(folder).unwrap_or(path);
        let parts: Vec<_> = inner.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        found.push((parts.join("/"), text));
    }
    Ok(found)
}

/// The schema in a file.
///
/// # Errors
/// A file that cannot be read; a file that is no schema, with each fault at its place.
pub(crate) fn schema(path: &Path) -> Result<Schema, Fault> {
    parse_schema(&path.display().to_string(), whole_text(path)?)
}

/// The text of a file that configures a run.
///
/// # Errors
/// A file that cannot be read, is too large or no UTF-8 text.
pub(crate) fn whole_text(path: &Path) -> Result<String, Fault> {
    let name = path.display();
    match file(path) {
        Err(cause) => Err(Fault::io(format!("cannot read {name}: {}", reason(&cause)))),
        Ok(None) => Err(Fault::usage(format!("{name} has more than {} MiB", LARGEST >> 20))),
        Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|_| Fault::usage(format!("{name} is not UTF-8 text"))),
    }
}

/// The YAML files in a directory and those below it, by path.
pub(crate) fn rule_files(path: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut found = Vec::new();
    walk(path, &mut found, &mut Vec::new());
    let files = found.into_iter().map(|place| match place {
        Place::File(file) => Ok(file),
        Place::Unreadable(fault) => Err(Fault::io(fault.message)),
        Place::Stdin => Err(Fault::io("standard input is no file")),
    });
    files.collect()
}

/// A schema from its text, which is shown under a name.
///
/// # Errors
/// Each fault at its place.
pub(crate) fn parse_schema(name: &str, text: String) -> Result<Schema, Fault> {
    let mut sources = SourceMap::new();
    let id = sources.add(name, text);
    sigcast_frontend::schema::parse(&sources, id).map_err(|faults| {
        let lines = faults.iter().map(|found| {
            let place = found
                .span()
                .map(|span| sources.position(span))
                .map_or_else(String::new, |at| format!("{}:{}: ", at.line, at.column));
            let help = found.help.iter().map(|help| format!("; {help}")).collect::<String>();
            format!("{name}:{place}{} [{}]{help}", found.message, found.code.as_str())
        });
        let lines: Vec<String> = lines.collect();
        Fault::usage(format!("the schema is wrong: {}", lines.join("\n  ")))
    })
}
