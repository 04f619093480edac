//! What pipelines make of queries: post-processing of each, finalizers of all.

use sigcast_pipeline::Nowhere;

const RULE: &str = "s: {A: '\"q\"'}\ncondition: s";

fn check(section: &str, expected: &str) {
    let text =
        format!("name: test\nvars: {{who: team}}\ntransformations:\n- {{type: set_state, key: k, val: v}}\n{section}");
    let rule = crate::support::rule_text("{product: windows}", RULE);
    let found = crate::support::with(&[&text], &rule, &Nowhere, |chain, _, applied| {
        let query =
            chain.postprocess(applied, "f=\"a\"".to_owned()).unwrap_or_else(|fault| format!("! {}", fault.message));
        if chain.has_finalizers() { chain.finalize(vec![query, "second".to_owned()]).expect("a text") } else { query }
    });
    assert_eq!(found, expected, "{section}");
}

#[test]
fn queries_one_by_one() {
    check("postprocessing: [{type: embed, prefix: '<', suffix: '>'}]", "<f=\"a\">");
    check(
        "postprocessing: [{type: simple_template, template: '{rule.title}/{rule.logsource.product}/{pipeline.vars.who}/{pipeline.state.k}: {query} {{x}}'}]",
        "A title/windows/team/v: f=\"a\" {x}",
    );
    check(
        "postprocessing: [{type: template, template: '{{ rule.title|upper }} {{ query }} {{ rule.tags[0] }} {{ pipeline.state.k }}'}]",
        "A TITLE f=\"a\" attack.t1059 v",
    );
    check(
        r#"postprocessing: [{type: json, json_template: '{"q": "%QUERY%", "n": [1, "x %QUERY%"]}'}]"#,
        r#"{"q":"f=\"a\"","n":[1,"x f=\"a\""]}"#,
    );
    check(r"postprocessing: [{type: replace, pattern: '(f)=', replacement: '\1:'}]", "f:\"a\"");
    check(
        "postprocessing: [{type: embed, prefix: 'x', rule_conditions: [{type: logsource, product: linux}]}]",
        "f=\"a\"",
    );
    check("postprocessing: [{type: nest, items: [{type: embed, prefix: '1'}]}]", "1f=\"a\"");
    check(
        "postprocessing: [{type: simple_template, template: '{rule.nothing}'}]",
        "! the template asks for `{rule.nothing}`, which is not known (post-processing `simple_template` of the pipeline `test`)",
    );
}

#[test]
fn templates_run_within_bounds() {
    let text = "postprocessing: [{type: template, template: '{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}'}]";
    let rule = crate::support::rule_text("{product: windows}", RULE);
    crate::support::with(&[text], &rule, &Nowhere, |chain, _, applied| {
        let fault = chain.postprocess(applied, String::new()).expect_err("it takes too long");
        assert!(fault.message.contains("fuel"), "{}", fault.message);
    });
}

#[test]
fn all_queries() {
    check("finalizers: [{type: concat, separator: ' | ', prefix: '[', suffix: ']'}]", "[f=\"a\" | second]");
    check("finalizers: [{type: json}]", r#"["f=\"a\"","second"]"#);
    check("finalizers: [{type: json, indent: 2}]", "[\n  \"f=\\\"a\\\"\",\n  \"second\"\n]");
    check("finalizers: [{type: yaml}]", "- f=\"a\"\n- second\n");
    check(
        "finalizers: [{type: template, template: '{% for q in queries %}{{ loop.index }}={{ q }};{% endfor %}{{ pipeline.vars.who }}'}]",
        "1=f=\"a\";2=second;team",
    );
    check(
        "finalizers: [{type: nested, finalizers: [{type: concat, separator: '+'}, {type: json}]}]",
        r#"["f=\"a\"+second"]"#,
    );
    check(
        "postprocessing: [{type: json, json_template: '{\"q\": \"%QUERY%\"}'}]\nfinalizers: [{type: json}]",
        r#"[{"q":"f=\"a\""},"second"]"#,
    );
}
