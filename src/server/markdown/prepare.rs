//! What the Markdown parser gets to see in place of a text: one of the same length, byte by byte in the same places, in
//! which formulas are letters on one line and a few characters have others in their stead. So neither can a formula be
//! read as Markdown, nor does Markdown that is meant go unread. What is shown is always taken from the text itself.

use std::borrow::Cow;

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use super::{
    edits::{Edits, Run},
    flanking,
    formulas::{self, Formula},
    lines::{self, Mark},
    options::OPTIONS,
};

/// A text as the parser sees it.
pub(super) struct Prepared<'a> {
    pub(super) text: Cow<'a, str>,
    /// In the order of their places.
    pub(super) formulas: Vec<Formula>,
}

/// Prepares a text; `is_open` where its last formula may still be closed.
pub(super) fn prepare(source: &str, is_open: bool) -> Prepared<'_> {
    let Prepared { text, mut formulas } = prepare_blocks(source, is_open);
    if !needs_a_look(&text) {
        return Prepared { text, formulas };
    }
    let runs = runs(&text);
    let mut edits = Edits(text.as_bytes().to_vec());
    let mut is_changed = false;
    for run in &runs {
        for formula in formulas::find(&text, run) {
            edits.set(formula.range.clone(), b'x');
            formulas.push(formula);
            is_changed = true;
        }
    }
    let text = if is_changed { Cow::Owned(Edits(edits.0.clone()).text(source)) } else { text };
    for run in &runs {
        flanking::ease(&text, run, &mut edits);
    }
    formulas.sort_by_key(|formula| formula.range.start);
    Prepared { text: Cow::Owned(edits.text(source)), formulas }
}

/// The first half: what may change which blocks there are.
pub(super) fn prepare_blocks(source: &str, is_open: bool) -> Prepared<'_> {
    let mut formulas = Vec::new();
    if !source.contains("\\[") && !source.contains("$$") {
        return Prepared { text: Cow::Borrowed(source), formulas };
    }
    let mut edits = Edits(source.as_bytes().to_vec());
    for mark in lines::scan(source, is_open) {
        if let Mark::Formula { formula, .. } = mark {
            edits.set(formula.range.clone(), b'x');
            formulas.push(formula);
        }
    }
    Prepared { text: Cow::Owned(edits.text(source)), formulas }
}

fn needs_a_look(text: &str) -> bool {
    text.contains(['$', '~'])
        || text.contains("\\(")
        || text.contains("\\[")
        || (text.contains(['*', '_']) && text.chars().any(flanking::is_unspaced))
}

/// The runs of text in all blocks.
fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut run = Run::default();
    let mut is_code = false;
    let mut is_address = false;
    for (event, range) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
        match event {
            Event::Text(_) if !is_code && !is_address && !range.is_empty() => run.texts.push(range),
            Event::Start(Tag::Link { link_type, .. }) => {
                is_address = matches!(link_type, LinkType::Autolink | LinkType::Email);
            }
            Event::End(TagEnd::Link) => is_address = false,
            Event::Start(ref tag) if is_block(&tag.to_end()) => {
                is_code = matches!(tag, Tag::CodeBlock(_) | Tag::HtmlBlock);
                finish(&mut runs, &mut run);
                run.is_cell = matches!(tag, Tag::TableCell);
            }
            Event::End(ref tag) if is_block(tag) => {
                is_code = false;
                finish(&mut runs, &mut run);
            }
            _ => {}
        }
    }
    finish(&mut runs, &mut run);
    runs
}

fn finish(runs: &mut Vec<Run>, run: &mut Run) {
    let run = std::mem::take(run);
    if !run.texts.is_empty() {
        runs.push(run);
    }
}

fn is_block(tag: &TagEnd) -> bool {
    !matches!(
        tag,
        TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image
            | TagEnd::Superscript
            | TagEnd::Subscript
    )
}
