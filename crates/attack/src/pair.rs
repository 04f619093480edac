//! The tags of a rule as tactics with their techniques.
//!
//! Tags do not say which technique serves which tactic; the table does. These are the rules:
//! - A technique stands under each tactic that the rule names and that the table gives it.
//! - A technique none of whose tactics the rule names stands under all that the table gives it: to choose one would be a
//!   guess.
//! - A former tactic stands for those of its successors that a technique of the rule belongs to; for all of them if none
//!   does.
//! - A sub-technique stands under its technique, which is added if the rule does not name it.
//! - A tactic of the rule to which none of its techniques belongs stands alone.
//! - What the table does not have is kept aside, as are groups and software.
//!
//! Invariant: every technique and tactic of the tags that the table knows stands in [`Attack::threats`], unless it is a
//! revoked technique without a tactic; tactics are in the order of the matrix, techniques in that of their numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::table::{Tactic, Technique, tactics, technique};
use crate::tag::{Named, is_technique, resolve};

/// What the tags of a rule say of ATT&CK.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attack {
    /// Tactics with their techniques, in the order of the matrix.
    pub threats: Vec<Threat>,
    /// The techniques and sub-techniques that the tags name, in the order of the tags, each once.
    pub techniques: Vec<&'static Technique>,
    /// Ids with the form of a technique that the table does not have, in the order of the tags.
    pub unknown_techniques: Vec<String>,
    /// Groups by number.
    pub groups: Vec<String>,
    /// Software by number.
    pub software: Vec<String>,
}

/// A tactic with the techniques that serve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threat {
    /// The tactic.
    pub tactic: &'static Tactic,
    /// Its techniques; empty if the rule names the tactic alone.
    pub techniques: Vec<Paired>,
}

/// A technique with its sub-techniques.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paired {
    /// The technique.
    pub technique: &'static Technique,
    /// Those of its sub-techniques that the rule names.
    pub subtechniques: Vec<&'static Technique>,
}

impl Attack {
    /// What these tags say.
    pub fn of<'t>(tags: impl IntoIterator<Item = &'t str>) -> Self {
        let mut found = Self::default();
        let (mut named, mut former) = (BTreeSet::new(), Vec::new());
        for tag in tags {
            match resolve(tag) {
                Some(Named::Tactic(tactic)) => {
                    named.insert(tactic.order);
                }
                Some(Named::Former(tactic)) => former.push(tactic),
                Some(Named::Technique(technique)) => once(&mut found.techniques, technique),
                Some(Named::Group(id)) => once(&mut found.groups, id),
                Some(Named::Software(id)) => once(&mut found.software, id),
                Some(Named::Unknown(word)) if is_technique(&word) => once(&mut found.unknown_techniques, word),
                Some(Named::Other(_) | Named::Unknown(_)) | None => {}
            }
        }
        let served: BTreeSet<usize> = found.techniques.iter().flat_map(|technique| technique.tactics.clone()).collect();
        for tactic in former {
            let meant: Vec<usize> = tactic.now.iter().copied().filter(|at| served.contains(at)).collect();
            named.extend(if meant.is_empty() { tactic.now.clone() } else { meant });
        }
        found.threats = threats(&named, &found.techniques);
        found
    }
}

