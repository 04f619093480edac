//! Exact numbers.
//!
//! Invariant: nothing is rounded: numbers are compared digit by digit, of any length and size.

use std::cmp::Ordering;

/// A number in decimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Digits (0 to 9) without zeros at either end; none for zero.
    digits: Vec<u8>,
    /// The value is `0.digits` times ten to this power; 0 for zero.
    power: i64,
}

impl Decimal {
    /// The number that an event's text spells: JSON's grammar, so neither `+1`, `.5`, `0x1F` nor `007`. Those are
    /// texts: a rule that means them writes a text too.
    pub(crate) fn spelled(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, _) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, ""));
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let extra_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || whole.starts_with('+') || extra_zero || fraction.is_some_and(str::is_empty) {
            return None;
        }
        Self::parse(text)
    }

    /// The number of any decimal text: also `+1`, `.5`, `5.` and leading zeros.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix(['-', '+']) {
            Some(unsigned) => (text.starts_with('-'), unsigned),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(fraction.bytes());
        if whole.len() + fraction.len() == 0 || !all().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let zeros = all().take_while(|byte| *byte == b'0').count();
        let mut digits: Vec<u8> = all().skip(zeros).map(|byte| byte - b'0').collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            return Some(Self { negative: false, digits, power: 0 });
        }
        let whole_digits = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
        Some(Self { negative, digits, power: whole_digits + i64::from(exponent) })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.negative, number.digits.is_empty()) {
            (true, _) => -1,
            (false, true) => 0,
            (false, false) => 1,
        };
        let size = || self.power.cmp(&other.power).then_with(|| self.digits.cmp(&other.digits));
        match (sign(self), sign(other)) {
            (-1, -1) => size().reverse(),
            (1, 1) => size(),
            (a, b) => a.cmp(&b),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, expected: Ordering) {
        let (left, right) = (Decimal::parse(a).expect("a number"), Decimal::parse(b).expect("a number"));
        assert_eq!(left.cmp(&right), expected, "{a} and {b}");
        assert_eq!(right.cmp(&left), expected.reverse(), "{b} and {a}");
    }

    #[test]
    fn order_is_exact() {
        check("9007199254740993", "9007199254740992", Ordering::Greater);
        check("18446744073709551615", "18446744073709551614", Ordering::Greater);
        check("-9223372036854775808", "-9223372036854775807", Ordering::Less);
        check("10", "9", Ordering::Greater);
        check("1.50", "1.5", Ordering::Equal);
        check("1e3", "1000.0", Ordering::Equal);
        check("-0", "0.0", Ordering::Equal);
        check("0.01", "0.1", Ordering::Less);
        check("-1", "0", Ordering::Less);
        check("007", "7", Ordering::Equal);
        check("0.00012", "1.2e-4", Ordering::Equal);
    }

    #[test]
    fn what_spells_a_number() {
        for text in ["0", "-1", "10", "1.5", "1e3", "-0.0"] {
            assert!(Decimal::spelled(text).is_some(), "{text}");
        }
        for text in
            ["", "-", "+1", ".5", "5.", "007", "0x1F", " 1", "1 ", "1,000", "1e", "NaN", "٣", "--1", "1e99999999999"]
        {
            assert_eq!(Decimal::spelled(text), None, "{text}");
        }
    }
}
