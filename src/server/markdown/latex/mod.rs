//! Translates LaTeX as models write it to LaTeX that the converter supports: aliases, replacements for unsupported
//! commands, chemistry. The work is linear in the length of the formula: every argument is read once, and nothing is
//! expanded again.

mod chemistry;
mod environments;
mod names;
mod text;
mod units;

use environments::{Environment, find_environment};
use names::{COLOR_NAMES, FORBIDDEN_COMMANDS, alias};

/// The maximum nesting of arguments that is translated. Deeper ones are copied unchanged.
const MAX_DEPTH: usize = 40;

/// Translates a formula. `None` if it contains a forbidden command.
pub(super) fn translate(latex: &str) -> Option<String> {
    let mut translator = Translator::default();
    translator.translate_part(latex, 0)?;
    Some(translator.out)
}

#[derive(Debug, Default)]
struct Translator<'a> {
    out: String,
    /// The open environments.
    environments: Vec<Environment>,
    /// The operators defined with `\DeclareMathOperator`: name and text.
    operators: Vec<(&'a str, &'a str)>,
}

/// The remaining source, from which commands take their arguments.
#[derive(Debug, Clone, Copy)]
struct Source<'a>(&'a str);

impl<'a> Source<'a> {
    /// Takes the next argument: a group (without its braces), a command or a character.
    fn take_argument(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let (argument, length) = if rest.starts_with('{') {
            let end = find_closing_brace(rest)?;
            (&rest[1..end], end + 1)
        } else if let Some(name) = rest.strip_prefix('\\') {
            let length = 1 + name_length(name)?;
            (&rest[..length], length)
        } else {
            let length = rest.chars().next().filter(|c| *c != '}' && *c != '&')?.len_utf8();
            (&rest[..length], length)
        };
        self.0 = &rest[length..];
        Some(argument)
    }

    /// Takes the next argument if it is in brackets.
    fn take_optional_argument(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start().strip_prefix('[')?;
        let mut depth = 0_usize;
        for (at, byte) in rest.bytes().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.checked_sub(1)?,
                b']' if depth == 0 => {
                    self.0 = &rest[at + 1..];
                    return Some(&rest[..at]);
                }
                _ => {}
            }
        }
        None
    }

    /// Skips a position such as `[t]` after the name of an environment.
    fn skip_position(&mut self) {
        let mut after = *self;
        if matches!(after.take_optional_argument().map(str::trim), Some("t" | "b" | "c" | "l" | "r")) {
            *self = after;
        }
    }
}

/// The length of a command name: letters, or one other character.
fn name_length(name: &str) -> Option<usize> {
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    if letters > 0 { Some(letters) } else { name.chars().next().map(char::len_utf8) }
}

/// The position of the brace that closes the one at the start of the text.
fn find_closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(at),
            b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

