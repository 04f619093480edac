//! How a query changed.
//!
//! Invariant: "the same in meaning" is said only where the queries come from the same tests under the same options; "wider"
//! and "narrower" only where events show it and none shows the contrary. What cannot be told is `changed`.

use serde_json::Value;
use sigcast_eval::{Limits, RuleMatcher, samples};
use sigcast_ir::{Expr, Match, Query, Rule, lower};

use super::differs::Differs;
use super::side::{Deep, Item};
use crate::args::FailOn;
use crate::engine::guarded;
use crate::plan::Job;

/// What is said of a document that changed around its query.
const SAME_QUERY: &str = "the query is the same, the document around it is not";

/// How a query changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Only the base has a query.
    Removed,
    /// It finds less.
    Narrower,
    /// It finds other events, or nobody can tell.
    Changed,
    /// The query is the same, the document around it is not.
    Document,
    /// It finds more.
    Wider,
    /// Only the new side has a query.
    Added,
    /// It is written otherwise, and means the same.
    Rewritten,
    /// It is the same.
    Unchanged,
}

impl Kind {
    /// Every kind, what deserves a look first.
    pub(super) const ALL: [Self; 8] = [
        Self::Removed,
        Self::Narrower,
        Self::Changed,
        Self::Document,
        Self::Wider,
        Self::Added,
        Self::Rewritten,
        Self::Unchanged,
    ];

    /// The word for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Narrower => "narrower",
            Self::Changed => "changed",
            Self::Document => "document",
            Self::Wider => "wider",
            Self::Added => "added",
            Self::Rewritten => "rewritten",
            Self::Unchanged => "unchanged",
        }
    }

    fn is(self, asked: FailOn) -> bool {
        match asked {
            FailOn::Added => self == Self::Added,
            FailOn::Removed => self == Self::Removed,
            FailOn::Changed => self == Self::Changed,
            FailOn::Document => self == Self::Document,
            FailOn::Wider => self == Self::Wider,
            FailOn::Narrower => self == Self::Narrower,
            FailOn::Rewritten => self == Self::Rewritten,
        }
    }
}

/// A change.
#[derive(Debug)]
pub(super) struct Change<'s> {
    /// What it is.
    pub(super) kind: Kind,
    /// Why it is that, in words; may be empty.
    pub(super) why: String,
    /// An event that one side finds and the other does not.
    pub(super) example: Option<Value>,
    /// What differs of the documents around a query that is the same; `None` if it differs, or if a side is a manifest,
    /// which does not hold them.
    pub(super) differs: Option<Differs>,
    /// What describes the rule differs (status, level, custom attributes), beside the query.
    pub(super) described: bool,
    /// The query before.
    pub(super) old: Option<Item<'s>>,
    /// The query now.
    pub(super) new: Option<Item<'s>>,
}

impl Change<'_> {
    /// Whether a run is to fail on it. A query that changes may stand in a document that does too.
    pub(super) fn is(&self, asked: FailOn) -> bool {
        self.kind.is(asked) || (asked == FailOn::Document && self.described)
    }
}

/// What is said of a pair.
struct Verdict(Kind, String, Option<Value>);

fn verdict(kind: Kind, why: impl Into<String>) -> Verdict {
    Verdict(kind, why.into(), None)
}

/// Compares what stands for one rule and output on both sides; nothing if neither has a query.
pub(super) fn compare<'s>((old, new): (Option<Item<'s>>, Option<Item<'s>>)) -> Option<Change<'s>> {
    let hash = |item: &Option<Item<'_>>| item.as_ref().and_then(|item| item.hash.clone());
    let Verdict(kind, why, example) = match (hash(&old), hash(&new)) {
        (None, None) => return None,
        (None, Some(_)) => verdict(Kind::Added, gone(old.as_ref(), "the rule is new", "before")),
        (Some(_), None) => verdict(Kind::Removed, gone(new.as_ref(), "the rule is gone, or no longer selected", "now")),
        (Some(one), Some(other)) => both(old.as_ref()?, new.as_ref()?, one == other),
    };
    let (differs, described) = match (&old, &new) {
        (Some(old), Some(new)) => (differing(old, new), described(old, new)),
        _ => (None, None),
    };
    let why = match &described {
        Some(what) if why.is_empty() => what.clone(),
        Some(what) => format!("{why}; {what}"),
        None => why,
    };
    Some(Change { kind, why, example, differs, described: described.is_some(), old, new })
}

