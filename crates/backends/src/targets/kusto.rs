//! To come.
use super::lucene;
use crate::target::Target;
pub static TARGET: Target = Target { name: "kusto", aliases: &[], ..lucene::TARGET_CONST };
