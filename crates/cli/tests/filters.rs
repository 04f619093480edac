//! What `--filter`, and filters beside rules, do as a program.

mod support;

use serde_json::Value;
use support::{Folder, GOOD, OTHER, run};

const FILTER: &str = "title: Filter
logsource: {product: windows}
filter:
    rules: any
    s: {User: adm}
    condition: not s
";

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn filters_are_joined_from_their_own_path_and_from_beside_rules() {
    let folder = Folder::new("filters-paths");
    let (rule, filter) = (folder.file("r/rule.yml", GOOD), folder.file("r/f/filter.yml", FILTER));
    let all = format!("{}/r", folder.path());
    let expected = "Image:a.exe AND NOT User:adm\n";
    for args in [
        vec!["--filter", &filter, &rule],
        vec![&rule, &filter],
        vec![&filter, &rule],
        vec![&all],
        // A file is read once, whatever names it.
        vec!["--filter", &filter, "--filter", &filter, &all],
    ] {
        let ran = run(&[&["convert", "-t", "lucene"], &args[..]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (0, expected), "{args:?} {}", ran.stderr);
        assert!(
            ran.stderr.contains("1 converted, 1 skipped") && ran.stderr.contains("filter-joined"),
            "{}",
            ran.stderr
        );
    }
    let ran = run(&["sample", "--filter", &filter, &rule]);
    let found = rows(&ran.stdout);
    assert!(found.iter().any(|row| row["expected"][0] == true && row["event"]["User"] != "adm"), "{}", ran.stdout);
    assert!(found.iter().all(|row| row["expected"][0] == false || row["event"]["User"] != "adm"), "{}", ran.stdout);
}

#[test]
fn pipelines_change_rule_and_filter_once() {
    let folder = Folder::new("filters-pipelines");
    let (rule, filter) = (folder.file("rule.yml", GOOD), folder.file("filter.yml", FILTER));
    // What is transformed twice has the prefix twice.
    let map = folder.file("map.yml", "transformations:\n- {type: field_name_prefix, prefix: 'win.'}\n");
    let ran = run(&["convert", "-t", "lucene", "-p", &map, "--filter", &filter, &rule, "--jsonl"]);
    let row = &rows(&ran.stdout)[0];
    assert_eq!((ran.code, &row["queries"][0]), (0, &"win.Image:a.exe AND NOT win.User:adm".into()), "{}", ran.stderr);
    // The log source is that of the rule, before any pipeline.
    let linux = folder.file("linux.yml", "transformations:\n- {type: change_logsource, product: linux}\n");
    let ran = run(&["convert", "-t", "lucene", "-p", &linux, "--filter", &filter, &rule]);
    assert_eq!(ran.stdout, "Image:a.exe AND NOT User:adm\n", "{}", ran.stderr);
}

#[test]
fn a_rule_that_matches_nothing_any_more_is_warned_of() {
    let folder = Folder::new("filters-impossible");
    let rule = folder.file("rule.yml", GOOD);
    let check = |filter: &str, expected: bool| {
        let filter = folder.file("filter.yml", filter);
        let ran = run(&["convert", "-t", "lucene", "--filter", &filter, "--jsonl", &rule]);
        let codes: Vec<Value> = rows(&ran.stdout)[0]["warnings"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| row["code"].clone())
            .collect();
        assert_eq!(codes.contains(&"filter-impossible".into()), expected, "{codes:?} {}", ran.stderr);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    };
    check(FILTER, false);
    check(&FILTER.replace("User: adm", "Image: a.exe"), true);
    check(&FILTER.replace("User: adm", "Image|endswith: .exe"), true);
    check(&FILTER.replace("User: adm", "Image|contains: b"), false);
    // A field may hold several values.
    check(&FILTER.replace("User: adm", "Image: b.exe").replace("not s", "s"), false);
    check(&FILTER.replace("not s", "s"), false);
}

#[test]
fn rules_of_correlations_are_asked_too() {
    let folder = Folder::new("filters-impossible-correlations");
    let many = "---\ntitle: Many\ncorrelation:\n  type: event_count\n  rules: [counted]\n  timespan: 5m\n  condition: \
                {gte: 3}\n";
    let named = GOOD.replacen("title:", "name: counted\ntitle:", 1);
    let old = GOOD.replacen("condition: s", "condition: s | count() > 2\n    timeframe: 5m", 1);
    for (name, rule) in [("named.yml", format!("{named}{many}")), ("old.yml", old)] {
        let rule = folder.file(name, &rule);
        let check = |filter: &str, expected: bool| {
            let filter = folder.file("filter.yml", filter);
            let ran = run(&["convert", "-t", "splunk", "--filter", &filter, &rule]);
            assert_eq!(ran.stderr.contains("warning[filter-impossible]"), expected, "{name}: {}", ran.stderr);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        };
        check(FILTER, false);
        check(&FILTER.replace("User: adm", "Image: a.exe"), true);
    }
}

#[test]
fn what_is_no_filter_is_not_converted_from_a_path_of_filters() {
    let folder = Folder::new("filters-others");
    let rule = folder.file("rule.yml", GOOD);
    folder.file("filters/other.yml", OTHER);
    let filters = format!("{}/filters", folder.path());
    let ran = run(&["convert", "-t", "lucene", "--filter", &filters, &rule]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Image:a.exe\n"));
    assert!(ran.stderr.contains("warning[not-a-filter]"), "{}", ran.stderr);
    let ran = run(&["convert", "-t", "lucene", "--filter", &format!("{filters}/none.yml"), &rule]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
}

#[test]
fn a_wrong_filter_fails_its_rules_and_no_others() {
    let folder = Folder::new("filters-wrong");
    let (rule, other) = (folder.file("a.yml", GOOD), folder.file("b.yml", OTHER));
    let filter = folder.file("filter.yml", &FILTER.replace("User", "User|contians"));
    let ran = run(&["convert", "-t", "lucene", "--filter", &filter, &rule, &other]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "Image:b.exe\n"));
    assert!(ran.stderr.contains("error[broken-filter]") && ran.stderr.contains("error[unknown-modifier]"));
}
