//! Random streams of events, and the rules that they are about, for tests of correlations.

use serde_json::{Map, Value, json};

/// Rules that overlap, so that one event may be an event of several, each document with its end: `one`, `two`, `three`.
pub const RULES: &str = "\
title: One\nname: one\nlogsource: {product: windows}\ndetection: {s: {EventID: [1, 4]}, condition: s}\n---
title: Two\nname: two\nlogsource: {product: windows}\ndetection: {s: {EventID: [2, 4]}, condition: s}\n---
title: Three\nname: three\nlogsource: {product: windows}\ndetection: {s: {EventID: 3}, f: {Port: 5}, condition: s and not f}\n---
";

/// 2026-01-01T00:00:00Z, in milliseconds.
const START: i64 = 1_767_225_600_000;

/// Streams that look random and are the same in each run.
#[derive(Debug, Clone)]
pub struct Streams {
    state: u64,
    odd: Value,
}

impl Streams {
    /// Streams in which this is one of the values that the field `Bytes` has, beside numbers.
    #[must_use]
    pub fn new(odd: Value) -> Self {
        Self { state: 0x9E37_79B9_7F4A_7C15, odd }
    }

    fn below(&mut self, most: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % most
    }

    fn small(&mut self, most: u16) -> u16 {
        u16::try_from(self.below(u64::from(most))).expect("small")
    }

    /// An event with its time in milliseconds.
    fn event(&mut self) -> (i64, Value) {
        let mut event = Map::new();
        event.insert("EventID".to_owned(), json!(self.below(5)));
        for (field, values) in [
            ("User", [json!("a"), json!("A"), json!("b"), Value::Null]),
            ("Target", [json!("a"), json!("b"), json!(""), json!("b")]),
            ("Host", [json!("x"), json!("x"), json!("y"), json!("x")]),
            ("Port", [json!(1), json!(2), json!(5), Value::Null]),
            ("Bytes", [json!(10), json!(7), json!(100), self.odd.clone()]),
        ] {
            let value = &values[usize::from(self.small(4))];
            if self.below(8) > 0 {
                event.insert(field.to_owned(), value.clone());
            }
        }
        let seconds = i64::from(self.small(240));
        let millis = if self.below(3) == 0 { i64::from(self.small(1000)) } else { 0 };
        (START + seconds / 15 * 15_000 + millis, Value::Object(event))
    }
}

impl Iterator for Streams {
    type Item = Vec<(i64, Value)>;

    /// Some events within a few minutes; times may be equal, and fields absent or empty. There is always a next one.
    fn next(&mut self) -> Option<Self::Item> {
        let count = 4 + self.below(12);
        Some((0..count).map(|_| self.event()).collect())
    }
}
