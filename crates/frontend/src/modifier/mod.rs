//! Value modifiers: what stands behind the `|` of a key.
//!
//! A modifier is one entry of [`TABLE`]: its names, what it does, and how it changes the [`Plan`] by which the item's
//! values are read. The plan is made once a key; then every value goes through it.
//!
//! Invariant: a chain that is not refused has one meaning, whatever the values.

mod base64;
mod cidr;
mod compare;
mod exists;
mod field_reference;
mod linking;
mod regex;
mod text;
mod time;
mod wide;
mod windash;

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic, Span, nearest};
use sigcast_ir::{Affix, Case, Order, RegexFlags, Test, TimePart, ValueLinking};

use crate::value::{Piece, Raw};

/// A modifier of the language.
#[derive(Debug)]
pub struct Modifier {
    /// Its name in rules.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// What it does, in a sentence.
    pub summary: &'static str,
    apply: fn(&mut Plan) -> Result<(), Refusal>,
}

/// Every modifier, in alphabetical order.
pub(crate) static TABLE: &[Modifier] = &[
    linking::ALL,
    base64::BASE64,
    base64::BASE64_OFFSET,
    text::CASED,
    cidr::CIDR,
    text::CONTAINS,
    time::DAY,
    text::ENDSWITH,
    exists::EXISTS,
    text::EXPAND,
    field_reference::FIELDREF,
    compare::GT,
    compare::GTE,
    time::HOUR,
    regex::IGNORE_CASE,
    compare::LT,
    compare::LTE,
    regex::MULTILINE,
    time::MINUTE,
    time::MONTH,
    linking::NEQ,
    regex::RE,
    regex::DOT_ALL,
    text::STARTSWITH,
    wide::UTF16,
    wide::UTF16BE,
    time::WEEK,
    wide::WIDE,
    windash::WINDASH,
    time::YEAR,
];

/// Why a modifier cannot stand where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    reason: String,
    help: Option<String>,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Why a value does not go through a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) here: &'static str,
    pub(crate) help: Option<String>,
    /// The bytes of the value's text that are at fault; all of it if none.
    pub(crate) part: Option<(usize, usize)>,
}

impl Fault {
    fn new(code: Code, message: impl Into<String>, here: &'static str) -> Self {
        Self { code, message: message.into(), here, help: None, part: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A rule has more variants of values than `most`.
    pub(crate) fn too_many_variants(most: usize) -> Self {
        let message = format!("the modifiers of this rule make more than {most} variants of its values");
        Self::new(Code::TooManyVariants, message, "one value too many").help("split the rule")
    }
}

/// One value on its way in.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    /// The value.
    pub(crate) raw: Raw<'a>,
    /// Whether the item has no field.
    pub(crate) keyword: bool,
}

type Compile = for<'a> fn(&Plan, &Input<'a>) -> Result<Test<'a>, Fault>;
type Pieces<'a> = Vec<Piece<'a>>;

/// What the values of an item are: text unless a modifier says otherwise.
struct Reading {
    /// The modifiers that may stand beside it, besides those on the item as a whole.
    takes: &'static [&'static str],
    /// Why no others may.
    why: &'static str,
    /// Whether it needs a field.
    needs_field: bool,
    compile: Compile,
}

/// How many encodings a chain may have: each makes the value longer or gives more variants of it.
const MAX_ENCODERS: usize = 6;

/// An encoding of text, in the order of the chain.
#[derive(Clone, Copy)]
struct Encoder {
    name: &'static str,
    /// Whether its result is bytes that are no text as yet.
    widens: bool,
    encode: for<'a> fn(Pieces<'a>) -> Result<Vec<Pieces<'a>>, Fault>,
}

/// How the values of an item are read: the sum of its modifiers.
pub(crate) struct Plan {
    /// How the values are joined.
    pub(crate) linking: ValueLinking,
    /// Whether the item is negated.
    pub(crate) negated: bool,
    reading: &'static Reading,
    /// The modifier that says what the values are.
    reading_name: &'static str,
    affix: Option<(&'static str, Affix)>,
    case: Case,
    encoders: Vec<Encoder>,
    expand: bool,
    flags: RegexFlags,
    order: Option<(&'static str, Order)>,
    part: Option<(&'static str, TimePart)>,
    /// The first modifier that works on text, for messages.
    texts: Option<&'static str>,
}

impl Plan {
    fn new() -> Self {
        Self {
            linking: ValueLinking::Any,
            negated: false,
            reading: &text::TEXT,
            reading_name: "",
            affix: None,
            case: Case::Insensitive,
            encoders: Vec::new(),
            expand: false,
            flags: RegexFlags::default(),
            order: None,
            part: None,
            texts: None,
        }
    }

    /// Sets what the values are, which only one modifier can.
    fn read_as(&mut self, name: &'static str, reading: &'static Reading) -> Result<(), Refusal> {
        if !std::ptr::eq(self.reading, &text::TEXT) {
            let other = self.reading_name;
            return Err(Refusal::new(format!("both `{other}` and `{name}` say what the value is")));
        }
        self.reading = reading;
        self.reading_name = name;
        Ok(())
    }

    /// Adds an encoding behind those of the chain so far.
    fn encode(&mut self, encoder: Encoder) -> Result<(), Refusal> {
        if self.encoders.len() >= MAX_ENCODERS {
            return Err(Refusal::new(format!("a chain has at most {MAX_ENCODERS} encodings")));
        }
        self.texts.get_or_insert(encoder.name);
        self.encoders.push(encoder);
        Ok(())
    }

    /// The test that a value asks for.
    pub(crate) fn compile<'a>(&self, input: &Input<'a>) -> Result<Test<'a>, Fault> {
        (self.reading.compile)(self, input)
    }
}

/// A modifier as written in a key.
pub(crate) struct Written<'a> {
    /// The word.
    pub(crate) text: Cow<'a, str>,
    /// Where it stands.
    pub(crate) span: Span,
}

