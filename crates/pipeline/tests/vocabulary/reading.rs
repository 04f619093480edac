//! What is wrong with pipeline files: each fault at its place, with the nearest word, and nothing else lost.

use crate::support::faults;
use sigcast_pipeline::{Command, Nowhere, Request, World};

fn check(text: &str, expected: &[&str]) {
    let found = faults(text, &Nowhere);
    assert_eq!(found.len(), expected.len(), "{text}\n{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{text}\n{found}\n{expected}");
    }
}

#[test]
fn unknown_words_are_named_with_the_nearest() {
    check(
        "name: x\npriorty: 3\ntransformations: []\n",
        &["2:1 `priorty` is no key of a pipeline (did you mean `priority`?)"],
    );
    check(
        "transformations:\n- id: a\n  type: field_name_maping\n  mapping: {A: b}\n",
        &["3:9 `field_name_maping` is no transformation (did you mean `field_name_mapping`?)"],
    );
    check(
        "transformations:\n- type: field_name_mapping\n  mapping: {A: b}\n  mapings: {}\n  rule_conditons: []\n",
        &[
            "4:3 `mapings` is no key of the transformation `field_name_mapping` (did you mean `mapping`?)",
            "5:3 `rule_conditons` is no key of the transformation `field_name_mapping`",
        ],
    );
    check(
        "transformations:\n- type: rule_failure\n  message: m\n  rule_conditions:\n  - type: logsource\n    categry: x\n",
        &["6:5 `categry` is no key of the condition `logsource` (did you mean `category`?)"],
    );
    check("postprocessing:\n- type: embd\n", &["2:9 `embd` is no post-processing (did you mean `embed`?)"]);
    check(
        "finalizers:\n- type: xml\n",
        &["2:9 `xml` is no finalizer (known are concat, json, nested, template, yaml)"],
    );
    check("schema: nowhere\ntransformations: []\n", &["1:9 `nowhere` is no built-in schema"]);
}

#[test]
fn wrong_types_and_values_stand_at_their_place() {
    check("- a\n", &["1:1 a pipeline is a map, and this is a list"]);
    check("name: x\n", &["1:1 the pipeline does nothing: `transformations` is expected"]);
    check("transformations: {a: 1}\n", &["1:1 `transformations` is a map: a list is expected"]);
    check(
        "transformations:\n- type: set_state\n  key: [1]\n  val: 1\n",
        &["3:8 the transformation `set_state`: invalid type: sequence, expected a string"],
    );
    check(
        "transformations:\n- type: set_state\n  key: a\n",
        &["2:3 the transformation `set_state`: missing field `val`"],
    );
    check(
        "transformations:\n- type: case\n  method: lowr\n",
        &["3:11 the transformation `case`: unknown variant `lowr`"],
    );
    check("priority: high\ntransformations: []\n", &["1:11 `priority` is text: an integer is expected"]);
    check(
        "transformations:\n- type: replace_string\n  regex: '('\n  replacement: x\n",
        &["3:10 the regular expression `(` does not parse"],
    );
    check(
        "transformations:\n- type: field_name_mapping\n  mapping:\n    A: b\n    C: []\n",
        &["5:5 `C` maps to no field"],
    );
    check(
        "transformations:\n- type: add_condition\n  conditions: {'A|contans': b}\n",
        &["3:19 unknown modifier `contans`"],
    );
    // Two faults in two items, both told.
    check(
        "transformations:\n- type: nest\n  items:\n  - type: nothing\n- type: drop_detection_item\n  field: x\n",
        &["4:11 `nothing` is no transformation", "6:3 `field` is no key of the transformation `drop_detection_item`"],
    );
}

#[test]
fn conditions_by_name_need_an_expression() {
    let item = |rest: &str| format!("transformations:\n- type: rule_failure\n  message: m\n{rest}");
    let named = "  rule_conditions:\n    a: {type: is_sigma_rule}\n";
    // Without one they are joined as those of a list are.
    check(&item(named), &[]);
    check(&item(&format!("{named}  rule_cond_expr: a and b\n")), &["6:25 the rule has no detection `b`"]);
    check(&item(&format!("{named}  rule_cond_expr: a and (\n")), &["6:26 the condition does not parse"]);
    check(
        &item("  rule_conditions: [{type: is_sigma_rule}]\n  rule_cond_expr: a\n"),
        &["5:3 `rule_cond_expr` needs names"],
    );
    check(&item("  rule_conditions: [{type: is_sigma_rule}]\n  rule_cond_op: nor\n"), &["5:17 `nor` is no operator"]);
    check(&item("  rule_conditions: [{type: logsource}]\n"), &["4:22 the condition `logsource` names nothing"]);
}

