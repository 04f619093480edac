//! What `file_placeholders`, `http_placeholders` and `command_placeholders` share: values in a text from elsewhere.
//!
//! A file is read from beside the pipeline. Requests and commands are refused unless the run allows them. All of it
//! happens once, when the pipeline is read, within bounds of time and size.

use std::time::Duration;

use fancy_regex::Regex;
use serde::Deserialize;
use serde_yaml::Value;
use sigcast_frontend::part;
use sigcast_ir::{DetectionItem, Pattern, Test};

use super::placeholders::Selection;
use super::{Resources, parameters};
use crate::item::{ValueWork, Work};
use crate::read::{Faults, Located, fault};
use crate::run::{Refusal, Run};
use crate::text;

/// Whether the run allows what an item does.
pub(super) fn allowed(
    resources: &Resources<'_>,
    name: &str,
    what: &str,
    place: sigcast_diagnostics::Span,
) -> Result<(), Faults> {
    if resources.world.allows_external() {
        return Ok(());
    }
    let wrong = fault(place, format!("`{name}` {what}, which a pipeline must not do unless the run allows it"));
    Err(vec![wrong.help("`--allow-external` allows it for pipelines that are trusted")])
}

/// The most seconds and bytes that a pipeline can ask for.
const MOST_SECONDS: u64 = 60;
const MOST_BYTES: usize = 10 << 20;

/// A time that was asked for, within bounds.
pub(super) fn seconds(asked: u64) -> Duration {
    Duration::from_secs(asked.clamp(1, MOST_SECONDS))
}

/// A size that was asked for, within bounds.
pub(super) fn bytes(asked: usize) -> usize {
    asked.min(MOST_BYTES)
}

/// The most bytes, where nothing is asked for.
pub(super) fn most() -> usize {
    MOST_BYTES
}

/// How values are found in a text.
#[derive(Debug, Deserialize)]
pub(super) struct Extraction {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    #[serde(default)]
    format: Format,
    filter: Option<String>,
    csv_column: Option<Column>,
    #[serde(default = "yes")]
    csv_has_header: bool,
    jq_expression: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Plaintext,
    Csv,
    Json,
    Yaml,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Column {
    Index(usize),
    Name(String),
}

fn yes() -> bool {
    true
}

/// The parameters of every source, and those of one.
pub(super) fn split<T: serde::de::DeserializeOwned>(
    found: &Located<'_, '_>,
    name: &str,
) -> Result<(Extraction, T), Faults> {
    let own = crate::read::parameters::<T>();
    let common = crate::read::parameters::<Extraction>();
    let extraction = parameters(found.without(own), name);
    let source = parameters(found.without(common), name);
    match (extraction, source) {
        (Ok(extraction), Ok(source)) => Ok((extraction, source)),
        // What neither knows both complain of.
        (Err(faults), _) | (Ok(_), Err(faults)) => Err(faults),
    }
}

impl Extraction {
    /// The work that puts the values in a text in the place of placeholders.
    pub(super) fn work<'a>(self, text: &str, place: sigcast_diagnostics::Span) -> Result<Work<'a>, Faults> {
        let wrong = |why: String| vec![fault(place, why)];
        let filter = self.filter.as_ref().map(|filter| text::regex(filter, filter, place)).transpose()?;
        let values = self.values(text).map_err(wrong)?;
        let kept =
            |value: &String| filter.as_ref().is_none_or(|filter: &Regex| text::found(filter, value).unwrap_or(true));
        let patterns: Vec<Pattern<'static>> =
            values.into_iter().filter(kept).map(|value| part::pattern(&value)).collect();
        if patterns.is_empty() {
            return Err(wrong("the source has no value".to_owned()));
        }
        Ok(Work::Values(Box::new(Listed { selection: Selection::new(self.include, self.exclude), patterns })))
    }

