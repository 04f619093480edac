//! What `sigcast convert` does as a program: what goes where, exit codes, rows, files.

mod support;

use serde_json::Value;
use support::{ARTLESS, BROKEN, Folder, GOOD, OTHER, REFUSED, Ran, run, run_with};

/// The rows of a run with `--jsonl`.
fn rows(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn queries_go_to_standard_output_and_all_else_to_standard_error() {
    let folder = Folder::new("streams");
    let good = folder.file("good.yml", GOOD);
    let ran = run(&["convert", "-t", "lucene", &good]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Image:a.exe\n"));
    assert!(ran.stderr.contains("lucene: 1 converted"), "{}", ran.stderr);
    assert!(ran.stderr.contains("assume-scope"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "no colour into a pipe: {}", ran.stderr);
}

#[test]
fn one_bad_rule_stops_no_other() {
    let folder = Folder::new("mixed");
    folder.file("a.yml", GOOD);
    folder.file("b.yml", BROKEN);
    folder.file("c.yml", OTHER);
    let ran = run(&["convert", "-t", "lucene", &folder.path()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "Image:a.exe\n\nImage:b.exe\n"));
    assert!(ran.stderr.contains("error[unknown-modifier]") && ran.stderr.contains("b.yml:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("2 converted, 1 invalid"), "{}", ran.stderr);
}

#[test]
fn quiet_says_errors_only() {
    let folder = Folder::new("quiet");
    folder.file("a.yml", GOOD);
    let ran = run(&["convert", "-q", "-t", "lucene", &folder.path()]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    folder.file("b.yml", BROKEN);
    let ran = run(&["convert", "-q", "-t", "lucene", &folder.path()]);
    assert!(ran.stderr.contains("unknown-modifier") && !ran.stderr.contains("converted"), "{}", ran.stderr);
}

#[test]
fn colour_is_used_if_asked_for() {
    let folder = Folder::new("colour");
    let bad = folder.file("b.yml", BROKEN);
    let coloured = |args: &[&str]| run(&[args, &["convert", "-t", "lucene", &bad]].concat()).stderr.contains('\u{1b}');
    assert!(coloured(&["--color", "always"]));
    assert!(!coloured(&["--color", "never"]));
    assert!(!coloured(&[]));
}

#[test]
fn each_condition_gives_a_query() {
    let folder = Folder::new("conditions");
    let two = GOOD.replace("condition: s", "condition: [s, not s]");
    let file = folder.file("two.yml", &two);
    let ran = run(&["convert", "-t", "lucene", "--header", &file]);
    let header = format!("# Good | 11111111-2222-4333-8444-555555555555 | {file}\n");
    assert_eq!(ran.stdout, format!("{header}Image:a.exe\n\n{header}NOT Image:a.exe\n"));
    let ran = run(&["convert", "-t", "lucene", "--jsonl", &file]);
    assert_eq!(rows(&ran)[0]["queries"], serde_json::json!(["Image:a.exe", "NOT Image:a.exe"]));
}

#[test]
fn exit_codes_are_as_promised() {
    let folder = Folder::new("codes");
    let good = folder.file("good.yml", GOOD);
    let check = |args: &[&str], code: i32, said: &str| {
        let ran = run(args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
        if code == 2 {
            assert_eq!(ran.stdout, "", "{args:?}");
        }
    };
    let refused = folder.file("refused.yml", REFUSED);
    let skipped = folder.file("skipped.yml", ARTLESS);
    let empty = folder.folder("empty");
    check(&["convert", "-t", "lucene", &good], 0, "1 converted");
    check(&["convert", "-t", "lucene", &refused], 1, "error[field-reference-unsupported]");
    check(&["convert", "-t", "lucene", &skipped], 1, "no rule found");
    check(&["convert", "-t", "lucene", &empty], 1, "no rule found");
    check(&["convert", "-t", "lucene", "--level", "low", &good], 1, "the selection leaves out the only rule");
    check(&["convert", "-t", "lucene", "no/such.yml"], 3, "cannot read no/such.yml: ");
    check(&["convert", "-t", "lucene", "-o", "no/such/file.txt", &good], 3, "cannot write no/such/file.txt: ");
    check(&["convert", "-t", "lucene"], 2, "no PATH is given");
    check(&["convert", &good], 2, "no target is given");
    check(&["convert", "-t", "lucene", "--no-such-option", &good], 2, "--no-such-option");
    check(&["convert", "-t", "lucene", "--jsonl", "-o", &empty, &good], 2, "is a directory");
    check(&["convert", "-t", "lucene", "--jsonl", "--header", &good], 2, "cannot be used with");
    check(&[], 2, "Usage");
}

#[test]
fn a_path_that_does_not_exist_stops_no_other() {
    let folder = Folder::new("missing");
    let good = folder.file("good.yml", GOOD);
    let ran = run(&["convert", "-t", "lucene", "no/such.yml", &good]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, "Image:a.exe\n"));
}

#[test]
fn unknown_words_name_the_nearest() {
    let check = |args: &[&str], said: &[&str]| {
        let ran = run(&[&["convert"], args, &["x.yml"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}");
        for said in said {
            assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
        }
    };
    check(&["-t", "lucen"], &["unknown target `lucen`", "did you mean `lucene`?"]);
    check(&["-t", "kql"], &["`kusto` (Microsoft", "`kibana` (Kibana's"]);
    check(&["-t", "lucene,kql"], &["`kusto` (Microsoft"]);
    check(&["-t", "lucene", "-f", "defualt"], &["did you mean `default`?", "formats of lucene are default"]);
    check(&["-t", "lucene", "-O", "cdir=native"], &["unknown option `cdir`", "did you mean `cidr`?"]);
    check(&["-t", "lucene", "-O", "cidr=nativ"], &["did you mean `native`?"]);
    check(&["-t", "lucene", "-O", "cidr"], &["`-O key=value` is expected"]);
    check(&["-t", "lucene", "-O", "sourcetype=x"], &["option `sourcetype` is not known to lucene"]);
    check(&["-t", "lucene", "-O", "splunk.sourcetype=x"], &["splunk is no target of this run"]);
    check(&["-t", "lucene,splunk", "-O", "lucene.sourcetype=x"], &["option `sourcetype` is not known to lucene"]);
    check(&["-t", "lucene", "-O", "style=nosuch"], &["none of atc2019, atc2020"]);
    check(&["-t", "lucene", "--deny-assumption", "assume-caselss"], &["did you mean `assume-caseless`?"]);
    check(&["-t", "lucene", "--deny-assumption", "bad-regex"], &["`bad-regex` is no assumption"]);
    check(&["-t", "lucene", "--level", "hgih"], &["did you mean `high`?"]);
    check(&["-t", "lucene", "--logsource", "produkt=x"], &["did you mean `product`?"]);
}

#[test]
fn options_hold_for_the_targets_that_know_them() {
    let folder = Folder::new("options");
    let good = folder.file("good.yml", GOOD);
    let check = |targets: &str, options: &[&str], expected: &str| {
        let ran = run(&[&["convert", "-t", targets], options, &[&good]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (0, expected), "{options:?} {}", ran.stderr);
    };
    check("lucene,graylog", &["-O", "index=logs"], "_index:logs AND Image:a.exe\n\nImage:a.exe\n");
    let one_for_all = ["-O", "lucene.index=a", "-O", "index=b"];
    check("lucene,kibana", &one_for_all, "_index:a AND Image:a.exe\n\n_index: b and Image: \"a.exe\"\n");
}

#[test]
fn rows_have_the_promised_keys_in_order() {
    let folder = Folder::new("rows");
    let all = [("a.yml", GOOD), ("b.yml", BROKEN), ("c.yml", REFUSED), ("d.yml", ARTLESS)];
    for (name, text) in all {
        folder.file(name, text);
    }
    let ran = run(&["convert", "-t", "lucene,graylog", "--jsonl", &folder.path()]);
    assert_eq!(ran.code, 1);
    let rows = rows(&ran);
    let keys = [
        "path",
        "document",
        "rule_id",
        "title",
        "target",
        "format",
        "status",
        "assumptions",
        "queries",
        "output",
        "warnings",
        "errors",
        "error",
    ];
    for row in &rows {
        let found: Vec<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(found, keys);
        let first = row["errors"].get(0).cloned().unwrap_or(Value::Null);
        assert_eq!(row["error"], first);
    }
    let short: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["target"].as_str().unwrap_or(""), row["status"].as_str().unwrap_or(""))).collect();
    let both = |status| [("lucene", status), ("graylog", status)];
    assert_eq!(short, ["exact", "invalid", "refused", "skipped"].map(both).concat());
    let good = &rows[0];
    assert_eq!(good["path"], format!("{}/a.yml", folder.path()));
    assert_eq!((&good["document"], &good["title"], &good["format"]), (&1.into(), &"Good".into(), &"default".into()));
    assert_eq!((&good["queries"], &good["output"]), (&serde_json::json!(["Image:a.exe"]), &"Image:a.exe".into()));
    let bad = &rows[2];
    assert_eq!((&bad["output"], &bad["queries"]), (&Value::Null, &serde_json::json!([])));
    let keys: Vec<&str> = bad["error"].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["code", "message", "line", "column"]);
    assert_eq!((&bad["error"]["code"], &bad["error"]["line"]), (&"unknown-modifier".into(), &4.into()));
}

#[test]
fn standard_input_is_read_once() {
    let both = format!("{GOOD}---\n{OTHER}");
    let ran = run_with(&["convert", "-t", "lucene", "-", "-"], both.as_bytes(), &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Image:a.exe\n\nImage:b.exe\n"));
    let ran = run_with(&["convert", "-t", "lucene", "--jsonl", "-"], both.as_bytes(), &[]);
    let places: Vec<(Value, Value)> =
        rows(&ran).iter().map(|row| (row["path"].clone(), row["document"].clone())).collect();
    assert_eq!(places, [("<stdin>".into(), 1.into()), ("<stdin>".into(), 2.into())]);
}

#[test]
fn what_is_no_text_is_an_error_at_its_place() {
    let folder = Folder::new("bytes");
    folder.bytes("a.yml", b"title: x\nab\xff\n");
    folder.bytes("b.yml", &[0xff, 0xfe, b't', 0]);
    folder.bytes("c.yml", &vec![b'#'; (16 << 20) + 1]);
    folder.bytes("d.yml", &[b"\xef\xbb\xbf", GOOD.as_bytes()].concat());
    let ran = run(&["convert", "-t", "lucene", "--jsonl", &folder.path()]);
    let rows = rows(&ran);
    let errors: Vec<Value> = rows.iter().map(|row| row["error"]["code"].clone()).collect();
    assert_eq!(errors, ["not-utf8".into(), "not-utf8".into(), "too-large".into(), Value::Null]);
    assert_eq!((&rows[0]["error"]["line"], &rows[0]["error"]["column"]), (&2.into(), &3.into()));
    assert!(ran.stderr.contains("UTF-16"), "{}", ran.stderr);
    assert_eq!((ran.code, &rows[3]["status"]), (1, &"exact".into()));
}

#[test]
fn directories_are_read_by_path_without_hidden_ones() {
    let folder = Folder::new("walk");
    let rule = |name: &str| GOOD.replace("a.exe", name);
    folder.file("b/z.yaml", &rule("2"));
    folder.file("a.yml", &rule("1"));
    folder.file("c.yml", &rule("3"));
    folder.file(".git/d.yml", &rule("4"));
    folder.file("readme.txt", &rule("5"));
    let ran = run(&["convert", "-t", "lucene", &folder.path()]);
    assert_eq!(ran.stdout, "Image:1\n\nImage:2\n\nImage:3\n");
}

#[test]
fn rules_are_selected() {
    let folder = Folder::new("select");
    folder.file("a.yml", GOOD);
    folder.file("b.yml", OTHER);
    let check = |options: &[&str], expected: &str| {
        let ran = run(&[&["convert", "-t", "lucene"], options, &[&folder.path()]].concat());
        assert_eq!(ran.stdout, expected, "{options:?} {}", ran.stderr);
    };
    let (a, b, both) = ("Image:a.exe\n", "Image:b.exe\n", "Image:a.exe\n\nImage:b.exe\n");
    check(&["--level", "medium"], a);
    check(&["--level", "medium+"], both);
    check(&["--level", "medium,high"], both);
    check(&["--status", "stable"], b);
    check(&["--status", "test+"], both);
    check(&["--tag", "attack.t1059"], a);
    check(&["--tag", "attack.t1059.001", "--level", "high"], "");
    check(&["--tag", "attack.t105"], "");
    check(&["--logsource", "product=windows"], a);
    check(&["--logsource", "product=linux,category=process_creation"], b);
    check(&["--logsource", "product=linux", "--logsource", "product=Windows"], both);
}

#[test]
fn strictness_and_denied_assumptions_fail() {
    let folder = Folder::new("strict");
    let good = folder.file("a.yml", GOOD);
    // Kibana reads a value with a wildcard and a blank by the field's type.
    let spaced = folder.file("b.yml", &GOOD.replace("{Image: a.exe}", "{'Image|contains': 'a b'}"));
    let lax = run(&["convert", "-t", "kibana", "--jsonl", &spaced]);
    let strict = run(&["convert", "-t", "kibana", "--strict", &spaced]);
    assert_eq!(rows(&lax)[0]["status"], "approximate");
    assert_eq!((lax.code, strict.code), (0, 1));
    assert!(lax.stderr.contains("1 converted (1 approximate)"), "{}", lax.stderr);
    assert_eq!(run(&["convert", "-t", "lucene", "--strict", &good]).code, 0);
    let denied = run(&["convert", "-t", "lucene", "--jsonl", "--deny-assumption", "assume-scope", &good]);
    let rows = rows(&denied);
    assert_eq!((denied.code, &rows[0]["status"], &rows[0]["output"]), (1, &"refused".into(), &Value::Null));
    assert_eq!(rows[0]["error"]["code"], "assume-scope");
    assert!(denied.stderr.contains("error[assume-scope]"), "{}", denied.stderr);
    let met = run(&["convert", "-t", "lucene", "--deny-assumption", "assume-scope", "-O", "index=logs-*", &good]);
    assert_eq!(met.code, 0, "{}", met.stderr);
}

#[test]
fn a_schema_fits_the_query_to_its_types() {
    let folder = Folder::new("schema");
    let good = folder.file("good.yml", GOOD);
    let schema = folder.file("schema.yaml", "fields: {Image: {type: keyword, case: sensitive}}\n");
    let ran = run(&["convert", "-t", "lucene", "--schema", &schema, &good]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Image:/[aA]\\.[eE][xX][eE]/\n"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("assume-caseless"), "{}", ran.stderr);
    let both = run(&["convert", "-t", "lucene,splunk", "--schema", &schema, &good]);
    assert!(both.stderr.contains("splunk takes no schema") && !both.stderr.contains("lucene takes"), "{}", both.stderr);
    let wrong = folder.file("wrong.yaml", "fields:\n  Image: keywrd\n");
    let ran = run(&["convert", "-t", "lucene", "--schema", &wrong, &good]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    for part in ["2:10:", "[bad-schema]", "did you mean `keyword`?"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let missing = folder.path() + "/none.yaml";
    let ran = run(&["convert", "-t", "lucene", "--schema", &missing, &good]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
}
