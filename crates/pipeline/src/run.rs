//! The state of one rule on its way through the pipelines.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use fancy_regex::Regex;
use serde_yaml::Value;
use sigcast_diagnostics::{Code, Diagnostic};
use sigcast_ir::{DetectionItem, Rule, Tree};

use crate::item::Item;
use crate::text::{self, GaveUp};

/// Why an item refuses a rule.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The code, of class `Refusal`.
    pub(crate) code: Code,
    /// The reason.
    pub(crate) message: String,
}

impl Refusal {
    /// A refusal.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The state of one rule.
#[derive(Debug)]
pub(crate) struct Run<'r> {
    /// What `set_state` keeps, by key.
    pub(crate) state: BTreeMap<String, Value>,
    /// The `vars` of the pipelines.
    pub(crate) vars: &'r BTreeMap<String, Value>,
    /// The items of the run by number: what `processing_item_applied` asks for by id.
    pub(crate) ids: &'r [Option<String>],
    /// Whether an expression of a condition gave up, so that it is not known whether the condition holds.
    pub(crate) gave_up: Cell<bool>,
    /// The numbers of the items that map field names.
    pub(crate) mappings: &'r BTreeSet<u32>,
    /// The numbers of the items applied to the rule.
    pub(crate) applied: Vec<u32>,
    /// The numbers of the items that made a field name.
    pub(crate) fields: HashMap<String, Vec<u32>>,
    /// What there is to say so far.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What each item did, if that is asked for.
    pub(crate) trace: Option<Vec<crate::explain::Event>>,
    /// How many detection items mappings have made.
    pub(crate) items: usize,
    /// The number of the item under way.
    pub(crate) number: u32,
    /// The name of the pipeline under way.
    pub(crate) pipeline: &'r str,
    /// The detection under way.
    pub(crate) detection: String,
}

impl Run<'_> {
    /// Whether an expression is found in a text. One that gives up is noted: the rule is refused then.
    pub(crate) fn found(&self, pattern: &Regex, text: &str) -> bool {
        text::found(pattern, text).unwrap_or_else(|GaveUp| {
            self.gave_up.set(true);
            false
        })
    }

    /// Whether one of these numbers is an item with this id.
    pub(crate) fn has_id(&self, applied: &[u32], id: &str) -> bool {
        applied.iter().any(|number| self.ids.get(*number as usize).is_some_and(|known| known.as_deref() == Some(id)))
    }

    /// The diagnostic of a refusal or warning by the item under way.
    pub(crate) fn said(
        &self,
        item: &Item<'_>,
        code: Code,
        place: sigcast_diagnostics::Span,
        message: &str,
    ) -> Diagnostic {
        Diagnostic::at(code, place, format!("{message} ({} of the pipeline `{}`)", item.title(), self.pipeline))
    }
}

/// Every detection item of a tree, in order.
pub(crate) fn each_item<'t, 'a>(tree: &'t Tree<'a>, visit: &mut dyn FnMut(&'t DetectionItem<'a>)) {
    match tree {
        Tree::All(nodes) | Tree::Any(nodes) => nodes.iter().for_each(|node| each_item(node, visit)),
        Tree::Item(item) => visit(item),
    }
}

/// Every detection item of a rule, in order.
pub(crate) fn items<'r, 'a>(rule: &'r Rule<'a>) -> Vec<&'r DetectionItem<'a>> {
    let mut found = Vec::new();
    rule.detections.iter().for_each(|detection| each_item(&detection.tree, &mut |item| found.push(item)));
    found
}
