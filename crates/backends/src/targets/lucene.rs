//! Elasticsearch `query_string`: Lucene's classic syntax as Elasticsearch reads it.
//!
//! Source: Elasticsearch reference, "Query string query", and the parser's own behaviour:
//! - operators have no order of precedence worth relying on (`a OR NOT b` means `a` without `b`): groups always stand
//!   where kinds mix, and around a negation in a disjunction;
//! - inside quotes only `"` and `\` are special, and wildcards are literal;
//! - a term that starts with `<` or `>` is a range, escaped or not, unless it is quoted;
//! - regular expressions are anchored to the whole term.

use sigcast_diagnostics::Code;
use sigcast_ir::model::{Blank, DataModel, Edges, Names, Numbers, Objects, Values};
use sigcast_ir::{Expr, Match, Order, Pattern, Query, Regex, RegexFlags, Shape, Test};

use super::formats::{DSL_REQUEST, ELASTALERT, SAVED_SEARCH, SIEM_RULE, SIEM_RULE_NDJSON};
use crate::correlate::Correlate;
use crate::dialect::{Brackets, Dialect, Emit, Grouping, Infix, List, Operators, Prefix, Say, TextSays, two_valued};
use crate::options::{CaseMode, CidrMode, FieldMode, Settings};
use crate::passes::{self, case, cidr, simplify};
use crate::readback::{self, Reading};
use crate::say::{Legaliser, Refusal, Said, leaf};
use crate::target::{Comment, Language, Target, plain, scope_term};
use crate::typed::{self, Analysed, Folding, Reach};
use crate::write::{self, Writer, boolean, number, pattern_of};

/// Elasticsearch, by its query string.
pub(super) const TARGET_CONST: Target = Target {
    name: "lucene",
    aliases: &["es-qs", "elasticsearch"],
    title: "Elasticsearch query_string (Lucene syntax)",
    language: Language::Single(&QUERY_STRING),
    model: INDEX,
    styles: super::atc::LUCENE,
    options: &[
        "style",
        "cidr",
        "case",
        "fields",
        "index",
        "time_field",
        "time_range",
        "interval",
        "enabled",
        "level",
        "data_view",
    ],
    formats: &[plain("lucene"), SIEM_RULE, SIEM_RULE_NDJSON, SAVED_SEARCH, ELASTALERT, DSL_REQUEST],
    comment: Comment::None,
    open: |_| {},
    scope,
    scoped: |settings| !settings.index.is_empty(),
    correlate: Correlate::Composed(super::threshold::compose),
    close: |_| {},
    assumes: |_| &[],
};

/// Elasticsearch, by its query string.
pub static TARGET: Target = TARGET_CONST;

/// What an index of Elasticsearch or OpenSearch holds: fields that hold null or an empty list have no values, objects are
/// flat lists of dotted names, and any field may have several values.
///
/// Source: Elasticsearch reference, "`null_value`", "Arrays", "Object field type"; the OpenSearch documentation has the
/// same of its own. Numbers keep their type or become text by the mapping, which is for assumptions and schemas.
pub(super) const INDEX: DataModel = DataModel {
    null: Blank::Absent,
    empty_list: Blank::Absent,
    empty_text: Blank::Kept,
    edges: Edges::Kept,
    values: Values::Several,
    objects: Objects::Dotted,
    numbers: Numbers::Typed,
    names: Names::Cased,
    source: "Elasticsearch reference: null_value, Arrays, Object field type",
};

const OPERATORS: Operators = Operators {
    and: Infix { text: " AND ", strength: 1, needs: 2 },
    or: Infix { text: " OR ", strength: 1, needs: 3 },
    not: Prefix { text: "NOT ", strength: 2, needs: 3 },
    group: ("(", ")"),
    grouping: Grouping::Needed,
};

static VALUES: List = List {
    name: "values",
    any: Some(Brackets { open: ":(", separator: " OR ", close: ")" }),
    all: Some(Brackets { open: ":(", separator: " AND ", close: ")" }),
};

