//! Correlations made by hand, for tests of what targets write.

use sigcast_diagnostics::{SourceId, SourceMap, Span};
use sigcast_frontend::Kind;
use sigcast_ir::{
    Bound, Correlation, Criterion, Field, Key, KeyField, Measure, Member, MemberCondition, Meta, Number, NumberValue,
    Order, Rule, Source, Timespan, Wanted,
};

use crate::convert::{Backend, Conversion};
use crate::options::{Settings, option};

fn span() -> Span {
    Span::new(SourceId(0), 0, 0)
}

/// A rule that tests these items; its places are told apart by `number`.
fn rule(number: u32, items: &str) -> Rule<'static> {
    let items: String = items.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "title: Rule {number}\nname: rule_{number}\nlogsource:\n  category: c\ndetection:\n  s:\n{items}  condition: s\n"
    );
    let mut sources = SourceMap::new();
    for at in 0..=number {
        sources.add(format!("{at}.yml"), text.clone());
    }
    let sources: &'static SourceMap = Box::leak(Box::new(sources));
    let document = sigcast_frontend::parse(sources, SourceId(number)).into_iter().next().expect("a document");
    let Kind::Rule(rule) = document.kind else { panic!("no rule: {:?}", document.diagnostics) };
    *rule
}

/// A rule as a member: its number, what it tests, the fields of its keys, and those of its values.
pub(crate) fn of_rule(number: u32, items: &str, keys: &[&str], values: &[&str]) -> Member<'static> {
    let field = |name: &&str| Field::new((*name).to_owned());
    Member {
        name: format!("rule_{number}").into(),
        span: span(),
        source: Source::Rule(Box::new(rule(number, items))),
        keys: keys.iter().map(|name| KeyField::Field(field(name))).collect(),
        values: values.iter().map(field).collect(),
    }
}

/// A correlation as a member, grouped by all of its keys.
pub(crate) fn of_correlation(inner: Correlation<'static>) -> Member<'static> {
    let keys = (0..inner.keys.len()).map(KeyField::Inner).collect();
    Member {
        name: "inner".into(),
        span: span(),
        source: Source::Correlation(Box::new(inner)),
        keys,
        values: Vec::new(),
    }
}

/// A correlation of five minutes.
pub(crate) fn correlation(members: Vec<Member<'static>>, criterion: Criterion<'static>) -> Correlation<'static> {
    let keys = members[0].keys.len();
    Correlation {
        meta: Meta::default(),
        members,
        keys: (0..keys).map(|at| Key { name: format!("key{at}").into(), span: span() }).collect(),
        timespan: Timespan { text: "5m".into(), seconds: 300, span: span() },
        criterion,
        generate: false,
        span: span(),
        kind_span: span(),
    }
}

/// A measure within one bound.
pub(crate) fn measure(measure: Measure, order: Order, value: i128) -> Criterion<'static> {
    let value = Number { text: value.to_string().into(), value: NumberValue::Integer(value) };
    Criterion::Measure { measure, bounds: vec![Bound { order, negated: false, value, span: span() }] }
}

/// The conversion under options `key=value`.
pub(crate) fn convert(target: &str, options: &[&str], correlation: &Correlation<'_>) -> Conversion {
    let mut settings = Settings::default();
    for given in options {
        let (key, value) = given.split_once('=').expect("key=value");
        option(key).expect("a known option").set(&mut settings, value).expect("a good value");
    }
    Backend::new(crate::find(target).expect("a target"), settings).correlate(correlation)
}

/// What a target makes of each kind of correlation, over sliding and fixed windows.
pub(crate) fn shown(target: &str) -> String {
    let mut out = String::new();
    let both = |out: &mut String, title: &str, made: &Correlation<'_>| {
        for (windows, options) in
            [("sliding", ["table=T", "window=sliding"]), ("fixed", ["table=T", "window=tumbling"])]
        {
            let known = |option: &&str| {
                let name = option.split('=').next().unwrap_or_default();
                crate::find(target).expect("a target").options.contains(&name)
            };
            let options: Vec<&str> = options.iter().copied().filter(known).collect();
            let found = convert(target, &options, made);
            let said: Vec<String> = found
                .diagnostics
                .iter()
                .map(|found| format!("# {}: {}\n", found.code.as_str(), found.message))
                .collect();
            out.push_str(&format!(
                "# {title}, {windows}: {}\n{}{}\n\n",
                found.status.as_str(),
                said.concat(),
                found.queries.concat()
            ));
        }
    };
    let failed = || of_rule(0, "EventID: 4625", &["User"], &["size"]);
    let done = || of_rule(1, "EventID: 4624\nIp|re: 'a+b'", &["User"], &["size"]);
    let other = || of_rule(1, "EventID: 4624", &["TargetUser Name"], &["length"]);
    let count = || correlation(vec![failed()], measure(Measure::Events, Order::GreaterOrEqual, 10));
    both(&mut out, "many events", &count());
    let two = correlation(vec![failed(), done()], measure(Measure::Events, Order::Less, 10));
    both(&mut out, "few events of two rules", &two);
    let aliased = correlation(vec![failed(), other()], measure(Measure::Events, Order::Greater, 10));
    both(&mut out, "many events, by fields that differ", &aliased);
    let pairs = of_rule(0, "EventID: 4625", &[], &["size", "a b"]);
    both(&mut out, "many pairs of values", &correlation(vec![pairs], measure(Measure::Distinct, Order::Greater, 5)));
    for (title, measured, order) in [
        ("many values", Measure::Distinct, Order::GreaterOrEqual),
        ("sum", Measure::Sum, Order::Greater),
        ("average", Measure::Average, Order::Greater),
        ("least number", Measure::Minimum, Order::Equal),
        ("greatest number", Measure::Maximum, Order::Less),
        ("percentile", Measure::Percentile(99.5), Order::Greater),
    ] {
        both(&mut out, title, &correlation(vec![failed()], measure(measured, order, 10)));
    }
    let all = || MemberCondition::And(vec![MemberCondition::Member(0), MemberCondition::Member(1)]);
    let without = || {
        let second = MemberCondition::Not(Box::new(MemberCondition::Member(1)));
        MemberCondition::And(vec![MemberCondition::Member(0), second])
    };
    for (ordered, order) in [(false, ""), (true, " in order")] {
        let made = |members, condition| {
            correlation(members, Criterion::Temporal { ordered, wanted: Wanted::Rules(condition) })
        };
        both(&mut out, &format!("two rules{order}"), &made(vec![failed(), done()], all()));
        both(&mut out, &format!("two rules{order}, by fields that differ"), &made(vec![failed(), other()], all()));
        both(&mut out, &format!("one without another{order}"), &made(vec![failed(), done()], without()));
        let chain = made(vec![of_correlation(count()), done()], all());
        both(&mut out, &format!("a correlation and a rule{order}"), &chain);
    }
    let again = correlation(vec![of_correlation(count())], measure(Measure::Events, Order::GreaterOrEqual, 3));
    both(&mut out, "many firings", &again);
    out
}
