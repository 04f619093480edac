//! The sample rules use every construct of the language.
//!
//! Invariant: what a rule uses is read from the parsed rule, not from its text, wherever the parsed rule still shows it.
//! A modifier without a sample rule, or a construct of [`WANTED`] without one, fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sigcast_diagnostics::{Class, SourceMap, render};
use sigcast_frontend::Kind;
use sigcast_ir::{
    Attribute, Condition, DetectionItem, NumberValue, Order, Part, Quantifier, Rule, Shape, Test, Tree, ValueLinking,
};
use sigcast_testing::{files, sample_rules};

/// Every construct beside the modifiers, which [`sigcast_frontend::modifiers`] lists.
const WANTED: &[&str] = &[
    // Modifiers together.
    "chain base64offset|contains",
    "chain wide|base64offset|contains",
    "chain utf16le|base64offset|contains",
    "chain utf16be|base64offset|contains",
    "chain utf16|base64|endswith",
    "chain windash|contains|all",
    "chain contains|all",
    "chain contains|cased",
    "chain endswith|neq",
    "chain fieldref|startswith",
    "chain fieldref|endswith",
    "chain fieldref|contains",
    "chain hour|gte",
    "chain hour|lt",
    "chain day|gt",
    "chain day|lte",
    "chain re|i",
    "chain re|i|m|s",
    // Text.
    "text empty",
    "text exact",
    "text prefix",
    "text suffix",
    "text contains",
    "text anything",
    "text with runs between",
    "text with single wildcards",
    "text with a placeholder",
    "text with a literal *",
    "text with a literal ?",
    "text with a backslash before a wildcard",
    "text that ends in a backslash",
    "text that begins with a backslash",
    "text with \"",
    "text with '",
    "text with a backquote",
    "text with $",
    "text from a number",
    "text with a line break",
    "text with a carriage return",
    "text with a tab",
    "text AND",
    "text OR",
    "text NOT",
    "text that begins with <",
    "text that begins with >",
    "text that is not ASCII",
    "text that is a number with leading zeros",
    "text that old YAML reads as octal",
    // Other values.
    "null",
    "true",
    "false",
    "exists true",
    "exists false",
    "number beyond 53 bits",
    "number negative",
    "number with a fraction",
    "number in hexadecimal notation",
    "network IPv4",
    "network IPv6",
    // Items and trees.
    "list of values",
    "list of exact values and patterns",
    "list of numbers and texts",
    "list of maps",
    "list in a list",
    "keyword alone",
    "keywords in a list",
    "keywords, all of them",
    "keyword by regular expression",
    "keyword that is a number",
    "keyword beside a field in one list",
    "keywords beside fields in one rule",
    // Conditions.
    "condition: list",
    "condition: parentheses in parentheses",
    "condition: 1 of them",
    "condition: all of them",
    "condition: 1 of a pattern",
    "condition: any of a pattern",
    "condition: all of a pattern",
    "condition: not 1 of a pattern",
    "condition: aggregation of old",
    "detection name that begins with _",
    "detection name that begins with an operator",
    "detection name with a hyphen",
    // Fields.
    "field with a blank",
    "field with a dot",
    "field with a dash",
    "field with @",
    "field with /",
    "field with :",
    "field with #",
    // Documents and files.
    "several documents",
    "action: global",
    "CR LF",
    "byte order mark",
    "extension yaml",
    "title with quotes",
    "title with $(",
    "title with {{",
    "title with a backquote",
    "title with a path",
    // Attributes.
    "attribute name",
    "attribute taxonomy",
    "attribute related",
    "attribute license",
    "attribute modified",
    "attribute fields",
    "attribute scope",
    "attribute custom",
    "attribute custom, nested",
    "attribute of the log source, custom",
    "attribute definition of the log source",
    "log source without product",
    "log source of Linux",
    "log source of macOS",
    "log source of a cloud",
];

#[test]
fn sample_rules_use_every_construct() {
    let found = survey();
    let mut missing: Vec<String> = Vec::new();
    for modifier in sigcast_frontend::modifiers() {
        let names = std::iter::once(modifier.name).chain(modifier.aliases.iter().copied());
        if !names.map(|name| format!("modifier {name}")).any(|name| found.contains_key(&name)) {
            missing.push(format!("modifier {}", modifier.name));
        }
    }
    missing.extend(WANTED.iter().filter(|name| !found.contains_key(**name)).map(|name| (*name).to_owned()));
    assert!(missing.is_empty(), "no sample rule uses: {missing:#?}");
}

