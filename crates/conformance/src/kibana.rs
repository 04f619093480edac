//! Kibana's part: its query language read, and translated to Elasticsearch's as Kibana does it.
//!
//! Source: Elastic's guide "Kibana Query Language", and the behaviour of Kibana's published package `kbn-es-query`
//! (version 9): its grammar, and what it sends for each kind of expression. Where a query has a choice, the data view
//! decides: whether it knows a field as exactly a keyword.
//!
//! Apart from the backend on purpose: it reads what the backend writes by Kibana's rules, not by the backend's.

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while_m_n};
use nom::character::complete::{char, none_of, one_of};
use nom::combinator::{all_consuming, map, map_opt, not, value};
use nom::error::{Error, ErrorKind};
use nom::multi::{many0, many1, separated_list1};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};
use serde_json::{Value, json};

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Or(Vec<Node>),
    And(Vec<Node>),
    Not(Box<Node>),
    /// A value of a field, or of any field.
    Is(Option<Literal>, Literal),
    /// A field that compares so, by the name of the operator in a range query.
    Range(Literal, &'static str, Literal),
}

/// A name or a value. `None` in it stands for a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Literal {
    quoted: bool,
    pieces: Vec<Option<char>>,
}

impl Literal {
    /// The text, with wildcards as they are typed.
    fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.unwrap_or('*')).collect()
    }

    fn is_wildcard(&self) -> bool {
        self.pieces.contains(&None)
    }

    fn is_lone_wildcard(&self) -> bool {
        self.pieces == [None]
    }

    /// What bare words stand for: `null`, `true` and `false` are no texts.
    fn value(&self) -> Value {
        match self.text().as_str() {
            "null" if !self.quoted => Value::Null,
            "true" if !self.quoted => Value::Bool(true),
            "false" if !self.quoted => Value::Bool(false),
            text => Value::from(text),
        }
    }

    /// The pattern as a query string and a wildcard query read it. Blanks are not escaped.
    fn escaped(&self) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                None => out.push('*'),
                Some(c) => {
                    if "+-=&|><!(){}[]^\"~*?:\\/".contains(*c) {
                        out.push('\\');
                    }
                    out.push(*c);
                }
            }
        }
        out
    }
}

/// The query that Kibana sends. `is_keyword` is what the data view says of a field.
///
/// # Errors
/// The text is not in Kibana's language: what is left where reading stopped.
pub fn translate(text: &str, is_keyword: &dyn Fn(&str) -> bool) -> Result<Value, String> {
    let whole = delimited(many0(blank), or_query, many0(blank));
    let (_, node) = all_consuming(whole).parse(text).map_err(|fault| match fault {
        nom::Err::Error(fault) | nom::Err::Failure(fault) => format!("syntax error before `{}`", shown(fault.input)),
        nom::Err::Incomplete(_) => "the text ends too early".to_owned(),
    })?;
    dsl(&node, is_keyword)
}

fn shown(rest: &str) -> String {
    rest.chars().take(60).collect()
}

fn dsl(node: &Node, is_keyword: &dyn Fn(&str) -> bool) -> Result<Value, String> {
    let all = |nodes: &[Node]| nodes.iter().map(|node| dsl(node, is_keyword)).collect::<Result<Vec<_>, _>>();
    Ok(match node {
        Node::Or(nodes) => json!({"bool": {"should": all(nodes)?, "minimum_should_match": 1}}),
        Node::And(nodes) => json!({"bool": {"filter": all(nodes)?}}),
        Node::Not(inner) => json!({"bool": {"must_not": dsl(inner, is_keyword)?}}),
        Node::Range(field, operator, bound) => {
            let name = name(field)?;
            any_of(&json!({"range": {name: {*operator: bound.value()}}}))
        }
        Node::Is(None, wanted) => anywhere(wanted),
        // A field by the name `null`, bare, is none.
        Node::Is(Some(field), wanted) if field.value().is_null() => anywhere(wanted),
        Node::Is(Some(field), wanted) => {
            if field.is_lone_wildcard() && wanted.is_lone_wildcard() {
                return Ok(json!({"match_all": {}}));
            }
            let name = name(field)?;
            let keyword = is_keyword(&name);
            any_of(&if wanted.is_lone_wildcard() {
                json!({"exists": {"field": name}})
            } else if wanted.is_wildcard() && keyword {
                json!({"wildcard": {name: {"value": wanted.escaped()}}})
            } else if wanted.is_wildcard() {
                json!({"query_string": {"fields": [name], "query": wanted.escaped()}})
            } else if keyword {
                json!({"term": {name: {"value": wanted.value()}}})
            } else if wanted.quoted {
                json!({"match_phrase": {name: wanted.value()}})
            } else {
                json!({"match": {name: wanted.value()}})
            })
        }
    })
}

