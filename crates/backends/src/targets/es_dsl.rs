//! Elasticsearch Query DSL: the body of a search request, as JSON on one line.
//!
//! Source: Elasticsearch reference, "Query DSL" (bool and term-level queries), and what the server's classes
//! `MappedFieldType`, `StringFieldType` and `AutomatonQueries` do:
//! - a clause on an absent field matches nothing, so `must_not` needs no guard;
//! - `case_insensitive` (since 7.10) stands in `term`, `prefix` and `wildcard`, not in `terms`. Before Lucene 10.5 it knows
//!   ASCII only: other letters are said by a `regexp` with all their cases. On fields that are not of a text type it is
//!   an error, so it stands only where the value has case;
//! - `prefix`, `wildcard` and `regexp` are errors on fields of other types, and nothing makes them lenient; only a
//!   `query_string` can be. Text patterns for networks, whose field may be of type `ip`, are said by one;
//! - `regexp` has Lucene's syntax with all operators on, as between the slashes of a `query_string`;
//! - `exists` reads `*` in a field's name as a wildcard.
//!
//! Invariant: values, names and expressions get into the text by [`json`] only.

use sigcast_diagnostics::Code;
use sigcast_ir::{Case, Expr, Match, NumberValue, Order, Pattern, Query, Shape, Test};

use super::lucene::{self, LUCENE};
use crate::correlate::Correlate;
use crate::dialect::{
    ATOM, Brackets, Calls, Dialect, Emit, Form, List, Operators, Say, TextSays, ValueWriter, two_valued,
};
use crate::options::{CidrMode, FieldMode, Settings};
use crate::passes::{self, case, cidr, simplify};
use crate::readback::{self, Precedence, Reading};
use crate::say::{Leaf, Legaliser, Refusal, Said, leaf};
use crate::target::{Comment, Format, Language, Target, scope_term};
use crate::typed::{self, Analysed, Folding, Reach};
use crate::write::{self, Writer, boolean, pattern_of};

pub(in crate::targets) mod correlation;
#[cfg(test)]
mod tests;

/// Elasticsearch, by its query language of JSON.
pub static TARGET: Target = Target {
    name: "es-dsl",
    aliases: &["elasticsearch-dsl"],
    title: "Elasticsearch Query DSL (7.10 and later)",
    language: Language::Single(&DSL),
    model: super::lucene::INDEX,
    styles: &[],
    options: &["cidr", "fields", "time_field", "time_range"],
    formats: &[
        Format { plain: true, ..Format::made("default", "the body of a search request", "json") },
        super::formats::DSL_REQUEST.without_correlations(),
    ],
    comment: Comment::None,
    open: |_| {},
    scope,
    scoped: |_| false,
    close: |_| {},
    assumes: |_| &[],
    correlate: Correlate::Composed(correlation::compose),
};

static CALLS: Calls = Calls {
    whole: ("{\"query\":", "}"),
    and: Brackets { open: "{\"bool\":{\"filter\":[", separator: ",", close: "]}}" },
    or: Brackets { open: "{\"bool\":{\"should\":[", separator: ",", close: "],\"minimum_should_match\":1}}" },
    not: ("{\"bool\":{\"must_not\":[", "]}}"),
};

/// Before the field of a list of values.
const TERMS: &str = "{\"terms\":{\"";

static VALUES: List =
    List { name: "values", any: Some(Brackets { open: "\":[", separator: ",", close: "]}}" }), all: None };

const TEXT: &[Code] = &[Code::AssumeKeywordFields];
const CASED: &[Code] = &[Code::AssumeCased, Code::AssumeKeywordFields];

/// Equality, minding case.
const TERM: Emit = term(text_value).listed(&VALUES).assuming(TEXT);
const TERM_ANY_CASE: Emit = any_case("{\"term\":{\"", text_value);
const PREFIX: Emit = plain("{\"prefix\":{\"", text_value);
const PREFIX_ANY_CASE: Emit = any_case("{\"prefix\":{\"", text_value);
const WILDCARD: Emit = plain("{\"wildcard\":{\"", wildcard_value);
const WILDCARD_ANY_CASE: Emit = any_case("{\"wildcard\":{\"", wildcard_value);
const REGEXP: Emit = plain("{\"regexp\":{\"", regex_value);
const NUMBER: Emit = term(number_value).listed(&VALUES);
const BOOLEAN: Emit = term(boolean).assuming(&[Code::AssumeBoolean]);
const NETWORK: Emit = term(network_value).assuming(&[Code::AssumeAddress]);
const COMPARE: Emit = Emit::whole(range).assuming(&[Code::AssumeNumeric]);
const EXISTS: Emit = Emit::whole(exists);
const ABSENT: Emit = Emit::whole(|writer, found| {
    writer.put(CALLS.not.0);
    exists(writer, found);
    writer.put(CALLS.not.1);
});

