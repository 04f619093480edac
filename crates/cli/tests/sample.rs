//! What `sigcast sample` does as a program: lines, limits, exit codes.

mod support;

use serde_json::{Value, json};
use support::{ARTLESS, BROKEN, BRUTE, Folder, GOOD, OTHER, Ran, run, run_with};

/// The lines of a run.
fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// A rule with a placeholder in line 4.
const UNRESOLVED: &str = "title: Unresolved
logsource: {product: windows}
detection:
    s: {'User|expand': '%admins%'}
    condition: s
";

#[test]
fn a_line_holds_an_event_with_the_answer_of_each_condition() {
    let folder = Folder::new("sample-lines");
    let file = folder.file("two.yml", &GOOD.replace("condition: s", "condition: [s, not s]"));
    let ran = run(&["sample", &file]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found = lines(&ran);
    let keys: Vec<&String> = found[0].as_object().expect("an object").keys().collect();
    assert_eq!(keys.len(), 7);
    assert!(ran.stdout.starts_with(&format!("{{\"path\":{},\"document\":1,\"rule_id\":", json!(file))));
    for line in &found {
        assert_eq!((&line["title"], &line["path"], &line["document"]), (&json!("Good"), &json!(file), &json!(1)));
        assert_eq!(line["rule_id"], "11111111-2222-4333-8444-555555555555");
        assert!(line["what"].as_str().is_some_and(|what| !what.is_empty()), "{line}");
        // What the rule means, said here once more: one of the field's values is this text, in any case.
        let is = |value: &Value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("a.exe"));
        let image = &line["event"]["Image"];
        let hit = image.as_array().map_or_else(|| is(image), |all| all.iter().any(is));
        assert_eq!(line["expected"], json!([hit, !hit]), "{line}");
    }
    for wanted in [json!([true, false]), json!([false, true])] {
        assert!(found.iter().any(|line| line["expected"] == wanted), "{}", ran.stdout);
    }
    let hits = found.iter().filter(|line| line["expected"].as_array().is_some_and(|all| all.contains(&json!(true))));
    assert!(
        ran.stderr.contains(&format!("1 sampled\n  events: {} match a condition, 0 match none", hits.count())),
        "{}",
        ran.stderr
    );
}

#[test]
fn limits_are_kept() {
    let folder = Folder::new("sample-limits");
    let file = folder.file("good.yml", &GOOD.replace("Image: a.exe", "Image: [a.exe, b.exe, c.exe]"));
    let count = |args: &[&str]| lines(&run(&[&["sample", &file], args].concat())).len();
    assert_eq!(count(&["--variations", "0"]), 3);
    assert_eq!(count(&["--hits", "1", "--variations", "0"]), 1);
    assert_eq!(count(&["--hits", "2", "--variations", "5"]), 7);
    assert!(count(&[]) > 10);
}

#[test]
fn rules_are_read_as_by_convert_and_one_bad_rule_stops_no_other() {
    let folder = Folder::new("sample-folder");
    folder.file("a.yml", GOOD);
    folder.file("b.yml", BROKEN);
    folder.file("c.yml", UNRESOLVED);
    folder.file("d/e.yml", OTHER);
    let ran = run(&["sample", "--hits", "1", "--variations", "0", &folder.path()]);
    let titles: Vec<Value> = lines(&ran).iter().map(|line| line["title"].clone()).collect();
    assert_eq!((ran.code, titles), (1, vec![json!("Good"), json!("Other")]));
    for said in ["error[unknown-modifier]", "error[unresolved-placeholder]", "2 sampled, 1 refused, 1 invalid"] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    let piped = run_with(&["sample", "-q", "-"], GOOD.as_bytes(), &[]);
    assert_eq!((piped.code, piped.stderr.as_str()), (0, ""));
    assert!(lines(&piped).iter().all(|line| line["path"] == "<stdin>"));
}

#[test]
fn a_condition_without_a_hit_is_said() {
    let folder = Folder::new("sample-contradiction");
    let file = folder.file("none.yml", &GOOD.replace("condition: s", "condition: s and not s"));
    let ran = run(&["sample", &file]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(ran.stderr.contains("warning[no-hit]") && ran.stderr.contains("none.yml:9:"), "{}", ran.stderr);
}

#[test]
fn exit_codes_are_as_promised() {
    let folder = Folder::new("sample-codes");
    let good = folder.file("good.yml", GOOD);
    let artless = folder.file("none.yml", ARTLESS);
    let missing = folder.path() + "/missing.yml";
    let check = |args: &[&str], code: i32, said: &str| {
        let ran = run(args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
    };
    check(&["sample"], 2, "no PATH is given");
    check(&["sample", "--hits", "0", &good], 2, "--hits");
    check(&["sample", &artless], 1, "no rule found");
    check(&["sample", &good, &missing], 3, "cannot read");
    assert!(!run(&["sample", &good, &missing]).stdout.is_empty());
}

#[test]
fn a_line_of_a_correlation_is_a_stream_with_its_firings() {
    let folder = Folder::new("sample-streams");
    let file = folder.file("brute.yml", BRUTE);
    let ran = run(&["sample", &file]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found = lines(&ran);
    assert!(ran.stdout.starts_with(&format!("{{\"path\":{},\"document\":2,\"rule_id\":", json!(file))));
    let keys: Vec<&String> = found[0].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["path", "document", "rule_id", "title", "expected", "what", "stream"]);
    let just =
        found.iter().find(|line| line["what"].as_str().is_some_and(|what| what.starts_with("just enough within")));
    let just = just.expect("the plainest stream");
    assert_eq!(just["expected"], json!([{"event": 2, "keys": ["alpha"]}]));
    assert_eq!(just["stream"][2], json!({"@timestamp": "2026-01-01T00:00:02.000Z", "EventID": 4625, "User": "alpha"}));
    let (fire, silent): (Vec<_>, Vec<_>) = found.iter().partition(|line| line["expected"] != json!([]));
    assert!(!fire.is_empty() && !silent.is_empty());
    let said = format!(
        "1 sampled, 1 skipped\n  streams: in {} a correlation fires, in {} it does not",
        fire.len(),
        silent.len()
    );
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    let other = run(&["sample", "--time-field", "when", "--hits", "1", "--variations", "1", &file]);
    let other = lines(&other);
    assert_eq!((other.len(), &other[0]["stream"][0]["when"]), (2, &json!("2026-01-01T00:00:00.000Z")));
    // The field of the time is one that the rules ask for.
    let clash = run(&["sample", "--time-field", "User", &file]);
    assert!(clash.stderr.contains("warning[no-hit]") && clash.stderr.contains("--time-field"), "{}", clash.stderr);
}
