//! What is said of several tests together, and what stands before them.

use std::collections::BTreeSet;
use std::sync::Arc;

use sigcast_diagnostics::Code;
use sigcast_ir::schema::{FieldKind, FieldType, Schema};
use sigcast_ir::{Order, Test, TimePart};

use super::{Tested, and, cased, check, convert, network, not, number, on, or, ordered, part, reads_back, rule, text};
use crate::convert::Backend;
use crate::options::Settings;
use crate::targets::kusto::{TARGET, literal};

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
    let backend = Backend::new(&TARGET, settings);
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
