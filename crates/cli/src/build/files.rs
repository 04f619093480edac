//! The files of a build on the disk: what would change, and changing it.
//!
//! Invariant: a file is there whole, as it was before or as it is to be, and no file changes before all are written beside
//! their places. Only a file whose bytes a build recorded is
//! removed, and only such a file is replaced unless the run forces it. No link is followed below the folder that is
//! written to. The manifest comes last; before the first change, a journal beside it says what is about to be written,
//! so that the next run knows the files of one that was broken off: by their bytes, since what a journal announces need not
//! have been written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::manifest::{FileRow, Known, Manifest, VERSION, config_name, sha256};
use super::pattern::TEMPORARY;
use crate::exit::Fault;
use crate::input::reason;

/// A file that is to be there.
#[derive(Debug)]
pub(crate) struct Planned {
    /// Its path and hash.
    pub(crate) row: FileRow,
    /// Its bytes.
    pub(crate) text: String,
}

/// What has to be done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// It is not there.
    Create,
    /// It has other bytes, which a build wrote.
    Change,
    /// A build wrote the file once, and it was changed since.
    Overwrite,
    /// No build wrote the file, and it is replaced by force.
    Force,
    /// It is no longer written.
    Remove,
    /// It is no longer written, but was changed since a build wrote it: it stays.
    Leave,
}

/// What a build would do to the folder.
#[derive(Debug)]
pub(crate) struct Changes<'p> {
    root: &'p Path,
    manifest: &'p str,
    config: &'p Path,
    /// What to do, by path; files that are as they are to be are not among them.
    pub(crate) steps: BTreeMap<String, Step>,
    /// How many files are as they are to be.
    pub(crate) same: usize,
    /// Whether a run that was broken off left its journal.
    pub(crate) interrupted: bool,
    known: Known,
    /// The paths of the manifest, which were written once, whatever stands there now.
    written: BTreeSet<String>,
    files: &'p [Planned],
}

/// What a build is asked to write, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'p> {
    /// The folder that is written to.
    pub(crate) root: &'p Path,
    /// Where the manifest lies in it.
    pub(crate) manifest: &'p str,
    /// The configuration.
    pub(crate) config: &'p Path,
    /// The files.
    pub(crate) files: &'p [Planned],
    /// Whether files that no build wrote are replaced.
    pub(crate) force: bool,
    /// Whether files that are no longer written are removed.
    pub(crate) remove: bool,
    /// Those of them that stay all the same.
    pub(crate) keep: &'p BTreeSet<String>,
    /// What the build reads: never replaced, never removed.
    pub(crate) inputs: &'p [PathBuf],
}

/// Where the journal lies.
pub(crate) fn journal(manifest: &str) -> String {
    format!("{manifest}.pending")
}

impl<'p> Changes<'p> {
    /// Compares the files that are to be there with those that are.
    ///
    /// # Errors
    /// A link or another thing in the place of a file; a file that no build wrote, unless `force` replaces it; a file that
    /// the build reads.
    pub(crate) fn new(wanted: &Wanted<'p>) -> Result<Self, Fault> {
        let Wanted { root, manifest, config, files, .. } = *wanted;
        let (mut known, mut written) = (Known::new(), BTreeSet::new());
        for name in [manifest.to_owned(), journal(manifest)] {
            no_links(root, &name)?;
            if let Some(found) = Manifest::read(&root.join(&name))? {
                found.add_to(&mut known);
                if name == manifest {
                    written.extend(found.files.into_iter().map(|file| file.path));
                }
            }
        }
        let interrupted = root.join(journal(manifest)).exists();
        let mut changes =
            Self { root, manifest, config, steps: BTreeMap::new(), same: 0, interrupted, known, written, files };
        changes.distinct()?;
        changes.writes(wanted.force)?;
        if wanted.remove {
            changes.removals(wanted.keep)?;
        }
        changes.spare(wanted.inputs)?;
        Ok(changes)
    }

    /// No rule, pipeline or configuration that the build reads may be replaced or removed, whatever a manifest or
    /// `--force` says.
    fn spare(&mut self, inputs: &[PathBuf]) -> Result<(), Fault> {
        let at = |path: &Path| fs::canonicalize(path).ok();
        let inputs: BTreeSet<PathBuf> = inputs.iter().filter_map(|path| at(path)).collect();
        let root = self.root;
        let hit = |path: &str| at(&root.join(path)).is_some_and(|path| inputs.contains(&path));
        self.steps.retain(|path, step| !matches!(step, Step::Remove | Step::Leave) || !hit(path));
        match self.steps.keys().find(|path| hit(path)) {
            None => Ok(()),
            Some(path) => Err(Fault::usage(format!("{path} would be replaced, and is what the build reads"))
                .help("another pattern for the output keeps them apart")),
        }
    }

