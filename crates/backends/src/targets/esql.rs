//! Elastic's piped query language (ES|QL): `FROM … | WHERE … | LIMIT …`.
//!
//! Source: Elasticsearch reference, "ES|QL syntax", "Operators", "Functions", "Limitations"; where they are silent, the
//! sources of Elasticsearch's module `esql` (grammar, `WildcardPattern`, `In`, `DateExtract`):
//! - `==`, `IN` and `LIKE` mind case, so text is compared by `TO_LOWER(f)`. The optimizer makes searches of that which
//!   ignore case in ASCII only, and take `@` and `~` in patterns for operators of regular expressions: such text becomes
//!   a regular expression with all cases of each letter. Text that has no case is compared as it is;
//! - the backslash escapes in a pattern, and again in a string, but not in a raw one (`"""…"""`);
//! - `RLIKE` takes Lucene's regular expressions, and matches the whole value;
//! - a test of an absent field is null, and null under `NOT` loses the event: it gets a guard. So is a test of a field
//!   with several values;
//! - a column has one type: numbers do not compare with text columns, nor text with number columns. A field that is in no
//!   mapping of the searched indices is an error;
//! - `TO_IP` makes addresses of text and of addresses, and null of other text;
//! - a result has at most 1,000 rows unless `LIMIT` says more; the server's own maximum is 10,000 by default.
//!
//! Searches in all fields (`QSTR`) stand only right behind `FROM` and join with other tests by `AND` alone: keywords are
//! refused.

mod correlation;
mod literal;
#[cfg(test)]
mod tests;

use ipnet::{IpNet, Ipv4Net};
use sigcast_diagnostics::Code;
use sigcast_ir::{
    Affix, Case, Expr, Field, Match, NumberValue, Order, Query, Regex, RegexFlags, Shape, Test, TimePart,
};

use super::eql;
use super::formats::{SIEM_RULE, SIEM_RULE_NDJSON, commented};
use crate::correlate::Correlate;
use crate::dialect::{
    ATOM, Brackets, Dialect, Emit, Form, Grouping, Infix, List, Operators, Prefix, Say, TextSays, ValueWriter,
    no_variant,
};
use crate::options::{CidrMode, Settings};
use crate::passes::one_type::one_type;
use crate::passes::{self, case, cidr, simplify};
use crate::readback::{Precedence, Reading};
use crate::say::{Legaliser, Refusal, Said};
use crate::target::{Comment, Language, Target, plain, scope_term};
use crate::typed::{self, Analysed, Folding, Reach};
use crate::write::{Writer, boolean, number};

/// Elasticsearch, by its piped query language.
pub static TARGET: Target = Target {
    name: "esql",
    aliases: &["es|ql"],
    title: "Elasticsearch Query Language (ES|QL)",
    language: Language::Single(&ESQL),
    model: super::lucene::INDEX,
    styles: &[],
    options: &["index", "limit", "cidr", "time_field", "time_range", "interval", "enabled", "level"],
    formats: &[plain("esql"), commented("esql"), SIEM_RULE.preparing(in_rule), SIEM_RULE_NDJSON.preparing(in_rule)],
    comment: Comment::Line("//"),
    open,
    scope,
    scoped: |settings| !settings.index.is_empty(),
    close: |writer| writer.format(format_args!("\n| LIMIT {}", writer.settings.limit)),
    assumes: |_| &[Code::AssumeWithinLimit],
    correlate: Correlate::Composed(correlation::compose),
};

/// Terms of another kind always stand in a group, though `AND` binds tighter: readers need not know. Long chains are cut:
/// the parser takes 400 levels, and each term of a chain is one.
const OPERATORS: Operators = Operators {
    and: Infix { text: " AND ", strength: 1, needs: 2 },
    or: Infix { text: " OR ", strength: 1, needs: 2 },
    not: Prefix { text: "NOT ", strength: 2, needs: 3 },
    group: ("(", ")"),
    grouping: Grouping::Shallow,
};

/// Text, ignoring case.
static LOWERED_TEXTS: List = listed("texts that ignore case", ") IN (", ")");
/// Text, minding case, or having none.
static TEXTS: List = listed("texts", " IN (", ")");
static NUMBERS: List = listed("numbers", " IN (", ")");
static NETWORKS: List = listed("networks", ", ", ")");
static ANY_NETWORKS: List = listed("networks of text or addresses", "), ", ANY_NETWORK_END);

