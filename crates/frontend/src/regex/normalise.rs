//! Reads an expression as PCRE does, as far as its syntax differs from that of `regex-syntax`.

/// What became of an expression.
pub(super) enum Outcome {
    /// It uses this construct, which `regex-syntax` does not have.
    Opaque(&'static str),
    /// It can be given to `regex-syntax`.
    Normal(Normal),
}

/// An expression that `regex-syntax` reads as PCRE reads the original.
pub(super) struct Normal {
    /// The rewritten text; none if the original will do.
    pub(super) text: Option<String>,
    /// Where pieces of the rewritten text come from: (byte there, byte in the original), ascending.
    origins: Vec<(usize, usize)>,
}

impl Normal {
    /// The byte of the original that a byte of the rewritten text comes from.
    pub(super) fn original(&self, byte: usize) -> usize {
        let index = self.origins.partition_point(|(there, _)| *there <= byte);
        match index.checked_sub(1).and_then(|index| self.origins.get(index)) {
            Some((there, here)) => here + (byte - there),
            None => byte,
        }
    }
}

/// Rewrites an expression, or names the construct that keeps it from being rewritten.
pub(super) fn normalise(source: &str) -> Outcome {
    let mut reader = Reader { source, at: 0, copied: 0, out: String::new(), origins: Vec::new() };
    match reader.read() {
        Err(construct) => Outcome::Opaque(construct),
        Ok(()) => Outcome::Normal(reader.finish()),
    }
}

/// The bytes PCRE's `\h` stands for, in a class.
const HORIZONTAL: &str = r"\t \xA0\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
/// The same of `\v`.
const VERTICAL: &str = r"\x0A-\x0D\x{85}\x{2028}\x{2029}";

struct Reader<'s> {
    source: &'s str,
    at: usize,
    /// Up to here the source is in `out` or was replaced there.
    copied: usize,
    out: String,
    origins: Vec<(usize, usize)>,
}

type Step = Result<(), &'static str>;