    /// Whether everything is as it is to be, but for the manifest.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.values().all(|step| *step == Step::Leave)
    }

    /// No two outputs may write one file, nor one a file where another needs a folder.
    fn distinct(&self) -> Result<(), Fault> {
        let own = [self.manifest.to_owned(), journal(self.manifest)].map(|path| FileRow {
            path,
            sha256: String::new(),
            output: "the manifest".to_owned(),
        });
        let mut taken: BTreeMap<String, &FileRow> = BTreeMap::new();
        for row in self.files.iter().map(|file| &file.row) {
            let lower = row.path.to_ascii_lowercase();
            if lower == self.manifest.to_ascii_lowercase() || lower == journal(self.manifest).to_ascii_lowercase() {
                return Err(Fault::usage(format!("the output `{}` would write the manifest {}", row.output, row.path)));
            }
            if let Some(other) = taken.insert(lower, row) {
                let message =
                    format!("the outputs `{}` and `{}` would both write {}", other.output, row.output, row.path);
                return Err(Fault::usage(message).help("{target} or {name} in their patterns keeps them apart"));
            }
        }
        taken.extend(own.iter().map(|row| (row.path.to_ascii_lowercase(), row)));
        for row in self.files.iter().map(|file| &file.row).chain(&own) {
            let lower = row.path.to_ascii_lowercase();
            let mut folders = lower.match_indices('/').map(|(at, _)| &lower[..at]);
            if let Some(file) = folders.find_map(|folder| taken.get(folder)) {
                let message = format!("{} would be a file and the folder of {}", file.path, row.path);
                return Err(Fault::usage(message).help("an extension, {ext}, keeps files and folders apart"));
            }
        }
        Ok(())
    }

    fn writes(&mut self, force: bool) -> Result<(), Fault> {
        let steps: Vec<(usize, Result<Option<Step>, Fault>)> =
            self.files.par_iter().enumerate().map(|(at, file)| (at, self.write_step(file))).collect();
        let mut foreign = Vec::new();
        for (at, step) in steps {
            let path = &self.files[at].row.path;
            match step? {
                None => self.same += 1,
                Some(Step::Force) if !force => foreign.push(path.as_str()),
                Some(step) => {
                    self.steps.insert(path.clone(), step);
                }
            }
        }
        match foreign.as_slice() {
            [] => Ok(()),
            [first, rest @ ..] => {
                let more = if rest.is_empty() { String::new() } else { format!(" (and {} more files)", rest.len()) };
                let message =
                    format!("{first}{more} is there already, and no build has written it: nothing is written");
                Err(Fault { exit: crate::exit::Exit::Io, ..Fault::usage(message) }
                    .help("another pattern for the output, or `--force` to replace it"))
            }
        }
    }

    /// What has to be done for a file to be there; nothing if it is.
    fn write_step(&self, file: &Planned) -> Result<Option<Step>, Fault> {
        let path = self.root.join(&file.row.path);
        let Some(about) = no_links(self.root, &file.row.path)? else { return Ok(Some(Step::Create)) };
        if !about.is_file() {
            return Err(Fault::io(format!("{} is no regular file: it cannot be replaced", path.display())));
        }
        let bytes = fs::read(&path).map_err(|cause| unreadable(&path, &cause))?;
        if bytes == file.text.as_bytes() {
            return Ok(None);
        }
        let ours = self.known.get(&file.row.path).is_some_and(|hashes| hashes.contains(&sha256(&bytes)));
        Ok(Some(match () {
            () if ours => Step::Change,
            // A file that a build wrote once and somebody changed since: the configuration says what it holds.
            () if self.written.contains(&file.row.path) => Step::Overwrite,
            () => Step::Force,
        }))
    }

    fn removals(&mut self, keep: &BTreeSet<String>) -> Result<(), Fault> {
        let planned: BTreeMap<String, &str> =
            self.files.iter().map(|file| (file.row.path.to_ascii_lowercase(), file.row.path.as_str())).collect();
        for (path, hashes) in self.known.iter().filter(|(path, _)| !keep.contains(*path)) {
            let whole = self.root.join(path);
            if let Some(now) = planned.get(&path.to_ascii_lowercase()) {
                // The same file by another spelling, where case does not tell files apart.
                if *now == path || same_file(&whole, &self.root.join(now)) {
                    continue;
                }
            }
            // A link now stands in the way of it: what it leads to is not ours.
            let Ok(Some(about)) = no_links(self.root, path) else { continue };
            let ours = about.is_file() && fs::read(&whole).is_ok_and(|bytes| hashes.contains(&sha256(&bytes)));
            if ours {
                self.steps.insert(path.clone(), Step::Remove);
            } else if self.written.contains(path) {
                self.steps.insert(path.clone(), Step::Leave);
            }
        }
        Ok(())
    }

    /// The files that stay although nothing writes them now: these, or all if this run may not remove anything.
    pub(crate) fn kept(&self, keep: &BTreeSet<String>, all: bool) -> Vec<FileRow> {
        let now: BTreeSet<&str> = self.files.iter().map(|file| file.row.path.as_str()).collect();
        let there = |path: &str, hashes: &BTreeSet<String>| {
            fs::read(self.root.join(path)).is_ok_and(|bytes| hashes.contains(&sha256(&bytes)))
        };
        let old = self.known.iter().filter(|(path, hashes)| {
            let stays = !now.contains(path.as_str()) && (all || keep.contains(*path));
            // What a journal announces was perhaps never written.
            stays && (self.written.contains(*path) || there(path, hashes))
        });
        old.flat_map(|(path, hashes)| {
            hashes.iter().map(|hash| FileRow { path: path.clone(), sha256: hash.clone(), output: String::new() })
        })
        .collect()
    }

    /// Whether the manifest on the disk has other bytes.
    pub(crate) fn manifest_differs(&self, text: &str) -> bool {
        fs::read(self.root.join(self.manifest)).map_or(true, |bytes| bytes != text.as_bytes())
    }

    /// Does everything: the journal, files, removals, the manifest, in this order.
    ///
    /// # Errors
    /// What cannot be written. The manifest and what was to be removed are then as they were.
    pub(crate) fn carry_out(&self, manifest: &str) -> Result<(), Fault> {
        self.clear_temporary();
        if !self.is_empty() {
            self.write_journal()?;
            self.write_all()?;
            for (path, _) in self.steps.iter().filter(|(_, step)| **step == Step::Remove) {
                self.remove(path)?;
            }
        }
        if self.manifest_differs(manifest) {
            replace(self.root, self.manifest, manifest.as_bytes(), true)?;
        }
        match fs::remove_file(self.root.join(journal(self.manifest))) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(Fault::io(format!("cannot remove {}: {}", journal(self.manifest), reason(&cause))))
            }
            _ => Ok(()),
        }
    }

    /// Writes every file beside its place, and moves them there once all are whole: what fails before leaves all as it was.
    fn write_all(&self) -> Result<(), Fault> {
        let files: Vec<&Planned> = self.files.iter().filter(|file| self.steps.contains_key(&file.row.path)).collect();
        let staged =
            files.par_iter().try_for_each(|file| stage(self.root, &file.row.path, file.text.as_bytes(), false));
        if staged.is_err() {
            for file in &files {
                let _ = fs::remove_file(beside(&self.root.join(&file.row.path)));
            }
        }
        staged?;
        files.par_iter().try_for_each(|file| place(self.root, &file.row.path))
    }

    /// Says beside the manifest which files are about to be written, together with those of a run that was broken off.
    fn write_journal(&self) -> Result<(), Fault> {
        let mut files: Vec<FileRow> = match Manifest::read(&self.root.join(journal(self.manifest)))? {
            Some(before) => before.files,
            None => Vec::new(),
        };
        let now = self.files.iter().filter(|file| self.steps.contains_key(&file.row.path));
        files.extend(now.map(|file| file.row.clone()));
        files.sort();
        files.dedup();
        let config = Some(config_name(self.config));
        let text = Manifest { version: VERSION, config, files, ..Manifest::default() }.text();
        replace(self.root, &journal(self.manifest), text.as_bytes(), true)
    }

    /// Takes away what a run that was broken off left of files it was writing. Where it was the journal or the manifest,
    /// no journal may tell of it.
    fn clear_temporary(&self) {
        let own = [self.manifest.to_owned(), journal(self.manifest)];
        let known = self.known.keys().filter(|_| self.interrupted);
        let wanted: BTreeSet<PathBuf> = own.iter().chain(known).map(|path| self.root.join(path)).collect();
        let folders: BTreeSet<&Path> = wanted.iter().filter_map(|path| path.parent()).collect();
        for folder in folders {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if name.to_str().and_then(written_name).is_some_and(|name| wanted.contains(&folder.join(name))) {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }

    /// Removes a file, and the folders that are empty without it.
    fn remove(&self, path: &str) -> Result<(), Fault> {
        let whole = self.root.join(path);
        match fs::remove_file(&whole) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(Fault::io(format!("cannot remove {}: {}", whole.display(), reason(&cause))));
            }
            _ => {}
        }
        let mut folder = Path::new(path).parent();
        while let Some(inner) = folder.filter(|inner| !inner.as_os_str().is_empty()) {
            if fs::remove_dir(self.root.join(inner)).is_err() {
                break;
            }
            folder = inner.parent();
        }
        Ok(())
    }
}

