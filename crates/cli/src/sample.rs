//! `sigcast sample`: events made from rules, with the answer of each condition, and streams of events made from
//! correlations, with the firings that are expected, as lines of JSON.
//!
//! Invariant: an event is written only with an answer that is known; a rule that cannot be sampled is an error that
//! stops no other; the order is that of the input.

use std::io::{self, BufWriter, Write};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;
use sigcast_diagnostics::{Code, Diagnostic, SourceMap, Span};
use sigcast_eval::{EvalError, EvalFault, Limits, Sample, StreamSample, samples};
use sigcast_frontend::Kind;
use sigcast_ir::Rule;

use crate::args::SampleArgs;
use crate::engine::{self, Converted, Ended, Entry, Status};
use crate::exit::{Exit, Fault};
use crate::input::{self, Inputs};
use crate::link;
use crate::run;
use crate::streams::{self, Fires};
use crate::summary;
use crate::terminal::{Terminal, Verbosity};

/// How many documents are worked on before their lines are written: memory stays small whatever the input.
const AT_ONCE: usize = 256;

/// A line. Other programs rely on the keys and their order.
#[derive(Serialize)]
struct Object<'a> {
    path: &'a str,
    document: usize,
    rule_id: Option<&'a str>,
    title: Option<&'a str>,
    expected: &'a [bool],
    what: &'a str,
    event: &'a Value,
}

/// A line of a correlation. Other programs rely on the keys and their order.
#[derive(Serialize)]
struct StreamObject<'a> {
    path: &'a str,
    document: usize,
    rule_id: Option<&'a str>,
    title: Option<&'a str>,
    expected: Vec<Fires<'a>>,
    what: &'a str,
    stream: Vec<&'a Value>,
}

/// What became of a document.
struct Sampled {
    status: Status,
    diagnostics: Vec<Diagnostic>,
    /// A line an event, each with its line break.
    lines: String,
    /// How many events match some condition, and how many none.
    hits: usize,
    others: usize,
    /// In how many streams a correlation fires, and in how many it does not.
    fire: usize,
    silent: usize,
}

impl Sampled {
    fn without(status: Status) -> Self {
        Self { status, diagnostics: Vec::new(), lines: String::new(), hits: 0, others: 0, fire: 0, silent: 0 }
    }
}

/// Runs `sigcast sample`.
pub(crate) fn sample(args: &SampleArgs, terminal: &Terminal) -> Result<Exit, Fault> {
    if args.paths.is_empty() {
        return Err(Fault::usage("no PATH is given: files, directories or `-` for standard input are expected")
            .help("`sigcast sample rule.yml` makes events from one rule"));
    }
    let limits = Limits { hits: args.hits as usize, variations: args.variations as usize };
    let inputs = input::read_with(&args.paths, &args.filter);
    let entries = link::linked(&inputs, run::parsed(&inputs, terminal));
    let progress = terminal.progress(entries.len());
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut ended: Vec<Sampled> = Vec::with_capacity(entries.len());
    for some in entries.chunks(AT_ONCE) {
        let done: Vec<Sampled> = some
            .par_iter()
            .map(|entry| {
                let done = end(entry, &inputs.sources, limits, &args.time_field);
                progress.step();
                done
            })
            .collect();
        for mut one in done {
            if let Err(cause) = out.write_all(std::mem::take(&mut one.lines).as_bytes()) {
                return write_fault(&cause);
            }
            ended.push(one);
        }
    }
    progress.finish();
    if let Err(cause) = out.flush() {
        return write_fault(&cause);
    }
    Ok(report(terminal, &inputs, &entries, ended))
}

/// A reader that has gone away is no failure.
fn write_fault(cause: &io::Error) -> Result<Exit, Fault> {
    match cause.kind() {
        io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        _ => Err(Fault::io(format!("cannot write to standard output: {}", input::reason(cause)))),
    }
}

/// The lines of a document.
fn end(entry: &Entry<'_>, sources: &SourceMap, limits: Limits, time: &str) -> Sampled {
    let rule = match &entry.document.kind {
        Kind::Rule(rule) => rule,
        Kind::Invalid => return Sampled::without(Status::Invalid),
        Kind::Refused => return Sampled::without(Status::Refused),
        Kind::Correlation(correlation) => {
            let made = engine::guarded(entry.source, correlation.span.start as usize, || {
                streams::made(correlation, limits, time)
            });
            let made = made.and_then(|made| made.map_err(|fault| refusal(&fault, correlation.kind_span)));
            return match made {
                Ok((made, said)) => streams_written(entry, sources, &made, said),
                Err(fault) => Sampled { diagnostics: vec![fault], ..Sampled::without(Status::Refused) },
            };
        }
        Kind::Skipped | Kind::Filter(_) | Kind::Unlinked(_) => return Sampled::without(Status::Skipped),
    };
    let made = engine::guarded(entry.source, rule.span.start as usize, || samples(rule, limits)).and_then(|made| {
        made.map_err(|fault| {
            let condition = rule.conditions.first().map_or(rule.span, |(_, span)| *span);
            refusal(&fault, condition)
        })
    });
    match made {
        Ok(made) => written(entry, rule, sources, &made),
        Err(fault) => Sampled { diagnostics: vec![fault], ..Sampled::without(Status::Refused) },
    }
}

