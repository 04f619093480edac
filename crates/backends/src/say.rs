//! Legalisation: from tests to the means to write them.
//!
//! Each leaf's entry in the [`Dialect`] decides: it is written as it is, a pass rewrites it (and what comes out is
//! legalised in turn), or the rule is refused at that leaf. What comes out of here cannot fail any more.

use std::collections::BTreeSet;

use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_ir::{Case, Expr, Match, Query, Test};

use crate::dialect::{Dialect, Emit, Form, Say, ValueWriter};
use crate::options::Settings;

/// A legal query: every leaf can be written.
pub type Said<'a> = Expr<Leaf<'a>>;

/// A leaf, or several on one field in a list, with the means to write them.
#[derive(Debug, Clone)]
pub struct Leaf<'a> {
    /// How it is written.
    pub emit: Emit,
    /// What it tests. More than one: a list of values of one field, all of the same kind.
    pub matches: Vec<Match<'a>>,
    /// For a list: whether all must match.
    pub all: bool,
    /// For a list: how the tests behind the first are written, where not as the first.
    pub others: Vec<Emit>,
}

impl Leaf<'_> {
    /// What writes the value of a test of the leaf, by its number; none if the leaf is not of field and value.
    #[must_use]
    pub fn value(&self, at: usize) -> Option<ValueWriter> {
        let emit = at.checked_sub(1).and_then(|other| self.others.get(other)).unwrap_or(&self.emit);
        match emit.form {
            Form::Infix { value, .. } | Form::Call { value, .. } | Form::Plural { value, .. } => Some(value),
            Form::Whole(_) => None,
        }
    }
}

impl PartialEq for Leaf<'_> {
    /// Two leaves are equal if they test the same; the dialect writes equal tests alike.
    fn eq(&self, other: &Self) -> bool {
        self.matches == other.matches && self.all == other.all
    }
}

/// A leaf that is written so.
#[must_use]
pub fn leaf<'a>(emit: Emit, leaf: Match<'a>) -> Said<'a> {
    Expr::Match(Leaf { emit, matches: vec![leaf], all: false, others: Vec::new() })
}

/// Why a leaf cannot be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// The reason; completes "… cannot be said in Splunk: ".
    pub reason: String,
}

impl Refusal {
    /// A refusal.
    #[must_use]
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

/// How deep rewrites may nest before a dialect's entries are taken to run in a circle.
const MAX_REWRITES: u8 = 8;

/// How many leaves a query may have; far above what any engine takes.
const MAX_LEAVES: usize = 20_000;

/// Legalises queries for one dialect and collects what is to be said about them.
#[derive(Debug)]
pub struct Legaliser<'s> {
    /// The language.
    pub dialect: &'static Dialect,
    /// The options of the run.
    pub settings: &'s Settings,
    /// What the data must fulfil.
    pub assumptions: BTreeSet<Code>,
    /// Approximations and refusals so far.
    pub diagnostics: Vec<Diagnostic>,
    depth: u8,
    leaves: usize,
    at: Option<Span>,
}

impl<'s> Legaliser<'s> {
    /// A legaliser with nothing collected.
    #[must_use]
    pub fn new(dialect: &'static Dialect, settings: &'s Settings) -> Self {
        Self { dialect, settings, assumptions: BTreeSet::new(), diagnostics: Vec::new(), depth: 0, leaves: 0, at: None }
    }

