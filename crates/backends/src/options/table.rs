//! The table of all options.
//!
//! Invariant: an option sets nothing but its own field of [`Settings`](super::Settings), and that only if the value is
//! right.

use super::OptionSpec;
use super::read::{cron, duration, name, word};
use super::settings::{CaseMode, CidrMode, Enabled, FieldMode, RegexpMode, WatcherAction, WatcherApi, WindowMode};

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
