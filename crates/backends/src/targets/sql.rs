//! SQL: what its engines have in common. An engine is a variant that states only what differs.
//!
//! A query is `SELECT * FROM <table> WHERE …` over flat rows: one column a field, one value a column, absent is NULL.
//! - `NOT` binds tighter than `AND`, which binds tighter than `OR`; groups stand wherever the two mix, and under `NOT`;
//! - a comparison with NULL is neither true nor false, so that under a negation it is guarded by `IS NOT NULL`;
//! - names are quoted always: then no word is an operator, and letters keep their case;
//! - texts stand in `'…'`, where `'` is doubled and a backslash is itself. NUL cannot be said;
//! - `lower` and `LIKE` are trusted with ASCII letters only. Text with other letters that have case becomes a pattern
//!   that spells both cases. That `k` and `s` also fold with U+212A and U+017F is left to `assume-plain-letters`;
//!
//! Source: ISO/IEC 9075-2, "Predicates", as the manuals of the engines read it; each engine's file names its own.

pub(super) mod correlation;
pub(super) mod literal;
mod read;
#[cfg(test)]
mod tests;

use sigcast_diagnostics::Code;
use sigcast_ir::model::{Blank, DataModel, Edges, Names, Numbers, Objects, Values};
use sigcast_ir::{
    Affix, Case, Expr, Field, Match, NumberValue, Order, Part, Pattern, Query, Regex, RegexFlags, Shape, Subject, Test,
    TimePart,
};

use crate::dialect::{
    ATOM, Brackets, Dialect, Emit, Form, Grouping, Infix, List, Operators, Prefix, Say, TextSays, no_variant,
};
use crate::options::Settings;
use crate::passes::one_type::one_type;
use crate::passes::{cidr, simplify};
use crate::say::{Legaliser, Refusal, Said};
use crate::target::scope_term;
use crate::write::{self, Writer};

pub(super) use read::READING;

/// The table that stands in a query for which none is given.
pub(super) const TABLE: &str = "logs";

/// The column of the time, if none is given.
pub(super) const TIME: &str = "timestamp";

/// A row of a flat table: one value a column, and NULL where there is none.
///
/// Source: ISO/IEC 9075-2, "Null value", "Identifiers": a quoted name minds case, unless an engine says otherwise.
pub(super) const MODEL: DataModel = DataModel {
    null: Blank::Absent,
    empty_list: Blank::Absent,
    empty_text: Blank::Kept,
    edges: Edges::Kept,
    values: Values::One,
    objects: Objects::Dotted,
    numbers: Numbers::Typed,
    names: Names::Cased,
    source: "ISO/IEC 9075-2: null values, identifiers; the manual of each engine",
};

/// Long chains are cut: engines bound the depth of an expression (SQLite: 1,000), and a chain is as deep as it is long.
pub(super) const OPERATORS: Operators = Operators {
    and: Infix { text: " AND ", strength: 1, needs: 2 },
    or: Infix { text: " OR ", strength: 1, needs: 2 },
    not: Prefix { text: "NOT ", strength: 2, needs: 3 },
    group: ("(", ")"),
    grouping: Grouping::Shallow,
};

/// Text, ignoring case.
pub(super) static TEXTS: List = listed("texts", ") IN (");
/// Numbers, or text that minds case: no column has both.
pub(super) static VALUES: List = listed("values", " IN (");

const fn listed(name: &'static str, open: &'static str) -> List {
    List { name, any: Some(Brackets { open, separator: ", ", close: ")" }), all: None }
}

/// Equality of text, ignoring case.
pub(super) const EQUALS: Emit = Emit {
    form: Form::Call { before: "lower(", separator: ") = ", value: literal::lower_text, after: "" },
    strength: ATOM,
    list: Some(&TEXTS),
    assumes: &[],
};
pub(super) const PRESENT: Emit = Emit::whole(|writer, found| behind(writer, found, " IS NOT NULL"));
const ABSENT: Emit = Emit::whole(|writer, found| behind(writer, found, " IS NULL"));

