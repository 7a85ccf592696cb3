//! Separates reasoning that models write into the answer: between tags at its very start, or, if the chat template
//! opens the reasoning in the prompt, before a closing tag without an opening tag.

mod quotes;

use quotes::QuoteTracker;

/// The tags of reasoning: the opening tag, and the tags that can close it.
const TAGS: &[(&str, &[&str])] = &[
    ("<think>", &["</think>"]),
    ("<thinking>", &["</thinking>"]),
    ("<thought>", &["</thought>"]),
    ("<reasoning>", &["</reasoning>"]),
    ("<seed:think>", &["</seed:think>"]),
    ("<longcat_think>", &["</longcat_think>"]),
    ("[THINK]", &["[/THINK]"]),
    ("◁think▷", &["◁/think▷"]),
    ("<|START_THINKING|>", &["<|END_THINKING|>"]),
    ("<|begin_of_thought|>", &["<|end_of_thought|>"]),
    ("<|channel>thought", &["<channel|>"]),
    ("<|start|>assistant<|channel|>analysis<|message|>", FINAL_CHANNEL),
    ("<|channel|>analysis<|message|>", FINAL_CHANNEL),
    ("<|channel|>commentary<|message|>", FINAL_CHANNEL),
];
/// The start of the final answer in the harmony format of gpt-oss.
const FINAL_CHANNEL: &[&str] = &[
    "<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|start|>assistant<|channel|>final<|message|>",
    "<|channel|>final<|message|>",
];
/// The same format from servers that strip special tokens: the start of the answer, and the separator between reasoning
/// and answer.
const BARE_CHANNELS: (&str, &str) = ("analysis", "assistantfinal");
/// The first characters of all tags. The last one is that of the bare channels.
const TAG_START_CHARS: [char; 4] = ['<', '[', '◁', 'a'];

/// A part of an answer, classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Reasoning before the answer.
    Reasoning(&'a str),
    /// The answer.
    Text(&'a str),
    /// All text so far was reasoning: a closing tag came that had no opening tag.
    TextWasReasoning,
}

/// Whether a special token is a reasoning tag or part of one.
pub fn is_reasoning_tag(token: &[u8]) -> bool {
    const PARTS: [&str; 5] = ["<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|channel>"];
    let is = |tag: &str| tag.as_bytes() == token;
    PARTS.into_iter().any(is) || TAGS.iter().any(|(open, close)| is(open) || close.iter().any(|tag| is(tag)))
}

/// Separates reasoning from answer in a stream of chunks, which may be split anywhere.
#[derive(Debug, Default)]
pub struct ReasoningSplitter {
    state: State,
    /// Text that may be a tag or the beginning of one.
    pending: String,
    quotes: QuoteTracker,
    /// Whether the text starts like reasoning whose special tokens were stripped.
    has_bare_channels: bool,
    /// Opening tags in the text that are not closed yet. Their closing tags are not unopened ones.
    open: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Only white space and perhaps part of a tag so far.
    #[default]
    Start,
    /// After an opening tag. Holds the tags that can close it.
    Reasoning(&'static [&'static str]),
    /// After the closing tag, where line breaks are skipped.
    Gap,
    /// In text, which an unopened closing tag would turn into reasoning.
    Text,
    /// In the answer, where tags have no meaning.
    Answer,
}

/// A tag found in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// An opening or closing tag of this length in bytes.
    Whole { length: usize, closes: bool },
    /// Possibly the beginning of a tag.
    Partial,
}

