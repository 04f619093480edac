//! `sigcast diff`: what it says of each kind of change, and against what.

mod support;

use std::process::Command;

use serde_json::Value;
use support::{Folder, GOOD, OTHER, Ran, run};

const CONFIG: &str = "rules: [rules]
queries_in_manifest: true
outputs:
- {target: lucene, output: 'dist/{slug}.{ext}'}
";

/// A rule by an id, with a detection.
fn rule(number: u32, detection: &str) -> String {
    format!(
        "title: Rule {number}\nid: 11111111-2222-4333-8444-{number:012}\nstatus: test\nlogsource: {{product: windows}}\n\
         detection:\n    s: {detection}\n    condition: s\n"
    )
}

fn git(folder: &Folder, args: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"])
        .arg("-C")
        .arg(folder.path())
        .args(args)
        .output()
        .expect("git");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A repository whose only commit has these files.
fn repository(name: &str, files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(name);
    for (path, text) in files {
        folder.file(path, text);
    }
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "base"]);
    folder
}

fn diff(folder: &Folder, args: &[&str]) -> Ran {
    let config = format!("{}/sigcast.yml", folder.path());
    run(&[&["diff", "-c", &config], args].concat())
}

fn changes(folder: &Folder, args: &[&str]) -> Vec<Value> {
    let ran = diff(folder, &[args, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|fault| panic!("{fault}: {}", ran.stdout));
    report["changes"].as_array().expect("a list").clone()
}

/// Changes one rule's detection, and checks what is said of its query.
fn check(before: &str, after: &str, expected: &str) {
    let folder = repository("diff-kinds", &[("sigcast.yml", CONFIG), ("rules/a.yml", &rule(1, before))]);
    folder.file("rules/a.yml", &rule(1, after));
    let found = changes(&folder, &[]);
    let kinds: Vec<&str> = found.iter().map(|change| change["change"].as_str().expect("a word")).collect();
    let expected: Vec<&str> = if expected == "unchanged" { Vec::new() } else { vec![expected] };
    assert_eq!(kinds, expected, "{before} to {after}: {found:?}");
    for change in &found {
        let proven = matches!(change["change"].as_str(), Some("wider" | "narrower"));
        assert!(!proven || change["example"].is_object(), "{change}");
    }
}

#[test]
fn changes_are_told_by_what_they_find() {
    check("{Image: a.exe}", "{Image: a.exe}", "unchanged");
    check("{Image: a.exe}", "{Image: [a.exe, b.exe]}", "wider");
    check("{Image: a.exe}", "{Image|endswith: a.exe}", "wider");
    check("{Image: [a.exe, b.exe]}", "{Image: b.exe}", "narrower");
    check("{Image: a.exe}", "{Image: a.exe, User: x}", "narrower");
    check("{Image: a.exe}", "{Image: b.exe}", "changed");
    check("{Image: [a.exe, b.exe]}", "{Image: [b.exe, c.exe]}", "changed");
    check("{Image: a.exe}", "{OriginalFileName: a.exe}", "changed");
    // The same tests in another order or spelling.
    check("{Image: [a.exe, b.exe]}", "{Image: [b.exe, a.exe]}", "rewritten");
    check("{Image: a.exe, User: x}", "{User: x, Image: a.exe}", "rewritten");
    check("{Image|contains: a}", "{Image: '*a*'}", "unchanged");
    // The target cannot say it now.
    check("{Image: a.exe}", "{'Image|fieldref': User}", "removed");
    check("{'Image|fieldref': User}", "{Image: a.exe}", "added");
    // Rules that are wrong have no query.
    check("{Image: a.exe}", "{'Image|contians': a.exe}", "removed");
}

/// Options, pipelines and schemas are part of what a query means: the same tests under others are not the same.
#[test]
fn the_same_tests_under_other_options_are_not_the_same() {
    let check = |before: &str, after: &str, expected: &str| {
        let with = |more: &str| format!("rules: [rules]\noutputs:\n- {{name: o, output: 'dist/{{slug}}', {more}}}\n");
        let files = [("sigcast.yml", &*with(before)), ("rules/a.yml", GOOD)];
        let folder = repository("diff-options", &files);
        folder.file("post1.yml", "name: p\npriority: 1\npostprocessing: [{type: embed, prefix: 'index=a '}]\n");
        folder.file("post2.yml", "name: p\npriority: 1\npostprocessing: [{type: embed, prefix: 'index=b '}]\n");
        git(&folder, &["add", "."]);
        git(&folder, &["commit", "-q", "-m", "more"]);
        folder.file("sigcast.yml", &with(after));
        let kinds: Vec<String> = changes(&folder, &[])
            .iter()
            .map(|change| change["change"].as_str().unwrap_or_default().to_owned())
            .collect();
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert_eq!(kinds, expected, "{before} to {after}");
    };
    check("target: splunk", "target: splunk, options: {source: x}", "changed");
    check("target: splunk, pipelines: [post1.yml]", "target: splunk, pipelines: [post2.yml]", "changed");
    check("target: lucene", "target: kibana", "changed");
    check("target: lucene", "target: lucene, pipelines: [ecs_windows]", "changed");
    check("target: watcher, options: {index: a}", "target: watcher, options: {index: b}", "changed");
    check("target: watcher, format: json", "target: watcher, format: curl", "changed");
    check("target: splunk", "target: splunk, header: true", "");
}

#[test]
fn rules_come_and_go_and_move() {
    let files = [
        ("sigcast.yml", CONFIG),
        ("rules/a.yml", &*rule(1, "{Image: a}")),
        ("rules/other.yml", OTHER),
        ("rules/g.yml", GOOD),
    ];
    let folder = repository("diff-moves", &files);
    // Moved by id; gone; new.
    std::fs::rename(format!("{}/rules/a.yml", folder.path()), format!("{}/rules/z.yml", folder.path())).expect("moved");
    std::fs::remove_file(format!("{}/rules/other.yml", folder.path())).expect("removed");
    folder.file("rules/n.yml", &rule(7, "{Image: n}"));
    let found = changes(&folder, &[]);
    let said: Vec<(&str, &str)> = found
        .iter()
        .map(|change| (change["change"].as_str().expect("a word"), change["path"].as_str().expect("a path")))
        .collect();
    assert_eq!(said, [("removed", "rules/other.yml"), ("added", "rules/n.yml")]);
    let failing = diff(&folder, &["--fail-on", "removed,narrower"]);
    assert_eq!(failing.code, 1, "{}", failing.stdout);
    assert_eq!(diff(&folder, &["--fail-on", "narrower"]).code, 0);
}

#[test]
fn a_manifest_is_a_base_too() {
    let folder = Folder::new("diff-manifest");
    folder.file("sigcast.yml", CONFIG);
    folder.file("rules/a.yml", &rule(1, "{Image: a.exe}"));
    folder.file("rules/b.yml", &rule(2, "{Image: b.exe}"));
    let config = format!("{}/sigcast.yml", folder.path());
    assert_eq!(run(&["build", "-c", &config]).code, 0);
    folder.file("rules/a.yml", &rule(1, "{Image: [a.exe, c.exe]}"));
    let base = format!("{}/sigcast-manifest.json", folder.path());
    let found = changes(&folder, &["--base", &base]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["change"], &found[0]["before"]["queries"][0]), (&"changed".into(), &"Image:a.exe".into()));
}

