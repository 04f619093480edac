//! Conditions: a grammar over the names of detections, and what the names stand for.
//!
//! Invariant: `not` binds tighter than `and`, `and` tighter than `or`; nesting is bounded, so no text can exhaust
//! the stack.

pub(crate) mod aggregation;
mod grammar;
pub(crate) mod members;

use std::borrow::Cow;
use std::collections::HashMap;

use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_ir::Condition;

use crate::yaml::Scalar;
use aggregation::Aggregation;
use grammar::Syntax;

/// A condition, and whether it ends in an aggregation of old.
pub(crate) struct Parsed<'a> {
    /// The condition proper.
    pub(crate) condition: Condition<'a>,
    /// The detections that it names, one by one or by a pattern.
    pub(crate) used: Vec<usize>,
    /// The aggregation of old behind the `|`, if there is one.
    pub(crate) aggregation: Option<Aggregation<'a>>,
}

/// The text of a condition, with its place.
pub(crate) struct Text<'s, 'a> {
    scalar: &'s Scalar<'a>,
    span: Span,
    /// For a text that does not stand verbatim in the file (a block, folded lines): where its words start, in the text
    /// and in the file. Empty if the words differ there (escapes).
    words: Vec<(usize, usize)>,
}

impl<'s, 'a> Text<'s, 'a> {
    /// A scalar at its place in a file.
    pub(crate) fn new(scalar: &'s Scalar<'a>, span: Span, source: &str) -> Self {
        let mut text = Self { scalar, span, words: Vec::new() };
        if scalar.content.is_none() {
            text.words = text.common_words(source).unwrap_or_default();
        }
        text
    }

    fn common_words(&self, source: &str) -> Option<Vec<(usize, usize)>> {
        let raw = source.get(self.span.start as usize..self.span.end as usize)?;
        let skipped = match raw.chars().next()? {
            // The head of a block, such as `>-`, is no part of the text.
            '|' | '>' => raw.find('\n')?,
            '"' | '\'' => 1,
            _ => 0,
        };
        let body = raw.get(skipped..)?.trim_end_matches(['"', '\'']);
        let base = self.span.start as usize + skipped;
        let (mut here, mut there) = (words(&self.scalar.text), words(body));
        let mut found = Vec::new();
        loop {
            match (here.next(), there.next()) {
                (Some((at, word)), Some((byte, same))) if word == same => found.push((at, base + byte)),
                (None, None) => return Some(found),
                _ => return None,
            }
        }
    }

    /// The place of a piece of the text, which starts at this byte of it.
    fn place(&self, piece: &str, start: usize) -> Span {
        if let Some(content) = self.scalar.content {
            let base = content as usize + start;
            return Span::new(self.span.source, base, base + piece.len());
        }
        let byte = |at: usize| {
            let word = self.words.partition_point(|(here, _)| *here <= at).checked_sub(1)?;
            self.words.get(word).map(|(here, there)| there + (at - here))
        };
        let last = start + piece.trim_end().len();
        match (byte(start), byte(last.saturating_sub(1).max(start))) {
            (Some(from), Some(to)) if last > start => Span::new(self.span.source, from, to + 1),
            (Some(from), _) => Span::new(self.span.source, from, from),
            _ => self.span,
        }
    }
}

/// The words of a text with the bytes where they start.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_whitespace().map(|word| (offset(text, word), word))
}

/// The names of a rule's detections, in order.
pub(crate) struct Names<'a> {
    list: Vec<Cow<'a, str>>,
    index: HashMap<Cow<'a, str>, usize>,
    /// What has the detections, in messages: a rule, a filter.
    what: &'static str,
    /// How many more names may be looked at for patterns and for suggestions.
    budget: usize,
}

impl<'a> Names<'a> {
    /// These names, which are distinct, of the detections of a rule or a filter: `what` is the word for it.
    pub(crate) fn new(list: Vec<Cow<'a, str>>, what: &'static str) -> Self {
        let index = list.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        Self { list, index, what, budget: MAX_COMPARISONS }
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Takes the cost of a look at every name off the budget; whether it was there.
    fn look(&mut self) -> bool {
        let left = self.budget.checked_sub(self.list.len());
        self.budget = left.unwrap_or(self.budget);
        left.is_some()
    }
}

/// How many times the conditions of one rule may have a name compared with a pattern.
const MAX_COMPARISONS: usize = 10_000_000;

/// Parses a condition and resolves its names. Reports every fault; with one, there is no condition.
pub(crate) fn parse<'a>(
    text: &Text<'_, 'a>,
    names: &mut Names<'a>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Parsed<'a>> {
    let (syntax, rest) = syntax(text, diagnostics)?;
    let mut resolver = Resolver { text, names, diagnostics, used: Vec::new(), exhausted: false };
    let condition = resolver.resolve(&syntax);
    let mut used = resolver.used;
    let aggregation = match rest {
        "" => None,
        rest => Some(aggregation::parse(text, rest, names, &mut used, diagnostics)?),
    };
    condition.map(|condition| Parsed { condition, used, aggregation })
}

/// A text by the grammar, and what stands behind from a `|` on. None if it does not parse, which is said.
fn syntax<'t>(text: &'t Text<'_, '_>, diagnostics: &mut Vec<Diagnostic>) -> Option<(Syntax<'t>, &'t str)> {
    grammar::parse(&text.scalar.text).map_err(|fault| diagnostics.push(shown(text, fault))).ok()
}

