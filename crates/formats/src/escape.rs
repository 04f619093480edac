//! How values leave a template: as text, or in a form that cannot be broken out of.
//!
//! Invariant: what a template prints without the filter `safe` stays inside its quotes, its value or its line, whatever a
//! rule says.

use std::borrow::Cow;

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State};
use sigcast_backends::{Comment, mustache};

use crate::header::Escape;

/// The names under which minijinja knows what it has no word of its own for.
const ASCII: &str = "ascii-json";
const YAML: &str = "yaml";
const CONF: &str = "conf";
const ARM: &str = "arm";

/// The escaping of a template in minijinja's words.
pub(crate) fn auto_escape(escape: Escape) -> AutoEscape {
    match escape {
        Escape::None => AutoEscape::None,
        Escape::Json => AutoEscape::Json,
        Escape::AsciiJson => AutoEscape::Custom(Cow::Borrowed(ASCII)),
        // TOML's basic strings and its arrays of one line are those of JSON, too.
        Escape::Yaml | Escape::Toml => AutoEscape::Custom(Cow::Borrowed(YAML)),
        Escape::Conf => AutoEscape::Custom(Cow::Borrowed(CONF)),
        Escape::Arm => AutoEscape::Custom(Cow::Borrowed(ARM)),
    }
}

/// Registers the formatter and the filters.
pub(crate) fn register(environment: &mut Environment<'_>) {
    environment.set_formatter(format);
    environment.add_filter("pretty", pretty);
    environment.add_filter("line", line);
    environment.add_filter("text_json", text_json);
    environment.add_filter("from_json", from_json);
    environment.add_filter("quoted", quoted);
    environment.add_filter("shielded", shielded);
    environment.add_filter("block", block);
    environment.add_function("refuse", refuse);
    environment.add_filter("continued", continued);
    environment.add_filter("stanza", stanza);
    environment.add_filter("web_address", web_address);
    environment.add_filter("minutes", minutes);
    environment.add_test("three_numbers", three_numbers);
    environment.add_filter("comment", comment);
    environment.add_filter("conf_key", conf_key);
    environment.add_filter("conf_value", conf_value);
    environment.add_function("whole", whole);
    environment.add_function("list", list);
    environment.add_filter("prose", prose);
    environment.add_filter("no_tokens", no_tokens);
    environment.add_filter("no_mustache", |text: &str| mustache::without_tags(text));
    environment.add_filter("sigma_detection", crate::sigma::detection);
    environment.add_filter("rule_title", crate::sigma::title);
    environment.add_filter("day", crate::sigma::day);
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
        AutoEscape::Custom(name) if name == YAML => printable(&json(value)?),
        AutoEscape::Custom(name) if name == CONF => conf(value)?,
        AutoEscape::Custom(name) if name == ARM => json(&literal(value)?)?,
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

/// What a template or a filter refused, as a sentence of its own, also where another template includes that one.
pub(crate) fn refused(fault: &Error) -> Option<String> {
    if fault.kind() == ErrorKind::InvalidOperation {
        return fault.detail().map(str::to_owned);
    }
    let inner = std::error::Error::source(fault)?.downcast_ref::<Error>()?;
    refused(inner)
}

/// What in the rule the format cannot hold.
fn unfit(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// `{{ value|pretty(4) }}`: JSON over several lines, those after the first indented by so many blanks more.
fn pretty(state: &State<'_, '_>, value: &Value, indent: usize) -> Result<Value, Error> {
    let arm = *state.auto_escape() == AutoEscape::Custom(Cow::Borrowed(ARM));
    let value = if arm { literal(value)? } else { value.clone() };
    let text = serde_json::to_string_pretty(&value).map_err(serialisation)?;
    // Line breaks inside of strings are escaped, so every one here is between values.
    let text = text.replace('\n', &format!("\n{}", " ".repeat(indent)));
    let text = if *state.auto_escape() == AutoEscape::Custom(Cow::Borrowed(ASCII)) { ascii(&text) } else { text };
    Ok(Value::from_safe_string(text))
}

/// A value of which Azure Resource Manager evaluates nothing: text from `[` to `]` has one bracket more at its start.
///
/// Source: Microsoft Learn, "Syntax and expressions in ARM templates", escape characters.
fn literal(value: &Value) -> Result<Value, Error> {
    fn walk(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) if text.starts_with('[') && text.ends_with(']') => text.insert(0, '['),
            serde_json::Value::Array(values) => values.iter_mut().for_each(walk),
            serde_json::Value::Object(entries) => entries.values_mut().for_each(walk),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(value).map_err(serialisation)?;
    walk(&mut value);
    Ok(Value::from(minijinja::value::Serde(value)))
}

/// `{{ value|line }}`: one line, whatever the value has.
pub(crate) fn line(value: &str) -> String {
    value.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

/// `{{ value|text_json }}`: the value as JSON in a text, for products that keep JSON in a string. What comes out is
/// escaped like any other text.
fn text_json(value: &Value) -> Result<String, Error> {
    json(value)
}

/// `{{ text|from_json }}`: the value that a JSON text has, such as a query in JSON.
fn from_json(text: &str) -> Result<Value, Error> {
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|fault| Error::new(ErrorKind::BadSerialization, "the text is no JSON").with_source(fault))?;
    Ok(Value::from(minijinja::value::Serde(value)))
}

/// `{{ value|quoted }}`: the value as in YAML, TOML and JSON, in a template of another escaping.
fn quoted(value: &Value) -> Result<Value, Error> {
    Ok(Value::from_safe_string(printable(&json(value)?)))
}

/// `{{ value|shielded }}`: the same without `$`, for programs that put environment variables into the text of the file.
fn shielded(value: &Value) -> Result<Value, Error> {
    Ok(Value::from_safe_string(printable(&json(value)?).replace('$', "\\u0024")))
}

/// `{{ refuse("why") }}`: the format cannot hold the rule.
fn refuse(reason: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, reason))
}

