//! Rules whose condition ends in an aggregation of old, as the correlations that they mean.
//!
//! `selection | count(f) by g > 5` counts the events of the rule with the condition `selection`; `selection | near a and
//! not b` asks for such an event, one of the detection `a`, and none of `b`. A rule has one condition then: what several
//! would mean together was never said.
//!
//! Invariant: the correlation has all that describes the rule. Each of its rules has the detections that its own condition
//! names, and no other: what pipelines ask about a rule's detections is asked of each by itself.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_ir::{
    Condition, Correlation, Criterion, Field, KeyField, Member, MemberCondition, Quantifier, Rule, Source, Timespan,
    Wanted,
};

use crate::condition::aggregation::{Aggregation, Asked};
use crate::correlation::Type;
use crate::correlation::condition::contradiction;
use crate::link::size;
use crate::spell::{slug, spelled};

/// The correlation that a rule with these aggregations means, with a note that says so.
///
/// # Errors
/// The refusal, if it means none that can be said.
pub(crate) fn read<'a>(
    rule: Rule<'a>,
    mut aggregations: Vec<Aggregation<'a>>,
    timespan: Option<Timespan<'a>>,
) -> Result<(Correlation<'a>, Diagnostic), Diagnostic> {
    let Some(aggregation) = aggregations.pop() else {
        return Err(Diagnostic::new(Code::InternalError, "a rule without an aggregation is read as one with it"));
    };
    let refused = |message: &str, here: &str| {
        Diagnostic::at(Code::LegacyUnsupported, aggregation.span, message.to_owned()).here(here)
    };
    if rule.conditions.len() != 1 {
        return Err(refused(
            "the rule has several conditions, and one of them ends in an aggregation",
            "not supported",
        )
        .help("correlations in documents of their own say what each of them asks"));
    }
    let Some(timespan) = timespan else {
        return Err(Diagnostic::at(
            Code::MissingTimeframe,
            aggregation.span,
            "the rule has no `timeframe`, so it is not known within what time events are counted",
        )
        .here("within what time?")
        .help("`timeframe: 5m` stands beside the condition; `sigcast migrate` makes a correlation of it"));
    };
    if let Asked::Measure { measure, bound, .. } = &aggregation.asked
        && contradiction(std::slice::from_ref(bound), Type::of(*measure), None).is_some()
    {
        let message = "the aggregation asks for the absence of events, and a correlation fires at an event";
        return Err(refused(message, "not supported"));
    }
    let span = aggregation.span;
    let correlation = correlation(rule, aggregation, timespan)?;
    let names: Vec<String> = correlation.members.iter().map(|member| slug(&member.name)).collect();
    let note = Diagnostic::at(
        Code::LegacyAggregation,
        span,
        "the condition ends in an aggregation, which version 2 of the specification has replaced: it is read as the \
         correlation that it means",
    )
    .here("read as a correlation")
    .help(format!("`correlation: {}`", spelled(&correlation, &names).flow()));
    Ok((correlation, note))
}

