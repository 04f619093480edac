//! Whether a test passes.
//!
//! Invariant: a case passes only if every engine of the run answers, and as expected. What is not decided is skipped with
//! the reason, never passed.

use serde_json::Value;
use sigcast_diagnostics::{SourceMap, Span};
use sigcast_eval::{RuleMatcher, TimedEvent, flatten_windows};
use sigcast_frontend::Kind;
use sigcast_ir::{Correlation, Rule};
use sigcast_pipeline::Chain;

use super::events::{self, Broken, Event, Unread};
use super::explain::{Explained, explain};
use super::layout::{Problem, Spec, Wanted};
use crate::args::Engine;
use crate::engine::{self, Entry, is_error};
use crate::input::reason;

/// Of how many events a failed count is explained.
const EXPLAINED: usize = 3;

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Passed,
    Failed,
    /// It could not be run, because something is wrong.
    Error,
    /// It was not decided.
    Skipped,
}

impl Outcome {
    /// The word for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

/// What the conditions of a rule say of one event.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The event's number in its file, and its line.
    pub(super) number: usize,
    pub(super) line: usize,
    pub(super) conditions: Vec<Explained>,
}

/// A case with its result.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// Its name; empty if it is that of its place.
    pub(super) name: String,
    /// The file with the events, or with what is wrong.
    pub(super) file: String,
    pub(super) line: Option<usize>,
    pub(super) column: Option<usize>,
    /// What was expected, in words.
    pub(super) expected: String,
    pub(super) outcome: Outcome,
    /// One sentence without a full stop; empty if there is nothing to say.
    pub(super) message: String,
    pub(super) shown: Vec<Shown>,
    /// Whether a file could not be read.
    pub(super) io: bool,
}

impl Case {
    pub(super) fn new(spec: &Spec, line: Option<usize>) -> Self {
        let expected = match spec.wanted {
            Wanted::Match => "the event matches".to_owned(),
            Wanted::NoMatch => "the event does not match".to_owned(),
            Wanted::Some | Wanted::AtLeast(1) => "an event matches".to_owned(),
            Wanted::AtLeast(count) => format!("{count} events match"),
            Wanted::None => "no event matches".to_owned(),
        };
        Self {
            name: spec.name.clone(),
            file: spec.path.display().to_string(),
            line,
            column: None,
            expected,
            outcome: Outcome::Passed,
            message: String::new(),
            shown: Vec::new(),
            io: false,
        }
    }

    pub(super) fn ended(mut self, outcome: Outcome, message: impl Into<String>) -> Self {
        self.outcome = outcome;
        self.message = message.into();
        self
    }

    /// The case that stands for a test that cannot be run.
    pub(super) fn of_problem(spec: &Spec, problem: &Problem) -> Self {
        let case = Self::new(spec, None);
        match problem {
            Problem::Error(message) => case.ended(Outcome::Error, message),
            Problem::Skipped(message) => case.ended(Outcome::Skipped, message),
        }
    }
}

/// What an engine says of an event; what keeps it from answering.
pub(super) type Answer = Result<bool, String>;

/// The answers to an event.
struct Answered<'e> {
    event: &'e Event,
    /// The event with its fields as rules name them.
    flat: &'e Value,
    reference: Answer,
    /// That of SQLite, if it was asked.
    sqlite: Option<Answer>,
}

/// What the answers of SQLite come with.
#[derive(Default)]
pub(super) struct Emitted {
    pub(super) queries: Vec<String>,
    /// Words on assumptions and approximations; empty if there are none.
    pub(super) rests: String,
}

/// Runs tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'j> {
    pub(super) sources: &'j SourceMap,
    pub(super) engine: Engine,
    /// The fields that times are read from; the usual ones if there are none.
    pub(super) time_fields: &'j [String],
}

