//! The pipelines for Sysmon, Windows channels and auditing, Splunk and CrowdStrike, by what they do to events: a rule that
//! is mapped matches the event as the product has it exactly if the rule as it was written matches the event itself.
//!
//! `SIGCAST_CORPUS` names a folder with `sigmahq/rules` and `regression`; unset, the tests of the corpus say that they skip.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Status, find};
use sigcast_diagnostics::{Class, Code, SourceMap};
use sigcast_eval::{Limits, RuleMatcher, flatten_windows, samples};
use sigcast_frontend::{Kind, parse, schema};
use sigcast_ir::{Part, Rule, Test, Tree};
use sigcast_pipeline::{Chain, Nowhere, Pipeline, builtin};
use sigcast_testing::shippers::{Flat, SYSMON, splunk};
use sigcast_testing::{corpus, files};

/// Built-in pipelines in a source map of their own, which lives as long as the tests.
fn chain(names: &[&str]) -> &'static Chain<'static> {
    let mut sources = SourceMap::new();
    let ids: Vec<_> = names
        .iter()
        .map(|name| sources.add(*name, builtin(name).unwrap_or_else(|| panic!("no pipeline {name}")).text))
        .collect();
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let compile =
        |id| Arc::new(Pipeline::compile(sources, id, &Nowhere).unwrap_or_else(|faults| panic!("{faults:#?}")));
    Box::leak(Box::new(Chain::new(ids.into_iter().map(compile).collect())))
}

fn backend(target: &str) -> Backend {
    Backend::new(find(target).expect("a target"), Settings::default())
}

fn rule(logsource: &str, detection: &str) -> Rule<'static> {
    let mut sources = SourceMap::new();
    let id = sources.add("rule", format!("title: t\nlogsource: {logsource}\ndetection: {detection}\n"));
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let Kind::Rule(rule) = parse(sources, id).remove(0).kind else { panic!("no rule: {detection}") };
    *rule
}

/// The query of a rule and whether it is restricted to its log source, or why there is none.
fn convert(chain: &Chain<'_>, target: &str, rule: Rule<'_>) -> Result<(String, bool), String> {
    let applied = chain.apply(rule);
    let refusals = |all: &[sigcast_diagnostics::Diagnostic]| {
        let refused = all.iter().filter(|found| found.code.class() == Class::Refusal);
        refused.map(|found| format!("{}: {}", found.code.as_str(), found.message)).collect::<Vec<_>>().join("; ")
    };
    if applied.is_refused() {
        return Err(refusals(&applied.diagnostics));
    }
    let conversion = backend(target).convert(&applied.rule);
    if conversion.status == Status::Refused {
        return Err(refusals(&conversion.diagnostics));
    }
    let scoped = !conversion.assumptions.contains(&Code::AssumeScope);
    Ok((conversion.queries.join("\n"), scoped))
}

/// What stands in a query of a rule, and what does not.
fn check(pipelines: &[&str], logsource: &str, detection: &str, expected: &[&str], never: &[&str]) {
    let target = if pipelines.iter().any(|name| name.starts_with("splunk")) { "splunk" } else { "lucene" };
    let found = convert(chain(pipelines), target, rule(logsource, detection));
    let (query, _) = found.unwrap_or_else(|why| panic!("{detection}: {why}"));
    for part in expected {
        assert!(query.contains(part), "{detection}: no `{part}` in {query}");
    }
    for part in never {
        assert!(!query.contains(part), "{detection}: `{part}` in {query}");
    }
}

fn refused(pipelines: &[&str], logsource: &str, detection: &str, reason: &str) {
    let found = convert(chain(pipelines), "splunk", rule(logsource, detection));
    assert!(found.as_ref().is_err_and(|why| why.contains(reason)), "{detection}: {found:?}");
}

const ANY: &str = "{s: {Image: a}, condition: s}";

