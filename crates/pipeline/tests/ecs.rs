//! The pipelines to ECS and to the fields of Wazuh, by what they do to events: a rule that is mapped matches the shipped
//! event exactly if the rule as it was written matches the event itself.
//!
//! `SIGCAST_CORPUS` names a folder with `sigmahq/rules` and `regression`; unset, the tests of the corpus say that they skip.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Status, find};
use sigcast_diagnostics::{Class, SourceMap};
use sigcast_eval::{Limits, RuleMatcher, flatten_windows, samples};
use sigcast_frontend::{Kind, parse, schema};
use sigcast_ir::{LogSource, Rule, Tree};
use sigcast_pipeline::{Chain, Nowhere, Pipeline, builtin};
use sigcast_testing::shippers::elastic::{self, CLASSIC, POWERSHELL};
use sigcast_testing::shippers::{Flat, SYSMON};
use sigcast_testing::{corpus, files, sources};

/// A built-in pipeline in a source map of its own, which lives as long as the tests.
fn chain(name: &str) -> &'static Chain<'static> {
    let mut sources = SourceMap::new();
    let text = builtin(name).unwrap_or_else(|| panic!("no pipeline {name}")).text;
    let id = sources.add(name, text);
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let pipeline = Pipeline::compile(sources, id, &Nowhere).unwrap_or_else(|faults| panic!("{name}: {faults:#?}"));
    Box::leak(Box::new(Chain::new(vec![Arc::new(pipeline)])))
}

/// A target that knows the pipeline's schema.
fn backend(target: &str, chain: &Chain<'_>) -> Backend {
    let mut settings = Settings::default();
    if let Some(name) = chain.schema() {
        let mut sources = SourceMap::new();
        let id = sources.add(name, sigcast_pipeline::schema(name).expect("a schema"));
        settings.schema =
            Some(Arc::new(schema::parse(&sources, id).unwrap_or_else(|faults| panic!("{name}: {faults:#?}"))));
    }
    Backend::new(find(target).expect("a target"), settings)
}

/// The only query of a rule, or the codes of why there is none.
fn query(pipeline: &str, target: &str, logsource: &str, detection: &str) -> Result<String, String> {
    let chain = chain(pipeline);
    let file = format!("title: t\nlogsource: {logsource}\ndetection: {detection}\n");
    let mut sources = SourceMap::new();
    let id = sources.add("rule", file);
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let Kind::Rule(rule) = parse(sources, id).remove(0).kind else { panic!("no rule: {detection}") };
    let applied = chain.apply(*rule);
    if applied.is_refused() {
        return Err(applied.diagnostics.iter().map(|found| found.message.clone()).collect::<Vec<_>>().join("; "));
    }
    let conversion = backend(target, chain).convert(&applied.rule);
    let refused = conversion.diagnostics.iter().filter(|found| found.code.class() == Class::Refusal);
    let codes: Vec<&str> = refused.map(|found| found.code.as_str()).collect();
    if codes.is_empty() { Ok(conversion.queries.join("\n")) } else { Err(codes.join(" ")) }
}

/// What stands in a query of a rule, and what does not.
fn check(pipeline: &str, logsource: &str, detection: &str, expected: &[&str], never: &[&str]) {
    let found = query(pipeline, "lucene", logsource, detection).unwrap_or_else(|why| panic!("{detection}: {why}"));
    for part in expected {
        assert!(found.contains(part), "{detection}: no `{part}` in {found}");
    }
    for part in never {
        assert!(!found.contains(part), "{detection}: `{part}` in {found}");
    }
}

#[test]
fn who_began_a_connection_is_its_direction() {
    let network = "{category: network_connection, product: windows}";
    for value in ["'true'", "true", "'TRUE'"] {
        let detection = format!("{{s: {{Initiated: {value}}}, condition: s}}");
        check("ecs_windows", network, &detection, &["network.direction", "egress", "outbound"], &["true", "ingress"]);
    }
    check(
        "ecs_windows",
        network,
        "{s: {Initiated: 'false'}, condition: s}",
        &["ingress", "inbound"],
        &["egress", "false"],
    );
    let linux = "{category: network_connection, product: linux}";
    check("ecs_linux", linux, "{s: {Initiated: 'true'}, condition: s}", &["egress", "outbound"], &["true"]);
    // A value that is neither is no direction, and is refused rather than looked for.
    let other = query("ecs_windows", "lucene", network, "{s: {Initiated: 'perhaps'}, condition: s}");
    assert_eq!(other, Err("value-not-in-schema".to_owned()));
}

