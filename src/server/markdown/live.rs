//! An answer that grows: finished blocks are written once, the open tail again and again.
//!
//! A block is finished when no later text can change it. Markdown decides its blocks line by line, and a block at the
//! top level is closed for good when a complete line begins the next one. So the last block of the complete lines
//! is open, and everything before it is finished; lists, tables, quotes and HTML stay open as a whole. Two things reach
//! back, and are put right by the final rendering of the whole text: a link definition that comes after its use, and a
//! footnote with a name (footnotes with numbers look the same before their definition comes).

use super::{
    blocks,
    code::CodeBlock,
    definitions::Definitions,
    fences::Fence,
    line::line_at,
    segments::{self, Segment},
};

/// A tail longer than this is rendered again only when it has grown by a sixteenth, so that an answer without any
/// paragraphs costs no more than its length times a constant. In bytes.
const LONG_TAIL: usize = 16_384;

/// What has changed since the step before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// HTML of the blocks that were finished in this step; it follows what was finished before.
    pub done: String,
    /// HTML of the open tail as it is now.
    pub tail: String,
}

/// An answer that is being written.
#[derive(Debug, Clone, Default)]
pub struct LiveText {
    text: String,
    /// Whether something came since the last step.
    has_grown: bool,
    /// Where the open tail begins.
    begin: usize,
    /// Up to where complete lines have been looked at.
    seen: usize,
    definitions: Definitions,
    fence: Option<OpenFence>,
    /// The length and the HTML of a long tail when it was rendered last.
    long: Option<(usize, String)>,
}

/// A block of code at the top level whose end has not come. Its lines are coloured once each.
#[derive(Debug, Clone)]
struct OpenFence {
    fence: Fence,
    block: CodeBlock,
    /// Up to where its lines have been taken.
    taken: usize,
}

/// Appends a line without the indentation that it shares with its fence.
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

    /// What is new since the last step; `None` where nothing came. The cost depends on the length of the tail, not on
    /// that of the text.
    pub fn step(&mut self) -> Option<Step> {
        std::mem::take(&mut self.has_grown).then(|| Step { done: self.finish(), tail: self.tail() })
    }

    /// All blocks that steps have finished so far, and the open tail.
    pub fn snapshot(&mut self) -> (String, String) {
        let mut done = String::new();
        self.push_segments(&mut done, &segments::split(&self.text[..self.begin]));
        (done, self.tail())
    }

    /// Moves `begin` over the finished blocks and returns their HTML.
    fn finish(&mut self) -> String {
        let mut done = String::new();
        let complete = self.text.rfind('\n').map_or(0, |end| end + 1).max(self.seen);
        if complete == self.seen {
            return done;
        }
        self.seen = complete;
        while self.begin < complete {
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

    /// Takes the lines of an open fence; true when it was closed.
    fn finish_fence(&mut self, complete: usize, done: &mut String) -> bool {
        let Some(OpenFence { fence, mut block, mut taken }) = self.fence.take() else { return false };
        while taken < complete {
            let line = line_at(&self.text, taken);
            taken += line.len();
            if fence.is_closed_by(line) {
                done.push_str(&block.close());
                self.begin = taken;
                return true;
            }
            push_line(&mut block, fence, line);
        }
        self.fence = Some(OpenFence { fence, block, taken });
        false
    }

    /// Finishes all blocks but the last; true when that one is a fence, whose lines may be taken next.
    fn finish_blocks(&mut self, complete: usize, done: &mut String) -> bool {
        let tail = &self.text[self.begin..complete];
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
            self.push_segments(done, &finished);
            self.begin += begin;
            self.long = None;
        }
        let first = line_at(&self.text[..complete], self.begin);
        let Some(fence) = Fence::opened_by(first) else { return false };
        let block = CodeBlock::open(fence.info(first));
        self.fence = Some(OpenFence { fence, block, taken: self.begin + first.len() });
        true
    }

    fn push_segments(&self, out: &mut String, segments: &[Segment<'_>]) {
        for segment in segments {
            blocks::push_segment(out, segment, &self.definitions);
        }
    }

    fn tail(&mut self) -> String {
        if let Some(open) = &self.fence {
            let mut block = open.block.clone();
            let line = &self.text[open.taken..];
            // What looks like the beginning of the closing fence is not shown as code for the blink of an eye.
            if !open.fence.may_be_closed_by(line) {
                push_line(&mut block, open.fence, line);
            }
            return block.close();
        }
        let tail = &self.text[self.begin..];
        if let Some((length, html)) = &self.long
            && tail.len() - length < length / 16
        {
            return html.clone();
        }
        let mut out = String::new();
        self.push_segments(&mut out, &segments::split_open(tail).0);
        self.long = (tail.len() > LONG_TAIL).then(|| (tail.len(), out.clone()));
        out
    }
}

/// What to keep of the old tail, in bytes, and what to add to it to get the new one.
pub fn diff_tail(old: &str, new: &str) -> (u32, String) {
    const CHUNK: usize = 64;
    let (old, bytes) = (old.as_bytes(), new.as_bytes());
    let same = old.chunks(CHUNK).zip(bytes.chunks(CHUNK)).take_while(|(old, new)| old == new).count() * CHUNK;
    let same = same.min(old.len()).min(bytes.len());
    let more = old[same..].iter().zip(&bytes[same..]).take_while(|(old, new)| old == new).count();
    let keep = u32::try_from(new.floor_char_boundary(same + more)).unwrap_or(0);
    (keep, new[keep as usize..].to_owned())
}