/// `{{ text|block(4) }}`: a text as a block of YAML with that many blanks before each line, two more than stand before
/// the key; in quotes if a block cannot hold it.
fn block(text: &str, indent: usize) -> Result<Value, Error> {
    let plain = |c: char| c == '\n' || (!c.is_control() && is_printable(c));
    if text.trim().is_empty() || text.ends_with('\n') || !text.chars().all(plain) {
        return quoted(&Value::from(text));
    }
    let mut out = String::from("|2-");
    for line in text.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent));
            out.push_str(line);
        }
    }
    Ok(Value::from_safe_string(out))
}

/// A value of a line `key = value`: one line. A backslash at the end would join the next line to it.
///
/// Source: Splunk Enterprise, "About configuration files", and savedsearches.conf.spec.
fn conf(value: &Value) -> Result<String, Error> {
    let text = match value.as_str() {
        Some(text) => line(text),
        None if value.is_none() => String::new(),
        None if matches!(value.kind(), minijinja::value::ValueKind::Bool | minijinja::value::ValueKind::Number) => {
            value.to_string()
        }
        None => line(&json(value)?),
    };
    let text = text.trim().to_owned();
    if text.ends_with('\\') {
        return Err(unfit("a value ends in a backslash, which would join the next line of the file to it"));
    }
    Ok(text)
}

/// `{{ text|continued }}`: the value of a line `key = value` that goes on over several lines, each but the last with a
/// backslash at its end.
fn continued(text: &str) -> Result<Value, Error> {
    let lines: Vec<String> = text.lines().map(line).collect();
    if lines.iter().any(|line| line.trim_end().ends_with('\\')) {
        return Err(unfit(
            "a line ends in a backslash, which the file's form takes for the sign of a line that goes on",
        ));
    }
    Ok(Value::from_safe_string(lines.join(" \\\n").trim().to_owned()))
}

/// `{{ key|conf_key }}`: the key of a line `key = value`, which a rule's attribute `custom` may name.
fn conf_key(key: &str) -> Result<Value, Error> {
    let right = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if right {
        return Ok(Value::from_safe_string(key.to_owned()));
    }
    Err(unfit("the attribute `custom` sets a key that has other signs than letters, digits, `.`, `_` and `-`"))
}

/// `{{ text|prose }}`: a text for people, with a full stop behind each backslash at the end of a line, where a file of
/// Splunk's form would join the next line; lines that go on are indented, so that none looks like a stanza or a key.
fn prose(text: &str) -> String {
    let closed = |line: &str| {
        let line = line.trim_end();
        if line.ends_with('\\') { format!("{line}.") } else { line.to_owned() }
    };
    text.lines().map(closed).collect::<Vec<_>>().join("\n ")
}

/// `{{ text|no_tokens }}`: a text for people in which Splunk finds no token: it puts the value of a field in the place of
/// what stands between two `$`, for which it has no escape. They become the wide form of the sign; one alone stays.
fn no_tokens(text: &str) -> String {
    if text.matches('$').count() > 1 { text.replace('$', "\u{ff04}") } else { text.to_owned() }
}