#[test]
fn a_hash_stands_in_the_field_of_its_algorithm() {
    let of = |category: &str| format!("{{category: {category}, product: windows}}");
    let detection = "{s: {Hashes|contains: ['MD5=7E13A7EA7BD3601760E3838D99E31710', 'IMPHASH=AFF4D1EA89D0D66F7D04180143E61D12']}, condition: s}";
    check(
        "ecs_windows",
        &of("process_creation"),
        detection,
        &["process.hash.md5", "process.pe.imphash"],
        &["file.", "MD5="],
    );
    check(
        "ecs_windows",
        &of("image_load"),
        detection,
        &["file.hash.md5", "file.pe.imphash"],
        &["process.hash", "MD5="],
    );
    check("ecs_windows", &of("file_delete"), detection, &["process.hash.md5", "file.hash.md5"], &["either"]);
}

#[test]
fn registry_numbers_have_a_type_of_their_own() {
    let set = "{category: registry_set, product: windows}";
    let is = |details: &str| format!("{{s: {{Details: '{details}'}}, condition: s}}");
    check("ecs_windows", set, &is("DWORD (0x00000010)"), &["registry.data.strings", "16", "SZ_DWORD"], &["0x"]);
    check("ecs_windows", set, &is("(Empty)"), &["registry.data.strings"], &["SZ_DWORD"]);
    let part = query("ecs_windows", "lucene", set, "{s: {Details|startswith: 'DWORD (0x0000'}, condition: s}");
    assert!(part.is_err_and(|why| why.contains("decimal")));
}

#[test]
fn what_has_no_counterpart_is_refused() {
    let refused = |pipeline: &str, logsource: &str, detection: &str, reason: &str| {
        let found = query(pipeline, "lucene", logsource, detection);
        assert!(found.as_ref().is_err_and(|why| why.contains(reason)), "{detection}: {found:?}");
    };
    let process = "{category: process_creation, product: windows}";
    refused("ecs_windows", process, "{s: {User|fieldref: ParentUser}, condition: s}", "user.domain and user.name");
    refused("ecs_windows", process, "{s: {User|re: 'a.*b'}, condition: s}", "user.domain and user.name");
    refused("ecs_windows", "{service: security, product: windows}", "{s: {Keywords: '0x1'}, condition: s}", "keywords");
    refused("ecs_linux", "{service: auditd, product: linux}", "{s: {a1: '-c'}, condition: s}", "positions");
    refused(
        "ecs_linux",
        "{category: process_creation, product: linux}",
        "{s: {Imphash: a}, condition: s}",
        "counterpart",
    );
    refused("ecs_zeek_beats", "{service: dns, product: zeek}", "{s: {Z: 0}, condition: s}", "drops");
    refused("wazuh", process, "{s: {CommandLine|re: 'a\\\\b'}, condition: s}", "escaped");
}

/// Where the events of a log source come from, and with which code: the channel, the code, and whether the data of the event
/// lie in `UserData`.
fn place(source: &LogSource<'_>) -> Option<(&'static str, Option<u32>, bool)> {
    let category = source.category.as_deref();
    let code = |code: u32| Some((SYSMON, Some(code), false));
    match (category, source.service.as_deref()) {
        (Some(category), _) => match category {
            "process_creation" => code(1),
            "file_change" => code(2),
            "network_connection" => code(3),
            "sysmon_status" => code(4),
            "driver_load" => code(6),
            "image_load" => code(7),
            "create_remote_thread" => code(8),
            "raw_access_thread" => code(9),
            "process_access" => code(10),
            "file_event" => code(11),
            "registry_add" | "registry_delete" => code(12),
            "registry_set" | "registry_event" => code(13),
            "create_stream_hash" => code(15),
            "pipe_created" => code(17),
            "wmi_event" => code(20),
            "dns_query" => code(22),
            "file_delete" => code(23),
            "process_tampering" => code(25),
            "file_executable_detected" => code(29),
            "sysmon_error" => code(255),
            "ps_script" => Some((POWERSHELL, Some(4104), false)),
            "ps_module" => Some((POWERSHELL, Some(4103), false)),
            "ps_classic_start" => Some((CLASSIC, Some(400), false)),
            "ps_classic_provider_start" => Some((CLASSIC, Some(600), false)),
            _ => None,
        },
        (None, Some(service)) => Some(match service {
            "security" => ("Security", None, false),
            "system" => ("System", None, false),
            "application" => ("Application", None, false),
            "sysmon" => (SYSMON, None, false),
            "taskscheduler" => ("Microsoft-Windows-TaskScheduler/Operational", None, false),
            "windefend" => ("Microsoft-Windows-Windows Defender/Operational", None, false),
            "bits-client" => ("Microsoft-Windows-Bits-Client/Operational", None, false),
            "codeintegrity-operational" => ("Microsoft-Windows-CodeIntegrity/Operational", None, false),
            "terminalservices-localsessionmanager" => {
                ("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational", None, true)
            }
            "wmi" => ("Microsoft-Windows-WMI-Activity/Operational", None, true),
            _ => return None,
        }),
        _ => None,
    }
}

