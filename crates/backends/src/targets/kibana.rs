//! Kibana Query Language, Kibana's own; not Microsoft's language of the same short name.
//!
//! Source: Elastic's guide "Kibana Query Language", and what Kibana's published grammar and its translation to
//! Elasticsearch queries do:
//! - special characters are `\ ( ) : < > " * { }`; `\t \r \n \uXXXX` are read, any other escape is a syntax error;
//! - `and`, `or` and `not` end a bare value where blanks stand around them (`not` needs one behind it only, so it ends
//!   one in the middle of `cannot be` too) and are escaped by a backslash;
//! - bare `true`, `false` and `null` are typed, so text is quoted; a quoted value has no wildcards;
//! - a bare value loses blanks at its ends;
//! - a value with a wildcard becomes a `wildcard` query if the data view says that the field is exactly a keyword, else
//!   a `query_string`, in which a blank separates terms: it then matches far too much.

use sigcast_diagnostics::Code;
use sigcast_ir::schema::FieldKind;
use sigcast_ir::{Expr, Match, NumberValue, Part, Pattern, Query, Shape, Test};

use super::formats::{SAVED_SEARCH, SIEM_RULE, SIEM_RULE_NDJSON};
use crate::correlate::Correlate;
use crate::dialect::{
    Brackets, Dialect, Emit, Grouping, Infix, List, Operators, Prefix, Say, TextSays, no_variant, two_valued,
};
use crate::options::{CidrMode, Settings};
use crate::passes::regex::PatternLimits;
use crate::passes::{self, cidr, simplify};
use crate::readback::{self, Precedence, Reading};
use crate::say::{Legaliser, Refusal, Said};
use crate::target::{Comment, Language, Target, plain, scope_term};
use crate::typed::{self, Analysed, Folding, Reach};
use crate::write::{self, Writer, boolean, number, pattern_of};

/// Kibana, by its query bar.
pub static TARGET: Target = Target {
    name: "kibana",
    aliases: &["kuery"],
    title: "Kibana Query Language (KQL of Elastic)",
    language: Language::Single(&KIBANA),
    model: super::lucene::INDEX,
    styles: &[],
    options: &["cidr", "index", "time_field", "time_range", "interval", "enabled", "level", "data_view"],
    formats: &[plain("kuery"), SIEM_RULE, SIEM_RULE_NDJSON, SAVED_SEARCH],
    comment: Comment::None,
    open: |_| {},
    scope,
    scoped: |settings| !settings.index.is_empty(),
    close: |_| {},
    assumes: |_| &[],
    correlate: Correlate::Composed(super::threshold::compose),
};

/// `and` binds tighter than `or`; groups stand wherever the two mix all the same, for the reader.
const OPERATORS: Operators = Operators {
    and: Infix { text: " and ", strength: 1, needs: 2 },
    or: Infix { text: " or ", strength: 1, needs: 2 },
    not: Prefix { text: "not ", strength: 2, needs: 3 },
    group: ("(", ")"),
    grouping: Grouping::Needed,
};

static VALUES: List = List {
    name: "values",
    any: Some(Brackets { open: ": (", separator: " or ", close: ")" }),
    all: Some(Brackets { open: ": (", separator: " and ", close: ")" }),
};

const TEXT: &[Code] = &[Code::AssumeCaseless, Code::AssumeKeywordFields];
const CASED: &[Code] = &[Code::AssumeCased, Code::AssumeKeywordFields];

const EXACT: Emit = Emit::infix(": ", exact_value).listed(&VALUES);
const PATTERN: Emit = Emit::infix(": ", pattern_value).listed(&VALUES);
const KEYWORD: Emit = Emit::whole(|writer, found| pattern_value(writer, &found.test));
const PRESENT: Emit = Emit::infix(": ", |writer, _| writer.put("*"));
const ABSENT: Emit = Emit::whole(|writer, found| {
    writer.put("not ");
    writer.field_of(found);
    writer.put(": *");
})
.binding(OPERATORS.not.strength);
const NETWORK: Emit = Emit::infix(": ", |writer, test| {
    if let Test::Network(network) = test {
        writer.format(format_args!("\"{network}\""));
    }
})
.listed(&VALUES)
.assuming(&[Code::AssumeAddress]);

