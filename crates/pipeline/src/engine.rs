//! Applying items to a rule.
//!
//! Invariant: items apply in order; an item whose conditions do not hold changes nothing. Whatever leaves a rule without
//! something that it asked is a diagnostic.

use std::borrow::Cow;

use sigcast_diagnostics::Code;
use sigcast_ir::{DetectionItem, Field, LogSource, Pattern, Rule, Test, Tree, Value, ValueLinking};

use crate::explain::{Event, Outcome as Effect};
use crate::item::{Change, FieldWork, Item, ItemWork, ValueWork, Work};
use crate::run::Run;
use crate::show;

/// Applies an item and those in it. Numbers are counted on as [`Item::each`] visits.
pub(crate) fn apply<'r>(item: &'r Item<'_>, rule: &mut Rule<'r>, run: &mut Run<'_>) {
    run.number += 1;
    let number = run.number - 1;
    let before = run.diagnostics.len();
    apply_open(item, number, rule, run);
    if run.gave_up.take() && run.diagnostics.len() == before {
        let place = rule.logsource.span.unwrap_or(rule.span);
        let message = "a regular expression of its conditions takes too many steps on this rule";
        let said = run.said(item, Code::PipelineFailure, place, message);
        run.diagnostics.push(said);
    }
}

fn apply_open<'r>(item: &'r Item<'_>, number: u32, rule: &mut Rule<'r>, run: &mut Run<'_>) {
    if !item.gates.takes_rule(rule, run) {
        run.record(item, number, None, Effect::Rule(false));
        // The numbers of what is nested in it go by.
        let mut inner = 0;
        item.each(&mut |_| inner += 1);
        run.number = number + inner;
        return;
    }
    run.applied.push(number);
    run.record(item, number, None, Effect::Rule(true));
    match &item.work {
        Work::Rule(work) => {
            let before = run.trace.is_some().then(|| (rule.detections.len(), rule.logsource.clone()));
            let applied = work.apply(rule, run, item.gates.is_of_logsource());
            if let Some((detections, logsource)) = before {
                run.added(item, number, rule, detections, &logsource);
            }
            if let Err(refusal) = applied {
                let place = rule.logsource.span.unwrap_or(rule.span);
                let said = run.said(item, refusal.code, place, &refusal.message);
                run.diagnostics.push(said);
            }
        }
        Work::Nest(items) => items.iter().for_each(|inner| apply(inner, rule, run)),
        Work::Items(work) => trees(rule, run, item, number, &mut |found, run| whole(work.as_ref(), item, found, run)),
        Work::Values(work) => trees(rule, run, item, number, &mut |found, run| values(work.as_ref(), item, found, run)),
        Work::Fields(work) => {
            trees(rule, run, item, number, &mut |found, run| fields(work.as_ref(), item, number, found, run));
            shown_fields(work.as_ref(), item, number, rule, run);
        }
    }
}

/// Puts what `work` makes of each detection item that the gates take in its place.
fn trees<'a>(
    rule: &mut Rule<'a>,
    run: &mut Run<'_>,
    item: &Item<'_>,
    number: u32,
    work: &mut dyn FnMut(&DetectionItem<'a>, &mut Run<'_>) -> Change<'a>,
) {
    for detection in &mut rule.detections {
        run.detection.clear();
        run.detection.push_str(&detection.name);
        if !tree(&mut detection.tree, run, item, number, work) {
            let message = format!("nothing is left of the detection `{}`", detection.name);
            let said = run.said(item, Code::NothingLeft, detection.span, &message);
            run.diagnostics.push(said);
        }
    }
}

