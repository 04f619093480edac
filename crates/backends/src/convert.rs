//! Converting one rule for one target.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sigcast_diagnostics::{Class, Code, Diagnostic, Span};
use sigcast_ir::{Expr, Query, Rule, lower};

use crate::dialect::{Dialect, Grouping};
use crate::lists;
use crate::losses::{assumed, losses};
use crate::options::{self, Settings};
use crate::overrides;
use crate::passes::{guard, split};
use crate::say::{Legaliser, Said, folds_letters};
use crate::target::{Format, Language, Target};
use crate::write::Writer;

/// How a conversion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The query selects the rule's events on all data that fits the assumptions.
    Exact,
    /// It differs even then; a warning says how.
    Approximate,
    /// The target cannot say the rule; an error says why.
    Refused,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::Refused => "refused",
        }
    }
}

/// What became of a rule.
#[derive(Debug)]
pub struct Conversion {
    /// How it ended.
    pub status: Status,
    /// One text a condition, in order. Empty if refused: a rule is never converted in part.
    pub queries: Vec<String>,
    /// What the data must fulfil, sorted.
    pub assumptions: Vec<Code>,
    /// Warnings and errors, in the order of the rule.
    pub diagnostics: Vec<Diagnostic>,
}

/// A target with the options of a run.
#[derive(Debug, Clone)]
pub struct Backend {
    /// The target.
    pub target: &'static Target,
    /// The options.
    pub settings: Settings,
    /// The keys of the options that were given for the run, which no pipeline changes.
    pub given: Vec<&'static str>,
}

impl Backend {
    /// A backend for a target.
    #[must_use]
    pub fn new(target: &'static Target, settings: Settings) -> Self {
        Self { target, settings, given: Vec::new() }
    }

    /// Converts a rule: every condition, or none.
    #[must_use]
    pub fn convert(&self, rule: &Rule<'_>) -> Conversion {
        let mut diagnostics = Vec::new();
        let settings = self.settings_for(rule, &mut diagnostics);
        let settings = settings.as_ref();
        let mut work = Work { target: self.target, settings, assumptions: BTreeSet::new(), diagnostics };
        let style = self.target.style(settings);
        let read = style.map(|style| (style.read)(rule.clone(), &mut work.diagnostics));
        let rule = read.as_ref().unwrap_or(rule);
        let mut queries = Vec::new();
        for (query, span) in lower::queries(rule) {
            queries.extend(work.query(query, span));
        }
        if let Some(style) = style {
            let tail = (style.tail)(rule);
            queries.iter_mut().for_each(|query| query.push_str(&tail));
            (style.output)(rule, &queries, &mut work.diagnostics);
        }
        if !rule.prepared.scoped && !(self.target.scoped)(settings) {
            work.assumptions.insert(Code::AssumeScope);
        }
        assumed(&self.target.model, &mut work.assumptions);
        work.assumptions.extend((self.target.assumes)(settings));
        work.finish(queries)
    }

    /// The options for a rule: those of the run, and what pipelines set for it. An option that was given for the run
    /// counts more; what the rule itself sets (its attribute `custom`) counts most. A value that an option does not take is a
    /// refusal of the rule.
    #[must_use]
    pub fn settings_for(&self, rule: &Rule<'_>, diagnostics: &mut Vec<Diagnostic>) -> Cow<'_, Settings> {
        let mut settings = Cow::Borrowed(&self.settings);
        for (key, value) in &rule.prepared.options {
            let known = self.target.options.iter().any(|known| known == key);
            let Some(spec) = options::option(key).filter(|_| known && !self.given.contains(&key.as_ref())) else {
                continue;
            };
            if let Err(fault) = spec.set(settings.to_mut(), value) {
                let place = rule.logsource.span.unwrap_or(rule.span);
                let message = format!("a pipeline sets a value that the target does not take: {fault}");
                diagnostics.push(Diagnostic::at(Code::PipelineFailure, place, message));
            }
        }
        overrides::apply(rule, self.target, &mut settings, diagnostics);
        settings
    }

    /// The same backend for an output format, which may change how the query is written.
    #[must_use]
    pub fn for_format(mut self, format: &Format) -> Self {
        (format.prepare)(&mut self.settings);
        self
    }

    /// What the target puts behind the text of each query.
    #[must_use]
    pub fn tail(&self) -> String {
        let dialect = match self.target.language(&self.settings) {
            Language::Single(dialect) => dialect,
            Language::Staged { filter, .. } => filter,
        };
        let mut writer = Writer::new(dialect, &self.settings);
        (self.target.close)(&mut writer);
        writer.out
    }

    /// Whether a schema changes what comes out, under the options of the run.
    #[must_use]
    pub fn takes_schema(&self) -> bool {
        self.settings.style.is_none() && self.dialects().iter().any(|dialect| dialect.schema.is_some())
    }

    /// The dialects of the backend, in the order of their stages.
    #[must_use]
    pub fn dialects(&self) -> Vec<&'static Dialect> {
        match self.target.language(&self.settings) {
            Language::Single(dialect) => vec![dialect],
            Language::Staged { search, filter, .. } => vec![search, filter],
        }
    }
}

