//! The command `where`: an expression that keeps the events for which it is true; and expressions of other commands.
//!
//! From the Search Manual, Boolean expressions: parentheses, then `NOT`, then `AND`, then `OR`. From the Search
//! Reference, Evaluation functions and `where`: text is in double quotes; a name with anything but letters, digits and
//! underscores is in single quotes; a comparison with null is null, and only what is true is kept. From the same, `eval`:
//! `+ - * /` take numbers, `.` joins texts and numbers. In what order the dot and the signs of arithmetic are taken is not
//! told: they are refused side by side, and so is a dot without blanks, which may be meant for a part of a name.

use std::cell::Cell;

use super::event::Event;
use super::function::Function;
use super::scan::{Scanner, is_word};
use super::search::Order;
use super::value::{Item, Value, arithmetic, compare, joined};

/// An expression that has to be true.
#[derive(Debug)]
pub(super) struct Where(Expression);

/// An expression.
#[derive(Debug)]
pub(super) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Box<Expression>, Order, Box<Expression>),
    Arithmetic(Box<Expression>, char, Box<Expression>),
    Joined(Vec<Expression>),
    Call(Function, Vec<Expression>),
    Field(String),
    Text(String),
    Number(f64),
}

/// The event that is asked about.
#[derive(Debug)]
pub(super) struct Asked<'e> {
    pub(super) event: &'e Event,
    /// Whether functions of one value are null where there are several.
    pub(super) strict: bool,
    /// Whether a field with several values was met.
    several: Cell<bool>,
}

impl Where {
    /// Reads an expression.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { scanner: Scanner::new(text) };
        let found = reader.any()?;
        reader.scanner.skip_blanks();
        if reader.scanner.rest().is_empty() {
            Ok(Self(found))
        } else {
            Err(format!("an expression goes on at {}", reader.scanner.here()))
        }
    }

    /// Whether it keeps the event, and whether it would not if functions of one value were null where there are several,
    /// or the other way round.
    pub(super) fn keeps(&self, event: &Event) -> (bool, bool) {
        let (value, strict) = self.0.of(event);
        let kept = value.truth() == Some(true);
        (kept, kept != (strict.truth() == Some(true)))
    }
}

impl Expression {
    /// What it gives of an event, and what it would give if functions of one value were null where there are several.
    pub(super) fn of(&self, event: &Event) -> (Value, Value) {
        let mut asked = Asked { event, strict: false, several: Cell::new(false) };
        let value = self.value(&asked);
        if !asked.several.get() {
            return (value.clone(), value);
        }
        asked.strict = true;
        let strict = self.value(&asked);
        (value, strict)
    }

    /// Reads an expression at the scanner.
    pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Self, String> {
        let mut reader = Reader { scanner: scanner.clone() };
        let found = reader.any();
        *scanner = reader.scanner;
        found
    }

    /// What it gives.
    pub(super) fn value(&self, asked: &Asked<'_>) -> Value {
        match self {
            Self::All(parts) => decided(parts, asked, false),
            Self::Any(parts) => decided(parts, asked, true),
            Self::Not(inner) => inner.value(asked).truth().map_or(Value::Null, |flag| Value::Bool(!flag)),
            Self::Compare(one, order, other) => compare(&one.value(asked), *order, &other.value(asked)),
            Self::Arithmetic(one, sign, other) => arithmetic(&one.value(asked), *sign, &other.value(asked)),
            Self::Joined(parts) => joined(parts.iter().map(|part| part.value(asked))),
            Self::Call(function, arguments) => function.call(arguments, asked),
            Self::Field(name) => {
                let values = asked.event.values(name);
                if values.len() > 1 {
                    asked.several.set(true);
                }
                Value::of(values.iter().map(|value| Item::Field(value.plain.clone())).collect())
            }
            Self::Text(text) => Value::Items(vec![Item::Text(text.clone())]),
            Self::Number(number) => Value::Items(vec![Item::Number(*number)]),
        }
    }
}

/// The parts joined: one that has this truth decides, else null is left if there was any.
fn decided(parts: &[Expression], asked: &Asked<'_>, deciding: bool) -> Value {
    let mut all = Value::Bool(!deciding);
    for part in parts {
        match part.value(asked).truth() {
            Some(truth) if truth == deciding => return Value::Bool(deciding),
            Some(_) => {}
            None => all = Value::Null,
        }
    }
    all
}

/// Reads an expression.
struct Reader<'t> {
    scanner: Scanner<'t>,
}

/// The operators of comparisons, the longer ones first.
const ORDERS: &[(&str, Order)] = &[
    ("==", Order::Equal),
    ("!=", Order::Unequal),
    ("<=", Order::LessOrEqual),
    (">=", Order::GreaterOrEqual),
    ("=", Order::Equal),
    ("<", Order::Less),
    (">", Order::Greater),
];

