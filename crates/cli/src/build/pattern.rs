//! Where the files of an output lie: patterns such as `{level}/{slug}.spl`, and paths that are safe on every system.
//!
//! Invariant: a path made here is relative, has no `..`, no character that some file system does not take, and no name
//! that Windows reserves; what comes from a rule is put into it only by [`sigcast_formats::file_name`].

use std::collections::{HashMap, HashSet};

use sigcast_diagnostics::nearest;
use sigcast_formats::file_name::{is_reserved, slug, word};

use crate::exit::Fault;

/// The most bytes of one part of a path. File systems take 255, and a temporary file adds some.
const LONGEST: usize = 200;

/// How a temporary file ends. A pattern may not end so.
pub(crate) const TEMPORARY: &str = ".sigcast-tmp";

/// The names of placeholders with their meanings; those after [`ONE_FILE`] are of a rule.
pub(crate) const PLACEHOLDERS: &[(&str, &str)] = &[
    ("name", "name of the output"),
    ("target", "target"),
    ("format", "output format"),
    ("ext", "file extension of the format"),
    ("slug", "title of the rule, else its id"),
    ("title", "title"),
    ("id", "id"),
    ("level", "level"),
    ("status", "status"),
    ("product", "product of the log source"),
    ("category", "category of the log source"),
    ("service", "service of the log source"),
    ("path", "path of the rule's file below the entry of `rules`, without .yml"),
    ("folder", "the folders of that path"),
    ("stem", "the last part of that path"),
];

/// How many placeholders have a value without a rule.
const ONE_FILE: usize = 4;

/// What stands for a value that a rule does not have.
pub(crate) const NONE: &str = "none";

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(usize),
}

/// A pattern that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
}

/// The values that a pattern asks for: texts as rules have them, in the order of [`PLACEHOLDERS`]. The parts of a path
/// are apart from each other.
#[derive(Debug, Default)]
pub(crate) struct Values<'v> {
    /// Those without a rule: name, target, format, extension.
    pub(crate) output: [&'v str; ONE_FILE],
    /// Title and id.
    pub(crate) title: Option<&'v str>,
    /// The id.
    pub(crate) id: Option<&'v str>,
    /// Level, status, product, category and service.
    pub(crate) attributes: [Option<String>; 5],
    /// The path of the rule's file, without its extension.
    pub(crate) path: Vec<String>,
}

impl Values<'_> {
    fn value(&self, number: usize) -> String {
        let title = || slug(self.title.unwrap_or_default());
        let id = || slug(self.id.unwrap_or_default());
        let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
        let parts = |parts: &[String]| parts.iter().map(|part| or(word(part), NONE)).collect::<Vec<_>>().join("/");
        let (last, folders) = self.path.split_last().map_or((NONE, &[][..]), |(last, rest)| (last.as_str(), rest));
        match number {
            0..ONE_FILE => or(word(self.output[number]), NONE),
            4 => or(title(), &or(id(), "rule")),
            5 => or(title(), NONE),
            6 => or(id(), NONE),
            7..12 => or(word(self.attributes[number - 7].as_deref().unwrap_or_default()), NONE),
            12 => or(parts(&self.path), NONE),
            13 => parts(folders),
            _ => or(word(last), NONE),
        }
    }
}

impl Pattern {
    /// The pattern that a text spells. Without rules (`file:`), only the placeholders of the output are known.
    ///
    /// # Errors
    /// A placeholder that is unknown; a path that leads out of the folder or is not safe on every system.
    pub(crate) fn new(text: &str, rules: bool) -> Result<Self, Fault> {
        let known = &PLACEHOLDERS[..if rules { PLACEHOLDERS.len() } else { ONE_FILE }];
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let Some((name, after)) = from.strip_prefix('{').and_then(|from| from.split_once('}')) else {
                return Err(Fault::usage(format!("`{text}`: a brace without the other one"))
                    .help("a placeholder is written {name}"));
            };
            let Some(number) = known.iter().position(|(known, _)| *known == name) else {
                return Err(unknown(text, name, known));
            };
            pieces.push(Piece::Value(number));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        let pattern = Self { pieces };
        pattern.check(text)?;
        Ok(pattern)
    }

    /// Whether it has a placeholder.
    pub(crate) fn has(&self, name: &str) -> bool {
        let is = |number: usize| PLACEHOLDERS.get(number).is_some_and(|(known, _)| *known == name);
        self.pieces.iter().any(|piece| matches!(piece, Piece::Value(number) if is(*number)))
    }

