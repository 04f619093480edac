//! What the columns of tables in Sentinel and Defender are about: hosts, accounts, addresses.
//!
//! Sources: Microsoft Learn, "Microsoft Sentinel entity types reference" (identifiers), Microsoft Graph,
//! `entityMappingConfiguration` and the mappings it names (columns of Defender's entities), "Advanced hunting schema",
//! "ASIM schemas" and "Azure Monitor Logs reference" (columns).
//!
//! Invariant: a column stands here only if its table has it, which a test asks the schemas of the pipelines. At most five
//! entities a table, with at most three identifiers each: Sentinel's limits.

use std::collections::BTreeMap;

use serde::Serialize;

/// The entities in the rows of a table.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Entities {
    /// As Sentinel maps them: `entityType`, and `fieldMappings` of `identifier` and `columnName`.
    sentinel: Vec<SentinelEntity>,
    /// As Defender maps them: by collection (`hosts`), lists of maps from a property to a column.
    defender: BTreeMap<&'static str, Vec<BTreeMap<&'static str, &'static str>>>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SentinelEntity {
    entity_type: &'static str,
    field_mappings: Vec<FieldMapping>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct FieldMapping {
    identifier: &'static str,
    column_name: &'static str,
}

/// One entity: its type in Sentinel, its collection in Defender (empty if the table is not Defender's), and its columns:
/// Sentinel's identifier, Defender's property, the column; either of the first two may be empty.
struct Entity(&'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

const DEVICE: Entity =
    Entity("Host", "hosts", &[("FullName", "nameColumn", "DeviceName"), ("", "deviceIdColumn", "DeviceId")]);
const ACCOUNT: Entity = Entity(
    "Account",
    "accounts",
    &[
        ("Name", "nameColumn", "AccountName"),
        ("NTDomain", "ntDomainColumn", "AccountDomain"),
        ("Sid", "sidColumn", "AccountSid"),
    ],
);
const INITIATOR: Entity = Entity(
    "Account",
    "accounts",
    &[
        ("Name", "nameColumn", "InitiatingProcessAccountName"),
        ("NTDomain", "ntDomainColumn", "InitiatingProcessAccountDomain"),
        ("Sid", "sidColumn", "InitiatingProcessAccountSid"),
    ],
);
const INITIATING: Entity = Entity(
    "Process",
    "",
    &[("CommandLine", "", "InitiatingProcessCommandLine"), ("ProcessId", "", "InitiatingProcessId")],
);
const FILE: Entity = Entity(
    "File",
    "files",
    &[("Name", "nameColumn", "FileName"), ("", "sha1Column", "SHA1"), ("", "sha256Column", "SHA256")],
);
const REMOTE: Entity = Entity("IP", "ips", &[("Address", "addressColumn", "RemoteIP")]);
const DVC: Entity = Entity("Host", "", &[("HostName", "", "DvcHostname"), ("DnsDomain", "", "DvcDomain")]);
const ACTOR: Entity = Entity("Account", "", &[("FullName", "", "ActorUsername")]);
const SOURCE: Entity = Entity("IP", "", &[("Address", "", "SrcIpAddr")]);
const DESTINATION: Entity = Entity("IP", "", &[("Address", "", "DstIpAddr")]);
const COMPUTER: Entity = Entity("Host", "", &[("FullName", "", "Computer")]);
const PRINCIPAL: Entity = Entity("Account", "", &[("FullName", "", "UserPrincipalName"), ("AadUserId", "", "UserId")]);

/// The identifiers of Sentinel that an entity cannot have alone.
const QUALIFIERS: [&str; 3] = ["NTDomain", "DnsDomain", "Directory"];

/// The tables.
const TABLES: &[(&str, &[Entity])] = &[
    (
        "DeviceProcessEvents",
        &[
            DEVICE,
            ACCOUNT,
            Entity("Process", "", &[("CommandLine", "", "ProcessCommandLine"), ("ProcessId", "", "ProcessId")]),
            FILE,
        ],
    ),
    ("DeviceFileEvents", &[DEVICE, INITIATOR, INITIATING, FILE]),
    (
        "DeviceRegistryEvents",
        &[
            DEVICE,
            INITIATOR,
            INITIATING,
            Entity("RegistryKey", "", &[("Key", "", "RegistryKey")]),
            Entity(
                "RegistryValue",
                "registryValues",
                &[("Name", "valueNameColumn", "RegistryValueName"), ("", "keyColumn", "RegistryKey")],
            ),
        ],
    ),
    (
        "DeviceNetworkEvents",
        &[DEVICE, INITIATOR, INITIATING, REMOTE, Entity("URL", "urls", &[("Url", "addressColumn", "RemoteUrl")])],
    ),
    ("DeviceImageLoadEvents", &[DEVICE, INITIATOR, INITIATING, FILE]),
    ("DeviceEvents", &[DEVICE, INITIATOR, INITIATING, FILE]),
    ("DeviceLogonEvents", &[DEVICE, ACCOUNT, REMOTE]),
    (
        "CloudAppEvents",
        &[
            Entity("Account", "accounts", &[("AadUserId", "aadUserIdColumn", "AccountObjectId")]),
            Entity("IP", "ips", &[("Address", "addressColumn", "IPAddress")]),
        ],
    ),
    (
        "_Im_ProcessCreate",
        &[
            DVC,
            Entity("Account", "", &[("FullName", "", "TargetUsername")]),
            Entity(
                "Process",
                "",
                &[("CommandLine", "", "TargetProcessCommandLine"), ("ProcessId", "", "TargetProcessId")],
            ),
        ],
    ),
    (
        "_Im_FileEvent",
        &[DVC, ACTOR, Entity("File", "", &[("Name", "", "TargetFileName"), ("Directory", "", "TargetFileDirectory")])],
    ),
    ("_Im_RegistryEvent", &[DVC, ACTOR, Entity("RegistryKey", "", &[("Key", "", "RegistryKey")])]),
    ("_Im_NetworkSession", &[DVC, SOURCE, DESTINATION]),
    ("_Im_Dns", &[DVC, SOURCE, Entity("DNS", "", &[("DomainName", "", "DnsQuery")])]),
    (
        "_Im_WebSession",
        &[
            Entity("Account", "", &[("FullName", "", "SrcUsername")]),
            SOURCE,
            DESTINATION,
            Entity("URL", "", &[("Url", "", "Url")]),
        ],
    ),
    (
        "SecurityEvent",
        &[
            COMPUTER,
            Entity(
                "Account",
                "",
                &[
                    ("Name", "", "SubjectUserName"),
                    ("NTDomain", "", "SubjectDomainName"),
                    ("Sid", "", "SubjectUserSid"),
                ],
            ),
            Entity("Process", "", &[("CommandLine", "", "CommandLine")]),
        ],
    ),
    ("WindowsEvent", &[COMPUTER]),
    ("Syslog", &[Entity("Host", "", &[("HostName", "", "HostName")]), Entity("IP", "", &[("Address", "", "HostIP")])]),
    (
        "AWSCloudTrail",
        &[
            Entity("Account", "", &[("Name", "", "UserIdentityArn")]),
            Entity("IP", "", &[("Address", "", "SourceIpAddress")]),
        ],
    ),
    (
        "AzureActivity",
        &[
            Entity("Account", "", &[("FullName", "", "Caller")]),
            Entity("IP", "", &[("Address", "", "CallerIpAddress")]),
        ],
    ),
    ("SigninLogs", &[PRINCIPAL, Entity("IP", "", &[("Address", "", "IPAddress")])]),
    ("AADUserRiskEvents", &[PRINCIPAL, Entity("IP", "", &[("Address", "", "IpAddress")])]),
    (
        "OfficeActivity",
        &[Entity("Account", "", &[("FullName", "", "UserId")]), Entity("IP", "", &[("Address", "", "ClientIP")])],
    ),
];

impl Entities {
    /// The entities in the rows of this table, or of what this function gives, as far as these columns have them.
    pub(crate) fn of(table: &str, has: impl Fn(&str) -> bool) -> Self {
        let name = table.strip_suffix("()").unwrap_or(table);
        let mut out = Self::default();
        let known = TABLES.iter().find(|(known, _)| *known == name).map(|(_, entities)| *entities).unwrap_or_default();
        for Entity(kind, collection, columns) in known {
            let columns: Vec<_> = columns.iter().filter(|(_, _, column)| has(column)).collect();
            let named = columns.iter().filter(|(identifier, _, _)| !identifier.is_empty());
            let field_mappings: Vec<FieldMapping> =
                named.map(|(identifier, _, column_name)| FieldMapping { identifier, column_name }).collect();
            // A domain or a folder alone tells no entity from another.
            if field_mappings.iter().any(|field| !QUALIFIERS.contains(&field.identifier)) {
                out.sentinel.push(SentinelEntity { entity_type: kind, field_mappings });
            }
            let own: BTreeMap<_, _> = columns
                .iter()
                .filter(|(_, property, _)| !property.is_empty())
                .map(|(_, property, column)| (*property, *column))
                .collect();
            if !collection.is_empty() && !own.is_empty() {
                out.defender.entry(collection).or_default().push(own);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;

    /// The columns of every table in the schemas that pipelines for Kusto map to.
    fn columns() -> BTreeMap<String, BTreeSet<String>> {
        let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in ["microsoft_xdr", "sentinel_asim", "azure_monitor"] {
            let text = sigcast_pipeline::schema(name).expect("a schema");
            let schema: serde_yaml::Value = serde_yaml::from_str(text).expect("YAML");
            for (table, fields) in schema["tables"].as_mapping().expect("tables") {
                let fields = fields.as_mapping().expect("columns").keys().filter_map(|name| name.as_str());
                let table = table.as_str().expect("a name").to_owned();
                out.entry(table).or_default().extend(fields.map(str::to_owned));
            }
        }
        out
    }

    #[test]
    fn tables_have_the_columns() {
        let known = columns();
        for (table, entities) in TABLES {
            let columns = known.get(*table).unwrap_or_else(|| panic!("no pipeline maps to {table}"));
            for column in entities.iter().flat_map(|Entity(_, _, columns)| columns.iter().map(|(_, _, name)| *name)) {
                assert!(columns.contains(column), "{table} has no {column}");
            }
        }
    }

    #[test]
    fn mappings_keep_the_limits() {
        for (table, _) in TABLES {
            let found = Entities::of(table, |_| true);
            assert!((1..=5).contains(&found.sentinel.len()), "{table}");
            assert!(found.sentinel.iter().all(|entity| (1..=3).contains(&entity.field_mappings.len())), "{table}");
            // Defender asks for one of these.
            let anchored = ["hosts", "accounts", "ips"].iter().any(|kind| found.defender.contains_key(kind));
            assert!(found.defender.is_empty() || anchored, "{table}");
        }
        assert_eq!(Entities::of("_Im_Dns()", |_| true), Entities::of("_Im_Dns", |_| true));
        assert_eq!(Entities::of("AuditLogs", |_| true), Entities::default());
        let kept = Entities::of("SigninLogs", |column| column == "IPAddress");
        assert_eq!(kept.sentinel.iter().map(|entity| entity.entity_type).collect::<Vec<_>>(), ["IP"]);
        assert!(Entities::of("SecurityEvent", |column| column == "SubjectDomainName").sentinel.is_empty());
    }
}
