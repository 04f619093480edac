//! Detection items as a rule writes them, for messages and explanations.

use std::borrow::Cow;
use std::fmt::Write as _;

use sigcast_ir::{Affix, Case, DetectionItem, LogSource, Order, Pattern, Shape, Test, TimePart, Tree, ValueLinking};

use crate::text;

/// A tree on one line: `(Image: 'a' and User: 'b')`.
pub(crate) fn tree(node: &Tree<'_>) -> String {
    let joined = |nodes: &[Tree<'_>], word: &str| {
        let terms: Vec<String> = nodes.iter().map(tree).collect();
        if terms.len() == 1 { terms.join("") } else { format!("({})", terms.join(word)) }
    };
    match node {
        Tree::All(nodes) => joined(nodes, " and "),
        Tree::Any(nodes) => joined(nodes, " or "),
        Tree::Item(found) => item(found),
    }
}

/// A log source: `windows/process_creation/-`.
pub(crate) fn logsource(source: &LogSource<'_>) -> String {
    let part = |part: &Option<Cow<'_, str>>| part.as_deref().unwrap_or("-").to_owned();
    format!("{}/{}/{}", part(&source.product), part(&source.category), part(&source.service))
}

/// An item on one line: `Image|endswith: ['\cmd.exe', '\pwsh.exe']`. Values that ask in several ways show wildcards.
#[must_use]
pub fn item(found: &DetectionItem<'_>) -> String {
    let tests: Vec<&Test<'_>> = found.values.iter().flat_map(|value| variants(&value.test)).collect();
    let common = tests
        .first()
        .and_then(|first| words(first))
        .filter(|word| tests.iter().all(|test| words(test).as_deref() == Some(word.as_str())));
    let mut shown = found.field.as_ref().map_or(String::new(), |field| field.as_str().to_owned());
    for word in common.iter().filter(|word| !word.is_empty()) {
        let _ = write!(shown, "|{word}");
    }
    if found.linking == ValueLinking::All && tests.len() > 1 {
        shown.push_str("|all");
    }
    if found.negated {
        shown.push_str("|neq");
    }
    let values: Vec<String> = tests.iter().map(|test| value(test, common.is_some())).collect();
    if !shown.is_empty() {
        shown.push_str(": ");
    }
    match values.as_slice() {
        [one] => shown.push_str(one),
        several => {
            let _ = write!(shown, "[{}]", several.join(", "));
        }
    }
    shown
}

fn variants<'t, 'a>(test: &'t Test<'a>) -> Vec<&'t Test<'a>> {
    match test {
        Test::OneOf(all) => all.iter().flat_map(variants).collect(),
        test => vec![test],
    }
}

/// The modifiers that ask so.
fn words(test: &Test<'_>) -> Option<String> {
    let mut all: Vec<&str> = Vec::new();
    match test {
        Test::Text { pattern, case } => {
            match pattern.shape() {
                Shape::Prefix(_) => all.push("startswith"),
                Shape::Suffix(_) => all.push("endswith"),
                Shape::Contains(_) => all.push("contains"),
                _ => {}
            }
            if *case == Case::Sensitive {
                all.push("cased");
            }
        }
        Test::Regex(regex) => {
            all.push("re");
            let flags = [(regex.flags.ignore_case, "i"), (regex.flags.multiline, "m"), (regex.flags.dot_all, "s")];
            all.extend(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag));
        }
        Test::Network(_) => all.push("cidr"),
        Test::Number { order, .. } => all.extend(order_word(*order)),
        Test::Exists(_) => all.push("exists"),
        Test::SameAs { affix, case, .. } => {
            all.push("fieldref");
            match affix {
                Affix::Equals => {}
                Affix::StartsWith => all.push("startswith"),
                Affix::EndsWith => all.push("endswith"),
                Affix::Contains => all.push("contains"),
            }
            if *case == Case::Sensitive {
                all.push("cased");
            }
        }
        Test::TimePart { part, order, .. } => {
            all.push(match part {
                TimePart::Minute => "minute",
                TimePart::Hour => "hour",
                TimePart::Day => "day",
                TimePart::Week => "week",
                TimePart::Month => "month",
                TimePart::Year => "year",
            });
            all.extend(order_word(*order));
        }
        Test::Bool(_) | Test::Null => {}
        Test::Raw(_) | Test::OneOf(_) => return None,
    }
    Some(all.join("|"))
}

/// The modifier for an order; equality needs none.
fn order_word(order: Order) -> Option<&'static str> {
    (order != Order::Equal).then(|| order.word())
}

/// A value; without its open ends if the key says them.
fn value(test: &Test<'_>, key: bool) -> String {
    match test {
        Test::Text { pattern, .. } => quoted(&if key { closed(pattern) } else { text::spelled(pattern) }),
        Test::Regex(regex) => quoted(&regex.source),
        Test::Network(network) => quoted(&network.to_string()),
        Test::Number { value, .. } | Test::TimePart { value, .. } => value.text.clone().into_owned(),
        Test::Bool(value) | Test::Exists(value) => value.to_string(),
        Test::Null => "null".to_owned(),
        Test::SameAs { other, .. } => other.as_str().to_owned(),
        Test::Raw(text) => format!("<{text}>"),
        Test::OneOf(_) => String::new(),
    }
}

fn closed(pattern: &Pattern<'_>) -> String {
    match pattern.shape() {
        Shape::Prefix(inner) | Shape::Suffix(inner) | Shape::Contains(inner) => text::spelled(&Pattern::exact(inner)),
        _ => text::spelled(pattern),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
