//! `base64` and `base64offset`: the value as base64 (RFC 4648, section 4) of its bytes.

use std::borrow::Cow;

use sigcast_diagnostics::Code;

use super::{Encoder, Fault, Modifier, Pieces, Plan, Refusal};
use crate::value::Piece;

/// The value, encoded on its own, padding included.
pub(super) const BASE64: Modifier = Modifier {
    name: "base64",
    aliases: &[],
    summary: "the value is encoded as base64",
    apply: |plan| add(plan, Encoder { name: "base64", widens: false, encode: whole }),
};

/// The value as it shows within a longer encoded text, at each of the three places a group of bytes can start;
/// characters that depend on the neighbours are left out.
pub(super) const BASE64_OFFSET: Modifier = Modifier {
    name: "base64offset",
    aliases: &[],
    summary: "the value is found inside base64, at any offset",
    apply: |plan| add(plan, Encoder { name: "base64offset", widens: false, encode: offsets }),
};

fn add(plan: &mut Plan, encoder: Encoder) -> Result<(), Refusal> {
    if let Some((name, _)) = plan.affix {
        return Err(Refusal::new(format!("`{name}` adds a wildcard, and a wildcard cannot be encoded"))
            .help(format!("put `{name}` last: `{}|{name}`", encoder.name)));
    }
    plan.encode(encoder)
}

fn whole(pieces: Pieces<'_>) -> Result<Vec<Pieces<'_>>, Fault> {
    let encoded = encode(&bytes(pieces, "base64")?);
    Ok(vec![vec![Piece::Text(Cow::Owned(encoded))]])
}

fn offsets(pieces: Pieces<'_>) -> Result<Vec<Pieces<'_>>, Fault> {
    let bytes = bytes(pieces, "base64offset")?;
    let mut variants = Vec::with_capacity(3);
    for offset in 0..3 {
        let mut shifted = vec![0; offset];
        shifted.extend_from_slice(&bytes);
        // A character holds six bits: the first and last ones count whose bits all come from the value.
        let first = (offset * 8).div_ceil(6);
        let end = (shifted.len() * 8) / 6;
        let encoded = encode(&shifted);
        let stable = encoded.get(first..end).unwrap_or("");
        if stable.is_empty() {
            let message = "`base64offset` needs a longer value: at some offset no character of it is certain";
            return Err(Fault::new(Code::BadValue, message, "too short").help("three bytes are enough"));
        }
        variants.push(vec![Piece::Text(Cow::Owned(stable.to_owned()))]);
    }
    Ok(variants)
}

/// The bytes of a value; wildcards and placeholders have none.
fn bytes(pieces: Pieces<'_>, name: &str) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Piece::Bytes(more) => bytes.extend(more),
            Piece::AnyRun | Piece::AnyOne => {
                let message = format!("`{name}` cannot encode a wildcard");
                return Err(Fault::new(Code::BadModifierChain, message, "has `*` or `?` in it")
                    .help("write `\\*` or `\\?` for the characters themselves"));
            }
            Piece::Placeholder(_) => {
                let message = format!("`{name}` cannot encode a placeholder that is not replaced as yet");
                return Err(Fault::new(Code::BadModifierChain, message, "has a placeholder in it"));
            }
        }
    }
    Ok(bytes)
}

/// Base64 with padding.
fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for position in 0..4 {
            let index = (bits >> (18 - 6 * position)) & 63;
            text.push(if position <= group.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn encodes_the_vectors_of_the_rfc() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (plain, expected) in vectors {
            assert_eq!(encode(plain.as_bytes()), expected);
        }
    }
}
