//! Targets: what a user names with `-t`.

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic, SourceId, Span};
use sigcast_ir::model::DataModel;
use sigcast_ir::{Expr, Match, Query, Rule, Subject, Test};

use crate::correlate::Correlate;
use crate::dialect::Dialect;
use crate::options::Settings;
use crate::write::Writer;

/// A target.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Other names it is known by.
    pub aliases: &'static [&'static str],
    /// The product and language, for lists.
    pub title: &'static str,
    /// Its language in today's form.
    pub language: Language,
    /// What its store holds of events.
    pub model: DataModel,
    /// Other forms: older ones, by the value of the option `style`, and such as a format asks for by itself.
    pub styles: &'static [(&'static str, Style)],
    /// The keys of the options it knows.
    pub options: &'static [&'static str],
    /// Its output formats; the first is the default.
    pub formats: &'static [Format],
    /// How a comment is written.
    pub comment: Comment,
    /// What is put before the query's text, such as a table.
    pub open: fn(&mut Writer<'_>),
    /// What is put behind the query's text, such as a limit on rows.
    pub close: fn(&mut Writer<'_>),
    /// What every query under these settings needs of the data, whatever it tests.
    pub assumes: fn(&Settings) -> &'static [Code],
    /// Conditions that restrict the query to the log source and time range that the options name.
    pub scope: fn(&Settings) -> Vec<Query<'static>>,
    /// Whether those options restrict the query to a log source.
    pub scoped: fn(&Settings) -> bool,
    /// What it does with correlations.
    pub correlate: Correlate,
}

/// The language of a target.
#[derive(Debug, Clone, Copy)]
pub enum Language {
    /// One text.
    Single(&'static Dialect),
    /// A search, and a filter for what the search cannot say.
    Staged {
        /// The search.
        search: &'static Dialect,
        /// The filter.
        filter: &'static Dialect,
        /// What stands before a filter.
        pipe: &'static str,
        /// What can stand where a search must not be empty.
        everything: &'static str,
    },
}

/// Another form of a target's output: an older one, or what a format is made of.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// The language as the style writes it.
    pub language: Language,
    /// The rule as the tool of old read it, where it read rules otherwise than they are meant today; with a diagnostic
    /// for each difference in meaning.
    pub read: for<'a> fn(Rule<'a>, &mut Vec<Diagnostic>) -> Rule<'a>,
    /// What is wrong with the shape of the query, after the passes of the language.
    pub check: fn(&Query<'_>, &mut Vec<Diagnostic>),
    /// What stands behind the text of each query.
    pub tail: fn(&Rule<'_>) -> String,
    /// What is wrong with the output as a whole, given the rule and its queries.
    pub output: fn(&Rule<'_>, &[String], &mut Vec<Diagnostic>),
}

/// An output format of a target. Its template is `templates/<target>/<name>.j2`, unless it is the plain query.
#[derive(Debug)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Other names it is known by, such as that of another converter.
    pub aliases: &'static [&'static str],
    /// What it is, for lists.
    pub title: &'static str,
    /// Whether the format is the query's text and nothing else.
    pub plain: bool,
    /// The file extension, without the dot.
    pub extension: &'static str,
    /// How the query is written for it: what it sets among the options of the run, once they are read.
    pub prepare: fn(&mut Settings),
    /// Whether it has a place for the query of a correlation.
    pub correlations: bool,
}

impl Format {
    /// A format by a template.
    #[must_use]
    pub const fn made(name: &'static str, title: &'static str, extension: &'static str) -> Self {
        Self { name, aliases: &[], title, plain: false, extension, prepare: |_| {}, correlations: true }
    }

    /// The same, known by other names too.
    #[must_use]
    pub const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The same, with what it changes in how the query is written.
    #[must_use]
    pub const fn preparing(self, prepare: fn(&mut Settings)) -> Self {
        Self { prepare, ..self }
    }

    /// The same; its template has queries of single events in it, and nothing of a correlation.
    #[must_use]
    pub const fn without_correlations(self) -> Self {
        Self { correlations: false, ..self }
    }

    /// The same; index and time range stand in the format, so that the query has no terms for them.
    #[must_use]
    pub const fn scoping(self) -> Self {
        self.preparing(|settings| settings.scope_outside = true)
    }
}

/// A term of the scope, in the target's own language. It comes from an option, so it stands nowhere in a rule.
#[must_use]
pub fn scope_term(text: impl Into<Cow<'static, str>>) -> Query<'static> {
    let span = Span::new(SourceId(0), 0, 0);
    Expr::Match(Match { subject: Subject::Event, test: Test::Raw(text.into()), span })
}

/// The query's text as it is, in files with this extension.
#[must_use]
pub const fn plain(extension: &'static str) -> Format {
    Format { plain: true, ..Format::made("default", "the query", extension) }
}

/// How a comment is written in a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comment {
    /// A line that starts so.
    Line(&'static str),
    /// Text between these signs; the closing one must not stand in the text.
    Block(&'static str, &'static str),
    /// The language has no comments: a line with `#` that is for people and not part of the query.
    None,
}

impl Target {
    /// The language that the settings ask for.
    #[must_use]
    pub fn language(&self, settings: &Settings) -> Language {
        self.style(settings).map_or(self.language, |style| style.language)
    }

    /// The style that the settings ask for, if the target has it.
    #[must_use]
    pub fn style(&self, settings: &Settings) -> Option<&'static Style> {
        let wanted = settings.style?;
        self.styles.iter().find(|(name, _)| *name == wanted).map(|(_, style)| style)
    }

    /// The format with this name or alias; `_` stands for `-` too.
    #[must_use]
    pub fn format(&self, name: &str) -> Option<&'static Format> {
        let same = |known: &str| known == name || known == name.replace('_', "-");
        self.formats.iter().find(|format| same(format.name) || format.aliases.contains(&name))
    }

    /// Whether this is the target's name or one of its aliases.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

impl Comment {
    /// Writes one line of comment. Line breaks and the sign that ends a comment do not get through.
    #[must_use]
    pub fn line(self, text: &str) -> String {
        let text: String = text
            .chars()
            .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
            .collect();
        match self {
            Self::Line(sign) => format!("{sign} {text}"),
            Self::None => format!("# {text}"),
            Self::Block(open, close) => {
                let inert = text.replace(close, "").replace(open, "");
                // A part of the sign at the end would join with the closing one.
                format!("{open} {} {close}", inert.replace('`', "'"))
            }
        }
    }
}