/// The error of a text that does not parse.
fn shown(text: &Text<'_, '_>, fault: grammar::Fault<'_>) -> Diagnostic {
    let span = text.place(fault.piece, offset(&text.scalar.text, fault.piece));
    let message = format!("the condition does not parse: {}", fault.message);
    let shown = Diagnostic::at(Code::BadCondition, span, message).here(fault.here);
    match fault.help {
        Some(help) => shown.help(help),
        None => shown,
    }
}

/// How many detections a condition may stand for, each counted as often as it is meant.
const MAX_TERMS: usize = 100_000;

/// Where a piece of a text starts in it.
fn offset(text: &str, piece: &str) -> usize {
    (piece.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

struct Resolver<'r, 's, 'a> {
    text: &'r Text<'s, 'a>,
    names: &'r mut Names<'a>,
    diagnostics: &'r mut Vec<Diagnostic>,
    used: Vec<usize>,
    /// Whether the condition stands for more detections than it may.
    exhausted: bool,
}

impl<'a> Resolver<'_, '_, 'a> {
    /// The condition, or none if a name in it stands for nothing. Every such name is reported.
    fn resolve(&mut self, syntax: &Syntax<'_>) -> Option<Condition<'a>> {
        match syntax {
            Syntax::And(terms) => self.all(terms).map(Condition::And),
            Syntax::Or(terms) => self.all(terms).map(Condition::Or),
            Syntax::Not(inner) => self.resolve(inner).map(|inner| Condition::Not(Box::new(inner))),
            Syntax::Name(name) => self.name(name),
            Syntax::Of { quantifier, pattern, whole } => {
                let matched = self.matched(pattern)?;
                self.used.extend(&matched);
                let span = self.place(whole);
                if self.used.len() > MAX_TERMS {
                    return self.too_long(span);
                }
                let pattern = self.text.borrowed(pattern);
                Some(Condition::Of { quantifier: *quantifier, pattern, matched, span })
            }
        }
    }

    /// One message is enough: the terms behind this one are left out, and the rule is invalid.
    fn too_long(&mut self, span: Span) -> Option<Condition<'a>> {
        if !self.exhausted {
            self.exhausted = true;
            let message = format!("the condition does not parse: it stands for more than {MAX_TERMS} detections");
            self.diagnostics.push(Diagnostic::at(Code::BadCondition, span, message).here("one detection too many"));
        }
        self.used.truncate(MAX_TERMS);
        None
    }

    fn all(&mut self, terms: &[Syntax<'_>]) -> Option<Vec<Condition<'a>>> {
        let resolved: Vec<_> = terms.iter().map(|term| self.resolve(term)).collect();
        resolved.into_iter().collect()
    }

    fn place(&self, piece: &str) -> Span {
        self.text.place(piece, offset(&self.text.scalar.text, piece))
    }

    fn name(&mut self, name: &str) -> Option<Condition<'a>> {
        let span = self.place(name);
        if let Some(index) = self.names.index.get(name).copied() {
            self.used.push(index);
            return Some(Condition::Detection { index, span });
        }
        let fault = self.unknown(span, name);
        let fault = if name.contains('*') {
            fault.help(format!("a pattern follows `1 of` or `all of`, as in `1 of {name}`"))
        } else {
            self.with_known(fault, name)
        };
        self.diagnostics.push(fault);
        None
    }

    fn matched(&mut self, pattern: &str) -> Option<Vec<usize>> {
        if !self.names.look() {
            let span = self.place(pattern);
            self.too_long(span);
            return None;
        }
        let them = pattern.eq_ignore_ascii_case("them");
        let glob = if them { "*" } else { pattern };
        let hidden = glob.starts_with('_');
        let matched: Vec<usize> = (0..self.names.list.len())
            .filter(|index| {
                let name = self.names.list[*index].as_ref();
                (hidden || !name.starts_with('_')) && matches(glob, name)
            })
            .collect();
        if !matched.is_empty() {
            return Some(matched);
        }
        let span = self.place(pattern);
        let fault = if them {
            Diagnostic::at(Code::NoDetectionMatches, span, "`them` stands for no detection")
                .here("no detection whose name does not start with `_`")
        } else if glob.contains('*') {
            Diagnostic::at(Code::NoDetectionMatches, span, format!("no detection matches `{pattern}`"))
                .here("matches no name of a detection")
        } else {
            self.unknown(span, pattern)
        };
        let stem = pattern.trim_matches('*');
        let fault = self.with_known(fault, stem);
        self.diagnostics.push(fault);
        None
    }

    /// The error of a name that no detection has.
    fn unknown(&self, span: Span, name: &str) -> Diagnostic {
        let what = self.names.what;
        Diagnostic::at(Code::UnknownDetection, span, format!("the {what} has no detection `{name}`"))
            .here(format!("not a detection of this {what}"))
    }

    /// Adds the nearest name, or else the names there are, if they are few.
    fn with_known(&mut self, fault: Diagnostic, name: &str) -> Diagnostic {
        const FEW: usize = 8;
        if !self.names.look() {
            return fault;
        }
        let list = &self.names.list;
        let near = nearest(name, list.iter().map(AsRef::as_ref));
        if near.is_some() || list.is_empty() || list.len() > FEW {
            return fault.suggest(near);
        }
        let names: Vec<String> = list.iter().map(|name| format!("`{name}`")).collect();
        fault.help(format!("the detections of this {}: {}", self.names.what, names.join(", ")))
    }
}

/// Whether a name matches a pattern with any number of `*`.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let Some((middle, last)) = rest.rsplit_once('*') else { return name.ends_with(rest) };
    for piece in middle.split('*') {
        match name.split_once(piece) {
            Some((_, after)) => name = after,
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests;
