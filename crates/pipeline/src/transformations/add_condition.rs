//! `add_condition`: what every condition of the rule asks besides.
//!
//! The conditions are read as a detection: keys may have modifiers, lists mean any of their values. With `template`,
//! `$category`, `$product` and `$service` in texts stand for the rule's log source.

use sigcast_diagnostics::{Code, Diagnostic};
use sigcast_ir::{Condition, Detection, Field, LogSource, Part, Pattern, Rule, Test, Tree};

use super::{Entry, parameters};
use crate::item::{RuleWork, Work};
use crate::read::{Faults, Located, fault};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "add_condition",
    summary: "every condition of the rule asks for this besides",
    read: |found, _| read(&found),
};

#[derive(Debug, serde::Deserialize)]
struct Parameters {
    name: Option<String>,
    #[serde(default)]
    template: bool,
    #[serde(default)]
    negated: bool,
}

fn read<'a>(found: &Located<'_, 'a>) -> Result<Work<'a>, Faults> {
    let Some(conditions) = found.part.get("conditions") else {
        return Err(vec![fault(found.part.head(), "`add_condition` has no `conditions`")]);
    };
    let tree = conditions.detection().map_err(|faults| -> Faults {
        faults.into_iter().map(|found| Diagnostic { code: Code::BadPipeline, ..found }).collect()
    });
    let rest: Result<Parameters, Faults> = parameters(found.without(&["conditions"]), "add_condition");
    match (tree, rest) {
        (Ok(tree), Ok(Parameters { name, template, negated })) => {
            let span = conditions.key_span();
            Ok(Work::Rule(Box::new(AddCondition {
                detection: Detection { name: name.unwrap_or_default().into(), span, tree },
                template,
                negated,
            })))
        }
        (tree, rest) => Err(tree.err().into_iter().chain(rest.err()).flatten().collect()),
    }
}

#[derive(Debug)]
struct AddCondition<'a> {
    detection: Detection<'a>,
    template: bool,
    negated: bool,
}

impl RuleWork for AddCondition<'_> {
    fn apply<'r>(&'r self, rule: &mut Rule<'r>, run: &mut Run<'_>, of_logsource: bool) -> Result<(), Refusal> {
        let mut detection = self.detection.clone();
        if self.template {
            fill(&mut detection.tree, &rule.logsource)?;
        }
        mark(&mut detection.tree, run.number.saturating_sub(1));
        if detection.name.is_empty() {
            // No rule names its detections so, and a pattern of a condition passes over such a name.
            detection.name = format!("_pipeline_{}", run.number).into();
        }
        let (index, span) = (rule.detections.len(), detection.span);
        rule.detections.push(detection);
        for (condition, _) in &mut rule.conditions {
            let mut added = Condition::Detection { index, span };
            if self.negated {
                added = Condition::Not(Box::new(added));
            }
            let own = std::mem::replace(condition, Condition::And(Vec::new()));
            *condition = Condition::And(vec![added, own]);
        }
        rule.prepared.scoped |= of_logsource && !self.negated;
        Ok(())
    }
}

/// What an item adds it was applied to.
fn mark(tree: &mut Tree<'_>, number: u32) {
    match tree {
        Tree::All(nodes) | Tree::Any(nodes) => nodes.iter_mut().for_each(|node| mark(node, number)),
        Tree::Item(item) => item.applied.push(number),
    }
}

/// Puts the parts of the log source in the place of their names.
fn fill(tree: &mut Tree<'_>, source: &LogSource<'_>) -> Result<(), Refusal> {
    match tree {
        Tree::All(nodes) | Tree::Any(nodes) => nodes.iter_mut().try_for_each(|node| fill(node, source)),
        Tree::Item(item) => {
            if let Some(field) = &mut item.field {
                *field = Field::new(filled(field.as_str(), source)?);
            }
            item.values.iter_mut().try_for_each(|value| fill_test(&mut value.test, source))
        }
    }
}

fn fill_test(test: &mut Test<'_>, source: &LogSource<'_>) -> Result<(), Refusal> {
    match test {
        Test::Text { pattern, .. } => {
            let parts = std::mem::take(pattern).into_parts().into_iter().map(|part| match part {
                Part::Text(text) => filled(&text, source).map(|text| Part::Text(text.into())),
                other => Ok(other),
            });
            *pattern = Pattern::from_parts(parts.collect::<Result<Vec<_>, _>>()?);
            Ok(())
        }
        Test::OneOf(all) => all.iter_mut().try_for_each(|test| fill_test(test, source)),
        _ => Ok(()),
    }
}

/// `$category` or `${category}`, and `$$` for a dollar sign.
fn filled(text: &str, source: &LogSource<'_>) -> Result<String, Refusal> {
    let known = [("category", &source.category), ("product", &source.product), ("service", &source.service)];
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            done.push('$');
            rest = after;
            continue;
        }
        let named = known.iter().find_map(|(name, value)| {
            let braced = after
                .strip_prefix('{')
                .and_then(|after| after.strip_prefix(name))
                .and_then(|after| after.strip_prefix('}'));
            let bare =
                after.strip_prefix(name).filter(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
            Some((*name, value, braced.or(bare)?))
        });
        let Some((name, value, after)) = named else {
            done.push('$');
            rest = after;
            continue;
        };
        let Some(value) = value else {
            let message = format!("the log source of the rule has no {name}, which a template asks for");
            return Err(Refusal::new(Code::PipelineFailure, message));
        };
        done.push_str(value);
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_log_source_are_filled_in() {
        let source = LogSource { category: Some("dns".into()), ..LogSource::default() };
        let check = |text: &str, expected: &str| {
            assert_eq!(filled(text, &source).ok().as_deref(), Some(expected), "{text}");
        };
        check("x-$category-y", "x-dns-y");
        check("${category}y", "dnsy");
        check("$$category", "$category");
        check("$other $categories", "$other $categories");
        assert!(filled("$product", &source).is_err());
    }
}