const LOWER_CALL: &str = "TO_LOWER(";
const NETWORK_CALL: &str = "CIDR_MATCH(";
const ANY_NETWORK_CALL: &str = "COALESCE(CIDR_MATCH(TO_IP(";
const ANY_NETWORK_END: &str = "), false)";

const fn listed(name: &'static str, open: &'static str, close: &'static str) -> List {
    List { name, any: Some(Brackets { open, separator: ", ", close }), all: None }
}

const PRESENCE: &[Code] = &[Code::AssumeMappedFields];
const SINGLE: &[Code] = &[Code::AssumeMappedFields, Code::AssumeSingleValues];
const TEXT: &[Code] = &[Code::AssumeMappedFields, Code::AssumeSingleValues, Code::AssumeKeywordFields];
const CASED: &[Code] =
    &[Code::AssumeMappedFields, Code::AssumeSingleValues, Code::AssumeKeywordFields, Code::AssumeCased];
const NUMERIC: &[Code] = &[Code::AssumeMappedFields, Code::AssumeSingleValues, Code::AssumeNumeric];
const BOOLEAN: &[Code] = &[Code::AssumeMappedFields, Code::AssumeSingleValues, Code::AssumeBoolean];
const ADDRESS: &[Code] = &[Code::AssumeMappedFields, Code::AssumeSingleValues, Code::AssumeAddress];
const ADDRESS_TEXT: &[Code] = &[Code::AssumeMappedFields, Code::AssumeSingleValues, Code::AssumeAddressText];
const TIME: &[Code] = &[Code::AssumeMappedFields, Code::AssumeSingleValues, Code::AssumeTimeField];

/// A test of the field in small letters.
const fn lowered(separator: &'static str, value: ValueWriter) -> Emit {
    let form = Form::Call { before: LOWER_CALL, separator, value, after: "" };
    Emit { form, strength: ATOM, list: None, assumes: TEXT }
}

const fn network_call(before: &'static str, separator: &'static str, after: &'static str, list: &'static List) -> Emit {
    let form = Form::Call { before, separator, value: literal::network, after };
    Emit { form, strength: ATOM, list: Some(list), assumes: SINGLE }
}

const LOWERED_EQUALS: Emit = lowered(") == ", literal::lowered_text).listed(&LOWERED_TEXTS);
const LOWERED_LIKE: Emit = lowered(") LIKE ", literal::lowered_pattern);
const EQUALS: Emit = Emit::infix(" == ", literal::text).listed(&TEXTS).assuming(CASED);
const LIKE: Emit = Emit::infix(" LIKE ", literal::pattern).assuming(CASED);
const EMPTY: Emit = Emit::infix(" == ", literal::text).assuming(TEXT);
const REGEX: Emit = Emit::infix(" RLIKE ", literal::regex).assuming(TEXT);
const NUMBER: Emit = Emit::infix(" == ", number).listed(&NUMBERS).assuming(NUMERIC);
const COMPARE: Emit = Emit::whole(compare).assuming(NUMERIC);
const NULL: Emit = Emit::infix(" IS ", |writer, _| writer.put("NULL")).assuming(PRESENCE);
const NOT_NULL: Emit = Emit::infix(" IS NOT ", |writer, _| writer.put("NULL")).assuming(PRESENCE);
const NETWORK: Emit = network_call(NETWORK_CALL, ", ", ")", &NETWORKS).assuming(ADDRESS);
/// False for what is no address. Text of an IPv4 address that is mapped into IPv6 is taken for that IPv4 address.
const ANY_NETWORK: Emit = network_call(ANY_NETWORK_CALL, "), ", ANY_NETWORK_END, &ANY_NETWORKS).assuming(ADDRESS_TEXT);

const KEYWORDS: Say = Say::Refused(Code::KeywordUnsupported, "its search in all fields cannot stand among other tests");