/// The event of a sample as its channel writes it: the names with blanks, and what every event has.
fn event(sample: &Value, rule: &Rule<'_>, channel: &str, code: Option<u32>) -> Option<Flat> {
    let mut flat = sample.as_object()?.clone();
    // What no event of Windows holds: lists, maps, and a user without a domain.
    if flat.values().any(|value| matches!(value, Value::Array(_) | Value::Object(_))) {
        return None;
    }
    let whole = |name: &str, of: &dyn Fn(&str) -> bool| match flat.get(name) {
        Some(value) => elastic::text(value).is_some_and(|text| text.is_empty() || text == "-" || of(&text)),
        None => true,
    };
    let user = whole("User", &|text| text.matches('\\').count() == 1);
    // Wazuh cuts blanks off at the end.
    if flat.values().filter_map(Value::as_str).any(|text| text.ends_with(char::is_whitespace)) {
        return None;
    }
    let port = |name: &str| whole(name, &|text| text.parse::<u16>().is_ok());
    if channel == SYSMON && !(user && port("SourcePort") && port("DestinationPort") && port("ProcessId")) {
        return None;
    }
    for (name, forms) in [("Initiated", ["true", "false"]), ("SourceIsIpv6", ["true", "false"])] {
        if flat.get(name).and_then(elastic::text).is_some_and(|text| !forms.contains(&text.as_str())) {
            return None;
        }
    }
    let hash = |hash: &str| {
        let (algorithm, digits) = hash.split_once('=').unwrap_or_default();
        let length = match algorithm.to_uppercase().as_str() {
            "MD5" | "IMPHASH" => 32,
            "SHA1" => 40,
            "SHA256" => 64,
            _ => return false,
        };
        digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let kinds = ["CreateKey", "DeleteKey", "DeleteValue", "SetValue", "RenameKey", "RenameValue"];
    if channel == SYSMON && !whole("EventType", &|text| kinds.contains(&text)) {
        return None;
    }
    if !(whole("Hashes", &|text| text.split(',').all(hash)) && whole("Hash", &|text| text.split(',').all(hash))) {
        return None;
    }
    if let Some(code) = code {
        flat.entry("EventID").or_insert(json!(code));
    }
    if channel == SYSMON
        && flat.get("EventID").and_then(elastic::text).is_some_and(|code| ["12", "13", "14"].contains(&code.as_str()))
    {
        flat.entry("TargetObject").or_insert(json!("HKLM\\SOFTWARE\\Sample"));
    }
    match rule.logsource.category.as_deref() {
        Some("registry_add") => drop(flat.entry("EventType").or_insert(json!("CreateKey"))),
        Some("registry_delete") => drop(flat.entry("EventType").or_insert(json!("DeleteValue"))),
        _ => {}
    }
    Some(flat)
}

/// Rules of a folder of the corpus, with their files; none if there is no corpus.
fn public_rules(folder: &str) -> Option<&'static SourceMap> {
    Some(Box::leak(Box::new(sources(&corpus("sigmahq/rules")?.join(folder)))))
}

/// The rules of a source map with the names of their files.
fn rules(sources: &'static SourceMap) -> Vec<(String, Option<String>, Rule<'static>)> {
    let mut all = Vec::new();
    for (id, source) in sources.iter() {
        let file = source.name().rsplit('/').next().unwrap_or_default().to_owned();
        for document in parse(sources, id) {
            if let Kind::Rule(rule) = document.kind {
                all.push((file.clone(), document.id.map(|id| id.into_owned()), *rule));
            }
        }
    }
    all
}