impl ReasoningSplitter {
    /// Takes a chunk and emits the parts that are certain.
    pub fn push(&mut self, chunk: &str, mut emit: impl FnMut(Part<'_>)) {
        if self.state == State::Answer {
            return emit(Part::Text(chunk));
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.push_str(chunk);
        let rest = self.run(&pending, false, &mut emit);
        pending.drain(..pending.len() - rest);
        self.pending = pending;
    }

    /// Emits the text that was held back at the end of the stream. If the answer is not `whole`, it may have been cut
    /// within a quoted tag, so the text is then not turned into reasoning.
    pub fn finish(&mut self, whole: bool, mut emit: impl FnMut(Part<'_>)) {
        let pending = std::mem::take(&mut self.pending);
        let rest = if whole { self.run(&pending, true, &mut emit) } else { pending.len() };
        let rest = &pending[pending.len() - rest..];
        let is_reasoning = matches!(self.state, State::Reasoning(_));
        emit_nonempty(&mut emit, if is_reasoning { Part::Reasoning(rest) } else { Part::Text(rest) });
        self.state = State::Answer;
    }

    /// Processes `text` as far as it is certain. Returns the length of the rest.
    fn run(&mut self, mut text: &str, last: bool, emit: &mut impl FnMut(Part<'_>)) -> usize {
        loop {
            let before = self.state;
            text = self.advance(text, last, emit);
            if self.state == before || text.is_empty() {
                return text.len();
            }
        }
    }

    /// Advances to the next state change. Returns the rest.
    fn advance<'a>(&mut self, text: &'a str, last: bool, emit: &mut impl FnMut(Part<'_>)) -> &'a str {
        match self.state {
            State::Start => {
                let begin = text.trim_start();
                if let Some((open, closing)) = TAGS.iter().find(|(open, _)| begin.starts_with(open)) {
                    self.state = State::Reasoning(closing);
                    return &begin[open.len()..];
                }
                if !last && BARE_CHANNELS.0.starts_with(begin) {
                    return text;
                }
                self.has_bare_channels = begin.starts_with(BARE_CHANNELS.0);
                match find_tag(begin, false) {
                    // The reasoning was empty.
                    Some(Tag::Whole { length, .. }) => {
                        self.state = State::Gap;
                        return &begin[length..];
                    }
                    Some(Tag::Partial) if !last => return text,
                    // White space is held back until text follows, up to a limit.
                    _ if begin.is_empty() && text.len() < 1_000 => return text,
                    _ => {}
                }
                self.state = State::Text;
                text
            }
            State::Reasoning(closing) => {
                let found = closing.iter().filter_map(|tag| Some((text.find(tag)?, tag.len()))).min();
                if let Some((at, length)) = found {
                    emit_nonempty(emit, Part::Reasoning(&text[..at]));
                    self.state = State::Gap;
                    return &text[at + length..];
                }
                let (reasoning, pending) = text.split_at(text.len() - partial_tag_length(text, closing));
                emit_nonempty(emit, Part::Reasoning(reasoning));
                pending
            }
            State::Gap => {
                let rest = text.trim_start_matches(['\n', '\r']);
                if !rest.is_empty() {
                    self.state = State::Answer;
                }
                rest
            }
            State::Text => self.find_unopened_tag(text, last, emit),
            State::Answer => {
                emit_nonempty(emit, Part::Text(text));
                ""
            }
        }
    }

    fn find_unopened_tag<'a>(&mut self, text: &'a str, last: bool, emit: &mut impl FnMut(Part<'_>)) -> &'a str {
        let mut at = 0;
        let first = if self.has_bare_channels { &TAG_START_CHARS[..] } else { &TAG_START_CHARS[..3] };
        while let Some(offset) = text[at..].find(first) {
            self.quotes.push(&text[at..at + offset]);
            at += offset;
            let length = match find_tag(&text[at..], self.has_bare_channels) {
                None => text[at..].chars().next().map_or(1, char::len_utf8),
                Some(Tag::Partial) => {
                    emit_nonempty(emit, Part::Text(&text[..at]));
                    return &text[at..];
                }
                Some(Tag::Whole { length, closes }) => {
                    match self.quotes.is_quoted(&text[at + length..], last) {
                        None => {
                            emit_nonempty(emit, Part::Text(&text[..at]));
                            return &text[at..];
                        }
                        Some(true) => {}
                        Some(false) if !closes => self.open += 1,
                        Some(false) if self.open > 0 => self.open -= 1,
                        Some(false) => {
                            emit_nonempty(emit, Part::Text(&text[..at]));
                            emit(Part::TextWasReasoning);
                            self.state = State::Gap;
                            return &text[at + length..];
                        }
                    }
                    length
                }
            };
            self.quotes.push(&text[at..at + length]);
            at += length;
        }
        self.quotes.push(&text[at..]);
        emit_nonempty(emit, Part::Text(text));
        ""
    }
}

fn emit_nonempty(emit: &mut impl FnMut(Part<'_>), part: Part<'_>) {
    if !matches!(part, Part::Text("") | Part::Reasoning("")) {
        emit(part);
    }
}

/// The tag at the start of `text`. Includes the separator of bare channels if `has_bare_channels`.
fn find_tag(text: &str, has_bare_channels: bool) -> Option<Tag> {
    let bare = has_bare_channels.then_some((BARE_CHANNELS.1, true));
    let tags = || TAGS.iter().flat_map(|(open, close)| close.iter().map(|tag| (*tag, true)).chain([(*open, false)]));
    let all = || tags().chain(bare);
    let whole = all().find(|(tag, _)| text.starts_with(tag));
    let whole = whole.map(|(tag, closes)| Tag::Whole { length: tag.len(), closes });
    whole.or_else(|| all().any(|(tag, _)| !text.is_empty() && tag.starts_with(text)).then_some(Tag::Partial))
}

/// How many bytes at the end of `text` may be the beginning of one of these tags.
fn partial_tag_length(text: &str, tags: &[&str]) -> usize {
    let partial =
        |tag: &&str| (1..tag.len()).rev().find(|&length| text.as_bytes().ends_with(&tag.as_bytes()[..length]));
    tags.iter().filter_map(partial).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a text that arrives in chunks of `size` characters into reasoning and answer.
    fn split(text: &str, size: usize, whole: bool) -> (String, String) {
        let (mut reasoning, mut answer) = (String::new(), String::new());
        let mut emit = |chunk: Part<'_>| match chunk {
            Part::Reasoning(chunk) => reasoning.push_str(chunk),
            Part::Text(chunk) => answer.push_str(chunk),
            Part::TextWasReasoning => reasoning.push_str(&std::mem::take(&mut answer)),
        };
        let mut splitter = ReasoningSplitter::default();
        let characters: Vec<char> = text.chars().collect();
        for chunk in characters.chunks(size) {
            splitter.push(&chunk.iter().collect::<String>(), &mut emit);
        }
        splitter.finish(whole, &mut emit);
        (reasoning, answer)
    }

    fn check(cases: &[(&str, &str, &str)]) {
        for &(text, reasoning, answer) in cases {
            for size in 1..=text.chars().count().max(1) {
                let parts = split(text, size, true);
                assert_eq!(parts, (reasoning.to_owned(), answer.to_owned()), "{text:?} by {size}");
            }
        }
    }

    #[test]
    fn tags_are_found_however_the_text_is_split() {
        check(&[
            ("<think>a < b</think>\n\nYes.", "a < b", "Yes."),
            (" \n<think>né</thin</think>né", "né</thin", "né"),
            ("<think></think>Yes", "", "Yes"),
            ("<think>never closed </thi", "never closed </thi", ""),
            ("Yes: <think>is text here</think>", "", "Yes: <think>is text here</think>"),
            ("<thinkers>no", "", "<thinkers>no"),
            ("\n\n  plain", "", "\n\n  plain"),
            ("<thi", "", "<thi"),
            ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
            ("", "", ""),
        ]);
    }

    #[test]
    fn tags_of_every_model_are_recognised() {
        check(&[
            ("<thinking>a</thinking>b", "a", "b"),
            ("<thought>\na\n</thought>\nb", "\na\n", "b"),
            ("<seed:think>a</seed:think>b", "a", "b"),
            ("[THINK]a[/THINK]b [1] c", "a", "b [1] c"),
            ("◁think▷a◁b◁/think▷c", "a◁b", "c"),
            ("<|START_THINKING|>a<|END_THINKING|>b", "a", "b"),
            ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b", "a", "b"),
            ("<|channel|>analysis<|message|>a <|end|> b<|channel|>final<|message|>c", "a <|end|> b", "c"),
            ("<|channel|>final<|message|>just this", "", "just this"),
        ]);
    }

    #[test]
    fn text_before_an_unopened_closing_tag_is_reasoning() {
        check(&[
            ("I think so.</think>Yes.", "I think so.", "Yes."),
            ("First\n\nsecond\n</think>\n\nYes </think> no", "First\n\nsecond\n", "Yes </think> no"),
            ("</think>\n\nYes", "", "Yes"),
            ("\n</think>Yes", "", "Yes"),
            ("a [1] < b[/THINK]c", "a [1] < b", "c"),
            ("a◁/think▷b", "a", "b"),
            ("a</seed:think>b", "a", "b"),
            ("a</thinking>b", "a", "b"),
            ("a</think>", "a", ""),
            ("The ` sign, so </think>\nYes", "The ` sign, so ", "Yes"),
            ("The ` sign, so </think>Yes", "The ` sign, so ", "Yes"),
            ("`<think>` is asked of.</think>It opens.", "`<think>` is asked of.", "It opens."),
            ("```\n</think>\n```\nso</think>Yes", "```\n</think>\n```\nso", "Yes"),
            ("1. a\n\n    - b</think>Yes", "1. a\n\n    - b", "Yes"),
            ("analysisThey ask an assistant.assistantfinalHello!", "analysisThey ask an assistant.", "Hello!"),
            ("analysis of an assistant", "", "analysis of an assistant"),
            ("An assistantfinal", "", "An assistantfinal"),
            ("ana", "", "ana"),
        ]);
    }

    #[test]
    fn a_quoted_tag_is_text() {
        for text in [
            "Use `</think>` to end it.",
            "Use `<think>` and `</think>`.",
            "Use ``a ` </think>`` so",
            "It ends:\n\n```xml\n<think>\n</think>\n```\n\nThat is all.",
            "~~~\n```\n</think>\n~~~\n",
            "- ```\n  </think>\n  ```\n",
            "> ```\n> </think>\n> ```\n",
            "Like so:\n\n    </think>\n\nDone.",
            "The tag \"</think>\" and “</think>” end it, like \\</think> and <code></think></code>.",
            "<b>No</b> [links](x) ◁ and </thin",
            "```\n</think>",
        ] {
            for size in 1..=text.chars().count() {
                assert_eq!(split(text, size, true), (String::new(), text.to_owned()), "by {size}");
            }
        }
        let cut = "It ends with `</think>";
        assert_eq!(split(cut, 3, false), (String::new(), cut.to_owned()), "broken off within the code");
    }
}