/// What differs of the documents around one query.
fn differing(old: &Item<'_>, new: &Item<'_>) -> Option<Differs> {
    let (before, now) = (old.deep?, new.deep?);
    let texts = |deep: Deep<'_>| deep.ended.output.join("\n\n");
    (old.hash == new.hash && old.document_sha256 != new.document_sha256)
        .then(|| Differs::new(&texts(before), &texts(now)))
        .filter(|differs| !differs.is_empty())
}

/// What describes a rule and may switch its detection on or off, where the document holds it and the query does not.
fn described(old: &Item<'_>, new: &Item<'_>) -> Option<String> {
    let (before, now) = (old.deep?, new.deep?);
    if job(now).format.plain || old.document_sha256 == new.document_sha256 {
        return None;
    }
    let (one, other) = (&before.rule?.meta, &now.rule?.meta);
    let word = |word: Option<&'static str>| word.unwrap_or("none");
    let mut told = Vec::new();
    if one.status != other.status {
        let of = |status: Option<sigcast_ir::Status>| word(status.map(sigcast_ir::Status::as_str));
        told.push(format!("status {} before, {} now", of(one.status), of(other.status)));
    }
    if one.level != other.level {
        let of = |level: Option<sigcast_ir::Level>| word(level.map(sigcast_ir::Level::as_str));
        told.push(format!("level {} before, {} now", of(one.level), of(other.level)));
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// Why there is no query.
fn gone(item: Option<&Item<'_>>, absent: &str, when: &str) -> String {
    match item {
        None => absent.to_owned(),
        Some(item) => format!("{when} {} ({})", item.status, item.errors.join(", ")),
    }
}

fn both(old: &Item<'_>, new: &Item<'_>, same_query: bool) -> Verdict {
    let (Some(before), Some(now)) = (old.deep, new.deep) else {
        return if same_query && old.document_sha256 == new.document_sha256 {
            verdict(Kind::Unchanged, status_change(old, new))
        } else if same_query {
            verdict(Kind::Document, "the document around the query differs; a manifest does not hold it to show how")
        } else {
            verdict(Kind::Changed, "a manifest does not hold what the base means, so the meaning is not compared")
        };
    };
    if same_query && old.document_sha256 == new.document_sha256 {
        return verdict(Kind::Unchanged, status_change(old, new));
    }
    // One panic of the program costs one answer.
    let place = now.rule.map(|rule| rule.span);
    let told = place.map(|place| guarded(place.source, place.start as usize, || meaning(before, now, same_query)));
    let mut told = match told {
        Some(Ok(told)) => told,
        _ => verdict(Kind::Changed, "the meaning could not be compared"),
    };
    let status = status_change(old, new);
    if !status.is_empty() {
        told.1 = if told.1.is_empty() { status } else { format!("{}; {status}", told.1) };
    }
    told
}

fn status_change(old: &Item<'_>, new: &Item<'_>) -> String {
    if old.status == new.status { String::new() } else { format!("{} before, {} now", old.status, new.status) }
}

/// What the change does to the meaning, as far as that can be told.
fn meaning(before: Deep<'_>, now: Deep<'_>, same_query: bool) -> Verdict {
    let (Some(old), Some(new)) = (transformed(before), transformed(now)) else {
        let settings = |deep: Deep<'_>| format!("{:?}", job(deep).backend.settings);
        let same = same_query && same_form(before, now).is_none() && settings(before) == settings(now);
        return if same {
            verdict(Kind::Document, SAME_QUERY)
        } else {
            verdict(Kind::Changed, "the meaning could not be compared")
        };
    };
    if let Some(other) = surroundings(before, now, &old, &new) {
        return verdict(Kind::Changed, other);
    }
    if same_query {
        return verdict(Kind::Document, SAME_QUERY);
    }
    if normal(&old) == normal(&new) {
        return verdict(Kind::Rewritten, "the same tests in another order or form");
    }
    evaluated(&old, &new)
}

/// The rule as its query was made from it.
fn transformed<'s>(deep: Deep<'s>) -> Option<Rule<'s>> {
    let rule = deep.rule?;
    let chain = deep.project.chains.of(deep.job)?;
    Some(if chain.is_empty() { rule.clone() } else { chain.apply(rule.clone()).rule })
}

fn job<'s>(deep: Deep<'s>) -> &'s Job {
    &deep.project.config.jobs[deep.job]
}

/// Whether target or format differ.
fn same_form(before: Deep<'_>, now: Deep<'_>) -> Option<String> {
    let (one, other) = (job(before), job(now));
    if one.backend.target.name != other.backend.target.name {
        return Some(format!("the target was {}", one.backend.target.name));
    }
    if one.format.name != other.format.name {
        return Some(format!("the format was {}", one.format.name));
    }
    None
}

