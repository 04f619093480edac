//! Commands, by the documentation's own examples and what it says.

use serde_json::{Value, json};

use super::event::Event;
use super::pipeline::{Pipeline, Ties};

/// Events with these fields, a second apart from 100 on.
fn events(all: &[Value]) -> Vec<Event> {
    let indexed = |(at, fields): (usize, &Value)| Event::indexed(fields, 100_000 + 1000 * at as i64, at);
    all.iter().enumerate().map(indexed).collect()
}

fn run(query: &str, all: &[Value], ties: Ties) -> Result<Vec<Event>, String> {
    Pipeline::parse(query)?.run(&events(all), ties)
}

/// The values of some fields in the rows that come out, `-` for none, several with commas.
fn check(query: &str, all: &[Value], fields: &[&str], expected: &[&str]) {
    for ties in [Ties::Kept, Ties::Reversed] {
        let rows = run(query, all, ties).unwrap_or_else(|fault| panic!("{query}: {fault}"));
        let text = |row: &Event, name: &&str| {
            let values: Vec<&str> = row.values(name).iter().map(|value| value.plain.as_str()).collect();
            if values.is_empty() { "-".to_owned() } else { values.join(",") }
        };
        let line = |row: &Event| fields.iter().map(|name| text(row, name)).collect::<Vec<_>>().join(" ");
        let mut found: Vec<String> = rows.iter().map(line).collect();
        if query.contains("multisearch") {
            found.sort();
        }
        assert_eq!(found, expected, "{query}");
    }
}

fn refused(query: &str, all: &[Value]) {
    assert!(run(query, all, Ties::Kept).is_err(), "{query}");
}

/// SPL2 Search Reference, "How the streamstats command works".
fn bytes() -> Vec<Value> {
    let row = |host: &str, action: &str, bytes: i64| json!({"host": host, "action": action, "bytes": bytes});
    vec![
        row("x", "LOGON", 100),
        row("y", "APP_START", 200),
        row("x", "FILE_DOWNLOAD", 400),
        row("x", "REBOOT", 50),
        row("y", "LOGON", 150),
        row("x", "LOGON", 100),
    ]
}

#[test]
fn running_measures() {
    let rows = bytes();
    check("* | streamstats sum(bytes) AS s BY host", &rows, &["s"], &["100", "200", "500", "550", "350", "650"]);
    // The same: the mean of three, 100, 150, 233.33, 216.66, 200, 100.
    check(
        "* | streamstats window=3 avg(bytes) AS a | eval a=substr(a, 1, 6)",
        &rows,
        &["a"],
        &["100", "150", "233.33", "216.66", "200", "100"],
    );
    check("* | streamstats count AS n BY host", &rows, &["n"], &["1", "1", "2", "3", "2", "4"]);
    check("* | streamstats window=2 count AS n BY host", &rows, &["n"], &["1", "1", "1", "2", "1", "1"]);
    check("* | streamstats global=f window=2 count AS n BY host", &rows, &["n"], &["1", "1", "2", "2", "2", "2"]);
    check(
        "* | streamstats current=f global=f window=1 last(bytes) AS b BY host",
        &rows,
        &["b"],
        &["-", "-", "100", "400", "200", "50"],
    );
    // What is three seconds old is out of a window of three.
    check("* | streamstats time_window=3s count AS n", &rows, &["n"], &["1", "2", "3", "3", "3", "3"]);
    check(
        "* | streamstats max(eval(if(action=\"LOGON\", _time, null()))) AS t BY host",
        &rows,
        &["t"],
        &["100", "-", "100", "100", "104", "105"],
    );
}

#[test]
fn measures_of_groups() {
    let rows = bytes();
    check(
        "* | stats count AS n, sum(bytes) AS s, dc(action) AS d, values(action) AS v BY host",
        &rows,
        &["host", "n", "s", "d", "v"],
        &["x 4 650 3 FILE_DOWNLOAD,LOGON,REBOOT", "y 2 350 2 APP_START,LOGON"],
    );
    check("* | stats count(eval(bytes>100)) AS n", &rows, &["n"], &["3"]);
    check("nothing | stats count AS n, max(bytes) AS m", &rows, &["n", "m"], &["0 -"]);
    check("nothing | stats count AS n BY host", &rows, &["n"], &[]);
    check("* | eventstats max(bytes) AS m BY host", &rows, &["m"], &["400", "200", "400", "400", "200", "400"]);
    check("* | stats perc50(bytes) AS p, perc95(bytes) AS q, avg(bytes) AS a", &rows, &["p", "q"], &["100 400"]);
    // "1" and "1.0" are one number for max, and two values for dc; what is no number is passed by.
    let mixed = [json!({"f": "1"}), json!({"f": "1.0"}), json!({"f": "x"}), json!({"g": "1"})];
    check("* | stats dc(f) AS d, sum(f) AS s, max(f) AS m, count(f) AS n", &mixed, &["d", "s", "m", "n"], &["3 2 x 3"]);
    // A row without the field is in no group.
    check("* | stats count AS n BY g", &mixed, &["g", "n"], &["1 1"]);
    check("* | eventstats count AS n BY g", &mixed, &["n"], &["-", "-", "-", "1"]);
}