fn written(entry: &Entry<'_>, rule: &Rule<'_>, sources: &SourceMap, made: &[Sample]) -> Sampled {
    let mut sampled = Sampled::without(Status::Exact);
    let document = &entry.document;
    for sample in made {
        let object = Object {
            path: engine::path(sources, entry),
            document: document.number,
            rule_id: document.id.as_deref(),
            title: document.title.as_deref(),
            expected: &sample.matches,
            what: &sample.what,
            event: &sample.event,
        };
        // Texts, numbers and lists only: there is nothing in it that JSON could not hold.
        sampled.lines += &serde_json::to_string(&object).unwrap_or_default();
        sampled.lines.push('\n');
        if sample.matches.contains(&true) {
            sampled.hits += 1;
        } else {
            sampled.others += 1;
        }
    }
    for (at, (_, span)) in rule.conditions.iter().enumerate() {
        let hit = made.iter().any(|sample| sample.matches.get(at) == Some(&true));
        if !hit {
            let message = "no event that this condition matches was found";
            let help = "it may contradict itself, or ask for values beyond the search for samples";
            sampled.diagnostics.push(Diagnostic::at(Code::NoHit, *span, message).help(help));
        }
    }
    sampled
}

/// The lines of a correlation.
fn streams_written(
    entry: &Entry<'_>,
    sources: &SourceMap,
    made: &[StreamSample],
    diagnostics: Vec<Diagnostic>,
) -> Sampled {
    let mut sampled = Sampled { diagnostics, ..Sampled::without(Status::Exact) };
    for sample in made {
        let object = StreamObject {
            path: engine::path(sources, entry),
            document: entry.document.number,
            rule_id: entry.document.id.as_deref(),
            title: entry.document.title.as_deref(),
            expected: streams::fires(&sample.fires),
            what: &sample.what,
            stream: sample.stream.iter().map(|one| &one.event).collect(),
        };
        sampled.lines += &serde_json::to_string(&object).unwrap_or_default();
        sampled.lines.push('\n');
        if sample.fires.is_empty() {
            sampled.silent += 1;
        } else {
            sampled.fire += 1;
        }
    }
    sampled
}

/// The error for what has no meaning to make events from, at its condition unless a value is at fault.
fn refusal(fault: &EvalError, condition: Span) -> Diagnostic {
    let code = match &fault.fault {
        EvalFault::Placeholder(_) => Code::UnresolvedPlaceholder,
        EvalFault::Regex(_) | EvalFault::RegexSteps => Code::RegexConstruct,
        EvalFault::TooDeep | EvalFault::TooLarge(_) => Code::QueryTooLarge,
        EvalFault::Raw | EvalFault::NeedsField => Code::ConstructUnsupported,
    };
    Diagnostic::at(code, fault.span.unwrap_or(condition), format!("no events can be made from this rule: {fault}"))
}

/// Says what there is to say, and how the run ends.
fn report(terminal: &Terminal, inputs: &Inputs, entries: &[Entry<'_>], ended: Vec<Sampled>) -> Exit {
    let of = |status: Status| ended.iter().filter(|one| one.status == status).count();
    let (done, refused, invalid, skipped) =
        (of(Status::Exact), of(Status::Refused), of(Status::Invalid), of(Status::Skipped));
    let hits: usize = ended.iter().map(|one| one.hits).sum();
    let others: usize = ended.iter().map(|one| one.others).sum();
    let (fire, silent) = ended.iter().fold((0, 0), |(fire, silent), one| (fire + one.fire, silent + one.silent));
    let converted: Vec<Converted> = ended.into_iter().map(as_converted).collect();
    let mut blocks = summary::diagnostics(terminal, inputs, entries, &converted);
    if terminal.verbosity != Verbosity::Quiet && !entries.is_empty() {
        let mut line = format!("{}: {done} sampled", terminal.bold("sample"));
        for (times, word) in [(refused, "refused"), (invalid, "invalid"), (skipped, "skipped")] {
            if times > 0 {
                line += &format!(", {times} {word}");
            }
        }
        if hits + others > 0 || fire + silent == 0 {
            line += &format!("\n  events: {hits} match a condition, {others} match none");
        }
        if fire + silent > 0 {
            line += &format!("\n  streams: in {fire} a correlation fires, in {silent} it does not");
        }
        line += &summary::passed_over(inputs);
        blocks.push(line);
    }
    if !blocks.is_empty() {
        terminal.say(&blocks.join("\n\n"));
    }
    if !inputs.unreadable.is_empty() {
        return Exit::Io;
    }
    if done + refused + invalid == 0 {
        terminal.fault(&run::nothing(0, inputs.texts.len(), entries.len()));
        return Exit::Rules;
    }
    if refused + invalid > 0 { Exit::Rules } else { Exit::Done }
}

/// What became of a document, in the form that reports are made of.
fn as_converted(one: Sampled) -> Converted {
    let ended = Ended { diagnostics: one.diagnostics, ..Ended::without(one.status) };
    Converted { ended: vec![ended], texts: Vec::new() }
}
