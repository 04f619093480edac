//! Splunk's language, interpreted inside this program: see [`crate::spl`].
//!
//! This is no engine of the vendor's: it says what the documentation says, as read here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde_json::Value;
use sigcast_eval::{BucketFiring, milliseconds};

use super::{Answer, Engine, Fault, Found, Request};
use crate::layout::{Asked, Setting};
use crate::spl::Query;
use crate::spl::event::Event;
use crate::spl::pipeline::{Pipeline, Ties};

/// Events, and the interpreter.
#[derive(Debug, Default)]
pub struct Spl {
    events: Vec<Event>,
    /// Those that have a time in `_time`, with it.
    indexed: Vec<(i64, Event)>,
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

/// What the rows are: events of the index, or windows with their groups.
fn found(rows: &[Event], request: &Request<'_>) -> Result<Found, String> {
    if !request.fixed {
        let numbers = rows.iter().map(|row| row.number().ok_or("a row that is no event".to_owned()));
        return numbers.collect::<Result<_, _>>().map(Found::Events);
    }
    let one = |row: &Event, name: &str| row.values(name).first().map(|value| value.plain.clone());
    let window = |row: &Event| {
        let start = one(row, "_time").and_then(|time| time.parse::<f64>().ok()).ok_or("a row without a time")?;
        let key = |names: &Vec<String>| names.iter().find_map(|name| one(row, name));
        let keys = request.keys.iter().map(key).collect::<Option<Vec<String>>>();
        // Windows start at whole seconds.
        Ok(BucketFiring { start: start as i64 * 1000, keys: keys.ok_or("a row without a key")? })
    };
    rows.iter().map(window).collect::<Result<BTreeSet<_>, String>>().map(Found::Windows)
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
        self.indexed.clear();
        Ok(())
    }

    fn load(&mut self, events: &[Value]) -> Result<(), Fault> {
        for event in events {
            if let Some(time) = event.get("_time").and_then(milliseconds) {
                let mut fields = event.clone();
                if let Value::Object(fields) = &mut fields {
                    fields.remove("_time");
                }
                self.indexed.push((time, Event::indexed(&fields, time, self.events.len())));
            }
            self.events.push(Event::new(event));
        }
        // A search finds the latest events first.
        self.indexed.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        Ok(())
    }

    fn find(&mut self, request: &Request<'_>) -> Result<Result<Found, String>, Fault> {
        let events: Vec<Event> = self.indexed.iter().map(|(_, event)| event.clone()).collect();
        let found = Pipeline::parse(request.query).and_then(|query| {
            let one = found(&query.run(&events, Ties::Kept)?, request)?;
            let other = found(&query.run(&events, Ties::Reversed)?, request)?;
            if one == other { Ok(one) } else { Err("the answer depends on an order that is not told".to_owned()) }
        });
        Ok(found)
    }

    fn run(&mut self, requests: &[String]) -> Result<Vec<Answer>, Fault> {
        Ok(requests.par_iter().map(|request| self.ask(request)).collect())
    }
}
