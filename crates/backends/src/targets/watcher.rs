//! To come.
use super::lucene;
use crate::target::Target;
pub static TARGET: Target = Target { name: "watcher", aliases: &[], ..lucene::TARGET_CONST };