pub(super) const TEXT: &[Code] = &[Code::AssumeCaseless, Code::AssumeKeywordFields];
pub(super) const CASED: &[Code] = &[Code::AssumeCased, Code::AssumeKeywordFields];

pub(super) const EXACT: Emit = Emit::infix(":", exact_value).listed(&VALUES);
pub(super) const PATTERN: Emit = Emit::infix(":", pattern_value).listed(&VALUES);
const ANYTHING: Emit = Emit::infix(":", |writer, _| writer.put("*"));
pub(super) const REGEX: Emit = Emit::infix(":", regex_value).listed(&VALUES);
pub(super) const KEYWORD_REGEX: Emit = Emit::whole(|writer, found| regex_value(writer, &found.test));
const NETWORK: Emit = Emit::infix(":", network_value).listed(&VALUES).assuming(&[Code::AssumeAddress]);
const NUMBER: Emit = Emit::infix(":", number_value).listed(&VALUES);
const COMPARE: Emit = Emit::infix(":", compare_value).assuming(&[Code::AssumeNumeric]);
pub(super) const EXISTS: Emit = Emit::whole(|writer, found| existence(writer, found, "_exists_:"));
pub(super) const ABSENT: Emit =
    Emit::whole(|writer, found| existence(writer, found, "NOT _exists_:")).binding(OPERATORS.not.strength);

/// Elasticsearch's `query_string`.
pub(super) const LUCENE: Dialect = Dialect {
    name: "Elasticsearch query_string",
    operators: OPERATORS,
    passes: &[simplify],
    field,
    variant,
    bad_field: |name| name.is_empty().then_some("a field's name is empty"),
    needs_guard: two_valued,
    most_clauses: Some(1_024),
    longest: Some(32_000),
    text: TextSays {
        empty: EXACT.assuming(&[Code::AssumeKeywordFields]).native(),
        exact: Say::Lowered(text),
        prefix: Say::Lowered(text),
        suffix: Say::Lowered(text),
        contains: Say::Lowered(text),
        anything: ANYTHING.native(),
        runs: Say::Lowered(text),
        singles: Say::Lowered(text),
    },
    cased: TextSays {
        empty: EXACT.assuming(CASED).native(),
        exact: EXACT.assuming(CASED).native(),
        prefix: PATTERN.assuming(CASED).native(),
        suffix: PATTERN.assuming(CASED).native(),
        contains: PATTERN.assuming(CASED).native(),
        anything: ANYTHING.native(),
        runs: PATTERN.assuming(CASED).native(),
        singles: PATTERN.assuming(CASED).native(),
    },
    keyword: Say::Lowered(anywhere),
    keyword_cased: Say::Lowered(anywhere),
    keyword_regex: Say::Lowered(regex),
    keyword_other: Say::Refused(Code::KeywordUnsupported, "a keyword is a text or a regular expression"),
    regex: Say::Lowered(regex),
    network_v4: Say::Lowered(lenient_network),
    network_v6: Say::Lowered(lenient_network),
    number: NUMBER.native(),
    compare: COMPARE.native(),
    boolean: Emit::infix(":", boolean).listed(&VALUES).native(),
    null: ABSENT.native(),
    exists: EXISTS.native(),
    absent: ABSENT.native(),
    same_as: Say::Refused(Code::FieldReferenceUnsupported, "a query string compares a field with values only"),
    time_part: Say::Refused(Code::TimePartUnsupported, "a query string has no functions on times"),
    schema: Some(Reach { folding: Folding::Spelled, analysed: Analysed::Words, columns: false }),
    reading: READING,
};

static QUERY_STRING: Dialect = LUCENE;

/// How Elasticsearch reads it: mixing operators without groups is not to be relied on.
pub(super) const READING: Reading = Reading {
    and: "AND",
    or: "OR",
    not: "NOT",
    precedence: readback::Precedence::Never,
    name: |text| readback::scan(text, '\\', |c| matches!(c, ':' | '(' | ')' | ' ' | '"' | '/')),
    value,
    leaf: read_leaf,
    lists: &[&VALUES],
};

fn field(writer: &mut Writer<'_>, name: &str) {
    writer.escaped(name, RESERVED, '\\');
}

