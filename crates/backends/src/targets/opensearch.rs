//! OpenSearch's `query_string`: the query string of Elasticsearch, from which OpenSearch was forked.
//!
//! Source: OpenSearch documentation, "Query string query". Both parse with the same classes of Lucene; nothing that a
//! rule needs differs: operators, escapes, `_exists_`, ranges, networks on fields of type `ip` and the syntax of regular
//! expressions are those of Elasticsearch. The styles of the Atomic Threat Coverage library knew no OpenSearch.

mod correlation;
mod security_analytics;

use sigcast_diagnostics::Code;

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
    styles: &[(security_analytics::NAME, security_analytics::STYLE)],
    formats: &[
        plain("lucene"),
        Format::made("monitor", "a query-level monitor of OpenSearch Alerting", "json")
            .also(&["monitor_rule"])
            .scoping()
            .without_correlations(),
        // The detector that a rule is put in says which indices, and how often.
        Format::made("security-analytics", "a rule of OpenSearch Security Analytics, as its API takes it", "yml")
            .preparing(|settings| {
                settings.style = Some(security_analytics::NAME);
                settings.scope_outside = true;
            })
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
    assumes: |settings| match settings.style {
        Some(security_analytics::NAME) => &[Code::AssumeServerCompiles],
        _ => &[],
    },
    scoped: |settings| settings.style.is_none() && !settings.index.is_empty(),
    correlate: Correlate::Composed(correlation::compose),
    ..lucene::TARGET_CONST
};

static OPENSEARCH: Dialect = Dialect { name: "OpenSearch query_string", ..LUCENE };
