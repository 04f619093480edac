//! What the commands of statistics measure: functions of the rows of a group, and how commands name them.
//!
//! From the Search Reference, Statistical and charting functions: values are taken for numbers, and what is none is passed
//! by; `count`, `dc`, `values`, `first` and `last` take them for texts; `min` and `max` compare numbers if all are, else
//! texts. `func(eval(…))` is the function of a field that is made so; `count(eval(…))` of a condition counts where it is
//! true. `percX` takes the value at the nearest rank, below a thousand different ones. A sum of no number is null.

use super::event::Event;
use super::expression::Expression;
use super::scan::Scanner;
use super::value::{Item, Value};

/// How many different values a percentile is taken of exactly (`limits.conf`, `perc_digest_type`).
const EXACT: usize = 1_000;

/// A measure with the name of its field.
#[derive(Debug)]
pub(super) struct Measure {
    function: Function,
    of: Of,
    pub(super) name: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Function {
    Count,
    Sum,
    Average,
    Least,
    Greatest,
    Distinct,
    Values,
    First,
    Last,
    Percentile(f64),
}

/// What is measured.
#[derive(Debug)]
enum Of {
    /// The rows themselves.
    Rows,
    Field(String),
    Made(Expression),
}

/// What one row gives to a measure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given(Vec<Item>);

/// Measures, and the fields by which rows are grouped.
#[derive(Debug)]
pub(super) struct Grouped {
    pub(super) measures: Vec<Measure>,
    pub(super) by: Vec<String>,
}

impl Grouped {
    /// Reads `func(field) AS name, … BY field, …`, up to the end.
    pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        let mut measures = Vec::new();
        loop {
            measures.push(Measure::read(scanner)?);
            scanner.skip_blanks();
            let more = scanner.take(",");
            scanner.skip_blanks();
            if scanner.rest().is_empty() && !more {
                return Ok(Self { measures, by: Vec::new() });
            }
            if !more && scanner.word("by") {
                return Ok(Self { measures, by: scanner.names()? });
            }
        }
    }

    /// The values by which a row is grouped; none if it lacks one of them.
    pub(super) fn key(&self, row: &Event) -> Result<Option<Vec<String>>, String> {
        let mut key = Vec::with_capacity(self.by.len());
        for name in &self.by {
            match row.one(name)? {
                Some(value) => key.push(value.to_owned()),
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// What a row gives to each measure.
    pub(super) fn given(&self, row: &Event) -> Result<Vec<Given>, String> {
        self.measures.iter().map(|measure| measure.given(row)).collect()
    }
}

impl Measure {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        scanner.skip_blanks();
        let word = scanner.take_while(|c| c.is_ascii_alphanumeric() || c == '.');
        let function = function(word)?;
        let of = if scanner.take("(") {
            let mut ahead = scanner.clone();
            let made = ahead.word("eval") && ahead.take("(");
            let of = if made {
                *scanner = ahead;
                let made = Expression::read(scanner)?;
                closed(scanner)?;
                Of::Made(made)
            } else {
                Of::Field(scanner.name()?)
            };
            closed(scanner)?;
            of
        } else if function == Function::Count {
            Of::Rows
        } else {
            return Err(format!("{word} of nothing"));
        };
        if !scanner.word("as") {
            return Err(format!("AS was expected: {}", scanner.here()));
        }
        Ok(Self { function, of, name: scanner.name()? })
    }

    fn given(&self, row: &Event) -> Result<Given, String> {
        Ok(Given(match &self.of {
            Of::Rows => vec![Item::Number(1.0)],
            Of::Field(name) => row.values(name).iter().map(|value| Item::Field(value.plain.clone())).collect(),
            Of::Made(made) => match made.of(row) {
                (value, strict) if value != strict => {
                    return Err("a function of several values, of which the documentation does not tell".to_owned());
                }
                (Value::Bool(flag), _) if self.function == Function::Count => {
                    if flag {
                        vec![Item::Number(1.0)]
                    } else {
                        Vec::new()
                    }
                }
                (Value::Bool(_), _) => return Err("a condition is no value".to_owned()),
                (value, _) => value.items().to_vec(),
            },
        }))
    }

    /// The measure of rows, in their order; without values it is null.
    pub(super) fn of<'g>(&self, rows: impl Iterator<Item = &'g Given>) -> Result<Vec<String>, String> {
        let items: Vec<&Item> = rows.flat_map(|given| &given.0).collect();
        let numbers = || -> Vec<f64> { items.iter().filter_map(|item| item.number()).collect() };
        let text = |number: Option<f64>| number.into_iter().map(|number| number.to_string()).collect();
        let whole = |count: usize| vec![count.to_string()];
        let texts = || {
            let mut texts: Vec<String> = items.iter().map(|item| item.text()).collect();
            texts.sort();
            texts.dedup();
            texts
        };
        Ok(match self.function {
            Function::Count => whole(items.len()),
            Function::Distinct => whole(texts().len()),
            Function::Values => texts(),
            Function::First => items.first().map(|item| item.text()).into_iter().collect(),
            Function::Last => items.last().map(|item| item.text()).into_iter().collect(),
            Function::Sum => text(Some(numbers()).filter(|all| !all.is_empty()).map(|all| all.iter().sum())),
            Function::Average => {
                let all = numbers();
                // The cast is exact: fewer rows than 2⁵³.
                text((!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64))
            }
            Function::Least | Function::Greatest if numbers().len() < items.len() => {
                let all = texts();
                let found = if self.function == Function::Least { all.first() } else { all.last() };
                found.cloned().into_iter().collect()
            }
            Function::Least => text(numbers().into_iter().reduce(f64::min)),
            Function::Greatest => text(numbers().into_iter().reduce(f64::max)),
            Function::Percentile(part) => text(percentile(numbers(), part)?),
        })
    }
}

fn function(word: &str) -> Result<Function, String> {
    Ok(match word {
        "count" | "c" => Function::Count,
        "sum" => Function::Sum,
        "avg" | "mean" => Function::Average,
        "min" => Function::Least,
        "max" => Function::Greatest,
        "dc" | "distinct_count" => Function::Distinct,
        "values" => Function::Values,
        "first" => Function::First,
        "last" => Function::Last,
        _ => {
            let part = word.strip_prefix("perc").and_then(|part| part.parse::<f64>().ok());
            let part = part.filter(|part| *part > 0.0 && *part < 100.0);
            Function::Percentile(part.ok_or_else(|| format!("the function {word} is not known here"))?)
        }
    })
}

/// The value at the nearest rank.
fn percentile(mut all: Vec<f64>, part: f64) -> Result<Option<f64>, String> {
    all.sort_by(f64::total_cmp);
    let mut different = all.clone();
    different.dedup();
    if different.len() >= EXACT {
        return Err("a percentile of a thousand values or more is an estimate".to_owned());
    }
    // The casts are of counts far below 2⁵³, and of a rank that is at most such a count.
    let rank = (part / 100.0 * all.len() as f64).ceil() as usize;
    Ok(all.get(rank.saturating_sub(1)).copied())
}

fn closed(scanner: &mut Scanner<'_>) -> Result<(), String> {
    scanner.skip_blanks();
    if scanner.take(")") { Ok(()) } else { Err(format!("a ) was expected: {}", scanner.here())) }
}