impl Reader<'_> {
    fn finish(mut self) -> Normal {
        if self.copied == 0 {
            return Normal { text: None, origins: Vec::new() };
        }
        self.out.push_str(self.source.get(self.copied..).unwrap_or(""));
        Normal { text: Some(self.out), origins: self.origins }
    }

    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or("")
    }

    /// Replaces the next `len` bytes of the source.
    fn replace(&mut self, len: usize, with: &str) {
        self.out.push_str(self.source.get(self.copied..self.at).unwrap_or(""));
        self.origins.push((self.out.len(), self.at));
        self.out.push_str(with);
        self.at += len;
        self.copied = self.at;
        self.origins.push((self.out.len(), self.at));
    }

    fn read(&mut self) -> Step {
        let mut after_quantifier = false;
        while let Some(c) = self.rest().chars().next() {
            let mut quantifier = false;
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '+' if after_quantifier => return Err("possessive quantifier"),
                '*' | '+' | '?' => {
                    // The `?` after a quantifier makes it lazy and ends it.
                    quantifier = !after_quantifier;
                    self.at += 1;
                }
                '{' => quantifier = self.brace()?,
                _ => self.at += c.len_utf8(),
            }
            after_quantifier = quantifier;
        }
        Ok(())
    }

    /// `{`: a repetition only if it reads like one; returns whether it does.
    fn brace(&mut self) -> Result<bool, &'static str> {
        let inner = self.rest().get(1..).and_then(|rest| rest.split_once('}')).map(|(inner, _)| inner);
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match inner {
            Some(inner) if number(inner) => {}
            Some(inner) => match inner.split_once(',') {
                Some((low, high)) if number(low) && (high.is_empty() || number(high)) => {}
                // Newer versions of PCRE read it as a repetition, older ones as text.
                Some(("", high)) if number(high) => return Err("repetition {,n}"),
                _ => return self.literal_brace(),
            },
            None => return self.literal_brace(),
        }
        self.at += inner.map_or(0, str::len) + 2;
        Ok(true)
    }

    fn literal_brace(&mut self) -> Result<bool, &'static str> {
        self.replace(1, r"\{");
        Ok(false)
    }

    fn group(&mut self) -> Step {
        let rest = self.rest();
        let construct = |prefix: &str| match prefix {
            _ if prefix.starts_with("(*") => Some("verb"),
            _ if prefix.starts_with("(?=") || prefix.starts_with("(?!") => Some("look-ahead"),
            _ if prefix.starts_with("(?<=") || prefix.starts_with("(?<!") => Some("look-behind"),
            _ if prefix.starts_with("(?>") => Some("atomic group"),
            _ if prefix.starts_with("(?(") => Some("conditional group"),
            _ if prefix.starts_with("(?|") => Some("branch reset"),
            _ if prefix.starts_with("(?P=") => Some("back-reference"),
            _ if prefix.starts_with("(?P>") || prefix.starts_with("(?&") || prefix.starts_with("(?R") => {
                Some("recursion")
            }
            _ if prefix.starts_with("(?C") => Some("callout"),
            _ if prefix.starts_with("(?^") => Some("flag reset"),
            _ => None,
        };
        if let Some(construct) = construct(rest) {
            return Err(construct);
        }
        let Some(inner) = rest.strip_prefix("(?") else {
            self.at += 1;
            return Ok(());
        };
        if inner.starts_with(|c: char| c.is_ascii_digit())
            || (inner.starts_with(['+', '-']) && inner[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            return Err("recursion");
        }
        if inner.starts_with('#') {
            // An unclosed comment is left alone: the parser reports it.
            if let Some(end) = rest.find(')') {
                self.replace(end + 1, "");
                return Ok(());
            }
        }
        if let Some((name, _)) = inner.strip_prefix('\'').and_then(|inner| inner.split_once('\'')) {
            let (len, with) = (name.len() + 4, format!("(?P<{name}>"));
            self.replace(len, &with);
            return Ok(());
        }
        let flags = inner.find(|c: char| !c.is_ascii_alphabetic() && c != '-').unwrap_or(0);
        let flags_end = inner.as_bytes().get(flags);
        if matches!(flags_end, Some(b')' | b':')) {
            let flags = inner.get(..flags).unwrap_or("");
            // Blanks and `#` mean something else from here on; `J`, `n` and `U` are PCRE's alone.
            if flags.contains(['x', 'J', 'n', 'U', 'a', 'r', 'R', 'u']) {
                return Err("inline flag");
            }
        }
        self.at += 2;
        Ok(())
    }

    /// A class in brackets, with what `regex-syntax` would take for nested classes and set operations made literal.
    fn class(&mut self) -> Step {
        self.at += 1;
        if self.rest().starts_with('^') {
            self.at += 1;
        }
        if self.rest().starts_with(']') {
            self.at += 1;
        }
        // Whether a set such as `\d` stands just before: then PCRE takes a dash for itself, not for a range.
        let mut after_set = false;
        while let Some(c) = self.rest().chars().next() {
            let set = is_set(self.rest());
            match c {
                ']' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '[' => self.bracket_in_class()?,
                '&' | '~' if self.rest()[1..].starts_with(c) => {
                    self.replace(2, &format!("\\{c}\\{c}"));
                }
                '-' if (after_set || is_set(&self.rest()[1..])) && !self.rest().starts_with("-]") => {
                    self.replace(1, r"\-");
                }
                '-' if self.dashes_mean_difference() => self.replace(1, r"\-"),
                _ => self.at += c.len_utf8(),
            }
            after_set = set;
        }
        Ok(())
    }

    /// Whether the dash here would start `--`, the difference of classes, although PCRE reads a range or a literal.
    fn dashes_mean_difference(&self) -> bool {
        let before = self.source.get(..self.at).unwrap_or("");
        // As the end of a range (`!--`) the second dash is read alike by both.
        let range_end = before.ends_with('-');
        !range_end && self.rest().starts_with("--") && !self.rest().starts_with("--]")
    }

    fn bracket_in_class(&mut self) -> Step {
        let rest = self.rest();
        for kind in [':', '.', '='] {
            let close = format!("{kind}]");
            if rest[1..].starts_with(kind) {
                let inner = rest.get(2..).and_then(|rest| rest.split_once(&close)).map(|(inner, _)| inner);
                if let Some(inner) = inner.filter(|inner| inner.bytes().all(|b| b.is_ascii_alphabetic() || b == b'^')) {
                    if kind != ':' {
                        return Err("collating element");
                    }
                    self.at += inner.len() + 4;
                    return Ok(());
                }
            }
        }
        self.replace(1, r"\[");
        Ok(())
    }

    /// A backslash and what follows it.
    fn escape(&mut self, in_class: bool) -> Step {
        let rest = self.rest();
        let Some(c) = rest[1..].chars().next() else {
            self.at += 1;
            return Ok(());
        };
        let bracketed = |class: &str| if in_class { class.to_owned() } else { format!("[{class}]") };
        match c {
            '<' | '>' => self.replace(2, &c.to_string()),
            'e' => self.replace(2, r"\x1B"),
            'h' => self.replace(2, &bracketed(HORIZONTAL)),
            'v' => self.replace(2, &bracketed(VERTICAL)),
            'Q' => self.quoted(),
            'E' => self.replace(2, ""),
            'c' => self.control(),
            '0' => self.octal(),
            '1'..='9' if in_class => return Err("octal escape"),
            '1'..='9' | 'k' | 'g' => return Err("back-reference"),
            'b' if rest[2..].starts_with('{') => self.replace(2, r"(?:\b)"),
            'G' => return Err(r"escape \G"),
            'K' => return Err(r"escape \K"),
            'Z' => return Err(r"escape \Z"),
            'R' => return Err(r"escape \R"),
            'X' => return Err(r"escape \X"),
            'H' => return Err(r"escape \H"),
            'V' => return Err(r"escape \V"),
            'N' => return Err(r"escape \N"),
            'o' => return Err(r"escape \o"),
            'b' if in_class => self.replace(2, r"\x08"),
            _ if !c.is_ascii() => self.replace(1, ""),
            'x' if rest[2..].starts_with('{') => self.at += rest.find('}').map_or(3, |end| end + 1),
            'p' | 'P' if rest[2..].starts_with('{') => self.at += rest.find('}').map_or(3, |end| end + 1),
            'x' if !rest[2..].starts_with(|c: char| c.is_ascii_hexdigit()) => self.replace(2, r"\x00"),
            'x' if !rest.get(3..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit())) => {
                let digit = format!(r"\x0{}", &rest[2..3]);
                self.replace(3, &digit);
            }
            _ => self.at += 1 + c.len_utf8(),
        }
        Ok(())
    }

    /// `\Q…\E`: literal text.
    fn quoted(&mut self) {
        let inner = self.rest().get(2..).unwrap_or("");
        let (literal, len) = match inner.split_once(r"\E") {
            Some((literal, _)) => (literal, literal.len() + 4),
            None => (inner, inner.len() + 2),
        };
        let escaped = regex_syntax::escape(literal);
        self.replace(len, &escaped);
    }

    /// `\cA`: a control character.
    fn control(&mut self) {
        match self.rest().as_bytes().get(2) {
            Some(letter) if letter.is_ascii_graphic() => {
                let with = format!(r"\x{:02X}", letter.to_ascii_uppercase() ^ 0x40);
                self.replace(3, &with);
            }
            // Left to the parser, which reports it.
            _ => self.at += 2,
        }
    }

    /// `\0` and up to two more octal digits.
    fn octal(&mut self) {
        let digits = self.rest()[2..].bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
        let value = self.rest()[2..2 + digits].bytes().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
        self.replace(2 + digits, &format!(r"\x{value:02X}"));
    }
}

/// Whether a set of characters starts here, inside a class: `\d`, `\p{L}`, `[:alpha:]`.
fn is_set(rest: &str) -> bool {
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), Some(c)) => matches!(c, 'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'h' | 'H' | 'v' | 'V' | 'p' | 'P'),
        (Some('['), Some(':')) => true,
        _ => false,
    }
}
