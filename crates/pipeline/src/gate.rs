//! When an item applies: conditions joined by `and`, `or` or an expression over their names.
//!
//! Invariant: a gate without conditions is open.

use sigcast_diagnostics::Diagnostic;
use sigcast_ir::{Condition, Quantifier};

use crate::read::{Faults, Located, fault, unknown};

/// The conditions of one kind that an item has.
#[derive(Debug)]
pub(crate) struct Gate<'a, C> {
    conditions: Vec<C>,
    link: Link<'a>,
    negated: bool,
}

/// How conditions are joined.
#[derive(Debug)]
enum Link<'a> {
    All,
    Any,
    /// The indices are those of the conditions.
    Expression(Condition<'a>),
}

/// The keys of the conditions of one kind.
pub(crate) struct Keys {
    /// `rule_conditions`
    pub(crate) conditions: &'static str,
    /// `rule_cond_op`
    pub(crate) link: &'static str,
    /// `rule_cond_not`
    pub(crate) negated: &'static str,
    /// `rule_cond_expr`
    pub(crate) expression: &'static str,
}

impl<C> Default for Gate<'_, C> {
    fn default() -> Self {
        Self { conditions: Vec::new(), link: Link::All, negated: false }
    }
}

impl<'a, C> Gate<'a, C> {
    /// Reads the conditions of an item; `read` reads one.
    pub(crate) fn read(
        item: &Located<'_, 'a>,
        keys: &Keys,
        read: impl Fn(&Located<'_, 'a>) -> Result<C, Faults>,
    ) -> Result<Self, Faults> {
        let mut gate = Self::default();
        let mut faults = Vec::new();
        let (mut names, mut named) = (Vec::new(), false);
        if let Some(found) = item.get(keys.conditions) {
            let all: Vec<Located<'_, 'a>> = if let Some(entries) = found.entries() {
                named = true;
                let (found, parts): (Vec<&str>, Vec<_>) = entries.into_iter().unzip();
                names = found;
                parts
            } else if let Some(elements) = found.elements() {
                elements
            } else {
                return Err(vec![fault(
                    found.part.head(),
                    format!("`{}` is neither a list of conditions nor a map of them", keys.conditions),
                )]);
            };
            for condition in &all {
                match read(condition) {
                    Ok(condition) => gate.conditions.push(condition),
                    Err(mut found) => faults.append(&mut found),
                }
            }
        }
        gate.link(item, keys, &names, named, &mut faults);
        if faults.is_empty() { Ok(gate) } else { Err(faults) }
    }

    fn link(&mut self, item: &Located<'_, 'a>, keys: &Keys, names: &[&str], named: bool, faults: &mut Faults) {
        let mut keep = |result: Result<(), Faults>| {
            if let Err(mut found) = result {
                faults.append(&mut found);
            }
        };
        let op = item.get(keys.link);
        if let Some(op) = &op {
            keep(op.word(keys.link).and_then(|word| {
                self.link = match word {
                    "and" => Link::All,
                    "or" => Link::Any,
                    other => return Err(vec![unknown(op.part.span(), "operator", other, ["and", "or"])]),
                };
                Ok(())
            }));
        }
        if let Some(negated) = item.get(keys.negated) {
            keep(negated.flag(keys.negated).map(|flag| self.negated = flag));
        }
        match item.get(keys.expression) {
            Some(found) if !named => {
                let message = format!(
                    "`{}` needs names: `{}` is a list, and a map of names is expected",
                    keys.expression, keys.conditions
                );
                keep(Err(vec![fault(found.part.key_span(), message)]));
            }
            Some(found) if op.is_some() => {
                let message =
                    format!("`{}` and `{}` say the same in two ways: one is expected", keys.expression, keys.link);
                keep(Err(vec![fault(found.part.key_span(), message)]));
            }
            Some(found) => keep(self.expression(&found, names)),
            None => {}
        }
    }

    fn expression(&mut self, found: &Located<'_, 'a>, names: &[&str]) -> Result<(), Faults> {
        // The names live as long as the part does, not as the text; the expression keeps their indices only.
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let recoded = |faults: Faults| -> Faults {
            faults
                .into_iter()
                .map(|found| Diagnostic { code: sigcast_diagnostics::Code::BadPipeline, ..found })
                .collect()
        };
        let expression = found.part.expression(&names).map_err(recoded)?;
        self.link = Link::Expression(expression);
        Ok(())
    }

    /// Whether the conditions hold together, given which of them does.
    pub(crate) fn is_open(&self, mut holds: impl FnMut(&C) -> bool) -> bool {
        if self.conditions.is_empty() {
            return true;
        }
        let open = match &self.link {
            Link::All => self.conditions.iter().all(holds),
            Link::Any => self.conditions.iter().any(holds),
            Link::Expression(expression) => {
                evaluate(expression, &mut |index| self.conditions.get(index).is_some_and(&mut holds))
            }
        };
        open != self.negated
    }

    /// Whether a condition of a kind must hold for the gate to be open: of several joined by `or`, each is one.
    pub(crate) fn implies(&self, is: impl Fn(&C) -> bool) -> bool {
        if self.negated || self.conditions.is_empty() {
            return false;
        }
        match &self.link {
            Link::All => self.conditions.iter().any(is),
            Link::Any => self.conditions.iter().all(is),
            Link::Expression(expression) => implies(expression, &|index| self.conditions.get(index).is_some_and(&is)),
        }
    }
}

fn implies(expression: &Condition<'_>, is: &dyn Fn(usize) -> bool) -> bool {
    match expression {
        Condition::And(terms) => terms.iter().any(|term| implies(term, is)),
        Condition::Or(terms) => terms.iter().all(|term| implies(term, is)),
        Condition::Not(_) => false,
        Condition::Detection { index, .. } => is(*index),
        Condition::Of { quantifier: Quantifier::Any, matched, .. } => matched.iter().all(|index| is(*index)),
        Condition::Of { quantifier: Quantifier::All, matched, .. } => matched.iter().any(|index| is(*index)),
    }
}

fn evaluate(expression: &Condition<'_>, holds: &mut dyn FnMut(usize) -> bool) -> bool {
    match expression {
        Condition::And(terms) => terms.iter().all(|term| evaluate(term, holds)),
        Condition::Or(terms) => terms.iter().any(|term| evaluate(term, holds)),
        Condition::Not(inner) => !evaluate(inner, holds),
        Condition::Detection { index, .. } => holds(*index),
        Condition::Of { quantifier: Quantifier::Any, matched, .. } => matched.iter().any(|index| holds(*index)),
        Condition::Of { quantifier: Quantifier::All, matched, .. } => matched.iter().all(|index| holds(*index)),
    }
}
