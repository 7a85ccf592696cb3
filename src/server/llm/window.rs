//! Fits conversations into a model's context window.

use super::Turn;
use crate::domain::Author;

/// The maximum number of tokens reserved for the answer.
const MAX_ANSWER_RESERVE: u32 = 4_096;

/// The tokens of a window of `context` tokens that are reserved for the answer: a quarter, at most 4,096.
pub const fn answer_reserve(context: u32) -> u32 {
    let quarter = context / 4;
    if quarter < MAX_ANSWER_RESERVE { quarter } else { MAX_ANSWER_RESERVE }
}

/// How many of the oldest turns to omit so that the rest costs at most `room` tokens. Turns are never split, and the
/// turn at index `i` costs `cost(i)`. If something is omitted, the rest starts with a user turn: an answer without its
/// question misleads the model, and some chat templates reject it. `None` if the newest turn alone does not fit.
pub fn count_truncated(turns: &[Turn], room: u32, cost: impl Fn(usize) -> u32) -> Option<usize> {
    let mut rest = room;
    let mut first = turns.len();
    for index in (0..turns.len()).rev() {
        match rest.checked_sub(cost(index)) {
            Some(less) => (rest, first) = (less, index),
            None => break,
        }
    }
    if first == turns.len() && !turns.is_empty() {
        return None;
    }
    while first > 0 && first + 1 < turns.len() && turns[first].author == Author::Assistant {
        first += 1;
    }
    Some(first)
}

/// Estimates the tokens of a text for an unknown tokenizer: two per seven ASCII characters, which matches code and is
/// slightly more than English prose, and one per other character, which is about right for Chinese and more than enough
/// for Cyrillic or Greek.
pub fn estimate_tokens(text: &str) -> u32 {
    estimate_token_sevenths(text).div_ceil(7)
}

/// Like [`estimate_tokens`], in sevenths of a token. These can be summed chunk by chunk without rounding.
pub fn estimate_token_sevenths(text: &str) -> u32 {
    let (mut ascii, mut other) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            0..=0x7F => ascii += 1,
            // Counts each character by its leading byte.
            0xC0.. => other += 1,
            _ => {}
        }
    }
    u32::try_from(ascii * 2 + other * 7).unwrap_or(u32::MAX)
}

/// The longest suffix of `text` whose estimate is at most `tokens`.
pub fn suffix_within(text: &str, tokens: u32) -> &str {
    // A suffix of that many bytes never costs more than that many tokens. Grow it while it fits.
    let mut start = text.ceil_char_boundary(text.len().saturating_sub(tokens as usize));
    while start > 0 {
        let earlier = text.floor_char_boundary(start.saturating_sub(256));
        if estimate_tokens(&text[earlier..]) > tokens {
            break;
        }
        start = earlier;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(author: Author, text: &str) -> Turn {
        Turn { author, text: text.to_owned() }
    }

    fn conversation(count: usize) -> Vec<Turn> {
        (0..count).map(|i| turn(if i % 2 == 0 { Author::User } else { Author::Assistant }, "x")).collect()
    }

    #[test]
    fn the_oldest_turns_are_omitted_and_the_rest_starts_with_the_user() {
        let turns = conversation(9);
        assert_eq!(count_truncated(&turns, 90, |_| 10), Some(0));
        assert_eq!(count_truncated(&turns, 89, |_| 10), Some(2), "turn 1 is an answer whose question is gone");
        assert_eq!(count_truncated(&turns, 70, |_| 10), Some(2));
        assert_eq!(count_truncated(&turns, 10, |_| 10), Some(8));
        assert_eq!(count_truncated(&turns, 9, |_| 10), None, "the newest is never split");
        assert_eq!(count_truncated(&[], 0, |_| 10), Some(0));
    }

    #[test]
    fn a_conversation_that_fits_is_kept_even_if_it_starts_with_an_answer() {
        let turns = [turn(Author::Assistant, "Hello"), turn(Author::User, "Hello")];
        assert_eq!(count_truncated(&turns, 100, |_| 10), Some(0));
    }

    #[test]
    fn estimates_depend_on_the_script() {
        assert_eq!(estimate_tokens(""), 0);
        assert_eq!(estimate_tokens("abcdefg"), 2);
        assert_eq!(estimate_tokens("汉字汉字"), 4);
        assert_eq!(estimate_tokens("👩‍🚀"), 3);
        assert!(estimate_tokens(&"a".repeat(200_000)) > 50_000);
    }

    #[test]
    fn suffixes_fit_and_never_split_a_character() {
        let text = "汉字 and words ".repeat(2_000);
        for tokens in [0, 1, 7, 100, 5_000] {
            let end = suffix_within(&text, tokens);
            assert!(estimate_tokens(end) <= tokens, "{tokens}");
            assert!(text.ends_with(end));
            assert!(tokens < 300 || estimate_tokens(end) + 300 > tokens, "{tokens}: too little was kept");
        }
        assert_eq!(suffix_within("short", 100), "short");
    }
}
