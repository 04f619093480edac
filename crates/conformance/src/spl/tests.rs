//! The documentation's own examples, as facts, and the constructs that the target writes.

use serde_json::{Value, json};

use super::event::Event;
use super::{Query, Verdict};

fn verdict(query: &str, event: &Value) -> Verdict {
    Query::parse(query).unwrap_or_else(|fault| panic!("{query}: {fault}")).matches(&Event::new(event))
}

/// Which of the events a query finds, by number.
fn check(query: &str, events: &[Value], expected: &[usize]) {
    let numbers = 0..events.len();
    let found: Vec<usize> = numbers.filter(|number| verdict(query, &events[*number]).found).collect();
    assert_eq!(found, expected, "{query}");
}

fn refused(query: &str) {
    assert!(Query::parse(query).is_err(), "{query}");
}

/// Search Manual, Boolean expressions: `A=1 AND B=2 OR C=3` is `A=1 AND (B=2 OR C=3)` in `search`, and
/// `(A=1 AND B=2) OR C=3` in `where`.
#[test]
fn order_of_evaluation() {
    let events = [json!({"A": 1, "B": 2}), json!({"C": 3}), json!({"A": 1, "C": 3}), json!({"A": 1})];
    for same in ["A=1 AND B=2 OR C=3", "A=1 B=2 OR C=3", "A=1 AND ( B=2 OR C=3 )", "search A=1 B=2 OR C=3"] {
        check(same, &events, &[0, 2]);
    }
    check("(A=1 AND B=2 ) OR C=3", &events, &[0, 1, 2]);
    check("* | where A=1 AND B=2 OR C=3", &events, &[0, 1, 2]);
    check("* | where A=1 AND (B=2 OR C=3)", &events, &[0, 2]);
    // `NOT` applies to the next term alone.
    check("NOT A=1 C=3", &events, &[1]);
    check("NOT (A=1 C=3)", &events, &[0, 1, 3]);
    check("NOT A=1 OR B=2", &events, &[0, 1]);
}

/// The same page: `error NOT 403 OR 404` finds what has "error" and not 403, or "error" and 404.
#[test]
fn keywords() {
    let events =
        [json!({"m": "an Error, 403"}), json!({"m": "ERROR 404 and 403"}), json!({"m": "error"}), json!({"m": "404"})];
    check("error NOT 403 OR 404", &events, &[1, 2]);
    check("error NOT (403 OR 404)", &events, &[2]);
    check("err", &events, &[]);
    check("err*", &events, &[0, 1, 2]);
    check("*rro*", &events, &[0, 1, 2]);
    check("\"error 404\"", &events, &[1]);
    check("\"rror 404\"", &events, &[]);
    check("\"*rror 40*\"", &events, &[1]);
    check("*", &events, &[0, 1, 2, 3]);
}

/// Search Manual, Difference between != and NOT: the events of its table.
#[test]
fn unequal_and_not() {
    let events = [
        json!({"Name": "McIntosh", "Location": "Marin Meadows"}),
        json!({"Name": "Lyra"}),
        json!({"Name": "Dash", "Location": "Calaveras Farms"}),
    ];
    check("Location!=\"Calaveras Farms\"", &events, &[0]);
    check("NOT Location=\"Calaveras Farms\"", &events, &[0, 1]);
    check("Location!=\"nowhere\"", &events, &[0, 2]);
    check("NOT Location=*", &events, &[1]);
    check("Location=*", &events, &[0, 2]);
}

/// Search Reference, `search`: comparisons, lists, wildcards, networks; values ignore case, names do not.
#[test]
fn comparisons() {
    let events = [
        json!({"status": 404, "host": "Webserver1", "xqp": 10}),
        json!({"status": "1.0", "host": "localhost", "xqp": "5"}),
        json!({"status": 500, "HOST": "webserver2"}),
    ];
    check("host=webserver* (status=4* OR status=5*)", &events, &[0]);
    check("status IN (4*, \"5*\")", &events, &[0, 2]);
    check("\"status\" IN (4*)", &events, &[0]);
    check("\"status\"=404", &events, &[0]);
    check("status=1", &events, &[]);
    check("host!=\"LOCALHOST\" xqp>5", &events, &[0]);
    check("xqp<=5", &events, &[1]);
    check("xqp>=5", &events, &[0, 1]);
    check("status<500", &events, &[0, 1]);
    check("host=\"*SERVER*1\"", &events, &[0]);
    check("host=\"web*webserver1\"", &events, &[]);
    let addresses =
        [json!({"ip": "10.1.2.3"}), json!({"ip": "11.0.0.1"}), json!({"ip": "fe80:0::1"}), json!({"ip": "x"})];
    check("ip=\"10.0.0.0/8\"", &addresses, &[0]);
    check("ip=\"FE80::/10\"", &addresses, &[2]);
    check("NOT ip=\"0.0.0.0/0\"", &addresses, &[2, 3]);
}

