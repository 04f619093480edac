//! An IPv6 network as one regular expression over every spelling of its addresses.
//!
//! The forms: no `::` among the fixed groups, or `::` in one of the runs of groups that may be zero. That the text is
//! an address is taken for granted, so the number of zeros beside `::` need not be counted; groups behind it must be.
//!
//! Invariant: only literals, brackets, groups, `|`, `?`, `*`, `+`, `{n,m}`, `.` and `\.`: all engines read these alike.
//! No alternative is empty.

use ipnet::Ipv6Net;

use super::v4;
use super::v6::{Fixed, embedded};

const DIGIT: &str = "[0-9a-fA-F]";
const GROUP: &str = "[0-9a-fA-F]{1,4}";
const ZEROS: &str = "(0{1,4}:)*";
/// An IPv4 address at the end. It takes a dot to tell it from a group.
const DOTTED: &str = r"[0-9]+\.[0-9.]+";

/// The expression, anchored by `^` and `$`. The network has a length from 1 to 127.
pub(super) fn source(network: Ipv6Net) -> String {
    let fixed = Groups::of(network);
    let count = fixed.0.len();
    let mut forms = vec![if count < 8 { fixed.colons(0, count) + ".*" } else { fixed.joined(0, count) }];
    forms.extend(fixed.runs().into_iter().map(|(from, to)| fixed.compressed(from, to)));
    if let Some(inner) = embedded(network) {
        let upper = Groups(fixed.0.into_iter().take(6).collect());
        let tail = ipv4(inner);
        forms.push(upper.colons(0, 6) + &tail);
        forms.extend(upper.runs().into_iter().map(|(from, to)| upper.gap(from, to) + &upper.colons(to, 6) + &tail));
    }
    match forms.as_slice() {
        [form] => format!("^{form}$"),
        _ => format!("^({})$", forms.join("|")),
    }
}

/// The groups that a network fixes, whole or in part.
struct Groups(Vec<Group>);

struct Group {
    /// The expression for its texts.
    texts: String,
    /// Whether zero is one of its values.
    zero: bool,
    /// Whether zero is its only value.
    only_zero: bool,
}

impl Groups {
    fn of(network: Ipv6Net) -> Self {
        let fixed = Fixed::of(network);
        let whole = fixed.groups.iter().map(|value| (*value, 0));
        let group = |(low, free)| Group { texts: texts(low, free), zero: low == 0, only_zero: low == 0 && free == 0 };
        Self(whole.chain(fixed.border).map(group).collect())
    }

    /// Runs of groups that may be zero: first, and one past the last.
    fn runs(&self) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (at, group) in self.0.iter().enumerate() {
            match runs.last_mut() {
                _ if !group.zero => {}
                Some(run) if run.1 == at => run.1 = at + 1,
                _ => runs.push((at, at + 1)),
            }
        }
        runs
    }

    /// The groups, each with a colon behind it.
    fn colons(&self, from: usize, to: usize) -> String {
        let mut text = String::new();
        let mut at = from;
        while at < to {
            let zeros = self.0[at..to].iter().take_while(|group| group.only_zero).count();
            if zeros > 1 {
                text.push_str(&format!("(0{{1,4}}:){{{zeros}}}"));
            } else {
                text.push_str(&self.0[at].texts);
                text.push(':');
            }
            at += zeros.max(1);
        }
        text
    }

    /// The groups with colons between them; at least one.
    fn joined(&self, from: usize, to: usize) -> String {
        self.colons(from, to - 1) + &self.0[to - 1].texts
    }

    /// Everything up to a `::` somewhere in the run `from..to`, and zeros of the run behind it.
    fn gap(&self, from: usize, to: usize) -> String {
        match (from, to - from) {
            (0, 1) => "::".to_owned(),
            (_, 1) => self.colons(0, from) + ":",
            (0, _) => format!("(:|(0{{1,4}}:)+):{ZEROS}"),
            _ => format!("{}{ZEROS}:{ZEROS}", self.colons(0, from)),
        }
    }

    /// The form with `::` in this run.
    fn compressed(&self, from: usize, to: usize) -> String {
        let count = self.0.len();
        let free = 8 - count;
        if to < count {
            return self.gap(from, to) + &self.joined(to, count) + &exactly(free);
        }
        if to - from == 1 {
            // Whatever follows `::` then, no fixed group is in it.
            return self.gap(from, to) + ".*";
        }
        let mut ends = at_most(free);
        let last = &self.0[count - 1];
        if !last.only_zero {
            ends.push(format!("{}{}", last.texts, exactly(free)));
        }
        format!("{}({})?", self.gap(from, to), ends.join("|"))
    }
}

