//! What is kept of rules that have no query today.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Folder, GOOD, OTHER};
use crate::{CONFIG, build, manifest, names, project};

/// What was built of the two rules.
const BUILT: [&str; 3] = ["all.spl", "high/other.lucene", "medium/good.lucene"];

/// Breaks the rule `good.yml` of a built project, builds it, and checks that nothing of it went away.
fn check(name: &str, broken: &str, of_all: bool) -> Folder {
    let folder = project(name, CONFIG);
    assert_eq!(build(&folder, &[]).code, 0);
    let before = folder.files("dist");
    folder.file("rules/good.yml", broken);
    for _ in 0..2 {
        let ran = build(&folder, &[]);
        assert_eq!(ran.code, 1, "{broken}: {}", ran.stderr);
        let said = "warning: dist/medium/good.lucene is kept as an earlier build wrote it: rules/good.yml has no query";
        assert!(ran.stderr.contains(said), "{broken}: {}", ran.stderr);
        let now = folder.files("dist");
        assert_eq!(now[1..], before[1..], "{broken}");
        assert_eq!(now[0] == before[0], of_all, "{broken}: {now:?}");
        let listed = manifest(&folder)["files"].as_array().map(Vec::len);
        assert_eq!(listed, Some(3), "{broken}");
    }
    folder
}

#[test]
fn a_rule_that_fails_keeps_what_was_written_of_it() {
    // A slip of the pen: the whole file is no YAML, and nothing of it is known.
    let folder = check("kept-yaml", &GOOD.replace("title: Good", "title: ["), true);
    // What is mended is written as before; what is gone is gone.
    folder.file("rules/good.yml", GOOD);
    let ran = build(&folder, &[]);
    assert!(ran.code == 0 && !ran.stderr.contains("is kept"), "{}", ran.stderr);
    fs::remove_file(format!("{}/rules/good.yml", folder.path())).expect("removed");
    assert_eq!(build(&folder, &[]).code, 0);
    assert_eq!(names(&folder, "dist"), ["all.spl", "high/other.lucene"]);
    check("kept-invalid", &GOOD.replace("Image:", "'Image|contians':"), true);
    // Splunk can say it, and Lucene cannot.
    check("kept-refused", &GOOD.replace("Image: a.exe", "'Image|fieldref': ParentImage"), false);
}

/// A rule that fails under another path is known by its id; where there is none, it may be any rule.
#[test]
fn a_rule_that_fails_where_it_was_not_keeps_what_may_be_its_own() {
    let check = |broken: &str| {
        let folder = project("kept-moved", CONFIG);
        assert_eq!(build(&folder, &[]).code, 0);
        fs::remove_file(format!("{}/rules/good.yml", folder.path())).expect("removed");
        folder.file("rules/moved.yml", broken);
        for _ in 0..2 {
            let ran = build(&folder, &[]);
            assert_eq!(ran.code, 1, "{}", ran.stderr);
            assert_eq!(names(&folder, "dist"), BUILT, "{}", ran.stderr);
            let all = folder.files("dist").remove(0).1;
            assert!(all.contains("a.exe"), "{all}");
        }
    };
    check(&GOOD.replace("Image:", "'Image|contians':"));
    check(&GOOD.replace("title: Good", "title: ["));
}

/// A failure that the baseline accepts is known: the rule has no query, and its file goes.
#[test]
fn what_the_baseline_accepts_goes() {
    let folder = project("kept-baseline", CONFIG);
    assert_eq!(build(&folder, &[]).code, 0);
    folder.file("rules/good.yml", &GOOD.replace("Image: a.exe", "'Image|fieldref': ParentImage"));
    let file = format!("{}/baseline.json", folder.path());
    let ran = build(&folder, &["--baseline", &file, "--write-baseline"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(names(&folder, "dist"), ["all.spl", "high/other.lucene"], "{}", ran.stderr);
}

/// Two rules have one title: while the first cannot be read, the other does not take its place.
#[test]
fn a_name_stays_with_the_rule_that_it_was_given_to() {
    let folder = Folder::new("kept-name");
    folder.file("sigcast.yml", "rules: [rules]\noutputs: [{target: lucene, output: 'dist/{slug}.{ext}'}]\n");
    folder.file("rules/a.yml", GOOD);
    folder.file("rules/b.yml", &OTHER.replace("Other", "Good"));
    assert_eq!(build(&folder, &[]).code, 0);
    let before = folder.files("dist");
    folder.file("rules/a.yml", &GOOD.replace("title: Good", "title: ["));
    assert_eq!(build(&folder, &[]).code, 1);
    assert_eq!(folder.files("dist"), before);
}

/// Two configurations do not have one manifest: each would remove what the other wrote.
#[test]
fn a_manifest_is_of_one_configuration() {
    let folder = project("kept-two", CONFIG);
    assert_eq!(build(&folder, &[]).code, 0);
    assert_eq!(manifest(&folder)["config"], Value::from("sigcast.yml"));
    let two = "rules: [rules]\noutputs: [{target: kibana, output: 'two/{slug}.{ext}'}]\n";
    let file = folder.file("two.yml", two);
    let ran = crate::run(&["build", "-c", &file]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("is the manifest of sigcast.yml") && ran.stderr.contains("`manifest:` in"),
        "{}",
        ran.stderr
    );
    assert_eq!(names(&folder, "dist"), BUILT);
    assert!(!Path::new(&format!("{}/two", folder.path())).exists());
    folder.file("two.yml", &format!("manifest: two/manifest.json\n{two}"));
    assert_eq!(crate::run(&["build", "-c", &file]).code, 0);
    assert_eq!(names(&folder, "dist"), BUILT);
    // Into another folder there is one manifest too.
    let out = format!("{}/out", folder.path());
    folder.file("two.yml", two);
    assert_eq!(build(&folder, &["-o", &out]).code, 0);
    assert_eq!(crate::run(&["build", "-c", &file, "-o", &out]).code, 2);
    // A configuration that was renamed goes on.
    fs::rename(format!("{}/sigcast.yml", folder.path()), format!("{}/one.yml", folder.path())).expect("renamed");
    let ran = crate::run(&["build", "-c", &format!("{}/one.yml", folder.path())]);
    assert!(ran.code == 0 && ran.stderr.contains("3 unchanged"), "{}", ran.stderr);
}
