//! Graylog's search: Lucene's classic syntax in Graylog's own setting.
//!
//! Source: Graylog documentation, "Search query language". It differs from Elasticsearch's query string in this:
//! - a term may not start with a wildcard unless the server allows it (`allow_leading_wildcard_searches`);
//! - a text without a field is searched in `message`, `full_message` and `source`, which are analysed: by words;
//! - the time range and the stream stand beside the query, not in it;
//! - `$name$`, in quotes too, is a parameter of the search, without which it fails. Source: Graylog2/graylog2-server, pull
//!   requests 9877 (two `$` around letters, digits and `_`; any text before 4.0.2) and 14692 (`\$` is the sign itself).

use sigcast_diagnostics::Code;
use sigcast_ir::model::{Blank, DataModel, Edges, Values};
use sigcast_ir::{Expr, Match, Part, Pattern, Shape, Test};

use super::lucene::{self, LUCENE};
use crate::correlate::Correlate;
use crate::dialect::{Dialect, Emit, Form, Say, TextSays, ValueWriter, no_variant};
use crate::passes::blanks::{merge_blanks, not_empty};
use crate::passes::simplify;
use crate::say::{Legaliser, Refusal, Said, leaf};
use crate::target::{Comment, Format, Language, Target, plain};
use crate::write::{Writer, pattern_of};

/// Graylog.
pub static TARGET: Target = Target {
    name: "graylog",
    aliases: &[],
    title: "Graylog search",
    language: Language::Single(&GRAYLOG),
    model: MODEL,
    styles: super::atc::GRAYLOG,
    options: &["style", "cidr", "case", "time_range", "interval", "suppress", "enabled", "level"],
    formats: &[plain("lucene"), EVENT_DEFINITION, CONTENT_PACK],
    comment: Comment::None,
    open: |_| {},
    scope: |_| Vec::new(),
    scoped: |_| false,
    close: |_| {},
    assumes: |_| &[],
    correlate: Correlate::Refused("a query finds single events; counting is up to an event definition"),
};

/// An event definition.
const EVENT_DEFINITION: Format =
    Format::made("event-definition", "an event definition, as the API takes it", "json").also(&["event_definition"]);

/// An event definition in a content pack.
const CONTENT_PACK: Format =
    Format::made("content-pack", "a content pack that holds an event definition", "json").also(&["content_pack"]);

/// Graylog keeps its messages in an index, but trims their texts, stores no empty ones, and makes one text of a list.
///
/// Source: Graylog's own threads, "Always trim message field values on Message class" (pull request 2510) and "Allow
/// graylog to store empty strings to elasticsearch" (6158, open); Graylog documentation, "JSON extractor" (`list_separator`).
const MODEL: DataModel = DataModel {
    empty_text: Blank::Absent,
    edges: Edges::Trimmed,
    values: Values::One,
    source: "Graylog2/graylog2-server: 2510, 6158; Elasticsearch reference: null_value, Arrays, Object field type",
    ..lucene::INDEX
};

/// Graylog's search.
pub(super) static GRAYLOG: Dialect = Dialect {
    name: "Graylog search",
    passes: &[simplify, merge_blanks, simplify],
    field: |writer, name| {
        let mut inner = Writer::new(writer.dialect, writer.settings);
        inner.escaped(name, lucene::RESERVED, '\\');
        writer.put(&without_parameters(&inner.out));
    },
    variant: no_variant,
    text: TextSays {
        // Empty texts are not stored: the field is absent.
        empty: lucene::ABSENT.native(),
        exact: Say::Lowered(text),
        prefix: Say::Lowered(text),
        suffix: Say::Lowered(text),
        contains: Say::Lowered(text),
        runs: Say::Lowered(text),
        singles: Say::Lowered(text),
        ..LUCENE.text
    },
    cased: TextSays {
        empty: lucene::ABSENT.native(),
        exact: Say::Lowered(cased),
        prefix: Say::Lowered(cased),
        suffix: Say::Lowered(cased),
        contains: Say::Lowered(cased),
        runs: Say::Lowered(cased),
        singles: Say::Lowered(cased),
        ..LUCENE.cased
    },
    keyword: Say::Lowered(keyword),
    keyword_cased: Say::Lowered(keyword),
    keyword_regex: Say::Refused(Code::KeywordUnsupported, "regular expressions need a field in Graylog"),
    regex: Say::Lowered(regex),
    ..LUCENE
};

/// Text ignoring case.
fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    if found.test == not_empty() {
        // Empty texts are not stored.
        return Ok(legaliser.write(lucene::EXISTS, found));
    }
    leading(found, legaliser);
    Ok(shielded(lucene::text(found, legaliser)?))
}