/// The conversion of one rule under way.
pub(crate) struct Work<'b> {
    pub(crate) target: &'static Target,
    pub(crate) settings: &'b Settings,
    pub(crate) assumptions: BTreeSet<Code>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Work<'_> {
    /// The text of one condition, or `None` if it was refused.
    fn query(&mut self, query: Query<'_>, span: Span) -> Option<String> {
        let (settings, target) = (self.settings, self.target);
        match target.language(settings) {
            Language::Single(dialect) => {
                let said = self.single(query, span, dialect)?;
                self.clauses(&said, dialect, span);
                let mut writer = Writer::new(dialect, settings);
                (target.open)(&mut writer);
                writer.query(&said);
                (target.close)(&mut writer);
                self.length(&writer.out, dialect, span);
                Some(writer.out)
            }
            Language::Staged { search, filter, pipe, .. } => {
                let (first, second) = self.stages(query, span, search, filter)?;
                let mut writer = Writer::new(search, settings);
                (target.open)(&mut writer);
                self.write_search(&mut writer, &first);
                if let Some(second) = second {
                    writer.put(pipe);
                    writer.dialect = filter;
                    writer.query(&second);
                }
                (target.close)(&mut writer);
                Some(writer.out)
            }
        }
    }

    /// Writes a search, which must not be empty.
    pub(crate) fn write_search(&self, writer: &mut Writer<'_>, said: &Said<'_>) {
        match (self.target.language(self.settings), said) {
            (Language::Staged { everything, .. }, Expr::Const(_)) => writer.put(everything),
            _ => writer.query(said),
        }
    }

    /// A query of a language of two stages: what its search says, and what is left for the filter.
    pub(crate) fn stages<'a>(
        &mut self,
        query: Query<'a>,
        span: Span,
        search: &'static Dialect,
        filter: &'static Dialect,
    ) -> Option<(Said<'a>, Option<Said<'a>>)> {
        let query = simplified(query, search);
        losses(&query, self.target, search.name, &mut self.diagnostics);
        let mut folds = self.assumptions.contains(&Code::AssumePlainLetters);
        query.each_match(&mut |leaf| folds |= folds_letters(&leaf.test));
        let staged = split::stages(query, search, filter, self.settings);
        let first = self.legal(&staged.search, search)?;
        if !folds {
            // The search ignores case for a filter that minds it: what it misses the filter would drop.
            self.assumptions.remove(&Code::AssumePlainLetters);
        }
        let second = match staged.filter {
            Some(rest) => Some(self.legal(&guard::guard(rest, filter), filter)?),
            None => None,
        };
        if self.constant(&first, second.as_ref(), span) {
            return None;
        }
        Some((self.scoped(first, search)?, second))
    }

    /// A query of one language, with the scope that the options ask for.
    pub(crate) fn single<'a>(&mut self, query: Query<'a>, span: Span, dialect: &'static Dialect) -> Option<Said<'a>> {
        let settings = self.settings;
        let query = simplified(query, dialect);
        losses(&query, self.target, dialect.name, &mut self.diagnostics);
        let query = match self.target.style(settings) {
            // The languages of styles know true and false only, and their nesting is kept.
            Some(style) => {
                (style.check)(&query, &mut self.diagnostics);
                query
            }
            None => guard::guard(query, dialect),
        };
        let said = self.legal(&query, dialect)?;
        if self.constant(&said, None, span) {
            return None;
        }
        self.scoped(said, dialect)
    }

    /// The query with what restricts it to a log source and a time range, as conjuncts before its own terms.
    fn scoped<'a>(&mut self, said: Said<'a>, dialect: &'static Dialect) -> Option<Said<'a>> {
        let scope = (self.target.scope)(self.settings);
        if scope.is_empty() || self.settings.scope_outside {
            return Some(said);
        }
        let scope = self.legal(&Expr::And(scope), dialect)?;
        let joined = Expr::And(vec![scope, said]);
        Some(if dialect.operators.grouping == Grouping::Always { joined } else { joined.simplify() })
    }

    /// Legalises, joins lists, and collects what was found.
    fn legal<'a>(&mut self, query: &Query<'a>, dialect: &'static Dialect) -> Option<Said<'a>> {
        let settings = self.settings;
        let mut legaliser = Legaliser::new(dialect, settings);
        let said = legaliser.query(query);
        self.assumptions.append(&mut legaliser.assumptions);
        self.diagnostics.append(&mut legaliser.diagnostics);
        let said = said?;
        let said = match dialect.operators.grouping {
            Grouping::Always => said,
            _ => said.simplify(),
        };
        Some(lists::join(said, dialect, settings))
    }

    /// Warns of a query with more clauses than a server takes by default.
    fn clauses(&mut self, said: &Said<'_>, dialect: &Dialect, span: Span) {
        let mut clauses = 0;
        said.each_match(&mut |leaf| clauses += leaf.matches.len());
        if let Some(most) = dialect.most_clauses.filter(|most| clauses > *most) {
            let message =
                format!("the query has {clauses} clauses, and a server takes {most} unless it is set to take more");
            let help =
                "`indices.query.bool.max_clause_count` is the setting, which newer versions derive from the memory";
            self.diagnostics.push(Diagnostic::at(Code::ManyClauses, span, message).help(help));
        }
    }

    /// Warns of a query that is longer than a server takes by default.
    fn length(&mut self, query: &str, dialect: &Dialect, span: Span) {
        // The server counts in UTF-16.
        let length = query.encode_utf16().count();
        if let Some(most) = dialect.longest.filter(|most| length > *most) {
            let message =
                format!("the query has {length} characters, and OpenSearch takes {most} unless it is set to take more");
            let help = "`search.query.max_query_string_length` is the setting; Elasticsearch has no such bound";
            self.diagnostics.push(Diagnostic::at(Code::LongQuery, span, message).help(help));
        }
    }

    /// A query that is constant asks for every event or none: no engine should be given it unsaid.
    fn constant(&mut self, first: &Said<'_>, second: Option<&Said<'_>>, span: Span) -> bool {
        let value = match (first, second) {
            (Expr::Const(true), Some(Expr::Const(value))) | (Expr::Const(value), None) => *value,
            (Expr::Const(false), Some(_)) | (_, Some(Expr::Const(false))) => false,
            _ => return false,
        };
        let what = if value { "every event" } else { "no event" };
        self.diagnostics.push(Diagnostic::at(
            Code::ConstantQuery,
            span,
            format!("the condition matches {what}, whatever the event: there is nothing to search for"),
        ));
        true
    }

    pub(crate) fn finish(mut self, queries: Vec<String>) -> Conversion {
        self.diagnostics.sort_by_key(|found| found.span().map(|span| (span.start, span.end)));
        // Two stages may say the same of one leaf.
        self.diagnostics.dedup();
        let has = |class| self.diagnostics.iter().any(|found| found.code.class() == class);
        let status = if has(Class::Refusal) || has(Class::Invalid) {
            Status::Refused
        } else if has(Class::Approximation) {
            Status::Approximate
        } else {
            Status::Exact
        };
        let refused = status == Status::Refused;
        Conversion {
            status,
            queries: if refused { Vec::new() } else { queries },
            assumptions: if refused { Vec::new() } else { self.assumptions.into_iter().collect() },
            diagnostics: self.diagnostics,
        }
    }
}

/// The query after the whole-query passes of its language.
fn simplified<'a>(query: Query<'a>, dialect: &Dialect) -> Query<'a> {
    dialect.passes.iter().fold(query, |query, pass| pass(query, dialect))
}
