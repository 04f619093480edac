//! Every code that the frontend gives has a rule that causes it, in `rules/bad/<code>.yml`, and a snapshot of what is
//! shown for it, in `snapshots/errors/<code>.snap`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sigcast_diagnostics::{Class, Code, SourceMap, render};
use sigcast_frontend::{Kind, link, parse};

/// Codes of other classes than `Invalid` that the frontend gives.
const OTHERS: [Code; 10] = [
    Code::LegacyUnsupported,
    Code::MissingTimeframe,
    Code::LegacyAggregation,
    Code::UnusedAlias,
    Code::RuleUsed,
    Code::YamlVersionTrap,
    Code::UnusedDetection,
    Code::MergeDropped,
    Code::UnusualAttribute,
    Code::NotARule,
];

/// Codes of the class `Invalid` that are given before a text gets here: the reader of files knows its bytes.
const BEFORE: [Code; 1] = [Code::NotUtf8];

/// Codes whose bad rule is made here, since it would be too large to keep.
const MADE: [Code; 1] = [Code::TooLarge];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn codes() -> impl Iterator<Item = Code> {
    let invalid = |code: &&Code| code.class() == Class::Invalid && !BEFORE.contains(code);
    Code::ALL.iter().filter(move |code| invalid(code) || OTHERS.contains(code)).copied()
}

/// The name and the text of the bad rule of a code.
fn bad_rule(code: Code) -> (String, String) {
    let name = format!("rules/bad/{}.yml", code.as_str());
    if MADE.contains(&code) {
        return (name, "# One line of many.\n".repeat(2 << 20));
    }
    let text = std::fs::read_to_string(workspace().join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    (name, text)
}

#[test]
fn every_code_has_a_bad_rule_and_a_snapshot() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(workspace().join("snapshots/errors"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for code in codes() {
        let (name, text) = bad_rule(code);
        let mut sources = SourceMap::new();
        let id = sources.add(name.as_str(), text);
        let mut shown = String::new();
        let mut found = false;
        let mut documents = parse(&sources, id);
        link(&mut documents.iter_mut().collect::<Vec<_>>());
        for document in documents {
            let kind = match document.kind {
                Kind::Rule(_) => "rule",
                Kind::Filter(_) => "filter",
                Kind::Unlinked(_) => panic!("linking leaves none"),
                Kind::Correlation(_) => "correlation",
                Kind::Invalid => "invalid",
                Kind::Refused => "refused",
                Kind::Skipped => "skipped",
            };
            writeln!(shown, "document {}: {kind}\n", document.number).expect("strings can be written");
            for diagnostic in &document.diagnostics {
                found |= diagnostic.code == code;
                writeln!(shown, "{}\n", render::text(diagnostic, &sources, false)).expect("strings can be written");
            }
        }
        assert!(found, "{name} does not cause {}", code.as_str());
        insta::assert_snapshot!(code.as_str(), shown);
    }
}

#[test]
fn every_bad_rule_has_a_code() {
    let folder = workspace().join("rules/bad");
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    for entry in std::fs::read_dir(folder).expect("rules/bad is there") {
        let path = entry.expect("a readable folder").path();
        if path.file_name().is_some_and(|name| name == ".sigcastignore") {
            continue;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        assert!(names.contains(&stem), "{} is named for no code", path.display());
    }
}