/// What stands at a path; nothing if there is nothing.
///
/// # Errors
/// A link in the path, or something that is no folder where one is needed.
fn no_links(root: &Path, path: &str) -> Result<Option<fs::Metadata>, Fault> {
    let mut whole = root.to_owned();
    let mut found = None;
    let parts: Vec<&str> = path.split('/').collect();
    for (at, part) in parts.iter().enumerate() {
        whole.push(part);
        let about = match fs::symlink_metadata(&whole) {
            Ok(about) => about,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(unreadable(&whole, &cause)),
        };
        if about.is_symlink() {
            return Err(Fault::io(format!("{} is a symbolic link: nothing is written through it", whole.display())));
        }
        if at + 1 < parts.len() && !about.is_dir() {
            return Err(Fault::io(format!("{} is no directory, which {path} needs", whole.display())));
        }
        found = Some(about);
    }
    Ok(found)
}

fn unreadable(path: &Path, cause: &io::Error) -> Fault {
    Fault::io(format!("cannot read {}: {}", path.display(), reason(cause)))
}

/// Whether two paths lead to one file.
#[cfg(unix)]
fn same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |path: &Path| fs::symlink_metadata(path).ok().map(|about| (about.dev(), about.ino()));
    number(one).is_some() && number(one) == number(other)
}

