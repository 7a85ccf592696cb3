//! Models that write their thinking into the answer: between tags at its very start, or, where the chat template opens
//! the thinking in the prompt, before a closing tag that nothing opened.

mod line;

use line::Line;

/// How models mark their thinking: the opening tag, and what may close it.
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
/// Where the final answer begins in the harmony format of gpt-oss.
const FINAL_CHANNEL: &[&str] = &[
    "<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|start|>assistant<|channel|>final<|message|>",
    "<|channel|>final<|message|>",
];
/// How the same format looks where a server leaves out the special tokens: what an answer begins with, and what stands
/// between the thinking and the answer.
const BARE_CHANNELS: (&str, &str) = ("analysis", "assistantfinal");
/// The first characters of all tags; the last is that of a bare channel.
const FIRST: [char; 4] = ['<', '[', '◁', 'a'];

/// A piece of an answer, told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// What the model thinks before it answers.
    Reasoning(&'a str),
    /// The answer.
    Text(&'a str),
    /// All text so far was thinking: its end has come, though nothing had opened it.
    TextWasReasoning,
}

/// Whether the text of a special token is a mark of thinking, or a part of one.
pub fn is_mark(token: &[u8]) -> bool {
    const PARTS: [&str; 5] = ["<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|channel>"];
    let is = |tag: &str| tag.as_bytes() == token;
    PARTS.into_iter().any(is) || TAGS.iter().any(|(open, close)| is(open) || close.iter().any(|tag| is(tag)))
}

/// Takes the thinking out of an answer that comes in pieces, cut anywhere.
#[derive(Debug, Default)]
pub struct Splitter {
    place: Place,
    /// What may be a tag, or the beginning of one.
    held: String,
    line: Line,
    /// Whether the text begins as thinking does where special tokens are left out.
    has_bare_channels: bool,
    /// Opening tags in the text whose closing tags have not come: those are not lone.
    open: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but blanks and perhaps a part of a tag has come.
    #[default]
    Start,
    /// Behind an opening tag; with what may close it.
    Thinking(&'static [&'static str]),
    /// Behind the closing tag, where line breaks only separate.
    Gap,
    /// In text, which a closing tag that nothing opened would make thinking.
    Text,
    /// In the answer, where tags mean nothing any more.
    Answer,
}

/// What a tag in the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// An opening or a closing tag of this length.
    Whole { length: usize, closes: bool },
    /// Perhaps the beginning of one.
    Begun,
}

