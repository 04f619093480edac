//! Fields of events.
//!
//! Invariant: a key that is spelled like the field wins over a path through maps, and a longer key over a shorter one.

use serde_json::Value;

use crate::error::{EvalError, EvalFault};

/// How deep an event may nest. `serde_json` reads no deeper.
const MAX_DEPTH: usize = 128;

/// What an event has under a field.
#[derive(Debug)]
pub(crate) enum Found<'v> {
    /// No such field.
    Absent,
    /// The field is there, with these values: the members of lists, however they nest; none for an empty list.
    Present(Vec<&'v Value>),
}

/// What the event has under the field: the key itself, or a path through maps (and through lists of maps) with keys
/// between the dots.
pub(crate) fn find<'v>(event: &'v Value, field: &str) -> Result<Found<'v>, EvalError> {
    let mut values = Vec::new();
    let present = walk(event, field, MAX_DEPTH, &mut values)?;
    Ok(if present { Found::Present(values) } else { Found::Absent })
}

/// The values that an event has under a field, as [`Matcher`](crate::Matcher) finds them: the members of lists, however
/// they nest. None if the event has no such field, or nests deeper than 128.
#[must_use]
pub fn values<'v>(event: &'v Value, field: &str) -> Option<Vec<&'v Value>> {
    match find(event, field) {
        Ok(Found::Present(values)) => Some(values),
        Ok(Found::Absent) | Err(_) => None,
    }
}

fn walk<'v>(value: &'v Value, path: &str, depth: usize, out: &mut Vec<&'v Value>) -> Result<bool, EvalError> {
    let depth = depth.checked_sub(1).ok_or(EvalError { fault: EvalFault::TooDeep, span: None })?;
    match value {
        Value::Object(map) => {
            if let Some(found) = map.get(path) {
                out.extend(scalars(found, false));
                return Ok(true);
            }
            for (dot, _) in path.rmatch_indices('.') {
                let (key, rest) = (path.get(..dot).unwrap_or(""), path.get(dot + 1..).unwrap_or(""));
                if let Some(inner) = map.get(key)
                    && walk(inner, rest, depth, out)?
                {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Array(items) => {
            let mut present = false;
            for item in items {
                present |= walk(item, path, depth, out)?;
            }
            Ok(present)
        }
        _ => Ok(false),
    }
}

/// Every value that is no list, and with `maps` every value of maps too, in order. Without it a map is one value,
/// which no test but `exists` passes.
pub(crate) fn scalars(value: &Value, maps: bool) -> impl Iterator<Item = &Value> {
    // A stack of its own, so that no depth of nesting is too much.
    let mut open = vec![value];
    std::iter::from_fn(move || {
        loop {
            match open.pop()? {
                Value::Array(items) => open.extend(items.iter().rev()),
                Value::Object(map) if maps => open.extend(map.values().rev()),
                scalar => return Some(scalar),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected`: the values found; none if the field is absent.
    fn check(event: &str, field: &str, expected: Option<&str>) {
        let event: Value = serde_json::from_str(event).expect("JSON");
        let found = match find(&event, field).expect("not deep") {
            Found::Absent => None,
            Found::Present(values) => Some(serde_json::to_string(&values).expect("JSON")),
        };
        assert_eq!(found.as_deref(), expected, "{field} in {event}");
    }

    #[test]
    fn keys_and_paths() {
        check(r#"{"a": 1}"#, "a", Some("[1]"));
        check(r#"{"A": 1}"#, "a", None);
        check(r#"{"a.b": 1, "a": {"b": 2}}"#, "a.b", Some("[1]"));
        check(r#"{"a": {"b": {"c": 2}}}"#, "a.b.c", Some("[2]"));
        check(r#"{"a.b": {"c": 2}}"#, "a.b.c", Some("[2]"));
        check(r#"{"a.b": {"x": 2}, "a": {"b.c": 3}}"#, "a.b.c", Some("[3]"));
        check(r#"{"a": {"b": null}}"#, "a.b", Some("[null]"));
        check(r#"{"a": "b"}"#, "a.b", None);
        check(r#"{"a": [{"b": 1}, {"c": 5}, {"b": [2, [3]]}]}"#, "a.b", Some("[1,2,3]"));
        check(r#"{"a": []}"#, "a", Some("[]"));
        check(r#"{"a": {"b": 1}}"#, "a", Some(r#"[{"b":1}]"#));
        check(r#"[]"#, "a", None);
    }

    #[test]
    fn depth_is_bounded() {
        let mut event = Value::Null;
        for _ in 0..1000 {
            event = Value::Array(vec![event]);
        }
        assert_eq!(find(&event, "a").expect_err("too deep").fault, EvalFault::TooDeep);
        assert_eq!(scalars(&event, true).count(), 1);
    }
}
