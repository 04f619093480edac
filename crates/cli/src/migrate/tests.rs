//! Whole texts, before and behind.

use super::*;

/// Checks what becomes of a text, and that it stays so.
#[track_caller]
fn check(old: &str, expected: &str) {
    let Migrated { new, stays, .. } = migrated(old, &mut Taken::default());
    assert_eq!((new.text.as_str(), stays.as_slice()), (expected, &[][..]));
    assert_eq!(meaning::changed(old, &new.text), None);
    assert_eq!(migrated(&new.text, &mut Taken::default()).new.text, new.text, "once is enough");
}

/// Checks what becomes of a text of which something stays, and why.
#[track_caller]
fn check_stays(old: &str, expected: &str, why: &str) {
    let Migrated { new, stays, .. } = migrated(old, &mut Taken::default());
    assert_eq!(new.text, expected);
    assert!(stays.len() == 1 && stays[0].contains(why), "{stays:?}");
}

/// The text with aggregations and collections as they are of today, which it must have.
#[track_caller]
fn rebuilt(old: &str, taken: &mut Taken) -> String {
    let Migrated { new, plain, stays } = migrated(old, taken);
    assert!(new != plain && stays.is_empty(), "{stays:?}");
    new.text
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
    let mut taken = Taken { names: HashSet::from(["many_failed_logons_events".to_owned()]), ids: HashSet::new() };
    let (first, second) = (rebuilt(COUNT, &mut taken), rebuilt(COUNT, &mut taken));
    assert!(first.contains("name: many_failed_logons_events_2\n"), "{first}");
    assert!(second.contains("name: many_failed_logons_events_3\n"), "{second}");
    let id = |text: &str| text.rsplit("\nid: ").next().and_then(|rest| Some(rest.lines().next()?.to_owned()));
    assert_ne!(id(&first), id(&second));
}

#[test]
fn what_cannot_be_kept_stays() {
    let flow = "title: t\nlogsource: {product: a}\ndetection: {s: {f: 1}, timeframe: 5m, condition: s | count() > 5}\n";
    check_stays(flow, flow, "flow style");
    let attributes = COUNT.replace("2019/01/31", "2019-01-31").replace("credential_access", "credential-access");
    check_stays(&format!("{COUNT}...\n"), &format!("{attributes}...\n"), "unusual way");
    // A rule is taken out of the document, and the alias is left in it.
    let alias = format!("{COUNT}author: *p\n").replace("windows", "&p windows");
    let expected = format!("{attributes}author: *p\n").replace("windows", "&p windows");
    check_stays(&alias, &expected, "the alias `*p` and its anchor would stand in different documents");
}

#[test]
fn what_is_new_or_no_rule_stays_as_it_is() {
    let new = "title: t\ndate: 2024-01-31\nlogsource: {product: a}\ndetection: {s: {f: 1}, condition: s}\n";
    check(new, new);
    check("", "");
    check("- 1\n- 2\n", "- 1\n- 2\n");
}

/// Where the correlations fire is asked of the evaluator, on streams of events.
#[test]
fn the_new_correlation_fires_where_the_old_one_did() {
    use sigcast_diagnostics::SourceMap;
    use sigcast_frontend::{Kind, link, parse};
    let mut sources = SourceMap::new();
    let new = rebuilt(COUNT, &mut Taken::default());
    let (old, new) = (sources.add("old", COUNT), sources.add("new", new));
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
    let mut taken = Taken::default();
    let (mut total, mut stays) = (Counts::new(), Vec::new());
    for year in ["2019", "2020"] {
        let text = std::fs::read_to_string(folder.join(format!("{year}.json"))).expect("the corpus is there");
        let pages: Vec<serde_json::Value> = serde_json::from_str(&text).expect("a list");
        for page in &pages {
            let (rule, doc) = (page["rule"].as_str().expect("a rule"), page["doc"].as_str().expect("a name"));
            let made = migrated(rule, &mut taken);
            stays.extend(made.stays.iter().map(|why| format!("{year} {doc}: {why}")));
            made.new.counts.iter().for_each(|(what, count)| *total.entry(what).or_default() += count);
            let again = migrated(&made.new.text, &mut Taken::default());
            assert_eq!((again.new.text, again.stays.len()), (made.new.text, made.stays.len()), "{doc}");
        }
    }
    println!("{total:?} {stays:#?}");
    // The day and the month are the wrong way round in one; in another a detection that is a list gives way to a map, which
    // no document says by itself.
    assert!(stays.len() == 2 && stays[0].contains("2018/24/07"), "{stays:#?}");
    assert!(total["aggregations"] >= 10 && total["collections"] >= 15 && total["dates"] > 200, "{total:?}");
}

#[test]
fn comments_of_lines_that_go_are_kept() {
    check(
        "\
# Of all.
action: global   # lends
title: E
detection: # asked
  timeframe: 5m  # five
  # The sum.
  condition: s | count() by a > 5  # c
# The end of the head.
---
# Of one.
logsource:
  product: windows
detection: # its own
  s:
    x: 'a # b' # one
# The end of one.
",
        "\
# Of all.
# lends
# The end of the head.
title: E
correlation:
  type: event_count
  rules:
    - e_events
  group-by:
    - a
  # five
  timespan: 5m
  condition:
    gt: 5
---
title: E (events)
name: e_events
# Of one.
logsource:
  product: windows
# its own
detection: # asked
  # The sum.
  condition: s  # c
  s:
    x: 'a # b' # one
level: informational
# The end of one.
",
    );
}
