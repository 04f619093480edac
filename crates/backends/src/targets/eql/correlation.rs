//! Correlations in EQL: sequences.
//!
//! Source: Elasticsearch reference, "EQL syntax reference" (Sequences, `with maxspan`, `with runs`, "How sequence queries
//! handle matches"); where it is silent, the sources of the module `eql` (`SequenceMatcher`, `OrdinalGroup`):
//! - `maxspan` is the time from the first event of a sequence to its last one, both included: the window of a
//!   correlation. Join keys are not null, and are compared as they are;
//! - each item takes the latest unfinished sequence before its event, and it and all before it are used up. So of two
//!   sequences that end in the same item, the later one has started later, and none that would lie within `maxspan` is
//!   lost without another being found in its time: wherever a correlation of ordered rules fires, the window holds a
//!   sequence that is found. Further events that would fire on the same ones are not reported: `reported-once`;
//! - `with runs=n` is n items of one condition, for which each event starts a sequence and moves on all others: it is found
//!   at each event that has n - 1 before it in the window, as the correlation counts. `runs` is 100 at most;
//! - an item takes a later event than the one before it, by time, then by the tiebreaker of the request, then by the place
//!   in the index. One event is one item: `assume-distinct-times`, of counts too, as not all events of one time that are
//!   in each other's windows end a sequence.
//!
//! How many sequences are found is the `size` of the request (10 by default), and no part of the query.

use sigcast_diagnostics::Code;
use sigcast_ir::{Bound, Correlation, Criterion, Field, Measure, Member, MemberCondition, Order, Rule, Wanted};

use super::EQL;
use crate::correlate::Composer;
use crate::targets::groups;
use crate::write::Writer;

/// How many runs an item may have.
const MOST_RUNS: u64 = 100;

/// Writes the query of a correlation.
pub(super) fn compose(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    let members = groups::members(composer, correlation)?;
    let place = correlation.kind_span;
    match &correlation.criterion {
        Criterion::Measure { measure: Measure::Events, bounds } => count(composer, correlation, &members, bounds),
        Criterion::Measure { .. } => {
            composer.refuse(place, "a sequence counts events, and makes no number of their values");
            None
        }
        Criterion::Temporal { ordered, wanted } => {
            let Some(chain) = chain(wanted, members.len()) else {
                composer.refuse(
                    place,
                    "a sequence has all of its items: alternatives, absences and numbers of rules \
                                        cannot be asked for",
                );
                return None;
            };
            if chain.len() > 1 && !ordered {
                composer.refuse(place, "a sequence has one order, and a sample, which has none, has no span of time");
                return None;
            }
            let chained: Vec<_> = chain.iter().filter_map(|at| members.get(*at).copied()).collect();
            ordered_rules(composer, correlation, &chained)
        }
    }
}

/// The members that must have events, in order; none if other things are asked too.
fn chain(wanted: &Wanted<'_>, members: usize) -> Option<Vec<usize>> {
    fn gather(condition: &MemberCondition, all: &mut Vec<usize>) -> bool {
        match condition {
            MemberCondition::Member(member) => {
                all.push(*member);
                true
            }
            MemberCondition::And(terms) => terms.iter().all(|term| gather(term, all)),
            MemberCondition::Or(_) | MemberCondition::Not(_) => false,
        }
    }
    match wanted {
        Wanted::Rules(condition) => {
            let mut all = Vec::new();
            gather(condition, &mut all).then_some(())?;
            all.sort_unstable();
            all.dedup();
            Some(all)
        }
        Wanted::Count(bounds) => {
            let all = u64::try_from(members).ok()?;
            let exact = |bound: &Bound<'_>| {
                bound.order == Order::Equal && !bound.negated && groups::number(bound) == all.to_string()
            };
            let wants_all = bounds.iter().all(exact) || groups::least_count(bounds) == Some(all);
            wants_all.then(|| (0..members).collect())
        }
    }
}

