//! Parts of timestamps, in UTC.
//!
//! Invariant: what is no time has no part, and a date alone has no hour and no minute.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::Value;
use sigcast_ir::TimePart;

/// The part of the timestamp that a value is; none if it is no timestamp.
///
/// Texts are ISO 8601 (RFC 3339), with `T` or a blank between date and time; without an offset they are UTC. Numbers,
/// and texts of ten or more digits, count from 1970 in UTC, in seconds; in milliseconds, microseconds or nanoseconds if
/// seconds would lie beyond the year 5138 (100,000,000,000), and so on by factors of a thousand.
pub(crate) fn part(value: &Value, part: TimePart) -> Option<i64> {
    let date = matches!(part, TimePart::Day | TimePart::Week | TimePart::Month | TimePart::Year);
    let time = match value {
        Value::String(text) => match read(text) {
            Some(time) => time,
            None if date && !text.contains(':') => text.parse::<Date>().ok()?.to_datetime(civil::Time::midnight()),
            None => return None,
        },
        Value::Number(number) => match number.as_i64() {
            Some(count) => since_epoch(count)?,
            // A fraction of a second is in no part; casting a float saturates, and such a count is no time.
            None => since_epoch(number.as_f64()?.floor() as i64)?,
        },
        _ => return None,
    };
    Some(match part {
        TimePart::Minute => i64::from(time.minute()),
        TimePart::Hour => i64::from(time.hour()),
        TimePart::Day => i64::from(time.day()),
        TimePart::Week => i64::from(time.date().iso_week_date().week()),
        TimePart::Month => i64::from(time.month()),
        TimePart::Year => i64::from(time.year()),
    })
}

/// The time of an event, in milliseconds since 1970, of a value that is a timestamp; parts of a millisecond are cut off.
/// None if it is none.
///
/// Texts are ISO 8601 (RFC 3339), with `T` or a blank between date and time, in UTC without an offset. Numbers, and texts of
/// ten or more digits with or without a fraction, count from 1970: seconds below 100,000,000,000, then milliseconds,
/// microseconds and nanoseconds, by factors of a thousand.
#[must_use]
pub fn milliseconds(value: &Value) -> Option<i64> {
    let float = |seconds: f64| {
        // A fraction is one of seconds; finer counts are whole.
        (seconds.abs() < 1e11).then_some((seconds * 1000.0).floor() as i64)
    };
    let time = match value {
        Value::String(text) => {
            let plain = |text: &str| text.len() >= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
            if let Some((whole, part)) = text.split_once('.')
                && plain(whole)
                && part.bytes().all(|byte| byte.is_ascii_digit())
            {
                let part = format!("{part:0<3}").get(..3)?.parse::<i64>().ok()?;
                return whole
                    .parse::<i64>()
                    .ok()
                    .filter(|whole| *whole < 100_000_000_000)
                    .map(|whole| whole * 1000 + part);
            }
            read(text)?
        }
        Value::Number(number) => match number.as_i64() {
            Some(count) => since_epoch(count)?,
            None => return float(number.as_f64()?),
        },
        _ => return None,
    };
    let nanoseconds = time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_nanosecond();
    i64::try_from(nanoseconds.div_euclid(1_000_000)).ok()
}

/// A time in milliseconds since 1970 as ISO 8601 text in UTC, with its milliseconds: `2026-01-01T00:00:00.000Z`. A time
/// before the year -9999 or after 9999 is written as the start of 1970.
#[must_use]
pub fn iso8601(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    format!("{time:.3}")
}

fn read(text: &str) -> Option<DateTime> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Fewer digits are no count of seconds since 2001, and might be a date without dashes.
        return if text.len() >= 10 { since_epoch(text.parse().ok()?) } else { None };
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(utc(timestamp));
    }
    // A text without a time of day reads as midnight: that is a date, which has no hours. One with a zone's name but no
    // offset would be read without its zone.
    if !text.contains(':') || text.contains('[') {
        return None;
    }
    text.parse::<DateTime>().ok()
}

fn since_epoch(count: i64) -> Option<DateTime> {
    let timestamp = match count.unsigned_abs() {
        0..100_000_000_000 => Timestamp::from_second(count),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(count),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(count),
        _ => Timestamp::from_nanosecond(i128::from(count)),
    };
    timestamp.ok().map(utc)
}

fn utc(timestamp: Timestamp) -> DateTime {
    timestamp.to_zoned(TimeZone::UTC).datetime()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: &Value, wanted: TimePart, expected: Option<i64>) {
        assert_eq!(part(value, wanted), expected, "{wanted:?} of {value}");
    }

    #[test]
    fn times() {
        let at = 1_700_000_000_123_i64;
        for (value, expected) in [
            (json!("2023-11-14T22:13:20.123Z"), Some(at)),
            (json!("2023-11-14T22:13:20.1239999Z"), Some(at)),
            (json!("2023-11-14 22:13:20.123"), Some(at)),
            (json!("2023-11-14T23:13:20.123+01:00"), Some(at)),
            (json!(at), Some(at)),
            (json!(at.to_string()), Some(at)),
            (json!(1_700_000_000), Some(1_700_000_000_000)),
            (json!("1700000000.123"), Some(at)),
            (json!("1700000000.5"), Some(1_700_000_000_500)),
            (json!(1_700_000_000.5), Some(1_700_000_000_500)),
            (json!(1_700_000_000_123_456_i64), Some(at)),
            (json!("1969-12-31T23:59:59.999Z"), Some(-1)),
            (json!("2023-11-14"), None),
            (json!("soon"), None),
            (json!(true), None),
            (json!(null), None),
        ] {
            assert_eq!(milliseconds(&value), expected, "{value}");
        }
    }

    #[test]
    fn written_times() {
        assert_eq!(iso8601(1_767_225_600_000), "2026-01-01T00:00:00.000Z");
        assert_eq!(iso8601(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn parts() {
        use TimePart::{Day, Hour, Minute, Month, Week, Year};
        check(&json!("2024-02-29T23:59:58Z"), Hour, Some(23));
        check(&json!("2024-02-29T23:30:00-01:00"), Hour, Some(0));
        check(&json!("2024-02-29T23:30:00-01:00"), Day, Some(1));
        check(&json!("2024-02-29T23:30:00.123456789+00:00"), Minute, Some(30));
        check(&json!("2024-02-29 10:05:00"), Minute, Some(5));
        check(&json!("2024-02-29 10:05:00.006"), Month, Some(2));
        check(&json!("2024-02-29"), Year, Some(2024));
        check(&json!("2024-02-29"), Hour, None);
        // Weeks by ISO 8601: the week belongs to the year of its Thursday.
        check(&json!("2021-01-03T00:00:00Z"), Week, Some(53));
        check(&json!("2021-01-04T00:00:00Z"), Week, Some(1));
        check(&json!("2024-12-30T00:00:00Z"), Week, Some(1));
        for count in
            [json!(1_700_000_000_i64), json!(1_700_000_000_123_i64), json!("1700000000"), json!(1_700_000_000.5)]
        {
            check(&count, Hour, Some(22));
            check(&count, Minute, Some(13));
        }
        check(&json!(1_700_000_000_123_456_i64), Hour, Some(22));
        check(&json!(1_700_000_000_123_456_789_i64), Hour, Some(22));
        check(&json!(-1), Year, Some(1969));
        for other in [
            json!("yesterday"),
            json!(""),
            json!("12"),
            json!("2024-01-01T10:00[Europe/Berlin]"),
            json!(null),
            json!(true),
            json!("2024-13-01T00:00:00Z"),
        ] {
            check(&other, Day, None);
        }
    }
}
