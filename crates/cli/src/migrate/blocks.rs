//! A YAML text as blocks of whole lines: documents, the entries of a map, and the comments that go with them.
//!
//! Invariant: the blocks of a text, put one behind the other, are the text; nothing in them is rewritten.

use sigcast_frontend::part::Part;

/// An entry of a map in block style.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its key.
    pub(super) key: String,
    /// The comments and empty lines right above it.
    pub(super) lead: String,
    /// Its lines, with their ends.
    pub(super) text: String,
    /// If its value is a map in block style: the line of the key, and the entries; `text` has them too.
    pub(super) inner: Option<(String, Vec<Entry>)>,
    /// How far the key is indented.
    pub(super) indent: usize,
    /// The comments in its lines, from their `#` on.
    pub(super) comments: Vec<String>,
}

/// What is not in a form that lines can be taken from.
pub(super) type Unfit = String;

/// The documents of a text: each with the line that begins it (`---`), if there is one.
pub(super) fn documents(text: &str) -> Result<Vec<(String, String)>, Unfit> {
    let mut found = vec![(String::new(), String::new())];
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        if bare == "---" || bare.starts_with("--- #") {
            // A marker before anything else begins the first document.
            match found.last_mut() {
                Some((marker, body)) if marker.is_empty() && found_nothing(body) => {
                    *marker = std::mem::take(body) + line;
                }
                _ => found.push((line.to_owned(), String::new())),
            }
            continue;
        }
        if bare.starts_with("--- ") || bare == "..." || bare.starts_with('%') {
            return Err(format!("the line `{bare}` divides the file in an unusual way"));
        }
        if let Some((_, body)) = found.last_mut() {
            body.push_str(line);
        }
    }
    Ok(found)
}

/// Whether there are comments and empty lines only.
pub(super) fn found_nothing(body: &str) -> bool {
    body.lines().all(|line| line.trim().is_empty() || line.starts_with('#'))
}

/// The entries of a map whose lines these are; `start` is the byte of the file where they begin. What stands before the
/// first entry is its lead.
pub(super) fn entries(part: Part<'_, '_>, lines: &str, start: usize) -> Result<Vec<Entry>, Unfit> {
    let mut heads: Vec<(String, usize, usize)> = Vec::new();
    let mut indent = None;
    for (key, value) in part.entries() {
        let at = (value.key_span().start as usize).checked_sub(start).filter(|at| *at <= lines.len());
        let at = at.ok_or_else(|| format!("the key `{key}` stands elsewhere (an alias)"))?;
        let line = lines.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let blank = lines.get(line..at).unwrap_or("x");
        if !blank.bytes().all(|byte| byte == b' ') || *indent.get_or_insert(blank.len()) != blank.len() {
            return Err(format!("the key `{key}` does not begin its line (flow style)"));
        }
        heads.push((key.to_owned(), line, blank.len()));
    }
    let mut found = Vec::with_capacity(heads.len());
    let mut from = 0;
    for (number, (key, line, indent)) in heads.iter().enumerate() {
        let end = heads.get(number + 1).map_or(lines.len(), |(_, next, _)| lead(lines, *line, *next, *indent));
        let text = lines.get(*line..end).unwrap_or("");
        let value = part.get(key);
        let inner = match value.filter(|value| value.entries().next().is_some()) {
            Some(value) => inner(value, text, start + line).ok(),
            None => None,
        };
        let lead = lines.get(from..*line).unwrap_or("").to_owned();
        let comments = value.map_or_else(Vec::new, |value| comments(value, text, start + line));
        found.push(Entry { key: key.clone(), lead, text: text.to_owned(), inner, indent: *indent, comments });
        from = end;
    }
    Ok(found)
}

fn inner(value: Part<'_, '_>, text: &str, start: usize) -> Result<(String, Vec<Entry>), Unfit> {
    let end = text.find('\n').map_or(text.len(), |end| end + 1);
    let (head, body) = text.split_at(end);
    // An anchor or a tag behind the key would be lost or doubled.
    if !head.split('#').next().is_some_and(|head| head.trim_end().ends_with(':')) {
        return Err("the map does not begin on a line of its own".to_owned());
    }
    entries(value, body, start + end).map(|entries| (head.to_owned(), entries))
}

