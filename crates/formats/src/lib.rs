//! Output formats: what is made of a query, by a template.
//!
//! Invariant: a format is one template, `templates/<target>/<format>.j2` (or `templates/any/<format>.j2`, for several
//! targets); values are escaped by construction, as the template's header says.
//! Plain formats ([`Format::plain`]) never come here: their output is the query's text. No I/O.

mod context;
mod cron;
mod entities;
mod escape;
pub mod file_name;
mod header;
mod naming;
mod notes;
mod schedule;
mod sigma;
mod threat;
mod threshold;
mod watch;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use sigcast_backends::options::{Settings, WatcherAction};
use sigcast_backends::{Format, Target};
use sigcast_ir::Rule;

pub use naming::{Naming, Place};

use context::{Context, RuleView, SettingsView, Shared, Watch};
use header::{Header, Unit};
use schedule::{Reach, Schedule, USUAL};
use sigcast_diagnostics::Diagnostic;
use threshold::Counted;

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
            // One for several targets may be replaced for one of them.
            if texts.contains_key(&name) || is_shared(&name, &texts) {
                texts.insert(name, Cow::Owned(text));
                continue;
            }
            let near = sigcast_diagnostics::nearest(&name, texts.keys().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(FormatError { message: format!("no format has the template `{name}`{hint}") });
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
        let header = header.filter(|header| !format.plain && header.extension != "*");
        header.map_or_else(|| format.extension.to_owned(), |header| header.extension.clone())
    }

    /// Whether a text of the format is one document that its product takes by itself, so that a file may not hold two: its
    /// template says it.
    #[must_use]
    pub fn stands_alone(&self, target: &Target, format: &Format, settings: &Settings) -> bool {
        let name = self.template(target, format, settings).ok().filter(|_| !format.plain);
        name.and_then(|name| self.headers.get(&name)).is_some_and(|header| header.alone)
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
        let place = Place::alone(rule, settings, earlier);
        Ok(self.render_parts(target, format, rule, queries, settings, &place)?.concat())
    }

    /// What there is to say of a rule that the format is made of: warnings, which change nothing in it.
    #[must_use]
    pub fn notes(&self, target: &Target, format: &Format, rule: &Rule<'_>, settings: &Settings) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        let name = self.template(target, format, settings).unwrap_or_default();
        if self.headers.get(&name).is_some_and(|header| header.attack) {
            notes::tags(rule, &mut out);
        }
        // A word that another format of the target reads is no slip of the pen.
        let all = target.formats.iter().filter_map(|format| {
            let name = self.template(target, format, settings).ok()?;
            self.headers.get(&name)
        });
        let read: Vec<&str> = all.flat_map(|header| header.overrides.iter().map(String::as_str)).collect();
        notes::unread(rule, target, &read, &mut out);
        out
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
        place: &Place,
    ) -> Result<Vec<String>, FormatError> {
        let name = self.template(target, format, settings)?;
        // What describes a correlation has no condition.
        if rule.conditions.is_empty() && !format.correlations {
            let message = format!(
                "the format `{}` has a place for queries of single events, and none for a correlation; without `-f` the \
                 query comes out alone",
                format.name
            );
            return Err(FormatError { message });
        }
        if settings.style.is_some() && target.name == "watcher" {
            watch::runs_nothing(Self::named_by(settings, rule), rule, queries)?;
        }
        let header = self.headers.get(&name);
        let needs = header.map(|header| header.needs.as_slice()).unwrap_or_default();
        needed(needs, settings, format, queries)?;
        let pace = header.and_then(|header| header.schedule.as_ref());
        let counted = Counted::of(rule, queries, settings);
        let reach = if counted.is_some() { Reach::Counted } else { Reach::Overlapping };
        let schedule = Schedule::of(rule, settings, pace, reach)?;
        let usual = pace.map_or(USUAL, |pace| &pace.interval);
        let (counted, threshold, indices) = match counted {
            Some(Counted { query, threshold, index }) => (Some([query]), Some(threshold), Some(index)),
            None => (None, None, None),
        };
        let queries = counted.as_ref().map_or(queries, |queries| queries.as_slice());
        let indices = indices.as_deref().unwrap_or(&settings.index);
        let views = Views {
            rule: RuleView::of(rule),
            settings: SettingsView::of(settings, usual, indices),
            shared: Shared::of(rule, target, settings, schedule, threshold),
        };
        let one = |query: &str, number: usize| {
            let text = Text {
                query,
                queries,
                number: place.earlier + number,
                name: place.name(rule, number)?,
                uuid: naming::uuid(settings, rule, place.earlier + number),
            };
            let mut body = String::new();
            if let Some(inner) = header.and_then(|header| header.wraps.as_ref()) {
                let inner = self.named(target, inner).unwrap_or_else(|| format!("{}/{inner}.j2", target.name));
                body = self.print(&inner, &views, rule, &text, "")?;
            }
            let mut printed = self.print(&name, &views, rule, &text, &body)?;
            printed.push('\n');
            Ok(printed)
        };
        match header.map(|header| header.unit) {
            Some(Unit::Query) => queries.iter().zip(1..).map(|(query, number)| one(query, number)).collect(),
            _ => Ok(vec![one(queries.first().map_or("", String::as_str), 1)?]),
        }
    }

    /// The name of the template that a format has under these settings: a style has its own, whatever the format; one in
    /// `any/` is for every target that has no own.
    fn template(&self, target: &Target, format: &Format, settings: &Settings) -> Result<String, FormatError> {
        let styled = settings.style.map(|style| format!("{}/{style}.j2", target.name));
        styled.filter(|name| self.headers.contains_key(name)).or_else(|| self.named(target, format.name)).ok_or_else(
            || FormatError { message: format!("the format `{}` of {} has no template", format.name, target.name) },
        )
    }

    /// The template of a target with this name: its own, or the one for several targets.
    fn named(&self, target: &Target, name: &str) -> Option<String> {
        let names = [target.name, "any"].map(|folder| format!("{folder}/{name}.j2"));
        names.into_iter().find(|name| self.headers.contains_key(name))
    }

    /// The text of one template, without a line break at its end.
    fn print(
        &self,
        name: &str,
        views: &Views<'_>,
        rule: &Rule<'_>,
        text: &Text<'_>,
        body: &str,
    ) -> Result<String, FormatError> {
        let watch = Watch::of(rule, text.query, text.number, body);
        let context = Context {
            rule: &views.rule,
            settings: &views.settings,
            query: text.query,
            queries: text.queries,
            number: text.number,
            watch,
            body,
            shared: &views.shared,
            name: text.name.clone(),
            uuid: text.uuid.clone(),
        };
        let fault = |fault: minijinja::Error| FormatError {
            message: escape::refused(&fault).unwrap_or_else(|| format!("the template {name} fails: {fault}")),
        };
        self.environment
            .get_template(name)
            .and_then(|template| template.render(Value::from(Serde(&context))))
            .map_err(fault)
    }
}