#[test]
fn what_would_run_code_is_refused() {
    check(
        "transformations:\n- type: http_placeholders\n  url: https://example.org/list\n",
        &[
            "2:3 `http_placeholders` sends a request, which a pipeline must not do unless the run allows it (`--allow-external`",
        ],
    );
    check(
        "transformations:\n- type: command_placeholders\n  cmd: [echo, a]\n",
        &["2:3 `command_placeholders` runs a command, which a pipeline must not do unless the run allows it"],
    );
    check(
        "transformations:\n- type: field_name_transform\n",
        &["2:3 `field_name_transform` takes a function in Python"],
    );
    check(
        "postprocessing:\n- type: template\n  template: x\n  vars: vars.py\n",
        &["4:3 the variables of a template are a program in Python"],
    );
    check(
        "postprocessing:\n- {type: template, template: environ, path: /proc/self}\n",
        &["2:45 `/proc/self/environ` is no path of a file beside the pipeline"],
    );
    check(
        "transformations:\n- {type: replace_string, regex: x, replacement: '\\2'}\n",
        &["2:49 the replacement asks for the group `2`"],
    );
    for path in ["/etc/passwd", "../x", "a/../../x", "C:\\x", ""] {
        let text = format!("transformations:\n- type: file_placeholders\n  path: '{path}'\n");
        check(&text, &[&format!("3:9 `{path}` is no path of a file beside the pipeline")]);
    }
}

/// A world with one file that answers every request and command with it.
struct One(&'static str);

impl World for One {
    fn file(&self, path: &str) -> Result<String, String> {
        if path == "list.txt" { Ok(self.0.to_owned()) } else { Err(format!("no file {path}")) }
    }

    fn allows_external(&self) -> bool {
        true
    }

    fn fetch(&self, request: &Request) -> Result<String, String> {
        assert_eq!((request.url.as_str(), request.timeout.as_secs()), ("https://example.org/?a=b%20c", 60));
        Ok(self.0.to_owned())
    }

    fn run(&self, command: &Command) -> Result<String, String> {
        assert_eq!(command.arguments, ["/bin/sh", "-c", "make list"]);
        Ok(self.0.to_owned())
    }
}

#[test]
fn placeholders_from_elsewhere() {
    let rule = crate::support::rule_text("{product: windows}", "s: {'F|expand': '%x%'}\ncondition: s");
    let check = |item: &str, content: &'static str, expected: &str| {
        let text = format!("transformations:\n- {item}\n");
        let query =
            crate::support::with(&[&text], &rule, &One(content), |_, _, applied| crate::support::query(applied));
        assert_eq!(query, expected, "{item}");
    };
    check("{type: file_placeholders, path: list.txt}", "a\n\n b \n", "F:(a OR b)");
    check(
        "{type: file_placeholders, path: list.txt, format: csv, csv_column: user}",
        "id,user\n1,a\n2,b*\n",
        "F:(a OR b*)",
    );
    check(
        "{type: file_placeholders, path: list.txt, format: csv, csv_column: 0, csv_has_header: false}",
        "a,1\nb,2\n",
        "F:(a OR b)",
    );
    check(
        "{type: file_placeholders, path: list.txt, format: json, jq_expression: '.users[].name'}",
        r#"{"users":[{"name":"a"},{"name":7}]}"#,
        "F:(a OR 7)",
    );
    check("{type: file_placeholders, path: list.txt, filter: '^a'}", "ab\nb\nac\n", "F:(ab OR ac)");
    check("{type: http_placeholders, url: 'https://example.org/', params: {a: b c}, timeout: 9999}", "a", "F:a");
    check("{type: command_placeholders, cmd: make list}", "a", "F:a");
    let wrong = faults("transformations:\n- {type: file_placeholders, path: other}\n", &One(""));
    assert_eq!(wrong, ["2:35 no file other"]);
    let program = "transformations:\n- {type: file_placeholders, path: list.txt, format: json, jq_expression: '.a[] | select(.b)'}\n";
    assert!(faults(program, &One("{}"))[0].contains("is no path: steps are"), "{:?}", faults(program, &One("{}")));
    let empty = faults("transformations:\n- {type: file_placeholders, path: list.txt}\n", &One("\n"));
    assert_eq!(empty, ["2:35 the source has no value"]);
}
