//! Kusto Query Language (KQL) as Microsoft Sentinel and Defender's advanced hunting run it.
//!
//! Source: Microsoft Learn, "Kusto Query Language", its pages on string operators, null values, `isnotempty`, the
//! `ipv4_*` and `ipv6_*` functions, identifiers and `where`:
//! - text is of type string, which is never null: an absent field is the empty string. Whatever needs to tell the two
//!   apart is approximate;
//! - `=~ in~ contains startswith endswith` ignore case in ASCII only: text with other letters that have case becomes a
//!   regular expression, which folds case by Unicode. That `k` and `s` also fold with U+212A and U+017F is left to
//!   `assume-plain-letters`;
//! - numbers and times can be null, and a comparison with null is neither true nor false: under a negation they get a
//!   guard (see [`nulls`]). `isnotempty` takes scalars of every type, false for null;
//! - regular expressions (RE2, later the engine of Rust) are unanchored and mind case;
//! - `and` binds tighter than `or`; `not(…)` is a function;
//! - `* contains "x"` in a `where` looks in every column.
//!
//! Without a table the output is a clause to put behind one: `where …`. With `table=T` it is `T`, then `| where …`.

mod correlation;
mod literal;
mod nulls;
#[cfg(test)]
mod tests;

use sigcast_diagnostics::Code;
use sigcast_ir::model::{Blank, DataModel, Edges, Names, Numbers, Objects, Values};
use sigcast_ir::{
    Affix, Case, Expr, Field, Match, NumberValue, Part, Pattern, Query, Regex, RegexFlags, Shape, Subject, Test,
    TimePart,
};

use super::formats::commented;
use crate::correlate::Correlate;
use crate::dialect::{
    ATOM, Brackets, Dialect, Emit, Form, GROUPED, Grouping, Infix, List, Operators, Prefix, Say, TextSays, no_variant,
    two_valued,
};
use crate::options::Settings;
use crate::passes::blanks::merge_blanks;
use crate::passes::one_type::one_type;
use crate::passes::{self, simplify};
use crate::readback::{Precedence, Reading};
use crate::say::{Legaliser, Refusal, Said};
use crate::target::{Comment, Format, Language, Target, plain, scope_term};
use crate::typed::{Analysed, Folding, Reach};
use crate::write::Writer;

/// Microsoft Sentinel and Defender.
pub static TARGET: Target = Target {
    name: "kusto",
    aliases: &["sentinel", "defender"],
    title: "Microsoft Sentinel and Defender advanced hunting (Kusto Query Language)",
    language: Language::Single(&KUSTO),
    model: MODEL,
    styles: &[],
    options: &["table", "time_field", "time_range", "window", "interval", "suppress", "enabled", "level"],
    formats: &[plain("kql"), commented("kql"), SENTINEL_YAML, SENTINEL_ARM, DEFENDER],
    comment: Comment::Line("//"),
    open,
    scope,
    scoped: |settings| settings.table.is_some(),
    close: |_| {},
    assumes: assume_table,
    correlate: Correlate::Composed(correlation::compose),
};

/// An analytics rule of Sentinel. The time range stands beside the query.
const SENTINEL_YAML: Format =
    Format::made("sentinel-yaml", "a scheduled analytics rule of Microsoft Sentinel, as in its repository", "yaml")
        .scoping();

/// The same, to be deployed.
const SENTINEL_ARM: Format =
    Format::made("sentinel-arm", "a scheduled analytics rule of Microsoft Sentinel, as an ARM template", "json")
        .scoping();

/// A custom detection of Defender, which takes an id of the event out of each row: the query of a correlation has rows of
/// groups.
const DEFENDER: Format =
    Format::made("defender", "a custom detection of Microsoft Defender, as the Graph API takes it", "json")
        .scoping()
        .without_correlations();

/// Text columns are never null, and hold one value.
///
/// Source: Microsoft Learn, "Null values" ("the string data type doesn't support null values"), "Scalar data types",
/// "Identifiers" (case-sensitive).
const MODEL: DataModel = DataModel {
    null: Blank::Absent,
    empty_list: Blank::Absent,
    empty_text: Blank::Absent,
    edges: Edges::Kept,
    values: Values::One,
    objects: Objects::Dotted,
    numbers: Numbers::Typed,
    names: Names::Cased,
    source: "Microsoft Learn: Null values, Scalar data types, Identifiers",
};

