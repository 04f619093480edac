//! What must match: the query level.

use sigcast_diagnostics::Span;

use crate::{Field, Test};

/// What a test looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject<'a> {
    /// One field.
    Field(Field<'a>),
    /// Any value anywhere in the event: a keyword. A text pattern is searched for in it, not anchored.
    Event,
}

/// One test of one subject: a leaf of the query.
#[derive(Debug, Clone, PartialEq)]
pub struct Match<'a> {
    /// What is looked at.
    pub subject: Subject<'a>,
    /// What is asked of it.
    pub test: Test<'a>,
    /// Where the rule says so: the value, or the key if there is no value of its own.
    pub span: Span,
}

/// A boolean expression over tests. A test of an absent field is false, and `Not` of it is true.
///
/// After [`Expr::simplify`]: no list is empty or has one element, none stands directly in its own kind, a double
/// negation is gone, and [`Expr::Const`] stands only at the root.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr<'a> {
    /// All of them.
    And(Vec<Expr<'a>>),
    /// One of them at least.
    Or(Vec<Expr<'a>>),
    /// Not this.
    Not(Box<Expr<'a>>),
    /// A test.
    Match(Match<'a>),
    /// Always or never.
    Const(bool),
}

impl<'a> Expr<'a> {
    /// Negation.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "a constructor beside `Expr::And` and `Expr::Or`, not the operator"
    )]
    pub fn not(expr: Self) -> Self {
        Self::Not(Box::new(expr))
    }

    /// The same meaning in normal form: flattened, without constants inside, repeated terms kept once.
    ///
    /// Before: `And([a, And([b, And([])])])`. After: `And([a, b])`.
    #[must_use]
    pub fn simplify(self) -> Self {
        match self {
            Self::And(terms) => Self::junction(terms, true),
            Self::Or(terms) => Self::junction(terms, false),
            Self::Not(inner) => match inner.simplify() {
                Self::Not(twice) => *twice,
                Self::Const(value) => Self::Const(!value),
                other => Self::not(other),
            },
            leaf => leaf,
        }
    }

    /// A conjunction (`and`) or disjunction of terms, simplified.
    fn junction(terms: Vec<Self>, and: bool) -> Self {
        let mut flat: Vec<Self> = Vec::with_capacity(terms.len());
        for term in terms {
            match term.simplify() {
                Self::Const(value) if value == and => {}
                Self::Const(_) => return Self::Const(!and),
                Self::And(inner) if and => flat.extend(inner),
                Self::Or(inner) if !and => flat.extend(inner),
                other => flat.push(other),
            }
        }
        drop_repeated(&mut flat);
        match flat.len() {
            0 => Self::Const(and),
            1 => flat.swap_remove(0),
            _ if and => Self::And(flat),
            _ => Self::Or(flat),
        }
    }

    /// Calls `visit` with every leaf, in order.
    pub fn each_match<'e>(&'e self, visit: &mut impl FnMut(&'e Match<'a>)) {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().for_each(|term| term.each_match(visit)),
            Self::Not(inner) => inner.each_match(visit),
            Self::Match(leaf) => visit(leaf),
            Self::Const(_) => {}
        }
    }

    /// Whether both mean the same by their form: equal but for the places they come from.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::And(a), Self::And(b)) | (Self::Or(a), Self::Or(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (Self::Not(a), Self::Not(b)) => a.same(b),
            (Self::Match(a), Self::Match(b)) => a.subject == b.subject && a.test == b.test,
            (Self::Const(a), Self::Const(b)) => a == b,
            _ => false,
        }
    }
}

/// Drops terms that stand in the list already. Quadratic, so only for lists of a size that authors write by hand;
/// in longer ones a repeated term costs less than looking for it.
fn drop_repeated(terms: &mut Vec<Expr<'_>>) {
    const LIMIT: usize = 64;
    if terms.len() > LIMIT {
        return;
    }
    let mut at = 1;
    while at < terms.len() {
        let (before, rest) = terms.split_at(at);
        if before.iter().any(|term| term.same(&rest[0])) {
            terms.remove(at);
        } else {
            at += 1;
        }
    }
}
