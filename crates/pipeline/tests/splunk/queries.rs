//! What stands in the query of a mapped rule, and what is refused.

use crate::{chain, convert, rule};

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
