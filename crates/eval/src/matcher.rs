//! The reference evaluator.
//!
//! Follows the Sigma specification 2.1, appendix "Modifiers", and section 1 of the project's semantics.
//!
//! Invariant: the nodes of a [`Matcher`] are those of its query, one to one; nothing is rewritten, so that what passes
//! and backends do to a query can be judged by it.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;
use sigcast_diagnostics::Span;
use sigcast_ir::{Affix, Case, Expr, Match, Number, NumberValue, Order, Query, Rule, Subject, Test, TimePart, lower};

use crate::decimal::Decimal;
use crate::error::{EvalError, EvalFault};
use crate::field::{self, Found};
use crate::fold;
use crate::glob::Glob;
use crate::search::Search;
use crate::time;

/// How deep a query may nest.
const MAX_DEPTH: usize = 512;

/// A query, ready to be asked of events.
///
/// # What matches
/// - A **field** is a key of the event, or a path through its maps (and through lists of maps) with keys between the
///   dots; a key that is spelled like the whole field wins. Names of fields mind case.
/// - A field with **several values** (a list) passes a test if one of them does. An empty list is present and has no
///   value; a map passes no test but `exists`.
/// - **Text** is compared by simple Unicode case folding, or exactly. Numbers and booleans are taken by their JSON text;
///   null is no text.
/// - A **number** compares exactly, of any size, with numbers and with texts that spell one in JSON's grammar.
/// - A **boolean** equals itself, and the texts `true` and `false` in any case.
/// - **Null** is that there is no value: the field is absent, or holds null, an empty list, or a list of nulls. The
///   specification calls it "a non-existing value"; a list with another member beside null has a value.
/// - A **regular expression** is searched for, with PCRE's meaning (not UCP: `\w` is ASCII).
/// - **Networks** hold addresses of their own family, in any spelling; `::ffff:10.0.0.1` is an IPv6 address. A zone
///   (`fe80::1%eth0`) is ignored.
/// - **Times** are ISO 8601 texts, in UTC if they name no offset, or counts since 1970 of seconds, milliseconds,
///   microseconds or nanoseconds, told apart by their size.
/// - A **field reference** compares the texts of two fields, each value with each.
/// - A **keyword** is looked for inside every value of the event, however deep; keys are not looked at.
#[derive(Debug, Clone)]
pub struct Matcher {
    root: Node,
}

impl Matcher {
    /// Compiles a query.
    ///
    /// # Errors
    /// A placeholder, a piece of a target's language, a regular expression that no engine here can run, or a query that
    /// nests deeper than 512.
    pub fn new(query: &Query<'_>) -> Result<Self, EvalError> {
        Ok(Self { root: Node::new(query, MAX_DEPTH)? })
    }

    /// Whether the event matches. An event is a JSON object; other values have no fields.
    ///
    /// # Errors
    /// A regular expression with back-references or look-around that needs too many steps on this event, or an event
    /// that nests deeper than 128: then the answer is not known.
    pub fn matches(&self, event: &Value) -> Result<bool, EvalError> {
        self.root.matches(event)
    }
}

/// A rule, ready to be asked of events.
#[derive(Debug, Clone)]
pub struct RuleMatcher {
    conditions: Vec<Matcher>,
}

impl RuleMatcher {
    /// Compiles every condition of a rule. The log source is no part of it.
    ///
    /// # Errors
    /// As [`Matcher::new`].
    pub fn new(rule: &Rule<'_>) -> Result<Self, EvalError> {
        let conditions = lower::queries(rule).iter().map(|(query, _)| Matcher::new(query)).collect::<Result<_, _>>()?;
        Ok(Self { conditions })
    }

    /// A matcher for each condition, in the rule's order.
    #[must_use]
    pub fn conditions(&self) -> &[Matcher] {
        &self.conditions
    }

