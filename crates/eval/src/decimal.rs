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

    /// How many digits it has behind the point; 0 for whole numbers.
    pub(crate) fn places(&self) -> i64 {
        (i64::try_from(self.digits.len()).unwrap_or(i64::MAX) - self.power).max(0)
    }

    /// The number times ten to the power of `places`; none if that is no whole number, or has more than 29 digits.
    pub(crate) fn scaled(&self, places: u32) -> Option<i128> {
        let length = self.power.checked_add(i64::from(places))?;
        if self.digits.is_empty() {
            return Some(0);
        }
        let zeros = length.checked_sub(i64::try_from(self.digits.len()).ok()?)?;
        if !(0..=29).contains(&length) || zeros < 0 {
            return None;
        }
        let whole = self.digits.iter().fold(0_i128, |whole, digit| whole * 10 + i128::from(*digit));
        let size = whole * 10_i128.pow(u32::try_from(zeros).ok()?);
        Some(if self.negative { -size } else { size })
    }

    /// The nearest float.
    pub(crate) fn nearest(&self) -> f64 {
        let digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}0.{digits}0e{}", self.power).parse().unwrap_or(f64::NAN)
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
    fn scaled_and_nearest() {
        let number = |text: &str| Decimal::parse(text).expect("a number");
        for (text, places, expected) in [
            ("0", 0, Some(0)),
            ("12", 0, Some(12)),
            ("-1200", 1, Some(-12000)),
            ("0.05", 2, Some(5)),
            ("0.05", 1, None),
            ("1e28", 0, Some(10_i128.pow(28))),
            ("1e29", 0, None),
            ("1e28", 1, None),
        ] {
            assert_eq!(number(text).scaled(places), expected, "{text} with {places}");
        }
        for (text, places) in [("0", 0), ("10", 0), ("1.50", 1), ("0.001", 3), ("1e-5", 5)] {
            assert_eq!(number(text).places(), places, "{text}");
        }
        for text in ["0", "1", "-0.1", "123456.789", "1e300", "5e-324"] {
            assert_eq!(number(text).nearest(), text.parse::<f64>().expect("a float"), "{text}");
        }
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
