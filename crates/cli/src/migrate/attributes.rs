//! Attributes in older forms: dates as `2019/01/31`, tags with `_`.
//!
//! Source of the forms: Sigma specification 2.0, "Breaking changes": dates by ISO 8601, `-` in tags.
//!
//! Invariant: only the characters of the value are replaced; what stands around them stays.

use std::collections::BTreeMap;
use std::ops::Range;

use sigcast_attack::Named;
use sigcast_diagnostics::SourceMap;
use sigcast_frontend::part::{self, Part};

/// What the tags of the namespace `detection` are now.
const DETECTION: [&str; 3] = ["dfir", "emerging-threats", "threat-hunting"];

/// The text with attributes in the forms of today, and how many of each kind changed; `None` if none did.
pub(super) fn rewritten(text: &str) -> Option<(String, BTreeMap<&'static str, usize>)> {
    let mut sources = SourceMap::new();
    let id = sources.add("", text);
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut counts = BTreeMap::new();
    for document in part::documents(&sources, id) {
        for (key, value) in document.root().entries() {
            let found: Vec<(Part<'_, '_>, String)> = match key {
                "date" | "modified" => {
                    value.text().and_then(|text| date(text)).map(|new| (value, new)).into_iter().collect()
                }
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
        return None;
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
    Some((out, counts))
}

/// A date of the form `2019/01/31`, or `2019/1/31`, by ISO 8601.
fn date(text: &str) -> Option<String> {
    let mut parts = text.split('/');
    let mut number = |lengths: std::ops::RangeInclusive<usize>| {
        let part =
            parts.next().filter(|part| lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<u16>().ok()
    };
    let (year, month, day) = (number(4..=4)?, number(1..=2)?, number(1..=2)?);
    let real = parts.next().is_none() && (1..=12).contains(&month) && (1..=31).contains(&day);
    real.then(|| format!("{year:04}-{month:02}-{day:02}"))
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
        check(date("2019/01/31"), Some("2019-01-31"));
        check(date("2019/1/3"), Some("2019-01-03"));
        check(date("2019-01-31"), None);
        check(date("31/01/2019"), None);
        check(date("2019/13/01"), None);
        check(date("2019/01/31/2"), None);
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
        let (found, counts) = rewritten(text).expect("something changes");
        let expected = "date: '2019-01-31' # of 2019/01/31\ntags: [attack.credential-access, \"cve.2021-44228\"]\n\
                        description: 2019/01/31 attack.credential_access\n---\nmodified:   2020-02-01\ntags:\n  - attack.t1003\n";
        assert_eq!(found, expected);
        assert_eq!(counts, BTreeMap::from([("dates", 2), ("tags", 2)]));
        assert_eq!(rewritten(&found), None);
    }
}