/// The comments in the lines of an entry with this value; `start` is the byte of the file where the lines begin. A `#` in a key
/// or a value begins none.
fn comments(value: Part<'_, '_>, lines: &str, start: usize) -> Vec<String> {
    let mut inside = vec![value.key_span()];
    let mut parts = vec![value];
    while let Some(part) = parts.pop() {
        if part.text().is_some() {
            inside.push(part.span());
        }
        parts.extend(part.elements());
        for (_, value) in part.entries() {
            inside.push(value.key_span());
            parts.push(value);
        }
    }
    let mut found = Vec::new();
    let mut from = 0;
    for line in lines.split_inclusive('\n') {
        let starts = line.match_indices('#').map(|(at, _)| at).find(|at| {
            let place = start + from + at;
            let outside = !inside.iter().any(|span| (span.start as usize..span.end as usize).contains(&place));
            outside && line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
        });
        found.extend(starts.and_then(|at| line.get(at..)).map(|comment| comment.trim_end().to_owned()));
        from += line.len();
    }
    found
}

/// A document without the comments at its end that belong to none of its entries, and these: they begin at the first comment
/// as far to the left as a document.
pub(super) fn without_tail(body: &str) -> (&str, &str) {
    let (mut end, mut tail) = (body.len(), body.len());
    for line in body.split_inclusive('\n').rev() {
        if !(line.starts_with('#') || line.trim().is_empty()) {
            break;
        }
        end -= line.len();
        if line.starts_with('#') {
            tail = end;
        }
    }
    body.split_at(tail)
}

/// Where the comments begin that stand right above an entry: of those between it and the entry before, the lines that are
/// empty or comments as far to the left as the key.
fn lead(lines: &str, from: usize, to: usize, indent: usize) -> usize {
    let mut start = to;
    for line in lines.get(from..to).unwrap_or("").split_inclusive('\n').rev() {
        let comment = line.trim_start().starts_with('#') && line.len() - line.trim_start().len() <= indent;
        if !(comment || line.trim().is_empty()) {
            break;
        }
        start -= line.len();
    }
    start
}

impl Entry {
    /// The entry with its lead.
    pub(super) fn whole(&self) -> String {
        format!("{}{}", self.lead, self.text)
    }

    /// The entry as far to the right as another one.
    pub(super) fn shifted(&self, indent: usize) -> Self {
        let shift = |text: &str| {
            let each = text.split_inclusive('\n').map(|line| match () {
                () if line.trim().is_empty() => line.to_owned(),
                () if indent >= self.indent => format!("{}{line}", " ".repeat(indent - self.indent)),
                () => {
                    let blanks = line.len() - line.trim_start_matches(' ').len();
                    line.get(blanks.min(self.indent - indent)..).unwrap_or(line).to_owned()
                }
            });
            each.collect::<String>()
        };
        let inner = self.inner.as_ref().map(|(head, entries)| {
            let by = |entry: &Self| (entry.indent + indent).saturating_sub(self.indent);
            (shift(head), entries.iter().map(|entry| entry.shifted(by(entry))).collect())
        });
        Self { lead: shift(&self.lead), text: shift(&self.text), inner, indent, ..self.clone() }
    }

    /// The entry with other entries in its map.
    pub(super) fn with(&self, head: String, entries: Vec<Self>) -> Self {
        let text = entries.iter().fold(head.clone(), |text, entry| ended(&text) + &entry.whole());
        Self { text, inner: Some((head, entries)), ..self.clone() }
    }
}

/// Comments as lines of their own, so far to the right.
pub(super) fn lines(comments: &[String], indent: usize, end: &str) -> String {
    comments.iter().map(|comment| format!("{}{comment}{end}", " ".repeat(indent))).collect()
}

/// How the lines of a text end.
pub(super) fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The text with a line break at its end, as the lines before have it.
pub(super) fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') {
        return text.to_owned();
    }
    format!("{text}{}", line_end(text))
}
