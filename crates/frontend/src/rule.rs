//! One document: whether it is a rule, and what the rule says.

use std::borrow::Cow;

use sigcast_diagnostics::{Class, Code, Diagnostic, Span, nearest};
use sigcast_ir::{Condition, Detection, LogSource, Meta, Prepared, Rule, Timespan};

use crate::collection::Merged;
use crate::condition::aggregation::Aggregation;
use crate::correlation::timespan;
use crate::yaml::{Data, Entry, Node, Place};
use crate::{Document, Kind, attributes, condition, correlation, detection, filter, legacy};

/// Reads a document of a collection.
pub(crate) fn document<'a>(number: usize, merged: Merged<'a>, place: Place<'a>) -> Document<'a> {
    let Merged { root, lends, mut diagnostics } = merged;
    let text = |key| {
        let scalar = root.as_ref()?.get(key)?.as_scalar()?;
        (!scalar.text.is_empty()).then(|| scalar.text.clone())
    };
    let (title, id, name) = (text("title"), text("id"), text("name"));
    // What is left of a document that was cut says nothing of what its author wrote.
    let cut = |fault: &Diagnostic| matches!(fault.code, Code::BrokenYaml | Code::TooDeep | Code::TooManyAliases);
    let kind = match &root {
        _ if lends || diagnostics.iter().any(cut) => Kind::Skipped,
        Some(root) => read(root, place, &mut diagnostics),
        None => Kind::Skipped,
    };
    diagnostics.sort_by_key(|diagnostic| diagnostic.span().map(|span| span.start));
    let invalid = diagnostics.iter().any(|diagnostic| diagnostic.code.class() == Class::Invalid);
    let kind = match kind {
        // Which rules a wrong filter is for must be known: they cannot do without it.
        Kind::Filter(mut filter) if invalid => {
            filter.condition = None;
            Kind::Filter(filter)
        }
        _ if invalid => Kind::Invalid,
        kind => kind,
    };
    Document { number, title, id, name, kind, diagnostics }
}

fn read<'a>(root: &Node<'a>, place: Place<'a>, diagnostics: &mut Vec<Diagnostic>) -> Kind<'a> {
    if root.is_null() {
        return Kind::Skipped;
    }
    let Data::Map(entries) = &root.data else {
        diagnostics.push(not_a_rule(root.span, "the document is no map"));
        return Kind::Skipped;
    };
    let entry = |name: &str| entries.iter().find(|entry| entry.key.text == name);
    if let Some(entry) = entry("correlation") {
        let mut reader = Reader { what: "correlation", place, root, entries, diagnostics };
        return correlation::read(&mut reader, entry);
    }
    if let Some(entry) = entry("filter") {
        let mut reader = Reader { what: "filter", place, root, entries, diagnostics };
        return filter::read(&mut reader, entry);
    }
    if entry("detection").is_none() && entry("logsource").is_none() && !looks_like_a_rule(entries) {
        diagnostics.push(not_a_rule(root.span, "the document has neither `detection` nor `logsource`"));
        return Kind::Skipped;
    }
    let mut reader = Reader { what: "rule", place, root, entries, diagnostics };
    reader.rule()
}

fn not_a_rule(span: Span, message: &str) -> Diagnostic {
    let place = Span { end: span.start, ..span };
    Diagnostic::at(Code::NotARule, place, format!("{message}: it is no Sigma rule")).here("skipped")
}

/// Whether a document without `detection` and `logsource` is one all the same, with a slip of the pen in either.
fn looks_like_a_rule(entries: &[Entry<'_>]) -> bool {
    let near = |entry: &Entry<'_>| nearest(&entry.key.text, ["detection", "logsource"]).is_some();
    entries.iter().any(|entry| entry.key.text == "title") && entries.iter().any(near)
}

/// Reads a rule, or what a filter has in common with one.
pub(crate) struct Reader<'r, 'a> {
    /// What the document is, in messages.
    what: &'static str,
    /// Where the document stands.
    pub(crate) place: Place<'a>,
    root: &'r Node<'a>,
    /// The attributes of the document.
    pub(crate) entries: &'r [Entry<'a>],
    /// Where faults go.
    pub(crate) diagnostics: &'r mut Vec<Diagnostic>,
}

