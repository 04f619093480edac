//! The command line as it is typed. What it means is worked out in [`crate::plan`].
//!
//! Invariant: nothing is read or written here; help and completions come from these types alone.

mod build;
mod migrate;
mod test;

pub(crate) use build::{BuildArgs, DiffArgs, DiffFormat, FailOn, InitArgs};
pub(crate) use migrate::MigrateArgs;
pub(crate) use test::{Engine, SampleArgs, TestArgs, TestFormat};

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use sigcast_backends::TARGETS;
use sigcast_diagnostics::{Class, Code};
use sigcast_ir::{Level, Status};

/// When colour is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also into files and pipes
    Always,
    /// Not at all
    Never,
}

/// Compiles Sigma detection rules into SIEM queries and deployable content.
///
/// Every rule ends in one status. exact: the query selects the rule's events on all data that fits the stated
/// assumptions. approximate: it differs even then, and a warning says how. refused: the target cannot say the rule, and
/// an error says why and where. invalid: the rule itself is wrong. skipped: no Sigma rule. Nothing is dropped in silence.
#[derive(Debug, Parser)]
#[command(name = "sigcast", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Args {
    /// Colour on standard error
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true, help_heading = MESSAGES)]
    pub(crate) color: When,
    /// Say errors only: no warnings, no summary
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = MESSAGES)]
    pub(crate) quiet: bool,
    /// Say every warning and note, not only the first ones of each code
    #[arg(short, long, global = true, help_heading = MESSAGES)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Convert(Box<ConvertArgs>),
    Build(BuildArgs),
    Diff(DiffArgs),
    Init(InitArgs),
    Sample(SampleArgs),
    Test(TestArgs),
    Migrate(MigrateArgs),
    Pipeline(PipelineArgs),
    List(ListArgs),
    /// Print the completion script of a shell
    ///
    /// Example: sigcast completions bash > ~/.local/share/bash-completion/completions/sigcast
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Convert rules into queries
///
/// Reads Sigma rules from files, from directories (every .yml and .yaml in them, in the order of their paths; hidden
/// directories, and those that hold a file `.sigcastignore`, are passed over unless they are named themselves) and from
/// standard input (`-`). Queries go to standard output, everything else to standard error.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 all converted; 1 some rule was refused or invalid, or no rule was found;
            2 wrong usage; 3 a file cannot be read or written.")]
#[command(after_long_help = "\
Examples:
  One rule for Elasticsearch:
    sigcast convert -t lucene rule.yml

  A whole repository, severe rules only, one file a rule:
    sigcast convert -t splunk --level high+ -o queries/ rules/

  Several targets with everything about each rule, for other programs:
    sigcast convert -t kusto,splunk --jsonl rules/ > rules.jsonl

  An option of the target (see `sigcast list options -t lucene`):
    sigcast convert -t lucene -O cidr=native rule.yml

  Stop the build unless every query is exact without relying on case-insensitive storage:
    sigcast convert -t lucene --strict --deny-assumption assume-caseless rules/ > /dev/null

  From standard input:
    cat rule.yml | sigcast convert -t kibana -

Exit codes:
  0  all converted (also if the reader of the output went away)
  1  some rule was refused or invalid (with --strict: or approximate), or no rule was found
  2  wrong usage or configuration
  3  a file cannot be read or written; the others are converted all the same")]
