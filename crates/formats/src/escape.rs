//! How values leave a template: as text, or as JSON that cannot be broken out of.

use std::borrow::Cow;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State};

use crate::header::Escape;

/// The name under which minijinja knows JSON in ASCII.
const ASCII: &str = "ascii-json";

/// The escaping of a template in minijinja's words.
pub(crate) fn auto_escape(escape: Escape) -> AutoEscape {
    match escape {
        Escape::None => AutoEscape::None,
        Escape::Json => AutoEscape::Json,
        Escape::AsciiJson => AutoEscape::Custom(Cow::Borrowed(ASCII)),
    }
}

/// Registers the formatter and the filters.
pub(crate) fn register(environment: &mut Environment<'_>) {
    environment.set_formatter(format);
    environment.add_filter("pretty", pretty);
    environment.add_filter("line", line);
}

fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_safe() {
        return out.write_str(value.as_str().unwrap_or_default()).map_err(Error::from);
    }
    // A name that the context does not have is a fault of the template: it must not become an empty value.
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "the template prints a name that does not exist"));
    }
    let text = match state.auto_escape() {
        AutoEscape::Json => json(value)?,
        AutoEscape::Custom(_) => ascii(&json(value)?),
        _ => return minijinja::escape_formatter(out, state, value),
    };
    out.write_str(&text).map_err(Error::from)
}

/// Compact JSON.
fn json(value: &Value) -> Result<String, Error> {
    serde_json::to_string(value).map_err(serialisation)
}

fn serialisation(fault: serde_json::Error) -> Error {
    Error::new(ErrorKind::BadSerialization, "the value is none that JSON has").with_source(fault)
}

/// `{{ value|pretty(4) }}`: JSON over several lines, those after the first indented by so many blanks more.
fn pretty(state: &State<'_, '_>, value: &Value, indent: usize) -> Result<Value, Error> {
    let text = serde_json::to_string_pretty(value).map_err(serialisation)?;
    // Line breaks inside of strings are escaped, so every one here is between values.
    let text = text.replace('\n', &format!("\n{}", " ".repeat(indent)));
    let text = if *state.auto_escape() == AutoEscape::Custom(Cow::Borrowed(ASCII)) { ascii(&text) } else { text };
    Ok(Value::from_safe_string(text))
}

/// `{{ value|line }}`: one line, whatever the value has.
fn line(value: &str) -> String {
    value.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

/// JSON text with every character outside ASCII as `\uXXXX`, in UTF-16 units.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_json_reads_back_as_the_same_value() {
        let check = |text: &str, expected: &str| {
            let written = ascii(&serde_json::to_string(text).expect("a string"));
            assert_eq!(written, expected);
            assert_eq!(serde_json::from_str::<String>(&written).expect("JSON"), text);
        };
        check("a – b", r#""a \u2013 b""#);
        check("😀\"\n", r#""\ud83d\ude00\"\n""#);
        check("/'<>&", r#""/'<>&""#);
    }

    #[test]
    fn a_line_has_no_line_breaks() {
        assert_eq!(line("a\r\nb\u{2028}c"), "a  b c");
    }
}
