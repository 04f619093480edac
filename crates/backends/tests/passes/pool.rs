//! Tests of every kind with values around them, queries over these tests, and events led by them.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sigcast_diagnostics::{SourceId, Span};
use sigcast_eval::Matcher;
use sigcast_ir::{
    Affix, Case, Expr, Field, Match, Number, NumberValue, Order, Part, Pattern, Query, Regex, RegexFlags, Subject, Test,
};

const FIELDS: [&str; 3] = ["f", "g", "h"];

/// Values by which tests differ: hits, near misses, other cases, empty, null, several.
fn values() -> Vec<Value> {
    let texts = [
        "",
        "Ab",
        "ab",
        "AB",
        "a",
        "b",
        "xab",
        "abx",
        "xAbx",
        "aXb",
        "a*b",
        "a?b",
        "A%b",
        "a_b",
        "a\\b",
        "C:\\Ab\\",
        "C:\\ab",
        "c:\\x\\AB",
        "Éa",
        "éA",
        "ÉAx",
        "ea",
        "ẞ",
        "ß",
        "ss",
        "5",
        "05",
        "-1",
        "9007199254740993",
        "4",
        "6",
        "1.5",
        "true",
        "TRUE",
        "false",
        "null",
        "10.0.0.1",
        "10.255.255.255",
        "11.0.0.0",
        "110.0.0.1",
        "10.0.0",
        "172.16.0.1",
        "172.31.0.1",
        "172.32.0.1",
        "172.3.0.1",
        "fe80::1",
        "FE80::1",
        "febf::",
        "fec0::1",
        "fe80:0:0:0:0:0:0:1",
        "2001:db8::1",
        "::1",
        "acd",
        "abd",
        "abcd",
        "aab",
        "12",
        "123",
        "1",
        "x12y",
        "ab\ncd",
        "a\nb",
        "Ab ",
        " ab",
        "a.b",
        "a+b",
        "[ab]",
        "a|b",
        "a^b$",
        "\"ab\"",
        "a'b",
        "a`b",
        "a/b",
        "a&b",
        "a~b",
        "a<b>",
        "a@b",
        "a#b",
        "(ab)",
        "{ab}",
        "cmd.exe /c x",
        "AND",
        "a OR b",
    ];
    let mut all: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    all.extend([json!(5), json!(4), json!(6), json!(-1), json!(1.5), json!(9007199254740993_i64), json!(0)]);
    all.extend([json!(true), json!(false), json!(null)]);
    all.extend([
        json!(["Ab", "x"]),
        json!(["x", "xabx", "5"]),
        json!([4, 5]),
        json!(["10.0.0.1", "a"]),
        json!(["", "b"]),
    ]);
    all
}

