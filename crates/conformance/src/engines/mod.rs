//! The engines that execute queries, each behind the same trait in a file of its own.

pub mod postgres;
pub mod script;
pub mod search;
pub mod spl;
pub mod sqlite;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use sigcast_eval::BucketFiring;

use crate::layout::{Asked, Setting};

/// An engine under way.
pub trait Engine {
    /// What it is, with its version.
    fn name(&self) -> String;

    /// Whether it runs queries; else it only says which it refuses.
    fn executes(&self) -> bool {
        true
    }

    /// Makes a place for events with these fields, empty; what was there before is gone.
    ///
    /// # Errors
    /// What the engine says.
    fn prepare(&mut self, fields: &BTreeMap<String, Asked>, setting: Setting) -> Result<(), Fault>;

    /// Puts events there. An event is known by its number in the order that they come in, from 0.
    ///
    /// # Errors
    /// What the engine says.
    fn load(&mut self, events: &[Value]) -> Result<(), Fault>;

    /// What a query of a correlation finds in the events, or what the engine says against it. Here: events.
    ///
    /// # Errors
    /// The engine itself failed.
    fn find(&mut self, request: &Request<'_>) -> Result<Result<Found, String>, Fault> {
        let mut answers = self.run(&[request.query.to_owned()])?;
        Ok(answers.pop().unwrap_or_else(|| Err("no answer".to_owned())).map(Found::Events))
    }

    /// The numbers of the events that each request finds, or what the engine says against the request.
    ///
    /// # Errors
    /// The engine itself failed.
    fn run(&mut self, requests: &[String]) -> Result<Vec<Answer>, Fault>;
}

/// A query of a correlation.
#[derive(Debug, Clone)]
pub struct Request<'r> {
    /// The query.
    pub query: &'r str,
    /// For each key of the groups the names that its column may have, the first that is there.
    pub keys: Vec<Vec<String>>,
    /// How long a window is, in milliseconds.
    pub span: i64,
    /// Whether windows are fixed, so that it finds those and no events.
    pub fixed: bool,
}

/// What a query of a correlation finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Events at which it fires, by number.
    Events(BTreeSet<usize>),
    /// Windows in which it fires, with their groups.
    Windows(BTreeSet<BucketFiring>),
}

/// The events that a request finds, or why the engine refuses it: with [`LACKS`] before it, for want of means.
pub type Answer = Result<BTreeSet<usize>, String>;

/// What begins the reason if the engine speaks a part of the language only, and the query is of the rest.
pub const LACKS: &str = "lacks: ";

/// Why an engine cannot be used, or can no longer.
#[derive(Debug)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// A fault that says what was done and what came of it.
    pub fn new(doing: &str, cause: impl fmt::Display) -> Self {
        Self(format!("{doing}: {cause}"))
    }
}

/// A name for a folder or file of an engine that no other engine under way has.
fn own_name(start: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("{start}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}
