//! What becomes of a Windows event on its way into Elasticsearch and Wazuh.

use serde_json::{Map, Value, json};

use super::{Flat, SYSMON};

/// The channel of PowerShell up to version 5.
pub const POWERSHELL: &str = "Microsoft-Windows-PowerShell/Operational";
/// The channel of the PowerShell engine.
pub const CLASSIC: &str = "Windows PowerShell";

/// Fields that are not of the event's own data.
const SYSTEM: &[&str] = &[
    "EventID",
    "Channel",
    "Provider_Name",
    "Provider_Guid",
    "Computer",
    "Level",
    "Keywords",
    "Message",
    "Task",
    "Opcode",
    "Version",
    "EventRecordID",
    "Correlation",
    "Correlation_ActivityID",
    "Execution_ProcessID",
    "Execution_ThreadID",
    "Security_UserID",
    "TimeCreated_SystemTime",
];

/// Security events of which the pipeline moves the process, the address and the workstation.
const AUTHENTICATION: &[&str] = &[
    "1100", "1102", "1104", "1105", "1108", "4624", "4648", "4625", "4670", "4673", "4674", "4689", "4697", "4719",
    "4720", "4722", "4723", "4724", "4725", "4726", "4727", "4728", "4729", "4730", "4731", "4732", "4733", "4734",
    "4735", "4737", "4738", "4740", "4741", "4742", "4743", "4744", "4745", "4746", "4747", "4748", "4749", "4750",
    "4751", "4752", "4753", "4754", "4755", "4756", "4757", "4758", "4759", "4760", "4761", "4762", "4763", "4764",
    "4767", "4768", "4769", "4770", "4771", "4798", "4799", "4817", "4904", "4905", "4907", "4912", "5140", "5145",
];

/// A value as the event log spells it; none for what it cannot hold.
#[must_use]
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The document that Winlogbeat 8 makes of an event of a channel. `user_data`: whether the data are in `UserData`.
#[must_use]
pub fn winlogbeat(event: &Flat, channel: &str, user_data: bool) -> Value {
    let get = |name: &str| event.get(name).and_then(text);
    let code = get("EventID").unwrap_or_default();
    let mut out = Flat::new();
    out.insert("winlog.channel".into(), json!(channel));
    out.insert("event.code".into(), json!(code));
    out.insert("winlog.event_id".into(), json!(code));
    for (from, to) in
        [("Provider_Name", "winlog.provider_name"), ("Computer", "winlog.computer_name"), ("Message", "message")]
    {
        if let Some(value) = get(from) {
            out.insert(to.into(), json!(value));
        }
    }
    let level = match get("Level").as_deref() {
        Some("1") => Some("critical"),
        Some("2") => Some("error"),
        Some("3") => Some("warning"),
        Some("0" | "4") => Some("information"),
        Some("5") => Some("verbose"),
        _ => None,
    };
    level.map(|level| out.insert("log.level".into(), json!(level)));
    match get("Keywords").as_deref() {
        Some("0x8010000000000000") => drop(out.insert("winlog.keywords".into(), json!(["Audit Failure"]))),
        Some("0x8020000000000000") => drop(out.insert("winlog.keywords".into(), json!(["Audit Success"]))),
        _ => {}
    }
    // Empty values are not shipped; data without a name are numbered.
    let mut data: Flat = Map::new();
    for (name, value) in event {
        let Some(value) = text(value).filter(|value| !value.is_empty()) else { continue };
        if name == "Data" {
            data.insert("param1".into(), json!(value));
        } else if !SYSTEM.contains(&name.as_str()) || (name == "Channel" && user_data) {
            data.insert(name.clone(), json!(value));
        }
    }
    match channel {
        SYSMON => sysmon(&code, &mut data, &mut out),
        "Security" => security(&code, &mut data, &mut out),
        POWERSHELL => powershell(&mut data, &mut out),
        CLASSIC => classic(&mut data, &mut out),
        _ => {}
    }
    let place = if user_data { "winlog.user_data." } else { "winlog.event_data." };
    out.extend(data.into_iter().map(|(name, value)| (format!("{place}{name}"), value)));
    Value::Object(out)
}

/// Moves a value.
fn rename(data: &mut Flat, from: &str, out: &mut Flat, to: &str) {
    if let Some(value) = data.remove(from) {
        out.insert(to.to_owned(), value);
    }
}

/// Moves a number.
fn number(data: &mut Flat, from: &str, out: &mut Flat, to: &str) {
    if let Some(found) = data.remove(from).as_ref().and_then(text).and_then(|text| text.parse::<i64>().ok()) {
        out.insert(to.to_owned(), json!(found));
    }
}

