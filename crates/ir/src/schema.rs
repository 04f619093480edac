//! What the fields of a user's data are: a schema, as plain data.
//!
//! Invariant: nothing here is read from a file or looks at a target. Aliases are resolved and nested properties are
//! flattened to dotted names before a [`Schema`] exists.

use std::collections::HashMap;

/// The fields of one kind of data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// Fields by their full name (`process.command_line`).
    pub fields: HashMap<String, FieldType>,
    /// Tables and their columns, by the table's name. No target reads them as yet.
    pub tables: HashMap<String, HashMap<String, FieldType>>,
}

/// What a field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldType {
    /// Its type.
    pub kind: FieldKind,
    /// Whether its text is compared as it is. [`Normalised::Yes`] only for text.
    pub normalised: Normalised,
    /// The same value indexed in other ways, by suffix: `keyword` for `Image.keyword`. They have no subfields.
    pub subfields: Vec<(String, FieldType)>,
    /// Values of more characters than this are not indexed (Elasticsearch's `ignore_above`).
    pub ignore_above: Option<u32>,
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Text that is held whole.
    Keyword,
    /// Text that is held whole, indexed for patterns.
    Wildcard,
    /// Text that is split into words.
    Text,
    /// An address, of either family.
    Ip,
    /// Any number.
    Number,
    /// A boolean.
    Boolean,
    /// A time.
    Date,
    /// An object whose values are all held as keywords, and what is in it.
    Flattened,
    /// A field of objects that are indexed apart from their event (Elasticsearch's `nested`).
    Nested,
    /// A type that rules have no test for, or a field that is not indexed.
    Other,
}

/// Whether text is stored or compared without regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Normalised {
    /// As it is.
    #[default]
    No,
    /// Without regard to case: both the stored text and that of exact values and patterns of a query, but not that of a
    /// regular expression.
    Yes,
}

impl FieldKind {
    /// Whether text of the field can be compared as a whole.
    #[must_use]
    pub const fn is_whole_text(self) -> bool {
        matches!(self, Self::Keyword | Self::Wildcard)
    }

    /// The type in words, for messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Wildcard => "wildcard",
            Self::Text => "text",
            Self::Ip => "ip",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Flattened => "flattened",
            Self::Nested => "nested",
            Self::Other => "other",
        }
    }
}

impl FieldType {
    /// A field of this type, minding case, with nothing else to it.
    #[must_use]
    pub const fn new(kind: FieldKind) -> Self {
        Self { kind, normalised: Normalised::No, subfields: Vec::new(), ignore_above: None }
    }

    /// Whether its text is compared without regard to case.
    #[must_use]
    pub fn is_caseless(&self) -> bool {
        self.normalised == Normalised::Yes
    }
}

impl Schema {
    /// The type of a field, of a subfield by its full name (`Image.keyword`), or of what is in a flattened object.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldType> {
        if let Some(known) = self.fields.get(name) {
            return Some(known);
        }
        if let Some((parent, suffix)) = name.rsplit_once('.')
            && let Some(parent) = self.fields.get(parent)
            && let Some((_, found)) = parent.subfields.iter().find(|(known, _)| known == suffix)
        {
            return Some(found);
        }
        // An object in which anything can be, at whatever depth.
        let parents = name.match_indices('.').filter_map(|(at, _)| self.fields.get(&name[..at]));
        parents.into_iter().find(|parent| parent.kind == FieldKind::Flattened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name_subfield_and_flattened_parent() {
        let mut schema = Schema::default();
        let mut image = FieldType::new(FieldKind::Text);
        image.subfields.push(("keyword".to_owned(), FieldType::new(FieldKind::Keyword)));
        schema.fields.insert("process.image".to_owned(), image);
        schema.fields.insert("labels".to_owned(), FieldType::new(FieldKind::Flattened));
        let check = |name: &str, expected: Option<FieldKind>| {
            assert_eq!(schema.field(name).map(|found| found.kind), expected, "{name}");
        };
        check("process.image", Some(FieldKind::Text));
        check("process.image.keyword", Some(FieldKind::Keyword));
        check("process.image.caseless", None);
        check("labels.a.b", Some(FieldKind::Flattened));
        check("process", None);
        check("Process.Image", None);
    }
}
