//! LaTeX as models write it into LaTeX as the converter knows it: other names, what Markdown needs in another form,
//! chemistry. The work grows with the text: every argument is read once, and nothing is expanded again.

mod chemistry;
mod environments;
mod names;
mod text;
mod units;

use environments::{Environment, environment};
use names::{COLORS, REFUSED, other_name};

/// Arguments in arguments that are looked into; what is nested deeper stays as it is.
const DEEPEST: usize = 40;

/// Rewrites a formula; `None` where it holds a command that is refused.
pub(super) fn translate(latex: &str) -> Option<String> {
    let mut translator = Translator::default();
    translator.walk(latex, 0)?;
    Some(translator.out)
}

#[derive(Debug, Default)]
struct Translator<'a> {
    out: String,
    /// The open environments, and whether their rows may have numbers.
    environments: Vec<Environment>,
    /// What `\DeclareMathOperator` has named.
    operators: Vec<(&'a str, &'a str)>,
}

/// The rest of a formula, of which commands take their arguments.
#[derive(Debug, Clone, Copy)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// The next argument: a group, without its braces, a command or a character.
    fn argument(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let (argument, length) = if rest.starts_with('{') {
            let end = closing_brace(rest)?;
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

    /// The next argument if it stands in brackets.
    fn option(&mut self) -> Option<&'a str> {
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

    /// Passes over `[t]` behind the name of an environment.
    fn position(&mut self) {
        let mut after = *self;
        if matches!(after.option().map(str::trim), Some("t" | "b" | "c" | "l" | "r")) {
            *self = after;
        }
    }
}

/// The length of a command's name: letters, or one other character.
fn name_length(name: &str) -> Option<usize> {
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    if letters > 0 { Some(letters) } else { name.chars().next().map(char::len_utf8) }
}

/// Where the brace that a text begins with is closed.
fn closing_brace(text: &str) -> Option<usize> {
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
    fn walk(&mut self, latex: &'a str, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            self.out.push_str(latex);
            return Some(());
        }
        let mut rest = Rest(latex);
        while let Some(at) = rest.0.find('\\') {
            self.plain(&rest.0[..at]);
            let Some(length) = name_length(&rest.0[at + 1..]) else {
                // A blank behind a backslash at the end was cut off.
                self.out.push_str("\\ ");
                return Some(());
            };
            let name = &rest.0[at + 1..at + 1 + length];
            rest = Rest(&rest.0[at + 1 + length..]);
            self.command(name, &mut rest, depth)?;
        }
        self.plain(rest.0);
        Some(())
    }

    /// What holds no commands. `#` and `50%` are meant as they are.
    fn plain(&mut self, latex: &str) {
        let mut last = ' ';
        for c in latex.chars() {
            if c == '#' || (c == '%' && last.is_ascii_digit()) {
                self.out.push('\\');
            }
            self.out.push(c);
            last = c;
        }
    }

    fn command(&mut self, name: &'a str, rest: &mut Rest<'a>, depth: usize) -> Option<()> {
        if name == "renewcommand" && rest.0.starts_with("{\\arraystretch}") {
            rest.argument();
            rest.argument();
            return Some(());
        }
        if REFUSED.contains(&name) {
            return None;
        }
        let before = *rest;
        let is_done =
            self.structure(name, rest, depth)? || self.wrapper(name, rest, depth)? || self.text(name, rest, depth)?;
        if is_done {
            return Some(());
        }
        *rest = before;
        if let Some((_, operator)) = self.operators.iter().find(|(known, _)| *known == name) {
            self.out.push_str("\\operatorname{");
            self.out.push_str(operator);
            self.out.push('}');
        } else if let Some(other) = other_name(name) {
            self.out.push_str(other);
            // The name must not grow together with a letter.
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

    /// Environments, numbers and names of equations; whether the command was one of these.
    fn structure(&mut self, name: &str, rest: &mut Rest<'a>, depth: usize) -> Option<bool> {
        let has_numbers = self.environments.last().is_some_and(|open| open.has_numbers);
        match name {
            "begin" | "end" => {
                let Some(name_of_it) = rest.argument() else { return Some(false) };
                let known = environment(name_of_it)?;
                if name == "begin" {
                    rest.position();
                    if known.has_count {
                        rest.argument();
                    }
                    if known.is_unknown {
                        self.source(&format!("\\begin{{{name_of_it}}}"));
                    }
                    self.out.push_str(known.begin);
                    self.environments.push(known);
                } else {
                    self.environments.pop();
                    self.out.push_str(known.end);
                    if known.is_unknown {
                        self.source(&format!("\\end{{{name_of_it}}}"));
                    }
                }
            }
            "label" => {
                rest.argument();
            }
            "nonumber" | "notag" if !has_numbers => {}
            "tag" if !has_numbers => {
                let is_plain = rest.0.starts_with('*');
                *rest = Rest(rest.0.strip_prefix('*').unwrap_or(rest.0));
                let Some(tag) = rest.argument() else { return Some(false) };
                self.out.push_str("\\qquad ");
                self.words(&if is_plain { tag.to_owned() } else { format!("({tag})") });
            }
            "eqref" | "ref" => {
                let Some(label) = rest.argument() else { return Some(false) };
                let label = label.replace('_', "\\_");
                self.words(&if name == "eqref" { format!("({label})") } else { label });
            }
            "DeclareMathOperator" => {
                *rest = Rest(rest.0.strip_prefix('*').unwrap_or(rest.0));
                let (Some(operator), Some(shown)) = (rest.argument(), rest.argument()) else { return Some(false) };
                let is_plain =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'*' | b'\\' | b',');
                if shown.len() <= 40 && shown.bytes().all(is_plain) {
                    self.operators.push((operator.trim().trim_start_matches('\\'), shown));
                }
            }
            "substack" => {
                let Some(lines) = rest.argument() else { return Some(false) };
                self.wrap("\\begin{subarray}{c}", lines, "\\end{subarray}", depth)?;
            }
            _ => return Some(false),
        }
        Some(true)
    }

    /// Commands around an argument; whether the command was one of these.
    fn wrapper(&mut self, name: &str, rest: &mut Rest<'a>, depth: usize) -> Option<bool> {
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
                rest.argument();
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
                rest.option();
                let Some(color) = rest.argument() else { return Some(false) };
                let Some(inside) = rest.argument() else { return Some(false) };
                self.out.push('{');
                self.color(color);
                self.walk(inside, depth + 1)?;
                self.out.push('}');
                return Some(true);
            }
            "color" => {
                if rest.option().is_some() {
                    return Some(false);
                }
                let Some(color) = rest.argument() else { return Some(false) };
                self.color(color);
                return Some(true);
            }
            "cancelto" => {
                let (Some(value), Some(inside)) = (rest.argument(), rest.argument()) else { return Some(false) };
                self.wrap("\\overset{", value, "}", depth)?;
                self.wrap("{\\cancel{", inside, "}}", depth)?;
                return Some(true);
            }
            "mathchoice" => {
                let Some(inside) = rest.argument() else { return Some(false) };
                for _ in 0..3 {
                    rest.argument();
                }
                self.wrap("{", inside, "}", depth)?;
                return Some(true);
            }
            "ce" | "cee" | "pu" => {
                let Some(inside) = rest.argument() else { return Some(false) };
                let formula = if name == "pu" { units::unit(inside) } else { chemistry::formula(inside) };
                self.out.push('{');
                self.out.push_str(&formula);
                self.out.push('}');
                return Some(true);
            }
            _ => return Some(false),
        };
        if options > 0 {
            rest.option();
        }
        for _ in 0..skipped {
            rest.argument();
        }
        let Some(inside) = rest.argument() else { return Some(false) };
        self.wrap(open, inside, close, depth)?;
        Some(true)
    }

    fn wrap(&mut self, open: &str, inside: &'a str, close: &str, depth: usize) -> Option<()> {
        self.out.push_str(open);
        self.walk(inside, depth + 1)?;
        self.out.push_str(close);
        Some(())
    }

    /// A color by a name or by its digits; what is none has no effect.
    fn color(&mut self, color: &str) {
        let digits = color.trim_start_matches('#');
        let digit = |at: usize| digits.get(at..=at).and_then(|digit| u8::from_str_radix(digit, 16).ok());
        let parts: Option<Vec<u8>> = match digits.len() {
            6 => (0..3).map(|n| Some(digit(2 * n)? * 16 + digit(2 * n + 1)?)).collect(),
            3 => (0..3).map(|n| Some(digit(n)? * 17)).collect(),
            _ => None,
        };
        if COLORS.contains(&color) {
            self.out.push_str(&format!("\\color{{{color}}}"));
        } else if let Some([red, green, blue]) = parts.as_deref() {
            self.out.push_str(&format!("\\color[RGB]{{{red},{green},{blue}}}"));
        }
    }

    fn words(&mut self, text: &str) {
        self.styled("text", text);
    }

    /// LaTeX that is shown as it is written.
    fn source(&mut self, source: &str) {
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
    fn what_defines_or_loads_is_refused() {
        assert_eq!(translate(r"\def\a{\a\a}\a"), None);
        assert_eq!(translate(r"\boxed{\text{a $\href{x}{y}$}}"), None);
        assert_eq!(translate(r"\renewcommand{\arraystretch}{1.5}x").as_deref(), Some("x"));
    }

    #[test]
    fn row_64_the_translation_grows_with_the_formula() {
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
