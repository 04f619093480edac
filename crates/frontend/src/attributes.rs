//! The attributes of a rule that describe it.
//!
//! Lenient where nothing is lost: a single text stands for a list of one, a number for its text.

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_ir::{Attribute, Field, Level, LogSource, Meta, Related, Status};

use crate::yaml::{Data, Entry, Node, Plain, Scalar};

/// The attributes of the specification that a rule can have.
pub(crate) const KNOWN: [&str; 20] = [
    "title",
    "id",
    "name",
    "taxonomy",
    "related",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "tags",
    "fields",
    "falsepositives",
    "level",
    "scope",
    "logsource",
    "detection",
    "correlation",
];

const RELATIONS: [&str; 7] = ["derived", "obsolete", "obsoletes", "merged", "renamed", "similar", "correlation"];

/// Reads descriptive attributes.
pub(crate) struct Reader<'r> {
    /// Where faults go.
    pub(crate) diagnostics: &'r mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Everything that describes the rule. `detection` and `logsource` are left out: they are read elsewhere.
    pub(crate) fn meta<'a>(&mut self, entries: &[Entry<'a>]) -> Meta<'a> {
        let mut meta = Meta::default();
        for entry in entries {
            self.attribute(&mut meta, entry);
        }
        meta
    }

    fn attribute<'a>(&mut self, meta: &mut Meta<'a>, entry: &Entry<'a>) {
        match entry.key.text.as_ref() {
            "title" => meta.title = self.text(entry).unwrap_or_default(),
            "id" => meta.id = self.identifier(entry),
            "name" => meta.name = self.text(entry),
            "taxonomy" => meta.taxonomy = self.text(entry),
            "related" => meta.related = self.related(entry),
            "status" => meta.status = self.word(entry, Status::ALL, Status::as_str),
            "description" => meta.description = self.text(entry),
            "license" => meta.license = self.text(entry),
            "author" => meta.author = self.author(entry),
            "references" => meta.references = self.texts(entry),
            "date" => meta.date = self.date(entry),
            "modified" => meta.modified = self.date(entry),
            "tags" => (meta.tags, meta.tag_spans) = self.placed_texts(entry).into_iter().unzip(),
            "fields" => meta.fields = self.texts(entry).into_iter().map(Field).collect(),
            "falsepositives" => meta.falsepositives = self.texts(entry),
            "level" => meta.level = self.word(entry, Level::ALL, Level::as_str),
            "scope" => meta.scope = self.texts(entry),
            "detection" | "logsource" => {}
            _ => meta.custom.push((entry.key.text.clone(), attribute(&entry.value))),
        }
    }

    fn wrong_type(&mut self, name: &str, expected: &str, node: &Node<'_>, span: Span) {
        let message = format!("`{name}` is {}, and {expected} is expected", node.kind());
        self.diagnostics
            .push(Diagnostic::at(Code::WrongType, span, message).here(format!("{expected} is expected here")));
    }

    fn wrong_element(&mut self, name: &str, node: &Node<'_>, span: Span) {
        let message = format!("`{name}` holds {}, and texts are expected", node.kind());
        let fault = Diagnostic::at(Code::WrongType, span, message).here("text is expected here");
        let pair = matches!(node.data, Data::Map(_));
        self.diagnostics.push(if pair {
            fault.help("a text with `: ` in it is a map in YAML: quote it")
        } else {
            fault
        });
    }

    /// A text; null counts as absent.
    pub(crate) fn text<'a>(&mut self, entry: &Entry<'a>) -> Option<Cow<'a, str>> {
        match entry.value.as_scalar() {
            Some(_) if entry.value.is_null() => None,
            Some(scalar) => Some(scalar.text.clone()),
            None => {
                self.wrong_type(&entry.key.text, "text", &entry.value, entry.key_span);
                None
            }
        }
    }

    /// One text or a list of texts. Null elements are left out: they say nothing.
    fn texts<'a>(&mut self, entry: &Entry<'a>) -> Vec<Cow<'a, str>> {
        self.placed_texts(entry).into_iter().map(|(text, _)| text).collect()
    }

    /// The same, with the place of each.
    fn placed_texts<'a>(&mut self, entry: &Entry<'a>) -> Vec<(Cow<'a, str>, Span)> {
        let nodes = match &entry.value.data {
            Data::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        let mut texts = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node.as_scalar() {
                Some(_) if node.is_null() => {}
                Some(scalar) => texts.push((scalar.text.clone(), node.span)),
                None => self.wrong_element(&entry.key.text, node, first_line(node, entry.key_span)),
            }
        }
        texts
    }

    /// One author, or a list of them, which is kept as one text.
    fn author<'a>(&mut self, entry: &Entry<'a>) -> Option<Cow<'a, str>> {
        match entry.value.data {
            Data::List(_) => Some(self.texts(entry).join(", ").into()).filter(|text: &Cow<'_, str>| !text.is_empty()),
            _ => self.text(entry),
        }
    }

    fn identifier<'a>(&mut self, entry: &Entry<'a>) -> Option<Cow<'a, str>> {
        let id = self.text(entry)?;
        if !is_uuid(&id) {
            self.diagnostics.push(
                Diagnostic::at(Code::UnusualAttribute, entry.value.span, format!("the id `{id}` is no UUID"))
                    .here("kept as it is")
                    .help("a UUID of version 4 keeps ids apart, such as `0f3c2a9e-5b1d-4c7e-9a60-2d8e4b7f1c35`"),
            );
        }
        Some(id)
    }

    fn date<'a>(&mut self, entry: &Entry<'a>) -> Option<Cow<'a, str>> {
        let date = self.text(entry)?;
        if !is_date(&date) {
            let message = format!("the date `{date}` is not of the form `YYYY-MM-DD`");
            self.diagnostics
                .push(Diagnostic::at(Code::UnusualAttribute, entry.value.span, message).here("kept as it is"));
        }
        Some(date)
    }

    /// One of the words of the specification.
    fn word<T: Copy>(&mut self, entry: &Entry<'_>, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
        let text = self.text(entry)?;
        let found = all.iter().copied().find(|value| name(*value).eq_ignore_ascii_case(text.trim()));
        if found.is_none() {
            let words: Vec<&str> = all.iter().map(|value| name(*value)).collect();
            let message = format!("`{text}` is no {} of a rule", entry.key.text);
            let near = nearest(&text, words.iter().copied());
            let fault = Diagnostic::at(Code::BadValue, entry.value.span, message)
                .here(format!("one of {} is expected here", listed(&words)));
            self.diagnostics.push(fault.suggest(near));
        }
        found
    }

    fn related<'a>(&mut self, entry: &Entry<'a>) -> Vec<Related<'a>> {
        let nodes = match &entry.value.data {
            Data::List(nodes) => nodes.as_slice(),
            _ if entry.value.is_null() => &[],
            _ => std::slice::from_ref(&entry.value),
        };
        nodes.iter().filter_map(|node| self.relation(node, entry.key_span)).collect()
    }

    fn relation<'a>(&mut self, node: &Node<'a>, key_span: Span) -> Option<Related<'a>> {
        let Some(entries) = node.as_map() else {
            self.wrong_type("related", "a list of maps with `id` and `type`", node, first_line(node, key_span));
            return None;
        };
        let of = |name: &str| entries.iter().find(|entry| entry.key.text == name);
        let (Some(id), Some(kind)) = (of("id"), of("type")) else {
            let missing = if of("id").is_none() { "id" } else { "type" };
            self.diagnostics.push(
                Diagnostic::at(Code::MissingAttribute, node.span, format!("a relation lacks its `{missing}`"))
                    .here("`id` and `type` are expected here"),
            );
            return None;
        };
        let (id, word) = (self.text(id)?, self.text(kind)?);
        if !RELATIONS.contains(&word.as_ref()) {
            self.diagnostics.push(
                Diagnostic::at(Code::BadValue, kind.value.span, format!("`{word}` is no type of relation"))
                    .here("one of `derived`, `obsolete`, `merged`, `renamed`, `similar` is expected here")
                    .suggest(nearest(&word, RELATIONS)),
            );
        }
        Some(Related { id, kind: word })
    }

    /// The log source of a rule.
    pub(crate) fn logsource<'a>(&mut self, entry: &Entry<'a>) -> LogSource<'a> {
        let mut logsource = LogSource { span: Some(entry.key_span.to(entry.value.span)), ..LogSource::default() };
        let Some(entries) = entry.value.as_map() else {
            self.wrong_type("logsource", "a map", &entry.value, entry.key_span);
            return logsource;
        };
        for part in entries {
            match part.key.text.as_ref() {
                "category" => logsource.category = self.text(part),
                "product" => logsource.product = self.text(part),
                "service" => logsource.service = self.text(part),
                "definition" => logsource.definition = self.text(part),
                _ => logsource.custom.push((part.key.text.clone(), attribute(&part.value))),
            }
        }
        let named = [&logsource.category, &logsource.product, &logsource.service].iter().any(|part| part.is_some());
        if !named && logsource.custom.is_empty() {
            self.diagnostics.push(
                Diagnostic::at(
                    Code::MissingAttribute,
                    entry.key_span,
                    "the log source names no `category`, `product` or `service`",
                )
                .here("names no events"),
            );
        }
        logsource
    }
}

