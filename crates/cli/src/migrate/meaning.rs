//! Whether two texts mean the same: what is migrated is compared with what it was made of.
//!
//! Invariant: whatever a query, a correlation or an alert is made of is compared; what migration is there to change
//! (dates, tags, ids and names of rules that have no query of their own) is not.

use sigcast_diagnostics::{Class, SourceMap};
use sigcast_frontend::{Document, Kind, link, parse};
use sigcast_ir::{Correlation, Criterion, LogSource, Member, Meta, Rule, Source, Wanted, lower};

/// Whether two files have the same documents, as far as these have queries or faults.
pub(super) fn same(old: &str, new: &str) -> bool {
    let (mut before, mut after) = (SourceMap::new(), SourceMap::new());
    let (old, new) = (before.add("", old), after.add("", new));
    let (old, new) = (linked(parse(&before, old)), linked(parse(&after, new)));
    old.len() == new.len() && old.iter().zip(&new).all(|(old, new)| same_document(old, new))
}

/// The documents that are more than parts of others.
fn linked(mut documents: Vec<Document<'_>>) -> Vec<Document<'_>> {
    link(&mut documents.iter_mut().collect::<Vec<_>>());
    documents.retain(|document| !matches!(document.kind, Kind::Skipped));
    documents
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
        (Kind::Invalid, Kind::Invalid) | (Kind::Refused, Kind::Refused) => true,
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
    let (before, after) = (lower::queries(old), lower::queries(new));
    let queries = before.len() == after.len() && before.iter().zip(&after).all(|((old, _), (new, _))| old == new);
    queries && same_source(&old.logsource, &new.logsource)
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