#[test]
fn sample_rules_are_valid_and_distinct() {
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for path in rules() {
        let (sources, id) = read(&path);
        for document in sigcast_frontend::parse(&sources, id) {
            let invalid: Vec<String> = document
                .diagnostics
                .iter()
                .filter(|found| found.code.class() == Class::Invalid)
                .map(|found| render::text(found, &sources, false))
                .collect();
            assert!(invalid.is_empty(), "{}", invalid.join("\n"));
            let place = format!("{}, document {}", path.display(), document.number);
            if let Some(other) = document.id.and_then(|id| ids.insert(id.into_owned(), place.clone())) {
                panic!("one id for two rules: {place} and {other}");
            }
        }
    }
}

/// Every construct that some sample rule uses, with one file that does.
fn survey() -> BTreeMap<String, PathBuf> {
    let mut all = BTreeMap::new();
    for path in rules() {
        let mut survey = Survey::default();
        let bytes = std::fs::read_to_string(&path).expect("sample rules are UTF-8");
        survey.when(bytes.starts_with('\u{feff}'), "byte order mark");
        survey.when(bytes.contains("\r\n"), "CR LF");
        survey.when(path.extension().is_some_and(|extension| extension == "yaml"), "extension yaml");
        survey.when(bytes.contains("action: global"), "action: global");
        let (sources, id) = read(&path);
        let documents = sigcast_frontend::parse(&sources, id);
        survey.when(documents.len() > 1 && !bytes.contains("action:"), "several documents");
        for document in &documents {
            for diagnostic in &document.diagnostics {
                survey.when(diagnostic.code.as_str() == "legacy-aggregation", "condition: aggregation of old");
                survey.when(diagnostic.code.as_str() == "yaml-version-trap", "text that old YAML reads as octal");
            }
            if let Kind::Rule(rule) = &document.kind {
                survey.rule(rule, &sources);
            }
        }
        all.extend(survey.0.into_iter().map(|name| (name, path.clone())));
    }
    all
}

/// The constructs of one file.
#[derive(Default)]
struct Survey(BTreeSet<String>);

impl Survey {
    fn when(&mut self, holds: bool, name: &str) {
        if holds {
            self.0.insert(name.to_owned());
        }
    }

    fn rule(&mut self, rule: &Rule<'_>, sources: &SourceMap) {
        self.meta(rule);
        let (mut keywords, mut fields) = (false, false);
        for detection in &rule.detections {
            let name = detection.name.as_ref();
            let operator = ["not", "and", "or"].iter().any(|word| name.len() > word.len() && name.starts_with(word));
            self.when(name.starts_with('_'), "detection name that begins with _");
            self.when(operator, "detection name that begins with an operator");
            self.when(name.contains('-'), "detection name with a hyphen");
            self.tree(&detection.tree, sources);
            each_item(&detection.tree, &mut |item| match item.field {
                Some(_) => fields = true,
                None => keywords = true,
            });
        }
        self.when(keywords && fields, "keywords beside fields in one rule");
        self.when(rule.conditions.len() > 1, "condition: list");
        for (condition, span) in &rule.conditions {
            self.condition(condition, sources);
            let deepest = sources.snippet(*span).chars().scan(0, |depth, c| {
                *depth += i32::from(c == '(') - i32::from(c == ')');
                Some(*depth)
            });
            self.when(deepest.max() >= Some(2), "condition: parentheses in parentheses");
        }
    }

