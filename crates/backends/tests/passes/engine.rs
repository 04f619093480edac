//! What a language is given to say, read back as a query that the evaluator can run.
//!
//! Every regular expression in it is in the engine's own syntax. The readers here are written from the manuals of the
//! engines, not from what the translators write.

use sigcast_backends::dialect::{Dialect, Form};
use sigcast_backends::say::{Leaf, Said};
use sigcast_ir::{Expr, Match, Query, Regex, RegexFlags, Test};

/// The query that a legal query is, with its regular expressions in PCRE's syntax.
pub fn query<'a>(said: &Said<'a>, dialect: &Dialect) -> Result<Query<'a>, String> {
    let all = |terms: &[Said<'a>]| terms.iter().map(|term| query(term, dialect)).collect::<Result<Vec<_>, _>>();
    Ok(match said {
        Expr::And(terms) => Expr::And(all(terms)?),
        Expr::Or(terms) => Expr::Or(all(terms)?),
        Expr::Not(inner) => Expr::negate(query(inner, dialect)?),
        Expr::Const(value) => Expr::Const(*value),
        Expr::Match(leaf) => {
            let [found] = leaf.matches.as_slice() else { return Err("lists are joined later".to_owned()) };
            Expr::Match(test(found, leaf, dialect)?)
        }
    })
}

fn test<'a>(found: &Match<'a>, leaf: &Leaf<'a>, dialect: &Dialect) -> Result<Match<'a>, String> {
    let Test::Regex(regex) = &found.test else { return Ok(found.clone()) };
    let ignore_case = matches!(leaf.emit.form, Form::Infix { operator: " regex~ ", .. });
    let flags = |dot_all| RegexFlags { ignore_case, multiline: false, dot_all };
    let (source, flags) = match dialect.name {
        "Elasticsearch query_string"
        | "OpenSearch query_string"
        | "Elasticsearch Query DSL"
        | "Graylog search"
        | "EQL"
        | "ES|QL" => (lucene(&regex.source)?, flags(true)),
        "Splunk where" => (regex.source.to_string(), flags(false)),
        _ => (re2(&regex.source), flags(false)),
    };
    Ok(found.with(Test::Regex(Regex { source: source.into(), flags, opaque: None })))
}

/// Lucene's expression: of the whole value, `.` takes everything, and `# @ & < > ~ "` are operators unless escaped.
fn lucene(source: &str) -> Result<String, String> {
    let mut out = String::from("\\A(?:");
    let mut in_class = false;
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => literal(&mut out, chars.next().ok_or("a lone backslash at the end")?),
            '[' if in_class => literal(&mut out, c),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.as_str().starts_with('^') {
                    chars.next();
                    out.push('^');
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '-' if in_class => out.push('-'),
            _ if in_class => literal(&mut out, c),
            '.' | '?' | '+' | '*' | '|' | '(' | ')' | '{' | '}' => out.push(c),
            '#' | '@' | '&' | '<' | '>' | '~' | '"' => return Err(format!("the operator {c} in {source}")),
            _ if out.ends_with('{') || in_count(&out) => out.push(c),
            _ => literal(&mut out, c),
        }
    }
    out.push_str(")\\z");
    Ok(out)
}

/// Whether a count of repetition is open.
fn in_count(out: &str) -> bool {
    out.rfind('{').is_some_and(|open| {
        !out[..open].ends_with("\\x") && out[open + 1..].chars().all(|c| c.is_ascii_digit() || c == ',')
    })
}

/// A character that means itself: Lucene's classes such as `\d` are newer than the oldest version in use.
fn literal(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        out.push_str(&format!("\\x{{{:x}}}", u32::from(c)));
    }
}

/// An expression of RE2, of Rust's engine or of PostgreSQL, where `$` is the end of the text and nothing before it.
fn re2(source: &str) -> String {
    let mut out = String::new();
    let mut in_class = false;
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push('\\');
                out.extend(chars.next());
            }
            '$' if !in_class => out.push_str("\\z"),
            _ => {
                in_class = c == '[' || (in_class && c != ']');
                out.push(c);
            }
        }
    }
    out
}
