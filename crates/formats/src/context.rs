//! What a template sees; `docs/formats.md` has the list.
//!
//! Names here are what users' own templates build on: they are kept.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use sigcast_backends::options::{Enabled, Settings, WatcherAction, WatcherApi};
use sigcast_backends::{Comment, Target, mustache};
use sigcast_ir::{Attribute, NumberValue, Rule, Status};

use crate::entities::Entities;
use crate::schedule::{Schedule, Span};
use crate::threat::AttackView;

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
    /// What is the same for every query of the rule.
    #[serde(flatten)]
    pub(crate) shared: &'c Shared,
    /// The rule's title, made unique in the run: one line, with `(2)` and so on behind it if it is taken.
    pub(crate) name: String,
    /// A UUID that stays the same from run to run.
    pub(crate) uuid: String,
}

/// What is the same for every query of a rule, beside the rule itself.
#[derive(Debug, Serialize)]
pub(crate) struct Shared {
    attack: AttackView,
    /// Everything that describes the rule, as a text of several lines.
    about: String,
    /// The rule's level, else the one that the options give to rules without one.
    severity: &'static str,
    /// Whether the rule is put into service.
    enabled: bool,
    /// What the columns of the table are about; empty for tables that are not known.
    entities: Entities,
    /// What pipelines set for the rule, options and other words.
    state: BTreeMap<String, String>,
    schedule: Schedule,
    /// What the rule sets for the target beside its options: flat, `action.email.to`.
    overrides: Map<String, Value>,
    /// What is counted of the query, for products whose rules count: `field`, `value`, and `cardinality` with `field` and
    /// `value`. None if the query finds single events or counts by itself.
    threshold: Option<Value>,
    target: TargetView,
}

/// The target.
#[derive(Debug, Serialize)]
struct TargetView {
    name: &'static str,
    title: &'static str,
    /// The sign that a line of comment starts with; empty if the language has none.
    comment: &'static str,
}

impl Shared {
    pub(crate) fn of(
        rule: &Rule<'_>,
        target: &Target,
        settings: &Settings,
        schedule: Schedule,
        threshold: Option<Value>,
    ) -> Self {
        let retired = matches!(rule.meta.status, Some(Status::Deprecated | Status::Unsupported));
        let overrides = crate::notes::own(rule, target).into_iter().map(|(key, value)| (key, plain(value)));
        let attack = AttackView::of(rule);
        let state = rule.prepared.options.iter().map(|(key, value)| (key.to_string(), value.to_string()));
        Self {
            about: about(rule, &attack),
            attack,
            entities: Entities::of(settings.table.as_deref().unwrap_or_default(), |column| {
                // Of the events of a correlation, one row is left for each group.
                let grouped = rule.conditions.is_empty();
                !grouped || rule.prepared.keys.iter().any(|key| key.as_str() == column)
            }),
            state: state.collect(),
            severity: rule.meta.level.unwrap_or(settings.level).as_str(),
            enabled: match settings.enabled {
                Enabled::Auto => !retired,
                Enabled::Yes => true,
                Enabled::No => false,
            },
            schedule,
            overrides: overrides.collect(),
            threshold,
            target: TargetView {
                name: target.name,
                title: target.title,
                comment: match target.comment {
                    Comment::Line(sign) | Comment::Block(sign, _) => sign,
                    Comment::None => "",
                },
            },
        }
    }
}

/// What describes a rule, for products that have one text for it.
fn about(rule: &Rule<'_>, attack: &AttackView) -> String {
    let meta = &rule.meta;
    let mut out = meta.description.as_deref().unwrap_or(&meta.title).trim().to_owned();
    out.push('\n');
    let mut line = |label: &str, value: &str| {
        if !value.trim().is_empty() {
            out.push_str(&format!("\n{label}: {}", crate::escape::line(value.trim())));
        }
    };
    line("Rule", meta.id.as_deref().unwrap_or_default());
    line("Status", meta.status.map(Status::as_str).unwrap_or_default());
    line("Level", meta.level.map(sigcast_ir::Level::as_str).unwrap_or_default());
    line("Author", meta.author.as_deref().unwrap_or_default());
    line("Date", meta.modified.as_deref().or(meta.date.as_deref()).unwrap_or_default());
    line("License", meta.license.as_deref().unwrap_or_default());
    attack.lines().iter().for_each(|threat| line("ATT&CK", threat));
    meta.falsepositives.iter().for_each(|case| line("False positive", case));
    meta.references.iter().for_each(|reference| line("Reference", reference));
    out.trim_end().to_owned()
}

