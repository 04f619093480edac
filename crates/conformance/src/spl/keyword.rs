//! Terms and phrases without a field: looked for in the raw text.
//!
//! The raw text is cut into segments by major and minor breakers (Search Manual, Event segmentation). A term is one of
//! them, or several in a row; a `*` stands for any text.

use super::event::Text;

/// Whether a segment ends at this character: the breakers of `segmenters.conf` are blanks and the punctuation of ASCII.
fn breaks(c: char) -> bool {
    c.is_whitespace() || c.is_ascii_punctuation() || c.is_ascii_control()
}

/// A term or phrase.
#[derive(Debug)]
pub(super) struct Keyword {
    /// The texts between the asterisks, in lower case.
    parts: Vec<String>,
}

impl Keyword {
    pub(super) fn new(text: &str) -> Self {
        Self { parts: text.to_lowercase().split('*').map(str::to_owned).collect() }
    }

    /// Whether the raw text has it.
    pub(super) fn found(&self, raw: &Text) -> bool {
        let text = raw.folded.as_str();
        let Some((first, more)) = self.parts.split_first() else { return true };
        if first.is_empty() && !more.is_empty() {
            return goes_on(text, more);
        }
        starts(text, first).any(|at| {
            let end = at + first.len();
            if more.is_empty() { ends_segment(text, end, first) } else { goes_on(&text[end..], more) }
        })
    }
}

/// The places where the part is found at the start of a segment.
fn starts<'t>(text: &'t str, part: &'t str) -> impl Iterator<Item = usize> + 't {
    // A part that begins with a breaker stands wherever it is found.
    let free = part.chars().next().is_none_or(breaks);
    text.match_indices(part)
        .map(|(at, _)| at)
        .filter(move |at| free || text[..*at].chars().next_back().is_none_or(breaks))
}

/// Whether a segment ends where the part ends.
fn ends_segment(text: &str, end: usize, part: &str) -> bool {
    part.chars().next_back().is_none_or(breaks) || text[end..].chars().next().is_none_or(breaks)
}

/// Whether the parts follow in the text, each after any text.
fn goes_on(text: &str, parts: &[String]) -> bool {
    let Some((last, inner)) = parts.split_last() else { return true };
    let mut rest = text;
    for part in inner {
        let Some(at) = rest.find(part.as_str()) else { return false };
        rest = &rest[at + part.len()..];
    }
    last.is_empty() || rest.match_indices(last.as_str()).any(|(at, _)| ends_segment(rest, at + last.len(), last))
}
