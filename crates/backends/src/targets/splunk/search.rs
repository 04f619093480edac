//! Splunk's `search` command, the first stage.
//!
//! Source: Splunk Search Reference, "search", and Search Manual, "Boolean expressions", "Wildcards", "Backslashes",
//! "Event segmentation and searching":
//! - `NOT` is read first, then `OR`, then `AND`. A blank between terms is `AND`; it is the usual way to write it, and the
//!   one used here. Groups stand wherever the two mix, so that nobody has to know that order;
//! - values are compared ignoring case, and `*` is the only wildcard: no escape makes a literal one, `?` is literal;
//! - inside quotes `\` escapes `"` and itself, so a value that ends in a backslash before an added wildcard is `\\*`;
//! - `f="10.0.0.0/8"` matches the addresses of a network, of both families;
//! - `NOT f="x"` keeps events without the field (`f!="x"` would drop them);
//! - `f=5` compares text, `f>=5` numbers if both sides are, else text;
//! - a term without a field is looked for in the raw text of the event, by whole words unless wildcards stand around it.

use sigcast_diagnostics::Code;
use sigcast_ir::{Case, Expr, Match, Part, Pattern, Query, Shape, Test};

use crate::dialect::{
    Brackets, Dialect, Emit, Grouping, Infix, List, Operators, Prefix, Say, TextSays, no_variant, two_valued,
};
use crate::passes::simplify;
use crate::readback::{self, Precedence, Reading};
use crate::say::{Legaliser, Refusal, Said};
use crate::write::{self, Writer, boolean, number, pattern_of};

const OPERATORS: Operators = Operators {
    and: Infix { text: " ", strength: 1, needs: 3 },
    or: Infix { text: " OR ", strength: 2, needs: 3 },
    not: Prefix { text: "NOT ", strength: 3, needs: 4 },
    group: ("(", ")"),
    grouping: Grouping::Needed,
};

static VALUES: List =
    List { name: "IN", any: Some(Brackets { open: " IN (", separator: ", ", close: ")" }), all: None };

/// Whatever can stand in a list: its values may be of several kinds, and one function writes them all.
const VALUE: Emit = Emit::infix("=", value).listed(&VALUES);
const COMPARE: Emit = Emit::whole(compare).assuming(&[Code::AssumeNumeric]);
const NETWORK: Emit = Emit::infix("=", network);
const PRESENT: Emit = Emit::infix("=", |writer, _| writer.put("*"));
const ABSENT: Emit = Emit::whole(absent).binding(OPERATORS.not.strength);
const KEYWORD: Emit = Emit::whole(keyword_text);

const NO_CASE: Say = Say::Refused(Code::ConstructUnsupported, "a search ignores case");

/// The `search` command.
pub(in crate::targets) static SEARCH: Dialect = Dialect {
    name: "Splunk search",
    operators: OPERATORS,
    passes: &[simplify, present],
    field,
    variant: no_variant,
    bad_field,
    needs_guard: two_valued,
    most_clauses: None,
    longest: None,
    text: TextSays {
        empty: VALUE.native(),
        exact: Say::Lowered(text),
        prefix: Say::Lowered(text),
        suffix: Say::Lowered(text),
        contains: Say::Lowered(text),
        anything: PRESENT.native(),
        runs: Say::Refused(Code::ConstructUnsupported, "a wildcard amid a value may miss events in a search"),
        singles: Say::Refused(Code::SingleWildcardUnsupported, "a search has no wildcard for exactly one character"),
    },
    cased: TextSays { anything: PRESENT.native(), empty: VALUE.native(), ..TextSays::all(Say::Lowered(cased)) },
    keyword: Say::Lowered(keyword),
    keyword_cased: NO_CASE,
    keyword_regex: Say::Refused(Code::RegexUnsupported, "a search has no regular expressions"),
    keyword_other: Say::Lowered(super::filter::keyword_number),
    regex: Say::Refused(Code::RegexUnsupported, "a search has no regular expressions"),
    network_v4: NETWORK.native(),
    network_v6: NETWORK.native(),
    number: VALUE.native(),
    compare: Say::Lowered(comparison),
    boolean: VALUE.native(),
    null: ABSENT.native(),
    exists: PRESENT.native(),
    absent: ABSENT.native(),
    same_as: Say::Refused(Code::FieldReferenceUnsupported, "a search compares a field with values only"),
    time_part: Say::Refused(Code::TimePartUnsupported, "a search has no functions on times"),
    schema: None,
    reading: Reading {
        and: "",
        or: "OR",
        not: "NOT",
        precedence: Precedence::OrFirst,
        name: read_name,
        value: read_value,
        leaf: read_leaf,
        lists: &[&VALUES],
    },
};

/// What is not null has a value, and what is not absent is there: `NOT (NOT f=*)` becomes `f=*`.
fn present<'a>(query: Query<'a>, _: &Dialect) -> Query<'a> {
    not_absent(query)
}

