//! Chemical formulas as the package mhchem writes them: `\ce{2H2 + O2 -> 2H2O}`.

/// The maximum nesting of groups that is processed.
const MAX_DEPTH: usize = 8;

/// Arrows, the longest first: the notation, the LaTeX command, and the command for an arrow with labels.
const ARROWS: &[(&str, &str, &str)] = &[
    ("<=>>", "\\rightleftharpoons ", "\\xrightleftharpoons"),
    ("<<=>", "\\rightleftharpoons ", "\\xrightleftharpoons"),
    ("<-->", "\\leftrightarrows ", "\\xleftrightarrow"),
    ("<=>", "\\rightleftharpoons ", "\\xrightleftharpoons"),
    ("<->", "\\longleftrightarrow ", "\\xleftrightarrow"),
    ("-->", "\\dashrightarrow ", "\\xrightarrow"),
    ("->", "\\longrightarrow ", "\\xrightarrow"),
    ("<-", "\\longleftarrow ", "\\xleftarrow"),
    ("→", "\\longrightarrow ", "\\xrightarrow"),
    ("←", "\\longleftarrow ", "\\xleftarrow"),
    ("⇌", "\\rightleftharpoons ", "\\xrightleftharpoons"),
    ("↔", "\\longleftrightarrow ", "\\xleftrightarrow"),
];

/// Converts the argument of `\ce{…}` to LaTeX.
pub(super) fn convert(source: &str) -> String {
    let mut writer = Writer { rest: source, out: String::new(), previous: Previous::Start, depth: 0 };
    writer.run();
    writer.out
}

/// The previous item. It decides the meaning of a digit or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Previous {
    /// Nothing yet, or an operator.
    Start,
    /// White space.
    Blank,
    /// A number before a substance.
    Number,
    /// A letter or a closing bracket.
    Atom,
    /// A superscript or subscript before an atom.
    Script,
}

struct Writer<'a> {
    rest: &'a str,
    out: String,
    previous: Previous,
    depth: usize,
}

