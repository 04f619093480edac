//! Filters are joined to the rules that they are for.
//!
//! Invariant: a rule is joined with all of its filters or refused; no filter goes without a word.

use std::collections::HashMap;

use sigcast_diagnostics::{Class, Code, Diagnostic, Span};
use sigcast_ir::{Filter, FilterRules, Reference, Rule, Source};

use super::{Joined, Rules, with_help};
use crate::{Document, Kind};

/// Joins the filters of a run to the rules that they are for. Tells which rules were joined, in order.
pub(super) fn join<'a>(documents: &mut [&mut Document<'a>]) -> Vec<Joined> {
    let filters = taken(documents);
    if filters.is_empty() {
        return Vec::new();
    }
    let index = Index::new(&filters);
    let mut uses = vec![0_usize; filters.len()];
    let mut joined = Vec::new();
    for (at, document) in documents.iter_mut().enumerate() {
        let mut rules = rules_of(&mut document.kind);
        let Some(rule) = rules.first() else { continue };
        let own: Vec<usize> = index.of(rule, &filters);
        own.iter().for_each(|filter| uses[*filter] += 1);
        let own: Vec<&Filter<'a>> = own.iter().map(|filter| &*filters[*filter].1).collect();
        let broken: Vec<Diagnostic> =
            own.iter().filter(|filter| filter.condition.is_none()).map(|filter| broken(rule, filter)).collect();
        if broken.is_empty() {
            rules.iter_mut().for_each(|rule| rule.join(&own));
            let places: Vec<Span> = own.iter().filter_map(|filter| Some(filter.condition.as_ref()?.1)).collect();
            if !places.is_empty() {
                joined.push(Joined { document: at, filters: places });
            }
        } else {
            document.diagnostics.extend(broken);
            document.kind = Kind::Refused;
        }
    }
    let rules = Rules::new(documents);
    let said: Vec<(usize, Vec<Diagnostic>)> =
        filters.iter().zip(&uses).map(|((at, filter), uses)| (*at, said(filter, *uses, &rules))).collect();
    for (at, said) in said {
        documents[at].diagnostics.extend(said);
    }
    joined
}

/// The rules in a document: a rule, or those that an aggregation of old is about. Other correlations have none as yet.
fn rules_of<'d, 'a>(kind: &'d mut Kind<'a>) -> Vec<&'d mut Rule<'a>> {
    match kind {
        Kind::Rule(rule) => vec![rule],
        Kind::Correlation(correlation) => {
            let members = correlation.members.iter_mut().filter_map(|member| match &mut member.source {
                Source::Rule(rule) => Some(&mut **rule),
                Source::Correlation(_) => None,
            });
            members.collect()
        }
        Kind::Filter(_) | Kind::Unlinked(_) | Kind::Invalid | Kind::Refused | Kind::Skipped => Vec::new(),
    }
}

/// Takes the filters out of their documents, each with the number of its document.
fn taken<'a>(documents: &mut [&mut Document<'a>]) -> Vec<(usize, Box<Filter<'a>>)> {
    let mut filters = Vec::new();
    for (at, document) in documents.iter_mut().enumerate() {
        if !matches!(document.kind, Kind::Filter(_)) {
            continue;
        }
        let has = |class| document.diagnostics.iter().any(|found: &Diagnostic| found.code.class() == class);
        let left = match (has(Class::Invalid), has(Class::Refusal)) {
            (true, _) => Kind::Invalid,
            (_, true) => Kind::Refused,
            _ => Kind::Skipped,
        };
        if let Kind::Filter(filter) = std::mem::replace(&mut document.kind, left) {
            filters.push((at, filter));
        }
    }
    filters
}

/// Which filters name a rule, by the text of the reference in lower case; and which are for any.
struct Index {
    any: Vec<usize>,
    named: HashMap<String, Vec<usize>>,
}

impl Index {
    fn new(filters: &[(usize, Box<Filter<'_>>)]) -> Self {
        let mut index = Self { any: Vec::new(), named: HashMap::new() };
        for (at, (_, filter)) in filters.iter().enumerate() {
            match &filter.rules {
                FilterRules::Any => index.any.push(at),
                FilterRules::Named(references) => {
                    for reference in references {
                        index.named.entry(reference.text.to_ascii_lowercase()).or_default().push(at);
                    }
                }
            }
        }
        index
    }

    /// The filters that are for a rule, in order.
    fn of(&self, rule: &Rule<'_>, filters: &[(usize, Box<Filter<'_>>)]) -> Vec<usize> {
        let mut found = self.any.clone();
        for word in [&rule.meta.id, &rule.meta.name].into_iter().flatten() {
            let named = self.named.get(&word.to_ascii_lowercase()).into_iter().flatten();
            found.extend(named.filter(|at| names(&filters[**at].1, rule)));
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|at| filters[*at].1.logsource.contains(&rule.logsource));
        found
    }
}

fn names(filter: &Filter<'_>, rule: &Rule<'_>) -> bool {
    match &filter.rules {
        FilterRules::Any => true,
        FilterRules::Named(references) => references.iter().any(|reference| reference.names(&rule.meta)),
    }
}

