//! Leaves by the types of a schema.
//!
//! [`resolve`] is asked of every leaf before its entry in the dialect. It chooses among a field and its subfields, and
//! gives the test the form that the field's type takes. What the dialect has to choose itself ([`known`],
//! [`network_mode`]) it asks here too.
//!
//! Invariant: resolving what came out of here gives nothing new. Without a schema, and for a field that the schema does
//! not know, nothing changes.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use sigcast_diagnostics::{Code, nearest};
use sigcast_ir::schema::{FieldKind, FieldType, Found, Normalised};
use sigcast_ir::{
    Case, Expr, Field, Match, Number, NumberValue, Order, Part, Pattern, Query, Regex, RegexFlags, Shape, Subject, Test,
};

use crate::options::{CidrMode, Settings};
use crate::passes;
use crate::say::{Legaliser, Refusal};

/// What a language makes of the types of a schema.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// How it ignores case on fields that mind it.
    pub folding: Folding,
    /// What it sees of analysed text.
    pub analysed: Analysed,
    /// Whether the fields are columns of a table: without subfields, addresses are text, and a value of another type
    /// than the column's is an error.
    pub columns: bool,
}

/// How a language ignores case on fields that mind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folding {
    /// By its own operators.
    Own,
    /// By a regular expression that the dialect writes.
    Spelled,
    /// Not at all.
    Never,
}

/// What a language sees of analysed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analysed {
    /// The whole text, as of a keyword.
    Whole,
    /// Its words.
    Words,
    /// Nothing: it is an error.
    Nothing,
}

/// The type that the schema gives the field of a leaf; none for languages that do not ask, and in styles of old.
#[must_use]
pub fn known<'s>(legaliser: &Legaliser<'s>, found: &Match<'_>) -> Option<&'s FieldType> {
    legaliser.dialect.schema?;
    field_type(legaliser.settings, found.field()?.as_str())
}

/// What the schema says of a field by its name, if it says something.
#[must_use]
pub fn field_type<'s>(settings: &'s Settings, name: &str) -> Option<&'s FieldType> {
    match find(settings, name) {
        Found::Known(found) => Some(found),
        Found::Unknown | Found::Missing { .. } => None,
    }
}

fn find<'s>(settings: &'s Settings, name: &str) -> Found<'s> {
    match settings.schema.as_deref() {
        Some(schema) if settings.style.is_none() => schema.find(settings.table.as_deref(), name),
        _ => Found::Unknown,
    }
}

/// Whether the schema fulfils an assumption for the field of a leaf, or what is wrong with it was said already.
#[must_use]
pub fn answers(legaliser: &Legaliser<'_>, code: Code, found: &Match<'_>) -> bool {
    let Some(kind) = known(legaliser, found).map(|known| known.kind) else { return false };
    match code {
        // Where the type does not fulfil these, resolving has refused the leaf or said how the query differs.
        Code::AssumeKeywordFields | Code::AssumeCaseless | Code::AssumeCased | Code::AssumeMappedFields => true,
        Code::AssumeTextFields => {
            kind.is_whole_text() || is_spelled(kind) || matches!(kind, FieldKind::Text | FieldKind::Ip)
        }
        Code::AssumeNumeric => kind == FieldKind::Number,
        Code::AssumeAddress => kind == FieldKind::Ip,
        Code::AssumeBoolean => kind == FieldKind::Boolean,
        _ => false,
    }
}

/// Assumes of a regular expression that minds case that the field does, if nothing is known of it: text held without
/// regard to case is another one, and engines that fold it fold the expression with it.
pub fn assume_case(found: &Match<'_>, legaliser: &mut Legaliser<'_>) {
    if let Test::Regex(regex) = &found.test
        && known(legaliser, found).is_none()
        && minds_case(regex)
    {
        legaliser.assume(Code::AssumeCased, found);
    }
}

/// Whether the expression, in Lucene's syntax, is another one without regard to case.
fn minds_case(regex: &Regex<'_>) -> bool {
    let folded = Regex { flags: RegexFlags { ignore_case: true, ..regex.flags }, ..regex.clone() };
    match (passes::regex::lucene(regex), passes::regex::lucene(&folded)) {
        (Ok(one), Ok(other)) => one != other,
        _ => true,
    }
}

