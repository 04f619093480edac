//! Rules of OpenSearch Security Analytics: what a Sigma rule asks in the few words of Sigma that its server reads aright.
//!
//! The server takes rules in YAML and makes query strings of them by a compiler of its own. What is known of that is its
//! source (opensearch-project/security-analytics, `rules/{objects,modifiers,types,backend}`, 2022 to 2026):
//! - modifiers are `contains`, `startswith`, `endswith`, `all`, `re`, `cidr`, `windash`, `wide`, `base64`, `base64offset`,
//!   `lt`, `lte`, `gt`, `gte`; any other is an error. Values come here with their variants expanded, so that the server's
//!   own expansions are not asked for;
//! - of `gt` and its like it makes `"field" "gt" 5`, which compares nothing;
//! - an expression of `re` is put between slashes, with each backslash and quote doubled: to Lucene `\d` is then another
//!   expression, and none is searched for but matched whole;
//! - a keyword was asked of fields named `_0`, `_1` until 2.11, and of every field since;
//! - a blank in a value becomes `_ws_`, which patterns never match (issues 1024 and 1803: releases up to 3.2 at least);
//! - names of fields get into the query as they are, so that most signs in them would be signs of the query;
//! - integers of more than 32 bits and decimal numbers are passed over, or read as `null`; `field: -1` does not parse. All
//!   three are right as text, which stands in quotes.
//!
//! What the server makes of conditions and of nested detections is for the printer of the format, which knows names.
//!
//! Invariant: the text is JSON: `["rule",X]`, where X is `["and",X,…]`, `["or",X,…]`, `["not",X]` or an object with one
//! entry: the key of a detection item, and its value or the list of its values, as Sigma writes them.

use sigcast_diagnostics::Code;
use sigcast_ir::{Case, Expr, Match, NumberValue, Part, Pattern, Test};

use super::super::es_dsl::object;
use super::super::lucene::{LUCENE, TEXT};
use crate::dialect::{
    ATOM, Brackets, Calls, Dialect, Emit, Form, List, Operators, Say, TextSays, ValueWriter, two_valued,
};
use crate::options::CidrMode;
use crate::passes::{cidr, simplify};
use crate::readback::{self, Precedence, Reading};
use crate::say::{Legaliser, Refusal, Said, leaf};
use crate::target::{Language, Style};
use crate::write::{self, Writer, boolean, pattern_of};

/// The name of the style that the format asks for.
pub(super) const NAME: &str = "security-analytics";

/// The form that the format is made of. No option names it.
pub(super) const STYLE: Style = Style {
    language: Language::Single(&DETECTION),
    read: |rule, _| rule,
    check: |_, _| {},
    tail: |_| String::new(),
    output: |_, _, _| {},
};

static CALLS: Calls = Calls {
    whole: ("[\"rule\",", "]"),
    and: Brackets { open: "[\"and\",", separator: ",", close: "]" },
    or: Brackets { open: "[\"or\",", separator: ",", close: "]" },
    not: ("[\"not\",", "]"),
};

/// What stands before the key of an item.
const ITEM: &str = "{\"";

/// A list of values of an item: of which one is enough, or which must all match.
const fn list(name: &'static str, any: &'static str, all: &'static str) -> List {
    let any = Brackets { open: any, separator: ",", close: "]}" };
    List { name, any: Some(any), all: Some(Brackets { open: all, ..any }) }
}

static VALUES: List = list("values", "\":[", "|all\":[");
static INSIDE: List = list("contains", "|contains\":[", "|contains|all\":[");
static STARTS: List = list("startswith", "|startswith\":[", "|startswith|all\":[");
static ENDS: List = list("endswith", "|endswith\":[", "|endswith|all\":[");
static NETWORKS: List = list("cidr", "|cidr\":[", "|cidr|all\":[");

