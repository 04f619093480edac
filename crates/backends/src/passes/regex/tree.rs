//! The tree that all translations work on: PCRE's meaning, with classes as sets of characters.
//!
//! Invariant: concatenations and alternatives are flat and have at least two members; [`Node::Never`] and
//! [`Node::Empty`] stand in no concatenation. Groups, captures and laziness are gone: whether something matches does
//! not depend on them. `\d \w \s \b` are PCRE's without the option UCP: ASCII only.

use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::{Class as HirClass, ClassUnicode, ClassUnicodeRange, HirKind};
use sigcast_diagnostics::Code;
use sigcast_ir::{Regex, RegexFlags};

use crate::say::Refusal;

/// A set of characters.
pub(super) type Set = ClassUnicode;

/// One character of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    /// The characters, both cases of each where case is ignored.
    pub(super) set: Set,
    /// Where case is ignored and matters: the characters as written.
    pub(super) plain: Option<Set>,
}

/// A condition on what stands beside a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// `^`: the start of the text.
    Start,
    /// `$`: the end of the text, or before a line break that ends it.
    End,
    /// `\z`: the end of the text.
    EndText,
    /// `^` with the flag `m`.
    LineStart,
    /// `$` with the flag `m`.
    LineEnd,
    /// `\b`
    Word,
    /// `\B`
    NotWord,
    /// Before the place: the start of the text (`edge`), or a character of the set.
    Left { edge: bool, set: Set },
    /// After the place: the end of the text (`edge`), or a character of the set; with `last_break`, also the line
    /// break that ends the text.
    Right { edge: bool, set: Set, last_break: bool },
}

/// A regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// The empty string.
    Empty,
    /// Nothing at all.
    Never,
    /// Any run of any characters, line breaks too: what an unanchored search has at its ends.
    Run,
    /// One character.
    Class(Class),
    /// One after the other.
    Concat(Vec<Node>),
    /// One of them.
    Alt(Vec<Node>),
    /// So many times.
    Repeat {
        /// What.
        inner: Box<Node>,
        /// At least.
        least: u32,
        /// At most; none: without limit.
        most: Option<u32>,
    },
    /// A condition that takes no characters.
    Look(Look),
}

impl Node {
    /// One after the other, in normal form.
    pub(super) fn concat(items: impl IntoIterator<Item = Self>) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        for item in items {
            match item {
                Self::Empty => {}
                Self::Never => return Self::Never,
                Self::Run if flat.last() == Some(&Self::Run) => {}
                Self::Concat(inner) => flat.extend(inner),
                item => flat.push(item),
            }
        }
        match flat.len() {
            0 => Self::Empty,
            1 => flat.swap_remove(0),
            _ => Self::Concat(flat),
        }
    }

    /// One of them, in normal form: each once.
    pub(super) fn alt(branches: impl IntoIterator<Item = Self>) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        for branch in branches {
            let members = match branch {
                Self::Never => continue,
                Self::Alt(inner) => inner,
                branch => vec![branch],
            };
            for member in members {
                if !flat.contains(&member) {
                    flat.push(member);
                }
            }
        }
        match flat.len() {
            0 => Self::Never,
            1 => flat.swap_remove(0),
            _ => Self::Alt(flat),
        }
    }

    /// So many times, in normal form.
    pub(super) fn repeat(inner: Self, least: u32, most: Option<u32>) -> Self {
        match inner {
            _ if most == Some(0) => Self::Empty,
            inner if least == 1 && most == Some(1) => inner,
            Self::Empty => Self::Empty,
            Self::Run => Self::Run,
            Self::Never if least == 0 => Self::Empty,
            Self::Never => Self::Never,
            inner => Self::Repeat { inner: Box::new(inner), least, most },
        }
    }

    /// One character of the set.
    pub(super) fn class(set: Set) -> Self {
        if set.ranges().is_empty() { Self::Never } else { Self::Class(Class { set, plain: None }) }
    }

    /// Whether something in it passes the test.
    pub(super) fn any(&self, test: &dyn Fn(&Self) -> bool) -> bool {
        test(self)
            || match self {
                Self::Concat(items) | Self::Alt(items) => items.iter().any(|item| item.any(test)),
                Self::Repeat { inner, .. } => inner.any(test),
                _ => false,
            }
    }
}

/// Whether the set is that of `.`: everything but the line break.
pub(super) fn is_dot(set: &Set) -> bool {
    set.ranges().len() == 2 && *set == dot()
}

/// Every character but the line break.
pub(super) fn dot() -> Set {
    let mut set = of(&[('\n', '\n')]);
    set.negate();
    set
}

/// Every character.
pub(super) fn everything() -> Set {
    of(&[('\0', char::MAX)])
}

