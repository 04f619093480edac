//! What keeps a query from being run.

use std::fmt;

use sigcast_diagnostics::Span;

/// Why a query cannot be run, or not on this event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalError {
    /// What is wrong.
    pub fault: EvalFault,
    /// The value of the rule that it is about; none if it is about the whole query or the event.
    pub span: Option<Span>,
}

/// The kinds of [`EvalError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvalFault {
    /// The value has a placeholder of this name that no pipeline replaced.
    Placeholder(String),
    /// A piece of a target's own language stands in the query: only that target knows its meaning.
    Raw,
    /// The regular expression cannot be run here, with the reason.
    Regex(String),
    /// The regular expression needed more steps on this event than it is given: its answer is not known.
    RegexSteps,
    /// A test that needs a field is asked of the whole event.
    NeedsField,
    /// The query, or the event, nests deeper than any real one.
    TooDeep,
    /// A correlation asks for more than can be counted out, with what there is too much of.
    TooLarge(&'static str),
}

impl EvalError {
    /// An error about a value of the rule.
    pub(crate) fn at(fault: EvalFault, span: Span) -> Self {
        Self { fault, span: Some(span) }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            EvalFault::Placeholder(name) => write!(f, "the placeholder `%{name}%` was not replaced by a pipeline"),
            EvalFault::Raw => f.write_str("a piece of a target's language cannot be run on an event"),
            EvalFault::Regex(reason) => write!(f, "the regular expression cannot be run: {reason}"),
            EvalFault::RegexSteps => f.write_str("the regular expression needs too many steps on this event"),
            EvalFault::NeedsField => f.write_str("a test that needs a field is asked of the whole event"),
            EvalFault::TooDeep => f.write_str("it nests too deeply"),
            EvalFault::TooLarge(what) => write!(f, "the correlation needs {what}"),
        }
    }
}

impl std::error::Error for EvalError {}