/// How many rules are converted, and the files of the others by why they are not.
fn outcomes(pipeline: &str, target: &str, folder: &str) -> Option<(usize, BTreeMap<String, Vec<String>>)> {
    let sources = public_rules(folder)?;
    let chain = chain(pipeline);
    let backend = backend(target, chain);
    let (mut converted, mut refused) = (0, BTreeMap::<String, Vec<String>>::new());
    for (file, _, rule) in rules(sources) {
        let applied = chain.apply(rule);
        let why = if applied.is_refused() {
            applied
                .diagnostics
                .iter()
                .find(|found| found.code.class() == Class::Refusal)
                .map(|found| found.message.clone())
        } else {
            let conversion = backend.convert(&applied.rule);
            let said = conversion.diagnostics.into_iter().find(|found| found.code.class() == Class::Refusal);
            (conversion.status == Status::Refused)
                .then(|| said.map_or_else(String::new, |found| found.code.as_str().to_owned()))
        };
        match why {
            None => converted += 1,
            Some(why) => refused.entry(why).or_default().push(file),
        }
    }
    println!("{pipeline} {target}: {converted} converted, {refused:#?}");
    Some((converted, refused))
}

#[test]
fn every_windows_rule_is_converted_that_the_language_can_say() {
    for target in ["lucene", "es-dsl"] {
        let Some((converted, refused)) = outcomes("ecs_windows", target, "windows") else { return };
        println!("{target}: {converted}");
        // Lucene has no comparison of two fields, and one of them is shipped in two parts; its servers take no expression
        // of any length.
        let known = |why: &String| {
            ["field-reference-unsupported", "regex-too-complex"].contains(&why.as_str())
                || why.contains("user.domain and user.name")
        };
        assert!(refused.keys().all(known), "{refused:#?}");
        assert!(refused.values().map(Vec::len).sum::<usize>() <= 5, "{refused:#?}");
    }
}

#[test]
fn other_products_are_converted_or_refused_for_a_known_reason() {
    for (pipeline, folder, least) in [
        ("ecs_linux", "linux", 170),
        ("ecs_macos_esf", "macos", 68),
        ("ecs_kubernetes", "application/kubernetes", 14),
        ("ecs_zeek_beats", "network/zeek", 20),
        ("ecs_zeek_corelight", "network/zeek", 20),
        ("opensearch", "windows", 2400),
        ("winlogbeat", "windows", 2400),
        ("wazuh", "windows", 2200),
    ] {
        let Some((converted, refused)) = outcomes(pipeline, "lucene", folder) else { return };
        assert!(converted >= least, "{pipeline}: {converted}, {refused:#?}");
    }
}

/// What a shipper makes of an event: `Data` and the names with blanks first, then its own work.
type Ship = fn(&Flat, &str, bool) -> Value;

/// The event's own names, where rules write others.
fn own_names(mut flat: Flat, channel: &str) -> Flat {
    if channel.ends_with("Defender/Operational") {
        for (rule, own) in [
            ("NewValue", "New Value"),
            ("OldValue", "Old Value"),
            ("ProcessName", "Process Name"),
            ("SourceName", "Source Name"),
            ("Feature_Name", "Feature Name"),
        ] {
            if let Some(value) = flat.remove(rule) {
                flat.insert(own.to_owned(), value);
            }
        }
    }
    flat
}

/// Events that a rule was made into, shipped, against the rule as the pipeline maps it: the same answer as before.
fn same_answers(pipeline: &str, ship: Ship, known: &[(&str, &str)]) {
    let Some(sources) = public_rules("windows") else { return };
    let chain = chain(pipeline);
    let (mut asked, mut hits, mut faults) = (0, 0, BTreeMap::<String, Vec<String>>::new());
    for (file, _, rule) in rules(sources) {
        let Some((channel, code, user_data)) = place(&rule.logsource) else { continue };
        let (Ok(all), Ok(before)) = (samples(&rule, Limits { hits: 8, variations: 24 }), RuleMatcher::new(&rule))
        else {
            continue;
        };
        let applied = chain.apply(rule.clone());
        let Ok(after) = RuleMatcher::new(&applied.rule) else { continue };
        if applied.is_refused() {
            continue;
        }
        for sample in all {
            let Some(flat) = event(&sample.event, &rule, channel, code) else { continue };
            let user_data = user_data || (channel == "System" && flat.contains_key("Channel"));
            let expected = before.matches(&Value::Object(flat.clone())).expect("an answer");
            let shipped = ship(&own_names(flat.clone(), channel), channel, user_data);
            asked += 1;
            hits += usize::from(expected);
            // What is empty, or a dash, is not shipped: the answer is that for the event with it or without it.
            let answer = after.matches(&shipped).expect("an answer");
            let or_so = || empties(&flat, &rule).into_iter().any(|event| before.matches(&event) == Ok(answer));
            if answer != expected && !or_so() {
                faults.entry(file.clone()).or_default().push(format!("{expected}: {} {shipped}", json!(flat)));
            }
        }
    }
    println!("{pipeline}: {asked} events, {hits} of them hits, {} rules differ", faults.len());
    for (file, why) in known {
        assert!(faults.remove(*file).is_some(), "{file} does not differ any more ({why})");
    }
    let shown: Vec<String> =
        faults.iter().take(40).map(|(file, all)| format!("{file} ({}): {}", all.len(), all[0])).collect();
    assert!(faults.is_empty(), "{} rules:\n{}", faults.len(), shown.join("\n"));
    assert!(hits > 1000, "{hits}");
}

