//! Conversions with a schema: what each type of field makes of a test, and what is left to assume.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Conversion, Status, find};
use sigcast_diagnostics::{Code, SourceMap};
use sigcast_frontend::Kind;
use sigcast_ir::schema::{FieldKind, FieldType, Normalised, Schema};
use sigcast_ir::{Order, Rule, Test, lower};
use sigcast_testing::{corpus, sources};

const SCHEMA: &str = "
fields:
  Low: {type: keyword, case: insensitive}
  Key: keyword
  Multi: {type: text, subfields: {keyword: {type: keyword, ignore_above: 256}, caseless: {type: keyword, case: insensitive}}}
  Text: text
  Ip: ip
  Num: number
  Bool: boolean
  Inner: nested
  Way: {type: keyword, case: insensitive, values: [ingress, egress]}
  data.*: {type: keyword, case: insensitive}
  Hash: {type: keyword, case: lower}
  Kind: {type: keyword, values: [SZ_DWORD, REG_SZ]}
tables:
  Processes: {FileName: string, ProcessId: long}
";

fn with_rule<T>(detection: &str, then: impl FnOnce(&Rule<'_>) -> T) -> T {
    let text = format!(
        "title: t\nlogsource: {{product: windows}}\ndetection:\n  s:\n    {detection}\n  condition: s\nlevel: low\n"
    );
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", text);
    let documents = sigcast_frontend::parse(&sources, id);
    let Kind::Rule(rule) = &documents[0].kind else { panic!("{detection}: {:?}", documents[0].diagnostics) };
    then(rule)
}

fn converted(target: &str, detection: &str) -> Conversion {
    let mut sources = SourceMap::new();
    let id = sources.add("schema.yml", SCHEMA);
    let schema = sigcast_frontend::schema::parse(&sources, id).expect("a schema");
    let settings = Settings { schema: Some(Arc::new(schema)), ..Settings::default() };
    let backend = Backend::new(find(target).expect("a target"), settings);
    with_rule(detection, |rule| backend.convert(rule))
}

/// Assumptions and approximations by code, but for those on where the query is run.
fn said_of(conversion: &Conversion) -> String {
    let place = [Code::AssumeScope, Code::AssumeTable, Code::AssumeWithinLimit, Code::AssumeSingleValues];
    let assumed = conversion.assumptions.iter().filter(|code| !place.contains(code)).map(|code| code.as_str());
    let mut all: Vec<&str> = conversion.diagnostics.iter().map(|found| found.code.as_str()).chain(assumed).collect();
    all.dedup();
    all.join(" ")
}

/// The query (or nothing, if refused), and what is said of it.
fn check(target: &str, detection: &str, query: &str, said: &str) {
    let conversion = converted(target, detection);
    let got = conversion.queries.first().map_or("", String::as_str);
    assert_eq!((got, said_of(&conversion).as_str()), (query, said), "{target}: {detection}");
}

#[test]
fn lucene_by_type() {
    let check = |detection, query, said| check("lucene", detection, query, said);
    check("Low: Ab", "Low:Ab", "");
    check("Low|contains: Ab", "Low:*Ab*", "");
    check("Low|cased: Ab", "Low:Ab", "case-widened");
    check("Low|re: a.c", "Low:/.*[aA].[cC].*/", "case-widened assume-single-lines");
    check("Key: Ab", "Key:/[aA][bB]/", "");
    check("Key: '12'", "Key:12", "");
    check("Key: 12", "Key:12", "");
    check("Key|cased: Ab", "Key:Ab", "");
    check("Key|gt: 5", "", "construct-unsupported");
    check("Key: true", "Key:/[tT][rR][uU][eE]/", "");
    check("Multi: Ab", "Multi.caseless:Ab", "");
    check("Multi|cased: Ab", "Multi.keyword:Ab", "assume-indexed-values");
    check("Multi: '*'", "Multi:*", "");
    check("Text: Ab", "Text:Ab", "analysed-text");
    check("Num: 12", "Num:12", "");
    check("Num: '12'", "Num:12", "");
    check("Num|gt: 5", "Num:{5 TO *]", "");
    check("Num|contains: '5'", "", "construct-unsupported");
    check("Num: [x, 5]", "Num:5", "");
    check("Num: x", "", "constant-query");
    check("Bool: 'True'", "Bool:true", "");
    check("Inner: x", "", "construct-unsupported");
    check("Other: Ab", "Other:Ab", "assume-keyword-fields assume-caseless");
}

#[test]
fn networks_by_type() {
    check("lucene", "Ip|cidr: 10.0.0.0/8", "Ip:\"10.0.0.0/8\"", "");
    check("lucene", "Key|cidr: 10.0.0.0/8", "Key:10.*", "assume-address-text");
    check("lucene", "Ip|startswith: '192.168.'", "Ip:\"192.168.0.0/16\"", "");
    check("lucene", "Ip|startswith: '192.1'", "", "construct-unsupported");
    check("lucene", "Ip: 10.0.0.1", "Ip:\"10.0.0.1/32\"", "");
    check("kibana", "Ip|cidr: 10.0.0.0/8", "Ip: \"10.0.0.0/8\"", "");
    check("eql", "Ip|cidr: 10.0.0.0/8", "any where cidrMatch(Ip, \"10.0.0.0/8\")", "");
}

#[test]
fn kibana_by_type() {
    check("kibana", "Low|contains: a b", "Low: *a b*", "");
    check("kibana", "Low|contains|cased: a b", "Low: *a b*", "case-widened");
    check("kibana", "Key: Ab", "Key: \"Ab\"", "case-narrowed");
    check("kibana", "Multi: Ab", "Multi.caseless: \"Ab\"", "");
    check("kibana", "Num|gt: 5", "Num > 5", "");
}

#[test]
fn types_answer_what_others_assume() {
    check("eql", "Key: Ab", "any where Key : \"Ab\"", "");
    check("eql", "Text: Ab", "", "construct-unsupported");
    check("eql", "Num|gt: 5", "any where Num > 5", "");
    check("kusto", "Key: Ab", "where Key =~ \"Ab\"", "");
    check("kusto", "Key: 5", "where Key =~ \"5\"", "");
    check("kusto", "Num: 5", "where Num == 5", "");
    check("kusto", "Num: x", "", "construct-unsupported");
    let esql = |detection| converted("esql", detection);
    let said: Vec<String> =
        ["Key: Ab", "Text: Ab", "Num|gt: 5", "Ip|cidr: 10.0.0.0/8"].map(|one| said_of(&esql(one))).into();
    assert!(said.iter().all(String::is_empty), "{said:?}");
}

#[test]
fn a_style_of_old_is_left_alone() {
    let mut sources = SourceMap::new();
    let id = sources.add("schema.yml", SCHEMA);
    let schema = sigcast_frontend::schema::parse(&sources, id).expect("a schema");
    let plain = Settings { style: Some("atc2019"), ..Settings::default() };
    let typed = Settings { schema: Some(Arc::new(schema)), ..plain.clone() };
    let query = |settings: &Settings| {
        let backend = Backend::new(find("lucene").expect("a target"), settings.clone());
        with_rule("Key: Ab", |rule| backend.convert(rule).queries)
    };
    assert_eq!(query(&plain), query(&typed));
}

/// Every field that the rules use, of the type that their tests ask for.
fn schema_of(rules: &[&Rule<'_>]) -> Schema {
    let mut fields: HashMap<String, FieldType> = HashMap::new();
    for rule in rules {
        for (query, _) in lower::queries(rule) {
            query.each_match(&mut |found| {
                let Some(field) = found.field() else { return };
                let kind = match &found.test {
                    Test::Network(_) => FieldKind::Ip,
                    Test::Number { order, .. } if *order != Order::Equal => FieldKind::Number,
                    _ => FieldKind::Keyword,
                };
                let known = fields.entry(field.as_str().to_owned()).or_insert_with(|| FieldType::new(kind));
                if kind != FieldKind::Keyword {
                    known.kind = kind;
                }
            });
        }
    }
    for field in fields.values_mut().filter(|field| field.kind == FieldKind::Keyword) {
        field.normalised = Normalised::Yes;
    }
    Schema { fields, ..Schema::default() }
}

#[test]
fn most_of_the_corpus_is_exact() {
    let Some(rules) = corpus("sigmahq/rules") else { return };
    let sources = sources(&rules);
    let documents: Vec<_> = sources.iter().flat_map(|(id, _)| sigcast_frontend::parse(&sources, id)).collect();
    let rules: Vec<&Rule<'_>> = documents
        .iter()
        .filter_map(|document| if let Kind::Rule(rule) = &document.kind { Some(&**rule) } else { None })
        .collect();
    assert!(rules.len() > 3_000, "only {} rules", rules.len());
    let settings = Settings { schema: Some(Arc::new(schema_of(&rules))), ..Settings::default() };
    let mut low = Vec::new();
    for target in ["lucene", "watcher", "es-dsl", "kibana", "kusto", "splunk", "sqlite", "eql", "esql"] {
        let backend = Backend::new(find(target).expect("a target"), settings.clone());
        let (mut exact, mut unassumed) = (0_u32, 0_u32);
        let mut codes: BTreeMap<&str, u32> = BTreeMap::new();
        for rule in &rules {
            let conversion = backend.convert(rule);
            let is_exact = conversion.status == Status::Exact;
            exact += u32::from(is_exact);
            unassumed += u32::from(is_exact && said_of(&conversion).is_empty());
            if !is_exact {
                conversion.diagnostics.iter().for_each(|found| *codes.entry(found.code.as_str()).or_default() += 1);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "thousands of rules")]
        let share = |count: u32| f64::from(count) / rules.len() as f64;
        println!("{target}: {:.4} exact, {:.4} with nothing left to assume; {codes:?}", share(exact), share(unassumed));
        let least = 0.95;
        if share(exact) < least {
            low.push(format!("{target} {:.4}", share(exact)));
        }
    }
    assert!(low.is_empty(), "{low:?}");
}

#[test]
fn values_of_a_closed_list() {
    check("lucene", "Way: Egress", "Way:Egress", "");
    check("lucene", "Way|contains: gress", "Way:*gress*", "");
    check("lucene", "Way: 'true'", "", "value-not-in-schema");
    check("lucene", "data.anything: Ab", "data.anything:Ab", "");
}

#[test]
fn the_only_spelling_that_a_field_can_hold() {
    check("lucene", "Hash: 0aBc", "Hash:0abc", "");
    check("lucene", "Hash|startswith: 0aBc", "Hash:0abc*", "");
    check("lucene", "Hash|cased: 0aBc", "Hash:0aBc", "");
    check("lucene", "Hash: É", "Hash:/[éÉ]/", "");
    check("kibana", "Hash: 0aBc", "Hash: \"0abc\"", "");
    check("lucene", "Kind: sz_dword", "Kind:SZ_DWORD", "");
    check("lucene", "Kind|contains: sz", "Kind:/.*[sS][zZ].*/", "");
    check("eql", "Kind: sz_dword", "any where Kind == \"SZ_DWORD\"", "");
}

#[test]
fn columns_of_the_table_that_a_pipeline_sets() {
    let converted = |detection: &str, given: &[&'static str]| {
        let mut sources = SourceMap::new();
        let id = sources.add("schema.yml", SCHEMA);
        let schema = sigcast_frontend::schema::parse(&sources, id).expect("a schema");
        let settings = Settings { schema: Some(Arc::new(schema)), ..Settings::default() };
        let backend = Backend { target: find("kusto").expect("a target"), settings, given: given.to_vec() };
        with_rule(detection, |rule| {
            let mut rule = rule.clone();
            rule.prepared.options = vec![("table".into(), "Processes".into()), ("unknown".into(), "x".into())];
            backend.convert(&rule)
        })
    };
    let known = converted("FileName: Ab", &[]);
    assert_eq!(known.queries, ["Processes\n| where FileName =~ \"Ab\""]);
    assert_eq!(said_of(&known), "");
    // What was given for the run counts more.
    assert_eq!(converted("FileName: Ab", &["table"]).queries, ["where FileName =~ \"Ab\""]);
    let missing = converted("FileNam: Ab", &[]);
    assert_eq!(said_of(&missing), "unknown-field");
    assert!(missing.diagnostics[0].message.ends_with("; the nearest is `FileName`"), "{:?}", missing.diagnostics);
}
