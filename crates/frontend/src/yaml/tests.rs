//! Trees with places.

use sigcast_diagnostics::SourceMap;

use super::{Data, Node, Place, Plain, load, trap};

fn show(node: &Node<'_>, text: &str) -> String {
    match &node.data {
        Data::Scalar(scalar) => match scalar.resolve() {
            Plain::Null => "null".into(),
            Plain::Bool(value) => value.to_string(),
            Plain::Number(number) => format!("#{}", number.text),
            Plain::Text => {
                if let Some(content) = scalar.content {
                    let start = content as usize;
                    assert_eq!(&text[start..start + scalar.text.len()], scalar.text);
                }
                format!("{:?}", scalar.text)
            }
        },
        Data::List(nodes) => format!("[{}]", nodes.iter().map(|node| show(node, text)).collect::<Vec<_>>().join(", ")),
        Data::Map(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|entry| format!("{}: {}", entry.key.text, show(&entry.value, text))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// Shows the documents of a text, and the faults with what they point at.
fn check(text: &str, expected: &str) {
    let mut sources = SourceMap::new();
    let id = sources.add("test.yml", text);
    let documents = load(Place { id, text });
    let shown: Vec<String> = documents
        .iter()
        .map(|document| {
            let mut shown = document.root.as_ref().map_or_else(|| "broken".into(), |root| show(root, text));
            for fault in &document.diagnostics {
                let at: Vec<_> = fault.labels.iter().map(|label| sources.snippet(label.span)).collect();
                shown.push_str(&format!(" {} at {at:?}", fault.code.as_str()));
            }
            shown
        })
        .collect();
    assert_eq!(shown.join(" --- "), expected, "{text}");
}

#[test]
fn quoted_scalars_end_at_their_quotes() {
    let text = "- 'it''s' # 'a'\n- \"x\\\"y\" # \"b\"\n- '' # c\n- 'two\n  lines' # d\n- \"\\\\\"   \n";
    let mut sources = SourceMap::new();
    let id = sources.add("test.yml", text);
    let documents = load(Place { id, text });
    let Some(Node { data: Data::List(nodes), .. }) = &documents[0].root else { panic!("a list") };
    let shown: Vec<&str> = nodes.iter().map(|node| &text[node.span.start as usize..node.span.end as usize]).collect();
    assert_eq!(shown, ["'it''s'", "\"x\\\"y\"", "''", "'two\n  lines'", "\"\\\\\""]);
}

#[test]
fn scalars_by_the_core_schema() {
    check(
        "[~, null, '', true, False, 12, -1, 0x1f, 0o17, 1.5, .5, 1e3]",
        "[null, null, \"\", true, false, #12, #-1, #31, #15, #1.5, #.5, #1e3]",
    );
    check(
        "[yes, 0777, 1_000, .inf, .nan, 1., +7, '1', 1.2.3, 0, 00, 1e, +-, 0x]",
        "[\"yes\", \"0777\", \"1_000\", \".inf\", \".nan\", #1., #7, \"1\", \"1.2.3\", #0, \"00\", \"1e\", \"+-\", \"0x\"]",
    );
    check("[!!str 1, !!int '1', !!bool \"true\", !!null '', ! 5]", "[\"1\", #1, true, null, \"5\"]");
    check(
        "[18446744073709551615, 18446744073709551616, -9223372036854775808]",
        "[#18446744073709551615, \"18446744073709551616\", #-9223372036854775808]",
    );
}

#[test]
fn texts_of_every_style() {
    check(
        "a: |\n  x\n  y\nb: >-\n  x\n  y\nc: 'it''s'\nd: \"t\\tab\"\ne: plain\n  folded",
        r#"{a: "x\ny\n", b: "x y", c: "it's", d: "t\tab", e: "plain folded"}"#,
    );
    check("é: 'ü'\nb: \"𝄞\"\n", "{é: \"ü\", b: \"𝄞\"}");
    check("a: b\r\nc:\r\n  - d\r\n", "{a: \"b\", c: [\"d\"]}");
}

#[test]
fn documents() {
    check("a: 1\n---\nb: 2\n", "{a: #1} --- {b: #2}");
    check("---\n---\na: 1\n...\n", "null --- {a: #1}");
    check("", "");
    check("a: &x 1\n---\nb: *x\n", "{a: #1} --- null broken-yaml at [\"*x\"]".replace("null", "{b: null}").as_str());
    check("a: 1\n---\nb: 'x\n---\nc: 3\n", "{a: #1} --- broken broken-yaml at [\"'\"] --- {c: #3}");
}

#[test]
fn aliases_and_merge_keys() {
    check("a: &x [1, 2]\nb: *x\n", "{a: [#1, #2], b: [#1, #2]}");
    check("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n", "{a: {k: #1, l: #2}, b: {l: #3, k: #1}}");
    check("b: {<<: [{k: 1}, {k: 2, m: 3}]}\n", "{b: {k: #1, m: #3}}");
    check("b: {<<: 5}\n", "{b: {}} wrong-type at [\"5\"]");
    check("b: {'<<': 5}\n", "{b: {<<: #5}}");
    check("a: &x [*x]\n", "{a: [null]} broken-yaml at [\"*x\"]");
}

#[test]
fn faults() {
    check("a: 1\nb: 2\na: 3\n", "{a: #1, b: #2} duplicate-key at [\"a\", \"a\"]");
    check("x: {1: a, '1': b}\n", "{x: {1: \"a\"}} duplicate-key at [\"'1'\", \"1\"]");
    check("[k]: v\n", "{: \"v\"} wrong-type at [\"[k]\"]");
    check("a: !x b\n", "{a: \"b\"} wrong-type at [\"!x b\"]");
    check("a: !!int b\n", "{a: \"b\"} wrong-type at [\"!!int b\"]");
    let many: String = (0..40).map(|number| format!("k{number}: {number}\n")).collect();
    let mut sources = SourceMap::new();
    let text = format!("{many}k3: 1\nk39: 2\n");
    let id = sources.add("test.yml", text.as_str());
    let documents = load(Place { id, text: &text });
    assert_eq!(documents[0].diagnostics.len(), 2);
}

#[test]
fn traps_between_versions() {
    let trapped = |text: &'static str| {
        let scalar = super::Scalar { text: text.into(), reading: super::Reading::Plain, content: None };
        trap(&scalar)
    };
    for text in
        ["yes", "Off", "ON", "0777", "-017", "12:30", "1:2:3", "190:20:30.15", "2017-11-04", "1_000", "0b101", "0o17"]
    {
        assert!(trapped(text).is_some(), "{text}");
    }
    for text in [
        "y",
        "n",
        "true",
        "null",
        "00000429",
        "08",
        "0",
        "4688",
        "1.5",
        "10.0.0.1",
        "a:b",
        "::1",
        "12:99",
        "0x1F",
        "2017/11/04",
        "1.2.3",
    ] {
        assert!(trapped(text).is_none(), "{text}: {:?}", trapped(text));
    }
}
