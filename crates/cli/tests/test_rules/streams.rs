//! `sigcast test` of correlations: files of events with times.

use serde_json::{Value, json};

use crate::support::{BRUTE, Folder, GOOD, run};
use crate::{check, objects};

/// Lines of events of one user, each with its time.
fn logons(times: &[&str], user: &str) -> String {
    let event = |time: &&str| format!("{}\n", json!({"@timestamp": time, "EventID": 4625, "User": user}));
    times.iter().map(event).collect()
}

const WITHIN: [&str; 3] = ["2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z", "2026-01-01T00:01:00Z"];
const LATE: [&str; 3] = ["2026-01-01T00:00:00Z", "2026-01-01T00:05:00.001Z", "2026-01-01T00:01:00Z"];

#[test]
fn a_file_of_a_correlation_is_a_stream() {
    let folder = Folder::new("test-streams");
    folder.file("brute.yml", BRUTE);
    // The file has its name for the correlation, as the rule is used up; that one has tests by its own name.
    folder.file("tests/brute.match.jsonl", &logons(&WITHIN, "a"));
    folder.file("tests/brute_force.nomatch.jsonl", &logons(&LATE, "a"));
    folder.file("tests/logon_failed.match.jsonl", "{\"EventID\":4625}");
    let passed = ["logon_failed.match.jsonl:1 passed", "brute.match.jsonl passed", "brute_force.nomatch.jsonl passed"];
    let ran = check(&[&folder.path()], 0, &passed);
    assert!(ran.stderr.contains("rules: 2 with tests"), "{}", ran.stderr);
    // Who has samples has tests.
    let sampled = run(&["sample", &(folder.path() + "/brute.yml")]);
    for (at, line) in sampled.stdout.lines().enumerate() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let word = if line["expected"] == json!([]) { "nomatch" } else { "match" };
        let events: String =
            line["stream"].as_array().expect("a list").iter().map(|event| format!("{event}\n")).collect();
        let one = Folder::new(&format!("test-sampled-{at}"));
        one.file("brute.yml", BRUTE);
        one.file(&format!("brute.{word}.jsonl"), &events);
        check(&[&one.path()], 0, &[&format!("brute.{word}.jsonl passed")]);
    }
}

#[cfg(feature = "engine-sqlite")]
#[test]
fn sqlite_answers_with_the_query_of_a_correlation() {
    let case = |name: &str, rule: &str, word: &str, events: &str, code: i32, status: &str| -> String {
        let folder = Folder::new(&format!("test-sqlite-stream-{name}"));
        folder.file("x.yml", rule);
        folder.file(&format!("x.{word}.jsonl"), events);
        check(&["--engine", "sqlite", &folder.path()], code, &[&format!("x.{word}.jsonl{status}")]).stdout
    };
    case("within", BRUTE, "match", &logons(&WITHIN, "a"), 0, " passed");
    case("late", BRUTE, "nomatch", &logons(&LATE, "a"), 0, " passed");
    // What the evaluator says first is said as without SQLite.
    let said = case("fires", BRUTE, "nomatch", &logons(&WITHIN, "a"), 1, ":2 failed");
    assert!(said.contains("found: it fires at line 2"), "{said}");
    // An address spelled in an unusual way is in the network, and a query for text patterns cannot know it.
    let network = BRUTE.replace("EventID: 4625", "'Ip|cidr': 'fc00:1:2::/48'");
    let plain = logons(&WITHIN, "a").replace("\"EventID\":4625", "\"Ip\":\"fc00:1:2::1\"");
    case("network", &network, "match", &plain, 0, " passed");
    let said = case("odd", &network, "match", &plain.replacen("fc00:1:2::1", "fc00:01:0002::1", 1), 1, ":2 failed");
    let part =
        "the correlation fires at line 2 (User = a), and the query for SQLite does not find it there (it rests on ";
    assert!(said.contains(part) && said.contains("SELECT * FROM"), "{said}");
    // What SQLite cannot say, or hold, is not decided.
    let refused = BRUTE.replace("EventID: 4625", "'User|re': '^(?=a)'");
    let said = case("refused", &refused, "match", &logons(&WITHIN, "a"), 1, " skipped");
    assert!(said.contains("not decided by SQLite: the target sqlite refuses the correlation: "), "{said}");
    let several = logons(&WITHIN, "a") + r#"{"@timestamp":"2027-01-01T00:00:00Z","User":["a","b"]}"#;
    let said = case("several", BRUTE, "match", &several, 1, " skipped");
    assert!(said.contains("not decided by SQLite: event 4: ") && said.contains("assume-single-values"), "{said}");
    let ancient = logons(&WITHIN, "a").replace("2026-01-01", "-000044-03-15");
    let said = case("ancient", BRUTE, "match", &ancient, 1, " skipped");
    assert!(said.contains("not decided by SQLite: event 1: its time is beyond"), "{said}");
}

