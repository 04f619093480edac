//! `cidr`: the field is an address inside a network.

use std::net::IpAddr;

use ipnet::IpNet;
use sigcast_diagnostics::Code;
use sigcast_ir::Test;

use super::{Fault, Input, Modifier, Plan, Reading, not_taken};

static NETWORK: Reading = Reading { takes: &[], why: "the value is a network, not text", needs_field: true, compile };

/// `field|cidr: 10.0.0.0/8`. An address without a length is a network of one.
pub(super) const CIDR: Modifier = Modifier {
    name: "cidr",
    aliases: &[],
    summary: "the field is an address inside the network, IPv4 or IPv6",
    apply: |plan| plan.read_as("cidr", &NETWORK),
};

fn compile<'a>(_: &Plan, input: &Input<'a>) -> Result<Test<'a>, Fault> {
    let Some(text) = input.raw.text() else { return Err(not_taken("cidr", "a network", &input.raw)) };
    network(&text).map(Test::Network)
}

fn network(text: &str) -> Result<IpNet, Fault> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let fault = |message: String, here| Fault::new(Code::BadNetwork, message, here);
    let Ok(network) = text.parse::<IpNet>() else {
        let fault = fault(format!("`{text}` is not a network in CIDR notation"), "not a network");
        return Err(if text.contains(['*', '?']) {
            fault.help("a network is an address and a length, such as `192.168.0.0/16`; wildcards need no `cidr`")
        } else {
            fault.help("a network is an address and a length, such as `192.168.0.0/16` or `fe80::/10`")
        });
    };
    if network.addr() != network.network() {
        let right = network.trunc();
        return Err(fault(
            format!("`{text}` has bits set behind its length of {}", network.prefix_len()),
            "not the first address",
        )
        .help(format!("the network with that address in it is `{right}`")));
    }
    Ok(network)
}