/// The techniques under their tactics: those that the rule names, and those of techniques that belong to none of them.
fn threats(named: &BTreeSet<usize>, techniques: &[&'static Technique]) -> Vec<Threat> {
    // By the tactic's place, then by the technique's id: the sub-techniques.
    let mut all: BTreeMap<usize, BTreeMap<&str, BTreeSet<&str>>> =
        named.iter().map(|at| (*at, BTreeMap::new())).collect();
    for found in techniques {
        let own = found.tactics.iter().copied();
        let fitting: Vec<usize> = own.clone().filter(|at| named.contains(at)).collect();
        for at in if fitting.is_empty() { own.collect() } else { fitting } {
            let under = all.entry(at).or_default();
            match found.parent() {
                Some(parent) => {
                    under.entry(parent.id).or_default().insert(found.id);
                }
                None => {
                    under.entry(found.id).or_default();
                }
            }
        }
    }
    let paired = |(id, subs): (&str, BTreeSet<&str>)| {
        let subtechniques = subs.into_iter().filter_map(technique).collect();
        Some(Paired { technique: technique(id)?, subtechniques })
    };
    all.into_iter()
        .filter_map(|(at, techniques)| {
            Some(Threat { tactic: tactics().get(at)?, techniques: techniques.into_iter().filter_map(paired).collect() })
        })
        .collect()
}

fn once<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line a tactic: `slug: T1 (T1.001) T2`.
    fn check(tags: &[&str], expected: &[&str]) {
        let found = Attack::of(tags.iter().copied());
        let lines: Vec<String> = found
            .threats
            .iter()
            .map(|threat| {
                let mut line = format!("{}:", threat.tactic.slug);
                for paired in &threat.techniques {
                    line.push_str(&format!(" {}", paired.technique.id));
                    for sub in &paired.subtechniques {
                        line.push_str(&format!(" ({})", sub.id));
                    }
                }
                line
            })
            .collect();
        assert_eq!(lines, expected, "{tags:?}");
    }

    #[test]
    fn techniques_stand_under_their_tactics() {
        check(&["attack.execution", "attack.t1059.001"], &["execution: T1059 (T1059.001)"]);
        // T1078 serves four tactics, of which the rule names two.
        check(
            &["attack.t1078", "attack.persistence", "attack.initial-access"],
            &["initial-access: T1078", "persistence: T1078"],
        );
        // The technique with its sub-techniques once, whatever the order.
        check(
            &["attack.t1059.003", "attack.t1059", "attack.t1059.001", "attack.execution"],
            &["execution: T1059 (T1059.001) (T1059.003)"],
        );
    }

    #[test]
    fn a_technique_whose_tactic_is_not_named_gets_all_of_its_own() {
        check(&["attack.impact", "attack.t1003.001"], &["credential-access: T1003 (T1003.001)", "impact:"]);
        check(
            &["attack.t1053.005"],
            &[
                "execution: T1053 (T1053.005)",
                "persistence: T1053 (T1053.005)",
                "privilege-escalation: T1053 (T1053.005)",
            ],
        );
    }

    #[test]
    fn former_tactics_become_what_the_techniques_say() {
        check(&["attack.defense_evasion"], &["stealth:", "defense-impairment:"]);
        // T1218.011 (Rundll32) is of Stealth, T1685 of Defense Impairment.
        check(&["attack.defense-evasion", "attack.t1218.011"], &["stealth: T1218 (T1218.011)"]);
        check(&["attack.defense-evasion", "attack.t1685"], &["defense-impairment: T1685"]);
        check(
            &["attack.defense-evasion", "attack.t1003"],
            &["stealth:", "defense-impairment:", "credential-access: T1003"],
        );
    }

    #[test]
    fn what_the_table_lacks_is_kept_aside() {
        let found =
            Attack::of(["attack.t9999", "attack.g0016", "attack.S0002", "attack.nonsense", "cve.1", "attack.t9999"]);
        assert_eq!(found.unknown_techniques, ["T9999"]);
        assert_eq!((found.groups, found.software), (vec!["G0016".to_owned()], vec!["S0002".to_owned()]));
        assert!(found.threats.is_empty() && found.techniques.is_empty());
    }

    /// Every technique in force comes back, whatever stands beside it.
    #[test]
    fn nothing_of_the_table_is_lost() {
        for technique in crate::techniques().iter().filter(|technique| !technique.tactics.is_empty()) {
            let tag = format!("attack.{}", technique.id.to_lowercase());
            for others in [vec![], vec!["attack.impact"], vec!["attack.defense-evasion", "attack.t1059"]] {
                let found = Attack::of(others.into_iter().chain([tag.as_str()]));
                let stands =
                    found.threats.iter().any(|threat| {
                        threat.techniques.iter().any(|paired| {
                            paired.technique.id == technique.id || paired.subtechniques.contains(&technique)
                        }) && technique.tactics.contains(&threat.tactic.order)
                    });
                assert!(stands, "{tag}");
            }
        }
    }
}