impl<'a> Translator<'a> {
    fn translate_part(&mut self, latex: &'a str, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            self.out.push_str(latex);
            return Some(());
        }
        let mut rest = Source(latex);
        while let Some(at) = rest.0.find('\\') {
            self.push_plain(&rest.0[..at]);
            let Some(length) = name_length(&rest.0[at + 1..]) else {
                // A backslash at the end was followed by a space that has been trimmed.
                self.out.push_str("\\ ");
                return Some(());
            };
            let name = &rest.0[at + 1..at + 1 + length];
            rest = Source(&rest.0[at + 1 + length..]);
            self.translate_command(name, &mut rest, depth)?;
        }
        self.push_plain(rest.0);
        Some(())
    }

    /// Copies text without commands. Escapes `#` and the `%` of `50%`, which are meant literally.
    fn push_plain(&mut self, latex: &str) {
        let mut last = ' ';
        for c in latex.chars() {
            if c == '#' || (c == '%' && last.is_ascii_digit()) {
                self.out.push('\\');
            }
            self.out.push(c);
            last = c;
        }
    }

    fn translate_command(&mut self, name: &'a str, rest: &mut Source<'a>, depth: usize) -> Option<()> {
        if name == "renewcommand" && rest.0.starts_with("{\\arraystretch}") {
            rest.take_argument();
            rest.take_argument();
            return Some(());
        }
        if FORBIDDEN_COMMANDS.contains(&name) {
            return None;
        }
        let before = *rest;
        let is_handled = self.translate_structure(name, rest, depth)?
            || self.translate_wrapper(name, rest, depth)?
            || self.translate_text(name, rest, depth)?;
        if is_handled {
            return Some(());
        }
        *rest = before;
        if let Some((_, operator)) = self.operators.iter().find(|(known, _)| *known == name) {
            self.out.push_str("\\operatorname{");
            self.out.push_str(operator);
            self.out.push('}');
        } else if let Some(other) = alias(name) {
            self.out.push_str(other);
            // The replacement must not merge with the following letter.
            if other.ends_with(|c: char| c.is_ascii_alphabetic())
                && rest.0.starts_with(|c: char| c.is_ascii_alphabetic())
            {
                self.out.push(' ');
            }
        } else {
            self.out.push('\\');
            self.out.push_str(name);
        }
        Some(())
    }

    /// Environments, equation numbers and labels. Returns whether the command is one of these.
    fn translate_structure(&mut self, name: &str, rest: &mut Source<'a>, depth: usize) -> Option<bool> {
        let is_numbered = self.environments.last().is_some_and(|open| open.is_numbered);
        match name {
            "begin" | "end" => {
                let Some(environment_name) = rest.take_argument() else { return Some(false) };
                let known = find_environment(environment_name)?;
                if name == "begin" {
                    rest.skip_position();
                    if known.has_column_count {
                        rest.take_argument();
                    }
                    if known.is_unknown {
                        self.push_source(&format!("\\begin{{{environment_name}}}"));
                    }
                    self.out.push_str(known.begin);
                    self.environments.push(known);
                } else {
                    self.environments.pop();
                    self.out.push_str(known.end);
                    if known.is_unknown {
                        self.push_source(&format!("\\end{{{environment_name}}}"));
                    }
                }
            }
            "label" => {
                rest.take_argument();
            }
            "nonumber" | "notag" if !is_numbered => {}
            "tag" if !is_numbered => {
                let is_plain = rest.0.starts_with('*');
                *rest = Source(rest.0.strip_prefix('*').unwrap_or(rest.0));
                let Some(tag) = rest.take_argument() else { return Some(false) };
                self.out.push_str("\\qquad ");
                self.push_text(&if is_plain { tag.to_owned() } else { format!("({tag})") });
            }
            "eqref" | "ref" => {
                let Some(label) = rest.take_argument() else { return Some(false) };
                let label = label.replace('_', "\\_");
                self.push_text(&if name == "eqref" { format!("({label})") } else { label });
            }
            "DeclareMathOperator" => {
                *rest = Source(rest.0.strip_prefix('*').unwrap_or(rest.0));
                let (Some(operator), Some(text)) = (rest.take_argument(), rest.take_argument()) else {
                    return Some(false);
                };
                let is_plain =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'*' | b'\\' | b',');
                if text.len() <= 40 && text.bytes().all(is_plain) {
                    self.operators.push((operator.trim().trim_start_matches('\\'), text));
                }
            }
            "substack" => {
                let Some(lines) = rest.take_argument() else { return Some(false) };
                self.push_wrapped("\\begin{subarray}{c}", lines, "\\end{subarray}", depth)?;
            }
            _ => return Some(false),
        }
        Some(true)
    }

    /// Commands that wrap an argument. Returns whether the command is one of these.
    fn translate_wrapper(&mut self, name: &str, rest: &mut Source<'a>, depth: usize) -> Option<bool> {
        let (options, skipped, open, close) = match name {
            "boxed" => (0, 0, "\\begin{darray}{|c|}\\hline {", "}\\\\\\hline\\end{darray}"),
            "smash" => (1, 0, "{", "}"),
            "mathllap" | "mathrlap" | "mathclap" | "llap" | "rlap" | "clap" | "vcenter" | "mathnormal" => {
                (0, 0, "{", "}")
            }
            "mathstrut" | "strut" => return Some(true),
            "raisebox" => (0, 1, "{", "}"),
            "multicolumn" => (0, 2, "{", "}"),
            "cline" => {
                rest.take_argument();
                return Some(true);
            }
            "pod" => (0, 0, "\\quad({", "})"),
            "pmb" => (0, 0, "\\boldsymbol{", "}"),
            "widetilde" => (0, 0, "\\tilde{", "}"),
            "widecheck" => (0, 0, "\\check{", "}"),
            "utilde" => (0, 0, "\\underset{\\sim}{", "}"),
            "overlinesegment" | "angl" => (0, 0, "\\overline{", "}"),
            "underlinesegment" => (0, 0, "\\underline{", "}"),
            "phase" => (0, 0, "\\angle{", "}"),
            "Set" | "set" => (0, 0, "\\left\\{", "\\right\\}"),
            "Braket" => (0, 0, "\\left\\langle ", "\\right\\rangle "),
            "textcolor" => {
                rest.take_optional_argument();
                let Some(color) = rest.take_argument() else { return Some(false) };
                let Some(inside) = rest.take_argument() else { return Some(false) };
                self.out.push('{');
                self.push_color(color);
                self.translate_part(inside, depth + 1)?;
                self.out.push('}');
                return Some(true);
            }
            "color" => {
                if rest.take_optional_argument().is_some() {
                    return Some(false);
                }
                let Some(color) = rest.take_argument() else { return Some(false) };
                self.push_color(color);
                return Some(true);
            }
            "cancelto" => {
                let (Some(value), Some(inside)) = (rest.take_argument(), rest.take_argument()) else {
                    return Some(false);
                };
                self.push_wrapped("\\overset{", value, "}", depth)?;
                self.push_wrapped("{\\cancel{", inside, "}}", depth)?;
                return Some(true);
            }
            "mathchoice" => {
                let Some(inside) = rest.take_argument() else { return Some(false) };
                for _ in 0..3 {
                    rest.take_argument();
                }
                self.push_wrapped("{", inside, "}", depth)?;
                return Some(true);
            }
            "ce" | "cee" | "pu" => {
                let Some(inside) = rest.take_argument() else { return Some(false) };
                let formula = if name == "pu" { units::convert(inside) } else { chemistry::convert(inside) };
                self.out.push('{');
                self.out.push_str(&formula);
                self.out.push('}');
                return Some(true);
            }
            _ => return Some(false),
        };
        if options > 0 {
            rest.take_optional_argument();
        }
        for _ in 0..skipped {
            rest.take_argument();
        }
        let Some(inside) = rest.take_argument() else { return Some(false) };
        self.push_wrapped(open, inside, close, depth)?;
        Some(true)
    }

    fn push_wrapped(&mut self, open: &str, inside: &'a str, close: &str, depth: usize) -> Option<()> {
        self.out.push_str(open);
        self.translate_part(inside, depth + 1)?;
        self.out.push_str(close);
        Some(())
    }

    /// Sets a color by name or hex digits. Ignores invalid colors.
    fn push_color(&mut self, color: &str) {
        let digits = color.trim_start_matches('#');
        let digit = |at: usize| digits.get(at..=at).and_then(|digit| u8::from_str_radix(digit, 16).ok());
        let parts: Option<Vec<u8>> = match digits.len() {
            6 => (0..3).map(|n| Some(digit(2 * n)? * 16 + digit(2 * n + 1)?)).collect(),
            3 => (0..3).map(|n| Some(digit(n)? * 17)).collect(),
            _ => None,
        };
        if COLOR_NAMES.contains(&color) {
            self.out.push_str(&format!("\\color{{{color}}}"));
        } else if let Some([red, green, blue]) = parts.as_deref() {
            self.out.push_str(&format!("\\color[RGB]{{{red},{green},{blue}}}"));
        }
    }

    fn push_text(&mut self, text: &str) {
        self.push_styled("text", text);
    }

    /// Appends LaTeX source as literal text.
    fn push_source(&mut self, source: &str) {
        self.out.push_str("\\texttt{");
        for c in source.chars() {
            match c {
                '\\' => self.out.push_str("\\textbackslash{}"),
                '{' | '}' | '$' | '%' | '#' | '&' | '_' => self.out.extend(['\\', c]),
                '^' | '~' => self.out.push_str("{}"),
                c => self.out.push(c),
            }
        }
        self.out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn commands_are_translated() {
        for (latex, translated) in [
            (r"\alpha\\ \{ x \}", r"\alpha\\ \{ x \}"),
            (r"\boxed{42}", r"\begin{darray}{|c|}\hline {42}\\\hline\end{darray}"),
            (r"\text{if $x$, then}", r"\text{if }{x}\text{, then}"),
            (r"\mbox{a}\dotsb x\lparen", r"\text{a}\cdots x("),
            (r"a \tag{1}\label{eq:a}", r"a \qquad \text{(1)}"),
            (r"\begin{align}a\tag{1}\end{align}", r"\begin{align}a\tag{1}\end{align}"),
            (r"\begin{split}a\nonumber\end{split}", r"\begin{aligned}a\end{aligned}"),
            (r"\begin{alignat}{2}a\end{alignat}", r"\begin{align}a\end{align}"),
            (r"\textcolor{red}{\boxed x}", r"{\color{red}\begin{darray}{|c|}\hline {x}\\\hline\end{darray}}"),
            (r"\DeclareMathOperator{\tr}{tr}\tr A", r"\operatorname{tr} A"),
            (r"\unknown{x}", r"\unknown{x}"),
            (r"\boxed", r"\boxed"),
            ("\\", "\\ "),
        ] {
            assert_eq!(translate(latex).as_deref(), Some(translated), "{latex}");
        }
    }

    #[test]
    fn commands_that_define_or_load_are_forbidden() {
        assert_eq!(translate(r"\def\a{\a\a}\a"), None);
        assert_eq!(translate(r"\boxed{\text{a $\href{x}{y}$}}"), None);
        assert_eq!(translate(r"\renewcommand{\arraystretch}{1.5}x").as_deref(), Some("x"));
    }

    #[test]
    fn row_64_the_output_is_linear_in_the_length_of_the_formula() {
        for unit in [r"\boxed{", r"\text{$", r"\ce{", r"\substack{", r"\textcolor{red}{", r"\begin{x}", r"\cancelto{"] {
            for count in [10, 1_000] {
                let latex = unit.repeat(count);
                assert!(translate(&latex).is_some_and(|out| out.len() < 16 * latex.len() + 1_000), "{unit} {count}");
                let closed = format!("{latex}{}", "}".repeat(count));
                assert!(translate(&closed).is_some_and(|out| out.len() < 16 * closed.len() + 1_000), "{unit} {count}");
            }
        }
    }
}
