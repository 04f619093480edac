//! What is left of a build that was broken off, and what the next one makes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{GOOD, OTHER, command, run};
use crate::{CONFIG, build, names, project};

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
    // Nothing is added, changed, removed or cut off but the journal that the next build reads.
    let built = |files: Vec<(PathBuf, String)>| -> Vec<(PathBuf, String)> {
        files
            .into_iter()
            .filter(|(name, _)| name.starts_with("dist") || name.ends_with("sigcast-manifest.json"))
            .collect()
    };
    assert_eq!(built(after.0), built(before.0));
    folder.file("rules/good.yml", GOOD);
    let repaired = build(&folder, &[]);
    assert_eq!(repaired.code, 0, "{}", repaired.stderr);
    assert_eq!(names(&folder, "dist"), ["all.spl", "low/other.lucene", "medium/good.lucene"]);
}

/// What a journal announces and nobody wrote is not ours: what somebody else put there stays.
#[cfg(unix)]
#[test]
fn a_journal_claims_only_what_was_written() {
    let folder = project("build-journal", CONFIG);
    // The folder of one output cannot be made: the build breaks off.
    folder.file("dist/high", "in the way");
    let before = build(&folder, &[]);
    assert_eq!(before.code, 3, "{}", before.stderr);
    fs::remove_file(format!("{}/dist/high", folder.path())).expect("removed");
    // A journal as a build leaves it that is broken off before its first file.
    let text = |path: &str, bytes: &str| {
        let hash = std::process::Command::new("sh").args(["-c", &format!("printf '{bytes}' | sha256sum")]).output();
        let hash =
            String::from_utf8_lossy(&hash.expect("a shell").stdout).split(' ').next().expect("a hash").to_owned();
        format!(r#"{{"path":"{path}","sha256":"{hash}","output":"lucene"}}"#)
    };
    let rows = [text("dist/high/other.lucene", "Image:b.exe\\n"), text("dist/gone/old.lucene", "old\\n")].join(",");
    let pending = format!(r#"{{"version":1,"config":"sigcast.yml","files":[{rows}]}}"#);
    folder.file("sigcast-manifest.json.pending", &pending);
    folder.file("dist/high/other.lucene", "my own notes");
    folder.file("dist/gone/old.lucene", "my own too");
    let ran = build(&folder, &[]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("dist/high/other.lucene is there already"), "{}", ran.stderr);
    assert_eq!(folder.files("dist/high"), [("other.lucene".to_owned(), "my own notes".to_owned())]);
    // What was written of it is ours: it is replaced and removed without a word.
    folder.file("dist/high/other.lucene", "Image:b.exe\n");
    folder.file("rules/other.yml", &OTHER.replace("b.exe", "c.exe"));
    let ran = build(&folder, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(folder.files("dist/high"), [("other.lucene".to_owned(), "Image:c.exe\n".to_owned())]);
    assert_eq!(folder.files("dist/gone"), [("old.lucene".to_owned(), "my own too".to_owned())]);
    assert!(!ran.stderr.contains("old.lucene"), "{}", ran.stderr);
}
