//! The report of a comparison as text, JSON and Markdown.
//!
//! Invariant: what a rule says stands in Markdown only in code blocks that it cannot end, and in elements `code` with all
//! signs escaped, in which GitHub and GitLab look for no mentions, numbers of issues or addresses; JSON is made from types.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::compare::{Change, Kind};
use super::differs::Differs;
use super::side::Item;
use crate::args::DiffFormat;

/// The most bytes of a comment on a pull request: GitHub takes 65,536 characters.
const LONGEST: usize = 60_000;

/// A comparison.
pub(super) struct Report<'r, 's> {
    base: &'r str,
    changes: &'r [Change<'s>],
}

/// A change as JSON. Other programs rely on the keys.
#[derive(Serialize)]
struct Row<'r> {
    change: &'static str,
    why: &'r str,
    output: &'r str,
    id: Option<&'r str>,
    title: Option<&'r str>,
    path: &'r str,
    document: usize,
    before: Option<State<'r>>,
    after: Option<State<'r>>,
    /// The lines of the documents that differ, where the query is the same.
    differs: Option<&'r Differs>,
    example: Option<&'r Value>,
}

/// One side of a change.
#[derive(Serialize)]
struct State<'r> {
    status: &'r str,
    queries: Option<&'r [String]>,
    query_sha256: Option<&'r str>,
    errors: &'r [&'r str],
    path: &'r str,
}

