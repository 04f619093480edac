//! What other recorders and stores hold of the same happening: events of Sysmon and of Windows channels, as the Splunk
//! add-ons, the Security log, the data models of Splunk and the Falcon sensor have them.

use serde_json::{Map, Value, json};

use super::Flat;

fn text(flat: &Flat, name: &str) -> Option<String> {
    match flat.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn rename(flat: &Flat, names: &[(&str, &str)]) -> Flat {
    let new =
        |name: &String| names.iter().find(|(old, _)| old == name).map_or(name.clone(), |(_, new)| (*new).to_owned());
    flat.iter().map(|(name, value)| (new(name), value.clone())).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An event of a Windows channel as the Splunk add-ons show it: attributes of `<System>` are fields by their own names, and
/// unnamed `<Data>` elements stay in the block that holds them.
#[must_use]
pub fn splunk(flat: &Flat, channel: &str) -> Value {
    let mut shown = rename(
        flat,
        &[
            ("EventID", "EventCode"),
            ("Provider_Name", "Name"),
            ("Provider_Guid", "Guid"),
            ("Execution_ProcessID", "ProcessID"),
            ("Execution_ThreadID", "ThreadID"),
            ("Security_UserID", "UserID"),
        ],
    );
    // An event that has data of the name of an attribute has both.
    if let (Some(provider), Some(own)) = (flat.get("Provider_Name"), flat.get("Name")) {
        shown.insert("Name".to_owned(), json!([provider, own]));
    }
    if let Some(data) = shown.remove("Data") {
        let all = match data {
            Value::Array(all) => all,
            one => vec![one],
        };
        let element = |value: &Value| format!("<Data>{}</Data>", escaped(value.as_str().unwrap_or(&value.to_string())));
        shown.insert("EventData_Xml".to_owned(), json!(all.iter().map(element).collect::<String>()));
    }
    shown.insert("source".to_owned(), json!(format!("XmlWinEventLog:{channel}")));
    Value::Object(shown)
}

/// The event's channel, for queries of raw fields.
#[must_use]
pub fn raw(flat: &Flat, channel: &str) -> Value {
    let mut shown = flat.clone();
    shown.insert("Channel".to_owned(), json!(channel));
    Value::Object(shown)
}

/// What the Security log records where Sysmon records this; none if it records nothing, or the event is none of Sysmon's.
#[must_use]
pub fn audit(flat: &Flat) -> Option<Value> {
    let mut out = Map::new();
    let mut put = |name: &str, value: Option<String>| value.map(|value| out.insert(name.to_owned(), json!(value)));
    match text(flat, "EventID")?.as_str() {
        "1" => {
            put("NewProcessName", text(flat, "Image"));
            put("ParentProcessName", text(flat, "ParentImage"));
            put("CommandLine", text(flat, "CommandLine"));
            put("MandatoryLabel", text(flat, "IntegrityLevel").map(|level| label(&level)));
            put("EventID", Some("4688".to_owned()));
        }
        "13" => {
            let (key, value) =
                text(flat, "TargetObject")?.rsplit_once('\\').map(|(k, v)| (k.to_owned(), v.to_owned()))?;
            put("ObjectName", Some(kernel(&key)));
            put("ObjectValueName", Some(value));
            put("OperationType", Some("%%1905".to_owned()));
            put("ProcessName", text(flat, "Image"));
            put("NewValue", text(flat, "Details"));
            put("EventID", Some("4657".to_owned()));
        }
        _ => return None,
    }
    put("Channel", Some("Security".to_owned()));
    Some(Value::Object(out))
}

/// The integrity label of a level.
fn label(level: &str) -> String {
    let number = match level.to_lowercase().as_str() {
        "untrusted" => "0",
        "low" => "4096",
        "medium" => "8192",
        "high" => "12288",
        "system" => "16384",
        _ => return level.to_owned(),
    };
    format!("S-1-16-{number}")
}

/// The kernel's name of a key.
fn kernel(key: &str) -> String {
    let (root, rest) = key.split_once('\\').unwrap_or((key, ""));
    let root = match root.to_uppercase().as_str() {
        "HKLM" => "\\REGISTRY\\MACHINE".to_owned(),
        "HKU" => "\\REGISTRY\\USER".to_owned(),
        "HKCR" => "\\REGISTRY\\MACHINE\\SOFTWARE\\Classes".to_owned(),
        _ => root.to_owned(),
    };
    let number = |part: &str| {
        if part.eq_ignore_ascii_case("CurrentControlSet") { "ControlSet001".to_owned() } else { part.to_owned() }
    };
    let rest: Vec<String> = rest.split('\\').map(number).collect();
    format!("{root}\\{}", rest.join("\\"))
}

/// An event of Sysmon in the data models of Splunk; none if it is in none of those that the pipeline knows.
#[must_use]
pub fn cim(flat: &Flat) -> Option<Value> {
    let id = text(flat, "EventID")?;
    let action = match (id.as_str(), text(flat, "EventType").as_deref()) {
        ("1" | "22", _) => "",
        ("11", _) => "created",
        ("23" | "26", _) => "deleted",
        ("12", Some("CreateKey")) => "created",
        ("12", Some("DeleteKey" | "DeleteValue")) => "deleted",
        ("13", _) => "modified",
        _ => return None,
    };
    let (model, names): (&str, &[(&str, &str)]) = match id.as_str() {
        "1" => (
            "Processes",
            &[
                ("process", "CommandLine"),
                ("process_path", "Image"),
                ("parent_process_path", "ParentImage"),
                ("parent_process", "ParentCommandLine"),
                ("original_file_name", "OriginalFileName"),
                ("user", "User"),
                ("process_hash", "Hashes"),
                ("process_current_directory", "CurrentDirectory"),
                ("process_id", "ProcessId"),
            ],
        ),
        "22" => ("DNS", &[("query", "QueryName")]),
        "11" | "23" | "26" => {
            ("Filesystem", &[("file_path", "TargetFilename"), ("process_path", "Image"), ("user", "User")])
        }
        _ => ("Registry", &[("registry_path", "TargetObject"), ("process_path", "Image"), ("user", "User")]),
    };
    let mut out = Map::new();
    let mut put = |name: &str, value: String| out.insert(format!("{model}.{name}"), json!(value));
    for (new, old) in names {
        if let Some(value) = text(flat, old) {
            put(new, value);
        }
    }
    if !action.is_empty() {
        put("action", action.to_owned());
    }
    if let Some(level) = text(flat, "IntegrityLevel") {
        put("process_integrity_level", level.to_lowercase());
    }
    if let Some(details) = text(flat, "Details") {
        // DWORD (0x00000001) is the type and, in brackets, the bare number.
        let bare =
            details.strip_suffix(')').and_then(|rest| rest.split_once(" (0x")).map(|(_, number)| format!("0x{number}"));
        put("registry_value_data", bare.unwrap_or(details));
    }
    Some(Value::Object(out))
}

/// What the Falcon sensor records of a process that Sysmon records; none for other events.
#[must_use]
pub fn falcon(flat: &Flat) -> Option<Value> {
    let device = |path: &str| match path.split_once(":\\") {
        Some((drive, rest)) if drive.len() == 1 => format!("\\Device\\HarddiskVolume3\\{rest}"),
        _ => path.to_owned(),
    };
    let mut out = Map::new();
    let mut put = |name: &str, value: Option<String>| value.map(|value| out.insert(name.to_owned(), json!(value)));
    match text(flat, "EventID")?.as_str() {
        "1" => {
            put("event_simpleName", Some("ProcessRollup2".to_owned()));
            put("ImageFileName", text(flat, "Image").map(|path| device(&path)));
            put("CommandLine", text(flat, "CommandLine"));
            put("ParentBaseFileName", text(flat, "ParentImage").map(|path| base(&path)));
            let level = text(flat, "IntegrityLevel").map(|level| label(&level));
            put("IntegrityLevel", level.map(|label| label.trim_start_matches("S-1-16-").to_owned()));
            for hash in text(flat, "Hashes").unwrap_or_default().split(',') {
                let (algorithm, digits) = hash.split_once('=').unwrap_or_default();
                if matches!(algorithm, "MD5" | "SHA1" | "SHA256") {
                    put(&format!("{algorithm}HashData"), Some(digits.to_owned()));
                }
            }
        }
        "3" => {
            put("event_simpleName", Some("NetworkConnectIP4".to_owned()));
            put("ContextBaseFileName", text(flat, "Image").map(|path| base(&path)));
            put("RemoteAddressIP4", text(flat, "DestinationIp"));
            put("RemotePort", text(flat, "DestinationPort"));
            put("LocalAddressIP4", text(flat, "SourceIp"));
            put("LocalPort", text(flat, "SourcePort"));
        }
        "22" => {
            put("event_simpleName", Some("DnsRequest".to_owned()));
            put("ContextBaseFileName", text(flat, "Image").map(|path| base(&path)));
            put("DomainName", text(flat, "QueryName"));
        }
        _ => return None,
    }
    put("event_platform", Some("Win".to_owned()));
    Some(Value::Object(out))
}

fn base(path: &str) -> String {
    path.rsplit('\\').next().unwrap_or_default().to_owned()
}
