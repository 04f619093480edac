//! Pipelines on correlations: each of the rules is transformed as it is alone, and the fields that the correlation takes
//! of its events are renamed as the rule's own are.
//!
//! Invariant: a field of the correlation is renamed by what is applied to the rule that it is about, so conditions on log
//! sources hold for it too.

use std::collections::BTreeMap;

use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_ir::{Correlation, Field, KeyField, Member, Rule, Source};

use crate::chain::{Applied, Chain};

impl Chain<'_> {
    /// Applies every item to each rule of a correlation. The rule in the second part of the result is what describes the
    /// correlation, for templates.
    #[must_use]
    pub fn correlate<'r>(&'r self, correlation: Correlation<'r>) -> (Correlation<'r>, Applied<'r>) {
        let mut work = Work { chain: self, diagnostics: Vec::new(), state: BTreeMap::new(), applied: Vec::new() };
        let (correlation, _) = work.correlation(correlation, &[]);
        let rule = correlation.described();
        let Work { diagnostics, state, applied, .. } = work;
        (correlation, Applied { rule, diagnostics, state, applied })
    }
}

struct Work<'r, 'c> {
    chain: &'r Chain<'c>,
    diagnostics: Vec<Diagnostic>,
    state: BTreeMap<String, serde_yaml::Value>,
    applied: Vec<u32>,
}

impl<'r> Work<'r, '_> {
    /// A correlation after every item, and the names that some more fields of its events have then.
    fn correlation(&mut self, correlation: Correlation<'r>, asked: &[Field<'r>]) -> (Correlation<'r>, Vec<Field<'r>>) {
        let mut answers: Vec<Field<'r>> = Vec::new();
        let mut members = Vec::with_capacity(correlation.members.len());
        for member in correlation.members {
            let own: Vec<Field<'r>> = fields(&member).cloned().collect();
            let all: Vec<Field<'r>> = own.iter().chain(asked).cloned().collect();
            let place = member.span;
            let (source, mut names) = match member.source {
                Source::Rule(rule) => {
                    let (rule, names) = self.rule(*rule, &all, place);
                    (Source::Rule(Box::new(rule)), names)
                }
                Source::Correlation(inner) => {
                    let (inner, names) = self.correlation(*inner, &all);
                    (Source::Correlation(Box::new(inner)), names)
                }
            };
            let more = names.split_off(own.len());
            if members.is_empty() {
                answers = more;
            } else if let Some((asked, _)) = asked.iter().zip(answers.iter().zip(&more)).find(|(_, (a, b))| a != b) {
                let message = format!(
                    "the field `{}`, which a correlation takes of the events of an inner one, is another field for each \
                     of its rules after the pipelines",
                    asked.as_str()
                );
                self.diagnostics.push(Diagnostic::at(Code::PipelineFailure, place, message));
            }
            members.push(renamed(Member { source, ..member }, names));
        }
        (Correlation { members, ..correlation }, answers)
    }

    /// A rule after every item, and the names that these fields have then.
    fn rule(&mut self, mut rule: Rule<'r>, asked: &[Field<'r>], place: Span) -> (Rule<'r>, Vec<Field<'r>>) {
        rule.prepared.named = asked.iter().map(|field| vec![field.clone()]).collect();
        let mut applied = self.chain.apply(rule);
        self.diagnostics.append(&mut applied.diagnostics);
        self.state.append(&mut applied.state);
        self.applied.append(&mut applied.applied);
        self.applied.sort_unstable();
        self.applied.dedup();
        let names = std::mem::take(&mut applied.rule.prepared.named);
        let mut answers = Vec::with_capacity(names.len());
        for (asked, names) in asked.iter().zip(names) {
            if names.len() > 1 {
                let list: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_str())).collect();
                let message = format!(
                    "the field `{}`, by which the correlation groups or which it measures, becomes several by the \
                     pipelines: {}",
                    asked.as_str(),
                    list.join(", ")
                );
                self.diagnostics.push(Diagnostic::at(Code::PipelineFailure, place, message));
            }
            answers.push(names.into_iter().next().unwrap_or_else(|| asked.clone()));
        }
        (applied.rule, answers)
    }
}

/// The fields that a correlation takes of the events of a member: those of its keys, then those of its values.
fn fields<'m, 'a>(member: &'m Member<'a>) -> impl Iterator<Item = &'m Field<'a>> {
    let key = |key: &'m KeyField<'a>| match key {
        KeyField::Field(field) => Some(field),
        KeyField::Inner(_) => None,
    };
    member.keys.iter().filter_map(key).chain(&member.values)
}

/// The member with other names for those fields, in the same order.
fn renamed<'a>(mut member: Member<'a>, names: Vec<Field<'a>>) -> Member<'a> {
    let mut names = names.into_iter();
    for key in &mut member.keys {
        if let KeyField::Field(field) = key
            && let Some(name) = names.next()
        {
            *field = name;
        }
    }
    for (value, name) in member.values.iter_mut().zip(names) {
        *value = name;
    }
    member
}
