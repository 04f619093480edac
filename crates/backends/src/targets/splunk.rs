//! To come.
use super::lucene;
use crate::target::Target;
pub static TARGET: Target = Target { name: "splunk", aliases: &[], ..lucene::TARGET_CONST };
