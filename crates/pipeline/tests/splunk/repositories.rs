//! The public rules: how many convert, whether they are restricted, and whether schemas hold their values.

use std::collections::{BTreeMap, BTreeSet};

use sigcast_diagnostics::SourceMap;
use sigcast_frontend::schema;
use sigcast_ir::{Part, Rule, Test, Tree};
use sigcast_testing::corpus;

use crate::{chain, convert, rules};

#[test]
fn every_windows_rule_is_converted_and_restricted_in_splunk() {
    let Some(folder) = corpus("sigmahq/rules/windows") else { return };
    let all = rules(&folder);
    assert!(all.len() > 2000, "{}", all.len());
    for names in [
        &["splunk_windows"][..],
        &["sysmon", "splunk_windows"],
        &["sysmon", "splunk_windows", "splunk_sysmon_acceleration"],
    ] {
        let chain = chain(names);
        let mut open = BTreeSet::new();
        for (file, rule) in &all {
            let (query, scoped) =
                convert(chain, "splunk", rule.clone()).unwrap_or_else(|why| panic!("{names:?} {file}: {why}"));
            let fields = fields(&chain.apply(rule.clone()).rule);
            assert!(!fields.contains("EventID") && !fields.contains("Provider_Name"), "{file}: {query}");
            if !scoped {
                let source = &rule.logsource;
                open.insert(source.category.as_deref().unwrap_or(source.service.as_deref().unwrap_or("-")).to_owned());
            }
        }
        // Two kinds of events of the kernel's tracing, and a rule that has no log source but Windows.
        assert_eq!(open, ["-", "file_access", "file_rename"].map(str::to_owned).into());
    }
}

#[test]
fn other_pipelines_convert_what_their_product_records() {
    let Some(folder) = corpus("sigmahq/rules") else { return };
    for (names, under, least) in [
        (&["windows-audit"][..], "windows", 1060),
        (&["splunk_cim"], "windows", 1480),
        (&["splunk_cim"], "", 1720),
        (&["crowdstrike_fdr"], "windows/process_creation", 390),
        (&["crowdstrike_fdr"], "linux/process_creation", 110),
        (&["crowdstrike_fdr"], "macos/process_creation", 60),
    ] {
        let (chain, mut converted) = (chain(names), 0);
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for (_, rule) in rules(&folder.join(under)) {
            match convert(chain, "splunk", rule) {
                Ok(_) => converted += 1,
                Err(why) => *reasons.entry(why).or_default() += 1,
            }
        }
        println!("{names:?} {under}: {converted}, {reasons:#?}");
        assert!(converted >= least, "{names:?} {under}: {converted}");
        // Nothing falls through to the target: what is missing was said by the pipeline.
        let unsaid: Vec<_> = reasons.keys().filter(|why| !why.starts_with("pipeline-failure")).collect();
        assert!(unsaid.is_empty(), "{names:?} {under}: {unsaid:?}");
    }
}

/// The fields of a rule.
fn fields(rule: &Rule<'_>) -> BTreeSet<String> {
    fn each(tree: &Tree<'_>, all: &mut BTreeSet<String>) {
        match tree {
            Tree::All(nodes) | Tree::Any(nodes) => nodes.iter().for_each(|node| each(node, all)),
            Tree::Item(item) => all.extend(item.field.as_ref().map(|field| field.as_str().to_owned())),
        }
    }
    let mut all = BTreeSet::new();
    rule.detections.iter().for_each(|detection| each(&detection.tree, &mut all));
    all
}

/// Every value of a rule that stands for one text, with its field.
fn values(tree: &Tree<'_>, all: &mut Vec<(String, String)>) {
    match tree {
        Tree::All(nodes) | Tree::Any(nodes) => nodes.iter().for_each(|node| values(node, all)),
        Tree::Item(item) => {
            let Some(field) = &item.field else { return };
            for value in &item.values {
                if let Test::Text { pattern, .. } = &value.test
                    && let [Part::Text(text)] = pattern.parts()
                {
                    all.push((field.as_str().to_owned(), text.to_string()));
                }
            }
        }
    }
}

#[test]
fn nothing_maps_to_a_value_that_the_schema_cannot_hold() {
    let Some(folder) = corpus("sigmahq/rules") else { return };
    let all = rules(&folder);
    for name in ["splunk_windows", "splunk_cim", "crowdstrike_fdr"] {
        let mut sources = SourceMap::new();
        let id = sources.add(name, sigcast_pipeline::schema(name).expect("a schema"));
        let known = schema::parse(&sources, id).unwrap_or_else(|faults| panic!("{name}: {faults:#?}"));
        let chain = chain(&[name]);
        let mut seen = 0;
        for (file, rule) in &all {
            let applied = chain.apply(rule.clone());
            if applied.is_refused() {
                continue;
            }
            let mut found = Vec::new();
            applied.rule.detections.iter().for_each(|detection| values(&detection.tree, &mut found));
            for (field, value) in found {
                let Some(of) = known.field(&field).filter(|of| !of.values.is_empty()) else { continue };
                seen += 1;
                assert!(
                    of.values.iter().any(|held| held.eq_ignore_ascii_case(&value)),
                    "{name} {file}: {field} = {value}"
                );
            }
        }
        assert!(seen > 0, "{name}: no value was looked at");
    }
}