/// What the `detection` attribute says.
#[derive(Default)]
pub(crate) struct Detections<'a> {
    /// The detections that have no fault.
    pub(crate) detections: Vec<Detection<'a>>,
    /// The conditions that have no fault.
    pub(crate) conditions: Vec<(Condition<'a>, Span)>,
    timeframe: Option<Cow<'a, str>>,
    /// The aggregations of old that conditions end in.
    pub(crate) aggregations: Vec<Aggregation<'a>>,
    /// What `timeframe` says, if there are aggregations and it is right.
    timespan: Option<Timespan<'a>>,
}

impl<'r, 'a> Reader<'r, 'a> {
    fn rule(&mut self) -> Kind<'a> {
        let meta = self.meta();
        let logsource = self.logsource();
        let detections = match self.required("detection") {
            Some(entry) => self.detections(entry, &["condition", "timeframe"]),
            None => Detections::default(),
        };
        // Faults make the document invalid whatever is returned here.
        let Detections { detections, conditions, timeframe, aggregations, timespan } = detections;
        let prepared = Prepared::default();
        let span = self.root.span;
        let rule = Rule { meta, logsource, detections, conditions, timeframe, span, prepared };
        if aggregations.is_empty() {
            return Kind::Rule(Box::new(rule));
        }
        match legacy::read(rule, aggregations, timespan) {
            Ok((correlation, note)) => {
                self.diagnostics.push(note);
                Kind::Correlation(Box::new(correlation))
            }
            Err(fault) => {
                self.diagnostics.push(fault);
                Kind::Refused
            }
        }
    }

    /// What describes the document.
    pub(crate) fn meta(&mut self) -> Meta<'a> {
        let title = self.required("title");
        let meta = attributes::Reader { diagnostics: self.diagnostics }.meta(self.entries);
        if let Some(entry) = title.filter(|entry| entry.value.as_scalar().is_some() && meta.title.trim().is_empty()) {
            self.diagnostics.push(
                Diagnostic::at(Code::MissingAttribute, entry.key_span, "the title is empty")
                    .here("a text is expected here"),
            );
        }
        meta
    }

    /// Its log source.
    pub(crate) fn logsource(&mut self) -> LogSource<'a> {
        match self.required("logsource") {
            Some(entry) => attributes::Reader { diagnostics: self.diagnostics }.logsource(entry),
            None => LogSource::default(),
        }
    }

    /// An attribute that every rule has.
    fn required(&mut self, name: &str) -> Option<&'r Entry<'a>> {
        let found = self.entries.iter().find(|entry| entry.key.text == name);
        if found.is_none() {
            let fault =
                Diagnostic::at(Code::MissingAttribute, self.start(), format!("the {} has no `{name}`", self.what));
            let typo = self.entries.iter().find(|entry| {
                let key = entry.key.text.as_ref();
                !attributes::KNOWN.contains(&key) && nearest(key, [name]).is_some()
            });
            self.diagnostics.push(match typo {
                Some(typo) => fault
                    .here(format!("this {}", self.what))
                    .label(typo.key_span, "not an attribute of the specification")
                    .help(format!("is `{}` meant as `{name}`?", typo.key.text)),
                None => fault.here(format!("`{name}` is missing from this {}", self.what)),
            });
        }
        found
    }

    /// The first key: the place of what is said of the rule as a whole.
    fn start(&self) -> Span {
        self.entries.first().map_or(self.root.span, |entry| entry.key_span)
    }

    /// The detections and conditions in a map; `reserved` are the keys of it that name no detection.
    pub(crate) fn detections(&mut self, entry: &Entry<'a>, reserved: &[&str]) -> Detections<'a> {
        let mut found = Detections::default();
        let Some(entries) = entry.value.as_map() else {
            let message =
                format!("`{}` is {}, and a map of detections is expected", entry.key.text, entry.value.kind());
            self.diagnostics
                .push(Diagnostic::at(Code::WrongType, entry.key_span, message).here("a map is expected here"));
            return found;
        };
        let is_detection = |entry: &&Entry<'_>| !reserved.contains(&entry.key.text.as_ref());
        let named: Vec<&Entry<'a>> = entries.iter().filter(is_detection).collect();
        let mut reader = detection::Reader::new(self.place.text, self.diagnostics);
        for entry in &named {
            if let Some(tree) = reader.tree(&entry.value, entry.key_span) {
                found.detections.push(Detection { name: entry.key.text.clone(), span: entry.key_span, tree });
            }
        }
        if named.is_empty() {
            self.diagnostics.push(
                Diagnostic::at(
                    Code::EmptyDetection,
                    entry.key_span,
                    format!("`{}` names no detection: it says nothing", entry.key.text),
                )
                .here("a detection such as `selection` is expected here"),
            );
        }
        let timeframe = entries.iter().find(|entry| entry.key.text == "timeframe");
        found.timeframe = timeframe.and_then(|entry| attributes::Reader { diagnostics: self.diagnostics }.text(entry));
        match entries.iter().find(|entry| entry.key.text == "condition") {
            Some(condition) => self.conditions(condition, &named, &mut found),
            None => self.no_condition(entry, &named),
        }
        if let Some(timeframe) = timeframe.filter(|_| !found.aggregations.is_empty()) {
            match timespan::read(&timeframe.value, timeframe.key_span) {
                Ok(timespan) => found.timespan = Some(timespan),
                Err(fault) => {
                    self.diagnostics.push(fault);
                    // The document is invalid: nothing else is to be said of what is counted within that time.
                    found.aggregations.clear();
                }
            }
        }
        found
    }

    fn no_condition(&mut self, entry: &Entry<'a>, named: &[&Entry<'a>]) {
        let fault = Diagnostic::at(
            Code::MissingAttribute,
            entry.key_span,
            format!("the {} has no `condition`", entry.key.text),
        );
        let typo = named
            .iter()
            .find(|entry| entry.value.as_scalar().is_some() && nearest(&entry.key.text, ["condition"]).is_some());
        self.diagnostics.push(match (typo, named) {
            (Some(typo), _) => fault
                .here("`condition` is missing from this map")
                .label(typo.key_span, "taken for a detection")
                .help(format!("is `{}` meant as `condition`?", typo.key.text)),
            (None, [only]) => fault.here("`condition` is missing from this map").help(match self.what {
                // With `s`, a filter keeps what it describes and nothing else.
                "filter" => format!("to leave out what it describes, add `condition: not {}`", only.key.text),
                _ => format!("to ask for the only detection, add `condition: {}`", only.key.text),
            }),
            _ => fault.here("`condition` is missing from this map"),
        });
    }

    /// One condition or a list of them.
    fn conditions(&mut self, entry: &Entry<'a>, named: &[&Entry<'a>], found: &mut Detections<'a>) {
        let nodes = match &entry.value.data {
            Data::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        if nodes.is_empty() {
            self.diagnostics.push(
                Diagnostic::at(Code::BadCondition, entry.key_span, "the list of conditions is empty")
                    .here("a condition is expected here"),
            );
        }
        let list = named.iter().map(|entry| entry.key.text.clone()).collect();
        let mut names = condition::Names::new(list, self.what);
        let mut used = vec![false; names.len()];
        let mut complete = !nodes.is_empty();
        for node in nodes {
            match self.condition(node, entry, &mut names) {
                Some(parsed) => {
                    parsed.used.iter().for_each(|index| used[*index] = true);
                    found.aggregations.extend(parsed.aggregation);
                    found.conditions.push((parsed.condition, node.span));
                }
                None => complete = false,
            }
        }
        // What a wrong condition names is not known.
        if complete {
            for (entry, _) in named.iter().zip(&used).filter(|(_, used)| !**used) {
                let message = format!("no condition names the detection `{}`", entry.key.text);
                self.diagnostics
                    .push(Diagnostic::at(Code::UnusedDetection, entry.key_span, message).here("has no effect"));
            }
        }
    }

    fn condition(
        &mut self,
        node: &Node<'a>,
        entry: &Entry<'a>,
        names: &mut condition::Names<'a>,
    ) -> Option<condition::Parsed<'a>> {
        let Some(scalar) = node.as_scalar().filter(|_| !node.is_null()) else {
            let message = format!("a condition is {}, and text is expected", node.kind());
            self.diagnostics
                .push(Diagnostic::at(Code::BadCondition, entry.key_span, message).here("a condition is expected here"));
            return None;
        };
        let text = condition::Text::new(scalar, node.span, self.place.text);
        condition::parse(&text, names, self.diagnostics)
    }
}
