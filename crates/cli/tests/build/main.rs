//! `sigcast build`: what it writes, what it leaves alone, and what is left of a build that was broken off.

#[path = "../support/mod.rs"]
mod support;

mod broken_off;
mod configuration;
mod foreign;
mod kept;
mod written;

use std::fs;

use serde_json::Value;
use support::{Folder, GOOD, OTHER, Ran, run};

const CONFIG: &str = "rules: [rules]
outputs:
- target: lucene
  output: dist/{level}/{slug}.{ext}
- {name: all, target: splunk, file: dist/all.spl}
";

/// A folder with a configuration and two rules.
fn project(name: &str, config: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("sigcast.yml", config);
    folder.file("rules/good.yml", GOOD);
    folder.file("rules/other.yml", OTHER);
    folder
}

fn build(folder: &Folder, args: &[&str]) -> Ran {
    let config = format!("{}/sigcast.yml", folder.path());
    run(&[&["build", "-c", &config], args].concat())
}

fn names(folder: &Folder, under: &str) -> Vec<String> {
    folder.files(under).into_iter().map(|(name, _)| name).collect()
}

fn manifest(folder: &Folder) -> Value {
    let text = fs::read_to_string(format!("{}/sigcast-manifest.json", folder.path())).expect("a manifest");
    serde_json::from_str(&text).expect("JSON")
}
