//! Prepares the text for the Markdown parser: a copy of the same length with the same byte positions, in which formulas
//! are replaced with letters on one line and a few other characters are replaced as well. This keeps formulas from
//! being parsed as Markdown, and makes Markdown work where the parser would not recognise it. The output is always
//! taken from the original text.

use std::borrow::Cow;

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use super::{
    edits::{Edits, TextRun},
    flanking,
    formulas::{self, Formula},
    lines::{self, BlockMark},
    options::OPTIONS,
};

/// A text as the parser reads it.
pub(super) struct Prepared<'a> {
    pub(super) text: Cow<'a, str>,
    /// In order of position.
    pub(super) formulas: Vec<Formula>,
}

/// Prepares a text. `is_open` if its last formula may still be closed.
pub(super) fn prepare(source: &str, is_open: bool) -> Prepared<'_> {
    let Prepared { text, mut formulas } = prepare_blocks(source, is_open);
    if !may_need_edits(&text) {
        return Prepared { text, formulas };
    }
    let runs = text_runs(&text);
    let mut edits = Edits(text.as_bytes().to_vec());
    let mut is_changed = false;
    for run in &runs {
        for formula in formulas::find_formulas(&text, run) {
            edits.fill(formula.range.clone(), b'x');
            formulas.push(formula);
            is_changed = true;
        }
    }
    let text = if is_changed { Cow::Owned(Edits(edits.0.clone()).into_text(source)) } else { text };
    for run in &runs {
        flanking::relax_flanking(&text, run, &mut edits);
    }
    formulas.sort_by_key(|formula| formula.range.start);
    Prepared { text: Cow::Owned(edits.into_text(source)), formulas }
}

/// The first half: only the edits that can change the block structure.
pub(super) fn prepare_blocks(source: &str, is_open: bool) -> Prepared<'_> {
    let mut formulas = Vec::new();
    if !source.contains("\\[") && !source.contains("$$") {
        return Prepared { text: Cow::Borrowed(source), formulas };
    }
    let mut edits = Edits(source.as_bytes().to_vec());
    for mark in lines::scan(source, is_open) {
        if let BlockMark::Formula { formula, .. } = mark {
            edits.fill(formula.range.clone(), b'x');
            formulas.push(formula);
        }
    }
    Prepared { text: Cow::Owned(edits.into_text(source)), formulas }
}

fn may_need_edits(text: &str) -> bool {
    text.contains(['$', '~'])
        || text.contains("\\(")
        || text.contains("\\[")
        || (text.contains(['*', '_']) && text.chars().any(flanking::is_unspaced_script_char))
}

/// The runs of text in all blocks.
fn text_runs(text: &str) -> Vec<TextRun> {
    let mut runs = Vec::new();
    let mut run = TextRun::default();
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
                finish_run(&mut runs, &mut run);
                run.is_cell = matches!(tag, Tag::TableCell);
            }
            Event::End(ref tag) if is_block(tag) => {
                is_code = false;
                finish_run(&mut runs, &mut run);
            }
            _ => {}
        }
    }
    finish_run(&mut runs, &mut run);
    runs
}

fn finish_run(runs: &mut Vec<TextRun>, run: &mut TextRun) {
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
