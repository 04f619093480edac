//! Names, texts and patterns of SQL, written.
//!
//! Invariant: whatever the value, what is written reads back as one token that stands for it.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
use sigcast_ir::{Part, Pattern, Test};

use crate::write::{Writer, pattern_of};

/// Writes a name in quotes, which are doubled inside.
pub(in crate::targets) fn name(writer: &mut Writer<'_>, name: &str, quote: char) {
    quoted(&mut writer.out, name, quote);
}

/// Why a name cannot be written.
pub(in crate::targets) fn bad_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("a name has one character at least")
    } else if name.contains('\0') {
        Some("no name there can hold the character NUL")
    } else {
        None
    }
}

fn quoted(out: &mut String, text: &str, quote: char) {
    out.push(quote);
    for c in text.chars() {
        if c == quote {
            out.push(c);
        }
        out.push(c);
    }
    out.push(quote);
}

/// Writes text in quotes.
pub(in crate::targets) fn string(writer: &mut Writer<'_>, text: &str) {
    quoted(&mut writer.out, text, '\'');
}

/// The one text of a pattern.
fn only(test: &Test<'_>) -> String {
    pattern_of(test).and_then(|pattern| pattern.texts().next()).unwrap_or_default().to_owned()
}

/// Writes the one text of a pattern.
pub(in crate::targets) fn text(writer: &mut Writer<'_>, test: &Test<'_>) {
    string(writer, &only(test));
}

/// Writes the one text of a pattern, to be compared with what `lower` gives.
pub(in crate::targets) fn lower_text(writer: &mut Writer<'_>, test: &Test<'_>) {
    string(writer, &only(test).to_ascii_lowercase());
}

/// Writes a regular expression in the engine's own syntax.
pub(in crate::targets) fn regex(writer: &mut Writer<'_>, test: &Test<'_>) {
    if let Test::Regex(regex) = test {
        string(writer, &regex.source);
    }
}

/// Writes a pattern for `LIKE`. The escape is named wherever a character needs one, so that engines with and without a
/// default read it alike. That is a wildcard's sign or, for those with a default, a backslash.
pub(in crate::targets) fn like(writer: &mut Writer<'_>, test: &Test<'_>) {
    like_escaping(writer, test, &['%', '_', '\\']);
}

/// Writes a pattern for `LIKE` in an engine where a backslash is itself unless `ESCAPE` names it.
pub(in crate::targets) fn like_plain(writer: &mut Writer<'_>, test: &Test<'_>) {
    like_escaping(writer, test, &['%', '_']);
}

fn like_escaping(writer: &mut Writer<'_>, test: &Test<'_>, needing: &[char]) {
    let Some(pattern) = pattern_of(test) else { return };
    let escapes = pattern.texts().any(|text| text.contains(needing));
    let mut out = String::new();
    for part in pattern.parts() {
        match part {
            Part::Text(text) => text.chars().for_each(|c| {
                if escapes && matches!(c, '%' | '_' | '\\') {
                    out.push('\\');
                }
                out.push(c);
            }),
            Part::AnyRun => out.push('%'),
            Part::AnyOne => out.push('_'),
            // Refused before.
            Part::Placeholder(_) => {}
        }
    }
    string(writer, &out);
    if escapes {
        writer.put(r" ESCAPE '\'");
    }
}

/// A pattern for SQLite's `GLOB`, which minds case: with `any_case` each letter in all its cases, in brackets.
pub(in crate::targets) fn glob(pattern: &Pattern<'_>, any_case: bool) -> String {
    let mut out = String::new();
    for part in pattern.parts() {
        match part {
            Part::Text(text) => text.chars().for_each(|c| {
                let all = if any_case { cases(c) } else { vec![c] };
                // A lone bracket that closes is itself.
                if all.len() > 1 || matches!(c, '*' | '?' | '[') {
                    out.push('[');
                    out.extend(all);
                    out.push(']');
                } else {
                    out.push(c);
                }
            }),
            Part::AnyRun => out.push('*'),
            Part::AnyOne => out.push('?'),
            // Refused before.
            Part::Placeholder(_) => {}
        }
    }
    out
}

/// A character in all its cases: ASCII letters have two, others those of Unicode's simple case folding.
pub(in crate::targets) fn cases(c: char) -> Vec<char> {
    if c.is_ascii_alphabetic() {
        return vec![c.to_ascii_lowercase(), c.to_ascii_uppercase()];
    }
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    if c.is_ascii() || class.try_case_fold_simple().is_err() {
        return vec![c];
    }
    class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect()
}

#[cfg(test)]
mod tests {
    use sigcast_ir::Case;

    use super::*;
    use crate::options::Settings;

    #[track_caller]
    fn check(parts: &[Part<'static>], like: &str, plain: &str, glob_cased: &str, glob_any: &str) {
        let pattern = Pattern::from_parts(parts.iter().cloned());
        let test = Test::Text { pattern: pattern.clone(), case: Case::Insensitive };
        let settings = Settings::default();
        let written = |write: fn(&mut Writer<'_>, &Test<'_>)| {
            let mut writer = Writer::new(&super::super::SQL, &settings);
            write(&mut writer, &test);
            writer.out
        };
        assert_eq!(written(super::like), like);
        assert_eq!(written(like_plain), plain);
        assert_eq!(glob(&pattern, false), glob_cased);
        assert_eq!(glob(&pattern, true), glob_any);
    }

    #[test]
    fn wildcards_and_escapes() {
        let text = |text: &'static str| Part::Text(text.into());
        check(
            &[Part::AnyRun, text(r"\x.exe")],
            r"'%\\x.exe' ESCAPE '\'",
            r"'%\x.exe'",
            r"*\x.exe",
            r"*\[xX].[eE][xX][eE]",
        );
        check(&[text(r"\_"), Part::AnyOne], r"'\\\__' ESCAPE '\'", r"'\\\__' ESCAPE '\'", r"\_?", r"\_?");
        check(&[text("100%'")], r"'100\%''' ESCAPE '\'", r"'100\%''' ESCAPE '\'", "100%'", "100%'");
        check(&[text("*?[]é"), Part::AnyRun], "'*?[]é%'", "'*?[]é%'", "[*][?][[]]é*", "[*][?][[]][Éé]*");
    }
}
