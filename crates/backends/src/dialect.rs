//! How a query language is declared.
//!
//! There is no default to inherit: every construct has a field here, so a new one must visit every dialect to compile.
//! A variant of a language is `Dialect { exact: …, ..BASE }` and states only what differs.

use sigcast_diagnostics::Code;
use sigcast_ir::{Match, Query, Subject, Test};

use crate::options::Settings;
use crate::say::{Legaliser, Refusal, Said};
use crate::write::Writer;

/// A query language, or one stage of a language that has several.
#[derive(Debug)]
pub struct Dialect {
    /// Its name in messages, such as `Splunk search`.
    pub name: &'static str,
    /// How terms are joined, and how tightly.
    pub operators: Operators,
    /// Passes over the whole query before its leaves are legalised.
    pub passes: &'static [Pass],
    /// Writes a field's name, quoted if need be.
    pub field: fn(&mut Writer<'_>, &str),
    /// What is appended to a field's name for this test, such as `.keyword`.
    pub variant: fn(&Settings, &Test<'_>) -> &'static str,
    /// Why a field's name cannot be written, if it cannot.
    pub bad_field: fn(&str) -> Option<&'static str>,
    /// Whether a comparison with an absent field is neither true nor false, so that under a negation it must be
    /// guarded by a test of presence.
    pub needs_guard: fn(&Match<'_>) -> bool,
    /// How many clauses a server of the language takes by default, if it counts them.
    pub most_clauses: Option<usize>,
    /// How many characters of a query a server takes by default, if there is a bound.
    pub longest: Option<usize>,
    /// Text tests that ignore case.
    pub text: TextSays,
    /// Text tests that mind case.
    pub cased: TextSays,
    /// A text anywhere in the event, ignoring case.
    pub keyword: Say,
    /// A text anywhere in the event, minding case.
    pub keyword_cased: Say,
    /// A regular expression anywhere in the event.
    pub keyword_regex: Say,
    /// Any other test of the whole event.
    pub keyword_other: Say,
    /// A regular expression.
    pub regex: Say,
    /// An IPv4 network.
    pub network_v4: Say,
    /// An IPv6 network.
    pub network_v6: Say,
    /// Equality with a number.
    pub number: Say,
    /// Order of numbers.
    pub compare: Say,
    /// A boolean.
    pub boolean: Say,
    /// Absent or null.
    pub null: Say,
    /// Present.
    pub exists: Say,
    /// Absent.
    pub absent: Say,
    /// Comparison with another field.
    pub same_as: Say,
    /// A part of a time.
    pub time_part: Say,
    /// What the language makes of a schema's types; none if it takes no schema.
    pub schema: Option<crate::typed::Reach>,
    /// How a reader of the language takes its text apart.
    pub reading: crate::readback::Reading,
}

/// One entry for each shape of a pattern.
#[derive(Debug, Clone, Copy)]
pub struct TextSays {
    /// The empty string.
    pub empty: Say,
    /// Equality.
    pub exact: Say,
    /// `value*`
    pub prefix: Say,
    /// `*value`
    pub suffix: Say,
    /// `*value*`
    pub contains: Say,
    /// `*`
    pub anything: Say,
    /// Other arrangements of `*`.
    pub runs: Say,
    /// Patterns with `?`.
    pub singles: Say,
}

impl TextSays {
    /// The same entry for every shape.
    #[must_use]
    pub const fn all(say: Say) -> Self {
        Self { empty: say, exact: say, prefix: say, suffix: say, contains: say, anything: say, runs: say, singles: say }
    }
}

/// What a dialect does with a construct.
#[derive(Debug, Clone, Copy)]
pub enum Say {
    /// The language has it.
    Native(Emit),
    /// A pass rewrites it, or chooses how to say it.
    Lowered(Rewrite),
    /// The language cannot say it: the code, and the reason as the user reads it, which completes
    /// "… cannot be said in Splunk: ".
    Refused(Code, &'static str),
}

/// A pass over a whole query.
pub type Pass = for<'a> fn(Query<'a>, &Dialect) -> Query<'a>;

/// Rewrites a leaf that the language cannot say as it stands, or chooses among ways to say it.
pub type Rewrite = for<'a> fn(&Match<'a>, &mut Legaliser<'_>) -> Result<Said<'a>, Refusal>;

/// How the text of a leaf binds when it is one piece that no operator can tear apart.
pub const ATOM: u8 = u8::MAX - 1;

/// What an operator needs of a term that always stands in a group, a single leaf too: `not(f == 1)`, where the negation
/// is a function.
pub const GROUPED: u8 = u8::MAX;

/// How a leaf is written.
#[derive(Debug, Clone, Copy)]
pub struct Emit {
    /// The text.
    pub form: Form,
    /// How tightly that text binds: [`ATOM`], or the strength of the operator that it contains.
    pub strength: u8,
    /// The list that leaves of this kind on one field can stand in.
    pub list: Option<&'static List>,
    /// What the data must fulfil for the text to be exact.
    pub assumes: &'static [Code],
}

/// The text of a leaf.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Field, operator, value.
    Infix {
        /// With its blanks, such as ` =~ `.
        operator: &'static str,
        /// Writes the value, quotes included.
        value: ValueWriter,
    },
    /// A function of the field and its value, or the values of a list: `in_range(f, "10.0.0.0/8")`. What stands between
    /// and behind the values of a list is the list's to say.
    Call {
        /// What stands before the field, such as `in_range(`.
        before: &'static str,
        /// Between field and value.
        separator: &'static str,
        /// Writes the value, quotes included.
        value: ValueWriter,
        /// Behind the value.
        after: &'static str,
    },
    /// A function that has another name for a list: `{"term":{"f":1}}`, `{"terms":{"f":[1,2]}}`.
    Plural {
        /// What stands before the field, with one value.
        one: &'static str,
        /// What stands before it in a list.
        many: &'static str,
        /// Between field and the one value.
        separator: &'static str,
        /// Writes a value, quotes included.
        value: ValueWriter,
        /// Behind the one value.
        after: &'static str,
    },
    /// Anything else.
    Whole(LeafWriter),
}

impl Form {
    /// What stands before the field of a list.
    #[must_use]
    pub const fn before_list(self) -> &'static str {
        match self {
            Self::Call { before, .. } => before,
            Self::Plural { many, .. } => many,
            Self::Infix { .. } | Self::Whole(_) => "",
        }
    }
}

/// Writes the value of a test.
pub type ValueWriter = fn(&mut Writer<'_>, &Test<'_>);
/// Writes a whole leaf. The field is that of the leaf; keywords have none.
pub type LeafWriter = fn(&mut Writer<'_>, &Match<'_>);

impl Emit {
    /// Field, operator, value.
    #[must_use]
    pub const fn infix(operator: &'static str, value: ValueWriter) -> Self {
        Self { form: Form::Infix { operator, value }, strength: ATOM, list: None, assumes: &[] }
    }

