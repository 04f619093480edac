//! Correlations: documents with `correlation`, as they are written.
//!
//! Follows the Sigma specification 2.1, "Sigma Correlation Rules Specification". Invariant: what this module returns names
//! rules and has none; [`crate::link`] puts them in place. An attribute that is not known is an error: it would change
//! what is asked.

pub(crate) mod condition;
pub(crate) mod timespan;

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_ir::{Bound, Key, Measure, Meta, Reference, Timespan};

use crate::Kind;
use crate::rule::Reader;
use crate::yaml::{Data, Entry, Node, Plain};

/// A correlation before [`crate::link`] has put the rules in place that it names.
#[derive(Debug, Clone)]
pub struct Unlinked<'a> {
    pub(crate) meta: Meta<'a>,
    /// The rules that it is about, in order. Never empty.
    pub(crate) rules: Vec<Reference<'a>>,
    pub(crate) keys: Vec<Key<'a>>,
    pub(crate) timespan: Timespan<'a>,
    pub(crate) asked: Asked<'a>,
    pub(crate) aliases: Vec<Alias<'a>>,
    pub(crate) generate: bool,
    pub(crate) span: Span,
    pub(crate) kind_span: Span,
}

/// What is asked of a window.
#[derive(Debug, Clone)]
pub(crate) enum Asked<'a> {
    /// A number within bounds, made of the values of these fields.
    Measure { measure: Measure, fields: Vec<Key<'a>>, bounds: Vec<Bound<'a>> },
    /// Events of several rules.
    Temporal { ordered: bool, wanted: Wanted<'a> },
}

/// Which rules must have events.
#[derive(Debug, Clone)]
pub(crate) enum Wanted<'a> {
    /// All.
    All,
    /// So many of them.
    Count(Vec<Bound<'a>>),
    /// Those of which this is true; the place is that of all of it.
    Rules(Words<'a>, Span),
}

/// A condition over rules.
#[derive(Debug, Clone)]
pub(crate) enum Words<'a> {
    And(Vec<Words<'a>>),
    Or(Vec<Words<'a>>),
    Not(Box<Words<'a>>),
    Rule(Reference<'a>),
}

/// A name for a field that is called differently in the events of each rule.
#[derive(Debug, Clone)]
pub(crate) struct Alias<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) span: Span,
    /// Rules and their fields.
    pub(crate) fields: Vec<(Reference<'a>, Cow<'a, str>)>,
}

/// What a type of correlation makes of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Events,
    Distinct,
    Sum,
    Average,
    Minimum,
    Maximum,
    Median,
    Percentile,
    Temporal { ordered: bool },
}

/// The types by their names.
const TYPES: [(&str, Type); 10] = [
    ("event_count", Type::Events),
    ("value_count", Type::Distinct),
    ("temporal", Type::Temporal { ordered: false }),
    ("temporal_ordered", Type::Temporal { ordered: true }),
    ("value_sum", Type::Sum),
    ("value_avg", Type::Average),
    ("value_min", Type::Minimum),
    ("value_max", Type::Maximum),
    ("value_median", Type::Median),
    ("value_percentile", Type::Percentile),
];

/// The attributes of a correlation.
const KNOWN: [&str; 7] = ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"];

impl Type {
    /// Whether it counts, so that its number is a whole one and not below zero.
    pub(crate) fn counts(self) -> bool {
        matches!(self, Self::Events | Self::Distinct | Self::Temporal { .. })
    }

    /// The type of a measure.
    pub(crate) fn of(measure: Measure) -> Self {
        match measure {
            Measure::Events => Self::Events,
            Measure::Distinct => Self::Distinct,
            Measure::Sum => Self::Sum,
            Measure::Average => Self::Average,
            Measure::Minimum => Self::Minimum,
            Measure::Maximum => Self::Maximum,
            Measure::Median => Self::Median,
            Measure::Percentile(_) => Self::Percentile,
        }
    }

    /// Its name in rules.
    pub(crate) fn name(self) -> &'static str {
        TYPES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// Reads a document with this entry `correlation`.
pub(crate) fn read<'a>(reader: &mut Reader<'_, 'a>, entry: &Entry<'a>) -> Kind<'a> {
    let mut meta = reader.meta();
    meta.custom.retain(|(key, _)| key != "correlation" && key != "generate");
    let entries = reader.entries;
    let top = |name: &str| entries.iter().find(|entry| entry.key.text == name);
    let others = reader.entries.iter().filter(|other| matches!(other.key.text.as_ref(), "detection" | "filter"));
    for other in others {
        let message = format!("the document has both `correlation` and `{}`", other.key.text);
        reader.diagnostics.push(
            Diagnostic::at(Code::BadValue, other.key_span, message)
                .here("a correlation refers to rules in other documents")
                .label(entry.key_span, "makes the document a correlation"),
        );
    }
    if let Some(other) = top("logsource") {
        reader.diagnostics.push(
            Diagnostic::at(Code::UnusualAttribute, other.key_span, "a correlation has the log sources of its rules")
                .here("has no effect"),
        );
    }
    let text = reader.place.text;
    let mut body = Body { head: entry.key_span, text, entries: &[], diagnostics: reader.diagnostics };
    let Some(entries) = entry.value.as_map() else {
        let message = format!("`correlation` is {}, and a map is expected", entry.value.kind());
        body.fault(Code::WrongType, entry.key_span, message, "a map is expected here");
        return Kind::Invalid;
    };
    body.entries = entries;
    let span = entry.key_span;
    match body.correlation(meta, top("generate"), span) {
        Some(found) => Kind::Unlinked(Box::new(found)),
        // A fault says why.
        None => Kind::Invalid,
    }
}

