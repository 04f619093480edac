//! Splunk's language, as far as the target `splunk` writes it: an interpreter written from Splunk's documentation.
//!
//! There is no Splunk to be had here, so this is no proof on the engine: it is a second reading of the documentation,
//! kept apart from the backend, that has to agree with the evaluator. It refuses what it does not know.
//!
//! | module | what it does | from |
//! |---|---|---|
//! | [`event`] | fields with any number of values, and the raw text | Splexicon: Field, Multivalue field, Event data |
//! | `scan` | pipes, quotes and escapes | Search Reference, `search`: Quotes and escaping characters |
//! | `search` | what stands before the first pipe, and `\| search` | Search Reference, `search`; Search Manual: Boolean expressions, Difference between != and NOT, Wildcards |
//! | `keyword` | terms and phrases without a field | Search Manual: Event segmentation; `segmenters.conf` |
//! | `network` | CIDR notation | Search Reference, `search` and `cidrmatch` |
//! | `expression`, `value`, `function` | `\| where` | Search Reference, `where`, Evaluation functions; Search Manual: Boolean expressions |
//! | [`pipeline`] | searches that are more than a filter | Search Reference, `multisearch`; Search Manual, About the search pipeline |
//! | `assign` | `eval`, `fillnull`, `fields`, `bin`, `convert` | Search Reference |
//! | `rows` | `sort`, `reverse`, `mvexpand`, `dedup` | Search Reference |
//! | `stats`, `statistics` | `stats`, `eventstats`, `streamstats` and their functions | Search Reference, Statistical and charting functions; `limits.conf` |
//!
//! What the documentation leaves open is taken so:
//!
//! - A field's name may be quoted before `IN` as it may be before an operator.
//! - `field=*` takes an empty text for a value.
//! - A value of a search, and a keyword, ignores case by the lower case of Unicode.
//! - In `where`, a Boolean expression is three-valued: what a comparison with null gives is null too, and is no reason
//!   to decide `AND` by, if the other side is false, or `OR`, if the other side is true; only true keeps an event.
//! - In `where`, a comparison and a test (`=`, `match`, `like`) are true if they are for any of several values. Other
//!   functions take each value for itself; if they are null instead, [`Query::matches`] says whether that would matter.
//! - A number that a command computes is one of 64-bit floating point, and its text is the shortest that reads as it.
//! - A [`pipeline::Pipeline`] refuses to go on where fields have several values in a place of one, in a `BY` clause too,
//!   and where rows lack a field of the clause of `streamstats`.
//! - The raw text of an event holds every value as it is, one a line, and nothing else.
//!
//! Invariant: nothing here knows the backend, Sigma or the evaluator.

mod assign;
pub mod event;
mod expression;
mod function;
mod keyword;
mod network;
pub mod pipeline;
mod rows;
mod scan;
mod search;
mod statistics;
mod stats;
mod value;

use event::Event;
use expression::Where;
use search::Search;

/// A query: stages, each of which an event has to pass.
#[derive(Debug)]
pub struct Query {
    stages: Vec<Stage>,
}

#[derive(Debug)]
enum Stage {
    Search(Search),
    Where(Where),
}

/// What a query says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it finds it.
    pub found: bool,
    /// Whether it would say otherwise if functions of one value were null for a field with several values, of which the
    /// documentation does not tell.
    pub undocumented: bool,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// What is wrong with it, or is not known here.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut stages = Vec::new();
        for (at, part) in scan::stages(text)?.into_iter().enumerate() {
            let part = part.trim();
            let (command, rest) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
            stages.push(match command {
                "where" if at > 0 => Stage::Where(Where::parse(rest)?),
                "search" => Stage::Search(Search::parse(rest)?),
                // The first stage is a search, with or without the word.
                _ if at == 0 => Stage::Search(Search::parse(part)?),
                other => return Err(format!("the command {other} is not known here")),
            });
        }
        Ok(Self { stages })
    }

    /// Whether an event passes every stage.
    #[must_use]
    pub fn matches(&self, event: &Event) -> Verdict {
        let mut undocumented = false;
        let found = self.stages.iter().all(|stage| match stage {
            Stage::Search(search) => search.keeps(event),
            Stage::Where(condition) => {
                let (kept, open) = condition.keeps(event);
                undocumented |= open;
                kept
            }
        });
        Verdict { found, undocumented }
    }
}

#[cfg(test)]
mod pipeline_tests;
#[cfg(test)]
mod tests;