/// Text tests: native but for patterns that Kibana may read as a query of another language, and single wildcards.
const fn text(assumes: &'static [Code]) -> TextSays {
    const NO_SINGLES: Say =
        Say::Refused(Code::SingleWildcardUnsupported, "KQL has no wildcard for exactly one character");
    TextSays {
        empty: EXACT.assuming(assumes).native(),
        exact: EXACT.assuming(assumes).native(),
        prefix: Say::Lowered(pattern),
        suffix: Say::Lowered(pattern),
        contains: Say::Lowered(pattern),
        anything: PRESENT.native(),
        runs: Say::Lowered(pattern),
        singles: NO_SINGLES,
    }
}

/// Kibana Query Language.
pub(super) static KIBANA: Dialect = Dialect {
    name: "Kibana Query Language",
    operators: OPERATORS,
    passes: &[simplify],
    field,
    variant: no_variant,
    bad_field,
    needs_guard: two_valued,
    most_clauses: Some(1_024),
    longest: None,
    text: text(TEXT),
    cased: text(CASED),
    keyword: Say::Lowered(keyword),
    keyword_cased: Say::Lowered(keyword),
    keyword_regex: Say::Lowered(regex),
    keyword_other: Say::Refused(Code::KeywordUnsupported, "a keyword is a text"),
    regex: Say::Lowered(regex),
    network_v4: Say::Lowered(network),
    network_v6: Say::Lowered(network),
    number: Emit::infix(": ", number_value).listed(&VALUES).native(),
    compare: Emit::whole(compare).assuming(&[Code::AssumeNumeric]).native(),
    boolean: Emit::infix(": ", boolean).listed(&VALUES).native(),
    null: ABSENT.native(),
    exists: PRESENT.native(),
    absent: ABSENT.native(),
    same_as: Say::Refused(Code::FieldReferenceUnsupported, "KQL compares a field with values only"),
    time_part: Say::Refused(Code::TimePartUnsupported, "KQL has no functions on times"),
    schema: Some(Reach { folding: Folding::Never, analysed: Analysed::Words, columns: false }),
    reading: Reading {
        and: "and",
        or: "or",
        not: "not",
        precedence: Precedence::AndFirst,
        name: |text| readback::scan(text, '\\', |c| matches!(c, ':' | '(' | ')' | '<' | '>' | '"')).min(text.len()),
        value,
        leaf: read_leaf,
        lists: &[&VALUES],
    },
};

/// A field's name, bare with its special characters escaped.
fn field(writer: &mut Writer<'_>, name: &str) {
    bare(writer, name);
}

/// Blanks at the ends of what stands without quotes are lost, and no escape prevents it.
fn bad_field(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("a field's name is empty")
    } else if name.starts_with(' ') || name.ends_with(' ') {
        Some("Kibana drops a blank at the start or end of a field's name")
    } else {
        None
    }
}

/// Characters that a backslash makes literal in a bare value.
const SPECIAL: &[char] = &['\\', '(', ')', ':', '<', '>', '"', '*', '{', '}'];

/// Literal text outside quotes.
fn bare(writer: &mut Writer<'_>, text: &str) {
    // Behind a group's sign as behind a blank, so that a name is written alike wherever it stands.
    let mut previous = writer.out.chars().next_back().filter(|c| *c != '(').unwrap_or(' ');
    for (at, c) in text.char_indices() {
        let operator = is_operator(previous, &text[at..]);
        if operator && c == 'n' {
            // `\n` of `\not` is read as a line break: that escape comes first in the grammar.
            writer.put("\\u006e");
        } else {
            if SPECIAL.contains(&c) || operator {
                writer.put("\\");
            }
            control(writer, c);
        }
        previous = c;
    }
}

/// Whether an operator's word starts here: `and` and `or` behind a blank, `not` anywhere, each before a blank. At the
/// end of the text a blank may follow from what is written next, so that counts too.
fn is_operator(previous: char, rest: &str) -> bool {
    let starts = |word: &str| {
        rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && rest[word.len()..].chars().next().is_none_or(is_blank)
    };
    starts("not") || (is_blank(previous) && (starts("and") || starts("or")))
}

/// What Kibana's grammar takes for a blank.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{a0}')
}