const IS: Emit = item("\":", pattern_value).listed(&VALUES);
const CONTAINS: Emit = item("|contains\":", text_value).listed(&INSIDE);
const STARTS_WITH: Emit = item("|startswith\":", text_value).listed(&STARTS);
const ENDS_WITH: Emit = item("|endswith\":", text_value).listed(&ENDS);
const NUMBER: Emit = item("\":", number_value).listed(&VALUES);
const BOOLEAN: Emit = item("\":", boolean).listed(&VALUES).assuming(&[Code::AssumeBoolean]);
const NETWORK: Emit = item("|cidr\":", network_value).listed(&NETWORKS).assuming(&[Code::AssumeAddress]);
const NULL: Emit = Emit::whole(|writer, found| {
    writer.put(ITEM);
    writer.field_of(found);
    writer.put("\":null}");
});

/// `{"field|modifier":value}`
const fn item(separator: &'static str, value: ValueWriter) -> Emit {
    let form = Form::Call { before: ITEM, separator, value, after: "}" };
    Emit { form, strength: ATOM, list: None, assumes: &[] }
}

/// What the server's compiler reads.
static DETECTION: Dialect = Dialect {
    name: "a rule of OpenSearch Security Analytics",
    operators: Operators::calls(&CALLS),
    passes: &[simplify],
    field: |writer, name| writer.put(name),
    variant: LUCENE.variant,
    bad_field: |name| {
        let first = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '@');
        let right = |c: char| first(c) || matches!(c, '.' | '-');
        (!name.starts_with(first) || !name.chars().all(right)).then_some(
            "the server puts names of fields into its query as they are: letters, digits, `_`, `.`, `-` and `@` are \
             expected",
        )
    },
    needs_guard: two_valued,
    most_clauses: Some(1_024),
    longest: None,
    text: TextSays { empty: IS.assuming(&[Code::AssumeKeywordFields]).native(), ..TextSays::all(Say::Lowered(text)) },
    cased: TextSays::all(Say::Refused(Code::ConstructUnsupported, "the server has no modifier `cased`")),
    keyword: KEYWORD,
    keyword_cased: KEYWORD,
    keyword_regex: KEYWORD,
    keyword_other: KEYWORD,
    regex: Say::Refused(
        Code::RegexUnsupported,
        "the server doubles the backslashes of an expression, and matches it whole by the rules of Lucene",
    ),
    network_v4: Say::Lowered(network),
    network_v6: Say::Lowered(network),
    number: NUMBER.native(),
    compare: Say::Refused(
        Code::ConstructUnsupported,
        "of `gt`, `gte`, `lt` and `lte` the server makes words of its query, which compare nothing",
    ),
    boolean: BOOLEAN.native(),
    null: NULL.native(),
    exists: Say::Lowered(|found, _| Ok(Expr::negate(leaf(NULL, found.with(Test::Null))))),
    absent: NULL.native(),
    same_as: Say::Refused(Code::FieldReferenceUnsupported, "the server has no modifier `fieldref`"),
    time_part: Say::Refused(Code::TimePartUnsupported, "the server has no modifiers for parts of times"),
    schema: None,
    reading: READING,
};

const KEYWORD: Say =
    Say::Refused(Code::KeywordUnsupported, "in which fields the server looks for a keyword depends on its version");

/// Text ignoring case, with `?` for each blank.
fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Some(pattern) = pattern_of(&found.test) else { return legaliser.say(&Expr::Match(found.clone())) };
    let mut found = found.clone();
    if pattern.texts().any(|text| text.contains(is_blank)) {
        let message =
            "a server takes a blank in a value for other signs, so that any one character may stand in its place";
        legaliser.approximate(Code::BlankWidened, &found, message);
        found.test = Test::Text { pattern: without_blanks(pattern), case: Case::Insensitive };
    }
    let parts = pattern_of(&found.test).map_or(&[] as &[_], Pattern::parts);
    let emit = match parts {
        [Part::AnyRun, _, .., Part::AnyRun] => CONTAINS,
        [Part::AnyRun, _, ..] => ENDS_WITH,
        [_, .., Part::AnyRun] => STARTS_WITH,
        _ => IS,
    };
    Ok(legaliser.write(emit.assuming(TEXT), &found))
}

