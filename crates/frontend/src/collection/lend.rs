//! What becomes of a detection that is both lent by `action: global` and in the document itself.
//!
//! - Maps are merged, and values that are equal are one value.
//! - A lent list stands, and a map by its name is dropped with a warning. Source: the pages of the Atomic Threat
//!   Coverage library of 2020, where the converter of that time kept the list.
//! - Anything else is an error: no reader of such files says which of the two values is meant.
//!
//! Other attributes are none of this module's concern: there the document's own value stands.
//!
//! Invariant: no part of a detection is lost without a diagnostic.

use sigcast_diagnostics::{Code, Diagnostic};

use super::places;
use crate::yaml::{Data, Entry, Node};

/// How deep a key stands in its document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// An attribute of the rule.
    Attribute,
    /// The name of a detection, `condition` or `timeframe`.
    Name,
    /// Inside a detection.
    Inside,
}

/// The entries of a document but for detections that give way to lent ones. Reports those, and what cannot be merged.
pub(super) fn without_clashes<'a>(
    lent: &[Entry<'a>],
    mut own: Vec<Entry<'a>>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Entry<'a>> {
    judge(lent, &mut own, Level::Attribute, diagnostics);
    own
}

fn judge<'a>(lent: &[Entry<'a>], own: &mut Vec<Entry<'a>>, level: Level, diagnostics: &mut Vec<Diagnostic>) {
    let index = places(lent);
    own.retain_mut(|own| {
        let name = own.key.text.as_ref();
        if level == Level::Attribute && name != "detection" {
            return true;
        }
        let Some(lent) = index.get(name).and_then(|index| lent.get(*index)) else { return true };
        let is_detection = level == Level::Name && !matches!(name, "condition" | "timeframe");
        match (&lent.value.data, &mut own.value.data) {
            (Data::Map(lent), Data::Map(own)) => {
                let below = if level == Level::Attribute { Level::Name } else { Level::Inside };
                judge(lent, own, below, diagnostics);
                true
            }
            (Data::List(_), Data::Map(_)) if is_detection => {
                diagnostics.push(dropped(lent, own));
                false
            }
            _ => {
                if !same(&lent.value, &own.value) {
                    diagnostics.push(conflict(lent, own));
                }
                true
            }
        }
    });
}

fn dropped(lent: &Entry<'_>, own: &Entry<'_>) -> Diagnostic {
    let name = &own.key.text;
    let message = format!("`{name}` is a map, and `action: global` lends a list by that name: the list stands");
    Diagnostic::at(Code::MergeDropped, own.key_span, message)
        .here("has no effect")
        .label(lent.key_span, "lent here")
        .help("to ask for both, rename one of them and name both in the condition")
}

fn conflict(lent: &Entry<'_>, own: &Entry<'_>) -> Diagnostic {
    let name = &own.key.text;
    let (kind, other) = (own.value.kind(), lent.value.kind());
    let message = if kind == other {
        format!("`{name}` has another value than the one that `action: global` lends: they cannot be merged")
    } else {
        format!("`{name}` is {kind}, and `action: global` lends {other} by that name: they cannot be merged")
    };
    Diagnostic::at(Code::MergeConflict, own.key_span, message)
        .here("this value or the lent one would be lost")
        .label(lent.key_span, "lent here")
        .help("let only one of the two documents have it")
}

/// Whether two values say the same. Maps whose keys stand in another order are taken for different ones.
fn same(a: &Node<'_>, b: &Node<'_>) -> bool {
    match (&a.data, &b.data) {
        (Data::Scalar(a), Data::Scalar(b)) => a.text == b.text && a.resolve() == b.resolve(),
        (Data::List(a), Data::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Data::Map(a), Data::Map(b)) => {
            let entry = |(a, b): (&Entry<'_>, &Entry<'_>)| a.key.text == b.key.text && same(&a.value, &b.value);
            a.len() == b.len() && a.iter().zip(b).all(entry)
        }
        _ => false,
    }
}
