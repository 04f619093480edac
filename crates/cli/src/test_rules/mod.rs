//! `sigcast test`: rules asked of the events that lie beside them.
//!
//! | module | what it does |
//! |---|---|
//! | `layout`, `info` | which files are the tests of a rule |
//! | `events` | the events of a file |
//! | `judge` | whether a test passes |
//! | `stream` | whether a test of a correlation does |
//! | `used` | rules that a correlation has used up, which have tests of their own |
//! | `sqlite` | what SQLite answers |
//! | `explain`, `nearness` | why a rule matches or does not |
//! | `report` | results as text, JSON and JUnit |
//!
//! Invariant: what is broken is a result of its own and stops nothing else; results are in the order of the rules, then
//! of the paths of their tests, on any number of threads.

mod events;
mod explain;
mod info;
mod judge;
mod layout;
mod nearness;
mod report;
#[cfg(feature = "engine-sqlite")]
mod sqlite;
mod stream;
mod used;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sigcast_diagnostics::{SourceMap, render};
use sigcast_frontend::Kind;
use sigcast_pipeline::Chain;

use self::judge::{Case, Judge};
use self::layout::{Finder, Known, Problem, Spec, Wanted};
use crate::args::{Engine, TestArgs};
use crate::engine::{self, Entry};
use crate::exit::{Exit, Fault};
use crate::input::{self, Inputs};
use crate::link;
use crate::output::to_stdout;
use crate::pipelines;
use crate::run;
use crate::terminal::{Terminal, Verbosity};

/// What became of the tests of a document.
#[derive(Debug)]
pub(crate) struct Tested<'e> {
    /// The file of the rule, as it was named.
    path: &'e str,
    document: usize,
    rule_id: Option<&'e str>,
    title: Option<&'e str>,
    cases: Vec<Case>,
}

/// Runs `sigcast test`.
pub(crate) fn test(args: &TestArgs, terminal: &Terminal) -> Result<Exit, Fault> {
    if args.engine == Engine::Sqlite && cfg!(not(feature = "engine-sqlite")) {
        return Err(Fault::usage("this program was built without SQLite")
            .help("`--engine reference` is there; the feature `engine-sqlite` adds SQLite to a build"));
    }
    if let Some(missing) = args.tests.iter().find(|path| !path.is_dir()) {
        return Err(Fault::usage(format!("--tests {}: there is no such directory", missing.display())));
    }
    let mut inputs = input::read(&args.paths);
    let texts = pipelines::read(&args.pipeline, &mut inputs.sources)?;
    let inputs = inputs;
    let common = pipelines::compile(&texts, &inputs.sources, args.allow_external, terminal)?;
    let mut entries = link::linked(&inputs, run::parsed(&inputs, terminal));
    let used = used::restore(&mut entries);
    let known = known(&entries, &used, &inputs, &args.paths);
    let folders: BTreeSet<PathBuf> =
        known.iter().filter_map(|one| one.path.parent()).map(|path| path.components().collect()).collect();
    let finder = Finder::new(&folders, &args.tests);
    let specs: Vec<Vec<Spec>> = known.par_iter().map(|one| finder.find(one)).collect();
    // What a correlation has used up needs no test: those of the correlation are about it too.
    for at in used.iter().copied().filter(|at| specs.get(*at).is_some_and(Vec::is_empty)) {
        entries[at].document.kind = Kind::Skipped;
    }
    let entries = entries;
    let mut sources = SourceMap::new();
    let own = Own::read(&specs, &mut sources);
    let chains = own.compile(&sources, &common, args.allow_external, terminal)?;
    let judge = Judge { sources: &inputs.sources, engine: args.engine, time_fields: &args.time_field };
    let progress = terminal.progress(entries.len());
    let mut tested: Vec<Tested<'_>> = entries
        .par_iter()
        .zip(&specs)
        .map(|(entry, specs)| {
            let cases = judge.cases(entry, specs, &|spec| own.chain(spec, &chains));
            progress.step();
            tested(entry, &inputs, cases)
        })
        .collect();
    progress.finish();
    let used: BTreeSet<PathBuf> = specs.iter().flatten().map(|spec| spec.path.clone()).collect();
    let roots: Vec<&Path> = args.paths.iter().filter(|path| path.is_dir()).map(PathBuf::as_path).collect();
    let strays = strays(&finder, &roots, &args.tests, &used);
    tested.extend(strays.iter().map(|(path, case)| Tested {
        path,
        document: 0,
        rule_id: None,
        title: None,
        cases: vec![case.clone()],
    }));
    finish(args, terminal, &inputs, &entries, &tested)
}

/// Each document as tests know it.
fn known<'e>(
    entries: &'e [Entry<'_>],
    used: &BTreeSet<usize>,
    inputs: &'e Inputs,
    paths: &'e [PathBuf],
) -> Vec<Known<'e>> {
    let mut rules: BTreeMap<u32, usize> = BTreeMap::new();
    let mut parts: BTreeMap<u32, usize> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if matches!(entry.document.kind, Kind::Skipped) {
            continue;
        }
        // A file with a correlation and the rules that it uses up is one of the correlation.
        *(if used.contains(&at) { &mut parts } else { &mut rules }).entry(entry.source.0).or_default() += 1;
    }
    let known = entries.iter().enumerate().map(|(at, entry)| {
        let path = Path::new(engine::path(&inputs.sources, entry));
        let roots = paths.iter().filter(|root| root.is_dir() && path.starts_with(root));
        Known {
            path,
            root: roots.max_by_key(|root| root.components().count()).map_or(Path::new(""), PathBuf::as_path),
            alone: if used.contains(&at) {
                !rules.contains_key(&entry.source.0) && parts.get(&entry.source.0) == Some(&1)
            } else {
                rules.get(&entry.source.0).is_none_or(|count| *count == 1)
            },
            used: used.contains(&at),
            id: entry.document.id.as_deref(),
            meta: match &entry.document.kind {
                Kind::Rule(rule) => Some(&rule.meta),
                Kind::Correlation(correlation) => Some(&correlation.meta),
                _ => None,
            },
            asked: !matches!(entry.document.kind, Kind::Skipped),
        }
    });
    known.collect()
}

