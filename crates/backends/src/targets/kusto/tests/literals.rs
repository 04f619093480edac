//! Texts, names and expressions as Kusto writes them: each is read back as it was meant.

use sigcast_diagnostics::Code;
use sigcast_ir::{Case, Pattern, Test};

use super::{check, check_refused, convert, literally, pattern, regex, text};
use crate::convert::Status;
use crate::options::Settings;
use crate::targets::kusto::{KUSTO, literal, pattern_regex, translated};
use crate::write::Writer;

#[test]
fn every_character_can_stand_in_text() {
    check(&literally("f", r"C:\Windows\"), r#"f =~ "C:\\Windows\\""#);
    check(&text("f", r"*\temp\*"), r#"f contains "\\temp\\""#);
    check(&literally("f", "a\"b'c"), r#"f =~ "a\"b'c""#);
    check(&literally("f", "a\nb\tc\rd\0e"), r#"f =~ "a\nb\tc\rd\u0000e""#);
    check(&literally("f", "1\u{202e}2\u{2028}"), r#"f == "1\u202E2\u2028""#);
    check(&literally("f", "AND"), r#"f =~ "AND""#);
    check(&literally("f", "a) or (b"), r#"f =~ "a) or (b""#);
    check(&literally("f", "<x>"), r#"f =~ "<x>""#);
}

#[test]
fn names_are_quoted_if_need_be() {
    check(&text("a-b", "x"), r#"['a-b'] =~ "x""#);
    check(&text(r"a'b\c", "x"), r#"['a\'b\\c'] =~ "x""#);
    check(&text("@timestamp", "x"), r#"['@timestamp'] =~ "x""#);
    check(&text("where", "x"), r#"['where'] =~ "x""#);
    check(&text("4a", "x"), r#"['4a'] =~ "x""#);
    check(&text("__a", "x"), r#"['__a'] =~ "x""#);
    check(&text("_a", "x"), r#"_a =~ "x""#);
    check(&text("winlog.event_data.Image", "x"), r#"winlog.event_data.Image =~ "x""#);
    check(&text("a.b-c.where.d", "x"), r#"a['b-c']['where'].d =~ "x""#);
    check(&text("a..b", "x"), r#"['a..b'] =~ "x""#);
    check(&text("a) or (b", "x"), r#"['a) or (b'] =~ "x""#);
    check_refused(&text("", "x"), Code::FieldNameUnsupported);
}

#[test]
fn regular_expressions_are_written_as_they_are() {
    let written = |source: &str| {
        let settings = Settings::default();
        let mut writer = Writer::new(&KUSTO, &settings);
        literal::regex(&mut writer, &translated(source.to_owned()));
        assert_eq!(literal::scan_value(&writer.out), writer.out.len(), "{source:?}");
        writer.out
    };
    assert_eq!(written(r#"a\d"b\"#), r#"@"a\d""b\""#);
    assert_eq!(written("a\\\\\"\n"), r#""a\\\\\"\n""#);
    // What can match the empty text matches absent fields as well.
    let empty = convert(&regex("f", "^a*$"), &[]);
    assert!(matches!(empty.status, Status::Approximate | Status::Refused), "{empty:?}");
}

/// What Microsoft's parser makes of a text in quotes (`KustoFacts.GetStringLiteralValue`), as far as it is written here.
fn unquoted(written: &str) -> String {
    if let Some(verbatim) = written.strip_prefix("@\"") {
        return verbatim.strip_suffix('"').expect("a closing quote").replace("\"\"", "\"");
    }
    let inner = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("quotes");
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        assert!(c != '"' && c != '\n' && c != '\r', "{written}");
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next().expect("an escape") {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let digits: String = chars.by_ref().take(4).collect();
                out.push(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).expect("a character"));
            }
            c @ ('"' | '\\') => out.push(c),
            c => panic!("unknown escape {c}"),
        }
    }
    out
}

proptest::proptest! {
    #[test]
    fn texts_read_back(value in r#"([ -~]|["'\\\\\n\r\t()@]|and | or |\PC|\p{Cc}|\x{2028}|\x{202e})*"#) {
        let settings = Settings::default();
        let mut writer = Writer::new(&KUSTO, &settings);
        let test = Test::Text { pattern: Pattern::exact(value.clone()), case: Case::Insensitive };
        literal::text(&mut writer, &test);
        let text = std::mem::take(&mut writer.out);
        literal::regex(&mut writer, &translated(value.clone()));
        let regex = std::mem::take(&mut writer.out);
        for written in [text, regex] {
            proptest::prop_assert_eq!(unquoted(&written), value.clone());
            proptest::prop_assert_eq!(literal::scan_value(&format!("{written}, \"x\"")), written.len());
            proptest::prop_assert_eq!(literal::scan_leaf(&format!("f =~ {written} and g")), written.len() + 5);
        }
    }

    #[test]
    fn names_read_back(name in r#"([a-c._-]|['"\\\\ \[\]\n]|where|and | or |\PC){1,12}"#) {
        let settings = Settings::default();
        let mut writer = Writer::new(&KUSTO, &settings);
        literal::name(&mut writer, &name);
        let written = writer.out;
        for behind in ["", " =~ \"x\"", " in~ (\"x\")"] {
            proptest::prop_assert_eq!(literal::scan_name(&format!("{written}{behind}")), written.len(), "{}", written);
        }
    }

    #[test]
    fn patterns_and_their_regular_expressions_agree(parts in "[aAéÉ.*?\n]{0,6}", value in "[aAéÉ.\n]{0,6}", minds: bool) {
        let case = if minds { Case::Sensitive } else { Case::Insensitive };
        let source = pattern_regex(&pattern(&parts), case);
        let engine = regex::Regex::new(&source).expect("a regular expression");
        proptest::prop_assert_eq!(engine.is_match(&value), matches(&parts, &value, case), "{}", source);
    }
}

/// Whether a pattern with `*` and `?` matches, by its definition.
fn matches(pattern: &str, value: &str, case: Case) -> bool {
    let fold = |text: &str| if case == Case::Insensitive { text.to_lowercase() } else { text.to_owned() };
    let (pattern, value): (Vec<char>, Vec<char>) = (fold(pattern).chars().collect(), fold(value).chars().collect());
    fn from(pattern: &[char], value: &[char]) -> bool {
        match pattern.split_first() {
            None => value.is_empty(),
            Some(('*', rest)) => (0..=value.len()).any(|skip| from(rest, &value[skip..])),
            Some(('?', rest)) => !value.is_empty() && from(rest, &value[1..]),
            Some((c, rest)) => value.first() == Some(c) && from(rest, &value[1..]),
        }
    }
    from(&pattern, &value)
}