/// A character as it is, or by its escape if it is a control character or an odd blank.
fn control(writer: &mut Writer<'_>, c: char) {
    match c {
        '\t' => writer.put("\\t"),
        '\r' => writer.put("\\r"),
        '\n' => writer.put("\\n"),
        c if c.is_control() || c == '\u{a0}' => writer.format(format_args!("\\u{:04x}", u32::from(c))),
        c => writer.out.push(c),
    }
}

fn exact_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    let Some(pattern) = pattern_of(test) else { return };
    writer.put("\"");
    for c in pattern.texts().flat_map(str::chars) {
        if matches!(c, '"' | '\\') {
            writer.put("\\");
        }
        control(writer, c);
    }
    writer.put("\"");
}

fn pattern_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(pattern) = pattern_of(test) {
        write::parts(writer, pattern, bare, "*", "?");
    }
}

/// A pattern of runs. Blanks at its ends are lost, which no escape prevents; those inside may be read as the end of a
/// term.
fn pattern<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Text { pattern, case } = &found.test else {
        return Err(Refusal::new(Code::ConstructUnsupported, "only text has patterns"));
    };
    if has_outer_blank(pattern) {
        let reason = "Kibana drops the blank at the end of a value that has a wildcard";
        return Err(Refusal::new(Code::ValueUnsupported, reason));
    }
    // Where the schema says so, the data view does.
    let keyword = typed::known(legaliser, found).is_some_and(|known| known.kind == FieldKind::Keyword);
    if !keyword && pattern.texts().any(|text| text.contains(is_query_string_blank)) {
        let message = if found.field().is_some() {
            "unless the data view says that the field is exactly a keyword, Kibana takes the blanks in a value with a \
             wildcard for the ends of terms, one of which is enough to match"
        } else {
            "without a field, Kibana takes the blanks in a value with a wildcard for the ends of terms, one of which is \
             enough to match"
        };
        legaliser.approximate(Code::ValueReinterpreted, found, message);
    }
    let emit = if found.field().is_some() { PATTERN } else { KEYWORD };
    let assumes = if *case == sigcast_ir::Case::Sensitive { CASED } else { TEXT };
    Ok(legaliser.write(emit.assuming(assumes), found))
}

/// Whether the value begins or ends with a blank, which is lost.
fn has_outer_blank(pattern: &Pattern<'_>) -> bool {
    let blank = |part: Option<&Part<'_>>, last: bool| match part {
        Some(Part::Text(text)) => {
            let c = if last { text.chars().next_back() } else { text.chars().next() };
            c.is_some_and(char::is_whitespace)
        }
        _ => false,
    };
    blank(pattern.parts().first(), false) || blank(pattern.parts().last(), true)
}

/// What a query string takes for a blank between terms.
fn is_query_string_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{3000}')
}

/// A keyword: a pattern over all fields, which Kibana always sends as a query string.
fn keyword<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Text { pattern: wanted, case } = &found.test else {
        return Err(Refusal::new(Code::KeywordUnsupported, "a keyword is a text"));
    };
    let open = wanted.clone().open(true, true);
    match open.shape() {
        Shape::Singles => {
            return Err(Refusal::new(Code::SingleWildcardUnsupported, "KQL has no wildcard for exactly one character"));
        }
        Shape::Unresolved => {
            return Err(Refusal::new(Code::UnresolvedPlaceholder, "no pipeline gave the placeholder a value"));
        }
        _ => {}
    }
    pattern(&found.with(Test::Text { pattern: open, case: *case }), legaliser)
}

/// A regular expression that is a small set of patterns.
fn regex<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Regex(source) = &found.test else {
        return Err(Refusal::new(Code::RegexUnsupported, "KQL has no regular expressions"));
    };
    let limits = PatternLimits { singles: false, most: 256 };
    let patterns = passes::regex::patterns(source, limits).map_err(|refusal| {
        Refusal::new(refusal.code, format!("KQL has no regular expressions, and {}", refusal.reason))
    })?;
    if passes::regex::assumes_single_lines(source) {
        legaliser.assume(Code::AssumeSingleLines, found);
    }
    // A keyword is looked for inside values, so that it has no start or end to be tied to.
    let tied = |test: &Test<'_>| {
        let parts = pattern_of(test).map(Pattern::parts).unwrap_or_default();
        parts.first() != Some(&Part::AnyRun) || parts.last() != Some(&Part::AnyRun)
    };
    if found.field().is_none() && patterns.iter().any(tied) {
        let reason =
            "KQL has no regular expressions, and a keyword's pattern is not tied to the start or end of a value";
        return Err(Refusal::new(Code::RegexUnsupported, reason));
    }
    let terms = patterns.into_iter().map(|test| Expr::Match(found.with(test))).collect();
    legaliser.say(&Expr::Or(terms))
}