/// Works on a tree in place; whether something is left of it.
fn tree<'a>(
    node: &mut Tree<'a>,
    run: &mut Run<'_>,
    item: &Item<'_>,
    number: u32,
    work: &mut dyn FnMut(&DetectionItem<'a>, &mut Run<'_>) -> Change<'a>,
) -> bool {
    match node {
        Tree::All(nodes) => {
            nodes.retain_mut(|node| tree(node, run, item, number, work));
            !nodes.is_empty()
        }
        // An alternative that is dropped is none any more; the others stay.
        Tree::Any(nodes) => {
            nodes.retain_mut(|node| tree(node, run, item, number, work));
            !nodes.is_empty()
        }
        Tree::Item(found) => {
            if !item.gates.takes_item(found, run) {
                run.record(item, number, Some(found), Effect::Passed);
                return true;
            }
            match work(found, run) {
                Change::Nothing => run.record(item, number, Some(found), Effect::Unchanged),
                Change::Dropped => {
                    run.record(item, number, Some(found), Effect::Dropped);
                    let message = format!("`{}` is dropped, so the query differs from the rule", show::item(found));
                    let said = run.said(item, Code::ItemDropped, found.span, &message);
                    run.diagnostics.push(said);
                    return false;
                }
                Change::To(mut changed) => {
                    mark(&mut changed, &found.applied, number);
                    if run.trace.is_some() {
                        let after = show::tree(&changed);
                        run.record(item, number, Some(found), Effect::Changed(after));
                    }
                    *node = changed;
                }
            }
            true
        }
    }
}

/// Notes that an item was applied to what stands for a detection item to which others were applied before.
fn mark(tree: &mut Tree<'_>, before: &[u32], number: u32) {
    match tree {
        Tree::All(nodes) | Tree::Any(nodes) => nodes.iter_mut().for_each(|node| mark(node, before, number)),
        Tree::Item(item) => {
            item.applied.clear();
            item.applied.extend_from_slice(before);
            item.applied.push(number);
        }
    }
}

fn whole<'a>(work: &'a dyn ItemWork, item: &Item<'_>, found: &DetectionItem<'a>, run: &mut Run<'_>) -> Change<'a> {
    work.apply(found, run).unwrap_or_else(|refusal| {
        let said = run.said(item, refusal.code, found.span, &refusal.message);
        run.diagnostics.push(said);
        Change::Nothing
    })
}

fn values<'a>(work: &'a dyn ValueWork, item: &Item<'_>, found: &DetectionItem<'a>, run: &mut Run<'_>) -> Change<'a> {
    let mut changed = false;
    let mut all = Vec::with_capacity(found.values.len());
    for value in &found.values {
        match one(work, found, &value.test, run) {
            Ok(None) => all.push(value.clone()),
            Ok(Some(test)) => {
                changed = true;
                match test {
                    // Values that are joined by `any` need no group of their own.
                    Test::OneOf(variants) if found.linking == ValueLinking::Any => {
                        all.extend(variants.into_iter().map(|test| Value { test, span: value.span }));
                    }
                    test => all.push(Value { test, span: value.span }),
                }
            }
            Err(refusal) => {
                let said = run.said(item, refusal.code, value.span, &refusal.message);
                run.diagnostics.push(said);
                all.push(value.clone());
            }
        }
    }
    if !changed {
        return Change::Nothing;
    }
    let texts: usize = all.iter().map(|value| size(&value.test)).sum();
    if all.len() > MAX_VALUES || texts > MAX_BYTES {
        let message = format!("its values become more than {MAX_VALUES}, or more than {} MiB", MAX_BYTES >> 20);
        let said = run.said(item, Code::PipelineFailure, found.span, &message);
        run.diagnostics.push(said);
        return Change::Nothing;
    }
    let list = found.list || all.len() > 1;
    Change::To(Tree::Item(DetectionItem { values: all, list, ..found.clone() }))
}

/// How many values of one detection item pipelines may make, and how many bytes they may have.
const MAX_VALUES: usize = 10_000;
const MAX_BYTES: usize = 4 << 20;

/// The bytes of the texts of a test.
fn size(test: &Test<'_>) -> usize {
    match test {
        Test::Text { pattern, .. } => pattern.texts().map(str::len).sum(),
        Test::OneOf(all) => all.iter().map(size).sum(),
        _ => 0,
    }
}

