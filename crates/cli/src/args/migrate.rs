//! `sigcast migrate` as it is typed.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Bring old rules into the forms of today
///
/// Shows what would change as a unified difference: aggregations of old become correlations with their rules, collections
/// (`action: global`) whole documents, dates `2019/01/31` and tags such as `attack.defense_evasion` their forms of today.
/// Comments, order and layout stay. A file is changed only if what comes out means the same.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 all went well; 1 some file cannot be migrated (with --check: or would change);
            2 wrong usage; 3 a file cannot be read or written.")]
#[command(after_long_help = "\
Examples:
  What would change:
    sigcast migrate rules/

  Change it, and look at it afterwards:
    sigcast migrate --write rules/ && git diff

  Keep a repository in the forms of today:
    sigcast migrate --check rules/ > /dev/null

Exit codes:
  0  all went well
  1  some file cannot be migrated, or has a fault (with --check: or would change)
  2  wrong usage
  3  a file cannot be read or written")]
pub(crate) struct MigrateArgs {
    /// Write the changed files, each whole or not at all
    #[arg(long)]
    pub(crate) write: bool,
    /// Exit with 1 if something would change (or, with --write, has changed)
    #[arg(long)]
    pub(crate) check: bool,
    /// Files and directories with rules, or - for standard input
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
}
