//! OpenSearch's `query_string`: the query string of Elasticsearch, from which OpenSearch was forked.
//!
//! Source: OpenSearch documentation, "Query string query". Both parse with the same classes of Lucene; nothing that a
//! rule needs differs: operators, escapes, `_exists_`, ranges, networks on fields of type `ip` and the syntax of regular
//! expressions are those of Elasticsearch. The styles of the Atomic Threat Coverage library knew no OpenSearch.

mod correlation;

use super::formats::{DSL_REQUEST, ELASTALERT};
use super::lucene::{self, LUCENE};
use crate::correlate::Correlate;
use crate::dialect::Dialect;
use crate::target::{Format, Language, Target, plain};

/// OpenSearch, by its query string.
pub static TARGET: Target = Target {
    name: "opensearch",
    aliases: &[],
    title: "OpenSearch query_string (Lucene syntax)",
    language: Language::Single(&OPENSEARCH),
    model: lucene::INDEX,
    styles: &[],
    formats: &[
        plain("lucene"),
        Format::made("monitor", "a query-level monitor of OpenSearch Alerting", "json")
            .also(&["monitor_rule"])
            .scoping()
            .without_correlations(),
        Format::made("saved-search", "saved searches for the import of OpenSearch Dashboards, one a line", "ndjson")
            .also(&["dashboards", "dashboards_ndjson"])
            .without_correlations(),
        ELASTALERT.without_correlations(),
        DSL_REQUEST.without_correlations(),
    ],
    options: &[
        "cidr",
        "case",
        "fields",
        "index",
        "time_field",
        "time_range",
        "interval",
        "cron",
        "enabled",
        "level",
        "data_view",
    ],
    correlate: Correlate::Composed(correlation::compose),
    ..lucene::TARGET_CONST
};

static OPENSEARCH: Dialect = Dialect { name: "OpenSearch query_string", ..LUCENE };
