//! What a rule sets for a target itself, by its attribute `custom`.
//!
//! ```text
//! custom:
//!     all: {interval: 15m}
//!     splunk: {cron: '*/10 * * * *', time_range: 20m}
//! ```
//!
//! Keys under a target's name (or one of its aliases) are keys of its options, or words that an output format reads itself;
//! `all` is for every target, and counts less. Sigma leaves attributes beyond its own to the user.

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic};
use sigcast_ir::{Attribute, NumberValue, Rule};

use crate::options::{self, Settings};
use crate::target::Target;

/// What a rule sets for a target: keys and values, those for all targets first. A key may come twice; the last counts.
pub fn entries<'r, 'a>(rule: &'r Rule<'a>, target: &Target) -> Vec<(&'r str, &'r Attribute<'a>)> {
    let custom = rule.meta.custom.iter().filter(|(name, _)| name == "custom");
    let maps: Vec<_> = custom.filter_map(|(_, value)| map(value)).flatten().collect();
    let general = maps.iter().filter(|(name, _)| name == "all");
    let own = maps.iter().filter(|(name, _)| target.is_called(name));
    let found = general.chain(own).filter_map(|(_, value)| map(value)).flatten();
    found.map(|(key, value)| (key.as_ref(), value)).collect()
}

fn map<'r, 'a>(value: &'r Attribute<'a>) -> Option<&'r [(Cow<'a, str>, Attribute<'a>)]> {
    match value {
        Attribute::Map(entries) => Some(entries),
        _ => None,
    }
}

/// The value as it would stand on the command line: a list with commas between its elements. `None` for a map.
pub fn text(value: &Attribute<'_>) -> Option<String> {
    Some(match value {
        Attribute::Null => String::new(),
        Attribute::Bool(value) => value.to_string(),
        Attribute::Number(number) => match number.value {
            NumberValue::Integer(value) => value.to_string(),
            NumberValue::Float(value) => value.to_string(),
        },
        Attribute::Text(text) => text.clone().into_owned(),
        Attribute::List(values) => values.iter().map(text).collect::<Option<Vec<String>>>()?.join(","),
        Attribute::Map(_) => return None,
    })
}

/// Whether a rule may set this option: a style is of the whole run.
#[must_use]
pub fn is_option(target: &Target, key: &str) -> bool {
    key != "style" && target.options.contains(&key)
}

/// Sets the options of a target that the rule names. A value that an option does not take is a refusal of the rule.
pub(crate) fn apply(
    rule: &Rule<'_>,
    target: &Target,
    settings: &mut Cow<'_, Settings>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for (key, value) in entries(rule, target) {
        let Some(spec) = options::option(key).filter(|_| is_option(target, key)) else { continue };
        let set = match text(value) {
            Some(text) => spec.set(settings.to_mut(), &text),
            None => Err(format!("option {key}: a map is no value of it")),
        };
        if let Err(fault) = set {
            let place =
                sigcast_diagnostics::Span::new(rule.span.source, rule.span.start as usize, rule.span.start as usize);
            let message =
                format!("the rule's attribute `custom` has a value that {} does not take: {fault}", target.name);
            diagnostics.push(Diagnostic::at(Code::BadOverride, place, message));
        }
    }
}
