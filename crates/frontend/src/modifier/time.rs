//! `minute`, `hour`, `day`, `week`, `month`, `year`: a part of a timestamp, in UTC.

use sigcast_diagnostics::Code;
use sigcast_ir::{NumberValue, Order, Test, TimePart};

use super::{Fault, Input, Modifier, Plan, Reading, Refusal, compare};

/// Values are numbers that a part of a timestamp compares with.
pub(super) static PART: Reading = Reading {
    takes: &["lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"],
    why: "the value is a number that a part of a time compares with",
    needs_field: true,
    compile,
};

/// 0 to 59.
pub(super) const MINUTE: Modifier = Modifier {
    name: "minute",
    aliases: &[],
    summary: "the minute of the timestamp, 0 to 59",
    apply: |plan| part(plan, "minute", TimePart::Minute),
};

/// 0 to 23.
pub(super) const HOUR: Modifier = Modifier {
    name: "hour",
    aliases: &[],
    summary: "the hour of the timestamp (UTC), 0 to 23",
    apply: |plan| part(plan, "hour", TimePart::Hour),
};

/// 1 to 31.
pub(super) const DAY: Modifier = Modifier {
    name: "day",
    aliases: &[],
    summary: "the day of the month of the timestamp, 1 to 31",
    apply: |plan| part(plan, "day", TimePart::Day),
};

/// 1 to 53.
pub(super) const WEEK: Modifier = Modifier {
    name: "week",
    aliases: &[],
    summary: "the week of the year of the timestamp (ISO 8601), 1 to 53",
    apply: |plan| part(plan, "week", TimePart::Week),
};

/// 1 to 12.
pub(super) const MONTH: Modifier = Modifier {
    name: "month",
    aliases: &[],
    summary: "the month of the timestamp, 1 to 12",
    apply: |plan| part(plan, "month", TimePart::Month),
};

/// Four digits.
pub(super) const YEAR: Modifier = Modifier {
    name: "year",
    aliases: &[],
    summary: "the year of the timestamp",
    apply: |plan| part(plan, "year", TimePart::Year),
};

fn part(plan: &mut Plan, name: &'static str, part: TimePart) -> Result<(), Refusal> {
    if let Some((other, _)) = plan.part {
        return Err(Refusal::new(format!("`{other}` says already which part of the time is meant")));
    }
    if !compare::is_comparison(plan) {
        return plan.read_as(name, &PART);
    }
    plan.part = Some((name, part));
    plan.reading = &PART;
    plan.reading_name = name;
    Ok(())
}

fn compile<'a>(plan: &Plan, input: &Input<'a>) -> Result<Test<'a>, Fault> {
    let (name, part) = plan.part.unwrap_or(("", TimePart::Year));
    let order = plan.order.map_or(Order::Equal, |(_, order)| order);
    let value = compare::number(name, &input.raw)?;
    let range = match part {
        TimePart::Minute => 0..=59,
        TimePart::Hour => 0..=23,
        TimePart::Day => 1..=31,
        TimePart::Week => 1..=53,
        TimePart::Month => 1..=12,
        TimePart::Year => 0..=9999,
    };
    let NumberValue::Integer(number) = value.value else {
        return Err(Fault::new(Code::BadNumber, format!("`{name}` needs a whole number"), "not whole"));
    };
    // A comparison may name the first number outside: `hour|lt: 24` is odd, not wrong.
    if order == Order::Equal && !range.contains(&number) {
        let message = format!("`{name}` is a number from {} to {}, never {number}", range.start(), range.end());
        return Err(Fault::new(Code::BadNumber, message, "never that"));
    }
    Ok(Test::TimePart { part, order, value })
}
