//! Which lines of two documents differ.
//!
//! Invariant: two texts that differ have a line that is shown; lines keep their order. A long line is shown around the place
//! where it differs.

use serde::Serialize;

/// The most pairs of lines that are compared one by one. Where there are more, all between the first and the last line
/// that differs count as different.
const PAIRS: usize = 4_000_000;

/// The most characters of a line that are shown.
const LONGEST: usize = 240;

/// How many characters before the place where a long line differs are shown.
const BEFORE: usize = 60;

/// The lines that only one of two documents has.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Differs {
    /// Those of the document before.
    pub(super) before: Vec<String>,
    /// Those of the document now.
    pub(super) after: Vec<String>,
}

impl Differs {
    pub(super) fn new(before: &str, after: &str) -> Self {
        let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        let (old, new) = (&old[head..], &new[head..]);
        let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
        let (old, new) =
            if old.len().saturating_mul(new.len()) > PAIRS { (old.to_vec(), new.to_vec()) } else { apart(old, new) };
        Self::shortened(&old, &new)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    fn shortened(old: &[&str], new: &[&str]) -> Self {
        let side = |own: &[&str], other: &[&str]| {
            own.iter()
                .enumerate()
                .map(|(at, line)| {
                    let other = other.get(at).copied().unwrap_or_default();
                    let same = line.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
                    around(line, same)
                })
                .collect()
        };
        Self { before: side(old, new), after: side(new, old) }
    }
}

/// The lines that are in no longest common sequence of both.
fn apart<'t>(old: &[&'t str], new: &[&'t str]) -> (Vec<&'t str>, Vec<&'t str>) {
    // `common[i][j]` is the length of the longest common sequence of the lines from `i` and from `j`.
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let (mut lost, mut won) = (Vec::new(), Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            lost.push(old[i]);
            i += 1;
        } else {
            won.push(new[j]);
            j += 1;
        }
    }
    (lost, won)
}

/// A line; of a long one the part around a character.
fn around(line: &str, at: usize) -> String {
    let length = line.chars().count();
    if length <= LONGEST {
        return line.to_owned();
    }
    let start = at.saturating_sub(BEFORE).min(length.saturating_sub(LONGEST));
    let part: String = line.chars().skip(start).take(LONGEST).collect();
    let sign = |there: bool| if there { "…" } else { "" };
    format!("{}{part}{}", sign(start > 0), sign(start + LONGEST < length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, lost: &[&str], won: &[&str]) {
        let found = Differs::new(before, after);
        assert_eq!(
            (found.before, found.after),
            (lost.iter().map(ToString::to_string).collect(), won.iter().map(ToString::to_string).collect())
        );
    }

    #[test]
    fn lines_that_differ_are_found() {
        check("a\nb\nc", "a\nb\nc", &[], &[]);
        check("a\nb\nc", "a\nx\nc", &["b"], &["x"]);
        check("a\nb\nc", "b\nc\nd", &["a"], &["d"]);
        check("a\nb\nc\nd", "a\nc\nd\nb", &["b"], &["b"]);
        check("", "a", &[], &["a"]);
        let long = format!("{}true{}", "x".repeat(500), "y".repeat(500));
        let found = Differs::new(&long, &long.replace("true", "false"));
        assert!(found.before[0].contains("xtruey") && found.after[0].contains("xfalsey"), "{found:?}");
        assert!(found.before[0].chars().count() <= LONGEST + 2);
    }
}