/// What must be escaped in a term that stands without quotes.
pub(super) const RESERVED: &[char] = &[
    '+', '-', '=', '&', '|', '>', '<', '!', '(', ')', '{', '}', '[', ']', '^', '"', '~', '*', '?', ':', '\\', '/', ' ',
    '\t', '\n', '\r', '\u{3000}',
];

/// With dynamic mapping, text is tested on the subfield that holds it whole. What could be a number or a boolean is
/// tested on the field itself: such values have no subfield when they came as JSON numbers or booleans.
fn variant(settings: &Settings, test: &Test<'_>) -> &'static str {
    let whole = match (settings.fields, test) {
        (FieldMode::Keyword, _) => false,
        // A schema says what a field's subfields are; those it does not know have none.
        _ if settings.schema.is_some() && settings.style.is_none() => false,
        (FieldMode::Dynamic, Test::Text { pattern, .. }) => match pattern.shape() {
            Shape::Exact(value) => !is_scalar(value),
            Shape::Anything => false,
            _ => true,
        },
        (FieldMode::Dynamic, Test::Regex(_)) => true,
        _ => false,
    };
    if whole { ".keyword" } else { "" }
}

/// Whether a text spells a number or a boolean.
fn is_scalar(value: &str) -> bool {
    value.parse::<f64>().is_ok() || value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

/// Text ignoring case: as it is, or by a regular expression with both cases of each letter.
pub(super) fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Some(pattern) = pattern_of(&found.test) else { return legaliser.say(&Expr::Match(found.clone())) };
    if minds_case(found, legaliser) && pattern.has_case() {
        legaliser.assume(Code::AssumeKeywordFields, found);
        return Ok(leaf(REGEX, found.with(translated(case::lucene(pattern)?))));
    }
    let emit = if matches!(pattern.shape(), Shape::Exact(_)) { EXACT } else { PATTERN };
    Ok(legaliser.write(emit.assuming(TEXT), found))
}

/// Whether the field minds case, so that the query must spell it: by the schema, or else by the option.
fn minds_case(found: &Match<'_>, legaliser: &Legaliser<'_>) -> bool {
    match typed::known(legaliser, found) {
        Some(known) => known.kind.is_whole_text() && !known.is_caseless(),
        None => legaliser.settings.case == CaseMode::Expand,
    }
}

/// A regular expression in the syntax of Lucene's engine.
pub(super) fn regex<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Regex(source) = &found.test else { return legaliser.say(&Expr::Match(found.clone())) };
    let translated = translated(passes::regex::lucene(source)?);
    if passes::regex::assumes_single_lines(source) {
        legaliser.assume(Code::AssumeSingleLines, found);
    }
    typed::assume_case(found, legaliser);
    legaliser.assume(Code::AssumeKeywordFields, found);
    let emit = if found.field().is_some() { REGEX } else { KEYWORD_REGEX };
    Ok(leaf(emit, found.with(translated)))
}

/// A regular expression that is in the engine's own syntax already.
pub(super) fn translated<'a>(source: String) -> Test<'a> {
    Test::Regex(Regex { source: source.into(), flags: RegexFlags::default(), opaque: None })
}

/// A network in a query that someone else runs: text patterns beside the engine's own test need a lenient search.
fn lenient_network<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    if typed::network_mode(legaliser, found) == CidrMode::Auto {
        legaliser.assume(Code::AssumeLenient, found);
    }
    network(found, legaliser)
}

/// A network by the option `cidr`: on address fields, as text, or both.
pub(super) fn network<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    cidr::by_mode(found, legaliser, NETWORK)
}

/// A text, quoted if anything in it is more than a letter, digit, `_`, `.` or `-`.
pub(super) fn exact_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    let Some(pattern) = pattern_of(test) else { return };
    let text = pattern.texts().next().unwrap_or_default();
    // A word that starts otherwise could be an operator of its own (`-x`), and `AND` is one.
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        && !matches!(text, "AND" | "OR" | "NOT" | "TO");
    if plain {
        writer.put(text);
    } else {
        writer.put("\"");
        writer.escaped(text, &['"', '\\'], '\\');
        writer.put("\"");
    }
}

