//! Correlations spelled as YAML: in one line for messages, in lines for files.
//!
//! Invariant: what is spelled is read again as it was, with the names that are given for its members.

use std::borrow::Cow;
use std::fmt::Write as _;

use sigcast_ir::{Bound, Correlation, Criterion, MemberCondition, Order, Wanted};

use crate::correlation::Type;
use crate::yaml::{self, Plain, Reading, Scalar};

/// What stands below `correlation`.
#[derive(Debug, Clone)]
pub struct Spelled(Vec<(&'static str, Value)>);

#[derive(Debug, Clone)]
enum Value {
    /// A scalar, quoted where it must be.
    Word(String),
    List(Vec<String>),
    Map(Vec<(&'static str, Value)>),
}

/// Spells a correlation of rules with these names, one for each member; aliases are not spelled.
#[must_use]
pub fn spelled(correlation: &Correlation<'_>, names: &[String]) -> Spelled {
    let list = |words: Vec<&str>| Value::List(words.into_iter().map(|word| scalar(word).into_owned()).collect());
    let (kind, condition) = match &correlation.criterion {
        Criterion::Measure { measure, bounds: all } => {
            let fields = correlation.members.first().map(|member| member.values.as_slice()).unwrap_or_default();
            let mut condition = match fields {
                [] => Vec::new(),
                [one] => vec![("field", Value::Word(scalar(&one.0).into_owned()))],
                several => vec![("field", list(several.iter().map(|field| field.0.as_ref()).collect()))],
            };
            if let sigcast_ir::Measure::Percentile(percentile) = measure {
                condition.push(("percentile", Value::Word(percentile.to_string())));
            }
            condition.extend(bounds(all));
            (Type::of(*measure), Some(Value::Map(condition)))
        }
        Criterion::Temporal { ordered, wanted } => {
            let condition = match wanted {
                _ if correlation.criterion.wants_all(names.len()) => None,
                Wanted::Rules(condition) => Some(Value::Word(scalar(&words(condition, names, false)).into_owned())),
                Wanted::Count(all) => Some(Value::Map(bounds(all).collect())),
            };
            (Type::Temporal { ordered: *ordered }, condition)
        }
    };
    let mut parts = vec![("type", Value::Word(kind.name().to_owned()))];
    parts.push(("rules", list(names.iter().map(String::as_str).collect())));
    if !correlation.keys.is_empty() {
        parts.push(("group-by", list(correlation.keys.iter().map(|key| key.name.as_ref()).collect())));
    }
    parts.push(("timespan", Value::Word(correlation.timespan.text.to_string())));
    parts.extend(condition.map(|condition| ("condition", condition)));
    Spelled(parts)
}

impl Spelled {
    /// As a map in one line.
    #[must_use]
    pub fn flow(&self) -> String {
        flow(&self.0)
    }

    /// As the lines of a map, the first level not indented and each one below by `unit`.
    #[must_use]
    pub fn block(&self, unit: &str) -> Vec<String> {
        let mut lines = Vec::new();
        block(&self.0, "", unit, &mut lines);
        lines
    }
}

fn flow(parts: &[(&str, Value)]) -> String {
    let each = parts.iter().map(|(key, value)| match value {
        Value::Word(word) => format!("{key}: {word}"),
        Value::List(words) => format!("{key}: [{}]", words.join(", ")),
        Value::Map(parts) => format!("{key}: {}", flow(parts)),
    });
    format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
}

fn block(parts: &[(&str, Value)], indent: &str, unit: &str, lines: &mut Vec<String>) {
    for (key, value) in parts {
        match value {
            Value::Word(word) => lines.push(format!("{indent}{key}: {word}")),
            Value::List(words) => {
                lines.push(format!("{indent}{key}:"));
                lines.extend(words.iter().map(|word| format!("{indent}{unit}- {word}")));
            }
            Value::Map(parts) => {
                lines.push(format!("{indent}{key}:"));
                block(parts, &format!("{indent}{unit}"), unit, lines);
            }
        }
    }
}

fn bounds(bounds: &[Bound<'_>]) -> impl Iterator<Item = (&'static str, Value)> {
    bounds.iter().map(|bound| {
        let name = match bound.order {
            Order::Equal if bound.negated => "neq",
            order => order.word(),
        };
        (name, Value::Word(bound.value.text.to_string()))
    })
}

/// A condition over rules as text.
fn words(condition: &MemberCondition, names: &[String], inner: bool) -> String {
    let joined = |terms: &[MemberCondition], word: &str| {
        let text = terms.iter().map(|term| words(term, names, true)).collect::<Vec<_>>().join(word);
        if inner { format!("({text})") } else { text }
    };
    match condition {
        MemberCondition::And(terms) => joined(terms, " and "),
        MemberCondition::Or(terms) => joined(terms, " or "),
        MemberCondition::Not(term) => format!("not {}", words(term, names, true)),
        MemberCondition::Member(at) => names.get(*at).cloned().unwrap_or_default(),
    }
}

/// A text as a scalar of YAML that every reader takes for text, in lists of any style.
#[must_use]
pub fn scalar(text: &str) -> Cow<'_, str> {
    let plain = Scalar { text: Cow::Borrowed(text), reading: Reading::Plain, content: None };
    let first = text.chars().next().is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '('));
    let rest = text
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | '-' | '/' | '\\' | '(' | ')' | '*' | '+'));
    if first && rest && !text.ends_with(' ') && plain.resolve() == Plain::Text && yaml::trap(&plain).is_none() {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(char::is_control) {
        return format!("'{}'", text.replace('\'', "''")).into();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    (out + "\"").into()
}

/// A name of a rule made of a title: one word of a condition.
#[must_use]
pub fn slug(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars() {
        match c {
            c if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            '-' if !out.is_empty() => out.push('-'),
            _ if !out.is_empty() && !out.ends_with('_') => out.push('_'),
            _ => {}
        }
    }
    out.truncate(out.trim_end_matches('_').len());
    match out.as_str() {
        "" | "and" | "or" | "not" | "all" | "any" | "1" | "of" | "them" => {
            format!("rule_{out}").trim_end_matches('_').to_owned()
        }
        _ => out,
    }
}
