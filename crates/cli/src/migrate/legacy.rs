//! Rules whose condition ends in an aggregation of old, as rules and correlations of their own.
//!
//! The document stays and becomes the correlation: it has what describes the rule, its id and its name, since the
//! correlation is what alerts. Behind it stand the rules that it is about, with the log source and the detections; their
//! ids are made of the old one (UUID version 5), so that every run makes the same.

use std::collections::BTreeSet;

use sigcast_diagnostics::{Code, SourceMap};
use sigcast_frontend::part::Part;
use sigcast_frontend::{Document, Kind, parse, part, spell};
use sigcast_ir::{Condition, Correlation, Rule, Source};
use uuid::Uuid;

use super::Taken;
use super::blocks::{self, Entry, Unfit, ended};

/// The attributes that a rule takes over from the document that it is made of.
const TAKEN_OVER: [&str; 6] = ["taxonomy", "status", "license", "author", "date", "modified"];

/// The text with correlations, and how many there are; `None` if it has no aggregation of old. Names and ids that are `taken` are
/// given to none.
pub(super) fn rewritten(text: &str, taken: &mut Taken) -> Result<Option<(String, usize)>, Unfit> {
    if !text.contains('|') {
        return Ok(None);
    }
    let mut sources = SourceMap::new();
    let id = sources.add("", text);
    let documents = parse(&sources, id);
    let is_legacy = |document: &Document<'_>| {
        matches!(document.kind, Kind::Correlation(_))
            && document.diagnostics.iter().any(|found| found.code == Code::LegacyAggregation)
    };
    let count = documents.iter().filter(|document| is_legacy(document)).count();
    if count == 0 {
        return Ok(None);
    }
    let parsed = part::documents(&sources, id);
    let mut out = String::new();
    let mut start = 0;
    for (marker, body) in blocks::documents(text)? {
        start += marker.len();
        let range = start..start + body.len();
        start = range.end;
        out = if marker.is_empty() { out } else { ended(&out) + &marker };
        let here = parsed.iter().position(|document| range.contains(&(document.root().span().start as usize)));
        let found = here.and_then(|at| Some((documents.get(at)?, parsed.get(at)?)));
        match found.filter(|(document, _)| is_legacy(document) && !blocks::found_nothing(&body)) {
            Some((Document { kind: Kind::Correlation(correlation), .. }, yaml)) => {
                let (body, tail) = blocks::without_tail(&body);
                let entries = blocks::entries(yaml.root(), body, range.start)?;
                let old = Old { correlation, root: yaml.root(), entries, line: blocks::line_end(text) };
                out.push_str(&old.written(taken)?);
                out.push_str(tail);
            }
            _ => out.push_str(&body),
        }
    }
    Ok(Some((out, count)))
}

/// A document on its way.
struct Old<'o, 'a> {
    correlation: &'o Correlation<'a>,
    root: Part<'o, 'a>,
    entries: Vec<Entry>,
    /// How lines end.
    line: &'static str,
}

/// A rule that is made of the document.
struct Made<'o, 'a> {
    rule: &'o Rule<'a>,
    name: String,
    /// What its title has behind that of the document, and its id is made of.
    what: String,
    /// Its id, if the document has one.
    id: Option<Uuid>,
    /// Its condition; none is what stands before the `|`.
    condition: Option<String>,
}

impl<'o, 'a> Old<'o, 'a> {
    fn written(&self, taken: &mut Taken) -> Result<String, Unfit> {
        let entry = |key: &str| self.entries.iter().find(|entry| entry.key == key);
        let detection = entry("detection").ok_or("the document has no `detection` of its own")?;
        let (_, detections) = detection.inner.as_ref().ok_or("`detection` is in flow style")?;
        let unit = " ".repeat(detections.first().map_or(4, |first| first.indent));
        let made = self.made(taken);
        let mut out = String::new();
        for entry in &self.entries {
            match entry.key.as_str() {
                "logsource" => out.push_str(if out.is_empty() { &entry.lead } else { "" }),
                "detection" => {
                    let words: Vec<String> = made.iter().map(|made| made.name.clone()).collect();
                    out = ended(&out) + "correlation:" + self.line;
                    let timeframe = detections.iter().find(|entry| entry.key == "timeframe");
                    for line in spell::spelled(self.correlation, &words).block(&unit) {
                        if let Some(timeframe) = timeframe.filter(|_| line.starts_with("timespan:")) {
                            out += &blocks::lines(&timeframe.comments, unit.len(), self.line);
                        }
                        out += &format!("{unit}{line}{}", self.line);
                    }
                }
                _ => out = ended(&out) + &entry.whole(),
            }
        }
        for one in &made {
            out = ended(&out) + "---" + self.line + &self.rule(one, detections, &unit)?;
        }
        Ok(ended(&out))
    }

