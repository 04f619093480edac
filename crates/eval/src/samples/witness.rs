//! Texts that a regular expression is found in, made from its tree, and a plain way to tell whether it is.
//!
//! Invariant: nothing is told where the tree (with Unicode's classes) and PCRE (with ASCII ones) may differ.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use sigcast_ir::Regex;

/// How many witnesses an expression gets.
const MOST: usize = 24;
/// How long one may be, in bytes.
const LONGEST: usize = 4096;
/// How deep expressions are followed.
const DEEPEST: u32 = 64;
/// How many nodes are followed for one witness.
const STEPS: usize = 20_000;
/// How much work the question is worth: places times nodes.
const WORK: usize = 4_000_000;

/// A text that the expression matches, from its first character to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Witness {
    /// The text.
    pub(super) text: String,
    /// Whether it must stand at the start of the value.
    pub(super) starts: bool,
    /// Whether it must stand at the end of the value.
    pub(super) ends: bool,
}

/// What is known of an expression.
pub(super) struct Witnesses {
    /// Witnesses; none for an expression with PCRE's own constructs.
    pub(super) found: Vec<Witness>,
    tree: Option<Hir>,
    /// Whether the expression names sets that are ASCII to PCRE and Unicode's to the tree.
    ascii_sets: bool,
}

impl Witnesses {
    /// Whether the expression is found in the text, if that can be told.
    pub(super) fn judge(&self, text: &str) -> Option<bool> {
        let tree = self.tree.as_ref().filter(|_| text.is_ascii() || !self.ascii_sets)?;
        // `$` and `\z` are one condition in the tree, and differ only before a line break at the end of the text.
        if text.ends_with('\n') && !tree.properties().look_set().is_empty() {
            return None;
        }
        let text: Vec<char> = text.chars().collect();
        let mut work = WORK;
        let places = reached(tree, &text, vec![true; text.len() + 1], DEEPEST, &mut work)?;
        Some(places.contains(&true))
    }
}

/// The places in the text that a match can end at, if it starts at one of `from`: sets of places, without backtracking.
fn reached(tree: &Hir, text: &[char], from: Vec<bool>, depth: u32, work: &mut usize) -> Option<Vec<bool>> {
    let depth = depth.checked_sub(1)?;
    *work = work.checked_sub(from.len())?;
    let step = |from: &[bool], takes: &dyn Fn(char) -> bool| -> Vec<bool> {
        (0..from.len()).map(|at| at > 0 && from[at - 1] && takes(text[at - 1])).collect()
    };
    Some(match tree.kind() {
        HirKind::Empty => from,
        HirKind::Literal(literal) => {
            std::str::from_utf8(&literal.0).ok()?.chars().fold(from, |from, wanted| step(&from, &|c| c == wanted))
        }
        HirKind::Class(class) => step(&from, &|c| holds(class, c)),
        HirKind::Look(look) => {
            let mut places = from;
            for (at, place) in places.iter_mut().enumerate() {
                *place = *place && stands(*look, text, at)?;
            }
            places
        }
        HirKind::Capture(capture) => reached(&capture.sub, text, from, depth, work)?,
        HirKind::Concat(items) => items.iter().try_fold(from, |from, item| reached(item, text, from, depth, work))?,
        HirKind::Alternation(branches) => {
            let mut places = vec![false; from.len()];
            for branch in branches {
                add(&mut places, &reached(branch, text, from.clone(), depth, work)?);
            }
            places
        }
        HirKind::Repetition(repetition) => {
            let mut last = from;
            for _ in 0..repetition.min {
                last = reached(&repetition.sub, text, last, depth, work)?;
            }
            let mut places = last.clone();
            for _ in repetition.min..repetition.max.unwrap_or(u32::MAX) {
                last = reached(&repetition.sub, text, last, depth, work)?;
                if !add(&mut places, &last) {
                    break;
                }
            }
            places
        }
    })
}

/// Adds places; whether one of them is new.
fn add(places: &mut [bool], more: &[bool]) -> bool {
    let mut new = false;
    for (place, more) in places.iter_mut().zip(more) {
        new |= *more && !*place;
        *place |= more;
    }
    new
}

