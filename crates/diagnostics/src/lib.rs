//! What sigcast says to its users: where ([`Span`]), what ([`Diagnostic`] with a stable [`Code`]),
//! and how it is shown ([`render`]).
//!
//! Invariant: this crate knows neither YAML nor rules nor targets, and does no I/O.

mod code;
mod diagnostic;
pub mod render;
mod source;
mod suggest;

pub use code::{Class, Code};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use source::{Position, Source, SourceId, SourceMap, Span};
pub use suggest::nearest;