    fn meta(&mut self, rule: &Rule<'_>) {
        let meta = &rule.meta;
        self.when(meta.title.contains('"') && meta.title.contains('\''), "title with quotes");
        self.when(meta.title.contains("$("), "title with $(");
        self.when(meta.title.contains("{{"), "title with {{");
        self.when(meta.title.contains('`'), "title with a backquote");
        self.when(meta.title.contains("../"), "title with a path");
        self.when(meta.name.is_some(), "attribute name");
        self.when(meta.taxonomy.is_some(), "attribute taxonomy");
        self.when(!meta.related.is_empty(), "attribute related");
        self.when(meta.license.is_some(), "attribute license");
        self.when(meta.modified.is_some(), "attribute modified");
        self.when(!meta.fields.is_empty(), "attribute fields");
        self.when(!meta.scope.is_empty(), "attribute scope");
        self.when(!meta.custom.is_empty(), "attribute custom");
        let nested = meta.custom.iter().any(|(_, value)| matches!(value, Attribute::Map(_)));
        self.when(nested, "attribute custom, nested");
        let source = &rule.logsource;
        let product = source.product.as_deref();
        self.when(!source.custom.is_empty(), "attribute of the log source, custom");
        self.when(source.definition.is_some(), "attribute definition of the log source");
        self.when(product.is_none(), "log source without product");
        self.when(product == Some("linux"), "log source of Linux");
        self.when(product == Some("macos"), "log source of macOS");
        self.when(matches!(product, Some("aws" | "azure" | "gcp" | "m365")), "log source of a cloud");
    }

    fn tree(&mut self, tree: &Tree<'_>, sources: &SourceMap) {
        if let Tree::Any(terms) = tree {
            self.when(terms.iter().any(|term| matches!(term, Tree::All(_))), "list of maps");
            self.when(terms.iter().any(|term| matches!(term, Tree::Any(_))), "list in a list");
            let keyword = |term: &Tree<'_>| matches!(term, Tree::Item(item) if item.field.is_none());
            let mixed = terms.iter().any(keyword) && !terms.iter().all(keyword);
            self.when(mixed, "keyword beside a field in one list");
        }
        match tree {
            Tree::All(terms) | Tree::Any(terms) => terms.iter().for_each(|term| self.tree(term, sources)),
            Tree::Item(item) => self.item(item, sources),
        }
    }

    fn item(&mut self, item: &DetectionItem<'_>, sources: &SourceMap) {
        for modifier in &item.modifiers {
            self.0.insert(format!("modifier {modifier}"));
        }
        self.0.insert(format!("chain {}", item.modifiers.join("|")));
        self.when(item.list, "list of values");
        match &item.field {
            Some(field) => {
                let signs =
                    [(' ', "a blank"), ('.', "a dot"), ('-', "a dash"), ('@', "@"), ('/', "/"), (':', ":"), ('#', "#")];
                for (sign, name) in signs {
                    self.when(field.as_str().contains(sign), &format!("field with {name}"));
                }
            }
            None => {
                self.when(item.modifiers.is_empty() && !item.list, "keyword alone");
                self.when(item.modifiers.is_empty() && item.list, "keywords in a list");
                self.when(item.linking == ValueLinking::All, "keywords, all of them");
                let regex = item.values.iter().any(|value| matches!(value.test, Test::Regex(_)));
                self.when(regex, "keyword by regular expression");
                let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                let number = item.values.iter().any(|value| number(sources.snippet(value.span)));
                self.when(number, "keyword that is a number");
            }
        }
        let (numbers, texts) = item.values.iter().fold((false, false), |(numbers, texts), value| match value.test {
            Test::Number { .. } => (true, texts),
            Test::Text { .. } => (numbers, true),
            _ => (numbers, texts),
        });
        self.when(numbers && texts, "list of numbers and texts");
        let exact =
            |test: &Test<'_>| matches!(test, Test::Text { pattern, .. } if matches!(pattern.shape(), Shape::Exact(_)));
        let (whole, others) = item.values.iter().fold((false, false), |(whole, others), value| {
            if exact(&value.test) { (true, others) } else { (whole, matches!(value.test, Test::Text { .. }) || others) }
        });
        self.when(whole && others, "list of exact values and patterns");
        for value in &item.values {
            self.test(&value.test, sources.snippet(value.span));
        }
    }

