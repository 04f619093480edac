//! A detection rule as its author wrote it, typed.
//!
//! Follows the Sigma specification 2.1, "Sigma Rules Specification".

use std::borrow::Cow;

use sigcast_diagnostics::Span;

use crate::{Condition, Field, Number, Test};

/// A detection rule.
#[derive(Debug, Clone)]
pub struct Rule<'a> {
    /// What describes the rule.
    pub meta: Meta<'a>,
    /// Which events it looks at.
    pub logsource: LogSource<'a>,
    /// Named detections, in document order.
    pub detections: Vec<Detection<'a>>,
    /// Conditions, in order; each gives a query of its own. Never empty.
    pub conditions: Vec<(Condition<'a>, Span)>,
    /// The `timeframe` of a legacy aggregation, as written.
    pub timeframe: Option<Cow<'a, str>>,
    /// The whole document.
    pub span: Span,
    /// What pipelines decided about it; nothing if there are none.
    pub prepared: Prepared<'a>,
}

impl Rule<'_> {
    /// Whether both are the same rule, by their places: of one document with the same conditions. Several rules are made of
    /// one document that asks what is near another of its detections.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let places = |rule: &Self| rule.conditions.iter().map(|(_, place)| *place).collect::<Vec<Span>>();
        self.span == other.span && places(self) == places(other)
    }
}

/// What pipelines decided about a rule, beside what they changed in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared<'a> {
    /// Options of targets by key (`table`, `index`), with their values as on the command line. Those that a target does
    /// not know say nothing to it.
    pub options: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Whether a condition or an option restricts the query to the rule's log source.
    pub scoped: bool,
    /// The fields that the rule shows by the names that it gives them itself; empty if no pipeline was applied.
    pub fields: Vec<Field<'a>>,
    /// Fields of the rule's events that a correlation asks for, each with what stands for it.
    pub named: Vec<Vec<Field<'a>>>,
    /// Of what describes a correlation: the fields that its groups are told apart by, as far as they are the same ones for
    /// all of its rules.
    pub keys: Vec<Field<'a>>,
}

/// What describes a rule. Everything is as written; absent and empty lists are the same.
#[derive(Debug, Clone, Default)]
pub struct Meta<'a> {
    /// Title, a line.
    pub title: Cow<'a, str>,
    /// Identifier, usually a UUID.
    pub id: Option<Cow<'a, str>>,
    /// A name by which correlations refer to the rule.
    pub name: Option<Cow<'a, str>>,
    /// Names of fields and log sources follow this taxonomy; `sigma` if absent.
    pub taxonomy: Option<Cow<'a, str>>,
    /// Other rules and how this one relates to them.
    pub related: Vec<Related<'a>>,
    /// Maturity.
    pub status: Option<Status>,
    /// Description, any number of lines.
    pub description: Option<Cow<'a, str>>,
    /// Licence, by SPDX.
    pub license: Option<Cow<'a, str>>,
    /// Author or authors, as written.
    pub author: Option<Cow<'a, str>>,
    /// Where the rule's knowledge comes from.
    pub references: Vec<Cow<'a, str>>,
    /// Date of creation, as written.
    pub date: Option<Cow<'a, str>>,
    /// Date of the last change, as written.
    pub modified: Option<Cow<'a, str>>,
    /// Tags with their namespace, such as `attack.t1059.001`.
    pub tags: Vec<Cow<'a, str>>,
    /// Where each tag stands, in the same order; shorter where something other than the rule's text added tags.
    pub tag_spans: Vec<Span>,
    /// Fields worth showing for a hit.
    pub fields: Vec<Field<'a>>,
    /// Known false positives.
    pub falsepositives: Vec<Cow<'a, str>>,
    /// Severity.
    pub level: Option<Level>,
    /// Intended scope.
    pub scope: Vec<Cow<'a, str>>,
    /// Every other attribute, in document order.
    pub custom: Vec<(Cow<'a, str>, Attribute<'a>)>,
}

