//! Conditions on rules.

use serde::Deserialize;
use serde_yaml::Value;
use sigcast_ir::{LogSource, Rule};

use super::attribute::{Comparison, of_rule};
use super::state::{Applied, State};
use super::{Kind, by_type, parameters};
use crate::read::{Faults, Located, fault};
use crate::run::{Run, items};
use crate::text;

/// A condition on a rule.
#[derive(Debug)]
pub(crate) enum RuleCondition {
    /// `logsource`: what it names is what the rule has.
    LogSource(Source),
    /// `contains_detection_item`
    HasItem(Holds),
    /// `contains_field`
    HasField(HasField),
    /// `processing_item_applied`
    Applied(Applied),
    /// `processing_state`
    State(State),
    /// `is_sigma_rule`
    IsRule,
    /// `is_sigma_correlation_rule`
    IsCorrelation,
    /// `rule_attribute`
    Attribute(Compares),
    /// `tag`
    Tag(Tagged),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Source {
    category: Option<String>,
    product: Option<String>,
    service: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Holds {
    field: Option<String>,
    value: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct HasField {
    field: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Compares {
    attribute: String,
    value: Value,
    #[serde(default)]
    op: Comparison,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tagged {
    tag: String,
}

#[derive(Debug, Deserialize)]
struct Nothing {}

/// The table.
pub(super) const TABLE: &[Kind<RuleCondition>] = &[
    Kind { name: "logsource", read: logsource },
    Kind {
        name: "contains_detection_item",
        read: |found| parameters(found, "contains_detection_item").map(RuleCondition::HasItem),
    },
    Kind { name: "contains_field", read: |found| parameters(found, "contains_field").map(RuleCondition::HasField) },
    Kind {
        name: "processing_item_applied",
        read: |found| parameters(found, "processing_item_applied").map(RuleCondition::Applied),
    },
    Kind { name: "processing_state", read: |found| parameters(found, "processing_state").map(RuleCondition::State) },
    Kind {
        name: "is_sigma_rule",
        read: |found| parameters(found, "is_sigma_rule").map(|Nothing {}| RuleCondition::IsRule),
    },
    Kind {
        name: "is_sigma_correlation_rule",
        read: |found| parameters(found, "is_sigma_correlation_rule").map(|Nothing {}| RuleCondition::IsCorrelation),
    },
    Kind { name: "rule_attribute", read: |found| parameters(found, "rule_attribute").map(RuleCondition::Attribute) },
    Kind { name: "tag", read: |found| parameters(found, "tag").map(RuleCondition::Tag) },
];

/// Reads a condition.
pub(crate) fn read(found: &Located<'_, '_>) -> Result<RuleCondition, Faults> {
    by_type(found, "condition on rules", TABLE)
}

fn logsource(found: Located<'_, '_>) -> Result<RuleCondition, Faults> {
    let place = found.part.head();
    let source: Source = parameters(found, "logsource")?;
    if source.category.is_none() && source.product.is_none() && source.service.is_none() {
        let message = "the condition `logsource` names nothing: `category`, `product` or `service` is expected";
        return Err(vec![fault(place, message)]);
    }
    Ok(RuleCondition::LogSource(source))
}

impl Source {
    fn is_of(&self, logsource: &LogSource<'_>) -> bool {
        let same = |asked: &Option<String>, has: Option<&str>| asked.is_none() || asked.as_deref() == has;
        same(&self.category, logsource.category.as_deref())
            && same(&self.product, logsource.product.as_deref())
            && same(&self.service, logsource.service.as_deref())
    }
}

impl RuleCondition {
    /// Whether it is of the log source.
    pub(crate) fn is_logsource(&self) -> bool {
        matches!(self, Self::LogSource(_))
    }

    /// Whether it holds.
    pub(crate) fn holds(&self, rule: &Rule<'_>, run: &Run<'_>) -> bool {
        match self {
            Self::LogSource(source) => source.is_of(&rule.logsource),
            Self::HasItem(holds) => items(rule).iter().any(|item| {
                let field = item.field.as_ref().map(|field| field.as_str());
                field == holds.field.as_deref()
                    && item.values.iter().any(|value| text::equals(&value.test, &holds.value))
            }),
            Self::HasField(has) => {
                items(rule).iter().any(|item| item.field.as_ref().map(|field| field.as_str()) == has.field.as_deref())
            }
            Self::Applied(found) => found.holds(&run.applied, run),
            Self::State(state) => state.holds(run),
            Self::IsRule => true,
            Self::IsCorrelation => false,
            // Of what the rule does not have nothing holds, as in pySigma.
            Self::Attribute(compares) => {
                of_rule(rule, &compares.attribute).is_some_and(|value| compares.op.holds(&value, &compares.value))
            }
            Self::Tag(tagged) => rule.meta.tags.iter().any(|tag| *tag == tagged.tag),
        }
    }
}
