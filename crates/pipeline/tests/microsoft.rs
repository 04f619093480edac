//! The pipelines of Microsoft's products: what becomes of rules in Defender, in ASIM and in Azure Monitor.
//!
//! Queries are compared where a mapping could be wrong in a way that no type shows; whole repositories are counted; and
//! recorded events of Sysmon, written as the rows that each product would hold, are asked of the mapped rules.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Conversion, Status, find};
use sigcast_diagnostics::{Code, SourceMap};
use sigcast_eval::{RuleMatcher, flatten_windows};
use sigcast_frontend::Kind;
use sigcast_ir::Rule;
use sigcast_ir::schema::Schema;
use sigcast_pipeline::{Chain, Nowhere, Pipeline, builtin, schema};
use sigcast_testing::{corpus, files, sources};

/// A built-in pipeline with its schema, for the target `kusto`.
struct Product {
    name: &'static str,
    sources: SourceMap,
    schema: Arc<Schema>,
}

fn product(name: &'static str) -> Product {
    let mut sources = SourceMap::new();
    sources.add(name, builtin(name).expect("a pipeline").text);
    let mut texts = SourceMap::new();
    let id = texts.add(name, schema(name).expect("a schema"));
    let schema = sigcast_frontend::schema::parse(&texts, id).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
    Product { name, sources, schema: Arc::new(schema) }
}

impl Product {
    fn chain(&self) -> Chain<'_> {
        let (id, _) = self.sources.iter().next().expect("the pipeline");
        let pipeline = Pipeline::compile(&self.sources, id, &Nowhere);
        Chain::new(vec![Arc::new(pipeline.unwrap_or_else(|faults| panic!("{}: {faults:?}", self.name)))])
    }

    fn backend(&self) -> Backend {
        let settings = Settings { schema: Some(Arc::clone(&self.schema)), ..Settings::default() };
        Backend::new(find("kusto").expect("the target"), settings)
    }

    /// The query of a rule, or what it is refused for.
    fn query(&self, logsource: &str, detection: &str) -> Result<String, String> {
        let text = format!(
            "title: t\nlogsource: {{{logsource}}}\ndetection:\n  s:\n    {detection}\n  condition: s\nlevel: low\n"
        );
        let mut sources = SourceMap::new();
        let id = sources.add("rule.yml", text);
        let documents = sigcast_frontend::parse(&sources, id);
        let Kind::Rule(rule) = &documents[0].kind else { panic!("{detection}: {:?}", documents[0].diagnostics) };
        let chain = self.chain();
        let applied = chain.apply((**rule).clone());
        if let Some(refusal) = applied.diagnostics.first() {
            return Err(refusal.message.clone());
        }
        let conversion = self.backend().convert(&applied.rule);
        match (conversion.status, conversion.queries.into_iter().next()) {
            (Status::Refused, _) | (_, None) => Err(conversion.diagnostics[0].message.clone()),
            (_, Some(query)) => Ok(query.replace("\n| where ", " | ")),
        }
    }

    fn check(&self, logsource: &str, detection: &str, expected: &str) {
        assert_eq!(self.query(logsource, detection).as_deref(), Ok(expected), "{}: {detection}", self.name);
    }

    fn check_refused(&self, logsource: &str, detection: &str, part: &str) {
        let refusal = self.query(logsource, detection).expect_err(detection);
        assert!(refusal.contains(part), "{}: {detection}: {refusal}", self.name);
    }
}

const PROCESS: &str = "category: process_creation, product: windows";
const SET: &str = "category: registry_set, product: windows";
const NETWORK: &str = "category: network_connection, product: windows";

