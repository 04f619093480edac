//! `command_placeholders`: what a command prints stands for placeholders, if the run allows it.

use serde::Deserialize;

use super::external::{allowed, bytes, most, seconds, split};
use super::{Entry, OneOrMore};
use crate::read::fault;
use crate::world::Command;

pub(super) const ENTRY: Entry = Entry {
    name: "command_placeholders",
    summary: "placeholders become what a command prints; only with --allow-external",
    read: |found, resources| {
        let head = found.part.head();
        let place = found.part.get("cmd").unwrap_or(found.part).span();
        let (extraction, CommandLine { cmd, timeout, max_stdout }) = split(&found, "command_placeholders")?;
        allowed(resources, "command_placeholders", "runs a command", head)?;
        let arguments = match cmd {
            OneOrMore::One(line) => vec!["/bin/sh".to_owned(), "-c".to_owned(), line],
            OneOrMore::More(words) if !words.is_empty() => words,
            OneOrMore::More(_) => return Err(vec![fault(place, "`cmd` is an empty list")]),
        };
        let command = Command { arguments, timeout: seconds(timeout), most: bytes(max_stdout) };
        let text = resources.world.run(&command).map_err(|why| vec![fault(place, why)])?;
        extraction.work(&text, place)
    },
};

#[derive(Debug, Deserialize)]
struct CommandLine {
    cmd: OneOrMore<String>,
    #[serde(default = "thirty")]
    timeout: u64,
    #[serde(default = "most")]
    max_stdout: usize,
}

fn thirty() -> u64 {
    30
}