/// The event without its empty values, and with empty values in the place of those that it lacks.
fn empties(flat: &Flat, rule: &Rule<'_>) -> Vec<Value> {
    let empty = |value: &Value| value.is_null() || matches!(value.as_str(), Some("" | "-"));
    let without: Flat =
        flat.iter().filter(|(_, value)| !empty(value)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let filled = |with: &str| {
        let mut event = without.clone();
        for name in fields(rule) {
            event.entry(name).or_insert(json!(with));
        }
        Value::Object(event)
    };
    vec![filled(""), filled("-"), Value::Object(without)]
}

/// The fields of a rule.
fn fields(rule: &Rule<'_>) -> Vec<String> {
    fn each(tree: &Tree<'_>, all: &mut Vec<String>) {
        match tree {
            Tree::All(nodes) | Tree::Any(nodes) => nodes.iter().for_each(|node| each(node, all)),
            Tree::Item(item) => all.extend(item.field.as_ref().map(|field| field.as_str().to_owned())),
        }
    }
    let mut all = Vec::new();
    rule.detections.iter().for_each(|detection| each(&detection.tree, &mut all));
    all
}

#[test]
fn winlogbeat_ships_what_mapped_rules_match() {
    let number = "a number is looked for as a number, not as a part of another text";
    let percent = "a code of an access right has two percent signs";
    same_answers(
        "ecs_windows",
        elastic::winlogbeat,
        &[
            ("posh_pm_invoke_obfuscation_via_compress.yml", "the end of the payload is not that of the message"),
            ("registry_set_persistence_ie.yml", number),
            ("win_security_password_policy_enumerated.yml", percent),
            ("win_security_registry_permissions_weakness_check.yml", percent),
            ("win_security_windows_defender_exclusions_write_access.yml", percent),
            ("win_security_user_couldnt_call_priv_service_lsaregisterlogonprocess.yml", "Windows writes 0x, never 0X"),
        ],
    );
}

#[test]
fn wazuh_stores_what_mapped_rules_match() {
    same_answers("wazuh", elastic::wazuh, &[]);
}

/// Events beside those that a rule's recording is about.
const BYSTANDERS: &[(&str, &[usize])] =
    &[("4fe074b4-b833-4081-8f24-7dcfeca72b42", &[1, 2]), ("8fbf3271-1ef6-4e94-8210-03c2317947f6", &[2, 4, 6])];

#[test]
fn recorded_events_match_their_rules_after_shipping() {
    let (Some(sources), Some(recorded)) = (public_rules("windows"), corpus("regression")) else { return };
    let all = rules(sources);
    for (pipeline, ship) in [("ecs_windows", elastic::winlogbeat as Ship), ("wazuh", elastic::wazuh)] {
        let chain = chain(pipeline);
        let (mut events, mut refused, mut faults) = (0, Vec::new(), Vec::new());
        for path in files(&recorded, &["json"]) {
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            let Some((_, _, rule)) = all.iter().find(|(_, id, _)| id.as_deref() == Some(name.as_str())) else {
                continue;
            };
            let applied = chain.apply(rule.clone());
            if applied.is_refused() {
                refused.push(name);
                continue;
            }
            let matcher = RuleMatcher::new(&applied.rule).expect("a matcher");
            let text = std::fs::read_to_string(&path).expect("events");
            for (number, event) in serde_json::Deserializer::from_str(&text).into_iter::<Value>().enumerate() {
                let Value::Object(flat) = flatten_windows(&event.expect("JSON")) else { panic!("{name}") };
                let channel = flat.get("Channel").and_then(Value::as_str).expect("a channel").to_owned();
                let bystander = BYSTANDERS.iter().any(|(id, all)| *id == name && all.contains(&(number + 1)));
                events += 1;
                if matcher.matches(&ship(&flat, &channel, false)) == Ok(bystander) {
                    faults.push(format!("{name}, event {}", number + 1));
                }
            }
        }
        println!("{pipeline}: {events} events, {} rules refused", refused.len());
        assert!(events > 100, "{events}");
        assert!(faults.is_empty(), "{pipeline}: {faults:#?}");
    }
}