impl Judge<'_> {
    /// The cases of a document's tests.
    pub(super) fn cases<'c, 'a: 'c>(
        &self,
        entry: &Entry<'_>,
        specs: &[Spec],
        chain: &dyn Fn(&Spec) -> Result<&'c Chain<'a>, String>,
    ) -> Vec<Case> {
        let rule = match &entry.document.kind {
            Kind::Rule(rule) => rule,
            Kind::Skipped | Kind::Filter(_) | Kind::Unlinked(_) => return Vec::new(),
            Kind::Correlation(correlation) => return self.correlation(entry, correlation, specs, chain),
            Kind::Invalid | Kind::Refused => return self.without(entry, specs),
        };
        self.each(entry, rule.span, specs, chain, &|spec, chain| self.spec(rule, spec, chain))
    }

    /// The cases of each test, by what decides those of a test that can be run.
    pub(super) fn each<'c, 'a: 'c>(
        &self,
        entry: &Entry<'_>,
        place: Span,
        specs: &[Spec],
        chain: &dyn Fn(&Spec) -> Result<&'c Chain<'a>, String>,
        decide: &dyn Fn(&Spec, &'c Chain<'a>) -> Vec<Case>,
    ) -> Vec<Case> {
        let each = specs.iter().map(|spec| {
            let problem = |message: String| vec![Case::of_problem(spec, &Problem::Error(message))];
            if let Some(found) = &spec.problem {
                return vec![Case::of_problem(spec, found)];
            }
            let chain = match chain(spec) {
                Ok(chain) => chain,
                Err(message) => return problem(format!("its pipelines are wrong: {message}")),
            };
            engine::guarded(entry.source, place.start as usize, || decide(spec, chain))
                .unwrap_or_else(|fault| problem(fault.message))
        });
        each.flatten().collect()
    }

    /// The cases of what is no rule to run.
    fn without(&self, entry: &Entry<'_>, specs: &[Spec]) -> Vec<Case> {
        let fault = entry.document.diagnostics.iter().find(|found| is_error(found));
        let message = fault.map_or_else(
            || "the rule is wrong".to_owned(),
            |found| format!("the rule cannot be run: {} [{}]", found.message, found.code.as_str()),
        );
        if specs.is_empty() && matches!(entry.document.kind, Kind::Invalid) {
            let spec = Spec::new("the rule", engine::path(self.sources, entry), Wanted::Some);
            let mut case = Case::of_problem(&spec, &Problem::Error(message));
            let place = fault.and_then(|found| found.span()).map(|span| self.sources.position(span));
            case.line = place.map(|place| place.line as usize);
            case.column = place.map(|place| place.column as usize);
            case.expected = "a rule without errors".to_owned();
            return vec![case];
        }
        specs.iter().map(|spec| Case::of_problem(spec, &Problem::Error(message.clone()))).collect()
    }

    /// The cases of a test.
    fn spec(&self, rule: &Rule<'_>, spec: &Spec, chain: &Chain<'_>) -> Vec<Case> {
        let problem = |message: String| vec![Case::of_problem(spec, &Problem::Error(message))];
        let applied = chain.apply(rule.clone());
        if let Some(found) = applied.diagnostics.iter().find(|found| is_error(found)) {
            return problem(format!("a pipeline refuses the rule: {} [{}]", found.message, found.code.as_str()));
        }
        let rule = &applied.rule;
        let matcher = match RuleMatcher::new(rule) {
            Ok(matcher) => matcher,
            Err(fault) => return problem(format!("the rule cannot be run: {fault}")),
        };
        let read = match read(spec) {
            Ok(read) => read,
            Err(case) => return vec![*case],
        };
        // A test with pipelines of its own maps the rule to the event as its file has it.
        let flat: Vec<Value> = read
            .iter()
            .flatten()
            .map(|event| if spec.pipelines.is_empty() { flatten_windows(&event.value) } else { event.value.clone() })
            .collect();
        let (answers, emitted) = self.answers(rule, &matcher, read.iter().flatten().zip(&flat).collect());
        let broken = read.iter().filter_map(|one| one.as_ref().err()).map(|found| broken(spec, found));
        let mut cases: Vec<Case> = broken.collect();
        match spec.wanted {
            Wanted::Match | Wanted::NoMatch => {
                cases.extend(answers.iter().map(|answered| self.one(rule, spec, answered, &emitted)));
                cases.sort_by_key(|case| case.line);
            }
            // A file of which a part is broken has no count.
            Wanted::Some | Wanted::AtLeast(_) | Wanted::None if !cases.is_empty() => {}
            Wanted::AtLeast(least) => cases.push(self.several(rule, spec, &answers, &emitted, least)),
            Wanted::Some => cases.push(self.several(rule, spec, &answers, &emitted, 1)),
            Wanted::None => cases.push(self.several(rule, spec, &answers, &emitted, 0)),
        }
        cases
    }

    fn answers<'e>(
        &self,
        rule: &Rule<'_>,
        matcher: &RuleMatcher,
        events: Vec<(&'e Event, &'e Value)>,
    ) -> (Vec<Answered<'e>>, Emitted) {
        let flat: Vec<&Value> = events.iter().map(|(_, flat)| *flat).collect();
        let (mut sqlite, emitted) = match self.engine {
            Engine::Reference => (Vec::new(), Emitted::default()),
            Engine::Sqlite => emitted(rule, &flat),
        };
        sqlite.resize_with(events.len(), || None);
        let answers = events.into_iter().zip(sqlite).map(|((event, flat), sqlite)| Answered {
            event,
            flat,
            reference: matcher.matches(flat).map_err(|fault| fault.to_string()),
            sqlite,
        });
        (answers.collect(), emitted)
    }

    /// A case of one event.
    fn one(&self, rule: &Rule<'_>, spec: &Spec, answered: &Answered<'_>, emitted: &Emitted) -> Case {
        let case = Case::new(spec, Some(answered.event.line));
        let wanted = spec.wanted == Wanted::Match;
        match (&answered.reference, &answered.sqlite) {
            (Err(why), _) => case.ended(Outcome::Error, format!("the answer is not known: {why}")),
            (Ok(found), _) if *found != wanted => {
                let mut case = case
                    .ended(Outcome::Failed, format!("expected: {}; found: {}", case_word(wanted), case_word(*found)));
                case.shown = self.shown(rule, [answered]);
                case
            }
            (_, Some(Ok(found))) if *found != wanted => case.ended(Outcome::Failed, disagrees(wanted, emitted)),
            (_, Some(Err(why))) => case.ended(Outcome::Skipped, format!("not decided by SQLite: {why}")),
            _ => case,
        }
    }

    /// A case of all events of a file: `least` of them match, or none if that is 0.
    fn several(&self, rule: &Rule<'_>, spec: &Spec, answers: &[Answered<'_>], emitted: &Emitted, least: u64) -> Case {
        let case = Case::new(spec, None);
        if let Some((event, why)) = answers.iter().find_map(|one| Some((one.event, one.reference.as_ref().err()?))) {
            return case.ended(Outcome::Error, format!("the answer for event {} is not known: {why}", event.number));
        }
        let (hits, misses): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.reference == Ok(true));
        let of = answers.len();
        let failed = if least == 0 { !hits.is_empty() } else { (hits.len() as u64) < least };
        if failed {
            let message = format!("expected: {}; found: {} of {of} match", case.expected, hits.len());
            let mut case = case.ended(Outcome::Failed, message);
            case.shown = self.shown(rule, if least == 0 { hits } else { misses });
            return case;
        }
        for one in answers {
            match (&one.reference, &one.sqlite) {
                (Ok(wanted), Some(Ok(found))) if wanted != found => {
                    let message = format!("event {}: {}", one.event.number, disagrees(*wanted, emitted));
                    return case.ended(Outcome::Failed, message);
                }
                _ => {}
            }
        }
        let undecided = answers.iter().find_map(|one| Some((one.event, one.sqlite.as_ref()?.as_ref().err()?)));
        if let Some((event, why)) = undecided {
            return case.ended(Outcome::Skipped, format!("event {} is not decided by SQLite: {why}", event.number));
        }
        if matches!(spec.wanted, Wanted::AtLeast(_)) && hits.len() as u64 > least {
            let message = format!("{} of {of} events match, more than the {least} expected", hits.len());
            return case.ended(Outcome::Passed, message);
        }
        case
    }

    fn shown<'s>(&self, rule: &Rule<'_>, answers: impl IntoIterator<Item = &'s Answered<'s>>) -> Vec<Shown> {
        let explained = answers.into_iter().take(EXPLAINED).filter_map(|one| {
            let conditions = explain(rule, one.flat, self.sources).ok()?;
            Some(Shown { number: one.event.number, line: one.event.line, conditions })
        });
        explained.collect()
    }
}

