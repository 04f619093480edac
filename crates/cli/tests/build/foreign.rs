//! What a build leaves alone, whatever rules, manifests and links say.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{Folder, GOOD};
use crate::{CONFIG, build, names, project};

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

/// Nothing that a build reads is replaced or removed, whatever a pattern, a manifest or `--force` says.
#[test]
fn rules_are_never_written_over() {
    let config = "rules: [rules]\noutputs: [{target: lucene, output: '{path}.yml'}]\n";
    let folder = project("build-over", &config.replace("{path}", "rules/{path}"));
    let before = folder.files("rules");
    for args in [&[][..], &["--force"], &["--force", "--dry-run"]] {
        let ran = build(&folder, args);
        assert_eq!(ran.code, if args.is_empty() { 3 } else { 2 }, "{}", ran.stderr);
        assert_eq!(folder.files("rules"), before);
    }
    // The configuration itself.
    let folder = project("build-over-config", "rules: [rules]\noutputs: [{target: splunk, file: sigcast.yml}]\n");
    let ran = build(&folder, &["--force"]);
    assert!(ran.code == 2 && ran.stderr.contains("is what the build reads"), "{}", ran.stderr);
    // What is neither read nor written by a build is replaced by force, and called what it is.
    let folder = project("build-over-force", CONFIG);
    folder.file("dist/high/other.lucene", "mine");
    let ran = build(&folder, &["--force"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("dist/high/other.lucene is a file that no build wrote: it is replaced"),
        "{}",
        ran.stderr
    );
    folder.file("dist/high/other.lucene", "changed");
    let ran = build(&folder, &[]);
    assert!(
        ran.stderr.contains("dist/high/other.lucene was changed by another hand: it is replaced"),
        "{}",
        ran.stderr
    );
}

/// A file may not be the folder of the manifest, nor the manifest that of a file.
#[test]
fn the_manifest_is_in_nobodys_way() {
    let check = |manifest: &str, file: &str| {
        let config = format!("rules: [rules]\nmanifest: {manifest}\noutputs: [{{target: splunk, file: '{file}'}}]\n");
        let folder = project("build-manifest-way", &config);
        for args in [&["--dry-run"][..], &[]] {
            let ran = build(&folder, args);
            assert_eq!(ran.code, 2, "{file}: {}", ran.stderr);
        }
        assert_eq!(names(&folder, ""), ["rules/good.yml", "rules/other.yml", "sigcast.yml"], "{file}");
    };
    check("m.json", "m.json/x");
    check("m.json", "m.json.pending/x");
    check("dist/a/m.json", "dist/a");
    check("m.json", "m.json");
}
