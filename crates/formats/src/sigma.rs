//! A query as detections with names and a condition, in the form that OpenSearch Security Analytics reads aright.
//!
//! What goes in is the JSON of that form (`backends`, `targets/opensearch/security_analytics.rs`). What is known of the
//! server's compiler is its source (opensearch-project/security-analytics, `rules/objects/SigmaDetection.java`,
//! `rules/objects/SigmaCondition.java`, `rules/backend/{QueryBackend,OSQueryBackend}.java`, 2024 to 2026):
//! - of a list of maps it keeps nothing: each map stands under a name of its own here;
//! - `not` is pushed down to the values, and one under another `not` is not taken back (`NOT NOT f: "a"`, which does not
//!   parse): here it stands before names only, never before a group;
//! - `not` of a value asks for the field: `(NOT f: "a" AND _exists_: f)`. As Sigma has it an event without the field
//!   passes, so `null` of the field stands beside as another way.
//!
//! Invariant: as Sigma, what comes out means what went in; so it does as the server compiles it. Names are made of letters,
//! digits and `_`.

use std::collections::HashSet;
use std::fmt::Write as _;

use minijinja::{Error, ErrorKind};
use serde_json::Value;

/// A query.
#[derive(Debug)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Item(Item),
}

/// An item of a detection.
#[derive(Debug, Clone)]
struct Item {
    /// The field with its modifiers.
    key: String,
    /// A value or a list of values.
    value: Value,
}

impl Item {
    fn field(&self) -> &str {
        self.key.split('|').next().unwrap_or_default()
    }
}

/// A condition, with `not` before names only.
#[derive(Debug)]
enum Term {
    All(Vec<Term>),
    Any(Vec<Term>),
    Is(Name),
    Not(Name),
}

/// The name of a detection, by its number.
#[derive(Debug, Clone, Copy)]
enum Name {
    Selection(usize),
    Filter(usize),
    Absent(usize),
}

/// The detections of a condition.
#[derive(Debug, Default)]
struct Detections {
    /// Those that are asked for.
    selections: Vec<Vec<Item>>,
    /// Those that are not to match.
    filters: Vec<Vec<Item>>,
    /// Fields that an event may lack.
    absent: Vec<String>,
}

/// `{{ query|sigma_detection(4) }}`: the lines below `detection:`, each behind that many blanks at least.
pub(crate) fn detection(query: &str, indent: usize) -> Result<minijinja::Value, Error> {
    let wrong = || Error::new(ErrorKind::BadSerialization, "the query is no detection in JSON");
    let value: Value = serde_json::from_str(query).map_err(|fault| wrong().with_source(fault))?;
    let node = match value {
        Value::Array(mut parts) if parts.len() == 2 && parts[0] == "rule" => node(parts.swap_remove(1)),
        _ => None,
    };
    let mut found = Detections::default();
    let condition = found.term(&node.ok_or_else(wrong)?, false);
    Ok(minijinja::Value::from_safe_string(found.print(&condition, &" ".repeat(indent))))
}

/// The query that a value of JSON says.
fn node(value: Value) -> Option<Node> {
    match value {
        Value::Object(entries) => {
            let mut entries = entries.into_iter();
            let (key, value) = entries.next()?;
            entries.next().is_none().then_some(Node::Item(Item { key, value }))
        }
        Value::Array(parts) => {
            let mut parts = parts.into_iter();
            let Some(Value::String(word)) = parts.next() else { return None };
            let mut terms: Vec<Node> = parts.map(node).collect::<Option<_>>()?;
            match word.as_str() {
                "and" => Some(Node::And(terms)),
                "or" => Some(Node::Or(terms)),
                "not" if terms.len() == 1 => terms.pop().map(|inner| Node::Not(Box::new(inner))),
                _ => None,
            }
        }
        _ => None,
    }
}

impl Detections {
    /// The condition of a query, or of what it leaves out.
    fn term(&mut self, node: &Node, negated: bool) -> Term {
        match node {
            Node::Not(inner) => self.term(inner, !negated),
            Node::Item(item) => joined(self.items(vec![item.clone()], negated), false),
            Node::And(terms) => {
                let mut all = self.items(maps_of(terms), negated);
                all.extend(terms.iter().filter(|term| !is_item(term)).map(|term| self.term(term, negated)));
                joined(all, !negated)
            }
            Node::Or(terms) => joined(terms.iter().map(|term| self.term(term, negated)).collect(), negated),
        }
    }

    /// Items that all match: in maps, of which each has a key once. Negated: the ways in which one of them does not.
    fn items(&mut self, items: Vec<Item>, negated: bool) -> Vec<Term> {
        let mut out = Vec::new();
        let mut rest = items;
        while !rest.is_empty() {
            let mut keys = HashSet::new();
            let (map, others): (Vec<Item>, Vec<Item>) =
                rest.into_iter().partition(|item| keys.insert(item.key.clone()));
            rest = others;
            if !negated {
                self.selections.push(map);
                out.push(Term::Is(Name::Selection(self.selections.len() - 1)));
                continue;
            }
            let tested = map.iter().filter(|item| !item.value.is_null()).map(|item| item.field().to_owned());
            let absent: Vec<String> = tested.collect();
            self.filters.push(map);
            out.push(Term::Not(Name::Filter(self.filters.len() - 1)));
            for field in absent {
                let number = self.absent.iter().position(|known| *known == field).unwrap_or_else(|| {
                    self.absent.push(field);
                    self.absent.len() - 1
                });
                let known = |term: &Term| matches!(term, Term::Is(Name::Absent(other)) if *other == number);
                if !out.iter().any(known) {
                    out.push(Term::Is(Name::Absent(number)));
                }
            }
        }
        out
    }

