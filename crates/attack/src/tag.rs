//! One tag: what of ATT&CK it names.
//!
//! Source: Sigma specification, "Sigma Tags" (namespace `attack`): techniques `attack.t1059.001`, tactics by short name with
//! `-` (`_` in older rules), groups `attack.g0016`, software `attack.s0002`, data sources `attack.ds0005`, campaigns.

use crate::table::{self, Former, Tactic, Technique};

/// What a tag of the namespace `attack` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A tactic.
    Tactic(&'static Tactic),
    /// A tactic of an earlier version.
    Former(&'static Former),
    /// A technique or sub-technique.
    Technique(&'static Technique),
    /// A group by number, `G0016`: the table does not list them.
    Group(String),
    /// Software by number, `S0002`: likewise.
    Software(String),
    /// A campaign, mitigation or data source by number (`C0001`, `M1036`, `DS0005`): likewise.
    Other(String),
    /// Nothing that the table has; the words behind `attack.`, in capitals if it has the form of a technique.
    Unknown(String),
}

/// What a tag names; `None` for a tag of another namespace.
#[must_use]
pub fn resolve(tag: &str) -> Option<Named> {
    let start = tag.get(..7).filter(|start| start.eq_ignore_ascii_case("attack."))?;
    let word = tag[start.len()..].trim();
    let capitals = word.to_ascii_uppercase();
    if let Some(technique) = table::technique(&capitals) {
        return Some(Named::Technique(technique));
    }
    let slug = word.to_ascii_lowercase().replace(['_', ' '], "-");
    // By id too, which a former tactic shares with its successor: the id means the one of today.
    if let Some(tactic) = table::tactics().iter().find(|tactic| tactic.slug == slug || tactic.id == capitals) {
        return Some(Named::Tactic(tactic));
    }
    if let Some(former) = table::former().iter().find(|former| former.slug == slug) {
        return Some(Named::Former(former));
    }
    let numbered = |signs: &str| {
        let digits = capitals.strip_prefix(signs).unwrap_or_default();
        digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    Some(match capitals {
        capitals if numbered("G") => Named::Group(capitals),
        capitals if numbered("S") => Named::Software(capitals),
        capitals if numbered("C") || numbered("M") || numbered("DS") => Named::Other(capitals),
        capitals if is_technique(&capitals) => Named::Unknown(capitals),
        _ => Named::Unknown(word.to_owned()),
    })
}

/// Whether a word has the form of a technique: `T1059`, `T1059.001`.
pub(crate) fn is_technique(word: &str) -> bool {
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = word.strip_prefix('T') else { return false };
    match rest.split_once('.') {
        Some((number, sub)) => digits(number, 4) && digits(sub, 3),
        None => digits(rest, 4),
    }
}

/// The words that a wrong one may have meant, for "did you mean": for one with the form of a technique those of the same
/// technique, else those of tactics.
pub fn nearest_words(word: &str) -> impl Iterator<Item = String> {
    let number = word.get(..5).filter(|start| start.as_bytes().first().is_some_and(|c| c.eq_ignore_ascii_case(&b't')));
    let number = number.filter(|start| start[1..].bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned);
    let tactics = table::tactics().iter().map(|tactic| tactic.slug.to_owned());
    let technical = number.is_some();
    let techniques = table::techniques().iter().filter(move |technique| {
        !technique.revoked
            && number
                .as_ref()
                .is_some_and(|number| technique.id.get(..5).is_some_and(|id| id.eq_ignore_ascii_case(number)))
    });
    tactics.filter(move |_| !technical).chain(techniques.map(|technique| technique.id.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_what_they_say() {
        let check = |tag: &str, expected: &str| {
            let found = match resolve(tag) {
                None => "-".to_owned(),
                Some(Named::Tactic(tactic)) => tactic.name.to_owned(),
                Some(Named::Former(former)) => format!("former {}", former.name),
                Some(Named::Technique(technique)) => format!("{} {}", technique.id, technique.name),
                Some(Named::Group(id) | Named::Software(id) | Named::Other(id)) => id,
                Some(Named::Unknown(word)) => format!("? {word}"),
            };
            assert_eq!(found, expected, "{tag}");
        };
        check("attack.t1059.001", "T1059.001 PowerShell");
        check("ATTACK.T1059", "T1059 Command and Scripting Interpreter");
        check("attack.g0016", "G0016");
        check("attack.s0002", "S0002");
        check("attack.ds0005", "DS0005");
        check("attack.command_and_control", "Command and Control");
        check("attack.stealth", "Stealth");
        check("attack.ta0005", "Stealth");
        check("attack.defense_evasion", "former Defense Evasion");
        check("attack.defense-evasion", "former Defense Evasion");
        check("attack.t9999.001", "? T9999.001");
        check("attack.t1059.99", "? t1059.99");
        check("attack.exeuction", "? exeuction");
        check("attack.", "? ");
        check("cve.2020-1472", "-");
        check("attäck.t1059", "-");
    }

    #[test]
    fn near_words_are_of_the_same_kind() {
        let words = |word: &str| nearest_words(word).collect::<Vec<_>>();
        assert!(words("t1059.099").iter().all(|word| word.starts_with("t1059")) && words("T1059.099").len() > 5);
        assert!(words("exeuction").contains(&"execution".to_owned()));
        assert!(words("t€059").contains(&"execution".to_owned()));
    }
}