/// `{{ seconds|minutes }}`: a span of time in whole minutes, hours or days, as `61m` or, with `|minutes(true)`, `PT61M`. What is not
/// whole is rounded up.
fn minutes(seconds: u64, iso: Option<bool>) -> String {
    let whole = seconds.div_ceil(60).saturating_mul(60);
    if iso == Some(true) { crate::schedule::iso(whole) } else { crate::schedule::duration(whole).0 }
}

/// `{% if text is three_numbers %}`: `1.0.0`.
fn three_numbers(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// `{{ rule.references|web_address }}`: the first that is an address of the web and nothing else; empty if there is none.
/// It has the signs of a URI only (RFC 3986), each `%` before two hexadecimal digits.
fn web_address(references: Vec<String>) -> String {
    let is_one = |text: &String| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let escapes =
            text.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit()));
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
            && escapes
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&b))
            && text.matches('#').count() < 2
    };
    references.into_iter().find(is_one).unwrap_or_default()
}

/// `{{ name|stanza }}`: the name of a stanza: one line without brackets.
fn stanza(name: &str) -> Value {
    Value::from_safe_string(stanza_name(name))
}

/// See [`stanza`]. Names that differ before may be equal after: who gives out names compares them so.
pub(crate) fn stanza_name(name: &str) -> String {
    let text: String = line(name)
        .chars()
        .map(|c| match c {
            '[' => '(',
            ']' => ')',
            // A path of the product's REST interface is made of the name, and a backslash at the end is no name.
            '/' | '\\' => '-',
            c => c,
        })
        .collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // What stands there holds for every stanza of the file (savedsearches.conf.spec, "GLOBAL SETTINGS").
    if text.eq_ignore_ascii_case("default") { format!("{text} rule") } else { text }
}

