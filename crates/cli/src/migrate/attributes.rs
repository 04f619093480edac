//! Attributes in older forms: dates as `2019/01/31`, tags with `_`.
//!
//! Source of the forms: Sigma specification 2.0, "Breaking changes": dates by ISO 8601, `-` in tags.
//!
//! Invariant: only the characters of the value are replaced; what stands around them stays.

use std::ops::Range;

use sigcast_attack::Named;
use sigcast_diagnostics::SourceMap;
use sigcast_frontend::part::{self, Part};

use super::Counts;

/// What the tags of the namespace `detection` are now.
const DETECTION: [&str; 3] = ["dfir", "emerging-threats", "threat-hunting"];

/// What becomes of the attributes of a text.
pub(super) struct Rewritten {
    /// The text with attributes in the forms of today, and how many of each kind changed; `None` if none did.
    pub(super) changed: Option<(String, Counts)>,
    /// What stays, and why.
    pub(super) wrong: Vec<String>,
}

/// Attributes in the forms of today.
pub(super) fn rewritten(text: &str) -> Rewritten {
    let mut sources = SourceMap::new();
    let id = sources.add("", text);
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut counts = Counts::new();
    let mut wrong = Vec::new();
    for document in part::documents(&sources, id) {
        for (key, value) in document.root().entries() {
            let found: Vec<(Part<'_, '_>, String)> = match key {
                "date" | "modified" => match value.text().map(|text| (text, date(text))) {
                    Some((_, Date::Old(new))) => vec![(value, new)],
                    Some((text, Date::Unreal)) => {
                        wrong.push(format!("`{key}: {text}` is no day of the calendar"));
                        continue;
                    }
                    Some((_, Date::Other)) | None => continue,
                },
                "tags" => value.elements().chain([value]).filter_map(|one| Some((one, tag(one.text()?)?))).collect(),
                _ => continue,
            };
            let what = if key == "tags" { "tags" } else { "dates" };
            for (part, new) in found {
                let Some(span) = part.verbatim() else { continue };
                let place = span.start as usize..span.end as usize;
                // An anchor's value is reached by several ways.
                if !edits.iter().any(|(known, _)| *known == place) {
                    edits.push((place, new));
                    *counts.entry(what).or_default() += 1;
                }
            }
        }
    }
    if edits.is_empty() {
        return Rewritten { changed: None, wrong };
    }
    edits.sort_by_key(|(place, _)| place.start);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (place, new) in edits {
        out.push_str(text.get(from..place.start).unwrap_or(""));
        out.push_str(&new);
        from = place.end;
    }
    out.push_str(text.get(from..).unwrap_or(""));
    Rewritten { changed: Some((out, counts)), wrong }
}

/// What a date is.
#[derive(Debug, PartialEq, Eq)]
enum Date {
    /// One of the older form, by ISO 8601.
    Old(String),
    /// Of the older form, and no day of the calendar.
    Unreal,
    /// Something else.
    Other,
}

/// A date of the form `2019/01/31`, or `2019/1/31`.
fn date(text: &str) -> Date {
    let mut parts = text.split('/');
    let mut number = |lengths: std::ops::RangeInclusive<usize>| {
        let part =
            parts.next().filter(|part| lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<u16>().ok()
    };
    let (Some(year), Some(month), Some(day)) = (number(4..=4), number(1..=2), number(1..=2)) else {
        return Date::Other;
    };
    if parts.next().is_some() {
        return Date::Other;
    }
    match (1..=days(year, month)).contains(&day) {
        true => Date::Old(format!("{year:04}-{month:02}-{day:02}")),
        false => Date::Unreal,
    }
}

/// How many days a month of the Gregorian calendar has; 0 if there is no such month.
fn days(year: u16, month: u16) -> u16 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u16::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// A tag in the form of today, if it is in an older one.
fn tag(text: &str) -> Option<String> {
    let (space, word) = text.split_once('.')?;
    let new = match space {
        "attack" => match sigcast_attack::resolve(text)? {
            Named::Tactic(tactic) if word == tactic.slug.replace('-', "_") => tactic.slug.to_owned(),
            Named::Former(former) if word == former.slug.replace('-', "_") => former.slug.to_owned(),
            _ => return None,
        },
        "detection" => {
            DETECTION.iter().find(|known| known.replace('-', "_") == word).map(|known| (*known).to_owned())?
        }
        "cve" => {
            let (year, number) = word.split_once('.')?;
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let fits = year.len() == 4 && number.len() >= 4 && digits(year) && digits(number);
            fits.then(|| format!("{year}-{number}"))?
        }
        _ => return None,
    };
    (new != word).then(|| format!("{space}.{new}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_dates_and_tags() {
        let check = |found: Option<String>, expected: Option<&str>| assert_eq!(found.as_deref(), expected);
        let old = |text, expected: &str| assert_eq!(date(text), Date::Old(expected.to_owned()));
        old("2019/01/31", "2019-01-31");
        old("2019/1/3", "2019-01-03");
        old("2020/2/29", "2020-02-29");
        old("2000/02/29", "2000-02-29");
        for text in ["2019/13/01", "2019/0/1", "2019/1/0", "2019/2/29", "1900/2/29", "2019/2/30", "2019/04/31"] {
            assert_eq!(date(text), Date::Unreal, "{text}");
        }
        for text in ["2019-01-31", "31/01/2019", "2019/01/31/2", "2019/01", "2019/001/1", "today"] {
            assert_eq!(date(text), Date::Other, "{text}");
        }
        check(tag("attack.defense_evasion"), Some("attack.defense-evasion"));
        check(tag("attack.command_and_control"), Some("attack.command-and-control"));
        check(tag("attack.execution"), None);
        check(tag("attack.t1059_001"), None);
        check(tag("attack.g_0016"), None);
        check(tag("cve.2021.44228"), Some("cve.2021-44228"));
        check(tag("cve.2021-44228"), None);
        check(tag("detection.emerging_threats"), Some("detection.emerging-threats"));
        check(tag("own.some_tag"), None);
    }

    #[test]
    fn only_values_change() {
        let text = "date: '2019/01/31' # of 2019/01/31\ntags: [attack.credential_access, \"cve.2021.44228\"]\n\
                    description: 2019/01/31 attack.credential_access\n---\nmodified:   2020/2/1\ntags:\n  - attack.t1003\n";
        let Rewritten { changed, wrong } = rewritten(text);
        let (found, counts) = changed.expect("something changes");
        let expected = "date: '2019-01-31' # of 2019/01/31\ntags: [attack.credential-access, \"cve.2021-44228\"]\n\
                        description: 2019/01/31 attack.credential_access\n---\nmodified:   2020-02-01\ntags:\n  - attack.t1003\n";
        assert_eq!(found, expected);
        assert_eq!(counts, Counts::from([("dates", 2), ("tags", 2)]));
        assert!(wrong.is_empty() && rewritten(&found).changed.is_none());
    }

    #[test]
    fn a_date_that_does_not_exist_stays_and_is_named() {
        let Rewritten { changed, wrong } = rewritten("date: 2019/2/30\nmodified: 2019/3/1\n");
        assert_eq!(changed, Some(("date: 2019/2/30\nmodified: 2019-03-01\n".to_owned(), Counts::from([("dates", 1)]))));
        assert_eq!(wrong, ["`date: 2019/2/30` is no day of the calendar"]);
    }
}