/// How a network is tested: by the type of the field, if it is known, else by the option.
#[must_use]
pub fn network_mode(legaliser: &Legaliser<'_>, found: &Match<'_>) -> CidrMode {
    match known(legaliser, found).map(|known| known.kind) {
        Some(FieldKind::Ip) => CidrMode::Native,
        Some(_) => CidrMode::Expand,
        None => legaliser.settings.cidr,
    }
}

/// What a leaf is by the schema; none if it stands as it is.
///
/// # Errors
/// A test that the type of the field does not take.
pub fn resolve<'a>(found: &Match<'a>, legaliser: &mut Legaliser<'_>) -> Result<Option<Query<'a>>, Refusal> {
    let (Some(reach), Some(field)) = (legaliser.dialect.schema, found.field()) else { return Ok(None) };
    let name = field.as_str();
    let own = match find(legaliser.settings, name) {
        Found::Known(own) => own,
        Found::Unknown => return Ok(None),
        Found::Missing { table, nearest } => return Err(missing(table, name, nearest)),
    };
    listed(own, name, &found.test)?;
    if matches!(found.test, Test::Raw(_) | Test::OneOf(_) | Test::SameAs { .. } | Test::TimePart { .. }) {
        return Ok(None);
    }
    let (suffix, chosen) = choose(own, &found.test, reach);
    let kind = if reach.columns && chosen.kind == FieldKind::Ip { FieldKind::Keyword } else { chosen.kind };
    if chosen.ignore_above.is_some() {
        legaliser.assume(Code::AssumeIndexedValues, found);
    }
    if let Some(suffix) = suffix {
        let subject = Subject::Field(Field::new(format!("{name}.{suffix}")));
        return Ok(Some(Expr::Match(Match { subject, ..found.clone() })));
    }
    if matches!(kind, FieldKind::Nested | FieldKind::Other) {
        return Err(refused(name, kind, "which the language has no test for"));
    }
    if asks_presence(&found.test) || (reach.columns && asks_for_something(&found.test)) {
        return Ok(None);
    }
    match kind {
        FieldKind::Keyword | FieldKind::Wildcard => whole(found, name, chosen, reach, legaliser),
        FieldKind::Text => match reach.analysed {
            Analysed::Whole => whole(found, name, chosen, reach, legaliser),
            Analysed::Words => words(found, name, legaliser),
            Analysed::Nothing => Err(refused(name, kind, "without a keyword subfield")),
        },
        FieldKind::Flattened => flattened(found, name, reach),
        FieldKind::Dynamic | FieldKind::Json | FieldKind::Guid if reach.columns => match &found.test {
            // Compared by their text, whatever the value is; an order is that of the number which the text spells.
            Test::Number { order, .. } if *order != Order::Equal => Ok(None),
            Test::Bool(value) => Ok(Some(exact_text(found, value.to_string()))),
            _ => whole(found, name, chosen, reach, legaliser),
        },
        FieldKind::Ip => address(found, name),
        FieldKind::Number | FieldKind::Boolean if reach.columns => match (&found.test, kind) {
            (Test::Number { .. }, FieldKind::Number) | (Test::Bool(_), FieldKind::Boolean) => Ok(None),
            (Test::Text { .. }, FieldKind::Boolean) => boolean(found, name),
            _ => Err(refused(name, kind, "and the test is of another type")),
        },
        FieldKind::Number => numeric(found, name),
        FieldKind::Boolean => boolean(found, name),
        FieldKind::Date
        | FieldKind::Nested
        | FieldKind::Other
        | FieldKind::Dynamic
        | FieldKind::Json
        | FieldKind::Guid => Err(refused(name, kind, "which has no test of this type")),
    }
}

fn missing(table: &str, name: &str, nearest: Option<&str>) -> Refusal {
    let near = nearest.map(|near| format!("; the nearest is `{near}`")).unwrap_or_default();
    Refusal::new(Code::UnknownField, format!("the table `{table}` has no column `{name}`{near}"))
}