/// The map behind `correlation`.
struct Body<'r, 'a> {
    /// Its key: the place of what is missing.
    head: Span,
    /// The whole file.
    text: &'a str,
    entries: &'r [Entry<'a>],
    diagnostics: &'r mut Vec<Diagnostic>,
}

impl<'r, 'a> Body<'r, 'a> {
    /// Reads everything before it gives up on anything, so that every fault is told.
    fn correlation(&mut self, meta: Meta<'a>, outer: Option<&Entry<'a>>, span: Span) -> Option<Unlinked<'a>> {
        self.unknown(self.entries, &KNOWN, "a correlation");
        let kind = self.kind();
        let keys = self.keys();
        let timespan = self.required("timespan", "a span of time such as `5m` is expected").and_then(|entry| {
            timespan::read(&entry.value, entry.key_span).map_err(|fault| self.diagnostics.push(fault)).ok()
        });
        let generate = self.generate(outer);
        let aliases = self.aliases();
        let rules = self.entry("rules").map(|entry| self.rules(entry));
        let (kind, kind_span) = kind?;
        let asked = condition::read(self, kind, kind_span, rules.as_deref().unwrap_or_default());
        let rules = match (rules, &asked) {
            (Some(rules), _) => rules,
            (None, Some(Asked::Temporal { wanted: Wanted::Rules(words, _), .. })) => words.named(),
            _ => {
                // A condition over rules that is wrong has been said to be.
                if self.entry("condition").is_none_or(|entry| entry.value.as_map().is_some()) {
                    self.required("rules", "names or ids of rules are expected");
                }
                return None;
            }
        };
        let (timespan, asked) = (timespan?, asked?);
        (!rules.is_empty()).then_some(Unlinked {
            meta,
            rules,
            keys: keys.unwrap_or_default(),
            timespan,
            asked,
            aliases,
            generate,
            span,
            kind_span,
        })
    }

    fn entry(&self, name: &str) -> Option<&'r Entry<'a>> {
        self.entries.iter().find(|entry| entry.key.text == name)
    }

    fn fault(&mut self, code: Code, span: Span, message: impl Into<String>, here: &str) {
        self.diagnostics.push(Diagnostic::at(code, span, message).here(here));
    }

    fn required(&mut self, name: &str, expected: &str) -> Option<&'r Entry<'a>> {
        let found = self.entry(name);
        if found.is_none() {
            let message = format!("the correlation has no `{name}`: {expected}");
            self.fault(Code::MissingAttribute, self.head, message, &format!("`{name}` is missing from this map"));
        }
        found
    }

    /// Reports every key that is none of those known.
    fn unknown(&mut self, entries: &[Entry<'_>], known: &[&str], what: &str) {
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.text.as_ref())) {
            let key = entry.key.text.as_ref();
            let fault =
                Diagnostic::at(Code::UnknownAttribute, entry.key_span, format!("`{key}` is no attribute of {what}"))
                    .here(format!("one of {} is expected here", listed(known)));
            let meant = match key {
                "timeframe" => Some("timespan"),
                "groupby" | "group_by" | "by" => Some("group-by"),
                _ => nearest(key, known.iter().copied()),
            };
            self.diagnostics.push(match meant.filter(|meant| known.contains(meant)) {
                None if key == "field" => fault.help("the field whose values are looked at stands in `condition`"),
                meant => fault.suggest(meant),
            });
        }
    }

    fn kind(&mut self) -> Option<(Type, Span)> {
        let entry = self.required("type", "one such as `event_count` is expected")?;
        let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
        let Some(scalar) = entry.value.as_scalar().filter(|_| !entry.value.is_null()) else {
            let message = format!("the type of the correlation is {}, and a word is expected", entry.value.kind());
            self.fault(Code::WrongType, entry.key_span, message, "such as `event_count`");
            return None;
        };
        let found = TYPES.iter().find(|(name, _)| *name == scalar.text);
        if found.is_none() {
            let message = format!("`{}` is no type of correlation", scalar.text);
            self.diagnostics.push(
                Diagnostic::at(Code::BadValue, entry.value.span, message)
                    .here(format!("one of {} is expected here", listed(&names)))
                    .suggest(nearest(&scalar.text, names)),
            );
        }
        found.map(|(_, kind)| (*kind, entry.value.span))
    }

    /// One word or a list of distinct words, with what they are called in messages.
    fn words(&mut self, entry: &Entry<'a>, what: &str) -> Vec<Key<'a>> {
        let nodes = match &entry.value.data {
            Data::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        let mut found: Vec<Key<'a>> = Vec::with_capacity(nodes.len());
        let mut seen = std::collections::HashMap::new();
        for node in nodes {
            let Some(scalar) = text(node) else {
                let message = format!("`{}` holds {}, and {what} is expected", entry.key.text, node.kind());
                self.fault(Code::WrongType, place(node, entry.key_span), message, "a name is expected here");
                continue;
            };
            if let Some(first) = seen.insert(scalar.clone(), node.span) {
                self.diagnostics.push(named_twice(&entry.key.text, &scalar, node.span, first));
                continue;
            }
            found.push(Key { name: scalar, span: node.span });
        }
        found
    }

    /// What groups are told apart by; none is one group.
    fn keys(&mut self) -> Option<Vec<Key<'a>>> {
        let entry = self.entry("group-by")?;
        if entry.value.is_null() {
            return None;
        }
        Some(self.words(entry, "the name of a field"))
    }

    fn rules(&mut self, entry: &Entry<'a>) -> Vec<Reference<'a>> {
        let nodes = match &entry.value.data {
            Data::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        if nodes.is_empty() {
            let message = "the list of rules is empty: the correlation is about none";
            self.fault(Code::BadValue, entry.key_span, message, "ids or names of rules are expected here");
        }
        let mut named = Vec::with_capacity(nodes.len());
        for node in nodes {
            match text(node) {
                Some(text) => named.push(Reference { text, span: node.span }),
                None => {
                    let message = format!("`rules` holds {}, and ids or names of rules are expected", node.kind());
                    self.fault(Code::WrongType, place(node, entry.key_span), message, "an id or a name is expected");
                }
            }
        }
        named
    }

    fn aliases(&mut self) -> Vec<Alias<'a>> {
        let Some(entry) = self.entry("aliases").filter(|entry| !entry.value.is_null()) else { return Vec::new() };
        let Some(entries) = entry.value.as_map() else {
            let message = format!("`aliases` is {}, and a map is expected", entry.value.kind());
            self.fault(Code::WrongType, entry.key_span, message, "a map of aliases is expected here");
            return Vec::new();
        };
        entries.iter().filter_map(|entry| self.alias(entry)).collect()
    }

    fn alias(&mut self, entry: &Entry<'a>) -> Option<Alias<'a>> {
        let name = &entry.key.text;
        let Some(entries) = entry.value.as_map() else {
            let message = format!("the alias `{name}` is {}, and a map is expected", entry.value.kind());
            self.fault(Code::WrongType, entry.key_span, message, "a map from rules to fields is expected here");
            return None;
        };
        let mut fields = Vec::with_capacity(entries.len());
        for field in entries {
            match text(&field.value) {
                Some(text) => fields.push((Reference { text: field.key.text.clone(), span: field.key_span }, text)),
                None => {
                    let rule = &field.key.text;
                    let message = format!("the field of `{rule}` is {}, and a name is expected", field.value.kind());
                    self.fault(Code::WrongType, place(&field.value, field.key_span), message, "a field is expected");
                }
            }
        }
        Some(Alias { name: name.clone(), span: entry.key_span, fields })
    }

    /// Whether the rules have queries of their own: both places of the attribute are in use.
    fn generate(&mut self, outer: Option<&Entry<'a>>) -> bool {
        let inner = self.entry("generate");
        let mut said: Option<(bool, Span)> = None;
        for entry in [inner, outer].into_iter().flatten() {
            let Some(Plain::Bool(value)) = entry.value.as_scalar().map(crate::yaml::Scalar::resolve) else {
                let message = format!("`generate` is {}, and `true` or `false` is expected", entry.value.kind());
                self.fault(Code::WrongType, entry.key_span, message, "a boolean is expected here");
                continue;
            };
            match said {
                Some((other, span)) if other != value => {
                    let message = "`generate` is said twice, and differently";
                    let fault = Diagnostic::at(Code::BadValue, entry.key_span, message);
                    self.diagnostics.push(fault.here("one of the two").label(span, "the other"));
                }
                _ => said = Some((value, entry.key_span)),
            }
        }
        said.is_some_and(|(value, _)| value)
    }
}

impl<'a> Words<'a> {
    /// The rules that are named, in order of appearance, each once.
    pub(crate) fn named(&self) -> Vec<Reference<'a>> {
        let mut all = Vec::new();
        self.gather(&mut all);
        let mut seen = std::collections::HashSet::new();
        all.retain(|one| seen.insert(one.text.clone()));
        all
    }

    /// Every mention of a rule, in order.
    pub(crate) fn gather(&self, all: &mut Vec<Reference<'a>>) {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().for_each(|term| term.gather(all)),
            Self::Not(inner) => inner.gather(all),
            Self::Rule(reference) => all.push(reference.clone()),
        }
    }
}

/// The text of a scalar that says something.
fn text<'a>(node: &Node<'a>) -> Option<Cow<'a, str>> {
    let scalar = node.as_scalar().filter(|scalar| !node.is_null() && !scalar.text.trim().is_empty())?;
    Some(scalar.text.clone())
}

/// The place of a fault of a node: itself, if it is one line.
fn place(node: &Node<'_>, key: Span) -> Span {
    if node.as_scalar().is_some() { node.span } else { key }
}

/// Words as a list in backquotes.
fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The error of a list that names something twice.
pub(crate) fn named_twice(list: &str, name: &str, again: Span, first: Span) -> Diagnostic {
    let message = format!("`{list}` names `{name}` twice");
    Diagnostic::at(Code::BadValue, again, message).here("named again").label(first, "named first")
}
