//! What is said to people: standard error, its colour, and the progress bar.
//!
//! Invariant: nothing here fails. A reader that has gone away changes no result.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::When;
use crate::exit::Fault;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors, examples of warnings, and the summary.
    Usual,
    /// Every warning and note.
    Verbose,
}

/// Standard error.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// Whether styles may be used.
    pub(crate) colour: bool,
    /// How much is said.
    pub(crate) verbosity: Verbosity,
    /// Whether somebody is watching.
    watched: bool,
}

impl Terminal {
    /// Standard error as the environment has it: colour only on a terminal, unless the user says otherwise.
    pub(crate) fn new(colour: When, quiet: bool, verbose: bool) -> Self {
        let watched = std::io::stderr().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let verbosity = match (quiet, verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Usual,
        };
        let colour = match colour {
            When::Always => true,
            When::Never => false,
            When::Auto => watched && !plain,
        };
        Self { colour, verbosity, watched }
    }

    /// The same for work of which only errors are worth saying.
    pub(crate) fn quiet(&self) -> Self {
        Self { colour: self.colour, verbosity: Verbosity::Quiet, watched: self.watched }
    }

    /// Writes text and a line break.
    pub(crate) fn say(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n"));
    }

    /// Says what is worth knowing, unless only errors are wanted.
    pub(crate) fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.say(&format!("note: {text}"));
        }
    }

    /// Text in bold, where styles may be used.
    pub(crate) fn bold(&self, text: &str) -> String {
        if self.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Shows why the run ended.
    pub(crate) fn fault(&self, fault: &Fault) {
        let (red, off) = if self.colour { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        self.say(&format!("{red}error{off}: {fault}"));
        for help in &fault.help {
            self.say(&format!("  help: {help}"));
        }
    }

    /// A progress bar over this many steps, which shows itself only if somebody watches and it takes a while.
    pub(crate) fn progress(&self, steps: usize) -> Progress {
        if !self.watched || self.verbosity == Verbosity::Quiet {
            return Progress { bar: None, since: Instant::now(), shown: AtomicBool::new(true) };
        }
        let bar = ProgressBar::with_draw_target(u64::try_from(steps).ok(), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} {eta}") {
            bar.set_style(style);
        }
        Progress { bar: Some(bar), since: Instant::now(), shown: AtomicBool::new(false) }
    }
}

/// A progress bar that waits before it shows itself.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    since: Instant,
    shown: AtomicBool,
}

impl Progress {
    /// What takes less is over before a bar could be read.
    const WAIT: Duration = Duration::from_secs(1);

    /// One step is done. Called from any thread.
    pub(crate) fn step(&self) {
        let Some(bar) = &self.bar else { return };
        bar.inc(1);
        let late = !self.shown.load(Ordering::Relaxed) && self.since.elapsed() > Self::WAIT;
        if late && !self.shown.swap(true, Ordering::Relaxed) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
