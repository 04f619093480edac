//! Whether texts mean the same: what is migrated is compared with what it was made of, a file by itself and all files of the
//! run together, since filters and correlations name rules of other files.
//!
//! Invariant: whatever a query, a correlation, a filter or an alert is made of is compared; what migration is there to change
//! (dates, tags, ids and names of rules that have no query of their own) is not.

use rayon::prelude::*;
use sigcast_diagnostics::{Class, SourceId, SourceMap};
use sigcast_frontend::{Document, Kind, correlate, join, parse, part};
use sigcast_ir::{Correlation, Criterion, Filter, FilterRules, LogSource, Member, Meta, Rule, Source, Wanted, lower};

/// The documents of some files, as they refer to each other.
pub(super) struct Linked<'a> {
    sources: &'a SourceMap,
    /// By file, in order: the documents that are more than parts of others.
    files: Vec<Vec<One<'a>>>,
    /// Whether there is a document that may name others.
    refers: bool,
}

/// A document.
struct One<'a> {
    document: Document<'a>,
    /// What it was before it was joined, if it is a filter.
    filter: Option<Box<Filter<'a>>>,
    /// The files of the filters that it is joined with.
    joined: Vec<SourceId>,
}

/// Why two texts of one file do not mean the same by themselves; `None` if they do.
pub(super) fn changed(old: &str, new: &str) -> Option<String> {
    let (mut before, mut after) = (SourceMap::new(), SourceMap::new());
    let (old, new) = (before.add("", old), after.add("", new));
    if let (Some(fault), true) = (part::faults(&after, new).first(), part::faults(&before, old).is_empty()) {
        let rest = fault.span().and_then(|span| after.get(new).text().get(span.start as usize..)).unwrap_or("");
        let alias = rest.split([' ', '\t', '\r', '\n', ',', ']', '}']).next().filter(|word| word.starts_with('*'));
        return Some(match alias {
            Some(alias) => format!("the alias `{alias}` and its anchor would stand in different documents"),
            None => format!("what it would become is broken: {}", fault.message),
        });
    }
    Linked::new(&before, &[old]).difference(&Linked::new(&after, &[new]))
}

impl<'a> Linked<'a> {
    /// The documents of these files, linked as a run links them.
    pub(super) fn new(sources: &'a SourceMap, ids: &[SourceId]) -> Self {
        let mut parsed: Vec<Vec<Document<'a>>> = ids.par_iter().map(|id| parse(sources, *id)).collect();
        let filter = |document: &Document<'a>| match &document.kind {
            Kind::Filter(filter) => Some(filter.clone()),
            _ => None,
        };
        let filters: Vec<Option<Box<Filter<'a>>>> = parsed.iter().flatten().map(filter).collect();
        let is_unlinked = |document: &Document<'_>| matches!(document.kind, Kind::Unlinked(_));
        let refers = filters.iter().any(Option::is_some) || parsed.iter().flatten().any(is_unlinked);
        let mut joined = vec![Vec::new(); filters.len()];
        if refers {
            let mut documents: Vec<&mut Document<'a>> = parsed.iter_mut().flatten().collect();
            for one in join(&mut documents) {
                joined[one.document] = one.filters.iter().map(|span| span.source).collect();
            }
            correlate(&mut documents);
        }
        let mut more = filters.into_iter().zip(joined);
        let mut one = |document| {
            let (filter, joined) = more.next().unwrap_or_default();
            One { document, filter, joined }
        };
        let files = parsed.into_iter().map(|documents| {
            let all: Vec<One<'a>> = documents.into_iter().map(&mut one).collect();
            all.into_iter().filter(|one| one.filter.is_some() || !matches!(one.document.kind, Kind::Skipped)).collect()
        });
        Self { sources, files: files.collect(), refers }
    }

    /// Whether a document of these may name one of another file.
    pub(super) fn refers(&self) -> bool {
        self.refers
    }

    /// What means something else in other texts of these files; `None` if everything means the same.
    pub(super) fn difference(&self, new: &Linked<'_>) -> Option<String> {
        let several = self.files.len() > 1;
        self.files.iter().zip(&new.files).find_map(|(old, new)| {
            match old.iter().zip(new).find(|(old, new)| !same_one(old, new)) {
                Some((old, _)) => Some(self.said(old, several)),
                None if old.len() == new.len() => None,
                None => Some("there would be other documents".to_owned()),
            }
        })
    }

    fn said(&self, one: &One<'_>, several: bool) -> String {
        let title = one.document.title.as_deref().unwrap_or("a document without a title");
        let place = one.document.place().filter(|_| several);
        let place = place.map_or_else(String::new, |span| format!(" of {}", self.sources.get(span.source).name()));
        let filter = one.joined.first().map(|id| self.sources.get(*id).name());
        let filter = match filter {
            Some("") => ": a filter is for it".to_owned(),
            Some(name) => format!(": the filter in {name} is for it"),
            None => String::new(),
        };
        format!("`{title}`{place} would not mean the same{filter}")
    }
}

fn same_one(old: &One<'_>, new: &One<'_>) -> bool {
    let filters = match (&old.filter, &new.filter) {
        (Some(old), Some(new)) => same_filter(old, new),
        (None, None) => true,
        _ => false,
    };
    filters && same_document(&old.document, &new.document)
}

