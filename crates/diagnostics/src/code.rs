//! The stable codes of everything that sigcast reports.
//!
//! One table: a code's arm here, a bad rule in `rules/bad/<code>.yml` for those that a rule can cause,
//! and its snapshot are all that a new code needs.

/// What a code says of a rule or a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The rule is wrong, for every target.
    Invalid,
    /// The rule is right, but the target cannot say it.
    Refusal,
    /// The query differs from the rule in a way that the message names.
    Approximation,
    /// What the user's data must fulfil for the query to be exact, and the tool cannot know.
    Assumption,
    /// The rule stands, but its author may have meant something else.
    Warning,
    /// Worth knowing; nothing is wrong.
    Note,
    /// The command line or configuration is wrong, or a file cannot be read.
    Usage,
}

impl Class {
    /// The name of the class, as `sigcast list codes` shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Refusal => "refused",
            Self::Approximation => "approximate",
            Self::Assumption => "assumption",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Usage => "usage",
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $class:ident $text:literal;)+) => {
        /// A stable code. Codes are never reused and never renamed once released.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as it is shown and as other programs read it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What the code says of a rule or a run.
            #[must_use]
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class),+ }
            }

            /// What the code means, in one or more sentences.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

codes! {
    // The text as YAML.
    /// The text is not well-formed YAML.
    BrokenYaml = Invalid "broken-yaml";
    /// The file is not UTF-8 text.
    NotUtf8 = Invalid "not-utf8";
    /// A key stands twice in one map: one of the values would be lost.
    DuplicateKey = Invalid "duplicate-key";
    /// The document nests deeper than any rule needs.
    TooDeep = Invalid "too-deep";
    /// Aliases (`*name`) blow the document up beyond its size limit.
    TooManyAliases = Invalid "too-many-aliases";
    /// The file is larger than any rule file needs to be.
    TooLarge = Invalid "too-large";

    // The rule.
    /// A required attribute is missing: `title`, `logsource`, `detection` or `condition`.
    MissingAttribute = Invalid "missing-attribute";
    /// A value has another type than the specification asks for.
    WrongType = Invalid "wrong-type";
    /// A value is none of those that the specification lists: a level, a status, a relation.
    BadValue = Invalid "bad-value";
    /// `action` is none of `global`, `reset` and `repeat`.
    BadAction = Invalid "bad-action";
    /// A document has another value in its `detection` than the one that `action: global` lends: one would be lost.
    MergeConflict = Invalid "merge-conflict";
    /// A detection, a map or a list of values is empty: it says nothing.
    EmptyDetection = Invalid "empty-detection";

    // Modifiers and values.
    /// The modifier is not one of Sigma's.
    UnknownModifier = Invalid "unknown-modifier";
    /// Modifiers that cannot follow each other, or a modifier on a value of a type it does not take.
    BadModifierChain = Invalid "bad-modifier-chain";
    /// The regular expression does not parse.
    BadRegex = Invalid "bad-regex";
    /// The value is not a network in CIDR notation.
    BadNetwork = Invalid "bad-network";
    /// The value is not a number, where a comparison or a part of a time needs one.
    BadNumber = Invalid "bad-number";
    /// Expanding the value gives more variants than a query can hold.
    TooManyVariants = Invalid "too-many-variants";

    // Conditions.
    /// The condition does not parse.
    BadCondition = Invalid "bad-condition";
    /// The condition names a detection that the rule does not have.
    UnknownDetection = Invalid "unknown-detection";
    /// A pattern of `1 of` or `all of` matches no detection.
    NoDetectionMatches = Invalid "no-detection-matches";
    /// The condition ends in an aggregation of old that asks for what no correlation says.
    LegacyUnsupported = Refusal "legacy-unsupported";
    /// The condition ends in an aggregation of old, and the rule has no `timeframe`: within what time is not known.
    MissingTimeframe = Refusal "missing-timeframe";
    /// A filter that is for the rule, or may be, is wrong or not supported: the query would match what the filter leaves out.
    BrokenFilter = Refusal "broken-filter";

    // Correlations.
    /// The attribute is none of a correlation's: what it asks would be lost.
    UnknownAttribute = Invalid "unknown-attribute";
    /// A span of time is no number with a unit, such as `5m`.
    BadTimespan = Invalid "bad-timespan";
    /// The bounds of a correlation contradict each other, or what is counted: no number fulfils them.
    ImpossibleBounds = Invalid "impossible-bounds";
    /// A correlation refers to a rule that is not in the run, or to one that is wrong or not supported.
    MissingRule = Invalid "missing-rule";
    /// A correlation refers to an id or a name that several rules have.
    AmbiguousRule = Invalid "ambiguous-rule";
    /// Correlations refer to each other in a circle.
    CorrelationCycle = Invalid "correlation-cycle";
    /// A correlation holds more rules, or more correlations in each other, than a query can.
    CorrelationTooLarge = Invalid "correlation-too-large";

    // Warnings on rules.
    /// Readers of YAML 1.1 see another value here than YAML 1.2 does: `yes`, `0777`, `12:30`.
    YamlVersionTrap = Warning "yaml-version-trap";
    /// A detection is named by no condition.
    UnusedDetection = Warning "unused-detection";
    /// The attribute is not of a usual form (an id that is no UUID, a date in an old form): it is kept as it is.
    UnusualAttribute = Warning "unusual-attribute";
    /// The tag names nothing in the table of MITRE ATT&CK, or a technique that is revoked there: it is kept as it is.
    UnknownAttackTag = Warning "unknown-attack-tag";
    /// The attribute `custom` sets something for a target that neither its options nor the format know.
    UnknownOverride = Warning "unknown-override";

    /// No event was found that a condition matches: it contradicts itself, or its values are beyond the search for samples.
    NoHit = Warning "no-hit";

    /// A correlation defines an alias that it groups by nowhere and counts nothing by.
    UnusedAlias = Warning "unused-alias";

    // Warnings on filters.
    /// The filter applies to no rule of the run, or not to one that it names, which has another log source or is a correlation.
    FilterUnused = Warning "filter-unused";
    /// The filter names a rule that is not in the run.
    UnknownRule = Warning "unknown-rule";
    /// The filter leaves out every event that it does not describe, and keeps what it should leave out.
    FilterKeepsOnly = Warning "filter-keeps-only";
    /// No event was found that the rule matches and its filters let through, while the rule alone matches some.
    FilterImpossible = Warning "filter-impossible";
    /// A path of `--filter` holds a document that is no filter: it is passed over.
    NotAFilter = Warning "not-a-filter";

    // Notes.
    /// The document is no Sigma rule: it has neither `detection` nor `logsource`.
    NotARule = Note "not-a-rule";
    /// The document is a Sigma filter: it is joined to the rules that it is for, and has no query of its own.
    FilterJoined = Note "filter-joined";
    /// The condition ends in an aggregation of old (`| count() …`, `| near …`): it is read as the correlation that it means.
    LegacyAggregation = Note "legacy-aggregation";
    /// The rule is used up by a correlation, which does not ask that its rules have queries of their own.
    RuleUsed = Note "rule-used";

    // What a target cannot say.
    /// The value has a placeholder (`%name%`) that no pipeline resolved.
    UnresolvedPlaceholder = Refusal "unresolved-placeholder";
    /// The target has no regular expressions, and this one is no plain pattern either.
    RegexUnsupported = Refusal "regex-unsupported";
    /// The regular expression uses a construct that the target's engine does not have.
    RegexConstruct = Refusal "regex-construct";
    /// The regular expression is longer, or makes a larger automaton, than the target's servers take by default.
    RegexTooComplex = Refusal "regex-too-complex";
    /// The target cannot compare two fields of an event.
    FieldReferenceUnsupported = Refusal "field-reference-unsupported";
    /// The target cannot take a part (hour, weekday) from a time.
    TimePartUnsupported = Refusal "time-part-unsupported";
    /// The target has no wildcard for exactly one character.
    SingleWildcardUnsupported = Refusal "single-wildcard-unsupported";
    /// The target cannot search for a text in any field.
    KeywordUnsupported = Refusal "keyword-unsupported";
    /// The target cannot say the correlation, or this kind of it.
    CorrelationUnsupported = Refusal "correlation-unsupported";
    /// The target cannot say this test.
    ConstructUnsupported = Refusal "construct-unsupported";
    /// The field name cannot be written in the target's language.
    FieldNameUnsupported = Refusal "field-name-unsupported";
    /// The value cannot be written in the target's language.
    ValueUnsupported = Refusal "value-unsupported";
    /// The condition is constant, and the target has no query for that.
    ConstantQuery = Refusal "constant-query";
    /// The query would be larger than any engine takes.
    QueryTooLarge = Refusal "query-too-large";
    /// The attribute `custom` gives an option of the target a value that it does not take.
    BadOverride = Refusal "bad-override";
    /// The output format cannot hold the rule.
    FormatFailed = Refusal "format-failed";
    /// A fault of sigcast itself, met at this rule: worth a report, with the rule.
    InternalError = Refusal "internal-error";

    // What pipelines and schemas say.
    /// A pipeline refuses the rule; its message says why.
    PipelineFailure = Refusal "pipeline-failure";
    /// No pipeline maps the field, and one of them asks that every field is mapped.
    UnmappedField = Refusal "unmapped-field";
    /// A pipeline dropped everything that a detection asks.
    NothingLeft = Refusal "nothing-left";
    /// The table does not have the column, by the schema.
    UnknownField = Refusal "unknown-field";
    /// The field never holds the value, by the schema: the list of its values does not have it.
    ValueNotInSchema = Refusal "value-not-in-schema";

    // How a query differs.
    /// A pipeline dropped an item of the rule, so the query differs from it.
    ItemDropped = Approximation "item-dropped";
    /// A detection gives way to a list that `action: global` lends by the same name, and has no effect.
    MergeDropped = Approximation "merge-dropped";
    /// Text patterns for an IPv6 network also match addresses outside it, or miss spellings of addresses inside.
    NetworkPattern = Approximation "network-pattern";
    /// The style writes the query in an older form that the engine does not read as the rule means it.
    LegacyStyle = Approximation "legacy-style";
    /// The target cannot tell an absent field from an empty one.
    EmptyIsAbsent = Approximation "empty-is-absent";
    /// The target cannot tell an absent field from one that holds null or an empty list.
    NullIsAbsent = Approximation "null-is-absent";
    /// The target minds case here, or may beyond ASCII, so the query may miss what the rule matches.
    CaseNarrowed = Approximation "case-narrowed";
    /// A keyword is matched by whole words or against analysed text, not anywhere in the event.
    KeywordTokens = Approximation "keyword-tokens";
    /// The target cannot mind case here, so the query matches more than the rule.
    CaseWidened = Approximation "case-widened";
    /// A blank in a value is said by the wildcard for any one character, since the server loses blanks: the query also
    /// matches where another character stands there.
    BlankWidened = Approximation "blank-widened";
    /// The field is analysed text by the schema and has no keyword subfield: values are matched word by word.
    AnalysedText = Approximation "analysed-text";
    /// The engine may re-read the value as a query of another language unless its field is a keyword.
    ValueReinterpreted = Approximation "value-reinterpreted";
    /// Events are counted in windows that follow each other, not in one that ends with each event: what lies across the
    /// border of two is missed.
    FixedWindows = Approximation "fixed-windows";
    /// The order in time that the correlation asks for is not asked for: the query matches more.
    OrderLost = Approximation "order-lost";
    /// Where the correlation fires at several events on the same ones before them, the query reports one: no group and no
    /// time at which it fires is missed.
    ReportedOnce = Approximation "reported-once";
    /// An event that several rules of the correlation match counts once for each, where it should count once.
    CountedPerRule = Approximation "counted-per-rule";
    /// The rules of the correlation are about different indices, and each is asked of all of them: the query also counts
    /// events of a rule in the indices of the others.
    ScopesJoined = Approximation "scopes-joined";
    /// The engine estimates the number that is asked for: a count of distinct values, or a percentile.
    EstimatedMeasure = Approximation "estimated-measure";
    /// The query has more clauses than a server takes by default.
    ManyClauses = Warning "many-clauses";
    /// The query is longer than a server takes by default.
    LongQuery = Warning "long-query";

    // What the data must fulfil.
    /// Fields hold their text whole and unanalysed (Elasticsearch type `keyword`).
    AssumeKeywordFields = Assumption "assume-keyword-fields";
    /// Text is stored or compared without regard to case, as Sigma compares it.
    AssumeCaseless = Assumption "assume-caseless";
    /// Values hold neither the Kelvin sign (U+212A) nor the long s (U+017F), which Sigma takes for `k` and `s` where case
    /// does not matter, and engines may not.
    AssumePlainLetters = Assumption "assume-plain-letters";
    /// Text is stored and compared as it is, minding case.
    AssumeCased = Assumption "assume-cased";
    /// Fields compared as numbers are stored as numbers.
    AssumeNumeric = Assumption "assume-numeric";
    /// Fields compared with networks are stored as addresses.
    AssumeAddress = Assumption "assume-address";
    /// The search is lenient (`"lenient": true`): text patterns on fields of an address type are no error.
    AssumeLenient = Assumption "assume-lenient";
    /// Addresses are stored as text in their usual spelling.
    AssumeAddressText = Assumption "assume-address-text";
    /// Fields are of the type text.
    AssumeTextFields = Assumption "assume-text-fields";
    /// No index, table or source restricts the query to the rule's log source: it is run where those events are.
    AssumeScope = Assumption "assume-scope";
    /// No table is given: the query is a `where` clause alone, or names `logs`; the right table is put in.
    AssumeTable = Assumption "assume-table";
    /// Fields compared with booleans hold booleans, where the engine has no type for them: the numbers 1 and 0, or text.
    AssumeBooleanFields = Assumption "assume-boolean-fields";
    /// The application defines the function `regexp` as a search with the syntax of RE2 or of Rust's `regex`.
    AssumeRegexpFunction = Assumption "assume-regexp-function";
    /// Values tested by a regular expression hold no line break, which the target's wildcard takes and `.` does not.
    AssumeSingleLines = Assumption "assume-single-lines";
    /// The server allows a wildcard at the start of a term.
    AssumeLeadingWildcards = Assumption "assume-leading-wildcards";
    /// The time field holds UTC, in a type or form that the engine takes for a time (SQLite: texts of ISO 8601).
    AssumeTimeField = Assumption "assume-time-field";
    /// Events that follow each other in a sequence have different times, and no event is one of several of its items.
    AssumeDistinctTimes = Assumption "assume-distinct-times";
    /// The user who runs the query has the time zone UTC, in which the engine takes times apart.
    AssumeTimeZone = Assumption "assume-time-zone";
    /// Every field of the query is known to the engine; a field in no mapping of the searched indices is an error.
    AssumeMappedFields = Assumption "assume-mapped-fields";
    /// Fields hold one value each: a column holds no more, or the engine passes by events where a tested field has several.
    AssumeSingleValues = Assumption "assume-single-values";
    /// Values have no blanks at their ends: the store cuts them off.
    AssumeTrimmedValues = Assumption "assume-trimmed-values";
    /// Fields compared with booleans are stored as booleans.
    AssumeBoolean = Assumption "assume-boolean";
    /// No more events match, and no more groups of events come out, than the limits on rows and memory let through: the
    /// query's own, or those of the engine's commands.
    AssumeWithinLimit = Assumption "assume-within-limit";
    /// The server makes the query of the rule by itself, in the way that its source shows: no query of sigcast is run.
    AssumeServerCompiles = Assumption "assume-server-compiles";
    /// Values are no longer than the schema's `ignore_above` for their field; longer ones are not indexed.
    AssumeIndexedValues = Assumption "assume-indexed-values";

    // The run.
    /// A pipeline file has a word, type or value that its vocabulary does not know.
    BadPipeline = Usage "bad-pipeline";
    /// The file that `sigcast build` reads (`sigcast.yml`) has a word or value that is not known.
    BadConfig = Usage "bad-config";
    /// The file of `--schema` does not say what fields are in a form that is known.
    BadSchema = Usage "bad-schema";
    /// A file or folder cannot be read or written.
    Io = Usage "io";
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::HashSet;

    #[test]
    fn codes_are_distinct_and_kebab_case() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{text}");
            assert!(code.meaning().ends_with('.'), "{text}: {}", code.meaning());
        }
    }
}