/// A place for a fault of a whole node: the scalar, the first key of a map, else the key that the node belongs to.
fn first_line(node: &Node<'_>, key: Span) -> Span {
    match &node.data {
        Data::Scalar(_) => node.span,
        Data::Map(entries) => entries.first().map_or(key, |entry| entry.key_span),
        Data::List(_) => key,
    }
}

/// Words as a list in backquotes.
fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The value of a custom attribute, as it is.
pub(crate) fn attribute<'a>(node: &Node<'a>) -> Attribute<'a> {
    match &node.data {
        Data::Scalar(scalar) => scalar_attribute(scalar),
        Data::List(nodes) => Attribute::List(nodes.iter().map(attribute).collect()),
        Data::Map(entries) => {
            Attribute::Map(entries.iter().map(|entry| (entry.key.text.clone(), attribute(&entry.value))).collect())
        }
    }
}

fn scalar_attribute<'a>(scalar: &Scalar<'a>) -> Attribute<'a> {
    match scalar.resolve() {
        Plain::Null => Attribute::Null,
        Plain::Bool(value) => Attribute::Bool(value),
        Plain::Number(number) => Attribute::Number(number),
        Plain::Text => Attribute::Text(scalar.text.clone()),
    }
}

fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-');
    let fits = [8, 4, 4, 4, 12].iter().all(|length| {
        groups.next().is_some_and(|group| group.len() == *length && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    fits && groups.next().is_none()
}

/// `2024-01-31`.
fn is_date(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| {
        text.get(range)
            .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|part| part.parse::<u32>().ok())
    };
    let dashes = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    dashes
        && number(0..4).is_some()
        && number(5..7).is_some_and(|month| (1..=12).contains(&month))
        && number(8..10).is_some_and(|day| (1..=31).contains(&day))
}