fn one<'a>(
    work: &'a dyn ValueWork,
    item: &DetectionItem<'a>,
    test: &Test<'a>,
    run: &Run<'_>,
) -> Result<Option<Test<'a>>, crate::run::Refusal> {
    let Test::OneOf(variants) = test else { return work.value(item, test, run) };
    let mut changed = false;
    let mut all = Vec::with_capacity(variants.len());
    for variant in variants {
        match one(work, item, variant, run)? {
            None => all.push(variant.clone()),
            Some(Test::OneOf(more)) => {
                changed = true;
                all.extend(more);
            }
            Some(test) => {
                changed = true;
                all.push(test);
            }
        }
    }
    Ok(changed.then_some(Test::OneOf(all)))
}

/// Renames the field of an item, and the fields that its values refer to.
fn fields<'a>(
    work: &'a dyn FieldWork,
    item: &Item<'_>,
    number: u32,
    found: &DetectionItem<'a>,
    run: &mut Run<'_>,
) -> Change<'a> {
    let mut renamed = found.clone();
    let mut changed = false;
    for value in &mut renamed.values {
        if let Test::SameAs { other, affix, case } = &value.test
            && item.gates.takes_field(other.as_str(), run)
            && let Some(names) = work.names(other.as_str())
        {
            changed = true;
            let same = |name: Cow<'a, str>| Test::SameAs { other: Field(name), affix: *affix, case: *case };
            let mut all: Vec<Test<'a>> = names.into_iter().map(same).collect();
            value.test = if all.len() == 1 { all.swap_remove(0) } else { Test::OneOf(all) };
        }
    }
    let names: Option<Vec<Cow<'a, str>>> = match &found.field {
        Some(field) => work.names(field.as_str()),
        None => work.keyword_fields().map(|all| all.iter().map(|name| Cow::Borrowed(name.as_str())).collect()),
    };
    let Some(names) = names else {
        return if changed { Change::To(Tree::Item(renamed)) } else { Change::Nothing };
    };
    run.items += names.len();
    if run.items > MAX_ITEMS {
        let message = format!("mappings to several fields make more than {MAX_ITEMS} detection items of the rule");
        let said = run.said(item, Code::PipelineFailure, found.span, &message);
        run.diagnostics.push(said);
        return Change::Nothing;
    }
    if found.field.is_none() {
        renamed.values.iter_mut().for_each(|value| anywhere(&mut value.test));
    }
    for name in &names {
        run.fields.entry(name.clone().into_owned()).or_default().push(number);
    }
    Change::To(in_fields(&renamed, &names))
}

/// How many detection items mappings may make of one rule.
const MAX_ITEMS: usize = 100_000;

/// A keyword is looked for anywhere in the event; in a field it stands anywhere in the field.
fn anywhere(test: &mut Test<'_>) {
    match test {
        Test::Text { pattern, .. } => *pattern = std::mem::take(pattern).open(true, true),
        Test::Number { value, .. } => {
            let pattern = Pattern::exact(value.text.clone().into_owned()).open(true, true);
            *test = Test::Text { pattern, case: sigcast_ir::Case::Insensitive };
        }
        Test::OneOf(variants) => variants.iter_mut().for_each(anywhere),
        _ => {}
    }
}

