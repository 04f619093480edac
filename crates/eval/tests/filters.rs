//! Rules joined with filters: an event matches if and only if it matches the rule and the filter's condition.

use serde_json::{Value, json};
use sigcast_diagnostics::SourceMap;
use sigcast_eval::RuleMatcher;
use sigcast_frontend::{Document, Kind, link, parse};

const RULE: &str = "title: r
id: 0f4f3f0e-9d1e-4a7e-8f39-5c7e7ac5a011
name: some_rule
logsource: {category: c, product: p}
detection:
    selection: {a: 1}
    filter_x: {b: 1}
    condition: [selection and not 1 of filter_*, all of them]
";

fn filter(rules: &str, body: &str) -> String {
    format!("title: f\nlogsource: {{product: p}}\nfilter:\n    rules: {rules}\n    {}\n", body.replace('\n', "\n    "))
}

/// Every event over four fields that hold 1 or are absent.
fn events() -> impl Iterator<Item = Value> {
    (0..16_u8).map(|bits| {
        let fields = ["a", "b", "x", "y"].iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
        fields.map(|(_, name)| ((*name).to_owned(), json!(1))).collect()
    })
}

fn linked<T>(texts: &[&str], ask: impl FnOnce(&[Document<'_>]) -> T) -> T {
    let mut sources = SourceMap::new();
    let ids: Vec<_> =
        texts.iter().enumerate().map(|(at, text)| sources.add(format!("{at}.yml"), (*text).to_owned())).collect();
    let mut documents: Vec<Document<'_>> = ids.iter().flat_map(|id| parse(&sources, *id)).collect();
    link(&mut documents.iter_mut().collect::<Vec<_>>());
    ask(&documents)
}

fn codes(document: &Document<'_>) -> Vec<&'static str> {
    document.diagnostics.iter().map(|found| found.code.as_str()).collect()
}

/// Joins the filters to [`RULE`], in each order of the documents. An event must match if it matches the rule and passes
/// `expected`.
fn check(filters: &[&str], expected: impl Fn(&dyn Fn(&str) -> bool) -> bool) {
    let mut texts: Vec<&str> = filters.to_vec();
    texts.push(RULE);
    for _ in 0..texts.len() {
        texts.rotate_left(1);
        linked(&texts, |documents| {
            let rule = documents.iter().find_map(|document| match &document.kind {
                Kind::Rule(rule) => Some(rule),
                _ => None,
            });
            let rule = rule.unwrap_or_else(|| panic!("{:?}", documents.iter().map(codes).collect::<Vec<_>>()));
            let matcher = RuleMatcher::new(rule).expect("runs");
            let mut names: Vec<&str> = rule.detections.iter().map(|found| found.name.as_ref()).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
            for event in events() {
                let has = |name: &str| event.get(name).is_some();
                let own = [has("a") && !has("b"), has("a") && has("b")];
                for (condition, own) in matcher.conditions().iter().zip(own) {
                    assert_eq!(condition.matches(&event), Ok(own && expected(&has)), "{event} {texts:?}");
                }
            }
        });
    }
}

#[test]
fn an_event_matches_if_rule_and_filter_do() {
    check(&[&filter("any", "s: {x: 1}\ncondition: not s")], |has| !has("x"));
    check(&[&filter("[some_rule]", "s: {x: 1}\ncondition: s")], |has| has("x"));
    check(&[&filter("some_rule", "s: {x: 1}\nt: {y: 1}\ncondition: not s or t")], |has| !has("x") || has("y"));
    check(&[&filter("['0F4F3F0E-9D1E-4A7E-8F39-5C7E7AC5A011', other]", "s: {x: 1}\ncondition: not s")], |has| {
        !has("x")
    });
}

#[test]
fn names_do_not_clash_and_patterns_see_their_own_document() {
    let one = filter("any", "selection: {x: 1}\nfilter_x: {y: 1}\ncondition: not 1 of filter_* and not selection");
    check(&[&one], |has| !has("y") && !has("x"));
    let two = filter("any", "filter_y: {x: 1}\nselection: {y: 1}\ncondition: not all of them");
    check(&[&two], |has| !(has("x") && has("y")));
    let named = RULE.replace("filter_x", "_filter_1_selection").replace("1 of filter_*", "_filter_1_selection");
    assert_eq!(named.matches("_filter_1_selection").count(), 2);
    let named = named.replace("all of them", "selection and _filter_1_selection");
    linked(&[&named, &one], |documents| {
        let Kind::Rule(rule) = &documents[0].kind else { panic!("{:?}", codes(&documents[0])) };
        let matcher = RuleMatcher::new(rule).expect("runs");
        for event in events() {
            let has = |name: &str| event.get(name).is_some();
            let expected = has("a") && !has("b") && !has("x") && !has("y");
            assert_eq!(matcher.conditions()[0].matches(&event), Ok(expected), "{event}");
        }
        let first = rule.detections[0].name.as_ref();
        assert_eq!(rule.detections.iter().filter(|found| found.name == first).count(), 1);
        assert_eq!(rule.detections.iter().filter(|found| found.name == "_filter_1_selection").count(), 1);
    });
}

#[test]
fn several_filters_all_hold() {
    let (x, y) = (filter("any", "s: {x: 1}\ncondition: not s"), filter("some_rule", "s: {y: 1}\ncondition: not s"));
    check(&[&x, &y], |has| !has("x") && !has("y"));
    check(&[&x, &x], |has| !has("x"));
    check(&[&format!("{x}---\n{y}")], |has| !has("x") && !has("y"));
}

#[test]
fn what_a_filter_is_not_for_stays() {
    let other = filter("any", "s: {x: 1}\ncondition: not s").replace("product: p", "product: q");
    check(&[&other], |_| true);
    check(&[&filter("[unknown]", "s: {x: 1}\ncondition: not s")], |_| true);
    let narrower = filter("any", "s: {x: 1}\ncondition: not s").replace("product: p", "product: p, service: s");
    check(&[&narrower], |_| true);
}

/// Links [`RULE`] and a filter: the kinds and codes of rule and filter.
fn check_said(filter: &str, rule: (&str, &[&str]), of_filter: (&str, &[&str])) {
    linked(&[RULE, filter], |documents| {
        let shown: Vec<(&str, Vec<&str>)> = documents
            .iter()
            .map(|document| {
                let kind = match document.kind {
                    Kind::Rule(_) => "rule",
                    Kind::Filter(_) => "filter",
                    Kind::Unlinked(_) => "unlinked",
                    Kind::Correlation(_) => "correlation",
                    Kind::Invalid => "invalid",
                    Kind::Refused => "refused",
                    Kind::Skipped => "skipped",
                };
                (kind, codes(document))
            })
            .collect();
        assert_eq!(shown, [(rule.0, rule.1.to_vec()), (of_filter.0, of_filter.1.to_vec())], "{filter}");
    });
}

#[test]
fn every_filter_is_accounted_for() {
    const DETECTION: &str = "s: {x: 1}\ncondition: not s";
    let rule = ("rule", &[][..]);
    check_said(&filter("any", DETECTION), rule, ("skipped", &["filter-joined"]));
    check_said(&filter("[none]", DETECTION), rule, ("skipped", &["filter-unused"]));
    check_said(&filter("[some_rule, none]", DETECTION), rule, ("skipped", &["unknown-rule", "filter-joined"]));
    let elsewhere = filter("[some_rule]", DETECTION).replace("product: p", "product: q");
    check_said(&elsewhere, rule, ("skipped", &["filter-unused"]));
    check_said(&elsewhere.replace("[some_rule]", "any"), rule, ("skipped", &["filter-unused"]));
    let keeps = |condition: &str| filter("any", &format!("s: {{x: 1}}\nt: {{y|neq: 1}}\ncondition: {condition}"));
    for condition in ["s and t", "not t and not s", "all of them", "not 1 of t* or s"] {
        check_said(&keeps(condition), rule, ("skipped", &["filter-keeps-only", "filter-joined"]));
    }
    for condition in ["t and not s", "1 of them", "not (s and not t)", "not all of them"] {
        check_said(&keeps(condition), rule, ("skipped", &["filter-joined"]));
    }
}

#[test]
fn a_wrong_filter_costs_its_rules() {
    let refused = ("refused", &["broken-filter"][..]);
    let rule = ("rule", &[][..]);
    check_said(&filter("any", "s: {x|contians: 1}\ncondition: not s"), refused, ("invalid", &["unknown-modifier"]));
    check_said(&filter("some_rule", "s: {x: 1}\ncondition: not z"), refused, ("invalid", &["unknown-detection"]));
    check_said(&filter("any", "s: {x: 1}"), refused, ("invalid", &["missing-attribute"]));
    check_said(&filter("any", "condition: s"), refused, ("invalid", &["empty-detection", "unknown-detection"]));
    check_said(&filter("any", "s: {x: 1}\ncondition: [s, not s]"), refused, ("invalid", &["bad-condition"]));
    check_said(&filter("any", "s: {x: 1}\ncondition: s | count() > 1"), refused, ("refused", &["legacy-unsupported"]));
    check_said(&filter("[other]", "s: {x|contians: 1}\ncondition: not s"), rule, ("invalid", &["unknown-modifier"]));
    check_said(&filter("[]", "s: {x: 1}\ncondition: not s"), refused, ("invalid", &["bad-value"]));
    check_said(&filter("[some_rule, {a: b}]", "s: {x: 1}\ncondition: not s"), refused, ("invalid", &["wrong-type"]));
    let typo = filter("any", "s: {x: 1}\ncondition: not s").replace("rules:", "rule:");
    check_said(&typo, refused, ("invalid", &["missing-attribute", "unused-detection"]));
    // Which rules these are for is not known: any of the log source.
    check_said(&filter("[other, {a: b}]", "s: {x: 1}\ncondition: not s"), refused, ("invalid", &["wrong-type"]));
    check_said("title: f\nlogsource: {product: p}\nfilter: [s]\n", refused, ("invalid", &["wrong-type"]));
    check_said(
        &typo.replace("product: p", "product: q"),
        rule,
        ("invalid", &["missing-attribute", "unused-detection"]),
    );
    let both = format!("{}detection: {{s: {{x: 1}}, condition: s}}\n", filter("any", "s: {x: 1}\ncondition: not s"));
    check_said(&both, refused, ("invalid", &["bad-value"]));
}

/// Checks the message of one code, and what it has for help.
#[track_caller]
fn check_message(texts: &[&str], code: &str, expected: (&str, &str)) {
    linked(texts, |documents| {
        let all = documents.iter().flat_map(|document| &document.diagnostics);
        let found: Vec<_> = all.filter(|found| found.code.as_str() == code).collect();
        let shown: Vec<_> = found.iter().map(|found| (found.message.as_str(), found.help.join(" "))).collect();
        assert_eq!(shown, [(expected.0, expected.1.to_owned())], "{texts:?}");
    });
}

#[test]
fn what_is_said_fits_a_filter() {
    check_message(
        &[RULE, &filter("any", "s: {x: 1}")],
        "missing-attribute",
        ("the filter has no `condition`", "to leave out what it describes, add `condition: not s`"),
    );
    check_message(
        &[RULE, &filter("any", "s: {x: 1}\ncondition: not zzz")],
        "unknown-detection",
        ("the filter has no detection `zzz`", "the detections of this filter: `s`"),
    );
    let many = "title: Many\nname: many\ncorrelation: {type: event_count, rules: some_rule, timespan: 5m, condition: {gte: 3}}\n";
    let help = "name what the correlation is about: `some_rule`";
    check_message(
        &[RULE, many, &filter("many", "s: {x: 1}\ncondition: not s")],
        "filter-unused",
        ("the filter applies to no rule: `many` is a correlation, and filters are for rules", help),
    );
    check_message(
        &[RULE, many, &filter("[some_rule, many]", "s: {x: 1}\ncondition: not s")],
        "filter-unused",
        ("the filter names the correlation `many`, and filters are for rules", help),
    );
}
