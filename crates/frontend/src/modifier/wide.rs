//! `wide`, `utf16le`, `utf16be`, `utf16`: text as UTF-16.
//!
//! The result is bytes. Where no `base64` follows, they are the text of the field, with a NUL beside every ASCII
//! character; bytes that are no text cannot be looked for in a field and are a fault.

use super::{Encoder, Fault, Modifier, Pieces, Plan, Refusal};
use crate::value::Piece;

/// UTF-16, low byte first: what Windows programs call Unicode.
pub(super) const WIDE: Modifier = Modifier {
    name: "wide",
    aliases: &["utf16le"],
    summary: "the value is encoded as UTF-16, low byte first",
    apply: |plan| widen(plan, Encoder { name: "wide", widens: true, encode: |pieces| Ok(vec![little(pieces)]) }),
};

/// UTF-16, high byte first.
pub(super) const UTF16BE: Modifier = Modifier {
    name: "utf16be",
    aliases: &[],
    summary: "the value is encoded as UTF-16, high byte first",
    apply: |plan| {
        plan_bytes(plan, "utf16be", |pieces| Ok(vec![encoded(pieces, |unit, bytes| bytes.extend(unit.to_be_bytes()))]))
    },
};

/// UTF-16, low byte first, with a byte order mark (FF FE) before it.
pub(super) const UTF16: Modifier = Modifier {
    name: "utf16",
    aliases: &[],
    summary: "the value is encoded as UTF-16, low byte first, after a byte order mark",
    apply: |plan| {
        plan_bytes(plan, "utf16", |pieces| {
            let mut marked = vec![Piece::Bytes(vec![0xFF, 0xFE])];
            marked.extend(little(pieces));
            Ok(vec![marked])
        })
    },
};

fn plan_bytes(
    plan: &mut Plan,
    name: &'static str,
    encode: for<'a> fn(Pieces<'a>) -> Result<Vec<Pieces<'a>>, Fault>,
) -> Result<(), Refusal> {
    widen(plan, Encoder { name, widens: true, encode })
}

fn widen(plan: &mut Plan, encoder: Encoder) -> Result<(), Refusal> {
    if let Some(last) = plan.encoders.last().filter(|last| last.widens) {
        return Err(Refusal::new(format!("the value is UTF-16 already, by `{}`", last.name)));
    }
    plan.encode(encoder)
}

fn little(pieces: Pieces<'_>) -> Pieces<'_> {
    encoded(pieces, |unit, bytes| bytes.extend(unit.to_le_bytes()))
}

fn encoded(pieces: Pieces<'_>, write: fn(u16, &mut Vec<u8>)) -> Pieces<'_> {
    let encode = |piece| match piece {
        Piece::Text(text) => {
            let mut bytes = Vec::with_capacity(text.len() * 2);
            text.encode_utf16().for_each(|unit| write(unit, &mut bytes));
            Piece::Bytes(bytes)
        }
        other => other,
    };
    pieces.into_iter().map(encode).collect()
}