fn sysmon(code: &str, data: &mut Flat, out: &mut Flat) {
    data.retain(|_, value| value != "-" && value != "{00000000-0000-0000-0000-000000000000}");
    if let Some(hash) = data.remove("Hash") {
        data.insert("Hashes".into(), hash);
    }
    hashes(code, data, out);
    for (from, to) in [
        ("Image", "process.executable"),
        ("SourceImage", "process.executable"),
        ("Destination", "process.executable"),
        ("CommandLine", "process.command_line"),
        ("CurrentDirectory", "process.working_directory"),
        ("ParentImage", "process.parent.executable"),
        ("ParentCommandLine", "process.parent.command_line"),
        ("ProcessGuid", "process.entity_id"),
        ("ParentProcessGuid", "process.parent.entity_id"),
        ("TargetFilename", "file.path"),
        ("Device", "file.path"),
        ("ImageLoaded", "file.path"),
        ("PipeName", "file.name"),
        ("Protocol", "network.transport"),
        ("SourceIp", "source.ip"),
        ("SourceHostname", "source.domain"),
        ("DestinationIp", "destination.ip"),
        ("DestinationHostname", "destination.domain"),
        ("QueryName", "dns.question.name"),
        ("RuleName", "rule.name"),
    ] {
        rename(data, from, out, to);
    }
    for (from, to) in [
        ("ProcessId", "process.pid"),
        ("ParentProcessId", "process.parent.pid"),
        ("SourcePort", "source.port"),
        ("DestinationPort", "destination.port"),
    ] {
        number(data, from, out, to);
    }
    let of = if code == "7" { "file" } else { "process" };
    rename(data, "OriginalFileName", out, &format!("{of}.pe.original_file_name"));
    for (from, to) in [
        ("Company", "company"),
        ("Description", "description"),
        ("FileVersion", "file_version"),
        ("Product", "product"),
    ] {
        if let Some(value) = data.get(from) {
            out.insert(format!("{of}.pe.{to}"), value.clone());
        }
    }
    for (from, to) in
        [("Signature", "file.code_signature.subject_name"), ("SignatureStatus", "file.code_signature.status")]
    {
        if let Some(value) = data.get(from) {
            out.insert(to.into(), value.clone());
        }
    }
    if code == "25" && !out.contains_key("message") {
        rename(data, "Type", out, "message");
    }
    match data.remove("Initiated").as_ref().and_then(Value::as_str) {
        Some("true") => drop(out.insert("network.direction".into(), json!("egress"))),
        Some("false") => drop(out.insert("network.direction".into(), json!("ingress"))),
        _ => {}
    }
    match data.remove("SourceIsIpv6").as_ref().and_then(Value::as_str) {
        Some("true") => drop(out.insert("network.type".into(), json!("ipv6"))),
        Some("false") => drop(out.insert("network.type".into(), json!("ipv4"))),
        _ => {}
    }
    if let Some(user) = data.remove("User").as_ref().and_then(text) {
        let parts: Vec<&str> = user.split('\\').collect();
        if let [domain, name] = parts.as_slice() {
            out.insert("user.domain".into(), json!(domain));
            out.insert("user.name".into(), json!(name));
        }
    }
    registry(code, data, out);
    for dropped in
        ["DestinationIsIpv6", "SourcePortName", "DestinationPortName", "QueryStatus", "QueryResults", "UtcTime"]
    {
        data.remove(dropped);
    }
}

fn hashes(code: &str, data: &mut Flat, out: &mut Flat) {
    let Some(all) = data.remove("Hashes").as_ref().and_then(text) else { return };
    let of = match code {
        "1" | "23" | "24" | "25" | "26" => "process",
        "6" | "7" | "15" | "29" => "file",
        _ => return,
    };
    for hash in all.split(',') {
        let Some((algorithm, digits)) = hash.split_once('=') else { continue };
        if digits.trim_matches('0').is_empty() {
            continue;
        }
        let name = match algorithm.to_lowercase().as_str() {
            "imphash" => format!("{of}.pe.imphash"),
            other => format!("{of}.hash.{other}"),
        };
        out.insert(name, json!(digits.to_lowercase()));
    }
}

