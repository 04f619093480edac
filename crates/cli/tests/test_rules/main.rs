//! What `sigcast test` does as a program: where tests are found, what passes, what is told of what fails.

#[path = "../support/mod.rs"]
mod support;

mod streams;

use serde_json::{Value, json};
use sigcast_testing::corpus;
use support::{BROKEN, Folder, GOOD, OTHER, Ran, run, run_with};

/// A rule with a list, an `all`, and a filter.
const SHELL: &str = r"title: Shell
id: 22222222-2222-4333-8444-555555555555
name: shell_rule
logsource: {category: process_creation, product: windows}
detection:
    selection:
        Image|endswith: ['\cmd.exe', '\pwsh.exe']
        CommandLine|contains|all: [' -enc ', 'http']
    filter_main:
        ParentImage|endswith: '\explorer.exe'
    condition: selection and not 1 of filter_*
";

const HIT: &str = r#"{"Image":"C:\\Windows\\cmd.exe","CommandLine":"x -enc http"}"#;

/// The cases of a run: name of the file of events with its place, and the status.
fn cases(ran: &Ran) -> Vec<(String, String)> {
    let file = |case: &Value| case["file"].as_str().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    objects(ran)
        .iter()
        .map(|case| {
            let mut place = file(case).expect("a file");
            for key in ["line", "column"] {
                if let Some(number) = case[key].as_u64() {
                    place += &format!(":{number}");
                }
            }
            (place, case["status"].as_str().expect("a status").to_owned())
        })
        .collect()
}

