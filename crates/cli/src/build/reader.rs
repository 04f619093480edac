//! From the text of a configuration file to words with places.
//!
//! Invariant: every fault stands at the key or value at fault and is collected; reading never stops at the first one.

use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_frontend::part::Part;

use crate::exit::Fault;

/// A word with its place.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    /// The word.
    pub(crate) text: String,
    /// Its place.
    pub(crate) span: Span,
}

/// What a part of the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Scalar,
    List,
    Map,
    Empty,
}

/// Reads parts and collects faults.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// Everything that is wrong so far, in the order it was met.
    pub(crate) faults: Vec<Diagnostic>,
}

fn shape(part: &Part<'_, '_>) -> Shape {
    match part.text() {
        Some(text) if text.is_empty() && !part.source().starts_with(['"', '\'']) => Shape::Empty,
        Some(_) => Shape::Scalar,
        None if part.elements().next().is_some() => Shape::List,
        None if part.entries().next().is_some() => Shape::Map,
        None => Shape::Empty,
    }
}

fn named(shape: Shape) -> &'static str {
    match shape {
        Shape::Scalar => "one value",
        Shape::List => "a list",
        Shape::Map => "a map",
        Shape::Empty => "empty",
    }
}

impl Reader {
    /// Notes a fault.
    pub(crate) fn fault(&mut self, place: Span, message: impl Into<String>) {
        self.faults.push(Diagnostic::at(Code::BadConfig, place, message));
    }

    /// Notes a fault with help.
    pub(crate) fn fault_with(&mut self, place: Span, message: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Diagnostic::at(Code::BadConfig, place, message).help(help));
    }

    /// The value, or the fault of the command line that the same word would be, at its place here.
    pub(crate) fn take<T>(&mut self, place: Span, found: Result<T, Fault>) -> Option<T> {
        match found {
            Ok(value) => Some(value),
            Err(fault) => {
                let help = fault.help.into_iter();
                let told = help.fold(Diagnostic::at(Code::BadConfig, place, fault.message), Diagnostic::help);
                self.faults.push(told);
                None
            }
        }
    }

    /// Checks that a part is a map, and that its keys are known. `what` names it: `an output`.
    pub(crate) fn map(&mut self, part: &Part<'_, '_>, what: &str, known: &[&str]) -> bool {
        let found = shape(part);
        if found != Shape::Map {
            let message = format!("{what} is {}: a map with keys is expected", named(found));
            self.fault_with(part.head(), message, format!("keys are {}", known.join(", ")));
            return false;
        }
        for (key, value) in part.entries().filter(|(key, _)| !known.contains(key)) {
            let near = nearest(key, known.iter().copied());
            let fault = Diagnostic::at(Code::BadConfig, value.key_span(), format!("`{key}` is no key of {what}"));
            self.faults.push(match near {
                Some(_) => fault.suggest(near),
                None => fault.help(format!("keys are {}", known.join(", "))),
            });
        }
        true
    }

    /// The one word of a key.
    pub(crate) fn word(&mut self, part: &Part<'_, '_>, key: &str) -> Option<Word> {
        let value = part.get(key)?;
        match (shape(&value), value.text()) {
            (Shape::Scalar, Some(text)) if !text.is_empty() => {
                Some(Word { text: text.clone().into_owned(), span: value.span() })
            }
            (found, _) => {
                let found = if found == Shape::Scalar { Shape::Empty } else { found };
                self.fault(value.key_span(), format!("`{key}` is {}: one word is expected", named(found)));
                None
            }
        }
    }

    /// The words of a key: a list, or one alone. `None` if the key is not there.
    pub(crate) fn words(&mut self, part: &Part<'_, '_>, key: &str) -> Option<Vec<Word>> {
        let value = part.get(key)?;
        Some(self.words_of(&value, key))
    }

    /// The words of a part: a list, or one alone. An empty list has none.
    pub(crate) fn words_of(&mut self, value: &Part<'_, '_>, key: &str) -> Vec<Word> {
        let parts: Vec<Part<'_, '_>> = match shape(value) {
            Shape::Scalar => vec![*value],
            Shape::List => value.elements().collect(),
            Shape::Empty if value.source().starts_with('[') => Vec::new(),
            found => {
                self.fault(
                    value.key_span(),
                    format!("`{key}` is {}: a word or a list of words is expected", named(found)),
                );
                return Vec::new();
            }
        };
        let mut words = Vec::with_capacity(parts.len());
        for part in parts {
            match part.text().filter(|text| !text.is_empty()) {
                Some(text) => words.push(Word { text: text.clone().into_owned(), span: part.span() }),
                None => self
                    .fault(part.head(), format!("a value of `{key}` is {}: a word is expected", named(shape(&part)))),
            }
        }
        words
    }

    /// A boolean; false if the key is not there.
    pub(crate) fn flag(&mut self, part: &Part<'_, '_>, key: &str) -> bool {
        let Some(word) = self.word(part, key) else { return false };
        match word.text.as_str() {
            "true" => true,
            "false" => false,
            other => {
                self.fault(word.span, format!("`{key}` is `{other}`: true or false is expected"));
                false
            }
        }
    }
}
