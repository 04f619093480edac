//! Events as a search sees them: fields by name, each with its values in order, and the raw text.
//!
//! Every value is text: "field values are strings" until an expression takes one for a number. Names mind case.

use std::collections::HashMap;

use serde_json::Value;

/// A text, and how it reads without regard to case.
#[derive(Debug, Clone, Default)]
pub struct Text {
    /// The text.
    pub plain: String,
    /// The text in lower case.
    pub folded: String,
}

impl Text {
    fn new(plain: String) -> Self {
        let folded = plain.to_lowercase();
        Self { plain, folded }
    }
}

/// An event.
#[derive(Debug, Clone, Default)]
pub struct Event {
    fields: HashMap<String, Vec<Text>>,
    /// The raw text.
    pub raw: Text,
}

impl Event {
    /// The event with these fields. Objects are taken apart as their extraction from JSON does, by dots; null is no
    /// value.
    #[must_use]
    pub fn new(fields: &Value) -> Self {
        let mut event = Self::default();
        let mut lines = Vec::new();
        if let Value::Object(map) = fields {
            for (name, value) in map {
                event.add(name, value, &mut lines);
            }
        }
        event.raw = Text::new(lines.join("\n"));
        event
    }

    fn add(&mut self, name: &str, value: &Value, lines: &mut Vec<String>) {
        let text = match value {
            Value::Null => return,
            Value::Array(items) => {
                for item in items {
                    self.add(name, item, lines);
                }
                return;
            }
            Value::Object(map) => {
                for (key, inner) in map {
                    self.add(&format!("{name}.{key}"), inner, lines);
                }
                return;
            }
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
        };
        lines.push(text.clone());
        self.fields.entry(name.to_owned()).or_default().push(Text::new(text));
    }

    /// The event with its time, in milliseconds since 1970, and its address in an index, which is its number: the fields
    /// `_time`, `_bkt` and `_cd`.
    #[must_use]
    pub fn indexed(fields: &Value, time: i64, number: usize) -> Self {
        let mut event = Self::new(fields);
        let (seconds, part) = (time.div_euclid(1000), time.rem_euclid(1000));
        let time = if part == 0 { seconds.to_string() } else { format!("{seconds}.{part:03}") };
        event.set("_time", vec![time]);
        event.set("_bkt", vec!["main~0~0".to_owned()]);
        event.set("_cd", vec![format!("0:{number}")]);
        event
    }

    /// The number that [`Event::indexed`] was given; none if the address is gone.
    #[must_use]
    pub fn number(&self) -> Option<usize> {
        self.values("_cd").first()?.plain.strip_prefix("0:")?.parse().ok()
    }

    /// Gives a field these values; without any, the event does not have it any more.
    pub(super) fn set(&mut self, name: &str, values: Vec<String>) {
        if values.is_empty() {
            self.fields.remove(name);
        } else {
            self.fields.insert(name.to_owned(), values.into_iter().map(Text::new).collect());
        }
    }

    /// The only value of a field; none if the event does not have the field.
    ///
    /// # Errors
    /// There are several.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, String> {
        match self.values(name) {
            [] => Ok(None),
            [only] => Ok(Some(&only.plain)),
            _ => Err(format!("several values of {name}, of which the documentation does not tell")),
        }
    }

    /// The values of a field; none if the event does not have it. `_raw` is the raw text.
    #[must_use]
    pub fn values(&self, name: &str) -> &[Text] {
        match name {
            "_raw" => std::slice::from_ref(&self.raw),
            _ => self.fields.get(name).map(Vec::as_slice).unwrap_or_default(),
        }
    }
}
