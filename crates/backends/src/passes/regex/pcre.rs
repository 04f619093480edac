//! PCRE's syntax: the expression as the author wrote it, with the flags of the modifiers inline.

use sigcast_ir::RegexFlags;

/// The expression with its flags.
pub(super) fn write(source: &str, flags: RegexFlags) -> String {
    let letters: String = [(flags.ignore_case, 'i'), (flags.multiline, 'm'), (flags.dot_all, 's')]
        .into_iter()
        .filter_map(|(on, letter)| on.then_some(letter))
        .collect();
    if letters.is_empty() {
        return source.to_owned();
    }
    // Verbs such as `(*UCP)` work at the very start only.
    let mut verbs = 0;
    while let Some(rest) = source.get(verbs..).filter(|rest| rest.starts_with("(*")) {
        let Some(end) = rest.find(')') else { break };
        verbs += end + 1;
    }
    let (verbs, rest) = source.split_at(verbs);
    format!("{verbs}(?{letters}){rest}")
}
