//! The command `sigcast`: files, threads, progress, exit codes.
//!
//! Invariant: standard output carries queries (or what `diff`, `sample`, `test`, `migrate`, `list`, `completions` and `--help` were
//! asked for) and nothing else; everything said to people goes to standard error.

mod args;
mod baseline;
mod build;
mod diff;
mod engine;
mod exit;
mod input;
mod link;
mod list;
mod migrate;
mod output;
mod pipeline;
mod pipelines;
mod plan;
mod run;
mod sample;
mod select;
mod streams;
mod summary;
mod terminal;
mod test_rules;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Args, Command};
use crate::exit::{Exit, Fault};
use crate::terminal::Terminal;

fn main() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::new(args.color, args.quiet, args.verbose);
    let ended = match &args.command {
        Command::Convert(convert) => run::convert(convert, &terminal),
        Command::Build(args) => build::build(args, &terminal),
        Command::Diff(args) => diff::diff(args, &terminal),
        Command::Init(args) => build::init(args, &terminal),
        Command::Sample(sample) => sample::sample(sample, &terminal),
        Command::Test(test) => test_rules::test(test, &terminal),
        Command::Migrate(args) => migrate::migrate(args, &terminal),
        Command::Pipeline(args) => pipeline::pipeline(&args.what, &terminal),
        Command::List(list) => list::list(&list.what),
        Command::Completions { shell } => completions(*shell),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(fault) => {
            terminal.fault(&fault);
            fault.exit.into()
        }
    }
}

/// Writes the completion script of a shell to standard output.
fn completions(shell: clap_complete::Shell) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "sigcast", &mut script);
    output::to_stdout(&script)
}
