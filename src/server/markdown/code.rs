//! Blocks of code: a head with language and copy button, the code below it, coloured.

use super::{
    escape::{Place, push_text},
    highlight::{Highlighter, Language},
};

/// Code beyond this is not coloured, in bytes.
const LONGEST: usize = 100_000;

/// A block of code that is being written.
#[derive(Debug, Clone)]
pub(super) struct CodeBlock {
    html: String,
    highlighter: Highlighter,
    length: usize,
}

impl CodeBlock {
    /// The beginning of a block whose fence says `info`.
    pub(super) fn open(info: &str) -> Self {
        let name: &str = info.split([' ', ',', '{', '\t']).next().unwrap_or_default();
        let name = name.trim_start_matches('.');
        let name = if name.chars().count() > 30 { "" } else { name };
        let mut html = String::from("<div class=\"code-block\"><div class=\"code-head\"><span>");
        push_text(&mut html, name, Place::Code);
        html.push_str("</span><button type=\"button\" class=\"copy-code\" aria-label=\"Copy code\">Copy</button></div><pre tabindex=\"0\" dir=\"ltr\"><code");
        let class: String =
            name.to_ascii_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
        if !class.is_empty() {
            html.push_str(" class=\"language-");
            html.push_str(&class);
            html.push('"');
        }
        html.push('>');
        Self { html, highlighter: Highlighter::new(Language::find(name)), length: 0 }
    }

    /// Appends one line with its end, or what there is of the last one.
    pub(super) fn push_line(&mut self, line: &str) {
        self.length += line.len();
        if self.length > LONGEST {
            push_text(&mut self.html, line, Place::Code);
        } else {
            self.highlighter.push_line(&mut self.html, line);
        }
    }

    /// The block as it is now.
    pub(super) fn close(mut self) -> String {
        self.html.push_str("</code></pre></div>\n");
        self.html
    }
}

/// Appends a whole block.
pub(super) fn push_block(out: &mut String, info: &str, code: &str) {
    let mut block = CodeBlock::open(info);
    for line in code.split_inclusive('\n') {
        block.push_line(line);
    }
    out.push_str(&block.close());
}
