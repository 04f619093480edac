//! How diagnostics are shown: for people as annotated source, for programs as [`Row`]s.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::{Diagnostic, Severity, SourceId, SourceMap};

/// A diagnostic as other programs read it (an element of `warnings` and `errors` in `--jsonl`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The stable code.
    pub code: &'static str,
    /// The message, with the help lines.
    pub message: String,
    /// Line, from 1; absent if no text is at fault.
    pub line: Option<u32>,
    /// Column in characters, from 1.
    pub column: Option<u32>,
}

/// The diagnostic as a row.
#[must_use]
pub fn row(diagnostic: &Diagnostic, sources: &SourceMap) -> Row {
    let position = diagnostic.span().map(|span| sources.position(span));
    let mut message = diagnostic.message.clone();
    for help in &diagnostic.help {
        message.push_str("; ");
        message.push_str(help);
    }
    Row {
        code: diagnostic.code.as_str(),
        message,
        line: position.map(|at| at.line),
        column: position.map(|at| at.column),
    }
}

/// The diagnostic as annotated source text, without a trailing line break; `colour` adds terminal styles.
///
/// The first line is `error[code]: message`, the second points at `file:line:column`.
#[must_use]
pub fn text(diagnostic: &Diagnostic, sources: &SourceMap, colour: bool) -> String {
    text_as(diagnostic, diagnostic.severity(), sources, colour)
}

/// [`text`] with another weight than the code's own: a run may take an assumption for an error.
#[must_use]
pub fn text_as(diagnostic: &Diagnostic, severity: Severity, sources: &SourceMap, colour: bool) -> String {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.as_str());
    let mut group: Option<Group<'_>> = None;
    let mut files: Vec<SourceId> = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.source) {
            files.push(label.span.source);
        }
    }
    let mut title = Some(title);
    for file in files {
        let source = sources.get(file);
        let mut snippet = Snippet::source(source.text()).path(source.name()).line_start(1);
        for (at, label) in diagnostic.labels.iter().enumerate() {
            if label.span.source != file {
                continue;
            }
            let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let end = (label.span.end as usize).min(source.text().len());
            let start = (label.span.start as usize).min(end);
            let annotation = kind.span(start..end);
            snippet = snippet.annotation(if label.text.is_empty() {
                annotation
            } else {
                annotation.label(label.text.as_str())
            });
        }
        group = Some(match (group.take(), title.take()) {
            (Some(group), _) => group.element(snippet),
            (None, Some(title)) => title.element(snippet),
            (None, None) => Group::with_level(Level::NOTE).element(snippet),
        });
    }
    let mut group = match (group, title) {
        (Some(group), _) => group,
        (None, Some(title)) => Group::with_title(title),
        (None, None) => Group::with_level(Level::NOTE),
    };
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Span};

    #[test]
    fn text_shows_place_source_and_help() {
        let mut sources = SourceMap::new();
        let id = sources.add("r.yml", "a: 1\nfield|contians: x\n");
        let diagnostic = Diagnostic::at(Code::UnknownModifier, Span::new(id, 11, 19), "unknown modifier `contians`")
            .here("not a modifier")
            .help("did you mean `contains`?");
        let shown = text(&diagnostic, &sources, false);
        assert!(shown.starts_with("error[unknown-modifier]: unknown modifier `contians`"), "{shown}");
        assert!(shown.contains("r.yml:2:7"), "{shown}");
        assert!(shown.contains("^^^^^^^^ not a modifier"), "{shown}");
        assert!(shown.contains("help: did you mean `contains`?"), "{shown}");
    }
}