/// Terms of another kind always stand in a group, though `and` binds tighter: readers need not know. Long chains are cut:
/// Kusto refuses a query whose tree is too deep, and its parser gives up on chains of about 450 terms.
const OPERATORS: Operators = Operators {
    and: Infix { text: " and ", strength: 1, needs: 2 },
    or: Infix { text: " or ", strength: 1, needs: 2 },
    not: Prefix { text: "not", strength: ATOM, needs: GROUPED },
    group: ("(", ")"),
    grouping: Grouping::Shallow,
};

/// Text, ignoring case.
static TEXTS: List = listed("texts", " in~ (", ")");
/// Text, minding case, or integers: no field has both (see [`one_type`]).
static EXACT_VALUES: List = listed("exact values", " in (", ")");
static NETWORKS_V4: List = listed("IPv4 networks", ", ", CALL_END);
static NETWORKS_V6: List = listed("IPv6 networks", ", ", CALL_END);

const CALL_V4: &str = "coalesce(ipv4_is_in_any_range(";
const CALL_V6: &str = "coalesce(ipv6_is_in_any_range(";
const CALL_END: &str = "), false)";

const fn listed(name: &'static str, open: &'static str, close: &'static str) -> List {
    List { name, any: Some(Brackets { open, separator: ", ", close }), all: None }
}

const fn text_infix(operator: &'static str) -> Emit {
    Emit::infix(operator, literal::text).assuming(&[Code::AssumeTextFields])
}

const EQUALS: Emit = text_infix(" =~ ").listed(&TEXTS);
const EQUALS_CASED: Emit = text_infix(" == ").listed(&EXACT_VALUES);
const STARTS: Emit = text_infix(" startswith ");
const STARTS_CASED: Emit = text_infix(" startswith_cs ");
const ENDS: Emit = text_infix(" endswith ");
const ENDS_CASED: Emit = text_infix(" endswith_cs ");
const CONTAINS: Emit = text_infix(" contains ");
const CONTAINS_CASED: Emit = text_infix(" contains_cs ");
const REGEX: Emit = Emit::infix(" matches regex ", literal::regex).assuming(&[Code::AssumeTextFields]);

const fn keyword(write: crate::dialect::LeafWriter) -> Emit {
    Emit::whole(write).assuming(&[Code::AssumeTextFields])
}

const ANY_CONTAINS: Emit = keyword(|writer, found| any_column(writer, found, "* contains ", literal::text));
const ANY_CONTAINS_CASED: Emit = keyword(|writer, found| any_column(writer, found, "* contains_cs ", literal::text));
const ANY_REGEX: Emit = keyword(|writer, found| any_column(writer, found, "* matches regex ", literal::regex));

/// Empty, null or absent: all the same here.
const EMPTY: Emit = Emit::whole(|writer, found| function(writer, found, "isempty(", ")"));
const NOT_EMPTY: Emit = Emit::whole(|writer, found| function(writer, found, "isnotempty(", ")"));

const INTEGER: Emit = Emit::infix(" == ", literal::number).listed(&EXACT_VALUES).assuming(&[Code::AssumeNumeric]);
const REAL: Emit = Emit::infix(" == ", literal::number).assuming(&[Code::AssumeNumeric]);
const COMPARE: Emit = Emit::whole(compare).assuming(&[Code::AssumeNumeric]);
/// Columns of type bool and text that spells a boolean become the same text.
const BOOLEAN: Emit = Emit::whole(boolean);
const SAME_AS: Emit = Emit::whole(same_as).assuming(&[Code::AssumeTextFields]);
const TIME_PART: Emit = Emit::whole(time_part).assuming(&[Code::AssumeTimeField]);

/// The functions are null for what is no address of their family, and null under `not` would lose the row.
const fn network(before: &'static str, list: &'static List) -> Emit {
    let form = Form::Call { before, separator: ", ", value: literal::network, after: CALL_END };
    Emit { form, strength: ATOM, list: Some(list), assumes: &[Code::AssumeTextFields] }
}

