//! Splunk's language, interpreted inside this program: see [`crate::spl`].
//!
//! This is no engine of the vendor's: it says what the documentation says, as read here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde_json::Value;

use super::{Answer, Engine, Fault};
use crate::layout::{Asked, Setting};
use crate::spl::Query;
use crate::spl::event::Event;

/// Events, and the interpreter.
#[derive(Debug, Default)]
pub struct Spl {
    events: Vec<Event>,
    answers: AtomicUsize,
    undocumented: AtomicUsize,
}

impl Spl {
    /// The interpreter without events.
    ///
    /// # Errors
    /// None: it needs nothing.
    pub fn start() -> Result<Self, Fault> {
        Ok(Self::default())
    }

    fn ask(&self, request: &str) -> Answer {
        let query = Query::parse(request)?;
        let verdicts: Vec<_> = self.events.iter().map(|event| query.matches(event)).collect();
        let undocumented = verdicts.iter().filter(|verdict| verdict.undocumented).count();
        self.answers.fetch_add(verdicts.len(), Ordering::Relaxed);
        self.undocumented.fetch_add(undocumented, Ordering::Relaxed);
        Ok(verdicts.iter().enumerate().filter(|(_, verdict)| verdict.found).map(|(at, _)| at).collect::<BTreeSet<_>>())
    }
}

impl Engine for Spl {
    fn name(&self) -> String {
        let (answers, open) = (self.answers.load(Ordering::Relaxed), self.undocumented.load(Ordering::Relaxed));
        format!(
            "Splunk's language, by an interpreter written from its documentation ({open} of {answers} answers rest on \
             functions of fields with several values, of which it does not tell)"
        )
    }

    fn prepare(&mut self, _fields: &BTreeMap<String, Asked>, _setting: Setting) -> Result<(), Fault> {
        self.events.clear();
        Ok(())
    }

    fn load(&mut self, events: &[Value]) -> Result<(), Fault> {
        self.events.extend(events.iter().map(Event::new));
        Ok(())
    }

    fn run(&mut self, requests: &[String]) -> Result<Vec<Answer>, Fault> {
        Ok(requests.par_iter().map(|request| self.ask(request)).collect())
    }
}
