//! Which rules a run is about.
//!
//! Invariant: a rule that lacks what is asked for is not selected; documents that are no readable rule are never
//! filtered away, since nobody can know what they would have been.

use sigcast_ir::{Level, LogSource, Rule, Status};

use crate::args::ConvertArgs;
use crate::exit::Fault;

/// What is asked of rules. Every kind that is given must fit; within a kind, one of the values.
#[derive(Debug, Default, Clone)]
pub(crate) struct Selection {
    levels: Vec<Level>,
    statuses: Vec<Status>,
    tags: Vec<String>,
    sources: Vec<Source>,
}

/// A log source as asked for: what is absent fits anything.
#[derive(Debug, Default, Clone)]
struct Source {
    category: Option<String>,
    product: Option<String>,
    service: Option<String>,
}

impl Selection {
    /// The meaning of the selecting options.
    pub(crate) fn new(args: &ConvertArgs) -> Result<Self, Fault> {
        let mut selection = Self::default();
        selection.add_levels(&args.level)?;
        selection.add_statuses(&args.status)?;
        selection.add_tags(&args.tag);
        args.logsource.iter().try_for_each(|text| selection.add_source(text))?;
        Ok(selection)
    }

    /// Asks for these levels too.
    pub(crate) fn add_levels(&mut self, words: &[String]) -> Result<(), Fault> {
        self.levels.extend(values("level", words, Level::ALL, Level::as_str)?);
        Ok(())
    }

    /// Asks for these statuses too.
    pub(crate) fn add_statuses(&mut self, words: &[String]) -> Result<(), Fault> {
        self.statuses.extend(values("status", words, Status::ALL, Status::as_str)?);
        Ok(())
    }

    /// Asks for these tags too.
    pub(crate) fn add_tags(&mut self, tags: &[String]) {
        self.tags.extend(tags.iter().map(|tag| tag.trim().to_lowercase()));
    }

    /// Asks for this log source too.
    pub(crate) fn add_source(&mut self, text: &str) -> Result<(), Fault> {
        self.sources.push(Source::new(text)?);
        Ok(())
    }

    /// Whether anything is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.levels.is_empty() && self.statuses.is_empty() && self.tags.is_empty() && self.sources.is_empty()
    }

    /// Whether the rule is selected.
    pub(crate) fn takes(&self, rule: &Rule<'_>) -> bool {
        let level = self.levels.is_empty() || rule.meta.level.is_some_and(|level| self.levels.contains(&level));
        let status = self.statuses.is_empty() || rule.meta.status.is_some_and(|status| self.statuses.contains(&status));
        let tag =
            self.tags.is_empty() || rule.meta.tags.iter().any(|tag| self.tags.iter().any(|asked| below(tag, asked)));
        let source = self.sources.is_empty() || self.sources.iter().any(|source| source.takes(&rule.logsource));
        level && status && tag && source
    }
}

/// Whether a tag is the one asked for or lies below it, as `attack.t1059.001` does below `attack.t1059`.
fn below(tag: &str, asked: &str) -> bool {
    let tag = tag.to_lowercase();
    tag.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The values that words name; `word+` names that value and all above it. `all` is in rising order.
fn values<T: Copy>(
    option: &str,
    given: &[String],
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    for word in given {
        let (base, above) = word.trim().strip_suffix('+').map_or((word.trim(), false), |base| (base, true));
        let Some(at) = all.iter().position(|value| name(*value).eq_ignore_ascii_case(base)) else {
            let names: Vec<&str> = all.iter().map(|value| name(*value)).collect();
            return Err(Fault::usage(format!("--{option}: unknown {option} `{word}`"))
                .near(base, names.iter().copied())
                .help(format!("values of {option} are {}", names.join(", "))));
        };
        found.extend_from_slice(if above { &all[at..] } else { &all[at..=at] });
    }
    Ok(found)
}

impl Source {
    fn new(text: &str) -> Result<Self, Fault> {
        let mut source = Self::default();
        for pair in text.split(',') {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(Fault::usage(format!("--logsource {text}: `{pair}` is not of the form key=value"))
                    .help("such as --logsource category=process_creation,product=windows"));
            };
            let place = match key.trim() {
                "category" => &mut source.category,
                "product" => &mut source.product,
                "service" => &mut source.service,
                other => {
                    return Err(Fault::usage(format!("--logsource {text}: unknown key `{other}`"))
                        .near(other, ["category", "product", "service"])
                        .help("keys are category, product, service"));
                }
            };
            *place = Some(value.trim().to_owned());
        }
        Ok(source)
    }

    fn takes(&self, found: &LogSource<'_>) -> bool {
        let fits = |asked: &Option<String>, found: Option<&str>| {
            asked.as_deref().is_none_or(|asked| found.is_some_and(|found| found.eq_ignore_ascii_case(asked)))
        };
        fits(&self.category, found.category.as_deref())
            && fits(&self.product, found.product.as_deref())
            && fits(&self.service, found.service.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_with_what_lies_below() {
        let check = |tag: &str, asked: &str, expected: bool| assert_eq!(below(tag, asked), expected, "{tag} {asked}");
        check("attack.t1059.001", "attack.t1059", true);
        check("attack.T1059", "attack.t1059", true);
        check("attack.t10590", "attack.t1059", false);
        check("attack", "attack.t1059", false);
    }

    #[test]
    fn a_plus_takes_what_is_above() {
        let check = |given: &str, expected: &[Level]| {
            let given: Vec<String> = given.split(',').map(str::to_owned).collect();
            assert_eq!(values("level", &given, Level::ALL, Level::as_str).ok().as_deref(), Some(expected));
        };
        check("high+", &[Level::High, Level::Critical]);
        check("Low,critical+", &[Level::Low, Level::Critical]);
        let fault = values("level", &["hihg".to_owned()], Level::ALL, Level::as_str).expect_err("unknown");
        assert_eq!(fault.help.first().map(String::as_str), Some("did you mean `high`?"));
    }
}