/// So many groups, each with a colon before it.
fn exactly(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => format!(":{GROUP}"),
        2 => format!(":({GROUP}:{GROUP}|{DOTTED})"),
        _ => format!("(:{GROUP}){{{}}}:({GROUP}:{GROUP}|{DOTTED})", count - 2),
    }
}

/// Alternatives for one to so many groups.
fn at_most(count: usize) -> Vec<String> {
    match count {
        0 => vec![],
        1 => vec![GROUP.to_owned()],
        2 => vec![format!("{GROUP}(:{GROUP})?"), DOTTED.to_owned()],
        _ => vec![format!("{GROUP}(:{GROUP}){{0,{}}}", count - 1), format!("({GROUP}:){{0,{}}}{DOTTED}", count - 2)],
    }
}

/// The texts of a group from `low` on, of which so many low bits are free, with any number of leading zeros.
fn texts(low: u16, free: u32) -> String {
    let (open, part) = (free / 4, free % 4);
    let first = low >> (4 * open);
    let last = first + ((1 << part) - 1);
    let leading = |digits: usize| match 4 - digits {
        0 => String::new(),
        1 => "0?".to_owned(),
        count => format!("0{{0,{count}}}"),
    };
    let any = |least: u32, most: u32| match (least, most) {
        (_, 0) => String::new(),
        (1, 1) => DIGIT.to_owned(),
        _ if least == most => format!("{DIGIT}{{{most}}}"),
        _ => format!("{DIGIT}{{{least},{most}}}"),
    };
    if low == 0 {
        return match (open, part) {
            (0, 0) => "0{1,4}".to_owned(),
            (0, _) => format!("0{{0,3}}{}", class(0, last)),
            (_, 0) => format!("{}{}", leading(open as usize), any(1, open)),
            _ => format!("{}({}{}|{})", leading(open as usize + 1), class(0, last), any(open, open), any(1, open)),
        };
    }
    // Digits that are fixed whole, then the one that is fixed in part.
    let before = if first >> 4 > 0 { format!("{:x}", first >> 4) } else { String::new() };
    let digits: String = before.chars().map(both_cases).collect();
    let leading = leading(before.len() + 1 + open as usize);
    format!("{leading}{digits}{}{}", class(first & 0xf, last & 0xf), any(open, open))
}

/// One digit from `first` to `last`.
fn class(first: u16, last: u16) -> String {
    if first == last {
        return format!("{first:x}").chars().map(both_cases).collect();
    }
    if (first, last) == (0, 15) {
        return DIGIT.to_owned();
    }
    let span = |from: u16, to: u16| match to.checked_sub(from) {
        None => String::new(),
        Some(0) => format!("{from:x}"),
        Some(1) => format!("{from:x}{to:x}"),
        Some(_) => format!("{from:x}-{to:x}"),
    };
    let letters = span(first.max(10), last);
    format!("[{}{letters}{}]", span(first, last.min(9)), letters.to_ascii_uppercase())
}

fn both_cases(digit: char) -> String {
    if digit.is_ascii_digit() { digit.to_string() } else { format!("[{digit}{}]", digit.to_ascii_uppercase()) }
}

/// An IPv4 network of at least one fixed bit.
fn ipv4(network: ipnet::Ipv4Net) -> String {
    let (before, values) = v4::octets(network);
    let mut text: String = before.iter().map(|octet| format!("{octet}\\.")).collect();
    let values: Vec<String> = values.map(|value| value.to_string()).collect();
    match values.as_slice() {
        [value] => text.push_str(value),
        _ => text.push_str(&format!("({})", values.join("|"))),
    }
    if before.len() < 3 {
        text.push_str(r"\..*");
    }
    text
}
