//! Our trees beside those of `serde_yaml`, over the sample rules and, with `SIGCAST_CORPUS` set, over a corpus.

use std::path::Path;

use serde::Deserialize as _;
use serde_yaml::Value;
use sigcast_diagnostics::SourceMap;
use sigcast_ir::NumberValue;
use sigcast_testing::{corpus, files, sample_rules};

use super::{Data, Node, Place, Plain, Scalar, load};

/// Where the trees differ, if they do.
fn difference(node: &Node<'_>, value: &Value, path: &str) -> Option<String> {
    match (&node.data, value) {
        (Data::Map(entries), Value::Mapping(map)) => {
            if entries.len() != map.len() {
                return Some(format!("{path}: {} keys and {}", entries.len(), map.len()));
            }
            entries.iter().zip(map).find_map(|(entry, (key, value))| {
                let path = format!("{path}/{}", entry.key.text);
                scalar(&entry.key, key, &path).or_else(|| difference(&entry.value, value, &path))
            })
        }
        (Data::List(nodes), Value::Sequence(values)) => {
            if nodes.len() != values.len() {
                return Some(format!("{path}: {} elements and {}", nodes.len(), values.len()));
            }
            nodes.iter().zip(values).find_map(|(node, value)| difference(node, value, &format!("{path}/-")))
        }
        (Data::Scalar(ours), value) => scalar(ours, value, path),
        _ => Some(format!("{path}: {} and {value:?}", node.kind())),
    }
}

fn scalar(ours: &Scalar<'_>, theirs: &Value, path: &str) -> Option<String> {
    let same = match (ours.resolve(), theirs) {
        (Plain::Null, Value::Null) => true,
        (Plain::Bool(ours), Value::Bool(theirs)) => ours == *theirs,
        (Plain::Number(ours), Value::Number(theirs)) => match ours.value {
            NumberValue::Integer(ours) => {
                theirs.as_i64().map(i128::from).or_else(|| theirs.as_u64().map(i128::from)) == Some(ours)
            }
            NumberValue::Float(ours) => theirs.as_f64() == Some(ours),
        },
        (Plain::Text, Value::String(theirs)) => ours.text == theirs.as_str(),
        // Documented: infinities and what is no number stay text here.
        (Plain::Text, Value::Number(theirs)) => theirs.is_f64(),
        _ => false,
    };
    (!same).then(|| format!("{path}: {:?} and {theirs:?}", ours.resolve()))
}

fn compare(name: &str, text: &str) {
    let mut sources = SourceMap::new();
    let id = sources.add(name, text);
    let documents = load(Place { id, text: sources.get(id).text() });
    if documents.iter().any(|document| !document.diagnostics.is_empty()) {
        return;
    }
    let theirs: Vec<Value> = serde_yaml::Deserializer::from_str(sources.get(id).text())
        .map(|document| {
            let mut value = Value::deserialize(document).unwrap_or_else(|error| panic!("{name}: {error}"));
            value.apply_merge().unwrap_or_else(|error| panic!("{name}: {error}"));
            value
        })
        .collect();
    assert_eq!(documents.len(), theirs.len(), "{name}");
    for (ours, theirs) in documents.iter().zip(&theirs) {
        let root = ours.root.as_ref().expect("a document without faults has a root");
        if let Some(difference) = difference(root, theirs, "") {
            panic!("{name}{difference}");
        }
    }
}

fn compare_folder(folder: &Path) -> usize {
    let paths = files(folder, &["yml", "yaml"]);
    for path in &paths {
        let text = std::fs::read_to_string(path).expect("a readable rule");
        compare(&path.display().to_string(), &text);
    }
    paths.len()
}

#[test]
fn sample_rules_read_alike() {
    compare_folder(&sample_rules());
}

#[test]
fn the_corpus_reads_alike() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    assert!(compare_folder(&rules) > 0, "SIGCAST_CORPUS has no rules");
}

#[test]
fn odd_texts_read_alike() {
    for text in [
        "a: [yes, no, 0777, 012, 1_000, 12:30, 0x1F, 0o17, 1e3, .5, 1., +7, -0, 1.2.3]\n",
        "a: |\n  x\n\n  y\nb: >\n  x\n  y\n\n  z\nc: |-\n  x\n\nd: >+\n  x\n\ne: 1\n",
        "a: 'it''s'\nb: \"\\t\\u00e9\\x41\\n\"\nc: plain\n  folded\n\n  line\n",
        "a: &x {k: 1}\nb: *x\nc: {<<: *x, l: 2}\n",
        "- - 1\n  - 2\n- a: 1\n  b: 2\n-\n- ~\n",
        "? a\n: b\n",
        "a: !!str 1\n",
        "a: [18446744073709551615, -9223372036854775808, .inf, -.inf]\n",
        "a: b # comment\n# another\nc: d#e\n",
        "---\na: 1\n...\n---\nb: 2\n",
    ] {
        compare("text", text);
    }
}
