//! What transformations must keep: the evaluator's answers, on events that are changed as the rule is.

use std::sync::Arc;

use serde_json::{Map, Value};
use sigcast_diagnostics::SourceMap;
use sigcast_eval::{Limits, RuleMatcher, samples};
use sigcast_frontend::Kind;
use sigcast_pipeline::{Chain, Nowhere, Pipeline};
use sigcast_testing::{corpus, files, sample_rules};

/// Asks of every rule whether the pipeline that is made for it keeps each answer on the events changed likewise.
/// Returns how many events were asked.
fn check(
    limits: Limits,
    every: usize,
    pipeline: impl Fn(&[String]) -> String,
    change: impl Fn(&Map<String, Value>, usize) -> Map<String, Value>,
) -> usize {
    let mut paths = files(&sample_rules(), &["yml"]);
    // Of the public rules some are enough; of our own each was written for a construct.
    paths.extend(corpus("sigmahq/rules/windows").into_iter().flat_map(|rules| files(&rules, &["yml"])).step_by(every));
    let mut asked = 0;
    for path in &paths {
        let mut sources = SourceMap::new();
        let id = sources.add("rule.yml", std::fs::read_to_string(path).expect("a file"));
        let mut fields: Vec<String> =
            sigcast_frontend::parse(&sources, id).iter().flat_map(|document| named(&document.kind)).collect();
        fields.sort();
        fields.dedup();
        let made = sources.add("pipeline.yml", pipeline(&fields));
        let compiled = Pipeline::compile(&sources, made, &Nowhere).expect("a pipeline");
        let chain = Chain::new(vec![Arc::new(compiled)]);
        for document in sigcast_frontend::parse(&sources, id) {
            let Kind::Rule(rule) = document.kind else { continue };
            let Ok(found) = samples(&rule, limits) else { continue };
            let applied = chain.apply(rule.as_ref().clone());
            assert!(applied.diagnostics.is_empty(), "{}: {:?}", path.display(), applied.diagnostics);
            let matcher = RuleMatcher::new(&applied.rule).expect("runs");
            for (number, sample) in found.iter().enumerate().filter(|(_, sample)| !sample.what.starts_with("nested")) {
                let Value::Object(event) = &sample.event else { continue };
                let event = Value::Object(change(event, number));
                for (condition, expected) in matcher.conditions().iter().zip(&sample.matches) {
                    asked += 1;
                    let answer = condition.matches(&event);
                    assert_eq!(answer, Ok(*expected), "{}: {}\n{event}", path.display(), sample.what);
                }
            }
        }
    }
    assert!(asked > 500, "{asked}");
    asked
}

/// The fields of a rule, other fields that it refers to included.
fn named(kind: &Kind<'_>) -> Vec<String> {
    let Kind::Rule(rule) = kind else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for (query, _) in sigcast_ir::lower::queries(rule) {
        query.each_match(&mut |leaf| {
            found.extend(leaf.field().map(|field| field.as_str().to_owned()));
            if let sigcast_ir::Test::SameAs { other, .. } = &leaf.test {
                found.push(other.as_str().to_owned());
            }
        });
    }
    found
}

const LIMITS: Limits = Limits { hits: 8, variations: 24 };

#[test]
fn renamed_fields_ask_the_same_of_renamed_events() {
    let renamed = |event: &Map<String, Value>, _| {
        event.iter().map(|(name, value)| (format!("p_{name}"), value.clone())).collect()
    };
    let pipeline = |_: &[String]| "transformations: [{type: field_name_prefix, prefix: p_}]\n".to_owned();
    eprintln!("{} answers", check(LIMITS, 3, pipeline, renamed));
}

#[test]
fn a_value_in_either_of_two_fields_is_found() {
    let split = |event: &Map<String, Value>, number: usize| {
        let place = |at: usize| if (at + number).is_multiple_of(2) { "_1" } else { "_2" };
        event.iter().enumerate().map(|(at, (name, value))| (format!("{name}{}", place(at)), value.clone())).collect()
    };
    let pipeline = |fields: &[String]| {
        let mut text = "transformations:\n- type: field_name_mapping\n  mapping:\n    '': x\n".to_owned();
        for field in fields {
            let name = Value::from(field.as_str());
            let (one, other) = (Value::from(format!("{field}_1")), Value::from(format!("{field}_2")));
            text.push_str(&format!("    {name}: [{one}, {other}]\n"));
        }
        text
    };
    eprintln!("{} answers", check(LIMITS, 3, pipeline, split));
}

#[test]
fn regular_expressions_of_text_match_the_same() {
    for method in ["ignore_case_flag", "ignore_case_brackets"] {
        let same = |event: &Map<String, Value>, _| event.clone();
        let pipeline = |_: &[String]| format!("transformations: [{{type: regex, method: {method}}}]\n");
        eprintln!("{} answers", check(LIMITS, 6, pipeline, same));
    }
}
