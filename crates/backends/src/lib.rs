//! From what must match to the text of a query language.
//!
//! | stage | module | input | output |
//! |---|---|---|---|
//! | lower | [`sigcast_ir::lower`] | rule | [`Query`](sigcast_ir::Query) as written |
//! | whole-query passes | [`passes`] | query | query: simplified, split into stages, guarded |
//! | legalise | [`say`] | query | [`Said`](say::Said): every leaf with the means to write it, or a refusal |
//! | lists | `lists` | said | said, with lists where the language has them |
//! | write | [`write`] | said | text, written once, left to right |
//!
//! A language is a [`Dialect`](dialect::Dialect): one file under `targets/`, plain data and small functions.
//! What a construct means there is its entry: written as it is, rewritten by a pass, or refused with a reason.
//!
//! Invariants: after legalisation nothing can fail. Rewriting is a pass, never in the writer. No I/O.

mod convert;
mod correlate;
pub mod dialect;
mod lists;
mod losses;
#[cfg(test)]
mod made;
pub mod mustache;
pub mod options;
pub mod overrides;
pub mod passes;
pub mod readback;
pub mod say;
mod target;
mod targets;
pub mod typed;
mod ways;
pub mod write;

pub use convert::{Backend, Conversion, Status};
pub use correlate::Correlate;
pub use target::{Comment, Format, Language, Target};
pub use targets::{AMBIGUOUS, TARGETS, find};
