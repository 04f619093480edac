//! Correlations in the languages of Elasticsearch and OpenSearch: what is written, what is refused, and by a machine that
//! runs sequences as Elasticsearch documents it, what EQL's find.

#[path = "../../../eval/tests/correlations/build.rs"]
mod build;
mod machine;

use build::{Asked, Inner, Plan, build};
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Conversion, Status, find};
use sigcast_diagnostics::Class;
use sigcast_ir::MemberCondition;

type MemberPlan = (Inner, Vec<String>, Vec<&'static str>);

/// The events of a kind, with these keys and values.
fn member(kind: &'static str, keys: &[&str], values: &[&'static str]) -> MemberPlan {
    (Inner::Rule(kind), keys.iter().map(|key| (*key).to_owned()).collect(), values.to_vec())
}

fn measure(members: &[MemberPlan], measure: &'static str, bounds: &[(&'static str, &'static str)]) -> Plan {
    Plan { members: members.to_vec(), asked: Asked::Measure { measure, bounds: bounds.to_vec() }, seconds: 300 }
}

fn temporal(ordered: bool, members: &[MemberPlan]) -> Plan {
    let all = (0..members.len()).map(MemberCondition::Member).collect();
    Plan {
        members: members.to_vec(),
        asked: Asked::Rules { ordered, condition: MemberCondition::And(all) },
        seconds: 300,
    }
}

fn convert(target: &str, options: &[(&str, &str)], plan: &Plan) -> Conversion {
    let settings = Settings::of(options).expect("options");
    Backend::new(find(target).expect("a target"), settings).correlate(&build(plan))
}

/// The codes of what is said, in alphabetical order.
fn said(found: &Conversion) -> Vec<&'static str> {
    let mut codes: Vec<&str> = found.diagnostics.iter().map(|one| one.code.as_str()).collect();
    codes.sort_unstable();
    codes
}

/// The query of the correlation, and the codes of how it differs.
#[track_caller]
fn check(target: &str, plan: &Plan, query: &str, codes: &[&str]) {
    let found = convert(target, &[], plan);
    assert_eq!(found.queries, [query], "{target}: {:?}", found.diagnostics);
    assert_eq!(said(&found), codes, "{target}");
    assert_eq!(found.status == Status::Exact, codes.is_empty());
}

/// The correlation is refused for this reason, and nothing else is said of it than why.
#[track_caller]
fn check_refused(target: &str, plan: &Plan, reason: &str) {
    let found = convert(target, &[], plan);
    assert_eq!(found.status, Status::Refused, "{target}: {:?}", found.queries);
    let refusals = found.diagnostics.iter().filter(|one| one.code.class() == Class::Refusal);
    let messages: Vec<&str> = refusals.map(|one| one.message.as_str()).collect();
    assert!(matches!(messages.as_slice(), [one] if one.contains(reason)), "{target}: {messages:?}");
}