/// The same, Quotes and escaping characters: `\"`, `\\` and `\|` are known; `\s` is left as it is; `\*` is no escape.
#[test]
fn escapes() {
    let events =
        [json!({"f": r"C:\Temp\a.exe"}), json!({"f": "say \"hi\" | more"}), json!({"f": r"\s"}), json!({"f": "*"})];
    check(r#"f="c:\\temp\\*""#, &events, &[0]);
    check(r#"f="C:\Temp\a.exe""#, &events, &[0]);
    check(r#"f="say \"hi\" \| more""#, &events, &[1]);
    check(r#"f="say \"hi\" | more""#, &events, &[1]);
    check(r#"f="\s""#, &events, &[2]);
    check(r#"f="\\s""#, &events, &[2]);
    check(r#"f="\*""#, &events, &[2]);
    check(r#"f="*""#, &events, &[0, 1, 2, 3]);
    // Search Manual, SPL and regular expressions: four backslashes for one that is meant.
    check(r#"* | where match(f, "^C:\\\\Temp\\\\a\\.exe$")"#, &events, &[0]);
}

/// Search Reference, `where` and Evaluation functions.
#[test]
fn expressions() {
    let events = [
        json!({"src": "10.9.165.1", "CS-method": "GET", "n": 9, "name": "Ab"}),
        json!({"dst": "10.9.165.8", "n": "10", "name": "ab"}),
        json!({"foo": 1, "bar": "1"}),
    ];
    check("* | where like(src, \"10.9.165.%\") OR cidrmatch(\"10.9.165.0/25\", dst)", &events, &[0, 1]);
    check("* | where foo=bar", &events, &[2]);
    check("* | where n<10", &events, &[0]);
    check("* | where name=\"ab\"", &events, &[1]);
    check("* | where lower(name)=\"ab\"", &events, &[0, 1]);
    check("* | where match(name, \"B\")", &events, &[]);
    check("* | where match(name, \"(?i)B\")", &events, &[0, 1]);
    check("* | where lower('CS-method')=\"get\"", &events, &[0]);
    check("* | where if(tonumber(n)>9, 1, 0)=1", &events, &[1]);
    check("* | where NOT if(tonumber(n)>9, 1, 0)=1", &events, &[0, 2]);
    check("* | where isnull(n)", &events, &[2]);
    check("* | where like(name, \"_b\")", &events, &[0, 1]);
    // Text Functions: `substr("splendid", 1, 3) . substr("splendid", -3)` is "splendid" without its middle.
    check("* | where substr(\"splendid\", 1, 3)=\"spl\" AND substr(\"splendid\", -3)=\"did\"", &events, &[0, 1, 2]);
    check("* | where len(name)=2", &events, &[0, 1]);
}

/// Null: what compares with it is null, and null keeps no event, under `NOT` neither.
#[test]
fn null() {
    let events = [json!({"a": "x"}), json!({"b": "y"}), json!({"a": "z", "b": "y"})];
    check("* | where a!=\"x\"", &events, &[2]);
    check("* | where NOT a=\"x\"", &events, &[2]);
    check("* | where NOT match(a, \"x\")", &events, &[2]);
    check("* | where NOT (isnotnull(a) AND a=\"x\")", &events, &[1, 2]);
    check("* | where a=\"x\" OR b=\"y\"", &events, &[0, 1, 2]);
    check("* | where NOT (a=\"x\" AND b=\"n\")", &events, &[1, 2]);
    check("* | where a=null()", &events, &[]);
}

/// Several values: a search finds any of them. A function does so too, but the verdict says when that is not documented.
#[test]
fn several_values() {
    let event = json!({"f": ["A", "b"], "g": null, "h": [], "o": {"p": ["q"]}});
    let cases = [
        ("f=a f=B", true, false),
        ("NOT f=a", false, false),
        ("f!=a", true, false),
        ("o.p=q NOT g=* NOT h=*", true, false),
        ("* | where isnotnull(f)", true, false),
        ("* | where match(f, \"^b\")", true, false),
        ("* | where lower(f)=\"a\"", true, true),
        ("* | where NOT lower(f)=\"n\"", true, true),
        ("* | where lower(f)=\"n\"", false, false),
        ("* | where 'o.p'=\"q\"", true, false),
    ];
    for (query, found, undocumented) in cases {
        assert_eq!(verdict(query, &event), Verdict { found, undocumented }, "{query}");
    }
}

#[test]
fn what_is_not_known() {
    for query in [
        "",
        "a=",
        "a=1 OR",
        "a=1 AND",
        "(a=1",
        "a=1)",
        "a IN ()",
        "a IN (1",
        "NOT",
        "f=\"x",
        "a=1 | stats count",
        "* | where",
        "* | where a.b=1",
        "* | where a=1 XOR b=2",
        "* | where f(a)",
        "* | where match(a)",
        "* | where match(a, \"(\")",
        "* | where a=1 b=2",
        "* | where match(a, b)",
        "* | where NOT",
        "* | where a=\"x",
    ] {
        refused(query);
    }
}
