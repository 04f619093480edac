//! PostgreSQL.
//!
//! Source: PostgreSQL documentation, "Pattern Matching", "Network Address Functions and Operators", "String Constants":
//! - a comparison with a column of another type is an error, never a wrong answer;
//! - `LIKE` takes a backslash for its escape unless told otherwise. In texts it is itself
//!   (`standard_conforming_strings`, on since version 9.1);
//! - names are cut at 63 bytes: longer ones are refused;
//! - networks are patterns on columns of text, or with `-O cidr=native` the operator of columns of type `inet`. One
//!   query cannot say both, since the other type is an error.

use sigcast_diagnostics::Code;
use sigcast_ir::{Match, Test};

use super::formats::commented;
use super::sql::correlation::Engine;
use super::sql::{self, SQL, literal};
use crate::correlate::Correlate;
use crate::dialect::{Dialect, Emit, Say};
use crate::options::CidrMode;
use crate::passes::{self, cidr};
use crate::say::{Legaliser, Refusal, Said};
use crate::target::{Comment, Language, Target, plain};
use crate::write::Writer;

/// PostgreSQL.
pub static TARGET: Target = Target {
    name: "postgres",
    aliases: &["postgresql"],
    title: "PostgreSQL (SQL over a flat table)",
    language: Language::Single(&POSTGRES),
    model: sql::MODEL,
    styles: &[],
    options: &["table", "time_field", "time_range", "keyword_columns", "cidr"],
    formats: &[plain("sql"), commented("sql")],
    comment: Comment::Line("--"),
    open: sql::select,
    scope: |settings| sql::since(settings, &POSTGRES, sql::since_interval),
    scoped: |settings| settings.table.is_some(),
    close: |_| {},
    assumes: sql::assume_table,
    correlate: Correlate::Composed(|composer, correlation| sql::correlation::compose(composer, correlation, &ENGINE)),
};

const ENGINE: Engine = Engine {
    dialect: &POSTGRES,
    millis: |time| format!("CAST(EXTRACT(EPOCH FROM CAST({time} AS TIMESTAMPTZ)) * 1000 AS BIGINT)"),
};

const REGEX: Emit = Emit::infix(" ~ ", literal::regex).assuming(&[Code::AssumeTextFields]);
const NETWORK: Emit = Emit::infix(" <<= ", inet).assuming(&[Code::AssumeAddress]);

/// The longest name, in bytes (NAMEDATALEN - 1).
const LONGEST_NAME: usize = 63;

static POSTGRES: Dialect = Dialect {
    name: "PostgreSQL",
    bad_field: |name| {
        let long = name.len() > LONGEST_NAME;
        if long { Some("a name has 63 bytes at most: longer ones are cut") } else { literal::bad_name(name) }
    },
    regex: Say::Lowered(|found, legaliser| sql::regex_as(REGEX, passes::regex::postgres, found, legaliser)),
    network_v4: Say::Lowered(network),
    network_v6: Say::Lowered(network),
    ..SQL
};

fn network<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    match legaliser.settings.cidr {
        CidrMode::Native => Ok(legaliser.write(NETWORK, found)),
        CidrMode::Auto | CidrMode::Expand => cidr::expand(found, legaliser),
    }
}

fn inet(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Network(network) = test {
        writer.format(format_args!("inet '{}'", network.trunc()));
    }
}
