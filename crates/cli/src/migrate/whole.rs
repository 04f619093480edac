//! Collections of old (`action: global`, `reset`, `repeat`) as whole documents.
//!
//! Invariant: what is written for a document has every line of those that it is made of, but those that it replaces.

use sigcast_diagnostics::SourceMap;
use sigcast_frontend::part;

use super::blocks::{self, Entry, Unfit, ended};

/// The text with whole documents; `None` if it has no action.
pub(super) fn rewritten(text: &str) -> Result<Option<String>, Unfit> {
    if !text.contains("action") {
        return Ok(None);
    }
    let mut sources = SourceMap::new();
    let id = sources.add("", text);
    let parsed = part::documents(&sources, id);
    let is_action = |entry: &(&str, part::Part<'_, '_>)| entry.0 == "action";
    if !parsed.iter().any(|document| document.root().entries().any(|entry| is_action(&entry))) {
        return Ok(None);
    }
    let pieces = blocks::documents(text)?;
    let line = blocks::line_end(text);
    let mut made: Vec<String> = Vec::new();
    let (mut global, mut previous): (Vec<Entry>, Vec<Entry>) = (Vec::new(), Vec::new());
    // Comments of documents that only lend go to the next one that is written.
    let mut head = String::new();
    let mut start = 0;
    // A marker before the first document stays, and so do the comments above it.
    let first = pieces.first().map_or("", |(marker, _)| marker.as_str());
    for (marker, body) in &pieces {
        start += marker.len();
        let range = start..start + body.len();
        start = range.end;
        let here = parsed.iter().find(|document| range.contains(&(document.root().span().start as usize)));
        let Some(document) = here.filter(|_| !blocks::found_nothing(body)) else {
            head.push_str(body);
            continue;
        };
        let (body, tail) = blocks::without_tail(body);
        let mut entries = blocks::entries(document.root(), body, range.start)?;
        let action = entries.iter().position(|entry| entry.key == "action").map(|at| entries.remove(at));
        let word = document.root().get("action").and_then(|part| part.text().map(ToString::to_string));
        if let Some(action) = &action {
            head.push_str(&action.lead);
            head.push_str(&blocks::lines(&action.comments, action.indent, line));
        }
        let merged = match word.as_deref() {
            Some("global") => {
                lead_to(&mut head, &mut entries);
                head.push_str(tail);
                global = merged(&global, entries, line)?;
                continue;
            }
            Some("reset") => {
                global = Vec::new();
                if entries.is_empty() {
                    head.push_str(tail);
                    continue;
                }
                merged(&global, entries, line)?
            }
            Some("repeat") => merged(&previous, entries, line)?,
            None => merged(&global, entries, line)?,
            Some(other) => return Err(format!("`action: {other}` is not known")),
        };
        previous.clone_from(&merged);
        let body = merged.iter().fold(std::mem::take(&mut head), |text, entry| ended(&text) + &entry.whole());
        made.push(ended(&body) + tail);
    }
    if made.is_empty() {
        return Err("no document but those that lend is in the file".to_owned());
    }
    let documents: Vec<String> = made.iter().map(|text| ended(text)).collect();
    Ok(Some(first.to_owned() + &documents.join(&format!("---{line}")) + &head))
}

/// Moves what stands above the first entry to the head of the next document.
fn lead_to(head: &mut String, entries: &mut [Entry]) {
    if let Some(first) = entries.first_mut() {
        head.push_str(&std::mem::take(&mut first.lead));
    }
}

/// Maps level by level; any other value replaces the one before, at its place.
///
/// What stands behind a key of the changes whose line goes is put above it.
fn merged(base: &[Entry], changes: Vec<Entry>, line: &str) -> Result<Vec<Entry>, Unfit> {
    let mut all = base.to_vec();
    let indent = base.first().map(|entry| entry.indent);
    for change in changes {
        let change = indent.map_or(change.clone(), |indent| change.shifted(indent));
        let Some(below) = all.iter_mut().find(|entry| entry.key == change.key) else {
            all.push(change);
            continue;
        };
        let is_map = |entry: &Entry| entry.inner.is_some();
        if is_map(below) != is_map(&change) && is_flow(if is_map(below) { &change } else { below }) {
            return Err(format!("`{}` is a map in flow style", change.key));
        }
        *below = match (&below.inner, change.inner.clone()) {
            (Some((head, entries)), Some((gone, changes))) => {
                let mut merged = below.with(head.clone(), self::merged(entries, changes, line)?);
                let behind: Vec<String> = gone
                    .find('#')
                    .and_then(|at| gone.get(at..))
                    .map(|comment| comment.trim_end().to_owned())
                    .into_iter()
                    .collect();
                merged.lead = merged.lead + &change.lead + &blocks::lines(&behind, change.indent, line);
                merged
            }
            _ if is_flow(below) && is_flow(&change) => return Err(format!("`{}` is a map in flow style", change.key)),
            _ => change,
        };
    }
    Ok(all)
}

fn is_flow(entry: &Entry) -> bool {
    let value = entry.text.split_once(':').map_or("", |(_, value)| value.trim_start());
    value.starts_with('{')
}
