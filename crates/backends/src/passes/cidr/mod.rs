//! Networks as tests of text: patterns, and regular expressions where patterns would match addresses outside.
//!
//! Before: `f` is an address in `172.16.0.0/12`. After: `f` is `172.16.*` or … or `172.31.*`.
//! Before: `f` is an address in `fe80::/10`. After: `f` matches `^[fF][eE][89abAB][0-9a-fA-F]:.*$`.
//!
//! Spellings that are covered: for IPv4 the four decimal numbers without leading zeros. For IPv6 the compressed one of
//! RFC 5952 and the eight groups in full, with and without leading zeros, in any case of letters; where the first 96
//! bits are known to embed an IPv4 address (`::ffff:0:0/96`, `64:ff9b::/96`, `::/96`), each also with the last two
//! groups as IPv4. Regular expressions read every spelling of RFC 4291, but for that tail elsewhere.
//!
//! Invariant: if [`Expansion::inexact`] is `None`, the query matches a covered spelling of an address exactly if the
//! network contains the address. If it is not, the query matches more, never less. What it does with text that
//! is no address is left open. An IPv4 address mapped into IPv6 is no part of an IPv4 network, as in `ipnet`.

mod v4;
mod v6;
mod v6_regex;

#[cfg(test)]
mod tests;

use ipnet::IpNet;
use sigcast_diagnostics::Code;
use sigcast_ir::{Case, Expr, Match, Part, Pattern, Query, Regex, RegexFlags, Subject, Test};

use crate::dialect::{Emit, Say};
use crate::options::CidrMode;
use crate::say::{Legaliser, Refusal, Said, leaf};
use crate::typed;

/// A network as tests of text.
#[derive(Debug)]
pub struct Expansion<'a> {
    /// The tests.
    pub query: Query<'a>,
    /// What else the tests match, if they match more than the network; completes "… match ".
    pub inexact: Option<String>,
}

/// What a language has beyond the wildcard for any run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Means {
    /// Regular expressions: literals, classes in brackets, groups, alternatives and counted repetition, anchored.
    pub regexes: bool,
    /// A wildcard for exactly one character.
    pub singles: bool,
}

/// The network as tests over the spellings of its addresses. Text tests ignore case; a regular expression has both
/// cases of each letter and is anchored by `^` and `$`.
#[must_use]
pub fn expansion<'a>(network: &IpNet, found: &Match<'a>, means: Means) -> Expansion<'a> {
    match network {
        IpNet::V4(network) => Expansion { query: query(&v4::terms(*network), found), inexact: None },
        IpNet::V6(network) => {
            let patterns = v6::patterns(*network, means.singles);
            let prefixes = |term: &Term| term.none.is_empty() && !term.any.iter().any(|glob| glob.contains('?'));
            let plain = patterns.wider.is_none() && patterns.terms.iter().all(prefixes);
            if !means.regexes || (plain && leaves(&patterns.terms) <= PLAIN_LEAVES) {
                return Expansion { query: query(&patterns.terms, found), inexact: patterns.wider };
            }
            let source = v6_regex::source(*network).into();
            let regex = Test::Regex(Regex { source, flags: RegexFlags::default(), opaque: None });
            Expansion { query: Expr::Match(found.with(regex)), inexact: None }
        }
    }
}

/// The entry for networks of a dialect that has none of its own: patterns on a text field.
///
/// # Errors
/// A network as a keyword, and what the dialect refuses of the patterns.
pub fn expand<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Network(network) = &found.test else {
        return Err(Refusal::new(Code::ConstructUnsupported, "it is no network"));
    };
    if found.subject == Subject::Event {
        let reason = "an address is a whole value of a field, not a text somewhere in the event";
        return Err(Refusal::new(Code::KeywordUnsupported, reason));
    }
    let sayable = |say: Say| !matches!(say, Say::Refused(..));
    let means = Means { regexes: sayable(legaliser.dialect.regex), singles: sayable(legaliser.dialect.text.singles) };
    let mut expansion = expansion(network, found, means);
    let before = (legaliser.assumptions.clone(), legaliser.diagnostics.len());
    let lines = before.0.contains(&Code::AssumeSingleLines);
    let mut said = legaliser.say(&expansion.query);
    if said.is_err() && means.regexes {
        // The language has regular expressions, but perhaps not with this reach: patterns then.
        legaliser.assumptions = before.0;
        legaliser.diagnostics.truncate(before.1);
        expansion = self::expansion(network, found, Means { regexes: false, ..means });
        said = legaliser.say(&expansion.query);
    }
    let said = said?;
    // The expressions are those of addresses, in which there is no line break.
    if !lines {
        legaliser.assumptions.remove(&Code::AssumeSingleLines);
    }
    legaliser.assume(Code::AssumeAddressText, found);
    if let Some(wider) = expansion.inexact {
        let message = format!("the text patterns for `{network}` match {wider}");
        legaliser.approximate(Code::NetworkPattern, found, message);
    }
    Ok(said)
}

/// A network by the option `cidr` and what a schema says of the field: by the language's own test, written so, as text
/// patterns, or both.
///
/// Each way matches nothing on fields of the other type. Whether text patterns on an address field are an error besides
/// is for the dialect to say.
///
/// # Errors
/// What the dialect refuses of the patterns.
pub fn by_mode<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>, native: Emit) -> Result<Said<'a>, Refusal> {
    match typed::network_mode(legaliser, found) {
        CidrMode::Native => Ok(legaliser.write(native, found)),
        CidrMode::Expand => expand(found, legaliser),
        CidrMode::Auto => Ok(Expr::Or(vec![leaf(native, found.clone()), expand(found, legaliser)?])),
    }
}

/// How many plain patterns are better than one regular expression.
const PLAIN_LEAVES: usize = 16;

/// Text patterns, written with `*` and `?`, which no address contains: one of `any` matches, and none of `none`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Term {
    any: Vec<String>,
    none: Vec<String>,
}

impl Term {
    fn plain(any: Vec<String>) -> Self {
        Self { any, none: Vec::new() }
    }
}

fn leaves(terms: &[Term]) -> usize {
    terms.iter().map(|term| term.any.len() + term.none.len()).sum()
}

/// One of the terms.
fn query<'a>(terms: &[Term], found: &Match<'a>) -> Query<'a> {
    let any = |globs: &[String]| {
        let leaf = |glob: &String| found.with(Test::Text { pattern: pattern(glob), case: Case::Insensitive });
        Expr::Or(globs.iter().map(|glob| Expr::Match(leaf(glob))).collect())
    };
    let one = |term: &Term| {
        let wanted = any(&term.any);
        if term.none.is_empty() { wanted } else { Expr::And(vec![wanted, Expr::negate(any(&term.none))]) }
    };
    Expr::Or(terms.iter().map(one).collect()).simplify()
}

fn pattern<'a>(glob: &str) -> Pattern<'a> {
    let mut pattern = Pattern::new();
    for piece in glob.split_inclusive(['*', '?']) {
        let text = piece.trim_end_matches(['*', '?']);
        pattern.push(Part::Text(text.to_owned().into()));
        match &piece[text.len()..] {
            "*" => pattern.push(Part::AnyRun),
            "?" => pattern.push(Part::AnyOne),
            _ => {}
        }
    }
    pattern
}
