//! `hashes_fields`: `Hashes: 'SHA1=…,MD5=…'` becomes a field for each algorithm.
//!
//! Sysmon writes all hashes of a file into one field. A rule looks for one of them in it (`Hashes|contains: 'MD5=…'`),
//! which is that the field of the algorithm has this value. A hash that is cut off is looked for at the start, and of an
//! algorithm alone (`Hashes|contains: 'IMPHASH='`) any value.

use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_ir::{Case, DetectionItem, Field, Part, Pattern, Test, Tree, Value, ValueLinking};

use super::{Entry, OneOrMore, parameters};
use crate::item::{Change, ItemWork, Work};
use crate::run::{Refusal, Run};
use crate::text;

pub(super) const ENTRY: Entry = Entry {
    name: "hashes_fields",
    summary: "a field of several hashes becomes one field for each algorithm",
    read: |found, _| Ok(Work::Items(Box::new(parameters::<Hashes>(found, "hashes_fields")?))),
};

#[derive(Debug, Deserialize)]
struct Hashes {
    valid_hash_algos: Vec<String>,
    #[serde(default)]
    field_prefix: String,
    #[serde(default)]
    drop_algo_prefix: bool,
    #[serde(default = "fields")]
    field_to_parse: OneOrMore<String>,
}

fn fields() -> OneOrMore<String> {
    OneOrMore::More(vec!["Hashes".to_owned(), "Hash".to_owned()])
}

/// Algorithms with the number of their hexadecimal digits.
const LENGTHS: &[(&str, usize)] =
    &[("MD5", 32), ("SHA1", 40), ("SHA256", 64), ("SHA384", 96), ("SHA512", 128), ("IMPHASH", 32)];

/// A hash that a value asks for.
struct Found<'t> {
    algorithm: String,
    digits: &'t str,
    whole: bool,
}

impl Hashes {
    fn has(&self, field: &str) -> bool {
        match &self.field_to_parse {
            OneOrMore::One(name) => name == field,
            OneOrMore::More(names) => names.iter().any(|name| name == field),
        }
    }

    /// The hash in a value; none if it is none of these.
    fn hash<'t>(&self, pattern: &'t Pattern<'_>) -> Option<Found<'t>> {
        let parts = pattern.parts();
        let inner = parts.strip_prefix(&[Part::AnyRun]).unwrap_or(parts);
        let (inner, open) = match inner.strip_suffix(&[Part::AnyRun]) {
            Some(inner) => (inner, true),
            None => (inner, false),
        };
        let [Part::Text(value)] = inner else { return None };
        let value = value.trim_matches(',');
        let (algorithm, digits) = match value.split_once(['=', '|']) {
            Some((algorithm, digits)) => (algorithm.trim().to_ascii_uppercase(), digits.trim()),
            None => {
                let (name, _) = LENGTHS.iter().find(|(_, length)| *length == value.len())?;
                ((*name).to_owned(), value)
            }
        };
        let valid = self.valid_hash_algos.iter().any(|known| known.eq_ignore_ascii_case(&algorithm));
        let length = LENGTHS.iter().find(|(name, _)| *name == algorithm).map_or(0, |(_, length)| *length);
        let hexadecimal = (!digits.is_empty() || open) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        // Without an open end a hash that is cut off matches nothing: better refused than mapped.
        let whole = digits.len() == length;
        (valid && hexadecimal && (whole || (open && digits.len() < length))).then_some(Found {
            algorithm,
            digits,
            whole,
        })
    }

    fn field(&self, algorithm: &str) -> String {
        // The name as the pipeline spells the algorithm.
        let spelled = self.valid_hash_algos.iter().find(|known| known.eq_ignore_ascii_case(algorithm));
        let spelled = spelled.map_or(algorithm, String::as_str);
        if self.drop_algo_prefix { self.field_prefix.clone() } else { format!("{}{spelled}", self.field_prefix) }
    }
}

impl ItemWork for Hashes {
    fn apply<'r>(&'r self, item: &DetectionItem<'r>, _: &mut Run<'_>) -> Result<Change<'r>, Refusal> {
        if !item.field.as_ref().is_some_and(|field| self.has(field.as_str())) {
            return Ok(Change::Nothing);
        }
        // Values by field, in the order of their first.
        let mut groups: Vec<(String, Vec<Value<'r>>)> = Vec::new();
        for value in &item.values {
            let variants = match &value.test {
                Test::OneOf(variants) => variants.as_slice(),
                test => std::slice::from_ref(test),
            };
            for test in variants {
                let found = match test {
                    Test::Text { pattern, .. } => self.hash(pattern),
                    _ => None,
                };
                let Some(found) = found else {
                    let shown = text::of_test(test).map_or_else(|| "the value".to_owned(), |text| format!("`{text}`"));
                    let known = self.valid_hash_algos.join(", ");
                    return Err(Refusal::new(Code::PipelineFailure, format!("{shown} is no hash of {known}")));
                };
                let pattern = Pattern::exact(found.digits.to_owned()).open(false, !found.whole);
                let test = Test::Text { pattern, case: Case::Insensitive };
                let (name, value) = (self.field(&found.algorithm), Value { test, span: value.span });
                match groups.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, values)) => values.push(value),
                    None => groups.push((name, vec![value])),
                }
            }
        }
        let mut items: Vec<Tree<'r>> = groups
            .into_iter()
            .map(|(name, values)| {
                let list = values.len() > 1;
                Tree::Item(DetectionItem { field: Some(Field::new(name)), values, list, ..item.clone() })
            })
            .collect();
        Ok(Change::To(match (items.len(), item.linking, item.negated) {
            (1, ..) => items.swap_remove(0),
            // Of a negated item, each part is negated, and what joins them is turned.
            (_, ValueLinking::Any, false) | (_, ValueLinking::All, true) => Tree::Any(items),
            (_, ValueLinking::All, false) | (_, ValueLinking::Any, true) => Tree::All(items),
        }))
    }
}