fn correlation<'a>(
    rule: Rule<'a>,
    aggregation: Aggregation<'a>,
    timespan: Timespan<'a>,
) -> Result<Correlation<'a>, Diagnostic> {
    let Aggregation { span, word, by, asked } = aggregation;
    let name = rule.meta.name.clone().unwrap_or_else(|| rule.meta.title.clone());
    let meta = rule.meta.clone();
    let keys: Vec<KeyField<'a>> = by.iter().map(|key| KeyField::Field(Field(key.name.clone()))).collect();
    let place = rule.conditions.first().map_or(span, |(_, span)| *span);
    let member = |name: Cow<'a, str>, span, rule: Rule<'a>, values| Member {
        name,
        span,
        source: Source::Rule(Box::new(rule)),
        keys: keys.clone(),
        values,
    };
    let (members, criterion) = match asked {
        Asked::Measure { measure, fields, bound } => {
            let values = fields.into_iter().map(|field| Field(field.name)).collect();
            (vec![member(name, place, rule, values)], Criterion::Measure { measure, bounds: vec![bound] })
        }
        Asked::Near(condition) => {
            let mut near = Vec::new();
            let condition = positions(&condition, &mut near);
            if size::rule(&rule).saturating_mul(near.len() + 1) > size::MAX_SIZE {
                let message = format!("the rules that are near have more than {} parts together", size::MAX_SIZE);
                return Err(Diagnostic::at(Code::LegacyUnsupported, span, message).here("too large"));
            }
            let others: Vec<Member<'a>> = near
                .iter()
                .filter_map(|index| {
                    let detection = rule.detections.get(*index)?;
                    let (name, place) = (detection.name.clone(), detection.span);
                    let own = Condition::Detection { index: *index, span: place };
                    Some(member(name, place, alone(&rule, own, place), Vec::new()))
                })
                .collect();
            let rule = match rule.conditions.first() {
                Some((condition, place)) => alone(&rule, condition.clone(), *place),
                None => rule,
            };
            let members = std::iter::once(member(name, place, rule, Vec::new())).chain(others).collect();
            let wanted = match condition {
                MemberCondition::And(terms) => {
                    MemberCondition::And(std::iter::once(MemberCondition::Member(0)).chain(terms).collect())
                }
                other => MemberCondition::And(vec![MemberCondition::Member(0), other]),
            };
            (members, Criterion::Temporal { ordered: false, wanted: Wanted::Rules(wanted) })
        }
    };
    Ok(Correlation { meta, members, keys: by, timespan, criterion, generate: false, span, kind_span: word })
}

/// A rule with this one of the conditions over its detections, and those detections that it names.
fn alone<'a>(rule: &Rule<'a>, mut condition: Condition<'a>, place: Span) -> Rule<'a> {
    let mut named = BTreeSet::new();
    each_index(&mut condition, &mut |index| {
        named.insert(*index);
    });
    let new: HashMap<usize, usize> = named.iter().copied().zip(0..).collect();
    each_index(&mut condition, &mut |index| *index = new.get(index).copied().unwrap_or(*index));
    Rule {
        meta: rule.meta.clone(),
        logsource: rule.logsource.clone(),
        detections: named.iter().filter_map(|index| rule.detections.get(*index).cloned()).collect(),
        conditions: vec![(condition, place)],
        timeframe: rule.timeframe.clone(),
        span: rule.span,
        prepared: rule.prepared.clone(),
    }
}

/// Visits the numbers of the detections that a condition names.
fn each_index(condition: &mut Condition<'_>, visit: &mut impl FnMut(&mut usize)) {
    match condition {
        Condition::And(terms) | Condition::Or(terms) => terms.iter_mut().for_each(|term| each_index(term, visit)),
        Condition::Not(inner) => each_index(inner, visit),
        Condition::Detection { index, .. } => visit(index),
        Condition::Of { matched, .. } => matched.iter_mut().for_each(visit),
    }
}

/// The condition with detections numbered from 1 in order of appearance; `near` gets their indices.
fn positions(condition: &Condition<'_>, near: &mut Vec<usize>) -> MemberCondition {
    let one = |index: usize, near: &mut Vec<usize>| {
        let at = near.iter().position(|known| *known == index).unwrap_or_else(|| {
            near.push(index);
            near.len() - 1
        });
        MemberCondition::Member(at + 1)
    };
    match condition {
        Condition::And(terms) => MemberCondition::And(terms.iter().map(|term| positions(term, near)).collect()),
        Condition::Or(terms) => MemberCondition::Or(terms.iter().map(|term| positions(term, near)).collect()),
        Condition::Not(inner) => MemberCondition::Not(Box::new(positions(inner, near))),
        Condition::Detection { index, .. } => one(*index, near),
        Condition::Of { quantifier, matched, .. } => {
            let mut terms: Vec<MemberCondition> = matched.iter().map(|index| one(*index, near)).collect();
            match quantifier {
                _ if terms.len() == 1 => terms.swap_remove(0),
                Quantifier::Any => MemberCondition::Or(terms),
                Quantifier::All => MemberCondition::And(terms),
            }
        }
    }
}
