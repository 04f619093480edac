//! Aggregations of old: what stands behind the `|` of a condition.
//!
//! Follows the Sigma wiki of 2017 to 2022, "Specification", section "Aggregation expression", which version 2 of the
//! specification has replaced by correlations.
//!
//! ```text
//! aggregation = "|" ( measure | near )
//! measure     = ( "count" | "sum" | "avg" | "min" | "max" ) "(" [ fields ] ")" [ "by" fields ] order number
//! near        = "near" disjunction [ "by" fields ]
//! fields      = word { [ "," ] word }
//! order       = ">" | ">=" | "<" | "<=" | "=" | "=="
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{char, multispace0};
use nom::combinator::{consumed, cut, opt, verify};
use nom::multi::separated_list1;
use nom::sequence::{delimited, preceded};
use nom::{Err, IResult};
use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_ir::{Bound, Condition, Key, Measure, NumberValue, Order};

use super::grammar::{Fault, Syntax, disjunction, fault, is_operator, keyword, next_word, word};
use super::{Names, Resolver, Text, offset};
use crate::correlation::named_twice;
use crate::yaml;

/// The functions with what they make of the values of fields. `count` without a field counts events.
const FUNCTIONS: [(&str, Measure); 5] = [
    ("count", Measure::Distinct),
    ("sum", Measure::Sum),
    ("avg", Measure::Average),
    ("min", Measure::Minimum),
    ("max", Measure::Maximum),
];

const ORDERS: [(&str, Order); 6] = [
    (">=", Order::GreaterOrEqual),
    ("<=", Order::LessOrEqual),
    ("==", Order::Equal),
    ("=", Order::Equal),
    (">", Order::Greater),
    ("<", Order::Less),
];

/// An aggregation.
#[derive(Debug, Clone)]
pub(crate) struct Aggregation<'a> {
    /// All of it, with its `|`.
    pub(crate) span: Span,
    /// The word that says what it is.
    pub(crate) word: Span,
    /// What groups are told apart by.
    pub(crate) by: Vec<Key<'a>>,
    pub(crate) asked: Asked<'a>,
}

/// What an aggregation asks.
#[derive(Debug, Clone)]
pub(crate) enum Asked<'a> {
    /// A number, of the values of these fields, within a bound.
    Measure { measure: Measure, fields: Vec<Key<'a>>, bound: Bound<'a> },
    /// Events of other detections.
    Near(Condition<'a>),
}

/// An aggregation before its names are resolved.
enum Parts<'i> {
    Measure { function: &'i str, fields: Vec<&'i str>, by: Vec<&'i str>, bound: (&'i str, Order, &'i str) },
    Near { word: &'i str, syntax: Syntax<'i>, by: Vec<&'i str> },
}

/// Parses the aggregation at the end of a condition. Reports every fault; the detections that it names are added to those
/// used.
pub(super) fn parse<'a>(
    text: &Text<'_, 'a>,
    rest: &str,
    names: &mut Names<'a>,
    used: &mut Vec<usize>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Aggregation<'a>> {
    let input = text.scalar.text.as_ref();
    let at = |piece: &str| text.place(piece, offset(input, piece));
    let parts = match parts(rest) {
        Ok((left, parts)) if left.trim().is_empty() => parts,
        Ok((left, _)) => {
            let found = next_word(rest, left.trim_start());
            let message = format!("the aggregation does not parse: its end is expected, not `{found}`");
            diagnostics.push(helped(Diagnostic::at(Code::BadCondition, at(found), message).here("nothing follows")));
            return None;
        }
        Err(Err::Error(fault) | Err::Failure(fault)) => {
            let message = format!("the aggregation does not parse: {}", fault.message);
            let shown = Diagnostic::at(Code::BadCondition, at(fault.piece), message).here(fault.here);
            diagnostics.push(match fault.help {
                Some(help) => shown.help(help),
                None => helped(shown),
            });
            return None;
        }
        // The parsers are of the complete kind.
        Err(Err::Incomplete(_)) => return None,
    };
    let span = at(rest);
    let (Parts::Near { by, .. } | Parts::Measure { by, .. }) = &parts;
    distinct("by", by, &at).map_err(|fault| diagnostics.push(fault)).ok()?;
    if let Parts::Measure { function, fields, .. } = &parts {
        distinct(function, fields, &at).map_err(|fault| diagnostics.push(fault)).ok()?;
    }
    let key = |piece: &&str| Key { name: text.borrowed(piece), span: at(piece) };
    match parts {
        Parts::Near { word, syntax, by } => {
            let mut resolver = Resolver { text, names, diagnostics, used: Vec::new(), exhausted: false };
            let condition = resolver.resolve(&syntax);
            used.append(&mut resolver.used);
            let by = by.iter().map(key).collect();
            Some(Aggregation { span, word: at(word), by, asked: Asked::Near(condition?) })
        }
        Parts::Measure { function, fields, by, bound: (whole, order, digits) } => {
            let measure = measure(function, &fields, &at).map_err(|fault| diagnostics.push(fault)).ok()?;
            let counts = matches!(measure, Measure::Events | Measure::Distinct);
            let number = yaml::number(&text.borrowed(digits));
            let fits = |value: &NumberValue| !counts || matches!(value, NumberValue::Integer(value) if *value >= 0);
            let Some(value) = number.filter(|number| fits(&number.value)) else {
                let expected = if counts { "a whole number" } else { "a number" };
                let message = format!("`{digits}` is not {expected}, and what is compared is one");
                let here = format!("{expected} is expected here");
                diagnostics.push(Diagnostic::at(Code::BadNumber, at(digits), message).here(here));
                return None;
            };
            let bound = Bound { order, negated: false, value, span: at(whole) };
            let asked = Asked::Measure { measure, fields: fields.iter().map(key).collect(), bound };
            Some(Aggregation { span, word: at(function), by: by.iter().map(key).collect(), asked })
        }
    }
}