/// The events of a test and what is broken in them; the case that stands for it if there are none.
pub(super) fn read(spec: &Spec) -> Result<Vec<Result<Event, Broken>>, Box<Case>> {
    let problem = |message: String| Case::of_problem(spec, &Problem::Error(message));
    match events::read(&spec.path) {
        Ok(read) if read.is_empty() => Err(Box::new(problem("the file has no event".to_owned()))),
        Ok(read) => Ok(read),
        Err(Unread::Wrong(message)) => Err(Box::new(problem(message))),
        Err(Unread::Io(cause)) => {
            let case = problem(format!("cannot read {}: {}", spec.path.display(), reason(&cause)));
            Err(Box::new(Case { io: true, ..case }))
        }
    }
}

/// The case of a line that is no event.
pub(super) fn broken(spec: &Spec, found: &Broken) -> Case {
    let case = Case::new(spec, Some(found.line)).ended(Outcome::Error, found.message.clone());
    Case { column: Some(found.column), ..case }
}

fn case_word(wanted: bool) -> &'static str {
    if wanted { "the event matches" } else { "the event does not match" }
}

/// What is said if SQLite does not answer as the reference evaluator.
fn disagrees(wanted: bool, emitted: &Emitted) -> String {
    let (reference, sqlite) = if wanted { ("matches", "does not find it") } else { ("does not match", "finds it") };
    format!("the event {reference}, and the query for SQLite {sqlite}{}: {}", emitted.rests, emitted.queries.join("; "))
}

