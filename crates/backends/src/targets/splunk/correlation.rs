//! Correlations in Splunk: commands that add columns to the events of all rules, by which a correlation fires at an event.
//!
//! The events of several rules come from a `multisearch`, each with the name of its rule: a search of its own keeps each
//! rule's index and time range, and says what `where` could not. One search does where no rule need be told from another.
//! A correlation of correlations reads the columns of the inner ones, so events stay events with all of their fields.
//!
//! Windows are made without `time_window`, whose far end is open where Sigma's is not, and which holds 10,000 events:
//! - events are counted back: the n-th last of a group lies in the window (`streamstats window=n`);
//! - sums, and counts that are shown as they are, come of events that enter at their time and leave when the window has
//!   passed them, in one running sum;
//! - whether there is some event is asked of the time of the last such one; an order of rules is a chain of those.
//!
//! Events of one time see each other: `eventstats` by the time gives each what the last of them has.
//!
//! Fixed windows (`window=tumbling`) are in [`tumbling`]. Keys are compared minding case, as `BY` does.
//!
//! Source: Splunk Search Reference, "streamstats", "eventstats", "multisearch", "mvexpand", "sort", "dedup", "stats",
//! "Statistical and charting functions"; Admin Manual, "limits.conf" (`max_stream_window`, `max_mem_usage_mb`).

mod measures;
mod rows;
#[cfg(test)]
mod tests;
mod tumbling;

use sigcast_diagnostics::Code;
use sigcast_ir::{Bound, Correlation, Criterion, KeyField, Rule, Source, Wanted};

use super::filter::FILTER;
use crate::correlate::Composer;
use crate::options::WindowMode;
use crate::targets::groups;
use crate::ways::{Words, condition_text, ways_in_order};

/// How conditions over members are written.
const WORDS: Words = Words { and: " AND ", or: " OR ", not: "NOT ", always_grouped: true };

/// Writes the query of a correlation.
pub(super) fn compose(composer: &mut Composer<'_>, correlation: &Correlation<'_>) -> Option<String> {
    if composer.settings().style.is_some() {
        composer.refuse(correlation.kind_span, "the older forms of its output have none");
        return None;
    }
    composer.assume(Code::AssumeWithinLimit);
    let alone = correlation.members.iter().all(|member| matches!(member.source, Source::Rule(_)));
    let tumbling = composer.settings().window == WindowMode::Tumbling;
    if tumbling && !alone {
        composer.refuse(correlation.kind_span, groups::TUMBLING_INSIDE);
        return None;
    }
    let mut query =
        Query { composer, out: String::new(), alone, flags: Vec::new(), met: 0, numbers: 0, helpers: Vec::new() };
    query.rows(correlation)?;
    if tumbling {
        query.tumbling(correlation)?;
    } else {
        let fires = query.correlation(correlation, true)?;
        query.pipe(&format!("where {fires}"));
        if !query.helpers.is_empty() {
            let helpers = query.helpers.join(", ");
            query.pipe(&format!("fields - {helpers}"));
        }
    }
    Some(query.out)
}

/// A query as it is written, one command after another.
struct Query<'q, 'c> {
    composer: &'q mut Composer<'c>,
    out: String,
    /// Whether there is one correlation, of rules.
    alone: bool,
    /// What tells the events of each rule: of the rules as they come in the correlation, one that comes again included.
    flags: Vec<Flag>,
    /// How many of those rules have been met.
    met: usize,
    /// How many correlations have been met.
    numbers: usize,
    /// Columns that nobody wants to see.
    helpers: Vec<String>,
}

/// What is true of an event of a member; nothing if it is true of each.
type Flag = Option<String>;

/// A correlation among the others of the query.
struct Node<'n, 'a> {
    correlation: &'n Correlation<'a>,
    /// Its number, by which its columns are named where there are several.
    number: Option<usize>,
    /// What tells the events of each member.
    flags: Vec<Flag>,
    /// The columns by which events are grouped: as commands name them.
    by: Vec<String>,
}

impl Node<'_, '_> {
    /// The name of a column.
    fn name(&self, what: &str) -> String {
        match self.number {
            Some(number) => format!("sigma_{what}_{number}"),
            None => format!("sigma_{what}"),
        }
    }

    /// The names of so many columns.
    fn names(&self, what: &str, many: usize) -> Vec<String> {
        (1..=many).map(|at| format!("{}_{at}", self.name(what))).collect()
    }

    /// The clause that groups, with columns before those of the keys.
    fn by(&self, more: &[&str]) -> String {
        let all: Vec<&str> = more.iter().copied().chain(self.by.iter().map(String::as_str)).collect();
        if all.is_empty() { String::new() } else { format!(" BY {}", all.join(", ")) }
    }

    /// How long the window is, in seconds.
    fn seconds(&self) -> u64 {
        self.correlation.timespan.seconds
    }
}

impl Query<'_, '_> {
    fn pipe(&mut self, command: &str) {
        self.out.push_str("\n| ");
        self.out.push_str(command);
    }

