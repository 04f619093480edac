//! `exists`: whether the event has the field.

use sigcast_diagnostics::Code;
use sigcast_ir::Test;

use super::{Fault, Input, Modifier, Plan, Reading};
use crate::value::Raw;

static EXISTENCE: Reading =
    Reading { takes: &[], why: "it asks whether the field is there, not what it holds", needs_field: true, compile };

/// `field|exists: true`
pub(super) const EXISTS: Modifier = Modifier {
    name: "exists",
    aliases: &[],
    summary: "whether the event has the field, whatever it holds",
    apply: |plan| plan.read_as("exists", &EXISTENCE),
};

fn compile<'a>(_: &Plan, input: &Input<'a>) -> Result<Test<'a>, Fault> {
    match &input.raw {
        Raw::Bool(value, _) => Ok(Test::Exists(*value)),
        other => {
            let message = format!("`exists` takes `true` or `false`, and the value is {}", other.kind());
            Err(Fault::new(Code::WrongType, message, "not a boolean").help("write `true` or `false`, without quotes"))
        }
    }
}
