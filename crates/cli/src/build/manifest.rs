//! The manifest: what a build wrote, and what became of each rule for each output, as JSON.
//!
//! Invariant: the same input gives the same bytes: there is no time and no host in it. The paths of files are
//! relative to the folder that is written to and were checked; other programs rely on its keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::pattern::check_path;
use crate::exit::Fault;
use crate::input;

/// The version of the manifest's form.
pub(crate) const VERSION: u32 = 1;

/// What a build wrote.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// The file name of the configuration that was built; `None` in a manifest that does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<String>,
    /// The outputs, in the order of the configuration.
    #[serde(default)]
    pub(crate) outputs: Vec<OutputRow>,
    /// One row for each rule and output, in the order of the rules, then of the outputs.
    #[serde(default)]
    pub(crate) rules: Vec<RuleRow>,
    /// Every file that was written, by path.
    #[serde(default)]
    pub(crate) files: Vec<FileRow>,
}

/// An output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutputRow {
    /// Its name.
    pub(crate) name: String,
    /// The target.
    pub(crate) target: String,
    /// The format.
    pub(crate) format: String,
    /// The pipelines, in the order they are named.
    pub(crate) pipelines: Vec<PipelineRow>,
    /// The SHA-256 of the schema's file, if one is named.
    pub(crate) schema: Option<String>,
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PipelineRow {
    /// Its built-in name, or the path of its file.
    pub(crate) name: String,
    /// The SHA-256 of its text.
    pub(crate) sha256: String,
}

/// What became of a rule for an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RuleRow {
    /// The id.
    pub(crate) id: Option<String>,
    /// The file, relative to the configuration's folder.
    pub(crate) path: String,
    /// The number of the document in the file, from 1.
    pub(crate) document: usize,
    /// The title.
    pub(crate) title: Option<String>,
    /// The name of the output.
    pub(crate) output: String,
    /// `exact`, `approximate`, `refused` or `invalid`.
    pub(crate) status: String,
    /// Codes of what the data must fulfil.
    pub(crate) assumptions: Vec<String>,
    /// Warnings and notes.
    pub(crate) warnings: Vec<Said>,
    /// Errors.
    pub(crate) errors: Vec<Said>,
    /// The SHA-256 of each pipeline's text, as in the output.
    pub(crate) pipelines: Vec<String>,
    /// The SHA-256 of the queries, with an empty line between them; null without a query.
    pub(crate) query_sha256: Option<String>,
    /// The SHA-256 of the document that the format makes of them; null without a query.
    #[serde(default)]
    pub(crate) document_sha256: Option<String>,
    /// The queries, if the configuration asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) queries: Option<Vec<String>>,
    /// The files that hold it; of a rule without a query, those that an earlier build wrote and that are kept.
    pub(crate) files: Vec<String>,
}

/// A diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// The code.
    pub(crate) code: String,
    /// The message.
    pub(crate) message: String,
    /// The line, from 1.
    pub(crate) line: Option<u32>,
    /// The column, from 1.
    pub(crate) column: Option<u32>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FileRow {
    /// Its path, relative to the folder that is written to.
    pub(crate) path: String,
    /// The SHA-256 of its bytes.
    pub(crate) sha256: String,
    /// The name of the output.
    pub(crate) output: String,
}

/// For each path the hashes of what builds wrote there.
pub(crate) type Known = BTreeMap<String, BTreeSet<String>>;

impl Manifest {
    /// The manifest as text.
    pub(crate) fn text(&self) -> String {
        // Texts, numbers and lists only: there is nothing in it that JSON could not hold.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Reads a manifest; `None` if there is none.
    ///
    /// # Errors
    /// A file that cannot be read or is no manifest of a known version.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Fault> {
        if std::fs::symlink_metadata(path).is_err() {
            return Ok(None);
        }
        let wrong = |why: String| {
            Fault::usage(format!("{} is no manifest of sigcast: {why}", path.display())).help(
                "without it, files that an earlier build wrote count as foreign: `--force` replaces those that differ",
            )
        };
        let text = String::from_utf8(
            std::fs::read(path)
                .map_err(|cause| Fault::io(format!("cannot read {}: {}", path.display(), input::reason(&cause))))?,
        );
        let text = text.map_err(|_| wrong("it is not UTF-8 text".to_owned()))?;
        let manifest: Self = serde_json::from_str(&text).map_err(|why| wrong(why.to_string()))?;
        if manifest.version != VERSION {
            return Err(wrong(format!("its version is {}, and {VERSION} is expected", manifest.version)));
        }
        for file in &manifest.files {
            // It may come from anywhere: no path of it may lead out.
            check_path(&file.path).map_err(|why| wrong(format!("`{}`: {why}", file.path)))?;
        }
        Ok(Some(manifest))
    }

    /// Checks that no other configuration wrote this manifest: its files would be removed as no longer written. One that
    /// is gone from its folder was renamed, unless `elsewhere` the build is written to another one.
    ///
    /// # Errors
    /// Another configuration.
    pub(crate) fn of_config(&self, config: &Path, manifest: &str, elsewhere: bool) -> Result<(), Fault> {
        let Some(other) = self.config.as_deref().filter(|other| *other != config_name(config)) else { return Ok(()) };
        if !elsewhere && !config.with_file_name(other).exists() {
            return Ok(());
        }
        let message = format!("{manifest} is the manifest of {other}: {} cannot have the same one", config.display());
        Err(Fault::usage(message)
            .help(format!("`manifest:` in {} gives it one of its own", config.display()))
            .help(format!("if it is {other} under another name: `config` in the manifest says whose it is")))
    }

    /// Adds the files of this manifest to what is known.
    pub(crate) fn add_to(&self, known: &mut Known) {
        for file in &self.files {
            known.entry(file.path.clone()).or_default().insert(file.sha256.clone());
        }
    }
}

/// The name that a manifest has for a configuration.
pub(crate) fn config_name(config: &Path) -> String {
    config.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The SHA-256 of bytes in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of FIPS 180-4.
    #[test]
    fn hashes_are_sha256() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
