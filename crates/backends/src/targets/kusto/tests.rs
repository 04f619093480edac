//! Each construct of a rule, and the text that says it.

use std::collections::BTreeSet;
use std::sync::Arc;

use sigcast_diagnostics::{Code, SourceId, Span};
use sigcast_ir::schema::{FieldKind, FieldType, Schema};
use sigcast_ir::{
    Affix, Case, Condition, Detection, DetectionItem, Expr, Field, LogSource, Match, Meta, Number, NumberValue, Order,
    Part, Pattern, Prepared, Query, Regex, RegexFlags, Rule, Subject, Test, TimePart, Tree, Value, ValueLinking,
};

use super::{TARGET, literal};
use crate::convert::{Backend, Conversion, Status};
use crate::options::{Settings, option};
use crate::readback;
use crate::write::Writer;

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
    let mut settings = Settings::default();
    for (key, value) in options {
        option(key).expect("an option").set(&mut settings, value).expect("a good value");
    }
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
    if let Err(fault) = readback::read(&super::KUSTO, clause) {
        panic!("{clause}: {fault}");
    }
}

fn check_refused(query: &Tested, expected: Code) {
    let found = convert(query, &[]);
    assert_eq!((found.status, found.queries.len()), (Status::Refused, 0));
    assert_eq!(found.diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [expected]);
}

