//! What options set: a type for each that has more than text, and all of them together.
//!
//! Invariant: the defaults are the options' own, as their table names them.

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