/// PCRE's `\w`.
pub(super) fn word() -> Set {
    of(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')])
}

/// PCRE's `\d`.
pub(super) fn digit() -> Set {
    of(&[('0', '9')])
}

/// PCRE's `\s`: tab, line feed, vertical tab, form feed, carriage return and blank.
pub(super) fn space() -> Set {
    of(&[('\t', '\r'), (' ', ' ')])
}

/// The set of these ranges.
pub(super) fn of(ranges: &[(char, char)]) -> Set {
    ClassUnicode::new(ranges.iter().map(|&(start, end)| ClassUnicodeRange::new(start, end)))
}

/// The complement.
pub(super) fn not(mut set: Set) -> Set {
    set.negate();
    set
}

/// What both have.
pub(super) fn both(mut set: Set, other: &Set) -> Set {
    set.intersect(other);
    set
}

/// The one character of the set, if it has just one.
pub(super) fn single(set: &Set) -> Option<char> {
    match set.ranges() {
        [range] if range.start() == range.end() => Some(range.start()),
        _ => None,
    }
}

/// How many characters the set has.
pub(super) fn count(set: &Set) -> usize {
    set.ranges().iter().map(ClassUnicodeRange::len).sum()
}

/// The characters of the set.
pub(super) fn chars(set: &Set) -> impl Iterator<Item = char> {
    set.ranges().iter().flat_map(|range| range.start()..=range.end())
}

/// The set with the other case of each letter: ASCII letters among themselves, as PCRE has it when it is not told that
/// its subject is UTF (`ſ` and the Kelvin sign are no cases of `s` and `k`), all others by simple case folding.
pub(super) fn folded(set: &Set) -> Set {
    let ascii = of(&[('\0', '\x7f')]);
    let mut other = set.clone();
    other.difference(&ascii);
    // A negated class has every character beyond ASCII, to which folding adds none: that spares a walk over them all.
    let every = of(&[('\u{80}', char::MAX)]);
    if other == every {
        other = Set::empty();
    }
    // The tables are compiled in, so it cannot fail; without them only ASCII letters would fold.
    let _ = other.try_case_fold_simple();
    let mut all = set.clone();
    all.union(&other);
    for range in set.ranges() {
        for (low, high) in [('a', 'z'), ('A', 'Z')] {
            let (start, end) = (range.start().max(low), range.end().min(high));
            if start <= end {
                let swap = |c: char| char::from(c as u8 ^ 0x20);
                all.push(ClassUnicodeRange::new(swap(start), swap(end)));
            }
        }
    }
    all
}

/// How a refusal of a construct starts.
pub(super) const HAVE_NO: &str = "its regular expressions have no ";

/// A refusal that names a construct.
pub(super) fn refused(construct: &str) -> Refusal {
    Refusal::new(Code::RegexConstruct, format!("{HAVE_NO}{construct}"))
}

/// The refusal of an expression that contradicts itself (`a^`).
pub(super) fn never() -> Refusal {
    Refusal::new(Code::RegexConstruct, "the regular expression never matches")
}

/// Reads an expression.
pub(super) fn parse(regex: &Regex<'_>) -> Result<Node, Refusal> {
    if let Some(construct) = regex.opaque {
        return Err(refused(construct));
    }
    let ast = ast::parse::Parser::new().parse(&regex.source).map_err(|error| {
        Refusal::new(Code::RegexConstruct, format!("the regular expression does not parse: {}", error.kind()))
    })?;
    Reader { source: &regex.source, flags: regex.flags }.node(&ast)
}

struct Reader<'s> {
    source: &'s str,
    flags: RegexFlags,
}

