//! `sigcast sample` and `sigcast test` as they are typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::{Words, pipelines};

/// Make sample events from rules, with the answers that are expected
///
/// Writes events as lines of JSON to standard output, for testing queries and log pipelines: hits for each way to match
/// a rule, and near misses that differ from a hit in one field. The answers are reasoned from how the values were made,
/// and an event of which that cannot be told is left out. The same rule and limits give the same events.
///
/// The keys of a line: path, document, rule_id, title, expected, what, event. `expected` holds true or false for each
/// condition of the rule, in its order; `what` says in words what the event is there for; `event` has the field names of
/// the rule. An event has its fields side by side, dots in their names included, unless `what` begins with `nested`.
///
/// Of a correlation, a line is a stream of events: path, document, rule_id, title, expected, what, stream. `expected` lists
/// where it fires, each with the keys event (the place in the stream, from 0) and keys (the group's values, as texts);
/// `stream` has the events, each with its time in the field of `--time-field`. Rules that are used up by a correlation have
/// no lines of their own.
///
/// Rules are read as by `convert`: from files, directories and standard input (`-`).
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 all sampled; 1 some rule was refused or invalid, or no rule was found;
            2 wrong usage; 3 a file cannot be read or written.")]
#[command(after_long_help = "\
Examples:
  Everything about one rule:
    sigcast sample rule.yml

  The events alone that a rule with one condition must find, to be loaded into a test index:
    sigcast sample rule.yml | jq -c 'select(.expected[0]) | .event'

  The first stream in which a correlation fires, as a test of it:
    sigcast sample brute.yml | jq -cn 'first(inputs | select(.expected != [])) | .stream[]' > brute.match.jsonl

  One hit for each rule of a repository, and nothing else:
    sigcast sample --hits 1 --variations 0 rules/ > hits.jsonl

  From standard input:
    cat rule.yml | sigcast sample -

Exit codes:
  0  all sampled (also if the reader of the output went away); a condition without a hit is a warning `no-hit`
  1  some rule was refused (a placeholder is unresolved) or invalid, or no rule was found
  2  wrong usage
  3  a file cannot be read or written; the others are sampled all the same")]
pub(crate) struct SampleArgs {
    /// Hits at most, for each condition: one for each way to match that shows something new; streams that fire, for
    /// correlations
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) hits: u32,
    /// Other events at most, for each condition: near misses, and hits in another form; other streams, for correlations
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) variations: u32,
    /// The field of events with their time, in the streams of correlations
    #[arg(long, value_name = "FIELD", default_value = "@timestamp")]
    pub(crate) time_field: String,
    /// Join Sigma filters to the rules that they are for: a file, or every file in a directory; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) filter: Vec<PathBuf>,
    /// Files and directories with rules, or - for standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// Test rules on events that lie beside them
///
/// For each rule, events are looked for in its directory and in `tests/` there, and in the directories of `--tests`:
///
/// RULE.match.jsonl    each event must match; RULE is the rule's file name without .yml, its id or its name
///
/// RULE.nomatch.jsonl  no event may match
///
/// RULE/info.yml       tests as the public rule repository keeps them; also where `regression_tests_path` points to
///
/// Events are JSON objects: one a line (.jsonl, .ndjson), or one after the other or in a list (.json). Windows events as
/// their export nests them (`Event.System`, `Event.EventData`) are taken flat, as rules name their fields.
///
/// Of a correlation, RULE.match.jsonl is a stream of events at which it fires at least once, and RULE.nomatch.jsonl one at
/// which it does not fire. The events' times are those of `--time-field`.
///
/// A test that fails tells which detection decided it, and the nearest miss: what would have to change, with the
/// event's value beside what the rule asks. docs/testing.md has the layouts and a workflow for continuous integration.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 all passed; 1 some test failed, a rule is wrong, or no test was found;
            2 wrong usage; 3 a file cannot be read.")]
#[command(after_long_help = "\
Examples:
  Every rule of a directory on the events beside it:
    sigcast test rules/

  Events in a tree of their own, which mirrors that of the rules or names rules by id:
    sigcast test --tests tests/ rules/

  As SQLite answers too, with a report for continuous integration:
    sigcast test --engine sqlite --format junit rules/ > junit.xml

  Events as a product stores them, with the pipeline that maps rules to it:
    sigcast test -p ecs_windows --tests tests/ecs/ rules/

  Events to start from:
    sigcast sample rule.yml | jq -c 'select(.expected[0]) | .event' > tests/rule.match.jsonl

Exit codes:
  0  all passed; what was not decided is said (with --strict: fails)
  1  some test failed or cannot be run, a rule is wrong, or no test was found
  2  wrong usage or configuration
  3  a file cannot be read; the other tests are run all the same")]
pub(crate) struct TestArgs {
    /// Look for tests in this directory too; may be repeated
    ///
    /// A tree like that of the rules, or one with an info.yml for each rule, or files RULE-ID.json of which one event at
    /// least must match.
    #[arg(long, value_name = "DIR")]
    pub(crate) tests: Vec<PathBuf>,
    /// Who answers: the reference evaluator, or also SQLite with the query that is emitted for it
    #[arg(long, value_enum, value_name = "NAME", default_value = "reference")]
    pub(crate) engine: Engine,
    /// Read the times of events for correlations from this field; may be repeated: the first that an event has
    ///
    /// If it is not given: @timestamp, UtcTime, TimeCreated_SystemTime, TimeCreated, timestamp, _time, TimeGenerated,
    /// EventTime. A time is ISO 8601 text (in UTC without an offset), or a count since 1970 of seconds, milliseconds,
    /// microseconds or nanoseconds.
    #[arg(long, value_name = "FIELD")]
    pub(crate) time_field: Vec<String>,
    /// Apply a processing pipeline to the rules first, for events as a product has them; may be repeated
    #[arg(short, long, value_name = "NAME|FILE|DIR", value_parser = Words(pipelines), hide_possible_values = true)]
    pub(crate) pipeline: Vec<String>,
    /// Let pipelines send requests and run commands
    #[arg(long)]
    pub(crate) allow_external: bool,
    /// How results are written to standard output
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) format: TestFormat,
    /// Fail also if a rule has no test, or a test is not decided
    #[arg(long)]
    pub(crate) strict: bool,
    /// Files and directories with rules, or - for standard input
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
}

/// Who answers whether a rule matches an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// The reference evaluator: what the rule means
    Reference,
    /// The reference evaluator, and SQLite with the query of `-t sqlite`: both must agree
    Sqlite,
}

/// How results of tests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// What failed and why; with --verbose also what passed
    Text,
    /// One JSON object for each test, in order
    Json,
    /// JUnit XML, which most services for continuous integration read
    Junit,
}