/// What would end a term of a query string that stands without quotes, or is not kept in one.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// The pattern with the wildcard for one character in the place of each blank.
fn without_blanks<'a>(pattern: &Pattern<'_>) -> Pattern<'a> {
    let mut parts = Vec::new();
    for part in pattern.parts() {
        let Part::Text(text) = part else {
            parts.push(match part {
                Part::AnyRun => Part::AnyRun,
                Part::AnyOne => Part::AnyOne,
                Part::Text(name) | Part::Placeholder(name) => Part::Placeholder(name.clone().into_owned().into()),
            });
            continue;
        };
        for (at, piece) in text.split(is_blank).enumerate() {
            if at > 0 {
                parts.push(Part::AnyOne);
            }
            if !piece.is_empty() {
                parts.push(Part::Text(piece.to_owned().into()));
            }
        }
    }
    Pattern::from_parts(parts)
}

/// A network by the server's own test, or by patterns if the options ask for them. Both at once would need a lenient
/// search, which the server does not make.
fn network<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    match legaliser.settings.cidr {
        CidrMode::Expand => cidr::expand(found, legaliser),
        CidrMode::Auto | CidrMode::Native => Ok(legaliser.write(NETWORK, found)),
    }
}

/// Writes a value as a string of JSON.
fn json(writer: &mut Writer<'_>, text: &str) {
    writer.put(&serde_json::Value::from(text).to_string());
}

/// A text in which nothing is a wildcard. A backslash is itself before any sign but a wildcard and another backslash.
fn literal(writer: &mut Writer<'_>, text: &str) {
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        let alone = before != Some('\\') && next.is_some_and(|next| !matches!(next, '*' | '?' | '\\'));
        if matches!(c, '*' | '?') || (c == '\\' && !alone) {
            writer.put("\\");
        }
        writer.put(c.encode_utf8(&mut [0; 4]));
        before = Some(c);
    }
}

/// A pattern without the runs at its ends, which a modifier says.
fn text_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    let Some(pattern) = pattern_of(test) else { return };
    let parts = pattern.parts();
    let parts = parts.strip_prefix(&[Part::AnyRun]).unwrap_or(parts);
    let parts = parts.strip_suffix(&[Part::AnyRun]).unwrap_or(parts);
    pattern_text(writer, &Pattern::from_parts(parts.iter().cloned()));
}

/// A pattern with its wildcards.
fn pattern_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(pattern) = pattern_of(test) {
        pattern_text(writer, pattern);
    }
}

fn pattern_text(writer: &mut Writer<'_>, pattern: &Pattern<'_>) {
    let mut inner = Writer::new(writer.dialect, writer.settings);
    write::parts(&mut inner, pattern, literal, "*", "?");
    json(writer, &inner.out);
}

/// A number that the server's reader of YAML takes for one, or its text.
fn number_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    let Some(number) = write::number_of(test) else { return };
    match number.value {
        NumberValue::Integer(value) if (0..=i128::from(i32::MAX)).contains(&value) => {
            writer.format(format_args!("{value}"));
        }
        _ => json(writer, &number.text),
    }
}

fn network_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Network(network) = test {
        json(writer, &network.to_string());
    }
}

/// How the text is taken apart. Operators are calls, which the reader knows from [`CALLS`].
const READING: Reading = Reading {
    and: "",
    or: "",
    not: "",
    precedence: Precedence::Never,
    name: |text| match text.strip_prefix(ITEM) {
        Some(name) => ITEM.len() + readback::scan(name, '\\', |c| matches!(c, '"' | '|')),
        None => 0,
    },
    value: |text| match text.starts_with('"') {
        true => readback::quoted(text, '"', '\\'),
        false => readback::scan(text, '\\', |c| matches!(c, ',' | ']' | '}')),
    },
    leaf: object,
    lists: &[&VALUES, &INSIDE, &STARTS, &ENDS, &NETWORKS],
};
