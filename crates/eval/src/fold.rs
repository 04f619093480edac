//! Case folding, one character at a time: the simple folding of Unicode (statuses C and S of `CaseFolding.txt`).
//!
//! Invariant: two characters fold to the same one exactly if simple folding makes them equal: `K` (Kelvin) and `k`,
//! `ſ` and `s`, `ẞ` and `ß`; but neither `ß` and `ss`, nor the dotless `ı` and `i`.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// The representative of all characters that differ from `c` in case only: the one with the lowest code point.
pub(crate) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    // The tables of `regex-syntax` are those of Unicode's simple folding; a lookup is a binary search.
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    if class.try_case_fold_simple().is_err() {
        return c;
    }
    class.ranges().first().map_or(c, ClassUnicodeRange::start)
}

/// The characters of a text, folded if case is to be ignored.
pub(crate) fn chars(text: &str, ignore_case: bool) -> Vec<char> {
    if ignore_case { text.chars().map(fold).collect() } else { text.chars().collect() }
}

#[cfg(test)]
mod tests {
    use super::chars;

    fn check(a: &str, b: &str, expected: bool) {
        assert_eq!(chars(a, true) == chars(b, true), expected, "{a} and {b}");
    }

    #[test]
    fn simple_folding() {
        check("Straße", "STRAẞE", true);
        check("Straße", "strasse", false);
        check("\u{212A}ey", "key", true);
        check("\u{17F}", "S", true);
        check("ı", "i", false);
        check("İ", "i", false);
        check("Σ", "ς", true);
        check("ÀÉÎ", "àéî", true);
        check("a", "b", false);
        check("ǅ", "ǆ", true);
    }
}
