//! The header of a template: its first comment, in YAML, which says what comes out of it.
//!
//! ```text
//! {#-
//! extension: json
//! unit: query
//! escape: json
//! #}
//! ```
//!
//! Invariant: a template without a right header is never rendered.

use serde::Deserialize;

use crate::FormatError;

/// What a template says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// The file extension of what comes out, without the dot; `*` for that of the target's queries.
    pub(crate) extension: String,
    /// What one rendering covers.
    pub(crate) unit: Unit,
    /// Whether what comes out is one document that its product takes by itself: two of them in one file are none that it
    /// takes.
    #[serde(default)]
    pub(crate) alone: bool,
    /// How values are escaped where the template prints them.
    #[serde(default)]
    pub(crate) escape: Escape,
    /// Another template of the same target, whose output this one prints as `body`.
    #[serde(default)]
    pub(crate) wraps: Option<String>,
    /// Options without which there is nothing to render, such as `index`.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// Whether it has ATT&CK, so that a tag which names nothing there is worth a warning.
    #[serde(default)]
    pub(crate) attack: bool,
    /// How often the product runs the rule, if it does; `None` also for what has no such notion.
    #[serde(default)]
    pub(crate) schedule: Option<Pace>,
    /// Words beyond options that it reads of a rule's attribute `custom` (as `overrides`); `action.*` is every word that
    /// starts so.
    #[serde(default)]
    pub(crate) overrides: Vec<String>,
}

/// How often a product runs a rule if nothing else is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pace {
    /// The interval, such as `5m`.
    pub(crate) interval: String,
    /// How much further than the interval each run looks back, such as `1m`, for events that come late.
    #[serde(default)]
    pub(crate) overlap: Option<String>,
}

/// What one rendering covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// One query of a rule: a rule with several gives several texts, one after the other.
    Query,
    /// A rule with all of its queries.
    Rule,
}

/// How values are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Escape {
    /// As they are.
    #[default]
    None,
    /// As JSON, quotes included.
    Json,
    /// As JSON in ASCII.
    AsciiJson,
    /// As JSON in a template of Azure Resource Manager, where text in brackets would be an expression.
    Arm,
    /// As YAML: quoted text, and lists and maps in one line.
    Yaml,
    /// As TOML: quoted text, and lists in one line.
    Toml,
    /// As the value of a line `key = value` in a file of Splunk's form.
    Conf,
}

impl Header {
    /// The header of a template's text.
    ///
    /// # Errors
    /// No comment at the start, or one that is not the YAML of a header: what is wrong, and in which line.
    pub(crate) fn read(name: &str, template: &str) -> Result<Self, FormatError> {
        let inner = template.strip_prefix("{#").and_then(|rest| rest.split_once("#}")).map(|(inner, _)| inner);
        let Some(inner) = inner else {
            let message = format!(
                "the template {name} does not start with a comment `{{#- … #}}` that declares its extension and unit"
            );
            return Err(FormatError { message });
        };
        // The sign for trimming blanks belongs to the template language.
        let yaml = inner.strip_prefix('-').unwrap_or(inner);
        let yaml = yaml.strip_suffix('-').unwrap_or(yaml);
        let wrong =
            |fault: String| FormatError { message: format!("the header of the template {name} is wrong: {fault}") };
        let header: Self = serde_yaml::from_str(yaml).map_err(|fault| wrong(fault.to_string()))?;
        if header.extension != "*" && !is_extension(&header.extension) {
            let expected = "an extension is letters, digits, `.`, `-` and `_`, with no dot at its start or end";
            return Err(wrong(format!("`extension: {:?}`: {expected}", header.extension)));
        }
        Ok(header)
    }
}

/// Whether a text can end the name of a file and stays in it.
fn is_extension(text: &str) -> bool {
    let right = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    !text.is_empty() && text.len() <= 32 && text.chars().all(right) && !text.starts_with('.') && !text.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: Result<Header, &str>) {
        let found = Header::read("t/f.j2", template).map_err(|error| error.message);
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{template}"),
            (Err(found), Err(part)) => assert!(found.contains(part) && found.contains("t/f.j2"), "{found}"),
            (found, expected) => panic!("{template}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn headers_are_read_and_faults_named() {
        let plain = Header {
            extension: "sh".into(),
            unit: Unit::Query,
            alone: false,
            escape: Escape::None,
            wraps: None,
            needs: Vec::new(),
            attack: false,
            schedule: None,
            overrides: Vec::new(),
        };
        check("{#-\nextension: sh\nunit: query\n#}\nx", Ok(plain.clone()));
        check("{# {extension: sh, unit: query, alone: true} #}", Ok(Header { alone: true, ..plain.clone() }));
        check("{#- extension: sh\n    unit: query -#}", Err("mapping values"));
        check(
            "{# {extension: sh, unit: rule, escape: ascii-json, wraps: json} #}",
            Ok(Header { unit: Unit::Rule, escape: Escape::AsciiJson, wraps: Some("json".into()), ..plain.clone() }),
        );
        check("x", Err("does not start with a comment"));
        check("{# never closed", Err("does not start with a comment"));
        check("{#- unit: query #}", Err("missing field `extension`"));
        check("{#-\nextension: sh\nunit: week\n#}", Err("unknown variant `week`, expected `query` or `rule`"));
        check("{# {extension: tar.gz, unit: query} #}", Ok(Header { extension: "tar.gz".into(), ..plain }));
        for bad in ["a/../../../../escaped", "..", ".sh", "", "a\\\\b", "sh ", "a:b", "a\\nb", "sh."] {
            check(&format!("{{# {{extension: \"{bad}\", unit: query}} #}}"), Err("an extension is letters, digits"));
        }
        check("{#-\nextension: sh\nunit: query\nescpae: json\n#}", Err("unknown field `escpae`"));
    }
}
