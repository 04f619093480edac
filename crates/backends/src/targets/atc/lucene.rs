//! Kibana's and Elasticsearch's query string, and Graylog's search, as the pages had them.
//!
//! - every conjunction and disjunction stands in parentheses, and so does what is negated; in 2020 the negation too;
//! - a value is quoted; if one value of a list has a wildcard, all stand bare, on the subfield `.keyword`;
//! - signs are escaped inside quotes as outside.

use sigcast_diagnostics::Code;
use sigcast_ir::{Case, Expr, Match, Part, Test};

use super::{escaped, pattern, values, wild};
use crate::dialect::{Dialect, Emit, Grouping, Infix, Operators, Prefix, Say, TextSays};
use crate::options::Settings;
use crate::passes::factor;
use crate::say::{Legaliser, Refusal, Said, leaf};
use crate::targets::lucene::{CASED, LUCENE, TEXT};
use crate::write::Writer;

/// What tells the pages apart.
pub(super) trait Page {
    /// The product in messages.
    const NAME: &'static str;
    /// Whether values with a wildcard stand bare, on the subfield `.keyword`. Otherwise every value is quoted.
    const BARE: bool;
    /// Whether blanks and `=` are escaped.
    const ESCAPES_BLANKS: bool;
    /// What stands between the values of a list.
    const SEPARATOR: &'static str;
    /// Whether keywords are looked for in every subfield `.keyword`.
    const STARRED: bool;
    /// Whether the product keeps text in a subfield `.keyword`.
    const SUBFIELDS: bool;
}

#[derive(Debug)]
struct Kibana2019;
#[derive(Debug)]
pub(super) struct Graylog2019;
#[derive(Debug)]
pub(super) struct Query2020;
#[derive(Debug)]
struct Graylog2020;

impl Page for Kibana2019 {
    const NAME: &'static str = "Elasticsearch";
    const BARE: bool = true;
    const ESCAPES_BLANKS: bool = true;
    const SEPARATOR: &'static str = " ";
    const STARRED: bool = false;
    const SUBFIELDS: bool = true;
}

impl Page for Graylog2019 {
    const NAME: &'static str = "Graylog";
    const BARE: bool = false;
    const ESCAPES_BLANKS: bool = false;
    const SEPARATOR: &'static str = " ";
    const STARRED: bool = false;
    const SUBFIELDS: bool = false;
}

impl Page for Query2020 {
    const NAME: &'static str = "Elasticsearch";
    const BARE: bool = true;
    const ESCAPES_BLANKS: bool = true;
    const SEPARATOR: &'static str = " OR ";
    const STARRED: bool = true;
    const SUBFIELDS: bool = true;
}

impl Page for Graylog2020 {
    const NAME: &'static str = "Graylog";
    const BARE: bool = true;
    const ESCAPES_BLANKS: bool = false;
    const SEPARATOR: &'static str = " ";
    const STARRED: bool = true;
    const SUBFIELDS: bool = false;
}

/// `kibana query` of 2019.
pub(super) static KIBANA_2019: Dialect = dialect::<Kibana2019>(OPERATORS_2019);
/// `graylog` of 2019.
pub(super) static GRAYLOG_2019: Dialect = dialect::<Graylog2019>(OPERATORS_2019);
/// `es-qs` of 2020.
pub(super) static QUERY_2020: Dialect = dialect::<Query2020>(OPERATORS_2020);
/// `graylog` of 2020.
pub(super) static GRAYLOG_2020: Dialect = dialect::<Graylog2020>(OPERATORS_2020);

const OPERATORS_2019: Operators = Operators {
    and: Infix { text: " AND ", strength: 1, needs: 1 },
    or: Infix { text: " OR ", strength: 1, needs: 1 },
    not: Prefix { text: "NOT ", strength: 1, needs: 0 },
    group: ("(", ")"),
    grouping: Grouping::Always,
};

const OPERATORS_2020: Operators = Operators { not: Prefix { text: "NOT ", strength: 0, needs: 0 }, ..OPERATORS_2019 };

