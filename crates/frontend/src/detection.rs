//! Detections: maps, lists, keywords, and the items with their modifiers.
//!
//! Invariant: a map means all of its items, a list any of its elements, however they nest.

use std::borrow::Cow;

use sigcast_diagnostics::{Code, Diagnostic, Span};
use sigcast_ir::{DetectionItem, Field, Test, Tree, Value, ValueLinking};

use crate::modifier::{self, Fault, Input, Plan, Written};
use crate::value::Raw;
use crate::yaml::{self, Data, Entry, Node, Plain, Scalar};

/// Reads the content of one detection.
pub(crate) struct Reader<'r, 'a> {
    /// The text of the file.
    source: &'a str,
    /// Where faults go.
    diagnostics: &'r mut Vec<Diagnostic>,
    /// Variants that the modifiers of this rule made of its values, so far.
    variants: usize,
}

/// How many variants of values one rule may have: no engine takes a query of that many clauses.
const MAX_VARIANTS: usize = 100_000;

impl<'r, 'a> Reader<'r, 'a> {
    /// A reader of the detections of one rule.
    pub(crate) fn new(source: &'a str, diagnostics: &'r mut Vec<Diagnostic>) -> Self {
        Self { source, diagnostics, variants: 0 }
    }

    /// What a detection asks; `name` is the place of its name. Reports every fault in it; with one, there is no tree.
    pub(crate) fn tree(&mut self, node: &Node<'a>, name: Span) -> Option<Tree<'a>> {
        match &node.data {
            Data::Map(entries) => self.map(entries, node.span),
            Data::List(nodes) => self.list(nodes, node.span),
            Data::Scalar(_) if node.is_null() => self.empty(name, "the detection is empty"),
            Data::Scalar(_) => self.keywords(std::slice::from_ref(node), false).map(Tree::Item),
        }
    }

    fn empty<T>(&mut self, span: Span, message: &str) -> Option<T> {
        self.diagnostics.push(
            Diagnostic::at(Code::EmptyDetection, span, format!("{message}: it says nothing"))
                .here("nothing is asked here"),
        );
        None
    }

    fn map(&mut self, entries: &[Entry<'a>], span: Span) -> Option<Tree<'a>> {
        if entries.is_empty() {
            return self.empty(span, "the map is empty");
        }
        let items: Vec<_> = entries.iter().map(|entry| self.item(entry).map(Tree::Item)).collect();
        items.into_iter().collect::<Option<_>>().map(Tree::All)
    }

    fn list(&mut self, nodes: &[Node<'a>], span: Span) -> Option<Tree<'a>> {
        if nodes.is_empty() {
            return self.empty(span, "the list is empty");
        }
        if nodes.iter().all(|node| matches!(node.data, Data::Scalar(_))) {
            return self.keywords(nodes, true).map(Tree::Item);
        }
        let terms: Vec<_> = nodes
            .iter()
            .map(|node| match &node.data {
                Data::Scalar(_) => self.keywords(std::slice::from_ref(node), false).map(Tree::Item),
                _ => self.tree(node, node.span),
            })
            .collect();
        terms.into_iter().collect::<Option<_>>().map(Tree::Any)
    }

    /// Scalars without a field: keywords.
    fn keywords(&mut self, nodes: &[Node<'a>], list: bool) -> Option<DetectionItem<'a>> {
        let plan = modifier::plan(&[], true, self.diagnostics)?;
        let values = self.values(&plan, nodes, true)?;
        let first = nodes.first().map(|node| node.span)?;
        let span = nodes.last().map_or(first, |last| first.to(last.span));
        Some(DetectionItem {
            field: None,
            modifiers: Vec::new(),
            values,
            list,
            linking: ValueLinking::Any,
            negated: false,
            span,
            applied: Vec::new(),
        })
    }

    /// A key with its modifiers, and its values.
    fn item(&mut self, entry: &Entry<'a>) -> Option<DetectionItem<'a>> {
        let (field, chain) = self.key(&entry.key, entry.key_span);
        let keyword = field.is_none();
        let plan = modifier::plan(&chain, keyword, self.diagnostics);
        let nodes = self.scalars(entry)?;
        let plan = plan?;
        let values = self.values(&plan, nodes, keyword)?;
        Some(DetectionItem {
            field,
            modifiers: chain.into_iter().map(|written| written.text).collect(),
            values,
            list: matches!(entry.value.data, Data::List(_)),
            linking: plan.linking,
            negated: plan.negated,
            span: entry.key_span,
            applied: Vec::new(),
        })
    }

    /// The field and the modifiers of a key; no field before the `|`, and the key `null`, mean keywords.
    fn key(&mut self, key: &Scalar<'a>, span: Span) -> (Option<Field<'a>>, Vec<Written<'a>>) {
        if matches!(key.resolve(), Plain::Null) {
            return (None, Vec::new());
        }
        self.trap(key, span);
        let text = key.text.as_ref();
        let mut at = 0;
        let mut words = text.split('|').map(|word| {
            let start = at;
            at += word.len() + 1;
            (start, word)
        });
        let name = words.next().map_or("", |(_, name)| name);
        let chain = words
            .map(|(start, word)| Written {
                text: part(&key.text, start, word),
                span: key.part(span, self.source, start, start + word.len()),
            })
            .collect();
        let field = (!name.is_empty()).then(|| Field::new(part(&key.text, 0, name)));
        (field, chain)
    }

    /// The values of an item: one scalar or a list of scalars.
    fn scalars<'n>(&mut self, entry: &'n Entry<'a>) -> Option<&'n [Node<'a>]> {
        let nodes = match &entry.value.data {
            Data::Scalar(_) => std::slice::from_ref(&entry.value),
            Data::List(nodes) if nodes.is_empty() => {
                return self.empty(entry.key_span.to(entry.value.span), "the list of values is empty");
            }
            Data::List(nodes) => nodes,
            Data::Map(_) => {
                let message = format!("the values of `{}` are a map, and text or a list is expected", entry.key.text);
                self.diagnostics.push(
                    Diagnostic::at(Code::WrongType, entry.key_span, message)
                        .here("holds a map")
                        .help("a map of fields stands in a detection of its own, or as an element of a list"),
                );
                return None;
            }
        };
        let before = self.diagnostics.len();
        for node in nodes.iter().filter(|node| node.as_scalar().is_none()) {
            let message =
                format!("a value of `{}` is {}, and text or a number is expected", entry.key.text, node.kind());
            self.diagnostics.push(Diagnostic::at(Code::WrongType, node.span, message).here("not a single value"));
        }
        (self.diagnostics.len() == before).then_some(nodes)
    }

    fn values(&mut self, plan: &Plan, nodes: &[Node<'a>], keyword: bool) -> Option<Vec<Value<'a>>> {
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            if self.variants > MAX_VARIANTS {
                // One message is enough: the rule is invalid, whatever the rest of its values.
                return None;
            }
            let Some(scalar) = node.as_scalar() else { continue };
            self.trap(scalar, node.span);
            let input = Input { raw: raw(scalar), keyword };
            match plan.compile(&input).and_then(|test| self.within_budget(test)) {
                Ok(test) => values.push(Value { test, span: node.span }),
                Err(fault) => self.fault(fault, scalar, node.span),
            }
        }
        (values.len() == nodes.len()).then_some(values)
    }

    /// The test, unless it brings more variants than a rule may have.
    fn within_budget(&mut self, test: Test<'a>) -> Result<Test<'a>, Fault> {
        let Test::OneOf(variants) = &test else { return Ok(test) };
        self.variants += variants.len();
        if self.variants <= MAX_VARIANTS {
            return Ok(test);
        }
        Err(Fault::too_many_variants(MAX_VARIANTS))
    }

    fn fault(&mut self, fault: Fault, scalar: &Scalar<'a>, span: Span) {
        let place = match fault.part {
            Some((start, end)) => scalar.part(span, self.source, start, end.min(scalar.text.len())),
            None => span,
        };
        let shown = Diagnostic::at(fault.code, place, fault.message).here(fault.here);
        self.diagnostics.push(match fault.help {
            Some(help) => shown.help(help),
            None => shown,
        });
    }

    /// Warns of a scalar that other readers of YAML take for something else.
    fn trap(&mut self, scalar: &Scalar<'_>, span: Span) {
        let Some(other) = yaml::trap(scalar) else { return };
        let here = scalar.resolve().kind();
        let text = &scalar.text;
        let shown = if here == other { "another number".to_owned() } else { other.to_owned() };
        self.diagnostics.push(
            Diagnostic::at(
                Code::YamlVersionTrap,
                span,
                format!("`{text}` is {here} here, and {shown} to readers of YAML 1.1"),
            )
            .here("means different things")
            .help(format!("quote it if the text is meant: `'{text}'`")),
        );
    }
}

/// A scalar as a value.
fn raw<'a>(scalar: &Scalar<'a>) -> Raw<'a> {
    match scalar.resolve() {
        Plain::Null => Raw::Null,
        Plain::Bool(value) => Raw::Bool(value, scalar.text.clone()),
        Plain::Number(number) => Raw::Number(number),
        Plain::Text => Raw::Text(scalar.text.clone()),
    }
}

/// A part of a text, borrowed where the text is.
fn part<'a>(text: &Cow<'a, str>, start: usize, piece: &str) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..start + piece.len()).unwrap_or("")),
        Cow::Owned(_) => Cow::Owned(piece.to_owned()),
    }
}
