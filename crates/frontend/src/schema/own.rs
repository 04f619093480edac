//! sigcast's own form of a schema.
//!
//! Invariant: a key or word that is not known is a fault, never passed over.

use std::collections::HashMap;

use sigcast_ir::schema::{FieldKind, FieldType, Normalised, Schema};

use super::{Faults, SHOWN, TYPES, kind};
use crate::yaml::{Data, Entry, Node};

/// `fields` and `tables`.
pub(super) fn read(entries: &[Entry<'_>], schema: &mut Schema, faults: &mut Faults) {
    for entry in entries {
        match entry.key.text.as_ref() {
            "fields" => {
                let all = fields(&entry.value, "`fields`", faults);
                let (prefixes, names) = all.into_iter().partition(|(name, _)| name.ends_with('*'));
                schema.fields = names;
                schema.prefixes = longest_first(prefixes);
            }
            "tables" => {
                for table in faults.map(&entry.value, "`tables`").unwrap_or_default() {
                    let columns = fields(&table.value, &format!("the table `{}`", table.key.text), faults);
                    schema.tables.insert(table.key.text.clone().into_owned(), columns);
                }
            }
            other => faults.unknown(entry.key_span, "key of a schema", other, &["fields", "tables"]),
        }
    }
}

/// The starts of names without their `*`, so that the first that fits says most.
fn longest_first(all: HashMap<String, FieldType>) -> Vec<(String, FieldType)> {
    let mut prefixes: Vec<(String, FieldType)> =
        all.into_iter().map(|(name, found)| (name.trim_end_matches('*').to_owned(), found)).collect();
    prefixes.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    prefixes
}

fn fields(node: &Node<'_>, what: &str, faults: &mut Faults) -> HashMap<String, FieldType> {
    let entries = faults.map(node, what).unwrap_or_default();
    let read = entries.iter().filter_map(|entry| {
        let name = entry.key.text.clone().into_owned();
        Some((name, field(&entry.value, true, faults)?))
    });
    read.collect()
}

/// The values that a field can hold: a list of texts.
fn values(node: &Node<'_>, faults: &mut Faults) -> Vec<String> {
    let Data::List(nodes) = &node.data else {
        faults.at(node.span, format!("`values` is {}: a list of texts is expected", node.kind()));
        return Vec::new();
    };
    let words = nodes.iter().filter_map(|node| faults.word(node, "a value of `values`").map(str::to_owned));
    words.collect()
}

/// A field: the name of its type, or a map.
fn field(node: &Node<'_>, outer: bool, faults: &mut Faults) -> Option<FieldType> {
    let Some(entries) = node.as_map() else { return type_word(node, faults).map(FieldType::new) };
    let known: &[&str] = if outer {
        &["type", "case", "subfields", "ignore_above", "values", "expression"]
    } else {
        &["type", "case", "ignore_above"]
    };
    let Some(word) = node.get("type") else {
        faults.at(node.span, "the field has no `type`");
        return None;
    };
    let mut field = FieldType::new(type_word(word, faults)?);
    for entry in entries {
        match entry.key.text.as_ref() {
            "type" => {}
            "case" => field.normalised = case(&entry.value, field.kind, faults),
            "ignore_above" => match faults.word(&entry.value, "`ignore_above`").map(str::parse) {
                Some(Ok(limit)) => field.ignore_above = Some(limit),
                Some(Err(_)) => faults.at(entry.value.span, "`ignore_above` is a number of characters"),
                None => {}
            },
            "values" if outer => field.values = values(&entry.value, faults),
            "expression" if outer => {
                field.expression = faults.word(&entry.value, "`expression`").map(ToOwned::to_owned);
            }
            "subfields" if outer => {
                for sub in faults.map(&entry.value, "`subfields`").unwrap_or_default() {
                    if let Some(read) = self::field(&sub.value, false, faults) {
                        field.subfields.push((sub.key.text.clone().into_owned(), read));
                    }
                }
            }
            other => faults.unknown(entry.key_span, "key of a field", other, known),
        }
    }
    Some(field)
}

fn type_word(node: &Node<'_>, faults: &mut Faults) -> Option<FieldKind> {
    let word = faults.word(node, "the type of the field")?;
    let found = kind(word);
    if found.is_none() {
        let known: Vec<&str> = TYPES.iter().take(SHOWN).map(|(name, _)| *name).collect();
        faults.unknown(node.span, "type of a field", word, &known);
    }
    found
}

fn case(node: &Node<'_>, kind: FieldKind, faults: &mut Faults) -> Normalised {
    let Some(word) = faults.word(node, "`case`") else { return Normalised::No };
    let normalised = match word {
        "insensitive" => Normalised::Yes,
        "sensitive" => Normalised::No,
        "lower" => Normalised::Lower,
        other => {
            faults.unknown(node.span, "value of `case`", other, &["sensitive", "insensitive", "lower"]);
            return Normalised::No;
        }
    };
    if normalised != Normalised::No && !kind.is_whole_text() {
        faults.at(node.span, format!("`case` is of keyword and wildcard fields, and this one is {}", kind.as_str()));
    }
    normalised
}
