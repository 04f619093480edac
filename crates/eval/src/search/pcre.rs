//! PCRE's syntax as the engines here read it.
//!
//! Follows the manual page `pcre2pattern`, without the options UTF's companion UCP: `\d`, `\w`, `\s` and `\b` are ASCII.
//!
//! Invariant: rewriting twice changes nothing more, so it takes what the frontend normalised as well as what it left.

use sigcast_ir::RegexFlags;

use crate::error::EvalFault;

/// For which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// The `regex` crate, on texts that do not end in a line break.
    Linear,
    /// `fancy-regex`, on any text.
    Backtracking,
}

/// A rewritten expression.
pub(super) struct Rewritten {
    /// The text, with its flags.
    pub(super) text: String,
    /// Whether a line break at the end of a text makes a difference: `$`, or `^` with the flag `m`.
    pub(super) minds_last_break: bool,
}

/// Rewrites an expression.
pub(super) fn rewrite(source: &str, flags: RegexFlags, engine: Engine) -> Result<Rewritten, EvalFault> {
    let mut out = String::with_capacity(source.len() + 8);
    for (set, letter) in [(flags.ignore_case, 'i'), (flags.multiline, 'm'), (flags.dot_all, 's')] {
        if set {
            out.push_str("(?");
            out.push(letter);
            out.push(')');
        }
    }
    let mut scanner =
        Scanner { rest: source, out, engine, multiline: flags.multiline, outer: Vec::new(), minds_last_break: false };
    while let Some(c) = scanner.rest.chars().next() {
        scanner.outside(c)?;
    }
    Ok(Rewritten { text: scanner.out, minds_last_break: scanner.minds_last_break })
}

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r"\x09-\x0D\x20";
const HORIZONTAL: &str = r"\x09\x20\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
const VERTICAL: &str = r"\x0A-\x0D\x{85}\x{2028}\x{2029}";

struct Scanner<'s> {
    rest: &'s str,
    out: String,
    engine: Engine,
    /// Whether the flag `m` holds here.
    multiline: bool,
    /// The same around each open group.
    outer: Vec<bool>,
    minds_last_break: bool,
}

type Step = Result<(), EvalFault>;

fn refused(reason: &str) -> EvalFault {
    EvalFault::Regex(reason.to_owned())
}

