//! Mappings of Elasticsearch and OpenSearch, as the answers of their interfaces and index templates hold them.
//!
//! Source: Elasticsearch reference, "Mapping" (field data types, mapping parameters `fields`, `normalizer`,
//! `ignore_above`, `index`, `enabled`) and "Index templates".
//!
//! Invariant: a field that two indices map differently, or whose normaliser does more than change case, is left out: it
//! is unknown, and what the query assumes of it is said.

use std::collections::{HashMap, HashSet};

use sigcast_ir::schema::{FieldKind, FieldType, Normalised, Schema};

use super::{Faults, kind};
use crate::yaml::{Data, Node};

/// Where mappings stand within answers: below these keys, and below the names of indices.
const WRAPPERS: &[&str] =
    &["template", "index_templates", "index_template", "component_templates", "component_template"];

/// Reads every mapping; whether there was one.
pub(super) fn read(root: &Node<'_>, schema: &mut Schema, faults: &mut Faults) -> bool {
    let mut reader = Reader { schema, aliases: Vec::new(), unclear: HashSet::new() };
    let found = reader.find(root, 0, faults);
    reader.finish();
    found
}

/// How normalisers are defined, by name: whether they change case and nothing else.
type Normalisers = HashMap<String, bool>;

struct Reader<'s> {
    schema: &'s mut Schema,
    aliases: Vec<(String, String)>,
    unclear: HashSet<String>,
}

impl Reader<'_> {
    fn find(&mut self, node: &Node<'_>, depth: u8, faults: &mut Faults) -> bool {
        if let Some(mappings) = node.get("mappings") {
            let normalisers = node.get("settings").map(normalisers).unwrap_or_default();
            return self.mappings(mappings, &normalisers, faults);
        }
        if node.get("properties").is_some() {
            return self.mappings(node, &Normalisers::new(), faults);
        }
        // Every one is read, also behind the first that is found.
        let inner: Vec<&Node<'_>> = match &node.data {
            Data::List(items) if depth < 4 => items.iter().collect(),
            // The names of indices stand at the top.
            Data::Map(entries) if depth < 4 => {
                let inner = |key: &str| depth == 0 || WRAPPERS.contains(&key);
                entries.iter().filter(|entry| inner(&entry.key.text)).map(|entry| &entry.value).collect()
            }
            _ => return false,
        };
        let found = inner.into_iter().filter(|node| self.find(node, depth + 1, faults)).count();
        found > 0
    }

    fn mappings(&mut self, node: &Node<'_>, normalisers: &Normalisers, faults: &mut Faults) -> bool {
        let Some(entries) = faults.map(node, "`mappings`") else { return true };
        match node.get("properties") {
            Some(properties) => self.properties(properties, "", false, normalisers, faults),
            // Before version 7, the name of a type stood between.
            None => {
                for properties in entries.iter().filter_map(|entry| entry.value.get("properties")) {
                    self.properties(properties, "", false, normalisers, faults);
                }
            }
        }
        true
    }

    fn properties(
        &mut self,
        node: &Node<'_>,
        prefix: &str,
        nested: bool,
        normalisers: &Normalisers,
        faults: &mut Faults,
    ) {
        for entry in faults.map(node, "`properties`").unwrap_or_default() {
            let name = format!("{prefix}{}", entry.key.text);
            if faults.map(&entry.value, &format!("the field `{name}`")).is_none() {
                continue;
            }
            let word = entry.value.get("type").and_then(Node::as_scalar).map(|scalar| scalar.text.as_ref());
            let nested = nested || word == Some("nested");
            if let Some(inner) = entry.value.get("properties") {
                if !is_false(&entry.value, "enabled") {
                    self.properties(inner, &format!("{name}."), nested, normalisers, faults);
                }
                continue;
            }
            match word {
                None | Some("object") => {}
                Some("alias") => {
                    if let Some(path) = entry.value.get("path").and_then(Node::as_scalar) {
                        self.aliases.push((name, path.text.clone().into_owned()));
                    }
                }
                Some(word) => self.add(name, field(&entry.value, word, nested, normalisers, faults)),
            }
        }
    }

    fn add(&mut self, name: String, field: Option<FieldType>) {
        let clear =
            field.as_ref().is_some_and(|field| self.schema.fields.get(&name).is_none_or(|known| known == field));
        match field {
            Some(field) if clear => {
                self.schema.fields.insert(name, field);
            }
            _ => {
                self.unclear.insert(name);
            }
        }
    }

    fn finish(self) {
        for name in &self.unclear {
            self.schema.fields.remove(name);
        }
        for (name, path) in self.aliases {
            // Subfields are not reached by way of an alias.
            let target = self.schema.field(&path).map(|field| FieldType { subfields: Vec::new(), ..field.clone() });
            if let Some(field) = target {
                self.schema.fields.entry(name).or_insert(field);
            }
        }
    }
}

/// A field of the mapping; none if what it does with text is unclear.
fn field(
    node: &Node<'_>,
    word: &str,
    nested: bool,
    normalisers: &Normalisers,
    faults: &mut Faults,
) -> Option<FieldType> {
    // Types of plug-ins and of later versions are no fault.
    let kind = kind(word).unwrap_or(FieldKind::Other);
    let unsearchable = is_false(node, "index") && kind == FieldKind::Text;
    let kind = if nested {
        FieldKind::Nested
    } else if unsearchable {
        FieldKind::Other
    } else {
        kind
    };
    let mut field = FieldType::new(kind);
    if let Some(name) = node.get("normalizer").and_then(Node::as_scalar) {
        let changes_case = normalisers.get(name.text.as_ref()).copied();
        if !changes_case.unwrap_or_else(|| name.text.contains("lowercase")) {
            return None;
        }
        field.normalised = Normalised::Yes;
    }
    if let Some(limit) = node.get("ignore_above").and_then(Node::as_scalar) {
        field.ignore_above = limit.text.parse().ok();
    }
    if let Some(inner) = node.get("fields") {
        for entry in faults.map(inner, "`fields`")? {
            let Some(word) = entry.value.get("type").and_then(Node::as_scalar) else { continue };
            if let Some(sub) = self::field(&entry.value, &word.text, nested, normalisers, faults) {
                field.subfields.push((entry.key.text.clone().into_owned(), FieldType { subfields: Vec::new(), ..sub }));
            }
        }
    }
    Some(field)
}

fn is_false(node: &Node<'_>, key: &str) -> bool {
    node.get(key).and_then(Node::as_scalar).is_some_and(|scalar| scalar.text == "false")
}

/// The normalisers that settings define.
fn normalisers(settings: &Node<'_>) -> Normalisers {
    let analysis = settings.get("analysis").or_else(|| settings.get("index")?.get("analysis"));
    let defined = analysis.and_then(|analysis| analysis.get("normalizer")?.as_map()).unwrap_or_default();
    let changes_case = |node: &Node<'_>| {
        let plain =
            node.get("char_filter").is_none_or(|filters| matches!(&filters.data, Data::List(all) if all.is_empty()));
        let filters: Vec<&str> = match node.get("filter").map(|filter| &filter.data) {
            Some(Data::List(items)) => {
                items.iter().filter_map(Node::as_scalar).map(|item| item.text.as_ref()).collect()
            }
            Some(Data::Scalar(one)) => vec![one.text.as_ref()],
            _ => Vec::new(),
        };
        plain && matches!(filters.as_slice(), ["lowercase" | "uppercase"])
    };
    defined.iter().map(|entry| (entry.key.text.clone().into_owned(), changes_case(&entry.value))).collect()
}