#[test]
fn every_event_of_sysmon_has_its_category() {
    let table = [
        ("process_creation", "1"),
        ("file_change", "2"),
        ("network_connection", "3"),
        ("sysmon_status", "(4 OR 16)"),
        ("process_termination", "5"),
        ("driver_load", "6"),
        ("image_load", "7"),
        ("create_remote_thread", "8"),
        ("raw_access_thread", "9"),
        ("process_access", "10"),
        ("file_event", "11"),
        ("registry_set", "13"),
        ("registry_rename", "14"),
        ("registry_event", "(12 OR 13 OR 14)"),
        ("create_stream_hash", "15"),
        ("pipe_created", "(17 OR 18)"),
        ("wmi_event", "(19 OR 20 OR 21)"),
        ("dns_query", "22"),
        ("file_delete", "23"),
        ("clipboard_capture", "24"),
        ("process_tampering", "25"),
        ("file_delete_detected", "26"),
        ("file_block_executable", "27"),
        ("file_block_shredding", "28"),
        ("file_executable_detected", "29"),
        ("sysmon_error", "255"),
    ];
    for (category, numbers) in table {
        let source = format!("{{category: {category}, product: windows}}");
        check(&["sysmon"], &source, ANY, &[&format!("EventID:{numbers}"), "Image:a"], &["Channel"]);
        let channel = ["Channel:\"Microsoft-Windows-Sysmon/Operational\""];
        check(&["sysmon", "windows-logsources"], &source, ANY, &channel, &[]);
    }
    // Event 12 holds creations and deletions: only one of them is asked for.
    let deletion = "{category: registry_delete, product: windows}";
    check(&["sysmon"], deletion, ANY, &["EventID:12", "DeleteKey", "DeleteValue"], &["CreateKey"]);
    let addition = "{category: registry_add, product: windows}";
    check(&["sysmon"], addition, ANY, &["EventID:12", "EventType:CreateKey"], &["Delete"]);
    // What is no event of Sysmon stays as it is.
    check(&["sysmon"], "{category: ps_script, product: windows}", ANY, &["Image:a"], &["EventID"]);
}

#[test]
fn an_event_number_alone_restricts_nothing() {
    let process = || rule("{category: process_creation, product: windows}", ANY);
    let scoped = |names: &[&str], target: &str| convert(chain(names), target, process()).expect("a query").1;
    assert!(!scoped(&["sysmon"], "lucene"));
    assert!(scoped(&["sysmon", "windows-logsources"], "lucene"));
    assert!(scoped(&["sysmon", "splunk_windows"], "splunk"));
    assert!(scoped(&["splunk_windows"], "splunk"));
    assert!(scoped(&["windows-audit", "windows-logsources"], "lucene"));
    assert!(scoped(&["crowdstrike_fdr"], "splunk"));
    // A data model holds the processes of every product.
    assert!(!scoped(&["splunk_cim"], "splunk"));
}

#[test]
fn nothing_is_said_twice_and_nothing_is_lost() {
    let process = "{category: process_creation, product: windows}";
    let twice = convert(chain(&["sysmon", "splunk_windows"]), "splunk", rule(process, ANY)).expect("a query").0;
    assert_eq!((twice.matches("EventCode").count(), twice.matches("source ").count()), (1, 1), "{twice}");
    // A rule of nothing but its event number keeps it.
    let security = "{service: security, product: windows}";
    check(
        &["splunk_windows"],
        security,
        "{s: {EventID: 1102}, condition: s}",
        &["EventCode=1102", ":Security"],
        &["EventID"],
    );
    // A filter is mapped as what it filters is, once.
    let detection = "{s: {EventID: 4624}, filter: {EventID: 4625, Provider_Name: a}, condition: s and not filter}";
    check(
        &["splunk_windows"],
        security,
        detection,
        &["EventCode=4625", "Name=", "SourceName="],
        &["EventID", "Provider_Name"],
    );
    // Each condition of a rule gets the restriction.
    let both = "{s: {EventID: 1}, t: {EventID: 2}, condition: [s, t]}";
    let found = convert(chain(&["splunk_windows"]), "splunk", rule(security, both)).expect("queries").0;
    assert_eq!(found.matches("XmlWinEventLog:Security").count(), 2, "{found}");
}

#[test]
fn text_between_unnamed_elements_is_looked_for_in_the_xml() {
    let application = "{service: application, product: windows}";
    let of = |value: &str| format!("{{s: {{Data|contains: '{value}'}}, condition: s}}");
    check(
        &["splunk_windows"],
        application,
        &of("<local & machine>"),
        &["EventData_Xml=\"*&lt;local &amp; machine&gt;*\""],
        &[],
    );
    refused(&["splunk_windows"], application, "{s: {Data: whole}, condition: s}", "unnamed Data");
}

