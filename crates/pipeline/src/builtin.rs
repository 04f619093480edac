//! The pipelines that come with the program, and their schemas: YAML texts, compiled in.

/// A built-in pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// Its name, as `-p` takes it.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

const PIPELINES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
const SCHEMAS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

/// Every built-in pipeline, in alphabetical order.
pub fn builtins() -> impl Iterator<Item = Builtin> {
    PIPELINES.iter().map(|(name, text)| Builtin { name, text })
}

/// The built-in pipeline with this name.
#[must_use]
pub fn builtin(name: &str) -> Option<Builtin> {
    PIPELINES.iter().find(|(known, _)| *known == name).map(|(name, text)| Builtin { name, text })
}

/// The names of the built-in schemas.
pub(crate) fn schemas() -> impl Iterator<Item = &'static str> {
    SCHEMAS.iter().map(|(name, _)| *name)
}

/// The text of the built-in schema with this name, in sigcast's own form.
#[must_use]
pub fn schema(name: &str) -> Option<&'static str> {
    SCHEMAS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
