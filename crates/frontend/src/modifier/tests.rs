//! What chains of modifiers make of values, shown in a compact form.

use std::fmt::Write as _;

use sigcast_diagnostics::{Diagnostic, SourceMap};
use sigcast_ir::{Case, DetectionItem, Part, Pattern, Test, Tree, ValueLinking};

use crate::detection::Reader;
use crate::yaml::{self, Place};

/// Literal text in `<>`, wildcards as they are, NUL as `0`.
fn pattern(pattern: &Pattern<'_>) -> String {
    let part = |part: &Part<'_>| match part {
        Part::Text(text) => format!("<{}>", text.replace('\0', "0")),
        Part::AnyRun => "*".into(),
        Part::AnyOne => "?".into(),
        Part::Placeholder(name) => format!("%{name}%"),
    };
    let shown: String = pattern.parts().iter().map(part).collect();
    if shown.is_empty() { "<>".into() } else { shown }
}

fn test(wanted: &Test<'_>) -> String {
    match wanted {
        Test::Text { pattern: text, case: Case::Insensitive } => pattern(text),
        Test::Text { pattern: text, case: Case::Sensitive } => format!("cased {}", pattern(text)),
        Test::Regex(regex) => {
            let flags = [(regex.flags.ignore_case, 'i'), (regex.flags.multiline, 'm'), (regex.flags.dot_all, 's')];
            let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag).collect();
            format!("/{}/{flags}{}", regex.source, regex.opaque.map_or_else(String::new, |why| format!(" ({why})")))
        }
        Test::Network(network) => network.to_string(),
        Test::Number { order, value } => format!("{}{}", order.sign(), value.text),
        Test::Bool(value) => value.to_string(),
        Test::Null => "null".into(),
        Test::Exists(value) => format!("exists {value}"),
        Test::SameAs { other, affix, case } => format!("{affix:?} {} {case:?}", other.as_str()),
        Test::TimePart { part, order, value } => format!("{part:?}{}{}", order.sign(), value.text),
        other @ Test::Raw(_) => format!("{other:?}"),
        Test::OneOf(tests) => format!("({})", tests.iter().map(test).collect::<Vec<_>>().join(" | ")),
    }
}

fn item(item: &DetectionItem<'_>) -> String {
    let join = if item.linking == ValueLinking::All { " & " } else { " or " };
    let values: Vec<_> = item.values.iter().map(|value| test(&value.test)).collect();
    let not = if item.negated { "not " } else { "" };
    let field = item.field.as_ref().map_or("any", |field| field.as_str());
    format!("{not}{field}: {}", values.join(join))
}