/// The error of a rule whose filter is wrong.
fn broken(rule: &Rule<'_>, filter: &Filter<'_>) -> Diagnostic {
    let place = rule.conditions.first().map_or(rule.span, |(_, span)| *span);
    let message = "a filter for this rule is wrong, so the query would match what the filter leaves out";
    Diagnostic::at(Code::BrokenFilter, place, message).here("cannot be joined").label(filter.span, "the filter")
}

/// What there is to say of a filter that is for so many rules.
fn said(filter: &Filter<'_>, uses: usize, rules: &Rules<'_, '_>) -> Vec<Diagnostic> {
    let Some((_, condition)) = &filter.condition else { return Vec::new() };
    let mut found = Vec::new();
    if filter.keeps_only() {
        let message =
            "the filter leaves out every event that it does not describe: a rule finds only what its filter keeps";
        found.push(
            Diagnostic::at(Code::FilterKeepsOnly, *condition, message).here("keeps only what it describes").help(
                "to leave out what the detections describe, negate them, as in `not selection` or `not 1 of them`",
            ),
        );
    }
    let references = match &filter.rules {
        FilterRules::Any => &[][..],
        FilterRules::Named(references) => references,
    };
    if uses == 0 {
        found.push(unused(filter, references, rules));
        return found;
    }
    for reference in references {
        if let Some(members) = correlation(rules, reference) {
            let message = format!("the filter names the correlation `{}`, and filters are for rules", reference.text);
            let said = Diagnostic::at(Code::FilterUnused, reference.span, message).here("a correlation");
            found.push(said.help(rules_instead(members)));
        } else if !rules.has(reference) {
            let message = format!("the filter names the rule `{}`, which is not in the run", reference.text);
            let said = Diagnostic::at(Code::UnknownRule, reference.span, message).here("no rule has this id or name");
            found.push(with_help(said, help(reference, rules)));
        } else if elsewhere(rules, reference, filter) {
            let message =
                format!("the filter does not apply to the rule `{}`: its log source is another", reference.text);
            let said = Diagnostic::at(Code::FilterUnused, reference.span, message).here("has no effect on this rule");
            found.push(with_source(said, filter));
        }
    }
    let count = if uses == 1 { "1 rule".to_owned() } else { format!("{uses} rules") };
    let message = format!("the filter is joined to {count}");
    found.push(Diagnostic::at(Code::FilterJoined, filter.span, message).here("used up"));
    found
}

/// Help for a reference that names no rule.
fn help(reference: &Reference<'_>, rules: &Rules<'_, '_>) -> Option<String> {
    if reference.text.eq_ignore_ascii_case("any") {
        return Some("`rules: any`, without a list, is every rule of the log source".to_owned());
    }
    rules.help(reference)
}

/// Whether a rule is meant, and none that the log source of a filter takes.
fn elsewhere(rules: &Rules<'_, '_>, reference: &Reference<'_>, filter: &Filter<'_>) -> bool {
    let mut sources = rules.meant(reference).filter_map(|known| known.logsource).peekable();
    sources.peek().is_some() && sources.all(|source| !filter.logsource.contains(source))
}

/// What a correlation names, if one is meant and no rule.
fn correlation<'r, 'a>(rules: &'r Rules<'_, 'a>, reference: &Reference<'_>) -> Option<&'r [Reference<'a>]> {
    let mut meant = rules.meant(reference);
    let members = meant.next()?.members?;
    meant.all(|known| known.members.is_some()).then_some(members)
}

fn rules_instead(members: &[Reference<'_>]) -> String {
    const FEW: usize = 8;
    let names: Vec<String> = members.iter().take(FEW).map(|one| format!("`{}`", one.text)).collect();
    let more = if members.len() > FEW { ", …" } else { "" };
    format!("name what the correlation is about: {}{more}", names.join(", "))
}

/// The warning for a filter without a rule.
fn unused(filter: &Filter<'_>, references: &[Reference<'_>], rules: &Rules<'_, '_>) -> Diagnostic {
    let said = |why: &str| {
        let message = format!("the filter applies to no rule: {why}");
        Diagnostic::at(Code::FilterUnused, filter.span, message).here("has no effect")
    };
    if !rules.known.iter().any(|known| known.logsource.is_some()) {
        return said("there is none in the run");
    }
    if filter.rules == FilterRules::Any {
        return with_source(said("none in the run has its log source"), filter);
    }
    let correlation = references.iter().find_map(|reference| Some((reference, correlation(rules, reference)?)));
    if let Some((reference, members)) = correlation {
        return said(&format!("`{}` is a correlation, and filters are for rules", reference.text))
            .label(reference.span, "a correlation")
            .help(rules_instead(members));
    }
    if references.iter().any(|reference| elsewhere(rules, reference, filter)) {
        return with_source(said("those that it names have another log source"), filter);
    }
    if references.iter().any(|reference| rules.has(reference)) {
        return said("those that it names have no query");
    }
    let help = references.iter().find_map(|reference| help(reference, rules));
    let said = said("none that it names is in the run");
    with_help(
        references.iter().take(3).fold(said, |said, one| said.label(one.span, "not the id or name of a rule")),
        help,
    )
}

fn with_source(said: Diagnostic, filter: &Filter<'_>) -> Diagnostic {
    match filter.logsource.span {
        Some(span) => said.label(span, "a rule must have every part of this log source"),
        None => said,
    }
}
