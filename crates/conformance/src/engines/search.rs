//! OpenSearch and Elasticsearch: a node of its own in a JVM, on loopback, with the server's defaults.
//!
//! The artifacts are those that the product's `pom.xml` pins, fetched by Maven once. A request is the body of a search
//! without what says how many hits are wanted, or a query of ES|QL, which begins with no brace.

mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rayon::prelude::*;
use serde_json::{Value, json};
use sigcast_eval::milliseconds;

use super::{Answer, Engine, Fault, Found, Request, own_name};
use crate::layout::{Asked, Setting, Type};

/// The folder with a folder for each product.
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/engines");
/// How many requests are sent at once.
const AT_ONCE: usize = 100;
/// How many events are few.
const FEW: usize = 500;
/// How many events are sent at once.
const EVENTS_AT_ONCE: usize = 2_000;
/// The index.
pub const INDEX: &str = "events";

/// The field with the times of events.
pub const TIME: &str = "@timestamp";

/// A server that searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// OpenSearch.
    OpenSearch,
    /// Elasticsearch, with ES|QL.
    Elasticsearch,
}

impl Product {
    const fn name(self) -> &'static str {
        match self {
            Self::OpenSearch => "OpenSearch",
            Self::Elasticsearch => "Elasticsearch",
        }
    }

    /// Whether a jar belongs to a module, whose classes the server wants in a class loader of their own.
    fn is_module(self, jar: &str) -> bool {
        let modules = ["x-pack", "transport-netty4", "arrow"].map(|name| format!("/org/elasticsearch/plugin/{name}"));
        self == Self::Elasticsearch && modules.iter().any(|module| jar.contains(module.as_str()))
    }
}

/// A node under way. It ends with this value.
#[derive(Debug)]
pub struct Node {
    product: Product,
    process: Child,
    folder: PathBuf,
    agent: ureq::Agent,
    url: String,
    version: String,
    /// The times of the events that are there, of those that have one.
    times: Vec<i64>,
    /// How many there are.
    loaded: usize,
    /// How the index was made.
    mapping: String,
}

impl Node {
    /// Starts a node.
    ///
    /// # Errors
    /// No Java or Maven, the artifacts cannot be had, or the node does not start.
    pub fn start(product: Product) -> Result<Self, Fault> {
        let program = Path::new(PROGRAMS).join(product.name().to_lowercase());
        let jars = jars(product, &program)?;
        let (modules, own): (Vec<&str>, Vec<&str>) = jars.split(':').partition(|jar| product.is_module(jar));
        let folder = std::env::temp_dir().join(own_name(&format!("sigcast-{}", product.name().to_lowercase())));
        std::fs::create_dir_all(&folder).map_err(|fault| Fault::new("making a folder for the node", fault))?;
        let log = std::fs::File::create(folder.join("log")).map_err(|fault| Fault::new("making a log", fault))?;
        let mut process = Command::new("java")
            .args(["-Xmx1500m", "-cp", &own.join(":")])
            .arg(program.join("Node.java"))
            .arg(&folder)
            .args(modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|fault| Fault::new("starting java", fault))?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            let mut lines = BufReader::new(out);
            // Whatever else is written before stands on lines of its own.
            while !line.starts_with("port ") {
                line.clear();
                match lines.read_line(&mut line) {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(300)))
            .build();
        let port = line.trim().strip_prefix("port ").map(str::to_owned);
        let mut node = Self {
            product,
            process,
            url: format!("http://127.0.0.1:{}", port.as_deref().unwrap_or("0")),
            agent: config.into(),
            version: String::new(),
            times: Vec::new(),
            loaded: 0,
            mapping: String::new(),
            folder,
        };
        if port.is_none() {
            let log = std::fs::read_to_string(node.folder.join("log")).unwrap_or_default();
            return Err(Fault(format!("the node did not start: {}", log.chars().take(800).collect::<String>())));
        }
        let about = node.call("GET", "_nodes/_local", "")?;
        let version = about["nodes"].as_object().and_then(|nodes| nodes.values().next()?.get("version")?.as_str());
        node.version = version.unwrap_or("of an unknown version").to_owned();
        Ok(node)
    }

    /// A request and the JSON that answers it.
    fn call(&self, method: &str, path: &str, body: &str) -> Result<Value, Fault> {
        let url = format!("{}/{path}", self.url);
        let kind = if path.ends_with("_bulk") || path.ends_with("_msearch") {
            "application/x-ndjson"
        } else {
            "application/json"
        };
        let doing = format!("{method} /{path}");
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("content-type", kind)
            .body(body.to_owned())
            .map_err(|fault| Fault::new(&doing, fault))?;
        let mut response = self.agent.run(request).map_err(|fault| Fault::new(&doing, fault))?;
        let reader = response.body_mut().with_config().limit(1 << 30).reader();
        serde_json::from_reader(BufReader::new(reader)).map_err(|fault| Fault::new(&doing, fault))
    }
}

