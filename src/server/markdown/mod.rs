//! Answers become HTML here, once, on the server; every surface shows the same.
//!
//! The text is Markdown as models write it: GitHub's flavour (tables, task lists, strikethrough, alerts, footnotes)
//! with mathematics between `$`, `$$`, `\(…\)` and `\[…\]`. What comes out is safe to insert:
//!
//! - HTML in the text is shown as text, but for `<br>`.
//! - Links lead to http, https and mailto addresses only (module `links`); images are links that open on a click.
//! - No attribute takes its name from the text, and only `href`, `start`, `data-code` and the language's class take a
//!   checked value from it. There are no ids and no style attributes.
//! - The work is bounded by the length of the text: lines nested too deeply are plain text (`segments`), formulas are
//!   limited (`math`), code is coloured in one pass (`highlight`).
//!
//! Two things are settled before the Markdown parser sees a text: where formulas are and what is money, and where
//! emphasis may begin and end in scripts without blanks between words (`prepare`). The module `blocks` writes the HTML;
//! `live` does so for a text that grows.

mod blocks;
mod code;
mod definitions;
mod display;
mod edits;
mod escape;
mod fences;
mod flanking;
mod formulas;
mod highlight;
mod html;
mod inline;
mod latex;
mod line;
mod lines;
mod links;
mod live;
mod math;
mod mathml;
mod options;
mod prepare;
mod segments;
mod tables;
#[cfg(test)]
mod tests;

pub use live::{LiveText, Step, diff_tail};

/// The whole of a finished text as HTML.
pub fn render(text: &str) -> String {
    let segments = segments::split(text);
    let definitions = definitions::Definitions::collect(&segments);
    let mut out = String::with_capacity(text.len() * 2);
    for segment in &segments {
        blocks::push_segment(&mut out, segment, &definitions);
    }
    out
}
