//! What a configuration asks for: its faults, what it selects, and the baseline that its failures are held to.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{BROKEN, REFUSED};
use crate::{CONFIG, build, names, project};

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