/// The condition behind `WHERE`.
pub(super) static ESQL: Dialect = Dialect {
    name: "ES|QL",
    operators: OPERATORS,
    passes: &[simplify, one_type, simplify],
    field: literal::name,
    variant: no_variant,
    bad_field: literal::bad_name,
    needs_guard,
    most_clauses: None,
    longest: None,
    text: TextSays { empty: EMPTY.native(), anything: NOT_NULL.native(), ..TextSays::all(Say::Lowered(text)) },
    cased: TextSays { empty: EMPTY.native(), anything: NOT_NULL.native(), ..TextSays::all(Say::Lowered(text)) },
    keyword: KEYWORDS,
    keyword_cased: KEYWORDS,
    keyword_regex: KEYWORDS,
    keyword_other: KEYWORDS,
    regex: Say::Lowered(regex),
    network_v4: Say::Lowered(network),
    network_v6: Say::Lowered(network),
    number: Say::Lowered(numeric),
    compare: Say::Lowered(numeric),
    boolean: Emit::infix(" == ", boolean).assuming(BOOLEAN).native(),
    null: NULL.native(),
    exists: NOT_NULL.native(),
    absent: NULL.native(),
    same_as: Say::Lowered(field_reference),
    time_part: Emit::whole(time_part).assuming(TIME).native(),
    schema: Some(Reach { folding: Folding::Own, analysed: Analysed::Whole, columns: false }),
    reading: Reading {
        and: "AND",
        or: "OR",
        not: "NOT",
        precedence: Precedence::AndFirst,
        name: read_name,
        value: literal::scan_value,
        leaf: literal::scan_leaf,
        lists: &[&LOWERED_TEXTS, &TEXTS, &NUMBERS, &NETWORKS, &ANY_NETWORKS],
    },
};

/// Whether the test is null for an absent field.
fn needs_guard(found: &Match<'_>) -> bool {
    match &found.test {
        Test::Null | Test::Exists(_) => false,
        Test::Text { pattern, .. } => pattern.shape() != Shape::Anything,
        _ => true,
    }
}

/// The indices, and the command.
/// A rule of the detection engine reads the time range from the rule, and tells events apart by what identifies them.
///
/// Source: Elastic Security documentation, "Create an ES|QL rule" (non-aggregating queries need the metadata `_id`).
fn in_rule(settings: &mut Settings) {
    settings.scope_outside = true;
    settings.metadata = true;
}

fn open(writer: &mut Writer<'_>) {
    writer.put("FROM ");
    let names = &writer.settings.index;
    if names.is_empty() {
        writer.put(super::groups::INDEX);
    }
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            writer.put(", ");
        }
        literal::index(writer, name);
    }
    if writer.settings.metadata {
        writer.put(" METADATA _id, _index, _version");
    }
    writer.put("\n| WHERE ");
}

/// The time range.
fn scope(settings: &Settings) -> Vec<Query<'static>> {
    let Some(range) = &settings.time_range else { return Vec::new() };
    let count = range.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match range.strip_prefix(count) {
        Some("s") => "seconds",
        Some("m") => "minutes",
        Some("h") => "hours",
        _ => "days",
    };
    let mut writer = Writer::new(&ESQL, settings);
    literal::name(&mut writer, settings.time_field.as_deref().unwrap_or("@timestamp"));
    writer.format(format_args!(" >= NOW() - {count} {unit}"));
    vec![scope_term(writer.out)]
}

/// Text by the operator of its shape and letters.
fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Text { pattern, case } = &found.test else { return unsupported() };
    let exact = matches!(pattern.shape(), Shape::Exact(_));
    let caseless = *case == Case::Insensitive;
    let beyond = eql::literal::folds_beyond_ascii(pattern);
    let has_case = beyond || pattern.texts().any(|text| text.contains(|c: char| c.is_ascii_alphabetic()));
    let operators = !exact && pattern.texts().any(|text| text.contains(['@', '~']));
    if caseless && has_case && (beyond || operators) {
        return Ok(legaliser.write(REGEX, &found.with(translated(case::lucene(pattern)?))));
    }
    let emit = match (caseless, exact) {
        (true, true) if has_case => LOWERED_EQUALS,
        (true, false) if has_case => LOWERED_LIKE,
        (true, true) => EQUALS.assuming(TEXT),
        (true, false) => LIKE.assuming(TEXT),
        (false, true) => EQUALS,
        (false, false) => LIKE,
    };
    Ok(legaliser.write(emit, found))
}

/// A regular expression in the syntax of Lucene's engine.
fn regex<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Regex(source) = &found.test else { return unsupported() };
    let translation = translated(passes::regex::lucene(source)?);
    if passes::regex::assumes_single_lines(source) {
        legaliser.assume(Code::AssumeSingleLines, found);
    }
    typed::assume_case(found, legaliser);
    Ok(legaliser.write(REGEX, &found.with(translation)))
}

/// A regular expression that is in the engine's own syntax already.
fn translated<'a>(source: String) -> Test<'a> {
    Test::Regex(Regex { source: source.into(), flags: RegexFlags::default(), opaque: None })
}