    /// A leaf of its own form.
    #[must_use]
    pub const fn whole(write: LeafWriter) -> Self {
        Self { form: Form::Whole(write), strength: ATOM, list: None, assumes: &[] }
    }

    /// A leaf whose text contains an operator of this strength.
    #[must_use]
    pub const fn binding(self, strength: u8) -> Self {
        Self { strength, ..self }
    }

    /// A leaf that can stand in this list. Not for [`Form::Whole`].
    #[must_use]
    pub const fn listed(self, list: &'static List) -> Self {
        Self { list: Some(list), ..self }
    }

    /// A leaf that is exact under these assumptions.
    #[must_use]
    pub const fn assuming(self, assumes: &'static [Code]) -> Self {
        Self { assumes, ..self }
    }

    /// The entry for a construct that is said so.
    #[must_use]
    pub const fn native(self) -> Say {
        Say::Native(self)
    }
}

/// A list of values of one field: `f in (a, b)`.
#[derive(Debug)]
pub struct List {
    /// Its name, by which two lists are told apart.
    pub name: &'static str,
    /// For a disjunction: what stands after the field, between the values, and at the end.
    pub any: Option<Brackets>,
    /// For a conjunction.
    pub all: Option<Brackets>,
}

/// The signs of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brackets {
    /// After the field, such as ` in~ (`.
    pub open: &'static str,
    /// Between two values.
    pub separator: &'static str,
    /// At the end.
    pub close: &'static str,
}

/// The operators of a language.
#[derive(Debug, Clone, Copy)]
pub struct Operators {
    /// Conjunction.
    pub and: Infix,
    /// Disjunction.
    pub or: Infix,
    /// Negation.
    pub not: Prefix,
    /// What groups terms: opening and closing.
    pub group: (&'static str, &'static str),
    /// Where groups stand.
    pub grouping: Grouping,
}

impl Operators {
    /// Operators that are calls: nothing stands between terms, and every term binds as tightly as can be.
    #[must_use]
    pub const fn calls(calls: &'static Calls) -> Self {
        const BETWEEN: Infix = Infix { text: "", strength: ATOM, needs: 0 };
        Self {
            and: BETWEEN,
            or: BETWEEN,
            not: Prefix { text: "", strength: ATOM, needs: 0 },
            group: ("", ""),
            grouping: Grouping::Calls(calls),
        }
    }
}

