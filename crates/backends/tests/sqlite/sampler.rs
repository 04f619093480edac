//! Events made for a query: some that should pass it, some that should not, and neighbours of both.
//!
//! What an event is worth is for the evaluator to say; the sampler only sees to it that both answers occur. Values are
//! those of a flat table, within what queries assume: numbers in their usual spelling, texts of one line.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::{Map, Value, json};
use sigcast_ir::{Affix, Expr, Match, NumberValue, Order, Part, Pattern, Query, Shape, Test};

/// A small generator of reproducible numbers.
pub struct Random(pub u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    fn word(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }
}

/// Events for a query.
pub fn events(query: &Query<'_>, random: &mut Random) -> Vec<Value> {
    let mut leaves = Vec::new();
    query.each_match(&mut |found| leaves.push(found));
    let mut events = vec![json!({})];
    for at in 0..40 {
        let mut event = Map::new();
        satisfy(query, at % 4 != 3, &mut event, random);
        events.push(Value::Object(event.clone()));
        // One field otherwise.
        let other = leaves[random.below(leaves.len())];
        let Some(field) = other.field() else { continue };
        match random.below(4) {
            0 => event.remove(field.as_str()),
            1 => event.insert(field.as_str().to_owned(), hit(other, random)),
            2 => event.insert(field.as_str().to_owned(), json!("")),
            _ => event.insert(field.as_str().to_owned(), miss(other, random)),
        };
        events.push(Value::Object(event));
    }
    events
}

/// Sets fields so that the query has this answer, as far as tests of one field do not contradict each other.
fn satisfy(query: &Query<'_>, wanted: bool, event: &mut Map<String, Value>, random: &mut Random) {
    match (query, wanted) {
        (Expr::And(terms), true) | (Expr::Or(terms), false) => {
            terms.iter().for_each(|term| satisfy(term, wanted, event, random));
        }
        (Expr::And(terms) | Expr::Or(terms), _) => {
            // The other terms as they come.
            for term in terms {
                if random.below(3) == 0 {
                    satisfy(term, !wanted, event, random);
                }
            }
            satisfy(&terms[random.below(terms.len())], wanted, event, random);
        }
        (Expr::Not(inner), _) => satisfy(inner, !wanted, event, random),
        (Expr::Const(_), _) => {}
        (Expr::Match(found), _) => leaf(found, wanted, event, random),
    }
}

fn leaf(found: &Match<'_>, wanted: bool, event: &mut Map<String, Value>, random: &mut Random) {
    let Some(field) = found.field() else { return };
    let name = field.as_str().to_owned();
    match &found.test {
        Test::Null | Test::Exists(false) if wanted => {
            event.remove(&name);
        }
        Test::SameAs { other, affix, .. } => {
            let other = event.entry(other.as_str()).or_insert(json!("Ab%c")).clone();
            let text = other.as_str().unwrap_or("5").to_owned();
            let value = match affix {
                _ if !wanted => format!("{text}x{text}y"),
                Affix::Equals => text,
                Affix::StartsWith => format!("{text}x"),
                Affix::EndsWith => format!("x{text}"),
                Affix::Contains => format!("x{text}x"),
            };
            event.insert(name, json!(value));
        }
        _ if wanted => {
            let value = hit(found, random);
            let joined = join(event.get(&name), &value, &found.test);
            event.insert(name, joined.unwrap_or(value));
        }
        // What passes another test already is left alone now and then.
        _ if event.contains_key(&name) && random.below(3) > 0 => {}
        _ if random.below(4) == 0 => {
            event.remove(&name);
        }
        _ => {
            let value = miss(found, random);
            event.insert(name, value);
        }
    }
}

/// A text that passes the test, and what the field has besides.
fn join(there: Option<&Value>, value: &Value, test: &Test<'_>) -> Option<Value> {
    let (Some(Value::String(there)), Value::String(value), Test::Text { pattern, .. }) = (there, value, test) else {
        return None;
    };
    match pattern.shape() {
        Shape::Prefix(_) => Some(json!(format!("{value}{there}"))),
        Shape::Contains(_) | Shape::Suffix(_) => Some(json!(format!("{there}{value}"))),
        _ => None,
    }
}