#[test]
fn defender_knows_the_process_by_the_table() {
    let xdr = product("microsoft_xdr");
    let check = |logsource: &str, detection: &str, expected: &str| xdr.check(logsource, detection, expected);
    let created = r#"DeviceProcessEvents | ActionType =~ "ProcessCreated" and "#;
    check(PROCESS, r"Image|endswith: '\a.exe'", &format!(r#"{created}FolderPath endswith "\\a.exe""#));
    check(
        PROCESS,
        r"ParentImage|endswith: '\a.exe'",
        &format!(r#"{created}InitiatingProcessFolderPath endswith "\\a.exe""#),
    );
    check(
        "category: file_event, product: windows",
        r"{Image|endswith: '\a.exe', TargetFilename|contains: '\b\'}",
        r#"DeviceFileEvents | ActionType =~ "FileCreated" and InitiatingProcessFolderPath endswith "\\a.exe" and FolderPath contains "\\b\\""#,
    );
    xdr.check_refused(
        "category: file_event, product: windows",
        r"ParentImage|endswith: '\a.exe'",
        "no column `ParentImage`",
    );
    // The system's session, by its number, and the level by its name.
    check(
        PROCESS,
        "{LogonId: '0x3e7', IntegrityLevel: S-1-16-16384}",
        &format!(r#"{created}LogonId == 999 and ProcessIntegrityLevel =~ "System""#),
    );
    xdr.check_refused(PROCESS, "LogonId: '0x12ab'", "is no number");
    check("category: process_creation, product: linux", "User: root", &format!(r#"{created}AccountName =~ "root""#));
}

#[test]
fn defender_has_a_column_for_each_hash_but_imphash() {
    let xdr = product("microsoft_xdr");
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    xdr.check(
        PROCESS,
        &format!("Hashes|contains: 'MD5={md5}'"),
        &format!(r#"DeviceProcessEvents | ActionType =~ "ProcessCreated" and MD5 =~ "{md5}""#),
    );
    xdr.check_refused(PROCESS, &format!("Hashes|contains: ['MD5={md5}', 'IMPHASH={md5}']"), "no column `IMPHASH`");
}

#[test]
fn registry_paths_are_the_key_and_the_value_together() {
    let xdr = product("microsoft_xdr");
    let set = r#"DeviceRegistryEvents | ActionType =~ "RegistryValueSet" and "#;
    let path = r#"strcat(RegistryKey, @"\", iff(isempty(RegistryValueName), "(Default)", RegistryValueName))"#;
    xdr.check(SET, r"TargetObject|endswith: '\Run\x'", &format!(r#"{set}{path} endswith "\\Run\\x""#));
    xdr.check(SET, r"TargetObject: 'HKLM\a\b'", &format!(r#"{set}{path} =~ "HKEY_LOCAL_MACHINE\\a\\b""#));
    let query = xdr.query(SET, r"TargetObject|contains: '\CurrentControlSet\Services\'").expect("a query");
    assert!(
        query.contains(r#""\\CurrentControlSet\\Services\\""#) && query.contains(r#"@"\ControlSet001\""#),
        "{query}"
    );
    // Roots that each product writes in its own way.
    for name in ["microsoft_xdr", "sentinel_asim"] {
        product(name).check_refused(SET, r"TargetObject|startswith: 'HKCR\'", "HKCR");
        product(name).check_refused(SET, r"TargetObject|contains: 'HKU\'", "HKU");
    }
    // Numbers are compared as Sysmon writes them, plain data as it is.
    let query = xdr.query(SET, "Details: 'DWORD (0x00000001)'").expect("a query");
    assert!(
        query.contains("tohex(tolong(RegistryValueData), 8)") && query.ends_with(r#" =~ "DWORD (0x00000001)""#),
        "{query}"
    );
    xdr.check(SET, "Details|contains: mshta", &format!(r#"{set}RegistryValueData contains "mshta""#));
    // Deleted values are held by the columns of the state before.
    let delete = "category: registry_delete, product: windows";
    let query = xdr.query(delete, r"TargetObject|endswith: '\x'").expect("a query");
    assert!(
        query.contains(r#"ActionType in~ ("RegistryKeyDeleted", "RegistryValueDeleted")"#)
            && query.contains("PreviousRegistryKey"),
        "{query}"
    );
}

#[test]
fn values_are_those_that_the_schema_can_hold() {
    let xdr = product("microsoft_xdr");
    let event = "category: registry_event, product: windows";
    let mapped = xdr.query(event, "EventType: SetValue").expect("a query");
    assert_eq!(mapped, r#"DeviceRegistryEvents | ActionType =~ "RegistryValueSet""#);
    xdr.check_refused(event, "EventType: Other", "never holds `Other`");
    let asim = product("sentinel_asim");
    asim.check(NETWORK, "Initiated: 'true'", r#"_Im_NetworkSession() | NetworkDirection =~ "Outbound""#);
    asim.check(NETWORK, "Initiated: true", r#"_Im_NetworkSession() | NetworkDirection =~ "Outbound""#);
    asim.check(NETWORK, "Initiated: 'false'", r#"_Im_NetworkSession() | NetworkDirection =~ "Inbound""#);
    for name in ["microsoft_xdr", "sentinel_asim"] {
        product(name).check_refused(NETWORK, "Initiated: maybe", "Initiated is true or false");
    }
    // In Azure Monitor the event is Sysmon's own.
    let azure = product("azure_monitor");
    azure.check(
        NETWORK,
        "Initiated: 'true'",
        r#"WindowsEvent | Channel =~ "Microsoft-Windows-Sysmon/Operational" and EventID == 3 and tostring(EventData.Initiated) =~ "true""#,
    );
}

#[test]
fn ports_are_numbers_and_ends_follow_the_direction() {
    let xdr = product("microsoft_xdr");
    for detection in ["DestinationPort: '443'", "DestinationPort: 443"] {
        let query = xdr.query(NETWORK, detection).expect("a query");
        let end = r#" and iff(ActionType =~ "InboundConnectionAccepted", LocalPort, RemotePort) == 443"#;
        assert!(query.ends_with(end), "{query}");
        product("sentinel_asim").check(NETWORK, detection, "_Im_NetworkSession() | DstPortNumber == 443");
    }
    // Both families of addresses, each by its own function.
    let query = xdr.query(NETWORK, "DestinationIp|cidr: ['10.0.0.0/8', 'fc00::/7']").expect("a query");
    assert!(query.contains("ipv4_is_in_any_range(iff(") && query.contains("ipv6_is_in_any_range(iff("), "{query}");
    xdr.check_refused(NETWORK, "DestinationPort|startswith: '44'", "is no number");
}

#[test]
fn asim_takes_the_original_name_from_either_column() {
    let asim = product("sentinel_asim");
    asim.check(
        PROCESS,
        "OriginalFileName: a.exe",
        r#"_Im_ProcessCreate() | EventType =~ "ProcessCreated" and (TargetProcessFileOriginalName =~ "a.exe" or TargetProcessFilename =~ "a.exe")"#,
    );
    asim.check(
        PROCESS,
        r"ParentImage|endswith: '\a.exe'",
        r#"_Im_ProcessCreate() | EventType =~ "ProcessCreated" and ActingProcessName endswith "\\a.exe""#,
    );
}

#[test]
fn azure_monitor_reads_the_table_that_has_the_fields() {
    let azure = product("azure_monitor");
    azure.check(
        PROCESS,
        r"{Image|endswith: '\a.exe', CommandLine|contains: x}",
        r#"SecurityEvent | EventID == 4688 and NewProcessName endswith "\\a.exe" and CommandLine contains "x""#,
    );
    azure.check(
        PROCESS,
        "OriginalFileName: a.exe",
        r#"WindowsEvent | Channel =~ "Microsoft-Windows-Sysmon/Operational" and EventID == 1 and tostring(EventData.OriginalFileName) =~ "a.exe""#,
    );
    let security = "product: windows, service: security";
    azure.check(security, "{EventID: '4624', LogonType: '3'}", "SecurityEvent | EventID == 4624 and LogonType == 3");
    azure.check(
        security,
        "{EventID: 5136, ObjectClass: user}",
        r#"WindowsEvent | Channel =~ "Security" and EventID == 5136 and tostring(EventData.ObjectClass) =~ "user""#,
    );
    azure.check_refused(security, "{EventID: 4624, NoSuchField: 1}", "no column `NoSuchField`");
}

#[test]
fn cloud_logs_have_their_tables() {
    for name in ["azure_monitor", "sentinel_asim"] {
        let found = product(name);
        let check = |logsource: &str, detection: &str, expected: &str| found.check(logsource, detection, expected);
        check(
            "product: aws, service: cloudtrail",
            "{eventName: ConsoleLogin, responseElements.ConsoleLogin: Success}",
            r#"AWSCloudTrail | EventName =~ "ConsoleLogin" and tostring(parse_json(ResponseElements).ConsoleLogin) =~ "Success""#,
        );
        check("product: azure, service: signinlogs", "ResultType: 50053", r#"SigninLogs | ResultType =~ "50053""#);
        check(
            "product: azure, service: signinlogs",
            "Status: Success",
            r#"SigninLogs | iff(ResultType == "0", "Success", "Failure") =~ "Success""#,
        );
        check(
            "product: azure, service: activitylogs",
            "operationName: a/b",
            r#"AzureActivity | OperationNameValue =~ "a/b""#,
        );
        check(
            "product: azure, service: auditlogs",
            "properties.message: Add member",
            r#"AuditLogs | ActivityDisplayName =~ "Add member""#,
        );
        check(
            "product: m365, service: audit",
            "Operation|contains: domain",
            r#"OfficeActivity | Operation contains "domain""#,
        );
        found.check_refused("product: azure, service: auditlogs", "TargetResources.type: User", "list");
    }
}

#[test]
fn no_log_source_is_lost() {
    for name in ["microsoft_xdr", "sentinel_asim", "azure_monitor"] {
        let found = product(name);
        found.check_refused("product: okta, service: okta", "a: b", "no table");
        found.check_refused(
            "category: process_creation",
            "NoSuchField: b",
            if name == "azure_monitor" { "no table" } else { "NoSuchField" },
        );
    }
    product("microsoft_xdr").check_refused("category: ps_script, product: windows", "ScriptBlockText: b", "nearest");
    product("sentinel_asim").check_refused("category: image_load, product: windows", "ImageLoaded: b", "no schema");
}

/// Every rule of the corpus with its id.
fn with_rules(corpus: &Path, mut then: impl FnMut(&str, &Rule<'_>)) {
    let sources = sources(&corpus.join("sigmahq/rules"));
    for (id, _) in sources.iter() {
        for document in sigcast_frontend::parse(&sources, id) {
            if let (Some(id), Kind::Rule(rule)) = (&document.id, &document.kind) {
                then(id, rule);
            }
        }
    }
}

/// The table that a pipeline set for a rule.
fn table<'t>(rule: &'t Rule<'_>) -> Option<&'t str> {
    rule.prepared.options.iter().find(|(key, _)| key == "table").map(|(_, value)| value.as_ref())
}

#[test]
fn most_rules_of_windows_convert_and_none_loses_its_table() {
    let Some(corpus) = corpus("") else { return };
    // Of the log sources that each product has: what the rules are that convert, at least, in thousandths.
    for (name, floor, rules) in
        [("microsoft_xdr", 945, 1800), ("sentinel_asim", 980, 1650), ("azure_monitor", 990, 2350)]
    {
        let found = product(name);
        let (chain, backend) = (found.chain(), found.backend());
        let (mut has_table, mut converted) = (0, 0);
        with_rules(&corpus, |id, rule| {
            let applied = chain.apply(rule.clone());
            let set = table(&applied.rule).map(|name| name.trim_end_matches("()").to_owned());
            let refused = applied.is_refused();
            assert!(refused || set.is_some(), "{name}: {id} has no table and is not refused");
            let Some(set) = set else { return };
            assert!(found.schema.tables.contains_key(&set), "{name}: {id}: the schema does not have {set}");
            let conversion = (!refused).then(|| backend.convert(&applied.rule));
            if let Some(conversion) = &conversion {
                judge(name, id, conversion);
            }
            if rule.logsource.product.as_deref() == Some("windows") {
                has_table += 1;
                converted += usize::from(conversion.is_some_and(|found| found.status != Status::Refused));
            }
        });
        assert!(has_table >= rules, "{name}: only {has_table} rules have a table");
        assert!(converted * 1000 >= has_table * floor, "{name}: {converted} of {has_table}");
        println!("{name}: {converted} of {has_table} rules of Windows that have a table");
    }
}

/// What must hold of a conversion: nothing is mapped to a value that a field cannot hold, and nothing stays open.
fn judge(name: &str, id: &str, conversion: &Conversion) {
    let open = [Code::AssumeScope, Code::AssumeTable, Code::AssumeNumeric];
    let left: Vec<Code> = conversion.assumptions.iter().copied().filter(|code| open.contains(code)).collect();
    assert!(left.is_empty(), "{name}: {id}: {left:?}");
    let held = conversion.diagnostics.iter().all(|found| found.code != Code::ValueNotInSchema);
    assert!(held, "{name}: {id}: {:?}", conversion.diagnostics);
    if conversion.status == Status::Refused {
        assert!(!conversion.diagnostics.is_empty(), "{name}: {id} is refused without a word");
    }
}

#[test]
fn recorded_events_match_the_mapped_rules_as_the_rules_themselves() {
    let Some(corpus) = corpus("") else { return };
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for path in files(&corpus.join("regression"), &["json"]) {
        let id = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let text = std::fs::read_to_string(&path).expect("events");
        let all = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        events.insert(id, all.map(|event| flatten_windows(&event.expect("JSON"))).collect());
    }
    for (name, least, row) in [
        ("microsoft_xdr", 110, defender as fn(&str, &Map<String, Value>) -> Option<Value>),
        ("azure_monitor", 125, azure as fn(&str, &Map<String, Value>) -> Option<Value>),
    ] {
        let found = product(name);
        let (chain, backend) = (found.chain(), found.backend());
        let mut asked = 0;
        with_rules(&corpus, |id, rule| {
            let Some(events) = events.get(id) else { return };
            let applied = chain.apply(rule.clone());
            if applied.is_refused() || backend.convert(&applied.rule).status == Status::Refused {
                return;
            }
            let own = RuleMatcher::new(rule).expect("a rule");
            let mapped = RuleMatcher::new(&applied.rule).expect("a mapped rule");
            let table = table(&applied.rule).expect("a table");
            for event in events {
                let Some(row) = event.as_object().and_then(|event| row(table, event)) else { continue };
                asked += 1;
                assert_eq!(mapped.matches(&row), own.matches(event), "{name}: {id}: {row:#}");
            }
        });
        println!("{name}: {asked} events");
        assert!(asked >= least, "{name}: only {asked} events were asked");
    }
}

fn text<'e>(event: &'e Map<String, Value>, field: &str) -> &'e str {
    event.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn number(event: &Map<String, Value>) -> Option<u64> {
    let id = event.get("EventID")?;
    id.as_u64().or_else(|| id.as_str()?.parse().ok())
}

/// An event of Sysmon as the row that Defender would hold of the same thing, with the computed columns.
fn defender(table: &str, event: &Map<String, Value>) -> Option<Value> {
    let of = |field| text(event, field);
    let hash = |name: &str| {
        let mut all = of("Hashes").split(',').filter_map(|hash| hash.split_once('='));
        all.find(|(known, _)| *known == name).map(|(_, digits)| digits.to_ascii_lowercase())
    };
    match (table, number(event)?) {
        ("DeviceProcessEvents", 1) => Some(json!({
            "ActionType": "ProcessCreated",
            "FolderPath": of("Image"),
            "ProcessCommandLine": of("CommandLine"),
            "ProcessVersionInfoOriginalFileName": of("OriginalFileName"),
            "ProcessVersionInfoFileDescription": of("Description"),
            "ProcessVersionInfoCompanyName": of("Company"),
            "ProcessVersionInfoProductName": of("Product"),
            "ProcessIntegrityLevel": of("IntegrityLevel"),
            "MD5": hash("MD5"), "SHA1": hash("SHA1"), "SHA256": hash("SHA256"),
            "LogonId": u64::from_str_radix(of("LogonId").trim_start_matches("0x"), 16).ok(),
            "Account": of("User"),
            "InitiatingProcessAccount": of("ParentUser"),
            "InitiatingProcessFolderPath": of("ParentImage"),
            "InitiatingProcessCommandLine": of("ParentCommandLine"),
        })),
        ("DeviceFileEvents", 11) => Some(json!({
            "ActionType": "FileCreated",
            "FolderPath": of("TargetFilename"),
            "InitiatingProcessFolderPath": of("Image"),
            "InitiatingProcessAccount": of("User"),
        })),
        ("DeviceRegistryEvents", id @ (12 | 13)) => Some(registry(event, id == 13)),
        ("DeviceImageLoadEvents", 7) => Some(json!({
            "ActionType": "ImageLoaded",
            "FolderPath": of("ImageLoaded"),
            "InitiatingProcessFolderPath": of("Image"),
        })),
        _ => None,
    }
}

fn registry(event: &Map<String, Value>, set: bool) -> Value {
    let path = text(event, "TargetObject").replacen("HKLM\\", "HKEY_LOCAL_MACHINE\\", 1);
    let action = match text(event, "EventType") {
        _ if set => "RegistryValueSet",
        "CreateKey" => "RegistryKeyCreated",
        "DeleteKey" => "RegistryKeyDeleted",
        _ => "RegistryValueDeleted",
    };
    let details = text(event, "Details");
    let data = match details.strip_prefix("DWORD (0x").and_then(|digits| digits.strip_suffix(')')) {
        Some(digits) => u32::from_str_radix(digits, 16).expect("a number").to_string(),
        None => details.to_owned(),
    };
    json!({
        "ActionType": action,
        "RegistryKey": path.replace("CurrentControlSet", "ControlSet001"),
        "ControlSetKey": path,
        "RegistryValuePath": path.replace("CurrentControlSet", "ControlSet001"),
        "ControlSetValuePath": path,
        "RegistryPath": path.replace("CurrentControlSet", "ControlSet001"),
        "ControlSetPath": path,
        "DeletedPath": path.replace("CurrentControlSet", "ControlSet001"),
        "ControlSetDeletedPath": path,
        "RegistryValueData": data,
        "RegistryValueDetails": details,
        "InitiatingProcessFolderPath": text(event, "Image"),
        "InitiatingProcessAccount": text(event, "User"),
    })
}

/// An event as the row that the table of Azure Monitor would hold of it.
fn azure(table: &str, event: &Map<String, Value>) -> Option<Value> {
    let of = |field| text(event, field);
    match (table, number(event)?) {
        ("SecurityEvent", 1) => Some(json!({
            "EventID": 4688,
            "NewProcessName": of("Image"),
            "CommandLine": of("CommandLine"),
            "ParentProcessName": of("ParentImage"),
            "MandatoryLabel": match of("IntegrityLevel") {
                "System" => "S-1-16-16384",
                "High" => "S-1-16-12288",
                "Medium" => "S-1-16-8192",
                _ => "S-1-16-4096",
            },
        })),
        ("SecurityEvent", _) => Some(Value::Object(event.clone())),
        ("WindowsEvent", id) => Some(json!({
            "Channel": event.get("Channel"),
            "Provider": event.get("Provider_Name"),
            "EventID": id,
            "EventData": event,
        })),
        _ => None,
    }
}
