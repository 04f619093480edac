//! Whole texts, before and behind.

use super::*;

/// Checks what becomes of a text, and that it stays so.
#[track_caller]
fn check(old: &str, expected: &str) {
    let new = migrated(old, &mut HashSet::new()).unwrap_or_else(|why| panic!("{why}: {old}"));
    let new = new.map_or_else(|| old.to_owned(), |new| new.text);
    assert_eq!(new, expected);
    assert!(meaning::same(old, &new));
    assert!(matches!(migrated(&new, &mut HashSet::new()), Ok(None)), "once is enough: {new}");
}

#[track_caller]
fn check_stays(old: &str, why: &str) {
    let found = migrated(old, &mut HashSet::new()).err();
    assert!(found.as_deref().is_some_and(|found| found.contains(why)), "{found:?}");
}

const COUNT: &str = "\
# Made in 2019.
title: Many Failed Logons
id: 0f4f3f0e-9d1e-4a7e-8f39-5c7e7ac5a020
date: 2019/01/31 # first
tags:
  - attack.credential_access
logsource:
  product: windows
  # Only this one.
  service: security
detection:
  selection:
    EventID: 4625
  # Machines.
  machines:
    User|endswith: $
  timeframe: 5m
  condition: selection and not machines | count(User) by Host, Domain > 20 # many
falsepositives:
  - none
level: high
";

#[test]
fn an_aggregation_becomes_a_rule_and_a_correlation() {
    check(
        COUNT,
        "\
# Made in 2019.
title: Many Failed Logons
id: 0f4f3f0e-9d1e-4a7e-8f39-5c7e7ac5a020
date: 2019-01-31 # first
tags:
  - attack.credential-access
correlation:
  type: value_count
  rules:
    - many_failed_logons_events
  group-by:
    - Host
    - Domain
  timespan: 5m
  condition:
    field: User
    gt: 20
falsepositives:
  - none
level: high
---
title: Many Failed Logons (events)
id: fd9ede6e-7d0c-5c90-a063-65d9d5523b72
name: many_failed_logons_events
related:
  - id: 0f4f3f0e-9d1e-4a7e-8f39-5c7e7ac5a020
    type: derived
date: 2019-01-31 # first
logsource:
  product: windows
  # Only this one.
  service: security
detection:
  selection:
    EventID: 4625
  # Machines.
  machines:
    User|endswith: $
  condition: selection and not machines # many
level: informational
",
    );
}

#[test]
fn what_is_near_becomes_rules_of_their_own() {
    let old = "\
title: Tool
name: tool
logsource:
    product: windows
detection:
    image:
        Image|endswith: '\\a.exe'
    load:
        ImageLoaded|endswith: '\\b.dll'
    known:
        Signed: true
    condition: image | near load and not known
    timeframe: 30s
";
    let new = "\
title: Tool
name: tool
correlation:
    type: temporal
    rules:
        - tool_events
        - tool_load
        - tool_known
    timespan: 30s
    condition: tool_events and tool_load and not tool_known
---
title: Tool (events)
name: tool_events
logsource:
    product: windows
detection:
    image:
        Image|endswith: '\\a.exe'
    condition: image
level: informational
---
title: Tool (load)
name: tool_load
logsource:
    product: windows
detection:
    load:
        ImageLoaded|endswith: '\\b.dll'
    condition: load
level: informational
---
title: Tool (known)
name: tool_known
logsource:
    product: windows
detection:
    known:
        Signed: true
    condition: known
level: informational
";
    check(old, new);
    check(&old.replace('\n', "\r\n"), &new.replace('\n', "\r\n"));
}

#[test]
fn a_collection_becomes_whole_documents() {
    check(
        "\
# A collection.
action: global
title: Key Written
date: 2020/01/02
detection:
  condition: selection
---
# By the system.
logsource:
  product: windows
  service: system
detection:
  selection:
    EventID: 7045
---
logsource:
    product: windows
    service: sysmon
detection:
    # The same by Sysmon.
    selection:
        EventID: 13
level: high
",
        "\
# A collection.
title: Key Written
date: 2020-01-02
detection:
  condition: selection
  selection:
    EventID: 7045
# By the system.
logsource:
  product: windows
  service: system
---
title: Key Written
date: 2020-01-02
detection:
  condition: selection
  # The same by Sysmon.
  selection:
      EventID: 13
logsource:
    product: windows
    service: sysmon
level: high
",
    );
}

