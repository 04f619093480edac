//! Output formats: what is made of a query, by a template.
//!
//! Invariant: a format is one template under `templates/<target>/<format>.j2`; JSON ones escape by construction.
//! Plain formats ([`Format::plain`]) never come here: their output is the query's text. No I/O.

pub mod file_name;

use std::fmt;

use sigcast_backends::options::Settings;
use sigcast_backends::{Format, Target};
use sigcast_ir::Rule;

/// The templates of a run, compiled once.
#[derive(Debug, Default)]
pub struct Templates {}

/// Why a format could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// What was found, where, and what was expected; without a full stop.
    pub message: String,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FormatError {}

impl Templates {
    /// The templates that are part of the program.
    #[must_use]
    pub fn builtin() -> Self {
        Self::default()
    }

    /// The templates of the program, some of them replaced: pairs of a name (`splunk/savedsearches.j2`) and the
    /// template's text.
    ///
    /// # Errors
    /// A template that does not compile, or whose name is none of those that the formats have.
    pub fn with_overrides(overrides: impl IntoIterator<Item = (String, String)>) -> Result<Self, FormatError> {
        match overrides.into_iter().next() {
            Some((name, _)) => Err(FormatError { message: format!("no format has the template `{name}`") }),
            None => Ok(Self::builtin()),
        }
    }

    /// Whether the settings have what the format needs, asked once a run.
    ///
    /// # Errors
    /// The option that is missing, as a sentence for the user.
    pub fn check(&self, target: &Target, format: &Format, settings: &Settings) -> Result<(), FormatError> {
        let _ = (target, format, settings);
        Ok(())
    }

    /// The format of one rule: its text, with the line break at its end if the format has one. `queries` has one text
    /// a condition.
    ///
    /// # Errors
    /// What in the rule the format cannot hold.
    pub fn render(
        &self,
        target: &Target,
        format: &Format,
        rule: &Rule<'_>,
        queries: &[String],
        settings: &Settings,
    ) -> Result<String, FormatError> {
        let _ = (rule, queries, settings);
        Err(FormatError { message: format!("the format `{}` of {} has no template yet", format.name, target.name) })
    }
}
