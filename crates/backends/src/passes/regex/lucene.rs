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

use super::anchor::Whole;
use super::print::{Syntax, print};
use super::tree::{Look, Node, folded, of};

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
pub(in crate::passes) fn ended(mut text: String) -> String {
    if text.ends_with('\\') {
        text.truncate(text.len() - 2);
        text.push_str(r"[\\]");
    }
    text
}

/// A character in any of its cases.
pub(in crate::passes) fn any_case(out: &mut String, c: char) {
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