#[test]
fn text_takes_the_operator_of_its_shape() {
    check(&text("Image", "a b"), r#"Image =~ "a b""#);
    check(&text("Image", "a*"), r#"Image startswith "a""#);
    check(&text("Image", "*a"), r#"Image endswith "a""#);
    check(&text("Image", "*a*"), r#"Image contains "a""#);
    check(&cased("Image", "a"), r#"Image == "a""#);
    check(&cased("Image", "a*"), r#"Image startswith_cs "a""#);
    check(&cased("Image", "*a"), r#"Image endswith_cs "a""#);
    check(&cased("Image", "*a*"), r#"Image contains_cs "a""#);
    check(&literally("Image", "*"), r#"Image =~ "*""#);
}

#[test]
fn wildcards_inside_become_one_regular_expression() {
    check(&text("f", "a*b"), r#"f matches regex @"(?is)^a.*b$""#);
    check(&text("f", "*a*b*"), r#"f matches regex @"(?is)a.*b""#);
    check(&text("f", r"C:\*\x.exe"), r#"f matches regex @"(?is)^C:\\.*\\x\.exe$""#);
    check(&text("f", "a?"), r#"f matches regex @"(?is)^a.$""#);
    check(&text("f", "?"), r#"f matches regex @"(?s)^.$""#);
    check(&text("f", "??*"), r#"f matches regex @"(?s)^..""#);
    check(&cased("f", "a*b"), r#"f matches regex @"(?s)^a.*b$""#);
    check(&text("f", "1*2"), r#"f matches regex @"(?s)^1.*2$""#);
    check(&text("f", "\"(a|b)*[c]{1}^$+.?"), r#"f matches regex @"(?is)^""\(a\|b\).*\[c\]\{1\}\^\$\+\..$""#);
    check(&text("f", "a\n*b"), r#"f matches regex "(?is)^a\n.*b$""#);
    check(&text("f", "?*"), "isnotempty(f)");
}

#[test]
fn letters_beyond_ascii_are_folded_by_regular_expressions() {
    check(&text("f", "Ü"), r#"f matches regex @"(?i)^Ü$""#);
    check(&text("f", "*.ü*"), r#"f matches regex @"(?i)\.ü""#);
    check(&text("f", "日本"), r#"f == "日本""#);
    check(&text("f", "*a日*"), r#"f matches regex @"(?i)a日""#);
    check(&cased("f", "*ü*"), r#"f contains_cs "ü""#);
}

#[test]
fn every_character_can_stand_in_text() {
    check(&literally("f", r"C:\Windows\"), r#"f =~ "C:\\Windows\\""#);
    check(&text("f", r"*\temp\*"), r#"f contains "\\temp\\""#);
    check(&literally("f", "a\"b'c"), r#"f =~ "a\"b'c""#);
    check(&literally("f", "a\nb\tc\rd\0e"), r#"f =~ "a\nb\tc\rd\u0000e""#);
    check(&literally("f", "1\u{202e}2\u{2028}"), r#"f == "1\u202E2\u2028""#);
    check(&literally("f", "AND"), r#"f =~ "AND""#);
    check(&literally("f", "a) or (b"), r#"f =~ "a) or (b""#);
    check(&literally("f", "<x>"), r#"f =~ "<x>""#);
}

#[test]
fn names_are_quoted_if_need_be() {
    check(&text("a-b", "x"), r#"['a-b'] =~ "x""#);
    check(&text(r"a'b\c", "x"), r#"['a\'b\\c'] =~ "x""#);
    check(&text("@timestamp", "x"), r#"['@timestamp'] =~ "x""#);
    check(&text("where", "x"), r#"['where'] =~ "x""#);
    check(&text("4a", "x"), r#"['4a'] =~ "x""#);
    check(&text("__a", "x"), r#"['__a'] =~ "x""#);
    check(&text("_a", "x"), r#"_a =~ "x""#);
    check(&text("winlog.event_data.Image", "x"), r#"winlog.event_data.Image =~ "x""#);
    check(&text("a.b-c.where.d", "x"), r#"a['b-c']['where'].d =~ "x""#);
    check(&text("a..b", "x"), r#"['a..b'] =~ "x""#);
    check(&text("a) or (b", "x"), r#"['a) or (b'] =~ "x""#);
    check_refused(&text("", "x"), Code::FieldNameUnsupported);
}

#[test]
fn values_of_one_field_stand_in_a_list() {
    check(&or(&[text("f", "a"), text("f", "b")]), r#"f in~ ("a", "b")"#);
    check(&or(&[cased("f", "a"), cased("f", "b")]), r#"f in ("a", "b")"#);
    check(&or(&[number("f", "1"), number("f", "-2")]), "f in (1, -2)");
    // A column has one type.
    check(&or(&[number("f", "1"), text("f", "b")]), r#"f in~ ("1", "b")"#);
    check(&and(&[number("f", "1"), number("g", "2"), not(text("g", "b*"))]), NUMBER_AS_TEXT);
    check(&or(&[number("f", "1"), number("f", "1.5")]), "f == 1 or f == 1.5");
    check(&or(&[text("f", "*a*"), text("f", "*b*")]), r#"f contains "a" or f contains "b""#);
    check(&and(&[text("f", "*a*"), text("f", "*b*")]), r#"f contains "a" and f contains "b""#);
    check(&or(&[text("f", "a"), text("f", "b*")]), r#"f =~ "a" or f startswith "b""#);
    check(&and(&[text("f", "a"), text("f", "b")]), r#"f =~ "a" and f =~ "b""#);
}

const NUMBER_AS_TEXT: &str = r#"f == 1 and g =~ "2" and not(g startswith "b")"#;

#[test]
fn long_chains_are_cut() {
    let terms: Vec<Tested> = (0..300).map(|at| text("f", &format!("*{at}*"))).collect();
    let each: Vec<String> = (0..300).map(|at| format!("f contains \"{at}\"")).collect();
    let parts: Vec<String> = each.chunks(128).map(|part| format!("({})", part.join(" or "))).collect();
    check(&or(&terms), &parts.join(" or "));
    check(&not(or(&terms)), &format!("not({})", parts.join(" or ")));
}

#[test]
fn groups_stand_where_kinds_mix() {
    let (a, b, c) = (text("a", "1"), text("b", "2"), text("c", "3"));
    check(&and(&[a.clone(), or(&[b.clone(), c.clone()])]), r#"a =~ "1" and (b =~ "2" or c =~ "3")"#);
    check(&or(&[a.clone(), and(&[b.clone(), c.clone()])]), r#"a =~ "1" or (b =~ "2" and c =~ "3")"#);
    check(&not(a.clone()), r#"not(a =~ "1")"#);
    check(&not(or(&[a.clone(), b.clone()])), r#"not(a =~ "1" or b =~ "2")"#);
    check(&and(&[a.clone(), not(regex_free(&b, &c))]), r#"a =~ "1" and not(b =~ "2" and c =~ "3")"#);
    check(&not(or(&[text("f", "a"), text("f", "b")])), r#"not(f in~ ("a", "b"))"#);
    check(&or(&[a, not(and(&[b, not(c)]))]), r#"a =~ "1" or not(b =~ "2" and not(c =~ "3"))"#);
}

fn regex_free(first: &Tested, second: &Tested) -> Tested {
    and(&[first.clone(), second.clone()])
}

#[test]
fn numbers_are_exact_and_guarded_under_negation() {
    check(&number("EventID", "4688"), "EventID == 4688");
    check(&number("f", "9007199254740993"), "f == 9007199254740993");
    check(&number("f", "9223372036854775807"), "f == 9223372036854775807");
    check(&number("f", "-9223372036854775808"), "f == long(-9223372036854775808)");
    check_refused(&number("f", "9223372036854775808"), Code::ValueUnsupported);
    check(&number("f", ".5"), "f == 0.5");
    check(&ordered("f", Order::GreaterOrEqual, "-5"), "f >= -5");
    check(&ordered("f", Order::Less, "1e100"), "f < 1e100");
    check(&not(number("f", "1")), "not(isnotempty(f) and f == 1)");
    let listed = or(&[number("f", "1"), number("f", "2"), text("g", "x")]);
    check(&not(listed), r#"not((isnotempty(f) and f in (1, 2)) or g =~ "x")"#);
    let between = and(&[ordered("f", Order::Greater, "1"), ordered("f", Order::Less, "5")]);
    check(&between, "f > 1 and f < 5");
    check(&not(between), "not(isnotempty(f) and f > 1 and f < 5)");
    check(&not(or(&[number("f", "1"), number("g", "2")])), NOT_OF_TWO_FIELDS);
}

const NOT_OF_TWO_FIELDS: &str = "not((isnotempty(f) and f == 1) or (isnotempty(g) and g == 2))";

#[test]
fn booleans_are_compared_as_text_whatever_their_type() {
    check(&on("f", Test::Bool(true)), r#"tostring(f) =~ "true""#);
    check(&not(on("f", Test::Bool(false))), r#"not(tostring(f) =~ "false")"#);
}

#[test]
fn empty_and_absent_are_one() {
    check_blank(&text("f", ""), "isempty(f)");
    check_blank(&on("f", Test::Null), "isempty(f)");
    check_blank(&on("f", Test::Exists(false)), "isempty(f)");
    check_blank(&on("f", Test::Exists(true)), "isnotempty(f)");
    check_blank(&text("f", "*"), "isnotempty(f)");
    check_blank(&not(on("f", Test::Null)), "not(isempty(f))");
    // Whoever asks for both at once needs no distinction.
    check(&or(&[on("f", Test::Null), text("f", "")]), "not(isnotempty(f))");
    check(&or(&[text("g", "x"), text("f", ""), on("f", Test::Null)]), r#"g =~ "x" or not(isnotempty(f))"#);
    check(&not(or(&[on("f", Test::Null), text("f", "")])), "isnotempty(f)");
    check(&and(&[not(on("f", Test::Null)), not(text("f", ""))]), "isnotempty(f)");
    check(&and(&[text("f", "*"), not(text("f", ""))]), "isnotempty(f)");
    check_blank(&or(&[on("f", Test::Null), text("g", "")]), "isempty(f) or isempty(g)");
    check_blank(&and(&[on("f", Test::Null), text("f", "")]), "isempty(f) and isempty(f)");
}

#[test]
fn networks_go_to_the_functions_of_their_family() {
    check(&network("ip", "10.0.0.0/8"), r#"coalesce(ipv4_is_in_any_range(ip, "10.0.0.0/8"), false)"#);
    check(&network("ip", "10.1.2.3/8"), r#"coalesce(ipv4_is_in_any_range(ip, "10.0.0.0/8"), false)"#);
    check(&network("ip", "fc00::/7"), r#"coalesce(ipv6_is_in_any_range(ip, "fc00::/7"), false)"#);
    check(&network("ip", "2001:db8:1::/48"), r#"coalesce(ipv6_is_in_any_range(ip, "2001:db8:1::/48"), false)"#);
    check(
        &not(or(&[network("ip", "10.0.0.0/8"), network("ip", "127.0.0.1/32"), network("ip", "::1/128")])),
        "not(coalesce(ipv4_is_in_any_range(ip, \"10.0.0.0/8\", \"127.0.0.1/32\"), false) \
         or coalesce(ipv6_is_in_any_range(ip, \"::1/128\"), false))",
    );
    check(
        &or(&[network("ip", "10.0.0.0/8"), network("other", "10.0.0.0/8")]),
        "coalesce(ipv4_is_in_any_range(ip, \"10.0.0.0/8\"), false) \
         or coalesce(ipv4_is_in_any_range(other, \"10.0.0.0/8\"), false)",
    );
    // The function reads 10.0.0.1 as ::ffff:10.0.0.1.
    for wide in ["::/0", "::ffff:0.0.0.0/96", "::ffff:10.0.0.0/104"] {
        let text = wide.parse::<ipnet::Ipv6Net>().expect("a network").to_string();
        let expected = format!(r#"ip contains ":" and coalesce(ipv6_is_in_any_range(ip, "{text}"), false)"#);
        check(&network("ip", wide), &expected);
    }
}

#[test]
fn keywords_look_in_every_column() {
    check(&keyword("a b"), r#"* contains "a b""#);
    check(&keyword("*a*"), r#"* contains "a""#);
    check(&keyword("a*b?"), r#"* matches regex @"(?is)a.*b.""#);
    check(&keyword("ü"), r#"* matches regex @"(?i)ü""#);
    check(&not(keyword("a")), r#"not(* contains "a")"#);
    check(
        &and(&[keyword("a"), or(&[keyword("b"), text("f", "c")])]),
        r#"* contains "a" and (* contains "b" or f =~ "c")"#,
    );
    check_refused(&keyword("*"), Code::ConstantQuery);
    let number = Test::Number { order: Order::Equal, value: value("1") };
    check_refused(&Expr::Match(Match { subject: Subject::Event, test: number, span: SPAN }), Code::KeywordUnsupported);
}

#[test]
fn fields_are_compared() {
    use Affix::{Contains, EndsWith, Equals, StartsWith};
    for (affix, ignoring, minding) in [
        (Equals, "=~", "=="),
        (StartsWith, "startswith", "startswith_cs"),
        (EndsWith, "endswith", "endswith_cs"),
        (Contains, "contains", "contains_cs"),
    ] {
        check_blank(&same("f", "g", affix, Case::Insensitive), &format!("isnotempty(g) and f {ignoring} g"));
        check_blank(
            &not(same("f", "g-h", affix, Case::Sensitive)),
            &format!("not(isnotempty(['g-h']) and f {minding} ['g-h'])"),
        );
    }
}

#[test]
fn parts_of_times_have_functions() {
    for (which, function) in [
        (TimePart::Minute, "datetime_part(\"minute\", t)"),
        (TimePart::Hour, "hourofday(t)"),
        (TimePart::Day, "dayofmonth(t)"),
        (TimePart::Week, "week_of_year(t)"),
        (TimePart::Month, "monthofyear(t)"),
        (TimePart::Year, "getyear(t)"),
    ] {
        check(&part("t", which, Order::Equal, "3"), &format!("{function} == 3"));
        check(&not(part("t", which, Order::Less, "3")), &format!("not(isnotempty(t) and {function} < 3)"));
    }
    check(&part("a.t", TimePart::Hour, Order::Equal, "3"), "hourofday(todatetime(a.t)) == 3");
}

/// A table with a computed column and columns of objects.
fn table() -> Schema {
    let column = |kind| FieldType::new(kind);
    let joined =
        FieldType { expression: Some(r#"strcat(Key, @"\", Name)"#.to_owned()), ..FieldType::new(FieldKind::Keyword) };
    let columns = [
        ("Path", joined),
        ("Data", column(FieldKind::Dynamic)),
        ("More", column(FieldKind::Json)),
        ("Id", column(FieldKind::Guid)),
        ("On", column(FieldKind::Boolean)),
        ("Port", column(FieldKind::Number)),
    ];
    let columns = columns.into_iter().map(|(name, field)| (name.to_owned(), field)).collect();
    Schema { tables: [("T".to_owned(), columns)].into(), ..Schema::default() }
}

#[test]
fn computed_columns_and_properties_of_objects_are_written_by_the_schema() {
    let settings = Settings { table: Some("T".into()), schema: Some(Arc::new(table())), ..Settings::default() };
    let backend = Backend::new(&super::TARGET, settings);
    let check = |query: &Tested, expected: &str| {
        let conversion = backend.convert(&rule(query));
        assert_eq!(conversion.queries, [format!("T\n| where {expected}")], "{conversion:?}");
        assert_eq!(conversion.assumptions, [Code::AssumeSingleValues], "{conversion:?}");
        reads_back(expected);
        // Each name is read back as one, so that lists are seen as lists.
        let field = expected.split(" =~ ").next().filter(|field| field.len() < expected.len());
        if let Some(field) = field {
            assert_eq!(literal::scan_name(expected), field.len(), "{expected}");
        }
    };
    check(&text("Path", "*x\\"), r#"strcat(Key, @"\", Name) endswith "x\\""#);
    check(&text("Path", "a and b"), r#"strcat(Key, @"\", Name) =~ "a and b""#);
    check(&text("Data.a-b.c", "x"), r#"tostring(Data['a-b'].c) =~ "x""#);
    check(&text("Data", "*x*"), r#"tostring(Data) contains "x""#);
    check(&text("More.a", "x"), r#"tostring(parse_json(More).a) =~ "x""#);
    check(&text("More.a-b.c", "x"), r#"tostring(parse_json(More)['a-b'].c) =~ "x""#);
    check(&text("More", "x"), r#"More =~ "x""#);
    check(&text("Id", "x"), r#"tostring(Id) =~ "x""#);
    check(&or(&[text("Data.a", "x"), text("Data.a", "y")]), r#"tostring(Data.a) in~ ("x", "y")"#);
    // What is in an object has no type: it is compared by its text.
    check(&number("Data.a", "5"), r#"tostring(Data.a) =~ "5""#);
    check(&on("Data.a", Test::Bool(true)), r#"tostring(Data.a) =~ "true""#);
    check(&text("On", "True"), r#"tostring(On) =~ "true""#);
    check(
        &or(&[network("Data.ip", "10.0.0.0/8"), network("Data.ip", "127.0.0.0/8")]),
        r#"coalesce(ipv4_is_in_any_range(tostring(Data.ip), "10.0.0.0/8", "127.0.0.0/8"), false)"#,
    );
    check(&not(number("Port", "5")), "not(isnotempty(Port) and Port == 5)");
    // An order needs a number, which is assumed.
    let ordered = backend.convert(&rule(&not(ordered("Data.n", Order::Greater, "5"))));
    let expected = "T\n| where not(isnotempty(tostring(Data.n)) and coalesce(todouble(tostring(Data.n)) > 5, false))";
    assert_eq!(ordered.queries, [expected]);
    assert_eq!(ordered.assumptions.into_iter().collect::<Vec<_>>(), [Code::AssumeNumeric, Code::AssumeSingleValues]);
}

#[test]
fn placeholders_are_refused() {
    let pattern = Pattern::from_parts([Part::Placeholder("x".into())]);
    let test = Test::Text { pattern, case: Case::Insensitive };
    check_refused(&on("f", test.clone()), Code::UnresolvedPlaceholder);
    check_refused(&Expr::Match(Match { subject: Subject::Event, test, span: SPAN }), Code::UnresolvedPlaceholder);
}

#[test]
fn the_table_and_the_time_range_stand_before() {
    let query = or(&[text("f", "a"), text("g", "b")]);
    let clause = |options: &[(&str, &str)]| convert(&query, options).queries.concat();
    assert_eq!(clause(&[("table", "SecurityEvent")]), "SecurityEvent\n| where f =~ \"a\" or g =~ \"b\"");
    assert_eq!(clause(&[("table", "x y")]), "['x y']\n| where f =~ \"a\" or g =~ \"b\"");
    assert_eq!(clause(&[("table", "_Im_Dns()")]), "_Im_Dns()\n| where f =~ \"a\" or g =~ \"b\"");
    assert_eq!(clause(&[("table", "T | drop")]), "['T | drop']\n| where f =~ \"a\" or g =~ \"b\"");
    assert_eq!(clause(&[("time_range", "24h")]), "where TimeGenerated > ago(24h) and (f =~ \"a\" or g =~ \"b\")");
    assert_eq!(
        clause(&[("table", "DeviceEvents"), ("time_range", "7d"), ("time_field", "Timestamp")]),
        "DeviceEvents\n| where Timestamp > ago(7d) and (f =~ \"a\" or g =~ \"b\")"
    );
}

#[test]
fn assumptions_are_stated() {
    let assumed = |query: &Tested, options: &[(&str, &str)]| -> BTreeSet<Code> {
        let mut found: BTreeSet<Code> = convert(query, options).assumptions.into_iter().collect();
        assert!(found.remove(&Code::AssumeSingleValues), "a column holds one value");
        found
    };
    let bare = BTreeSet::from([Code::AssumeScope, Code::AssumeTable]);
    let table: &[(&str, &str)] = &[("table", "T")];
    assert_eq!(assumed(&on("f", Test::Bool(true)), &[]), bare);
    assert_eq!(assumed(&on("f", Test::Bool(true)), table), BTreeSet::new());
    assert_eq!(assumed(&text("f", "a*b"), table), BTreeSet::from([Code::AssumeTextFields]));
    assert_eq!(assumed(&network("f", "10.0.0.0/8"), table), BTreeSet::from([Code::AssumeTextFields]));
    assert_eq!(assumed(&not(number("f", "1")), table), BTreeSet::from([Code::AssumeNumeric]));
    let hour = part("t", TimePart::Hour, Order::Less, "6");
    assert_eq!(assumed(&not(hour), table), BTreeSet::from([Code::AssumeTimeField]));
}

#[test]
fn regular_expressions_are_written_as_they_are() {
    let written = |source: &str| {
        let settings = Settings::default();
        let mut writer = Writer::new(&super::KUSTO, &settings);
        literal::regex(&mut writer, &super::translated(source.to_owned()));
        assert_eq!(literal::scan_value(&writer.out), writer.out.len(), "{source:?}");
        writer.out
    };
    assert_eq!(written(r#"a\d"b\"#), r#"@"a\d""b\""#);
    assert_eq!(written("a\\\\\"\n"), r#""a\\\\\"\n""#);
    // What can match the empty text matches absent fields as well.
    let empty = convert(&regex("f", "^a*$"), &[]);
    assert!(matches!(empty.status, Status::Approximate | Status::Refused), "{empty:?}");
}

/// What Microsoft's parser makes of a text in quotes (`KustoFacts.GetStringLiteralValue`), as far as it is written here.
fn unquoted(written: &str) -> String {
    if let Some(verbatim) = written.strip_prefix("@\"") {
        return verbatim.strip_suffix('"').expect("a closing quote").replace("\"\"", "\"");
    }
    let inner = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("quotes");
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        assert!(c != '"' && c != '\n' && c != '\r', "{written}");
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next().expect("an escape") {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let digits: String = chars.by_ref().take(4).collect();
                out.push(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).expect("a character"));
            }
            c @ ('"' | '\\') => out.push(c),
            c => panic!("unknown escape {c}"),
        }
    }
    out
}

proptest::proptest! {
    #[test]
    fn texts_read_back(value in r#"([ -~]|["'\\\\\n\r\t()@]|and | or |\PC|\p{Cc}|\x{2028}|\x{202e})*"#) {
        let settings = Settings::default();
        let mut writer = Writer::new(&super::KUSTO, &settings);
        let test = Test::Text { pattern: Pattern::exact(value.clone()), case: Case::Insensitive };
        literal::text(&mut writer, &test);
        let text = std::mem::take(&mut writer.out);
        literal::regex(&mut writer, &super::translated(value.clone()));
        let regex = std::mem::take(&mut writer.out);
        for written in [text, regex] {
            proptest::prop_assert_eq!(unquoted(&written), value.clone());
            proptest::prop_assert_eq!(literal::scan_value(&format!("{written}, \"x\"")), written.len());
            proptest::prop_assert_eq!(literal::scan_leaf(&format!("f =~ {written} and g")), written.len() + 5);
        }
    }

    #[test]
    fn names_read_back(name in r#"([a-c._-]|['"\\\\ \[\]\n]|where|and | or |\PC){1,12}"#) {
        let settings = Settings::default();
        let mut writer = Writer::new(&super::KUSTO, &settings);
        literal::name(&mut writer, &name);
        let written = writer.out;
        for behind in ["", " =~ \"x\"", " in~ (\"x\")"] {
            proptest::prop_assert_eq!(literal::scan_name(&format!("{written}{behind}")), written.len(), "{}", written);
        }
    }

    #[test]
    fn patterns_and_their_regular_expressions_agree(parts in "[aAéÉ.*?\n]{0,6}", value in "[aAéÉ.\n]{0,6}", minds: bool) {
        let case = if minds { Case::Sensitive } else { Case::Insensitive };
        let source = super::pattern_regex(&pattern(&parts), case);
        let engine = regex::Regex::new(&source).expect("a regular expression");
        proptest::prop_assert_eq!(engine.is_match(&value), matches(&parts, &value, case), "{}", source);
    }
}

/// Whether a pattern with `*` and `?` matches, by its definition.
fn matches(pattern: &str, value: &str, case: Case) -> bool {
    let fold = |text: &str| if case == Case::Insensitive { text.to_lowercase() } else { text.to_owned() };
    let (pattern, value): (Vec<char>, Vec<char>) = (fold(pattern).chars().collect(), fold(value).chars().collect());
    fn from(pattern: &[char], value: &[char]) -> bool {
        match pattern.split_first() {
            None => value.is_empty(),
            Some(('*', rest)) => (0..=value.len()).any(|skip| from(rest, &value[skip..])),
            Some(('?', rest)) => !value.is_empty() && from(rest, &value[1..]),
            Some((c, rest)) => value.first() == Some(c) && from(rest, &value[1..]),
        }
    }
    from(&pattern, &value)
}
