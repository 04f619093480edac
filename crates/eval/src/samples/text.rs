//! Texts that several patterns and regular expressions are found in at once.
//!
//! Invariant: these are proposals: whether one of them does it, the judge says.

use sigcast_ir::{Match, Part, Pattern, Test};

use super::judge::Judge;

/// What one test wants to see in the text.
#[derive(Debug, Clone)]
struct Piece {
    /// Whether anything may stand before it.
    open_start: bool,
    /// Whether anything may stand after it.
    open_end: bool,
    /// The text before its first inner run, and what follows that run (if there is one).
    body: (String, Option<String>),
}

/// What is put between and around the pieces.
struct Style {
    between: &'static str,
    /// For an inner run.
    run: &'static str,
    /// For a single wildcard.
    one: char,
    before: &'static str,
    after: &'static str,
}

const STYLES: &[Style] = &[
    Style { between: " ", run: "sample", one: 'x', before: "", after: "" },
    Style { between: "", run: "", one: '1', before: "", after: "" },
    Style { between: " ", run: " sample ", one: '_', before: "sample ", after: " sample" },
    Style { between: r"\", run: r"\sample\", one: 'x', before: r"C:\sample", after: r"\sample.txt" },
    Style { between: "", run: "x", one: 'a', before: "x", after: "x" },
    Style { between: "-0-", run: "0", one: '0', before: "0", after: "0" },
    Style { between: "/", run: "/", one: '-', before: "/", after: "/" },
];

/// Texts for the tests of one subject that are to pass.
pub(super) fn proposals(wanted: &[&Match<'_>], judge: &Judge) -> Vec<String> {
    let variants = wanted.iter().filter_map(|leaf| match &leaf.test {
        Test::Regex(regex) => judge.witnesses(regex).map(|known| known.found.len()),
        _ => None,
    });
    let variants = variants.max().unwrap_or(1);
    let mut found: Vec<String> = Vec::new();
    for style in STYLES {
        for variant in 0..variants.max(1) {
            let Some(pieces) =
                wanted.iter().filter_map(|leaf| piece(leaf, style, variant, judge)).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            if pieces.is_empty() {
                continue;
            }
            for reversed in [false, true] {
                let text = assemble(&pieces, style, reversed);
                if !found.contains(&text) {
                    found.push(text);
                }
            }
        }
    }
    // The usual surroundings of a path make a likelier value than a bare ending.
    let mut likely: Vec<String> = Vec::new();
    if wanted
        .iter()
        .all(|leaf| matches!(&leaf.test, Test::Text { pattern, .. } if pattern.parts().first() == Some(&Part::AnyRun)))
    {
        for text in found.iter().take(1) {
            match text.chars().next() {
                Some('\\') => likely.push(format!(r"C:\sample{text}")),
                Some('/') => likely.push(format!("/sample{text}")),
                Some(' ') => likely.push(format!("sample{text}")),
                _ => {}
            }
        }
    }
    likely.extend(found);
    likely
}

/// What a test wants; the outer `None` if it is not about the text, the inner if nothing is known to pass it.
fn piece(leaf: &Match<'_>, style: &Style, variant: usize, judge: &Judge) -> Option<Option<Piece>> {
    match &leaf.test {
        Test::Text { pattern, .. } => {
            let keyword = leaf.field().is_none();
            Some(Some(of_pattern(pattern, style, keyword)))
        }
        Test::Regex(regex) => {
            let known = judge.witnesses(regex).map_or(&[][..], |known| &known.found);
            let witness = known.get(variant % known.len().max(1));
            Some(witness.map(|witness| Piece {
                open_start: !witness.starts,
                open_end: !witness.ends,
                body: (witness.text.clone(), None),
            }))
        }
        _ => None,
    }
}

fn of_pattern(pattern: &Pattern<'_>, style: &Style, keyword: bool) -> Piece {
    let parts = pattern.parts();
    let open_start = parts.first() == Some(&Part::AnyRun);
    let open_end = parts.last() == Some(&Part::AnyRun);
    let inner = match (open_start, open_end) {
        (true, true) => parts.get(1..parts.len().saturating_sub(1).max(1)).unwrap_or(&[]),
        (true, false) => parts.get(1..).unwrap_or(&[]),
        (false, true) => parts.get(..parts.len() - 1).unwrap_or(&[]),
        (false, false) => parts,
    };
    let (mut head, mut tail) = (String::new(), None::<String>);
    for part in inner {
        if *part == Part::AnyRun && tail.is_none() {
            tail = Some(String::new());
            continue;
        }
        let out = tail.as_mut().unwrap_or(&mut head);
        match part {
            Part::Text(text) => out.push_str(text),
            Part::AnyOne => out.push(style.one),
            Part::AnyRun => out.push_str(style.run),
            Part::Placeholder(_) => {}
        }
    }
    Piece { open_start: open_start || keyword, open_end: open_end || keyword, body: (head, tail) }
}

impl Piece {
    fn text(&self, run: &str) -> String {
        match &self.body {
            (head, None) => head.clone(),
            (head, Some(tail)) => format!("{head}{run}{tail}"),
        }
    }
}

/// One text with all the pieces: the anchored ones at its ends, the others between them.
fn assemble(pieces: &[Piece], style: &Style, reversed: bool) -> String {
    let longest = |choose: &dyn Fn(&Piece) -> bool| {
        pieces.iter().enumerate().filter(|(_, piece)| choose(piece)).max_by_key(|(_, piece)| piece.text("").len())
    };
    let whole = longest(&|piece| !piece.open_start && !piece.open_end);
    let start = longest(&|piece| !piece.open_start && piece.open_end);
    let end = longest(&|piece| piece.open_start && !piece.open_end);
    let frame: Vec<usize> = [whole, start, end].iter().flatten().map(|(at, _)| *at).collect();
    let mut middle: Vec<String> = Vec::new();
    // The longest first: a shorter one may stand inside it.
    let mut others: Vec<&Piece> =
        (0..).zip(pieces).filter(|(at, _)| !frame.contains(at)).map(|(_, piece)| piece).collect();
    others.sort_by_key(|piece| std::cmp::Reverse(piece.text("").len()));
    let framed: String = frame.iter().filter_map(|at| pieces.get(*at)).map(|piece| piece.text(style.run)).collect();
    for piece in others {
        let text = piece.text(style.run);
        let inside = |place: &String| place.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
        if !middle.iter().any(inside) && !inside(&framed) {
            middle.push(text);
        }
    }
    if reversed {
        middle.reverse();
    }
    let middle = middle.join(style.between);
    if let Some((_, whole)) = whole {
        let run = if middle.is_empty() { style.run.to_owned() } else { middle };
        return whole.text(&run);
    }
    let mut found = match start {
        Some((_, piece)) => piece.text(style.run),
        None => style.before.to_owned(),
    };
    if !middle.is_empty() {
        if start.is_some() {
            found.push_str(style.between);
        }
        found.push_str(&middle);
    }
    match end {
        Some((_, piece)) => {
            if !middle.is_empty() {
                found.push_str(style.between);
            } else if start.is_some() {
                found.push_str(style.run);
            }
            found.push_str(&piece.text(style.run));
        }
        None => found.push_str(style.after),
    }
    found
}
