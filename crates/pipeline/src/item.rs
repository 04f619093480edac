//! One item of a pipeline: when it applies, and what it does.
//!
//! Invariant: an item is compiled once; applying it reads no file and compiles no expression.

use std::borrow::Cow;
use std::fmt::Debug;

use sigcast_ir::{DetectionItem, Rule, Test, Tree};

use crate::conditions::{FIELD, Gates, ITEM, RULE};
use crate::read::{Faults, Located, fault, unknown};
use crate::run::{Refusal, Run};
use crate::transformations::{self, Resources};

/// An item.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    /// Its `id`, by which conditions name it.
    pub(crate) id: Option<String>,
    /// Its `type`.
    pub(crate) kind: &'static str,
    /// Its number in the pipeline, from 1; those of a `nest` count in it.
    pub(crate) position: usize,
    /// When it applies.
    pub(crate) gates: Gates<'a>,
    /// What it does.
    pub(crate) work: Work<'a>,
}

/// What an item does.
#[derive(Debug)]
pub(crate) enum Work<'a> {
    /// Something to the rule as a whole.
    Rule(Box<dyn RuleWork + 'a>),
    /// Something to detection items.
    Items(Box<dyn ItemWork + 'a>),
    /// Something to field names, wherever they stand.
    Fields(Box<dyn FieldWork + 'a>),
    /// Something to values of detection items.
    Values(Box<dyn ValueWork + 'a>),
    /// Everything that other items do, in order.
    Nest(Vec<Item<'a>>),
}

/// Work on a rule.
pub(crate) trait RuleWork: Debug + Send + Sync {
    /// Does it. What the rule's log source is restricted by, `of_logsource` says whether it was asked for.
    fn apply<'r>(&'r self, rule: &mut Rule<'r>, run: &mut Run<'_>, of_logsource: bool) -> Result<(), Refusal>;
}

/// Work on detection items.
pub(crate) trait ItemWork: Debug + Send + Sync {
    /// Does it.
    fn apply<'r>(&'r self, item: &DetectionItem<'r>, run: &mut Run<'_>) -> Result<Change<'r>, Refusal>;
}

/// What becomes of a detection item.
#[derive(Debug)]
pub(crate) enum Change<'a> {
    /// It stays as it is.
    Nothing,
    /// This stands for it.
    To(Tree<'a>),
    /// Nothing stands for it.
    Dropped,
}

/// Work on field names.
pub(crate) trait FieldWork: Debug + Send + Sync {
    /// What stands for a name, one or several; none if it stays.
    fn names(&self, field: &str) -> Option<Vec<Cow<'_, str>>>;

    /// The fields in which keywords are looked for in place of the whole event; none if they stay.
    fn keyword_fields(&self) -> Option<&[String]> {
        None
    }

    /// Whether it is a mapping, of which `strict_field_mapping_failure` asks.
    fn is_mapping(&self) -> bool {
        false
    }
}

/// Work on values.
pub(crate) trait ValueWork: Debug + Send + Sync {
    /// What stands for a value; none if it stays. Of [`Test::OneOf`] it is asked for each variant.
    fn value<'r>(
        &'r self,
        item: &DetectionItem<'r>,
        test: &Test<'r>,
        run: &Run<'_>,
    ) -> Result<Option<Test<'r>>, Refusal>;
}

impl<'a> Item<'a> {
    /// Reads an item.
    pub(crate) fn read(
        found: &Located<'_, 'a>,
        position: usize,
        resources: &mut Resources<'_>,
    ) -> Result<Self, Faults> {
        let Some(word) = found.get("type") else {
            return Err(vec![fault(found.part.head(), "the item has no `type`")]);
        };
        let name = word.word("`type`")?;
        let Some(entry) = transformations::TABLE.iter().find(|entry| entry.name == name) else {
            let known = transformations::TABLE.iter().map(|entry| entry.name);
            return Err(vec![unknown(word.part.span(), "transformation", name, known)]);
        };
        let mut faults = Vec::new();
        let id = match found.get("id").map(|id| id.word("`id`").map(str::to_owned)) {
            Some(Err(mut wrong)) => {
                faults.append(&mut wrong);
                None
            }
            Some(Ok(id)) => Some(id),
            None => None,
        };
        let gates = Gates::read(found).map_err(|mut wrong| faults.append(&mut wrong));
        let work = (entry.read)(found.without(&common()), resources).map_err(|mut wrong| faults.append(&mut wrong));
        match (gates, work) {
            (Ok(gates), Ok(work)) if faults.is_empty() => Ok(Self { id, kind: entry.name, position, gates, work }),
            _ => Err(faults),
        }
    }

    /// What it is called in messages: by its id, or by its number and type.
    pub(crate) fn title(&self) -> String {
        match &self.id {
            Some(id) => format!("item `{id}`"),
            None => format!("item {} `{}`", self.position, self.kind),
        }
    }

    /// This item and those nested in it, in the order in which they are numbered.
    pub(crate) fn each<'i>(&'i self, visit: &mut dyn FnMut(&'i Self)) {
        visit(self);
        if let Work::Nest(items) = &self.work {
            items.iter().for_each(|item| item.each(visit));
        }
    }
}

/// The keys that every item may have.
pub(crate) fn common() -> Vec<&'static str> {
    let gates =
        [RULE, ITEM, FIELD].into_iter().flat_map(|keys| [keys.conditions, keys.link, keys.negated, keys.expression]);
    ["id", "type"].into_iter().chain(gates).collect()
}
