//! How a run ends: exit codes, and faults that end it at once.
//!
//! Invariant: the numbers are those that other programs depend on and never change.

use std::fmt;
use std::process::ExitCode;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All converted.
    Done = 0,
    /// Some rule was refused or invalid (with `--strict`: or approximate), or no rule was found.
    Rules = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// A file cannot be read or written.
    Io = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a run ended at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The exit code.
    pub(crate) exit: Exit,
    /// One sentence without a full stop.
    pub(crate) message: String,
    /// What would mend it.
    pub(crate) help: Vec<String>,
}

impl Fault {
    /// The command line is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), help: Vec::new() }
    }

    /// Something cannot be read or written.
    pub(crate) fn io(message: impl Into<String>) -> Self {
        Self { exit: Exit::Io, message: message.into(), help: Vec::new() }
    }

    /// Adds a line of help.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds "did you mean" for the nearest of the known words, if one is near.
    pub(crate) fn near<'w>(self, word: &str, known: impl IntoIterator<Item = &'w str>) -> Self {
        match sigcast_diagnostics::nearest(word, known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
