//! Each construct of a rule, and the text that says it.

mod leaves;
mod literals;
mod whole;

use sigcast_diagnostics::{Code, SourceId, Span};
use sigcast_ir::{
    Affix, Case, Condition, Detection, DetectionItem, Expr, Field, LogSource, Match, Meta, Number, NumberValue, Order,
    Part, Pattern, Prepared, Query, Regex, RegexFlags, Rule, Subject, Test, TimePart, Tree, Value, ValueLinking,
};

use super::{KUSTO, TARGET};
use crate::convert::{Backend, Conversion, Status};
use crate::options::Settings;
use crate::readback;

const SPAN: Span = Span { source: SourceId(0), start: 0, end: 0 };

type Tested = Query<'static>;

fn on(field: &str, test: Test<'static>) -> Tested {
    Expr::Match(Match { subject: Subject::Field(Field::new(field.to_owned())), test, span: SPAN })
}

/// `*` and `?` are wildcards; there is no way to write them as text.
fn pattern(text: &str) -> Pattern<'static> {
    let mut found = Pattern::new();
    for c in text.chars() {
        found.push(match c {
            '*' => Part::AnyRun,
            '?' => Part::AnyOne,
            c => Part::Text(c.to_string().into()),
        });
    }
    found
}

fn text(field: &str, value: &str) -> Tested {
    on(field, Test::Text { pattern: pattern(value), case: Case::Insensitive })
}

fn cased(field: &str, value: &str) -> Tested {
    on(field, Test::Text { pattern: pattern(value), case: Case::Sensitive })
}

fn literally(field: &str, value: &str) -> Tested {
    on(field, Test::Text { pattern: Pattern::exact(value.to_owned()), case: Case::Insensitive })
}

fn keyword(value: &str) -> Tested {
    let test = Test::Text { pattern: pattern(value), case: Case::Insensitive };
    Expr::Match(Match { subject: Subject::Event, test, span: SPAN })
}

fn value(text: &str) -> Number<'static> {
    let value = text.parse().map_or_else(|_| NumberValue::Float(text.parse().expect("a number")), NumberValue::Integer);
    Number { text: text.to_owned().into(), value }
}

fn ordered(field: &str, order: Order, number: &str) -> Tested {
    on(field, Test::Number { order, value: value(number) })
}

fn number(field: &str, text: &str) -> Tested {
    ordered(field, Order::Equal, text)
}

fn network(field: &str, text: &str) -> Tested {
    on(field, Test::Network(text.parse().expect("a network")))
}

fn regex(field: &str, source: &str) -> Tested {
    let source = source.to_owned().into();
    on(field, Test::Regex(Regex { source, flags: RegexFlags::default(), opaque: None }))
}

fn same(field: &str, other: &str, affix: Affix, case: Case) -> Tested {
    on(field, Test::SameAs { other: Field::new(other.to_owned()), affix, case })
}

fn part(field: &str, part: TimePart, order: Order, number: &str) -> Tested {
    on(field, Test::TimePart { part, order, value: value(number) })
}

fn and(terms: &[Tested]) -> Tested {
    Expr::And(terms.to_vec())
}

fn or(terms: &[Tested]) -> Tested {
    Expr::Or(terms.to_vec())
}

fn not(term: Tested) -> Tested {
    Expr::negate(term)
}

/// A rule whose only condition is the query: one detection a leaf.
fn rule(query: &Tested) -> Rule<'static> {
    let mut detections = Vec::new();
    let condition = condition(query, &mut detections);
    Rule {
        meta: Meta::default(),
        logsource: LogSource::default(),
        detections,
        conditions: vec![(condition, SPAN)],
        timeframe: None,
        span: SPAN,
        prepared: Prepared::default(),
    }
}

fn condition(query: &Tested, detections: &mut Vec<Detection<'static>>) -> Condition<'static> {
    match query {
        Expr::And(terms) => Condition::And(terms.iter().map(|term| condition(term, detections)).collect()),
        Expr::Or(terms) => Condition::Or(terms.iter().map(|term| condition(term, detections)).collect()),
        Expr::Not(inner) => Condition::Not(Box::new(condition(inner, detections))),
        Expr::Const(_) => panic!("no rule holds a constant"),
        Expr::Match(found) => {
            let item = DetectionItem {
                field: found.field().cloned(),
                modifiers: Vec::new(),
                values: vec![Value { test: found.test.clone(), span: SPAN }],
                list: false,
                linking: ValueLinking::Any,
                negated: false,
                span: SPAN,
                applied: Vec::new(),
            };
            let index = detections.len();
            detections.push(Detection { name: index.to_string().into(), span: SPAN, tree: Tree::Item(item) });
            Condition::Detection { index, span: SPAN }
        }
    }
}

fn convert(query: &Tested, options: &[(&str, &str)]) -> Conversion {
    let settings = Settings::of(options).expect("options");
    Backend::new(&TARGET, settings).convert(&rule(query))
}

/// The query is exact, and its clause is this. It reads back as it was meant.
fn check(query: &Tested, expected: &str) {
    let found = convert(query, &[]);
    assert_eq!(found.queries, [format!("where {expected}")], "{:?}", found.diagnostics);
    assert_eq!(found.status, Status::Exact, "{expected}: {:?}", found.diagnostics);
    reads_back(expected);
}

/// Likewise, but absent and empty fields are one.
fn check_blank(query: &Tested, expected: &str) {
    let found = convert(query, &[]);
    assert_eq!(found.queries, [format!("where {expected}")], "{:?}", found.diagnostics);
    assert_eq!(found.status, Status::Approximate, "{expected}");
    assert!(found.diagnostics.iter().all(|found| found.code == Code::EmptyIsAbsent), "{:?}", found.diagnostics);
    reads_back(expected);
}

/// The whole clause is made of leaves, operators and groups.
fn reads_back(clause: &str) {
    if let Err(fault) = readback::read(&KUSTO, clause) {
        panic!("{clause}: {fault}");
    }
}

fn check_refused(query: &Tested, expected: Code) {
    let found = convert(query, &[]);
    assert_eq!((found.status, found.queries.len()), (Status::Refused, 0));
    assert_eq!(found.diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [expected]);
}
