//! What Watcher needs of a rule beyond its values: an id, tags sorted by kind, and the texts that show its hits.
//!
//! Sources: Elasticsearch reference, "Create or update watch API", "How Watcher works" (templates).

use serde::Serialize;
use sigcast_ir::Rule;

use crate::FormatError;

/// ATT&CK, by the tags of a rule.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Attack {
    /// Tactics in words: `defense-evasion`.
    pub(crate) tactics: Vec<String>,
    /// Techniques by number: `T1059.001`.
    pub(crate) techniques: Vec<String>,
    /// Groups by number: `G0007`.
    pub(crate) groups: Vec<String>,
    /// Software by number: `S0002`.
    pub(crate) software: Vec<String>,
}

impl Attack {
    /// The ATT&CK tags of a rule. Tactics and techniques stand side by side: which belongs to which, tags do not say.
    pub(crate) fn of(tags: &[std::borrow::Cow<'_, str>]) -> Self {
        let mut found = Self::default();
        for tag in tags {
            let tag = tag.to_ascii_lowercase();
            let Some(word) = tag.strip_prefix("attack.") else { continue };
            let numbered = |sign: char| {
                word.strip_prefix(sign).is_some_and(|rest| {
                    rest.starts_with(|c: char| c.is_ascii_digit())
                        && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
                })
            };
            if numbered('t') {
                found.techniques.push(word.to_ascii_uppercase());
            } else if numbered('g') {
                found.groups.push(word.to_ascii_uppercase());
            } else if numbered('s') {
                found.software.push(word.to_ascii_uppercase());
            } else {
                found.tactics.push(word.replace('_', "-"));
            }
        }
        found
    }
}

/// The id of a watch: the rule's id, else its title; `-2` and so on from the second one of a rule on.
///
/// Only letters, digits, `.`, `_` and `-` stay, so that the id is one step of a path and needs no quoting in a shell.
pub(crate) fn id(rule: &Rule<'_>, number: usize) -> String {
    let own = rule.meta.id.as_deref().filter(|id| !id.trim().is_empty());
    let text = own.unwrap_or(&rule.meta.title);
    let mut out: String =
        text.trim().chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    if out.chars().all(|c| !c.is_ascii_alphanumeric()) {
        out.insert_str(0, "sigma-rule");
    }
    // Dots alone are steps of a path, and titles that differ in other signs only must not meet in one id.
    if out != text {
        out.push_str(&format!("-{:08x}", hash(text)));
    }
    numbered(out, number)
}

/// The name with `-2` and so on from the second one on.
pub(crate) fn numbered(name: String, number: usize) -> String {
    if number > 1 { format!("{name}-{number}") } else { name }
}

/// FNV-1a, 32 bits: short, and the same everywhere.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The scripts of the old styles have an unquoted heredoc and an unquoted address: whether a shell that runs one would
/// run a part of the rule. `name`: what the watch is named by.
///
/// # Errors
/// What the shell would run.
pub(crate) fn runs_nothing(name: &str, rule: &Rule<'_>, queries: &[String]) -> Result<(), FormatError> {
    let meta = &rule.meta;
    let texts = queries.iter().map(String::as_str).chain([meta.title.as_ref()]).chain(meta.description.as_deref());
    let texts =
        texts.chain(meta.tags.iter().map(AsRef::as_ref)).chain(own_fields(rule).iter().map(|field| field.as_str()));
    for text in texts {
        if text.contains("$(") || text.contains('`') {
            let message = "the style does not quote the heredoc of its script, and a shell would run what stands in \
                           backquotes or `$(…)` in the rule";
            return Err(FormatError { message: message.to_owned() });
        }
    }
    let safe = |c: char| c.is_alphanumeric() || " ._~/:@%+,=-".contains(c);
    if !name.chars().all(safe) {
        let message = "the style names the watch by the rule's title or id, unquoted, and it has signs that a shell \
                       gives a meaning to";
        return Err(FormatError { message: message.to_owned() });
    }
    Ok(())
}

/// The fields that can be shown for a hit: names which are safe inside a Mustache tag.
pub(crate) fn shown_fields(rule: &Rule<'_>) -> Vec<String> {
    let safe = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@' || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c))
    };
    rule.meta.fields.iter().map(sigcast_ir::Field::as_str).filter(safe).map(str::to_owned).collect()
}

