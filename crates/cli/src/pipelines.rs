//! `-p`: pipelines by built-in name, file and directory; which target each is for.
//!
//! Invariant: what a pipeline may ask of the world goes through [`Surroundings`], and only a run that allows it sends a
//! request or runs a command.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use sigcast_backends::Target;
use sigcast_diagnostics::{Diagnostic, SourceId, SourceMap, render};
use sigcast_ir::schema::Schema;
use sigcast_pipeline::{Chain, Command, Pipeline, Request, World, builtin, builtins};

use crate::exit::Fault;
use crate::input;
use crate::terminal::Terminal;

/// A pipeline whose text was read.
#[derive(Debug)]
pub(crate) struct Text {
    /// The text.
    pub(crate) id: SourceId,
    /// The folder of its file; none for a built-in one.
    folder: Option<PathBuf>,
}

/// Reads what `-p` names, in order; each goes to the sources of the run.
pub(crate) fn read(names: &[String], sources: &mut SourceMap) -> Result<Vec<Text>, Fault> {
    let mut texts = Vec::new();
    for name in names {
        if let Some(found) = builtin(name) {
            texts.push(Text { id: sources.add(format!("<{name}>"), found.text.to_owned()), folder: None });
            continue;
        }
        let path = Path::new(name);
        if path.is_dir() {
            let files = input::rule_files(path)?;
            if files.is_empty() {
                return Err(Fault::usage(format!("-p {name}: the directory has no .yml or .yaml file")));
            }
            for file in files {
                texts.push(file_text(&file, sources)?);
            }
        } else if path.exists() {
            texts.push(file_text(path, sources)?);
        } else {
            let fault =
                Fault::usage(format!("-p {name}: there is no built-in pipeline, file or directory of this name"));
            return Err(fault
                .near(name, builtins().map(|found| found.name))
                .help("`sigcast list pipelines` shows those that are built in"));
        }
    }
    Ok(texts)
}

fn file_text(path: &Path, sources: &mut SourceMap) -> Result<Text, Fault> {
    let name = path.display().to_string();
    let text = input::whole_text(path)?;
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    Ok(Text { id: sources.add(name, text), folder: Some(folder) })
}

/// Compiles pipelines. Every fault is shown at its place.
pub(crate) fn compile<'a>(
    texts: &[Text],
    sources: &'a SourceMap,
    external: bool,
    terminal: &Terminal,
) -> Result<Vec<Arc<Pipeline<'a>>>, Fault> {
    let mut pipelines = Vec::with_capacity(texts.len());
    let mut faults: Vec<Diagnostic> = Vec::new();
    let mut wrong = Vec::new();
    for text in texts {
        let world = Surroundings { folder: text.folder.clone(), external };
        match Pipeline::compile(sources, text.id, &world) {
            Ok(pipeline) => pipelines.push(Arc::new(pipeline)),
            Err(mut found) => {
                wrong.push(sources.get(text.id).name());
                faults.append(&mut found);
            }
        }
    }
    if faults.is_empty() {
        return Ok(pipelines);
    }
    for fault in &faults {
        terminal.say(&render::text(fault, sources, terminal.colour));
    }
    Err(Fault::usage(format!("the pipeline {} is wrong: {} above", wrong.join(", "), errors(faults.len()))))
}

fn errors(count: usize) -> String {
    if count == 1 { "1 error".to_owned() } else { format!("{count} errors") }
}

/// The names that files of pySigma give backends, with the targets that are meant.
const BACKENDS: &[(&str, &[&str])] = &[
    ("elasticsearch", &["lucene", "watcher", "es-dsl", "kibana", "eql", "esql"]),
    ("elastalert", &["lucene"]),
    ("opensearch_lucene", &["opensearch"]),
    ("opensearch-ppl", &[]),
    ("microsoft365defender", &["kusto"]),
    ("microsoft_xdr", &["kusto"]),
    ("sentinel_asim", &["kusto"]),
    ("azure_monitor", &["kusto"]),
    ("postgresql", &["postgres"]),
];

/// Whether a pipeline is for a target.
pub(crate) fn allows(pipeline: &Pipeline<'_>, target: &Target) -> bool {
    let allowed = pipeline.allowed_backends();
    let is = |name: &String| {
        name == target.name
            || target.aliases.contains(&name.as_str())
            || BACKENDS.iter().any(|(known, targets)| known == name && targets.contains(&target.name))
    };
    allowed.is_empty() || allowed.iter().any(is)
}

/// The chain of each target: of the pipelines that are for it. A pipeline for none of the targets is a fault.
pub(crate) fn chains<'a>(
    pipelines: &[Arc<Pipeline<'a>>],
    targets: &[&'static Target],
    terminal: &Terminal,
) -> Result<Chains<'a>, Fault> {
    for pipeline in pipelines {
        let not: Vec<&str> =
            targets.iter().filter(|target| !allows(pipeline, target)).map(|target| target.name).collect();
        if not.is_empty() {
            continue;
        }
        let name = pipeline.name();
        let allowed = pipeline.allowed_backends().join(", ");
        if not.len() == targets.len() {
            return Err(Fault::usage(format!(
                "the pipeline `{name}` is for {allowed} only, not for {}",
                not.join(", ")
            )));
        }
        terminal
            .note(&format!("the pipeline `{name}` is for {allowed} only: {} is converted without it", not.join(", ")));
    }
    let mut chains = Chains::default();
    for target in targets {
        chains.add(pipelines.iter().filter(|one| allows(one, target)).cloned().collect());
    }
    Ok(chains)
}

