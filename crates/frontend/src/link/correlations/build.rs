//! A correlation from what is written and the rules that it names.
//!
//! Invariant: every condition and alias speaks of the members, and of each key and value every member has a field.

use std::collections::BTreeSet;

use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_ir::{
    Bound, Correlation, Criterion, Field, Key, KeyField, Member, MemberCondition, NumberValue, Order, Reference, Rule,
    Source, Wanted,
};

use crate::correlation::{Alias, Asked, Unlinked, Wanted as Written, Words};

/// What a reference has led to.
pub(super) enum Found<'f, 'a> {
    Rule(&'f Rule<'a>),
    Correlation(&'f Correlation<'a>),
}

/// Up to how many members it is tried whether a condition can hold.
const FEW: usize = 10;

/// Builds one correlation.
pub(super) struct Builder<'b, 'a> {
    pub(super) unlinked: &'b Unlinked<'a>,
    /// For each of its rules, in order, the document and what it is.
    pub(super) sources: Vec<(usize, Found<'b, 'a>)>,
    /// The document that a reference means.
    pub(super) meant: &'b dyn Fn(&Reference<'a>) -> Option<usize>,
    /// Where faults and warnings go.
    pub(super) found: &'b mut Vec<Diagnostic>,
}

impl<'a> Builder<'_, 'a> {
    /// The correlation; none if a fault is reported.
    pub(super) fn built(mut self) -> Option<Box<Correlation<'a>>> {
        let twice = self.twice();
        let criterion = self.criterion();
        let aliases = self.aliases();
        let values: &[Key<'a>] = match &self.unlinked.asked {
            Asked::Measure { fields, .. } => fields,
            Asked::Temporal { .. } => &[],
        };
        self.unused(values);
        let members: Option<Vec<Member<'a>>> = (0..self.sources.len()).map(|at| self.member(at, values)).collect();
        if twice || !aliases {
            return None;
        }
        let (criterion, members) = (criterion?, members?);
        let one = self.unlinked;
        Some(Box::new(Correlation {
            meta: one.meta.clone(),
            members,
            keys: one.keys.clone(),
            timespan: one.timespan.clone(),
            criterion,
            generate: one.generate,
            span: one.span,
            kind_span: one.kind_span,
        }))
    }

    /// Reports rules that are named twice, where that says nothing: only in an order it does.
    fn twice(&mut self) -> bool {
        if matches!(self.unlinked.asked, Asked::Temporal { ordered: true, wanted: Written::All }) {
            return false;
        }
        let before = self.found.len();
        let mut seen: std::collections::HashMap<usize, Span> = std::collections::HashMap::new();
        for ((at, _), reference) in self.sources.iter().zip(&self.unlinked.rules) {
            let Some(first) = seen.insert(*at, reference.span) else { continue };
            let message = format!("`{}` is a rule that has been named before", reference.text);
            self.found.push(
                Diagnostic::at(Code::BadValue, reference.span, message).here("named again").label(first, "named first"),
            );
        }
        self.found.len() > before
    }

    /// The members that a reference means, if there are any.
    fn members(&self, reference: &Reference<'a>) -> Vec<usize> {
        let by_text = |(at, rule): (usize, &Reference<'a>)| (rule.text == reference.text).then_some(at);
        let named: Vec<usize> = self.unlinked.rules.iter().enumerate().filter_map(by_text).collect();
        let document = match named.first() {
            Some(at) => self.sources.get(*at).map(|(document, _)| *document),
            None => (self.meant)(reference),
        };
        let positions = self.sources.iter().enumerate().filter(|(_, (at, _))| Some(*at) == document);
        positions.map(|(at, _)| at).collect()
    }

    /// The error of a reference that is none of the rules.
    fn stranger(&mut self, code: Code, reference: &Reference<'a>, what: &str) {
        let message = format!("{what} `{}`, which is not among the correlation's rules", reference.text);
        let near = nearest(&reference.text, self.unlinked.rules.iter().map(|rule| rule.text.as_ref()));
        self.found.push(Diagnostic::at(code, reference.span, message).here("not one of `rules`").suggest(near));
    }

    fn criterion(&mut self) -> Option<Criterion<'a>> {
        let count = self.sources.len();
        let (ordered, wanted) = match &self.unlinked.asked {
            Asked::Measure { measure, bounds, .. } => {
                return Some(Criterion::Measure { measure: *measure, bounds: bounds.clone() });
            }
            Asked::Temporal { ordered, wanted } => (*ordered, wanted),
        };
        let all = || Wanted::Rules(all((0..count).map(MemberCondition::Member).collect()));
        let wanted = match wanted {
            Written::All => all(),
            Written::Count(bounds) if is_all(bounds, count) => all(),
            Written::Count(bounds) => Wanted::Count(bounds.clone()),
            Written::Rules(words, span) => Wanted::Rules(self.condition(words, *span)?),
        };
        Some(Criterion::Temporal { ordered, wanted })
    }

    fn condition(&mut self, words: &Words<'a>, span: Span) -> Option<MemberCondition> {
        let before = self.found.len();
        let mut named = BTreeSet::new();
        let condition = self.resolved(words, &mut named);
        for (at, rule) in self.unlinked.rules.iter().enumerate() {
            if !named.contains(&at) {
                let message = format!("the condition does not name the rule `{}`", rule.text);
                let fault = Diagnostic::at(Code::BadCondition, rule.span, message).here("has no effect");
                self.found.push(fault.label(span, "the condition"));
            }
        }
        let condition = condition.filter(|_| self.found.len() == before)?;
        if self.sources.len() <= FEW && !(1..1_u32 << self.sources.len()).any(|has| holds(&condition, has)) {
            let message = "the condition never holds: it is asked at an event of one of the rules";
            self.found.push(Diagnostic::at(Code::BadCondition, span, message).here("contradicts itself").help(
                "that something is missing can be asked beside an event, as in `first_rule and not second_rule`",
            ));
            return None;
        }
        Some(condition)
    }

    fn resolved(&mut self, words: &Words<'a>, named: &mut BTreeSet<usize>) -> Option<MemberCondition> {
        let mut each = |terms: &[Words<'a>]| {
            let resolved: Vec<_> = terms.iter().map(|term| self.resolved(term, named)).collect();
            resolved.into_iter().collect::<Option<Vec<_>>>()
        };
        match words {
            Words::And(terms) => each(terms).map(MemberCondition::And),
            Words::Or(terms) => each(terms).map(MemberCondition::Or),
            Words::Not(inner) => self.resolved(inner, named).map(|inner| MemberCondition::Not(Box::new(inner))),
            Words::Rule(reference) => {
                let Some(at) = self.members(reference).first().copied() else {
                    self.stranger(Code::BadCondition, reference, "the condition names");
                    return None;
                };
                named.insert(at);
                Some(MemberCondition::Member(at))
            }
        }
    }

    /// Whether every alias speaks of the members, and of none of them twice.
    fn aliases(&mut self) -> bool {
        let before = self.found.len();
        for alias in &self.unlinked.aliases {
            let mut seen: std::collections::HashMap<usize, Span> = std::collections::HashMap::new();
            for (reference, _) in &alias.fields {
                let members = self.members(reference);
                let Some(first) = members.first() else {
                    self.stranger(Code::BadValue, reference, &format!("the alias `{}` is for the rule", alias.name));
                    continue;
                };
                if let Some(span) = seen.insert(*first, reference.span) {
                    let message = format!("the alias `{}` has two fields for one rule", alias.name);
                    let fault = Diagnostic::at(Code::BadValue, reference.span, message).here("named again");
                    self.found.push(fault.label(span, "named first"));
                }
            }
        }
        self.found.len() == before
    }

    /// Warns of aliases that nothing uses.
    fn unused(&mut self, values: &[Key<'a>]) {
        let used = |alias: &Alias<'a>| self.unlinked.keys.iter().chain(values).any(|key| key.name == alias.name);
        let unused: Vec<Diagnostic> = self
            .unlinked
            .aliases
            .iter()
            .filter(|alias| !used(alias))
            .map(|alias| {
                let message = format!("nothing uses the alias `{}`", alias.name);
                let near = nearest(&alias.name, self.unlinked.keys.iter().map(|key| key.name.as_ref()));
                Diagnostic::at(Code::UnusedAlias, alias.span, message).here("has no effect").suggest(near)
            })
            .collect();
        self.found.extend(unused);
    }

    fn member(&mut self, at: usize, values: &[Key<'a>]) -> Option<Member<'a>> {
        let keys: Vec<Option<Field<'a>>> = self.unlinked.keys.iter().map(|key| self.field(at, key)).collect();
        let values: Vec<Option<Field<'a>>> = values.iter().map(|key| self.field(at, key)).collect();
        let keys: Vec<Field<'a>> = keys.into_iter().collect::<Option<_>>()?;
        let values = values.into_iter().collect::<Option<_>>()?;
        let reference = self.unlinked.rules.get(at)?;
        let (keys, source) = match &self.sources.get(at)?.1 {
            Found::Rule(rule) => {
                (keys.into_iter().map(KeyField::Field).collect(), Source::Rule(Box::new((*rule).clone())))
            }
            Found::Correlation(inner) => {
                let own = |field: Field<'a>| match inner.keys.iter().position(|key| key.name == field.0) {
                    Some(number) => KeyField::Inner(number),
                    None => KeyField::Field(field),
                };
                (keys.into_iter().map(own).collect(), Source::Correlation(Box::new((*inner).clone())))
            }
        };
        Some(Member { name: reference.text.clone(), span: reference.span, source, keys, values })
    }

    /// What a key or a field is called in the events of a member.
    fn field(&mut self, at: usize, key: &Key<'a>) -> Option<Field<'a>> {
        let Some(alias) = self.unlinked.aliases.iter().find(|alias| alias.name == key.name) else {
            return Some(Field(key.name.clone()));
        };
        let found = alias.fields.iter().find(|(reference, _)| self.members(reference).contains(&at));
        if let Some((_, field)) = found {
            return Some(Field(field.clone()));
        }
        let rule = self.unlinked.rules.get(at).map_or("", |rule| rule.text.as_ref());
        let message = format!("the alias `{}` has no field for the rule `{rule}`", alias.name);
        self.found.push(
            Diagnostic::at(Code::MissingAttribute, alias.span, message)
                .here(format!("a line such as `{rule}: field` is missing below"))
                .label(key.span, "used here"),
        );
        None
    }
}

/// All of these, of which there is one at least.
fn all(mut terms: Vec<MemberCondition>) -> MemberCondition {
    if terms.len() == 1 { terms.swap_remove(0) } else { MemberCondition::And(terms) }
}

/// Whether bounds ask for all of so many rules.
fn is_all(bounds: &[Bound<'_>], count: usize) -> bool {
    let [Bound { order, negated: false, value, .. }] = bounds else { return false };
    let NumberValue::Integer(value) = value.value else { return false };
    let count = i128::try_from(count).unwrap_or(i128::MAX);
    match order {
        Order::Greater => value == count - 1,
        Order::GreaterOrEqual | Order::Equal => value == count,
        Order::Less | Order::LessOrEqual => false,
    }
}

/// Whether the condition holds if the members of these bits have events.
fn holds(condition: &MemberCondition, has: u32) -> bool {
    match condition {
        MemberCondition::And(terms) => terms.iter().all(|term| holds(term, has)),
        MemberCondition::Or(terms) => terms.iter().any(|term| holds(term, has)),
        MemberCondition::Not(inner) => !holds(inner, has),
        MemberCondition::Member(at) => has & (1 << at) != 0,
    }
}
