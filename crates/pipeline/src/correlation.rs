//! Pipelines on correlations: each of the rules is transformed as it is alone, and the fields that the correlation takes
//! of its events, and those that it shows, are renamed as the rule's own are.
//!
//! Invariant: a field of the correlation is renamed by what is applied to the rule that it is about, so conditions on log
//! sources hold for it too.

use std::collections::BTreeMap;

use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_ir::{Correlation, Field, Key, KeyField, Member, Rule, Source};

use crate::chain::{Applied, Chain};

impl Chain<'_> {
    /// Applies every item to each rule of a correlation. The rule in the second part of the result is what describes the
    /// correlation, for templates.
    #[must_use]
    pub fn correlate<'r>(&'r self, correlation: Correlation<'r>) -> (Correlation<'r>, Applied<'r>) {
        let mut work = Work { chain: self, diagnostics: Vec::new(), state: BTreeMap::new(), applied: Vec::new() };
        let (correlation, ..) = work.correlation(correlation, &[], &[]);
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
    /// A correlation after every item, and the names that some more fields of its events have then: one for each that is
    /// asked for, and any number for each that is shown.
    fn correlation(
        &mut self,
        mut correlation: Correlation<'r>,
        asked: &[Asked<'r>],
        shown: &[Field<'r>],
    ) -> (Correlation<'r>, Vec<Field<'r>>, Vec<Names<'r>>) {
        let mut answers: Vec<Field<'r>> = Vec::new();
        let mut members = Vec::with_capacity(correlation.members.len());
        let shown: Vec<Field<'r>> = correlation.meta.fields.iter().chain(shown).cloned().collect();
        let mut names_shown: Vec<Names<'r>> = vec![Names::new(); shown.len()];
        for member in correlation.members {
            let own: Vec<Asked<'r>> = fields(&member, &correlation.keys)
                .map(|(field, place)| Asked { field: field.clone(), place })
                .collect();
            let all: Vec<Asked<'r>> = own.iter().chain(asked).cloned().collect();
            let place = member.span;
            let (source, mut names, more_shown) = match member.source {
                Source::Rule(rule) => {
                    let (rule, names, shown) = self.rule(*rule, &all, &shown);
                    (Source::Rule(Box::new(rule)), names, shown)
                }
                Source::Correlation(inner) => {
                    let (inner, names, shown) = self.correlation(*inner, &all, &shown);
                    (Source::Correlation(Box::new(inner)), names, shown)
                }
            };
            for (all, more) in names_shown.iter_mut().zip(more_shown) {
                more.into_iter().for_each(|name| add(all, name));
            }
            let more = names.split_off(own.len());
            if members.is_empty() {
                answers = more;
            } else if let Some((asked, _)) = asked.iter().zip(answers.iter().zip(&more)).find(|(_, (a, b))| a != b) {
                let message = format!(
                    "the field `{}`, which a correlation takes of the events of an inner one, is another field for each \
                     of its rules after the pipelines",
                    asked.field.as_str()
                );
                self.diagnostics.push(Diagnostic::at(Code::PipelineFailure, place, message));
            }
            members.push(renamed(Member { source, ..member }, names));
        }
        let rest = names_shown.split_off(correlation.meta.fields.len());
        correlation.meta.fields.clear();
        names_shown.into_iter().flatten().for_each(|name| add(&mut correlation.meta.fields, name));
        (Correlation { members, ..correlation }, answers, rest)
    }

    /// A rule after every item, and the names that these fields have then, as of a correlation.
    fn rule(
        &mut self,
        mut rule: Rule<'r>,
        asked: &[Asked<'r>],
        shown: &[Field<'r>],
    ) -> (Rule<'r>, Vec<Field<'r>>, Vec<Names<'r>>) {
        let all = asked.iter().map(|asked| &asked.field).chain(shown);
        rule.prepared.named = all.map(|field| vec![field.clone()]).collect();
        let mut applied = self.chain.apply(rule);
        self.diagnostics.append(&mut applied.diagnostics);
        self.state.append(&mut applied.state);
        self.applied.append(&mut applied.applied);
        self.applied.sort_unstable();
        self.applied.dedup();
        let mut names = std::mem::take(&mut applied.rule.prepared.named);
        let shown = names.split_off(asked.len());
        let mut answers = Vec::with_capacity(names.len());
        for (asked, names) in asked.iter().zip(names) {
            if names.len() > 1 {
                let list: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_str())).collect();
                let message = format!(
                    "the field `{}`, by which the correlation groups or which it measures, becomes several by the \
                     pipelines: {}",
                    asked.field.as_str(),
                    list.join(", ")
                );
                // A field that is asked of several rules is said once.
                let fault = Diagnostic::at(Code::PipelineFailure, asked.place, message);
                if !self.diagnostics.contains(&fault) {
                    self.diagnostics.push(fault);
                }
            }
            answers.push(names.into_iter().next().unwrap_or_else(|| asked.field.clone()));
        }
        (applied.rule, answers, shown)
    }
}

/// What stands for a field.
type Names<'r> = Vec<Field<'r>>;

/// Adds a name that is not among others.
fn add<'r>(names: &mut Names<'r>, name: Field<'r>) {
    if !names.contains(&name) {
        names.push(name);
    }
}

/// A field that a correlation takes of the events of a member, and where it is asked for.
#[derive(Clone)]
struct Asked<'r> {
    field: Field<'r>,
    place: Span,
}

/// The fields that a correlation takes of the events of a member, each with its place: those of its keys, then those of its
/// values, which are pointed at where the member is named.
fn fields<'m, 'a>(member: &'m Member<'a>, keys: &'m [Key<'a>]) -> impl Iterator<Item = (&'m Field<'a>, Span)> {
    let places = keys.iter().map(|key| key.span).chain(std::iter::repeat(member.span));
    let own = member.keys.iter().zip(places).filter_map(|(key, place)| match key {
        KeyField::Field(field) => Some((field, place)),
        KeyField::Inner(_) => None,
    });
    own.chain(member.values.iter().map(|field| (field, member.span)))
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
