//! What tests over folders of rules share: where the sample rules and the public corpus are, the files in them, and what
//! products hold of recorded events.
//!
//! Invariant: only tests and the harness `conformance` depend on this crate, so it panics where a test should fail.

pub mod shippers;
pub mod streams;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use sigcast_diagnostics::SourceMap;

/// The root of the workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the sample rules.
#[must_use]
pub fn sample_rules() -> PathBuf {
    workspace().join("rules")
}

/// A folder of the corpus that `SIGCAST_CORPUS` names, such as `sigmahq/rules`; none, with a word on it, if it names none.
/// A relative name is one in the workspace, since tests run in the folders of their crates.
#[must_use]
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SIGCAST_CORPUS");
    if root.is_none() {
        println!("skipped: SIGCAST_CORPUS is not set");
    }
    Some(workspace().join(root?).join(folder))
}

/// Every file under a folder with one of these extensions, or with any if none is named; sorted by path.
///
/// # Panics
/// A folder that cannot be read.
#[must_use]
pub fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let wanted = |path: &Path| {
        let extension = path.extension().and_then(OsStr::to_str);
        extensions.is_empty() || extension.is_some_and(|found| extensions.contains(&found))
    };
    let entries = walkdir::WalkDir::new(folder).follow_links(true).into_iter();
    let entries = entries.map(|entry| entry.unwrap_or_else(|why| panic!("{}: {why}", folder.display())));
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| !entry.file_type().is_dir() && wanted(entry.path()))
        .map(walkdir::DirEntry::into_path)
        .collect();
    found.sort();
    found
}

/// Every rule file under a folder, by path. What is no UTF-8 is replaced, as rules that are bad on purpose have it.
///
/// # Panics
/// A folder or file that cannot be read.
#[must_use]
pub fn sources(folder: &Path) -> SourceMap {
    let mut sources = SourceMap::new();
    for path in files(folder, &["yml", "yaml"]) {
        let bytes = std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        sources.add(path.display().to_string(), String::from_utf8_lossy(&bytes));
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_at_every_depth_and_sorted() {
        let rules = files(&sample_rules(), &["yml"]);
        assert!(rules.iter().any(|path| path.ends_with("bad/unknown-modifier.yml")));
        assert!(rules.iter().all(|path| path.extension().is_some_and(|found| found == "yml")) && rules.is_sorted());
        let all = files(&sample_rules(), &[]);
        assert!(all.len() > rules.len() && all.iter().any(|path| path.ends_with("README.md")));
        assert!(sources(&sample_rules()).len() >= rules.len());
    }
}
