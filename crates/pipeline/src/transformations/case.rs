//! `case`: text in lower case, in upper case, or in words with underscores.

use serde::Deserialize;
use sigcast_ir::{DetectionItem, Part, Pattern, Test};

use super::{Entry, parameters};
use crate::item::{ValueWork, Work};
use crate::run::{Refusal, Run};

pub(super) const ENTRY: Entry = Entry {
    name: "case",
    summary: "text becomes lower, upper or snake case",
    read: |found, _| Ok(Work::Values(Box::new(parameters::<Case>(found, "case")?))),
};

#[derive(Debug, Deserialize)]
struct Case {
    #[serde(default)]
    method: Method,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    #[default]
    Lower,
    Upper,
    SnakeCase,
}

impl Method {
    fn of(self, text: &str) -> String {
        match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::SnakeCase => snake(text),
        }
    }
}

/// `ProcessId` becomes `process_id`: an underscore before each capital letter that follows a small one or a digit, and
/// before the last of several that begins a word.
fn snake(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut found = String::with_capacity(text.len() + 4);
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| chars.get(before));
        let begins = c.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && chars.get(at + 1).is_some_and(|after| after.is_lowercase()))
            });
        if begins {
            found.push('_');
        }
        found.extend(c.to_lowercase());
    }
    found
}

impl ValueWork for Case {
    fn value<'r>(&'r self, _: &DetectionItem<'r>, test: &Test<'r>, _: &Run<'_>) -> Result<Option<Test<'r>>, Refusal> {
        let Test::Text { pattern, case } = test else { return Ok(None) };
        let parts = pattern.parts().iter().map(|part| match part {
            Part::Text(text) => Part::Text(self.method.of(text).into()),
            other => other.clone(),
        });
        let changed = Pattern::from_parts(parts);
        Ok((changed != *pattern).then_some(Test::Text { pattern: changed, case: *case }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_by_underscores() {
        let check = |text: &str, expected: &str| assert_eq!(Method::SnakeCase.of(text), expected, "{text}");
        check("ProcessId", "process_id");
        check("parentProcessGUID", "parent_process_guid");
        check("HTTPServer", "http_server");
        check("already_so", "already_so");
    }
}
