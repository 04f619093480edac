//! Formats that several targets have, each by one template in `templates/any/`.

use crate::target::Format;

/// The query below a comment; for languages that have comments.
pub(super) const fn commented(extension: &'static str) -> Format {
    Format::made("commented", "the query below a comment with what describes the rule", extension)
}

/// A rule of Kibana's detection engine. Index and time range stand in the rule.
pub(super) const SIEM_RULE: Format =
    Format::made("siem-rule", "a rule of Kibana's detection engine, as the API takes it", "json")
        .also(&["siem_rule"])
        .scoping();

/// Likewise, a rule a line.
pub(super) const SIEM_RULE_NDJSON: Format =
    Format::made("siem-rule-ndjson", "rules of Kibana's detection engine for import, one a line", "ndjson")
        .also(&["siem_rule_ndjson"])
        .scoping();
