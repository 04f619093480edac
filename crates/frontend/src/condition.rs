//! Conditions: a grammar over the names of detections, and what the names stand for.
//!
//! Invariant: `not` binds tighter than `and`, `and` tighter than `or`; nesting is bounded, so no text can exhaust
//! the stack.

mod grammar;

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_ir::Condition;

use crate::yaml::Scalar;
use grammar::Syntax;

/// A condition, and whether it ends in an aggregation of old.
pub(crate) struct Parsed<'a> {
    /// The condition proper.
    pub(crate) condition: Condition<'a>,
    /// The detections that it names, one by one or by a pattern.
    pub(crate) used: Vec<usize>,
    /// The legacy aggregation behind the `|`, if there is one.
    pub(crate) aggregation: Option<Span>,
}

/// The text of a condition, with its place.
pub(crate) struct Text<'s, 'a> {
    /// The scalar.
    pub(crate) scalar: &'s Scalar<'a>,
    /// Its place.
    pub(crate) span: Span,
    /// The text of the file.
    pub(crate) source: &'a str,
}

impl Text<'_, '_> {
    fn place(&self, piece: &str, fallback_from: usize) -> Span {
        let start = fallback_from;
        self.scalar.part(self.span, self.source, start, start + piece.len())
    }
}

/// Parses a condition and resolves its names. Reports every fault; with one, there is no condition.
pub(crate) fn parse<'a>(
    text: &Text<'_, 'a>,
    names: &[Cow<'a, str>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Parsed<'a>> {
    let input = text.scalar.text.as_ref();
    let (syntax, rest) = match grammar::parse(input) {
        Ok(parsed) => parsed,
        Err(fault) => {
            let span = text.place(fault.piece, offset(input, fault.piece));
            let message = format!("the condition does not parse: {}", fault.message);
            let shown = Diagnostic::at(Code::BadCondition, span, message).here(fault.here);
            diagnostics.push(match fault.help {
                Some(help) => shown.help(help),
                None => shown,
            });
            return None;
        }
    };
    let mut resolver = Resolver { text, names, diagnostics, used: Vec::new(), exhausted: false };
    let condition = resolver.resolve(&syntax);
    let used = resolver.used;
    let aggregation = (!rest.is_empty()).then(|| text.place(rest, offset(input, rest)));
    condition.map(|condition| Parsed { condition, used, aggregation })
}

/// How many detections a condition may stand for, each counted as often as it is meant.
const MAX_TERMS: usize = 100_000;

/// Where a piece of a text starts in it.
fn offset(text: &str, piece: &str) -> usize {
    (piece.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

struct Resolver<'r, 's, 'a> {
    text: &'r Text<'s, 'a>,
    names: &'r [Cow<'a, str>],
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
                let pattern = self.borrowed(pattern);
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

    /// A piece of the condition, borrowed from the file where the condition is.
    fn borrowed(&self, piece: &str) -> Cow<'a, str> {
        match &self.text.scalar.text {
            Cow::Borrowed(text) => {
                let start = offset(text, piece);
                Cow::Borrowed(text.get(start..start + piece.len()).unwrap_or(""))
            }
            Cow::Owned(_) => Cow::Owned(piece.to_owned()),
        }
    }

    fn name(&mut self, name: &str) -> Option<Condition<'a>> {
        let span = self.place(name);
        if let Some(index) = self.names.iter().position(|known| known == name) {
            self.used.push(index);
            return Some(Condition::Detection { index, span });
        }
        let fault = Diagnostic::at(Code::UnknownDetection, span, format!("the rule has no detection `{name}`"))
            .here("not a detection of this rule");
        let fault = if name.contains('*') {
            fault.help(format!("a pattern follows `1 of` or `all of`, as in `1 of {name}`"))
        } else {
            self.with_known(fault, name)
        };
        self.diagnostics.push(fault);
        None
    }

    fn matched(&mut self, pattern: &str) -> Option<Vec<usize>> {
        let them = pattern.eq_ignore_ascii_case("them");
        let glob = if them { "*" } else { pattern };
        let hidden = glob.starts_with('_');
        let matched: Vec<usize> = (0..self.names.len())
            .filter(|index| {
                let name = self.names[*index].as_ref();
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
            Diagnostic::at(Code::UnknownDetection, span, format!("the rule has no detection `{pattern}`"))
                .here("not a detection of this rule")
        };
        let stem = pattern.trim_matches('*');
        let fault = self.with_known(fault, stem);
        self.diagnostics.push(fault);
        None
    }

    /// Adds the nearest name, or else the names there are, if they are few.
    fn with_known(&self, fault: Diagnostic, name: &str) -> Diagnostic {
        const FEW: usize = 8;
        let near = nearest(name, self.names.iter().map(AsRef::as_ref));
        if near.is_some() || self.names.is_empty() || self.names.len() > FEW {
            return fault.suggest(near);
        }
        let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
        fault.help(format!("the detections of this rule: {}", names.join(", ")))
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
