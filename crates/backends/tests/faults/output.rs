//! Output: what is said of a query, and what one rule does to others.
//!
//! Where formats and files come in, these faults have their tests beside what could cause them: rules with one title or
//! id in `cli/tests/output.rs` (`rules_with_one_title_do_not_overwrite_each_other`,
//! `a_format_of_queries_gives_each_a_file_that_is_whole`), tactics and techniques, which are never paired, in
//! `formats/src/watch.rs` (`tags_are_sorted_by_kind`), levels in `formats/tests/watcher.rs`
//! (`a_level_is_kept_in_its_own_word`), a bad rule among good ones in `cli/tests/convert.rs` (`one_bad_rule_stops_no_other`).

use super::*;

#[test]
fn many_clauses_are_warned_of() {
    use std::fmt::Write;
    let mut values = String::new();
    for number in 0..1_100 {
        let _ = write!(values, "\n            - 'value {number}'");
    }
    let rule = format!(
        "title: Many\nlogsource:\n    category: test\ndetection:\n    selection:\n        f:{values}\n    condition: selection\n"
    );
    let mut sources = sigcast_diagnostics::SourceMap::new();
    let id = sources.add("many.yml", rule);
    let documents = sigcast_frontend::parse(&sources, id);
    let sigcast_frontend::Kind::Rule(rule) = &documents[0].kind else { panic!("{:?}", documents[0].diagnostics) };
    for (target, warned) in [("lucene", true), ("kibana", true), ("splunk", false)] {
        let target = sigcast_backends::find(target).expect("a target");
        let backend = sigcast_backends::Backend::new(target, sigcast_backends::options::Settings::default());
        let conversion = backend.convert(rule);
        let found = conversion.diagnostics.iter().any(|found| found.code == sigcast_diagnostics::Code::ManyClauses);
        assert_eq!(found, warned, "{}", target.name);
        assert_eq!(conversion.queries.len(), 1);
    }
}

/// A query string that is longer than OpenSearch takes is warned of, whatever its clauses; a shorter one is not.
#[test]
fn long_query_strings_are_warned_of() {
    for (target, length, warned) in
        [("lucene", 31_000, false), ("lucene", 32_100, true), ("opensearch", 32_100, true), ("es-dsl", 32_100, false)]
    {
        let value = "x".repeat(length);
        let rule = format!(
            "title: Long\nlogsource:\n    category: test\ndetection:\n    selection:\n        f: {value}\n    condition: selection\n"
        );
        let mut sources = sigcast_diagnostics::SourceMap::new();
        let id = sources.add("long.yml", rule);
        let documents = sigcast_frontend::parse(&sources, id);
        let sigcast_frontend::Kind::Rule(rule) = &documents[0].kind else { panic!("{:?}", documents[0].diagnostics) };
        let backend = sigcast_backends::Backend::new(
            sigcast_backends::find(target).expect("a target"),
            sigcast_backends::options::Settings::default(),
        );
        let conversion = backend.convert(rule);
        let found = conversion.diagnostics.iter().any(|found| found.code == sigcast_diagnostics::Code::LongQuery);
        assert_eq!(found, warned, "{target} {length}");
        assert_eq!(conversion.queries.len(), 1, "{target}");
    }
}

/// What a rule becomes depends on nothing but itself: neither on its title, nor on rules before it, bad ones too.
#[test]
fn rules_of_one_title_and_bad_ones_beside_them_change_nothing() {
    let rule = |id: u8, value: &str| {
        format!(
            "title: Same\nid: 00000000-0000-4000-8000-00000000000{id}\nlogsource: {{product: windows}}\ndetection:\n  \
             s: {{Subject7: {value}}}\n  condition: s\n"
        )
    };
    let bad = "title: Same\nlogsource: {product: windows}\ndetection:\n  s: {A|no_modifier: x}\n  condition: s\n";
    let broken = "title: Same\nlevel: no_level\ndetection: []\n";
    let file = [rule(1, "first"), bad.to_owned(), rule(2, "second"), broken.to_owned(), rule(3, "third")].join("---\n");
    let mut sources = SourceMap::new();
    let id = sources.add("rules.yml", file);
    let documents = parse(&sources, id);
    let rules: Vec<_> = documents
        .iter()
        .filter_map(|document| if let Kind::Rule(rule) = &document.kind { Some(rule) } else { None })
        .collect();
    assert_eq!((documents.len(), rules.len()), (5, 3));
    for target in TARGETS {
        let backend = Backend::new(target, Settings::default());
        for (rule, value) in rules.iter().zip(["first", "second", "third"]) {
            let found = backend.convert(rule).queries;
            assert_eq!(found, conversion(&format!("s: {{Subject7: {value}}}"), "s", target.name).queries);
            assert!(found.len() == 1 && found[0].to_ascii_lowercase().contains(value), "{}: {found:?}", target.name);
        }
    }
}
