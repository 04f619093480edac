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

const COUNT: &str = "title: Many\nname: many\nlogsource:\n  product: windows\ndetection:\n  s:\n    EventID: 4625\n  timeframe: \
                     5m\n  condition: s | count() by Host > 5\ndate: 2019/01/31\n";

/// A filter names the rule; the correlation that would have its name is none.
#[test]
fn what_a_filter_of_another_file_names_stays() {
    let folder = Folder::new("migrate-filters");
    let (many, other) = (folder.file("many.yml", COUNT), folder.file("other.yml", &COUNT.replace("any", "any_others")));
    let filter = |rules: &str| {
        let text = format!(
            "title: F\nlogsource: {{product: windows}}\nfilter: {{rules: {rules}, f: {{u: adm}}, condition: not f}}\n"
        );
        folder.file("filter.yml", &text)
    };
    let all = [many.as_str(), &other, &filter("[many]")];
    let converted = || run(&[&["convert", "-t", "splunk", "-q"], &all[..]].concat());
    let before = converted();
    assert!(before.code == 0 && before.stdout.contains("NOT u=\"adm\""), "{} {}", before.stdout, before.stderr);
    let ran = run(&[&["migrate", "--write"], &all[..]].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let why = format!(
        "many.yml keeps something as it is: `Many` of {many} would not mean the same: the filter in {} is for it",
        all[2]
    );
    assert!(ran.stderr.contains(&why), "{}", ran.stderr);
    let text = |path: &str| std::fs::read_to_string(path).expect("the file is there");
    // Its date is of today all the same, and the other file is migrated as a whole.
    assert_eq!(text(&many), COUNT.replace("2019/01/31", "2019-01-31"));
    assert!(text(&other).contains("name: many_others_events\n"), "{}", text(&other));
    assert_eq!(converted().stdout, before.stdout);
    // A filter for any rule is for those that correlations are about, too.
    filter("any");
    let before = converted();
    let ran = run(&[&["migrate", "--write"], &all[..]].concat());
    assert!(ran.code == 0 && text(&many).contains("name: many_events\n"), "{}", ran.stderr);
    assert_eq!(converted().stdout, before.stdout);
}

/// Correlations may be about what becomes a correlation.
#[test]
fn what_a_correlation_of_another_file_names_is_migrated() {
    let folder = Folder::new("migrate-correlations");
    let many = folder.file("many.yml", COUNT);
    let again = "title: Again\ncorrelation: {type: event_count, rules: [many], timespan: 1h, condition: {gte: 2}}\n";
    let again = folder.file("again.yml", again);
    let ran = run(&["migrate", "--write", &many, &again]);
    assert!(ran.code == 0 && ran.stderr.contains("1 of 2 files changed: 1 aggregation, 2 dates"), "{}", ran.stderr);
}

#[test]
fn what_is_wrong_as_yaml_is_named() {
    let folder = Folder::new("migrate-broken");
    let text = format!("{OLD}tags: [a\n");
    let (broken, old) = (folder.file("broken.yml", &text), folder.file("old.yml", OLD));
    for check in [&[][..], &["--check"]] {
        let ran = run(&[&["migrate"], check, &[broken.as_str()]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("error[broken-yaml]") && ran.stderr.contains(&broken), "{}", ran.stderr);
        assert!(ran.stderr.contains("nothing changes in 1 file; 1 cannot be migrated as a whole"), "{}", ran.stderr);
    }
    let ran = run(&["migrate", "--write", &broken, &old]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let found = |path: &str| std::fs::read_to_string(path).expect("the file is there");
    assert_eq!((found(&broken).as_str(), found(&old).as_str()), (text.as_str(), NEW));
}

#[test]
fn ids_that_are_made_differ() {
    let folder = Folder::new("migrate-ids");
    let text = "action: global\ntitle: Many\nid: 0f4f3f0e-9d1e-4a7e-8f39-5c7e7ac5a020\ndetection:\n  timeframe: 5m\n  \
                condition: s | count() > 5\n---\nlogsource:\n  product: windows\ndetection:\n  s:\n    x: 1\n---\n\
                logsource:\n  product: linux\ndetection:\n  s:\n    x: 2\n";
    let file = folder.file("two.yml", text);
    assert_eq!(run(&["migrate", "--write", &file]).code, 0);
    let text = std::fs::read_to_string(&file).expect("the file is there");
    let made = text.split("\n---\n").filter(|document| document.contains("type: derived"));
    let ids: Vec<&str> = made.filter_map(|document| document.lines().find(|line| line.starts_with("id: "))).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{text}");
}
