//! Schedules of cron: how long it is from one run to the next.
//!
//! Source: crontab(5): minute, hour, day of the month, month and day of the week (0 and 7 are Sunday); lists, ranges, steps and
//! names of three letters. If neither field of days starts with `*`, a day that either has is one.

/// The fields: what they are called, their least and greatest value, and the names of their values from the least on.
const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of the week", 0, 7, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

const DAY: u64 = 24 * 60;

/// After so many years, days of the month fall on the same days of the week; a century's missing leap day is passed over.
const CYCLE: u32 = 28;

/// The seconds of the longest time between two runs.
///
/// # Errors
/// What is wrong with the schedule, as a sentence without a full stop.
pub(crate) fn longest_gap(text: &str) -> Result<u64, String> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [minutes, hours, days, months, weekdays] = words.as_slice() else {
        return Err(format!("`{text}` is no schedule of cron: five fields are expected"));
    };
    let field = |at: usize, word: &str| values(at, word).map_err(|fault| format!("in the schedule `{text}`, {fault}"));
    let (minutes, hours) = (field(0, minutes)?, field(1, hours)?);
    let either = !days.starts_with('*') && !weekdays.starts_with('*');
    let (days, months, weekdays) = (field(2, days)?, field(3, months)?, field(4, weekdays)?);
    let weekday = |day: u32| weekdays.contains(&day) || (day == 0 && weekdays.contains(&7));
    let runs: Vec<u64> =
        hours.iter().flat_map(|hour| minutes.iter().map(move |minute| u64::from(hour * 60 + minute))).collect();
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
        return Err(format!("the schedule `{text}` has no time"));
    };
    let within = runs.windows(2).map(|two| two[1] - two[0]).max().unwrap_or(0);
    let mut before: Option<u64> = None;
    let mut gap = None;
    for (number, (day, month, of_week)) in calendar().enumerate() {
        let of_month = days.contains(&day);
        let today = if either { of_month || weekday(of_week) } else { of_month && weekday(of_week) };
        if !(months.contains(&month) && today) {
            continue;
        }
        let start = number as u64 * DAY;
        let longest = before.map_or(0, |before| start + first - before).max(within);
        gap = gap.max(Some(longest));
        before = Some(start + last);
    }
    gap.map(|minutes| minutes * 60).ok_or_else(|| format!("the schedule `{text}` has no day: it never runs"))
}

/// The values of a field, in order.
fn values(at: usize, text: &str) -> Result<Vec<u32>, String> {
    let (name, least, most, names) = FIELDS[at];
    let wrong = || format!("`{text}` is no {name}: {least} to {most}, lists, ranges and steps of them are expected");
    let number = |word: &str| {
        let named = names.iter().position(|name| !name.is_empty() && name.eq_ignore_ascii_case(word));
        let found = named.and_then(|at| u32::try_from(at).ok()).or_else(|| word.parse().ok());
        found.filter(|found| (least..=most).contains(found)).ok_or_else(wrong)
    };
    let mut out = Vec::new();
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step = match step.map(str::parse::<usize>) {
            None => 1,
            Some(Ok(step)) if step > 0 => step,
            Some(_) => return Err(wrong()),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (number(from)?, number(to)?),
            // A step from one value goes on to the last.
            None => (number(range)?, if part.contains('/') { most } else { number(range)? }),
        };
        if from > to {
            return Err(wrong());
        }
        out.extend((from..=to).step_by(step));
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// Days of the month, months and days of the week from the first of 2001, a Monday, on.
fn calendar() -> impl Iterator<Item = (u32, u32, u32)> {
    let months = (2001..2001 + CYCLE).flat_map(|year| {
        (1..=12).map(move |month| {
            let days = match month {
                2 if year % 4 == 0 => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (month, days)
        })
    });
    let days = months.flat_map(|(month, days)| (1..=days).map(move |day| (day, month)));
    days.zip((0..7).cycle().skip(1)).map(|((day, month), of_week)| (day, month, of_week))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_time_between_runs() {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        let check = |text: &str, expected: u64| assert_eq!(longest_gap(text), Ok(expected), "{text}");
        check("* * * * *", MINUTE);
        check("*/5 * * * *", 5 * MINUTE);
        check("0/20 * * * *", 20 * MINUTE);
        check("*/7 * * * *", 7 * MINUTE);
        check("5,10 * * * *", 55 * MINUTE);
        check("0 * * * *", HOUR);
        check("0 9-17 * * *", 16 * HOUR);
        check("30 6 * * *", DAY);
        check("0 6 * * 1", 7 * DAY);
        check("0 6 * * mon-fri", 3 * DAY);
        check("0 0 * * 0", 7 * DAY);
        check("0 0 * * 7", 7 * DAY);
        check("0 0 1 * *", 31 * DAY);
        // The 13th, and Fridays.
        check("0 0 13 * fri", 7 * DAY);
        check("0 0 29 2 *", (4 * 365 + 1) * DAY);
        check("0 12 1 JAN *", 366 * DAY);
    }

    #[test]
    fn what_is_no_schedule() {
        let check = |text: &str, expected: &str| {
            let found = longest_gap(text).expect_err(text);
            assert!(found.contains(expected), "{found}");
        };
        check("60 * * * *", "`60` is no minute: 0 to 59");
        check("0 0 31 2 *", "never runs");
        check("0 0 * * 8", "no day of the week");
        check("0 0 * mo *", "no month");
        check("5-1 * * * *", "no minute");
        check("*/0 * * * *", "no minute");
        check("* * * *", "five fields");
        check("1,,2 * * * *", "no minute");
    }
}
