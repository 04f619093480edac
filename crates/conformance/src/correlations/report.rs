//! The section of the page on correlations, and what there is to mend.

use std::fmt::Write;

use super::Sampled;
use super::compare::Tally;
use super::runs::{Run, Windows};

/// The name of the section among the engines' marks.
pub const NAME: &str = "correlations";

/// What stands above the table.
#[must_use]
pub fn opening(sampled: &[Sampled<'_>]) -> String {
    let (correlations, streams) = (sampled.len(), sampled.iter().map(|one| one.streams.len()).sum::<usize>());
    format!(
        "## Correlations\n\n\
         {correlations} correlations (`rules/correlation`) over {streams} streams of events that are made for them: with just \
         enough events, one\n\
         fewer, at the edge of the window and beyond it, in two groups, in another order. Each stream is alone in the engine,\n\
         and the query is the one that is emitted. Where windows are *sliding*, it must find the events at which the\n\
         correlation fires; where they are *fixed*, the windows and groups that the evaluator finds in fixed ones. *Exact*\n\
         are correlations that are so, but for their windows where these are fixed; *approximate* those that differ in more,\n\
         as their codes say, and the last column counts the streams on which they do. *Not held*: streams with values that the\n\
         engine's data model has not. A watch is run at the end of each window: its search and its condition, without Watcher.\n\
         Maven Central has none of Elasticsearch's modules for pipeline aggregations, Painless and EQL, for which the package\n\
         `eql` stands in again, and no plugin for PPL: what `opensearch` writes for correlations is not run.\n\n\
         | engine | version | target | windows | exact | approximate | refused | not run | streams | firing | not held | \
         rejected | exact that differ | approximate that differ |\n\
         |---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    )
}

/// A line of the table.
#[must_use]
pub fn line(engine: &str, version: &str, run: &Run, tally: &Tally) -> String {
    let version = version.split(',').next().unwrap_or(version);
    let differing: Vec<String> = tally.differing.iter().map(|(codes, count)| format!("{count} ({codes})")).collect();
    let differing = if differing.is_empty() { "0".to_owned() } else { differing.join(", ") };
    let options: String =
        run.options.iter().filter(|(key, _)| *key != "index").map(|(key, value)| format!(" {key}={value}")).collect();
    format!(
        "| {engine} | {version} | `{}`{options} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {differing} |\n",
        run.target,
        run.windows.name(),
        tally.exact,
        tally.approximate,
        tally.refused.values().sum::<usize>(),
        tally.not_run.values().sum::<usize>(),
        tally.streams,
        tally.firing,
        tally.not_held,
        tally.rejected.len(),
        tally.faults.len(),
    )
}

/// The lines of an engine on a page that was written before.
#[must_use]
pub fn kept(page: &str, engine: &str) -> String {
    let section = crate::report::kept(page, NAME);
    let own = format!("| {engine} | ");
    section.lines().filter(|line| line.starts_with(&own)).map(|line| format!("{line}\n")).collect()
}

/// Every fault and every refused query, for someone who mends them. At most `most` of them.
#[must_use]
pub fn details(run: &Run, tally: &Tally, most: usize) -> String {
    let mut out = String::new();
    let kind = if run.windows == Windows::Fixed { "fixed" } else { "sliding" };
    for fault in tally.faults.iter().take(most) {
        let _ = writeln!(
            out,
            "{} {kind}: {}: {}\n{}\n{}",
            run.target, fault.path, fault.answers, fault.stream, fault.query
        );
    }
    for (path, why) in tally.rejected.iter().take(most) {
        let _ = writeln!(out, "{} {kind}: {path}: refused: {why}", run.target);
    }
    out
}
