//! What it costs Lucene to make an automaton of an expression, by making it.
//!
//! Source: Lucene's class `org.apache.lucene.util.automaton.Operations`, method `determinize`: it adds up how many states
//! of the expression each state of the automaton stands for, and gives up at ten times the limit it is given, which is
//! 10,000 for Elasticsearch and OpenSearch (`max_determinized_states`). Versions before 9.0 (LUCENE-9981) count the states
//! of the automaton.
//!
//! Invariant: time and memory are bounded by the limit, whatever the expression.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use regex_syntax::hir::ClassUnicodeRange;

use super::tree::{Node, Set, everything};

/// The most states that a repetition may unfold to; an expression with more is over the limit by itself.
const MOST_STATES: usize = 50_000;

/// The cost of the automaton of an expression for the whole text: how many states of the expression its states stand for,
/// each counted. None if it is more than the limit.
pub(super) fn effort(node: &Node, limit: usize) -> Option<usize> {
    let mut machine = Machine { states: Vec::new() };
    let accept = machine.add(State::Accept)?;
    let start = machine.build(node, accept)?;
    Subsets::new(&machine, start).count(limit)
}

/// A state of the expression.
enum State<'n> {
    Accept,
    /// One character of a set leads to another state.
    Step(Cow<'n, Set>, usize),
    /// These states stand for it.
    Fork(Vec<usize>),
}

struct Machine<'n> {
    states: Vec<State<'n>>,
}

impl<'n> Machine<'n> {
    fn add(&mut self, state: State<'n>) -> Option<usize> {
        if self.states.len() >= MOST_STATES {
            return None;
        }
        self.states.push(state);
        Some(self.states.len() - 1)
    }

    /// The state from which the node leads to the next; none if there are too many states.
    fn build(&mut self, node: &'n Node, next: usize) -> Option<usize> {
        match node {
            Node::Empty | Node::Look(_) => Some(next),
            Node::Never => self.add(State::Fork(Vec::new())),
            Node::Run => self.star(next, |machine, back| machine.add(State::Step(Cow::Owned(everything()), back))),
            Node::Class(class) => self.add(State::Step(Cow::Borrowed(&class.set), next)),
            Node::Concat(items) => items.iter().rev().try_fold(next, |next, item| self.build(item, next)),
            Node::Alt(branches) => {
                let starts = branches.iter().map(|branch| self.build(branch, next)).collect::<Option<_>>()?;
                self.add(State::Fork(starts))
            }
            Node::Repeat { inner, least, most } => {
                let mut start = match most {
                    None => self.star(next, |machine, back| machine.build(inner, back))?,
                    Some(most) => {
                        let mut start = next;
                        for _ in *least..*most {
                            let more = self.build(inner, start)?;
                            start = self.add(State::Fork(vec![more, next]))?;
                        }
                        start
                    }
                };
                for _ in 0..*least {
                    start = self.build(inner, start)?;
                }
                Some(start)
            }
        }
    }

    /// Any number of what is built.
    fn star(&mut self, next: usize, inner: impl FnOnce(&mut Self, usize) -> Option<usize>) -> Option<usize> {
        let fork = self.add(State::Fork(Vec::new()))?;
        let more = inner(self, fork)?;
        self.states[fork] = State::Fork(vec![more, next]);
        Some(fork)
    }
}

/// The automaton as it is made. Its states are sets of steps of the expression, and the end.
struct Subsets {
    /// For each step, the number of its set.
    sets: Vec<usize>,
    /// For each step, what stands behind it.
    behind: Vec<Vec<u32>>,
    /// Kinds of characters that no set tells apart, one behind the other: for each, a bit for each set that has it.
    kinds: Vec<u64>,
    /// Words of 64 bits that each kind takes.
    words: usize,
    /// What stands at the start.
    start: Rc<[u32]>,
}