fn not_absent(query: Query<'_>) -> Query<'_> {
    match query {
        Expr::And(terms) => Expr::And(terms.into_iter().map(not_absent).collect()),
        Expr::Or(terms) => Expr::Or(terms.into_iter().map(not_absent).collect()),
        Expr::Not(inner) => match *inner {
            Expr::Match(found) if found.test == Test::Exists(false) => Expr::Match(found.with(Test::Exists(true))),
            Expr::Match(found) if found.test == Test::Null => {
                let pattern = Pattern::from_parts([Part::AnyRun]);
                Expr::Match(found.with(Test::Text { pattern, case: Case::Insensitive }))
            }
            inner => Expr::negate(not_absent(inner)),
        },
        other => other,
    }
}

/// Whether a name stands without quotes: anything else, and what could be an operator, is quoted.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        && !matches!(name, "AND" | "OR" | "NOT" | "IN")
}

fn field(writer: &mut Writer<'_>, name: &str) {
    if is_plain(name) { writer.put(name) } else { writer.put(&quoted(name)) }
}

fn bad_field(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("a field's name is empty");
    }
    if name.contains(['*', '"', '\\', '`']) || name.contains(char::is_control) {
        return Some("a field's name cannot have `*`, quotes, backslashes or control characters in a search");
    }
    // These set the time range or call up other searches, whatever fields the events have.
    let modifier = ["earliest", "latest", "_index_earliest", "_index_latest", "starttime", "endtime", "savedsearch"];
    modifier.contains(&name).then_some("a search reads that name as a modifier of its own, not as a field")
}

/// A text in quotes.
pub(in crate::targets) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// Why a text cannot stand in a search's value.
fn bad_text(pattern: &Pattern<'_>) -> Option<Refusal> {
    if pattern.texts().any(|text| text.contains('*')) {
        return Some(Refusal::new(Code::ValueUnsupported, "a search cannot escape `*`"));
    }
    if pattern.texts().any(|text| text.contains(char::is_control)) {
        return Some(Refusal::new(Code::ValueUnsupported, "a search has no escapes for control characters"));
    }
    None
}

fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    match pattern_of(&found.test).and_then(bad_text) {
        Some(refusal) => Err(refusal),
        None => Ok(legaliser.write(VALUE, found)),
    }
}

/// Text that minds case is said where it has none.
fn cased<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let caseless = |pattern: &&Pattern<'_>| {
        let sayable =
            matches!(pattern.shape(), Shape::Exact(_) | Shape::Prefix(_) | Shape::Suffix(_) | Shape::Contains(_));
        sayable && !pattern.has_case()
    };
    match pattern_of(&found.test).filter(caseless) {
        Some(_) => text(found, legaliser),
        None => Err(Refusal::new(Code::ConstructUnsupported, "a search ignores case")),
    }
}

fn keyword<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Some(pattern) = pattern_of(&found.test) else { return legaliser.say(&Expr::Match(found.clone())) };
    if let Some(refusal) = bad_text(pattern) {
        return Err(refusal);
    }
    let open = pattern.clone().open(true, true);
    if !matches!(open.shape(), Shape::Contains(_) | Shape::Anything) {
        return Err(Refusal::new(Code::KeywordUnsupported, "a wildcard amid a keyword may miss events in a search"));
    }
    super::filter::raw_text(found, legaliser);
    Ok(legaliser.write(KEYWORD, found))
}

/// An order of numbers, where Splunk's numbers hold the bound exactly.
fn comparison<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    super::filter::exact_number(found)?;
    Ok(legaliser.write(COMPARE, found))
}

fn compare(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Number { order, .. } = &found.test {
        writer.field_of(found);
        writer.put(order.sign());
        number(writer, &found.test);
    }
}

fn pattern_text(writer: &mut Writer<'_>, pattern: &Pattern<'_>) {
    writer.put("\"");
    write::parts(writer, pattern, |writer, text| writer.escaped(text, &['"', '\\'], '\\'), "*", "");
    writer.put("\"");
}

fn value(writer: &mut Writer<'_>, test: &Test<'_>) {
    match test {
        Test::Text { pattern, .. } => pattern_text(writer, pattern),
        Test::Bool(_) => {
            writer.put("\"");
            boolean(writer, test);
            writer.put("\"");
        }
        _ => number(writer, test),
    }
}

/// A keyword: wildcards around it, so that it matches inside words too.
fn keyword_text(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Some(pattern) = pattern_of(&found.test) {
        pattern_text(writer, &pattern.clone().open(true, true));
    }
}

fn network(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Network(network) = test {
        writer.format(format_args!("\"{}\"", network.trunc()));
    }
}

fn absent(writer: &mut Writer<'_>, found: &Match<'_>) {
    writer.put("NOT ");
    writer.field_of(found);
    writer.put("=*");
}

fn read_name(text: &str) -> usize {
    if text.starts_with('"') {
        return readback::quoted(text, '"', '\\');
    }
    text.find(|c: char| c.is_whitespace() || matches!(c, '=' | '<' | '>' | '(' | ')' | '"')).unwrap_or(text.len())
}

fn read_value(text: &str) -> usize {
    if text.starts_with('"') {
        return readback::quoted(text, '"', '\\');
    }
    text.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '"')).unwrap_or(text.len())
}

/// `field=value`, `field>=5`, or a keyword alone.
fn read_leaf(text: &str) -> usize {
    let name = read_name(text);
    let operator = ["<=", ">=", "=", "<", ">"].into_iter().find(|sign| text[name..].starts_with(sign));
    match operator {
        Some(sign) if name > 0 => {
            let start = name + sign.len();
            start + read_value(&text[start..])
        }
        _ => name,
    }
}