/// Registry events: a number is written in decimal, with a type of its own.
fn registry(code: &str, data: &mut Flat, out: &mut Flat) {
    if !["12", "13", "14"].contains(&code) {
        return;
    }
    let path = data.remove("TargetObject");
    let details = data.remove("Details").as_ref().and_then(text);
    let Some(path) = path else { return };
    out.insert("registry.path".into(), path);
    let Some(details) = details else { return };
    let lower = details.to_lowercase();
    let inner = |start: &str| lower.strip_prefix(start).and_then(|rest| rest.strip_suffix(')'));
    let hex =
        |digits: &str| digits.strip_prefix("0x").filter(|d| d.len() == 8).and_then(|d| u64::from_str_radix(d, 16).ok());
    let halves =
        inner("qword (").and_then(|rest| rest.split_once('-')).and_then(|(high, low)| Some((hex(high)?, hex(low)?)));
    let (text, kind) = if let Some((high, low)) = halves {
        (((high << 8) + low).to_string(), "SZ_QWORD")
    } else if let Some(number) = inner("dword (").and_then(hex) {
        (number.to_string(), "SZ_DWORD")
    } else if details == "Binary Data" {
        (details, "REG_BINARY")
    } else {
        (details, "REG_SZ")
    };
    out.insert("registry.data.strings".into(), json!([text]));
    out.insert("registry.data.type".into(), json!(kind));
}

fn security(code: &str, data: &mut Flat, out: &mut Flat) {
    if let Some(list) = data.get("AccessList").and_then(text) {
        let codes: Vec<String> = list.split_whitespace().map(|code| code.replace("%%", "")).collect();
        data.insert("AccessList".into(), json!(codes));
    }
    if AUTHENTICATION.contains(&code) {
        rename(data, "ProcessName", out, "process.executable");
        rename(data, "WorkstationName", out, "source.domain");
        if data.get("IpAddress").is_some_and(|value| value != "-") {
            rename(data, "IpAddress", out, "source.ip");
        }
        if data.get("IpPort").is_some_and(|value| value != "-") {
            number(data, "IpPort", out, "source.port");
        }
        data.remove("ProcessId");
    }
    if code == "4688" {
        rename(data, "NewProcessName", out, "process.executable");
        rename(data, "ParentProcessName", out, "process.parent.executable");
        if let Some(line) = data.get("CommandLine") {
            out.insert("process.command_line".into(), line.clone());
        }
        for (from, to) in [("SubjectUserName", "user.name"), ("SubjectDomainName", "user.domain")] {
            if let Some(value) = data.get(from) {
                out.insert(to.into(), value.clone());
            }
        }
    }
}

fn powershell(data: &mut Flat, out: &mut Flat) {
    rename(data, "ScriptBlockText", out, "powershell.file.script_block_text");
    rename(data, "ScriptBlockId", out, "powershell.file.script_block_id");
    rename(data, "Path", out, "file.path");
    let part = |name: &str, data: &mut Flat| data.remove(name).as_ref().and_then(text);
    let (payload, context) = (part("Payload", data), part("ContextInfo", data));
    if payload.is_some() || context.is_some() {
        let message = format!("{}\n\nContext:\n{}", payload.unwrap_or_default(), context.unwrap_or_default());
        out.insert("message".into(), json!(message));
    }
}

fn classic(data: &mut Flat, out: &mut Flat) {
    if let Some(details) = data.remove("param1").as_ref().and_then(text) {
        out.insert(
            "message".into(),
            json!(format!("Engine state is changed from None to Available.\n\nDetails:\n{details}")),
        );
    }
}

/// The part of an alert of Wazuh 4 that its decoder makes of an event.
#[must_use]
pub fn wazuh(event: &Flat, channel: &str, user_data: bool) -> Value {
    let mut out = Flat::new();
    // The decoder reads the event's XML where it lies in JSON, and decodes neither.
    let stored = |value: &str| {
        let xml = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        xml.replace('\\', "\\\\").replace('"', "\\\"").trim_end().to_owned()
    };
    let small = |name: &str| -> String {
        let mut chars = name.chars();
        chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
    };
    out.insert("data.win.system.channel".into(), json!(channel));
    for (name, value) in event {
        let Some(value) = text(value).filter(|value| !["", "-", "(NULL)"].contains(&value.as_str())) else { continue };
        match name.as_str() {
            "Provider_Name" => drop(out.insert("data.win.system.providerName".into(), json!(stored(&value)))),
            "Channel" if user_data => drop(out.insert("data.win.logFileCleared.channel".into(), json!(stored(&value)))),
            "Channel" => {}
            "AuditPolicyChanges" => {
                out.insert("data.win.eventdata.auditPolicyChangesId".into(), json!(stored(&value)));
            }
            name if SYSTEM.contains(&name) => {
                out.insert(format!("data.win.system.{}", small(name)), json!(stored(&value)));
            }
            name => drop(out.insert(format!("data.win.eventdata.{}", small(name)), json!(stored(&value)))),
        }
    }
    Value::Object(out)
}
