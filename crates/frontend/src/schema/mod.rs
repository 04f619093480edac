//! Schemas: what the fields of a user's data are, from YAML or JSON.
//!
//! Two forms are read: sigcast's own (`fields:`), in which every unknown word is an error, and the mappings of
//! Elasticsearch as it gives them.
//!
//! Invariant: what is returned as a schema was read without a fault.

mod mapping;
mod own;
#[cfg(test)]
mod tests;

use sigcast_diagnostics::{Code, Diagnostic, SourceId, SourceMap, Span};
use sigcast_ir::schema::{FieldKind, Schema};

use crate::yaml::{self, Entry, Node, Place};

/// Reads a schema.
///
/// # Errors
/// Every fault of the text, each with its place: of code `bad-schema`, or what is wrong with it as YAML.
pub fn parse(sources: &SourceMap, id: SourceId) -> Result<Schema, Vec<Diagnostic>> {
    let text = sources.get(id).text();
    // JSON may be indented by tabs, which YAML does not take; within its strings there can be none.
    let spaced = text.trim_start().starts_with(['{', '[']).then(|| text.replace('\t', " "));
    let mut faults = Faults(Vec::new());
    let mut documents = yaml::load(Place { id, text: spaced.as_deref().unwrap_or(text) });
    for document in &mut documents {
        faults.0.append(&mut document.diagnostics);
    }
    faults.0.retain(|found| found.severity() == sigcast_diagnostics::Severity::Error);
    let mut schema = Schema::default();
    match documents.as_slice() {
        [one] => match &one.root {
            Some(root) => read(root, &mut schema, &mut faults),
            None if faults.0.is_empty() => faults.at(Span::new(id, 0, 0), "the schema is empty: `fields` is expected"),
            None => {}
        },
        [] => faults.at(Span::new(id, 0, 0), "the schema is empty: `fields` is expected"),
        _ => faults.at(Span::new(id, 0, 0), "the schema has several documents: one is expected"),
    }
    if faults.0.is_empty() { Ok(schema) } else { Err(faults.0) }
}

fn read(root: &Node<'_>, schema: &mut Schema, faults: &mut Faults) {
    let Some(entries) = faults.map(root, "the schema") else { return };
    let own = entries.iter().any(|entry| matches!(entry.key.text.as_ref(), "fields" | "tables"));
    if own {
        own::read(entries, schema, faults);
    } else if !mapping::read(root, schema, faults) {
        let message = "the schema has neither `fields` nor an Elasticsearch mapping (`mappings`, `properties`)";
        let keys = entries.iter().map(|entry| entry.key.text.as_ref());
        let known = ["fields", "tables", "mappings", "properties"];
        let near = keys.filter_map(|key| sigcast_diagnostics::nearest(key, known)).next();
        let place = entries.first().map_or(root.span, |entry| entry.key_span);
        faults.0.push(Diagnostic::at(Code::BadSchema, place, message).suggest(near));
    }
}

/// What is wrong so far.
struct Faults(Vec<Diagnostic>);

impl Faults {
    fn at(&mut self, span: Span, message: impl Into<String>) {
        self.0.push(Diagnostic::at(Code::BadSchema, span, message));
    }

    /// The entries of a map, or a fault.
    fn map<'n, 'a>(&mut self, node: &'n Node<'a>, what: &str) -> Option<&'n [Entry<'a>]> {
        let entries = node.as_map();
        if entries.is_none() {
            self.at(node.span, format!("{what} is {}: a map is expected", node.kind()));
        }
        entries
    }

    /// The text of a scalar, or a fault.
    fn word<'n>(&mut self, node: &'n Node<'_>, what: &str) -> Option<&'n str> {
        match node.as_scalar() {
            Some(scalar) if !node.is_null() => Some(&scalar.text),
            _ => {
                self.at(node.span, format!("{what} is {}: a word is expected", node.kind()));
                None
            }
        }
    }

    /// A word that is none of those known.
    fn unknown(&mut self, span: Span, what: &str, word: &str, known: &[&str]) {
        let message = format!("`{word}` is no {what}: {} are known", known.join(", "));
        let near = sigcast_diagnostics::nearest(word, known.iter().copied());
        self.0.push(Diagnostic::at(Code::BadSchema, span, message).suggest(near));
    }
}

/// Types by name: those of sigcast's own format, of which the first nine are shown, and those of Elasticsearch.
///
/// Kibana takes a field for a keyword only if its type is exactly that, so its kin `constant_keyword` is told apart: it
/// stands with the wildcard type, which is text held whole as well.
const TYPES: &[(&str, FieldKind)] = &[
    ("keyword", FieldKind::Keyword),
    ("wildcard", FieldKind::Wildcard),
    ("text", FieldKind::Text),
    ("ip", FieldKind::Ip),
    ("number", FieldKind::Number),
    ("boolean", FieldKind::Boolean),
    ("date", FieldKind::Date),
    ("flattened", FieldKind::Flattened),
    ("nested", FieldKind::Nested),
    ("constant_keyword", FieldKind::Wildcard),
    ("match_only_text", FieldKind::Text),
    ("annotated_text", FieldKind::Text),
    ("search_as_you_type", FieldKind::Text),
    ("long", FieldKind::Number),
    ("integer", FieldKind::Number),
    ("short", FieldKind::Number),
    ("byte", FieldKind::Number),
    ("unsigned_long", FieldKind::Number),
    ("double", FieldKind::Number),
    ("float", FieldKind::Number),
    ("half_float", FieldKind::Number),
    ("scaled_float", FieldKind::Number),
    ("date_nanos", FieldKind::Date),
    ("string", FieldKind::Keyword),
    ("int", FieldKind::Number),
    ("real", FieldKind::Number),
    ("decimal", FieldKind::Number),
    ("bool", FieldKind::Boolean),
    ("datetime", FieldKind::Date),
    ("flat_object", FieldKind::Flattened),
    ("dynamic", FieldKind::Dynamic),
    ("json", FieldKind::Json),
    ("guid", FieldKind::Guid),
    ("timespan", FieldKind::Other),
];

/// How many of [`TYPES`] a message names.
const SHOWN: usize = 9;

/// The type with this name.
fn kind(word: &str) -> Option<FieldKind> {
    TYPES.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
}
