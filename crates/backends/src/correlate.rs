//! Correlations: what a target's composer is given to write one query for all rules of a correlation.
//!
//! A target that can count or order events has a [`Compose`] function in a file of its own. The rules' own conditions are
//! written by the same stages as single rules ([`Composer::expression`], [`Composer::stages`]); what stands around them is
//! the composer's.
//!
//! Invariant: a composer writes the meaning of [`Correlation`], or refuses with a reason, or warns with a code of what
//! differs. Names and texts go through the dialect: nothing of a rule leaves its quotes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_ir::{Correlation, Expr, Field, Rule, lower};

use crate::convert::{Backend, Conversion, Work};
use crate::dialect::Dialect;
use crate::losses::assumed;
use crate::options::Settings;
use crate::overrides;
use crate::target::{Language, Target};
use crate::write::Writer;

/// What a target does with correlations.
#[derive(Debug, Clone, Copy)]
pub enum Correlate {
    /// It says them, or refuses some.
    Composed(Compose),
    /// It cannot say any; the reason as the user reads it, which completes "… cannot be said in Splunk: ".
    Refused(&'static str),
}

/// How long the query of a correlation may be, in bytes: each correlation that stands in others is written out.
const MOST_BYTES: usize = 4_000_000;

/// Writes the query of a correlation, or has said why it cannot.
pub type Compose = fn(&mut Composer<'_>, &Correlation<'_>) -> Option<String>;

/// The conversion of one correlation under way.
#[derive(Debug)]
pub struct Composer<'c> {
    backend: &'c Backend,
    /// What describes the correlation, and what is set for it.
    described: &'c Rule<'c>,
    /// The options that are for the correlation as a whole.
    settings: &'c Settings,
    assumptions: BTreeSet<Code>,
    diagnostics: Vec<Diagnostic>,
}

/// A rule in a language of two stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stages {
    /// The text of the search; never empty.
    pub(crate) search: String,
    /// The expression of the filter behind it, without what stands before a filter.
    pub(crate) filter: Option<String>,
}

impl Backend {
    /// Converts a correlation, whole or not at all: one query.
    #[must_use]
    pub fn correlate(&self, correlation: &Correlation<'_>) -> Conversion {
        let described = correlation.described();
        let mut diagnostics = Vec::new();
        let settings = self.settings_for(&described, &mut diagnostics);
        let failed = !diagnostics.is_empty();
        let mut composer = Composer {
            backend: self,
            described: &described,
            settings: &settings,
            assumptions: BTreeSet::new(),
            diagnostics,
        };
        let target = self.target;
        let query = match target.correlate {
            _ if failed => None,
            Correlate::Composed(compose) => compose(&mut composer, correlation),
            Correlate::Refused(reason) => {
                composer.refuse(correlation.kind_span, reason);
                None
            }
        };
        let query = query.filter(|text| composer.is_short(correlation, text));
        for rule in correlation.rules() {
            // What is wrong with them is said where they are written.
            let settings = composer.own_settings(rule, &mut Vec::new());
            if !(rule.prepared.scoped || (target.scoped)(&settings)) {
                composer.assumptions.insert(Code::AssumeScope);
            }
            composer.assumptions.extend((target.assumes)(&settings));
        }
        assumed(&target.model, &mut composer.assumptions);
        let Composer { assumptions, diagnostics, .. } = composer;
        let work = Work { target, settings: &settings, assumptions, diagnostics };
        work.finish(query.into_iter().collect())
    }
}

