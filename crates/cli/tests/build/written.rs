//! What a build writes, says of it, and writes no second time.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::{self, BROKEN, Folder, GOOD, OTHER, REFUSED, run};
use crate::{CONFIG, build, manifest, names, project};

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

/// Without a folder of rules, everything beside the configuration is read, but nothing that builds wrote there.
#[test]
fn what_was_built_is_not_read_as_rules() {
    let folder = Folder::new("build-init-flat");
    folder.file("good.yml", GOOD);
    let file = format!("{}/sigcast.yml", folder.path());
    assert_eq!(run(&["init", &file]).code, 0);
    let text = fs::read_to_string(&file).expect("written");
    assert!(text.contains("rules: [.]"), "{text}");
    let more = "\n  - {target: lucene, format: elastalert, options: {index: logs}, output: 'dist/{slug}.{ext}'}\n\n# What was built";
    folder.file("sigcast.yml", &text.replace("\n# What was built", more));
    for _ in 0..3 {
        let ran = build(&folder, &[]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(names(&folder, "dist").contains(&"good.yaml".to_owned()));
        assert!(ran.stderr.contains("lucene-elastalert: 1 converted"), "{}", ran.stderr);
    }
    assert_eq!(build(&folder, &["--check"]).code, 0);
}

/// An empty map of options is none.
#[test]
fn no_options_are_no_fault() {
    let config = "rules: [rules]\noptions: {}\noutputs: [{target: lucene, output: 'dist/{slug}.{ext}', options: {}}]\n";
    assert_eq!(build(&project("build-options", config), &[]).code, 0);
    let ran = build(&project("build-options-wrong", &config.replace("options: {}\n", "options: []\n")), &[]);
    assert!(ran.code == 2 && ran.stderr.contains("is no map"), "{}", ran.stderr);
}

/// What a format asks of the query, `build` asks too: what it writes is what `convert` prints.
#[test]
fn a_format_is_built_as_it_is_converted() {
    let check = |target: &str, format: &str, extension: &str, within: &str, without: &str| {
        let config = format!(
            "rules: [rules/good.yml]\noutputs:\n- {{target: {target}, format: {format}, options: {{index: 'logs-*', time_range: 1h}}, \
             file: dist/all.{extension}}}\n"
        );
        let folder = project("build-format", &config);
        let ran = build(&folder, &[]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let text = fs::read_to_string(format!("{}/dist/all.{extension}", folder.path())).expect("a file");
        let rule = format!("{}/rules/good.yml", folder.path());
        let options = ["-O", "index=logs-*", "-O", "time_range=1h"];
        let printed = run(&[&["convert", "-t", target, "-f", format], &options[..], &[&rule]].concat()).stdout;
        assert_eq!(text, printed);
        assert!(text.contains(within) && !text.contains(without), "{text}");
    };
    check("lucene", "siem-rule", "json", "\"query\": \"Image:a.exe\"", "_index:");
    check("esql", "siem-rule", "json", "METADATA _id", "TIMESTAMP");
    check("opensearch", "security-analytics", "yml", "Image: 'a.exe'", "_index:");
}

/// Two documents in one file are none that a product takes, where each is one object.
#[test]
fn a_file_holds_one_document_of_a_format_that_stands_alone() {
    let check = |target: &str, format: &str, fails: bool| {
        let options = ["index=logs-*", "data_view=logs", "table=DeviceProcessEvents"];
        let known = |key: &str| {
            let target = sigcast_backends::find(target).expect("a target");
            target.options.contains(&key.split('=').next().unwrap_or_default())
        };
        let options: Vec<&str> = options.into_iter().filter(|option| known(option)).collect();
        let map: Vec<String> = options.iter().map(|option| option.replace('=', ": '") + "'").collect();
        let config = format!(
            "rules: [rules]\noutputs: [{{target: {target}, format: {format}, file: dist/all, options: {{{}}}}}]\n",
            map.join(", ")
        );
        let folder = project("build-alone", &config);
        let root = folder.path();
        let (file, rules) = (format!("{root}/one.out"), format!("{root}/rules"));
        let given: Vec<&str> = options.iter().flat_map(|option| ["-O", option]).collect();
        let command = [&["convert", "-t", target, "-f", format, "-o", &file, &rules], &given[..]].concat();
        for (ran, help) in [(build(&folder, &[]), "`output: dist/{slug}.{ext}`"), (run(&command), "-o DIR/")] {
            assert_eq!(ran.code, if fails { 2 } else { 0 }, "{target} {format}: {}", ran.stderr);
            assert_eq!(
                ran.stderr.contains("would hold 2 documents") && ran.stderr.contains(help),
                fails,
                "{}",
                ran.stderr
            );
        }
        assert_eq!(Path::new(&file).exists(), !fails, "{target} {format}");
        // One document has its file.
        fs::remove_file(format!("{rules}/other.yml")).expect("removed");
        assert_eq!(build(&folder, &[]).code, 0, "{target} {format}");
        assert_eq!(run(&command).code, 0, "{target} {format}");
    };
    check("lucene", "siem-rule", true);
    check("lucene", "elastalert", true);
    check("kusto", "sentinel-arm", true);
    check("kusto", "sentinel-yaml", true);
    check("kusto", "defender", true);
    check("opensearch", "monitor", true);
    check("opensearch", "security-analytics", true);
    check("graylog", "event-definition", true);
    check("graylog", "content-pack", true);
    check("lucene", "siem-rule-ndjson", false);
    check("lucene", "saved-search", false);
    check("splunk", "savedsearches", false);
    check("splunk", "commented", false);
    check("lucene", "default", false);
}

/// A template's extension is one: with it, no file gets out of its folder.
#[test]
fn the_extension_of_a_template_leads_nowhere() {
    let folder = project(
        "build-extension",
        "rules: [rules]\ntemplates: own\noutputs: [{target: watcher, output: 'dist/{slug}.{ext}'}]\n",
    );
    folder.file("own/watcher/json.j2", "{#-\nextension: \"a/../../../../escaped\"\nunit: query\n#}\n{{ query }}\n");
    let root = folder.path();
    let (own, rules, out) = (format!("{root}/own"), format!("{root}/rules"), format!("{root}/p/oo/"));
    fs::create_dir_all(&out).expect("a folder");
    let converted = run(&["convert", "-t", "watcher", "--templates", &own, "-o", &out, &rules]);
    for ran in [converted, build(&folder, &[])] {
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("watcher/json.j2 is wrong: `extension:"), "{}", ran.stderr);
    }
    assert_eq!(names(&folder, "p"), [] as [&str; 0]);
}

/// The sample repository: one command writes every target in every format, and what its baseline lists is all that is
/// refused.
#[test]
fn the_sample_repository_is_built_by_one_command() {
    let folder = Folder::new("build-example");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/sigcast.yml");
    let out = folder.path();
    let ran = run(&["build", "-c", config, "-o", &out]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = fs::read_to_string(format!("{out}/dist/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    let word = |one: &Value, key: &str| one[key].as_str().expect("a name").to_owned();
    let built: BTreeSet<(String, String)> = manifest["outputs"]
        .as_array()
        .expect("outputs")
        .iter()
        .map(|one| (word(one, "target"), word(one, "format")))
        .collect();
    let formats: BTreeSet<(String, String)> = sigcast_backends::TARGETS
        .iter()
        .flat_map(|target| target.formats.iter().map(|format| (target.name.to_owned(), format.name.to_owned())))
        .collect();
    assert_eq!(built, formats);
    let rules = manifest["rules"].as_array().expect("rows");
    for (target, output) in
        manifest["outputs"].as_array().expect("outputs").iter().map(|one| (&one["target"], &one["name"]))
    {
        let with_files =
            rules.iter().filter(|row| row["output"] == *output && row["files"] != Value::Array(Vec::new()));
        assert!(with_files.count() > 0, "{target}");
    }
    // The correlation is written where it can be said.
    let correlated = rules.iter().filter(|row| row["title"] == "Many Failed Logons of One Account");
    assert!(correlated.filter(|row| row["query_sha256"].is_string()).count() > 10);
    assert_eq!(run(&["build", "-c", config, "-o", &out, "--check"]).code, 0);
}
