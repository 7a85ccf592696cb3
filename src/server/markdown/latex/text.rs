//! Text within formulas: `\text{…}` and its kind, with formulas within that.

use super::{Rest, Translator, name_length, names::is_character_of_text};

impl<'a> Translator<'a> {
    /// Text within a formula, and formulas within that; whether the command was one of these.
    pub(super) fn text(&mut self, name: &str, rest: &mut Rest<'a>, depth: usize) -> Option<bool> {
        let style = match name {
            "text" | "mbox" | "hbox" | "textnormal" | "textup" | "textmd" => "text",
            "textbf" | "textit" | "textrm" | "textsf" | "texttt" => name,
            "fbox" | "framebox" => "fbox",
            "colorbox" => {
                rest.argument();
                "text"
            }
            "fcolorbox" => {
                rest.argument();
                rest.argument();
                "fbox"
            }
            name if is_character_of_text(name) => {
                self.styled("text", &format!("\\{name} "));
                return Some(true);
            }
            // Accents, which are for text.
            "H" | "c" | "r" | "u" | "v" | "sout" if rest.0.starts_with('{') => {
                let Some(inside) = rest.argument() else { return Some(false) };
                self.styled("text", &format!("\\{name}{{{inside}}}"));
                return Some(true);
            }
            "textasciitilde" => {
                self.out.push('∼');
                return Some(true);
            }
            "verb" => {
                let Some(mark) = rest.0.chars().next() else { return Some(false) };
                let Some((inside, after)) = rest.0[mark.len_utf8()..].split_once(mark) else { return Some(false) };
                self.source(inside);
                *rest = Rest(after);
                return Some(true);
            }
            _ => return Some(false),
        };
        let Some(inside) = rest.argument() else { return Some(false) };
        if style == "fbox" {
            self.out.push_str("\\begin{darray}{|c|}\\hline ");
            self.parts_of_text("text", inside, depth)?;
            self.out.push_str("\\\\\\hline\\end{darray}");
        } else {
            self.parts_of_text(style, inside, depth)?;
        }
        Some(true)
    }

    /// Text with formulas between dollars, and with commands that are mathematics.
    fn parts_of_text(&mut self, style: &str, inside: &'a str, depth: usize) -> Option<()> {
        let mut words = String::new();
        let mut rest = Rest(inside);
        while let Some(at) = rest.0.find(['\\', '$']) {
            words.push_str(&rest.0[..at]);
            let found = &rest.0[at..];
            let length = name_length(&found[1..]).unwrap_or(0);
            let (part, after) = if let Some(formula) = found.strip_prefix('$') {
                formula.split_once('$').unwrap_or((formula, ""))
            } else if &found[1..=length] == "textasciitilde" {
                words.push('∼');
                rest = Rest(&found[1 + length..]);
                continue;
            } else if is_for_text(&found[1..=length]) {
                words.push_str(&found[..=length]);
                rest = Rest(&found[1 + length..]);
                continue;
            } else {
                let mut arguments = Rest(&found[1 + length..]);
                while arguments.0.starts_with('{') && arguments.argument().is_some() {}
                found.split_at(found.len() - arguments.0.len())
            };
            self.styled(style, &words);
            words.clear();
            self.wrap("{", part, "}", depth)?;
            rest = Rest(after);
        }
        words.push_str(rest.0);
        self.styled(style, &words);
        Some(())
    }

    pub(super) fn styled(&mut self, style: &str, words: &str) {
        if !words.is_empty() {
            self.out.push('\\');
            self.out.push_str(style);
            self.out.push('{');
            self.out.push_str(words);
            self.out.push('}');
        }
    }
}

/// Whether a command belongs to text: a character, an accent, a style of letters.
fn is_for_text(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "AA", "AE", "H", "L", "O", "OE", "P", "S", "aa", "ae", "c", "dag", "ddag", "dots", "emph", "i", "j", "l",
        "ldots", "o", "oe", "quad", "r", "sout", "ss", "u", "v",
    ];
    !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.starts_with("text") || NAMES.contains(&name)
}
