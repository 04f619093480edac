//! Data models: what a store of events cannot tell apart.
//!
//! A query can only mean what its rule means as far as the store keeps what the rule asks for. A model says what is lost
//! on the way in; `sigcast_eval::project` makes of an event what the store holds of it, and a rule whose answer changes
//! by that is approximate.
//!
//! Invariant: plain data, every field of which each target states. What a store may or may not keep by its settings is
//! no part of a model but an assumption.

/// What a store holds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataModel {
    /// A field that holds null.
    pub null: Blank,
    /// A field that holds an empty list.
    pub empty_list: Blank,
    /// A field that holds the empty text.
    pub empty_text: Blank,
    /// Blanks at the ends of a text.
    pub edges: Edges,
    /// How many values a field holds.
    pub values: Values,
    /// Objects inside an event.
    pub objects: Objects,
    /// Numbers.
    pub numbers: Numbers,
    /// The names of fields.
    pub names: Names,
    /// Where these facts are stated: the vendor's pages, by title.
    pub source: &'static str,
}

/// What becomes of a field without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    /// It is told apart from an absent field.
    Kept,
    /// It is absent.
    Absent,
}

/// What becomes of blanks at the ends of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// They are kept.
    Kept,
    /// They are cut off: a text that has some is not held as it is.
    Trimmed,
}

/// How many values a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Any number; the order and nesting of lists is lost.
    Several,
    /// One: an event with several in a field is not held as it is.
    One,
}

/// What becomes of objects inside an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objects {
    /// They are kept.
    Nested,
    /// Each of their fields is a field of the event, with the names on the way to it joined by dots.
    Dotted,
}

/// What becomes of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// They are told apart from text that spells them.
    Typed,
    /// They are their text.
    Text,
}

/// How the names of fields are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// By case too.
    Cased,
    /// Not by the case of ASCII letters: of fields whose names differ in case only, there is only one.
    Caseless,
}

impl DataModel {
    /// Whether a field without any value is an absent one.
    #[must_use]
    pub fn loses_null(&self) -> bool {
        self.null == Blank::Absent || self.empty_list == Blank::Absent
    }

    /// Whether an empty text is an absent field.
    #[must_use]
    pub fn loses_empty_text(&self) -> bool {
        self.empty_text == Blank::Absent
    }
}
