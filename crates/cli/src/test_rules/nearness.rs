//! Which of an item's values is nearest to what an event has.
//!
//! Invariant: only a guess at what its reader wants to see first, and bounded: a look at a part of long lists and texts.

use serde_json::Value as Json;
use sigcast_eval::values;
use sigcast_ir::{DetectionItem, NumberValue, Pattern, Test};

/// How many values of an item are looked at.
const MOST_VALUES: usize = 64;
/// How many characters of a rule's text, and of an event's.
const MOST_ASKED: usize = 64;
const MOST_FOUND: usize = 1_024;

/// The value that does not pass and is nearest to passing, with its distance: 0 to 998. None if the event has no such
/// field, or every value passes.
pub(super) fn nearest(item: &DetectionItem<'_>, passed: &[bool], event: &Json) -> Option<(usize, u32)> {
    let field = item.field.as_ref()?;
    let found = values(event, field.as_str())?;
    let texts: Vec<Vec<char>> = found.iter().take(8).map(|value| folded(&text(value), MOST_FOUND)).collect();
    let failing = item.values.iter().zip(passed).enumerate().filter(|(_, (_, passed))| !**passed);
    let priced = failing.take(MOST_VALUES).map(|(at, (value, _))| {
        let distance = texts.iter().map(|text| distance(&value.test, text)).min().unwrap_or(998);
        (at, distance)
    });
    priced.min_by_key(|(_, distance)| *distance)
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn folded(text: &str, most: usize) -> Vec<char> {
    text.chars().take(most).flat_map(char::to_lowercase).collect()
}

fn distance(test: &Test<'_>, found: &[char]) -> u32 {
    match test {
        Test::Text { pattern, .. } => of_pattern(pattern, found),
        Test::OneOf(tests) => tests.iter().take(8).map(|test| distance(test, found)).min().unwrap_or(998),
        Test::Number { value, .. } => {
            let text: String = found.iter().collect();
            let asked = match value.value {
                #[allow(clippy::cast_precision_loss, reason = "only a guess at nearness")]
                NumberValue::Integer(value) => value as f64,
                NumberValue::Float(value) => value,
            };
            let Ok(found) = text.parse::<f64>() else { return 900 };
            let off = ((found - asked).abs() / (found.abs() + asked.abs() + 1.0)).clamp(0.0, 1.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 900")]
            {
                (off * 900.0) as u32
            }
        }
        _ => 500,
    }
}

/// How much of the longest literal part is not found in one piece.
fn of_pattern(pattern: &Pattern<'_>, found: &[char]) -> u32 {
    let Some(longest) = pattern.texts().max_by_key(|text| text.len()) else { return 500 };
    let asked = folded(longest, MOST_ASKED);
    let common = common(&asked, found);
    let missing = asked.len() - common;
    let share = 900 * missing / asked.len().max(1);
    // Of equal shares, the one of which more is there.
    let bonus = 90_usize.saturating_sub(common.min(90));
    u32::try_from(share + bonus).unwrap_or(998).min(998)
}

/// The length of the longest run that both have.
fn common(asked: &[char], found: &[char]) -> usize {
    let mut before = vec![0_usize; asked.len() + 1];
    let mut best = 0;
    for c in found {
        let mut diagonal = 0;
        for (at, other) in asked.iter().enumerate() {
            let old = before[at + 1];
            before[at + 1] = if c == other { diagonal + 1 } else { 0 };
            best = best.max(before[at + 1]);
            diagonal = old;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_common_run() {
        let check = |a: &str, b: &str, expected: usize| {
            assert_eq!(common(&folded(a, 99), &folded(b, 99)), expected, "{a} {b}");
        };
        check("\\cmd.exe", "C:\\Windows\\cmdx.exe", 4);
        check("abc", "xABCx", 3);
        check("", "abc", 0);
        check("aab", "aaab", 3);
    }
}
