//! Conditions of items: on the rule, on a detection item, on a field name. Each kind has a table; a condition is an entry.

pub(crate) mod attribute;
mod field;
mod item;
mod rule;
mod state;

use serde::de::DeserializeOwned;
use sigcast_ir::{DetectionItem, Rule};

pub(crate) use field::FieldCondition;
pub(crate) use item::ItemCondition;
pub(crate) use rule::{RuleCondition, read as read_rule};

use crate::gate::{Gate, Keys};
use crate::read::{Faults, Located, fault, unknown};
use crate::run::Run;

/// The keys of conditions on the rule.
pub(crate) const RULE: Keys = Keys {
    conditions: "rule_conditions",
    link: "rule_cond_op",
    negated: "rule_cond_not",
    expression: "rule_cond_expr",
};

/// The keys of conditions on detection items.
pub(crate) const ITEM: Keys = Keys {
    conditions: "detection_item_conditions",
    link: "detection_item_cond_op",
    negated: "detection_item_cond_not",
    expression: "detection_item_cond_expr",
};

/// The keys of conditions on field names.
pub(crate) const FIELD: Keys = Keys {
    conditions: "field_name_conditions",
    link: "field_name_cond_op",
    negated: "field_name_cond_not",
    expression: "field_name_cond_expr",
};

/// Everything that an item asks before it applies.
#[derive(Debug, Default)]
pub(crate) struct Gates<'a> {
    /// Of the rule.
    pub(crate) rule: Gate<'a, RuleCondition>,
    /// Of a detection item.
    pub(crate) item: Gate<'a, ItemCondition>,
    /// Of a field name.
    pub(crate) field: Gate<'a, FieldCondition>,
}

impl<'a> Gates<'a> {
    /// Reads the conditions of an item.
    pub(crate) fn read(item: &Located<'_, 'a>) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let gates = Self {
            rule: keep(Gate::read(item, &RULE, rule::read), &mut faults),
            item: keep(Gate::read(item, &ITEM, item::read), &mut faults),
            field: keep(Gate::read(item, &FIELD, field::read), &mut faults),
        };
        if faults.is_empty() { Ok(gates) } else { Err(faults) }
    }

    /// Whether the conditions on the rule hold.
    pub(crate) fn takes_rule(&self, rule: &Rule<'_>, run: &Run<'_>) -> bool {
        self.rule.is_open(|condition| condition.holds(rule, run))
    }

    /// Whether the conditions on the item hold, and those on its field name.
    pub(crate) fn takes_item(&self, item: &DetectionItem<'_>, run: &Run<'_>) -> bool {
        let field = item.field.as_ref().map(|field| field.as_str());
        self.item.is_open(|condition| condition.holds(item, run))
            && self.field.is_open(|condition| condition.holds(field, &item.applied, run))
    }

    /// Whether the conditions on a field name hold, where the name stands in no detection item.
    pub(crate) fn takes_field(&self, name: &str, run: &Run<'_>) -> bool {
        let applied = run.fields.get(name).map_or(&[][..], Vec::as_slice);
        self.field.is_open(|condition| condition.holds(Some(name), applied, run))
    }

    /// Whether a rule passes only because of its log source.
    pub(crate) fn is_of_logsource(&self) -> bool {
        self.rule.implies(RuleCondition::is_logsource)
    }
}

fn keep<T: Default>(result: Result<T, Faults>, faults: &mut Faults) -> T {
    result.unwrap_or_else(|mut found| {
        faults.append(&mut found);
        T::default()
    })
}

/// An entry of a table of conditions.
pub(crate) struct Kind<C> {
    /// Its `type`.
    pub(crate) name: &'static str,
    /// Makes the condition of its parameters.
    pub(crate) read: fn(Located<'_, '_>) -> Result<C, Faults>,
}

/// Reads a condition by a table.
fn by_type<C: 'static>(found: &Located<'_, '_>, what: &str, table: &[Kind<C>]) -> Result<C, Faults> {
    let Some(word) = found.get("type") else {
        return Err(vec![fault(found.part.head(), format!("the {what} has no `type`"))]);
    };
    let name = word.word("`type`")?;
    match table.iter().find(|kind| kind.name == name) {
        Some(kind) => (kind.read)(found.without(&["type"])),
        None => Err(vec![unknown(word.part.span(), what, name, table.iter().map(|kind| kind.name))]),
    }
}

/// The parameters of a condition.
fn parameters<T: DeserializeOwned>(found: Located<'_, '_>, name: &str) -> Result<T, Faults> {
    found.typed(&format!("the condition `{name}`"))
}

/// Names of all conditions on rules, detection items and field names.
pub(crate) fn names() -> [(&'static str, Vec<&'static str>); 3] {
    [
        ("rule condition", rule::TABLE.iter().map(|kind| kind.name).collect()),
        ("detection item condition", item::TABLE.iter().map(|kind| kind.name).collect()),
        ("field name condition", field::TABLE.iter().map(|kind| kind.name).collect()),
    ]
}
