//! DuckDB.
//!
//! Source: duckdb.org, "Pattern Matching", "Regular Expressions" (RE2), "Keywords and Identifiers":
//! - a comparison of a number with a column of texts casts these, with an error for what is no number: columns of
//!   numbers are assumed. Text tests of a column of another type are errors;
//! - `LIKE` has no escape unless told so;
//! - names ignore case, also in quotes.

use sigcast_diagnostics::Code;
use sigcast_ir::model::{DataModel, Names};

use super::formats::commented;
use super::sql::correlation::Engine;
use super::sql::{self, SQL, literal};
use crate::correlate::Correlate;
use crate::dialect::{ATOM, Dialect, Emit, Form, Say};
use crate::passes;
use crate::target::{Comment, Language, Target, plain};

/// DuckDB.
pub static TARGET: Target = Target {
    name: "duckdb",
    aliases: &[],
    title: "DuckDB (SQL over a flat table)",
    language: Language::Single(&DUCKDB),
    model: DataModel { names: Names::Caseless, ..sql::MODEL },
    styles: &[],
    options: &["table", "time_field", "time_range", "keyword_columns"],
    formats: &[plain("sql"), commented("sql")],
    comment: Comment::Line("--"),
    open: sql::select,
    scope: |settings| sql::since(settings, &DUCKDB, sql::since_interval),
    scoped: |settings| settings.table.is_some(),
    close: |_| {},
    assumes: sql::assume_table,
    correlate: Correlate::Composed(|composer, correlation| sql::correlation::compose(composer, correlation, &ENGINE)),
};

const ENGINE: Engine = Engine { dialect: &DUCKDB, millis: |time| format!("epoch_ms(CAST({time} AS TIMESTAMP))") };

const REGEX: Emit = Emit {
    form: Form::Call { before: "regexp_matches(", separator: ", ", value: literal::regex, after: ")" },
    strength: ATOM,
    list: None,
    assumes: &[Code::AssumeTextFields],
};

static DUCKDB: Dialect = Dialect {
    name: "DuckDB",
    regex: Say::Lowered(|found, legaliser| sql::regex_as(REGEX, passes::regex::re2, found, legaliser)),
    ..SQL
};