const fn dialect<P: Page>(operators: Operators) -> Dialect {
    let text = TextSays::all(Say::Lowered(value::<P>));
    Dialect {
        name: P::NAME,
        operators,
        passes: &[factor::shape],
        field: |writer, name| super::field(writer, name, LUCENE.field),
        variant: variant::<P>,
        text,
        cased: text,
        keyword: Say::Lowered(keyword::<P>),
        keyword_cased: Say::Lowered(keyword::<P>),
        keyword_other: Say::Lowered(keywords::<P>),
        regex: Say::Lowered(value::<P>),
        number: Say::Lowered(value::<P>),
        boolean: Say::Lowered(value::<P>),
        ..LUCENE
    }
}

/// The subfield for a leaf with a wildcard in one of its values.
fn variant<P: Page>(_: &Settings, test: &Test<'_>) -> &'static str {
    if P::BARE && values(test).iter().any(wild) { ".keyword" } else { "" }
}

/// A value, or a list of values.
fn value<'a, P: Page>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let list = values(&found.test);
    if list.contains(&Test::Null) {
        let reason = "the style has no `null` among other values";
        return Err(Refusal::new(Code::ConstructUnsupported, reason));
    }
    if list.iter().any(|test| matches!(test, Test::Regex(regex) if ends_regex(&regex.source))) {
        let reason = "the style does not escape `/`, which would end the regular expression";
        return Err(Refusal::new(Code::RegexConstruct, reason));
    }
    if let Some(fault) = fault::<P>(list) {
        legaliser.approximate(Code::LegacyStyle, found, fault);
    }
    for test in list {
        let single = found.with(test.clone());
        match test {
            Test::Text { case: Case::Sensitive, .. } => assume::<P>(CASED, &single, legaliser),
            Test::Text { .. } => assume::<P>(TEXT, &single, legaliser),
            _ => {}
        }
    }
    Ok(leaf(Emit::whole(write_value::<P>), found.clone()))
}

fn assume<P: Page>(codes: &[Code], found: &Match<'_>, legaliser: &mut Legaliser<'_>) {
    let leading = matches!(&found.test, Test::Text { pattern, .. }
        if matches!(pattern.parts().first(), Some(Part::AnyRun | Part::AnyOne)));
    // Graylog, and the wildcard is one: inside quotes it is plain text.
    if leading && P::BARE && !P::SUBFIELDS {
        legaliser.assume(Code::AssumeLeadingWildcards, found);
    }
    for code in codes {
        legaliser.assume(*code, found);
    }
}

/// Whether a `/` without a backslash before it stands in a regular expression.
fn ends_regex(source: &str) -> bool {
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => _ = chars.next(),
            '/' => return true,
            _ => {}
        }
    }
    // A lone backslash at the end would escape the closing sign.
    source.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

/// Why the engine does not read the values as the rule means them.
fn fault<P: Page>(list: &[Test<'_>]) -> Option<String> {
    let some_wild = list.iter().any(wild);
    let bare = P::BARE && some_wild;
    if list.iter().any(|test| matches!(test, Test::Regex(_))) {
        return Some(
            "the style writes the regular expression as it is: the engine anchors it to the whole value, reads it in \
             another dialect, and runs it on the analysed field"
                .to_owned(),
        );
    }
    if !P::BARE && some_wild {
        return Some("the style puts the wildcards inside quotes, where they are plain text".to_owned());
    }
    if bare && let Some(fault) = list.iter().find_map(bare_fault::<P>) {
        return Some(fault);
    }
    if bare && !P::SUBFIELDS {
        let name = P::NAME;
        return Some(format!("the style looks for the value in a subfield `.keyword`, which {name} does not make"));
    }
    if P::SEPARATOR == " " && list.len() > 1 {
        return Some(
            "the style puts blanks between the values: one of them is enough only where the default operator is OR"
                .to_owned(),
        );
    }
    None
}

/// Why a bare value is not read as one term.
fn bare_fault<P: Page>(test: &Test<'_>) -> Option<String> {
    let pattern = pattern(test)?;
    let blank = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{3000}') || (c == ' ' && !P::ESCAPES_BLANKS);
    if pattern.texts().any(|text| text.contains(blank)) {
        return Some("the style does not escape the blanks of this value, which falls apart at them".to_owned());
    }
    match pattern.parts().first() {
        None => Some("the style writes the empty value as nothing at all".to_owned()),
        Some(Part::Text(text)) if text.starts_with(['<', '>']) => {
            Some("the style does not quote this value, which is read as a range".to_owned())
        }
        Some(Part::Text(text)) if pattern.parts().len() == 1 && matches!(text.as_ref(), "AND" | "OR" | "NOT") => {
            Some("the style does not quote this value, which is read as an operator".to_owned())
        }
        _ => None,
    }
}

fn write_value<P: Page>(writer: &mut Writer<'_>, found: &Match<'_>) {
    writer.field_of(found);
    writer.put(":");
    let list = values(&found.test);
    let bare = P::BARE && list.iter().any(wild);
    let listed = matches!(found.test, Test::OneOf(_));
    writer.put(if listed { "(" } else { "" });
    for (at, test) in list.iter().enumerate() {
        writer.put(if at > 0 { P::SEPARATOR } else { "" });
        one::<P>(writer, test, bare);
    }
    writer.put(if listed { ")" } else { "" });
}

fn one<P: Page>(writer: &mut Writer<'_>, test: &Test<'_>, bare: bool) {
    if let Test::Regex(regex) = test {
        writer.put("/");
        writer.put(&regex.source);
        writer.put("/");
    }
    let Some(pattern) = pattern(test) else { return };
    writer.put(if bare { "" } else { "\"" });
    escaped(writer, &pattern, special::<P>);
    writer.put(if bare { "" } else { "\"" });
}

/// Whether the style escapes a sign that another one follows.
pub(super) fn special<P: Page>(c: char, next: Option<char>) -> bool {
    match c {
        '+' | '-' | '!' | '(' | ')' | '{' | '}' | '[' | ']' | '^' | '"' | '~' | ':' | '/' => true,
        ' ' | '=' => P::ESCAPES_BLANKS,
        '&' | '|' => next == Some(c),
        _ => false,
    }
}

/// A keyword that stands alone.
fn keyword<'a, P: Page>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    word::<P>(found, P::BARE && wild(&found.test), legaliser)
}