#[test]
fn counts_of_events() {
    let plan = measure(&[member("a", &["user", "host.name"], &[])], "events", &[(">=", "10")]);
    check("eql", &plan, "sequence by user, host.name with maxspan=5m\n  [any where kind : \"a\"] with runs=10", &[]);
    check(
        "esql",
        &plan,
        "FROM logs-*\n| WHERE TO_LOWER(kind) == \"a\"\n| WHERE user IS NOT NULL AND host.name IS NOT NULL\n\
         | STATS sigma_value = COUNT(*),\n    sigma_first = MIN(@timestamp),\n    sigma_last = MAX(@timestamp),\n    \
         kind = VALUES(kind)\n    BY sigma_window = BUCKET(@timestamp, 5 minutes), user, host.name\n\
         | WHERE sigma_value >= 10\n| LIMIT 10000",
        &["fixed-windows"],
    );
    check(
        "es-dsl",
        &plan,
        r#"{"size":0,"query":{"term":{"kind":{"value":"a","case_insensitive":true}}},"aggs":{"groups":{"composite":{"size":1000,"sources":[{"window":{"date_histogram":{"field":"@timestamp","fixed_interval":"5m"}}},{"key0":{"terms":{"field":"user"}}},{"key1":{"terms":{"field":"host.name"}}}]},"aggs":{"events":{"top_hits":{"size":3,"sort":[{"@timestamp":"asc"}]}},"kept":{"bucket_selector":{"buckets_path":{"events":"_count"},"script":"params.events >= 10"}}}}}}"#,
        &["fixed-windows"],
    );
    check(
        "watcher",
        &plan,
        r#"{"trigger":{"schedule":{"interval":"5m"}},"input":{"search":{"request":{"indices":["logs-*"],"body":{"size":0,"query":{"bool":{"filter":[{"query_string":{"query":"kind:a","lenient":true}},{"range":{"@timestamp":{"gte":"{{ctx.trigger.scheduled_time}}||-300s","lt":"{{ctx.trigger.scheduled_time}}"}}}]}},"aggs":{"groups":{"multi_terms":{"terms":[{"field":"user"},{"field":"host.name"}],"size":1000,"min_doc_count":10},"aggs":{"events":{"top_hits":{"size":3,"sort":[{"@timestamp":"asc"}]}}}}}}}}},"condition":{"script":{"lang":"painless","source":"return ctx.payload.aggregations.groups.buckets.size() > 0"}}}"#,
        &["fixed-windows"],
    );
    check(
        "opensearch",
        &plan,
        "source=`logs-*`\n| where query_string(['*'], 'kind:a')\n| where isnotnull(`user`) and isnotnull(`host.name`)\n\
         | stats count() as sigma_value,\n    min(`@timestamp`) as sigma_first,\n    max(`@timestamp`) as sigma_last,\n    \
         take(`kind`, 10) as `kind`\n    by span(`@timestamp`, 5m) as sigma_window, `user`, `host.name`\n\
         | where sigma_value >= 10",
        &["fixed-windows"],
    );
}

/// Bounds that a sequence can say are lower ones, and a single event is no sequence.
#[test]
fn bounds_of_counts_in_sequences() {
    let of = |bounds| measure(&[member("a", &["user"], &[])], "events", bounds);
    let runs = |runs: &str| format!("sequence by user with maxspan=5m\n  [any where kind : \"a\"] with runs={runs}");
    check("eql", &of(&[(">", "1")]), &runs("2"), &[]);
    check("eql", &of(&[(">=", "2.5"), (">", "1")]), &runs("3"), &[]);
    check("eql", &of(&[(">", "2.5")]), &runs("3"), &[]);
    check("eql", &of(&[(">=", "1")]), "any where (kind : \"a\") and user != null", &[]);
    check_refused("eql", &of(&[(">=", "2"), ("<", "9")]), "no upper bound");
    check_refused("eql", &of(&[("=", "2")]), "no upper bound");
    check_refused("eql", &of(&[("!=", "2")]), "no upper bound");
    check_refused("eql", &of(&[(">", "100")]), "at most 100 runs");
}

/// An event that several rules match counts once, where the rules have the same key.
#[test]
fn events_of_several_rules() {
    let same = measure(&[member("a", &["k"], &[]), member("b", &["k"], &[])], "events", &[(">", "1")]);
    let text = "sequence by k with maxspan=5m\n  [any where (kind : \"a\") or (kind : \"b\")] with runs=2";
    check("eql", &same, text, &[]);
    let other = measure(&[member("a", &["k"], &[]), member("b", &["l"], &[])], "events", &[(">", "1")]);
    for target in ["eql", "es-dsl", "watcher", "opensearch"] {
        check_refused(target, &other, "another field for each rule");
    }
    check(
        "esql",
        &other,
        "FROM logs-*\n| WHERE (TO_LOWER(kind) == \"a\") OR (TO_LOWER(kind) == \"b\")\n\
         | EVAL sigma_member = MV_APPEND(CASE(TO_LOWER(kind) == \"a\", 1, 0), CASE(TO_LOWER(kind) == \"b\", 2, 0))\n\
         | MV_EXPAND sigma_member\n| WHERE sigma_member > 0\n\
         | EVAL sigma_key_1 = CASE(sigma_member == 1, TO_STRING(k), sigma_member == 2, TO_STRING(l))\n\
         | WHERE sigma_key_1 IS NOT NULL\n\
         | STATS sigma_value = COUNT(*),\n    sigma_first = MIN(@timestamp),\n    sigma_last = MAX(@timestamp),\n    \
         kind = VALUES(kind)\n    BY sigma_window = BUCKET(@timestamp, 5 minutes), key0 = sigma_key_1\n\
         | WHERE sigma_value > 1\n| LIMIT 10000",
        &["counted-per-rule", "fixed-windows"],
    );
}

