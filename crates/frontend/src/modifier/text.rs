//! Text, the default reading of values, and the modifiers that shape it.

use std::borrow::Cow;

use sigcast_diagnostics::Code;
use sigcast_ir::{Affix, Case, Order, Test};

use super::{Fault, Input, Modifier, Plan, Reading, Refusal, not_taken};
use crate::value::{self, Piece, Raw};

/// Values are text with wildcards, numbers, booleans or null.
pub(super) static TEXT: Reading = Reading { takes: &[], why: "", needs_field: false, compile };

/// `field|contains: a` is `field: '*a*'`.
pub(super) const CONTAINS: Modifier = Modifier {
    name: "contains",
    aliases: &[],
    summary: "the value stands anywhere in the field",
    apply: |plan| affix(plan, "contains", Affix::Contains),
};

/// `field|startswith: a` is `field: 'a*'`.
pub(super) const STARTSWITH: Modifier = Modifier {
    name: "startswith",
    aliases: &[],
    summary: "the field starts with the value",
    apply: |plan| affix(plan, "startswith", Affix::StartsWith),
};

/// `field|endswith: a` is `field: '*a'`.
pub(super) const ENDSWITH: Modifier = Modifier {
    name: "endswith",
    aliases: &[],
    summary: "the field ends with the value",
    apply: |plan| affix(plan, "endswith", Affix::EndsWith),
};

/// `field|cased: A` does not match `a`.
pub(super) const CASED: Modifier = Modifier {
    name: "cased",
    aliases: &[],
    summary: "upper and lower case differ",
    apply: |plan| {
        plan.case = Case::Sensitive;
        plan.texts.get_or_insert("cased");
        Ok(())
    },
};

/// `field|expand: '%users%'`: what a pipeline puts for `users`.
pub(super) const EXPAND: Modifier = Modifier {
    name: "expand",
    aliases: &[],
    summary: "placeholders (`%name%`) in the value are replaced by a pipeline",
    apply: |plan| {
        if let Some(encoder) = plan.encoders.iter().find(|encoder| encoder.name != "windash") {
            let reason = format!("`{}` would encode the placeholder before it is replaced", encoder.name);
            return Err(Refusal::new(reason));
        }
        plan.expand = true;
        Ok(())
    },
};

fn affix(plan: &mut Plan, name: &'static str, affix: Affix) -> Result<(), Refusal> {
    if let Some((other, _)) = plan.affix {
        return Err(Refusal::new(format!("`{other}` says already where the value stands in the field")));
    }
    plan.affix = Some((name, affix));
    plan.texts.get_or_insert(name);
    Ok(())
}

fn compile<'a>(plan: &Plan, input: &Input<'a>) -> Result<Test<'a>, Fault> {
    match (&input.raw, plan.texts) {
        (Raw::Null, Some(name)) => return Err(not_taken(name, "text", &input.raw)),
        (Raw::Null, None) if input.keyword => {
            return Err(Fault::new(Code::WrongType, "a keyword is text or a number, not null", "null")
                .help("to search for the word, quote it: `'null'`"));
        }
        (Raw::Null, None) => return Ok(Test::Null),
        (Raw::Bool(value, _), None) if !input.keyword => return Ok(Test::Bool(*value)),
        (Raw::Number(number), None) if !input.keyword => {
            return Ok(Test::Number { order: Order::Equal, value: number.clone() });
        }
        _ => {}
    }
    let text = input.raw.text().unwrap_or_default();
    // A number has no wildcards in it, but reading it as a value finds none either.
    let mut pieces = value::pieces(&text);
    if plan.expand {
        pieces = pieces.into_iter().flat_map(placeholders).collect();
    }
    let mut variants = vec![pieces];
    for encoder in &plan.encoders {
        let mut encoded = Vec::with_capacity(variants.len());
        for variant in variants {
            encoded.extend((encoder.encode)(variant)?);
        }
        variants = encoded;
    }
    let (start, end) = match plan.affix {
        None => (false, false),
        Some((_, Affix::StartsWith)) => (false, true),
        Some((_, Affix::EndsWith)) => (true, false),
        Some((_, Affix::Contains | Affix::Equals)) => (true, true),
    };
    let mut tests = Vec::with_capacity(variants.len());
    for variant in variants {
        let Some(pattern) = value::pattern(variant) else { return Err(no_text(plan)) };
        tests.push(Test::Text { pattern: pattern.open(start, end), case: plan.case });
    }
    Ok(if tests.len() == 1 { tests.swap_remove(0) } else { Test::OneOf(tests) })
}

/// Encoded bytes that are no text, with nothing that makes text of them.
fn no_text(plan: &Plan) -> Fault {
    let name = plan.encoders.last().map_or("", |encoder| encoder.name);
    let message = format!("the bytes that `{name}` makes of this value are no text that a field could hold");
    Fault::new(Code::BadModifierChain, message, "not text when encoded")
        .help(format!("`{name}` is followed by `base64` or `base64offset`, which make text of bytes"))
}

/// The pieces of a piece under `expand`: `%name%` in text is a placeholder.
fn placeholders(piece: Piece<'_>) -> Vec<Piece<'_>> {
    match piece {
        Piece::Text(Cow::Borrowed(text)) => split_placeholders(text, Cow::Borrowed),
        Piece::Text(Cow::Owned(text)) => split_placeholders(&text, |text| Cow::Owned(text.to_owned())),
        other => vec![other],
    }
}

fn split_placeholders<'t, 'a>(text: &'t str, keep: impl Fn(&'t str) -> Cow<'a, str>) -> Vec<Piece<'a>> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut from = 0;
    // `from` is where the next sign is looked for: one that starts no placeholder stays in the text.
    while let Some(open) = rest.get(from..).and_then(|tail| tail.find('%')).map(|at| at + from) {
        let inner = rest.get(open + 1..).unwrap_or("");
        let name = inner.split_once('%').map(|(name, _)| name).filter(|name| is_name(name));
        let Some(name) = name else {
            from = open + 1;
            continue;
        };
        if open > 0 {
            found.push(Piece::Text(keep(rest.get(..open).unwrap_or(""))));
        }
        found.push(Piece::Placeholder(keep(name)));
        rest = rest.get(open + name.len() + 2..).unwrap_or("");
        from = 0;
    }
    if !rest.is_empty() {
        found.push(Piece::Text(keep(rest)));
    }
    found
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