fn any_of(query: &Value) -> Value {
    json!({"bool": {"should": [query], "minimum_should_match": 1}})
}

/// A value without a field.
fn anywhere(wanted: &Literal) -> Value {
    if wanted.is_wildcard() {
        return json!({"query_string": {"query": wanted.escaped()}});
    }
    let kind = if wanted.quoted { "phrase" } else { "best_fields" };
    json!({"multi_match": {"type": kind, "query": wanted.value(), "lenient": true}})
}

/// A field's name. A pattern of names stands for the fields of the data view; no emitted query has one.
fn name(field: &Literal) -> Result<String, String> {
    if field.is_wildcard() { Err("a pattern of field names".to_owned()) } else { Ok(field.text()) }
}

fn blank(input: &str) -> IResult<&str, char> {
    one_of(" \t\r\n\u{a0}").parse(input)
}

/// `and` or `or` between blanks.
fn between<'a>(word: &'static str) -> impl Parser<&'a str, Output = (), Error = Error<&'a str>> {
    value((), delimited(many1(blank), tag_no_case(word), many1(blank)))
}

fn not_word(input: &str) -> IResult<&str, ()> {
    value((), terminated(tag_no_case("not"), many1(blank))).parse(input)
}

fn joined(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) }
}

fn or_query(input: &str) -> IResult<&str, Node> {
    map(separated_list1(between("or"), and_query), |nodes| joined(nodes, Node::Or)).parse(input)
}

fn and_query(input: &str) -> IResult<&str, Node> {
    map(separated_list1(between("and"), not_query), |nodes| joined(nodes, Node::And)).parse(input)
}

fn not_query(input: &str) -> IResult<&str, Node> {
    alt((map(preceded(not_word, sub_query), |node| Node::Not(Box::new(node))), sub_query)).parse(input)
}

fn sub_query(input: &str) -> IResult<&str, Node> {
    let group = delimited((char('('), many0(blank)), or_query, (many0(blank), char(')')));
    alt((group, range, field_value, map(literal, |wanted| Node::Is(None, wanted)))).parse(input)
}

fn range(input: &str) -> IResult<&str, Node> {
    let operator =
        alt((value("lte", tag("<=")), value("gte", tag(">=")), value("lt", tag("<")), value("gt", tag(">"))));
    let whole = (terminated(literal, many0(blank)), terminated(operator, many0(blank)), literal);
    map(whole, |(field, operator, bound)| Node::Range(field, operator, bound)).parse(input)
}

fn field_value(input: &str) -> IResult<&str, Node> {
    let (rest, field) = terminated(literal, (many0(blank), char(':'), many0(blank))).parse(input)?;
    list_of_values(&field, rest)
}

fn list_of_values<'a>(field: &Literal, input: &'a str) -> IResult<&'a str, Node> {
    let group = delimited((char('('), many0(blank)), |rest| or_list(field, rest), (many0(blank), char(')')));
    alt((group, map(literal, |wanted| Node::Is(Some(field.clone()), wanted)))).parse(input)
}

fn or_list<'a>(field: &Literal, input: &'a str) -> IResult<&'a str, Node> {
    map(separated_list1(between("or"), |rest| and_list(field, rest)), |nodes| joined(nodes, Node::Or)).parse(input)
}

fn and_list<'a>(field: &Literal, input: &'a str) -> IResult<&'a str, Node> {
    map(separated_list1(between("and"), |rest| not_list(field, rest)), |nodes| joined(nodes, Node::And)).parse(input)
}

fn not_list<'a>(field: &Literal, input: &'a str) -> IResult<&'a str, Node> {
    let negated = map(preceded(not_word, |rest| list_of_values(field, rest)), |node| Node::Not(Box::new(node)));
    alt((negated, |rest| list_of_values(field, rest))).parse(input)
}

fn literal(input: &str) -> IResult<&str, Literal> {
    let quoted = delimited(char('"'), many0(quoted_character), char('"'));
    let quoted = map(quoted, |chars| Literal { quoted: true, pieces: chars.into_iter().map(Some).collect() });
    alt((quoted, bare)).parse(input)
}

fn quoted_character(input: &str) -> IResult<&str, char> {
    alt((escaped_blank, escaped_unicode, preceded(char('\\'), one_of("\\\"")), none_of("\""))).parse(input)
}

