use ipnet::IpNet;
use sigcast_diagnostics::{SourceId, Span};
use sigcast_ir::Subject;
use sigcast_ir::{Field, Number, Part, Regex, RegexFlags};

use super::*;

/// Compares what a query is written as under these options, which must be JSON and read back as a whole.
fn check(query: &Query<'_>, options: &[(&str, &str)], expected: &str) {
    let settings = Settings::of(options).expect("options");
    let said = Legaliser::new(&DSL, &settings).query(query).expect("legal");
    let said = crate::lists::join(said.simplify(), &DSL, &settings);
    let mut writer = Writer::new(&DSL, &settings);
    writer.query(&said);
    let body: serde_json::Value = serde_json::from_str(&writer.out).expect(&writer.out);
    assert!(body["query"].is_object(), "{}", writer.out);
    readback::read(&DSL, &writer.out).expect("reads back");
    let bare = writer.out.strip_prefix(CALLS.whole.0).and_then(|text| text.strip_suffix(CALLS.whole.1));
    assert_eq!(bare, Some(expected));
}

fn on(field: Option<&'static str>, test: Test<'static>) -> Query<'static> {
    let subject = field.map_or(Subject::Event, |name| Subject::Field(Field::new(name)));
    Expr::Match(Match { subject, test, span: Span::new(SourceId(0), 0, 0) })
}