/// `{{ value|conf_value }}`: what a rule sets for a key: a list with commas, a truth value as 1 or 0.
fn conf_value(value: &Value) -> Result<Value, Error> {
    match serde_json::to_value(value).map_err(serialisation)? {
        serde_json::Value::Bool(value) => Ok(Value::from(u8::from(value))),
        serde_json::Value::Array(values) => {
            let texts = values.iter().map(|value| match value {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            Ok(Value::from(texts.collect::<Vec<_>>().join(",")))
        }
        _ => Ok(value.clone()),
    }
}

/// `{{ whole(overrides, "risk_score", 47, 0, 100) }}`: what the rule sets, or else the third; a whole number within the
/// bounds, or the format refuses the rule.
fn whole(overrides: &Value, key: &str, usual: i64, least: i64, most: i64) -> Result<i64, Error> {
    let value = overrides.get_item(&Value::from(key))?;
    if value.is_undefined() {
        return Ok(usual);
    }
    let found = i64::try_from(value.clone()).ok().filter(|found| value.is_number() && (least..=most).contains(found));
    found.ok_or_else(|| {
        let message = format!("the rule sets `{key}` to `{value}`: a whole number from {least} to {most} is expected");
        Error::new(ErrorKind::InvalidOperation, message)
    })
}

/// `{{ list(overrides, "streams") }}`: what the rule sets, or else nothing; a list, or the format refuses the rule.
fn list(overrides: &Value, key: &str) -> Result<Value, Error> {
    let value = overrides.get_item(&Value::from(key))?;
    match value.kind() {
        ValueKind::Undefined => Ok(Value::from(Vec::<Value>::new())),
        ValueKind::Seq => Ok(value),
        _ => {
            let message = format!("the rule sets `{key}` to `{value}`: a list is expected");
            Err(Error::new(ErrorKind::InvalidOperation, message))
        }
    }
}

/// `{{ text|comment(target.comment) }}`: lines of comment, as the language of the target writes them.
fn comment(text: &str, sign: &str) -> Result<Value, Error> {
    if sign.is_empty() {
        return Err(unfit("the language of the target has no comments"));
    }
    // The signs of comments are lines, but for Splunk's, which enclose.
    let kind = if sign == "```" { Comment::Block("```", "```") } else { Comment::Line("") };
    let lines = text.lines().map(|text| match kind {
        Comment::Block(..) => kind.line(text),
        _ => format!("{sign} {}", line(text).trim_end()).trim_end().to_owned(),
    });
    Ok(Value::from_safe_string(lines.collect::<Vec<_>>().join("\n")))
}

/// Whether every reader of YAML takes the character as it is: the printable ones without those that some take for line
/// breaks.
///
/// Source: YAML 1.2.2, 5.1; YAML 1.1, 5.4 (U+0085, U+2028 and U+2029 are breaks there).
fn is_printable(c: char) -> bool {
    !matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// JSON text with every character that is not printable as `\uXXXX`: right in YAML and TOML, too, which have no pairs of
/// surrogates.
pub(crate) fn printable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_printable(c) {
            out.push(c);
        } else {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        }
    }
    out
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

    /// Texts that try to leave their place.
    const HOSTILE: [&str; 9] = [
        "a \"b\" 'c'",
        "a\nb: c\r\n[d]\n---\n",
        "$(id) `id` {{ x }} {% y %}",
        "]]></x>",
        "..\\../x",
        "]\nenabled = 1\n[x",
        "\u{85}\u{2028}\u{2029}\u{7f}\u{9b}\u{feff}😀 – é",
        "  |-  # x",
        "- \t: \u{0}",
    ];

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
    fn quoted_text_reads_back_as_yaml_and_json() {
        for text in HOSTILE {
            let written = printable(&serde_json::to_string(text).expect("a string"));
            assert_eq!(serde_json::from_str::<String>(&written).expect("JSON"), text);
            let yaml: Vec<String> = serde_yaml::from_str(&format!("- {written}\n- x\n")).expect("YAML");
            assert_eq!(yaml, [text, "x"]);
            assert!(!written.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')), "{written}");
        }
    }

    #[test]
    fn blocks_read_back_as_the_same_text() {
        let more = ["a\nb", "  a\n\n b", "a: b # c\n---\n...", "\n\na", "x"];
        for text in HOSTILE.iter().chain(&more) {
            let written = block(text, 4).expect("a block").to_string();
            let yaml: Vec<std::collections::BTreeMap<String, String>> =
                serde_yaml::from_str(&format!("- q: {written}\n  r: x\n")).expect("YAML");
            assert_eq!((yaml[0]["q"].as_str(), yaml[0]["r"].as_str()), (*text, "x"), "{written}");
        }
        assert!(block("a\nb", 4).expect("a block").to_string().starts_with("|2-\n    a\n    b"));
    }

    #[test]
    fn nothing_leaves_the_line_of_a_conf_file() {
        for text in HOSTILE {
            let value = conf(&Value::from(text)).expect("a value");
            assert!(!value.contains(|c: char| c.is_control()), "{value:?}");
            let name = stanza_name(text);
            assert!(!name.contains(|c: char| c.is_control() || "[]\\/".contains(c)), "{name:?}");
            let lines = continued(text).expect("a value").to_string();
            for line in lines.lines().rev().skip(1) {
                assert!(line.ends_with(" \\"), "{lines:?}");
            }
            assert!(!lines.ends_with('\\'));
        }
        for text in ["x\\", "x\\ \n", "\\"] {
            assert!(conf(&Value::from(text)).is_err() && continued(text).is_err(), "{text:?}");
        }
        assert_eq!(continued("a\nb").expect("a value").to_string(), "a \\\nb");
    }

    #[test]
    fn comments_stay_comments() {
        for text in HOSTILE {
            let written = comment(text, "//").expect("a comment").to_string();
            assert!(written.lines().all(|line| line.starts_with("//")), "{written:?}");
            assert!(!written.contains(['\u{2028}', '\r', '\u{85}']));
        }
        let enclosed = comment("a ``` b\n``` | delete", "```").expect("a comment").to_string();
        assert_eq!(enclosed, "``` a  b ```\n```  | delete ```");
        assert!(comment("x", "").is_err());
    }

    #[test]
    fn nothing_is_an_expression_of_a_deployment() {
        let check = |text: &str, expected: &str| {
            assert_eq!(literal(&Value::from(text)).expect("a value").to_string(), expected);
        };
        check("[concat('a')]", "[[concat('a')]");
        // Without the bracket at the end it is no expression, and an escape would be part of the text.
        check("[a", "[a");
        check("a]", "a]");
        check("[]", "[[]");
    }

    #[test]
    fn texts_for_people_have_no_meaning_to_splunk() {
        assert_eq!(prose("a\\\nb \\ \n[c]"), "a\\.\n b \\.\n [c]");
        assert_eq!(no_tokens("ADMIN$ and C$"), "ADMIN\u{ff04} and C\u{ff04}");
        assert_eq!(no_tokens("ADMIN$"), "ADMIN$");
        assert!(conf_key("action.email.to").is_ok());
        for wrong in ["", "a = b", "a\n[x]", "[x]", "#", "a b"] {
            assert!(conf_key(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_line_has_no_line_breaks() {
        assert_eq!(line("a\r\nb\u{2028}c"), "a  b c");
    }
}