/// A value without quotes, blanks at its ends dropped: also those that an escape made.
fn bare(input: &str) -> IResult<&str, Literal> {
    let (rest, mut pieces) = many1(bare_character).parse(input).map(|(rest, all)| (rest, all.concat()))?;
    let is_blank = |piece: &Option<char>| piece.is_some_and(|c| c.is_whitespace() || c == '\u{feff}');
    let start = pieces.iter().position(|piece| !is_blank(piece)).unwrap_or(pieces.len());
    pieces.drain(..start);
    let end = pieces.iter().rposition(|piece| !is_blank(piece)).map_or(0, |last| last + 1);
    pieces.truncate(end);
    Ok((rest, Literal { quoted: false, pieces }))
}

const SPECIAL: &str = "\\():<>\"*{}";

fn bare_character(input: &str) -> IResult<&str, Vec<Option<char>>> {
    let one = |c: char| vec![Some(c)];
    let keyword = alt((tag_no_case("or"), tag_no_case("and"), tag_no_case("not")));
    alt((
        map(escaped_blank, one),
        map(preceded(char('\\'), one_of(SPECIAL)), one),
        map(escaped_unicode, one),
        map(preceded(char('\\'), keyword), |word: &str| word.chars().map(Some).collect()),
        value(vec![None], char('*')),
        map(plain_character, one),
    ))
    .parse(input)
}

/// A character that is none of the language's signs and starts no operator.
fn plain_character(input: &str) -> IResult<&str, char> {
    let operator = alt((between("or"), between("and"), |rest| not_word(rest)));
    preceded(not(operator), none_of(SPECIAL)).parse(input)
}

fn escaped_blank(input: &str) -> IResult<&str, char> {
    alt((value('\t', tag("\\t")), value('\r', tag("\\r")), value('\n', tag("\\n")))).parse(input)
}

fn escaped_unicode(input: &str) -> IResult<&str, char> {
    let digits = take_while_m_n(4, 4, |c: char| c.is_ascii_hexdigit());
    let character = |text: &str| u32::from_str_radix(text, 16).ok().and_then(char::from_u32);
    let (rest, found) = preceded(tag("\\u"), map_opt(digits, character)).parse(input)?;
    // Half of a pair of UTF-16 is no character here; no emitted query has one.
    if found == '\0' { Err(nom::Err::Error(Error::new(input, ErrorKind::Char))) } else { Ok((rest, found)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `known`: the fields that the data view knows as keywords.
    fn check(text: &str, known: &[&str], expected: &Value) {
        let found = translate(text, &|name| known.contains(&name));
        assert_eq!(found.as_ref(), Ok(expected), "{text}");
    }

    fn one(query: &Value) -> Value {
        any_of(query)
    }

    #[test]
    fn what_kibana_sends() {
        check("f: \"a b\"", &[], &one(&json!({"match_phrase": {"f": "a b"}})));
        check("f: \"a b\"", &["f"], &one(&json!({"term": {"f": {"value": "a b"}}})));
        check("f: a*b", &["f"], &one(&json!({"wildcard": {"f": {"value": "a*b"}}})));
        check(r"f: *\\a b\*", &[], &one(&json!({"query_string": {"fields": ["f"], "query": r"*\\a b\*"}})));
        check("f: *", &[], &one(&json!({"exists": {"field": "f"}})));
        check("f >= 5", &[], &one(&json!({"range": {"f": {"gte": "5"}}})));
        check("*a*", &[], &json!({"query_string": {"query": "*a*"}}));
        check("\"a\"", &[], &json!({"multi_match": {"type": "phrase", "query": "a", "lenient": true}}));
        check("f: true", &[], &one(&json!({"match": {"f": true}})));
        check("f: \"true\"", &[], &one(&json!({"match_phrase": {"f": "true"}})));
    }

    #[test]
    fn operators() {
        let is = |name: &str, text: &str| one(&json!({"match": {name: text}}));
        let any = |all: &[Value]| json!({"bool": {"should": all, "minimum_should_match": 1}});
        let all = |all: &[Value]| json!({"bool": {"filter": all}});
        let none = |inner: &Value| json!({"bool": {"must_not": inner}});
        check("a: 1 or b: 2 and not c: 3", &[], &any(&[is("a", "1"), all(&[is("b", "2"), none(&is("c", "3"))])]));
        check("a: (1 or not 2)", &[], &any(&[is("a", "1"), none(&is("a", "2"))]));
        check(r"a: x \or y", &[], &is("a", "x or y"));
        check("a: x OR b: y", &[], &any(&[is("a", "x"), is("b", "y")]));
        check(r"a\:b: c", &[], &is("a:b", "c"));
        check(r"a: b\tc ", &[], &is("a", "b\tc"));
    }

    #[test]
    fn what_is_no_query() {
        for text in ["a: b)", "a: \"b", r"a: \x", "a: (b or )", "a b: c:d", ""] {
            assert!(translate(text, &|_| false).is_err(), "{text}");
        }
    }
}
