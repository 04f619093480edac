//! Fixed windows: `stats` on the events of each.

use sigcast_diagnostics::Code;
use sigcast_ir::{Correlation, Criterion, Measure, Wanted};

use super::measures::percentile_function;
use super::{Flag, Node, Query, WORDS, within};
use crate::targets::groups;
use crate::targets::splunk::search::SEARCH;
use crate::ways::condition_text;

impl Query<'_, '_> {
    /// Writes the commands of a correlation of rules.
    pub(super) fn tumbling(&mut self, correlation: &Correlation<'_>) -> Option<()> {
        self.composer.approximate(Code::FixedWindows, correlation.kind_span, groups::TUMBLING);
        let flags: Vec<Flag> = correlation
            .members
            .iter()
            .map(|member| match &member.source {
                sigcast_ir::Source::Rule(_) => self.flag(),
                sigcast_ir::Source::Correlation(_) => None,
            })
            .collect();
        let mut node = Node { correlation, number: None, flags, by: Vec::new() };
        let none = vec![0; correlation.members.len()];
        self.keyed(&mut node, &none)?;
        let (mut columns, fulfilled) = match &correlation.criterion {
            Criterion::Measure { measure, bounds } => {
                let (function, name) = self.function(&node, *measure)?;
                (vec![format!("{function} AS {name}")], within(&name, bounds))
            }
            Criterion::Temporal { ordered, wanted } => self.counts(&node, *ordered, wanted),
        };
        columns.extend(["min(sigma_time) AS sigma_first".to_owned(), "max(sigma_time) AS sigma_last".to_owned()]);
        columns.extend(self.context(&node));
        self.pipe("eval sigma_time=_time");
        self.pipe(&format!("bin _time span={}", groups::span(correlation.timespan.seconds)));
        self.pipe(&format!("stats {}{}", columns.join(", "), node.by(&["_time"])));
        self.pipe(&format!("where {fulfilled}"));
        self.pipe("convert ctime(sigma_first) ctime(sigma_last)");
        Some(())
    }

    /// What measures a window, and the name of the column.
    fn function(&mut self, node: &Node<'_, '_>, measure: Measure) -> Option<(String, String)> {
        if measure == Measure::Events {
            return Some(("count".to_owned(), "sigma_count".to_owned()));
        }
        if measure == Measure::Distinct {
            let (present, value) = self.combined(node)?;
            return Some((format!("dc(eval(if({present}, {value}, null())))"), "sigma_count".to_owned()));
        }
        if matches!(measure, Measure::Median | Measure::Percentile(_)) {
            let message =
                "Splunk takes the value at the nearest rank, and an estimate where there are a thousand or more";
            self.composer.approximate(Code::EstimatedMeasure, node.correlation.kind_span, message);
        }
        let value = self.number(node)?;
        let (function, name) = match measure {
            Measure::Events | Measure::Distinct | Measure::Sum => ("sum".to_owned(), "sigma_sum"),
            Measure::Average => ("avg".to_owned(), "sigma_average"),
            Measure::Minimum => ("min".to_owned(), "sigma_minimum"),
            Measure::Maximum => ("max".to_owned(), "sigma_maximum"),
            Measure::Median => ("perc50".to_owned(), "sigma_median"),
            Measure::Percentile(part) => (percentile_function(part), "sigma_percentile"),
        };
        Some((format!("{function}(eval({value}))"), name.to_owned()))
    }

    /// How many events each member has.
    fn counts(&mut self, node: &Node<'_, '_>, ordered: bool, wanted: &Wanted<'_>) -> (Vec<String>, String) {
        if ordered {
            self.composer.approximate(Code::OrderLost, node.correlation.kind_span, groups::UNORDERED);
        }
        let names = node.names("count", node.flags.len());
        let count = |(name, flag): (&String, &Flag)| match flag {
            Some(is) => format!("count(eval({is})) AS {name}"),
            None => format!("count AS {name}"),
        };
        let columns = names.iter().zip(&node.flags).map(count).collect();
        let present: Vec<String> = names.iter().map(|name| format!("{name}>0")).collect();
        let fulfilled = match wanted {
            Wanted::Rules(condition) => condition_text(condition, &present, &WORDS),
            Wanted::Count(bounds) => {
                let ones: Vec<String> = present.iter().map(|is| format!("if({is}, 1, 0)")).collect();
                within(&format!("({})", ones.join("+")), bounds)
            }
        };
        (columns, fulfilled)
    }

    /// The values of the fields that the rules show and test: events are gone behind a `stats`.
    fn context(&mut self, node: &Node<'_, '_>) -> Vec<String> {
        let names = groups::all_shown_or_tested(node.correlation);
        let mut columns: Vec<String> = Vec::new();
        if node.flags.iter().any(Option::is_some) {
            columns.push("values(sigma_rule) AS sigma_rules".to_owned());
        }
        for name in names {
            let writable = (SEARCH.bad_field)(&name).is_none() && !name.starts_with('_');
            let Some(name) =
                writable.then(|| self.composer.field(&sigcast_ir::Field::new(name), node.correlation.span, &SEARCH))
            else {
                continue;
            };
            if let Some(name) = name.filter(|name| !node.by.contains(name)) {
                columns.push(format!("values({name}) AS {name}"));
            }
        }
        columns
    }
}
