//! Conditions as s-expressions.

use std::borrow::Cow;

use sigcast_diagnostics::{SourceId, Span};
use sigcast_ir::Condition;

use super::{Names, Text, matches, parse};
use crate::yaml::{Reading, Scalar};

fn expression(condition: &Condition<'_>, names: &[Cow<'_, str>]) -> String {
    let all = |terms: &[Condition<'_>]| terms.iter().map(|term| expression(term, names)).collect::<Vec<_>>().join(" ");
    match condition {
        Condition::And(terms) => format!("(and {})", all(terms)),
        Condition::Or(terms) => format!("(or {})", all(terms)),
        Condition::Not(inner) => format!("(not {})", expression(inner, names)),
        Condition::Detection { index, .. } => names[*index].to_string(),
        Condition::Of { quantifier, matched, .. } => {
            let matched: Vec<_> = matched.iter().map(|index| names[*index].as_ref()).collect();
            format!("({quantifier:?} {})", matched.join(" "))
        }
    }
}

const NAMES: [&str; 10] =
    ["a", "b", "notepad", "selection-1", "1_sel", "and_more", "them_all", "_hidden", "all", "selection.x"];

/// Checks a condition over [`NAMES`]; of a wrong one, the message and what it points at.
fn check(condition: &'static str, expected: &str) {
    let names: Vec<Cow<'static, str>> = NAMES.iter().map(|name| Cow::Borrowed(*name)).collect();
    let scalar = Scalar { text: Cow::Borrowed(condition), reading: Reading::Plain, content: Some(0) };
    let text = Text::new(&scalar, Span::new(SourceId(0), 0, condition.len()), condition);
    let mut diagnostics = Vec::new();
    let shown = match parse(&text, &mut Names::new(names.clone(), "rule"), &mut diagnostics) {
        Some(parsed) => {
            let aggregation =
                parsed.aggregation.map_or("", |found| &condition[found.span.start as usize..found.span.end as usize]);
            format!("{}{aggregation}", expression(&parsed.condition, &names))
        }
        None => {
            let at = |span: Span| &condition[span.start as usize..span.end as usize];
            let faults: Vec<_> = diagnostics
                .iter()
                .map(|fault| format!("{} at `{}`", fault.code.as_str(), fault.span().map_or("", at)))
                .collect();
            faults.join("; ")
        }
    };
    assert_eq!(shown, expected, "{condition}");
}

#[test]
fn operators_bind_as_they_should() {
    check("a", "a");
    check("a and b", "(and a b)");
    check("a or b and not notepad", "(or a (and b (not notepad)))");
    check("(a or b) and notepad", "(and (or a b) notepad)");
    check("not (a and b)", "(not (and a b))");
    check("not not a", "(not (not a))");
    check("a AND NOT b OR notepad", "(or (and a (not b)) notepad)");
    check("((a))and(b)", "(and a b)");
    check("not(a)", "(not a)");
    check("  a\n  and b\t", "(and a b)");
}

#[test]
fn words_that_start_like_keywords_are_names() {
    check("notepad and selection-1 and 1_sel", "(and notepad selection-1 1_sel)");
    check("and_more or them_all", "(or and_more them_all)");
    check("all and a", "(and all a)");
    check("selection.x", "selection.x");
}

#[test]
fn quantities() {
    check("1 of them", "(Any a b notepad selection-1 1_sel and_more them_all all selection.x)");
    check("any OF sel*", "(Any selection-1 selection.x)");
    check("All of *e*1", "(All selection-1)");
    check("1 of _*", "(Any _hidden)");
    check("all of _hidden", "(All _hidden)");
    check("1 of a or b", "(or (Any a) b)");
    check("not 1 of sel* and a", "(and (not (Any selection-1 selection.x)) a)");
    check("1 of sel*)", "bad-condition at `)`");
    check("2 of them", "bad-condition at `2`");
    check("some of them", "bad-condition at `some`");
    check("1 of", "bad-condition at `of`");
    check("1 of and", "bad-condition at `and`");
    check("1 of x*", "no-detection-matches at `x*`");
    check("all of x", "unknown-detection at `x`");
}

#[test]
fn faults_point_at_their_place() {
    check("", "bad-condition at ``");
    check("a b", "bad-condition at `b`");
    check("a and", "bad-condition at ``");
    check("and a", "bad-condition at `and`");
    check("a or or b", "bad-condition at `or`");
    check("(a", "bad-condition at `(`");
    check("a)", "bad-condition at `)`");
    check("()", "bad-condition at `)`");
    check("a || b", "bad-condition at `|`");
    check("a && b", "bad-condition at `&`");
    check("!a", "bad-condition at `!`");
    check("x and y and a", "unknown-detection at `x`; unknown-detection at `y`");
    check("sel*", "unknown-detection at `sel*`");
}

#[test]
fn aggregations_are_set_apart() {
    check("a | count() by x > 5", "a| count() by x > 5");
    check("(a and b)|near b", "(and a b)| near b".replace("| n", "|n").as_str());
    check("a |", "bad-condition at `|`");
}

#[test]
fn patterns() {
    for (pattern, name, expected) in [
        ("a", "a", true),
        ("a*", "ab", true),
        ("a*", "ba", false),
        ("*a", "ba", true),
        ("*", "", true),
        ("a*a", "a", false),
        ("a*b*c", "axbyc", true),
        ("a*b*c", "axcyb", false),
        ("*b*b*", "b", false),
        ("a**c", "abc", true),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn places_in_a_block_are_those_of_its_words() {
    let source = "condition: >-\n    (a and\n      bb)  or\n    é\n";
    let span = Span::new(SourceId(0), 11, source.len() - 1);
    let scalar = Scalar { text: Cow::Borrowed("(a and bb) or é"), reading: Reading::Text, content: None };
    let text = Text::new(&scalar, span, source);
    for piece in ["(a", "a", "and", "bb", "or"] {
        let start = scalar.text.find(piece).expect("is there");
        let place = text.place(piece, start);
        assert_eq!(&source[place.start as usize..place.end as usize], piece);
    }
    let place = text.place("é", scalar.text.find('é').expect("is there"));
    assert_eq!(&source[place.start as usize..place.end as usize], "é");
    let place = text.place("and bb", 3);
    assert_eq!(&source[place.start as usize..place.end as usize], "and\n      bb");
}
