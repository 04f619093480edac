//! What is worth saying of a rule that a format is made of: tags that name nothing, settings that nobody reads.

use sigcast_attack::Named;
use sigcast_backends::{Target, overrides};
use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_ir::{Attribute, Rule};

/// A warning for each tag of ATT&CK that the table does not have, or that is revoked there.
pub(crate) fn tags(rule: &Rule<'_>, out: &mut Vec<Diagnostic>) {
    for (at, tag) in rule.meta.tags.iter().enumerate() {
        let place = rule.meta.tag_spans.get(at).copied().unwrap_or_else(|| start(rule));
        let version = sigcast_attack::version();
        match sigcast_attack::resolve(tag) {
            Some(Named::Unknown(word)) => {
                let known: Vec<String> = sigcast_attack::nearest_words(&word).collect();
                let near = nearest(&word, known.iter().map(String::as_str)).map(|near| format!("attack.{near}"));
                let message = format!("the tag `{tag}` names nothing in ATT&CK {version}");
                let found = Diagnostic::at(Code::UnknownAttackTag, place, message).here("kept as it is");
                out.push(found.suggest(near.as_deref()));
            }
            Some(Named::Technique(technique)) if technique.revoked => {
                let message =
                    format!("the technique `{}` ({}) is revoked in ATT&CK {version}", technique.id, technique.name);
                let near = technique.namesake().map(|now| format!("attack.{}", now.id.to_ascii_lowercase()));
                let found = Diagnostic::at(Code::UnknownAttackTag, place, message).here("kept as it is");
                out.push(found.suggest(near.as_deref()));
            }
            _ => {}
        }
    }
}

/// A warning for each word that the rule's attribute `custom` sets for the target and nothing reads. `read`: the words
/// that the target's formats read.
pub(crate) fn unread(rule: &Rule<'_>, target: &Target, read: &[&str], out: &mut Vec<Diagnostic>) {
    for (key, _) in own(rule, target) {
        let known = overrides::is_option(target, &key) || read.iter().any(|word| takes(word, &key));
        // What is set for every target concerns some of them only.
        if known || sigcast_backends::options::option(&key).is_some_and(|_| general(rule, &key)) {
            continue;
        }
        let words = target.options.iter().copied().chain(read.iter().copied());
        let message = format!("the attribute `custom` sets `{key}`, which {} does not know", target.name);
        let found = Diagnostic::at(Code::UnknownOverride, start(rule), message);
        out.push(found.suggest(nearest(&key, words)));
    }
}

/// What the rule sets for the target, keys of inner maps with dots before them: `action.email.to`.
pub(crate) fn own<'r, 'a>(rule: &'r Rule<'a>, target: &Target) -> Vec<(String, &'r Attribute<'a>)> {
    let mut out = Vec::new();
    for (key, value) in overrides::entries(rule, target) {
        flat(key.to_owned(), value, &mut out);
    }
    out
}

fn flat<'r, 'a>(key: String, value: &'r Attribute<'a>, out: &mut Vec<(String, &'r Attribute<'a>)>) {
    match value {
        Attribute::Map(entries) => entries.iter().for_each(|(name, value)| flat(format!("{key}.{name}"), value, out)),
        _ => out.push((key, value)),
    }
}

/// Whether a word of a template's header takes a key.
pub(crate) fn takes(word: &str, key: &str) -> bool {
    match word.strip_suffix('*') {
        Some(start) => key.len() > start.len() && key.starts_with(start),
        None => word == key,
    }
}

/// Whether a key stands under `all`.
fn general(rule: &Rule<'_>, key: &str) -> bool {
    let custom = rule.meta.custom.iter().filter(|(name, _)| name == "custom").map(|(_, value)| value);
    custom.into_iter().any(|value| {
        let Attribute::Map(targets) = value else { return false };
        let all = targets.iter().filter(|(name, _)| name == "all").map(|(_, value)| value);
        all.into_iter()
            .any(|value| matches!(value, Attribute::Map(entries) if entries.iter().any(|(name, _)| name == key)))
    })
}

fn start(rule: &Rule<'_>) -> Span {
    Span::new(rule.span.source, rule.span.start as usize, rule.span.start as usize)
}