/// What SQLite answers to events.
#[cfg(feature = "engine-sqlite")]
fn emitted(rule: &Rule<'_>, events: &[&Value]) -> (Vec<Option<Answer>>, Emitted) {
    let (answers, emitted) = with_words(super::sqlite::answers(rule, events));
    (answers.into_iter().map(Some).collect(), emitted)
}

/// What SQLite answers to the events of a stream: whether the correlation fires there.
#[cfg(feature = "engine-sqlite")]
pub(super) fn firings(correlation: &Correlation<'_>, stream: &[TimedEvent]) -> (Vec<Answer>, Emitted) {
    with_words(super::sqlite::firings(correlation, stream))
}

#[cfg(feature = "engine-sqlite")]
fn with_words(answers: super::sqlite::Answers) -> (Vec<Answer>, Emitted) {
    let words = |what: &str, codes: &[sigcast_diagnostics::Code]| {
        let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        if codes.is_empty() { String::new() } else { format!(" ({what} {})", codes.join(", ")) }
    };
    let rests = words("it rests on", &answers.assumptions) + &words("it is approximate:", &answers.approximate);
    (answers.events, Emitted { queries: answers.queries, rests })
}

#[cfg(not(feature = "engine-sqlite"))]
fn emitted(_: &Rule<'_>, events: &[&Value]) -> (Vec<Option<Answer>>, Emitted) {
    (events.iter().map(|_| Some(without_sqlite())).collect(), Emitted::default())
}

#[cfg(not(feature = "engine-sqlite"))]
pub(super) fn firings(_: &Correlation<'_>, stream: &[TimedEvent]) -> (Vec<Answer>, Emitted) {
    (stream.iter().map(|_| without_sqlite()).collect(), Emitted::default())
}

#[cfg(not(feature = "engine-sqlite"))]
fn without_sqlite() -> Answer {
    Err("this program was built without SQLite".to_owned())
}
