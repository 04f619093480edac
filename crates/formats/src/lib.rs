//! Output formats: what is made of a query, by a template.
//!
//! Invariant: a format is one template under `templates/<target>/<format>.j2`; JSON ones escape by construction.
//! Plain formats ([`Format::plain`]) never come here: their output is the query's text. No I/O.

mod context;
mod escape;
pub mod file_name;
mod header;
mod watch;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use sigcast_backends::options::{Settings, WatcherAction};
use sigcast_backends::{Format, Target};
use sigcast_ir::Rule;

use context::{Context, RuleView, SettingsView, Watch};
use header::{Header, Unit};

/// The templates of a run, compiled once.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// By the template's name, such as `watcher/json.j2`.
    headers: BTreeMap<String, Header>,
}

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
    ///
    /// # Panics
    /// If one of them is wrong, which a test of this crate rules out.
    #[must_use]
    pub fn builtin() -> Self {
        match Self::with_overrides([]) {
            Ok(templates) => templates,
            Err(fault) => panic!("a template of the program is wrong: {fault}"),
        }
    }

    /// The templates of the program, some of them replaced: pairs of a name (`splunk/savedsearches.j2`) and the
    /// template's text.
    ///
    /// # Errors
    /// A template that does not compile, one without a right header, or one whose name is none of those that the
    /// formats have.
    pub fn with_overrides(overrides: impl IntoIterator<Item = (String, String)>) -> Result<Self, FormatError> {
        let mut texts: BTreeMap<String, Cow<'static, str>> =
            BUILTIN.iter().map(|(name, text)| ((*name).to_owned(), Cow::Borrowed(*text))).collect();
        for (name, text) in overrides {
            let near = sigcast_diagnostics::nearest(&name, texts.keys().map(String::as_str)).map(str::to_owned);
            match texts.get_mut(&name) {
                Some(known) => *known = Cow::Owned(text),
                None => {
                    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    return Err(FormatError { message: format!("no format has the template `{name}`{hint}") });
                }
            }
        }
        let headers = texts
            .iter()
            .map(|(name, text)| Ok((name.clone(), Header::read(name, text)?)))
            .collect::<Result<BTreeMap<_, _>, FormatError>>()?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        escape::register(&mut environment);
        let escapes: BTreeMap<String, AutoEscape> =
            headers.iter().map(|(name, header)| (name.clone(), escape::auto_escape(header.escape))).collect();
        environment.set_auto_escape_callback(move |name| escapes.get(name).cloned().unwrap_or(AutoEscape::None));
        for (name, text) in texts {
            environment
                .add_template_owned(name.clone(), text.into_owned())
                .map_err(|fault| FormatError { message: format!("the template {name} does not compile: {fault}") })?;
        }
        Ok(Self { environment, headers })
    }

    /// The file extension of a format under these settings, without the dot: its template says it, and a style has a
    /// template of its own.
    #[must_use]
    pub fn extension(&self, target: &Target, format: &Format, settings: &Settings) -> String {
        let header = self.template(target, format, settings).ok().and_then(|name| self.headers.get(&name));
        header.filter(|_| !format.plain).map_or_else(|| format.extension.to_owned(), |header| header.extension.clone())
    }

    /// Whether the settings have what the format needs, asked once a run.
    ///
    /// # Errors
    /// The option that is missing, as a sentence for the user.
    pub fn check(&self, target: &Target, format: &Format, settings: &Settings) -> Result<(), FormatError> {
        let name = self.template(target, format, settings)?;
        let styled = settings.style.is_some_and(|style| name.ends_with(&format!("/{style}.j2")));
        if target.name == "watcher"
            && !styled
            && settings.action == WatcherAction::Webhook
            && settings.webhook.is_none()
        {
            let message = "the action `webhook` needs the option `webhook`: where it posts to, such as \
                           `-O webhook=https://hooks.example.org:8443/sigma`";
            return Err(FormatError { message: message.to_owned() });
        }
        Ok(())
    }

    /// What texts of a rule are named by under these settings: its id, else its title; the oldest style knows titles
    /// only. Rules for which this is equal are told apart by `earlier` in [`Templates::render_after`].
    #[must_use]
    pub fn named_by<'r>(settings: &Settings, rule: &'r Rule<'_>) -> &'r str {
        let id = rule.meta.id.as_deref().filter(|id| !id.trim().is_empty() && settings.style != Some("atc2019"));
        id.unwrap_or(&rule.meta.title)
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
        self.render_after(target, format, rule, queries, settings, 0)
    }

    /// The same for a rule before which `earlier` texts of the same name were rendered: its ids are numbered on from
    /// there (`-2`, …), as for the second document of a collection whose documents share one title.
    ///
    /// # Errors
    /// As for [`Templates::render`].
    pub fn render_after(
        &self,
        target: &Target,
        format: &Format,
        rule: &Rule<'_>,
        queries: &[String],
        settings: &Settings,
        earlier: usize,
    ) -> Result<String, FormatError> {
        Ok(self.render_parts(target, format, rule, queries, settings, earlier)?.concat())
    }

    /// The same, apart: one text a query or one a rule, as the template's unit says. Each is whole in its own format,
    /// which several in one file need not be.
    ///
    /// # Errors
    /// As for [`Templates::render`].
    pub fn render_parts(
        &self,
        target: &Target,
        format: &Format,
        rule: &Rule<'_>,
        queries: &[String],
        settings: &Settings,
        earlier: usize,
    ) -> Result<Vec<String>, FormatError> {
        let name = self.template(target, format, settings)?;
        if settings.style.is_some() && target.name == "watcher" {
            watch::runs_nothing(Self::named_by(settings, rule), rule, queries)?;
        }
        let views = (RuleView::of(rule), SettingsView::of(settings));
        let one = |query: &str, number: usize| {
            let mut body = String::new();
            if let Some(inner) = self.headers.get(&name).and_then(|header| header.wraps.as_ref()) {
                let inner = format!("{}/{inner}.j2", target.name);
                body = self.print(&inner, &views, rule, (query, queries, earlier + number), "")?;
            }
            let mut text = self.print(&name, &views, rule, (query, queries, earlier + number), &body)?;
            text.push('\n');
            Ok(text)
        };
        match self.headers.get(&name).map(|header| header.unit) {
            Some(Unit::Query) => queries.iter().zip(1..).map(|(query, number)| one(query, number)).collect(),
            _ => Ok(vec![one(queries.first().map_or("", String::as_str), 1)?]),
        }
    }

    /// The name of the template that a format has under these settings: a style has its own, whatever the format.
    fn template(&self, target: &Target, format: &Format, settings: &Settings) -> Result<String, FormatError> {
        let styled = settings.style.map(|style| format!("{}/{style}.j2", target.name));
        let own = format!("{}/{}.j2", target.name, format.name);
        styled
            .filter(|name| self.headers.contains_key(name))
            .or_else(|| self.headers.contains_key(&own).then_some(own))
            .ok_or_else(|| FormatError {
                message: format!("the format `{}` of {} has no template", format.name, target.name),
            })
    }

    /// The text of one template, without a line break at its end.
    fn print(
        &self,
        name: &str,
        (rule_view, settings): &(RuleView<'_>, SettingsView<'_>),
        rule: &Rule<'_>,
        (query, queries, number): (&str, &[String], usize),
        body: &str,
    ) -> Result<String, FormatError> {
        let watch = Watch::of(rule, query, number, body);
        let context = Context { rule: rule_view, settings, query, queries, number, watch, body };
        let fault = |fault: minijinja::Error| FormatError { message: format!("the template {name} fails: {fault}") };
        self.environment
            .get_template(name)
            .and_then(|template| template.render(Value::from(Serde(&context))))
            .map_err(fault)
    }
}