    /// Checks what the file itself says of the path, with a letter in the place of each value.
    fn check(&self, text: &str) -> Result<(), Fault> {
        let written: String = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Value(_) => "x",
            })
            .collect();
        check_path(&written).map_err(|why| Fault::usage(format!("`{text}`: {why}")))
    }

    /// The path for these values, with `/` between its parts.
    pub(crate) fn path(&self, values: &Values<'_>) -> String {
        let filled: String = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Value(number) => values.value(*number),
            })
            .collect();
        // A rule that lies directly in the folder of rules has no {folder}.
        filled.split('/').filter(|part| !part.is_empty()).map(safe).collect::<Vec<_>>().join("/")
    }
}

fn unknown(text: &str, name: &str, known: &[(&str, &str)]) -> Fault {
    let words = || known.iter().map(|(known, _)| *known);
    let fault = Fault::usage(format!("`{text}`: unknown placeholder {{{name}}}"));
    let fault = match nearest(name, words()) {
        Some(near) => fault.help(format!("did you mean {{{near}}}?")),
        None => fault,
    };
    fault.help(format!(
        "placeholders here are {}",
        words().map(|word| format!("{{{word}}}")).collect::<Vec<_>>().join(", ")
    ))
}

/// A part of a path that no system reserves and none finds too long.
fn safe(part: &str) -> String {
    let mut name = part.to_owned();
    if is_reserved(before_dot(part).to_ascii_lowercase().as_str()) {
        name.insert(0, '_');
    }
    if name.len() > LONGEST {
        // Patterns and values are ASCII: every byte is a character.
        let extension = name.len() - name.rfind('.').unwrap_or(name.len());
        let extension = name.split_off(name.len() - extension.min(LONGEST / 2));
        name.truncate(LONGEST - extension.len());
        name.truncate(name.trim_end_matches(['-', '.', ' ']).len());
        name += &extension;
    }
    name
}

/// What stands before the extensions: Windows takes `con.tar.gz` for the device too.
fn before_dot(part: &str) -> &str {
    part.split('.').next().unwrap_or(part)
}

/// Whether a relative path is safe on every system, and if not, why.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    const FORBIDDEN: &[char] = &['<', '>', ':', '"', '|', '?', '*', '\\'];
    if path.is_empty() {
        return Err("a path is expected".to_owned());
    }
    if path.starts_with('/') {
        return Err("the path is absolute: one relative to the configuration's folder is expected".to_owned());
    }
    if let Some(found) = path.chars().find(|c| FORBIDDEN.contains(c) || !(' '..='~').contains(c)) {
        return Err(format!("{found:?} stands in the path: not every system takes it; parts are separated by `/`"));
    }
    for part in path.split('/') {
        match part {
            "" => return Err("an empty part stands in the path".to_owned()),
            "." | ".." => return Err(format!("`{part}` stands in the path: it may not lead out of its folder")),
            _ if part.eq_ignore_ascii_case(".git") => return Err("the path leads into `.git`".to_owned()),
            _ if part.ends_with(['.', ' ']) || part.starts_with(' ') => {
                return Err(format!(
                    "`{part}` starts with a blank, or ends with a blank or a dot: not every system takes it"
                ));
            }
            _ if part.to_ascii_lowercase().ends_with(TEMPORARY) => {
                return Err(format!("`{part}` is the name of a temporary file"));
            }
            _ if is_reserved(before_dot(part).to_ascii_lowercase().as_str()) => {
                return Err(format!("`{part}` is a device on Windows"));
            }
            _ if part.len() > LONGEST + 40 => return Err(format!("a part of the path has more than {LONGEST} bytes")),
            _ => {}
        }
    }
    Ok(())
}

/// The paths given out for one output: no two are equal, whatever the file system does with case.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    taken: HashSet<String>,
    /// The last number that was put behind a path.
    numbers: HashMap<String, usize>,
}

impl Paths {
    /// Paths other than these.
    pub(crate) fn without<'t>(taken: impl Iterator<Item = &'t str>) -> Self {
        Self { taken: taken.map(str::to_ascii_lowercase).collect(), ..Self::default() }
    }

    /// A path for a rule: the one it has, else with the first eight characters of its id, else with a number.
    pub(crate) fn assign(&mut self, path: String, id: Option<&str>) -> String {
        if self.take(&path) {
            return path;
        }
        let id = slug(id.unwrap_or_default());
        let short = id.get(..8).unwrap_or(&id).trim_matches('-');
        let base = if short.is_empty() { path } else { with_suffix(&path, short) };
        if self.take(&base) {
            return base;
        }
        let key = base.to_ascii_lowercase();
        let mut number = self.numbers.get(&key).copied().unwrap_or(1);
        loop {
            number += 1;
            let numbered = with_suffix(&base, &number.to_string());
            if self.take(&numbered) {
                self.numbers.insert(key, number);
                return numbered;
            }
        }
    }

    fn take(&mut self, path: &str) -> bool {
        self.taken.insert(path.to_ascii_lowercase())
    }
}

