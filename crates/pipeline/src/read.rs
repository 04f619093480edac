//! From the text of a pipeline to typed values, with the place of every fault.
//!
//! serde_yaml reads the text into values, and these into the structs of each item. What it does not know is where a
//! value stands once an item's `type` was looked up, so the path to a fault is followed through the same text with
//! places ([`sigcast_frontend::part`]).
//!
//! Invariant: a fault names the file's own words, and stands at the key or value at fault.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_yaml::Value;
use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_frontend::part::{Part, Step};

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Located<'y, 'a> {
    /// The value.
    pub(crate) value: Value,
    /// Its place.
    pub(crate) part: Part<'y, 'a>,
}

/// Everything that is wrong with a part of a pipeline; never empty.
pub(crate) type Faults = Vec<Diagnostic>;

/// A fault of a pipeline at a place.
pub(crate) fn fault(place: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::at(Code::BadPipeline, place, message)
}

/// A fault of a pipeline with the nearest of the known words, and all of them if they are few.
pub(crate) fn unknown<'k>(place: Span, what: &str, word: &str, known: impl IntoIterator<Item = &'k str>) -> Diagnostic {
    const FEW: usize = 12;
    let known: Vec<&str> = known.into_iter().collect();
    let near = nearest(word, known.iter().copied());
    let found = fault(place, format!("`{word}` is no {what}")).suggest(near);
    if near.is_none() && !known.is_empty() && known.len() <= FEW {
        found.help(format!("known are {}", known.join(", ")))
    } else {
        found
    }
}

impl<'y, 'a> Located<'y, 'a> {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        Some(Self { value: self.value.get(key)?.clone(), part: self.part.get(key)? })
    }

    /// The elements of a list.
    pub(crate) fn elements(&self) -> Option<Vec<Self>> {
        let values = self.value.as_sequence()?;
        Some(values.iter().zip(self.part.elements()).map(|(value, part)| Self { value: value.clone(), part }).collect())
    }

    /// The entries of a map with text keys.
    pub(crate) fn entries(&self) -> Option<Vec<(&'y str, Self)>> {
        self.value.as_mapping()?;
        let entries = self.part.entries().filter_map(|(key, part)| {
            let value = self.value.get(key)?.clone();
            Some((key, Self { value, part }))
        });
        Some(entries.collect())
    }

    /// The text of a scalar that is text.
    pub(crate) fn word(&self, what: &str) -> Result<&str, Faults> {
        self.value
            .as_str()
            .ok_or_else(|| vec![fault(self.part.span(), format!("{what} is {}: text is expected", kind(&self.value)))])
    }

    /// A boolean.
    pub(crate) fn flag(&self, what: &str) -> Result<bool, Faults> {
        self.value.as_bool().ok_or_else(|| {
            vec![fault(self.part.span(), format!("{what} is {}: true or false is expected", kind(&self.value)))]
        })
    }

    /// The map without some of its keys; what is left is what the item's own type has to know.
    pub(crate) fn without(&self, keys: &[&str]) -> Self {
        let mut left = self.clone();
        if let Value::Mapping(map) = &mut left.value {
            map.retain(|key, _| key.as_str().is_none_or(|key| !keys.contains(&key)));
        }
        left
    }

    /// The value as a struct. `what` names it in messages: `the item field_name_mapping`.
    ///
    /// # Errors
    /// Unknown keys, each at its place; else the first missing key or value of another type.
    pub(crate) fn typed<T: DeserializeOwned>(self, what: &str) -> Result<T, Faults> {
        let known = parameters::<T>();
        let mut faults: Faults = Vec::new();
        if let Value::Mapping(map) = &self.value {
            for key in map.keys() {
                let word = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
                if !known.contains(&word.as_str()) {
                    let place = self.part.get(&word).map_or(self.part.head(), |part| part.key_span());
                    faults.push(unknown(place, &format!("key of {what}"), &word, known.iter().copied()));
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let part = self.part;
        serde_path_to_error::deserialize(self.value).map_err(|error| {
            let steps: Vec<Step> = error.path().iter().filter_map(step).collect();
            let at = part.follow(&steps);
            let place = if steps.is_empty() { at.head() } else { at.span() };
            let message = error.inner().to_string();
            // The library adds a path of its own at times.
            let message = message
                .rsplit_once(": ")
                .filter(|(path, _)| !path.contains(' '))
                .map_or(message.as_str(), |(_, text)| text);
            vec![fault(place, format!("{what}: {message}"))]
        })
    }
}

fn step(segment: &serde_path_to_error::Segment) -> Option<Step> {
    match segment {
        serde_path_to_error::Segment::Seq { index } => Some(Step::Index(*index)),
        serde_path_to_error::Segment::Map { key } => Some(Step::Key(key.clone())),
        _ => None,
    }
}

/// What a value is, in a word for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a map",
        Value::Tagged(_) => "tagged",
    }
}

/// The names of the fields of a struct that serde derives.
pub(crate) fn parameters<T: DeserializeOwned>() -> &'static [&'static str] {
    match T::deserialize(Ask) {
        Err(Answer(fields)) => fields,
        Ok(_) => &[],
    }
}

/// A deserializer that asks a type for its fields and gives it nothing.
struct Ask;

/// What a type answers to [`Ask`].
#[derive(Debug)]
struct Answer(&'static [&'static str]);

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Answer {}

impl serde::de::Error for Answer {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }
}

impl<'de> Deserializer<'de> for Ask {
    type Error = Answer;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Answer> {
        Err(Answer::custom(""))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Answer> {
        Err(Answer(fields))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