    fn name(&self, name: Name) -> String {
        let (word, number, count) = match name {
            Name::Selection(number) => ("selection", number, self.selections.len()),
            Name::Filter(number) => ("filter", number, self.filters.len()),
            Name::Absent(number) => ("absent", number, self.absent.len()),
        };
        if count == 1 { word.to_owned() } else { format!("{word}_{}", number + 1) }
    }

    /// The condition as a text; `inside`: whether it stands in another one.
    fn condition(&self, term: &Term, inside: bool) -> String {
        let (terms, word) = match term {
            Term::Is(name) => return self.name(*name),
            Term::Not(name) => return format!("not {}", self.name(*name)),
            Term::All(terms) => (terms, " and "),
            Term::Any(terms) => (terms, " or "),
        };
        let terms: Vec<String> = terms.iter().map(|term| self.condition(term, true)).collect();
        let text = terms.join(word);
        if inside { format!("({text})") } else { text }
    }

    fn print(&self, condition: &Term, indent: &str) -> String {
        let mut out = String::new();
        let selections = self.selections.iter().enumerate().map(|(at, items)| (Name::Selection(at), items.clone()));
        let filters = self.filters.iter().enumerate().map(|(at, items)| (Name::Filter(at), items.clone()));
        let absent = self
            .absent
            .iter()
            .enumerate()
            .map(|(at, field)| (Name::Absent(at), vec![Item { key: field.clone(), value: Value::Null }]));
        for (name, items) in selections.chain(filters).chain(absent) {
            let _ = writeln!(out, "{indent}{}:", self.name(name));
            for Item { key, value } in &items {
                let _ = write!(out, "{indent}    {}:", self::key(key));
                match value {
                    Value::Array(values) => {
                        for value in values {
                            let _ = write!(out, "\n{indent}        - {}", scalar(value));
                        }
                    }
                    value => {
                        let _ = write!(out, " {}", scalar(value));
                    }
                }
                out.push('\n');
            }
        }
        let _ = write!(out, "{indent}condition: {}", self.condition(condition, false));
        out
    }
}

fn is_item(node: &Node) -> bool {
    matches!(node, Node::Item(_))
}

/// The items among terms.
fn maps_of(terms: &[Node]) -> Vec<Item> {
    let items = terms.iter().filter_map(|term| match term {
        Node::Item(item) => Some(item.clone()),
        _ => None,
    });
    items.collect()
}

/// Terms of which all hold (`all`), or one.
fn joined(terms: Vec<Term>, all: bool) -> Term {
    let mut flat = Vec::with_capacity(terms.len());
    for term in terms {
        match term {
            Term::All(inner) if all => flat.extend(inner),
            Term::Any(inner) if !all => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.len() {
        1 => flat.swap_remove(0),
        _ if all => Term::All(flat),
        _ => Term::Any(flat),
    }
}

/// A value in YAML, the same to readers of versions 1.1 and 1.2.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().all(|c| c.is_ascii_graphic() || c == ' ') => {
            format!("'{}'", text.replace('\'', "''"))
        }
        Value::String(_) => crate::escape::printable(&value.to_string()),
        other => other.to_string(),
    }
}

/// A key of a map: plain where no reader could take it for something else than text.
fn key(key: &str) -> String {
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '|'))
        && !words.contains(&key.to_ascii_lowercase().as_str());
    if plain { key.to_owned() } else { format!("'{}'", key.replace('\'', "''")) }
}

/// `{{ name|rule_title }}`: a title without what the server refuses.
///
/// Source: opensearch-project/common-utils, `ValidationHelpers.kt`, `isValidQueryName`.
pub(crate) fn title(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| match c {
            '^' | '*' | '?' | '#' => '-',
            '<' => '(',
            '>' => ')',
            '|' => '/',
            c => c,
        })
        .collect();
    while out.contains("..") {
        out = out.replace("..", ".");
    }
    let out = out.trim_start_matches(|c: char| matches!(c, '_' | '-' | '+') || c.is_whitespace()).trim_end();
    if out.is_empty() { "Rule".to_owned() } else { out.to_owned() }
}

/// `{{ rule.date|day }}`: a date as the specification has it, `2026-01-31` or `2026/01/31`; none if it is another text.
pub(crate) fn day(value: &minijinja::Value) -> minijinja::Value {
    let fits = |text: &&str| {
        text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| match at {
                4 | 7 => (b == b'-' || b == b'/') && text.as_bytes().get(4) == Some(&b),
                _ => b.is_ascii_digit(),
            })
    };
    value.as_str().filter(fits).map_or(().into(), minijinja::Value::from)
}