const NETWORK_V4: Emit = network(CALL_V4, &NETWORKS_V4);
const NETWORK_V6: Emit = network(CALL_V6, &NETWORKS_V6);

/// The `where` clause.
pub(super) static KUSTO: Dialect = Dialect {
    name: "Kusto",
    operators: OPERATORS,
    passes: &[simplify, one_type, merge_blanks, nulls::guard, simplify],
    field: literal::name,
    variant: no_variant,
    bad_field: literal::bad_name,
    // The pass `nulls::guard` does it: a test of presence would be approximate here, for the sake of empty text.
    needs_guard: two_valued,
    most_clauses: None,
    longest: None,
    text: TextSays { empty: EMPTY.native(), anything: NOT_EMPTY.native(), ..TextSays::all(Say::Lowered(text)) },
    cased: TextSays { empty: EMPTY.native(), anything: NOT_EMPTY.native(), ..TextSays::all(Say::Lowered(text)) },
    keyword: Say::Lowered(text),
    keyword_cased: Say::Lowered(text),
    keyword_regex: Say::Lowered(regex),
    keyword_other: Say::Refused(Code::KeywordUnsupported, "a keyword is a text or a regular expression"),
    regex: Say::Lowered(regex),
    network_v4: NETWORK_V4.native(),
    network_v6: Say::Lowered(network_v6),
    number: Say::Lowered(number),
    compare: Say::Lowered(number),
    boolean: BOOLEAN.native(),
    null: EMPTY.native(),
    exists: NOT_EMPTY.native(),
    absent: EMPTY.native(),
    same_as: Say::Lowered(field_reference),
    time_part: TIME_PART.native(),
    schema: Some(Reach { folding: Folding::Own, analysed: Analysed::Whole, columns: true }),
    reading: Reading {
        and: "and",
        or: "or",
        not: "not",
        precedence: Precedence::AndFirst,
        name: read_name,
        value: literal::scan_value,
        leaf: literal::scan_leaf,
        lists: &[&TEXTS, &EXACT_VALUES, &NETWORKS_V4, &NETWORKS_V6],
    },
};

/// `T`, then the clause; or the clause alone.
fn open(writer: &mut Writer<'_>) {
    if let Some(table) = &writer.settings.table {
        literal::table(writer, table);
        writer.put("\n| ");
    }
    writer.put("where ");
}

/// A clause goes behind a table.
fn assume_table(settings: &Settings) -> &'static [Code] {
    if settings.table.is_none() { &[Code::AssumeTable] } else { &[] }
}

/// The time range.
fn scope(settings: &Settings) -> Vec<Query<'static>> {
    let Some(range) = &settings.time_range else { return Vec::new() };
    let mut writer = Writer::new(&KUSTO, settings);
    literal::name(&mut writer, settings.time_field.as_deref().unwrap_or("TimeGenerated"));
    writer.format(format_args!(" > ago({range})"));
    vec![scope_term(writer.out)]
}

/// Text: by the operator of its shape, or by a regular expression.
fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Text { pattern, case } = &found.test else { return unsupported() };
    let keyword = found.field().is_none();
    let pattern = if keyword { pattern.clone().open(true, true) } else { pattern.clone() };
    let cased = *case == Case::Sensitive || !(pattern.texts().all(str::is_ascii) || has_case(&pattern));
    let folds = !cased && !pattern.texts().all(str::is_ascii);
    let choice = |ignoring: Emit, minding: Emit| Some(if cased { minding } else { ignoring });
    let emit = match pattern.shape() {
        // Every event has some value.
        Shape::Anything if keyword => return Ok(Expr::Const(true)),
        Shape::Unresolved => {
            return Err(Refusal::new(Code::UnresolvedPlaceholder, "no pipeline gave the placeholder a value"));
        }
        _ if is_not_empty(&pattern) && !keyword => return Ok(legaliser.write(NOT_EMPTY, found)),
        _ if folds => None,
        Shape::Exact(_) => choice(EQUALS, EQUALS_CASED),
        Shape::Prefix(_) => choice(STARTS, STARTS_CASED),
        Shape::Suffix(_) => choice(ENDS, ENDS_CASED),
        Shape::Contains(_) if keyword => choice(ANY_CONTAINS, ANY_CONTAINS_CASED),
        Shape::Contains(_) => choice(CONTAINS, CONTAINS_CASED),
        _ => None,
    };
    match emit {
        Some(emit) => Ok(legaliser.write(emit, &found.with(Test::Text { pattern, case: *case }))),
        None => {
            let emit = if keyword { ANY_REGEX } else { REGEX };
            Ok(legaliser.write(emit, &found.with(translated(pattern_regex(&pattern, *case)))))
        }
    }
}

