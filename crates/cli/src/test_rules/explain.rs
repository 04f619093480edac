//! Why a rule matches an event or does not: the answer of each detection and item, and the nearest change.
//!
//! Invariant: answers of items are those of the reference evaluator; a change is called the nearest only if the condition
//! turns with it.

use serde::Serialize;
use serde_json::Value as Json;
use sigcast_diagnostics::{SourceMap, Span};
use sigcast_eval::{EvalError, Matcher, values};
use sigcast_ir::{Condition, DetectionItem, Quantifier, Rule, Test, Tree, Value, ValueLinking, lower};
use sigcast_pipeline::shown_item;

use super::nearness;

/// How many characters of a value or an item are shown.
const SHOWN: usize = 240;
/// How many values of a list are shown.
const LISTED: usize = 6;

/// What a condition says of an event.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Explained {
    /// The condition as its author wrote it, or as pipelines left it.
    pub(super) condition: String,
    pub(super) matches: bool,
    /// The detections that it names, in their order.
    pub(super) detections: Vec<Part>,
    /// The fewest items that would have to answer otherwise for the condition to do so; empty if that is not known.
    pub(super) nearest: Vec<Item>,
}

/// A detection.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) matches: bool,
    pub(super) items: Vec<Item>,
}

/// A detection item.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    pub(super) detection: String,
    /// Field, modifiers and values as a rule writes them; where one value is meant, that alone.
    pub(super) item: String,
    /// Its line in the rule's file.
    pub(super) line: u32,
    pub(super) matches: bool,
    /// The field; none for keywords.
    pub(super) field: Option<String>,
    /// What the event has there; none if it has no such field.
    pub(super) found: Option<Vec<Json>>,
    /// What is worth knowing besides.
    pub(super) note: Option<String>,
}

/// A condition over leaves.
#[derive(Debug, Clone)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Leaf(usize),
}

/// An item with its answers.
struct Leaf<'r, 'a> {
    item: &'r DetectionItem<'a>,
    detection: usize,
    answer: bool,
    /// Which of the values pass.
    passed: Vec<bool>,
    /// The price of turning it: about 1,000 for each value that has to change, and how far off the nearest is.
    price: u32,
    /// The value that is nearest to passing.
    near: Option<usize>,
}

/// What an explanation is about.
#[derive(Clone, Copy)]
struct About<'c> {
    rule: &'c Rule<'c>,
    event: &'c Json,
    sources: &'c SourceMap,
}

/// What each condition of a rule says of an event.
pub(super) fn explain(rule: &Rule<'_>, event: &Json, sources: &SourceMap) -> Result<Vec<Explained>, EvalError> {
    let about = About { rule, event, sources };
    let mut leaves = Vec::new();
    let mut trees = Vec::with_capacity(rule.detections.len());
    for (at, detection) in rule.detections.iter().enumerate() {
        trees.push(tree(&detection.tree, at, event, &mut leaves)?);
    }
    let explained = rule.conditions.iter().map(|(asked, _)| {
        let node = condition(asked, &trees);
        let matches = answer(&node, &leaves, &[]);
        let (_, flips) = turn(&node, &leaves, !matches);
        let turned = !flips.is_empty() && answer(&node, &leaves, &flips) != matches;
        let mut used = Vec::new();
        detections(asked, &mut used);
        Explained {
            condition: written(asked, rule),
            matches,
            detections: used.into_iter().filter_map(|at| part(about, at, &trees, &leaves)).collect(),
            nearest: flips.iter().filter(|_| turned).flat_map(|at| changes(about, &leaves[*at])).collect(),
        }
    });
    Ok(explained.collect())
}

fn tree<'r, 'a>(
    found: &'r Tree<'a>,
    detection: usize,
    event: &Json,
    leaves: &mut Vec<Leaf<'r, 'a>>,
) -> Result<Node, EvalError> {
    let mut all = |nodes: &'r [Tree<'a>]| -> Result<Vec<Node>, EvalError> {
        nodes.iter().map(|node| tree(node, detection, event, leaves)).collect()
    };
    Ok(match found {
        Tree::All(nodes) => Node::All(all(nodes)?),
        Tree::Any(nodes) => Node::Any(all(nodes)?),
        Tree::Item(item) => {
            leaves.push(leaf(item, detection, event)?);
            Node::Leaf(leaves.len() - 1)
        }
    })
}

/// An item with these values alone, as it was written.
fn with<'a>(item: &DetectionItem<'a>, values: Vec<Value<'a>>) -> DetectionItem<'a> {
    DetectionItem { values, list: true, applied: Vec::new(), modifiers: Vec::new(), ..item.clone() }
}

