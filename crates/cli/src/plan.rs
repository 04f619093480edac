//! From what was typed to what it means.
//!
//! Invariant: no I/O; every word that is not known is a usage fault that names the nearest known one.

use sigcast_backends::options::{self, Settings};
use sigcast_backends::{AMBIGUOUS, Backend, Format, TARGETS, Target};
use sigcast_diagnostics::{Class, Code, nearest};

use crate::args::ConvertArgs;
use crate::exit::Fault;
use crate::select::Selection;

/// One target of a run.
#[derive(Debug)]
pub(crate) struct Job {
    /// The target with its options.
    pub(crate) backend: Backend,
    /// The output format.
    pub(crate) format: &'static Format,
    /// The extension of its files, without the dot.
    pub(crate) extension: String,
    /// Whether a file may hold one text of the format only.
    pub(crate) alone: bool,
}

impl Job {
    /// The fault of several texts in one file of a format that does not hold them; none if it does.
    pub(crate) fn crowded(&self, file: &str, texts: usize) -> Option<Fault> {
        (self.alone && texts > 1).then(|| {
            let name = self.format.name;
            Fault::usage(format!("{file} would hold {texts} documents, and each of `{name}` is a file of its own"))
        })
    }
}

/// What a run of `convert` does, apart from where it reads and writes.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The targets, in the order of the command line, each once.
    pub(crate) jobs: Vec<Job>,
    /// Which rules.
    pub(crate) selection: Selection,
    /// Assumptions that refuse a rule.
    pub(crate) denied: Vec<Code>,
    /// Whether the output is rows of JSON.
    pub(crate) jsonl: bool,
    /// Whether a comment stands before each query.
    pub(crate) header: bool,
    /// Whether approximate queries fail the run.
    pub(crate) strict: bool,
}

impl Plan {
    /// The meaning of the command line.
    pub(crate) fn new(args: &ConvertArgs) -> Result<Self, Fault> {
        if args.target.is_empty() {
            return Err(Fault::usage("no target is given: `-t TARGET` is expected")
                .help(format!("targets are {}; `sigcast list targets` shows more", target_names())));
        }
        let targets = targets(&args.target)?;
        if args.paths.is_empty() {
            return Err(Fault::usage("no PATH is given: files, directories or `-` for standard input are expected")
                .help("`sigcast convert -t TARGET rules/` converts every rule in a directory"));
        }
        let mut jobs = Vec::with_capacity(targets.len());
        let mut settings = vec![Options::default(); targets.len()];
        set_options(&mut settings, &args.option, &targets)?;
        for (target, (settings, given)) in targets.into_iter().zip(settings) {
            let format = format(target, args.format.as_deref())?;
            if args.header && !format.plain {
                return Err(Fault::usage(format!(
                    "--header puts a comment before plain queries, and the format `{}` of {} is none",
                    format.name, target.name
                )));
            }
            jobs.push(Job {
                backend: Backend { target, settings, given }.for_format(format),
                format,
                extension: format.extension.to_owned(),
                alone: false,
            });
        }
        Ok(Self {
            jobs,
            selection: Selection::new(args)?,
            denied: args.deny_assumption.iter().map(|word| assumption(word)).collect::<Result<_, _>>()?,
            jsonl: args.jsonl,
            header: args.header,
            strict: args.strict,
        })
    }
}

/// The targets that these words name, each once.
pub(crate) fn targets(words: &[String]) -> Result<Vec<&'static Target>, Fault> {
    let mut found: Vec<&'static Target> = Vec::new();
    for word in words {
        let target = target(word)?;
        if !found.iter().any(|known| known.name == target.name) {
            found.push(target);
        }
    }
    Ok(found)
}

/// The target with this name.
pub(crate) fn target(word: &str) -> Result<&'static Target, Fault> {
    let word = word.trim();
    if let Some((_, hint)) = AMBIGUOUS.iter().find(|(name, _)| *name == word) {
        return Err(Fault::usage(format!("`{word}` is no target: {hint}")));
    }
    sigcast_backends::find(word).ok_or_else(|| {
        let names =
            TARGETS.iter().flat_map(|target| std::iter::once(target.name).chain(target.aliases.iter().copied()));
        Fault::usage(format!("unknown target `{word}`"))
            .near(word, names)
            .help(format!("targets are {}; `sigcast list targets` shows more", target_names()))
    })
}

fn target_names() -> String {
    TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ")
}

