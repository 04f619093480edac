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

/// One test of one subject: a leaf of the query. Two are equal if they mean the same, wherever they stand.
#[derive(Debug, Clone)]
pub struct Match<'a> {
    /// What is looked at.
    pub subject: Subject<'a>,
    /// What is asked of it.
    pub test: Test<'a>,
    /// Where the rule says so: the value, or the key if there is no value of its own.
    pub span: Span,
}

impl PartialEq for Match<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject && self.test == other.test
    }
}

impl<'a> Match<'a> {
    /// The name of the field; none for keywords.
    #[must_use]
    pub fn field(&self) -> Option<&Field<'a>> {
        match &self.subject {
            Subject::Field(field) => Some(field),
            Subject::Event => None,
        }
    }

    /// The same subject at the same place with another test.
    #[must_use]
    pub fn with(&self, test: Test<'a>) -> Self {
        Self { subject: self.subject.clone(), test, span: self.span }
    }
}

/// What a condition asks of an event: a boolean expression over tests.
pub type Query<'a> = Expr<Match<'a>>;

/// A boolean expression. A test of an absent field is false, and `Not` of it is true.
///
/// After [`Expr::simplify`]: no list is empty or has one element, none stands directly in its own kind, a double
/// negation is gone, and [`Expr::Const`] stands only at the root.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr<L> {
    /// All of them.
    And(Vec<Expr<L>>),
    /// One of them at least.
    Or(Vec<Expr<L>>),
    /// Not this.
    Not(Box<Expr<L>>),
    /// A test.
    Match(L),
    /// Always or never.
    Const(bool),
}

impl<L: PartialEq> Expr<L> {
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
                other => Self::negate(other),
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
}

impl<L> Expr<L> {
    /// Negation.
    #[must_use]
    pub fn negate(expr: Self) -> Self {
        Self::Not(Box::new(expr))
    }

    /// Calls `visit` with every leaf, in order.
    pub fn each_match<'e>(&'e self, visit: &mut impl FnMut(&'e L)) {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().for_each(|term| term.each_match(visit)),
            Self::Not(inner) => inner.each_match(visit),
            Self::Match(leaf) => visit(leaf),
            Self::Const(_) => {}
        }
    }
}

/// Drops terms that stand in the list already. Quadratic, so only for lists of a size that authors write by hand;
/// in longer ones a repeated term costs less than looking for it.
fn drop_repeated<L: PartialEq>(terms: &mut Vec<Expr<L>>) {
    const LIMIT: usize = 64;
    if terms.len() > LIMIT {
        return;
    }
    let mut at = 1;
    while at < terms.len() {
        let (before, rest) = terms.split_at(at);
        if before.contains(&rest[0]) {
            terms.remove(at);
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Expr::{self, And, Const, Match, Or};

    #[test]
    fn simplify_flattens_and_drops_constants_and_repetitions() {
        let check = |given: Expr<u8>, wanted: Expr<u8>| assert_eq!(given.simplify(), wanted);
        check(And(vec![Match(1), And(vec![Match(2), And(vec![])])]), And(vec![Match(1), Match(2)]));
        check(Or(vec![Match(1), Or(vec![Match(1)])]), Match(1));
        check(Or(vec![Match(1), Const(true)]), Const(true));
        check(Expr::negate(Expr::negate(Match(1))), Match(1));
        check(Expr::negate(And(vec![Const(false), Match(1)])), Const(true));
        check(And(vec![Or(vec![Match(1), Match(2)]), Match(3)]), And(vec![Or(vec![Match(1), Match(2)]), Match(3)]));
    }
}