/// Whether the field can hold what the test compares it with.
fn listed(own: &FieldType, name: &str, test: &Test<'_>) -> Result<(), Refusal> {
    let Test::Text { pattern, .. } = test else { return Ok(()) };
    let Shape::Exact(text) = pattern.shape() else { return Ok(()) };
    if own.values.is_empty() || own.values.iter().any(|value| value.eq_ignore_ascii_case(text)) {
        return Ok(());
    }
    let near = nearest(text, own.values.iter().map(String::as_str));
    let near = near.map(|near| format!("; the nearest is `{near}`")).unwrap_or_default();
    Err(Refusal::new(Code::ValueNotInSchema, format!("`{name}` never holds `{text}`, by the schema{near}")))
}

/// Whether columns of the type are compared by their text.
#[must_use]
pub const fn is_spelled(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Dynamic | FieldKind::Json | FieldKind::Guid)
}

fn refused(name: &str, kind: FieldKind, why: &str) -> Refusal {
    Refusal::new(Code::ConstructUnsupported, format!("by the schema, `{name}` is of type {}, {why}", kind.as_str()))
}

/// Whether the test asks only that there be a value, or none.
fn asks_presence(test: &Test<'_>) -> bool {
    match test {
        Test::Null | Test::Exists(_) => true,
        Test::Text { pattern, .. } => pattern.shape() == Shape::Anything,
        _ => false,
    }
}

/// Whether the test is `?*`, which guards set before comparisons with columns of any type: a value that is not empty.
fn asks_for_something(test: &Test<'_>) -> bool {
    let Test::Text { pattern, .. } = test else { return false };
    let wild = |part: &Part<'_>| matches!(part, Part::AnyOne | Part::AnyRun);
    !pattern.parts().is_empty() && pattern.parts().iter().all(wild)
}

/// The field itself, or the subfield that takes the test better.
fn choose<'s>(own: &'s FieldType, test: &Test<'_>, reach: Reach) -> (Option<&'s str>, &'s FieldType) {
    let mut best = (None, own);
    if reach.columns || asks_presence(test) {
        return best;
    }
    let mut least = distance(own, test, reach);
    for (suffix, sub) in &own.subfields {
        let other = distance(sub, test, reach);
        if other < least {
            least = other;
            best = (Some(suffix.as_str()), sub);
        }
    }
    best
}

/// How far a type is from what a test needs.
fn distance(field: &FieldType, test: &Test<'_>, reach: Reach) -> u8 {
    use FieldKind as Kind;
    const WORST: u8 = 9;
    let cased = match test {
        Test::Text { pattern, case: Case::Insensitive } if pattern.has_case() => Some(false),
        Test::Text { pattern, case: Case::Sensitive } if pattern.has_case() => Some(true),
        // Regular expressions spell case themselves.
        Test::Regex(_) => Some(true),
        _ => None,
    };
    let kind = match (field.kind, reach.analysed) {
        (Kind::Text, Analysed::Whole) => Kind::Keyword,
        (kind, _) => kind,
    };
    match (kind, test) {
        (Kind::Number, Test::Number { .. }) | (Kind::Ip, Test::Network(_)) | (Kind::Boolean, Test::Bool(_)) => 0,
        (_, Test::Number { order, .. }) if *order != Order::Equal => WORST,
        (Kind::Keyword | Kind::Wildcard, _) => match cased {
            Some(true) if field.is_caseless() => 2,
            Some(false) if !field.is_caseless() && reach.folding == Folding::Never => 2,
            // A term is cheaper than an expression.
            Some(false) if !field.is_caseless() && reach.folding == Folding::Spelled => 1,
            _ => 0,
        },
        (Kind::Ip | Kind::Number | Kind::Boolean, Test::Text { .. }) => 3,
        (Kind::Flattened, _) => 4,
        (Kind::Text, _) => 5,
        _ => WORST,
    }
}

