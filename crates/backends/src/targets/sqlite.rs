//! SQLite.
//!
//! Source: sqlite.org, "SQL Language Expressions", "Datatypes In SQLite", "Built-In Scalar SQL Functions", "Date And Time
//! Functions":
//! - names stand in backquotes, which SQLite takes too: a name in `"…"` that no column has would be read as a text, and
//!   a query with a misspelt field would silently find nothing;
//! - `LIKE` and `lower` fold ASCII letters only; `GLOB` minds case and knows brackets, which say all cases of a letter.
//!   All three take numbers by their text, and no declared collation reaches them;
//! - a column may hold values of any type. A number is looked for as a number and as the text that spells it, so that
//!   it is found under any declared type;
//! - text sorts behind every number. A comparison with `CAST(5 AS NUMERIC)` takes text that spells a number for that
//!   number, and other text stays text: what it must not pass is cut off by infinity, `9e999`;
//! - there is no type for booleans: they are the numbers 1 and 0, or texts;
//! - there are no regular expressions but those of a function that the application brings (`-O regexp=function`); the
//!   shell's own has another syntax. Without it, expressions that are small sets of patterns become these.

use sigcast_diagnostics::Code;
use sigcast_ir::model::{DataModel, Names};
use sigcast_ir::{Affix, Case, Expr, Match, Pattern, Shape, Test, TimePart};

use super::formats::commented;
use super::sql::correlation::Engine;
use super::sql::{self, EQUALS, PRESENT, SQL, TEXTS, VALUES, literal};
use crate::correlate::Correlate;
use crate::dialect::{ATOM, Dialect, Emit, Form, Say, TextSays};
use crate::options::RegexpMode;
use crate::passes::regex::{self, PatternLimits};
use crate::passes::simplify;
use crate::say::{Legaliser, Refusal, Said};
use crate::target::{Comment, Language, Target, plain};
use crate::write::{Writer, number_of};

/// SQLite.
pub static TARGET: Target = Target {
    name: "sqlite",
    aliases: &[],
    title: "SQLite (SQL over a flat table)",
    language: Language::Single(&SQLITE),
    model: DataModel { names: Names::Caseless, ..sql::MODEL },
    styles: &[],
    options: &["table", "time_field", "time_range", "keyword_columns", "regexp"],
    formats: &[plain("sql"), commented("sql")],
    comment: Comment::Line("--"),
    open: sql::select,
    scope: |settings| sql::since(settings, &SQLITE, since),
    scoped: |settings| settings.table.is_some(),
    close: |_| {},
    assumes: sql::assume_table,
    correlate: Correlate::Composed(|composer, correlation| sql::correlation::compose(composer, correlation, &ENGINE)),
};

/// SQLite keeps times as milliseconds, of which a Julian day is exact to a twentieth: rounded, it is the same number again.
/// `%s` and `%f` do not agree on the last half millisecond of a minute, and other ways are of later versions.
const ENGINE: Engine = Engine {
    dialect: &SQLITE,
    millis: |time| format!("CAST(ROUND((julianday({time}) - 2440587.5) * 86400000) AS INTEGER)"),
};

const LIKE: Emit = Emit::infix(" LIKE ", literal::like_plain);
const GLOB: Emit = Emit::infix(" GLOB ", glob);
const REGEXP: Emit = Emit::infix(" REGEXP ", literal::regex).assuming(&[Code::AssumeRegexpFunction]);
const NUMBER: Emit = Emit {
    form: Form::Call { before: "", separator: " IN (", value: number, after: ")" },
    strength: ATOM,
    list: Some(&VALUES),
    assumes: &[Code::AssumeNumeric],
};
const COMPARE: Emit = Emit::whole(compare).assuming(&[Code::AssumeNumeric]);
const BOOLEAN: Emit = Emit {
    form: Form::Call { before: "lower(", separator: ") IN (", value: boolean, after: ")" },
    strength: ATOM,
    list: Some(&TEXTS),
    assumes: &[Code::AssumeBooleanFields],
};
const SAME_AS: Emit = Emit::whole(same_as);
const TIME_PART: Emit = Emit::whole(time_part).assuming(&[Code::AssumeTimeField]);

/// The longest pattern that `LIKE` and `GLOB` take, in bytes (SQLITE_MAX_LIKE_PATTERN_LENGTH).
const LONGEST_PATTERN: usize = 50_000;

static SQLITE: Dialect = Dialect {
    name: "SQLite",
    passes: &[simplify],
    field: |writer, name| literal::name(writer, name, '`'),
    text: TextSays::all(Say::Lowered(text)),
    cased: TextSays::all(Say::Lowered(text)),
    regex: Say::Lowered(regex),
    number: Say::Lowered(exact_number),
    compare: Say::Lowered(order),
    boolean: BOOLEAN.native(),
    same_as: Say::Lowered(|found, legaliser| sql::field_reference_as(SAME_AS, found, legaliser)),
    time_part: TIME_PART.native(),
    ..SQL
};

/// `julianday` reads every form of a time that ISO 8601 has, and texts are not compared.
fn since(writer: &mut Writer<'_>, field: &str, number: &str, unit: &str) {
    writer.put("julianday(");
    (writer.dialect.field)(writer, field);
    writer.format(format_args!(") >= julianday('now', '-{number} {unit}')"));
}