impl<'r, 's> Report<'r, 's> {
    pub(super) fn new(base: &'r str, changes: &'r [Change<'s>]) -> Self {
        Self { base, changes }
    }

    /// The report, with a line break at its end.
    pub(super) fn text(&self, format: DiffFormat) -> String {
        match format {
            DiffFormat::Text => self.plain(),
            DiffFormat::Json => self.json(),
            DiffFormat::Markdown => self.markdown(),
        }
    }

    fn counts(&self) -> Vec<(Kind, usize)> {
        let count = |kind| self.changes.iter().filter(|change| change.kind == kind).count();
        Kind::ALL.into_iter().map(|kind| (kind, count(kind))).collect()
    }

    /// What changed, by kind, what deserves a look first.
    fn shown(&self) -> Vec<&'r Change<'s>> {
        let of = |kind: Kind| self.changes.iter().filter(move |change| change.kind == kind);
        Kind::ALL.into_iter().filter(|kind| *kind != Kind::Unchanged).flat_map(of).collect()
    }

    fn summary(&self) -> String {
        let some: Vec<String> =
            self.counts().iter().filter(|(_, n)| *n > 0).map(|(kind, n)| format!("{n} {}", kind.as_str())).collect();
        if some.is_empty() { "no queries".to_owned() } else { some.join(", ") }
    }

    fn plain(&self) -> String {
        let mut out = String::new();
        for change in self.shown() {
            let Some(item) = item(change) else { continue };
            let title = one_line(item.title.unwrap_or("(no title)"));
            let _ = writeln!(out, "{}: {title} [{}]", change.kind.as_str(), item.output);
            let _ = writeln!(out, "  {}", one_line(&item.path));
            if !change.why.is_empty() {
                let _ = writeln!(out, "  {}", one_line(&change.why));
            }
            sides(&mut out, "  ", change);
            if let Some(event) = &change.example {
                let _ = writeln!(out, "  event that only one of them finds: {event}");
            }
            out.push('\n');
        }
        let _ = writeln!(out, "against {}: {}", self.base, self.summary());
        out
    }

    fn json(&self) -> String {
        let state = |item: &'r Option<Item<'s>>| {
            item.as_ref().map(|item| State {
                status: item.status,
                queries: item.queries.filter(|queries| !queries.is_empty()),
                query_sha256: item.hash.as_deref(),
                errors: &item.errors,
                path: &item.path,
            })
        };
        let rows = self.shown().into_iter().filter_map(|change| {
            let item = item(change)?;
            Some(Row {
                change: change.kind.as_str(),
                why: &change.why,
                output: item.output,
                id: item.id,
                title: item.title,
                path: &item.path,
                document: item.document,
                before: state(&change.old),
                after: state(&change.new),
                differs: change.differs.as_ref(),
                example: change.example.as_ref(),
            })
        });
        let rows: Vec<Row<'_>> = rows.collect();
        let counts: serde_json::Map<String, Value> =
            self.counts().into_iter().map(|(kind, count)| (kind.as_str().to_owned(), Value::from(count))).collect();
        let whole = serde_json::json!({ "version": 1, "base": self.base, "counts": counts, "changes": rows });
        // Texts, numbers and lists only: there is nothing in it that JSON could not hold.
        serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
    }

    fn markdown(&self) -> String {
        let mut out = String::from("### Queries\n\n");
        let _ = writeln!(out, "Against {}: {}.\n", code(self.base), self.summary());
        let shown = self.shown();
        if shown.is_empty() {
            return out;
        }
        out += "| change | rule | output | why |\n|---|---|---|---|\n";
        let mut left = 0;
        for change in &shown {
            let Some(item) = item(change) else { continue };
            let title = code(item.title.unwrap_or("(no title)"));
            let line = format!(
                "| {} | {title}<br>{} | {} | {} |\n",
                change.kind.as_str(),
                code(&item.path),
                code(item.output),
                prose(&change.why)
            );
            if out.len() + line.len() > LONGEST / 2 {
                left += 1;
            } else {
                out += &line;
            }
        }
        if left > 0 {
            let _ = writeln!(out, "\n{left} more changes are not shown here; `sigcast diff` shows all.");
        }
        out += &self.details(&shown, LONGEST.saturating_sub(out.len()));
        out
    }

    /// Each change with its queries, folded, as far as there is room.
    fn details(&self, shown: &[&Change<'_>], room: usize) -> String {
        let mut out = String::new();
        let mut left = 0;
        for change in shown {
            let Some(item) = item(change) else { continue };
            let mut text = String::new();
            sides(&mut text, "", change);
            let title = code(item.title.unwrap_or("(no title)"));
            let mut one =
                format!("\n<details><summary>{}: {title} [{}]</summary>\n\n", change.kind.as_str(), code(item.output));
            if !text.is_empty() {
                one += &fenced("diff", &text);
            }
            if let Some(event) = &change.example {
                let _ =
                    writeln!(one, "\nAn event that only one of them finds:\n\n{}", fenced("json", &event.to_string()));
            }
            one += "\n</details>\n";
            if out.len() + one.len() > room {
                left += 1;
            } else {
                out += &one;
            }
        }
        if left > 0 {
            let _ = writeln!(out, "\nThe queries of {left} changes are too long to be shown here.");
        }
        out
    }
}

/// The rule as it is now, else as it was.
fn item<'c, 's>(change: &'c Change<'s>) -> Option<&'c Item<'s>> {
    change.new.as_ref().or(change.old.as_ref())
}

/// Both sides of a change: queries, or what differs around them.
fn sides(out: &mut String, indent: &str, change: &Change<'_>) {
    if let Some(differs) = &change.differs {
        for (sign, lines) in [('-', &differs.before), ('+', &differs.after)] {
            for line in lines {
                let _ = writeln!(out, "{indent}{sign} {line}");
            }
        }
    } else if change.kind != Kind::Document {
        for (sign, item) in [('-', &change.old), ('+', &change.new)] {
            lines(out, indent, sign, item.as_ref());
        }
    }
}

/// The queries of one side, each line behind a sign.
fn lines(out: &mut String, indent: &str, sign: char, item: Option<&Item<'_>>) {
    for query in item.and_then(|item| item.queries).unwrap_or_default() {
        for line in query.lines() {
            let _ = writeln!(out, "{indent}{sign} {line}");
        }
    }
}

/// Text on one line, without what a terminal would take for a command.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Text as code, in Markdown and in HTML. GitHub and GitLab make links of `@name`, `GH-1`, `#1` and `www.…` once the
/// Markdown is rendered, whatever was escaped in it, but never within this element. Backquotes would not do: in a
/// `<summary>` they are text, and `|` ends the cell of a table within them.
/// Sources: gitlab-org/gitlab, lib/banzai/filter/references/reference_filter.rb (`pre`, `code`, `a` and `style` are passed
/// over); the filter for mentions of html-pipeline, which GitHub published (likewise).
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// Words of the program as they are; anything else as code.
fn prose(text: &str) -> String {
    let own = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || " ,;:()>=|-".contains(c);
    if text.chars().all(own) { escaped(text) } else { code(text) }
}

/// Text as it is, in Markdown: no character of it is one of Markdown or HTML, and it stays in its cell.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            // An entity, since a backslash before it may have one before it itself. `:` and `.` make addresses.
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' | '@' | ':' | '$'
            | '\'' | '.' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A code block that its text cannot end: its fence is longer than any run of backticks in it.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let text: String = text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect();
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_rule_leaves_its_place_in_markdown() {
        let evil = "a | b\n# c `d` <img src=x onerror=alert(1)> [x](http://y) @team **e** \\| $f$ &lt;";
        let text = escaped(evil);
        let safe = |c: char| !"`*_[]()|<>@$\\\n{}!~".contains(c);
        assert!(text.chars().all(safe), "{text}");
        assert_eq!(prose("finds 1 event less of 12 sample events"), "finds 1 event less of 12 sample events");
        for told in ["see GH-1", "@team", "www.evil.example", "#1"] {
            assert!(prose(told).starts_with("<code>") && prose(told).ends_with("</code>"), "{told}");
        }
        for text in ["a ``` b", "```\n# x\n```", "``````", ""] {
            let block = fenced("diff", text);
            let fence: String = block.chars().take_while(|c| *c == '`').collect();
            let inner = block.trim_end().strip_suffix(&fence).and_then(|block| block.strip_prefix(&fence));
            assert!(inner.is_some_and(|inner| !inner.contains(&fence)), "{block}");
        }
    }
}
