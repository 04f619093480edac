//! SQLite itself runs the queries: the rows that it finds must be those that the rule means.
//!
//! A row is an event on the data model of a flat table: one value a column, null is absent.

#[path = "../support/address.rs"]
mod address;
mod constructs;
mod correlations;
mod made;
mod sampler;
mod samples;
mod table;

use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, find};

/// SQLite with these options.
fn backend(options: &[(&str, &str)]) -> Backend {
    Backend::new(find("sqlite").expect("a target"), Settings::of(options).expect("options"))
}