fn text<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Text { pattern, case } = &found.test else { return sql::unsupported() };
    sql::sayable(pattern)?;
    let any_case = *case == Case::Insensitive;
    let whole = match pattern.shape() {
        Shape::Anything => return Ok(legaliser.write(PRESENT, found)),
        // A text asks what a boolean asks: JSON's `true` is taken by its text.
        Shape::Exact(text) if any_case && text.eq_ignore_ascii_case("true") => {
            return Ok(legaliser.write(BOOLEAN, &found.with(Test::Bool(true))));
        }
        Shape::Exact(text) if any_case && text.eq_ignore_ascii_case("false") => {
            return Ok(legaliser.write(BOOLEAN, &found.with(Test::Bool(false))));
        }
        Shape::Exact(_) | Shape::Empty => true,
        _ => false,
    };
    let emit = if !any_case || sql::folds_beyond_ascii(pattern) {
        GLOB
    } else if whole {
        return Ok(legaliser.write(EQUALS, found));
    } else {
        LIKE
    };
    // At worst each character stands in brackets, or behind an escape.
    let length = literal::glob(pattern, any_case).len();
    if length > LONGEST_PATTERN {
        return Err(Refusal::new(Code::ValueUnsupported, format!("a pattern has {LONGEST_PATTERN} bytes at most")));
    }
    Ok(legaliser.write(emit, found))
}

fn glob(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Text { pattern, case } = test {
        literal::string(writer, &literal::glob(pattern, *case == Case::Insensitive));
    }
}

fn regex<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Test::Regex(source) = &found.test else { return sql::unsupported() };
    if legaliser.settings.regexp == RegexpMode::Function {
        return sql::regex_as(REGEXP, regex::re2, found, legaliser);
    }
    let patterns = regex::patterns(source, PatternLimits { singles: true, most: 64 }).map_err(|refusal| {
        let reason = format!("it has no regular expressions without `-O regexp=function`, and {}", refusal.reason);
        Refusal::new(refusal.code, reason)
    })?;
    if regex::assumes_single_lines(source) {
        legaliser.assume(Code::AssumeSingleLines, found);
    }
    let terms = patterns.into_iter().map(|test| Expr::Match(found.with(test))).collect();
    legaliser.say(&Expr::Or(terms))
}

/// Numbers beyond 64 bits would be rounded: they are looked for as texts only, since no column holds them as numbers.
fn exact_number<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    let Some(value) = number_of(&found.test) else { return sql::unsupported() };
    if sql::fits_64_bits(value.value) {
        return Ok(legaliser.write(NUMBER, found));
    }
    let pattern = Pattern::exact(value.text.clone().into_owned());
    legaliser.say(&Expr::Match(found.with(Test::Text { pattern, case: Case::Sensitive })))
}

fn order<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Said<'a>, Refusal> {
    if !number_of(&found.test).is_some_and(|number| sql::fits_64_bits(number.value)) {
        return Err(Refusal::new(Code::ValueUnsupported, "its integers have 64 bits with a sign"));
    }
    Ok(legaliser.write(COMPARE, found))
}

/// The number, and the text that spells it.
fn number(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Some(number) = number_of(test) {
        writer.format(format_args!("{0}, '{0}'", number.text));
    }
}

fn boolean(writer: &mut Writer<'_>, test: &Test<'_>) {
    match test {
        Test::Bool(true) => writer.put("'true', '1'"),
        Test::Bool(false) => writer.put("'false', '0'"),
        _ => literal::lower_text(writer, test),
    }
}

fn compare(writer: &mut Writer<'_>, found: &Match<'_>) {
    let (Test::Number { order, value }, Some(field)) = (&found.test, found.field()) else { return };
    let upward = sql::upward(*order);
    if upward {
        writer.put("CASE WHEN ");
        writer.field(field.as_str(), &found.test);
        writer.put(" < CAST(9e999 AS REAL) THEN ");
    }
    writer.field(field.as_str(), &found.test);
    writer.format(format_args!(" {} CAST({} AS NUMERIC)", order.sign(), value.text));
    if upward {
        writer.put(" ELSE FALSE END");
    }
}

fn same_as(writer: &mut Writer<'_>, found: &Match<'_>) {
    let Test::SameAs { affix, .. } = &found.test else { return };
    // Not compared by the column's type or collation.
    let Some((one, other)) = sql::sides(writer, found, |name| format!("substr({name}, 1)")) else { return };
    let text = match affix {
        Affix::Equals => format!("{one} = {other}"),
        Affix::StartsWith => format!("substr({one}, 1, length({other})) = {other}"),
        Affix::EndsWith => format!("substr({one}, length({one}) - length({other}) + 1) = {other}"),
        Affix::Contains => format!("instr({one}, {other}) > 0"),
    };
    writer.put(&text);
}

/// A part of a time. The week is that of ISO 8601, by the Thursday in it: `%V` came with version 3.46.
fn time_part(writer: &mut Writer<'_>, found: &Match<'_>) {
    let (Test::TimePart { part, order, value }, Some(field)) = (&found.test, found.field()) else { return };
    let (before, after) = match part {
        TimePart::Minute => ("CAST(strftime('%M', ", ") AS INTEGER)"),
        TimePart::Hour => ("CAST(strftime('%H', ", ") AS INTEGER)"),
        TimePart::Day => ("CAST(strftime('%d', ", ") AS INTEGER)"),
        TimePart::Week => ("1 + (CAST(strftime('%j', ", ", '-3 days', 'weekday 4') AS INTEGER) - 1) / 7"),
        TimePart::Month => ("CAST(strftime('%m', ", ") AS INTEGER)"),
        TimePart::Year => ("CAST(strftime('%Y', ", ") AS INTEGER)"),
    };
    writer.put(before);
    writer.field(field.as_str(), &found.test);
    writer.put(after);
    writer.format(format_args!(" {} {}", order.sign(), value.text));
}