impl Reader<'_> {
    /// Whether this word is next; takes it.
    fn word(&mut self, word: &str) -> bool {
        self.scanner.skip_blanks();
        let mut ahead = self.scanner.clone();
        let found = ahead.take_while(is_word) == word;
        if found {
            self.scanner = ahead;
        }
        found
    }

    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.word("OR") {
            parts.push(self.all()?);
        }
        Ok(super::search::one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.not()?];
        while self.word("AND") {
            parts.push(self.not()?);
        }
        Ok(super::search::one_or(parts, Expression::All))
    }

    fn not(&mut self) -> Result<Expression, String> {
        if self.word("NOT") {
            return Ok(Expression::Not(Box::new(self.not()?)));
        }
        let one = self.calculated()?;
        self.scanner.skip_blanks();
        let Some((sign, order)) = ORDERS.iter().find(|(sign, _)| self.scanner.rest().starts_with(sign)) else {
            return Ok(one);
        };
        self.scanner.advance(sign.len());
        let other = self.calculated()?;
        Ok(Expression::Compare(Box::new(one), *order, Box::new(other)))
    }

    /// Operands with signs of arithmetic between them, or with dots.
    fn calculated(&mut self) -> Result<Expression, String> {
        let mut whole = self.product()?;
        while let Some(sign) = self.sign("+-") {
            whole = Expression::Arithmetic(Box::new(whole), sign, Box::new(self.product()?));
        }
        if !self.dot()? {
            return Ok(whole);
        }
        if matches!(whole, Expression::Arithmetic(..)) {
            return Err("a dot beside arithmetic".to_owned());
        }
        let mut parts = vec![whole];
        loop {
            parts.push(self.operand()?);
            if self.sign("+-*/").is_some() {
                return Err("arithmetic beside a dot".to_owned());
            }
            if !self.dot()? {
                return Ok(Expression::Joined(parts));
            }
        }
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut all = self.operand()?;
        while let Some(sign) = self.sign("*/") {
            all = Expression::Arithmetic(Box::new(all), sign, Box::new(self.operand()?));
        }
        Ok(all)
    }

    /// Takes one of these signs, if it is next.
    fn sign(&mut self, signs: &str) -> Option<char> {
        let mut ahead = self.scanner.clone();
        ahead.skip_blanks();
        let sign = ahead.peek().filter(|c| signs.contains(*c))?;
        ahead.advance(1);
        self.scanner = ahead;
        Some(sign)
    }

    /// Takes a dot with blanks around it, if it is next.
    fn dot(&mut self) -> Result<bool, String> {
        let mut ahead = self.scanner.clone();
        ahead.skip_blanks();
        if !ahead.take(".") {
            return Ok(false);
        }
        if self.scanner.rest().starts_with('.') || !ahead.rest().starts_with(char::is_whitespace) {
            return Err(format!("a dot without blanks: {}", self.scanner.here()));
        }
        self.scanner = ahead;
        Ok(true)
    }

    fn operand(&mut self) -> Result<Expression, String> {
        self.scanner.skip_blanks();
        match self.scanner.peek() {
            Some('"') => self.scanner.quoted('"').map(Expression::Text),
            Some('\'') => self.scanner.quoted('\'').map(Expression::Field),
            Some('(') => {
                self.scanner.advance(1);
                let inner = self.any()?;
                self.closed().map(|()| inner)
            }
            Some(c) if c.is_ascii_digit() || c == '-' => {
                let minus = if self.scanner.take("-") { "-" } else { "" };
                let digits = self.scanner.take_while(|c| c.is_ascii_digit() || c == '.');
                let text = format!("{minus}{digits}");
                text.parse().map(Expression::Number).map_err(|_| format!("no number: {text}"))
            }
            Some(c) if is_word(c) => {
                let word = self.scanner.take_while(is_word);
                if matches!(word, "AND" | "OR" | "NOT" | "XOR" | "IN" | "LIKE") {
                    return Err(format!("{word} where a value is expected"));
                }
                if !self.scanner.take("(") {
                    return Ok(Expression::Field(word.to_owned()));
                }
                let arguments = self.arguments()?;
                let function = Function::new(word, &arguments)?;
                Ok(Expression::Call(function, arguments))
            }
            _ => Err(format!("a value was expected: {}", self.scanner.here())),
        }
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, String> {
        let mut arguments = Vec::new();
        self.scanner.skip_blanks();
        if self.scanner.take(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.any()?);
            self.scanner.skip_blanks();
            if !self.scanner.take(",") {
                return self.closed().map(|()| arguments);
            }
        }
    }

    fn closed(&mut self) -> Result<(), String> {
        self.scanner.skip_blanks();
        if self.scanner.take(")") { Ok(()) } else { Err(format!("a ) was expected: {}", self.scanner.here())) }
    }
}
