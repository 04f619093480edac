//! Whatever the text, parsing neither panics nor hangs, every span lies in the text, and an invalid document says why.

use proptest::prelude::*;
use sigcast_diagnostics::{Class, SourceMap, render};
use sigcast_frontend::{Kind, link, parse};

const SEEDS: [&str; 4] = [
    "title: Ä rule\nid: 1\nlogsource:\n    product: windows\ndetection:\n    selection:\n        Image|endswith: '\\a.exe'\n        \
     CommandLine|contains|windash: ['-x', ' /y ']\n        Data|wide|base64offset|contains: abc\n        \
     Path|re|i: '^(a|b)+\\d{2,}[^x-z]$'\n        Ip|cidr: [10.0.0.0/8, '::1']\n        Size|gte: 1.5e3\n        \
     Time|hour|lt: 0x10\n        Other|fieldref|endswith: Image\n        Gone|exists: false\n        Nothing: null\n    \
     filter_1:\n        - 'a*b?\\*'\n        - f: &anchor \"x\\ty\"\n          g: *anchor\n        - [1, true, ~]\n    \
     condition: selection and not (1 of filter_* or all of them)\nlevel: high\n",
    "action: global\ntitle: x\nlogsource: {category: c}\n---\ndetection:\n  s: |\n    multi\n    line\n  \
     condition: >-\n    s and\n    not s | count() by x > 5\n---\naction: repeat\ndetection: {s: {<<: {a: b}, c|expand: '%d%'}}\n",
    "title: a\nname: a\nlogsource: {product: x}\ndetection: {s: {f: 1}, condition: s}\n---\ntitle: b\nid: b-1\ncorrelation:\n  \
     type: value_count\n  rules: [a]\n  group-by: [u, v]\n  timespan: 90m\n  condition: {field: w, gt: 1, lte: 20}\n  \
     aliases: {u: {a: g}}\n---\ntitle: c\ncorrelation: {type: temporal, timespan: 1d, condition: a and not (b-1 or a)}\n",
    "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\r\n? [k]\r\n: v\r\n--- !tag\n- - - - \"q\n---\n",
];

/// What typing errors and worse put into a text.
const PIECES: [&str; 40] = [
    "\n",
    "\r\n",
    "    ",
    "\t",
    ":",
    ": ",
    "|",
    "- ",
    "'",
    "\"",
    "\\",
    "*",
    "?",
    "%",
    "&a ",
    "*a",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "<<: ",
    "---\n",
    "...\n",
    "!!str ",
    "!x ",
    "#",
    "é",
    "𝄞",
    "\u{feff}",
    "\u{0}",
    "not ",
    " of ",
    "1 of ",
    "|base64offset",
    "|re",
    "|cidr",
    "[[[[[[[[",
    "((((((((",
];

fn check(text: &str) {
    let mut sources = SourceMap::new();
    let id = sources.add("fuzz.yml", text);
    let mut documents = parse(&sources, id);
    link(&mut documents.iter_mut().collect::<Vec<_>>());
    for document in documents {
        let text = sources.get(id).text();
        for diagnostic in &document.diagnostics {
            for label in &diagnostic.labels {
                let (start, end) = (label.span.start as usize, label.span.end as usize);
                assert!(text.get(start..end).is_some(), "{diagnostic:?} in {text:?}");
            }
            assert!(!render::text(diagnostic, &sources, false).is_empty());
        }
        let invalid = document.diagnostics.iter().any(|diagnostic| diagnostic.code.class() == Class::Invalid);
        assert_eq!(invalid, matches!(document.kind, Kind::Invalid), "{text:?}");
        assert!(!matches!(document.kind, Kind::Unlinked(_)), "{text:?}");
        if let Kind::Correlation(found) = &document.kind {
            assert!(found.rules().next().is_some(), "{text:?}");
        }
        if let Kind::Rule(rule) = document.kind {
            assert!(!rule.conditions.is_empty(), "{text:?}");
            let _ = sigcast_ir::lower::queries(&rule);
        }
    }
}

/// A seed with pieces put in, or bytes taken out, at arbitrary characters.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0..4_usize, prop::sample::select(&PIECES[..]));
    (0..SEEDS.len(), prop::collection::vec(edit, 1..6)).prop_map(|(seed, edits)| {
        let mut text: Vec<char> = SEEDS[seed].chars().collect();
        for (index, removed, piece) in edits {
            let at = index.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

/// How many cases of each kind: few by default; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn mutated_rules(text in mutated()) {
        check(&text);
    }

    #[test]
    fn arbitrary_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn arbitrary_conditions(condition in "[ ()|&!'*_1a-z\"]{0,40}|((not |\\(|a |or |and |1 of |all of |them|b\\*|\\)){0,12})") {
        check(&format!("title: t\nlogsource: {{category: c}}\ndetection:\n  a: [k]\n  b: [k]\n  condition: >\n    {condition}\n"));
    }

    #[test]
    fn arbitrary_regexes(regex in "[\\\\()\\[\\]{}?*+|^$&~<>=!:PQEcxkdwn0-9,.#'é-]{0,24}") {
        let quoted = regex.replace('\'', "''");
        check(&format!("title: t\nlogsource: {{category: c}}\ndetection:\n  a:\n    f|re: '{quoted}'\n  condition: a\n"));
    }
}

#[test]
fn seeds_are_as_they_should_be() {
    for seed in SEEDS {
        check(seed);
    }
}

#[test]
fn deep_and_wide_texts_end_soon() {
    let rule = |condition: &str| {
        format!("title: t\nlogsource: {{category: c}}\ndetection:\n  a: [k]\n  condition: {condition}\n")
    };
    check(&rule(&"(".repeat(10_000)));
    check(&rule(&format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000))));
    check(&rule(&format!("{}a", "not ".repeat(10_000))));
    check(&rule(&format!("{}a", "a or ".repeat(10_000))));
    check(&rule(&format!("{}a", "1 of them and ".repeat(10_000))));
    check(&"[".repeat(10_000));
    check(&"- ".repeat(10_000));
    check(&"{a: ".repeat(10_000));
    check(&format!(
        "title: t\nlogsource: {{category: c}}\ndetection:\n  a:\n    f|re: '{}'\n  condition: a\n",
        "(".repeat(10_000)
    ));
    check(&"---\n".repeat(10_000));
    check(&"a: 'b\n---\n".repeat(10_000));
}
