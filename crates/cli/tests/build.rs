//! `sigcast build`: what it writes, what it leaves alone, and what is left of a build that was broken off.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use support::{BROKEN, Folder, GOOD, OTHER, REFUSED, Ran, command, run};

const CONFIG: &str = "rules: [rules]
outputs:
- target: lucene
  output: dist/{level}/{slug}.{ext}
- {name: all, target: splunk, file: dist/all.spl}
";

/// A folder with a configuration and two rules.
fn project(name: &str, config: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("sigcast.yml", config);
    folder.file("rules/good.yml", GOOD);
    folder.file("rules/other.yml", OTHER);
    folder
}

fn build(folder: &Folder, args: &[&str]) -> Ran {
    let config = format!("{}/sigcast.yml", folder.path());
    run(&[&["build", "-c", &config], args].concat())
}

fn names(folder: &Folder, under: &str) -> Vec<String> {
    folder.files(under).into_iter().map(|(name, _)| name).collect()
}

fn manifest(folder: &Folder) -> Value {
    let text = fs::read_to_string(format!("{}/sigcast-manifest.json", folder.path())).expect("a manifest");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn outputs_are_written_once_and_removed_when_nothing_writes_them() {
    let folder = project("build-once", CONFIG);
    let ran = build(&folder, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("files: 3 written, 0 removed, 0 unchanged"), "{}", ran.stderr);
    let expected = [
        ("all.spl".to_owned(), "Image=\"a.exe\"\n\nImage=\"b.exe\"\n".to_owned()),
        ("high/other.lucene".to_owned(), "Image:b.exe\n".to_owned()),
        ("medium/good.lucene".to_owned(), "Image:a.exe\n".to_owned()),
    ];
    assert_eq!(folder.files("dist"), expected);
    // Nothing to do: nothing is touched.
    let times = |folder: &Folder| -> Vec<std::time::SystemTime> {
        let files = ["dist/all.spl", "dist/high/other.lucene", "sigcast-manifest.json"];
        files
            .map(|file| fs::metadata(format!("{}/{file}", folder.path())).expect("a file").modified().expect("a time"))
            .into()
    };
    let before = times(&folder);
    std::thread::sleep(Duration::from_millis(20));
    let again = build(&folder, &[]);
    assert!(again.stderr.contains("files: 0 written, 0 removed, 3 unchanged"), "{}", again.stderr);
    assert_eq!(times(&folder), before);
    // A rule that is gone takes its files and empty folders with it; what all share changes.
    fs::remove_file(format!("{}/rules/other.yml", folder.path())).expect("removed");
    let third = build(&folder, &[]);
    assert!(third.stderr.contains("files: 1 written, 1 removed, 1 unchanged"), "{}", third.stderr);
    assert_eq!(names(&folder, "dist"), ["all.spl", "medium/good.lucene"]);
    assert!(!Path::new(&format!("{}/dist/high", folder.path())).exists());
}

#[test]
fn a_manifest_says_what_became_of_each_rule() {
    let folder = project("build-manifest", CONFIG);
    folder.file("rules/refused.yml", REFUSED);
    folder.file("rules/broken.yml", BROKEN);
    let ran = build(&folder, &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let manifest = manifest(&folder);
    let rows = manifest["rules"].as_array().expect("rows");
    let found: Vec<(&str, &str, &str, usize, bool)> = rows
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default();
            let files = row["files"].as_array().expect("files").len();
            (text("path"), text("output"), text("status"), files, row["query_sha256"].is_string())
        })
        .collect();
    let expected = [
        ("rules/broken.yml", "lucene", "invalid", 0, false),
        ("rules/broken.yml", "all", "invalid", 0, false),
        ("rules/good.yml", "lucene", "exact", 1, true),
        ("rules/good.yml", "all", "exact", 1, true),
        ("rules/other.yml", "lucene", "exact", 1, true),
        ("rules/other.yml", "all", "exact", 1, true),
        ("rules/refused.yml", "lucene", "refused", 0, false),
        ("rules/refused.yml", "all", "exact", 1, true),
    ];
    assert_eq!(found, expected);
    assert_eq!(rows[0]["errors"][0]["code"], "unknown-modifier");
    assert_eq!((&rows[0]["errors"][0]["line"], &rows[0]["errors"][0]["column"]), (&Value::from(4), &Value::from(16)));
    assert_eq!(rows[2]["id"], "11111111-2222-4333-8444-555555555555");
    // By `printf Image:a.exe | sha256sum`.
    assert_eq!(rows[2]["query_sha256"], "d05d70f2f24caaa51e122fa920b044482143ccb2d597eb8daeac08ffef245dda");
    let listed: Vec<&str> = manifest["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["path"].as_str().expect("a path"))
        .collect();
    assert_eq!(listed, ["dist/all.spl", "dist/high/other.lucene", "dist/medium/good.lucene"]);
}

#[test]
fn the_same_input_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = project("build-threads", CONFIG);
    for number in 0..300 {
        folder.file(&format!("rules/{number}.yml"), &GOOD.replace("a.exe", &format!("{number}.exe")));
    }
    let mut found = BTreeSet::new();
    for threads in ["1", "2", "8"] {
        let out = format!("{}/out{threads}", folder.path());
        let config = format!("{}/sigcast.yml", folder.path());
        let args = ["build", "-c", &config, "-o", &out];
        let ran = support::run_with(&args, b"", &[("RAYON_NUM_THREADS", threads)]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        found.insert(folder.files(&format!("out{threads}")));
    }
    assert_eq!(found.len(), 1);
    assert_eq!(found.first().map(Vec::len), Some(304));
}

#[test]
fn check_and_dry_run_write_nothing() {
    let folder = project("build-check", CONFIG);
    let before = names(&folder, "");
    for (arg, code) in [("--check", 1), ("--dry-run", 0)] {
        let ran = build(&folder, &[arg]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains("would write dist/high/other.lucene"), "{}", ran.stderr);
        assert_eq!(names(&folder, ""), before);
    }
    assert_eq!(build(&folder, &[]).code, 0);
    assert_eq!(build(&folder, &["--check"]).code, 0);
    folder.file("rules/other.yml", &OTHER.replace("b.exe", "c.exe"));
    let stale = build(&folder, &["--check"]);
    assert_eq!(stale.code, 1, "{}", stale.stderr);
    assert!(folder.files("dist").iter().any(|(_, text)| text == "Image:b.exe\n"));
}

/// What no build wrote is neither replaced nor removed; what was changed by hand is not removed.
#[test]
fn foreign_files_stay() {
    let folder = project("build-foreign", CONFIG);
    folder.file("dist/high/other.lucene", "mine");
    folder.file("dist/high/notes.txt", "mine too");
    let ran = build(&folder, &[]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("dist/high/other.lucene is there already"), "{}", ran.stderr);
    assert_eq!(names(&folder, "dist"), ["high/notes.txt", "high/other.lucene"], "nothing is written");
    assert_eq!(build(&folder, &["--force"]).code, 0);
    // Both rules go; one of the files was changed by hand.
    folder.file("dist/medium/good.lucene", "changed by hand");
    fs::remove_file(format!("{}/rules/other.yml", folder.path())).expect("removed");
    folder.file("rules/good.yml", &GOOD.replace("Good", "Better"));
    let ran = build(&folder, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("warning: dist/medium/good.lucene is no longer written, but was changed"),
        "{}",
        ran.stderr
    );
    assert_eq!(names(&folder, "dist"), ["all.spl", "high/notes.txt", "medium/better.lucene", "medium/good.lucene"]);
    // A build after it knows nothing of that file any more.
    assert!(!build(&folder, &[]).stderr.contains("good.lucene"));
}

/// A manifest that somebody else wrote cannot make a build remove what it lists.
#[test]
fn a_forged_manifest_removes_nothing() {
    let folder = project("build-forged", CONFIG);
    let outside = folder.file("victim.txt", "abc");
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for path in ["../victim.txt", &outside, "a/../victim.txt", ".git/config"] {
        let files = format!(r#"{{"version":1,"files":[{{"path":{path:?},"sha256":"{hash}","output":"x"}}]}}"#);
        folder.file("sigcast-manifest.json", &files);
        let ran = build(&folder, &[]);
        assert_eq!(ran.code, 2, "{path}: {}", ran.stderr);
    }
    assert_eq!(fs::read_to_string(outside).ok().as_deref(), Some("abc"));
}

#[cfg(unix)]
#[test]
fn no_link_is_followed() {
    let folder = project("build-links", CONFIG);
    let elsewhere = folder.folder("elsewhere");
    folder.folder("dist");
    std::os::unix::fs::symlink(&elsewhere, format!("{}/dist/high", folder.path())).expect("a link");
    let ran = build(&folder, &[]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("is a symbolic link"), "{}", ran.stderr);
    assert_eq!(names(&folder, "elsewhere"), [] as [&str; 0]);
    // A folder that became a link after a build: what lies behind it is not removed.
    fs::remove_file(format!("{}/dist/high", folder.path())).expect("removed");
    assert_eq!(build(&folder, &[]).code, 0);
    fs::rename(format!("{}/dist/high", folder.path()), format!("{elsewhere}/high")).expect("moved");
    std::os::unix::fs::symlink(format!("{elsewhere}/high"), format!("{}/dist/high", folder.path())).expect("a link");
    fs::remove_file(format!("{}/rules/other.yml", folder.path())).expect("removed");
    assert_eq!(build(&folder, &[]).code, 0);
    assert_eq!(names(&folder, "elsewhere"), ["high/other.lucene"]);
}

/// No title, id or path gets out of its place in a file name, whatever it holds, and each rule has a file of its own.
#[test]
fn nothing_of_a_rule_escapes_its_file_name() {
    let titles = [
        "\"; rm -rf / #",
        "a\nb\r\nc",
        "$(touch pwned)",
        "`id`",
        "{{ title }}",
        "{slug}",
        "]]><x/>",
        "../../../etc/passwd",
        "..\\..\\evil",
        "[stanza]",
        "con",
        "NUL",
        "aux.txt",
        "A B",
        "a b",
        "a-b",
        "Ａ",
        "\u{0}x",
        "~root",
        "-rf",
        ".",
        "日本",
    ];
    let config = "rules: [rules]
outputs:
- {name: a, target: lucene, output: 'out/a/{slug}.{ext}'}
- {name: b, target: lucene, output: 'out/b/{title}/{id}'}
- {name: c, target: splunk, output: 'out/c/{product}/{category}/{path}.x', header: true}
- {name: d, target: watcher, format: curl, output: 'out/d/{slug}.{ext}'}
";
    let folder = Folder::new("build-escape");
    folder.file("sigcast.yml", config);
    for (number, title) in titles.iter().enumerate() {
        // A text of JSON is one of YAML.
        let text = Value::from(*title).to_string();
        let rule = format!(
            "title: {text}\nid: {text}\nlogsource: {{product: {text}, category: {text}}}\n\
             detection:\n    s: {{Image: a.exe}}\n    condition: s\n"
        );
        folder.file(&format!("rules/{number}.yml"), &rule);
    }
    folder.file("rules/$(touch pwned).yml", GOOD);
    let ran = build(&folder, &[]);
    assert!(ran.code <= 1, "{}", ran.stderr);
    let files = folder.files("out");
    let mut lower = BTreeSet::new();
    for (name, _) in &files {
        let right =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_./".contains(&byte));
        assert!(right && !name.contains(".."), "{name}");
        assert!(lower.insert(name.to_lowercase()), "{name} twice");
        for part in name.split('/') {
            let stem = part.split('.').next().unwrap_or_default();
            assert!(!["con", "nul", "aux", ""].contains(&stem), "{name}");
        }
    }
    // One file for each rule in each output.
    for output in ["a", "b", "c"] {
        let found = files.iter().filter(|(name, _)| name.starts_with(&format!("{output}/"))).count();
        assert_eq!(found, titles.len() + 1, "{output}: {}", ran.stderr);
    }
    let beside: BTreeSet<String> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let expected = ["out", "rules", "sigcast-manifest.json", "sigcast.yml"].map(str::to_owned);
    assert_eq!(beside, expected.into_iter().collect());
}

/// Everything under a folder by path, temporary files apart.
fn state(root: &Path) -> (Vec<(PathBuf, String)>, usize) {
    let (mut files, mut temporary) = (Vec::new(), 0);
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(".sigcast-tmp") {
                temporary += 1;
            } else {
                let name = path.strip_prefix(root).expect("under the root").to_owned();
                files.push((name, fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    files.sort();
    (files, temporary)
}

/// A build that is killed leaves each file as it was or as it is to be, and the next one ends as if nothing had been.
#[test]
fn a_killed_build_leaves_whole_files_and_the_next_one_repairs() {
    let folder = project("build-killed", CONFIG);
    let write_rules = |word: &str, numbers: std::ops::Range<usize>| {
        for number in numbers {
            let rule = GOOD.replace("Good", &format!("R{number}")).replace("a.exe", &word.repeat(3000));
            folder.file(&format!("rules/r{number}.yml"), &rule);
        }
    };
    let config = format!("{}/sigcast.yml", folder.path());
    let root = PathBuf::from(format!("{}/out", folder.path()));
    let out = root.to_str().expect("UTF-8").to_owned();
    write_rules("x", 0..150);
    assert_eq!(run(&["build", "-c", &config, "-o", &out]).code, 0);
    let mut broken = 0;
    for round in 0..12_u64 {
        let word = if round % 2 == 0 { "y" } else { "x" };
        // Some rules are gone, so that files are to be removed too.
        write_rules(word, 0..150);
        let _ = fs::remove_file(format!("{}/rules/r{round}.yml", folder.path()));
        let mut child = command(&["build", "-q", "-c", &config, "-o", &out], &[]).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(10 + 7 * round));
        let _ = child.kill();
        broken += usize::from(child.wait().is_ok_and(|status| !status.success()));
        for (name, text) in state(&root).0 {
            if name.extension().is_some_and(|found| found == "lucene") && text.len() > 100 {
                let whole = ["x", "y"].iter().any(|word| text == format!("Image:{}\n", word.repeat(3000)));
                assert!(whole, "{}: {} bytes", name.display(), text.len());
            }
        }
        let repaired = run(&["build", "-c", &config, "-o", &out]);
        assert_eq!(repaired.code, 0, "{}", repaired.stderr);
        let fresh = PathBuf::from(format!("{}/fresh{round}", folder.path()));
        assert_eq!(run(&["build", "-c", &config, "-o", fresh.to_str().expect("UTF-8")]).code, 0);
        assert_eq!(state(&root), state(&fresh), "round {round}");
        assert_eq!(state(&root).1, 0, "no temporary file is left");
    }
    assert!(broken > 0, "no build was broken off: the test shows nothing");
}

/// A disk that takes no more: the write fails, the old files and the old manifest stay.
#[cfg(unix)]
#[test]
fn a_failing_write_leaves_the_old_output_whole() {
    let folder = project("build-full", CONFIG);
    assert_eq!(build(&folder, &[]).code, 0);
    let before = state(Path::new(&folder.path()));
    let long = "y".repeat(40_000);
    folder.file("rules/good.yml", &GOOD.replace("a.exe", &long));
    folder.file("rules/other.yml", &OTHER.replace("high", "low"));
    // No file may be larger than 16 blocks of 512 or 1,024 bytes; the signal for it is ignored, so that writing fails.
    let script = format!(
        "trap '' XFSZ; ulimit -f 16; exec {} build -c {}/sigcast.yml",
        env!("CARGO_BIN_EXE_sigcast"),
        folder.path()
    );
    let output = std::process::Command::new("sh").args(["-c", &script]).output().expect("a shell");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("cannot write "), "{stderr}");
    let after = state(Path::new(&folder.path()));
    assert_eq!(after.1, 0, "no temporary file is left");
    for (name, text) in before.0.iter().filter(|(name, _)| !name.starts_with("rules")) {
        let now = after.0.iter().find(|(known, _)| known == name).map(|(_, text)| text);
        // Nothing is removed or cut off. What was written before the failure is whole.
        assert_eq!(now, Some(text), "{}", name.display());
    }
    folder.file("rules/good.yml", GOOD);
    let repaired = build(&folder, &[]);
    assert_eq!(repaired.code, 0, "{}", repaired.stderr);
    assert_eq!(names(&folder, "dist"), ["all.spl", "low/other.lucene", "medium/good.lucene"]);
}

#[test]
fn rules_that_cannot_be_found_remove_nothing() {
    let folder = project("build-none", CONFIG);
    assert_eq!(build(&folder, &[]).code, 0);
    for name in ["good", "other"] {
        fs::remove_file(format!("{}/rules/{name}.yml", folder.path())).expect("removed");
    }
    let ran = build(&folder, &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(names(&folder, "dist").len(), 3);
}

#[test]
fn faults_of_the_configuration_stand_at_their_places() {
    let check = |config: &str, expected: &[&str]| {
        let folder = project("build-faults", config);
        let ran = build(&folder, &[]);
        assert_eq!(ran.code, 2, "{config}: {}", ran.stderr);
        for text in expected {
            assert!(ran.stderr.contains(text), "{config}: {text} in {}", ran.stderr);
        }
        assert!(!Path::new(&format!("{}/dist", folder.path())).exists(), "{config}");
    };
    let with = |output: &str| format!("rules: [rules]\noutputs:\n- {output}\n");
    check(
        "rule: [rules]\noutputs: []\n",
        &["sigcast.yml:1:1", "did you mean `rules`?", "`outputs` is missing", "`rules` is missing"],
    );
    check(
        "rules: [missing]\noutputs: [{target: lucene, output: '{slug}'}]\n",
        &["there is no", "missing", "sigcast.yml:1:9"],
    );
    check(
        &with("{target: splnuk, output: '{slug}'}"),
        &["error[bad-config]: unknown target `splnuk`", "did you mean `splunk`?", ":3:12"],
    );
    check(&with("{target: kql, output: '{slug}'}"), &["kusto"]);
    check(&with("{target: lucene, output: 'dist/{slgu}'}"), &["did you mean {slug}?"]);
    check(&with("{target: lucene, output: '../{slug}'}"), &["`..` stands in the path"]);
    check(&with("{target: lucene, output: '/tmp/{slug}'}"), &["absolute"]);
    check(&with("{target: lucene, output: 'dist/all'}"), &["every rule has the same path"]);
    check(&with("{target: [lucene, splunk], output: 'dist/{slug}'}"), &["{target} keeps them apart"]);
    check(&with("{target: lucene}"), &["neither `output` nor `file`"]);
    check(
        &with("{target: lucene, output: '{slug}', options: {idnex: a}}"),
        &["unknown option `idnex`", "did you mean `index`?"],
    );
    check(&with("{target: lucene, output: '{slug}', select: {level: hihg}}"), &["did you mean `high`?"]);
    check(&with("{target: lucene, output: '{slug}', select: {levl: high}}"), &["did you mean `level`?"]);
    check(&with("{target: lucene, output: '{slug}', pipelines: [ecs_widnows]}"), &["did you mean `ecs_windows`?"]);
    check(&with("{target: lucene, format: jsn, output: '{slug}'}"), &["has no output format `jsn`"]);
    check(
        "rules: [rules]\noutputs:\n- {name: a, target: lucene, output: 'dist/{slug}'}\n- {name: b, target: splunk, output: 'DIST/{slug}'}\n",
        &["would both write"],
    );
}

#[test]
fn selection_chooses_by_level_status_tag_source_and_path() {
    let check = |select: &str, expected: &[&str]| {
        let config =
            format!("rules: [rules]\noutputs:\n- {{target: lucene, output: 'dist/{{slug}}', select: {{{select}}}}}\n");
        let folder = project("build-select", &config);
        let ran = build(&folder, &[]);
        assert_eq!(ran.code, 0, "{select}: {}", ran.stderr);
        let found =
            if Path::new(&format!("{}/dist", folder.path())).exists() { names(&folder, "dist") } else { Vec::new() };
        assert_eq!(found, expected, "{select}");
    };
    check("level: high+", &["other"]);
    check("level: [low, medium]", &["good"]);
    check("status: test", &["good"]);
    check("tag: attack.t1059", &["good"]);
    check("logsource: {product: linux}", &["other"]);
    check("logsource: [{product: linux}, 'product=windows']", &["good", "other"]);
    check("path: rules/good.yml", &["good"]);
    check("path: rules", &["good", "other"]);
    check("path: ['rules/**', '!**/oth*.yml']", &["good"]);
    check("path: 'nowhere/**'", &[]);
}

#[test]
fn a_baseline_accepts_what_is_known_and_nothing_else() {
    let folder = project("build-baseline", CONFIG);
    folder.file("rules/refused.yml", REFUSED);
    let file = format!("{}/baseline.json", folder.path());
    let missing = build(&folder, &["--baseline", &file]);
    assert_eq!(missing.code, 3, "{}", missing.stderr);
    let written = build(&folder, &["--baseline", &file, "--write-baseline"]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    let text = fs::read_to_string(&file).expect("written");
    let baseline: Value = serde_json::from_str(&text).expect("JSON");
    let known = serde_json::json!([
        {"rule": "rules/refused.yml", "target": "lucene", "code": "field-reference-unsupported"}
    ]);
    assert_eq!(baseline["known"], known);
    let accepted = build(&folder, &["--baseline", &file]);
    assert_eq!(accepted.code, 0, "{}", accepted.stderr);
    assert!(accepted.stderr.contains("baseline: 1 known, 0 new, 0 no longer occur"), "{}", accepted.stderr);
    assert!(!accepted.stderr.contains("error["), "{}", accepted.stderr);
    // A new failure, of another rule or of the same one, is none that is known.
    folder.file("rules/broken.yml", BROKEN);
    let new = build(&folder, &["--baseline", &file]);
    assert_eq!(new.code, 1, "{}", new.stderr);
    assert!(new.stderr.contains("new failure: unknown-modifier for *: rules/broken.yml"), "{}", new.stderr);
    // One that no longer occurs is said.
    fs::remove_file(format!("{}/rules/broken.yml", folder.path())).expect("removed");
    folder.file("rules/refused.yml", &REFUSED.replace("Image|fieldref", "Image|endswith"));
    let gone = build(&folder, &["--baseline", &file]);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    assert!(gone.stderr.contains("no longer occurs: field-reference-unsupported for lucene"), "{}", gone.stderr);
    // The same file serves `convert`, where the run is from the same folder.
    folder.file("rules/refused.yml", REFUSED);
    let mut convert = std::process::Command::new(env!("CARGO_BIN_EXE_sigcast"));
    convert.current_dir(folder.path()).args(["convert", "-t", "lucene", "rules"]);
    assert_eq!(convert.output().expect("it runs").status.code(), Some(1));
    convert.args(["--baseline", "baseline.json"]);
    assert_eq!(convert.output().expect("it runs").status.code(), Some(0));
}

#[test]
fn init_writes_what_build_takes() {
    let folder = Folder::new("build-init");
    folder.file("rules/good.yml", GOOD);
    let file = format!("{}/sigcast.yml", folder.path());
    let ran = run(&["init", &file]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(fs::read_to_string(&file).expect("written").contains("rules: [rules/]"));
    assert_eq!(run(&["init", &file]).code, 2, "it replaces nothing");
    assert_eq!(run(&["init", "--force", &file]).code, 0);
    let ran = build(&folder, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(names(&folder, "dist"), ["all.esql", "splunk/medium/good.spl"]);
}

/// The sample repository: one command writes every target, and what its baseline lists is all that is refused.
#[test]
fn the_sample_repository_is_built_by_one_command() {
    let folder = Folder::new("build-example");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/sigcast.yml");
    let out = folder.path();
    let ran = run(&["build", "-c", config, "-o", &out]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = fs::read_to_string(format!("{out}/dist/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    let built: BTreeSet<&str> = manifest["outputs"]
        .as_array()
        .expect("outputs")
        .iter()
        .map(|one| one["target"].as_str().expect("a name"))
        .collect();
    let targets: BTreeSet<&str> = sigcast_backends::TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(built, targets);
    let rules = manifest["rules"].as_array().expect("rows");
    for (target, output) in
        manifest["outputs"].as_array().expect("outputs").iter().map(|one| (&one["target"], &one["name"]))
    {
        let with_files =
            rules.iter().filter(|row| row["output"] == *output && row["files"] != Value::Array(Vec::new()));
        assert!(with_files.count() > 0, "{target}");
    }
    assert_eq!(run(&["build", "-c", config, "-o", &out, "--check"]).code, 0);
}