/// Every template of `templates/`: its path there, and its text.
const BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_template_that_declares_the_same_extension() {
        let templates = Templates::builtin();
        let mut rendered = 0;
        for target in sigcast_backends::TARGETS {
            for format in target.formats.iter().filter(|format| !format.plain) {
                let name = templates.template(target, format, &Settings::default()).expect("a template");
                assert_eq!(templates.headers[&name].extension, format.extension, "{name}");
                rendered += 1;
            }
        }
        assert!(rendered >= 3);
    }

    #[test]
    fn overrides_are_checked() {
        let check = |name: &str, text: &str, expected: &str| {
            let found = Templates::with_overrides([(name.to_owned(), text.to_owned())]);
            let message = found.err().map(|fault| fault.message).unwrap_or_default();
            assert!(message.contains(expected), "{message}");
        };
        check("watcher/jsn.j2", "", "did you mean `watcher/json.j2`?");
        check("watcher/json.j2", "{}", "does not start with a comment");
        check("watcher/json.j2", "{#-\nextension: json\nunit: query\n#}{% if %}", "does not compile");
        check("watcher/json.j2", "{#-\nextension: json\nunit: query\n#}{}", "");
    }

    #[test]
    fn a_style_has_its_own_extension() {
        let templates = Templates::builtin();
        let target = sigcast_backends::find("watcher").expect("a target");
        let format = target.format("json").expect("a format");
        let check = |style, expected: &str| {
            let settings = Settings { style, ..Settings::default() };
            assert_eq!(templates.extension(target, format, &settings), expected, "{style:?}");
        };
        check(None, "json");
        check(Some("atc2019"), "sh");
        check(Some("atc2020"), "sh");
    }
}