/// The jars of the node with colons between them, by Maven; kept for the next time.
fn jars(product: Product, program: &Path) -> Result<String, Fault> {
    let pom = program.join("pom.xml");
    let wanted = std::fs::read_to_string(&pom).map_err(|fault| Fault::new("reading pom.xml", fault))?;
    let kept = std::env::temp_dir().join(format!("sigcast-{}-classpath", product.name().to_lowercase()));
    if let Ok(text) = std::fs::read_to_string(&kept)
        && let Some(path) = text.strip_prefix(&wanted)
        && path.split(':').all(|jar| Path::new(jar).exists())
    {
        return Ok(path.to_owned());
    }
    let out = std::env::temp_dir().join(own_name("sigcast-classpath"));
    let maven = Command::new("mvn")
        .args(["-q", "-B", "dependency:build-classpath", "-f"])
        .arg(&pom)
        .arg(format!("-Dmdep.outputFile={}", out.display()))
        .stdin(Stdio::null())
        .output()
        .map_err(|fault| Fault::new("starting mvn", fault))?;
    let found = std::fs::read_to_string(&out).ok().filter(|_| maven.status.success());
    // Another run may have been quicker; then nothing is lost.
    let _ = std::fs::remove_file(&out);
    let Some(path) = found else {
        let said = String::from_utf8_lossy(&maven.stdout).into_owned();
        return Err(Fault(format!("Maven does not get the artifacts: {}", said.chars().take(800).collect::<String>())));
    };
    let _ = std::fs::write(&kept, format!("{wanted}{path}"));
    Ok(path)
}

