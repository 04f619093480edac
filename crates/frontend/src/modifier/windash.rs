//! `windash`: a flag may be written with any dash that Windows programs take.

use std::borrow::Cow;

use sigcast_diagnostics::Code;

use super::{Encoder, Fault, Modifier, Pieces, Refusal};
use crate::value::Piece;

/// The characters that may begin a flag: hyphen, slash, en dash, em dash, horizontal bar.
const DASHES: [&str; 5] = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"];
/// How many flags of one value are varied: five to that power is the number of variants.
const MAX_FLAGS: usize = 4;

/// `field|windash: ' -x'` is one of `' -x'`, `' /x'`, `' –x'`, `' —x'`, `' ―x'`.
///
/// Only dashes that begin a flag are varied: `-` or `/` at the start of a text or after a blank or quote, before a
/// word character; not those of `http://`. Several flags vary independently of each other.
pub(super) const WINDASH: Modifier = Modifier {
    name: "windash",
    aliases: &[],
    summary: "a flag's dash may be any of `-`, `/`, en dash, em dash and horizontal bar",
    apply: |plan| {
        if let Some(encoder) = plan.encoders.last() {
            let reason = format!("the flags of a value cannot be seen any more after `{}`", encoder.name);
            return Err(Refusal::new(reason).help("put `windash` first"));
        }
        plan.encode(Encoder { name: "windash", widens: false, encode })
    },
};

fn encode(pieces: Pieces<'_>) -> Result<Vec<Pieces<'_>>, Fault> {
    let flags: Vec<Vec<usize>> = pieces.iter().map(flags).collect();
    let count: usize = flags.iter().map(Vec::len).sum();
    if count == 0 {
        return Ok(vec![pieces]);
    }
    if count > MAX_FLAGS {
        let most = DASHES.len().pow(MAX_FLAGS as u32);
        let message = format!("`windash` finds {count} flags in this value, which gives more than {most} variants");
        return Err(Fault::new(Code::TooManyVariants, message, "too many flags")
            .help("split the value into several of fewer flags, with `all`"));
    }
    let variants = DASHES.len().pow(u32::try_from(count).unwrap_or(u32::MAX));
    Ok((0..variants).map(|number| variant(&pieces, &flags, number, variants)).collect())
}

/// The variant of this number: its digits to the base five choose the dashes, the first flag's the slowest.
fn variant<'a>(pieces: &Pieces<'a>, flags: &[Vec<usize>], number: usize, variants: usize) -> Pieces<'a> {
    let mut weight = variants;
    let vary = |(piece, flags): (&Piece<'a>, &Vec<usize>)| {
        let Piece::Text(text) = piece else { return piece.clone() };
        if flags.is_empty() {
            return piece.clone();
        }
        let mut varied = String::with_capacity(text.len() + 2 * flags.len());
        let mut from = 0;
        for at in flags {
            weight /= DASHES.len();
            varied.push_str(text.get(from..*at).unwrap_or(""));
            varied.push_str(DASHES[number / weight % DASHES.len()]);
            from = at + 1;
        }
        varied.push_str(text.get(from..).unwrap_or(""));
        Piece::Text(Cow::Owned(varied))
    };
    pieces.iter().zip(flags).map(vary).collect()
}

/// Where flags begin in a piece, in bytes.
fn flags(piece: &Piece<'_>) -> Vec<usize> {
    let Piece::Text(text) = piece else { return Vec::new() };
    let mut found = Vec::new();
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let begins = before.is_none_or(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
        let word = rest.peek().is_some_and(|(_, c)| c.is_alphanumeric() || *c == '_');
        if matches!(c, '-' | '/') && begins && word {
            found.push(at);
        }
        before = Some(c);
    }
    found
}
