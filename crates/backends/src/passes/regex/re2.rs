//! RE2's syntax, and that of Rust's `regex` crate: what both read alike.
//!
//! Source: RE2's page "Syntax"; Kusto's page "Regex syntax", which described RE2 until 2024 and since describes the
//! other. They differ in `\d \s \w` (Unicode there, `\s` without the vertical tab here), so sets are written out, and in
//! what `\b` takes for a word: `x\b` is `x([^\w]|$)` where it is as simple as that, and otherwise `(?-u:\b)`, which RE2
//! does not read (better an error than another meaning). `$` is the very end of the text to both, but PCRE's also
//! stands before a last line break: `\n?$`.

use super::anchor::{Beside, Settling, search, settle};
use super::print::{Syntax, folds_back, print};
use super::tree::{Look, Node, never, refused};
use crate::say::Refusal;

const SYNTAX: Syntax = Syntax {
    literal,
    bracketed,
    any: "(?s:.)",
    dot: ".",
    empty: "()",
    group: "(",
    look,
    caseless: false,
    named: false,
};

const CASELESS: Syntax = Syntax { caseless: true, ..SYNTAX };

/// RE2 takes no more repetitions than these.
const MAX_TIMES: u32 = 1000;

/// The expression, searched for.
pub(super) fn write(node: Node) -> Result<String, Refusal> {
    let words = node.any(&|node| matches!(node, Node::Look(Look::Word | Look::NotWord)));
    let simple = if words { search(node.clone()).ok() } else { None };
    let outside = Beside::outside();
    let node = match simple {
        Some(node) => node,
        None => settle(node, &outside, &outside, Settling { by_line: true, strict: false })?,
    };
    if node == Node::Never {
        return Err(never());
    }
    let many = |node: &Node| matches!(node, Node::Repeat { least, most, .. } if most.unwrap_or(*least) > MAX_TIMES);
    if node.any(&many) {
        return Err(refused("repetition of more than 1000 times"));
    }
    let cased = node.any(&|node| matches!(node, Node::Class(class) if class.plain.is_some()));
    let mixed = node.any(&|node| matches!(node, Node::Class(class) if !folds_back(class)));
    Ok(if cased && !mixed { format!("(?i){}", print(&node, &CASELESS)) } else { print(&node, &SYNTAX) })
}

/// The expression for messages: with `\d`, `\s` and `\w`.
pub(super) fn shown(node: &Node) -> String {
    print(node, &Syntax { named: true, ..CASELESS })
}

fn literal(out: &mut String, c: char) {
    if matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
        out.push('\\');
    }
    written(out, c);
}

fn bracketed(out: &mut String, c: char) {
    if matches!(c, '\\' | '[' | ']' | '^' | '-' | '&' | '~') {
        out.push('\\');
    }
    written(out, c);
}

/// Control characters by their escapes.
fn written(out: &mut String, c: char) {
    match c {
        '\t' => out.push_str(r"\t"),
        '\n' => out.push_str(r"\n"),
        '\r' => out.push_str(r"\r"),
        c if c.is_control() || c == char::MAX || c.is_whitespace() && c != ' ' => {
            out.push_str(&format!(r"\x{{{:X}}}", u32::from(c)));
        }
        c => out.push(c),
    }
}

fn look(look: &Look) -> &'static str {
    match look {
        Look::Start | Look::Left { .. } => "^",
        Look::End | Look::EndText | Look::Right { .. } => "$",
        Look::LineStart => "(?m:^)",
        Look::LineEnd => "(?m:$)",
        Look::Word => r"(?-u:\b)",
        Look::NotWord => r"(?-u:\B)",
    }
}
