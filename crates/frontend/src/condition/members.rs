//! Conditions over rules, as temporal correlations have them: the grammar of conditions, with names and ids of rules for
//! the names of detections.

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic};
use sigcast_ir::{Quantifier, Reference};

use super::grammar::Syntax;
use super::{Text, matches, offset, syntax};
use crate::correlation::Words;

/// How many rules a condition may stand for, each counted as often as it is meant.
const MAX_WORDS: usize = 10_000;

/// Parses a condition over rules; patterns stand for those of the list.
pub(crate) fn parse<'a>(
    text: &Text<'_, 'a>,
    rules: &[Reference<'a>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Words<'a>> {
    let (syntax, rest) = syntax(text, diagnostics)?;
    if !rest.is_empty() {
        let span = text.place(rest, offset(&text.scalar.text, rest));
        diagnostics.push(
            Diagnostic::at(Code::BadCondition, span, "the condition does not parse: its end is expected, not `|`")
                .here("an aggregation has no place here"),
        );
        return None;
    }
    let mut reader = Reader { text, rules, diagnostics, left: MAX_WORDS };
    reader.words(&syntax)
}

struct Reader<'r, 's, 'a> {
    text: &'r Text<'s, 'a>,
    rules: &'r [Reference<'a>],
    diagnostics: &'r mut Vec<Diagnostic>,
    left: usize,
}

impl<'a> Reader<'_, '_, 'a> {
    fn words(&mut self, syntax: &Syntax<'_>) -> Option<Words<'a>> {
        match syntax {
            Syntax::And(terms) => self.all(terms).map(Words::And),
            Syntax::Or(terms) => self.all(terms).map(Words::Or),
            Syntax::Not(inner) => self.words(inner).map(|inner| Words::Not(Box::new(inner))),
            Syntax::Name(name) => {
                let span = self.text.place(name, offset(&self.text.scalar.text, name));
                let text = self.text.borrowed(name);
                self.taken(1, name)?;
                Some(Words::Rule(Reference { text, span }))
            }
            Syntax::Of { quantifier, pattern, whole } => self.of(*quantifier, pattern, whole),
        }
    }

    fn all(&mut self, terms: &[Syntax<'_>]) -> Option<Vec<Words<'a>>> {
        let read: Vec<_> = terms.iter().map(|term| self.words(term)).collect();
        read.into_iter().collect()
    }

    fn of(&mut self, quantifier: Quantifier, pattern: &str, whole: &str) -> Option<Words<'a>> {
        let span = self.text.place(whole, offset(&self.text.scalar.text, whole));
        let glob = if pattern.eq_ignore_ascii_case("them") { "*" } else { pattern };
        let meant = self.rules.iter().filter(|rule| matches(glob, &rule.text));
        let mut words: Vec<Words<'a>> =
            meant.map(|rule| Words::Rule(Reference { text: rule.text.clone(), span })).collect();
        if words.is_empty() {
            let fault = Diagnostic::at(Code::BadCondition, span, format!("`{pattern}` stands for none of `rules`"));
            self.diagnostics.push(match self.rules {
                [] => fault.here("no rules are listed").help("`rules` lists those that patterns stand for"),
                _ => fault.here("matches no name or id in `rules`"),
            });
            return None;
        }
        self.taken(words.len(), whole)?;
        Some(match quantifier {
            _ if words.len() == 1 => words.swap_remove(0),
            Quantifier::Any => Words::Or(words),
            Quantifier::All => Words::And(words),
        })
    }

    fn taken(&mut self, count: usize, piece: &str) -> Option<()> {
        if let Some(left) = self.left.checked_sub(count) {
            self.left = left;
            return Some(());
        }
        if self.left > 0 {
            let span = self.text.place(piece, offset(&self.text.scalar.text, piece));
            let message = format!("the condition does not parse: it stands for more than {MAX_WORDS} rules");
            self.diagnostics.push(Diagnostic::at(Code::BadCondition, span, message).here("one rule too many"));
            self.left = 0;
        }
        None
    }
}

impl<'a> Text<'_, 'a> {
    /// A piece of the text, borrowed from the file where the text is.
    pub(super) fn borrowed(&self, piece: &str) -> Cow<'a, str> {
        match &self.scalar.text {
            Cow::Borrowed(text) => {
                let start = offset(text, piece);
                Cow::Borrowed(text.get(start..start + piece.len()).unwrap_or(""))
            }
            Cow::Owned(_) => Cow::Owned(piece.to_owned()),
        }
    }
}
