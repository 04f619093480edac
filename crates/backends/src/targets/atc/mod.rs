//! Styles of old: the texts that the Atomic Threat Coverage library printed in 2019 and in 2020.
//!
//! Source: the library's pages of those years; what is here was deduced from them. Each language states only what
//! differs from today's. Field names and restrictions to a log source, which the pages of 2020 have for some targets,
//! are not here: a pipeline maps those.
//!
//! Invariant: where the old form does not mean what the rule means, a diagnostic says so.

mod lucene;
mod splunk;

use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_ir::{Condition, Expr, Part, Pattern, Quantifier, Query, Rule, Test, Tree, ValueLinking};

use crate::target::{Language, Style};

const OF_2019: Style = Style {
    language: Language::Single(&lucene::KIBANA_2019),
    read,
    check: |query, diagnostics| check(query, false, diagnostics),
    tail: |_| String::new(),
    output: |_, _, _| {},
};

const OF_2020: Style = Style {
    language: Language::Single(&lucene::QUERY_2020),
    check: |query, diagnostics| check(query, true, diagnostics),
    ..OF_2019
};

/// The styles of Elasticsearch's query string.
pub(super) const LUCENE: &[(&str, Style)] = &[("atc2019", OF_2019), ("atc2020", OF_2020)];

/// The styles of Graylog's search.
pub(super) const GRAYLOG: &[(&str, Style)] = &[
    ("atc2019", Style { language: Language::Single(&lucene::GRAYLOG_2019), ..OF_2019 }),
    ("atc2020", Style { language: Language::Single(&lucene::GRAYLOG_2020), ..OF_2020 }),
];

/// The styles of Watcher.
pub(super) const WATCHER: &[(&str, Style)] =
    &[("atc2019", Style { output: script, ..OF_2019 }), ("atc2020", Style { output: script_2020, ..OF_2020 })];

/// The style of Splunk.
pub(super) const SPLUNK: &[(&str, Style)] = &[(
    "atc2020",
    Style { language: Language::Single(&splunk::SPLUNK_2020), check: |_, _| {}, tail: splunk::table, ..OF_2020 },
)];

/// The rule as the library's converter read it.
fn read<'a>(mut rule: Rule<'a>, diagnostics: &mut Vec<Diagnostic>) -> Rule<'a> {
    let whole = rule.span;
    let own = |span: Span| span.source == whole.source && span.start >= whole.start && span.end <= whole.end;
    for detection in &mut rule.detections {
        own_first(&mut detection.tree, &own);
        trailing_backslashes(&mut detection.tree, diagnostics);
    }
    let own: Vec<bool> = rule.detections.iter().map(|detection| own(detection.span)).collect();
    let conditions = std::mem::take(&mut rule.conditions);
    rule.conditions = conditions
        .into_iter()
        .map(|(condition, span)| {
            let condition = own_names_first(condition, &own);
            (pairs(all_of_one(condition, &mut rule, diagnostics)), span)
        })
        .collect();
    rule
}

/// What `action: global` lends to a document stands behind what the document has itself.
fn own_first(tree: &mut Tree<'_>, own: &impl Fn(Span) -> bool) {
    if let Tree::All(nodes) = tree {
        nodes.sort_by_key(|node| matches!(node, Tree::Item(item) if !own(item.span)));
    }
    if let Tree::All(nodes) | Tree::Any(nodes) = tree {
        nodes.iter_mut().for_each(|node| own_first(node, own));
    }
}

/// The same for the detections that a pattern stands for.
fn own_names_first<'a>(condition: Condition<'a>, own: &[bool]) -> Condition<'a> {
    let each = |terms: Vec<Condition<'a>>| terms.into_iter().map(|term| own_names_first(term, own)).collect();
    match condition {
        Condition::And(terms) => Condition::And(each(terms)),
        Condition::Or(terms) => Condition::Or(each(terms)),
        Condition::Not(inner) => Condition::Not(Box::new(own_names_first(*inner, own))),
        Condition::Of { quantifier, pattern, mut matched, span } => {
            matched.sort_by_key(|index| own.get(*index) == Some(&false));
            Condition::Of { quantifier, pattern, matched, span }
        }
        named @ Condition::Detection { .. } => named,
    }
}

