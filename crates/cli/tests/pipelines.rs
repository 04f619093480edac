//! What `-p` and `sigcast pipeline` do as a program: names, files, directories, faults, exit codes.

mod support;

use serde_json::Value;
use support::{BROKEN, Folder, GOOD, run};

const MAP: &str = "name: map
priority: 20
transformations:
- {type: field_name_mapping, mapping: {Image: process.executable}}
";

const PREFIX: &str = "name: prefix
priority: 10
transformations:
- {type: field_name_mapping, mapping: {Other: Image}}
- {type: set_state, key: index, val: logs-*, rule_conditions: [{type: logsource, product: windows}]}
";

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn pipelines_are_files_and_directories_in_the_order_of_their_priorities() {
    let folder = Folder::new("pipelines-order");
    let rule = folder.file("rule.yml", &GOOD.replace("Image", "Other"));
    let (map, _) = (folder.file("p/a.yml", MAP), folder.file("p/b.yml", PREFIX));
    let ran = run(&["convert", "-t", "lucene", "-p", &format!("{}/p", folder.path()), "--jsonl", &rule]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let row = &rows(&ran.stdout)[0];
    assert_eq!(row["queries"][0], r"_index:logs\-* AND process.executable:a.exe");
    assert!(!row["assumptions"].as_array().expect("a list").contains(&"assume-scope".into()), "{row}");
    // An option of the command line counts more than a pipeline's.
    let folder_of = format!("{}/p", folder.path());
    let ran = run(&["convert", "-t", "lucene", "-O", "index=mine", "-p", &folder_of, &rule]);
    assert_eq!(ran.stdout, "_index:mine AND process.executable:a.exe\n");
    let ran = run(&["convert", "-t", "lucene", "-p", &map, &rule]);
    assert_eq!(ran.stdout, "Other:a.exe\n");
}

#[test]
fn what_is_no_pipeline_is_a_fault_of_usage() {
    let folder = Folder::new("pipelines-faults");
    let rule = folder.file("rule.yml", GOOD);
    let ran = run(&["convert", "-t", "lucene", "-p", "ecs_window", &rule]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("did you mean `ecs_windows`?"), "{}", ran.stderr);
    let wrong = folder.file("wrong.yml", &MAP.replace("mapping:", "maping:"));
    let ran = run(&["convert", "-t", "lucene", "-p", &wrong, &rule]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("wrong.yml:4:30") && ran.stderr.contains("did you mean `mapping`?"), "{}", ran.stderr);
    assert_eq!(run(&["pipeline", "check", &wrong]).code, 2);
    let ran = run(&["pipeline", "check", &folder.file("right.yml", MAP), "ecs_windows"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(ran.stderr.contains("`map` is right: 1 item, priority 20"), "{}", ran.stderr);
}

#[test]
fn a_pipeline_is_for_its_backends_only() {
    let folder = Folder::new("pipelines-backends");
    let rule = folder.file("rule.yml", GOOD);
    let splunk = folder.file("splunk.yml", &format!("allowed_backends: [splunk]\n{MAP}"));
    assert_eq!(run(&["convert", "-t", "lucene", "-p", &splunk, &rule]).code, 2);
    let ran = run(&["convert", "-t", "lucene,splunk", "-p", &splunk, &rule]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Image:a.exe\n\nprocess.executable=\"a.exe\"\n"));
    assert!(ran.stderr.contains("lucene is converted without it"), "{}", ran.stderr);
    let elastic = folder.file("elastic.yml", &format!("allowed_backends: [elasticsearch]\n{MAP}"));
    assert_eq!(run(&["convert", "-t", "lucene,eql,kibana", "-p", &elastic, &rule]).code, 0);
}

#[test]
fn every_built_in_pipeline_is_right_and_can_be_read() {
    let ran = run(&["list", "pipelines", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let all: Vec<Value> = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(all.len() > 5);
    for found in all {
        let name = found["name"].as_str().expect("a name");
        let checked = run(&["pipeline", "check", name]);
        assert_eq!(checked.code, 0, "{name}: {}", checked.stderr);
        let shown = run(&["pipeline", "show", name]);
        assert!(shown.code == 0 && shown.stdout.contains("name:"), "{name}");
    }
    assert_eq!(run(&["pipeline", "show", "none"]).code, 2);
}

#[test]
fn an_explanation_has_each_item_before_and_after() {
    let folder = Folder::new("pipelines-explain");
    let rule = folder.file("rule.yml", GOOD);
    let (map, prefix) = (folder.file("map.yml", MAP), folder.file("prefix.yml", PREFIX));
    let ran = run(&["pipeline", "explain", "-p", &map, "-p", &prefix, "--json", "--all", &rule]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found: Vec<(String, String, Value)> = rows(&ran.stdout)
        .into_iter()
        .map(|row| (row["pipeline"].to_string(), row["effect"].to_string(), row["after"].clone()))
        .collect();
    let text = |pipeline: &str, effect: &str, after: Value| (format!("\"{pipeline}\""), format!("\"{effect}\""), after);
    assert_eq!(
        found,
        [
            text("prefix", "applies", Value::Null),
            text("prefix", "nothing to change", Value::Null),
            text("prefix", "applies", Value::Null),
            text("map", "applies", Value::Null),
            text("map", "changed", "process.executable: 'a.exe'".into()),
        ]
    );
    let ran = run(&["pipeline", "explain", "-p", &map, &rule]);
    assert!(ran.stdout.contains("s: Image: 'a.exe'\n      -> process.executable: 'a.exe'"), "{}", ran.stdout);
}

#[test]
fn coverage_counts_what_is_not_mapped() {
    let folder = Folder::new("pipelines-coverage");
    folder.file("rules/a.yml", &GOOD.replace("{Image: a.exe}", "{Image: a.exe, User: b, Company: c}"));
    folder.file("rules/b.yml", &GOOD.replace("{Image: a.exe}", "{User: b}"));
    folder.file("rules/c.yml", BROKEN);
    let map = folder.file("map.yml", MAP);
    let ran = run(&["pipeline", "coverage", "-p", &map, "--json", &format!("{}/rules", folder.path())]);
    // The wrong rule is said, and stops nothing.
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("unknown-modifier"), "{}", ran.stderr);
    let expected = r#"{"logsource":"windows/process_creation/-","rules":2,"refused":0,"unmapped":[{"field":"User","rules":2},{"field":"Company","rules":1}]}"#;
    assert_eq!(ran.stdout.trim_end(), expected);
}

#[test]
fn queries_are_embedded_and_joined() {
    let folder = Folder::new("pipelines-output");
    let rules = [folder.file("a.yml", GOOD), folder.file("b.yml", &GOOD.replace("a.exe", "b.exe"))];
    let post = folder.file("post.yml", "postprocessing: [{type: embed, prefix: '<', suffix: '>'}]\n");
    let ran = run(&["convert", "-t", "lucene", "-p", &post, &rules[0], &rules[1]]);
    assert_eq!(ran.stdout, "<Image:a.exe>\n\n<Image:b.exe>\n");
    // Behind a header stands what would stand there without it.
    let ran = run(&["convert", "-t", "lucene", "--header", "-p", &post, &rules[0]]);
    assert_eq!(ran.stdout.lines().nth(1), Some("<Image:a.exe>"), "{}", ran.stdout);
    let all = folder.file("all.yml", "finalizers: [{type: json}]\n");
    let ran = run(&["convert", "-t", "lucene", "-p", &post, "-p", &all, &rules[0], &rules[1]]);
    assert_eq!(ran.stdout, "[\"<Image:a.exe>\",\"<Image:b.exe>\"]\n");
    let two = folder.file("two.yml", &GOOD.replace("condition: s", "condition: [s, not s]"));
    let ran = run(&["convert", "-t", "lucene", "-p", &all, &two]);
    assert_eq!(ran.stdout, "[\"Image:a.exe\",\"NOT Image:a.exe\"]\n");
    assert_eq!(run(&["convert", "-t", "lucene", "--header", "-p", &all, &two]).code, 2);
    let out = format!("{}/out/", folder.path());
    assert_eq!(run(&["convert", "-t", "lucene", "-p", &all, "-o", &out, &rules[0]]).code, 2);
    // Rows keep the bare query.
    let row = &rows(&run(&["convert", "-t", "lucene", "-p", &post, "--jsonl", &rules[0]]).stdout)[0];
    assert_eq!((&row["queries"][0], &row["output"]), (&"Image:a.exe".into(), &"<Image:a.exe>".into()));
}

#[test]
fn a_refusal_names_pipeline_item_and_rule() {
    let folder = Folder::new("pipelines-refusal");
    let rule = folder.file("rule.yml", GOOD);
    let strict =
        folder.file("strict.yml", "name: strict\ntransformations:\n- {id: all, type: strict_field_mapping_failure}\n");
    let ran = run(&["convert", "-t", "lucene", "-p", &strict, "--jsonl", &rule]);
    assert_eq!(ran.code, 1);
    let row = &rows(&ran.stdout)[0];
    assert_eq!((&row["status"], &row["title"]), (&"refused".into(), &"Good".into()));
    assert_eq!(row["error"]["code"], "unmapped-field");
    assert_eq!(row["error"]["message"], "no mapping has `Image` (item `all` of the pipeline `strict`)");
}

#[test]
fn commands_run_only_if_the_run_allows_it() {
    let folder = Folder::new("pipelines-external");
    let rule = folder.file("rule.yml", &GOOD.replace("{Image: a.exe}", "{'User|expand': '%x%'}"));
    let item = "transformations:\n- {type: command_placeholders, cmd: [printf, 'a\\nb']}\n";
    let command = folder.file("command.yml", item);
    let ran = run(&["convert", "-t", "lucene", "-p", &command, &rule]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("--allow-external"), "{}", ran.stderr);
    let ran = run(&["convert", "-t", "lucene", "--allow-external", "-p", &command, &rule]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "User:(a OR b)\n"));
    let slow = folder.file("slow.yml", "transformations:\n- {type: command_placeholders, cmd: sleep 30, timeout: 1}\n");
    let ran = run(&["convert", "-t", "lucene", "--allow-external", "-p", &slow, &rule]);
    assert!(ran.code == 2 && ran.stderr.contains("takes longer than 1 seconds"), "{}", ran.stderr);
    let item = "transformations:\n- {type: command_placeholders, cmd: 'sleep 30 & echo a', timeout: 1}\n";
    let held = folder.file("held.yml", item);
    let ran = run(&["convert", "-t", "lucene", "--allow-external", "-p", &held, &rule]);
    assert!(ran.code == 2 && ran.stderr.contains("takes longer than 1 seconds"), "{}", ran.stderr);
    folder.file("list.txt", "c\nd\n");
    let file = folder.file("file.yml", "transformations:\n- {type: file_placeholders, path: list.txt}\n");
    assert_eq!(run(&["convert", "-t", "lucene", "-p", &file, &rule]).stdout, "User:(c OR d)\n");
}