fn helped(fault: Diagnostic) -> Diagnostic {
    fault.help("such as `| count(User) by Host > 5`, or `| near other_detection`")
}

/// The error of fields that are not distinct.
fn distinct(list: &str, fields: &[&str], at: &dyn Fn(&str) -> Span) -> Result<(), Diagnostic> {
    for (number, field) in fields.iter().enumerate() {
        if let Some(first) = fields[..number].iter().find(|first| *first == field) {
            return Err(named_twice(list, field, at(field), at(first)));
        }
    }
    Ok(())
}

/// What a function makes of so many fields.
fn measure(function: &str, fields: &[&str], at: &dyn Fn(&str) -> Span) -> Result<Measure, Diagnostic> {
    let found = FUNCTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(function)).map(|(_, measure)| *measure);
    match (found, fields) {
        (Some(Measure::Distinct), []) => Ok(Measure::Events),
        (Some(Measure::Distinct), _) | (Some(_), [_]) => {
            found.ok_or_else(|| Diagnostic::at(Code::BadCondition, at(function), "the function is not known"))
        }
        (Some(_), []) => Err(Diagnostic::at(Code::BadCondition, at(function), format!("`{function}` needs a field"))
            .here(format!("such as `{function}(bytes)`"))),
        (Some(_), [_, second, ..]) => {
            let message = format!("`{function}` is of one field, and there are several");
            Err(Diagnostic::at(Code::BadCondition, at(second), message).here("one field too many"))
        }
        (None, _) => {
            let names = FUNCTIONS.iter().map(|(name, _)| *name).chain(["near"]);
            let near = nearest(function, names);
            Err(Diagnostic::at(Code::BadCondition, at(function), format!("`{function}` is no aggregation"))
                .here("one of `count`, `sum`, `avg`, `min`, `max`, `near` is expected here")
                .suggest(near))
        }
    }
}

type Parsed<'i, T> = IResult<&'i str, T, Fault<'i>>;

fn parts(input: &str) -> Parsed<'_, Parts<'_>> {
    let (rest, _) = preceded(multispace0, char('|')).parse(input)?;
    if let (rest, Some(word)) = opt(keyword("near")).parse(rest)? {
        let (rest, syntax) = disjunction(0, rest)?;
        let (rest, by) = grouped(rest)?;
        return Ok((rest, Parts::Near { word, syntax, by }));
    }
    let Ok((rest, function)) = word(rest) else {
        let found = next_word(input, rest.trim_start());
        return Err(Err::Failure(fault(found, "a function is expected", "`count` or another is expected here")));
    };
    let (rest, fields) = delimited(
        preceded(multispace0, or_fault(char('('), "`(` is expected behind the function")),
        opt(fields),
        preceded(multispace0, or_fault(char(')'), "the parenthesis is not closed")),
    )
    .parse(rest)?;
    let (rest, by) = grouped(rest)?;
    let (rest, bound) = bound(rest)?;
    Ok((rest, Parts::Measure { function, fields: fields.unwrap_or_default(), by, bound }))
}

/// What must stand here.
fn or_fault<'i>(
    mut wanted: impl Parser<&'i str, Output = char, Error = Fault<'i>>,
    message: &'static str,
) -> impl Parser<&'i str, Output = char, Error = Fault<'i>> {
    move |input: &'i str| {
        wanted
            .parse(input)
            .map_err(|_: Err<Fault<'i>>| Err::Failure(fault(next_word(input, input), message, "not this")))
    }
}

/// The fields behind `by`, if it is there.
fn grouped(input: &str) -> Parsed<'_, Vec<&str>> {
    let (rest, by) = opt(preceded(keyword("by"), cut(fields))).parse(input)?;
    Ok((rest, by.unwrap_or_default()))
}

/// Fields, by commas or blanks.
fn fields(input: &str) -> Parsed<'_, Vec<&str>> {
    let field = verify(word, |word: &str| !is_operator(word) && !word.eq_ignore_ascii_case("by"));
    separated_list1(opt(preceded(multispace0, char(','))), field).parse(input).map_err(|_: Err<Fault<'_>>| {
        Err::Error(fault(next_word(input, input.trim_start()), "a field is expected", "not the name of a field"))
    })
}

/// An order and a number.
fn bound(input: &str) -> Parsed<'_, (&str, Order, &str)> {
    let (input, _) = multispace0(input)?;
    let symbol = alt(ORDERS.map(|(sign, _)| tag::<_, _, Fault<'_>>(sign)));
    let compared = consumed((symbol, word)).parse(input);
    match compared {
        Ok((rest, (whole, (sign, digits)))) => {
            let order = ORDERS.iter().find(|(known, _)| *known == sign).map_or(Order::Equal, |(_, order)| *order);
            Ok((rest, (whole, order, digits)))
        }
        Err(_) => {
            let found = next_word(input, input);
            let message = match found {
                "" => "it ends where a comparison is expected".to_owned(),
                found => format!("a comparison is expected, not `{found}`"),
            };
            Err(Err::Failure(fault(found, message, "such as `> 5` is expected here")))
        }
    }
}
