//! Elasticsearch Watcher: a query string in a watch.
//!
//! Source: Elasticsearch reference, "Watcher" (search input, compare condition, actions). The query is Lucene's; what
//! stands around it is a template of the format. Index and time range stand in the watch, not in the query.

mod correlation;

use super::lucene::{self, LUCENE};
use crate::correlate::Correlate;
use crate::dialect::{Dialect, Say};
use crate::target::{Format, Language, Target};

/// Elasticsearch Watcher.
pub static TARGET: Target = Target {
    name: "watcher",
    aliases: &["xpack-watcher"],
    title: "Elasticsearch Watcher",
    language: Language::Single(&WATCHER),
    model: lucene::INDEX,
    styles: super::atc::WATCHER,
    options: &[
        "style",
        "cidr",
        "case",
        "fields",
        "index",
        "time_field",
        "time_range",
        "interval",
        "recipient",
        "api",
        "action",
        "webhook",
        "action_index",
        "host",
    ],
    formats: &[
        Format::made("json", "the body of the watch; several are a stream of JSON values", "json"),
        Format::made("curl", "a shell script that puts the watch", "sh"),
        Format::made("console", "a request for Kibana's Dev Tools", "txt"),
    ],
    scope: |_| Vec::new(),
    correlate: Correlate::Composed(correlation::compose),
    ..lucene::TARGET_CONST
};

/// The watch itself asks for a lenient search, so nothing has to be assumed of it.
static WATCHER: Dialect =
    Dialect { network_v4: Say::Lowered(lucene::network), network_v6: Say::Lowered(lucene::network), ..LUCENE };