/// The text that shows the hits in an e-mail, as Mustache: the rule's fields of each hit, or the whole of it.
pub(crate) fn hits(fields: &[String]) -> String {
    let mut text = String::from("{{ctx.payload.hits.total}} hits\n{{#ctx.payload.hits.hits}}\n");
    text.push_str(&event(fields));
    text.push_str("{{/ctx.payload.hits.hits}}\n");
    text
}

/// The lines that show one event: where it lies, then its fields.
fn event(fields: &[String]) -> String {
    let mut text = String::from("{{_index}} {{_id}}\n");
    for field in fields {
        text.push_str(&format!("{field}: {{{{_source.{field}}}}}\n"));
    }
    if fields.is_empty() {
        text.push_str("{{_source}}\n");
    }
    text
}

/// The parts of a watch, if the query is that of a correlation: an object. Lucene's braces are escaped, so no query string
/// starts so.
pub(crate) fn parts(query: &str) -> Option<serde_json::Value> {
    serde_json::from_str(query).ok().filter(|parts: &serde_json::Value| parts.get("condition").is_some())
}

/// The text that shows the groups of a correlation in an e-mail, as Mustache: the keys of each, the number of its events,
/// and some of these.
pub(crate) fn groups(fields: &[String]) -> String {
    let mut text = String::from(
        "{{ctx.payload.aggregations.groups.buckets.size}} groups\n{{#ctx.payload.aggregations.groups.buckets}}\n\
         {{#toJson}}key{{/toJson}}: {{doc_count}} events\n{{#events.hits.hits}}\n",
    );
    text.push_str(&event(fields));
    text.push_str("{{/events.hits.hits}}\n{{/ctx.payload.aggregations.groups.buckets}}\n");
    text
}

/// The fields that a rule shows, by its own names: pipelines came after them in the library of old.
fn own_fields<'r, 'a>(rule: &'r Rule<'a>) -> &'r [sigcast_ir::Field<'a>] {
    if rule.prepared.fields.is_empty() { &rule.meta.fields } else { &rule.prepared.fields }
}

/// The body of the e-mail as the library of old had it: fields right-aligned, and a rule of 80 signs behind each hit.
pub(crate) fn old_hits(rule: &Rule<'_>) -> String {
    let mut text = String::from("Hits:\n{{#ctx.payload.hits.hits}}");
    let shown = own_fields(rule);
    let width = shown.iter().map(|field| field.as_str().chars().count()).max().unwrap_or(0);
    if shown.is_empty() {
        text.push_str("{{_source}}\n");
    } else {
        let lines: Vec<String> = shown
            .iter()
            .map(|field| format!("{name:>width$} = {{{{_source.{name}}}}}", name = field.as_str()))
            .collect();
        text.push_str("Hit on {{_source.@timestamp}}:\n");
        // No line break before the rule: so it was.
        text.push_str(&lines.join("\n"));
    }
    text.push_str(&"=".repeat(80));
    text.push_str("\n{{/ctx.payload.hits.hits}}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_by_kind() {
        let tags = ["attack.t1059.001", "attack.defense_evasion", "attack.G0007", "attack.s0002", "cve.2020.1"];
        let found = Attack::of(&tags.map(std::borrow::Cow::Borrowed));
        assert_eq!(found.techniques, ["T1059.001"]);
        assert_eq!(found.tactics, ["defense-evasion"]);
        assert_eq!(found.groups, ["G0007"]);
        assert_eq!(found.software, ["S0002"]);
    }
}
