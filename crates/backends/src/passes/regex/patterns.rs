//! Expressions as text patterns: `[ab]x.*y` is `*ax*y*` or `*bx*y*`.
//!
//! Invariant: together the patterns match exactly what the expression matches. Where a repetition or a class is too
//! large for that, it is named and the expression refused.

use std::collections::HashSet;

use sigcast_diagnostics::Code;
use sigcast_ir::{Case, Part, Pattern, Test};

use super::anchor::{Whole, caseless};
use super::tree::{Class, Node, Set, chars, count, everything, folded, is_dot, single};
use super::{PatternLimits, re2};
use crate::say::Refusal;

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Piece {
    Char(char),
    One,
    Run,
}

/// How many patterns there may be before those are dropped that another one covers.
const MAX_BEFORE: usize = 600;

/// How many pieces all patterns together may have, if each is as long as the longest.
const MAX_PIECES: usize = 200_000;

/// How many characters a pattern may ask for one by one.
const MAX_LENGTH: usize = 4_000;

/// The patterns of an expression.
pub(super) fn write(whole: &Whole, limits: PatternLimits) -> Result<Vec<Test<'static>>, Refusal> {
    let ignores = whole.node.any(&|node| matches!(node, Node::Class(class) if class.plain.is_some()));
    let caseless = caseless(&whole.node);
    let both = |case| Expander { whole, limits, case }.patterns().map(|found| (found, case));
    // `[Rr][Uu][Nn]` is one pattern without case and eight with it.
    let (found, case) = if ignores && caseless {
        both(Case::Insensitive)?
    } else {
        both(Case::Sensitive).or_else(|refusal| if caseless { both(Case::Insensitive) } else { Err(refusal) })?
    };
    Ok(found.into_iter().map(|pieces| Test::Text { pattern: pattern(&pieces), case }).collect())
}

fn pattern(pieces: &[Piece]) -> Pattern<'static> {
    Pattern::from_parts(pieces.iter().map(|piece| match piece {
        Piece::Char(c) => Part::Text(c.to_string().into()),
        Piece::One => Part::AnyOne,
        Piece::Run => Part::AnyRun,
    }))
}

struct Expander<'w> {
    whole: &'w Whole,
    limits: PatternLimits,
    case: Case,
}

impl Expander<'_> {
    fn patterns(&self) -> Result<Vec<Vec<Piece>>, Refusal> {
        let found = self.expand(&self.whole.node)?;
        let kept = uncovered(found);
        if kept.len() > self.limits.most {
            return Err(self.too_many());
        }
        Ok(kept)
    }

    fn too_many(&self) -> Refusal {
        refused(&format!("the expression stands for more than {} patterns", self.limits.most))
    }

    fn expand(&self, node: &Node) -> Result<Vec<Vec<Piece>>, Refusal> {
        Ok(match node {
            Node::Never => Vec::new(),
            Node::Empty | Node::Look(_) => vec![Vec::new()],
            Node::Run => vec![vec![Piece::Run]],
            Node::Class(class) => self.class(class)?,
            Node::Alt(branches) => {
                let mut all = Vec::new();
                for branch in branches {
                    all.extend(self.expand(branch)?);
                }
                self.distinct(all)?
            }
            Node::Concat(items) => {
                let mut all = vec![Vec::new()];
                for item in items {
                    all = self.product(&all, &self.expand(item)?)?;
                }
                all
            }
            Node::Repeat { inner, least, most } => self.repeat(inner, *least, *most)?,
        })
    }

    fn repeat(&self, inner: &Node, least: u32, most: Option<u32>) -> Result<Vec<Vec<Piece>>, Refusal> {
        let whole = || Node::Repeat { inner: Box::new(inner.clone()), least, most };
        let Some(most) = most else {
            let Node::Class(Class { set, .. }) = inner else { return Err(unlimited(&whole())) };
            if !self.is_any(set) {
                return Err(unlimited(&whole()));
            }
            let mut pieces = Vec::new();
            if least as usize > MAX_LENGTH {
                return Err(too_long());
            }
            for _ in 0..least {
                pieces.extend(self.one(inner)?);
            }
            pieces.push(Piece::Run);
            return Ok(vec![pieces]);
        };
        let once = self.expand(inner)?;
        let mut power = vec![Vec::new()];
        let mut all = Vec::new();
        for times in 0..=most {
            if times >= least {
                all.extend(power.iter().cloned());
                all = self.distinct(all)?;
            }
            if times < most {
                power = self.product(&power, &once)?;
            }
        }
        Ok(all)
    }

    /// Whether the class is any character, as far as line breaks count.
    fn is_any(&self, set: &Set) -> bool {
        *set == everything() || (self.whole.single_line && is_dot(set))
    }

    fn one(&self, node: &Node) -> Result<Vec<Piece>, Refusal> {
        if self.limits.singles {
            Ok(vec![Piece::One])
        } else {
            Err(refused(&format!("there is no wildcard for exactly one character (`{}`)", re2::shown(node))))
        }
    }

    fn class(&self, class: &Class) -> Result<Vec<Vec<Piece>>, Refusal> {
        let node = || Node::Class(class.clone());
        if self.is_any(&class.set) {
            return Ok(vec![self.one(&node())?]);
        }
        let many = || refused(&format!("`{}` is no small set of characters", re2::shown(&node())));
        let set = class.plain.as_ref().filter(|_| self.case == Case::Insensitive).unwrap_or(&class.set);
        if count(set) > self.limits.most.saturating_mul(2) {
            return Err(many());
        }
        let mut seen = Set::empty();
        let mut all = Vec::new();
        for c in chars(set) {
            let this = super::tree::of(&[(c, c)]);
            if self.case == Case::Insensitive {
                if !super::tree::both(seen.clone(), &this).ranges().is_empty() {
                    continue;
                }
                seen.union(&folded(&this));
            }
            all.push(vec![Piece::Char(representative(c, set, self.case))]);
        }
        if all.len() > self.limits.most { Err(many()) } else { Ok(all) }
    }

    fn product(&self, left: &[Vec<Piece>], right: &[Vec<Piece>]) -> Result<Vec<Vec<Piece>>, Refusal> {
        let longest = |all: &[Vec<Piece>]| all.iter().map(Vec::len).max().unwrap_or(0);
        let many = left.len().saturating_mul(right.len());
        if many > MAX_BEFORE || many.saturating_mul(longest(left) + longest(right)) > MAX_PIECES {
            return Err(self.too_many());
        }
        let mut all = Vec::with_capacity(left.len() * right.len());
        for start in left {
            for end in right {
                let mut pieces = start.clone();
                let skip = usize::from(pieces.last() == Some(&Piece::Run) && end.first() == Some(&Piece::Run));
                pieces.extend_from_slice(&end[skip..]);
                all.push(pieces);
            }
        }
        self.distinct(all)
    }

    fn distinct(&self, all: Vec<Vec<Piece>>) -> Result<Vec<Vec<Piece>>, Refusal> {
        let mut seen = HashSet::new();
        let kept: Vec<_> = all.into_iter().filter(|pieces| seen.insert(pieces.clone())).collect();
        if kept.len() > MAX_BEFORE { Err(self.too_many()) } else { Ok(kept) }
    }
}

