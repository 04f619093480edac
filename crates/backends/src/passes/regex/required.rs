//! What every match contains: `foo\s+(a|b)bar` has `*foo*bar*`.
//!
//! Invariant: each text in which the expression is found matches the pattern ignoring case. What is not plain to see
//! is a run.

use sigcast_ir::{Part, Pattern};

use super::tree::{Class, Node, chars, count, folded, single};

/// Repetitions of a fixed number up to this one are written out.
const MAX_COPIES: u32 = 16;

/// The pattern, if any text is needed.
pub(super) fn pattern(node: &Node) -> Option<Pattern<'static>> {
    let mut found = Pattern::from_parts([Part::AnyRun]);
    put(node, &mut found);
    found.push(Part::AnyRun);
    let some = found.texts().next().is_some();
    some.then_some(found)
}

fn put(node: &Node, found: &mut Pattern<'static>) {
    match node {
        Node::Empty | Node::Look(_) => {}
        Node::Class(class) => match letter(class) {
            // Wildcards of the languages that are to say it.
            Some(c) if !matches!(c, '*' | '?') => found.push(Part::Text(c.to_string().into())),
            _ => found.push(Part::AnyRun),
        },
        Node::Concat(items) => items.iter().for_each(|item| put(item, found)),
        Node::Repeat { inner, least, most } if *least > 0 => {
            // Repetitions in repetitions could grow beyond all bounds.
            let flat = !inner.any(&|node| matches!(node, Node::Repeat { .. }));
            let copies = if Some(*least) == *most && flat { (*least).min(MAX_COPIES) } else { 1 };
            (0..copies).for_each(|_| put(inner, found));
            if Some(copies) != *most {
                found.push(Part::AnyRun);
            }
        }
        Node::Never | Node::Run | Node::Alt(_) | Node::Repeat { .. } => found.push(Part::AnyRun),
    }
}

/// The one character, whatever its case, that the class stands for.
fn letter(class: &Class) -> Option<char> {
    if let Some(c) = class.plain.as_ref().and_then(single).or_else(|| single(&class.set)) {
        return Some(c);
    }
    // `[aA]`
    let first = chars(&class.set).last()?;
    let alike = count(&class.set) <= 3 && folded(&super::tree::of(&[(first, first)])) == class.set;
    alike.then_some(first)
}