fn leaf<'r, 'a>(item: &'r DetectionItem<'a>, detection: usize, event: &Json) -> Result<Leaf<'r, 'a>, EvalError> {
    let bare = DetectionItem { negated: false, values: Vec::new(), ..with(item, Vec::new()) };
    let mut passed = Vec::with_capacity(item.values.len());
    for value in &item.values {
        let one = DetectionItem { values: vec![value.clone()], ..bare.clone() };
        passed.push(Matcher::new(&lower::detection_item(&one))?.matches(event)?);
    }
    let holds = match item.linking {
        ValueLinking::Any => passed.contains(&true),
        ValueLinking::All => !passed.contains(&false),
    };
    let near = nearness::nearest(item, &passed, event);
    let distance = near.map_or(999, |(_, distance)| distance);
    let times = |answer: bool| u32::try_from(passed.iter().filter(|one| **one == answer).count()).unwrap_or(1_000);
    let price = match (holds, item.linking) {
        (false, ValueLinking::Any) => 1_000 + distance,
        (false, ValueLinking::All) => 1_000 * times(false).min(1_000) + distance,
        // A change of the field's value is one change, whatever it was that passed.
        (true, _) => 1_000,
    };
    let near = near.map(|(at, _)| at);
    Ok(Leaf { item, detection, answer: holds != item.negated, passed, price, near })
}

