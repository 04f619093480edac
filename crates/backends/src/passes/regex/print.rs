//! Writes a tree as text; what differs between languages is in a [`Syntax`].
//!
//! Invariant: no alternative and no group is ever left empty (`(|a)` is `(a)?`), and no repetition follows another
//! without a group, because not every engine reads those alike.

use std::fmt::Write as _;

use super::tree::{Class, Look, Node, Set, count, digit, everything, folded, is_dot, not, single, space, word};

/// How one language writes what languages write differently.
pub(super) struct Syntax {
    /// A literal character.
    pub(super) literal: fn(&mut String, char),
    /// A character in brackets.
    pub(super) bracketed: fn(&mut String, char),
    /// Any character.
    pub(super) any: &'static str,
    /// Any character but the line break.
    pub(super) dot: &'static str,
    /// The empty string.
    pub(super) empty: &'static str,
    /// The start of a group.
    pub(super) group: &'static str,
    /// A condition, if any is left.
    pub(super) look: fn(&Look) -> &'static str,
    /// Whether the expression ignores case as a whole: classes are written as the author wrote them.
    pub(super) caseless: bool,
    /// Whether `\d`, `\s` and `\w` are written so.
    pub(super) named: bool,
}

/// The text of a tree.
pub(super) fn print(node: &Node, syntax: &Syntax) -> String {
    let mut printer = Printer { out: String::new(), syntax };
    printer.alternatives(node);
    printer.out
}

struct Printer<'s> {
    out: String,
    syntax: &'s Syntax,
}

impl Printer<'_> {
    fn alternatives(&mut self, node: &Node) {
        match node {
            Node::Alt(branches) if !branches.contains(&Node::Empty) => {
                for (at, branch) in branches.iter().enumerate() {
                    if at > 0 {
                        self.out.push('|');
                    }
                    self.sequence(branch);
                }
            }
            node => self.sequence(node),
        }
    }

    fn sequence(&mut self, node: &Node) {
        let Node::Concat(items) = node else { return self.item(node) };
        let mut at = 0;
        while let Some(item) = items.get(at) {
            let same = items[at..].iter().take_while(|next| *next == item).count();
            // Several line breaks in a row would leave empty lines in the query.
            if same > 1 && matches!(item, Node::Class(class) if single(&class.set) == Some('\n')) {
                self.atom(item);
                let _ = write!(self.out, "{{{same}}}");
                at += same;
            } else {
                self.item(item);
                at += 1;
            }
        }
    }

    fn item(&mut self, node: &Node) {
        match node {
            Node::Repeat { inner, least, most } => {
                self.atom(inner);
                self.times(*least, *most);
            }
            Node::Alt(branches) if branches.contains(&Node::Empty) => {
                self.atom(&Node::alt(branches.iter().filter(|branch| **branch != Node::Empty).cloned()));
                self.out.push('?');
            }
            Node::Run => {
                self.out.push_str(self.syntax.any);
                self.out.push('*');
            }
            node => self.atom(node),
        }
    }

    fn times(&mut self, least: u32, most: Option<u32>) {
        let _ = match (least, most) {
            (0, None) => self.out.write_char('*'),
            (1, None) => self.out.write_char('+'),
            (0, Some(1)) => self.out.write_char('?'),
            (least, None) => write!(self.out, "{{{least},}}"),
            (least, Some(most)) if least == most => write!(self.out, "{{{least}}}"),
            (least, Some(most)) => write!(self.out, "{{{least},{most}}}"),
        };
    }

    /// Something that a repetition can follow.
    fn atom(&mut self, node: &Node) {
        match node {
            Node::Empty => self.out.push_str(self.syntax.empty),
            Node::Class(class) => self.class(class),
            Node::Look(look) => self.out.push_str((self.syntax.look)(look)),
            node => {
                self.out.push_str(self.syntax.group);
                self.alternatives(node);
                self.out.push(')');
            }
        }
    }

    fn class(&mut self, class: &Class) {
        let set = class.plain.as_ref().filter(|_| self.syntax.caseless).unwrap_or(&class.set);
        if let Some(c) = single(set) {
            (self.syntax.literal)(&mut self.out, c);
        } else if *set == everything() {
            self.out.push_str(self.syntax.any);
        } else if is_dot(set) {
            self.out.push_str(self.syntax.dot);
        } else if let Some(name) = self.name(set) {
            self.out.push_str(name);
        } else if negative(set) {
            self.brackets("[^", &not(set.clone()));
        } else {
            self.brackets("[", set);
        }
    }

    fn name(&self, set: &Set) -> Option<&'static str> {
        if !self.syntax.named {
            return None;
        }
        let names = [(digit(), r"\d", r"\D"), (space(), r"\s", r"\S"), (word(), r"\w", r"\W")];
        names.into_iter().find_map(
            |(named, name, negated)| {
                if *set == named { Some(name) } else { (*set == not(named)).then_some(negated) }
            },
        )
    }

    fn brackets(&mut self, open: &str, set: &Set) {
        self.out.push_str(open);
        let put = self.syntax.bracketed;
        if let [upper, lower] = set.ranges()
            && count(set) == 2
            && upper.start().to_lowercase().eq([lower.start()])
        {
            put(&mut self.out, lower.start());
            put(&mut self.out, upper.start());
            self.out.push(']');
            return;
        }
        for range in set.ranges() {
            let (mut start, end) = (range.start(), range.end());
            // Lucene reads no range that starts with an escaped backslash.
            if start == '\\' && start != end {
                put(&mut self.out, start);
                start = ']';
            }
            put(&mut self.out, start);
            if start != end {
                if u32::from(end) > u32::from(start) + 1 {
                    self.out.push('-');
                }
                put(&mut self.out, end);
            }
        }
        self.out.push(']');
    }
}

/// Whether a set is better written by what it lacks.
fn negative(set: &Set) -> bool {
    set.ranges().last().is_some_and(|range| range.end() == char::MAX) && !set.ranges().is_empty()
}

/// Whether the class is right when it is written as the author wrote it and the engine ignores case.
pub(super) fn folds_back(class: &Class) -> bool {
    let Some(plain) = &class.plain else {
        // No case to ignore; written under a flag for all, it must stay as it is.
        return if negative(&class.set) {
            let lacking = not(class.set.clone());
            folded(&lacking) == lacking
        } else {
            folded(&class.set) == class.set
        };
    };
    if negative(plain) { folded(&not(plain.clone())) == not(class.set.clone()) } else { folded(plain) == class.set }
}