/// The chains of a run: jobs with the same pipelines share one, since what a chain makes of a rule does not depend on
/// the target.
#[derive(Debug, Default)]
pub(crate) struct Chains<'a> {
    chains: Vec<Chain<'a>>,
    /// The pipelines of each chain.
    made_of: Vec<Vec<Arc<Pipeline<'a>>>>,
    /// The chain of each job.
    jobs: Vec<usize>,
}

impl<'a> Chains<'a> {
    /// Adds a job with these pipelines.
    pub(crate) fn add(&mut self, pipelines: Vec<Arc<Pipeline<'a>>>) {
        let same = |known: &Vec<Arc<Pipeline<'a>>>| {
            known.len() == pipelines.len() && known.iter().zip(&pipelines).all(|(one, other)| Arc::ptr_eq(one, other))
        };
        let number = self.made_of.iter().position(same).unwrap_or_else(|| {
            self.chains.push(Chain::new(pipelines.clone()));
            self.made_of.push(pipelines);
            self.chains.len() - 1
        });
        self.jobs.push(number);
    }

    /// The number of a job's chain.
    pub(crate) fn number(&self, job: usize) -> usize {
        self.jobs.get(job).copied().unwrap_or_default()
    }

    /// The chain of a job.
    pub(crate) fn of(&self, job: usize) -> Option<&Chain<'a>> {
        self.chains.get(self.number(job))
    }

    /// Every chain.
    pub(crate) fn all(&self) -> &[Chain<'a>] {
        &self.chains
    }

    /// The schema that each chain's pipelines come with; each is read once.
    pub(crate) fn schemas(&self) -> Result<Vec<Option<Arc<Schema>>>, Fault> {
        let mut read: BTreeMap<&str, Arc<Schema>> = BTreeMap::new();
        let mut all = Vec::with_capacity(self.chains.len());
        for name in self.chains.iter().map(Chain::schema) {
            let Some(name) = name else {
                all.push(None);
                continue;
            };
            if !read.contains_key(name) {
                let text = sigcast_pipeline::schema(name).unwrap_or_default();
                read.insert(name, Arc::new(input::parse_schema(&format!("<{name}>"), text.to_owned())?));
            }
            all.push(read.get(name).cloned());
        }
        Ok(all)
    }
}

/// The world as the command line shows it to a pipeline.
struct Surroundings {
    folder: Option<PathBuf>,
    external: bool,
}

impl World for Surroundings {
    fn file(&self, path: &str) -> Result<String, String> {
        let folder = self.folder.as_ref().ok_or("a built-in pipeline has no folder")?;
        let whole = |path: &Path| {
            path.canonicalize().map_err(|why| format!("cannot read {}: {}", path.display(), input::reason(&why)))
        };
        let (root, file) = (whole(folder)?, whole(&folder.join(path))?);
        // A link may lead anywhere.
        if !file.starts_with(&root) {
            return Err(format!("`{path}` leads out of the folder of the pipeline"));
        }
        if !file.is_file() {
            return Err(format!("`{path}` is no regular file"));
        }
        input::whole_text(&file).map_err(|fault| fault.message)
    }

    fn allows_external(&self) -> bool {
        self.external
    }

    fn fetch(&self, request: &Request) -> Result<String, String> {
        let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(request.timeout)).build().into();
        let mut builder = ureq::http::Request::builder().method(request.method.as_str()).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let failed = |why: &dyn std::fmt::Display| format!("no answer from {}: {why}", request.url);
        let answer = match &request.body {
            Some((body, kind)) => {
                let whole = builder.header("content-type", *kind).body(body.clone()).map_err(|why| failed(&why))?;
                agent.run(whole)
            }
            None => agent.run(builder.body(()).map_err(|why| failed(&why))?),
        };
        let mut answer = answer.map_err(|why| failed(&why))?;
        let most = request.most as u64;
        answer.body_mut().with_config().limit(most).read_to_string().map_err(|why| failed(&why))
    }

    fn run(&self, command: &Command) -> Result<String, String> {
        let Some((program, arguments)) = command.arguments.split_first() else {
            return Err("there is no command".to_owned());
        };
        let failed = |why: &dyn std::fmt::Display| format!("the command `{program}`: {why}");
        let mut process = Process::new(program);
        process.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = process.spawn().map_err(|why| failed(&why))?;
        let most = command.most as u64;
        let Some(out) = child.stdout.take() else { return Err(failed(&"it prints nothing")) };
        let (send, read) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // Nobody waits any more if the time is over.
            let _ = send.send(out.take(most + 1).read_to_end(&mut bytes).map(|_| bytes));
        });
        let until = Instant::now() + command.timeout;
        let late = || failed(&format!("it takes longer than {} seconds", command.timeout.as_secs()));
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|why| failed(&why))? {
                break status;
            }
            if Instant::now() > until {
                let _ = child.kill().and_then(|()| child.wait());
                return Err(late());
            }
            thread::sleep(Duration::from_millis(10));
        };
        // What the command started may still hold its output.
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(100));
        let bytes = read.recv_timeout(left).map_err(|_| late())?.map_err(|why| failed(&why))?;
        if !status.success() {
            return Err(failed(&format!("it fails: {status}")));
        }
        if bytes.len() as u64 > most {
            return Err(failed(&format!("it prints more than {most} bytes")));
        }
        String::from_utf8(bytes).map_err(|_| failed(&"it prints what is no UTF-8 text"))
    }
}