/// Whether two paths, which differ in case only, lead to one file: here they do.
#[cfg(not(unix))]
fn same_file(_: &Path, _: &Path) -> bool {
    true
}

/// The temporary file of a path: its own for each run, so that two at once do not write into each other's.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}{TEMPORARY}", std::process::id()))
}

/// The name of the file that a temporary file was to become, from the name of the latter.
fn written_name(temporary: &str) -> Option<&str> {
    let (name, run) = temporary.strip_prefix('.')?.strip_suffix(TEMPORARY)?.rsplit_once('.')?;
    (!run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

/// Writes a file beside its place and moves it there once it is whole. `lasting` waits for the disk.
fn replace(root: &Path, path: &str, bytes: &[u8], lasting: bool) -> Result<(), Fault> {
    stage(root, path, bytes, lasting)?;
    place(root, path)
}

/// Writes a file beside its place.
fn stage(root: &Path, path: &str, bytes: &[u8], lasting: bool) -> Result<(), Fault> {
    let whole = root.join(path);
    let temporary = beside(&whole);
    let done = (|| {
        if let Some(folder) = whole.parent() {
            fs::create_dir_all(folder)?;
        }
        // A link that somebody left there is not followed.
        match fs::remove_file(&temporary) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        if lasting {
            file.sync_data()?;
        }
        drop(file);
        if let Ok(before) = fs::symlink_metadata(&whole) {
            fs::set_permissions(&temporary, before.permissions())?;
        }
        Ok(())
    })();
    done.map_err(|cause| unwritten(&whole, &cause))
}

/// Moves a file to its place that was written beside it.
fn place(root: &Path, path: &str) -> Result<(), Fault> {
    let whole = root.join(path);
    fs::rename(beside(&whole), &whole).map_err(|cause| unwritten(&whole, &cause))
}

fn unwritten(whole: &Path, cause: &io::Error) -> Fault {
    let _ = fs::remove_file(beside(whole));
    Fault::io(format!("cannot write {}: {}", whole.display(), reason(cause)))
}