impl Subsets {
    fn new(machine: &Machine<'_>, start: usize) -> Self {
        let mut distinct: Vec<&Set> = Vec::new();
        let mut numbers: BTreeMap<&[ClassUnicodeRange], usize> = BTreeMap::new();
        let mut steps: Vec<Option<u32>> = vec![None; machine.states.len()];
        let (mut sets, mut targets) = (Vec::new(), Vec::new());
        for (state, step) in machine.states.iter().zip(&mut steps) {
            if let State::Step(set, next) = state {
                let number = *numbers.entry(set.ranges()).or_insert_with(|| {
                    distinct.push(set);
                    distinct.len() - 1
                });
                *step = u32::try_from(sets.len()).ok();
                sets.push(number);
                targets.push(*next);
            }
        }
        let mut closures = Closures::new(machine, &steps, sets.len());
        let behind = targets.into_iter().map(|from| closures.of(from)).collect();
        let start = closures.of(start).into();
        Self { behind, kinds: kinds(&distinct), words: words(distinct.len()), start, sets }
    }

    fn count(&self, limit: usize) -> Option<usize> {
        let mut known: HashSet<Rc<[u32]>, BuildHasherDefault<Mix>> = HashSet::default();
        known.insert(Rc::clone(&self.start));
        let mut open = vec![Rc::clone(&self.start)];
        // The last round in which a step was found.
        let mut seen = vec![0_u32; self.sets.len() + 1];
        let (mut round, mut effort) = (0, 0);
        // What is written anew for each state or kind; the answers that were told are one behind the other, as kinds are.
        let (mut asked, mut answers) = (vec![0; self.words], vec![0; self.words]);
        let (mut told, mut next): (Vec<u64>, Vec<u32>) = (Vec::new(), Vec::new());
        while let Some(state) = open.pop() {
            effort += state.len();
            if effort > limit {
                return None;
            }
            asked.fill(0);
            state.iter().filter_map(|step| self.sets.get(*step as usize)).for_each(|set| put(&mut asked, *set));
            told.clear();
            for kind in self.kinds.chunks_exact(self.words) {
                // Kinds that the sets of this state do not tell apart lead to one state.
                answers.iter_mut().zip(kind).zip(&asked).for_each(|((answer, kind), asked)| *answer = kind & asked);
                if told.chunks_exact(self.words).any(|earlier| earlier.iter().eq(&answers)) {
                    continue;
                }
                told.extend_from_slice(&answers);
                round += 1;
                next.clear();
                for &step in &*state {
                    if self.sets.get(step as usize).is_some_and(|set| has(&answers, *set)) {
                        for &behind in &self.behind[step as usize] {
                            if std::mem::replace(&mut seen[behind as usize], round) != round {
                                next.push(behind);
                            }
                        }
                    }
                }
                next.sort_unstable();
                if !next.is_empty() && !known.contains(next.as_slice()) {
                    let next: Rc<[u32]> = next.as_slice().into();
                    known.insert(Rc::clone(&next));
                    open.push(next);
                }
            }
        }
        Some(effort)
    }
}

/// How many words hold a bit for each of so many sets.
fn words(sets: usize) -> usize {
    sets.div_ceil(64).max(1)
}

fn put(bits: &mut [u64], number: usize) {
    bits[number / 64] |= 1 << (number % 64);
}

fn has(bits: &[u64], number: usize) -> bool {
    bits[number / 64] & (1 << (number % 64)) != 0
}

/// A quick hash: what is hashed here comes from one expression, and how much of it there is, is bounded.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }
}

/// What finds the steps that states stand for.
struct Closures<'m> {
    machine: &'m Machine<'m>,
    /// For each state, the number of its step.
    steps: &'m [Option<u32>],
    /// The number of the end, behind the last step.
    end: Option<u32>,
    /// States to look at.
    open: Vec<usize>,
    /// For each state, the last round in which it was looked at.
    seen: Vec<usize>,
    round: usize,
}

