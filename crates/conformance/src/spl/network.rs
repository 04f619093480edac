//! Networks in CIDR notation, IPv4 and IPv6.

use std::net::IpAddr;

/// A network: its bits, and how many of them count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    base: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads `10.0.0.0/8` or `fe80::/10`; none if the text is something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (base, prefix) = text.split_once('/')?;
        let (base, prefix) = (base.parse().ok()?, prefix.parse().ok()?);
        let most = if matches!(base, IpAddr::V4(_)) { 32 } else { 128 };
        (prefix <= most).then_some(Self { base, prefix })
    }

    /// Whether the text is an address in the network.
    pub(super) fn holds(&self, address: &str) -> bool {
        match (self.base, address.parse()) {
            (IpAddr::V4(base), Ok(IpAddr::V4(own))) => {
                same(base.to_bits().into(), own.to_bits().into(), 32 - self.prefix)
            }
            (IpAddr::V6(base), Ok(IpAddr::V6(own))) => same(base.to_bits(), own.to_bits(), 128 - self.prefix),
            _ => false,
        }
    }
}

/// Whether the two are the same without their last bits.
fn same(one: u128, other: u128, last: u32) -> bool {
    one.checked_shr(last).unwrap_or(0) == other.checked_shr(last).unwrap_or(0)
}
