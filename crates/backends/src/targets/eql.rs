//! Elastic's Event Query Language (EQL), as Elasticsearch runs it: queries of single events, and sequences.
//!
//! Source: Elasticsearch reference, "EQL syntax reference" and "EQL function reference"; where they are silent, the
//! sources of Elasticsearch's modules `eql` and `ql` (grammar, `ExpressionBuilder`, `Optimizer`, `ExpressionTranslators`):
//! - `:` ignores case and knows `*` and `?`, which it cannot escape: text that holds them literally stands in `in~`, or
//!   in a regular expression if it has wildcards too. `==`, `in` and `like` mind case;
//! - what ignores case does so in ASCII only: text with other letters that have case becomes a regular expression with
//!   all cases of each letter;
//! - `:`, `in~`, `like` and `regex` take strings only. `==` takes numbers and booleans too, on keyword fields as well,
//!   where `in` with numbers is an error: numbers stand in no list;
//! - regular expressions are Lucene's, and match the whole value;
//! - `not` is a `must_not`: an event without the field passes it, and no test needs a guard;
//! - a field that is in no mapping of the searched indices is an error. Its optional form `?f` is null then, and what is
//!   made of null under a negation loses events without a word: the error is the better answer;
//! - fields are compared with constants only, and there is no search in all fields.
//!
//! The query's index is a part of the request, not of the query.

mod correlation;
pub(super) mod literal;
#[cfg(test)]
mod tests;

use ipnet::{IpNet, Ipv4Net};
use sigcast_diagnostics::Code;
use sigcast_ir::{Case, Expr, Match, NumberValue, Order, Part, Pattern, Query, Regex, RegexFlags, Shape, Test};

use super::formats::{SIEM_RULE, SIEM_RULE_NDJSON, commented};
use crate::correlate::Correlate;
use crate::dialect::{
    ATOM, Brackets, Dialect, Emit, Form, Grouping, Infix, List, Operators, Prefix, Say, TextSays, no_variant,
    two_valued,
};
use crate::options::{CidrMode, Settings};
use crate::passes::{self, cidr, simplify};
use crate::readback::{Precedence, Reading};
use crate::say::{Legaliser, Refusal, Said};
use crate::target::{Comment, Format, Language, Target, plain, scope_term};
use crate::typed::{self, Analysed, Folding, Reach};
use crate::write::{Writer, boolean, number};

/// Elasticsearch, by its Event Query Language.
pub static TARGET: Target = Target {
    name: "eql",
    aliases: &[],
    title: "Elasticsearch Event Query Language (EQL)",
    language: Language::Single(&EQL),
    model: super::lucene::INDEX,
    styles: &[],
    options: &["event_category", "cidr", "time_field", "time_range", "index", "interval", "enabled", "level"],
    formats: &[
        plain("eql"),
        commented("eql"),
        SIEM_RULE,
        SIEM_RULE_NDJSON,
        Format::made("eql-request", "the body of a request of the EQL search API", "json").also(&["eqlapi"]),
    ],
    comment: Comment::Line("//"),
    open,
    scope,
    // A category of events is shared by many log sources; the index is named where the query is sent.
    scoped: |settings| settings.scope_outside && !settings.index.is_empty(),
    close: |_| {},
    assumes: |_| &[],
    correlate: Correlate::Composed(correlation::compose),
};

/// Terms of another kind always stand in a group, though `and` binds tighter: readers need not know. Long chains are cut,
/// since the engine's visitors recurse once a term.
const OPERATORS: Operators = Operators {
    and: Infix { text: " and ", strength: 1, needs: 2 },
    or: Infix { text: " or ", strength: 1, needs: 2 },
    not: Prefix { text: "not ", strength: 2, needs: 3 },
    group: ("(", ")"),
    grouping: Grouping::Shallow,
};

/// Text and patterns, ignoring case.
static TEXTS: List = listed("texts", " : (");
/// Text, ignoring case, in which `*` and `?` are themselves.
static LITERALS: List = listed("literal texts", LITERAL_OPEN);
/// Text, minding case.
static CASED_TEXTS: List = listed("texts that mind case", " in (");
/// Patterns, minding case.
static CASED_PATTERNS: List = listed("patterns that mind case", " like (");
/// Regular expressions, ignoring case in ASCII.
static CASELESS_REGEXES: List = listed("regular expressions that ignore case", " regex~ (");
/// Regular expressions, minding case.
static REGEXES: List = listed("regular expressions", " regex (");
static NETWORKS: List = listed("networks", NETWORK_SEPARATOR);

const LITERAL_OPEN: &str = " in~ (";
const NETWORK_CALL: &str = "cidrMatch(";
const NETWORK_SEPARATOR: &str = ", ";