/// A wildcard that a modifier put behind a backslash made an escaped star of both: `\` and `*` for the value, one
/// literal `*` for the engine. That is what such a value is turned into here.
///
/// A value that is written with two backslashes at its end came out right; the two are one value after parsing, and
/// the form with one backslash, which rules have, is taken.
fn trailing_backslashes(tree: &mut Tree<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let item = match tree {
        Tree::All(nodes) | Tree::Any(nodes) => {
            return nodes.iter_mut().for_each(|node| trailing_backslashes(node, diagnostics));
        }
        Tree::Item(item) => item,
    };
    if !item.modifiers.iter().any(|name| matches!(name.as_ref(), "contains" | "startswith")) {
        return;
    }
    for value in &mut item.values {
        let variants = match &mut value.test {
            Test::OneOf(tests) => tests.as_mut_slice(),
            test => std::slice::from_mut(test),
        };
        let mut changed = false;
        for test in variants {
            if let Test::Text { pattern, .. } = test
                && let Some(swallowed) = swallowed(pattern)
            {
                *pattern = swallowed;
                changed = true;
            }
        }
        if changed {
            let message =
                "the style writes the `\\` at the end of this value and the added wildcard as `\\*`: a literal `*`";
            diagnostics.push(Diagnostic::at(Code::LegacyStyle, value.span, message));
        }
    }
}

/// The pattern with a literal star in place of a backslash and a run at its end, if it ends so.
fn swallowed<'a>(pattern: &Pattern<'a>) -> Option<Pattern<'a>> {
    let [before @ .., Part::Text(text), Part::AnyRun] = pattern.parts() else { return None };
    let kept = text.strip_suffix('\\')?;
    let last = Part::Text(format!("{kept}*").into());
    Some(Pattern::from_parts(before.iter().cloned().chain([last])))
}

/// `all of keywords`, the name of a detection and no pattern, asked for every element of its list.
fn all_of_one<'a>(condition: Condition<'a>, rule: &mut Rule<'a>, diagnostics: &mut Vec<Diagnostic>) -> Condition<'a> {
    let mut each = |terms: Vec<Condition<'a>>, rule: &mut Rule<'a>| -> Vec<Condition<'a>> {
        terms.into_iter().map(|term| all_of_one(term, rule, diagnostics)).collect()
    };
    match condition {
        Condition::And(terms) => Condition::And(each(terms, rule)),
        Condition::Or(terms) => Condition::Or(each(terms, rule)),
        Condition::Not(inner) => Condition::Not(Box::new(all_of_one(*inner, rule, diagnostics))),
        Condition::Of { quantifier: Quantifier::All, pattern, matched, span }
            if pattern != "them" && !pattern.contains('*') =>
        {
            let index = rule.detections.len();
            let Some(mut detection) = matched.first().and_then(|index| rule.detections.get(*index)).cloned() else {
                return Condition::Of { quantifier: Quantifier::All, pattern, matched, span };
            };
            detection.tree = match detection.tree {
                Tree::Any(nodes) if nodes.len() > 1 => Tree::All(nodes),
                Tree::Item(mut item) if item.field.is_none() && item.values.len() > 1 => {
                    item.linking = ValueLinking::All;
                    Tree::Item(item)
                }
                // A map asks for every item as it is.
                _ => return Condition::Of { quantifier: Quantifier::All, pattern, matched, span },
            };
            let message = format!("the style asks for every element of `{pattern}`, where one is enough");
            diagnostics.push(Diagnostic::at(Code::LegacyStyle, span, message));
            rule.detections.push(detection);
            Condition::Detection { index, span }
        }
        other => other,
    }
}

/// `and` and `or` with two terms each, the first ones innermost, as the library's parser took them.
fn pairs(condition: Condition<'_>) -> Condition<'_> {
    match condition {
        Condition::And(terms) => paired(terms, Condition::And),
        Condition::Or(terms) => paired(terms, Condition::Or),
        Condition::Not(inner) => Condition::Not(Box::new(pairs(*inner))),
        other => other,
    }
}

fn paired<'a>(terms: Vec<Condition<'a>>, junction: fn(Vec<Condition<'a>>) -> Condition<'a>) -> Condition<'a> {
    let mut terms = terms.into_iter().map(pairs);
    let first = terms.next().unwrap_or(Condition::Or(Vec::new()));
    terms.fold(first, |left, right| junction(vec![left, right]))
}

