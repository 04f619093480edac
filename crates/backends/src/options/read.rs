//! The values of options, as they are written.
//!
//! Invariant: what is returned has no control characters; a fault is a sentence for the user.

use sigcast_diagnostics::nearest;

/// The value that a word stands for.
pub(super) fn word<T: Copy>(value: &str, known: &[(&'static str, T)]) -> Result<T, String> {
    if let Some((_, found)) = known.iter().find(|(name, _)| *name == value) {
        return Ok(*found);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let hint =
        nearest(value, names.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(format!("`{value}` is none of {}{hint}", names.join(", ")))
}

/// A name: not empty, and no control characters.
pub(super) fn name(value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.is_empty() {
        return Err("the value is empty".to_owned());
    }
    if value.chars().any(char::is_control) {
        return Err("the value has control characters".to_owned());
    }
    Ok(value.to_owned())
}

/// A schedule of cron: five fields of digits and the signs between them.
pub(super) fn cron(value: &str) -> Result<String, String> {
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    let right = fields.len() == 5
        && !value.chars().any(char::is_control)
        && fields.iter().all(|field| field.bytes().all(|b| b.is_ascii_alphanumeric() || b"*/,-".contains(&b)));
    if right {
        Ok(fields.join(" "))
    } else {
        Err(format!("`{value}` is no schedule: five fields of cron are expected"))
    }
}

/// The seconds of a duration such as `5m`: a number from 1 to below 4,000,000,000, which is more seconds than a hundred years
/// have, and one of `s`, `m`, `h`, `d`. None of another text.
#[must_use]
pub fn seconds(duration: &str) -> Option<u64> {
    let (digits, unit) = duration.split_at_checked(duration.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok().filter(|count| (1..4_000_000_000).contains(count))?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    Some(count * unit)
}

/// A duration. Queries show it as it is written, so it has no sign, and six digits at most.
pub(super) fn duration(value: &str) -> Result<String, String> {
    let plain = value.len() <= 7 && value.starts_with(|c: char| c.is_ascii_digit());
    if plain && seconds(value).is_some() {
        Ok(value.to_owned())
    } else {
        Err(format!("`{value}` is no duration: a number and one of s, m, h, d, such as 24h"))
    }
}