impl<'c> Composer<'c> {
    /// The target.
    pub(crate) fn target(&self) -> &'static Target {
        self.backend.target
    }

    /// The options for the correlation as a whole: those of the run, what pipelines set for all of its rules alike, and what
    /// it sets itself.
    pub(crate) fn settings(&self) -> &'c Settings {
        self.settings
    }

    /// The options for one of the rules: those of the run, what pipelines set for it, what it sets itself, and, which counts
    /// most, what the correlation sets. None if a value is set that the target does not take, which is said.
    pub(crate) fn settings_for(&mut self, rule: &Rule<'_>) -> Option<Cow<'c, Settings>> {
        let mut faults = Vec::new();
        let settings = self.own_settings(rule, &mut faults);
        let right = faults.is_empty();
        faults.retain(|fault| !self.diagnostics.contains(fault));
        self.diagnostics.append(&mut faults);
        right.then_some(settings)
    }

    /// Whether the query is short enough; if not, that is said.
    fn is_short(&mut self, correlation: &Correlation<'_>, query: &str) -> bool {
        let short = query.len() <= MOST_BYTES;
        if !short {
            let message = format!(
                "the query of the correlation has {} bytes, and {MOST_BYTES} are the most: each correlation in it is \
                 written out wherever it stands",
                query.len()
            );
            let fault = Diagnostic::at(Code::QueryTooLarge, correlation.kind_span, message);
            self.diagnostics.push(fault.here("not converted"));
        }
        short
    }

    fn own_settings(&self, rule: &Rule<'_>, faults: &mut Vec<Diagnostic>) -> Cow<'c, Settings> {
        let mut settings = self.backend.settings_for(rule, faults);
        // What is wrong with them has been said, once.
        overrides::apply(self.described, self.backend.target, &mut settings, &mut Vec::new());
        settings
    }

    /// Refuses the correlation if its rules have their times in different fields, and says so then.
    pub(crate) fn has_one_time(&mut self, correlation: &Correlation<'_>) -> Option<()> {
        let mut times = Vec::new();
        for rule in correlation.rules() {
            times.push(self.settings_for(rule)?.time_field.clone());
        }
        if times.iter().any(|time| *time != self.settings.time_field) {
            self.refuse(correlation.kind_span, "its rules have their times in different fields");
            return None;
        }
        Some(())
    }

    /// The rule as the style of the run reads and prints it. None without a style of one language, or if it was refused, which
    /// is said.
    pub(crate) fn styled(&mut self, rule: &Rule<'_>) -> Option<String> {
        let style = self.target().style(self.settings())?;
        let Language::Single(dialect) = style.language else { return None };
        let read = (style.read)(rule.clone(), &mut self.diagnostics);
        let text = self.expression(&read, dialect)?;
        (style.output)(&read, std::slice::from_ref(&text), &mut self.diagnostics);
        Some(text)
    }

    /// Refuses the correlation; the reason completes "… cannot be said in Splunk: ".
    pub(crate) fn refuse(&mut self, place: Span, reason: &str) {
        let message = format!("this correlation cannot be said in {}: {reason}", self.target().title);
        self.diagnostics.push(Diagnostic::at(Code::CorrelationUnsupported, place, message).here("not converted"));
    }

    /// Says how the query differs from the correlation.
    pub(crate) fn approximate(&mut self, code: Code, place: Span, message: &str) {
        let said = Diagnostic::at(code, place, message);
        if !self.diagnostics.contains(&said) {
            self.diagnostics.push(said);
        }
    }

    /// Notes what the data must fulfil.
    pub(crate) fn assume(&mut self, code: Code) {
        self.assumptions.insert(code);
    }

    /// The rule as one boolean expression of a language: one of its conditions is true. Not in a group; scopes that the
    /// options ask for are in it. None if it was refused, which is said.
    pub(crate) fn expression(&mut self, rule: &Rule<'_>, dialect: &'static Dialect) -> Option<String> {
        self.expression_of_any(&[rule], dialect)
    }

    /// The rule in a language of two stages: one of its conditions is true. None if it was refused, which is said.
    pub(crate) fn stages(&mut self, rule: &Rule<'_>) -> Option<Stages> {
        self.stages_of_any(&[rule])
    }

    /// One of several rules in a language of two stages; all have the options that pipelines set for the first. None if
    /// one was refused, which is said.
    pub(crate) fn stages_of_any(&mut self, rules: &[&Rule<'_>]) -> Option<Stages> {
        let Language::Staged { search, filter, .. } = self.target().language else { return None };
        self.written_of_any(rules, |work, query, span| {
            let (first, second) = work.stages(query, span, search, filter)?;
            let mut writer = Writer::new(search, work.settings);
            work.write_search(&mut writer, &first);
            let filter = second.map(|second| {
                let mut writer = Writer::new(filter, work.settings);
                writer.query(&second);
                writer.out
            });
            Some(Stages { search: writer.out, filter })
        })
    }

    /// One of several rules as one boolean expression, as [`Composer::expression`] writes one; all have the options that
    /// pipelines set for the first.
    pub(crate) fn expression_of_any(&mut self, rules: &[&Rule<'_>], dialect: &'static Dialect) -> Option<String> {
        self.written_of_any(rules, |work, query, span| {
            let said = work.single(query, span, dialect)?;
            let mut writer = Writer::new(dialect, work.settings);
            writer.query(&said);
            Some(writer.out)
        })
    }

    fn written_of_any<'a, T>(
        &mut self,
        rules: &[&Rule<'a>],
        write: impl FnOnce(&mut Work<'_>, sigcast_ir::Query<'a>, Span) -> Option<T>,
    ) -> Option<T> {
        let first = rules.first()?;
        let settings = self.settings_for(first)?;
        let mut queries: Vec<_> = rules.iter().flat_map(|rule| lower::queries(rule)).collect();
        let span = queries.first().map_or(first.span, |(_, span)| *span);
        let query = match queries.len() {
            1 => queries.swap_remove(0).0,
            _ => Expr::Or(queries.into_iter().map(|(query, _)| query).collect()),
        };
        let mut work = Work {
            target: self.target(),
            settings: &settings,
            assumptions: std::mem::take(&mut self.assumptions),
            diagnostics: std::mem::take(&mut self.diagnostics),
        };
        let written = write(&mut work, query, span);
        (self.assumptions, self.diagnostics) = (work.assumptions, work.diagnostics);
        written
    }

    /// The name of a field as the dialect writes it. None if it cannot be written, which is said at the place.
    pub(crate) fn field(&mut self, field: &Field<'_>, place: Span, dialect: &'static Dialect) -> Option<String> {
        if let Some(reason) = (dialect.bad_field)(field.as_str()) {
            let message = format!("the field `{}` cannot be named in {}: {reason}", field.as_str(), dialect.name);
            self.diagnostics.push(Diagnostic::at(Code::FieldNameUnsupported, place, message));
            return None;
        }
        let mut writer = Writer::new(dialect, self.settings());
        (dialect.field)(&mut writer, field.as_str());
        Some(writer.out)
    }
}

#[cfg(test)]
mod tests {
    use sigcast_ir::{Attribute, Member, Order, Source};

    use super::*;
    use crate::made::{convert, correlation, measure, of_rule};

    /// A count over two rules, for whose queries pipelines have set the time field.
    fn count(times: [&'static str; 2]) -> Correlation<'static> {
        let mut members =
            vec![of_rule(0, "EventID: 4625", &["User"], &[]), of_rule(1, "EventID: 4624", &["User"], &[])];
        for (Member { source, .. }, time) in members.iter_mut().zip(times) {
            if let Source::Rule(rule) = source {
                rule.prepared.options.push(("time_field".into(), time.into()));
            }
        }
        correlation(members, measure(sigcast_ir::Measure::Events, Order::GreaterOrEqual, 10))
    }

    #[test]
    fn what_pipelines_set_for_all_rules_holds_for_the_correlation() {
        for target in ["esql", "es-dsl", "sqlite", "opensearch", "watcher"] {
            let found = convert(target, &[], &count(["event.created", "event.created"]));
            assert!(found.queries.concat().contains("event.created"), "{target}: {found:?}");
            let found = convert(target, &[], &count(["event.created", "event.ingested"]));
            let said: Vec<&str> = found.diagnostics.iter().map(|found| found.message.as_str()).collect();
            assert!(
                found.queries.is_empty() && said.concat().contains("times in different fields"),
                "{target}: {said:?}"
            );
        }
    }

    #[test]
    fn what_a_correlation_sets_counts_most() {
        let set = |key: &'static str, value: &'static str| {
            let mut made = count(["t", "t"]);
            let own = Attribute::Map(vec![(key.into(), Attribute::Text(value.into()))]);
            made.meta.custom.push(("custom".into(), Attribute::Map(vec![("all".into(), own)])));
            made
        };
        let query =
            |target: &str, options: &[&str], made: &Correlation<'_>| convert(target, options, made).queries.concat();
        let plain = count(["t", "t"]);
        assert_eq!(
            query("splunk", &["window=sliding"], &set("window", "tumbling")),
            query("splunk", &["window=tumbling"], &plain)
        );
        assert!(query("esql", &["index=a"], &set("index", "logs-b")).starts_with("FROM logs-b\n"));
        let found = convert("splunk", &[], &set("window", "round"));
        let codes: Vec<Code> = found.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!((found.queries.len(), codes.as_slice()), (0, [Code::BadOverride].as_slice()));
    }
}