#[test]
fn wrong_bases_are_faults() {
    let folder = repository("diff-faults", &[("sigcast.yml", CONFIG), ("rules/a.yml", GOOD)]);
    for (base, expected) in [("no-such-rev", "git knows no such revision"), ("--help", "git knows no such revision")] {
        let ran = diff(&folder, &[&format!("--base={base}")]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
    let config = format!("{}/sigcast.yml", folder.path());
    let without_git = support::run_with(&["diff", "-c", &config], b"", &[("PATH", "/nonexistent")]);
    assert_eq!(without_git.code, 2);
    assert!(without_git.stderr.contains("git is not there"), "{}", without_git.stderr);
    // The base has no configuration: everything is new, and what was lost cannot be told.
    git(&folder, &["rm", "-q", "--cached", "sigcast.yml"]);
    git(&folder, &["commit", "-q", "-m", "without"]);
    let found = changes(&folder, &[]);
    assert_eq!(found.iter().filter(|change| change["change"] == "added").count(), 1, "{found:?}");
    let ran = diff(&folder, &["--fail-on", "removed"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("HEAD has no sigcast.yml: nothing can be compared"), "{}", ran.stderr);
    assert_eq!(diff(&folder, &["--fail-on", "added"]).code, 1);
}

/// A configuration whose outputs are documents around the query.
const DOCUMENTS: &str = "rules: [rules]
queries_in_manifest: true
outputs:
- {name: siem, target: lucene, format: siem-rule, output: 'dist/{slug}.{ext}'}
- {name: lines, target: lucene, format: siem-rule-ndjson, file: 'dist/all.{ext}'}
- {name: plain, target: lucene, output: 'dist/{slug}.{ext}'}
";

/// A detection that is switched off has the query that it had: the document says that it is off.
#[test]
fn a_document_that_changes_around_its_query_is_told() {
    let folder = repository("diff-document", &[("sigcast.yml", DOCUMENTS), ("rules/g.yml", GOOD)]);
    let config = format!("{}/sigcast.yml", folder.path());
    assert_eq!(run(&["build", "-c", &config]).code, 0);
    let base = format!("{}/sigcast-manifest.json", folder.path());
    let check = |args: &[&str], expected: &[(&str, &str)]| {
        let found = changes(&folder, args);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let found: Vec<_> = found.iter().map(|one| (text(&one["change"]), text(&one["output"]))).collect();
        let expected: Vec<_> = expected.iter().map(|(one, other)| (one.to_string(), other.to_string())).collect();
        assert_eq!(found, expected, "{args:?}");
    };
    check(&[], &[]);
    check(&["--base", &base], &[]);
    folder.file("rules/g.yml", &GOOD.replace("status: test", "status: deprecated"));
    for args in [&[][..], &["--base", &base]] {
        check(args, &[("document", "siem"), ("document", "lines")]);
        assert_eq!(diff(&folder, &[args, &["--fail-on", "document"]].concat()).code, 1, "{args:?}");
        assert_eq!(diff(&folder, &[args, &["--fail-on", "rewritten,changed"]].concat()).code, 0, "{args:?}");
    }
    let differs = changes(&folder, &[])[0]["differs"].clone();
    let lines = |side: &str| differs[side].as_array().cloned().unwrap_or_default();
    assert!(lines("before").contains(&"  \"enabled\": true,".into()), "{differs}");
    assert!(lines("after").contains(&"  \"enabled\": false,".into()), "{differs}");
    for format in ["text", "markdown"] {
        let report = diff(&folder, &["--format", format]).stdout;
        assert!(report.contains("-   \"enabled\": true,") && report.contains("+   \"enabled\": false,"), "{report}");
        assert!(report.contains("status test before, deprecated now") && report.contains("2 document"), "{report}");
        // A line of NDJSON is shown where it differs.
        assert!(report.contains("\"enabled\":false") || report.contains("\"enabled\": false"), "{report}");
        assert!(!report.contains("Image:a.exe\n"), "{report}");
    }
    // Switched off and changed at once: the query's kind, and `document` names it too.
    folder.file("rules/g.yml", &GOOD.replace("status: test", "status: deprecated").replace("a.exe", "[a.exe, b.exe]"));
    check(&[], &[("wider", "siem"), ("wider", "lines"), ("wider", "plain")]);
    assert_eq!(diff(&folder, &["--fail-on", "document"]).code, 1);
    // An option that the query does not show.
    folder.file("rules/g.yml", GOOD);
    folder.file("sigcast.yml", &DOCUMENTS.replace("siem-rule,", "siem-rule, options: {interval: 15m},"));
    check(&["--base", &base], &[("document", "siem")]);
    check(&[], &[("changed", "siem")]);
}

/// Nothing that a rule says gets out of its place in a comment on a pull request.
#[test]
fn markdown_holds_what_rules_say() {
    let folder = repository("diff-markdown", &[("sigcast.yml", CONFIG), ("rules/a.yml", GOOD)]);
    let evil =
        "</details>\n```\n# Owned | x | <img src=x> [link](http://example.org) @everyone GH-1 www.evil.example `";
    let text = Value::from(evil).to_string();
    let rule = format!(
        "title: {text}\nlogsource: {{product: windows}}\ndetection:\n    s: {{Image: {text}}}\n    condition: s\n"
    );
    folder.file("rules/evil.yml", &rule);
    let ran = diff(&folder, &["--format", "markdown"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (mut fence, mut outside) = (None, String::new());
    for line in ran.stdout.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            None if ticks.len() >= 3 => fence = Some(ticks),
            Some(open) if line == open.as_str() => fence = None,
            Some(_) => {}
            None => {
                outside += line;
                outside.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a block is left open: {}", ran.stdout);
    // What is left of names, numbers and addresses stands in code, where nothing is linked.
    let bare: String =
        outside.split("<code>").map(|part| part.split_once("</code>").map_or(part, |(_, rest)| rest)).collect();
    for part in ["everyone", "GH-", "www", "evil"] {
        assert!(outside.contains(part) && !bare.contains(part), "{part} in {bare}");
    }
    for part in ["<img", "[link]", "@everyone", "www.", "\n# Owned"] {
        assert!(!outside.contains(part), "{part} in {outside}");
    }
    assert_eq!(outside.matches("</details>").count(), outside.matches("<details>").count());
    let rows = outside.lines().filter(|line| line.starts_with("| added"));
    assert!(rows.clone().count() == 1 && rows.clone().all(|row| row.matches('|').count() == 5), "{outside}");
}
