//! Windows over rows: those that end with each row, and fixed ones.
//!
//! Invariant: what leaves a window at a time is still in the windows of the rows of that time, and what enters at a time is
//! in those of all of them.

use super::SHOWN;
use super::rows::Rows;
use crate::targets::groups;

impl Rows {
    /// Makes one row of the events of each group and time, with these columns beside the number of events.
    pub(super) fn instants(&mut self, columns: &[(String, String)]) {
        let by = self.by(&self.time.clone());
        self.summarize(columns, &by);
    }

    /// Makes one row of the events of each group and fixed window.
    pub(super) fn fixed(&mut self, span: &str, columns: &[(String, String)]) {
        let time = self.time.clone();
        let ends = [("sigma_first", "min"), ("sigma_last", "max")];
        let mut all = columns.to_vec();
        all.extend(ends.map(|(name, function)| (name.to_owned(), format!("{function}({time})"))));
        let by = self.by(&format!("bin({time}, {span})"));
        self.summarize(&all, &by);
    }

    fn by(&self, time: &str) -> String {
        self.keys.iter().map(String::as_str).chain([time]).collect::<Vec<_>>().join(", ")
    }

    fn summarize(&mut self, columns: &[(String, String)], by: &str) {
        let events = ("sigma_events".to_owned(), self.events.to_owned());
        let all: Vec<String> = columns
            .iter()
            .chain([&events])
            .chain(&self.context)
            .map(|(name, call)| format!("{name} = {call}"))
            .collect();
        self.pipe(format!("summarize\n    {}\n    by {by}", all.join(",\n    ")));
    }

    /// Sorts rows by group and time.
    pub(super) fn sort(&mut self) {
        let by: Vec<String> = self.keys.iter().chain([&self.time]).map(|name| format!("{name} asc")).collect();
        self.pipe(format!("sort by {}", by.join(", ")));
    }

    /// Whether the row before (or `next`) is of another group, for the places where that starts a sum anew.
    fn restart(&self) -> String {
        let other: Vec<String> = self.keys.iter().map(|key| format!("{key} != prev({key})")).collect();
        if other.is_empty() { String::new() } else { format!(", {}", other.join(" or ")) }
    }

    /// The value that `scan` carries from the row before, if that is of the same group.
    pub(super) fn carried(&self, column: &str) -> String {
        let same: Vec<String> = self.keys.iter().map(|key| format!("{key} == s.{key}")).collect();
        if same.is_empty() {
            format!("s.{column}")
        } else {
            format!("iff({}, s.{column}, datetime(null))", same.join(" and "))
        }
    }

    /// Has columns of numbers say the sum over the window that ends with each row.
    pub(super) fn slide(&mut self, seconds: u64, columns: &[String]) {
        let sums: Vec<(String, String)> =
            columns.iter().map(|name| (name.clone(), format!("sigma_edge * {name}"))).collect();
        self.edges("dynamic([1, -1])", seconds, &sums);
    }

    fn edges(&mut self, edges: &str, seconds: u64, sums: &[(String, String)]) {
        let time = self.time.clone();
        self.pipe(format!("mv-expand sigma_edge = {edges} to typeof(long)"));
        self.pipe(format!("extend sigma_at = iff(sigma_edge == 1, {time}, {time} + {})", groups::span(seconds)));
        let keys: String = self.keys.iter().map(|name| format!("{name} asc, ")).collect();
        self.pipe(format!("sort by {keys}sigma_at asc, sigma_edge desc"));
        let restart = self.restart();
        let sums: Vec<String> = sums.iter().map(|(name, sum)| format!("{name} = row_cumsum({sum}{restart})")).collect();
        self.pipe(format!("extend {}", sums.join(", ")));
        self.pipe("where sigma_edge == 1");
        self.pipe("project-away sigma_edge, sigma_at");
    }

    /// Counts the values in the window that ends with each row: a value enters with the first of its events that lie no
    /// more than a window apart, and leaves with the last.
    pub(super) fn distinct(&mut self, seconds: u64, fulfilled: &str) {
        let (time, span) = (self.time.clone(), groups::span(seconds));
        let by: String = self.keys.iter().map(|name| format!("{name} asc, ")).collect();
        self.pipe(format!("sort by {by}sigma_value asc, {time} asc"));
        let same = |other: &str| -> String {
            let keys = self.keys.iter().map(String::as_str).chain(["sigma_value"]);
            keys.map(|key| format!("{key} == {other}({key})")).collect::<Vec<_>>().join(" and ")
        };
        let (before, after) = (same("prev"), same("next"));
        self.pipe(format!(
            "extend\n    sigma_before = coalesce({before} and {time} - prev({time}) <= {span}, false),\n    \
             sigma_after = coalesce({after} and next({time}) - {time} <= {span}, false)"
        ));
        self.pipe(
            "extend sigma_enters = iff(isempty(sigma_value) or sigma_before, 0, 1), sigma_leaves = \
             isnotempty(sigma_value) and not(sigma_after)",
        );
        let step = ("sigma_count".to_owned(), "iff(sigma_edge == 1, sigma_enters, -1)".to_owned());
        self.edges("iff(sigma_leaves, dynamic([1, -1]), dynamic([1]))", seconds, &[step]);
        let columns = [
            ("sigma_count".to_owned(), "max(sigma_count)".to_owned()),
            ("sigma_values".to_owned(), format!("make_set(sigma_value, {SHOWN})")),
        ];
        self.instants(&columns);
        self.pipe(format!("where {fulfilled}"));
    }
}
