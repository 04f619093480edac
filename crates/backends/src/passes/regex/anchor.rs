//! From a search to a match of the whole text: `^x` becomes `x.*`, and `(^|/)x` becomes `(.*/)?x.*`.
//!
//! Before: an expression that is searched for. After: one that is matched against the whole text, without conditions
//! ([`Look`]) and without what the open ends make pointless (`x+` at an open end is `x`).
//!
//! First every condition is settled by what can stand beside it (`a^` never holds; `\b` between two digits neither), or
//! turned into one on what stands beside the whole match. Then the ends are opened where no condition is, and closed
//! accordingly where one is.

use super::tree::{Class, Look, Node, Set, both, is_dot, never, not, of, refused, word};
use crate::say::Refusal;

/// An expression for the whole text.
#[derive(Debug)]
pub(super) struct Whole {
    /// The expression.
    pub(super) node: Node,
    /// Whether `.` and `$` are taken as if texts had no line breaks: `.` then is any character, `$` the end.
    pub(super) single_line: bool,
}

/// How large a tree may become by unrolling.
const MAX_SIZE: usize = 5_000;

/// Repetitions with conditions in them are unrolled up to so many times.
const MAX_UNROLLED: u32 = 8;

/// The search as an expression for the whole text.
pub(super) fn whole(node: Node) -> Result<Whole, Refusal> {
    bounded(&node)?;
    let by_line = minds_lines(&node);
    let ends = node.any(&|node| matches!(node, Node::Look(Look::End)));
    let settled = settle(node, &Beside::outside(), &Beside::outside(), Settling { by_line, strict: true })?;
    let node = open(open(settled, Side::Left, Ends::Whole)?, Side::Right, Ends::Whole)?;
    if node == Node::Never {
        return Err(never());
    }
    let dots = node.any(&|node| matches!(node, Node::Class(class) if is_dot(&class.set)));
    Ok(Whole { node, single_line: !by_line && (ends || dots) })
}

/// The search without word boundaries: `x\b` as `x([^\w]|$)`.
pub(super) fn search(node: Node) -> Result<Node, Refusal> {
    bounded(&node)?;
    let by_line = true;
    let settled = settle(node, &Beside::outside(), &Beside::outside(), Settling { by_line, strict: true })?;
    open(open(settled, Side::Left, Ends::Search)?, Side::Right, Ends::Search)
}

/// Whether the author has texts of several lines in mind: the expression names the line break, or uses `m`.
fn minds_lines(node: &Node) -> bool {
    node.any(&|node| match node {
        Node::Class(class) => names_break(&class.set),
        Node::Look(look) => matches!(look, Look::LineStart | Look::LineEnd),
        _ => false,
    })
}

/// Whether a class names the line break (`\n`, `[\r\n]`, `[^\r\n]`), which `\s` and `.` do not.
fn names_break(set: &Set) -> bool {
    match set.ranges() {
        [range] => range.start() == '\n' && range.end() == '\n',
        [_, _] | [_, _, _] => {
            let breaks = of(&[('\n', '\n'), ('\r', '\r')]);
            *set == breaks || *set == not(breaks)
        }
        _ => false,
    }
}

/// What can stand beside a place.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    /// The place can be at the end of the match, with anything beyond it.
    outside: bool,
    /// Characters of the match itself.
    chars: Set,
}

impl Beside {
    /// The end of the match.
    pub(super) fn outside() -> Self {
        Self { outside: true, chars: Set::empty() }
    }

    fn or(mut self, other: &Self) -> Self {
        self.outside |= other.outside;
        self.chars.union(&other.chars);
        self
    }

    /// Only the end of the match.
    fn only_outside(&self) -> bool {
        self.outside && self.chars.ranges().is_empty()
    }

    /// Whether what stands there is in the set: always, never, or it depends.
    fn within(&self, set: &Set) -> Option<bool> {
        if self.outside {
            None
        } else if both(self.chars.clone(), set).ranges().is_empty() {
            Some(false)
        } else if both(self.chars.clone(), &not(set.clone())).ranges().is_empty() {
            Some(true)
        } else {
            None
        }
    }
}

/// A side of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The characters at one end of what a node matches, and whether it can match the empty string.
fn end(node: &Node, side: Side) -> (Set, bool) {
    match node {
        Node::Empty | Node::Look(_) => (Set::empty(), true),
        Node::Never => (Set::empty(), false),
        Node::Run => (super::tree::everything(), true),
        Node::Class(class) => (class.set.clone(), false),
        Node::Repeat { inner, least, .. } => {
            let (set, empty) = end(inner, side);
            (set, empty || *least == 0)
        }
        Node::Alt(branches) => branches.iter().fold((Set::empty(), false), |(mut all, any), branch| {
            let (set, empty) = end(branch, side);
            all.union(&set);
            (all, any || empty)
        }),
        Node::Concat(items) => end_of(items, side),
    }
}