    fn values(&self, text: &str) -> Result<Vec<String>, String> {
        match self.format {
            Format::Plaintext => {
                Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
            }
            Format::Csv => self.column(text),
            Format::Json | Format::Yaml => {
                // JSON is YAML.
                let whole: Value =
                    serde_yaml::from_str(text).map_err(|why| format!("the source does not parse: {why}"))?;
                let path = self.jq_expression.as_deref().unwrap_or(".[]");
                let found = follow(vec![&whole], path)?;
                let texts = found.into_iter().map(|value| {
                    text::scalar(value).ok_or_else(|| format!("`{path}` leads to what is no text or number"))
                });
                texts.collect()
            }
        }
    }

    fn column(&self, text: &str) -> Result<Vec<String>, String> {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(self.csv_has_header).flexible(true).from_reader(text.as_bytes());
        let index = match &self.csv_column {
            None => 0,
            Some(Column::Index(index)) => *index,
            Some(Column::Name(name)) => {
                let headers = reader.headers().map_err(|why| why.to_string())?;
                headers
                    .iter()
                    .position(|known| known == name)
                    .ok_or_else(|| format!("the source has no column `{name}`"))?
            }
        };
        let rows = reader.records().map(|row| {
            let row = row.map_err(|why| format!("the source does not parse: {why}"))?;
            row.get(index).map(str::to_owned).ok_or_else(|| format!("a row has no column {index}"))
        });
        rows.collect()
    }
}

/// The values at the end of a path: `.key`, `["key"]`, `[0]`, `[]`, as of jq.
fn follow<'v>(mut values: Vec<&'v Value>, path: &str) -> Result<Vec<&'v Value>, String> {
    let unknown = || format!("`{path}` is no path: steps are `.key`, `[\"key\"]`, `[0]` and `[]`");
    let mut rest = path.trim().strip_prefix('.').ok_or_else(unknown)?;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = inner.split_once(']').ok_or_else(unknown)?;
            rest = after;
            let name = step.strip_prefix('"').and_then(|step| step.strip_suffix('"'));
            values = match (step, name) {
                ("", _) => values.into_iter().flat_map(elements).collect(),
                (_, Some(name)) => values.into_iter().filter_map(|value| value.get(name)).collect(),
                (number, None) => {
                    let index: usize = number.parse().map_err(|_| unknown())?;
                    values.into_iter().filter_map(|value| value.get(index)).collect()
                }
            };
        } else {
            let step = rest.strip_prefix('.').unwrap_or(rest);
            let end = step.find(['.', '[']).unwrap_or(step.len());
            let (name, after) = step.split_at(end);
            rest = after;
            if name.chars().any(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '$'))) {
                return Err(unknown());
            }
            if name.is_empty() {
                if rest.starts_with('.') {
                    return Err(unknown());
                }
                continue;
            }
            values = values.into_iter().filter_map(|value| value.get(name)).collect();
        }
    }
    Ok(values)
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Sequence(items) => items.iter().collect(),
        Value::Mapping(entries) => entries.values().collect(),
        _ => Vec::new(),
    }
}

#[derive(Debug)]
struct Listed {
    selection: Selection,
    patterns: Vec<Pattern<'static>>,
}

impl ValueWork for Listed {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        let Test::Text { pattern, case } = test else { return Ok(None) };
        self.selection.replaced(pattern, *case, &|_| Ok(self.patterns.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let whole: Value = serde_yaml::from_str("{a: {b: [1, x]}, c d: y}").expect("YAML");
        let check = |path: &str, expected: &[&str]| {
            let found = follow(vec![&whole], path).expect(path);
            let texts: Vec<String> = found.into_iter().filter_map(text::scalar).collect();
            assert_eq!(texts, expected, "{path}");
        };
        check(".a.b[]", &["1", "x"]);
        check(".a.b[1]", &["x"]);
        check(".[\"c d\"]", &["y"]);
        check(".nothing", &[]);
        assert!(follow(vec![&whole], "a | b").is_err());
        assert!(follow(vec![&whole], ".a[x]").is_err());
    }
}