#[test]
fn windows_auditing_has_its_own_values() {
    let audit = &["windows-audit"];
    let process = "{category: process_creation, product: windows}";
    let level = |level: &str| format!("{{s: {{IntegrityLevel: {level}, Image|endswith: '\\a.exe'}}, condition: s}}");
    check(
        audit,
        process,
        &level("High"),
        &["EventID:4688", "MandatoryLabel:\"S-1-16-12288\"", "NewProcessName"],
        &["High"],
    );
    check(audit, process, &level("S-1-16-16384"), &["MandatoryLabel:\"S-1-16-16384\""], &["IntegrityLevel"]);
    refused(audit, process, "{s: {Hashes|contains: MD5=1}, condition: s}", "no such field");
    let set = "{category: registry_set, product: windows}";
    let target = "{s: {TargetObject: 'HKLM\\System\\CurrentControlSet\\Services\\A\\Start'}, condition: s}";
    let expected = [
        "\\\\REGISTRY\\\\MACHINE\\\\System\\\\ControlSet???\\\\Services\\\\A",
        "ObjectValueName:Start",
        "%%1904",
        "%%1905",
    ];
    check(audit, set, target, &expected, &["TargetObject", "HKLM", "CurrentControlSet"]);
    refused(audit, set, "{s: {TargetObject|contains: '\\Run\\'}, condition: s}", "two fields");
    refused(audit, set, "{s: {Details: 'DWORD (0x00000001)'}, condition: s}", "numbers");
    refused(audit, "{category: image_load, product: windows}", ANY, "Sysmon has");
    let network = "{category: network_connection, product: windows}";
    let outbound = "{s: {Initiated: 'true', DestinationIp: 10.0.0.1, Protocol: tcp}, condition: s}";
    check(
        audit,
        network,
        outbound,
        &["EventID:5156", "%%14593", "DestAddress:10.0.0.1", "Protocol:6"],
        &["true", "tcp"],
    );
    refused(audit, network, "{s: {DestinationIp: 10.0.0.1}, condition: s}", "Initiated");
}

#[test]
fn data_models_hold_what_their_schema_lists() {
    let cim = &["splunk_cim"];
    let process = "{category: process_creation, product: windows}";
    check(
        cim,
        process,
        "{s: {IntegrityLevel: [High, S-1-16-16384]}, condition: s}",
        &["\"high\"", "\"system\""],
        &["S-1", "High"],
    );
    refused(cim, process, "{s: {CommandLine: null}, condition: s}", "unknown");
    refused(cim, process, "{s: {Company: a}, condition: s}", "no such field");
    refused(cim, "{service: security, product: windows}", "{s: {EventID: 1}, condition: s}", "no data model");
    refused(cim, "{category: webserver}", "{s: [a, b], condition: s}", "Web.Web");
    let event = "{category: registry_event, product: windows}";
    check(cim, event, "{s: {EventType: SetValue}, condition: s}", &["Registry.action=\"modified\""], &["SetValue"]);
    check(
        cim,
        event,
        "{s: {Details: 'DWORD (0x00000001)'}, condition: s}",
        &["registry_value_data=\"0x00000001\""],
        &["DWORD"],
    );
    refused(cim, event, "{s: {EventType: RenameKey}, condition: s}", "none of them");
    refused(cim, event, "{s: {Details|startswith: 'DWORD (0x0000'}, condition: s}", "bare number");
}

#[test]
fn the_falcon_sensor_knows_no_drives_and_no_folders_of_parents() {
    let falcon = &["crowdstrike_fdr"];
    let process = "{category: process_creation, product: windows}";
    let detection = "{s: {ParentImage|endswith: ['\\a.exe', '\\b.exe'], IntegrityLevel: High}, condition: s}";
    check(
        falcon,
        process,
        detection,
        &["ParentBaseFileName:", "a.exe", "IntegrityLevel:12288"],
        &["\\a.exe", "*a.exe", "High"],
    );
    refused(falcon, process, "{s: {Image|startswith: 'C:\\Windows\\'}, condition: s}", "no drive letter");
    refused(falcon, process, "{s: {ParentImage|contains: '\\Temp\\'}, condition: s}", "file name alone");
    refused(falcon, process, "{s: {Hashes|contains: 'IMPHASH=1'}, condition: s}", "no such field");
    refused(
        falcon,
        "{category: network_connection, product: windows}",
        "{s: {DestinationPort: 1}, condition: s}",
        "Initiated",
    );
    refused(falcon, "{category: file_event, product: windows}", "{s: {TargetFilename: a}, condition: s}", "no event");
}

/// The rules under a folder, with the names of their files.
fn rules(folder: &Path) -> Vec<(String, Rule<'static>)> {
    let mut sources = SourceMap::new();
    for path in files(folder, &["yml"]) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sources.add(name, std::fs::read_to_string(&path).expect("a rule"));
    }
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let mut all = Vec::new();
    for (id, source) in sources.iter() {
        for document in parse(sources, id) {
            if let Kind::Rule(rule) = document.kind {
                all.push((source.name().to_owned(), *rule));
            }
        }
    }
    all
}

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
