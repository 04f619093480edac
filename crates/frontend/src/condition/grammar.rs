//! The grammar of conditions.
//!
//! ```text
//! condition   = disjunction [ "|" aggregation ]
//! disjunction = conjunction { "or" conjunction }
//! conjunction = negation { "and" negation }
//! negation    = { "not" } operand
//! operand     = "(" disjunction ")" | ( "1" | "any" | "all" ) "of" pattern | name
//! ```
//!
//! Words are keywords in any case. A word is anything but blanks, parentheses and `|`.

use nom::bytes::complete::take_while1;
use nom::character::complete::{char, multispace0};
use nom::combinator::{consumed, opt, verify};
use nom::error::{ErrorKind, ParseError};
use nom::multi::{many0_count, separated_list1};
use nom::sequence::{preceded, terminated};
use nom::{Err, IResult, Parser};
use sigcast_diagnostics::nearest;
use sigcast_ir::Quantifier;

/// How deep parentheses and `not` may nest.
const MAX_DEPTH: usize = 64;

/// A condition before its names are resolved. Names are slices of the condition's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Syntax<'i> {
    /// Two or more.
    And(Vec<Syntax<'i>>),
    /// Two or more.
    Or(Vec<Syntax<'i>>),
    Not(Box<Syntax<'i>>),
    Name(&'i str),
    /// `whole` is all of `1 of pattern`.
    Of {
        quantifier: Quantifier,
        pattern: &'i str,
        whole: &'i str,
    },
}

/// Why a condition does not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault<'i> {
    /// The piece of the condition at fault.
    pub(super) piece: &'i str,
    pub(super) message: String,
    pub(super) here: &'static str,
    pub(super) help: Option<String>,
}

impl<'i> ParseError<&'i str> for Fault<'i> {
    fn from_error_kind(input: &'i str, _: ErrorKind) -> Self {
        fault(input, "unexpected text", "unexpected")
    }

    fn append(_: &'i str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

type Parsed<'i, T> = IResult<&'i str, T, Fault<'i>>;

/// Parses a condition. The second part of the result is the legacy aggregation with its `|`, or empty.
pub(super) fn parse(input: &str) -> Result<(Syntax<'_>, &str), Fault<'_>> {
    if input.trim().is_empty() {
        return Err(fault(input, "it is empty", "nothing is asked").with_help("name a detection, such as `selection`"));
    }
    let (rest, syntax) = match terminated(|input| disjunction(0, input), multispace0).parse(input) {
        Ok(parsed) => parsed,
        Err(Err::Error(fault) | Err::Failure(fault)) => return Err(fault),
        // The parsers are of the complete kind.
        Err(Err::Incomplete(_)) => return Err(fault(input, "it is not complete", "breaks off")),
    };
    if rest.is_empty() || (rest.starts_with('|') && !rest.starts_with("||")) {
        return Ok((syntax, rest.trim_end()));
    }
    Err(left_over(input, rest))
}

pub(super) fn disjunction(depth: usize, input: &str) -> Parsed<'_, Syntax<'_>> {
    let (rest, terms) = separated_list1(keyword("or"), |input| conjunction(depth, input)).parse(input)?;
    Ok((rest, joined(terms, Syntax::Or)))
}

fn conjunction(depth: usize, input: &str) -> Parsed<'_, Syntax<'_>> {
    let (rest, terms) = separated_list1(keyword("and"), |input| negation(depth, input)).parse(input)?;
    Ok((rest, joined(terms, Syntax::And)))
}

fn joined<'i>(mut terms: Vec<Syntax<'i>>, join: fn(Vec<Syntax<'i>>) -> Syntax<'i>) -> Syntax<'i> {
    if terms.len() == 1 { terms.swap_remove(0) } else { join(terms) }
}

fn negation(depth: usize, input: &str) -> Parsed<'_, Syntax<'_>> {
    let (rest, count) = many0_count(keyword("not")).parse(input)?;
    let depth = depth + count;
    if depth > MAX_DEPTH {
        return Err(Err::Failure(too_deep(input)));
    }
    let (rest, operand) = operand(depth, rest)?;
    Ok((rest, (0..count).fold(operand, |inner, _| Syntax::Not(Box::new(inner)))))
}

/// What must stand here: if it does not, the whole condition is at fault and nothing else is tried.
fn operand(depth: usize, input: &str) -> Parsed<'_, Syntax<'_>> {
    let (input, _) = multispace0(input)?;
    if input.starts_with('(') {
        return group(depth + 1, input);
    }
    if let (rest, Some(of)) = opt(quantified).parse(input)? {
        return Ok((rest, of));
    }
    match word(input) {
        Ok((rest, name)) if !is_operator(name) => Ok((rest, Syntax::Name(name))),
        _ => Err(Err::Failure(no_operand(input))),
    }
}

fn group(depth: usize, input: &str) -> Parsed<'_, Syntax<'_>> {
    if depth > MAX_DEPTH {
        return Err(Err::Failure(too_deep(input)));
    }
    let (rest, inner) = preceded(char('('), |input| disjunction(depth, input)).parse(input)?;
    let (rest, _) = multispace0(rest)?;
    if let Some(rest) = rest.strip_prefix(')') {
        return Ok((rest, inner));
    }
    if rest.is_empty() || rest.starts_with('|') {
        let open = input.get(..1).unwrap_or(input);
        return Err(Err::Failure(fault(open, "the parenthesis is not closed", "opened here")));
    }
    Err(Err::Failure(left_over(input, rest)))
}

/// `1 of pattern` and the like. A word such as `all` without `of` behind it is a name.
fn quantified(input: &str) -> Parsed<'_, Syntax<'_>> {
    let (rest, (quantifier, _)) = (word, keyword("of")).parse(input)?;
    let kind = match quantifier {
        _ if quantifier == "1" || quantifier.eq_ignore_ascii_case("any") => Quantifier::Any,
        _ if quantifier.eq_ignore_ascii_case("all") => Quantifier::All,
        _ => {
            let message = format!("`{quantifier} of` is no quantity of Sigma");
            let fault = fault(quantifier, message, "`1`, `any` or `all` is expected here");
            return Err(Err::Failure(if quantifier.bytes().all(|byte| byte.is_ascii_digit()) {
                fault.with_help(
                    "Sigma knows one or all; several detections are counted by naming them with `and` and `or`",
                )
            } else {
                fault
            }));
        }
    };
    let (rest, (_, pattern)) = match consumed(word).parse(rest) {
        Ok((rest, found)) if !is_operator(found.1) => (rest, found),
        _ => {
            let next = rest.trim_start();
            let message = "`of` needs `them` or a pattern of names behind it";
            return Err(Err::Failure(fault(next_word(input, next), message, "a pattern is expected here")));
        }
    };
    let whole = input.get(..input.len() - rest.len()).unwrap_or(input);
    Ok((rest, Syntax::Of { quantifier: kind, pattern, whole }))
}

/// A word with the blanks before it.
pub(super) fn word(input: &str) -> Parsed<'_, &str> {
    preceded(multispace0, take_while1(is_word)).parse(input)
}

/// A certain word, in any case.
pub(super) fn keyword<'i>(wanted: &'static str) -> impl Parser<&'i str, Output = &'i str, Error = Fault<'i>> {
    verify(word, move |word: &str| word.eq_ignore_ascii_case(wanted))
}