pub(super) fn pattern_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(pattern) = pattern_of(test) {
        wildcards(writer, pattern);
    }
}

fn wildcards(writer: &mut Writer<'_>, pattern: &Pattern<'_>) {
    write::parts(writer, pattern, |writer, text| writer.escaped(text, RESERVED, '\\'), "*", "?");
}

pub(super) fn regex_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Regex(regex) = test {
        writer.put("/");
        writer.put(&regex.source);
        writer.put("/");
    }
}

fn network_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Network(network) = test {
        writer.format(format_args!("\"{network}\""));
    }
}

/// A negative number would start with an operator: it is quoted.
fn number_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    let negative = write::number_of(test).is_some_and(|number| number.text.starts_with('-'));
    if negative {
        writer.put("\"");
    }
    number(writer, test);
    if negative {
        writer.put("\"");
    }
}

fn compare_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Number { order, .. } = test {
        // Bounds in brackets read the same for negative numbers, which `>-5` does not.
        let (open, close) = match order {
            Order::Greater => ("{", " TO *]"),
            Order::GreaterOrEqual | Order::Equal => ("[", " TO *]"),
            Order::Less => ("[* TO ", "}"),
            Order::LessOrEqual => ("[* TO ", "]"),
        };
        writer.put(open);
        number(writer, test);
        writer.put(close);
    }
}

fn existence(writer: &mut Writer<'_>, found: &Match<'_>, sign: &str) {
    writer.put(sign);
    writer.field_of(found);
}

/// A keyword: exact where every field holds its text whole; with dynamic mapping long texts are searched by words only.
fn anywhere<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    if legaliser.settings.fields == FieldMode::Dynamic {
        let message = "with dynamic mapping, a text longer than 256 characters is searched word by word only";
        legaliser.approximate(Code::KeywordTokens, found, message);
    }
    let cased = matches!(found.test, Test::Text { case: sigcast_ir::Case::Sensitive, .. });
    Ok(legaliser.write(Emit::whole(keyword).assuming(if cased { CASED } else { TEXT }), found))
}

/// A keyword: a pattern over all fields.
pub(super) fn keyword(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Some(pattern) = pattern_of(&found.test) {
        wildcards(writer, &pattern.clone().open(true, true));
    }
}

/// Index and time range as terms of the query.
pub(super) fn scope(settings: &Settings) -> Vec<Query<'static>> {
    let mut terms = Vec::new();
    if !settings.index.is_empty() {
        let names = settings.index.iter().map(|name| {
            let mut text = String::from("_index:");
            for c in name.chars() {
                if c != '*' && RESERVED.contains(&c) {
                    text.push('\\');
                }
                text.push(c);
            }
            scope_term(text)
        });
        terms.push(Expr::Or(names.collect()));
    }
    if let Some(range) = &settings.time_range {
        let field = settings.time_field.as_deref().unwrap_or("@timestamp");
        let mut name = String::new();
        for c in field.chars() {
            if RESERVED.contains(&c) {
                name.push('\\');
            }
            name.push(c);
        }
        terms.push(scope_term(format!("{name}:[now-{range} TO now]")));
    }
    terms
}

/// Bytes of a value: a quoted string, a regular expression, brackets, or a bare term.
fn value(text: &str) -> usize {
    match text.chars().next() {
        Some('"') => readback::quoted(text, '"', '\\'),
        Some('/') => readback::quoted(text, '/', '\\'),
        Some('[' | '{') => text.find([']', '}']).map_or(0, |end| end + 1),
        _ => readback::scan(text, '\\', |c| matches!(c, '(' | ')' | ' ')),
    }
}

/// Bytes of a leaf: `field:value`, or a value alone.
fn read_leaf(text: &str) -> usize {
    let name = readback::scan(text, '\\', |c| matches!(c, ':' | '(' | ')' | ' ' | '"' | '/'));
    match text[name..].strip_prefix(':') {
        Some(rest) if name > 0 => name + 1 + value(rest),
        _ => value(text),
    }
}
