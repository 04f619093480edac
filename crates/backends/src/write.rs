//! Writing a legal query: once, left to right.
//!
//! Invariant: nothing here can fail, and nothing that is written is looked at again.

use std::fmt::Write as _;

use sigcast_ir::{Expr, Match, Number, Part, Pattern, Test};

use crate::dialect::{ATOM, Brackets, Calls, Dialect, Form, Grouping};
use crate::options::Settings;
use crate::say::{Leaf, Said};

/// How many terms stand in a chain without groups, where long chains are cut ([`Grouping::Shallow`]).
const LONG_CHAIN: usize = 128;

/// Writes a query of one language.
#[derive(Debug)]
pub struct Writer<'w> {
    /// The text so far.
    pub out: String,
    /// The language.
    pub dialect: &'w Dialect,
    /// The options of the run.
    pub settings: &'w Settings,
}

impl<'w> Writer<'w> {
    /// A writer with no text.
    #[must_use]
    pub fn new(dialect: &'w Dialect, settings: &'w Settings) -> Self {
        Self { out: String::with_capacity(1024), dialect, settings }
    }

    /// Appends text.
    pub fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Appends text with every character of `special` escaped by `escape` before it.
    pub fn escaped(&mut self, text: &str, special: &[char], escape: char) {
        for c in text.chars() {
            if special.contains(&c) {
                self.out.push(escape);
            }
            self.out.push(c);
        }
    }

    /// Appends formatted text.
    pub fn format(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(arguments);
    }

    /// Writes the name of a field with what this test appends to it.
    pub fn field(&mut self, name: &str, test: &Test<'_>) {
        (self.dialect.field)(self, name);
        let variant = (self.dialect.variant)(self.settings, test);
        self.put(variant);
    }

    /// Writes the field of a leaf; nothing for keywords.
    pub fn field_of(&mut self, found: &Match<'_>) {
        if let Some(field) = found.field() {
            self.field(field.as_str(), &found.test);
        }
    }

    /// Writes a whole query, which stands alone.
    pub fn query(&mut self, said: &Said<'_>) {
        if let Grouping::Calls(calls) = self.dialect.operators.grouping {
            self.put(calls.whole.0);
            self.calls(said, calls);
            self.put(calls.whole.1);
        } else {
            self.expr(said, 0);
        }
    }

    /// Writes an expression whose operators are calls.
    fn calls(&mut self, said: &Said<'_>, calls: &Calls) {
        match said {
            Expr::And(terms) => self.call(terms, calls.and, calls),
            Expr::Or(terms) => self.call(terms, calls.or, calls),
            Expr::Not(inner) => {
                self.put(calls.not.0);
                self.calls(inner, calls);
                self.put(calls.not.1);
            }
            Expr::Match(leaf) => self.leaf(leaf),
            // A constant query never comes here: it is a refusal or a warning before.
            Expr::Const(_) => {}
        }
    }