impl Reader<'_> {
    fn node(&mut self, ast: &Ast) -> Result<Node, Refusal> {
        Ok(match ast {
            Ast::Empty(_) => Node::Empty,
            Ast::Flags(set) => {
                self.set(&set.flags)?;
                Node::Empty
            }
            Ast::Literal(literal) => self.leaf(of(&[(literal.c, literal.c)]), false),
            Ast::Dot(_) if self.flags.dot_all => Node::class(everything()),
            Ast::Dot(_) => Node::class(dot()),
            Ast::Assertion(assertion) => Node::Look(self.look(&assertion.kind)?),
            Ast::ClassUnicode(class) => self.leaf(self.tabled(class.span)?, false),
            Ast::ClassPerl(class) => Node::class(perl(class)),
            Ast::ClassBracketed(class) => self.bracketed(class)?,
            Ast::Repetition(repetition) => {
                let (least, most) = times(&repetition.op.kind);
                Node::repeat(self.node(&repetition.ast)?, least, most)
            }
            Ast::Group(group) => {
                let outer = self.flags;
                if let ast::GroupKind::NonCapturing(flags) = &group.kind {
                    self.set(flags)?;
                }
                let inner = self.node(&group.ast)?;
                self.flags = outer;
                inner
            }
            Ast::Alternation(alternation) => {
                Node::alt(alternation.asts.iter().map(|branch| self.node(branch)).collect::<Result<Vec<_>, _>>()?)
            }
            Ast::Concat(concat) => {
                Node::concat(concat.asts.iter().map(|item| self.node(item)).collect::<Result<Vec<_>, _>>()?)
            }
        })
    }

    /// Inline flags: they hold to the end of the group.
    fn set(&mut self, flags: &ast::Flags) -> Result<(), Refusal> {
        let mut on = true;
        for item in &flags.items {
            match item.kind {
                ast::FlagsItemKind::Negation => on = false,
                ast::FlagsItemKind::Flag(flag) => match flag {
                    ast::Flag::CaseInsensitive => self.flags.ignore_case = on,
                    ast::Flag::MultiLine => self.flags.multiline = on,
                    ast::Flag::DotMatchesNewLine => self.flags.dot_all = on,
                    // What is lazy does not change whether there is a match; blanks are gone already.
                    ast::Flag::SwapGreed | ast::Flag::IgnoreWhitespace => {}
                    ast::Flag::Unicode => return Err(refused("flag `u`")),
                    ast::Flag::CRLF => return Err(refused("flag `R`")),
                },
            }
        }
        Ok(())
    }

    fn look(&self, kind: &ast::AssertionKind) -> Result<Look, Refusal> {
        Ok(match kind {
            ast::AssertionKind::StartLine if self.flags.multiline => Look::LineStart,
            ast::AssertionKind::EndLine if self.flags.multiline => Look::LineEnd,
            ast::AssertionKind::StartLine | ast::AssertionKind::StartText => Look::Start,
            ast::AssertionKind::EndLine => Look::End,
            ast::AssertionKind::EndText => Look::EndText,
            ast::AssertionKind::WordBoundary => Look::Word,
            ast::AssertionKind::NotWordBoundary => Look::NotWord,
            _ => return Err(refused("word boundary of another kind than `\\b`")),
        })
    }

    /// One character of the set as written, negated after both cases are in it.
    fn leaf(&self, written: Set, negated: bool) -> Node {
        let sign = |set: Set| if negated { not(set) } else { set };
        if self.flags.ignore_case {
            let all = folded(&written);
            if all != written {
                return Node::Class(Class { set: sign(all), plain: Some(sign(written)) });
            }
        }
        Node::class(sign(written))
    }

    fn bracketed(&self, class: &ast::ClassBracketed) -> Result<Node, Refusal> {
        Ok(self.leaf(self.set_of(&class.kind)?, class.negated))
    }

    fn set_of(&self, class: &ast::ClassSet) -> Result<Set, Refusal> {
        match class {
            ast::ClassSet::Item(item) => self.item(item),
            ast::ClassSet::BinaryOp(_) => Err(refused("set operations in classes (`&&`, `--`, `~~`)")),
        }
    }

    fn item(&self, item: &ast::ClassSetItem) -> Result<Set, Refusal> {
        use ast::ClassSetItem as Item;
        Ok(match item {
            Item::Empty(_) => Set::empty(),
            Item::Literal(literal) => of(&[(literal.c, literal.c)]),
            Item::Range(range) => of(&[(range.start.c, range.end.c)]),
            Item::Ascii(class) => self.tabled(class.span)?,
            Item::Unicode(class) => self.tabled(class.span)?,
            Item::Perl(class) => perl(class),
            Item::Bracketed(_) => return Err(refused("classes within classes")),
            Item::Union(union) => {
                let mut all = Set::empty();
                for item in &union.items {
                    all.union(&self.item(item)?);
                }
                all
            }
        })
    }

    /// A named class (`[:alpha:]`, `\p{Greek}`) by the tables of `regex-syntax`.
    fn tabled(&self, span: ast::Span) -> Result<Set, Refusal> {
        let name = self.source.get(span.start.offset..span.end.offset).unwrap_or("");
        match regex_syntax::parse(&format!("[{name}]")).map(regex_syntax::hir::Hir::into_kind) {
            Ok(HirKind::Class(HirClass::Unicode(set))) => Ok(set),
            _ => Err(refused(&format!("class `{name}`"))),
        }
    }
}

fn perl(class: &ast::ClassPerl) -> Set {
    let set = match class.kind {
        ast::ClassPerlKind::Digit => digit(),
        ast::ClassPerlKind::Space => space(),
        ast::ClassPerlKind::Word => word(),
    };
    if class.negated { not(set) } else { set }
}

fn times(kind: &ast::RepetitionKind) -> (u32, Option<u32>) {
    use ast::RepetitionRange as Range;
    match kind {
        ast::RepetitionKind::ZeroOrOne => (0, Some(1)),
        ast::RepetitionKind::ZeroOrMore => (0, None),
        ast::RepetitionKind::OneOrMore => (1, None),
        ast::RepetitionKind::Range(Range::Exactly(n)) => (*n, Some(*n)),
        ast::RepetitionKind::Range(Range::AtLeast(n)) => (*n, None),
        ast::RepetitionKind::Range(Range::Bounded(low, high)) => (*low, Some(*high)),
    }
}