    /// Writes the commands of a correlation and of those inside it; what is true of an event at which it fires.
    fn correlation(&mut self, correlation: &Correlation<'_>, outermost: bool) -> Option<String> {
        let mut flags = Vec::with_capacity(correlation.members.len());
        let mut inner = Vec::with_capacity(correlation.members.len());
        for member in &correlation.members {
            match &member.source {
                Source::Rule(_) => {
                    flags.push(self.flag());
                    inner.push(0);
                }
                Source::Correlation(other) => {
                    flags.push(Some(self.correlation(other, false)?));
                    inner.push(self.numbers);
                }
            }
        }
        self.numbers += 1;
        let number = (!self.alone).then_some(self.numbers);
        let mut node = Node { correlation, number, flags, by: Vec::new() };
        self.keyed(&mut node, &inner)?;
        let fulfilled = match &correlation.criterion {
            Criterion::Measure { measure, bounds } => self.measure(&node, *measure, bounds)?,
            Criterion::Temporal { ordered: false, wanted } => self.temporal(&node, wanted),
            Criterion::Temporal { ordered: true, wanted } => self.ordered(&node, wanted)?,
        };
        let Some(number) = number else { return Some(fulfilled) };
        let fires = format!("sigma_in_{number}=1 AND {fulfilled}");
        if outermost {
            return Some(fires);
        }
        self.pipe(&format!("eval sigma_fires_{number}=if({fires}, 1, 0)"));
        Some(format!("sigma_fires_{number}=1"))
    }

    /// Adds the keys of a correlation, and drops or marks the events that lack one.
    fn keyed(&mut self, node: &mut Node<'_, '_>, inner: &[usize]) -> Option<()> {
        let members = &node.correlation.members;
        let uniform = members.iter().all(|member| member.keys == members[0].keys)
            && members[0].keys.iter().all(|key| matches!(key, KeyField::Field(_)));
        if !node.correlation.keys.is_empty() {
            self.composer.assume(Code::AssumeSingleValues);
        }
        if self.alone && uniform {
            let mut present = Vec::new();
            for key in &members[0].keys {
                let KeyField::Field(field) = key else { continue };
                node.by.push(self.composer.field(field, members[0].span, &super::search::SEARCH)?);
                present.push(format!("isnotnull({})", self.composer.field(field, members[0].span, &FILTER)?));
            }
            if !present.is_empty() {
                self.pipe(&format!("where {}", present.join(" AND ")));
            }
            return Some(());
        }
        self.same_rules_same_keys(node, uniform)?;
        let names = node.names("key", node.correlation.keys.len());
        for (at, name) in names.iter().enumerate() {
            let mut cases = Vec::new();
            for ((member, flag), inner) in members.iter().zip(&node.flags).zip(inner) {
                let value = match member.keys.get(at)? {
                    KeyField::Field(field) => self.composer.field(field, member.span, &FILTER)?,
                    KeyField::Inner(key) => format!("sigma_key_{inner}_{}", key + 1),
                };
                cases.push((flag.clone(), value));
            }
            self.pipe(&format!("eval {name}={}", choice(&cases)));
        }
        let mut present: Vec<String> = names.iter().map(|name| format!("isnotnull({name})")).collect();
        if self.alone {
            self.pipe(&format!("where {}", present.join(" AND ")));
        } else {
            if node.flags.iter().all(Option::is_some) {
                present.insert(0, any(&node.flags));
            } else if present.is_empty() {
                present.push("true()".to_owned());
            }
            let within = node.name("in");
            let filled: String = names.iter().map(|name| format!(", {name}=coalesce({name}, \"-\")")).collect();
            self.pipe(&format!("eval {within}=if({}, 1, 0){filled}", present.join(" AND ")));
            node.by.push(within);
        }
        node.by.extend(names);
        Some(())
    }

    /// Refuses what would need an event in two groups: a rule that is under several members, with other keys for each.
    fn same_rules_same_keys(&mut self, node: &Node<'_, '_>, uniform: bool) -> Option<()> {
        let mut seen: Vec<&Rule<'_>> = Vec::new();
        for member in &node.correlation.members {
            let mut own = Vec::new();
            match &member.source {
                Source::Rule(rule) => own.push(rule.as_ref()),
                Source::Correlation(inner) => own.extend(inner.rules()),
            }
            if !uniform && own.iter().any(|rule| seen.iter().any(|known| known.is_same(rule))) {
                let reason = "an event of a rule that is under several of its members would be in several groups";
                self.composer.refuse(member.span, reason);
                return None;
            }
            seen.extend(own);
        }
        Some(())
    }

    /// Sorts events by their time.
    fn sort(&mut self) {
        self.pipe("sort 0 _time");
    }

    /// Gives all events of one time what `function` makes of their columns.
    fn spread(&mut self, node: &Node<'_, '_>, function: &str, columns: &[String]) {
        let all: Vec<String> = columns.iter().map(|column| format!("{function}({column}) AS {column}")).collect();
        self.pipe(&format!("eventstats {}{}", all.join(", "), node.by(&["_time"])));
    }