/// The character to write for itself and its other cases: the small one, if the author wrote both.
fn representative(c: char, set: &Set, case: Case) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(small), None) if case == Case::Insensitive && single(set) != Some(c) => {
            if chars_contain(set, small) {
                small
            } else {
                c
            }
        }
        _ => c,
    }
}

fn chars_contain(set: &Set, c: char) -> bool {
    set.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c))
}

fn refused(reason: &str) -> Refusal {
    Refusal::new(Code::RegexUnsupported, reason)
}

fn too_long() -> Refusal {
    refused("the expression stands for texts of more than 4000 characters")
}

fn unlimited(node: &Node) -> Refusal {
    refused(&format!("`{}` is no small set of texts", re2::shown(node)))
}

/// The patterns without those that another one covers.
fn uncovered(found: Vec<Vec<Piece>>) -> Vec<Vec<Piece>> {
    let mut kept: Vec<(Sketch, Vec<Piece>)> = Vec::new();
    for pieces in found {
        let sketch = Sketch::of(&pieces);
        if kept.iter().any(|(other, wide)| other.may_cover(sketch) && covers(wide, &pieces)) {
            continue;
        }
        kept.retain(|(other, narrow)| !(sketch.may_cover(*other) && covers(&pieces, narrow)));
        kept.push((sketch, pieces));
    }
    kept.into_iter().map(|(_, pieces)| pieces).collect()
}

/// What tells most pairs of patterns apart at a glance.
#[derive(Debug, Clone, Copy)]
struct Sketch {
    /// How many characters the pattern asks for, one by one.
    fixed: usize,
    /// Whether it takes any character somewhere.
    ones: bool,
    /// Which characters it asks for.
    hash: u64,
}

impl Sketch {
    fn of(pieces: &[Piece]) -> Self {
        let mut sketch = Self { fixed: 0, ones: false, hash: 0 };
        for piece in pieces {
            let code = match piece {
                Piece::Run => continue,
                Piece::One => u64::MAX,
                Piece::Char(c) => u64::from(u32::from(*c)),
            };
            sketch.fixed += 1;
            sketch.ones |= code == u64::MAX;
            sketch.hash = (sketch.hash.rotate_left(5) ^ code).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        sketch
    }

    /// Whether a pattern of this sketch may match all that one of the other matches: the shortest text of the other must
    /// be long enough, and if it is just that long, it must have the same characters.
    fn may_cover(self, narrow: Self) -> bool {
        self.fixed < narrow.fixed || (self.fixed == narrow.fixed && (self.ones || self.hash == narrow.hash))
    }
}

/// Whether `wide` matches all that `narrow` matches; `false` if it is not plain to see.
fn covers(wide: &[Piece], narrow: &[Piece]) -> bool {
    // The usual backtracking match of a glob, with the narrow pattern's wildcards as characters of their own.
    let (mut w, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < narrow.len() {
        match wide.get(w) {
            Some(Piece::Run) => {
                retry = Some((w, n));
                w += 1;
                continue;
            }
            Some(Piece::One) if narrow[n] != Piece::Run => {
                w += 1;
                n += 1;
                continue;
            }
            Some(piece) if *piece == narrow[n] && *piece != Piece::One => {
                w += 1;
                n += 1;
                continue;
            }
            _ => {}
        }
        let Some((run, from)) = retry else { return false };
        retry = Some((run, from + 1));
        w = run + 1;
        n = from + 1;
    }
    wide[w..].iter().all(|piece| *piece == Piece::Run)
}