impl<'a> Writer<'a> {
    fn run(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            if self.write_arrow() || self.write_state() || self.write_standalone() {
                continue;
            }
            match c {
                c if c.is_whitespace() => {
                    self.rest = self.rest.trim_start();
                    if self.previous != Previous::Start {
                        self.previous = Previous::Blank;
                    }
                }
                '0'..='9' => self.write_number(),
                '^' | '_' => self.write_script(c),
                '+' | '-' | '−' => self.write_sign(c),
                '{' => self.write_group(),
                '$' => self.write_math(),
                '\\' => self.write_command(),
                '(' | '[' => self.push_char("", c, "", Previous::Start),
                ')' | ']' => self.push_char("", c, "", Previous::Atom),
                '.' | '*' | '·' | '•' if self.previous != Previous::Start && c != '•' => {
                    self.push("{\\cdot}", c, Previous::Start)
                }
                '•' => self.push("\\bullet ", c, Previous::Atom),
                '=' if self.previous == Previous::Atom => self.push("{=}", c, Previous::Start),
                '#' => self.push("{\\equiv}", c, Previous::Start),
                '~' => self.push("{\\sim}", c, Previous::Start),
                ',' | ';' => self.push_char("", c, "\\ ", Previous::Start),
                '%' => self.push("\\%", c, Previous::Start),
                '&' | '}' => self.push("", c, Previous::Start),
                c if c.is_alphabetic() => self.write_letters(),
                c => self.push_char("", c, "", Previous::Start),
            }
        }
    }

    /// Appends LaTeX for a character and skips the character.
    fn push(&mut self, latex: &str, c: char, previous: Previous) {
        self.out.push_str(latex);
        self.rest = &self.rest[c.len_utf8()..];
        self.previous = previous;
    }

    fn push_char(&mut self, before: &str, c: char, after: &str, previous: Previous) {
        self.out.push_str(before);
        self.out.push(c);
        self.push(after, c, previous);
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn write_arrow(&mut self) -> bool {
        let Some((mark, plain, labelled)) = ARROWS.iter().find(|(mark, ..)| self.rest.starts_with(mark)) else {
            return false;
        };
        self.take(mark.len());
        let above = self.label();
        let below = above.and_then(|_| self.label());
        match above {
            None => self.out.push_str(plain),
            Some(above) => {
                self.out.push_str(labelled);
                if let Some(below) = below {
                    self.out.push('[');
                    self.write_nested(below);
                    self.out.push(']');
                }
                self.out.push('{');
                self.write_nested(above);
                self.out.push('}');
            }
        }
        self.previous = Previous::Start;
        true
    }

    /// A label in brackets after an arrow.
    fn label(&mut self) -> Option<&'a str> {
        let inside = self.rest.strip_prefix('[')?;
        let mut depth = 0_usize;
        let end = inside.bytes().position(|byte| {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                b']' if depth == 0 => return true,
                b']' => depth -= 1,
                _ => {}
            }
            false
        })?;
        self.rest = &inside[end + 1..];
        Some(&inside[..end])
    }

    fn write_nested(&mut self, source: &str) {
        if self.depth < MAX_DEPTH {
            let mut inner = Writer {
                rest: source,
                out: std::mem::take(&mut self.out),
                previous: Previous::Start,
                depth: self.depth + 1,
            };
            inner.run();
            self.out = inner.out;
        }
    }

    /// A state of matter, such as `(aq)`.
    fn write_state(&mut self) -> bool {
        let Some(inside) = self.rest.strip_prefix('(') else { return false };
        let Some((state, _)) = inside.split_once(')') else { return false };
        if !matches!(state, "s" | "l" | "g" | "aq" | "cr" | "am" | "sln" | "ads") {
            return false;
        }
        self.take(state.len() + 2);
        self.out.push_str("\\,(\\mathrm{");
        self.out.push_str(state);
        self.out.push_str("})");
        self.previous = Previous::Atom;
        true
    }

    /// Characters between spaces: `v` is a precipitate, `^` a gas, `+` and `=` are operators.
    fn write_standalone(&mut self) -> bool {
        let mut chars = self.rest.chars();
        let (Some(c), after) = (chars.next(), chars.next()) else { return false };
        let is_alone = matches!(self.previous, Previous::Blank | Previous::Start)
            && after.is_none_or(|c| c.is_whitespace() || matches!(c, ')' | ',' | '}'));
        let latex = match c {
            'v' | '↓' if self.previous == Previous::Blank => "\\downarrow ",
            '^' | '↑' if self.previous == Previous::Blank => "\\uparrow ",
            '+' => "+",
            '-' | '−' => "-",
            '=' => "=",
            _ => return false,
        };
        if is_alone {
            self.push(latex, c, Previous::Start);
        }
        is_alone
    }

    /// A subscript after an atom, otherwise a coefficient.
    fn write_number(&mut self) {
        // `Fe0.95O` has a fractional subscript; `CuSO4.5H2O` has a dot between two substances.
        let is_decimal = self.previous != Previous::Atom || self.rest.starts_with("0.");
        let is_part = |byte: &u8| byte.is_ascii_digit() || (is_decimal && *byte == b'.');
        let digits = self.rest[..self.rest.bytes().take_while(is_part).count()].trim_end_matches('.');
        self.take(digits.len());
        if self.previous == Previous::Atom {
            self.out.push_str("_{");
            self.out.push_str(digits);
            self.out.push('}');
            return;
        }
        let below = self.rest.strip_prefix('/').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        if below > 0 {
            let below = &self.take(below + 1)[1..];
            self.out.push_str(&format!("\\tfrac{{{digits}}}{{{below}}}"));
        } else {
            self.out.push_str(digits);
        }
        if self.rest.trim_start().starts_with(|c: char| c.is_alphabetic() || matches!(c, '(' | '[')) {
            self.out.push_str("\\,");
        }
        self.previous = Previous::Number;
    }

    /// Superscripts and subscripts: `^2-`, `^{14}`, `_n`.
    fn write_script(&mut self, mark: char) {
        self.take(1);
        if !matches!(self.previous, Previous::Atom | Previous::Script) {
            self.out.push_str("{}");
        }
        self.out.push(mark);
        let inside = if let Some(inside) = self.braces() {
            inside
        } else {
            let is_part = |c: char| {
                c.is_ascii_digit()
                    || (mark == '^' && matches!(c, '+' | '-' | '−' | '.' | '•' | '\''))
                    || c.is_ascii_lowercase()
            };
            let run: usize = self.rest.chars().take_while(|c| is_part(*c)).map(char::len_utf8).sum();
            self.take(if run > 0 { run } else { self.rest.chars().next().map_or(0, char::len_utf8) })
        };
        self.out.push('{');
        if inside.contains('\\') || inside.contains('$') {
            self.out.push_str(&inside.replace('$', ""));
        } else {
            self.write_upright(inside, false);
        }
        self.out.push('}');
        // The base of the script may continue: `^{14}C`, `SO4^2-`.
        self.previous = if self.previous == Previous::Atom { Previous::Atom } else { Previous::Script };
    }

    /// Takes a group and returns its inside.
    fn braces(&mut self) -> Option<&'a str> {
        let end = super::find_closing_brace(self.rest).filter(|_| self.rest.starts_with('{'))?;
        Some(&self.take(end + 1)[1..end])
    }

    /// A charge after an atom, a bond between two atoms, otherwise an operator.
    fn write_sign(&mut self, c: char) {
        let sign = if c == '+' { "+" } else { "-" };
        let after = self.rest[c.len_utf8()..].chars().next();
        let is_bond = after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '(' | '[' | '\\' | '{'));
        match self.previous {
            Previous::Atom if !is_bond => self.push(&format!("^{{{sign}}}"), c, Previous::Atom),
            Previous::Atom if c != '+' => self.push("{-}", c, Previous::Start),
            _ => self.push(sign, c, Previous::Start),
        }
    }

    fn write_group(&mut self) {
        let Some(inside) = self.braces() else { return self.push("", '{', self.previous) };
        self.out.push('{');
        self.write_nested(inside);
        self.out.push('}');
        self.previous = Previous::Atom;
    }

    fn write_math(&mut self) {
        let Some(end) = self.rest[1..].find('$') else { return self.push("", '$', Previous::Start) };
        let inside = &self.take(end + 2)[1..=end];
        self.out.push('{');
        self.out.push_str(inside);
        self.out.push('}');
        self.previous = Previous::Atom;
    }

    /// Copies a LaTeX command with its arguments. `\bond{…}` becomes a bond.
    fn write_command(&mut self) {
        let Some(length) = super::name_length(&self.rest[1..]) else { return self.push("", '\\', Previous::Start) };
        let name = self.take(length + 1);
        if name == "\\bond" {
            let bond = match self.braces().unwrap_or_default() {
                "=" | "2" => "{=}",
                "#" | "3" => "{\\equiv}",
                "->" => "{\\rightarrow}",
                "<-" => "{\\leftarrow}",
                "..." | "...." => "{\\cdots}",
                "~" => "{\\sim}",
                _ => "{-}",
            };
            self.out.push_str(bond);
            self.previous = Previous::Start;
            return;
        }
        self.out.push_str(name);
        let mut has_arguments = false;
        while let Some(inside) = self.braces() {
            has_arguments = true;
            self.out.push('{');
            self.out.push_str(inside);
            self.out.push('}');
        }
        if !has_arguments && length > 0 {
            self.out.push(' ');
        }
        self.previous = Previous::Atom;
    }

    /// Element symbols are upright. A single lower-case letter is an unknown coefficient.
    fn write_letters(&mut self) {
        let length: usize = self.rest.chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
        let letters = &self.rest[..length];
        let first = letters.chars().next().unwrap_or_default();
        let second = letters[first.len_utf8()..].chars().next();
        let is_unknown_number = first.is_ascii_lowercase()
            && self.previous != Previous::Atom
            && second.is_none_or(char::is_uppercase)
            && !(first == 'e' && self.rest[1..].starts_with(['-', '+', '^']));
        if is_unknown_number {
            return self.push_char("", first, "\\,", Previous::Number);
        }
        let letters = self.take(length);
        self.write_upright(letters, true);
        self.previous = Previous::Atom;
    }

    fn write_upright(&mut self, text: &str, is_symbol: bool) {
        let is_variable = !is_symbol && text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_lowercase());
        if is_variable || !text.contains(char::is_alphabetic) {
            self.out
                .extend(text.chars().map(|c| if c == '−' { '-' } else { c }).filter(|c| !matches!(c, '{' | '}' | '&')));
            return;
        }
        self.out.push_str("\\mathrm{");
        self.out.extend(text.chars().filter(|c| !matches!(c, '{' | '}' | '&' | '#' | '%' | '^' | '_')));
        self.out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substances_and_reactions() {
        for (source, latex) in [
            ("H2O", r"\mathrm{H}_{2}\mathrm{O}"),
            ("2H2 + O2 -> 2H2O", r"2\,\mathrm{H}_{2}+\mathrm{O}_{2}\longrightarrow 2\,\mathrm{H}_{2}\mathrm{O}"),
            ("SO4^2-", r"\mathrm{SO}_{4}^{2-}"),
            ("Na+ + Cl-", r"\mathrm{Na}^{+}+\mathrm{Cl}^{-}"),
            ("[Cu(NH3)4]^{2+}", r"[\mathrm{Cu}(\mathrm{NH}_{3})_{4}]^{2+}"),
            ("^{14}_{6}C", r"{}^{14}_{6}\mathrm{C}"),
            ("^227_90Th+", r"{}^{227}_{90}\mathrm{Th}^{+}"),
            ("CuSO4.5H2O", r"\mathrm{CuSO}_{4}{\cdot}5\,\mathrm{H}_{2}\mathrm{O}"),
            ("NaCl(aq)", r"\mathrm{NaCl}\,(\mathrm{aq})"),
            ("A <=> B", r"\mathrm{A}\rightleftharpoons \mathrm{B}"),
            ("A ->[H2O][\\Delta] B", r"\mathrm{A}\xrightarrow[\Delta ]{\mathrm{H}_{2}\mathrm{O}}\mathrm{B}"),
            ("BaSO4 v", r"\mathrm{BaSO}_{4}\downarrow "),
            ("CO2 ^", r"\mathrm{CO}_{2}\uparrow "),
            ("1/2O2", r"\tfrac{1}{2}\,\mathrm{O}_{2}"),
            ("CH3-CH=CH2", r"\mathrm{CH}_{3}{-}\mathrm{CH}{=}\mathrm{CH}_{2}"),
            ("e-", r"\mathrm{e}^{-}"),
            ("n H2O", r"n\,\mathrm{H}_{2}\mathrm{O}"),
            ("Fe^{III}", r"\mathrm{Fe}^{\mathrm{III}}"),
            ("NO_x", r"\mathrm{NO}_{x}"),
            ("H2C$x$", r"\mathrm{H}_{2}\mathrm{C}{x}"),
        ] {
            assert_eq!(convert(source), latex, "{source}");
        }
    }
}