/// An item for each of the fields that may hold what its own field held: one is enough. That there is nothing in the
/// field, all of them have to say.
fn in_fields<'a>(item: &DetectionItem<'a>, names: &[Cow<'a, str>]) -> Tree<'a> {
    let with = |values: &[Value<'a>], name: &Cow<'a, str>| {
        let list = item.list && values.len() == item.values.len();
        DetectionItem {
            field: Some(Field(name.clone())),
            values: values.to_vec(),
            list,
            negated: false,
            ..item.clone()
        }
    };
    if let [name] = names {
        return Tree::Item(DetectionItem { negated: item.negated, ..with(&item.values, name) });
    }
    if item.linking == ValueLinking::All && item.values.len() > 1 {
        // Each value may stand in another of the fields.
        let each: Vec<Tree<'a>> = item
            .values
            .iter()
            .map(|value| in_fields(&DetectionItem { values: vec![value.clone()], list: false, ..item.clone() }, names))
            .collect();
        return if item.negated { Tree::Any(each) } else { Tree::All(each) };
    }
    let absence = |value: &&Value<'a>| matches!(value.test, Test::Null | Test::Exists(false));
    let (absent, present): (Vec<&Value<'a>>, Vec<&Value<'a>>) = item.values.iter().partition(absence);
    let absent: Vec<Value<'a>> = absent.into_iter().cloned().collect();
    let present: Vec<Value<'a>> = present.into_iter().cloned().collect();
    let each = |values: &[Value<'a>], negated: bool| -> Vec<Tree<'a>> {
        names.iter().map(|name| Tree::Item(DetectionItem { negated, ..with(values, name) })).collect()
    };
    // Of a negated item, each part is negated, and what joins them is turned.
    let any = |terms: Vec<Tree<'a>>| if item.negated { Tree::All(terms) } else { Tree::Any(terms) };
    let all = |terms: Vec<Tree<'a>>| if item.negated { Tree::Any(terms) } else { Tree::All(terms) };
    let negated = item.negated;
    match (absent.is_empty(), present.is_empty()) {
        (true, _) => any(each(&present, negated)),
        (false, true) => all(each(&absent, negated)),
        (false, false) => any(vec![any(each(&present, negated)), all(each(&absent, negated))]),
    }
}

/// Renames the fields that a rule shows, and those that a correlation takes of its events.
fn shown_fields<'a>(work: &'a dyn FieldWork, item: &Item<'_>, number: u32, rule: &mut Rule<'a>, run: &mut Run<'_>) {
    rename_all(work, item, number, &mut rule.meta.fields, run);
    for fields in &mut rule.prepared.named {
        rename_all(work, item, number, fields, run);
    }
}

fn rename_all<'a>(
    work: &'a dyn FieldWork,
    item: &Item<'_>,
    number: u32,
    fields: &mut Vec<Field<'a>>,
    run: &mut Run<'_>,
) {
    let mut all = Vec::with_capacity(fields.len());
    for field in std::mem::take(fields) {
        let names = if item.gates.takes_field(field.as_str(), run) { work.names(field.as_str()) } else { None };
        match names {
            Some(names) => {
                for name in names {
                    run.fields.entry(name.clone().into_owned()).or_default().push(number);
                    all.push(Field(name));
                }
            }
            None => all.push(field),
        }
    }
    *fields = all;
}

impl Run<'_> {
    /// Notes what an item added to a rule or changed of its log source, if that is asked for.
    fn added(&mut self, item: &Item<'_>, number: u32, rule: &Rule<'_>, before: usize, logsource: &LogSource<'_>) {
        let Some(trace) = &mut self.trace else { return };
        let mut event = |detection: &str, before: String, after: String| {
            trace.push(Event {
                pipeline: self.pipeline.to_owned(),
                number,
                item: item.title(),
                kind: item.kind,
                detection: Some(detection.to_owned()),
                before: Some(before),
                effect: Effect::Changed(after),
            });
        };
        for added in rule.detections.iter().skip(before) {
            event(&added.name, "nothing".to_owned(), show::tree(&added.tree));
        }
        if rule.logsource != *logsource {
            event("logsource", show::logsource(logsource), show::logsource(&rule.logsource));
        }
    }

    /// Notes what an item did, if that is asked for.
    fn record(&mut self, item: &Item<'_>, number: u32, found: Option<&DetectionItem<'_>>, effect: Effect) {
        let Some(trace) = &mut self.trace else { return };
        trace.push(Event {
            pipeline: self.pipeline.to_owned(),
            number,
            item: item.title(),
            kind: item.kind,
            detection: found.map(|_| self.detection.clone()),
            before: found.map(show::item),
            effect,
        });
    }
}
