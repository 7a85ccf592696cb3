//! Text within formulas: `\text{…}` and similar commands, which may contain formulas again.

use super::{Source, Translator, name_length, names::is_text_symbol};

impl<'a> Translator<'a> {
    /// Text within a formula. Returns whether the command is one of these.
    pub(super) fn translate_text(&mut self, name: &str, rest: &mut Source<'a>, depth: usize) -> Option<bool> {
        let style = match name {
            "text" | "mbox" | "hbox" | "textnormal" | "textup" | "textmd" => "text",
            "textbf" | "textit" | "textrm" | "textsf" | "texttt" => name,
            "fbox" | "framebox" => "fbox",
            "colorbox" => {
                rest.take_argument();
                "text"
            }
            "fcolorbox" => {
                rest.take_argument();
                rest.take_argument();
                "fbox"
            }
            name if is_text_symbol(name) => {
                self.push_styled("text", &format!("\\{name} "));
                return Some(true);
            }
            // Accents that exist only in text.
            "H" | "c" | "r" | "u" | "v" | "sout" if rest.0.starts_with('{') => {
                let Some(inside) = rest.take_argument() else { return Some(false) };
                self.push_styled("text", &format!("\\{name}{{{inside}}}"));
                return Some(true);
            }
            "textasciitilde" => {
                self.out.push('∼');
                return Some(true);
            }
            "verb" => {
                let Some(mark) = rest.0.chars().next() else { return Some(false) };
                let Some((inside, after)) = rest.0[mark.len_utf8()..].split_once(mark) else { return Some(false) };
                self.push_source(inside);
                *rest = Source(after);
                return Some(true);
            }
            _ => return Some(false),
        };
        let Some(inside) = rest.take_argument() else { return Some(false) };
        if style == "fbox" {
            self.out.push_str("\\begin{darray}{|c|}\\hline ");
            self.push_text_with_formulas("text", inside, depth)?;
            self.out.push_str("\\\\\\hline\\end{darray}");
        } else {
            self.push_text_with_formulas(style, inside, depth)?;
        }
        Some(true)
    }

    /// Text that may contain formulas between dollars, and math commands.
    fn push_text_with_formulas(&mut self, style: &str, inside: &'a str, depth: usize) -> Option<()> {
        let mut words = String::new();
        let mut rest = Source(inside);
        while let Some(at) = rest.0.find(['\\', '$']) {
            words.push_str(&rest.0[..at]);
            let found = &rest.0[at..];
            let length = name_length(&found[1..]).unwrap_or(0);
            let (part, after) = if let Some(formula) = found.strip_prefix('$') {
                formula.split_once('$').unwrap_or((formula, ""))
            } else if &found[1..=length] == "textasciitilde" {
                words.push('∼');
                rest = Source(&found[1 + length..]);
                continue;
            } else if is_text_command(&found[1..=length]) {
                words.push_str(&found[..=length]);
                rest = Source(&found[1 + length..]);
                continue;
            } else {
                let mut arguments = Source(&found[1 + length..]);
                while arguments.0.starts_with('{') && arguments.take_argument().is_some() {}
                found.split_at(found.len() - arguments.0.len())
            };
            self.push_styled(style, &words);
            words.clear();
            self.push_wrapped("{", part, "}", depth)?;
            rest = Source(after);
        }
        words.push_str(rest.0);
        self.push_styled(style, &words);
        Some(())
    }

    pub(super) fn push_styled(&mut self, style: &str, words: &str) {
        if !words.is_empty() {
            self.out.push('\\');
            self.out.push_str(style);
            self.out.push('{');
            self.out.push_str(words);
            self.out.push('}');
        }
    }
}

/// Whether a command belongs to text mode: a character, an accent, a font style.
fn is_text_command(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "AA", "AE", "H", "L", "O", "OE", "P", "S", "aa", "ae", "c", "dag", "ddag", "dots", "emph", "i", "j", "l",
        "ldots", "o", "oe", "quad", "r", "sout", "ss", "u", "v",
    ];
    !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.starts_with("text") || NAMES.contains(&name)
}
