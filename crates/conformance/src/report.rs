//! The figures, as the page `docs/conformance.md`.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::compare::{Tallies, Tally};
use crate::corpus::Corpus;
use crate::runs::Run;

/// What one engine gave.
#[derive(Debug)]
pub struct Outcome {
    /// The engine, with its version.
    pub engine: String,
    /// Which rules: in a section that is kept from an earlier run, other ones than the page's opening tells.
    pub rules: String,
    /// The runs.
    pub runs: &'static [Run],
    /// Their counts.
    pub tallies: Tallies,
}

/// What begins the section of an engine on the page, so that it is found again.
#[must_use]
pub fn mark(name: &str) -> String {
    format!("\n<!-- engine: {name} -->\n")
}

/// The section of an engine on a page that was written before, with its mark; nothing if there is none.
#[must_use]
pub fn kept<'p>(page: &'p str, name: &str) -> &'p str {
    let Some(start) = page.find(&mark(name)) else { return "" };
    let rest = &page[start..];
    let end = rest[1..].find("\n<!-- engine: ").map_or(rest.len(), |end| end + 1);
    &rest[..end]
}

/// The table of an engine, and what it leaves open.
#[must_use]
pub fn section(outcome: &Outcome) -> String {
    let mut out = format!("## {}\n\n{}\n\n", outcome.engine, outcome.rules);
    out.push_str("| target | way | data | exact | approximate | refused | not run | queries | answers | hits | ");
    out.push_str("rejected | exact rules that differ | approximate rules that differ |\n");
    out.push_str("|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for ((run, setting), tally) in &outcome.tallies {
        let run = &outcome.runs[*run];
        let differing: usize = tally.differing.values().map(|(queries, _)| queries).sum();
        let _ = writeln!(
            out,
            "| `{}` | {} | {setting} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            run.target,
            run.way.name,
            tally.exact,
            tally.approximate,
            sum(&tally.refused),
            sum(&tally.not_run) + sum(&tally.left) + tally.lacking.values().sum::<usize>(),
            tally.queries,
            tally.answers,
            tally.hits,
            tally.rejected.values().map(Vec::len).sum::<usize>(),
            tally.faults.len(),
            differing,
        );
    }
    out
}

/// Causes, one line each, over all runs of an engine.
#[must_use]
pub fn causes(outcome: &Outcome) -> String {
    let mut out = String::new();
    let mut list = |title: &str, of: &dyn Fn(&Tally) -> Vec<(String, String)>| {
        let mut lines: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for ((run, setting), tally) in &outcome.tallies {
            let run = &outcome.runs[*run];
            for line in of(tally) {
                lines.entry(line).or_default().push(format!("`{}` {} {setting}", run.target, run.way.name));
            }
        }
        if lines.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{title}:\n");
        for ((cause, count), runs) in lines {
            let _ = writeln!(out, "- {cause}: {count} ({})", runs.join(", "));
        }
    };
    list("Refused by the target", &|tally| counts(&tally.refused));
    list("Not run, because the data is not as the query assumes it", &|tally| counts(&tally.not_run));
    list("Not run, because no index holds the fields of the rule", &|tally| counts(&tally.left));
    list("Approximate rules that differ, by the codes that say so", &|tally| {
        let one = |(codes, (queries, events)): (&String, &(usize, usize))| {
            (codes.clone(), format!("{queries} queries on {events} events"))
        };
        tally.differing.iter().map(one).collect()
    });
    list(
        "Queries that the engine refuses for their size, as their conversion warns (`many-clauses`, `long-query`)",
        &|tally| tally.large.iter().map(|(reason, count)| (reason.clone(), count.to_string())).collect(),
    );
    list("Not run, because the engine speaks a part of the language only", &|tally| {
        tally.lacking.iter().map(|(cause, count)| (cause.clone(), count.to_string())).collect()
    });
    list("Queries that the engine refuses", &|tally| {
        tally.rejected.iter().map(|(reason, all)| (reason.clone(), all.len().to_string())).collect()
    });
    out
}

fn counts(map: &BTreeMap<&'static str, usize>) -> Vec<(String, String)> {
    map.iter().map(|(key, count)| ((*key).to_owned(), count.to_string())).collect()
}

fn sum(map: &BTreeMap<&'static str, usize>) -> usize {
    map.values().sum()
}