/// Whether some character of the pattern has another form in the other case.
fn has_case(pattern: &Pattern<'_>) -> bool {
    let varies = |c: char| !c.to_lowercase().eq([c]) || !c.to_uppercase().eq([c]);
    pattern.texts().any(|text| text.chars().any(varies))
}

/// `?*`: any text but the empty one.
fn is_not_empty(pattern: &Pattern<'_>) -> bool {
    let parts = pattern.parts();
    parts.len() > 1
        && parts.iter().all(|part| matches!(part, Part::AnyOne | Part::AnyRun))
        && parts.iter().filter(|part| **part == Part::AnyOne).count() == 1
}

/// The pattern as a regular expression that is searched for.
fn pattern_regex(pattern: &Pattern<'_>, case: Case) -> String {
    let parts = pattern.parts();
    let opens = parts.first() == Some(&Part::AnyRun);
    let closes = parts.len() > 1 && parts.last() == Some(&Part::AnyRun);
    let inner = &parts[usize::from(opens)..parts.len() - usize::from(closes)];
    let mut out = String::new();
    match (case == Case::Insensitive && has_case(pattern), inner.iter().any(|part| !matches!(part, Part::Text(_)))) {
        (true, true) => out.push_str("(?is)"),
        (true, false) => out.push_str("(?i)"),
        (false, true) => out.push_str("(?s)"),
        (false, false) => {}
    }
    if !opens {
        out.push('^');
    }
    for part in inner {
        match part {
            Part::Text(text) => literal::escape_regex(&mut out, text),
            Part::AnyRun => out.push_str(".*"),
            Part::AnyOne => out.push('.'),
            // Refused before.
            Part::Placeholder(_) => {}
        }
    }
    if !closes {
        out.push('$');
    }
    out
}

/// A regular expression that is in the engine's own syntax already.
fn translated<'a>(source: String) -> Test<'a> {
    Test::Regex(Regex { source: source.into(), flags: RegexFlags::default(), opaque: None })
}

/// A regular expression, in the engine's syntax.
fn regex<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Regex(source) = &found.test else { return unsupported() };
    let source = passes::regex::re2(source)?;
    if found.field().is_none() {
        return Ok(legaliser.write(ANY_REGEX, &found.with(translated(source))));
    }
    Ok(legaliser.write(REGEX, &found.with(translated(source))))
}

/// Numbers that the types `long` and `real` hold.
fn number<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Number { order, value } = &found.test else { return unsupported() };
    let integer = match value.value {
        NumberValue::Integer(integer) if i64::try_from(integer).is_err() => {
            return Err(Refusal::new(Code::ValueUnsupported, "its type `long` holds 64 bits with a sign"));
        }
        NumberValue::Integer(_) => true,
        NumberValue::Float(_) => false,
    };
    let emit = match order {
        sigcast_ir::Order::Equal if integer => INTEGER,
        sigcast_ir::Order::Equal => REAL,
        _ => COMPARE,
    };
    Ok(legaliser.write(emit, found))
}

/// An IPv6 network. The function takes IPv4 addresses for IPv6 ones that start with `::ffff:`, so where the network
/// reaches these, only text with a colon counts.
fn network_v6<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Network(ipnet::IpNet::V6(network)) = &found.test else { return unsupported() };
    let said = legaliser.write(NETWORK_V6, found);
    let mapped = std::net::Ipv4Addr::UNSPECIFIED.to_ipv6_mapped();
    let reaches = network.contains(&mapped) || network.network().to_ipv4_mapped().is_some();
    if !reaches {
        return Ok(said);
    }
    let colon = Pattern::exact(":").open(true, true);
    let colon = legaliser.write(CONTAINS, &found.with(Test::Text { pattern: colon, case: Case::Insensitive }));
    Ok(Expr::And(vec![colon, said]))
}

