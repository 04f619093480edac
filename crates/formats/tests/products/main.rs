//! What products take: Elastic Security, Splunk, Sentinel, Defender, Graylog; each text is read back by a reader of its form and held against
//! what the product's own documents or sources ask for. And for every format of every target: that no rule leaves its place.

mod conf;
mod elastic;
mod given;
mod graylog;
mod hostile;
mod microsoft;
mod snapshots;
mod splunk;

use std::path::Path;
use std::sync::Arc;

use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, Status, find};
use sigcast_diagnostics::{Diagnostic, SourceMap};
use sigcast_formats::{Naming, Templates};
use sigcast_frontend::{Kind, link, parse};
use sigcast_pipeline::{Chain, Nowhere, Pipeline, builtin};

/// A rule with everything that a format could show.
const RULE: &str = r#"
title: Download by Certutil
id: 9c2d6f0e-3b1a-4a54-9b1f-7d2f3c5e8a10
status: test
description: |
    Finds certutil that fetches a file.
    A second line.
references: [https://example.org/certutil, https://example.org/lolbas]
author: A. Author
date: 2026-01-02
modified: 2026-03-04
tags: [attack.command-and-control, attack.t1105, attack.defense-evasion, attack.t1218.011, attack.g0007, cve.2020-1]
level: high
logsource: {product: windows, category: process_creation}
detection:
    selection:
        Image|endswith: '\certutil.exe'
        CommandLine|contains: [urlcache, verifyctl]
    condition: selection
falsepositives: [Administrators, Scripts]
"#;

/// A rule without anything that is not required.
const BARE: &str = r#"
title: Bare
logsource: {product: windows, category: process_creation}
detection:
    selection: {Image|endswith: '\a.exe'}
    condition: selection
"#;

/// The built-in pipelines with these names.
fn chain(names: &[&str]) -> &'static Chain<'static> {
    let mut sources = SourceMap::new();
    let ids: Vec<_> = names.iter().map(|name| sources.add(*name, builtin(name).expect("a pipeline").text)).collect();
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let compile =
        |id| Arc::new(Pipeline::compile(sources, id, &Nowhere).unwrap_or_else(|faults| panic!("{faults:#?}")));
    Box::leak(Box::new(Chain::new(ids.into_iter().map(compile).collect())))
}

/// What is made: for a target, a format, options and pipelines.
struct Maker {
    backend: Backend,
    format: &'static sigcast_backends::Format,
    templates: Templates,
    chain: &'static Chain<'static>,
}

impl Maker {
    fn new(target: &str, format: &str, options: &[(&str, &str)], pipelines: &[&str]) -> Self {
        let target = find(target).expect("a target");
        let format = target.format(format).expect("a format");
        let mut backend = Backend::new(target, Settings::of(options).expect("options"));
        let given = target.options.iter().filter(|key| options.iter().any(|(given, _)| given == *key));
        backend.given = given.copied().collect();
        Self { backend: backend.for_format(format), format, templates: Templates::builtin(), chain: chain(pipelines) }
    }

    /// One text a query of each rule in a file, or why there is none.
    fn texts(&self, file: &str) -> Result<Vec<String>, String> {
        let mut sources = SourceMap::new();
        let id = sources.add("rule.yml", file);
        let mut documents = parse(&sources, id);
        link(&mut documents.iter_mut().collect::<Vec<_>>());
        let described: Vec<_> = documents
            .iter()
            .filter_map(|document| match &document.kind {
                Kind::Rule(rule) => Some((rule.as_ref().clone(), None)),
                Kind::Correlation(correlation) => Some((correlation.described(), Some(correlation.as_ref()))),
                _ => None,
            })
            .collect();
        assert!(!described.is_empty(), "no rule: {:?}", documents.first().map(|document| &document.diagnostics));
        let mut naming = Naming::default();
        let mut out = Vec::new();
        for (rule, correlation) in &described {
            let place = naming.assign(&self.backend.settings, rule);
            let (correlation, applied) = match correlation {
                Some(correlation) => {
                    let (made, applied) = self.chain.correlate((*correlation).clone());
                    (Some(made), applied)
                }
                None => (None, self.chain.apply(rule.clone())),
            };
            if applied.is_refused() {
                return Err(said(&applied.diagnostics));
            }
            let conversion = match &correlation {
                Some(correlation) => self.backend.correlate(correlation),
                None => self.backend.convert(&applied.rule),
            };
            if conversion.status == Status::Refused {
                return Err(said(&conversion.diagnostics));
            }
            let settings = self.backend.settings_for(&applied.rule, &mut Vec::new());
            let target = self.backend.target;
            let made =
                self.templates.render_parts(target, self.format, &applied.rule, &conversion.queries, &settings, &place);
            out.extend(made.map_err(|fault| fault.message)?);
        }
        Ok(out)
    }

    /// The one text of a file with one rule.
    fn text(&self, file: &str) -> String {
        let mut found = self.texts(file).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }

    /// Why there is nothing.
    fn refusal(&self, file: &str) -> String {
        match self.texts(file) {
            Ok(found) => panic!("not refused: {found:#?}"),
            Err(why) => why,
        }
    }
}

fn said(found: &[Diagnostic]) -> String {
    found.iter().map(|one| one.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// A rule with lines at its end.
fn with(rule: &str, lines: &str) -> String {
    format!("{rule}{lines}\n")
}

fn sample(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}
