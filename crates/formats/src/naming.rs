//! Names of the texts of a run: unique ones for people, and lasting ids for products.

use std::collections::{HashMap, HashSet};

use sigcast_backends::options::Settings;
use sigcast_ir::Rule;
use uuid::Uuid;

use crate::escape::{line, stanza_name};
use crate::{FormatError, Templates};

/// The space of names in which ids are made of the ids and titles of rules. Chosen once, at random; never changed.
const SPACE: Uuid = Uuid::from_u128(0x5f6d_7c1e_0c59_4b7a_9d0e_2f6c_8a41_b3d7);

/// Which names the texts of a rule have in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// How many texts of the same id (else title) stand before it in the run.
    pub earlier: usize,
    /// A name for each condition: the title, with `(2)` and so on behind it if it is taken.
    pub names: Vec<String>,
}

/// The names given out in a run.
#[derive(Debug, Default)]
pub struct Naming<'r> {
    counts: HashMap<&'r str, usize>,
    taken: HashSet<String>,
    /// The last number tried behind a title.
    tried: HashMap<String, usize>,
}

impl<'r> Naming<'r> {
    /// The names of a rule. Depends on nothing but the calls before.
    pub fn assign(&mut self, settings: &Settings, rule: &'r Rule<'_>) -> Place {
        let count = self.counts.entry(Templates::named_by(settings, rule)).or_default();
        let earlier = *count;
        // What describes a correlation has no condition, and a correlation one query.
        let queries = rule.conditions.len().max(1);
        *count += queries;
        let title = line(&rule.meta.title).trim().to_owned();
        let names = (0..queries).map(|_| self.name(&title)).collect();
        Place { earlier, names }
    }

    /// A name that no other one of the run equals, whatever a product does with case, blanks and brackets.
    fn name(&mut self, title: &str) -> String {
        let key = |name: &str| stanza_name(name).to_lowercase();
        if self.taken.insert(key(title)) {
            return title.to_owned();
        }
        let mut number = self.tried.get(title).copied().unwrap_or(1);
        loop {
            number += 1;
            let name = format!("{title} ({number})");
            if self.taken.insert(key(&name)) {
                self.tried.insert(title.to_owned(), number);
                return name;
            }
        }
    }
}

impl Place {
    /// The place of a rule of which nothing else is known.
    pub(crate) fn alone(rule: &Rule<'_>, settings: &Settings, earlier: usize) -> Self {
        Self { earlier, ..Naming::default().assign(settings, rule) }
    }

    /// The name of the text with this number in the rule, from 1.
    pub(crate) fn name(&self, rule: &Rule<'_>, number: usize) -> Result<String, FormatError> {
        let found = self.names.get(number - 1).cloned();
        // A rule that a pipeline gave more conditions than it had has names for those all the same.
        let name = found.unwrap_or_else(|| format!("{} ({number})", line(&rule.meta.title).trim()));
        if stanza_name(&name).is_empty() {
            return Err(FormatError { message: "the rule's title has no name in it".to_owned() });
        }
        Ok(name)
    }
}

/// An id for a product that asks for one: the rule's own, if it is a UUID; else a UUID of version 5 made of the rule's id,
/// else of its title. `number`: which text of that name it is, from 1; later ones have ids made of the id and the number.
pub(crate) fn uuid(settings: &Settings, rule: &Rule<'_>, number: usize) -> String {
    let name = Templates::named_by(settings, rule).trim();
    match Uuid::try_parse(name) {
        Ok(own) if number == 1 => own.hyphenated().to_string(),
        Ok(own) => Uuid::new_v5(&own, number.to_string().as_bytes()).hyphenated().to_string(),
        Err(_) => {
            let text = if number == 1 { name.to_owned() } else { format!("{name}\u{0}{number}") };
            Uuid::new_v5(&SPACE, text.as_bytes()).hyphenated().to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_meet() {
        let mut naming = Naming::default();
        let found: Vec<String> =
            ["A b", "a  B", "A b", "A b (2)", "A [b]", "a (B)", "A b"].iter().map(|title| naming.name(title)).collect();
        assert_eq!(found, ["A b", "a  B (2)", "A b (3)", "A b (2) (2)", "A [b]", "a (B) (2)", "A b (4)"]);
    }
}
