//! IPv6 networks as patterns over the usual spellings.
//!
//! A network fixes some groups whole and perhaps a part of one more, the border. What makes patterns inexact is that
//! a group's text has no fixed length (`fc*` is also the start of `fc::1`, which is `00fc:…`), and that `::` hides how
//! many groups it stands for. Both are mended by negated patterns: shorter texts of the border group, and
//! addresses with more groups behind `::` than the network leaves.
//!
//! Invariant: the patterns lean on RFC 5952: `::` stands for the longest run of zero groups, two or more, the first
//! of equally long ones.

use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};

use super::{Term, leaves, v4};

/// Patterns for a network.
pub(super) struct Patterns {
    pub(super) terms: Vec<Term>,
    /// What they match if that is more than the network.
    pub(super) wider: Option<String>,
}

/// What a network fixes of an address.
pub(super) struct Fixed {
    /// The groups fixed whole.
    pub(super) groups: Vec<u16>,
    /// The group of which the upper bits are fixed: its lowest value, and how many bits are free, 1 to 15.
    pub(super) border: Option<(u16, u32)>,
}

impl Fixed {
    pub(super) fn of(network: Ipv6Net) -> Self {
        let segments = network.network().segments();
        let (whole, rest) = (usize::from(network.prefix_len() / 16), u32::from(network.prefix_len() % 16));
        Self { groups: segments[..whole].to_vec(), border: (rest > 0).then(|| (segments[whole], 16 - rest)) }
    }
}

/// How many patterns an exact form may have where a wider one has few.
const MOST_LEAVES: usize = 64;

/// The network as patterns; with `?` if `singles`.
pub(super) fn patterns(network: Ipv6Net, singles: bool) -> Patterns {
    let fixed = Fixed::of(network);
    let exact = match fixed.border {
        None if fixed.groups.is_empty() => Some(everything()),
        None => Some(whole(&fixed.groups)),
        Some((low, free)) => {
            listed(&fixed.groups, low, free).or_else(|| border(&fixed.groups, low, free, singles, true))
        }
    };
    let (mut terms, wider) = match (exact, fixed.border) {
        (Some(terms), _) => (terms, None),
        (None, border) => wider(&fixed.groups, border),
    };
    terms.extend(dotted(network).into_iter().map(Term::plain));
    Patterns { terms, wider }
}

/// Any address: only IPv6 has colons.
fn everything() -> Vec<Term> {
    vec![Term::plain(vec!["*:*".to_owned()])]
}

/// A set that is wider than the network, and what it matches.
fn wider(groups: &[u16], at: Option<(u16, u32)>) -> (Vec<Term>, Option<String>) {
    if let Some(terms) = at.and_then(|(low, free)| border(groups, low, free, false, false)) {
        let place = groups.len() + 1;
        let what = format!("also addresses outside it whose group {place} has more or fewer digits and starts alike");
        return (terms, Some(what));
    }
    if groups.is_empty() {
        return (everything(), Some("every IPv6 address".to_owned()));
    }
    let mut segments = [0; 8];
    segments[..groups.len()].copy_from_slice(groups);
    let what = format!("every address of the wider network `{}/{}`", Ipv6Addr::from(segments), groups.len() * 16);
    (whole(groups), Some(what))
}

/// A network that ends at a group's border; at least one group.
fn whole(groups: &[u16]) -> Vec<Term> {
    if let Ok(all) = <[u16; 8]>::try_from(groups) {
        return vec![Term::plain(distinct([compressed(all), plain(groups), padded(groups)]))];
    }
    let full = distinct([format!("{}:*", plain(groups)), format!("{}:*", padded(groups))]);
    let mut terms = vec![Term::plain(full)];
    terms.extend(zero_runs(groups).into_iter().filter_map(|(from, to)| compressed_at(groups, from, to)));
    terms
}

/// The spelling with `::` where the groups `from..to` stand, all zero; `None` if RFC 5952 does not have it.
fn compressed_at(groups: &[u16], from: usize, to: usize) -> Option<Term> {
    // How many groups are free behind the fixed ones.
    let free = 8 - groups.len();
    let start = format!("{}::", plain(&groups[..from]));
    let more = |count: usize| ":*".repeat(count);
    if to < groups.len() {
        if to - from < 2 {
            return None;
        }
        let base = start + &plain(&groups[to..]);
        let mut term = Term { any: vec![base.clone() + &more(free)], none: Vec::new() };
        if to - from > 2 {
            term.none.push(base.clone() + &more(free + 1));
        }
        // The dotted tail of an address that maps IPv4 is two groups without a colon between them.
        match (base.as_str(), free) {
            ("::ffff", 2) => term.any.push("::ffff:*.*".to_owned()),
            ("::ffff", 1) => term.none.push("::ffff:*.*".to_owned()),
            _ => {}
        }
        return Some(term);
    }
    let mut term = Term::plain(vec![format!("{start}*")]);
    if to - from > 1 {
        term.none.push(format!("{start}*{}", more(free)));
        if free < 3 {
            term.none.push(format!("{start}*{}.*", more(free - 1)));
        }
    }
    Some(term)
}

/// Each value of the border group as a network of its own.
fn listed(groups: &[u16], low: u16, free: u32) -> Option<Vec<Term>> {
    let count = 1_u16 << free;
    // There is a cheaper form with four values and more, where the text has all four digits.
    if usize::from(count) > MOST_LEAVES || (low >= 0x1000 && count > 8 && !has_gap(groups)) {
        return None;
    }
    let mut terms = Vec::new();
    for value in low..=low + (count - 1) {
        terms.extend(whole(&[groups, &[value]].concat()));
    }
    (leaves(&terms) <= MOST_LEAVES).then_some(terms)
}