/// A network, by the option `cidr`: on address fields, as text, or of whatever can be made an address.
fn network<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Network(network) = &found.test else { return unsupported() };
    let emit = match typed::network_mode(legaliser, found) {
        CidrMode::Expand => return cidr::expand(found, legaliser),
        CidrMode::Native => NETWORK,
        CidrMode::Auto => ANY_NETWORK,
    };
    let said = legaliser.write(emit, found);
    if !eql::reaches_v4(network) {
        return Ok(said);
    }
    // To Elasticsearch an IPv4 address is the IPv6 one that it is mapped into.
    let every = found.with(Test::Network(IpNet::V4(Ipv4Net::default())));
    Ok(Expr::And(vec![said, Expr::negate(legaliser.write(emit, &every))]))
}

/// Numbers that the types `long` and `double` hold.
fn numeric<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Number { order, value } = &found.test else { return unsupported() };
    if matches!(value.value, NumberValue::Integer(value) if i64::try_from(value).is_err()) {
        return Err(Refusal::new(Code::ValueUnsupported, "its type `long` holds 64 bits with a sign"));
    }
    Ok(legaliser.write(if *order == Order::Equal { NUMBER } else { COMPARE }, found))
}

/// Comparison with another column.
fn field_reference<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::SameAs { other, case, .. } = &found.test else { return unsupported() };
    if let Some(reason) = literal::bad_name(other.as_str()) {
        return Err(Refusal::new(Code::FieldNameUnsupported, reason));
    }
    let assumes = if *case == Case::Sensitive { CASED } else { TEXT };
    Ok(legaliser.write(Emit::whole(same_as).assuming(assumes), found))
}

/// What a rewrite says of a test that is not its own; the dialect's table sends it none.
fn unsupported<'a>() -> Result<Said<'a>, Refusal> {
    Err(Refusal::new(Code::ConstructUnsupported, "the test is of another kind"))
}

/// The sign of a comparison.
const fn sign(order: Order) -> &'static str {
    match order {
        Order::Equal => "==",
        other => other.sign(),
    }
}

fn compare(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Number { order, .. } = &found.test {
        writer.field_of(found);
        writer.format(format_args!(" {} ", sign(*order)));
        number(writer, &found.test);
    }
}

fn same_as(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::SameAs { other, affix, case } = &found.test else { return };
    let (before, between, after) = match affix {
        Affix::Equals => ("", " == ", ""),
        Affix::StartsWith => ("STARTS_WITH(", ", ", ")"),
        Affix::EndsWith => ("ENDS_WITH(", ", ", ")"),
        Affix::Contains => ("LOCATE(", ", ", ") > 0"),
    };
    let column = |writer: &mut Writer<'_>, field: Option<&Field<'_>>| {
        let Some(field) = field else { return };
        let (open, close) = if *case == Case::Insensitive { (LOWER_CALL, ")") } else { ("", "") };
        writer.put(open);
        writer.field(field.as_str(), &found.test);
        writer.put(close);
    };
    writer.put(before);
    column(writer, found.field());
    writer.put(between);
    column(writer, Some(other));
    writer.put(after);
}

/// A part of a time. The engine has no week of ISO 8601: it is the week of the year that the Thursday of this week is in.
fn time_part(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::TimePart { part, order, .. } = &found.test else { return };
    let (before, after) = match part {
        TimePart::Minute => ("DATE_EXTRACT(\"minute_of_hour\", ", ")"),
        TimePart::Hour => ("DATE_EXTRACT(\"hour_of_day\", ", ")"),
        TimePart::Day => ("DATE_EXTRACT(\"day_of_month\", ", ")"),
        TimePart::Week => ("1 + (DATE_EXTRACT(\"day_of_year\", DATE_TRUNC(1 week, ", ") + 3 days) - 1) / 7"),
        TimePart::Month => ("DATE_EXTRACT(\"month_of_year\", ", ")"),
        TimePart::Year => ("DATE_EXTRACT(\"year\", ", ")"),
    };
    writer.put(before);
    writer.field_of(found);
    writer.put(after);
    writer.format(format_args!(" {} ", sign(*order)));
    number(writer, &found.test);
}

/// Bytes of what stands before the values of a list: a name, or the call with the name in it.
fn read_name(text: &str) -> usize {
    let call = [ANY_NETWORK_CALL, NETWORK_CALL, LOWER_CALL].into_iter().find(|call| text.starts_with(call));
    let call = call.map_or(0, str::len);
    match literal::scan_name(&text[call..]) {
        0 => 0,
        name => call + name,
    }
}