/// The value of a custom attribute as JSON.
fn plain(value: &Attribute<'_>) -> Value {
    match value {
        Attribute::Null => Value::Null,
        Attribute::Bool(value) => Value::Bool(*value),
        Attribute::Number(number) => match number.value {
            NumberValue::Integer(value) => i64::try_from(value).map_or_else(|_| value.to_string().into(), Value::from),
            NumberValue::Float(value) => value.into(),
        },
        Attribute::Text(text) => text.as_ref().into(),
        Attribute::List(values) => values.iter().map(plain).collect(),
        Attribute::Map(entries) => {
            Value::Object(entries.iter().map(|(name, value)| (name.clone().into_owned(), plain(value))).collect())
        }
    }
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
    logsource: LogSourceView<'c>,
    /// Every attribute that is none of Sigma's.
    custom: Map<String, Value>,
}

/// Which events a rule looks at.
#[derive(Debug, Serialize)]
struct LogSourceView<'c> {
    category: Option<&'c str>,
    product: Option<&'c str>,
    service: Option<&'c str>,
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
            logsource: LogSourceView {
                category: rule.logsource.category.as_deref(),
                product: rule.logsource.product.as_deref(),
                service: rule.logsource.service.as_deref(),
            },
            custom: meta.custom.iter().map(|(name, value)| (name.clone().into_owned(), plain(value))).collect(),
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
    /// How long a rule keeps quiet, as text, in seconds and by ISO 8601.
    suppress: Option<Span>,
    /// The schedule that the options give, if any.
    cron: Option<&'c str>,
    action: &'static str,
    action_index: &'c str,
    webhook: Option<&'c str>,
    api: &'static str,
    /// The path of the Watcher API, without slashes at its ends.
    path: &'static str,
    host: &'c str,
    table: Option<&'c str>,
    source: Option<&'c str>,
    sourcetype: Option<&'c str>,
    data_view: Option<&'c str>,
}

impl<'c> SettingsView<'c> {
    /// `usual`: the interval if the options give none. `indices`: those that are searched.
    pub(crate) fn of(settings: &'c Settings, usual: &'c str, indices: &'c [String]) -> Self {
        let interval = settings.interval.as_deref().unwrap_or(usual);
        let (api, path) = match settings.api {
            WatcherApi::Current => ("current", "_watcher/watch"),
            WatcherApi::Old => ("old", "_xpack/watcher/watch"),
        };
        Self {
            interval,
            time_range: settings.time_range.as_deref().unwrap_or(interval),
            time_field: settings.time_field.as_deref().unwrap_or("@timestamp"),
            indices,
            recipient: settings.recipient.as_deref(),
            suppress: settings.suppress.as_deref().and_then(Span::of),
            cron: settings.cron.as_deref(),
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
            table: settings.table.as_deref(),
            source: settings.source.as_deref(),
            sourcetype: settings.sourcetype.as_deref(),
            data_view: settings.data_view.as_deref(),
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
    /// Of a correlation: the trigger, the input and the condition of the watch, which are its query.
    pub(crate) parts: Option<serde_json::Value>,
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
        let parts = watch::parts(query);
        Self {
            id: watch::id(rule, number),
            id_name: watch::numbered(id_name, number),
            title_name: watch::numbered(title_name, number),
            query: mustache::without_tags(query),
            hits: match parts {
                Some(_) => watch::groups(&watch::shown_fields(rule)),
                None => watch::hits(&watch::shown_fields(rule)),
            },
            parts,
            old_hits: watch::old_hits(rule),
            delimiter,
        }
    }
}