impl Scanner<'_> {
    /// Takes that many bytes, writing `with` for them.
    fn put(&mut self, len: usize, with: &str) {
        self.out.push_str(with);
        self.rest = self.rest.get(len..).unwrap_or("");
    }

    /// Takes that many bytes as they are.
    fn keep(&mut self, len: usize) {
        let (kept, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.out.push_str(kept);
        self.rest = rest;
    }

    fn outside(&mut self, c: char) -> Step {
        match c {
            '\\' => return self.escape(false),
            '[' => return self.class(),
            '(' => return self.group(),
            ')' => {
                self.multiline = self.outer.pop().unwrap_or(self.multiline);
                self.keep(1);
            }
            '{' if !is_repetition(self.rest) => self.put(1, r"\{"),
            '$' => {
                self.minds_last_break = true;
                let backtracking = if self.multiline { r"(?=\n|\z)" } else { r"(?=\n?\z)" };
                self.put(1, if self.engine == Engine::Linear { "$" } else { backtracking });
            }
            '^' => {
                self.minds_last_break |= self.multiline;
                // A line break that ends the text starts no line.
                let backtracking = if self.multiline { r"(?:\A|(?<=\n)(?!\z))" } else { r"\A" };
                self.put(1, if self.engine == Engine::Linear { "^" } else { backtracking });
            }
            _ => self.keep(c.len_utf8()),
        }
        Ok(())
    }

    fn group(&mut self) -> Step {
        if self.rest.starts_with("(?#") {
            let end = self.rest.find(')').map_or(self.rest.len(), |end| end + 1);
            self.put(end, "");
            return Ok(());
        }
        let Some(inner) = self.rest.strip_prefix("(?") else {
            if self.rest.starts_with("(*") {
                return Err(refused("verbs have no engine here"));
            }
            self.outer.push(self.multiline);
            self.keep(1);
            return Ok(());
        };
        if let Some((name, _)) = inner.strip_prefix('\'').and_then(|inner| inner.split_once('\'')) {
            self.outer.push(self.multiline);
            self.put(name.len() + 4, &format!("(?<{name}>"));
            return Ok(());
        }
        if inner.starts_with(['|', 'R', '&', 'C', '+', '^']) || inner.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(refused("a group of its kind has no engine here"));
        }
        let flags = inner.find(|c: char| !c.is_ascii_alphabetic() && c != '-').unwrap_or(inner.len());
        let (letters, end) = inner.split_at(flags);
        if !end.starts_with([')', ':']) {
            // `(?=`, `(?<name>` and the like; the kind is taken whole, so that no sign of it is read again.
            let kind = ["<=", "<!", "=", "!", ">", "P<", "<", "("].iter().find(|kind| inner.starts_with(**kind));
            self.outer.push(self.multiline);
            // The condition of `(?(1)…)` is a group of its own to the scanner.
            self.keep(2 + kind.filter(|kind| **kind != "(").map_or(0, |kind| kind.len()));
            return Ok(());
        }
        if letters.contains(['x', 'n', 'J', 'U', 'a', 'r', 'R', 'u']) {
            return Err(refused("an inline flag of its kind has no engine here"));
        }
        if end.starts_with(':') {
            self.outer.push(self.multiline);
        }
        let (on, off) = letters.split_once('-').unwrap_or((letters, ""));
        self.multiline = (self.multiline || on.contains('m')) && !off.contains('m');
        self.keep(flags + 3);
        Ok(())
    }

    fn class(&mut self) -> Step {
        self.keep(1);
        if self.rest.starts_with('^') {
            self.keep(1);
        }
        if self.rest.starts_with(']') {
            self.put(1, r"\]");
        }
        let mut after_set = false;
        while let Some(c) = self.rest.chars().next() {
            let set = is_set(self.rest);
            match c {
                ']' => {
                    self.keep(1);
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '[' => match posix_len(self.rest) {
                    Some(len) => self.keep(len),
                    None => self.put(1, r"\["),
                },
                '-' if after_set || is_set(self.rest.get(1..).unwrap_or("")) => self.put(1, r"\-"),
                '&' | '~' => self.put(1, if c == '&' { r"\&" } else { r"\~" }),
                '-' if self.rest.starts_with("--") && !self.out.ends_with('-') => self.put(1, r"\-"),
                _ => self.keep(c.len_utf8()),
            }
            after_set = set;
        }
        Ok(())
    }

    /// A backslash and what follows it.
    fn escape(&mut self, in_class: bool) -> Step {
        let Some(c) = self.rest.chars().nth(1) else {
            self.keep(1);
            return Ok(());
        };
        if let Some((set, negated)) = set_of(c) {
            self.set(set, negated, in_class);
            return Ok(());
        }
        match c {
            'b' if in_class => self.put(2, r"\x08"),
            _ if in_class && matches!(c, '1'..='9' | 'R' | 'B') => return Err(refused("an octal escape")),
            'b' | 'B' => self.word_edge(c == 'B'),
            'Z' => self.put(2, r"(?=\n?\z)"),
            'G' => self.put(2, r"\A"),
            'K' => self.put(2, ""),
            'N' => self.put(2, r"[^\n]"),
            'R' => self.put(2, &format!(r"(?>\r\n|[{VERTICAL}])")),
            'g' | 'k' => return self.reference(),
            '1'..='9' => {
                let digits = self.rest[1..].bytes().take_while(u8::is_ascii_digit).count();
                let with = format!("(?:{})", &self.rest[..=digits]);
                self.put(digits + 1, &with);
            }
            'Q' => {
                let inner = self.rest.get(2..).unwrap_or("");
                let (literal, len) = match inner.split_once(r"\E") {
                    Some((literal, _)) => (literal, literal.len() + 4),
                    None => (inner, inner.len() + 2),
                };
                let escaped = regex_syntax::escape(literal);
                self.put(len, &escaped);
            }
            'E' => self.put(2, ""),
            'e' => self.put(2, r"\x1B"),
            '<' | '>' => self.put(2, &c.to_string()),
            'c' | 'o' | '0' | 'X' | 'C' if self.engine == Engine::Backtracking => {
                return Err(refused("an escape of its kind has no engine here"));
            }
            'x' | 'p' | 'P' if self.rest[2..].starts_with('{') => {
                self.keep(self.rest.find('}').map_or(2, |end| end + 1));
            }
            _ if !c.is_ascii() => self.put(1, ""),
            _ => self.keep(2),
        }
        Ok(())
    }

    /// A set such as `\d`.
    fn set(&mut self, set: &str, negated: bool, in_class: bool) {
        let text = match (in_class, negated) {
            (true, false) => set.to_owned(),
            (true, true) => format!("[^{set}]"),
            // Ignoring case adds no character to a set.
            (false, false) => format!("(?-i:[{set}])"),
            (false, true) => format!("(?-i:[^{set}])"),
        };
        self.put(2, &text);
    }

    fn word_edge(&mut self, negated: bool) {
        let text = match (self.engine, negated) {
            (Engine::Linear, false) => r"(?-u:\b)".to_owned(),
            (Engine::Linear, true) => r"(?-u:\B)".to_owned(),
            (Engine::Backtracking, false) => {
                format!("(?-i:(?:(?<![{WORD}])(?=[{WORD}])|(?<=[{WORD}])(?![{WORD}])))")
            }
            (Engine::Backtracking, true) => {
                format!("(?-i:(?:(?<![{WORD}])(?![{WORD}])|(?<=[{WORD}])(?=[{WORD}])))")
            }
        };
        self.put(2, &text);
    }

    /// `\g1`, `\g{1}`, `\k<name>`, `\k'name'`, `\k{name}`.
    fn reference(&mut self) -> Step {
        let (named, body) = (self.rest.starts_with(r"\k"), self.rest.get(2..).unwrap_or(""));
        let delimited = [('{', '}'), ('<', '>'), ('\'', '\'')].iter().find_map(|(open, close)| {
            body.strip_prefix(*open)?.split_once(*close).map(|(name, _)| (name, name.len() + 2))
        });
        let digits = body.bytes().take_while(u8::is_ascii_digit).count();
        let (name, len) = delimited.unwrap_or((body.get(..digits).unwrap_or(""), digits));
        let number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        // `\g<name>` and `\g'name'` are calls, not references.
        let call = !named && body.starts_with(['<', '\'']);
        match (number, word) {
            _ if call => return Err(refused("calls of groups have no engine here")),
            (true, _) if !named => self.put(len + 2, &format!(r"(?:\{name})")),
            (false, true) => self.put(len + 2, &format!(r"\k<{name}>")),
            _ => return Err(refused("a reference of its kind has no engine here")),
        }
        Ok(())
    }
}