/// `{"term":{"f":value}}`
const fn term(value: ValueWriter) -> Emit {
    call(Form::Plural { one: "{\"term\":{\"", many: TERMS, separator: "\":", value, after: "}}" })
}

/// `{"prefix":{"f":value}}`
const fn plain(before: &'static str, value: ValueWriter) -> Emit {
    call(Form::Call { before, separator: "\":", value, after: "}}" }).assuming(TEXT)
}

/// `{"prefix":{"f":{"value":value,"case_insensitive":true}}}`
const fn any_case(before: &'static str, value: ValueWriter) -> Emit {
    let after = ",\"case_insensitive\":true}}}";
    call(Form::Call { before, separator: "\":{\"value\":", value, after }).assuming(TEXT)
}

const fn call(form: Form) -> Emit {
    Emit { form, strength: ATOM, list: None, assumes: &[] }
}

/// Elasticsearch Query DSL.
static DSL: Dialect = Dialect {
    name: "Elasticsearch Query DSL",
    operators: Operators::calls(&CALLS),
    passes: &[simplify],
    field,
    variant: LUCENE.variant,
    bad_field: |name| match name {
        "" => Some("a field's name is empty"),
        _ => name.contains('*').then_some("`exists` reads `*` in the name of a field as a wildcard"),
    },
    needs_guard: two_valued,
    most_clauses: Some(1_024),
    longest: None,
    text: TextSays { empty: TERM.native(), anything: EXISTS.native(), ..TextSays::all(Say::Lowered(text)) },
    cased: TextSays {
        empty: TERM.native(),
        exact: TERM.assuming(CASED).native(),
        prefix: PREFIX.assuming(CASED).native(),
        anything: EXISTS.native(),
        ..TextSays::all(WILDCARD.assuming(CASED).native())
    },
    keyword: Say::Lowered(anywhere),
    keyword_cased: Say::Lowered(anywhere),
    keyword_regex: Say::Lowered(regex),
    keyword_other: Say::Refused(Code::KeywordUnsupported, "a keyword is a text or a regular expression"),
    regex: Say::Lowered(regex),
    network_v4: Say::Lowered(network),
    network_v6: Say::Lowered(network),
    number: NUMBER.native(),
    compare: COMPARE.native(),
    boolean: BOOLEAN.native(),
    null: ABSENT.native(),
    exists: EXISTS.native(),
    absent: ABSENT.native(),
    same_as: Say::Refused(Code::FieldReferenceUnsupported, "only a script could compare two fields"),
    time_part: Say::Refused(Code::TimePartUnsupported, "only a script could take a time apart"),
    schema: Some(Reach { folding: Folding::Own, analysed: Analysed::Words, columns: false }),
    reading: READING,
};

/// Text ignoring case: by the flag where every letter is ASCII, else by a regular expression with all cases.
fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Some(pattern) = pattern_of(&found.test) else { return legaliser.say(&Expr::Match(found.clone())) };
    let exact = matches!(pattern.shape(), Shape::Exact(_));
    let dynamic = legaliser.settings.fields == FieldMode::Dynamic && legaliser.settings.schema.is_none();
    if pattern.has_case() && exact && dynamic && !whole(legaliser, found) {
        // What could be a boolean or a number is tested on the field itself: an error with the flag, if it is one. As
        // text it is in lower case there, as every analysed word.
        let lower = Pattern::exact(pattern.texts().next().unwrap_or_default().to_ascii_lowercase());
        return Ok(legaliser.write(TERM, &found.with(Test::Text { pattern: lower, case: Case::Insensitive })));
    }
    if pattern.has_case() && pattern.texts().any(|text| text.chars().any(|c| !c.is_ascii() && has_case(c))) {
        legaliser.assume(Code::AssumeKeywordFields, found);
        return Ok(leaf(REGEXP, found.with(lucene::translated(case::lucene(pattern)?))));
    }
    let emit = match (pattern.shape(), pattern.has_case()) {
        (Shape::Exact(_), true) => TERM_ANY_CASE,
        (Shape::Exact(_), false) => TERM,
        (Shape::Prefix(_), true) => PREFIX_ANY_CASE,
        (Shape::Prefix(_), false) => PREFIX,
        (_, true) => WILDCARD_ANY_CASE,
        (_, false) => WILDCARD,
    };
    Ok(legaliser.write(emit, found))
}

