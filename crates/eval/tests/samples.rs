//! Sample events against the evaluator: it must agree with every label, and each label was reasoned without it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use sigcast_diagnostics::SourceMap;
use sigcast_eval::{EvalFault, Limits, RuleMatcher, Sample, samples};
use sigcast_frontend::{Kind, parse};
use sigcast_ir::Rule;
use sigcast_testing::{corpus, sample_rules, sources};

fn with_rule<T>(detection: &str, ask: impl FnOnce(&Rule<'_>) -> T) -> T {
    let indented: String = detection.lines().map(|line| format!("    {line}\n")).collect();
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", format!("title: t\nlogsource: {{category: test}}\ndetection:\n{indented}"));
    let documents = parse(&sources, id);
    let Some(Kind::Rule(rule)) = documents.first().map(|document| &document.kind) else {
        panic!("no rule: {:?}", documents.first().map(|document| &document.diagnostics))
    };
    ask(rule)
}

/// The samples of one item, each checked against the evaluator.
fn of_item(item: &str) -> Vec<Sample> {
    let detection = if item.contains("condition:") { item.to_owned() } else { format!("s:\n    {item}\ncondition: s") };
    with_rule(&detection, |rule| {
        let found = samples(rule, Limits::default()).expect("samples");
        assert_eq!(disagreements(rule, &found), Vec::<String>::new(), "{item}");
        found
    })
}

fn disagreements(rule: &Rule<'_>, found: &[Sample]) -> Vec<String> {
    let matcher = RuleMatcher::new(rule).expect("runs");
    let mut faults = Vec::new();
    for sample in found {
        for (number, (condition, expected)) in matcher.conditions().iter().zip(&sample.matches).enumerate() {
            let answer = condition.matches(&sample.event);
            if answer != Ok(*expected) {
                faults.push(format!(
                    "condition {number}, {}: {answer:?}, not {expected}\n  {}",
                    sample.what, sample.event
                ));
            }
        }
    }
    faults
}

/// Each value is one of a hit (`true`) or of a miss (`false`) among the samples of an item on the field `f`.
fn check(item: &str, expected: &[(Value, bool)]) {
    let found = of_item(item);
    for (value, hits) in expected {
        let sample = found.iter().find(|sample| sample.event.get("f") == Some(value));
        let shown: Vec<_> = found.iter().map(|sample| format!("{} {:?}", sample.event, sample.matches)).collect();
        let sample = sample.unwrap_or_else(|| panic!("{item}: no sample with {value} in\n{}", shown.join("\n")));
        assert_eq!(sample.matches, [*hits], "{item} on {value}");
    }
}

#[test]
fn hits_and_near_misses() {
    check(
        "f: ab",
        &[
            (json!("ab"), true),
            (json!("AB"), true),
            (json!("a"), false),
            (json!("abx"), false),
            (json!(null), false),
            (json!(["other", "ab"]), true),
        ],
    );
    check("f|cased: ab", &[(json!("ab"), true), (json!("AB"), false)]);
    check("f|endswith: \\a.exe", &[(json!("C:\\sample\\a.exe"), true), (json!("C:\\sample\\a.ex"), false)]);
    check("f|contains|all: [ab, cd]", &[(json!("ab cd"), true), (json!("b cd"), false)]);
    check(
        "f|cidr: 10.1.0.0/16",
        &[
            (json!("10.1.0.0"), true),
            (json!("10.1.255.255"), true),
            (json!("10.2.0.0"), false),
            (json!("::ffff:10.1.0.0"), false),
        ],
    );
    check("f|cidr: 'fe80::/10'", &[(json!("fe80:0:0:0:0:0:0:0"), true), (json!("fec0::"), false)]);
    check("f|gte: 5", &[(json!(5), true), (json!(4), false), (json!("5"), true)]);
    check("f|lt: 9007199254740993", &[(json!(9007199254740992_i64), true), (json!(9007199254740993_i64), false)]);
    check("f|re: '^a[0-9]{2}(x|y)$'", &[(json!("a12y"), true), (json!("a12"), false), (json!("other"), false)]);
    check("f|hour|gte: 22", &[(json!("2024-05-15T22:20:00Z"), true), (json!("2024-05-15T21:20:00Z"), false)]);
    check("f|week: 53", &[(json!("2020-12-30T10:20:00Z"), true)]);
    check("f: true", &[(json!(true), true), (json!("TRUE"), true), (json!(false), false)]);
    check("f|fieldref: g", &[(json!("sample"), true), (json!("other"), false)]);
    check("f: null", &[(json!(null), true), (json!("other"), false)]);
    check("f|exists: false", &[(json!(null), false), (json!(""), false)]);
}

#[test]
fn filters_are_kept_off_and_hit_once() {
    let found = of_item(
        "s:\n    f|cidr: 10.0.0.0/8\nn:\n    f|cidr: [10.0.0.0/16, 10.255.0.0/16]\nm:\n    g: 1\ncondition: s and not n and not m",
    );
    let hit = found.iter().find(|sample| sample.what.starts_with("hit")).expect("a hit");
    assert_eq!(hit.matches, [true], "{hit:?}");
    let filtered: Vec<_> = found.iter().filter(|sample| sample.what.starts_with("filtered")).collect();
    assert_eq!(filtered.len(), 3, "{filtered:?}");
    assert!(filtered.iter().all(|sample| sample.matches == [false]), "{filtered:?}");
}

#[test]
fn each_alternative_has_its_hit() {
    let found =
        of_item("a:\n    f|contains: [x1, x2, x3, x4, x5]\nb:\n    - g: 1\n    - h: '2'\ncondition: all of them");
    let hits: Vec<_> = found.iter().filter(|sample| sample.what.starts_with("hit")).collect();
    assert_eq!(hits.len(), 5, "{hits:?}");
    assert!(hits.iter().any(|hit| hit.event.get("h").is_some()));
    // A filter beside a value: the value is shown, the filter kept off by what it needs besides.
    let found = of_item(
        "s:\n    f|endswith: [x, y]\nn:\n    f|endswith: y\n    g: 1\nm:\n    h: 1\n    f|endswith: y\ncondition: s and not (n or m)",
    );
    assert!(found.iter().any(|sample| sample.what == "hit: f `*y`"), "{found:?}");
    let none = of_item("a:\n    f: x\nb:\n    f: x\ncondition: a and not b");
    assert_eq!(none, []);
}

#[test]
fn samples_are_deterministic() {
    let detection = "s:\n    f|re: '(a|b)+c?'\n    g|contains: [x, y]\nn:\n    f|endswith: z\ncondition: s and not n";
    let twice = || with_rule(detection, |rule| samples(rule, Limits::default()));
    assert_eq!(twice(), twice());
}

#[test]
fn expressions_that_grow_without_end_are_given_up() {
    let started = std::time::Instant::now();
    for item in ["f|re: '((((a?){90}){90}){90})b'", "f|re: '((x{60}){60})y'"] {
        let detection = format!("s:\n    {item}\ncondition: s");
        let found = with_rule(&detection, |rule| samples(rule, Limits::default()));
        assert!(found.is_ok(), "{item}: {found:?}");
    }
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn what_cannot_be_made_into_events_is_an_error() {
    let found = with_rule("s:\n    f|expand: '%users%'\ncondition: s", |rule| samples(rule, Limits::default()));
    assert_eq!(found.expect_err("an error").fault, EvalFault::Placeholder("users".to_owned()));
}

/// Checks every rule under a folder: how many rules there are, and the conditions without a hit.
fn check_folder(folder: &Path, limits: Limits) -> (usize, Vec<String>) {
    let sources = sources(folder);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut rules, mut without, mut faults) = (0, Vec::new(), Vec::new());
    for (id, source) in sources.iter() {
        for document in parse(&sources, id) {
            let Kind::Rule(rule) = document.kind else { continue };
            let found = match samples(&rule, limits) {
                Ok(found) => found,
                Err(error) => {
                    println!("{}: {error}", source.name());
                    continue;
                }
            };
            rules += 1;
            for sample in &found {
                *counts.entry("samples").or_default() += 1;
                *counts.entry(if sample.matches.contains(&true) { "matching" } else { "not matching" }).or_default() +=
                    1;
            }
            for number in 0..rule.conditions.len() {
                if !found.iter().any(|sample| sample.matches.get(number) == Some(&true)) {
                    without.push(format!("{}: condition {}", source.name(), number + 1));
                }
            }
            faults.extend(disagreements(&rule, &found).into_iter().map(|fault| format!("{}: {fault}", source.name())));
        }
    }
    println!("{rules} rules, {counts:?}, {} conditions without a hit", without.len());
    assert!(rules > 0, "no rule was looked at");
    let first = faults.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(faults.is_empty(), "{} disagreements, the first:\n{first}", faults.len());
    (rules, without)
}

#[test]
fn the_evaluator_agrees_on_the_sample_rules() {
    let (_, without) = check_folder(&sample_rules(), Limits::default());
    println!("{}", without.join("\n"));
    assert!(without.len() < 10);
}

#[test]
fn the_evaluator_agrees_on_the_corpus() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    let (rules, without) = check_folder(&rules, Limits { hits: 8, variations: 24 });
    println!("{}", without.join("\n"));
    assert!(without.is_empty(), "{} conditions of {rules} rules have no hit", without.len());
}
