//! Splunk's `where` command, the second stage.
//!
//! Source: Splunk Search Reference, "where" and "Evaluation functions"; Search Manual, "Boolean expressions", "Types of
//! expressions", "SPL and regular expressions":
//! - `NOT` is read first, then `AND`, then `OR`: the other way round than in `search`. Groups stand where they mix;
//! - comparisons mind case; `match` searches a PCRE regular expression in the value, `(?i)` ignores case;
//! - a string takes `\\`, `\"`, `\n`, `\t`: every backslash of a regular expression is doubled;
//! - a field's name that is no plain word stands in single quotes, since `.` and `-` are operators;
//! - a comparison with an absent field is neither true nor false: under a negation `isnotnull` guards it;
//! - `if` takes its last value where its condition is not known, which makes a comparison true or false;
//! - numbers are floating-point, of 53 bits.
//!
//! On a field of several values `=` and `match` pass if one value does; functions that take one value are null there.

use std::fmt::Write as _;

use sigcast_diagnostics::Code;
use sigcast_ir::{Affix, Case, Expr, Match, NumberValue, Part, Pattern, Shape, Subject, Test, TimePart};

use crate::dialect::{Dialect, Emit, Grouping, Infix, Operators, Prefix, Say, TextSays, no_variant};
use crate::passes::{self, simplify};
use crate::readback::{self, Precedence, Reading};
use crate::say::{Legaliser, Refusal, Said, leaf};
use crate::write::{Writer, number, number_of};

const OPERATORS: Operators = Operators {
    and: Infix { text: " AND ", strength: 2, needs: 3 },
    or: Infix { text: " OR ", strength: 1, needs: 3 },
    not: Prefix { text: "NOT ", strength: 3, needs: 4 },
    group: ("(", ")"),
    grouping: Grouping::Needed,
};

const TEXT: Emit = Emit::whole(text);
const REGEX: Emit = Emit::whole(regex_match);
/// Functions that take one value are null for a field with several.
const SINGLE: &[Code] = &[Code::AssumeSingleValues];
const NUMBER: Emit = Emit::whole(equal_number).assuming(SINGLE);
const KEYWORD: Emit = Emit::whole(keyword_match);
const COMPARE: Emit = Emit::whole(compare).assuming(SINGLE);
const PRESENT: Emit = Emit::whole(|writer, found| call(writer, "isnotnull", found));
const ABSENT: Emit = Emit::whole(|writer, found| call(writer, "isnull", found));

/// The `where` command.
pub(super) static FILTER: Dialect = Dialect {
    name: "Splunk where",
    operators: OPERATORS,
    passes: &[simplify],
    field,
    variant: no_variant,
    bad_field,
    needs_guard,
    most_clauses: None,
    longest: None,
    text: TextSays { anything: PRESENT.native(), ..TextSays::all(TEXT.native()) },
    cased: TextSays { anything: PRESENT.native(), ..TextSays::all(TEXT.native()) },
    keyword: Say::Lowered(keyword),
    keyword_cased: Say::Lowered(keyword),
    keyword_regex: Say::Lowered(keyword_regex),
    keyword_other: Say::Lowered(keyword_number),
    regex: Say::Lowered(regex),
    network_v4: Emit::whole(network).assuming(SINGLE).native(),
    network_v6: Emit::whole(network).assuming(SINGLE).native(),
    number: NUMBER.native(),
    compare: Say::Lowered(comparison),
    boolean: Emit::whole(boolean).native(),
    null: ABSENT.native(),
    exists: PRESENT.native(),
    absent: ABSENT.native(),
    same_as: Say::Lowered(same_as),
    time_part: Say::Lowered(time_part),
    schema: None,
    reading: Reading {
        and: "AND",
        or: "OR",
        not: "NOT",
        precedence: Precedence::AndFirst,
        name: read_operand,
        value: read_operand,
        leaf: read_leaf,
        lists: &[],
    },
};