/// An operator between terms. A term that binds more loosely than `needs` is put in a group.
#[derive(Debug, Clone, Copy)]
pub struct Infix {
    /// With its blanks.
    pub text: &'static str,
    /// How tightly the whole binds.
    pub strength: u8,
    /// How tightly a term must bind to stand without a group.
    pub needs: u8,
}

/// An operator before a term.
#[derive(Debug, Clone, Copy)]
pub struct Prefix {
    /// With its blank.
    pub text: &'static str,
    /// How tightly the whole binds.
    pub strength: u8,
    /// How tightly the term must bind to stand without a group.
    pub needs: u8,
}

/// Where groups stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Where the strengths ask for them.
    Needed,
    /// Likewise, and around the parts of a chain that is too long for a parser which recurses once a term.
    Shallow,
    /// Around every conjunction and disjunction, and around whatever is negated, as old converters did.
    Always,
    /// Nowhere: operators are calls of their terms, as in languages of JSON. Strengths and group signs are not asked.
    Calls(&'static Calls),
}

/// The operators of a language in which they are calls: `{"bool":{"filter":[a,b]}}`.
#[derive(Debug, PartialEq, Eq)]
pub struct Calls {
    /// What stands around a whole query. Nothing else starts like it.
    pub whole: (&'static str, &'static str),
    /// Conjunction of two terms or more.
    pub and: Brackets,
    /// Disjunction of two terms or more.
    pub or: Brackets,
    /// Negation of one term: opening and closing.
    pub not: (&'static str, &'static str),
}

/// No field variant.
#[must_use]
pub fn no_variant(_: &Settings, _: &Test<'_>) -> &'static str {
    ""
}

/// Any field name can be written.
#[must_use]
pub fn any_field(_: &str) -> Option<&'static str> {
    None
}

/// Comparisons are true or false, also with absent fields.
#[must_use]
pub fn two_valued(_: &Match<'_>) -> bool {
    false
}

impl Dialect {
    /// The entry for a leaf.
    #[must_use]
    pub fn entry(&self, leaf: &Match<'_>) -> Say {
        use sigcast_ir::{Case, Order};
        if leaf.subject == Subject::Event {
            return match &leaf.test {
                Test::Text { case: Case::Insensitive, .. } => self.keyword,
                Test::Text { case: Case::Sensitive, .. } => self.keyword_cased,
                Test::Regex(_) => self.keyword_regex,
                Test::Raw(_) => Say::Native(Emit::whole(crate::write::raw)),
                _ => self.keyword_other,
            };
        }
        match &leaf.test {
            Test::Text { pattern, case } => {
                let says = if *case == Case::Sensitive { &self.cased } else { &self.text };
                says.entry(&pattern.shape())
            }
            Test::Regex(_) => self.regex,
            Test::Network(ipnet::IpNet::V4(_)) => self.network_v4,
            Test::Network(ipnet::IpNet::V6(_)) => self.network_v6,
            Test::Number { order: Order::Equal, .. } => self.number,
            Test::Number { .. } => self.compare,
            Test::Bool(_) => self.boolean,
            Test::Null => self.null,
            Test::Exists(true) => self.exists,
            Test::Exists(false) => self.absent,
            Test::SameAs { .. } => self.same_as,
            Test::TimePart { .. } => self.time_part,
            Test::Raw(_) => Say::Native(Emit::whole(crate::write::raw)),
            // Styles of old keep a list of values as one leaf, whatever its values; elsewhere variants are expanded.
            Test::OneOf(_) if self.operators.grouping == Grouping::Always => self.text.exact,
            Test::OneOf(_) => Say::Refused(Code::ConstructUnsupported, "variants are expanded before this point"),
        }
    }
}

impl TextSays {
    fn entry(&self, shape: &sigcast_ir::Shape<'_>) -> Say {
        use sigcast_ir::Shape;
        match shape {
            Shape::Empty => self.empty,
            Shape::Exact(_) => self.exact,
            Shape::Prefix(_) => self.prefix,
            Shape::Suffix(_) => self.suffix,
            Shape::Contains(_) => self.contains,
            Shape::Anything => self.anything,
            Shape::Runs => self.runs,
            Shape::Singles => self.singles,
            Shape::Unresolved => Say::Refused(Code::UnresolvedPlaceholder, "no pipeline gave the placeholder a value"),
        }
    }
}