    /// The rules that the correlation is about.
    fn made(&self, taken: &mut Taken) -> Vec<Made<'o, 'a>> {
        let meta = &self.correlation.meta;
        let stem = meta.name.as_deref().map_or_else(|| spell::slug(&meta.title), spell::slug);
        let several = self.correlation.members.len() > 1;
        let members = self.correlation.members.iter().enumerate().filter_map(|(at, member)| {
            let Source::Rule(rule) = &member.source else { return None };
            let near = at > 0 && several;
            let what = if near { member.name.to_string() } else { "events".to_owned() };
            let wanted = format!("{stem}_{}", spell::slug(&what));
            let name = free(&wanted, "_", |name| taken.names.insert(name.to_owned()));
            let mut id = None;
            if let Some(old) = &meta.id {
                free(&what, " ", |what| taken.ids.insert(id.insert(derived(old, what)).to_string()));
            }
            Some(Made { rule, name, what, id, condition: near.then(|| member.name.to_string()) })
        });
        members.collect()
    }

    /// The document of a rule.
    fn rule(&self, made: &Made<'_, '_>, detections: &[Entry], unit: &str) -> Result<String, Unfit> {
        let meta = &self.correlation.meta;
        let mut out = String::new();
        let mut say = |line: String| out += &format!("{line}{}", self.line);
        say(format!("title: {}", spell::scalar(&format!("{} ({})", meta.title, made.what))));
        if let Some(id) = &made.id {
            say(format!("id: {id}"));
        }
        say(format!("name: {}", spell::scalar(&made.name)));
        if let Some(id) = &meta.id {
            say("related:".to_owned());
            say(format!("{unit}- id: {}", spell::scalar(id)));
            say(format!("{unit}  type: derived"));
        }
        for entry in self.entries.iter().filter(|entry| TAKEN_OVER.contains(&entry.key.as_str())) {
            out = ended(&out) + &entry.text;
        }
        let logsource = self.entries.iter().find(|entry| entry.key == "logsource");
        let logsource = logsource.ok_or("the document has no `logsource` of its own")?;
        let detection = self.entries.iter().find(|entry| entry.key == "detection");
        let (head, lead) = detection
            .and_then(|entry| Some((&entry.inner.as_ref()?.0, &entry.lead)))
            .ok_or("`detection` is in flow style")?;
        out = ended(&out) + logsource.whole().trim_start_matches(['\r', '\n']);
        out = ended(&out) + lead + head;
        // What is near stands in documents of its own; elsewhere everything stays.
        let used = (self.correlation.members.len() > 1).then(|| used(made.rule));
        for entry in detections {
            out = ended(&out);
            match entry.key.as_str() {
                "timeframe" => out.push_str(&entry.lead),
                "condition" => out = out + &entry.lead + &self.condition(entry, made.condition.as_deref())?,
                name if used.as_ref().is_none_or(|used| used.contains(name)) => out.push_str(&entry.whole()),
                _ => {}
            }
        }
        Ok(ended(&out) + "level: informational" + self.line)
    }

    /// The entry with the condition before the `|`, or with another one.
    fn condition(&self, entry: &Entry, other: Option<&str>) -> Result<String, Unfit> {
        let part = self.root.get("detection").and_then(|part| part.get("condition"));
        let part = part.and_then(|part| if part.text().is_some() { Some(part) } else { part.elements().next() });
        let part = part.ok_or("the condition is no text")?;
        let text = part.text().ok_or("the condition is no text")?;
        let before = text.split('|').next().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = other.unwrap_or(&before);
        // Where the text stands as it is read, what is behind it (a comment) stays.
        if part.verbatim().is_some() && entry.text.matches(text.as_ref()).count() == 1 {
            return Ok(entry.text.replace(text.as_ref(), wanted));
        }
        let comments = blocks::lines(&entry.comments, entry.indent, self.line);
        Ok(format!("{comments}{}condition: {}{}", " ".repeat(entry.indent), spell::scalar(wanted), self.line))
    }
}

/// The word, or else the first one with a number behind it, that can be taken.
fn free(word: &str, between: &str, mut take: impl FnMut(&str) -> bool) -> String {
    if take(word) {
        return word.to_owned();
    }
    // There are more numbers than words that are taken.
    let numbered = (2_usize..).map(|number| format!("{word}{between}{number}"));
    numbered.into_iter().find(|word| take(word)).unwrap_or_else(|| word.to_owned())
}

/// An id that is made of another one and a word.
fn derived(id: &str, what: &str) -> Uuid {
    // The namespace of URLs stands in for that of an id which is none.
    let space = Uuid::parse_str(id).unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_URL, id.as_bytes()));
    Uuid::new_v5(&space, what.as_bytes())
}

/// The names of the detections that the rule's condition asks for.
fn used(rule: &Rule<'_>) -> BTreeSet<String> {
    fn gather(condition: &Condition<'_>, found: &mut Vec<usize>) {
        match condition {
            Condition::And(terms) | Condition::Or(terms) => terms.iter().for_each(|term| gather(term, found)),
            Condition::Not(inner) => gather(inner, found),
            Condition::Detection { index, .. } => found.push(*index),
            Condition::Of { matched, .. } => found.extend(matched),
        }
    }
    let mut found = Vec::new();
    rule.conditions.iter().for_each(|(condition, _)| gather(condition, &mut found));
    let names = found.into_iter().filter_map(|index| rule.detections.get(index));
    names.map(|detection| detection.name.to_string()).collect()
}
