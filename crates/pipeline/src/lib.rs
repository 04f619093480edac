//! Processing pipelines: from rules as their authors wrote them to rules as a product's data has them.
//!
//! | stage | input | output |
//! |---|---|---|
//! | `read`, `item`, `gate`, `conditions`, `transformations` | a YAML text | [`Pipeline`]: items, compiled once |
//! | [`Chain::apply`] | a rule | the rule after every item, in order, with what there is to say |
//! | [`Chain::correlate`] | a correlation | likewise, each of its rules |
//! | [`Chain::postprocess`], [`Chain::finalize`] | queries | what pipelines make of them |
//!
//! The vocabulary is pySigma's, so that its files load unchanged. An item is one entry of a table and one file.
//!
//! Invariant: a pipeline runs no code but its own items, and touches nothing outside but by [`World`].

mod builtin;
mod chain;
mod conditions;
mod correlation;
mod coverage;
mod engine;
mod explain;
mod gate;
mod item;
mod output;
mod pipeline;
mod read;
mod run;
mod show;
mod text;
mod transformations;
mod vocabulary;
mod world;

pub use builtin::{Builtin, builtin, builtins, schema};
pub use chain::{Applied, Chain};
pub use coverage::{Coverage, Gap};
pub use explain::{Event, Outcome};
pub use pipeline::Pipeline;
pub use show::item as shown_item;
pub use vocabulary::{Word, vocabulary};
pub use world::{Command, Nowhere, Request, World};
