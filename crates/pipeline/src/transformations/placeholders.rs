//! What the transformations of placeholders (`%name%`) share: which are meant, and how values stand for them.

use serde::Deserialize;
use sigcast_diagnostics::Code;
use sigcast_ir::{Case, Part, Pattern, Test};

use crate::run::Refusal;

/// Which placeholders are meant; all of them if nothing is said.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Selection {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
}

/// How many values the placeholders of one value may become.
const MAX_VALUES: usize = 10_000;

impl Selection {
    /// These names.
    pub(super) fn new(include: Option<Vec<String>>, exclude: Option<Vec<String>>) -> Self {
        Self { include, exclude }
    }

    /// Whether a placeholder is meant.
    pub(super) fn takes(&self, name: &str) -> bool {
        let has = |names: &Option<Vec<String>>| names.as_ref().map(|names| names.iter().any(|known| known == name));
        has(&self.include).unwrap_or(true) && !has(&self.exclude).unwrap_or(false)
    }

    /// The pattern with every placeholder that is meant replaced by each of its values in turn; none if there is none.
    pub(super) fn replaced<'a>(
        &self,
        pattern: &Pattern<'a>,
        case: Case,
        values: &dyn Fn(&str) -> Result<Vec<Pattern<'a>>, Refusal>,
    ) -> Result<Option<Test<'a>>, Refusal> {
        let meant = |part: &Part<'_>| matches!(part, Part::Placeholder(name) if self.takes(name));
        if !pattern.parts().iter().any(meant) {
            return Ok(None);
        }
        let mut all: Vec<Vec<Part<'a>>> = vec![Vec::new()];
        for part in pattern.parts() {
            let Part::Placeholder(name) = part else {
                all.iter_mut().for_each(|parts| parts.push(part.clone()));
                continue;
            };
            if !self.takes(name) {
                all.iter_mut().for_each(|parts| parts.push(part.clone()));
                continue;
            }
            let found = values(name)?;
            if found.is_empty() {
                return Err(Refusal::new(
                    Code::UnresolvedPlaceholder,
                    format!("the placeholder `%{name}%` has no value"),
                ));
            }
            if all.len().saturating_mul(found.len()) > MAX_VALUES {
                let message = format!("the placeholders of one value stand for more than {MAX_VALUES} values");
                return Err(Refusal::new(Code::PipelineFailure, message));
            }
            let longer = all.iter().flat_map(|parts| {
                found.iter().map(move |value| parts.iter().chain(value.parts()).cloned().collect::<Vec<_>>())
            });
            all = longer.collect();
        }
        let mut tests: Vec<Test<'a>> =
            all.into_iter().map(|parts| Test::Text { pattern: Pattern::from_parts(parts), case }).collect();
        Ok(Some(if tests.len() == 1 { tests.swap_remove(0) } else { Test::OneOf(tests) }))
    }
}
