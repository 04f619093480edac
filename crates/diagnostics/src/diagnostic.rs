//! One message to the user.

use crate::{Class, Code, Span};

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; changes no result.
    Note,
    /// The result stands but deserves a look.
    Warning,
    /// No result.
    Error,
}

/// A place that a diagnostic speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// A message with a stable code, the places it speaks of (the first one is the place of the fault), and help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// One sentence without a full stop: what was found and what was expected.
    pub message: String,
    /// Places, the most important first. Empty only where no text is at fault.
    pub labels: Vec<Label>,
    /// What would mend it.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic at no place yet.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: Vec::new(), help: Vec::new() }
    }

    /// A diagnostic at a place.
    #[must_use]
    pub fn at(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, message).label(span, "")
    }

    /// Adds a place; the first one added is the place of the fault.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Sets the text beside the place of the fault.
    #[must_use]
    pub fn here(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds "did you mean `known`?" if the nearest word is known.
    #[must_use]
    pub fn suggest(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(word) => self.help(format!("did you mean `{word}`?")),
            None => self,
        }
    }

    /// How much it weighs: its code's class decides.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.code.class() {
            Class::Invalid | Class::Refusal | Class::Usage => Severity::Error,
            Class::Approximation | Class::Warning => Severity::Warning,
            Class::Assumption | Class::Note => Severity::Note,
        }
    }

    /// The place of the fault, if the diagnostic has one.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}