/// Comparisons with an absent field are null; presence tests, and what `if` decides, are not.
fn needs_guard(found: &Match<'_>) -> bool {
    use sigcast_ir::Order;
    !matches!(
        &found.test,
        Test::Null
            | Test::Exists(_)
            | Test::Raw(_)
            | Test::OneOf(_)
            | Test::Number { order: Order::Less | Order::LessOrEqual | Order::Greater | Order::GreaterOrEqual, .. }
            | Test::SameAs { affix: Affix::StartsWith | Affix::EndsWith | Affix::Contains, .. }
    )
}

/// Words that mean something else than a field.
const WORDS: &[&str] = &["and", "or", "not", "xor", "like", "in", "true", "false", "null"];

fn field(writer: &mut Writer<'_>, name: &str) {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(name));
    if plain {
        writer.put(name);
    } else {
        writer.format(format_args!("'{name}'"));
    }
}

fn bad_field(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("a field's name is empty");
    }
    let odd = name.contains(['\'', '"', '\\', '`']) || name.contains(char::is_control);
    odd.then_some("a field's name cannot have quotes, backslashes or control characters")
}

/// A string of an expression.
fn string(writer: &mut Writer<'_>, text: &str) {
    writer.put("\"");
    writer.escaped(text, &['"', '\\'], '\\');
    writer.put("\"");
}

fn call(writer: &mut Writer<'_>, function: &str, found: &Match<'_>) {
    writer.put(function);
    writer.put("(");
    writer.field_of(found);
    writer.put(")");
}

/// Text: compared where that is exact, else by a regular expression.
fn text(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::Text { pattern, case } = &found.test else { return };
    let exact = match pattern.shape() {
        Shape::Empty => Some(""),
        // Texts that look like numbers compare as numbers.
        Shape::Exact(text) if text.parse::<f64>().is_err() && !text.contains(char::is_control) => {
            (text.is_ascii() || *case == Case::Sensitive).then_some(text)
        }
        _ => None,
    };
    match (exact, case) {
        // Not by `lower`: of a field with several values it may be null, where a search finds any of them.
        (Some(text), _) if *case == Case::Sensitive || !pattern.has_case() => {
            writer.field_of(found);
            writer.put("=");
            string(writer, text);
        }
        _ => {
            writer.put("match(");
            writer.field_of(found);
            writer.put(", ");
            string(writer, &expression(pattern, *case, true));
            writer.put(")");
        }
    }
}

/// A pattern as a PCRE regular expression that is searched for; `anchored` at the ends that have no wildcard.
fn expression(pattern: &Pattern<'_>, case: Case, anchored: bool) -> String {
    let parts = pattern.parts();
    let open_start = parts.first() == Some(&Part::AnyRun);
    let open_end = parts.len() > 1 && parts.last() == Some(&Part::AnyRun);
    let inner = &parts[usize::from(open_start).min(parts.len())..parts.len() - usize::from(open_end)];
    let wild = inner.iter().any(|part| matches!(part, Part::AnyRun | Part::AnyOne));
    let mut out = String::new();
    out.push_str(match (case == Case::Insensitive && pattern.has_case(), wild) {
        (true, true) => "(?is)",
        (true, false) => "(?i)",
        (false, true) => "(?s)",
        (false, false) => "",
    });
    if anchored && !open_start {
        out.push('^');
    }
    for part in inner {
        match part {
            Part::Text(text) => literal(&mut out, text),
            Part::AnyRun => out.push_str(".*"),
            Part::AnyOne => out.push('.'),
            // Refused before.
            Part::Placeholder(_) => {}
        }
    }
    if anchored && !open_end {
        // `$` would also match before a line break at the end.
        out.push_str("\\z");
    }
    out
}

/// Text in a regular expression.
fn literal(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' | '^' | '$' | '.' | '|' | '?' | '*' | '+' | '(' | ')' | '[' | ']' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

fn regex<'a>(found: &Match<'a>, _: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Regex(source) = &found.test else {
        return Err(Refusal::new(Code::RegexUnsupported, "it is no regular expression"));
    };
    Ok(leaf(REGEX, found.with(translated(passes::regex::pcre(source)?))))
}

/// A regular expression in the engine's own syntax.
fn translated<'a>(source: String) -> Test<'a> {
    Test::Regex(sigcast_ir::Regex { source: source.into(), flags: sigcast_ir::RegexFlags::default(), opaque: None })
}