#[test]
fn a_document_may_be_repeated_with_changes() {
    check(
        "title: One\nlogsource:\n  product: a\ndetection:\n  s:\n    f: 1\n  condition: s\n---\naction: repeat\ntitle: Two\n\
         detection:\n  s:\n    f: 2\n---\naction: reset\ntitle: Three\nlogsource: {product: b}\ndetection:\n  s:\n    f: 3\n  \
         condition: s\n",
        "title: One\nlogsource:\n  product: a\ndetection:\n  s:\n    f: 1\n  condition: s\n---\ntitle: Two\nlogsource:\n  \
         product: a\ndetection:\n  s:\n    f: 2\n  condition: s\n---\ntitle: Three\nlogsource: {product: b}\ndetection:\n  \
         s:\n    f: 3\n  condition: s\n",
    );
}

#[test]
fn names_of_rules_are_distinct() {
    let mut names = HashSet::from(["many_failed_logons_events".to_owned()]);
    let first = migrated(COUNT, &mut names).expect("it is migrated").expect("it changes");
    let second = migrated(COUNT, &mut names).expect("it is migrated").expect("it changes");
    assert!(first.text.contains("name: many_failed_logons_events_2\n"), "{}", first.text);
    assert!(second.text.contains("name: many_failed_logons_events_3\n"), "{}", second.text);
}

#[test]
fn what_cannot_be_kept_stays() {
    let flow = "title: t\nlogsource: {product: a}\ndetection: {s: {f: 1}, timeframe: 5m, condition: s | count() > 5}\n";
    check_stays(flow, "flow style");
    check_stays(&format!("{COUNT}...\n"), "unusual way");
}

#[test]
fn what_is_new_or_no_rule_stays_as_it_is() {
    let new = "title: t\ndate: 2024-01-31\nlogsource: {product: a}\ndetection: {s: {f: 1}, condition: s}\n";
    check(new, new);
    check("", "");
    check("- 1\n- 2\n", "- 1\n- 2\n");
    check("a: [\n", "a: [\n");
}

/// Where the correlations fire is asked of the evaluator, on streams of events.
#[test]
fn the_new_correlation_fires_where_the_old_one_did() {
    use sigcast_diagnostics::SourceMap;
    use sigcast_frontend::{Kind, link, parse};
    let mut sources = SourceMap::new();
    let new = migrated(COUNT, &mut HashSet::new()).expect("it is migrated").expect("it changes");
    let (old, new) = (sources.add("old", COUNT), sources.add("new", new.text));
    let (old, mut new) = (parse(&sources, old), parse(&sources, new));
    link(&mut new.iter_mut().collect::<Vec<_>>());
    let Kind::Correlation(old) = &old[0].kind else { panic!("{old:?}") };
    let Kind::Correlation(new) = &new[0].kind else { panic!("{new:?}") };
    let limits = sigcast_eval::Limits { hits: 10, variations: 10 };
    let streams = sigcast_eval::correlation_samples(old, limits).expect("streams");
    assert!(streams.iter().any(|one| !one.fires.is_empty()) && streams.iter().any(|one| one.fires.is_empty()));
    let asked = sigcast_eval::CorrelationMatcher::new(new).expect("a matcher");
    for one in streams {
        assert_eq!(asked.fires(&one.stream).expect("an answer"), one.fires, "{}", one.what);
    }
}

/// The rules of 2019 and 2020 that the public corpus has: each changes once, and what stays is known.
#[test]
fn old_rules_of_the_corpus() {
    let Some(folder) = sigcast_testing::corpus("atc") else { return };
    let mut names = HashSet::new();
    let (mut total, mut stays): (BTreeMap<&str, usize>, Vec<String>) = (BTreeMap::new(), Vec::new());
    for year in ["2019", "2020"] {
        let text = std::fs::read_to_string(folder.join(format!("{year}.json"))).expect("the corpus is there");
        let pages: Vec<serde_json::Value> = serde_json::from_str(&text).expect("a list");
        for page in &pages {
            let (rule, doc) = (page["rule"].as_str().expect("a rule"), page["doc"].as_str().expect("a name"));
            match migrated(rule, &mut names) {
                Ok(None) => {}
                Ok(Some(new)) => {
                    new.counts.iter().for_each(|(what, count)| *total.entry(what).or_default() += count);
                    assert!(matches!(migrated(&new.text, &mut HashSet::new()), Ok(None)), "{doc}: {}", new.text);
                }
                Err(why) => stays.push(format!("{year} {doc}: {why}")),
            }
        }
    }
    println!("{total:?} {stays:#?}");
    // A detection that is a list gives way to a map there, which no document says by itself.
    assert_eq!(stays.len(), 1, "{stays:#?}");
    assert!(total["aggregations"] >= 10 && total["collections"] >= 15 && total["dates"] > 200, "{total:?}");
}
