//! Running the program, and folders to run it on.

#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A rule of level medium and status test.
pub const GOOD: &str = "title: Good
id: 11111111-2222-4333-8444-555555555555
status: test
level: medium
tags: [attack.t1059.001]
logsource: {category: process_creation, product: windows}
detection:
    s: {Image: a.exe}
    condition: s
";

/// A rule of level high and status stable.
pub const OTHER: &str = "title: Other
status: stable
level: high
logsource: {category: process_creation, product: linux}
detection:
    s: {Image: b.exe}
    condition: s
";

/// A rule with an unknown modifier in line 4.
pub const BROKEN: &str = "title: Broken
logsource: {product: windows}
detection:
    s: {'Image|contians': x}
    condition: s
";

/// A rule that no text search can say: it compares two fields.
pub const REFUSED: &str = "title: Refused
logsource: {product: windows}
detection:
    s: {'Image|fieldref': ParentImage}
    condition: s
";

/// A rule, and a correlation that counts its events and uses it up.
pub const BRUTE: &str = "title: Logon Failed
name: logon_failed
logsource: {product: windows, service: security}
detection:
    s: {EventID: 4625}
    condition: s
---
title: Brute Force
id: 33333333-2222-4333-8444-555555555555
name: brute_force
correlation:
    type: event_count
    rules: logon_failed
    group-by: [User]
    timespan: 5m
    condition: {gte: 3}
";

/// YAML that is no rule.
pub const ARTLESS: &str = "name: something else\n";

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program without input.
pub fn run(args: &[&str]) -> Ran {
    run_with(args, b"", &[])
}

/// Runs the program with this input and these additions to the environment.
pub fn run_with(args: &[&str], input: &[u8], environment: &[(&str, &str)]) -> Ran {
    let mut child = command(args, environment).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that does not read its input closes it.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Ran {
        code: output.status.code().expect("no signal ended it"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The program with pipes.
pub fn command(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigcast"));
    command.args(args).envs(environment.iter().copied()).env_remove("NO_COLOR");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A folder of one test, empty at its start.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder of the test with this name.
    pub fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Its path.
    pub fn path(&self) -> String {
        self.0.to_str().expect("a path in UTF-8").to_owned()
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        self.bytes(name, text.as_bytes())
    }

    /// Writes a file and returns its path.
    pub fn bytes(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// Makes a folder in it and returns its path.
    pub fn folder(&self, name: &str) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(&path).expect("a folder");
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// The files in it, with their texts, by path.
    pub fn files(&self, under: &str) -> Vec<(String, String)> {
        let root = self.0.join(under);
        let mut found = Vec::new();
        let mut open = vec![root.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(&root).expect("under the root").display().to_string();
                    found.push((name, fs::read_to_string(&path).expect("a text")));
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