pub(crate) struct ConvertArgs {
    /// Target language, or several with commas (see `sigcast list targets`)
    #[arg(short, long, value_delimiter = ',', value_parser = Words(targets), hide_possible_values = true)]
    pub(crate) target: Vec<String>,
    /// Output format of the target; its first one if not given (see `sigcast list formats`)
    #[arg(short, long, value_parser = Words(formats), hide_possible_values = true)]
    pub(crate) format: Option<String>,
    /// Set an option of the target (see `sigcast list options`)
    ///
    /// `key=value` holds for all targets of the run that know the key, `TARGET.key=value` for one and comes first there.
    #[arg(short = 'O', value_name = "[TARGET.]KEY=VALUE")]
    pub(crate) option: Vec<String>,
    /// Apply a processing pipeline: a built-in one by name, a file, or every file in a directory; may be repeated
    ///
    /// Pipelines map field names and values to those of a product, and say where its events are (`sigcast list
    /// pipelines`). They are applied in the order of their priorities, then as given. The format is pySigma's.
    #[arg(short, long, value_name = "NAME|FILE|DIR", value_parser = Words(pipelines), hide_possible_values = true)]
    pub(crate) pipeline: Vec<String>,
    /// Let pipelines send requests and run commands (`http_placeholders`, `command_placeholders`)
    #[arg(long)]
    pub(crate) allow_external: bool,
    /// Join Sigma filters to the rules that they are for: a file, or every file in a directory; may be repeated
    ///
    /// A filter leaves out what is known to be harmless: its condition is joined to those of the rules with `and`, before
    /// any pipeline. Filters that stand beside the rules in PATH are joined just so (docs/filters.md).
    #[arg(long, value_name = "PATH")]
    pub(crate) filter: Vec<PathBuf>,
    /// What the fields of the data are: a YAML or JSON file with `fields:`, or an Elasticsearch mapping as it is
    ///
    /// Queries for lucene, opensearch, watcher, graylog, es-dsl, kibana, eql, esql and kusto are fitted to the types, and what
    /// the schema answers is assumed no more; others pass it by, with a note. A field that it does not have is treated as
    /// without a schema. `GET index/_mapping` gives the mapping of an index; docs/schema.md shows both forms.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// Only rules of this level, or several with commas; `high+` is high and above
    #[arg(long, value_delimiter = ',', value_parser = Words(levels), hide_possible_values = true, help_heading = SELECTION)]
    pub(crate) level: Vec<String>,
    /// Only rules of this status, or several with commas; `test+` is test and more mature
    #[arg(long, value_delimiter = ',', value_parser = Words(statuses), hide_possible_values = true, help_heading = SELECTION)]
    pub(crate) status: Vec<String>,
    /// Only rules with this tag or one below it, or several with commas: `attack.t1059` also takes `attack.t1059.001`
    #[arg(long, value_delimiter = ',', help_heading = SELECTION)]
    pub(crate) tag: Vec<String>,
    /// Only rules of this log source; if repeated, of one of them
    #[arg(long, value_name = "category=..,product=..,service=..", help_heading = SELECTION)]
    pub(crate) logsource: Vec<String>,
    /// Write to a file, or one file a rule into a directory (one that exists, or a path that ends with `/`)
    ///
    /// In a directory, files are named by the rules' titles; with several targets, each has a directory of its own.
    #[arg(short, long, value_name = "FILE|DIR", help_heading = OUTPUT)]
    pub(crate) output: Option<PathBuf>,
    /// One JSON object for each document and target, in input order
    ///
    /// Its keys: path, document, rule_id, title, target, format, status, assumptions, queries, output, warnings, errors,
    /// error.
    #[arg(long, help_heading = OUTPUT, conflicts_with = "header")]
    pub(crate) jsonl: bool,
    /// Title, id and path in a comment before each query
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) header: bool,
    /// Use the templates of this directory (DIR/TARGET/FORMAT.j2) in place of those of the program
    #[arg(long, value_name = "DIR", help_heading = OUTPUT)]
    pub(crate) templates: Option<PathBuf>,
    /// Fail also if a query is only approximate
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) known: KnownArgs,
    /// Refuse rules whose queries rely on this assumption, or several with commas (see `sigcast list codes`)
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = Words(assumptions), hide_possible_values = true)]
    pub(crate) deny_assumption: Vec<String>,
    /// Files and directories with rules, or - for standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// Which failures are known.
#[derive(Debug, ClapArgs)]
pub(crate) struct KnownArgs {
    /// Accept the failures that this file lists, and fail on others only
    ///
    /// A failure is a rule (by its id, or its path without one), a target and a code. Those that no longer occur are said.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the failures of this run to the file of --baseline
    #[arg(long)]
    pub(crate) write_baseline: bool,
}

/// Look into processing pipelines: check, show, explain, coverage
///
/// A pipeline maps field names and values of rules to those of a product, and says where its events are. `sigcast
/// convert -p` applies it; docs/pipelines.md tells how to write one.
#[derive(Debug, ClapArgs)]
pub(crate) struct PipelineArgs {
    #[command(subcommand)]
    pub(crate) what: PipelineWhat,
}

