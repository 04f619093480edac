//! Emitted queries, run on the real engines over sample events and recorded ones: the same answer as the evaluator's?
//!
//! | step | module | what it does |
//! |---|---|---|
//! | read | [`corpus`] | rules with their sample events, and the recorded events |
//! | lay out | [`layout`] | the types of the fields by what rules ask of them; batches of rules that agree on those |
//! | map | [`mapped`] | the same after a built-in pipeline |
//! | project | [`project`] | events as an engine holds them: without what its data model cannot tell apart |
//! | convert | [`runs`] | each target under each way of options and schema, and the request that its query becomes |
//! | execute | [`engines`] | one file an engine, behind one trait |
//! | compare | [`compare`] | the events that the engine finds against those that the evaluator matches |
//! | report | [`report`] | `docs/conformance.md` |
//!
//! [`correlations`] does the same for correlations, over streams of events with times.
//!
//! [`kibana`] stands in for Kibana: it reads its language and translates as it does. [`spl`] stands in for Splunk, which
//! cannot be had: it interprets its language as the documentation has it.
//!
//! Invariants: an engine is never asked what the right answer is. A query is run only on data that fulfils what its
//! conversion assumes; what is not run is counted with the reason. Nothing is downloaded but pinned packages.

pub mod compare;
pub mod corpus;
pub mod correlations;
pub mod engines;
pub mod kibana;
pub mod layout;
pub mod mapped;
pub mod project;
pub mod report;
pub mod runs;
pub mod spl;
