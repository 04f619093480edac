//! The options of a conversion: `-O key=value`.
//!
//! One table: an option is one entry of [`OPTIONS`] and one field of [`Settings`]; the targets that know it name its key.

use sigcast_diagnostics::nearest;

/// How networks are said where the language has both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CidrMode {
    /// Both ways, since the field's type is unknown.
    #[default]
    Auto,
    /// By the language's own test: fields of an address type.
    Native,
    /// By text patterns: fields of a text type.
    Expand,
}

/// How case is ignored where the language minds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaseMode {
    /// Values stand as they are; the index is assumed to ignore case.
    #[default]
    AsIs,
    /// Values become regular expressions with both cases of each letter.
    Expand,
}

/// How text fields are indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldMode {
    /// Every text field is of type `keyword`.
    #[default]
    Keyword,
    /// Text fields are analysed, with a subfield `.keyword`: Elasticsearch's dynamic mapping.
    Dynamic,
}

/// Which path of the Watcher API scripts call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatcherApi {
    /// `_watcher/watch`, since 7.0.
    #[default]
    Current,
    /// `_xpack/watcher/watch`.
    Old,
}

/// What a watch does when it finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatcherAction {
    /// Sends an e-mail.
    #[default]
    Email,
    /// Writes the hits to an index.
    Index,
    /// Calls a webhook.
    Webhook,
    /// Writes to the server's log.
    Logging,
}

/// Whether a rule is put into service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Enabled {
    /// Unless its status is deprecated or unsupported.
    #[default]
    Auto,
    /// Yes.
    Yes,
    /// No.
    No,
}

/// Which regular expressions SQLite has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RegexpMode {
    /// None.
    #[default]
    None,
    /// Those of a function `regexp` that the application defines.
    Function,
}

/// Which spans of time a correlation looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WindowMode {
    /// The one that ends with each event, as rules mean it.
    #[default]
    Sliding,
    /// Those that follow each other: cheaper, and approximate.
    Tumbling,
}

/// The options of a conversion, read once a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the style, if not today's form.
    pub style: Option<&'static str>,
    /// Networks.
    pub cidr: CidrMode,
    /// Case.
    pub case: CaseMode,
    /// Text fields.
    pub fields: FieldMode,
    /// Indices to search, patterns allowed.
    pub index: Vec<String>,
    /// Splunk source.
    pub source: Option<String>,
    /// Splunk source type.
    pub sourcetype: Option<String>,
    /// The table: of Kusto, or of an SQL database.
    pub table: Option<String>,
    /// Columns of an SQL table in which keywords are looked for.
    pub keyword_columns: Vec<String>,
    /// Regular expressions of SQLite.
    pub regexp: RegexpMode,
    /// EQL's category of events.
    pub event_category: Option<String>,
    /// How many rows a result of ES|QL may have.
    pub limit: u32,
    /// The time field.
    pub time_field: Option<String>,
    /// How far back to look, such as `24h`.
    pub time_range: Option<String>,
    /// Windows of correlations.
    pub window: WindowMode,
    /// How often a watch or a rule runs, such as `30m`; the format's own if not given.
    pub interval: Option<String>,
    /// When a rule runs, as the five fields of cron, where the format has such a schedule.
    pub cron: Option<String>,
    /// How long a rule that fired keeps quiet, such as `1h`, where the product has such a time.
    pub suppress: Option<String>,
    /// Whether a rule is put into service.
    pub enabled: Enabled,
    /// The level of a rule that has none.
    pub level: sigcast_ir::Level,
    /// The id of the data view (index pattern) that a saved search is on.
    pub data_view: Option<String>,
    /// Index and time range stand outside the query, which has no terms for them: what a format asks for.
    pub scope_outside: bool,
    /// The time range alone stands outside the query: what a format asks for.
    pub time_outside: bool,
    /// A query that cannot count comes with what is counted of it: what the format of a threshold rule asks for.
    pub threshold: bool,
    /// A query of ES|QL keeps what identifies each event: what a format asks for.
    pub metadata: bool,
    /// Who gets the e-mail of a watch.
    pub recipient: Option<String>,
    /// The Watcher API.
    pub api: WatcherApi,
    /// What a watch does.
    pub action: WatcherAction,
    /// Where the webhook of a watch is: `https://host:port/path`.
    pub webhook: Option<String>,
    /// The index that the `index` action writes to.
    pub action_index: String,
    /// The server that scripts call.
    pub host: String,
    /// What the fields of the data are, if known (`--schema`).
    pub schema: Option<std::sync::Arc<sigcast_ir::schema::Schema>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            style: None,
            cidr: CidrMode::default(),
            case: CaseMode::default(),
            fields: FieldMode::default(),
            index: Vec::new(),
            source: None,
            sourcetype: None,
            table: None,
            keyword_columns: Vec::new(),
            regexp: RegexpMode::default(),
            event_category: None,
            limit: 10_000,
            time_field: None,
            time_range: None,
            window: WindowMode::default(),
            interval: None,
            cron: None,
            suppress: None,
            enabled: Enabled::default(),
            level: sigcast_ir::Level::Medium,
            data_view: None,
            scope_outside: false,
            time_outside: false,
            threshold: false,
            metadata: false,
            recipient: None,
            api: WatcherApi::default(),
            action: WatcherAction::default(),
            webhook: None,
            action_index: "sigma-alerts".to_owned(),
            host: "localhost:9200".to_owned(),
            schema: None,
        }
    }
}

