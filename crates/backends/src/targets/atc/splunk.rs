//! Splunk, as the pages of 2020 had it: one search, and a table of the rule's fields.

use sigcast_diagnostics::Code;
use sigcast_ir::{Match, Part, Rule, Test};

use super::{escaped, is_plain, pattern, values};
use crate::dialect::{Dialect, Emit, Grouping, Infix, Operators, Prefix, Say, TextSays};
use crate::passes::factor;
use crate::say::{Legaliser, Refusal, Said, leaf};
use crate::targets::splunk::search::{SEARCH, quoted};
use crate::write::Writer;

const OPERATORS: Operators = Operators {
    and: Infix { text: " ", strength: 1, needs: 1 },
    or: Infix { text: " OR ", strength: 1, needs: 1 },
    not: Prefix { text: "NOT ", strength: 1, needs: 0 },
    group: ("(", ")"),
    grouping: Grouping::Always,
};

const NO_CASE: Say = Say::Refused(Code::ConstructUnsupported, "a search ignores case");

/// `splunk` of 2020.
pub(super) static SPLUNK_2020: Dialect = Dialect {
    operators: OPERATORS,
    passes: &[factor::shape],
    field: |writer, name| super::field(writer, name, SEARCH.field),
    text: TextSays::all(Say::Lowered(value)),
    cased: TextSays::all(NO_CASE),
    keyword: Say::Lowered(value),
    keyword_other: Say::Lowered(value),
    number: Say::Lowered(value),
    boolean: Say::Lowered(value),
    null: Emit::whole(absent).native(),
    ..SEARCH
};

/// A value, a list of values, or keywords.
fn value<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let list = values(&found.test);
    if list.contains(&Test::Null) {
        return Err(Refusal::new(Code::ConstructUnsupported, "the style has no `null` among other values"));
    }
    if list.iter().any(|test| pattern(test).is_none()) {
        return Err(Refusal::new(Code::RegexUnsupported, "a search has no regular expressions"));
    }
    if let Some(fault) = list.iter().find_map(fault) {
        legaliser.approximate(Code::LegacyStyle, found, fault);
    } else if found.field().is_none() {
        let message = "the style looks for the keyword as whole words, and not anywhere in the event";
        legaliser.approximate(Code::LegacyStyle, found, message);
    }
    Ok(leaf(Emit::whole(write_value), found.clone()))
}

/// Why Splunk does not read a value as the rule means it.
fn fault(test: &Test<'_>) -> Option<&'static str> {
    let pattern = pattern(test)?;
    let parts = pattern.parts();
    if pattern.texts().any(|text| text.contains(['*', '?'])) {
        return Some(
            "the style writes a backslash before a literal `*` or `?`, which a search does not read as an escape",
        );
    }
    if parts.contains(&Part::AnyOne) {
        return Some("the style writes `?`, which a search does not know as a wildcard");
    }
    if pattern.texts().any(|text| text.contains(char::is_control)) {
        return Some("the style writes control characters as they are, and a search takes them for blanks");
    }
    let amid = parts.iter().enumerate().any(|(at, part)| *part == Part::AnyRun && at > 0 && at + 1 < parts.len());
    amid.then_some("a wildcard amid a value may miss events in a search")
}

fn write_value(writer: &mut Writer<'_>, found: &Match<'_>) {
    let list = values(&found.test);
    let listed = matches!(found.test, Test::OneOf(_));
    writer.put(if listed { "(" } else { "" });
    for (at, test) in list.iter().enumerate() {
        writer.put(if at > 0 { " OR " } else { "" });
        if found.field().is_some() {
            writer.field_of(found);
            writer.put("=");
        }
        writer.put("\"");
        if let Some(pattern) = pattern(test) {
            escaped(writer, &pattern, |c, _| c == '"');
        }
        writer.put("\"");
    }
    writer.put(if listed { ")" } else { "" });
}

fn absent(writer: &mut Writer<'_>, found: &Match<'_>) {
    writer.put("NOT ");
    writer.field_of(found);
    writer.put("=\"*\"");
}

/// The table of the rule's fields behind the search.
pub(super) fn table(rule: &Rule<'_>) -> String {
    if rule.meta.fields.is_empty() {
        return String::new();
    }
    let name = |name: &str| if is_plain(name) { name.to_owned() } else { quoted(name) };
    let names: Vec<String> = rule.meta.fields.iter().map(|field| name(field.as_str())).collect();
    format!(" | table {}", names.join(","))
}
