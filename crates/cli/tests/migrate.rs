//! `sigcast migrate` as a program: what it shows, what it writes, how it ends.

mod support;

use support::{Folder, run, run_with};

const OLD: &str =
    "title: Old\nlogsource: {product: windows}\ndetection: {s: {f: 1}, condition: s}\ndate: 2019/01/31 # first\n";
const NEW: &str =
    "title: Old\nlogsource: {product: windows}\ndetection: {s: {f: 1}, condition: s}\ndate: 2019-01-31 # first\n";

#[test]
fn changes_are_shown_and_nothing_is_written() {
    let folder = Folder::new("migrate-shows");
    let (old, new) = (folder.file("old.yml", OLD), folder.file("new.yml", NEW));
    let ran = run(&["migrate", &old, &new]);
    let expected = format!(
        "--- {old}\n+++ {old}\n@@ -1,4 +1,4 @@\n title: Old\n logsource: {{product: windows}}\n detection: {{s: {{f: 1}}, \
         condition: s}}\n-date: 2019/01/31 # first\n+date: 2019-01-31 # first\n"
    );
    assert_eq!((ran.code, ran.stdout), (0, expected), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 of 2 files would change: 1 date"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&old).expect("the file is there"), OLD);
    let ran = run_with(&["migrate", "-"], OLD.as_bytes(), &[]);
    assert!(ran.code == 0 && ran.stdout.contains("+date: 2019-01-31 # first"), "{}", ran.stdout);
}

#[test]
fn check_fails_where_something_would_change() {
    let folder = Folder::new("migrate-check");
    let (old, new) = (folder.file("old.yml", OLD), folder.file("new.yml", NEW));
    assert_eq!(run(&["migrate", "--check", &old]).code, 1);
    assert_eq!(run(&["migrate", "--check", &new]).code, 0);
}

#[test]
fn files_are_written_with_their_line_ends_and_marks() {
    let folder = Folder::new("migrate-writes");
    let dressed = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let file = folder.file("old.yml", &dressed(OLD));
    let ran = run(&["migrate", "--write", &file]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&file).expect("the file is there"), dressed(NEW));
    let again = run(&["migrate", "--write", "--check", &file]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{}", again.stderr);
    assert_eq!(folder.files("").len(), 1, "nothing is left beside it");
    assert_eq!(run_with(&["migrate", "--write", "-"], OLD.as_bytes(), &[]).code, 2);
}

#[test]
fn what_cannot_be_migrated_is_said_and_stops_no_other() {
    let folder = Folder::new("migrate-stays");
    let flow = "title: t\nlogsource: {product: a}\ndetection: {s: {f: 1}, timeframe: 5m, condition: s | count() > 5}\n";
    let (flow_file, old) = (folder.file("flow.yml", flow), folder.file("old.yml", OLD));
    let ran = run(&["migrate", "--write", &flow_file, &old]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("flow.yml stays as it is: `detection` is in flow style"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&flow_file).expect("the file is there"), flow);
    assert_eq!(std::fs::read_to_string(&old).expect("the file is there"), NEW);
    assert_eq!(run(&["migrate", &folder.path().replace("stays", "nowhere")]).code, 3);
}

/// Every rule that is migrated is converted as before, for a target that says correlations.
#[test]
fn queries_are_as_before() {
    let folder = Folder::new("migrate-queries");
    let rule = "title: Many\nid: 0f4f3f0e-9d1e-4a7e-8f39-5c7e7ac5a020\nlogsource:\n    product: windows\ndetection:\n    \
                s:\n        EventID: 4625\n    timeframe: 5m\n    condition: s | count(User) by Host > 5\n";
    let file = folder.file("rule.yml", rule);
    let before = run(&["convert", "-t", "splunk,sqlite", "-q", &file]);
    assert_eq!(run(&["migrate", "--write", &file]).code, 0);
    assert!(std::fs::read_to_string(&file).expect("the file is there").contains("correlation:"));
    let after = run(&["convert", "-t", "splunk,sqlite", "-q", &file]);
    assert!(before.code == 0 && !before.stdout.is_empty(), "{}", before.stderr);
    assert_eq!((after.code, after.stdout), (0, before.stdout), "{}", after.stderr);
}
