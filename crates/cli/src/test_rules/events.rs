//! Files of test events.
//!
//! Invariant: what is wrong with a line is a fault at its place, and the lines after it are read all the same; nothing
//! larger than [`LARGEST`] is read, and nothing that nests deeper than 128.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

/// The most bytes of a file of events.
const LARGEST: u64 = 64 << 20;

/// An event with its place.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Its number in the file, from 1.
    pub(super) number: usize,
    /// The line in which it starts, from 1.
    pub(super) line: usize,
    /// The event as the file has it.
    pub(super) value: Value,
}

/// What is no event.
#[derive(Debug, Clone)]
pub(super) struct Broken {
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    pub(super) message: String,
}

/// Why there is nothing to be had of a file.
#[derive(Debug)]
pub(super) enum Unread {
    /// It cannot be read.
    Io(io::Error),
    /// It is read and is no file of events.
    Wrong(String),
}

/// The events of a file and what is broken in it, in order.
pub(super) fn read(path: &Path) -> Result<Vec<Result<Event, Broken>>, Unread> {
    let file = File::open(path).map_err(Unread::Io)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(Unread::Io)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Unread::Wrong(format!("it has more than {} MiB", LARGEST >> 20)));
    }
    let lines = path.extension().is_some_and(|found| found == "jsonl" || found == "ndjson");
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    Ok(if lines { parse_lines(bytes) } else { text(bytes).map_or_else(|broken| vec![Err(broken)], parse) })
}

/// Bytes as text, or where they are none.
fn text(bytes: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(bytes).map_err(|fault| {
        let (line, column) = position(&String::from_utf8_lossy(&bytes[..fault.valid_up_to()]));
        Broken { line, column, message: "this is not UTF-8 text".to_owned() }
    })
}

/// The events of a text: one a line.
fn parse_lines(bytes: &[u8]) -> Vec<Result<Event, Broken>> {
    let mut found = Vec::new();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        match text(line) {
            Err(broken) => found.push(Err(Broken { line: at + 1, ..broken })),
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => match serde_json::from_str(line) {
                Ok(value) => add(value, at + 1, &mut found),
                Err(fault) => found.push(Err(broken(&fault, line, at))),
            },
        }
    }
    found
}

/// The events of a text: one after the other, and lists of them.
fn parse(text: &str) -> Vec<Result<Event, Broken>> {
    let mut found = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let (mut line, mut counted) = (1, 0);
    loop {
        let rest = &text[stream.byte_offset()..];
        let start = text.len() - rest.trim_start().len();
        line += text[counted..start].bytes().filter(|byte| *byte == b'\n').count();
        counted = start;
        match stream.next() {
            None => return found,
            Some(Ok(Value::Array(events))) => events.into_iter().for_each(|event| add(event, line, &mut found)),
            Some(Ok(value)) => add(value, line, &mut found),
            Some(Err(fault)) => {
                found.push(Err(broken(&fault, text, 0)));
                return found;
            }
        }
    }
}

fn add(value: Value, line: usize, found: &mut Vec<Result<Event, Broken>>) {
    let number = found.len() + 1;
    found.push(match kind(&value) {
        None => Ok(Event { number, line, value }),
        Some(kind) => {
            Err(Broken { line, column: 1, message: format!("an event is a JSON object, and this is {kind}") })
        }
    });
}

/// What a value is that is no object.
fn kind(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Object(_) => return None,
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
    })
}

/// A fault of the parser in a text that starts after so many lines.
fn broken(fault: &serde_json::Error, text: &str, before: usize) -> Broken {
    let whole = fault.to_string();
    let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
    let line = text.lines().nth(fault.line().saturating_sub(1)).unwrap_or("");
    let bytes = fault.column().saturating_sub(1).min(line.len());
    let column = String::from_utf8_lossy(&line.as_bytes()[..bytes]).chars().count() + 1;
    Broken { line: before + fault.line().max(1), column, message: format!("no JSON: {message}") }
}

/// Line and column of the end of a text.
fn position(before: &str) -> (usize, usize) {
    let last = before.rsplit('\n').next().unwrap_or("");
    (before.matches('\n').count() + 1, last.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected`: the line of each event, or `line:column message` of what is broken.
    fn check(text: &str, lines: bool, expected: &[&str]) {
        let parsed = if lines { parse_lines(text.as_bytes()) } else { parse(text) };
        let found: Vec<String> = parsed
            .into_iter()
            .map(|one| match one {
                Ok(event) => event.line.to_string(),
                Err(broken) => format!("{}:{} {}", broken.line, broken.column, broken.message),
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn lines_stand_for_themselves() {
        check("{}\n\n{\"a\":1}\r\n", true, &["1", "3"]);
        check(
            "{\"ä\" 1}\n3\n{}",
            true,
            &["1:6 no JSON: expected `:`", "2:1 an event is a JSON object, and this is a number", "3"],
        );
        check("{} {}", true, &["1:4 no JSON: trailing characters"]);
    }

    #[test]
    fn streams_and_lists() {
        check("{\n}\n\n{}{}", false, &["1", "4", "4"]);
        check("\n[{},\n{}, []]", false, &["2", "2", "2:1 an event is a JSON object, and this is a list"]);
        check("{}\n{\n  \"a\": x}", false, &["1", "3:8 no JSON: expected value"]);
        check("", false, &[]);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "{\"a\":".repeat(200) + "1" + &"}".repeat(200);
        assert!(matches!(parse(&deep).as_slice(), [Err(found)] if found.message.contains("recursion limit")));
    }
}
