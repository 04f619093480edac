//! Correlations out of plain plans.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use sigcast_diagnostics::{SourceMap, Span};
use sigcast_frontend::{Kind, parse};
use sigcast_ir::{
    Bound, Correlation, Criterion, Field, Key, KeyField, Measure, Member, MemberCondition, Meta, Number, NumberValue,
    Order, Rule, Source, Timespan, Wanted,
};

/// A correlation in short.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it is, its keys (a number is a key of the inner correlation, else a field), its value fields.
    pub members: Vec<(Inner, Vec<String>, Vec<&'static str>)>,
    pub asked: Asked,
    pub seconds: u64,
}

/// What a member is.
#[derive(Debug, Clone)]
pub enum Inner {
    /// The rule that matches where `kind` has this value.
    Rule(&'static str),
    Correlation(Box<Plan>),
}

/// The criterion. Bounds are a sign and a number.
#[derive(Debug, Clone)]
pub enum Asked {
    /// A measure by name; a number is a percentile.
    Measure {
        measure: &'static str,
        bounds: Vec<(&'static str, &'static str)>,
    },
    Members {
        ordered: bool,
        bounds: Vec<(&'static str, &'static str)>,
    },
    Rules {
        ordered: bool,
        condition: MemberCondition,
    },
}

/// The rule whose events have this kind, or with this detection as YAML (`{field: value}`).
pub fn rule(kind: &str) -> Rule<'static> {
    static RULES: OnceLock<Mutex<HashMap<String, Rule<'static>>>> = OnceLock::new();
    let mut rules = RULES.get_or_init(Mutex::default).lock().expect("no test panics while it has the rules");
    let made = rules.entry(kind.to_owned()).or_insert_with(|| {
        let sources: &'static mut SourceMap = Box::leak(Box::default());
        let detection = if kind.starts_with('{') { kind.to_owned() } else { format!("{{kind: {kind}}}") };
        let text = format!(
            "title: {kind:?}\nlogsource: {{category: test}}\ndetection:\n    s: {detection}\n    condition: s\n"
        );
        let id = sources.add("rule.yml", text);
        let document = parse(&*sources, id).into_iter().next().expect("a document");
        let Kind::Rule(rule) = document.kind else { panic!("no rule: {:?}", document.diagnostics) };
        *rule
    });
    made.clone()
}

fn span() -> Span {
    rule("a").span
}

fn bounds(bounds: &[(&'static str, &'static str)]) -> Vec<Bound<'static>> {
    let bound = |(sign, text): &(&'static str, &'static str)| {
        let (order, negated) = match *sign {
            "=" => (Order::Equal, false),
            "!=" => (Order::Equal, true),
            "<" => (Order::Less, false),
            "<=" => (Order::LessOrEqual, false),
            ">" => (Order::Greater, false),
            _ => (Order::GreaterOrEqual, false),
        };
        let value = match text.parse() {
            Ok(whole) => NumberValue::Integer(whole),
            Err(_) => NumberValue::Float(text.parse().expect("a number")),
        };
        Bound { order, negated, value: Number { text: (*text).into(), value }, span: span() }
    };
    bounds.iter().map(bound).collect()
}

/// The correlation of a plan.
pub fn build(plan: &Plan) -> Correlation<'static> {
    let member = |(inner, keys, values): &(Inner, Vec<String>, Vec<&'static str>)| Member {
        name: "member".into(),
        span: span(),
        source: match inner {
            Inner::Rule(kind) => Source::Rule(Box::new(rule(kind))),
            Inner::Correlation(plan) => Source::Correlation(Box::new(build(plan))),
        },
        keys: keys
            .iter()
            .map(|key| key.parse().map_or_else(|_| KeyField::Field(Field::new(key.clone())), KeyField::Inner))
            .collect(),
        values: values.iter().map(|field| Field::new(*field)).collect(),
    };
    let criterion = match &plan.asked {
        Asked::Measure { measure, bounds: asked } => Criterion::Measure {
            measure: match *measure {
                "events" => Measure::Events,
                "distinct" => Measure::Distinct,
                "sum" => Measure::Sum,
                "average" => Measure::Average,
                "minimum" => Measure::Minimum,
                "maximum" => Measure::Maximum,
                "median" => Measure::Median,
                percent => Measure::Percentile(percent.parse().expect("a percentile")),
            },
            bounds: bounds(asked),
        },
        Asked::Members { ordered, bounds: asked } => {
            Criterion::Temporal { ordered: *ordered, wanted: Wanted::Count(bounds(asked)) }
        }
        Asked::Rules { ordered, condition } => {
            Criterion::Temporal { ordered: *ordered, wanted: Wanted::Rules(condition.clone()) }
        }
    };
    let keys = plan.members.first().map_or(0, |(_, keys, _)| keys.len());
    Correlation {
        meta: Meta::default(),
        members: plan.members.iter().map(member).collect(),
        keys: (0..keys).map(|at| Key { name: format!("key{at}").into(), span: span() }).collect(),
        timespan: Timespan { text: format!("{}s", plan.seconds).into(), seconds: plan.seconds, span: span() },
        criterion,
        generate: false,
        span: span(),
        kind_span: span(),
    }
}
