//! Lucene's regular expressions, as `query_string` of Elasticsearch and OpenSearch takes them between slashes.
//!
//! Source: Lucene's class `org.apache.lucene.util.automaton.RegExp` (all optional operators are on in `query_string`):
//! - the whole text must match; `.` is any character, the line break too;
//! - `" # @ & < > ~` are operators; there is neither `(?…)` nor a condition such as `^`;
//! - `\d \w \s` came with version 8.6 (before, they are letters) and `\s` is less than PCRE's, so sets are written out;
//! - no escape stands for a control character: those are written as they are. `\s` is `[\t-\r ]`, tab to carriage
//!   return, in this order, because the class is still right if the latter gets lost in a copy (`[\t- ]`);
//! - a range cannot start with an escaped backslash; an alternative cannot be empty.
//!
//! The query parser's grammar ends an expression at a slash that no backslash precedes, and prefers the longest: an
//! expression must not end with a backslash, not even an escaped one.

use sigcast_diagnostics::Code;
use sigcast_ir::{Part, Pattern};

use super::anchor::Whole;
use super::effort::effort;
use super::print::{Syntax, print};
use super::tree::{Look, Node, everything, folded, of};
use crate::say::Refusal;

/// What is an operator somewhere in an expression.
const OPERATORS: &[char] =
    &['.', '?', '+', '*', '|', '{', '}', '[', ']', '(', ')', '"', '\\', '/', '#', '@', '&', '<', '>', '~', '^', '$'];

const SYNTAX: Syntax = Syntax {
    literal,
    bracketed,
    any: ".",
    dot: ".",
    empty: "()",
    group: "(",
    look: no_look,
    caseless: false,
    named: false,
};

/// With line breaks told apart.
const BY_LINE: Syntax = Syntax { dot: "[^\n]", ..SYNTAX };

/// How many ranges a class may have; more are a table of Unicode's and no query anyone would read.
const MAX_RANGES: usize = 64;

/// The longest expression that a server takes (`index.max_regex_length`), in UTF-16 units. Query string, `regexp`, EQL and
/// ES|QL all ask for it.
const LONGEST: usize = 1_000;

/// The cost of the automaton ([`effort`]) up to which every server makes it. They give up at 100,000, ten times the
/// limit `max_determinized_states`; but what they add up depends on how their version of Lucene builds and rewrites the
/// expression. Of the public rules' expressions and of some made to be costly, version 9.11.1 counts between 0.4 times and
/// 1.3 times what is counted here, wherever the count is over 20,000.
const MOST_EFFORT: usize = 60_000;

/// Whether servers take the expression, which they refuse at run time otherwise.
pub(super) fn within_limits(text: &str, node: &Node) -> Result<(), Refusal> {
    let length = text.encode_utf16().count();
    let reason = if length > LONGEST {
        format!("it has {length} characters there, and servers take {LONGEST} (`index.max_regex_length`)")
    } else if effort(node, MOST_EFFORT).is_none() {
        "servers take its automaton for too large (`max_determinized_states`): it counts characters after a part that \
         may start anywhere"
            .to_owned()
    } else {
        return Ok(());
    };
    Err(Refusal::new(Code::RegexTooComplex, reason))
}

/// A pattern in the syntax of the engine, with both cases of each letter.
pub(in crate::passes) fn any_case(pattern: &Pattern<'_>) -> Result<String, Refusal> {
    let mut out = String::new();
    let mut nodes = Vec::new();
    for part in pattern.parts() {
        match part {
            Part::Text(text) => {
                text.chars().for_each(|c| letter(&mut out, c));
                nodes.extend(text.chars().map(|c| Node::class(folded(&of(&[(c, c)])))));
            }
            Part::AnyRun => {
                out.push_str(".*");
                nodes.push(Node::Run);
            }
            Part::AnyOne => {
                out.push('.');
                nodes.push(Node::class(everything()));
            }
            Part::Placeholder(_) => {}
        }
    }
    if out.is_empty() {
        // An expression without text would be no expression to the query parser.
        out.push_str("()");
    }
    let text = ended(out);
    within_limits(&text, &Node::concat(nodes))?;
    Ok(text)
}

/// An expression for the whole text.
pub(super) fn write(whole: &Whole) -> String {
    let syntax = if whole.single_line { &SYNTAX } else { &BY_LINE };
    ended(print(&whole.node, syntax))
}

/// Whether a class is too large to be written.
pub(super) fn too_large(node: &Node) -> bool {
    node.any(&|node| matches!(node, Node::Class(class) if class.set.ranges().len() > MAX_RANGES))
}

/// The expression with no backslash at its end.
fn ended(mut text: String) -> String {
    if text.ends_with('\\') {
        text.truncate(text.len() - 2);
        text.push_str(r"[\\]");
    }
    text
}

/// A character in any of its cases.
fn letter(out: &mut String, c: char) {
    if c.is_ascii_alphabetic() {
        out.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
    } else if c.is_ascii() {
        literal(out, c);
    } else {
        out.push_str(&print(&Node::class(folded(&of(&[(c, c)]))), &SYNTAX));
    }
}

/// A character that means itself.
fn literal(out: &mut String, c: char) {
    if OPERATORS.contains(&c) {
        out.push('\\');
    }
    out.push(c);
}

fn bracketed(out: &mut String, c: char) {
    if matches!(c, '\\' | '[' | ']' | '^' | '-' | '/') {
        out.push('\\');
    }
    out.push(c);
}

/// None is left when a search has been turned into a match of the whole text.
fn no_look(_: &Look) -> &'static str {
    "()"
}
