//! Splunk: a `search`, and a `where` behind it for what the search cannot say.
//!
//! The two are languages of their own, with opposite orders of operators: [`search`] and [`filter`].
//!
//! What an engine does that the rules do not show, and what a query rests on:
//! - fields are extracted at search time under exactly the names of the rule: names mind case, values do not;
//! - a wildcard between two texts of a value is matched against the words of the index and may miss events (Search
//!   Manual, "Wildcards": avoid them in the middle of a string), so such patterns are filtered behind the search;
//! - `earliest` sets the time range of the search wherever it stands in it.

mod correlation;
mod filter;
pub(super) mod search;

use sigcast_ir::model::{Blank, DataModel, Edges, Names, Numbers, Objects, Values};
use sigcast_ir::{Expr, Query};

use super::formats::commented;
use crate::correlate::Correlate;
use crate::options::Settings;
use crate::target::{Comment, Format, Language, Target, plain, scope_term};

/// Splunk, by its search processing language.
pub static TARGET: Target = Target {
    name: "splunk",
    aliases: &["spl"],
    title: "Splunk search processing language",
    language: Language::Staged {
        search: &search::SEARCH,
        filter: &filter::FILTER,
        pipe: "\n| where ",
        everything: "*",
    },
    model: MODEL,
    styles: super::atc::SPLUNK,
    options: &[
        "style",
        "index",
        "source",
        "sourcetype",
        "time_range",
        "window",
        "interval",
        "cron",
        "suppress",
        "enabled",
        "level",
    ],
    formats: &[plain("spl"), commented("spl"), SAVEDSEARCHES, ES_CORRELATION, DATA_MODEL],
    comment: Comment::Block("```", "```"),
    open: |_| {},
    scope,
    scoped: |settings| !settings.index.is_empty() || settings.source.is_some() || settings.sourcetype.is_some(),
    close: |_| {},
    assumes: |_| &[],
    correlate: Correlate::Composed(correlation::compose),
};

/// Stanzas of `savedsearches.conf`. The time range stands beside the search.
const SAVEDSEARCHES: Format =
    Format::made("savedsearches", "stanzas of savedsearches.conf: scheduled searches that raise alerts", "conf")
        .preparing(|settings| settings.time_outside = true);

/// The same for Enterprise Security.
const ES_CORRELATION: Format = Format::made(
    "es-correlation",
    "correlation searches of Enterprise Security, as stanzas of savedsearches.conf",
    "conf",
)
.preparing(|settings| settings.time_outside = true);

/// A search over an accelerated data model.
const DATA_MODEL: Format =
    Format::made("data-model", "a search of a data model by tstats, for the pipeline splunk_cim", "spl")
        .without_correlations();

/// Fields are extracted as text at search time, several values of one name too; a field without a value is not extracted.
///
/// Source: Splexicon, "Field" (case-sensitive), "Multivalue field"; Search Reference, "Informational functions" (`isnull`).
const MODEL: DataModel = DataModel {
    null: Blank::Absent,
    empty_list: Blank::Absent,
    empty_text: Blank::Kept,
    edges: Edges::Kept,
    values: Values::Several,
    objects: Objects::Dotted,
    numbers: Numbers::Text,
    names: Names::Cased,
    source: "Splexicon: Field, Multivalue field; Search Reference: Informational functions",
};

/// Index, source, source type and time range as terms of the search. Names may have wildcards, as Splunk lets them.
fn scope(settings: &Settings) -> Vec<Query<'static>> {
    let named = |key: &str, name: &str| scope_term(format!("{key}={}", search::quoted(name)));
    let mut terms = Vec::new();
    if !settings.index.is_empty() {
        terms.push(Expr::Or(settings.index.iter().map(|name| named("index", name)).collect()));
    }
    terms.extend(settings.source.iter().map(|name| named("source", name)));
    terms.extend(settings.sourcetype.iter().map(|name| named("sourcetype", name)));
    if !settings.time_outside {
        terms.extend(settings.time_range.iter().map(|range| scope_term(format!("earliest=-{range}"))));
    }
    terms
}

#[cfg(test)]
mod tests;
