//! `sigcast build`, `sigcast diff` and `sigcast init` as they are typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::KnownArgs;

/// Write all outputs that sigcast.yml declares, and one manifest
///
/// Reads the file `sigcast.yml`, which declares rules, filters, pipelines and outputs (target, format, options, which
/// rules, and a pattern for files such as `dist/{level}/{slug}.{ext}`), and writes every output in one run. Only files
/// that change are written; files that an earlier build wrote and this one does not are removed; a file that no build
/// wrote is neither replaced nor removed. docs/build.md tells what the file may say; `sigcast init` writes one.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 all converted; 1 some rule was refused or invalid, no rule was found, or (--check) a file is out of date;
            2 wrong usage or configuration; 3 a file cannot be read or written.")]
#[command(after_long_help = "\
Examples:
  Write everything that ./sigcast.yml declares:
    sigcast build

  Fail if what is committed is not what the rules give, and write nothing:
    sigcast build --check

  Fail on refusals that are new only:
    sigcast build --baseline sigcast-baseline.json

Exit codes:
  0  all converted and written
  1  some rule was refused or invalid (with --strict: or approximate), or no rule was found; the others are written all
     the same. With --check also: a file is out of date
  2  wrong usage or configuration; nothing is written
  3  a file cannot be read or written, or a file that no build wrote stands in the way")]
pub(crate) struct BuildArgs {
    /// The configuration; paths in it are relative to its folder
    #[arg(short, long, value_name = "FILE", default_value = "sigcast.yml")]
    pub(crate) config: PathBuf,
    /// Write below this directory, manifest included, instead of the configuration's
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Write nothing; say what is out of date, and end with 1 if anything is
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) check: bool,
    /// Write nothing; say what would be written and removed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace files that are in the way and that no build wrote
    #[arg(long)]
    pub(crate) force: bool,
    /// Fail also if a query is only approximate
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) known: KnownArgs,
    /// Let pipelines send requests and run commands (`http_placeholders`, `command_placeholders`)
    #[arg(long)]
    pub(crate) allow_external: bool,
}

/// Say which queries change against a git revision or a manifest, and how
///
/// Converts both sides with this program, each with its own sigcast.yml, and says of each query whether it is added,
/// removed, changed, the same in meaning (reordered, reformatted), wider or narrower. Wider and narrower are what the
/// reference evaluator says on sample events of both rules: strong hints, no proofs.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 compared; 1 a change that --fail-on names; 2 wrong usage or configuration; 3 a file cannot be read.")]
#[command(after_long_help = "\
Examples:
  What the changes that are not committed do to queries:
    sigcast diff

  A comment for a pull request:
    sigcast diff --base origin/main --format markdown

  Against what was built last, by its manifest:
    sigcast diff --base sigcast-manifest.json

  Fail if a detection is lost or finds less:
    sigcast diff --base origin/main --fail-on removed,narrower

  Fail also if what stands around a query changes, as when a detection is switched off:
    sigcast diff --base origin/main --fail-on removed,narrower,document

Exit codes:
  0  compared, whatever the result
  1  some change is of a kind that --fail-on names
  2  wrong usage or configuration; git or the revision is missing
  3  a file cannot be read")]
pub(crate) struct DiffArgs {
    /// What to compare with: a git revision, or a manifest that a build wrote
    #[arg(short, long, value_name = "REV|MANIFEST", default_value = "HEAD")]
    pub(crate) base: String,
    /// The configuration; paths in it are relative to its folder
    #[arg(short, long, value_name = "FILE", default_value = "sigcast.yml")]
    pub(crate) config: PathBuf,
    /// How the report is written to standard output
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) format: DiffFormat,
    /// End with 1 if there is a change of this kind, or of one of several with commas
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    pub(crate) fail_on: Vec<FailOn>,
    /// Let pipelines send requests and run commands; those of the base too
    #[arg(long)]
    pub(crate) allow_external: bool,
}

/// How the report of `diff` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For a terminal
    Text,
    /// One JSON object
    Json,
    /// For a pull request
    Markdown,
}

/// Kinds of changes that may fail a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A query that the base does not have
    Added,
    /// A query that only the base has
    Removed,
    /// A query that finds other events, or of which that cannot be told
    Changed,
    /// A query that finds more
    Wider,
    /// A query that finds less
    Narrower,
    /// The same query in another document: status, level, schedule and so on; a detection that is switched off
    Document,
    /// A query written otherwise that means the same
    Rewritten,
}

/// Write a sigcast.yml to start from, with comments
///
/// Example: sigcast init && sigcast build
#[derive(Debug, ClapArgs)]
pub(crate) struct InitArgs {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "sigcast.yml")]
    pub(crate) file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}