const TYPED_TEXT: &[Code] = &[Code::AssumeTextFields];
const EQUALS_TYPED: Emit = EQUALS.assuming(TYPED_TEXT);
const EQUALS_CASED: Emit = Emit::infix(" = ", literal::text).listed(&VALUES).assuming(TYPED_TEXT);
const LIKE_CASED: Emit = Emit::infix(" LIKE ", literal::like).assuming(TYPED_TEXT);
const ILIKE: Emit = Emit::infix(" ILIKE ", literal::like).assuming(TYPED_TEXT);
const NUMBER: Emit = Emit::infix(" = ", write::number).listed(&VALUES).assuming(&[Code::AssumeNumeric]);
const COMPARE: Emit = Emit::whole(compare).assuming(&[Code::AssumeNumeric]);
/// Columns of type boolean and text that spells one become the same text.
const BOOLEAN: Emit = Emit::whole(boolean);
const SAME_AS: Emit = Emit::whole(same_as).assuming(TYPED_TEXT);
const TIME_PART: Emit = Emit::whole(time_part).assuming(&[Code::AssumeTimeField, Code::AssumeTimeZone]);

/// An engine whose columns have one type each, with `ILIKE`. It has no regular expressions: those that do, say so.
pub(super) const SQL: Dialect = Dialect {
    name: "SQL",
    operators: OPERATORS,
    passes: &[simplify, one_type, simplify],
    field: |writer, name| literal::name(writer, name, '"'),
    variant: no_variant,
    bad_field: literal::bad_name,
    needs_guard,
    most_clauses: None,
    longest: None,
    text: TextSays::all(Say::Lowered(text)),
    cased: TextSays::all(Say::Lowered(text)),
    keyword: Say::Lowered(keyword),
    keyword_cased: Say::Lowered(keyword),
    keyword_regex: Say::Lowered(keyword),
    keyword_other: Say::Refused(Code::KeywordUnsupported, "a keyword is a text or a regular expression"),
    regex: Say::Refused(Code::RegexUnsupported, "standard SQL has no regular expressions"),
    network_v4: Say::Lowered(cidr::expand),
    network_v6: Say::Lowered(cidr::expand),
    number: NUMBER.native(),
    compare: COMPARE.native(),
    boolean: BOOLEAN.native(),
    null: ABSENT.native(),
    exists: PRESENT.native(),
    absent: ABSENT.native(),
    same_as: Say::Lowered(field_reference),
    time_part: TIME_PART.native(),
    schema: None,
    reading: READING,
};

/// Everything but tests of presence is unknown for NULL.
pub(super) fn needs_guard(found: &Match<'_>) -> bool {
    match &found.test {
        Test::Null | Test::Exists(_) | Test::Raw(_) => false,
        Test::Text { pattern, .. } => pattern.shape() != Shape::Anything,
        _ => true,
    }
}

/// Text: by the operator of its shape, or by a regular expression where letters beyond ASCII have case.
fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Text { pattern, case } = &found.test else { return unsupported() };
    sayable(pattern)?;
    let emit = match (pattern.shape(), case) {
        (Shape::Anything, _) => PRESENT,
        (_, Case::Insensitive) if folds_beyond_ascii(pattern) => {
            return legaliser.say(&Expr::Match(found.with(Test::Regex(spelled(pattern)))));
        }
        (Shape::Exact(_) | Shape::Empty, Case::Insensitive) => EQUALS_TYPED,
        (Shape::Exact(_) | Shape::Empty, Case::Sensitive) => EQUALS_CASED,
        (_, Case::Insensitive) => ILIKE,
        (_, Case::Sensitive) => LIKE_CASED,
    };
    Ok(legaliser.write(emit, found))
}

/// Whether a text can be written at all.
pub(super) fn sayable(pattern: &Pattern<'_>) -> Result<(), Refusal> {
    if pattern.texts().any(|text| text.contains('\0')) {
        return Err(Refusal::new(Code::ValueUnsupported, "no text there can hold the character NUL"));
    }
    Ok(())
}

/// Whether some letter beyond ASCII has another form in the other case.
pub(super) fn folds_beyond_ascii(pattern: &Pattern<'_>) -> bool {
    pattern.texts().any(|text| text.chars().any(|c| !c.is_ascii() && literal::cases(c).len() > 1))
}

