//! Code blocks: a head with the language and the buttons, and the highlighted code.
//!
//! A long block is folded by the style sheet (`style/prose.css`); the page contains the whole code, and everything works
//! without scripts but Copy.

use crate::i18n::{push_counted_reference, push_reference};

use super::{
    escape::{TextContext, push_text},
    highlight::{Highlighter, Language},
};

/// The maximum length of code that is highlighted, in bytes.
const MAX_HIGHLIGHTED_BYTES: usize = 100_000;
/// A block with more lines is folded.
const MAX_UNFOLDED_LINES: usize = 30;

/// A code block that is being written.
#[derive(Debug, Clone)]
pub(super) struct CodeBlock {
    html: String,
    highlighter: Highlighter,
    length: usize,
    lines: usize,
}

impl CodeBlock {
    /// Opens a block with this info string.
    pub(super) fn open(info: &str) -> Self {
        let name: &str = info.split([' ', ',', '{', '\t']).next().unwrap_or_default();
        let name = name.trim_start_matches('.');
        let name = if name.chars().count() > 30 { "" } else { name };
        let mut html = String::from("<div class=\"code-block\"><div class=\"code-head\"><span>");
        push_text(&mut html, name, TextContext::Code);
        html.push_str("</span><label class=\"code-wrap\"><input type=\"checkbox\" class=\"sr-only\">");
        push_reference(&mut html, key!("chat.code.wrap"));
        html.push_str("</label><button type=\"button\" class=\"copy-code\"><span>");
        push_reference(&mut html, key!("chat.copy"));
        html.push_str("</span><span class=\"sr-only\"> ");
        push_reference(&mut html, key!("chat.code.what"));
        html.push_str("</span></button></div><pre tabindex=\"0\" dir=\"ltr\"><code");
        let class: String =
            name.to_ascii_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
        if !class.is_empty() {
            html.push_str(" class=\"language-");
            html.push_str(&class);
            html.push('"');
        }
        html.push('>');
        Self { html, highlighter: Highlighter::new(Language::find(name)), length: 0, lines: 0 }
    }

    /// Appends one line with its line ending, or the incomplete last line.
    pub(super) fn push_line(&mut self, line: &str) {
        self.length += line.len();
        self.lines += usize::from(!line.is_empty());
        if self.length > MAX_HIGHLIGHTED_BYTES {
            push_text(&mut self.html, line, TextContext::Code);
        } else {
            self.highlighter.push_line(&mut self.html, line);
        }
    }

    /// Closes the block and returns its HTML.
    pub(super) fn close(mut self) -> String {
        self.html.push_str("</code></pre>");
        if self.lines > MAX_UNFOLDED_LINES {
            // Empty: its state is what the style sheet reads.
            self.html.push_str("<details class=\"code-fold\"><summary><span>");
            push_counted_reference(&mut self.html, key!("chat.code.show_all"), self.lines);
            self.html.push_str("</span><span>");
            push_reference(&mut self.html, key!("chat.code.show_less"));
            self.html.push_str("</span></summary></details>");
        }
        self.html.push_str("</div>\n");
        self.html
    }
}

/// Appends a whole code block.
pub(super) fn push_block(out: &mut String, info: &str, code: &str) {
    let mut block = CodeBlock::open(info);
    for line in code.split_inclusive('\n') {
        block.push_line(line);
    }
    out.push_str(&block.close());
}
