//! Reading a query back: a small parser driven by the same dialect.
//!
//! It is an oracle for tests: the text that was written must have the structure of the query it was written from.
//! It knows the operators, groups and lists of a language; a leaf it only tells apart, by the dialect's own scanners.

use crate::dialect::{Brackets, Calls, Dialect, Form, Grouping, List};
use crate::options::Settings;
use crate::say::{Leaf, Said};
use crate::write::Writer;

/// How a reader of a language takes its text apart. Each scanner gets the text from some place on and tells how many
/// bytes the thing there has; 0 if it is not there.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The word or sign of conjunction.
    pub and: &'static str,
    /// Of disjunction.
    pub or: &'static str,
    /// Of negation.
    pub not: &'static str,
    /// How the engine orders them.
    pub precedence: Precedence,
    /// A field's name.
    pub name: fn(&str) -> usize,
    /// A value in a list.
    pub value: fn(&str) -> usize,
    /// A whole leaf other than a list.
    pub leaf: fn(&str) -> usize,
    /// The lists of the language.
    pub lists: &'static [&'static List],
}

/// How an engine orders conjunction and disjunction that stand side by side without groups. Negation binds tightest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// Conjunction binds tighter.
    AndFirst,
    /// Disjunction binds tighter.
    OrFirst,
    /// Neither can be relied on: a text that mixes them is wrong.
    Never,
}

/// Bytes until an unescaped character that ends a term.
#[must_use]
pub fn scan(text: &str, escape: char, ends: fn(char) -> bool) -> usize {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == escape {
            chars.next();
        } else if ends(c) {
            return at;
        }
    }
    text.len()
}