    /// `written` is the value as the file has it.
    fn test(&mut self, test: &Test<'_>, written: &str) {
        match test {
            Test::Text { pattern, .. } => {
                let shape = match pattern.shape() {
                    Shape::Empty => "empty",
                    Shape::Exact(_) => "exact",
                    Shape::Prefix(_) => "prefix",
                    Shape::Suffix(_) => "suffix",
                    Shape::Contains(_) => "contains",
                    Shape::Anything => "anything",
                    Shape::Runs => "with runs between",
                    Shape::Singles => "with single wildcards",
                    Shape::Unresolved => "with a placeholder",
                };
                self.0.insert(format!("text {shape}"));
                if let Shape::Exact(text) = pattern.shape() {
                    self.when(matches!(text, "AND" | "OR" | "NOT"), &format!("text {text}"));
                    let digits = text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
                    self.when(digits && text == written, "text that is a number with leading zeros");
                }
                let number = written.bytes().all(|byte| byte.is_ascii_digit()) && !written.starts_with('0');
                self.when(number, "text from a number");
                self.parts(pattern.parts());
            }
            Test::Number { order, value } => {
                let (negative, large) = match value.value {
                    NumberValue::Integer(number) => (number < 0, number.abs() > 1 << 53),
                    NumberValue::Float(number) => (number < 0.0, false),
                };
                self.when(negative, "number negative");
                self.when(large && *order == Order::Equal, "number beyond 53 bits");
                self.when(matches!(value.value, NumberValue::Float(_)), "number with a fraction");
                self.when(written.starts_with("0x"), "number in hexadecimal notation");
            }
            Test::Network(network) => {
                let family = if network.addr().is_ipv4() { "network IPv4" } else { "network IPv6" };
                self.when(true, family);
            }
            Test::Bool(value) => self.when(true, if *value { "true" } else { "false" }),
            Test::Exists(value) => self.when(true, if *value { "exists true" } else { "exists false" }),
            Test::Null => self.when(true, "null"),
            Test::OneOf(variants) => variants.iter().for_each(|variant| self.test(variant, written)),
            Test::Regex(_) | Test::SameAs { .. } | Test::TimePart { .. } | Test::Raw(_) => {}
        }
    }

    fn parts(&mut self, parts: &[Part<'_>]) {
        for (at, part) in parts.iter().enumerate() {
            let Part::Text(text) = part else { continue };
            let before_wildcard = matches!(parts.get(at + 1), Some(Part::AnyRun | Part::AnyOne));
            let signs = [
                ('*', "a literal *"),
                ('?', "a literal ?"),
                ('"', "\""),
                ('\'', "'"),
                ('`', "a backquote"),
                ('$', "$"),
                ('\n', "a line break"),
                ('\r', "a carriage return"),
                ('\t', "a tab"),
            ];
            for (sign, name) in signs {
                self.when(text.contains(sign), &format!("text with {name}"));
            }
            self.when(text.ends_with('\\') && before_wildcard, "text with a backslash before a wildcard");
            self.when(text.ends_with('\\'), "text that ends in a backslash");
            self.when(text.starts_with('\\'), "text that begins with a backslash");
            self.when(text.starts_with('<') && at == 0, "text that begins with <");
            self.when(text.starts_with('>') && at == 0, "text that begins with >");
            self.when(!text.is_ascii(), "text that is not ASCII");
        }
    }

    fn condition(&mut self, condition: &Condition<'_>, sources: &SourceMap) {
        match condition {
            Condition::And(terms) | Condition::Or(terms) => {
                terms.iter().for_each(|term| self.condition(term, sources));
            }
            Condition::Not(inner) => {
                let of = matches!(inner.as_ref(), Condition::Of { quantifier: Quantifier::Any, .. });
                self.when(of, "condition: not 1 of a pattern");
                self.condition(inner, sources);
            }
            Condition::Of { pattern, span, .. } => {
                let word = sources.snippet(*span).split_whitespace().next().unwrap_or_default();
                let what = if pattern == "them" { "them" } else { "a pattern" };
                self.0.insert(format!("condition: {word} of {what}"));
            }
            Condition::Detection { .. } => {}
        }
    }
}

fn each_item<'t, 'a>(tree: &'t Tree<'a>, visit: &mut impl FnMut(&'t DetectionItem<'a>)) {
    match tree {
        Tree::All(terms) | Tree::Any(terms) => terms.iter().for_each(|term| each_item(term, visit)),
        Tree::Item(item) => visit(item),
    }
}

fn read(path: &Path) -> (SourceMap, sigcast_diagnostics::SourceId) {
    let mut sources = SourceMap::new();
    let text = std::fs::read_to_string(path).expect("sample rules are UTF-8");
    let id = sources.add(path.to_string_lossy(), text);
    (sources, id)
}

/// Every sample rule that is right, sorted.
fn rules() -> Vec<PathBuf> {
    let mut found = files(&sample_rules(), &["yml", "yaml"]);
    found.retain(|path| !path.starts_with(sample_rules().join("bad")));
    found
}
