//! What is asked of a field's value.
//!
//! Meanings follow the Sigma specification 2.1, appendix "Modifiers".

use std::borrow::Cow;
use std::cmp::Ordering;

use ipnet::IpNet;

use crate::Pattern;

/// The name of a field, as the rule or a pipeline writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field<'a>(pub Cow<'a, str>);

impl<'a> Field<'a> {
    /// A field by name.
    #[must_use]
    pub fn new(name: impl Into<Cow<'a, str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text comparison minds case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Case {
    /// `a` equals `A` (simple Unicode case folding): Sigma's default.
    Insensitive,
    /// `a` differs from `A` (`cased`).
    Sensitive,
}

/// How two ordered values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Order {
    /// The usual sign, `=` for equality.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Its name in rules, such as `gte`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::Less => "lt",
            Self::LessOrEqual => "lte",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "gte",
        }
    }

    /// Whether it holds of two things that compare so, left with right.
    #[must_use]
    pub const fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found.is_eq(),
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
        }
    }
}

/// A number, exact: its value where it fits, and its text always.
#[derive(Debug, Clone, PartialEq)]
pub struct Number<'a> {
    /// As the rule writes it, in decimal form: `4688`, `-1`, `9007199254740993`, `1.5`. For integers in another base
    /// (`0x1F`) the decimal form.
    pub text: Cow<'a, str>,
    /// The value.
    pub value: NumberValue,
}

/// The value of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NumberValue {
    /// An integer of 64 bits, with or without sign.
    Integer(i128),
    /// Any other finite number.
    Float(f64),
}

/// Flags of a regular expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RegexFlags {
    /// `i`: ignore case.
    pub ignore_case: bool,
    /// `m`: `^` and `$` match at line breaks too.
    pub multiline: bool,
    /// `s`: `.` matches line breaks too.
    pub dot_all: bool,
}

/// A regular expression that is searched for anywhere in the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Regex<'a> {
    /// The expression, in PCRE syntax, without delimiters. It parses, unless `opaque` says otherwise.
    pub source: Cow<'a, str>,
    /// Its flags.
    pub flags: RegexFlags,
    /// The construct (such as `look-ahead`) because of which only an engine with PCRE's reach can run it, and which
    /// keeps the `regex-syntax` crate from parsing it.
    pub opaque: Option<&'static str>,
}

/// How a field's value stands to another field's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Affix {
    /// Equal to it.
    Equals,
    /// Starts with it.
    StartsWith,
    /// Ends with it.
    EndsWith,
    /// Contains it.
    Contains,
}

/// A part of a timestamp, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Day of the month, 1 to 31.
    Day,
    /// Week of the year by ISO 8601, 1 to 53.
    Week,
    /// 1 to 12.
    Month,
    /// Four digits.
    Year,
}

/// A test of one value of a field. With several values in the field, one that passes is enough.
#[derive(Debug, Clone, PartialEq)]
pub enum Test<'a> {
    /// The text matches the pattern: equals, contains, startswith, endswith and wildcards. Numbers are taken by their text.
    Text {
        /// The pattern, anchored (searched for, if the subject is [`crate::Subject::Event`]).
        pattern: Pattern<'a>,
        /// Whether case matters.
        case: Case,
    },
    /// The regular expression is found somewhere in the text.
    Regex(Regex<'a>),
    /// The value is an address inside the network, in any spelling.
    Network(IpNet),
    /// The value is a number, or text that spells one, and compares so.
    Number {
        /// How the field's value (left) compares with `value` (right).
        order: Order,
        /// The number.
        value: Number<'a>,
    },
    /// The value is that boolean, or the text `true` or `false` in any case.
    Bool(bool),
    /// The field is absent or null.
    Null,
    /// The field is present, whatever its value (`true`), or absent (`false`).
    Exists(bool),
    /// The value compares so with the value of another field.
    SameAs {
        /// The other field.
        other: Field<'a>,
        /// How.
        affix: Affix,
        /// Whether case matters.
        case: Case,
    },
    /// That part of the timestamp compares so.
    TimePart {
        /// The part.
        part: TimePart,
        /// How the field's part (left) compares with `value` (right).
        order: Order,
        /// The number.
        value: Number<'a>,
    },
    /// A piece of the target's own language, put into the query as it is: a scope or time range that an option asks for.
    /// Never a value of a rule.
    Raw(Cow<'a, str>),
    /// One of these tests passes: the variants of one value that a modifier expanded (`base64offset`, `windash`).
    /// Never empty. Only in a [`crate::Rule`]; [`crate::lower`] makes a disjunction of it.
    OneOf(Vec<Test<'a>>),
}