/// Bytes of a quoted text with its quotes; the whole text if it never ends.
#[must_use]
pub fn quoted(text: &str, quote: char, escape: char) -> usize {
    let mut chars = text.char_indices();
    chars.next();
    while let Some((at, c)) = chars.next() {
        if c == escape {
            chars.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// Bytes of a text in which its quote is doubled, with its quotes; the whole text if it never ends.
#[must_use]
pub fn doubled(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(quote)) {
        at += found + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Bytes of a leaf: up to one of the operators or the end of a group, outside brackets and whatever `quoted` steps over
/// (it tells the bytes of a string or a quoted name at the start of a text, 0 if there is none).
#[must_use]
pub fn leaf_before(text: &str, operators: [&str; 2], quoted: fn(&str) -> usize) -> usize {
    let mut at = 0;
    let mut depth = 0_usize;
    while at < text.len() {
        let rest = &text[at..];
        let skipped = quoted(rest);
        at += match rest.as_bytes() {
            _ if skipped > 0 => skipped,
            [b'(', ..] => {
                depth += 1;
                1
            }
            [b')', ..] if depth == 0 => return at,
            [b')', ..] => {
                depth -= 1;
                1
            }
            _ if depth == 0 && operators.iter().any(|operator| rest.starts_with(operator)) => return at,
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    text.len()
}

/// A query as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// All of them.
    And(Vec<Read>),
    /// One of them at least.
    Or(Vec<Read>),
    /// Not this.
    Not(Box<Read>),
    /// A leaf: its text, or field, list and value by [`atom`].
    Atom(String),
}

/// How deep groups may nest.
const MAX_DEPTH: usize = 200;

/// Reads a query of a dialect.
///
/// # Errors
/// What was found where something else was expected.
pub fn read(dialect: &Dialect, text: &str) -> Result<Read, String> {
    let mut reader = Reader { dialect, text, at: 0 };
    let found = if let Grouping::Calls(calls) = dialect.operators.grouping {
        let whole = reader.takes(calls.whole.0);
        let found = reader.call(calls, 0)?;
        if whole && !reader.takes(calls.whole.1) {
            return Err(reader.fault("the end of the query"));
        }
        found
    } else {
        reader.junction(0)?
    };
    reader.blanks();
    if reader.at < text.len() { Err(reader.fault("the end")) } else { Ok(found) }
}

/// The name under which a value in a list is compared: the field, what opens the list, and the value.
#[must_use]
pub fn atom(field: &str, open: &str, value: &str) -> String {
    format!("{field}{open}\u{0}{value}")
}

/// The atoms that a leaf is read back as: one a value.
#[must_use]
pub fn atoms(leaf: &Leaf<'_>, dialect: &Dialect, settings: &Settings) -> Vec<String> {
    let text = |leaf: &Leaf<'_>| {
        let mut writer = Writer::new(dialect, settings);
        writer.leaf(leaf);
        writer.out
    };
    let brackets = leaf.emit.list.and_then(|list| if leaf.all { list.all } else { list.any.or(list.all) });
    let (Some(brackets), true) = (brackets, leaf.matches.len() > 1) else { return vec![text(leaf)] };
    let open = brackets.open;
    if let Form::Whole(_) = leaf.emit.form {
        return vec![text(leaf)];
    }
    let before = leaf.emit.form.before_list();
    let one = |(at, found): (usize, &sigcast_ir::Match<'_>)| {
        let mut writer = Writer::new(dialect, settings);
        writer.put(before);
        writer.field_of(found);
        let field = std::mem::take(&mut writer.out);
        if let Some(value) = leaf.value(at) {
            value(&mut writer, &found.test);
        }
        atom(&field, open, &writer.out)
    };
    leaf.matches.iter().enumerate().map(one).collect()
}

/// The structure of a legal query as it must be read back.
#[must_use]
pub fn expected(said: &Said<'_>, dialect: &Dialect, settings: &Settings) -> Read {
    use sigcast_ir::Expr;
    let all = |terms: &[Said<'_>]| terms.iter().map(|term| expected(term, dialect, settings)).collect();
    match said {
        Expr::And(terms) => Read::And(all(terms)),
        Expr::Or(terms) => Read::Or(all(terms)),
        Expr::Not(inner) => Read::Not(Box::new(expected(inner, dialect, settings))),
        Expr::Const(value) => Read::Atom(value.to_string()),
        Expr::Match(leaf) => {
            let mut terms: Vec<Read> = atoms(leaf, dialect, settings).into_iter().map(Read::Atom).collect();
            match terms.len() {
                1 => terms.swap_remove(0),
                _ if leaf.all => Read::And(terms),
                _ => Read::Or(terms),
            }
        }
    }
}

struct Reader<'r> {
    dialect: &'r Dialect,
    text: &'r str,
    at: usize,
}

impl<'r> Reader<'r> {
    fn rest(&self) -> &'r str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn fault(&self, wanted: &str) -> String {
        let rest: String = self.rest().chars().take(40).collect();
        format!("{wanted} expected at byte {}, found {rest:?}", self.at)
    }

    /// Takes a sign, if it stands here.
    fn takes(&mut self, sign: &str) -> bool {
        let found = !sign.is_empty() && self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    /// Takes an operator's word, if it stands here as a word of its own.
    fn word(&mut self, word: &str) -> bool {
        let start = self.at;
        let ends = self.rest().strip_prefix(word).is_some_and(|rest| {
            rest.chars().next().is_none_or(|c| c.is_whitespace() || rest.starts_with(self.dialect.operators.group.0))
        });
        if ends && !word.is_empty() {
            self.at = start + word.len();
        }
        ends && !word.is_empty()
    }

    /// Terms with operators between them.
    fn junction(&mut self, depth: usize) -> Result<Read, String> {
        if depth > MAX_DEPTH {
            return Err("groups nest too deep".to_owned());
        }
        let reading = self.dialect.reading;
        let mut terms = vec![self.term(depth)?];
        let mut ands = Vec::new();
        loop {
            let before = self.at;
            self.blanks();
            if self.at == self.text.len() || self.rest().starts_with(self.dialect.operators.group.1) {
                break;
            }
            if self.word(reading.or) {
                ands.push(false);
            } else if self.word(reading.and) || (reading.and.is_empty() && self.at > before) {
                ands.push(true);
            } else {
                return Err(self.fault("an operator"));
            }
            terms.push(self.term(depth)?);
        }
        group(terms, &ands, reading.precedence)
    }

    fn term(&mut self, depth: usize) -> Result<Read, String> {
        self.blanks();
        let (open, close) = self.dialect.operators.group;
        if self.word(self.dialect.reading.not) {
            return Ok(Read::Not(Box::new(self.term(depth + 1)?)));
        }
        if self.takes(open) {
            let inner = self.junction(depth + 1)?;
            self.blanks();
            return if self.takes(close) { Ok(inner) } else { Err(self.fault("the end of a group")) };
        }
        self.leaf()
    }

    /// A term of a language in which operators are calls.
    fn call(&mut self, calls: &Calls, depth: usize) -> Result<Read, String> {
        if depth > MAX_DEPTH {
            return Err("calls nest too deep".to_owned());
        }
        if self.takes(calls.not.0) {
            let inner = self.call(calls, depth + 1)?;
            let ends = self.takes(calls.not.1);
            return if ends { Ok(Read::Not(Box::new(inner))) } else { Err(self.fault("the end of a negation")) };
        }
        if self.takes(calls.and.open) {
            return self.arguments(calls, calls.and, depth).map(Read::And);
        }
        if self.takes(calls.or.open) {
            return self.arguments(calls, calls.or, depth).map(Read::Or);
        }
        self.leaf()
    }

    fn arguments(&mut self, calls: &Calls, brackets: Brackets, depth: usize) -> Result<Vec<Read>, String> {
        let mut terms = vec![self.call(calls, depth + 1)?];
        while self.takes(brackets.separator) {
            terms.push(self.call(calls, depth + 1)?);
        }
        if self.takes(brackets.close) { Ok(terms) } else { Err(self.fault("the end of the terms")) }
    }

    /// A list, or another leaf.
    fn leaf(&mut self) -> Result<Read, String> {
        if let Some(list) = self.list()? {
            return Ok(list);
        }
        let length = (self.dialect.reading.leaf)(self.rest());
        if length == 0 {
            return Err(self.fault("a test"));
        }
        let leaf = &self.rest()[..length];
        self.at += length;
        Ok(Read::Atom(leaf.to_owned()))
    }

    /// `field in (a, b)`.
    fn list(&mut self) -> Result<Option<Read>, String> {
        let length = (self.dialect.reading.name)(self.rest());
        if length == 0 {
            return Ok(None);
        }
        let (field, behind) = self.rest().split_at(length);
        for list in self.dialect.reading.lists {
            for (brackets, all) in [(list.any, false), (list.all, true)] {
                let Some(brackets) = brackets else { continue };
                if !behind.starts_with(brackets.open) {
                    continue;
                }
                let start = self.at;
                self.at += length + brackets.open.len();
                let mut values = Vec::new();
                loop {
                    let length = (self.dialect.reading.value)(self.rest());
                    if length == 0 {
                        return Err(self.fault("a value"));
                    }
                    values.push(Read::Atom(atom(field, brackets.open, &self.rest()[..length])));
                    self.at += length;
                    if !self.takes(brackets.separator) {
                        break;
                    }
                }
                if self.takes(brackets.close) {
                    return Ok(Some(if all { Read::And(values) } else { Read::Or(values) }));
                }
                // Another list that opens alike may have the separator that stands here.
                self.at = start;
            }
        }
        Ok(None)
    }
}

/// Groups terms by the engine's order of operators.
fn group(mut terms: Vec<Read>, ands: &[bool], precedence: Precedence) -> Result<Read, String> {
    let mixed = ands.contains(&true) && ands.contains(&false);
    match (ands.first(), mixed) {
        (None, _) => Ok(terms.swap_remove(0)),
        (Some(true), false) => Ok(Read::And(terms)),
        (Some(false), false) => Ok(Read::Or(terms)),
        (Some(_), true) => {
            let tight = match precedence {
                Precedence::Never => return Err("AND and OR stand side by side without a group".to_owned()),
                Precedence::AndFirst => true,
                Precedence::OrFirst => false,
            };
            let junction = |and: bool, terms: Vec<Read>| if and { Read::And(terms) } else { Read::Or(terms) };
            let mut outer = Vec::new();
            let mut inner = Vec::new();
            for (at, term) in terms.into_iter().enumerate() {
                if at > 0 && ands[at - 1] != tight {
                    outer.push(junction(tight, std::mem::take(&mut inner)));
                }
                inner.push(term);
            }
            outer.push(junction(tight, inner));
            Ok(junction(!tight, outer))
        }
    }
}