/// A regular expression on a field, or on the raw text of the event.
fn regex_match(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Regex(regex) = &found.test {
        writer.put("match(");
        match found.field() {
            Some(_) => writer.field_of(found),
            None => writer.put("_raw"),
        }
        writer.put(", ");
        string(writer, &regex.source);
        writer.put(")");
    }
}

/// A keyword: a text in the raw text of the event.
fn keyword<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    raw_text(found, legaliser);
    Ok(legaliser.write(KEYWORD, found))
}

fn keyword_match(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Text { pattern, case } = &found.test {
        writer.put("match(_raw, ");
        string(writer, &expression(&pattern.clone().open(true, true), *case, false));
        writer.put(")");
    }
}

fn keyword_regex<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    raw_text(found, legaliser);
    regex(found, legaliser)
}

/// A number among keywords is looked for by its text.
pub(super) fn keyword_number<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    match &found.test {
        Test::Number { order: sigcast_ir::Order::Equal, value } => {
            let test = Test::Text { pattern: Pattern::exact(value.text.clone()), case: Case::Insensitive };
            legaliser.say(&Expr::Match(found.with(test)))
        }
        _ => Err(Refusal::new(Code::KeywordUnsupported, "a keyword is a text or a regular expression")),
    }
}

/// Notes where a search of the raw text differs from one of the event's values: the raw text of JSON and XML events has
/// escapes for some characters, and it spans values, which wildcards can reach across.
pub(super) fn raw_text(found: &Match<'_>, legaliser: &mut Legaliser<'_>) {
    let escaped = |c: char| matches!(c, '\\' | '"' | '\'' | '&' | '<' | '>') || c.is_control() || !c.is_ascii();
    let differs = match &found.test {
        Test::Text { pattern, .. } => {
            pattern.texts().any(|text| text.contains(escaped))
                || pattern.texts().nth(1).is_some()
                || pattern.parts().contains(&Part::AnyOne)
        }
        _ => true,
    };
    if differs {
        legaliser.approximate(
            Code::KeywordTokens,
            found,
            "Splunk looks for keywords in the raw text of an event, in which JSON and XML escape some characters and \
             values stand side by side",
        );
    }
}

/// The largest integer up to which floating-point numbers hold every integer.
const EXACT_INTEGERS: i128 = 1 << 53;

/// Refuses numbers that floating-point numbers do not hold exactly.
pub(super) fn exact_number(found: &Match<'_>) -> Result<(), Refusal> {
    match number_of(&found.test).map(|number| number.value) {
        Some(NumberValue::Integer(value)) if value.abs() > EXACT_INTEGERS => {
            Err(Refusal::new(Code::ValueUnsupported, "its numbers are floating-point and do not hold this one exactly"))
        }
        _ => Ok(()),
    }
}

/// Equality with a number; with its text where floating-point numbers do not hold it.
fn equal_number(writer: &mut Writer<'_>, found: &Match<'_>) {
    if exact_number(found).is_ok() {
        writer.field_of(found);
        writer.put("=");
        number(writer, &found.test);
    } else if let Some(value) = number_of(&found.test) {
        let test = Test::Text { pattern: Pattern::exact(value.text.to_string()), case: Case::Sensitive };
        text(writer, &found.with(test));
    }
}

fn comparison<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    exact_number(found)?;
    Ok(legaliser.write(COMPARE, found))
}

/// `tonumber` is null for what is no number: `if` makes that false.
fn compare(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Number { order, .. } = &found.test {
        writer.put("if(");
        call(writer, "tonumber", found);
        writer.put(order.sign());
        number(writer, &found.test);
        writer.put(", 1, 0)=1");
    }
}