/// Whether `::` may stand for some of the fixed groups.
fn has_gap(groups: &[u16]) -> bool {
    groups.windows(2).any(|pair| pair == [0, 0])
}

/// The border group by its first digits: without `exact`, also shorter and longer texts that start with
/// them.
///
/// `None` if `::` may stand in the fixed part, or if there is no small set.
fn border(groups: &[u16], low: u16, free: u32, singles: bool, exact: bool) -> Option<Vec<Term>> {
    let zero_before = groups.last() == Some(&0);
    if has_gap(groups) || groups.len() == 7 || (low == 0 && (zero_before || !exact)) {
        return None;
    }
    let lead = |texts: String| if texts.is_empty() { texts } else { texts + ":" };
    let (plain, padded) = (lead(plain(groups)), lead(padded(groups)));
    let (open, part) = (free / 4, free % 4);
    let mut terms = Vec::new();
    let mut wide = Term::default();
    if low == 0 {
        terms.push(zeros(&plain, open, singles)?);
        wide.any.push(started(&padded, &"0".repeat(4 - open as usize)));
    }
    let mut term = Term::default();
    // The digits that the network fixes, for each value of the digit of which it fixes a part.
    let first = low >> (4 * open);
    for digits in first.max(1)..=first + ((1 << part) - 1) {
        let text = format!("{digits:x}");
        let length = text.len() + open as usize;
        if length == 4 || !exact {
            term.any.push(started(&plain, &text));
        } else {
            term.any.extend(filled(&plain, &text, open, singles)?);
        }
        for digits in 0..if exact { open } else { 0 } {
            term.none.extend(filled(&plain, &text, digits, singles)?);
        }
        if length < 4 || plain != padded {
            wide.any.push(started(&padded, &("0".repeat(4 - length) + &text)));
        }
    }
    terms.extend([term, wide].into_iter().filter(|term| !term.any.is_empty()));
    (leaves(&terms) <= MOST_LEAVES).then_some(terms)
}

/// Addresses in which these digits follow the fixed groups. IPv4 addresses may start with decimal digits too.
fn started(before: &str, digits: &str) -> String {
    let decimal = before.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    format!("{before}{digits}{}", if decimal { "*:*" } else { "*" })
}

/// The border group of `open` digits at most. A `?` may be a colon too: the group is shorter then.
fn zeros(plain: &str, open: u32, singles: bool) -> Option<Term> {
    match (open, singles) {
        (0, _) => Some(Term::plain(vec![format!("{plain}0:*"), format!("{plain}:*")])),
        (_, false) => None,
        (_, true) => {
            let texts = (0..=open as usize).map(|digits| format!("{plain}{}:*", "?".repeat(digits)));
            Some(Term::plain(texts.collect()))
        }
    }
}

/// The group that starts with `text` and has so many more digits.
fn filled(plain: &str, text: &str, more: u32, singles: bool) -> Option<Vec<String>> {
    match (more, singles) {
        (0, _) => Some(vec![format!("{plain}{text}:*")]),
        (_, true) => Some(vec![format!("{plain}{text}{}:*", "?".repeat(more as usize))]),
        (1, false) => Some((0..16).map(|digit| format!("{plain}{text}{digit:x}:*")).collect()),
        _ => None,
    }
}

/// The IPv4 network that the last 32 bits spell, if the first 96 say that they are one: RFC 4291, section 2.5.5, and
/// RFC 6052, section 2.1.
pub(super) fn embedded(network: Ipv6Net) -> Option<Ipv4Net> {
    let segments = network.network().segments();
    let length = network.prefix_len().checked_sub(96).filter(|length| *length > 0)?;
    let known = match segments[..6] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => true,
        // `::1` is never spelled `::0.0.0.1`.
        [0, 0, 0, 0, 0, 0] => length < 16 || segments[6] != 0,
        _ => false,
    };
    let octets = network.network().octets();
    let address = <[u8; 4]>::try_from(&octets[12..]).ok()?;
    known.then(|| Ipv4Net::new(address.into(), length).ok()).flatten()
}

/// The spellings with the last two groups as IPv4, where they are fixed at least in part.
fn dotted(network: Ipv6Net) -> Option<Vec<String>> {
    let inner = v4::globs(embedded(network)?);
    let upper = &network.network().segments()[..6];
    let short = match upper {
        [0x64, ..] => "64:ff9b::",
        [.., 0] => "::",
        _ => "::ffff:",
    };
    let starts = [short.to_owned(), plain(upper) + ":", padded(upper) + ":"];
    Some(starts.iter().flat_map(|start| inner.iter().map(move |end| format!("{start}{end}"))).collect())
}

/// Runs of zero groups, each as long as it goes: first, and one past the last.
fn zero_runs(groups: &[u16]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        match runs.last_mut() {
            _ if *group != 0 => {}
            Some(run) if run.1 == at => run.1 = at + 1,
            _ => runs.push((at, at + 1)),
        }
    }
    runs
}

fn plain(groups: &[u16]) -> String {
    groups.iter().map(|group| format!("{group:x}")).collect::<Vec<_>>().join(":")
}

fn padded(groups: &[u16]) -> String {
    groups.iter().map(|group| format!("{group:04x}")).collect::<Vec<_>>().join(":")
}

/// The spelling of RFC 5952, section 4, without a dotted tail.
fn compressed(groups: [u16; 8]) -> String {
    // Of equally long runs the first; `max_by_key` would give the last.
    let run =
        zero_runs(&groups).into_iter().rev().max_by_key(|(from, to)| to - from).filter(|(from, to)| to - from > 1);
    match run {
        Some((from, to)) => format!("{}::{}", plain(&groups[..from]), plain(&groups[to..])),
        None => plain(&groups),
    }
}

fn distinct<const N: usize>(texts: [String; N]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(N);
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}
