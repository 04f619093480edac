//! Spans of time: a number and a unit, such as `5m`.
//!
//! Invariant: a span that is returned is at least a second and at most a hundred years, so that no engine's clock
//! overflows.

use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_ir::Timespan;

use crate::yaml::Node;

/// The units with their seconds. A month and a year are the means of the calendar, as in pySigma.
const UNITS: [(char, u64); 7] =
    [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800), ('M', 2_629_746), ('y', 31_556_952)];

/// Other ways to write units, which help is given for.
const WORDS: [(&[&str], char); 7] = [
    (&["s", "sec", "secs", "second", "seconds"], 's'),
    (&["m", "min", "mins", "minute", "minutes"], 'm'),
    (&["h", "hr", "hrs", "hour", "hours"], 'h'),
    (&["d", "day", "days"], 'd'),
    (&["w", "week", "weeks"], 'w'),
    (&["mon", "month", "months"], 'M'),
    (&["y", "yr", "year", "years"], 'y'),
];

const MAX_SECONDS: u64 = 100 * 31_556_952;

/// Reads a span of time; `key` is the place of its key.
pub(crate) fn read<'a>(node: &Node<'a>, key: Span) -> Result<Timespan<'a>, Diagnostic> {
    let Some(scalar) = node.as_scalar().filter(|_| !node.is_null()) else {
        let message = format!("the span of time is {}, and one such as `5m` is expected", node.kind());
        return Err(Diagnostic::at(Code::BadTimespan, key, message).here("a number and a unit are expected here"));
    };
    match seconds(&scalar.text) {
        Ok(seconds) => Ok(Timespan { text: scalar.text.clone(), seconds, span: node.span }),
        Err(why) => {
            let message = format!("`{}` is no span of time: {why}", scalar.text);
            let fault = Diagnostic::at(Code::BadTimespan, node.span, message)
                .here("a number and one of the units `s`, `m`, `h`, `d`, `w`, `M` (months), `y` are expected");
            Err(match meant(&scalar.text) {
                Some(meant) => fault.help(meant),
                None => fault,
            })
        }
    }
}

/// The seconds of a span as it must be written.
pub(crate) fn seconds(text: &str) -> Result<u64, &'static str> {
    let unit = text.chars().last().and_then(|last| UNITS.iter().find(|(unit, _)| *unit == last));
    let Some((unit, factor)) = unit else {
        let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        return Err(if number { "its unit is missing" } else { "it does not end in a unit" });
    };
    let number = text.strip_suffix(*unit).unwrap_or("");
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a whole number must stand before the unit, and nothing else");
    }
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor));
    match seconds.filter(|seconds| *seconds <= MAX_SECONDS) {
        None => Err("it is longer than a hundred years"),
        Some(0) => Err("it is empty"),
        Some(seconds) => Ok(seconds),
    }
}

/// What may have been meant by a span that is written otherwise, such as `1h30m` or `90 minutes`.
fn meant(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return (text.bytes().any(|byte| byte != b'0') && text.len() < 10)
            .then(|| format!("`{text}s` is so many seconds, `{text}m` so many minutes"));
    }
    let mut rest = text;
    let mut total = 0_f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        let behind = behind.trim_start();
        let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (word, behind) = behind.split_at(end);
        total += number.parse::<f64>().ok()? * f64::from(u32::try_from(factor(word)?).ok()?);
        rest = behind.trim_start();
    }
    let whole = total.round();
    if whole < 1.0 || (whole - total).abs() > 1e-6 || whole > 3.0e9 {
        return None;
    }
    // Whole and small enough, as was just made sure.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let total = whole as u64;
    // Months and years are no multiples that people would read as such.
    let (unit, factor) = UNITS.iter().take(4).rev().find(|(_, factor)| total.is_multiple_of(*factor))?;
    let spelled = format!("{}{unit}", total / factor);
    seconds(&spelled).is_ok().then(|| format!("did you mean `{spelled}`?"))
}

fn factor(word: &str) -> Option<u64> {
    let unit = match word {
        "M" => 'M',
        _ => {
            let word = word.to_ascii_lowercase();
            WORDS.iter().find(|(words, _)| words.contains(&word.as_str()))?.1
        }
    };
    UNITS.iter().find(|(known, _)| *known == unit).map(|(_, factor)| *factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<u64, Option<&str>>) {
        let found = seconds(text).map_err(|_| meant(text));
        assert_eq!(found, expected.map_err(|help| help.map(|help| format!("did you mean `{help}`?"))), "{text}");
    }

    #[test]
    fn a_number_and_a_unit() {
        check("1s", Ok(1));
        check("90m", Ok(5400));
        check("05m", Ok(300));
        check("1h", Ok(3600));
        check("2d", Ok(172_800));
        check("1w", Ok(604_800));
        check("1M", Ok(2_629_746));
        check("100y", Ok(3_155_695_200));
    }

    #[test]
    fn anything_else_is_wrong_with_help_where_the_meaning_is_clear() {
        check("1h30m", Err(Some("90m")));
        check("90 m", Err(Some("90m")));
        check("5 minutes", Err(Some("5m")));
        check("1.5h", Err(Some("90m")));
        check("5H", Err(Some("5h")));
        check("5min", Err(Some("5m")));
        check("0m", Err(None));
        check("101y", Err(None));
        check("99999999999999999999s", Err(None));
        check("m", Err(None));
        check("-5m", Err(None));
        check("5x", Err(None));
        check("", Err(None));
        check("1e3s", Err(None));
        check("５m", Err(None));
        assert_eq!(meant("90").as_deref(), Some("`90s` is so many seconds, `90m` so many minutes"));
        assert_eq!(meant("0"), None);
    }
}
