//! Filters: documents with `filter`, which are joined to rules.
//!
//! Follows the Sigma specification 2.1, "Sigma Filters Specification". Invariant: a filter that is wrong keeps as much of
//! the rules that it names as can be read, so that they are not converted without it. If it cannot be read which they are, they
//! are all of its log source.

use sigcast_diagnostics::{Code, Diagnostic, nearest};
use sigcast_ir::{Filter, FilterRules, Reference};

use crate::Kind;
use crate::rule::Reader;
use crate::yaml::{Data, Entry};

/// The keys of `filter` that name no detection.
const RESERVED: [&str; 3] = ["rules", "condition", "timeframe"];

/// Reads a document with this entry `filter`.
pub(crate) fn read<'a>(reader: &mut Reader<'_, 'a>, entry: &Entry<'a>) -> Kind<'a> {
    let mut meta = reader.meta();
    meta.custom.retain(|(key, _)| key != "filter");
    let logsource = reader.logsource();
    if let Some(other) = reader.entries.iter().find(|entry| entry.key.text == "detection") {
        reader.diagnostics.push(
            Diagnostic::at(Code::BadValue, other.key_span, "the document has both `filter` and `detection`")
                .here("a filter has its detections in `filter`")
                .label(entry.key_span, "makes the document a filter"),
        );
    }
    let found = reader.detections(entry, &RESERVED);
    let rules = rules(reader, entry);
    let mut conditions = found.conditions.into_iter();
    let condition = conditions.next().filter(|_| found.aggregations.is_empty());
    if let Some(aggregation) = found.aggregations.first() {
        reader.diagnostics.push(
            Diagnostic::at(Code::LegacyUnsupported, aggregation.span, "a filter decides event by event")
                .here("an aggregation has no place in a filter"),
        );
    }
    if let Some((_, span)) = conditions.next() {
        reader.diagnostics.push(
            Diagnostic::at(Code::BadCondition, span, "the filter has several conditions")
                .here("one condition is expected")
                .help("`and` and `or` join conditions into one"),
        );
    }
    let filter = Filter { meta, logsource, rules, detections: found.detections, condition, span: entry.key_span };
    Kind::Filter(Box::new(filter))
}

/// The rules that the filter is for.
fn rules<'a>(reader: &mut Reader<'_, 'a>, filter: &Entry<'a>) -> FilterRules<'a> {
    // What is wrong with the map itself has been said.
    let Some(entries) = filter.value.as_map() else { return FilterRules::Any };
    let Some(entry) = entries.iter().find(|entry| entry.key.text == "rules") else {
        let fault = Diagnostic::at(Code::MissingAttribute, filter.key_span, "the filter has no `rules`");
        let typo = entries.iter().find(|entry| nearest(&entry.key.text, ["rules"]).is_some());
        reader.diagnostics.push(match typo {
            Some(typo) => fault
                .here("`rules` is missing from this map")
                .label(typo.key_span, "taken for a detection")
                .help(format!("is `{}` meant as `rules`?", typo.key.text)),
            None => fault
                .here("`rules` is missing from this map")
                .help("`rules: any` is every rule of the log source; a list has ids or names of rules"),
        });
        return FilterRules::Any;
    };
    let nodes = match &entry.value.data {
        Data::Scalar(scalar) if scalar.text.eq_ignore_ascii_case("any") => return FilterRules::Any,
        Data::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(&entry.value),
    };
    if nodes.is_empty() {
        reader.diagnostics.push(
            Diagnostic::at(Code::BadValue, entry.key_span, "the list of rules is empty: the filter is for none")
                .here("`any`, or ids or names of rules are expected here"),
        );
        return FilterRules::Any;
    }
    let mut named = Vec::with_capacity(nodes.len());
    let mut known = true;
    for node in nodes {
        match node.as_scalar().filter(|scalar| !node.is_null() && !scalar.text.is_empty()) {
            Some(scalar) => named.push(Reference { text: scalar.text.clone(), span: node.span }),
            None => {
                known = false;
                let message = format!("`rules` holds {}, and `any`, ids or names of rules are expected", node.kind());
                let place =
                    if node.is_null() || matches!(node.data, Data::Scalar(_)) { node.span } else { entry.key_span };
                reader
                    .diagnostics
                    .push(Diagnostic::at(Code::WrongType, place, message).here("the id or name of a rule is expected"));
            }
        }
    }
    if known { FilterRules::Named(named) } else { FilterRules::Any }
}