/// SQLite decides every stream that is made for the sample correlations, and as they are known to fire.
#[cfg(feature = "engine-sqlite")]
#[test]
fn sample_correlations_pass_on_sqlite() {
    let rules = sigcast_testing::sample_rules().join("correlation");
    let mut passed = 0;
    for path in sigcast_testing::files(&rules, &["yml"]) {
        let text = std::fs::read_to_string(&path).expect("a file");
        let sampled = run(&["sample", &path.display().to_string()]);
        let folder = Folder::new(&format!("test-samples-{}", path.file_stem().expect("a name").display()));
        for (at, line) in sampled.stdout.lines().enumerate() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let Some(stream) = line["stream"].as_array() else { continue };
            let word = if line["expected"] == json!([]) { "nomatch" } else { "match" };
            let events: String = stream.iter().map(|event| format!("{event}\n")).collect();
            folder.file(&format!("{at}/x.yml"), &text);
            folder.file(&format!("{at}/{}.{word}.jsonl", line["rule_id"].as_str().expect("an id")), &events);
            let ran = run(&["test", "--format", "json", "--engine", "sqlite", &format!("{}/{at}", folder.path())]);
            let cases = objects(&ran);
            let [case] = cases.as_slice() else { panic!("{}: {}", path.display(), ran.stdout) };
            // A column holds one value.
            let several = case["message"].as_str().is_some_and(|why| why.contains("assume-single-values"));
            assert!(case["status"] == "passed" || several, "{}: {case}", path.display());
            passed += usize::from(!several);
        }
    }
    assert!(passed > 100, "{passed} streams are decided");
}

#[test]
fn a_stream_that_fails_tells_how_near_it_came() {
    let case = |name: &str, rule: &str, word: &str, events: &str, args: &[&str]| -> (i32, String) {
        let folder = Folder::new(&format!("test-stream-{name}"));
        folder.file("x.yml", rule);
        folder.file(&format!("x.{word}.jsonl"), events);
        let ran = run(&[&["test", "--format", "json", &folder.path()], args].concat());
        let all: Vec<String> = objects(&ran)
            .iter()
            .map(|case| {
                format!(
                    "{} {} {}",
                    case["line"],
                    case["status"].as_str().unwrap_or(""),
                    case["message"].as_str().unwrap_or("")
                )
            })
            .collect();
        (ran.code, all.join("\n"))
    };
    let is = |found: (i32, String), code: i32, expected: &str| assert_eq!(found, (code, expected.to_owned()));
    is(
        case("late", BRUTE, "match", &logons(&LATE, "a"), &[]),
        1,
        "null failed expected: the correlation fires; found: it does not; nearest: the count of events is 2, and >= 3 is \
         asked, in the window that ends at line 2 (User = a)",
    );
    is(
        case("fires", BRUTE, "nomatch", &logons(&WITHIN, "a"), &[]),
        1,
        "2 failed expected: the correlation does not fire; found: it fires at line 2 (User = a)",
    );
    is(
        case("keyless", BRUTE, "match", "{\"@timestamp\":0,\"EventID\":4625}", &[]),
        1,
        "null failed expected: the correlation fires; found: it does not; no event of its rules has User",
    );
    is(
        case("timeless", BRUTE, "match", "{\"EventID\":4625}\n{\"_time\":\"soon\"}\n7", &[]),
        1,
        "1 error the event has no time: one of the fields @timestamp, UtcTime, TimeCreated_SystemTime, TimeCreated, \
         timestamp, _time, TimeGenerated, EventTime is expected (--time-field)\n\
         2 error _time is no time: \"soon\"; ISO 8601 text, or a count of seconds since 1970, is expected\n\
         3 error an event is a JSON object, and this is a number",
    );
    let named = logons(&WITHIN, "a").replace("@timestamp", "when");
    is(case("named", BRUTE, "match", &named, &["--time-field", "when"]), 0, "null passed ");
    let ordered = BRUTE.replace(
        "type: event_count\n    rules: logon_failed",
        "type: temporal_ordered\n    rules: [logon_failed, logon]",
    );
    let ordered = ordered.replace("    condition: {gte: 3}\n", "")
        + &format!("---\n{GOOD}")
            .replace("Image: a.exe", "EventID: 4624")
            .replace("title: Good", "title: Logon\nname: logon");
    let success = "{\"@timestamp\":\"2025-12-31T23:59:59Z\",\"EventID\":4624,\"User\":\"a\"}";
    is(
        case("ordered", &ordered, "match", &(logons(&WITHIN[..1], "a") + success), &[]),
        1,
        "null failed expected: the correlation fires; found: it does not; nearest: events of logon_failed, logon, 1 of \
         them in order, in the window that ends at line 1 (User = a)",
    );
    is(
        case("never", &ordered, "match", &logons(&WITHIN[..1], "a"), &[]),
        1,
        "null failed expected: the correlation fires; found: it does not; no event is one of logon; nearest: events of \
         logon_failed and none of logon, 1 of them in order, in the window that ends at line 1 (User = a)",
    );
}
