//! To come.
use super::lucene;
use crate::target::Target;
pub static TARGET: Target = Target { name: "kibana", aliases: &[], ..lucene::TARGET_CONST };