/// A text held whole.
fn whole<'a>(
    found: &Match<'a>,
    name: &str,
    field: &FieldType,
    reach: Reach,
    legaliser: &mut Legaliser<'_>,
) -> Result<Option<Query<'a>>, Refusal> {
    let caseless = field.is_caseless();
    if let Test::Text { pattern, case: Case::Insensitive } = &found.test
        && !(caseless || reach.columns)
        && let Some(pattern) = stored(field, pattern)
    {
        return Ok(Some(Expr::Match(found.with(Test::Text { pattern, case: Case::Sensitive }))));
    }
    match &found.test {
        Test::Text { pattern, case: Case::Sensitive } if caseless && pattern.has_case() => {
            widened(found, name, legaliser);
            Ok(Some(Expr::Match(found.with(Test::Text { pattern: pattern.clone(), case: Case::Insensitive }))))
        }
        Test::Text { pattern, case: Case::Insensitive }
            if !caseless && pattern.has_case() && reach.folding == Folding::Never =>
        {
            let message = format!("by the schema, `{name}` minds case, and the language has no means to ignore it");
            legaliser.approximate(Code::CaseNarrowed, found, message);
            Ok(None)
        }
        Test::Regex(regex) if caseless && !regex.flags.ignore_case => {
            let flags = RegexFlags { ignore_case: true, ..regex.flags };
            let folded = Regex { flags, ..regex.clone() };
            if !minds_case(regex) {
                return Ok(None);
            }
            widened(found, name, legaliser);
            Ok(Some(Expr::Match(found.with(Test::Regex(folded)))))
        }
        Test::Number { order: Order::Equal, value } => Ok(Some(exact_text(found, value.text.clone().into_owned()))),
        Test::Number { .. } => Err(refused(name, field.kind, "whose values have the order of text, not of numbers")),
        Test::Bool(value) if !reach.columns => Ok(Some(exact_text(found, value.to_string()))),
        _ => Ok(None),
    }
}

/// The only spelling that the field can hold of a text in whatever case, if the schema says it.
fn stored<'a>(field: &FieldType, pattern: &Pattern<'a>) -> Option<Pattern<'a>> {
    if let Shape::Exact(text) = pattern.shape()
        && let Some(value) = field.values.iter().find(|value| value.eq_ignore_ascii_case(text))
    {
        return Some(Pattern::exact(value.clone()));
    }
    let parts = pattern.parts();
    let ascii = parts.iter().all(|part| !matches!(part, Part::Text(text) if !text.is_ascii()));
    (field.normalised == Normalised::Lower && ascii).then(|| {
        Pattern::from_parts(parts.iter().map(|part| match part {
            Part::Text(text) => Part::Text(text.to_ascii_lowercase().into()),
            other => other.clone(),
        }))
    })
}

fn widened(found: &Match<'_>, name: &str, legaliser: &mut Legaliser<'_>) {
    let message = format!("by the schema, `{name}` is held without regard to case, so the query matches any case");
    legaliser.approximate(Code::CaseWidened, found, message);
}

fn exact_text<'a>(found: &Match<'a>, text: String) -> Query<'a> {
    Expr::Match(found.with(Test::Text { pattern: Pattern::exact(text), case: Case::Insensitive }))
}

/// Analysed text, of which the language sees the words.
fn words<'a>(found: &Match<'a>, name: &str, legaliser: &mut Legaliser<'_>) -> Result<Option<Query<'a>>, Refusal> {
    if matches!(&found.test, Test::Number { order, .. } if *order != Order::Equal) {
        return Err(refused(name, FieldKind::Text, "whose values have the order of text, not of numbers"));
    }
    let message =
        format!("by the schema, `{name}` is analysed text without a keyword subfield: it is searched word by word");
    legaliser.approximate(Code::AnalysedText, found, message);
    Ok(None)
}

/// What a flattened object holds: keywords that mind case, with tests of equality and of a prefix.
fn flattened<'a>(found: &Match<'a>, name: &str, reach: Reach) -> Result<Option<Query<'a>>, Refusal> {
    if reach.analysed != Analysed::Words {
        return Err(refused(name, FieldKind::Flattened, "which the language does not know"));
    }
    match &found.test {
        Test::Text { pattern, case } => {
            let simple = matches!(pattern.shape(), Shape::Exact(_) | Shape::Prefix(_) | Shape::Empty);
            let right = simple && (*case == Case::Sensitive || !pattern.has_case());
            if right {
                Ok(None)
            } else {
                Err(refused(name, FieldKind::Flattened, "which minds case and has no patterns"))
            }
        }
        Test::Number { order: Order::Equal, value } => Ok(Some(exact_text(found, value.text.clone().into_owned()))),
        _ => Err(refused(name, FieldKind::Flattened, "which has tests of text only")),
    }
}

