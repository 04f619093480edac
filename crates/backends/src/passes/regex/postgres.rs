//! PostgreSQL's advanced regular expressions.
//!
//! Source: PostgreSQL documentation, "POSIX Regular Expressions":
//! - without flags `.` is any character, the line break too, and `^` and `$` stand at the ends of the text only;
//! - `(?i)` at the start ignores case by the rules of the database's locale: it is used where only ASCII letters are
//!   concerned, else both cases are written out. `\d \s \w \y` follow the locale too: sets are written out, and a word
//!   boundary that is not as simple as `x([^\w]|$)` is refused. So are conditions on lines;
//! - characters have the escapes `\uXXXX` and `\UXXXXXXXX`; a repetition counts up to 255.

use super::anchor::{Beside, Settling, search, settle};
use super::print::{Syntax, folds_back, print};
use super::tree::{Look, Node, never, refused};
use crate::say::Refusal;

const SYNTAX: Syntax = Syntax {
    literal,
    bracketed,
    any: ".",
    dot: r"[^\n]",
    empty: "()",
    group: "(",
    look,
    caseless: false,
    named: false,
};

const CASELESS: Syntax = Syntax { caseless: true, ..SYNTAX };

/// The most repetitions there can be.
const MAX_TIMES: u32 = 255;

/// The expression, searched for.
pub(super) fn write(node: Node) -> Result<String, Refusal> {
    let words = node.any(&|node| matches!(node, Node::Look(Look::Word | Look::NotWord)));
    let outside = Beside::outside();
    let node = if words {
        search(node)?
    } else {
        settle(node, &outside, &outside, Settling { by_line: true, strict: false })?
    };
    if node == Node::Never {
        return Err(never());
    }
    if node.any(&|node| matches!(node, Node::Look(Look::LineStart | Look::LineEnd))) {
        return Err(refused("condition on the ends of lines"));
    }
    if node.any(&|node| matches!(node, Node::Look(Look::Word | Look::NotWord))) {
        return Err(refused("word boundary of ASCII"));
    }
    let many = |node: &Node| matches!(node, Node::Repeat { least, most, .. } if most.unwrap_or(*least) > MAX_TIMES);
    if node.any(&many) {
        return Err(refused("repetition of more than 255 times"));
    }
    let cased = node.any(&|node| matches!(node, Node::Class(class) if class.plain.is_some()));
    let beyond =
        node.any(&|node| matches!(node, Node::Class(class) if !folds_back(class) || folds_beyond_ascii(class)));
    Ok(if cased && !beyond { format!("(?i){}", print(&node, &CASELESS)) } else { print(&node, &SYNTAX) })
}

/// Whether the class as the author wrote it holds some character beyond ASCII, and case matters to it.
fn folds_beyond_ascii(class: &super::tree::Class) -> bool {
    let Some(plain) = &class.plain else { return false };
    plain.ranges().iter().any(|range| !range.end().is_ascii())
}

fn literal(out: &mut String, c: char) {
    if matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
        out.push('\\');
    }
    written(out, c);
}

fn bracketed(out: &mut String, c: char) {
    if matches!(c, '\\' | '[' | ']' | '^' | '-') {
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
            let code = u32::from(c);
            out.push_str(&if code > 0xFFFF { format!(r"\U{code:08X}") } else { format!(r"\u{code:04X}") });
        }
        c => out.push(c),
    }
}

fn look(look: &Look) -> &'static str {
    match look {
        Look::Start | Look::Left { .. } => "^",
        Look::End | Look::EndText | Look::Right { .. } => "$",
        // Refused before.
        Look::LineStart | Look::LineEnd | Look::Word | Look::NotWord => "()",
    }
}
