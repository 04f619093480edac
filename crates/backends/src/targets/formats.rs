//! Formats that several targets have, each by one template in `templates/any/`.

use crate::options::Settings;
use crate::target::Format;

/// The query below a comment; for languages that have comments.
pub(super) const fn commented(extension: &'static str) -> Format {
    Format::made("commented", "the query below a comment with what describes the rule", extension)
}

/// A saved search; the data view says which indices, and a time range stands beside the query.
pub(super) const SAVED_SEARCH: Format =
    Format::made("saved-search", "saved searches for Kibana's import of saved objects, one a line", "ndjson")
        .also(&["kibana_ndjson"])
        .scoping();

/// A rule of ElastAlert 2. Index and time range stand in the rule.
pub(super) const ELASTALERT: Format = Format::made("elastalert", "a rule of ElastAlert 2", "yaml").scoping();

/// A whole search request; index and time range stand in the query, as without a format.
pub(super) const DSL_REQUEST: Format =
    Format::made("dsl-request", "the body of a search request that has the query in it", "json").also(&["dsl_lucene"]);

/// A rule of Kibana's detection engine. Index and time range stand in the rule.
pub(super) const SIEM_RULE: Format =
    Format::made("siem-rule", "a rule of Kibana's detection engine, as the API takes it", "json")
        .also(&["siem_rule"])
        .preparing(siem_rule);

/// Likewise, a rule a line.
pub(super) const SIEM_RULE_NDJSON: Format =
    Format::made("siem-rule-ndjson", "rules of Kibana's detection engine for import, one a line", "ndjson")
        .also(&["siem_rule_ndjson"])
        .preparing(siem_rule);

/// The rule has places for index and time range, and one for what is counted.
fn siem_rule(settings: &mut Settings) {
    settings.scope_outside = true;
    settings.threshold = true;
}