/// The plan of a chain. Reports every modifier that is not known or cannot stand there; then there is no plan.
pub(crate) fn plan(chain: &[Written<'_>], keyword: bool, diagnostics: &mut Vec<Diagnostic>) -> Option<Plan> {
    let before = diagnostics.len();
    let mut plan = Plan::new();
    let mut known: Vec<(&'static Modifier, Span)> = Vec::with_capacity(chain.len());
    for written in chain {
        let Some(modifier) = find(&written.text) else {
            diagnostics.push(unknown(written));
            continue;
        };
        let repeatable = plan.encoders.iter().any(|encoder| encoder.name == modifier.name);
        let applied = if !repeatable && known.iter().any(|(other, _)| std::ptr::eq(*other, modifier)) {
            Err(Refusal::new("it stands there already").help("one of them is enough"))
        } else {
            (modifier.apply)(&mut plan)
        };
        if let Err(refusal) = applied {
            diagnostics.push(illegal(&written.text, refusal, written.span));
        }
        known.push((modifier, written.span));
    }
    if diagnostics.len() == before {
        check_company(&plan, &known, keyword, diagnostics);
    }
    (diagnostics.len() == before).then_some(plan)
}

/// Whether the modifiers of a chain can stand beside the one that says what the values are.
fn check_company(plan: &Plan, known: &[(&'static Modifier, Span)], keyword: bool, diagnostics: &mut Vec<Diagnostic>) {
    let reading = plan.reading;
    if std::ptr::eq(reading, &text::TEXT) {
        if let Some((name, _)) = plan.affix.filter(|(_, affix)| keyword && *affix != Affix::Contains) {
            let span = known.iter().find(|(modifier, _)| modifier.name == name).map(|(_, span)| *span);
            let refusal = Refusal::new("a keyword is looked for anywhere in the event: it has no start and no end");
            diagnostics.extend(span.map(|span| illegal(name, refusal.help("name a field before the `|`"), span)));
        }
        return;
    }
    for (modifier, span) in known {
        let item_wide = matches!(modifier.name, "all" | "neq");
        if !item_wide && modifier.name != plan.reading_name && !reading.takes.contains(&modifier.name) {
            let reason = format!("`{}` does not take it, because {}", plan.reading_name, reading.why);
            diagnostics.push(illegal(modifier.name, Refusal::new(reason), *span));
        }
    }
    let reader = known.iter().find(|(modifier, _)| modifier.name == plan.reading_name);
    if let Some((modifier, span)) = reader.filter(|_| keyword && reading.needs_field) {
        let refusal = Refusal::new("it asks something of a field, and the key names none");
        diagnostics.push(illegal(modifier.name, refusal.help("name a field before the `|`"), *span));
    }
}

fn find(name: &str) -> Option<&'static Modifier> {
    TABLE.iter().find(|modifier| modifier.name == name || modifier.aliases.contains(&name))
}

fn unknown(written: &Written<'_>) -> Diagnostic {
    if written.text.is_empty() {
        return Diagnostic::at(Code::UnknownModifier, written.span, "a `|` without a modifier behind it")
            .here("a modifier is expected here")
            .help("`sigcast list modifiers` shows every modifier");
    }
    let names =
        TABLE.iter().flat_map(|modifier| std::iter::once(modifier.name).chain(modifier.aliases.iter().copied()));
    let near = nearest(&written.text, names);
    let fault = Diagnostic::at(Code::UnknownModifier, written.span, format!("unknown modifier `{}`", written.text))
        .here("not a modifier of Sigma");
    match near {
        Some(_) => fault.suggest(near),
        None => fault.help("`sigcast list modifiers` shows every modifier"),
    }
}

fn illegal(name: &str, refusal: Refusal, span: Span) -> Diagnostic {
    let fault = Diagnostic::at(Code::BadModifierChain, span, format!("`{name}` cannot stand here: {}", refusal.reason))
        .here("at odds with the rest of the key");
    match refusal.help {
        Some(help) => fault.help(help),
        None => fault,
    }
}

/// The fault of a value whose type a modifier does not take.
fn not_taken(name: &str, wanted: &str, raw: &Raw<'_>) -> Fault {
    let message = format!("`{name}` takes {wanted}, and the value is {}", raw.kind());
    Fault::new(Code::BadModifierChain, message, "not of that type")
}

#[cfg(test)]
mod tests;