/// The same of nodes one after the other.
fn end_of(items: &[Node], side: Side) -> (Set, bool) {
    let mut all = Set::empty();
    for at in 0..items.len() {
        let item = &items[if side == Side::Left { at } else { items.len() - 1 - at }];
        let (set, empty) = end(item, side);
        all.union(&set);
        if !empty {
            return (all, false);
        }
    }
    (all, true)
}

/// What stands at a node's end, seen from beyond it; behind an empty match comes what was beside it.
fn seen(nodes: &[Node], side: Side, beyond: &Beside) -> Beside {
    let (chars, empty) = end_of(nodes, side);
    let found = Beside { outside: false, chars };
    if empty { found.or(beyond) } else { found }
}

/// How conditions are settled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settling {
    /// Whether line breaks are told apart.
    pub(super) by_line: bool,
    /// Whether every condition must go; otherwise only `$` is looked at, which means something else elsewhere.
    pub(super) strict: bool,
}

/// Settles every condition in a node between `left` and `right`.
pub(super) fn settle(node: Node, left: &Beside, right: &Beside, how: Settling) -> Result<Node, Refusal> {
    if !node.any(&|node| matches!(node, Node::Look(_))) {
        return Ok(node);
    }
    Ok(match node {
        Node::Look(look) => condition(look, left, right, how)?,
        Node::Concat(items) => {
            let mut settled = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                if !item.any(&|node| matches!(node, Node::Look(_))) {
                    settled.push(item.clone());
                    continue;
                }
                let before = seen(&items[..at], Side::Right, left);
                let after = seen(&items[at + 1..], Side::Left, right);
                settled.push(settle(item.clone(), &before, &after, how)?);
            }
            Node::concat(settled)
        }
        Node::Alt(branches) => {
            let settled: Result<Vec<_>, _> =
                branches.into_iter().map(|branch| settle(branch, left, right, how)).collect();
            Node::alt(settled?)
        }
        Node::Repeat { ref inner, least, most } => {
            let copies = most.unwrap_or(least);
            if how.strict && most != Some(1) && (1..=MAX_UNROLLED).contains(&copies) {
                return settle(unroll(inner, least, most), left, right, how);
            }
            let (mut before, mut after) = (left.clone(), right.clone());
            if most != Some(1) {
                before = before.or(&seen(std::slice::from_ref(inner), Side::Right, left));
                after = after.or(&seen(std::slice::from_ref(inner), Side::Left, right));
            }
            Node::repeat(settle((**inner).clone(), &before, &after, how)?, least, most)
        }
        node => node,
    })
}

/// How large the tree is with every repetition unrolled that [`settle`] may unroll.
fn unrolled_size(node: &Node) -> usize {
    match node {
        Node::Concat(items) | Node::Alt(items) => {
            items.iter().fold(1, |size, item| unrolled_size(item).saturating_add(size))
        }
        Node::Repeat { inner, least, most } => {
            let copies = most.unwrap_or(least.saturating_add(1)).min(MAX_UNROLLED + 1) as usize;
            let looks = inner.any(&|node| matches!(node, Node::Look(_)));
            unrolled_size(inner).saturating_mul(if looks { copies } else { 1 }).saturating_add(1)
        }
        _ => 1,
    }
}

/// Refuses what would become too large.
fn bounded(node: &Node) -> Result<(), Refusal> {
    let looks = node.any(&|node| matches!(node, Node::Look(_)));
    if looks && unrolled_size(node) > MAX_SIZE {
        return Err(refused("conditions such as `^` and `\\b` in repetitions of this size"));
    }
    Ok(())
}

/// `x{2,4}` as `xx(x(x)?)?`, `x{2,}` as `xxx*`.
fn unroll(inner: &Node, least: u32, most: Option<u32>) -> Node {
    let tail = match most {
        None => Node::repeat(inner.clone(), 0, None),
        Some(most) => {
            (least..most).fold(Node::Empty, |tail, _| Node::repeat(Node::concat([inner.clone(), tail]), 0, Some(1)))
        }
    };
    Node::concat((0..least).map(|_| inner.clone()).chain([tail]))
}