const fn listed(name: &'static str, open: &'static str) -> List {
    List { name, any: Some(Brackets { open, separator: ", ", close: ")" }), all: None }
}

const MAPPED: &[Code] = &[Code::AssumeMappedFields];
const TEXT: &[Code] = &[Code::AssumeMappedFields, Code::AssumeKeywordFields];
const CASED: &[Code] = &[Code::AssumeMappedFields, Code::AssumeKeywordFields, Code::AssumeCased];
const NUMERIC: &[Code] = &[Code::AssumeMappedFields, Code::AssumeNumeric];
const BOOLEAN: &[Code] = &[Code::AssumeMappedFields, Code::AssumeBoolean];
const ADDRESS: &[Code] = &[Code::AssumeMappedFields, Code::AssumeAddress];

const COLON: Emit = Emit::infix(" : ", literal::pattern).listed(&TEXTS).assuming(TEXT);
/// It has no form without a list.
const IN_CASELESS: Emit = Emit {
    form: Form::Call { before: "", separator: LITERAL_OPEN, value: literal::pattern, after: ")" },
    strength: ATOM,
    list: Some(&LITERALS),
    assumes: TEXT,
};
const EQUALS: Emit = Emit::infix(" == ", literal::pattern).listed(&CASED_TEXTS).assuming(CASED);
const EMPTY: Emit = Emit::infix(" == ", literal::pattern).assuming(TEXT);
const LIKE: Emit = Emit::infix(" like ", literal::pattern).listed(&CASED_PATTERNS).assuming(CASED);
const REGEX_CASELESS: Emit = Emit::infix(" regex~ ", literal::regex).listed(&CASELESS_REGEXES).assuming(TEXT);
const REGEX: Emit = Emit::infix(" regex ", literal::regex).listed(&REGEXES).assuming(TEXT);
const NUMBER: Emit = Emit::infix(" == ", number).assuming(MAPPED);
const COMPARE: Emit = Emit::whole(compare).assuming(NUMERIC);
const NULL: Emit = Emit::infix(" == ", |writer, _| writer.put("null")).assuming(MAPPED);
const NOT_NULL: Emit = Emit::infix(" != ", |writer, _| writer.put("null")).assuming(MAPPED);
const NETWORK: Emit = Emit {
    form: Form::Call { before: NETWORK_CALL, separator: NETWORK_SEPARATOR, value: literal::network, after: ")" },
    strength: ATOM,
    list: Some(&NETWORKS),
    assumes: ADDRESS,
};

const KEYWORDS: Say = Say::Refused(Code::KeywordUnsupported, "EQL has no search in all fields");

/// The condition behind `any where`.
static EQL: Dialect = Dialect {
    name: "EQL",
    operators: OPERATORS,
    passes: &[simplify],
    field: literal::name,
    variant: no_variant,
    bad_field: |name| name.is_empty().then_some("a name has one character at least"),
    needs_guard: two_valued,
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
    same_as: Say::Refused(Code::FieldReferenceUnsupported, "EQL compares fields with constants only"),
    time_part: Say::Refused(Code::TimePartUnsupported, "EQL has no functions on times"),
    schema: Some(Reach { folding: Folding::Own, analysed: Analysed::Nothing, columns: false }),
    reading: Reading {
        and: "and",
        or: "or",
        not: "not",
        precedence: Precedence::AndFirst,
        name: read_name,
        value: literal::scan_value,
        leaf: literal::scan_leaf,
        lists: &[&TEXTS, &LITERALS, &CASED_TEXTS, &CASED_PATTERNS, &CASELESS_REGEXES, &REGEXES, &NETWORKS],
    },
};

/// `any where`, or the category that the option names.
fn open(writer: &mut Writer<'_>) {
    match &writer.settings.event_category {
        Some(category) => literal::category(writer, category),
        None => writer.put("any"),
    }
    writer.put(" where ");
}

/// The time range: a comparison with a date goes to Elasticsearch as a range, in which date mathematics works.
fn scope(settings: &Settings) -> Vec<Query<'static>> {
    let Some(range) = &settings.time_range else { return Vec::new() };
    let mut writer = Writer::new(&EQL, settings);
    literal::name(&mut writer, settings.time_field.as_deref().unwrap_or("@timestamp"));
    writer.format(format_args!(" >= \"now-{range}\""));
    vec![scope_term(writer.out)]
}