/// Comparison with another field, which must not be empty: absent fields would be equal to each other.
fn field_reference<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::SameAs { other, .. } = &found.test else { return unsupported() };
    if let Some(reason) = literal::bad_name(other.as_str()) {
        return Err(Refusal::new(Code::FieldNameUnsupported, reason));
    }
    let guard = Match { subject: Subject::Field(other.clone()), test: Test::Exists(true), span: found.span };
    Ok(Expr::And(vec![legaliser.write(NOT_EMPTY, &guard), legaliser.write(SAME_AS, found)]))
}

/// What a rewrite says of a test that is not its own; the dialect's table sends it none.
fn unsupported<'a>() -> Result<Said<'a>, Refusal> {
    Err(Refusal::new(Code::ConstructUnsupported, "the test is of another kind"))
}

/// A function of the field.
fn function(writer: &mut Writer<'_>, found: &Match<'_>, before: &str, after: &str) {
    writer.put(before);
    writer.field_of(found);
    writer.put(after);
}

/// A test of every column.
fn any_column(writer: &mut Writer<'_>, found: &Match<'_>, operator: &str, value: crate::dialect::ValueWriter) {
    writer.put(operator);
    value(writer, &found.test);
}

fn compare(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::Number { order, .. } = &found.test else { return };
    let spelled = found.field().is_some_and(|field| literal::is_spelled(writer.settings, field.as_str()));
    // Text that spells no number is null, and null under `not` would lose the row.
    writer.put(if spelled { "coalesce(todouble(" } else { "" });
    writer.field_of(found);
    writer.put(if spelled { ")" } else { "" });
    writer.format(format_args!(" {} ", literal::sign(*order)));
    literal::number(writer, &found.test);
    writer.put(if spelled { ", false)" } else { "" });
}

fn boolean(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Bool(value) = found.test {
        function(writer, found, "tostring(", ")");
        writer.format(format_args!(" =~ \"{value}\""));
    }
}

fn same_as(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::SameAs { other, affix, case } = &found.test else { return };
    writer.field_of(found);
    writer.put(match (affix, case) {
        (Affix::Equals, Case::Insensitive) => " =~ ",
        (Affix::Equals, Case::Sensitive) => " == ",
        (Affix::StartsWith, Case::Insensitive) => " startswith ",
        (Affix::StartsWith, Case::Sensitive) => " startswith_cs ",
        (Affix::EndsWith, Case::Insensitive) => " endswith ",
        (Affix::EndsWith, Case::Sensitive) => " endswith_cs ",
        (Affix::Contains, Case::Insensitive) => " contains ",
        (Affix::Contains, Case::Sensitive) => " contains_cs ",
    });
    writer.field(other.as_str(), &found.test);
}

/// A part of a time. Inside dynamic columns times have no type of their own.
fn time_part(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::TimePart { part, order, .. } = &found.test else { return };
    writer.put(match part {
        TimePart::Minute => "datetime_part(\"minute\", ",
        TimePart::Hour => "hourofday(",
        TimePart::Day => "dayofmonth(",
        TimePart::Week => "week_of_year(",
        TimePart::Month => "monthofyear(",
        TimePart::Year => "getyear(",
    });
    if found.field().map(Field::as_str).is_some_and(literal::is_path) {
        function(writer, found, "todatetime(", ")");
    } else {
        writer.field_of(found);
    }
    writer.format(format_args!(") {} ", literal::sign(*order)));
    literal::number(writer, &found.test);
}

/// Bytes of what stands before the values of a list: a name, or the call with the name in it.
fn read_name(text: &str) -> usize {
    let call = [CALL_V4, CALL_V6].into_iter().find(|call| text.starts_with(call)).unwrap_or_default();
    match literal::scan_name(&text[call.len()..]) {
        0 => 0,
        name => call.len() + name,
    }
}
