//! `sigcast init`: a configuration to start from.

use std::path::Path;

use crate::args::InitArgs;
use crate::exit::{Exit, Fault};
use crate::output;
use crate::terminal::Terminal;

/// The text, with a gap for where the rules lie.
const START: &str = include_str!("start.yml");

/// Runs `sigcast init`.
pub(crate) fn init(args: &InitArgs, terminal: &Terminal) -> Result<Exit, Fault> {
    let path = &args.file;
    if path.is_dir() {
        let message = format!("{} is a directory", path.display());
        return Err(
            Fault::usage(message).help(format!("such as `sigcast init {}`", path.join("sigcast.yml").display()))
        );
    }
    if path.exists() && !args.force {
        return Err(Fault::usage(format!("{} is there already", path.display())).help("`--force` replaces it"));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let rules = ["rules/", "sigma/rules/", "detections/"].into_iter().find(|name| folder.join(name).is_dir());
    output::file(path, &START.replace("RULES", rules.unwrap_or(".")))?;
    terminal.note(&format!("{} is written; `sigcast build -c {}` builds it", path.display(), path.display()));
    if rules.is_none() {
        terminal.note("there is no directory `rules`: its `rules` reads every rule beside and below it");
    }
    Ok(Exit::Done)
}
