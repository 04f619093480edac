//! The table: tactics, former tactics and techniques, as the compiled text has them.
//!
//! Invariant: every tactic that a technique names exists, and so does the technique above every sub-technique.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The text of the table.
const TEXT: &str = include_str!("../data/attack.tsv");

/// What MITRE asks to stand with a copy.
pub const NOTICE: &str = "\u{a9} 2026 The MITRE Corporation. This work is reproduced and distributed with the permission of \
                          The MITRE Corporation.";

/// A tactic: why something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tactic {
    /// `TA0002`.
    pub id: &'static str,
    /// `command-and-control`.
    pub slug: &'static str,
    /// `Command and Control`.
    pub name: &'static str,
    /// Its place in the matrix, from 0.
    pub order: usize,
}

/// A tactic of an earlier version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// Its id then, which one of its successors may bear now.
    pub id: &'static str,
    /// Its short name then.
    pub slug: &'static str,
    /// Its name then.
    pub name: &'static str,
    /// What it became, as places in [`tactics`].
    pub now: Vec<usize>,
}

/// A technique or a sub-technique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Technique {
    /// `T1059` or `T1059.001`.
    pub id: &'static str,
    /// Its own name; that of the technique above is not part of it.
    pub name: &'static str,
    /// Its tactics as places in [`tactics`], in the order of the matrix. Empty for some that are revoked.
    pub tactics: Vec<usize>,
    /// Whether it was revoked; its tactics are those that it had.
    pub revoked: bool,
}

impl Tactic {
    /// Its page.
    #[must_use]
    pub fn url(&self) -> String {
        page(self.id)
    }

    /// Its name as one word: `CommandAndControl`.
    #[must_use]
    pub fn word(&self) -> String {
        word(self.slug)
    }

    /// The tactic of the earlier version that it was split from, if it was.
    #[must_use]
    pub fn former(&self) -> Option<&'static Former> {
        TABLE.former.iter().find(|former| former.now.contains(&self.order))
    }
}

impl Former {
    /// Its page then.
    #[must_use]
    pub fn url(&self) -> String {
        page(self.id)
    }

    /// Its name as one word: `DefenseEvasion`.
    #[must_use]
    pub fn word(&self) -> String {
        word(self.slug)
    }
}

/// The page of a tactic.
fn page(id: &str) -> String {
    format!("https://attack.mitre.org/tactics/{id}/")
}

/// `command-and-control` as `CommandAndControl`.
fn word(slug: &str) -> String {
    let mut out = String::with_capacity(slug.len());
    for part in slug.split('-') {
        let mut chars = part.chars();
        out.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(chars.as_str());
    }
    out
}

impl Technique {
    /// Its page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://attack.mitre.org/techniques/{}/", self.id.replace('.', "/"))
    }

    /// The technique above a sub-technique.
    #[must_use]
    pub fn parent(&self) -> Option<&'static Technique> {
        technique(self.id.split_once('.')?.0)
    }

    /// For one that was revoked: the only one in force that has its name now, which is likely what it became. The table
    /// does not say what a revoked technique became.
    #[must_use]
    pub fn namesake(&self) -> Option<&'static Technique> {
        let mut named = techniques().iter().filter(|other| self.revoked && !other.revoked && other.name == self.name);
        let first = named.next()?;
        named.next().is_none().then_some(first)
    }
}

struct Table {
    version: &'static str,
    tactics: Vec<Tactic>,
    former: Vec<Former>,
    techniques: Vec<Technique>,
    by_id: HashMap<&'static str, usize>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(TEXT));

impl Table {
    /// Lines that are none of the form are passed by; a test of this module shows that there are none.
    fn read(text: &'static str) -> Self {
        let mut table = Self {
            version: "",
            tactics: Vec::new(),
            former: Vec::new(),
            techniques: Vec::with_capacity(900),
            by_id: HashMap::new(),
        };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&'static str> = line.split('\t').collect();
            match fields.as_slice() {
                ["version", version] => table.version = version,
                ["tactic", id, slug, name] => {
                    table.tactics.push(Tactic { id, slug, name, order: table.tactics.len() });
                }
                ["former", id, slug, name, now] => {
                    let place = |slug: &str| table.tactics.iter().position(|tactic| tactic.slug == slug);
                    table.former.push(Former { id, slug, name, now: now.split(',').filter_map(place).collect() });
                }
                [id, name, tactics, rest @ ..] => {
                    let tactics = tactics.split(',').filter_map(|place| place.parse().ok());
                    let tactics = tactics.filter(|place| *place < table.tactics.len()).collect();
                    table.by_id.insert(id, table.techniques.len());
                    table.techniques.push(Technique { id, name, tactics, revoked: rest == ["revoked"] });
                }
                _ => {}
            }
        }
        table
    }
}

/// The version of ATT&CK that the table is of.
#[must_use]
pub fn version() -> &'static str {
    TABLE.version
}

/// Every tactic, in the order of the matrix.
#[must_use]
pub fn tactics() -> &'static [Tactic] {
    &TABLE.tactics
}

/// Every technique and sub-technique, by id.
#[must_use]
pub fn techniques() -> &'static [Technique] {
    &TABLE.techniques
}

/// Tactics of earlier versions.
pub(crate) fn former() -> &'static [Former] {
    &TABLE.former
}

/// The technique with this id, in capitals.
pub(crate) fn technique(id: &str) -> Option<&'static Technique> {
    TABLE.techniques.get(*TABLE.by_id.get(id)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(version(), "19");
        assert_eq!((tactics().len(), former().len(), techniques().len()), (15, 1, 872));
        let lines = TEXT.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines, 1 + 15 + 1 + 872, "a line is of no known form");
        for technique in techniques() {
            assert!(technique.revoked || !technique.tactics.is_empty(), "{}", technique.id);
            assert_eq!(technique.parent().is_some(), technique.id.contains('.'), "{}", technique.id);
            assert!(!technique.name.is_empty() && !technique.id.contains(|c: char| c.is_ascii_lowercase()));
        }
        assert_eq!(techniques().iter().filter(|technique| technique.revoked).count(), 163);
        assert_eq!(
            former()[0].now.iter().map(|at| tactics()[*at].slug).collect::<Vec<_>>(),
            ["stealth", "defense-impairment"]
        );
    }

    #[test]
    fn facts_of_the_matrix() {
        let check = |id: &str, name: &str, slugs: &[&str]| {
            let found = technique(id).expect("known");
            assert_eq!(found.name, name);
            assert_eq!(found.tactics.iter().map(|at| tactics()[*at].slug).collect::<Vec<_>>(), slugs);
        };
        check("T1059.001", "PowerShell", &["execution"]);
        check("T1003", "OS Credential Dumping", &["credential-access"]);
        check("T1086", "PowerShell", &["execution"]);
        assert_eq!(technique("T1086").and_then(Technique::namesake).map(|now| now.id), Some("T1059.001"));
        assert_eq!(
            technique("T1059.001").map(Technique::url).as_deref(),
            Some("https://attack.mitre.org/techniques/T1059/001/")
        );
        assert_eq!(tactics()[12].word(), "CommandAndControl");
    }

    #[test]
    fn the_notice_stands_with_the_table() {
        assert!(TEXT.contains(&NOTICE.replace('\u{a9}', "(c)")));
        assert!(TEXT.contains("non-exclusive, royalty-free license"));
    }
}