/// The texts of pipelines, or why they cannot be read.
type Texts = Result<Vec<pipelines::Text>, String>;

/// Pipelines that tests name themselves, each list once.
struct Own {
    lists: Vec<(Vec<PathBuf>, Texts)>,
}

impl Own {
    fn read(specs: &[Vec<Spec>], sources: &mut SourceMap) -> Self {
        let lists: BTreeSet<&Vec<PathBuf>> =
            specs.iter().flatten().map(|spec| &spec.pipelines).filter(|list| !list.is_empty()).collect();
        let read = |list: &Vec<PathBuf>, sources: &mut SourceMap| {
            let names: Vec<String> = list.iter().map(|path| path.display().to_string()).collect();
            pipelines::read(&names, sources).map_err(|fault| fault.message)
        };
        Self { lists: lists.into_iter().map(|list| (list.clone(), read(list, sources))).collect() }
    }

    /// The chain of `-p` first, then one for each list: the pipelines of `-p` and the list's.
    fn compile<'a>(
        &self,
        sources: &'a SourceMap,
        common: &[std::sync::Arc<sigcast_pipeline::Pipeline<'a>>],
        external: bool,
        terminal: &Terminal,
    ) -> Result<Vec<Result<Chain<'a>, String>>, Fault> {
        let mut chains = vec![Ok(Chain::new(common.to_vec()))];
        for (_, list) in &self.lists {
            chains.push(list.as_ref().map_err(Clone::clone).and_then(|texts| {
                let own = pipelines::compile(texts, sources, external, terminal).map_err(|fault| fault.message)?;
                Ok(Chain::new(common.iter().cloned().chain(own).collect()))
            }));
        }
        Ok(chains)
    }

    /// The chain of a test.
    fn chain<'c, 'a>(&self, spec: &Spec, chains: &'c [Result<Chain<'a>, String>]) -> Result<&'c Chain<'a>, String> {
        let at = self.lists.iter().position(|(list, _)| *list == spec.pipelines).map_or(0, |at| at + 1);
        chains
            .get(at)
            .map_or_else(|| Err("its pipelines were not read".to_owned()), |chain| chain.as_ref().map_err(Clone::clone))
    }
}

fn tested<'e>(entry: &'e Entry<'_>, inputs: &'e Inputs, cases: Vec<Case>) -> Tested<'e> {
    Tested {
        path: engine::path(&inputs.sources, entry),
        document: entry.document.number,
        rule_id: entry.document.id.as_deref(),
        title: entry.document.title.as_deref(),
        cases,
    }
}

/// Files of events that lie beside rules and are named like none of them: a misspelt name must not pass for a test.
fn strays(finder: &Finder, roots: &[&Path], trees: &[PathBuf], used: &BTreeSet<PathBuf>) -> Vec<(String, Case)> {
    let mut found = Vec::new();
    for path in finder.strays(roots, used) {
        // In a tree of tests there may be those of rules that the run is not about.
        if trees.iter().any(|tree| path.starts_with(tree)) {
            continue;
        }
        let message =
            "no rule beside it has this name: the file name of a rule without .yml, its id or its name is expected";
        let spec = Spec::new("", path.clone(), Wanted::Match);
        found.push((path.display().to_string(), Case::of_problem(&spec, &Problem::Error(message.to_owned()))));
    }
    found
}

/// Writes the results and what there is to say of the rules.
fn finish(
    args: &TestArgs,
    terminal: &Terminal,
    inputs: &Inputs,
    entries: &[Entry<'_>],
    tested: &[Tested<'_>],
) -> Result<Exit, Fault> {
    for found in &inputs.unreadable {
        terminal.say(&render::text(found, &inputs.sources, terminal.colour));
    }
    for entry in entries.iter().filter(|entry| matches!(entry.document.kind, Kind::Invalid)) {
        for found in entry.document.diagnostics.iter().filter(|found| engine::is_error(found)) {
            terminal.say(&render::text(found, &inputs.sources, terminal.colour));
        }
    }
    let counts = report::Counts::new(entries, tested);
    let text = report::write(args.format, tested, terminal.verbosity == Verbosity::Verbose);
    let text = text.map_err(|fault| Fault::io(format!("the report cannot be made: {fault}")))?;
    to_stdout(text.as_bytes())?;
    if terminal.verbosity > Verbosity::Quiet {
        terminal.say(&counts.line(terminal));
    }
    if !inputs.unreadable.is_empty() || tested.iter().flat_map(|one| &one.cases).any(|case| case.io) {
        return Ok(Exit::Io);
    }
    if counts.cases() == 0 {
        let fault = if counts.rules == 0 {
            run::nothing(0, inputs.texts.len(), entries.len())
        } else {
            let message = format!("no test found for {}", report::count(counts.rules, "rule"));
            Fault { exit: Exit::Rules, message, help: Vec::new() }
                .help("`sigcast test --help` shows where tests are looked for")
        };
        terminal.fault(&fault);
        return Ok(Exit::Rules);
    }
    Ok(if counts.failed(args.strict) { Exit::Rules } else { Exit::Done })
}