fn condition(asked: &Condition<'_>, trees: &[Node]) -> Node {
    let all = |terms: &[Condition<'_>]| terms.iter().map(|term| condition(term, trees)).collect();
    // The frontend resolves names to detections that exist; one that is not there matches nothing.
    let of = |index: &usize| trees.get(*index).cloned().unwrap_or(Node::Any(Vec::new()));
    match asked {
        Condition::And(terms) => Node::All(all(terms)),
        Condition::Or(terms) => Node::Any(all(terms)),
        Condition::Not(inner) => Node::Not(Box::new(condition(inner, trees))),
        Condition::Detection { index, .. } => of(index),
        Condition::Of { quantifier: Quantifier::Any, matched, .. } => Node::Any(matched.iter().map(of).collect()),
        Condition::Of { quantifier: Quantifier::All, matched, .. } => Node::All(matched.iter().map(of).collect()),
    }
}

/// The answer, if these leaves answered otherwise.
fn answer(node: &Node, leaves: &[Leaf<'_, '_>], turned: &[usize]) -> bool {
    match node {
        Node::All(nodes) => nodes.iter().all(|node| answer(node, leaves, turned)),
        Node::Any(nodes) => nodes.iter().any(|node| answer(node, leaves, turned)),
        Node::Not(inner) => !answer(inner, leaves, turned),
        Node::Leaf(at) => leaves[*at].answer != turned.contains(at),
    }
}

/// The cheapest leaves to turn for an answer, with their price. Leaves that stand in several places may be asked for
/// opposite answers: the caller sees whether it works out.
fn turn(node: &Node, leaves: &[Leaf<'_, '_>], wanted: bool) -> (u32, Vec<usize>) {
    match node {
        Node::Not(inner) => turn(inner, leaves, !wanted),
        Node::Leaf(at) if leaves[*at].answer == wanted => (0, Vec::new()),
        Node::Leaf(at) => (leaves[*at].price, vec![*at]),
        Node::All(nodes) | Node::Any(nodes) => {
            let every = matches!(node, Node::All(_)) == wanted;
            let each = nodes.iter().map(|node| turn(node, leaves, wanted));
            if !every {
                return each.min_by_key(|(price, _)| *price).unwrap_or((u32::MAX, Vec::new()));
            }
            let mut all = (0_u32, Vec::new());
            for (price, flips) in each {
                all.0 = all.0.saturating_add(price);
                all.1.extend(flips);
            }
            all.1.sort_unstable();
            all.1.dedup();
            all
        }
    }
}

/// The detections that a condition names, each once.
fn detections(asked: &Condition<'_>, used: &mut Vec<usize>) {
    match asked {
        Condition::And(terms) | Condition::Or(terms) => terms.iter().for_each(|term| detections(term, used)),
        Condition::Not(inner) => detections(inner, used),
        Condition::Detection { index, .. } => add(&[*index], used),
        Condition::Of { matched, .. } => add(matched, used),
    }
}

fn add(found: &[usize], used: &mut Vec<usize>) {
    for at in found {
        if !used.contains(at) {
            used.push(*at);
        }
    }
}

fn part(about: About<'_>, at: usize, trees: &[Node], leaves: &[Leaf<'_, '_>]) -> Option<Part> {
    let items = leaves.iter().filter(|leaf| leaf.detection == at);
    Some(Part {
        name: about.rule.detections.get(at)?.name.clone().into_owned(),
        matches: answer(trees.get(at)?, leaves, &[]),
        items: items.map(|leaf| shown(about, leaf)).collect(),
    })
}

/// An item with all its values, or as many as can be read.
fn shown(about: About<'_>, leaf: &Leaf<'_, '_>) -> Item {
    let item = leaf.item;
    let few = with(item, item.values.iter().take(LISTED).cloned().collect());
    let mut text = cut(&shown_item(&few));
    if item.values.len() > LISTED {
        text = format!("{} and {} more values", text.trim_end_matches(']'), item.values.len() - LISTED);
        if text.contains('[') {
            text.push(']');
        }
    }
    made(about, leaf, text, item.span)
}

/// What would have to change in an item, or in the event where it asks.
fn changes(about: About<'_>, leaf: &Leaf<'_, '_>) -> Vec<Item> {
    let item = leaf.item;
    let holds = leaf.answer != item.negated;
    let meant: Vec<usize> = match (holds, item.linking) {
        // What keeps it from holding: all values that do not pass, or the nearest one.
        (false, ValueLinking::All) => (0..leaf.passed.len()).filter(|at| !leaf.passed[*at]).collect(),
        (false, ValueLinking::Any) => leaf.near.or((item.values.len() == 1).then_some(0)).into_iter().collect(),
        (true, ValueLinking::Any) => (0..leaf.passed.len()).filter(|at| leaf.passed[*at]).collect(),
        (true, ValueLinking::All) => Vec::new(),
    };
    if meant.is_empty() || meant.len() > LISTED {
        return vec![shown(about, leaf)];
    }
    let each = meant.into_iter().filter_map(|at| Some((at, item.values.get(at)?)));
    each.map(|(_, value)| {
        let one = DetectionItem { list: false, ..with(item, vec![value.clone()]) };
        let mut made = made(about, leaf, cut(&shown_item(&one)), value.span);
        let others = item.values.len() - 1;
        if !holds && item.linking == ValueLinking::Any && others > 0 {
            let note = format!("the nearest of {} values", others + 1);
            made.note = Some(made.note.map_or(note.clone(), |other| format!("{note}; {other}")));
        }
        made
    })
    .collect()
}

fn made(about: About<'_>, leaf: &Leaf<'_, '_>, text: String, span: Span) -> Item {
    let About { rule, event, sources } = about;
    let item = leaf.item;
    let field = item.field.as_ref().map(|field| field.as_str().to_owned());
    let found = field.as_deref().and_then(|field| values(event, field));
    let mut note = None;
    if let (Some(field), None) = (&field, &found) {
        note = event
            .as_object()
            .and_then(|keys| keys.keys().find(|key| key.eq_ignore_ascii_case(field)))
            .map(|key| format!("the event has `{key}`: names of fields mind case"));
    }
    if let Some(Test::SameAs { other, .. }) = item.values.first().map(|value| &value.test) {
        let other_found = values(event, other.as_str());
        note = Some(match other_found {
            Some(found) => format!("{} is {}", other.as_str(), listed(&found.into_iter().cloned().collect::<Vec<_>>())),
            None => format!("the event has no {}", other.as_str()),
        });
    }
    Item {
        detection: rule
            .detections
            .get(leaf.detection)
            .map_or_else(String::new, |found| found.name.clone().into_owned()),
        item: text,
        line: sources.position(span).line,
        matches: leaf.answer,
        field,
        found: found.map(|found| found.into_iter().cloned().collect()),
        note,
    }
}

/// Values of an event as JSON, cut where they are long.
pub(super) fn listed(values: &[Json]) -> String {
    let mut texts: Vec<String> = values.iter().take(LISTED).map(|value| cut(&value.to_string())).collect();
    if values.len() > LISTED {
        texts.push(format!("and {} more", values.len() - LISTED));
    }
    match texts.as_slice() {
        [] => "an empty list".to_owned(),
        [one] if values.len() == 1 => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// A text on one line, cut where it is long.
fn cut(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN + 1).collect();
    if line.chars().count() <= SHOWN { line } else { line.chars().take(SHOWN).chain("…".chars()).collect() }
}

/// A condition as a rule writes it.
fn written(asked: &Condition<'_>, rule: &Rule<'_>) -> String {
    let name = |index: usize| rule.detections.get(index).map_or("?", |found| found.name.as_ref());
    let inner = |term: &Condition<'_>| match term {
        Condition::And(_) | Condition::Or(_) => format!("({})", written(term, rule)),
        _ => written(term, rule),
    };
    let joined = |terms: &[Condition<'_>], word: &str| terms.iter().map(inner).collect::<Vec<_>>().join(word);
    match asked {
        Condition::And(terms) => joined(terms, " and "),
        Condition::Or(terms) => joined(terms, " or "),
        Condition::Not(term) => format!("not {}", inner(term)),
        Condition::Detection { index, .. } => name(*index).to_owned(),
        Condition::Of { quantifier, pattern, .. } => match quantifier {
            Quantifier::Any => format!("1 of {pattern}"),
            Quantifier::All => format!("all of {pattern}"),
        },
    }
}