fn text(parts: &[&'static str], case: Case) -> Test<'static> {
    let part = |part: &&'static str| match *part {
        "*" => Part::AnyRun,
        "?" => Part::AnyOne,
        text => Part::Text(text.trim_start_matches('=').into()),
    };
    Test::Text { pattern: Pattern::from_parts(parts.iter().map(part)), case }
}

fn regex(source: &'static str, ignore_case: bool) -> Test<'static> {
    let flags = RegexFlags { ignore_case, ..RegexFlags::default() };
    Test::Regex(Regex { source: source.into(), flags, opaque: None })
}

fn number(order: Order, text: &'static str) -> Test<'static> {
    let value = match text.parse() {
        Ok(value) => NumberValue::Integer(value),
        Err(_) => NumberValue::Float(text.parse().expect("a number")),
    };
    Test::Number { order, value: Number { text: text.into(), value } }
}

/// Every test of the pool. `=*` is a literal star.
fn tests() -> Vec<Test<'static>> {
    let mut all = Vec::new();
    for case in [Case::Insensitive, Case::Sensitive] {
        for parts in [
            &[][..],
            &["Ab"],
            &["Ab", "*"],
            &["*", "Ab"],
            &["*", "aB", "*"],
            &["*"],
            &["?", "*"],
            &["?"],
            &["a", "*", "b"],
            &["a", "?", "B"],
            &["*", "a", "*", "b", "*"],
            &["a=*b"],
            &["=*", "*"],
            &["*", "=?", "*"],
            &["*", "%"],
            &["*", "_", "*"],
            &["C:\\Ab\\", "*"],
            &["*", "\\ab"],
            &["Éa"],
            &["éa", "*"],
            &["*", "é", "?"],
            &["ß"],
            &["5"],
            &["true"],
            &["*", "\"", "*"],
            &["a'b"],
            &["*", "`", "*"],
            &["a/b"],
            &["*", "<", "*"],
            &["*", "@", "*"],
            &["[ab]"],
            &["a^b$"],
            &["AND"],
            &["* OR *"],
            &["*", " ", "*"],
            &["(ab)"],
            &["a+b", "*"],
            &["*", ".", "*"],
            &["*", "\n", "*"],
            &["a|b"],
        ] {
            all.push(text(parts, case));
        }
    }
    for source in [
        "ab",
        "^ab",
        "ab$",
        "^ab$",
        "^a[bc]d?$",
        "a.b",
        "a.*b",
        "^.*ab.*$",
        "(ab|cd)x?",
        "^\\d{2}$",
        "\\d+",
        "[Aa][Bb]",
        "a\\\\b",
        "\\bab\\b",
        "^(?:ab|a\\*b)$",
        "[^a]b",
        "^$",
        "^.{2}$",
        "x{0,1}ab",
        "\\x41b",
        "[a-c]{2,3}",
        "a\\nb",
        "[@#&<>~\"]",
        "a\\.b|b\\$",
        "^[^ab]+$",
        "\\(ab\\)",
        "ab\\s",
        "(?i)éa",
    ] {
        all.extend([regex(source, false), regex(source, true)]);
    }
    for network in [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "10.0.0.1/32",
        "0.0.0.0/0",
        "10.255.255.0/25",
        "fe80::/10",
        "::1/128",
        "2001:db8::/32",
        "::/0",
    ] {
        all.push(Test::Network(network.parse().expect("a network")));
    }
    for order in [Order::Equal, Order::Less, Order::LessOrEqual, Order::Greater, Order::GreaterOrEqual] {
        all.extend([number(order, "5"), number(order, "-1"), number(order, "9007199254740993"), number(order, "1.5")]);
    }
    all.extend([Test::Bool(true), Test::Bool(false), Test::Null, Test::Exists(true), Test::Exists(false)]);
    for affix in [Affix::Equals, Affix::StartsWith, Affix::EndsWith, Affix::Contains] {
        for case in [Case::Insensitive, Case::Sensitive] {
            all.push(Test::SameAs { other: Field::new("h"), affix, case });
        }
    }
    all
}

fn on(subject: Subject<'static>, test: Test<'static>) -> Match<'static> {
    Match { subject, test, span: Span::new(SourceId(0), 0, 0) }
}

/// Every test of the pool on a field, and as a keyword where that has a meaning.
pub fn leaves() -> Vec<Match<'static>> {
    let keyword = |test: &Test<'_>| matches!(test, Test::Text { .. } | Test::Regex(_));
    let keywords: Vec<_> = tests().into_iter().filter(keyword).map(|test| on(Subject::Event, test)).collect();
    tests().into_iter().map(|test| on(Subject::Field(Field::new("f")), test)).chain(keywords).collect()
}

/// Queries over the pool. Keywords are rare: few languages say them.
pub fn query() -> impl Strategy<Value = Query<'static>> {
    let count = tests().len();
    let leaf = (0..FIELDS.len() * 12, 0..count).prop_map(|(field, test)| {
        let mut test = tests().swap_remove(test);
        let keyword = field == 0 && matches!(test, Test::Text { .. });
        let name = FIELDS[field % FIELDS.len()];
        if let Test::SameAs { other, .. } = &mut test
            && name == other.as_str()
        {
            *other = Field::new("f");
        }
        Expr::Match(on(if keyword { Subject::Event } else { Subject::Field(Field::new(name)) }, test))
    });
    leaf.prop_recursive(4, 10, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(Expr::negate),
        ]
    })
}

/// A small generator of reproducible numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

/// Events for a query: each field is absent, or has a value that passes one of its tests, or any value of the pool.
pub fn events(query: &Query<'_>, seed: u64, most: usize) -> Vec<Value> {
    let mut leaves = Vec::new();
    query.each_match(&mut |found| leaves.push(found.clone()));
    let hits: Vec<(&str, Vec<Value>)> = leaves
        .iter()
        .map(|leaf| {
            let field = leaf.field().map_or("f", |field| field.as_str());
            let matcher = Matcher::new(&Expr::Match(leaf.clone())).expect("a matcher");
            let passes = |value: &Value| matcher.matches(&json!({ field: value })).unwrap_or(false);
            (field, values().into_iter().filter(passes).collect())
        })
        .collect();
    let all = values();
    let mut random = Random(seed);
    let mut events = vec![json!({})];
    // Each value once in the field of the first leaf, as far as they go.
    if let (Some((field, _)), 1) = (hits.first(), leaves.len()) {
        events.extend(all.iter().map(|value| json!({ *field: value, "h": "Ab" })));
    }
    while events.len() < most {
        let mut event = Map::new();
        for field in FIELDS {
            if random.below(6) > 0 {
                event.insert(field.to_owned(), all[random.below(all.len())].clone());
            }
        }
        for (field, hits) in &hits {
            if !hits.is_empty() && random.below(2) == 0 {
                event.insert((*field).to_owned(), hits[random.below(hits.len())].clone());
            }
        }
        events.push(Value::Object(event));
    }
    events
}
