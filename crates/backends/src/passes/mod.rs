//! Passes: rewriting of queries, each in its own file, each keeping the meaning.

pub mod blanks;
pub mod case;
pub mod cidr;
pub mod factor;
pub mod guard;
pub mod one_type;
pub mod regex;
pub mod split;

use sigcast_ir::Query;

use crate::dialect::Dialect;

/// Normal form: flattened, without constants, repeated terms once.
#[must_use]
pub fn simplify<'a>(query: Query<'a>, _: &Dialect) -> Query<'a> {
    query.simplify()
}
