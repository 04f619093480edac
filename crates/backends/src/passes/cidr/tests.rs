//! The judge: a matcher of patterns, the `regex` crate, and `ipnet` for what the network contains.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::prelude::*;
use sigcast_diagnostics::{Code, Diagnostic, SourceId, Span};
use sigcast_ir::{Field, Match, Part, Query, Subject, Test};

use crate::Language;
use crate::dialect::{Dialect, Say, TextSays};
use crate::options::Settings;
use crate::say::Legaliser;

use super::{Expansion, Means, expansion};

const PATTERNS: Means = Means { regexes: false, singles: false };
const SINGLES: Means = Means { regexes: false, singles: true };
const REGEXES: Means = Means { regexes: true, singles: true };

fn expand(network: IpNet, means: Means) -> Expansion<'static> {
    let subject = Subject::Field(Field::new("f"));
    let found = Match { subject, test: Test::Network(network), span: Span::new(SourceId(0), 0, 0) };
    expansion(&network, &found, means)
}

/// A network, its expansion, and the compiled expression if that is one.
struct Judge {
    network: IpNet,
    expansion: Expansion<'static>,
    regex: Option<regex::Regex>,
}

impl Judge {
    fn of(network: impl Into<IpNet>, means: Means) -> Self {
        let network = network.into();
        let expansion = expand(network, means);
        let regex = match &expansion.query {
            Query::Match(Match { test: Test::Regex(regex), .. }) => {
                Some(regex::Regex::new(&regex.source).expect("parses"))
            }
            _ => None,
        };
        Self { network, expansion, regex }
    }

    /// The judgement: equal if exact, at least as wide if not.
    fn see(&self, address: impl Into<IpAddr>, text: &str) -> Result<(), TestCaseError> {
        let address = address.into();
        assert_eq!(text.parse(), Ok(address), "the spelling is right");
        let inside = self.network.contains(&address);
        let matched = match &self.regex {
            Some(regex) => regex.is_match(text),
            None => matches(&self.expansion.query, text),
        };
        let right = if self.expansion.inexact.is_none() { matched == inside } else { matched || !inside };
        let shown = || shown(&self.expansion.query);
        prop_assert!(right, "{} {address} as {text}: inside {inside}, {:?}", self.network, shown());
        Ok(())
    }
}

/// Whether the patterns match a field with this text.
fn matches(query: &Query<'_>, text: &str) -> bool {
    match query {
        Query::And(terms) => terms.iter().all(|term| matches(term, text)),
        Query::Or(terms) => terms.iter().any(|term| matches(term, text)),
        Query::Not(inner) => !matches(inner, text),
        Query::Const(value) => *value,
        Query::Match(found) => match &found.test {
            Test::Text { pattern, .. } => glob(pattern.parts(), &text.to_lowercase()),
            other => panic!("{other:?}"),
        },
    }
}