/// A list of keywords: all of them bare if one has a wildcard.
fn keywords<'a, P: Page>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::OneOf(list) = &found.test else {
        return Err(Refusal::new(Code::KeywordUnsupported, "a keyword is a text"));
    };
    if P::STARRED {
        starred::<P>(found, legaliser);
        return Ok(leaf(Emit::whole(write_starred::<P>), found.clone()));
    }
    let bare = P::BARE && list.iter().any(wild);
    let words =
        list.iter().map(|test| word::<P>(&found.with(test.clone()), bare, legaliser)).collect::<Result<_, _>>()?;
    Ok(Expr::Or(words))
}

fn word<'a, P: Page>(found: &Match<'a>, bare: bool, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    if P::STARRED {
        starred::<P>(found, legaliser);
        return Ok(leaf(Emit::whole(write_starred::<P>), found.clone()));
    }
    let open = matches!(pattern(&found.test), Some(pattern) if pattern.clone().open(true, true) == pattern);
    let fault = if bare { bare_fault::<P>(&found.test) } else { None };
    if let Some(fault) = fault {
        legaliser.approximate(Code::LegacyStyle, found, fault);
    } else if !(bare && open) {
        let message = "the style looks for the keyword as whole words or a whole value, and not anywhere in the event";
        legaliser.approximate(Code::LegacyStyle, found, message);
    }
    assume::<P>(TEXT, found, legaliser);
    let emit = if bare {
        Emit::whole(|w, m| one::<P>(w, &m.test, true))
    } else {
        Emit::whole(|w, m| one::<P>(w, &m.test, false))
    };
    Ok(leaf(emit, found.clone()))
}

fn starred<P: Page>(found: &Match<'_>, legaliser: &mut Legaliser<'_>) {
    let message = "the style looks for keywords in subfields `.keyword` only";
    legaliser.approximate(Code::LegacyStyle, found, message);
    assume::<P>(TEXT, found, legaliser);
}

/// Keywords with a wildcard on either side, in any subfield.
fn write_starred<P: Page>(writer: &mut Writer<'_>, found: &Match<'_>) {
    let list = values(&found.test);
    writer.put(r"\*.keyword:");
    writer.put(if list.len() > 1 { "(" } else { "" });
    for (at, test) in list.iter().enumerate() {
        writer.put(if at > 0 { " OR " } else { "" });
        if let Some(pattern) = pattern(test) {
            escaped(writer, &pattern.open(true, true), special::<P>);
        }
    }
    writer.put(if list.len() > 1 { ")" } else { "" });
}