/// The pattern as a regular expression that ignores case and is searched for.
fn spelled<'a>(pattern: &Pattern<'_>) -> Regex<'a> {
    let parts = pattern.parts();
    let opens = parts.first() == Some(&Part::AnyRun);
    let closes = parts.len() > 1 && parts.last() == Some(&Part::AnyRun);
    let mut source = String::from(if opens { "" } else { "^" });
    for part in &parts[usize::from(opens)..parts.len() - usize::from(closes)] {
        match part {
            Part::Text(text) => source.push_str(&regex_syntax::escape(text)),
            Part::AnyRun => source.push_str(".*"),
            Part::AnyOne => source.push('.'),
            // Refused before.
            Part::Placeholder(_) => {}
        }
    }
    source.push_str(if closes { "" } else { r"\z" });
    let flags = RegexFlags { ignore_case: true, multiline: false, dot_all: true };
    Regex { source: source.into(), flags, opaque: None }
}

/// A keyword: in one of the columns that the option names. Each is guarded, since the guards of the query are set by then.
pub(super) fn keyword<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let columns = &legaliser.settings.keyword_columns;
    if columns.is_empty() {
        let reason = "a keyword may stand in any column, and SQL must name them: the option `keyword_columns` does";
        return Err(Refusal::new(Code::KeywordUnsupported, reason));
    }
    let test = match &found.test {
        Test::Text { pattern, case } => Test::Text { pattern: pattern.clone().open(true, true), case: *case },
        other => other.clone(),
    };
    let one = |column: &String| {
        let leaf = |test| {
            let subject = Subject::Field(Field::new(column.clone()));
            Expr::Match(Match { subject, test, span: found.span })
        };
        Expr::And(vec![leaf(Test::Exists(true)), leaf(test.clone())])
    };
    legaliser.say(&Expr::Or(columns.iter().map(one).collect()))
}

/// Comparison with another field. Ignoring case of texts that are not known is left to the engine's `lower`.
pub(super) fn field_reference_as<'a>(
    emit: Emit,
    found: &Match<'a>,
    legaliser: &mut Legaliser<'_>,
) -> Result<Said<'a>, Refusal> {
    let Test::SameAs { other, case, .. } = &found.test else { return unsupported() };
    if let Some(reason) = (legaliser.dialect.bad_field)(other.as_str()) {
        return Err(Refusal::new(Code::FieldNameUnsupported, reason));
    }
    if *case == Case::Insensitive {
        let message = "`lower` is not sure to know the cases of letters beyond ASCII: two values that differ in these \
                       may not be taken for equal";
        legaliser.approximate(Code::CaseNarrowed, found, message);
    }
    Ok(legaliser.write(emit, found))
}

fn field_reference<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    field_reference_as(SAME_AS, found, legaliser)
}

/// What a rewrite says of a test that is not its own; the dialect's table sends it none.
pub(super) fn unsupported<'a>() -> Result<Said<'a>, Refusal> {
    Err(Refusal::new(Code::ConstructUnsupported, "the test is of another kind"))
}

/// `SELECT * FROM t WHERE `, with names in these quotes.
pub(super) fn select(writer: &mut Writer<'_>) {
    writer.put("SELECT * FROM ");
    table(writer, writer.settings.table.as_deref().unwrap_or(TABLE));
    writer.put(" WHERE ");
}

/// The name of a table, with that of its schema before it.
fn table(writer: &mut Writer<'_>, name: &str) {
    for (at, part) in name.split('.').enumerate() {
        if at > 0 {
            writer.put(".");
        }
        (writer.dialect.field)(writer, part);
    }
}

/// Without a table the query names one that may not be there.
pub(super) fn assume_table(settings: &Settings) -> &'static [Code] {
    if settings.table.is_none() { &[Code::AssumeTable] } else { &[] }
}