fn tree(node: &Tree<'_>) -> String {
    let all = |nodes: &[Tree<'_>]| nodes.iter().map(tree).collect::<Vec<_>>().join("; ");
    match node {
        Tree::All(nodes) => format!("all[{}]", all(nodes)),
        Tree::Any(nodes) => format!("any[{}]", all(nodes)),
        Tree::Item(one) => item(one),
    }
}

/// Shows what a detection in YAML means; of a wrong one, its faults.
fn shown(detection: &str) -> String {
    let mut sources = SourceMap::new();
    let id = sources.add("test.yml", detection);
    let place = Place { id, text: sources.get(id).text() };
    let mut documents = yaml::load(place);
    let document = documents.pop().expect("a document");
    let mut diagnostics: Vec<Diagnostic> = document.diagnostics;
    let root = document.root.expect("a node");
    let read = Reader::new(place.text, &mut diagnostics).tree(&root, root.span);
    match read {
        Some(found) => tree(&found),
        None => diagnostics.iter().fold(String::new(), |mut shown, fault| {
            let at = fault.span().map_or("", |span| sources.snippet(span));
            write!(shown, "{} at `{at}`; ", fault.code.as_str()).expect("strings can be written");
            shown
        }),
    }
}

fn check(detection: &str, expected: &str) {
    assert_eq!(shown(detection), expected, "{detection}");
}

#[test]
fn plain_values() {
    check("f: a", "all[f: <a>]");
    check("f: [a, 'b*c?']", "all[f: <a> or <b>*<c>?]");
    check("f: 4688", "all[f: =4688]");
    check("f: '4688'", "all[f: <4688>]");
    check("f: 9007199254740993", "all[f: =9007199254740993]");
    check("f: 0x1F", "all[f: =31]");
    check("f: +5", "all[f: =5]");
    check("f: 00000429", "all[f: <00000429>]");
    check("f: 1.10", "all[f: =1.10]");
    check("f: 99999999999999999999", "all[f: <99999999999999999999>]");
    check("f: true", "all[f: true]");
    check("f: 'true'", "all[f: <true>]");
    check("f:", "all[f: null]");
    check("f: ''", "all[f: <>]");
    check("f: [null, '']", "all[f: null or <>]");
    check("f: !!str 12", "all[f: <12>]");
    check("f: .inf", "all[f: <.inf>]");
}

#[test]
fn nesting() {
    check("{f: a, g: b}", "all[f: <a>; g: <b>]");
    check("[{f: a}, {g: b, h: c}]", "any[all[f: <a>]; all[g: <b>; h: <c>]]");
    check("[a, 12, true]", "any: <a> or <12> or <true>");
    check("[a, {f: b}, [c, {g: d}]]", "any[any: <a>; all[f: <b>]; any[any: <c>; all[g: <d>]]]");
    check("word", "any: <word>");
    check("'|all': [a, b]", "all[any: <a> & <b>]");
    check("'|re': 'a.b'", "all[any: /a.b/]");
    check("'|contains': 'a'", "all[any: *<a>*]");
    check("[]", "empty-detection at `[]`; ");
    check("{f: []}", "empty-detection at `f: []`; ");
    check("{f: {g: a}}", "wrong-type at `f`; ");
    check("[null]", "wrong-type at `null`; ");
}

#[test]
fn affixes_and_case() {
    check("f|contains: a", "all[f: *<a>*]");
    check("f|startswith: a", "all[f: <a>*]");
    check("f|endswith: a", "all[f: *<a>]");
    check("f|contains: '*a*'", "all[f: *<a>*]");
    check(r"f|contains: 'dir\'", r"all[f: *<dir\>*]");
    check(r"f|startswith: '\\\\x'", r"all[f: <\\x>*]");
    check("f|contains: 12", "all[f: *<12>*]");
    check("f|endswith: true", "all[f: *<true>]");
    check("f|contains: ''", "all[f: *]");
    check("f|cased: A*", "all[f: cased <A>*]");
    check("f|cased|contains: A", "all[f: cased *<A>*]");
    check("f|contains|all: [a, b]", "all[f: *<a>* & *<b>*]");
    check("f|neq: a", "all[not f: <a>]");
    check("f|neq: null", "all[not f: null]");
    check("f|contains: null", "bad-modifier-chain at `null`; ");
    check("f|startswith|endswith: a", "bad-modifier-chain at `endswith`; ");
    check("f|contains|contains: a", "bad-modifier-chain at `contains`; ");
    check("'|startswith': a", "bad-modifier-chain at `startswith`; ");
    check("f|contians|al: a", "unknown-modifier at `contians`; unknown-modifier at `al`; ");
    check("f|: a", "unknown-modifier at ``; ");
}

#[test]
fn encodings() {
    check("f|base64: foo", "all[f: <Zm9v>]");
    check(r"f|base64: 'foo\*'", "all[f: <Zm9vKg==>]");
    check("f|base64: 'foo*'", "bad-modifier-chain at `'foo*'`; ");
    check("f|base64: é", "all[f: <w6k=>]");
    check("f|base64offset|contains: foobar", "all[f: (*<Zm9vYmFy>* | *<Zvb2Jhc>* | *<mb29iYX>*)]");
    check("f|base64offset|contains: fö", "all[f: (*<ZsO2>* | *<bDt>* | *<mw7>*)]");
    check("f|base64offset: a", "bad-value at `a`; ");
    check("f|base64offset: ''", "bad-value at `''`; ");
    check("f|wide|base64: ab", "all[f: <YQBiAA==>]");
    check("f|utf16le|base64: ab", "all[f: <YQBiAA==>]");
    check("f|utf16be|base64: ab", "all[f: <AGEAYg==>]");
    check("f|utf16|base64: a", "all[f: <//5hAA==>]");
    check("f|wide|base64offset|contains: ab", "all[f: (*<YQBiA>* | *<EAYg>* | *<hAGIA>*)]");
    check("f|wide: ab", "all[f: <a0b0>]");
    check("f|wide|contains: 'a*b'", "all[f: *<a0>*<b0>*]");
    check("f|wide: é", "bad-modifier-chain at `é`; ");
    check("f|utf16: a", "bad-modifier-chain at `a`; ");
    check("f|wide|utf16be: a", "bad-modifier-chain at `utf16be`; ");
    check("f|contains|base64: a", "bad-modifier-chain at `base64`; ");
    check("f|base64|base64: foo", "all[f: <Wm05dg==>]");
    check("f|base64: 12", "all[f: <MTI=>]");
}

#[test]
fn dashes_that_begin_a_flag() {
    check("f|windash: -x", "all[f: (<-x> | </x> | <–x> | <—x> | <―x>)]");
    check("f|contains|windash: ' /x'", "all[f: (*< -x>* | *< /x>* | *< –x>* | *< —x>* | *< ―x>*)]");
    check("f|windash|contains: '\"-x'", "all[f: (*<\"-x>* | *<\"/x>* | *<\"–x>* | *<\"—x>* | *<\"―x>*)]");
    check("f|windash: 'http://a-b/c --x - a'", "all[f: <http://a-b/c --x - a>]");
    check("f|windash: '-a -b -c -d -e'", "too-many-variants at `'-a -b -c -d -e'`; ");
    assert_eq!(shown("f|windash: '-a -b'").matches('|').count(), 24);
    assert_eq!(shown("f|windash: '-a*-b'").matches('|').count(), 24);
    check("f|base64|windash: -a", "bad-modifier-chain at `windash`; ");
}

#[test]
fn placeholders() {
    check("f|expand: '%users%'", "all[f: %users%]");
    check(r"f|expand: '%d%\x%u%*'", r"all[f: %d%<\x>%u%*]");
    check("f: '%users%'", "all[f: <%users%>]");
    check("f|expand: '100% of 5%'", "all[f: <100% of 5%>]");
    check("f|expand|contains: '%a%'", "all[f: *%a%*]");
    check("f|contains|expand: '%a%'", "all[f: *%a%*]");
    check("f|expand|base64: '%a%'", "bad-modifier-chain at `'%a%'`; ");
    check("f|re|expand: '%a%'", "bad-modifier-chain at `expand`; ");
}

#[test]
fn regexes() {
    check(r"f|re: '^a\d+$'", r"all[f: /^a\d+$/]");
    check("f|re|i|m|s: 'a*'", "all[f: /a*/ims]");
    check("f|re|ignorecase|multiline|dotall: a", "all[f: /a/ims]");
    check("f|re: 'a(?!b)'", "all[f: /a(?!b)/ (look-ahead)]");
    check("f|re|neq: a", "all[not f: /a/]");
    check("f|re: 12", "all[f: /12/]");
    check("f|re: 'a(b'", "bad-regex at `(`; ");
    check("f|re: \"a\\tb[z-a]\"", "bad-regex at `z-a`; ");
    check("f|i: a", "bad-modifier-chain at `i`; ");
    check("f|re|contains: a", "bad-modifier-chain at `contains`; ");
    check("f|re|cased: a", "bad-modifier-chain at `cased`; ");
    check("f|re: null", "bad-modifier-chain at `null`; ");
}

#[test]
fn networks() {
    check("f|cidr: 10.0.0.0/8", "all[f: 10.0.0.0/8]");
    check("f|cidr: ['::1', 'fe80::/10']", "all[f: ::1/128 or fe80::/10]");
    check("f|cidr: 10.1.2.3", "all[f: 10.1.2.3/32]");
    check("f|cidr: 10.1.2.3/8", "bad-network at `10.1.2.3/8`; ");
    check("f|cidr: 10.*", "bad-network at `10.*`; ");
    check("f|cidr: null", "bad-modifier-chain at `null`; ");
    check("f|cidr|contains: 10.0.0.0/8", "bad-modifier-chain at `contains`; ");
    check("'|cidr': 10.0.0.0/8", "bad-modifier-chain at `cidr`; ");
}

#[test]
fn numbers_and_times() {
    check("f|lt: 5", "all[f: <5]");
    check("f|gte: '1.5'", "all[f: >=1.5]");
    check("f|gt: five", "bad-number at `five`; ");
    check("f|gt|lt: 5", "bad-modifier-chain at `lt`; ");
    check("f|gt|contains: 5", "bad-modifier-chain at `contains`; ");
    check("f|hour: 5", "all[f: Hour=5]");
    check("f|hour|gte: 22", "all[f: Hour>=22]");
    check("f|lt|year: 2020", "all[f: Year<2020]");
    check("f|month: 13", "bad-number at `13`; ");
    check("f|day: 1.5", "bad-number at `1.5`; ");
    check("f|day|week: 1", "bad-modifier-chain at `week`; ");
    check("f|cidr|minute: 1", "bad-modifier-chain at `minute`; ");
}

#[test]
fn existence_and_references() {
    check("f|exists: true", "all[f: exists true]");
    check("f|exists: false", "all[f: exists false]");
    check("f|exists: 'true'", "wrong-type at `'true'`; ");
    check("f|exists|contains: true", "bad-modifier-chain at `contains`; ");
    check("f|fieldref: g*", "all[f: Equals g* Insensitive]");
    check("f|fieldref|endswith: g", "all[f: EndsWith g Insensitive]");
    check("f|startswith|fieldref|cased: g", "all[f: StartsWith g Sensitive]");
    check("f|fieldref: ''", "bad-value at `''`; ");
    check("f|fieldref|base64: g", "bad-modifier-chain at `base64`; ");
}

#[test]
fn the_table_is_in_order_and_names_are_distinct() {
    let mut names: Vec<&str> = Vec::new();
    for modifier in super::TABLE {
        assert!(!modifier.summary.is_empty() && !modifier.summary.ends_with('.'), "{}", modifier.name);
        names.push(modifier.name);
        names.extend(modifier.aliases);
    }
    let sorted: Vec<&str> = super::TABLE.iter().map(|modifier| modifier.name).collect();
    assert!(sorted.is_sorted(), "{sorted:?}");
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}