/// A network by the option `cidr`: on address fields, as text, or both.
fn network<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    // Kibana sends a pattern on an address field as a query string, which is an error there unless it is lenient.
    if typed::network_mode(legaliser, found) == CidrMode::Auto {
        legaliser.assume(Code::AssumeLenient, found);
    }
    cidr::by_mode(found, legaliser, NETWORK)
}

/// A number. Kibana reads a bare one as a double, so an integer that a double cannot hold is quoted.
fn number_value(writer: &mut Writer<'_>, test: &Test<'_>) {
    const LARGEST: i128 = 1 << 53;
    let value = write::number_of(test).map(|number| number.value);
    let quoted = matches!(value, Some(NumberValue::Integer(value)) if value.abs() > LARGEST);
    if quoted {
        writer.put("\"");
    }
    number(writer, test);
    if quoted {
        writer.put("\"");
    }
}

fn compare(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Test::Number { order, .. } = &found.test {
        writer.field_of(found);
        writer.put(" ");
        writer.put(order.sign());
        writer.put(" ");
        number_value(writer, &found.test);
    }
}

/// Index and time range as terms of the query.
fn scope(settings: &Settings) -> Vec<Query<'static>> {
    let written = |text: &str| {
        let mut writer = Writer::new(&KIBANA, settings);
        for (at, piece) in text.split('*').enumerate() {
            if at > 0 {
                writer.put("*");
            }
            bare(&mut writer, piece);
        }
        writer.out
    };
    let mut terms = Vec::new();
    if !settings.index.is_empty() {
        terms.push(Expr::Or(
            settings.index.iter().map(|name| scope_term(format!("_index: {}", written(name)))).collect(),
        ));
    }
    if let Some(range) = &settings.time_range {
        let field = settings.time_field.as_deref().unwrap_or("@timestamp");
        terms.push(scope_term(format!("{} >= now-{range}", written(field))));
    }
    terms
}

/// Bytes of a value: a quoted string, or a bare one up to an operator or a closing parenthesis.
fn value(text: &str) -> usize {
    if text.starts_with('"') {
        return readback::quoted(text, '"', '\\');
    }
    let mut at = 0;
    let mut previous = '\\';
    while let Some(c) = text[at..].chars().next() {
        if c == '\\' {
            let escaped = text[at + 1..].chars().next().map_or(0, char::len_utf8);
            at += 1 + escaped;
            // An escaped word is not an operator, whatever follows it.
            previous = '\\';
            continue;
        }
        let word = is_blank(c) && is_operator_behind(&text[at..]);
        if c == ')'
            || c == '('
            || word
            || (previous != '\\' && is_operator(previous, &text[at..]) && text[at..].len() > 3)
        {
            break;
        }
        previous = c;
        at += c.len_utf8();
    }
    at
}

/// Whether blanks and then the word of an infix operator stand here.
fn is_operator_behind(text: &str) -> bool {
    let rest = text.trim_start_matches(is_blank);
    ["and", "or"].iter().any(|word| {
        rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && rest[word.len()..].starts_with(is_blank)
    })
}

/// Bytes of a leaf: `field: value`, `field >= value`, or a value alone.
fn read_leaf(text: &str) -> usize {
    let name = readback::scan(text, '\\', |c| matches!(c, ':' | '(' | ')' | '<' | '>' | '"' | '*'));
    let rest = &text[name..];
    let operator = ["<=", ">=", "<", ">", ":"].iter().find(|sign| rest.starts_with(**sign));
    match operator {
        Some(sign) if name > 0 => {
            let after = &rest[sign.len()..];
            let blanks = after.len() - after.trim_start_matches(is_blank).len();
            name + sign.len() + blanks + value(&after[blanks..])
        }
        _ => value(text),
    }
}
