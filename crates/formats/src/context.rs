//! What a template sees: `rule`, `queries`, `settings`, `watch` and, if it wraps another one, `body`.
//!
//! Names here are what users' own templates build on: they are kept.

use serde::Serialize;
use sigcast_backends::options::{Settings, WatcherAction, WatcherApi};
use sigcast_ir::Rule;

use crate::watch::{self, Attack};

/// Everything that a template sees.
#[derive(Debug, Serialize)]
pub(crate) struct Context<'c> {
    pub(crate) rule: &'c RuleView<'c>,
    pub(crate) settings: &'c SettingsView<'c>,
    /// The query at hand; the first one if the template covers a whole rule.
    pub(crate) query: &'c str,
    /// Every query of the rule.
    pub(crate) queries: &'c [String],
    /// The number of the query in the rule, from 1.
    pub(crate) number: usize,
    pub(crate) watch: Watch,
    /// What the wrapped template made; empty if there is none.
    pub(crate) body: &'c str,
}

/// The rule.
#[derive(Debug, Serialize)]
pub(crate) struct RuleView<'c> {
    title: &'c str,
    id: Option<&'c str>,
    description: Option<&'c str>,
    author: Option<&'c str>,
    status: Option<&'static str>,
    level: Option<&'static str>,
    date: Option<&'c str>,
    modified: Option<&'c str>,
    license: Option<&'c str>,
    references: Vec<&'c str>,
    falsepositives: Vec<&'c str>,
    tags: Vec<&'c str>,
    fields: Vec<&'c str>,
    attack: Attack,
    timeframe: Option<&'c str>,
}

impl<'c> RuleView<'c> {
    pub(crate) fn of(rule: &'c Rule<'_>) -> Self {
        let meta = &rule.meta;
        let texts = |list: &'c [std::borrow::Cow<'_, str>]| list.iter().map(AsRef::as_ref).collect();
        Self {
            title: &meta.title,
            id: meta.id.as_deref(),
            description: meta.description.as_deref(),
            author: meta.author.as_deref(),
            status: meta.status.map(sigcast_ir::Status::as_str),
            level: meta.level.map(sigcast_ir::Level::as_str),
            date: meta.date.as_deref(),
            modified: meta.modified.as_deref(),
            license: meta.license.as_deref(),
            references: texts(&meta.references),
            falsepositives: texts(&meta.falsepositives),
            tags: texts(&meta.tags),
            fields: meta.fields.iter().map(sigcast_ir::Field::as_str).collect(),
            attack: Attack::of(&meta.tags),
            timeframe: rule.timeframe.as_deref(),
        }
    }
}

/// The options of the run, as far as formats use them.
#[derive(Debug, Serialize)]
pub(crate) struct SettingsView<'c> {
    interval: &'c str,
    /// How far back a watch looks: the option `time_range`, else the interval.
    time_range: &'c str,
    time_field: &'c str,
    indices: &'c [String],
    recipient: Option<&'c str>,
    action: &'static str,
    action_index: &'c str,
    webhook: Option<&'c str>,
    api: &'static str,
    /// The path of the Watcher API, without slashes at its ends.
    path: &'static str,
    host: &'c str,
}

impl<'c> SettingsView<'c> {
    pub(crate) fn of(settings: &'c Settings) -> Self {
        let (api, path) = match settings.api {
            WatcherApi::Current => ("current", "_watcher/watch"),
            WatcherApi::Old => ("old", "_xpack/watcher/watch"),
        };
        Self {
            interval: &settings.interval,
            time_range: settings.time_range.as_deref().unwrap_or(&settings.interval),
            time_field: settings.time_field.as_deref().unwrap_or("@timestamp"),
            indices: &settings.index,
            recipient: settings.recipient.as_deref(),
            action: match settings.action {
                WatcherAction::Email => "email",
                WatcherAction::Index => "index",
                WatcherAction::Webhook => "webhook",
                WatcherAction::Logging => "logging",
            },
            action_index: &settings.action_index,
            webhook: settings.webhook.as_deref(),
            api,
            path,
            host: settings.host.trim_end_matches('/'),
        }
    }
}

/// What belongs to a watch.
#[derive(Debug, Serialize)]
pub(crate) struct Watch {
    /// Its id, safe in a path and in a shell.
    pub(crate) id: String,
    /// The name that the library's pages gave it: the title with `-` for each blank.
    pub(crate) title_name: String,
    /// The same, by the rule's id.
    pub(crate) id_name: String,
    /// The query, in a form that Mustache finds no tag in.
    pub(crate) query: String,
    /// Mustache text that shows the hits.
    pub(crate) hits: String,
    /// The same, as the library's pages had it.
    pub(crate) old_hits: String,
    /// A line that stands nowhere in `body`.
    pub(crate) delimiter: String,
}

impl Watch {
    /// The watch of a query. `number`: which watch of that name it is, from 1.
    pub(crate) fn of(rule: &Rule<'_>, query: &str, number: usize, body: &str) -> Self {
        let title_name = rule.meta.title.replace(' ', "-");
        let id_name = rule.meta.id.as_deref().filter(|id| !id.is_empty()).unwrap_or(&title_name).to_owned();
        let mut delimiter = String::from("SIGCAST_WATCH");
        while body.lines().any(|line| line == delimiter) {
            delimiter.push('_');
        }
        Self {
            id: watch::id(rule, number),
            id_name: watch::numbered(id_name, number),
            title_name: watch::numbered(title_name, number),
            query: watch::without_tags(query),
            hits: watch::hits(&watch::shown_fields(rule)),
            old_hits: watch::old_hits(rule),
            delimiter,
        }
    }
}
