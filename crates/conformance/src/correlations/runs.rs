//! Which target runs where, and on which kind of windows.

use crate::engines::search::{INDEX, TIME};
use crate::layout::{EVENTS, FIELDS, INDICES, NUMBERED, Setting, TABLES};

/// A kind of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// Those that end with each event: what a correlation means.
    Sliding,
    /// Fixed ones, one after the other.
    Fixed,
}

impl Windows {
    /// Their name on the page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sliding => "sliding",
            Self::Fixed => "fixed",
        }
    }
}

/// A target on an engine.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The target.
    pub target: &'static str,
    /// Options, as on the command line.
    pub options: &'static [(&'static str, &'static str)],
    /// What its windows are.
    pub windows: Windows,
    /// How fields are held.
    pub setting: Setting,
    /// The field with the times of events.
    pub time: &'static str,
}

const fn rows(target: &'static str) -> Run {
    Run { target, options: &[], windows: Windows::Sliding, setting: TABLES[0], time: "timestamp" }
}

const fn splunk(options: &'static [(&'static str, &'static str)], windows: Windows) -> Run {
    Run { target: "splunk", options, windows, setting: FIELDS[0], time: "_time" }
}

const fn index(target: &'static str, options: &'static [(&'static str, &'static str)], setting: Setting) -> Run {
    Run { target, options, windows: Windows::Fixed, setting, time: TIME }
}

/// What runs on the engine of this name.
#[must_use]
pub fn of(engine: &str) -> &'static [Run] {
    match engine {
        "sqlite" => const { &[rows("sqlite")] },
        "postgres" => const { &[rows("postgres")] },
        "duckdb" => const { &[rows("duckdb")] },
        "spl" => {
            const { &[splunk(&[("window", "sliding")], Windows::Sliding), splunk(&[("window", "tumbling")], Windows::Fixed)] }
        }
        "eql" => {
            const { &[Run { target: "eql", options: &[], windows: Windows::Sliding, setting: EVENTS[0], time: TIME }] }
        }
        "opensearch" => {
            const { &[index("es-dsl", &[], INDICES[1]), index("watcher", &[("case", "expand")], INDICES[1])] }
        }
        "elasticsearch" => {
            const {
                &[
                    // Maven Central has neither Elasticsearch's module for pipeline aggregations nor the one for Painless.
                    index("esql", &[("index", INDEX)], NUMBERED[1]),
                ]
            }
        }
        _ => &[],
    }
}
