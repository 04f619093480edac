//! Correlations in SQLite: the emitted query finds the events at which the evaluator says that the correlation fires.

use serde_json::{Value, json};
use sigcast_backends::Status;
use sigcast_diagnostics::SourceMap;
use sigcast_eval::{CorrelationMatcher, Firing, Limits, TimedEvent, correlation_samples, iso8601};
use sigcast_frontend::{Kind, link, parse};
use sigcast_ir::{Correlation, KeyField, Source, lower};
use sigcast_testing::streams::{RULES, Streams};
use sigcast_testing::{files, sample_rules};

use crate::{backend, table};

/// The last correlation of a file with those rules and these documents.
fn with_correlation(documents: &str, check: impl FnOnce(&Correlation<'_>)) {
    let mut sources = SourceMap::new();
    let id = sources.add("correlations.yml", format!("{RULES}{documents}"));
    let mut documents = parse(&sources, id);
    link(&mut documents.iter_mut().collect::<Vec<_>>());
    let last = documents.last().expect("a document");
    match &last.kind {
        Kind::Correlation(correlation) => check(correlation),
        _ => panic!("{last:?}"),
    }
}

/// The stream as rows, each with its time as text.
fn rows(stream: &[TimedEvent]) -> Vec<Value> {
    let row = |one: &TimedEvent| {
        let mut event = one.event.as_object().cloned().unwrap_or_default();
        event.insert("timestamp".to_owned(), Value::String(iso8601(one.time)));
        Value::Object(event)
    };
    stream.iter().map(row).collect()
}

/// The events that a query finds, each once.
fn found(connection: &rusqlite::Connection, query: &str) -> Vec<usize> {
    let mut found = table::found(connection, query).unwrap_or_else(|fault| panic!("{fault}: {query}"));
    found.dedup();
    found
}

/// The events at which something fires, each once.
fn events(firings: &[Firing]) -> Vec<usize> {
    let mut events: Vec<usize> = firings.iter().map(|firing| firing.event).collect();
    events.sort_unstable();
    events.dedup();
    events
}

/// Asks SQLite and the evaluator about many streams, of which some fire and some do not.
fn check(documents: &str) {
    check_as(documents, Status::Exact);
}

/// The same of a correlation that is converted with this status.
fn check_as(documents: &str, status: Status) {
    let backend = backend(&[]);
    with_correlation(documents, |correlation| {
        let converted = backend.correlate(correlation);
        assert_eq!(converted.status, status, "{documents}: {:?}", converted.diagnostics);
        let [query] = converted.queries.as_slice() else { panic!("one query is expected: {converted:?}") };
        let matcher = CorrelationMatcher::new(correlation).expect("a correlation that has a meaning");
        let connection = table::database();
        let columns: Vec<String> =
            ["timestamp", "EventID", "User", "Target", "Host", "Port", "Bytes"].map(str::to_owned).into();
        let (mut fired, mut quiet) = (0, 0);
        for (number, events_of) in Streams::new(json!(0)).take(150).enumerate() {
            let stream: Vec<_> = events_of.into_iter().map(|(time, event)| TimedEvent { time, event }).collect();
            table::table(&connection, &columns, &rows(&stream), table::Declared::Bare);
            let found = found(&connection, query);
            let expected = events(&matcher.fires(&stream).expect("an answer"));
            assert_eq!(found, expected, "stream {number}: {:#?}\n{documents}\n{query}", rows(&stream));
            if expected.is_empty() { quiet += 1 } else { fired += 1 }
        }
        assert!(fired > 0 && quiet > 0, "{fired} streams fire and {quiet} do not: {documents}");
    });
}

/// A correlation of the rules, grouped by the host, within a minute.
fn correlation(kind: &str, rules: &str, condition: &str) -> String {
    format!(
        "title: C\ncorrelation:\n  type: {kind}\n  rules: {rules}\n  group-by: [Host]\n  timespan: 1m\n{}",
        if condition.is_empty() { String::new() } else { format!("  condition: {condition}\n") }
    )
}

#[test]
fn events_are_counted() {
    check(&correlation("event_count", "[one]", "{gte: 2}"));
    check(&correlation("event_count", "[one, two]", "{gt: 2, lte: 4}"));
    check(&correlation("event_count", "[one, two, three]", "{eq: 3}"));
    check(&correlation("event_count", "[three]", "{neq: 1}"));
    let ungrouped = "title: C\ncorrelation: {type: event_count, rules: [two], timespan: 15s, condition: {gte: 2}}\n";
    check(ungrouped);
}

#[test]
fn values_are_measured() {
    check(&correlation("value_count", "[one, two]", "{field: User, gte: 2}"));
    check(&correlation("value_count", "[one, two]", "{field: [User, Target], gte: 3}"));
    check(&correlation("value_count", "[one]", "{field: Port, lt: 2}"));
    check(&correlation("value_sum", "[one, two]", "{field: Bytes, gte: 110}"));
    check(&correlation("value_avg", "[one, two]", "{field: Bytes, gt: 20.5}"));
    check(&correlation("value_min", "[one, two]", "{field: Bytes, gte: 7}"));
    check(&correlation("value_max", "[one]", "{field: Port, lte: 2}"));
    check(&correlation("value_median", "[one, two]", "{field: Bytes, gt: 8}"));
    check(&correlation("value_percentile", "[one, two, three]", "{field: Bytes, percentile: 75, gt: 30}"));
}

#[test]
fn rules_occur_together() {
    check(&correlation("temporal", "[one, two]", ""));
    check(&correlation("temporal", "[one, two, three]", "{gte: 2}"));
    check(&correlation("temporal", "[one, two, three]", "one and (two or three)"));
    check(&correlation("temporal", "[one, two, three]", "one and two and not three"));
    check(&correlation("temporal", "[one, two]", "not one and not (two and one)"));
}

#[test]
fn rules_occur_in_order() {
    check(&correlation("temporal_ordered", "[one, two]", ""));
    check(&correlation("temporal_ordered", "[three, two, one]", ""));
    check(&correlation("temporal_ordered", "[one, two, three]", "{gte: 2}"));
    check(&correlation("temporal_ordered", "[one, two, three]", "(one or two) and three"));
    check(&correlation("temporal_ordered", "[two, one, three]", "two and one and not three"));
}

#[test]
fn keys_may_be_of_other_fields_for_each_rule() {
    let aliased = "title: C\ncorrelation:\n  type: temporal\n  rules: [one, two]\n  group-by: [who]\n  timespan: 1m\n  \
                   aliases: {who: {one: User, two: Target}}\n";
    check(aliased);
    check(&aliased.replace("temporal", "temporal_ordered"));
}

#[test]
fn correlations_are_correlated() {
    let inner = "title: Many\nname: many\ncorrelation: {type: event_count, rules: [one], group-by: [Host, User], \
                 timespan: 1m, condition: {gte: 2}}\n---\n";
    check(&format!("{inner}{}", correlation("temporal_ordered", "[many, two]", "")));
    check(&format!("{inner}{}", correlation("event_count", "[many, three]", "{gte: 2}")));
    let within = "title: C\ncorrelation: {type: temporal, rules: [many, three], timespan: 30s}\n";
    check(&format!("{inner}{within}"));
    let middle = "title: Middle\nname: middle\ncorrelation: {type: temporal, rules: [many, two], group-by: [Host], \
                  timespan: 2m}\n---\n";
    check(&format!("{inner}{middle}{}", correlation("value_count", "[middle, three]", "{field: Port, gte: 2}")));
}

/// Rows are taken once for each member then, which the correlations around must not see: `two` has events of `one`.
#[test]
fn correlations_by_other_fields_for_each_rule_stand_in_others() {
    let inner = |kind: &str, condition: &str| {
        format!(
            "title: Many\nname: many\ncorrelation:\n  type: {kind}\n  rules: [one, three]\n  group-by: [who]\n  \
             aliases: {{who: {{one: User, three: Target}}}}\n  timespan: 1m\n{condition}---\n"
        )
    };
    let count = inner("event_count", "  condition: {gte: 2}\n");
    let outer = |kind: &str, alias: &str, rest: &str| {
        format!(
            "title: C\ncorrelation:\n  type: {kind}\n  rules: [many, two]\n  group-by: [who]\n  \
             aliases: {{who: {{many: {alias}}}}}\n  timespan: 2m\n{rest}"
        )
    };
    let by_who = outer("temporal_ordered", "who, two: User", "");
    check_as(&format!("{count}{by_who}"), Status::Approximate);
    let temporal = inner("temporal", "");
    check(&format!("{temporal}{by_who}"));
    check(&format!("{temporal}{}", outer("temporal", "Host, two: Host", "")));
    check(&format!("{temporal}{}", outer("value_count", "who, two: Target", "  condition: {field: Port, gte: 2}\n")));
    check(&format!("{temporal}{}", correlation("temporal", "[many, two]", "two and not many")));
    // A rule behind the inner one is counted by a third one, once an event.
    let busy = "title: Busy\nname: busy\ncorrelation: {type: event_count, rules: [two], group-by: [Host], timespan: 1m, \
                condition: {eq: 2}}\n---\n";
    check(&format!("{temporal}{busy}{}", correlation("temporal", "[many, busy]", "")));
    check(&format!("{busy}{temporal}{}", correlation("temporal", "[busy, many]", "")));
    // Three deep.
    let middle = outer("temporal", "who, two: User", "").replace("title: C\n", "title: Middle\nname: middle\n");
    check(&format!("{temporal}{middle}---\n{busy}{}", correlation("temporal_ordered", "[middle, busy, two]", "")));
}

/// Rows whose time no engine can read are in no window.
#[test]
fn rows_without_a_time_are_no_events() {
    let backend = backend(&[]);
    let documents = [correlation("event_count", "[one]", "{gte: 2}"), correlation("temporal", "[one, two]", "")];
    for documents in documents {
        with_correlation(&documents, |correlation| {
            let query = backend.correlate(correlation).queries.concat();
            let connection = table::database();
            let columns: Vec<String> = ["timestamp", "EventID", "Host"].map(str::to_owned).into();
            let ask = |times: [Value; 2]| {
                let [first, second] = times;
                let rows = [(first, 1), (second, 4)];
                let rows = rows.map(|(time, id)| json!({"timestamp": time, "EventID": id, "Host": "x"}));
                table::table(&connection, &columns, &rows, table::Declared::Bare);
                found(&connection, &query)
            };
            let time = || json!("2026-01-01T00:00:00Z");
            assert_eq!(ask([time(), time()]), [0, 1], "{query}");
            assert_eq!(ask([Value::Null, Value::Null]), [0; 0], "{query}");
            assert_eq!(ask([json!("yesterday"), json!("today")]), [0; 0], "{query}");
        });
    }
}

/// The last half millisecond of a minute is of the next one, and not of the second after it.
#[test]
fn times_below_the_millisecond_are_no_second_late() {
    let query = backend(&[]);
    with_correlation(
        "title: C\ncorrelation: {type: event_count, rules: [one], timespan: 1s, condition: {gte: 2}}\n",
        |one| {
            let query = query.correlate(one).queries.concat();
            let connection = table::database();
            let columns: Vec<String> = ["timestamp", "EventID"].map(str::to_owned).into();
            let times = ["2026-01-01T00:00:59.2Z", "2026-01-01T00:00:59.9996Z"];
            let rows = times.map(|time| json!({"timestamp": time, "EventID": 1}));
            table::table(&connection, &columns, &rows, table::Declared::Bare);
            assert_eq!(found(&connection, &query), [1], "{query}");
        },
    );
}

/// SQLite 3.40 passes over `FILTER` with `MIN` and `MAX` in a frame that moves.
#[test]
fn no_window_is_filtered_by_a_clause_of_its_own() {
    for condition in ["value_min", "value_max", "value_sum", "event_count", "temporal", "temporal_ordered"] {
        let bounds = match condition {
            "event_count" => "{gte: 2}",
            "temporal" | "temporal_ordered" => "",
            _ => "{field: Bytes, gte: 2}",
        };
        with_correlation(&correlation(condition, "[one, two]", bounds), |one| {
            let query = backend(&[]).correlate(one).queries.concat();
            assert!(query.contains(" OVER (") && !query.contains("FILTER"), "{query}");
        });
    }
}

/// As many rules as are converted can be asked, and more are refused: a table has no more columns.
#[test]
fn many_rules_are_asked_or_refused() {
    let many = |count: usize, kind: &str| {
        let rules: String = (0..count)
            .map(|at| {
                format!(
                    "title: R\nname: r{at}\nlogsource: {{category: c}}\ndetection: {{s: {{EventID: {at}}}, condition: s}}\n---\n"
                )
            })
            .collect();
        let names: Vec<String> = (0..count).map(|at| format!("r{at}")).collect();
        let wanted = if kind == "temporal_ordered" { "" } else { "{gte: 2}" };
        format!("{rules}{}", correlation(kind, &format!("[{}]", names.join(", ")), wanted))
    };
    for (kind, most) in [("event_count", 400), ("temporal", 400), ("temporal_ordered", 95)] {
        with_correlation(&many(most, kind), |one| {
            let query = backend(&[]).correlate(one).queries.concat();
            let connection = table::database();
            let columns: Vec<String> = ["timestamp", "EventID", "Host"].map(str::to_owned).into();
            let rows = [7, most - 5].map(|id| json!({"timestamp": "2026-01-01T00:00:00Z", "EventID": id, "Host": "x"}));
            table::table(&connection, &columns, &rows, table::Declared::Bare);
            let expected: &[usize] = if kind == "temporal_ordered" { &[] } else { &[0, 1] };
            assert_eq!(found(&connection, &query), expected, "{kind}");
        });
        with_correlation(&many(most + 6, kind), |one| {
            let converted = backend(&[]).correlate(one);
            assert_eq!(converted.status, Status::Refused, "{:?}", converted.diagnostics);
        });
    }
}

/// The fields that a correlation asks of events.
fn fields(correlation: &Correlation<'_>, all: &mut Vec<String>) {
    for member in &correlation.members {
        let key = |key: &KeyField<'_>| match key {
            KeyField::Field(field) => Some(field.as_str().to_owned()),
            KeyField::Inner(_) => None,
        };
        all.extend(member.keys.iter().filter_map(key));
        all.extend(member.values.iter().map(|field| field.as_str().to_owned()));
        match &member.source {
            Source::Correlation(inner) => fields(inner, all),
            Source::Rule(rule) => lower::queries(rule).iter().for_each(|(query, _)| {
                query.each_match(&mut |leaf| all.extend(leaf.field().map(|field| field.as_str().to_owned())));
            }),
        }
    }
}

