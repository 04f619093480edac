//! Safe file names from titles.
//!
//! Invariant: a name is one path component that every usual file system takes (ASCII letters in lower case, digits and
//! `-`, no name that Windows reserves, at most [`LONGEST`] bytes before the extension), and no two names given out by
//! one [`Names`] are equal, whatever the file system does with case.

use std::collections::HashMap;

/// The most bytes of a name before its extension. File systems take 255, and some tools far less for a whole path.
pub const LONGEST: usize = 120;

/// Room that a title leaves for what tells two equal ones apart.
const ROOM: usize = 20;

/// The names given out for one folder.
#[derive(Debug, Default)]
pub struct Names {
    /// Every stem given out, with the last number tried behind it.
    taken: HashMap<String, usize>,
}

impl Names {
    /// No name is given out yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A name for a rule, without the extension: its title, else its id, else `rule`. If that is taken, the first
    /// eight characters of the id are put behind it, then a number. Depends on nothing but the calls before.
    pub fn assign(&mut self, title: Option<&str>, id: Option<&str>) -> String {
        let id = slug(id.unwrap_or_default());
        let title = slug(title.unwrap_or_default());
        let base = [title, id.clone()].into_iter().find(|text| !text.is_empty()).unwrap_or_else(|| "rule".to_owned());
        if self.take(&base) {
            return base;
        }
        let short = id.get(..8).unwrap_or(&id).trim_matches('-');
        let base = if short.is_empty() { base } else { format!("{base}-{short}") };
        if self.take(&base) {
            return base;
        }
        let mut number = self.taken.get(&base).copied().unwrap_or(1);
        loop {
            number += 1;
            let name = format!("{base}-{number}");
            if self.take(&name) {
                self.taken.insert(base, number);
                return name;
            }
        }
    }

    /// Takes a stem, if it is free.
    fn take(&mut self, stem: &str) -> bool {
        if self.taken.contains_key(stem) {
            return false;
        }
        self.taken.insert(stem.to_owned(), 1);
        true
    }
}

/// Letters and digits of a text in lower case, with one `-` for each run of anything else. Empty if it has none.
///
/// Before: `Suspicious "rundll32.exe" (via LOLBIN)`. After: `suspicious-rundll32-exe-via-lolbin`.
#[must_use]
pub fn slug(text: &str) -> String {
    joined(text, |c| c.is_ascii_alphanumeric())
}

/// The same for a word that may have `_` in it, as log sources and file names do, which is kept.
///
/// Before: `proc_creation_win (2)`. After: `proc_creation_win-2`.
#[must_use]
pub fn word(text: &str) -> String {
    joined(text, |c| c.is_ascii_alphanumeric() || c == '_')
}

fn joined(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut name = String::with_capacity(text.len().min(LONGEST));
    for c in text.chars() {
        if name.len() >= LONGEST - ROOM {
            break;
        }
        if keep(c) {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(name.trim_end_matches('-').len());
    if is_reserved(&name) {
        name.push_str("-rule");
    }
    name
}

/// Whether Windows takes the name, which is in lower case and without its extension, for a device.
///
/// Source: Microsoft, "Naming Files, Paths, and Namespaces".
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    let port = |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']));
    matches!(name, "con" | "prn" | "aux" | "nul" | "conin" | "conout" | "conin$" | "conout$")
        || port("com")
        || port("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &[(&str, &str)], expected: &[&str]) {
        let mut names = Names::new();
        let found: Vec<String> = rules.iter().map(|(title, id)| names.assign(Some(title), Some(id))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn equal_titles_get_names_of_their_own() {
        check(
            &[("A b", ""), ("a-B", "12345678-9abc"), ("A B", ""), ("a b 2", ""), ("A b", "12345678-9abc")],
            &["a-b", "a-b-12345678", "a-b-2", "a-b-2-2", "a-b-12345678-2"],
        );
        check(&[("", "AB-1"), ("規則", ""), ("", "")], &["ab-1", "rule", "rule-2"]);
    }

    #[test]
    fn names_are_safe_everywhere() {
        check(
            &[("../../etc/passwd", ""), (".hidden", ""), ("C:\\x\0y", ""), ("CON", ""), ("lpt1", ""), ("a. ", "")],
            &["etc-passwd", "hidden", "c-x-y", "con-rule", "lpt1-rule", "a"],
        );
    }

    #[test]
    fn long_titles_stay_short_and_apart() {
        let long = "word ".repeat(200);
        let mut names = Names::new();
        let first = names.assign(Some(&long), Some("0123456789"));
        let all: Vec<String> = (0..1000).map(|_| names.assign(Some(&long), Some("0123456789"))).collect();
        assert!(all.iter().all(|name| name.len() <= LONGEST && *name != first));
        let distinct: std::collections::HashSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
