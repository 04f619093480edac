//! The command `search`, and what stands before the first pipe.
//!
//! From the Search Manual, Boolean expressions: parentheses, then `NOT`, then `OR`, then `AND`, which is implied between
//! terms; the operators are written in capitals. `NOT` applies to the next term alone. From the Search Reference,
//! `search`: `=` and `!=` compare text, ignoring case; `<` `>` `<=` `>=` compare numbers if both sides are numbers, else
//! text; `IN` takes a list; `*` is any text and cannot be escaped; a network in CIDR notation takes its addresses. From
//! Difference between != and NOT: `!=` finds no event without the field, `NOT` does.

use super::event::{Event, Text};
use super::keyword::Keyword;
use super::network::Network;
use super::scan::{Scanner, unescaped};

/// An expression of a search.
#[derive(Debug)]
pub(super) enum Search {
    All(Vec<Search>),
    Any(Vec<Search>),
    Not(Box<Search>),
    Keyword(Keyword),
    Field { name: String, order: Order, values: Vec<Literal> },
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The operators, the longer ones first.
const ORDERS: &[(&str, Order)] = &[
    ("!=", Order::Unequal),
    ("<=", Order::LessOrEqual),
    (">=", Order::GreaterOrEqual),
    ("=", Order::Equal),
    ("<", Order::Less),
    (">", Order::Greater),
];

/// A value to compare with.
#[derive(Debug)]
pub(super) struct Literal {
    text: String,
    /// The texts between the asterisks, in lower case.
    parts: Vec<String>,
    network: Option<Network>,
}

impl Search {
    /// Reads an expression.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { scanner: Scanner::new(text) };
        let found = reader.all()?;
        reader.scanner.skip_blanks();
        if !reader.scanner.rest().is_empty() {
            return Err(format!("a search goes on at {}", reader.scanner.here()));
        }
        Ok(found)
    }

    /// Whether it finds the event.
    pub(super) fn keeps(&self, event: &Event) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.keeps(event)),
            Self::Any(parts) => parts.iter().any(|part| part.keeps(event)),
            Self::Not(inner) => !inner.keeps(event),
            Self::Keyword(keyword) => keyword.found(&event.raw),
            Self::Field { name, order, values } => {
                let own = event.values(name);
                own.iter().any(|own| values.iter().any(|value| value.compares(own, *order)))
            }
        }
    }
}

impl Literal {
    fn new(text: String) -> Self {
        let parts = text.to_lowercase().split('*').map(str::to_owned).collect();
        let network = Network::parse(&text);
        Self { text, parts, network }
    }

    fn compares(&self, own: &Text, order: Order) -> bool {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let sorted = match (number(&own.plain), number(&self.text)) {
            (Some(one), Some(other)) => one.partial_cmp(&other),
            _ => Some(own.plain.as_str().cmp(&self.text)),
        };
        match order {
            Order::Equal => self.equals(own),
            Order::Unequal => !self.equals(own),
            Order::Less => sorted.is_some_and(std::cmp::Ordering::is_lt),
            Order::LessOrEqual => sorted.is_some_and(std::cmp::Ordering::is_le),
            Order::Greater => sorted.is_some_and(std::cmp::Ordering::is_gt),
            Order::GreaterOrEqual => sorted.is_some_and(std::cmp::Ordering::is_ge),
        }
    }

    fn equals(&self, own: &Text) -> bool {
        spans(&self.parts, &own.folded) || self.network.is_some_and(|network| network.holds(&own.plain))
    }
}