fn glob(parts: &[Part<'_>], text: &str) -> bool {
    match parts.split_first() {
        None => text.is_empty(),
        Some((Part::Text(literal), rest)) => text.strip_prefix(literal.as_ref()).is_some_and(|text| glob(rest, text)),
        Some((Part::AnyOne, rest)) => !text.is_empty() && glob(rest, &text[1..]),
        Some((Part::AnyRun, rest)) => (0..=text.len()).any(|at| glob(rest, &text[at..])),
        Some((Part::Placeholder(_), _)) => false,
    }
}

/// The query's patterns, negated ones with `!`, or its regular expression.
fn shown(query: &Query<'_>) -> Vec<String> {
    fn collect(query: &Query<'_>, sign: &str, into: &mut Vec<String>) {
        match query {
            Query::And(terms) | Query::Or(terms) => terms.iter().for_each(|term| collect(term, sign, into)),
            Query::Not(inner) => collect(inner, "!", into),
            Query::Const(value) => into.push(value.to_string()),
            Query::Match(found) => match &found.test {
                Test::Text { pattern, .. } => {
                    let parts = pattern.parts().iter().map(|part| match part {
                        Part::Text(text) => text.as_ref(),
                        Part::AnyRun => "*",
                        _ => "?",
                    });
                    into.push(format!("{sign}{}", parts.collect::<String>()));
                }
                Test::Regex(regex) => into.push(regex.source.to_string()),
                other => panic!("{other:?}"),
            },
        }
    }
    let mut texts = Vec::new();
    collect(query, "", &mut texts);
    texts
}

#[track_caller]
fn check(network: &str, means: Means, wanted: &[&str]) {
    let expansion = expand(network.parse().expect("a network"), means);
    assert_eq!(shown(&expansion.query), wanted, "{network}");
    assert_eq!(expansion.inexact, None, "{network}");
}

#[track_caller]
fn check_count(network: &str, means: Means, wanted: usize) {
    let expansion = expand(network.parse().expect("a network"), means);
    assert_eq!(shown(&expansion.query).len(), wanted, "{network}: {:?}", shown(&expansion.query));
    assert_eq!(expansion.inexact, None, "{network}");
}

#[test]
fn ipv4_networks_are_the_fewest_octet_patterns() {
    check("10.0.0.0/8", REGEXES, &["10.*"]);
    check("127.0.0.0/8", REGEXES, &["127.*"]);
    check("169.254.0.0/16", REGEXES, &["169.254.*"]);
    check("192.168.0.0/16", PATTERNS, &["192.168.*"]);
    check("192.168.4.0/22", PATTERNS, &["192.168.4.*", "192.168.5.*", "192.168.6.*", "192.168.7.*"]);
    check("192.168.4.0/24", PATTERNS, &["192.168.4.*"]);
    check("192.168.4.1/32", PATTERNS, &["192.168.4.1"]);
    check("13.107.6.152/31", PATTERNS, &["13.107.6.152", "13.107.6.153"]);
    check("0.0.0.0/0", PATTERNS, &["*.*", "!*:*"]);
    check_count("172.16.0.0/12", PATTERNS, 16);
    check_count("10.0.0.0/25", PATTERNS, 128);
    check_count("0.0.0.0/1", PATTERNS, 128);
}

#[test]
fn ipv6_hosts_are_their_spellings() {
    let loopback = ["::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001"];
    check("::1/128", REGEXES, &loopback);
    check("::1/128", PATTERNS, &loopback);
    check(
        "::ffff:10.0.0.1/128",
        REGEXES,
        &[
            "::ffff:a00:1",
            "0:0:0:0:0:ffff:a00:1",
            "0000:0000:0000:0000:0000:ffff:0a00:0001",
            "::ffff:10.0.0.1",
            "0:0:0:0:0:ffff:10.0.0.1",
            "0000:0000:0000:0000:0000:ffff:10.0.0.1",
        ],
    );
}

#[test]
fn ipv6_networks_are_patterns_where_these_are_exact_and_else_one_expression() {
    check("2001:db8::/32", REGEXES, &["2001:db8:*", "2001:0db8:*"]);
    check("2001::/32", REGEXES, &["2001:0:*", "2001:0000:*", "2001::*"]);
    check("::/0", REGEXES, &["*:*"]);
    check("fe80::/10", REGEXES, &["^[fF][eE][89abAB][0-9a-fA-F]:.*$"]);
    check("fc00::/7", REGEXES, &["^[fF][cdCD][0-9a-fA-F]{2}:.*$"]);
    check("ff00::/8", REGEXES, &["^[fF][fF][0-9a-fA-F]{2}:.*$"]);
    check("2000::/3", REGEXES, &["^[23][0-9a-fA-F]{3}:.*$"]);
    check("200::/7", REGEXES, &["^0?[23][0-9a-fA-F]{2}:.*$"]);
    check("::/8", REGEXES, &["^(0{0,2}[0-9a-fA-F]{1,2}:.*|::.*)$"]);
    check(
        "::ffff:0:0/96",
        REGEXES,
        &[concat!(
            "^((0{1,4}:){5}[fF][fF][fF][fF]:.*",
            "|(:|(0{1,4}:)+):(0{1,4}:)*[fF][fF][fF][fF]:([0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}|[0-9]+\\.[0-9.]+))$"
        )],
    );
}

#[test]
fn ipv6_networks_without_expressions_subtract_what_is_outside() {
    let link_local = ["fe8*", "fe9*", "fea*", "feb*", "!fe8:*", "!fe9:*", "!fea:*", "!feb:*"];
    check("fe80::/10", PATTERNS, &link_local);
    check("ff00::/8", SINGLES, &["ff*", "!ff:*", "!ff?:*"]);
    check_count("ff00::/8", PATTERNS, 18);
    check_count("fc00::/7", SINGLES, 6);
    check_count("fc00::/7", PATTERNS, 36);
    check_count("2000::/3", SINGLES, 8);
    check("100::/64", PATTERNS, &["100:0:0:0:*", "0100:0000:0000:0000:*", "100::*", "!100::*:*:*:*:*"]);
    let wide = expand("2000::/3".parse().expect("a network"), PATTERNS);
    assert_eq!(shown(&wide.query), ["2*:*", "3*:*"]);
    assert!(wide.inexact.is_some());
}

/// What the entry of a dialect makes of a network: diagnostics, assumptions and the number of leaves, or the code of the refusal.
fn said(
    dialect: &'static Dialect,
    settings: &Settings,
    subject: Subject<'static>,
    network: &str,
) -> Result<(Vec<Diagnostic>, Vec<Code>, usize), Code> {
    let network = network.parse().expect("a network");
    let found = Match { subject, test: Test::Network(network), span: Span::new(SourceId(0), 0, 0) };
    let mut legaliser = Legaliser::new(dialect, settings);
    let said = super::expand(&found, &mut legaliser).map_err(|refusal| refusal.code)?;
    let mut leaves = 0;
    said.each_match(&mut |_| leaves += 1);
    Ok((legaliser.diagnostics, legaliser.assumptions.into_iter().collect(), leaves))
}

#[test]
fn the_entry_reports_what_patterns_match_beyond_the_network() {
    let Some(Language::Single(lucene)) = crate::find("lucene").map(|target| &target.language) else {
        panic!("Lucene is a language of one stage")
    };
    let refused = Say::Refused(Code::RegexUnsupported, "none");
    let no_regexes: &'static Dialect = Box::leak(Box::new(Dialect { regex: refused, ..**lucene }));
    let singles = TextSays { singles: refused, ..lucene.text };
    let prefixes: &'static Dialect = Box::leak(Box::new(Dialect { regex: refused, text: singles, ..**lucene }));
    let settings = Settings::default();
    let field = || Subject::Field(Field::new("f"));

    let (diagnostics, assumptions, leaves) = said(lucene, &settings, field(), "fe80::/10").expect("sayable");
    assert_eq!((diagnostics, leaves), (vec![], 1));
    assert!(assumptions.contains(&Code::AssumeAddressText));

    let (diagnostics, assumptions, leaves) = said(no_regexes, &settings, field(), "2000::/3").expect("sayable");
    assert_eq!((diagnostics, leaves), (vec![], 8));
    assert!(assumptions.contains(&Code::AssumeAddressText));

    let (diagnostics, _, leaves) = said(prefixes, &settings, field(), "2000::/3").expect("sayable");
    assert_eq!(leaves, 2);
    let [only] = &diagnostics[..] else { panic!("{diagnostics:?}") };
    assert_eq!(only.code, Code::NetworkPattern);
    assert_eq!(
        only.message,
        "the text patterns for `2000::/3` match also addresses outside it whose group 1 has more or fewer digits and starts alike"
    );

    assert_eq!(said(lucene, &settings, Subject::Event, "10.0.0.0/8"), Err(Code::KeywordUnsupported));
}

/// A group, often one that makes trouble.
fn group() -> impl Strategy<Value = u16> {
    prop_oneof![
        6 => Just(0_u16),
        3 => any::<u16>(),
        2 => (any::<u16>(), 0_u32..16).prop_map(|(value, shift)| value >> shift),
        1 => prop::sample::select(vec![1_u16, 0xffff, 0xff9b, 0x64, 0xfe80, 0xfe8, 0xfc, 0x2001, 0x200, 0x20]),
    ]
}

fn address() -> impl Strategy<Value = Ipv6Addr> {
    let any = prop::array::uniform8(group()).prop_map(Ipv6Addr::from);
    let tail = || (group(), group());
    let mapped = tail().prop_map(|(a, b)| Ipv6Addr::from([0, 0, 0, 0, 0, 0xffff, a, b]));
    let translated = tail().prop_map(|(a, b)| Ipv6Addr::from([0x64, 0xff9b, 0, 0, 0, 0, a, b]));
    prop_oneof![6 => any, 1 => mapped, 1 => translated]
}

fn network_v6() -> impl Strategy<Value = Ipv6Net> {
    let length = prop_oneof![0_u8..=128, (0_u8..=8).prop_map(|groups| groups * 16), 96_u8..=128];
    (address(), length).prop_map(|(address, length)| Ipv6Net::new(address, length).expect("a length").trunc())
}

/// Addresses inside, at the borders, and that look like the network's: with groups moved, digits moved, a bit changed.
fn near(network: Ipv6Net, other: Ipv6Addr, bit: u32) -> Vec<Ipv6Addr> {
    let (low, high) = (u128::from(network.network()), u128::from(network.broadcast()));
    let inside = low | (u128::from(other) & u128::from(network.hostmask()));
    let first = low >> 112;
    let digits = |by: u32| ((first >> by) << 112) | (inside << 16 >> 16);
    let changed = inside ^ (1 << bit);
    [low, high, low.wrapping_sub(1), high.wrapping_add(1), inside, changed, u128::from(other)]
        .into_iter()
        .chain([low >> 16, low >> 32, low << 16, inside << 16, inside >> 16, digits(4), digits(8), digits(12)])
        .map(Ipv6Addr::from)
        .collect()
}

/// Whether the last 32 bits are known to embed an IPv4 address.
fn embeds(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => true,
        [0, 0, 0, 0, 0, 0, high, _] => high != 0,
        _ => false,
    }
}