/// What to do with pipelines.
#[derive(Debug, Subcommand)]
pub(crate) enum PipelineWhat {
    /// Check pipeline files: every fault at its place
    ///
    /// Example: sigcast pipeline check my-pipeline.yml
    Check {
        /// Files, directories, or names of built-in pipelines
        #[arg(value_name = "NAME|FILE|DIR", required = true)]
        names: Vec<String>,
        /// Let pipelines send requests and run commands while they are read
        #[arg(long)]
        allow_external: bool,
    },
    /// Print a built-in pipeline, to be read or as a start for one's own
    ///
    /// Example: sigcast pipeline show ecs_windows > my-pipeline.yml
    Show {
        /// The pipeline
        #[arg(value_parser = Words(pipelines), hide_possible_values = true)]
        name: String,
        /// Print the schema that belongs to it instead
        #[arg(long)]
        schema: bool,
    },
    /// Show what each item of the pipelines does to each detection item of rules
    ///
    /// Example: sigcast pipeline explain -p ecs_windows rule.yml
    Explain {
        #[command(flatten)]
        which: PipelineOf,
        /// Items that do nothing to the rule too, with the reason
        #[arg(long)]
        all: bool,
        /// One JSON object for each item and detection item
        #[arg(long)]
        json: bool,
        /// Files and directories with rules, or - for standard input
        #[arg(value_name = "RULE", required = true)]
        paths: Vec<PathBuf>,
    },
    /// List the fields that rules use and the pipelines do not map, by log source and number of rules
    ///
    /// Example: sigcast pipeline coverage -p my-pipeline.yml rules/
    Coverage {
        #[command(flatten)]
        which: PipelineOf,
        /// One JSON object for each log source
        #[arg(long)]
        json: bool,
        /// Files and directories with rules, or - for standard input
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
}

/// Which pipelines.
#[derive(Debug, ClapArgs)]
pub(crate) struct PipelineOf {
    /// A built-in pipeline by name, a file, or every file in a directory; may be repeated
    #[arg(short, long, value_name = "NAME|FILE|DIR", value_parser = Words(pipelines), hide_possible_values = true, required = true)]
    pub(crate) pipeline: Vec<String>,
    /// Let pipelines send requests and run commands
    #[arg(long)]
    pub(crate) allow_external: bool,
}

const SELECTION: &str = "Selection of rules";
const OUTPUT: &str = "Output";
const MESSAGES: &str = "Messages";

/// Show what sigcast knows: targets, formats, options, codes, pipelines, vocabulary, modifiers
#[derive(Debug, ClapArgs)]
pub(crate) struct ListArgs {
    #[command(subcommand)]
    pub(crate) what: ListWhat,
}

/// What to list.
#[derive(Debug, Subcommand)]
pub(crate) enum ListWhat {
    /// Query languages: name, aliases, title
    Targets {
        #[command(flatten)]
        shape: ListShape,
    },
    /// Output formats: target, name, file extension, title; the first of a target is its default
    Formats {
        #[command(flatten)]
        of: ListOf,
        #[command(flatten)]
        shape: ListShape,
    },
    /// Options for -O: key, values, default, meaning
    Options {
        #[command(flatten)]
        of: ListOf,
        #[command(flatten)]
        shape: ListShape,
    },
    /// Codes of errors, warnings and assumptions: code, class, meaning
    ///
    /// The class says what a code does to a rule: invalid (the rule is wrong, for every target), refused (the target
    /// cannot say it), approximate (the query differs), assumption (what the data must fulfil), warning, note, usage.
    /// An example of each code, with what comes out and what to do, stands in docs/codes.md.
    Codes {
        #[command(flatten)]
        shape: ListShape,
    },
    /// Built-in pipelines: name, backends, priority, what it is for
    Pipelines {
        #[command(flatten)]
        shape: ListShape,
    },
    /// The vocabulary of pipelines: kind, name, meaning
    Vocabulary {
        #[command(flatten)]
        shape: ListShape,
    },
    /// Modifiers of rules: name, aliases, meaning
    Modifiers {
        #[command(flatten)]
        shape: ListShape,
    },
}

/// Which target's.
#[derive(Debug, ClapArgs)]
pub(crate) struct ListOf {
    /// Of this target only, or of several with commas
    #[arg(short, long, value_delimiter = ',', value_parser = Words(targets), hide_possible_values = true)]
    pub(crate) target: Vec<String>,
}

/// How a list is shown.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct ListShape {
    /// As a JSON array of objects
    #[arg(long)]
    pub(crate) json: bool,
}

/// Any text, with known words for the shell's completion. What is unknown is reported by [`crate::plan`], with the
/// nearest word.
#[derive(Debug, Clone, Copy)]
struct Words(fn() -> Vec<PossibleValue>);

impl TypedValueParser for Words {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        clap::builder::StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter()))
    }
}

fn targets() -> Vec<PossibleValue> {
    TARGETS.iter().map(|target| PossibleValue::new(target.name).help(target.title).aliases(target.aliases)).collect()
}

fn pipelines() -> Vec<PossibleValue> {
    sigcast_pipeline::builtins().map(|found| PossibleValue::new(found.name)).collect()
}

fn formats() -> Vec<PossibleValue> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for format in TARGETS.iter().flat_map(|target| target.formats) {
        if !found.iter().any(|(name, _)| *name == format.name) {
            found.push((format.name, format.title));
        }
    }
    found.into_iter().map(|(name, title)| PossibleValue::new(name).help(title)).collect()
}

fn levels() -> Vec<PossibleValue> {
    Level::ALL.iter().map(|level| PossibleValue::new(level.as_str())).collect()
}

fn statuses() -> Vec<PossibleValue> {
    Status::ALL.iter().map(|status| PossibleValue::new(status.as_str())).collect()
}

fn assumptions() -> Vec<PossibleValue> {
    let assumed = Code::ALL.iter().filter(|code| code.class() == Class::Assumption);
    assumed.map(|code| PossibleValue::new(code.as_str()).help(code.meaning())).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