/// A relation to another rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related<'a> {
    /// The other rule's id.
    pub id: Cow<'a, str>,
    /// `derived`, `obsolete`, `merged`, `renamed` or `similar`.
    pub kind: Cow<'a, str>,
}

/// Any value of a custom attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute<'a> {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number<'a>),
    /// Text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Attribute<'a>>),
    /// A map, in document order.
    Map(Vec<(Cow<'a, str>, Attribute<'a>)>),
}

macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $case_doc:literal])+ $case:ident = $text:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $case_doc])+ $case),+ }

        impl $name {
            /// Every value, lowest first.
            pub const ALL: &'static [Self] = &[$(Self::$case),+];

            /// The word of the specification.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$case => $text),+ }
            }

            /// The value that a word of the specification names, ignoring case.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str().eq_ignore_ascii_case(word))
            }
        }
    };
}

words! {
    /// Maturity of a rule, the least mature first.
    Status {
        /// Replaced by another rule.
        Deprecated = "deprecated",
        /// Cannot be used yet: it needs a log source or feature of its own.
        Unsupported = "unsupported",
        /// May be noisy.
        Experimental = "experimental",
        /// Tested on few systems.
        Test = "test",
        /// Safe for production.
        Stable = "stable",
    }
}

words! {
    /// Severity of a hit, the lowest first.
    Level {
        /// Only for correlation and enrichment.
        Informational = "informational",
        /// Notable, rarely an incident.
        Low = "low",
        /// Review more often.
        Medium = "medium",
        /// Review promptly.
        High = "high",
        /// Review at once.
        Critical = "critical",
    }
}

/// Which events a rule looks at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogSource<'a> {
    /// Kind of event, such as `process_creation`.
    pub category: Option<Cow<'a, str>>,
    /// Product, such as `windows`.
    pub product: Option<Cow<'a, str>>,
    /// Part of the product, such as `sysmon`.
    pub service: Option<Cow<'a, str>>,
    /// What must be configured, in words.
    pub definition: Option<Cow<'a, str>>,
    /// Further attributes, in document order.
    pub custom: Vec<(Cow<'a, str>, Attribute<'a>)>,
    /// Where it stands.
    pub span: Option<Span>,
}

/// A named detection.
#[derive(Debug, Clone)]
pub struct Detection<'a> {
    /// Its name, such as `selection`.
    pub name: Cow<'a, str>,
    /// Where the name stands.
    pub span: Span,
    /// What it asks.
    pub tree: Tree<'a>,
}

/// What a detection asks, nested as written: a map is `All`, a list is `Any`, also with one element.
#[derive(Debug, Clone)]
pub enum Tree<'a> {
    /// Every one. Never empty.
    All(Vec<Tree<'a>>),
    /// One at least. Never empty.
    Any(Vec<Tree<'a>>),
    /// An item.
    Item(DetectionItem<'a>),
}

/// How the values of an item are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueLinking {
    /// One is enough: Sigma's default.
    Any,
    /// Every one must match (`all`).
    All,
}

/// One value of an item, after its modifiers.
#[derive(Debug, Clone, PartialEq)]
pub struct Value<'a> {
    /// What is asked.
    pub test: Test<'a>,
    /// Where the value stands.
    pub span: Span,
}

/// A detection item: a field and its values, or keywords.
#[derive(Debug, Clone)]
pub struct DetectionItem<'a> {
    /// The field; none for keywords.
    pub field: Option<Field<'a>>,
    /// The modifiers as written, in order, such as `contains`, `all`.
    pub modifiers: Vec<Cow<'a, str>>,
    /// The values after the modifiers. Never empty.
    pub values: Vec<Value<'a>>,
    /// Whether the values were written as a list, be it of one element.
    pub list: bool,
    /// How the values are joined.
    pub linking: ValueLinking,
    /// Whether the item is negated (`neq`).
    pub negated: bool,
    /// Where the key stands (the value, for keywords).
    pub span: Span,
    /// The pipeline items applied to it, by their number in the run.
    pub applied: Vec<u32>,
}