/// The format with this name, or the target's first.
pub(crate) fn format(target: &'static Target, word: Option<&str>) -> Result<&'static Format, Fault> {
    let Some(word) = word else {
        return target.formats.first().ok_or_else(|| Fault::usage(format!("{} has no output format", target.name)));
    };
    target.format(word).ok_or_else(|| {
        let names: Vec<&str> = target.formats.iter().map(|format| format.name).collect();
        let aliases = target.formats.iter().flat_map(|format| format.aliases.iter().copied());
        Fault::usage(format!("{} has no output format `{word}`", target.name))
            .near(word, names.iter().copied().chain(aliases))
            .help(format!("formats of {} are {}", target.name, names.join(", ")))
    })
}

/// The settings of a target, and the keys of those that were given.
pub(crate) type Options = (Settings, Vec<&'static str>);

/// Sets options of each target: what holds for all first, then what holds for that one.
///
/// # Errors
/// An option that none of the targets knows, or a value that it does not take.
pub(crate) fn set_options(all: &mut [Options], given: &[String], targets: &[&'static Target]) -> Result<(), Fault> {
    let given: Vec<Given<'_>> = given.iter().map(|text| Given::new(text, targets)).collect::<Result<_, _>>()?;
    let general = given.iter().filter(|option| option.of.is_none());
    let particular = given.iter().filter(|option| option.of.is_some());
    for option in general.chain(particular) {
        for (target, (settings, keys)) in targets.iter().zip(all.iter_mut()) {
            let meant = option.of.is_none_or(|of| of.name == target.name) && target.options.contains(&option.key);
            if meant {
                keys.push(option.apply(target, settings)?);
            }
        }
    }
    Ok(())
}

/// One `-O`.
struct Given<'a> {
    key: &'a str,
    value: &'a str,
    of: Option<&'static Target>,
}

impl<'a> Given<'a> {
    fn new(text: &'a str, targets: &[&'static Target]) -> Result<Self, Fault> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Fault::usage(format!("`-O {text}` has no value: `-O key=value` is expected")));
        };
        let (of, key) = match name.split_once('.') {
            Some((word, key)) => (Some(target(word)?), key),
            None => (None, name),
        };
        if let Some(of) = of.filter(|of| !targets.iter().any(|target| target.name == of.name)) {
            return Err(Fault::usage(format!("`-O {text}`: {} is no target of this run", of.name)));
        }
        let knows = |target: &Target| target.options.contains(&key);
        let known = match of {
            Some(of) => knows(of),
            None => targets.iter().any(|target| knows(target)),
        };
        if known { Ok(Self { key, value, of }) } else { Err(unknown_key(key, of, targets)) }
    }

    /// Sets the option; gives its key.
    fn apply(&self, target: &Target, settings: &mut Settings) -> Result<&'static str, Fault> {
        let Some(spec) = options::option(self.key) else { return Err(unknown_key(self.key, None, &[])) };
        spec.set(settings, self.value).map_err(Fault::usage)?;
        if self.key == "style" && !target.styles.iter().any(|(name, _)| *name == self.value) {
            let names: Vec<&str> = target.styles.iter().map(|(name, _)| *name).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let fault = Fault::usage(format!("option style: {} has no style `{}`", target.name, self.value));
            return Err(fault.help(format!("styles of {}: {known}", target.name)));
        }
        Ok(spec.key)
    }
}

fn unknown_key(key: &str, of: Option<&'static Target>, targets: &[&'static Target]) -> Fault {
    let asked: Vec<&Target> = of.map_or_else(|| targets.to_vec(), |of| vec![of]);
    let names = asked.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    let keys = asked.iter().flat_map(|target| target.options.iter().copied());
    let fault = match options::option(key) {
        Some(_) => Fault::usage(format!("option `{key}` is not known to {names}")),
        None => Fault::usage(format!("unknown option `{key}`")),
    };
    let near = nearest(key, keys).or_else(|| options::nearest_key(key)).filter(|near| *near != key);
    let fault = fault.near(near.unwrap_or_default(), near);
    fault.help(format!("`sigcast list options -t {}` shows every option", names.replace(", ", ",")))
}

/// The assumption with this code.
pub(crate) fn assumption(word: &str) -> Result<Code, Fault> {
    let known = || Code::ALL.iter().copied().filter(|code| code.class() == Class::Assumption);
    if let Some(code) = known().find(|code| code.as_str() == word) {
        return Ok(code);
    }
    let fault = match Code::ALL.iter().find(|code| code.as_str() == word) {
        Some(code) => {
            Fault::usage(format!("`{word}` is no assumption: it is a code of class {}", code.class().as_str()))
        }
        None => Fault::usage(format!("unknown assumption `{word}`")),
    };
    let short = known().map(Code::as_str).find(|code| code.strip_prefix("assume-") == Some(word));
    let near = short.or_else(|| nearest(word, known().map(Code::as_str)));
    let fault = fault.near(near.unwrap_or_default(), near);
    Err(fault.help(format!("assumptions are {}", known().map(Code::as_str).collect::<Vec<_>>().join(", "))))
}
