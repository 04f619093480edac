//! `re` and its flags.

use sigcast_diagnostics::Code;
use sigcast_ir::{Regex, Test};

use super::{Fault, Input, Modifier, Plan, Reading, Refusal, not_taken};
use crate::regex;

static EXPRESSION: Reading = Reading {
    takes: &["i", "m", "s"],
    why: "a regular expression is found anywhere in the value, minds case unless `i` says otherwise, and is no text to \
          be encoded",
    needs_field: false,
    compile,
};

/// `field|re: '\d+'`: found anywhere in the value, unless anchored with `^` and `$`.
pub(super) const RE: Modifier = Modifier {
    name: "re",
    aliases: &[],
    summary: "the value is a regular expression (PCRE), found anywhere in the field",
    apply: |plan| plan.read_as("re", &EXPRESSION),
};

/// `re|i`
pub(super) const IGNORE_CASE: Modifier = Modifier {
    name: "i",
    aliases: &["ignorecase"],
    summary: "after `re`: upper and lower case are the same",
    apply: |plan| {
        after_re(plan)?;
        plan.flags.ignore_case = true;
        Ok(())
    },
};

/// `re|m`
pub(super) const MULTILINE: Modifier = Modifier {
    name: "m",
    aliases: &["multiline"],
    summary: "after `re`: `^` and `$` match at line breaks too",
    apply: |plan| {
        after_re(plan)?;
        plan.flags.multiline = true;
        Ok(())
    },
};

/// `re|s`
pub(super) const DOT_ALL: Modifier = Modifier {
    name: "s",
    aliases: &["dotall"],
    summary: "after `re`: `.` matches line breaks too",
    apply: |plan| {
        after_re(plan)?;
        plan.flags.dot_all = true;
        Ok(())
    },
};

fn after_re(plan: &Plan) -> Result<(), Refusal> {
    if std::ptr::eq(plan.reading, &EXPRESSION) {
        return Ok(());
    }
    Err(Refusal::new("it is a flag of a regular expression").help("it follows `re`, as in `field|re|i`"))
}

fn compile<'a>(plan: &Plan, input: &Input<'a>) -> Result<Test<'a>, Fault> {
    let Some(text) = input.raw.text() else { return Err(not_taken("re", "a regular expression", &input.raw)) };
    match regex::check(&text) {
        Ok(checked) => Ok(Test::Regex(Regex { source: checked.source, flags: plan.flags, opaque: checked.opaque })),
        Err(fault) => {
            let mut found =
                Fault::new(Code::BadRegex, format!("the regular expression does not parse: {}", fault.reason), "here");
            found.part = Some((fault.start, fault.end));
            Err(found)
        }
    }
}