/// A text test; `*` and `?` are wildcards.
fn glob(text: &'static str, case: Case) -> Test<'static> {
    let parts = text.split_inclusive(['*', '?']).flat_map(|piece| {
        let literal = piece.trim_end_matches(['*', '?']);
        let sign = match &piece[literal.len()..] {
            "*" => Some(Part::AnyRun),
            "?" => Some(Part::AnyOne),
            _ => None,
        };
        [Some(Part::Text(literal.into())), sign].into_iter().flatten()
    });
    Test::Text { pattern: Pattern::from_parts(parts), case }
}

fn texts(text: &'static str) -> Query<'static> {
    on(Some("f"), glob(text, Case::Insensitive))
}

fn integer(order: Order, text: &'static str, value: NumberValue) -> Query<'static> {
    on(Some("f"), Test::Number { order, value: Number { text: text.into(), value } })
}

fn regex(source: &'static str) -> Test<'static> {
    Test::Regex(Regex { source: source.into(), flags: RegexFlags::default(), opaque: None })
}

#[test]
fn each_shape_has_its_query() {
    let flag = "\"case_insensitive\":true";
    check(&texts("a.exe"), &[], &format!(r#"{{"term":{{"f":{{"value":"a.exe",{flag}}}}}}}"#));
    check(&texts("a*"), &[], &format!(r#"{{"prefix":{{"f":{{"value":"a",{flag}}}}}}}"#));
    check(&texts("*\\a\"b"), &[], &format!(r#"{{"wildcard":{{"f":{{"value":"*\\\\a\"b",{flag}}}}}}}"#));
    check(&texts("?b*"), &[], &format!(r#"{{"wildcard":{{"f":{{"value":"?b*",{flag}}}}}}}"#));
    check(&texts("*"), &[], r#"{"exists":{"field":"f"}}"#);
    check(&texts(""), &[], r#"{"term":{"f":""}}"#);
}

#[test]
fn the_flag_stands_only_where_case_counts_and_is_known_to_it() {
    check(&texts("4688"), &[], r#"{"term":{"f":"4688"}}"#);
    check(&texts("10.*"), &[], r#"{"prefix":{"f":"10."}}"#);
    check(&texts("*é1"), &[], r#"{"regexp":{"f":".*[éÉ]1"}}"#);
    check(&on(Some("f"), glob("A*b", Case::Sensitive)), &[], r#"{"wildcard":{"f":"A*b"}}"#);
    check(&on(Some("f"), glob("é*", Case::Sensitive)), &[], r#"{"prefix":{"f":"é"}}"#);
}

#[test]
fn values_that_need_no_flag_stand_in_lists() {
    let number = |text, value| integer(Order::Equal, text, NumberValue::Integer(value));
    check(&number("1", 1), &[], r#"{"term":{"f":1}}"#);
    let terms = vec![number("1", 1), number("-2", -2), texts("3"), texts("*")];
    let expected = r#"{"terms":{"f":[1,-2,"3"]}},{"exists":{"field":"f"}}"#;
    check(&Expr::Or(terms), &[], &format!(r#"{{"bool":{{"should":[{expected}],"minimum_should_match":1}}}}"#));
    let half = |order| integer(order, "1.50", NumberValue::Float(1.5));
    check(&half(Order::Equal), &[], r#"{"term":{"f":"1.50"}}"#);
    check(&half(Order::Less), &[], r#"{"range":{"f":{"lt":"1.50"}}}"#);
}

#[test]
fn operators_are_calls() {
    let query = Expr::And(vec![texts("1"), Expr::negate(Expr::Or(vec![texts("2*"), on(Some("g"), Test::Null)]))]);
    let no_g = r#"{"bool":{"must_not":[{"exists":{"field":"g"}}]}}"#;
    let inner = format!(r#"{{"bool":{{"should":[{{"prefix":{{"f":"2"}}}},{no_g}],"minimum_should_match":1}}}}"#);
    let expected = format!(r#"{{"bool":{{"filter":[{{"term":{{"f":"1"}}}},{{"bool":{{"must_not":[{inner}]}}}}]}}}}"#);
    check(&query, &[], &expected);
}

#[test]
fn networks_are_said_both_ways_and_leniently() {
    let network = |text: &str| on(Some("a b"), Test::Network(text.parse::<IpNet>().expect("a network")));
    let native = r#"{"term":{"a b":"10.0.0.0/8"}}"#;
    let lenient = r#"{"query_string":{"query":"a\\ b:10.*","lenient":true}}"#;
    let both = format!(r#"{{"bool":{{"should":[{native},{lenient}],"minimum_should_match":1}}}}"#);
    check(&network("10.0.0.0/8"), &[], &both);
    check(&network("10.0.0.0/8"), &[("cidr", "native")], native);
    check(&network("10.0.0.0/8"), &[("cidr", "expand")], r#"{"prefix":{"a b":"10."}}"#);
}

#[test]
fn keywords_ignore_case_by_expressions() {
    let anywhere =
        |query: &str| format!(r#"{{"query_string":{{"query":"{query}","default_field":"*","lenient":true}}}}"#);
    check(&on(None, glob("a\"", Case::Insensitive)), &[], &anywhere(r#"/.*[aA]\\\".*/"#));
    check(&on(None, glob("1 2", Case::Insensitive)), &[], &anywhere(r"*1\\ 2*"));
    check(&on(None, glob("A", Case::Sensitive)), &[], &anywhere("*A*"));
    check(&on(None, regex("^a/b$")), &[], &anywhere(r"/a\\/b/"));
}

#[test]
fn dynamic_mapping_has_a_subfield() {
    let dynamic = [("fields", "dynamic")];
    check(&texts("a"), &dynamic, r#"{"term":{"f.keyword":{"value":"a","case_insensitive":true}}}"#);
    check(&texts("True"), &dynamic, r#"{"term":{"f":"true"}}"#);
    check(&on(Some("f"), regex("^a\"$")), &dynamic, r#"{"regexp":{"f.keyword":"a\\\""}}"#);
}

#[test]
fn names_stay_in_their_quotes() {
    let name = "a\"b\\";
    check(&on(Some(name), glob("1", Case::Insensitive)), &[], r#"{"term":{"a\"b\\":"1"}}"#);
    check(&on(Some(name), Test::Exists(true)), &[], r#"{"exists":{"field":"a\"b\\"}}"#);
}

#[test]
fn the_reader_tells_calls_from_leaves() {
    let atom = |text: &str| readback::Read::Atom(text.to_owned());
    let read = |text: &str| readback::read(&DSL, text);
    let (one, two) = (r#"{"term":{"f":"]}}"}}"#, r#"{"exists":{"field":"g"}}"#);
    let or =
        |end: &str| format!(r#"{{"query":{{"bool":{{"should":[{one},{{"bool":{{"must_not":[{two}]}}}}]{end}}}}}}}"#);
    let expected = readback::Read::Or(vec![atom(one), readback::Read::Not(Box::new(atom(two)))]);
    assert_eq!(read(&or(r#","minimum_should_match":1"#)), Ok(expected));
    assert!(read(&or("")).is_err(), "one term at least must match");
    assert!(read(&format!("{one}{two}")).is_err(), "two terms without a call");
}

#[test]
fn names_that_the_language_reads_otherwise_are_refused() {
    for name in ["", "a*"] {
        let settings = Settings::default();
        let mut legaliser = Legaliser::new(&DSL, &settings);
        assert!(legaliser.query(&on(Some(name), Test::Null)).is_none(), "{name}");
        let codes: Vec<Code> = legaliser.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, [Code::FieldNameUnsupported], "{name}");
    }
}
