//! What each transformation makes of a rule, shown as the query it becomes.

use crate::support::lucene;

const WINDOWS: &str = "{product: windows, category: process_creation}";

fn check(items: &str, detection: &str, expected: &str) {
    assert_eq!(lucene(items, WINDOWS, detection), expected, "{items}\n{detection}");
}

/// One item, `s:` with these fields, and the query.
fn item(item: &str, fields: &str, expected: &str) {
    check(&format!("- {item}"), &format!("s: {{{fields}}}\ncondition: s"), expected);
}

#[test]
fn names_by_a_table() {
    let map = "{type: field_name_mapping, mapping: {A: x, B: [y, z]}}";
    item(map, "A: 1, C: 2", "x:1 AND C:2");
    item(map, "B: v", "y:v OR z:v");
    item(map, "B: [v, w]", "y:(v OR w) OR z:(v OR w)");
    // Each value may stand in another of the fields.
    item(map, "'B|contains|all': [v, w]", "(y:*v* OR z:*v*) AND (y:*w* OR z:*w*)");
    // There is nothing in the field if there is nothing in any of them.
    item(map, "B: null", "NOT _exists_:y AND NOT _exists_:z");
    item(map, "B: [v, null]", "y:v OR z:v OR (NOT _exists_:y AND NOT _exists_:z)");
    item(map, "'B|neq': v", "NOT y:v AND NOT z:v");
    item(map, "'B|exists': true", "_exists_:y OR _exists_:z");
    item("{type: field_name_mapping, mapping: {null: message}}", "keep: 1", "keep:1");
    check(
        "- {type: field_name_mapping, mapping: {null: message}}",
        "s: [word, 17]\ncondition: s",
        "message:(*word* OR *17*)",
    );
    item(
        "{type: field_name_prefix_mapping, mapping: {win.: w_, win.x.: v_}}",
        "win.a: 1, win.x.b: 2",
        "w_a:1 AND v_b:2",
    );
    item("{type: field_name_prefix, prefix: p.}", "A: 1", "p.A:1");
    item("{type: field_name_suffix, suffix: .s}", "A: 1", "A.s:1");
}