fn is_word(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | '|' | '&' | '!' | ',' | '=' | '<' | '>' | '"' | '\'')
}

pub(super) fn is_operator(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|operator| word.eq_ignore_ascii_case(operator))
}

pub(super) fn fault<'i>(piece: &'i str, message: impl Into<String>, here: &'static str) -> Fault<'i> {
    Fault { piece, message: message.into(), here, help: None }
}

impl Fault<'_> {
    fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

fn too_deep(input: &str) -> Fault<'_> {
    let piece = input.get(..1).unwrap_or(input);
    fault(piece, format!("it nests deeper than {MAX_DEPTH} levels"), "one level too deep")
}

/// The word or sign at the start of `rest`; at the end of the text, the last one before it.
pub(super) fn next_word<'i>(input: &'i str, rest: &'i str) -> &'i str {
    if rest.is_empty() {
        let text = input.trim_end();
        let start = text.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
        let last = text.get(start..).unwrap_or("");
        return if last.is_empty() { text.get(text.len().saturating_sub(1)..).unwrap_or(text) } else { last };
    }
    let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    let sign = rest.chars().next().map_or(0, char::len_utf8);
    rest.get(..end.max(sign)).unwrap_or(rest)
}

/// The fault of a place where a detection must stand and does not.
fn no_operand(input: &str) -> Fault<'_> {
    let found = next_word(input, input);
    if input.is_empty() {
        return fault(input, "it breaks off where a detection is expected", "a detection is expected here");
    }
    let fault = fault(found, format!("a detection is expected, not `{found}`"), "a detection is expected here");
    match found {
        "!" => fault.with_help("negation is written `not`"),
        "\"" | "'" => fault.with_help("names of detections stand without quotes"),
        _ => fault,
    }
}

/// The fault of text behind a complete condition.
fn left_over<'i>(input: &'i str, rest: &'i str) -> Fault<'i> {
    let found = next_word(input, rest);
    if found == ")" {
        return fault(found, "the parenthesis closes none", "opened nowhere");
    }
    let message = format!("`and`, `or` or the end is expected, not `{found}`");
    let fault = fault(found, message, "`and` or `or` is expected here");
    match found {
        "&" => fault.with_help("conjunction is written `and`"),
        "|" => fault.with_help("disjunction is written `or`"),
        _ => match nearest(found, ["and", "or"]) {
            Some(near) if !near.eq_ignore_ascii_case(found) => fault.with_help(format!("did you mean `{near}`?")),
            _ => fault,
        },
    }
}