impl Splitter {
    /// Takes a piece and gives on what is certain.
    pub fn push(&mut self, piece: &str, mut emit: impl FnMut(Piece<'_>)) {
        if self.place == Place::Answer {
            return emit(Piece::Text(piece));
        }
        let mut held = std::mem::take(&mut self.held);
        held.push_str(piece);
        let rest = self.run(&held, false, &mut emit);
        held.drain(..held.len() - rest);
        self.held = held;
    }

    /// Gives on what was held back; nothing more will come. An answer that broke off may have done so within a quoted
    /// tag, so that only one that is `whole` can still turn out to have been thinking.
    pub fn finish(&mut self, whole: bool, mut emit: impl FnMut(Piece<'_>)) {
        let held = std::mem::take(&mut self.held);
        let rest = if whole { self.run(&held, true, &mut emit) } else { held.len() };
        let rest = &held[held.len() - rest..];
        let is_thinking = matches!(self.place, Place::Thinking(_));
        emit_some(&mut emit, if is_thinking { Piece::Reasoning(rest) } else { Piece::Text(rest) });
        self.place = Place::Answer;
    }

    /// Goes through `text` as far as it is certain, and returns the length of what is left.
    fn run(&mut self, mut text: &str, last: bool, emit: &mut impl FnMut(Piece<'_>)) -> usize {
        loop {
            let before = self.place;
            text = self.step(text, last, emit);
            if self.place == before || text.is_empty() {
                return text.len();
            }
        }
    }

    /// Goes to the next border, and returns what is left.
    fn step<'a>(&mut self, text: &'a str, last: bool, emit: &mut impl FnMut(Piece<'_>)) -> &'a str {
        match self.place {
            Place::Start => {
                let begin = text.trim_start();
                if let Some((open, closing)) = TAGS.iter().find(|(open, _)| begin.starts_with(open)) {
                    self.place = Place::Thinking(closing);
                    return &begin[open.len()..];
                }
                if !last && BARE_CHANNELS.0.starts_with(begin) {
                    return text;
                }
                self.has_bare_channels = begin.starts_with(BARE_CHANNELS.0);
                match find_tag(begin, false) {
                    // The thinking was empty.
                    Some(Tag::Whole { length, .. }) => {
                        self.place = Place::Gap;
                        return &begin[length..];
                    }
                    Some(Tag::Begun) if !last => return text,
                    // Blanks are held until a word comes, but not for ever.
                    _ if begin.is_empty() && text.len() < 1_000 => return text,
                    _ => {}
                }
                self.place = Place::Text;
                text
            }
            Place::Thinking(closing) => {
                let found = closing.iter().filter_map(|tag| Some((text.find(tag)?, tag.len()))).min();
                if let Some((at, length)) = found {
                    emit_some(emit, Piece::Reasoning(&text[..at]));
                    self.place = Place::Gap;
                    return &text[at + length..];
                }
                let (thought, held) = text.split_at(text.len() - tag_begun(text, closing));
                emit_some(emit, Piece::Reasoning(thought));
                held
            }
            Place::Gap => {
                let rest = text.trim_start_matches(['\n', '\r']);
                if !rest.is_empty() {
                    self.place = Place::Answer;
                }
                rest
            }
            Place::Text => self.look_for_lone_tag(text, last, emit),
            Place::Answer => {
                emit_some(emit, Piece::Text(text));
                ""
            }
        }
    }

    fn look_for_lone_tag<'a>(&mut self, text: &'a str, last: bool, emit: &mut impl FnMut(Piece<'_>)) -> &'a str {
        let mut at = 0;
        let first = if self.has_bare_channels { &FIRST[..] } else { &FIRST[..3] };
        while let Some(offset) = text[at..].find(first) {
            self.line.pass(&text[at..at + offset]);
            at += offset;
            let length = match find_tag(&text[at..], self.has_bare_channels) {
                None => text[at..].chars().next().map_or(1, char::len_utf8),
                Some(Tag::Begun) => {
                    emit_some(emit, Piece::Text(&text[..at]));
                    return &text[at..];
                }
                Some(Tag::Whole { length, closes }) => {
                    match self.line.quotes(&text[at + length..], last) {
                        None => {
                            emit_some(emit, Piece::Text(&text[..at]));
                            return &text[at..];
                        }
                        Some(true) => {}
                        Some(false) if !closes => self.open += 1,
                        Some(false) if self.open > 0 => self.open -= 1,
                        Some(false) => {
                            emit_some(emit, Piece::Text(&text[..at]));
                            emit(Piece::TextWasReasoning);
                            self.place = Place::Gap;
                            return &text[at + length..];
                        }
                    }
                    length
                }
            };
            self.line.pass(&text[at..at + length]);
            at += length;
        }
        self.line.pass(&text[at..]);
        emit_some(emit, Piece::Text(text));
        ""
    }
}

fn emit_some(emit: &mut impl FnMut(Piece<'_>), piece: Piece<'_>) {
    if !matches!(piece, Piece::Text("") | Piece::Reasoning("")) {
        emit(piece);
    }
}

/// The tag at the beginning of `text`, with the mark of bare channels among them where there are such.
fn find_tag(text: &str, has_bare_channels: bool) -> Option<Tag> {
    let bare = has_bare_channels.then_some((BARE_CHANNELS.1, true));
    let tags = || TAGS.iter().flat_map(|(open, close)| close.iter().map(|tag| (*tag, true)).chain([(*open, false)]));
    let all = || tags().chain(bare);
    let whole = all().find(|(tag, _)| text.starts_with(tag));
    let whole = whole.map(|(tag, closes)| Tag::Whole { length: tag.len(), closes });
    whole.or_else(|| all().any(|(tag, _)| !text.is_empty() && tag.starts_with(text)).then_some(Tag::Begun))
}

/// How many bytes at the end of `text` may be the beginning of one of these tags.
fn tag_begun(text: &str, tags: &[&str]) -> usize {
    let begun = |tag: &&str| (1..tag.len()).rev().find(|&length| text.as_bytes().ends_with(&tag.as_bytes()[..length]));
    tags.iter().filter_map(begun).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thinking and the answer of a text that comes in pieces of `size` characters.
    fn split(text: &str, size: usize, whole: bool) -> (String, String) {
        let (mut reasoning, mut answer) = (String::new(), String::new());
        let mut emit = |piece: Piece<'_>| match piece {
            Piece::Reasoning(piece) => reasoning.push_str(piece),
            Piece::Text(piece) => answer.push_str(piece),
            Piece::TextWasReasoning => reasoning.push_str(&std::mem::take(&mut answer)),
        };
        let mut splitter = Splitter::default();
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(size) {
            splitter.push(&piece.iter().collect::<String>(), &mut emit);
        }
        splitter.finish(whole, &mut emit);
        (reasoning, answer)
    }

    fn check(cases: &[(&str, &str, &str)]) {
        for &(text, reasoning, answer) in cases {
            for size in 1..=text.chars().count().max(1) {
                let told = split(text, size, true);
                assert_eq!(told, (reasoning.to_owned(), answer.to_owned()), "{text:?} by {size}");
            }
        }
    }

    #[test]
    fn tags_are_found_however_the_text_is_cut() {
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
    fn every_models_tags_are_known() {
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
    fn what_stands_before_a_lone_closing_tag_is_thinking() {
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