fn condition(look: Look, left: &Beside, right: &Beside, how: Settling) -> Result<Node, Refusal> {
    if look == Look::LineStart && right.outside {
        // PCRE does not take the place after a last line break for the start of a line; others do.
        return Err(refused("`^` of several lines before what may be empty"));
    }
    if !how.strict && look != Look::End {
        return Ok(Node::Look(look));
    }
    let line = || of(&[('\n', '\n')]);
    match look {
        Look::Start => beside(left, Look::Left { edge: true, set: Set::empty() }, "^"),
        Look::LineStart => beside(left, Look::Left { edge: true, set: line() }, "^"),
        Look::EndText => beside(right, Look::Right { edge: true, set: Set::empty(), last_break: false }, "$"),
        Look::LineEnd => beside(right, Look::Right { edge: true, set: line(), last_break: false }, "$"),
        Look::End if !how.strict => beside(right, Look::End, "$").map(|node| match node {
            Node::Look(Look::End) => last_end(),
            node => node,
        }),
        Look::End => beside(right, Look::Right { edge: true, set: Set::empty(), last_break: how.by_line }, "$"),
        Look::Word => boundary(left, right, true),
        Look::NotWord => boundary(left, right, false),
        look => Ok(Node::Look(look)),
    }
}

/// A condition on one side: settled inside the match, kept at its end.
fn beside(there: &Beside, look: Look, sign: &str) -> Result<Node, Refusal> {
    if there.only_outside() {
        return Ok(Node::Look(look));
    }
    let holds = match &look {
        Look::Left { set, .. } | Look::Right { set, last_break: false, .. } => there.within(set),
        // Before a line break it could be the last one.
        _ => there.within(&of(&[('\n', '\n')])).filter(|is_break| !is_break),
    };
    match holds {
        Some(true) => Ok(Node::Empty),
        Some(false) => Ok(Node::Never),
        None => Err(refused(&format!("`{sign}` within an expression"))),
    }
}

/// `\b` (`differ`) or `\B`.
fn boundary(left: &Beside, right: &Beside, differ: bool) -> Result<Node, Refusal> {
    let word = word();
    // Beyond an end of the text there is no word.
    let needed = |is_word: bool| {
        let wanted = is_word != differ;
        (!wanted, if wanted { word.clone() } else { not(word.clone()) })
    };
    match (left.within(&word), right.within(&word)) {
        (Some(before), Some(after)) if (before != after) == differ => Ok(Node::Empty),
        (Some(_), Some(_)) => Ok(Node::Never),
        (Some(before), None) if right.only_outside() => {
            let (edge, set) = needed(before);
            Ok(Node::Look(Look::Right { edge, set, last_break: false }))
        }
        (None, Some(after)) if left.only_outside() => {
            let (edge, set) = needed(after);
            Ok(Node::Look(Look::Left { edge, set }))
        }
        _ => Err(refused(if differ { "word boundary `\\b`" } else { "`\\B`" })),
    }
}

fn has_look(node: &Node, side: Side) -> bool {
    node.any(&|node| matches!(node, Node::Look(look) if side_of(look) == side))
}

/// What an expression is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// A match of the whole text.
    Whole,
    /// A search, in which conditions at the ends may take a character.
    Search,
}

fn side_of(look: &Look) -> Side {
    if matches!(look, Look::Left { .. } | Look::Start | Look::LineStart) { Side::Left } else { Side::Right }
}

/// The node with anything before it (or behind it), as far as its conditions on that side allow.
fn open(node: Node, side: Side, ends: Ends) -> Result<Node, Refusal> {
    if !has_look(&node, side) {
        let node = trim(node, side);
        return Ok(if ends == Ends::Whole { ordered(Node::Run, node, side) } else { node });
    }
    match node {
        Node::Look(look) if ends == Ends::Whole => Ok(context(look)),
        Node::Look(look) => Ok(taken(look)),
        Node::Alt(branches) => {
            // The branches without a condition are opened together, where the first of them stands.
            let free = Node::alt(branches.iter().filter(|branch| !has_look(branch, side)).cloned());
            let mut free = (free != Node::Never).then_some(free);
            let mut opened = Vec::with_capacity(branches.len());
            for branch in branches {
                if has_look(&branch, side) {
                    opened.push(open(branch, side, ends)?);
                } else if let Some(free) = free.take() {
                    opened.push(open(free, side, ends)?);
                }
            }
            // One branch that matches everywhere makes the others pointless.
            let free = if ends == Ends::Whole { Node::Run } else { Node::Empty };
            Ok(if opened.contains(&free) { free } else { Node::alt(opened) })
        }
        Node::Repeat { inner, least: 0, most: Some(1) } => open(Node::Alt(vec![*inner, Node::Empty]), side, ends),
        Node::Concat(mut items) => {
            if side == Side::Right {
                items.reverse();
            }
            // What stands before a condition on this side takes no characters: it is one on the other side.
            let first = items.iter().position(|item| has_look(item, side)).unwrap_or(0);
            if items[..first].iter().any(|item| !matches!(item, Node::Look(_))) {
                return Err(refused("conditions such as `^` and `\\b` in these places"));
            }
            let mut outer = items.remove(first);
            while let (Node::Look(one), Some(Node::Look(other))) = (&outer, items.get(first)) {
                let Some(merged) = merged(one, other) else { break };
                outer = Node::Look(merged);
                items.remove(first);
            }
            if items.iter().any(|item| has_look(item, side)) {
                return Err(refused("conditions such as `^` and `\\b` in these places"));
            }
            items.insert(0, open(outer, side, ends)?);
            if side == Side::Right {
                items.reverse();
            }
            Ok(Node::concat(items))
        }
        _ => Err(refused("conditions such as `^` and `\\b` in repetitions")),
    }
}