/// One option.
#[derive(Debug)]
pub struct OptionSpec {
    /// Its key.
    pub key: &'static str,
    /// The values it takes: words with `|` between them, or what kind of text in capitals.
    pub values: &'static str,
    /// What holds if it is not given.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
    set: fn(&mut Settings, &str) -> Result<(), String>,
}

/// Every option of every target.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        key: "style",
        values: "atc2019|atc2020",
        default: "today's form",
        help: "print queries as the Atomic Threat Coverage library did; approximate where that form is wrong",
        set: |settings, value| {
            settings.style = Some(word(value, &[("atc2019", "atc2019"), ("atc2020", "atc2020")])?);
            Ok(())
        },
    },
    OptionSpec {
        key: "cidr",
        values: "auto|native|expand",
        default: "auto",
        help: "networks: by the engine's own test on address fields, expanded to text patterns, or both",
        set: |settings, value| {
            let known = [("auto", CidrMode::Auto), ("native", CidrMode::Native), ("expand", CidrMode::Expand)];
            settings.cidr = word(value, &known)?;
            Ok(())
        },
    },
    OptionSpec {
        key: "case",
        values: "asis|expand",
        default: "asis",
        help: "ignore case by relying on the index (asis) or by regular expressions with both cases of each letter (expand)",
        set: |settings, value| {
            settings.case = word(value, &[("asis", CaseMode::AsIs), ("expand", CaseMode::Expand)])?;
            Ok(())
        },
    },
    OptionSpec {
        key: "fields",
        values: "keyword|dynamic",
        default: "keyword",
        help: "text fields are of type keyword, or analysed with a subfield .keyword (dynamic mapping)",
        set: |settings, value| {
            settings.fields = word(value, &[("keyword", FieldMode::Keyword), ("dynamic", FieldMode::Dynamic)])?;
            Ok(())
        },
    },
    OptionSpec {
        key: "index",
        values: "NAME[,NAME]",
        default: "none",
        help: "indices that the query is restricted to",
        set: |settings, value| {
            settings.index = value.split(',').map(name).collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    OptionSpec {
        key: "source",
        values: "NAME",
        default: "none",
        help: "Splunk source that the search is restricted to",
        set: |settings, value| {
            settings.source = Some(name(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "sourcetype",
        values: "NAME",
        default: "none",
        help: "Splunk source type that the search is restricted to",
        set: |settings, value| {
            settings.sourcetype = Some(name(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "table",
        values: "NAME",
        default: "none: a where clause (Kusto), or the table logs (SQL)",
        help: "table that is queried",
        set: |settings, value| {
            settings.table = Some(name(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "keyword_columns",
        values: "NAME[,NAME]",
        default: "none: keywords are refused",
        help: "columns of an SQL table in which keywords are looked for",
        set: |settings, value| {
            settings.keyword_columns = value.split(',').map(name).collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    OptionSpec {
        key: "regexp",
        values: "none|function",
        default: "none",
        help: "regular expressions of SQLite: none, or those of a function `regexp` that the application defines",
        set: |settings, value| {
            settings.regexp = word(value, &[("none", RegexpMode::None), ("function", RegexpMode::Function)])?;
            Ok(())
        },
    },
    OptionSpec {
        key: "event_category",
        values: "NAME",
        default: "any",
        help: "category of events (event.category) that an EQL query is restricted to",
        set: |settings, value| {
            settings.event_category = Some(name(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "limit",
        values: "NUMBER",
        default: "10000",
        help: "how many rows the result of an ES|QL query may have; without a limit the engine cuts it at 1000, and it \
               takes no more than its own maximum, 10000 by default",
        set: |settings, value| {
            let fault = || format!("`{value}` is no number of rows");
            settings.limit = value.parse().ok().filter(|rows| *rows > 0).ok_or_else(fault)?;
            Ok(())
        },
    },
    OptionSpec {
        key: "time_field",
        values: "FIELD",
        default: "the target's own",
        help: "field that holds the time of an event",
        set: |settings, value| {
            settings.time_field = Some(name(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "time_range",
        values: "DURATION",
        default: "none",
        help: "how far back the query looks: a number and s, m, h or d, such as 24h",
        set: |settings, value| {
            settings.time_range = Some(duration(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "window",
        values: "sliding|tumbling",
        default: "sliding",
        help: "windows of correlations: the one that ends with each event, as rules mean it (sliding), or fixed ones that \
               follow each other (tumbling), which is cheaper and approximate",
        set: |settings, value| {
            settings.window = word(value, &[("sliding", WindowMode::Sliding), ("tumbling", WindowMode::Tumbling)])?;
            Ok(())
        },
    },
    OptionSpec {
        key: "interval",
        values: "DURATION",
        default: "the format's own, 30m for a watch",
        help: "how often a watch or a rule runs; each run looks back so far that nothing is missed",
        set: |settings, value| {
            settings.interval = Some(duration(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "cron",
        values: "CRON",
        default: "from the interval",
        help: "when a rule runs, by the five fields of cron, such as `*/10 * * * *`; needs the option time_range",
        set: |settings, value| {
            settings.cron = Some(cron(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "suppress",
        values: "DURATION",
        default: "none",
        help: "how long a rule that fired keeps quiet, where the product has such a time",
        set: |settings, value| {
            settings.suppress = Some(duration(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "enabled",
        values: "auto|true|false",
        default: "auto",
        help: "whether a rule is put into service: auto leaves out those that are deprecated or unsupported",
        set: |settings, value| {
            let known = [("auto", Enabled::Auto), ("true", Enabled::Yes), ("false", Enabled::No)];
            settings.enabled = word(value, &known)?;
            Ok(())
        },
    },
    OptionSpec {
        key: "level",
        values: "informational|low|medium|high|critical",
        default: "medium",
        help: "level that a rule without one counts as, for the severity in an output format",
        set: |settings, value| {
            let known: Vec<_> = sigcast_ir::Level::ALL.iter().map(|level| (level.as_str(), *level)).collect();
            settings.level = word(value, &known)?;
            Ok(())
        },
    },
    OptionSpec {
        key: "data_view",
        values: "ID",
        default: "the indices",
        help: "id of the data view (index pattern) that a saved search is on",
        set: |settings, value| {
            settings.data_view = Some(name(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "recipient",
        values: "ADDRESS",
        default: "none",
        help: "who gets the e-mail of a watch",
        set: |settings, value| {
            settings.recipient = Some(name(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "api",
        values: "current|old",
        default: "current",
        help: "path of the Watcher API: _watcher/watch, or _xpack/watcher/watch of the versions before 7.0",
        set: |settings, value| {
            settings.api = word(value, &[("current", WatcherApi::Current), ("old", WatcherApi::Old)])?;
            Ok(())
        },
    },
    OptionSpec {
        key: "action",
        values: "email|index|webhook|logging",
        default: "email",
        help: "what a watch does when it finds something",
        set: |settings, value| {
            let known = [
                ("email", WatcherAction::Email),
                ("index", WatcherAction::Index),
                ("webhook", WatcherAction::Webhook),
                ("logging", WatcherAction::Logging),
            ];
            settings.action = word(value, &known)?;
            Ok(())
        },
    },
    OptionSpec {
        key: "webhook",
        values: "URL",
        default: "none",
        help: "where the webhook action posts to, such as https://hooks.example.org:8443/sigma",
        set: |settings, value| {
            let known_scheme = value.starts_with("https://") || value.starts_with("http://");
            if !known_scheme {
                return Err(format!("`{value}` is no URL that starts with https:// or http://"));
            }
            settings.webhook = Some(name(value)?);
            Ok(())
        },
    },
    OptionSpec {
        key: "action_index",
        values: "NAME",
        default: "sigma-alerts",
        help: "index that the index action writes to",
        set: |settings, value| {
            settings.action_index = name(value)?;
            Ok(())
        },
    },
    OptionSpec {
        key: "host",
        values: "HOST:PORT",
        default: "localhost:9200",
        help: "server that a script calls",
        set: |settings, value| {
            let safe = !value.is_empty()
                && value
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '/' | '_' | '[' | ']'));
            if !safe {
                return Err(format!("`{value}` is no host and port"));
            }
            settings.host = value.to_owned();
            Ok(())
        },
    },
];

/// The option with this key.
#[must_use]
pub fn option(key: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|option| option.key == key)
}

/// The key nearest to a word, of all options.
#[must_use]
pub fn nearest_key(key: &str) -> Option<&'static str> {
    nearest(key, OPTIONS.iter().map(|option| option.key))
}

impl Settings {
    /// What is usual, but for these options, given as keys and values.
    ///
    /// # Errors
    /// An unknown key, or what is wrong with a value, as a sentence for the user.
    pub fn of(options: &[(&str, &str)]) -> Result<Self, String> {
        let mut settings = Self::default();
        for (key, value) in options {
            option(key).ok_or_else(|| format!("unknown option `{key}`"))?.set(&mut settings, value)?;
        }
        Ok(settings)
    }
}

impl OptionSpec {
    /// Sets the option.
    ///
    /// # Errors
    /// What is wrong with the value, as a sentence for the user.
    pub fn set(&self, settings: &mut Settings, value: &str) -> Result<(), String> {
        (self.set)(settings, value).map_err(|fault| format!("option {}: {fault}", self.key))
    }
}

/// The value that a word stands for.
fn word<T: Copy>(value: &str, known: &[(&'static str, T)]) -> Result<T, String> {
    if let Some((_, found)) = known.iter().find(|(name, _)| *name == value) {
        return Ok(*found);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let hint =
        nearest(value, names.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(format!("`{value}` is none of {}{hint}", names.join(", ")))
}

/// A name: not empty, and no control characters.
fn name(value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.is_empty() {
        return Err("the value is empty".to_owned());
    }
    if value.chars().any(char::is_control) {
        return Err("the value has control characters".to_owned());
    }
    Ok(value.to_owned())
}

/// A schedule of cron: five fields of digits and the signs between them.
fn cron(value: &str) -> Result<String, String> {
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    let right = fields.len() == 5
        && !value.chars().any(char::is_control)
        && fields.iter().all(|field| field.bytes().all(|b| b.is_ascii_alphanumeric() || b"*/,-".contains(&b)));
    if right {
        Ok(fields.join(" "))
    } else {
        Err(format!("`{value}` is no schedule: five fields of cron are expected"))
    }
}

/// The seconds of a duration such as `5m`: a number below 4,000,000,000 (a hundred years of seconds), not 0, and one of `s`, `m`, `h`, `d`. None of another text.
#[must_use]
pub fn seconds(duration: &str) -> Option<u64> {
    let (digits, unit) = duration.split_at_checked(duration.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok().filter(|count| (1..4_000_000_000).contains(count))?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    Some(count * unit)
}

/// A duration. Queries show it as it is written, so it has no sign, and six digits at most.
fn duration(value: &str) -> Result<String, String> {
    let plain = value.len() <= 7 && value.starts_with(|c: char| c.is_ascii_digit());
    if plain && seconds(value).is_some() {
        Ok(value.to_owned())
    } else {
        Err(format!("`{value}` is no duration: a number and one of s, m, h, d, such as 24h"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked() {
        let mut settings = Settings::default();
        let mut set = |key: &str, value: &str| option(key).expect("known").set(&mut settings, value);
        assert_eq!(set("cidr", "expand"), Ok(()));
        assert_eq!(
            set("cidr", "expnad"),
            Err("option cidr: `expnad` is none of auto, native, expand; did you mean `expand`?".to_owned())
        );
        assert!(set("time_range", "24h").is_ok());
        for wrong in ["", "h", "0m", "24", "1w", "é"] {
            assert!(set("time_range", wrong).is_err(), "{wrong}");
        }
        assert!(set("host", "a; rm -rf /").is_err());
        assert!(set("cron", "*/5  8-18 * * MON,TUE").is_ok());
        for wrong in ["* * * *", "* * * * * *", "* * * * $(x)", "a\n* * * *"] {
            assert!(set("cron", wrong).is_err(), "{wrong}");
        }
        assert_eq!(settings.cidr, CidrMode::Expand);
        let both = Settings::of(&[("cidr", "expand"), ("time_range", "24h")]).expect("settings");
        assert_eq!((both.cidr, both.time_range.as_deref()), (CidrMode::Expand, Some("24h")));
        assert_eq!(Settings::of(&[("cdir", "expand")]).map(|_| ()), Err("unknown option `cdir`".to_owned()));
    }
}
