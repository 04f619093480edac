//! Builds node trees from parser events.
//!
//! Invariant: no recursion over the input; open lists and maps lie on a stack of bounded height.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag as RawTag};
use sigcast_diagnostics::{Code, Diagnostic, Span};

use super::offsets::Offsets;
use super::{Data, Entry, MAX_ALIASED, MAX_BYTES, MAX_DEPTH, Node, Place, Plain, RawDocument, Reading, Scalar, Tag};

/// After so many breaks the rest of the text is given up: every break costs a fresh look at what follows it.
const MAX_BREAKS: usize = 100;

/// All documents of a text, in order. After a break, reading goes on at the next line that starts with `---`.
pub(crate) fn load(place: Place<'_>) -> Vec<RawDocument<'_>> {
    let mut documents = Vec::new();
    if place.text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, and no rule file needs more than {MAX_BYTES}", place.text.len());
        let fault = Diagnostic::at(Code::TooLarge, Span::new(place.id, 0, 0), message).here("starts here");
        documents.push(RawDocument { root: None, diagnostics: vec![fault.help("split the file")] });
        return documents;
    }
    let mut base = 0;
    for _ in 0..MAX_BREAKS {
        let Some(broken_at) = Builder::new(place, base).run(&mut documents) else { break };
        let Some(next) = place.text.get(broken_at..).and_then(|rest| rest.find("\n---")) else { break };
        base = broken_at + next + 1;
    }
    documents
}

/// A list or map that is not complete.
enum Open<'a> {
    List(Vec<Node<'a>>),
    Map { entries: Vec<Entry<'a>>, key: Option<(Scalar<'a>, Span)> },
}

struct Frame<'a> {
    open: Open<'a>,
    span: Span,
    anchor: usize,
}

struct Builder<'a> {
    place: Place<'a>,
    base: usize,
    offsets: Offsets<'a>,
    stack: Vec<Frame<'a>>,
    root: Option<Node<'a>>,
    anchors: HashMap<usize, Anchor<'a>>,
    aliased: usize,
    /// Levels below the deepest one allowed: their content is skipped.
    skipped: usize,
    diagnostics: Vec<Diagnostic>,
}

/// An anchored node with its size and height, by which its aliases are charged.
struct Anchor<'a> {
    node: Node<'a>,
    size: usize,
    height: usize,
}

impl<'a> Builder<'a> {
    fn new(place: Place<'a>, base: usize) -> Self {
        Self {
            place,
            base,
            offsets: Offsets::new(place.text.get(base..).unwrap_or("")),
            stack: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            aliased: 0,
            skipped: 0,
            diagnostics: Vec::new(),
        }
    }

    /// Reads documents until the end or a break; in the latter case, returns the byte of the break.
    fn run(mut self, documents: &mut Vec<RawDocument<'a>>) -> Option<usize> {
        let mut parser: Parser<'a, StrInput<'a>> = Parser::new_from_str(self.place.text.get(self.base..).unwrap_or(""));
        while let Some(event) = parser.next_event() {
            let (event, span) = match event {
                Ok((event, span)) => (event, self.span(span)),
                Err(error) => {
                    let at = self.base + self.offsets.byte(error.marker().index());
                    self.diagnostics.push(broken(&error, self.place, at));
                    documents.push(RawDocument { root: None, diagnostics: self.diagnostics });
                    return Some(at);
                }
            };
            match event {
                Event::DocumentStart(_) => {
                    self.anchors.clear();
                    self.aliased = 0;
                }
                Event::DocumentEnd => documents
                    .push(RawDocument { root: self.root.take(), diagnostics: std::mem::take(&mut self.diagnostics) }),
                Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
                event => self.node(event, span),
            }
        }
        None
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.base + self.offsets.byte(span.start.index());
        let end = self.base + self.offsets.byte(span.end.index());
        Span::new(self.place.id, start, end)
    }