/// Both conditions in one, if they look to the same side.
fn merged(one: &Look, other: &Look) -> Option<Look> {
    match (one, other) {
        (Look::Left { edge, set }, Look::Left { edge: edge2, set: set2 }) => {
            Some(Look::Left { edge: *edge && *edge2, set: both(set.clone(), set2) })
        }
        (Look::Right { edge, set, last_break: false }, Look::Right { edge: edge2, set: set2, last_break: false }) => {
            Some(Look::Right { edge: *edge && *edge2, set: both(set.clone(), set2), last_break: false })
        }
        (one, other) if one == other => Some(one.clone()),
        _ => None,
    }
}

/// What may stand beyond the match by the condition at its end.
fn context(look: Look) -> Node {
    let (edge, beyond) = match look {
        Look::Left { edge, set } => (edge, Node::concat([Node::Run, Node::class(set)])),
        Look::Right { edge, set, last_break: false } => (edge, Node::concat([Node::class(set), Node::Run])),
        Look::Right { .. } => (true, Node::class(of(&[('\n', '\n')]))),
        look => return Node::Look(look),
    };
    match beyond {
        Node::Never if edge => Node::Empty,
        beyond if edge => Node::Repeat { inner: Box::new(beyond), least: 0, most: Some(1) },
        beyond => beyond,
    }
}

/// The condition at an end of a search, taking the character it asks for.
fn taken(look: Look) -> Node {
    let (sign, edge, set) = match look {
        Look::Left { edge, set } => (Look::Start, edge, set),
        Look::Right { edge, set, last_break: false } => (Look::EndText, edge, set),
        Look::Right { .. } => return last_end(),
        look => (look, true, Set::empty()),
    };
    Node::alt([if edge { Node::Look(sign) } else { Node::Never }, Node::class(set)])
}

/// `$` where it is the very end of the text only: with a last line break before it.
fn last_end() -> Node {
    let line_break = Node::repeat(Node::class(of(&[('\n', '\n')])), 0, Some(1));
    Node::concat([line_break, Node::Look(Look::EndText)])
}

fn ordered(outer: Node, inner: Node, side: Side) -> Node {
    match side {
        Side::Left => Node::concat([outer, inner]),
        Side::Right => Node::concat([inner, outer]),
    }
}

/// The least of the node that is needed where anything may stand beside it.
fn trim(node: Node, side: Side) -> Node {
    match node {
        Node::Run => Node::Empty,
        Node::Repeat { least: 0, .. } => Node::Empty,
        Node::Repeat { inner, least: 1, .. } => trim(*inner, side),
        Node::Repeat { inner, least, .. } => Node::repeat(*inner, least, Some(least)),
        Node::Alt(branches) => {
            let trimmed: Vec<_> = branches.into_iter().map(|branch| trim(branch, side)).collect();
            if trimmed.contains(&Node::Empty) { Node::Empty } else { Node::alt(trimmed) }
        }
        Node::Concat(mut items) => {
            if side == Side::Right {
                items.reverse();
            }
            let mut kept = Vec::with_capacity(items.len());
            for item in items {
                let item = if kept.is_empty() { trim(item, side) } else { item };
                if item != Node::Empty {
                    kept.push(item);
                }
            }
            if side == Side::Right {
                kept.reverse();
            }
            Node::concat(kept)
        }
        node => node,
    }
}

/// Whether every class has both cases of its letters.
pub(super) fn caseless(node: &Node) -> bool {
    !node.any(&|node| matches!(node, Node::Class(Class { set, .. }) if super::tree::folded(set) != *set))
}