    /// The legal form of a query. `None` if a leaf was refused: the refusals are among the diagnostics, every one.
    pub fn query<'a>(&mut self, query: &Query<'a>) -> Option<Said<'a>> {
        let before = self.diagnostics.len();
        let said = self.all(query);
        let refused =
            self.diagnostics[before..].iter().any(|found| found.code.class() == sigcast_diagnostics::Class::Refusal);
        if refused { None } else { said }
    }

    fn all<'a>(&mut self, query: &Query<'a>) -> Option<Said<'a>> {
        match query {
            Expr::And(terms) => self.each(terms).map(Expr::And),
            Expr::Or(terms) => self.each(terms).map(Expr::Or),
            Expr::Not(inner) => self.all(inner).map(Expr::negate),
            Expr::Const(value) => Some(Expr::Const(*value)),
            Expr::Match(found) => {
                self.at = Some(found.span);
                match self.leaf_of_rule(found) {
                    Ok(said) => Some(said),
                    Err(refusal) => {
                        self.refuse(found, &refusal);
                        None
                    }
                }
            }
        }
    }

    /// Every term, also behind a refused one, so that all refusals are found.
    fn each<'a>(&mut self, terms: &[Query<'a>]) -> Option<Vec<Said<'a>>> {
        let mut said = Vec::with_capacity(terms.len());
        let mut whole = true;
        for term in terms {
            match self.all(term) {
                Some(term) => said.push(term),
                None => whole = false,
            }
        }
        whole.then_some(said)
    }

    /// The legal form of what a pass made of a leaf.
    ///
    /// # Errors
    /// The refusal of the first leaf that cannot be said.
    pub fn say<'a>(&mut self, query: &Query<'a>) -> Result<Said<'a>, Refusal> {
        if self.depth >= MAX_REWRITES {
            return Err(Refusal::new(Code::ConstructUnsupported, "it is rewritten without end"));
        }
        self.depth += 1;
        let said = self.say_each(query);
        self.depth -= 1;
        said
    }

    fn say_each<'a>(&mut self, query: &Query<'a>) -> Result<Said<'a>, Refusal> {
        match query {
            Expr::And(terms) => Ok(Expr::And(terms.iter().map(|term| self.say_each(term)).collect::<Result<_, _>>()?)),
            Expr::Or(terms) => Ok(Expr::Or(terms.iter().map(|term| self.say_each(term)).collect::<Result<_, _>>()?)),
            Expr::Not(inner) => Ok(Expr::negate(self.say_each(inner)?)),
            Expr::Const(value) => Ok(Expr::Const(*value)),
            Expr::Match(found) => self.leaf(found),
        }
    }

    /// A leaf of the rule itself: what it needs of the data whatever it is rewritten to.
    ///
    /// Simple case folding joins U+212A to `k` and U+017F to `s`. Few engines do the same, and fewer say so: where the
    /// engine, its index or a written-out expression does the folding, the data must not hold these letters. Where all
    /// rests on `assume-caseless`, that says as much, and more.
    fn leaf_of_rule<'a>(&mut self, found: &Match<'a>) -> Result<Said<'a>, Refusal> {
        let known = self.assumptions.remove(&Code::AssumeCaseless);
        let said = self.leaf(found);
        let assumed = self.assumptions.contains(&Code::AssumeCaseless);
        if known {
            self.assumptions.insert(Code::AssumeCaseless);
        }
        let listed = crate::typed::known(self, found).is_some_and(|field| !field.values.is_empty());
        let folds = |said: &Said<'_>| {
            folds_letters(&found.test) || matches!(found.test, Test::Regex(_)) && has_flag_for_case(said)
        };
        if !assumed && !listed && said.as_ref().is_ok_and(folds) {
            self.assumptions.insert(Code::AssumePlainLetters);
        }
        said
    }

    fn leaf<'a>(&mut self, found: &Match<'a>) -> Result<Said<'a>, Refusal> {
        self.leaves += 1;
        if self.leaves > MAX_LEAVES {
            return Err(Refusal::new(Code::QueryTooLarge, format!("the query has more than {MAX_LEAVES} terms")));
        }
        if let Some(reason) = found.field().and_then(|field| (self.dialect.bad_field)(field.as_str())) {
            return Err(Refusal::new(Code::FieldNameUnsupported, reason));
        }
        if let Some(typed) = crate::typed::resolve(found, self)? {
            return self.say(&typed);
        }
        match self.dialect.entry(found) {
            Say::Native(emit) => Ok(self.write(emit, found)),
            Say::Lowered(rewrite) => rewrite(found, self),
            Say::Refused(code, reason) => Err(Refusal::new(code, reason)),
        }
    }

    /// The leaf written so; notes what that assumes.
    pub fn write<'a>(&mut self, emit: Emit, found: &Match<'a>) -> Said<'a> {
        for code in emit.assumes {
            self.assume(*code, found);
        }
        leaf(emit, found.clone())
    }

    /// Notes an assumption that the leaf needs. One on case is not needed where the text has none, and none
    /// that the schema fulfils.
    pub fn assume(&mut self, code: Code, found: &Match<'_>) {
        let caseless = matches!(&found.test, Test::Text { pattern, .. } if !pattern.has_case());
        let fulfilled = (caseless && matches!(code, Code::AssumeCaseless | Code::AssumeCased))
            || crate::typed::answers(self, code, found);
        if !fulfilled {
            self.assumptions.insert(code);
        }
    }

    /// Notes how the query differs from the rule at this leaf.
    pub fn approximate(&mut self, code: Code, found: &Match<'_>, message: impl Into<String>) {
        let known = self.diagnostics.iter().any(|other| other.code == code && other.span() == Some(found.span));
        if !known {
            self.diagnostics.push(Diagnostic::at(code, found.span, message));
        }
    }

    fn refuse(&mut self, found: &Match<'_>, refusal: &Refusal) {
        let what = describe(&found.test);
        let message = format!("{what} cannot be said in {}: {}", self.dialect.name, refusal.reason);
        let place = self.at.unwrap_or(found.span);
        self.diagnostics.push(Diagnostic::at(refusal.code, place, message));
    }
}

/// Whether the test takes a letter beyond ASCII for `k` or `s`, since it ignores case.
pub(crate) fn folds_letters(test: &Test<'_>) -> bool {
    let letter = |c: char| matches!(c, 'k' | 'K' | 's' | 'S');
    match test {
        Test::Text { pattern, case: Case::Insensitive } => pattern.texts().any(|text| text.contains(letter)),
        Test::OneOf(tests) => tests.iter().any(folds_letters),
        // Any text may stand in another field.
        Test::SameAs { case, .. } => *case == Case::Insensitive,
        _ => false,
    }
}

/// Whether some regular expression leaves it to the engine to ignore case: a rule's own folds these letters not, and
/// an engine's flag may.
fn has_flag_for_case(said: &Said<'_>) -> bool {
    let flagged = |source: &str| {
        let flags =
            |group: &str| group.trim_start_matches(|c: char| c.is_ascii_alphabetic() && c != 'i').starts_with('i');
        source.split("(?").skip(1).any(flags)
    };
    let mut found = false;
    said.each_match(&mut |leaf| {
        found |= leaf.matches.iter().any(|one| matches!(&one.test, Test::Regex(regex) if flagged(&regex.source)));
    });
    found
}

/// A test in the words of the specification.
fn describe(test: &Test<'_>) -> &'static str {
    use sigcast_ir::Order;
    match test {
        Test::Text { case: Case::Sensitive, .. } => "text that minds case",
        Test::Text { .. } => "this text",
        Test::Regex(_) => "this regular expression",
        Test::Network(_) => "this network",
        Test::Number { order: Order::Equal, .. } => "this number",
        Test::Number { .. } => "this comparison",
        Test::Bool(_) => "this boolean",
        Test::Null => "`null`",
        Test::Exists(_) => "`exists`",
        Test::SameAs { .. } => "a comparison with another field",
        Test::TimePart { .. } => "a part of a time",
        Test::Raw(_) | Test::OneOf(_) => "this",
    }
}
