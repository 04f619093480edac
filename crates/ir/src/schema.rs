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
    /// Fields by the start of their name, the longest first: `winlog.event_data.` for whatever is below it. What
    /// [`Self::fields`] says of a name counts more.
    pub prefixes: Vec<(String, FieldType)>,
    /// Tables and their columns, by the table's name. A table has no other columns than these.
    pub tables: HashMap<String, HashMap<String, FieldType>>,
}

/// What a schema says of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'s> {
    /// This is its type.
    Known(&'s FieldType),
    /// Nothing.
    Unknown,
    /// The table has no such column.
    Missing {
        /// The table's name.
        table: &'s str,
        /// Its column of the nearest name.
        nearest: Option<&'s str>,
    },
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
    /// Every value that the field can hold, if they are few and known; empty if it can hold any.
    pub values: Vec<String>,
    /// How the column is computed, in the target's own language, where no column of the table holds the value as it is:
    /// the key and the name of a registry value, joined. It is written in place of the name.
    pub expression: Option<String>,
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
    /// A column that holds objects (Kusto's `dynamic`): a dotted name below it leads to a property.
    Dynamic,
    /// A column of text that holds an object as JSON: likewise, once the text is parsed.
    Json,
    /// A column of identifiers in a type of their own, compared by their text.
    Guid,
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
    /// The stored text has small letters only, by whoever writes it; what a query says is compared as it is.
    Lower,
}

impl FieldKind {
    /// Whether text of the field can be compared as a whole.
    #[must_use]
    pub const fn is_whole_text(self) -> bool {
        matches!(self, Self::Keyword | Self::Wildcard)
    }

    /// Whether properties below the field have no entries of their own in the schema.
    #[must_use]
    pub const fn holds_properties(self) -> bool {
        matches!(self, Self::Flattened | Self::Dynamic | Self::Json)
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
            Self::Dynamic => "dynamic",
            Self::Json => "json",
            Self::Guid => "guid",
            Self::Nested => "nested",
            Self::Other => "other",
        }
    }
}

impl FieldType {
    /// A field of this type, minding case, with nothing else to it.
    #[must_use]
    pub const fn new(kind: FieldKind) -> Self {
        Self {
            kind,
            normalised: Normalised::No,
            subfields: Vec::new(),
            ignore_above: None,
            values: Vec::new(),
            expression: None,
        }
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
        let mut parents = name.match_indices('.').filter_map(|(at, _)| self.fields.get(&name[..at]));
        if let Some(flattened) = parents.find(|parent| parent.kind.holds_properties()) {
            return Some(flattened);
        }
        self.prefixes.iter().find(|(prefix, _)| name.starts_with(prefix.as_str())).map(|(_, found)| found)
    }

    /// What is known of a field of a table; of a field of any data, if there is no table or the schema does not have it.
    #[must_use]
    pub fn find(&self, table: Option<&str>, name: &str) -> Found<'_> {
        // A function that gives a table stands with or without its empty brackets.
        let known = |table: &str| {
            let bare = table.strip_suffix("()").unwrap_or(table);
            self.tables.get_key_value(table).or_else(|| self.tables.get_key_value(bare))
        };
        let Some((table, columns)) = table.and_then(known) else {
            return self.field(name).map_or(Found::Unknown, Found::Known);
        };
        if let Some(found) = columns.get(name) {
            return Found::Known(found);
        }
        // What is in a column of objects has a name of several parts.
        let mut parents = name.match_indices('.').filter_map(|(at, _)| columns.get(&name[..at]));
        if let Some(flattened) = parents.find(|parent| parent.kind.holds_properties()) {
            return Found::Known(flattened);
        }
        // The table is hashed in an order of its own: the nearest must not depend on it.
        let mut names: Vec<&str> = columns.keys().map(String::as_str).collect();
        names.sort_unstable();
        Found::Missing { table, nearest: sigcast_diagnostics::nearest(name, names) }
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

    #[test]
    fn columns_are_those_of_the_table() {
        let mut schema = Schema::default();
        schema.fields.insert("Image".to_owned(), FieldType::new(FieldKind::Keyword));
        let columns = [("EventID", FieldKind::Number), ("EventData", FieldKind::Dynamic), ("Text", FieldKind::Keyword)];
        let columns = columns.map(|(name, kind)| (name.to_owned(), FieldType::new(kind)));
        schema.tables.insert("WindowsEvent".to_owned(), HashMap::from(columns));
        let kind_of = |found: Found<'_>| match found {
            Found::Known(found) => Some(found.kind),
            Found::Unknown | Found::Missing { .. } => None,
        };
        let check = |table: Option<&str>, name: &str, expected: Option<FieldKind>| {
            assert_eq!(kind_of(schema.find(table, name)), expected, "{table:?} {name}");
        };
        check(Some("WindowsEvent"), "EventID", Some(FieldKind::Number));
        check(Some("WindowsEvent()"), "EventID", Some(FieldKind::Number));
        check(Some("WindowsEvent"), "EventData.Image.x", Some(FieldKind::Dynamic));
        check(Some("WindowsEvent"), "Text.x", None);
        check(Some("WindowsEvent"), "Image", None);
        check(Some("Other"), "Image", Some(FieldKind::Keyword));
        check(None, "Image", Some(FieldKind::Keyword));
    }
}