/// A regular expression.
fn regex<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    Ok(shielded(lucene::regex(found, legaliser)?))
}

/// The leaf with a backslash before each `$`.
fn shielded(said: Said<'_>) -> Said<'_> {
    let Expr::Match(mut leaf) = said else { return said };
    let value: Option<ValueWriter> = match leaf.matches.first().map(|found| &found.test) {
        Some(Test::Text { pattern, .. }) if !pattern.texts().any(|text| text.contains('$')) => None,
        Some(Test::Text { pattern, .. }) if matches!(pattern.shape(), Shape::Exact(_)) => {
            Some(|writer, test| shield(writer, test, lucene::exact_value))
        }
        Some(Test::Text { .. }) => Some(|writer, test| shield(writer, test, lucene::pattern_value)),
        Some(Test::Regex(source)) if source.source.contains('$') => {
            Some(|writer, test| shield(writer, test, lucene::regex_value))
        }
        _ => None,
    };
    if let Some(value) = value {
        leaf.emit = Emit { form: Form::Infix { operator: ":", value }, ..leaf.emit };
    }
    Expr::Match(leaf)
}

/// Writes a value, and a backslash before each `$`.
fn shield(writer: &mut Writer<'_>, test: &Test<'_>, value: ValueWriter) {
    let mut inner = Writer::new(writer.dialect, writer.settings);
    value(&mut inner, test);
    writer.put(&without_parameters(&inner.out));
}

/// A text of the language with a backslash before each `$` that has none. In terms, quotes and expressions alike, that is
/// the sign itself.
fn without_parameters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if c == '$' && !escaped {
            out.push('\\');
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

/// Text minding case.
fn cased<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    leading(found, legaliser);
    let exact = matches!(pattern_of(&found.test).map(Pattern::shape), Some(Shape::Exact(_)));
    let emit = if exact { lucene::EXACT } else { lucene::PATTERN };
    Ok(shielded(legaliser.write(emit.assuming(lucene::CASED), found)))
}

/// Notes that the server must allow a wildcard at the start.
fn leading(found: &Match<'_>, legaliser: &mut Legaliser<'_>) {
    let first = pattern_of(&found.test).and_then(|pattern| pattern.parts().first());
    if matches!(first, Some(Part::AnyRun | Part::AnyOne)) {
        legaliser.assume(Code::AssumeLeadingWildcards, found);
    }
}

/// A keyword: one word as part of a word of the message, several as a phrase.
fn keyword<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let message = "Graylog looks for a keyword in message, full_message and source only, and word by word";
    legaliser.approximate(Code::KeywordTokens, found, message);
    let Test::Text { pattern, case } = &found.test else {
        return Err(Refusal::new(Code::KeywordUnsupported, "a keyword is a text"));
    };
    let word = |text: &str| text.chars().all(char::is_alphanumeric);
    if pattern.texts().all(word) {
        let open = found.with(Test::Text { pattern: pattern.clone().open(true, true), case: *case });
        if matches!(pattern_of(&open.test).map(Pattern::shape), Some(Shape::Anything)) {
            return legaliser.say(&Expr::Const(true));
        }
        leading(&open, legaliser);
        // Letters and digits: no `$`.
        return Ok(legaliser.write(Emit::whole(lucene::keyword), &open));
    }
    // Analysis drops all but letters and digits, so that only phrases can hold such signs and blanks; a wildcard between
    // two phrases stands for anything, their order is lost.
    let phrase = |text: &str| {
        let exact = found.with(Test::Text { pattern: Pattern::exact(text.to_owned()), case: *case });
        leaf(Emit::whole(quoted), exact)
    };
    let phrases = pattern.texts().filter(|text| text.chars().any(char::is_alphanumeric)).map(phrase);
    let phrases: Vec<Said<'a>> = phrases.collect();
    if phrases.is_empty() {
        return Err(Refusal::new(Code::KeywordUnsupported, "Graylog's analysis drops every sign of the keyword"));
    }
    Ok(Expr::And(phrases))
}

fn quoted(writer: &mut Writer<'_>, found: &Match<'_>) {
    if let Some(pattern) = pattern_of(&found.test) {
        writer.put("\"");
        for text in pattern.texts() {
            writer.escaped(text, &['"', '\\', '$'], '\\');
        }
        writer.put("\"");
    }
}

#[cfg(test)]
mod tests {
    use super::without_parameters;

    #[test]
    fn no_name_stands_between_two_dollars() {
        let check = |text: &str, expected: &str| assert_eq!(without_parameters(text), expected);
        check("a$b$", r"a\$b\$");
        // A backslash that is escaped itself escapes nothing.
        check(r"\$a\\$b\\\$", r"\$a\\\$b\\\$");
        check(r"C:\\x", r"C:\\x");
    }
}
