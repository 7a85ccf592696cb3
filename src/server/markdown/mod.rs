//! Renders answers as HTML on the server, so that every page shows the same.
//!
//! The text is Markdown as models write it: GitHub's flavour (tables, task lists, strikethrough, alerts, footnotes)
//! with mathematics between `$`, `$$`, `\(…\)` and `\[…\]`. The output is safe to insert into a page:
//!
//! - HTML in the text is shown as text, except for `<br>`.
//! - Links point to http, https and mailto addresses only (module `links`). Images become links that open on a click.
//! - No attribute takes its name from the text, and only `href`, `start`, `data-code` and the language's class contain
//!   a checked value from it. There are no ids and no style attributes.
//! - Labels, such as "Copy", are references to texts, as the HTML is kept for readers of every language
//!   ([`fill_references`](crate::i18n::fill_references)).
//! - The work is bounded by the length of the text: lines that are nested too deeply become plain text (`segments`),
//!   formulas are limited (`math`), and code is highlighted in one pass (`highlight`).
//!
//! Two things are resolved before the Markdown parser reads a text: what is a formula and what is a price, and where
//! emphasis may begin and end in scripts without spaces between words (`prepare`). The module `blocks` writes the HTML,
//! and `live` renders a growing text incrementally.

mod blocks;
mod code;
mod definitions;
mod direction;
mod display;
mod edits;
mod escape;
mod fences;
mod flanking;
mod flow;
mod formulas;
mod headings;
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
mod preview;
mod segments;
mod tables;
#[cfg(test)]
mod tests;

pub use live::{LiveText, RenderDelta, diff_tail};
pub use preview::{clean_preview, preview};

/// Renders a finished answer as HTML.
pub fn render(text: &str) -> String {
    render_from(text, flow::Flow::default())
}

/// Renders the text of a page, which stands below the title of the page.
pub fn render_page(text: &str) -> String {
    render_from(text, flow::Flow::from_level(2))
}

fn render_from(text: &str, mut flow: flow::Flow) -> String {
    let segments = segments::split(text);
    let definitions = definitions::Definitions::collect(&segments);
    let mut out = String::with_capacity(text.len() * 2);
    for segment in &segments {
        blocks::push_segment(&mut out, segment, &definitions, &mut flow);
    }
    out
}