    /// Whether one of the conditions matches.
    ///
    /// # Errors
    /// As [`Matcher::matches`].
    pub fn matches(&self, event: &Value) -> Result<bool, EvalError> {
        for condition in &self.conditions {
            if condition.matches(event)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[derive(Debug, Clone)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Const(bool),
    Leaf(Leaf),
}

impl Node {
    fn new(query: &Query<'_>, depth: usize) -> Result<Self, EvalError> {
        let depth = depth.checked_sub(1).ok_or(EvalError { fault: EvalFault::TooDeep, span: None })?;
        let all = |terms: &[Query<'_>]| terms.iter().map(|term| Self::new(term, depth)).collect::<Result<Vec<_>, _>>();
        Ok(match query {
            Expr::And(terms) => Self::And(all(terms)?),
            Expr::Or(terms) => Self::Or(all(terms)?),
            Expr::Not(inner) => Self::Not(Box::new(Self::new(inner, depth)?)),
            Expr::Const(value) => Self::Const(*value),
            Expr::Match(found) => match &found.test {
                // Expanded by `lower`; as a leaf it means the same.
                Test::OneOf(variants) => {
                    let terms: Vec<_> = variants.iter().map(|test| Expr::Match(found.with(test.clone()))).collect();
                    Self::Or(all(&terms)?)
                }
                _ => Self::Leaf(Leaf::new(found)?),
            },
        })
    }

    fn matches(&self, event: &Value) -> Result<bool, EvalError> {
        match self {
            Self::And(terms) => {
                for term in terms {
                    if !term.matches(event)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(terms) => {
                for term in terms {
                    if term.matches(event)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(inner) => Ok(!inner.matches(event)?),
            Self::Const(value) => Ok(*value),
            Self::Leaf(leaf) => leaf.matches(event),
        }
    }
}

/// A test of one field, or of every value.
#[derive(Debug, Clone)]
struct Leaf {
    /// The field; none for keywords.
    field: Option<String>,
    ask: Ask,
    span: Span,
}

/// What is asked of a field.
#[derive(Debug, Clone)]
enum Ask {
    Present(bool),
    Null,
    SameAs { other: String, affix: Affix, ignore_case: bool },
    Value(Check),
}

/// What is asked of one value.
#[derive(Debug, Clone)]
enum Check {
    Text(Glob),
    Regex(Search),
    Network(IpNet),
    Number { order: Order, value: Option<Decimal> },
    Bool(bool),
    TimePart { part: TimePart, order: Order, value: Option<Decimal> },
}

impl Leaf {
    fn new(found: &Match<'_>) -> Result<Self, EvalError> {
        let at = |fault| EvalError::at(fault, found.span);
        let field = match &found.subject {
            Subject::Field(field) => Some(field.as_str().to_owned()),
            Subject::Event => None,
        };
        let keyword = field.is_none();
        let ask = match &found.test {
            Test::Exists(_) | Test::Null | Test::SameAs { .. } if keyword => return Err(at(EvalFault::NeedsField)),
            Test::Exists(present) => Ask::Present(*present),
            Test::Null => Ask::Null,
            Test::SameAs { other, affix, case } => {
                Ask::SameAs { other: other.as_str().to_owned(), affix: *affix, ignore_case: *case == Case::Insensitive }
            }
            Test::Text { pattern, case } => {
                let open = pattern.clone().open(keyword, keyword);
                Ask::Value(Check::Text(Glob::new(&open, *case).map_err(|name| at(EvalFault::Placeholder(name)))?))
            }
            Test::Regex(regex) => Ask::Value(Check::Regex(Search::new(regex).map_err(at)?)),
            Test::Network(network) => Ask::Value(Check::Network(*network)),
            Test::Number { order, value } => Ask::Value(Check::Number { order: *order, value: decimal(value) }),
            Test::Bool(value) => Ask::Value(Check::Bool(*value)),
            Test::TimePart { part, order, value } => {
                Ask::Value(Check::TimePart { part: *part, order: *order, value: decimal(value) })
            }
            Test::Raw(_) => return Err(at(EvalFault::Raw)),
            // `Node::new` has split it; one inside another is not made.
            Test::OneOf(_) => return Err(at(EvalFault::TooDeep)),
        };
        Ok(Self { field, ask, span: found.span })
    }

    fn matches(&self, event: &Value) -> Result<bool, EvalError> {
        let Some(name) = &self.field else {
            let Ask::Value(check) = &self.ask else { return Ok(false) };
            return self.any(check, field::scalars(event, true));
        };
        let found = field::find(event, name)?;
        match (&self.ask, &found) {
            (Ask::Present(wanted), found) => Ok(matches!(found, Found::Present(_)) == *wanted),
            (Ask::Null, Found::Absent) => Ok(true),
            (_, Found::Absent) => Ok(false),
            (Ask::Null, Found::Present(values)) => Ok(values.iter().all(|value| value.is_null())),
            (Ask::Value(check), Found::Present(values)) => self.any(check, values.iter().copied()),
            (Ask::SameAs { other, affix, ignore_case }, Found::Present(values)) => {
                let Found::Present(others) = field::find(event, other)? else { return Ok(false) };
                Ok(compare(values, &others, *affix, *ignore_case))
            }
        }
    }

    fn any<'v>(&self, check: &Check, values: impl Iterator<Item = &'v Value>) -> Result<bool, EvalError> {
        for value in values {
            if check.passes(value).map_err(|fault| EvalError::at(fault, self.span))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Check {
    fn passes(&self, value: &Value) -> Result<bool, EvalFault> {
        let text = text(value);
        Ok(match self {
            Self::Text(glob) => text.is_some_and(|text| glob.matches(&text)),
            Self::Regex(search) => match text {
                Some(text) => search.found(&text)?,
                None => false,
            },
            Self::Network(network) => {
                value.as_str().and_then(address).is_some_and(|address| network.contains(&address))
            }
            Self::Number { order, value: wanted } => {
                let number = if value.is_boolean() { None } else { text.and_then(|text| Decimal::spelled(&text)) };
                number.zip(wanted.as_ref()).is_some_and(|(number, wanted)| order.holds(number.cmp(wanted)))
            }
            Self::Bool(wanted) => {
                text.is_some_and(|text| text.eq_ignore_ascii_case(if *wanted { "true" } else { "false" }))
            }
            Self::TimePart { part, order, value: wanted } => {
                let part = time::part(value, *part).and_then(|part| Decimal::parse(&part.to_string()));
                part.zip(wanted.as_ref()).is_some_and(|(part, wanted)| order.holds(part.cmp(wanted)))
            }
        })
    }
}

/// The text of a scalar; none of null, lists and maps.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let bare = match text.split_once('%') {
        Some((bare, zone)) if bare.contains(':') && !zone.is_empty() => bare,
        Some(_) => return None,
        None => text,
    };
    bare.parse().ok()
}

/// A number of a rule; none if its text is no decimal, which the frontend does not make.
pub(crate) fn decimal(number: &Number<'_>) -> Option<Decimal> {
    match number.value {
        NumberValue::Integer(value) => Decimal::parse(&value.to_string()),
        NumberValue::Float(value) => Decimal::parse(&number.text).or_else(|| Decimal::parse(&format!("{value:e}"))),
    }
}

/// Whether one of the values compares so with one of the others.
fn compare(values: &[&Value], others: &[&Value], affix: Affix, ignore_case: bool) -> bool {
    let folded = |values: &[&Value]| -> Vec<Vec<char>> {
        values.iter().filter_map(|value| text(value)).map(|text| fold::chars(&text, ignore_case)).collect()
    };
    let others = folded(others);
    folded(values).iter().any(|value| {
        others.iter().any(|other| match affix {
            Affix::Equals => value == other,
            Affix::StartsWith => value.starts_with(other),
            Affix::EndsWith => value.ends_with(other),
            Affix::Contains => other.is_empty() || value.windows(other.len()).any(|window| window == other),
        })
    })
}
