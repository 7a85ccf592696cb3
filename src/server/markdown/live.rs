//! Incremental rendering of an answer while it is generated: finished blocks are rendered once, the open tail on each
//! update.
//!
//! A block is finished when no later text can change it. Markdown parses blocks line by line, and a top-level block is
//! closed when a complete line begins the next one. So the last block of the complete lines is open, and everything
//! before it is finished. Lists, tables, quotes and HTML stay open as a whole. Two things refer back and are corrected
//! by the final rendering of the whole text: a link definition that follows its use, and a footnote with a name
//! (footnotes with numbers look the same before their definition arrives).

use super::{
    blocks,
    code::CodeBlock,
    definitions::Definitions,
    fences::Fence,
    flow::Flow,
    line::line_at,
    segments::{self, Segment},
};

/// A tail longer than this is rendered again only when it has grown by a sixteenth, which bounds the total work for an
/// answer without paragraphs to a constant times its length. In bytes.
const LONG_TAIL_BYTES: usize = 16_384;

/// What has changed since the previous delta.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenderDelta {
    /// HTML of the blocks that were finished since then. It is appended to the earlier ones.
    pub done: String,
    /// HTML of the whole open tail.
    pub tail: String,
}

/// An answer that is being generated.
#[derive(Debug, Clone, Default)]
pub struct LiveText {
    text: String,
    /// Whether text was added since the last delta.
    has_grown: bool,
    /// Where the open tail begins.
    tail_begin: usize,
    /// Where the complete lines that have been processed end.
    processed: usize,
    definitions: Definitions,
    /// The state before the open tail.
    flow: Flow,
    fence: Option<OpenFence>,
    /// The length of a long tail when it was last rendered, and its HTML.
    long_tail: Option<(usize, String)>,
}

/// An open top-level code block. Each of its lines is highlighted once.
#[derive(Debug, Clone)]
struct OpenFence {
    fence: Fence,
    block: CodeBlock,
    /// Where the lines that have been added to the block end.
    processed: usize,
}

fn push_segments(out: &mut String, segments: &[Segment<'_>], definitions: &Definitions, flow: &mut Flow) {
    for segment in segments {
        blocks::push_segment(out, segment, definitions, flow);
    }
}

/// Appends a line without the indentation of its fence.
fn push_line(block: &mut CodeBlock, fence: Fence, line: &str) {
    let indent = line.bytes().take(fence.indent).take_while(|byte| *byte == b' ').count();
    let line = &line[indent..];
    match line.strip_suffix("\r\n") {
        Some(line) => block.push_line(&format!("{line}\n")),
        None => block.push_line(line),
    }
}

impl From<&str> for LiveText {
    fn from(text: &str) -> Self {
        let mut live = Self::default();
        live.push(text);
        live
    }
}

impl LiveText {
    /// Appends to the text.
    pub fn push(&mut self, delta: &str) {
        self.text.push_str(delta);
        self.has_grown |= !delta.is_empty();
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is new since the last delta. `None` if no text was added. The cost depends on the length of the tail, not
    /// of the whole text.
    pub fn next_delta(&mut self) -> Option<RenderDelta> {
        std::mem::take(&mut self.has_grown)
            .then(|| RenderDelta { done: self.finish_complete(), tail: self.render_tail() })
    }

    /// The HTML of all finished blocks, and of the open tail.
    pub fn snapshot(&mut self) -> (String, String) {
        let mut done = String::new();
        let segments = segments::split(&self.text[..self.tail_begin]);
        push_segments(&mut done, &segments, &self.definitions, &mut Flow::default());
        (done, self.render_tail())
    }

    /// Moves `tail_begin` past the finished blocks and returns their HTML.
    fn finish_complete(&mut self) -> String {
        let mut done = String::new();
        let complete = self.text.rfind('\n').map_or(0, |end| end + 1).max(self.processed);
        if complete == self.processed {
            return done;
        }
        self.processed = complete;
        while self.tail_begin < complete {
            let is_done = if self.fence.is_some() {
                self.finish_fence(complete, &mut done)
            } else {
                self.finish_blocks(complete, &mut done)
            };
            if !is_done {
                break;
            }
        }
        done
    }

    /// Adds the lines of an open fence to its block. Returns whether the fence was closed.
    fn finish_fence(&mut self, complete: usize, done: &mut String) -> bool {
        let Some(OpenFence { fence, mut block, mut processed }) = self.fence.take() else { return false };
        while processed < complete {
            let line = line_at(&self.text, processed);
            processed += line.len();
            if fence.is_closed_by(line) {
                done.push_str(&block.close());
                self.tail_begin = processed;
                return true;
            }
            push_line(&mut block, fence, line);
        }
        self.fence = Some(OpenFence { fence, block, processed });
        false
    }

    /// Finishes all blocks but the last one. Returns whether that one is a fence, whose lines can be processed next.
    fn finish_blocks(&mut self, complete: usize, done: &mut String) -> bool {
        let tail = &self.text[self.tail_begin..complete];
        let (segments, last) = segments::split_open(tail);
        let begin = match segments.last() {
            None | Some(Segment::OpenFormula(_)) => return false,
            Some(Segment::Formula(_) | Segment::Plain(_)) => tail.len(),
            Some(Segment::Markdown(text)) => last + blocks::last_block(text, false),
            Some(Segment::OpenMarkdown(text)) => last + blocks::last_block(text, true),
        };
        if begin > 0 {
            let finished = segments::split(&tail[..begin]);
            for segment in &finished {
                if let Segment::Markdown(text) = segment {
                    self.definitions.add(text);
                }
            }
            push_segments(done, &finished, &self.definitions, &mut self.flow);
            self.tail_begin += begin;
            self.long_tail = None;
        }
        let first = line_at(&self.text[..complete], self.tail_begin);
        let Some(fence) = Fence::opened_by(first) else { return false };
        let block = CodeBlock::open(fence.info(first));
        self.fence = Some(OpenFence { fence, block, processed: self.tail_begin + first.len() });
        true
    }

    fn render_tail(&mut self) -> String {
        if let Some(open) = &self.fence {
            let mut block = open.block.clone();
            let line = &self.text[open.processed..];
            // Avoids a flicker: what may become the closing fence is not shown as code.
            if !open.fence.may_be_closed_by(line) {
                push_line(&mut block, open.fence, line);
            }
            return block.close();
        }
        let tail = &self.text[self.tail_begin..];
        if let Some((length, html)) = &self.long_tail
            && tail.len() - length < length / 16
        {
            return html.clone();
        }
        let mut out = String::new();
        push_segments(&mut out, &segments::split_open(tail).0, &self.definitions, &mut self.flow.clone());
        self.long_tail = (tail.len() > LONG_TAIL_BYTES).then(|| (tail.len(), out.clone()));
        out
    }
}

/// The length of the prefix of the old tail to keep, in bytes, and the text to append to it to get the new tail.
pub fn diff_tail(old: &str, new: &str) -> (u32, String) {
    const CHUNK: usize = 64;
    let (old, bytes) = (old.as_bytes(), new.as_bytes());
    let same = old.chunks(CHUNK).zip(bytes.chunks(CHUNK)).take_while(|(old, new)| old == new).count() * CHUNK;
    let same = same.min(old.len()).min(bytes.len());
    let more = old[same..].iter().zip(&bytes[same..]).take_while(|(old, new)| old == new).count();
    let keep = u32::try_from(new.floor_char_boundary(same + more)).unwrap_or(0);
    (keep, new[keep as usize..].to_owned())
}