fn hit(found: &Match<'_>, random: &mut Random) -> Value {
    match &found.test {
        Test::Text { pattern, .. } => json!(cased(&filled(pattern, random), random)),
        Test::Regex(regex) => {
            let text = regex_syntax::parse(&regex.source).map(|tree| spelled(&tree, random)).unwrap_or_default();
            json!(format!("{}{text}{}", random.pick(&["", "a ", "/"]), random.pick(&["", " z", "\""])))
        }
        Test::Network(network) => json!(random.pick(&[network.network(), network.broadcast()]).to_string()),
        Test::Number { order, value } => number(value.value, order, true, random),
        Test::Bool(value) => random.pick(&[json!(value), json!(value.to_string()), json!("TRUE")]).clone(),
        Test::TimePart { value, .. } => time(value.value, random),
        _ => json!("here"),
    }
}

fn miss(found: &Match<'_>, random: &mut Random) -> Value {
    match &found.test {
        Test::Text { pattern, .. } => {
            let text = filled(pattern, random);
            let shorter: String = text.chars().skip(1).collect();
            let inner = text.replace('\\', "x").replace('_', "-").replace(['*', '?', '%', '['], "y");
            json!(random.pick(&[format!("z{text}"), format!("{text}z"), shorter, inner, String::new()]))
        }
        Test::Network(network) => {
            let text = match network {
                ipnet::IpNet::V4(_) => random.pick(&["1.2.3.4", "11.0.0.1", "172.32.0.1", "x", "::1"]),
                ipnet::IpNet::V6(_) => random.pick(&["2001:db8::1", "::2", "fec0::1", "10.0.0.1", ""]),
            };
            json!(text)
        }
        Test::Number { order, value } => number(value.value, order, false, random),
        Test::Bool(value) => json!(!value),
        Test::TimePart { .. } => json!("2001-01-01T01:01:01Z"),
        _ => random.pick(&[json!("other"), json!(""), json!(null), json!(7)]).clone(),
    }
}

/// A text that the pattern matches.
fn filled(pattern: &Pattern<'_>, random: &mut Random) -> String {
    let mut out = String::new();
    for part in pattern.parts() {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::AnyRun => out.push_str(random.word(&["", "x", "é\\ ", "%_"])),
            Part::AnyOne => out.push_str(random.word(&["q", "ß", "?"])),
            Part::Placeholder(_) => {}
        }
    }
    out
}

/// The text in this or that case.
fn cased(text: &str, random: &mut Random) -> String {
    match random.below(3) {
        0 => text.to_owned(),
        1 => text.chars().map(|c| if c.is_ascii() { c.to_ascii_uppercase() } else { c }).collect(),
        _ => text.to_lowercase(),
    }
}

fn number(value: NumberValue, order: &Order, hit: bool, random: &mut Random) -> Value {
    let NumberValue::Integer(value) = value else { return json!(1.5) };
    let step = match (order, hit) {
        (Order::Equal, true) => 0,
        (Order::Greater | Order::GreaterOrEqual, true) | (Order::Less, false) => 1,
        (Order::Less | Order::LessOrEqual, true) | (Order::Greater, false) => -1,
        (_, false) => *random.pick(&[-1, 1, 10]),
    };
    let near = value + step;
    match (random.below(2), i64::try_from(near)) {
        (0, Ok(near)) => json!(near),
        _ => json!(near.to_string()),
    }
}

/// A time that has the number in one part or another.
fn time(value: NumberValue, random: &mut Random) -> Value {
    let NumberValue::Integer(part) = value else { return json!("") };
    let zone = random.pick(&["Z", "", "+00:00"]);
    json!(match part {
        1000.. => format!("{part}-06-01T12:00:00{zone}"),
        0..=23 => format!("2024-{:02}-{:02}T{part:02}:{part:02}:09{zone}", part.clamp(1, 12), part.clamp(1, 28)),
        _ => format!("2024-02-{:02}T05:{:02}:09{zone}", part.clamp(1, 28), part.clamp(0, 59)),
    })
}

/// A text that the expression matches, if nothing stands in the way.
fn spelled(tree: &Hir, random: &mut Random) -> String {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => String::new(),
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Class(Class::Unicode(class)) => {
            let printable = class.ranges().iter().find(|range| range.end() >= '-');
            printable.map_or(String::new(), |range| range.start().max('-').min(range.end()).to_string())
        }
        HirKind::Class(Class::Bytes(_)) => String::new(),
        HirKind::Repetition(repetition) => {
            let times = repetition.min.max(u32::from(repetition.max != Some(0) && random.below(2) == 0)).min(50);
            (0..times).map(|_| spelled(&repetition.sub, random)).collect()
        }
        HirKind::Capture(capture) => spelled(&capture.sub, random),
        HirKind::Concat(parts) => parts.iter().map(|part| spelled(part, random)).collect(),
        HirKind::Alternation(branches) => {
            let at = random.below(branches.len());
            spelled(&branches[at], random)
        }
    }
}
