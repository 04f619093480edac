//! Every target, one file each.

mod atc;
mod duckdb;
mod eql;
mod es_dsl;
mod esql;
mod formats;
mod graylog;
mod groups;
mod kibana;
mod kusto;
mod lucene;
mod opensearch;
mod postgres;
mod splunk;
mod sql;
mod sqlite;
mod threshold;
mod watcher;

use crate::target::Target;

/// Every target, in the order of lists.
pub static TARGETS: &[&Target] = &[
    &lucene::TARGET,
    &opensearch::TARGET,
    &watcher::TARGET,
    &graylog::TARGET,
    &kibana::TARGET,
    &splunk::TARGET,
    &kusto::TARGET,
    &sqlite::TARGET,
    &postgres::TARGET,
    &duckdb::TARGET,
    &eql::TARGET,
    &esql::TARGET,
    &es_dsl::TARGET,
];

/// Names that stand for two languages, with what to say.
pub const AMBIGUOUS: &[(&str, &str)] =
    &[("kql", "two languages bear that name: `kusto` (Microsoft Sentinel and Defender) and `kibana` (Kibana's own)")];

/// The target with this name or alias.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().copied().find(|target| target.name == name || target.aliases.contains(&name))
}