impl<'m> Closures<'m> {
    fn new(machine: &'m Machine<'m>, steps: &'m [Option<u32>], end: usize) -> Self {
        let seen = vec![0; steps.len()];
        Self { machine, steps, end: u32::try_from(end).ok(), open: Vec::new(), seen, round: 0 }
    }

    /// The steps that a state stands for, by their numbers, and the end.
    fn of(&mut self, from: usize) -> Vec<u32> {
        self.round += 1;
        self.open.push(from);
        let mut found = Vec::new();
        while let Some(state) = self.open.pop() {
            if std::mem::replace(&mut self.seen[state], self.round) == self.round {
                continue;
            }
            match &self.machine.states[state] {
                State::Fork(more) => self.open.extend(more),
                State::Accept => found.extend(self.end),
                State::Step(..) => found.extend(self.steps[state]),
            }
        }
        found.sort_unstable();
        found
    }
}

/// Kinds of characters that none of the sets tells apart, each with the answers of the sets; one behind the other.
fn kinds(sets: &[&Set]) -> Vec<u64> {
    // Where ranges start, and where they have ended.
    let mut borders: Vec<u32> = sets
        .iter()
        .flat_map(|set| set.ranges())
        .flat_map(|range| [u32::from(range.start()), u32::from(range.end()) + 1])
        .collect();
    borders.sort_unstable();
    borders.dedup();
    let holds = |set: &Set, c: u32| {
        let ranges = set.ranges();
        let at = ranges.partition_point(|range| u32::from(range.end()) < c);
        ranges.get(at).is_some_and(|range| u32::from(range.start()) <= c)
    };
    let mut found: BTreeSet<Vec<u64>> = BTreeSet::new();
    for border in borders {
        let mut kind = vec![0; words(sets.len())];
        sets.iter().enumerate().filter(|(_, set)| holds(set, border)).for_each(|(number, _)| put(&mut kind, number));
        found.insert(kind);
    }
    found.into_iter().filter(|kind| kind.iter().any(|word| *word != 0)).flatten().collect()
}

#[cfg(test)]
mod tests {
    use sigcast_ir::{Regex, RegexFlags};

    use super::*;
    use crate::passes::regex::{anchor, tree};

    /// `expected`: the cost; none if it is over the limit.
    fn check(source: &str, limit: usize, expected: Option<usize>) {
        let regex = Regex { source: source.into(), flags: RegexFlags::default(), opaque: None };
        let whole = tree::parse(&regex).and_then(anchor::whole).expect("a tree");
        assert_eq!(effort(&whole.node, limit), expected, "{source}");
    }

    #[test]
    fn each_state_of_the_automaton_costs_what_it_stands_for() {
        check("^a$", 9, Some(2));
        check("^[a-z]{1,900}$", 2_000, Some(1_800));
        // The first run and `a`; these with the second run and the end.
        check("a", 99, Some(2 + 4));
        check("^(a|b)*c$", 99, Some(3 + 1));
        check("^a{3}$", 99, Some(4));
        check("^a{3}$", 3, None);
        check("^(abc|abd)$", 99, Some(2 + 2 + 2 + 1));
    }

    /// Lucene 9.11.1 needs a limit of 1, 948, 4,404, 9,421 and 20,071 (of ten states each) for these.
    #[test]
    fn gaps_of_one_length_double_the_automaton() {
        for (length, expected) in [(2, 72), (8, 7_680), (10, 34_816), (11, 73_728), (12, 155_648)] {
            check(&format!("a.{{{length}}}b"), 1_000_000, Some(expected));
        }
    }

    #[test]
    fn time_is_bounded() {
        for source in ["(a{1000}){1000}", "a.{0,100}bc.{0,100}d", "(.{1,30}x){30}", "(a|b|.)*.{900}(c|d).*e"] {
            check(source, 60_000, None);
        }
    }
}