fn objects(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// Runs with `--format json` and these arguments: the exit code, and the cases as `place status`.
#[track_caller]
fn check(args: &[&str], code: i32, expected: &[&str]) -> Ran {
    let ran = run(&[&["test", "--format", "json"], args].concat());
    let found: Vec<String> = cases(&ran).into_iter().map(|(place, status)| format!("{place} {status}")).collect();
    assert_eq!(found, expected, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, code, "{}\n{}", ran.stdout, ran.stderr);
    ran
}

#[test]
fn events_lie_beside_rules_and_are_named_by_file_id_or_name() {
    let folder = Folder::new("test-beside");
    folder.file("win/shell.yml", SHELL);
    folder.file("win/shell.match.jsonl", HIT);
    folder.file("win/tests/shell.nomatch.jsonl", "{\"Image\":\"x\"}\n\n{}\n");
    folder.file("win/tests/22222222-2222-4333-8444-555555555555.match.json", &format!("[{HIT}, {HIT}]"));
    folder.file("win/tests/shell_rule.match.ndjson", HIT);
    let all = [
        "shell.match.jsonl:1 passed",
        "shell.nomatch.jsonl:1 passed",
        "shell.nomatch.jsonl:3 passed",
        "22222222-2222-4333-8444-555555555555.match.json:1 passed",
        "22222222-2222-4333-8444-555555555555.match.json:1 passed",
        "shell_rule.match.ndjson:1 passed",
    ];
    let ran = check(&[&folder.path()], 0, &all);
    assert!(ran.stderr.contains("test: 6 passed\n  rules: 1 with tests"), "{}", ran.stderr);
    // A file that is named itself finds the same; a tree elsewhere mirrors that of the rules.
    check(&[&(folder.path() + "/win/shell.yml")], 0, &all);
    let mirror = Folder::new("test-mirror");
    mirror.file("rules/a/shell.yml", SHELL);
    mirror.file("events/a/shell.match.jsonl", HIT);
    mirror.file("events/b/shell.match.jsonl", "{}");
    let (rules, events) = (mirror.path() + "/rules", mirror.path() + "/events");
    check(&["--tests", &events, &rules], 0, &["shell.match.jsonl:1 passed"]);
    let ran = run_with(&["test", "--tests", &(events + "/a"), "-"], SHELL.as_bytes(), &[]);
    assert_eq!(ran.code, 1, "standard input has no file name: {}", ran.stderr);
}

#[test]
fn a_missing_match_tells_the_detection_and_the_nearest_miss() {
    let folder = Folder::new("test-nearest");
    folder.file("shell.yml", SHELL);
    folder.file(
        "tests/shell.match.jsonl",
        "{\"Image\":\"C:\\\\Windows\\\\pwsh.com\",\"CommandLine\":\"x -enc http\"}\n\
         {\"Image\":\"C:\\\\cmd.exe\",\"CommandLine\":\"-encoded\"}\n\
         {\"Image\":\"C:\\\\cmd.exe\",\"CommandLine\":\" -enc http\",\"ParentImage\":\"C:\\\\Explorer.EXE\"}\n\
         {\"image\":\"C:\\\\cmd.exe\",\"CommandLine\":\" -enc http\"}\n",
    );
    let path = folder.path();
    let ran = run(&["test", "--format", "json", &path]);
    let found = objects(&ran);
    assert_eq!((ran.code, found.len()), (1, 4), "{}", ran.stderr);
    // For each event: the detections' answers, and what is nearest.
    let told = |at: usize| {
        let condition = &found[at]["events"][0]["conditions"][0];
        assert_eq!(condition["condition"], "selection and not 1 of filter_*");
        let answers: Vec<&Value> =
            condition["detections"].as_array().expect("a list").iter().map(|one| &one["matches"]).collect();
        let nearest: Vec<(&Value, &Value, &Value)> = condition["nearest"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| (&one["item"], &one["line"], &one["found"]))
            .collect();
        json!([answers, nearest])
    };
    assert_eq!(told(0), json!([[false, false], [["Image|endswith: '\\pwsh.exe'", 7, ["C:\\Windows\\pwsh.com"]]]]));
    assert_eq!(
        told(1),
        json!([
            [false, false],
            [["CommandLine|contains: ' -enc '", 8, ["-encoded"]], ["CommandLine|contains: 'http'", 8, ["-encoded"]]]
        ])
    );
    assert_eq!(told(2), json!([[true, true], [["ParentImage|endswith: '\\explorer.exe'", 10, ["C:\\Explorer.EXE"]]]]));
    let text = run(&["test", &path]);
    for said in [
        "shell.match.jsonl:1\n    expected: the event matches; found: the event does not match",
        "no  selection\n        no  Image|endswith: ['\\cmd.exe', '\\pwsh.exe'] [line 7]",
        "nearest miss: 1 item",
        "shell.yml:7: selection: Image|endswith: '\\pwsh.exe'",
        "the event has Image: \"C:\\\\Windows\\\\pwsh.com\" (the nearest of 2 values)",
        "the event has no Image (the event has `image`: names of fields mind case)",
    ] {
        assert!(text.stdout.contains(said), "{said}\n{}", text.stdout);
    }
}

#[test]
fn an_unwanted_match_tells_what_matched() {
    let folder = Folder::new("test-unwanted");
    folder.file("shell.yml", SHELL);
    folder.file("shell.nomatch.jsonl", &format!("{{}}\n{HIT}"));
    let ran = check(&[&folder.path()], 1, &["shell.nomatch.jsonl:1 passed", "shell.nomatch.jsonl:2 failed"]);
    let condition = &objects(&ran)[1]["events"][0]["conditions"][0];
    assert_eq!(condition["matches"], true);
    let items = condition["detections"][0]["items"].as_array().expect("a list");
    assert!(items.len() == 2 && items.iter().all(|item| item["matches"] == true), "{condition}");
    // One change is enough: either item, or the filter.
    assert_eq!(condition["nearest"].as_array().map(Vec::len), Some(1), "{condition}");
}

#[test]
fn what_is_broken_stops_nothing_else() {
    let folder = Folder::new("test-broken");
    folder.file("a.yml", BROKEN);
    folder.file("shell.yml", SHELL);
    folder.file("tests/shell.match.jsonl", &format!("{{\"Image\":}}\n{HIT}\n3\n"));
    folder.file("tests/shell.match.json", "");
    folder.bytes("tests/shell.nomatch.json", b"{}\n{\"a\": \"\xff\"}");
    folder.bytes("tests/shell.nomatch.jsonl", b"{\"a\": \"\xff\"}\n{}");
    folder.file("tests/shall.match.jsonl", HIT);
    let all = [
        "a.yml:4:16 error",
        "shell.match.json error",
        "shell.match.jsonl:1:10 error",
        "shell.match.jsonl:2 passed",
        "shell.match.jsonl:3:1 error",
        "shell.nomatch.json:2:8 error",
        "shell.nomatch.jsonl:1:8 error",
        "shell.nomatch.jsonl:2 passed",
        // Named like no rule: a misspelt name is no test that passes.
        "shall.match.jsonl error",
    ];
    let ran = check(&[&folder.path()], 1, &all);
    assert!(ran.stderr.contains("error[unknown-modifier]"), "{}", ran.stderr);
}

#[test]
fn several_rules_in_a_file_are_told_apart_by_id_or_name() {
    let folder = Folder::new("test-several");
    folder.file("two.yml", &format!("{SHELL}---\n{GOOD}"));
    folder.file("shell_rule.match.jsonl", HIT);
    folder.file("11111111-2222-4333-8444-555555555555.match.jsonl", "{\"Image\":\"A.exe\"}");
    let both = ["shell_rule.match.jsonl:1 passed", "11111111-2222-4333-8444-555555555555.match.jsonl:1 passed"];
    check(&[&folder.path()], 0, &both);
    folder.file("two.match.jsonl", HIT);
    let ran = run(&["test", &folder.path()]);
    assert!(ran.code == 1 && ran.stdout.contains("two.yml has several rules"), "{}", ran.stdout);
}

/// A test of the public repository's kind.
fn info(id: &str, entry: &str) -> String {
    format!("id: x\nrule_metadata:\n    - id: {id}\nregression_tests_info:\n    - name: Positive\n      {entry}\n")
}

const GOOD_ID: &str = "11111111-2222-4333-8444-555555555555";

fn exported(image: &str) -> String {
    json!({"Event": {"System": {"EventID": 1}, "EventData": {"Image": image}}}).to_string()
}

#[test]
fn the_layout_of_the_public_repository() {
    let folder = Folder::new("test-public");
    let own = "regression_data/rules/win/good";
    let named = format!("{GOOD}regression_tests_path: {own}/info.yml\n");
    folder.file("rules/win/good.yml", &named);
    let rules = folder.path() + "/rules";
    let entry = |count: &str| format!("type: evtx\n      {count}\n      path: {own}/{GOOD_ID}.evtx");
    let events = format!("{}\n{}\n{}", exported("a.exe"), exported("b.exe"), exported("A.EXE"));
    // Without the recordings nothing is decided, and that is no success.
    check(&[&rules], 1, &["good.yml skipped"]);
    folder.file(&format!("{own}/info.yml"), &info(GOOD_ID, &entry("match_count: 2")));
    check(&[&rules], 1, &["info.yml error"]);
    folder.file(&format!("{own}/{GOOD_ID}.evtx"), "binary");
    check(&[&rules], 1, &["info.yml skipped"]);
    folder.file(&format!("{own}/{GOOD_ID}.json"), &events);
    let json = format!("{GOOD_ID}.json");
    for (count, status, code) in [
        ("match_count: 2", "passed", 0),
        ("match_count: 1", "passed", 0),
        ("provider: x", "passed", 0),
        ("match_count: 3", "failed", 1),
        ("match_count: 0", "failed", 1),
    ] {
        folder.file(&format!("{own}/info.yml"), &info(GOOD_ID, &entry(count)));
        check(&[&rules], code, &[&format!("{json} {status}")]);
    }
    folder.file(&format!("{own}/info.yml"), &info("another", &entry("match_count: 2")));
    check(&[&rules], 1, &["info.yml error"]);
    folder.file(&format!("{own}/info.yml"), "regression_tests_info: [\n  {name: x");
    check(&[&rules], 1, &["info.yml error"]);
}

#[test]
fn a_tree_of_tests_is_matched_by_id() {
    let folder = Folder::new("test-by-id");
    folder.file("rules/good.yml", GOOD);
    folder.file("rules/other.yml", OTHER);
    folder.file(&format!("flat/{GOOD_ID}.json"), &format!("{}{}", exported("b.exe"), exported("a.exe")));
    folder.file("deep/a/b/info.yml", &info(GOOD_ID, "type: jsonl\n      path: events.jsonl"));
    folder.file("deep/a/b/events.jsonl", &exported("a.exe"));
    let tree = |name: &str| format!("{}/{name}", folder.path());
    let (flat, deep, rules) = (tree("flat"), tree("deep"), tree("rules"));
    check(&["--tests", &flat, &rules], 0, &[&format!("{GOOD_ID}.json passed")]);
    check(
        &["--tests", &deep, "--tests", &flat, &rules],
        0,
        &["events.jsonl passed", &format!("{GOOD_ID}.json passed")],
    );
    // A rule without a test fails only if that is asked for.
    check(&["--strict", "--tests", &flat, &rules], 1, &[&format!("{GOOD_ID}.json passed")]);
}

#[test]
fn pipelines_map_rules_to_the_events_of_a_product() {
    let folder = Folder::new("test-pipelines");
    let mapping =
        "name: own\npriority: 10\ntransformations:\n    - type: field_name_mapping\n      mapping:\n          Image: ";
    let pipeline = folder.file("own.yml", &format!("{mapping}process.executable\n"));
    folder.file("rules/good.yml", GOOD);
    folder.file("rules/tests/good.match.jsonl", r#"{"process":{"executable":"a.exe"}}"#);
    let rules = folder.path() + "/rules";
    check(&[&rules], 1, &["good.match.jsonl:1 failed"]);
    check(&["-p", &pipeline, &rules], 0, &["good.match.jsonl:1 passed"]);
    // A test of the public repository names pipelines itself, for events as their file nests them.
    folder.file("pipes/nested.yml", &format!("{mapping}Event.EventData.Image\n"));
    let entry = "type: json\n      pipelines: [pipes/nested.yml]\n      path: events.json";
    folder.file("tests/good/info.yml", &info(GOOD_ID, entry));
    folder.file("tests/good/events.json", &exported("a.exe"));
    let good = folder.path() + "/rules/good.yml";
    let tests = folder.path() + "/tests";
    check(&["-p", &pipeline, "--tests", &tests, &good], 1, &["good.match.jsonl:1 passed", "events.json failed"]);
}

#[cfg(feature = "engine-sqlite")]
#[test]
fn sqlite_answers_with_the_emitted_query() {
    let folder = Folder::new("test-sqlite");
    let sqlite = |expected: &[&str], code: i32| check(&["--engine", "sqlite", &folder.path()], code, expected);
    folder.file("shell.yml", SHELL);
    folder.file("shell.match.jsonl", HIT);
    folder.file("shell.nomatch.jsonl", "{}");
    sqlite(&["shell.match.jsonl:1 passed", "shell.nomatch.jsonl:1 passed"], 0);
    // Several values in a field are no row: not decided, which fails only if that is asked for.
    folder.file("shell.match.jsonl", &HIT.replace("\"x -enc http\"", "[\"x -enc http\", \"y\"]"));
    let ran = sqlite(&["shell.match.jsonl:1 skipped", "shell.nomatch.jsonl:1 passed"], 0);
    assert!(ran.stdout.contains("assume-single-values"), "{}", ran.stdout);
    assert_eq!(run(&["test", "--strict", "--engine", "sqlite", &folder.path()]).code, 1);
    // Regular expressions and keywords run too.
    folder.file("shell.match.jsonl", HIT);
    folder.file(
        "words.yml",
        &OTHER
            .replace("s: {Image: b.exe}", "s: ['needle', 'x']")
            .replace("condition: s", "t: {'f|re': '^a+$'}\n    condition: s and t"),
    );
    folder.file("words.match.jsonl", r#"{"f":"aaa","g":"a Needle."}"#);
    folder.file("words.nomatch.jsonl", "{\"f\":\"ab\",\"g\":\"needle\"}\n{\"f\":\"a\"}");
    let all = [
        "shell.match.jsonl:1 passed",
        "shell.nomatch.jsonl:1 passed",
        "words.match.jsonl:1 passed",
        "words.nomatch.jsonl:1 passed",
        "words.nomatch.jsonl:2 passed",
    ];
    sqlite(&all, 0);
}

#[cfg(feature = "engine-sqlite")]
#[test]
fn a_difference_between_the_engines_fails() {
    let folder = Folder::new("test-differs");
    // An address spelled in an unusual way is in the network, and a query for text patterns cannot know it.
    folder.file("net.yml", &GOOD.replace("{Image: a.exe}", "{'Ip|cidr': 'fc00:1:2::/48'}"));
    folder.file("net.match.jsonl", "{\"Ip\":\"fc00:1:2::1\"}\n{\"Ip\":\"fc00:01:0002::1\"}");
    check(&[&folder.path()], 0, &["net.match.jsonl:1 passed", "net.match.jsonl:2 passed"]);
    let ran =
        check(&["--engine", "sqlite", &folder.path()], 1, &["net.match.jsonl:1 passed", "net.match.jsonl:2 failed"]);
    assert!(ran.stdout.contains("the query for SQLite does not find it"), "{}", ran.stdout);
}

#[test]
fn samples_of_a_rule_pass_and_fail_with_a_nearest_miss_where_the_opposite_is_asked() {
    let folder = Folder::new("test-samples");
    let rule = folder.file("shell.yml", SHELL);
    let sampled = objects(&run(&["sample", &rule]));
    let of = |hit: bool| -> String {
        let events = sampled.iter().filter(|line| line["expected"][0] == hit);
        events.map(|line| format!("{}\n", line["event"])).collect()
    };
    assert!(sampled.len() > 10 && !of(true).is_empty() && !of(false).is_empty());
    folder.file("shell.match.jsonl", &of(true));
    folder.file("shell.nomatch.jsonl", &of(false));
    let ran = run(&["test", &folder.path()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    folder.file("shell.match.jsonl", &of(false));
    folder.file("shell.nomatch.jsonl", &of(true));
    let found = objects(&run(&["test", "--format", "json", &folder.path()]));
    assert_eq!(found.len(), sampled.len());
    for case in found {
        let nearest = case["events"][0]["conditions"][0]["nearest"].as_array();
        assert!(case["status"] == "failed" && nearest.is_some_and(|items| !items.is_empty()), "{case}");
    }
}

#[test]
fn junit_has_every_case_and_stays_xml() {
    let folder = Folder::new("test-junit");
    folder.file("shell.yml", &SHELL.replace("title: Shell", "title: A <b> & \"c\""));
    folder.file("tests/shell.match.jsonl", &format!("{HIT}\n{{\"Image\":\"<&]]>\\u0001\"}}\nx"));
    let ran = run(&["test", "--format", "junit", &folder.path()]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("<?xml") && !ran.stdout.contains('\u{1}'), "{}", ran.stdout);
    for said in [
        r#"tests="3" skipped="0" failures="1" errors="1""#,
        "A &lt;b&gt; &amp; ",
        "<failure message=\"expected: the event matches",
        "<error message=\"no JSON: expected value\"",
        "nearest miss: ",
    ] {
        assert!(ran.stdout.contains(said), "{said}\n{}", ran.stdout);
    }
    assert_eq!(ran.stdout.matches("<testcase ").count(), 3);
}

#[test]
fn exit_codes_are_as_promised() {
    let folder = Folder::new("test-codes");
    let good = folder.file("good.yml", GOOD);
    let code = |args: &[&str]| {
        let ran = run(&[&["test"], args].concat());
        (ran.code, ran.stderr)
    };
    let (none, said) = code(&[&good]);
    assert!(none == 1 && said.contains("no test found for 1 rule"), "{said}");
    assert_eq!(code(&[]).0, 2);
    assert_eq!(code(&["--tests", "/nowhere", &good]).0, 2);
    assert_eq!(code(&["--format", "xml", &good]).0, 2);
    assert_eq!(code(&["-p", "nowhere", &good]).0, 2);
    folder.file("good.match.jsonl", "{\"Image\":\"a.exe\"}");
    assert_eq!(code(&[&good]).0, 0);
    // A file that is not there is said, and the other tests are run.
    let (io, said) = code(&[&good, &(folder.path() + "/missing.yml")]);
    assert!(io == 3 && said.contains("1 passed"), "{said}");
}

#[test]
fn recorded_events_match_the_public_rules() {
    let Some(corpus) = corpus("") else { return };
    let tests = corpus.join("regression").display().to_string();
    let rules = corpus.join("sigmahq/rules").display().to_string();
    for engine in ["reference", if cfg!(feature = "engine-sqlite") { "sqlite" } else { "reference" }] {
        let ran = run(&["test", "--format", "json", "--engine", engine, "--tests", &tests, &rules]);
        let of = |status: &str| objects(&ran).iter().filter(|case| case["status"] == status).count();
        println!("{engine}: {} passed, {} without recordings", of("passed"), of("skipped"));
        assert_eq!((of("failed"), of("error")), (0, 0), "{}", ran.stdout);
        assert!(of("passed") > 100, "{}", ran.stderr);
        assert_eq!(ran.code, 0);
    }
}
