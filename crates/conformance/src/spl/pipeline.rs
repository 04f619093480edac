//! A search with all of its commands: rows come in, and other rows come out.
//!
//! `multisearch` runs searches side by side: the rows of all of them come out. In which order is not told, as is not the
//! order of rows that a `sort` finds equal: [`Ties`] turns both round, and an answer that depends on it is none.

use super::assign::Assign;
use super::event::Event;
use super::expression::Where;
use super::rows::Rows;
use super::scan::{self, Scanner};
use super::search::Search;
use super::stats::{Stats, Stream};

pub use super::rows::Ties;

/// A search with its commands.
#[derive(Debug)]
pub struct Pipeline {
    commands: Vec<Command>,
}

#[derive(Debug)]
enum Command {
    Search(Search),
    Where(Where),
    Several(Vec<Pipeline>),
    Assign(Assign),
    Rows(Rows),
    Stats(Stats),
    Stream(Stream),
}

impl Pipeline {
    /// Reads a search.
    ///
    /// # Errors
    /// What is wrong with it, or is not known here.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut commands = Vec::new();
        for (at, part) in scan::stages(text)?.into_iter().enumerate() {
            let part = part.trim();
            match (at, part) {
                // A search that begins with a pipe begins with a command that makes rows.
                (0, "") => {}
                (0, _) => commands.push(Command::Search(Search::parse(part.strip_prefix("search ").unwrap_or(part))?)),
                _ => commands.push(command(part, commands.is_empty())?),
            }
        }
        Ok(Self { commands })
    }

    /// The rows that come out.
    ///
    /// # Errors
    /// What the documentation does not tell of.
    pub fn run(&self, events: &[Event], ties: Ties) -> Result<Vec<Event>, String> {
        let mut rows = match self.commands.first() {
            Some(Command::Several(_)) => Vec::new(),
            _ => events.to_vec(),
        };
        for command in &self.commands {
            rows = command.run(rows, events, ties)?;
        }
        Ok(rows)
    }
}

fn command(part: &str, first: bool) -> Result<Command, String> {
    let (name, rest) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
    let mut scanner = Scanner::new(rest);
    let read = match name {
        "multisearch" if first => return Ok(Command::Several(searches(&mut scanner)?)),
        _ if first => return Err(format!("{name} does not make rows")),
        "where" => return Ok(Command::Where(Where::parse(rest)?)),
        "search" => return Ok(Command::Search(Search::parse(rest)?)),
        "eval" => Command::Assign(Assign::eval(&mut scanner)?),
        "fillnull" => Command::Assign(Assign::fill(&mut scanner)?),
        "fields" => Command::Assign(Assign::remove(&mut scanner)?),
        "bin" => Command::Assign(Assign::bin(&mut scanner)?),
        "convert" => Command::Assign(Assign::convert(&mut scanner)?),
        "sort" => Command::Rows(Rows::sort(&mut scanner)?),
        "reverse" => Command::Rows(Rows::Reverse),
        "mvexpand" => Command::Rows(Rows::Expand(scanner.name()?)),
        "dedup" => Command::Rows(Rows::dedup(&mut scanner)?),
        "stats" => Command::Stats(Stats::read(&mut scanner, false)?),
        "eventstats" => Command::Stats(Stats::read(&mut scanner, true)?),
        "streamstats" => Command::Stream(Stream::read(&mut scanner)?),
        other => return Err(format!("the command {other} is not known here")),
    };
    scanner.skip_blanks();
    if scanner.rest().is_empty() { Ok(read) } else { Err(format!("{name} goes on at {}", scanner.here())) }
}

/// The searches of a `multisearch`: two or more, each in brackets, of commands that take one row at a time.
fn searches(scanner: &mut Scanner<'_>) -> Result<Vec<Pipeline>, String> {
    let mut all = Vec::new();
    loop {
        scanner.skip_blanks();
        if scanner.rest().is_empty() {
            break;
        }
        if !scanner.take("[") {
            return Err(format!("a [ was expected: {}", scanner.here()));
        }
        let rest = scanner.rest();
        let end = scan::closing(rest)?;
        let inner = rest[..end].trim();
        if !inner.starts_with("search ") {
            return Err(format!("a search inside begins with its command: {inner}"));
        }
        let inner = Pipeline::parse(inner)?;
        let streams =
            |command: &Command| matches!(command, Command::Search(_) | Command::Where(_) | Command::Assign(_));
        if !inner.commands.iter().all(streams) {
            return Err("a search inside has commands that need all rows".to_owned());
        }
        all.push(inner);
        scanner.advance(end + 1);
    }
    if all.len() < 2 { Err("a multisearch of one".to_owned()) } else { Ok(all) }
}

impl Command {
    fn run(&self, mut rows: Vec<Event>, events: &[Event], ties: Ties) -> Result<Vec<Event>, String> {
        match self {
            Self::Search(search) => rows.retain(|row| search.keeps(row)),
            Self::Where(condition) => {
                let mut kept = Vec::with_capacity(rows.len());
                for row in rows {
                    let (keeps, open) = condition.keeps(&row);
                    if open {
                        return Err("a function of several values, of which the documentation does not tell".to_owned());
                    }
                    if keeps {
                        kept.push(row);
                    }
                }
                return Ok(kept);
            }
            Self::Several(searches) => {
                let each = searches.iter().map(|search| search.run(events, ties));
                let mut each = each.collect::<Result<Vec<_>, String>>()?;
                if ties == Ties::Reversed {
                    each.reverse();
                }
                return Ok(each.concat());
            }
            Self::Assign(assign) => rows.iter_mut().try_for_each(|row| assign.run(row))?,
            Self::Rows(command) => return command.run(rows, ties),
            Self::Stats(stats) => return stats.run(rows),
            Self::Stream(stream) => return stream.run(rows),
        }
        Ok(rows)
    }
}