/// The usual spellings. The compressed one is the standard library's, not that of the code under test.
fn usual(address: Ipv6Addr) -> Vec<String> {
    let groups = address.segments();
    let join = |texts: &[String]| texts.join(":");
    let plain: Vec<String> = groups.iter().map(|group| format!("{group:x}")).collect();
    let padded: Vec<String> = groups.iter().map(|group| format!("{group:04x}")).collect();
    let mut texts = vec![address.to_string(), join(&plain), join(&padded), join(&padded).to_uppercase()];
    if embeds(address) {
        let tail = Ipv4Addr::from(u128::from(address) as u32);
        let start = match groups {
            [0x64, ..] => "64:ff9b::",
            [.., 0, _, _] => "::",
            _ => "::ffff:",
        };
        let hex = format!("{start}{:x}:{:x}", groups[6], groups[7]);
        if start == "::ffff:" {
            // The standard library has only the dotted one.
            texts.push(hex);
        }
        texts.extend([format!("{start}{tail}"), join(&plain[..6]) + &format!(":{tail}")]);
        texts.push(join(&padded[..6]) + &format!(":{tail}"));
    }
    texts
}

/// Some spelling of RFC 4291: `::` at any zeros, any number of leading zeros, any case, a dotted tail if `dotted`.
fn odd(address: Ipv6Addr, choice: [u8; 8], run: (usize, usize), dotted: bool) -> String {
    let groups = address.segments();
    let mut texts: Vec<String> = groups
        .iter()
        .zip(choice)
        .map(|(group, choice)| {
            let width = usize::from(choice % 4) + 1;
            let text = format!("{group:0width$x}");
            if choice & 4 == 0 { text } else { text.to_uppercase() }
        })
        .collect();
    if dotted {
        texts.truncate(6);
        texts.push(Ipv4Addr::from(u128::from(address) as u32).to_string());
    }
    let (from, to) = (run.0, run.0 + run.1);
    let last = if dotted { 6 } else { 8 };
    if to <= last && groups[from..to].iter().all(|group| *group == 0) && from < to {
        let text = format!("{}::{}", texts[..from].join(":"), texts[to..].join(":"));
        assert_eq!(text.parse(), Ok(address), "{text}");
        return text;
    }
    texts.join(":")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn ipv4_patterns_match_the_addresses_inside(
        base in any::<u32>(), length in 0_u8..=32, other in any::<u32>(), bit in 0_u32..32,
    ) {
        let network = Ipv4Net::new(base.into(), length).expect("a length").trunc();
        let judge = Judge::of(network, PATTERNS);
        prop_assert!(judge.expansion.inexact.is_none());
        let (low, high) = (u32::from(network.network()), u32::from(network.broadcast()));
        let inside = low | (other & u32::from(network.hostmask()));
        for address in [low, high, low.wrapping_sub(1), high.wrapping_add(1), inside, inside ^ (1 << bit), other, low >> 8] {
            let address = Ipv4Addr::from(address);
            judge.see(address, &address.to_string())?;
            for text in usual(address.to_ipv6_mapped()) {
                judge.see(address.to_ipv6_mapped(), &text)?;
            }
        }
    }

    #[test]
    fn ipv6_patterns_match_the_usual_spellings_inside(
        network in network_v6(), other in address(), bit in 0_u32..128, singles in any::<bool>(), v4 in any::<u32>(),
    ) {
        let judge = Judge::of(network, Means { regexes: false, singles });
        prop_assert!(shown(&judge.expansion.query).len() <= 64 || network.prefix_len() > 96);
        for address in near(network, other, bit) {
            for text in usual(address) {
                judge.see(address, &text)?;
            }
        }
        judge.see(Ipv4Addr::from(v4), &Ipv4Addr::from(v4).to_string())?;
    }

    #[test]
    fn ipv6_expressions_match_the_usual_spellings_inside(
        network in network_v6(), other in address(), bit in 0_u32..128, v4 in any::<u32>(),
    ) {
        let judge = Judge::of(network, REGEXES);
        prop_assert!(judge.expansion.inexact.is_none());
        for address in near(network, other, bit) {
            for text in usual(address) {
                judge.see(address, &text)?;
            }
        }
        judge.see(Ipv4Addr::from(v4), &Ipv4Addr::from(v4).to_string())?;
    }

    #[test]
    fn ipv6_expressions_match_every_spelling_inside(
        network in network_v6(), other in address(), bit in 0_u32..128,
        choice in prop::array::uniform8(any::<u8>()), from in 0_usize..8, length in 0_usize..8,
    ) {
        // The expression also where patterns would be chosen.
        let network = if matches!(network.prefix_len(), 1..=127) { network } else { "2001:db8::/33".parse().expect("it is") };
        let judge = Judge { regex: regex::Regex::new(&super::v6_regex::source(network)).ok(), ..Judge::of(network, REGEXES) };
        prop_assert!(judge.regex.is_some());
        for address in near(network, other, bit) {
            judge.see(address, &odd(address, choice, (from, length), false))?;
            if network.prefix_len() <= 96 || embeds(address) {
                judge.see(address, &odd(address, choice, (from, length), true))?;
            }
        }
    }
}