/// Whether the test is of the subfield that holds the text whole.
fn whole(legaliser: &Legaliser<'_>, found: &Match<'_>) -> bool {
    !(LUCENE.variant)(legaliser.settings, &found.test).is_empty()
}

fn has_case(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase()
}

/// A regular expression in the syntax of Lucene's engine.
fn regex<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Regex(source) = &found.test else { return legaliser.say(&Expr::Match(found.clone())) };
    let translated = lucene::translated(passes::regex::lucene(source)?);
    if passes::regex::assumes_single_lines(source) {
        legaliser.assume(Code::AssumeSingleLines, found);
    }
    typed::assume_case(found, legaliser);
    legaliser.assume(Code::AssumeKeywordFields, found);
    let emit = if found.field().is_some() { REGEXP } else { Emit::whole(keyword_regex) };
    Ok(leaf(emit, found.with(translated)))
}

/// A keyword, by a query string over all fields. It has no flag for case: a regular expression has both cases.
fn anywhere<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Text { pattern, case } = &found.test else { return legaliser.say(&Expr::Match(found.clone())) };
    if legaliser.settings.fields == FieldMode::Dynamic {
        let message = "with dynamic mapping, a text longer than 256 characters is searched word by word only";
        legaliser.approximate(Code::KeywordTokens, found, message);
    }
    if *case == Case::Sensitive {
        return Ok(legaliser.write(Emit::whole(keyword).assuming(CASED), found));
    }
    // Beyond what servers take of an expression, the pattern stands as it is.
    let both = case::lucene(&pattern.clone().open(true, true)).ok().filter(|_| pattern.has_case());
    let Some(both) = both else {
        let caseless = &[Code::AssumeCaseless, Code::AssumeKeywordFields];
        return Ok(legaliser.write(Emit::whole(keyword).assuming(caseless), found));
    };
    legaliser.assume(Code::AssumeKeywordFields, found);
    Ok(leaf(Emit::whole(keyword_regex), found.with(lucene::translated(both))))
}

/// A network by the option `cidr`: on address fields, as text, or both.
fn network<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    match typed::network_mode(legaliser, found) {
        CidrMode::Native => Ok(legaliser.write(NETWORK, found)),
        CidrMode::Expand => cidr::expand(found, legaliser),
        CidrMode::Auto => {
            let expanded = lenient(cidr::expand(found, legaliser)?)?;
            Ok(Expr::Or(vec![leaf(NETWORK, found.clone()), expanded]))
        }
    }
}

/// The patterns by query strings, which are no error on a field of an address type.
fn lenient<'a>(said: Said<'a>) -> Result<Said<'a>, Refusal> {
    let each = |terms: Vec<Said<'a>>| terms.into_iter().map(lenient).collect::<Result<_, _>>();
    Ok(match said {
        Expr::And(terms) => Expr::And(each(terms)?),
        Expr::Or(terms) => Expr::Or(each(terms)?),
        Expr::Not(inner) => Expr::negate(lenient(*inner)?),
        Expr::Match(Leaf { matches, .. }) => {
            Expr::And(matches.into_iter().map(lenient_leaf).collect::<Result<_, _>>()?)
        }
        constant @ Expr::Const(_) => constant,
    })
}

fn lenient_leaf(found: Match<'_>) -> Result<Said<'_>, Refusal> {
    Ok(match pattern_of(&found.test) {
        // A query string minds case.
        Some(pattern) if pattern.has_case() => {
            let both = found.with(lucene::translated(case::lucene(pattern)?));
            leaf(Emit::whole(lenient_regex), both)
        }
        Some(pattern) if matches!(pattern.shape(), Shape::Exact(_)) => leaf(Emit::whole(lenient_exact), found),
        Some(_) => leaf(Emit::whole(lenient_pattern), found),
        None => leaf(Emit::whole(lenient_regex), found),
    })
}

/// Writes a text as a string of JSON.
fn json(writer: &mut Writer<'_>, text: &str) {
    writer.put(&serde_json::Value::from(text).to_string());
}

/// A field's name inside the quotes, which stand in the signs around it because something may be appended to it.
fn field(writer: &mut Writer<'_>, name: &str) {
    let quoted = serde_json::Value::from(name).to_string();
    writer.put(quoted.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or_default());
}

/// The text of a pattern without wildcards, or with one at its end.
fn text_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(pattern) = pattern_of(test) {
        json(writer, pattern.texts().next().unwrap_or_default());
    }
}