fn stands(look: Look, text: &[char], at: usize) -> Option<bool> {
    let (before, after) = (at.checked_sub(1).and_then(|at| text.get(at)), text.get(at));
    let word = |c: Option<&char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_');
    Some(match look {
        Look::Start => before.is_none(),
        Look::End => after.is_none(),
        Look::StartLF => before.is_none_or(|c| *c == '\n'),
        Look::EndLF => after.is_none_or(|c| *c == '\n'),
        Look::WordAscii | Look::WordUnicode => word(before) != word(after),
        Look::WordAsciiNegate | Look::WordUnicodeNegate => word(before) == word(after),
        _ => return None,
    })
}

fn holds(class: &Class, c: char) -> bool {
    match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| range.start() <= c && c <= range.end()),
        Class::Bytes(class) => {
            class.ranges().iter().any(|range| char::from(range.start()) <= c && c <= char::from(range.end()))
        }
    }
}

/// Witnesses of an expression: each alternative in one of them, up to a limit.
pub(super) fn witnesses(regex: &Regex<'_>) -> Witnesses {
    let none = Witnesses { found: Vec::new(), tree: None, ascii_sets: true };
    if regex.opaque.is_some() {
        return none;
    }
    let parsed = ParserBuilder::new()
        .case_insensitive(regex.flags.ignore_case)
        .multi_line(regex.flags.multiline)
        .dot_matches_new_line(regex.flags.dot_all)
        .build()
        .parse(&regex.source);
    let Ok(tree) = parsed else { return none };
    let mut found: Vec<Witness> = Vec::new();
    for variant in 0..MOST {
        let mut steps = STEPS;
        let mut witness = Witness { text: String::new(), starts: false, ends: false };
        if write(&tree, variant, &mut witness, DEEPEST, &mut steps).is_some() && !found.contains(&witness) {
            found.push(witness);
        }
    }
    let mut escaped = regex.source.split('\\').skip(1);
    let ascii_sets = escaped.any(|rest| rest.starts_with(['d', 'D', 'w', 'W', 's', 'S', 'b', 'B']));
    Witnesses { found, tree: Some(tree), ascii_sets }
}

/// Appends a text that the tree matches; none if it is too long or there is none.
fn write(tree: &Hir, variant: usize, out: &mut Witness, depth: u32, steps: &mut usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    *steps = steps.checked_sub(1)?;
    if out.text.len() > LONGEST {
        return None;
    }
    match tree.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => out.text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => out.text.push(pick(class, variant + out.text.len())?),
        HirKind::Look(Look::Start | Look::StartLF) => out.starts |= out.text.is_empty(),
        HirKind::Look(Look::End | Look::EndLF) => out.ends = true,
        HirKind::Look(_) => {}
        HirKind::Capture(capture) => write(&capture.sub, variant, out, depth, steps)?,
        HirKind::Concat(items) => items.iter().try_for_each(|item| write(item, variant, out, depth, steps))?,
        HirKind::Alternation(branches) => {
            write(branches.get(variant % branches.len().max(1))?, variant, out, depth, steps)?;
        }
        HirKind::Repetition(repetition) => {
            let least = repetition.min as usize;
            // What may be left out is there in every other variant.
            let wanted = if least == 0 { variant % 2 } else { least + variant / 2 % 2 };
            let most = repetition.max.map_or(usize::MAX, |most| most as usize);
            for _ in 0..wanted.min(most) {
                write(&repetition.sub, variant, out, depth, steps)?;
            }
        }
    }
    Some(())
}

/// Characters that values are made of, the likeliest first.
const USUAL: &str = "abcxyzABCXYZ0123456789 _-.:/\\'\"=,;@%$+()[]{}!#&*?<>|^~`\t\n";

/// A character of a class, another one for each variant.
fn pick(class: &Class, variant: usize) -> Option<char> {
    let usual: Vec<char> = USUAL.chars().filter(|c| holds(class, *c)).collect();
    if !usual.is_empty() {
        // Letters and digits stand first: keep to the first few.
        return usual.get(variant % usual.len().min(10)).copied();
    }
    match class {
        Class::Unicode(class) => class.ranges().first().map(|range| range.start()),
        Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())),
    }
}