fn boolean(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Bool(value) = &found.test {
        writer.put("match(");
        writer.field_of(found);
        writer.put(if *value { r#", "(?i)^true\\z")"# } else { r#", "(?i)^false\\z")"# });
    }
}

fn network(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Network(network) = &found.test {
        writer.format(format_args!("cidrmatch(\"{}\", ", network.trunc()));
        writer.field_of(found);
        writer.put(")");
    }
}

/// Another field: only what functions on plain text say exactly.
fn same_as<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::SameAs { other, affix, .. } = &found.test else {
        return Err(Refusal::new(Code::FieldReferenceUnsupported, "it is no comparison with a field"));
    };
    if let Some(reason) = bad_field(other.as_str()) {
        return Err(Refusal::new(Code::FieldNameUnsupported, reason));
    }
    if *affix == Affix::Contains {
        // `like` and `match` would read the other field's text as a pattern.
        let reason = "no function looks for the text of one field inside another's";
        return Err(Refusal::new(Code::FieldReferenceUnsupported, reason));
    }
    Ok(legaliser.write(Emit::whole(same_text).assuming(SINGLE), found))
}

/// `lower(f)=lower(other)`, or the same with the start or end of `f`. A start or end is null where a field is absent
/// or shorter: `if` makes that false.
fn same_text(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::SameAs { other, affix, case } = &found.test else { return };
    let (open, close) = if *case == Case::Insensitive { ("lower(", ")") } else { ("", "") };
    let name = |writer: &mut Writer<'_>| field(writer, other.as_str());
    if *affix != Affix::Equals {
        writer.put("if(");
    }
    writer.put(open);
    match affix {
        Affix::StartsWith => {
            writer.put("substr(");
            writer.field_of(found);
            writer.put(", 1, len(");
            name(writer);
            writer.put("))");
        }
        Affix::EndsWith => {
            writer.put("substr(");
            writer.field_of(found);
            writer.put(", len(");
            writer.field_of(found);
            writer.put(")-len(");
            name(writer);
            writer.put(")+1)");
        }
        Affix::Equals | Affix::Contains => writer.field_of(found),
    }
    writer.put(close);
    writer.put("=");
    writer.put(open);
    name(writer);
    writer.put(close);
    if *affix != Affix::Equals {
        writer.put(", 1, 0)=1");
    }
}

/// A part of the event's time. Other fields hold a time as text in a form that nobody says here.
fn time_part<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    if found.field().is_none_or(|field| field.as_str() != "_time") {
        let reason = "only `_time` holds a time; the form of other fields is unknown";
        return Err(Refusal::new(Code::TimePartUnsupported, reason));
    }
    Ok(legaliser.write(Emit::whole(part_of_time).assuming(&[Code::AssumeTimeZone, Code::AssumeSingleValues]), found))
}

fn part_of_time(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let (Subject::Field(_), Test::TimePart { part, order, .. }) = (&found.subject, &found.test) {
        let format = match part {
            TimePart::Minute => "%M",
            TimePart::Hour => "%H",
            TimePart::Day => "%d",
            TimePart::Week => "%V",
            TimePart::Month => "%m",
            TimePart::Year => "%Y",
        };
        writer.put("tonumber(strftime(");
        writer.field_of(found);
        writer.format(format_args!(", \"{format}\")){}", order.sign()));
        number(writer, &found.test);
    }
}

/// A field, a string, a number, or a call with its arguments.
fn read_operand(text: &str) -> usize {
    match text.chars().next() {
        Some('"') => return readback::quoted(text, '"', '\\'),
        Some('\'') => return text[1..].find('\'').map_or(text.len(), |end| end + 2),
        _ => {}
    }
    let name = text
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.') || (c == '-' && text.starts_with('-'))))
        .unwrap_or(text.len());
    if name > 0 && text[name..].starts_with('(') { name + read_arguments(&text[name..]) } else { name }
}

/// Everything between the parentheses that the text starts with, and they.
fn read_arguments(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' | '\'' => {
                at += read_operand(&text[at..]);
                continue;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
        if depth == 0 {
            return at;
        }
    }
    at
}

/// A call, or a comparison of two operands.
fn read_leaf(text: &str) -> usize {
    let left = read_operand(text);
    let operator = ["<=", ">=", "=", "<", ">"].into_iter().find(|sign| text[left..].starts_with(sign));
    match operator {
        Some(sign) if left > 0 => {
            let start = left + sign.len();
            start + read_operand(&text[start..])
        }
        _ => left,
    }
}