/// The path with a suffix before its extensions: `a/b.spl` becomes `a/b-2.spl`.
pub(crate) fn with_suffix(path: &str, suffix: &str) -> String {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    let dot = path[name..].char_indices().skip(1).find(|(_, c)| *c == '.').map_or(path.len(), |(at, _)| name + at);
    format!("{}-{suffix}{}", &path[..dot], &path[dot..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values<'v>(title: &'v str, id: &'v str, path: &[&str]) -> Values<'v> {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        let attributes = [Some("high"), None, Some("windows"), Some("process_creation"), Some("../..")];
        let attributes = attributes.map(|value| value.map(str::to_owned));
        Values { output: ["out", "splunk", "default", "spl"], title: Some(title), id: Some(id), attributes, path }
    }

    #[test]
    fn values_fill_placeholders() {
        let check = |pattern: &str, expected: &str| {
            let found = Pattern::new(pattern, true).expect("right").path(&values("A/B", "ID", &["win", "x_Y"]));
            assert_eq!(found, expected, "{pattern}");
        };
        check("{level}/{slug}.{ext}", "high/a-b.spl");
        check("{name}/{target}-{format}/{path}.x", "out/splunk-default/win/x_y.x");
        check("{folder}/{stem}_{id}", "win/x_y_id");
        check("{status}.{product}.{category}.{service}", "none.windows.process_creation.none");
        check("{title}", "a-b");
    }

    #[test]
    fn what_is_unsafe_or_unknown_is_refused() {
        let check = |pattern: &str, expected: &str| {
            let fault = Pattern::new(pattern, true).expect_err(pattern);
            let said = format!("{} {}", fault.message, fault.help.join(" "));
            assert!(said.contains(expected), "{said}");
        };
        check("/etc/{slug}", "absolute");
        check("C:/{slug}", "':'");
        check("a/../../{slug}", "`..`");
        check("a\\{slug}", "'\\\\'");
        check("{slgu}.spl", "did you mean {slug}?");
        check("{slug", "without the other");
        check("slug}", "without the other");
        check("a//{slug}", "empty part");
        check("a/", "empty part");
        check(".git/hooks/{slug}", ".git");
        check("nul.{ext}", "device");
        check("{slug}. ", "blank");
        check("{slug}.sigcast-tmp", "temporary");
        check("ä/{slug}", "'ä'");
        assert!(Pattern::new("{slug}", false).is_err(), "one file has no rule");
        assert!(Pattern::new("{target}.{ext}", false).is_ok());
    }

    /// No title, id or path leads out of its place, and no two rules share one, whatever the case.
    #[test]
    fn nothing_from_a_rule_leaves_its_place() {
        let evil = [
            "\"; rm -rf / #",
            "a\nb\r\nc",
            "$(reboot)`id`",
            "{{ x }}{% y %}{slug}",
            "]]><!--",
            "../../etc/passwd",
            "..\\..\\x",
            "[stanza]",
            "NUL",
            "con.txt",
            "COM¹",
            "\u{0}",
            "",
            ".",
            "..",
            "a.",
            "ﬁle\u{202e}",
            "-rf",
            "~",
            "A",
            "a",
            "Ａ",
        ];
        for pattern in
            ["{slug}.spl", "{title}", "{level}/{id}.x", "{path}", "d/{stem}.y", "{folder}/z", "{title}{id}.{ext}"]
        {
            let pattern = Pattern::new(pattern, true).expect("right");
            let mut paths = Paths::default();
            let mut seen = HashSet::new();
            for text in evil.iter().chain(&evil) {
                let path = paths.assign(pattern.path(&values(text, text, &[text, text])), Some(text));
                assert_eq!(check_path(&path), Ok(()), "{text:?} gives {path}");
                assert!(
                    path.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_./".contains(&b)),
                    "{path}"
                );
                assert!(seen.insert(path.to_lowercase()), "{path} twice");
            }
        }
    }

    #[test]
    fn long_values_stay_short_and_keep_their_extension() {
        let long = "word ".repeat(200);
        let pattern = Pattern::new("{title}-{title}-{title}.savedsearches.conf", true).expect("right");
        let path = pattern.path(&values(&long, "", &[]));
        assert!(path.len() <= LONGEST && path.ends_with(".conf"), "{path}");
        assert_eq!(check_path(&path), Ok(()));
    }

    #[test]
    fn equal_paths_are_told_apart() {
        let mut paths = Paths::default();
        let all: Vec<String> = [
            ("A/b.x.y", ""),
            ("a/B.x.y", "12345678-9"),
            ("a/b.x.y", "12345678-9"),
            ("a/b.x.y", ""),
            (".h", ""),
            (".h", ""),
        ]
        .iter()
        .map(|(path, id)| paths.assign((*path).to_owned(), Some(id)))
        .collect();
        assert_eq!(all, ["A/b.x.y", "a/B-12345678.x.y", "a/b-12345678-2.x.y", "a/b-2.x.y", ".h", ".h-2"]);
    }
}
