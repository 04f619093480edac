//! `fieldref`: the value is the name of another field.

use std::borrow::Cow;

use sigcast_diagnostics::Code;
use sigcast_ir::{Affix, Field, Test};

use super::{Fault, Input, Modifier, Plan, Reading, not_taken};
use crate::value::Raw;

static REFERENCE: Reading = Reading {
    takes: &["contains", "startswith", "endswith", "cased"],
    why: "the value is the name of a field, not text to look for",
    needs_field: true,
    compile,
};

/// `field|fieldref: other`; with `startswith`, `endswith`, `contains` in either order.
pub(super) const FIELDREF: Modifier = Modifier {
    name: "fieldref",
    aliases: &[],
    summary: "the field equals (or starts with, ends with, contains) another field of the event",
    apply: |plan| plan.read_as("fieldref", &REFERENCE),
};

fn compile<'a>(plan: &Plan, input: &Input<'a>) -> Result<Test<'a>, Fault> {
    let name: Cow<'a, str> = match &input.raw {
        Raw::Text(name) if name.is_empty() => {
            return Err(Fault::new(Code::BadValue, "`fieldref` needs the name of a field", "names no field"));
        }
        Raw::Text(name) => name.clone(),
        // A field may be called `12` or `true`.
        Raw::Bool(_, text) => text.clone(),
        Raw::Number(number) => number.text.clone(),
        Raw::Null => return Err(not_taken("fieldref", "the name of a field", &input.raw)),
    };
    let affix = plan.affix.map_or(Affix::Equals, |(_, affix)| affix);
    Ok(Test::SameAs { other: Field(name), affix, case: plan.case })
}