    fn node(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::SequenceStart(anchor, tag) => self.open(Open::List(Vec::new()), span, anchor, tag.as_deref()),
            Event::MappingStart(anchor, tag) => {
                self.open(Open::Map { entries: Vec::new(), key: None }, span, anchor, tag.as_deref());
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            _ if self.skipped > 0 => {}
            Event::Scalar(text, style, anchor, tag) => {
                let (scalar, span) = self.scalar(text, style, tag.as_deref(), span);
                self.attach(Node { span, data: Data::Scalar(scalar) }, anchor);
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => {}
        }
    }

    fn open(&mut self, open: Open<'a>, span: Span, anchor: usize, tag: Option<&RawTag>) {
        if self.skipped > 0 || self.stack.len() >= MAX_DEPTH {
            if self.skipped == 0 {
                self.too_deep(span);
            }
            self.skipped += 1;
            return;
        }
        let wanted = if matches!(open, Open::List(_)) { "seq" } else { "map" };
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && tag.suffix == wanted)) {
            self.unknown_tag(tag, span);
        }
        self.stack.push(Frame { open, span, anchor });
    }

    fn too_deep(&mut self, span: Span) {
        if self.diagnostics.iter().any(|known| known.code == Code::TooDeep) {
            return;
        }
        let message = format!("lists and maps nest deeper than {MAX_DEPTH} levels");
        let place = Span { end: span.end.min(span.start + 1), ..span };
        self.diagnostics.push(
            Diagnostic::at(Code::TooDeep, place, message)
                .here("one level too deep")
                .help("a rule needs about six levels: `detection`, a detection, a list, a map, a field, its values"),
        );
    }

    fn close(&mut self, end: Span) {
        if self.skipped > 0 {
            self.skipped -= 1;
            if self.skipped == 0 {
                let null = Scalar { text: Cow::Borrowed(""), reading: Reading::Plain, content: None };
                self.attach(Node { span: end, data: Data::Scalar(null) }, 0);
            }
            return;
        }
        let Some(frame) = self.stack.pop() else { return };
        // Block collections have no end of their own: their last child's is theirs.
        let own_end = if end.end > end.start { end } else { Span { end: frame.span.start, ..frame.span } };
        let (data, last) = match frame.open {
            Open::List(nodes) => {
                let last = nodes.last().map(|node| node.span);
                (Data::List(nodes), last)
            }
            Open::Map { entries, .. } => {
                let last = entries.last().map(|entry| entry.key_span.to(entry.value.span));
                (Data::Map(self.merged(entries)), last)
            }
        };
        let start = Span { end: frame.span.start, ..frame.span };
        let span = start.to(own_end);
        let span = last.filter(|last| last.start >= span.start).map_or(span, |last| span.to(last));
        self.attach(Node { span, data }, frame.anchor);
    }

    /// Puts a finished node where it belongs.
    fn attach(&mut self, node: Node<'a>, anchor: usize) {
        if anchor > 0 {
            let size = size(&node);
            let height = height(&node);
            self.anchors.insert(anchor, Anchor { node: node.clone(), size, height });
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut frame.open {
            Open::List(nodes) => nodes.push(node),
            Open::Map { entries, key } => match key.take() {
                Some((name, key_span)) => entries.push(Entry { key: name, key_span, value: node }),
                None => *key = Some(self_key(node, &mut self.diagnostics)),
            },
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) {
        let null = Scalar { text: Cow::Borrowed(""), reading: Reading::Plain, content: None };
        let mut node = Node { span, data: Data::Scalar(null) };
        match self.anchors.get(&anchor) {
            None => self.diagnostics.push(
                Diagnostic::at(Code::BrokenYaml, span, "the alias names no complete node of this document before it")
                    .here("refers to itself or to nothing"),
            ),
            Some(found) if self.stack.len() + found.height > MAX_DEPTH => self.too_deep(span),
            Some(found) if self.aliased + found.size > MAX_ALIASED => {
                if self.aliased <= MAX_ALIASED {
                    self.aliased = MAX_ALIASED + 1;
                    let message = format!("the aliases of this document add more than {MAX_ALIASED} nodes to it");
                    self.diagnostics.push(
                        Diagnostic::at(Code::TooManyAliases, span, message)
                            .here("one alias too many")
                            .help("write the values out, or use fewer aliases of aliases"),
                    );
                }
            }
            Some(found) => {
                self.aliased += found.size;
                node = found.node.clone();
            }
        }
        self.attach(node, 0);
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&RawTag>,
        span: Span,
    ) -> (Scalar<'a>, Span) {
        let quotes = usize::from(matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
        let span = if quotes > 0 { self.quoted(span) } else { span };
        let (start, end) = (span.start as usize + quotes, (span.end as usize).saturating_sub(quotes));
        let verbatim = self.place.text.get(start..end).filter(|raw| *raw == text);
        let plain = style == ScalarStyle::Plain;
        let scalar = Scalar {
            content: verbatim.and_then(|_| u32::try_from(start).ok()),
            text: verbatim.map_or_else(|| Cow::Owned(text.into_owned()), Cow::Borrowed),
            reading: if plain { Reading::Plain } else { Reading::Text },
        };
        let scalar = match tag {
            Some(tag) => self.tagged(scalar, tag, span),
            None => scalar,
        };
        (scalar, self.trimmed(span))
    }

    /// The span of a quoted scalar up to its closing quote: the parser's own goes on over a comment behind it.
    fn quoted(&self, span: Span) -> Span {
        let raw = self.place.text.get(span.start as usize..span.end as usize).unwrap_or("");
        let Some(quote @ (b'\'' | b'"')) = raw.bytes().next() else { return span };
        let mut bytes = raw.bytes().enumerate().skip(1).peekable();
        while let Some((at, byte)) = bytes.next() {
            let escaped = (byte == b'\\' && quote == b'"')
                || (byte == quote && quote == b'\'' && bytes.peek().is_some_and(|(_, next)| *next == quote));
            if escaped {
                bytes.next();
            } else if byte == quote {
                return span.part(0, at + 1);
            }
        }
        span
    }

    /// A span without trailing blanks and line breaks, which block scalars bring along.
    fn trimmed(&self, span: Span) -> Span {
        let raw = self.place.text.get(span.start as usize..span.end as usize).unwrap_or("");
        span.part(0, raw.trim_end().len())
    }

    /// The scalar, read as its tag says.
    fn tagged(&mut self, mut scalar: Scalar<'a>, tag: &RawTag, span: Span) -> Scalar<'a> {
        let non_specific = tag.suffix.is_empty() || (tag.handle.is_empty() && tag.suffix == "!");
        let known = tag.is_yaml_core_schema().then_some(tag.suffix.as_str());
        let wanted = match known {
            _ if non_specific => None,
            Some("str") => None,
            Some("int") => Some(Tag::Int),
            Some("float") => Some(Tag::Float),
            Some("bool") => Some(Tag::Bool),
            Some("null") => Some(Tag::Null),
            _ => {
                self.unknown_tag(tag, span);
                return scalar;
            }
        };
        let Some(wanted) = wanted else {
            scalar.reading = Reading::Text;
            return scalar;
        };
        let read = super::scalar::plain(&scalar.text);
        let fits = matches!(
            (wanted, &read),
            (Tag::Int | Tag::Float, Plain::Number(_)) | (Tag::Bool, Plain::Bool(_)) | (Tag::Null, Plain::Null)
        );
        if fits {
            scalar.reading = Reading::Tagged(wanted);
        } else {
            let message = format!("the tag `!!{}` does not fit its value, which is {}", tag.suffix, read.kind());
            self.diagnostics.push(Diagnostic::at(Code::WrongType, span, message).here("not of that type"));
        }
        scalar
    }

    fn unknown_tag(&mut self, tag: &RawTag, span: Span) {
        let message = format!("the tag `{tag}` says nothing in a Sigma rule");
        self.diagnostics.push(
            Diagnostic::at(Code::WrongType, span, message)
                .here("tagged value")
                .help("known tags are `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq` and `!!map`"),
        );
    }

    /// The entries with merge keys merged and repeated keys reported; the first of them stays.
    fn merged(&mut self, entries: Vec<Entry<'a>>) -> Vec<Entry<'a>> {
        let is_merge = |entry: &Entry<'_>| entry.key.reading == Reading::Plain && entry.key.text == "<<";
        let mut seen = Seen::default();
        let mut merges = Vec::new();
        let mut own = Vec::with_capacity(entries.len());
        for entry in entries {
            if is_merge(&entry) {
                merges.push(entry);
            } else if let Some(first) = seen.first(&own, &entry.key.text) {
                self.diagnostics.push(
                    Diagnostic::at(
                        Code::DuplicateKey,
                        entry.key_span,
                        format!("the key `{}` stands twice in one map", entry.key.text),
                    )
                    .here("stands here again")
                    .label(first, "stands here first")
                    .help("readers of YAML keep one of the values and drop the other: join them, or rename one key"),
                );
            } else {
                seen.push(&mut own, entry);
            }
        }
        for merge in merges {
            for added in self.sources_of_merge(merge) {
                if seen.first(&own, &added.key.text).is_none() {
                    seen.push(&mut own, added);
                }
            }
        }
        own
    }

    fn sources_of_merge(&mut self, merge: Entry<'a>) -> Vec<Entry<'a>> {
        let nodes = match merge.value.data {
            Data::List(nodes) => nodes,
            _ => vec![merge.value],
        };
        let mut entries = Vec::new();
        for node in nodes {
            let kind = node.kind();
            match node.data {
                Data::Map(added) => entries.extend(added),
                _ => self.diagnostics.push(
                    Diagnostic::at(
                        Code::WrongType,
                        node.span,
                        format!("the merge key `<<` takes a map or a list of maps, not {kind}"),
                    )
                    .here("not a map"),
                ),
            }
        }
        entries
    }
}

/// Which keys a map has. Small maps, that is nearly all, are searched; larger ones get an index.
#[derive(Default)]
struct Seen<'a> {
    index: HashMap<Cow<'a, str>, Span>,
}

impl<'a> Seen<'a> {
    const SMALL: usize = 16;

    /// Where a key stands among the entries so far.
    fn first(&self, entries: &[Entry<'a>], key: &str) -> Option<Span> {
        if entries.len() <= Self::SMALL {
            return entries.iter().find(|entry| entry.key.text == key).map(|entry| entry.key_span);
        }
        self.index.get(key).copied()
    }

    fn push(&mut self, entries: &mut Vec<Entry<'a>>, entry: Entry<'a>) {
        entries.push(entry);
        if entries.len() > Self::SMALL {
            let known = self.index.len();
            let fresh = entries.iter().skip(known).map(|entry| (entry.key.text.clone(), entry.key_span));
            self.index.extend(fresh);
        }
    }
}

/// A node as the key of a map.
fn self_key<'a>(node: Node<'a>, diagnostics: &mut Vec<Diagnostic>) -> (Scalar<'a>, Span) {
    let kind = node.kind();
    match node.data {
        Data::Scalar(scalar) => (scalar, node.span),
        _ => {
            let message = format!("a key of a map is text, not {kind}");
            diagnostics.push(
                Diagnostic::at(Code::WrongType, node.span, message)
                    .here("stands as a key")
                    .help("values in braces or brackets are maps and lists in YAML: quote a text that starts so"),
            );
            (Scalar { text: Cow::Borrowed(""), reading: Reading::Text, content: None }, node.span)
        }
    }
}

/// How many nodes a tree has. Trees are of bounded depth.
pub(crate) fn size(node: &Node<'_>) -> usize {
    1 + match &node.data {
        Data::Scalar(_) => 0,
        Data::List(nodes) => nodes.iter().map(size).sum(),
        Data::Map(entries) => entries.iter().map(|entry| size(&entry.value)).sum(),
    }
}

/// How many levels of lists and maps a tree has.
fn height(node: &Node<'_>) -> usize {
    match &node.data {
        Data::Scalar(_) => 0,
        Data::List(nodes) => 1 + nodes.iter().map(height).max().unwrap_or(0),
        Data::Map(entries) => 1 + entries.iter().map(|entry| height(&entry.value)).max().unwrap_or(0),
    }
}

/// The break of a text as YAML, with a guess at its cause from what stands there.
fn broken(error: &ScanError, place: Place<'_>, at: usize) -> Diagnostic {
    let text = place.text;
    let mut start = at.min(text.len());
    // The end of the text and line ends cannot be pointed at: the last visible character before them can.
    let rest = text.get(start..).unwrap_or("");
    if rest.trim_start_matches(' ').is_empty() || rest.starts_with(['\n', '\r']) {
        start = text.get(..start).map_or(0, |before| before.trim_end().len().saturating_sub(1));
    }
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let width = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let span = Span::new(place.id, start, start + width);
    let fault = Diagnostic::at(Code::BrokenYaml, span, format!("the text is not well-formed YAML: {}", error.info()))
        .here("reading stopped here");
    let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or("");
    match cause(line) {
        Some(help) => fault.help(help),
        None => fault,
    }
}

/// What is usually wrong with such a line.
fn cause(line: &str) -> Option<&'static str> {
    let indent = line.len() - line.trim_start().len();
    if line.get(..indent).is_some_and(|blank| blank.contains('\t')) {
        return Some("indentation is made of blanks: YAML allows no tabs there");
    }
    let content = line.trim_start().trim_start_matches("- ");
    let value = content.split_once(": ").map_or(content, |(_, value)| value).trim_start();
    match value.chars().next() {
        Some('*') => Some("an unquoted `*` starts an alias: quote the value"),
        Some('%' | '@' | '`') => Some("an unquoted value cannot start with `%`, `@` or a backquote: quote it"),
        Some('&') => Some("an unquoted `&` starts an anchor: quote the value"),
        Some('!') => Some("an unquoted `!` starts a tag: quote the value"),
        Some('"') if value.contains('\\') => {
            Some("in double quotes a backslash starts an escape: use single quotes, which keep it as it is")
        }
        Some('\'' | '"') => Some(
            "a quote inside a quoted value is doubled (`''`) or escaped (`\\\"`), and the closing one must be there",
        ),
        Some('[' | '{') => Some("an unquoted `[` or `{` starts a list or a map: quote the value"),
        _ if value.contains(": ") => Some("a value with `: ` in it must be quoted"),
        _ => None,
    }
}
