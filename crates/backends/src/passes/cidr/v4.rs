//! IPv4 networks as patterns: one for each value of the octet in which the fixed bits end.
//!
//! Invariant: a pattern ends at an octet's border, so that `10.1.*` cannot match `10.100.0.0`.

use std::fmt::Write as _;

use ipnet::Ipv4Net;

use super::Term;

/// The patterns of the network's addresses: 128 at most.
pub(super) fn terms(network: Ipv4Net) -> Vec<Term> {
    if network.prefix_len() == 0 {
        // A dotted tail of an IPv6 address has dots as well.
        return vec![Term { any: vec!["*.*".to_owned()], none: vec!["*:*".to_owned()] }];
    }
    vec![Term::plain(globs(network))]
}

/// The patterns of a network with at least one fixed bit.
pub(super) fn globs(network: Ipv4Net) -> Vec<String> {
    let (before, values) = octets(network);
    let start = before.iter().fold(String::new(), |mut text, octet| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet}.");
        text
    });
    let end = if before.len() == 3 { "" } else { ".*" };
    values.map(|value| format!("{start}{value}{end}")).collect()
}

/// The octets before the one in which the fixed bits end, and the values of that one.
pub(super) fn octets(network: Ipv4Net) -> (Vec<u8>, std::ops::RangeInclusive<u8>) {
    let whole = usize::from(network.prefix_len().saturating_sub(1) / 8);
    let (first, last) = (network.network().octets(), network.broadcast().octets());
    (first[..whole].to_vec(), first[whole]..=last[whole])
}
