//! Events, made from rules or recorded, as each product holds them: mapped rules match those that the rules match.

use std::collections::BTreeMap;

use serde_json::Value;
use sigcast_eval::{Limits, RuleMatcher, flatten_windows, samples};
use sigcast_ir::Rule;
use sigcast_testing::shippers::{Flat, SYSMON, splunk};
use sigcast_testing::{corpus, files};

use crate::{chain, rules};

/// The number of Sysmon's event that a category stands for first.
fn number(category: &str) -> Option<&'static str> {
    Some(match category {
        "process_creation" => "1",
        "network_connection" => "3",
        "image_load" => "7",
        "create_remote_thread" => "8",
        "process_access" => "10",
        "file_event" => "11",
        "registry_add" | "registry_delete" => "12",
        "registry_set" | "registry_event" => "13",
        "pipe_created" => "17",
        "dns_query" => "22",
        "file_delete" => "23",
        _ => return None,
    })
}

/// The event of a sample as Sysmon writes it; none if Sysmon would write no such thing.
fn event(sample: &Value, rule: &Rule<'_>) -> Option<Flat> {
    let mut flat = sample.as_object()?.clone();
    if flat.values().any(|value| matches!(value, Value::Array(_) | Value::Object(_))) {
        return None;
    }
    // Nothing that Sysmon records of these is empty or absent: other recorders tell that apart in other ways.
    if flat
        .values()
        .any(|value| value.is_null() || value.as_str().is_some_and(|text| text.trim() != text || text.is_empty()))
    {
        return None;
    }
    let text = |name: &str| flat.get(name).and_then(Value::as_str).map(str::to_owned);
    let sysmon = text("Provider_Name").is_none_or(|provider| provider == "Microsoft-Windows-Sysmon");
    // Sysmon spells numbers so, and no others.
    let number_of = |details: String| {
        let spelled = details.starts_with("DWORD (0x") || details.starts_with("QWORD (0x");
        (spelled && details.ends_with(')')) || !details.to_lowercase().contains(" (0x")
    };
    if !sysmon
        || !text("Hashes").is_none_or(|all| all.split(',').all(is_hash))
        || !text("Details").is_none_or(number_of)
    {
        return None;
    }
    let category = rule.logsource.category.as_deref()?;
    flat.entry("EventID").or_insert(Value::from(number(category)?));
    // The number and the kind of a registry event go together.
    let kind = match category {
        "registry_add" => "CreateKey",
        "registry_delete" => "DeleteValue",
        "registry_set" | "registry_event" => "SetValue",
        _ => return Some(flat),
    };
    let kind = flat.entry("EventType").or_insert(Value::from(kind)).as_str()?.to_owned();
    let number = match kind.as_str() {
        "CreateKey" | "DeleteKey" | "DeleteValue" => "12",
        "SetValue" => "13",
        "RenameKey" => "14",
        _ => return None,
    };
    (flat.get("EventID")?.as_str()? == number).then_some(flat)
}

