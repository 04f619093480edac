//! Numbers of sliding windows.
//!
//! Invariant: a measure of no values lies in no bounds; values that are no numbers are passed by.

use sigcast_diagnostics::Code;
use sigcast_ir::{Bound, Measure, NumberValue, Order};

use super::{Flag, Node, Query, choice, within};
use crate::targets::groups;
use crate::targets::splunk::filter::FILTER;

/// The most events that `streamstats window=` holds (`max_stream_window`).
const MOST_EVENTS: u64 = 10_000;

impl Query<'_, '_> {
    /// Adds what is measured; what is true of an event whose window lies in the bounds.
    pub(super) fn measure(&mut self, node: &Node<'_, '_>, measure: Measure, bounds: &[Bound<'_>]) -> Option<String> {
        if !self.alone && measure.minds_repeats() && node.correlation.rules().nth(1).is_some() {
            let message = "an event that several rules match counts for each of them";
            self.composer.approximate(Code::CountedPerRule, node.correlation.kind_span, message);
        }
        match measure {
            Measure::Events => Some(self.events(node, bounds)),
            Measure::Distinct => self.distinct(node, bounds),
            Measure::Sum | Measure::Average => self.sum(node, measure, bounds),
            Measure::Minimum | Measure::Maximum => self.extreme(node, measure, bounds),
            Measure::Median => self.percentile(node, 50.0, bounds),
            Measure::Percentile(part) => self.percentile(node, part, bounds),
        }
    }

    /// How many events: whether the n-th last one lies in the window, or a running sum.
    fn events(&mut self, node: &Node<'_, '_>, bounds: &[Bound<'_>]) -> String {
        let count = node.name("count");
        let Some(least) = least(bounds) else {
            self.edges(node, None, &[("sigma_edge".to_owned(), count.clone())]);
            return within(&count, bounds);
        };
        let (first, enough) = (node.name("first"), node.name("enough"));
        let global = if node.by.is_empty() { "" } else { "global=f " };
        self.sort();
        self.pipe(&format!(
            "streamstats {global}window={least} count AS {count}, min(_time) AS {first}{}",
            node.by(&[])
        ));
        self.pipe(&format!("eval {enough}=if({count}={least} AND _time-{first}<={}, 1, 0)", node.seconds()));
        self.spread(node, "max", std::slice::from_ref(&enough));
        self.helpers.push(enough.clone());
        format!("{enough}=1")
    }

    /// Adds running sums over events that enter at their time, and leave when the window has passed them: all of them, or
    /// those of which `leaves` is true. An expression of a sum reads `sigma_edge`, 1 where the event enters and -1 where it
    /// leaves.
    fn edges(&mut self, node: &Node<'_, '_>, leaves: Option<&str>, sums: &[(String, String)]) {
        let both = "split(\"1,-1\", \",\")";
        self.pipe(&match leaves {
            None => format!("eval sigma_edge={both}"),
            Some(leaves) => format!("eval sigma_edge=if({leaves}, {both}, \"1\")"),
        });
        self.pipe("mvexpand sigma_edge");
        self.pipe(&format!("eval sigma_at=if(sigma_edge=1, _time, _time+{})", node.seconds()));
        // What leaves at a time is in the window of the events of that time.
        self.pipe("sort 0 sigma_at, -sigma_edge");
        let columns: Vec<String> = sums
            .iter()
            .map(|(sum, name)| match sum.as_str() {
                "sigma_edge" => format!("sum(sigma_edge) AS {name}"),
                sum => format!("sum(eval({sum})) AS {name}"),
            })
            .collect();
        self.pipe(&format!("streamstats {}{}", columns.join(", "), node.by(&[])));
        self.pipe("where sigma_edge=1");
        let names: Vec<String> = sums.iter().map(|(_, name)| name.clone()).collect();
        self.spread(node, "last", &names);
        for helper in ["sigma_edge", "sigma_at"] {
            if !self.helpers.iter().any(|known| known == helper) {
                self.helpers.push(helper.to_owned());
            }
        }
    }

    /// How many values: a value enters with the first of its events that lie less than a window apart, and leaves with the
    /// last.
    fn distinct(&mut self, node: &Node<'_, '_>, bounds: &[Bound<'_>]) -> Option<String> {
        let (present, value) = self.combined(node)?;
        let (has, name, count) = (node.name("has"), node.name("value"), node.name("count"));
        let seconds = node.seconds();
        self.pipe(&format!("eval {has}=if({present}, 1, 0), {name}=if({present}, {value}, \"-\")"));
        let by = node.by(&[&has, &name]);
        self.sort();
        self.pipe(&format!("streamstats current=f global=f window=1 last(_time) AS sigma_before{by}"));
        self.pipe("reverse");
        self.pipe(&format!("streamstats current=f global=f window=1 last(_time) AS sigma_after{by}"));
        self.pipe(&format!(
            "eval sigma_enters=if({has}=1 AND (isnull(sigma_before) OR _time-sigma_before>{seconds}), 1, 0), \
             sigma_leaves=if({has}=1 AND (isnull(sigma_after) OR sigma_after-_time>{seconds}), 1, 0)"
        ));
        let step = "if(sigma_edge=1, sigma_enters, -1)".to_owned();
        self.edges(node, Some("sigma_leaves=1"), &[(step, count.clone())]);
        let passing = ["sigma_before", "sigma_after", "sigma_enters", "sigma_leaves"].map(str::to_owned);
        // An inner correlation's must not stand where an outer one's are not set.
        self.pipe(&format!("fields - {}", passing.join(", ")));
        self.helpers.push(has);
        Some(within(&count, bounds))
    }

    /// The text of an event's values together, and what is true if it has them all.
    pub(super) fn combined(&mut self, node: &Node<'_, '_>) -> Option<(String, String)> {
        self.composer.assume(Code::AssumeSingleValues);
        let (mut present, mut values) = (Vec::new(), Vec::new());
        for (member, flag) in node.correlation.members.iter().zip(&node.flags) {
            let names: Option<Vec<String>> =
                member.values.iter().map(|field| self.composer.field(field, member.span, &FILTER)).collect();
            let names = names?;
            let all: Vec<String> = names.iter().map(|name| format!("isnotnull({name})")).collect();
            let all = all.join(" AND ");
            present.push((flag.clone(), all));
            values.push((
                flag.clone(),
                match names.as_slice() {
                    [name] => name.clone(),
                    // With its length before it, each is told apart from the next.
                    names => {
                        names.iter().map(|name| format!("len({name}) . \":\" . {name}")).collect::<Vec<_>>().join(" . ")
                    }
                },
            ));
        }
        self.differing(node, &values);
        let value = choice(&values);
        let uniform = present.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let present = if uniform { present.swap_remove(0).1 } else { format!("isnotnull({value})") };
        Some((present, value))
    }

    /// The number of an event, or null.
    pub(super) fn number(&mut self, node: &Node<'_, '_>) -> Option<String> {
        self.composer.assume(Code::AssumeSingleValues);
        let mut values: Vec<(Flag, String)> = Vec::new();
        for (member, flag) in node.correlation.members.iter().zip(&node.flags) {
            let field = member.values.first()?;
            let name = self.composer.field(field, member.span, &FILTER)?;
            values.push((flag.clone(), format!("tonumber({name})")));
        }
        self.differing(node, &values);
        Some(choice(&values))
    }

    /// Warns where the events of inner correlations could have several values.
    fn differing(&mut self, node: &Node<'_, '_>, values: &[(Flag, String)]) {
        let uniform = values.windows(2).all(|pair| pair[0].1 == pair[1].1);
        if !uniform && !node.correlation.members.iter().all(super::rows::is_rule) {
            let message =
                "the values are of another field for each member, and an event of several has that of the first";
            self.composer.approximate(Code::CountedPerRule, node.correlation.kind_span, message);
        }
    }

    fn sum(&mut self, node: &Node<'_, '_>, measure: Measure, bounds: &[Bound<'_>]) -> Option<String> {
        let value = self.number(node)?;
        let (number, many) = (node.name("number"), node.name("numbers"));
        let sum = node.name("sum");
        self.pipe(&format!("eval {number}={value}"));
        let sums = [
            (format!("sigma_edge*{number}"), sum.clone()),
            (format!("if(isnotnull({number}), sigma_edge, 0)"), many.clone()),
        ];
        self.edges(node, None, &sums);
        self.helpers.push(number);
        let measured = if measure == Measure::Average {
            let average = node.name("average");
            self.pipe(&format!("eval {average}={sum}/{many}"));
            average
        } else {
            sum
        };
        Some(format!("{many}>0 AND {}", within(&measured, bounds)))
    }

    /// Least and greatest: whether there is a number beyond each bound.
    fn extreme(&mut self, node: &Node<'_, '_>, measure: Measure, bounds: &[Bound<'_>]) -> Option<String> {
        let value = self.number(node)?;
        let number = node.name("number");
        self.pipe(&format!("eval {number}={value}"));
        let mut kinds: Vec<Flag> = vec![Some(format!("isnotnull({number})"))];
        let names = node.names("last", 1 + 2 * bounds.len());
        let at = |kinds: &mut Vec<Flag>, sign: &str, bound: &Bound<'_>| {
            kinds.push(Some(format!("{number}{sign}{}", groups::number(bound))));
            format!("{}>=_time-{}", names[kinds.len() - 1], node.seconds())
        };
        let (over, from) = if measure == Measure::Maximum { (">", ">=") } else { ("<", "<=") };
        let (beyond, beyond_or_at, before, before_or_at) = match measure {
            Measure::Maximum => (Order::Greater, Order::GreaterOrEqual, Order::Less, Order::LessOrEqual),
            _ => (Order::Less, Order::LessOrEqual, Order::Greater, Order::GreaterOrEqual),
        };
        let mut terms = vec![format!("{}>=_time-{}", names[0], node.seconds())];
        for bound in bounds {
            let said = match bound.order {
                order if order == beyond => at(&mut kinds, over, bound),
                order if order == beyond_or_at => at(&mut kinds, from, bound),
                order if order == before => format!("NOT ({})", at(&mut kinds, from, bound)),
                order if order == before_or_at => format!("NOT ({})", at(&mut kinds, over, bound)),
                _ => {
                    let reached = at(&mut kinds, from, bound);
                    format!("{reached} AND NOT ({})", at(&mut kinds, over, bound))
                }
            };
            terms.push(if bound.negated { format!("NOT ({said})") } else { said });
        }
        let _ = self.present(node, "last", &kinds, true);
        self.helpers.push(number);
        Some(terms.join(" AND "))
    }

    fn percentile(&mut self, node: &Node<'_, '_>, part: f64, bounds: &[Bound<'_>]) -> Option<String> {
        let message = "Splunk takes the value at the nearest rank, and an estimate where there are a thousand or more; its \
                       windows of time hold 10,000 events, without those at their far end";
        self.composer.approximate(Code::EstimatedMeasure, node.correlation.kind_span, message);
        let value = self.number(node)?;
        let (number, measured) = (node.name("number"), node.name("percentile"));
        self.pipe(&format!("eval {number}={value}"));
        self.sort();
        self.pipe(&format!(
            "streamstats time_window={}s {}({number}) AS {measured}{}",
            node.seconds(),
            percentile_function(part),
            node.by(&[])
        ));
        self.spread(node, "last", std::slice::from_ref(&measured));
        self.helpers.push(number);
        Some(within(&measured, bounds))
    }
}

/// The function for a percentile.
pub(super) fn percentile_function(part: f64) -> String {
    if part <= 0.0 {
        "min".to_owned()
    } else if part >= 100.0 {
        "max".to_owned()
    } else {
        format!("perc{part}")
    }
}

/// The least number of events, if that is all that is asked for, and few enough to be counted back.
fn least(bounds: &[Bound<'_>]) -> Option<u64> {
    let [bound] = bounds else { return None };
    let NumberValue::Integer(value) = bound.value.value else { return None };
    let value = match bound.order {
        Order::GreaterOrEqual if !bound.negated => value,
        Order::Greater if !bound.negated => value.checked_add(1)?,
        _ => return None,
    };
    u64::try_from(value).ok().filter(|least| (1..=MOST_EVENTS).contains(least))
}
