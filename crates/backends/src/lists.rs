//! Values of one field in a list: `f in (a, b)` for `f = a or f = b`.
//!
//! Only neighbours are joined, so the order of the rule stays.

use sigcast_ir::Expr;

use crate::dialect::{Dialect, List};
use crate::options::Settings;
use crate::say::{Leaf, Said};

/// The query with neighbouring leaves of one field joined to lists, where the language has them.
pub fn join<'a>(said: Said<'a>, dialect: &Dialect, settings: &Settings) -> Said<'a> {
    match said {
        Expr::And(terms) => shrink(group(terms, true, dialect, settings), Expr::And),
        Expr::Or(terms) => shrink(group(terms, false, dialect, settings), Expr::Or),
        Expr::Not(inner) => Expr::negate(join(*inner, dialect, settings)),
        other => other,
    }
}

/// A junction of one term is that term.
fn shrink<'a>(mut terms: Vec<Said<'a>>, junction: fn(Vec<Said<'a>>) -> Said<'a>) -> Said<'a> {
    if terms.len() == 1 { terms.swap_remove(0) } else { junction(terms) }
}

fn group<'a>(terms: Vec<Said<'a>>, all: bool, dialect: &Dialect, settings: &Settings) -> Vec<Said<'a>> {
    let mut out: Vec<Said<'a>> = Vec::with_capacity(terms.len());
    for term in terms {
        let term = join(term, dialect, settings);
        match (out.last_mut(), term) {
            (Some(Expr::Match(last)), Expr::Match(next)) if joins(last, &next, all, dialect, settings) => {
                last.all = all;
                last.matches.extend(next.matches);
                last.others.push(next.emit);
            }
            (_, term) => out.push(term),
        }
    }
    out
}

/// Whether `next`, a single leaf, can stand in a list with `last`.
fn joins(last: &Leaf<'_>, next: &Leaf<'_>, all: bool, dialect: &Dialect, settings: &Settings) -> bool {
    let (Some(list), Some(other)) = (last.emit.list, next.emit.list) else { return false };
    let ([first, rest @ ..], [added]) = (last.matches.as_slice(), next.matches.as_slice()) else { return false };
    list.name == other.name
        && has(list, all)
        && (rest.is_empty() || last.all == all)
        && first.subject == added.subject
        && (dialect.variant)(settings, &first.test) == (dialect.variant)(settings, &added.test)
}

fn has(list: &List, all: bool) -> bool {
    if all { list.all.is_some() } else { list.any.is_some() }
}

#[cfg(test)]
mod tests {
    use sigcast_diagnostics::{SourceId, Span};
    use sigcast_ir::{Case, Field, Match, Number, NumberValue, Order, Pattern, Subject, Test};

    use super::*;
    use crate::say::Legaliser;
    use crate::target::Language;
    use crate::write::Writer;

    #[test]
    fn each_value_of_a_list_is_written_in_its_own_way() {
        let Language::Single(dialect) = crate::targets::find("lucene").expect("a target").language else {
            panic!("one dialect")
        };
        let leaf = |test| {
            let subject = Subject::Field(Field::new("f"));
            Expr::Match(Match { subject, test, span: Span::new(SourceId(0), 0, 0) })
        };
        let text = Test::Text { pattern: Pattern::exact("a b").open(false, true), case: Case::Insensitive };
        let number = Number { text: "5".into(), value: NumberValue::Integer(5) };
        let query = Expr::Or(vec![
            leaf(Test::Number { order: Order::Equal, value: number }),
            leaf(text),
            leaf(Test::Bool(true)),
        ]);
        let settings = Settings::default();
        let said = Legaliser::new(dialect, &settings).query(&query).expect("legal");
        let mut writer = Writer::new(dialect, &settings);
        writer.query(&join(said, dialect, &settings));
        assert_eq!(writer.out, r"f:(5 OR a\ b* OR true)");
    }
}
