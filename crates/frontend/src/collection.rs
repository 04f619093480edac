//! Collections: several documents in one file, and `action: global`, `reset`, `repeat`.
//!
//! `global` lends its attributes to every later document, `reset` forgets what was lent, `repeat` is the document
//! before it with some attributes changed. Maps are merged level by level; any other value replaces the one before.
//! What `global` lends to a detection is not replaced, since the detection would lose a part: `lend` says what is done.
//!
//! Invariant: the result has as many documents as the text, in the same order.

mod lend;

use std::borrow::Cow;
use std::collections::HashMap;

use sigcast_diagnostics::{Class, Code, Diagnostic, Span, nearest};

use crate::yaml::{self, Data, Entry, Node, RawDocument, Scalar};

const ACTIONS: [&str; 3] = ["global", "reset", "repeat"];

/// A document with what other documents lend to it.
pub(crate) struct Merged<'a> {
    /// Its content; none if the text broke off in it.
    pub(crate) root: Option<Node<'a>>,
    /// Whether it only lends its attributes to others.
    pub(crate) lends: bool,
    /// What is wrong with its text, and with that of documents it is made from.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'a> Merged<'a> {
    /// A document that nothing is lent to.
    fn unchanged(document: RawDocument<'a>) -> Self {
        Self { root: document.root, lends: false, diagnostics: document.diagnostics }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Global,
    Reset,
    Repeat,
}

/// What later documents build on.
#[derive(Default)]
struct Base<'a> {
    entries: Vec<Entry<'a>>,
    /// How many nodes the entries have.
    size: usize,
    diagnostics: Vec<Diagnostic>,
}

/// How many nodes may be lent to the documents of one file, taken together.
const MAX_LENT: usize = 1_000_000;

/// Applies the actions of a collection.
pub(crate) fn merge(documents: Vec<RawDocument<'_>>) -> Vec<Merged<'_>> {
    // Without an action nothing is merged, and nothing need be remembered for a later document.
    let plain =
        !documents.iter().any(|document| document.root.as_ref().is_some_and(|root| root.get("action").is_some()));
    if plain {
        return documents.into_iter().map(Merged::unchanged).collect();
    }
    let mut global = Base::default();
    let mut previous = Base::default();
    let mut lent = 0;
    documents.into_iter().map(|document| one(document, &mut global, &mut previous, &mut lent)).collect()
}

fn one<'a>(document: RawDocument<'a>, global: &mut Base<'a>, previous: &mut Base<'a>, lent: &mut usize) -> Merged<'a> {
    let RawDocument { root, mut diagnostics } = document;
    let (span, entries) = match root {
        Some(Node { span, data: Data::Map(entries) }) => (span, entries),
        other => return Merged { root: other, lends: false, diagnostics },
    };
    let (action, entries) = action(entries, &mut diagnostics);
    match action {
        Some(Action::Global) => {
            let entries = lend::without_clashes(&global.entries, entries, &mut diagnostics);
            update(&mut global.entries, entries);
            global.size = size(&global.entries);
            global.diagnostics.extend(diagnostics.iter().filter(|found| passes_on(found)).cloned());
            return Merged { root: Some(Node { span, data: Data::Map(Vec::new()) }), lends: true, diagnostics };
        }
        Some(Action::Reset) => {
            *global = Base::default();
            if entries.is_empty() {
                return Merged { root: Some(Node { span, data: Data::Map(entries) }), lends: true, diagnostics };
            }
        }
        Some(Action::Repeat) | None => {}
    }
    let base = if action == Some(Action::Repeat) { &*previous } else { &*global };
    *lent += base.size;
    if *lent > MAX_LENT {
        let message = format!("the documents of this file lend each other more than {MAX_LENT} values");
        diagnostics.push(
            Diagnostic::at(Code::TooLarge, Span { end: span.start, ..span }, message)
                .here("one document too many")
                .help("split the file"),
        );
        return Merged { root: None, lends: false, diagnostics };
    }
    let entries = match action {
        // What a repeated document changes is meant to be replaced.
        Some(Action::Repeat) => entries,
        _ => lend::without_clashes(&base.entries, entries, &mut diagnostics),
    };
    let mut merged = base.entries.clone();
    update(&mut merged, entries);
    diagnostics.splice(0..0, base.diagnostics.iter().cloned());
    *previous = Base {
        entries: merged.clone(),
        size: size(&merged),
        diagnostics: diagnostics.iter().filter(|found| passes_on(found)).cloned().collect(),
    };
    Merged { root: Some(Node { span, data: Data::Map(merged) }), lends: false, diagnostics }
}

/// Whether what is said of a document is true of those that are made from it.
fn passes_on(found: &Diagnostic) -> bool {
    found.code.class() == Class::Invalid || found.code == Code::MergeDropped
}

fn size(entries: &[Entry<'_>]) -> usize {
    entries.iter().map(|entry| 1 + yaml::size(&entry.value)).sum()
}

/// Takes the action out of a document.
fn action<'a>(mut entries: Vec<Entry<'a>>, diagnostics: &mut Vec<Diagnostic>) -> (Option<Action>, Vec<Entry<'a>>) {
    let Some(index) = entries.iter().position(|entry| entry.key.text == "action") else { return (None, entries) };
    let entry = entries.remove(index);
    let word = entry.value.as_scalar().map_or("", |scalar: &Scalar<'_>| scalar.text.as_ref());
    let action = match word {
        "global" => Some(Action::Global),
        "reset" => Some(Action::Reset),
        "repeat" => Some(Action::Repeat),
        _ => None,
    };
    if action.is_none() {
        let shown = entry.value.as_scalar().map_or(Cow::Borrowed(entry.value.kind()), |_| format!("`{word}`").into());
        let fault = Diagnostic::at(Code::BadAction, entry.value.span, format!("{shown} is no action of a collection"))
            .here("`global`, `reset` or `repeat` is expected here")
            .suggest(nearest(word, ACTIONS));
        diagnostics.push(fault);
    }
    (action, entries)
}

/// Where each key stands in a map.
fn places<'a>(entries: &[Entry<'a>]) -> HashMap<Cow<'a, str>, usize> {
    entries.iter().enumerate().map(|(index, entry)| (entry.key.text.clone(), index)).collect()
}

/// Merges maps level by level; any other value replaces the one before, at its place.
fn update<'a>(base: &mut Vec<Entry<'a>>, changes: Vec<Entry<'a>>) {
    let index = places(base);
    for change in changes {
        // The keys of the changes are distinct, so the index need not learn of those added here.
        let Some(entry) = index.get(&change.key.text).and_then(|index| base.get_mut(*index)) else {
            base.push(change);
            continue;
        };
        entry.key_span = change.key_span;
        match (&mut entry.value.data, change.value.data) {
            (Data::Map(below), Data::Map(changes)) => {
                entry.value.span = change.value.span;
                update(below, changes);
            }
            (data, other) => {
                *data = other;
                entry.value.span = change.value.span;
            }
        }
    }
}