/// Every fault and every refused query, for someone who mends them. At most `most` of each run.
#[must_use]
pub fn details(outcome: &Outcome, most: usize) -> String {
    let mut out = String::new();
    for ((run, setting), tally) in &outcome.tallies {
        let run = &outcome.runs[*run];
        let place = format!("{} {} {setting}", run.target, run.way.name);
        for fault in tally.faults.iter().take(most) {
            let meant = if fault.meant { "not found" } else { "found" };
            let text: String = fault.text.chars().take(1_500).collect();
            let _ = writeln!(
                out,
                "{place}: {}: {} events differ; {meant}: {}\n    {text}",
                fault.path, fault.events, fault.event
            );
        }
        for (reason, all) in &tally.rejected {
            for (path, text) in all.iter().take(most) {
                let text: String = text.chars().take(600).collect();
                let _ = writeln!(out, "{place}: {path}: refused: {reason}\n    {text}");
            }
        }
    }
    out
}

fn which(step: usize) -> String {
    if step > 1 { format!("every {step}th rule") } else { "every rule".to_owned() }
}

/// How many rules were run, and which.
#[must_use]
pub fn rules(corpus: &Corpus<'_>, step: usize) -> String {
    format!("{} rules ({}).", corpus.cases.len(), which(step))
}

/// The start of the page.
#[must_use]
pub fn opening(corpus: &Corpus<'_>, events: usize, step: usize) -> String {
    let which = which(step);
    let left: Vec<String> = corpus.left.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let left = if left.is_empty() { String::new() } else { format!(" Left out: {}.", left.join("; ")) };
    format!(
        "# Conformance\n\n\
         What the engines find for the emitted queries, against what the reference evaluator matches. Written by\n\
         `conformance/run`; not to be edited.\n\n\
         {} rules ({which}), {events} events made for them or recorded, {} recorded events that every rule is asked \
         about.{left}\n\n\
         *Exact* and *approximate*: rules that are so under the way and were run. *Refused*: rules that the target\n\
         cannot say. *Not run*: the data does not fulfil an assumption of the query, no index can hold the rule's\n\
         fields, or the engine speaks a part of the language only. *Answers*: one query on one event each; *hits* are\n\
         those that say yes. *Rejected*: queries that the engine refuses to run. An exact rule that differs is a fault.\n\n\
         Nodes of OpenSearch and Elasticsearch are started from the artifacts that Maven Central has, with the servers'\n\
         own defaults. It has Elasticsearch's module for ES|QL, but not the one for EQL: the package `eql` stands in,\n\
         which is older; `crates/conformance/engines/eql/engine.py` says in which points it is made to answer as\n\
         Elasticsearch documents. ES|QL takes no text for a number, so numbers are held as numbers there.\n\n\
         Left out of the data on Elasticsearch, by `assume-address-text`: text of an IPv4 address that is mapped into IPv6\n\
         (`::ffff:10.0.0.1`), of which ES|QL's `TO_IP` makes the IPv4 address, which the rule does not mean.\n\n\
         A way that has the name of a pipeline maps the rules by it first. Sample events are made from the mapped rules;\n\
         recorded ones go through what the pipelines' tests have for shippers, if there is one. That mapped rules\n\
         answer as the rules themselves do is what those tests show; here engine and evaluator answer for the mapped\n\
         rule. Data is as the pipeline's schema describes it.\n\n\
         Microsoft's parser of Kusto executes nothing: it has the columns of the tables, and whatever it remarks counts\n\
         as a rejected query. That it remarks what is wrong is tested beside it.\n\n\
         Of the targets, `kibana` alone is approximate for most rules where fields mind case (*cased*): its language has\n\
         no way to ignore case in a keyword field, and says so (`case-narrowed`). Where the fields have a normaliser that\n\
         folds case, it is exact like the others.\n",
        corpus.cases.len(),
        corpus.recorded.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        let page = format!("# Page\n{}## One\n\nTable\n{}## Two\n", mark("one"), mark("two"));
        assert_eq!(kept(&page, name), expected, "{name}");
    }

    #[test]
    fn sections_are_found_again() {
        check("one", "\n<!-- engine: one -->\n## One\n\nTable\n");
        check("two", "\n<!-- engine: two -->\n## Two\n");
        check("three", "");
    }
}