impl Drop for Node {
    fn drop(&mut self) {
        // The node ends when nothing can come in any more; one that does not is ended.
        drop(self.process.stdin.take());
        for _ in 0..50 {
            if matches!(self.process.try_wait(), Ok(Some(_)) | Err(_)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Engine for Node {
    fn name(&self) -> String {
        format!("{} {}", self.product.name(), self.version)
    }

    fn prepare(&mut self, fields: &BTreeMap<String, Asked>, setting: Setting) -> Result<(), Fault> {
        let kind = |asked: &Asked| match setting.type_of(*asked) {
            Type::Keyword | Type::AddressText if setting.caseless => {
                json!({"type": "keyword", "normalizer": "lowercase"})
            }
            Type::Keyword | Type::AddressText => json!({"type": "keyword"}),
            Type::Address => json!({"type": "ip"}),
            Type::Integer => json!({"type": "long"}),
            Type::Decimal => json!({"type": "double"}),
            Type::Boolean => json!({"type": "boolean"}),
            Type::Time => json!({"type": "date"}),
        };
        let properties: serde_json::Map<_, _> =
            fields.iter().map(|(name, asked)| (name.clone(), kind(asked))).collect();
        // Strict: a field that the harness forgot is an error, not a guess.
        let body = json!({
            // What a node writes need not outlive it.
            "settings": {"number_of_shards": 1, "number_of_replicas": 0, "translog.durability": "async"},
            "mappings": {"dynamic": "strict", "properties": properties},
        });
        let body = body.to_string();
        // An index with a few events is sooner emptied than made anew.
        if body == self.mapping && self.loaded < FEW {
            let all: String = (0..self.loaded).map(|at| format!("{{\"delete\":{{\"_id\":\"{at}\"}}}}\n")).collect();
            if self.loaded > 0 {
                said(&self.call("POST", &format!("{INDEX}/_bulk"), &all)?, "emptying an index")?;
                self.loaded = 0;
            }
            return Ok(());
        }
        self.call("DELETE", INDEX, "")?;
        self.mapping = body;
        said(&self.call("PUT", INDEX, &self.mapping)?, "making an index")
    }

    fn load(&mut self, events: &[Value]) -> Result<(), Fault> {
        self.loaded = events.len();
        self.times = events.iter().filter_map(|event| milliseconds(event.get(TIME)?)).collect();
        for (part, events) in events.chunks(EVENTS_AT_ONCE).enumerate() {
            let mut body = String::new();
            for (at, event) in events.iter().enumerate() {
                body.push_str(&format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{event}\n", part * EVENTS_AT_ONCE + at));
            }
            let answer = self.call("POST", &format!("{INDEX}/_bulk"), &body)?;
            said(&answer, "loading events")?;
            if answer["errors"] != false {
                let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
                let first = items.iter().find_map(|item| item["index"].get("error"));
                return Err(Fault(format!("an event does not fit: {}", first.unwrap_or(&Value::Null))));
            }
        }
        said(&self.call("POST", &format!("{INDEX}/_refresh"), "")?, "refreshing the index")
    }

    fn find(&mut self, request: &Request<'_>) -> Result<Result<Found, String>, Fault> {
        let found = if !request.query.starts_with('{') {
            windows::of_rows(&self.call("POST", "_query", &json!({"query": request.query}).to_string())?, request)
        } else if request.query.contains("ctx.trigger") {
            return self.watched(request);
        } else {
            windows::of_buckets(&self.call("POST", &format!("{INDEX}/_search"), request.query)?, request)
        };
        Ok(found.map(Found::Windows))
    }

    fn run(&mut self, requests: &[String]) -> Result<Vec<Answer>, Fault> {
        let is_search = |request: &&String| request.starts_with('{');
        let searches: Vec<&String> = requests.iter().filter(is_search).collect();
        let piped: Vec<&String> = requests.iter().filter(|request| !is_search(request)).collect();
        let mut searches = self.search(&searches)?.into_iter();
        let mut piped = piped.par_iter().map(|query| self.piped(query)).collect::<Result<Vec<_>, _>>()?.into_iter();
        let one = |request: &String| {
            let answer = if is_search(&request) { searches.next() } else { piped.next() };
            answer.unwrap_or_else(|| Err("no answer".to_owned()))
        };
        Ok(requests.iter().map(one).collect())
    }
}

impl Node {
    /// What the bodies of searches find.
    fn search(&self, requests: &[&String]) -> Result<Vec<Answer>, Fault> {
        let mut answers = Vec::new();
        for requests in requests.chunks(AT_ONCE) {
            let mut body = String::new();
            for request in requests {
                body.push_str("{}\n{\"size\":10000,\"_source\":false,\"sort\":[\"_doc\"],\"track_total_hits\":false,");
                body.push_str(request.strip_prefix('{').unwrap_or(request));
                body.push('\n');
            }
            let answer = self.call("POST", &format!("{INDEX}/_msearch"), &body)?;
            said(&answer, "searching")?;
            let found = answer["responses"].as_array().map(Vec::as_slice).unwrap_or_default();
            if found.len() != requests.len() {
                return Err(Fault(format!("{} searches gave {} answers", requests.len(), found.len())));
            }
            answers.extend(found.iter().map(hits));
        }
        Ok(answers)
    }

    /// What a query of ES|QL finds: its rows have the number of an event.
    fn piped(&self, query: &str) -> Result<Answer, Fault> {
        let answer = self.call("POST", "_query", &json!({"query": query}).to_string())?;
        if let Some(fault) = answer.get("error") {
            // A line for each problem, with its place.
            return Ok(Err(reason(fault).replace('\n', "; ")));
        }
        if answer["is_partial"] != false {
            return Ok(Err("an answer that is not whole".to_owned()));
        }
        let rows = answer["values"].as_array().map(Vec::as_slice).unwrap_or_default();
        let number =
            |row: &Value| row[0].as_str().and_then(|id| id.parse().ok()).ok_or("a row without a number".to_owned());
        Ok(rows.iter().map(number).collect::<Result<BTreeSet<usize>, String>>())
    }
}

/// Whether the answer is one, and no error.
fn said(answer: &Value, doing: &str) -> Result<(), Fault> {
    match answer.get("error") {
        None => Ok(()),
        Some(fault) => Err(Fault::new(doing, reason(fault))),
    }
}

/// The hits of one search.
fn hits(answer: &Value) -> Answer {
    if let Some(fault) = answer.get("error") {
        return Err(reason(fault));
    }
    if answer["timed_out"] != false || answer["_shards"]["failed"] != 0 {
        return Err(format!("an answer that is not whole: {}", answer["_shards"]));
    }
    let hits = answer["hits"]["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
    let id =
        |hit: &Value| hit["_id"].as_str().and_then(|id| id.parse().ok()).ok_or("a hit without a number".to_owned());
    hits.iter().map(id).collect::<Result<BTreeSet<usize>, String>>()
}

/// The innermost reason that the server gives.
fn reason(fault: &Value) -> String {
    let mut inner =
        fault.pointer("/failed_shards/0/reason").or_else(|| fault.pointer("/root_cause/0")).unwrap_or(fault);
    while let Some(cause) = inner.get("caused_by") {
        inner = cause;
    }
    let text = |key: &str| inner[key].as_str().unwrap_or_default().to_owned();
    format!("{}: {}", text("type"), text("reason"))
}