#[test]
fn rows_are_ordered_multiplied_and_dropped() {
    let rows =
        [json!({"n": "10", "m": "a"}), json!({"n": "9", "m": "b"}), json!({"n": "-1", "m": "c"}), json!({"m": "d"})];
    check("* | sort 0 n", &rows, &["n"], &["-1", "9", "10", "-"]);
    check("* | sort 0 -n", &rows, &["n"], &["10", "9", "-1", "-"]);
    check("* | sort 0 _time | reverse", &rows, &["m"], &["d", "c", "b", "a"]);
    check(
        "m=a | eval e=split(\"1,-1\", \",\") | mvexpand e | eval at=if(e=1, _time, _time+5) | sort 0 at, -e",
        &rows,
        &["m", "e", "at"],
        &["a 1 100", "a -1 105"],
    );
    let twice = [json!({"k": "a"}), json!({"k": "b"}), json!({"k": "a"}), json!({"j": "a"}), json!({"j": "b"})];
    check("* | dedup keepempty=true k | stats count AS n, values(k) AS k", &twice, &["n", "k"], &["4 a,b"]);
    check("* | dedup k | stats count AS n", &twice, &["n"], &["2"]);
    // Rows that compare equal come in an order that is not told.
    let query = "* | sort 0 k | stats last(j) AS j";
    assert_ne!(run(query, &twice, Ties::Kept).map(|rows| rows[0].values("j")[0].plain.clone()), {
        run(query, &twice, Ties::Reversed).map(|rows| rows[0].values("j")[0].plain.clone())
    });
}

#[test]
fn fields_are_assigned() {
    let rows = [json!({"a": "3", "b-c": "x"}), json!({"b-c": "y"})];
    check("* | eval d=a+1, e=d*2, f=e/4-1", &rows, &["d", "e", "f"], &["4 8 1", "- - -"]);
    check("* | eval d=len('b-c') . \":\" . 'b-c'", &rows, &["d"], &["1:x", "1:y"]);
    check("* | eval a=null()", &rows, &["a"], &["-", "-"]);
    check(
        "* | eval d=case(a=3, \"three\", 'b-c'=\"z\", \"z\"), e=coalesce(a, \"-\")",
        &rows,
        &["d", "e"],
        &["three 3", "- -"],
    );
    check("* | fillnull value=0 a d", &rows, &["a", "d"], &["3 0", "0 0"]);
    check("* | fields - a, \"b-c\"", &rows, &["a", "b-c"], &["- -", "- -"]);
    check("* | eval t=_time+0.5 | bin t span=1m", &rows, &["t"], &["60", "60"]);
    check("* | stats min(_time) AS t | convert ctime(t)", &rows, &["t"], &["100"]);
    check("* | where (if(a=3, 1, 0)+if('b-c'=\"x\", 1, 0))>=2", &rows, &["a"], &["3"]);
}

#[test]
fn searches_side_by_side() {
    let rows = [json!({"a": "1"}), json!({"a": "2"}), json!({"a": "3", "t": "x | ] y"})];
    check(
        "| multisearch\n [ search a=1 OR a=2\n | eval r=\"one\" ]\n [ search t=\"x | ] y\" OR a=2 | eval r=\"two\" ]",
        &rows,
        &["a", "r"],
        &["1 one", "2 one", "2 two", "3 two"],
    );
}

#[test]
fn what_is_not_known() {
    let rows = [json!({"a": ["1", "2"]}), json!({"b": "1"})];
    for query in [
        "* | stats count",
        "* | stats count AS",
        "* | stats median(a) AS m",
        "* | stats count AS n BY a",
        "* | stats count AS n BY *",
        "* | streamstats count AS n BY b",
        "* | streamstats reset_on_change=t count AS n",
        "* | streamstats time_window=1x count AS n",
        "* | streamstats window=2 time_window=1s count AS n",
        "* | sort a",
        "* | sort 0",
        "* | sort 0 -a b",
        "* | mvexpand b",
        "* | eval a",
        "* | eval c=b=1",
        "* | eval c=b.a",
        "* | eval c=b . a+1",
        "* | eval c=1+b . a",
        "* | eval c=lower(a)",
        "* | where lower(a)=\"1\"",
        "* | fields a",
        "* | bin b span=1mon",
        "* | transaction b",
        "| stats count AS n",
        "| multisearch [ search b=1 ]",
        "| multisearch [ search b=1 ] [ search b=1 | stats count AS n ]",
        "| multisearch [ search b=1 ] [ b=2 ]",
        "| multisearch [ search b=1 ] [ search b=2",
        "* ] | stats count AS n",
    ] {
        refused(query, &rows);
    }
}
