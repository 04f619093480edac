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
/// expression. Of the public rules' expressions and of some made to be costly, version 9.11.1 counts between 0.24 times and
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
    for part in pattern.parts() {
        match part {
            Part::Text(text) => text.chars().for_each(|c| letter(&mut out, c)),
            Part::AnyRun => out.push_str(".*"),
            Part::AnyOne => out.push('.'),
            Part::Placeholder(_) => {}
        }
    }
    if out.is_empty() {
        // An expression without text would be no expression to the query parser.
        out.push_str("()");
    }
    let text = ended(out);
    if !is_small(pattern) {
        within_limits(&text, &tree(pattern))?;
    }
    Ok(text)
}

/// How many characters and runs a pattern may have whose automaton is small for certain.
const FEW_CHARACTERS: usize = 64;
const FEW_RUNS: usize = 3;

/// Whether the automaton of a pattern is small for certain, so that it need not be made. Behind a run, what was read last
/// tells which states are reached, as in a search for words: for each run at most as many sets as there are characters,
/// each of at most as many states: below 3 * 65 * 68 altogether. A wildcard for one character would tell nothing.
fn is_small(pattern: &Pattern<'_>) -> bool {
    let characters: usize = pattern.texts().map(|text| text.chars().count()).sum();
    let runs = pattern.parts().iter().filter(|part| **part == Part::AnyRun).count();
    characters <= FEW_CHARACTERS && runs <= FEW_RUNS && !pattern.parts().contains(&Part::AnyOne)
}

/// The pattern as an expression.
fn tree(pattern: &Pattern<'_>) -> Node {
    let nodes = pattern.parts().iter().flat_map(|part| match part {
        Part::Text(text) => text.chars().map(|c| Node::class(folded(&of(&[(c, c)])))).collect(),
        Part::AnyRun => vec![Node::Run],
        Part::AnyOne => vec![Node::class(everything())],
        Part::Placeholder(_) => Vec::new(),
    });
    Node::concat(nodes.collect::<Vec<_>>())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part() -> impl Strategy<Value = Part<'static>> {
        prop_oneof![
            4 => "[abAéß ]{1,24}".prop_map(|text| Part::Text(text.into())),
            2 => Just(Part::AnyRun),
        ]
    }

    proptest! {
        #[test]
        fn what_is_small_for_certain_is_small(parts in proptest::collection::vec(part(), 0..8)) {
            let pattern = Pattern::from_parts(parts);
            prop_assume!(is_small(&pattern));
            let most = FEW_RUNS * (FEW_CHARACTERS + 1) * (FEW_CHARACTERS + 4);
            prop_assert!(most < MOST_EFFORT);
            prop_assert!(effort(&tree(&pattern), most).is_some());
        }
    }
}
