//! The public rules: every one converts, or is refused with a code; the counts per target and code are snapshots.

use std::collections::BTreeMap;
use std::fmt::Write;

use insta::assert_snapshot;
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Status, TARGETS};
use sigcast_frontend::Kind;
use sigcast_testing::{corpus, sources};

/// What a target makes of the corpus, as text; and the share that it converts.
fn counted(backend: &Backend, documents: &[sigcast_frontend::Document<'_>]) -> (String, f64) {
    let mut statuses: BTreeMap<&str, usize> = BTreeMap::new();
    let mut codes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut converted = 0;
    for document in documents {
        let Kind::Rule(rule) = &document.kind else {
            *statuses.entry("not converted by the frontend").or_default() += 1;
            continue;
        };
        let conversion = backend.convert(rule);
        *statuses.entry(conversion.status.as_str()).or_default() += 1;
        if conversion.status == Status::Refused {
            assert!(conversion.queries.is_empty());
            assert!(!conversion.diagnostics.is_empty(), "{}: refused without a reason", rule.meta.title);
        } else {
            converted += 1;
            assert_eq!(conversion.queries.len(), rule.conditions.len(), "{}", rule.meta.title);
            assert!(conversion.queries.iter().all(|query| !query.trim().is_empty()), "{}", rule.meta.title);
        }
        let mut own: Vec<_> = conversion.diagnostics.iter().map(|found| found.code).collect();
        own.extend(conversion.assumptions);
        own.sort_unstable();
        own.dedup();
        for code in own {
            *codes.entry((code.class().as_str(), code.as_str())).or_default() += 1;
        }
    }
    let mut out = String::new();
    for (status, times) in &statuses {
        let _ = writeln!(out, "{times:5} {status}");
    }
    for ((class, code), times) in &codes {
        let _ = writeln!(out, "{times:5} {class}: {code}");
    }
    #[expect(clippy::cast_precision_loss, reason = "thousands of rules")]
    let share = f64::from(converted) / documents.len() as f64;
    (out, share)
}

#[test]
fn the_corpus_converts() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    let sources = sources(&rules);
    let documents: Vec<_> = sources.iter().flat_map(|(id, _)| sigcast_frontend::parse(&sources, id)).collect();
    assert!(documents.len() > 3_000, "only {} rules", documents.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../snapshots/corpus"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for target in TARGETS {
        let (text, share) = counted(&Backend::new(target, Settings::default()), &documents);
        // A language without regular expressions, or without a search in all fields, can say less.
        let least = match target.name {
            "lucene" | "opensearch" | "es-dsl" | "watcher" | "graylog" | "splunk" | "kusto" => 0.985,
            "kibana" => 0.96,
            _ => 0.9,
        };
        assert!(share >= least, "{} converts {share:.4} only:\n{text}", target.name);
        assert_snapshot!(target.name, text);
    }
}
