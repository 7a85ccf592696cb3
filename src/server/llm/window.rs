//! What fits into a model's context window.

use super::Turn;
use crate::domain::Author;

/// The most tokens that are kept free for an answer, where the window is large.
const ANSWER_ROOM: u32 = 4_096;

/// Tokens of a window of `context` tokens that stay free for the answer: a quarter, at most 4,096.
pub const fn answer_room(context: u32) -> u32 {
    let quarter = context / 4;
    if quarter < ANSWER_ROOM { quarter } else { ANSWER_ROOM }
}

/// How many of the oldest turns to leave out, so that the rest costs at most `room`; turns are never split, and the
/// turn at place `i` costs `cost(i)`.
/// Where something is left out, the rest begins with a person's turn: an answer without its question misleads,
/// and some chat templates refuse it. `None` if the newest turn alone does not fit.
pub fn leave_out(turns: &[Turn], room: u32, cost: impl Fn(usize) -> u32) -> Option<usize> {
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

/// About how many tokens a text has, for a model whose tokenizer is not known: two for seven ASCII characters,
/// which is what code takes and a little more than English prose, and one for every other character, which is
/// about right for Chinese and more than enough for Cyrillic or Greek.
pub fn estimate(text: &str) -> u32 {
    estimate_sevenths(text).div_ceil(7)
}

/// The same in sevenths of a token, which can be added up piece by piece.
pub fn estimate_sevenths(text: &str) -> u32 {
    let (mut ascii, mut other) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            0..=0x7F => ascii += 1,
            // Every character has one byte that does not continue another.
            0xC0.. => other += 1,
            _ => {}
        }
    }
    u32::try_from(ascii * 2 + other * 7).unwrap_or(u32::MAX)
}

/// The longest end of `text` whose estimate is at most `tokens`.
pub fn end_within(text: &str, tokens: u32) -> &str {
    // An end of so many bytes costs at most so many tokens, whatever is in it; then grow it while it fits.
    let mut start = text.ceil_char_boundary(text.len().saturating_sub(tokens as usize));
    while start > 0 {
        let earlier = text.floor_char_boundary(start.saturating_sub(256));
        if estimate(&text[earlier..]) > tokens {
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

    fn talk(count: usize) -> Vec<Turn> {
        (0..count).map(|i| turn(if i % 2 == 0 { Author::User } else { Author::Assistant }, "x")).collect()
    }

    #[test]
    fn the_oldest_are_left_out_and_the_rest_begins_with_a_person() {
        let turns = talk(9);
        assert_eq!(leave_out(&turns, 90, |_| 10), Some(0));
        assert_eq!(leave_out(&turns, 89, |_| 10), Some(2), "turn 1 is an answer whose question is gone");
        assert_eq!(leave_out(&turns, 70, |_| 10), Some(2));
        assert_eq!(leave_out(&turns, 10, |_| 10), Some(8));
        assert_eq!(leave_out(&turns, 9, |_| 10), None, "the newest is never split");
        assert_eq!(leave_out(&[], 0, |_| 10), Some(0));
    }

    #[test]
    fn a_conversation_that_fits_is_kept_even_if_a_model_began_it() {
        let turns = [turn(Author::Assistant, "Hello"), turn(Author::User, "Hello")];
        assert_eq!(leave_out(&turns, 100, |_| 10), Some(0));
    }

    #[test]
    fn estimates_follow_the_script() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("abcdefg"), 2);
        assert_eq!(estimate("汉字汉字"), 4);
        assert_eq!(estimate("👩‍🚀"), 3);
        assert!(estimate(&"a".repeat(200_000)) > 50_000);
    }

    #[test]
    fn ends_fit_and_never_cut_a_character() {
        let text = "汉字 and words ".repeat(2_000);
        for tokens in [0, 1, 7, 100, 5_000] {
            let end = end_within(&text, tokens);
            assert!(estimate(end) <= tokens, "{tokens}");
            assert!(text.ends_with(end));
            assert!(tokens < 300 || estimate(end) + 300 > tokens, "{tokens}: too little was kept");
        }
        assert_eq!(end_within("short", 100), "short");
    }
}
