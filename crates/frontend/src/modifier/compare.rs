//! `lt`, `lte`, `gt`, `gte`: comparison with a number.

use std::borrow::Cow;

use sigcast_diagnostics::Code;
use sigcast_ir::{Number, Order, Test};

use super::{Fault, Input, Modifier, Plan, Reading, Refusal, text, time};
use crate::value::Raw;
use crate::yaml;

static COMPARISON: Reading = Reading {
    takes: &["lt", "lte", "gt", "gte"],
    why: "the value is a number to compare with, not text",
    needs_field: true,
    compile,
};

/// Less than.
pub(super) const LT: Modifier = Modifier {
    name: "lt",
    aliases: &[],
    summary: "the field is less than the number",
    apply: |plan| compare(plan, "lt", Order::Less),
};

/// Less than or equal.
pub(super) const LTE: Modifier = Modifier {
    name: "lte",
    aliases: &[],
    summary: "the field is less than or equal to the number",
    apply: |plan| compare(plan, "lte", Order::LessOrEqual),
};

/// Greater than.
pub(super) const GT: Modifier = Modifier {
    name: "gt",
    aliases: &[],
    summary: "the field is greater than the number",
    apply: |plan| compare(plan, "gt", Order::Greater),
};

/// Greater than or equal.
pub(super) const GTE: Modifier = Modifier {
    name: "gte",
    aliases: &[],
    summary: "the field is greater than or equal to the number",
    apply: |plan| compare(plan, "gte", Order::GreaterOrEqual),
};

fn compare(plan: &mut Plan, name: &'static str, order: Order) -> Result<(), Refusal> {
    if let Some((other, _)) = plan.order {
        return Err(Refusal::new(format!("`{other}` says already how the field compares"))
            .help("a range is two items: the field with `gte`, and again with `lt`"));
    }
    plan.order = Some((name, order));
    if std::ptr::eq(plan.reading, &time::PART) {
        return Ok(());
    }
    plan.read_as(name, &COMPARISON)
}

/// Whether the values are numbers to compare with and nothing else, so that a part of a time may still be named.
pub(super) fn is_comparison(plan: &Plan) -> bool {
    std::ptr::eq(plan.reading, &COMPARISON) || std::ptr::eq(plan.reading, &text::TEXT)
}

/// The number that a value is or spells.
pub(super) fn number<'a>(name: &str, raw: &Raw<'a>) -> Result<Number<'a>, Fault> {
    let found = match raw {
        Raw::Number(number) => Some(number.clone()),
        Raw::Text(text) => yaml::number(&Cow::clone(text)),
        Raw::Null | Raw::Bool(..) => None,
    };
    found.ok_or_else(|| {
        let shown = raw.text().map_or_else(|| "null".to_owned(), |text| format!("`{text}`"));
        Fault::new(Code::BadNumber, format!("`{name}` needs a number, not {shown}"), "not a number")
    })
}

fn compile<'a>(plan: &Plan, input: &Input<'a>) -> Result<Test<'a>, Fault> {
    let (name, order) = plan.order.unwrap_or(("", Order::Equal));
    Ok(Test::Number { order, value: number(name, &input.raw)? })
}
