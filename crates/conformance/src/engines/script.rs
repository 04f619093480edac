//! Engines that are scripts: packages of Python in a virtual environment, or of npm in a folder, pinned by the script's
//! folder.
//!
//! Harness and script speak in lines of JSON; `engines/serve.py` says how. The script ends with its input.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::{Answer, Engine, Fault};
use crate::layout::{Asked, Setting, Type};
use crate::mapped;

/// The folder with a folder for each engine.
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/engines");

/// A script under way. It ends with this value.
#[derive(Debug)]
pub struct Script {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    about: String,
    executes: bool,
}

impl Script {
    /// Starts the engine in Python in the folder of this name.
    ///
    /// # Errors
    /// No Python, the packages cannot be had, or the script does not start.
    pub fn python(name: &str) -> Result<Self, Fault> {
        let program = Path::new(PROGRAMS).join(name);
        let python = environment(name, &program.join("requirements.txt"))?;
        let mut command = Command::new(python);
        command.arg(Path::new(PROGRAMS).join("serve.py")).arg(program);
        Self::start(name, command, true)
    }

    /// Starts Microsoft's parser of Kusto, and tells it the tables of the pipelines' schemas.
    ///
    /// # Errors
    /// No node or npm, the package cannot be had, or the script does not start.
    pub fn kusto() -> Result<Self, Fault> {
        let program = Path::new(PROGRAMS).join("kusto");
        let packages = packages("kusto", &program.join("package.json"))?;
        let mut command = Command::new("node");
        command.arg(program.join("engine.js")).arg(packages);
        let mut script = Self::start("kusto", command, false)?;
        script.call(&json!({"tables": mapped::tables()?}))?;
        Ok(script)
    }

    fn start(name: &str, mut command: Command, executes: bool) -> Result<Self, Fault> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|fault| Fault::new("starting the script", fault))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Fault("the script has no pipes".to_owned()));
        };
        let output = BufReader::new(output);
        let mut engine = Self { process, input: Some(input), output, about: String::new(), executes };
        engine.about = engine.call(&json!({"about": null}))?.as_str().unwrap_or(name).to_owned();
        Ok(engine)
    }

    fn call(&mut self, command: &Value) -> Result<Value, Fault> {
        let input = self.input.as_mut().ok_or_else(|| Fault("the script has ended".to_owned()))?;
        writeln!(input, "{command}")
            .and_then(|()| input.flush())
            .map_err(|fault| Fault::new("asking the script", fault))?;
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|fault| Fault::new("reading from the script", fault))?;
        let answer: Value =
            serde_json::from_str(&line).map_err(|fault| Fault::new("reading from the script", fault))?;
        match answer.get("fault") {
            Some(fault) => Err(Fault::new("the script", fault)),
            None => Ok(answer),
        }
    }
}

/// The Python of a virtual environment with these packages, made if it is not there; kept for the next time.
fn environment(name: &str, requirements: &Path) -> Result<PathBuf, Fault> {
    let wanted =
        std::fs::read_to_string(requirements).map_err(|fault| Fault::new("reading requirements.txt", fault))?;
    let folder = std::env::temp_dir().join(format!("sigcast-python-{name}"));
    let python = folder.join("bin/python");
    let made = folder.join("made-for");
    if std::fs::read_to_string(&made).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    done(&mut venv, "making a virtual environment")?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(requirements);
    done(&mut pip, "installing the packages")?;
    let _ = std::fs::write(&made, wanted);
    Ok(python)
}

/// The folder with the packages that a `package.json` pins, got if they are not there; kept for the next time.
fn packages(name: &str, pins: &Path) -> Result<PathBuf, Fault> {
    let wanted = std::fs::read_to_string(pins).map_err(|fault| Fault::new("reading package.json", fault))?;
    let folder = std::env::temp_dir().join(format!("sigcast-node-{name}"));
    let made = folder.join("made-for");
    if std::fs::read_to_string(&made).is_ok_and(|text| text == wanted) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).map_err(|fault| Fault::new("making a folder", fault))?;
    std::fs::write(folder.join("package.json"), &wanted).map_err(|fault| Fault::new("writing package.json", fault))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
    done(&mut npm, "installing the packages by npm")?;
    let _ = std::fs::write(&made, wanted);
    Ok(folder)
}

fn done(command: &mut Command, doing: &str) -> Result<(), Fault> {
    let output = command.stdin(Stdio::null()).output().map_err(|fault| Fault::new(doing, fault))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).chars().take(400).collect::<String>();
    Err(Fault::new(doing, said))
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

impl Engine for Script {
    fn name(&self) -> String {
        self.about.clone()
    }

    fn executes(&self) -> bool {
        self.executes
    }

    fn prepare(&mut self, fields: &BTreeMap<String, Asked>, setting: Setting) -> Result<(), Fault> {
        let kind = |asked: &Asked| match setting.type_of(*asked) {
            Type::Keyword => "keyword",
            Type::AddressText => "address-text",
            Type::Address => "address",
            Type::Integer => "integer",
            Type::Decimal => "decimal",
            Type::Boolean => "boolean",
            Type::Time => "time",
        };
        let fields: BTreeMap<&String, &str> = fields.iter().map(|(name, asked)| (name, kind(asked))).collect();
        self.call(&json!({"prepare": fields})).map(|_| ())
    }

    fn load(&mut self, events: &[Value]) -> Result<(), Fault> {
        let count = self.call(&json!({"load": events}))?;
        if count == events.len() { Ok(()) } else { Err(Fault(format!("{} events gave {count} rows", events.len()))) }
    }

    fn run(&mut self, requests: &[String]) -> Result<Vec<Answer>, Fault> {
        let answer = self.call(&json!({"run": requests}))?;
        let answers = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        let one = |answer: &Value| match answer {
            Value::Array(numbers) => numbers
                .iter()
                .map(|number| number.as_u64().and_then(|number| usize::try_from(number).ok()).ok_or(number.to_string()))
                .collect(),
            other => Err(other.as_str().unwrap_or("no answer").to_owned()),
        };
        Ok(answers.iter().map(one).collect())
    }
}