fn wildcard_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    let Some(pattern) = pattern_of(test) else { return };
    let mut inner = Writer::new(writer.dialect, writer.settings);
    write::parts(&mut inner, pattern, |writer, text| writer.escaped(text, &['*', '?', '\\'], '\\'), "*", "?");
    json(writer, &inner.out);
}

fn regex_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Regex(regex) = test {
        json(writer, &regex.source);
    }
}

fn network_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Network(network) = test {
        json(writer, &network.to_string());
    }
}

/// An integer as a number; any other as text, which a keyword compares as it is and a number's field reads.
fn number_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    let Some(number) = write::number_of(test) else { return };
    match number.value {
        NumberValue::Integer(value) => writer.format(format_args!("{value}")),
        NumberValue::Float(_) => json(writer, &number.text),
    }
}

fn range(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::Number { order, .. } = &found.test else { return };
    let bound = match order {
        Order::Greater => "gt",
        Order::GreaterOrEqual | Order::Equal => "gte",
        Order::Less => "lt",
        Order::LessOrEqual => "lte",
    };
    writer.put("{\"range\":{\"");
    writer.field_of(found);
    writer.format(format_args!("\":{{\"{bound}\":"));
    number_value(writer, &found.test);
    writer.put("}}}");
}

fn exists(writer: &mut Writer<'_>, found: &Match<'_>) {
    writer.put("{\"exists\":{\"field\":\"");
    writer.field_of(found);
    writer.put("\"}}");
}

/// A leaf of Elasticsearch's query string, as a query of its own.
fn query_string(writer: &mut Writer<'_>, emit: Emit, found: &Match<'_>) {
    let dialect = LUCENE;
    let mut inner = Writer::new(&dialect, writer.settings);
    inner.leaf(&Leaf { emit, matches: vec![found.clone()], all: false, others: Vec::new() });
    writer.put("{\"query_string\":{\"query\":");
    json(writer, &inner.out);
    if found.field().is_none() {
        writer.put(",\"default_field\":\"*\"");
    }
    writer.put(",\"lenient\":true}}");
}

fn keyword(writer: &mut Writer<'_>, found: &Match<'_>) {
    query_string(writer, Emit::whole(lucene::keyword), found);
}

fn keyword_regex(writer: &mut Writer<'_>, found: &Match<'_>) {
    query_string(writer, lucene::KEYWORD_REGEX, found);
}

fn lenient_regex(writer: &mut Writer<'_>, found: &Match<'_>) {
    query_string(writer, lucene::REGEX, found);
}

fn lenient_exact(writer: &mut Writer<'_>, found: &Match<'_>) {
    query_string(writer, lucene::EXACT, found);
}

fn lenient_pattern(writer: &mut Writer<'_>, found: &Match<'_>) {
    query_string(writer, lucene::PATTERN, found);
}

/// The time range as a term of the query.
fn scope(settings: &Settings) -> Vec<Query<'static>> {
    let Some(range) = &settings.time_range else { return Vec::new() };
    let field = settings.time_field.as_deref().unwrap_or("@timestamp");
    let name = serde_json::Value::from(field);
    let raw = format!("{{\"range\":{{{name}:{{\"gte\":\"now-{range}\",\"lte\":\"now\"}}}}}}");
    vec![scope_term(raw)]
}

/// How the text is taken apart. Operators are calls, which the reader knows from [`CALLS`].
const READING: Reading = Reading {
    and: "",
    or: "",
    not: "",
    precedence: Precedence::Never,
    name: |text| match text.strip_prefix(TERMS) {
        Some(name) => TERMS.len() + readback::scan(name, '\\', |c| c == '"'),
        None => 0,
    },
    value: |text| match text.starts_with('"') {
        true => readback::quoted(text, '"', '\\'),
        false => readback::scan(text, '\\', |c| matches!(c, ',' | ']')),
    },
    leaf: object,
    lists: &[&VALUES],
};

/// Bytes of an object with its braces; 0 if there is none.
pub(in crate::targets) fn object(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' => {
                at += readback::quoted(&text[at..], '"', '\\');
                continue;
            }
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => return 0,
            _ => {}
        }
        at += c.len_utf8();
        if depth == 0 {
            return if c == '}' { at } else { 0 };
        }
    }
    0
}