/// A field of addresses.
fn address<'a>(found: &Match<'a>, name: &str) -> Result<Option<Query<'a>>, Refusal> {
    match &found.test {
        Test::Network(_) => Ok(None),
        Test::Text { pattern, .. } => match pattern.shape() {
            Shape::Exact(text) => Ok(Some(match text.parse::<IpAddr>() {
                Ok(address) => Expr::Match(found.with(Test::Network(IpNet::from(address)))),
                // No address is spelled so.
                Err(_) => Expr::Const(false),
            })),
            Shape::Empty => Ok(Some(Expr::Const(false))),
            Shape::Prefix(text) => match octets(text) {
                Some(network) => Ok(Some(Expr::Match(found.with(Test::Network(IpNet::V4(network)))))),
                None => Err(refused(name, FieldKind::Ip, "which has tests of addresses and networks only")),
            },
            Shape::Unresolved => {
                Err(Refusal::new(Code::UnresolvedPlaceholder, "no pipeline gave the placeholder a value"))
            }
            _ => Err(refused(name, FieldKind::Ip, "which has tests of addresses and networks only")),
        },
        _ => Err(refused(name, FieldKind::Ip, "which has tests of addresses and networks only")),
    }
}

/// The network of the addresses that start with this text, `10.` or `192.168.`.
fn octets(text: &str) -> Option<Ipv4Net> {
    let inner = text.strip_suffix('.')?;
    let mut bytes = [0_u8; 4];
    let mut count: u8 = 0;
    for octet in inner.split('.') {
        let slot = bytes.get_mut(usize::from(count)).filter(|_| count < 3)?;
        *slot = octet.parse().ok().filter(|byte: &u8| byte.to_string() == octet)?;
        count += 1;
    }
    Ipv4Net::new(bytes.into(), count * 8).ok()
}

/// A field of numbers.
fn numeric<'a>(found: &Match<'a>, name: &str) -> Result<Option<Query<'a>>, Refusal> {
    match &found.test {
        Test::Number { .. } => Ok(None),
        Test::Text { pattern, .. } => match pattern.shape() {
            Shape::Exact(text) => match text.parse::<i64>() {
                Ok(integer) if integer.to_string() == text => {
                    let value =
                        Number { text: text.to_owned().into(), value: NumberValue::Integer(i128::from(integer)) };
                    Ok(Some(Expr::Match(found.with(Test::Number { order: Order::Equal, value }))))
                }
                // A number in an unusual spelling: whether the data has it so, the field no longer says.
                _ if text.parse::<f64>().is_ok() => {
                    Err(refused(name, FieldKind::Number, "which does not keep the spelling of its values"))
                }
                _ => Ok(Some(Expr::Const(false))),
            },
            Shape::Empty => Ok(Some(Expr::Const(false))),
            Shape::Unresolved => {
                Err(Refusal::new(Code::UnresolvedPlaceholder, "no pipeline gave the placeholder a value"))
            }
            _ => Err(refused(name, FieldKind::Number, "which has no patterns of text")),
        },
        _ => Err(refused(name, FieldKind::Number, "which has tests of numbers only")),
    }
}

/// A field of booleans.
fn boolean<'a>(found: &Match<'a>, name: &str) -> Result<Option<Query<'a>>, Refusal> {
    match &found.test {
        Test::Bool(_) => Ok(None),
        Test::Text { pattern, .. } => match pattern.shape() {
            Shape::Exact(text) if text.eq_ignore_ascii_case("true") => {
                Ok(Some(Expr::Match(found.with(Test::Bool(true)))))
            }
            Shape::Exact(text) if text.eq_ignore_ascii_case("false") => {
                Ok(Some(Expr::Match(found.with(Test::Bool(false)))))
            }
            Shape::Exact(_) | Shape::Empty => Ok(Some(Expr::Const(false))),
            _ => Err(refused(name, FieldKind::Boolean, "which has no patterns of text")),
        },
        _ => Err(refused(name, FieldKind::Boolean, "which has tests of booleans only")),
    }
}