/// Whether this would be a target's own template for a format that it shares with other targets.
fn is_shared(name: &str, texts: &BTreeMap<String, Cow<'static, str>>) -> bool {
    let Some((folder, format)) = name.split_once('/') else { return false };
    let target = sigcast_backends::TARGETS.iter().find(|target| target.name == folder);
    let known = target.and_then(|target| target.format(format.strip_suffix(".j2")?));
    known.is_some_and(|known| !known.plain && format == format!("{}.j2", known.name))
        && texts.contains_key(&format!("any/{format}"))
}

/// What templates see of a rule and a run, made once a rule.
struct Views<'v> {
    rule: RuleView<'v>,
    settings: SettingsView<'v>,
    shared: Shared,
}

/// What templates see of one text of a rule.
struct Text<'t> {
    query: &'t str,
    queries: &'t [String],
    number: usize,
    name: String,
    uuid: String,
}

/// Whether the options that a template needs are there, from the run, a pipeline or the rule.
fn needed(needs: &[String], settings: &Settings, format: &Format, queries: &[String]) -> Result<(), FormatError> {
    for key in needs {
        let there = match key.as_str() {
            "index" => !settings.index.is_empty(),
            "data_view" => settings.data_view.is_some() || !settings.index.is_empty(),
            // A correlation of rules on several tables joins those of its rules.
            "table" => settings.table.is_some() || queries.iter().all(|query| query.starts_with("union")),
            "time_range" => settings.time_range.is_some(),
            "recipient" => settings.recipient.is_some(),
            _ => {
                return Err(FormatError {
                    message: format!("a template needs `{key}`, which is no option to ask for"),
                });
            }
        };
        if !there {
            let message = format!("the format `{}` needs the option `{key}`: -O {key}=…", format.name);
            return Err(FormatError { message });
        }
    }
    Ok(())
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
                let declared = &templates.headers[&name].extension;
                assert!(declared == "*" || declared == format.extension, "{name}");
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
        check("eql/siem-rule.j2", "{#-\nextension: json\nunit: query\n#}{}", "");
        check("splunk/siem-rule.j2", "", "no format has the template");
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
