//! When a product runs a rule, and how far back it looks.
//!
//! Invariant: a run looks back at least as far as the interval, so that no event falls between two runs.

use serde::Serialize;
use sigcast_backends::options::{self, Settings};
use sigcast_ir::Rule;

use crate::header::Pace;
use crate::{FormatError, cron};

/// When a rule is run, in the words that products use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Schedule {
    /// How often: `5m`.
    interval: String,
    interval_seconds: u64,
    /// The number and unit of the interval: 5 and `m`.
    interval_count: u64,
    interval_unit: &'static str,
    /// The interval by ISO 8601: `PT5M`.
    interval_iso: String,
    /// How far back each run looks: `6m`.
    window: String,
    window_seconds: u64,
    window_iso: String,
    /// Five fields of cron; none if cron cannot say the interval.
    cron: Option<String>,
    /// Whether an option gives the schedule of cron.
    by_cron: bool,
    /// Whether an option says how far back to look.
    asked: bool,
}

/// A duration in the words that products use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Span {
    /// `90m`.
    text: String,
    seconds: u64,
    /// `PT90M`.
    iso: String,
}

impl Span {
    /// The duration that an option gives; `None` if it is none, which options rule out.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let seconds = options::seconds(text)?;
        Some(Self { text: duration(seconds).0, seconds, iso: iso(seconds) })
    }
}

/// How far back a run looks, beside what the options say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// At least to the run before, with the overlap that the template asks for: the query decides what of it counts.
    Overlapping,
    /// One timespan of the correlation, no more and no less: the product counts all that the run looks at.
    Counted,
}

/// What holds if neither an option nor the template says more.
pub(crate) const USUAL: &str = "30m";

impl Schedule {
    /// The schedule of a rule.
    ///
    /// # Errors
    /// A window that is shorter than the longest time between two runs (and a correlation's timespan), none beside a schedule
    /// of cron, or a schedule that is none.
    pub(crate) fn of(
        rule: &Rule<'_>,
        settings: &Settings,
        pace: Option<&Pace>,
        reach: Reach,
    ) -> Result<Self, FormatError> {
        let usual = pace.map_or(USUAL, |pace| &pace.interval);
        let asked = match settings.cron.as_deref().filter(|_| pace.is_some()) {
            Some(cron) => cron::longest_gap(cron).map_err(|message| FormatError { message })?,
            None => seconds(settings.interval.as_deref().unwrap_or(usual))?,
        };
        let overlap = pace.and_then(|pace| pace.overlap.as_deref()).map_or(Ok(0), seconds)?;
        // A rule that counts within a time needs that time in view.
        let least = match rule.timeframe.as_deref() {
            None => 0,
            // Beside a condition it says nothing: it is no correlation.
            Some(text) if !rule.conditions.is_empty() => seconds(text).unwrap_or(0),
            Some(text) => seconds(text)?,
        };
        let interval = if reach == Reach::Counted { asked.min(least) } else { asked };
        let window = match &settings.time_range {
            _ if reach == Reach::Counted => counted(least, settings)?,
            Some(range) => seconds(range)?,
            None if settings.cron.is_some() && pace.is_some() => {
                let message = "the option `cron` needs the option `time_range`: how far back each run looks, at least \
                               from one run to the next, such as -O time_range=10m";
                return Err(FormatError { message: message.to_owned() });
            }
            // A correlation's time may begin before the run before, and end after it.
            None if rule.conditions.is_empty() => interval + least + overlap,
            None => interval.max(least) + overlap,
        };
        let short = match reach {
            Reach::Counted => window < interval,
            Reach::Overlapping if rule.conditions.is_empty() => window < interval + least,
            Reach::Overlapping => window < interval.max(least),
        };
        if pace.is_some() && short {
            let span = if rule.conditions.is_empty() {
                format!(", and what it counts together is up to {} apart", duration(least).0)
            } else {
                String::new()
            };
            let message = format!(
                "each run looks back {}, and there are up to {} from one to the next{span}: events between would be missed; a \
                 longer `time_range` or a shorter interval is expected",
                duration(window).0,
                duration(interval).0
            );
            return Err(FormatError { message });
        }
        let (text, interval_count, interval_unit) = duration(interval);
        Ok(Self {
            interval: text,
            interval_seconds: interval,
            interval_count,
            interval_unit,
            interval_iso: iso(interval),
            window: duration(window).0,
            window_seconds: window,
            window_iso: iso(window),
            cron: settings.cron.clone().or_else(|| of_interval(interval)),
            by_cron: settings.cron.is_some(),
            asked: settings.time_range.is_some(),
        })
    }
}

/// The window of a rule that counts all it looks at.
fn counted(timespan: u64, settings: &Settings) -> Result<u64, FormatError> {
    match settings.time_range.as_deref().map(|text| seconds(text).map(|found| (text, found))).transpose()? {
        Some((text, found)) if found != timespan => Err(FormatError {
            message: format!(
                "the rule counts all events that a run looks at, which are those of {}, the correlation's timespan: the \
                 option `time_range` cannot make it {text}",
                duration(timespan).0
            ),
        }),
        _ => Ok(timespan),
    }
}

/// The seconds of `5m`.
fn seconds(text: &str) -> Result<u64, FormatError> {
    let fault =
        || FormatError { message: format!("`{text}` is no duration: a number and one of s, m, h, d is expected") };
    options::seconds(text).ok_or_else(fault)
}

/// The units, the largest first.
const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];

/// Seconds in the largest unit that keeps them whole.
pub(crate) fn duration(seconds: u64) -> (String, u64, &'static str) {
    let (size, word) = UNITS.into_iter().find(|(size, _)| seconds.is_multiple_of(*size)).unwrap_or((1, "s"));
    (format!("{}{word}", seconds / size), seconds / size, word)
}

/// Seconds by ISO 8601.
pub(crate) fn iso(seconds: u64) -> String {
    let (_, count, word) = duration(seconds);
    let time = if word == "d" { "P" } else { "PT" };
    format!("{time}{count}{}", word.to_ascii_uppercase())
}

/// An interval in cron: only those that an hour or a day is a multiple of come back at even times.
fn of_interval(seconds: u64) -> Option<String> {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    if rest != 0 || minutes == 0 {
        return None;
    }
    match minutes {
        1 => Some("* * * * *".to_owned()),
        2..60 if 60 % minutes == 0 => Some(format!("*/{minutes} * * * *")),
        60 => Some("0 * * * *".to_owned()),
        61..1440 if minutes % 60 == 0 && 24 % (minutes / 60) == 0 => Some(format!("0 */{} * * *", minutes / 60)),
        1440 => Some("0 0 * * *".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_the_words_of_products() {
        let check = |text: &str, same: &str, iso_text: &str, cron_text: Option<&str>| {
            let found = seconds(text).expect("a duration");
            assert_eq!((duration(found).0.as_str(), iso(found).as_str()), (same, iso_text));
            assert_eq!(of_interval(found).as_deref(), cron_text, "{text}");
        };
        check("5m", "5m", "PT5M", Some("*/5 * * * *"));
        check("300s", "5m", "PT5M", Some("*/5 * * * *"));
        check("90s", "90s", "PT90S", None);
        check("60m", "1h", "PT1H", Some("0 * * * *"));
        check("7m", "7m", "PT7M", None);
        check("4h", "4h", "PT4H", Some("0 */4 * * *"));
        check("24h", "1d", "P1D", Some("0 0 * * *"));
        check("2d", "2d", "P2D", None);
        for wrong in ["", "m", "0m", "5w", "-5m", "é", "9999999999s"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
