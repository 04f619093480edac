//! What becomes of a recorded event on its way into a product: shippers, written from their vendors' documentation and not
//! from the pipelines that they are compared with.
//!
//! Invariant: an event in, an event out, by the shipper's rules alone; no rule of detection is known here.

pub mod elastic;
pub mod splunk;

use serde_json::{Map, Value};

/// An event by the names of fields that rules use.
pub type Flat = Map<String, Value>;

/// The channel of Sysmon.
pub const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";