/// The time range as a term of the query, written by `say` with the name of the column, a number and a unit.
pub(super) fn since(
    settings: &Settings,
    dialect: &Dialect,
    say: fn(&mut Writer<'_>, &str, &str, &str),
) -> Vec<Query<'static>> {
    let Some(range) = &settings.time_range else { return Vec::new() };
    let (number, unit) = range.split_at(range.len().saturating_sub(1));
    let unit = match unit {
        "s" => "seconds",
        "m" => "minutes",
        "h" => "hours",
        _ => "days",
    };
    let mut writer = Writer::new(dialect, settings);
    say(&mut writer, settings.time_field.as_deref().unwrap_or(TIME), number, unit);
    vec![scope_term(writer.out)]
}

/// `"time" >= now() - INTERVAL '24 hours'`
pub(super) fn since_interval(writer: &mut Writer<'_>, field: &str, number: &str, unit: &str) {
    (writer.dialect.field)(writer, field);
    writer.format(format_args!(" >= now() - INTERVAL '{number} {unit}'"));
}

/// A regular expression in the engine's own syntax.
pub(super) fn regex_as<'a>(
    emit: Emit,
    translate: fn(&Regex<'_>) -> Result<String, Refusal>,
    found: &Match<'a>,
    legaliser: &mut Legaliser<'_>,
) -> Result<Said<'a>, Refusal> {
    let Test::Regex(source) = &found.test else { return unsupported() };
    let source = translate(source)?.into();
    let translated = Regex { source, flags: RegexFlags::default(), opaque: None };
    Ok(legaliser.write(emit, &found.with(Test::Regex(translated))))
}

/// The field, and a sign behind it.
fn behind(writer: &mut Writer<'_>, found: &Match<'_>, sign: &str) {
    writer.field_of(found);
    writer.put(sign);
}

fn compare(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Number { order, .. } = &found.test {
        writer.field_of(found);
        writer.format(format_args!(" {} ", order.sign()));
        write::number(writer, &found.test);
    }
}

fn boolean(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Bool(value) = found.test {
        writer.put("lower(CAST(");
        writer.field_of(found);
        writer.format(format_args!(" AS VARCHAR)) = '{value}'"));
    }
}

/// The two sides of a field reference, as they are compared.
pub(super) fn sides(writer: &Writer<'_>, found: &Match<'_>, as_text: fn(&str) -> String) -> Option<(String, String)> {
    let Test::SameAs { other, case, .. } = &found.test else { return None };
    let side = |name: &str| {
        let mut inner = Writer::new(writer.dialect, writer.settings);
        inner.field(name, &found.test);
        if *case == Case::Insensitive { format!("lower({})", inner.out) } else { as_text(&inner.out) }
    };
    Some((side(found.field()?.as_str()), side(other.as_str())))
}

/// Field references of engines with `left`, `right` and `strpos`.
fn same_as(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::SameAs { affix, .. } = &found.test else { return };
    let Some((one, other)) = sides(writer, found, str::to_owned) else { return };
    let text = match affix {
        Affix::Equals => format!("{one} = {other}"),
        Affix::StartsWith => format!("left({one}, length({other})) = {other}"),
        Affix::EndsWith => format!("right({one}, length({other})) = {other}"),
        Affix::Contains => format!("strpos({one}, {other}) > 0"),
    };
    writer.put(&text);
}

/// A part of a time. `WEEK` is that of ISO 8601.
fn time_part(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::TimePart { part, order, .. } = &found.test else { return };
    writer.put("EXTRACT(");
    writer.put(match part {
        TimePart::Minute => "MINUTE",
        TimePart::Hour => "HOUR",
        TimePart::Day => "DAY",
        TimePart::Week => "WEEK",
        TimePart::Month => "MONTH",
        TimePart::Year => "YEAR",
    });
    writer.put(" FROM ");
    writer.field_of(found);
    writer.format(format_args!(") {} ", order.sign()));
    write::number(writer, &found.test);
}

/// Whether a number is an integer of 64 bits with a sign.
pub(super) fn fits_64_bits(value: NumberValue) -> bool {
    !matches!(value, NumberValue::Integer(integer) if i64::try_from(integer).is_err())
}

/// The sign of a comparison that is met by large numbers, and so by text where it sorts behind every number.
pub(super) const fn upward(order: Order) -> bool {
    matches!(order, Order::Greater | Order::GreaterOrEqual)
}