/// What beside the rule's tests differs and may change what is found.
fn surroundings(before: Deep<'_>, now: Deep<'_>, old: &Rule<'_>, new: &Rule<'_>) -> Option<String> {
    let (one, other) = (job(before), job(now));
    if let Some(form) = same_form(before, now) {
        return Some(form);
    }
    let settings = |job: &Job, rule: &Rule<'_>| {
        let mut settings = job.backend.settings_for(rule, &mut Vec::new()).into_owned();
        let schema = settings.schema.take();
        (format!("{settings:?}"), schema)
    };
    let ((settings_before, schema_before), (settings_now, schema_now)) = (settings(one, old), settings(other, new));
    if settings_before != settings_now || old.prepared.scoped != new.prepared.scoped {
        return Some("options of the target differ".to_owned());
    }
    if schema_before != schema_now {
        return Some("the schema differs".to_owned());
    }
    let chain =
        |deep: Deep<'_>| deep.project.chains.of(deep.job).is_some_and(sigcast_pipeline::Chain::has_postprocessing);
    let pipelines = |deep: Deep<'_>| {
        let of = deep.project.config.outputs[deep.job].pipelines.iter();
        let rows = of.filter_map(|number| deep.project.pipelines.get(*number)).flatten();
        rows.map(|row| row.sha256.clone()).collect::<Vec<_>>()
    };
    if (chain(before) || chain(now)) && pipelines(before) != pipelines(now) {
        return Some("pipelines that work on the text of queries differ".to_owned());
    }
    let own = |deep: Deep<'_>| deep.project.config.templates.is_some();
    if !one.format.plain && (own(before) || own(now)) {
        return Some("what the templates make of it differs".to_owned());
    }
    None
}

/// Each condition in a form that is the same for the same tests in any order.
fn normal(rule: &Rule<'_>) -> Vec<String> {
    lower::queries(rule).into_iter().map(|(query, _)| canonical(&query.simplify())).collect()
}

fn canonical(query: &Query<'_>) -> String {
    let sorted = |terms: &[Query<'_>]| {
        let mut terms: Vec<String> = terms.iter().map(canonical).collect();
        terms.sort_unstable();
        terms.dedup();
        terms.join(", ")
    };
    match query {
        Expr::And(terms) => format!("all({})", sorted(terms)),
        Expr::Or(terms) => format!("any({})", sorted(terms)),
        Expr::Not(inner) => format!("not({})", canonical(inner)),
        Expr::Match(Match { subject, test, .. }) => format!("{subject:?} {test:?}"),
        Expr::Const(value) => format!("{value}"),
    }
}

/// Which side finds more of the sample events of both.
fn evaluated(old: &Rule<'_>, new: &Rule<'_>) -> Verdict {
    let unknown = |why: &dyn std::fmt::Display| verdict(Kind::Changed, format!("no events can be made from it: {why}"));
    let made = |rule: &Rule<'_>| samples(rule, Limits::default());
    let (mut events, more) = match (made(old), made(new)) {
        (Ok(events), Ok(more)) => (events, more),
        (Err(why), _) | (_, Err(why)) => return unknown(&why),
    };
    events.extend(more);
    let (before, now) = match (RuleMatcher::new(old), RuleMatcher::new(new)) {
        (Ok(before), Ok(now)) => (before, now),
        (Err(why), _) | (_, Err(why)) => return unknown(&why),
    };
    let (mut total, mut lost, mut won) = (0, Vec::new(), Vec::new());
    for sample in events {
        match (before.matches(&sample.event), now.matches(&sample.event)) {
            (Ok(before), Ok(now)) => {
                total += 1;
                match (before, now) {
                    (true, false) => lost.push(sample.event),
                    (false, true) => won.push(sample.event),
                    _ => {}
                }
            }
            (Err(why), _) | (_, Err(why)) => return unknown(&why),
        }
    }
    let (less, more) = (lost.len(), won.len());
    let events = |count: usize| if count == 1 { "1 event".to_owned() } else { format!("{count} events") };
    let (kind, why) = match (less, more) {
        (0, 0) => (Kind::Changed, format!("none of {total} sample events tells the two apart")),
        (0, more) => (Kind::Wider, format!("finds {} more of {total} sample events", events(more))),
        (less, 0) => (Kind::Narrower, format!("finds {} less of {total} sample events", events(less))),
        (less, more) => {
            (Kind::Changed, format!("of {total} sample events finds {} less and {} more", events(less), events(more)))
        }
    };
    Verdict(kind, why, lost.into_iter().chain(won).next())
}