/// Text by the operator of its shape and letters.
fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Text { pattern, case } = &found.test else { return unsupported() };
    let exact = matches!(pattern.shape(), Shape::Exact(_));
    let caseless = *case == Case::Insensitive;
    let literal = |c: char| matches!(c, '*' | '?');
    let stars = pattern.texts().any(|text| text.contains(literal));
    // Elasticsearch escapes patterns by this character on their way, which then must not stand in them.
    let escape = !exact && pattern.texts().any(|text| text.contains('\u{1}'));
    let emit = match (caseless, exact) {
        (true, _) if literal::folds_beyond_ascii(pattern) => None,
        (true, true) if stars => Some(IN_CASELESS),
        (true, true) => Some(COLON),
        (false, true) => Some(EQUALS),
        (_, false) if stars || escape => None,
        (true, false) => Some(COLON),
        (false, false) => Some(LIKE),
    };
    match emit {
        Some(emit) => Ok(legaliser.write(emit, found)),
        None => pattern_regex(found, pattern, caseless, legaliser),
    }
}

/// A pattern as a regular expression: with all cases of each letter, where `regex~` would know those of ASCII only.
fn pattern_regex<'a>(
    found: &Match<'a>,
    pattern: &Pattern<'a>,
    caseless: bool,
    legaliser: &mut Legaliser<'_>,
) -> Result<Said<'a>, Refusal> {
    let spelled = caseless && literal::folds_beyond_ascii(pattern);
    let mut source = String::from("^");
    for part in pattern.parts() {
        match part {
            Part::Text(text) => source.push_str(&regex_syntax::escape(text)),
            Part::AnyRun => source.push_str(".*"),
            Part::AnyOne => source.push('.'),
            // Refused before.
            Part::Placeholder(_) => {}
        }
    }
    source.push_str(r"\z");
    let flags = RegexFlags { ignore_case: spelled, dot_all: true, ..RegexFlags::default() };
    let whole = Regex { source: source.into(), flags, opaque: None };
    let emit = match (caseless, spelled) {
        (true, false) => REGEX_CASELESS,
        (true, true) => REGEX,
        (false, _) => REGEX.assuming(CASED),
    };
    Ok(legaliser.write(emit, &found.with(translated(passes::regex::lucene(&whole)?))))
}

/// A regular expression in the syntax of Lucene's engine. Where case does not matter it has both cases of each letter:
/// `regex~` would leave ranges of letters alone.
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

/// A network: on address fields, or as text by the option `cidr`. Both together would be an error on either type.
fn network<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    if typed::network_mode(legaliser, found) == CidrMode::Expand {
        return cidr::expand(found, legaliser);
    }
    let Test::Network(network) = &found.test else { return unsupported() };
    let said = legaliser.write(NETWORK, found);
    if !reaches_v4(network) {
        return Ok(said);
    }
    // To Elasticsearch an IPv4 address is the IPv6 one that it is mapped into.
    let every = found.with(Test::Network(IpNet::V4(Ipv4Net::default())));
    Ok(Expr::And(vec![said, Expr::negate(legaliser.write(NETWORK, &every))]))
}

/// Whether an IPv6 network has all mapped IPv4 addresses in it, and others.
pub(super) fn reaches_v4(network: &IpNet) -> bool {
    let mapped = std::net::Ipv4Addr::UNSPECIFIED.to_ipv6_mapped();
    matches!(network, IpNet::V6(network) if network.contains(&mapped) && network.prefix_len() < 96)
}

/// Numbers that the type `long` holds: larger ones would become inexact.
fn numeric<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Number { order, value } = &found.test else { return unsupported() };
    // The smallest one is read as the negation of a number that is too large.
    let fits = |value: i128| i64::try_from(value).is_ok_and(|value| value > i64::MIN);
    if matches!(value.value, NumberValue::Integer(value) if !fits(value)) {
        return Err(Refusal::new(Code::ValueUnsupported, "its integers have 64 bits with a sign"));
    }
    Ok(legaliser.write(if *order == Order::Equal { NUMBER } else { COMPARE }, found))
}

/// What a rewrite says of a test that is not its own; the dialect's table sends it none.
fn unsupported<'a>() -> Result<Said<'a>, Refusal> {
    Err(Refusal::new(Code::ConstructUnsupported, "the test is of another kind"))
}

fn compare(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Number { order, .. } = &found.test {
        writer.field_of(found);
        writer.format(format_args!(" {} ", order.sign()));
        number(writer, &found.test);
    }
}

/// Bytes of what stands before the values of a list: a name, or the call with the name in it.
fn read_name(text: &str) -> usize {
    let call = if text.starts_with(NETWORK_CALL) { NETWORK_CALL.len() } else { 0 };
    match literal::scan_name(&text[call..]) {
        0 => 0,
        name => call + name,
    }
}