#[test]
fn orders_of_rules() {
    let same = [member("a", &["k"], &[]), member("b", &["k"], &[])];
    let text = "sequence by k with maxspan=5m\n  [any where kind : \"a\"]\n  [any where kind : \"b\"]";
    check("eql", &temporal(true, &same), text, &["reported-once"]);
    check_refused("eql", &temporal(false, &same), "one order");
    let other = [member("a", &["k"], &[]), member("b", &["l"], &[])];
    let text = "sequence with maxspan=5m\n  [any where kind : \"a\"] by k\n  [any where kind : \"b\"] by l";
    check("eql", &temporal(true, &other), text, &["reported-once"]);
    let all = Plan { asked: Asked::Members { ordered: true, bounds: vec![(">=", "2")] }, ..temporal(true, &same) };
    assert_eq!(convert("eql", &[], &all).queries, convert("eql", &[], &temporal(true, &same)).queries);
    let one = Plan { asked: Asked::Members { ordered: true, bounds: vec![(">=", "1")] }, ..all };
    check_refused("eql", &one, "a sequence has all of its items");
    let three = [same[0].clone(), same[1].clone(), member("c", &["k"], &[])];
    for target in ["esql", "es-dsl", "watcher"] {
        let codes = |plan: &Plan| said(&convert(target, &[], plan));
        assert_eq!(codes(&temporal(true, &same)), ["fixed-windows"], "{target}");
        assert_eq!(codes(&temporal(true, &three)), ["fixed-windows", "order-lost"], "{target}");
        assert_eq!(codes(&temporal(false, &three)), ["fixed-windows"], "{target}");
    }
    check_refused("opensearch", &temporal(false, &same), "which rule an event is of");
}

#[test]
fn a_correlation_of_correlations_is_refused() {
    let inner = measure(&[member("a", &["k"], &[])], "events", &[(">", "1")]);
    let outer =
        measure(&[(Inner::Correlation(Box::new(inner)), vec!["0".to_owned()], vec![])], "events", &[(">", "1")]);
    for target in ["eql", "esql", "es-dsl", "watcher", "opensearch"] {
        check_refused(target, &outer, "where another correlation fires");
    }
}

/// A watch leaves no time out, whatever the interval.
#[test]
fn intervals_of_watches() {
    let plan = measure(&[member("a", &["user"], &[])], "events", &[(">=", "10")]);
    let check = |options: &[(&str, &str)], interval: &str| {
        let found = convert("watcher", options, &plan);
        let start = format!("{{\"trigger\":{{\"schedule\":{{\"interval\":\"{interval}\"}}}}");
        assert!(found.queries[0].starts_with(&start), "{:?}", found.queries);
    };
    check(&[("interval", "1m")], "1m");
    check(&[("interval", "90s")], "90s");
    check(&[("interval", "2h")], "5m");
}

/// What stands in quotes stays there, and no text of a rule is a template or a script.
#[test]
fn values_stay_in_their_quotes() {
    let plan = measure(&[member(r#"{f: 'a''b\"{{x}}`'}"#, &["a`b\"c"], &[])], "events", &[(">", "1")]);
    for target in ["es-dsl", "watcher"] {
        let found = convert(target, &[], &plan);
        let [query] = found.queries.as_slice() else { panic!("{target}: {:?}", found.diagnostics) };
        let value: serde_json::Value = serde_json::from_str(query).expect("JSON");
        assert!(value.to_string().contains(r#"a`b\"c"#), "{target}: {query}");
        if target == "watcher" {
            let tags = query.matches("{{").count();
            assert_eq!(tags, query.matches("{{ctx.trigger.scheduled_time}}").count(), "{query}");
        }
    }
    check_refused("opensearch", &plan, "backquotes");
    let plan = measure(&[member(r#"{f: "a'b"}"#, &[], &[])], "events", &[(">", "1")]);
    let found = convert("opensearch", &[], &plan);
    assert!(found.queries[0].contains(r#"query_string(['*'], 'f:"a''b"')"#), "{:?}", found.queries);
    let plan = measure(&[member(r"{f: 'C:\x'}", &[], &[])], "events", &[(">", "1")]);
    let found = convert("opensearch", &[], &plan);
    assert!(found.queries[0].contains(r#"'f:"C:\\\\x"'"#), "{:?}", found.queries);
}