/// The characters of `\d`, `\W` and the like, and whether it is their complement.
fn set_of(c: char) -> Option<(&'static str, bool)> {
    let set = match c.to_ascii_lowercase() {
        'd' => DIGIT,
        'w' => WORD,
        's' => SPACE,
        'h' => HORIZONTAL,
        'v' => VERTICAL,
        _ => return None,
    };
    Some((set, c.is_ascii_uppercase()))
}

/// Whether a brace opens a repetition: `{2}`, `{2,}`, `{2,3}`.
fn is_repetition(rest: &str) -> bool {
    let Some((inner, _)) = rest.get(1..).and_then(|rest| rest.split_once('}')) else { return false };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match inner.split_once(',') {
        None => number(inner),
        Some((low, high)) => number(low) && (high.is_empty() || number(high)),
    }
}

/// Whether a set of characters starts here, inside a class.
fn is_set(rest: &str) -> bool {
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), Some(c)) => set_of(c).is_some() || matches!(c, 'p' | 'P'),
        (Some('['), Some(':')) => posix_len(rest).is_some(),
        _ => false,
    }
}

/// The length of `[:alpha:]`.
fn posix_len(rest: &str) -> Option<usize> {
    let (name, _) = rest.strip_prefix("[:")?.split_once(":]")?;
    name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'^').then_some(name.len() + 4)
}
