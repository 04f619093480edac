//! Where the output of `sigcast` goes: files, folders, pipes; lists; and that it is the same on any number of threads.

mod support;

use std::io::Read;

use support::{BROKEN, Folder, GOOD, OTHER, REFUSED, command, run, run_with};

#[test]
fn a_file_holds_what_standard_output_would() {
    let folder = Folder::new("file");
    folder.file("in/a.yml", GOOD);
    folder.file("in/b.yml", OTHER);
    let (input, output) = (format!("{}/in", folder.path()), format!("{}/out.txt", folder.path()));
    let direct = run(&["convert", "-t", "lucene", &input]);
    let ran = run(&["convert", "-t", "lucene", "-o", &output, &input]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(&output).expect("is there"), direct.stdout);
    // A second run replaces it, and leaves nothing beside it.
    let ran = run(&["convert", "-t", "lucene", "--jsonl", "-o", &output, &input]);
    assert_eq!(ran.code, 0);
    let names: Vec<String> = folder.files("").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["in/a.yml", "in/b.yml", "out.txt"]);
}

#[test]
fn rules_with_one_title_do_not_overwrite_each_other() {
    let folder = Folder::new("titles");
    let same = GOOD.replace("title: Good", "title: gOOD!").replace("a.exe", "c.exe");
    let sly = GOOD.replace("title: Good", "title: '../../NUL'").replace("a.exe", "d.exe");
    folder.file("in/a.yml", GOOD);
    folder.file("in/b.yml", &same);
    folder.file("in/c.yml", &same);
    folder.file("in/d.yml", &sly);
    folder.file("in/e.yml", BROKEN);
    let input = format!("{}/in", folder.path());
    let ran = run(&["convert", "-t", "lucene", "-o", &format!("{}/out/", folder.path()), &input]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    let files = folder.files("out");
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let expected = [
        ("good-11111111-2.lucene", "Image:c.exe\n"),
        ("good-11111111.lucene", "Image:c.exe\n"),
        ("good.lucene", "Image:a.exe\n"),
        ("nul-rule.lucene", "Image:d.exe\n"),
    ];
    assert_eq!(files, expected);
}

#[test]
fn several_targets_have_folders_of_their_own() {
    let folder = Folder::new("targets");
    let good = folder.file("a.yml", GOOD);
    let out = folder.folder("out");
    let ran = run(&["convert", "-t", "kibana,lucene", "-o", &out, &good]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let names: Vec<String> = folder.files("out").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["kibana/good.kuery", "lucene/good.lucene"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to_and_a_full_disk_is_a_failure() {
    let folder = Folder::new("device");
    let good = folder.file("a.yml", GOOD);
    assert_eq!(run(&["convert", "-t", "lucene", "-o", "/dev/null", &good]).code, 0);
    if std::path::Path::new("/dev/full").exists() {
        let full = run(&["convert", "-t", "lucene", "-o", "/dev/full", &good]);
        assert_eq!(full.code, 3, "{}", full.stderr);
        assert!(full.stderr.contains("cannot write /dev/full: "), "{}", full.stderr);
    }
}

/// A reader that goes away after the first byte, as `head` does.
#[test]
fn a_broken_pipe_is_success() {
    let folder = Folder::new("pipe");
    for number in 0..2000 {
        folder.file(&format!("{number}.yml"), GOOD);
    }
    folder.file("bad.yml", BROKEN);
    for args in [&["convert", "-t", "lucene", "--jsonl", &folder.path()][..], &["list", "codes", "--json"]] {
        let mut child = command(args, &[]).spawn().expect("the program starts");
        drop(child.stdin.take());
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_exact(&mut [0]).expect("one byte");
        drop(stdout);
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn output_is_the_same_on_any_number_of_threads() {
    let folder = Folder::new("threads");
    for number in 0..300 {
        let rule = [GOOD, OTHER, BROKEN, REFUSED][number % 4].replace(".exe", &format!("{number}.exe"));
        folder.file(&format!("{}/{number}.yml", number % 7), &rule);
    }
    let path = folder.path();
    for shape in [&["--jsonl"][..], &["--header"], &["-v"]] {
        let args = [&["convert", "-t", "lucene,kibana"], shape, &[path.as_str()]].concat();
        let once = run_with(&args, b"", &[("RAYON_NUM_THREADS", "1")]);
        assert!(once.stdout.len() > 4_000 && once.code == 1, "{shape:?}");
        for threads in ["2", "7"] {
            let again = run_with(&args, b"", &[("RAYON_NUM_THREADS", threads)]);
            assert!(again.stdout == once.stdout, "standard output differs: {shape:?} on {threads} threads");
            assert!(again.stderr == once.stderr, "standard error differs: {shape:?} on {threads} threads");
        }
    }
}

#[test]
fn lists_are_tables_and_json() {
    let first_words = |args: &[&str]| -> Vec<String> {
        let ran = run(&[&["list"], args].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
        ran.stdout.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    };
    let has = |args: &[&str], word: &str| {
        let words = first_words(args);
        assert!(words.iter().any(|found| found == word), "{args:?}: {words:?}");
    };
    has(&["targets"], "lucene");
    has(&["formats"], "splunk");
    has(&["codes"], "bad-regex");
    has(&["modifiers"], "base64offset");
    has(&["options"], "table");
    has(&["options", "-t", "lucene"], "cidr");
    assert!(!first_words(&["options", "-t", "lucene"]).contains(&"sourcetype".to_owned()));
    for what in ["targets", "formats", "options", "codes", "modifiers"] {
        let ran = run(&["list", what, "--json"]);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).expect("an array");
        assert_eq!(rows.len(), first_words(&[what]).len(), "{what}");
    }
    let unknown = run(&["list", "options", "-t", "kql"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""));
}

#[test]
fn completions_know_the_targets() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(&["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("sigcast") && ran.stdout.contains("deny-assumption"), "{shell}");
    }
    assert!(run(&["completions", "fish"]).stdout.contains("graylog"));
}

#[test]
fn a_format_of_queries_gives_each_a_file_that_is_whole() {
    let folder = Folder::new("watches");
    let two = GOOD.replace("condition: s", "condition: [s, not s]");
    folder.file("in/a.yml", &two);
    folder.file("in/b.yml", GOOD);
    let (input, output) = (format!("{}/in", folder.path()), format!("{}/out/", folder.path()));
    let ran = run(&["convert", "-t", "watcher", "-f", "json", "-o", &output, &input]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    let files = folder.files("out");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["good-11111111.json", "good-2.json", "good.json"]);
    for (name, text) in &files {
        let watch: serde_json::Value = serde_json::from_str(text).expect("each file is JSON");
        assert!(watch.is_object(), "{name}");
    }
    // Both rules have one id: the watches of the second are numbered on.
    let ran = run(&["convert", "-q", "-t", "watcher", "-f", "console", &input]);
    let puts: Vec<&str> = ran.stdout.lines().filter_map(|line| line.strip_prefix("PUT ")).collect();
    let distinct: std::collections::HashSet<&&str> = puts.iter().collect();
    assert_eq!((puts.len(), distinct.len()), (3, 3), "{puts:?}");
    let ran = run(&["convert", "-t", "watcher", "-f", "json", "--header", &input]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
}

#[test]
fn templates_can_be_replaced() {
    let folder = Folder::new("templates");
    let good = folder.file("a.yml", GOOD);
    let text = "{#-\nextension: json\nunit: rule\nescape: json\n-#}\n{{ rule.title }}";
    folder.file("own/watcher/json.j2", text);
    let check = |templates: &str, code: i32, stdout: &str, said: &str| {
        let templates = format!("{}/{templates}", folder.path());
        let ran = run(&["convert", "-t", "watcher", "-f", "json", "--templates", &templates, &good]);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, stdout), "{}", ran.stderr);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    };
    check("own", 0, "\"Good\"\n", "1 converted");
    check("none", 3, "", "cannot read ");
    folder.file("odd/watcher/jsn.j2", text);
    check("odd", 2, "", "did you mean `watcher/json.j2`?");
}

#[test]
fn marked_folders_are_passed_over_unless_named() {
    let folder = Folder::new("marked");
    folder.file("in/a.yml", GOOD);
    folder.file("in/old/b.yml", OTHER);
    folder.file("in/old/.sigcastignore", "");
    let input = format!("{}/in", folder.path());
    let ran = run(&["convert", "-t", "lucene", &input]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().filter(|line| !line.is_empty()).count(), 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("passed over, as it holds a .sigcastignore"), "{}", ran.stderr);
    let named = run(&["convert", "-t", "lucene", &format!("{input}/old")]);
    assert_eq!(named.stdout.lines().filter(|line| !line.is_empty()).count(), 1, "{}", named.stdout);
}