#[test]
fn values() {
    item("{type: map_string, mapping: {a: [b, 'c*']}}", "F: [a, d]", "F:(b OR c* OR d)");
    item("{type: map_string, mapping: {'true': egress}}", "F: 'true'", "F:egress");
    item("{type: map_string, mapping: {'true': egress}}", "F: true", "F:egress");
    item(
        r"{type: replace_string, regex: '^\\REGISTRY\\MACHINE', replacement: HKLM}",
        r"F: '\REGISTRY\MACHINE\x*'",
        r"F:HKLM\\x*",
    );
    item(r"{type: replace_string, regex: '(b)(c)', replacement: '\2\1'}", "F: a*bc", "F:a*cb");
    item("{type: replace_string, regex: 'a.*c', replacement: x, skip_special: true}", "F: 'ab*bc'", "F:ab*bc");
    item("{type: replace_string, regex: a, replacement: '*', skip_special: true}", "F: xay", r#"F:"x*y""#);
    item(
        "{type: replace_string, regex: a, replacement: '*', skip_special: true, interpret_special: true}",
        "F: xay",
        "F:x*y",
    );
    item(r"{type: replace_string, regex: '^C:', replacement: '\\\\srv'}", r"F: 'C:\Temp*'", r"F:\\\\srv\\Temp*");
    item(r"{type: replace_string, regex: '^\\\\srv', replacement: X}", r"F: '\\\\srv\share'", r#"F:"X\\share""#);
    item(r"{type: replace_string, regex: 'Local\\\*', replacement: L}", r"'F|contains': 'x\Local\'", r"F:*x\\L");
    item(r"{type: map_string, mapping: {'a\*b': hit, 'a*b': wrong}}", r"F: 'a\*b'", "F:hit");
    item("{type: set_value, value: 7}", "F: [a, b]", "F:7");
    item("{type: set_value, value: null}", "F: a", "NOT _exists_:F");
    item("{type: convert_type, target_type: num}", "F: '5'", "F:5");
    item(
        "{type: convert_type, target_type: num}",
        "F: x",
        "! pipeline-failure: `x` is no number, and the field takes numbers (item 1 `convert_type` of the pipeline `test`)",
    );
    item("{type: case, method: upper}", "F: ab*c", "F:AB*C");
    item("{type: case}", "F: AB", "F:ab");
    item("{type: regex, method: plain}", "'F|endswith': '.exe'", r"F:/.*\.exe/");
}

#[test]
fn hashes_become_fields() {
    let hashes = "{type: hashes_fields, valid_hash_algos: [MD5, SHA1, IMPHASH], field_prefix: hash.}";
    let md5 = "0123456789abcdef0123456789abcdef";
    item(
        hashes,
        &format!("'Hashes|contains': ['MD5={md5}', 'IMPHASH={md5}']"),
        &format!("hash.MD5:{md5} OR hash.IMPHASH:{md5}"),
    );
    item(
        hashes,
        &format!("'Hashes|contains|all': ['MD5={md5}', 'IMPHASH={md5}']"),
        &format!("hash.MD5:{md5} AND hash.IMPHASH:{md5}"),
    );
    item(hashes, &format!("'Hashes|contains': '{md5}'"), &format!("hash.MD5:{md5}"));
    item(hashes, "'Hashes|contains': 'SHA1=00ff'", "hash.SHA1:00ff*");
    item(hashes, "'Hashes|contains': 'IMPHASH='", "hash.IMPHASH:*");
    item(hashes, "Other: x", "Other:x");
    item(
        hashes,
        "'Hashes|contains': 'CRC=00'",
        "! pipeline-failure: `*CRC=00*` is no hash of MD5, SHA1, IMPHASH (item 1 `hashes_fields` of the pipeline `test`)",
    );
}

#[test]
fn groups_become_fields() {
    let user = r"{type: extract_fields, regex: '(?P<domain>[^\\]+)\\(?P<name>.+)', field_prefix: u}";
    item(user, r"F: 'CORP\admin*'", "u.domain:CORP AND u.name:admin*");
    item(user, r"F: ['A\b', 'C\d']", "(u.domain:A AND u.name:b) OR (u.domain:C AND u.name:d)");
    item(user, r"'F|neq': 'A\b'", "(NOT u.domain:A) OR (NOT u.name:b)");
    assert!(
        lucene(&format!("- {user}"), WINDOWS, "s: {F: x}\ncondition: s")
            .starts_with("! pipeline-failure: `x` does not match")
    );
    let keep = r"{type: extract_fields, regex: '(?P<domain>[^\\]+)\\(?P<name>.+)', preserve_unmatched: true}";
    item(keep, r"F: [x, 'A\b']", "F:x OR (domain:A AND name:b)");
}

#[test]
fn placeholders() {
    item("{type: wildcard_placeholders}", "'F|expand': 'a%x%b'", "F:a*b");
    item("{type: value_placeholders}", "'F|expand': '%admins%'", "F:(alice OR bob*)");
    item("{type: value_placeholders}", r"'F|expand': 'D\%admins%'", r#"F:("D\\alice" OR D\\bob*)"#);
    item("{type: value_placeholders}", "'F|expand': '%port%'", "F:4444");
    item("{type: value_placeholders, include: [port]}", "'F|expand': '%admins%'", "? unresolved-placeholder");
    item(
        "{type: value_placeholders}",
        "'F|expand': '%none%'",
        "! unresolved-placeholder: the variable `none` of the placeholder is in no `vars` (item 1 `value_placeholders` of the pipeline `test`)",
    );
    item(
        "{type: query_expression_placeholders, expression: '{field}:lookup({id})', mapping: {admins: adm}}",
        "'F|expand': '%admins%'",
        "F:lookup(adm)",
    );
    check(
        "- {type: query_expression_placeholders, expression: '{field}:lookup({id})'}\n- {type: field_name_mapping, mapping: {F: x}}",
        "s: {'F|expand': '%admins%'}\ncondition: s",
        "x:lookup(admins)",
    );
}

#[test]
fn items_that_are_dropped_or_refused() {
    let drop = "- type: drop_detection_item\n  field_name_conditions: [{type: include_fields, fields: [A]}]";
    check(drop, "s: {A: 1, B: 2}\ncondition: s", "B:2");
    check(
        drop,
        "s: {A: 1}\nt: {B: 2}\ncondition: s and t",
        "! item-dropped: `A: 1` is dropped, so the query differs from the rule (item 1 `drop_detection_item` of the pipeline `test`)\n! nothing-left: nothing is left of the detection `s` (item 1 `drop_detection_item` of the pipeline `test`)",
    );
    // Of several alternatives the others stay; that one is gone is said.
    check(drop, "s: [{A: 1}, {B: 2}]\ncondition: s", "B:2");
    item(
        "{type: rule_failure, message: not here}",
        "A: 1",
        "! pipeline-failure: not here (item 1 `rule_failure` of the pipeline `test`)",
    );
    item(
        "{type: detection_item_failure, message: no such field}",
        "A: 1",
        "! pipeline-failure: `A`: no such field (item 1 `detection_item_failure` of the pipeline `test`)",
    );
    check(
        "- {type: field_name_mapping, mapping: {A: x}}\n- {type: strict_field_mapping_failure}",
        "s: {A: 1, B: 2, C: 3}\ncondition: s",
        "! unmapped-field: no mapping has `B`, `C` (item 2 `strict_field_mapping_failure` of the pipeline `test`)",
    );
}

#[test]
fn conditions_are_added_to_every_condition() {
    let scope = "- {type: add_condition, conditions: {channel: Security, 'id|gte': 4}}";
    check(scope, "s: {A: 1}\nt: {B: 2}\ncondition: s or t", "channel:Security AND id:[4 TO *] AND (A:1 OR B:2)");
    check(
        scope,
        "s: {A: 1}\nt: {B: 2}\ncondition: [s, t]",
        "channel:Security AND id:[4 TO *] AND A:1 ;; channel:Security AND id:[4 TO *] AND B:2",
    );
    item("{type: add_condition, conditions: {null: [term, other*]}}", "A: 1", "(*term* OR *other*) AND A:1");
    // No pattern of a condition takes what a pipeline adds for a detection of the rule.
    check(scope, "s: {A: 1}\ncondition: 1 of them", "channel:Security AND id:[4 TO *] AND A:1");
    item("{type: add_condition, conditions: {a: [1, 2]}, negated: true}", "A: 1", "NOT a:(1 OR 2) AND A:1");
    item(
        "{type: add_condition, conditions: {src: 'x:$product/$category'}, template: true}",
        "A: 1",
        r#"src:"x:windows/process_creation" AND A:1"#,
    );
}

#[test]
fn conditions_of_items() {
    let map = |conditions: &str| format!("- type: field_name_prefix\n  prefix: p.\n{conditions}");
    let of = |conditions: &str, detection: &str, expected: &str| check(&map(conditions), detection, expected);
    let both = "s: {A: 1, B: x*}\ncondition: s";
    of("  rule_conditions: [{type: logsource, product: windows}]", both, "p.A:1 AND p.B:x*");
    of("  rule_conditions: [{type: logsource, product: linux}]", both, "A:1 AND B:x*");
    of("  rule_conditions: [{type: logsource, product: linux}]\n  rule_cond_not: true", both, "p.A:1 AND p.B:x*");
    of(
        "  rule_conditions: [{type: logsource, product: linux}, {type: tag, tag: attack.t1059}]\n  rule_cond_op: or",
        both,
        "p.A:1 AND p.B:x*",
    );
    of(
        "  rule_conditions: {a: {type: contains_field, field: A}, b: {type: contains_field, field: Z}}\n  rule_cond_expr: a and not b",
        both,
        "p.A:1 AND p.B:x*",
    );
    of("  rule_conditions: [{type: contains_detection_item, field: A, value: 1}]", both, "p.A:1 AND p.B:x*");
    of("  rule_conditions: [{type: contains_detection_item, field: A, value: 2}]", both, "A:1 AND B:x*");
    of(
        "  rule_conditions: [{type: rule_attribute, attribute: level, value: medium, op: gte}]",
        both,
        "p.A:1 AND p.B:x*",
    );
    of("  rule_conditions: [{type: is_sigma_correlation_rule}]", both, "A:1 AND B:x*");
    of("  field_name_conditions: [{type: include_fields, fields: [A]}]", both, "p.A:1 AND B:x*");
    of("  field_name_conditions: [{type: exclude_fields, fields: ['[AZ]'], mode: re}]", both, "A:1 AND p.B:x*");
    of("  detection_item_conditions: [{type: contains_wildcard, cond: any}]", both, "A:1 AND p.B:x*");
    of("  detection_item_conditions: [{type: match_string, cond: all, pattern: 'x'}]", both, "A:1 AND p.B:x*");
    of(
        "  detection_item_conditions: [{type: match_string, cond: any, pattern: 'x', negate: true}]",
        both,
        "p.A:1 AND B:x*",
    );
    of("  detection_item_conditions: [{type: match_value, cond: any, value: 1}]", both, "p.A:1 AND B:x*");
    of(
        "  detection_item_conditions: [{type: is_null, cond: any}]",
        "s: {A: null, B: 2}\ncondition: s",
        "NOT _exists_:p.A AND B:2",
    );
}

#[test]
fn what_was_applied_and_kept_decides() {
    let items = "- {id: m, type: field_name_mapping, mapping: {A: x}}
- {type: set_state, key: k, val: 5}
- type: field_name_prefix
  prefix: p.
  field_name_conditions: [{type: processing_item_applied, processing_item_id: m}]
  field_name_cond_not: true
- type: field_name_suffix
  suffix: .s
  rule_conditions: [{type: processing_state, key: k, val: 4, op: gt}, {type: processing_item_applied, processing_item_id: m}]
- type: field_name_suffix
  suffix: .t
  rule_conditions: [{type: processing_item_applied, processing_item_id: none}]";
    check(items, "s: {A: 1, B: 2}\ncondition: s", "x.s:1 AND p.B.s:2");
    let nested = "- type: nest
  rule_conditions: [{type: logsource, product: windows}]
  items:
  - {id: n, type: field_name_mapping, mapping: {A: x}}
  - {type: change_logsource, category: other}
- type: field_name_suffix
  suffix: .s
  rule_conditions: [{type: logsource, category: other}]
  detection_item_conditions: [{type: processing_item_applied, processing_item_id: n}]";
    check(nested, "s: {A: 1, B: 2}\ncondition: s", "x.s:1 AND B:2");
}

#[test]
fn field_references_and_shown_fields_are_renamed() {
    let map =
        crate::support::pipeline("- {type: field_name_mapping, mapping: {Image: process.executable, A: x, B: [y, z]}}");
    let rule = crate::support::rule_text(WINDOWS, "s: {'A|fieldref': B}\ncondition: s");
    crate::support::with(&[&map], &rule, &sigcast_pipeline::Nowhere, |_, rule, applied| {
        let shown: Vec<&str> = applied.rule.meta.fields.iter().map(|field| field.as_str()).collect();
        assert_eq!(shown, ["process.executable"]);
        assert_eq!(applied.rule.prepared.fields, rule.meta.fields);
        let backend = sigcast_backends::Backend::new(
            sigcast_backends::find("esql").expect("a target"),
            sigcast_backends::options::Settings::default(),
        );
        let query = backend.convert(&applied.rule).queries.join("");
        assert!(query.contains('x') && query.contains('y') && query.contains('z') && !query.contains("`B`"), "{query}");
    });
}

#[test]
fn options_and_scope() {
    let scoped = |items: &str| {
        let rule = crate::support::rule_text(WINDOWS, "s: {A: 1}\ncondition: s");
        crate::support::with(&[&crate::support::pipeline(items)], &rule, &sigcast_pipeline::Nowhere, |_, _, applied| {
            let options: Vec<String> =
                applied.rule.prepared.options.iter().map(|(key, value)| format!("{key}={value}")).collect();
            (applied.rule.prepared.scoped, options.join(" "))
        })
    };
    let of = "rule_conditions: [{type: logsource, category: process_creation}]";
    assert_eq!(scoped(&format!("- {{type: set_state, key: query_table, val: T, {of}}}")), (true, "table=T".to_owned()));
    assert_eq!(scoped("- {type: set_state, key: index, val: [a, b]}"), (false, "index=a,b".to_owned()));
    assert_eq!(scoped(&format!("- {{type: add_condition, conditions: {{a: 1}}, {of}}}")), (true, String::new()));
    assert_eq!(
        scoped(&format!("- {{type: add_condition, negated: true, conditions: {{a: 1}}, {of}}}")),
        (false, String::new())
    );
    assert_eq!(
        scoped(&format!(
            "- {{type: add_condition, conditions: {{a: 1}}, rule_cond_not: true, {}}}",
            of.replace("process_creation", "x")
        )),
        (false, String::new())
    );
}

#[test]
fn what_grows_without_bound_refuses_the_rule() {
    let refused = |items: &str, detection: &str| {
        let found = lucene(items, WINDOWS, detection);
        assert!(found.starts_with("! pipeline-failure"), "{items}: {}", &found[..found.len().min(200)]);
    };
    let rule = "s: {F: x}\ncondition: s";
    refused(&"- {type: map_string, mapping: {x: [x, x]}}\n".repeat(30), rule);
    refused(&"- {type: field_name_mapping, mapping: {F: [F, F]}}\n".repeat(30), rule);
    let tenfold = "- {type: replace_string, regex: '(.+)', replacement: '\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1'}\n";
    refused(&tenfold.repeat(9), rule);
    // An expression that gives up leaves open whether a condition holds.
    let guard = "- type: detection_item_failure
  message: forbidden
  detection_item_conditions: [{type: match_string, cond: any, pattern: '(?=a)(?:(?:a|aa)*X|.*evil)'}]";
    refused(guard, &format!("s: {{F: {}evil}}\ncondition: s", "a".repeat(40)));
}