/// Whether the text is these parts, with any text between each two.
fn spans(parts: &[String], text: &str) -> bool {
    let [first, inner @ .., last] = parts else { return parts.first().is_some_and(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    inner.iter().all(|part| {
        rest.find(part.as_str()).is_some_and(|at| {
            rest = &rest[at + part.len()..];
            true
        })
    })
}

/// Reads an expression.
struct Reader<'t> {
    scanner: Scanner<'t>,
}

impl Reader<'_> {
    /// Whether this word is next; takes it.
    fn word(&mut self, word: &str) -> bool {
        self.scanner.skip_blanks();
        let mut ahead = self.scanner.clone();
        let found = ahead.take(word) && ahead.peek().is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"'));
        if found {
            self.scanner = ahead;
        }
        found
    }

    /// Terms joined by `AND` or by nothing: the weakest bond.
    fn all(&mut self) -> Result<Search, String> {
        let mut parts = vec![self.any()?];
        loop {
            let said = self.word("AND");
            self.scanner.skip_blanks();
            match self.scanner.peek() {
                None | Some(')') if said => return Err("nothing after AND".to_owned()),
                None | Some(')') => break,
                _ => parts.push(self.any()?),
            }
        }
        Ok(one_or(parts, Search::All))
    }

    fn any(&mut self) -> Result<Search, String> {
        let mut parts = vec![self.not()?];
        while self.word("OR") {
            parts.push(self.not()?);
        }
        Ok(one_or(parts, Search::Any))
    }

    fn not(&mut self) -> Result<Search, String> {
        if self.word("NOT") {
            return Ok(Search::Not(Box::new(self.not()?)));
        }
        self.scanner.skip_blanks();
        if self.scanner.take("(") {
            let inner = self.all()?;
            self.scanner.skip_blanks();
            return if self.scanner.take(")") { Ok(inner) } else { Err("a ( without its )".to_owned()) };
        }
        self.term()
    }

    /// A keyword, or a field and what it is compared with.
    fn term(&mut self) -> Result<Search, String> {
        if matches!(self.scanner.peek(), Some(',' | '=' | '<' | '>' | '!' | '[' | ']' | '\'' | '`')) {
            return Err(format!("no term of a search: {}", self.scanner.here()));
        }
        let quoted = self.scanner.peek() == Some('"');
        let text = if quoted {
            self.scanner.quoted('"')?
        } else {
            let bare = self.scanner.take_while(|c| !c.is_whitespace() && !"()\",=<>![]'`".contains(c));
            if matches!(bare, "" | "AND" | "OR" | "NOT" | "XOR" | "IN") {
                return Err(format!("a term was expected: {bare}{}", self.scanner.here()));
            }
            unescaped(bare, '"')
        };
        let mut ahead = self.scanner.clone();
        ahead.skip_blanks();
        if let Some((sign, order)) = ORDERS.iter().find(|(sign, _)| ahead.rest().starts_with(sign)) {
            ahead.advance(sign.len());
            ahead.skip_blanks();
            self.scanner = ahead;
            return Ok(Search::Field { name: text, order: *order, values: vec![self.value()?] });
        }
        if self.word("IN") {
            return Ok(Search::Field { name: text, order: Order::Equal, values: self.list()? });
        }
        Ok(Search::Keyword(Keyword::new(&text)))
    }

    fn list(&mut self) -> Result<Vec<Literal>, String> {
        self.scanner.skip_blanks();
        if !self.scanner.take("(") {
            return Err("IN without a list".to_owned());
        }
        let mut values = Vec::new();
        loop {
            self.scanner.skip_blanks();
            values.push(self.value()?);
            self.scanner.skip_blanks();
            if self.scanner.take(")") {
                return Ok(values);
            }
            if !self.scanner.take(",") {
                return Err(format!("a list goes on with {}", self.scanner.here()));
            }
        }
    }

    fn value(&mut self) -> Result<Literal, String> {
        if self.scanner.peek() == Some('"') {
            return Ok(Literal::new(self.scanner.quoted('"')?));
        }
        let bare = self.scanner.take_while(|c| !c.is_whitespace() && !"()\",=<>![]'`".contains(c));
        if bare.is_empty() {
            return Err(format!("a value was expected: {}", self.scanner.here()));
        }
        Ok(Literal::new(unescaped(bare, '"')))
    }
}

/// The only part itself, or all of them joined.
pub(super) fn one_or<T>(mut parts: Vec<T>, join: fn(Vec<T>) -> T) -> T {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}