/// SQLite finds in the sample streams of the sample correlations the events at which they are known to fire.
#[test]
fn sample_correlations_fire_where_their_streams_say() {
    let backend = backend(&[]);
    let connection = table::database();
    let (mut fired, mut quiet) = (0, 0);
    for path in files(&sample_rules().join("correlation"), &["yml"]) {
        let mut sources = SourceMap::new();
        let id = sources.add("correlations.yml", std::fs::read_to_string(&path).expect("a file"));
        let mut documents = parse(&sources, id);
        link(&mut documents.iter_mut().collect::<Vec<_>>());
        for document in &documents {
            let Kind::Correlation(correlation) = &document.kind else { continue };
            let converted = backend.correlate(correlation);
            let [query] = converted.queries.as_slice() else { panic!("{}: {converted:?}", path.display()) };
            let samples = correlation_samples(correlation, Limits::default()).expect("streams");
            // A column holds one value.
            let flat = |one: &TimedEvent| {
                one.event
                    .as_object()
                    .is_some_and(|event| event.values().all(|value| !value.is_array() && !value.is_object()))
            };
            for sample in samples.iter().filter(|sample| sample.stream.iter().all(flat)) {
                let rows = rows(&sample.stream);
                let mut columns = table::columns_of(&rows);
                fields(correlation, &mut columns);
                columns.sort();
                columns.dedup();
                table::table(&connection, &columns, &rows, table::Declared::Bare);
                let found = found(&connection, query);
                assert_eq!(found, events(&sample.fires), "{}: {}\n{query}", path.display(), sample.what);
                if found.is_empty() { quiet += 1 } else { fired += 1 }
            }
        }
    }
    assert!(fired > 20 && quiet > 20, "{fired} streams fire and {quiet} do not");
}