/// A negation without a group of its own in a disjunction: `a OR NOT b` is read as `a` without `b`.
///
/// `grouped`: the style puts negations in a group, all but those that a test has in itself.
fn check(query: &Query<'_>, grouped: bool, diagnostics: &mut Vec<Diagnostic>) {
    match query {
        Expr::And(terms) => terms.iter().for_each(|term| check(term, grouped, diagnostics)),
        Expr::Not(inner) => check(inner, grouped, diagnostics),
        Expr::Or(terms) => {
            for term in terms {
                let mut first = None;
                match term {
                    Expr::Match(found) if matches!(found.test, Test::Null | Test::Exists(false)) => {
                        first = Some(found.span);
                    }
                    Expr::Not(inner) if !grouped => inner.each_match(&mut |found| first = first.or(Some(found.span))),
                    _ => check(term, grouped, diagnostics),
                }
                if let Some(span) = first {
                    let message = "the style puts this negation in a disjunction without a group, where `a OR NOT b` is \
                                   read as `a` without `b`";
                    diagnostics.push(Diagnostic::at(Code::LegacyStyle, span, message));
                }
            }
        }
        Expr::Match(_) | Expr::Const(_) => {}
    }
}

/// Scripts have their heredoc unquoted: the shell takes `\\` for `\` and puts in variables.
fn script(rule: &Rule<'_>, queries: &[String], diagnostics: &mut Vec<Diagnostic>) {
    let texts = queries.iter().map(String::as_str).chain([rule.meta.title.as_ref()]);
    expanded(texts, rule, diagnostics);
}

/// In 2020 the description and tags stand in the script too, and a filter on a field of its own.
fn script_2020(rule: &Rule<'_>, queries: &[String], diagnostics: &mut Vec<Diagnostic>) {
    let meta = &rule.meta;
    let texts = queries.iter().map(String::as_str).chain([meta.title.as_ref()]);
    let texts = texts.chain(meta.description.as_deref()).chain(meta.tags.iter().map(AsRef::as_ref));
    expanded(texts, rule, diagnostics);
    let message = "the style restricts the watch to the last 30 minutes by the field `timestamp`, whatever its interval and \
                   the time field of the events";
    diagnostics.push(Diagnostic::at(Code::LegacyStyle, rule.span, message));
}

fn expanded<'t>(texts: impl Iterator<Item = &'t str>, rule: &Rule<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut texts = texts;
    if texts.any(|text| text.contains(['\\', '$'])) {
        let message = "the style does not quote the heredoc of its script: the shell takes `\\\\` for `\\` and puts \
                       variables in for `$name`, so that another query arrives";
        diagnostics.push(Diagnostic::at(Code::LegacyStyle, rule.span, message));
    }
}

/// Writes the name of a field as it is, if it is made of signs that no language of these styles gives a meaning to;
/// else as today's form does.
fn field(writer: &mut crate::write::Writer<'_>, name: &str, today: fn(&mut crate::write::Writer<'_>, &str)) {
    if is_plain(name) { writer.put(name) } else { today(writer, name) }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '@'))
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '@'))
}

/// Writes the texts and wildcards of a pattern: a backslash, and a wildcard sign that is literal, with a backslash
/// before it, and so every sign that `special` says is special, given it and the sign behind it.
fn escaped(writer: &mut crate::write::Writer<'_>, pattern: &Pattern<'_>, special: fn(char, Option<char>) -> bool) {
    for part in pattern.parts() {
        match part {
            Part::AnyRun => writer.put("*"),
            Part::AnyOne => writer.put("?"),
            Part::Placeholder(_) => {}
            Part::Text(text) => {
                let mut chars = text.chars().peekable();
                while let Some(c) = chars.next() {
                    if matches!(c, '\\' | '*' | '?') || special(c, chars.peek().copied()) {
                        writer.put("\\");
                    }
                    writer.out.push(c);
                }
            }
        }
    }
}

/// The pattern of a value: of a text, or of the text of a number or boolean.
fn pattern(test: &Test<'_>) -> Option<Pattern<'static>> {
    match test {
        Test::Text { pattern, .. } => Some(Pattern::from_parts(pattern.parts().iter().map(|part| match part {
            Part::Text(text) => Part::Text(text.to_string().into()),
            Part::Placeholder(name) => Part::Placeholder(name.to_string().into()),
            Part::AnyRun => Part::AnyRun,
            Part::AnyOne => Part::AnyOne,
        }))),
        Test::Number { value, .. } => Some(Pattern::exact(value.text.to_string())),
        Test::Bool(value) => Some(Pattern::exact(if *value { "true" } else { "false" })),
        _ => None,
    }
}

/// The values of a leaf: several if it is a list.
fn values<'t, 'a>(test: &'t Test<'a>) -> &'t [Test<'a>] {
    match test {
        Test::OneOf(tests) => tests,
        other => std::slice::from_ref(other),
    }
}

/// Whether a value has a wildcard.
fn wild(test: &Test<'_>) -> bool {
    matches!(test, Test::Text { pattern, .. } if pattern.parts().iter().any(|part| matches!(part, Part::AnyRun | Part::AnyOne)))
}

#[cfg(test)]
mod tests;