/// A hash as Sysmon writes it: `MD5=…`, as long as hashes of its algorithm are.
fn is_hash(hash: &str) -> bool {
    let (algorithm, digits) = hash.split_once('=').unwrap_or_default();
    let length = match algorithm {
        "MD5" | "IMPHASH" => 32,
        "SHA1" => 40,
        "SHA256" => 64,
        _ => return false,
    };
    digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

type Ship = fn(&Flat) -> Option<Value>;

/// Events made from rules, shipped, against the rules as the pipelines map them: the same answer as before.
fn same_answers(names: &[&str], ship: Ship, sensible: fn(&Flat) -> bool, least: usize) {
    let Some(folder) = corpus("sigmahq/rules/windows") else { return };
    let chain = chain(names);
    let (mut asked, mut hits, mut faults) = (0, 0, BTreeMap::<String, Vec<String>>::new());
    for (file, rule) in rules(&folder) {
        let (Ok(all), Ok(before)) = (samples(&rule, Limits { hits: 6, variations: 16 }), RuleMatcher::new(&rule))
        else {
            continue;
        };
        let applied = chain.apply(rule.clone());
        if applied.is_refused() {
            continue;
        }
        let Ok(after) = RuleMatcher::new(&applied.rule) else { continue };
        for sample in all {
            let Some(flat) = event(&sample.event, &rule).filter(sensible) else { continue };
            let Some(shipped) = ship(&flat) else { continue };
            let expected = before.matches(&Value::Object(flat.clone())).expect("an answer");
            asked += 1;
            hits += usize::from(expected);
            if after.matches(&shipped) != Ok(expected) {
                faults.entry(file.clone()).or_default().push(format!("{expected}: {flat:?} as {shipped}"));
            }
        }
    }
    println!("{names:?}: {asked} events, {hits} of them hits, {} rules differ", faults.len());
    let shown: Vec<String> =
        faults.iter().take(12).map(|(file, all)| format!("{file} ({}): {}", all.len(), all[0])).collect();
    assert!(faults.is_empty(), "{} rules:\n{}", faults.len(), shown.join("\n"));
    assert!(hits >= least, "{hits} hits");
}

#[test]
fn the_splunk_add_ons_show_what_mapped_rules_match() {
    same_answers(&["sysmon", "splunk_windows"], |flat| Some(splunk::splunk(flat, SYSMON)), |_| true, 2000);
    same_answers(&["splunk_windows"], |flat| Some(splunk::splunk(flat, SYSMON)), |_| true, 2000);
}

#[test]
fn channels_hold_what_mapped_rules_match() {
    same_answers(&["sysmon", "windows-logsources"], |flat| Some(splunk::raw(flat, SYSMON)), |_| true, 2000);
}

/// A registry key by its whole name, a path with a drive.
fn whole_paths(flat: &Flat) -> bool {
    let text = |name: &str| flat.get(name).and_then(Value::as_str);
    let key = |text: &str| ["HKLM\\", "HKU\\"].iter().any(|root| text.starts_with(root)) && !text.ends_with('\\');
    let file = |text: &str| text.as_bytes().get(1..3) == Some(b":\\") && text.matches(':').count() == 1;
    text("TargetObject").is_none_or(key) && ["Image", "ParentImage"].iter().all(|name| text(name).is_none_or(file))
}

#[test]
fn auditing_records_what_mapped_rules_match() {
    same_answers(&["windows-audit", "windows-logsources"], splunk::audit, |_| true, 300);
}

#[test]
fn data_models_hold_what_mapped_rules_match() {
    let levels =
        |flat: &Flat| flat.get("IntegrityLevel").and_then(Value::as_str).is_none_or(|level| !level.starts_with("S-1"));
    same_answers(&["splunk_cim"], splunk::cim, levels, 1000);
}

#[test]
fn the_falcon_sensor_records_what_mapped_rules_match() {
    let outbound = |flat: &Flat| {
        let begins = flat.get("EventID").and_then(Value::as_str) != Some("3")
            || flat.get("Initiated").and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        begins && whole_paths(flat)
    };
    same_answers(&["crowdstrike_fdr"], splunk::falcon, outbound, 100);
}

/// Events beside those that a rule's recording is about.
const BYSTANDERS: &[(&str, &[usize])] =
    &[("4fe074b4-b833-4081-8f24-7dcfeca72b42", &[1, 2]), ("8fbf3271-1ef6-4e94-8210-03c2317947f6", &[2, 4, 6])];

#[test]
fn recorded_events_match_their_rules_in_their_channel_alone() {
    let (Some(folder), Some(recorded)) = (corpus("sigmahq/rules/windows"), corpus("regression")) else { return };
    let all = rules(&folder);
    for names in [&["sysmon", "splunk_windows"][..], &["splunk_windows"], &["sysmon", "windows-logsources"]] {
        let (chain, mut events) = (chain(names), 0);
        let ship = |flat: &Flat, channel: &str| {
            if names.contains(&"splunk_windows") { splunk::splunk(flat, channel) } else { splunk::raw(flat, channel) }
        };
        for path in files(&recorded, &["json"]) {
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            let Some((_, rule)) = all.iter().find(|(_, rule)| rule.meta.id.as_deref() == Some(name.as_str())) else {
                continue;
            };
            let applied = chain.apply(rule.clone());
            assert!(!applied.is_refused(), "{name}: {:?}", applied.diagnostics);
            let matcher = RuleMatcher::new(&applied.rule).expect("a matcher");
            let text = std::fs::read_to_string(&path).expect("events");
            for (at, event) in serde_json::Deserializer::from_str(&text).into_iter::<Value>().enumerate() {
                let Value::Object(flat) = flatten_windows(&event.expect("JSON")) else { panic!("{name}") };
                let channel = flat.get("Channel").and_then(Value::as_str).expect("a channel").to_owned();
                let bystander = BYSTANDERS.iter().any(|(id, all)| *id == name && all.contains(&(at + 1)));
                assert_eq!(
                    matcher.matches(&ship(&flat, &channel)),
                    Ok(!bystander),
                    "{names:?} {name}, event {}",
                    at + 1
                );
                assert_eq!(matcher.matches(&ship(&flat, "Another")), Ok(false), "{names:?} {name}: of any channel");
                events += 1;
            }
        }
        assert!(events > 100, "{events}");
    }
}