    /// Adds the last time of an event of each kind; what is true where it lies in the window. With `all`, there must be an
    /// answer where there never was such an event.
    fn present(&mut self, node: &Node<'_, '_>, what: &str, kinds: &[Flag], all: bool) -> Vec<String> {
        let names = node.names(what, kinds.len());
        let last = |(name, kind): (&String, &Flag)| match kind {
            Some(is) => format!("max(eval(if({is}, _time, null()))) AS {name}"),
            None => format!("max(_time) AS {name}"),
        };
        let columns: Vec<String> = names.iter().zip(kinds).map(last).collect();
        self.sort();
        self.pipe(&format!("streamstats {}{}", columns.join(", "), node.by(&[])));
        self.spread(node, "max", &names);
        if all {
            self.pipe(&format!("fillnull value=0 {}", names.join(" ")));
        }
        names.iter().map(|name| format!("{name}>=_time-{}", node.seconds())).collect()
    }

    fn temporal(&mut self, node: &Node<'_, '_>, wanted: &Wanted<'_>) -> String {
        let plain = node.correlation.criterion.wants_all(node.flags.len());
        let present = self.present(node, "last", &node.flags, !plain);
        match wanted {
            Wanted::Rules(condition) => condition_text(condition, &present, &WORDS),
            Wanted::Count(bounds) => {
                let name = node.name("rules");
                let ones: Vec<String> = present.iter().map(|is| format!("if({is}, 1, 0)")).collect();
                self.pipe(&format!("eval {name}={}", ones.join("+")));
                within(&name, bounds)
            }
        }
    }

    /// Adds the latest start of each chain of members in order; what is true if one of them started in the window.
    fn ordered(&mut self, node: &Node<'_, '_>, wanted: &Wanted<'_>) -> Option<String> {
        let ways = ways_in_order(self.composer, node.correlation.kind_span, wanted, node.flags.len())?;
        let absent = if ways.iter().any(|way| !way.absent.is_empty()) {
            self.present(node, "last", &node.flags, true)
        } else {
            self.sort();
            Vec::new()
        };
        let name = |way: usize, link: usize| match ways.len() {
            1 => format!("{}_{}", node.name("chain"), link + 1),
            _ => format!("{}_{}_{}", node.name("chain"), way + 1, link + 1),
        };
        let longest = ways.iter().map(|way| way.chain.len()).max().unwrap_or(0);
        for link in 0..longest {
            let (mut columns, mut names) = (Vec::new(), Vec::new());
            for (at, way) in ways.iter().enumerate() {
                let Some(flag) = way.chain.get(link).and_then(|member| node.flags.get(*member)) else { continue };
                let start = if link == 0 { "_time".to_owned() } else { name(at, link - 1) };
                columns.push(match flag {
                    Some(is) => format!("max(eval(if({is}, {start}, null()))) AS {}", name(at, link)),
                    None => format!("max({start}) AS {}", name(at, link)),
                });
                names.push(name(at, link));
            }
            self.pipe(&format!("streamstats {}{}", columns.join(", "), node.by(&[])));
            self.spread(node, "max", &names);
        }
        let mut alternatives = Vec::new();
        for (at, way) in ways.iter().enumerate() {
            let mut terms: Vec<String> = Vec::new();
            if let Some(last) = way.chain.len().checked_sub(1) {
                terms.push(format!("{}>=_time-{}", name(at, last), node.seconds()));
            }
            terms.extend(way.absent.iter().filter_map(|member| absent.get(*member)).map(|is| format!("NOT ({is})")));
            alternatives.push(if terms.is_empty() { "true()".to_owned() } else { terms.join(" AND ") });
        }
        Some(if let [only] = alternatives.as_slice() {
            only.clone()
        } else {
            let groups: Vec<String> = alternatives.iter().map(|way| format!("({way})")).collect();
            format!("({})", groups.join(" OR "))
        })
    }
}

/// Whether any of these is true, in a group if there are several.
fn any(flags: &[Flag]) -> String {
    let all: Option<Vec<String>> = flags.iter().cloned().collect();
    match all {
        None => "true()".to_owned(),
        Some(mut flags) => {
            flags.dedup();
            if flags.len() == 1 { flags.concat() } else { format!("({})", flags.join(" OR ")) }
        }
    }
}

/// The value of the first case that is true.
fn choice(cases: &[(Flag, String)]) -> String {
    match cases {
        [(None, value), ..] => value.clone(),
        cases if cases.windows(2).all(|pair| pair[0].1 == pair[1].1) => {
            cases.first().map(|(_, value)| value.clone()).unwrap_or_default()
        }
        cases => {
            let each: Vec<String> =
                cases.iter().map(|(flag, value)| format!("{}, {value}", flag.as_deref().unwrap_or("true()"))).collect();
            format!("case({})", each.join(", "))
        }
    }
}

/// What is true of a number within bounds.
fn within(number: &str, bounds: &[Bound<'_>]) -> String {
    let bound = |bound: &Bound<'_>| {
        let sign = if bound.negated { "!=" } else { bound.order.sign() };
        format!("{number}{sign}{}", groups::number(bound))
    };
    bounds.iter().map(bound).collect::<Vec<_>>().join(" AND ")
}
