//! What Sigma rules mean, in two levels.
//!
//! | level | type | who works on it |
//! |---|---|---|
//! | what the author wrote | [`Rule`]: metadata, log source, named detections, conditions | the frontend, pipelines |
//! | what must match | [`Expr`]: one boolean expression a condition | passes and backends |
//!
//! [`lower::queries`] leads from the first to the second.
//!
//! Invariant: this crate names no target and no YAML. Text is borrowed from the rule file as far as it goes.

mod condition;
mod correlation;
mod expr;
mod filter;
pub mod lower;
pub mod model;
mod pattern;
mod rule;
pub mod schema;
mod test;

pub use condition::{Condition, Quantifier};
pub use correlation::{
    Bound, Correlation, Criterion, Key, KeyField, Measure, Member, MemberCondition, Source, Timespan, Wanted,
};
pub use expr::{Expr, Match, Query, Subject};
pub use filter::{Filter, FilterRules, Reference};
pub use pattern::{Part, Pattern, Shape};
pub use rule::{
    Attribute, Detection, DetectionItem, Level, LogSource, Meta, Prepared, Related, Rule, Status, Tree, Value,
    ValueLinking,
};
pub use test::{Affix, Case, Field, Number, NumberValue, Order, Regex, RegexFlags, Test, TimePart};