    fn call(&mut self, terms: &[Said<'_>], brackets: Brackets, calls: &Calls) {
        self.put(brackets.open);
        for (at, term) in terms.iter().enumerate() {
            if at > 0 {
                self.put(brackets.separator);
            }
            self.calls(term, calls);
        }
        self.put(brackets.close);
    }

    /// Writes an expression in a place where text binding more loosely than `needs` must be grouped.
    fn expr(&mut self, said: &Said<'_>, needs: u8) {
        let operators = &self.dialect.operators;
        let always = operators.grouping == Grouping::Always;
        match said {
            Expr::And(terms) => self.junction(terms, operators.and, always || operators.and.strength < needs),
            Expr::Or(terms) => self.junction(terms, operators.or, always || operators.or.strength < needs),
            Expr::Not(inner) => {
                // In this style, a negation of no strength is grouped also where it stands alone.
                let grouped = operators.not.strength < needs.max(u8::from(always));
                self.open(grouped);
                self.put(operators.not.text);
                // A junction brings its own group in this style.
                let own = always && matches!(**inner, Expr::Match(_) | Expr::Not(_));
                self.open(own);
                self.expr(inner, operators.not.needs);
                self.close(own);
                self.close(grouped);
            }
            Expr::Match(leaf) => {
                let grouped = leaf.strength() < needs;
                self.open(grouped);
                self.leaf(leaf);
                self.close(grouped);
            }
            // A constant query never comes here: it is a refusal or a warning before.
            Expr::Const(_) => {}
        }
    }

    fn junction(&mut self, terms: &[Said<'_>], operator: crate::dialect::Infix, grouped: bool) {
        self.open(grouped);
        let long = self.dialect.operators.grouping == Grouping::Shallow && terms.len() > LONG_CHAIN;
        let parts = terms.chunks(if long { LONG_CHAIN } else { terms.len().max(1) });
        for (at, part) in parts.enumerate() {
            if at > 0 {
                self.put(operator.text);
            }
            let own = long && part.len() > 1;
            self.open(own);
            for (at, term) in part.iter().enumerate() {
                if at > 0 {
                    self.put(operator.text);
                }
                self.expr(term, operator.needs);
            }
            self.close(own);
        }
        self.close(grouped);
    }

    fn open(&mut self, grouped: bool) {
        if grouped {
            self.put(self.dialect.operators.group.0);
        }
    }

    fn close(&mut self, grouped: bool) {
        if grouped {
            self.put(self.dialect.operators.group.1);
        }
    }

    /// Writes a leaf or a list.
    pub fn leaf(&mut self, leaf: &Leaf<'_>) {
        match (leaf.matches.as_slice(), leaf.brackets(), leaf.emit.form) {
            ([found], None, Form::Infix { operator, value }) => {
                self.field_of(found);
                self.put(operator);
                value(self, &found.test);
            }
            ([found], None, Form::Call { before, separator, value, after }) => {
                self.put(before);
                self.field_of(found);
                self.put(separator);
                value(self, &found.test);
                self.put(after);
            }
            ([found], None, Form::Plural { one, separator, value, after, .. }) => {
                self.put(one);
                self.field_of(found);
                self.put(separator);
                value(self, &found.test);
                self.put(after);
            }
            ([found], _, Form::Whole(write)) => write(self, found),
            ([first, ..], Some(brackets), Form::Infix { .. } | Form::Call { .. } | Form::Plural { .. }) => {
                self.put(leaf.emit.form.before_list());
                self.field_of(first);
                self.put(brackets.open);
                for (at, found) in leaf.matches.iter().enumerate() {
                    if at > 0 {
                        self.put(brackets.separator);
                    }
                    if let Some(value) = leaf.value(at) {
                        value(self, &found.test);
                    }
                }
                self.put(brackets.close);
            }
            // Lists are made only of leaves with brackets.
            _ => {}
        }
    }
}

impl Leaf<'_> {
    fn strength(&self) -> u8 {
        if self.matches.len() > 1 { ATOM } else { self.emit.strength }
    }

    fn brackets(&self) -> Option<crate::dialect::Brackets> {
        if self.matches.len() < 2 {
            return None;
        }
        self.emit.list.and_then(|list| if self.all { list.all } else { list.any })
    }
}

/// Writes a raw piece of the target's language.
pub fn raw(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Raw(text) = &found.test {
        writer.put(text);
    }
}

/// Writes a number by its text.
pub fn number(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(number) = number_of(test) {
        writer.put(&number.text);
    }
}

/// The number of a test.
#[must_use]
pub fn number_of<'t>(test: &'t Test<'_>) -> Option<&'t Number<'t>> {
    match test {
        Test::Number { value, .. } | Test::TimePart { value, .. } => Some(value),
        _ => None,
    }
}

/// Writes `true` or `false`.
pub fn boolean(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Bool(value) = test {
        writer.put(if *value { "true" } else { "false" });
    }
}

/// The pattern of a text test.
#[must_use]
pub fn pattern_of<'t, 'a>(test: &'t Test<'a>) -> Option<&'t Pattern<'a>> {
    match test {
        Test::Text { pattern, .. } => Some(pattern),
        _ => None,
    }
}

/// Writes the parts of a pattern: text by `text`, wildcards by these signs.
pub fn parts(writer: &mut Writer<'_>, pattern: &Pattern<'_>, text: fn(&mut Writer<'_>, &str), run: &str, one: &str) {
    for part in pattern.parts() {
        match part {
            Part::Text(literal) => text(writer, literal),
            Part::AnyRun => writer.put(run),
            Part::AnyOne => writer.put(one),
            // Refused before.
            Part::Placeholder(_) => {}
        }
    }
}
