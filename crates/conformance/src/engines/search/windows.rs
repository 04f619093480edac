//! What searches say of correlations: windows with their groups, in rows of ES|QL, buckets of an aggregation, or a watch.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sigcast_eval::{BucketFiring, iso8601, milliseconds};

use super::{INDEX, Node, reason};
use crate::engines::{Fault, Found, Request};

/// The most groups that an emitted aggregation asks for at once.
const MOST_GROUPS: usize = 1_000;
/// The condition of every emitted watch: there are groups.
const CONDITION: &str = "return ctx.payload.aggregations.groups.buckets.size() > 0";
/// What Watcher puts the time of a run for.
const SCHEDULED: &str = "{{ctx.trigger.scheduled_time}}";

type Windows = Result<BTreeSet<BucketFiring>, String>;

/// The text of a value of a key.
fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The windows in the rows of ES|QL.
pub(super) fn of_rows(answer: &Value, request: &Request<'_>) -> Windows {
    if let Some(fault) = answer.get("error") {
        return Err(reason(fault).replace('\n', "; "));
    }
    if answer["is_partial"] != false {
        return Err("an answer that is not whole".to_owned());
    }
    let list = |name: &str| answer[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = list("columns").iter().filter_map(|column| column["name"].as_str()).collect();
    let at = |name: &str| names.iter().position(|own| *own == name);
    let start = at("sigma_window").ok_or("rows without a window")?;
    let keys: Option<Vec<usize>> = request.keys.iter().map(|names| names.iter().find_map(|name| at(name))).collect();
    let keys = keys.ok_or_else(|| format!("rows without a key: {}", names.join(", ")))?;
    let window = |row: &Value| {
        let start = milliseconds(&row[start])?;
        Some(BucketFiring { start, keys: keys.iter().map(|at| key(&row[*at])).collect::<Option<_>>()? })
    };
    list("values").iter().map(|row| window(row).ok_or_else(|| format!("a row without a group: {row}"))).collect()
}

/// The windows in the buckets of a composite aggregation.
pub(super) fn of_buckets(answer: &Value, request: &Request<'_>) -> Windows {
    let window = |bucket: &Value| {
        let own = &bucket["key"];
        let one = |names: &Vec<String>| names.iter().find_map(|name| key(own.get(name)?));
        Some(BucketFiring {
            start: own["window"].as_i64()?,
            keys: request.keys.iter().map(one).collect::<Option<_>>()?,
        })
    };
    let buckets = buckets(answer)?;
    buckets.iter().map(|own| window(own).ok_or_else(|| format!("a bucket without a group: {}", own["key"]))).collect()
}

/// The buckets of the groups.
fn buckets(answer: &Value) -> Result<&[Value], String> {
    if let Some(fault) = answer.get("error") {
        return Err(reason(fault));
    }
    if answer["timed_out"] != false || answer["_shards"]["failed"] != 0 {
        return Err(format!("an answer that is not whole: {}", answer["_shards"]));
    }
    let found = answer.pointer("/aggregations/groups/buckets").and_then(Value::as_array);
    let found = found.ok_or("an answer without groups")?;
    if found.len() >= MOST_GROUPS { Err("more groups than are asked for at once".to_owned()) } else { Ok(found) }
}

impl Node {
    /// The windows that the runs of a watch find: one at the end of each window that has events.
    pub(super) fn watched(&self, request: &Request<'_>) -> Result<Result<Found, String>, Fault> {
        let watch: Value = serde_json::from_str(request.query).map_err(|fault| Fault::new("reading a watch", fault))?;
        if watch["condition"] != json!({"script": {"lang": "painless", "source": CONDITION}}) {
            return Ok(Err(format!("a condition that is not known here: {}", watch["condition"])));
        }
        let Some(body) = watch.pointer("/input/search/request/body").map(Value::to_string) else {
            return Ok(Err("a watch without a search".to_owned()));
        };
        let starts: BTreeSet<i64> =
            self.times.iter().map(|time| time.div_euclid(request.span) * request.span).collect();
        let mut found = BTreeSet::new();
        for start in starts {
            let body = body.replace(SCHEDULED, &iso8601(start + request.span));
            let answer = self.call("POST", &format!("{INDEX}/_search"), &body)?;
            match groups(&answer, request.keys.len()) {
                Ok(groups) => found.extend(groups.into_iter().map(|keys| BucketFiring { start, keys })),
                Err(fault) => return Ok(Err(fault)),
            }
        }
        Ok(Ok(Found::Windows(found)))
    }
}

/// The keys of the groups that a watch finds.
fn groups(answer: &Value, keys: usize) -> Result<Vec<Vec<String>>, String> {
    let one = |bucket: &Value| {
        let found: Option<Vec<String>> = match (&bucket["key"], keys) {
            (_, 0) => Some(Vec::new()),
            (Value::Array(all), _) => all.iter().map(key).collect(),
            (own, _) => key(own).map(|own| vec![own]),
        };
        found.filter(|found| found.len() == keys).ok_or_else(|| format!("a bucket without a group: {bucket}"))
    };
    buckets(answer)?.iter().map(one).collect()
}