fn same_filter(old: &Filter<'_>, new: &Filter<'_>) -> bool {
    let rules = |filter: &Filter<'_>| match &filter.rules {
        FilterRules::Any => None,
        FilterRules::Named(named) => Some(named.iter().map(|one| one.text.to_string()).collect::<Vec<_>>()),
    };
    rules(old) == rules(new)
        && same_source(&old.logsource, &new.logsource)
        && same_queries(&asked(old), &asked(new))
        && old.condition.is_some() == new.condition.is_some()
}

/// A rule that asks what a filter asks.
fn asked<'a>(filter: &Filter<'a>) -> Rule<'a> {
    Rule {
        meta: filter.meta.clone(),
        logsource: filter.logsource.clone(),
        detections: filter.detections.clone(),
        conditions: filter.condition.iter().cloned().collect(),
        timeframe: None,
        span: filter.span,
        prepared: Default::default(),
    }
}

fn same_document(old: &Document<'_>, new: &Document<'_>) -> bool {
    let faults = |document: &Document<'_>| {
        let faults = document.diagnostics.iter().map(|found| found.code);
        let mut faults: Vec<_> = faults
            .filter(|code| matches!(code.class(), Class::Invalid | Class::Refusal | Class::Approximation))
            .collect();
        faults.sort_unstable();
        faults
    };
    let same = match (&old.kind, &new.kind) {
        (Kind::Rule(old), Kind::Rule(new)) => same_meta(&old.meta, &new.meta) && same_rule(old, new),
        (Kind::Correlation(old), Kind::Correlation(new)) => {
            same_meta(&old.meta, &new.meta) && same_correlation(old, new)
        }
        (Kind::Invalid, Kind::Invalid) | (Kind::Refused, Kind::Refused) | (Kind::Skipped, Kind::Skipped) => true,
        _ => false,
    };
    same && old.id == new.id && faults(old) == faults(new)
}

fn same_meta(old: &Meta<'_>, new: &Meta<'_>) -> bool {
    old.title == new.title
        && old.id == new.id
        && old.name == new.name
        && old.taxonomy == new.taxonomy
        && old.related == new.related
        && (old.status, old.level) == (new.status, new.level)
        && old.description == new.description
        && (&old.license, &old.author) == (&new.license, &new.author)
        && old.references == new.references
        && old.tags.len() == new.tags.len()
        && old.date.is_some() == new.date.is_some()
        && old.modified.is_some() == new.modified.is_some()
        && old.fields == new.fields
        && old.falsepositives == new.falsepositives
        && old.scope == new.scope
        && old.custom == new.custom
}

fn same_rule(old: &Rule<'_>, new: &Rule<'_>) -> bool {
    same_queries(old, new) && same_source(&old.logsource, &new.logsource)
}

fn same_queries(old: &Rule<'_>, new: &Rule<'_>) -> bool {
    let (before, after) = (lower::queries(old), lower::queries(new));
    before.len() == after.len() && before.iter().zip(&after).all(|((old, _), (new, _))| old == new)
}

fn same_source(old: &LogSource<'_>, new: &LogSource<'_>) -> bool {
    let bare = |source: &LogSource<'_>| {
        let LogSource { category, product, service, definition, custom, .. } = source.clone();
        let own = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned);
        ([own(category), own(product), own(service), own(definition)], format!("{custom:?}"))
    };
    bare(old) == bare(new)
}

fn same_correlation(old: &Correlation<'_>, new: &Correlation<'_>) -> bool {
    let keys = |found: &Correlation<'_>| found.keys.iter().map(|key| key.name.to_string()).collect::<Vec<_>>();
    keys(old) == keys(new)
        && old.timespan.seconds == new.timespan.seconds
        && old.generate == new.generate
        && criterion(&old.criterion) == criterion(&new.criterion)
        && old.members.len() == new.members.len()
        && old.members.iter().zip(&new.members).all(|(old, new)| same_member(old, new))
}

fn same_member(old: &Member<'_>, new: &Member<'_>) -> bool {
    let fields = |member: &Member<'_>| format!("{:?} {:?}", member.keys, member.values);
    fields(old) == fields(new)
        && match (&old.source, &new.source) {
            (Source::Rule(old), Source::Rule(new)) => same_rule(old, new),
            (Source::Correlation(old), Source::Correlation(new)) => same_correlation(old, new),
            _ => false,
        }
}

/// A criterion without its places.
fn criterion(found: &Criterion<'_>) -> String {
    let bounds = |bounds: &[sigcast_ir::Bound<'_>]| {
        let each = bounds.iter().map(|bound| format!("{:?} {} {:?}", bound.order, bound.negated, bound.value.value));
        each.collect::<Vec<_>>().join(", ")
    };
    match found {
        Criterion::Measure { measure, bounds: all } => format!("{measure:?} {}", bounds(all)),
        Criterion::Temporal { ordered, wanted: Wanted::Count(all) } => format!("{ordered} {}", bounds(all)),
        Criterion::Temporal { ordered, wanted: Wanted::Rules(condition) } => format!("{ordered} {condition:?}"),
    }
}