/// So many events of the rules.
fn count(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    members: &[(&Member<'_>, &Rule<'_>)],
    bounds: &[Bound<'_>],
) -> Option<String> {
    let place = correlation.kind_span;
    let Some(least) = groups::least_count(bounds) else {
        composer.refuse(place, "a sequence has so many events or more: no upper bound can be asked for");
        return None;
    };
    if least > MOST_RUNS {
        composer.refuse(place, "an item of a sequence has at most 100 runs");
        return None;
    }
    let Some(keys) = groups::common_keys(correlation) else {
        composer.refuse(place, "the key of its groups is another field for each rule, and they are counted together");
        return None;
    };
    let keys = names(composer, correlation, &keys)?;
    let rules: Vec<&Rule<'_>> = members.iter().map(|(_, rule)| *rule).collect();
    if least < 2 {
        return single(composer, correlation, &rules, &keys);
    }
    // Of events of one time, the last one alone ends a sequence.
    composer.assume(Code::AssumeDistinctTimes);
    let item = item(composer, correlation, &rules, &[])?;
    Some(format!("{}\n  [{item}] with runs={least}", head(correlation, &keys)))
}

/// Events of the rules in order.
fn ordered_rules(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    members: &[(&Member<'_>, &Rule<'_>)],
) -> Option<String> {
    let mut keys = Vec::with_capacity(members.len());
    for (member, _) in members {
        keys.push(names(composer, correlation, &groups::keys(member)?)?);
    }
    let first = keys.first().cloned().unwrap_or_default();
    if let [(_, rule)] = members {
        return single(composer, correlation, &[rule], &first);
    }
    composer.assume(Code::AssumeDistinctTimes);
    composer.approximate(
        Code::ReportedOnce,
        correlation.kind_span,
        "an event is in one sequence at most: where the correlation fires again on the same events, it is not reported again",
    );
    let common = keys.iter().all(|other| *other == first);
    let mut out = head(correlation, if common { &first } else { &[] });
    for ((_, rule), keys) in members.iter().zip(&keys) {
        let item = item(composer, correlation, &[rule], &[])?;
        out.push_str(&format!("\n  [{item}]"));
        if !common {
            out.push_str(&format!(" by {}", keys.join(", ")));
        }
    }
    Some(out)
}

/// Every event of the rules that has the keys: no sequence has a single item.
fn single(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    rules: &[&Rule<'_>],
    keys: &[String],
) -> Option<String> {
    item(composer, correlation, rules, keys)
}

/// `any where …`: an event of one of the rules, and these fields are there.
fn item(
    composer: &mut Composer<'_>,
    correlation: &Correlation<'_>,
    rules: &[&Rule<'_>],
    present: &[String],
) -> Option<String> {
    let mut category: Option<Option<String>> = None;
    let mut conditions = Vec::with_capacity(rules.len());
    for rule in rules {
        let own = composer.settings_for(rule)?.event_category.clone();
        if category.as_ref().is_some_and(|category| *category != own) {
            let reason = "its rules are about different categories of events, and an item of a sequence has one";
            composer.refuse(correlation.kind_span, reason);
            return None;
        }
        category = Some(own);
        conditions.push(composer.expression(rule, &EQL)?);
    }
    let open = composer.target().open;
    let settings = composer.settings_for(rules.first()?)?;
    let mut writer = Writer::new(&EQL, &settings);
    open(&mut writer);
    let several = conditions.len() > 1;
    let any = if several { format!("({})", conditions.join(") or (")) } else { conditions.concat() };
    if present.is_empty() {
        writer.put(&any);
    } else {
        writer.put(&format!("({any})"));
        present.iter().for_each(|name| writer.put(&format!(" and {name} != null")));
    }
    Some(writer.out)
}

/// `sequence by … with maxspan=…`
fn head(correlation: &Correlation<'_>, keys: &[String]) -> String {
    let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
    format!("sequence{by} with maxspan={}", groups::span(correlation.timespan.seconds))
}

/// The names of keys, and what is assumed of the fields.
fn names(composer: &mut Composer<'_>, correlation: &Correlation<'_>, keys: &[&Field<'_>]) -> Option<Vec<String>> {
    if !keys.is_empty() {
        // The values of a key are compared whole, each event having one.
        let assumed = [Code::AssumeMappedFields, Code::AssumeKeywordFields, Code::AssumeSingleValues];
        assumed.into_iter().for_each(|code| composer.assume(code));
    }
    let place = |at: usize| correlation.keys.get(at).map_or(correlation.kind_span, |key| key.span);
    keys.iter().enumerate().map(|(at, field)| composer.field(field, place(at), &EQL)).collect()
}
